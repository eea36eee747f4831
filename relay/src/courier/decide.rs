//! What an answer of a node means for an entry. Pure: entry, answer and time in, next step out.
//!
//! | answer | next |
//! |---|---|
//! | state `validated` | final, with what `tx` shows |
//! | state `kept` or `submitted` | a node has it; asked again at the next ledger |
//! | tel, ter, an unknown tef, `not_kept` | tried again, later and later |
//! | tefEMAIL_FULL | the same: the account's room comes back within the window of the mail |
//! | tefPAST_SEQ, tefMAX_LEDGER, tefBAD_EMAIL_FEE | the same: they speak of the wrapper, which the node makes anew |
//! | terEMAIL_EARLY | tried again when its time has come |
//! | tefEMAIL_REPLAY without a state | executed before, by another way; believed when it is said twice with the longest pause between |
//! | tem, tefDKIM_REVOKED, tefEMAIL_DISABLED, tefEMAIL_EXPIRED, tefBAD_SIGNATURE | final |
//! | tefBAD_SIGNATURE on a signature that the relay has proved | tried again: the key on the ledger is not the newest (7.3) |
//! | tem on a mail that the relay has proved | node and relay disagree; after a few tries it is held for the operator |
//! | anything but the first two rows, after the window | expired |
//!
//! A refusal is final only if no other node that can be reached says otherwise: [`Step::rank`]. Spec: 7.3, 8.5, 10, 12.

use amendment::limits::EMAIL_SKEW_SECS;
use codec::{Ter, TerClass};

use super::answer::{Code, Made, NodeAnswer, NodeState, Paid, Proof, signed_at};
use crate::limits::{
    EXPIRY_MARGIN_SECS, EXPIRY_SECS_MAX, POISON_TRIES, RETRY_SECS_MAX, RETRY_SECS_MIN,
    SUBMITTED_RETRY_SECS_MIN,
};
use crate::queue::{Dkim, Entry, MailId, State};

/// What to do with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Validated: `tx` tells the rest.
    LookUp,
    /// Nothing comes after it.
    Final(State),
    /// A node has it. Asked at the next ledgers, and handed in again at `next_try`, Unix seconds.
    Submitted {
        /// When.
        next_try: u64,
    },
    /// Tried again at `next_try`, Unix seconds.
    Later {
        /// When.
        next_try: u64,
    },
    /// Set aside until the operator releases it.
    Hold,
}

impl Step {
    /// How much a step says among those that several nodes' answers give; the highest counts.
    pub fn rank(self) -> u8 {
        match self {
            Step::LookUp | Step::Final(State::Validated) => 4,
            Step::Submitted { .. } => 3,
            Step::Later { .. } => 2,
            Step::Final(_) => 1,
            Step::Hold => 0,
        }
    }

    /// Whether no other node need be asked.
    pub fn is_taken(self) -> bool {
        self.rank() >= 3
    }
}

/// A step, and what is to be written with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// What to do.
    pub step: Step,
    /// See [`Entry::code`].
    pub code: Option<String>,
    /// See [`Entry::rule`].
    pub rule: Option<String>,
    /// See [`Entry::word`].
    pub word: Option<String>,
    /// See [`Entry::fix`].
    pub fix: Option<String>,
    /// See [`Entry::hash`].
    pub hash: Option<String>,
    /// EmailID, where the node tells one.
    pub email_id: Option<MailId>,
    /// What the node found of the signature.
    pub proof: Proof,
    /// The transaction, where it is validated and known.
    pub paid: Option<Box<Paid>>,
}

impl Next {
    fn new(step: Step, word: Option<String>) -> Next {
        Next {
            step,
            code: None,
            rule: None,
            word,
            fix: None,
            hash: None,
            email_id: None,
            proof: Proof::Open,
            paid: None,
        }
    }

    /// Tried again: no node could say anything about the mail.
    pub fn no_word(entry: &Entry, word: String, now: u64) -> Next {
        let step = after_window(entry, later(entry, now), now);
        let next = Next::new(step, Some(word));
        Next {
            code: entry.code.clone(),
            rule: entry.rule.clone(),
            fix: entry.fix.clone(),
            ..next
        }
    }

    /// Set aside.
    pub fn hold(word: String) -> Next {
        Next::new(Step::Hold, Some(word))
    }

    /// Writes the step into the entry. `node` gave the answer.
    pub fn write(self, entry: &mut Entry, node: Option<&str>, now: u64) {
        entry.tries = entry.tries.saturating_add(1);
        entry.code = self.code;
        entry.rule = self.rule;
        entry.word = self.word;
        entry.fix = self.fix;
        entry.node = node.map(str::to_owned).or(entry.node.take());
        entry.hash = self.hash.or(entry.hash.take());
        entry.email_id = entry.email_id.or(self.email_id);
        if self.proof == Proof::Shown {
            entry.dkim = Dkim::Proven;
        }
        if let Some(paid) = self.paid {
            entry.hash = Some(paid.hash);
            entry.ledger_index = paid.ledger_index;
            entry.amount = paid.amount;
            entry.fee_drops = paid.fee_drops;
            entry.is_first_payment = paid.made == Made::Account;
        }
        match self.step {
            Step::Final(state) => {
                entry.state = state;
                entry.final_at = Some(now);
            }
            Step::Submitted { next_try } => {
                entry.state = State::Submitted;
                entry.next_try = next_try;
            }
            Step::Later { next_try } => {
                entry.state = State::Received;
                entry.next_try = next_try;
            }
            Step::Hold => entry.is_held = true,
            // The transaction itself could not be had; the node is asked again soon.
            Step::LookUp => {
                entry.state = State::Submitted;
                entry.next_try = now.saturating_add(RETRY_SECS_MIN);
            }
        }
    }
}

/// What the answer to `submit_email` means.
pub fn decide(entry: &Entry, answer: &NodeAnswer, now: u64) -> Next {
    let is_proven = entry.dkim == Dkim::Proven || answer.proof == Proof::Shown;
    let step = match answer.state {
        // The EmailID may be that of a true mail, and this copy a forgery of it.
        Some(NodeState::Validated) if is_proven => Step::LookUp,
        Some(NodeState::Kept | NodeState::Submitted) => submitted(entry, now),
        _ => after_window(entry, step_of_code(entry, answer, now), now),
    };
    let said = said_of(&answer.code);
    let mut next = Next {
        code: Some(answer.code.as_str().to_owned()),
        rule: answer.rule.clone().or_else(|| said.map(|said| said.0.to_owned())),
        fix: answer.fix.clone().or_else(|| said.map(|said| said.1.to_owned())),
        hash: answer.hash.clone(),
        email_id: answer.email_id,
        proof: answer.proof,
        ..Next::new(step, answer.not_kept.clone().or_else(|| answer.word.clone()))
    };
    match step {
        Step::Final(State::Validated) => {
            next.word = Some("It was executed before; the nodes no longer have its transaction.".to_owned());
        }
        Step::Hold => {
            next.word = Some(format!(
                "The node refuses ({}, rule {}) what this relay's verifier accepts: check their versions, then release it.",
                answer.code.as_str(),
                next.rule.as_deref().unwrap_or("unknown"),
            ));
        }
        _ => {}
    }
    next
}

/// What a validated transaction means: final, whatever its result.
pub fn decide_paid(paid: Box<Paid>) -> Next {
    let code = paid.code.as_ref();
    let is_charged = code.is_some_and(|code| code.class() == TerClass::Tec);
    let message = code
        .and_then(|code| Ter::from_token(code.as_str()))
        .map(Ter::message);
    let word = match (is_charged, message) {
        (true, Some(message)) => Some(format!("Nothing was paid, and the fee was taken: {message}")),
        (true, None) => Some("Nothing was paid, and the fee was taken.".to_owned()),
        (false, message) => message.map(str::to_owned),
    };
    Next {
        code: code.map(|code| code.as_str().to_owned()),
        fix: is_charged
            .then(|| "This mail is used up: mend what the result says, and write a new one.".to_owned()),
        paid: Some(paid),
        ..Next::new(Step::Final(State::Validated), word)
    }
}

/// The next ledgers are watched; the mail is handed in again much later, in case that the node has lost it.
fn submitted(entry: &Entry, now: u64) -> Step {
    if now > entry.executable_until.saturating_add(EXPIRY_SECS_MAX) {
        return Step::Final(State::Expired);
    }
    let pause_secs = pause_secs(entry).max(SUBMITTED_RETRY_SECS_MIN);
    Step::Submitted {
        next_try: now.saturating_add(pause_secs),
    }
}

fn step_of_code(entry: &Entry, answer: &NodeAnswer, now: u64) -> Step {
    let code = &answer.code;
    if answer.not_kept.is_some() {
        return later(entry, now);
    }
    match code.class() {
        TerClass::Ter if code.is(Ter::TER_EMAIL_EARLY) => early(entry, now),
        TerClass::Tem if entry.dkim == Dkim::Proven => {
            if entry.tries.saturating_add(1) >= POISON_TRIES {
                return Step::Hold;
            }
            later(entry, now)
        }
        TerClass::Tem => Step::Final(State::Refused),
        TerClass::Tef if code.is(Ter::TEF_EMAIL_EXPIRED) => {
            let is_of_window = answer.rule.as_deref() == Some("4.6");
            Step::Final(if is_of_window {
                State::Expired
            } else {
                State::Refused
            })
        }
        TerClass::Tef if code.is(Ter::TEF_DKIM_REVOKED) || code.is(Ter::TEF_EMAIL_DISABLED) => {
            Step::Final(State::Refused)
        }
        TerClass::Tef if code.is(Ter::TEF_BAD_SIGNATURE) && entry.dkim == Dkim::Unproven => {
            Step::Final(State::Refused)
        }
        TerClass::Tef if code.is(Ter::TEF_EMAIL_REPLAY) => replayed(entry, now),
        // A result of class tes or tec without a state is the open ledger's, which nothing is final in.
        _ => later(entry, now),
    }
}

/// Somebody else has handed the mail in. What stands in the open ledger only may still fall out of it.
fn replayed(entry: &Entry, now: u64) -> Step {
    let is_said_before = entry.code.as_deref() == Some(Ter::TEF_EMAIL_REPLAY.token());
    if is_said_before && doubled_secs(entry.tries.saturating_sub(1)) >= RETRY_SECS_MAX {
        return Step::Final(State::Validated);
    }
    later(entry, now)
}

/// No ledger takes the mail before its Date, less the allowed skew. Spec: 4.6.
fn early(entry: &Entry, now: u64) -> Step {
    let from = signed_at(entry).saturating_sub(u64::from(EMAIL_SKEW_SECS));
    match later(entry, now) {
        Step::Later { next_try } if from > now => Step::Later {
            next_try: from
                .saturating_add(spread_secs(entry, RETRY_SECS_MIN))
                .max(next_try.min(from)),
        },
        other => other,
    }
}

/// What is not taken once the window is over, never will be. The ledger's time may lag behind the clock.
fn after_window(entry: &Entry, step: Step, now: u64) -> Step {
    let end = entry.executable_until.saturating_add(EXPIRY_MARGIN_SECS);
    match step {
        Step::Later { .. } | Step::Hold if now > end => Step::Final(State::Expired),
        // The end is not slept through.
        Step::Later { next_try } if now <= end => Step::Later {
            next_try: next_try.min(end.saturating_add(1)),
        },
        other => other,
    }
}

fn later(entry: &Entry, now: u64) -> Step {
    Step::Later {
        next_try: now.saturating_add(pause_secs(entry)),
    }
}

/// 5 s, doubled with each try up to 10 min, and up to a quarter more: the same for one mail, different among many.
fn pause_secs(entry: &Entry) -> u64 {
    let pause_secs = doubled_secs(entry.tries);
    pause_secs.saturating_add(spread_secs(entry, pause_secs / 4))
}

fn doubled_secs(tries: u32) -> u64 {
    let factor = 1_u64.checked_shl(tries.min(32)).unwrap_or(u64::MAX);
    RETRY_SECS_MIN.saturating_mul(factor).min(RETRY_SECS_MAX)
}

/// A part of `most_secs` by the entry's key.
fn spread_secs(entry: &Entry, most_secs: u64) -> u64 {
    let [first, second, ..] = *entry.id.as_bytes();
    let part = u64::from(u16::from_be_bytes([first, second]));
    most_secs.saturating_mul(part) / u64::from(u16::MAX)
}

/// Rule and fix of results that no check of the mail alone gives.
fn said_of(code: &Code) -> Option<(&'static str, &'static str)> {
    const ROWS: [(Ter, &str, &str); 7] = [
        (
            Ter::TER_NO_ACCOUNT,
            "10",
            "Let somebody send XAH to your address first: that makes the account.",
        ),
        (
            Ter::TER_INSUF_FEE_B,
            "6.3",
            "Let somebody send XAH to your address: it cannot pay the fee.",
        ),
        (
            Ter::TEF_EMAIL_FULL,
            "8.5",
            "Wait: this mail goes on when the oldest of your 64 mails is five days old.",
        ),
        (
            Ter::TEF_EMAIL_EXPIRED,
            "8.6",
            "Send the instruction anew, after the REKEY.",
        ),
        (
            Ter::TEF_EMAIL_DISABLED,
            "11",
            "Sign with the key of the account; it was taken off email.",
        ),
        (
            Ter::TEF_EMAIL_REPLAY,
            "8.2",
            "Nothing is left to do; to pay the same again, send a new mail.",
        ),
        (
            Ter::TER_NO_DKIM_KEY,
            "7.3",
            "Wait: the key of your provider is being looked up.",
        ),
    ];
    let row = ROWS.iter().find(|row| code.is(row.0))?;
    Some((row.1, row.2))
}
