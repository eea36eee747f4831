//! What a node knows and decides, as a machine: events go in, effects come out. Pure.
//!
//! [`Chain::handle`] takes an [`Event`] and the time, and returns [`Effect`]s for the host to carry out. No
//! lock, clock, store, socket, thread or random number is here, so the same events at the same times give the
//! same effects on every machine: the one-machine node, a simulator and a network of validators drive the
//! same code.
//!
//! | event | what it may come to |
//! |---|---|
//! | [`Event::Mail`], read by the host beforehand ([`ReadMail`]) | its transaction in the open ledger, or the mail kept for its key |
//! | [`Event::Transaction`] | in the open ledger, or held for a later one |
//! | [`Event::Answer`] of DNS, [`Event::Attestation`] of another validator | an attestation counted; a quorum of them makes a DKIMKeySet |
//! | [`Event::Vote`], [`Event::WantList`] of the operator, [`Event::Ballot`] of another validator | a vote that the next ledger takes |
//! | [`Event::Close`] with the ledger that is agreed on | the next ledger, its mails settled, all others tried again |
//! | [`Event::Committed`] | what waited for the commit is said; or all of it is taken back |
//!
//! **Nothing is said before it is on disk.** What events change gathers, and is handed out as one
//! [`Effect::Commit`] at a time; while the host writes it, further changes gather for the next one, so that
//! many mails share one sync. Each answer waits for the commit that holds what it speaks of. [`Chain::shown`]
//! is the state as it is on disk: what readers see, and what a failed commit leads back to. It is a [`State`]
//! whose parts are shared until they change, so that keeping one back costs little.
//!
//! **What comes from outside.** The chain reads no store. What happened to an EmailID in older ledgers the
//! host adds to an answer ([`Standing`] says the rest). How a closed set is agreed on is not its matter
//! either: with one validator the host closes with [`Chain::propose`]. Several make a ledger of one that
//! proposes ([`State::propose`]) and others that close the same set ([`State::verify`]), and what it leaves out
//! is tried in the next one. A quorum is always that of the ledger's
//! own list of validators.
//!
//! | file | what |
//! |---|---|
//! | `chain` | turns, commits, and what a failed one takes back |
//! | `mails`, `mail`, `mail_pool` | a mail's way; a mail as read; the pending ones and who goes where there is no room |
//! | `keys`, `names`, `attestations` | answers of DNS; turns of the names to ask for; words of validators |
//! | `proposal`, `close` | the ledger after another one: chosen, checked; what it comes to |
//! | `transactions`, `held` | a transaction's way; those that wait, and what the store has of all on their way |
//! | `freezes`, `rulings` | domains whose mail is stopped; what operators decide about them |
//! | `votes`, `voting`, `ballots`, `epochs` | what the operator wants of amendments and of the list of validators; the votes that say so; those that no ledger has yet; when the list may change |
//! | `state`, `peers`, `commit`, `event` | what is shown; work per peer; what is stored; what goes in and out |
//! | `shared_map` | what makes a copy of the pending mails cheap |
//! | `rules` | the one place that puts `explain` and a ledger together |

#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::panic,
    clippy::string_slice,
    clippy::float_arithmetic
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::panic,
        clippy::string_slice
    )
)]

mod affected;
mod attestations;
mod ballots;
mod chain;
mod close;
pub mod commit;
mod epochs;
mod event;
mod freezes;
mod held;
mod key_change;
mod keys;
pub mod limits;
mod mail;
mod mail_pool;
mod mails;
pub mod names;
pub mod peers;
mod proposal;
mod rules;
mod rulings;
mod shared_map;
mod state;
mod transactions;
mod used_keys;
pub mod votes;
mod voting;

pub use chain::{Chain, ChainConfig, Stored};
pub use epochs::Epochs;
pub use event::{
    CommitFailure, Effect, Entered, Event, Fact, Held, KeyFinding, MailMode, MailReply, MailRequest, NotKept,
    OnRetry, Refusal, Reply, RequestId, Standing, TxReply, TxRequest,
};
pub use freezes::Wishes;
pub use key_change::KeyChange;
pub use mail::ReadMail;
pub use mail_pool::{MailCounts, MailPool};
pub use proposal::{ProposalFault, ProposalRules};
pub use rulings::FreezeRow;
pub use state::{Disk, State};
