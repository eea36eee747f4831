//! The ledger after another one: what a validator would have in it, and whether what another validator proposes
//! is right.
//!
//! What is proposed is the set that was closed. To close a pool and publish what applied would be another ledger:
//! the order within a ledger hangs on the hash of its set.

use std::collections::BTreeMap;

use amendment::KeyName;
use codec::format::TxType;
use codec::{CloseTime, LedgerIndex};
use ledger::dkim::{self, Attestation, Subject};
use ledger::votes::{self, SignedVote};
use ledger::{Closed, Ledger, Transaction};

use crate::epochs::Epochs;
use crate::limits::{PROPOSAL_ROUNDS_MAX, REMOVAL_SCAN_LEDGERS, REMOVALS_PER_LEDGER_MAX};
use crate::rules;
use crate::state::State;

/// What a proposal goes by, beside what the node knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProposalRules {
    /// NetworkID.
    pub network_id: u32,
    /// Seconds that an amendment needs its majority for before it is enabled.
    pub majority_secs: u32,
    /// Bytes of all transactions of a proposal. The others wait for the next ledger.
    pub bytes_max: usize,
    /// Epochs, where several validators make a ledger.
    pub epochs: Option<Epochs>,
}

/// Why a proposed ledger is refused. The same on every validator, whenever it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProposalFault {
    /// Its transactions are not in the one order in which a set is proposed.
    Order,
    /// Validators alone make such a transaction, and this one's ledger asks for none.
    Uncalled,
    /// The votes on its parent come to a transaction that it does not have. Spec: 15.3, 15.4
    Missing,
    /// A transaction of it does not come into the ledger.
    FallsOut,
}

impl State {
    /// The ledger after `parent` as this validator would have it. `parent` may be ahead of the last ledger: what
    /// it holds already falls out.
    #[must_use]
    pub fn propose(&self, parent: &Ledger, rules: ProposalRules, close_time: CloseTime) -> Closed {
        choose(parent, self.candidates(parent, rules, close_time), close_time, 0)
    }

    /// Whether there is anything to propose for the ledger after the last one.
    #[must_use]
    pub fn has_work(&self) -> bool {
        !self.open.accepted().is_empty()
            || !self.ready_subjects(&self.ledger).is_empty()
            || self.ballots.any_counts(&self.ledger)
    }

    /// The ledger after `parent` that consists of these transactions, if it is right in every respect. Anybody can
    /// check a DKIMKeySet, which bears its quorum, and a ValidatorVote, which bears a signature; what the votes on the
    /// parent come to it has to have, and nothing else of validators but removals.
    pub fn verify(
        &self,
        parent: &Ledger,
        transactions: Vec<Transaction>,
        rules: ProposalRules,
        close_time: CloseTime,
    ) -> Result<Closed, ProposalFault> {
        if !transactions.is_sorted_by(|one, two| one.id() < two.id()) {
            return Err(ProposalFault::Order);
        }
        let (called_for, removals) = (called_for(parent, rules), removals(parent));
        let is_in = |set: &[Transaction], tx: &Transaction| set.iter().any(|one| one.id() == tx.id());
        let is_called = |tx: &Transaction| is_in(&called_for, tx) || is_in(&removals, tx);
        let is_fine = |tx: &Transaction| !tx.is_pseudo() || bears_its_proof(tx) || is_called(tx);
        if !transactions.iter().all(is_fine) {
            return Err(ProposalFault::Uncalled);
        }
        if !called_for.iter().all(|tx| is_in(&transactions, tx)) {
            return Err(ProposalFault::Missing);
        }
        let closed = ledger::close::close_at(parent, transactions, close_time, 0);
        if !closed.retry.is_empty() || !closed.dropped.is_empty() {
            return Err(ProposalFault::FallsOut);
        }
        Ok(closed)
    }

    /// What this validator would have in the ledger after `parent`: the open ledger, and what only validators put
    /// into one.
    ///
    /// A mail is judged by the time of `parent`. Where that is long ago, since the node was away, its key may have
    /// ended meanwhile: such a mail waits for the ledger after this one, which knows the time. Spec: 7.3
    pub(crate) fn candidates(
        &self,
        parent: &Ledger,
        rules: ProposalRules,
        now: CloseTime,
    ) -> Vec<Transaction> {
        let mut has_ended: BTreeMap<&KeyName, bool> = BTreeMap::new();
        let (mut transactions, mut room) = (Vec::new(), rules.bytes_max);
        for tx in self.open.accepted().iter() {
            let waits = tx.dkim_key().is_some_and(|name| {
                let ended = || !rules::has_key(parent, name, now);
                *has_ended.entry(name).or_insert_with(ended)
            });
            if waits {
                continue;
            }
            let Some(left) = room.checked_sub(tx.blob().len()) else {
                break;
            };
            room = left;
            transactions.push(tx.clone());
        }
        let subjects = self.ready_subjects(parent);
        let key_set = |subject| self.attestations.key_set(subject, parent, rules.network_id);
        transactions.extend(subjects.iter().filter_map(key_set));
        transactions.extend(self.ballots.transactions(parent));
        transactions.extend(removals(parent));
        transactions.extend(called_for(parent, rules));
        transactions
    }

    /// Keys and domains whose attestations the ledger after `parent` takes up.
    pub(crate) fn ready_subjects(&self, parent: &Ledger) -> Vec<Subject> {
        let quorum = dkim::quorum(dkim::validators(parent).len()).max(1);
        self.attestations.ready(quorum)
    }

    /// What one validator says that no ledger has yet, about domains before keys.
    pub fn words_of(&self, validator: &codec::keys::PublicKey) -> Vec<Attestation> {
        self.attestations.of(validator).cloned().collect()
    }

    /// What a validator voted, if no ledger has it yet.
    #[must_use]
    pub fn vote_of(&self, validator: &codec::keys::PublicKey) -> Option<SignedVote> {
        self.ballots.of(validator).cloned()
    }
}

/// What the votes on `parent` come to, the same for all validators: a ledger without it is wrong. Spec: 15.3, 15.4
fn called_for(parent: &Ledger, rules: ProposalRules) -> Vec<Transaction> {
    let mut called_for = votes::amendment_changes(parent, rules.majority_secs);
    let index = LedgerIndex::new(parent.index().get().saturating_add(1));
    if rules.epochs.is_some_and(|epochs| epochs.is_last_but_one(index)) {
        called_for.extend(votes::list_reports(parent));
    }
    called_for
}

/// The removal of keys that nobody renewed. One falls out where the same ledger renews the key. Spec: 7.4
fn removals(parent: &Ledger) -> Vec<Transaction> {
    if parent.index().get().is_multiple_of(REMOVAL_SCAN_LEDGERS) {
        dkim::build_removals(parent, REMOVALS_PER_LEDGER_MAX)
    } else {
        Vec::new()
    }
}

/// Whether a transaction of validators bears its own proof, which the ledger checks.
fn bears_its_proof(tx: &Transaction) -> bool {
    let attestations = tx.object().array(codec::sf::DKIM_ATTESTATIONS);
    match tx.tx_type() {
        TxType::DkimKeySet => attestations.is_some_and(|attestations| !attestations.is_empty()),
        tx_type => tx_type == TxType::ValidatorVote,
    }
}

/// Whether a transaction is there because the votes come to it.
fn is_called_for(tx: &Transaction) -> bool {
    matches!(tx.tx_type(), TxType::EnableAmendment | TxType::UnlReport)
}

/// The ledger after `parent` of as many of these transactions as come into it, none of which falls out when just
/// they are closed. What does fall out is told in `retry` and `dropped`.
pub(crate) fn choose(
    parent: &Ledger,
    candidates: Vec<Transaction>,
    close_time: CloseTime,
    close_flags: u8,
) -> Closed {
    let (mut chosen, mut retry, mut dropped) = (candidates, BTreeMap::new(), Vec::new());
    for _ in 0..PROPOSAL_ROUNDS_MAX {
        let mut closed = ledger::close::close_at(parent, chosen, close_time, close_flags);
        if closed.retry.is_empty() && closed.dropped.is_empty() {
            closed.retry = retry.into_values().collect();
            closed.dropped = dropped;
            return closed;
        }
        retry.extend(closed.retry.into_iter().map(|tx| (tx.id(), tx)));
        dropped.append(&mut closed.dropped);
        chosen = closed.applied.into_iter().map(|applied| applied.tx).collect();
    }
    let called_for: Vec<Transaction> = chosen.iter().filter(|tx| is_called_for(tx)).cloned().collect();
    chosen.retain(|tx| !is_called_for(tx));
    let mut closed = ledger::close::close_at(parent, called_for, close_time, close_flags);
    retry.extend(chosen.into_iter().map(|tx| (tx.id(), tx)));
    closed.retry = retry.into_values().collect();
    closed.dropped = dropped;
    closed
}
