//! Drives a chain by hand: a commit lasts until the test says what became of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use amendment::KeyName;
use amendment::key_record::PublishedKey;
use chain::commit::{Change, MailChange, Settled, TxChange};
use chain::peers::Peer;
use chain::votes::Votes;
use chain::{
    Chain, ChainConfig, CommitFailure, Effect, Event, Fact, KeyFinding, MailMode, MailReply, MailRequest,
    ReadMail, Refusal, Reply, RequestId, Stored, Wishes,
};
use codec::keys::KeyPair;
use codec::{AccountId, Amount, CloseTime, Object, flags, format::TxType, sf};
use ledger::dkim::{Answer, KeyDelays};
use ledger::genesis::EmailAmendment;
use ledger::{Closed, GenesisConfig, Ledger, OpenLedger, Transaction};
use serde_json::Value;

/// The network and the time of the vectors.
pub(crate) const NETWORK: u32 = 21_337;
pub(crate) const CLOCK: u32 = 848_145_600;

pub(crate) const ALICE: &str = "rfbRDkaJNbLnpGc5941gkNEBcshX1Z198z";
pub(crate) const BOB: &str = "rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5o";

/// The seed of the genesis account, public as in xahaud.
pub(crate) const GENESIS_SEED: &str = "snoPBrXtMeMyMHUVTgbuqAfg1SUTb";

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/vectors/mail")
}

/// A mail of the vectors.
pub(crate) fn vector_mail(name: &str) -> Vec<u8> {
    std::fs::read(vectors().join(name)).expect("a mail of the vectors")
}

/// The record of a name of the vectors.
pub(crate) fn record(name: &KeyName) -> Answer {
    let text = std::fs::read_to_string(vectors().join("vectors.json")).expect("the vectors");
    let vectors: Value = serde_json::from_str(&text).expect("JSON");
    match vectors["keys"][name.dns_name()].as_str() {
        Some(record) => Answer::Record(record.as_bytes().to_vec()),
        None => Answer::Absent,
    }
}

/// What DNS says about a name of the vectors.
pub(crate) fn finding(name: &KeyName) -> KeyFinding {
    match record(name) {
        Answer::Record(text) => PublishedKey::parse(text).map_or(KeyFinding::Unusable, KeyFinding::Usable),
        Answer::Unusable => KeyFinding::Unusable,
        Answer::Absent => KeyFinding::Absent,
    }
}

pub(crate) fn validator(number: u8) -> KeyPair {
    KeyPair::ed25519([number; 16])
}

/// A payment of the genesis account.
pub(crate) fn payment(to: &str, sequence: u32, drops: i64) -> Transaction {
    changed_payment(to, sequence, drops, |tx| tx)
}

/// The same, changed before it is signed.
pub(crate) fn changed_payment(
    to: &str,
    sequence: u32,
    drops: i64,
    change: impl FnOnce(Object) -> Object,
) -> Transaction {
    let key = KeyPair::from_seed(GENESIS_SEED).expect("a seed");
    let tx = Object::new()
        .with(sf::TRANSACTION_TYPE, TxType::Payment.code())
        .with(sf::NETWORK_ID, NETWORK)
        .with(sf::FLAGS, flags::TF_FULLY_CANONICAL_SIG)
        .with(sf::SEQUENCE, sequence)
        .with(sf::AMOUNT, Amount::Native(drops))
        .with(sf::FEE, Amount::Native(10_000))
        .with(sf::SIGNING_PUB_KEY, key.public_key().as_bytes().to_vec())
        .with(sf::ACCOUNT, key.account())
        .with(sf::DESTINATION, AccountId::parse_classic(to).expect("an address"));
    let mut tx = change(tx);
    let signature = key.sign(&codec::tx::signing_bytes(&tx));
    tx.set(sf::TXN_SIGNATURE, signature);
    Transaction::from_object(&tx).expect("a payment")
}

/// A ledger of so many validators, in which ALICE has 1,000 XAH.
pub(crate) fn first_ledger(validators: u8) -> Ledger {
    ledger_of(validators, CLOCK)
}

/// The same, closed at another time.
pub(crate) fn ledger_of(validators: u8, closed: u32) -> Ledger {
    let keys = (1..=validators).map(|number| validator(number).public_key());
    let genesis = Ledger::genesis(&GenesisConfig {
        network_id: NETWORK,
        validators: keys.collect(),
        email: EmailAmendment::Enabled,
        close_time: CloseTime::new(closed),
        key_delays: KeyDelays::NONE,
    });
    let mut open = OpenLedger::new(&genesis);
    let paid = open.submit(&payment(ALICE, 1, 1_000_000_000)).expect("submitted");
    assert!(paid.applied, "{:?}", paid.ter);
    ledger::close(&genesis, open.accepted().iter().cloned(), CloseTime::new(closed)).ledger
}

/// A chain, and what it wanted done.
pub(crate) struct Driver {
    pub chain: Chain,
    pub now: u32,
    /// The commit under way.
    pub under_way: Option<Vec<Change>>,
    /// All changes that reached the disk.
    pub disk: Vec<Change>,
    pub looked_up: Vec<KeyName>,
    pub facts: Vec<Fact>,
    told: BTreeMap<RequestId, Reply>,
    requests: u64,
}

impl Driver {
    /// Validator 1 of so many.
    pub(crate) fn new(validators: u8) -> Self {
        Self::on(first_ledger(validators))
    }

    pub(crate) fn on(ledger: Ledger) -> Self {
        Self::with(Stored {
            ledger,
            mails: Vec::new(),
            transactions: Vec::new(),
            votes: Votes::default(),
            wishes: Wishes::new(),
        })
    }

    fn with(stored: Stored) -> Self {
        let config = ChainConfig {
            network_id: NETWORK,
            key: validator(1),
            history_ledgers: None,
            majority_secs: 0,
        };
        Self {
            chain: Chain::new(config, stored),
            now: CLOCK,
            under_way: None,
            disk: Vec::new(),
            looked_up: Vec::new(),
            facts: Vec::new(),
            told: BTreeMap::new(),
            requests: 0,
        }
    }

    /// A new chain on what has reached the disk, as after a kill. Its first turn is over.
    pub(crate) fn restarted(self) -> Self {
        let (mut mails, mut transactions, mut wishes) = (BTreeMap::new(), BTreeMap::new(), Wishes::new());
        for change in &self.disk {
            let of_mails = match change {
                Change::Ledger(commit) => commit.mails.as_slice(),
                Change::Mail(mail) => std::slice::from_ref(mail),
                Change::Transaction(TxChange::Keep { id, tx }) => {
                    transactions.insert(*id, tx.clone());
                    &[]
                }
                Change::Transaction(TxChange::Forget { id }) => {
                    transactions.remove(id).expect("it was kept");
                    &[]
                }
                Change::Vote { .. } | Change::List(_) => &[],
                Change::Wish { domain, wish } => {
                    match wish {
                        Some(ruling) => wishes.insert(domain.clone(), *ruling),
                        None => wishes.remove(domain),
                    };
                    &[]
                }
            };
            for change in of_mails {
                match change {
                    MailChange::Keep { mail_id, mail } => drop(mails.insert(*mail_id, mail.clone())),
                    MailChange::Forget { mail_id } => drop(mails.remove(mail_id)),
                    MailChange::Settle { .. } => {}
                }
            }
        }
        let mut mails: Vec<_> = mails.into_iter().collect();
        mails.sort_by_key(|(_, mail)| mail.order);
        let mut again = Self::with(Stored {
            ledger: self.chain.shown().ledger.clone(),
            mails,
            transactions: transactions.into_iter().collect(),
            votes: self.chain.shown().votes.as_ref().clone(),
            wishes,
        });
        again.now = self.now;
        again.disk = self.disk;
        let request = again.request();
        again.handle(Event::LookUp { request });
        again.settle();
        again
    }

    pub(crate) fn request(&mut self) -> RequestId {
        self.requests += 1;
        RequestId::new(self.requests)
    }

    pub(crate) fn handle(&mut self, event: Event) {
        let effects = self.chain.handle(event, CloseTime::new(self.now));
        for effect in effects {
            match effect {
                Effect::Commit(changes) => {
                    let before = self.under_way.replace(changes);
                    assert!(before.is_none(), "one commit at a time");
                }
                Effect::LookUp(name) => self.looked_up.push(name),
                Effect::Tell { request, reply } => {
                    assert!(self.told.insert(request, reply).is_none(), "told once");
                }
                Effect::Log(fact) => self.facts.push(fact),
            }
        }
    }

    /// The commit under way reaches the disk.
    pub(crate) fn written(&mut self) {
        let changes = self.under_way.take().expect("a commit is under way");
        self.disk.extend(changes);
        self.handle(Event::Committed(Ok(())));
    }

    /// The commit under way fails.
    pub(crate) fn fails(&mut self, failure: CommitFailure) {
        self.under_way.take().expect("a commit is under way");
        self.handle(Event::Committed(Err(failure)));
    }

    /// Commits reach the disk until none is under way.
    pub(crate) fn settle(&mut self) {
        while self.under_way.is_some() {
            self.written();
        }
    }

    pub(crate) fn send(&mut self, mail: &str) -> RequestId {
        self.send_raw(&vector_mail(mail), Peer::Operator)
    }

    pub(crate) fn send_raw(&mut self, mail: &[u8], peer: Peer) -> RequestId {
        let request = self.request();
        let ledger = self.chain.shown().ledger.clone();
        self.handle(Event::Mail(Box::new(MailRequest {
            request,
            peer,
            mode: MailMode::Submit,
            mail: ReadMail::new(mail, &ledger, NETWORK),
        })));
        request
    }

    pub(crate) fn close(&mut self) -> RequestId {
        self.now += 4;
        self.close_now()
    }

    /// Validators agreed on this set.
    pub(crate) fn close_with(&mut self, transactions: Vec<Transaction>) -> RequestId {
        self.now += 4;
        let parent = self.chain.shown().ledger.clone();
        self.close_to(ledger::close(&parent, transactions, CloseTime::new(self.now)))
    }

    /// Close without time passing.
    pub(crate) fn close_now(&mut self) -> RequestId {
        self.close_to(self.chain.propose(CloseTime::new(self.now)))
    }

    pub(crate) fn close_to(&mut self, closed: Closed) -> RequestId {
        let request = self.request();
        let closed = Arc::new(closed);
        self.handle(Event::Close { request, closed });
        request
    }

    /// DNS answers all look-ups with the records of the vectors.
    pub(crate) fn answer_look_ups(&mut self) {
        for name in std::mem::take(&mut self.looked_up) {
            let finding = finding(&name);
            self.handle(Event::Answer { name, finding });
        }
    }

    pub(crate) fn told(&mut self, request: RequestId) -> Option<Reply> {
        self.told.remove(&request)
    }

    pub(crate) fn mail_reply(&mut self, request: RequestId) -> MailReply {
        match self.told(request) {
            Some(Reply::Mail(reply)) => *reply,
            other => panic!("no answer to a mail: {other:?}"),
        }
    }

    pub(crate) fn refusal(&mut self, request: RequestId) -> Option<Refusal> {
        match self.told(request) {
            Some(Reply::Refused(refusal)) => Some(refusal),
            None => None,
            other => panic!("no refusal: {other:?}"),
        }
    }

    /// What the disk says last about EmailIDs.
    pub(crate) fn settled(&self) -> Vec<Settled> {
        let mails = self.disk.iter().flat_map(|change| match change {
            Change::Ledger(commit) => commit.mails.clone(),
            Change::Mail(mail) => vec![mail.clone()],
            Change::Transaction(_) | Change::Vote { .. } | Change::List(_) | Change::Wish { .. } => {
                Vec::new()
            }
        });
        mails
            .filter_map(|change| match change {
                MailChange::Settle { settled, .. } => Some(settled),
                MailChange::Keep { .. } | MailChange::Forget { .. } => None,
            })
            .collect()
    }

    /// Types of the transactions in the open ledger, as decided.
    pub(crate) fn proposed_types(&self) -> Vec<TxType> {
        self.chain
            .proposal(CloseTime::new(self.now))
            .iter()
            .map(Transaction::tx_type)
            .collect()
    }
}
