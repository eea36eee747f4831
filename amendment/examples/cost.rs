//! What a mail costs the verifier at worst: `explain`, which runs every check, over mails made to be slow, in
//! us per KiB at 16, 64 and 256 KiB. Cost that is linear in the size shows as figures that do not grow from
//! left to right.
//!
//! `cargo run --release --package amendment --example cost`

#![allow(clippy::expect_used, clippy::print_stdout)]

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use amendment::{Rule, TxtRecords};
use codec::CloseTime;
use explain::{ExplainEnv, explain};

/// Sizes of the mails in KiB; the last is the most that a door takes (docs/spec.md 1).
const SIZES_KIB: [usize; 3] = [16, 64, 256];
/// Runs of which the quickest counts.
const RUNS: usize = 15;
/// The time of the vectors: 2026-11-16 12:00 UTC.
const NOW: CloseTime = CloseTime::new(848_145_600);

/// A mail of the vectors as header and body.
struct Base {
    header: String,
    body: String,
}

impl Base {
    fn with_header(&self, change: impl Fn(&str) -> String) -> String {
        format!("{}\r\n\r\n{}", change(&self.header), self.body)
    }

    fn with_body(&self, body: &str) -> String {
        format!("{}\r\n\r\n{body}", self.header)
    }

    /// More of something in the DKIM-Signature field.
    fn with_tag(&self, tag: &str) -> String {
        self.with_header(|header| header.replacen("v=1;", &format!("v=1; {tag};"), 1))
    }
}

/// `unit` as often as it fits.
fn fill(unit: &str, bytes: usize) -> String {
    unit.repeat(bytes / unit.len())
}

/// A multipart in a multipart, as deep as it fits.
fn nested(bytes: usize) -> String {
    let levels = bytes / 70;
    (0..levels)
        .map(|level| {
            let inner = level + 1;
            format!("--b{level:05}\r\nContent-Type: multipart/mixed; boundary=b{inner:05}\r\n\r\n")
        })
        .collect()
}

type Shape = (&'static str, fn(&Base, usize) -> String);

const SHAPES: &[Shape] = &[
    ("header fields", |base, bytes| {
        base.with_header(|header| format!("{}{header}", fill(&format!("X: {}\r\n", "y".repeat(64)), bytes)))
    }),
    ("header fields of a signed name", |base, bytes| {
        base.with_header(|header| {
            format!(
                "{}{header}",
                fill(&format!("Subject: {}\r\n", "y".repeat(64)), bytes)
            )
        })
    }),
    ("a field of many folds", |base, bytes| {
        base.with_header(|header| {
            format!(
                "Subject: a{}\r\n{header}",
                fill(&format!("\r\n {}", "y".repeat(64)), bytes)
            )
        })
    }),
    ("blanks in a signed field", |base, bytes| {
        base.with_header(|header| header.replacen("Subject:", &format!("Subject:{}", fill(" \t", bytes)), 1))
    }),
    ("signatures", |base, bytes| {
        let end = base.header.find("\r\nFrom:").map_or(0, |at| at + 2);
        let one = base.header.get(..end).unwrap_or_default();
        base.with_header(|header| format!("{}{header}", fill(&one.replacen("b=", "b=AAAA", 1), bytes)))
    }),
    ("names in h=", |base, bytes| {
        base.with_header(|header| header.replacen("h=From", &format!("h={}From", fill("X-Y:", bytes)), 1))
    }),
    ("64 names in h= and their fields", |base, bytes| {
        let names: String = (0..57).map(|at| format!("N{at:02}:")).collect();
        let fields: String = (0..bytes / 72)
            .map(|at| format!("N{:02}: {}\r\n", at % 57, "y".repeat(64)))
            .collect();
        base.with_header(|header| format!("{fields}{}", header.replacen("h=", &format!("h={names}"), 1)))
    }),
    ("tags", |base, bytes| {
        base.with_tag(&(0..bytes / 9).map(|at| format!("x{at:05}=;")).collect::<String>())
    }),
    ("tags of which the last is a twin", |base, bytes| {
        let tags: String = (0..bytes / 10).map(|at| format!("x{at:05}=1; ")).collect();
        base.with_tag(&format!("{tags}x00000=1"))
    }),
    ("one long tag", |base, bytes| {
        base.with_tag(&format!("z={}", fill("q ", bytes)))
    }),
    ("a quoted From", |base, bytes| {
        base.with_header(|header| {
            header.replacen("From: ", &format!("From: \"{}\" ", fill("\\\"", bytes)), 1)
        })
    }),
    ("encoded words in From", |base, bytes| {
        base.with_header(|header| {
            header.replacen("From: ", &format!("From: {}", fill("=?utf-8?q?a?= ", bytes)), 1)
        })
    }),
    ("one long line", |base, bytes| {
        base.with_body(&fill("a b  ", bytes))
    }),
    ("empty lines", |base, bytes| {
        base.with_body(&format!("{}x", fill("\r\n", bytes)))
    }),
    ("lines of blanks", |base, bytes| {
        base.with_body(&fill(" \t \r\n", bytes))
    }),
    ("orders", |base, bytes| {
        base.with_body(&fill("REMIT 1 XAH TO <bob@example.com> NET 1\r\n", bytes))
    }),
    ("deep parts", |base, bytes| base.with_body(&nested(bytes))),
    ("boundaries", |base, bytes| {
        let head = "--b\r\nContent-Type: text/plain\r\n\r\n";
        base.with_body(&format!(
            "{head}{}",
            fill("--b \r\n--b-\r\n--bb\r\n-- b\r\n", bytes)
        ))
    }),
    ("headers of a part", |base, bytes| {
        base.with_body(&format!(
            "--b\r\n{}\r\n\r\nx",
            fill("Content-Type: text/plain; a=b\r\n", bytes)
        ))
    }),
    ("parameters of a part", |base, bytes| {
        let parameters: String = (0..bytes / 11).map(|at| format!("; p{at:06}=b")).collect();
        base.with_body(&format!("--b\r\nContent-Type: text/plain{parameters}\r\n\r\nx"))
    }),
    ("base64", |base, bytes| {
        let head = "--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n";
        base.with_body(&format!("{head}{}", fill("QUJD\r\n", bytes)))
    }),
    ("quoted-printable", |base, bytes| {
        let head = "--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n";
        base.with_body(&format!("{head}{}", fill("=41=\r\n", bytes)))
    }),
];

fn base(folder: &Path) -> Result<(Base, TxtRecords), Box<dyn Error>> {
    let mail = std::fs::read_to_string(folder.join("c002.eml"))?;
    let (header, body) = mail.split_once("\r\n\r\n").ok_or("a mail without a body")?;
    let vectors: serde_json::Value = serde_json::from_slice(&std::fs::read(folder.join("vectors.json"))?)?;
    let mut keys = TxtRecords::new();
    for (name, record) in vectors["keys"].as_object().ok_or("no keys")? {
        keys.insert(name, record.as_str().unwrap_or_default().as_bytes());
    }
    let base = Base {
        header: header.to_owned(),
        body: body.to_owned(),
    };
    Ok((base, keys))
}

/// The quickest of some runs.
fn cost(mail: &[u8], keys: &TxtRecords) -> Duration {
    let env = ExplainEnv {
        network_id: 21_337,
        now: NOW,
        keys,
    };
    let once = |_| {
        let start = Instant::now();
        black_box(explain(black_box(mail), &env));
        start.elapsed()
    };
    (0..RUNS).map(once).min().unwrap_or_default()
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/vectors/mail");
    let (base, keys) = base(&folder)?;
    println!(
        "{:34} {:>10} {:>10} {:>10}   us/KiB at 16, 64, 256 KiB; rule that refuses",
        "", 16, 64, 256
    );
    let mut worst = [0.0_f64; SIZES_KIB.len()];
    for (name, shape) in SHAPES {
        print!("{name:34}");
        let mut rules = Vec::new();
        for (size, worst) in SIZES_KIB.into_iter().zip(&mut worst) {
            // The header of the vector and some frame belong to the size.
            let mail = shape(&base, size * 1024 - 2_048).into_bytes();
            let env = ExplainEnv {
                network_id: 21_337,
                now: NOW,
                keys: &keys,
            };
            rules.push(explain(&mail, &env).rule.map_or("-", Rule::as_str));
            let each = cost(&mail, &keys).as_secs_f64() * 1e6 / (mail.len() as f64 / 1024.0);
            *worst = worst.max(each);
            print!(" {each:>10.3}");
        }
        println!("   {}", rules.join(" "));
    }
    println!(
        "{:34} {:>10.3} {:>10.3} {:>10.3}",
        "worst", worst[0], worst[1], worst[2]
    );
    Ok(())
}
