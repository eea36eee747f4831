//! A mail's way through the node: judged as it comes, kept for its key, wrapped, tried again at each close.
//!
//! Spec: 6.3, 7.3, 7.5, 12.

use std::sync::Arc;

use amendment::key_record::PublishedKey;
use amendment::{AMENDMENT_EMAIL, EmailId, KeyName, ReadView as _, ScreenError};
use codec::{CloseTime, Hash256, Ter, TerClass};
use explain::Explanation;
use ledger::{OpenLedger, Transaction};

use crate::chain::Chain;
use crate::commit::{Change, MailChange, MailStage, PendingMail, Settled, SettledState};
use crate::event::{Entered, Fact, MailMode, MailReply, MailRequest, NotKept, Reply};
use crate::limits::EARLY_SECS_MAX;
use crate::mail::{Form, Judgement, ReadMail, executable_from, signed_date};
use crate::mail_pool::{Gone, NoRoom, PooledMail, Proof};
use crate::names::{Known, Wanted};
use crate::peers::{Peer, Work};
use crate::rules;

/// What became of the transaction of a mail.
struct Tried {
    engine: Ter,
    by_account: Option<ScreenError>,
    entered: Entered,
    wrapped: Option<Transaction>,
}

/// Why a mail stays away from the open ledger, and the result that says so.
struct Unkept {
    reason: Option<NotKept>,
    engine: Ter,
}

impl Chain {
    /// A mail came in.
    pub(crate) fn take_mail(&mut self, request: MailRequest, now: CloseTime) {
        let reply = match self.state.admit(&request.peer, now) {
            Ok(()) => {
                let reply = self.submit_mail(request.mail, request.mode, &request.peer, now);
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
                by_account: None,
                wrapped: None,
                entered: Entered::No,
                standing: None,
                not_kept: Some(NotKept::NotEnabled),
            };
        }
        let judgement = Judgement::of(mail.explanation());
        if matches!(judgement, Judgement::Never(_)) {
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
            (Judgement::NoKey | Judgement::Early | Judgement::EarlyUnproven, MailMode::Submit) => {
                let unkept = self.keep(&mail, judgement, peer, now).err();
                not_kept = unkept.as_ref().and_then(|unkept| unkept.reason);
                Tried::refused(unkept.map_or(mail.explanation().code, |unkept| unkept.engine))
            }
            (Judgement::NoKey | Judgement::Early | Judgement::EarlyUnproven, MailMode::DryRun) => {
                Tried::refused(mail.explanation().code)
            }
            (Judgement::Never(code), _) => Tried::refused(code),
        };
        let email_id = mail.explanation().email_id.as_ref().map(EmailId::hash);
        let standing = email_id.and_then(|email_id| self.state.standing(&email_id));
        MailReply {
            mail,
            engine: tried.engine,
            by_account: tried.by_account,
            wrapped: tried.wrapped,
            entered: tried.entered,
            standing,
            not_kept,
        }
    }

    /// A mail's transaction is in the open ledger: remember the mail until it is validated, over restarts too.
    fn note_submitted(&mut self, mail: &ReadMail, tx: Option<Hash256>) {
        let Some(form) = mail.forms().first() else { return };
        let Some(mut pooled) = self.pooled(mail.explanation(), form, MailStage::Submitted) else {
            return;
        };
        pooled.tx = tx;
        pooled.proof = Proof::Ledger;
        let change = MailChange::Keep {
            mail_id: form.id,
            mail: pooled.pending.clone(),
        };
        let put = Arc::make_mut(&mut self.state.pool).put_submitted(form.id, pooled);
        // Without room it is in the open ledger all the same; only nobody will try it again.
        if put.is_ok() {
            self.change(Change::Mail(change));
        }
    }

    /// Keep a mail for its key or its time, if its account exists and can pay, and if there is room.
    fn keep(
        &mut self,
        mail: &ReadMail,
        judgement: Judgement,
        peer: &Peer,
        now: CloseTime,
    ) -> Result<(), Unkept> {
        let explanation = mail.explanation();
        let is_known = |form: &Form| self.state.pool.mail(&form.id).is_some();
        if mail.forms().iter().any(is_known) {
            return Ok(());
        }
        // An idle ledger's time may be hours old: only what is ahead of the clock too is dated ahead.
        let ahead_secs_max = match judgement {
            Judgement::Early => EARLY_SECS_MAX,
            Judgement::Ready | Judgement::NoKey | Judgement::EarlyUnproven | Judgement::Never(_) => 0,
        };
        let latest = CloseTime::new(now.seconds().saturating_add(ahead_secs_max));
        let latest = latest.max(self.state.ledger.close_time());
        let until = explanation.executable_until;
        if until.is_none_or(|until| executable_from(until) > latest) {
            return Err(Unkept::new(NotKept::TooEarly, explanation.code));
        }
        let Some(account) = explanation.from.as_ref().map(|from| from.account) else {
            return Err(Unkept::new(NotKept::NoAccount, explanation.code));
        };
        if self.state.open.account(account).is_none() {
            return Err(Unkept::new(NotKept::NoAccount, Ter::TER_NO_ACCOUNT));
        }
        let email_id = explanation.email_id.as_ref().map(EmailId::hash);
        if email_id.is_some_and(|email_id| rules::is_executed(&self.state.open, account, &email_id)) {
            return Err(Unkept {
                reason: None,
                engine: Ter::TEF_EMAIL_REPLAY,
            });
        }
        if !self.state.can_pay(account) {
            return Err(Unkept::new(NotKept::CannotPay, Ter::TER_INSUF_FEE_B));
        }
        let is_limited = judgement != Judgement::Early && !self.state.peers.allows(peer, Work::Lookup, now);
        if is_limited {
            return Err(Unkept::new(NotKept::PeerFull, explanation.code));
        }
        let mut unkept = Unkept::new(NotKept::NoRecord, explanation.code);
        let mut kept = Vec::new();
        for form in mail.forms() {
            let proof = match judgement {
                Judgement::Early => Ok(Proof::Ledger),
                Judgement::Ready | Judgement::NoKey | Judgement::EarlyUnproven | Judgement::Never(_) => {
                    self.proof_of(form, now)
                }
            };
            match proof.and_then(|proof| self.keep_form(explanation, form, proof, *peer)) {
                Ok(proof) => kept.push(proof),
                Err(why) => unkept = why,
            }
        }
        if kept.is_empty() {
            return Err(unkept);
        }
        if kept.contains(&Proof::None) {
            Arc::make_mut(&mut self.state.peers).record(peer, Work::Lookup, now);
            self.want_names();
        }
        Ok(())
    }

    /// What proves a mail under what DNS said about its key a moment ago; why it need not be kept.
    fn proof_of(&mut self, form: &Form, now: CloseTime) -> Result<Proof, Unkept> {
        let (found, seen) = match self.names.known(&form.name, now) {
            None => return Ok(Proof::None),
            Some(Known::NoRecord) => return Err(Unkept::new(NotKept::NoRecord, Ter::TER_NO_DKIM_KEY)),
            Some(Known::Record { found, seen }) => (found.clone(), *seen),
        };
        if self.verifies(&form.bytes, &form.name, &found, now) {
            self.attest_record(&form.name, &found, seen);
            return Ok(Proof::Record);
        }
        Err(Unkept {
            reason: None,
            engine: Ter::TEF_BAD_SIGNATURE,
        })
    }

    fn keep_form(
        &mut self,
        explanation: &Explanation,
        form: &Form,
        proof: Proof,
        peer: Peer,
    ) -> Result<Proof, Unkept> {
        let unkept = |reason| Unkept::new(reason, explanation.code);
        let pooled = self.pooled(explanation, form, MailStage::Kept);
        let pooled = PooledMail {
            proof,
            peer,
            ..pooled.ok_or_else(|| unkept(NotKept::TooEarly))?
        };
        let pending = pooled.pending.clone();
        let kept = Arc::make_mut(&mut self.state.pool).keep(form.id, pooled);
        let gone = kept.map_err(|no_room| match no_room {
            NoRoom::Account => unkept(NotKept::AccountFull),
            NoRoom::Bytes => unkept(NotKept::BytesFull),
        })?;
        self.change(Change::Mail(MailChange::Keep {
            mail_id: form.id,
            mail: pending,
        }));
        self.note_gone(gone);
        Ok(proof)
    }

    /// Mails had to make room for another. Those who ask for one are told so.
    fn note_gone(&mut self, gone: Gone) {
        for (mail_id, gone) in gone {
            self.change(Change::Mail(MailChange::Forget { mail_id }));
            self.remember_unproven(gone.pending.email_id, Ter::TER_NO_DKIM_KEY);
        }
    }

    /// Remember for those who ask that a mail is not kept any more. Anybody can make such a mail, so it is not
    /// stored.
    fn remember_unproven(&mut self, email_id: Hash256, code: Ter) {
        let settled = Settled {
            state: SettledState::Failed,
            code: code.code(),
            hash: Hash256::ZERO,
        };
        self.state.remember_failure(email_id, settled);
    }

    /// A mail for the pool; `None` where it says too little to be executed ever.
    fn pooled(&self, explanation: &Explanation, form: &Form, stage: MailStage) -> Option<PooledMail> {
        Some(PooledMail {
            pending: PendingMail {
                stage,
                order: self.state.pool.next_order(),
                email_id: explanation.email_id.as_ref().map(EmailId::hash)?,
                executable_until: explanation.executable_until?,
                raw: Arc::clone(&form.bytes),
            },
            account: explanation.from.as_ref()?.account,
            name: form.name.clone(),
            tx: None,
            peer: Peer::Operator,
            proof: Proof::None,
        })
    }

    /// Whether a mail is proven under a record of DNS.
    pub(crate) fn verifies(&self, raw: &[u8], name: &KeyName, found: &PublishedKey, now: CloseTime) -> bool {
        let now = now.max(self.state.ledger.close_time());
        let explanation = rules::explain_under(raw, now, self.network_id, name, found.key());
        matches!(Judgement::of(&explanation), Judgement::Ready | Judgement::Early)
    }

    /// The names that kept mails wait for.
    pub(crate) fn wanted_names(&self) -> Vec<Wanted> {
        let validator = self.key.public_key();
        let is_wanted = |mail: &PooledMail| {
            mail.proof != Proof::Ledger && !self.state.attestations.has_key(&mail.name, &validator)
        };
        let kept = self.state.pool.kept_mails().filter(|(_, mail)| is_wanted(mail));
        kept.map(|(_, mail)| Wanted {
            name: mail.name.clone(),
            account: mail.account,
            peer: mail.peer,
            order: mail.pending.order,
        })
        .collect()
    }

    /// Take the mails of the store into the pool. One that nobody can read any more is forgotten.
    pub(crate) fn restore_mails(&mut self, mails: Vec<(Hash256, PendingMail)>) {
        for (mail_id, pending) in mails {
            let mail = ReadMail::new(&pending.raw, &self.state.ledger, self.network_id);
            let explanation = mail.explanation();
            let name = mail.forms().first().map(|form| form.name.clone());
            let name = name.or_else(|| amendment::key_names(&pending.raw).into_iter().next());
            let (Some(from), Some(name)) = (explanation.from.as_ref(), name) else {
                self.change(Change::Mail(MailChange::Forget { mail_id }));
                continue;
            };
            let proof = match Judgement::of(explanation) {
                Judgement::Ready | Judgement::Early => Proof::Ledger,
                Judgement::NoKey | Judgement::EarlyUnproven | Judgement::Never(_) => Proof::None,
            };
            let pooled = PooledMail {
                pending,
                account: from.account,
                name,
                tx: None,
                peer: Peer::Operator,
                proof,
            };
            Arc::make_mut(&mut self.state.pool).put(mail_id, pooled);
        }
    }

    /// Judge every pending mail against the new ledger, oldest first.
    pub(crate) fn retry_mails(&mut self) {
        for (_, mail_id) in self.state.pool.in_order() {
            self.retry_mail(mail_id);
        }
    }

    /// Whether nothing can have changed for a kept mail: its window is open, and either its key is not on the
    /// ledger or has ended by its age, or its time has not come. Most waiting mails are such, and need no reading
    /// at each close.
    fn has_nothing_new(&self, mail: &PooledMail) -> bool {
        let (ledger, pending) = (&self.state.ledger, &mail.pending);
        if pending.stage != MailStage::Kept || pending.executable_until < ledger.close_time() {
            return false;
        }
        match mail.proof {
            Proof::None | Proof::Record => {
                !rules::can_judge(ledger, &mail.name, signed_date(pending.executable_until))
            }
            Proof::Ledger => ledger.close_time() < executable_from(pending.executable_until),
        }
    }

    pub(crate) fn retry_mail(&mut self, mail_id: Hash256) {
        let Some(mail) = self.state.pool.mail(&mail_id).map(Arc::clone) else {
            return;
        };
        if self.has_nothing_new(&mail) {
            return;
        }
        let explanation = rules::explain(&mail.pending.raw, &self.state.ledger, self.network_id);
        match Judgement::of(&explanation) {
            Judgement::Ready => {
                let tried = try_in(Arc::make_mut(&mut self.state.open), &explanation);
                let entered = tried.entered == Entered::Yes;
                let tx = tried.wrapped.filter(|_| entered).map(|tx| tx.id());
                self.note_retried(mail_id, &mail, tx);
                if !entered && tried.engine.class() != TerClass::Ter {
                    self.give_up(mail_id, tried.engine);
                }
            }
            Judgement::NoKey => self.ask_again(mail_id, &mail),
            Judgement::Early | Judgement::EarlyUnproven => {}
            Judgement::Never(code) => self.give_up(mail_id, code),
        }
    }

    /// A mail whose key has ended by its age since it was proven: it waits for its key again. Spec: 7.4
    fn ask_again(&mut self, mail_id: Hash256, before: &PooledMail) {
        if before.proof != Proof::Ledger {
            return;
        }
        let mut mail = before.clone();
        mail.tx = None;
        mail.proof = Proof::Record;
        if mail.pending.stage == MailStage::Submitted {
            mail.pending.stage = MailStage::Kept;
            let mail = mail.pending.clone();
            self.change(Change::Mail(MailChange::Keep { mail_id, mail }));
        }
        Arc::make_mut(&mut self.state.pool).replace(mail_id, mail);
        self.want_names();
    }

    /// A mail was tried again; its transaction is in the open ledger, or there is none.
    fn note_retried(&mut self, mail_id: Hash256, before: &PooledMail, tx: Option<Hash256>) {
        let is_new = tx.is_some() && before.pending.stage == MailStage::Kept;
        let mut mail = before.clone();
        mail.tx = tx;
        mail.proof = Proof::Ledger;
        if is_new {
            mail.pending.stage = MailStage::Submitted;
            let mail = mail.pending.clone();
            self.change(Change::Mail(MailChange::Keep { mail_id, mail }));
        }
        Arc::make_mut(&mut self.state.pool).replace(mail_id, mail);
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
        match mail.pending.stage {
            MailStage::Submitted => {
                let settled = Settled {
                    state: SettledState::Failed,
                    code: code.code(),
                    hash: mail.tx.unwrap_or(Hash256::ZERO),
                };
                self.change(Change::Mail(MailChange::Settle { email_id, settled }));
            }
            MailStage::Kept => self.remember_unproven(email_id, code),
        }
    }
}

impl Unkept {
    fn new(reason: NotKept, engine: Ter) -> Self {
        Self {
            reason: Some(reason),
            engine,
        }
    }
}

impl Tried {
    fn refused(engine: Ter) -> Self {
        Self {
            engine,
            by_account: None,
            entered: Entered::No,
            wrapped: None,
        }
    }
}

/// Wrap the transaction for the open ledger and try it there.
fn try_in(open: &mut OpenLedger, explanation: &Explanation) -> Tried {
    let tx = match rules::wrap(explanation, open) {
        Ok(tx) => tx,
        Err(code) => return Tried::refused(code),
    };
    match open.submit(&tx) {
        Ok(outcome) => Tried {
            engine: outcome.ter,
            by_account: outcome.by_account,
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
