//! A node for tests: a clock that stands still, mails and keys of the vectors, sources of keys that
//! misbehave.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use amendment::KeyName;
use codec::{AccountId, CloseTime, Hash256, LedgerIndex, Object};
use dns::{Answer, KeyResolver, KeyTable, Lookup, Published};
use node::{Fund, Node, NodeConfig, StartError};
use rpc::RpcError;
use rpc::api::{
    EmailAnswer, LedgerChoice, MailState, Node as _, Peer, Role, SubmitEmail, SubmitMode, TxAnswer, TxKey,
};
use serde_json::Value;

/// The network and the time of the vectors.
pub(crate) const NETWORK: u32 = 21_337;
pub(crate) const CLOCK: u32 = 848_145_600;

pub(crate) const ALICE: &str = "rfbRDkaJNbLnpGc5941gkNEBcshX1Z198z";
pub(crate) const BOB: &str = "rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5o";

fn vectors_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/vectors/mail")
}

/// A mail of the vectors.
pub(crate) fn vector_mail(name: &str) -> Vec<u8> {
    std::fs::read(vectors_folder().join(name)).expect("a mail of the vectors")
}

/// The keys of the vectors.
pub(crate) fn vector_keys() -> KeyTable {
    let text = std::fs::read_to_string(vectors_folder().join("vectors.json")).expect("the vectors");
    let vectors: Value = serde_json::from_str(&text).expect("JSON");
    let keys = vectors["keys"].as_object().expect("keys");
    let records: Vec<(&str, &str)> = keys
        .iter()
        .filter_map(|(name, record)| Some((name.as_str(), record.as_str()?)))
        .collect();
    KeyTable::from_records(&records)
}

/// A source of keys whose answers a test can change, and which counts the questions.
#[derive(Clone)]
pub(crate) struct Keys {
    source: Arc<Mutex<Source>>,
    asked: Arc<AtomicUsize>,
}

#[derive(Clone)]
pub(crate) enum Source {
    Table(KeyTable),
    Always(Answer<Published>),
}

impl Keys {
    pub(crate) fn new(source: Source) -> Self {
        Self {
            source: Arc::new(Mutex::new(source)),
            asked: Arc::new(AtomicUsize::new(0)),
        }
    }

    pub(crate) fn vectors() -> Self {
        Self::new(Source::Table(vector_keys()))
    }

    pub(crate) fn change(&self, source: Source) {
        *self.source.lock().expect("unpoisoned") = source;
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl KeyResolver for Keys {
    fn look_up<'a>(&'a self, name: &'a KeyName) -> Lookup<'a> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        assert!(name.dns_name().contains("._domainkey."));
        let source = self.source.lock().expect("unpoisoned").clone();
        Box::pin(async move {
            match source {
                Source::Table(table) => table.look_up(name).await,
                Source::Always(answer) => answer,
            }
        })
    }
}

/// A node with its folder, its clock and its source of keys.
pub(crate) struct World {
    pub node: Node,
    pub clock: Arc<AtomicU32>,
    pub folder: tempfile::TempDir,
    pub keys: Arc<dyn KeyResolver>,
}

pub(crate) fn config(folder: &Path) -> NodeConfig {
    let funds = [format!("{ALICE}=1000")]
        .iter()
        .map(|text| Fund::parse(text).expect("a fund"))
        .collect();
    NodeConfig {
        funds,
        ..NodeConfig::new(folder.to_owned(), NETWORK)
    }
}

pub(crate) fn start_in(
    folder: &Path,
    clock: &Arc<AtomicU32>,
    keys: Arc<dyn KeyResolver>,
) -> Result<Node, StartError> {
    start_as(&config(folder), clock, keys)
}

pub(crate) fn start_as(
    config: &NodeConfig,
    clock: &Arc<AtomicU32>,
    keys: Arc<dyn KeyResolver>,
) -> Result<Node, StartError> {
    let hand = Arc::clone(clock);
    let now = move || CloseTime::new(hand.load(Ordering::SeqCst));
    Node::start(config, Arc::new(now), keys, tokio::runtime::Handle::current())
}

impl World {
    pub(crate) fn new(keys: impl KeyResolver + 'static) -> Self {
        Self::with(keys, |_| {})
    }

    /// A node with other choices than the usual ones.
    pub(crate) fn with(keys: impl KeyResolver + 'static, choose: impl FnOnce(&mut NodeConfig)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(AtomicU32::new(CLOCK));
        let keys: Arc<dyn KeyResolver> = Arc::new(keys);
        let mut config = config(folder.path());
        choose(&mut config);
        let node = start_as(&config, &clock, Arc::clone(&keys)).expect("starts");
        Self {
            node,
            clock,
            folder,
            keys,
        }
    }

    /// Stop the node and start it again on the same folder.
    pub(crate) async fn restart(self, keys: impl KeyResolver + 'static) -> Self {
        let Self {
            node, clock, folder, ..
        } = self;
        drop(node);
        let keys: Arc<dyn KeyResolver> = Arc::new(keys);
        // A look-up that is just ending holds the last handle a moment longer.
        let node = loop {
            match start_in(folder.path(), &clock, Arc::clone(&keys)) {
                Err(StartError::InUse { .. }) => tokio::task::yield_now().await,
                other => break other.expect("starts again"),
            }
        };
        Self {
            node,
            clock,
            folder,
            keys,
        }
    }

    pub(crate) fn pass(&self, secs: u32) {
        self.clock.fetch_add(secs, Ordering::SeqCst);
    }

    /// Ask the node on a thread that may block, as the server does.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Node) -> T + Send + 'static,
    ) -> T {
        let node = self.node.clone();
        tokio::task::spawn_blocking(move || question(&node))
            .await
            .expect("no panic")
    }

    pub(crate) async fn send_from(
        &self,
        mail: Vec<u8>,
        mode: SubmitMode,
        peer: Peer,
    ) -> Result<EmailAnswer, RpcError> {
        self.ask(move |node| node.submit_email(SubmitEmail { mail, mode }, &peer))
            .await
    }

    pub(crate) async fn send(&self, mail: Vec<u8>) -> EmailAnswer {
        self.send_from(mail, SubmitMode::Submit, operator())
            .await
            .expect("an answer")
    }

    pub(crate) async fn dry_run(&self, mail: Vec<u8>) -> EmailAnswer {
        self.send_from(mail, SubmitMode::DryRun, operator())
            .await
            .expect("an answer")
    }

    /// Close a ledger four seconds later.
    pub(crate) async fn close(&self) -> LedgerIndex {
        self.pass(4);
        self.ask(|node| node.accept_ledger()).await.expect("closed")
    }

    pub(crate) async fn tx(&self, key: TxKey) -> Result<TxAnswer, RpcError> {
        self.ask(move |node| node.transaction(key)).await
    }

    pub(crate) async fn state_of(&self, answer: &EmailAnswer) -> Option<MailState> {
        let id = answer.explanation.email_id.expect("an EmailID").hash();
        self.tx(TxKey::Email(id))
            .await
            .ok()?
            .mail
            .map(|(_, status)| status.state)
    }

    pub(crate) async fn root(&self, address: &str) -> Option<Object> {
        let account = AccountId::parse_classic(address).expect("an address");
        self.ask(move |node| node.account(account, LedgerChoice::Validated))
            .await
            .ok()
            .map(|answer| answer.root)
    }

    pub(crate) async fn balance(&self, address: &str) -> i64 {
        match self
            .root(address)
            .await
            .and_then(|root| root.amount(codec::sf::BALANCE))
        {
            Some(codec::Amount::Native(drops)) => drops,
            _ => 0,
        }
    }

    pub(crate) async fn tip(&self) -> (LedgerIndex, Hash256) {
        let server = self.ask(|node| node.server()).await.expect("an answer");
        (server.validated.index, server.validated.hash)
    }
}

pub(crate) fn operator() -> Peer {
    Peer::new("127.0.0.1".parse().expect("an address"), Role::Admin)
}

pub(crate) fn stranger() -> Peer {
    Peer::new("192.0.2.7".parse().expect("an address"), Role::Guest)
}
