//! A mail's way through the node: judged at the door, kept for its key, wrapped, tried again at each close.
//!
//! Spec: 6.3, 7.3, 7.5, 12.

use amendment::limits::EMAIL_WINDOW_SECS;
use amendment::{AMENDMENT_EMAIL, EmailId};
use codec::{AccountId, Amount, CloseTime, Hash256, Ter, TerClass, hash, sf};
use explain::{Explanation, Qualifies};
use ledger::{OpenLedger, Transaction};
use rpc::api::{EmailAnswer, MailState, MailStatus, NotKept, SubmitEmail, SubmitMode, TxBlob};

use crate::core::Core;
use crate::store::{MailChange, MailStage, PendingMail, Settled, SettledState, StoreError};
use chain::limits::{EARLY_SECS_MAX, SPARE_BASE_FEES};
use chain::mail_pool::{Hope, NoRoom, PooledMail};
use chain::peers::{Peer, Work};
use chain::rules;
use ledger::dkim::DkimName;

/// A mail that the node does nothing more about.
const REFUSED: MailStatus = MailStatus {
    state: MailState::Failed,
    hash: None,
    ledger_index: None,
    engine: None,
};

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
    applied: bool,
    wrapped: Option<TxBlob>,
}

impl Core {
    /// Answer `submit_email`. The explanation was made from the mail and the validated ledger without the lock.
    pub(crate) fn take_mail(
        &mut self,
        request: SubmitEmail,
        explanation: Explanation,
        peer: &Peer,
        now: CloseTime,
    ) -> Result<EmailAnswer, StoreError> {
        if !self.open.view().amendment_enabled(&AMENDMENT_EMAIL) {
            // Nothing is looked up or kept for a rule that may never come.
            return Ok(EmailAnswer {
                explanation,
                engine: Ter::TEM_DISABLED,
                wrapped: None,
                status: None,
                not_kept: Some(NotKept::NotEnabled),
            });
        }
        let judgement = judge(&explanation);
        if judgement == Judgement::Never {
            self.peers.record(peer, Work::Failure, now);
        }
        let mut in_open = None;
        let mut not_kept = None;
        let (engine, wrapped) = match (judgement, request.mode) {
            (Judgement::Ready, SubmitMode::DryRun) => {
                let tried = try_in(&mut self.open.clone(), &explanation);
                (tried.engine, tried.wrapped)
            }
            (Judgement::Ready, SubmitMode::Submit) => {
                let tried = try_in(&mut self.open, &explanation);
                if tried.applied {
                    let tx = tried.wrapped.as_ref().map(|wrapped| wrapped.hash);
                    self.note_submitted(&request.mail, &explanation, tx)?;
                    in_open = Some(MailStatus {
                        state: MailState::Submitted,
                        hash: tx,
                        ..REFUSED
                    });
                } else if tried.engine.class() == TerClass::Ter {
                    not_kept = Some(NotKept::NotNow);
                }
                (tried.engine, tried.wrapped)
            }
            (Judgement::Later, SubmitMode::Submit) => {
                not_kept = self.keep(request.mail.clone(), &explanation, peer, now)?;
                let engine = match not_kept {
                    Some(NotKept::NoAccount) => Ter::TER_NO_ACCOUNT,
                    Some(NotKept::CannotPay) => Ter::TER_INSUF_FEE_B,
                    _ => explanation.code,
                };
                (engine, None)
            }
            (Judgement::Later, SubmitMode::DryRun) | (Judgement::Never, _) => (explanation.code, None),
        };
        let status = match in_open {
            Some(status) => Some(status),
            None => self.status_after(request.mode, &explanation, engine)?,
        };
        // A mail of the same EmailID may be on its way all the same.
        let not_kept = not_kept.filter(|_| status.is_none());
        Ok(EmailAnswer {
            explanation,
            engine,
            wrapped,
            status,
            not_kept,
        })
    }

    /// What the answer says of the mail: what the node knows of its EmailID; else that it is refused, unless it was
    /// only asked about, or may be executed when it is sent again (a ter is never final, spec 7.3).
    fn status_after(
        &self,
        mode: SubmitMode,
        explanation: &Explanation,
        engine: Ter,
    ) -> Result<Option<MailStatus>, StoreError> {
        let known = match explanation.email_id.as_ref().map(EmailId::hash) {
            Some(email_id) => self.status_of(&email_id)?,
            None => None,
        };
        Ok(match (known, mode) {
            (Some(status), _) => Some(status),
            (None, SubmitMode::Submit) if engine.class() != TerClass::Ter => Some(MailStatus {
                engine: Some(engine),
                ..REFUSED
            }),
            (None, SubmitMode::Submit | SubmitMode::DryRun) => None,
        })
    }

    /// What became of an EmailID: the validated transaction before a mail on its way, and that before a failure.
    pub(crate) fn status_of(&self, email_id: &Hash256) -> Result<Option<MailStatus>, StoreError> {
        let settled = self.store.settled(email_id)?;
        if let Some(Settled {
            state: SettledState::Validated { ledger_index },
            hash,
            ..
        }) = settled
        {
            let ledger_index = Some(ledger_index);
            return Ok(Some(MailStatus {
                state: MailState::Validated,
                hash: Some(hash),
                ledger_index,
                engine: settled.and_then(|settled| Ter::from_code(settled.code)),
            }));
        }
        if let Some((_, mail)) = self.pool.of_email(email_id).first() {
            let state = match mail.mail.stage {
                MailStage::Kept => MailState::Kept,
                MailStage::Submitted => MailState::Submitted,
            };
            return Ok(Some(MailStatus {
                state,
                hash: mail.tx,
                ledger_index: None,
                engine: None,
            }));
        }
        let failed = settled.or_else(|| self.failure(email_id));
        Ok(failed.map(|failed| MailStatus {
            state: MailState::Failed,
            hash: Some(failed.hash).filter(|hash| *hash != Hash256::ZERO),
            ledger_index: None,
            engine: Ter::from_code(failed.code),
        }))
    }

    /// A mail's transaction is in the open ledger: remember the mail until it is validated, over restarts too.
    fn note_submitted(
        &mut self,
        raw: &[u8],
        explanation: &Explanation,
        tx: Option<Hash256>,
    ) -> Result<(), StoreError> {
        let mail_id = mail_id(raw);
        let Some(mut mail) = self.mail_in_hand(raw.to_vec(), explanation, MailStage::Submitted) else {
            return Ok(());
        };
        mail.tx = tx;
        let record = mail.mail.clone();
        if self.pool.put_submitted(mail_id, mail).is_err() {
            // It is in the open ledger all the same; only nobody will try it again.
            return Ok(());
        }
        let written = self.store.change_mails(&[MailChange::Keep {
            mail_id,
            mail: record,
        }]);
        self.note_room(written)
    }

    /// Keep a mail for its key, if its account exists and can pay, and if there is room. Answers why it is not kept.
    fn keep(
        &mut self,
        raw: Vec<u8>,
        explanation: &Explanation,
        peer: &Peer,
        now: CloseTime,
    ) -> Result<Option<NotKept>, StoreError> {
        let mail_id = mail_id(&raw);
        if self.pool.mail(&mail_id).is_some() {
            return Ok(None);
        }
        if !self.peers.allows(peer, Work::Lookup, now) {
            return Ok(Some(NotKept::PeerFull));
        }
        let is_soon = explanation.executable_until.is_some_and(|until| {
            let signed = until.seconds().saturating_sub(EMAIL_WINDOW_SECS);
            signed <= now.seconds().saturating_add(EARLY_SECS_MAX)
        });
        let mail = self
            .mail_in_hand(raw, explanation, MailStage::Kept)
            .filter(|_| is_soon);
        let Some(mail) = mail else {
            return Ok(Some(NotKept::TooEarly));
        };
        if self.open.account(mail.account).is_none() {
            return Ok(Some(NotKept::NoAccount));
        }
        if !self.can_pay(mail.account) {
            return Ok(Some(NotKept::CannotPay));
        }
        let record = mail.mail.clone();
        let gone = match self.pool.keep(mail_id, mail) {
            Ok(gone) => gone,
            Err(NoRoom::Account) => return Ok(Some(NotKept::AccountFull)),
            Err(NoRoom::Bytes) => return Ok(Some(NotKept::BytesFull)),
        };
        let mut changes = vec![MailChange::Keep {
            mail_id,
            mail: record,
        }];
        if let Some((mail_id, gone)) = gone {
            changes.push(MailChange::Forget { mail_id });
            // Whoever asks for a mail that had to make room is told so.
            let settled = Settled {
                state: SettledState::Failed,
                code: Ter::TER_NO_DKIM_KEY.code(),
                hash: Hash256::ZERO,
            };
            self.remember_failure(gone.mail.email_id, settled);
        }
        let written = self.store.change_mails(&changes);
        if let Err(error) = self.note_room(written) {
            // Kept is only what is on disk.
            self.pool.remove(&mail_id);
            return Err(error);
        }
        Ok(None)
    }

    fn mail_in_hand(&self, raw: Vec<u8>, explanation: &Explanation, stage: MailStage) -> Option<PooledMail> {
        let account = explanation.from.as_ref()?.account;
        let names = rules::key_names(&raw);
        let record = PendingMail {
            stage,
            order: self.pool.next_order(),
            email_id: explanation.email_id.as_ref().map(EmailId::hash)?,
            executable_until: explanation.executable_until?,
            raw,
        };
        Some(PooledMail {
            mail: record,
            account,
            names,
            tx: None,
            hope: Hope::Open,
        })
    }

    /// Whether an account exists and holds what the cheapest mail costs.
    fn can_pay(&self, account: AccountId) -> bool {
        let base_fee = self.open.view().base_fee().get();
        let needed = base_fee.saturating_mul(SPARE_BASE_FEES.saturating_add(1));
        let balance = self
            .open
            .account(account)
            .and_then(|root| root.amount(sf::BALANCE));
        match balance {
            Some(Amount::Native(drops)) => u64::try_from(drops).is_ok_and(|drops| drops >= needed),
            _ => false,
        }
    }

    /// The keys that kept mails wait for, and that may be asked for now.
    pub(crate) fn wanted_names(&mut self, now: CloseTime) -> Vec<DkimName> {
        let mut wanted = Vec::new();
        for mail_id in self.pool.in_order() {
            let Some(mail) = self.pool.mail(&mail_id) else {
                continue;
            };
            if mail.mail.stage != MailStage::Kept || !self.can_pay(mail.account) {
                continue;
            }
            for name in mail.names.clone() {
                if !self.attestations.contains_key(&name)
                    && rules::needs_look_up(&self.ledger, &name)
                    && self.names.begin(&name, now)
                {
                    wanted.push(name);
                }
            }
        }
        wanted
    }

    /// Take up the mails that the store kept over a restart.
    pub(crate) fn restore_mails(&mut self) -> Result<(), StoreError> {
        let mut unreadable = Vec::new();
        for (mail_id, record) in self.store.waiting_mails()? {
            let explanation = rules::explain(&record.raw, &self.ledger, self.network_id);
            let Some(from) = explanation.from else {
                unreadable.push(MailChange::Forget { mail_id });
                continue;
            };
            let names = rules::key_names(&record.raw);
            let mail = PooledMail {
                mail: record,
                account: from.account,
                names,
                tx: None,
                hope: Hope::Open,
            };
            self.pool.restore(mail_id, mail);
        }
        self.store.change_mails(&unreadable)?;
        self.retry_mails()
    }

    /// Judge every mail on its way against the new ledger, oldest first.
    pub(crate) fn retry_mails(&mut self) -> Result<(), StoreError> {
        let mut changes = Vec::new();
        for mail_id in self.pool.in_order() {
            self.retry_mail(mail_id, &mut changes);
        }
        self.store.change_mails(&changes)
    }

    /// Whether nothing can have changed for a kept mail: none of its keys is on the ledger, and its window is open. Most
    /// waiting mails are such, and need no reading at each close.
    fn has_nothing_new(&self, mail: &PooledMail) -> bool {
        mail.mail.stage == MailStage::Kept
            && mail.mail.executable_until >= self.ledger.close_time()
            && mail
                .names
                .iter()
                .all(|name| self.ledger.state().entry(&name.keylet()).is_none())
    }

    fn retry_mail(&mut self, mail_id: Hash256, changes: &mut Vec<MailChange>) {
        let Some(mail) = self.pool.mail(&mail_id) else {
            return;
        };
        if self.has_nothing_new(mail) {
            return;
        }
        let explanation = rules::explain(&mail.mail.raw, &self.ledger, self.network_id);
        let refusal = match judge(&explanation) {
            Judgement::Ready => {
                let tried = try_in(&mut self.open, &explanation);
                let is_final = !tried.applied && tried.engine.class() != TerClass::Ter;
                let hash = tried
                    .wrapped
                    .filter(|_| tried.applied)
                    .map(|wrapped| wrapped.hash);
                if let Some(mail) = self.pool.mail_mut(&mail_id) {
                    mail.tx = hash;
                    if tried.applied && mail.mail.stage == MailStage::Kept {
                        mail.mail.stage = MailStage::Submitted;
                        changes.push(MailChange::Keep {
                            mail_id,
                            mail: mail.mail.clone(),
                        });
                    }
                }
                is_final.then_some(tried.engine)
            }
            Judgement::Later => None,
            Judgement::Never => Some(explanation.code),
        };
        if let Some(code) = refusal {
            self.give_up(mail_id, code, changes);
        }
    }

    /// A mail will never be executed. The word about a proven one is stored; that about another is only remembered, since
    /// anybody can make one.
    pub(crate) fn give_up(&mut self, mail_id: Hash256, code: Ter, changes: &mut Vec<MailChange>) {
        let Some(mail) = self.pool.remove(&mail_id) else {
            return;
        };
        tracing::info!(email_id = %mail.mail.email_id, code = code.token(), "a mail is given up");
        changes.push(MailChange::Forget { mail_id });
        if code == Ter::TEF_EMAIL_REPLAY {
            return;
        }
        let hash = mail.tx.unwrap_or(Hash256::ZERO);
        let settled = Settled {
            state: SettledState::Failed,
            code: code.code(),
            hash,
        };
        match mail.mail.stage {
            MailStage::Submitted => {
                changes.push(MailChange::Settle {
                    email_id: mail.mail.email_id,
                    settled,
                });
            }
            MailStage::Kept => self.remember_failure(mail.mail.email_id, settled),
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
    let refused = |engine| Tried {
        engine,
        applied: false,
        wrapped: None,
    };
    let object = match rules::wrap(explanation, open) {
        Ok(object) => object,
        Err(code) => return refused(code),
    };
    let Ok(tx) = Transaction::from_object(&object) else {
        return refused(Ter::TEM_MALFORMED);
    };
    let wrapped = TxBlob {
        tx: object,
        blob: tx.blob().to_vec(),
        hash: tx.id(),
    };
    match open.submit(&tx) {
        Ok(outcome) => Tried {
            engine: outcome.ter,
            applied: outcome.applied,
            wrapped: Some(wrapped),
        },
        Err(_) => refused(Ter::TEM_INVALID),
    }
}

/// A mail's own name in the node: the hash of its bytes.
pub(crate) fn mail_id(raw: &[u8]) -> Hash256 {
    hash::sha512_half(&[raw])
}
