//! DKIMKeyLeak: whoever has the secret half of a key ends it, in one ledger and for ever. What it has to show and
//! what it writes is in `amendment`.
//!
//! Spec: 1, 7.9.

use amendment::KeyLeak;
use codec::Ter;

use super::{Apply, Transactor};
use crate::sandbox::Sandbox;
use crate::transaction::Transaction;
use crate::view::{Env, View};

pub(super) struct DkimKeyLeak;

impl Transactor for DkimKeyLeak {
    fn preflight(&self, tx: &Transaction, env: &Env) -> Result<(), Ter> {
        KeyLeak::preflight(tx.object(), env.email()).map(drop)
    }

    fn preclaim(&self, tx: &Transaction, env: &Env, sandbox: &Sandbox<'_>) -> Result<(), Ter> {
        KeyLeak::preflight(tx.object(), env.email())?.preclaim(&View::over(env, sandbox))
    }

    fn apply(&self, apply: &mut Apply<'_>) -> Result<(), Ter> {
        let leak = KeyLeak::preflight(apply.tx.object(), apply.env.email())?;
        let writes = leak.writes(&View::over(apply.env, &apply.sandbox))?;
        apply.write(writes);
        Ok(())
    }
}
