//! The answer to `dkim_keys`.

use amendment::limits::KEY_LIFE_SECS;
use amendment::{KeyAnswer, KeySource as _, KeyState, LedgerKeys, ReadView as _, key_state};
use codec::{CloseTime, Object, sf};
use ledger::{Ledger, OpenLedger, dkim};
use rpc::api::{KeyOnLedger, KeyStanding, KeysAnswer, LedgerId};
use rpc::limits::REPLY_LIST_MAX;

/// The DKIM keys of a ledger, by domain and selector.
pub(crate) fn listed(ledger: &Ledger) -> KeysAnswer {
    let open = OpenLedger::new(ledger);
    let mut keys: Vec<KeyOnLedger> = dkim::keys(ledger)
        .map(|entry| on_ledger(&entry, &open))
        .filter(|key| !key.domain.is_empty())
        .collect();
    let count = keys.len();
    keys.sort_by(|one, two| (&one.domain, &one.selector).cmp(&(&two.domain, &two.selector)));
    keys.truncate(REPLY_LIST_MAX);
    KeysAnswer {
        ledger: LedgerId::Validated {
            hash: ledger.hash(),
            index: ledger.index(),
        },
        close_time: ledger.close_time(),
        keys,
        count,
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
            entry.u32(sf::NEXT_AFTER).map(CloseTime::new),
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
