//! kill -9 of the node 0 to 50 ms after one of a mail's requests (submission, closes, questions), again and
//! again: each restart must find every ledger and transaction that was validated before, with the same
//! hashes.

use crate::support::{CommitWatch, NodeProcess};
use rpc::Client;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use testkit::mail::{self, Headers};
use testkit::provider::{Provider, Signing};

/// Kills in an ordinary run; `XAHAU_EMAIL_LONG` makes it more.
const KILLS: u32 = 200;
const KILLS_LONG: u32 = 1_000;
/// Longest time from a request to the kill, milliseconds.
const KILL_MILLIS_MAX: u64 = 50;
/// Requests of a mail in the order they are sent: submission, then close, ledger and question until it is
/// validated. A kill is aimed at one of the first of them.
const REQUESTS_AIMED_AT: u64 = 7;
/// Those among them that write: the submission and the closes.
const REQUESTS_THAT_WRITE: [u64; 3] = [1, 2, 5];
/// A request that never comes (the mail was validated before it) must not hold up the kill, milliseconds.
const REQUEST_WAIT_MILLIS_MAX: u64 = 5_000;

/// Senders: each may have 64 live mails.
const SENDERS: u32 = 20;

/// What was seen validated: ledger hashes by index, and transactions.
#[derive(Default)]
struct Known {
    ledgers: BTreeMap<u64, String>,
    transactions: Vec<String>,
}

fn start(data: &Path, keys: &Path) -> (NodeProcess, CommitWatch) {
    let mut arguments: Vec<String> = [
        "--keys",
        keys.to_str().expect("path"),
        "--network",
        "21337",
        "--close-secs",
        "0",
    ]
    .map(str::to_owned)
    .to_vec();
    for sender in 0..SENDERS {
        arguments.extend(["--fund".to_owned(), format!("u{sender}@mail.example=10000")]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut node = NodeProcess::start_with(data, &arguments, Stdio::piped(), "warn,node=trace");
    let watch = CommitWatch::follow(node.child.stderr.take().expect("standard error"));
    (node, watch)
}

async fn request(client: &mut Client, method: &str, params: Value) -> Option<Value> {
    let Value::Object(params) = params else {
        return None;
    };
    client.request(method, params).await.ok()
}

/// Everything known must be there, and the node must go on from it.
async fn check(client: &mut Client, known: &Known, newest: usize) {
    for (index, hash) in known.ledgers.iter().rev().take(newest) {
        let found = request(client, "ledger", json!({ "ledger_index": index }))
            .await
            .expect("ledger");
        assert_eq!(
            found["ledger_hash"].as_str(),
            Some(hash.as_str()),
            "ledger {index}"
        );
    }
    for hash in known.transactions.iter().rev().take(newest) {
        let found = request(client, "tx", json!({ "transaction": hash }))
            .await
            .expect("transaction");
        assert_eq!(found["validated"], json!(true), "{hash}");
    }
}

/// Submits the mail, closes the ledger, and notes what was validated, until the node dies. `sent` counts the
/// requests.
async fn submit_and_close(url: String, mail: String, sent: Arc<AtomicU64>) -> Known {
    let mut known = Known::default();
    let Ok(mut client) = Client::connect(&url).await else {
        return known;
    };
    sent.fetch_add(1, Ordering::SeqCst);
    let answer = request(&mut client, "submit_email", json!({ "email": mail })).await;
    let Some(answer) = answer else { return known };
    // Until the domain's key is on the ledger the node keeps two mails of an account; it says so of a further
    // one.
    let is_known = matches!(answer["state"].as_str(), Some("submitted" | "kept"));
    assert!(is_known || answer["not_kept"].is_string(), "{answer}");
    for _ in 0..3 {
        sent.fetch_add(1, Ordering::SeqCst);
        if request(&mut client, "ledger_accept", json!({})).await.is_none() {
            return known;
        }
        sent.fetch_add(1, Ordering::SeqCst);
        let ledger = request(&mut client, "ledger", json!({ "ledger_index": "validated" })).await;
        let Some(ledger) = ledger else { return known };
        let index = ledger["ledger_index"].as_u64().expect("index");
        known
            .ledgers
            .insert(index, ledger["ledger_hash"].as_str().expect("hash").to_owned());
        sent.fetch_add(1, Ordering::SeqCst);
        let ask = json!({ "email": mail, "dry_run": true });
        let Some(answer) = request(&mut client, "submit_email", ask).await else {
            return known;
        };
        if answer["state"] == "validated" {
            known
                .transactions
                .push(answer["hash"].as_str().expect("hash").to_owned());
            return known;
        }
    }
    known
}

/// Deterministic numbers, so that a failing run can be repeated.
fn next_random(state: &mut u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

#[test]
fn nothing_validated_is_lost_by_a_kill() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("runtime");
    runtime.block_on(kill_again_and_again());
}

async fn kill_again_and_again() {
    let kills = if std::env::var_os("XAHAU_EMAIL_LONG").is_some() {
        KILLS_LONG
    } else {
        KILLS
    };
    let folder = tempfile::tempdir().expect("folder");
    let (data, keys) = (folder.path().join("data"), folder.path().join("keys.json"));
    let provider = Provider::new("mail.example").expect("keys");
    std::fs::write(&keys, provider.keys_json()).expect("written");
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("clock")
        .as_secs();
    let (mut known, mut random, mut inside) = (Known::default(), 2_026u64, 0u32);
    for number in 0..kills {
        let (node, watch) = start(&data, &keys);
        let mut client = Client::connect(&node.url).await.expect("connects");
        check(&mut client, &known, 8).await;
        // Dates differ by a second each, so that each mail is one of its own; more than a minute old, so none
        // is early.
        let from = format!("u{}@mail.example", number % SENDERS);
        let headers = Headers {
            from: &from,
            to: "Bob <bob@friends.example>",
            subject: "kill",
            date: now - 100_000 + u64::from(number),
        };
        let unsigned = mail::plain(headers, &["REMIT 1 XAH", ""]);
        let signed = provider.sign(&unsigned, Signing::Gmail).expect("signed");
        let sent = Arc::new(AtomicU64::new(0));
        let work = tokio::spawn(submit_and_close(node.url.clone(), signed, Arc::clone(&sent)));
        let choice = next_random(&mut random);
        let aimed_at = if waits_for_commit(number) {
            REQUESTS_THAT_WRITE[(choice % 3) as usize]
        } else {
            1 + choice % REQUESTS_AIMED_AT
        };
        wait_for_request(&sent, aimed_at, || work.is_finished()).await;
        wait_for_the_moment(&watch, number, next_random(&mut random) % (KILL_MILLIS_MAX + 1)).await;
        node.kill();
        inside += u32::from(watch.end());
        let seen = work.await.expect("work");
        known.ledgers.extend(seen.ledgers);
        known.transactions.extend(seen.transactions);
    }
    let (node, watch) = start(&data, &keys);
    let mut client = Client::connect(&node.url).await.expect("connects");
    check(&mut client, &known, usize::MAX).await;
    node.kill();
    watch.end();
    println!(
        "kills {kills}, inside a commit {inside}, ledgers seen validated {}, mails seen validated {}",
        known.ledgers.len(),
        known.transactions.len()
    );
    assert!(
        inside * 5 >= kills,
        "only {inside} of {kills} kills fell inside a commit"
    );
    assert!(
        known.transactions.len() > 10,
        "hardly any mail was validated: the kills came too early"
    );
}

/// Until the request of that number was sent, or none will be.
async fn wait_for_request(sent: &AtomicU64, number: u64, is_over: impl Fn() -> bool) {
    let started = Instant::now();
    let limit = Duration::from_millis(REQUEST_WAIT_MILLIS_MAX);
    while sent.load(Ordering::SeqCst) < number && !is_over() && started.elapsed() < limit {
        tokio::task::yield_now().await;
    }
}

/// Half of the kills wait for a commit to begin; the others come after a random time.
fn waits_for_commit(number: u32) -> bool {
    number.is_multiple_of(2)
}

async fn wait_for_the_moment(watch: &CommitWatch, number: u32, millis: u64) {
    let started = Instant::now();
    let limit = Duration::from_millis(if waits_for_commit(number) {
        KILL_MILLIS_MAX
    } else {
        millis
    });
    while started.elapsed() < limit {
        if waits_for_commit(number) && watch.inside.load(Ordering::SeqCst) {
            return;
        }
        tokio::task::yield_now().await;
    }
}
