//! The folder of a local network: its nodes' folders, its clock, and the ports of this run.

use crate::clock;
use crate::commands::{Failure, network};
use crate::stage::{NETWORK, is_filled};
use ::network::config::{Config, NetworkTable, PartName};
use ::network::init::{CONFIG_FILE, NewNetwork, write_config};
use node::limits::MAJORITY_SECS_DEFAULT;
use std::fs::{File, TryLockError};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

/// All of it is on this machine.
const HOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// The first port where none is wanted, below those that systems give to whoever asks for any.
const PORT_DEFAULT: u16 = 7_700;
/// Where the search for free ports ends.
const PORT_MAX: u16 = 30_000;

/// Name of the folder with the nodes' folders.
const NODES: &str = "nodes";
/// Name of the clock's file.
const CLOCK: &str = "clock";
/// Name of the file that one process at a time locks.
const LOCK: &str = "localnet.lock";
/// Name of the file, among temporary ones, that is locked while ports are chosen.
const TURN: &str = "xahau-email-ports.lock";

/// What a new network is made of.
pub(crate) struct Plan {
    /// How many nodes vote; of a network that is there already, as many as it has.
    pub validators: Option<usize>,
    /// The first port.
    pub port: Option<u16>,
    /// First payments: WHO=XAH.
    pub funds: Vec<String>,
    /// KEY_DELAY_FIRST, seconds.
    pub key_delay_first: u32,
    /// KEY_DELAY_NEXT, seconds.
    pub key_delay_next: u32,
    /// Ledgers of an epoch.
    pub epoch: u32,
}

/// How many nodes vote where nobody says it.
const VALIDATORS_DEFAULT: usize = 5;

/// One node, as its folder and this run's ports say.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// Its name.
    pub name: String,
    /// Whether it votes.
    pub part: PartName,
    /// Its configuration.
    pub config: PathBuf,
    /// What it says.
    pub log: PathBuf,
    /// Where it listens for the other nodes.
    pub peer: SocketAddr,
    /// Where it listens for clients.
    pub rpc: SocketAddr,
}

/// The folder, while this process has it.
pub(super) struct Home {
    pub places: Vec<Place>,
    pub smtp: SocketAddr,
    pub clock: PathBuf,
    /// Whether the network was there before.
    pub is_resumed: bool,
    /// It is unlocked with the value.
    _lock: File,
}

impl Home {
    /// Opens the network of a folder, or makes one there.
    pub(super) fn open(folder: &Path, plan: &Plan) -> Result<Self, Failure> {
        let nodes = folder.join(NODES);
        let is_resumed = nodes.exists();
        let lock = lock(folder)?;
        if !is_resumed {
            make(&nodes, folder, plan)?;
        }
        let mut configs = configs_of(&nodes)?;
        // Validators first, each kind by its number.
        configs.sort_by_key(|config| {
            let name = &config.file.name;
            (config.own().part == PartName::Follower, name.len(), name.clone())
        });
        let votes = |config: &&Config| config.own().part == PartName::Validator;
        let validators = configs.iter().filter(votes).count();
        if plan.validators.is_some_and(|wanted| wanted != validators) {
            return Err(Failure::Argument(format!(
                "{} holds a network of {validators} validators: leave --validators out to go on with it, or name another \
                 folder",
                folder.display()
            )));
        }
        let port = ports(plan.port, 2 * configs.len() + 1)?;
        let at =
            |offset: usize| SocketAddr::new(HOST, port.saturating_add(u16::try_from(offset).unwrap_or(0)));
        let places = configs.iter().enumerate().map(|(number, config)| Place {
            name: config.file.name.clone(),
            part: config.own().part,
            config: config.folder.join(CONFIG_FILE),
            log: config.folder.join("log"),
            peer: at(2 * number),
            rpc: at(2 * number + 1),
        });
        Ok(Self {
            places: places.collect(),
            smtp: at(2 * configs.len()),
            clock: folder.join(CLOCK),
            is_resumed,
            _lock: lock,
        })
    }

    /// Writes into the configuration of a node where it finds the others, and its DNS server.
    pub(super) fn configure(
        &self,
        node: usize,
        peers: &[SocketAddr],
        dns: SocketAddr,
    ) -> Result<(), Failure> {
        let Some(place) = self.places.get(node) else {
            return Ok(());
        };
        let mut file = Config::read(&place.config)?.file;
        for entry in &mut file.nodes {
            let others = self.places.iter().zip(peers);
            if let Some((other, peer)) = others.into_iter().find(|(other, _)| other.name == entry.name) {
                entry.peer = *peer;
                entry.rpc = other.rpc;
            }
        }
        file.dns = vec![dns.to_string()];
        file.clock = Some(Path::new("..").join("..").join(CLOCK));
        Ok(write_config(&place.config, &file)?)
    }
}

/// Refuses a folder that holds something else.
pub(super) fn check_folder(folder: &Path) -> Result<(), Failure> {
    if is_filled(folder) && !folder.join(LOCK).exists() {
        return Err(Failure::Argument(format!(
            "{} is not empty and holds no local network: name a new folder, or one that an earlier localnet made",
            folder.display()
        )));
    }
    Ok(())
}

/// One process at a time.
fn lock(folder: &Path) -> Result<File, Failure> {
    let file = File::create(folder.join(LOCK))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Failure::Argument(format!(
            "another localnet runs in {}: stop that one first, or name another folder",
            folder.display()
        ))),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

fn make(nodes: &Path, folder: &Path, plan: &Plan) -> Result<(), Failure> {
    let new = NewNetwork {
        out: nodes.to_owned(),
        validators: plan.validators.unwrap_or(VALIDATORS_DEFAULT),
        followers: 1,
        host: HOST,
        port: PORT_DEFAULT,
        network: NetworkTable {
            id: NETWORK,
            start: clock::now_unix(),
            key_delay_first: plan.key_delay_first,
            key_delay_next: plan.key_delay_next,
            epoch: plan.epoch,
            majority: MAJORITY_SECS_DEFAULT,
            email: true,
            fund: plan.funds.clone(),
        },
        dkim_keys: None,
        dns: Vec::new(),
        // Its own DNS signs no zones.
        dnssec: Some("off".to_owned()),
        dns_anchors: None,
        dns_authority: None,
    };
    clock::set_ahead(&folder.join(CLOCK), 0)?;
    network::make(&new)?;
    Ok(())
}

fn configs_of(nodes: &Path) -> Result<Vec<Config>, Failure> {
    let mut configs = Vec::new();
    for entry in std::fs::read_dir(nodes)? {
        let path = entry?.path().join(CONFIG_FILE);
        configs.push(Config::read(&path)?);
    }
    Ok(configs)
}

/// This process's turn to choose ports, until the value is dropped: nobody else chooses them between the search and
/// the time when all of them are listened on. Nothing where the folder of temporary files takes no lock; two networks
/// that start at one time may then want the same ports, and one says so.
pub(super) fn turn() -> Option<File> {
    let path = std::env::temp_dir().join(TURN);
    // Whoever made it owns it; to lock it, reading is enough.
    let file = File::open(&path).or_else(|_| File::create(&path)).ok()?;
    file.lock().ok()?;
    Some(file)
}

/// The first of so many free ports in a row: where they are wanted, or the next that are free.
fn ports(wanted: Option<u16>, count: usize) -> Result<u16, Failure> {
    let count = u16::try_from(count).unwrap_or(u16::MAX);
    if let Some(first) = wanted {
        return match taken(first, count) {
            None => Ok(first),
            Some((address, source)) => Err(Failure::Listen {
                flag: "--port",
                address,
                source,
            }),
        };
    }
    let mut first = PORT_DEFAULT;
    while let Some((address, source)) = taken(first, count) {
        first = address.port().saturating_add(1);
        if first > PORT_MAX {
            return Err(Failure::Listen {
                flag: "--port",
                address,
                source,
            });
        }
    }
    Ok(first)
}

/// The first of these ports on which this process cannot listen.
fn taken(first: u16, count: u16) -> Option<(SocketAddr, std::io::Error)> {
    (0..count).find_map(|offset| {
        let Some(port) = first.checked_add(offset) else {
            let beyond = std::io::Error::other("too few ports are left up to 65535");
            return Some((SocketAddr::new(HOST, first), beyond));
        };
        let address = SocketAddr::new(HOST, port);
        TcpListener::bind(address).err().map(|source| (address, source))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_that_are_taken_are_left_out_or_named() {
        let taken = TcpListener::bind((HOST, 0)).expect("a port");
        let port = taken.local_addr().expect("an address").port();
        assert!(
            matches!(ports(Some(port), 1), Err(Failure::Listen { address, .. }) if address.port() == port)
        );
        assert!(ports(Some(65_535), 2).is_err(), "none is left");
        assert!(ports(None, 11).is_ok());
    }
}
