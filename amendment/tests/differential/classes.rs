//! Why two programs differ on a mail. A refusal of ours by rule is its own reason. Where a proof differs, a class is a
//! repair: a change after which both agree, because one of them did not see it before.

use crate::corpus::Sample;
use crate::mail::{Mail, tag, value_of};
use crate::table::Peer;
use crate::verdict::{self, Verdict};

/// No class fits.
const UNEXPLAINED: &str = "unexplained";
/// The signature that the peer accepts is legal, but the mail has more than rule 4.7 tries.
const NOT_TRIED: &str = "4.7";

/// A change with its name.
type Repair = (&'static str, fn(&Mail) -> Mail);
/// What a signature or its key is like, with its name.
type Trait = (&'static str, fn(&Mail) -> bool);

const REPAIRS: &[Repair] = &[
    (
        "white space in the last lines of a relaxed body",
        without_blank_end,
    ),
    ("a form feed in a relaxed header", without_form_feeds),
];
const TRAITS: &[Trait] = &[
    ("several @ in i=", has_second_at),
    ("Ed25519 with an R of small order", has_weak_r),
];

fn repaired(sample: &Sample, mail: &Mail) -> Sample {
    Sample {
        mail: mail.join(),
        ..sample.clone()
    }
}

/// The first class of proofs that fits a mail.
fn class_of_proof(peer: &mut dyn Peer, sample: &Sample) -> Option<&'static str> {
    let mail = Mail::split(&sample.mail)?;
    let mended = REPAIRS.iter().find(|(_, repair)| {
        let repaired = repaired(sample, &repair(&mail));
        verdict::ours(&repaired) == Verdict::Accepts && peer.accepts(&repaired)
    });
    let like = || {
        TRAITS
            .iter()
            .find(|(_, is_like)| is_like(&mail))
            .map(|(name, _)| *name)
    };
    mended.map(|(name, _)| *name).or_else(like)
}

/// The class of a mail that our verifier alone accepts.
pub fn why_only_we(peer: &mut dyn Peer, sample: &Sample) -> String {
    class_of_proof(peer, sample).unwrap_or(UNEXPLAINED).to_owned()
}

/// The rule by which we refuse the very signature that the peer accepts; where that is a proof, its class.
pub fn why_only_they(peer: &mut dyn Peer, sample: &Sample) -> String {
    let alone = |mail: &Mail| -> Vec<Sample> {
        let each = 0..mail.signatures().len();
        each.map(|at| repaired(sample, &mail.with_only(at))).collect()
    };
    let mut proving = match Mail::split(&sample.mail) {
        Some(mail) if mail.signatures().len() > 1 => alone(&mail),
        _ => vec![sample.clone()],
    };
    proving.retain(|one| peer.accepts(one));
    let mut classes: Vec<String> = proving
        .iter()
        .map(|one| match verdict::ours(one) {
            Verdict::Accepts => NOT_TRIED.to_owned(),
            Verdict::Refuses(rule) if is_proof(&rule) => {
                class_of_proof(peer, one).map_or(format!("{UNEXPLAINED} {rule}"), str::to_owned)
            }
            Verdict::Refuses(rule) => rule,
        })
        .collect();
    // A failed proof needs more of an explanation than a broken rule, so it is told first.
    classes.sort_by_key(|class| class.starts_with(|c: char| c.is_ascii_digit()));
    classes
        .into_iter()
        .next()
        .unwrap_or_else(|| UNEXPLAINED.to_owned())
}

fn is_proof(class: &str) -> bool {
    class == "3.3" || class == "4.5 proof"
}

fn without_blank_end(mail: &Mail) -> Mail {
    let mut mail = mail.clone();
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let kept = mail
        .body
        .iter()
        .rposition(|byte| !blank(byte))
        .map_or(0, |last| last + 1);
    mail.body.truncate(kept);
    if kept > 0 {
        mail.body.extend_from_slice(b"\r\n");
    }
    mail
}

fn without_form_feeds(mail: &Mail) -> Mail {
    let mut mail = mail.clone();
    for field in &mut mail.fields {
        field.retain(|byte| *byte != b'\x0c');
    }
    mail
}

fn first_tag(mail: &Mail, name: &str) -> Option<Vec<u8>> {
    let at = mail.signatures().first().copied()?;
    tag(value_of(&mail.fields[at]), name)
}

fn has_second_at(mail: &Mail) -> bool {
    first_tag(mail, "i").is_some_and(|identity| identity.iter().filter(|byte| **byte == b'@').count() > 1)
}

/// The first half of an Ed25519 signature is a point of small order: rule 4.5 refuses it.
fn has_weak_r(mail: &Mail) -> bool {
    let value = first_tag(mail, "b").unwrap_or_default();
    let text: Vec<u8> = value
        .into_iter()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let half = decode_base64(&text).and_then(|bytes| <[u8; 32]>::try_from(bytes.get(..32)?).ok());
    let point = half.and_then(|half| ed25519_dalek::VerifyingKey::from_bytes(&half).ok());
    first_tag(mail, "a").as_deref() == Some(b"ed25519-sha256") && point.is_some_and(|point| point.is_weak())
}

fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut bits: u32 = 0;
    let mut filled = 0;
    for byte in text.iter().take_while(|byte| **byte != b'=') {
        let value = crate::sign::ALPHABET.iter().position(|known| known == byte)?;
        bits = bits << 6 | value as u32;
        filled += 6;
        if filled >= 8 {
            filled -= 8;
            out.push((bits >> filled) as u8);
        }
    }
    Some(out)
}
