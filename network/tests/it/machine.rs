//! A machine without threads: a chain, and a disk that has what was committed and nothing else.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use amendment::Domain;
use chain::commit::{
    Change, Commit, MailChange, PendingMail, PendingTx, SettledState, StoredTx, TxChange, Vote,
};
use chain::peers::Peer;
use chain::votes::Votes;
use chain::{
    Chain, ChainConfig, Effect, Event, MailMode, MailRequest, OnRetry, ProposalFault, ProposalRules,
    ReadMail, Reply, RequestId, Stored, TxRequest, Wishes,
};
use codec::keys::{KeyPair, PublicKey};
use codec::{CloseTime, Hash256};
use ledger::dkim::{Attestation, Ruling};
use ledger::votes::SignedVote;
use ledger::{Closed, Ledger, Transaction};
use network::{EpochStart, Machine, Submission, Taken, Talker};
use node::NotFinal;
use tokio::sync::broadcast::{Receiver, Sender};

use crate::byzantine::{Byzantine, Conduct};
use crate::mails::{NETWORK, validator};
use crate::zone::Zone;

/// A ledger as a disk has it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Page {
    pub hash: Hash256,
    /// Its header, serialized.
    pub header: Vec<u8>,
    pub transactions: Vec<StoredTx>,
}

impl Page {
    fn of(commit: &Commit) -> Self {
        Self {
            hash: commit.hash,
            header: commit.header.clone(),
            transactions: commit.transactions.clone(),
        }
    }
}

/// What is on a machine's disk.
#[derive(Clone)]
pub(crate) struct Disk {
    pub ledger: Ledger,
    mails: BTreeMap<Hash256, PendingMail>,
    transactions: BTreeMap<Hash256, PendingTx>,
    /// What each epoch began with.
    epochs: BTreeMap<u64, EpochStart>,
    /// What its operator wants.
    votes: Votes,
    wishes: Wishes,
    /// Each ledger by its index.
    pub pages: BTreeMap<u32, Arc<Page>>,
    /// In which ledger each EmailID was validated.
    pub validated: BTreeMap<Hash256, u32>,
}

impl Disk {
    pub(crate) fn new(ledger: Ledger) -> Self {
        let page = Page::of(&Commit::of_genesis(&ledger));
        Self {
            pages: BTreeMap::from([(ledger.index().get(), Arc::new(page))]),
            ledger,
            mails: BTreeMap::new(),
            transactions: BTreeMap::new(),
            epochs: BTreeMap::new(),
            votes: Votes::default(),
            wishes: Wishes::new(),
            validated: BTreeMap::new(),
        }
    }

    fn write(&mut self, change: &Change) {
        match change {
            Change::Ledger(commit) => {
                let before = self.pages.insert(commit.index, Arc::new(Page::of(commit)));
                assert!(before.is_none(), "ledger {} a second time", commit.index);
                commit.mails.iter().for_each(|mail| self.write_mail(mail));
            }
            Change::Mail(mail) => self.write_mail(mail),
            Change::Transaction(TxChange::Keep { id, tx }) => {
                self.transactions.insert(*id, tx.clone());
            }
            Change::Transaction(TxChange::Forget { id }) => {
                self.transactions.remove(id);
            }
            Change::Vote { amendment, vote } => {
                self.votes.amendments.insert(*amendment, *vote);
            }
            Change::List(list) => self.votes.list.clone_from(list),
            Change::Wish { domain, wish } => {
                match wish {
                    Some(ruling) => self.wishes.insert(domain.clone(), *ruling),
                    None => self.wishes.remove(domain),
                };
            }
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

    fn stored(&self) -> Stored {
        let mut mails: Vec<_> = self.mails.iter().map(|(id, mail)| (*id, mail.clone())).collect();
        mails.sort_by_key(|(_, mail)| mail.order);
        let transactions = self.transactions.iter().map(|(id, tx)| (*id, tx.clone()));
        Stored {
            ledger: self.ledger.clone(),
            mails,
            transactions: transactions.collect(),
            votes: self.votes.clone(),
            wishes: self.wishes.clone(),
        }
    }
}

pub(crate) struct SimMachine {
    inner: Mutex<Inner>,
    rules: ProposalRules,
    now: Box<dyn Fn() -> CloseTime + Send + Sync>,
    node: usize,
    key: KeyPair,
    zone: Zone,
    byzantine: Byzantine,
    arrivals: Sender<(Hash256, Submission)>,
}

struct Inner {
    chain: Chain,
    disk: Disk,
    /// Handed out to be written, and not on disk yet.
    unwritten: Option<Vec<Change>>,
    requests: u64,
}

impl Inner {
    fn next(&mut self) -> RequestId {
        self.requests += 1;
        RequestId::new(self.requests)
    }
}

impl SimMachine {
    /// Starts with what is on the disk. `now` is its clock, `rules` are the network's.
    pub(crate) fn new(
        node: usize,
        disk: Disk,
        rules: ProposalRules,
        zone: Zone,
        conduct: Conduct,
        now: impl Fn() -> CloseTime + Send + Sync + 'static,
    ) -> Self {
        let key = validator(u8::try_from(node).expect("few") + 1);
        let config = ChainConfig {
            network_id: NETWORK,
            key: key.clone(),
            history_ledgers: None,
            majority_secs: rules.majority_secs,
        };
        let machine = Self {
            inner: Mutex::new(Inner {
                chain: Chain::new(config, disk.stored()),
                disk,
                unwritten: None,
                requests: 0,
            }),
            rules,
            now: Box::new(now),
            node,
            byzantine: Byzantine::new(conduct, key.clone(), node),
            key,
            zone,
            arrivals: Sender::new(1_024),
        };
        let request = machine.lock().next();
        machine.turn(&mut machine.lock(), Event::LookUp { request }, request);
        machine
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no test panicked with it")
    }

    /// What a power cut leaves.
    pub(crate) fn disk(&self) -> Disk {
        self.lock().disk.clone()
    }

    /// What was handed out comes onto the disk, and what came in with it is told to others.
    pub(crate) fn sync(&self) {
        let before: BTreeSet<Hash256> = self.own_pending().into_iter().map(|(id, _)| id).collect();
        self.write_all(&mut self.lock(), RequestId::new(0));
        for (id, submission) in self.own_pending() {
            if !before.contains(&id) {
                // Where the engine does not run yet, nobody listens.
                let _ = self.arrivals.send((id, submission));
            }
        }
    }

    fn own_pending(&self) -> Vec<(Hash256, Submission)> {
        network::pending_of(self.lock().chain.shown())
    }

    /// What a client hands in here. It is written later.
    pub(crate) fn hand_in(&self, submission: Submission) {
        let mut inner = self.lock();
        if let (Some(event), own) = event_of(&mut inner, submission, Peer::Operator) {
            self.turn(&mut inner, event, own);
        }
    }

    /// The operator wants its validator to vote so about an amendment.
    pub(crate) fn vote(&self, amendment: Hash256, vote: Vote) {
        self.order(|request| Event::Vote {
            request,
            amendment,
            vote,
        });
    }

    /// The operator wants these validators.
    pub(crate) fn want_list(&self, wanted: BTreeSet<PublicKey>) {
        self.order(|request| Event::WantList { request, wanted });
    }

    /// The operator wants the mail of a domain stopped, or let through again.
    pub(crate) fn rule(&self, domain: Domain, ruling: Ruling) {
        self.order(|request| Event::Rule {
            request,
            domain,
            ruling,
        });
    }

    fn order(&self, event: impl FnOnce(RequestId) -> Event) {
        let mut inner = self.lock();
        let request = inner.next();
        self.turn(&mut inner, event(request), request);
    }

    /// Takes an event and carries out what it comes to, but for writing; answers what it said.
    fn turn(&self, inner: &mut Inner, event: Event, own: RequestId) -> Option<Reply> {
        let now = (self.now)();
        let (mut events, mut answer) = (VecDeque::from([event]), None);
        while let Some(event) = events.pop_front() {
            for effect in inner.chain.handle(event, now) {
                match effect {
                    Effect::Commit(changes) => {
                        let before = inner.unwritten.replace(changes);
                        assert!(before.is_none(), "a second commit is under way");
                    }
                    Effect::LookUp(name) => {
                        let finding = self.zone.ask(self.node, &name);
                        events.push_back(Event::Answer { name, finding });
                    }
                    Effect::Tell { request, reply } if request == own => answer = Some(reply),
                    Effect::Tell { .. } | Effect::Log(_) => {}
                }
            }
        }
        answer
    }

    fn write_all(&self, inner: &mut Inner, own: RequestId) -> Option<Reply> {
        let mut answer = None;
        while let Some(changes) = inner.unwritten.take() {
            changes.iter().for_each(|change| inner.disk.write(change));
            let told = self.turn(inner, Event::Committed(Ok(())), own);
            answer = answer.or(told);
            inner.disk.ledger = inner.chain.shown().ledger.clone();
        }
        answer
    }
}

impl Machine for SimMachine {
    fn now(&self) -> CloseTime {
        self.byzantine.clock((self.now)())
    }

    fn last(&self) -> Ledger {
        self.lock().chain.shown().ledger.clone()
    }

    fn has_work(&self) -> bool {
        self.lock().chain.shown().has_work()
    }

    fn propose(&self, parent: &Ledger, close_time: CloseTime) -> Closed {
        let state = Arc::clone(self.lock().chain.shown());
        let closed = state.propose(parent, self.rules, close_time);
        self.byzantine.proposed(closed, parent)
    }

    fn verify(
        &self,
        parent: &Ledger,
        transactions: Vec<Transaction>,
        close_time: CloseTime,
    ) -> Result<Closed, ProposalFault> {
        let state = Arc::clone(self.lock().chain.shown());
        let closed = state.verify(parent, transactions, self.rules, close_time)?;
        Ok(self.byzantine.verified(closed, parent))
    }

    /// Written at once, after all that was handed out before.
    fn finalized(&self, closed: Arc<Closed>) -> Result<(), NotFinal> {
        let mut inner = self.lock();
        self.write_all(&mut inner, RequestId::new(0));
        let last = inner.chain.shown().ledger.clone();
        let closed = self.byzantine.finalized(closed, &last);
        let request = inner.next();
        let at_once = self.turn(&mut inner, Event::Close { request, closed }, request);
        match at_once.or_else(|| self.write_all(&mut inner, request)) {
            Some(Reply::Closed { .. }) => Ok(()),
            other => panic!("a final ledger is refused: {other:?}"),
        }
    }

    fn epochs(&self) -> Result<Vec<EpochStart>, NotFinal> {
        Ok(self.lock().disk.epochs.values().cloned().collect())
    }

    fn begin_epoch(&self, start: &EpochStart) -> Result<(), NotFinal> {
        self.lock().disk.epochs.insert(start.epoch, start.clone());
        Ok(())
    }
}

impl Talker for SimMachine {
    fn words(&self) -> Vec<Attestation> {
        let own = self.lock().chain.shown().words_of(&self.key.public_key());
        self.byzantine.words(own, (self.now)())
    }

    fn hear(&self, attestation: Attestation) {
        self.byzantine.hear(&attestation);
        let mut inner = self.lock();
        let own = inner.next();
        self.turn(&mut inner, Event::Attestation(attestation), own);
    }

    fn ballot(&self) -> Option<SignedVote> {
        let own = self.lock().chain.shown().vote_of(&self.key.public_key());
        self.byzantine.ballot(own, (self.now)())
    }

    fn hear_ballot(&self, vote: SignedVote) {
        let mut inner = self.lock();
        let own = inner.next();
        self.turn(&mut inner, Event::Ballot(vote), own);
    }

    fn pending(&self) -> Vec<(Hash256, Submission)> {
        self.byzantine.pending(self.own_pending())
    }

    fn arrivals(&self) -> Receiver<(Hash256, Submission)> {
        self.arrivals.subscribe()
    }

    /// Who passes something on hears what became of it when it is on disk.
    fn submit(&self, from: PublicKey, submissions: Vec<Submission>) -> Vec<Taken> {
        let taken = submissions.into_iter().map(|submission| {
            let mut inner = self.lock();
            let (event, own) = event_of(&mut inner, submission, Peer::Node(from));
            let at_once = event.and_then(|event| self.turn(&mut inner, event, own));
            let reply = at_once.or_else(|| self.write_all(&mut inner, own));
            reply.as_ref().map_or(Taken::NotNow, Taken::of)
        });
        taken.collect()
    }
}

/// What a submission is to the chain.
fn event_of(inner: &mut Inner, submission: Submission, peer: Peer) -> (Option<Event>, RequestId) {
    let request = inner.next();
    let event = match submission {
        Submission::Mail(raw) => {
            let mail = ReadMail::new(&raw, &inner.chain.shown().ledger, NETWORK);
            Some(Event::Mail(Box::new(MailRequest {
                request,
                peer,
                mode: MailMode::Submit,
                mail,
            })))
        }
        // The host refuses what is none.
        Submission::Transaction(blob) => Transaction::parse(&blob).ok().map(|tx| {
            Event::Transaction(TxRequest {
                request,
                peer,
                tx,
                on_retry: OnRetry::Hold,
            })
        }),
    };
    (event, request)
}
