//! A scripted day: what a node with a fixed key, clock and keys file answers to every mail of the vectors,
//! and the hash of each ledger that it closes.
//!
//! `fixtures/day/expected.json` was recorded from the program before the node was split into `chain` and its
//! host (version 0.1.0). It changes only with a rule of the ledger, or of what a node keeps; docs/deviations.md
//! then says which.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use amendment::KeyName;
use codec::AccountId;
use dns::{KeyResolver, KeyTable, Lookup};
use node::{Fund, NodeConfig};
use rpc::api::{MailState, Node as _, SubmitMode};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::world::{World, operator, vector_keys, vector_mail};

const EXPECTED: &str = "../fixtures/day/expected.json";
/// Mails between two closes.
const MAILS_PER_LEDGER: usize = 5;
/// Seconds from one close to the next.
const CLOSE_SECS: u32 = 4;
/// Seconds that pass between the mails and the quiet end of the day: keys are due for renewal then.
const NIGHT_SECS: u32 = 13 * 3_600;

/// How long the script waits for what other threads of the node do at once. Nothing else depends on real time.
const SETTLE: Duration = Duration::from_millis(200);

/// The keys of the vectors, from a DNS that answers while its gate is open. The time of an answer goes into
/// the ledger, so the script says when answers come: before the next mail, or during the close.
struct GatedKeys {
    table: KeyTable,
    gate: watch::Receiver<bool>,
    pending: Arc<AtomicUsize>,
}

impl KeyResolver for GatedKeys {
    fn look_up<'a>(&'a self, name: &'a KeyName) -> Lookup<'a> {
        self.pending.fetch_add(1, Ordering::SeqCst);
        let mut gate = self.gate.clone();
        Box::pin(async move {
            gate.wait_for(|open| *open).await.expect("the script goes on");
            self.pending.fetch_sub(1, Ordering::SeqCst);
            self.table.look_up(name).await
        })
    }
}

/// Names of the vectors' mails, in order.
fn mails() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/vectors/mail");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("the vectors")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .filter(|name| name.ends_with(".eml"))
        .collect();
    names.sort();
    names
}

/// Money for everyone who sends.
fn funds() -> Vec<Fund> {
    let text = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/vectors/mail/vectors.json"),
    );
    let vectors: Value = serde_json::from_str(&text.expect("the vectors")).expect("JSON");
    let mut accounts: Vec<&str> = vectors["cases"]
        .as_array()
        .expect("cases")
        .iter()
        .filter_map(|case| case["from"]["account"].as_str())
        .collect();
    accounts.sort_unstable();
    accounts.dedup();
    assert!(accounts.len() > 1, "the vectors name their senders");
    accounts
        .iter()
        .inspect(|account| {
            AccountId::parse_classic(account).expect("an address");
        })
        .map(|account| Fund::parse(&format!("{account}=1000")).expect("a fund"))
        .collect()
}

fn with_fixed_key(config: &mut NodeConfig) {
    let key = config.data.join("validator.key");
    std::fs::write(&key, "000102030405060708090a0b0c0d0e0f\n").expect("written");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).expect("a mode");
    config.funds = funds();
}

struct Day {
    world: World,
    gate: watch::Sender<bool>,
    pending: Arc<AtomicUsize>,
    ledgers: Vec<Value>,
    answers: Vec<Value>,
}

impl Day {
    async fn close(&mut self) {
        self.world.pass(CLOSE_SECS);
        self.gate.send_replace(true);
        let closed = self.world.ask(|node| node.accept_ledger()).await;
        closed.expect("closed");
        self.settle().await;
        self.gate.send_replace(false);
        let (index, hash) = self.world.tip().await;
        self.ledgers.push(json!([index.get(), hash.to_string()]));
    }

    /// Let DNS answer all that was asked, at the time that the clock shows.
    async fn answer(&self) {
        self.gate.send_replace(true);
        self.settle().await;
        self.gate.send_replace(false);
    }

    async fn settle(&self) {
        tokio::time::sleep(SETTLE).await;
        while self.pending.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(SETTLE).await;
        }
    }

    async fn send(&mut self, name: &str, mode: SubmitMode) -> Option<MailState> {
        let answer = self.world.send_from(vector_mail(name), mode, operator()).await;
        let answer = answer.expect("an answer");
        let state = answer.status.map(|status| status.state);
        self.answers.push(json!([
            name,
            format!("{mode:?}"),
            answer.engine.token(),
            state.map(|state| format!("{state:?}")),
            answer.not_kept.map(|reason| format!("{reason:?}")),
            answer.wrapped.map(|wrapped| wrapped.hash.to_string()),
            answer.explanation.email_id.map(|id| id.hash().to_string()),
        ]));
        state
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_scripted_day_with_the_recorded_answers_and_hashes() {
    let (gate, opened) = watch::channel(false);
    let pending = Arc::new(AtomicUsize::new(0));
    let keys = GatedKeys {
        table: vector_keys(),
        gate: opened,
        pending: Arc::clone(&pending),
    };
    let mut day = Day {
        world: World::with(keys, with_fixed_key),
        gate,
        pending,
        ledgers: Vec::new(),
        answers: Vec::new(),
    };
    let mails = mails();
    for round in 0..2 {
        for some in mails.chunks(MAILS_PER_LEDGER) {
            for (at, name) in some.iter().enumerate() {
                if round == 0 {
                    day.send(name, SubmitMode::DryRun).await;
                }
                let state = day.send(name, SubmitMode::Submit).await;
                if state == Some(MailState::Kept) && at + 1 < some.len() {
                    day.answer().await;
                }
            }
            day.close().await;
        }
        day.world.pass(NIGHT_SECS);
        day.close().await;
        day.close().await;
    }
    let fees = day.world.ask(|node| node.fee()).await.expect("an answer");
    let found = json!({
        "answers": day.answers,
        "ledgers": day.ledgers,
        "base_fee": fees.base_fee.get(),
    });
    let found = serde_json::to_string_pretty(&found).expect("JSON") + "\n";
    let expected = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(EXPECTED));
    let expected = expected.unwrap_or_default();
    if found != expected {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("day.json");
        std::fs::write(&path, &found).expect("written");
        let differing = found.lines().zip(expected.lines()).position(|(a, b)| a != b);
        panic!(
            "the day differs from line {:?} on; what was found lies in {}",
            differing.map(|line| line + 1),
            path.display()
        );
    }
}
