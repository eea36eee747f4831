//! A mail read under the keys of a ledger.

use std::sync::Arc;

use amendment::limits::{EMAIL_SKEW_SECS, EMAIL_WINDOW_SECS};
use amendment::{KeyName, Outcome, Rule};
use codec::{CloseTime, Hash256, Ter, hash};
use explain::{CheckVerdict, Explanation, Qualifies};
use ledger::Ledger;

use crate::rules;

/// What the rules say about a mail, as far as the node acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// Its transaction can be submitted.
    Ready,
    /// A key that is not known yet may prove it.
    NoKey,
    /// Its signature is proven, and the ledger's time has not reached its date.
    Early,
    /// The ledger's time has not reached its date, and nothing proves its signature.
    EarlyUnproven,
    /// No ledger will take it, for this reason.
    Never(Ter),
}

impl Judgement {
    pub(crate) fn of(explanation: &Explanation) -> Judgement {
        let verdict_of = |rule| {
            let mut checks = explanation.checks.iter();
            checks.find(|check| check.rule == rule).map(|check| check.verdict)
        };
        match (explanation.qualifies, explanation.code) {
            (Qualifies::Yes, _) => Judgement::Ready,
            (Qualifies::Unknown, _) | (Qualifies::No, Ter::TER_NO_DKIM_KEY) => Judgement::NoKey,
            // Whatever its time: its domain's mail is stopped.
            (Qualifies::No, Ter::TER_EMAIL_EARLY) if verdict_of(Rule::R7_10).is_some() => {
                Judgement::Never(Ter::TEF_DKIM_FROZEN)
            }
            (Qualifies::No, Ter::TER_EMAIL_EARLY) => match verdict_of(Rule::R4_5) {
                Some(CheckVerdict::Pass) => Judgement::Early,
                Some(CheckVerdict::Fail) => Judgement::Never(Ter::TEF_BAD_SIGNATURE),
                Some(CheckVerdict::Unknown | CheckVerdict::Skipped) | None => Judgement::EarlyUnproven,
            },
            (Qualifies::No, code) => Judgement::Never(code),
        }
    }
}

/// What is kept of a mail: its normal form under one signature, which is a mail of its own. What else was
/// written around it takes no room.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    /// The hash of its bytes.
    pub(crate) id: Hash256,
    /// The key that proves it, or would.
    pub(crate) name: KeyName,
    /// Its bytes.
    pub(crate) bytes: Arc<[u8]>,
}

impl Form {
    pub(crate) fn new(name: KeyName, bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        let id = hash::sha512_half(&[&bytes]);
        Self { id, name, bytes }
    }
}

/// A mail, and what the rules say about it under the keys of a ledger.
///
/// Making one verifies the signature, the costly part of a submission: a host makes them outside of
/// [`crate::Chain::handle`], on as many threads as it has.
#[derive(Debug, Clone)]
pub struct ReadMail {
    explanation: Explanation,
    forms: Vec<Form>,
}

impl ReadMail {
    /// Read a mail. Spec: 7.3
    #[must_use]
    pub fn new(raw: &[u8], ledger: &Ledger, network_id: u32) -> Self {
        let explanation = rules::explain(raw, ledger, network_id);
        let of_derived = |derived: &amendment::Derived| Form::new(derived.key_name.clone(), &*derived.memo);
        let forms = match (Judgement::of(&explanation), &explanation.outcome) {
            (Judgement::Ready, Outcome::Proven(proven)) => vec![of_derived(proven)],
            (Judgement::Early, Outcome::Open { derived, .. }) => vec![of_derived(derived)],
            (Judgement::NoKey | Judgement::EarlyUnproven, _) => amendment::waiting_forms(raw)
                .into_iter()
                .filter(|form| form.name.may_stand_on_ledger())
                .map(|form| Form::new(form.name, form.bytes))
                .collect(),
            (Judgement::Ready | Judgement::Early | Judgement::Never(_), _) => Vec::new(),
        };
        Self { explanation, forms }
    }

    /// Every check with its verdict.
    #[must_use]
    pub fn explanation(&self) -> &Explanation {
        &self.explanation
    }

    /// The explanation alone.
    #[must_use]
    pub fn into_explanation(self) -> Explanation {
        self.explanation
    }

    /// What the node keeps of it while it is on its way.
    pub(crate) fn forms(&self) -> &[Form] {
        &self.forms
    }

    /// The same for those whom it is told to, each form by its hash.
    pub fn kept_forms(&self) -> impl Iterator<Item = (Hash256, &Arc<[u8]>)> {
        self.forms.iter().map(|form| (form.id, &form.bytes))
    }
}

/// The Date of a mail whose window ends then. Spec: 4.6
pub(crate) fn signed_date(executable_until: CloseTime) -> CloseTime {
    CloseTime::new(executable_until.seconds().saturating_sub(EMAIL_WINDOW_SECS))
}

/// When a ledger takes a mail at the earliest: its window ends so many seconds after its date. Spec: 4.6
pub(crate) fn executable_from(executable_until: CloseTime) -> CloseTime {
    let ahead = EMAIL_WINDOW_SECS.saturating_add(EMAIL_SKEW_SECS);
    CloseTime::new(executable_until.seconds().saturating_sub(ahead))
}
