//! What the node asks of the rules: an explanation under the ledger's keys or under one record, and the wrapper.
//!
//! The only module that puts `amendment` and `ledger` together for a mail that is not yet a transaction.

use amendment::key_record::KeyRecord;
use amendment::{KeyAnswer, KeyName, KeyState, LedgerKeys, ReadView as _, TxtRecords, key_state};
use codec::{Amount, Drops, Object, Ter, keylet, sf};
use explain::{ExplainEnv, Explanation, Qualifies, explain as explain_mail};
use ledger::{Ledger, OpenLedger};

use crate::limits::{LAST_LEDGER_AHEAD, SPARE_BASE_FEES};

/// Explain a mail under the keys of a ledger. A failed signature under a key that may have changed since is no verdict.
///
/// Spec: 7.3
pub(crate) fn explain(raw: &[u8], ledger: &Ledger, network_id: u32) -> Explanation {
    let open = OpenLedger::new(ledger);
    explain_mail(
        raw,
        &ExplainEnv {
            network_id,
            now: ledger.close_time(),
            keys: &LedgerKeys(&open.view()),
        },
    )
}

/// Explain a mail as if the ledger had one more key.
pub(crate) fn explain_under(
    raw: &[u8],
    ledger: &Ledger,
    network_id: u32,
    name: &KeyName,
    key: &KeyRecord,
) -> Explanation {
    let mut keys = TxtRecords::new();
    keys.insert_answer(&name.dns_name(), KeyAnswer::Usable(key.clone()));
    explain_mail(
        raw,
        &ExplainEnv {
            network_id,
            now: ledger.close_time(),
            keys: &keys,
        },
    )
}

/// Whether DNS has to be asked before a mail under this key can be judged.
pub(crate) fn needs_look_up(ledger: &Ledger, name: &KeyName) -> bool {
    let entry = ledger.entry(&name.keylet());
    key_state(entry.as_ref(), ledger.close_time()) != KeyState::Settled
}

/// The keys that would prove a mail.
pub(crate) fn key_names(raw: &[u8]) -> Vec<KeyName> {
    let names = amendment::candidates(raw)
        .into_iter()
        .map(|candidate| candidate.name);
    names.filter(KeyName::may_stand_on_ledger).collect()
}

/// The transaction of a mail for the open ledger: the account's next sequence, the required fee and 10 base fees, and
/// LastLedgerSequence 20 ahead.
///
/// Spec: 6.3
pub(crate) fn wrap(explanation: &Explanation, open: &OpenLedger) -> Result<Object, Ter> {
    let derived = match (explanation.qualifies, &explanation.transaction, &explanation.from) {
        (Qualifies::Yes, Some(transaction), Some(from)) => Some((transaction, from.account)),
        _ => None,
    };
    let (transaction, account) = derived.ok_or(Ter::TEM_MALFORMED)?;
    let root = open.account(account).ok_or(Ter::TER_NO_ACCOUNT)?;
    let sequence = root.u32(sf::SEQUENCE).ok_or(Ter::TER_NO_ACCOUNT)?;
    let view = open.view();
    let replay = open
        .state()
        .entry(&keylet::email_replay(account))
        .and_then(|bytes| codec::decode(bytes).ok());
    let live = amendment::live_entries(replay.as_ref(), view.parent_close_time());
    let base_fee = view.base_fee();
    let required =
        amendment::required_fee(base_fee, memo_bytes(transaction), live).ok_or(Ter::TEF_BAD_EMAIL_FEE)?;
    let spare = base_fee.get().saturating_mul(SPARE_BASE_FEES);
    let fee = Drops::new(required.get().saturating_add(spare));
    let last = open.parent().index().get().saturating_add(LAST_LEDGER_AHEAD);
    Ok(transaction
        .clone()
        .with(sf::SEQUENCE, sequence)
        .with(
            sf::FEE,
            Amount::Native(i64::try_from(fee.get()).map_err(|_| Ter::TEF_BAD_EMAIL_FEE)?),
        )
        .with(sf::LAST_LEDGER_SEQUENCE, last))
}

fn memo_bytes(transaction: &Object) -> usize {
    let memos = transaction.array(sf::MEMOS).unwrap_or(&[]);
    memos
        .iter()
        .filter_map(|(_, memo)| memo.blob(sf::MEMO_DATA))
        .map(<[u8]>::len)
        .sum()
}
