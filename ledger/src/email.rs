//! Transactions whose signature is a mail: where the ledger meets the crate `amendment`.

use codec::Ter;
use codec::format::TxType;

use crate::engine::Stage;
use crate::sandbox::Sandbox;
use crate::state_map::StateMap;
use crate::transaction::Transaction;
use crate::view::Env;

/// Proof that a mail signs a transaction.
#[derive(Debug)]
pub(crate) enum Proof {}

/// True where the flag is set on a type that may carry it, with the amendment on; elsewhere the flag is temINVALID_FLAG.
/// Spec: 1
pub(crate) fn is_email(tx: &Transaction, env: &Env) -> bool {
    tx.is_email_signed()
        && env.email_enabled()
        && matches!(tx.tx_type(), TxType::Remit | TxType::SetRegularKey)
}

/// Refused as disabled until the verifier is linked.
pub(crate) fn prove(
    _tx: &Transaction,
    _env: &Env,
    _state: &StateMap,
    _own_checks: impl FnOnce() -> Result<(), Ter>,
) -> Result<Proof, Ter> {
    Err(Ter::TEM_DISABLED)
}

/// Writes the replay entry of a proven mail.
pub(crate) fn write_replay_entry(
    _sandbox: &mut Sandbox<'_>,
    _env: &Env,
    proof: &Proof,
    _stage: Stage,
) -> Result<(), Ter> {
    match *proof {}
}
