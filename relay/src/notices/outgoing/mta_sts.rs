//! Policies by which a domain asks that mail for it goes over TLS to servers that it names. RFC 8461.
//!
//! A policy that was fetched holds for its `max_age`, whatever DNS says later; a new one is fetched when the
//! id in DNS changes. Kept in memory alone.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dns::{Answer, Resolver};
use hyper::body::Body;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::tls::Trust;
use crate::clock::Clock;
use crate::config::records::MTA_STS_PATH;
use crate::limits::{
    POLICIES_KEPT_MAX, POLICY_AGAIN_SECS, POLICY_AGE_SECS_MAX, POLICY_BYTES_MAX, POLICY_FETCH_SECS_MAX,
};

/// What a sender does with a policy that is not fulfilled. RFC 8461 section 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Not to deliver.
    Enforce,
    /// To deliver all the same, and to report; we send no reports.
    Testing,
    /// As without a policy.
    None,
}

/// A policy. RFC 8461 section 3.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) mode: Mode,
    servers: Vec<String>,
    max_age: u64,
}

impl Policy {
    /// Reads a policy file; `None` where it is none.
    fn parse(text: &str) -> Option<Policy> {
        let (mut version, mut mode, mut max_age, mut servers) = (None, None, None, Vec::new());
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':')?;
            let value = value.trim();
            // The first of several counts, but for mx. RFC 8461 section 3.2.
            match name.trim() {
                "version" => version = version.or(Some(value)),
                "mode" => mode = mode.or(Some(value)),
                "max_age" => max_age = max_age.or(Some(value)),
                "mx" => servers.push(value.trim_end_matches('.').to_ascii_lowercase()),
                _ => {}
            }
        }
        let mode = match mode? {
            "enforce" => Mode::Enforce,
            "testing" => Mode::Testing,
            "none" => Mode::None,
            _ => return None,
        };
        let is_whole = version == Some("STSv1") && (mode == Mode::None || !servers.is_empty());
        let max_age = max_age?.parse::<u64>().ok()?.min(POLICY_AGE_SECS_MAX);
        is_whole.then_some(Policy {
            mode,
            servers,
            max_age,
        })
    }

    /// Whether it names this mail server. `*.` stands for one label. RFC 8461 section 4.1.
    pub(super) fn names(&self, server: &str) -> bool {
        let server = server.trim_end_matches('.').to_ascii_lowercase();
        self.servers
            .iter()
            .any(|pattern| match pattern.strip_prefix("*.") {
                Some(parent) => server.split_once('.').is_some_and(|(_, rest)| rest == parent),
                None => *pattern == server,
            })
    }
}

/// The id of the policy that DNS tells of: one record that begins with its version. RFC 8461 section 3.1.
fn id_of(texts: &[String]) -> Option<&str> {
    let mut records = texts.iter().filter_map(|text| text.strip_prefix("v=STSv1"));
    let (Some(record), None) = (records.next(), records.next()) else {
        return None;
    };
    let mut tags = record.strip_prefix([';', ' '])?.split(';').map(str::trim);
    let id = tags.find_map(|tag| tag.strip_prefix("id="))?.trim();
    let is_id = (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_id.then_some(id)
}

/// What is known of a domain.
#[derive(Debug, Clone)]
struct Kept {
    /// Id of the record that led to it.
    id: String,
    /// `None` where it could not be fetched.
    policy: Option<Policy>,
    /// Unix seconds at which it ends.
    until: u64,
}

/// All policies.
pub(super) struct Policies {
    names: Resolver,
    trust: Trust,
    clock: Clock,
    port: u16,
    kept: Mutex<BTreeMap<String, Kept>>,
}

impl Policies {
    /// None yet. `port` is 443 but in tests.
    pub(super) fn new(names: Resolver, trust: Trust, clock: Clock, port: u16) -> Policies {
        Policies {
            names,
            trust,
            clock,
            port,
            kept: Mutex::default(),
        }
    }

    /// The policy that holds for a domain now.
    pub(super) async fn of(&self, domain: &str) -> Option<Policy> {
        let now = (self.clock)();
        let known = self.kept(domain).filter(|kept| kept.until > now);
        let told = match self.names.texts(&format!("_mta-sts.{domain}")).await {
            Answer::Found(texts) => id_of(&texts).map(str::to_owned),
            Answer::Absent | Answer::Failed(_) => None,
        };
        let id = match (&known, told) {
            (_, None) => return known.and_then(|kept| kept.policy),
            (Some(kept), Some(id)) if kept.id == id => return kept.policy.clone(),
            (_, Some(id)) => id,
        };
        let fetched = match timeout(Duration::from_secs(POLICY_FETCH_SECS_MAX), self.fetch(domain)).await {
            Ok(fetched) => fetched,
            Err(_) => Err("no answer in time".to_owned()),
        };
        let policy = match fetched {
            Ok(policy) => policy,
            Err(why) => {
                tracing::info!(domain, why, "the MTA-STS policy cannot be fetched");
                // The old one holds on. Without one, mail goes as without a policy. RFC 8461 section 3.3.
                if known.is_none() {
                    self.keep(domain, id, None, now + POLICY_AGAIN_SECS);
                }
                return known.and_then(|kept| kept.policy);
            }
        };
        self.keep(
            domain,
            id,
            Some(policy.clone()),
            now.saturating_add(policy.max_age),
        );
        Some(policy)
    }

    fn kept(&self, domain: &str) -> Option<Kept> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(domain).cloned()
    }

    fn keep(&self, domain: &str, id: String, policy: Option<Policy>, until: u64) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= POLICIES_KEPT_MAX {
            let first = kept.iter().min_by_key(|(_, kept)| kept.until);
            if let Some(domain) = first.map(|(domain, _)| domain.clone()) {
                kept.remove(&domain);
            }
        }
        kept.insert(domain.to_owned(), Kept { id, policy, until });
    }

    /// Over HTTPS, from a server whose certificate is for the policy's host; no redirects. RFC 8461 section
    /// 3.3.
    async fn fetch(&self, domain: &str) -> Result<Policy, String> {
        let host = format!("mta-sts.{domain}");
        let ips = match self.names.addresses(&host).await {
            Answer::Found(ips) => ips,
            Answer::Absent => return Err(format!("{host} has no address")),
            Answer::Failed(why) => return Err(why),
        };
        let tls = self.trust.vouched(&host).map_err(|error| error.to_string())?;
        let mut failure = String::new();
        for ip in ips {
            match TcpStream::connect((ip, self.port)).await {
                Ok(tcp) => {
                    let stream = tls.around(tcp).await.map_err(|error| format!("TLS: {error}"))?;
                    let text = get(&host, stream).await?;
                    return Policy::parse(&text).ok_or_else(|| "it is no policy".to_owned());
                }
                Err(error) => failure = error.to_string(),
            }
        }
        Err(failure)
    }
}

/// One GET; the text of its answer.
async fn get<S>(host: &str, stream: S) -> Result<String, String>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
{
    let failed = |error: hyper::Error| error.to_string();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(failed)?;
    let asking = async {
        let request = hyper::Request::get(MTA_STS_PATH)
            .header("host", host)
            .header("user-agent", "xahau-email")
            .body(String::new())
            .map_err(|error| error.to_string())?;
        let reply = sender.send_request(request).await.map_err(failed)?;
        if reply.status() != hyper::StatusCode::OK {
            return Err(format!("https://{host}{MTA_STS_PATH} answers {}", reply.status()));
        }
        let kind = reply
            .headers()
            .get("content-type")
            .and_then(|kind| kind.to_str().ok());
        if !kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/plain")) {
            return Err("it is not text/plain".to_owned());
        }
        read(reply.into_body()).await
    };
    tokio::pin!(asking, connection);
    tokio::select! {
        text = &mut asking => text,
        // The connection may end first, when the answer is there.
        _ = &mut connection => asking.await,
    }
}

async fn read(mut body: hyper::body::Incoming) -> Result<String, String> {
    let mut bytes = Vec::new();
    loop {
        let next = std::future::poll_fn(|cx| std::pin::Pin::new(&mut body).poll_frame(cx));
        let Some(frame) = next.await else {
            return String::from_utf8(bytes).map_err(|_| "it is no text".to_owned());
        };
        let frame = frame.map_err(|error| error.to_string())?;
        bytes.extend_from_slice(frame.data_ref().map(AsRef::as_ref).unwrap_or_default());
        if bytes.len() > POLICY_BYTES_MAX {
            return Err(format!("it holds more than {POLICY_BYTES_MAX} bytes"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 8461 section 3.2, figure 1, with the line ends that it allows.
    const EXAMPLE: &str = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\n\
                           mx: backupmx.example.com\r\nmax_age: 604800\r\n";

    #[test]
    fn accepts_the_policy_of_the_rfc_and_its_servers_alone() {
        let policy = Policy::parse(EXAMPLE).expect("a policy");
        assert_eq!((policy.mode, policy.max_age), (Mode::Enforce, 604_800));
        // RFC 8461 section 4.1: a wildcard stands for one label alone.
        for named in ["mail.example.com", "Mail.Example.com.", "mx1.example.net"] {
            assert!(policy.names(named), "{named}");
        }
        for other in [
            "example.com",
            "x.mail.example.com",
            "example.net",
            "a.b.example.net",
            "",
        ] {
            assert!(!policy.names(other), "{other}");
        }
        assert_eq!(Policy::parse(&EXAMPLE.replace("\r\n", "\n")), Some(policy));
    }

    #[test]
    fn rejects_texts_that_are_no_policy() {
        for (line, instead) in [
            ("version: STSv1", "version: STSv2"),
            ("mode: enforce", "mode: perhaps"),
            ("max_age: 604800", "max_age: -1"),
            ("max_age: 604800\r\n", ""),
            ("mode: enforce\r\n", ""),
            ("mode: enforce", "<html>"),
        ] {
            assert_eq!(Policy::parse(&EXAMPLE.replace(line, instead)), None, "{instead}");
        }
        assert_eq!(Policy::parse("version: STSv1\nmode: enforce\nmax_age: 1\n"), None);
        let none = Policy::parse("version: STSv1\nmode: none\nmax_age: 1\n").expect("mode none needs no mx");
        assert_eq!(none.mode, Mode::None);
        let long = Policy::parse(&EXAMPLE.replace("604800", "99999999999")).expect("a policy");
        assert_eq!(long.max_age, POLICY_AGE_SECS_MAX);
    }

    // RFC 8461 section 3.1.
    #[test]
    fn the_id_is_that_of_the_one_record() {
        let id = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            id_of(&texts).map(str::to_owned)
        };
        let told = Some("20160831085700Z".to_owned());
        assert_eq!(id(&["v=STSv1; id=20160831085700Z;"]), told);
        assert_eq!(id(&["v=spf1 -all", "v=STSv1;id=20160831085700Z"]), told);
        for none in [
            &["v=STSv1; id=1", "v=STSv1; id=2"][..],
            &["v=STSv1"],
            &["v=STSv1; id="],
            &["v=STSv1; id=a-b"],
            &["v=STSv10; id=1"],
            &[],
        ] {
            assert_eq!(id(none), None, "{none:?}");
        }
    }
}
