//! DKIM keys for the door: looked up in DNS or a fixed table, kept for as long as their records say, parsed once.
//!
//! The answers only save nodes work and tell senders early: what counts is the key on the ledger. Spec: 7.3.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use amendment::key_record::{KeyRecordError, parse_answer};
use amendment::{KeyAnswer, KeyName, KeySource, TxtRecords, candidates};
use futures_util::future::join_all;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData};
use hickory_resolver::{Resolver, TokioResolver};

use super::recent::Recent;
use crate::limits::{
    KEY_ANEW_SECS_MIN, KEY_KEPT_SECS_MAX, KEYS_FILE_BYTES_MAX, KEYS_KEPT_MAX, LOOKUP_SECS_MAX,
};

/// What a look-up found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The answer.
    pub answer: KeyAnswer,
    /// How long it may be kept, seconds.
    pub ttl_secs: u32,
}

impl Found {
    fn nothing(answer: KeyAnswer) -> Found {
        Found { answer, ttl_secs: 0 }
    }
}

/// A look-up under way.
pub type Lookup<'a> = Pin<Box<dyn Future<Output = Found> + Send + 'a>>;

/// Where keys are looked up.
pub trait KeyLookup: Send + Sync {
    /// Looks one name up.
    fn look_up<'a>(&'a self, name: &'a KeyName) -> Lookup<'a>;
}

/// Knows no key: every mail is left to the nodes.
#[derive(Debug, Clone, Copy)]
pub struct NoKeys;

impl KeyLookup for NoKeys {
    fn look_up<'a>(&'a self, _: &'a KeyName) -> Lookup<'a> {
        Box::pin(std::future::ready(Found::nothing(KeyAnswer::Absent)))
    }
}

/// A fixed table of keys.
impl KeyLookup for TxtRecords {
    fn look_up<'a>(&'a self, name: &'a KeyName) -> Lookup<'a> {
        let answer = self.key(name.domain(), name.selector());
        Box::pin(std::future::ready(Found::nothing(answer)))
    }
}

/// Why a keys file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysFileError {
    /// It cannot be read.
    #[error("cannot read the keys file {path}: {source}; check `dns.keys` and the file's mode", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It is too long.
    #[error("the keys file {path} is longer than {KEYS_FILE_BYTES_MAX} bytes; keep only the keys that are needed", path = path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// It is no JSON object of texts.
    #[error("the keys file {path} is no table of keys: {source}; write {{\"selector._domainkey.domain\": \"v=DKIM1; ...\"}}", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        source: serde_json::Error,
    },
}

/// Reads a keys file: one JSON object of names and TXT records.
pub fn read_keys_file(path: &Path) -> Result<TxtRecords, KeysFileError> {
    use std::io::Read;
    let unreadable = |source| KeysFileError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let mut text = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(KEYS_FILE_BYTES_MAX + 1)
        .read_to_end(&mut text)
        .map_err(unreadable)?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > KEYS_FILE_BYTES_MAX {
        return Err(KeysFileError::TooLong {
            path: path.to_owned(),
        });
    }
    let table: std::collections::BTreeMap<String, String> =
        serde_json::from_slice(&text).map_err(|source| KeysFileError::Malformed {
            path: path.to_owned(),
            source,
        })?;
    let mut records = TxtRecords::new();
    for (name, record) in table {
        records.insert(&name, record.as_bytes());
    }
    Ok(records)
}

/// DNS.
#[derive(Clone)]
pub struct DnsKeys(pub TokioResolver);

impl KeyLookup for DnsKeys {
    fn look_up<'a>(&'a self, name: &'a KeyName) -> Lookup<'a> {
        Box::pin(async move {
            let Some(name) = wire_name(name) else {
                return Found::nothing(KeyAnswer::Absent);
            };
            match self.0.txt_lookup(name).await {
                Ok(lookup) => found(lookup.answers().iter().filter_map(|record| match &record.data {
                    RData::TXT(txt) => Some((record.ttl, txt.txt_data.concat())),
                    _ => None,
                })),
                Err(error) => Found::nothing(no_lookup(&error)),
            }
        })
    }
}

/// The one resolver, for keys and policies: `system`, or an address and port.
pub fn resolver(server: &str) -> Result<TokioResolver, ResolverError> {
    use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig};
    use hickory_resolver::net::runtime::TokioRuntimeProvider;
    let mut builder = if server == "system" {
        Resolver::builder_tokio().map_err(|error| ResolverError::System(error.to_string()))?
    } else {
        let server: std::net::SocketAddr = server
            .parse()
            .map_err(|_| ResolverError::Server(server.to_owned()))?;
        let mut config = NameServerConfig::udp_and_tcp(server.ip());
        for connection in &mut config.connections {
            connection.port = server.port();
        }
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![config]);
        Resolver::builder_with_config(config, TokioRuntimeProvider::default())
    };
    let options = builder.options_mut();
    // Keys are kept below, parsed; the resolver that is asked keeps the rest.
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options.timeout = Duration::from_millis(LOOKUP_SECS_MAX * 1_000 * 2 / 5);
    options.attempts = 2;
    builder
        .build()
        .map_err(|error| ResolverError::System(error.to_string()))
}

/// Why there is no resolver.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolverError {
    /// `dns.server` is none of its words.
    #[error("`dns.server` is '{0}'; write system, off, or an address and port such as 127.0.0.1:53")]
    Server(String),
    /// The system's configuration cannot be used.
    #[error("the system's DNS configuration cannot be used: {0}; set `dns.server` to an address and port")]
    System(String),
}

/// What the records of a name say. Several are no key, whatever they hold. Spec: 4.5.
fn found(records: impl Iterator<Item = (u32, Vec<u8>)>) -> Found {
    let (ttls, records): (Vec<u32>, Vec<Vec<u8>>) = records.take(2).unzip();
    let answer = match parse_answer(&records) {
        None => return Found::nothing(KeyAnswer::Absent),
        Some(Ok(key)) => KeyAnswer::Usable(key),
        Some(Err(KeyRecordError::Revoked)) => KeyAnswer::Revoked,
        Some(Err(error)) => KeyAnswer::Unusable(error),
    };
    Found {
        answer,
        ttl_secs: ttls.into_iter().min().unwrap_or_default(),
    }
}

/// NXDOMAIN and NODATA speak of the name; everything else is trouble of a resolver.
fn no_lookup(error: &NetError) -> KeyAnswer {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none))
            if matches!(none.response_code, ResponseCode::NXDomain | ResponseCode::NoError) =>
        {
            KeyAnswer::Absent
        }
        _ => KeyAnswer::Unknown,
    }
}

/// The name in wire form, absolute: no search list, no escapes. Spec: 4.4.
fn wire_name(name: &KeyName) -> Option<Name> {
    let labels = name
        .selector()
        .split('.')
        .chain(["_domainkey"])
        .chain(name.domain().split('.'));
    let mut wire = Name::from_labels(labels.map(str::as_bytes)).ok()?;
    wire.set_fqdn(true);
    Some(wire)
}

/// Keys of one mail.
#[derive(Debug, Clone, Default)]
pub struct MailKeys {
    keys: Vec<(KeyName, KeyAnswer)>,
    /// Whether one of them was not asked for just now.
    pub has_kept: bool,
}

impl MailKeys {
    /// Whether both hold the same answers.
    pub fn agree(&self, other: &MailKeys) -> bool {
        self.keys == other.keys
    }
}

impl KeySource for MailKeys {
    fn key(&self, domain: &str, selector: &str) -> KeyAnswer {
        let mut keys = self.keys.iter();
        keys.find(|(name, _)| name.domain() == domain && name.selector() == selector)
            .map_or(KeyAnswer::Absent, |(_, answer)| answer.clone())
    }
}

struct Kept {
    answer: KeyAnswer,
    asked_at: u64,
    until: u64,
}

/// Looks keys up and keeps what it found.
pub struct Keys {
    source: Box<dyn KeyLookup>,
    kept: Mutex<Recent<KeyName, Kept>>,
}

/// How old a kept answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// As its record allows.
    Kept,
    /// Asked anew, unless that was done a moment ago: a provider may have changed its key.
    Anew,
}

impl Keys {
    /// Keys of a source.
    pub fn new(source: Box<dyn KeyLookup>) -> Keys {
        Keys {
            source,
            kept: Mutex::new(Recent::new(KEYS_KEPT_MAX)),
        }
    }

    /// The keys that decide about a mail: at most four names, five seconds for all of them together.
    ///
    /// Spec: 4.7.
    pub async fn of_mail(&self, raw: &[u8], freshness: Freshness, now: u64) -> MailKeys {
        let mut found = MailKeys::default();
        let mut missing: Vec<KeyName> = Vec::new();
        for candidate in candidates(raw) {
            let name = candidate.name;
            if missing.contains(&name) || found.keys.iter().any(|(known, _)| *known == name) {
                continue;
            }
            match self.kept(&name, freshness, now) {
                Some(answer) => {
                    found.has_kept = true;
                    found.keys.push((name, answer));
                }
                None => missing.push(name),
            }
        }
        let asked = join_all(missing.iter().map(|name| self.ask(name, now))).await;
        found.keys.extend(missing.into_iter().zip(asked));
        found
    }

    fn kept(&self, name: &KeyName, freshness: Freshness, now: u64) -> Option<KeyAnswer> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.get(name)?;
        let until = match freshness {
            Freshness::Kept => known.until,
            Freshness::Anew => known.until.min(known.asked_at.saturating_add(KEY_ANEW_SECS_MIN)),
        };
        (known.asked_at <= now && now < until).then(|| known.answer.clone())
    }

    async fn ask(&self, name: &KeyName, now: u64) -> KeyAnswer {
        let patience = Duration::from_secs(LOOKUP_SECS_MAX);
        let found = tokio::time::timeout(patience, self.source.look_up(name))
            .await
            .unwrap_or(Found::nothing(KeyAnswer::Unknown));
        let ttl = u64::from(found.ttl_secs).min(KEY_KEPT_SECS_MAX);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match found.answer {
            KeyAnswer::Absent | KeyAnswer::Unknown => {
                kept.remove(name);
            }
            _ if ttl == 0 => {}
            _ => kept.insert(
                name.clone(),
                Kept {
                    answer: found.answer.clone(),
                    asked_at: now,
                    until: now.saturating_add(ttl),
                },
            ),
        }
        found.answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::accept::testing;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use testkit::dns;

    const NOW: u64 = 1_794_830_400;

    /// Counts look-ups; the TTL is 100 seconds.
    struct Counting {
        records: TxtRecords,
        asked: Arc<AtomicUsize>,
    }

    impl KeyLookup for Counting {
        fn look_up<'a>(&'a self, name: &'a KeyName) -> Lookup<'a> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let answer = self.records.key(name.domain(), name.selector());
            Box::pin(std::future::ready(Found {
                answer,
                ttl_secs: 100,
            }))
        }
    }

    fn counting(records: TxtRecords) -> (Keys, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let source = Counting {
            records,
            asked: Arc::clone(&asked),
        };
        (Keys::new(Box::new(source)), asked)
    }

    #[tokio::test]
    async fn a_key_is_asked_for_once_in_its_life() {
        let (keys, asked) = counting(testing::records());
        let raw = testing::mail(&["REMIT 10 XAH"]);
        for (now, expected) in [(NOW, 1), (NOW + 99, 1), (NOW + 100, 2), (NOW + 101, 2)] {
            let found = keys.of_mail(&raw, Freshness::Kept, now).await;
            assert!(matches!(found.keys.as_slice(), [(_, KeyAnswer::Usable(_))]));
            assert_eq!(asked.load(Ordering::SeqCst), expected, "{now}");
        }
    }

    #[tokio::test]
    async fn a_key_that_does_not_fit_is_asked_for_anew_but_not_at_once() {
        let (keys, asked) = counting(testing::records());
        let raw = testing::mail(&["REMIT 10 XAH"]);
        for (now, expected) in [(NOW, 1), (NOW + 1, 1), (NOW + KEY_ANEW_SECS_MIN, 2)] {
            let _ = keys.of_mail(&raw, Freshness::Anew, now).await;
            assert_eq!(asked.load(Ordering::SeqCst), expected, "{now}");
        }
    }

    #[tokio::test]
    async fn a_missing_key_is_not_kept() {
        let (keys, asked) = counting(TxtRecords::new());
        let raw = testing::mail(&["REMIT 10 XAH"]);
        for expected in [1, 2] {
            let found = keys.of_mail(&raw, Freshness::Kept, NOW).await;
            assert_eq!((found.has_kept, asked.load(Ordering::SeqCst)), (false, expected));
        }
    }

    #[tokio::test]
    async fn a_mail_that_cannot_qualify_asks_for_nothing() {
        let (keys, asked) = counting(testing::records());
        for raw in [
            &b""[..],
            b"From: a@b.example\r\n\r\nREMIT 10 XAH\r\n",
            b"DKIM-Signature: v=1; d=x.example; s=y\r\nFrom: a@b.example\r\n\r\nREMIT 10 XAH\r\n",
        ] {
            let _ = keys.of_mail(raw, Freshness::Kept, NOW).await;
        }
        assert_eq!(asked.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn reads_dns() {
        let records: Vec<_> = testing::provider().records().to_vec();
        let responder = dns::Responder::start(&records).await.expect("a socket");
        let resolver = resolver(&responder.address().to_string()).expect("a resolver");
        let keys = Keys::new(Box::new(DnsKeys(resolver)));
        let raw = testing::mail(&["REMIT 10 XAH"]);
        let found = keys.of_mail(&raw, Freshness::Kept, NOW).await;
        assert!(matches!(found.keys.as_slice(), [(_, KeyAnswer::Usable(_))]));
        let again = keys.of_mail(&raw, Freshness::Kept, NOW + 59).await;
        assert!(again.has_kept);
        let other = String::from_utf8(raw)
            .expect("text")
            .replacen("s2026", "other", 1);
        let found = keys.of_mail(other.as_bytes(), Freshness::Kept, NOW).await;
        assert!(matches!(found.keys.as_slice(), [(_, KeyAnswer::Absent)]));
    }

    #[test]
    fn several_records_are_no_key_and_an_empty_one_is_withdrawn() {
        let record = testing::provider().records()[0].1.clone().into_bytes();
        let one = found([(60, record.clone())].into_iter());
        assert!(matches!((one.answer, one.ttl_secs), (KeyAnswer::Usable(_), 60)));
        let two = found([(60, record.clone()), (30, record)].into_iter());
        let several = KeyAnswer::Unusable(KeyRecordError::Several);
        assert_eq!((two.answer, two.ttl_secs), (several, 30));
        let empty = found([(60, b"v=DKIM1; p=".to_vec())].into_iter());
        assert_eq!(empty.answer, KeyAnswer::Revoked);
        assert_eq!(found(std::iter::empty()).answer, KeyAnswer::Absent);
    }

    #[test]
    fn rejects_keys_files_that_are_none_and_servers_without_a_port() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.json");
        assert!(read_keys_file(&path).is_err());
        for (text, is_good) in [
            ("{\"s._domainkey.a.example\": \"v=DKIM1; p=\"}", true),
            ("{\"s._domainkey.a.example\": 1}", false),
            ("[]", false),
            ("", false),
        ] {
            std::fs::write(&path, text).expect("a file");
            assert_eq!(read_keys_file(&path).is_ok(), is_good, "{text}");
        }
        assert!(resolver("127.0.0.1").is_err());
    }
}
