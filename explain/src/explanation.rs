//! Every check of a mail in the order of section 10: what it read, its verdict, and what to do. Goes on after
//! a failure wherever the input exists. RPC, command line, relay and page all show this one list.
//!
//! Spec: 10, 12.

use amendment::checks::Step;
use amendment::limits::{EMAIL_WINDOW_SECS, RSA_STRONG_BITS_MIN};
use amendment::reading::draft::Draft;
use amendment::{
    EmailId, KeyAnswer, KeyName, KeySource, Order, Outcome, Refusal, Rule, ScreenError, examine,
};
use codec::{AccountId, Amount, CloseTime, Object, Ter};

use crate::account::{self, HasTimestamp};
use crate::advice;
use crate::evidence::{self, Evidence};
use crate::origin::Origin;
use crate::place::{self, Place};
use crate::record::{Found, FullRecord};

/// What `explain` needs beside the mail.
#[derive(Debug, Clone, Copy)]
pub struct ExplainEnv<'k, K> {
    /// NetworkID of the ledger.
    pub network_id: u32,
    /// The ledger's time.
    pub now: CloseTime,
    /// Where keys come from.
    pub keys: &'k K,
}

/// Whether a mail makes a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Qualifies {
    /// It does.
    Yes,
    /// It never will.
    No,
    /// Its key is not known now; everything else is right.
    Unknown,
}

impl Qualifies {
    fn of(refusal: Option<Refusal>) -> Qualifies {
        match refusal {
            None => Qualifies::Yes,
            Some(Refusal::KeyUnknown) => Qualifies::Unknown,
            Some(_) => Qualifies::No,
        }
    }
}

/// An address and its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// The canonical address; `None` where the mail names a classic address.
    pub address: Option<String>,
    /// The account.
    pub account: AccountId,
    /// DestinationTag.
    pub tag: Option<u32>,
}

/// What a check says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckVerdict {
    /// The rule holds.
    Pass,
    /// The rule is broken.
    Fail,
    /// Its input is missing because an earlier check failed.
    Skipped,
    /// It cannot be told now.
    Unknown,
}

impl CheckVerdict {
    /// `pass`, `fail`, `skipped` or `unknown`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            CheckVerdict::Pass => "pass",
            CheckVerdict::Fail => "fail",
            CheckVerdict::Skipped => "skipped",
            CheckVerdict::Unknown => "unknown",
        }
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The number of the rule.
    pub rule: Rule,
    /// What it read, or why it failed.
    pub read: String,
    /// Its verdict.
    pub verdict: CheckVerdict,
    /// Where in the mail it failed, and what stands there; `None` where it passed, or concerns no place.
    pub place: Option<Place>,
    /// What a mail user can do, in one or two sentences, for the provider and the program where they are
    /// known; empty where there is nothing to do. Printable ASCII, at most `ADVICE_BYTES_MAX` bytes.
    pub fix: String,
}

/// Everything that can be said about a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Whether it makes a transaction.
    pub qualifies: Qualifies,
    /// The first rule that failed, in the order of section 10.
    pub rule: Option<Rule>,
    /// The first reason.
    pub refusal: Option<Refusal>,
    /// Its result code; tesSUCCESS where nothing failed.
    pub code: Ter,
    /// The sender.
    pub from: Option<Party>,
    /// The recipient of a REMIT.
    pub to: Option<Party>,
    /// The instruction line.
    pub instruction: Option<String>,
    /// The first line of the instruction text in relaxed form, where it is not the one instruction of the
    /// mail.
    pub other_line: Option<String>,
    /// What the mail orders.
    pub order: Option<Order>,
    /// What becomes of the mail: the value that is wrapped and submitted, or why there is none.
    pub outcome: Outcome,
    /// Hash of the signed meaning; also where only the window or an unknown key stands against the mail.
    pub email_id: Option<EmailId>,
    /// The signed Date plus the window.
    pub executable_until: Option<CloseTime>,
    /// The key of the signature under which the mail was read.
    pub signed_with: Option<KeyName>,
    /// Provider and mail program, as far as the mail itself says; proven by nothing.
    pub origin: Origin,
    /// Every check, in order.
    pub checks: Vec<Check>,
}

impl Explanation {
    /// The transaction without Sequence, Fee and LastLedgerSequence; only where nothing but the key is
    /// missing.
    #[must_use]
    pub fn transaction(&self) -> Option<&Object> {
        match &self.outcome {
            Outcome::Proven(mail) => Some(&mail.transaction),
            Outcome::Open { derived, .. } => {
                let is_shown = self.qualifies == Qualifies::Unknown;
                is_shown.then_some(&derived.transaction)
            }
            Outcome::Refused(_) => None,
        }
    }

    /// The same for a mail that a ledger refuses for its account's sake, with one more check where its sender can do
    /// something about it.
    ///
    /// Spec: 8.6, 11.
    #[must_use]
    pub fn refused_by(mut self, error: ScreenError) -> Explanation {
        let Some(fix) = account::fix(error, self.instruction.as_deref()) else {
            return self;
        };
        self.checks.push(Check {
            rule: error.rule(),
            read: error.to_string(),
            verdict: CheckVerdict::Fail,
            place: None,
            fix,
        });
        self.qualifies = Qualifies::No;
        self.rule = Some(error.rule());
        self.code = error.code();
        self
    }

    /// What to do about the first reason; `None` where nothing failed.
    #[must_use]
    pub fn fix(&self) -> Option<&str> {
        let is_open = |check: &&Check| matches!(check.verdict, CheckVerdict::Fail | CheckVerdict::Unknown);
        self.checks.iter().find(is_open).map(|check| check.fix.as_str())
    }
}

/// Explains a mail.
///
/// Spec: 10, 12.
pub fn explain<K: KeySource>(raw: &[u8], env: &ExplainEnv<'_, K>) -> Explanation {
    let mut rec = FullRecord::default();
    let examined = examine(raw, env.network_id, env.now, env.keys, &mut rec);
    let (mail, draft) = (examined.mail.as_ref(), examined.draft.as_ref());
    let body = mail.map(|mail| evidence::body_of(mail, draft));
    let evidence = Evidence {
        raw,
        mail,
        chosen: examined.chosen,
        draft,
        body: body.as_deref().unwrap_or_default(),
        network_id: env.network_id,
        now: env.now,
        origin: mail
            .map(|mail| Origin::of(mail, examined.chosen))
            .unwrap_or_default(),
    };
    let signed_with = draft.and_then(|draft| draft.candidate.key_name.clone());
    let weak_bits = weak_bits(signed_with.as_ref(), env.keys);
    let checks = Step::ALL
        .into_iter()
        .map(|step| check(step, &rec, &evidence, weak_bits))
        .collect();
    let origin = evidence.origin;
    let until = |date: u32| CloseTime::new(date.saturating_add(EMAIL_WINDOW_SECS));
    let from = draft.and_then(sender);
    let to = draft.and_then(recipient);
    let instruction = draft.and_then(|draft| draft.instruction.clone());
    let other_line = draft.and_then(other_line);
    let order = draft.and_then(|draft| draft.order.clone());
    let executable_until = draft.and_then(|draft| draft.date).map(until);
    let outcome = examined.outcome();
    let refusal = outcome.refusal();
    Explanation {
        qualifies: Qualifies::of(refusal),
        rule: refusal.as_ref().map(Refusal::rule),
        refusal,
        code: refusal.as_ref().map_or(Ter::TES_SUCCESS, Refusal::code),
        from,
        to,
        instruction,
        other_line,
        order,
        email_id: outcome.derived().map(|derived| derived.email_id),
        outcome,
        executable_until,
        signed_with,
        origin,
        checks,
    }
}

fn sender(draft: &Draft<'_>) -> Option<Party> {
    let sender = draft.candidate.sender.as_ref()?;
    Some(Party {
        address: Some(sender.as_str().to_owned()),
        account: sender.account(),
        tag: None,
    })
}

fn recipient(draft: &Draft<'_>) -> Option<Party> {
    match draft.order.as_ref()? {
        Order::Remit { to, .. } => Some(Party {
            address: to.address().map(|address| address.as_str().to_owned()),
            account: to.account(),
            tag: to.tag(),
        }),
        Order::Rekey { .. } => None,
    }
}

fn other_line(draft: &Draft<'_>) -> Option<String> {
    let line = draft.other_line.as_deref()?;
    Some(String::from_utf8_lossy(line).into_owned())
}

/// What no rule refuses and the sender should know all the same.
///
/// Spec: 14.
fn note(step: Step, evidence: &Evidence<'_>, weak_bits: Option<usize>) -> Option<String> {
    if step == Step::Recipient {
        let order = evidence.draft?.order.as_ref()?;
        on_top(order).map(str::to_owned)
    } else if step == Step::Key {
        weak_bits.map(|bits| {
            format!("a weak key of {bits} bits: the provider should publish one of {RSA_STRONG_BITS_MIN}")
        })
    } else if step == Step::Window {
        let draft = evidence.draft?;
        let has_timestamp = match draft.candidate.times?.timestamp {
            Some(_) => HasTimestamp::Yes,
            None => HasTimestamp::No,
        };
        account::unknown_here(draft.order.as_ref()?, has_timestamp).map(str::to_owned)
    } else {
        None
    }
}

/// What leaves the sender beside the amount and the fee; no mail can know how much.
fn on_top(order: &Order) -> Option<&'static str> {
    match order {
        Order::Remit {
            amount: Amount::Native(_),
            ..
        } => Some("a new account's reserve may leave on top"),
        Order::Remit {
            amount: Amount::Issued(_),
            ..
        } => Some("the issuer's transfer rate and the reserve of a new account and line may leave on top"),
        Order::Rekey { .. } => None,
    }
}

/// Bits of the key under which the mail was judged, where it is known and weak.
fn weak_bits(name: Option<&KeyName>, keys: &impl KeySource) -> Option<usize> {
    let name = name?;
    match keys.key(name.domain(), name.selector()) {
        KeyAnswer::Usable(key) | KeyAnswer::Unsettled(key) => key.weak_bits(),
        KeyAnswer::Unusable(_) | KeyAnswer::Revoked | KeyAnswer::Absent | KeyAnswer::Unknown => None,
    }
}

fn check(step: Step, rec: &FullRecord, evidence: &Evidence<'_>, weak_bits: Option<usize>) -> Check {
    let key_is_unknown = rec.0.get(&Step::Key) == Some(&Found::Failed(Refusal::KeyUnknown));
    let silent = |verdict| Check {
        rule: step.rule(),
        read: String::new(),
        verdict,
        place: None,
        fix: String::new(),
    };
    match rec.0.get(&step) {
        Some(Found::Passed(read)) => Check {
            read: match note(step, evidence, weak_bits) {
                Some(note) => format!("{read}; {note}"),
                None => read.clone(),
            },
            ..silent(CheckVerdict::Pass)
        },
        Some(Found::Failed(refusal)) => Check {
            rule: refusal.rule(),
            read: refusal.to_string(),
            verdict: if *refusal == Refusal::KeyUnknown {
                CheckVerdict::Unknown
            } else {
                CheckVerdict::Fail
            },
            place: place::of(refusal, evidence),
            fix: advice::of(refusal, evidence),
        },
        None if step == Step::Signature && key_is_unknown => silent(CheckVerdict::Unknown),
        None => silent(CheckVerdict::Skipped),
    }
}
