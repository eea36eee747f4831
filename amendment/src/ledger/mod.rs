//! What the rules do with a ledger: its view, its keys, the entries against replay, the transaction, the phases that it
//! goes through, and the way out of email.

pub(crate) mod keys;
pub(crate) mod leaving;
pub(crate) mod phases;
pub(crate) mod replay;
pub(crate) mod submission;
pub(crate) mod transaction;
pub(crate) mod view;
