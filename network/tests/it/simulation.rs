//! Whole networks on one seed and virtual time: nodes die and come back, links are cut and lose messages, one
//! node's DNS lies. At the end all is healed, and all nodes must have all that was submitted, once, in the same
//! ledgers. `XAHAU_EMAIL_SEEDS=FIRST..LAST` runs others than the usual seeds; a failure names its seed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use codec::format::EntryType;
use codec::{CloseTime, sf};
use commonware_codec::{Copying, DecodeExt as _};
use commonware_cryptography::Signer as _;
use commonware_cryptography::ed25519::{PrivateKey, PublicKey};
use commonware_p2p::simulated::{self, Link, Oracle};
use commonware_runtime::deterministic::{self, Context};
use commonware_runtime::{Clock as _, Handle, Quota, Runner as _, Spawner as _, Supervisor as _};
use commonware_utils::ordered::Set;
use commonware_utils::{NZU32, NZUsize, probability};
use ledger::Ledger;
use network::engine::{self, Channels, Membership, Parts};
use network::{Block, Machine as _, Part, Stopped, Submission, spread};

use crate::machine::{BOB, Disk, Fault, SimMachine, first_ledger, payment, records, validator, vector_mail};

/// Nodes of the network: four of them are a quorum, of votes and of words about keys.
const NODES: u8 = 5;
/// Seeds of an ordinary run.
const SEEDS: std::ops::Range<u64> = 0..3;
/// Steps of a run, between which something happens.
const STEPS: u64 = 14;
/// Mails of Alice: three that say the same, of which one is executed, and three others.
const MAILS: [&str; 6] = [
    "c044.eml", "c046.eml", "c090.eml", "c010.eml", "c014.eml", "c030.eml",
];
/// How many of them are executed.
const EXECUTED: usize = 4;
/// Payments of the genesis account, beside the one of the first ledger.
const PAYMENTS: u32 = 12;
/// Seconds in which a healed network must have all that was submitted.
const HEALING_SECS: u64 = 240;
/// Seconds since 1970 of the ledgers' first second.
const EPOCH_SECS: u64 = 946_684_800;

type Sending = simulated::Sender<PublicKey, Context>;
type Receiving = simulated::Receiver<PublicKey>;

/// Numbers that a seed makes.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn node(&mut self) -> usize {
        usize::try_from(self.roll(u64::from(NODES))).expect("few")
    }
}

/// What happened in a run.
#[derive(Debug, Default)]
struct Tally {
    deaths: u32,
    cuts: u32,
    losses: u32,
}

/// A running node.
struct Running {
    machine: Arc<SimMachine>,
    handle: Handle<Result<(), Stopped>>,
}

struct World {
    context: Context,
    oracle: Oracle<PublicKey, Context>,
    keys: Vec<PrivateKey>,
    first: Ledger,
    records: Arc<BTreeMap<String, String>>,
    faults: Vec<Fault>,
    disks: Vec<Disk>,
    running: Vec<Option<Running>>,
    starts: u32,
}

impl World {
    async fn new(context: Context, faults: Vec<Fault>) -> World {
        let secret = |number| validator(number).ed25519_secret().expect("ed25519");
        let key = |number| PrivateKey::decode(Copying(&secret(number))).expect("a key");
        let keys: Vec<PrivateKey> = (1..=NODES).map(key).collect();
        let peers: Vec<PublicKey> = keys.iter().map(|key| key.public_key()).collect();
        let config = simulated::Config {
            max_size: 8 * 1024 * 1024,
            max_peers_per_set: NZUsize!(16),
            disconnect_on_block: true,
            tracked_peer_sets: NZUsize!(1),
        };
        let (network, oracle) =
            simulated::Network::new_with_peers(context.child("network"), config, peers).await;
        network.start();
        let first = first_ledger(NODES);
        let mut world = World {
            context,
            oracle,
            keys,
            records: Arc::new(records()),
            faults,
            disks: vec![Disk::new(first.clone()); usize::from(NODES)],
            running: (0..NODES).map(|_| None).collect(),
            first,
            starts: 0,
        };
        for from in 0..usize::from(NODES) {
            for to in 0..usize::from(NODES) {
                world.link(from, to, good()).await;
            }
        }
        for node in 0..usize::from(NODES) {
            world.start(node).await;
        }
        world
    }

    async fn link(&self, from: usize, to: usize, link: Option<Link>) {
        if from == to {
            return;
        }
        let (from, to) = (self.keys[from].public_key(), self.keys[to].public_key());
        // There may be none.
        let _ = self.oracle.remove_link(from.clone(), to.clone()).await;
        if let Some(link) = link {
            self.oracle.add_link(from, to, link).await.expect("there is none");
        }
    }

    /// Links of one node with all others.
    async fn link_all(&self, node: usize, link: Option<Link>) {
        for other in 0..usize::from(NODES) {
            self.link(node, other, link.clone()).await;
            self.link(other, node, link.clone()).await;
        }
    }

    async fn channel(&self, node: usize, number: u64) -> (Sending, Receiving) {
        let control = self.oracle.control(self.keys[node].public_key());
        let registering = control.register(number, Quota::per_second(NZU32!(256)));
        registering.await.expect("a channel")
    }

    async fn start(&mut self, node: usize) {
        self.starts += 1;
        let context = self.context.child("node").with_attribute("start", self.starts);
        let clock = context.child("clock");
        let number = u8::try_from(node).expect("few") + 1;
        let machine = Arc::new(SimMachine::new(
            number,
            self.disks[node].clone(),
            Arc::clone(&self.records),
            self.faults[node],
            move || close_time_of(clock.current()),
        ));
        let key = self.keys[node].clone();
        let channels = Channels {
            votes: self.channel(node, 0).await,
            certificates: self.channel(node, 1).await,
            resolver: self.channel(node, 2).await,
            blocks: self.channel(node, 3).await,
            backfill: self.channel(node, 4).await,
        };
        let (words, submissions) = (self.channel(node, 5).await, self.channel(node, 6).await);
        let parts = Parts {
            machine: Arc::clone(&machine),
            first: (Block::first(&self.first), self.first.header().index),
            membership: Membership {
                validators: Set::from_iter_dedup(self.keys.iter().map(|key| key.public_key())),
                key: key.clone(),
                part: Part::Validator,
                namespace: b"simulation".to_vec(),
            },
            peers: self.oracle.manager(),
            blocker: self.oracle.control(key.public_key()),
            channels,
            partition: format!("node-{node}-"),
        };
        let talker = Arc::clone(&machine);
        let handle = context.spawn(move |context| async move {
            spread::start(&context, &talker, words, submissions);
            engine::run(context.child("engine"), parts).await
        });
        self.running[node] = Some(Running { machine, handle });
    }

    /// Ends a node as a power cut would: what is on its disk stays.
    async fn kill(&mut self, node: usize) {
        let Some(running) = self.running[node].take() else {
            return;
        };
        running.handle.abort();
        // It was aborted.
        let _ = running.handle.await;
        self.disks[node] = running.machine.disk();
    }

    fn submit(&self, node: usize, submission: Submission) {
        if let Some(running) = &self.running[node] {
            running.machine.hand_in(submission);
        }
    }

    fn disks(&self) -> Vec<Disk> {
        let running = self.running.iter().flatten();
        running.map(|running| running.machine.disk()).collect()
    }
}

/// A link as between data centres.
fn good() -> Option<Link> {
    Some(Link {
        latency: Duration::from_millis(30),
        jitter: Duration::from_millis(15),
        success_rate: probability!(1, 1),
    })
}

/// One that loses a third of the messages.
fn lossy() -> Option<Link> {
    Some(Link {
        latency: Duration::from_millis(80),
        jitter: Duration::from_millis(60),
        success_rate: probability!(2, 3),
    })
}

fn close_time_of(time: SystemTime) -> CloseTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    CloseTime::from_unix(since.as_secs()).expect("a ledger's time")
}

fn runner(seed: u64) -> deterministic::Runner {
    let start =
        SystemTime::UNIX_EPOCH + Duration::from_secs(EPOCH_SECS + u64::from(crate::machine::CLOCK) + 5);
    let config = deterministic::Config::new()
        .with_seed(seed)
        .with_start_time(start);
    deterministic::Runner::new(config)
}

fn seeds() -> std::ops::Range<u64> {
    let Ok(text) = std::env::var("XAHAU_EMAIL_SEEDS") else {
        return SEEDS;
    };
    let number = |text: &str| text.parse().expect("XAHAU_EMAIL_SEEDS is like 0..200");
    match text.split_once("..") {
        Some((first, last)) => number(first)..number(last),
        None => number(&text)..number(&text) + 1,
    }
}

/// All that is submitted in a run.
fn submissions() -> Vec<Submission> {
    let mails = MAILS
        .iter()
        .map(|name| Submission::Mail(vector_mail(name).into()));
    let payments = (0..PAYMENTS).map(|number| payment(BOB, 2 + number, 3_000_000));
    let payments = payments.map(|tx| Submission::Transaction(tx.blob().into()));
    payments.chain(mails).collect()
}

/// One thing happens to the network: a fault, or the end of the oldest.
async fn happen(world: &mut World, dice: &mut Dice, tally: &mut Tally, faulty: &mut VecDeque<usize>) {
    let node = dice.node();
    match dice.roll(6) {
        0 => {
            world.kill(node).await;
            tally.deaths += 1;
        }
        1 => {
            world.link_all(node, None).await;
            tally.cuts += 1;
        }
        2 => {
            world.link_all(node, lossy()).await;
            tally.losses += 1;
        }
        _ => {
            if let Some(node) = faulty.pop_front() {
                repair(world, node).await;
            }
            return;
        }
    }
    faulty.push_back(node);
}

async fn repair(world: &mut World, node: usize) {
    world.link_all(node, good()).await;
    if world.running[node].is_none() {
        world.start(node).await;
    }
}

/// Each ledger that two nodes have is the same on both, and no XAH is made.
fn assert_one_chain(seed: u64, disks: &[Disk]) {
    let mut hashes = BTreeMap::new();
    for disk in disks {
        for (index, hash) in &disk.hashes {
            let first = hashes.entry(*index).or_insert(*hash);
            assert_eq!(first, hash, "seed {seed}: two ledgers {index}");
        }
        let entries = disk
            .ledger
            .state()
            .iter()
            .filter_map(|(_, bytes)| codec::decode(bytes).ok());
        let roots =
            entries.filter(|entry| entry.u16(sf::LEDGER_ENTRY_TYPE) == Some(EntryType::AccountRoot.code()));
        let drops = roots
            .filter_map(|root| root.amount(sf::BALANCE)?.as_drops())
            .map(|drops| drops.get());
        let total = disk.ledger.header().total_drops.get();
        assert_eq!(drops.sum::<u64>(), total, "seed {seed}: XAH were made or lost");
    }
}

/// Next sequence of the genesis account, and how many mails are validated.
fn progress(disk: &Disk) -> (Option<u32>, usize) {
    let root = disk.ledger.entry(&codec::keylet::account(codec::AccountId::new(
        ledger::genesis::GENESIS_ACCOUNT,
    )));
    (root.and_then(|root| root.u32(sf::SEQUENCE)), disk.validated.len())
}

fn has_all(disk: &Disk) -> bool {
    progress(disk) == (Some(2 + PAYMENTS), EXECUTED)
}

async fn run(context: Context, seed: u64) -> (Tally, u32) {
    let (mut dice, mut tally) = (Dice(seed.wrapping_mul(2) + 1), Tally::default());
    let mut faults = vec![Fault::None; usize::from(NODES)];
    faults[dice.node()] = Fault::FalseDns;
    let mut world = World::new(context.child("world"), faults).await;
    let (all, mut next, mut faulty) = (submissions(), 0, VecDeque::new());
    for _ in 0..STEPS {
        for submission in all.iter().skip(next).take(2) {
            world.submit(dice.node(), submission.clone());
        }
        next += 2;
        happen(&mut world, &mut dice, &mut tally, &mut faulty).await;
        context.sleep(Duration::from_secs(2 + dice.roll(5))).await;
        assert_one_chain(seed, &world.disks());
    }
    for node in 0..usize::from(NODES) {
        repair(&mut world, node).await;
    }
    for second in 0..HEALING_SECS {
        // Whoever has something hands it in again until it is validated.
        if second.is_multiple_of(10) {
            for submission in &all {
                world.submit(dice.node(), submission.clone());
            }
        }
        context.sleep(Duration::from_secs(1)).await;
        if world.disks().iter().all(has_all) {
            break;
        }
    }
    let disks = world.disks();
    assert_one_chain(seed, &disks);
    let heights: Vec<u32> = disks
        .iter()
        .map(|disk| disk.ledger.header().index.get())
        .collect();
    let progress: Vec<_> = disks.iter().map(progress).collect();
    assert!(
        disks.iter().all(has_all),
        "seed {seed}: {progress:?} at {heights:?}"
    );
    for node in 0..usize::from(NODES) {
        world.kill(node).await;
    }
    (tally, heights.into_iter().max().expect("nodes"))
}

#[test]
fn a_network_that_is_healed_has_everything_once_in_the_same_ledgers() {
    for seed in seeds() {
        let (tally, ledgers) = runner(seed).start(|context| run(context, seed));
        println!("seed {seed}: {tally:?}, {ledgers} ledgers");
    }
}

#[test]
fn rejects_its_own_ledger_where_it_is_not_the_networks_and_says_at_which() {
    runner(7).start(|context| async move {
        let mut faults = vec![Fault::None; usize::from(NODES)];
        faults[2] = Fault::FalseLedgers;
        let mut world = World::new(context.child("world"), faults).await;
        let stopped = world.running[2].take().expect("it runs");
        let ended = stopped.handle.await.expect("it ends by itself");
        let Err(Stopped::Diverged { index, own, network }) = ended else {
            panic!("it did not notice: {ended:?}");
        };
        assert_eq!(stopped.machine.disk().hashes[&index.get()], own);
        // The others go on, with the ledger that the network has.
        let height = world.disks()[0].ledger.header().index.get();
        context.sleep(Duration::from_secs(60)).await;
        let disks = world.disks();
        assert_one_chain(7, &disks);
        for disk in &disks {
            assert_eq!(disk.hashes[&index.get()], network);
            assert!(disk.ledger.header().index.get() > height + 5);
        }
        assert!(
            world.running[0]
                .as_ref()
                .is_some_and(|one| one.machine.last().header().index > index)
        );
        for node in 0..usize::from(NODES) {
            world.kill(node).await;
        }
    });
}
