//! How long a node takes to start on a large state, and how much memory it holds then.
//!
//! `cargo run --release -p node --example big_state -- make FOLDER [ACCOUNTS]` fills a new data folder
//! (1,000,000 accounts by default); `... -- start FOLDER` starts a node on it and prints seconds and MiB. Two
//! runs, so that the memory of the first does not count. `... -- remits FOLDER` submits 1,000 Remits and
//! closes them, durable on disk, five times. `... -- crash FOLDER` closes a ledger and aborts: what the next
//! start takes then has the repair of the file in it.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use codec::format::{EntryType, TxType};
use codec::keys::KeyPair;
use codec::{AccountId, Amount, CloseTime, Hash256, LedgerIndex, Object, keylet, sf};
use dns::NoResolver;
use ledger::{Header, StateMap};
use node::store::{Change, Commit, RedbStore, Store};
use node::{Node, NodeConfig};
use rpc::api::{LedgerChoice, Node as _, OnRetry, Peer, Role};

const ACCOUNTS_DEFAULT: u32 = 1_000_000;
const NETWORK: u32 = 21_337;
/// Seed of the genesis account, as in xahaud standalone.
const GENESIS_SEED: &str = "snoPBrXtMeMyMHUVTgbuqAfg1SUTb";
/// Remits in a ledger, and ledgers.
const REMITS: u32 = 1_000;
const ROUNDS: u32 = 5;
/// What such a ledger may take until it is durable, seconds.
const CLOSE_SECS_TARGET: f64 = 0.2;
const CLOCK: CloseTime = CloseTime::new(848_145_600);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["make", folder] => make(Path::new(folder), ACCOUNTS_DEFAULT),
        ["make", folder, accounts] => make(Path::new(folder), accounts.parse()?),
        ["start", folder] => measure(Path::new(folder)),
        ["remits", folder] => remits(Path::new(folder)),
        ["crash", folder] => crash(Path::new(folder)),
        _ => Err(
            "usage: big_state make FOLDER [ACCOUNTS] | start FOLDER | remits FOLDER | crash FOLDER".into(),
        ),
    }
}

fn start(folder: &Path) -> Result<Node, Box<dyn Error>> {
    let runtime = tokio::runtime::Runtime::new()?;
    let config = NodeConfig::new(folder.to_owned(), NETWORK);
    let handle = runtime.handle().clone();
    Ok(Node::start(
        &config,
        Arc::new(|| CLOCK),
        Arc::new(NoResolver),
        handle,
    )?)
}

fn measure(folder: &Path) -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    let node = start(folder)?;
    let seconds = begun.elapsed().as_secs_f64();
    let validated = node.server().map_err(|error| error.to_string())?.validated;
    println!("ledger {} {}", validated.index, validated.hash);
    println!("start {seconds:.2} s");
    for line in std::fs::read_to_string("/proc/self/status")?.lines() {
        if let Some((name @ ("VmRSS" | "VmHWM"), kib)) = line.split_once(':') {
            let kib: u64 = kib.trim().trim_end_matches(" kB").parse()?;
            println!("{name} {} MiB", kib / 1_024);
        }
    }
    Ok(())
}

/// Remits of the genesis account to accounts of the state: submitting and closing apart.
fn remits(folder: &Path) -> Result<(), Box<dyn Error>> {
    let node = start(folder)?;
    let key = KeyPair::from_seed(GENESIS_SEED)?;
    let peer = Peer::new(std::net::Ipv4Addr::LOCALHOST.into(), Role::Admin);
    for round in 0..ROUNDS {
        let root = node
            .account(key.account(), LedgerChoice::Current)
            .map_err(|error| error.to_string())?
            .root;
        let first = root.u32(sf::SEQUENCE).ok_or("no sequence")?;
        let blobs: Vec<Vec<u8>> = (0..REMITS)
            .map(|at| remit(&key, first + at, round * REMITS + at))
            .collect();
        let begun = Instant::now();
        for blob in &blobs {
            let answer = node
                .submit(blob, OnRetry::Drop, &peer)
                .map_err(|error| error.to_string())?;
            if !answer.engine.is_success() {
                return Err(answer.engine.token().into());
            }
        }
        let submitted = begun.elapsed().as_secs_f64();
        let begun = Instant::now();
        node.accept_ledger().map_err(|error| error.to_string())?;
        let closed = begun.elapsed().as_secs_f64();
        println!("{REMITS} Remits: submitted in {submitted:.3} s, closed and durable in {closed:.3} s");
        println!("ratio close-{REMITS}-durable {:.2}", closed / CLOSE_SECS_TARGET);
    }
    Ok(())
}

/// A signed Remit of 1 XAH from the genesis account to account number `to` of the state.
fn remit(key: &KeyPair, sequence: u32, to: u32) -> Vec<u8> {
    let amount = Object::new().with(sf::AMOUNT, Amount::Native(1_000_000));
    let mut tx = Object::new()
        .with(sf::TRANSACTION_TYPE, TxType::Remit.code())
        .with(sf::FLAGS, codec::flags::TF_FULLY_CANONICAL_SIG)
        .with(sf::NETWORK_ID, NETWORK)
        .with(sf::SEQUENCE, sequence)
        .with(sf::FEE, Amount::Native(10))
        .with(sf::SIGNING_PUB_KEY, key.public_key().as_bytes().as_slice())
        .with(sf::ACCOUNT, key.account())
        .with(sf::DESTINATION, account_id(to))
        .with(sf::AMOUNTS, vec![(sf::AMOUNT_ENTRY, amount)]);
    tx.set(sf::TXN_SIGNATURE, key.sign(&codec::tx::signing_bytes(&tx)));
    codec::encode(&tx)
}

/// Close a ledger and end as a killed process does, so that the next start has to repair the file.
fn crash(folder: &Path) -> Result<(), Box<dyn Error>> {
    let node = start(folder)?;
    let begun = Instant::now();
    node.accept_ledger().map_err(|error| error.to_string())?;
    println!("close {:.3} s", begun.elapsed().as_secs_f64());
    std::process::abort();
}

/// A new ledger, and one ledger on top of it that has all the accounts.
fn make(folder: &Path, accounts: u32) -> Result<(), Box<dyn Error>> {
    drop(start(folder)?);
    let store = RedbStore::open(&folder.join("ledger.redb"))?;
    let tip = store.tip()?.ok_or("no ledger")?;
    let mut state = StateMap::new();
    store.read_state(&mut |key, bytes| state.insert(key, bytes))?;
    let mut changes: Vec<(Hash256, Option<Vec<u8>>)> = (0..accounts).map(account).collect();
    changes.sort_unstable_by_key(|(key, _)| *key);
    for (key, bytes) in &changes {
        state.insert(*key, bytes.clone().unwrap_or_default());
    }
    let parent = Header::decode(&tip.ledger.header).ok_or("no header")?;
    let header = Header {
        index: LedgerIndex::new(parent.index.get() + 1),
        parent_hash: parent.hash(),
        tx_hash: Hash256::ZERO,
        account_hash: state.root_hash(),
        parent_close_time: parent.close_time,
        close_time: CloseTime::new(parent.close_time.seconds() + 1),
        ..parent
    };
    let commit = Commit {
        index: header.index.get(),
        hash: header.hash(),
        header: header.encode(),
        changes,
        transactions: Vec::new(),
        affected: std::collections::BTreeMap::new(),
        mails: Vec::new(),
        forget_below: 0,
    };
    store.write(NETWORK, &[Change::Ledger(Box::new(commit))])?;
    println!("ledger {} {}: {accounts} accounts", header.index, header.hash());
    Ok(())
}

fn account_id(number: u32) -> AccountId {
    let mut id = [0; 20];
    id[..4].copy_from_slice(&number.to_be_bytes());
    AccountId::new(id)
}

/// An AccountRoot as a Remit leaves it.
fn account(number: u32) -> (Hash256, Option<Vec<u8>>) {
    let id = account_id(number);
    let root = Object::new()
        .with(sf::LEDGER_ENTRY_TYPE, EntryType::AccountRoot.code())
        .with(sf::FLAGS, 0_u32)
        .with(sf::SEQUENCE, CLOCK.seconds())
        .with(sf::PREVIOUS_TXN_LGR_SEQ, 3_u32)
        .with(sf::OWNER_COUNT, 0_u32)
        .with(sf::ACCOUNT_INDEX, u64::from(number))
        .with(sf::PREVIOUS_TXN_ID, Hash256::new([0xAB; 32]))
        .with(sf::BALANCE, Amount::Native(10_000_000))
        .with(sf::ACCOUNT, id);
    (keylet::account(id), Some(codec::encode(&root)))
}
