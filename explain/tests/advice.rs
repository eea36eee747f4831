//! Advice can be obeyed: a line that a fix tells people to write is an instruction that pays whom the mail
//! names, on the network that it names; where the mail names somebody in words that the grammar does not have,
//! no line is told. What stands for something (ADDRESS, AMOUNT, ...) is never paid. Mails of the whole variety
//! that people and programs write are made and signed here; the receiver and the network that each means are
//! known to the generator, not read by our code.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::path::Path;

use amendment::address::Recipient;
use amendment::instruction::line::{Line, To};
use amendment::mail::text::relaxed;
use amendment::{Rule, TxtRecords};
use codec::CloseTime;
use explain::{ExplainEnv, Explanation, Qualifies, explain};
use proptest::prelude::*;
use testkit::sign::{DkimKey, Draft, Form};

/// Mon, 16 Nov 2026 10:00:00 +0000 in the ledger's time, by `date -u`.
const SENT_SECS: u32 = 848_138_400;
const BOB: &str = "bob@example.com";
const ACCOUNT: &str = "rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5o";
const NETWORKS: [u32; 2] = [21_337, 21_338];

/// Words of a line, and what they mean to the one who writes them.
#[derive(Debug, Clone)]
struct Written {
    verb: &'static str,
    money: &'static str,
    /// As it is written, and the receiver that it means.
    receiver: (&'static str, Option<&'static str>),
    /// As it is written; whether it names a network, and its number.
    network: (&'static str, Option<u32>),
    after: &'static str,
    below: &'static str,
}

impl Written {
    fn line(&self) -> String {
        let words = [self.verb, self.money, self.receiver.0, self.network.0, self.after];
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        words.join(" ")
    }

    fn body(&self) -> String {
        format!("{}\r\n{}", self.line(), self.below)
    }
}

const VERBS: [&str; 7] = [
    "REMIT",
    "remit",
    "- REMIT",
    "*REMIT",
    "Send",
    "PAY",
    "RE\u{200b}MIT",
];
const MONEY: [&str; 14] = [
    "10 XAH",
    "10 XAH",
    "10 xah",
    "10XAH",
    "1,5 XAH",
    "1,000 XAH",
    "10\u{a0}XAH",
    "10 XAH,",
    "10 XRP",
    "10 USD",
    "XAH 10",
    "ten XAH",
    "10 usd/rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B",
    "10 USD/rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B",
];
const RECEIVERS: [(&str, Option<&str>); 36] = [
    ("", None),
    ("", None),
    ("TO <bob@example.com>", Some(BOB)),
    ("to <bob@example.com>", Some(BOB)),
    ("TO bob@example.com", Some(BOB)),
    ("TO: <bob@example.com>", Some(BOB)),
    ("FOR <bob@example.com>", Some(BOB)),
    ("<bob@example.com>", Some(BOB)),
    ("bob@example.com", Some(BOB)),
    ("TO < bob@example.com >", Some(BOB)),
    ("TO <bob@example.com>,", Some(BOB)),
    ("TO Bob <bob@example.com>", Some(BOB)),
    ("TO \"Bob\" <bob@example.com>", Some(BOB)),
    ("TO <bob@example.com <mailto:bob@example.com>>", Some(BOB)),
    ("TO bob@example.com <mailto:bob@example.com>", Some(BOB)),
    ("TO <mailto:bob@example.com> bob@example.com", Some(BOB)),
    ("TO <mailto:bob@example.com>", Some(BOB)),
    ("TO [bob@example.com](mailto:bob@example.com)", Some(BOB)),
    ("TO &lt;bob@example.com&gt;", Some(BOB)),
    ("TO \u{2068}<bob@example.com>\u{2069}", Some(BOB)),
    ("TO <bob\u{ad}@example.com>", Some(BOB)),
    ("TO <bob@example.com> (rent)", Some(BOB)),
    ("TO <bob@example.com> <eve@example.com>", Some("two")),
    ("TO <bob@example.com>, <eve@example.com>", Some("two")),
    ("TO <bob@example.com <mailto:eve@example.com>>", Some("two")),
    ("TO bob@example.comThanks", Some("joined")),
    ("TO rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5o", Some(ACCOUNT)),
    ("TO rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5o?dt=7", Some("tagged")),
    ("TO rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5o tag 7", Some("tagged")),
    (
        "TO XVLhHMPHU98es4dbozjVtdWzVrDjtV5xvjAdRsRgBgvyZkZ",
        Some("tagged"),
    ),
    ("TO bob", Some("somebody")),
    // X-addresses and their accounts by XLS-5: the second one has tag 1, and is of a test network.
    (
        "TO X7AcgcsBL6XDcUb289X4mJ8djcdyKaB5hJDWMArnXr61cqZ",
        Some("r9cZA1mLK5R5Am25ArfXFmqgNwjZgnfk59"),
    ),
    (
        "TO T719a5UwUCnEs54UsxG9CJYYDhwmFCvbJNZbi37gBGkRkbE",
        Some("r9cZA1mLK5R5Am25ArfXFmqgNwjZgnfk59+1"),
    ),
    (
        "TO <X7AcgcsBL6XDcUb289X4mJ8djcdyKaGZMhc9YTE92ehJ2Fu@example.com>",
        Some("r9cZA1mLK5R5Am25ArfXFmqgNwjZgnfk59+1"),
    ),
    ("TO rumkbg7wrve9dwzcfcdajlfw5mxvtzhc5o", Some("somebody")),
    ("TO <bob+rent@example.com>", Some("somebody")),
];
/// Network 0 stands for one that is named in words without a number.
const NETWORK_WORDS: [(&str, Option<u32>); 9] = [
    ("", None),
    ("", None),
    ("", None),
    ("NET 21337", Some(21_337)),
    ("net 21338", Some(21_338)),
    ("NET 021338", Some(0)),
    ("NET testnet", Some(0)),
    ("NET: 21338", Some(0)),
    ("on testnet", Some(0)),
];
const AFTER: [&str; 6] = ["", "", ".", "please", "Thanks!", ","];
const BELOW: [&str; 13] = [
    "",
    "",
    "\r\nThanks\r\n",
    "Thanks\r\n",
    "TO <bob@example.com>\r\n",
    "to: bob@example.com\r\n",
    "NET 21338\r\n",
    "NET: 21338\r\n",
    "on testnet\r\n",
    "\r\n\u{a0}\r\n to <bob@example.com>\r\n",
    "TO <bob@example.com>\r\n\r\nnet 21338\r\nThanks\r\n",
    "TO <bob@example.com>\r\non testnet\r\n",
    "\r\nREMIT 99 XAH TO <eve@example.com>\r\n",
];
/// Header fields of programs and providers, in relaxed form, and the domain.
const CLIENTS: [(&str, &str); 5] = [
    ("", "mail.test"),
    ("user-agent:Mozilla Thunderbird\r\n", "mail.test"),
    ("x-mailer:Microsoft Outlook 16.0\r\n", "outlook.com"),
    ("x-mailer:iPhone Mail (22B91)\r\n", "icloud.com"),
    ("", "yahoo.com"),
];

fn written() -> impl Strategy<Value = Written> {
    let pick = |words: &'static [&'static str]| prop::sample::select(words);
    (
        pick(&VERBS),
        pick(&MONEY),
        prop::sample::select(&RECEIVERS[..]),
        prop::sample::select(&NETWORK_WORDS[..]),
        pick(&AFTER),
        pick(&BELOW),
    )
        .prop_map(|(verb, money, receiver, network, after, below)| Written {
            verb,
            money,
            receiver,
            network,
            after,
            below,
        })
}

/// A signed mail, judged.
fn judged(body: &str, client: (&str, &str), to: &str, network_id: u32) -> Explanation {
    let (program, domain) = client;
    let lines: Vec<Vec<u8>> = body.split("\r\n").map(|line| relaxed(line.as_bytes())).collect();
    let mut body = lines.join(&b"\r\n"[..]);
    while body.ends_with(b"\r\n") {
        body.truncate(body.len() - 2);
    }
    body.extend_from_slice(b"\r\n");
    let key = DkimKey::ed25519(&[7; 32]);
    let names = if to.is_empty() {
        "From:Date"
    } else {
        "From:Date:To"
    };
    let draft = Draft {
        form: Form::Relaxed,
        domain,
        selector: "s",
        names,
        fields: format!("from:Alice <alice@{domain}>\r\ndate:Mon, 16 Nov 2026 10:00:00 +0000\r\n{to}")
            .into_bytes(),
        body,
    };
    let mail = [program.as_bytes(), &draft.signed(&key)].concat();
    let mut keys = TxtRecords::new();
    keys.insert(&format!("s._domainkey.{domain}"), key.record().as_bytes());
    let env = ExplainEnv {
        network_id,
        now: CloseTime::new(SENT_SECS + 60),
        keys: &keys,
    };
    explain(&mail, &env)
}

/// What a reader can take for a line to write: from its verb to a backtick or the end, and the same without a full
/// stop.
fn lines_told(fix: &str) -> Vec<&str> {
    let starts = ["REMIT ", "REKEY "]
        .into_iter()
        .flat_map(|verb| fix.match_indices(verb));
    let lines = starts.map(|(at, _)| fix[at..].split('`').next().unwrap());
    lines
        .flat_map(|line| [line, line.trim_end_matches('.')])
        .collect()
}

/// Whom a line pays: an address, an account, or the To header; `None` for a line that no ledger takes.
fn paid(line: &str) -> Option<String> {
    match Line::parse(line.as_bytes())?.to().ok()?? {
        To::Header => Some("header".to_owned()),
        To::Named(Recipient::Mailbox { address, .. }) => Some(address.as_str().to_owned()),
        To::Named(Recipient::Chain { account, tag }) => {
            Some(tag.map_or(account.to_string(), |tag| format!("{account}+{tag}")))
        }
    }
}

/// The network of a line; the main one where none is named.
fn network_of(line: &str) -> u32 {
    line.split_once(" NET ")
        .map_or(21_337, |(_, number)| number.parse().unwrap())
}

/// The receiver and the network that a mail means by its first line and by what goes on with it below, and what is
/// left below once all of it stands on one line.
fn meant(written: &Written) -> (&'static str, Option<u32>, &'static str) {
    let (receiver, network) = (written.receiver.1, written.network.1);
    match written.below {
        "TO <bob@example.com>\r\n" | "\r\n\u{a0}\r\n to <bob@example.com>\r\n" => {
            // Two receivers are nobody's meaning.
            (receiver.map_or(BOB, |_| "two"), network, "")
        }
        "NET 21338\r\n" => (
            receiver.unwrap_or("header"),
            network.map_or(Some(21_338), |_| Some(0)),
            "",
        ),
        "TO <bob@example.com>\r\n\r\nnet 21338\r\nThanks\r\n" => (
            receiver.map_or(BOB, |_| "two"),
            network.map_or(Some(21_338), |_| Some(0)),
            "Thanks\r\n",
        ),
        // Named in words that the grammar does not have.
        "to: bob@example.com\r\n" => ("somebody", network, ""),
        "NET: 21338\r\n" | "on testnet\r\n" | "TO <bob@example.com>\r\non testnet\r\n" => {
            (receiver.unwrap_or("header"), Some(0), "")
        }
        below => (receiver.unwrap_or("header"), network, below),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 600,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_line_that_is_told_pays_whom_the_mail_names(
        written in written(),
        client in prop::sample::select(&CLIENTS[..]),
        has_to in any::<bool>(),
        here in prop::sample::select(&NETWORKS[..]),
    ) {
        let to = if has_to { "to:carol@example.org\r\n" } else { "" };
        let explanation = judged(&written.body(), client, to, here);
        let Some(fix) = explanation.fix() else {
            prop_assert_eq!(explanation.qualifies, Qualifies::Yes);
            return Ok(());
        };
        prop_assert!(!fix.is_empty() && fix.len() <= 300);
        let later = written.below.contains("REMIT 99");
        for line in lines_told(fix) {
            let Some(paid) = paid(line) else { continue };
            if later && line == "REMIT 99 XAH TO <eve@example.com>" {
                // Told as the only instruction that there is, below words that are none.
                continue;
            }
            let (receiver, named, left) = meant(&written);
            prop_assert_eq!(paid, receiver, "{} in {}", line, fix);
            let network = network_of(line);
            let is_meant = named == Some(network) || (named.is_none() && (network == 21_337 || network == here));
            prop_assert!(is_meant, "{} in {}", line, fix);
            prop_assert!(!written.after.starts_with([',', 'p', 'T']), "{} in {}", line, fix);
            // Who obeys gets a mail that is taken, on the network that it names.
            let obeyed = judged(&format!("{line}\r\n\r\n{left}"), client, to, network);
            let is_left = matches!(obeyed.rule, None | Some(Rule::R4_3));
            prop_assert!(is_left, "{} in {}: {:?}", line, fix, obeyed.rule);
        }
    }

    /// A part that was not understood is named, so nobody drops it unawares.
    #[test]
    fn what_was_not_understood_is_told(written in written(), client in prop::sample::select(&CLIENTS[..])) {
        let explanation = judged(&written.body(), client, "to:carol@example.org\r\n", 21_337);
        let is_wrong = explanation.rule == Some(Rule::R5_2) && !written.below.contains("REMIT 99");
        if is_wrong && (written.receiver.1.is_some() || written.network.1.is_some()) {
            let fix = explanation.fix().unwrap_or_default();
            let says = ["Not understood", "write exactly", "on one line", "not shown", "into two lines"];
            prop_assert!(says.iter().any(|word| fix.contains(word)), "{}: {}", written.line(), fix);
        }
    }
}

/// What was meant as an account, or as a tag of a mailbox, gets advice that can be followed.
#[test]
fn a_receiver_that_is_refused_is_told_how_it_is_written() {
    for (receiver, rule, told) in [
        (
            "<T719a5UwUCnEs54UsxG9CJYYDhwmFCvbJNZbi37gBGkRkbE@example.com>",
            Rule::R2_4,
            "TO r9cZA1mLK5R5Am25ArfXFmqgNwjZgnfk59+1",
        ),
        (
            "<rumkbg7wrve9dwzcfcdajlfw5mxvtzhc5o@example.com>",
            Rule::R2_4,
            "exactly as your wallet shows it",
        ),
        (
            "rumkbg7wrve9dwzcfcdajlfw5mxvtzhc5o",
            Rule::R5_2,
            "exactly as your wallet shows it",
        ),
        (
            "<bob+rent@example.com>",
            Rule::R2_2,
            "Leave out the + and what follows",
        ),
        ("<bob=2Erent@example.com>", Rule::R5_4, "="),
    ] {
        let body = format!("REMIT 10 XAH TO {receiver}\r\n");
        let explanation = judged(&body, CLIENTS[0], "", 21_337);
        assert_eq!(explanation.rule, Some(rule), "{receiver}");
        let fix = explanation.fix().expect("a fix");
        assert!(fix.contains(told), "{receiver}: {fix}");
        if receiver.contains('@') && rule != Rule::R5_4 {
            let to = format!("to:{}\r\n", receiver.trim_matches(['<', '>']));
            let explanation = judged("REMIT 10 XAH\r\n", CLIENTS[0], &to, 21_337);
            let fix = explanation.fix().expect("a fix");
            assert!(
                explanation.rule == Some(rule) && fix.contains(told),
                "{to}: {fix}"
            );
        }
    }
}

/// An X-address, and what a reader of XLS-5 that is not ours makes of it.
const X_ADDRESS: (&str, &str) = (
    "X7gJ5YK8abHf2eTPWPFHAAot8Knck11QGqmQ7a6a3Z8PJvk",
    "rhvh5SrgBL5V8oeV9EpDuVszeJSSCEkbPc+1337",
);

/// Every text that stands for something, in all that is told about the attack set.
#[test]
fn placeholders_are_never_paid() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/explain/reasons.txt");
    let golden = std::fs::read_to_string(golden).expect("the golden texts");
    let mut excerpt = "";
    let mut placeholders = 0;
    for line in golden.lines() {
        if let Some((_, rest)) = line
            .split_once(": ")
            .filter(|(head, _)| head.starts_with("    line "))
        {
            excerpt = rest;
        }
        let Some(fix) = line.strip_prefix("    -> ") else {
            continue;
        };
        for told in lines_told(fix) {
            match paid(told).as_deref() {
                None => placeholders += usize::from(told.contains("ADDRESS")),
                // The line's own words, spelt otherwise or with a network: not somebody whom we made up.
                Some("header") => {}
                Some(paid) => assert!(
                    excerpt.contains(paid)
                        // Account and tag of an X-address, as XLS-5 packs them.
                        || (paid == X_ADDRESS.1 && excerpt.contains(X_ADDRESS.0))
                        || ["very first line", "on one line"]
                            .iter()
                            .any(|told| fix.contains(told)),
                    "{fix}: {excerpt}"
                ),
            }
        }
    }
    assert!(placeholders >= 10, "{placeholders}");
}

/// A mail that a later ledger or another node takes is not to be sent again: the text says until when it is good.
#[test]
fn who_is_refused_for_now_is_not_told_to_send_again() {
    let body = "REMIT 10 XAH TO <bob@example.com>\r\n";
    for (rule, explanation) in [
        (Rule::R4_6, judged_at(body, SENT_SECS - 2 * 86_400, "s")),
        (Rule::R7_3, judged_at(body, SENT_SECS + 60, "other")),
        (Rule::R5_6, judged(body, CLIENTS[0], "", 21_338)),
    ] {
        assert_eq!(explanation.rule, Some(rule));
        let fix = explanation.fix().expect("a fix");
        assert!(fix.contains("until 21 Nov 2026 10:00 UTC"), "{fix}");
        assert!(fix.contains("whoever has a copy can hand it in"), "{fix}");
        assert!(!fix.contains("again") && !fix.contains("anew"), "{fix}");
    }
    let other = judged(
        "REMIT 10 XAH TO <bob@example.com> NET 21338\r\n",
        CLIENTS[0],
        "",
        21_337,
    );
    let fix = other.fix().expect("a fix");
    assert!(fix.contains("21338") && fix.contains("21337"), "{fix}");
    assert!(lines_told(fix).is_empty(), "{fix}");
}

/// Judged where this selector alone has a key; the mail's is `s`.
fn judged_at(body: &str, now: u32, selector: &str) -> Explanation {
    let key = DkimKey::ed25519(&[7; 32]);
    let draft = Draft {
        form: Form::Relaxed,
        domain: "mail.test",
        selector: "s",
        names: "From:Date",
        fields: b"from:alice@mail.test\r\ndate:Mon, 16 Nov 2026 10:00:00 +0000\r\n".to_vec(),
        body: body.as_bytes().to_vec(),
    };
    let mut keys = TxtRecords::new();
    keys.insert(
        &format!("{selector}._domainkey.mail.test"),
        key.record().as_bytes(),
    );
    let env = ExplainEnv {
        network_id: 21_337,
        now: CloseTime::new(now),
        keys: &keys,
    };
    explain(&draft.signed(&key), &env)
}
