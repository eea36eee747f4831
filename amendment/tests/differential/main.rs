//! Our verifier beside others: mail-auth in this process, and dkimpy and libopendkim where they are
//! installed. Verdicts on the signature part of fixtures/cases and of seeded mutations, as a 2x2 table for
//! each peer. Each difference falls into a class that docs/deviations.md lists ("Differential runs"), or the
//! test fails.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

mod classes;
mod corpus;
mod external;
mod mail;
mod mail_auth_peer;
mod mutate;
mod resign;
mod rng;
mod seen;
mod sign;
mod table;
mod unseen;
mod verdict;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use amendment::{Derived, ProvenMail, derive};
use corpus::Sample;
use external::External;
use mail_auth_peer::MailAuth;
use mutate::{Kind, Mutator};
use table::{Peer, Table};

/// Mutations against mail-auth: fewer in a build that is not optimised.
const MUTATIONS: u64 = if cfg!(debug_assertions) { 20_000 } else { 100_000 };
/// Mutations against each program of tests/peers.
const LONG_MUTATIONS: u64 = 10_000;
/// Mails that a thread takes at once.
const BATCH: u64 = 100;

fn derived(sample: &Sample) -> Result<ProvenMail, amendment::Refusal> {
    derive(
        &sample.mail,
        sample.network_id,
        sample.close_time(),
        &sample.records(),
    )
}

/// The accepted mails of fixtures/cases and fixtures/vectors.
fn seeds() -> Vec<Sample> {
    let all = corpus::cases().into_iter().chain(corpus::vectors());
    let seeds: Vec<Sample> = all.filter(|sample| derived(sample).is_ok()).collect();
    assert!(seeds.len() > 300, "{} accepted mails", seeds.len());
    seeds
}

/// What became of many mutations.
#[derive(Default)]
struct Run {
    table: Table,
    /// Mutations that touch unsigned bytes only, were signed again, or touch anything.
    kinds: [u64; 3],
    problems: Vec<String>,
}

/// Judges mutations on every core; which mail a number makes does not depend on the threads.
fn run(seeds: &[Sample], count: u64, peer: impl Fn() -> Box<dyn Peer> + Sync) -> Run {
    let mutator = Mutator::new(seeds);
    let next = AtomicU64::new(0);
    let work = || {
        let mut peer = peer();
        let mut run = Run::default();
        loop {
            let from = next.fetch_add(BATCH, Ordering::Relaxed);
            if from >= count {
                return run;
            }
            for number in from..(from + BATCH).min(count) {
                let mutant = mutator.mutant(number);
                run.kinds[mutant.kind as usize] += 1;
                run.problems.extend(check_meaning(&mutant));
                run.table.add(&mut *peer, &mutant.sample);
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut all = Run::default();
        for worker in workers {
            let part = worker.join().expect("a worker");
            all.table.merge(part.table);
            all.problems.extend(part.problems);
            for (sum, kind) in all.kinds.iter_mut().zip(part.kinds) {
                *sum += kind;
            }
        }
        all
    })
}

/// What the signature does not see changes nothing; what it sees makes nothing else.
fn check_meaning(mutant: &mutate::Mutant<'_>) -> Option<String> {
    if mutant.kind == Kind::Resigned {
        return None;
    }
    let original = derived(mutant.seed).expect("an accepted mail");
    let found = derived(&mutant.sample);
    let same = |found: &Derived| {
        let meaning = |mail: &Derived| {
            (
                mail.email_id,
                mail.order.clone(),
                mail.from.clone(),
                mail.signed_date,
            )
        };
        // Under another of its signatures a mail has another normal form.
        meaning(found) == meaning(&original) && (mutant.signatures > 1 || found.memo == original.memo)
    };
    let right = match (&found, mutant.kind) {
        (Ok(found), _) => same(found),
        (Err(_), kind) => kind != Kind::Unseen,
    };
    let told = || {
        format!(
            "{}: {found:?}\n{}",
            mutant.sample.name,
            mutant.sample.mail.escape_ascii()
        )
    };
    (!right).then(told)
}

#[test]
fn cases_and_mutations_differ_from_mail_auth_as_listed() {
    let mut peer = MailAuth::new();
    let mut of_cases = Table::default();
    for sample in corpus::cases() {
        of_cases.add(&mut peer, &sample);
    }
    let seeds = seeds();
    let run = run(&seeds, MUTATIONS, || Box::new(MailAuth::new()));
    let [unseen, resigned, any] = run.kinds;
    println!("{}", of_cases.text(peer.name(), "fixtures/cases"));
    println!("{unseen} mutations of unsigned bytes alone, {resigned} signed again, {any} of any bytes");
    println!(
        "{}",
        run.table.text(peer.name(), &format!("{MUTATIONS} mutations"))
    );
    let mut problems = run.problems;
    problems.extend(of_cases.problems(peer.name()));
    problems.extend(run.table.problems(peer.name()));
    of_cases.merge(run.table);
    if cfg!(not(debug_assertions)) {
        problems.extend(of_cases.unused(peer.name()));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!((unseen + resigned) * 3 >= MUTATIONS);
}

/// The programs of tests/peers that are installed; under CI all of them, or it is a failure.
fn installed(folder: &Path) -> Vec<External> {
    let all = [
        ("dkimpy", External::dkimpy()),
        ("libopendkim", External::opendkim(folder)),
    ];
    let mut found = Vec::new();
    for (name, peer) in all {
        match peer {
            Some(peer) => found.push(peer),
            None if std::env::var_os("CI").is_some() => {
                panic!("{name} is missing: run tests/tools.sh")
            }
            None => println!(
                "NOTICE: {name} is missing: nothing is compared with it (tests/tools.sh installs it)"
            ),
        }
    }
    found
}

/// The long run: every case and 10,000 mutations against dkimpy and libopendkim.
#[test]
fn cases_and_mutations_differ_from_dkimpy_and_libopendkim_as_listed() {
    if std::env::var_os("XAHAU_EMAIL_LONG").is_none() {
        println!("not run: XAHAU_EMAIL_LONG is not set (.ci/run --long sets it)");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let cases = corpus::cases();
    let seeds = seeds();
    let mutator = Mutator::new(&seeds);
    let mut problems = Vec::new();
    for mut peer in installed(folder.path()) {
        let mut of_cases = Table::default();
        cases.iter().for_each(|sample| of_cases.add(&mut peer, sample));
        let mut of_mutations = Table::default();
        (0..LONG_MUTATIONS).for_each(|number| of_mutations.add(&mut peer, &mutator.mutant(number).sample));
        println!("{}", of_cases.text(peer.name(), "fixtures/cases"));
        println!("{}", of_mutations.text(peer.name(), "10,000 mutations"));
        problems.extend(of_cases.problems(peer.name()));
        problems.extend(of_mutations.problems(peer.name()));
        of_cases.merge(of_mutations);
        problems.extend(of_cases.unused(peer.name()));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
