//! The mail around a text: headers that make it a notice in the thread, and nothing else (RFC 5322,
//! RFC 3834).

use std::fmt::Write as _;

use lettre::Address;

use super::NoticeRules;
use super::page::{Page, header_date};
use super::texts;
use super::thread::{clean_subject, is_clean_id};
use crate::queue::{Dkim, Entry, MailId, Notice, NoticeKind, NoticeState};

/// Longest header line before it is folded. RFC 5322 section 2.1.1.
const HEADER_COLUMNS: usize = 76;

/// Whose subject a notice has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject<'a> {
    /// That of the mail, with Re: before it; this one where the mail has none that is clean.
    OfTheMail(&'a str),
    /// This one: strangers' words must not reach other strangers in a subject of ours.
    Own(&'a str),
}

/// A notice to be made.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) kind: NoticeKind,
    pub(super) to: &'a str,
    pub(super) subject: Subject<'a>,
    pub(super) page: Page,
}

/// Makes the notice; `None` where none may be sent.
///
/// Spec: 13. RFC 3834 sections 2 and 3.
pub(super) fn compose(rules: &NoticeRules, entry: &Entry, draft: Draft<'_>, now: u64) -> Option<Notice> {
    if entry.dkim != Dkim::Proven || !entry.may_answer || rules.is_own(draft.to) {
        return None;
    }
    // What the type takes is one mailbox of the grammar: it cannot hold a line end or a second address.
    let to: Address = draft.to.parse().ok().filter(|to: &Address| is_plain(to))?;
    let about = entry.about();
    let mut mail = String::new();
    let mut header = |name: &str, value: &str| fold(&mut mail, name, value);
    header("From", &format!("Xahau email relay <{}>", rules.from));
    header("To", &format!("<{to}>"));
    header("Subject", &subject(draft.subject, entry));
    header("Date", &header_date(now));
    header("Message-ID", &message_id(rules, about, draft.kind));
    for (name, value) in thread(entry) {
        header(name, &value);
    }
    header("Auto-Submitted", submitted(draft.kind));
    header("X-Auto-Response-Suppress", "All");
    header("MIME-Version", "1.0");
    header("Content-Type", "text/plain; charset=utf-8");
    header("Content-Transfer-Encoding", "7bit");
    let mut page = draft.page;
    texts::footer(&mut page, rules, entry);
    mail.push_str("\r\n");
    mail.push_str(&page.into_text());
    Some(Notice {
        about,
        kind: draft.kind,
        trace: entry.trace.clone(),
        to: draft.to.to_owned(),
        mail,
        state: NoticeState::Waiting,
        next_try: now,
        tries: 0,
        made_at: now,
        word: None,
    })
}

fn is_plain(address: &Address) -> bool {
    let text: &str = address.as_ref();
    text.bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'<' && byte != b'>')
}

/// A direct response, or a mail that something else gave rise to. RFC 3834 section 5.
fn submitted(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Welcome => "auto-generated",
        NoticeKind::Waiting
        | NoticeKind::Validated
        | NoticeKind::Refused
        | NoticeKind::Expired
        | NoticeKind::Balance
        | NoticeKind::History => "auto-replied",
    }
}

/// The same for the same answer, so that a mail program shows a copy once.
fn message_id(rules: &NoticeRules, about: MailId, kind: NoticeKind) -> String {
    let about = about.to_string();
    let short = about.get(..32).unwrap_or(&about).to_ascii_lowercase();
    format!("<{short}.{}@{}>", kind.as_str(), rules.hostname)
}

/// In-Reply-To and References. RFC 5322 section 3.6.4. The intake has checked them; they are checked again,
/// since what stands here is signed with our name.
fn thread(entry: &Entry) -> Vec<(&'static str, String)> {
    let mut fields = Vec::new();
    let id = format!("<{}>", entry.message_id);
    let has_id = is_clean_id(&entry.message_id);
    if has_id {
        fields.push(("In-Reply-To", id.clone()));
    }
    let is_clean = |id: &&String| {
        let bare = id.strip_prefix('<').and_then(|id| id.strip_suffix('>'));
        bare.is_some_and(is_clean_id)
    };
    let mut references: Vec<&str> = entry
        .thread
        .references
        .iter()
        .filter(is_clean)
        .map(String::as_str)
        .collect();
    if has_id && references.last() != Some(&id.as_str()) {
        references.push(&id);
    }
    if !references.is_empty() {
        fields.push(("References", references.join(" ")));
    }
    fields
}

fn subject(subject: Subject<'_>, entry: &Entry) -> String {
    match subject {
        Subject::Own(own) => own.to_owned(),
        Subject::OfTheMail(other) => match clean_subject(&entry.thread.subject) {
            known if known.is_empty() => other.to_owned(),
            known if known.get(..3).is_some_and(|re| re.eq_ignore_ascii_case("re:")) => known,
            known => format!("Re: {known}"),
        },
    }
}

/// A header field, folded at its spaces.
fn fold(mail: &mut String, name: &str, value: &str) {
    let mut column = name.len() + 1;
    let _ = write!(mail, "{name}:");
    for (at, word) in value.split(' ').enumerate() {
        if at > 0 && column + 1 + word.len() > HEADER_COLUMNS {
            mail.push_str("\r\n");
            column = 0;
        }
        mail.push(' ');
        mail.push_str(word);
        column += 1 + word.len();
    }
    mail.push_str("\r\n");
}
