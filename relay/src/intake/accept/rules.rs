//! What becomes of a mail: pure, from its bytes, the keys that are known and the time. The verifier decides;
//! the relay adds only what spec 13 demands of it.
//!
//! Spec: 4, 5, 10, 13.

use amendment::address::{CanonicalAddress, parse_sender};
use amendment::instruction::line::Line;
use amendment::limits::EMAIL_WINDOW_SECS;
use amendment::{KeyAnswer, KeyName, KeySource, Refusal, Rule, WindowError, candidates};
use codec::CloseTime;
use codec::hash::sha512_half;
use explain::{CheckVerdict, ExplainEnv, Explanation, explain};

use super::own::Own;
use super::refusal::{Rejected, is_early, is_no_order, is_of_key};
use crate::limits::EARLY_SECS_MAX;
use crate::queue::{Dkim, MailId, Request};

/// What the relay is and when.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// Its addresses.
    pub own: &'a Own,
    /// NetworkID of its ledger.
    pub network: u32,
    /// Unix seconds.
    pub now: u64,
    /// What becomes of orders that no key proves.
    pub unproven: Unproven,
}

/// What becomes of orders that no key proves. Anybody may have written them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unproven {
    /// DNS was asked: what it refutes is refused, and what it cannot tell is put off. Neither takes room here
    /// or at a node.
    TurnedAway,
    /// DNS is not asked here: nodes look the keys up.
    LeftToNodes,
}

/// A mail that is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Key of its entry.
    pub id: MailId,
    /// What it wants.
    pub request: Request,
    /// The signature.
    pub dkim: Dkim,
    /// Address of From.
    pub from: CanonicalAddress,
    /// The line.
    pub line: String,
    /// Unix seconds.
    pub executable_until: u64,
}

/// Judges a mail with one run of the verifier.
pub fn judge<K: KeySource>(raw: &[u8], rules: &Rules<'_>, keys: &K) -> Result<Accepted, Rejected> {
    let Some(now) = CloseTime::from_unix(rules.now) else {
        return Err(Rejected::later(
            "4.3.0",
            Rule::R4_6,
            "this relay's clock is wrong",
            TRY_AGAIN,
        ));
    };
    let env = ExplainEnv {
        network_id: rules.network,
        now,
        keys,
    };
    let explanation = explain(raw, &env);
    weigh(raw, rules, keys, &explanation)
}

const TRY_AGAIN: &str = "Your provider will try again automatically.";

fn weigh<K: KeySource>(
    raw: &[u8],
    rules: &Rules<'_>,
    keys: &K,
    explanation: &Explanation,
) -> Result<Accepted, Rejected> {
    let from = explanation.from.as_ref().and_then(|from| from.address.as_deref());
    if from.is_some_and(|from| rules.own.holds(from)) {
        let fix = "Send the mail from your own address; the relay itself never pays.";
        return Err(Rejected::never(
            "5.4.6",
            Rule::R13,
            "the sender is the relay's own address",
            fix,
        ));
    }
    match explanation.refusal {
        None | Some(Refusal::KeyUnknown) => {}
        Some(refusal) if is_early(&refusal) => check_early(explanation, &refusal, rules.now)?,
        Some(refusal) if is_no_order(&refusal) => {
            return match explanation.other_line.as_deref() {
                Some("BALANCE") => question(Request::Balance, raw, rules, keys, explanation),
                Some("HISTORY") => question(Request::History, raw, rules, keys, explanation),
                _ => Err(Rejected::of_mail(explanation, &refusal)),
            };
        }
        Some(refusal) => return Err(refused(explanation, &refusal, rules.network)),
    }
    check_receiver(explanation, rules.own)?;
    let order = order(raw, explanation).ok_or_else(unread)?;
    match (order.dkim, rules.unproven) {
        (Dkim::Proven, _) | (Dkim::Unproven, Unproven::LeftToNodes) => Ok(order),
        (Dkim::Unproven, Unproven::TurnedAway) => Err(not_proven(raw, keys)),
    }
}

fn refused(explanation: &Explanation, refusal: &Refusal, network: u32) -> Rejected {
    let rejected = Rejected::of_mail(explanation, refusal);
    if refusal.rule() != Rule::R5_6 {
        return rejected;
    }
    Rejected {
        reason: format!("{}; this relay serves network {network}", rejected.reason),
        ..rejected
    }
}

/// A verdict that cannot be: every rule holds, and a part of the mail is missing.
fn unread() -> Rejected {
    Rejected::never(
        "5.6.0",
        Rule::R10,
        "the mail could not be read",
        "Send a new mail in plain text.",
    )
}

/// How far the proof of the signature came. Spec: 4.5.
fn proof(explanation: &Explanation) -> Result<Dkim, Rejected> {
    let checks = || explanation.checks.iter();
    if checks().any(|check| check.rule == Refusal::Signature.rule() && check.verdict == CheckVerdict::Pass) {
        return Ok(Dkim::Proven);
    }
    if checks()
        .any(|check| check.rule == Refusal::KeyUnknown.rule() && check.verdict == CheckVerdict::Unknown)
    {
        return Ok(Dkim::Unproven);
    }
    let failed = checks().find(|check| is_of_key(check.rule) && check.verdict == CheckVerdict::Fail);
    Err(failed.map_or_else(
        || Rejected::of(&Refusal::Signature),
        |check| Rejected::of_check(check, "5.7.20"),
    ))
}

/// A mail from the future waits at the nodes, up to a day.
///
/// Spec: 4.6, 14.
fn check_early(explanation: &Explanation, refusal: &Refusal, now: u64) -> Result<(), Rejected> {
    let dated = dated(explanation).ok_or_else(unread)?;
    if dated > now.saturating_add(EARLY_SECS_MAX) {
        return Err(Rejected::of_mail(explanation, refusal));
    }
    // The window is judged before the key, so the first refusal hides what the signature is worth.
    proof(explanation).map(|_| ())
}

/// D, Unix seconds.
fn dated(explanation: &Explanation) -> Option<u64> {
    let until = explanation.executable_until?.to_unix();
    Some(until.saturating_sub(u64::from(EMAIL_WINDOW_SECS)))
}

/// No one pays the relay by mistake: its address stands in To because the mail was sent to it.
///
/// Spec: 13.
fn check_receiver(explanation: &Explanation, own: &Own) -> Result<(), Rejected> {
    let to = explanation.to.as_ref().and_then(|to| to.address.as_deref());
    let instruction = explanation.instruction.as_deref().unwrap_or_default();
    let Some(line) = Line::parse(instruction.as_bytes()).filter(Line::pays_header) else {
        return Ok(());
    };
    if !to.is_some_and(|to| own.holds(to)) {
        return Ok(());
    }
    let order = line.without_network();
    let net = instruction.strip_prefix(order).unwrap_or_default();
    let fix = format!(
        "Put the relay in Cc and the receiver in To, or name the receiver: {order} TO <ADDRESS>{net}"
    );
    Err(Rejected::never(
        "5.7.1",
        Rule::R13,
        "the relay itself would receive the payment",
        &fix,
    ))
}

fn order(raw: &[u8], explanation: &Explanation) -> Option<Accepted> {
    let email_id = explanation.email_id?;
    let dkim = proof(explanation).ok()?;
    Some(Accepted {
        id: match dkim {
            Dkim::Proven => MailId::from(email_id),
            Dkim::Unproven => unproven_id(raw),
        },
        request: Request::Order {
            order: explanation.order.clone()?,
            email_id,
        },
        dkim,
        from: sender(explanation)?,
        line: explanation.instruction.clone()?,
        executable_until: explanation.executable_until?.to_unix(),
    })
}

fn sender(explanation: &Explanation) -> Option<CanonicalAddress> {
    parse_sender(explanation.from.as_ref()?.address.as_deref()?).ok()
}

/// Key of a mail whose signature is not proved yet. Not its EmailID: anyone can write a mail that claims the
/// EmailID of another's mail, and would take its place.
fn unproven_id(raw: &[u8]) -> MailId {
    MailId::new(*sha512_half(&[b"UNPROVEN", raw]).as_bytes())
}

/// A mail that no key proves: put off where DNS did not answer for one of its keys (RFC 6376 section 6.3 has
/// 451 4.7.5 for that), else refused.
///
/// Spec: 13.
fn not_proven<K: KeySource>(raw: &[u8], keys: &K) -> Rejected {
    let names: Vec<KeyName> = candidates(raw)
        .into_iter()
        .map(|candidate| candidate.name)
        .collect();
    let is_silent = |name: &&KeyName| keys.key(name.domain(), name.selector()) == KeyAnswer::Unknown;
    if let Some(name) = names.iter().find(is_silent) {
        let reason = format!(
            "DNS does not answer now for your provider's key {}",
            name.dns_name()
        );
        return Rejected::later("4.7.5", Rule::R7_3, &reason, TRY_AGAIN);
    }
    let name = names.first().map(KeyName::dns_name).unwrap_or_default();
    let reason = format!("your provider's key {name} is not in DNS, so the sender cannot be verified");
    let fix = "Ask your provider to publish the key, or send from another provider.";
    Rejected::never("5.7.20", Rule::R7_3, &reason, fix)
}

/// A question is answered to its sender alone, so the sender must be proven: From, Date and the line are
/// signed.
///
/// Two copies are one question: the key is made of what is signed (Message-ID is not, at some providers).
fn question<K: KeySource>(
    request: Request,
    raw: &[u8],
    rules: &Rules<'_>,
    keys: &K,
    explanation: &Explanation,
) -> Result<Accepted, Rejected> {
    let proof = proof(explanation)?;
    let of_date = |rule| rule == Refusal::Window(WindowError::Early).rule();
    // The tags and the date hold (a first line was read), so what fails under their rule is the window.
    let failed = explanation.checks.iter();
    if let Some(check) = failed
        .filter(|check| of_date(check.rule))
        .find(|check| check.verdict == CheckVerdict::Fail)
    {
        return Err(Rejected::of_check(check, "5.7.1"));
    }
    // After the window: a question whose key is never found must not be put off forever.
    if proof == Dkim::Unproven {
        return Err(not_proven(raw, keys));
    }
    let accepted = || {
        let from = sender(explanation)?;
        let until = explanation.executable_until?.to_unix();
        let line = explanation.other_line.clone()?;
        let id = sha512_half(&[
            b"QUERY",
            line.as_bytes(),
            &rules.network.to_be_bytes(),
            from.account().as_bytes(),
            &until.to_be_bytes(),
        ]);
        Some(Accepted {
            id: MailId::new(*id.as_bytes()),
            request,
            dkim: Dkim::Proven,
            from,
            line,
            executable_until: until,
        })
    };
    accepted().ok_or_else(unread)
}

#[cfg(test)]
mod tests;
