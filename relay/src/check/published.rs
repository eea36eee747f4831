//! What DNS says of the relay's domains and machine: each record with the value to publish and how it stands.

use std::collections::BTreeSet;

use dns::{Answer, Resolver};

use super::finding::Finding;
use crate::config::records::{self, Plan, Record, dkim_name};
use crate::config::{Answers, Config, dkim_key};

/// All records that other mail servers look at; where DNS gives no answer, that, with what should be there.
/// `now` is Unix seconds.
pub(super) async fn records(
    config: &Config,
    names: &Resolver,
    now: u64,
) -> Result<Vec<Finding>, Vec<Finding>> {
    let domains: BTreeSet<String> = config.addresses.iter().filter_map(|own| domain_of(own)).collect();
    if let Some(domain) = domains.first()
        && let Answer::Failed(why) = names.texts(domain).await
    {
        return Err(unanswered_all(config, &domains, &why, now));
    }
    let mut findings = Vec::new();
    if config.smtp.is_some() {
        for domain in &domains {
            let wanted = Wanted::new(config, domain, None, now);
            findings.push(mail_server(config, names, &wanted).await);
            findings.push(tagged(names, &wanted, &MTA_STS).await);
            findings.push(tagged(names, &wanted, &TLS_RPT).await);
        }
        findings.extend(machine(config, names).await);
    }
    if let Some(answers) = &config.answers {
        let domain = domain_of(&answers.from).unwrap_or_default();
        let key = answers.dkim_key.as_deref().map(dkim_key::record_of);
        let record = key.as_ref().and_then(|key| key.as_ref().ok());
        let wanted = Wanted::new(config, &domain, record.map(String::as_str), now);
        findings.push(tagged(names, &wanted, &SPF).await);
        findings.push(match key {
            Some(Ok(record)) => dkim(answers, names, &wanted, &record).await,
            // Told of with the way of answers.
            Some(Err(error)) => Finding::fail("DKIM", error.to_string(), "Correct answers.dkim_key"),
            None => Finding::warn(
                "DKIM",
                "answers are not signed here",
                "Make sure that the smarthost signs them for the domain, or set answers.dkim_selector and answers.dkim_key",
            ),
        });
        findings.push(tagged(names, &wanted, &DMARC).await);
    }
    Ok(findings)
}

fn domain_of(address: &str) -> Option<String> {
    let (_, domain) = address.rsplit_once('@')?;
    Some(domain.to_ascii_lowercase())
}

/// The records that a domain should have, as `relay quickstart` prints them.
struct Wanted {
    domain: String,
    records: Vec<Record>,
}

impl Wanted {
    fn new(config: &Config, domain: &str, dkim: Option<&str>, now: u64) -> Wanted {
        let answers = config.answers.as_ref();
        let selector = answers.and_then(|answers| answers.dkim_selector.as_deref());
        Wanted {
            domain: domain.to_owned(),
            records: records::records(&Plan {
                domain,
                hostname: &config.hostname.to_ascii_lowercase(),
                ips: &[],
                dkim: selector.zip(dkim),
                now,
            }),
        }
    }

    /// The line of the record that stands under a name and begins so.
    fn publish(&self, name: &str, begin: &str) -> String {
        let fits = |record: &&Record| record.name == name && record.value.starts_with(begin);
        let line = self.records.iter().find(fits).map(Record::zone_line);
        format!("Publish: {}", line.unwrap_or_default())
    }
}

/// DNS gives no answer: what should be there is told all the same.
fn unanswered_all(config: &Config, domains: &BTreeSet<String>, why: &str, now: u64) -> Vec<Finding> {
    let server = &config.dns.server;
    let mut findings = vec![Finding::fail(
        "DNS",
        format!("dns.server ({server}) gives no answer: {why}"),
        "Check dns.server, and that this machine may ask it by UDP and TCP; then run the check again",
    )];
    let dkim = config
        .answers
        .as_ref()
        .and_then(|answers| answers.dkim_key.as_deref());
    let dkim = dkim.and_then(|path| dkim_key::record_of(path).ok());
    for domain in domains {
        for record in Wanted::new(config, domain, dkim.as_deref(), now).records {
            let about = format!("{} of {}", record.kind, record.name);
            let publish = format!("Publish: {}", record.zone_line());
            findings.push(Finding::warn(
                about,
                "not looked up: DNS does not answer",
                publish,
            ));
        }
    }
    findings
}

async fn mail_server(config: &Config, names: &Resolver, wanted: &Wanted) -> Finding {
    let domain = &wanted.domain;
    let about = format!("MX of {domain}");
    let hostname = config.hostname.to_ascii_lowercase();
    let fix = wanted.publish(domain, "10 ");
    match names.mail_servers(domain).await {
        Answer::Found(servers) if servers.iter().any(|(_, name)| *name == hostname) => {
            Finding::ok(about, listed(&servers))
        }
        Answer::Found(servers) => Finding::fail(
            about,
            format!("{}, not {hostname}", listed(&servers)),
            format!("{fix}; or close [smtp] and take mail from that server by LMTP or IMAP"),
        ),
        Answer::Absent => Finding::fail(about, "there is none", fix),
        Answer::Failed(why) => unanswered(about, &why, &fix),
    }
}

fn listed(servers: &[(u16, String)]) -> String {
    let shown = servers
        .iter()
        .map(|(preference, name)| format!("{preference} {name}"));
    shown.collect::<Vec<_>>().join(", ")
}

/// A TXT record that is known by its version tag.
struct Kind {
    what: &'static str,
    /// Labels before the domain, with their dot.
    below: &'static str,
    tag: &'static str,
}

const SPF: Kind = Kind {
    what: "SPF",
    below: "",
    tag: "v=spf1",
};
const DMARC: Kind = Kind {
    what: "DMARC",
    below: "_dmarc.",
    tag: "v=DMARC1",
};
const MTA_STS: Kind = Kind {
    what: "MTA-STS",
    below: "_mta-sts.",
    tag: "v=STSv1",
};
const TLS_RPT: Kind = Kind {
    what: "TLS-RPT",
    below: "_smtp._tls.",
    tag: "v=TLSRPTv1",
};

/// A record that begins with its version tag; one only.
async fn tagged(names: &Resolver, wanted: &Wanted, kind: &Kind) -> Finding {
    let name = format!("{}{}", kind.below, wanted.domain);
    let about = format!("{} of {name}", kind.what);
    let fix = wanted.publish(&name, kind.tag);
    match names.texts(&name).await {
        Answer::Found(texts) => {
            let fitting: Vec<&str> = texts
                .iter()
                .map(String::as_str)
                .filter(|text| is_tagged(text, kind.tag))
                .collect();
            match fitting.as_slice() {
                [text] => Finding::ok(about, *text),
                [] => Finding::warn(about, format!("no TXT record begins with {}", kind.tag), fix),
                _ => Finding::warn(
                    about,
                    format!("there are several: {}", fitting.join(" | ")),
                    "Keep one; receivers ignore them all if there are two",
                ),
            }
        }
        Answer::Absent => Finding::warn(about, "there is none", fix),
        Answer::Failed(why) => unanswered(about, &why, &fix),
    }
}

fn is_tagged(text: &str, tag: &str) -> bool {
    text.strip_prefix(tag)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ';']))
}

/// The key that is published must be the one that signs.
async fn dkim(answers: &Answers, names: &Resolver, wanted: &Wanted, record: &str) -> Finding {
    let selector = answers.dkim_selector.as_deref().unwrap_or_default();
    let name = dkim_name(selector, &wanted.domain);
    let about = format!("DKIM of {name}");
    let fix = wanted.publish(&name, "");
    match names.texts(&name).await {
        Answer::Found(texts) => match texts.iter().find(|text| key_of(text) == key_of(record)) {
            Some(text) => Finding::ok(about, format!("it is the key that signs: {text}")),
            None => {
                let seen = format!("it is not the key that signs: {}", texts.join(" | "));
                Finding::fail(about, seen, fix)
            }
        },
        Answer::Absent => Finding::fail(about, "there is none", fix),
        Answer::Failed(why) => unanswered(about, &why, &fix),
    }
}

/// The p= tag, without white space.
fn key_of(record: &str) -> Option<String> {
    let value = record
        .split(';')
        .filter_map(|tag| tag.split_once('='))
        .find(|(name, _)| name.trim() == "p")
        .map(|(_, value)| value)?;
    Some(value.split_whitespace().collect())
}

/// The machine's addresses, and that each leads back to its name.
async fn machine(config: &Config, names: &Resolver) -> Vec<Finding> {
    let hostname = config.hostname.to_ascii_lowercase();
    let about = format!("address of {hostname}");
    let ips = match names.addresses(&hostname).await {
        Answer::Found(ips) => ips,
        Answer::Absent => {
            let fix = "Publish an A record, and AAAA where the machine has IPv6";
            return vec![Finding::fail(about, "there is none", fix)];
        }
        Answer::Failed(why) => return vec![unanswered(about, &why, "")],
    };
    let shown: Vec<String> = ips.iter().map(ToString::to_string).collect();
    let mut findings = vec![Finding::ok(about, shown.join(", "))];
    for ip in ips {
        let about = format!("reverse name of {ip}");
        let fix = format!("Ask the machine's provider to set it to {hostname}");
        findings.push(match names.names_of(ip).await {
            Answer::Found(found) if found.contains(&hostname) => Finding::ok(about, found.join(", ")),
            Answer::Found(found) => Finding::warn(about, found.join(", "), fix),
            Answer::Absent => Finding::warn(about, "there is none", fix),
            Answer::Failed(why) => unanswered(about, &why, &fix),
        });
    }
    findings
}

/// `publish` is what should be there.
fn unanswered(about: String, why: &str, publish: &str) -> Finding {
    let fix = "Run the check again; if it still fails, check dns.server and the name servers of the domain";
    let separator = if publish.is_empty() { "" } else { ". " };
    Finding::warn(
        about,
        format!("cannot tell: {why}"),
        format!("{fix}{separator}{publish}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_compared_whatever_their_spelling() {
        assert_eq!(key_of("v=DKIM1; k=rsa; p=AB CD"), key_of("p=ABCD;t=s"));
        assert_ne!(key_of("p=ABCD"), key_of("p=ABCE"));
        assert_eq!(key_of("v=DKIM1"), None);
        assert!(is_tagged("v=spf1 -all", "v=spf1") && is_tagged("v=STSv1; id=1", "v=STSv1"));
        assert!(!is_tagged("v=spf10 -all", "v=spf1"));
    }
}
