//! `ledger rollback`: the last ledgers of a stopped node, taken back.

use super::{Failure, Outcome};
use crate::cli;
use crate::output::Format;
use codec::LedgerIndex;
use serde_json::json;

/// Takes the ledgers after `--to` back.
pub(crate) fn run(args: &cli::Rollback, format: Format) -> Result<Outcome, Failure> {
    let to = LedgerIndex::new(args.to);
    let from = node::roll_back(&args.data, to)?;
    if format.is_json() {
        out!("{}", json!({ "from": from.get(), "to": to.get() }));
    } else {
        out!("rolled back from ledger {from} to ledger {to}; start the node again");
    }
    Ok(Outcome::Yes)
}
