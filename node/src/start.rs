//! From a data folder to a ledger: the lock, the store, the key, and the stored ledger or a genesis with its
//! first payments.

use std::fs::{File, TryLockError};
use std::io::Read;
use std::path::{Path, PathBuf};

use amendment::ReadView as _;
use codec::keys::KeyPair;
use codec::{CloseTime, Drops, Hash256, LedgerIndex, Ter, keylet, sf};
use ledger::dkim::KeyDelays;
use ledger::genesis::GENESIS_ACCOUNT;
use ledger::{Closed, GenesisConfig, Ledger, OpenLedger, Transaction};

use crate::config::{NodeConfig, Validators};
use crate::funds::Fund;
use crate::host::ChainStopped;
use crate::limits::FUNDS_MAX;
use crate::restore::{RestoreError, restored, taken_back};
use crate::store::{Change, Commit, RedbStore, Store, StoreError};
use crate::validator_key::{self, ValidatorKeyError};

/// Names in the data folder.
const LOCK_FILE: &str = "node.lock";
const STORE_FILE: &str = "ledger.redb";

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be made or written.
    #[error("cannot use the data folder {path}: {source}; check the owner, the mode and the free space", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Another node works in the data folder.
    #[error("the data folder {path} is in use by another node; stop that one first, or give this one another --data", path = path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The store does not open, or belongs to another network.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no usable validator key.
    #[error(transparent)]
    ValidatorKey(#[from] ValidatorKeyError),
    /// The stored ledger is damaged, or the way back that the operator asked for is not open.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// The system gives no more threads.
    #[error("cannot start a thread: {0}; raise the limit of processes (ulimit -u), or end other programs")]
    Threads(std::io::Error),
    /// The chain broke at once.
    #[error(transparent)]
    Chain(#[from] ChainStopped),
    /// No random bytes for a key.
    #[error("cannot read random bytes: {0}")]
    Entropy(std::io::Error),
    /// A payment that is made at the first start alone, to somebody whom this ledger does not know.
    #[error(
        "--fund pays at the first start alone, and {who} is not in this ledger: pay from an account that is, or start \
         with another --data"
    )]
    FundTooLate {
        /// Who would have been paid.
        who: String,
    },
    /// The folder holds the ledgers of another network.
    #[error(
        "the data folder holds another network's ledgers: its ledger {index} is {stored}, this network's is {wanted}; \
         give this one another data folder"
    )]
    OtherGenesis {
        /// The first ledger.
        index: LedgerIndex,
        /// What the folder has.
        stored: Hash256,
        /// What the configuration makes.
        wanted: Hash256,
    },
    /// The ledger to begin with is of another version of the program.
    #[error(
        "the transactions of ledger {0} cannot be read; is this program as new as those of the other nodes?"
    )]
    Fetched(LedgerIndex),
    /// Too many payments.
    #[error(
        "{count} payments at the first start, but at most {FUNDS_MAX} are possible; send the others later"
    )]
    Funds {
        /// How many.
        count: usize,
    },
    /// A payment of the first start is refused.
    #[error("cannot pay {amount} drops to {who}: {} ({}); nothing was stored", code.token(), code.message())]
    Fund {
        /// Who was to be paid.
        who: String,
        /// How much.
        amount: Drops,
        /// Why not.
        code: Ter,
    },
}

/// A data folder that no other node works in.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    /// Held until the node ends.
    _lock: File,
}

impl DataFolder {
    /// Make the folder if it is missing, and take it.
    pub fn take(path: &Path) -> Result<Self, StartError> {
        let failed = |source| StartError::Folder {
            path: path.to_owned(),
            source,
        };
        ops::private::make_folder(path).map_err(failed)?;
        let lock = File::create(path.join(LOCK_FILE)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(StartError::InUse {
                path: path.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Open the store.
    pub fn store(&self) -> Result<RedbStore, StartError> {
        Ok(RedbStore::open(&self.path.join(STORE_FILE))?)
    }

    /// Whether it has a ledger.
    pub fn has_ledger(&self) -> Result<bool, StartError> {
        Ok(self.store()?.tip()?.is_some())
    }

    /// Begin with a ledger of the network, in place of its first one. The ledgers before it are not there.
    pub fn begin_with(&self, network_id: u32, ledger: &Ledger) -> Result<(), StartError> {
        let commit = Commit::of_fetched(ledger).ok_or(StartError::Fetched(ledger.index()))?;
        let store = self.store()?;
        Ok(store.write(network_id, &[Change::Ledger(Box::new(commit))])?)
    }

    /// The validator key. It is made with a new store, and never for a ledger that is there already.
    pub fn validator_key(&self, store: &dyn Store) -> Result<KeyPair, StartError> {
        if store.tip()?.is_some() {
            return Ok(validator_key::read(&self.path)?);
        }
        let mut entropy = [0; 16];
        File::open("/dev/urandom")
            .and_then(|mut file| file.read_exact(&mut entropy))
            .map_err(StartError::Entropy)?;
        Ok(validator_key::read_or_create(&self.path, || entropy)?)
    }
}

/// Take the ledgers after `to` back in the data folder of a node that does not run. Answers the ledger that was
/// the last one.
pub fn roll_back(data: &Path, to: LedgerIndex) -> Result<LedgerIndex, StartError> {
    if !data.join(STORE_FILE).is_file() {
        return Err(RestoreError::NoLedger.into());
    }
    let store = DataFolder::take(data)?.store()?;
    Ok(taken_back(&store, to)?)
}

/// The last validated ledger: the stored one, or a new genesis with its first payments.
pub(crate) fn ledger_of(
    store: &dyn Store,
    config: &NodeConfig,
    key: &KeyPair,
    now: CloseTime,
) -> Result<Ledger, StartError> {
    let network_id = config.network_id;
    if let Some(stored) = store.network_id()?.filter(|stored| *stored != network_id) {
        return Err(StoreError::Network {
            stored,
            wanted: network_id,
        }
        .into());
    }
    if let Some(tip) = store.tip()? {
        let ledger = restored(store, &tip, config.rollback_to)?;
        return match config.validators {
            Validators::Alone => no_late_fund(&ledger, &config.funds).map(|()| ledger),
            Validators::Several { .. } => {
                same_network(store, &first_ledgers(config, key, now)?.1).map(|()| ledger)
            }
        };
    }
    let (genesis, funded) = first_ledgers(config, key, now)?;
    let commits = [Commit::of_genesis(&genesis), Commit::of(&funded)];
    store.write(
        network_id,
        &commits.map(|commit| Change::Ledger(Box::new(commit))),
    )?;
    Ok(funded.ledger)
}

/// Payments of the first start that a later one repeats are made already.
fn no_late_fund(ledger: &Ledger, funds: &[Fund]) -> Result<(), StartError> {
    let is_there = |fund: &&Fund| ledger.entry(&keylet::account(fund.account)).is_some();
    match funds.iter().find(|fund| !is_there(fund)) {
        Some(late) => Err(StartError::FundTooLate {
            who: late.who.clone(),
        }),
        None => Ok(()),
    }
}

/// The stored ledgers begin with those of this network, as far as they are kept.
fn same_network(store: &dyn Store, first: &Closed) -> Result<(), StartError> {
    let (index, wanted) = (first.ledger.index(), first.ledger.hash());
    match store.ledger(index)?.map(|ledger| ledger.hash) {
        Some(stored) if stored != wanted => Err(StartError::OtherGenesis {
            index,
            stored,
            wanted,
        }),
        Some(_) | None => Ok(()),
    }
}

/// The first ledger of a network of several validators: the one with the payments of the first start.
pub fn first_ledger(config: &NodeConfig, key: &KeyPair) -> Result<Ledger, StartError> {
    let start = match config.validators {
        Validators::Alone => CloseTime::new(0),
        Validators::Several { start, .. } => start,
    };
    Ok(first_ledgers(config, key, start)?.1.ledger)
}

/// The genesis, and the ledger after it.
fn first_ledgers(config: &NodeConfig, key: &KeyPair, now: CloseTime) -> Result<(Ledger, Closed), StartError> {
    let (validators, close_time, key_delays) = match &config.validators {
        Validators::Alone => (vec![key.public_key()], now, KeyDelays::NONE),
        Validators::Several {
            keys,
            start,
            key_delays,
            ..
        } => (keys.clone(), *start, *key_delays),
    };
    let genesis = Ledger::genesis(&GenesisConfig {
        network_id: config.network_id,
        validators,
        email: config.email,
        close_time,
        key_delays,
    });
    let funded = pay_funds(&genesis, config.network_id, &config.funds, close_time)?;
    Ok((genesis, funded))
}

/// The second ledger, with the payments of the first start.
fn pay_funds(
    genesis: &Ledger,
    network_id: u32,
    funds: &[Fund],
    now: CloseTime,
) -> Result<Closed, StartError> {
    if funds.len() > FUNDS_MAX {
        return Err(StartError::Funds { count: funds.len() });
    }
    let mut open = OpenLedger::new(genesis);
    let base_fee = open.view().base_fee();
    for fund in funds {
        let refused = |code| StartError::Fund {
            who: fund.who.clone(),
            amount: fund.amount,
            code,
        };
        let payer = open
            .account(codec::AccountId::new(GENESIS_ACCOUNT))
            .unwrap_or_default();
        let sequence = payer.u32(sf::SEQUENCE).unwrap_or(0);
        let payment = fund
            .payment(network_id, sequence, base_fee)
            .map_err(|_| refused(Ter::TEM_BAD_SIGNATURE))?;
        let payment = Transaction::from_object(&payment).map_err(|_| refused(Ter::TEM_MALFORMED))?;
        let outcome = open.submit(&payment).map_err(|_| refused(Ter::TEM_INVALID))?;
        if outcome.ter != Ter::TES_SUCCESS {
            return Err(refused(outcome.ter));
        }
    }
    Ok(ledger::close(genesis, open.accepted().iter().cloned(), now))
}
