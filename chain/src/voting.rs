//! The votes of this validator, which say what its operator wants, and those of others.
//!
//! What the votes on a ledger come to says `ledger::votes`.

use std::collections::BTreeSet;
use std::sync::Arc;

use codec::keys::PublicKey;
use codec::{CloseTime, Hash256};
use ledger::limits::VOTE_SKEW_SECS_MAX;
use ledger::votes::{self, SignedVote, Wish};
use ledger::{Ledger, amendments, dkim};

use crate::chain::Chain;
use crate::commit::{Change, ListWish, Vote};
use crate::event::{Reply, RequestId};

/// What a validator still wants by its vote on a ledger: amendments that are enabled it has.
fn said(ledger: &Ledger, validator: &PublicKey) -> (Wish, Option<CloseTime>) {
    let Some(standing) = votes::standing(ledger).remove(validator) else {
        return (Wish::default(), None);
    };
    let enabled = amendments::enabled(ledger);
    let mut wish = standing.wish;
    wish.amendments.retain(|id| !enabled.contains(id));
    (wish, Some(standing.observed_at))
}

impl Chain {
    /// The operator changes a vote about an amendment.
    pub(crate) fn take_vote(&mut self, request: RequestId, amendment: Hash256, vote: Vote, now: CloseTime) {
        Arc::make_mut(&mut self.state.votes)
            .amendments
            .insert(amendment, vote);
        self.change(Change::Vote { amendment, vote });
        self.vote_as_wanted(now);
        self.tell(request, Reply::Done);
    }

    /// The operator wants another list of validators, or none other than there is.
    pub(crate) fn take_list(&mut self, request: RequestId, wanted: BTreeSet<PublicKey>, now: CloseTime) {
        let instead_of: BTreeSet<PublicKey> = dkim::validators(&self.state.ledger).into_iter().collect();
        let is_another = !wanted.is_empty() && wanted != instead_of;
        let list = is_another.then_some(ListWish { wanted, instead_of });
        Arc::make_mut(&mut self.state.votes).list.clone_from(&list);
        self.change(Change::List(list));
        self.vote_as_wanted(now);
        self.tell(request, Reply::Done);
    }

    /// Another validator's vote. It counts where the ledger lists that validator. Spec: 15.1
    pub(crate) fn take_ballot(&mut self, vote: SignedVote) {
        let listed = dkim::validators(&self.state.ledger);
        if listed.contains(&vote.public_key) && vote.is_good(self.network_id) {
            Arc::make_mut(&mut self.state.ballots).insert(vote);
        }
    }

    /// Vote where the ledger has something else of this validator than it wants, until a ledger has it. Spec: 15.2
    pub(crate) fn vote_as_wanted(&mut self, now: CloseTime) {
        let (state, own) = (&mut self.state, self.key.public_key());
        let wish = state.votes.wish(&state.ledger);
        let (said, last) = said(&state.ledger, &own);
        if wish == said || !dkim::validators(&state.ledger).contains(&own) {
            Arc::make_mut(&mut state.ballots).remove(&own);
            return;
        }
        let ledger_time = state.ledger.close_time();
        let under_way = state.ballots.of(&own);
        let is_fresh = |vote: &SignedVote| {
            let age_secs = ledger_time.seconds().saturating_sub(vote.observed_at.seconds());
            vote.wish == wish && age_secs <= VOTE_SKEW_SECS_MAX / 2
        };
        if under_way.is_some_and(is_fresh) {
            return;
        }
        let last = last.max(under_way.map(|vote| vote.observed_at));
        let observed_at = time_of_vote(now, ledger_time, last);
        if let Some(vote) = SignedVote::sign(self.network_id, wish, observed_at, &self.key) {
            Arc::make_mut(&mut state.ballots).insert(vote);
        }
    }
}

/// The time that a vote bears: after the one before, and the ledger's where the clock is far from it, so that the
/// next ledger takes it. Spec: 15.1
fn time_of_vote(now: CloseTime, ledger_time: CloseTime, last: Option<CloseTime>) -> CloseTime {
    let is_near = now.seconds().abs_diff(ledger_time.seconds()) <= VOTE_SKEW_SECS_MAX / 2;
    let time = if is_near { now } else { ledger_time };
    let after = last.map_or(0, |last| last.seconds().saturating_add(1));
    CloseTime::new(time.seconds().max(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Spec: 15.1.
    #[test]
    fn accepts_times_of_votes_after_the_last_one_and_near_the_ledger() {
        let time = |now, ledger, last: Option<u32>| {
            let last = last.map(CloseTime::new);
            time_of_vote(CloseTime::new(now), CloseTime::new(ledger), last).seconds()
        };
        assert_eq!(time(5_010, 5_000, None), 5_010);
        assert_eq!(time(5_010, 5_000, Some(5_010)), 5_011);
        assert_eq!(time(9_999, 5_000, None), 5_000, "the ledger stood still");
        assert_eq!(time(1_000, 5_000, Some(4_000)), 5_000, "the clock lags");
    }
}
