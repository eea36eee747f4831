//! The node's answers to the RPC methods.

use codec::{AccountId, Drops, Hash256, LedgerIndex, base58, keylet};
use ledger::{Fees, Header, LocalRefusal, Transaction};
use rpc::RpcError;
use rpc::api::{
    Acceptance, AccountAnswer, AccountTxAnswer, AccountTxQuery, AmendmentState, EmailAnswer, EntryAnswer,
    FeeAnswer, LedgerAnswer, LedgerChoice, LedgerHeader, LedgerId, MailState, OnRetry, Peer, Role,
    ServerAnswer, SubmitAnswer, SubmitEmail, Transactions, TxAnswer, TxBlob, TxKey, TxPlace, TxRecord, Vote,
    network_of,
};

use crate::amendments;
use crate::core::{Core, Disk};
use crate::node::Node;
use crate::store::{self, StoreError, StoredTx};
use chain::limits::OPEN_TRANSACTIONS_MAX;
use chain::peers::Work;
use chain::{peers, rules, votes};

/// Type byte of a node's public key in base58 (Xahau's NodePublic).
const NODE_PUBLIC_PREFIX: u8 = 28;

/// A caller learns that the node broke, or that its disk is full; the log learns why.
impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a request could not be answered");
        Self(match error {
            StoreError::Full(_) => RpcError::DiskFull,
            _ => RpcError::Internal,
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

impl rpc::Node for Node {
    fn submit_email(&self, request: SubmitEmail, peer: &Peer) -> Result<EmailAnswer, RpcError> {
        let now = self.inner.clock.now();
        let (ledger, network_id) = {
            let core = self.core();
            if !core.peers.allows(&counted(peer), Work::Failure, now) {
                return Err(RpcError::SlowDown);
            }
            core.check_room()?;
            (core.ledger.clone(), core.network_id)
        };
        let explanation = rules::explain(&request.mail, &ledger, network_id);
        let mut core = self.core();
        let answer = core
            .take_mail(request, explanation, &counted(peer), now)
            .map_err(Broken::from)?;
        let is_kept = answer
            .status
            .is_some_and(|status| status.state == MailState::Kept);
        if is_kept {
            core.peers.record(&counted(peer), Work::Lookup, now);
        }
        drop(core);
        if is_kept {
            self.look_up_wanted();
        }
        Ok(answer)
    }

    fn submit(&self, blob: &[u8], on_retry: OnRetry, peer: &Peer) -> Result<SubmitAnswer, RpcError> {
        let tx = Transaction::parse(blob).map_err(|error| RpcError::InvalidTransaction {
            reason: error.to_string(),
        })?;
        let now = self.inner.clock.now();
        let mut core = self.core();
        if !core.peers.allows(&counted(peer), Work::Failure, now) {
            return Err(RpcError::SlowDown);
        }
        core.check_room()?;
        let submitted = core.open.submit(&tx);
        // Until a mail is proven, anybody can write a transaction around it: such a one is never held, and counts as work.
        let may_wait = !tx.is_email_signed();
        if !submitted.is_ok_and(|outcome| outcome.applied || (outcome.retriable && may_wait)) {
            core.peers.record(&counted(peer), Work::Failure, now);
        }
        let outcome = submitted.map_err(|refusal| local_refusal(&refusal))?;
        let wants_hold = outcome.retriable && !outcome.applied && may_wait && on_retry == OnRetry::Hold;
        let kept = wants_hold && core.hold(tx.clone());
        let next = outcome.account_sequence_next;
        let highest = core
            .held_of(tx.account())
            .map(Transaction::sequence)
            .max()
            .unwrap_or(0);
        Ok(SubmitAnswer {
            wrapped: tx_blob(&tx),
            engine: outcome.ter,
            applied: outcome.applied,
            kept,
            account_sequence_next: next,
            account_sequence_available: next.max(highest.saturating_add(u32::from(highest > 0))),
            open_ledger_cost: Drops::new(outcome.open_ledger_cost_drops),
            validated_ledger_index: core.ledger.index(),
        })
    }

    fn transaction(&self, key: TxKey) -> Result<TxAnswer, RpcError> {
        let core = self.core();
        match key {
            TxKey::Hash(hash) => {
                let record = core.record(&hash)?.ok_or(RpcError::TransactionNotFound)?;
                Ok(TxAnswer {
                    record: Some(record),
                    mail: None,
                })
            }
            TxKey::Email(email_id) => {
                let status = core.status_of(&email_id).map_err(Broken::from)?;
                let status = status.ok_or(RpcError::TransactionNotFound)?;
                let record = match status.hash {
                    Some(hash) => core.record(&hash)?,
                    None => None,
                };
                Ok(TxAnswer {
                    record,
                    mail: Some((email_id, status)),
                })
            }
        }
    }

    fn account(&self, account: AccountId, ledger: LedgerChoice) -> Result<AccountAnswer, RpcError> {
        let core = self.core();
        let key = keylet::account(account);
        let (ledger, root) = match core.chosen(ledger)? {
            Chosen::Open => (core.open_id(), core.open.account(account)),
            Chosen::Stored(index) if index == core.ledger.index() => {
                (core.validated_id(), core.ledger.entry(&key))
            }
            // Only the state of the last ledger is kept.
            Chosen::Stored(_) => return Err(RpcError::LedgerNotFound),
        };
        let root = root.ok_or_else(|| RpcError::AccountNotFound {
            account: account.to_string(),
        })?;
        Ok(AccountAnswer { ledger, key, root })
    }

    fn ledger(&self, ledger: LedgerChoice, transactions: Transactions) -> Result<LedgerAnswer, RpcError> {
        let core = self.core();
        let is_asked = transactions == Transactions::Included;
        match core.chosen(ledger)? {
            Chosen::Open => {
                let list = core.open.accepted().iter().map(|tx| TxRecord {
                    wrapped: tx_blob(tx),
                    validated: None,
                });
                Ok(LedgerAnswer::Open {
                    index: core.open.view().ledger_index(),
                    parent_hash: core.ledger.hash(),
                    transactions: is_asked.then(|| list.collect()),
                })
            }
            Chosen::Stored(index) => {
                let header = core.header(index)?;
                let list = if is_asked {
                    Some(core.records(index)?)
                } else {
                    None
                };
                Ok(LedgerAnswer::Validated {
                    header: Box::new(header),
                    transactions: list,
                })
            }
        }
    }

    fn account_transactions(&self, query: &AccountTxQuery) -> Result<AccountTxAnswer, RpcError> {
        self.core().account_page(query)
    }

    fn entry(&self, key: Hash256, ledger: LedgerChoice) -> Result<EntryAnswer, RpcError> {
        let core = self.core();
        let (ledger, state) = match core.chosen(ledger)? {
            Chosen::Open => (core.open_id(), core.open.state()),
            Chosen::Stored(index) if index == core.ledger.index() => {
                (core.validated_id(), core.ledger.state())
            }
            // Only the state of the last ledger is kept.
            Chosen::Stored(_) => return Err(RpcError::LedgerNotFound),
        };
        let entry = state
            .entry(&key)
            .and_then(|bytes| Some((codec::decode(bytes).ok()?, bytes.to_vec())));
        Ok(EntryAnswer { ledger, entry })
    }

    fn fee(&self) -> Result<FeeAnswer, RpcError> {
        let core = self.core();
        Ok(FeeAnswer {
            current: core.open.view().ledger_index(),
            current_size: core.open.accepted().len(),
            expected_size: OPEN_TRANSACTIONS_MAX,
            queue_size: core.held_count(),
            base_fee: core.open.view().base_fee(),
        })
    }

    fn amendments(&self) -> Result<Vec<AmendmentState>, RpcError> {
        let core = self.core();
        Ok(amendments::states(&core.ledger, &core.votes))
    }

    fn vote(&self, amendment: Hash256, vote: Vote) -> Result<(), RpcError> {
        let vote = match vote {
            Vote::For => store::Vote::For,
            Vote::Against => store::Vote::Against,
        };
        if votes::is_votable(&amendment) {
            self.core().set_vote(amendment, vote).map_err(Broken::from)?;
        }
        Ok(())
    }

    fn server(&self) -> Result<ServerAnswer, RpcError> {
        let now = self.inner.clock.now();
        let core = self.core();
        let fees = Fees::of(core.ledger.state());
        Ok(ServerAnswer {
            build_version: env!("CARGO_PKG_VERSION"),
            network_id: core.network_id,
            pubkey_node: base58::encode(&[NODE_PUBLIC_PREFIX], core.key.public_key().as_bytes()),
            first_ledger: core
                .store
                .first_index()
                .map_err(Broken::from)?
                .unwrap_or(core.ledger.index()),
            validated: header_of(core.ledger.header()),
            base_fee: Drops::new(fees.base_drops),
            reserve_base: Drops::new(fees.reserve_base_drops),
            reserve_increment: Drops::new(fees.reserve_increment_drops),
            validation_quorum: 1,
            now,
            uptime_secs: u64::from(now.seconds().saturating_sub(self.inner.started.seconds())),
            kept_mails: core.pool.kept_count(),
            acceptance: match core.disk {
                Disk::HasRoom => Acceptance::Open,
                Disk::Full => Acceptance::DiskFull,
            },
        })
    }

    fn accept_ledger(&self) -> Result<LedgerIndex, RpcError> {
        let outcome = self.close_after_look_ups().map_err(Broken::from)?;
        Ok(outcome.next)
    }
}

/// A ledger that a caller chose.
pub(crate) enum Chosen {
    Open,
    Stored(LedgerIndex),
}

impl Core {
    /// Whether the disk and the open ledger take more transactions.
    fn check_room(&self) -> Result<(), RpcError> {
        if self.disk == Disk::Full {
            return Err(RpcError::DiskFull);
        }
        if self.open.accepted().len() >= OPEN_TRANSACTIONS_MAX {
            return Err(RpcError::TooBusy);
        }
        Ok(())
    }

    pub(crate) fn chosen(&self, choice: LedgerChoice) -> Result<Chosen, RpcError> {
        match choice {
            LedgerChoice::Current => Ok(Chosen::Open),
            LedgerChoice::Validated | LedgerChoice::Closed => Ok(Chosen::Stored(self.ledger.index())),
            LedgerChoice::Index(index) if index == self.open.view().ledger_index() => Ok(Chosen::Open),
            LedgerChoice::Index(index) => Ok(Chosen::Stored(index)),
            LedgerChoice::Hash(hash) => {
                let index = self.store.ledger_index(&hash).map_err(Broken::from)?;
                index.map(Chosen::Stored).ok_or(RpcError::LedgerNotFound)
            }
        }
    }

    fn validated_id(&self) -> LedgerId {
        LedgerId::Validated {
            hash: self.ledger.hash(),
            index: self.ledger.index(),
        }
    }

    fn open_id(&self) -> LedgerId {
        LedgerId::Open {
            index: self.open.view().ledger_index(),
        }
    }

    pub(crate) fn header(&self, index: LedgerIndex) -> Result<LedgerHeader, RpcError> {
        let stored = self
            .store
            .ledger(index)
            .map_err(Broken::from)?
            .ok_or(RpcError::LedgerNotFound)?;
        Header::decode(&stored.header)
            .as_ref()
            .map(header_of)
            .ok_or(RpcError::Internal)
    }

    /// A transaction in the store, in the open ledger, or held for a later one.
    fn record(&self, hash: &Hash256) -> Result<Option<TxRecord>, RpcError> {
        if let Some(stored) = self.store.transaction(hash).map_err(Broken::from)? {
            let header = self.header(stored.ledger_index)?;
            return Ok(self.stored_record(stored, &header));
        }
        let open = self.open.accepted().iter().find(|tx| tx.id() == *hash);
        let found = open.or_else(|| self.held_transaction(hash));
        Ok(found.map(|tx| TxRecord {
            wrapped: tx_blob(tx),
            validated: None,
        }))
    }

    fn records(&self, index: LedgerIndex) -> Result<Vec<TxRecord>, RpcError> {
        let header = self.header(index)?;
        let stored = self.store.transactions(index).map_err(Broken::from)?;
        Ok(stored
            .into_iter()
            .filter_map(|tx| self.stored_record(tx, &header))
            .collect())
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

/// As whom a caller is counted: the operator is not.
fn counted(peer: &Peer) -> peers::Peer {
    match peer.role {
        Role::Admin => peers::Peer::Operator,
        Role::Guest => peers::Peer::Guest(network_of(peer.address)),
    }
}

fn tx_blob(tx: &Transaction) -> TxBlob {
    TxBlob {
        tx: tx.object().clone(),
        blob: tx.blob().to_vec(),
        hash: tx.id(),
    }
}

fn header_of(header: &Header) -> LedgerHeader {
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

fn local_refusal(refusal: &LocalRefusal) -> RpcError {
    RpcError::InvalidTransaction {
        reason: format!("fails local checks: {refusal}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chain::limits::FAILURES_PER_PEER_MAX;
    use codec::CloseTime;
    use rpc::api::Via;

    #[test]
    fn rejects_a_second_address_of_the_same_ipv6_network() {
        let peer = |text: &str| counted(&Peer::new(text.parse().expect("an address"), Via::Direct));
        let mut counts = peers::PeerCounts::default();
        let now = CloseTime::new(0);
        for host in 0..FAILURES_PER_PEER_MAX {
            counts.record(&peer(&format!("2001:db8:0:1::{host:x}")), Work::Failure, now);
        }
        assert!(!counts.allows(&peer("2001:db8:0:1:ffff::1"), Work::Failure, now));
        assert!(counts.allows(&peer("2001:db8:0:2::1"), Work::Failure, now));
        assert_eq!(peer("127.0.0.1"), peers::Peer::Operator);
    }
}
