//! kill -9 of the node 0 to 50 ms after one of a mail's requests (submission, closes, questions), again and
//! again: each restart must find every ledger and transaction that was validated before, with the same
//! hashes; and every signed transaction that was said to have a place or to wait for one.

use crate::support::{CommitWatch, NodeProcess};
use codec::format::TxType;
use codec::keys::KeyPair;
use codec::{Amount, Object, flags, sf};
use ledger::Transaction;
use rpc::Client;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
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

/// Kills while signed transactions come.
const TX_KILLS: u32 = 40;
const TX_KILLS_LONG: u32 = 300;

/// The payment of this sequence by the genesis account, whose seed is public: one for each sequence, so that it may
/// come twice.
pub(crate) fn payment(sequence: u32) -> Transaction {
    let key = KeyPair::from_seed("snoPBrXtMeMyMHUVTgbuqAfg1SUTb").expect("a seed");
    let to = amendment::address::parse_recipient("u0@mail.example").expect("an address");
    let tx = Object::new()
        .with(sf::TRANSACTION_TYPE, TxType::Payment.code())
        .with(sf::NETWORK_ID, 21_337_u32)
        .with(sf::FLAGS, flags::TF_FULLY_CANONICAL_SIG)
        .with(sf::SEQUENCE, sequence)
        .with(sf::AMOUNT, Amount::Native(1_000_000))
        .with(sf::FEE, Amount::Native(10_000))
        .with(sf::SIGNING_PUB_KEY, key.public_key().as_bytes().to_vec())
        .with(sf::ACCOUNT, key.account())
        .with(sf::DESTINATION, to.account());
    let signature = key.sign(&codec::tx::signing_bytes(&tx));
    Transaction::from_object(&tx.with(sf::TXN_SIGNATURE, signature)).expect("a payment")
}

/// Submits the payment after the next one, which has to wait, then the next one and a third, and closes the ledger.
/// Answers the ids of those that were said to have a place or to wait for one, until the node dies.
async fn submit_three(url: String, next: u32, sent: Arc<AtomicU64>) -> Vec<String> {
    let mut taken = Vec::new();
    let Ok(mut client) = Client::connect(&url).await else {
        return taken;
    };
    for sequence in [next + 1, next, next + 2] {
        let tx = payment(sequence);
        sent.fetch_add(1, Ordering::SeqCst);
        let blob = codec::hex_upper(tx.blob());
        let Some(answer) = request(&mut client, "submit", json!({ "tx_blob": blob })).await else {
            return taken;
        };
        assert!(
            answer["applied"] == true || answer["kept"] == true || answer["engine_result"] == "tefALREADY",
            "{answer}"
        );
        taken.push(tx.id().to_string());
    }
    sent.fetch_add(1, Ordering::SeqCst);
    let _ = request(&mut client, "ledger_accept", json!({})).await;
    taken
}

pub(crate) async fn next_sequence(client: &mut Client) -> u32 {
    let account = KeyPair::from_seed("snoPBrXtMeMyMHUVTgbuqAfg1SUTb")
        .expect("a seed")
        .account();
    let ask = json!({ "account": account.to_string(), "ledger_index": "current" });
    let found = request(client, "account_info", ask).await.expect("account_info");
    let next = found["account_data"]["Sequence"].as_u64().expect("Sequence");
    u32::try_from(next).expect("32 bits")
}

#[test]
fn nothing_answered_is_lost_by_a_kill() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("runtime");
    runtime.block_on(kill_while_transactions_come());
}

async fn kill_while_transactions_come() {
    let is_long = std::env::var_os("XAHAU_EMAIL_LONG").is_some();
    let kills = if is_long { TX_KILLS_LONG } else { TX_KILLS };
    let folder = tempfile::tempdir().expect("folder");
    let (data, keys) = (folder.path().join("data"), folder.path().join("keys.json"));
    std::fs::write(&keys, "{}").expect("written");
    let (mut taken, mut random) = (BTreeSet::new(), 2_026_u64);
    let mut unvalidated = 0;
    for number in 0..=kills {
        let (node, watch) = start(&data, &keys);
        let mut client = Client::connect(&node.url).await.expect("connects");
        if number == kills {
            request(&mut client, "ledger_accept", json!({}))
                .await
                .expect("ledger_accept");
        }
        for id in &taken {
            let found = request(&mut client, "tx", json!({ "transaction": id })).await;
            let found = found.unwrap_or_else(|| panic!("{id} is lost after kill {number}"));
            unvalidated += u32::from(found["validated"] == false);
            assert!(
                number < kills || found["meta"]["TransactionResult"] == "tesSUCCESS",
                "{found}"
            );
        }
        let sent = Arc::new(AtomicU64::new(0));
        let next = next_sequence(&mut client).await;
        let work = tokio::spawn(submit_three(node.url.clone(), next, Arc::clone(&sent)));
        let aimed_at = 1 + next_random(&mut random) % 4;
        wait_for_request(&sent, aimed_at, || work.is_finished()).await;
        wait_for_the_moment(&watch, number, next_random(&mut random) % 8).await;
        node.kill();
        watch.end();
        taken.extend(work.await.expect("work"));
    }
    println!(
        "kills {kills}, transactions {}, found unvalidated after one {unvalidated}",
        taken.len()
    );
    assert!(unvalidated > 5, "the kills came after the ledgers: {unvalidated}");
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
