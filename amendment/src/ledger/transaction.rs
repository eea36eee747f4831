//! From an order to a transaction, and the replay key of a mail. Knows the derived fields and the wrapper, no
//! ledger.
//!
//! Spec: 6, 8.1.

use codec::format::TxType;
use codec::{AccountId, Amount, Drops, Hash256, LedgerIndex, Object, Value, flags, sf};

use crate::instruction::order::Order;
use crate::limits::NETWORK_ID_UNWRITTEN_MAX;

/// Hash of the signed meaning of a mail; shown as upper-case hex. What section 8 refuses to execute twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailId(Hash256);

impl EmailId {
    /// SHA-512Half( "EID" 00 || NetworkID || From AccountID || D || derived fields ).
    ///
    /// Spec: 8.1. Made of meaning, not of `b=` and not of Message-ID: two signatures on one mail, another
    /// recipient's copy, a changed unsigned line or another wrapper give the same id.
    pub(crate) fn of(network_id: u32, from: AccountId, date: u32, order: &Order) -> EmailId {
        let meaning = codec::encode(&derived_fields(order));
        EmailId(codec::hash::sha512_half(&[
            b"EID\0",
            &network_id.to_be_bytes(),
            from.as_bytes(),
            &date.to_be_bytes(),
            &meaning,
        ]))
    }

    /// From the hash, as requests and replay entries carry it.
    #[must_use]
    pub const fn new(hash: Hash256) -> EmailId {
        EmailId(hash)
    }

    /// The hash.
    #[must_use]
    pub const fn hash(&self) -> Hash256 {
        self.0
    }
}

impl std::fmt::Display for EmailId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Fields that a transaction has room for before it grows; a Remit by mail has 12.
const FIELDS_EXPECTED: usize = 12;

/// TransactionType, DestinationTag, Destination, RegularKey and Amounts of an order, where it has them.
///
/// Spec: 6.1.
fn derived_fields(order: &Order) -> Object {
    match order {
        Order::Remit { amount, to } => {
            let entry = Object::with_capacity(1).with(sf::AMOUNT, *amount);
            let object = Object::with_capacity(FIELDS_EXPECTED)
                .with(sf::TRANSACTION_TYPE, TxType::Remit.code())
                .with(sf::DESTINATION, to.account())
                .with(sf::AMOUNTS, vec![(sf::AMOUNT_ENTRY, entry)]);
            match to.tag() {
                Some(tag) => object.with(sf::DESTINATION_TAG, tag),
                None => object,
            }
        }
        // AFTER is no part: the same new key in the same second is the same order.
        Order::Rekey { key, .. } => Object::new()
            .with(sf::TRANSACTION_TYPE, TxType::SetRegularKey.code())
            .with(sf::REGULAR_KEY, *key),
    }
}

/// The transaction that a mail makes, without Sequence, Fee and LastLedgerSequence.
///
/// Spec: 6.1, 6.2.
pub(crate) fn derived(order: &Order, account: AccountId, network_id: u32, normal_form: &[u8]) -> Object {
    let memo = Object::new().with(sf::MEMO_DATA, normal_form);
    without_memo(order, account, network_id).with(sf::MEMOS, vec![(sf::MEMO, memo)])
}

/// The same without its memo.
///
/// Spec: 6.1, 6.2.
pub(crate) fn without_memo(order: &Order, account: AccountId, network_id: u32) -> Object {
    let mut tx = derived_fields(order)
        .with(sf::FLAGS, flags::TF_EMAIL_SIG | flags::TF_FULLY_CANONICAL_SIG)
        .with(sf::ACCOUNT, account)
        .with(sf::SIGNING_PUB_KEY, Value::Blob(Vec::new()));
    if network_id > NETWORK_ID_UNWRITTEN_MAX {
        tx.set(sf::NETWORK_ID, network_id);
    }
    tx
}

/// A derived transaction with the three fields that its submitter may choose.
///
/// Spec: 6.2, 6.3.
pub(crate) fn wrapped(
    derived: Object,
    sequence: u32,
    fee: Drops,
    last_ledger_sequence: LedgerIndex,
) -> Object {
    derived
        .with(sf::SEQUENCE, sequence)
        .with(sf::FEE, Amount::from_drops(fee))
        .with(sf::LAST_LEDGER_SEQUENCE, last_ledger_sequence.get())
}
