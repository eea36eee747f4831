//! What operators decide about the mail of domains: what this one wants, said until a ledger has it or he changes his
//! mind, and what is known of the others.
//!
//! What he wants is on disk before anybody hears of it, so that a restart goes on. Spec: 7.10

use std::sync::Arc;

use amendment::{Domain, Freeze};
use codec::{CloseTime, sf};
use ledger::dkim::{self, Attestation, Ruling, Statement, Subject};

use crate::chain::Chain;
use crate::commit::Change;
use crate::event::{Refusal, Reply, RequestId};
use crate::limits::{FREEZE_REPEAT_SECS, FREEZES_WISHED_MAX};
use crate::state::State;

/// A domain about which the ledger, this validator or another one says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreezeRow {
    /// The domain.
    pub domain: Domain,
    /// What the ledger says; `None` where its mail was never stopped.
    pub freeze: Option<Freeze>,
    /// What the operator of this validator wants otherwise.
    pub wish: Option<Ruling>,
    /// Validators that want it frozen, which no ledger has yet; this one among them.
    pub for_freeze: usize,
    /// Validators that want it lifted, which no ledger has yet; this one among them.
    pub for_lift: usize,
}

impl State {
    /// Every domain about which something is said, by name.
    #[must_use]
    pub fn freezes(&self) -> Vec<FreezeRow> {
        let rulings = self.attestations.rulings();
        let mut domains: Vec<&Domain> = self.freezes.domains().chain(self.wishes.keys()).collect();
        domains.extend(rulings.keys().map(|(domain, _)| *domain));
        domains.sort_unstable();
        domains.dedup();
        let count = |domain, ruling| rulings.get(&(domain, ruling)).copied().unwrap_or(0);
        let rows = domains.into_iter().map(|domain| FreezeRow {
            freeze: self.freezes.get(domain),
            wish: self.wishes.get(domain).copied(),
            for_freeze: count(domain, Ruling::Frozen),
            for_lift: count(domain, Ruling::Lifted),
            domain: domain.clone(),
        });
        rows.collect()
    }
}

impl Chain {
    /// The operator wants the mail of a domain stopped, or let through again. Where the ledger says so already, what he
    /// wanted before is taken back.
    pub(crate) fn take_ruling(&mut self, request: RequestId, domain: Domain, ruling: Ruling, now: CloseTime) {
        if !dkim::validators(&self.state.ledger).contains(&self.key.public_key()) {
            self.tell(request, Reply::Refused(Refusal::NoValidator));
            return;
        }
        let is_news = ruling.is_news(self.state.freezes.get(&domain));
        let is_new = !self.state.wishes.contains_key(&domain);
        if is_news && is_new && self.state.wishes.len() >= FREEZES_WISHED_MAX {
            self.tell(request, Reply::Refused(Refusal::TooManyFreezes));
            return;
        }
        self.wish(domain, is_news.then_some(ruling));
        self.say_wishes(now);
        self.tell(request, Reply::Done);
    }

    fn wish(&mut self, domain: Domain, wish: Option<Ruling>) {
        if self.state.wishes.get(&domain).copied() == wish {
            return;
        }
        let wishes = Arc::make_mut(&mut self.state.wishes);
        match wish {
            Some(ruling) => wishes.insert(domain.clone(), ruling),
            None => wishes.remove(&domain),
        };
        self.change(Change::Wish { domain, wish });
    }

    /// A ledger was closed: what it has is wanted no longer, the rest is said again in time.
    pub(crate) fn follow_freezes(&mut self, now: CloseTime) {
        let state = &self.state;
        let is_done = |(domain, ruling): &(&Domain, &Ruling)| !ruling.is_news(state.freezes.get(domain));
        let done = state
            .wishes
            .iter()
            .filter(is_done)
            .map(|(domain, _)| domain.clone());
        for domain in done.collect::<Vec<_>>() {
            self.wish(domain, None);
        }
        self.say_wishes(now);
    }

    /// Say what the operator wants, and nothing else.
    pub(crate) fn say_wishes(&mut self, now: CloseTime) {
        let validator = self.key.public_key();
        let wishes = Arc::clone(&self.state.wishes);
        Arc::make_mut(&mut self.state.attestations)
            .withdraw(&validator, |domain, ruling| wishes.get(domain) == Some(&ruling));
        for (domain, ruling) in wishes.iter() {
            let said = self
                .state
                .attestations
                .word(&Subject::Domain(domain.clone()), &validator);
            let is_recent =
                |word: &Attestation| now.seconds().abs_diff(word.observed_at.seconds()) < FREEZE_REPEAT_SECS;
            if !said.is_some_and(is_recent) {
                // The operator has seen what the ledger has: his word is later, whatever the clocks of others say.
                let entry = self.state.ledger.entry(&domain.freeze_keylet());
                let last = entry.and_then(|entry| entry.u32(sf::LAST_ATTESTED)).unwrap_or(0);
                let seen = now.max(CloseTime::new(last.saturating_add(1)));
                self.attest(Statement::Domain(domain.clone(), *ruling), seen);
            }
        }
    }
}
