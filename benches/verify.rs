//! What one mail costs a validator, against the floor that nobody can get under and against mail-auth, in one
//! run.
//!
//! Floor: RSA-2048 (or Ed25519) with a parsed key, SHA-256 of the signed bytes, and the SHA-512s that
//! docs/spec.md demands (accounts of both addresses 2.3, EmailID and signature hash 8, keylets 1), all by
//! aws-lc-rs; Ed25519 by the library that rule 4.5 needs. Ours: `preflight`, `screen` and `authenticate` over
//! a transaction in memory. The last lines are `ratio NAME VALUE` (time over floor) and `rate NAME VALUE`
//! (mails per second).

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use amendment::key_record::{KeyRecord, KeyType, parse_txt};
use amendment::{
    AMENDMENT_EMAIL, Derived, KeyCache, ProvenMail, ReadView, Rules, TxtRecords, authenticate, derive,
    normal_form, preflight, screen, wrap,
};
use aws_lc_rs::digest;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY};
use codec::format::EntryType;
use codec::{Amount, CloseTime, Drops, Hash256, LedgerIndex, Object, Value, keylet, sf};
use criterion::Criterion;
use mail_auth::AuthenticatedMessage;
use mail_auth::common::crypto::HashAlgorithm;
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use testkit::mail::{self, Headers};
use testkit::provider::{Provider, Signing};

const NETWORK: u32 = 21_337;
const DOMAIN: &str = "mail.example";
const INSTRUCTION: &str = "REMIT 12.5 XAH TO <bob@mail.example>";
/// SHA-512s per mail: (rule, inputs in bytes). The account of an address is two, a DKIM keylet is two.
const SHA512_INPUTS: [(&str, usize); 10] = [
    ("2.3 sender", 18),
    ("2.3 sender", 68),
    ("2.3 recipient", 16),
    ("2.3 recipient", 68),
    ("1 account keylet", 22),
    ("1 replay keylet", 22),
    ("1 key name", 18),
    ("1 key keylet", 34),
    ("8.1 EmailID", 80),
    ("8.2 signature hash", 256),
];

/// One mail in every form that the benches need.
struct Subject {
    name: &'static str,
    raw: Vec<u8>,
    record: String,
    derived: ProvenMail,
    transaction: Object,
    ledger: Ledger,
    header_data: Vec<u8>,
    body: Vec<u8>,
    signature: Vec<u8>,
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(60)
        .warm_up_time(Duration::from_millis(700))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    // The signer writes the machine's time into t=.
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let now = CloseTime::from_unix(unix.as_secs()).expect("before 2136");
    let provider = Provider::new(DOMAIN).expect("keys");
    let subjects = [
        subject("rsa-5k", &provider, Signing::Gmail, &gmail_5k(now), now),
        subject("rsa-64k", &provider, Signing::Gmail, &gmail_64k(now), now),
        subject("ed25519-5k", &provider, Signing::Ed25519, &gmail_5k(now), now),
        subject("ed25519-64k", &provider, Signing::Ed25519, &gmail_64k(now), now),
    ];
    for subject in &subjects {
        criterion_group(&mut criterion, subject);
    }
    println!();
    for subject in &subjects {
        report(subject);
    }
    report_openssl(&subjects[0]);
    report_threads(&subjects[0]);
    let words = gmail_5k(now).replace(INSTRUCTION, "Hello Bob, how are you doing there?");
    let words = provider.sign(&words, Signing::Gmail).expect("a signature");
    report_junk(&subjects[0], &normal_form(words.as_bytes(), 0).expect("a memo"));
}

fn criterion_group(criterion: &mut Criterion, subject: &Subject) {
    let mut group = criterion.benchmark_group(subject.name);
    let floor = Floor::of(subject);
    group.bench_function("floor", |bench| bench.iter(|| floor.run()));
    group.bench_function("ours", |bench| bench.iter(|| ours(subject)));
    group.bench_function("preflight", |bench| {
        bench.iter(|| preflight(black_box(&subject.transaction), &Rules::of(&subject.ledger)).is_ok());
    });
    let key = DomainKey::parse(subject.record.as_bytes()).expect("a record");
    group.bench_function("mail-auth", |bench| bench.iter(|| mail_auth(subject, &key)));
    group.finish();
}

/// Best of many short rounds, the contenders in turn, so that a busy machine does not favour one of them.
fn best_ns<const N: usize>(mut contenders: [&mut dyn FnMut(); N]) -> [f64; N] {
    const ROUNDS: usize = 200;
    const RUNS: u32 = 40;
    let mut best = [f64::INFINITY; N];
    for _ in 0..ROUNDS {
        for (best, contender) in best.iter_mut().zip(&mut contenders) {
            let start = Instant::now();
            for _ in 0..RUNS {
                contender();
            }
            let each = start.elapsed().as_nanos() as f64 / f64::from(RUNS);
            *best = best.min(each);
        }
    }
    best
}

fn report(subject: &Subject) {
    let floor = Floor::of(subject);
    let key = DomainKey::parse(subject.record.as_bytes()).expect("a record");
    let rules = Rules::of(&subject.ledger);
    let [asymmetric, sha256, sha512, whole, ours, preflight_ns, theirs] = best_ns([
        &mut || floor.prove(),
        &mut || floor.sha256(),
        &mut || floor.sha512(),
        &mut || floor.run(),
        &mut || {
            black_box(ours(subject));
        },
        &mut || {
            black_box(preflight(black_box(&subject.transaction), &rules).is_ok());
        },
        &mut || mail_auth(subject, &key),
    ]);
    let name = subject.name;
    println!(
        "{name}: mail {} bytes, memo {} bytes; us: signature {:.2} + sha256 {:.2} + sha512 {:.2} = floor {:.2}; \
         preflight {:.2}, ours {:.2}, mail-auth {:.2}",
        subject.raw.len(),
        subject.derived.memo.len(),
        asymmetric / 1e3,
        sha256 / 1e3,
        sha512 / 1e3,
        whole / 1e3,
        preflight_ns / 1e3,
        ours / 1e3,
        theirs / 1e3
    );
    println!("ratio {name} {:.3}", ours / whole);
    println!("ratio {name}-mail-auth {:.3}", theirs / whole);
    println!(
        "ratio {name}-mail-auth-without-sha512 {:.3}",
        theirs / (asymmetric + sha256)
    );
}

/// The floor's RSA against `openssl speed`, if that program is here, so that our floor need not be trusted.
fn report_openssl(subject: &Subject) {
    let floor = Floor::of(subject);
    let FloorKey::Rsa(key) = &floor.key else {
        panic!("an RSA mail");
    };
    let message = digest::digest(&digest::SHA256, &subject.header_data);
    let mut verify = || {
        let proven = key.verify_digest_sig(black_box(&message), &subject.signature);
        assert!(proven.is_ok());
    };
    let [before] = best_ns([&mut verify]);
    let arguments = ["speed", "-seconds", "3", "rsa2048"];
    let Ok(told) = std::process::Command::new("openssl").args(arguments).output() else {
        println!("NOTICE: no openssl program: the floor's RSA is not compared with it");
        return;
    };
    let [after] = best_ns([&mut verify]);
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    // The last column of `rsa 2048 bits 0.000249s 0.000014s 4012.2 70597.4` is verifications a second.
    let row = told.lines().find(|line| line.starts_with("rsa 2048 bits"));
    let rate = row.and_then(|row| row.split_whitespace().last()?.parse::<f64>().ok());
    let rate = rate.expect("openssl speed's rate");
    let ours = before.min(after);
    println!("RSA-2048 us: floor {:.2}, openssl {:.2}", ours / 1e3, 1e6 / rate);
    println!("ratio floor-rsa-to-openssl {:.3}", ours / (1e9 / rate));
}

/// How much two threads gain over one, ours against the floor's own gain.
fn report_threads(subject: &Subject) {
    let floor = Floor::of(subject);
    let gain = |work: &(dyn Fn() + Sync)| {
        let rate = |threads: usize| {
            let best = (0..12).map(|_| {
                let start = Instant::now();
                std::thread::scope(|scope| {
                    for _ in 0..threads {
                        scope.spawn(|| (0..2_000).for_each(|_| work()));
                    }
                });
                threads as f64 / start.elapsed().as_secs_f64()
            });
            best.fold(0.0, f64::max)
        };
        rate(2) / rate(1)
    };
    let floor_gain = gain(&|| floor.run());
    let our_gain = gain(&|| {
        black_box(ours(subject));
    });
    println!("two threads: floor gains {floor_gain:.2}, ours {our_gain:.2}");
    println!("ratio two-threads {:.3}", our_gain / floor_gain);
}

/// Refusals before any asymmetric crypto.
fn report_junk(good: &Subject, other_words: &[u8]) {
    let rules = Rules::of(&good.ledger);
    let memo = &good.derived.memo;
    let changed = |from: &str, to: &str| {
        let text = String::from_utf8(memo.clone()).expect("ASCII");
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1).into_bytes()
    };
    let mut noise = memo.clone();
    let mut state: u32 = 1;
    for byte in &mut noise {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = (state >> 24) as u8;
    }
    let junk = [
        ("noise", noise),
        ("no-signature", changed("dkim-signature:", "x-signature:")),
        ("l-tag", changed("v=1;", "v=1; l=0;")),
        (
            "other-domain",
            changed("<alice@mail.example>", "<alice@mail.example.org>"),
        ),
        (
            "unsigned-line",
            changed("mime-version:", "x-padding:a\r\nmime-version:"),
        ),
        ("other-body", changed("dear", "door")),
        ("other-words", other_words.to_vec()),
    ];
    for (name, memo) in junk {
        let mut tx = good.transaction.clone();
        tx.set(
            sf::MEMOS,
            vec![(sf::MEMO, Object::new().with(sf::MEMO_DATA, memo))],
        );
        let refusal = preflight(&tx, &rules).expect_err("junk");
        let [ns] = best_ns([&mut || {
            black_box(preflight(black_box(&tx), &rules).is_err());
        }]);
        println!("junk {name}: rule {}, {:.2} us", refusal.rule(), ns / 1e3);
        println!("rate junk-{name} {:.0}", 1e9 / ns);
    }
}

fn ours(subject: &Subject) -> bool {
    let rules = Rules::of(&subject.ledger);
    let parsed = preflight(black_box(&subject.transaction), &rules).expect("well-formed");
    let screened = screen(parsed, &subject.ledger).expect("can be tried");
    authenticate(screened, &subject.ledger).is_ok()
}

/// What no verifier of these rules can leave out.
struct Floor<'s> {
    subject: &'s Subject,
    key: FloorKey,
    sha512_input: [u8; 256],
}

enum FloorKey {
    Rsa(ParsedPublicKey),
    Ed25519(ed25519_dalek::VerifyingKey),
}

impl<'s> Floor<'s> {
    fn of(subject: &'s Subject) -> Floor<'s> {
        let record = parse_txt(subject.record.as_bytes()).expect("a record");
        let key = match record.key_type() {
            KeyType::Rsa => FloorKey::Rsa(
                ParsedPublicKey::new(
                    &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
                    record.public_key(),
                )
                .expect("an RSA key"),
            ),
            KeyType::Ed25519 => FloorKey::Ed25519(
                ed25519_dalek::VerifyingKey::try_from(record.public_key()).expect("an Ed25519 key"),
            ),
        };
        Floor {
            subject,
            key,
            sha512_input: [7; 256],
        }
    }

    fn run(&self) {
        self.sha256();
        self.sha512();
        self.prove();
    }

    fn sha256(&self) {
        let body = digest::digest(&digest::SHA256, black_box(&self.subject.body));
        black_box(body);
    }

    fn sha512(&self) {
        for (_, length) in SHA512_INPUTS {
            let input = black_box(&self.sha512_input[..length]);
            black_box(digest::digest(&digest::SHA512, input));
        }
    }

    /// The signature with the SHA-256 of its header data.
    fn prove(&self) {
        let data = black_box(&self.subject.header_data);
        let proven = match &self.key {
            FloorKey::Rsa(key) => key.verify_sig(data, &self.subject.signature).is_ok(),
            FloorKey::Ed25519(key) => {
                let message = digest::digest(&digest::SHA256, data);
                let signature =
                    ed25519_dalek::Signature::from_slice(&self.subject.signature).expect("64 bytes");
                key.verify_strict(message.as_ref(), &signature).is_ok()
            }
        };
        assert!(proven);
    }
}

/// mail-auth offline: parsing, body hash and signature, without policy, MIME, instruction or normal form.
fn mail_auth(subject: &Subject, key: &DomainKey) {
    let message = AuthenticatedMessage::parse(black_box(&subject.raw)).expect("a mail");
    let header = message.dkim_headers.first().expect("a signature");
    let signature = &header.header;
    let hash = HashAlgorithm::from(signature.a);
    let body = message
        .body_hashes
        .iter()
        .find(|(canon, algorithm, length, _)| {
            *canon == signature.cb && *algorithm == hash && *length == signature.l
        })
        .expect("a body hash");
    assert_eq!(body.3, signature.bh);
    let value = without_signature(header.value);
    let mut headers = message.signed_headers(&signature.h, header.name, &value);
    let proven = key
        .p
        .verify(&mut headers, &signature.b, signature.ch, signature.a);
    assert!(proven.is_ok());
}

/// A DKIM-Signature value with an empty `b=` and without its line end.
fn without_signature(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for tag in value.split_inclusive(|byte| *byte == b';') {
        let name = tag.iter().position(|byte| *byte == b'=').unwrap_or(tag.len());
        if tag[..name].trim_ascii() == b"b" {
            out.extend_from_slice(&tag[..=name]);
            if tag.ends_with(b";") {
                out.push(b';');
            }
        } else {
            out.extend_from_slice(tag);
        }
    }
    out.truncate(out.trim_ascii_end().len());
    out
}

fn headers(now: CloseTime) -> Headers<'static> {
    Headers {
        from: "Alice Example <alice@mail.example>",
        to: "Bob Example <bob@mail.example>",
        subject: "A payment",
        date: now.to_unix() - 60,
    }
}

fn padding(lines: usize) -> Vec<String> {
    (0..lines)
        .map(|line| format!("dear line {line} of ordinary words that fill the mail up to its size"))
        .collect()
}

fn gmail(now: CloseTime, lines: usize) -> String {
    let padding = padding(lines);
    let mut text = vec![INSTRUCTION, ""];
    text.extend(padding.iter().map(String::as_str));
    mail::gmail_like(headers(now), &text)
}

/// A Gmail-shaped mail of 5 KB: text and HTML of the same words.
fn gmail_5k(now: CloseTime) -> String {
    gmail(now, 25)
}

/// A mail whose normal form almost fills a memo, with 2 KB of text and the rest HTML.
fn gmail_64k(now: CloseTime) -> String {
    let html: String = padding(720)
        .iter()
        .map(|line| format!("<p>{line} <br></p>\r\n"))
        .collect();
    gmail(now, 30).replacen(
        "<div dir=3D\"ltr\">",
        &format!("<div dir=3D\"ltr\">\r\n{html}"),
        1,
    )
}

fn subject(name: &'static str, provider: &Provider, signing: Signing, text: &str, now: CloseTime) -> Subject {
    let raw = provider.sign(text, signing).expect("a signature").into_bytes();
    let mut keys = TxtRecords::new();
    for (name, record) in provider.records() {
        keys.insert(name, record.as_bytes());
    }
    let derived = derive(&raw, NETWORK, now, &keys).expect("a payment");
    let record = provider
        .records()
        .iter()
        .find(|(name, _)| *name == derived.key_name.dns_name())
        .map(|(_, record)| record.clone())
        .expect("its record");
    let key = parse_txt(record.as_bytes()).expect("a key");
    let fee = Drops::new(10 + derived.memo.len() as u64);
    let transaction = wrap(&derived, 5, fee, LedgerIndex::new(120));
    let message = AuthenticatedMessage::parse(&raw).expect("a mail");
    let header = message.dkim_headers.first().expect("a signature");
    let value = without_signature(header.value);
    let mut header_data = Vec::new();
    let signed = message.signed_headers(&header.header.h, header.name, &value);
    header.header.ch.canonicalize_headers(signed, &mut header_data);
    let body_start = derived
        .memo
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .expect("a body");
    Subject {
        name,
        body: derived.memo[body_start + 4..].to_vec(),
        signature: header.header.b.clone(),
        header_data,
        ledger: Ledger::of(&derived, &key, now),
        raw: raw.clone(),
        record,
        derived,
        transaction,
    }
}

/// A ledger with the sender's account and the key.
struct Ledger {
    now: CloseTime,
    state: BTreeMap<Hash256, Object>,
    keys: KeyCache,
}

impl Ledger {
    fn of(mail: &Derived, key: &KeyRecord, now: CloseTime) -> Ledger {
        let root = Object::new()
            .with(sf::LEDGER_ENTRY_TYPE, EntryType::AccountRoot.code())
            .with(sf::FLAGS, 0_u32)
            .with(sf::ACCOUNT, mail.account)
            .with(sf::SEQUENCE, 5_u32)
            .with(sf::BALANCE, Amount::from_drops(Drops::new(100_000_000)));
        let name = &mail.key_name;
        let entry = Object::new()
            .with(sf::LEDGER_ENTRY_TYPE, EntryType::DkimKey.code())
            .with(sf::FLAGS, key.flags())
            .with(sf::DOMAIN, name.domain().as_bytes())
            .with(sf::SELECTOR, name.selector().as_bytes())
            .with(sf::DKIM_KEY_TYPE, key.key_type().code())
            .with(sf::PUBLIC_KEY, Value::Blob(key.public_key().to_vec()))
            .with(sf::FIRST_SEEN, now.seconds() - 100)
            .with(sf::LAST_ATTESTED, now.seconds() - 100);
        let key_id = keylet::dkim_key(name.domain().as_bytes(), name.selector().as_bytes());
        Ledger {
            now,
            state: BTreeMap::from([(keylet::account(mail.account), root), (key_id, entry)]),
            keys: KeyCache::new(),
        }
    }
}

impl ReadView for Ledger {
    fn network_id(&self) -> u32 {
        NETWORK
    }

    fn ledger_index(&self) -> LedgerIndex {
        LedgerIndex::new(100)
    }

    fn parent_close_time(&self) -> CloseTime {
        self.now
    }

    fn parent_hash(&self) -> Hash256 {
        Hash256::ZERO
    }

    fn base_fee(&self) -> Drops {
        Drops::new(10)
    }

    fn reserve_base(&self) -> Drops {
        Drops::new(1_000_000)
    }

    fn reserve_increment(&self) -> Drops {
        Drops::new(200_000)
    }

    fn is_open(&self) -> bool {
        true
    }

    fn amendment_enabled(&self, id: &Hash256) -> bool {
        *id == AMENDMENT_EMAIL
    }

    fn entry(&self, key: &Hash256) -> Option<Object> {
        self.state.get(key).cloned()
    }

    fn parent_entry(&self, key: &Hash256) -> Option<Object> {
        self.state.get(key).cloned()
    }

    fn key_cache(&self) -> Option<&KeyCache> {
        Some(&self.keys)
    }
}
