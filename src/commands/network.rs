//! `network init`: the files of a new network.

use super::{Failure, Outcome};
use crate::cli;
use crate::clock;
use crate::output::Format;
use ::network::config::{Config, NetworkTable};
use ::network::init::{NewNetwork, Newcomer, add as add_node, init as init_files};
use ::network::limits::VALIDATORS_MAX;
use node::Fund;
use serde_json::json;
use std::io::Read as _;
use std::path::PathBuf;

/// Writes the files of a new network.
pub(crate) fn init(args: &cli::NetworkInit, format: Format) -> Result<Outcome, Failure> {
    if !(1..=VALIDATORS_MAX).contains(&args.validators) {
        return Err(Failure::Argument(format!(
            "--validators {}: a network has 1 to {VALIDATORS_MAX}",
            args.validators
        )));
    }
    for text in &args.fund {
        Fund::parse(text)?;
    }
    let absolute = |path: &std::path::PathBuf| std::path::absolute(path);
    let new = NewNetwork {
        out: args.out.clone(),
        validators: args.validators,
        followers: args.followers,
        host: args.host,
        port: args.port,
        network: NetworkTable {
            id: args.network,
            start: clock::now_unix(),
            key_delay_first: args.key_delay_first,
            key_delay_next: args.key_delay_next,
            epoch: args.epoch,
            majority: args.majority,
            email: !args.without_email,
            fund: args.fund.clone(),
        },
        dkim_keys: args.keys.keys.as_ref().map(absolute).transpose()?,
        dns: args.keys.dns.iter().map(ToString::to_string).collect(),
        dnssec: Some(args.keys.check.dnssec.to_string()),
        dns_anchors: args.keys.check.dns_anchors.as_ref().map(absolute).transpose()?,
        dns_authority: args.keys.check.dns_authority.as_ref().map(absolute).transpose()?,
    };
    let files = make(&new)?;
    if format.is_json() {
        let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        out!("{}", json!({ "network_id": args.network, "configs": files }));
        return Ok(Outcome::Yes);
    }
    out!(
        "{} nodes of network {}, a folder for each. Start each one:",
        files.len(),
        args.network
    );
    for file in &files {
        out!("  xahau-email validator --config {}", file.display());
    }
    if let Some(file) = files.first() {
        out!("Then look at them:");
        out!("  xahau-email network status --config {}", file.display());
    }
    Ok(Outcome::Yes)
}

/// Makes the files of a network, with fresh keys.
pub(crate) fn make(new: &NewNetwork) -> Result<Vec<PathBuf>, Failure> {
    Ok(init_files(new, entropy)?)
}

fn entropy() -> std::io::Result<[u8; 16]> {
    let mut entropy = [0; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut entropy)?;
    Ok(entropy)
}

/// Writes the files of one more node of a network.
pub(crate) fn add(args: &cli::NetworkAdd, format: Format) -> Result<Outcome, Failure> {
    let config = Config::read(&args.config)?;
    let newcomer = Newcomer {
        out: args.out.clone(),
        name: args.name.clone(),
        peer: args.peer,
        rpc: args.rpc,
    };
    let (path, node) = add_node(&config, &newcomer, entropy)?;
    if format.is_json() {
        out!(
            "{}",
            json!({ "config": path.display().to_string(), "node": node })
        );
        return Ok(Outcome::Yes);
    }
    out!(
        "Each of the other nodes needs this in its configuration, and to be started again, one after the other:"
    );
    out!("");
    out!("[[nodes]]");
    out!("name = \"{}\"", node.name);
    out!("part = \"follower\"");
    out!("public_key = \"{}\"", node.public_key);
    out!("peer = \"{}\"", node.peer);
    out!("rpc = \"{}\"", node.rpc);
    out!("");
    out!("Then start the new one, which follows:");
    out!("  xahau-email validator --config {}", path.display());
    out!(
        "It votes once the validators have voted for a list with it ('xahau-email network vote --add {}').",
        node.name
    );
    Ok(Outcome::Yes)
}
