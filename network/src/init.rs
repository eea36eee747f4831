//! The files of a new network: a folder for each node, with its key and its configuration.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use codec::keys::KeyPair;
use node::validator_key::{self, ValidatorKeyError};

use crate::config::{Config, ConfigFile, NetworkTable, NodeTable, PartName, SyncBy, key_text};

/// Name of the configuration within a node's folder.
pub const CONFIG_FILE: &str = "node.toml";

/// What a new network is made of.
#[derive(Debug, Clone)]
pub struct NewNetwork {
    /// Its folder; there must be none yet.
    pub out: PathBuf,
    /// How many nodes vote.
    pub validators: usize,
    /// How many go along.
    pub followers: usize,
    /// Address of all nodes.
    pub host: IpAddr,
    /// Port of the first node for other nodes; the next is its port for clients; the next node follows.
    pub port: u16,
    /// What the network starts with.
    pub network: NetworkTable,
    /// DKIM keys from a file instead of DNS.
    pub dkim_keys: Option<PathBuf>,
    /// The DNS resolvers to ask instead of the system's.
    pub dns: Vec<String>,
    /// Whether signatures of zones are checked.
    pub dnssec: Option<String>,
    /// DNSKEY records that signatures have to lead to.
    pub dns_anchors: Option<PathBuf>,
    /// Authorities of the certificates of resolvers.
    pub dns_authority: Option<PathBuf>,
}

/// Why no network was made.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// Its folder is there.
    #[error("{path} is there already; name a new folder: a network is made once", path = path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("cannot write {path}: {source}; check the folder's owner, its mode and the free space", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A key cannot be written.
    #[error(transparent)]
    Key(#[from] ValidatorKeyError),
    /// The ports end before the nodes do.
    #[error("{count} nodes from port {port} on need ports beyond 65535; begin lower")]
    Ports {
        /// How many nodes.
        count: usize,
        /// The first port.
        port: u16,
    },
    /// Another node has the name.
    #[error("the configuration has a node '{0}' already; choose another name")]
    Name(String),
    /// No random bytes for a key.
    #[error("cannot read random bytes: {0}")]
    Entropy(std::io::Error),
}

/// Make a network's folder. Answers the configurations, validators first.
pub fn init(
    new: &NewNetwork,
    mut entropy: impl FnMut() -> std::io::Result<[u8; 16]>,
) -> Result<Vec<PathBuf>, InitError> {
    if new.out.exists() {
        return Err(InitError::Exists {
            path: new.out.clone(),
        });
    }
    let mut nodes = Vec::new();
    for (number, name, part) in names(new) {
        let folder = new.out.join(&name);
        ops::private::make_folder(&folder).map_err(|source| InitError::Write {
            path: folder.clone(),
            source,
        })?;
        let key = validator_key::create_in(&folder, entropy().map_err(InitError::Entropy)?)?;
        nodes.push(node_table(new, number, name, part, &key)?);
    }
    nodes
        .iter()
        .map(|node| {
            let path = new.out.join(&node.name).join(CONFIG_FILE);
            write_config(&path, &file_of(new, &node.name, &nodes))?;
            Ok(path)
        })
        .collect()
}

/// A node that is to come into a network.
#[derive(Debug, Clone)]
pub struct Newcomer {
    /// Its folder; there must be none yet.
    pub out: PathBuf,
    /// Its name.
    pub name: String,
    /// Where the other nodes will reach it.
    pub peer: SocketAddr,
    /// Where clients will.
    pub rpc: SocketAddr,
}

/// Make the folder of a node that is to come into the network of `config`. Answers its configuration, and what the
/// other nodes have to have in theirs.
pub fn add(
    config: &Config,
    newcomer: &Newcomer,
    entropy: impl FnOnce() -> std::io::Result<[u8; 16]>,
) -> Result<(PathBuf, NodeTable), InitError> {
    if config.file.nodes.iter().any(|node| node.name == newcomer.name) {
        return Err(InitError::Name(newcomer.name.clone()));
    }
    if newcomer.out.exists() {
        return Err(InitError::Exists {
            path: newcomer.out.clone(),
        });
    }
    let path = newcomer.out.join(CONFIG_FILE);
    let wrong = |source| InitError::Write {
        path: path.clone(),
        source,
    };
    ops::private::make_folder(&newcomer.out).map_err(wrong)?;
    let key = validator_key::create_in(&newcomer.out, entropy().map_err(InitError::Entropy)?)?;
    let node = NodeTable {
        name: newcomer.name.clone(),
        part: PartName::Follower,
        public_key: key_text(&key.public_key()),
        peer: newcomer.peer,
        rpc: newcomer.rpc,
    };
    let absolute = |path: &PathBuf| std::path::absolute(config.folder.join(path));
    let mut file = config.file.clone();
    file.name.clone_from(&newcomer.name);
    file.data = PathBuf::from("data");
    file.vote = true;
    file.http = None;
    let paths = [
        &mut file.dkim_keys,
        &mut file.dns_anchors,
        &mut file.dns_authority,
        &mut file.clock,
    ];
    for path in paths.into_iter().flatten() {
        *path = absolute(path).map_err(wrong)?;
    }
    file.nodes.push(node.clone());
    write_config(&path, &file)?;
    Ok((path, node))
}

fn names(new: &NewNetwork) -> impl Iterator<Item = (usize, String, PartName)> {
    let validators = (1..=new.validators).map(|number| (format!("validator-{number}"), PartName::Validator));
    let followers = (1..=new.followers).map(|number| (format!("follower-{number}"), PartName::Follower));
    let all = validators.chain(followers).enumerate();
    all.map(|(number, (name, part))| (number, name, part))
}

fn node_table(
    new: &NewNetwork,
    number: usize,
    name: String,
    part: PartName,
    key: &KeyPair,
) -> Result<NodeTable, InitError> {
    let port = |offset: usize| {
        let port = usize::from(new.port).saturating_add(number.saturating_mul(2)) + offset;
        u16::try_from(port).map_err(|_| InitError::Ports {
            count: new.validators + new.followers,
            port: new.port,
        })
    };
    Ok(NodeTable {
        name,
        part,
        public_key: key_text(&key.public_key()),
        peer: SocketAddr::new(new.host, port(0)?),
        rpc: SocketAddr::new(new.host, port(1)?),
    })
}

fn file_of(new: &NewNetwork, name: &str, nodes: &[NodeTable]) -> ConfigFile {
    ConfigFile {
        name: name.to_owned(),
        data: PathBuf::from("data"),
        vote: true,
        http: None,
        dkim_keys: new.dkim_keys.clone(),
        dns: new.dns.clone(),
        dnssec: new.dnssec.clone(),
        dns_anchors: new.dns_anchors.clone(),
        dns_authority: new.dns_authority.clone(),
        sync: SyncBy::default(),
        clock: None,
        network: new.network.clone(),
        nodes: nodes.to_vec(),
    }
}

/// Write the configuration of a node.
pub fn write_config(path: &Path, file: &ConfigFile) -> Result<(), InitError> {
    let wrong = |source| InitError::Write {
        path: path.to_owned(),
        source,
    };
    let text = toml::to_string(file)
        .map_err(std::io::Error::other)
        .map_err(wrong)?;
    let head = "# One node of a network. [network] and [[nodes]] are the same in the file of each of its nodes.\n\
                # Its key lies beside this file: a copy of it must never run anywhere else.\n\n";
    std::fs::write(path, format!("{head}{text}")).map_err(wrong)
}
