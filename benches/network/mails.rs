//! Signed mails of many senders, each of which pays another amount.

use std::time::{SystemTime, UNIX_EPOCH};
use testkit::mail::rfc5322_date;
use testkit::sign::{DkimKey, Draft, Form};

/// The senders' domain.
const DOMAIN: &str = "load.test";
const SELECTOR: &str = "s1";

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
            body: format!("REMIT 1.{number:06} XAH TO <bob@example.com>\r\n").into_bytes(),
        };
        String::from_utf8(draft.signed(&self.key)).expect("a mail is text")
    }

    /// The mails with these numbers, signed on two threads.
    pub(crate) fn mails(&self, numbers: std::ops::Range<usize>) -> Vec<String> {
        let middle = numbers.start.midpoint(numbers.end);
        std::thread::scope(|scope| {
            let later = scope.spawn(|| {
                (middle..numbers.end)
                    .map(|number| self.mail(number))
                    .collect::<Vec<_>>()
            });
            let mut mails: Vec<String> = (numbers.start..middle).map(|number| self.mail(number)).collect();
            mails.extend(later.join().expect("mails are signed"));
            mails
        })
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
