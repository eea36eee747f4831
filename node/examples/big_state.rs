//! How long a node takes to start on a large state, and how much memory it holds then.
//!
//! `cargo run --release -p xahau-email-node --example big_state -- make FOLDER [ACCOUNTS]` fills a new data folder
//! (1,000,000 accounts unless told otherwise); `... -- start FOLDER` starts a node on it and prints seconds and MiB. Two
//! runs, so that the memory of the first does not count. `... -- crash FOLDER` closes a ledger and aborts: what the next
//! start takes then has the repair of the file in it.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use codec::format::EntryType;
use codec::{AccountId, Amount, CloseTime, Hash256, LedgerIndex, Object, keylet, sf};
use ledger::{Header, StateMap};
use node::store::{Commit, RedbStore, Store};
use node::watcher::NoResolver;
use node::{Node, NodeConfig};
use rpc::api::Node as _;

const ACCOUNTS_DEFAULT: u32 = 1_000_000;
const NETWORK: u32 = 21_337;
const CLOCK: CloseTime = CloseTime::new(848_145_600);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["make", folder] => make(Path::new(folder), ACCOUNTS_DEFAULT),
        ["make", folder, accounts] => make(Path::new(folder), accounts.parse()?),
        ["start", folder] => measure(Path::new(folder)),
        ["crash", folder] => crash(Path::new(folder)),
        _ => Err("usage: big_state make FOLDER [ACCOUNTS] | start FOLDER | crash FOLDER".into()),
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
    store.commit(NETWORK, &[commit])?;
    println!("ledger {} {}: {accounts} accounts", header.index, header.hash());
    Ok(())
}

/// An AccountRoot as a Remit leaves it.
fn account(number: u32) -> (Hash256, Option<Vec<u8>>) {
    let mut id = [0; 20];
    id[..4].copy_from_slice(&number.to_be_bytes());
    let id = AccountId::new(id);
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
