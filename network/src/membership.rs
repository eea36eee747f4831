//! Who a node is among the others, and what it hands out.

use commonware_consensus::marshal::core::Mailbox;
use commonware_consensus::marshal::standard::Standard;
use commonware_consensus::simplex::scheme::ed25519::Scheme;
use commonware_cryptography::ed25519::{PrivateKey, PublicKey};
use commonware_utils::ordered::Set;

use crate::block::Block;

/// Blocks and certificates that a node has, for whoever asks.
pub type Kept = Mailbox<Scheme, Standard<Block>>;

/// What is told the validators of an epoch, by its number.
pub type Track = Box<dyn FnMut(u64, &Set<PublicKey>) + Send + Sync>;

/// Who a node is, and whether it votes where it is listed.
#[derive(Debug, Clone)]
pub struct Membership {
    /// This node's key.
    pub key: PrivateKey,
    /// Whether it votes.
    pub voting: Voting,
    /// What signatures are made for: one network.
    pub namespace: Vec<u8>,
}

/// Whether a node votes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voting {
    /// In the epochs whose validators it is one of.
    WhereListed,
    /// Never.
    Never,
}
