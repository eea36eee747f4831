//! What the methods ask of a node, as plain questions and answers.

mod amendments;
mod email;
mod freezes;
mod keys;
mod ledger;
mod listing;
mod mail_status;
mod node;
mod peer;
mod server;
mod transaction;
mod votes;

pub use amendments::{AmendmentState, AmendmentStatus, Stance, Vote};
pub use email::{EmailAnswer, NotKept, SubmitEmail, SubmitMode};
pub use freezes::{DomainState, FreezesAnswer, Ruling};
pub use keys::{FrozenDomain, KeyOnLedger, KeyStanding, KeysAnswer};
pub use ledger::{
    AccountAnswer, EntryAnswer, LedgerAnswer, LedgerChoice, LedgerHeader, LedgerId, Listed, Transactions,
};
pub use listing::{AccountTxAnswer, AccountTxQuery, LedgerRange, TxMarker, TxOrder};
pub use mail_status::{MailState, MailStatus};
pub use node::Node;
pub use peer::{Peer, Role};
pub use server::{Acceptance, ClockFault, FeeAnswer, ServerAnswer, WaitingMails};
pub use transaction::{OnRetry, SubmitAnswer, TxAnswer, TxBlob, TxKey, TxPlace, TxRecord};
pub use votes::{ValidatorVotes, VoteRow, VoteWish};
