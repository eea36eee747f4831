//! `network`: the files of a new network, and what its nodes say of their ledgers.

use super::{Failure, Outcome};
use crate::cli;
use crate::clock;
use crate::output::Format;
use ::network::config::{Config, NetworkTable, NodeTable, PartName};
use ::network::init::{NewNetwork, init as init_files};
use ::network::limits::VALIDATORS_MAX;
use node::Fund;
use rpc::Client;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a node may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

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
            fund: args.fund.clone(),
        },
        dkim_keys: args.keys.keys.as_ref().map(absolute).transpose()?,
        dns: args.keys.dns,
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
    Ok(init_files(new, || {
        let mut entropy = [0; 16];
        std::fs::File::open("/dev/urandom")?.read_exact(&mut entropy)?;
        Ok(entropy)
    })?)
}

/// What a node says of its last ledger.
struct Report {
    index: u64,
    hash: String,
    quorum: u64,
}

/// Asks each node for its last ledger.
pub(crate) async fn status(config: &Path, format: Format) -> Result<Outcome, Failure> {
    let config = Config::read(config)?;
    let mut reports = Vec::new();
    for node in &config.file.nodes {
        reports.push((node, ask(node).await));
    }
    let lowest = reports
        .iter()
        .filter_map(|(_, report)| Some(report.as_ref().ok()?.index))
        .min();
    let mut hashes: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (node, report) in &reports {
        let (Some(index), Ok(_)) = (lowest, report) else {
            continue;
        };
        if let Ok(hash) = hash_of(node, index).await {
            hashes.entry(hash).or_default().push(&node.name);
        }
    }
    let answering = reports.iter().filter(|(_, report)| report.is_ok()).count();
    let agree = hashes.len() <= 1;
    if format.is_json() {
        out!("{}", in_json(&reports, lowest, &hashes));
    } else {
        in_words(&reports, lowest, &hashes);
    }
    Ok(if agree && answering == reports.len() {
        Outcome::Yes
    } else {
        Outcome::No
    })
}

type Reports<'a> = [(&'a NodeTable, Result<Report, String>)];

fn in_json(reports: &Reports<'_>, lowest: Option<u64>, hashes: &BTreeMap<String, Vec<&str>>) -> Value {
    let nodes: Vec<Value> = reports
        .iter()
        .map(|(node, report)| {
            let mut value = json!({
                "name": node.name, "part": node.part, "public_key": node.public_key, "rpc": node.rpc,
            });
            match report {
                Ok(report) => {
                    value["ledger_index"] = json!(report.index);
                    value["ledger_hash"] = json!(report.hash);
                    value["quorum"] = json!(report.quorum);
                }
                Err(error) => value["error"] = json!(error),
            }
            value
        })
        .collect();
    json!({ "nodes": nodes, "compared_ledger": lowest, "hashes": hashes, "agree": hashes.len() <= 1 })
}

fn in_words(reports: &Reports<'_>, lowest: Option<u64>, hashes: &BTreeMap<String, Vec<&str>>) {
    for (node, report) in reports {
        let part = match node.part {
            PartName::Validator => "votes",
            PartName::Follower => "follows",
        };
        match report {
            Ok(report) => out!(
                "{}: ledger {} {} ({part}, {})",
                node.name,
                report.index,
                report.hash,
                node.public_key
            ),
            Err(error) => out!("{}: no answer: {error} ({part}, {})", node.name, node.public_key),
        }
    }
    let quorum = reports
        .iter()
        .find_map(|(_, report)| Some(report.as_ref().ok()?.quorum));
    if let Some(quorum) = quorum {
        out!("{quorum} validators that say the same make a DKIM key of the ledger");
    }
    match lowest {
        None => out!("no node answers"),
        Some(index) if hashes.len() <= 1 => out!("those that answer have the same ledger {index}"),
        Some(index) => {
            out!("nodes differ about ledger {index}:");
            for (hash, names) in hashes {
                out!("  {hash}: {}", names.join(", "));
            }
        }
    }
}

async fn ask(node: &NodeTable) -> Result<Report, String> {
    let reply = request(node, "server_info", Map::new()).await?;
    let info = &reply["info"];
    let ledger = &info["validated_ledger"];
    Ok(Report {
        index: ledger["seq"].as_u64().ok_or("it has no validated ledger")?,
        hash: ledger["hash"].as_str().unwrap_or_default().to_owned(),
        quorum: info["validation_quorum"].as_u64().unwrap_or_default(),
    })
}

async fn hash_of(node: &NodeTable, index: u64) -> Result<String, String> {
    let mut parameters = Map::new();
    parameters.insert("ledger_index".to_owned(), json!(index));
    let reply = request(node, "ledger", parameters).await?;
    let hash = reply["ledger_hash"].as_str();
    hash.map(str::to_owned).ok_or_else(|| "no hash".to_owned())
}

async fn request(node: &NodeTable, method: &str, parameters: Map<String, Value>) -> Result<Value, String> {
    let url = format!("ws://{}", node.rpc);
    let connecting = Client::connect_with_patience(&url, PATIENCE).await;
    let mut client = connecting.map_err(|error| error.to_string())?;
    let reply = client.request(method, parameters).await;
    reply.map_err(|error| error.to_string())
}
