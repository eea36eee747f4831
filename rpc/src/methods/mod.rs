//! The methods, one per file: its request and its reply as types, how the server reads the one and writes the
//! other, and how the client does it the other way round.

mod account_info;
mod account_tx;
mod dkim_freeze;
mod dkim_keys;
mod feature;
mod fee;
mod ledger;
mod ledger_accept;
mod ledger_entry;
mod method;
mod ping;
mod server_definitions;
mod server_info;
mod submit;
mod submit_email;
mod tx;
mod validator_votes;

use serde_json::{Map, Value};

use crate::api::Role;
use crate::error::RpcError;
use crate::params::{Params, bounded_word};
use method::Method;

pub use account_info::{AccountInfoReply, AccountInfoRequest};
pub use account_tx::{AccountTxReply, AccountTxRequest, AccountTxRow};
pub use dkim_freeze::FreezeRequest;
pub use dkim_keys::{DkimKeysReply, DkimKeysRequest};
pub use feature::{FeatureReply, FeatureRequest, FeatureRow};
pub use fee::{FeeReply, FeeRequest};
pub use ledger::{LedgerReply, LedgerRequest};
pub use ledger_accept::{LedgerAcceptReply, LedgerAcceptRequest};
pub use ledger_entry::{LedgerEntryReply, LedgerEntryRequest};
pub use method::{Answer, Answered, Context, Form, Request};
pub use ping::{PingReply, PingRequest};
pub use server_info::{ServerInfoReply, ServerInfoRequest, ValidatedLedger};
pub use submit::{SubmitReply, SubmitRequest};
pub use submit_email::SubmitEmailReply;
pub use tx::{TxReply, TxRequest};

/// All methods.
const METHODS: [Method; 16] = [
    account_info::METHOD,
    account_tx::METHOD,
    dkim_freeze::METHOD,
    dkim_keys::METHOD,
    feature::METHOD,
    fee::METHOD,
    ledger::METHOD,
    ledger_accept::METHOD,
    ledger_entry::METHOD,
    ping::METHOD,
    server_definitions::METHOD,
    server_info::METHOD,
    submit::METHOD,
    submit_email::METHOD,
    tx::METHOD,
    validator_votes::METHOD,
];

/// Find the method, check the caller's role and the names of the parameters, and run it. The parameters may
/// stand among the members of the envelope.
pub fn dispatch(context: &Context<'_>, method: &str, members: &Map<String, Value>) -> Answer {
    let method = METHODS
        .iter()
        .find(|candidate| candidate.names.contains(&method))
        .ok_or_else(|| RpcError::UnknownCommand {
            method: bounded_word(method),
        })?;
    if method.role == Role::Admin && context.peer.role != Role::Admin {
        return Err(RpcError::NoPermission);
    }
    let params = match method.only {
        Some(known) => Params::strict(members, known)?,
        None => Params::of(members),
    };
    (method.run)(context, &params)
}
