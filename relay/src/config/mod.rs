//! The one configuration file: what can be set, and the defaults.
//!
//! | part | does |
//! |---|---|
//! | [`dkim_key`] | the key that signs notices: making one, and its record |
//! | [`mod@file`] | reads the file; every complaint names the line and the remedy |
//! | [`quickstart`] | makes a first configuration |
//! | [`records`] | the DNS records to publish |
//! | [`rules`] | what the values must fulfil beyond their types |
//! | [`secret`] | reads password files |

pub mod dkim_key;
pub mod file;
pub mod quickstart;
pub mod records;
pub mod rules;
pub mod secret;

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The relay's own addresses; mail for any other is refused.
    pub addresses: Vec<String>,
    /// Name of this machine in banners, Received lines and Message-IDs.
    pub hostname: String,
    /// Folder for the queue, the audit log and the control socket.
    pub data: PathBuf,
    /// NetworkID of the ledger.
    #[serde(default = "defaults::network")]
    pub network: u32,
    /// WebSocket addresses of nodes, in order of preference.
    pub nodes: Vec<String>,
    /// SMTP listeners.
    #[serde(default)]
    pub smtp: Option<Smtp>,
    /// LMTP listeners.
    #[serde(default)]
    pub lmtp: Option<Lmtp>,
    /// Certificate for STARTTLS.
    #[serde(default)]
    pub tls: Option<Tls>,
    /// Mailbox to read.
    #[serde(default)]
    pub imap: Option<Imap>,
    /// Folder to watch.
    #[serde(default)]
    pub maildir: Option<Maildir>,
    /// Where DKIM keys and policies are looked up.
    #[serde(default)]
    pub dns: Dns,
    /// Limits on connections and mails.
    #[serde(default)]
    pub limits: Limits,
    /// The queue.
    #[serde(default)]
    pub queue: QueueConfig,
    /// Notices by mail.
    #[serde(default)]
    pub answers: Option<Answers>,
    /// Metrics and health.
    #[serde(default)]
    pub http: Option<Http>,
    /// Logs.
    #[serde(default)]
    pub log: Log,
}

/// SMTP.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    /// Where to listen.
    pub listen: Vec<SocketAddr>,
}

/// LMTP.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lmtp {
    /// `ADDR:PORT` or `unix:/path`.
    pub listen: Vec<String>,
}

/// Certificate files; read again when they change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Certificate chain, PEM.
    pub certificate: PathBuf,
    /// Private key, PEM.
    pub key: PathBuf,
}

/// How a connection of ours is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protection {
    /// TLS from the first byte.
    #[default]
    Tls,
    /// STARTTLS, required.
    Starttls,
    /// None: for this machine only.
    None,
}

/// A mailbox that the operator has elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Imap {
    /// Name of the server.
    pub host: String,
    /// Port.
    #[serde(default = "defaults::imap_port")]
    pub port: u16,
    /// How the connection is protected.
    #[serde(default)]
    pub protection: Protection,
    /// Further certificate authorities, PEM.
    #[serde(default)]
    pub authorities: Option<PathBuf>,
    /// Log-in name.
    pub user: String,
    /// File that holds the password.
    pub password_file: PathBuf,
    /// Mailbox.
    #[serde(default = "defaults::mailbox")]
    pub mailbox: String,
    /// How often to look, seconds; also where IDLE is offered, since some servers tell nothing in it.
    #[serde(default = "defaults::poll_secs")]
    pub poll_secs: u64,
}

/// A folder that another program delivers to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Maildir {
    /// The folder that holds new, cur and tmp.
    pub path: PathBuf,
    /// How often to look, seconds.
    #[serde(default = "defaults::maildir_poll_secs")]
    pub poll_secs: u64,
}

/// Look-ups.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dns {
    /// `system`, `off`, or `ADDR:PORT`.
    #[serde(default = "defaults::dns_server")]
    pub server: String,
    /// DKIM keys from a file instead, for tests.
    #[serde(default)]
    pub keys: Option<PathBuf>,
}

impl Default for Dns {
    fn default() -> Self {
        Dns {
            server: defaults::dns_server(),
            keys: None,
        }
    }
}

/// Limits on connections and mails.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Open connections of the SMTP listeners. LMTP has places of its own.
    pub connections: usize,
    /// Open connections of one network (IPv4 /24, IPv6 /48); one address may have half of them.
    pub connections_per_network: usize,
    /// Mails an hour from one network; 0 for no limit. Loopback is exempt.
    pub letters_per_network_hour: u32,
    /// Mails an hour of one sender address; 0 for no limit.
    pub letters_per_address_hour: u32,
    /// Mails an hour of one sender domain; 0 for no limit.
    pub letters_per_domain_hour: u32,
    /// Longest silence of a client, seconds.
    pub idle_secs: u64,
    /// Longest session, seconds.
    pub session_secs: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 1_024,
            connections_per_network: 64,
            letters_per_network_hour: 10_000,
            letters_per_address_hour: 120,
            letters_per_domain_hour: 100_000,
            idle_secs: 300,
            session_secs: 3_600,
        }
    }
}

/// The queue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QueueConfig {
    /// How long the text of a final mail is kept, days.
    pub retention_days: u32,
    /// How long its entry (who, what, transaction) is kept, days.
    pub entry_days: u32,
    /// Most mails that wait at one time; beyond, mails are put off with 452.
    pub waiting_max: usize,
    /// Most of them whose signature is not proved yet; beyond, such mails are put off with 451.
    pub unproven_max: usize,
    /// Least free space on the data folder's disk, MiB; below, mails are put off with 452.
    pub free_mib_min: u64,
}

impl Default for QueueConfig {
    fn default() -> Self {
        QueueConfig {
            retention_days: 7,
            entry_days: 90,
            waiting_max: 1_000_000,
            unproven_max: 10_000,
            free_mib_min: 256,
        }
    }
}

/// Notices by mail.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// Name of the smarthost; without it notices go to the mail servers of their receivers.
    #[serde(default)]
    pub host: Option<String>,
    /// Port; 465 of a smarthost, else 25.
    #[serde(default)]
    pub port: Option<u16>,
    /// How the connection to the smarthost is protected.
    #[serde(default)]
    pub protection: Protection,
    /// Further certificate authorities, PEM.
    #[serde(default)]
    pub authorities: Option<PathBuf>,
    /// Log-in name, where one is needed.
    #[serde(default)]
    pub user: Option<String>,
    /// File that holds the password on its first line.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// Address the notices come from; one of `addresses`.
    pub from: String,
    /// Envelope sender, where the smarthost takes no empty one.
    #[serde(default)]
    pub envelope_from: String,
    /// DKIM selector of the notices.
    #[serde(default)]
    pub dkim_selector: Option<String>,
    /// DKIM secret key, PKCS#8 PEM (RSA or Ed25519); without it notices are not signed here.
    #[serde(default)]
    pub dkim_key: Option<PathBuf>,
    /// Most notices to one address in a day.
    #[serde(default = "defaults::answers_per_day")]
    pub per_address_day: u32,
    /// Link to a transaction; `{hash}` is replaced, and an empty one is none. By default that of the
    /// network's explorer, where it has one.
    #[serde(default)]
    pub transaction_link: Option<String>,
}

/// Metrics and health.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Where to listen: /metrics, /healthz, /readyz.
    pub listen: SocketAddr,
}

/// Form of the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Logs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// Form.
    pub format: LogFormat,
}

/// Defaults that serde asks for by name.
mod defaults {
    pub(super) fn network() -> u32 {
        21_337
    }
    pub(super) fn imap_port() -> u16 {
        993
    }
    pub(super) fn mailbox() -> String {
        "INBOX".to_owned()
    }
    pub(super) fn poll_secs() -> u64 {
        60
    }
    pub(super) fn maildir_poll_secs() -> u64 {
        1
    }
    pub(super) fn dns_server() -> String {
        "system".to_owned()
    }
    pub(super) fn answers_per_day() -> u32 {
        20
    }
}
