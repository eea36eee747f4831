//! Where the other nodes are: as the configuration says, also after it was read again.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::authenticated::lookup::Oracle;
use commonware_p2p::{Address, AddressableManager as _, AddressableTrackedPeers};
use commonware_utils::ordered::{Map, Set};
use tokio::sync::watch;

use crate::epochs::engine_key;
use crate::membership::Track;

/// What a node is in the first ledger of its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// One of its validators.
    Validator,
    /// None of them. It may become one.
    Follower,
}

/// One node of a network, as the others see it.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its key.
    pub public_key: codec::keys::PublicKey,
    /// Where it listens for the others.
    pub address: SocketAddr,
    /// What it is in the first ledger.
    pub part: Part,
}

/// A node's key, as xahaud writes it.
#[must_use]
pub fn key_text(key: &codec::keys::PublicKey) -> String {
    codec::base58::encode(&[codec::base58::TYPE_NODE_PUBLIC], key.as_bytes())
}

/// The addresses of nodes, by their keys; a key that is of another kind than the engine's, as text.
pub(crate) fn addresses(members: &[Member]) -> Result<BTreeMap<PublicKey, SocketAddr>, String> {
    let members = members.iter().map(|member| {
        let key = engine_key(&member.public_key).ok_or_else(|| key_text(&member.public_key))?;
        Ok((key, member.address))
    });
    members.collect()
}

/// What the network goes by. Cheap to clone: all clones are the same.
#[derive(Clone)]
pub(crate) struct Peers(Arc<Mutex<Tracked>>);

struct Tracked {
    oracle: Oracle<PublicKey>,
    peers: BTreeMap<PublicKey, SocketAddr>,
    /// The newest epoch that is known, with its validators.
    last: Option<(u64, Set<PublicKey>)>,
    /// How often the network was told. It takes nothing with a number that it has had.
    told: u64,
}

impl Peers {
    /// With the addresses of the start. The network hears of them with the first epoch.
    pub(crate) fn new(oracle: Oracle<PublicKey>, peers: BTreeMap<PublicKey, SocketAddr>) -> Self {
        Self(Arc::new(Mutex::new(Tracked {
            oracle,
            peers,
            last: None,
            told: 0,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Tracked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the network the validators of an epoch before it begins: nodes dial them, and take blocks from them. The
    /// other nodes dial by themselves.
    pub(crate) fn track(&self) -> Track {
        let peers = self.clone();
        Box::new(move |epoch, validators| {
            let mut tracked = peers.lock();
            if tracked.last.as_ref().is_none_or(|(last, _)| epoch > *last) {
                tracked.last = Some((epoch, validators.clone()));
                tracked.tell();
            }
        })
    }

    /// Goes by the addresses of a configuration that was read again, as often as one is. Those who are connected at
    /// another address are dialled at the new one.
    pub(crate) async fn follow(self, mut members: watch::Receiver<Vec<Member>>) {
        while members.changed().await.is_ok() {
            let members = members.borrow_and_update().clone();
            // Whoever read it has checked the keys.
            if let Ok(peers) = addresses(&members) {
                let mut tracked = self.lock();
                tracked.peers = peers;
                tracked.tell();
            }
        }
    }
}

impl Tracked {
    fn tell(&mut self) {
        let Some((epoch, validators)) = &self.last else {
            return;
        };
        for key in validators.iter().filter(|key| !self.peers.contains_key(*key)) {
            tracing::warn!(
                epoch,
                %key,
                "a validator of this epoch is none of the nodes in the configuration: add it there"
            );
        }
        let (primary, secondary): (Vec<_>, Vec<_>) = self
            .peers
            .iter()
            .map(|(key, address)| (key.clone(), Address::from(*address)))
            .partition(|(key, _)| validators.position(key).is_some());
        let sets =
            AddressableTrackedPeers::new(Map::from_iter_dedup(primary), Map::from_iter_dedup(secondary));
        self.oracle.track(self.told, sets);
        self.told += 1;
    }
}
