//! Changes that no signature of a mail sees: unsigned fields, spellings that the canonical form drops, key
//! records that say the same.

use crate::corpus::Sample;
use crate::mail::{Mail, is_named, name_of, tag, value_of};
use crate::rng::Rng;
use crate::sign::Canon;

/// What a name of a field is added under; no case signs it.
const NEW_NAME: &str = "X-Differential-Test";
const VALUES: &[&[u8]] = &[
    b"1",
    b"from a.test (a.test [192.0.2.1])\r\n\tby b.test; Mon, 16 Nov 2026 10:00:01 +0000",
    b"pass \x80\xff",
    b"From: eve@evil.test",
    b"v=1; a=rsa-sha256; b=AAAA",
    b"",
];
/// What may stand where white space stands in relaxed form.
const SPACES: &[&[u8]] = &[b" ", b"  ", b"\t", b"\r\n ", b" \r\n\t", b" \t "];
const BODY_SPACES: &[&[u8]] = &[b" ", b"  ", b"\t", b"\t \t"];

/// The canonicalisations of a DKIM-Signature field.
pub(crate) fn canons(field: &[u8]) -> (Canon, Canon) {
    let text = tag(value_of(field), "c").unwrap_or_default();
    let of = |text: &[u8]| {
        if text == b"relaxed" {
            Canon::Relaxed
        } else {
            Canon::Simple
        }
    };
    let mut parts = text.split(|b| *b == b'/');
    (
        of(parts.next().unwrap_or_default()),
        of(parts.next().unwrap_or_default()),
    )
}

/// Changes a sample; what was changed.
pub(crate) fn mutate(rng: &mut Rng, original: &Mail, sample: &mut Sample) -> Vec<&'static str> {
    let mut mail = original.clone();
    let canons: Vec<(Canon, Canon)> = mail
        .signatures()
        .into_iter()
        .map(|at| canons(&mail.fields[at]))
        .collect();
    let relaxed_header = canons.iter().all(|canon| canon.0 == Canon::Relaxed);
    let relaxed_body = canons.iter().all(|canon| canon.1 == Canon::Relaxed);
    let mut done = Vec::new();
    for _ in 0..=rng.below(3) {
        done.push(match rng.below(11) {
            0 | 1 => add_field(rng, &mut mail),
            2 => drop_field(rng, &mut mail),
            3 => change_field(rng, &mut mail),
            4 | 5 if relaxed_header => respace_header(rng, &mut mail),
            4..=6 if relaxed_body => respace_body(rng, &mut mail),
            6 | 7 => fold_signature(rng, &mut mail),
            8 => swap_fields(rng, &mut mail),
            9 => add_signature(rng, &mut mail),
            10 => respell_record(rng, &mail, sample),
            _ => lengthen_body(rng, &mut mail),
        });
    }
    sample.mail = mail.join();
    done
}

fn is_signed(mail: &Mail, field: &[u8]) -> bool {
    is_named(field, "dkim-signature") || mail.signed_names().iter().any(|name| is_named(field, name))
}

fn add_field(rng: &mut Rng, mail: &mut Mail) -> &'static str {
    let at = if rng.once_in(2) {
        0
    } else {
        rng.below(mail.fields.len() + 1)
    };
    let name = rng.pick(&[
        "Received",
        "Authentication-Results",
        "X-Google-DKIM-Signature",
        NEW_NAME,
    ]);
    let signed = mail
        .signed_names()
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name));
    let name = if signed { NEW_NAME } else { name };
    mail.fields
        .insert(at, [name.as_bytes(), b": ", rng.pick(VALUES), b"\r\n"].concat());
    "a new field"
}

fn drop_field(rng: &mut Rng, mail: &mut Mail) -> &'static str {
    let unsigned: Vec<usize> = (0..mail.fields.len())
        .filter(|at| !is_signed(mail, &mail.fields[*at]))
        .collect();
    match unsigned.get(rng.below(unsigned.len())) {
        Some(at) => {
            mail.fields.remove(*at);
            "an unsigned field dropped"
        }
        None => add_field(rng, mail),
    }
}

fn change_field(rng: &mut Rng, mail: &mut Mail) -> &'static str {
    let unsigned: Vec<usize> = (0..mail.fields.len())
        .filter(|at| !is_signed(mail, &mail.fields[*at]))
        .collect();
    match unsigned.get(rng.below(unsigned.len())) {
        Some(at) => {
            let field = &mut mail.fields[*at];
            *field = [name_of(field), b": ", rng.pick(VALUES), b"\r\n"].concat();
            "an unsigned field changed"
        }
        None => add_field(rng, mail),
    }
}

/// Replaces runs of white space by other runs.
fn respaced(rng: &mut Rng, text: &[u8], spaces: &[&'static [u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(byte) = rest.first() {
        let run = rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        if run == 0 {
            out.push(*byte);
            rest = &rest[1..];
        } else if rng.once_in(3) {
            out.extend_from_slice(rng.pick(spaces));
            rest = &rest[run..];
        } else {
            out.extend_from_slice(&rest[..run]);
            rest = &rest[run..];
        }
    }
    out
}

fn respace_header(rng: &mut Rng, mail: &mut Mail) -> &'static str {
    for field in &mut mail.fields {
        if !rng.once_in(3) {
            continue;
        }
        let name = match rng.below(3) {
            0 => name_of(field).to_ascii_uppercase(),
            1 => name_of(field).to_ascii_lowercase(),
            _ => name_of(field).to_vec(),
        };
        // Unfolded first, so that no fold is made of a line end alone.
        let value: Vec<u8> = value_of(field)
            .iter()
            .copied()
            .filter(|b| !matches!(b, b'\r' | b'\n'))
            .collect();
        let value = respaced(rng, value.trim_ascii(), SPACES);
        let before: &[u8] = rng.pick(&[&b" "[..], b"", b"\t", b"  "]);
        let after: &[u8] = rng.pick(&[&b""[..], b"", b" ", b" \t"]);
        *field = [&name, &b":"[..], before, &value, after, b"\r\n"].concat();
    }
    "white space and case of header fields"
}

fn respace_body(rng: &mut Rng, mail: &mut Mail) -> &'static str {
    let body = respaced(rng, &mail.body, BODY_SPACES);
    let mut out = Vec::new();
    for line in body.split_inclusive(|b| *b == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(content) if rng.once_in(4) => {
                out.extend_from_slice(content);
                out.extend_from_slice(rng.pick(BODY_SPACES));
                out.extend_from_slice(b"\r\n");
            }
            _ => out.extend_from_slice(line),
        }
    }
    mail.body = out;
    "white space of the body"
}

fn lengthen_body(rng: &mut Rng, mail: &mut Mail) -> &'static str {
    if !mail.body.is_empty() && !mail.body.ends_with(b"\r\n") {
        mail.body.extend_from_slice(b"\r\n");
    }
    for _ in 0..rng.below(4) {
        mail.body.extend_from_slice(b"\r\n");
    }
    "empty lines at the end of the body"
}

/// White space in the value of `b=`, which stands empty where the signature is made.
fn fold_signature(rng: &mut Rng, mail: &mut Mail) -> &'static str {
    let signatures = mail.signatures();
    let field = &mut mail.fields[signatures[rng.below(signatures.len())]];
    let mut out = Vec::new();
    for (at, part) in field.split_inclusive(|b| *b == b';').enumerate() {
        let start = if at == 0 {
            part.iter().position(|b| *b == b':').map_or(0, |colon| colon + 1)
        } else {
            0
        };
        let equals = part.iter().position(|b| *b == b'=').unwrap_or(part.len());
        if part[start.min(equals)..equals].trim_ascii() != b"b" {
            out.extend_from_slice(part);
            continue;
        }
        let end = part
            .iter()
            .rposition(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='));
        for (at, byte) in part.iter().enumerate() {
            out.push(*byte);
            if at > equals && Some(at) < end && !byte.is_ascii_whitespace() && rng.once_in(40) {
                out.extend_from_slice(rng.pick(SPACES));
            }
        }
    }
    *field = out;
    "white space in b="
}

fn swap_fields(rng: &mut Rng, mail: &mut Mail) -> &'static str {
    for _ in 0..4 {
        let at = rng.below(mail.fields.len() - 1);
        if !name_of(&mail.fields[at]).eq_ignore_ascii_case(name_of(&mail.fields[at + 1])) {
            mail.fields.swap(at, at + 1);
        }
    }
    "order of fields"
}

/// Another signature that proves nothing; four of the legal ones are tried.
fn add_signature(rng: &mut Rng, mail: &mut Mail) -> &'static str {
    let signatures = mail.signatures();
    let [only] = signatures[..] else {
        return swap_fields(rng, mail);
    };
    let text = String::from_utf8_lossy(&mail.fields[only]).into_owned();
    let other = match rng.below(3) {
        0 => {
            "DKIM-Signature: v=1; a=rsa-sha256; d=esp.test; s=x; h=from:date; bh=AAAA; b=AAAA\r\n".to_owned()
        }
        1 => text.replace("b=", "b=AAAA"),
        _ => text.replace("d=", "d=esp."),
    };
    mail.fields.insert(0, other.into_bytes());
    "another signature"
}

/// A record that says the same in other words.
fn respell_record(rng: &mut Rng, mail: &Mail, sample: &mut Sample) -> &'static str {
    let has_identity = mail
        .signatures()
        .iter()
        .any(|at| tag(value_of(&mail.fields[*at]), "i").is_some());
    for records in sample.keys.values_mut() {
        let [record] = records.as_mut_slice() else {
            continue;
        };
        let addition: &[u8] = match rng.below(6) {
            0 if tag(record, "n").is_none() => b" n=a note ;",
            1 if tag(record, "h").is_none() => b" h=sha256 ;",
            2 if tag(record, "s").is_none() => b"s=email:other;",
            3 if tag(record, "t").is_none() && !has_identity => b"\tt=s;",
            4 if tag(record, "x_1").is_none() => b" x_1 = y;",
            _ => b"",
        };
        let after_version = match tag(record, "v") {
            Some(_) => record
                .iter()
                .position(|b| *b == b';')
                .map_or(record.len(), |at| at + 1),
            None => 0,
        };
        record.splice(after_version..after_version, addition.iter().copied());
    }
    sample.keys.insert(
        "unasked._domainkey.example.org".to_owned(),
        vec![b"v=DKIM1; p=".to_vec()],
    );
    "other words of the key record"
}
