//! An engine as one process of a network: over TCP, on threads and a runtime of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpListener};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use commonware_codec::{Copying, DecodeExt as _};
use commonware_consensus::marshal::max_payload_size;
use commonware_consensus::marshal::standard::Standard;
use commonware_consensus::simplex::scheme::ed25519::Scheme;
use commonware_cryptography::ed25519::{PrivateKey, PublicKey};
use commonware_cryptography::{ChaCha20Poly1305, Digestible as _, Signer as _};
use commonware_p2p::authenticated::lookup::{self, Network};
use commonware_p2p::utils::mux::prefixed;
use commonware_runtime::{Quota, Runner as _, Spawner as _, Supervisor as _, tokio as tokio_runtime};
use commonware_stream::cups::{self, Cups};
use commonware_stream::sake::{self, Sake};
use commonware_utils::{NZU32, NZUsize};
use ledger::Ledger;
use rand_core::CryptoRng;
use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::{oneshot, watch};

use crate::ballots::{Ballots as _, Record, Voted, VotedFile};
use crate::block::Block;
use crate::commits::Stopped;
use crate::engine::{self, Channels, Membership, Parts, Start, Voting};
use crate::epochs::First;
use crate::limits::{
    BLOCKS_PER_SECOND, MESSAGES_PER_SECOND, NODES_ADDED_MAX, PEER_SETS, SNAPSHOT_MESSAGE_BYTES_MAX,
    SNAPSHOT_MESSAGES_PER_SECOND, SUBMISSION_MESSAGES_PER_SECOND, VALIDATORS_MAX,
};
use crate::machine::{Machine, Talker};
use crate::peers::{self, Member, Peers, key_text};
use crate::snapshot::begin::begin;
use crate::snapshot::client::FetchError;
use crate::snapshot::disk::{DiskError, Proofs};
use crate::snapshot::points::Points;
use crate::snapshot::proof::Trust;
use crate::snapshot::serve::{self, Source};
use crate::spread;
use crate::voters::VOTES;
use crate::wire::{SUBMISSIONS_BYTES_MAX, WORDS_BYTES_MAX};

/// Name of the folder with the engine's own files within a data folder.
const ENGINE_FOLDER: &str = "engine";

/// The channel of snapshots; those before it are the engine's and `spread`'s.
pub(crate) const SNAPSHOTS: u64 = 7;

/// Channels of a network.
pub(crate) const CHANNELS: u64 = 8;

/// What the engine's signatures are made for begins so; network and first ledger follow. Shorter than 64 bytes with
/// what the engine appends: what it signs begins with that length, and so with another byte than a transaction, a
/// manifest or an attestation, which the same key might sign.
const NAMESPACE: &[u8] = b"xahau-email";

/// What becomes of a validator that lost the record of its votes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// It does not start.
    Refuse,
    /// It follows until the next epoch begins, and votes from then on.
    Rejoin,
}

/// What an engine runs with.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// NetworkID.
    pub network_id: u32,
    /// The ledger that the network starts with.
    pub first: Ledger,
    /// Ledgers of an epoch.
    pub epoch: NonZeroU32,
    /// Seconds that an amendment needs its majority for.
    pub majority_secs: u32,
    /// This node's key.
    pub key: codec::keys::KeyPair,
    /// Whether it votes.
    pub voting: Voting,
    /// What becomes of it where the record of its votes is gone.
    pub lost: Lost,
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
        "the key of this validator has voted, and the record of its votes is gone: it should be in {folder}. Without it, \
         this node could vote twice and split the network. Put the folder back as it was when the node was stopped last, \
         not an older copy. If it is lost, start the node with --rejoin: it follows until the next epoch begins, after at \
         most {ledgers} ledgers, and votes from then on. If this key never voted, remove {marker}",
        folder = folder.display(), marker = marker.display()
    )]
    VotesGone {
        /// Where the record should be.
        folder: PathBuf,
        /// What says that the key has voted.
        marker: PathBuf,
        /// Ledgers of an epoch.
        ledgers: NonZeroU32,
    },
    /// What says that the key has voted cannot be read or written.
    #[error(
        "cannot use 'validator.voted', which says in which epoch the key has voted, in {folder}: {source}. Check the folder's \
         owner, its mode and the free space; if the file is damaged, restore it from a copy of this node's own folder",
        folder = folder.display()
    )]
    Voted {
        /// The folder of the key.
        folder: PathBuf,
        /// What is wrong.
        source: std::io::Error,
    },
    /// The node takes part no more.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// The system gives no thread.
    #[error("cannot start a thread: {0}; raise the limit of processes (ulimit -u), or end other programs")]
    Thread(std::io::Error),
    /// What is kept of snapshots cannot be used.
    #[error(transparent)]
    Snapshots(#[from] DiskError),
    /// No ledger was fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The engine broke.
    #[error(
        "the engine failed: {0}. What is validated is on disk. Check the free space, the owner and the mode of the folder \
         'engine' in the data folder, then start the node again"
    )]
    Failed(String),
}

/// What remembers in which epoch the key has voted. Refuses a key the record of whose votes is gone, unless its
/// operator knows.
fn ballots(config: &EngineConfig) -> Result<VotedFile, EngineError> {
    let wrong = |source| EngineError::Voted {
        folder: config.key_folder.clone(),
        source,
    };
    let mut file = VotedFile::read(&config.key_folder).map_err(wrong)?;
    let Some(Voted {
        epoch,
        record: Record::Kept,
    }) = file.voted()
    else {
        return Ok(file);
    };
    let folder = config.data.join(ENGINE_FOLDER).join(format!("{VOTES}{epoch}"));
    let has_record = match std::fs::read_dir(&folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(source) => return Err(EngineError::Folder { path: folder, source }),
    };
    match (has_record, config.voting, config.lost) {
        (true, _, _) | (false, Voting::Never, _) => Ok(file),
        (false, Voting::WhereListed, Lost::Refuse) => Err(EngineError::VotesGone {
            folder,
            marker: file.path().to_owned(),
            ledgers: config.epoch,
        }),
        (false, Voting::WhereListed, Lost::Rejoin) => {
            let record = Record::Gone;
            file.note(Voted { epoch, record }).map_err(wrong)?;
            tracing::warn!(
                epoch,
                "this node rejoins: it follows until the next epoch begins, then its key votes again"
            );
            Ok(file)
        }
    }
}

/// Run an engine on a thread of its own until `stop` says true. `members` says who the nodes are now, where the
/// configuration was read again. The receiver that is returned tells the engine's end.
pub fn start<M: Machine + Talker>(
    config: &EngineConfig,
    machine: Arc<M>,
    members: watch::Receiver<Vec<Member>>,
    stop: watch::Receiver<bool>,
) -> Result<tokio::sync::oneshot::Receiver<Result<(), EngineError>>, EngineError> {
    let setup = Setup::of(config)?;
    setup.check_port()?;
    let ballots = ballots(config)?;
    let (ended, end) = tokio::sync::oneshot::channel();
    let run = move || {
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            setup.run(machine, ballots, members, stop)
        }));
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
pub(crate) struct Setup {
    membership: Membership,
    first: First,
    listen: SocketAddr,
    pub(crate) peers: BTreeMap<PublicKey, SocketAddr>,
    pub(crate) storage: PathBuf,
    data: PathBuf,
}

impl Setup {
    pub(crate) fn of(config: &EngineConfig) -> Result<Self, EngineError> {
        let key =
            secret_of(&config.key).ok_or_else(|| EngineError::Key(key_text(&config.key.public_key())))?;
        let peers = peers::addresses(&config.members).map_err(EngineError::Key)?;
        let listen = peers.get(&key.public_key()).copied();
        let listen = listen.ok_or_else(|| EngineError::NotListed(key_text(&config.key.public_key())))?;
        let first = First::of(&config.first, config.epoch.into(), config.majority_secs);
        let count = config.members.len();
        if !(1..=VALIDATORS_MAX).contains(&first.validators.len()) || peers.len() != count {
            return Err(EngineError::Members(count));
        }
        let namespace = [
            NAMESPACE,
            &config.network_id.to_be_bytes(),
            first.block.digest().as_ref(),
        ]
        .concat();
        Ok(Self {
            membership: Membership {
                key,
                voting: config.voting,
                namespace,
            },
            first,
            listen,
            peers,
            storage: config.data.join(ENGINE_FOLDER),
            data: config.data.clone(),
        })
    }

    /// The engine would panic where the port is taken.
    pub(crate) fn check_port(&self) -> Result<(), EngineError> {
        let address = self.listen;
        let listening = TcpListener::bind(address);
        listening
            .map(drop)
            .map_err(|source| EngineError::Listen { address, source })
    }

    /// Who signs: the first validators, as long as no others are proven.
    pub(crate) fn trust(&self) -> Trust {
        Trust::new(self.membership.namespace.clone(), &self.first)
    }

    /// The other nodes.
    pub(crate) fn others(&self) -> BTreeSet<PublicKey> {
        let me = self.membership.key.public_key();
        self.peers.keys().filter(|key| **key != me).cloned().collect()
    }

    fn run<M: Machine + Talker>(
        self,
        machine: Arc<M>,
        ballots: VotedFile,
        members: watch::Receiver<Vec<Member>>,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), EngineError> {
        let runtime = tokio_runtime::Config::new()
            .with_worker_threads(2)
            .with_tcp_nodelay(Some(true))
            .with_storage_directory(self.storage.clone());
        tokio_runtime::Runner::new(runtime).start(|context| async move {
            let (mut network, oracle) = Network::new(context.child("network"), self.p2p());
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
            let snapshots = channel(SNAPSHOTS, Quota::per_second(NZU32!(SNAPSHOT_MESSAGES_PER_SECOND)));
            let network = network.start();
            let peers = Peers::new(oracle.clone(), self.peers.clone());
            spread::start(&context, &machine, words, submissions);
            let (start, points) = self.begin(&mut context.child("begin"), &machine)?;
            let (keeps, kept) = oneshot::channel();
            let (ended, ends) = unbounded_channel();
            let source = Source { kept, ends };
            let of_last = Arc::clone(&machine);
            let last = move || of_last.last().index();
            serve::start(&context, last, points, source, snapshots);
            let track = peers.track();
            context.child("peers").spawn(|_| peers.follow(members));
            let engine = engine::run(
                context.child("engine"),
                Parts {
                    machine,
                    first: self.first,
                    start,
                    membership: self.membership,
                    ballots: Box::new(ballots),
                    peers: oracle.clone(),
                    track,
                    blocker: oracle,
                    channels,
                    partition: String::new(),
                    kept: Some(keeps),
                    ends: Some(ended),
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

    /// Where the engine starts, and what is proven to others; the node's ledgers may begin with a fetched one.
    fn begin<M: Machine>(
        &self,
        rng: &mut impl CryptoRng,
        machine: &Arc<M>,
    ) -> Result<(Start, Points), EngineError> {
        let (proofs, mut trust) = (Proofs::open(&self.data)?, self.trust());
        proofs.read_changes(rng, &mut trust)?;
        let start = match proofs.read_floor()? {
            None => Start::First,
            Some((border, block)) => {
                begin(machine, &self.first, &trust, &border, &block)?;
                Start::At(Box::new(border.certificate().clone()))
            }
        };
        Ok((start, Points::new(trust, Some(proofs))))
    }

    /// The network: only listed peers, at any address that they are listed with.
    pub(crate) fn p2p(&self) -> lookup::Config<Cups<Sake<PrivateKey>, ChaCha20Poly1305>> {
        let validators = u32::try_from(VALIDATORS_MAX).unwrap_or(u32::MAX);
        let largest = prefixed(max_payload_size::<Standard<Block>, Scheme>(validators, &()))
            .max(SUBMISSIONS_BYTES_MAX)
            .max(WORDS_BYTES_MAX)
            .max(SNAPSHOT_MESSAGE_BYTES_MAX);
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
            NonZeroUsize::MIN.saturating_add(self.peers.len() + NODES_ADDED_MAX),
            u32::try_from(largest).unwrap_or(u32::MAX),
            NZUsize!(1_024),
        );
        lookup::Config {
            allow_private_ips: true,
            allow_dns: false,
            tracked_peer_sets: NZUsize!(PEER_SETS),
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
