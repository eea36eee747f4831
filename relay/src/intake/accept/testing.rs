//! Mails and keys for the tests of this folder.

use std::sync::OnceLock;

use amendment::TxtRecords;
use dns::KeyTable;

use testkit::mail::{Headers, plain};
use testkit::provider::{Provider, Signing};

use super::own::Own;

/// Network of the tests.
pub(super) const NETWORK: u32 = 21_337;
/// Domain of the senders.
pub(super) const DOMAIN: &str = "mail.example";

/// The time of the tests, Unix seconds: a minute after mail-auth's first signature, which takes t= from the
/// clock.
pub(super) fn now() -> u64 {
    static NOW: OnceLock<u64> = OnceLock::new();
    *NOW.get_or_init(|| {
        let text = plain(
            Headers {
                date: 1_794_830_400,
                ..ALICE
            },
            &[],
        );
        let signed = provider().sign(&text, Signing::Gmail).expect("a signature");
        let time = signed.split(" t=").nth(1).and_then(|rest| rest.split(';').next());
        time.and_then(|time| time.trim().parse::<u64>().ok()).expect("t=") + 60
    })
}

const ALICE: Headers<'static> = Headers {
    from: "Alice <alice@mail.example>",
    to: "Bob <bob@mail.example>",
    subject: "hello",
    date: 0,
};

/// The one provider of a run: keys take time to make.
pub(super) fn provider() -> &'static Provider {
    static PROVIDER: OnceLock<Provider> = OnceLock::new();
    PROVIDER.get_or_init(|| Provider::new(DOMAIN).expect("keys"))
}

/// Another owner of the same domain's name: signs with keys that are not published.
pub(super) fn forger() -> &'static Provider {
    static FORGER: OnceLock<Provider> = OnceLock::new();
    FORGER.get_or_init(|| Provider::new(DOMAIN).expect("keys"))
}

/// What the domain publishes.
pub(super) fn table() -> KeyTable {
    let records = provider().records().iter();
    let records: Vec<(&str, &str)> = records
        .map(|(name, record)| (name.as_str(), record.as_str()))
        .collect();
    KeyTable::from_records(&records)
}

/// The keys that the domain publishes.
pub(super) fn records() -> TxtRecords {
    let mut records = TxtRecords::new();
    for (name, record) in provider().records() {
        records.insert(name, record.as_bytes());
    }
    records
}

/// The relay's addresses.
pub(super) fn own() -> Own {
    Own::new(&["relay@relay.example".to_owned()], "mx.relay.example").expect("an address")
}

/// Header lines of the usual mail.
pub(super) fn headers() -> Headers<'static> {
    Headers {
        date: now() - 60,
        ..ALICE
    }
}

/// The usual mail, signed.
pub(super) fn mail(lines: &[&str]) -> Vec<u8> {
    signed(headers(), lines)
}

/// A plain mail, signed.
pub(super) fn signed(headers: Headers<'_>, lines: &[&str]) -> Vec<u8> {
    sign_as(provider(), headers, lines)
}

/// A plain mail, signed by a provider.
pub(super) fn sign_as(provider: &Provider, headers: Headers<'_>, lines: &[&str]) -> Vec<u8> {
    let text = plain(headers, lines);
    provider
        .sign(&text, Signing::Gmail)
        .expect("a signature")
        .into_bytes()
}
