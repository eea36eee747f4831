//! Whom the relay must reach, and who must reach it.

use std::net::SocketAddr;
use std::time::Duration;

use dns::{Answer, Resolver};
use rpc::api::{LedgerChoice, Transactions};
use rpc::methods::{
    FeatureReply, FeatureRequest, LedgerReply, LedgerRequest, ServerInfoReply, ServerInfoRequest,
};
use rpc::{Client, ClientError};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::finding::{Finding, Verdict, worst};
use crate::config::Config;
use crate::intake::imap;
use crate::limits::{CHECK_SECS_MAX, CLOCK_SKEW_SECS, GREETING_BYTES_MAX};

const PATIENCE: Duration = Duration::from_secs(CHECK_SECS_MAX);

/// What tests set otherwise.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Port at which the world hands in mail.
    pub smtp_port: u16,
}

impl Default for Options {
    fn default() -> Options {
        Options { smtp_port: 25 }
    }
}

/// Every node; while one is in order, faults of the others are warnings.
pub(super) async fn nodes(config: &Config, now: u64) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut has_good = false;
    for url in &config.nodes {
        let of_one = node(url, config.network, now).await;
        has_good |= worst(&of_one) < Verdict::Fail;
        findings.extend(of_one);
    }
    for finding in findings.iter_mut().filter(|_| has_good) {
        finding.verdict = finding.verdict.min(Verdict::Warn);
    }
    findings
}

async fn node(url: &str, network: u32, now: u64) -> Vec<Finding> {
    let about = |what: &str| format!("{what} {url}");
    let mut client = match Client::connect_with_patience(url, PATIENCE).await {
        Ok(client) => client,
        Err(error) => {
            let fix = "Start it, or correct nodes";
            return vec![Finding::fail(about("node"), error.to_string(), fix)];
        }
    };
    let mut findings = Vec::new();
    match understood(client.call(&ServerInfoRequest).await) {
        Ok(info) => findings.push(same_network(about("node"), &info.unwrap_or_default(), network)),
        Err(error) => {
            let fix = "Is it a node of this program or of Xahau? Correct nodes";
            findings.push(Finding::fail(about("node"), error.to_string(), fix));
        }
    }
    let feature = client.call(&FeatureRequest::One("Email".to_owned())).await;
    let about_email = about("amendment Email at");
    findings.push(email_enabled(about_email, understood(feature)));
    let ledger = client.call(&LedgerRequest {
        ledger: LedgerChoice::Validated,
        transactions: Transactions::Omitted,
    });
    let ledger = understood(ledger.await);
    findings.push(same_time(about("time of"), ledger, now));
    client.close().await;
    findings
}

/// `None` is a reply that lacks what its method promises: it says nothing, but a node gave it.
fn understood<T>(reply: Result<T, ClientError>) -> Result<Option<T>, ClientError> {
    match reply {
        Err(ClientError::BadReply(_)) => Ok(None),
        reply => reply.map(Some),
    }
}

fn same_network(about: String, info: &ServerInfoReply, network: u32) -> Finding {
    let state = info.server_state.as_deref().unwrap_or("?");
    match info.network_id {
        Some(id) if id == network => {
            let seen = format!("network {id}, {state}");
            if matches!(state, "full" | "proposing" | "validating") {
                Finding::ok(about, seen)
            } else {
                Finding::warn(
                    about,
                    seen,
                    "It is not synchronized with its network: wait, or check its log",
                )
            }
        }
        Some(id) => Finding::fail(
            about,
            format!("it belongs to network {id}, but the configuration says {network}"),
            "Correct network or nodes: a mail for one network is not valid on another",
        ),
        None => Finding::warn(
            about,
            "it does not report its network",
            "Make sure that it belongs to the network",
        ),
    }
}

fn email_enabled(about: String, reply: Result<Option<FeatureReply>, ClientError>) -> Finding {
    let fix = "Mails wait until it is enabled there, at most five days; or name another node";
    match reply {
        Ok(reply) => {
            let feature = reply.and_then(|reply| reply.features.into_values().next());
            match feature.map(|feature| feature.enabled) {
                Some(true) => Finding::ok(about, "enabled"),
                Some(false) => Finding::fail(about, "not enabled", fix),
                None => Finding::warn(about, "the node does not report it", fix),
            }
        }
        Err(ClientError::Refused { token, .. }) if token == "badFeature" => {
            Finding::fail(about, "the node does not know it", fix)
        }
        Err(error) => Finding::warn(about, format!("cannot tell: {error}"), fix),
    }
}

fn same_time(about: String, ledger: Result<Option<LedgerReply>, ClientError>, now: u64) -> Finding {
    match ledger.map(|ledger| ledger?.close_time) {
        Ok(Some(closed_at)) => {
            let ledger = closed_at.to_unix();
            let (apart, word) = if ledger > now {
                (ledger - now, "behind")
            } else {
                (now - ledger, "ahead of")
            };
            let seen = format!("this machine's clock is {apart} s {word} the last validated ledger");
            if apart <= CLOCK_SKEW_SECS {
                Finding::ok(about, seen)
            } else {
                let fix = "Set this machine's clock (NTP); if it is right, the node is not synchronized";
                Finding::warn(about, seen, fix)
            }
        }
        Ok(None) => Finding::warn(
            about,
            "the node names no validated ledger",
            "Wait until it is synchronized",
        ),
        Err(error) => Finding::warn(about, format!("cannot tell: {error}"), "Check the node"),
    }
}

/// Whether the mailbox can be opened.
pub(super) async fn mailbox(config: &Config) -> Option<Finding> {
    let mailbox = config.imap.as_ref()?;
    let about = format!("mailbox {} at {}:{}", mailbox.mailbox, mailbox.host, mailbox.port);
    Some(match timeout(PATIENCE, imap::probe(mailbox)).await {
        Ok(Ok(())) => Finding::ok(about, "the log-in is taken and the mailbox can be read"),
        Ok(Err(error)) => {
            let fix = "Correct imap.host, imap.port, imap.protection, imap.user, imap.password_file or imap.mailbox";
            Finding::fail(about, error, fix)
        }
        Err(_) => Finding::fail(
            about,
            format!("no answer in {CHECK_SECS_MAX} s"),
            "Correct imap.host and imap.port, or allow connections to it",
        ),
    })
}

/// Whether a mail server greets at the addresses that the world is told.
pub(super) async fn own_mail_port(config: &Config, names: &Resolver, options: Options) -> Vec<Finding> {
    if config.smtp.is_none() {
        return Vec::new();
    }
    let Answer::Found(ips) = names.addresses(&config.hostname).await else {
        // Told of with the records.
        return Vec::new();
    };
    let mut findings = Vec::new();
    for ip in ips {
        let address = SocketAddr::new(ip, options.smtp_port);
        let about = format!("mail port {address}");
        let fix = "Start the relay; open the port in the firewall and at the provider; try it from elsewhere as well";
        findings.push(match timeout(PATIENCE, greeting(address)).await {
            Ok(Ok(line)) if line.starts_with("220") => Finding::ok(about, line),
            Ok(Ok(line)) => Finding::fail(about, format!("it is not a mail server; it says: {line}"), fix),
            Ok(Err(error)) => Finding::fail(about, error.to_string(), fix),
            Err(_) => Finding::fail(about, format!("no greeting in {CHECK_SECS_MAX} s"), fix),
        });
    }
    findings
}

/// The first line of a mail server.
async fn greeting(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let mut line = Vec::new();
    let mut byte = [0];
    while line.len() < GREETING_BYTES_MAX {
        if stream.read(&mut byte).await? == 0 || byte == *b"\n" {
            break;
        }
        line.extend(byte);
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}
