//! Keys that were checked before, and where ledgers have them. Saves work and changes no answer.
//!
//! Spec: 4.5, 7.1, 7.10.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use codec::{Hash256, keylet};

use crate::dkim::key_record::{KeyRecord, KeyRecordError, KeyType, PreparedKey};
use crate::dkim::signature::KeyName;
use crate::limits::KEYS_CACHED_MAX;

/// Where a ledger has what it says about the name of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyPlaces {
    /// Index of its DKIMKey.
    pub(crate) key: Hash256,
    /// Index of the DKIMFreeze of its domain.
    pub(crate) freeze: Hash256,
}

impl KeyPlaces {
    /// Four SHA-512s. Spec: 1.
    pub(crate) fn of(name: &KeyName) -> KeyPlaces {
        KeyPlaces {
            key: name.keylet(),
            freeze: keylet::dkim_freeze(name.domain().as_bytes()),
        }
    }
}

/// Keys that were checked before, by their bytes, so that the many mails of one provider do not check one key
/// each time, and the places of their names. Answers are the same with and without it: an entry is a function of its
/// bytes, or of the name, alone.
#[derive(Default)]
pub struct KeyCache {
    keys: Mutex<BTreeMap<Vec<u8>, Arc<PreparedKey>>>,
    places: Mutex<BTreeMap<KeyName, KeyPlaces>>,
}

impl KeyCache {
    /// An empty cache.
    #[must_use]
    pub fn new() -> KeyCache {
        KeyCache::default()
    }

    /// What `KeyRecord::from_entry` answers. Refusals are not kept: a ledger holds no such keys.
    pub(crate) fn record(
        &self,
        key_type: KeyType,
        public_key: &[u8],
        flags: u32,
    ) -> Result<KeyRecord, KeyRecordError> {
        let known = self
            .keys
            .lock()
            .ok()
            .and_then(|keys| keys.get(public_key).cloned());
        if let Some(key) = known.filter(|key| key.key_type() == key_type) {
            return Ok(KeyRecord::of(key, flags));
        }
        let key = Arc::new(PreparedKey::parse(key_type, public_key)?);
        if let Ok(mut keys) = self.keys.lock() {
            if keys.len() >= KEYS_CACHED_MAX {
                keys.clear();
            }
            keys.insert(public_key.to_vec(), Arc::clone(&key));
        }
        Ok(KeyRecord::of(key, flags))
    }

    /// What `KeyPlaces::of` answers.
    pub(crate) fn places(&self, name: &KeyName) -> KeyPlaces {
        let Ok(mut known) = self.places.lock() else {
            return KeyPlaces::of(name);
        };
        if let Some(places) = known.get(name) {
            return *places;
        }
        if known.len() >= KEYS_CACHED_MAX {
            known.clear();
        }
        let places = KeyPlaces::of(name);
        known.insert(name.clone(), places);
        places
    }
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyCache").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dkim::key_record::{Subdomains, parse_txt};

    // RFC 8463 A.2.
    const ED_KEY: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

    #[test]
    fn cache_answers_as_without_it() {
        let key = parse_txt(ED_KEY.as_bytes()).unwrap();
        let cache = KeyCache::new();
        for _ in 0..2 {
            for (kind, bytes, flags) in [
                (KeyType::Ed25519, key.public_key(), 0),
                (KeyType::Ed25519, key.public_key(), 1),
                (KeyType::Rsa, key.public_key(), 0),
                (KeyType::Ed25519, &[0; 32][..], 0),
                (KeyType::Ed25519, &[][..], 0),
            ] {
                assert_eq!(
                    cache.record(kind, bytes, flags),
                    KeyRecord::from_entry(kind, bytes, flags)
                );
            }
        }
        let strict = cache.record(KeyType::Ed25519, key.public_key(), 1).unwrap();
        assert_eq!(strict.subdomains(), Subdomains::Refused);
        assert_eq!(cache.keys.lock().unwrap().len(), 1);
    }

    #[test]
    fn places_are_those_of_the_name_and_stay_within_their_bound() {
        let cache = KeyCache::new();
        for round in 0..2 {
            for number in 0..KEYS_CACHED_MAX + 2 {
                let name = KeyName::new(format!("d{number}.example").as_bytes(), b"s").unwrap();
                assert_eq!(cache.places(&name), KeyPlaces::of(&name), "{round}");
                assert_eq!(cache.places(&name), KeyPlaces::of(&name), "{round}");
            }
        }
        assert!(cache.places.lock().unwrap().len() <= KEYS_CACHED_MAX);
    }
}
