//! DKIM keys on the ledger: the pseudo-transactions that validators' words make of it.
//!
//! Spec sections 7.1, 7.2, 7.4. What they sign, and what it does to the state, is in `amendment`.

use codec::format::EntryType;
use codec::keys::PublicKey;
use codec::{LedgerIndex, Object, keylet, sf};

use crate::ledger::Ledger;
use crate::transaction::Transaction;
use crate::view::{Env, LedgerKind, View};

pub use amendment::{
    Answer, Attestation, KeyDelays, Ruling, Statement, Subject, is_waiting_for, may_count, quorum,
    validators_of,
};

/// The validators in a ledger's list, sorted; empty without a list. Spec: 7.2
#[must_use]
pub fn validators(ledger: &Ledger) -> Vec<PublicKey> {
    validators_of(&ledger.entry(&keylet::unl_report()).unwrap_or_default())
}

/// The DKIMKeySet for the ledger after `parent`, of the attestations that count there and say the same as the
/// first of them; `None` where they make no quorum, or would change nothing. Spec: 7.2, 7.10
#[must_use]
pub fn build_key_set(parent: &Ledger, network_id: u32, attestations: &[Attestation]) -> Option<Transaction> {
    let env = Env {
        network_id,
        ..Env::of(parent, LedgerKind::Closed)
    };
    let set = amendment::build_key_set(&View::new(&env, parent.state()), attestations)?;
    Transaction::from_object(&set).ok()
}

/// All DKIMKeys of a ledger, the one with the delays of keys among them. Looks at the whole state: not for every
/// ledger.
pub fn keys(ledger: &Ledger) -> impl Iterator<Item = Object> {
    let entries = ledger.state().iter().map(|(_, bytes)| bytes);
    // Most entries are something else, and need no decoding: the type is the first field of all of them.
    let begin = codec::encode(&Object::new().with(sf::LEDGER_ENTRY_TYPE, EntryType::DkimKey.code()));
    entries
        .filter(move |bytes| bytes.starts_with(&begin))
        .filter_map(|bytes| codec::decode(bytes).ok())
}

/// DKIMKeySets without attestations that remove keys not renewed for 30 days, at most `removals_max` of them.
/// Reads the whole state: not for every ledger. Spec: 7.4
#[must_use]
pub fn build_removals(parent: &Ledger, removals_max: usize) -> Vec<Transaction> {
    let next = LedgerIndex::new(parent.index().get().saturating_add(1));
    keys(parent)
        .filter_map(|entry| amendment::build_removal(&entry, parent.close_time(), next))
        .filter_map(|set| Transaction::from_object(&set).ok())
        .take(removals_max)
        .collect()
}
