//! The configuration of one node of a network: what it is, and what all nodes of the network have alike.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use codec::keys::{KeyPair, PublicKey};
use codec::{CloseTime, base58};
use ledger::dkim::KeyDelays;
use ledger::genesis::EmailAmendment;
use node::limits::MAJORITY_SECS_DEFAULT;
use node::{Fund, FundError, NodeConfig, Validators};
use serde::{Deserialize, Deserializer, Serialize};

use crate::limits::{EPOCH_LEDGERS_DEFAULT, EPOCH_LEDGERS_MIN};
use crate::membership::Voting;
pub use crate::peers::key_text;
use crate::peers::{Member, Part};

/// Bytes of a configuration file: 128 nodes of 300 bytes, and 2,000 payments of 100. Refusal: it is not read.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The file of one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigFile {
    /// Which of the nodes below this one is.
    pub name: String,
    /// The data folder; relative to the folder of this file, which also holds `validator.key`.
    pub data: PathBuf,
    /// Whether it votes where the ledger lists its key; `false`: never.
    #[serde(default = "votes_default", skip_serializing_if = "is_default_vote")]
    pub vote: bool,
    /// Where metrics and health are served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<SocketAddr>,
    /// DKIM keys from a file instead of DNS; relative as `data` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dkim_keys: Option<PathBuf>,
    /// The DNS resolvers to ask in turn instead of the system's, as `--dns` has them: one text, or a list.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "one_or_many"
    )]
    pub dns: Vec<String>,
    /// Whether signatures of zones are checked: off, log or require.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dnssec: Option<String>,
    /// DNSKEY records that signatures have to lead to; relative as `data` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns_anchors: Option<PathBuf>,
    /// Authorities of the certificates of resolvers; relative as `data` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns_authority: Option<PathBuf>,
    /// For a rehearsal on one machine alone (`localnet`): a file that says how many seconds the node's time is ahead of
    /// the machine's clock; relative as `data` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<PathBuf>,
    /// How it comes to its first ledger.
    #[serde(default, skip_serializing_if = "is_default_sync")]
    pub sync: SyncBy,
    /// What all nodes have alike.
    pub network: NetworkTable,
    /// All nodes.
    pub nodes: Vec<NodeTable>,
}

fn votes_default() -> bool {
    true
}

fn is_default_vote(vote: &bool) -> bool {
    *vote
}

/// How a node without ledgers comes to one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SyncBy {
    /// It makes all ledgers from the first one on, and so checks all of them.
    #[default]
    Blocks,
    /// It fetches the state at the end of an epoch, which the validators signed.
    Snapshot,
}

fn is_default_sync(sync: &SyncBy) -> bool {
    *sync == SyncBy::default()
}

/// One text, or a list of texts.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(
        untagged,
        expecting = "a resolver in quotes, or a list of resolvers in quotes"
    )]
    enum Form {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Form::deserialize(deserializer)? {
        Form::One(text) => vec![text],
        Form::Many(texts) => texts,
    })
}

/// What a network starts with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkTable {
    /// NetworkID.
    pub id: u32,
    /// Close time of the first ledger, Unix seconds.
    pub start: u64,
    /// KEY_DELAY_FIRST, seconds.
    pub key_delay_first: u32,
    /// KEY_DELAY_NEXT, seconds.
    pub key_delay_next: u32,
    /// Ledgers of an epoch: validators join and leave at its end.
    #[serde(default = "epoch_default")]
    pub epoch: u32,
    /// Seconds that an amendment needs its majority for before it is enabled.
    #[serde(default = "majority_default")]
    pub majority: u32,
    /// Whether the amendment `Email` is enabled from the first ledger on; else its validators vote for it.
    #[serde(default = "email_default", skip_serializing_if = "is_default_email")]
    pub email: bool,
    /// Payments of the genesis account in the second ledger: WHO=XAH.
    #[serde(default)]
    pub fund: Vec<String>,
}

fn epoch_default() -> u32 {
    EPOCH_LEDGERS_DEFAULT
}

fn majority_default() -> u32 {
    MAJORITY_SECS_DEFAULT
}

fn email_default() -> bool {
    true
}

fn is_default_email(email: &bool) -> bool {
    *email
}

/// One node, as the others see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeTable {
    /// Its name.
    pub name: String,
    /// What it is in the first ledger. Who votes later says the ledger.
    pub part: PartName,
    /// Its key, as xahaud writes a node's.
    pub public_key: String,
    /// Where the other nodes reach it.
    pub peer: SocketAddr,
    /// Where clients reach it (WebSocket and HTTP on one port).
    pub rpc: SocketAddr,
}

/// What a node is in the first ledger, as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PartName {
    /// One of its validators.
    Validator,
    /// None of them. It may become one.
    Follower,
}

impl From<PartName> for Part {
    fn from(name: PartName) -> Self {
        match name {
            PartName::Validator => Self::Validator,
            PartName::Follower => Self::Follower,
        }
    }
}

/// Why a configuration is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}. Check the path and its permissions", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is longer than any configuration.
    #[error("{path} has more than {FILE_BYTES_MAX} bytes", path = path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// It is no configuration.
    #[error("{path}: {source}", path = path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        source: Box<toml::de::Error>,
    },
    /// Its own name is none of the nodes'.
    #[error("'name' is '{0}', which none of the nodes has")]
    Name(String),
    /// A name twice.
    #[error("two nodes have the name '{0}'")]
    TwoOfAName(String),
    /// No key.
    #[error(
        "node '{name}': '{text}' is no public key of a node; it is like n9..., and 'network init' writes it"
    )]
    PublicKey {
        /// The node.
        name: String,
        /// What was written.
        text: String,
    },
    /// No time.
    #[error("'start' is {0}: not a time that a ledger can hold, in Unix seconds")]
    Start(u64),
    /// Too short an epoch.
    #[error("'epoch' is {0}: an epoch has at least {EPOCH_LEDGERS_MIN} ledgers")]
    Epoch(u32),
    /// No payment.
    #[error(transparent)]
    Fund(#[from] FundError),
    /// The key of this node is another than its entry says.
    #[error("validator.key makes the public key {own}, but the entry of '{name}' says {stated}")]
    OtherKey {
        /// The node.
        name: String,
        /// What the file makes.
        own: String,
        /// What the entry says.
        stated: String,
    },
}

/// A configuration that was read, with its place.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file's folder.
    pub folder: PathBuf,
    /// What it says.
    pub file: ConfigFile,
    members: Vec<Member>,
    own: usize,
}

impl Config {
    /// Read a file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let wrong = |source| ConfigError::Read {
            path: path.to_owned(),
            source,
        };
        if std::fs::metadata(path).map_err(wrong)?.len() > FILE_BYTES_MAX {
            return Err(ConfigError::TooLong {
                path: path.to_owned(),
            });
        }
        let text = std::fs::read_to_string(path).map_err(wrong)?;
        let file = toml::from_str(&text).map_err(|source| ConfigError::Toml {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        Self::of(folder, file)
    }

    /// Check what a file says.
    pub fn of(folder: PathBuf, file: ConfigFile) -> Result<Self, ConfigError> {
        for (at, node) in file.nodes.iter().enumerate() {
            if file.nodes[..at].iter().any(|other| other.name == node.name) {
                return Err(ConfigError::TwoOfAName(node.name.clone()));
            }
        }
        let members: Result<Vec<Member>, ConfigError> = file.nodes.iter().map(member).collect();
        let own = file.nodes.iter().position(|node| node.name == file.name);
        Ok(Self {
            own: own.ok_or_else(|| ConfigError::Name(file.name.clone()))?,
            members: members?,
            folder,
            file,
        })
    }

    /// All nodes.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// This node, as the others see it.
    #[must_use]
    pub fn own(&self) -> &NodeTable {
        &self.file.nodes[self.own]
    }

    /// Whether this node votes.
    #[must_use]
    pub fn voting(&self) -> Voting {
        if self.file.vote {
            Voting::WhereListed
        } else {
            Voting::Never
        }
    }

    /// Whether the key that lies beside the file is this node's.
    pub fn check_key(&self, key: &KeyPair) -> Result<(), ConfigError> {
        if key.public_key() == self.members[self.own].public_key {
            return Ok(());
        }
        Err(ConfigError::OtherKey {
            name: self.file.name.clone(),
            own: key_text(&key.public_key()),
            stated: self.own().public_key.clone(),
        })
    }

    /// Ledgers of an epoch.
    pub fn epoch(&self) -> Result<NonZeroU32, ConfigError> {
        let ledgers = self.file.network.epoch;
        NonZeroU32::new(ledgers)
            .filter(|_| ledgers >= EPOCH_LEDGERS_MIN)
            .ok_or(ConfigError::Epoch(ledgers))
    }

    /// What the node is started with.
    pub fn node(&self) -> Result<NodeConfig, ConfigError> {
        let network = &self.file.network;
        let start = CloseTime::from_unix(network.start).ok_or(ConfigError::Start(network.start))?;
        let funds: Result<Vec<Fund>, FundError> = network.fund.iter().map(|text| Fund::parse(text)).collect();
        let validators = self
            .members
            .iter()
            .filter(|member| member.part == Part::Validator);
        Ok(NodeConfig {
            funds: funds?,
            validators: Validators::Several {
                keys: validators.map(|member| member.public_key).collect(),
                start,
                epoch: self.epoch()?,
                key_delays: KeyDelays {
                    first_secs: network.key_delay_first,
                    next_secs: network.key_delay_next,
                },
            },
            majority_secs: network.majority,
            email: if network.email {
                EmailAmendment::Enabled
            } else {
                EmailAmendment::Absent
            },
            ..NodeConfig::new(self.folder.join(&self.file.data), network.id)
        })
    }
}

fn member(node: &NodeTable) -> Result<Member, ConfigError> {
    let key = base58::decode::<33>(&[base58::TYPE_NODE_PUBLIC], &node.public_key);
    let key = key.and_then(|bytes| PublicKey::parse(&bytes).ok());
    Ok(Member {
        public_key: key.ok_or_else(|| ConfigError::PublicKey {
            name: node.name.clone(),
            text: node.public_key.clone(),
        })?,
        address: node.peer,
        part: node.part.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with one more line for the node and one for the network.
    fn file(node: &str, network: &str) -> Result<ConfigFile, toml::de::Error> {
        let text = format!(
            "name = \"a\"\ndata = \"data\"\n{node}\nnodes = []\n[network]\nid = 1\nstart = 1_800_000_000\n\
             key_delay_first = 3\nkey_delay_next = 4\nepoch = 900\n{network}\n"
        );
        toml::from_str(&text)
    }

    fn dns(line: &str) -> Result<Vec<String>, toml::de::Error> {
        Ok(file(line, "")?.dns)
    }

    fn rules(network: &str) -> (u32, EmailAmendment) {
        let file = file("", network).expect("a file");
        let config = Config {
            folder: PathBuf::new(),
            members: Vec::new(),
            own: 0,
            file,
        };
        let node = config.node().expect("a node");
        (node.majority_secs, node.email)
    }

    // xahaud's time is five days (SystemParameters.h).
    #[test]
    fn accepts_another_time_of_a_majority_and_a_beginning_without_email() {
        assert_eq!(rules(""), (5 * 86_400, EmailAmendment::Enabled));
        assert_eq!(rules("majority = 60"), (60, EmailAmendment::Enabled));
        assert_eq!(rules("majority = 0\nemail = false"), (0, EmailAmendment::Absent));
        for wrong in ["majority = -1", "majority = \"60\"", "email = 0"] {
            assert!(file("", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn accepts_one_resolver_or_a_list_of_them() {
        assert_eq!(dns("").expect("none"), Vec::<String>::new());
        assert_eq!(dns("dns = \"127.0.0.1:53\"").expect("one"), ["127.0.0.1:53"]);
        let list = dns("dns = [\"::1\", \"tls://9.9.9.9\"]").expect("a list");
        assert_eq!(list, ["::1", "tls://9.9.9.9"]);
        for wrong in ["dns = 53", "dns = [53]", "dns = [[\"::1\"]]"] {
            let refused = dns(wrong).expect_err(wrong).to_string();
            assert!(refused.contains("a list of resolvers in quotes"), "{refused}");
        }
    }
}
