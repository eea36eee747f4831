//! What validators voted, until a ledger has it.

use std::collections::BTreeMap;

use codec::keys::PublicKey;
use ledger::limits::VOTE_SKEW_SECS_MAX;
use ledger::votes::{self, SignedVote};
use ledger::{Ledger, Transaction, dkim};

/// Votes that no ledger has yet: each validator's last one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ballots(BTreeMap<PublicKey, SignedVote>);

impl Ballots {
    /// Take a vote in place of the validator's earlier one. Anybody could hand in an older one again.
    pub(crate) fn insert(&mut self, vote: SignedVote) {
        let known = self.0.get(&vote.public_key);
        if known.is_none_or(|known| known.observed_at < vote.observed_at) {
            self.0.insert(vote.public_key, vote);
        }
    }

    /// A validator's vote.
    pub(crate) fn of(&self, validator: &PublicKey) -> Option<&SignedVote> {
        self.0.get(validator)
    }

    /// A validator wants nothing any more that the ledger does not have of it.
    pub(crate) fn remove(&mut self, validator: &PublicKey) {
        self.0.remove(validator);
    }

    /// Whether the ledger after `parent` takes one.
    pub(crate) fn any_counts(&self, parent: &Ledger) -> bool {
        self.0.values().any(|vote| vote.counts_after(parent))
    }

    /// Those that the ledger after `parent` takes.
    pub(crate) fn transactions(&self, parent: &Ledger) -> Vec<Transaction> {
        let votes = self.0.values().filter(|vote| vote.counts_after(parent));
        votes.filter_map(|vote| vote.transaction(parent)).collect()
    }

    /// Forget what the ledger has, or will never take: of others than its validators, of before their last vote, and
    /// too old. What is ahead of the ledger waits: its time may lag.
    pub(crate) fn forget(&mut self, ledger: &Ledger) {
        if self.0.is_empty() {
            return;
        }
        let (listed, standing) = (dkim::validators(ledger), votes::standing(ledger));
        let now = ledger.close_time().seconds();
        self.0.retain(|key, vote| {
            let is_after = |last: &votes::StandingVote| last.observed_at < vote.observed_at;
            listed.contains(key)
                && standing.get(key).is_none_or(is_after)
                && vote.observed_at.seconds().saturating_add(VOTE_SKEW_SECS_MAX) >= now
        });
    }

    /// Take back what a ledger had taken that did not come to be; newer votes stand.
    pub(crate) fn restore(&mut self, earlier: &Ballots) {
        for vote in earlier.0.values() {
            self.insert(vote.clone());
        }
    }
}
