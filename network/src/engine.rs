//! One engine, put together: simplex orders blocks, marshal keeps and fetches them, the machine makes ledgers of
//! them. Generic over runtime and network, so that a simulation runs the same code.

use std::num::{NonZeroU16, NonZeroU64, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use codec::LedgerIndex;
use commonware_broadcast::buffered;
use commonware_consensus::marshal::core::Actor;
use commonware_consensus::marshal::resolver::p2p as backfill;
use commonware_consensus::marshal::standard::Inline;
use commonware_consensus::marshal::{self, Start};
use commonware_consensus::simplex::config::{Floor, ForwardPolicy, SkipBudget, SkipPolicy};
use commonware_consensus::simplex::elector::RoundRobin;
use commonware_consensus::simplex::scheme::ed25519::Scheme;
use commonware_consensus::simplex::types::{Activity, Context};
use commonware_consensus::types::{Epoch, FixedEpocher, ViewDelta};
use commonware_consensus::{CertifiableAutomaton, Relay, Reporter, simplex};
use commonware_cryptography::certificate::{ConstantProvider, Verifier as _};
use commonware_cryptography::ed25519::{PrivateKey, PublicKey};
use commonware_cryptography::{Digested, Digestible as _, Sha256, Signer as _};
use commonware_p2p::{Blocker, Provider, Receiver, Sender};
use commonware_parallel::Sequential;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_runtime::{Clock, Metrics, Spawner, Storage};
use commonware_storage::archive::immutable;
use commonware_utils::{NZDuration, NZU16, NZU64, NZUsize, ordered::Set};
use rand_core::CryptoRng;

use crate::application::{App, Finals, Stopped, commit};
use crate::block::{Block, Digest};
use crate::ledgers::Ledgers;
use crate::limits::{
    CERTIFICATION_TIMEOUT, COMMITS_MAX, FETCHES_MAX, LEADER_TIMEOUT, RETRY_TIMEOUT, SKIP_TIMEOUT, VIEWS_KEPT,
};
use crate::machine::Machine;

/// Messages that wait within the engine.
const MAILBOX: NonZeroUsize = NZUsize!(1_024);
/// Bytes that are read or written at one time.
const BUFFER: NonZeroUsize = NZUsize!(256 * 1024);
/// Bytes of a page of the cache, which with its checksum fills a page of the disk.
const PAGE_BYTES: NonZeroU16 = NZU16!(4_084);
/// Pages of the cache.
const PAGES: NonZeroUsize = NZUsize!(1_024);
/// Items in one section of an archive.
const ITEMS_PER_SECTION: NonZeroU64 = NZU64!(16_384);
/// Places of an archive's table at the start; it grows.
const TABLE_SIZE: u32 = 16_384;
/// Bytes of one file of an archive's values.
const FILE_BYTES: u64 = 256 * 1024 * 1024;
/// Blocks of one peer that are kept until they are asked for.
const BLOCKS_PER_PEER: usize = 16;
/// One epoch: validators change with the network's first ledger alone.
const EPOCH_BLOCKS: NonZeroU64 = NZU64!(1 << 40);

/// What the engine stores lies under names that begin so.
pub(crate) const VOTES: &str = "votes";
const BLOCKS: &str = "blocks";

type Keeping =
    marshal::Config<ConstantProvider<Scheme, Epoch>, FixedEpocher, Sequential, Block, Digested<Block>>;

/// Whose votes count, and whether this node casts one.
#[derive(Debug, Clone)]
pub struct Membership {
    /// This node's key.
    pub key: PrivateKey,
    /// The validators.
    pub validators: Set<PublicKey>,
    /// Whether it votes.
    pub part: Part,
    /// What signatures are made for: one network.
    pub namespace: Vec<u8>,
}

/// What a node does in a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// It proposes and votes.
    Validator,
    /// It goes along.
    Follower,
}

impl Membership {
    /// The scheme of votes; one without a key where this node has none to cast.
    fn scheme(&self) -> Scheme {
        let signer = match self.part {
            Part::Validator => Scheme::signer(&self.namespace, self.validators.clone(), self.key.clone()),
            Part::Follower => None,
        };
        signer.unwrap_or_else(|| Scheme::verifier(&self.namespace, self.validators.clone()))
    }
}

/// The engine's channels.
pub struct Channels<S, R> {
    /// Votes.
    pub votes: (S, R),
    /// Certificates.
    pub certificates: (S, R),
    /// Certificates that a node asks for.
    pub resolver: (S, R),
    /// Proposed blocks.
    pub blocks: (S, R),
    /// Blocks that a node asks for.
    pub backfill: (S, R),
}

/// What an engine is put together of.
pub struct Parts<M, P, B, S, R> {
    /// What makes ledgers.
    pub machine: Arc<M>,
    /// The first block, and the index of the ledger that it stands for.
    pub first: (Block, LedgerIndex),
    /// Whose votes count.
    pub membership: Membership,
    /// Tells the nodes of the network.
    pub peers: P,
    /// Shuts out a node that breaks the rules.
    pub blocker: B,
    /// How nodes talk.
    pub channels: Channels<S, R>,
    /// What the names of its files begin with: empty where they have a disk of their own.
    pub partition: String,
}

/// Run an engine until it ends, or until this node's ledger is not the network's.
pub async fn run<E, M, P, B, S, R>(context: E, parts: Parts<M, P, B, S, R>) -> Result<(), Stopped>
where
    E: Spawner + Metrics + Clock + CryptoRng + Storage,
    M: Machine,
    P: Provider<PublicKey = PublicKey>,
    B: Blocker<PublicKey = PublicKey>,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
{
    let (block, index) = parts.first;
    let ledgers = Ledgers::new(parts.machine, index);
    let genesis = Digested::compute(block, &Sequential).await;
    let digest = genesis.digest();
    let (scheme, me) = (parts.membership.scheme(), parts.membership.key.public_key());
    let page_cache = CacheRef::new(PAGE_BYTES, PAGES);
    let at = |name: &str| format!("{}{name}", parts.partition);
    let Channels {
        votes,
        certificates,
        resolver,
        blocks,
        backfill,
    } = parts.channels;
    let fetched = backfill::init(
        context.child("backfill"),
        fetching(me.clone(), parts.peers.clone(), parts.blocker.clone()),
        backfill,
    );
    let (broadcast, buffer) =
        buffered::Engine::new(context.child("broadcast"), broadcasting(me, parts.peers));
    let broadcast = broadcast.start(blocks);
    let certificates_kept = archive(
        at("finalizations"),
        Scheme::certificate_codec_config_unbounded(),
        &page_cache,
    );
    let finalizations = immutable::Archive::init(context.child("finalizations"), certificates_kept).await;
    let blocks =
        immutable::Archive::init(context.child("blocks"), archive(at("blocks"), (), &page_cache)).await;
    let (marshal, mailbox, _) = Actor::init(
        context.child("marshal"),
        finalizations.expect("the engine's disk answers"),
        blocks.expect("the engine's disk answers"),
        keeping(scheme.clone(), at(BLOCKS), genesis, page_cache.clone()),
    )
    .await;
    let (finals, to_commit) = tokio::sync::mpsc::unbounded_channel();
    let (of_commits, kept) = (ledgers.clone(), mailbox.clone());
    let mut committing = context
        .child("commits")
        .dedicated()
        .spawn(move |clock| commit(clock, of_commits, to_commit, kept));
    let marshal = marshal.start(Finals::new(finals), buffer, fetched);
    let epocher = FixedEpocher::new(EPOCH_BLOCKS);
    let automaton = Inline::new(context.child("application"), App::new(ledgers), mailbox, epocher);
    let of_votes = (digest, at(VOTES));
    let voting = voting(
        scheme,
        &parts.membership.namespace,
        parts.blocker,
        automaton,
        of_votes,
        page_cache,
    );
    let simplex = simplex::Engine::new(context.child("simplex"), voting);
    let simplex = simplex.start(votes, certificates, resolver);
    tokio::select! {
        biased;
        ended = &mut committing => ended.unwrap_or(Ok(())),
        // It ends where a ledger is not taken; why, the other task says.
        _ = marshal => committing.await.unwrap_or(Ok(())),
        _ = simplex => Ok(()),
        _ = broadcast => Ok(()),
    }
}

/// How blocks are fetched from other nodes.
fn fetching<P, B>(me: PublicKey, peers: P, blocker: B) -> backfill::Config<PublicKey, P, B>
where
    P: Provider<PublicKey = PublicKey>,
    B: Blocker<PublicKey = PublicKey>,
{
    backfill::Config {
        public_key: me,
        peer_provider: peers,
        blocker,
        mailbox_size: MAILBOX,
        fetch_timeout: NZDuration!(Duration::from_secs(2)),
        fetch_retry_delay: Duration::from_millis(100),
        priority_requests: false,
        priority_responses: false,
    }
}

/// How proposed blocks are told.
fn broadcasting<P>(me: PublicKey, peers: P) -> buffered::Config<PublicKey, (), P, Sequential>
where
    P: Provider<PublicKey = PublicKey>,
{
    buffered::Config {
        public_key: me,
        mailbox_size: MAILBOX,
        deque_size: BLOCKS_PER_PEER,
        priority: false,
        codec_config: (),
        peer_provider: peers,
        strategy: Sequential,
    }
}

/// How blocks and certificates are kept.
fn keeping(
    scheme: Scheme,
    partition_prefix: String,
    genesis: Digested<Block>,
    page_cache: CacheRef,
) -> Keeping {
    marshal::Config {
        provider: ConstantProvider::new(scheme),
        epocher: FixedEpocher::new(EPOCH_BLOCKS),
        start: Start::Genesis(genesis),
        partition_prefix,
        mailbox_size: MAILBOX,
        view_retention: ViewDelta::new(VIEWS_KEPT),
        prunable_items_per_section: ITEMS_PER_SECTION,
        page_cache,
        replay_buffer: BUFFER,
        key_write_buffer: BUFFER,
        value_write_buffer: BUFFER,
        block_codec_config: (),
        max_repair: NZUsize!(FETCHES_MAX),
        max_pending_acks: NZUsize!(COMMITS_MAX),
        strategy: Sequential,
    }
}

/// How votes are cast.
fn voting<A, B>(
    scheme: Scheme,
    namespace: &[u8],
    blocker: B,
    automaton: A,
    floor: (Digest, String),
    page_cache: CacheRef,
) -> simplex::config::Config<Scheme, RoundRobin<Sha256>, B, Digest, A, A, A, Sequential>
where
    A: CertifiableAutomaton<Context = Context<Digest, PublicKey>>
        + Relay
        + Reporter<Activity = Activity<Scheme, Digest>>,
    B: Blocker<PublicKey = PublicKey>,
{
    simplex::config::Config {
        scheme,
        elector: RoundRobin::<Sha256>::shuffled(namespace),
        blocker,
        automaton: automaton.clone(),
        relay: automaton.clone(),
        reporter: automaton,
        track_historical_votes: false,
        strategy: Sequential,
        partition: floor.1,
        mailbox_size: MAILBOX,
        epoch: Epoch::zero(),
        floor: Floor::Genesis(floor.0),
        replay_buffer: BUFFER,
        write_buffer: BUFFER,
        page_cache,
        leader_timeout: LEADER_TIMEOUT,
        certification_timeout: CERTIFICATION_TIMEOUT,
        timeout_retry: RETRY_TIMEOUT,
        view_retention: ViewDelta::new(VIEWS_KEPT),
        skip: SkipPolicy::Enabled {
            timeout: SKIP_TIMEOUT,
            budget: SkipBudget::Participants,
        },
        fetch_timeout: NZDuration!(Duration::from_secs(1)),
        fetch_retry_delay: Duration::from_millis(100),
        forward: ForwardPolicy::SilentLeader,
    }
}

/// How an archive lies on disk.
fn archive<C>(name: String, codec_config: C, page_cache: &CacheRef) -> immutable::Config<C> {
    let partition = |part: &str| format!("{name}-{part}");
    immutable::Config {
        metadata_partition: partition("metadata"),
        freezer_table_partition: partition("table"),
        freezer_table_initial_size: TABLE_SIZE,
        freezer_table_resize_frequency: 4,
        freezer_table_resize_chunk_size: TABLE_SIZE,
        freezer_key_partition: partition("keys"),
        freezer_key_page_cache: page_cache.clone(),
        freezer_value_partition: partition("values"),
        freezer_value_target_size: FILE_BYTES,
        freezer_value_compression: None,
        ordinal_partition: partition("ordinal"),
        items_per_section: ITEMS_PER_SECTION,
        codec_config,
        replay_buffer: BUFFER,
        freezer_key_write_buffer: BUFFER,
        freezer_value_write_buffer: BUFFER,
        ordinal_write_buffer: BUFFER,
    }
}
