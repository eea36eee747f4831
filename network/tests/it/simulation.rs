//! Whole networks on one seed and virtual time: nodes die, all power is cut with writes half done, links are cut, lose
//! messages and are late, clocks are off, DNS lies, validators join, leave and have other keys, the mail of a domain is
//! stopped and let through again, and one node keeps no rule. At the end all but that node is mended, and all others
//! must have all that was submitted, once, in the same ledgers, and what their operators agreed on.
//!
//! `XAHAU_EMAIL_SEEDS=FIRST..LAST` runs others than the usual seeds; a failure names the command that repeats it.

use std::panic::{catch_unwind, resume_unwind, set_hook, take_hook};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use codec::CloseTime;
use commonware_runtime::deterministic::{self, Context, FaultConfig, PartialWriteMode, WriteConfig};
use commonware_runtime::{Clock as _, Runner as _, Supervisor as _};
use commonware_utils::probability;
use ledger::Transaction;
use ledger::dkim::Ruling;
use network::{Stopped, Submission};

use crate::byzantine::{Conduct, wrapped_again};
use crate::dice::{Dice, VALIDATORS};
use crate::links::Weather;
use crate::machine::Disk;
use crate::mails::{
    AT_FIRST, CLOCK, EXECUTED, forgery, goal, mail_of_erin, meaning_of, reached, stolen, submissions, time_of,
};
use crate::tally::Tally;
use crate::world::{Remains, World};
use crate::zone::Lie;

/// Seeds of an ordinary run; `.ci/run` plays more.
const SEEDS: std::ops::Range<u64> = 0..2;
/// So many seeds must have seen all that they are for.
const SEEDS_FOR_ALL: u64 = 48;
/// How one node of a run behaves, by its seed.
const CONDUCTS: [Conduct; 4] = [
    Conduct::Twin,
    Conduct::FalseBlocks,
    Conduct::FalseWords,
    Conduct::Silent,
];
/// Times that all power is on; between them it is cut.
const PHASES: u64 = 3;
/// Steps of each, between which something happens.
const STEPS: u64 = 5;
/// Seconds in which a healed network must have all that was submitted.
const HEALING_SECS: u64 = 240;
/// Seconds since 1970 of the ledgers' first second.
const EPOCH_SECS: u64 = 946_684_800;
/// What a failure is repeated with.
const COMMAND: &str = "cargo test -p network --test it mended -- --nocapture";

fn runner(seed: u64) -> deterministic::Runner {
    runner_at(seed, CLOCK)
}

/// Time begins soon after a ledger that closed then.
pub(crate) fn runner_at(seed: u64, closed: u32) -> deterministic::Runner {
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(EPOCH_SECS + u64::from(closed) + 5);
    // Of what was not synced, each byte is on the disk or not.
    let torn = WriteConfig {
        failure_rate: probability!(0, 1),
        retention_rate: probability!(1, 2),
        mode: PartialWriteMode::Subset,
    };
    let config = deterministic::Config::new()
        .with_seed(seed)
        .with_start_time(start)
        .with_catch_panics(true)
        .with_storage_fault_config(FaultConfig::default().write(torn));
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

/// One thing happens to the network: a fault, or all is mended.
async fn happen(world: &mut World) {
    let node = world.remains.dice.node();
    match world.remains.dice.roll(13) {
        0 => {
            world.kill(node).await;
            world.remains.tally.deaths += 1;
        }
        1 => {
            world.weather_at(node, Weather::Cut).await;
            world.remains.tally.partitions += 1;
        }
        2 => {
            world.part().await;
            world.remains.tally.partitions += 1;
        }
        3 => {
            world.weather_at(node, Weather::Lossy).await;
            world.remains.tally.losses += 1;
        }
        4 => {
            world.weather_at(node, Weather::Late).await;
            world.remains.tally.pauses += 1;
        }
        5 => {
            let lied_to = world.remains.zone.lied_to();
            let liar = lied_to[node % lied_to.len()];
            let lie = if node.is_multiple_of(2) {
                Lie::Swapped
            } else {
                Lie::Silent
            };
            world.remains.zone.lie(liar, lie);
            world.remains.tally.lies += 1;
        }
        6 | 7 => agree_on_list(world),
        8 => world.remains.operators.agree_on_mail(Ruling::Frozen),
        9 => world.remains.operators.agree_on_mail(Ruling::Lifted),
        _ => world.mend().await,
    }
}

/// The operators agree on another list than the last ledger's.
fn agree_on_list(world: &mut World) {
    let (ledger, dishonest) = (world.last_ledger(), world.dishonest());
    let Remains { operators, dice, .. } = &mut world.remains;
    operators.agree_on_list(&ledger, dice, dishonest);
}

/// The network from one power cut to the next, or to the end.
async fn phase(context: Context, number: u64, remains: Remains) -> (Remains, [u8; 4]) {
    let mut world = World::start_all(context.child("world"), remains).await;
    let all = submissions();
    if number == 1 {
        world.remains.zone.publish_next();
    }
    let (from, to) = match number {
        0 => (0, AT_FIRST),
        _ => (AT_FIRST, all.len()),
    };
    let mut waiting = all[from..to].iter().cloned();
    for _ in 0..STEPS {
        for submission in waiting.by_ref().take(4) {
            let node = world.remains.dice.node();
            world.submit(node, submission);
        }
        let (node, mail) = (world.remains.dice.node(), mail_of_erin(world.now()));
        world.submit(node, mail);
        happen(&mut world).await;
        world.tell_operators();
        let millis = 1_000 + world.remains.dice.roll(5_000);
        context.sleep(Duration::from_millis(millis)).await;
        world.check().await;
    }
    if number + 1 == PHASES {
        heal(&context, &mut world, &all).await;
    }
    if number + 1 < PHASES {
        fail_disks(&context, &mut world).await;
    }
    let remains = world.end();
    (remains, context.storage_audit())
}

/// Before power goes, writes do not come through to the disks: what nodes wait for is done in part, or not at all. A
/// node that is told so ends.
async fn fail_disks(context: &Context, world: &mut World) {
    context.storage_fault_config().write().sync_rate = Some(probability!(1, 2));
    let millis = world.remains.dice.roll(1_500);
    context.sleep(Duration::from_millis(millis)).await;
}

async fn with_disks_again(context: Context) -> [u8; 4] {
    context.storage_fault_config().write().sync_rate = None;
    context.storage_audit()
}

/// All is mended. The operators agree on other validators once more, and now and then to stop a domain's mail; then
/// they let all mail through.
async fn heal(context: &Context, world: &mut World, all: &[Submission]) {
    world.mend().await;
    agree_on_list(world);
    if world.remains.dice.roll(2) == 0 {
        world.remains.operators.agree_on_mail(Ruling::Frozen);
    }
    hand_in_until(context, world, all, |world, disk| {
        world.remains.operators.are_heard(&disk.ledger)
    })
    .await;
    world.remains.operators.agree_on_mail(Ruling::Lifted);
    let begun = world.now();
    hand_in_until(context, world, all, |world, disk| has_all(world, disk, begun)).await;
    assert_eq!(world.remains.checker.executed(), EXECUTED, "mails in the ledgers");
}

/// Whoever has something hands it in again, and operators tell their nodes, until all disks are so.
async fn hand_in_until(
    context: &Context,
    world: &mut World,
    all: &[Submission],
    is_done: impl Fn(&World, &Disk) -> bool,
) {
    for second in 0..HEALING_SECS {
        if second.is_multiple_of(10) {
            world.tell_operators();
            let of_erin = mail_of_erin(world.now());
            let disks = world.disks();
            for submission in all.iter().cloned().chain(again(&disks[0])).chain([of_erin]) {
                let node = world.remains.dice.node();
                world.submit(node, submission);
            }
        }
        context.sleep(Duration::from_secs(1)).await;
        let disks = world.check().await;
        if disks.iter().all(|disk| is_done(world, disk)) {
            return;
        }
    }
    let progress: Vec<_> = world
        .disks()
        .iter()
        .map(|disk| (disk.ledger.index(), reached(&disk.ledger), disk.validated.len()))
        .collect();
    panic!("not all is done: {progress:?}, {:?}", world.remains.operators);
}

/// Whether a disk has all that was handed in, with a mail since then of the domain that was stopped, and what the
/// operators agreed on; whether those on the list order its blocks; and whether its node said of each mail what became
/// of it.
fn has_all(world: &World, disk: &Disk, begun: CloseTime) -> bool {
    let (ledger, checker) = (&disk.ledger, &world.remains.checker);
    let is_ordered_by_the_list = checker.list_counts_at(ledger.index().get());
    if reached(ledger) != goal() || !world.remains.operators.are_heard(ledger) || !is_ordered_by_the_list {
        return false;
    }
    let is_new = |date: &str| time_of(date).is_some_and(|date| date >= begun);
    let stored = disk.pages.values().flat_map(|page| &page.transactions);
    let mails = stored.filter_map(|stored| meaning_of(&codec::decode(&stored.blob).ok()?));
    checker.executed_of_erin().any(is_new) && disk.validated.len() == mails.count()
}

/// Executed mails as a thief would hand them in: in a new wrapper.
fn again(disk: &Disk) -> Vec<Submission> {
    let stored = disk.pages.values().flat_map(|page| &page.transactions);
    let transactions = stored.filter_map(|stored| Transaction::parse(&stored.blob).ok());
    let of_mails = transactions.filter(Transaction::is_email_signed);
    let again = of_mails.filter_map(|tx| wrapped_again(&tx, &disk.ledger));
    again
        .map(|tx| Submission::Transaction(tx.blob().into()))
        .collect()
}

/// A run: what happened, and a digest of all that happened.
fn play(seed: u64) -> (Tally, String) {
    let at = usize::try_from(seed).expect("few") % CONDUCTS.len();
    let mut remains = Remains::new(Dice::new(seed), CONDUCTS[at]);
    let (mut runner, mut digest) = (runner(seed), String::new());
    for number in 0..PHASES {
        let ((left, before), cut) = runner.start_and_recover(|context| phase(context, number, remains));
        remains = left;
        digest = cut.auditor().state();
        // Whether the power cut left a part of what was being written.
        let (after, on) = deterministic::Runner::from(cut).start_and_recover(with_disks_again);
        if number + 1 < PHASES {
            remains.tally.power_cuts += 1;
            remains.tally.torn_writes += u64::from(after != before);
        }
        runner = deterministic::Runner::from(on);
    }
    let decided = remains.checker.counts();
    remains.tally.joins = decided.joins;
    remains.tally.leaves = decided.leaves;
    remains.tally.replaced_keys = decided.replaced_keys;
    remains.tally.freezes = decided.freezes;
    remains.tally.lifts = decided.lifts;
    remains.tally.ledgers = u64::try_from(remains.checker.ledgers()).expect("few");
    (remains.tally, digest)
}

/// Plays seeds on all cores until one fails.
fn play_all(seeds: &std::ops::Range<u64>) -> Tally {
    let (next, total) = (AtomicU64::new(seeds.start), Mutex::new(Tally::default()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let seed = next.fetch_add(1, Ordering::Relaxed)
                    && seed < seeds.end
                {
                    match catch_unwind(|| play(seed)) {
                        Ok((tally, _)) => {
                            println!("seed {seed}: {tally:?}");
                            total.lock().expect("no thread panicked with it").add(&tally);
                        }
                        Err(panic) => {
                            next.store(seeds.end, Ordering::Relaxed);
                            println!("seed {seed} fails; again: XAHAU_EMAIL_SEEDS={seed} {COMMAND}");
                            resume_unwind(panic);
                        }
                    }
                }
            });
        }
    });
    total.into_inner().expect("no thread panicked with it")
}

/// The disks of nodes fail by order; what nodes say about it is not told.
fn hush_failing_disks() {
    let tell = take_hook();
    set_hook(Box::new(move |panic| {
        let said = panic.payload().downcast_ref::<String>();
        if !said.is_some_and(|said| said.contains("injected storage fault")) {
            tell(panic);
        }
    }));
}

#[test]
fn a_network_that_is_mended_has_everything_once_in_the_same_ledgers() {
    hush_failing_disks();
    let seeds = seeds();
    let total = play_all(&seeds);
    println!("{} seeds: {total:?}", seeds.end - seeds.start);
    // A run that saw none of what it is for proves nothing.
    if seeds.end - seeds.start >= SEEDS_FOR_ALL {
        assert_eq!(
            play(seeds.start).1,
            play(seeds.start).1,
            "the same seed, another history"
        );
        for (what, count) in total.must_have_happened() {
            assert!(count > 0, "in {seeds:?} there were no {what}");
        }
    }
}

#[test]
fn rejects_its_own_ledger_where_it_is_not_the_networks_and_says_at_which() {
    runner(7).start(|context| async move {
        let remains = Remains::new(Dice::new(7), Conduct::FalseLedgers);
        let mut world = World::start_all(context.child("world"), remains).await;
        context.sleep(Duration::from_secs(60)).await;
        let disks = world.check().await;
        let ended = world.ended.lock().expect("no test panicked with it").take();
        let Some((node, Some(Err(Stopped::Diverged { index, own, network })))) = ended else {
            panic!("it did not notice: {ended:?}");
        };
        assert_eq!(world.own_hash(node, index.get()), own);
        // The others went on, with the ledger that the network has.
        for disk in &disks {
            assert_eq!(disk.pages[&index.get()].hash, network);
            assert!(disk.ledger.index().get() > index.get() + 5);
        }
    });
}

// Spec: 7.2. Who can lie to a quorum has the network's word: what the operators' resolvers say is what is trusted.
#[test]
fn rejects_a_false_record_of_three_validators_and_accepts_that_of_four() {
    for (liars, is_stolen) in [(3, false), (4, true)] {
        runner(11).start(|context| async move {
            let remains = Remains::new(Dice::new(11), Conduct::Honest);
            let lied_to = remains.zone.lied_to();
            let others = (0..usize::from(VALIDATORS)).filter(|node| !lied_to.contains(node));
            others
                .take(liars - lied_to.len())
                .for_each(|node| remains.zone.lie(node, Lie::Evil));
            let world = World::start_all(context.child("world"), remains).await;
            for node in 0..usize::from(VALIDATORS) {
                world.submit(node, forgery());
            }
            context.sleep(Duration::from_secs(30)).await;
            for disk in world.disks() {
                assert_eq!(stolen(&disk.ledger) > 0, is_stolen, "{liars} liars");
            }
        });
    }
}
