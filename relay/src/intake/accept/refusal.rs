//! Why a mail is not taken, as its sender is told: code, one sentence of reason, one of what to do.

use amendment::{InstructionError, Refusal, Rule, WindowError};
use explain::{Check, Explanation};

use crate::intake::handler::Reply;
use crate::limits::REFUSAL_LINE_BYTES_MAX;
use crate::mail::TraceId;

/// A mail that is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// SMTP code: 5yz never, 4yz later.
    pub code: u16,
    /// RFC 3463 code.
    pub enhanced: &'static str,
    /// Rule of docs/spec.md.
    pub rule: Rule,
    /// What is wrong, without a full stop.
    pub reason: String,
    /// What the sender can do: one sentence.
    pub fix: String,
}

impl Rejected {
    /// For good.
    #[must_use]
    pub fn never(enhanced: &'static str, rule: Rule, reason: &str, fix: &str) -> Rejected {
        Rejected {
            code: 550,
            enhanced,
            rule,
            reason: reason.to_owned(),
            fix: fix.to_owned(),
        }
    }

    /// For now.
    #[must_use]
    pub fn later(enhanced: &'static str, rule: Rule, reason: &str, fix: &str) -> Rejected {
        Rejected {
            code: 451,
            ..Rejected::never(enhanced, rule, reason, fix)
        }
    }

    /// A refusal of the verifier.
    #[must_use]
    pub fn of(refusal: &Refusal) -> Rejected {
        let enhanced = enhanced(refusal);
        Rejected {
            code: if enhanced == "5.3.4" { 552 } else { 550 },
            enhanced,
            rule: refusal.rule(),
            reason: refusal.to_string(),
            fix: explain::fix(refusal).to_owned(),
        }
    }

    /// The first refusal of a mail, with what to do for this very mail.
    #[must_use]
    pub fn of_mail(explanation: &Explanation, refusal: &Refusal) -> Rejected {
        let rejected = Rejected::of(refusal);
        match explanation.fix() {
            Some(fix) if explanation.refusal.as_ref() == Some(refusal) => Rejected {
                fix: fix.to_owned(),
                ..rejected
            },
            _ => rejected,
        }
    }

    /// A failed check that is not the first one.
    #[must_use]
    pub fn of_check(check: &Check, enhanced: &'static str) -> Rejected {
        Rejected::never(enhanced, check.rule, &check.read, &check.fix)
    }

    /// What the peer is told.
    pub fn reply(&self, trace: &TraceId) -> Reply {
        let outcome = if self.code >= 500 { "Not taken" } else { "Not now" };
        let first = format!(
            "{outcome}, nothing is paid: {} (rule {}, trace {trace}).",
            self.reason, self.rule
        );
        Reply {
            code: self.code,
            enhanced: self.enhanced,
            lines: [first.as_str(), self.fix.as_str()]
                .into_iter()
                .filter(|line| !line.is_empty())
                .map(one_line)
                .collect(),
        }
    }
}

/// Printable ASCII, cut at its bound.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' })
        .take(REFUSAL_LINE_BYTES_MAX)
        .collect()
}

/// RFC 3463: 5.1 addresses, 5.3.4 size, 5.6 content, 5.7 policy; RFC 7372 section 3.1: 5.7.20 to 5.7.22 for
/// DKIM.
fn enhanced(refusal: &Refusal) -> &'static str {
    use Refusal as R;
    match refusal {
        R::MailTooLarge | R::MemoTooLarge => "5.3.4",
        R::HeaderLinesTooMany | R::BareCr | R::BareLf | R::Nul | R::HeaderLineWithoutName => "5.6.0",
        R::SpaceBeforeColon | R::ContinuationFirst | R::NoEmptyLine | R::Date(_) | R::DatedAhead => "5.6.0",
        R::Mime(_) => "5.6.1",
        R::Instruction(_) | R::Money(_) | R::Network(_) => "5.6.0",
        R::From(_) => "5.1.7",
        R::To(_) | R::Named(_) | R::PaysItself | R::KeyIsItself => "5.1.3",
        R::NoSignature | R::BodyHash | R::KeyUnknown | R::KeyRevoked | R::KeyRecord(_) => "5.7.20",
        R::Signature => "5.7.20",
        R::SignatureSigned | R::Tags(_) | R::TagMissing(_) | R::Version | R::Algorithm => "5.7.21",
        R::Canonicalization | R::QueryMethod | R::BodyLength | R::Selector | R::SigningDomain => "5.7.21",
        R::KeyNameTooLong | R::SignedHeadersMalformed | R::SignedHeadersTooMany | R::NotSigned(_) => "5.7.21",
        R::SignedTwice(_) | R::TimestampMalformed | R::ExpiryMalformed => "5.7.21",
        R::ExpiryNotAfterTimestamp | R::SignatureBase64(_) => "5.7.21",
        R::NotAligned | R::IdentityMalformed | R::IdentityOutside | R::IdentityBelowStrictKey => "5.7.22",
        R::Foreign(_) | R::Window(_) | R::DomainFrozen(_) => "5.7.1",
        // Refusals of transactions; a mail meets none of them.
        R::NotNormalForm | R::FlagNotAllowed | R::NotEnabled | R::NotDerived | R::NoLastLedgerSequence => {
            "5.7.1"
        }
    }
}

/// Whether a rule is about the key, so that another key can satisfy it.
#[must_use]
pub fn is_of_key(rule: Rule) -> bool {
    rule == Refusal::Signature.rule() || rule == Refusal::KeyRevoked.rule()
}

/// Whether the mail is right but dated ahead.
#[must_use]
pub fn is_early(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Window(WindowError::Early))
}

/// Whether the first line is simply something else than an order.
#[must_use]
pub fn is_no_order(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Instruction(InstructionError::NotFirst))
}
