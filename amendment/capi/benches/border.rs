//! What the border costs: the same work through the C interface and in Rust, for a mail of 5 KB, with nothing cached.
//!
//! `preflight` is what needs no ledger; `proof` all phases behind it, with the entries handed in at once, the replay
//! entry included. Both sides begin with bytes and end with bytes. They take turns, and of many turns the quickest
//! counts, so that what else the machine does falls out. The last lines are `ratio border-NAME VALUE` (C over Rust).

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use amendment::key_record::parse_txt;
use amendment::{
    AMENDMENT_EMAIL, Amendment, Effect, KeyName, ReadView, Rules, TxtRecords, authenticate, derive,
    next_replay_entry, preclaim, preflight, screen, submit_fee, wrap,
};
use codec::format::EntryType;
use codec::{Amount, CloseTime, Drops, Hash256, LedgerIndex, Object, keylet, sf};
use testkit::sign::{DkimKey, Draft, Form};
use xahau_email::{
    XE_ABI_VERSION, XE_APPLIED, XE_OK, XE_PARENT_LEDGER, XE_THIS_LEDGER, XeBytes, XeEntry, XeLedger, XeList,
    XeParsed, XeReady, XeSlice, xe_bytes_free, xe_list_free, xe_next_replay, xe_parsed_free, xe_preflight,
    xe_prove, xe_ready_free,
};

const NETWORK: u32 = 21_337;
const DOMAIN: &str = "mail.example";
/// The Date of the mail.
const UNIX: u64 = 1_780_000_000;
const BODY_LINES: usize = 160;
const TURNS: usize = 60;
const CALLS: usize = 100;
const BASE_FEE: Drops = Drops::new(10);
const INDEX: u32 = 100;

/// A ledger of serialized entries.
struct Ledger {
    now: CloseTime,
    entries: BTreeMap<Hash256, Vec<u8>>,
}

impl ReadView for Ledger {
    fn network_id(&self) -> u32 {
        NETWORK
    }
    fn ledger_index(&self) -> LedgerIndex {
        LedgerIndex::new(INDEX)
    }
    fn parent_close_time(&self) -> CloseTime {
        self.now
    }
    fn parent_hash(&self) -> Hash256 {
        Hash256::ZERO
    }
    fn base_fee(&self) -> Drops {
        BASE_FEE
    }
    fn reserve_base(&self) -> Drops {
        Drops::new(1_000_000)
    }
    fn reserve_increment(&self) -> Drops {
        Drops::new(200_000)
    }
    fn is_open(&self) -> bool {
        false
    }
    fn amendment_enabled(&self, id: &Hash256) -> bool {
        *id == AMENDMENT_EMAIL
    }
    fn entry(&self, key: &Hash256) -> Option<Object> {
        codec::decode(self.entries.get(key)?).ok()
    }
    fn parent_entry(&self, key: &Hash256) -> Option<Object> {
        self.entry(key)
    }
}

/// A transaction that is proven in its ledger, and where its entries stand.
struct Subject {
    transaction: Vec<u8>,
    ledger: Ledger,
    indexes: [(u32, Hash256); 5],
}

impl Subject {
    fn new() -> Subject {
        let key = DkimKey::fresh_rsa();
        let fields =
            "from:alice@mail.example\r\nto:bob@mail.example\r\ndate:Thu, 28 May 2026 20:26:40 +0000\r\n";
        let draft = Draft {
            form: Form::Relaxed,
            domain: DOMAIN,
            selector: "s1",
            names: "from:to:date",
            fields: fields.into(),
            body: format!(
                "REMIT 12.5 XAH\r\n\r\n{}",
                "A line of words of every day.\r\n".repeat(BODY_LINES)
            )
            .into(),
        };
        let signed = draft.signed_at(&key, UNIX);
        let (name, record) = (format!("s1._domainkey.{DOMAIN}"), key.record());
        let mut keys = TxtRecords::new();
        keys.insert(&name, record.as_bytes());
        let now = CloseTime::from_unix(UNIX).expect("after 2000");
        let proven = derive(&signed, NETWORK, now, &keys).expect("a mail that pays");
        let fee = submit_fee(BASE_FEE, proven.memo.len(), 0).expect("a fee");
        let transaction = wrap(&proven, 5, fee, LedgerIndex::new(INDEX + 10));
        let key = parse_txt(record.as_bytes()).expect("a key");
        let entry = Object::new()
            .with(sf::LEDGER_ENTRY_TYPE, EntryType::DkimKey.code())
            .with(sf::FLAGS, key.flags())
            .with(sf::DOMAIN, proven.key_name.domain().as_bytes())
            .with(sf::SELECTOR, proven.key_name.selector().as_bytes())
            .with(sf::DKIM_KEY_TYPE, key.key_type().code())
            .with(sf::PUBLIC_KEY, key.public_key())
            .with(sf::FIRST_SEEN, now.seconds())
            .with(sf::LAST_ATTESTED, now.seconds());
        let root = Object::new()
            .with(sf::LEDGER_ENTRY_TYPE, EntryType::AccountRoot.code())
            .with(sf::FLAGS, 0_u32)
            .with(sf::ACCOUNT, proven.account)
            .with(sf::SEQUENCE, 5_u32)
            .with(sf::OWNER_COUNT, 0_u32)
            .with(sf::BALANCE, Amount::from_drops(Drops::new(10_000_000_000)));
        let name = KeyName::parse(&name).expect("a name");
        let indexes = [
            (XE_THIS_LEDGER, keylet::account(proven.account)),
            (XE_THIS_LEDGER, keylet::email_replay(proven.account)),
            (XE_PARENT_LEDGER, name.keylet()),
            (XE_PARENT_LEDGER, keylet::dkim_freeze(DOMAIN.as_bytes())),
            (XE_PARENT_LEDGER, key.leak_keylet()),
        ];
        let entries = [(indexes[0].1, root), (indexes[2].1, entry)];
        Subject {
            transaction: codec::encode(&transaction),
            ledger: Ledger {
                now,
                entries: entries
                    .map(|(index, entry)| (index, codec::encode(&entry)))
                    .into(),
            },
            indexes,
        }
    }

    fn rust_preflight(&self) -> amendment::Parsed {
        let rules = Rules {
            network_id: NETWORK,
            amendment: Amendment::On,
        };
        let transaction = codec::decode(&self.transaction).expect("a transaction");
        preflight(&transaction, &rules).expect("a mail")
    }

    fn rust_proof(&self, parsed: amendment::Parsed) -> Vec<u8> {
        let screened = screen(parsed, &self.ledger).expect("an account");
        let proven = authenticate(screened, &self.ledger).expect("a key");
        let ready = preclaim(proven, &self.ledger).expect("a fee");
        codec::encode(&next_replay_entry(None, &ready, Effect::Applied))
    }

    #[allow(unsafe_code)]
    fn c_preflight(&self) -> *mut XeParsed {
        let mut parsed = std::ptr::null_mut();
        // SAFETY: all pointers are to locals and to what `self` holds.
        let code = unsafe { xe_preflight(slice(&self.transaction), NETWORK, 1, &raw mut parsed) };
        assert_eq!(code, XE_OK);
        parsed
    }

    #[allow(unsafe_code)]
    fn c_proof(&self, parsed: *mut XeParsed) -> *mut XeBytes {
        let ledger = XeLedger {
            abi: XE_ABI_VERSION,
            network_id: NETWORK,
            ledger_index: INDEX,
            parent_close_time: self.ledger.now.seconds(),
            parent_hash: [0; 32],
            base_fee: BASE_FEE.get(),
            reserve_base: self.ledger.reserve_base().get(),
            reserve_increment: self.ledger.reserve_increment().get(),
            email_enabled: 1,
            unused: 0,
        };
        let entries = self.indexes.map(|(ledger, index)| XeEntry {
            index: *index.as_bytes(),
            ledger,
            bytes: self.ledger.entries.get(&index).map_or(NONE, |bytes| slice(bytes)),
        });
        let mut more: *mut XeList = std::ptr::null_mut();
        let mut ready: *mut XeReady = std::ptr::null_mut();
        let mut next: *mut XeBytes = std::ptr::null_mut();
        // SAFETY: the handle is the caller's and good; all other pointers are to locals and to what `self` holds.
        unsafe {
            let code = xe_prove(
                parsed,
                &raw const ledger,
                entries.as_ptr(),
                entries.len(),
                &raw mut more,
                &raw mut ready,
            );
            assert_eq!(code, XE_OK);
            assert_eq!(xe_next_replay(ready, NONE, XE_APPLIED, &raw mut next), XE_OK);
            xe_ready_free(ready);
            xe_list_free(more);
            xe_parsed_free(parsed);
        }
        next
    }
}

const NONE: XeSlice = XeSlice {
    data: std::ptr::null(),
    len: 0,
};

fn slice(bytes: &[u8]) -> XeSlice {
    XeSlice {
        data: bytes.as_ptr(),
        len: bytes.len(),
    }
}

/// The quickest of many turns of two ways to do the same, in turn.
fn quickest(mut one: impl FnMut() -> Duration, mut two: impl FnMut() -> Duration) -> (Duration, Duration) {
    let mut best = (Duration::MAX, Duration::MAX);
    for _ in 0..TURNS {
        best = (best.0.min(one()), best.1.min(two()));
    }
    best
}

fn report(name: &str, (rust, c): (Duration, Duration)) {
    let calls = f64::from(u32::try_from(CALLS).expect("few"));
    let micros = |time: Duration| time.as_secs_f64() * 1e6 / calls;
    println!("{name}: Rust {:.2} us, C {:.2} us", micros(rust), micros(c));
    println!("ratio border-{name} {:.3}", c.as_secs_f64() / rust.as_secs_f64());
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

#[allow(unsafe_code)]
fn main() {
    let subject = Subject::new();
    println!("a transaction of {} bytes", subject.transaction.len());
    let preflights = quickest(
        || timed(|| (0..CALLS).for_each(|_| drop(black_box(subject.rust_preflight())))),
        // SAFETY: the handle is good, and used by nobody else.
        || timed(|| (0..CALLS).for_each(|_| unsafe { xe_parsed_free(black_box(subject.c_preflight())) })),
    );
    // A handle remembers the key that proved it, so each is proven once.
    let proofs = quickest(
        || {
            let parsed: Vec<_> = (0..CALLS).map(|_| subject.rust_preflight()).collect();
            timed(|| {
                parsed
                    .into_iter()
                    .for_each(|parsed| drop(black_box(subject.rust_proof(parsed))))
            })
        },
        || {
            let parsed: Vec<_> = (0..CALLS).map(|_| subject.c_preflight()).collect();
            // SAFETY: the bytes are good, and used by nobody else.
            let prove = |parsed| unsafe { xe_bytes_free(black_box(subject.c_proof(parsed))) };
            timed(|| parsed.into_iter().for_each(prove))
        },
    );
    report("preflight", preflights);
    report("proof", proofs);
}
