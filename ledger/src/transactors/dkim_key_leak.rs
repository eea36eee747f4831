//! DKIMKeyLeak: whoever has the secret half of a key ends it, in one ledger and for ever.
//!
//! Spec: 1, 7.9. A provider that publishes old keys after rotation, a researcher, the owner of a stolen key: the
//! signature of the key over what no mail can hold is all the evidence that is needed, and all that anybody can have.

use amendment::KeyName;
use amendment::key_record::{KeyRecord, KeyType, LSF_DKIM_STRICT};
use codec::format::EntryType;
use codec::{CloseTime, Object, Ter, sf};

use super::dkim_key_set::without_keys;
use super::{Apply, Transactor, check_flags, flags_of};
use crate::limits::KEY_SIGNATURE_BYTES_MAX;
use crate::sandbox::Sandbox;
use crate::transaction::Transaction;
use crate::view::Env;

pub(super) struct DkimKeyLeak;

impl Transactor for DkimKeyLeak {
    fn preflight(&self, tx: &Transaction, env: &Env) -> Result<(), Ter> {
        if !env.email_enabled() {
            return Err(Ter::TEM_DISABLED);
        }
        check_flags(tx, env, 0)?;
        let signature = key_signature(tx);
        if name_of(tx).is_none() || signature.is_empty() || signature.len() > KEY_SIGNATURE_BYTES_MAX {
            return Err(Ter::TEM_MALFORMED);
        }
        Ok(())
    }

    /// What costs little before what costs much.
    fn preclaim(&self, tx: &Transaction, env: &Env, sandbox: &Sandbox<'_>) -> Result<(), Ter> {
        let entry = name_of(tx).and_then(|name| sandbox.entry(&name.keylet()));
        let key = entry.as_ref().and_then(accused).ok_or(Ter::TEC_NO_ENTRY)?;
        if sandbox.contains(&key.leak_keylet()) {
            return Err(Ter::TEF_ALREADY);
        }
        if !amendment::proves_leak(env.network_id, &key, key_signature(tx)) {
            return Err(Ter::TEF_BAD_SIGNATURE);
        }
        Ok(())
    }

    fn apply(&self, apply: &mut Apply<'_>) -> Result<(), Ter> {
        let name = name_of(apply.tx).ok_or(Ter::TEF_INTERNAL)?;
        let entry = apply.sandbox.entry(&name.keylet()).ok_or(Ter::TEF_INTERNAL)?;
        let key = accused(&entry).ok_or(Ter::TEF_INTERNAL)?;
        let evidence = Object::new()
            .with(sf::LEDGER_ENTRY_TYPE, EntryType::DkimLeak.code())
            .with(sf::FLAGS, 0u32);
        apply.sandbox.put(key.leak_keylet(), evidence);
        let entry = ended(entry, &key, apply.env.now());
        apply.sandbox.put(name.keylet(), entry);
        Ok(())
    }
}

fn name_of(tx: &Transaction) -> Option<KeyName> {
    KeyName::new(tx.object().blob(sf::DOMAIN)?, tx.object().blob(sf::SELECTOR)?)
}

fn key_signature(tx: &Transaction) -> &[u8] {
    tx.object().blob(sf::KEY_SIGNATURE).unwrap_or(&[])
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
    let flags = flags_of(&entry) & LSF_DKIM_STRICT;
    without_keys(entry)
        .with(sf::FLAGS, flags)
        .with(sf::DKIM_KEY_TYPE, key.key_type().code())
        .with(sf::PUBLIC_KEY, key.public_key())
        .with(sf::REVOKED_AT, revoked_at)
}
