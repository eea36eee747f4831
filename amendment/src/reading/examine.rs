//! From a mail to its transaction: which signature counts, its normal form, the derived transaction. What
//! `submit_email`, the relay and the command line call.
//!
//! Knows no ledger state but keys and time. Spec: 3, 4.7, 6.

use std::borrow::Cow;

use codec::{AccountId, CloseTime};

use crate::checks::{FirstFailure, NoRecord, Recorder, Step, VerdictOnly, WithVerdict};
use crate::dkim::canon;
use crate::dkim::freeze::Freeze;
use crate::dkim::key_record::KeyRecord;
use crate::dkim::key_source::{KeyAnswer, KeySource};
use crate::dkim::signature::KeyName;
use crate::dkim::verify;
use crate::dkim::window;
use crate::limits::{MEMO_BYTES_MAX, SIGNATURE_CANDIDATES_MAX, SIGNATURES_READ_MAX};
use crate::mail::message::{self, Mail, Source};
use crate::mail::text::Spacing;
use crate::reading::candidate::Candidate;
use crate::reading::derived::{Derived, Outcome, ProvenMail};
use crate::reading::draft::{self, Draft};
use crate::reading::evidence::Evidence;
use crate::refusal::Refusal;

/// A key that a waiting mail needs, and the account that would pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidateKey {
    /// Selector and domain.
    pub name: KeyName,
    /// The account of the From address.
    pub account: AccountId,
}

/// A mail in its normal form under one of the signatures that may prove it: a mail of its own, with that
/// signature alone, that means the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingForm {
    /// The key that would prove it.
    pub name: KeyName,
    /// The normal form.
    pub bytes: Vec<u8>,
}

/// How far a signature's proof came.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Proof {
    /// By this key.
    Proven(KeyRecord),
    Refused(Refusal),
}

/// The signature under which a mail is read.
#[derive(Debug, Clone)]
struct Choice {
    position: usize,
    proof: Option<Proof>,
}

/// Asks the source for the key and proves the signature; `None` where a part of the signature cannot be read.
///
/// Spec: 4.5, 7.3, 3.3 apart.
fn prove(candidate: &Candidate<'_>, keys: &impl KeySource) -> Option<Proof> {
    let name = candidate.key_name.as_ref()?;
    let header_data = candidate.header_data()?;
    let claim = candidate.claim(&header_data)?;
    let proven = match keys.key(name.domain(), name.selector()) {
        KeyAnswer::Usable(key) => verify::verify(&claim, &key).map(|()| key),
        KeyAnswer::Unsettled(key) => {
            let proven = verify::verify(&claim, &key).map_err(|_| Refusal::KeyUnknown);
            proven.map(|()| key)
        }
        KeyAnswer::Unusable(error) => Err(Refusal::KeyRecord(error)),
        KeyAnswer::Revoked => Err(Refusal::KeyRevoked),
        KeyAnswer::Absent | KeyAnswer::Unknown => Err(Refusal::KeyUnknown),
    };
    Some(proven.map_or_else(Proof::Refused, Proof::Proven))
}

fn body_matches(candidate: &Candidate<'_>, mail: &Mail<'_>) -> bool {
    let body = candidate
        .scheme
        .map(|scheme| canon::body(mail, scheme.body))
        .unwrap_or_default();
    matches!(candidate.check_body(&body), Some(Ok(())))
}

/// The signature that counts: of at most four that satisfy 4.1 to 4.4, the first that proves, else the first
/// of them.
///
/// Spec: 4.7. Where none satisfies them, the one whose refusal tells most: aligned with From and good,
/// aligned, good, first.
fn choose(mail: &Mail<'_>, keys: &impl KeySource) -> Option<Choice> {
    let mut first_eligible = None;
    let mut eligible: usize = 0;
    let mut others: usize = 0;
    let mut fallback: Option<(bool, bool, Choice)> = None;
    for position in mail.signature_positions().take(SIGNATURES_READ_MAX) {
        let candidate = Candidate::read(mail, position, &mut NoRecord);
        let counter = if candidate.is_eligible() {
            &mut eligible
        } else {
            &mut others
        };
        let tried = *counter < SIGNATURE_CANDIDATES_MAX;
        *counter = counter.saturating_add(1);
        if !tried {
            continue;
        }
        let proof = prove(&candidate, keys);
        let good = matches!(proof, Some(Proof::Proven(_))) && body_matches(&candidate, mail);
        let choice = Choice { position, proof };
        if !candidate.is_eligible() {
            let better = fallback
                .as_ref()
                .is_none_or(|(aligned, proven, _)| (candidate.same_domain, good) > (*aligned, *proven));
            if better {
                fallback = Some((candidate.same_domain, good, choice));
            }
            continue;
        }
        if good {
            return Some(choice);
        }
        first_eligible = first_eligible.or(Some(choice));
    }
    first_eligible.or(fallback.map(|(_, _, choice)| choice))
}

/// What could be read of a mail, and what becomes of it.
#[derive(Default)]
pub struct Examined<'m> {
    /// Its header and body, where it could be split.
    pub mail: Option<Mail<'m>>,
    /// Position of the signature that counts (4.7) among the header fields.
    pub chosen: Option<usize>,
    /// What was read under that signature.
    pub draft: Option<Draft<'m>>,
    proof: Option<Proof>,
    refusal: Option<Refusal>,
    network_id: u32,
}

impl Examined<'_> {
    /// What becomes of the mail.
    #[must_use]
    pub fn outcome(self) -> Outcome {
        let has_one_meaning = |refusal| matches!(refusal, Refusal::Window(_) | Refusal::KeyUnknown);
        if let Some(refusal) = self.refusal.filter(|refusal| !has_one_meaning(*refusal)) {
            return Outcome::Refused(refusal);
        }
        let evidence = match (&self.draft, self.proof) {
            (Some(draft), Some(Proof::Proven(key))) => Evidence::of(&draft.candidate, key),
            (_, Some(Proof::Proven(_) | Proof::Refused(_)) | None) => None,
        };
        let derived = self.draft.and_then(|draft| Derived::of(draft, self.network_id));
        match (derived, self.refusal, evidence) {
            (Some(derived), Some(refusal), _) => Outcome::Open { derived, refusal },
            (Some(derived), None, Some(evidence)) => Outcome::Proven(ProvenMail::new(derived, evidence)),
            (_, refusal, _) => Outcome::Refused(refusal.unwrap_or(Refusal::Signature)),
        }
    }
}

/// Judges a mail by every rule of sections 2 to 6, the window, and the signature under the source's keys, in
/// the order of section 10. What each step found goes to the recorder; the outcome does not depend on it.
///
/// Spec: 3.4, 4.5, 4.6, 4.7, 7.10, 10.
pub fn examine<'m>(
    raw: &'m [u8],
    network_id: u32,
    now: CloseTime,
    keys: &impl KeySource,
    rec: &mut impl Recorder,
) -> Examined<'m> {
    let mut rec = WithVerdict::new(rec);
    let mut examined = Examined {
        network_id,
        mail: split(raw, &mut rec),
        ..Examined::default()
    };
    if let Some(mail) = &examined.mail {
        let choice = choose(mail, keys).ok_or(Refusal::NoSignature);
        let choice = rec.hold(Step::SignaturePresent, choice, |_| {
            format!("{} DKIM-Signature fields", mail.signature_positions().count())
        });
        examined.chosen = choice.as_ref().map(|choice| choice.position);
        examined.proof = choice.and_then(|choice| choice.proof);
        examined.draft = examined.chosen.map(|chosen| {
            let draft = draft::read(mail, chosen, Source::Door, raw, network_id, &mut rec);
            record_window(&draft, now, &mut rec);
            match stopped(&draft, keys) {
                Some(freeze) => rec.fail(Step::Key, Refusal::DomainFrozen(freeze)),
                None => record_proof(examined.proof.clone(), &draft, &mut rec),
            }
            draft
        });
    }
    examined.refusal = rec.refusal();
    examined
}

fn record_window(draft: &Draft<'_>, now: CloseTime, rec: &mut impl Recorder) {
    if let (Some(date), Some(times)) = (draft.date, &draft.candidate.times) {
        let window = window::check_window(date, times, now).map_err(Refusal::Window);
        rec.hold(Step::Window, window, |()| format!("now {}", now.to_unix()));
    }
}

/// What stops a mail whatever its key is. Every signature that counts has the domain of From (4.2), so none of them
/// rescues the mail.
///
/// Spec: 7.10.
fn stopped(draft: &Draft<'_>, keys: &impl KeySource) -> Option<Freeze> {
    let (name, date) = (draft.candidate.key_name.as_ref()?, draft.date?);
    let freeze = keys.freeze(name.domain())?;
    freeze.stops(CloseTime::new(date)).then_some(freeze)
}

/// Splits a raw mail. It can be read on where rule 3.4 fails. Spec: 1, 3.1, 3.4.
fn split<'m>(raw: &'m [u8], rec: &mut impl Recorder) -> Option<Mail<'m>> {
    rec.hold(Step::Size, message::check_size(raw, Source::Door), |()| {
        format!("{} bytes", raw.len())
    })?;
    let spacing = rec.hold(Step::Controls, message::check_controls(raw), |_| {
        "line ends are CRLF".to_owned()
    });
    if rec.is_settled(Step::HeaderLines) {
        return None;
    }
    let mail = Mail::split(raw, Source::Door).map(|mail| mail.with_spacing(spacing.unwrap_or(Spacing::Any)));
    rec.hold(Step::HeaderLines, mail, |mail| {
        format!("{} header fields", mail.fields.len())
    })
}

fn record_proof(proof: Option<Proof>, draft: &Draft<'_>, rec: &mut impl Recorder) {
    let name = || {
        let name = draft.candidate.key_name.as_ref();
        name.map(KeyName::dns_name).unwrap_or_default()
    };
    match proof {
        None => {}
        Some(Proof::Proven(_)) => {
            rec.pass(Step::Key, name);
            rec.pass(Step::Signature, name);
        }
        Some(Proof::Refused(refusal @ (Refusal::KeyUnknown | Refusal::KeyRevoked))) => {
            rec.fail(Step::Key, refusal)
        }
        Some(Proof::Refused(refusal)) => {
            rec.pass(Step::Key, name);
            rec.fail(Step::Signature, refusal);
        }
    }
}

/// What a mail makes, proven under the source's keys. The one way from a mail to its transaction:
/// `submission` wraps what this, or `examine`, gives.
///
/// Spec: 10. The refusal is the first one in the order of section 10.
pub fn derive(
    raw: &[u8],
    network_id: u32,
    now: CloseTime,
    keys: &impl KeySource,
) -> Result<ProvenMail, Refusal> {
    match examine(raw, network_id, now, keys, &mut VerdictOnly).outcome() {
        Outcome::Proven(mail) => Ok(mail),
        Outcome::Open { refusal, .. } | Outcome::Refused(refusal) => Err(refusal),
    }
}

/// The normal form of a mail under its `index`-th DKIM-Signature from the top, whatever the other rules say.
///
/// Spec: 3.
pub fn normal_form(raw: &[u8], index: usize) -> Result<Vec<u8>, Refusal> {
    let mut rec = FirstFailure::default();
    let mail = split(raw, &mut rec);
    if let Some(refusal) = rec.refusal() {
        return Err(refusal);
    }
    let mail = mail.ok_or(Refusal::NoSignature)?;
    let position = mail.signature_positions().nth(index);
    let position = position.ok_or(Refusal::NoSignature)?;
    let draft = draft::read(&mail, position, Source::Door, raw, 0, &mut NoRecord);
    draft.normal_form.map(Cow::into_owned).ok_or_else(|| {
        draft::read(&mail, position, Source::Door, raw, 0, &mut rec);
        rec.refusal().unwrap_or(Refusal::NoSignature)
    })
}

/// The keys that a mail waits for: of at most four signatures that satisfy 4.1 to 4.4.
///
/// Spec: 4.7, 7.2.
#[must_use]
pub fn candidates(raw: &[u8]) -> Vec<CandidateKey> {
    let Some(mail) = split(raw, &mut NoRecord) else {
        return Vec::new();
    };
    eligible(&mail)
        .filter_map(|candidate| {
            Some(CandidateKey {
                account: candidate.sender.as_ref()?.account(),
                name: candidate.key_name?,
            })
        })
        .collect()
}

/// The normal forms of a mail that waits for its key: one for each of the `candidates` whose body hash
/// matches. All that keeping a mail takes, whatever else was written around what it signs.
///
/// Spec: 3, 4.7, 7.5.
#[must_use]
pub fn waiting_forms(raw: &[u8]) -> Vec<WaitingForm> {
    let Some(mail) = split(raw, &mut NoRecord) else {
        return Vec::new();
    };
    eligible(&mail)
        .filter(|candidate| body_matches(candidate, &mail))
        .filter_map(|candidate| {
            let body = canon::body(&mail, candidate.scheme?.body);
            let bytes = candidate.normal_form(&body)?;
            let name = candidate.key_name?;
            (bytes.len() <= MEMO_BYTES_MAX).then_some(WaitingForm { name, bytes })
        })
        .collect()
}

/// The key names of the signatures that `examine` may look at, so that a caller can resolve them first.
#[must_use]
pub fn key_names(raw: &[u8]) -> Vec<KeyName> {
    let Some(mail) = split(raw, &mut NoRecord) else {
        return Vec::new();
    };
    let names = read_all(&mail).filter_map(|candidate| candidate.key_name);
    names.take(SIGNATURE_CANDIDATES_MAX.saturating_mul(2)).collect()
}

/// The signatures that count. Spec: 4.7.
fn eligible<'m>(mail: &'m Mail<'m>) -> impl Iterator<Item = Candidate<'m>> + 'm {
    read_all(mail)
        .filter(|candidate| candidate.is_eligible())
        .take(SIGNATURE_CANDIDATES_MAX)
}

fn read_all<'m>(mail: &'m Mail<'m>) -> impl Iterator<Item = Candidate<'m>> + 'm {
    let positions = mail.signature_positions().take(SIGNATURES_READ_MAX);
    positions.map(|position| Candidate::read(mail, position, &mut NoRecord))
}
