//! Mails of the shapes that real programs write: Gmail and Outlook as described in public header collections
//! of 2026 (how the parts are built and named).

use aws_lc_rs::digest::{SHA256, digest};

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

/// Gmail's web page: plain and HTML alternatives in quoted-printable.
#[must_use]
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
#[must_use]
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
#[must_use]
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
        digest(&SHA256, subject.as_bytes()).as_ref()[0]
    )
}

/// Date of the form `Sat, 21 Nov 2026 10:00:00 +0000`, from Unix seconds.
#[must_use]
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

#[cfg(test)]
mod tests {
    use super::*;

    // Values: RFC 2045 section 6.7; `date -u -R -d @N`.
    #[test]
    fn texts_are_those_of_the_standards() {
        assert_eq!(rfc5322_date(1_794_830_400), "Mon, 16 Nov 2026 12:00:00 +0000");
        assert_eq!(rfc5322_date(951_782_400), "Tue, 29 Feb 2000 00:00:00 +0000");
        assert_eq!(quoted_printable("a=b \r\nc"), "a=3Db=20\r\nc");
    }
}
