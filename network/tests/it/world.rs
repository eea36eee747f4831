//! A network of nodes between two power cuts: the engine, the machines, and what happens to them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use chain::commit::Vote;
use chain::limits::MAJORITY_SECS_DEFAULT;
use chain::{Epochs, ProposalRules};
use codec::{CloseTime, Hash256};
use commonware_codec::{Copying, DecodeExt as _};
use commonware_cryptography::Signer as _;
use commonware_cryptography::ed25519::{PrivateKey, PublicKey};
use commonware_p2p::simulated::{self, Oracle};
use commonware_p2p::{Recipients, Sender};
use commonware_runtime::deterministic::Context;
use commonware_runtime::{Clock as _, Handle, Quota, Spawner as _, Supervisor as _};
use commonware_utils::{NZU32, NZUsize};
use ledger::Ledger;
use ledger::genesis::EmailAmendment;
use network::ballots::{Ballots, Voted};
use network::engine::{self, Channels, Membership, Parts, Start};
use network::{First, Stopped, Submission, Voting, spread};

use crate::byzantine::Conduct;
use crate::check::Checker;
use crate::dice::{Dice, EPOCH, NODES, VALIDATORS};
use crate::links::{Equivocations, Receiving, Sharing, Weather, split};
use crate::machine::{Disk, SimMachine};
use crate::mails::{NETWORK, first_ledger, validator};
use crate::operators::Operators;
use crate::tally::Tally;
use crate::zone::{Lie, Zone};

const COUNT: usize = 6;
/// Channels of a node: the engine's five, words, submissions.
const CHANNELS: u64 = 7;
/// Milliseconds that a clock may be off, either way.
const SKEW_MS: u64 = 900;
/// Bytes of a message at most.
const MESSAGE_BYTES_MAX: u32 = 8 * 1024 * 1024;

/// What lies beside the key of a node: in which epoch it has voted last. A twin knows nothing of the other.
struct BallotBox {
    node: String,
    all: Arc<Mutex<BTreeMap<String, Voted>>>,
}

impl Ballots for BallotBox {
    fn voted(&self) -> Option<Voted> {
        self.all
            .lock()
            .expect("no test panicked with it")
            .get(&self.node)
            .copied()
    }

    fn note(&mut self, voted: Voted) -> std::io::Result<()> {
        let mut all = self.all.lock().expect("no test panicked with it");
        all.insert(self.node.clone(), voted);
        Ok(())
    }
}

/// What is left of a network where all power is cut, and what is to come.
pub(crate) struct Remains {
    pub dice: Dice,
    pub disks: Vec<Disk>,
    /// Of the second node with the twin's key.
    twin_disk: Disk,
    conducts: Vec<Conduct>,
    /// Milliseconds that each node's clock is off, plus `SKEW_MS`.
    skews: Vec<u64>,
    first: Ledger,
    rules: ProposalRules,
    /// By the names of the nodes' files.
    ballots: Arc<Mutex<BTreeMap<String, Voted>>>,
    pub zone: Zone,
    pub operators: Operators,
    pub tally: Tally,
    pub checker: Checker,
}

impl Remains {
    /// A network before its first start. DNS lies to so many nodes that one more would be believed, the dishonest
    /// one among them.
    pub(crate) fn new(dice: Dice, conduct: Conduct) -> Self {
        let first = first_ledger(VALIDATORS, EmailAmendment::Enabled);
        Self::of(first, MAJORITY_SECS_DEFAULT, dice, conduct)
    }

    /// A network that begins with this ledger, and where a majority has to last for so long.
    pub(crate) fn of(first: Ledger, majority_secs: u32, mut dice: Dice, conduct: Conduct) -> Self {
        let first_index = first.index();
        let dishonest = usize::try_from(dice.roll(u64::from(VALIDATORS))).expect("few");
        let mut conducts = vec![Conduct::Honest; COUNT];
        conducts[dishonest] = conduct;
        let zone = Zone::new();
        for liar in 0..3 {
            zone.lie((dishonest + liar) % usize::from(VALIDATORS), Lie::Evil);
        }
        Self {
            disks: vec![Disk::new(first.clone()); COUNT],
            twin_disk: Disk::new(first.clone()),
            conducts,
            skews: (0..COUNT).map(|_| dice.roll(2 * SKEW_MS)).collect(),
            rules: ProposalRules {
                network_id: NETWORK,
                majority_secs,
                bytes_max: 1024 * 1024,
                epochs: Some(Epochs {
                    first: first.index(),
                    ledgers: EPOCH,
                }),
            },
            first,
            ballots: Arc::default(),
            zone,
            operators: Operators::default(),
            tally: Tally::default(),
            checker: Checker::new(first_index),
            dice,
        }
    }
}

/// A running node.
struct Running {
    machine: Arc<SimMachine>,
    twin: Option<Arc<SimMachine>>,
    handle: Handle<()>,
}

/// Why a node ended by itself; without a word where it panicked.
type Ended = Arc<Mutex<Option<(usize, Option<Result<(), Stopped>>)>>>;

pub(crate) struct World {
    context: Context,
    oracle: Oracle<PublicKey, Context>,
    keys: Vec<PrivateKey>,
    running: Vec<Option<Running>>,
    starts: u32,
    equivocations: Equivocations,
    pub ended: Ended,
    pub remains: Remains,
}

impl World {
    /// Power is back.
    pub(crate) async fn start_all(context: Context, remains: Remains) -> Self {
        let secret = |number| validator(number).ed25519_secret().expect("ed25519");
        let key = |number| PrivateKey::decode(Copying(&secret(number))).expect("a key");
        let keys: Vec<PrivateKey> = (1..=NODES).map(key).collect();
        let peers: Vec<PublicKey> = keys.iter().map(|key| key.public_key()).collect();
        let config = simulated::Config {
            max_size: MESSAGE_BYTES_MAX,
            max_peers_per_set: NZUsize!(16),
            disconnect_on_block: true,
            tracked_peer_sets: NZUsize!(1),
        };
        let (network, oracle) =
            simulated::Network::new_with_peers(context.child("network"), config, peers).await;
        network.start();
        let mut world = Self {
            context,
            oracle,
            keys,
            running: (0..COUNT).map(|_| None).collect(),
            starts: 0,
            equivocations: Equivocations::default(),
            ended: Ended::default(),
            remains,
        };
        world.weather_everywhere(Weather::Good).await;
        for node in 0..COUNT {
            world.start(node).await;
        }
        world
    }

    /// All power is cut.
    pub(crate) fn end(mut self) -> Remains {
        for node in 0..COUNT {
            if let Some(running) = self.running[node].take() {
                self.keep_disks(node, &running);
            }
        }
        self.remains.tally.equivocations += self.equivocations.count();
        self.remains
    }

    fn keep_disks(&mut self, node: usize, running: &Running) {
        self.remains.disks[node] = running.machine.disk();
        if let Some(twin) = &running.twin {
            self.remains.twin_disk = twin.disk();
        }
    }

    /// Nodes that keep the rules.
    pub(crate) fn honest(&self) -> Vec<usize> {
        let is_honest = |node: &usize| self.remains.conducts[*node] == Conduct::Honest;
        (0..COUNT).filter(is_honest).collect()
    }

    async fn weather(&self, from: usize, to: usize, weather: Weather) {
        if from == to {
            return;
        }
        let (from, to) = (self.keys[from].public_key(), self.keys[to].public_key());
        // There may be none.
        let _ = self.oracle.remove_link(from.clone(), to.clone()).await;
        if let Some(link) = weather.link() {
            self.oracle.add_link(from, to, link).await.expect("there is none");
        }
    }

    /// The links of one node with all others.
    pub(crate) async fn weather_at(&self, node: usize, weather: Weather) {
        for other in 0..COUNT {
            self.weather(node, other, weather).await;
            self.weather(other, node, weather).await;
        }
    }

    async fn weather_everywhere(&self, weather: Weather) {
        for node in 0..COUNT {
            self.weather_at(node, weather).await;
        }
    }

    /// Two nodes on one side, the others on the other.
    pub(crate) async fn part(&mut self) {
        let first = self.remains.dice.node();
        let side = [
            first,
            (first + 1 + self.remains.dice.node() % (COUNT - 1)) % COUNT,
        ];
        for near in side {
            for far in (0..COUNT).filter(|far| !side.contains(far)) {
                self.weather(near, far, Weather::Cut).await;
                self.weather(far, near, Weather::Cut).await;
            }
        }
    }

    /// All that can be mended is; nodes that keep no rule go on as they are.
    pub(crate) async fn mend(&mut self) {
        self.weather_everywhere(Weather::Good).await;
        for node in self.remains.zone.lied_to() {
            self.remains.zone.lie(node, Lie::Evil);
        }
        for node in 0..COUNT {
            if self.running[node].is_none() {
                self.start(node).await;
            }
        }
    }

    async fn channel(&self, node: usize, number: u64) -> (simulated::Sender<PublicKey, Context>, Receiving) {
        let control = self.oracle.control(self.keys[node].public_key());
        let registering = control.register(number, Quota::per_second(NZU32!(256)));
        registering.await.expect("a channel")
    }

    fn sharing(&mut self, node: usize) -> Sharing {
        match self.remains.conducts[node] {
            Conduct::Silent => Sharing::Mute,
            Conduct::Twin => {
                let others = self.keys.iter().map(|key| key.public_key());
                let mut others: Vec<PublicKey> = others
                    .filter(|key| *key != self.keys[node].public_key())
                    .collect();
                let second = others.split_off(2 + usize::from(self.remains.dice.roll(2) == 0));
                Sharing::Halves(Arc::new(others), Arc::new(second))
            }
            Conduct::Honest | Conduct::FalseLedgers | Conduct::FalseBlocks | Conduct::FalseWords => {
                Sharing::Whole
            }
        }
    }

    async fn start(&mut self, node: usize) {
        self.starts += 1;
        let context = self.context.child("node").with_attribute("start", self.starts);
        let sharing = self.sharing(node);
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for number in 0..CHANNELS {
            let channel = self.channel(node, number).await;
            let is_votes = number == 0 && self.remains.conducts[node] == Conduct::Twin;
            let tap = is_votes.then(|| self.equivocations.clone());
            let [one, two] = split(context.child("split"), channel, &sharing, tap);
            first.push(one);
            second.push(two);
        }
        let machine = self.machine(&context, node, self.remains.disks[node].clone());
        let mut twin = None;
        let main = self.node(node, &machine, format!("node-{node}-"), first);
        let conduct = self.remains.conducts[node];
        let beside = (conduct == Conduct::Twin).then(|| {
            let machine = self.machine(&context, node, self.remains.twin_disk.clone());
            twin = Some(Arc::clone(&machine));
            let senders = std::mem::take(&mut second);
            self.node(node, &machine, format!("twin-{node}-"), senders)
        });
        let (ended, seed) = (Arc::clone(&self.ended), self.remains.dice.roll(u64::MAX));
        let handle = context.spawn(move |context| async move {
            if let Some(beside) = beside {
                beside(context.child("twin"));
            }
            if conduct == Conduct::FalseWords {
                let senders = second.into_iter().map(|(sender, _)| sender).collect();
                context
                    .child("noise")
                    .spawn(move |context| noise(context, senders, Dice::new(seed)));
            }
            let result = main(context.child("main")).await;
            *ended.lock().expect("no test panicked with it") = Some((node, result.ok()));
        });
        self.running[node] = Some(Running {
            machine,
            twin,
            handle,
        });
    }

    fn machine(&self, context: &Context, node: usize, disk: Disk) -> Arc<SimMachine> {
        let (clock, skew) = (context.child("clock"), self.remains.skews[node]);
        let now = move || {
            let skewed = clock.current() + Duration::from_millis(skew);
            close_time_of(skewed - Duration::from_millis(SKEW_MS))
        };
        let (rules, zone) = (self.remains.rules, self.remains.zone.clone());
        let conduct = self.remains.conducts[node];
        Arc::new(SimMachine::new(node, disk, rules, zone, conduct, now))
    }

    /// What starts a node: the same code as on real machines, around a simulated one.
    fn node<S: Sender<PublicKey = PublicKey>>(
        &self,
        node: usize,
        machine: &Arc<SimMachine>,
        partition: String,
        channels: Vec<(S, Receiving)>,
    ) -> impl FnOnce(Context) -> Handle<Result<(), Stopped>> + Send + use<S> {
        let key = self.keys[node].clone();
        let mut channels = channels.into_iter();
        let mut next = || channels.next().expect("a channel");
        let parts = Parts {
            machine: Arc::clone(machine),
            first: First::of(
                &self.remains.first,
                EPOCH.into(),
                self.remains.rules.majority_secs,
            ),
            start: Start::First,
            membership: Membership {
                key: key.clone(),
                voting: Voting::WhereListed,
                namespace: b"simulation".to_vec(),
            },
            ballots: Box::new(BallotBox {
                node: partition.clone(),
                all: Arc::clone(&self.remains.ballots),
            }),
            track: Box::new(|_, _| {}),
            peers: self.oracle.manager(),
            blocker: self.oracle.control(key.public_key()),
            channels: Channels {
                votes: next(),
                certificates: next(),
                resolver: next(),
                blocks: next(),
                backfill: next(),
            },
            partition,
            kept: None,
            ends: None,
        };
        let (words, submissions) = (next(), next());
        let machine = Arc::clone(machine);
        move |context: Context| {
            spread::start(&context, &machine, words, submissions);
            context.child("disk").spawn(|clock| write(clock, machine));
            context.spawn(move |context| engine::run(context.child("engine"), parts))
        }
    }

    /// Ends a node as a power cut would: what is on its disk stays.
    pub(crate) async fn kill(&mut self, node: usize) {
        let Some(running) = self.running[node].take() else {
            return;
        };
        running.handle.abort();
        let Running {
            machine,
            twin,
            handle,
        } = running;
        // It was aborted.
        let _ = handle.await;
        self.remains.disks[node] = machine.disk();
        if let Some(twin) = twin {
            self.remains.twin_disk = twin.disk();
        }
    }

    /// A client hands something in.
    pub(crate) fn submit(&self, node: usize, submission: Submission) {
        if let Some(running) = &self.running[node] {
            running.machine.hand_in(submission);
        }
    }

    /// The operator of a running node wants its validator to vote so about an amendment.
    pub(crate) fn vote(&self, node: usize, amendment: Hash256, vote: Vote) {
        let running = self.running[node].as_ref().expect("it was not killed");
        running.machine.vote(amendment, vote);
    }

    /// The operators of running nodes that keep the rules tell them what they agreed on.
    pub(crate) fn tell_operators(&self) {
        for node in self.honest() {
            let Some(running) = &self.running[node] else {
                continue;
            };
            let told = self
                .remains
                .operators
                .tell(&running.machine, &running.machine.disk());
            if let Some(ruling) = told {
                self.remains.zone.order(node, ruling);
            }
        }
    }

    /// The node that keeps no rule, if there is one.
    pub(crate) fn dishonest(&self) -> Option<usize> {
        let honest = self.honest();
        (0..COUNT).find(|node| !honest.contains(node))
    }

    /// The last ledger that one of those that keep the rules has.
    pub(crate) fn last_ledger(&self) -> Ledger {
        let last = self.disks().into_iter().max_by_key(|disk| disk.ledger.index());
        last.expect("nodes").ledger
    }

    /// Their clock.
    pub(crate) fn now(&self) -> CloseTime {
        close_time_of(self.context.current())
    }

    /// The disks of nodes that keep the rules, running ones and others.
    pub(crate) fn disks(&self) -> Vec<Disk> {
        let disk = |node: usize| match &self.running[node] {
            Some(running) => running.machine.disk(),
            None => self.remains.disks[node].clone(),
        };
        self.honest().into_iter().map(disk).collect()
    }

    /// The hash of a ledger as one node has it.
    pub(crate) fn own_hash(&self, node: usize, index: u32) -> Hash256 {
        let running = self.running[node].as_ref().expect("it was not killed");
        running.machine.disk().pages[&index].hash
    }

    /// What must hold at any time. Gives the disks that it looked at.
    pub(crate) async fn check(&mut self) -> Vec<Disk> {
        let (disks, honest) = (self.disks(), self.honest());
        self.remains.checker.check(&disks, &self.remains.zone, &honest);
        if let Some((node, result)) = &*self.ended.lock().expect("no test panicked with it") {
            assert!(!honest.contains(node), "node {node} ended: {result:?}");
        }
        let shut_out = self.oracle.blocked().await.expect("the network runs");
        for (by, whom) in &shut_out {
            let is = |key: &PublicKey, node: usize| self.keys[node].public_key() == *key;
            let both_honest =
                honest.iter().any(|node| is(by, *node)) && honest.iter().any(|node| is(whom, *node));
            assert!(!both_honest, "{by} shuts {whom} out, and both keep the rules");
        }
        let shut_out = u64::try_from(shut_out.len()).expect("few");
        self.remains.tally.shut_out = self.remains.tally.shut_out.max(shut_out);
        disks
    }
}

fn close_time_of(time: SystemTime) -> CloseTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    CloseTime::from_unix(since.as_secs()).expect("a ledger's time")
}

/// What a machine wants written comes onto its disk some time later.
async fn write(clock: Context, machine: Arc<SimMachine>) {
    loop {
        clock.sleep(Duration::from_millis(70)).await;
        machine.sync();
    }
}

/// Bytes that mean nothing, on every channel, now and then many.
async fn noise(clock: Context, mut senders: Vec<impl Sender<PublicKey = PublicKey>>, mut dice: Dice) {
    let few = |number: u64| usize::try_from(number).expect("few");
    loop {
        clock.sleep(Duration::from_millis(700)).await;
        let channel = few(dice.roll(CHANNELS));
        let length = if dice.roll(20) == 0 {
            1_000_000
        } else {
            dice.roll(300)
        };
        let first = dice.roll(256).to_le_bytes()[0];
        let mut bytes = vec![first; few(length)];
        bytes
            .iter_mut()
            .take(64)
            .for_each(|byte| *byte = dice.roll(256).to_le_bytes()[0]);
        let _ = senders[channel].send(Recipients::All, bytes, false);
    }
}
