//! `network vote`: the list of validators that a validator votes for, and who votes for what.

use super::pending_votes::{List, ask_votes, change, connect, list_of, names, pending};
use super::{Failure, Outcome};
use crate::cli;
use crate::output::Format;
use ::network::config::{Config, NodeTable};
use codec::base58::{self, TYPE_NODE_PUBLIC};
use codec::keys::PublicKey;
use rpc::ClientError;
use rpc::methods::ServerInfoRequest;
use serde_json::{Map, Value, json};

/// Ledgers that a node may be behind and still be told to be ready to vote.
const BEHIND_MAX: u64 = 20;

/// Votes, or shows the votes.
pub(crate) async fn run(args: &cli::NetworkVote, format: Format) -> Result<Outcome, Failure> {
    let config = Config::read(&args.config)?;
    let before = own_votes(&config, Map::new()).await?;
    let Some(wanted) = wanted(args, &config, &before)? else {
        show(&config, &before, format);
        return Ok(Outcome::Yes);
    };
    let current = list_of(&before["validators"]);
    let dangers = if wanted == current || args.force {
        Vec::new()
    } else {
        dangers(&config, &before, &wanted).await
    };
    if !dangers.is_empty() {
        if format.is_json() {
            out!("{}", json!({ "voted": false, "dangers": dangers }));
        } else {
            dangers.iter().for_each(|danger| out!("{danger}"));
            out!("Nothing was done. Put that right first; --force votes for it all the same.");
        }
        return Ok(Outcome::No);
    }
    let list = if wanted == current { List::new() } else { wanted };
    let parameters = Map::from_iter([("validators".to_owned(), json!(list))]);
    let after = own_votes(&config, parameters).await?;
    if !format.is_json() {
        let name = &config.own().name;
        match change(&config, &current, &list) {
            Some(change) => {
                out!("{name} votes for the list {change}. Each other operator has to vote for the same.")
            }
            None => out!("{name} votes for the list of validators as it is."),
        }
    }
    show(&config, &after, format);
    Ok(Outcome::Yes)
}

async fn own_votes(config: &Config, parameters: Map<String, Value>) -> Result<Value, Failure> {
    let node = config.own();
    ask_votes(node, parameters).await.map_err(|error| {
        Failure::Argument(format!(
            "{} at {} does not do it: {error}. The node has to run, and its votes are its own operator's: run this \
             command on its machine",
            node.name, node.rpc
        ))
    })
}

/// The last ledger of a node.
async fn last_ledger(node: &NodeTable) -> Result<u64, ClientError> {
    let info = connect(node).await?.call(&ServerInfoRequest).await?;
    let index = info.validated_ledger.and_then(|ledger| ledger.seq);
    index
        .map(|index| u64::from(index.get()))
        .ok_or(ClientError::BadAnswer)
}

/// The list that the arguments ask for; `None` where they ask for none.
fn wanted(args: &cli::NetworkVote, config: &Config, votes: &Value) -> Result<Option<List>, Failure> {
    let current = list_of(&votes["validators"]);
    if args.none {
        return Ok(Some(current));
    }
    if !args.validators.is_empty() {
        let keys = args.validators.iter().map(|word| key(config, word));
        return keys.collect::<Result<List, Failure>>().map(Some);
    }
    if args.add.is_empty() && args.remove.is_empty() {
        return Ok(None);
    }
    // A second --add comes on top of the first one.
    let own = list_of(&votes["wish"]["validators"]);
    let mut list = if own.is_empty() { current } else { own };
    for word in &args.add {
        if !list.insert(key(config, word)?) {
            return Err(Failure::Argument(format!(
                "--add {word}: it is in the list already"
            )));
        }
    }
    for word in &args.remove {
        if !list.remove(&key(config, word)?) {
            return Err(Failure::Argument(format!(
                "--remove {word}: it is not in the list"
            )));
        }
    }
    if list.is_empty() {
        return Err(Failure::Argument(
            "--remove: no validator would be left; a network has at least one".to_owned(),
        ));
    }
    Ok(Some(list))
}

/// The public key that a word means: the name of a node, or the key itself.
fn key(config: &Config, word: &str) -> Result<String, Failure> {
    let named = config.file.nodes.iter().find(|node| node.name == word);
    let is_ed25519 = |bytes: &[u8; 33]| PublicKey::parse(bytes).is_ok_and(|key| key.is_ed25519());
    let own = || {
        base58::decode::<33>(&[TYPE_NODE_PUBLIC], word)
            .filter(is_ed25519)
            .map(|_| word.to_owned())
    };
    named
        .map(|node| node.public_key.clone())
        .or_else(own)
        .ok_or_else(|| {
            let names: Vec<&str> = config.file.nodes.iter().map(|node| node.name.as_str()).collect();
            Failure::Argument(format!(
                "'{word}' is neither an ed25519 public key of a node (n...) nor one of the nodes in the file: {}",
                names.join(", ")
            ))
        })
}

/// What could stop the network if this became the list.
async fn dangers(config: &Config, votes: &Value, wanted: &List) -> Vec<String> {
    let mut dangers = Vec::new();
    let index = votes["ledger_index"].as_u64().unwrap_or_default();
    let mut ready = 0;
    for key in wanted {
        let Some(node) = config.file.nodes.iter().find(|node| node.public_key == *key) else {
            dangers.push(format!(
                "{key} has no entry in [[nodes]]: no node knows where to reach it. Add one, in the files of all nodes"
            ));
            continue;
        };
        match last_ledger(node).await {
            Ok(last) if last + BEHIND_MAX >= index => ready += 1,
            Ok(last) => dangers.push(format!(
                "{} is at ledger {}, the network at {index}: let it catch up first",
                node.name, last
            )),
            Err(error) => dangers.push(format!("{} does not answer: {error}", node.name)),
        }
    }
    let needed = votes_for_a_block(wanted.len());
    if ready >= needed && dangers.iter().all(|danger| !danger.contains("[[nodes]]")) {
        return Vec::new();
    }
    dangers.push(format!(
        "Of these {} validators {ready} are ready, and a block needs the votes of {needed}: at the end of the epoch the \
         network could stop",
        wanted.len()
    ));
    dangers
}

/// Votes that make a block of so many validators final: all but those that may break the rules.
fn votes_for_a_block(validators: usize) -> usize {
    validators - validators.saturating_sub(1) / 3
}

/// The own vote about the list, while no ledger has it.
fn under_way(config: &Config, votes: &Value) -> Option<String> {
    let own = &votes["public_key"];
    let rows = votes["votes"].as_array().into_iter().flatten();
    let on_ledger = rows.filter(|row| row["public_key"] == *own);
    let said: List = on_ledger.flat_map(|row| list_of(&row["validators"])).collect();
    let wanted = list_of(&votes["wish"]["validators"]);
    if wanted == said {
        return None;
    }
    let (own, listed) = (&config.own().name, list_of(&votes["validators"]));
    Some(match change(config, &listed, &wanted) {
        Some(change) => format!("for the list {change}: {own}, from the next ledger on"),
        None => format!("for the list as it is: {own}, from the next ledger on"),
    })
}

fn show(config: &Config, votes: &Value, format: Format) {
    if format.is_json() {
        out!("{votes}");
        return;
    }
    let listed = list_of(&votes["validators"]);
    out!("validators: {}", names(config, &listed));
    let mut lines = pending(config, votes);
    lines.extend(under_way(config, votes));
    if lines.is_empty() {
        out!("nobody votes for anything");
    }
    lines.iter().for_each(|line| out!("{line}"));
    let index = votes["ledger_index"].as_u64().unwrap_or_default();
    if let Some(next) = votes["next_change"].as_u64() {
        let ahead = next.saturating_sub(index);
        out!(
            "the list can change in ledger {next}, {ahead} ledgers from now ({}); the validators of that list order \
             blocks from ledger {} on",
            duration(ahead),
            next + 2
        );
    }
}

/// How long so many ledgers take: one to three seconds each.
fn duration(ledgers: u64) -> String {
    match ledgers {
        0..=120 => format!("{ledgers} to {} seconds", 3 * ledgers),
        _ => format!("{} to {} minutes", ledgers / 60, 3 * ledgers / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_votes_for_a_block_of_docs_network() {
        let needed: Vec<usize> = [1, 2, 3, 4, 5, 7].into_iter().map(votes_for_a_block).collect();
        assert_eq!(needed, [1, 2, 3, 3, 4, 5]);
    }

    #[test]
    fn accepts_how_long_ledgers_take() {
        assert_eq!(duration(20), "20 to 60 seconds");
        assert_eq!(duration(600), "10 to 30 minutes");
    }
}
