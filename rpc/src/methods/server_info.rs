//! `server_info`: the state of the node.

use codec::{Drops, Hash256, LedgerIndex};
use serde_json::{Map, Value, json};

use super::fee::REFERENCE_LEVEL;
use super::method::{Answer, Context, Method, Request};
use crate::api::{Acceptance, Role};
use crate::params::Params;
use crate::reply::{self, BadReply, Members};
use crate::wire::{clock_warnings, human_time, xah_number};

pub(super) const METHOD: Method = Method {
    names: &["server_info"],
    only: None,
    role: Role::Guest,
    run,
};

/// Asks for the state of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerInfoRequest;

/// The state of a node. xahaud leaves out what it does not know yet, so all members are optional.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerInfoReply {
    /// Version of its program.
    pub build_version: Option<String>,
    /// Its network.
    pub network_id: Option<u32>,
    /// Whether it follows its network: `full` does.
    pub server_state: Option<String>,
    /// Validations that make a ledger validated.
    pub validation_quorum: Option<u32>,
    /// Its ledgers, such as `2-17`.
    pub complete_ledgers: Option<String>,
    /// Mails that wait for their key. Ours alone.
    pub kept_mails: Option<u32>,
    /// Whether its disk is full. Ours alone.
    pub disk_full: bool,
    /// Its last validated ledger.
    pub validated_ledger: Option<ValidatedLedger>,
}

/// The last validated ledger of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ValidatedLedger {
    /// Its index.
    pub seq: Option<LedgerIndex>,
    /// Its hash.
    pub hash: Option<Hash256>,
    /// How old it is, seconds.
    pub age_secs: Option<u64>,
    /// What the cheapest transaction costs.
    pub base_fee: Option<Drops>,
    /// Reserve of an account.
    pub reserve_base: Option<Drops>,
    /// Reserve of each owned entry.
    pub reserve_increment: Option<Drops>,
}

impl Request for ServerInfoRequest {
    const METHOD: &'static str = "server_info";
    type Reply = ServerInfoReply;

    fn params(&self) -> Map<String, Value> {
        Map::new()
    }

    fn read(result: &Value) -> Result<ServerInfoReply, BadReply> {
        let info = Members::of(result).object("info")?;
        let ledger = info.object("info.validated_ledger").ok();
        Ok(ServerInfoReply {
            build_version: info.shown("info.build_version", reply::text),
            network_id: info.shown("info.network_id", reply::u32_number),
            server_state: info.shown("info.server_state", reply::text),
            validation_quorum: info.shown("info.validation_quorum", reply::u32_number),
            complete_ledgers: info.shown("info.complete_ledgers", reply::text),
            kept_mails: info.shown("info.kept_mails", reply::u32_number),
            disk_full: info.shown("info.disk_full", reply::flag).unwrap_or(false),
            validated_ledger: ledger.map(ValidatedLedger::read),
        })
    }
}

impl ValidatedLedger {
    fn read(ledger: Members<'_>) -> ValidatedLedger {
        // rippled's name comes second: what Xahau calls native is XAH.
        let xah = |native: &'static str, other: &'static str| {
            let value = ledger.get(native).or_else(|| ledger.get(other));
            value.and_then(reply::xah)
        };
        ValidatedLedger {
            seq: ledger.shown("info.validated_ledger.seq", reply::ledger_index),
            hash: ledger.shown("info.validated_ledger.hash", reply::hash),
            age_secs: ledger.shown("info.validated_ledger.age", Value::as_u64),
            base_fee: xah("base_fee_native", "base_fee_xrp"),
            reserve_base: xah("reserve_base_native", "reserve_base_xrp"),
            reserve_increment: xah("reserve_inc_native", "reserve_inc_xrp"),
        }
    }
}

/// How many base fees a place in the open ledger costs: a whole number where it is one.
fn load_factor(level: u64) -> Value {
    if level.is_multiple_of(REFERENCE_LEVEL) {
        return json!(level / REFERENCE_LEVEL);
    }
    let thousandths = u128::from(level) * 1_000 / u128::from(REFERENCE_LEVEL);
    let text = format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000);
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

fn run(context: &Context<'_>, _params: &Params<'_>) -> Answer {
    let server = context.node.server()?;
    let validated = &server.validated;
    let age_secs = server
        .now
        .seconds()
        .saturating_sub(validated.close_time.seconds());
    let (server_state, is_disk_full) = match server.acceptance {
        Acceptance::Open => ("full", false),
        Acceptance::DiskFull => ("connected", true),
    };
    let mut info = json!({
        "build_version": server.build_version,
        "complete_ledgers": format!("{}-{}", server.first_ledger.get(), validated.index.get()),
        "held_transactions": server.held_transactions,
        "kept_mails": server.mails.kept(),
        "last_close": { "converge_time_s": 0, "proposers": 0 },
        "mails": {
            "for_close": server.mails.for_close,
            "for_funds": server.mails.for_funds,
            "for_key": server.mails.for_key,
            "for_time": server.mails.for_time,
        },
        "load_factor": load_factor(server.open_ledger_level),
        "network_id": server.network_id,
        "peers": 0,
        "pubkey_node": server.pubkey_node,
        "server_state": server_state,
        "time": human_time(server.now),
        "uptime": server.uptime_secs,
        "validated_ledger": {
            "age": age_secs,
            "base_fee_native": xah_number(server.base_fee),
            "base_fee_xrp": xah_number(server.base_fee),
            "hash": validated.hash.to_string(),
            "reserve_base_native": xah_number(server.reserve_base),
            "reserve_base_xrp": xah_number(server.reserve_base),
            "reserve_inc_native": xah_number(server.reserve_increment),
            "reserve_inc_xrp": xah_number(server.reserve_increment),
            "seq": validated.index.get(),
        },
        "validation_quorum": server.validation_quorum,
    });
    if let Some(members) = info.as_object_mut().filter(|_| is_disk_full) {
        members.insert("disk_full".to_owned(), json!(true));
    }
    if let Some(members) = info
        .as_object_mut()
        .filter(|_| server.open_ledger_level != REFERENCE_LEVEL)
    {
        members.insert("load_factor_server".to_owned(), json!(1));
    }
    if let (Some(fault), Some(members)) = (&server.clock, info.as_object_mut()) {
        members.insert("warnings".to_owned(), clock_warnings(fault));
    }
    Ok(Map::from_iter([
        ("info".to_owned(), info),
        ("native_currency_code".to_owned(), json!("XAH")),
    ])
    .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    // NetworkOPs.cpp `getServerInfo`: the level by the reference level.
    #[test]
    fn accepts_load_factors_as_numbers() {
        for (level, factor) in [
            (256, "1"),
            (128_256, "501"),
            (130_572, "510.046"),
            (3_200_000, "12500"),
        ] {
            assert_eq!(load_factor(level).to_string(), factor);
        }
    }
}
