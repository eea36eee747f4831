//! Mails of the shapes that real clients send, signed as their providers sign.
//!
//! Shapes: Gmail and Outlook as described in public header collections of 2026 (which headers are signed, how the
//! parts are built). Keys are made fresh for each run; mail-auth signs, so the verifier meets signatures that it
//! did not make itself.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::KeyPair as _;
use mail_auth::common::crypto::{Ed25519Key, RsaKey, Sha256};
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::{DkimSigner, Done};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// Selector of the RSA key.
pub const RSA_SELECTOR: &str = "s2026";
/// Selector of the Ed25519 key.
pub const ED25519_SELECTOR: &str = "ed2026";

/// What Gmail signs (each name twice would be oversigning; once is enough for the story).
const GMAIL_SIGNED: &[&str] = &[
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
];
/// What Outlook.com signs: neither To nor Cc.
const OUTLOOK_SIGNED: &[&str] = &[
    "From",
    "Date",
    "Subject",
    "Message-ID",
    "Content-Type",
    "MIME-Version",
];

/// Life of a copy signed for another recipient, seconds (Gmail gives seven days).
const OTHER_COPY_LIFE_SECS: u64 = 604_800;

/// Why a key or signature could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The crypto library refused to make or read a key.
    #[error("cannot make a key: {0}")]
    Key(String),
    /// mail-auth refused to sign.
    #[error("cannot sign: {0}")]
    Sign(String),
}

/// A mail domain with fresh keys.
pub struct Provider {
    gmail: DkimSigner<RsaKey<Sha256>, Done>,
    outlook: DkimSigner<RsaKey<Sha256>, Done>,
    other_copy: DkimSigner<RsaKey<Sha256>, Done>,
    ed25519: DkimSigner<Ed25519Key, Done>,
    records: Vec<(String, String)>,
    pem: String,
}

/// Which signature a mail gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signing {
    /// RSA-2048 as Gmail signs: To as well.
    Gmail,
    /// RSA-2048 as Outlook signs: To not.
    Outlook,
    /// Ed25519, the same headers as Gmail.
    Ed25519,
    /// RSA-2048 with one more tag: the copy that another recipient domain gets.
    OtherCopy,
}

/// Header lines of a mail.
#[derive(Clone, Copy, Debug)]
pub struct Headers<'a> {
    /// Mailbox for From, e.g. `Alice <alice@mail.example>`.
    pub from: &'a str,
    /// Mailbox for To.
    pub to: &'a str,
    /// Subject text.
    pub subject: &'a str,
    /// Date, Unix seconds.
    pub date: u64,
}

impl Provider {
    /// Makes keys for `domain`.
    pub fn new(domain: &str) -> Result<Self, MailError> {
        let rsa = aws_lc_rs::rsa::KeyPair::generate(KeySize::Rsa2048)
            .map_err(|_| MailError::Key("RSA key generation failed".into()))?;
        let pkcs8 = rsa
            .as_der()
            .map_err(|_| MailError::Key("RSA key has no DER form".into()))?;
        let public = AsDer::<PublicKeyX509Der>::as_der(rsa.public_key())
            .map_err(|_| MailError::Key("RSA public key has no DER form".into()))?;
        let rsa_signer = |names: &[&str]| {
            let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8.as_ref()));
            let key = RsaKey::<Sha256>::from_key_der(der).map_err(key_error)?;
            let signer = DkimSigner::from_key(key).domain(domain).selector(RSA_SELECTOR);
            Ok::<_, MailError>(signer.headers(names.iter().copied()))
        };
        let pkcs8_ed25519 = Ed25519Key::generate_pkcs8().map_err(key_error)?;
        let ed25519 = Ed25519Key::from_pkcs8_der(&pkcs8_ed25519).map_err(key_error)?;
        let records = vec![
            (
                format!("{RSA_SELECTOR}._domainkey.{domain}"),
                format!("v=DKIM1; k=rsa; p={}", base64(public.as_ref())),
            ),
            (
                format!("{ED25519_SELECTOR}._domainkey.{domain}"),
                format!("v=DKIM1; k=ed25519; p={}", base64(&ed25519.public_key())),
            ),
        ];
        Ok(Provider {
            gmail: rsa_signer(GMAIL_SIGNED)?,
            outlook: rsa_signer(OUTLOOK_SIGNED)?,
            other_copy: rsa_signer(GMAIL_SIGNED)?.expiration(OTHER_COPY_LIFE_SECS),
            ed25519: DkimSigner::from_key(ed25519)
                .domain(domain)
                .selector(ED25519_SELECTOR)
                .headers(GMAIL_SIGNED.iter().copied()),
            records,
            pem: pem(pkcs8.as_ref()),
        })
    }

    /// TXT records that the domain publishes: name and text.
    pub fn records(&self) -> &[(String, String)] {
        &self.records
    }

    /// The secret RSA key, PKCS#8 in PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The mail with its DKIM-Signature on top.
    pub fn sign(&self, mail: &str, signing: Signing) -> Result<String, MailError> {
        let bytes = mail.as_bytes();
        let signature = match signing {
            Signing::Gmail => self.gmail.sign(bytes),
            Signing::Outlook => self.outlook.sign(bytes),
            Signing::OtherCopy => self.other_copy.sign(bytes),
            Signing::Ed25519 => self.ed25519.sign(bytes),
        };
        let header = signature
            .map_err(|error| MailError::Sign(error.to_string()))?
            .to_header();
        Ok(format!("{header}{mail}"))
    }
}

/// Gmail's web page: plain and HTML alternatives in quoted-printable.
pub fn gmail_like(headers: Headers<'_>, lines: &[&str]) -> String {
    let boundary = format!("000000000000{:016x}", headers.date);
    let text = quoted_printable(&lines.join("\r\n"));
    let html: String = lines
        .iter()
        .map(|line| format!("<div>{}</div>\r\n", quoted_printable(&html_text(line))))
        .collect();
    let top = top_lines(
        headers,
        &format!("multipart/alternative; boundary=\"{boundary}\""),
    );
    format!(
        "{top}\r\n--{boundary}\r\nContent-Type: text/plain; charset=\"UTF-8\"\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\r\n{text}\r\n\r\n\
         --{boundary}\r\nContent-Type: text/html; charset=\"UTF-8\"\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\r\n<div dir=3D\"ltr\">{html}</div>\r\n\r\n\
         --{boundary}--\r\n"
    )
}

/// Outlook's web page: the same two parts, other names, addresses turned into links by the program.
pub fn outlook_like(headers: Headers<'_>, lines: &[&str]) -> String {
    let boundary = format!("_000_DEMO{:016X}EXAMPLE_", headers.date);
    let text = quoted_printable(&lines.join("\r\n"));
    let html: String = lines
        .iter()
        .map(|line| format!("<p>{}</p>\r\n", quoted_printable(&html_text(line))))
        .collect();
    let top = top_lines(
        headers,
        &format!("multipart/alternative;\r\n\tboundary=\"{boundary}\""),
    );
    format!(
        "{top}\r\n--{boundary}\r\nContent-Type: text/plain; charset=\"iso-8859-1\"\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\r\n{text}\r\n\r\n\
         --{boundary}\r\nContent-Type: text/html; charset=\"iso-8859-1\"\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\r\n<html>\r\n{html}</html>\r\n\r\n\
         --{boundary}--\r\n"
    )
}

/// Plain text, as desktop programs send it.
pub fn plain(headers: Headers<'_>, lines: &[&str]) -> String {
    let top = top_lines(headers, "text/plain; charset=us-ascii");
    format!("{top}\r\n{}\r\n", lines.join("\r\n"))
}

fn top_lines(headers: Headers<'_>, content_type: &str) -> String {
    let Headers {
        from,
        to,
        subject,
        date,
    } = headers;
    let domain = from
        .rsplit('@')
        .next()
        .unwrap_or("mail.example")
        .trim_end_matches('>');
    format!(
        "MIME-Version: 1.0\r\nFrom: {from}\r\nTo: {to}\r\nCc: Relay <relay@relay.example>\r\n\
         Subject: {subject}\r\nDate: {}\r\nMessage-ID: <demo.{date}.{:x}@{domain}>\r\n\
         Content-Type: {content_type}\r\n",
        rfc5322_date(date),
        codec::hash::sha256(&[subject.as_bytes()])[0]
    )
}

/// Date of the form `Sat, 21 Nov 2026 10:00:00 +0000`, from Unix seconds.
pub fn rfc5322_date(unix_secs: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (days, secs) = (unix_secs / 86_400, unix_secs % 86_400);
    let (year, month, day) = civil_from_days(days);
    format!(
        "{}, {day} {} {year} {:02}:{:02}:{:02} +0000",
        DAYS[(days % 7) as usize],
        MONTHS[month],
        secs / 3_600,
        secs / 60 % 60,
        secs % 60
    )
}

/// Year, month (0 is January) and day of a number of days since 1970-01-01.
fn civil_from_days(mut days: u64) -> (u64, usize, u64) {
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    loop {
        let length = if leap(year) { 366 } else { 365 };
        if days < length {
            break;
        }
        days -= length;
        year += 1;
    }
    let february = if leap(year) { 29 } else { 28 };
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    (year, month, days + 1)
}

/// Quoted-printable of ASCII text, with soft breaks at 72 columns.
fn quoted_printable(text: &str) -> String {
    let mut out = String::new();
    let mut column = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'\r' | b'\n' => {
                out.push(char::from(byte));
                column = 0;
                continue;
            }
            b' ' if text.as_bytes().get(at + 1) == Some(&b'\r') => out.push_str("=20"),
            b'=' | 0x7F.. | 0..=0x1F => out.push_str(&format!("={byte:02X}")),
            _ => out.push(char::from(byte)),
        }
        column += 1;
        if column >= 72 {
            out.push_str("=\r\n");
            column = 0;
        }
    }
    out
}

fn html_text(line: &str) -> String {
    line.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// A PKCS#8 key as PEM. RFC 7468.
pub fn pem(pkcs8: &[u8]) -> String {
    let mut out = "-----BEGIN PRIVATE KEY-----\n".to_owned();
    for line in base64(pkcs8).as_bytes().chunks(64) {
        out.push_str(&String::from_utf8_lossy(line));
        out.push('\n');
    }
    out + "-----END PRIVATE KEY-----\n"
}

/// Base64 with padding, RFC 4648 section 4.
pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let digit = ALPHABET[(word >> (18 - 6 * at) & 63) as usize];
            out.push(if at <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

fn key_error(error: mail_auth::Error) -> MailError {
    MailError::Key(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    // Values: RFC 4648 section 10; `date -u -R -d @N`.
    #[test]
    fn texts_are_those_of_the_standards() {
        assert_eq!(
            ["", "f", "fo", "foo", "foobar"].map(|text| base64(text.as_bytes())),
            ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYmFy"]
        );
        assert_eq!(rfc5322_date(1_794_830_400), "Mon, 16 Nov 2026 12:00:00 +0000");
        assert_eq!(rfc5322_date(951_782_400), "Tue, 29 Feb 2000 00:00:00 +0000");
        assert_eq!(quoted_printable("a=b \r\nc"), "a=3Db=20\r\nc");
    }
}
