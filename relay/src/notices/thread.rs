//! What a notice needs of the mail that it answers. Everything here comes from strangers: it is checked
//! before it may stand in a header of ours, and bounded.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::limits::{
    MESSAGE_ID_BYTES_MAX, REFERENCES_MAX, SUBJECT_BYTES_MAX, SUBJECT_WORD_BYTES_MAX, THREAD_HEADER_LINES_MAX,
};
use crate::queue::Thread;

/// Bytes of text in an encoded word, which may have 75 characters in all. RFC 2047 section 2.
const ENCODED_WORD_TEXT_BYTES: usize = 45;

/// What the header of a mail says about its thread.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// Message-ID without its brackets; empty where there is none that is clean.
    pub message_id: String,
    /// Where the notice belongs.
    pub thread: Thread,
}

/// Reads the header of a mail. Never fails: what is not clean is left out.
///
/// References are those of RFC 5322 section 3.6.4. Whether the mail may be answered at all is for the intake
/// to say.
pub fn thread_of(raw: &[u8]) -> Reading {
    let fields = fields_of(raw);
    let first = |name: &str| {
        let found = fields.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    };
    let message_id = first("message-id")
        .and_then(|value| ids_of(value).into_iter().next())
        .unwrap_or_default();
    let mut references = first("references").map(ids_of).unwrap_or_default();
    if references.is_empty() {
        let parents = first("in-reply-to").map(ids_of).unwrap_or_default();
        if parents.len() == 1 {
            references = parents;
        }
    }
    references.retain(|id| *id != message_id);
    if !message_id.is_empty() {
        references.push(message_id.clone());
    }
    while references.len() > REFERENCES_MAX {
        references.remove(1);
    }
    let bare = message_id.trim_start_matches('<').trim_end_matches('>');
    Reading {
        message_id: bare.to_owned(),
        thread: Thread {
            subject: first("subject").map(clean_subject).unwrap_or_default(),
            references,
        },
    }
}

/// Header fields that matter here: lower-case name and unfolded value, which may hold anything but line ends.
fn fields_of(raw: &[u8]) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut is_kept = false;
    for line in raw.split(|byte| *byte == b'\n').take(THREAD_HEADER_LINES_MAX) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            if let Some((_, value)) = fields.last_mut().filter(|_| is_kept) {
                value.push_str(&String::from_utf8_lossy(line));
            }
            continue;
        }
        let text = String::from_utf8_lossy(line);
        let (name, value) = text.split_once(':').unwrap_or((&text, ""));
        let name = name.trim_end().to_ascii_lowercase();
        is_kept = matters(&name);
        if is_kept {
            fields.push((name, value.to_owned()));
        }
    }
    fields
}

fn matters(name: &str) -> bool {
    matches!(name, "message-id" | "references" | "in-reply-to" | "subject")
}

/// The clean Message-IDs of a field, with brackets: `<left@right>` of printable ASCII without brackets and
/// spaces inside. RFC 5322 section 3.6.4; at most the first and the newest of many.
fn ids_of(value: &str) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for part in value.split('<').skip(1) {
        let Some((id, _)) = part.split_once('>') else {
            continue;
        };
        if is_clean_id(id) {
            ids.push(format!("<{id}>"));
        }
        if ids.len() > REFERENCES_MAX {
            ids.remove(1);
        }
    }
    ids
}

/// Whether a Message-ID without its brackets may stand in a header of ours.
pub(super) fn is_clean_id(id: &str) -> bool {
    let is_graphic = |byte: u8| byte.is_ascii_graphic() && byte != b'<' && byte != b'>';
    id.len() + 2 <= MESSAGE_ID_BYTES_MAX
        && id.bytes().all(is_graphic)
        && id
            .split_once('@')
            .is_some_and(|(left, right)| !left.is_empty() && !right.is_empty() && !right.contains('@'))
}

/// The subject as it may stand in a header of ours: printable ASCII and encoded words as they are; other text,
/// and words that are too long to fold, as encoded words (RFC 2047). Marks that turn the direction of text are
/// left out; a subject with control characters is none. Beyond its bound it is cut.
pub(super) fn clean_subject(value: &str) -> String {
    let shown: String = value.chars().filter(|c| !turns_direction(*c)).collect();
    if shown.chars().any(|c| c.is_control() && c != '\t') {
        return String::new();
    }
    let mut subject = String::new();
    let mut to_encode = String::new();
    for word in shown.split([' ', '\t']).filter(|word| !word.is_empty()) {
        if !is_plain(word) {
            // White space between encoded words is not shown: it has to be inside. RFC 2047 section 6.2.
            if !to_encode.is_empty() || ends_encoded(&subject) {
                to_encode.push(' ');
            }
            to_encode.push_str(word);
            continue;
        }
        if !to_encode.is_empty() && is_encoded(word) {
            to_encode.push(' ');
        }
        add_encoded(&mut subject, &std::mem::take(&mut to_encode));
        add_word(&mut subject, word);
    }
    add_encoded(&mut subject, &to_encode);
    subject
}

/// Marks that make text read otherwise than it is written (Unicode standard annex 9).
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn is_plain(word: &str) -> bool {
    word.len() <= SUBJECT_WORD_BYTES_MAX && word.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_encoded(word: &str) -> bool {
    word.starts_with("=?") && word.ends_with("?=")
}

fn ends_encoded(subject: &str) -> bool {
    subject.rsplit(' ').next().is_some_and(is_encoded)
}

/// Adds a word where there is room for it.
fn add_word(subject: &mut String, word: &str) {
    if subject.len() + 1 + word.len() > SUBJECT_BYTES_MAX {
        return;
    }
    if !subject.is_empty() {
        subject.push(' ');
    }
    subject.push_str(word);
}

/// Adds a text as encoded words of whole characters. RFC 2047 section 2.
fn add_encoded(subject: &mut String, text: &str) {
    let mut chunk = String::new();
    for c in text.chars() {
        if chunk.len() + c.len_utf8() > ENCODED_WORD_TEXT_BYTES {
            add_word(subject, &encoded(&std::mem::take(&mut chunk)));
        }
        chunk.push(c);
    }
    if !chunk.is_empty() {
        add_word(subject, &encoded(&chunk));
    }
}

fn encoded(text: &str) -> String {
    format!("=?utf-8?B?{}?=", STANDARD.encode(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(lines: &str) -> Reading {
        thread_of(format!("{}\r\n\r\nREMIT 10 XAH\r\n", lines.trim()).as_bytes())
    }

    // RFC 5322 section 3.6.4: contents of References of the parent, if any, then its Message-ID.
    #[test]
    fn references_are_those_of_the_parent_and_its_id() {
        let reading = header("Message-ID: <c@x>\r\nReferences: <a@x>\r\n <b@x>\r\nIn-Reply-To: <b@x>");
        assert_eq!(reading.message_id, "c@x");
        assert_eq!(reading.thread.references, ["<a@x>", "<b@x>", "<c@x>"]);
    }

    // RFC 5322 section 3.6.4: no References, but In-Reply-To with one id.
    #[test]
    fn accepts_in_reply_to_of_one_id_in_place_of_references() {
        let reading = header("Message-ID: <c@x>\r\nIn-Reply-To: <b@x>");
        assert_eq!(reading.thread.references, ["<b@x>", "<c@x>"]);
    }

    #[test]
    fn rejects_in_reply_to_of_two_ids_in_place_of_references() {
        let reading = header("Message-ID: <c@x>\r\nIn-Reply-To: <a@x> <b@x>");
        assert_eq!(reading.thread.references, ["<c@x>"]);
    }

    // RFC 5322 section 3.6.4: a parent with none of the three fields gives a notice without them.
    #[test]
    fn a_mail_without_ids_gives_none() {
        let reading = header("Subject: hi");
        assert_eq!(reading.message_id, "");
        assert_eq!(reading.thread.references, Vec::<String>::new());
    }

    #[test]
    fn rejects_message_ids_that_are_not_clean() {
        for id in [
            "<a b@x>",
            "<a@x\rBcc: e@x>",
            "<a\u{e9}@x>",
            "<@x>",
            "<a@>",
            "<a>",
            "a@x",
            "<a@b@x>",
            "<>",
            "<a\0@x>",
            &format!("<{}@x>", "a".repeat(300)),
        ] {
            assert_eq!(header(&format!("Message-ID: {id}")).message_id, "", "{id:?}");
        }
    }

    #[test]
    fn ten_kilobytes_of_references_are_bounded() {
        let many: String = (0..700).map(|n| format!("<{n:010}@x>\r\n ")).collect();
        let reading = header(&format!("References: {many}\r\nMessage-ID: <last@x>"));
        assert_eq!(reading.thread.references.len(), REFERENCES_MAX);
        assert_eq!(
            reading.thread.references.first().map(String::as_str),
            Some("<0000000000@x>")
        );
        assert_eq!(
            reading.thread.references.last().map(String::as_str),
            Some("<last@x>")
        );
    }

    #[test]
    fn accepts_folded_and_encoded_subjects() {
        assert_eq!(
            header("Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\t=?utf-8?q?_an?= all")
                .thread
                .subject,
            "=?utf-8?q?Gr=C3=BC=C3=9Fe?= =?utf-8?q?_an?= all"
        );
    }

    /// Any length and any script; expected values by Python's email.header.
    #[test]
    fn accepts_subjects_of_any_length_and_script() {
        let subject = |text: &str| header(&format!("Subject: {text}")).thread.subject;
        assert_eq!(
            subject("Gr\u{fc}\u{df}e an alle"),
            "=?utf-8?B?R3LDvMOfZQ==?= an alle"
        );
        assert_eq!(subject("\u{202e}gnitteg"), "gnitteg");
        // The space between two encoded words belongs into one of them.
        assert_eq!(subject("\u{fc} \u{fc}"), "=?utf-8?B?w7wgw7w=?=");
        assert_eq!(subject("=?utf-8?q?a?= \u{fc}"), "=?utf-8?q?a?= =?utf-8?B?IMO8?=");
        assert_eq!(subject("\u{fc} =?utf-8?q?a?="), "=?utf-8?B?w7wg?= =?utf-8?q?a?=");
        let words = "word ".repeat(100);
        assert_eq!(subject(&words), words.trim_end());
        for long in ["x".repeat(1_000), "\u{4f60}\u{597d}".repeat(300)] {
            let kept = subject(&long);
            assert!(
                kept.split(' ').all(|word| word.len() <= 75 && is_encoded(word)),
                "{kept}"
            );
            let text: Vec<u8> = kept
                .split(' ')
                .flat_map(|word| STANDARD.decode(&word[10..word.len() - 2]).expect("base64"))
                .collect();
            assert_eq!(String::from_utf8(text).expect("UTF-8"), long);
            assert_eq!(clean_subject(&kept), kept, "cleaning twice changes nothing");
        }
        assert!(subject(&"\u{4f60}".repeat(100_000)).len() <= SUBJECT_BYTES_MAX);
    }

    #[test]
    fn rejects_subjects_that_are_not_clean() {
        for subject in ["a\rBcc: eve@example.com", "a\0b", "a\u{7f}b", "a\u{85}b"] {
            assert_eq!(
                header(&format!("Subject: {subject}")).thread.subject,
                "",
                "{subject:?}"
            );
        }
    }

    #[test]
    fn the_body_is_no_header() {
        let reading = thread_of(b"From: a@x\r\n\r\nMessage-ID: <a@x>\r\nSubject: b\r\n");
        assert_eq!(reading, Reading::default());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_give_clean_values(raw in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..2_000)) {
            let reading = thread_of(&raw);
            let all = [reading.message_id, reading.thread.subject, reading.thread.references.concat()];
            proptest::prop_assert!(all.concat().bytes().all(|byte| (32..127).contains(&byte)));
        }

        #[test]
        fn any_fields_give_clean_values(text in "(Subject|Message-ID|References): [ -~\r\n\t<>@a\u{e9}]{0,200}\r\n\r\n") {
            let reading = thread_of(text.as_bytes());
            let all = [reading.message_id, reading.thread.subject, reading.thread.references.concat()];
            proptest::prop_assert!(all.concat().bytes().all(|byte| (32..127).contains(&byte)));
        }
    }
}
