//! Transactions whose signature is a mail: where the ledger meets the crate `amendment`.
//!
//! The rules are there; here stand only their order among the ledger's own checks (spec 10) and the writing
//! of the replay entry (spec 8.3).

use amendment::{Effect, ReadView, Ready, Rules, ScreenError};
use codec::format::TxType;
use codec::{Drops, Ter, keylet, sf};

use crate::sandbox::Sandbox;
use crate::state_map::StateMap;
use crate::transaction::Transaction;
use crate::view::{Env, View};

/// True where the flag is set on a type that may carry it, with the amendment on; elsewhere the flag is
/// temINVALID_FLAG. Stands before every other signature test. Spec: 1
pub(crate) fn is_email(tx: &Transaction, env: &Env) -> bool {
    tx.is_email_signed()
        && env.email_enabled()
        && matches!(tx.tx_type(), TxType::Remit | TxType::SetRegularKey)
}

/// All phases up to the last one before writing. `own_checks` are those that the transaction's type makes
/// without a ledger; they stand with the other stateless ones. What they refuse the rules of the mail refuse
/// before them (2.5, 5.5), so no test can tell them apart; they stay, since a rule may change and the type's
/// checks must hold. Spec: 10
pub(crate) fn prove(
    tx: &Transaction,
    env: &Env,
    state: &StateMap,
    own_checks: impl FnOnce() -> Result<(), Ter>,
) -> Result<Ready, Refused> {
    let view = View::new(env, state);
    let parsed = tx.mail(&Rules::of(&view)).map_err(|refusal| refusal.code())?;
    own_checks()?;
    let screened = amendment::screen(parsed, &view)?;
    let proven = amendment::authenticate(screened, &view).map_err(|refusal| refusal.code())?;
    Ok(amendment::preclaim(proven, &view).map_err(|refusal| refusal.code())?)
}

/// A transaction that takes no fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) ter: Ter,
    /// What the sender's account has against a mail.
    pub(crate) by_account: Option<ScreenError>,
}

impl From<Ter> for Refused {
    fn from(ter: Ter) -> Refused {
        Refused {
            ter,
            by_account: None,
        }
    }
}

impl From<ScreenError> for Refused {
    fn from(error: ScreenError) -> Refused {
        Refused {
            ter: error.code(),
            by_account: Some(error),
        }
    }
}

/// Writes the replay entry, next to sequence and fee and again after a tec reset. Spec: 8.3, 8.6
pub(crate) fn write_replay_entry(sandbox: &mut Sandbox<'_>, ready: &Ready, effect: Effect) {
    let key = keylet::email_replay(ready.account());
    let entry = amendment::next_replay_entry(sandbox.entry(&key).as_ref(), ready, effect);
    sandbox.put(key, entry);
}

/// The smallest fee for a mail now; the live entries of its account count for a payment alone. Spec: 9
pub(crate) fn required_fee_drops(tx: &Transaction, env: &Env, state: &StateMap) -> u64 {
    let memos = tx.object().array(sf::MEMOS).unwrap_or(&[]);
    let memo_bytes = memos
        .iter()
        .filter_map(|(_, memo)| memo.blob(sf::MEMO_DATA))
        .map(<[u8]>::len);
    let live = if tx.tx_type() == TxType::Remit {
        let replay = View::new(env, state).entry(&keylet::email_replay(tx.account()));
        amendment::live_entries(replay.as_ref(), env.now())
    } else {
        0
    };
    let base = Drops::new(env.fees.base_drops);
    amendment::required_fee(base, memo_bytes.fold(0, usize::saturating_add), live)
        .map_or(u64::MAX, Drops::get)
}
