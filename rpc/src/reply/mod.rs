//! Replies of nodes. A node may be of another version, of another network, or lie.
//!
//! What decides something must be there and well formed; the error names the member. What is only shown to
//! people is left out where it is missing or malformed. Texts and lists are cut to the bounds of
//! [`crate::limits`]; texts may hold any characters, so a caller that writes them to a log or a mail cleans
//! them first.

mod amount;
mod changes;
mod explanation;
mod members;
mod money;
mod receipt;
mod result_code;
mod transaction;

pub use amount::AmountReply;
pub use changes::Changes;
pub use explanation::{CheckReply, ExplanationReply, PartyReply};
pub use members::BadReply;
pub(crate) use members::{
    Members, account, close_time, drops, flag, hash, hex_bytes, ledger_index, list, text, u32_number, xah,
};
pub use money::{NoSum, Sum, Unit};
pub use receipt::{Made, Movement, Receipt, Reserved};
pub use result_code::ResultCode;
pub use transaction::{Delivered, MetaReply, TransactionReply};
