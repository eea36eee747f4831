//! Why two programs differ on a mail. A refusal of ours by rule is its own reason. Where a proof differs, a
//! class is a repair: a change after which both agree, because one of them did not see it before.

use amendment::key_record::{KeyType, parse_txt};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::corpus::Sample;
use crate::mail::{Mail, is_named, tag, value_of};
use crate::table::Peer;
use crate::verdict::{self, Verdict};

/// No class fits.
const UNEXPLAINED: &str = "unexplained";
/// The signature that the peer accepts is legal, but the mail has more than rule 4.7 tries.
const NOT_TRIED: &str = "4.7";

/// Rules that are not about a signature.
const OF_THE_WHOLE_MAIL: &[&str] = &["1", "3.1", "3.4"];

/// A change with its name; any of the samples that it makes may be the one on which both agree.
type Repair = (&'static str, fn(&Sample, &Mail) -> Vec<Sample>);
/// What a signature or its key is like, with its name.
type Trait = (&'static str, fn(&Sample, &Mail) -> bool);

/// Why our verifier alone proves a signature.
const OURS_REPAIRED: &[Repair] = &[
    ("a relaxed body without a last line end", with_line_end),
    (
        "white space in the last lines of a relaxed body",
        without_blank_end,
    ),
    ("white space after the value of b=", with_compact_proof),
    ("an unsigned second From", without_unsigned_from),
    ("another signature is malformed", with_one_signature),
    ("s= with several services", with_one_service),
    ("an RSA key as PKCS#1", with_long_key),
    ("the name of an unsigned field", without_unsigned),
];
const OURS_ALONE: &[Trait] = &[
    ("several @ in i=", has_second_at),
    ("t= or x= against the clock", is_against_the_clock),
    (
        "white space at the end of a simple signature field",
        has_blank_end,
    ),
    ("white space before the = of b=", has_blank_before_equals),
    ("t= below 300", is_below_drift),
];
/// Why a peer alone proves a signature.
const THEIRS_REPAIRED: &[Repair] = &[("a form feed in a relaxed header", without_form_feeds)];
const THEIRS_ALONE: &[Trait] = &[
    ("an Ed25519 signature with R of small order", has_weak_r),
    (
        "an RSA signature that is no number below the modulus of its length",
        has_odd_length,
    ),
];

fn mailed(sample: &Sample, mail: &Mail) -> Sample {
    Sample {
        mail: mail.join(),
        ..sample.clone()
    }
}

/// Repairs that one mail may need.
const CAUSES_MAX: usize = 3;

/// The first class that fits a mail; one with several causes is told by the first of them.
fn class_of(
    peer: &mut dyn Peer,
    sample: &Sample,
    repairs: &[Repair],
    traits: &[Trait],
) -> Option<&'static str> {
    let mail = Mail::split(&sample.mail)?;
    let mut tried: Vec<(&'static str, Sample)> = Vec::new();
    for cause in 0..CAUSES_MAX {
        let from: Vec<(&'static str, Sample)> = match cause {
            0 => vec![("", sample.clone())],
            _ => std::mem::take(&mut tried),
        };
        for (first, sample) in from {
            let mail = Mail::split(&sample.mail)?;
            for (name, repair) in repairs {
                let first = if cause == 0 { name } else { first };
                for repaired in repair(&sample, &mail)
                    .into_iter()
                    .filter(|repaired| *repaired != sample)
                {
                    if verdict::ours(&repaired) == Verdict::Accepts && peer.accepts(&repaired) {
                        return Some(first);
                    }
                    tried.push((first, repaired));
                }
            }
        }
    }
    traits
        .iter()
        .find(|(_, is_like)| is_like(sample, &mail))
        .map(|(name, _)| *name)
}

/// The class of a mail that our verifier alone accepts.
pub(crate) fn why_only_we(peer: &mut dyn Peer, sample: &Sample) -> String {
    class_of(peer, sample, OURS_REPAIRED, OURS_ALONE)
        .unwrap_or(UNEXPLAINED)
        .to_owned()
}

/// The rule by which we refuse the very signature that the peer accepts; where that is a proof, its class.
pub(crate) fn why_only_they(peer: &mut dyn Peer, sample: &Sample) -> String {
    if let Verdict::Refuses(rule) = verdict::ours(sample)
        && OF_THE_WHOLE_MAIL.contains(&rule.as_str())
    {
        return rule;
    }
    let alone = |mail: &Mail| -> Vec<Sample> {
        let each = 0..mail.signatures().len();
        each.map(|at| mailed(sample, &mail.with_only(at))).collect()
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
            Verdict::Refuses(rule) if is_proof(&rule) => class_of(peer, one, THEIRS_REPAIRED, THEIRS_ALONE)
                .map_or(format!("{UNEXPLAINED} {rule}"), str::to_owned),
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

fn with_line_end(sample: &Sample, mail: &Mail) -> Vec<Sample> {
    let mut mail = mail.clone();
    if !mail.body.ends_with(b"\r\n") {
        mail.body.extend_from_slice(b"\r\n");
    }
    vec![mailed(sample, &mail)]
}

fn without_unsigned(sample: &Sample, mail: &Mail) -> Vec<Sample> {
    let mut mail = mail.clone();
    let signed = mail.signed_names();
    mail.fields
        .retain(|field| is_named(field, "dkim-signature") || signed.iter().any(|name| is_named(field, name)));
    vec![mailed(sample, &mail)]
}

fn without_blank_end(sample: &Sample, mail: &Mail) -> Vec<Sample> {
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
    vec![mailed(sample, &mail)]
}

fn without_form_feeds(sample: &Sample, mail: &Mail) -> Vec<Sample> {
    let mut mail = mail.clone();
    for field in &mut mail.fields {
        field.retain(|byte| *byte != b'\x0c');
    }
    vec![mailed(sample, &mail)]
}

fn with_compact_proof(sample: &Sample, mail: &Mail) -> Vec<Sample> {
    let mut mail = mail.clone();
    for at in mail.signatures() {
        let field = &mut mail.fields[at];
        let colon = field.len() - value_of(field).len();
        let tags = field[colon..]
            .strip_suffix(b"\r\n")
            .unwrap_or(&field[colon..])
            .split(|byte| *byte == b';');
        let tags: Vec<Vec<u8>> = tags
            .map(|tag| match tag.iter().position(|byte| *byte == b'=') {
                Some(at) if tag[..at].trim_ascii() == b"b" => {
                    let value = tag[at..]
                        .iter()
                        .copied()
                        .filter(|byte| !byte.is_ascii_whitespace());
                    tag[..at].iter().copied().chain(value).collect()
                }
                _ => tag.to_vec(),
            })
            .collect();
        *field = [&field[..colon], &tags.join(&b';'), b"\r\n"].concat();
    }
    vec![mailed(sample, &mail)]
}

/// Leaves the lowest instances of From that `h=` selects.
fn without_unsigned_from(sample: &Sample, mail: &Mail) -> Vec<Sample> {
    let mut left = mail.signed_names().iter().filter(|name| *name == "from").count();
    let mut fields: Vec<Vec<u8>> = Vec::new();
    for field in mail.fields.iter().rev() {
        let is_from = is_named(field, "from");
        if !is_from || left > 0 {
            fields.push(field.clone());
        }
        left -= usize::from(is_from && left > 0);
    }
    fields.reverse();
    let body = mail.body.clone();
    vec![mailed(sample, &Mail { fields, body })]
}

fn with_one_signature(sample: &Sample, mail: &Mail) -> Vec<Sample> {
    let each = 0..mail.signatures().len();
    each.map(|at| mailed(sample, &mail.with_only(at))).collect()
}

fn with_one_service(sample: &Sample, _: &Mail) -> Vec<Sample> {
    let mut sample = sample.clone();
    for record in sample.keys.values_mut().flatten() {
        let tags = record.split(|byte| *byte == b';');
        let services = |tag: &&[u8]| !(tag.trim_ascii().starts_with(b"s=") && tag.contains(&b':'));
        *record = tags.filter(services).collect::<Vec<&[u8]>>().join(&b';');
    }
    vec![sample]
}

/// Rule 4.6 judges the window apart, and by the ledger's time.
fn is_against_the_clock(sample: &Sample, mail: &Mail) -> bool {
    let time =
        |name| first_tag(mail, name).and_then(|text| String::from_utf8(text).ok()?.parse::<u64>().ok());
    time("t").is_some_and(|signed| signed > sample.at) || time("x").is_some_and(|expires| expires < sample.at)
}

/// libopendkim subtracts the drift that it allows, 300 seconds, from `t=`.
fn is_below_drift(_: &Sample, mail: &Mail) -> bool {
    let text = first_tag(mail, "t").and_then(|text| String::from_utf8(text).ok());
    text.and_then(|text| text.parse::<u64>().ok())
        .is_some_and(|signed| signed < 300)
}

fn has_blank_end(_: &Sample, mail: &Mail) -> bool {
    let simple = first_tag(mail, "c").is_none_or(|canon| canon.starts_with(b"simple"));
    let field = mail.signatures().first().map(|at| &mail.fields[*at]);
    simple && field.is_some_and(|field| field.ends_with(b" \r\n") || field.ends_with(b"\t\r\n"))
}

/// Wraps RSAPublicKey into SubjectPublicKeyInfo (RFC 5280 4.1.2.7).
fn with_long_key(sample: &Sample, _: &Mail) -> Vec<Sample> {
    const ALGORITHM: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
    let element = |tag: u8, content: &[u8]| {
        let [_, _, high, low] = u32::try_from(content.len()).unwrap_or_default().to_be_bytes();
        let length: &[u8] = if high == 0 {
            &[0x81, low]
        } else {
            &[0x82, high, low]
        };
        [&[tag], length, content].concat()
    };
    let mut sample = sample.clone();
    for record in sample.keys.values_mut().flatten() {
        let Some(key) = tag(record, "p").and_then(|text| decode_base64(&text)) else {
            continue;
        };
        let bits = element(3, &[&[0], &key[..]].concat());
        let long = element(0x30, &[ALGORITHM, &bits].concat());
        let text = String::from_utf8_lossy(record).replace(
            &String::from_utf8_lossy(&tag(record, "p").unwrap_or_default()).into_owned(),
            &crate::sign::encode_base64(&long),
        );
        *record = text.into_bytes();
    }
    vec![sample]
}

fn first_tag(mail: &Mail, name: &str) -> Option<Vec<u8>> {
    let at = mail.signatures().first().copied()?;
    tag(value_of(&mail.fields[at]), name)
}

fn has_blank_before_equals(_: &Sample, mail: &Mail) -> bool {
    let fields = mail.signatures().into_iter().map(|at| &mail.fields[at]);
    let mut tags = fields.flat_map(|field| value_of(field).split(|byte| *byte == b';'));
    tags.any(|tag| {
        let name = tag.split(|byte| *byte == b'=').next().unwrap_or_default();
        name.trim_ascii() == b"b" && name.trim_ascii_end() != name
    })
}

fn has_second_at(_: &Sample, mail: &Mail) -> bool {
    let fields = mail.signatures().into_iter().map(|at| &mail.fields[at]);
    let mut identities = fields.filter_map(|field| tag(value_of(field), "i"));
    identities.any(|identity| identity.iter().filter(|byte| **byte == b'@').count() > 1)
}

/// The first half of an Ed25519 signature is a point of small order: rule 4.5 refuses it.
fn has_weak_r(_: &Sample, mail: &Mail) -> bool {
    let value = first_tag(mail, "b").unwrap_or_default();
    let text: Vec<u8> = value
        .into_iter()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let half = decode_base64(&text).and_then(|bytes| <[u8; 32]>::try_from(bytes.get(..32)?).ok());
    let point = half.and_then(|half| ed25519_dalek::VerifyingKey::from_bytes(&half).ok());
    first_tag(mail, "a").as_deref() == Some(b"ed25519-sha256") && point.is_some_and(|point| point.is_weak())
}

fn signature(mail: &Mail) -> Option<Vec<u8>> {
    let value = first_tag(mail, "b")?;
    let text: Vec<u8> = value
        .into_iter()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    decode_base64(&text)
}

/// Rule 4.5: exactly as long as the modulus, and below it.
fn has_odd_length(sample: &Sample, mail: &Mail) -> bool {
    let name = first_tag(mail, "s")
        .zip(first_tag(mail, "d"))
        .map(|(selector, domain)| {
            let name = [&selector[..], b"._domainkey.", &domain].concat();
            String::from_utf8_lossy(&name).to_ascii_lowercase()
        });
    let record = name.and_then(|name| sample.keys.get(&name)?.first());
    let key = record.and_then(|record| parse_txt(record).ok());
    let Some((key, signature)) = key.zip(signature(mail)) else {
        return false;
    };
    // The modulus is the one INTEGER (tag 2) of 128 bytes or more; a zero byte may stand before it.
    let der = key.public_key();
    let modulus = (0..der.len()).find_map(|at| match &der[at..] {
        [2, 0x81, length, rest @ ..] => rest.get(..usize::from(*length)),
        [2, 0x82, high, low, rest @ ..] => rest.get(..usize::from(u16::from_be_bytes([*high, *low]))),
        _ => None,
    });
    let modulus = modulus
        .map(|bytes| bytes.strip_prefix(&[0]).unwrap_or(bytes))
        .unwrap_or_default();
    key.key_type() == KeyType::Rsa && (signature.len() != modulus.len() || signature.as_slice() >= modulus)
}

/// What `text` says before its padding, whatever its unused bits and a character too many.
fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let text = text.split(|byte| *byte == b'=').next()?;
    let whole = text.len() - usize::from(text.len() % 4 == 1);
    GeneralPurpose::new(&STANDARD, LENIENT)
        .decode(&text[..whole])
        .ok()
}
