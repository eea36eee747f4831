//! The keys of a ledger: which key a DKIMKey entry offers at a time, and whether a failure under it is final.
//!
//! Spec: 7.1, 7.3, 7.4, 7.8, 7.9, 7.10, 16.

use codec::{CloseTime, Hash256, Object, keylet, sf};

use crate::dkim::freeze::Freeze;
use crate::dkim::key_record::{KeyRecord, KeyType};
use crate::dkim::key_source::{KeyAnswer, KeySource};
use crate::ledger::view::ReadView;
use crate::limits::{KEY_FRESH_SECS, KEY_LIFE_SECS};

/// The keys of a ledger view.
#[derive(Debug, Clone, Copy)]
pub struct LedgerKeys<'v, V>(pub &'v V);

impl<V: ReadView> KeySource for LedgerKeys<'_, V> {
    fn key(&self, domain: &str, selector: &str) -> KeyAnswer {
        match ledger_key(self.0, &keylet::dkim_key(domain.as_bytes(), selector.as_bytes())) {
            LedgerKey::Missing => KeyAnswer::Absent,
            LedgerKey::Revoked => KeyAnswer::Revoked,
            LedgerKey::Unsettled(key) => KeyAnswer::Unsettled(key),
            LedgerKey::Settled(key) => KeyAnswer::Usable(key),
        }
    }

    fn freeze(&self, domain: &str) -> Option<Freeze> {
        ledger_freeze(self.0, &keylet::dkim_freeze(domain.as_bytes()))
    }
}

/// What a ledger offers under a name.
pub(crate) enum LedgerKey {
    Missing,
    Revoked,
    Unsettled(KeyRecord),
    Settled(KeyRecord),
}

/// What a DKIMKey entry says about its name at a time, as far as a verdict depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// No key can be used, and DNS may have one: none was attested, a record waits for its second quorum, or the last
    /// attestation is too old.
    Missing,
    /// The key was withdrawn: DNS has none now.
    Revoked,
    /// A key that may have changed in DNS since: a signature that it proves is proven; one that it does not
    /// prove may be proven by the key to come.
    Unsettled,
    /// A key that DNS has now: a signature that it does not prove is refused for good.
    Settled,
}

/// What a DKIMKey entry says at a time. The one answer to whether there is a key, and whether a failed signature
/// is final.
///
/// Spec: 7.3, 7.4, 7.8.
#[must_use]
pub fn key_state(entry: Option<&Object>, now: CloseTime) -> KeyState {
    let Some(entry) = entry else {
        return KeyState::Missing;
    };
    let attested = entry.u32(sf::LAST_ATTESTED).unwrap_or_default();
    let age_secs = now.seconds().saturating_sub(attested);
    let is_fresh = age_secs <= KEY_FRESH_SECS;
    if entry.contains(sf::REVOKED_AT) {
        return if is_fresh {
            KeyState::Revoked
        } else {
            KeyState::Missing
        };
    }
    if !entry.contains(sf::PUBLIC_KEY) || age_secs > KEY_LIFE_SECS {
        KeyState::Missing
    } else if is_fresh {
        KeyState::Settled
    } else {
        KeyState::Unsettled
    }
}

/// The key that the parent ledger offers under a name, at its close time. One that is known as leaked is revoked
/// under every name.
///
/// Spec: 7.1, 7.3, 7.9, 16. An entry of the ledger that is being built is not the parent's: its key is not there yet,
/// and neither is its evidence, which is only ever created.
pub(crate) fn ledger_key(view: &impl ReadView, name: &Hash256) -> LedgerKey {
    let of_parent = |entry: &Object| is_of_parent(view, entry);
    let entry = view.parent_entry(name).filter(of_parent);
    let key = entry.as_ref().and_then(|entry| key_of(view, entry));
    let is_leaked = |key: &KeyRecord| {
        let evidence = view.parent_entry(&key.leak_keylet());
        evidence.is_some_and(|leak| of_parent(&leak))
    };
    if key.as_ref().is_some_and(is_leaked) {
        return LedgerKey::Revoked;
    }
    match key_state(entry.as_ref(), view.parent_close_time()) {
        KeyState::Missing => LedgerKey::Missing,
        KeyState::Revoked => LedgerKey::Revoked,
        KeyState::Unsettled => key.map_or(LedgerKey::Missing, LedgerKey::Unsettled),
        KeyState::Settled => key.map_or(LedgerKey::Missing, LedgerKey::Settled),
    }
}

/// What the parent ledger says about the mail of a domain, by the index of its DKIMFreeze, if it was ever stopped. The
/// domain stands in `d=`, which is that of From (4.2): one answer for all signatures of a mail that count.
///
/// Spec: 7.10, 16. Where the view hands over what the ledger that is being built has written, the parent's word is not
/// known, and the mail is stopped.
pub(crate) fn ledger_freeze(view: &impl ReadView, place: &Hash256) -> Option<Freeze> {
    let entry = view.parent_entry(place)?;
    let freeze = Freeze::of(&entry);
    Some(if is_of_parent(view, &entry) {
        freeze
    } else {
        Freeze {
            until: None,
            ..freeze
        }
    })
}

/// Whether an entry that a view hands over as the parent's can be: what a transaction of the ledger that is being built
/// has written bears that ledger's number.
///
/// Spec: 7.3, 16. A server whose views do not reach the parent would else judge by what came first in the same ledger.
fn is_of_parent(view: &impl ReadView, entry: &Object) -> bool {
    let written = entry.u32(sf::PREVIOUS_TXN_LGR_SEQ).unwrap_or_default();
    written < view.ledger_index().get()
}

/// PublicKey of an entry, as a key.
fn key_of(view: &impl ReadView, entry: &Object) -> Option<KeyRecord> {
    let key_type = KeyType::from_code(entry.u8(sf::DKIM_KEY_TYPE)?)?;
    let public_key = entry.blob(sf::PUBLIC_KEY)?;
    let flags = entry.u32(sf::FLAGS).unwrap_or_default();
    let key = match view.key_cache() {
        Some(cache) => cache.record(key_type, public_key, flags),
        None => KeyRecord::from_entry(key_type, public_key, flags),
    };
    key.ok()
}
