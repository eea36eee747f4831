//! What the methods ask of a node, as plain questions and answers.
//!
//! The calls block: a node answers from memory, or waits for one ledger close. The server runs them on threads that
//! may block, so that [`crate::Session`] stays an ordinary function.

mod amendments;
mod listing;

use std::net::{IpAddr, Ipv6Addr};

use codec::{AccountId, CloseTime, Drops, Hash256, LedgerIndex, Object, ter::Ter};
use explain::Explanation;

use crate::error::RpcError;

pub use amendments::{AmendmentState, AmendmentStatus, Stance, Vote};
pub use listing::{AccountTxAnswer, AccountTxQuery, LedgerRange, TxMarker, TxOrder};

/// Everything that the methods need of a node.
pub trait Node: Send + Sync {
    /// Check a mail and, unless it is a dry run, submit its transaction or keep the mail.
    fn submit_email(&self, request: SubmitEmail, peer: &Peer) -> Result<EmailAnswer, RpcError>;

    /// Put a signed transaction into the open ledger.
    fn submit(&self, blob: &[u8], on_retry: OnRetry, peer: &Peer) -> Result<SubmitAnswer, RpcError>;

    /// A transaction by its hash, or what became of a mail.
    fn transaction(&self, key: TxKey) -> Result<TxAnswer, RpcError>;

    /// The AccountRoot of an account.
    fn account(&self, account: AccountId, ledger: LedgerChoice) -> Result<AccountAnswer, RpcError>;

    /// One ledger; its transactions where they are asked for.
    fn ledger(&self, ledger: LedgerChoice, transactions: Transactions) -> Result<LedgerAnswer, RpcError>;

    /// The transactions that affect an account, a page of them.
    fn account_transactions(&self, query: &AccountTxQuery) -> Result<AccountTxAnswer, RpcError>;

    /// One entry of the state.
    fn entry(&self, key: Hash256, ledger: LedgerChoice) -> Result<EntryAnswer, RpcError>;

    /// What transactions cost now.
    fn fee(&self) -> Result<FeeAnswer, RpcError>;

    /// All amendments that the node knows, and those of the ledger that it does not know.
    fn amendments(&self) -> Result<Vec<AmendmentState>, RpcError>;

    /// Change the validator's vote about an amendment.
    fn vote(&self, amendment: Hash256, vote: Vote) -> Result<(), RpcError>;

    /// How the node is.
    fn server(&self) -> Result<ServerAnswer, RpcError>;

    /// Close the open ledger now. Answers the index of the next open ledger.
    fn accept_ledger(&self) -> Result<LedgerIndex, RpcError>;
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The address that the connection comes from.
    pub address: IpAddr,
    /// What the caller may do.
    pub role: Role,
}

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The operator of this machine.
    Admin,
    /// Anybody.
    Guest,
}

/// How a request came to the door, as far as its role depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// By a program that speaks for itself.
    Direct,
    /// For somebody else: a browser page (`Origin`) or a proxy (`Forwarded`, `X-Forwarded-For`) stands between.
    Intermediary,
}

impl Peer {
    /// The operator is who connects from this machine itself, and not a web page that his browser happens to show.
    #[must_use]
    pub fn new(address: IpAddr, via: Via) -> Self {
        let address = address.to_canonical();
        let role = if address.is_loopback() && via == Via::Direct {
            Role::Admin
        } else {
            Role::Guest
        };
        Self { address, role }
    }
}

/// What one caller commands: an IPv4 address, or the /64 network of an IPv6 address. Bounds per caller count these.
#[must_use]
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) if address.is_loopback() => IpAddr::V6(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// A mail for `submit_email`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmitEmail {
    /// The raw mail, at most [`crate::limits::MAIL_BYTES_MAX`] bytes.
    pub mail: Vec<u8>,
    /// Whether anything may change.
    pub mode: SubmitMode,
}

/// Whether a submission may change anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubmitMode {
    /// Submit the transaction or keep the mail.
    Submit,
    /// Answer the same and change nothing.
    DryRun,
}

/// What the node does with a transaction that a later ledger may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnRetry {
    /// Hold it and try it again.
    Hold,
    /// Forget it (`fail_hard`).
    Drop,
}

/// What `submit_email` found and did.
#[derive(Debug, Clone)]
pub struct EmailAnswer {
    /// Every check with its verdict.
    pub explanation: Explanation,
    /// The result of the submission, or of the first failed check.
    pub engine: Ter,
    /// The transaction as submitted (or as it would be), if one could be made.
    pub wrapped: Option<TxBlob>,
    /// What became of the mail; `None` for a dry run of a mail that the node does not know, and for a mail that may
    /// still be executed but is not kept.
    pub status: Option<MailStatus>,
    /// Why a mail that may still be executed is not kept.
    pub not_kept: Option<NotKept>,
}

/// Why a mail that may still be executed is not kept. None of these is a word about the mail itself: the same mail may
/// be sent again later (spec 7.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotKept {
    /// The account has as many waiting mails as it may.
    AccountFull,
    /// All waiting mails together are too long.
    BytesFull,
    /// The caller has had as many names looked up as it may.
    PeerFull,
    /// The account does not exist yet.
    NoAccount,
    /// The account cannot pay the fee yet.
    CannotPay,
    /// The mail is of a day too far ahead.
    TooEarly,
    /// The open ledger does not take its transaction now.
    NotNow,
    /// The network has not enabled the amendment `Email`.
    NotEnabled,
}

impl NotKept {
    /// One sentence for the caller: why, and what to do.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::AccountFull => {
                "Not kept: other mails of this account wait for their key already. Send it again later."
            }
            Self::BytesFull => "Not kept: too many mails wait for their keys here. Send it again later.",
            Self::PeerFull => {
                "Not kept: too many names were looked up for this address. Send it again in a minute."
            }
            Self::NoAccount => {
                "Not kept: the account does not exist yet. Send it again when it has been paid."
            }
            Self::CannotPay => "Not kept: the account cannot pay the fee yet. Send it again when it has XAH.",
            Self::TooEarly => "Not kept: its time is too far ahead. Send it again when its time has come.",
            Self::NotEnabled => {
                "Not kept: this network has not enabled email wallets. Send it again when it has."
            }
            Self::NotNow => "Not kept: the open ledger does not take it now. Send it again later.",
        }
    }
}

/// A transaction and its serialization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxBlob {
    /// The fields.
    pub tx: Object,
    /// The canonical serialization.
    pub blob: Vec<u8>,
    /// The transaction's id.
    pub hash: Hash256,
}

/// What became of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailStatus {
    /// How far it is.
    pub state: MailState,
    /// The transaction that carries it, if there is one.
    pub hash: Option<Hash256>,
    /// The validated ledger that holds the transaction.
    pub ledger_index: Option<LedgerIndex>,
    /// Its result, where it is final.
    pub engine: Option<Ter>,
}

/// How far a mail is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailState {
    /// It waits for its key; the node retries it at each close.
    Kept,
    /// Its transaction is in the open ledger or held for the next one.
    Submitted,
    /// Its transaction is in a validated ledger.
    Validated,
    /// It is refused, or its window has ended.
    Failed,
}

/// What `submit` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmitAnswer {
    /// The transaction.
    pub wrapped: TxBlob,
    /// The result against the open ledger.
    pub engine: Ter,
    /// Whether the transaction is in the open ledger.
    pub applied: bool,
    /// Whether the node retries it in later ledgers.
    pub kept: bool,
    /// The account's next sequence, with all of the open ledger.
    pub account_sequence_next: u32,
    /// The account's next sequence, with the held transactions too.
    pub account_sequence_available: u32,
    /// What the cheapest transaction costs now.
    pub open_ledger_cost: Drops,
    /// The last validated ledger.
    pub validated_ledger_index: LedgerIndex,
}

/// How a transaction is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TxKey {
    /// By its hash.
    Hash(Hash256),
    /// By the EmailID of its mail (spec 8.1).
    Email(Hash256),
}

/// A transaction, or a mail that is on its way to be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxAnswer {
    /// The transaction, if there is one.
    pub record: Option<TxRecord>,
    /// What became of the mail, where the question was about a mail.
    pub mail: Option<(Hash256, MailStatus)>,
}

/// A transaction as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxRecord {
    /// The transaction.
    pub wrapped: TxBlob,
    /// Where it is validated; `None` while it is in the open ledger only.
    pub validated: Option<TxPlace>,
}

/// Where and how a transaction was validated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxPlace {
    /// The ledger.
    pub ledger_index: LedgerIndex,
    /// Position in the ledger.
    pub tx_index: u32,
    /// Close time of the ledger.
    pub close_time: CloseTime,
    /// NetworkID, for the CTID.
    pub network_id: u32,
    /// Metadata.
    pub meta: Object,
    /// Serialized metadata.
    pub meta_blob: Vec<u8>,
}

/// Which ledger is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerChoice {
    /// The last validated one.
    Validated,
    /// The last closed one; here the same.
    Closed,
    /// The open one.
    Current,
    /// By index.
    Index(LedgerIndex),
    /// By hash.
    Hash(Hash256),
}

/// Whether the answer holds the ledger's transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transactions {
    /// It does not.
    Omitted,
    /// It does.
    Included,
}

/// Which ledger an answer speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerId {
    /// A validated ledger.
    Validated {
        /// Its hash.
        hash: Hash256,
        /// Its index.
        index: LedgerIndex,
    },
    /// The open ledger.
    Open {
        /// The index it will have.
        index: LedgerIndex,
    },
}

/// An AccountRoot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountAnswer {
    /// The ledger that holds it.
    pub ledger: LedgerId,
    /// The entry's key.
    pub key: Hash256,
    /// The entry.
    pub root: Object,
}

/// One entry of the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryAnswer {
    /// The ledger that holds it.
    pub ledger: LedgerId,
    /// The entry; `None` where there is none.
    pub entry: Option<(Object, Vec<u8>)>,
}

/// What transactions cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeAnswer {
    /// The open ledger.
    pub current: LedgerIndex,
    /// Transactions in it.
    pub current_size: usize,
    /// Transactions that it takes.
    pub expected_size: usize,
    /// Transactions held for later ledgers.
    pub queue_size: usize,
    /// What the cheapest transaction costs.
    pub base_fee: Drops,
}

/// One ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerAnswer {
    /// The open ledger.
    Open {
        /// The index it will have.
        index: LedgerIndex,
        /// Hash of its parent.
        parent_hash: Hash256,
        /// Transactions in it, where asked for.
        transactions: Option<Vec<TxRecord>>,
    },
    /// A validated ledger.
    Validated {
        /// Its header.
        header: Box<LedgerHeader>,
        /// Its transactions by position, where asked for.
        transactions: Option<Vec<TxRecord>>,
    },
}

/// The header of a validated ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerHeader {
    /// Its index.
    pub index: LedgerIndex,
    /// Its hash.
    pub hash: Hash256,
    /// All XAH that exist.
    pub total_drops: Drops,
    /// Hash of its parent.
    pub parent_hash: Hash256,
    /// Root of the transactions.
    pub tx_hash: Hash256,
    /// Root of the state.
    pub account_hash: Hash256,
    /// Close time of its parent.
    pub parent_close_time: CloseTime,
    /// Its close time.
    pub close_time: CloseTime,
    /// Seconds that close times are rounded to.
    pub close_time_resolution: u8,
    /// Flag 1: the validators did not agree on the close time.
    pub close_flags: u8,
    /// The serialized header.
    pub raw: Vec<u8>,
}

/// How the node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAnswer {
    /// Version of the program.
    pub build_version: &'static str,
    /// NetworkID.
    pub network_id: u32,
    /// The validator key, as the field writes it.
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
    /// Mails that wait for their key.
    pub kept_mails: usize,
    /// Whether the node takes transactions.
    pub acceptance: Acceptance,
}

/// Whether a node takes transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acceptance {
    /// It does.
    Open,
    /// Its disk is full: it takes none until there is room. What is validated is whole.
    DiskFull,
}
