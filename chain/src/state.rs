//! All that a node shows, and all that a failed commit takes back. Cheap to clone: the parts are shared until
//! they change.

use std::collections::BTreeMap;
use std::sync::Arc;

use amendment::ReadView as _;
use codec::{AccountId, CloseTime, Hash256, sf};
use ledger::dkim;
use ledger::{Ledger, OpenLedger, Transaction};

use crate::attestations::Attestations;
use crate::ballots::Ballots;
use crate::commit::{MailStage, Settled};
use crate::event::{Refusal, Standing};
use crate::freezes::{Freezes, Wishes};
use crate::held::HeldTransactions;
use crate::limits::{FAILURES_REMEMBERED_MAX, OPEN_TRANSACTIONS_MAX};
use crate::mail_pool::MailPool;
use crate::names::Wanted;
use crate::peers::{Peer, PeerCounts, Work};
use crate::rules;
use crate::used_keys::UsedKeys;
use crate::votes::Votes;

/// Whether the store can write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disk {
    /// It can.
    HasRoom,
    /// The disk is full: nothing is accepted until a close finds room again.
    Full,
}

/// The last ledger, the open one, and what is on its way into it.
#[derive(Debug, Clone)]
pub struct State {
    /// The last ledger.
    pub ledger: Ledger,
    /// The open one.
    pub open: Arc<OpenLedger>,
    /// The mails on their way.
    pub pool: Arc<MailPool>,
    /// Transactions for later ledgers.
    pub held: Arc<HeldTransactions>,
    /// What the operator wants the validator to vote for.
    pub votes: Arc<Votes>,
    /// What the operator wants of domains where the ledger says otherwise.
    pub wishes: Arc<Wishes>,
    /// Whether the last commit found room.
    pub disk: Disk,
    pub(crate) failures: Arc<BTreeMap<Hash256, Settled>>,
    pub(crate) peers: Arc<PeerCounts>,
    pub(crate) attestations: Arc<Attestations>,
    pub(crate) freezes: Arc<Freezes>,
    pub(crate) ballots: Arc<Ballots>,
    pub(crate) used_keys: Arc<UsedKeys>,
    pub(crate) last_close: CloseTime,
}

impl State {
    pub(crate) fn new(ledger: Ledger, votes: Votes, wishes: Wishes) -> Self {
        Self {
            open: Arc::new(OpenLedger::new(&ledger)),
            freezes: Arc::new(Freezes::of(&ledger)),
            wishes: Arc::new(wishes),
            // After some time away the next ledger is due at once: mails of now are early for the last one.
            last_close: ledger.close_time(),
            ledger,
            pool: Arc::default(),
            held: Arc::default(),
            votes: Arc::new(votes),
            disk: Disk::HasRoom,
            failures: Arc::default(),
            peers: Arc::default(),
            attestations: Arc::default(),
            ballots: Arc::default(),
            used_keys: Arc::default(),
        }
    }

    /// Whether a peer's request is taken now: it has not failed too often, the disk has room, and so has the
    /// open ledger.
    pub fn admit(&self, peer: &Peer, now: CloseTime) -> Result<(), Refusal> {
        if !self.peers.allows(peer, Work::Failure, now) {
            return Err(Refusal::SlowDown);
        }
        if self.disk == Disk::Full {
            return Err(Refusal::DiskFull);
        }
        if self.open.accepted().len() >= OPEN_TRANSACTIONS_MAX {
            return Err(Refusal::TooBusy);
        }
        Ok(())
    }

    /// Validators whose agreement makes a ledger validated: ceil(0.8 n) of the ledger's list. Spec: 7.2
    #[must_use]
    pub fn quorum(&self) -> usize {
        dkim::quorum(dkim::validators(&self.ledger).len()).max(1)
    }

    /// How far an EmailID is that no validated ledger holds: a mail on its way comes before a failure.
    #[must_use]
    pub fn standing(&self, email_id: &Hash256) -> Option<Standing> {
        if let Some(mail) = self.pool.first_of_email(email_id) {
            return Some(match mail.pending.stage {
                MailStage::Kept => Standing::Kept,
                MailStage::Submitted => Standing::Submitted { tx: mail.tx },
            });
        }
        self.failures.get(email_id).map(|failed| Standing::Failed {
            code: failed.code,
            tx: failed.hash,
        })
    }

    /// A transaction in the open ledger, or held for a later one.
    #[must_use]
    pub fn transaction(&self, id: &Hash256) -> Option<&Transaction> {
        let open = self.open.accepted().iter().find(|tx| tx.id() == *id);
        open.or_else(|| self.held.transaction(id))
    }

    /// Whether a name has to be asked for: the ledger's key does not settle it, and the sender can pay.
    pub(crate) fn is_needed(&self, wanted: &Wanted) -> bool {
        rules::needs_look_up(&self.ledger, &wanted.name) && self.can_pay(wanted.account)
    }

    /// Whether an account exists and holds what the cheapest mail costs.
    pub(crate) fn can_pay(&self, account: AccountId) -> bool {
        let needed = amendment::submit_fee(self.open.view().base_fee(), 0, 0);
        let balance = self
            .open
            .account(account)
            .and_then(|root| root.amount(sf::BALANCE));
        let balance = balance.and_then(|balance| balance.as_drops());
        balance.zip(needed).is_some_and(|(has, needs)| has >= needs)
    }

    /// Remember a failure for those who ask; the lowest EmailIDs are forgotten first.
    pub(crate) fn remember_failure(&mut self, email_id: Hash256, settled: Settled) {
        let failures = Arc::make_mut(&mut self.failures);
        if failures.len() >= FAILURES_REMEMBERED_MAX {
            failures.pop_first();
        }
        failures.insert(email_id, settled);
    }
}
