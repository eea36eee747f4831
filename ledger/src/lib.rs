//! State map, transactors and ledger close, as pure functions.
//!
//! How a transaction changes a ledger, and which hashes follow from that (spec sections 1, 6 to 11, and
//! Xahau's own rules). No clock, socket, file or consensus: time comes in as `CloseTime`, mail rules from the
//! crate `amendment`.

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

pub mod amendments;
pub mod close;
pub mod close_time;
mod crowd;
mod directory;
pub mod dkim;
mod email;
mod engine;
pub mod fees;
pub mod genesis;
pub mod header;
mod invariants;
mod issued;
mod ledger;
pub mod limits;
mod lines;
mod metadata;
pub mod open_ledger;
mod quality;
pub mod replay;
mod rewards;
mod sandbox;
mod skip_list;
pub mod state_map;
mod transaction;
mod transactors;
mod tx_list;
mod view;
pub mod votes;

pub use close::{AppliedTx, Closed, close};
pub use crowd::FeeLevel;
pub use fees::Fees;
pub use genesis::GenesisConfig;
pub use header::Header;
pub use ledger::{Ledger, LedgerError};
pub use open_ledger::{LocalRefusal, OpenLedger, SubmitOutcome};
pub use state_map::{StateMap, TxMap};
pub use transaction::{Transaction, TransactionError};
pub use tx_list::TxList;
pub use view::View;
