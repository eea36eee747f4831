//! What one request reads: the published state, and the store behind it.
//!
//! The state is taken first. All of it is on disk, so that what it no longer holds the store has. The store
//! may be a ledger ahead of it; what that ledger holds is left out, so that one answer speaks of one moment.

use std::sync::Arc;

use amendment::ReadView as _;
use chain::State;
use codec::{Hash256, LedgerIndex};
use ledger::{Header, Transaction};
use rpc::RpcError;
use rpc::api::{
    LedgerChoice, LedgerHeader, LedgerId, Listed, MailStatus, Transactions, TxBlob, TxPlace, TxRecord,
};
use rpc::limits::PAGE_BYTES_MAX;

use crate::mail_status::mail_status;
use crate::node::Node;
use crate::store::{Settled, SettledState, Store, StoreError, StoredTx};

/// A caller learns that the node broke, or that its disk is full; the log learns why.
impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a request could not be answered");
        Self(if matches!(error, StoreError::Full(_)) {
            RpcError::DiskFull
        } else {
            RpcError::Internal
        })
    }
}

/// An answer that the store prevents.
pub(crate) struct Broken(RpcError);

impl From<Broken> for RpcError {
    fn from(broken: Broken) -> Self {
        broken.0
    }
}

/// A ledger that a caller chose.
pub(crate) enum Chosen {
    Open,
    Stored(LedgerIndex),
}

/// What one request reads.
pub(crate) struct Reading<'a> {
    pub(crate) state: Arc<State>,
    pub(crate) store: &'a dyn Store,
    network_id: u32,
}

impl Node {
    /// Begin to read.
    pub(crate) fn reading(&self) -> Reading<'_> {
        Reading {
            state: self.inner.host.shown(),
            store: self.inner.store.as_ref(),
            network_id: self.inner.network_id,
        }
    }
}

impl Reading<'_> {
    pub(crate) fn chosen(&self, choice: LedgerChoice) -> Result<Chosen, RpcError> {
        match choice {
            LedgerChoice::Current => Ok(Chosen::Open),
            LedgerChoice::Validated | LedgerChoice::Closed => Ok(Chosen::Stored(self.state.ledger.index())),
            LedgerChoice::Index(index) if index == self.state.open.view().ledger_index() => Ok(Chosen::Open),
            LedgerChoice::Index(index) => Ok(Chosen::Stored(index)),
            LedgerChoice::Hash(hash) => {
                let index = self.store.ledger_index(&hash).map_err(Broken::from)?;
                index.map(Chosen::Stored).ok_or(RpcError::LedgerNotFound)
            }
        }
    }

    /// The state of a ledger: only that of the last one and of the open one is kept.
    pub(crate) fn state_of(&self, choice: LedgerChoice) -> Result<(LedgerId, &ledger::StateMap), RpcError> {
        let state = &self.state;
        match self.chosen(choice)? {
            Chosen::Open => {
                let index = state.open.view().ledger_index();
                Ok((LedgerId::Open { index }, state.open.state()))
            }
            Chosen::Stored(index) if index == state.ledger.index() => {
                let hash = state.ledger.hash();
                Ok((LedgerId::Validated { hash, index }, state.ledger.state()))
            }
            Chosen::Stored(_) => Err(RpcError::LedgerNotFound),
        }
    }

    pub(crate) fn header(&self, index: LedgerIndex) -> Result<LedgerHeader, RpcError> {
        let stored = self.store.ledger(index).map_err(Broken::from)?;
        let stored = stored
            .filter(|_| self.is_shown(index))
            .ok_or(RpcError::LedgerNotFound)?;
        Header::decode(&stored.header)
            .as_ref()
            .map(header_of)
            .ok_or(RpcError::Internal)
    }

    /// What became of an EmailID.
    pub(crate) fn mail(&self, email_id: &Hash256) -> Result<Option<MailStatus>, RpcError> {
        Ok(mail_status(
            self.state.standing(email_id),
            self.settled(email_id)?,
        ))
    }

    /// What the store says of an EmailID.
    pub(crate) fn settled(&self, email_id: &Hash256) -> Result<Option<Settled>, RpcError> {
        let settled = self.store.settled(email_id).map_err(Broken::from)?;
        Ok(settled.filter(|settled| match settled.state {
            SettledState::Validated { ledger_index } => self.is_shown(ledger_index),
            SettledState::Failed => true,
        }))
    }

    fn is_shown(&self, index: LedgerIndex) -> bool {
        index <= self.state.ledger.index()
    }

    /// A transaction in the store, in the open ledger, or held for a later one.
    pub(crate) fn record(&self, hash: &Hash256) -> Result<Option<TxRecord>, RpcError> {
        let stored = self.store.transaction(hash).map_err(Broken::from)?;
        if let Some(stored) = stored.filter(|stored| self.is_shown(stored.ledger_index)) {
            let header = self.header(stored.ledger_index)?;
            return Ok(self.stored_record(stored, &header));
        }
        Ok(self.state.transaction(hash).map(unvalidated))
    }

    /// The transactions of a ledger that is in the store, as far as they are asked for.
    pub(crate) fn listed(
        &self,
        header: &LedgerHeader,
        transactions: Transactions,
    ) -> Result<Listed, RpcError> {
        let ids = || self.store.transaction_ids(header.index).map_err(Broken::from);
        match transactions {
            Transactions::Omitted => Ok(Listed::Omitted),
            Transactions::Hashes => Ok(Listed::Hashes(ids()?)),
            Transactions::Whole => {
                let mut room = Room::new();
                let mut records = Vec::new();
                for id in ids()? {
                    let stored = self.store.transaction(&id).map_err(Broken::from)?;
                    let stored = stored.ok_or(RpcError::Internal)?;
                    room.take(stored.blob.len() + stored.meta.len())?;
                    records.extend(self.stored_record(stored, header));
                }
                Ok(Listed::Whole(records))
            }
        }
    }

    /// The transactions of the open ledger, as far as they are asked for.
    pub(crate) fn listed_open(&self, transactions: Transactions) -> Result<Listed, RpcError> {
        let accepted = self.state.open.accepted();
        match transactions {
            Transactions::Omitted => Ok(Listed::Omitted),
            Transactions::Hashes => Ok(Listed::Hashes(accepted.iter().map(Transaction::id).collect())),
            Transactions::Whole => {
                let mut room = Room::new();
                for tx in accepted.iter() {
                    room.take(tx.blob().len())?;
                }
                Ok(Listed::Whole(accepted.iter().map(unvalidated).collect()))
            }
        }
    }

    pub(crate) fn stored_record(&self, stored: StoredTx, header: &LedgerHeader) -> Option<TxRecord> {
        let tx = codec::decode(&stored.blob).ok()?;
        let meta = codec::decode(&stored.meta).ok()?;
        let place = TxPlace {
            ledger_index: stored.ledger_index,
            tx_index: stored.tx_index,
            close_time: header.close_time,
            network_id: self.network_id,
            meta,
            meta_blob: stored.meta,
        };
        let wrapped = TxBlob {
            tx,
            blob: stored.blob,
            hash: stored.id,
        };
        Some(TxRecord {
            wrapped,
            validated: Some(place),
        })
    }
}

/// What one answer may still show.
struct Room(usize);

impl Room {
    fn new() -> Self {
        Self(PAGE_BYTES_MAX)
    }

    fn take(&mut self, bytes: usize) -> Result<(), RpcError> {
        self.0 = self.0.checked_sub(bytes).ok_or(RpcError::TooMuch)?;
        Ok(())
    }
}

/// A transaction that no validated ledger holds.
pub(crate) fn unvalidated(tx: &Transaction) -> TxRecord {
    TxRecord {
        wrapped: tx_blob(tx),
        validated: None,
    }
}

pub(crate) fn tx_blob(tx: &Transaction) -> TxBlob {
    TxBlob {
        tx: tx.object().clone(),
        blob: tx.blob().to_vec(),
        hash: tx.id(),
    }
}

pub(crate) fn header_of(header: &Header) -> LedgerHeader {
    LedgerHeader {
        index: header.index,
        hash: header.hash(),
        total_drops: header.total_drops,
        parent_hash: header.parent_hash,
        tx_hash: header.tx_hash,
        account_hash: header.account_hash,
        parent_close_time: header.parent_close_time,
        close_time: header.close_time,
        close_time_resolution: header.close_resolution,
        close_flags: header.close_flags,
        raw: header.encode(),
    }
}
