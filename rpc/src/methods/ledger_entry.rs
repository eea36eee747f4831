//! `ledger_entry`: one entry of the state, by its index or by what its index is made of.
//!
//! Four forms are ours: `dkim_key: {domain, selector}`, `dkim_leak: HASH` of a key, `dkim_freeze: DOMAIN` and
//! `email_replay: ACCOUNT` (spec 7.1, 7.9, 7.10, 8).

use codec::format::EntryType;
use codec::{AccountId, Currency, Hash256, hex_upper, keylet};
use serde_json::{Map, Value, json};

use super::method::{Answer, Context, Form, Method, Request};
use crate::api::{LedgerChoice, Role};
use crate::error::{MalformedEntry, RpcError};
use crate::params::{Params, write_ledger_choice};
use crate::reply::{self, BadReply, Members};
use crate::wire::{hash_value, object_members, write_ledger_id};

pub(super) const METHOD: Method = Method {
    names: &["ledger_entry"],
    only: None,
    role: Role::Guest,
    run,
};

/// How one kind of entry is named: from the parameter's value to the index.
struct Kind {
    field: &'static str,
    /// The type that the entry must have; `None`: any.
    entry_type: Option<EntryType>,
    key: fn(&Params<'_>, &'static str) -> Result<Hash256, RpcError>,
}

const KINDS: [Kind; 11] = [
    Kind {
        field: "index",
        entry_type: None,
        key: index,
    },
    Kind {
        field: "account_root",
        entry_type: Some(EntryType::AccountRoot),
        key: |params, field| account(params, field, MalformedEntry::Address).map(keylet::account),
    },
    Kind {
        field: "ticket",
        entry_type: Some(EntryType::Ticket),
        key: ticket,
    },
    Kind {
        field: "deposit_preauth",
        entry_type: Some(EntryType::DepositPreauth),
        key: deposit_preauth,
    },
    Kind {
        field: "directory",
        entry_type: Some(EntryType::DirectoryNode),
        key: directory,
    },
    Kind {
        field: "ripple_state",
        entry_type: Some(EntryType::RippleState),
        key: ripple_state,
    },
    Kind {
        field: "uri_token",
        entry_type: Some(EntryType::UriToken),
        key: uri_token,
    },
    Kind {
        field: "dkim_key",
        entry_type: Some(EntryType::DkimKey),
        key: dkim_key,
    },
    Kind {
        field: "dkim_leak",
        entry_type: Some(EntryType::DkimLeak),
        key: |params, field| index(params, field).map(|hash| keylet::dkim_leak(&hash)),
    },
    Kind {
        field: "dkim_freeze",
        entry_type: Some(EntryType::DkimFreeze),
        key: |params, field| word(params, field).map(|domain| keylet::dkim_freeze(domain.as_bytes())),
    },
    Kind {
        field: "email_replay",
        entry_type: Some(EntryType::EmailReplay),
        key: |params, field| account(params, field, MalformedEntry::Address).map(keylet::email_replay),
    },
];

/// Asks for an entry by its index: a client makes it with [`codec::keylet`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerEntryRequest {
    /// Its index.
    pub index: Hash256,
    /// In which ledger.
    pub ledger: LedgerChoice,
    /// How it is shown.
    pub form: Form,
}

/// An entry. The error `entryNotFound` says that there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntryReply {
    /// Its index.
    pub index: Hash256,
    /// The entry; `None` in the binary form.
    pub node: Option<Map<String, Value>>,
    /// Its serialization, in the binary form.
    pub blob: Option<Vec<u8>>,
}

impl Request for LedgerEntryRequest {
    const METHOD: &'static str = "ledger_entry";
    type Reply = LedgerEntryReply;

    fn params(&self) -> Map<String, Value> {
        let mut out = Map::from_iter([("index".to_owned(), hash_value(&self.index))]);
        write_ledger_choice(self.ledger, &mut out);
        self.form.write(&mut out);
        out
    }

    fn read(result: &Value) -> Result<LedgerEntryReply, BadReply> {
        let members = Members::of(result);
        Ok(LedgerEntryReply {
            index: members.required("index", reply::hash)?,
            node: members.checked("node", |node| node.as_object().cloned())?,
            blob: members.checked("node_binary", reply::hex_bytes)?,
        })
    }
}

fn run(context: &Context<'_>, params: &Params<'_>) -> Answer {
    let mut asked = KINDS.iter().filter(|kind| params.has(kind.field));
    let kind = match (asked.next(), asked.next()) {
        (Some(kind), None) => kind,
        (None, _) => {
            return Err(RpcError::MissingField {
                field: "index (or account_root, ticket, deposit_preauth, directory, ripple_state, uri_token, \
                        dkim_key, dkim_leak, dkim_freeze, email_replay)",
            });
        }
        (Some(_), Some(_)) => {
            return Err(RpcError::Ambiguous {
                fields: "index, account_root, ticket, deposit_preauth, directory, ripple_state, uri_token, \
                         dkim_key, dkim_leak, dkim_freeze, email_replay",
            });
        }
    };
    let key = (kind.key)(params, kind.field)?;
    let form = Form::parse(params)?;
    let choice = params.ledger()?.unwrap_or(LedgerChoice::Current);
    let answer = context.node.entry(key, choice)?;
    let (entry, blob) = answer.entry.ok_or(RpcError::EntryNotFound)?;
    if kind.entry_type.is_some() && EntryType::of(&entry) != kind.entry_type {
        return Err(RpcError::UnexpectedLedgerType);
    }
    let mut out = Map::new();
    out.insert("index".to_owned(), hash_value(&key));
    match form {
        Form::Binary => {
            out.insert("node_binary".to_owned(), json!(hex_upper(&blob)));
        }
        Form::Json => {
            let mut node = object_members(&entry);
            node.insert("index".to_owned(), hash_value(&key));
            out.insert("node".to_owned(), Value::Object(node));
        }
    }
    write_ledger_id(answer.ledger, &mut out);
    Ok(out.into())
}

fn malformed(what: MalformedEntry) -> RpcError {
    RpcError::MalformedEntry(what)
}

fn index(params: &Params<'_>, field: &'static str) -> Result<Hash256, RpcError> {
    let text = params.value(field).and_then(Value::as_str);
    text.and_then(Hash256::from_hex)
        .ok_or(malformed(MalformedEntry::Request))
}

/// The parts of an entry's name, where the value is no index in hex.
fn parts<'a>(params: &Params<'a>, field: &'static str) -> Result<Named<'a>, RpcError> {
    match params.value(field) {
        Some(Value::String(_)) => index(params, field).map(Named::Index),
        Some(Value::Object(_)) => params
            .nested(field)?
            .map(Named::Parts)
            .ok_or(malformed(MalformedEntry::Request)),
        _ => Err(malformed(MalformedEntry::Request)),
    }
}

enum Named<'a> {
    Index(Hash256),
    Parts(Params<'a>),
}

fn account(params: &Params<'_>, field: &str, wrong: MalformedEntry) -> Result<AccountId, RpcError> {
    let value = params.value(field).ok_or(malformed(MalformedEntry::Request))?;
    let text = value.as_str().ok_or(malformed(wrong))?;
    AccountId::parse_classic(text).map_err(|_| malformed(wrong))
}

fn ticket(params: &Params<'_>, field: &'static str) -> Result<Hash256, RpcError> {
    match parts(params, field)? {
        Named::Index(index) => Ok(index),
        Named::Parts(parts) => {
            let owner = account(&parts, "account", MalformedEntry::Address)?;
            let sequence = parts
                .number("ticket_seq")?
                .ok_or(malformed(MalformedEntry::Request))?;
            Ok(keylet::ticket(owner, sequence))
        }
    }
}

fn deposit_preauth(params: &Params<'_>, field: &'static str) -> Result<Hash256, RpcError> {
    match parts(params, field)? {
        Named::Index(index) => Ok(index),
        Named::Parts(parts) => Ok(keylet::deposit_preauth(
            account(&parts, "owner", MalformedEntry::Owner)?,
            account(&parts, "authorized", MalformedEntry::Address)?,
        )),
    }
}

fn directory(params: &Params<'_>, field: &'static str) -> Result<Hash256, RpcError> {
    let parts = match parts(params, field)? {
        Named::Index(index) => return Ok(index),
        Named::Parts(parts) => parts,
    };
    let page = u64::from(parts.number("sub_index")?.unwrap_or(0));
    let root = match (parts.has("owner"), parts.has("dir_root")) {
        (true, false) => keylet::owner_dir(account(&parts, "owner", MalformedEntry::Address)?),
        (false, true) => index(&parts, "dir_root")?,
        _ => return Err(malformed(MalformedEntry::Request)),
    };
    Ok(keylet::dir_page(root, page))
}

fn ripple_state(params: &Params<'_>, field: &'static str) -> Result<Hash256, RpcError> {
    let parts = match parts(params, field)? {
        Named::Index(index) => return Ok(index),
        Named::Parts(parts) => parts,
    };
    let accounts: Vec<&Value> = match parts.value("accounts") {
        Some(Value::Array(accounts)) => accounts.iter().collect(),
        _ => Vec::new(),
    };
    let [a, b] = accounts[..] else {
        return Err(malformed(MalformedEntry::Request));
    };
    let parse = |value: &Value| {
        let text = value.as_str().ok_or(malformed(MalformedEntry::Request))?;
        AccountId::parse_classic(text).map_err(|_| malformed(MalformedEntry::Address))
    };
    let (a, b) = (parse(a)?, parse(b)?);
    if a == b {
        return Err(malformed(MalformedEntry::Request));
    }
    let code = parts.value("currency").and_then(Value::as_str);
    let code = code.ok_or(malformed(MalformedEntry::Request))?;
    let currency = Currency::parse(code).ok_or(malformed(MalformedEntry::Currency))?;
    Ok(keylet::line(a, b, currency))
}

fn uri_token(params: &Params<'_>, field: &'static str) -> Result<Hash256, RpcError> {
    match parts(params, field)? {
        Named::Index(index) => Ok(index),
        Named::Parts(parts) => {
            let uri = parts.value("uri").and_then(Value::as_str);
            let uri = uri.ok_or(malformed(MalformedEntry::Request))?;
            let issuer = account(&parts, "issuer", MalformedEntry::Address)?;
            Ok(keylet::uri_token(issuer, uri.as_bytes()))
        }
    }
}

/// Names are lower case on the ledger (spec 4.4).
fn word(params: &Params<'_>, field: &str) -> Result<String, RpcError> {
    let text = params.value(field).and_then(Value::as_str);
    text.map(str::to_ascii_lowercase)
        .ok_or(malformed(MalformedEntry::Request))
}

fn dkim_key(params: &Params<'_>, field: &'static str) -> Result<Hash256, RpcError> {
    match parts(params, field)? {
        Named::Index(index) => Ok(index),
        Named::Parts(parts) => {
            let (domain, selector) = (word(&parts, "domain")?, word(&parts, "selector")?);
            Ok(keylet::dkim_key(domain.as_bytes(), selector.as_bytes()))
        }
    }
}
