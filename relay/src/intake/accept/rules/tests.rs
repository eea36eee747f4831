use super::*;
use crate::intake::accept::testing::{
    self, NETWORK, forger, headers, mail, now, own, provider, records, sign_as, signed,
};
use amendment::key_record::KeyRecordError;
use amendment::{KeyAnswer, Order, TxtRecords};
use proptest::prelude::*;
use testkit::mail::{Headers, outlook_like};
use testkit::provider::Signing;

fn judge_on(network: u32, now: u64, raw: &[u8], keys: &TxtRecords) -> Result<Accepted, Rejected> {
    judge_by(Unproven::TurnedAway, network, now, raw, keys)
}

fn judge_by(
    unproven: Unproven,
    network: u32,
    now: u64,
    raw: &[u8],
    keys: &TxtRecords,
) -> Result<Accepted, Rejected> {
    let own = own();
    let rules = Rules {
        own: &own,
        network,
        now,
        unproven,
    };
    judge(raw, &rules, keys)
}

fn judged(raw: &[u8]) -> Result<Accepted, Rejected> {
    judge_on(NETWORK, now(), raw, &records())
}

fn email_id(accepted: &Accepted) -> Option<MailId> {
    match &accepted.request {
        Request::Order { email_id, .. } => Some(MailId::from(*email_id)),
        Request::Balance | Request::History => None,
    }
}

fn codes(ruling: Result<Accepted, Rejected>) -> (u16, &'static str, &'static str) {
    let rejected = ruling.expect_err("a refusal");
    (rejected.code, rejected.enhanced, rejected.rule.as_str())
}

// Accounts and EmailID: fixtures/vectors, made by an independent program.
#[test]
fn accepts_the_mail_of_the_vectors_under_its_ids() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/vectors/mail");
    let raw = std::fs::read(folder.join("c002.eml")).expect("a fixture");
    let vectors = std::fs::read(folder.join("vectors.json")).expect("a fixture");
    let vectors: serde_json::Value = serde_json::from_slice(&vectors).expect("JSON");
    let mut keys = TxtRecords::new();
    for (name, record) in vectors["keys"].as_object().expect("keys") {
        keys.insert(name, record.as_str().expect("text").as_bytes());
    }
    let accepted = judge_on(NETWORK, 1_794_830_400, &raw, &keys).expect("taken");
    let expected = &vectors["cases"][0];
    assert_eq!(expected["file"], "c002.eml");
    assert_eq!(
        Some(accepted.id.to_string().as_str()),
        expected["email_id"].as_str()
    );
    assert_eq!(
        Some(accepted.from.account().to_string().as_str()),
        expected["from"]["account"].as_str()
    );
    let Request::Order {
        order: Order::Remit { to, .. },
        ..
    } = &accepted.request
    else {
        panic!("{accepted:?}");
    };
    let to = to.address().map(CanonicalAddress::as_str);
    assert_eq!(
        (accepted.from.as_str(), to),
        ("alice@mail.test", Some("bob@example.com"))
    );
    assert_eq!(accepted.dkim, Dkim::Proven);
    assert_eq!(accepted.executable_until, 1_794_823_200 + 432_000);
}

#[test]
fn accepts_orders_of_every_shape() {
    let text = outlook_like(headers(), &["REMIT 10 XAH TO <bob@mail.example>"]);
    let outlook = provider().sign(&text, Signing::Outlook).expect("a signature");
    for raw in [
        mail(&["REMIT 10 XAH"]),
        mail(&["REKEY rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5o"]),
        outlook.into_bytes(),
    ] {
        let accepted = judged(&raw).expect("taken");
        assert_eq!(
            (accepted.dkim, email_id(&accepted)),
            (Dkim::Proven, Some(accepted.id))
        );
    }
}

#[test]
fn rejects_what_cannot_qualify_with_its_class() {
    let changed = |from: &str, to: &str| {
        let text = String::from_utf8(mail(&["REMIT 10 XAH"])).expect("text");
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1).into_bytes()
    };
    let unsigned = b"From: a@mail.example\r\nDate: x\r\n\r\nREMIT 10 XAH\r\n".to_vec();
    let large = [mail(&["REMIT 10 XAH"]), vec![b'x'; 256 * 1024]].concat();
    let bulk = Headers {
        subject: "a\r\nList-Id: x",
        ..headers()
    };
    let foreign = Headers {
        from: "Eve <eve@other.example>",
        ..headers()
    };
    assert!(
        judged(&signed(bulk, &["REMIT 10 XAH"])).is_ok(),
        "an unsigned List-Id"
    );
    for (raw, expected) in [
        (large, (552, "5.3.4", "1")),
        (unsigned, (550, "5.7.20", "4.7")),
        (changed("hello\r\n", "hello\n"), (550, "5.6.0", "3.4")),
        (changed("From: Alice", "From : Alice"), (550, "5.6.0", "3.1")),
        (changed("v=1;", "v=1; l=5;"), (550, "5.7.21", "4.1")),
        (signed(foreign, &["REMIT 10 XAH"]), (550, "5.7.22", "4.2")),
        (
            changed("From: Alice <alice@", "From: Alice <alice x@"),
            (550, "5.1.7", "2.1"),
        ),
        (changed("REMIT 10", "REMIT 11"), (550, "5.7.20", "3.3")),
        (
            changed("Subject: hello", "Subject: other"),
            (550, "5.7.20", "4.5"),
        ),
        (mail(&["Hello", "REMIT 10 XAH"]), (550, "5.6.0", "5.2")),
        (mail(&["REMIT 0 XAH"]), (550, "5.6.0", "5.5")),
        (mail(&["REMIT 10 XAH TO <bob@nowhere>"]), (550, "5.1.3", "2.1")),
        (mail(&["remit 10 XAH"]), (550, "5.6.0", "5.2")),
    ] {
        assert_eq!(
            codes(judged(&raw)),
            expected,
            "{}",
            String::from_utf8_lossy(&raw[..raw.len().min(900)])
        );
    }
}

// Spec: 5.6.
#[test]
fn accepts_the_network_that_is_named() {
    let raw = mail(&["REMIT 10 XAH NET 21338"]);
    assert!(judge_on(21_338, now(), &raw, &records()).is_ok());
}

// Spec: 5.6.
#[test]
fn rejects_other_networks_with_the_line_to_write() {
    for (network, line, written) in [
        (21_338, "REMIT 10 XAH", "REMIT 10 XAH NET 21338"),
        (
            21_338,
            "REMIT 10 XAH TO <bob@mail.example>",
            "REMIT 10 XAH TO <bob@mail.example> NET 21338",
        ),
    ] {
        let rejected = judge_on(network, now(), &mail(&[line]), &records()).expect_err("a refusal");
        assert_eq!((rejected.code, rejected.rule.as_str()), (550, "5.6"));
        assert!(
            rejected.fix.ends_with(&format!(": {written}")),
            "{}",
            rejected.fix
        );
        // The line that is told works.
        assert!(
            judge_on(network, now(), &mail(&[written]), &records()).is_ok(),
            "{written}"
        );
    }
}

/// Its sender meant another network: the refusal names both, and no line that pays on this one.
// Spec: 5.6.
#[test]
fn rejects_a_network_that_is_named_with_both_numbers() {
    for (network, line) in [
        (21_338, "REMIT 10 XAH NET 21339"),
        (21_337, "REMIT 10 XAH NET 21338"),
    ] {
        let rejected = judge_on(network, now(), &mail(&[line]), &records()).expect_err("a refusal");
        assert_eq!((rejected.code, rejected.rule.as_str()), (550, "5.6"));
        let (_, named) = line.split_once("NET ").expect("a network");
        let told = [named.to_owned(), network.to_string()];
        assert!(
            told.iter().all(|number| rejected.fix.contains(number)),
            "{}",
            rejected.fix
        );
        assert!(!rejected.fix.contains("REMIT"), "{}", rejected.fix);
    }
}

fn to_relay() -> Headers<'static> {
    Headers {
        to: "Relay <Relay@RELAY.example>",
        ..headers()
    }
}

// Spec: 13.
#[test]
fn accepts_the_relay_as_receiver_where_the_line_names_it() {
    let raw = signed(to_relay(), &["REMIT 10 XAH TO <bob@mail.example>"]);
    assert!(judged(&raw).is_ok());
    let raw = mail(&["REMIT 10 XAH TO <relay@relay.example>"]);
    assert!(judged(&raw).is_ok());
}

// Spec: 13.
#[test]
fn rejects_the_relay_as_receiver_by_mistake() {
    let rejected = judged(&signed(to_relay(), &["REMIT 10 XAH NET 21337"])).expect_err("a refusal");
    assert_eq!(
        (rejected.code, rejected.enhanced, rejected.rule.as_str()),
        (550, "5.7.1", "13")
    );
    assert!(rejected.fix.contains("Cc") && rejected.fix.ends_with("REMIT 10 XAH TO <ADDRESS> NET 21337"));
}

#[test]
fn rejects_mail_in_the_relays_own_name() {
    let own = Own::new(&["alice@mail.example".to_owned()], "mx.example").expect("an address");
    let rules = Rules {
        own: &own,
        network: NETWORK,
        now: now(),
        unproven: Unproven::TurnedAway,
    };
    for line in ["REMIT 10 XAH", "BALANCE", "Taken."] {
        let Err(rejected) = judge(&mail(&[line]), &rules, &records()) else {
            panic!("{line} was taken");
        };
        assert_eq!((rejected.code, rejected.enhanced), (550, "5.4.6"), "{line}");
    }
}

fn dated(date: u64) -> Vec<u8> {
    signed(Headers { date, ..headers() }, &["REMIT 10 XAH"])
}

// Spec: 4.6. mail-auth writes t= from the system's clock, so these mails carry the signature of one without
// t=.
fn dated_without_t(date: u64) -> Vec<u8> {
    let raw = String::from_utf8(dated(date)).expect("text");
    let start = raw.find(" t=").expect("t=");
    let end = raw[start..].find(';').expect("its end") + start + 1;
    format!("{}{}", &raw[..start], &raw[end..]).into_bytes()
}

// Spec: 4.6.
#[test]
fn accepts_dates_from_five_days_ago_to_a_day_ahead() {
    for date in [now() - 432_000, now(), now() + 300, now() + 301, now() + 86_400] {
        let (raw, none) = (dated_without_t(date), TxtRecords::new());
        let accepted = judge_by(Unproven::LeftToNodes, NETWORK, now(), &raw, &none).expect("taken");
        assert_eq!(
            (accepted.dkim, accepted.executable_until),
            (Dkim::Unproven, date + 432_000),
            "{date}"
        );
    }
}

// Spec: 4.6.
#[test]
fn rejects_dates_before_and_after() {
    for date in [now() - 432_001, now() + 86_401] {
        let ruling = judge_on(NETWORK, now(), &dated_without_t(date), &TxtRecords::new());
        assert_eq!(codes(ruling), (550, "5.7.1", "4.6"), "{date}");
    }
}

#[test]
fn rejects_a_forgery_that_is_dated_ahead() {
    // Changed after signing: the window alone would let it wait.
    let ruling = judge_on(NETWORK, now(), &dated_without_t(now() + 4_000), &records());
    assert_eq!(codes(ruling), (550, "5.7.20", "4.5"));
}

// The attack: a forged copy comes first, while the key cannot be found. It must not take the true mail's
// place.
#[test]
fn a_forged_copy_has_another_id_than_the_true_mail() {
    let lines = ["REMIT 10 XAH"];
    let true_mail = mail(&lines);
    let forged = sign_as(forger(), headers(), &lines);
    let none = TxtRecords::new();
    let left_to_nodes = |raw: &[u8]| judge_by(Unproven::LeftToNodes, NETWORK, now(), raw, &none);
    let early = left_to_nodes(&forged).expect("the key cannot be found");
    let proven = judged(&true_mail).expect("taken");
    assert_eq!((early.dkim, proven.dkim), (Dkim::Unproven, Dkim::Proven));
    assert_eq!(email_id(&early), email_id(&proven), "it claims the same meaning");
    assert_ne!(early.id, proven.id);
    let unproven = left_to_nodes(&true_mail).expect("taken");
    assert_ne!(early.id, unproven.id);
    assert_eq!(codes(judged(&forged)), (550, "5.7.20", "4.5"));
}

// The attack: any signature under any From is free to write. RFC 6376 section 6.3: 451 4.7.5 where the key's
// server does not answer.
#[test]
fn rejects_what_dns_does_not_prove() {
    let raw = mail(&["REMIT 10 XAH"]);
    let ahead = dated_without_t(now() + 80_000);
    for raw in [&raw, &ahead] {
        assert_eq!(
            codes(judge_on(NETWORK, now(), raw, &TxtRecords::new())),
            (550, "5.7.20", "7.3")
        );
        let mut silent = TxtRecords::new();
        for (name, _) in provider().records() {
            silent.insert_answer(name, KeyAnswer::Unknown);
        }
        assert_eq!(
            codes(judge_on(NETWORK, now(), raw, &silent)),
            (451, "4.7.5", "7.3")
        );
    }
    let refused = judge_on(NETWORK, now(), &raw, &TxtRecords::new()).expect_err("a refusal");
    assert!(
        refused
            .reason
            .contains("s2026._domainkey.mail.example is not in DNS"),
        "{refused:?}"
    );
}

#[test]
fn accepts_questions_of_proven_senders() {
    for (line, request) in [("BALANCE", Request::Balance), ("HISTORY", Request::History)] {
        for network in [21_337, 21_338] {
            let accepted =
                judge_on(network, now(), &mail(&["", line, "", "Thanks"]), &records()).expect("taken");
            assert_eq!((&accepted.request, accepted.dkim), (&request, Dkim::Proven));
            assert_eq!(
                (accepted.line.as_str(), accepted.from.as_str()),
                (line, "alice@mail.example")
            );
        }
    }
    // Without a signed To: nothing is received.
    let text = outlook_like(to_relay(), &["BALANCE"]);
    let outlook = provider().sign(&text, Signing::Outlook).expect("a signature");
    assert!(judged(outlook.as_bytes()).is_ok());
}

#[test]
fn two_copies_of_a_question_are_one() {
    let raw = mail(&["BALANCE"]);
    let text = String::from_utf8(raw.clone()).expect("text");
    let copy = format!("Received: by x\r\n{text}").into_bytes();
    let id = |raw: &[u8]| judged(raw).expect("taken").id;
    assert_eq!(id(&raw), id(&copy));
    let later = Headers {
        date: now() - 59,
        ..headers()
    };
    for other in [mail(&["HISTORY"]), signed(later, &["BALANCE"])] {
        assert_ne!(id(&raw), id(&other));
    }
}

#[test]
fn rejects_questions_of_anybody_else() {
    let forged = sign_as(forger(), headers(), &["BALANCE"]);
    assert_eq!(codes(judged(&forged)), (550, "5.7.20", "4.5"));
    let raw = mail(&["BALANCE"]);
    let ruling = judge_on(NETWORK, now(), &raw, &TxtRecords::new());
    assert_eq!(codes(ruling), (550, "5.7.20", "7.3"));
    let mut silent = TxtRecords::new();
    for (name, _) in provider().records() {
        silent.insert_answer(name, KeyAnswer::Unknown);
    }
    assert_eq!(
        codes(judge_on(NETWORK, now(), &raw, &silent)),
        (451, "4.7.5", "7.3")
    );
    // Nor is it put off forever, where its key is never found.
    for keys in [&records(), &silent, &TxtRecords::new()] {
        let old = judge_on(NETWORK, now() + 440_000, &raw, keys);
        assert_eq!(codes(old), (550, "5.7.1", "4.6"));
    }
    for line in ["balance", "BALANCE now", "BALANCE NET 21337", "BALANCES"] {
        assert_eq!(codes(judged(&mail(&[line]))), (550, "5.6.0", "5.2"), "{line}");
    }
}

#[test]
fn replies_are_short_lines_of_ascii_with_reason_and_fix() {
    let trace = crate::mail::TraceId::of([7; 10]);
    let rejected = judged(&mail(&["Hello"])).expect_err("a refusal");
    let reply = rejected.reply(&trace);
    assert_eq!((reply.code, reply.enhanced, reply.lines.len()), (550, "5.6.0", 2));
    assert!(reply.lines[0].contains("rule 5.2") && reply.lines[0].contains(&trace.to_string()));
    assert!(reply.lines[1].contains("very first line"));
    let long = "REMIT 10 XAH TO <".to_owned() + &"x".repeat(64) + "@" + &"y.".repeat(100) + "example>";
    let rejected = judge_on(21_338, now(), &mail(&[&long]), &records()).expect_err("a refusal");
    for line in rejected.reply(&trace).lines {
        assert!(line.len() < 400 && line.bytes().all(|b| b == b' ' || b.is_ascii_graphic()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    // Any bytes: a ruling, and a reply that can be sent.
    #[test]
    fn junk_never_panics(
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        end in any::<prop::sample::Index>(),
    ) {
        let mut raw = testing::mail(&["REMIT 10 XAH"]);
        for (at, byte) in cuts {
            let at = at.index(raw.len());
            raw[at] = byte;
        }
        raw.truncate(end.index(raw.len()) + 1);
        if let Err(rejected) = judged(&raw) {
            let reply = rejected.reply(&crate::mail::TraceId::of([0; 10]));
            prop_assert!(!reply.lines.is_empty());
            prop_assert!((400..600).contains(&reply.code));
        }
    }
}

/// A case of the attack set: its mail, its keys, and what is expected of it.
fn case(folder: &std::path::Path) -> Option<(Vec<u8>, TxtRecords, serde_json::Value)> {
    let json = |file: &str| -> Option<serde_json::Value> {
        let text = std::fs::read(folder.join(file)).ok()?;
        Some(serde_json::from_slice(&text).expect("JSON"))
    };
    let mut keys = TxtRecords::new();
    for (name, records) in json("keys.json")?.as_object().expect("a table") {
        // Each character of a record is one byte.
        let bytes = |record: &serde_json::Value| -> Vec<u8> {
            let text = record.as_str().expect("a record").chars();
            text.map(|c| u8::try_from(u32::from(c)).expect("a byte"))
                .collect()
        };
        match records.as_array().expect("a list").as_slice() {
            [] => keys.insert_answer(name, KeyAnswer::Absent),
            [record] => keys.insert(name, &bytes(record)),
            _ => keys.insert_answer(name, KeyAnswer::Unusable(KeyRecordError::Several)),
        }
    }
    let mail = std::fs::read(folder.join("email.eml")).expect("a mail");
    Some((mail, keys, json("expect.json")?))
}

/// One verdict, over the whole attack set: the relay takes what qualifies and refuses the rest with the same
/// rule. Its own two rules are that no payment goes to its own address by mistake, and that a mail dated less
/// than a day ahead waits.
// Spec: 13, 4.6.
#[test]
fn accepts_and_rejects_the_attack_set_as_the_verifier_does() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/cases");
    let mut taken = 0;
    for entry in std::fs::read_dir(folder).expect("the cases") {
        let path = entry.expect("an entry").path();
        let Some((mail, keys, expect)) = case(&path) else {
            continue;
        };
        let network = u32::try_from(expect["network_id"].as_u64().expect("a network")).expect("32 bits");
        let at = expect["at"].as_u64().expect("a time");
        let name = path.display();
        match judge_on(network, at, &mail, &keys) {
            Ok(_) => {
                let env = ExplainEnv {
                    network_id: network,
                    now: CloseTime::from_unix(at).expect("a time"),
                    keys: &keys,
                };
                let refusal = explain(&mail, &env).refusal;
                let is_early = refusal.is_some_and(|refusal| is_early(&refusal));
                assert!(expect["qualifies"] == "yes" || is_early, "{name}: taken");
                taken += 1;
            }
            Err(rejected) if rejected.rule == Rule::R13 => assert_eq!(expect["qualifies"], "yes", "{name}"),
            Err(rejected) => {
                assert_ne!(expect["qualifies"], "yes", "{name}: {}", rejected.reason);
                assert_eq!(
                    expect["rule"],
                    rejected.rule.as_str(),
                    "{name}: {}",
                    rejected.reason
                );
            }
        }
    }
    assert!(taken >= 330, "{taken}");
}

/// Everybody's first try: a mail to oneself, with the relay in Cc; and a REKEY to the own account.
// Spec: 2.5.
#[test]
fn accepts_others_and_rejects_the_senders_own_account() {
    let own = parse_sender("alice@mail.example").expect("an address").account();
    for (line, code) in [
        ("REMIT 10 XAH TO <alice@mail.example>".to_owned(), "5.1.3"),
        (format!("REMIT 10 XAH TO {own}"), "5.1.3"),
        (format!("REKEY {own}"), "5.1.3"),
    ] {
        assert_eq!(codes(judged(&mail(&[&line]))), (550, code, "2.5"), "{line}");
    }
    assert!(judged(&mail(&["REMIT 10 XAH TO <alicia@mail.example>"])).is_ok());
}
