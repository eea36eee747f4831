//! A node without a ledger fetches one from the nodes of its network, over TCP, before it starts.

use std::path::Path;

use commonware_p2p::authenticated::lookup::Network;
use commonware_p2p::{Address, AddressableManager as _, AddressableTrackedPeers};
use commonware_runtime::{Quota, Runner as _, Supervisor as _, tokio as tokio_runtime};
use commonware_utils::NZU32;
use commonware_utils::ordered::Map;
use ledger::Ledger;

use crate::limits::MESSAGES_PER_SECOND;
use crate::process::{CHANNELS, EngineConfig, EngineError, SNAPSHOTS, Setup};
use crate::snapshot::client::{Client, Found};
use crate::snapshot::disk::{DiskError, Pieces, Proofs};

/// The ledgers of a node begin with the network's first one: forget what an earlier one left.
pub fn begin_with_first(data: &Path) -> Result<(), DiskError> {
    Proofs::open(data)?.remove_floor()?;
    Pieces::remove(data)
}

/// The node has its ledgers: forget the pieces of which the first one was made.
pub fn forget_pieces(data: &Path) -> Result<(), DiskError> {
    Pieces::remove(data)
}

/// Fetch the newest ledger that the other nodes have, whatever time it takes; what proves it is on disk when this
/// returns. `None` for a network so young that its blocks do as well.
pub fn fetch(config: &EngineConfig) -> Result<Option<Ledger>, EngineError> {
    let setup = Setup::of(config)?;
    setup.check_port()?;
    let (pieces, proofs) = (Pieces::open(&config.data)?, Proofs::open(&config.data)?);
    let runtime = tokio_runtime::Config::new()
        .with_worker_threads(2)
        .with_tcp_nodelay(Some(true))
        .with_storage_directory(setup.storage.clone());
    let found = tokio_runtime::Runner::new(runtime).start(|context| async move {
        let (mut network, mut oracle) = Network::new(context.child("network"), setup.p2p());
        let mut snapshots = None;
        for number in 0..CHANNELS {
            // The engine's own channels are there, since peers talk on them; nobody listens yet.
            let channel = network.register(number, Quota::per_second(NZU32!(MESSAGES_PER_SECOND)));
            if number == SNAPSHOTS {
                snapshots = Some(channel);
            }
        }
        let channel = snapshots.ok_or(EngineError::Failed("it has no channel for snapshots".to_owned()))?;
        let all = setup
            .peers
            .iter()
            .map(|(key, address)| (key.clone(), Address::from(*address)));
        oracle.track(
            0,
            AddressableTrackedPeers::new(Map::from_iter_dedup(all), Map::from_iter_dedup([])),
        );
        let _network = network.start();
        let mut trust = setup.trust();
        let mut context = context.child("client");
        proofs.read_changes(&mut context, &mut trust)?;
        let others = setup.others();
        let found = Client::new(context, channel, others, trust, pieces)
            .fetch()
            .await?;
        Ok::<_, EngineError>((found, proofs))
    });
    let (found, proofs) = found?;
    let snapshot = match found {
        Found::Young => return Ok(None),
        Found::Snapshot(snapshot) => *snapshot,
    };
    for change in &snapshot.changes {
        proofs.write_change(change)?;
    }
    proofs.write_floor(&snapshot.border, &snapshot.block)?;
    tracing::info!(
        index = %snapshot.ledger.index(),
        "the ledger was fetched; the node goes on from there");
    Ok(Some(snapshot.ledger))
}
