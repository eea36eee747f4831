//! kill -9 of the relay 0 to 50 ms after a request, at every step of a mail's life: while it is taken,
//! submitted, validated, answered. No mail that got its 250 is lost, no payment is made twice, nobody is
//! answered twice.

use crate::support::{CommitWatch, NodeProcess, RelayProcess};
use rpc::Client;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use testkit::mail::{self, Headers};
use testkit::provider::{Provider, Signing, pem};

/// Kills in an ordinary run; `XAHAU_EMAIL_LONG` makes it more.
const KILLS: u64 = 50;
const KILLS_LONG: u64 = 1_000;
/// Longest time from request to kill, milliseconds.
const KILL_MILLIS_MAX: u64 = 50;
/// Mails that are offered before each kill, most.
const MAILS_PER_KILL: u64 = 4;
/// Senders: each may have 64 live mails.
const SENDERS: u64 = 200;
/// Longest wait for all mails to be validated at the end, seconds.
const END_SECS_MAX: u64 = 300;

/// A mail that was offered.
struct Offered {
    text: String,
    drops: u64,
    has_250: bool,
}

/// Message-IDs of the answers that the smarthost took.
type Answers = Arc<Mutex<BTreeMap<String, u32>>>;

struct Set {
    folder: tempfile::TempDir,
    provider: Provider,
    node: NodeProcess,
    answers: Answers,
    config: PathBuf,
    now: u64,
}

impl Set {
    fn new() -> Set {
        let folder = tempfile::tempdir().expect("folder");
        let provider = Provider::new("mail.example").expect("keys");
        let keys = folder.path().join("keys.json");
        std::fs::write(&keys, provider.keys_json()).expect("written");
        let node = start_node(&folder.path().join("node"), &keys);
        let answers = Answers::default();
        let smarthost = smarthost(Arc::clone(&answers));
        let config = folder.path().join("relay.toml");
        let (data, key) = (folder.path().join("relay"), folder.path().join("dkim.pem"));
        std::fs::write(&key, answer_key()).expect("written");
        let text = format!(
            "addresses = [\"relay@relay.example\"]\nhostname = \"mx.relay.example\"\ndata = {data:?}\nnetwork = 21337\n\
             nodes = [\"{}\"]\n[smtp]\nlisten = [\"127.0.0.1:0\"]\n[dns]\nkeys = {keys:?}\n[limits]\n\
             letters_per_address_hour = 0\n[answers]\nhost = \"127.0.0.1\"\nport = {smarthost}\nprotection = \"none\"\n\
             from = \"relay@relay.example\"\ndkim_selector = \"r\"\ndkim_key = {key:?}\nper_address_day = 100000\n",
            node.url
        );
        std::fs::write(&config, text).expect("written");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("clock");
        Set {
            folder,
            provider,
            node,
            answers,
            config,
            now: now.as_secs(),
        }
    }

    fn relay(&self) -> (RelayProcess, CommitWatch) {
        let mut relay = RelayProcess::start_with(&self.config, Stdio::piped(), "warn,relay=trace");
        let watch = CommitWatch::follow(relay.child.stderr.take().expect("standard error"));
        (relay, watch)
    }

    /// Mail number `number`: each has an amount of its own, so that the sum tells which were paid, and how
    /// often.
    fn mail(&self, number: u64) -> Offered {
        let drops = 1_000_000 + number;
        let from = format!("u{}@mail.example", number % SENDERS);
        let headers = Headers {
            from: &from,
            to: "Bob <bob@friends.example>",
            subject: &format!("kill {number}"),
            date: self.now - 1_000,
        };
        let line = format!("REMIT {}.{:06} XAH", drops / 1_000_000, drops % 1_000_000);
        let unsigned = mail::plain(headers, &[&line, ""]);
        Offered {
            text: self.provider.sign(&unsigned, Signing::Gmail).expect("signed"),
            drops,
            has_250: false,
        }
    }
}

fn start_node(data: &Path, keys: &Path) -> NodeProcess {
    let mut arguments = vec![
        "--keys".to_owned(),
        keys.to_str().expect("path").to_owned(),
        "--network".to_owned(),
        "21337".to_owned(),
        "--close-secs".to_owned(),
        "0".to_owned(),
    ];
    for sender in 0..SENDERS {
        arguments.extend(["--fund".to_owned(), format!("u{sender}@mail.example=10000")]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    NodeProcess::start(data, &arguments)
}

/// A fresh Ed25519 key for the answers, PEM.
fn answer_key() -> String {
    let key = mail_auth::common::crypto::Ed25519Key::generate_pkcs8().expect("key");
    pem(&key)
}

/// A server that takes every mail and counts it by its Message-ID. Gives its port.
fn smarthost(answers: Answers) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let port = listener.local_addr().expect("address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let answers = Arc::clone(&answers);
            // A relay that was killed breaks its connection; that ends the thread.
            std::thread::spawn(move || drop(serve_answers(stream, &answers)));
        }
    });
    port
}

fn serve_answers(stream: TcpStream, answers: &Answers) -> std::io::Result<()> {
    let mut out = stream.try_clone()?;
    out.write_all(b"220 smarthost.example\r\n")?;
    let (mut in_data, mut message_id) = (false, String::new());
    for line in BufReader::new(stream).lines() {
        let line = line?;
        let reply: &[u8] = match (in_data, line.split(' ').next().unwrap_or_default()) {
            (true, ".") => {
                in_data = false;
                let mut answers = answers.lock().expect("lock");
                *answers.entry(std::mem::take(&mut message_id)).or_default() += 1;
                b"250 2.0.0 taken\r\n"
            }
            (true, _) => {
                if let Some(id) = line.strip_prefix("Message-ID: ") {
                    message_id = id.to_owned();
                }
                continue;
            }
            (false, "EHLO") => b"250-smarthost.example\r\n250 8BITMIME\r\n",
            (false, "DATA") => {
                in_data = true;
                b"354 go on\r\n"
            }
            (false, "QUIT") => return out.write_all(b"221 bye\r\n"),
            (false, _) => b"250 2.0.0 ok\r\n",
        };
        out.write_all(reply)?;
    }
    Ok(())
}

/// Offers mails one after the other until the relay dies; notes which got their 250, and in `begun` how many
/// were begun.
fn offer(smtp: &str, mails: &mut [Offered], begun: &AtomicU64) -> std::io::Result<()> {
    let mut out = TcpStream::connect(smtp)?;
    let mut lines = BufReader::new(out.try_clone()?).lines();
    let mut reply = |code: &str| -> std::io::Result<()> {
        for line in &mut lines {
            let line = line?;
            if line.as_bytes().get(3) == Some(&b'-') {
                continue;
            }
            assert!(line.starts_with(code), "expected {code}: {line}");
            return Ok(());
        }
        Err(std::io::ErrorKind::UnexpectedEof.into())
    };
    reply("220")?;
    out.write_all(b"EHLO test.example\r\n")?;
    reply("250")?;
    for mail in mails {
        out.write_all(b"MAIL FROM:<u@mail.example>\r\nRCPT TO:<relay@relay.example>\r\nDATA\r\n")?;
        begun.fetch_add(1, Ordering::SeqCst);
        for code in ["250", "250", "354"] {
            reply(code)?;
        }
        out.write_all(format!("{}.\r\n", mail.text.replace("\r\n.", "\r\n..")).as_bytes())?;
        reply("250")?;
        mail.has_250 = true;
    }
    Ok(())
}

async fn request(client: &mut Client, method: &str, params: Value) -> Value {
    let Value::Object(params) = params else {
        panic!("parameters are an object")
    };
    client.request(method, params).await.expect(method)
}

/// Deterministic numbers, so that a failing run can be repeated.
fn next_random(state: &mut u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// Half of the kills waits for a commit to begin; the others come after a random time.
fn wait_for_the_moment(watch: &CommitWatch, random: u64) {
    let started = Instant::now();
    let waits_for_commit = random.is_multiple_of(2);
    let limit = Duration::from_millis(random / 2 % (KILL_MILLIS_MAX + 1));
    let limit = if waits_for_commit {
        Duration::from_millis(KILL_MILLIS_MAX)
    } else {
        limit
    };
    while started.elapsed() < limit {
        if waits_for_commit && watch.inside.load(Ordering::SeqCst) {
            return;
        }
        std::thread::yield_now();
    }
}

#[test]
fn no_mail_with_its_250_is_lost_and_none_is_paid_twice() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("runtime");
    runtime.block_on(kill_again_and_again());
}

#[expect(clippy::too_many_lines, reason = "one run, told in order")]
async fn kill_again_and_again() {
    let kills = if std::env::var_os("XAHAU_EMAIL_LONG").is_some() {
        KILLS_LONG
    } else {
        KILLS
    };
    let set = Set::new();
    let mut client = Client::connect(&set.node.url).await.expect("connects");
    let (mut all, mut random, mut inside) = (Vec::new(), 2_026u64, 0u64);
    for number in 0..kills {
        let (relay, watch) = set.relay();
        // Every third kill falls into what follows a ledger (validated, answered), the others into taking
        // mails.
        let offering = if number % 3 == 2 {
            request(&mut client, "ledger_accept", json!({})).await;
            None
        } else {
            let mut mails: Vec<Offered> = (0..MAILS_PER_KILL)
                .map(|at| set.mail(number * MAILS_PER_KILL + at))
                .collect();
            let (smtp, begun) = (relay.smtp.clone(), Arc::new(AtomicU64::new(0)));
            let counter = Arc::clone(&begun);
            let offering = std::thread::spawn(move || {
                // The relay dies in the middle: the last mails get no reply, and that is noted.
                let _ = offer(&smtp, &mut mails, &counter);
                mails
            });
            // The request after which the kill comes is that of any of the mails.
            let wanted = next_random(&mut random) % MAILS_PER_KILL + 1;
            while begun.load(Ordering::SeqCst) < wanted && !offering.is_finished() {
                std::thread::yield_now();
            }
            Some(offering)
        };
        wait_for_the_moment(&watch, next_random(&mut random));
        relay.kill();
        inside += u64::from(watch.end());
        if let Some(offering) = offering {
            all.extend(offering.join().expect("offering"));
        }
    }
    let (relay, watch) = set.relay();
    let paid = all_paid(&mut client, &all).await;
    let bob = request(
        &mut client,
        "account_info",
        json!({ "account": bob(), "ledger_index": "validated" }),
    )
    .await;
    let balance: u64 = bob["account_data"]["Balance"]
        .as_str()
        .expect("balance")
        .parse()
        .expect("drops");
    // The reserve of a new account comes on top of the first payment.
    assert_eq!(
        balance,
        paid + 1_000_000,
        "what Bob has is not what was paid once each"
    );
    relay.kill();
    watch.end();
    let (taken, answers) = (
        all.iter().filter(|mail| mail.has_250).count(),
        set.answers.lock().expect("lock").clone(),
    );
    println!(
        "kills {kills}, inside a commit {inside}, mails offered {}, with 250 {taken}, answers {}",
        all.len(),
        answers.len()
    );
    let twice: Vec<_> = answers.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "answered twice: {twice:?}");
    assert!(
        inside * 5 >= kills,
        "only {inside} of {kills} kills fell inside a commit"
    );
    assert!(
        taken as u64 > kills / 2,
        "hardly any mail was taken: the kills came too early"
    );
    assert!(!answers.is_empty(), "no answer was sent");
    drop(set.folder);
}

fn bob() -> String {
    let address = amendment::address::Address::parse(b"bob@friends.example").expect("address");
    let recipient = amendment::address::recipient_of(&address).expect("recipient");
    recipient.account().to_string()
}

/// Closes ledgers until every mail that got its 250 is validated; gives the sum of all that were paid, drops.
async fn all_paid(client: &mut Client, all: &[Offered]) -> u64 {
    let deadline = Instant::now() + Duration::from_secs(END_SECS_MAX);
    loop {
        request(client, "ledger_accept", json!({})).await;
        let (mut paid, mut open) = (0, 0);
        for mail in all {
            let answer = request(
                client,
                "submit_email",
                json!({ "email": mail.text, "dry_run": true }),
            )
            .await;
            match answer["state"].as_str() {
                Some("validated") => paid += mail.drops,
                Some(_) => open += 1,
                None => open += u64::from(mail.has_250),
            }
        }
        if open == 0 {
            return paid;
        }
        assert!(
            Instant::now() < deadline,
            "{open} mails that got their 250 are not validated"
        );
    }
}
