//! DKIMKeyLeak: whoever has the secret half of a key ends it, in one ledger and for ever.
//!
//! Spec: 1, 7.9. A provider that publishes old keys after rotation, a researcher, the owner of a stolen key: the
//! signature of the key over what no mail can hold is all the evidence that is needed, and all that anybody can have.

use codec::format::EntryType;
use codec::{CloseTime, Object, Ter, flags, sf};

use crate::attested::entry::without_keys;
use crate::dkim::key_record::{KeyRecord, KeyType, LSF_DKIM_STRICT};
use crate::dkim::leak::proves_leak;
use crate::dkim::signature::KeyName;
use crate::ledger::view::{Amendment, ReadView, Write};
use crate::limits::KEY_SIGNATURE_BYTES_MAX;

/// A well-formed DKIMKeyLeak. Only `preflight` makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLeak {
    name: KeyName,
    signature: Vec<u8>,
}

impl KeyLeak {
    /// Everything about a DKIMKeyLeak that needs no ledger. Codes: temDISABLED, temINVALID_FLAG, temMALFORMED.
    ///
    /// Spec: 1, 7.9.
    pub fn preflight(tx: &Object, amendment: Amendment) -> Result<KeyLeak, Ter> {
        if amendment == Amendment::Off {
            return Err(Ter::TEM_DISABLED);
        }
        if tx.u32(sf::FLAGS).unwrap_or(0) & !flags::TF_FULLY_CANONICAL_SIG != 0 {
            return Err(Ter::TEM_INVALID_FLAG);
        }
        let signature = tx.blob(sf::KEY_SIGNATURE).unwrap_or(&[]);
        let name = tx.blob(sf::DOMAIN).zip(tx.blob(sf::SELECTOR));
        let name = name.and_then(|(domain, selector)| KeyName::new(domain, selector));
        match name {
            Some(name) if (1..=KEY_SIGNATURE_BYTES_MAX).contains(&signature.len()) => Ok(KeyLeak {
                name,
                signature: signature.to_vec(),
            }),
            Some(_) | None => Err(Ter::TEM_MALFORMED),
        }
    }

    /// Whether the evidence is good, and about a key that the ledger has; what costs little before what costs much.
    /// Codes: tecNO_ENTRY, tefALREADY, tefBAD_SIGNATURE.
    ///
    /// Spec: 7.9.
    pub fn preclaim(&self, view: &impl ReadView) -> Result<(), Ter> {
        let entry = view.entry(&self.name.keylet());
        let key = entry.as_ref().and_then(accused).ok_or(Ter::TEC_NO_ENTRY)?;
        if view.entry(&key.leak_keylet()).is_some() {
            return Err(Ter::TEF_ALREADY);
        }
        if !proves_leak(view.network_id(), &key, &self.signature) {
            return Err(Ter::TEF_BAD_SIGNATURE);
        }
        Ok(())
    }

    /// What evidence writes that `preclaim` let pass: the DKIMLeak, and the end of the key.
    ///
    /// Spec: 7.9.
    pub fn writes(&self, view: &impl ReadView) -> Result<Vec<Write>, Ter> {
        let entry = view.entry(&self.name.keylet()).ok_or(Ter::TEF_INTERNAL)?;
        let key = accused(&entry).ok_or(Ter::TEF_INTERNAL)?;
        let evidence = Object::new()
            .with(sf::LEDGER_ENTRY_TYPE, EntryType::DkimLeak.code())
            .with(sf::FLAGS, 0u32);
        let ended = ended(entry, &key, view.parent_close_time());
        Ok(vec![
            Write::Put(key.leak_keylet(), evidence),
            Write::Put(self.name.keylet(), ended),
        ])
    }
}

/// The key that an entry holds, or that waits there, or that was ended there.
fn accused(entry: &Object) -> Option<KeyRecord> {
    let held = |kind, bytes| Some((entry.u8(kind)?, entry.blob(bytes)?));
    let (kind, bytes) =
        held(sf::DKIM_KEY_TYPE, sf::PUBLIC_KEY).or_else(|| held(sf::NEXT_KEY_TYPE, sf::NEXT_KEY))?;
    KeyRecord::from_entry(KeyType::from_code(kind)?, bytes, 0).ok()
}

/// The entry with its key ended. It keeps the key, so that one sees which it was.
fn ended(entry: Object, key: &KeyRecord, now: CloseTime) -> Object {
    let revoked_at = entry.u32(sf::REVOKED_AT).unwrap_or(now.seconds());
    let flags = entry.u32(sf::FLAGS).unwrap_or(0) & LSF_DKIM_STRICT;
    without_keys(entry)
        .with(sf::FLAGS, flags)
        .with(sf::DKIM_KEY_TYPE, key.key_type().code())
        .with(sf::PUBLIC_KEY, key.public_key())
        .with(sf::REVOKED_AT, revoked_at)
}
