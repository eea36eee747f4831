//! DKIMKeySet: what a quorum of validators saw in DNS becomes a key on the ledger, or ends one; what it decided about
//! a domain stops its mail, or lets it through again. What it has to show and what it writes is in `amendment`.
//!
//! Spec: 7.1, 7.2, 7.4, 7.8, 7.10.

use amendment::{KeySet, Votes, key_set_writes};
use codec::Ter;

use super::{Apply, Transactor};
use crate::sandbox::Sandbox;
use crate::transaction::Transaction;
use crate::view::{Env, View};

pub(super) struct DkimKeySet;

impl Transactor for DkimKeySet {
    fn preflight(&self, tx: &Transaction, env: &Env) -> Result<(), Ter> {
        KeySet::preflight(tx.object(), env.email(), env.index, Votes::Attested).map(drop)
    }

    fn preclaim(&self, tx: &Transaction, env: &Env, sandbox: &Sandbox<'_>) -> Result<(), Ter> {
        let set = KeySet::parse(tx.object()).ok_or(Ter::TEM_MALFORMED)?;
        set.preclaim(&View::over(env, sandbox))
    }

    fn apply(&self, apply: &mut Apply<'_>) -> Result<(), Ter> {
        let set = KeySet::parse(apply.tx.object()).ok_or(Ter::TEM_MALFORMED)?;
        let writes = key_set_writes(&set, &View::over(apply.env, &apply.sandbox))?;
        apply.write(writes);
        Ok(())
    }
}
