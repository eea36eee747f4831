//! Changes of any bytes: flips, insertions, deletions, copies, order, folds, tags, key records. Most break
//! the signature.

use crate::corpus::Sample;
use crate::mail::{Mail, name_of, value_of};
use crate::rng::Rng;

/// Pieces that parsers stumble over.
const PIECES: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b"\r\n ",
    b"\r\n\r\n",
    b";",
    b"; ",
    b":",
    b"=",
    b"==",
    b",",
    b"<",
    b">",
    b"\"",
    b"(",
    b")",
    b"\\",
    b"\x0c",
    b"\x0b",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\xc3\xa9",
    b"l=1;",
    b"x=1;",
    b"b=;",
    b"q=dns/txt;",
    b"i=@mail.test;",
    b"From: eve@evil.test\r\n",
    b"Date: Mon, 16 Nov 2026 10:00:00 +0000\r\n",
    b"To: eve@evil.test\r\n",
    b"REMIT 99 XAH\r\n",
    b"Content-Type: text/html\r\n",
    b"DKIM-Signature: v=1\r\n",
    b"--",
    b"=20",
    b"=\r\n",
];
const TAG_NAMES: &[&str] = &[
    "v", "a", "b", "bh", "c", "d", "h", "i", "l", "q", "s", "t", "x", "z",
];
const TAG_VALUES: &[&str] = &[
    "",
    "1",
    "2",
    "0",
    "rsa-sha256",
    "RSA-SHA256",
    "rsa-sha1",
    "ed25519-sha256",
    "relaxed",
    "simple",
    "relaxed/relaxed",
    "simple/simple",
    "Relaxed/Simple",
    "mail.test",
    "MAIL.TEST",
    "evil.test",
    "test",
    "from",
    "From:Date",
    "from:date:to:subject",
    "dns/txt",
    "dns/txt:x",
    "@mail.test",
    "a@sub.mail.test",
    "s1",
    "S1",
    "1794823212",
    "99999999999",
    "9999999999999",
    "AAAA",
    "YQ==",
];
const RECORD_TAGS: &[&str] = &[
    "t=y",
    "t=s",
    "t=y:s",
    "s=email",
    "s=tlsrpt",
    "s=*",
    "h=sha1",
    "h=sha256",
    "h=sha1:sha256",
    "k=rsa",
    "k=RSA",
    "k=ed25519",
    "k=x",
    "v=DKIM1",
    "v=DKIM2",
    "p=",
    "p=AAAA",
    "n=x",
    "",
    " ",
    "x",
    "P=AAAA",
    "g=*",
    "g=a",
];

/// Changes a sample; what was changed.
pub(crate) fn mutate(rng: &mut Rng, original: &Mail, sample: &mut Sample) -> Vec<&'static str> {
    let mut done = Vec::new();
    for _ in 0..=rng.below(2) {
        let mut mail = Mail::split(&sample.mail).unwrap_or_else(|| original.clone());
        let what = match rng.below(10) {
            0..=3 => {
                edit(rng, &mut sample.mail);
                done.push("bytes of the mail");
                continue;
            }
            4 => {
                edit_record(rng, sample);
                done.push("the key record");
                continue;
            }
            5 => edit_fields(rng, &mut mail),
            6 => edit_tags(rng, &mut mail),
            7 => edit_proof(rng, &mut mail),
            8 => refold(rng, &mut mail),
            _ => edit_lines(rng, &mut mail),
        };
        sample.mail = mail.join();
        done.push(what);
    }
    done
}

/// One edit of some bytes.
fn edit(rng: &mut Rng, bytes: &mut Vec<u8>) {
    let at = rng.below(bytes.len());
    let end = (at + 1 + rng.below(40)).min(bytes.len());
    match rng.below(8) {
        _ if bytes.is_empty() => bytes.push(b'x'),
        0 | 1 => bytes[at] ^= 1 << rng.below(8),
        2 => bytes[at] = rng.next() as u8,
        3 => {
            bytes.remove(at);
        }
        4 | 5 => {
            bytes.splice(at..at, rng.pick(PIECES).iter().copied());
        }
        6 => {
            let copy = bytes[at..end].to_vec();
            bytes.splice(at..at, copy);
        }
        _ => {
            bytes.drain(at..end);
        }
    }
}

fn edit_record(rng: &mut Rng, sample: &mut Sample) {
    let at = rng.below(sample.keys.len());
    let Some(records) = sample.keys.values_mut().nth(at) else {
        return;
    };
    match (rng.below(8), records.first_mut()) {
        (0, _) => records.clear(),
        (1, _) => records.push(b"v=spf1 -all".to_vec()),
        (2..=4, Some(record)) => edit(rng, record),
        (5 | 6, Some(record)) => {
            let mut tags: Vec<String> = String::from_utf8_lossy(record)
                .split(';')
                .map(str::to_owned)
                .collect();
            let at = rng.below(tags.len() + 1);
            tags.insert(at, rng.pick(RECORD_TAGS).to_owned());
            *record = tags.join(";").into_bytes();
        }
        (_, Some(record)) => {
            let mut tags: Vec<String> = String::from_utf8_lossy(record)
                .split(';')
                .map(str::to_owned)
                .collect();
            let (a, b) = (rng.below(tags.len()), rng.below(tags.len()));
            tags.swap(a, b);
            *record = tags.join(";").into_bytes();
        }
        (_, None) => {}
    }
}

fn edit_fields(rng: &mut Rng, mail: &mut Mail) -> &'static str {
    let count = mail.fields.len();
    if count == 0 {
        return "nothing";
    }
    let (a, b) = (rng.below(count), rng.below(count));
    match rng.below(5) {
        0 => {
            let copy = mail.fields[a].clone();
            mail.fields.insert(b, copy);
        }
        1 => {
            mail.fields.remove(a);
        }
        2 => mail.fields.swap(a, b),
        3 => edit(rng, &mut mail.fields[a]),
        _ => {
            let value = rng.pick(PIECES).to_vec();
            let name = name_of(&mail.fields[a]).to_vec();
            mail.fields
                .insert(b, [&name, &b": "[..], &value, b"\r\n"].concat());
        }
    }
    "header fields"
}

/// The tags of the first signature as texts, changed.
fn with_tags(mail: &mut Mail, change: impl FnOnce(&mut Vec<String>)) {
    let Some(at) = mail.signatures().first().copied() else {
        return;
    };
    let text = String::from_utf8_lossy(value_of(&mail.fields[at])).into_owned();
    let mut tags: Vec<String> = text
        .trim_end_matches("\r\n")
        .split(';')
        .map(str::to_owned)
        .collect();
    change(&mut tags);
    mail.fields[at] = format!("DKIM-Signature:{}\r\n", tags.join(";")).into_bytes();
}

fn edit_tags(rng: &mut Rng, mail: &mut Mail) -> &'static str {
    with_tags(mail, |tags| {
        let (a, b) = (rng.below(tags.len()), rng.below(tags.len()));
        match rng.below(6) {
            0 => tags.swap(a, b),
            1 => {
                tags.remove(a);
            }
            2 => {
                let copy = tags[a].clone();
                tags.insert(b, copy);
            }
            3 => {
                let tag = format!(" {}={}", rng.pick(TAG_NAMES), rng.pick(TAG_VALUES));
                tags.insert(b, tag);
            }
            4 => {
                let name = tags[a].split('=').next().unwrap_or_default().to_owned();
                tags[a] = format!("{name}={}", rng.pick(TAG_VALUES));
            }
            _ => tags[a] = tags[a].to_ascii_uppercase(),
        }
    });
    "tags of the signature"
}

/// `b=` or `bh=`: another spelling of the same octets, or other octets.
fn edit_proof(rng: &mut Rng, mail: &mut Mail) -> &'static str {
    let name = rng.pick(&["b", "bh"]);
    with_tags(mail, |tags| {
        let found = tags
            .iter_mut()
            .find(|tag| tag.split('=').next().is_some_and(|known| known.trim() == name));
        let Some((head, value)) = found.as_deref().and_then(|tag| tag.split_once('=')) else {
            return;
        };
        let bare = value.trim_end_matches('=');
        let value = match rng.below(7) {
            0 => bare.to_owned(),
            1 => format!("{value}="),
            2 => format!("{}{}", next_character(bare), &value[bare.len()..]),
            3 => format!("AAAA{value}"),
            4 => format!("{value}AAAA"),
            5 => value.chars().rev().collect(),
            _ => value.replacen(|c: char| c.is_ascii_digit(), "+", 1),
        };
        let head = head.to_owned();
        if let Some(tag) = found {
            *tag = format!("{head}={value}");
        }
    });
    "the value of b= or bh="
}

/// The last character of base64 replaced by the next of the alphabet.
fn next_character(text: &str) -> String {
    let mut out = text.to_owned();
    let last = out.pop().unwrap_or('A');
    out.push(match last {
        'Z' => 'a',
        'z' => '0',
        '9' => '+',
        '+' => '/',
        '/' => 'A',
        other => char::from(other as u8 + 1),
    });
    out
}

fn refold(rng: &mut Rng, mail: &mut Mail) -> &'static str {
    if let Some(at) = (!mail.fields.is_empty()).then(|| rng.below(mail.fields.len())) {
        let field = &mut mail.fields[at];
        let place = rng.below(field.len());
        let piece: &[u8] = rng.pick(&[&b"\r\n "[..], b"\r\n\t", b" ", b"\t", b"\r\n \r\n "]);
        field.splice(place..place, piece.iter().copied());
    }
    "the fold of a field"
}

fn edit_lines(rng: &mut Rng, mail: &mut Mail) -> &'static str {
    let mut lines: Vec<Vec<u8>> = mail
        .body
        .split_inclusive(|b| *b == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    let (a, b) = (rng.below(lines.len()), rng.below(lines.len()));
    match rng.below(4) {
        _ if lines.is_empty() => lines.push(rng.pick(PIECES).to_vec()),
        0 => lines.swap(a, b),
        1 => {
            lines.remove(a);
        }
        2 => {
            let copy = lines[a].clone();
            lines.insert(b, copy);
        }
        _ => lines.insert(a, rng.pick(PIECES).to_vec()),
    }
    mail.body = lines.concat();
    "lines of the body"
}
