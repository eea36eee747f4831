//! What our verifier says about the signature part of a mail, and the class that a difference falls into.

use explain::{Check, CheckVerdict, ExplainEnv, explain};

use crate::corpus::Sample;

/// Positions in the list of checks (docs/spec.md 10), which `explain` gives in this order.
const CHECKS: usize = 26;
/// Sizes, control bytes, header lines, presence, tags, names, `h=`, times, base64.
const UP_TO_BASE64: std::ops::RangeInclusive<usize> = 0..=8;
/// What is selected, the mailbox of From, its canonical form; a recipient in To is judged there as well.
const SENDER: std::ops::RangeInclusive<usize> = 9..=11;
const ALIGNED: usize = 12;
const BODY_HASH: usize = 13;
/// Judged wherever Date is selected exactly once.
const DATE: usize = 15;
const KEY: usize = 24;
const SIGNATURE: usize = 25;

/// Whether a signature that obeys sections 3 and 4 proves; else the class of the first refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// An aligned signature that obeys every rule proves.
    Accepts,
    /// None does: rule, and for proofs the reason.
    Refuses(String),
}

/// Our verdict on the signature part alone: no instruction, no recipient, no window.
pub(crate) fn ours(sample: &Sample) -> Verdict {
    let keys = sample.records();
    let env = ExplainEnv {
        network_id: sample.network_id,
        now: sample.close_time(),
        keys: &keys,
    };
    let explained = explain(&sample.mail, &env);
    let checks = &explained.checks;
    assert_eq!(checks.len(), CHECKS);
    let failed = |at: usize| checks[at].verdict != CheckVerdict::Pass;
    let sender = SENDER.filter(|at| failed(*at) && checks[ALIGNED].verdict == CheckVerdict::Skipped);
    let first = UP_TO_BASE64
        .filter(|at| failed(*at))
        .chain(sender)
        .chain([ALIGNED, BODY_HASH, KEY, SIGNATURE]);
    let first = first.into_iter().find(|at| failed(*at));
    match first {
        None if checks[DATE].verdict == CheckVerdict::Skipped => Verdict::Refuses("4.3".to_owned()),
        None => Verdict::Accepts,
        Some(at) if at >= KEY => Verdict::Refuses(class_of_proof(&checks[at])),
        Some(at) => Verdict::Refuses(checks[at].rule.to_string()),
    }
}

/// Rule 4.5 holds four things: the record, the key in it, `t=s`, the proof.
fn class_of_proof(check: &Check) -> String {
    let part = match check.read.as_str() {
        read if read.starts_with("the key record cannot be used: its key") => "key",
        read if read.starts_with("the key record cannot be used") => "record",
        read if read.starts_with("the key record requires") => "t=s",
        read if read.starts_with("the signature does not match") => "proof",
        _ => return check.rule.to_string(),
    };
    format!("{} {part}", check.rule)
}
