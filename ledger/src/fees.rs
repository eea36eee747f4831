//! Fee and reserves of a ledger, and what a transaction has to pay at least.
//!
//! Xahau's rules (Transactor.cpp `calculateBaseFee`, FeeSettings). Does not know the fee of email-signed transactions:
//! that is the crate `amendment` (spec section 9).

use codec::format::TxType;
use codec::{Amount, Field, Object, keylet, sf};

use crate::state_map::StateMap;
use crate::transaction::Transaction;

/// Base fee and reserves, in drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    /// Fee of the plainest transaction.
    pub base_drops: u64,
    /// Reserve of an account that owns nothing.
    pub reserve_base_drops: u64,
    /// Reserve for each object that it owns.
    pub reserve_increment_drops: u64,
}

impl Fees {
    /// The values in a ledger's FeeSettings; all zero where it has none.
    #[must_use]
    pub fn of(state: &StateMap) -> Fees {
        let entry = state
            .entry(&keylet::fees())
            .and_then(|bytes| codec::decode(bytes).ok());
        let settings = entry.unwrap_or_default();
        Fees {
            base_drops: drops(&settings, sf::BASE_FEE_DROPS)
                .or_else(|| settings.u64(sf::BASE_FEE))
                .unwrap_or(0),
            reserve_base_drops: drops(&settings, sf::RESERVE_BASE_DROPS)
                .or_else(|| settings.u32(sf::RESERVE_BASE).map(u64::from))
                .unwrap_or(0),
            reserve_increment_drops: drops(&settings, sf::RESERVE_INCREMENT_DROPS)
                .or_else(|| settings.u32(sf::RESERVE_INCREMENT).map(u64::from))
                .unwrap_or(0),
        }
    }

    /// Reserve of an account that owns so many objects.
    #[must_use]
    pub fn account_reserve_drops(&self, owner_count: u32) -> u64 {
        let owned = self
            .reserve_increment_drops
            .saturating_mul(u64::from(owner_count));
        self.reserve_base_drops.saturating_add(owned)
    }
}

/// A field that holds drops; `None` where absent, issued or negative.
pub(crate) fn drops(object: &Object, field: Field) -> Option<u64> {
    match object.amount(field)? {
        Amount::Native(value) => u64::try_from(value).ok(),
        Amount::Issued(_) => None,
    }
}

/// The ordinary base fee: one drop for each byte of memos and hook parameters, and of a Remit's Blob, on top of the
/// ledger's base fee. A free SetRegularKey is judged by its transactor.
pub(crate) fn base_fee_drops(tx: &Transaction, fees: &Fees) -> u64 {
    let memos = bytes_in(
        tx.object(),
        sf::MEMOS,
        &[sf::MEMO_TYPE, sf::MEMO_DATA, sf::MEMO_FORMAT],
    );
    let parameters = bytes_in(
        tx.object(),
        sf::HOOK_PARAMETERS,
        &[sf::HOOK_PARAMETER_NAME, sf::HOOK_PARAMETER_VALUE],
    );
    let blob = match tx.tx_type() {
        TxType::Remit => bytes_of(tx.object(), sf::BLOB),
        _ => 0,
    };
    fees.base_drops
        .saturating_add(memos)
        .saturating_add(parameters)
        .saturating_add(blob)
}

/// Bytes of the given fields over all elements of an array.
fn bytes_in(object: &Object, array: Field, fields: &[Field]) -> u64 {
    let elements = object.array(array).unwrap_or(&[]);
    let sizes = elements
        .iter()
        .flat_map(|(_, element)| fields.iter().map(|field| bytes_of(element, *field)));
    sizes.fold(0, u64::saturating_add)
}

fn bytes_of(object: &Object, field: Field) -> u64 {
    object
        .blob(field)
        .and_then(|bytes| u64::try_from(bytes.len()).ok())
        .unwrap_or(0)
}
