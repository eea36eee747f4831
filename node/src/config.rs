//! What a node is started with.

use std::num::NonZeroU32;
use std::path::PathBuf;

use chain::Epochs;
use codec::keys::PublicKey;
use codec::{CloseTime, LedgerIndex};
use ledger::dkim::KeyDelays;
use ledger::genesis::EmailAmendment;

use crate::funds::Fund;
use crate::limits::MAJORITY_SECS_DEFAULT;
use crate::watcher::Providers;

/// The first ledger of a network of several validators: after the genesis, it has the first payments.
const FIRST_LEDGER: LedgerIndex = LedgerIndex::new(2);

/// Whose word makes a ledger.
#[derive(Debug, Clone)]
pub enum Validators {
    /// This node's alone: it closes ledgers by itself.
    Alone,
    /// That of several: ledgers come from [`crate::Node::finalize`]. All nodes of the network have the same.
    Several {
        /// Their keys.
        keys: Vec<PublicKey>,
        /// Close time of the genesis.
        start: CloseTime,
        /// KEY_DELAY_FIRST and KEY_DELAY_NEXT.
        key_delays: KeyDelays,
        /// Ledgers of an epoch.
        epoch: NonZeroU32,
    },
}

impl Validators {
    /// Epochs, where several validators make a ledger.
    #[must_use]
    pub fn epochs(&self) -> Option<Epochs> {
        match self {
            Self::Alone => None,
            Self::Several { epoch, .. } => Some(Epochs {
                first: FIRST_LEDGER,
                ledgers: *epoch,
            }),
        }
    }
}

/// What a node is started with.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// The data folder; it is made if it is missing.
    pub data: PathBuf,
    /// NetworkID; fixed with the first start.
    pub network_id: u32,
    /// Whose word makes a ledger; fixed with the first start.
    pub validators: Validators,
    /// Payments at the first start.
    pub funds: Vec<Fund>,
    /// Whether the genesis has the amendment `Email`.
    pub email: EmailAmendment,
    /// Ledgers kept with their transactions; `None` keeps all.
    pub history_ledgers: Option<u32>,
    /// Go back to this ledger where the last one is damaged.
    pub rollback_to: Option<LedgerIndex>,
    /// Seconds that an amendment needs its majority for before it is enabled.
    pub majority_secs: u32,
    /// Providers whose changes of keys are counted by name.
    pub providers: Providers,
}

impl NodeConfig {
    /// The usual choices: `Email` from the first ledger on, all of history.
    #[must_use]
    pub fn new(data: PathBuf, network_id: u32) -> Self {
        Self {
            data,
            network_id,
            validators: Validators::Alone,
            funds: Vec::new(),
            email: EmailAmendment::Enabled,
            history_ledgers: None,
            rollback_to: None,
            majority_secs: MAJORITY_SECS_DEFAULT,
            providers: Providers::default(),
        }
    }
}
