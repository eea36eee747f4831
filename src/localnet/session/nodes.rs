//! Nodes: who runs, and what is done to them, to their links, to their DNS and to their clocks.

use super::{Answer, Refused, Session};
use crate::localnet::ask;
use crate::localnet::net::Life;
use ::network::config::PartName;
use codec::CloseTime;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use testkit::mail::rfc5322_date;

/// How long clocks that were set ahead wait for a ledger of the new time.
const LEDGER_MAX: Duration = Duration::from_secs(60);
/// Digits of a hash that people are shown.
const HASH_DIGITS: usize = 12;

/// What is known of a node.
struct Row {
    node: usize,
    last: Option<Result<ask::Last, String>>,
}

impl Session {
    pub(super) async fn status(&mut self) -> Result<Answer, Refused> {
        let up = self.with_life(|life| *life == Life::Up);
        let urls = up.iter().map(|node| (*node, self.net.url(*node))).collect();
        let mut asked: BTreeMap<usize, _> = ask::last_of_all(urls).await.into_iter().collect();
        let rows: Vec<Row> = (0..self.net.places().len())
            .map(|node| Row {
                node,
                last: asked.remove(&node),
            })
            .collect();
        let lowest = rows
            .iter()
            .filter_map(|row| Some(row.last.as_ref()?.as_ref().ok()?.index))
            .min();
        let mut hashes: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for row in &rows {
            let (Some(index), Some(Ok(_))) = (lowest, &row.last) else {
                continue;
            };
            if let Some(hash) = ask::hash_of(&self.net.url(row.node), index).await {
                hashes.entry(hash).or_default().push(self.name(row.node));
            }
        }
        let agree = hashes.len() <= 1;
        let lines: Vec<String> = rows.iter().map(|row| self.line_of(row)).collect();
        let nodes: Vec<Value> = rows.iter().map(|row| self.json_of(row)).collect();
        let compared = lowest.map(codec::LedgerIndex::get);
        let needed = self.net.votes_needed();
        let answer = Answer::of(json!({
            "nodes": nodes, "time": self.net.now_unix(), "compared_ledger": compared, "hashes": hashes, "agree": agree,
            "votes_needed": needed, "votes_there": self.net.speaker().map_or(0, |(_, voters)| voters),
        }));
        let verdict = match compared {
            None => "no node answers".to_owned(),
            Some(index) if agree => format!("those that answer have the same ledger {index}"),
            Some(index) => format!("NODES DIFFER about ledger {index}: {hashes:?}"),
        };
        let halted = self.halted();
        lines.into_iter().for_each(|line| self.teller.say(line));
        let time = self.time();
        self.teller.say(format!("{time}; {verdict}"));
        self.teller
            .say(halted.unwrap_or_else(|| format!("{needed} votes make a ledger")));
        Ok(if agree { answer } else { answer.but_not_done() })
    }

    fn line_of(&self, row: &Row) -> String {
        let state = match (self.net.life(row.node), &row.last) {
            (Life::Up, Some(Ok(last))) => {
                let hash: String = last.hash.chars().take(HASH_DIGITS).collect();
                format!("ledger {:<6} {hash}", last.index.get())
            }
            (Life::Up, Some(Err(why))) => format!("no answer: {why}"),
            (Life::Up, None) => "no answer".to_owned(),
            (Life::Paused, _) => "paused".to_owned(),
            (Life::Down, _) => "down".to_owned(),
            (Life::Ended(how), _) => format!("ended by itself: {how}"),
        };
        let groups = self.net.groups();
        let is_split = groups.iter().any(|group| Some(group) != groups.first());
        let group = groups.get(row.node).filter(|_| is_split);
        let group = group.map_or(String::new(), |group| format!("  group {}", group + 1));
        let lied_to = if self.net.lied_to().contains(&row.node) {
            "  lied to"
        } else {
            ""
        };
        format!("{:<13}{state}{group}{lied_to}", self.name(row.node))
    }

    fn json_of(&self, row: &Row) -> Value {
        let life = self.net.life(row.node);
        let (state, why) = match &life {
            Life::Up => ("up", None),
            Life::Paused => ("paused", None),
            Life::Down => ("down", None),
            Life::Ended(how) => ("ended", Some(how.clone())),
        };
        let place = self.net.places().get(row.node);
        let votes = place.is_some_and(|place| place.part == PartName::Validator);
        let mut out = json!({
            "name": self.name(row.node), "state": state, "votes": votes, "rpc": self.net.url(row.node),
            "group": self.net.groups().get(row.node).map(|group| group + 1),
            "lied_to": self.net.lied_to().contains(&row.node),
            "dns": self.net.dns_of(row.node).map(|address| address.to_string()),
        });
        match &row.last {
            Some(Ok(last)) => {
                out["ledger_index"] = json!(last.index.get());
                out["ledger_hash"] = json!(last.hash);
            }
            Some(Err(error)) => out["error"] = json!(error),
            None => {}
        }
        if let Some(why) = why {
            out["error"] = json!(why);
        }
        out
    }

    pub(super) fn lie(&mut self, names: &[String]) -> Result<Answer, Refused> {
        let mut nodes = self.net.lied_to().clone();
        nodes.extend(self.nodes(names)?);
        Ok(self.lie_to(nodes))
    }

    pub(super) fn honest(&mut self, names: &[String]) -> Result<Answer, Refused> {
        let mut nodes = self.net.lied_to().clone();
        let told = self.nodes(names)?;
        nodes.retain(|node| !names.is_empty() && !told.contains(node));
        Ok(self.lie_to(nodes))
    }

    fn lie_to(&mut self, nodes: BTreeSet<usize>) -> Answer {
        self.net.lie_to(nodes.clone());
        let names: Vec<String> = self.names(nodes).into_iter().map(str::to_owned).collect();
        if names.is_empty() {
            self.teller.say("DNS tells all nodes the truth");
        } else {
            self.teller.say(format!(
                "DNS gives a false key, for every selector, to {}; the relay and the others get the true ones",
                names.join(", ")
            ));
        }
        let answer = Answer::of(json!({ "lied_to": names }));
        answer.next("forge alice bob 10 XAH (a mail signed by the false key), then keys")
    }

    pub(super) fn kill(&mut self, names: &[String]) -> Result<Answer, Refused> {
        let nodes = self.nodes(names)?;
        for node in &nodes {
            self.net.kill(*node);
        }
        Ok(self.done_to("killed", &nodes, "start"))
    }

    pub(super) async fn start(&mut self, names: &[String]) -> Result<Answer, Refused> {
        let down = self.with_life(|life| matches!(life, Life::Down | Life::Ended(_)));
        let wanted = self.nodes(names)?;
        let is_wanted = |node: &usize| names.is_empty() || wanted.contains(node);
        let nodes: Vec<usize> = down.into_iter().filter(is_wanted).collect();
        for node in &nodes {
            let name = self.name(*node).to_owned();
            self.teller.say(format!("starting {name}"));
            self.net.start_node(*node).await?;
        }
        Ok(self.done_to("started", &nodes, "status"))
    }

    pub(super) fn pause(&mut self, names: &[String]) -> Result<Answer, Refused> {
        let wanted = self.nodes(names)?;
        let up = self.with_life(|life| *life == Life::Up);
        let nodes: Vec<usize> = wanted.into_iter().filter(|node| up.contains(node)).collect();
        for node in &nodes {
            self.net.pause(*node)?;
        }
        Ok(self.done_to("paused", &nodes, "resume"))
    }

    pub(super) fn resume(&mut self, names: &[String]) -> Result<Answer, Refused> {
        let paused = self.with_life(|life| *life == Life::Paused);
        let wanted = self.nodes(names)?;
        let is_wanted = |node: &usize| names.is_empty() || wanted.contains(node);
        let nodes: Vec<usize> = paused.into_iter().filter(is_wanted).collect();
        for node in &nodes {
            self.net.resume(*node)?;
        }
        Ok(self.done_to("resumed", &nodes, "status"))
    }

    fn done_to(&mut self, what: &str, nodes: &[usize], next: &str) -> Answer {
        let names: Vec<String> = self
            .names(nodes.iter().copied())
            .into_iter()
            .map(str::to_owned)
            .collect();
        let shown = if names.is_empty() {
            "nothing to do".to_owned()
        } else {
            names.join(", ")
        };
        self.teller.say(format!("{what}: {shown}"));
        let halted = self.halted();
        let answer = Answer::of(json!({ "nodes": names, "goes_on": halted.is_none() })).next(next);
        if let Some(halted) = halted {
            self.teller.say(halted);
        }
        answer
    }

    pub(super) fn partition(&mut self, named: &[Vec<String>]) -> Result<Answer, Refused> {
        let mut groups: Vec<Option<usize>> = vec![None; self.net.places().len()];
        for (group, names) in named.iter().enumerate() {
            for name in names {
                let node = self.node(name)?;
                if groups.get(node).copied().flatten().is_some() {
                    return Err(Refused::Twice(self.name(node).to_owned()));
                }
                if let Some(place) = groups.get_mut(node) {
                    *place = Some(group);
                }
            }
        }
        let rest = named.len();
        let groups: Vec<usize> = groups.into_iter().map(|group| group.unwrap_or(rest)).collect();
        self.net.partition(groups.clone());
        let count = groups.iter().max().map_or(0, |most| most + 1);
        let members: Vec<Vec<String>> = (0..count)
            .map(|group| {
                let inside = (0..groups.len()).filter(|node| groups.get(*node) == Some(&group));
                self.names(inside).into_iter().map(str::to_owned).collect()
            })
            .collect();
        let halted = self.halted();
        for (number, names) in members.iter().enumerate() {
            self.teller
                .say(format!("group {}: {}", number + 1, names.join(", ")));
        }
        let answer =
            Answer::of(json!({ "groups": members, "goes_on": halted.is_none() })).next("status, then heal");
        if let Some(halted) = halted {
            self.teller.say(halted);
        }
        Ok(answer)
    }

    pub(super) fn heal(&mut self) -> Answer {
        self.net.partition(vec![0; self.net.places().len()]);
        self.teller.say("all nodes reach each other");
        Answer::of(json!({})).next("status")
    }

    pub(super) async fn advance(&mut self, secs: u64) -> Result<Answer, Refused> {
        let too_far = CloseTime::from_unix(self.net.now_unix().saturating_add(secs)).is_none();
        if too_far {
            return Err(Refused::TooFar);
        }
        self.net.advance(secs)?;
        let (now, time) = (self.net.now_unix(), self.time());
        self.teller.say(format!("all clocks: {time}"));
        let answer = |ledger: Option<u32>| Answer::of(json!({ "time": now, "ledger_index": ledger }));
        if let Some(halted) = self.halted() {
            self.teller.say(halted);
            return Ok(answer(None).but_not_done());
        }
        let (url, begun) = (self.net.url(self.speaker()?), Instant::now());
        while begun.elapsed() < LEDGER_MAX {
            if let Some((index, closed)) = ask::closed(&url).await
                && closed.to_unix() >= now
            {
                let closed = rfc5322_date(closed.to_unix());
                self.teller
                    .say(format!("ledger {} closed at {closed}", index.get()));
                return Ok(answer(Some(index.get())).next("keys, mails or status"));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.teller.say(format!(
            "no ledger of that time within {} s",
            LEDGER_MAX.as_secs()
        ));
        Ok(answer(None).but_not_done().next("status"))
    }
}
