//! `account_info`: the AccountRoot of an account.

use codec::{AccountId, flags, sf};
use serde_json::{Map, Value, json};

use super::{Answer, Context, Method};
use crate::api::{LedgerChoice, Role};
use crate::error::RpcError;
use crate::params::{Params, bounded_word};
use crate::wire::{hash_value, object_members, write_ledger_id};

pub(super) const METHOD: Method = Method {
    names: &["account_info"],
    fields: &["account", "ledger_hash", "ledger_index", "ledger", "strict"],
    role: Role::Guest,
    run,
};

/// The names that `account_flags` shows, with their bits. The last one is ours (spec 11).
const FLAGS: [(&str, u32); 16] = [
    ("defaultRipple", flags::LSF_DEFAULT_RIPPLE),
    ("depositAuth", flags::LSF_DEPOSIT_AUTH),
    ("disableMasterKey", flags::LSF_DISABLE_MASTER),
    ("disallowIncomingCheck", flags::LSF_DISALLOW_INCOMING_CHECK),
    (
        "disallowIncomingNFTokenOffer",
        flags::LSF_DISALLOW_INCOMING_NFTOKEN_OFFER,
    ),
    ("disallowIncomingPayChan", flags::LSF_DISALLOW_INCOMING_PAY_CHAN),
    ("disallowIncomingRemit", flags::LSF_DISALLOW_INCOMING_REMIT),
    (
        "disallowIncomingTrustline",
        flags::LSF_DISALLOW_INCOMING_TRUSTLINE,
    ),
    ("disallowIncomingXRP", flags::LSF_DISALLOW_XRP),
    ("globalFreeze", flags::LSF_GLOBAL_FREEZE),
    ("noFreeze", flags::LSF_NO_FREEZE),
    ("passwordSpent", flags::LSF_PASSWORD_SPENT),
    ("requireAuthorization", flags::LSF_REQUIRE_AUTH),
    ("requireDestinationTag", flags::LSF_REQUIRE_DEST_TAG),
    ("tshCollect", flags::LSF_TSH_COLLECT),
    ("disableEmail", flags::LSF_DISABLE_EMAIL),
];

fn run(context: &Context<'_>, params: &Params) -> Answer {
    let text = params
        .text("account")?
        .ok_or(RpcError::MissingField { field: "account" })?;
    let account = AccountId::parse_classic(text).map_err(|_| RpcError::AccountMalformed)?;
    params.is_set("strict")?;
    let choice = params.ledger()?.unwrap_or(LedgerChoice::Current);
    let answer = context
        .node
        .account(account, choice)
        .map_err(|error| match error {
            RpcError::AccountNotFound { .. } => RpcError::AccountNotFound {
                account: bounded_word(text),
            },
            other => other,
        })?;
    let mut root = object_members(&answer.root);
    root.insert("index".to_owned(), hash_value(&answer.key));
    let bits = answer.root.u32(sf::FLAGS).unwrap_or(0);
    let account_flags: Map<String, Value> = FLAGS
        .iter()
        .map(|(name, bit)| ((*name).to_owned(), json!(bits & bit != 0)))
        .collect();
    let mut out = Map::new();
    out.insert("account_data".to_owned(), Value::Object(root));
    out.insert("account_flags".to_owned(), Value::Object(account_flags));
    write_ledger_id(answer.ledger, &mut out);
    Ok(out)
}
