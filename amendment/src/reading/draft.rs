//! The one verifier: from header fields and body to what a mail means, every rule of section 10 in its order.
//! Preflight, derive and explain all run this; they differ in what they record and in who proves the
//! signature.
//!
//! Knows no ledger and no key. Spec: 2 to 6.1, 10.

use std::borrow::Cow;

use codec::AccountId;

use crate::checks::{Recorder, Step};
use crate::dkim::canon;
use crate::dkim::selection::Selection;
use crate::dkim::signature::{HashAlgorithm, KeyName, LegalScheme};
use crate::dkim::verify::Claim;
use crate::dkim::window::{self, Times};
use crate::instruction::first_line::FirstLine;
use crate::instruction::line::{Meaning, To};
use crate::instruction::order::Order;
use crate::limits::MEMO_BYTES_MAX;
use crate::mail::address::{self, CanonicalAddress, Recipient};
use crate::mail::date;
use crate::mail::foreign;
use crate::mail::message::{Mail, Source};
use crate::mail::mime;
use crate::mail::text::{is_wsp, shown};
use crate::reading::candidate::Candidate;
use crate::refusal::Refusal;

/// What is true of a mail whose every rule up to 2.4 passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) key_name: KeyName,
    pub(crate) scheme: LegalScheme,
    pub(crate) times: Times,
    pub(crate) signature: Vec<u8>,
    pub(crate) identity: Option<String>,
    pub(crate) header_data: Vec<u8>,
    pub(crate) sender: CanonicalAddress,
    pub(crate) date: u32,
    pub(crate) order: Order,
    pub(crate) instruction: String,
    /// Bytes of the normal form.
    pub(crate) memo_bytes: usize,
}

impl Reading {
    /// What proves the signature.
    pub(crate) fn claim(&self) -> Claim<'_> {
        Claim {
            algorithm: self.scheme.algorithm(),
            hash: HashAlgorithm::Sha256,
            domain: self.key_name.domain(),
            identity: self.identity.as_deref(),
            header_data: &self.header_data,
            signature: &self.signature,
        }
    }
}

/// What could be read of a mail under one signature; `None` where a rule failed or lacked its input.
pub struct Draft<'m> {
    /// The signature.
    pub candidate: Candidate<'m>,
    /// The signed Date, seconds since 2000.
    pub date: Option<u32>,
    /// What the mail orders.
    pub order: Option<Order>,
    /// The instruction line in relaxed form.
    pub instruction: Option<String>,
    /// The first line in relaxed form, where it is not the one instruction.
    pub other_line: Option<Vec<u8>>,
    /// What becomes the memo.
    pub normal_form: Option<Cow<'m, [u8]>>,
}

/// Reads the mail under the signature at `chosen`, all rules up to 2.4. `input` is what `mail` was split
/// from.
///
/// Goes on after a failure while the recorder wants more; a recipient in To is found last and judged early,
/// so a failed body hash does not end the reading.
pub(crate) fn read<'m>(
    mail: &Mail<'m>,
    chosen: usize,
    source: Source,
    input: &'m [u8],
    network_id: u32,
    rec: &mut impl Recorder,
) -> Draft<'m> {
    let mut draft = Draft {
        candidate: Candidate::read(mail, chosen, rec),
        date: None,
        order: None,
        instruction: None,
        other_line: None,
        normal_form: None,
    };
    if rec.is_settled(Step::Selected) {
        return draft;
    }
    let body = draft
        .candidate
        .scheme
        .map(|scheme| canon::body(mail, scheme.body));
    if let Some(body) = &body {
        draft.read_form(body, source, input, rec);
    }
    if let Some(selection) = &draft.candidate.selection
        && !rec.is_settled(Step::Date)
    {
        draft.date = read_date(selection, draft.candidate.times.as_ref(), rec);
        let own = check_own_words(selection, draft.candidate.sender.as_ref());
        rec.hold(Step::OwnWords, own, |()| {
            "no signed line of a list, a robot or a file".to_owned()
        });
    }
    if let Some(body) = &body {
        draft.read_order(body, network_id, rec);
    }
    draft
}

impl<'m> Draft<'m> {
    /// The reading of a mail of which every part could be read.
    pub(crate) fn complete(self) -> Option<Reading> {
        let candidate = self.candidate;
        Some(Reading {
            header_data: candidate.header_data()?,
            key_name: candidate.key_name?,
            scheme: candidate.legal?,
            times: candidate.times?,
            signature: candidate.proofs?.signature,
            identity: candidate.identity,
            sender: candidate.sender?,
            date: self.date?,
            order: self.order?,
            instruction: self.instruction?,
            memo_bytes: self.normal_form?.len(),
        })
    }

    /// The body hash and the normal form.
    ///
    /// Spec: 3.3, 3.5, 1. A memo is its own normal form; a mail's normal form fits into a memo.
    fn read_form(&mut self, body: &[u8], source: Source, input: &'m [u8], rec: &mut impl Recorder) {
        if rec.is_settled(Step::BodyHash) {
            return;
        }
        if let Some(matched) = self.candidate.check_body(body) {
            rec.hold(Step::BodyHash, matched, |()| {
                format!("{} bytes of body", body.len())
            });
        }
        if rec.is_settled(Step::NormalForm) {
            return;
        }
        let form = match source {
            Source::Memo => self.candidate.is_normal_form(body, input).map(|equal| {
                if equal {
                    Ok(Cow::Borrowed(input))
                } else {
                    Err(Refusal::NotNormalForm)
                }
            }),
            Source::Door => self.candidate.normal_form(body).map(|form| Ok(Cow::Owned(form))),
        };
        let Some(form) = form else {
            return;
        };
        let fits = match &form {
            Ok(form) if form.len() > MEMO_BYTES_MAX => Err(Refusal::MemoTooLarge),
            Ok(form) => Ok(form.len()),
            Err(refusal) => Err(*refusal),
        };
        rec.hold(Step::NormalForm, fits, |length| format!("{length} bytes"));
        self.normal_form = form.ok();
    }

    /// From the canonical body to the order.
    ///
    /// Spec: 5.2, 5.3, 5.4, 5.5, 5.6, 2.4, 2.5.
    fn read_order(&mut self, body: &[u8], network_id: u32, rec: &mut impl Recorder) {
        let text = mime::instruction_text(body).map_err(Refusal::Mime);
        let Some(text) = rec.hold(Step::BodyText, text, |text| {
            format!("{} bytes of text", text.len())
        }) else {
            return;
        };
        let first = FirstLine::find(&text).map_err(Refusal::Instruction);
        let Some(first) = rec.hold(Step::Grammar, first, |first| shown(&first.line)) else {
            return;
        };
        if let Err(error) = first.check_decoded(&text) {
            rec.fail(Step::BodyText, Refusal::Instruction(error));
        }
        let line = first.parse().map_err(Refusal::Instruction);
        let Some(line) = rec.hold(Step::Grammar, line, |_| shown(&first.line)) else {
            self.other_line = Some(first.line);
            return;
        };
        self.instruction = Some(String::from_utf8_lossy(&first.line).into_owned());
        let unbroken = first.check_unbroken().map_err(Refusal::Instruction);
        rec.hold(Step::Unbroken, unbroken, |()| {
            format!("{} columns", first.line.len())
        });
        let network = line.check_network(network_id).map_err(Refusal::Network);
        rec.hold(Step::Network, network, |()| format!("network {network_id}"));
        let money = line.check_money().map_err(Refusal::Money);
        rec.hold(Step::Money, money, |()| shown(&first.line));
        let meaning = rec.hold_at(Step::of_address, line.meaning().map_err(Refusal::Named), |_| {
            shown(&first.line)
        });
        let named = rec.hold_at(Step::of_address, line.to().map_err(Refusal::Named), |_| {
            shown(&first.line)
        });
        let to = match named.flatten() {
            None => None,
            Some(To::Named(to)) => Some(to),
            Some(To::Header) => self
                .candidate
                .selection
                .as_ref()
                .and_then(|s| header_recipient(s, rec)),
        };
        self.order = match (meaning.flatten(), to) {
            (Some(Meaning::Remit(amount)), Some(to)) => Some(Order::Remit { amount, to }),
            (Some(Meaning::Rekey { key, after }), _) => Some(Order::Rekey { key, after }),
            (Some(Meaning::Remit(_)), None) | (None, _) => None,
        };
        if let (Some(order), Some(sender)) = (&self.order, &self.candidate.sender)
            && let Err(refusal) = check_not_own(order, sender.account())
        {
            rec.fail(Step::Recipient, refusal);
        }
    }
}

/// The sender's own account is neither paid nor its own new key: no ledger takes either.
///
/// Spec: 2.5.
fn check_not_own(order: &Order, sender: AccountId) -> Result<(), Refusal> {
    match order {
        Order::Remit { to, .. } if to.account() == sender => Err(Refusal::PaysItself),
        Order::Rekey { key, .. } if *key == sender => Err(Refusal::KeyIsItself),
        Order::Remit { .. } | Order::Rekey { .. } => Ok(()),
    }
}

/// The signed Date, which lies at most five minutes after `t=`.
///
/// Spec: 4.6.
fn read_date(selection: &Selection<'_>, times: Option<&Times>, rec: &mut impl Recorder) -> Option<u32> {
    let value = selection.single(b"date", "Date").ok()?;
    let date = rec.hold(Step::Date, date::parse(value).map_err(Refusal::Date), |_| {
        format!("Date: {}", shown(value))
    })?;
    if times.is_some_and(|times| window::is_dated_ahead(date, times)) {
        rec.fail(Step::Date, Refusal::DatedAhead);
    }
    Some(date)
}

/// No selected line says that the words need not be the sender's.
///
/// Spec: 4.8.
fn check_own_words(selection: &Selection<'_>, from: Option<&CanonicalAddress>) -> Result<(), Refusal> {
    selection
        .in_normal_order()
        .try_for_each(|(name, line)| foreign::check(name, canon::value(line), from))
        .map_err(Refusal::Foreign)
}

/// The recipient that the To header names, which must be signed exactly once for that.
///
/// Spec: 4.3, 2.1, 2.4.
fn header_recipient(selection: &Selection<'_>, rec: &mut impl Recorder) -> Option<Recipient> {
    let value = selection.single(b"to", "To");
    let value = rec.hold(Step::Selected, value, |_| "From, Date and To".to_owned())?;
    let recipient = address::mailbox(value, |address| address::recipient_of(&address)).map_err(Refusal::To);
    rec.hold_at(Step::of_address, recipient, |_| {
        let value: Vec<u8> = value.iter().copied().skip_while(|b| is_wsp(*b)).collect();
        format!("To: {}", shown(&value))
    })
}
