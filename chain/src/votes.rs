//! What the operator wants of amendments and of the list of validators, and the votes that say so.
//!
//! What the votes on a ledger come to says `ledger::votes`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use codec::keys::PublicKey;
use codec::{CloseTime, Hash256};
use ledger::amendments::{self, id};
use ledger::genesis::AMENDMENTS;
use ledger::limits::{VOTE_SKEW_SECS_MAX, VOTED_AMENDMENTS_MAX};
use ledger::votes::{self, SignedVote, Wish};
use ledger::{Ledger, dkim};

use crate::chain::Chain;
use crate::commit::{Change, ListWish, Vote};
use crate::event::{Reply, RequestId};

/// The amendment of this project (spec 1).
pub const EMAIL: &str = "Email";

/// What the operator wants the validator to vote for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Votes {
    /// By amendment; without an entry as [`vote_about`] says.
    pub amendments: BTreeMap<Hash256, Vote>,
    /// Another list of validators.
    pub list: Option<ListWish>,
}

impl Votes {
    /// What of it the ledger does not have yet. Spec: 15.2
    #[must_use]
    pub fn wish(&self, ledger: &Ledger) -> Wish {
        let enabled = amendments::enabled(ledger);
        let wanted = known().filter(|name| vote_about(self, name) == Vote::For);
        let open = wanted.map(id).filter(|id| !enabled.contains(id));
        let listed: BTreeSet<PublicKey> = dkim::validators(ledger).into_iter().collect();
        let list = self.list.as_ref().filter(|list| list.instead_of == listed);
        Wish {
            amendments: open.take(VOTED_AMENDMENTS_MAX).collect(),
            validators: list.map_or_else(BTreeSet::new, |list| list.wanted.clone()),
        }
    }
}

/// Names that the validator may vote about.
pub fn known() -> impl Iterator<Item = &'static str> {
    AMENDMENTS.into_iter().chain([EMAIL])
}

/// Whether the validator may vote about an amendment.
#[must_use]
pub fn is_votable(amendment: &Hash256) -> bool {
    known().any(|name| id(name) == *amendment)
}

/// A validator that was told nothing votes for what xahaud votes for, and not for ours: that is the
/// operator's decision.
#[must_use]
pub fn vote_about(votes: &Votes, name: &str) -> Vote {
    let default = if name == EMAIL { Vote::Against } else { Vote::For };
    votes.amendments.get(&id(name)).copied().unwrap_or(default)
}

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
    use ledger::GenesisConfig;
    use ledger::dkim::KeyDelays;
    use ledger::genesis::EmailAmendment;

    fn key(number: u8) -> PublicKey {
        codec::keys::KeyPair::ed25519([number; 16]).public_key()
    }

    fn genesis(email: EmailAmendment, validators: &[u8]) -> Ledger {
        Ledger::genesis(&GenesisConfig {
            network_id: 21_337,
            validators: validators.iter().map(|number| key(*number)).collect(),
            email,
            close_time: CloseTime::new(1_000),
            key_delays: KeyDelays::NONE,
        })
    }

    // Spec: 15.2.
    #[test]
    fn accepts_wishes_that_the_ledger_does_not_have_and_no_others() {
        let email = amendment::AMENDMENT_EMAIL;
        let mut votes = Votes::default();
        let without = genesis(EmailAmendment::Absent, &[1, 2]);
        assert_eq!(
            votes.wish(&without),
            Wish::default(),
            "Email by its operator's word alone"
        );
        votes.amendments.insert(email, Vote::For);
        assert_eq!(votes.wish(&without).amendments, BTreeSet::from([email]));
        let with = genesis(EmailAmendment::Enabled, &[1, 2]);
        assert_eq!(votes.wish(&with), Wish::default(), "it is enabled");
        let wanted = BTreeSet::from([key(1), key(3)]);
        votes.list = Some(ListWish {
            wanted: wanted.clone(),
            instead_of: BTreeSet::from([key(1), key(2)]),
        });
        assert_eq!(votes.wish(&with).validators, wanted);
        let other = genesis(EmailAmendment::Enabled, &[1, 2, 4]);
        assert_eq!(votes.wish(&other), Wish::default(), "it was about another list");
    }

    #[test]
    fn rejects_votes_about_what_is_not_known() {
        assert!(is_votable(&amendment::AMENDMENT_EMAIL) && is_votable(&id("Flow")));
        assert!(!is_votable(&id("Escrow")) && !is_votable(&Hash256::ZERO));
    }

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
