//! What one 10 KB mail costs the handler: limits, key, verifier, entry, and a queue in memory, so that no
//! disk is in it. The last line is `letter NAME MICROSECONDS`, the best of several rounds over distinct
//! mails.

use std::sync::Arc;
use std::time::Instant;

use relay::clock::Clock;
use relay::config::Config;
use relay::intake::accept::Intake;
use relay::intake::handler::MailHandler;
use relay::mail::{Channel, IncomingMail, Peer, TraceId};
use relay::queue::Queue;
use testkit::mail::{self, Headers};
use testkit::provider::{Provider, Signing};

const LETTERS: u64 = 500;
const ROUNDS: usize = 9;
const MAIL_BYTES: usize = 10_240;

fn mails(provider: &Provider, now: u64) -> Vec<IncomingMail> {
    let filler = "Some words of a long mail, which nobody reads but the hash.".to_owned();
    let lines: Vec<&str> = ["REMIT 10 XAH", ""]
        .into_iter()
        .chain(std::iter::repeat_n(filler.as_str(), MAIL_BYTES / 62))
        .collect();
    (0..LETTERS)
        .map(|number| {
            let headers = Headers {
                from: "Alice <alice@mail.example>",
                to: "Bob <bob@mail.example>",
                subject: "hello",
                date: now - number,
            };
            let raw = provider
                .sign(&mail::plain(headers, &lines), Signing::Gmail)
                .expect("a signature");
            IncomingMail {
                trace: TraceId::fresh(),
                peer: Peer {
                    channel: Channel::Smtp,
                    ip: Some(std::net::Ipv4Addr::new(192, 0, 2, 7).into()),
                    helo: "client.example".to_owned(),
                    tls: None,
                },
                reverse_path: Some("alice@mail.example".to_owned()),
                recipients: vec!["relay@relay.example".to_owned()],
                raw: raw.into_bytes(),
            }
        })
        .collect()
}

fn main() {
    let provider = Provider::new("mail.example").expect("keys");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys.json");
    std::fs::write(&path, provider.keys_json()).expect("a file");
    let config: Config = toml::from_str(&format!(
        "addresses = [\"relay@relay.example\"]\nhostname = \"mx.relay.example\"\nnodes = []\ndata = {:?}\n\
         [dns]\nkeys = {path:?}\n[limits]\nletters_per_address_hour = 1000000",
        folder.path(),
    ))
    .expect("a configuration");
    let now = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .expect("a clock")
        .as_secs();
    let mails = mails(&provider, now);
    let bytes = mails.iter().map(|incoming| incoming.raw.len()).max().unwrap_or(0);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let clock: Clock = Arc::new(move || now);
        let intake = Intake::open(&config, Queue::in_memory(), clock).expect("an intake");
        let round = mails.clone();
        let start = Instant::now();
        let taken = runtime.block_on(async {
            let mut taken = 0;
            for incoming in round {
                taken += u64::from(intake.take(incoming).await.is_yes());
            }
            taken
        });
        let micros = start.elapsed().as_secs_f64() * 1e6;
        assert_eq!(taken, LETTERS);
        best = best.min(micros / LETTERS as f64);
    }
    println!("{LETTERS} letters of at most {bytes} bytes, best of {ROUNDS} rounds");
    println!("letter take {best:.1}");
}
