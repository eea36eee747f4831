//! Which transactor applies a transaction type.

use codec::format::TxType;

use super::{
    Transactor, account_set, deposit_preauth, dkim_key_leak, dkim_key_set, enable_amendment, payment, remit,
    set_fee, set_regular_key, ticket_create, trust_set, unl_report, uri_token_burn, validator_vote,
};

/// The transactor of a type; `None` where this ledger does not know the type (temUNKNOWN).
pub(crate) fn transactor(tx_type: TxType) -> Option<&'static dyn Transactor> {
    match tx_type {
        TxType::Payment => Some(&payment::Payment),
        TxType::AccountSet => Some(&account_set::AccountSet),
        TxType::SetRegularKey => Some(&set_regular_key::SetRegularKey),
        TxType::TicketCreate => Some(&ticket_create::TicketCreate),
        TxType::TrustSet => Some(&trust_set::TrustSet),
        TxType::DepositPreauth => Some(&deposit_preauth::DepositPreauth),
        TxType::UriTokenBurn => Some(&uri_token_burn::UriTokenBurn),
        TxType::Remit => Some(&remit::Remit),
        TxType::EnableAmendment => Some(&enable_amendment::EnableAmendment),
        TxType::SetFee => Some(&set_fee::SetFee),
        TxType::UnlReport => Some(&unl_report::UnlReport),
        TxType::DkimKeySet => Some(&dkim_key_set::DkimKeySet),
        TxType::DkimKeyLeak => Some(&dkim_key_leak::DkimKeyLeak),
        TxType::ValidatorVote => Some(&validator_vote::ValidatorVote),
        // The test below sees that this says no to the types without a template, and to no other.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_every_type_that_has_a_template() {
        for tx_type in TxType::ALL {
            let (has_template, has_transactor) =
                (tx_type.template().is_some(), transactor(*tx_type).is_some());
            assert_eq!(has_template, has_transactor, "{}", tx_type.name());
        }
    }
}
