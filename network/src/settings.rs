//! How the engine's parts are set.

use std::num::{NonZeroU16, NonZeroU64, NonZeroUsize};
use std::time::Duration;

use commonware_broadcast::buffered;
use commonware_consensus::marshal::resolver::p2p as backfill;
use commonware_consensus::marshal::{self, Start};
use commonware_consensus::simplex::config::{Floor, ForwardPolicy, SkipBudget, SkipPolicy};
use commonware_consensus::simplex::elector::RoundRobin;
use commonware_consensus::simplex::scheme::ed25519::Scheme;
use commonware_consensus::simplex::types::{Activity, Context};
use commonware_consensus::types::{Epoch, FixedEpocher, ViewDelta};
use commonware_consensus::{CertifiableAutomaton, Relay, Reporter, simplex};
use commonware_cryptography::ed25519::PublicKey;
use commonware_cryptography::{Digested, Sha256};
use commonware_p2p::{Blocker, Provider};
use commonware_parallel::Sequential;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_storage::archive::immutable;
use commonware_utils::{NZDuration, NZU16, NZU64, NZUsize};

use crate::block::{Block, Digest};
use crate::epochs::Epochs;
use crate::limits::{
    CERTIFICATION_TIMEOUT, COMMITS_MAX, FETCHES_MAX, LEADER_TIMEOUT, RETRY_TIMEOUT, SKIP_TIMEOUT, VIEWS_KEPT,
};

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
/// What is put into a marshal.
pub(crate) type Keeping = marshal::Config<Epochs, FixedEpocher, Sequential, Block, Digested<Block>>;

/// What stands between files and the engine's parts.
pub(crate) fn page_cache() -> CacheRef {
    CacheRef::new(PAGE_BYTES, PAGES)
}

/// How blocks are fetched from other nodes.
pub(crate) fn fetching<P, B>(me: PublicKey, peers: P, blocker: B) -> backfill::Config<PublicKey, P, B>
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
pub(crate) fn broadcasting<P>(me: PublicKey, peers: P) -> buffered::Config<PublicKey, (), P, Sequential>
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
pub(crate) fn keeping(
    epochs: Epochs,
    start: Start<Scheme, Digest, Digested<Block>>,
    partition_prefix: String,
    page_cache: CacheRef,
) -> Keeping {
    marshal::Config {
        epocher: epochs.epocher(),
        provider: epochs,
        start,
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

/// What is voted about: the blocks of one epoch.
pub(crate) struct Ballot {
    /// The epoch.
    pub(crate) epoch: u64,
    /// The block before its first.
    pub(crate) border: Digest,
    /// What the names of the files begin with in which votes are remembered.
    pub(crate) partition: String,
}

/// How votes are cast.
pub(crate) fn voting<A, B>(
    scheme: Scheme,
    namespace: &[u8],
    blocker: B,
    automaton: A,
    ballot: Ballot,
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
        partition: ballot.partition,
        mailbox_size: MAILBOX,
        epoch: Epoch::new(ballot.epoch),
        floor: Floor::Genesis(ballot.border),
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
pub(crate) fn archive<C>(name: String, codec_config: C, page_cache: &CacheRef) -> immutable::Config<C> {
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
