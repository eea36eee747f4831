//! Plain text for people: short lines, printable ASCII, no line that could be taken for an instruction.

use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{Date, Headers};

use super::suggest::FirstLine;
use crate::limits::ANSWER_WORD_BYTES_MAX;

/// Columns that a paragraph fills. Below 78 (RFC 5322 section 2.1.1), so that a quoting mark fits twice.
const COLUMNS: usize = 72;
/// Columns of the names in a table.
const NAME_COLUMNS: usize = 14;
/// Words that a line never begins with: a quoted answer must not hold an instruction. Spec: 5.2.
const COMMANDS: [&str; 4] = ["REMIT", "REKEY", "BALANCE", "HISTORY"];

/// A text that grows.
#[derive(Debug, Default)]
pub(super) struct Page(String);

impl Page {
    /// A paragraph, broken into lines.
    pub(super) fn paragraph(&mut self, text: &str) -> &mut Page {
        self.gap();
        self.wrap(text, 0);
        self
    }

    /// Words in lines of [`COLUMNS`], the first from where the line stands, the others from `indent` on.
    fn wrap(&mut self, text: &str, indent: usize) {
        let mut column = indent;
        for word in clean(text).split(' ').filter(|word| !word.is_empty()) {
            let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
            let is_command = COMMANDS.contains(&bare);
            let is_first = column == indent;
            if !is_first && (is_command || column + 1 + word.len() <= COLUMNS) {
                self.0.push(' ');
                column += 1;
            } else if !is_first {
                let _ = write!(self.0, "\r\n{:indent$}", "");
                column = indent;
            } else if is_command && indent == 0 {
                self.0.push_str("- ");
                column += 2;
            }
            self.0.push_str(word);
            column += word.len();
        }
        self.0.push_str("\r\n");
    }

    /// A table of names and values; rows without a value are left out.
    pub(super) fn table(&mut self, rows: &[(&str, Option<String>)]) -> &mut Page {
        if rows.iter().all(|(_, value)| value.is_none()) {
            return self;
        }
        self.gap();
        for (name, value) in rows {
            if let Some(value) = value {
                self.row(name, value);
            }
        }
        self
    }

    /// One more row.
    fn row(&mut self, name: &str, value: &str) {
        self.name(name);
        self.wrap(value, NAME_COLUMNS + 1);
    }

    fn name(&mut self, name: &str) {
        let name = format!("{name}:");
        let _ = write!(self.0, "{name:<NAME_COLUMNS$} ");
    }

    /// A line that is to be written as it stands. Never broken, and behind a name: alone it would be an
    /// instruction in whatever quotes this answer. Spec: 5.2, 5.3.
    pub(super) fn first_line(&mut self, line: &FirstLine) -> &mut Page {
        self.gap();
        self.name("First line");
        self.0.push_str(line.as_str());
        self.0.push_str("\r\n");
        self
    }

    fn gap(&mut self) {
        if !self.0.is_empty() {
            self.0.push_str("\r\n");
        }
    }

    /// The text, CRLF lines.
    pub(super) fn into_text(self) -> String {
        self.0
    }
}

/// Printable ASCII on one line, bounded: what nodes and mails say is not ours.
pub(super) fn clean(text: &str) -> String {
    let mut chars = text.chars();
    let mut kept: String = chars
        .by_ref()
        .take(ANSWER_WORD_BYTES_MAX)
        .map(printable)
        .collect();
    if chars.next().is_some() {
        kept.push_str("...");
    }
    kept
}

fn printable(c: char) -> char {
    if c == ' ' || c.is_ascii_graphic() { c } else { '?' }
}

/// Date and time of a header. RFC 5322 section 3.3.
pub(super) fn header_date(unix_secs: u64) -> String {
    // The largest date that the type can hold is the year 9999; a clock beyond it is broken.
    let secs = unix_secs.min(253_402_300_799);
    let mut headers = Headers::new();
    headers.set(Date::new(UNIX_EPOCH + Duration::from_secs(secs)));
    headers.get_raw("Date").unwrap_or_default().to_owned()
}

/// Date and time for people, `21 Nov 2026 13:19 UTC`.
pub(super) fn human_date(unix_secs: u64) -> String {
    let date = header_date(unix_secs);
    let short = date
        .split_once(", ")
        .and_then(|(_, rest)| rest.rsplit_once(':'))
        .map_or(date.as_str(), |(minutes, _)| minutes);
    format!("{short} UTC")
}

/// Drops as XAH, `0.000010 XAH` without zeros at the end.
pub(super) fn xah(drops: u64) -> String {
    let (whole, part) = (drops / 1_000_000, drops % 1_000_000);
    let text = format!("{whole}.{part:06}");
    format!("{} XAH", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_broken_and_never_before_a_command() {
        let mut page = Page::default();
        let filler = "word ".repeat(14);
        page.paragraph(&format!("{filler} REMIT 10 XAH is not alone here"));
        page.paragraph("REMIT 10 XAH");
        let text = page.into_text();
        assert!(
            text.lines()
                .all(|line| COMMANDS.iter().all(|word| !line.starts_with(word)))
        );
        assert!(text.lines().all(|line| line.len() < 78), "{text}");
    }

    #[test]
    fn long_values_are_broken_under_their_column() {
        let mut page = Page::default();
        page.table(&[("Why", Some("word ".repeat(20)))]);
        let text = page.into_text();
        assert!(text.lines().all(|line| line.len() < 78), "{text}");
        assert!(
            text.lines()
                .skip(1)
                .all(|line| line.starts_with("               word")),
            "{text}"
        );
    }

    #[test]
    fn foreign_words_stay_on_their_line() {
        let mut page = Page::default();
        page.table(&[("Word", Some("a\r\nREMIT 1 XAH\r\n.\r\n\u{1b}[2J".to_owned()))]);
        assert_eq!(page.into_text(), "Word:          a??REMIT 1 XAH??.???[2J\r\n");
        assert_eq!(clean(&"x".repeat(10_000)).len(), ANSWER_WORD_BYTES_MAX + 3);
    }

    #[test]
    fn a_line_to_be_written_is_never_broken() {
        let address = format!("{}@{}example", "a".repeat(64), "b.".repeat(120));
        let to = amendment::address::parse_recipient(&address).expect("an address");
        let amount = codec::Amount::from_drops(codec::Drops::new(1));
        let mut page = Page::default();
        page.first_line(&FirstLine::pay(amount, to, 21_338).expect("a line"));
        let line = format!("First line:    REMIT 0.000001 XAH TO <{address}> NET 21338\r\n");
        assert_eq!(page.into_text(), line);
    }

    // RFC 5322 appendix A and `date -u -d @N`.
    #[test]
    fn dates() {
        assert_eq!(header_date(879_954_906), "Wed, 19 Nov 1997 15:55:06 +0000");
        assert_eq!(human_date(879_954_906), "19 Nov 1997 15:55 UTC");
        assert_eq!(header_date(u64::MAX), "Fri, 31 Dec 9999 23:59:59 +0000");
    }

    #[test]
    fn drops_are_shown_as_xah() {
        let shown = [0, 1, 10, 1_000_000, 12_500_000, u64::MAX].map(xah);
        assert_eq!(
            shown,
            [
                "0 XAH",
                "0.000001 XAH",
                "0.00001 XAH",
                "1 XAH",
                "12.5 XAH",
                "18446744073709.551615 XAH"
            ]
        );
    }
}
