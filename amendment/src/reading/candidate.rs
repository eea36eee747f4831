//! One signature of a mail, read without any key: its tags, what it selects, and whether it may sign for
//! From.
//!
//! Spec: 2.1, 2.2, 3.1, 3.2, 3.3, 3.5, 4.1 to 4.4, 4.7.

use std::borrow::Cow;

use crate::checks::{Recorder, Step};
use crate::dkim::canon::{self, SignatureField, SignatureValue};
use crate::dkim::selection::Selection;
use crate::dkim::signature::{self, KeyName, LegalScheme, Proofs, Scheme};
use crate::dkim::tags::TagList;
use crate::dkim::verify::{self, Claim};
use crate::dkim::window::Times;
use crate::mail::address::{self, CanonicalAddress};
use crate::mail::message::Mail;
use crate::mail::text::{relaxed, shown};
use crate::refusal::Refusal;

/// One signature of a mail, read by rules 4.1 to 4.4, 4.6 (tags), 3.2, 2.1, 2.2, 4.2; `None` where a rule
/// failed or lacked its input.
pub struct Candidate<'m> {
    /// Algorithm and canonicalisation.
    pub scheme: Option<Scheme>,
    pub(crate) legal: Option<LegalScheme>,
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
            candidate.field = canon::header(field, scheme.header, mail.spacing);
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
    /// Spec: 4.2. Not a parent domain: a customer who owns a subdomain of a mail provider could sign for its
    /// users.
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

    /// What proves this signature, where every part of it could be read.
    pub(crate) fn claim<'a>(&'a self, header_data: &'a [u8]) -> Option<Claim<'a>> {
        let scheme = self.scheme?;
        Some(Claim {
            algorithm: scheme.algorithm,
            hash: scheme.hash,
            domain: self.key_name.as_ref()?.domain(),
            identity: self.identity.as_deref(),
            header_data,
            signature: &self.proofs.as_ref()?.signature,
        })
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
        let equal = verify::digest_equals(self.scheme?.hash, body, &proofs.body_hash);
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

    /// The normal form of a mail as a client or a relay hands it in.
    ///
    /// Spec: 3.1, 3.2.
    pub(crate) fn normal_form(&self, body: &[u8]) -> Option<Vec<u8>> {
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
    pub(crate) fn is_normal_form(&self, body: &[u8], memo: &[u8]) -> Option<bool> {
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
            text.push_str(&shown(&relaxed(value)));
        }
    }
    text
}
