//! Who orders the blocks of which epoch.
//!
//! An epoch begins after the last block of the one before, the border. That block bears the hash of the ledger
//! before its own, whose list of validators is that of the new epoch: so the old validators sign who the new ones
//! are. Spec: 15.4

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use codec::keys::PublicKey as NodeKey;
use codec::{Hash256, LedgerIndex};
use commonware_codec::{Copying, DecodeExt as _};
use commonware_consensus::simplex::scheme::ed25519::Scheme;
use commonware_consensus::types::{Epoch, Epocher as _, FixedEpocher, Height};
use commonware_cryptography::certificate::{self, Scoped};
use commonware_cryptography::ed25519::PublicKey;
use commonware_cryptography::{Digestible as _, sha256};
use commonware_utils::ordered::Set;
use ledger::Ledger;

use crate::block::{Block, Digest};
use crate::limits::VALIDATORS_MAX;

/// What a network begins with.
#[derive(Debug, Clone)]
pub struct First {
    /// The first block.
    pub block: Block,
    /// The ledger that it stands for.
    pub index: LedgerIndex,
    /// Blocks of an epoch.
    pub epoch: NonZeroU64,
    /// Who orders the blocks of epoch 0.
    pub validators: Vec<NodeKey>,
}

impl First {
    /// Of a network that begins with this ledger, has so many blocks in an epoch, and enables an amendment when its
    /// majority has lasted for so long.
    #[must_use]
    pub fn of(ledger: &Ledger, epoch: NonZeroU64, majority_secs: u32) -> Self {
        Self {
            block: Block::first(ledger, epoch, majority_secs),
            index: ledger.index(),
            epoch,
            validators: ledger::dkim::validators(ledger),
        }
    }
}

/// What an epoch begins with. A node has it on disk before it enters the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochStart {
    /// Its number.
    pub epoch: u64,
    /// The block before its first.
    pub border: Hash256,
    /// Who orders its blocks, ascending.
    pub validators: Vec<NodeKey>,
}

impl EpochStart {
    /// Its bytes: the border, then the keys of validators, 33 bytes each.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let keys = self.validators.iter().flat_map(|key| *key.as_bytes());
        self.border.as_bytes().iter().copied().chain(keys).collect()
    }

    /// Read the bytes of an epoch.
    #[must_use]
    pub fn decode(epoch: u64, bytes: &[u8]) -> Option<Self> {
        let (border, keys) = bytes.split_first_chunk::<32>()?;
        let (keys, rest) = keys.as_chunks::<33>();
        let validators: Option<Vec<NodeKey>> = keys.iter().map(|key| NodeKey::parse(key).ok()).collect();
        Some(Self {
            epoch,
            border: Hash256::new(*border),
            validators: validators.filter(|keys| keys.len() <= VALIDATORS_MAX)?,
        })
        .filter(|_| rest.is_empty())
    }
}

/// A node's key as the engine has it; `None` for keys of another kind, which sign no blocks.
pub(crate) fn engine_key(key: &NodeKey) -> Option<PublicKey> {
    match key.as_bytes() {
        [0xED, point @ ..] => PublicKey::decode(Copying(point)).ok(),
        _ => None,
    }
}

/// The validators of one or several epochs.
#[derive(Debug)]
pub(crate) struct Validators {
    listed: Vec<NodeKey>,
    pub(crate) keys: Set<PublicKey>,
    /// It verifies votes and casts none.
    pub(crate) verifier: Arc<Scheme>,
}

#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) border: Digest,
    pub(crate) validators: Arc<Validators>,
}

/// All epochs that a node has come to. Cheap to clone: all clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Epochs {
    namespace: Arc<[u8]>,
    blocks: NonZeroU64,
    known: Arc<Mutex<BTreeMap<u64, Known>>>,
}

impl Epochs {
    /// Those that a node remembers; the first one of a network every node knows.
    pub(crate) fn new(namespace: &[u8], first: &First, remembered: &[EpochStart]) -> Self {
        let epochs = Self {
            namespace: namespace.into(),
            blocks: first.epoch,
            known: Arc::default(),
        };
        epochs.insert(&EpochStart {
            epoch: 0,
            border: Hash256::new(first.block.digest().0),
            validators: first.validators.clone(),
        });
        remembered.iter().for_each(|start| epochs.insert(start));
        epochs
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An epoch begins.
    pub(crate) fn insert(&self, start: &EpochStart) {
        let mut known = self.lock();
        // Validators change rarely: epochs that have the same share them.
        let before = known.range(..start.epoch).next_back();
        let same = before.filter(|(_, before)| before.validators.listed == start.validators);
        let validators = match same {
            Some((_, before)) => Arc::clone(&before.validators),
            None => {
                let keys = Set::from_iter_dedup(start.validators.iter().filter_map(engine_key));
                Arc::new(Validators {
                    listed: start.validators.clone(),
                    verifier: Arc::new(Scheme::verifier(&self.namespace, keys.clone())),
                    keys,
                })
            }
        };
        let border = sha256::Digest(*start.border.as_bytes());
        known.insert(start.epoch, Known { border, validators });
    }

    pub(crate) fn get(&self, epoch: u64) -> Option<Known> {
        self.lock().get(&epoch).cloned()
    }

    pub(crate) fn epocher(&self) -> FixedEpocher {
        FixedEpocher::new(self.blocks)
    }

    /// The epoch of a block.
    pub(crate) fn of(&self, height: u64) -> u64 {
        height / self.blocks
    }

    /// The last block of an epoch.
    pub(crate) fn border(&self, epoch: u64) -> Height {
        let last = self.epocher().last(Epoch::new(epoch));
        last.unwrap_or_else(|| Height::new(u64::MAX))
    }
}

impl certificate::Provider for Epochs {
    type Scope = Epoch;
    type Scheme = Scheme;

    fn scoped(&self, epoch: Epoch) -> Option<Scoped<Scheme>> {
        let known = self.get(epoch.get())?;
        Some(Scoped::verifier(Arc::clone(&known.validators.verifier)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::CloseTime;
    use codec::keys::KeyPair;
    use commonware_cryptography::certificate::Provider as _;

    fn start(epoch: u64, validators: &[u8]) -> EpochStart {
        let mut keys: Vec<NodeKey> = validators
            .iter()
            .map(|seed| KeyPair::ed25519([*seed; 16]).public_key())
            .collect();
        keys.sort_by_key(|key| *key.as_bytes());
        EpochStart {
            epoch,
            border: Hash256::new([7; 32]),
            validators: keys,
        }
    }

    fn epochs() -> Epochs {
        let EpochStart { validators, .. } = start(0, &[1, 2, 3, 4]);
        let first = First {
            block: Block {
                parent: sha256::Digest([0; 32]),
                height: 0,
                close_time: CloseTime::new(1),
                parent_ledger: Hash256::ZERO,
                transactions: Vec::new(),
            },
            index: LedgerIndex::new(2),
            epoch: NonZeroU64::new(10).expect("not zero"),
            validators,
        };
        Epochs::new(
            b"test",
            &first,
            &[start(1, &[1, 2, 3, 4]), start(2, &[1, 2, 3, 5])],
        )
    }

    #[test]
    fn accepts_its_own_bytes_and_rejects_them_cut_longer_or_with_too_many_keys() {
        let begun = start(7, &[1, 2, 3]);
        let bytes = begun.encode();
        assert_eq!(EpochStart::decode(7, &bytes), Some(begun));
        for cut in (0..bytes.len()).filter(|cut| *cut < 32 || (cut - 32) % 33 != 0) {
            assert_eq!(EpochStart::decode(7, &bytes[..cut]), None, "{cut}");
        }
        assert_eq!(EpochStart::decode(7, &[&bytes[..], &[0]].concat()), None);
        let many = bytes[32..65].repeat(VALIDATORS_MAX + 1);
        assert_eq!(EpochStart::decode(7, &[&bytes[..32], &many].concat()), None);
    }

    #[test]
    fn accepts_certificates_of_epochs_that_are_known_alone() {
        let epochs = epochs();
        assert!((0..3).all(|epoch| epochs.scoped(Epoch::new(epoch)).is_some()));
        assert!(epochs.scoped(Epoch::new(3)).is_none());
        let keys = |epoch| epochs.get(epoch).expect("known").validators;
        assert!(
            Arc::ptr_eq(&keys(0), &keys(1)),
            "the same validators are kept once"
        );
        assert_eq!(keys(2).keys.len(), 4);
        assert!(
            keys(2)
                .keys
                .position(&engine_key(&KeyPair::ed25519([5; 16]).public_key()).expect("a key"))
                .is_some()
        );
    }

    #[test]
    fn an_epoch_has_as_many_blocks_as_the_network_says_and_the_first_begins_with_the_first_block() {
        let epochs = epochs();
        assert_eq!(
            [0, 9, 10, 19, 20].map(|height| epochs.of(height)),
            [0, 0, 1, 1, 2]
        );
        assert_eq!([0, 1, 2].map(|epoch| epochs.border(epoch).get()), [9, 19, 29]);
    }

    #[test]
    fn rejects_keys_that_sign_no_blocks() {
        assert!(engine_key(&KeyPair::ed25519([1; 16]).public_key()).is_some());
        assert!(engine_key(&NodeKey::parse(&[0x02; 33]).expect("a key")).is_none());
    }
}
