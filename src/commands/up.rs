//! `up`: a node and a relay in one process, for one machine.

use super::node::{RunningNode, outlive_full_disks, start, stop_signal};
use super::relay::{metrics_of, say_listening};
use super::{Failure, Outcome};
use crate::output::Format;
use crate::{cli, clock};
use ::relay::config::rules;
use ::relay::config::{Answers, Config, Dns, Http, Limits, Lmtp, Log, QueueConfig, Smtp};
use ::relay::daemon::Daemon;
use serde_json::json;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// Runs until the operator ends it.
pub(crate) async fn run(args: &cli::Up, format: Format) -> Result<Outcome, Failure> {
    outlive_full_disks()?;
    let both = Both::start(args, None).await?;
    if format.is_json() {
        let mut places = vec![both.node.url()];
        places.extend(both.relay.listening().iter().map(ToString::to_string));
        out!("{}", json!({ "listening": places, "network_id": args.network }));
    } else {
        out!("listening {}", both.node.url());
        say_listening(&both.relay, Format::Text);
    }
    both.until_stopped().await?;
    Ok(Outcome::Yes)
}

/// A node and the relay that submits to it.
pub(crate) struct Both {
    /// The node.
    pub node: RunningNode,
    /// The relay.
    pub relay: Daemon,
}

impl Both {
    /// Starts both; they serve when this returns.
    pub(crate) async fn start(args: &cli::Up, answers: Option<Answers>) -> Result<Both, Failure> {
        let node = start(&args.node(), "--rpc").await?;
        match relay(args, answers, node.url()).await {
            Ok(relay) => Ok(Both { node, relay }),
            Err(failure) => {
                node.stop().await?;
                Err(failure)
            }
        }
    }

    /// Ends when the operator asks for it, or when the node's store fails.
    async fn until_stopped(mut self) -> Result<(), Failure> {
        let asked = tokio::select! {
            () = stop_signal() => Ok(()),
            failed = self.node.failed() => failed,
            broken = self.relay.broken() => Err(broken.into()),
        };
        tracing::info!("stopping: open work finishes first");
        asked.and(self.stop().await)
    }

    /// Ends both, the relay first.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        self.relay.stop().await;
        self.node.stop().await
    }
}

async fn relay(args: &cli::Up, answers: Option<Answers>, node: String) -> Result<Daemon, Failure> {
    let beside = RelayBeside {
        addresses: args.relay_address.clone(),
        data: args.data.join("relay"),
        network: args.network,
        nodes: vec![node],
        smtp: args.smtp,
        keys: args.keys.clone(),
        answers,
    };
    let config = Config {
        lmtp: (!args.lmtp.is_empty()).then(|| Lmtp {
            listen: args.lmtp.clone(),
        }),
        http: args.http.map(|listen| Http { listen }),
        ..beside.config()
    };
    start_relay(config, Arc::new(clock::now_unix)).await
}

/// A relay beside nodes of this machine.
pub(crate) struct RelayBeside {
    /// Its addresses.
    pub addresses: Vec<String>,
    /// Folder of its queue.
    pub data: PathBuf,
    /// NetworkID.
    pub network: u32,
    /// WebSocket addresses of the nodes.
    pub nodes: Vec<String>,
    /// Where it takes mail.
    pub smtp: SocketAddr,
    /// Where keys come from.
    pub keys: cli::Keys,
    /// How it answers.
    pub answers: Option<Answers>,
}

impl RelayBeside {
    /// Its configuration, with a door for SMTP alone.
    pub(crate) fn config(self) -> Config {
        let listed: Vec<String> = self.keys.dns.iter().map(ToString::to_string).collect();
        Config {
            addresses: self.addresses,
            hostname: "localhost.localdomain".to_owned(),
            data: self.data,
            network: self.network,
            nodes: self.nodes,
            smtp: Some(Smtp {
                listen: vec![self.smtp],
            }),
            lmtp: None,
            tls: None,
            imap: None,
            maildir: None,
            dns: Dns {
                server: match listed.is_empty() {
                    true => "system".to_owned(),
                    false => listed.join(","),
                },
                keys: self.keys.keys,
            },
            limits: Limits::default(),
            queue: QueueConfig::default(),
            answers: self.answers,
            http: None,
            log: Log::default(),
        }
    }
}

/// Starts a relay whose settings are flags of this program.
pub(crate) async fn start_relay(config: Config, clock: ::relay::clock::Clock) -> Result<Daemon, Failure> {
    if let Some(complaint) = rules::check_values(&config).first() {
        return Err(Failure::Argument(by_flags(&complaint.to_string())));
    }
    let metrics = metrics_of(&config)?;
    let started = Daemon::start(config, clock, metrics).await;
    started.map_err(|error| Failure::Argument(by_flags(&error.to_string())))
}

/// Names of the relay's settings, and of the flags that give them here.
const FLAGS: [(&str, &str); 6] = [
    ("smtp.listen", "--smtp"),
    ("lmtp.listen", "--lmtp"),
    ("http.listen", "--http"),
    ("addresses", "--relay-address"),
    ("dns.server", "--dns"),
    ("dns.keys", "--keys"),
];

/// What the relay says of a setting at the beginning of a message, by the flag that gives it here.
fn by_flags(message: &str) -> String {
    let named = |(setting, flag): &(&str, &str)| {
        let rest = message.strip_prefix(setting)?;
        rest.starts_with(':').then(|| format!("{flag}{rest}"))
    };
    FLAGS.iter().find_map(named).unwrap_or_else(|| message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_flag() {
        assert_eq!(by_flags("smtp.listen: cannot listen"), "--smtp: cannot listen");
        assert_eq!(
            by_flags("addresses: `x` is no address"),
            "--relay-address: `x` is no address"
        );
        assert_eq!(by_flags("the queue is damaged"), "the queue is damaged");
    }
}
