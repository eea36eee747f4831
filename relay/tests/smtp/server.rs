//! The bytes of a client, however they are cut, give the same replies and letters; and no bytes break a session.
