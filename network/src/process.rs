//! An engine as one process of a network: over TCP, on threads and a runtime of its own.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use codec::LedgerIndex;
use commonware_codec::{Copying, DecodeExt as _};
use commonware_consensus::marshal::max_payload_size;
use commonware_consensus::marshal::standard::Standard;
use commonware_consensus::simplex::scheme::ed25519::Scheme;
use commonware_cryptography::ed25519::{PrivateKey, PublicKey};
use commonware_cryptography::{ChaCha20Poly1305, Signer as _};
use commonware_p2p::authenticated::lookup::{self, Network};
use commonware_p2p::{Address, AddressableManager as _, AddressableTrackedPeers};
use commonware_runtime::{Quota, Runner as _, Supervisor as _, tokio as tokio_runtime};
use commonware_stream::cups::{self, Cups};
use commonware_stream::sake::{self, Sake};
use commonware_utils::ordered::Map;
use commonware_utils::{NZU32, NZUsize};
use ledger::Ledger;
use tokio::sync::watch;

use crate::application::Stopped;
use crate::block::Block;
use crate::engine::{self, Channels, Membership, Part, Parts, VOTES};
use crate::limits::{BLOCKS_PER_SECOND, MESSAGES_PER_SECOND, SUBMISSION_MESSAGES_PER_SECOND, VALIDATORS_MAX};
use crate::machine::{Machine, Talker};
use crate::spread;
use crate::wire::{SUBMISSIONS_BYTES_MAX, WORDS_BYTES_MAX};

/// Name of the folder with the engine's own files within a data folder.
const ENGINE_FOLDER: &str = "engine";

/// Beside the key, it says that the key has voted.
const MARKER: &str = "validator.voted";

/// What the engine's signatures are made for begins so; network and first ledger follow. Shorter than 64 bytes with
/// what the engine appends: what it signs begins with that length, and so with another byte than a transaction, a
/// manifest or an attestation, which the same key might sign.
const NAMESPACE: &[u8] = b"xahau-email";

/// One node of a network, as the others see it.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its key.
    pub public_key: codec::keys::PublicKey,
    /// Where it listens for the others.
    pub address: SocketAddr,
    /// What it does.
    pub part: Part,
}

/// What an engine runs with.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// NetworkID.
    pub network_id: u32,
    /// The ledger that the network starts with.
    pub first: Ledger,
    /// This node's key.
    pub key: codec::keys::KeyPair,
    /// All nodes of the network, this one too.
    pub members: Vec<Member>,
    /// The data folder.
    pub data: PathBuf,
    /// The folder of the key: what says that it has voted goes with it.
    pub key_folder: PathBuf,
}

/// Why an engine does not run.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A key is of another kind.
    #[error("the key {0} is no ed25519 key: validators sign with ed25519")]
    Key(String),
    /// This node is none of the network's.
    #[error("the key of this node, {0}, is none of those that the configuration lists")]
    NotListed(String),
    /// Too many or no validators, or a key twice.
    #[error(
        "a network has 1 to {VALIDATORS_MAX} validators and each key once; the configuration lists {0} keys"
    )]
    Members(usize),
    /// The folder cannot be used.
    #[error("cannot use the folder {path}: {source}; check its owner, its mode and the free space", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The port is taken, or not for this user.
    #[error(
        "cannot listen on {address} for the other nodes: {source}. Is another program there? 'peer' says where"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The key has signed votes that this folder does not know of.
    #[error(
        "the key of this validator has voted, and the record of its votes is gone from {folder}: with it, this node could \
         vote twice and split the network. Put the folder back as it was when the node was stopped last, not an older copy. \
         If it is lost, make a new key and have the network list it instead; meanwhile this node can go along without a \
         vote (part = \"follower\"). If this key never voted, remove {marker}",
        folder = folder.display(), marker = marker.display()
    )]
    VotesGone {
        /// Where the record should be.
        folder: PathBuf,
        /// What says that the key has voted.
        marker: PathBuf,
    },
    /// The node takes part no more.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// The system gives no thread.
    #[error("cannot start a thread: {0}; raise the limit of processes (ulimit -u), or end other programs")]
    Thread(std::io::Error),
    /// The engine broke.
    #[error("the engine failed: {0}. What is validated is on disk; start the node again")]
    Failed(String),
}

/// Refuse a key that has voted where the record of its votes is gone, and note that it votes from now on.
fn guard_votes(data: &Path, key_folder: &Path) -> Result<(), EngineError> {
    let (folder, marker) = (data.join(ENGINE_FOLDER), key_folder.join(MARKER));
    let wrong = |source| EngineError::Folder {
        path: key_folder.to_owned(),
        source,
    };
    let has_votes = match std::fs::read_dir(&folder) {
        Ok(entries) => entries
            .filter_map(Result::ok)
            .any(|entry| entry.file_name().to_string_lossy().starts_with(VOTES)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(source) => return Err(EngineError::Folder { path: folder, source }),
    };
    match (marker.exists(), has_votes) {
        (true, true) => Ok(()),
        (true, false) => Err(EngineError::VotesGone { folder, marker }),
        (false, _) => std::fs::File::create(&marker)
            .and_then(|file| file.sync_all())
            .and_then(|()| std::fs::File::open(key_folder)?.sync_all())
            .map_err(wrong),
    }
}

/// Run an engine on a thread of its own until `stop` says true. The receiver tells its end.
pub fn start<M: Machine + Talker>(
    config: &EngineConfig,
    machine: Arc<M>,
    stop: watch::Receiver<bool>,
) -> Result<tokio::sync::oneshot::Receiver<Result<(), EngineError>>, EngineError> {
    let setup = Setup::of(config)?;
    // The engine would panic; and a key that never voted must not look as if it had.
    drop(
        TcpListener::bind(setup.listen).map_err(|source| EngineError::Listen {
            address: setup.listen,
            source,
        })?,
    );
    if setup.membership.part == Part::Validator {
        guard_votes(&config.data, &config.key_folder)?;
    }
    let (ended, end) = tokio::sync::oneshot::channel();
    let run = move || {
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| setup.run(machine, stop)));
        let result = caught.unwrap_or_else(|panic| Err(EngineError::Failed(message_of(panic.as_ref()))));
        // Where nobody waits, the process ends anyway.
        let _ = ended.send(result);
    };
    std::thread::Builder::new()
        .name("engine".to_owned())
        .spawn(run)
        .map_err(EngineError::Thread)?;
    Ok(end)
}

fn message_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it panicked".to_owned())
}

/// A configuration in the engine's own types.
struct Setup {
    membership: Membership,
    first: (Block, LedgerIndex),
    listen: SocketAddr,
    primary: Map<PublicKey, Address>,
    secondary: Map<PublicKey, Address>,
    storage: PathBuf,
}

impl Setup {
    fn of(config: &EngineConfig) -> Result<Self, EngineError> {
        let text = |key: &codec::keys::PublicKey| {
            codec::base58::encode(&[codec::base58::TYPE_NODE_PUBLIC], key.as_bytes())
        };
        let key = secret_of(&config.key).ok_or_else(|| EngineError::Key(text(&config.key.public_key())))?;
        let me = key.public_key();
        let (mut primary, mut secondary) = (Vec::new(), Vec::new());
        let (mut keys, mut own) = (BTreeSet::new(), None);
        for member in &config.members {
            let peer =
                key_of(&member.public_key).ok_or_else(|| EngineError::Key(text(&member.public_key)))?;
            let group = match member.part {
                Part::Validator => &mut primary,
                Part::Follower => &mut secondary,
            };
            group.push((peer.clone(), Address::from(member.address)));
            if peer == me {
                own = Some(member.clone());
            }
            keys.insert(peer);
        }
        let own = own.ok_or_else(|| EngineError::NotListed(text(&config.key.public_key())))?;
        let count = config.members.len();
        if !(1..=VALIDATORS_MAX).contains(&primary.len()) || keys.len() != count {
            return Err(EngineError::Members(count));
        }
        let namespace = [
            NAMESPACE,
            &config.network_id.to_be_bytes(),
            config.first.hash().as_bytes(),
        ]
        .concat();
        let primary = Map::from_iter_dedup(primary);
        Ok(Self {
            membership: Membership {
                key,
                validators: primary.keys().clone(),
                part: own.part,
                namespace,
            },
            first: (Block::first(&config.first), config.first.index()),
            listen: own.address,
            primary,
            secondary: Map::from_iter_dedup(secondary),
            storage: config.data.join(ENGINE_FOLDER),
        })
    }

    fn run<M: Machine + Talker>(
        self,
        machine: Arc<M>,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), EngineError> {
        let runtime = tokio_runtime::Config::new()
            .with_worker_threads(2)
            .with_tcp_nodelay(Some(true))
            .with_storage_directory(self.storage.clone());
        tokio_runtime::Runner::new(runtime).start(|context| async move {
            let (mut network, mut oracle) = Network::new(context.child("network"), self.p2p());
            oracle.track(
                0,
                AddressableTrackedPeers::new(self.primary.clone(), self.secondary.clone()),
            );
            let messages = Quota::per_second(NZU32!(MESSAGES_PER_SECOND));
            let mut channel = |number, quota| network.register(number, quota);
            let channels = Channels {
                votes: channel(0, messages),
                certificates: channel(1, messages),
                resolver: channel(2, messages),
                blocks: channel(3, Quota::per_second(NZU32!(BLOCKS_PER_SECOND))),
                backfill: channel(4, messages),
            };
            let words = channel(5, Quota::per_second(NZU32!(BLOCKS_PER_SECOND)));
            let submissions = channel(6, Quota::per_second(NZU32!(SUBMISSION_MESSAGES_PER_SECOND)));
            let network = network.start();
            spread::start(&context, &machine, words, submissions);
            let engine = engine::run(
                context.child("engine"),
                Parts {
                    machine,
                    first: self.first,
                    membership: self.membership,
                    peers: oracle.clone(),
                    blocker: oracle,
                    channels,
                    partition: String::new(),
                },
            );
            tokio::select! {
                ended = engine => match ended {
                    Ok(()) => Err(EngineError::Failed("a part of it has ended".to_owned())),
                    Err(stopped) => Err(stopped.into()),
                },
                _ = network => Err(EngineError::Failed("its network has ended".to_owned())),
                _ = stop.wait_for(|stop| *stop) => Ok(()),
            }
        })
    }

    /// The network: only listed peers, at any address that they are listed with.
    fn p2p(&self) -> lookup::Config<Cups<Sake<PrivateKey>, ChaCha20Poly1305>> {
        let peers = self.primary.len() + self.secondary.len();
        let validators = u32::try_from(self.primary.len()).unwrap_or(u32::MAX);
        let largest = max_payload_size::<Standard<Block>, Scheme>(validators, &())
            .max(SUBMISSIONS_BYTES_MAX)
            .max(WORDS_BYTES_MAX);
        let config = lookup::Config::recommended(
            Cups::new(
                Sake {
                    signer: self.membership.key.clone(),
                    synchrony_bound: Duration::from_secs(5),
                    max_handshake_age: Duration::from_secs(10),
                    version: sake::Version::V1,
                },
                cups::Version::V1,
            ),
            &self.membership.namespace,
            self.listen,
            NonZeroUsize::new(peers).unwrap_or(NonZeroUsize::MIN),
            u32::try_from(largest).unwrap_or(u32::MAX),
            NZUsize!(1_024),
        );
        lookup::Config {
            allow_private_ips: true,
            allow_dns: false,
            tracked_peer_sets: NZUsize!(1),
            // A node that was started again is back at once; several may share an address.
            peer_connection_cooldown: Duration::from_secs(1),
            allowed_handshake_rate_per_ip: Quota::per_second(NonZeroU32::MIN.saturating_add(15)),
            ping_frequency: Duration::from_secs(10),
            block_duration: Duration::from_secs(600),
            ..config
        }
    }
}

/// A ledger's key as the engine has it.
fn secret_of(key: &codec::keys::KeyPair) -> Option<PrivateKey> {
    PrivateKey::decode(Copying(&key.ed25519_secret()?)).ok()
}

fn key_of(key: &codec::keys::PublicKey) -> Option<PublicKey> {
    match key.as_bytes() {
        [0xED, point @ ..] => PublicKey::decode(Copying(point)).ok(),
        _ => None,
    }
}
