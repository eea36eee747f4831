//! From a snapshot to a node's ledgers: the border block is executed on the ledger before it, so that the node stands
//! where the next epoch begins.

use std::sync::Arc;

use codec::{Hash256, LedgerIndex};

use super::proof::{Border, Trust};
use crate::block::Block;
use crate::commits::Stopped;
use crate::epochs::{EpochStart, First};
use crate::ledgers::Ledgers;
use crate::machine::Machine;

/// Makes the ledger of the border block, unless the machine is further.
pub(crate) fn begin<M: Machine>(
    machine: &Arc<M>,
    first: &First,
    trust: &Trust,
    border: &Border,
    block: &Block,
) -> Result<(), Stopped> {
    let last = machine.last();
    if last.hash() != border.header().hash() {
        return Ok(());
    }
    let ended = EpochStart {
        epoch: border.epoch(),
        // It is over: nobody asks what it began with.
        border: Hash256::ZERO,
        validators: trust.validators(border.epoch()).to_vec(),
    };
    let next = EpochStart {
        epoch: border.epoch().saturating_add(1),
        border: Hash256::new(border.block().0),
        validators: ledger::dkim::validators(&last),
    };
    machine.begin_epoch(&ended)?;
    machine.begin_epoch(&next)?;
    let executed = Ledgers::new(Arc::clone(machine), first.index).execute(&last, block);
    let closed = executed.map_err(|fault| Stopped::Refused {
        index: LedgerIndex::new(last.index().get().saturating_add(1)),
        fault,
    })?;
    Ok(machine.finalized(Arc::new(closed))?)
}
