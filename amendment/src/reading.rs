//! The one verifier: from header fields and body to what a mail means, every rule of section 10 in its order. Preflight,
//! derive and explain all run this; they differ in what they record and in who proves the signature.
//!
//! Knows no ledger and no key. Spec: 2 to 6.1, 10.

use std::borrow::Cow;

use codec::{AccountId, Amount};

use crate::address::{self, CanonicalAddress, Recipient};
use crate::canon::{self, SignatureField, SignatureValue};
use crate::crypto;
use crate::date;
use crate::instruction::{FirstLine, Meaning, To};
use crate::limits::MEMO_BYTES_MAX;
use crate::message::{Mail, Source};
use crate::mime;
use crate::record::{Recorder, Step};
use crate::refusal::Refusal;
use crate::selection::Selection;
use crate::signature::{self, KeyName, LegalScheme, Proofs, Scheme, Times};
use crate::tags::TagList;
use crate::text::{is_wsp, shown, trim_wsp};

/// What a mail orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Pay an amount.
    Remit {
        /// How much.
        amount: Amount,
        /// Whom.
        to: Recipient,
    },
    /// Set the regular key.
    Rekey {
        /// The account of the new key.
        key: AccountId,
    },
}

/// One signature of a mail, read by rules 4.1 to 4.4, 4.6 (tags), 3.2, 2.1, 2.2, 4.2; `None` where a rule failed or
/// lacked its input.
pub struct Candidate<'m> {
    /// Algorithm and canonicalisation.
    pub scheme: Option<Scheme>,
    legal: Option<LegalScheme>,
    /// Selector and domain.
    pub key_name: Option<KeyName>,
    /// `t=` and `x=`.
    pub times: Option<Times>,
    /// `b=` and `bh=`.
    pub proofs: Option<Proofs>,
    pub(crate) selection: Option<Selection<'m>>,
    /// The address of From.
    pub sender: Option<CanonicalAddress>,
    /// Domain of `i=`.
    pub(crate) identity: Option<String>,
    /// The chosen field in canonical form, as received.
    field: Cow<'m, [u8]>,
    /// Its `b=`.
    signature_at: SignatureValue,
    /// `d=` is the domain of From.
    pub(crate) same_domain: bool,
    aligned: bool,
    signed_legal: bool,
}

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

impl<'m> Candidate<'m> {
    /// Reads the field at `chosen`.
    pub(crate) fn read(mail: &Mail<'m>, chosen: usize, rec: &mut impl Recorder) -> Candidate<'m> {
        let mut candidate = Candidate {
            scheme: None,
            legal: None,
            key_name: None,
            times: None,
            proofs: None,
            selection: None,
            sender: None,
            identity: None,
            field: Cow::Borrowed(b""),
            signature_at: SignatureValue::default(),
            same_domain: false,
            aligned: false,
            signed_legal: false,
        };
        let Some(field) = mail.fields.get(chosen) else {
            rec.fail(Step::SignaturePresent, Refusal::NoSignature);
            return candidate;
        };
        let raw_value = canon::value(field.raw);
        let tags = TagList::parse(raw_value).map_err(Refusal::Tags);
        let Some(tags) = rec.hold(Step::Tags, tags, |_| String::new()) else {
            return candidate;
        };
        candidate.scheme = signature::scheme(&tags);
        candidate.legal = rec.hold(Step::Tags, signature::check_scheme(&tags), |_| {
            shown_tags(&tags, &["v", "a", "c", "q"])
        });
        candidate.key_name = rec.hold(Step::KeyName, signature::key_name(&tags), KeyName::dns_name);
        let signed = rec.hold(Step::SignedNames, signature::signed_headers(&tags), |_| {
            shown_tags(&tags, &["h"])
        });
        if let Some(signed) = &signed {
            let checked = signature::check_signed_headers(signed);
            let checked = rec.hold(Step::SignedNames, checked, |()| shown_tags(&tags, &["h"]));
            candidate.signed_legal = checked.is_some();
        }
        candidate.times = rec.hold(Step::Times, signature::times(&tags), |_| {
            shown_tags(&tags, &["t", "x"])
        });
        candidate.proofs = rec.hold(Step::SignatureBase64, signature::proofs(&tags), |_| {
            shown_tags(&tags, &["bh"])
        });
        if rec.is_settled(Step::Selected) {
            return candidate;
        }
        if let (Some(scheme), Some(signed)) = (&candidate.scheme, &signed) {
            candidate.field = canon::header(field, scheme.header);
            candidate.signature_at = SignatureValue::find(&candidate.field);
            candidate.selection = Some(Selection::of(mail, chosen, signed, scheme));
        }
        candidate.read_sender(rec);
        candidate.check_alignment(&tags, rec);
        candidate
    }

    /// The one mailbox of From, as the address that owns the account.
    ///
    /// Spec: 4.3, 2.1, 2.2.
    fn read_sender(&mut self, rec: &mut impl Recorder) {
        let Some(selection) = &self.selection else {
            return;
        };
        let date = selection.single(b"date", "Date").map(|_| ());
        let from = selection.single(b"from", "From");
        rec.hold(Step::Selected, date, |()| "From and Date".to_owned());
        let Some(from) = rec.hold(Step::Selected, from, |_| "From and Date".to_owned()) else {
            return;
        };
        let parsed = address::mailbox(from, |address| Ok(address::sender_of(&address)));
        let parsed = parsed.map_err(Refusal::From);
        let Some(sender) = rec.hold(Step::Mailbox, parsed, |_| format!("From: {}", shown(from))) else {
            return;
        };
        let sender = sender.map_err(Refusal::From);
        self.sender = rec.hold(Step::Canonical, sender, |sender| sender.as_str().to_owned());
    }

    /// `d=` is the domain of From itself, and `i=` lies within it.
    ///
    /// Spec: 4.2. Not a parent domain: else whoever rents a subdomain of a mail provider could sign for its users.
    fn check_alignment(&mut self, tags: &TagList<'_>, rec: &mut impl Recorder) {
        let (Some(key_name), Some(sender)) = (&self.key_name, &self.sender) else {
            return;
        };
        let aligned = if sender.domain() == key_name.domain() {
            Ok(())
        } else {
            Err(Refusal::NotAligned)
        };
        self.same_domain = aligned.is_ok();
        let identity = signature::identity_domain(tags, key_name.domain());
        let read = || shown_tags(tags, &["d", "i"]);
        let aligned = rec.hold(Step::Aligned, aligned, |()| read());
        let identity = rec.hold(Step::Aligned, identity, |_| read());
        self.aligned = aligned.is_some() && identity.is_some();
        self.identity = identity.flatten();
    }

    /// Whether rules 4.1 to 4.4 hold, so that rule 4.7 tries this signature. Spec: 4.7.
    pub(crate) fn is_eligible(&self) -> bool {
        self.legal.is_some()
            && self.signed_legal
            && self.key_name.is_some()
            && self.aligned
            && self.sender.is_some()
            && self.has_both()
    }

    fn has_both(&self) -> bool {
        self.selection
            .as_ref()
            .is_some_and(|s| s.single(b"from", "From").is_ok() && s.single(b"date", "Date").is_ok())
    }

    /// The canonical body, if `bh=` matches it.
    ///
    /// Spec: 3.3.
    pub(crate) fn check_body(&self, body: &[u8]) -> Option<Result<(), Refusal>> {
        let proofs = self.proofs.as_ref()?;
        let equal = crypto::digest_equals(self.scheme?.hash, body, &proofs.body_hash);
        Some(if equal { Ok(()) } else { Err(Refusal::BodyHash) })
    }

    /// The bytes that the signature covers.
    ///
    /// RFC 6376 3.7.
    pub(crate) fn header_data(&self) -> Option<Vec<u8>> {
        let selection = self.selection.as_ref()?;
        let signed = SignatureField::new(&self.field, self.signature_at).signed();
        let parts = || selection.as_mentioned().chain(signed);
        let mut data = Vec::with_capacity(parts().map(<[u8]>::len).sum());
        for part in parts() {
            data.extend_from_slice(part);
        }
        Some(data)
    }

    /// The normal form of a mail that is read at a door.
    ///
    /// Spec: 3.1, 3.2.
    fn normal_form(&self, body: &[u8]) -> Option<Vec<u8>> {
        let selection = self.selection.as_ref()?;
        let mut out = Vec::with_capacity(body.len().saturating_add(2_048));
        for part in SignatureField::new(&self.field, self.signature_at).compacted() {
            out.extend_from_slice(&part);
        }
        for (_, line) in selection.in_normal_order() {
            out.extend_from_slice(line);
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(body);
        Some(out)
    }

    /// Whether a memo is its own normal form: the same parts, compared without building it.
    ///
    /// Spec: 3.5.
    fn is_normal_form(&self, body: &[u8], memo: &[u8]) -> Option<bool> {
        let selection = self.selection.as_ref()?;
        let field = SignatureField::new(&self.field, self.signature_at).compacted();
        let head = field.iter().map(|part| &**part);
        let lines = selection.in_normal_order().map(|(_, line)| line);
        let mut parts = head.chain(lines).chain([&b"\r\n"[..], body]);
        // What is canonical already is a piece of the memo itself, and then its bytes need no comparison.
        let is_same = |piece: &[u8], part: &[u8]| std::ptr::eq(piece, part) || piece == part;
        let rest = parts.try_fold(memo, |rest, part| {
            let (piece, after) = rest.split_at_checked(part.len())?;
            is_same(piece, part).then_some(after)
        });
        Some(rest.is_some_and(<[u8]>::is_empty))
    }
}

fn shown_tags(tags: &TagList<'_>, names: &[&str]) -> String {
    let mut text = String::new();
    for name in names {
        if let Some(value) = tags.value(name) {
            if !text.is_empty() {
                text.push_str("; ");
            }
            text.push_str(name);
            text.push('=');
            text.push_str(&shown(&crate::text::relaxed(value)));
        }
    }
    text
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

/// Reads the mail under the signature at `chosen`, all rules up to 2.4. `input` is what `mail` was split from.
///
/// Goes on after a failure while the recorder wants more; a recipient in To is found last and judged early, so a failed
/// body hash does not end the reading.
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
        .map(|scheme| canon::body(mail.body, scheme.body));
    if let Some(body) = &body {
        draft.read_form(body, source, input, rec);
    }
    if let Some(selection) = &draft.candidate.selection
        && !rec.is_settled(Step::Date)
    {
        draft.date = read_date(selection, rec);
        rec.hold(Step::ListOrRobot, check_list_or_robot(selection), |()| {
            "no list or robot header".to_owned()
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
            (Some(Meaning::Rekey(key)), _) => Some(Order::Rekey { key }),
            _ => None,
        };
    }
}

fn read_date(selection: &Selection<'_>, rec: &mut impl Recorder) -> Option<u32> {
    let value = selection.single(b"date", "Date").ok()?;
    rec.hold(Step::Date, date::parse(value).map_err(Refusal::Date), |_| {
        format!("Date: {}", shown(value))
    })
}

/// Header names of lists and robots. Spec: 4.8.
const ROBOT_NAMES: [&[u8]; 2] = [b"mailing-list", b"precedence"];
/// How other such names begin. Spec: 4.8.
const ROBOT_PREFIXES: [&[u8]; 3] = [b"list-", b"resent-", b"x-original-"];

/// No selected line says that a list or a robot sent the mail.
///
/// Spec: 4.8. Groups re-sign outsiders' words as their own; vacation and ticket robots echo what they answer.
fn check_list_or_robot(selection: &Selection<'_>) -> Result<(), Refusal> {
    let found = selection
        .in_normal_order()
        .any(|(name, line)| is_of_list_or_robot(name, line));
    if found { Err(Refusal::ListOrRobot) } else { Ok(()) }
}

/// Whether a header field, by its name and its whole line, says that a list or a robot sent the mail.
///
/// Spec: 4.8.
pub fn is_of_list_or_robot(name: &[u8], line: &[u8]) -> bool {
    let starts = |prefix: &[u8]| {
        name.get(..prefix.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(prefix))
    };
    if name.eq_ignore_ascii_case(b"auto-submitted") {
        return !trim_wsp(canon::value(line)).eq_ignore_ascii_case(b"no");
    }
    ROBOT_NAMES.iter().any(|robot| name.eq_ignore_ascii_case(robot))
        || ROBOT_PREFIXES.iter().any(|prefix| starts(prefix))
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
