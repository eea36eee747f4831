//! The keys of a ledger: which key a DKIMKey entry offers at a time, and whether a failure under it is final.
//!
//! Spec: 7.1, 7.3, 7.4.

use codec::{CloseTime, Field, Object, keylet, sf};

use crate::dkim::key_cache::KeyCache;
use crate::dkim::key_record::{KeyRecord, KeyType};
use crate::dkim::key_source::{KeyAnswer, KeySource};
use crate::ledger::view::ReadView;
use crate::limits::KEY_FRESH_SECS;

/// The keys of a ledger view.
#[derive(Debug, Clone, Copy)]
pub struct LedgerKeys<'v, V>(pub &'v V);

impl<V: ReadView> KeySource for LedgerKeys<'_, V> {
    fn key(&self, domain: &str, selector: &str) -> KeyAnswer {
        let keylet = keylet::dkim_key(domain.as_bytes(), selector.as_bytes());
        let entry = self.0.parent_entry(&keylet);
        match ledger_key(entry.as_ref(), self.0.parent_close_time(), self.0.key_cache()) {
            LedgerKey::Missing => KeyAnswer::Absent,
            LedgerKey::Revoked => KeyAnswer::Revoked,
            LedgerKey::Unsettled(key) => KeyAnswer::Unsettled(key),
            LedgerKey::Settled(key) => KeyAnswer::Usable(key),
        }
    }
}

/// What a DKIMKey entry offers at a time.
pub(crate) enum LedgerKey {
    Missing,
    Revoked,
    Unsettled(KeyRecord),
    Settled(KeyRecord),
}

/// What a DKIMKey entry says about its name at a time, as far as a verdict depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// No key can be used yet: none was attested, or the first waits for its second quorum.
    Missing,
    /// The key was withdrawn.
    Revoked,
    /// A key that may have changed in DNS since: a signature that it proves is proven; one that it does not
    /// prove may be proven by the key to come.
    Unsettled,
    /// A key that DNS has now: a signature that it does not prove is refused for good.
    Settled,
}

/// What a DKIMKey entry says at a time. The one answer to whether a failed signature is final.
///
/// Spec: 7.3, 7.4. Not final while NextKey is pending, nor where the key was last attested more than an hour
/// ago.
#[must_use]
pub fn key_state(entry: Option<&Object>, now: CloseTime) -> KeyState {
    let Some(entry) = entry else {
        return KeyState::Missing;
    };
    if entry.contains(sf::REVOKED_AT) {
        return KeyState::Revoked;
    }
    let next_holds = next_holds(entry, now);
    if !next_holds && (!is_reached(entry, sf::ACTIVE_AFTER, now) || !entry.contains(sf::PUBLIC_KEY)) {
        return KeyState::Missing;
    }
    let next_is_pending = entry.contains(sf::NEXT_KEY) && !next_holds;
    let attested = entry.u32(sf::LAST_ATTESTED).unwrap_or_default();
    let is_stale = now.seconds().saturating_sub(attested) > KEY_FRESH_SECS;
    if is_stale || next_is_pending {
        KeyState::Unsettled
    } else {
        KeyState::Settled
    }
}

/// The key that a DKIMKey entry offers at a time.
///
/// Spec: 7.1, 7.3, 7.4. PublicKey is valid from ActiveAfter until NextAfter; then NextKey replaces it.
pub(crate) fn ledger_key(entry: Option<&Object>, now: CloseTime, cache: Option<&KeyCache>) -> LedgerKey {
    let offered = || offered_key(entry?, now, cache);
    match key_state(entry, now) {
        KeyState::Missing => LedgerKey::Missing,
        KeyState::Revoked => LedgerKey::Revoked,
        KeyState::Unsettled => offered().map_or(LedgerKey::Missing, LedgerKey::Unsettled),
        KeyState::Settled => offered().map_or(LedgerKey::Missing, LedgerKey::Settled),
    }
}

/// Whether NextKey has replaced PublicKey.
fn next_holds(entry: &Object, now: CloseTime) -> bool {
    entry.contains(sf::NEXT_KEY) && entry.contains(sf::NEXT_AFTER) && is_reached(entry, sf::NEXT_AFTER, now)
}

fn is_reached(entry: &Object, field: Field, now: CloseTime) -> bool {
    entry.u32(field).is_none_or(|after| now.seconds() >= after)
}

/// The bytes that hold now, as a key.
fn offered_key(entry: &Object, now: CloseTime, cache: Option<&KeyCache>) -> Option<KeyRecord> {
    let (key_type, public_key) = if next_holds(entry, now) {
        (
            entry.u8(sf::NEXT_KEY_TYPE).or(entry.u8(sf::DKIM_KEY_TYPE)),
            entry.blob(sf::NEXT_KEY),
        )
    } else {
        (entry.u8(sf::DKIM_KEY_TYPE), entry.blob(sf::PUBLIC_KEY))
    };
    let flags = entry.u32(sf::FLAGS).unwrap_or_default();
    let key_type = KeyType::from_code(key_type?)?;
    let key = match cache {
        Some(cache) => cache.record(key_type, public_key?, flags),
        None => KeyRecord::from_entry(key_type, public_key?, flags),
    };
    key.ok()
}
