use super::testing::{self, forger, headers, mail, now, provider, sign_as, signed};
use super::*;
use crate::intake::handler::MailHandler;
use crate::limits::{KEY_AGAIN_SECS_MIN, KEY_REST_SECS, POSTMASTER_MAILS_MAX};
use crate::mail::TraceId;
use amendment::Order;
use amendment::address::CanonicalAddress;
use codec::{Amount, Drops};

use crate::queue::{EntryView, Filter, Kind, MailId, State};
use amendment::KeyName;
use dns::{Answer, KeyResolver, KeyTable, Lookup, Published};
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use testkit::dns::Responder;
use testkit::mail::Headers;
use testkit::provider::Provider;

/// An intake with a folder, a clock to set, and a keys file.
struct Bench {
    intake: Intake,
    queue: Queue,
    time: Arc<AtomicU64>,
    folder: tempfile::TempDir,
}

fn bench(more: &str) -> Bench {
    let folder = tempfile::tempdir().expect("a folder");
    let keys: serde_json::Map<String, serde_json::Value> = provider()
        .records()
        .iter()
        .map(|(name, record)| (name.clone(), record.clone().into()))
        .collect();
    let path = folder.path().join("keys.json");
    std::fs::write(&path, serde_json::Value::from(keys).to_string()).expect("a file");
    let text = format!(
        "addresses = [\"relay@relay.example\"]\nhostname = \"mx.relay.example\"\nnodes = []\ndata = {:?}\n\
         [dns]\nkeys = {path:?}\n{more}",
        folder.path(),
    );
    let config: Config = toml::from_str(&text).expect("a configuration");
    let queue = Queue::in_memory();
    let time = Arc::new(AtomicU64::new(now()));
    let clock: Clock = {
        let time = Arc::clone(&time);
        Arc::new(move || time.load(Ordering::SeqCst))
    };
    let intake = Intake::open(&config, queue.clone(), clock).expect("an intake");
    Bench {
        intake,
        queue,
        time,
        folder,
    }
}

fn peer(ip: &str) -> Peer {
    Peer {
        channel: Channel::Smtp,
        ip: Some(ip.parse().expect("an address")),
        helo: "client.example".to_owned(),
        tls: None,
    }
}

fn incoming(raw: Vec<u8>) -> IncomingMail {
    IncomingMail {
        trace: TraceId::fresh(),
        peer: peer("192.0.2.7"),
        reverse_path: Some("alice@mail.example".to_owned()),
        recipients: vec!["relay@relay.example".to_owned()],
        raw,
    }
}

impl Bench {
    async fn take(&self, raw: Vec<u8>) -> Reply {
        self.intake.take(incoming(raw)).await
    }

    fn entries(&self) -> Vec<Entry> {
        self.queue.list(&Filter::default()).expect("entries")
    }

    fn later(&self, secs: u64) {
        self.time.fetch_add(secs, Ordering::SeqCst);
    }
}

/// Gives the answers of another provider until it is told otherwise, and allows them to be kept.
struct Changing {
    is_changed: Arc<AtomicBool>,
    before: Answer<Published>,
}

impl KeyResolver for Changing {
    fn look_up<'a>(&'a self, name: &'a KeyName) -> Lookup<'a> {
        let answer = if self.is_changed.load(Ordering::SeqCst) {
            let table = testing::table();
            table.answer(name).map(|published| Published {
                ttl_secs: 3_600,
                ..published
            })
        } else {
            self.before.clone()
        };
        Box::pin(std::future::ready(answer))
    }
}

fn rsa_key(of: &Provider) -> Answer<Published> {
    let record = &of.records()[0].1;
    Answer::of_records(vec![record.as_bytes().to_vec()], 3_600)
}

fn changing(bench: &mut Bench, before: Answer<Published>) -> Arc<AtomicBool> {
    let is_changed = Arc::new(AtomicBool::new(false));
    bench.intake.keys = Keys::new(Box::new(Changing {
        is_changed: Arc::clone(&is_changed),
        before,
    }));
    is_changed
}

#[tokio::test]
async fn accepts_an_order_and_knows_all_of_it() {
    let bench = bench("");
    let raw = mail(&["REMIT 10 XAH"]);
    let incoming = incoming(raw.clone());
    let reply = bench.intake.take(incoming.clone()).await;
    assert_eq!((reply.code, reply.enhanced), (250, "2.0.0"));
    assert!(reply.lines[0].contains(&incoming.trace.to_string()));
    let entry = bench.entries().remove(0);
    assert_eq!(bench.queue.mail(entry.id), Ok(Some(raw.clone())));
    let Some(Order::Remit { amount, to }) = entry.order() else {
        panic!("{entry:?}");
    };
    assert_eq!(*amount, Amount::from_drops(Drops::new(10_000_000)));
    assert_eq!(
        to.address().map(CanonicalAddress::as_str),
        Some("bob@mail.example")
    );
    let entry = EntryView::from(&entry);
    assert_eq!(Some(entry.id), entry.email_id);
    assert_eq!(
        (entry.kind, entry.state, entry.dkim),
        (Kind::Order, State::Received, Dkim::Proven)
    );
    assert_eq!(
        (entry.from.as_str(), entry.to.as_deref()),
        ("alice@mail.example", Some("bob@mail.example"))
    );
    assert_eq!(
        (entry.instruction.as_str(), entry.amount.as_deref()),
        ("REMIT 10 XAH", Some("10 XAH"))
    );
    assert_eq!((entry.received_at, entry.next_try), (now(), now()));
    assert_eq!(entry.executable_until, now() - 60 + 432_000);
    assert!(entry.may_answer && entry.message_id.ends_with("@mail.example"));
    assert_eq!((entry.bytes, entry.trace), (raw.len() as u64, incoming.trace));
}

#[tokio::test]
async fn accepts_a_second_copy_without_a_second_entry() {
    let bench = bench("");
    let first = incoming(mail(&["REMIT 10 XAH"]));
    let name = first.trace.to_string();
    let copy = [b"Received: by another.example\r\n".to_vec(), first.raw.clone()].concat();
    assert!(bench.intake.take(first).await.is_yes());
    let reply = bench.take(copy).await;
    assert!(reply.is_yes() && reply.lines[0].contains(&name), "{reply:?}");
    assert_eq!(bench.entries().len(), 1);
}

#[tokio::test]
async fn rejects_without_keeping_anything() {
    let bench = bench("");
    for raw in [
        mail(&["Hello"]),
        Vec::new(),
        b"\r\n".to_vec(),
        sign_as(forger(), headers(), &["REMIT 10 XAH"]),
    ] {
        let reply = bench.take(raw).await;
        assert_eq!(reply.code, 550, "{reply:?}");
    }
    assert!(bench.entries().is_empty());
}

// The attack: a forgery that claims the same meaning arrives first, while DNS is silent.
#[tokio::test]
async fn a_forged_copy_does_not_take_the_true_mails_place() {
    let mut bench = bench("");
    let dns_is_back = changing(&mut bench, Answer::Failed("down".to_owned()));
    bench.intake.unproven = Unproven::LeftToNodes;
    let forged = sign_as(forger(), headers(), &["REMIT 10 XAH"]);
    assert!(bench.take(forged.clone()).await.is_yes());
    dns_is_back.store(true, Ordering::SeqCst);
    bench.later(KEY_REST_SECS);
    let raw = mail(&["REMIT 10 XAH"]);
    let reply = bench.take(raw.clone()).await;
    assert!(reply.lines[0].starts_with("Taken as"), "{reply:?}");
    let entries = bench.entries();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0].email_id(), entries[1].email_id());
    let proven: Vec<&Entry> = entries
        .iter()
        .filter(|entry| entry.dkim == Dkim::Proven)
        .collect();
    assert_eq!(bench.queue.mail(proven[0].id), Ok(Some(raw)));
    assert_eq!(bench.take(forged).await.code, 550);
}

#[tokio::test]
async fn accepts_a_mail_under_a_key_that_was_changed_meanwhile() {
    let mut bench = bench("");
    let is_changed = changing(&mut bench, rsa_key(forger()));
    assert!(
        bench
            .take(sign_as(forger(), headers(), &["REMIT 10 XAH"]))
            .await
            .is_yes()
    );
    is_changed.store(true, Ordering::SeqCst);
    bench.later(KEY_AGAIN_SECS_MIN);
    let reply = bench.take(mail(&["REMIT 11 XAH"])).await;
    assert!(reply.is_yes(), "{reply:?}");
    assert_eq!(
        bench
            .take(sign_as(forger(), headers(), &["REMIT 12 XAH"]))
            .await
            .code,
        550
    );
}

/// Breaks over each name.
struct Breaking;

impl KeyResolver for Breaking {
    fn look_up<'a>(&'a self, name: &'a KeyName) -> Lookup<'a> {
        panic!("{}", name.domain());
    }
}

#[tokio::test]
async fn a_letter_that_breaks_the_work_is_put_off_and_breaks_nothing_else() {
    let mut bench = bench("");
    let keys = std::mem::replace(&mut bench.intake.keys, Keys::new(Box::new(Breaking)));
    let reply = bench.take(mail(&["REMIT 1 XAH"])).await;
    assert_eq!((reply.code, reply.enhanced), (451, "4.3.0"));
    bench.intake.keys = keys;
    assert!(bench.take(mail(&["REMIT 1 XAH"])).await.is_yes());
}

#[tokio::test]
async fn accepts_questions_and_answers_nobody_behind_a_robot() {
    let bench = bench("");
    assert!(bench.take(mail(&["BALANCE"])).await.is_yes());
    let robot = [b"Auto-Submitted: auto-generated\r\n".to_vec(), mail(&["HISTORY"])].concat();
    assert!(bench.take(robot).await.is_yes());
    let mut bounced = incoming(mail(&["REMIT 10 XAH"]));
    bounced.reverse_path = Some(String::new());
    assert!(bench.intake.take(bounced).await.is_yes());
    let answers: Vec<_> = bench
        .entries()
        .into_iter()
        .map(|entry| (EntryView::from(&entry).kind, entry.may_answer))
        .collect();
    assert_eq!(answers.len(), 3);
    for expected in [
        (Kind::Balance, true),
        (Kind::History, false),
        (Kind::Order, false),
    ] {
        assert!(answers.contains(&expected), "{expected:?}");
    }
}

#[tokio::test]
async fn rejects_letters_over_the_limits_for_a_while() {
    let bench = bench("[limits]\nletters_per_address_hour = 2");
    let order = |amount: u32| mail(&[&format!("REMIT {amount} XAH")]);
    assert!(bench.take(order(1)).await.is_yes());
    assert!(bench.take(order(2)).await.is_yes());
    assert!(
        bench
            .intake
            .check_sender(&peer("192.0.2.7"), "ALICE@mail.example")
            .is_err()
    );
    let reply = bench.take(order(3)).await;
    assert_eq!((reply.code, reply.enhanced), (451, "4.7.1"));
    assert!(reply.lines[0].ends_with("Try again in 30 minutes."), "{reply:?}");
    // By another path it is still the same sender, and DKIM proves it.
    let mut other = incoming(order(3));
    other.reverse_path = Some("bounces@mail.example".to_owned());
    assert_eq!(bench.intake.take(other.clone()).await.code, 451);
    // A stranger's words do not use up her allowance.
    let carol = Headers {
        from: "Carol <carol@mail.example>",
        ..headers()
    };
    other.raw = signed(carol, &["REMIT 3 XAH"]);
    assert!(bench.intake.take(other).await.is_yes());
    bench.later(1_800);
    assert!(bench.take(order(3)).await.is_yes());
}

// The attack: a stranger who has seen one of her mails sends copies of it, so that her next mail is over the
// limit.
#[tokio::test]
async fn copies_by_strangers_do_not_use_up_a_senders_hour() {
    let bench = bench("[limits]\nletters_per_address_hour = 2");
    assert!(bench.take(mail(&["REMIT 1 XAH"])).await.is_yes());
    for host in 1..9 {
        let mut copy = incoming(mail(&["REMIT 1 XAH"]));
        copy.peer = peer(&format!("198.51.{host}.1"));
        copy.reverse_path = Some(format!("stranger{host}@elsewhere.example"));
        assert!(bench.intake.take(copy).await.is_yes());
    }
    assert!(bench.take(mail(&["REMIT 2 XAH"])).await.is_yes());
    assert_eq!(bench.entries().len(), 2);
}

#[tokio::test]
async fn rejects_networks_over_their_limit_at_every_step() {
    let bench = bench("[limits]\nletters_per_network_hour = 1");
    let client = peer("192.0.2.99");
    assert_eq!(bench.intake.check_peer(&client), Ok(()));
    assert_eq!(bench.take(mail(&["Hello"])).await.code, 550);
    let turned = bench.intake.check_peer(&client).expect_err("over the limit");
    assert_eq!((turned.code, turned.enhanced), (421, "4.7.1"));
    assert_eq!(bench.take(mail(&["REMIT 10 XAH"])).await.code, 451);
    let mut local = incoming(mail(&["REMIT 10 XAH"]));
    local.peer = peer("::1");
    assert!(bench.intake.take(local).await.is_yes());
}

#[tokio::test]
async fn accepts_mail_to_the_postmaster_into_a_folder() {
    let bench = bench("");
    let mut complaint = incoming(b"From: x@y.example\r\n\r\nHello\r\n".to_vec());
    complaint.recipients = vec!["Postmaster@relay.example".to_owned()];
    assert_eq!(
        bench
            .intake
            .check_recipient(&complaint.peer, &complaint.recipients[0]),
        Ok(())
    );
    assert!(bench.intake.take(complaint.clone()).await.is_yes());
    assert!(bench.entries().is_empty());
    let new = bench.folder.path().join("postmaster/new");
    let files: Vec<_> = std::fs::read_dir(&new).expect("a folder").collect();
    assert_eq!(files.len(), 1);
    let kept = std::fs::read_to_string(files[0].as_ref().expect("a file").path()).expect("text");
    assert_eq!(
        kept,
        "Return-Path: <alice@mail.example>\r\nFrom: x@y.example\r\n\r\nHello\r\n"
    );
    for number in 1..POSTMASTER_MAILS_MAX {
        std::fs::write(new.join(number.to_string()), "").expect("a file");
    }
    let full = bench.intake.take(complaint.clone()).await;
    assert_eq!((full.code, full.enhanced), (452, "4.2.2"));
    std::fs::remove_file(new.join("1")).expect("a file");
    complaint.recipients.push("relay@relay.example".to_owned());
    complaint.raw = mail(&["REMIT 10 XAH"]);
    complaint.trace = TraceId::fresh();
    assert!(bench.intake.take(complaint).await.is_yes());
    assert_eq!(bench.entries().len(), 1);
}

#[tokio::test]
async fn a_letter_that_is_put_off_leaves_the_postmaster_no_copy() {
    let bench = bench("[limits]\nletters_per_address_hour = 1");
    assert!(bench.take(mail(&["REMIT 1 XAH"])).await.is_yes());
    let mut both = incoming(mail(&["REMIT 2 XAH"]));
    both.peer = peer("198.51.100.1");
    both.recipients.push("postmaster".to_owned());
    assert_eq!(bench.intake.take(both.clone()).await.code, 451);
    let new = bench.folder.path().join("postmaster/new");
    assert!(!new.exists());
    bench.later(3_600);
    assert!(bench.intake.take(both).await.is_yes());
    assert_eq!(std::fs::read_dir(new).expect("a folder").count(), 1);
}

// The queue needs the last room of the disk: without it, it could not even write what became of its mails.
#[tokio::test]
async fn rejects_mail_to_the_postmaster_on_a_disk_that_is_nearly_full() {
    let mut bench = bench("");
    let limits = crate::config::QueueConfig {
        free_mib_min: u64::MAX,
        ..crate::config::QueueConfig::default()
    };
    let data = bench.folder.path().join("queue");
    bench.intake.queue = Queue::open(&data, &limits, Arc::new(now)).expect("a queue");
    let mut complaint = incoming(b"From: x@y.example\r\n\r\nHello\r\n".to_vec());
    complaint.recipients = vec!["postmaster".to_owned()];
    let full = bench.intake.take(complaint).await;
    assert_eq!((full.code, full.enhanced), (452, "4.3.1"));
    let full = bench.take(mail(&["REMIT 10 XAH"])).await;
    assert_eq!((full.code, full.enhanced), (452, "4.3.1"));
    assert!(!bench.folder.path().join("postmaster").exists());
}

// Results: RFC 7208 (ip4, -all), RFC 7489 (p=reject, aligned), RFC 8617 (no set).
#[tokio::test]
async fn policies_are_noted_after_the_reply() {
    let mut records: Vec<(String, String)> = provider().records().to_vec();
    records.push((
        "mail.example".to_owned(),
        "v=spf1 ip4:192.0.2.0/24 -all".to_owned(),
    ));
    records.push(("_dmarc.mail.example".to_owned(), "v=DMARC1; p=reject".to_owned()));
    let responder = Responder::start(&records).await.expect("a socket");
    let mut bench = bench("");
    let patience = Duration::from_secs(LOOKUP_SECS_MAX);
    let resolver = dns::Resolver::at(responder.address(), patience).expect("a resolver");
    bench.intake.auth = Some(Auth::new(&resolver, "mx.relay.example"));
    bench.intake.keys = Keys::new(Box::new(resolver));
    for (ip, spf) in [
        ("192.0.2.7", "pass"),
        ("198.51.100.7", "fail"),
        ("127.0.0.1", "none"),
    ] {
        let mut incoming = incoming(mail(&[&format!("REMIT 1 XAH TO <{spf}@mail.example>")]));
        incoming.peer = peer(ip);
        let mut changes = bench.queue.changes();
        assert!(bench.intake.take(incoming.clone()).await.is_yes());
        let results = loop {
            let of_letter = |entry: &Entry| entry.trace == incoming.trace;
            let entry = bench.entries().into_iter().find(of_letter).expect("an entry");
            match entry.auth_results {
                Some(results) => break results,
                None => changes.changed().await.expect("a queue"),
            }
        };
        assert!(results.starts_with(&format!("spf={spf}")), "{ip}: {results}");
        assert!(
            results.ends_with("; dmarc=pass policy=reject domain=mail.example; arc=none"),
            "{ip}: {results}"
        );
    }
}

#[test]
fn rejects_a_configuration_that_cannot_work() {
    for (addresses, dns) in [
        ("[\"relay\"]", ""),
        ("[\"relay@relay.example\"]", "server = \"nowhere\""),
        ("[\"relay@relay.example\"]", "keys = \"/nonexistent/keys.json\""),
    ] {
        let text = format!(
            "addresses = {addresses}\nhostname = \"mx\"\nnodes = []\ndata = \"/nonexistent\"\n[dns]\n{dns}"
        );
        let config: Config = toml::from_str(&text).expect("a configuration");
        assert!(
            Intake::open(&config, Queue::in_memory(), Arc::new(|| 0)).is_err(),
            "{text}"
        );
    }
}

#[tokio::test]
async fn rejects_for_now_while_the_clock_is_wrong() {
    let bench = bench("");
    bench.time.store(0, Ordering::SeqCst);
    assert_eq!(bench.take(mail(&["REMIT 10 XAH"])).await.code, 451);
}

// The attack: mails with a signature that is noise, under names that DNS does not know or is silent about.
#[tokio::test]
async fn what_dns_does_not_prove_takes_no_room() {
    let mut bench = bench("");
    bench.intake.keys = Keys::new(Box::new(KeyTable::default()));
    let refuted = bench.take(mail(&["REMIT 10 XAH"])).await;
    assert_eq!((refuted.code, refuted.enhanced), (550, "5.7.20"), "{refuted:?}");
    let dns_is_back = changing(&mut bench, Answer::Failed("down".to_owned()));
    let held_back = bench.take(mail(&["REMIT 10 XAH"])).await;
    assert_eq!(
        (held_back.code, held_back.enhanced),
        (451, "4.7.5"),
        "{held_back:?}"
    );
    assert!(bench.entries().is_empty());
    dns_is_back.store(true, Ordering::SeqCst);
    bench.later(KEY_REST_SECS);
    assert!(bench.take(mail(&["REMIT 10 XAH"])).await.is_yes());
}

#[tokio::test]
async fn unproven_mail_is_kept_under_its_own_bytes() {
    let mut bench = bench("");
    bench.intake.keys = Keys::new(Box::new(KeyTable::default()));
    bench.intake.unproven = Unproven::LeftToNodes;
    let raw = mail(&["REMIT 10 XAH"]);
    assert!(bench.take(raw.clone()).await.is_yes());
    assert!(bench.take(raw).await.lines[0].contains("already"));
    let ids: Vec<MailId> = bench.entries().into_iter().map(|entry| entry.id).collect();
    assert_eq!(ids.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn junk_never_panics(
        recipient in "\\PC{0,40}",
        reverse_path in "\\PC{0,40}",
        header in "([A-Za-z-]{1,12}:[ -~\\r\\n\\t]{0,60}\\r\\n){0,8}",
        body in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let bench = bench("");
        let mut incoming = incoming([header.into_bytes(), b"\r\n".to_vec(), body].concat());
        let _ = bench.intake.check_sender(&incoming.peer, &reverse_path);
        let _ = bench.intake.check_recipient(&incoming.peer, &recipient);
        incoming.reverse_path = Some(reverse_path);
        incoming.recipients = vec![recipient];
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let reply = runtime.block_on(bench.intake.take(incoming));
        prop_assert!(!reply.is_yes());
    }
}
