//! `network status`: what the nodes of a network say of their ledgers, of the DKIM keys in them and of the domains that
//! they stop, and which differ.

use super::freeze;
use super::pending_votes::{ask_votes, connect, pending};
use super::queue::span;
use super::show::printable;
use super::{Failure, Outcome};
use crate::output::Format;
use ::network::config::{Config, NodeTable, PartName};
use amendment::Freeze;
use rpc::ClientError;
use rpc::api::{KeyOnLedger, KeyStanding, LedgerChoice, Transactions};
use rpc::methods::{DkimKeysReply, DkimKeysRequest, LedgerRequest, ServerInfoRequest};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// What a node says.
struct Report {
    index: codec::LedgerIndex,
    hash: codec::Hash256,
    quorum: u32,
    keys: DkimKeysReply,
}

/// All nodes, with what each says, or why it says nothing.
struct Nodes<'a> {
    reports: Vec<(&'a NodeTable, Result<Report, ClientError>)>,
    /// The last ledger that all of those have that answer.
    lowest: Option<codec::LedgerIndex>,
    /// Which of them have which hash for it.
    hashes: BTreeMap<String, Vec<&'a str>>,
}

impl Nodes<'_> {
    fn answering(&self) -> impl Iterator<Item = (&NodeTable, &Report)> {
        let reports = self.reports.iter();
        reports.filter_map(|(node, report)| Some((*node, report.as_ref().ok()?)))
    }

    fn agree(&self) -> bool {
        self.hashes.len() <= 1
    }

    /// What the nodes say of each key, the same words together. A node that is a ledger behind may say another thing.
    fn keys(&self) -> BTreeMap<(&str, &str), Views<'_>> {
        let mut keys: BTreeMap<(&str, &str), Views<'_>> = BTreeMap::new();
        for (node, report) in self.answering() {
            for key in &report.keys.keys {
                let views = keys.entry((&key.domain, &key.selector)).or_default();
                add(
                    views,
                    KeyView::of(key, &report.keys),
                    &node.name,
                    KeyView::is_same,
                );
            }
        }
        keys
    }

    /// The same of domains whose mail was ever stopped.
    fn freezes(&self) -> BTreeMap<&str, FreezeViews<'_>> {
        let mut freezes: BTreeMap<&str, FreezeViews<'_>> = BTreeMap::new();
        for (node, report) in self.answering() {
            for row in &report.keys.freezes {
                let views = freezes.entry(row.domain.as_str()).or_default();
                add(views, row.freeze, &node.name, Freeze::eq);
            }
        }
        freezes
    }
}

/// Sees to it that those that say the same stand together.
fn add<'a, T>(views: &mut Vec<(T, Vec<&'a str>)>, view: T, name: &'a str, is_same: impl Fn(&T, &T) -> bool) {
    match views.iter_mut().find(|(known, _)| is_same(known, &view)) {
        Some((_, names)) => names.push(name),
        None => views.push((view, vec![name])),
    }
}

/// What nodes say of one domain whose mail was stopped, and which of them.
type FreezeViews<'a> = Vec<(Freeze, Vec<&'a str>)>;

/// What nodes say of one key, and which of them.
type Views<'a> = Vec<(KeyView, Vec<&'a str>)>;

/// What one node says of a key.
struct KeyView {
    state: KeyStanding,
    last_attested: u32,
    age_secs: u32,
    left_secs: Option<u32>,
}

impl KeyView {
    fn of(key: &KeyOnLedger, reply: &DkimKeysReply) -> Self {
        let (now, last_attested) = (reply.close_time.seconds(), key.last_attested.seconds());
        Self {
            state: key.state,
            last_attested,
            age_secs: now.saturating_sub(last_attested),
            left_secs: key.until.map(|until| until.seconds().saturating_sub(now)),
        }
    }

    /// Its age goes on with each ledger.
    fn is_same(&self, other: &Self) -> bool {
        (self.state, self.last_attested) == (other.state, other.last_attested)
    }

    fn in_words(&self) -> String {
        let attested = format!("attested {} ago", span(u64::from(self.age_secs)));
        match self.left_secs {
            Some(left) => format!(
                "{}, {attested}, for another {}",
                self.state.word(),
                span(u64::from(left))
            ),
            None => format!("{}, {attested}", self.state.word()),
        }
    }

    fn in_json(&self, names: &[&str]) -> Value {
        let mut value = json!({ "state": self.state.word(), "age": self.age_secs, "nodes": names });
        if let Some(left) = self.left_secs {
            value["left"] = json!(left);
        }
        value
    }
}

/// Asks each node for its last ledger and its keys.
pub(crate) async fn status(config: &Path, format: Format) -> Result<Outcome, Failure> {
    let config = Config::read(config)?;
    let mut reports = Vec::new();
    for node in &config.file.nodes {
        reports.push((node, ask(node).await));
    }
    let answers = reports.iter().filter_map(|(_, report)| report.as_ref().ok());
    let lowest = answers.map(|report| report.index).min();
    let mut hashes: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (node, report) in &reports {
        if let (Some(index), Ok(_)) = (lowest, report)
            && let Ok(hash) = hash_of(node, index).await
        {
            hashes.entry(hash).or_default().push(&node.name);
        }
    }
    let nodes = Nodes {
        reports,
        lowest,
        hashes,
    };
    let votes = votes(&nodes).await;
    if format.is_json() {
        let mut value = in_json(&nodes);
        value["votes"] = votes;
        out!("{value}");
    } else {
        in_words(&nodes);
        let lines = pending(&config, &votes);
        lines.iter().for_each(|line| out!("votes {line}"));
    }
    let all_answer = nodes.answering().count() == nodes.reports.len();
    Ok(if nodes.agree() && all_answer {
        Outcome::Yes
    } else {
        Outcome::No
    })
}

/// What validators vote for, as one of the nodes has it on its ledger.
async fn votes(nodes: &Nodes<'_>) -> Value {
    for (node, _) in nodes.answering() {
        if let Ok(votes) = ask_votes(node, Map::new()).await {
            return votes;
        }
    }
    Value::Null
}

fn in_json(nodes: &Nodes<'_>) -> Value {
    let rows = nodes.reports.iter().map(|(node, report)| {
        let mut value = json!({
            "name": node.name, "part": node.part, "public_key": node.public_key, "rpc": node.rpc,
        });
        match report {
            Ok(report) => {
                value["ledger_index"] = json!(report.index.get());
                value["ledger_hash"] = json!(report.hash.to_string());
                value["quorum"] = json!(report.quorum);
                value["dkim_keys"] = json!(report.keys.count);
            }
            Err(error) => value["error"] = json!(error.to_string()),
        }
        value
    });
    let keys = nodes.keys().into_iter().map(|((domain, selector), views)| {
        let views: Vec<Value> = views.iter().map(|(view, names)| view.in_json(names)).collect();
        json!({ "domain": domain, "selector": selector, "views": views })
    });
    let freezes = nodes.freezes().into_iter().map(|(domain, views)| {
        let views = views.into_iter().map(|(view, names)| {
            let mut value = freeze::in_json(Some(view));
            value["nodes"] = json!(names);
            value
        });
        json!({ "domain": domain, "views": views.collect::<Vec<_>>() })
    });
    json!({
        "nodes": rows.collect::<Vec<_>>(), "compared_ledger": nodes.lowest.map(codec::LedgerIndex::get),
        "hashes": nodes.hashes, "agree": nodes.agree(), "keys": keys.collect::<Vec<_>>(),
        "freezes": freezes.collect::<Vec<_>>(),
    })
}

fn in_words(nodes: &Nodes<'_>) {
    for (node, report) in &nodes.reports {
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
    if let Some((_, report)) = nodes.answering().next() {
        out!(
            "{} validators that say the same make a DKIM key of the ledger",
            report.quorum
        );
    }
    match nodes.lowest {
        None => out!("no node answers"),
        Some(index) if nodes.agree() => out!("those that answer have the same ledger {index}"),
        Some(index) => {
            out!("nodes differ about ledger {index}:");
            for (hash, names) in &nodes.hashes {
                out!("  {hash}: {}", names.join(", "));
            }
        }
    }
    keys_in_words(nodes);
}

fn keys_in_words(nodes: &Nodes<'_>) {
    let keys = nodes.keys();
    if keys.is_empty() && nodes.lowest.is_some() {
        out!("no DKIM keys: the first mail of a domain brings its key");
    }
    let answering = nodes.answering().count();
    let of_whom = |names: &[&str]| {
        if names.len() == answering {
            String::new()
        } else {
            format!(" ({})", names.join(", "))
        }
    };
    for ((domain, selector), views) in keys {
        for (view, names) in &views {
            let name = format!("{selector}._domainkey.{domain}");
            out!("key {}: {}{}", printable(&name), view.in_words(), of_whom(names));
        }
    }
    for (domain, views) in nodes.freezes() {
        for (freeze, names) in &views {
            out!(
                "mail of {domain}: {}{}",
                freeze::in_words(*freeze),
                of_whom(names)
            );
        }
    }
    for (node, report) in nodes.answering() {
        let (listed, all) = (report.keys.keys.len(), report.keys.count);
        if u32::try_from(listed).is_ok_and(|listed| listed < all) {
            out!("{} lists the first {listed} of {all} keys", node.name);
        }
    }
}

async fn ask(node: &NodeTable) -> Result<Report, ClientError> {
    let mut client = connect(node).await?;
    let info = client.call(&ServerInfoRequest).await?;
    let keys = client.call(&DkimKeysRequest).await?;
    let ledger = info.validated_ledger.unwrap_or_default();
    Ok(Report {
        index: ledger.seq.ok_or(ClientError::BadAnswer)?,
        hash: ledger.hash.unwrap_or(codec::Hash256::ZERO),
        quorum: info.validation_quorum.unwrap_or_default(),
        keys,
    })
}

async fn hash_of(node: &NodeTable, index: codec::LedgerIndex) -> Result<String, ClientError> {
    let request = LedgerRequest {
        ledger: LedgerChoice::Index(index),
        transactions: Transactions::Omitted,
    };
    let reply = connect(node).await?.call(&request).await?;
    Ok(reply.hash.map(|hash| hash.to_string()).unwrap_or_default())
}
