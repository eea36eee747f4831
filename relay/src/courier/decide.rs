//! What an answer of a node means for an entry. Pure: entry, answer and time in, next step out.
//!
//! | answer | next |
//! |---|---|
//! | state `validated` | final, with what `tx` shows |
//! | state `kept` or `submitted` | a node has it; asked again at the next ledger |
//! | tel, ter, an unknown tef, `not_kept` | tried again, later and later |
//! | tefEMAIL_FULL | the same: the account's room comes back within the window of the mail |
//! | tefPAST_SEQ, tefMAX_LEDGER, tefBAD_EMAIL_FEE | the same: they speak of the wrapper, which the node makes again each time |
//! | terEMAIL_EARLY | tried again when its time has come |
//! | tefEMAIL_REPLAY without a state | executed before, by another way; believed when it is said twice with the longest pause between |
//! | tem, tefDKIM_REVOKED, tefDKIM_FROZEN, tefEMAIL_DISABLED, tefEMAIL_EXPIRED, tefEMAIL_AFTER, tefBAD_SIGNATURE | final |
//! | tefBAD_SIGNATURE on a signature that the relay has proved | tried again: the key on the ledger is not the newest (7.3) |
//! | tem on a mail that the relay has proved | node and relay disagree; after a few tries it is held for the operator |
//! | anything but the first two rows, after the window by a ledger's close time | expired |
//!
//! A refusal is final only if no other node that can be reached says otherwise ([`Step::rank`]); while one
//! cannot be reached, only after a few tries ([`Next::without_absent`]). Spec: 7.3, 8.5, 10, 12.

use amendment::Rule;
use amendment::limits::EMAIL_SKEW_SECS;
use codec::{Hash256, Ter, TerClass};
use rpc::api::MailState;
use rpc::reply::ResultCode;

use super::answer::{NodeAnswer, Proof, Validated, signed_at};
use crate::limits::{
    EXPIRY_MARGIN_SECS, EXPIRY_SECS_MAX, POISON_TRIES, REFUSAL_TRIES, RETRY_PAUSE_SECS_MAX, RETRY_SECS_MAX,
    RETRY_SECS_MIN, SUBMITTED_RETRY_SECS_MIN,
};
use crate::queue::{Dkim, End, Entry, Hold, Outcome, Progress, Said, State, Trail};

/// What time it is, Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// By the relay's clock: when to try again.
    pub now: u64,
    /// By the last ledger, as a node told it: whether a mail can still be executed. The relay's clock may be
    /// wrong, and what it calls over may still be paid.
    pub ledger: Option<u64>,
}

/// How an order ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// In a validated ledger.
    Validated(Outcome),
    /// It can never be executed.
    Refused,
    /// Its five days are over.
    Expired,
}

/// What to do with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Validated: `tx` tells the rest.
    LookUp,
    /// Nothing comes after it.
    Final(Ending),
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
    #[must_use]
    pub fn rank(self) -> u8 {
        match self {
            Step::LookUp | Step::Final(Ending::Validated(_)) => 4,
            Step::Submitted { .. } => 3,
            Step::Later { .. } => 2,
            Step::Final(Ending::Refused | Ending::Expired) => 1,
            Step::Hold => 0,
        }
    }

    /// Whether no other node need be asked.
    #[must_use]
    pub fn is_taken(self) -> bool {
        self.rank() >= 3
    }
}

/// A step, and what is to be written with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// What to do.
    pub step: Step,
    /// The last word.
    pub said: Said,
    /// Hash of the transaction that the node made of the mail.
    pub transaction: Option<Hash256>,
    /// What the node found of the signature.
    pub proof: Proof,
}

impl Next {
    fn new(step: Step, said: Said) -> Next {
        Next {
            step,
            said,
            transaction: None,
            proof: Proof::Open,
        }
    }

    /// Tried again: no node could say anything about the mail. Only the word of a node ends it, even after
    /// its window, since it may be validated; and a node that had it still has it.
    #[must_use]
    pub fn no_word(entry: &Entry, word: String, now: u64) -> Next {
        let next_try = now.saturating_add(pause_secs(entry));
        let step = match &entry.progress {
            Progress::Submitted { .. } => Step::Submitted { next_try },
            Progress::Received { .. }
            | Progress::Validated { .. }
            | Progress::Refused(_)
            | Progress::Expired(_)
            | Progress::Answered(_)
            | Progress::Dropped(_) => Step::Later { next_try },
        };
        let said = Said {
            word: Some(word),
            ..entry.said.clone()
        };
        Next::new(step, said)
    }

    /// The same where a node could not be asked: it might take what the others refuse, and is given some
    /// time.
    #[must_use]
    pub fn without_absent(self, entry: &Entry, now: u64) -> Next {
        match self.step {
            Step::Final(Ending::Refused) | Step::Hold if entry.tries.saturating_add(1) < REFUSAL_TRIES => {
                Next {
                    step: later(entry, now),
                    ..self
                }
            }
            Step::LookUp | Step::Final(_) | Step::Submitted { .. } | Step::Later { .. } | Step::Hold => self,
        }
    }

    /// Set aside.
    #[must_use]
    pub fn hold(word: String) -> Next {
        let said = Said {
            word: Some(word),
            ..Said::default()
        };
        Next::new(Step::Hold, said)
    }

    /// Writes the step into an entry that is not final. `node` gave the answer.
    pub fn write(self, entry: &mut Entry, node: Option<&str>, times: Times) {
        let now = times.now;
        entry.tries = entry.tries.saturating_add(1);
        entry.said = self.said;
        if self.proof == Proof::Shown {
            entry.dkim = Dkim::Proven;
        }
        let before = entry.progress.trail();
        let trail = Trail {
            node: node.map(str::to_owned).or(before.node),
            transaction: self.transaction.or(before.transaction),
        };
        let hold = if entry.is_held() { Hold::Held } else { Hold::Free };
        entry.progress = match self.step {
            Step::Final(Ending::Validated(outcome)) => Progress::Validated {
                at: now,
                node: trail.node,
                outcome,
            },
            Step::Final(Ending::Refused) => Progress::Refused(End { at: now, trail }),
            Step::Final(Ending::Expired) => Progress::Expired(End { at: now, trail }),
            Step::Submitted { next_try } => {
                entry.next_try = next_try;
                Progress::submitted(hold, trail)
            }
            Step::Later { next_try } => {
                entry.next_try = next_try;
                Progress::Received { hold, trail }
            }
            // A hold would never end: nothing is tried any more.
            Step::Hold if is_over(entry, times) => Progress::Expired(End { at: now, trail }),
            Step::Hold if entry.state() == State::Submitted => Progress::submitted(Hold::Held, trail),
            Step::Hold => Progress::Received {
                hold: Hold::Held,
                trail,
            },
            // The node did not give the transaction itself; it is asked again soon.
            Step::LookUp => {
                entry.next_try = now.saturating_add(pause_secs(entry));
                Progress::submitted(hold, trail)
            }
        };
    }
}

/// What a node's reply to `submit_email` means.
#[must_use]
pub fn decide(entry: &Entry, answer: &NodeAnswer, times: Times) -> Next {
    let is_proven = entry.dkim == Dkim::Proven || answer.proof == Proof::Shown;
    let step = match answer.state {
        // The EmailID may be that of a true mail, and this copy a forgery of it.
        Some(MailState::Validated) if is_proven => Step::LookUp,
        Some(MailState::Kept | MailState::Submitted) => submitted(entry, times),
        Some(MailState::Validated | MailState::Failed) | None => {
            after_window(entry, step_of_code(entry, answer, times.now), times)
        }
    };
    let row = said_of(&answer.code);
    let mut said = Said {
        code: Some(answer.code.clone()),
        rule: answer.rule.or_else(|| row.map(|row| row.0)),
        word: answer.not_kept.clone().or_else(|| answer.word.clone()),
        fix: answer.fix.clone().or_else(|| row.map(|row| row.1.to_owned())),
    };
    match step {
        Step::Final(Ending::Validated(_)) => {
            said.word = Some("It was already executed; the nodes no longer have its transaction.".to_owned());
        }
        Step::Final(Ending::Expired) if !answer.code.is(Ter::TEF_EMAIL_EXPIRED) => {
            said.rule = Some(Rule::R4_6);
            said.word = Some("Its five days are over; the code is the last answer of a node.".to_owned());
            said.fix =
                Some("Send the instruction again in a new mail; a mail is valid for five days.".to_owned());
        }
        Step::Hold => {
            let rule = said.rule.map_or("unknown".to_owned(), |rule| rule.to_string());
            said.word = Some(format!(
                "The node refuses ({}, rule {rule}) a mail that this relay's verifier accepts: check their versions, then release it.",
                answer.code.as_str(),
            ));
        }
        Step::Final(Ending::Refused | Ending::Expired)
        | Step::LookUp
        | Step::Submitted { .. }
        | Step::Later { .. } => {}
    }
    Next {
        transaction: answer.transaction,
        proof: answer.proof,
        ..Next::new(step, said)
    }
}

/// What a validated transaction means: final, whatever its result.
pub fn decide_validated(validated: Validated) -> Next {
    let Validated { code, outcome } = validated;
    let message = code.as_ref().and_then(ResultCode::ter).map(Ter::message);
    let is_charged = matches!(outcome, Outcome::Charged { .. });
    let word = match (is_charged, message) {
        (true, Some(message)) => Some(format!("Nothing was paid, but the fee was charged: {message}")),
        (true, None) => Some("Nothing was paid, but the fee was charged.".to_owned()),
        (false, message) => message.map(str::to_owned),
    };
    let said = Said {
        code,
        rule: None,
        word,
        fix: is_charged.then(|| {
            "This mail cannot be used again: correct what the result names, then send a new one.".to_owned()
        }),
    };
    Next::new(Step::Final(Ending::Validated(outcome)), said)
}

/// The next ledgers are watched; the mail is handed in again much later, in case the node has lost it.
fn submitted(entry: &Entry, times: Times) -> Step {
    if is_over_by(entry, times, EXPIRY_SECS_MAX) {
        return Step::Final(Ending::Expired);
    }
    let pause_secs = pause_secs(entry).max(SUBMITTED_RETRY_SECS_MIN);
    Step::Submitted {
        next_try: times.now.saturating_add(pause_secs),
    }
}

/// A node calls a mail malformed that the relay found good. Where email is not enabled yet, both are right.
pub(super) fn is_contradicted(entry: &Entry) -> bool {
    let ter = entry.said.code.as_ref().and_then(ResultCode::ter);
    let is_tem = ter.is_some_and(|ter| ter.class() == TerClass::Tem && ter != Ter::TEM_DISABLED);
    is_tem && entry.dkim == Dkim::Proven && entry.order().is_some()
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
        TerClass::Tem => Step::Final(Ending::Refused),
        TerClass::Tef if code.is(Ter::TEF_EMAIL_EXPIRED) => {
            let is_of_window = answer.rule == Some(Rule::R4_6);
            Step::Final(if is_of_window {
                Ending::Expired
            } else {
                Ending::Refused
            })
        }
        TerClass::Tef
            if [
                Ter::TEF_DKIM_REVOKED,
                Ter::TEF_DKIM_FROZEN,
                Ter::TEF_EMAIL_DISABLED,
                Ter::TEF_EMAIL_AFTER,
            ]
            .into_iter()
            .any(|ter| code.is(ter)) =>
        {
            Step::Final(Ending::Refused)
        }
        TerClass::Tef if code.is(Ter::TEF_BAD_SIGNATURE) && entry.dkim == Dkim::Unproven => {
            Step::Final(Ending::Refused)
        }
        TerClass::Tef if code.is(Ter::TEF_EMAIL_REPLAY) => replayed(entry, answer, now),
        // A result of class tes or tec without a state is the open ledger's, which nothing is final in.
        TerClass::Tel | TerClass::Tef | TerClass::Ter | TerClass::Tes | TerClass::Tec => later(entry, now),
    }
}

/// Somebody else has handed the mail in. What stands in the open ledger only may still fall out of it.
fn replayed(entry: &Entry, answer: &NodeAnswer, now: u64) -> Step {
    let code = entry.said.code.as_ref();
    let is_said_before = code.is_some_and(|code| code.is(Ter::TEF_EMAIL_REPLAY));
    if is_said_before && doubled_secs(entry.tries.saturating_sub(1)) >= RETRY_SECS_MAX {
        let transaction = answer.transaction.or(entry.progress.trail().transaction);
        return Step::Final(Ending::Validated(Outcome::Replayed { transaction }));
    }
    later(entry, now)
}

/// No ledger takes the mail before its Date, less the allowed skew. Spec: 4.6.
fn early(entry: &Entry, now: u64) -> Step {
    let from = signed_at(entry).saturating_sub(u64::from(EMAIL_SKEW_SECS));
    if from <= now {
        return later(entry, now);
    }
    Step::Later {
        next_try: from
            .saturating_add(spread_secs(entry, RETRY_SECS_MIN))
            .max(next_try_at(entry, now).min(from)),
    }
}

/// Whether the window is over: by a ledger's time alone.
#[must_use]
pub fn is_over(entry: &Entry, times: Times) -> bool {
    is_over_by(entry, times, EXPIRY_MARGIN_SECS)
}

fn is_over_by(entry: &Entry, times: Times, margin_secs: u64) -> bool {
    let end = entry.executable_until.saturating_add(margin_secs);
    times.ledger.is_some_and(|ledger| ledger > end)
}

/// A mail that no node has taken by the end of its window is never executed.
fn after_window(entry: &Entry, step: Step, times: Times) -> Step {
    let end = entry.executable_until.saturating_add(EXPIRY_MARGIN_SECS);
    match step {
        Step::Later { .. } | Step::Hold if is_over(entry, times) => Step::Final(Ending::Expired),
        // The last try comes right after the end of the window.
        Step::Later { next_try } if times.now <= end => Step::Later {
            next_try: next_try.min(end.saturating_add(1)),
        },
        Step::LookUp | Step::Final(_) | Step::Submitted { .. } | Step::Later { .. } | Step::Hold => step,
    }
}

/// Whether a try is further away than any answer puts it: the clock was ahead when it was written.
#[must_use]
pub fn is_stale(entry: &Entry, now: u64) -> bool {
    let longest = RETRY_PAUSE_SECS_MAX.saturating_add(now);
    let is_early = entry
        .said
        .code
        .as_ref()
        .is_some_and(|code| code.is(Ter::TER_EMAIL_EARLY));
    let from = if is_early { signed_at(entry) } else { 0 };
    entry.next_try > longest.max(from.saturating_add(RETRY_PAUSE_SECS_MAX))
}

fn later(entry: &Entry, now: u64) -> Step {
    Step::Later {
        next_try: next_try_at(entry, now),
    }
}

fn next_try_at(entry: &Entry, now: u64) -> u64 {
    now.saturating_add(pause_secs(entry))
}

/// 5 s, doubled with each try up to 10 min, and up to a quarter more: the same for one mail, different among
/// many.
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
fn said_of(code: &ResultCode) -> Option<(Rule, &'static str)> {
    const ROWS: [(Ter, Rule, &str); 9] = [
        (
            Ter::TER_NO_ACCOUNT,
            Rule::R10,
            "Ask somebody to send XAH to your address first: that creates the account.",
        ),
        (
            Ter::TER_INSUF_FEE_B,
            Rule::R6_3,
            "Ask somebody to send XAH to your address: it cannot pay the fee, which a payment may not take out of the \
             reserve.",
        ),
        (
            Ter::TEF_EMAIL_FULL,
            Rule::R8_5,
            "Wait: this mail is processed when the oldest of the 64 mails by which you paid is five days old.",
        ),
        (
            Ter::TEF_EMAIL_EXPIRED,
            Rule::R8_6,
            "Write a new mail: this one was signed before the last REKEY.",
        ),
        (
            Ter::TEF_EMAIL_AFTER,
            Rule::R8_6,
            "Write a new mail that names the last REKEY (AFTER); a node's answer gives the line.",
        ),
        (
            Ter::TEF_EMAIL_DISABLED,
            Rule::R11,
            "Sign with the key of the account; email was turned off for it.",
        ),
        (
            Ter::TEF_EMAIL_REPLAY,
            Rule::R8_2,
            "There is nothing left to do; to pay the same again, send a new mail.",
        ),
        (
            Ter::TEF_DKIM_FROZEN,
            Rule::R7_10,
            "Write a new mail once the validators let the mails of your provider through again; they have stopped them.",
        ),
        (
            Ter::TER_NO_DKIM_KEY,
            Rule::R7_3,
            "Wait: the key of your provider is being looked up.",
        ),
    ];
    let row = ROWS.iter().find(|row| code.is(row.0))?;
    Some((row.1, row.2))
}

#[cfg(test)]
mod tests {
    use super::super::answer::{TxAnswer, Unreadable, weigh_tx};
    use super::*;
    use crate::mail::{Channel, TraceId};
    use crate::notices::tests::{pay, sender};
    use crate::queue::{InLedger, Made, MailId, Request, Thread};
    use amendment::EmailId;
    use codec::Drops;
    use rpc::api::SubmitEmail;
    use rpc::methods::{Request as _, TxRequest};
    use rpc::reply::{BadReply, Receipt, Reserved, Sum};
    use serde_json::{Value, json};

    const NOW: u64 = 1_794_830_400;
    const HASH: &str = "5B56D075927BE03121CF009EDB48EA86D908B084C5B03EA6CA02A1D9FF7FDEC8";
    const ALICE: &str = "rfbRDkaJNbLnpGc5941gkNEBcshX1Z198z";
    const BOB: &str = "rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5o";

    fn entry(dkim: Dkim) -> Entry {
        let entry = Entry {
            id: MailId::new([0; 32]),
            trace: TraceId::of([0; 10]),
            request: Request::Order {
                order: pay(BOB),
                email_id: EmailId::new(Hash256::from_hex(HASH).expect("a hash")),
            },
            instruction: "REMIT 10 XAH".to_owned(),
            from: sender("alice@mail.test"),
            dkim,
            channel: Channel::Smtp,
            message_id: String::new(),
            thread: Thread::default(),
            may_answer: true,
            bytes: 1,
            received_at: NOW - 10,
            executable_until: NOW - 10 + 432_000,
            next_try: NOW,
            tries: 0,
            progress: Progress::new(),
            said: Said::default(),
            auth_results: None,
        };
        assert_eq!(entry.from.account().to_string(), ALICE);
        entry
    }

    fn code(entry: &Entry) -> Option<&str> {
        entry.said.code.as_ref().map(ResultCode::as_str)
    }

    fn proven() -> Entry {
        entry(Dkim::Proven)
    }

    fn read(reply: &Value) -> Result<NodeAnswer, BadReply> {
        SubmitEmail::read(reply).map(NodeAnswer::from)
    }

    fn tx(entry: &Entry, reply: &Value) -> Result<TxAnswer, Unreadable> {
        let reply = TxRequest::read(reply).map_err(|bad| Unreadable::Member(bad.member()))?;
        weigh_tx(entry, &reply)
    }

    fn step(entry: &Entry, answer: Value, now: u64) -> Step {
        decide(entry, &read(&answer).expect("readable"), at(now)).step
    }

    /// Clock and ledger agree.
    fn at(now: u64) -> Times {
        let ledger = Some(now);
        Times { now, ledger }
    }

    fn said(code: &str, state: Value) -> Value {
        json!({"engine_result": code, "state": state})
    }

    const LATER: Step = Step::Later { next_try: NOW + 5 };

    /// The right column is the table of spec 10 with the verdicts of 6.3, 7.3, 8.5 and 12.
    #[test]
    fn a_good_mail_that_a_node_calls_malformed_is_counted_and_no_other() {
        let of = |dkim, code: &str| {
            let mut entry = entry(dkim);
            entry.said.code = ResultCode::parse(code);
            is_contradicted(&entry)
        };
        assert!(of(Dkim::Proven, "temMALFORMED"));
        assert!(of(Dkim::Proven, "temREDUNDANT"));
        assert!(!of(Dkim::Proven, "temDISABLED"), "the network has no email yet");
        assert!(!of(Dkim::Proven, "tefEMAIL_REPLAY") && !of(Dkim::Proven, "tesSUCCESS"));
        assert!(!of(Dkim::Unproven, "temMALFORMED"), "nobody found it good");
    }

    #[test]
    fn accepts_each_code_as_final_or_not() {
        for (code, state, expected) in [
            ("tefEMAIL_REPLAY", json!("validated"), Step::LookUp),
            (
                "tesSUCCESS",
                json!("submitted"),
                Step::Submitted { next_try: NOW + 15 },
            ),
            (
                "terNO_DKIM_KEY",
                json!("kept"),
                Step::Submitted { next_try: NOW + 15 },
            ),
            (
                "tefEMAIL_REPLAY",
                json!("submitted"),
                Step::Submitted { next_try: NOW + 15 },
            ),
            ("terNO_DKIM_KEY", Value::Null, LATER),
            ("terNO_ACCOUNT", Value::Null, LATER),
            ("terINSUF_FEE_B", Value::Null, LATER),
            ("terFROM_THE_FUTURE", Value::Null, LATER),
            ("telCAN_NOT_QUEUE_FULL", json!("failed"), LATER),
            ("telINSUF_FEE_P", json!("failed"), LATER),
            ("tefEMAIL_FULL", json!("failed"), LATER),
            ("tefBAD_EMAIL_FEE", json!("failed"), LATER),
            ("tefPAST_SEQ", json!("failed"), LATER),
            ("tefMAX_LEDGER", json!("failed"), LATER),
            ("tefINTERNAL", json!("failed"), LATER),
            ("tefEMAIL_REPLAY", json!("failed"), LATER),
            ("tecUNFUNDED_PAYMENT", json!("failed"), LATER),
            ("tefEMAIL_DISABLED", json!("failed"), Step::Final(Ending::Refused)),
            ("tefDKIM_REVOKED", json!("failed"), Step::Final(Ending::Refused)),
            ("tefEMAIL_EXPIRED", json!("failed"), Step::Final(Ending::Refused)),
        ] {
            assert_eq!(step(&proven(), said(code, state), NOW), expected, "{code}");
        }
        for (code, expected) in [
            ("temMALFORMED", Step::Final(Ending::Refused)),
            ("tefBAD_SIGNATURE", Step::Final(Ending::Refused)),
            ("terNO_DKIM_KEY", LATER),
        ] {
            let unproven = entry(Dkim::Unproven);
            assert_eq!(
                step(&unproven, said(code, json!("failed")), NOW),
                expected,
                "{code}"
            );
        }
    }

    #[test]
    fn rejects_a_refusal_of_what_the_relay_has_proved_and_holds_it_in_the_end() {
        let mut entry = proven();
        let (tem, bad) = (
            said("temMALFORMED", json!("failed")),
            said("tefBAD_SIGNATURE", json!("failed")),
        );
        assert_eq!(step(&entry, tem.clone(), NOW), LATER);
        assert_eq!(step(&entry, bad.clone(), NOW), LATER);
        entry.tries = 2;
        assert_eq!(step(&entry, tem.clone(), NOW), Step::Hold);
        assert_eq!(step(&entry, bad, NOW), Step::Later { next_try: NOW + 20 });
        let held = decide(&entry, &read(&tem).expect("readable"), at(NOW));
        held.write(&mut entry, Some("n:1"), at(NOW));
        assert!(entry.is_held() && entry.said.word.expect("a word").contains("temMALFORMED"));
    }

    /// Spec 1: no amendment, no verdict about the mail.
    #[test]
    fn accepts_not_kept_as_no_verdict_whatever_the_code() {
        let answer =
            json!({"engine_result": "temDISABLED", "state": null, "not_kept": "Not kept: x. Send it again."});
        assert_eq!(step(&entry(Dkim::Unproven), answer, NOW), LATER);
    }

    /// Spec 7.5: who knows the text of a mail can make another one of the same EmailID.
    #[test]
    fn rejects_the_validated_state_of_a_mail_whose_signature_is_not_shown() {
        let unproven = entry(Dkim::Unproven);
        let mut answer = said("tefEMAIL_REPLAY", json!("validated"));
        assert_eq!(step(&unproven, answer.clone(), NOW), LATER);
        answer["checks"] = json!([{"rule": "7.3", "verdict": "pass"}, {"rule": "4.5", "verdict": "pass"}]);
        assert_eq!(step(&unproven, answer, NOW), Step::LookUp);
    }

    /// Spec 4.6: not before the Date less 300 s.
    #[test]
    fn accepts_a_mail_from_the_future_when_its_time_has_come() {
        let mut entry = proven();
        let early = said("terEMAIL_EARLY", Value::Null);
        entry.executable_until = NOW + 3_600 + 432_000;
        assert_eq!(
            step(&entry, early.clone(), NOW),
            Step::Later {
                next_try: NOW + 3_300
            }
        );
        assert_eq!(
            step(&entry, early, NOW + 3_300),
            Step::Later {
                next_try: NOW + 3_305
            },
            "the ledger lags, or t= is later than the Date"
        );
    }

    #[test]
    fn accepts_the_end_of_the_window_only_from_a_node_and_after_the_margin() {
        let entry = proven();
        let end = entry.executable_until;
        let key = said("terNO_DKIM_KEY", Value::Null);
        assert!(
            matches!(step(&entry, key.clone(), end + 300), Step::Later { next_try } if next_try == end + 301)
        );
        assert_eq!(step(&entry, key, end + 301), Step::Final(Ending::Expired));
        assert_eq!(
            step(&entry, said("tesSUCCESS", json!("validated")), end + 301),
            Step::LookUp
        );
        assert!(matches!(
            step(&entry, said("tesSUCCESS", json!("submitted")), end + 86_400),
            Step::Submitted { .. }
        ));
        assert_eq!(
            step(&entry, said("tesSUCCESS", json!("submitted")), end + 86_401),
            Step::Final(Ending::Expired)
        );
        let window = json!({"engine_result": "tefEMAIL_EXPIRED", "code": "tefEMAIL_EXPIRED", "state": "failed",
            "checks": [{"rule": "4.6", "verdict": "fail", "read": "too old", "fix": "Send it again."}]});
        assert_eq!(
            step(&entry, window, NOW),
            Step::Final(Ending::Expired),
            "x= may end it sooner"
        );
    }

    /// A clock that is seven days ahead says nothing about the ledger, and neither does a ledger that no node
    /// told.
    #[test]
    fn rejects_the_end_of_the_window_by_the_clock_of_the_relay() {
        let entry = proven();
        let now = entry.executable_until + 7 * 86_400;
        let waits = read(&said("terNO_DKIM_KEY", Value::Null)).expect("readable");
        let kept = read(&said("terNO_DKIM_KEY", json!("kept"))).expect("readable");
        for ledger in [None, Some(NOW), Some(entry.executable_until + EXPIRY_MARGIN_SECS)] {
            let times = Times { now, ledger };
            let later = Step::Later { next_try: now + 5 };
            assert_eq!(decide(&entry, &waits, times).step, later, "{ledger:?}");
            let submitted = Step::Submitted { next_try: now + 15 };
            assert_eq!(decide(&entry, &kept, times).step, submitted, "{ledger:?}");
            let mut held = proven();
            Next::hold("odd".to_owned()).write(&mut held, None, times);
            assert!(held.is_held(), "{ledger:?}");
        }
        let times = Times {
            now: NOW,
            ledger: Some(entry.executable_until + EXPIRY_MARGIN_SECS + 1),
        };
        let over = Step::Final(Ending::Expired);
        assert_eq!(decide(&entry, &waits, times).step, over, "a clock that is behind");
    }

    #[test]
    fn accepts_a_try_that_a_clock_ahead_put_off_as_stale() {
        let mut entry = proven();
        for (next_try, expected) in [
            (NOW, false),
            (NOW + RETRY_PAUSE_SECS_MAX, false),
            (NOW + RETRY_PAUSE_SECS_MAX + 1, true),
            (NOW + 7 * 86_400, true),
        ] {
            entry.next_try = next_try;
            assert_eq!(is_stale(&entry, NOW), expected, "{next_try}");
        }
        entry.said.code = Some(Ter::TER_EMAIL_EARLY.into());
        entry.executable_until = NOW + 86_400 + 432_000;
        entry.next_try = NOW + 86_100;
        assert!(
            !is_stale(&entry, NOW),
            "a mail from the future waits for its time"
        );
        entry.next_try = NOW + 7 * 86_400;
        assert!(is_stale(&entry, NOW));
    }

    /// 5, 10, 20 ... 600 s; the largest key adds a quarter.
    #[test]
    fn accepts_pauses_that_double_up_to_ten_minutes() {
        let mut entry = proven();
        let mut pauses = Vec::new();
        for tries in [0, 1, 2, 6, 7, 40, u32::MAX] {
            entry.tries = tries;
            pauses.push(pause_secs(&entry));
        }
        assert_eq!(pauses, [5, 10, 20, 320, 600, 600, 600]);
        entry.id = MailId::new([255; 32]);
        assert_eq!(pause_secs(&entry), 750);
    }

    #[test]
    fn accepts_a_replay_without_a_state_when_it_is_said_twice_ten_minutes_apart() {
        let mut entry = proven();
        let replay = said("tefEMAIL_REPLAY", json!("failed"));
        let mut now = NOW;
        for _ in 0..8 {
            let next = decide(&entry, &read(&replay).expect("readable"), at(now));
            let Step::Later { next_try } = next.step else {
                panic!("too soon: {:?} after {} s", next.step, now - NOW);
            };
            next.write(&mut entry, Some("n:1"), at(now));
            now = next_try;
        }
        let outcome = Outcome::Replayed { transaction: None };
        assert_eq!(step(&entry, replay, now), Step::Final(Ending::Validated(outcome)));
    }

    #[test]
    fn rejects_to_hold_what_is_over_and_accepts_it_within_the_window() {
        let mut entry = proven();
        let end = entry.executable_until + EXPIRY_MARGIN_SECS;
        Next::hold("odd".to_owned()).write(&mut entry, None, at(end));
        assert_eq!((entry.is_held(), entry.state()), (true, State::Received));
        let mut entry = proven();
        Next::hold("odd".to_owned()).write(&mut entry, None, at(end + 1));
        assert_eq!((entry.is_held(), entry.state()), (false, State::Expired));
        assert_eq!(
            (entry.progress.final_at(), entry.said.word.as_deref()),
            (Some(end + 1), Some("odd"))
        );
    }

    #[test]
    fn accepts_rule_word_and_fix_of_the_check_that_failed() {
        let answer = json!({"engine_result": "temMALFORMED", "code": "temMALFORMED", "state": "failed", "checks": [
            {"rule": "3.4", "verdict": "pass", "read": "x", "fix": ""},
            {"rule": "5.2", "verdict": "fail", "read": "no\ninstruction \u{e9}", "fix": "Write it first."},
            {"rule": "7.3", "verdict": "unknown", "read": "y", "fix": "Wait."}]});
        let mut entry = entry(Dkim::Unproven);
        let next = decide(&entry, &read(&answer).expect("readable"), at(NOW));
        next.write(&mut entry, Some("node:1"), at(NOW));
        assert_eq!(
            (entry.state(), entry.progress.final_at()),
            (State::Refused, Some(NOW))
        );
        assert_eq!(entry.said.rule, Some(Rule::R5_2));
        assert_eq!(entry.said.word.as_deref(), Some("no?instruction ?"));
        assert_eq!(entry.said.fix.as_deref(), Some("Write it first."));
        assert_eq!(entry.progress.trail().node.as_deref(), Some("node:1"));
        let no_account = json!({"engine_result": "terNO_ACCOUNT", "code": "terNO_DKIM_KEY", "state": null,
            "checks": [{"rule": "7.3", "verdict": "unknown", "read": "y", "fix": "Wait."}]});
        let next = decide(&entry, &read(&no_account).expect("readable"), at(NOW));
        assert_eq!(
            next.said.rule,
            Some(Rule::R10),
            "the check is not what the result is about"
        );
    }

    fn validated_answer(result: &str) -> Value {
        json!({
            "state": "validated", "validated": true, "hash": HASH, "ledger_index": 4, "TransactionType": "Remit",
            "Account": ALICE, "Destination": BOB, "Fee": "1234",
            "Amounts": [{"AmountEntry": {"Amount": "10500000"}}],
            "meta": {"TransactionResult": result, "AffectedNodes": [
                {"ModifiedNode": {"LedgerEntryType": "AccountRoot",
                    "FinalFields": {"Account": ALICE, "Balance": "988498766"},
                    "PreviousFields": {"Balance": "1000000000"}}},
                {"CreatedNode": {"LedgerEntryType": "AccountRoot",
                    "NewFields": {"Account": BOB, "Balance": "11500000"}}}]},
        })
    }

    fn paid(entry: &mut Entry, answer: &Value) {
        let Ok(TxAnswer::Validated(found)) = tx(entry, answer) else {
            panic!("validated");
        };
        decide_validated(found).write(entry, Some("n:1"), at(NOW));
    }

    #[test]
    fn accepts_what_a_validated_transaction_tells() {
        let mut entry = proven();
        paid(&mut entry, &validated_answer("tesSUCCESS"));
        assert_eq!(code(&entry), Some("tesSUCCESS"));
        let transaction = InLedger {
            hash: Hash256::from_hex(HASH).expect("a hash"),
            ledger_index: Some(4),
            fee: Some(Drops::new(1_234)),
        };
        let reserved = Reserved {
            drops: Drops::new(1_000_000),
            made: rpc::reply::Made::Account,
        };
        let paid_sum = Sum::of_drops(Drops::new(10_500_000));
        let first = Outcome::Applied {
            transaction,
            made: Made::Account,
            receipt: Receipt::new((paid_sum, paid_sum), reserved, Drops::new(1_234)),
        };
        let validated = Progress::Validated {
            at: NOW,
            node: Some("n:1".to_owned()),
            outcome: first,
        };
        assert_eq!(entry.progress, validated);
        let mut entry = proven();
        let mut euros = validated_answer("tesSUCCESS");
        euros["meta"]["AffectedNodes"] = json!([]);
        paid(&mut entry, &euros);
        let outcome = entry.progress.outcome().expect("validated");
        assert_eq!(
            (outcome.receipt(), outcome.made()),
            (None, Made::Nothing),
            "no node shows it"
        );
    }

    #[test]
    fn accepts_a_validated_tec_as_a_fee_without_a_payment() {
        let mut entry = proven();
        paid(&mut entry, &validated_answer("tecUNFUNDED_PAYMENT"));
        assert_eq!(code(&entry), Some("tecUNFUNDED_PAYMENT"));
        let outcome = entry.progress.outcome().expect("validated");
        assert!(matches!(outcome, Outcome::Charged { .. }));
        assert_eq!(
            (outcome.receipt(), outcome.fee()),
            (None, Some(Drops::new(1_234)))
        );
        assert_eq!(entry.state(), State::Failed);
        assert!(entry.said.word.expect("a word").starts_with("Nothing was paid"));
    }

    /// The history of the node is shorter than its memory of EmailIDs.
    #[test]
    fn accepts_validated_without_a_transaction() {
        for (result, is_known) in [("tesSUCCESS", true), ("tefEMAIL_REPLAY", false)] {
            let mut entry = proven();
            let answer = json!({"state": "validated", "hash": HASH, "engine_result": result});
            paid(&mut entry, &answer);
            let outcome = entry.progress.outcome().expect("validated");
            assert_eq!(matches!(outcome, Outcome::Applied { .. }), is_known, "{result}");
            assert_eq!(outcome.hash().map(|hash| hash.to_string()).as_deref(), Some(HASH));
            assert_eq!((outcome.receipt(), outcome.fee()), (None, None));
        }
    }

    #[test]
    fn rejects_answers_that_are_not_those_of_a_node() {
        for answer in [
            json!(null),
            json!([]),
            json!({"engine_result": 7}),
            json!({"engine_result": "yes"}),
            json!({"engine_result": "te"}),
            json!({"engine_result": "tes<script>"}),
            json!({"engine_result": format!("tes{}", "A".repeat(70))}),
            json!({"engine_result": "tesSUCCESS", "state": "paid"}),
            json!({"engine_result": "tesSUCCESS", "state": 1}),
        ] {
            assert!(read(&answer).is_err(), "{answer}");
        }
        let entry = proven();
        for (pointer, value) in [
            ("/hash", json!("AB")),
            ("/ledger_index", json!("four")),
            ("/Account", json!(BOB)),
            ("/Destination", json!(ALICE)),
            ("/meta/TransactionResult", json!("temMALFORMED")),
            ("/meta/TransactionResult", json!(null)),
        ] {
            let mut answer = validated_answer("tesSUCCESS");
            *answer.pointer_mut(pointer).expect("there") = value;
            assert!(tx(&entry, &answer).is_err(), "{pointer}");
        }
        assert_eq!(tx(&entry, &json!({"state": "kept"})), Ok(TxAnswer::OnItsWay));
        assert_eq!(tx(&entry, &json!({"state": "failed"})), Ok(TxAnswer::Failed));
    }
}
