//! A mailbox elsewhere.
