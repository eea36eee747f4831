//! A mail's way through the node: judged as it comes, kept for its key, wrapped, tried again at each close.
//!
//! Spec: 6.3, 7.3, 7.5, 12.

use std::sync::Arc;

use amendment::limits::EMAIL_WINDOW_SECS;
use amendment::{AMENDMENT_EMAIL, EmailId, KeyName, ReadView as _};
use codec::{CloseTime, Hash256, Ter, TerClass};
use explain::{Explanation, Qualifies};
use ledger::{OpenLedger, Transaction};

use crate::chain::Chain;
use crate::commit::{Change, MailChange, MailStage, PendingMail, Settled, SettledState};
use crate::event::{Entered, Fact, MailMode, MailReply, MailRequest, NotKept, Reply, Standing};
use crate::limits::EARLY_SECS_MAX;
use crate::mail::ReadMail;
use crate::mail_pool::{Hope, NoRoom, PooledMail};
use crate::peers::{Peer, Work};
use crate::rules;

/// What the rules say about a mail, as far as the node acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judgement {
    /// Its transaction can be submitted.
    Ready,
    /// A later ledger may take it.
    Later,
    /// No ledger will.
    Never,
}

/// What became of the transaction of a mail.
struct Tried {
    engine: Ter,
    entered: Entered,
    wrapped: Option<Transaction>,
}

/// Why a mail stays away from the open ledger, and the result that says so.
struct Unkept {
    reason: NotKept,
    engine: Ter,
}

impl Chain {
    /// A mail came in.
    pub(crate) fn take_mail(&mut self, request: MailRequest, now: CloseTime) {
        let reply = match self.state.admit(&request.peer, now) {
            Ok(()) => {
                let (peer, settled) = (request.peer, request.settled);
                let reply = self.submit_mail(request.mail, request.mode, &peer, now);
                let is_validated = settled.is_some_and(|settled| settled.state != SettledState::Failed);
                if reply.standing == Some(Standing::Kept) && !is_validated {
                    Arc::make_mut(&mut self.state.peers).record(&peer, Work::Lookup, now);
                    self.want_names();
                }
                Reply::Mail(Box::new(reply))
            }
            Err(refusal) => Reply::Refused(refusal),
        };
        self.tell(request.request, reply);
    }

    fn submit_mail(&mut self, mail: ReadMail, mode: MailMode, peer: &Peer, now: CloseTime) -> MailReply {
        if !self.state.open.view().amendment_enabled(&AMENDMENT_EMAIL) {
            // Nothing is looked up or kept for a rule that may never come.
            return MailReply {
                mail,
                engine: Ter::TEM_DISABLED,
                wrapped: None,
                entered: Entered::No,
                standing: None,
                not_kept: Some(NotKept::NotEnabled),
            };
        }
        let judgement = judge(mail.explanation());
        if judgement == Judgement::Never {
            Arc::make_mut(&mut self.state.peers).record(peer, Work::Failure, now);
        }
        let mut not_kept = None;
        let tried = match (judgement, mode) {
            (Judgement::Ready, MailMode::DryRun) => {
                let mut open = OpenLedger::clone(&self.state.open);
                let tried = try_in(&mut open, mail.explanation());
                Tried {
                    entered: Entered::No,
                    ..tried
                }
            }
            (Judgement::Ready, MailMode::Submit) => {
                let tried = try_in(Arc::make_mut(&mut self.state.open), mail.explanation());
                match tried.entered {
                    Entered::Yes => self.note_submitted(&mail, tried.wrapped.as_ref().map(Transaction::id)),
                    Entered::No if tried.engine.class() == TerClass::Ter => not_kept = Some(NotKept::NotNow),
                    Entered::No => {}
                }
                tried
            }
            (Judgement::Later, MailMode::Submit) => {
                let unkept = self.keep(&mail, peer, now).err();
                not_kept = unkept.as_ref().map(|unkept| unkept.reason);
                Tried::refused(unkept.map_or(mail.explanation().code, |unkept| unkept.engine))
            }
            (Judgement::Later, MailMode::DryRun) | (Judgement::Never, _) => {
                Tried::refused(mail.explanation().code)
            }
        };
        let email_id = mail.explanation().email_id.as_ref().map(EmailId::hash);
        let standing = email_id.and_then(|email_id| self.state.standing(&email_id));
        MailReply {
            mail,
            engine: tried.engine,
            wrapped: tried.wrapped,
            entered: tried.entered,
            standing,
            not_kept,
        }
    }

    /// A mail's transaction is in the open ledger: remember the mail until it is validated, over restarts too.
    fn note_submitted(&mut self, mail: &ReadMail, tx: Option<Hash256>) {
        let Some(mut pooled) = self.pooled(mail, MailStage::Submitted) else {
            return;
        };
        pooled.tx = tx;
        let change = MailChange::Keep {
            mail_id: mail.id(),
            mail: pooled.pending.clone(),
        };
        let put = Arc::make_mut(&mut self.state.pool).put_submitted(mail.id(), pooled);
        // Without room it is in the open ledger all the same; only nobody will try it again.
        if put.is_ok() {
            self.change(Change::Mail(change));
        }
    }

    /// Keep a mail for its key, if its account exists and can pay, and if there is room.
    fn keep(&mut self, mail: &ReadMail, peer: &Peer, now: CloseTime) -> Result<(), Unkept> {
        let explanation = mail.explanation();
        let unkept = |reason| Unkept {
            reason,
            engine: match reason {
                NotKept::NoAccount => Ter::TER_NO_ACCOUNT,
                NotKept::CannotPay => Ter::TER_INSUF_FEE_B,
                NotKept::AccountFull
                | NotKept::BytesFull
                | NotKept::PeerFull
                | NotKept::TooEarly
                | NotKept::NotNow
                | NotKept::NotEnabled => explanation.code,
            },
        };
        if self.state.pool.mail(&mail.id()).is_some() {
            return Ok(());
        }
        if !self.state.peers.allows(peer, Work::Lookup, now) {
            return Err(unkept(NotKept::PeerFull));
        }
        let is_soon = explanation.executable_until.is_some_and(|until| {
            let signed = until.seconds().saturating_sub(EMAIL_WINDOW_SECS);
            signed <= now.seconds().saturating_add(EARLY_SECS_MAX)
        });
        let pooled = self.pooled(mail, MailStage::Kept).filter(|_| is_soon);
        let pooled = pooled.ok_or_else(|| unkept(NotKept::TooEarly))?;
        if self.state.open.account(pooled.account).is_none() {
            return Err(unkept(NotKept::NoAccount));
        }
        if !self.state.can_pay(pooled.account) {
            return Err(unkept(NotKept::CannotPay));
        }
        let pending = pooled.pending.clone();
        let kept = Arc::make_mut(&mut self.state.pool).keep(mail.id(), pooled);
        let gone = kept.map_err(|no_room| {
            unkept(match no_room {
                NoRoom::Account => NotKept::AccountFull,
                NoRoom::Bytes => NotKept::BytesFull,
            })
        })?;
        self.change(Change::Mail(MailChange::Keep {
            mail_id: mail.id(),
            mail: pending,
        }));
        if let Some((mail_id, gone)) = gone {
            self.change(Change::Mail(MailChange::Forget { mail_id }));
            // Those who ask for a mail that had to make room are told so.
            let settled = Settled {
                state: SettledState::Failed,
                code: Ter::TER_NO_DKIM_KEY.code(),
                hash: Hash256::ZERO,
            };
            self.state.remember_failure(gone.pending.email_id, settled);
        }
        Ok(())
    }

    /// A mail for the pool; `None` where it says too little to be executed ever.
    fn pooled(&self, mail: &ReadMail, stage: MailStage) -> Option<PooledMail> {
        let explanation = mail.explanation();
        Some(PooledMail {
            pending: PendingMail {
                stage,
                order: self.state.pool.next_order(),
                email_id: explanation.email_id.as_ref().map(EmailId::hash)?,
                executable_until: explanation.executable_until?,
                raw: Arc::clone(mail.raw()),
            },
            account: explanation.from.as_ref()?.account,
            names: mail.names().to_vec(),
            tx: None,
            hope: Hope::Open,
        })
    }

    /// The keys that kept mails wait for, and that may be asked for now.
    pub(crate) fn wanted_names(&mut self, now: CloseTime) -> Vec<KeyName> {
        let validator = self.key.public_key();
        let mut wanted = Vec::new();
        for mail_id in self.state.pool.in_order() {
            let Some(mail) = self.state.pool.mail(&mail_id) else {
                continue;
            };
            if mail.pending.stage != MailStage::Kept || !self.state.can_pay(mail.account) {
                continue;
            }
            for name in &mail.names {
                if !self.state.attestations.has(name, &validator)
                    && rules::needs_look_up(&self.state.ledger, name)
                    && self.names.begin(name, now)
                {
                    wanted.push(name.clone());
                }
            }
        }
        wanted
    }

    /// Take the mails of the store into the pool. One that nobody can read any more is forgotten.
    pub(crate) fn restore_mails(&mut self, mails: Vec<(Hash256, PendingMail)>) {
        for (mail_id, pending) in mails {
            let mail = ReadMail::new(Arc::clone(&pending.raw), &self.state.ledger, self.network_id);
            let Some(from) = mail.explanation().from.as_ref() else {
                self.change(Change::Mail(MailChange::Forget { mail_id }));
                continue;
            };
            let pooled = PooledMail {
                pending,
                account: from.account,
                names: mail.names().to_vec(),
                tx: None,
                hope: Hope::Open,
            };
            Arc::make_mut(&mut self.state.pool).put(mail_id, pooled);
        }
    }

    /// Judge every pending mail against the new ledger, oldest first.
    pub(crate) fn retry_mails(&mut self) {
        for mail_id in self.state.pool.in_order() {
            self.retry_mail(mail_id);
        }
    }

    /// Whether nothing can have changed for a kept mail: none of its keys is on the ledger, and its window is
    /// open. Most waiting mails are such, and need no reading at each close.
    fn has_nothing_new(&self, mail: &PooledMail) -> bool {
        let ledger = &self.state.ledger;
        mail.pending.stage == MailStage::Kept
            && mail.pending.executable_until >= ledger.close_time()
            && mail
                .names
                .iter()
                .all(|name| ledger.state().entry(&name.keylet()).is_none())
    }

    fn retry_mail(&mut self, mail_id: Hash256) {
        let Some(mail) = self.state.pool.mail(&mail_id).map(Arc::clone) else {
            return;
        };
        if self.has_nothing_new(&mail) {
            return;
        }
        let explanation = rules::explain(&mail.pending.raw, &self.state.ledger, self.network_id);
        match judge(&explanation) {
            Judgement::Ready => {
                let tried = try_in(Arc::make_mut(&mut self.state.open), &explanation);
                let entered = tried.entered == Entered::Yes;
                let tx = tried.wrapped.filter(|_| entered).map(|tx| tx.id());
                self.note_retried(mail_id, &mail, tx);
                if !entered && tried.engine.class() != TerClass::Ter {
                    self.give_up(mail_id, tried.engine);
                }
            }
            Judgement::Later => {}
            Judgement::Never => self.give_up(mail_id, explanation.code),
        }
    }

    /// A mail was tried again; its transaction is in the open ledger, or there is none.
    fn note_retried(&mut self, mail_id: Hash256, before: &PooledMail, tx: Option<Hash256>) {
        let Some(mail) = Arc::make_mut(&mut self.state.pool).mail_mut(&mail_id) else {
            return;
        };
        mail.tx = tx;
        if tx.is_some() && before.pending.stage == MailStage::Kept {
            mail.pending.stage = MailStage::Submitted;
            let mail = mail.pending.clone();
            self.change(Change::Mail(MailChange::Keep { mail_id, mail }));
        }
    }

    /// A mail will never be executed. What is said about a proven one is stored; that about another is only remembered,
    /// since anybody can make one.
    pub(crate) fn give_up(&mut self, mail_id: Hash256, code: Ter) {
        let Some(mail) = Arc::make_mut(&mut self.state.pool).remove(&mail_id) else {
            return;
        };
        let email_id = mail.pending.email_id;
        self.log(Fact::GivenUp { email_id, code });
        self.change(Change::Mail(MailChange::Forget { mail_id }));
        if code == Ter::TEF_EMAIL_REPLAY {
            return;
        }
        let settled = Settled {
            state: SettledState::Failed,
            code: code.code(),
            hash: mail.tx.unwrap_or(Hash256::ZERO),
        };
        match mail.pending.stage {
            MailStage::Submitted => {
                self.change(Change::Mail(MailChange::Settle { email_id, settled }));
            }
            MailStage::Kept => self.state.remember_failure(email_id, settled),
        }
    }
}

impl Tried {
    fn refused(engine: Ter) -> Self {
        Self {
            engine,
            entered: Entered::No,
            wrapped: None,
        }
    }
}

fn judge(explanation: &Explanation) -> Judgement {
    match (explanation.qualifies, explanation.code) {
        (Qualifies::Yes, _) => Judgement::Ready,
        (Qualifies::Unknown, _) | (Qualifies::No, Ter::TER_EMAIL_EARLY | Ter::TER_NO_DKIM_KEY) => {
            Judgement::Later
        }
        (Qualifies::No, _) => Judgement::Never,
    }
}

/// Wrap the transaction for the open ledger and try it there.
fn try_in(open: &mut OpenLedger, explanation: &Explanation) -> Tried {
    let object = match rules::wrap(explanation, open) {
        Ok(object) => object,
        Err(code) => return Tried::refused(code),
    };
    let Ok(tx) = Transaction::from_object(&object) else {
        return Tried::refused(Ter::TEM_MALFORMED);
    };
    match open.submit(&tx) {
        Ok(outcome) => Tried {
            engine: outcome.ter,
            entered: if outcome.applied {
                Entered::Yes
            } else {
                Entered::No
            },
            wrapped: Some(tx),
        },
        Err(_) => Tried::refused(Ter::TEM_INVALID),
    }
}
