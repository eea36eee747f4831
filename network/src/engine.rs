//! One engine, put together: marshal keeps and fetches blocks for the node's whole life, the machine makes ledgers of
//! them, and in each epoch a simplex of its own orders them. Generic over runtime and network, so that a simulation
//! runs the same code.

use std::sync::Arc;

use commonware_broadcast::buffered;
use commonware_consensus::Epochable as _;
use commonware_consensus::marshal;
use commonware_consensus::marshal::core::Actor;
use commonware_consensus::marshal::resolver::p2p as backfill;
use commonware_consensus::simplex::scheme::ed25519::Scheme;
use commonware_consensus::simplex::types::Finalization;
use commonware_cryptography::certificate::Verifier as _;
use commonware_cryptography::ed25519::PublicKey;
use commonware_cryptography::{Digested, Signer as _};
use commonware_p2p::{Blocker, Provider, Receiver, Sender};
use commonware_parallel::Sequential;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_runtime::{Clock, Metrics, Spawner, Storage};
use commonware_storage::archive::immutable;
use rand_core::CryptoRng;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::ballots::Ballots;
use crate::block::{Block, Digest};
use crate::commits::{Commits, EpochEnd, Finals, Stopped};
use crate::epochs::{Epochs, First};
use crate::ledgers::Ledgers;
use crate::machine::Machine;
pub use crate::membership::{Kept, Membership, Track, Voting};
use crate::settings;
use crate::voters::Voters;

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

/// What a node without blocks starts from.
pub enum Start {
    /// The first block.
    First,
    /// A final block that ends an epoch. The machine has its ledger, and knows its epoch and the next one.
    At(Box<Finalization<Scheme, Digest>>),
}

/// What an engine is put together of.
pub struct Parts<M, P, B, S, R> {
    /// What makes ledgers.
    pub machine: Arc<M>,
    /// What the network begins with.
    pub first: First,
    /// What this node starts from, where it has no blocks yet.
    pub start: Start,
    /// Who this node is.
    pub membership: Membership,
    /// What remembers in which epoch its key has voted.
    pub ballots: Box<dyn Ballots>,
    /// Tells the nodes of the network.
    pub peers: P,
    /// Hears the validators of an epoch before it begins, so that they are connected.
    pub track: Track,
    /// Shuts out a node that breaks the rules.
    pub blocker: B,
    /// How nodes talk.
    pub channels: Channels<S, R>,
    /// What the names of its files begin with: empty where they have a disk of their own.
    pub partition: String,
    /// Where what the node keeps can be asked for, as soon as it can.
    pub kept: Option<oneshot::Sender<Kept>>,
    /// Who hears of the last block of each epoch.
    pub ends: Option<UnboundedSender<EpochEnd>>,
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
    let machine = Arc::clone(&parts.machine);
    let epochs = Epochs::new(&parts.membership.namespace, &parts.first, &machine.epochs()?);
    let ledgers = Ledgers::new(machine, parts.first.index);
    let page_cache = settings::page_cache();
    let (finalizations, blocks) = archives(&context, &parts.partition, &page_cache).await?;
    let (turns, heard) = unbounded_channel();
    let commits = Commits {
        clock: context.child("clock"),
        ledgers: ledgers.clone(),
        epochs: epochs.clone(),
        turns,
        ends: parts.ends,
    };
    commits.catch_up(&blocks).await?;
    let epoch = epochs.of(commits.height().saturating_add(1));
    let start = started(&context, &epochs, parts.first.block, parts.start).await?;
    let keeping = settings::keeping(
        epochs.clone(),
        start,
        format!("{}blocks", parts.partition),
        page_cache.clone(),
    );
    let (marshal, kept, _) = Actor::init(context.child("marshal"), finalizations, blocks, keeping).await;
    if let Some(wanted) = parts.kept {
        // Fails where nobody wants it any more.
        let _ = wanted.send(kept.clone());
    }
    let me = parts.membership.key.public_key();
    let fetched = backfill::init(
        context.child("backfill"),
        settings::fetching(me.clone(), parts.peers.clone(), parts.blocker.clone()),
        parts.channels.backfill,
    );
    let broadcasting = settings::broadcasting(me, parts.peers);
    let (broadcast, buffer) = buffered::Engine::new(context.child("broadcast"), broadcasting);
    let broadcast = broadcast.start(parts.channels.blocks);
    let (finals, to_commit) = unbounded_channel();
    let mut committing = context
        .child("commits")
        .dedicated()
        .spawn(move |_| commits.run(to_commit));
    let marshal = marshal.start(Finals::new(finals), buffer, fetched);
    let voters = Voters {
        context: context.child("voters"),
        ledgers,
        epochs,
        kept,
        membership: parts.membership,
        ballots: parts.ballots,
        track: parts.track,
        blocker: parts.blocker,
        page_cache,
        partition: parts.partition,
    };
    let votes = parts.channels.votes;
    let voting = voters.run(
        epoch,
        heard,
        votes,
        parts.channels.certificates,
        parts.channels.resolver,
    );
    tokio::select! {
        biased;
        ended = &mut committing => ended.unwrap_or(Ok(())),
        // It ends where a ledger is not taken; why, the other task says.
        _ = marshal => committing.await.unwrap_or(Ok(())),
        ended = voting => ended,
        _ = broadcast => Ok(()),
    }
}

type Archive<E, V> = immutable::Archive<E, Digest, V>;

/// What the engine keeps for good: certificates and blocks, by height.
async fn archives<E: Spawner + Metrics + Clock + Storage>(
    context: &E,
    partition: &str,
    page_cache: &CacheRef,
) -> Result<(Archive<E, Finalization<Scheme, Digest>>, Archive<E, Arc<Block>>), Stopped> {
    let wrong = |error: commonware_storage::archive::Error| Stopped::Files(error.to_string());
    let certificates = settings::archive(
        format!("{partition}finalizations"),
        Scheme::certificate_codec_config_unbounded(),
        page_cache,
    );
    let certificates = immutable::Archive::init(context.child("finalizations"), certificates).await;
    let blocks = settings::archive(format!("{partition}blocks"), (), page_cache);
    let blocks = immutable::Archive::init(context.child("blocks"), blocks).await;
    Ok((certificates.map_err(wrong)?, blocks.map_err(wrong)?))
}

/// Where the engine starts from. It takes for granted that what it is given is final.
async fn started<E: Metrics + CryptoRng>(
    context: &E,
    epochs: &Epochs,
    first: Block,
    start: Start,
) -> Result<marshal::Start<Scheme, Digest, Digested<Block>>, Stopped> {
    let floor = match start {
        Start::First => {
            return Ok(marshal::Start::Genesis(
                Digested::compute(first, &Sequential).await,
            ));
        }
        Start::At(floor) => *floor,
    };
    let epoch = floor.epoch().get();
    let known = epochs.get(epoch).ok_or(Stopped::UnknownEpoch { epoch })?;
    let verifier = known.validators.verifier.as_ref();
    if floor.verify(&mut context.child("floor"), verifier, &Sequential) {
        Ok(marshal::Start::Floor(floor))
    } else {
        Err(Stopped::Floor { epoch })
    }
}
