//! `account_info`: the AccountRoot of an account.

use codec::{AccountId, Drops, LedgerIndex, flags, sf};
use serde_json::{Map, Value, json};

use super::method::{Answer, Context, Method, Request};
use crate::api::{LedgerChoice, LedgerId, Role};
use crate::error::RpcError;
use crate::params::{Params, bounded_word, write_ledger_choice};
use crate::reply::{self, BadReply, Members};
use crate::wire::{hash_value, object_members, write_ledger_id};

pub(super) const METHOD: Method = Method {
    names: &["account_info"],
    only: None,
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

/// Asks for an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountInfoRequest {
    /// The account.
    pub account: AccountId,
    /// In which ledger.
    pub ledger: LedgerChoice,
}

/// An account. The error `actNotFound` says that there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountInfoReply {
    /// What it has.
    pub balance: Drops,
    /// Its flags.
    pub flags: u32,
    /// Its next sequence.
    pub sequence: Option<u32>,
    /// Entries that it keeps a reserve for.
    pub owner_count: Option<u32>,
    /// The key that may sign for it.
    pub regular_key: Option<AccountId>,
    /// The validated ledger that says so.
    pub ledger_index: Option<LedgerIndex>,
}

impl AccountInfoRequest {
    fn parse(params: &Params<'_>) -> Result<Self, RpcError> {
        let text = params
            .text("account")?
            .ok_or(RpcError::MissingField { field: "account" })?;
        let account = AccountId::parse_classic(text).map_err(|_| RpcError::AccountMalformed)?;
        let ledger = params.ledger()?.unwrap_or(LedgerChoice::Current);
        Ok(Self { account, ledger })
    }
}

impl Request for AccountInfoRequest {
    const METHOD: &'static str = "account_info";
    type Reply = AccountInfoReply;

    fn params(&self) -> Map<String, Value> {
        let mut out = Map::from_iter([("account".to_owned(), json!(self.account.to_string()))]);
        write_ledger_choice(self.ledger, &mut out);
        out
    }

    fn read(result: &Value) -> Result<AccountInfoReply, BadReply> {
        let members = Members::of(result);
        let root = members.object("account_data")?;
        Ok(AccountInfoReply {
            balance: root.required("account_data.Balance", reply::drops)?,
            flags: root.required("account_data.Flags", reply::u32_number)?,
            sequence: root.shown("account_data.Sequence", reply::u32_number),
            owner_count: root.shown("account_data.OwnerCount", reply::u32_number),
            regular_key: root.checked("account_data.RegularKey", reply::account)?,
            ledger_index: members.shown("ledger_index", reply::ledger_index),
        })
    }
}

fn run(context: &Context<'_>, params: &Params<'_>) -> Answer {
    let request = AccountInfoRequest::parse(params)?;
    let answer = context
        .node
        .account(request.account, request.ledger)
        .map_err(|mut error| {
            if let RpcError::AccountNotFound { account } = &mut error {
                *account = bounded_word(&request.account.to_string());
            }
            error
        })?;
    let mut out = Map::new();
    if params.is_set("queue")? {
        // Nothing waits in a queue here; xahaud's is one of the open ledger, too.
        let LedgerId::Open { .. } = answer.ledger else {
            return Err(RpcError::InvalidParams);
        };
        out.insert("queue_data".to_owned(), json!({ "txn_count": 0 }));
    }
    let mut root = object_members(&answer.root);
    // Version 1 takes any value for it. No account here has a list of signers.
    if params
        .value("signer_lists")
        .is_some_and(|asked| *asked != json!(false))
    {
        root.insert("signer_lists".to_owned(), json!([]));
    }
    root.insert("index".to_owned(), hash_value(&answer.key));
    let bits = answer.root.u32(sf::FLAGS).unwrap_or(0);
    let account_flags: Map<String, Value> = FLAGS
        .iter()
        .map(|(name, bit)| ((*name).to_owned(), json!(bits & bit != 0)))
        .collect();
    out.insert("account_data".to_owned(), Value::Object(root));
    out.insert("account_flags".to_owned(), Value::Object(account_flags));
    write_ledger_id(answer.ledger, &mut out);
    Ok(out.into())
}
