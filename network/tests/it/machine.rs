//! A machine without threads: a chain, a disk that remembers what was committed, and a DNS that may lie.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use amendment::KeyName;
use amendment::key_record::PublishedKey;
use chain::commit::{Change, MailChange, PendingMail, PendingTx, SettledState, TxChange};
use chain::peers::Peer;
use chain::votes::Votes;
use chain::{
    Chain, ChainConfig, Effect, Event, KeyFinding, MailMode, MailRequest, OnRetry, ProposalFault,
    ProposalRules, ReadMail, Reply, RequestId, Stored, TxRequest,
};
use codec::keys::{KeyPair, PublicKey};
use codec::{AccountId, Amount, CloseTime, Hash256, Object, flags, format::TxType, sf};
use ledger::dkim::{Attestation, KeyDelays};
use ledger::genesis::EmailAmendment;
use ledger::votes::SignedVote;
use ledger::{Closed, GenesisConfig, Ledger, OpenLedger, Transaction};
use network::{Machine, Submission, Taken, Talker};
use node::NotFinal;
use tokio::sync::broadcast::{Receiver, Sender};

/// The network and the time of the vectors.
pub(crate) const NETWORK: u32 = 21_337;
pub(crate) const CLOCK: u32 = 848_145_600;

pub(crate) const ALICE: &str = "rfbRDkaJNbLnpGc5941gkNEBcshX1Z198z";
pub(crate) const BOB: &str = "rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5o";

/// The seed of the genesis account, public as in xahaud.
const GENESIS_SEED: &str = "snoPBrXtMeMyMHUVTgbuqAfg1SUTb";

const RULES: ProposalRules = ProposalRules {
    network_id: NETWORK,
    majority_secs: 432_000,
    bytes_max: 1024 * 1024,
    epochs: None,
};

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/vectors/mail")
}

/// A mail of the vectors.
pub(crate) fn vector_mail(name: &str) -> Vec<u8> {
    std::fs::read(vectors().join(name)).expect("a mail of the vectors")
}

/// The records of the vectors, by name.
pub(crate) fn records() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(vectors().join("vectors.json")).expect("the vectors");
    let vectors: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let keys = vectors["keys"].as_object().expect("an object");
    let texts = keys
        .iter()
        .filter_map(|(name, record)| Some((name.clone(), record.as_str()?.to_owned())));
    texts.collect()
}

/// Key of a validator.
pub(crate) fn validator(number: u8) -> KeyPair {
    KeyPair::ed25519([number; 16])
}

/// A payment of the genesis account.
pub(crate) fn payment(to: &str, sequence: u32, drops: i64) -> Transaction {
    let key = KeyPair::from_seed(GENESIS_SEED).expect("a seed");
    let mut tx = Object::new()
        .with(sf::TRANSACTION_TYPE, TxType::Payment.code())
        .with(sf::NETWORK_ID, NETWORK)
        .with(sf::FLAGS, flags::TF_FULLY_CANONICAL_SIG)
        .with(sf::SEQUENCE, sequence)
        .with(sf::AMOUNT, Amount::Native(drops))
        .with(sf::FEE, Amount::Native(10_000))
        .with(sf::SIGNING_PUB_KEY, key.public_key().as_bytes().to_vec())
        .with(sf::ACCOUNT, key.account())
        .with(sf::DESTINATION, AccountId::parse_classic(to).expect("an address"));
    let signature = key.sign(&codec::tx::signing_bytes(&tx));
    tx.set(sf::TXN_SIGNATURE, signature);
    Transaction::from_object(&tx).expect("a payment")
}

/// The first ledger of a network of so many validators, in which ALICE has 1,000 XAH.
pub(crate) fn first_ledger(validators: u8) -> Ledger {
    let keys = (1..=validators).map(|number| validator(number).public_key());
    let genesis = Ledger::genesis(&GenesisConfig {
        network_id: NETWORK,
        validators: keys.collect(),
        email: EmailAmendment::Enabled,
        close_time: CloseTime::new(CLOCK),
        key_delays: KeyDelays::NONE,
    });
    let mut open = OpenLedger::new(&genesis);
    let paid = open.submit(&payment(ALICE, 1, 1_000_000_000)).expect("submitted");
    assert!(paid.applied, "{:?}", paid.ter);
    ledger::close(&genesis, open.accepted().iter().cloned(), CloseTime::new(CLOCK)).ledger
}

/// What is on a machine's disk, and what it has seen.
#[derive(Clone)]
pub(crate) struct Disk {
    pub ledger: Ledger,
    mails: BTreeMap<Hash256, PendingMail>,
    transactions: BTreeMap<Hash256, PendingTx>,
    /// Hash of each ledger.
    pub hashes: BTreeMap<u32, Hash256>,
    /// In which ledger each EmailID was validated.
    pub validated: BTreeMap<Hash256, u32>,
}

impl Disk {
    pub(crate) fn new(ledger: Ledger) -> Self {
        Self {
            hashes: BTreeMap::from([(ledger.index().get(), ledger.hash())]),
            ledger,
            mails: BTreeMap::new(),
            transactions: BTreeMap::new(),
            validated: BTreeMap::new(),
        }
    }

    fn write(&mut self, change: &Change) {
        match change {
            Change::Ledger(commit) => {
                let before = self.hashes.insert(commit.index, commit.hash);
                assert_eq!(before, None, "ledger {} a second time", commit.index);
                commit.mails.iter().for_each(|mail| self.write_mail(mail));
            }
            Change::Mail(mail) => self.write_mail(mail),
            Change::Transaction(TxChange::Keep { id, tx }) => {
                self.transactions.insert(*id, tx.clone());
            }
            Change::Transaction(TxChange::Forget { id }) => {
                self.transactions.remove(id);
            }
            Change::Vote { .. } | Change::List(_) => {}
        }
    }

    fn write_mail(&mut self, change: &MailChange) {
        match change {
            MailChange::Keep { mail_id, mail } => {
                self.mails.insert(*mail_id, mail.clone());
            }
            MailChange::Forget { mail_id } => {
                self.mails.remove(mail_id);
            }
            MailChange::Settle { email_id, settled } => {
                if let SettledState::Validated { ledger_index } = settled.state {
                    let before = self.validated.insert(*email_id, ledger_index.get());
                    assert_eq!(before, None, "a mail is executed a second time");
                }
            }
        }
    }
}

/// What is wrong with a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Its DNS gives every name another one's record.
    FalseDns,
    /// It makes other ledgers of the same blocks.
    FalseLedgers,
}

pub(crate) struct SimMachine {
    inner: Mutex<Inner>,
    now: Box<dyn Fn() -> CloseTime + Send + Sync>,
    key: KeyPair,
    fault: Fault,
    arrivals: Sender<(Hash256, Submission)>,
}

struct Inner {
    chain: Chain,
    disk: Disk,
    records: Arc<BTreeMap<String, String>>,
    requests: u64,
}

impl SimMachine {
    /// Starts with what is on the disk.
    pub(crate) fn new(
        number: u8,
        disk: Disk,
        records: Arc<BTreeMap<String, String>>,
        fault: Fault,
        now: impl Fn() -> CloseTime + Send + Sync + 'static,
    ) -> Self {
        let key = validator(number);
        let config = ChainConfig {
            network_id: NETWORK,
            key: key.clone(),
            history_ledgers: None,
            majority_secs: RULES.majority_secs,
        };
        let mut mails: Vec<_> = disk.mails.iter().map(|(id, mail)| (*id, mail.clone())).collect();
        mails.sort_by_key(|(_, mail)| mail.order);
        let stored = Stored {
            ledger: disk.ledger.clone(),
            mails,
            transactions: disk
                .transactions
                .iter()
                .map(|(id, tx)| (*id, tx.clone()))
                .collect(),
            votes: Votes::default(),
        };
        let machine = Self {
            inner: Mutex::new(Inner {
                chain: Chain::new(config, stored),
                disk,
                records,
                requests: 0,
            }),
            now: Box::new(now),
            key,
            fault,
            arrivals: Sender::new(1_024),
        };
        machine.ask(|request| Event::LookUp { request });
        machine
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no test panicked with it")
    }

    pub(crate) fn disk(&self) -> Disk {
        self.lock().disk.clone()
    }

    /// Gives the chain an event, and carries out all that it wants done; answers what it said.
    fn ask(&self, event: impl FnOnce(RequestId) -> Event) -> Option<Reply> {
        let (mut inner, now) = (self.lock(), (self.now)());
        inner.requests += 1;
        let own = RequestId::new(inner.requests);
        let (mut events, mut answer) = (VecDeque::from([event(own)]), None);
        while let Some(event) = events.pop_front() {
            for effect in inner.chain.handle(event, now) {
                match effect {
                    Effect::Commit(changes) => {
                        changes.iter().for_each(|change| inner.disk.write(change));
                        events.push_back(Event::Committed(Ok(())));
                    }
                    Effect::LookUp(name) => {
                        let finding = self.finding(&inner.records, &name);
                        events.push_back(Event::Answer { name, finding });
                    }
                    Effect::Tell { request, reply } if request == own => answer = Some(reply),
                    Effect::Tell { .. } | Effect::Log(_) => {}
                }
            }
            inner.disk.ledger = inner.chain.shown().ledger.clone();
        }
        answer
    }

    fn finding(&self, records: &BTreeMap<String, String>, name: &KeyName) -> KeyFinding {
        let is_other = |(other, _): &(&String, &String)| **other != name.dns_name();
        let record = match self.fault {
            Fault::FalseDns => records.iter().find(is_other).map(|(_, record)| record),
            Fault::None | Fault::FalseLedgers => records.get(&name.dns_name()),
        };
        match record {
            None => KeyFinding::Absent,
            Some(record) => {
                let parsed = PublishedKey::parse(record.as_bytes().to_vec());
                parsed.map_or(KeyFinding::Unusable, KeyFinding::Usable)
            }
        }
    }
}

impl Machine for SimMachine {
    fn now(&self) -> CloseTime {
        (self.now)()
    }

    fn last(&self) -> Ledger {
        self.lock().chain.shown().ledger.clone()
    }

    fn has_work(&self) -> bool {
        self.lock().chain.shown().has_work()
    }

    fn propose(&self, parent: &Ledger, close_time: CloseTime) -> Closed {
        self.lock().chain.shown().propose(parent, RULES, close_time)
    }

    fn verify(
        &self,
        parent: &Ledger,
        transactions: Vec<Transaction>,
        close_time: CloseTime,
    ) -> Result<Closed, ProposalFault> {
        let state = Arc::clone(self.lock().chain.shown());
        let wrong = u32::from(self.fault == Fault::FalseLedgers && state.ledger.index().get() > 5);
        let close_time = CloseTime::new(close_time.seconds() + wrong);
        state.verify(parent, transactions, RULES, close_time)
    }

    fn finalized(&self, closed: Closed) -> Result<(), NotFinal> {
        let closed = Box::new(closed);
        match self.ask(|request| Event::Close { request, closed }) {
            Some(Reply::Closed { .. }) => Ok(()),
            other => panic!("a final ledger is refused: {other:?}"),
        }
    }
}

impl Talker for SimMachine {
    fn words(&self) -> Vec<Attestation> {
        self.lock().chain.shown().words_of(&self.key.public_key())
    }

    fn hear(&self, attestation: Attestation) {
        self.ask(|_| Event::Attestation(attestation));
    }

    fn ballot(&self) -> Option<SignedVote> {
        self.lock().chain.shown().vote_of(&self.key.public_key())
    }

    fn hear_ballot(&self, vote: SignedVote) {
        self.ask(|_| Event::Ballot(vote));
    }

    fn pending(&self) -> Vec<(Hash256, Submission)> {
        let state = Arc::clone(self.lock().chain.shown());
        network::pending_of(&state)
    }

    fn arrivals(&self) -> Receiver<(Hash256, Submission)> {
        self.arrivals.subscribe()
    }

    fn submit(&self, from: PublicKey, submissions: Vec<Submission>) -> Vec<Taken> {
        let peer = Peer::Node(from);
        submissions
            .into_iter()
            .map(|submission| self.submit_one(submission, peer))
            .collect()
    }
}

impl SimMachine {
    /// What a client hands in here.
    pub(crate) fn hand_in(&self, submission: Submission) {
        let before: BTreeSet<Hash256> = self.pending().into_iter().map(|(id, _)| id).collect();
        self.submit_one(submission, Peer::Operator);
        for (id, submission) in self.pending() {
            if !before.contains(&id) {
                // Where the engine does not run yet, nobody listens.
                let _ = self.arrivals.send((id, submission));
            }
        }
    }

    fn submit_one(&self, submission: Submission, peer: Peer) -> Taken {
        let reply = match submission {
            Submission::Mail(raw) => {
                let mail = ReadMail::new(&raw, &self.last(), NETWORK);
                let mode = MailMode::Submit;
                self.ask(|request| {
                    Event::Mail(Box::new(MailRequest {
                        request,
                        peer,
                        mode,
                        mail,
                    }))
                })
            }
            Submission::Transaction(blob) => {
                let tx = Transaction::parse(&blob).expect("a transaction");
                let on_retry = OnRetry::Hold;
                self.ask(|request| {
                    Event::Transaction(TxRequest {
                        request,
                        peer,
                        tx,
                        on_retry,
                    })
                })
            }
        };
        reply.as_ref().map_or(Taken::NotNow, Taken::of)
    }
}
