//! What a ledger costs: building it, its signatures, its hashes, a signed mail.
//!
//! `cargo bench -p ledger`. Each line `ratio NAME VALUE` is the time of one transaction divided
//! by its target; at most 1 is good. Everything runs in one thread, and of several runs the least disturbed
//! counts: so it is CPU time.

#![allow(missing_docs, reason = "criterion's macros")]

use amendment::KeyName;
use std::hint::black_box;
use std::time::{Duration, Instant};

use codec::format::{EntryType, TxType};
use codec::keys::KeyPair;
use codec::{AccountId, Amount, CloseTime, Drops, Hash256, LedgerIndex, Object, flags, hash, keylet, sf, tx};
use criterion::{Criterion, criterion_group, criterion_main};
use ledger::dkim::{Answer, Attestation, KeyDelays, build_key_set};
use ledger::genesis::EmailAmendment;
use ledger::{GenesisConfig, Header, Ledger, StateMap, Transaction, close};
use testkit::sign::{DkimKey, Draft, Form};

const NETWORK: u32 = 21_337;
/// 2026-11-16 12:00:00 UTC.
const CLOCK: u32 = 848_145_600;
const SENDERS_MAX: u32 = 1_000;
const RUNS: usize = 15;

/// Targets of the project, microseconds per transaction.
const REMIT_SMALL_US: f64 = 40.0;
const REMIT_LARGE_US: f64 = 52.0;
const EMAIL_US: f64 = 100.0;

/// The least disturbed of some runs, each with its own input.
fn measured<I, O>(mut input: impl FnMut() -> I, mut run: impl FnMut(I) -> O) -> Duration {
    let times = (0..RUNS).map(|_| {
        let input = input();
        let start = Instant::now();
        let output = run(input);
        let spent = start.elapsed();
        drop(black_box(output));
        spent
    });
    times.min().expect("runs")
}

fn per_transaction_us(time: Duration, transactions: usize) -> f64 {
    time.as_secs_f64() * 1e6 / transactions as f64
}

fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

fn sender(number: u32) -> KeyPair {
    let mut seed = [7; 16];
    seed[..4].copy_from_slice(&number.to_be_bytes());
    KeyPair::ed25519(seed)
}

/// Accounts beyond the senders have no key that anybody knows.
fn account_id(number: u32, senders: &[KeyPair]) -> AccountId {
    match senders.get(number as usize) {
        Some(key) => key.account(),
        None => {
            let digest = hash::sha256(&[&number.to_be_bytes()]);
            AccountId::new(digest[..20].try_into().expect("20 bytes"))
        }
    }
}

fn account_root(id: AccountId, number: u32) -> Object {
    Object::new()
        .with(sf::LEDGER_ENTRY_TYPE, EntryType::AccountRoot.code())
        .with(sf::FLAGS, 0u32)
        .with(sf::SEQUENCE, 1u32)
        .with(sf::PREVIOUS_TXN_LGR_SEQ, 1u32)
        .with(sf::OWNER_COUNT, 0u32)
        .with(sf::PREVIOUS_TXN_ID, Hash256::new([1; 32]))
        .with(sf::BALANCE, Amount::Native(50_000_000))
        .with(sf::ACCOUNT, id)
        .with(sf::ACCOUNT_INDEX, u64::from(number))
}

fn genesis() -> Ledger {
    Ledger::genesis(&GenesisConfig {
        network_id: NETWORK,
        validators: vec![sender(0).public_key()],
        email: EmailAmendment::Enabled,
        close_time: CloseTime::new(CLOCK),
        key_delays: KeyDelays::NONE,
    })
}

struct World {
    ledger: Ledger,
    senders: Vec<KeyPair>,
    accounts: u32,
}

impl World {
    fn new(accounts: u32) -> World {
        let senders: Vec<KeyPair> = (0..accounts.min(SENDERS_MAX)).map(sender).collect();
        let genesis = genesis();
        let mut entries: Vec<(Hash256, Vec<u8>)> = genesis
            .state()
            .iter()
            .map(|(key, bytes)| (key, bytes.to_vec()))
            .collect();
        entries.extend((0..accounts).map(|number| {
            let id = account_id(number, &senders);
            (keylet::account(id), codec::encode(&account_root(id, number)))
        }));
        entries.sort();
        let before = resident_mib();
        let start = Instant::now();
        let state = StateMap::from_sorted_iter(entries);
        let built = start.elapsed();
        let account_hash = state.root_hash();
        let hashed = start.elapsed() - built;
        if accounts >= 200_000 {
            println!(
                "state of {accounts}: built in {:.2} s, hashed in {:.2} s, {} MiB resident (the list it came from: {before})",
                built.as_secs_f64(),
                hashed.as_secs_f64(),
                resident_mib()
            );
        }
        let header = Header {
            account_hash,
            ..*genesis.header()
        };
        let ledger =
            Ledger::from_parts(header, state, genesis.transactions().clone()).expect("its own roots");
        World {
            ledger,
            senders,
            accounts,
        }
    }

    /// Remits of a drop, evenly over the senders, to accounts all over the state.
    fn remits(&self, count: u32) -> Vec<Transaction> {
        let senders = self.senders.len() as u32;
        (0..count)
            .map(|number| {
                let key = &self.senders[(number % senders) as usize];
                let mut to = number.wrapping_mul(2_654_435_761) % self.accounts;
                if to == number % senders {
                    to = (to + 1) % self.accounts;
                }
                let entry = Object::new().with(sf::AMOUNT, Amount::Native(1));
                let object = Object::new()
                    .with(sf::TRANSACTION_TYPE, TxType::Remit.code())
                    .with(sf::FLAGS, flags::TF_FULLY_CANONICAL_SIG)
                    .with(sf::NETWORK_ID, NETWORK)
                    .with(sf::SEQUENCE, 1 + number / senders)
                    .with(sf::FEE, Amount::Native(10))
                    .with(sf::ACCOUNT, key.account())
                    .with(sf::DESTINATION, account_id(to, &self.senders))
                    .with(sf::AMOUNTS, vec![(sf::AMOUNT_ENTRY, entry)])
                    .with(sf::SIGNING_PUB_KEY, key.public_key().as_bytes().as_slice());
                let signature = key.sign(&tx::signing_bytes(&object));
                Transaction::from_object(&object.with(sf::TXN_SIGNATURE, signature)).expect("template")
            })
            .collect()
    }
}

fn close_all(parent: &Ledger, txs: Vec<Transaction>) -> ledger::Closed {
    let count = txs.len();
    let closed = close(parent, txs, CloseTime::new(CLOCK + 30));
    assert!(closed.applied.len() == count && closed.applied.iter().all(|tx| tx.ter.is_success()));
    closed
}

fn remits(criterion: &mut Criterion) {
    let rows = [
        (100, vec![(1_000, REMIT_SMALL_US)]),
        (200_000, vec![(1_000, REMIT_LARGE_US), (4_000, REMIT_LARGE_US)]),
        (1_000_000, vec![(1_000, REMIT_LARGE_US)]),
    ];
    for (accounts, loads) in rows {
        let world = World::new(accounts);
        for (count, target_us) in loads {
            let blobs: Vec<Vec<u8>> = world.remits(count).iter().map(|tx| tx.blob().to_vec()).collect();
            let parsed = || -> Vec<Transaction> {
                blobs
                    .iter()
                    .map(|blob| Transaction::parse(blob).expect("template"))
                    .collect()
            };
            let name = format!("remit_{count}_in_{accounts}");
            let verified = parsed();
            let verifying = measured(parsed, |txs| {
                assert!(txs.iter().all(Transaction::has_good_signature));
            });
            assert!(verified.iter().all(Transaction::has_good_signature));
            let building = measured(|| verified.clone(), |txs| close_all(&world.ledger, txs));
            let closed = close_all(&world.ledger, verified.clone());
            let storing = measured(
                || (),
                |()| {
                    let applied = closed.applied.iter();
                    let metadata: Vec<Vec<u8>> = applied.map(|tx| codec::encode(&tx.metadata)).collect();
                    (metadata, closed.changes.clone(), closed.ledger.header().encode())
                },
            );
            let us = |time| per_transaction_us(time, blobs.len());
            println!(
                "{name}: verifying {:.1} us, building {:.1} us, bytes for the store {:.1} us each",
                us(verifying),
                us(building),
                us(storing)
            );
            println!("ratio {name} {:.3}", us(building) / target_us);
            if count == 1_000 && accounts == 100 {
                criterion.bench_function("close 1,000 remits, 100 accounts", |bench| {
                    bench.iter(|| close_all(&world.ledger, verified.clone()));
                });
            }
        }
    }
}

/// A mail of alice@mail.test in normal form, of about `bytes` bytes, signed with RSA-2048.
fn mail(key: &DkimKey, number: u32, bytes: usize) -> Vec<u8> {
    let time = CLOCK + number;
    let (minute, second) = ((time - CLOCK) / 60, (time - CLOCK) % 60);
    let date = format!("16 Nov 2026 12:{minute:02}:{second:02} +0000");
    let headers = format!("from:alice@mail.test\r\ndate:{date}\r\n");
    let mut body = "REMIT 1 XAH TO <bob@example.com>\r\n".to_owned();
    body.push_str("\r\n--\r\n");
    while body.len() + 700 < bytes {
        body.push_str("On another day somebody wrote a line of this length, more or less so.\r\n");
    }
    let draft = Draft {
        form: Form::Relaxed,
        domain: "mail.test",
        selector: "own",
        names: "From:Date",
        fields: headers.into_bytes(),
        body: body.into_bytes(),
    };
    draft.signed(key)
}

/// Ledger with alice's money, her provider's key and eight live entries, and the bytes of a ninth mail's
/// transaction.
fn mailed(key: &DkimKey) -> (Ledger, Vec<u8>) {
    let record = key.record().into_bytes();
    let mut records = amendment::TxtRecords::new();
    records.insert("own._domainkey.mail.test", &record);
    let alice = AccountId::parse_classic("rfbRDkaJNbLnpGc5941gkNEBcshX1Z198z")
        .expect("the account of alice@mail.test");
    let mut state = genesis().state().clone();
    let root = account_root(alice, 0).with(sf::BALANCE, Amount::Native(1_000_000_000));
    state.insert(keylet::account(alice), codec::encode(&root));
    let header = Header {
        account_hash: state.root_hash(),
        ..*genesis().header()
    };
    let ledger = Ledger::from_parts(header, state, genesis().transactions().clone()).expect("its own roots");
    let name = KeyName::new(b"mail.test", b"own").expect("legal");
    let observed = CloseTime::new(CLOCK + 1);
    let word = Attestation::sign(NETWORK, name, Answer::Record(record), observed, &sender(0)).expect("short");
    let set = build_key_set(&ledger, NETWORK, &[word]).expect("quorum of one");
    let mut ledger = close_all(&ledger, vec![set]).ledger;
    let wrapped = |ledger: &Ledger, number: u32| {
        let memo = mail(key, number, 5_000);
        let derived = amendment::derive(&memo, NETWORK, ledger.close_time(), &records).expect("qualifies");
        let replay = ledger.entry(&keylet::email_replay(alice));
        let live = amendment::live_entries(replay.as_ref(), ledger.close_time());
        let fee = amendment::required_fee(Drops::new(10), memo.len(), live).expect("in range");
        let last = LedgerIndex::new(ledger.index().get() + 20);
        let object = amendment::wrap(&derived, 1 + number, fee, last);
        Transaction::from_object(&object).expect("template")
    };
    for number in 0..8 {
        let tx = wrapped(&ledger, number);
        ledger = close_all(&ledger, vec![tx]).ledger;
    }
    let last = wrapped(&ledger, 8);
    (ledger, last.blob().to_vec())
}

fn emails(criterion: &mut Criterion) {
    let key = DkimKey::fresh_rsa();
    let (ledger, blob) = mailed(&key);
    let repeats = 200;
    // All in: the bytes are read, the mail verified, the ledger of one transaction built; less an empty
    // ledger.
    let all_in = measured(
        || (),
        |()| {
            for _ in 0..repeats {
                let tx = Transaction::parse(black_box(&blob)).expect("template");
                black_box(close_all(&ledger, vec![tx]));
            }
        },
    );
    let empty = measured(
        || (),
        |()| {
            for _ in 0..repeats {
                black_box(close_all(black_box(&ledger), Vec::new()));
            }
        },
    );
    let us = |time| per_transaction_us(time, repeats);
    println!(
        "email of {} bytes: all in {:.1} us, of which an empty ledger {:.1} us",
        blob.len(),
        us(all_in),
        us(empty)
    );
    println!(
        "ratio email_5k_8_live {:.3}",
        us(all_in.saturating_sub(empty)) / EMAIL_US
    );
    criterion.bench_function("close one mail of 5 KB, 8 live entries", |bench| {
        bench.iter(|| {
            let tx = Transaction::parse(&blob).expect("template");
            close_all(&ledger, vec![tx])
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(Duration::from_secs(2));
    targets = remits, emails
}
criterion_main!(benches);
