//! What must hold after each step of a run, found out from the ledgers' bytes and the spec, not by the code that made
//! them.

use std::collections::BTreeMap;

use codec::format::{EntryType, TxType};
use codec::keys::{LowS, PublicKey};
use codec::{Hash256, LedgerIndex, Object, sf};

use crate::decisions::{Counts, Decisions, List, quorum};
use crate::machine::{Disk, Page};
use crate::mails::{self, ERIN, Meaning, NETWORK, RULED};
use crate::operators::node_of;
use crate::zone::Zone;
use ledger::dkim::Ruling;

/// Seconds that an attestation counts. Spec: 7.2
const ATTESTATION_SECS: u32 = 600;

/// What was found in the ledgers so far.
pub(crate) struct Checker {
    hashes: BTreeMap<u32, Hash256>,
    /// The ledger in which each mail was executed.
    executed: BTreeMap<Meaning, u32>,
    decisions: Decisions,
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
    /// Of a network that begins with this ledger.
    pub(crate) fn new(first: LedgerIndex) -> Self {
        Self {
            hashes: BTreeMap::new(),
            executed: BTreeMap::new(),
            decisions: Decisions::new(first.get()),
            read: None,
        }
    }

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

    /// Mails that were executed, but for those of the domain whose mail is stopped now and then.
    pub(crate) fn executed(&self) -> usize {
        self.executed.keys().filter(|(from, _)| from != ERIN).count()
    }

    /// Mails of that domain that were executed, by their dates.
    pub(crate) fn executed_of_erin(&self) -> impl Iterator<Item = &str> {
        let of_erin = self.executed.keys().filter(|(from, _)| from == ERIN);
        of_erin.map(|(_, date)| date.as_str())
    }

    /// Whether the list was settled for the epoch of a ledger.
    pub(crate) fn list_counts_at(&self, index: u32) -> bool {
        self.decisions.list_counts_at(index)
    }

    /// What was decided.
    pub(crate) fn counts(&self) -> Counts {
        self.decisions.counts()
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
            let transactions = page.transactions.iter().map(|stored| codec::decode(&stored.blob));
            let transactions: Vec<Object> = transactions.map(|tx| tx.expect("a transaction")).collect();
            for tx in &transactions {
                fees += tx
                    .amount(sf::FEE)
                    .and_then(|fee| fee.as_drops())
                    .map_or(0, |fee| fee.get());
                if let Some(meaning) = mails::meaning_of(tx) {
                    let before = self.executed.insert(meaning.clone(), index);
                    assert_eq!(before, None, "{meaning:?} is executed again in ledger {index}");
                    self.decisions.mail(&meaning);
                }
            }
            for tx in &transactions {
                if tx.u16(sf::TRANSACTION_TYPE) == Some(TxType::DkimKeySet.code()) {
                    let times = check_key_set(tx, parent.close_time, self.decisions.list(), zone, honest);
                    if let Some(flags @ (2 | 4)) = tx.u32(sf::FLAGS) {
                        self.decisions.ruling(flags, &times);
                    }
                }
            }
            self.decisions.read(index, &transactions);
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

/// A key has the words of a quorum of the list, each signed for this network, at its time, and said by honest
/// validators only after DNS had told them so; so has what is decided about a domain, which operators say. Gives the
/// times of the words, ascending. Spec: 7.2, 7.7, 7.10
fn check_key_set(set: &Object, now: u32, list: &List, zone: &Zone, honest: &[usize]) -> Vec<u32> {
    let text = |field| String::from_utf8_lossy(set.blob(field).unwrap_or_default()).into_owned();
    let (domain, selector) = (text(sf::DOMAIN), text(sf::SELECTOR));
    let record = set.blob(sf::DKIM_RECORD);
    let answer = match (record, set.u32(sf::FLAGS)) {
        (Some(_), None) => 2,
        (None, Some(1)) => 1,
        (None, None) => 0,
        (None, Some(2)) => 3,
        (None, Some(4)) => 4,
        other => panic!("no answer of DNS: {other:?}"),
    };
    let record = record.unwrap_or_default();
    let name = format!("{selector}._domainkey.{domain}");
    let ruling = match answer {
        3 => Some(Ruling::Frozen),
        4 => Some(Ruling::Lifted),
        _ => None,
    };
    assert_eq!(ruling.is_some(), selector.is_empty(), "{name}");
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
        assert!(list.contains(key), "{name}: a word of one that is not listed");
        let node = node_of(key).expect("a validator");
        let was_told = match ruling {
            Some(ruling) => domain == RULED && zone.has_ordered(node, ruling),
            None => zone.has_said(node, &name, record),
        };
        assert!(
            was_told || !honest.contains(&node),
            "{name}: node {node} said what it was not told"
        );
        words.insert(node, seen);
    }
    assert!(
        words.len() >= quorum(list.len()),
        "{name}: a key by the words of {:?}",
        words.keys()
    );
    let mut times: Vec<u32> = words.into_values().collect();
    times.sort_unstable();
    times
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
