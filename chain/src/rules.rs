//! What the node asks of the rules: an explanation under the ledger's keys or under one record, and the wrapper.
//!
//! The only module that puts `amendment` and `ledger` together for a mail that is not yet a transaction.

use amendment::key_record::KeyRecord;
use amendment::{
    KeyAnswer, KeyName, KeySource as _, KeyState, LedgerKeys, ReadView as _, Rules, TxtRecords, key_state,
};
use codec::{AccountId, CloseTime, Hash256, Ter, keylet, sf};
use explain::{ExplainEnv, Explanation, explain as explain_mail};
use ledger::{Ledger, OpenLedger, Transaction};

/// Explain a mail under the keys of a ledger.
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

/// Explain a mail under one record of DNS.
pub(crate) fn explain_under(
    raw: &[u8],
    now: CloseTime,
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
            now,
            keys: &keys,
        },
    )
}

/// Whether DNS has to be asked before a mail under this key can be judged.
pub(crate) fn needs_look_up(ledger: &Ledger, name: &KeyName) -> bool {
    let entry = ledger.entry(&name.keylet());
    key_state(entry.as_ref(), ledger.close_time()) != KeyState::Settled
}

/// Whether a ledger can judge a mail of this date under this key: it has the key, or knows that it is withdrawn or
/// leaked, or that the mail of its domain is stopped.
pub(crate) fn can_judge(ledger: &Ledger, name: &KeyName, signed_date: CloseTime) -> bool {
    let open = OpenLedger::new(ledger);
    let view = open.view();
    let keys = LedgerKeys(&view);
    let freeze = keys.freeze(name.domain());
    freeze.is_some_and(|freeze| freeze.stops(signed_date))
        || keys.key(name.domain(), name.selector()) != KeyAnswer::Absent
}

/// Whether a ledger offers a key under a name at a time, or says that it was revoked.
pub(crate) fn has_key(ledger: &Ledger, name: &KeyName, now: CloseTime) -> bool {
    let entry = ledger.entry(&name.keylet());
    key_state(entry.as_ref(), now.max(ledger.close_time())) != KeyState::Missing
}

/// Whether the open ledger has executed a mail of this EmailID: it is refused whatever its key is. Spec: 8.2, 10
pub(crate) fn is_executed(open: &OpenLedger, account: AccountId, email_id: &Hash256) -> bool {
    let replay = open
        .view()
        .entry(&keylet::email_replay(account))
        .unwrap_or_default();
    let entries = replay.array(sf::EMAIL_REPLAY_ENTRIES).unwrap_or(&[]);
    let mut ids = entries
        .iter()
        .filter_map(|(_, entry)| entry.hash256(sf::EMAIL_ID));
    replay.hash256(sf::LAST_REKEY_ID) == Some(*email_id) || ids.any(|id| id == *email_id)
}

/// The transaction of a mail for the open ledger. It remembers what proved the mail.
///
/// Spec: 6.3
pub(crate) fn wrap(explanation: &Explanation, open: &OpenLedger) -> Result<Transaction, Ter> {
    let mail = explanation.outcome.proven().ok_or(Ter::TEM_MALFORMED)?;
    let view = open.view();
    let object = amendment::submission(mail, &view).map_err(|error| error.code())?;
    Transaction::of_mail(&object, mail, &Rules::of(&view)).map_err(|_| Ter::TEM_MALFORMED)
}
