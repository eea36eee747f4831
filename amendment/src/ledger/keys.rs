//! The keys of a ledger: which key a DKIMKey entry offers at a time, and whether a failure under it is final.
//!
//! Spec: 7.1, 7.3, 7.4.

use codec::{CloseTime, Object, keylet, sf};

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
        let entry = self
            .0
            .parent_entry(&keylet::dkim_key(domain.as_bytes(), selector.as_bytes()));
        match ledger_key(entry.as_ref(), self.0.parent_close_time(), self.0.key_cache()) {
            LedgerKey::Missing => KeyAnswer::Absent,
            LedgerKey::Revoked => KeyAnswer::Revoked,
            LedgerKey::Usable { key, .. } => KeyAnswer::Usable(key),
        }
    }
}

/// A key of the ledger, and whether a failure under it is final.
pub(crate) enum LedgerKey {
    Missing,
    Revoked,
    Usable { key: KeyRecord, failure: Failure },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    Final,
    NotFinal,
}

/// The key that a DKIMKey entry offers at a time.
///
/// Spec: 7.1, 7.3, 7.4. PublicKey is valid from ActiveAfter until NextAfter; then NextKey replaces it. A failed signature is
/// not final while NextKey is pending or where the key was last attested more than an hour ago.
pub(crate) fn ledger_key(entry: Option<&Object>, now: CloseTime, cache: Option<&KeyCache>) -> LedgerKey {
    let Some(entry) = entry else {
        return LedgerKey::Missing;
    };
    if entry.contains(sf::REVOKED_AT) {
        return LedgerKey::Revoked;
    }
    let reached = |field| entry.u32(field).is_none_or(|after| now.seconds() >= after);
    let has_next = entry.contains(sf::NEXT_KEY);
    let next_holds = has_next && entry.contains(sf::NEXT_AFTER) && reached(sf::NEXT_AFTER);
    let (key_type, public_key) = if next_holds {
        (
            entry.u8(sf::NEXT_KEY_TYPE).or(entry.u8(sf::DKIM_KEY_TYPE)),
            entry.blob(sf::NEXT_KEY),
        )
    } else if reached(sf::ACTIVE_AFTER) {
        (entry.u8(sf::DKIM_KEY_TYPE), entry.blob(sf::PUBLIC_KEY))
    } else {
        (None, None)
    };
    let flags = entry.u32(sf::FLAGS).unwrap_or_default();
    let key = key_type
        .and_then(KeyType::from_code)
        .zip(public_key)
        .and_then(|(kind, bytes)| match cache {
            Some(cache) => cache.record(kind, bytes, flags).ok(),
            None => KeyRecord::from_entry(kind, bytes, flags).ok(),
        });
    let attested = entry.u32(sf::LAST_ATTESTED).unwrap_or_default();
    let stale = now.seconds().saturating_sub(attested) > KEY_FRESH_SECS;
    let failure = if stale || (has_next && !next_holds) {
        Failure::NotFinal
    } else {
        Failure::Final
    };
    key.map_or(LedgerKey::Missing, |key| LedgerKey::Usable { key, failure })
}
