//! Mails that are changed and then signed with a test key: what a provider could send, and what an attacker
//! with a domain of his own could.

use crate::corpus::Sample;
use crate::mail::{Mail, is_named, tag, value_of};
use crate::rng::Rng;
use crate::sign::{Algorithm, Canon, Signer};

const BODY_PIECES: &[&[u8]] = &[
    b"REMIT 1 XAH",
    b"word",
    b" ",
    b" ",
    b"  ",
    b"\t",
    b"\r\n",
    b"\r\n",
    b"\r\n\r\n",
    b" \r\n",
    b"\t\r\n",
    b".",
    b"=",
    b"=20",
    b"--b",
    b"\x80\xfe",
    b"\xc3\xa9",
    b"\x0c",
    b"\x0b",
    b"\x7f",
    b"\x01",
    b"a:b",
    b"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
];
/// Once in a while: bytes that no mail may hold.
const BAD_PIECES: &[&[u8]] = &[b"\n", b"\r", b"\0", b"\r\r\n"];
const FIELDS: &[&str] = &[
    "Subject: ",
    "Subject:",
    "Subject: a\tb",
    "Subject:  a  b ",
    "Subject: a\r\n b",
    "Subject: a\r\n \r\n b",
    "Subject:\r\n a",
    "X: y",
    "X:",
    "To: bob@example.com",
    "To: a@b.test, c@d.test",
    "Cc: x@y.test",
    "From: Eve <eve@evil.test>",
    "Date: Mon, 16 Nov 2026 10:00:00 +0000",
    "subject: lower",
    "SUBJECT: UPPER",
    "X-A: \u{e9}",
    "Comments: a:b;c=d",
    "Message-ID: <1@x>",
    "Reply-To: z@z.test",
    "From : eve@evil.test",
    "Received: from x by y",
    "List-Id: <l.test>",
];
/// Tags added to a signature that proves, legal and not.
const EXTRA_TAGS: &[&str] = &[
    "t=1794823212",
    "t=0",
    "t=1",
    "t=9999999999",
    "t=x",
    "x=1794999999",
    "x=1",
    "t=5; x=4",
    "q=dns/txt",
    "q=dns",
    "q=dns/txt:x",
    "l=0",
    "l=1",
    "l=100000",
    "z=From:a|To:b",
    "i=@{d}",
    "i=a@{d}",
    "i=a@sub.{d}",
    "i=@evil{d}",
    "i=@evil.test",
    "i={d}",
    "i=a@b@{d}",
    "i==40{d}",
    "r=y",
    "x_1=y",
    "tag9=z",
    "1x=y",
    "X=y",
    "_x=y",
    "x",
    "",
    "=",
    "x=",
    "d={d}",
    "d=evil.test",
    "s=s9",
    "v=1",
    "v=2",
    "n=\u{e9}",
    "a=rsa-sha256",
    "darn=x.test",
    "c=simple",
    "bh=AAAA",
    "k=rsa",
    "atps=evil.test; atpsh=none",
    "y=a\r\n b",
    "y=\r\n",
];
const RECORDS: &[(&str, &str)] = &[
    ("v=DKIM1; ", "v=DKIM1; t=y; "),
    ("v=DKIM1; ", "v=DKIM1; t=s; "),
    ("v=DKIM1; ", "v=DKIM1; s=tlsrpt; "),
    ("v=DKIM1; ", "v=DKIM1; h=sha1; "),
    ("v=DKIM1; ", "v=DKIM1; h=sha1:sha256; "),
    ("v=DKIM1; ", ""),
    ("v=DKIM1; ", "v=DKIM2; "),
    ("v=DKIM1; ", "n=x; v=DKIM1; "),
    ("v=DKIM1; ", "v=DKIM1;; "),
    ("v=DKIM1; ", " v = DKIM1 ;\t"),
    ("v=DKIM1; ", "v=DKIM1; p=; "),
    ("k=rsa", "k=RSA"),
    ("k=rsa; ", ""),
    ("k=ed25519", "k=rsa"),
    ("k=rsa", "k=ed25519"),
    ("p=", "p= "),
    ("p=", "p=A"),
    ("p=MII", "p=MI I"),
    ("p=", "P="),
    ("=DKIM1", "=dkim1"),
];

/// Changes and signs a sample; what was changed.
pub(crate) fn mutate(
    rng: &mut Rng,
    original: &Mail,
    sample: &mut Sample,
    signer: &Signer,
) -> Vec<&'static str> {
    let mut mail = original.clone();
    let mut done = vec!["signed again"];
    let domain = first_tag(&mail, "d");
    let list = first_tag(&mail, "h");
    mail.fields.retain(|field| !is_named(field, "dkim-signature"));
    change_content(rng, &mut mail, &mut done);
    let algorithm = if rng.once_in(8) {
        Algorithm::Ed25519
    } else {
        Algorithm::Rsa
    };
    let mut record = signer.record(algorithm);
    if rng.once_in(6) {
        let (from, to) = RECORDS[rng.below(RECORDS.len())];
        record = record.replacen(from, to, 1);
        done.push("another record");
    }
    let (canon, tags) = signature_tags(rng, &domain, &list, algorithm, &mut done);
    let spelling = rng.below(24);
    signer.sign(&mut mail, &tags, algorithm, canon, |value| {
        spelled(spelling, value)
    });
    let name = format!("s9._domainkey.{}", domain.to_ascii_lowercase());
    sample
        .keys
        .insert(name, vec![record.chars().map(|c| c as u8).collect()]);
    sample.mail = mail.join();
    done
}

fn first_tag(mail: &Mail, name: &str) -> String {
    let first = mail
        .signatures()
        .first()
        .and_then(|at| tag(value_of(&mail.fields[*at]), name));
    String::from_utf8_lossy(&first.unwrap_or_default()).into_owned()
}

fn change_content(rng: &mut Rng, mail: &mut Mail, done: &mut Vec<&'static str>) {
    for _ in 0..rng.below(3) {
        done.push("a field");
        let at = rng.below(mail.fields.len() + 1);
        if rng.once_in(4) && mail.fields.len() > 1 {
            let at = rng.below(mail.fields.len());
            let copy = mail.fields[at].clone();
            mail.fields.push(copy);
        } else if rng.once_in(12) && mail.fields.len() > 1 {
            let at = rng.below(mail.fields.len());
            mail.fields.remove(at);
        } else {
            mail.fields
                .insert(at, format!("{}\r\n", rng.pick(FIELDS)).into_bytes());
        }
    }
    if rng.once_in(2) {
        done.push("the body");
        mail.body = (0..rng.below(24))
            .flat_map(|_| rng.pick(BODY_PIECES).to_vec())
            .collect();
    }
    if rng.once_in(60) {
        done.push("a bad byte");
        let at = rng.below(mail.body.len() + 1);
        mail.body.splice(at..at, rng.pick(BAD_PIECES).iter().copied());
    }
}

/// The names of `h=`: those of the seed, those that the mail has, or odd ones.
fn names(rng: &mut Rng, list: &str) -> String {
    let list: String = list.split_whitespace().collect();
    match rng.below(14) {
        0 => format!("{list}:From:To:Subject"),
        1 => list.to_ascii_lowercase().replace(':', " : "),
        2 => list.replacen(':', ":\r\n\t ", 1),
        3 => format!("{list}:X-None:x-none"),
        4 => format!("{list}{}", ":X".repeat(rng.below(80))),
        5 => format!(
            "{list}{}",
            (0..rng.below(70)).map(|n| format!(":n{n}")).collect::<String>()
        ),
        6 => rng
            .pick(&[
                "From",
                "Date",
                "From:Date",
                "from:date:dkim-signature",
                "To:From:Date:To",
                "From::Date",
                ":From:Date",
                "From:Date:",
            ])
            .to_owned(),
        7 => rng
            .pick(&[
                "From;Date",
                "From Date",
                "From:Da te",
                "From:Date:\u{e9}",
                "From:Date:a/b",
                "From:Date:Subject:subject:SUBJECT",
            ])
            .to_owned(),
        8 => format!("Subject:{list}:Message-ID:To"),
        _ => list,
    }
}

fn signature_tags(
    rng: &mut Rng,
    domain: &str,
    list: &str,
    algorithm: Algorithm,
    done: &mut Vec<&'static str>,
) -> ((Canon, Canon), String) {
    let canon_of = |relaxed: bool| if relaxed { Canon::Relaxed } else { Canon::Simple };
    let (header, body) = (!rng.once_in(4), !rng.once_in(3));
    let word = |relaxed: bool| if relaxed { "relaxed" } else { "simple" };
    let a = match algorithm {
        Algorithm::Rsa => "rsa-sha256",
        Algorithm::Ed25519 => "ed25519-sha256",
    };
    let c = match (header, body) {
        (true, false) if rng.once_in(2) => "relaxed".to_owned(),
        (false, false) if rng.once_in(2) => "simple".to_owned(),
        _ => format!("{}/{}", word(header), word(body)),
    };
    let mut tags: Vec<String> = vec![
        "v=1".to_owned(),
        format!("a={a}"),
        format!("c={c}"),
        format!("d={domain}"),
        "s=s9".to_owned(),
        format!("h={}", names(rng, list)),
        "bh={bh}".to_owned(),
        "b={b}".to_owned(),
    ];
    if rng.once_in(2) {
        done.push("tags");
        change_tags(rng, &mut tags, domain);
    }
    let separator = rng.pick(&["; ", ";", ";\r\n\t", " ; ", ";\r\n  "]);
    let end = rng.pick(&["", "", ";", " ;", "; "]);
    (
        (canon_of(header), canon_of(body)),
        format!("{}{end}", tags.join(separator)),
    )
}

fn change_tags(rng: &mut Rng, tags: &mut Vec<String>, domain: &str) {
    let at = rng.below(tags.len());
    match rng.below(12) {
        0 => {
            tags.remove(at);
        }
        1 => {
            tags[at] = tags[at]
                .to_ascii_uppercase()
                .replace("{BH}", "{bh}")
                .replace("{B}", "{b}")
        }
        2 => tags[at] = tags[at].replacen('=', rng.pick(&[" = ", "=\r\n ", " =", "= \t"]), 1),
        3 => {
            let copy = tags[at].clone();
            tags.push(copy);
        }
        4 => tags.swap(0, at),
        5 => tags[3] = format!("d={}", rng.pick(&["evil.test", "test", "{d}.", "x.{d}", "{D}"])),
        6 => tags[4] = format!("s={}", rng.pick(&["S9", "s_9", "-s9", "s9.", "a.b", "s 9"])),
        7 => {
            tags[2] = format!(
                "c={}",
                rng.pick(&[
                    "Relaxed/Relaxed",
                    "relaxed/",
                    "/relaxed",
                    "nofws",
                    "relaxed/relaxed/x",
                    ""
                ])
            )
        }
        _ => {
            let extra = rng.pick(EXTRA_TAGS).to_owned();
            tags.insert(at, extra);
        }
    }
    for tag in tags {
        *tag = tag
            .replace("{d}", domain)
            .replace("{D}", &domain.to_ascii_uppercase());
    }
}

/// Spellings of the signature value.
fn spelled(how: usize, value: &str) -> String {
    match how {
        0..=8 => value.to_owned(),
        9..=16 => value
            .as_bytes()
            .chunks(64)
            .map(String::from_utf8_lossy)
            .collect::<Vec<_>>()
            .join("\r\n\t "),
        17 => value.trim_end_matches('=').to_owned(),
        18 => format!("{value}="),
        19 => format!(" {value} "),
        20 => value.replacen("==", "= =", 1),
        21 => format!("AAAA{value}"),
        22 => format!("{value}*"),
        _ => value.chars().map(|c| format!("{c} ")).collect(),
    }
}
