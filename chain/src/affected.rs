//! Which accounts a transaction affects: those that its metadata names in an entry as it is after it.
//!
//! Xahau's rule (TxMeta::getAffectedAccounts): account fields, and issuers of amounts of trust lines and
//! offers.

use std::collections::BTreeSet;

use codec::{AccountId, Amount, Field, Object, Value, sf};

/// Amounts whose issuers count.
const ISSUER_FIELDS: [Field; 4] = [sf::LOW_LIMIT, sf::HIGH_LIMIT, sf::TAKER_PAYS, sf::TAKER_GETS];

/// The accounts, each once.
pub(crate) fn affected_accounts(metadata: &Object) -> Vec<AccountId> {
    let nodes = metadata.array(sf::AFFECTED_NODES).unwrap_or(&[]);
    let mut accounts = BTreeSet::new();
    for (kind, node) in nodes {
        let fields = if *kind == sf::CREATED_NODE {
            sf::NEW_FIELDS
        } else {
            sf::FINAL_FIELDS
        };
        let Some(fields) = node.object(fields) else {
            continue;
        };
        for (field, value) in fields.iter() {
            if let Value::Account(Some(account)) = value {
                accounts.insert(*account);
            } else if let Value::Amount(Amount::Issued(amount)) = value
                && ISSUER_FIELDS.contains(&field)
            {
                accounts.insert(amount.issuer());
            }
        }
    }
    accounts.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(byte: u8) -> AccountId {
        AccountId::new([byte; 20])
    }

    fn limit(issuer: AccountId) -> Amount {
        let usd = codec::Currency::from_iso(*b"USD");
        let amount = codec::IssuedAmount::new(1_000_000_000_000_000, -15, usd, issuer);
        Amount::Issued(amount.expect("an amount"))
    }

    #[test]
    fn accepts_accounts_and_issuers_of_limits_and_rejects_other_fields() {
        let created = Object::new().with(
            sf::NEW_FIELDS,
            Object::new()
                .with(sf::ACCOUNT, account(1))
                .with(sf::LOW_LIMIT, limit(account(2))),
        );
        let modified = Object::new()
            .with(
                sf::FINAL_FIELDS,
                Object::new()
                    .with(sf::ACCOUNT, account(3))
                    .with(sf::REGULAR_KEY, account(4))
                    .with(sf::BALANCE, limit(account(5))),
            )
            .with(
                sf::PREVIOUS_FIELDS,
                Object::new().with(sf::REGULAR_KEY, account(6)),
            );
        let nodes = vec![(sf::CREATED_NODE, created), (sf::MODIFIED_NODE, modified)];
        let metadata = Object::new().with(sf::AFFECTED_NODES, nodes);
        assert_eq!(
            affected_accounts(&metadata),
            [account(1), account(2), account(3), account(4)]
        );
        assert!(affected_accounts(&Object::new()).is_empty());
    }
}
