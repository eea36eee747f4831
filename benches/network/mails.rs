//! Signed mails of many senders, each of which pays another amount.

use std::time::{SystemTime, UNIX_EPOCH};
use testkit::mail::rfc5322_date;
use testkit::sign::{DkimKey, Draft, Form};

/// The senders' domain.
const DOMAIN: &str = "load.test";
const SELECTOR: &str = "s1";

/// Whom they pay.
pub(crate) const RECEIVER: &str = "bob@example.com";
/// What a Remit pays a new account beside the amount.
pub(crate) const RESERVE_DROPS: u64 = 1_000_000;

/// What the receiver has when so many of the first mails are paid.
pub(crate) fn paid_drops(mails: usize) -> u64 {
    let mails = u64::try_from(mails).expect("few");
    RESERVE_DROPS + 1_000_000 * mails + mails * mails.saturating_sub(1) / 2
}

/// Senders of one domain, and its key.
pub(crate) struct Senders {
    key: DkimKey,
    count: usize,
    date: String,
}

impl Senders {
    /// So many, who write now.
    pub(crate) fn new(count: usize) -> Senders {
        Senders {
            key: DkimKey::fresh_rsa(),
            count,
            date: rfc5322_date(now_unix()),
        }
    }

    /// How many they are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The file of DKIM keys that a node reads.
    pub(crate) fn keys_json(&self) -> String {
        let name = format!("{SELECTOR}._domainkey.{DOMAIN}");
        serde_json::json!({ name: self.key.record() }).to_string()
    }

    /// The payments that give each of them money.
    pub(crate) fn funds(&self) -> Vec<String> {
        (0..self.count)
            .map(|sender| format!("{}=1000", address(sender)))
            .collect()
    }

    /// The mail with this number; the senders take turns. It pays 1 XAH and as many drops as its number says.
    pub(crate) fn mail(&self, number: usize) -> String {
        let sender = number % self.count;
        let fields = format!(
            "From: Sender {sender} <{}>\r\nTo: pay@relay.test\r\nSubject: pay\r\nDate: {}\r\n\
             Message-ID: <{number}@{DOMAIN}>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n",
            address(sender),
            self.date
        );
        let draft = Draft {
            form: Form::Simple,
            domain: DOMAIN,
            selector: SELECTOR,
            names: "From:To:Subject:Date:Message-ID:MIME-Version:Content-Type",
            fields: fields.into_bytes(),
            body: format!("REMIT 1.{number:06} XAH TO <{RECEIVER}>\r\n").into_bytes(),
        };
        String::from_utf8(draft.signed(&self.key)).expect("a mail is text")
    }
}

fn address(sender: usize) -> String {
    format!("sender{sender}@{DOMAIN}")
}

fn now_unix() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
