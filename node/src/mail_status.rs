//! What became of a mail, from what the chain knows of it and what the store has.

use chain::Standing;
use chain::commit::{Settled, SettledState};
use codec::{Hash256, Ter};
use rpc::api::{MailState, MailStatus};

/// The validated transaction comes before a mail on its way, and that before a failure. What the chain knows
/// is read first: what it no longer knows is in the store then.
pub(crate) fn mail_status(standing: Option<Standing>, settled: Option<Settled>) -> Option<MailStatus> {
    let unsettled = |state, hash| MailStatus {
        state,
        hash,
        ledger_index: None,
        engine: None,
    };
    if let Some(Settled {
        state: SettledState::Validated { ledger_index },
        code,
        hash,
    }) = settled
    {
        return Some(MailStatus {
            state: MailState::Validated,
            hash: Some(hash),
            ledger_index: Some(ledger_index),
            engine: Ter::from_code(code),
        });
    }
    let (code, hash) = match (standing, settled) {
        (Some(Standing::Kept), _) => return Some(unsettled(MailState::Kept, None)),
        (Some(Standing::Submitted { tx }), _) => return Some(unsettled(MailState::Submitted, tx)),
        (_, Some(settled)) => (settled.code, settled.hash),
        (Some(Standing::Failed { code, tx }), None) => (code, tx),
        (None, None) => return None,
    };
    Some(MailStatus {
        state: MailState::Failed,
        hash: Some(hash).filter(|hash| *hash != Hash256::ZERO),
        ledger_index: None,
        engine: Ter::from_code(code),
    })
}
