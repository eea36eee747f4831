//! What DNS says of the relay's domains and machine.

use std::collections::BTreeSet;

use dns::{Answer, Resolver};

use super::finding::Finding;
use crate::config::Config;
use crate::config::dkim_key;
use crate::config::records::dkim_name;

/// All records that other mail servers look at.
pub(super) async fn records(config: &Config, names: &Resolver) -> Vec<Finding> {
    let domain = |address: &String| {
        let (_, domain) = address.rsplit_once('@')?;
        Some(domain.to_ascii_lowercase())
    };
    let domains: BTreeSet<String> = config.addresses.iter().filter_map(domain).collect();
    let mut findings = Vec::new();
    if config.smtp.is_some() {
        for domain in &domains {
            findings.push(mail_server(config, names, domain).await);
            findings.push(tagged(names, &format!("_mta-sts.{domain}"), "v=STSv1", "MTA-STS").await);
            findings.push(tagged(names, &format!("_smtp._tls.{domain}"), "v=TLSRPTv1", "TLS-RPT").await);
        }
        findings.extend(machine(config, names).await);
    }
    if let Some(answers) = &config.answers {
        let domain = domain(&answers.from).unwrap_or_default();
        findings.push(tagged(names, &domain, "v=spf1", "SPF").await);
        findings.push(dkim(config, names, &domain).await);
        findings.push(tagged(names, &format!("_dmarc.{domain}"), "v=DMARC1", "DMARC").await);
    }
    findings
}

async fn mail_server(config: &Config, names: &Resolver, domain: &str) -> Finding {
    let about = format!("MX of {domain}");
    let hostname = config.hostname.to_ascii_lowercase();
    let fix = format!("Publish: {domain}. IN MX 10 {hostname}.");
    match names.mail_servers(domain).await {
        Answer::Found(servers) if servers.contains(&hostname) => Finding::ok(about, servers.join(", ")),
        Answer::Found(servers) => Finding::fail(
            about,
            format!("{}, not {hostname}", servers.join(", ")),
            format!("{fix}; or close [smtp] and take mail from that server by LMTP or IMAP"),
        ),
        Answer::Absent => Finding::fail(about, "there is none", fix),
        Answer::Failed(why) => unanswered(about, &why),
    }
}

/// A record that begins with its version tag; one only.
async fn tagged(names: &Resolver, name: &str, tag: &str, what: &str) -> Finding {
    let about = format!("{what} of {name}");
    let fix = "Publish it as `relay quickstart` printed it; docs/relay.md has the list";
    match names.texts(name).await {
        Answer::Found(texts) => {
            let mut fitting = texts.iter().filter(|text| is_tagged(text, tag));
            match (fitting.next(), fitting.next()) {
                (Some(text), None) => Finding::ok(about, text.as_str()),
                (Some(_), Some(_)) => Finding::warn(
                    about,
                    "there are several",
                    "Keep one; receivers ignore them all if there are two",
                ),
                (None, _) => Finding::warn(about, format!("no TXT record begins with {tag}"), fix),
            }
        }
        Answer::Absent => Finding::warn(about, "there is none", fix),
        Answer::Failed(why) => unanswered(about, &why),
    }
}

fn is_tagged(text: &str, tag: &str) -> bool {
    text.strip_prefix(tag)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ';']))
}

/// The key that is published must be the one that signs.
async fn dkim(config: &Config, names: &Resolver, domain: &str) -> Finding {
    let Some(answers) = &config.answers else {
        return Finding::ok("DKIM", "no answers are sent");
    };
    let name = dkim_name(&answers.dkim_selector, domain);
    let about = format!("DKIM of {name}");
    let record = match dkim_key::record_of(&answers.dkim_key) {
        Ok(record) => record,
        Err(error) => {
            let fix = "Name the key that `relay quickstart` made, or any in PKCS#8 PEM";
            return Finding::fail(about, error.to_string(), fix);
        }
    };
    let fix = format!(
        "Publish: {name}. IN TXT {}",
        crate::config::records::quoted(&record)
    );
    match names.texts(&name).await {
        Answer::Found(texts) if texts.iter().any(|text| key_of(text) == key_of(&record)) => {
            Finding::ok(about, "it is the key that signs")
        }
        Answer::Found(_) => Finding::fail(about, "it is not the key that signs", fix),
        Answer::Absent => Finding::fail(about, "there is none", fix),
        Answer::Failed(why) => unanswered(about, &why),
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
        Answer::Failed(why) => return vec![unanswered(about, &why)],
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
            Answer::Failed(why) => unanswered(about, &why),
        });
    }
    findings
}

fn unanswered(about: String, why: &str) -> Finding {
    Finding::warn(
        about,
        format!("cannot tell: {why}"),
        "Run the check again; if it still fails, check dns.server and the name servers of the domain",
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
