//! The chain: takes events in their order, and hands out what they come to.

use std::sync::Arc;

use codec::keys::KeyPair;
use codec::{CloseTime, Hash256};
use ledger::Ledger;

use crate::commit::{Change, PendingMail, PendingTx};
use crate::event::{CommitFailure, Effect, Event, Fact, Reply, RequestId};
use crate::freezes::Wishes;
use crate::names::Names;
use crate::proposal::ProposalRules;
use crate::state::{Disk, State};
use crate::votes::Votes;

/// What a chain is made for.
#[derive(Debug, Clone)]
pub struct ChainConfig {
    /// NetworkID.
    pub network_id: u32,
    /// The validator's key.
    pub key: KeyPair,
    /// Ledgers kept with their transactions; `None` keeps all.
    pub history_ledgers: Option<u32>,
    /// Seconds that an amendment needs its majority for before it is enabled.
    pub majority_secs: u32,
}

/// What the store has.
#[derive(Debug)]
pub struct Stored {
    /// The last ledger.
    pub ledger: Ledger,
    /// The mails on their way, oldest first, each by the hash of its bytes.
    pub mails: Vec<(Hash256, PendingMail)>,
    /// The transactions on their way, each by its id.
    pub transactions: Vec<(Hash256, PendingTx)>,
    /// The validator's votes.
    pub votes: Votes,
    /// What the operator wants of domains where the ledger says otherwise.
    pub wishes: Wishes,
}

/// What a node knows and decides.
#[derive(Debug)]
pub struct Chain {
    pub(crate) network_id: u32,
    pub(crate) history_ledgers: Option<u32>,
    pub(crate) rules: ProposalRules,
    pub(crate) key: KeyPair,
    /// As decided.
    pub(crate) state: State,
    /// As it is on disk: what readers may see, and what a failed commit leads back to.
    shown: Arc<State>,
    pub(crate) names: Names,
    look_ups: LookUps,
    /// Decided since the last commit was handed out.
    changes: Vec<Change>,
    /// What is to be said and asked once those changes are on disk.
    unsaid: Vec<Effect>,
    under_way: Option<UnderWay>,
    effects: Vec<Effect>,
}

/// Whether names are to be looked up at the end of this turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LookUps {
    Unwanted,
    Wanted,
}

/// A commit that the host writes.
#[derive(Debug)]
struct UnderWay {
    /// The state with it.
    state: State,
    /// What is to be said and asked once it is on disk.
    unsaid: Vec<Effect>,
}

impl Chain {
    /// Go on from what the store has. What changes with that is part of the first commit.
    #[must_use]
    pub fn new(config: ChainConfig, stored: Stored) -> Self {
        let state = State::new(stored.ledger, stored.votes, stored.wishes);
        let mut chain = Self {
            network_id: config.network_id,
            history_ledgers: config.history_ledgers,
            rules: ProposalRules {
                network_id: config.network_id,
                majority_secs: config.majority_secs,
                bytes_max: usize::MAX,
                epochs: None,
            },
            key: config.key,
            shown: Arc::new(state.clone()),
            state,
            names: Names::default(),
            look_ups: LookUps::Unwanted,
            changes: Vec::new(),
            unsaid: Vec::new(),
            under_way: None,
            effects: Vec::new(),
        };
        chain.restore_mails(stored.mails);
        chain.restore_transactions(stored.transactions);
        chain.shown = Arc::new(chain.state.clone());
        chain.try_all_again();
        chain.vote_as_wanted(chain.state.ledger.close_time());
        chain
    }

    /// Take one event.
    #[must_use]
    pub fn handle(&mut self, event: Event, now: CloseTime) -> Vec<Effect> {
        self.handle_all([event], now)
    }

    /// Take several events in their order. What they change shares one commit.
    #[must_use]
    pub fn handle_all(&mut self, events: impl IntoIterator<Item = Event>, now: CloseTime) -> Vec<Effect> {
        for event in events {
            self.take(event, now);
        }
        if self.look_ups == LookUps::Wanted {
            self.look_ups = LookUps::Unwanted;
            let mut names = self.renewals(now);
            if self.names.has_place() {
                let (wanted, state) = (self.wanted_names(), &self.state);
                names.extend(self.names.begin(wanted, now, |wanted| state.is_needed(wanted)));
            }
            self.unsaid.extend(names.into_iter().map(Effect::LookUp));
        }
        self.hand_out();
        std::mem::take(&mut self.effects)
    }

    /// What readers may see: all of it is on disk. To be read again after each turn, before its effects are
    /// carried out.
    #[must_use]
    pub fn shown(&self) -> &Arc<State> {
        &self.shown
    }

    /// Look-ups under way, with those that are handed out after the commit under way.
    #[must_use]
    pub fn look_ups(&self) -> usize {
        self.names.count()
    }

    fn take(&mut self, event: Event, now: CloseTime) {
        match event {
            Event::Mail(mail) => self.take_mail(*mail, now),
            Event::Transaction(tx) => self.take_transaction(tx, now),
            Event::Answer { name, finding } => self.take_finding(&name, finding, now),
            Event::Attestation(attestation) => self.take_attestation(attestation),
            Event::Vote {
                request,
                amendment,
                vote,
            } => self.take_vote(request, amendment, vote, now),
            Event::WantList { request, wanted } => self.take_list(request, wanted, now),
            Event::Ballot(vote) => self.take_ballot(vote),
            Event::Rule {
                request,
                domain,
                ruling,
            } => self.take_ruling(request, domain, ruling, now),
            Event::LookUp { request } => {
                self.want_names();
                self.tell(request, Reply::Done);
            }
            Event::Close { request, closed } => self.close(request, &closed, now),
            Event::Committed(Ok(())) => self.committed(),
            Event::Committed(Err(failure)) => {
                self.take_back(failure);
                self.say_wishes(now);
            }
        }
    }

    /// Something to write with the next commit.
    pub(crate) fn change(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// An answer; it goes out once everything decided before it is on disk.
    pub(crate) fn tell(&mut self, request: RequestId, reply: Reply) {
        self.unsaid.push(Effect::Tell { request, reply });
    }

    /// A line for the log, once everything decided before it is on disk.
    pub(crate) fn log(&mut self, fact: Fact) {
        self.unsaid.push(Effect::Log(fact));
    }

    /// Look for names to ask DNS for, at the end of this turn.
    pub(crate) fn want_names(&mut self) {
        self.look_ups = LookUps::Wanted;
    }

    /// Hand out what was decided, unless a commit is under way: then it joins the next one.
    fn hand_out(&mut self) {
        if self.under_way.is_some() {
            return;
        }
        if self.changes.is_empty() {
            self.shown = Arc::new(self.state.clone());
            self.effects.append(&mut self.unsaid);
            return;
        }
        self.under_way = Some(UnderWay {
            state: self.state.clone(),
            unsaid: std::mem::take(&mut self.unsaid),
        });
        self.effects
            .push(Effect::Commit(std::mem::take(&mut self.changes)));
    }

    /// The commit is on disk: show the state with it, and say what waited for it.
    fn committed(&mut self) {
        let Some(mut done) = self.under_way.take() else {
            return;
        };
        if self.state.disk == Disk::Full {
            done.state.disk = Disk::HasRoom;
            self.state.disk = Disk::HasRoom;
            self.effects.push(Effect::Log(Fact::RoomAgain));
        }
        self.shown = Arc::new(done.state);
        self.effects.append(&mut done.unsaid);
    }

    /// The commit failed: everything decided since the one before is taken back, and those who asked are
    /// told. What others said and how much work peers made stays known.
    fn take_back(&mut self, failure: CommitFailure) {
        let unsaid = self
            .under_way
            .take()
            .map_or_else(Vec::new, |failed| failed.unsaid);
        let decided = std::mem::replace(&mut self.state, State::clone(&self.shown));
        let mut attestations = decided.attestations;
        Arc::make_mut(&mut attestations).restore(&self.state.attestations);
        self.state.attestations = attestations;
        let mut ballots = decided.ballots;
        Arc::make_mut(&mut ballots).restore(&self.state.ballots);
        self.state.ballots = ballots;
        self.vote_as_wanted(self.state.ledger.close_time());
        self.state.peers = decided.peers;
        self.changes.clear();
        if failure == CommitFailure::DiskFull && self.state.disk == Disk::HasRoom {
            self.state.disk = Disk::Full;
            self.effects.push(Effect::Log(Fact::DiskFull));
        }
        for effect in unsaid.into_iter().chain(std::mem::take(&mut self.unsaid)) {
            match effect {
                Effect::Tell { request, .. } => {
                    let reply = Reply::Refused(failure.into());
                    self.effects.push(Effect::Tell { request, reply });
                }
                Effect::LookUp(name) => self.names.end(&name),
                Effect::Log(_) | Effect::Commit(_) => {}
            }
        }
    }
}
