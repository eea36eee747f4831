//! A network on this machine: nodes as processes, the links between them, a DNS server for each, and a relay.

use super::ask;
use super::child::Child;
use super::home::{self, Home, Place, Plan};
use super::links::Links;
use crate::cli;
use crate::clock::{self, RehearsedClock};
use crate::commands::Failure;
use crate::commands::up::{RelayBeside, start_relay};
use crate::stage::{self, NETWORK, RELAY};
use ::network::config::PartName;
use ::relay::daemon::Daemon;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use testkit::dns::Responder;
use testkit::smtp::Inbox;

/// How long the first ledger may take.
const FIRST_LEDGER_MAX: Duration = Duration::from_secs(120);

/// TXT records: name and text.
pub(crate) type Records = Vec<(String, String)>;

/// What became of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Life {
    /// It runs.
    Up,
    /// It is stopped where it stands.
    Paused,
    /// It was killed.
    Down,
    /// It ended by itself.
    Ended(String),
}

/// One node.
struct Node {
    child: Option<Child>,
    life: Life,
}

/// The network.
pub(crate) struct Localnet {
    home: Home,
    nodes: Vec<Node>,
    links: Links,
    /// The DNS server of each node.
    dns: Vec<Responder>,
    /// Nodes that are told the false records.
    lied_to: BTreeSet<usize>,
    honest: Records,
    false_ones: Records,
    /// What the relay asks. It is never lied to.
    relay_dns: Responder,
    relay: Daemon,
    inbox: Inbox,
    clock: Arc<RehearsedClock>,
}

impl Localnet {
    /// Starts a network in a folder: a new one, or the one that is there. It serves and makes ledgers when this
    /// returns.
    pub(crate) async fn start(folder: &Path, plan: &Plan, records: Records) -> Result<Self, Failure> {
        let turn = tokio::task::spawn_blocking(home::turn).await.unwrap_or_default();
        let home = Home::open(folder, plan)?;
        let clock = Arc::new(RehearsedClock::open(home.clock.clone())?);
        let peers: Vec<SocketAddr> = home.places.iter().map(|place| place.peer).collect();
        let links = Links::open(&peers).await?;
        let (mut dns, mut nodes) = (Vec::new(), Vec::new());
        for (number, place) in home.places.iter().enumerate() {
            let responder = Responder::start_with(&records, 0).await?;
            home.configure(number, links.seen_by(number), responder.address())?;
            dns.push(responder);
            nodes.push(Node {
                child: Some(Child::spawn(&place.config, &place.log)?),
                life: Life::Up,
            });
        }
        for (node, place) in nodes.iter_mut().zip(&home.places) {
            if let Some(child) = &mut node.child {
                child.serves(&place.name).await?;
            }
        }
        let urls: Vec<String> = home.places.iter().map(url).collect();
        let relay_dns = Responder::start_with(&records, 0).await?;
        let inbox = Inbox::start().await?;
        let of_relay = Arc::clone(&clock);
        let beside = RelayBeside {
            addresses: vec![RELAY.to_owned()],
            data: folder.join("relay"),
            network: NETWORK,
            nodes: urls.clone(),
            smtp: home.smtp,
            keys: cli::Keys {
                dns: vec![relay_dns.address().into()],
                ..cli::Keys::default()
            },
            answers: Some(stage::answers_to(&inbox, folder)?),
        };
        let relay = start_relay(beside.config(), Arc::new(move || of_relay.now_unix())).await?;
        drop(turn);
        if ask::until_all_close(&urls, FIRST_LEDGER_MAX).await.is_none() {
            return Err(Failure::Argument(format!(
                "the nodes serve, but not all have made a ledger within {} s. Their logs are below {}",
                FIRST_LEDGER_MAX.as_secs(),
                folder.display()
            )));
        }
        Ok(Self {
            home,
            nodes,
            links,
            dns,
            lied_to: BTreeSet::new(),
            honest: records,
            false_ones: Vec::new(),
            relay_dns,
            relay,
            inbox,
            clock,
        })
    }

    /// Ends all of it: the relay, then the nodes.
    pub(crate) async fn stop(mut self) {
        self.relay.stop().await;
        let children: Vec<Child> = self
            .nodes
            .iter_mut()
            .filter_map(|node| node.child.take())
            .collect();
        children.iter().for_each(Child::ask_to_end);
        for child in children {
            child.until_ended().await;
        }
    }

    /// Resolves when the relay has ended by itself.
    pub(super) async fn broken(&mut self) -> Failure {
        self.relay.broken().await.into()
    }

    /// Its nodes: validators first.
    pub(crate) fn places(&self) -> &[Place] {
        &self.home.places
    }

    /// Whether the network was there before.
    pub(super) fn is_resumed(&self) -> bool {
        self.home.is_resumed
    }

    /// The WebSocket address of a node.
    pub(crate) fn url(&self, node: usize) -> String {
        self.home.places.get(node).map(url).unwrap_or_default()
    }

    /// Where the relay takes mail.
    pub(crate) fn smtp(&self) -> SocketAddr {
        self.home.smtp
    }

    /// What the relay writes.
    pub(crate) fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// The DNS server of a node.
    pub(super) fn dns_of(&self, node: usize) -> Option<SocketAddr> {
        self.dns.get(node).map(Responder::address)
    }

    /// Its time, Unix seconds.
    pub(super) fn now_unix(&self) -> u64 {
        self.clock.now_unix()
    }

    /// Sets all clocks ahead.
    pub(super) fn advance(&self, secs: u64) -> Result<(), Failure> {
        let ahead = self.clock.ahead_secs().saturating_add(secs);
        Ok(clock::set_ahead(&self.home.clock, ahead)?)
    }

    /// Says what DNS says from now on, and what it says to those that are lied to.
    pub(super) fn publish(&mut self, honest: Records, false_ones: Records) {
        (self.honest, self.false_ones) = (honest, false_ones);
        self.relay_dns.publish(&self.honest);
        for (number, responder) in self.dns.iter().enumerate() {
            let is_lied_to = self.lied_to.contains(&number);
            responder.publish(if is_lied_to {
                &self.false_ones
            } else {
                &self.honest
            });
        }
    }

    /// Lies to these nodes from now on, and to no others.
    pub(super) fn lie_to(&mut self, nodes: BTreeSet<usize>) {
        self.lied_to = nodes;
        let (honest, false_ones) = (self.honest.clone(), self.false_ones.clone());
        self.publish(honest, false_ones);
    }

    /// Those that are lied to.
    pub(super) fn lied_to(&self) -> &BTreeSet<usize> {
        &self.lied_to
    }

    /// What became of a node.
    pub(super) fn life(&self, node: usize) -> Life {
        self.nodes.get(node).map_or(Life::Down, |node| node.life.clone())
    }

    /// Ends a node as a power cut would.
    pub(super) fn kill(&mut self, node: usize) {
        if let Some(node) = self.nodes.get_mut(node) {
            if let Some(child) = node.child.take() {
                child.kill();
            }
            node.life = Life::Down;
        }
    }

    /// Starts a node that is down; it serves when this returns.
    pub(super) async fn start_node(&mut self, number: usize) -> Result<(), Failure> {
        let (Some(node), Some(place)) = (self.nodes.get_mut(number), self.home.places.get(number)) else {
            return Ok(());
        };
        let mut child = Child::spawn(&place.config, &place.log)?;
        child.serves(&place.name).await?;
        node.child = Some(child);
        node.life = Life::Up;
        Ok(())
    }

    /// Stops a node where it stands.
    pub(super) fn pause(&mut self, node: usize) -> Result<(), Failure> {
        self.turn(node, Child::pause, Life::Paused)
    }

    /// Lets a paused node go on.
    pub(super) fn resume(&mut self, node: usize) -> Result<(), Failure> {
        self.turn(node, Child::resume, Life::Up)
    }

    fn turn(
        &mut self,
        node: usize,
        how: impl Fn(&Child) -> Result<(), Failure>,
        life: Life,
    ) -> Result<(), Failure> {
        let Some(node) = self.nodes.get_mut(node) else {
            return Ok(());
        };
        if let Some(child) = &node.child {
            how(child)?;
            node.life = life;
        }
        Ok(())
    }

    /// Nodes that ended by themselves since this was asked last, and how.
    pub(super) fn newly_ended(&mut self) -> Vec<(String, String)> {
        let mut ended = Vec::new();
        for (node, place) in self.nodes.iter_mut().zip(&self.home.places) {
            let Some(how) = node.child.as_mut().and_then(Child::ended) else {
                continue;
            };
            node.child = None;
            node.life = Life::Ended(how.clone());
            ended.push((place.name.clone(), how));
        }
        ended
    }

    /// Cuts the links between groups.
    pub(super) fn partition(&mut self, groups: Vec<usize>) {
        self.links.set(groups);
    }

    /// The group of each node.
    pub(super) fn groups(&self) -> Vec<usize> {
        self.links.groups()
    }

    /// Validators whose votes make a ledger: more than two thirds.
    pub(super) fn votes_needed(&self) -> usize {
        let validators = self
            .home
            .places
            .iter()
            .filter(|place| place.part == PartName::Validator);
        let count = validators.count();
        count - count.saturating_sub(1) / 3
    }

    /// A node that runs: one of the largest group of validators that do. And how many those are.
    pub(super) fn speaker(&self) -> Option<(usize, usize)> {
        let groups = self.groups();
        let is_up = |number: &usize| self.life(*number) == Life::Up;
        let running: Vec<usize> = (0..self.nodes.len()).filter(is_up).collect();
        let voters = |speaker: usize| {
            let votes = |number: &&usize| {
                groups.get(**number) == groups.get(speaker)
                    && self.home.places.get(**number).map(|place| place.part) == Some(PartName::Validator)
            };
            running.iter().filter(votes).count()
        };
        let counted = running.iter().map(|number| (*number, voters(*number)));
        // Of those that are equal, the first.
        counted.rev().max_by_key(|(_, voters)| *voters)
    }
}

fn url(place: &Place) -> String {
    format!("ws://{}", place.rpc)
}
