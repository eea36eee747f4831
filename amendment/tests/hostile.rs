//! Hostile input: bounded, refused with a named rule, never a panic; and copies of one mail stay one mail.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)]
#![allow(clippy::arithmetic_side_effects)]

use std::path::PathBuf;
use std::sync::LazyLock;

use amendment::key_record::parse_txt;
use amendment::{
    Amendment, KeyAnswer, KeySource, ProvenMail, Refusal, Rules, TxtRecords, candidates, derive, key_names,
    normal_form, waiting_forms,
};
use codec::{CloseTime, Drops, LedgerIndex, Object, Ter, sf};
use explain::{ExplainEnv, explain};
use proptest::prelude::*;

const NETWORK: u32 = 21_337;
const NOW: CloseTime = CloseTime::new(848_145_600);

static KEYS: LazyLock<TxtRecords> = LazyLock::new(|| {
    let vectors: serde_json::Value = serde_json::from_slice(&read("vectors.json")).unwrap();
    let mut keys = TxtRecords::new();
    for (name, record) in vectors["keys"].as_object().unwrap() {
        keys.insert(name, record.as_str().unwrap().as_bytes());
    }
    keys
});

fn read(file: &str) -> Vec<u8> {
    std::fs::read(
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../fixtures/vectors/mail")
            .join(file),
    )
    .unwrap()
}

fn derived(raw: &[u8]) -> Result<ProvenMail, Refusal> {
    derive(raw, NETWORK, NOW, &*KEYS)
}

fn rule_of(raw: &[u8]) -> Option<&'static str> {
    let explained = explain(
        raw,
        &ExplainEnv {
            network_id: NETWORK,
            now: NOW,
            keys: &*KEYS,
        },
    );
    let strict = derived(raw).err().map(|refusal| refusal.rule());
    assert_eq!(explained.rule, strict, "explain and derive agree");
    strict.map(amendment::Rule::as_str)
}

/// The plain mail of the vectors with its header changed.
fn with_header(change: impl Fn(&str) -> String) -> Vec<u8> {
    let text = String::from_utf8(read("c002.eml")).unwrap();
    let (header, body) = text.split_once("\r\n\r\n").unwrap();
    format!("{}\r\n\r\n{body}", change(header)).into_bytes()
}

#[test]
fn rejects_mails_over_the_size_with_many_lines_or_large_headers() {
    let padded = |bytes: usize| [&read("c002.eml")[..], &b"x\r\n".repeat(bytes / 3)].concat();
    assert_eq!(rule_of(&padded(300_000)), Some("1"));
    assert_eq!(
        rule_of(&with_header(|h| format!("{}{h}", "X: y\r\n".repeat(10_000)))),
        Some("3.1")
    );
    assert_eq!(
        rule_of(&with_header(|h| format!("{h}{}", "\r\n y".repeat(10_000)))),
        Some("3.1")
    );
    assert_eq!(
        rule_of(&with_header(|h| format!("X: {}\r\n{h}", "y".repeat(400_000)))),
        Some("1")
    );
    assert_eq!(
        rule_of(&with_header(|h| format!("X: {}\r\n{h}", "y".repeat(200_000)))),
        None
    );
}

#[test]
fn rejects_a_thousand_names_in_h() {
    let names = format!("h=From:To:{}Date", "X:".repeat(1_000));
    assert_eq!(
        rule_of(&with_header(|h| h.replace("h=From:To:Subject:Date", &names))),
        Some("4.3")
    );
}

#[test]
fn rejects_nul_bare_cr_and_bare_lf_anywhere() {
    for bad in ["\0", "\r", "\n"] {
        assert_eq!(
            rule_of(&with_header(|h| format!("X: a{bad}b\r\n{h}"))),
            Some("3.4")
        );
        let mut raw = read("c002.eml");
        raw.extend_from_slice(format!("a{bad}b\r\n").as_bytes());
        assert_eq!(rule_of(&raw), Some("3.4"));
    }
}

#[test]
fn accepts_one_good_signature_among_many_and_bounds_the_tries() {
    let good = read("c002.eml");
    let end = good.windows(7).position(|w| w == b"\r\nFrom:").unwrap() + 2;
    let foreign = String::from_utf8(good[..end].to_vec())
        .unwrap()
        .replace("d=mail.test", "d=esp.test");
    let mixed = [foreign.repeat(20).as_bytes(), &good].concat();
    assert_eq!(rule_of(&mixed), None);
    let broken = String::from_utf8(good[..end].to_vec())
        .unwrap()
        .replace("t=1794823212", "t=1794823213");
    let three = [broken.repeat(3).as_bytes(), &good].concat();
    assert_eq!(rule_of(&three), None);
    assert_eq!(candidates(&three).len(), 4);
    let four = [broken.repeat(4).as_bytes(), &good].concat();
    assert_eq!(rule_of(&four), Some("4.5"));
    let many = [broken.repeat(300).as_bytes(), &good].concat();
    assert_eq!(rule_of(&many), Some("4.5"));
    assert!(key_names(&many).len() <= 8);
}

/// Spec: 4.5, 7.3. The reason that the key gives is kept, not replaced by a plain failure of the signature.
#[test]
fn rejects_a_mail_under_an_unusable_key_with_the_reason_of_the_key() {
    let mut keys = TxtRecords::new();
    keys.insert("s1._domainkey.mail.test", b"v=DKIM1; k=rsa; p=AAAA");
    let refusal = derive(&read("c002.eml"), NETWORK, NOW, &keys).unwrap_err();
    assert!(matches!(refusal, Refusal::KeyRecord(_)), "{refusal:?}");
    assert_eq!(refusal.code(), Ter::TEF_DKIM_REVOKED);
    assert_eq!(derive(&read("c002.eml"), NETWORK, NOW, &*KEYS).err(), None);
}

// Spec: 3, 4.7. What is kept of a mail that waits: each form is a mail that means the same, and is its own form.
#[test]
fn accepts_each_form_of_a_waiting_mail_as_that_mail() {
    let good = read("c002.eml");
    let end = good.windows(7).position(|w| w == b"\r\nFrom:").unwrap() + 2;
    let broken = String::from_utf8(good[..end].to_vec())
        .unwrap()
        .replace("t=1794823212", "t=1794823213");
    let padded = [b"X-Pad: x\r\n".as_slice(), broken.as_bytes(), &good].concat();
    let forms = waiting_forms(&padded);
    assert_eq!(forms.len(), 2);
    let proven = |raw: &[u8]| derive(raw, NETWORK, NOW, &*KEYS);
    assert!(proven(&forms[0].bytes).is_err(), "the broken signature alone");
    assert_eq!(proven(&forms[1].bytes), proven(&good));
    assert_eq!(
        proven(&good).map(|mail| mail.memo.clone()).ok(),
        Some(forms[1].bytes.clone())
    );
    for form in &forms {
        assert_eq!(waiting_forms(&form.bytes), std::slice::from_ref(form));
    }
    let body = [good.as_slice(), b"x\r\n"].concat();
    assert_eq!(waiting_forms(&body), [], "another body than the signed one");
}

#[test]
fn the_refusal_of_the_first_candidate_is_reported() {
    // The From of c100 lies above d=: no candidate, its own refusal.
    assert_eq!(rule_of(&read("c100.eml")), Some("4.2"));
    assert_eq!(candidates(&read("c100.eml")), []);
}

const RELAXED: [&str; 6] = [
    "c002.eml", "c010.eml", "c036.eml", "c062.eml", "c106.eml", "c152.eml",
];

/// Changes that relaxed canonicalisation ignores, and unsigned lines, chosen by `choices`.
fn perturb(raw: &[u8], choices: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(raw.to_vec()).unwrap();
    let (header, body) = text.split_once("\r\n\r\n").unwrap();
    let mut choices = choices.iter().copied().cycle();
    let mut choose = |n: u8| choices.next().unwrap_or(0) % n;
    let mut out = String::new();
    for (at, line) in header.split("\r\n").enumerate() {
        let fresh = !line.starts_with([' ', '\t']);
        if fresh && at > 0 && choose(5) == 0 {
            out.push_str("X-Hop: unsigned\r\n");
        }
        let line = line.to_owned();
        let line = match (fresh, line.split_once(':')) {
            (true, Some((name, value))) => {
                let name = if choose(2) == 0 {
                    name.to_ascii_uppercase()
                } else {
                    name.to_owned()
                };
                format!(
                    "{name}:{}{value}",
                    ["", " ", "\t ", "\r\n "][usize::from(choose(4))]
                )
            }
            _ => line,
        };
        for c in line.chars() {
            out.push(c);
            if c == ' ' {
                out.push_str(["", "", " ", "\t", "\r\n ", " \r\n\t"][usize::from(choose(6))]);
            }
        }
        out.push_str(["", "", " ", " \t"][usize::from(choose(4))]);
        out.push_str("\r\n");
    }
    out.push_str("\r\n");
    for line in body.split_inclusive("\r\n") {
        let content = line.trim_end_matches("\r\n");
        out.push_str(&content.replace(' ', [" ", "  ", "\t"][usize::from(choose(3))]));
        out.push_str(["", " ", "\t"][usize::from(choose(3))]);
        out.push_str("\r\n");
    }
    out.push_str(&"\r\n \r\n".repeat(usize::from(choose(3))));
    out.into_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn changes_that_relaxed_ignores_leave_one_mail(
        file in 0..RELAXED.len(),
        choices in prop::collection::vec(any::<u8>(), 1..64),
    ) {
        let raw = read(RELAXED[file]);
        let copy = perturb(&raw, &choices);
        prop_assert_eq!(derived(&copy), derived(&raw), "{}", String::from_utf8_lossy(&copy));
    }

    #[test]
    fn the_normal_form_is_its_own_normal_form(
        file in 0..RELAXED.len(),
        choices in prop::collection::vec(any::<u8>(), 1..64),
        body in prop::collection::vec(prop::sample::select(vec![b' ', b'\t', b'a', b'=', b'-']), 0..80),
        canon in prop::sample::select(vec!["relaxed/relaxed", "simple/simple", "relaxed/simple", "simple/relaxed"]),
    ) {
        let mut raw = String::from_utf8(perturb(&read(RELAXED[file]), &choices)).unwrap().replace("relaxed/relaxed", canon);
        raw.push_str(&body.chunks(7).map(|line| String::from_utf8_lossy(line) + "\r\n").collect::<String>());
        let once = normal_form(raw.as_bytes(), 0).unwrap();
        prop_assert_eq!(normal_form(&once, 0).unwrap(), once);
    }

    // Issue: what the signature sees changes the normal form, and then nothing can be derived from the mail.
    #[test]
    fn no_change_of_signed_bytes_makes_another_mail(
        file in 0..RELAXED.len(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8, any::<u8>()), 1..4),
        from_memo in any::<bool>(),
    ) {
        let original = derived(&read(RELAXED[file])).unwrap();
        let mut raw = if from_memo { original.memo.clone() } else { read(RELAXED[file]) };
        for (at, kind, byte) in edits {
            let at = at.index(raw.len());
            match kind {
                0 => raw[at] = byte,
                1 => raw.insert(at, byte),
                _ => { raw.remove(at); }
            }
        }
        let same_form = normal_form(&raw, 0).is_ok_and(|form| form == original.memo);
        match derived(&raw) {
            Ok(mail) => {
                prop_assert!(same_form, "{}", String::from_utf8_lossy(&raw));
                prop_assert_eq!(mail, original);
            }
            Err(refusal) => prop_assert!(!same_form, "{refusal}: {}", String::from_utf8_lossy(&raw)),
        }
    }

    // Words of an instruction swapped for others of the same grammar: the signature sees every one of them.
    #[test]
    fn no_other_instruction_fits_a_signature(amount in 1_u32..1_000_000, network in any::<u32>()) {
        let raw = String::from_utf8(read("c002.eml")).unwrap();
        let (header, body) = raw.split_once("\r\n\r\n").unwrap();
        let instruction = derived(raw.as_bytes()).unwrap().instruction.clone();
        for line in [
            format!("REMIT {amount} XAH TO <carol@example.com>"),
            format!("REMIT {amount} XAH TO <carol@example.com> NET {network}"),
            format!("{instruction}0"),
        ] {
            let other = format!("{header}\r\n\r\n{}", body.replacen(&instruction, &line, 1));
            prop_assert!(other != raw);
            prop_assert!(matches!(rule_of(other.as_bytes()), Some("3.3" | "5.2" | "5.3" | "5.6")));
            prop_assert!(derived(other.as_bytes()).is_err());
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        all_doors(&bytes);
    }

    #[test]
    fn damaged_mails_never_panic(
        file in 0..RELAXED.len(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8, any::<u8>()), 1..8),
    ) {
        let mut raw = read(RELAXED[file]);
        for (at, kind, byte) in edits {
            let at = at.index(raw.len());
            match kind {
                0 => raw[at] = byte,
                1 => raw.insert(at, byte),
                _ => raw.truncate(at.max(1)),
            }
        }
        all_doors(&raw);
    }

    #[test]
    fn damaged_texts_never_panic(text in "[-=a-zA-Z0-9<>@+. ;:\"/()\\\\\r\n\t\u{0}-\u{ff}]{0,120}") {
        let body = format!("--b\r\nContent-Type: {text}\r\n\r\n{text}\r\n--b--\r\n");
        let mail = with_header(|h| h.to_owned());
        let end = mail.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
        all_doors(&[&mail[..end], body.as_bytes()].concat());
        all_doors(&with_header(|h| h.replace("alice@mail.test", &text)));
        all_doors(&with_header(|h| h.replace("16 Nov 2026 10:00:00 +0000", &text)));
        all_doors(&with_header(|h| h.replace("v=1;", &text)));
    }
}

/// Keys that count how often they are asked.
struct CountingKeys {
    asked: std::cell::Cell<usize>,
}

impl KeySource for CountingKeys {
    fn key(&self, domain: &str, selector: &str) -> KeyAnswer {
        self.asked.set(self.asked.get() + 1);
        KEYS.key(domain, selector)
    }
}

// Work that strangers can cause: look-ups and proofs per mail, bytes kept of it, bytes told about it.
#[test]
fn work_per_mail_is_bounded_whatever_its_size() {
    let base = String::from_utf8(read("c002.eml")).unwrap();
    let end = base.find("\r\nFrom:").unwrap() + 2;
    let signature = base[..end].replace("b=", "b=AAAA");
    let said = |raw: &[u8]| {
        let keys = CountingKeys {
            asked: Default::default(),
        };
        let _ = derive(raw, NETWORK, NOW, &keys);
        assert!(keys.asked.get() <= 8, "{} keys asked", keys.asked.get());
        let env = ExplainEnv {
            network_id: NETWORK,
            now: NOW,
            keys: &keys,
        };
        let explained = explain(raw, &env);
        let told: usize = explained
            .checks
            .iter()
            .map(|check| check.read.len() + check.fix.len())
            .sum();
        assert!(normal_form(raw, 0).map_or(0, |form| form.len()) <= raw.len() + 2);
        (explained.checks.len(), told)
    };
    for scale in [1, 30, 900] {
        for raw in [
            [signature.repeat(scale).as_bytes(), base.as_bytes()].concat(),
            [base.as_bytes(), "a\tb  c \r\n".repeat(scale * 20).as_bytes()].concat(),
            with_header(|h| {
                h.replace(
                    "v=1;",
                    &format!(
                        "v=1; {}",
                        (0..scale * 10).map(|n| format!("x{n}=y; ")).collect::<String>()
                    ),
                )
            }),
            with_header(|h| h.replace("v=1;", &format!("v=1; z={};", "q".repeat(scale * 100)))),
            with_header(|h| h.replace("alice", &"\\\"".repeat(scale * 100))),
        ] {
            let (checks, told) = said(&raw);
            assert_eq!(checks, 26);
            assert!(told < 8_000, "{told} bytes told of {}", raw.len());
        }
    }
}

/// Everything public that takes foreign bytes.
fn all_doors(bytes: &[u8]) {
    let _ = rule_of(bytes);
    let _ = normal_form(bytes, 0);
    let _ = (candidates(bytes), key_names(bytes));
    let _ = parse_txt(bytes);
    let text = String::from_utf8_lossy(bytes);
    let _ = (
        amendment::address::parse_sender(&text),
        amendment::address::parse_recipient(&text),
    );
    let tx =
        derived(&read("c002.eml")).map(|mail| amendment::wrap(&mail, 1, Drops::new(1), LedgerIndex::new(1)));
    let memo = Object::new().with(sf::MEMO_DATA, bytes);
    let tx = tx.unwrap().with(sf::MEMOS, vec![(sf::MEMO, memo)]);
    let _ = amendment::preflight(
        &tx,
        &Rules {
            network_id: NETWORK,
            amendment: Amendment::On,
        },
    );
}
