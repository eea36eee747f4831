//! The answer to `dkim_keys`.

use std::sync::{Mutex, PoisonError};

use amendment::limits::KEY_LIFE_SECS;
use amendment::{KeyAnswer, KeySource as _, KeyState, LedgerKeys, ReadView as _, key_state};
use chain::State;
use codec::{CloseTime, Object, sf};
use ledger::{OpenLedger, dkim};
use rpc::api::{FrozenDomain, KeyOnLedger, KeyStanding, KeysAnswer, LedgerId};
use rpc::limits::REPLY_LIST_MAX;

/// The answer about the ledger that was asked about last. It takes a walk through the whole state, and everybody may
/// ask: one walk for each ledger, for which the others wait.
#[derive(Default)]
pub(crate) struct LastKeys(Mutex<Option<KeysAnswer>>);

impl LastKeys {
    pub(crate) fn of(&self, state: &State) -> KeysAnswer {
        let ledger = &state.ledger;
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = LedgerId::Validated {
            hash: ledger.hash(),
            index: ledger.index(),
        };
        match &*last {
            Some(known) if known.ledger == asked => known.clone(),
            Some(_) | None => last.insert(listed(state)).clone(),
        }
    }
}

/// The DKIM keys of the last ledger, by domain and selector, and the domains whose mail it stops.
fn listed(state: &State) -> KeysAnswer {
    let ledger = &state.ledger;
    let open = OpenLedger::new(ledger);
    let mut keys: Vec<KeyOnLedger> = dkim::keys(ledger)
        .map(|entry| on_ledger(&entry, &open))
        .filter(|key| !key.domain.is_empty())
        .collect();
    let count = keys.len();
    keys.sort_by(|one, two| (&one.domain, &one.selector).cmp(&(&two.domain, &two.selector)));
    keys.truncate(REPLY_LIST_MAX);
    let freezes = state.freezes().into_iter().filter_map(|row| {
        let (domain, freeze) = (row.domain, row.freeze?);
        Some(FrozenDomain { domain, freeze })
    });
    KeysAnswer {
        ledger: LedgerId::Validated {
            hash: ledger.hash(),
            index: ledger.index(),
        },
        close_time: ledger.close_time(),
        keys,
        count,
        freezes: freezes.take(REPLY_LIST_MAX).collect(),
    }
}

fn on_ledger(entry: &Object, open: &OpenLedger) -> KeyOnLedger {
    let text = |field| String::from_utf8_lossy(entry.blob(field).unwrap_or_default()).into_owned();
    let (domain, selector) = (text(sf::DOMAIN), text(sf::SELECTOR));
    let last_attested = CloseTime::new(entry.u32(sf::LAST_ATTESTED).unwrap_or_default());
    let ends = CloseTime::new(last_attested.seconds().saturating_add(KEY_LIFE_SECS));
    let (state, until) = match LedgerKeys(&open.view()).key(&domain, &selector) {
        KeyAnswer::Usable(_) => (KeyStanding::Usable, Some(ends)),
        KeyAnswer::Unsettled(_) => (KeyStanding::Due, Some(ends)),
        KeyAnswer::Revoked => match key_state(Some(entry), open.view().parent_close_time()) {
            KeyState::Revoked => (KeyStanding::Revoked, None),
            KeyState::Missing | KeyState::Unsettled | KeyState::Settled => (KeyStanding::Leaked, None),
        },
        KeyAnswer::Absent if entry.contains(sf::REVOKED_AT) => (KeyStanding::Revoked, None),
        KeyAnswer::Absent if entry.contains(sf::NEXT_KEY) => (
            KeyStanding::Waiting,
            entry.u32(sf::ACTIVE_AFTER).map(CloseTime::new),
        ),
        KeyAnswer::Absent | KeyAnswer::Unusable(_) | KeyAnswer::Unknown => (KeyStanding::Ended, None),
    };
    KeyOnLedger {
        domain,
        selector,
        state,
        last_attested,
        until,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::dkim::KeyDelays;
    use ledger::genesis::EmailAmendment;
    use ledger::{GenesisConfig, Ledger};

    // Spec: 7.8.
    #[test]
    fn accepts_a_record_that_waits_with_the_time_from_which_a_second_quorum_makes_it_usable() {
        let ledger = Ledger::genesis(&GenesisConfig {
            network_id: 21_337,
            validators: Vec::new(),
            email: EmailAmendment::Enabled,
            close_time: CloseTime::new(1_000),
            key_delays: KeyDelays::NONE,
        });
        let entry = Object::new()
            .with(sf::DOMAIN, b"mail.test".as_slice())
            .with(sf::SELECTOR, b"s1".as_slice())
            .with(sf::NEXT_KEY, b"key".as_slice())
            .with(sf::LAST_ATTESTED, 900_u32)
            .with(sf::ACTIVE_AFTER, 4_500_u32);
        let key = on_ledger(&entry, &OpenLedger::new(&ledger));
        assert_eq!(
            (key.state, key.until),
            (KeyStanding::Waiting, Some(CloseTime::new(4_500)))
        );
    }
}
