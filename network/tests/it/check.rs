//! What must hold after each step of a run, found out from the ledgers' bytes and the spec, not by the code that made
//! them.

use std::collections::BTreeMap;

use codec::format::{EntryType, TxType};
use codec::keys::{LowS, PublicKey};
use codec::{Hash256, Object, sf};

use crate::machine::{Disk, Page};
use crate::mails::{self, Meaning, NETWORK, validator};
use crate::world::NODES;
use crate::zone::Zone;

/// Validators whose word makes a key: ceil(0.8 * 5). Spec: 7.2
const QUORUM: usize = 4;
/// Seconds that an attestation counts. Spec: 7.2
const ATTESTATION_SECS: u32 = 600;

/// What was found in the ledgers so far.
#[derive(Default)]
pub(crate) struct Checker {
    hashes: BTreeMap<u32, Hash256>,
    /// The ledger in which each mail was executed.
    executed: BTreeMap<Meaning, u32>,
    /// The last ledger that was read.
    read: Option<(u32, Header)>,
}

/// What the checks need of a ledger's header.
#[derive(Clone, Copy)]
struct Header {
    drops: u64,
    close_time: u32,
}

impl Header {
    /// From the serialized form: index (4), drops (8), three hashes (96), parent's close time (4), close time (4).
    fn of(page: &Page) -> Self {
        let bytes = |from: usize, to: usize| page.header[from..to].iter();
        let number = |from, to| bytes(from, to).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        Self {
            drops: number(4, 12),
            close_time: u32::try_from(number(112, 116)).expect("four bytes"),
        }
    }
}

impl Checker {
    /// Checks what is on the disks of nodes that keep the rules; `zone` knows what DNS said to the `honest`.
    pub(crate) fn check(&mut self, disks: &[Disk], zone: &Zone, honest: &[usize]) {
        for disk in disks {
            for (index, page) in &disk.pages {
                let first = self.hashes.entry(*index).or_insert(page.hash);
                assert_eq!(*first, page.hash, "two ledgers {index}");
            }
            let total = disk.ledger.header().total_drops.get();
            assert_eq!(balances(disk), total, "XAH were made or lost");
            assert_eq!(mails::stolen(&disk.ledger), 0, "a forgery pays");
        }
        let Some(longest) = disks.iter().max_by_key(|disk| disk.pages.len()) else {
            return;
        };
        let from = self.read.map_or(0, |(index, _)| index + 1);
        for (index, page) in longest.pages.range(from..) {
            self.read_page(*index, page, zone, honest);
        }
    }

    /// Mails that were executed.
    pub(crate) fn executed(&self) -> usize {
        self.executed.len()
    }

    /// Ledgers that were read.
    pub(crate) fn ledgers(&self) -> usize {
        self.hashes.len()
    }

    fn read_page(&mut self, index: u32, page: &Page, zone: &Zone, honest: &[usize]) {
        let header = Header::of(page);
        if let Some((_, parent)) = self.read {
            assert!(
                header.close_time > parent.close_time,
                "ledger {index} closes before its parent"
            );
            let mut fees = 0;
            for stored in &page.transactions {
                let tx = codec::decode(&stored.blob).expect("a transaction");
                fees += tx
                    .amount(sf::FEE)
                    .and_then(|fee| fee.as_drops())
                    .map_or(0, |fee| fee.get());
                if let Some(meaning) = mails::meaning_of(&tx) {
                    let before = self.executed.insert(meaning.clone(), index);
                    assert_eq!(before, None, "{meaning:?} is executed again in ledger {index}");
                }
                if tx.u16(sf::TRANSACTION_TYPE) == Some(TxType::DkimKeySet.code()) {
                    check_key_set(&tx, parent.close_time, zone, honest);
                }
            }
            assert_eq!(
                header.drops + fees,
                parent.drops,
                "ledger {index} burns other than its fees"
            );
        }
        self.read = Some((index, header));
    }
}

fn balances(disk: &Disk) -> u64 {
    let entries = disk.ledger.state().iter();
    let entries = entries.filter_map(|(_, bytes)| codec::decode(bytes).ok());
    let roots =
        entries.filter(|entry| entry.u16(sf::LEDGER_ENTRY_TYPE) == Some(EntryType::AccountRoot.code()));
    let drops = roots.filter_map(|root| root.amount(sf::BALANCE)?.as_drops());
    drops.map(|drops| drops.get()).sum()
}

/// A key has the words of a quorum, each signed for this network, at its time, and said by honest validators only
/// after DNS had told them so. Spec: 7.2, 7.7
fn check_key_set(set: &Object, now: u32, zone: &Zone, honest: &[usize]) {
    let text = |field| String::from_utf8_lossy(set.blob(field).unwrap_or_default()).into_owned();
    let (domain, selector) = (text(sf::DOMAIN), text(sf::SELECTOR));
    let record = set.blob(sf::DKIM_RECORD);
    let answer = match (record, set.u32(sf::FLAGS)) {
        (Some(_), None) => 2,
        (None, Some(1)) => 1,
        (None, None) => 0,
        other => panic!("no answer of DNS: {other:?}"),
    };
    let record = record.unwrap_or_default();
    let name = format!("{selector}._domainkey.{domain}");
    let mut words = BTreeMap::new();
    for (_, word) in set.array(sf::DKIM_ATTESTATIONS).unwrap_or_default() {
        let (key, seen) = (
            word.blob(sf::PUBLIC_KEY).expect("a key"),
            word.u32(sf::OBSERVED_AT).expect("a time"),
        );
        let message = message(&domain, &selector, answer, seen, record);
        let public = PublicKey::parse(key).expect("a key");
        let signature = word.blob(sf::SIGNATURE).expect("a signature");
        assert!(
            public.verify(&message, signature, LowS::Required),
            "{name}: a word that nobody signed"
        );
        assert!(
            seen + ATTESTATION_SECS >= now,
            "{name}: a word of {seen} in the ledger after {now}"
        );
        let node = (1..=NODES).position(|number| validator(number).public_key() == public);
        let node = node.expect("a validator");
        let was_told = zone.has_said(node, &name, record);
        assert!(
            was_told || !honest.contains(&node),
            "{name}: node {node} said what DNS did not"
        );
        words.insert(node, seen);
    }
    assert!(
        words.len() >= QUORUM,
        "{name}: a key by the words of {:?}",
        words.keys()
    );
}

/// What a validator signs. Spec: 7.7
fn message(domain: &str, selector: &str, answer: u8, seen: u32, record: &[u8]) -> Vec<u8> {
    let short = |text: &str| [&[u8::try_from(text.len()).expect("short")], text.as_bytes()].concat();
    let length = u16::try_from(record.len()).expect("short").to_be_bytes();
    [
        b"DKA\0".as_slice(),
        &NETWORK.to_be_bytes(),
        &short(domain),
        &short(selector),
        &[answer],
        &seen.to_be_bytes(),
        &length,
        record,
    ]
    .concat()
}
