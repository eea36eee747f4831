//! Which keys of the ledger are in use: only those are worth asking for before their life ends. Spec: 7.4
//!
//! It comes from closed ledgers alone, so that validators ask for the same names at the same time. It is empty after a
//! start: keys that were in use before may end meanwhile, and the next mail under such a key takes one ledger longer.

use std::collections::BTreeMap;

use amendment::KeyName;
use amendment::limits::KEY_LIFE_SECS;
use codec::{CloseTime, Hash256, Object, sf};
use ledger::{Closed, Ledger};

use crate::limits::{RENEW_SECS, USED_KEYS_MAX};

/// Keys that proved a mail since they were last attested: the entry, and when that was.
#[derive(Debug, Clone, Default)]
pub(crate) struct UsedKeys(BTreeMap<Hash256, CloseTime>);

impl UsedKeys {
    /// A ledger was closed: keys that it attested anew or ended are not in use yet, those of its mails are. What
    /// nobody renewed in time waits for the next mail.
    pub(crate) fn follow(&mut self, closed: &Closed) {
        for (key, _) in &closed.changes {
            self.0.remove(key);
        }
        let now = closed.ledger.close_time();
        self.0
            .retain(|_, attested| age_secs(*attested, now) <= KEY_LIFE_SECS);
        let mut names: Vec<&KeyName> = closed
            .applied
            .iter()
            .filter_map(|applied| applied.tx.dkim_key())
            .collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            self.note(name, &closed.ledger);
        }
    }

    /// A key of the ledger is in use.
    pub(crate) fn note(&mut self, name: &KeyName, ledger: &Ledger) {
        let key = name.keylet();
        let entry = ledger
            .entry(&key)
            .filter(|entry| entry.contains(sf::PUBLIC_KEY) && is_live(entry));
        if let Some(entry) = entry
            && (self.0.len() < USED_KEYS_MAX || self.0.contains_key(&key))
        {
            let attested = entry.u32(sf::LAST_ATTESTED).unwrap_or(0);
            self.0.insert(key, CloseTime::new(attested));
        }
    }

    /// Those that are due to be asked for, at a ledger's time.
    pub(crate) fn due(&self, now: CloseTime) -> impl Iterator<Item = &Hash256> {
        let due = self.0.iter().filter(move |(_, attested)| is_due(**attested, now));
        due.map(|(key, _)| key)
    }
}

/// Whether a key that was attested then is to be asked for again.
pub(crate) fn is_due(attested: CloseTime, now: CloseTime) -> bool {
    age_secs(attested, now) >= RENEW_SECS
}

/// Whether a DKIMKey is not revoked.
pub(crate) fn is_live(entry: &Object) -> bool {
    !entry.contains(sf::REVOKED_AT)
}

fn age_secs(attested: CloseTime, now: CloseTime) -> u32 {
    now.seconds().saturating_sub(attested.seconds())
}
