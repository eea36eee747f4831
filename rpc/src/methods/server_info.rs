//! `server_info`: how the node is.

use serde_json::{Map, json};

use super::{Answer, Context, Method};
use crate::api::{Acceptance, Role};
use crate::params::Params;
use crate::wire::{human_time, xah_number};

pub(super) const METHOD: Method = Method {
    names: &["server_info"],
    fields: &[],
    role: Role::Guest,
    run,
};

fn run(context: &Context<'_>, _params: &Params) -> Answer {
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
        "kept_mails": server.kept_mails,
        "last_close": { "converge_time_s": 0, "proposers": 0 },
        "load_factor": 1,
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
    Ok(Map::from_iter([
        ("info".to_owned(), info),
        ("native_currency_code".to_owned(), json!("XAH")),
    ]))
}
