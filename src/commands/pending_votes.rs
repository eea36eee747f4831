//! What the votes on a network's ledger are for: asked of a node, and in words.

use ::network::config::{Config, NodeTable};
use rpc::{Client, ClientError};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long a node may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Public keys of validators, as text.
pub(super) type List = BTreeSet<String>;

pub(super) async fn connect(node: &NodeTable) -> Result<Client, ClientError> {
    Client::connect_with_patience(&format!("ws://{}", node.rpc), PATIENCE).await
}

/// The votes as a node has them, after its operator's own one where the parameters say one.
pub(super) async fn ask_votes(
    node: &NodeTable,
    parameters: Map<String, Value>,
) -> Result<Value, ClientError> {
    connect(node).await?.request("validator_votes", parameters).await
}

/// What the votes on a ledger are for, a line for each wish.
pub(super) fn pending(config: &Config, votes: &Value) -> Vec<String> {
    let listed = list_of(&votes["validators"]);
    let quorum = votes["quorum"].as_u64().unwrap_or_default();
    let mut lists: BTreeMap<List, Vec<String>> = BTreeMap::new();
    let mut amendments: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for vote in votes["votes"].as_array().into_iter().flatten() {
        let voter = name(config, vote["public_key"].as_str().unwrap_or_default());
        let list = list_of(&vote["validators"]);
        if !list.is_empty() && list != listed {
            lists.entry(list).or_default().push(voter.clone());
        }
        for amendment in vote["amendments"].as_array().into_iter().flatten() {
            let amendment = amendment.as_str().unwrap_or_default();
            amendments.entry(amendment).or_default().push(voter.clone());
        }
    }
    let of_list = lists.iter().filter_map(|(list, voters)| {
        let change = change(config, &listed, list)?;
        let missing = quorum.saturating_sub(voters.len() as u64);
        let state = match missing {
            0 => "enough".to_owned(),
            missing => format!("{missing} more needed"),
        };
        Some(format!("for the list {change}: {} ({state})", voters.join(", ")))
    });
    let of_amendments = amendments.iter().map(|(amendment, voters)| {
        let (votes, all) = (voters.len(), listed.len());
        format!(
            "for the amendment {amendment}: {} ({votes} of {all})",
            voters.join(", ")
        )
    });
    of_list.chain(of_amendments).collect()
}

/// How a list differs from the ledger's; `None` where it does not.
pub(super) fn change(config: &Config, listed: &List, wanted: &List) -> Option<String> {
    if wanted.is_empty() || wanted == listed {
        return None;
    }
    let (added, removed) = (
        names(config, wanted.difference(listed)),
        names(config, listed.difference(wanted)),
    );
    Some(match (added.is_empty(), removed.is_empty()) {
        (false, false) => format!("with {added}, without {removed}"),
        (false, true) => format!("with {added}"),
        (true, _) => format!("without {removed}"),
    })
}

/// The names of nodes.
pub(super) fn names<'a>(config: &Config, keys: impl IntoIterator<Item = &'a String>) -> String {
    let mut names: Vec<String> = keys.into_iter().map(|key| name(config, key)).collect();
    names.sort();
    names.join(", ")
}

/// The name of a node, or the key of one that the file does not know.
fn name(config: &Config, key: &str) -> String {
    let node = config.file.nodes.iter().find(|node| node.public_key == key);
    node.map_or_else(|| key.to_owned(), |node| node.name.clone())
}

/// Public keys in an answer.
pub(super) fn list_of(value: &Value) -> List {
    let keys = value.as_array().into_iter().flatten();
    keys.filter_map(|key| key.as_str().map(str::to_owned)).collect()
}
