//! The state of a node, and its fees.

use codec::{CloseTime, Drops, LedgerIndex};

use super::ledger::LedgerHeader;

/// What transactions cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeAnswer {
    /// The open ledger.
    pub current: LedgerIndex,
    /// Transactions in it.
    pub current_size: usize,
    /// Transactions that it takes at the base fee.
    pub expected_size: u64,
    /// Transactions held for later ledgers.
    pub queue_size: usize,
    /// What the cheapest transaction costs without load.
    pub base_fee: Drops,
    /// What a place in the open ledger costs, in 256ths of the base fee.
    pub open_ledger_level: u64,
    /// The same in drops, for the cheapest transaction.
    pub open_ledger_fee: Drops,
}

/// The state of the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAnswer {
    /// Version of the program.
    pub build_version: &'static str,
    /// NetworkID.
    pub network_id: u32,
    /// The validator key, base58.
    pub pubkey_node: String,
    /// First ledger in the store.
    pub first_ledger: LedgerIndex,
    /// The last validated ledger.
    pub validated: LedgerHeader,
    /// What the cheapest transaction costs.
    pub base_fee: Drops,
    /// Reserve of an account.
    pub reserve_base: Drops,
    /// Reserve of each owned entry.
    pub reserve_increment: Drops,
    /// Validations that make a ledger validated.
    pub validation_quorum: u32,
    /// The node's clock.
    pub now: CloseTime,
    /// Seconds since the node started.
    pub uptime_secs: u64,
    /// Mails on their way.
    pub mails: WaitingMails,
    /// Transactions held for later ledgers.
    pub held_transactions: usize,
    /// What a place in the open ledger costs, in 256ths of the base fee.
    pub open_ledger_level: u64,
    /// Whether the node takes transactions.
    pub acceptance: Acceptance,
    /// What is wrong with its clock.
    pub clock: Option<ClockFault>,
}

/// How many mails wait at a node, by what for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WaitingMails {
    /// For a key on the ledger.
    pub for_key: usize,
    /// For their time: proven, but dated ahead.
    pub for_time: usize,
    /// For the close of the open ledger, which has them.
    pub for_close: usize,
    /// For funds, a fee or an account: the open ledger did not take them yet.
    pub for_funds: usize,
}

impl WaitingMails {
    /// Those that are kept, for their key or their time.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.for_key.saturating_add(self.for_time)
    }
}

/// What is wrong with the clock of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockFault {
    /// It says a time that cannot be believed yet: the node goes on by the time before it.
    Jumped {
        /// What it says.
        says: CloseTime,
        /// By what the node goes on.
        believed: CloseTime,
    },
    /// It is behind the last ledger, which an earlier clock closed.
    Behind {
        /// Close time of the ledger.
        ledger: CloseTime,
        /// What the clock says.
        says: CloseTime,
    },
}

/// Whether a node takes transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acceptance {
    /// Yes.
    Open,
    /// No: its disk is full. What is validated is intact.
    DiskFull,
}
