//! kill -9 of the node 0 to 50 ms after a submission, again and again: each restart must find every ledger and
//! transaction that was validated before, with the same hashes.

#[path = "../../src/demo/mail.rs"]
#[allow(dead_code, reason = "the demo uses all of it")]
pub mod mail;

use crate::support::{CommitWatch, NodeProcess};
use mail::{Headers, Provider, Signing};
use rpc::Client;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Kills in an ordinary run; `XAHAU_EMAIL_LONG` makes it more.
const KILLS: u32 = 200;
const KILLS_LONG: u32 = 1_000;
/// Longest time from submission to kill, milliseconds: the requests that follow it (closes, questions) fall into it too.
const KILL_MILLIS_MAX: u64 = 200;

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

/// Submits the mail, closes the ledger, and notes what was validated, until the node dies.
async fn submit_and_close(url: String, mail: String) -> Known {
    let mut known = Known::default();
    let Ok(mut client) = Client::connect(&url).await else {
        return known;
    };
    let answer = request(&mut client, "submit_email", json!({ "email": mail })).await;
    let Some(answer) = answer else { return known };
    // Until the domain's key is on the ledger the node keeps two mails of an account; it says so of a further one.
    let is_known = matches!(answer["state"].as_str(), Some("submitted" | "kept"));
    assert!(is_known || answer["not_kept"].is_string(), "{answer}");
    for _ in 0..3 {
        if request(&mut client, "ledger_accept", json!({})).await.is_none() {
            return known;
        }
        let ledger = request(&mut client, "ledger", json!({ "ledger_index": "validated" })).await;
        let Some(ledger) = ledger else { return known };
        let index = ledger["ledger_index"].as_u64().expect("index");
        known
            .ledgers
            .insert(index, ledger["ledger_hash"].as_str().expect("hash").to_owned());
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
    let table: Map<String, Value> = provider
        .records()
        .iter()
        .map(|(name, text)| (name.clone(), json!(text)))
        .collect();
    std::fs::write(&keys, Value::Object(table).to_string()).expect("written");
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("clock")
        .as_secs();
    let (mut known, mut random, mut inside) = (Known::default(), 2_026u64, 0u32);
    for number in 0..kills {
        let (node, watch) = start(&data, &keys);
        let mut client = Client::connect(&node.url).await.expect("connects");
        check(&mut client, &known, 8).await;
        // Dates differ by a second each, so that each mail is one of its own; more than a minute old, so none is early.
        let from = format!("u{}@mail.example", number % SENDERS);
        let headers = Headers {
            from: &from,
            to: "Bob <bob@friends.example>",
            subject: "kill",
            date: now - 100_000 + u64::from(number),
        };
        let unsigned = mail::plain(headers, &["REMIT 1 XAH", ""]);
        let signed = provider.sign(&unsigned, Signing::Gmail).expect("signed");
        let work = tokio::spawn(submit_and_close(node.url.clone(), signed));
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

/// A third of the kills waits for a commit to begin; the others come after a random time.
async fn wait_for_the_moment(watch: &CommitWatch, number: u32, millis: u64) {
    let started = Instant::now();
    let limit = Duration::from_millis(if number.is_multiple_of(3) {
        KILL_MILLIS_MAX
    } else {
        millis
    });
    while started.elapsed() < limit {
        if number.is_multiple_of(3) && watch.inside.load(Ordering::SeqCst) {
            return;
        }
        tokio::task::yield_now().await;
    }
}
