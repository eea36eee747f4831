//! What operators decide: which domains are frozen, and whom validators vote for.

use super::{Answer, Refused, Session};
use crate::commands::Failure;
use crate::localnet::ask;
use crate::localnet::net::Life;
use crate::localnet::verb::Ruling;
use ::network::config::PartName;
use codec::keylet;
use serde_json::{Map, json};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// How long a ruling may take to come into a ledger.
const RULING_MAX: Duration = Duration::from_secs(60);

impl Session {
    /// The operators of these validators, or of all that run, freeze a domain or lift that. Spec: 7.10.
    pub(super) async fn rule(
        &mut self,
        domain: &str,
        ruling: Ruling,
        names: &[String],
    ) -> Result<Answer, Refused> {
        let chosen = if names.is_empty() {
            self.running_validators()
        } else {
            self.nodes(names)?
        };
        let (word, next) = match ruling {
            Ruling::Frozen => ("frozen", "send, which is refused; then lift"),
            Ruling::Lifted => ("lifted", "advance 6h1m, then a new mail"),
        };
        let params = Map::from_iter([
            ("domain".to_owned(), json!(domain)),
            ("ruling".to_owned(), json!(word)),
        ]);
        let mut said = Vec::new();
        for node in chosen {
            let name = self.name(node).to_owned();
            let asked = ask::raw(&self.net.url(node), "dkim_freeze", params.clone()).await;
            asked.map_err(|reason| Refused::Asked {
                name: name.clone(),
                reason,
            })?;
            said.push(name);
        }
        self.teller
            .say(format!("{} say that {domain} is {word}", said.join(", ")));
        let answer = Answer::of(json!({ "domain": domain, "ruling": word, "nodes": said }));
        if self.until_ruled(domain, ruling).await? {
            self.teller.say(format!("the ledger has it: {domain} is {word}"));
            return Ok(answer.next(next));
        }
        self.teller
            .say("the ledger does not have it yet: four fifths of the validators must say the same");
        Ok(answer.but_not_done().next("keys"))
    }

    async fn until_ruled(&self, domain: &str, ruling: Ruling) -> Result<bool, Refused> {
        let (url, begun) = (self.net.url(self.speaker()?), Instant::now());
        while begun.elapsed() < RULING_MAX {
            if self.ruling_on_ledger(&url, domain).await == Some(ruling) {
                return Ok(true);
            }
            tokio::time::sleep(Duration::from_millis(400)).await;
        }
        Ok(false)
    }

    /// What the last ledger of a node says of a domain.
    pub(super) async fn ruling_on_ledger(&self, url: &str, domain: &str) -> Option<Ruling> {
        let entry = ask::entry(url, keylet::dkim_freeze(domain.as_bytes())).await;
        let entry = entry.ok().flatten()?;
        Some(if entry.contains_key("ActiveAfter") {
            Ruling::Lifted
        } else {
            Ruling::Frozen
        })
    }

    /// Has operators vote for another list of validators, or shows who votes for what.
    pub(super) async fn vote(&mut self, nodes: &[String], wish: &[String]) -> Result<Answer, Refused> {
        let chosen = if nodes.is_empty() {
            vec![self.speaker()?]
        } else {
            self.nodes(nodes)?
        };
        let (mut results, mut is_done) = (Vec::new(), true);
        for node in chosen {
            let config = self.net.places().get(node).map(|place| place.config.clone());
            let output = tool(&config.unwrap_or_default(), wish).await?;
            let name = self.name(node).to_owned();
            is_done &= output.status.success();
            let text = [output.stdout, output.stderr].concat();
            let text = String::from_utf8_lossy(&text).into_owned();
            for line in text.lines() {
                self.teller.say(format!("{name}: {line}"));
            }
            results.push(json!({ "name": name, "code": output.status.code(), "text": text }));
        }
        self.has_voted |= !wish.is_empty();
        let answer =
            Answer::of(json!({ "votes": results })).next("vote, which shows who votes for what; status");
        Ok(if is_done { answer } else { answer.but_not_done() })
    }

    fn running_validators(&self) -> Vec<usize> {
        let votes = |node: &usize| {
            let place = self.net.places().get(*node);
            place.is_some_and(|place| place.part == PartName::Validator)
        };
        self.with_life(|life| *life == Life::Up)
            .into_iter()
            .filter(votes)
            .collect()
    }
}

/// `network vote`, as the operator of a node runs it.
async fn tool(config: &Path, wish: &[String]) -> Result<Output, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["network", "vote", "--config"])
        .arg(config)
        .args(wish);
    let running = tokio::task::spawn_blocking(move || command.output());
    Ok(running.await.map_err(std::io::Error::other)??)
}
