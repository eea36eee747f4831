//! ValidatorVote: what a validator wants stands on the ledger until it wants something else.
//!
//! Spec sections 15.1 and 15.2. Every node checks list, signature and time; whoever proposes a ledger can leave a
//! vote out, but not change one.

use codec::{Ter, keylet};

use super::{Apply, Transactor};
use crate::dkim::{self, validators_of};
use crate::sandbox::Sandbox;
use crate::transaction::Transaction;
use crate::view::Env;
use crate::votes::{self, SignedVote, StandingVote};

pub(super) struct ValidatorVote;

impl Transactor for ValidatorVote {
    fn preflight(&self, tx: &Transaction, env: &Env) -> Result<(), Ter> {
        let (ledger, _) = SignedVote::parse(tx).ok_or(Ter::TEM_MALFORMED)?;
        if ledger != env.index {
            return Err(Ter::TEF_PAST_SEQ);
        }
        Ok(())
    }

    /// List, signature, time. Spec: 15.1
    fn preclaim(&self, tx: &Transaction, env: &Env, sandbox: &Sandbox<'_>) -> Result<(), Ter> {
        let (_, vote) = SignedVote::parse(tx).ok_or(Ter::TEM_MALFORMED)?;
        if !dkim::validators(&env.parent).contains(&vote.public_key) {
            return Err(Ter::TEF_BAD_AUTH);
        }
        if !vote.is_good(env.network_id) {
            return Err(Ter::TEF_BAD_SIGNATURE);
        }
        let before = votes::standing(&env.parent);
        let last = before.get(&vote.public_key).map(|vote| vote.observed_at);
        if !votes::is_timely(vote.observed_at, last, env.now()) {
            return Err(Ter::TEF_PAST_SEQ);
        }
        // One for each validator and ledger, so that nobody fills ledgers with votes.
        let entry = sandbox.entry(&keylet::validator_votes()).unwrap_or_default();
        let now = votes::votes_in(&entry);
        if now.get(&vote.public_key).map(|vote| vote.observed_at) != last {
            return Err(Ter::TEF_PAST_SEQ);
        }
        Ok(())
    }

    /// Votes of those that have left the list go with the next vote of anybody: they count no more, and whoever
    /// comes back has none. Where the list has changed in the same ledger, the list that a vote names was meant instead
    /// of the one before. Spec: 15.2
    fn apply(&self, apply: &mut Apply<'_>) -> Result<(), Ter> {
        let (_, mut vote) = SignedVote::parse(apply.tx).ok_or(Ter::TEM_MALFORMED)?;
        let known = apply.sandbox.entry(&keylet::validator_votes());
        let mut standing = known.as_ref().map(votes::votes_in).unwrap_or_default();
        let listed = dkim::validators(&apply.env.parent);
        standing.retain(|key, _| listed.contains(key));
        // An UNLReport that comes after it in this ledger does the same.
        let report = apply.sandbox.entry(&keylet::unl_report()).unwrap_or_default();
        if validators_of(&report) != listed {
            vote.wish.validators.clear();
        }
        let cast = StandingVote {
            wish: vote.wish,
            observed_at: vote.observed_at,
        };
        standing.insert(vote.public_key, cast);
        let entry = votes::entry_with(known, &standing);
        apply.sandbox.put(keylet::validator_votes(), entry);
        Ok(())
    }
}
