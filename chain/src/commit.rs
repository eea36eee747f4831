//! What the chain gives the store: closed ledgers, and what becomes of mails, transactions and votes.
//!
//! Plain values; how they lie on disk is the store's matter.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use amendment::Domain;
use codec::keys::PublicKey;
use codec::{AccountId, CloseTime, Hash256, LedgerIndex, sf};
use ledger::dkim::Ruling;
use ledger::{Closed, Ledger};

use crate::affected::affected_accounts;

/// One change of what is on disk.
#[derive(Debug, Clone)]
pub enum Change {
    /// A closed ledger.
    Ledger(Box<Commit>),
    /// What becomes of a mail.
    Mail(MailChange),
    /// What becomes of a transaction that no ledger has yet.
    Transaction(TxChange),
    /// A vote of the validator.
    Vote {
        /// The amendment.
        amendment: Hash256,
        /// The vote.
        vote: Vote,
    },
    /// What the operator wants of a domain where the ledger says otherwise.
    Wish {
        /// The domain.
        domain: Domain,
        /// What he wants; `None` where the ledger has it, or he wants it no longer.
        wish: Option<Ruling>,
    },
    /// The list of validators that the operator wants; `None`: as it is.
    List(Option<ListWish>),
}

/// A state entry after a change; `None` where it is removed.
pub type StateChange = (Hash256, Option<Vec<u8>>);

/// Everything that one closed ledger changes.
#[derive(Debug, Clone)]
pub struct Commit {
    /// Index of the ledger.
    pub index: u32,
    /// Its hash.
    pub hash: Hash256,
    /// Its serialized header.
    pub header: Vec<u8>,
    /// State entries as they are after it; `None` removes one.
    pub changes: Vec<StateChange>,
    /// Its transactions.
    pub transactions: Vec<StoredTx>,
    /// The accounts that each transaction affects, by its position.
    pub affected: BTreeMap<u32, Vec<AccountId>>,
    /// What becomes of mails with it.
    pub mails: Vec<MailChange>,
    /// Ledgers below this index are forgotten with their transactions, a bounded number with each commit. 0
    /// forgets none.
    pub forget_below: u32,
}

impl Commit {
    /// What the store gets of a closed ledger.
    #[must_use]
    pub fn of(closed: &Closed) -> Self {
        let index = closed.ledger.index();
        let transactions = closed.applied.iter().map(|applied| StoredTx {
            id: applied.tx_id,
            ledger_index: index,
            tx_index: applied.index,
            blob: applied.blob().to_vec(),
            meta: codec::encode(&applied.metadata),
        });
        Self {
            index: index.get(),
            hash: closed.ledger.hash(),
            header: closed.ledger.header().encode(),
            changes: closed.changes.clone(),
            transactions: transactions.collect(),
            affected: closed
                .applied
                .iter()
                .map(|applied| (applied.index, affected_accounts(&applied.metadata)))
                .collect(),
            mails: Vec::new(),
            forget_below: 0,
        }
    }

    /// What the store gets of a ledger that begins it and is not the network's first: all of its state, and its
    /// transactions. `None` where one of these is none.
    #[must_use]
    pub fn of_fetched(ledger: &Ledger) -> Option<Self> {
        let mut commit = Self::of_genesis(ledger);
        for (id, leaf) in ledger.transactions() {
            let (blob, rest) = codec::decode_vl(leaf)?;
            let (meta, rest) = codec::decode_vl(rest)?;
            let metadata = codec::decode(meta).ok().filter(|_| rest.is_empty())?;
            let tx_index = metadata.u32(sf::TRANSACTION_INDEX)?;
            commit.affected.insert(tx_index, affected_accounts(&metadata));
            commit.transactions.push(StoredTx {
                id,
                ledger_index: ledger.index(),
                tx_index,
                blob: blob.to_vec(),
                meta: meta.to_vec(),
            });
        }
        commit.transactions.sort_by_key(|tx| tx.tx_index);
        Some(commit)
    }

    /// What the store gets of a first ledger: all of its state.
    #[must_use]
    pub fn of_genesis(genesis: &Ledger) -> Self {
        Self {
            index: genesis.index().get(),
            hash: genesis.hash(),
            header: genesis.header().encode(),
            changes: genesis
                .state()
                .iter()
                .map(|(key, bytes)| (key, Some(bytes.to_vec())))
                .collect(),
            transactions: Vec::new(),
            affected: BTreeMap::new(),
            mails: Vec::new(),
            forget_below: 0,
        }
    }
}

/// A validated transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTx {
    /// Its id.
    pub id: Hash256,
    /// The ledger that holds it.
    pub ledger_index: LedgerIndex,
    /// Its position there.
    pub tx_index: u32,
    /// Its serialization.
    pub blob: Vec<u8>,
    /// Its serialized metadata.
    pub meta: Vec<u8>,
}

/// One change of the mails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailChange {
    /// Keep a mail, or overwrite what is kept of it.
    Keep {
        /// Hash of the raw mail.
        mail_id: Hash256,
        /// The mail.
        mail: PendingMail,
    },
    /// A mail waits no longer.
    Forget {
        /// Hash of the raw mail.
        mail_id: Hash256,
    },
    /// The last word about an EmailID.
    Settle {
        /// The EmailID.
        email_id: Hash256,
        /// What became of it.
        settled: Settled,
    },
}

/// One change of the transactions on their way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TxChange {
    /// Keep a transaction.
    Keep {
        /// Its id.
        id: Hash256,
        /// The transaction.
        tx: PendingTx,
    },
    /// It is on its way no longer.
    Forget {
        /// Its id.
        id: Hash256,
    },
}

/// A transaction that was submitted: in the open ledger, or held for a later one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingTx {
    /// When it came.
    pub came: Came,
    /// Its serialization.
    pub blob: Vec<u8>,
}

/// When a transaction came. Those of one open ledger are put into it again, mails among them, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Came {
    /// The ledger that was open.
    pub open: LedgerIndex,
    /// The place of the next mail in the order of arrival: those before it came before.
    pub next_mail: u64,
    /// Its number among the transactions.
    pub number: u64,
}

/// A mail on its way: kept for its key, or submitted and not yet validated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingMail {
    /// How far it is.
    pub stage: MailStage,
    /// Position in the order of arrival.
    pub order: u64,
    /// Its EmailID.
    pub email_id: Hash256,
    /// End of its window.
    pub executable_until: CloseTime,
    /// The raw mail.
    pub raw: Arc<[u8]>,
}

/// How far a pending mail is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailStage {
    /// Its signature is not proven yet.
    Kept,
    /// Its signature was proven under a key of the ledger, and its transaction was submitted.
    Submitted,
}

/// The last word about an EmailID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// How it ended.
    pub state: SettledState,
    /// Result code of the transaction.
    pub code: i32,
    /// The transaction; zero if there is none.
    pub hash: Hash256,
}

/// How a mail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettledState {
    /// In this validated ledger.
    Validated {
        /// The ledger.
        ledger_index: LedgerIndex,
    },
    /// Refused for good.
    Failed,
}

/// A list of validators that the operator wants. It is about one list of the ledger, and void with the next one:
/// else a validator that has joined meanwhile would be voted out by nobody's will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListWish {
    /// The validators that there shall be.
    pub wanted: BTreeSet<PublicKey>,
    /// The ledger's list when the operator said so.
    pub instead_of: BTreeSet<PublicKey>,
}

/// A vote of this node's validator about an amendment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vote {
    /// It shall be enabled.
    For,
    /// It shall not (vetoed).
    Against,
}
