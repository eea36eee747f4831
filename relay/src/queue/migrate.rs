//! Older versions of the queue's file: version 1 held entries in words, version 2 counted mails that failed in
//! a ledger among those that were carried out.

use amendment::address::{Recipient, parse_recipient, parse_sender};
use amendment::instruction::line::{Line, Meaning, To};
use amendment::{EmailId, Order, Rule};
use codec::{AccountId, Drops, Hash256, TerClass};
use redb::{ReadableTable, WriteTransaction};
use rpc::reply::ResultCode;

use super::entry::{End, Entry, Hold, InLedger, Made, Outcome, Progress, State, Trail};
use super::id::MailId;
use super::request::Request;
use super::said::Said;
use super::stored::{decode, encode};
use super::tables::{ENTRIES, Place, STATES, decode_entry, state_number};
use super::view::{EntryView, Kind};
use crate::limits::MIGRATE_ROWS;

/// Why an entry of version 1 cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its {0} is not what version 1 wrote there")]
pub(super) struct Unreadable(pub(super) &'static str);

/// Rewrites every entry, all in the one transaction that also sets the version. What cannot be read stays as
/// it is: it is set aside when it is met.
pub(super) fn entries(writing: &WriteTransaction) -> Result<(), redb::Error> {
    let mut table = writing.open_table(ENTRIES)?;
    let mut next: Place = (0, 0);
    loop {
        let mut rows = Vec::with_capacity(MIGRATE_ROWS);
        for row in table.range(next..)?.take(MIGRATE_ROWS) {
            let (place, row) = row?;
            let (id, bytes) = row.value();
            rows.push((place.value(), *id, bytes.to_vec()));
        }
        let Some((last, ..)) = rows.last() else {
            return Ok(());
        };
        next = (last.0, last.1.saturating_add(1));
        for (place, id, bytes) in rows {
            let old = decode::<EntryView>(&bytes).ok_or(Unreadable("JSON"));
            match old.and_then(entry).map(|entry| encode(&entry)) {
                Ok(Ok(bytes)) => drop(table.insert(place, (&id, bytes.as_slice()))?),
                Ok(Err(error)) => {
                    tracing::error!(id = %MailId::new(id), %error, "an entry cannot be migrated and is left unchanged")
                }
                Err(error) => {
                    tracing::error!(id = %MailId::new(id), %error, "an entry cannot be migrated and is left unchanged")
                }
            }
        }
    }
}

/// Moves the entries of mails that failed in a ledger to their own state in the index.
pub(super) fn failed(writing: &WriteTransaction) -> Result<(), redb::Error> {
    let (validated, failed) = (state_number(State::Validated), state_number(State::Failed));
    let entries = writing.open_table(ENTRIES)?;
    let mut states = writing.open_table(STATES)?;
    let mut places = Vec::new();
    for row in states.range((validated, 0, 0)..=(validated, u64::MAX, u64::MAX))? {
        let (_, received_at, number) = row?.0.value();
        let place = (received_at, number);
        let entry = entries.get(place)?;
        if entry.is_some_and(|row| {
            decode_entry(place, row.value()).is_some_and(|entry| entry.state() == State::Failed)
        }) {
            places.push(place);
        }
    }
    for (received_at, number) in places {
        states.remove((validated, received_at, number))?;
        states.insert((failed, received_at, number), ())?;
    }
    Ok(())
}

/// An entry from what version 1 held.
pub(super) fn entry(old: EntryView) -> Result<Entry, Unreadable> {
    let from = parse_sender(&old.from).map_err(|_| Unreadable("from"))?;
    if from.account().to_string() != old.from_account {
        return Err(Unreadable("from_account"));
    }
    Ok(Entry {
        id: old.id,
        trace: old.trace.clone(),
        request: request(&old)?,
        instruction: old.instruction.clone(),
        from,
        dkim: old.dkim,
        channel: old.channel,
        message_id: old.message_id.clone(),
        thread: old.thread.clone(),
        may_answer: old.may_answer,
        bytes: old.bytes,
        received_at: old.received_at,
        executable_until: old.executable_until,
        next_try: old.next_try,
        tries: old.tries,
        progress: progress(&old)?,
        said: Said {
            code: code(&old)?,
            // Version 1 took whatever a node called its rule.
            rule: old.rule.as_deref().and_then(Rule::parse),
            word: old.word,
            fix: old.fix,
        },
        auth_results: old.auth_results,
    })
}

fn read<T>(
    text: Option<&str>,
    read: impl FnOnce(&str) -> Option<T>,
    name: &'static str,
) -> Result<Option<T>, Unreadable> {
    match text {
        None => Ok(None),
        Some(text) => read(text).map(Some).ok_or(Unreadable(name)),
    }
}

fn code(old: &EntryView) -> Result<Option<ResultCode>, Unreadable> {
    read(old.code.as_deref(), ResultCode::parse, "code")
}

fn request(old: &EntryView) -> Result<Request, Unreadable> {
    match old.kind {
        Kind::Order => {
            let email_id = old.email_id.ok_or(Unreadable("email_id"))?;
            Ok(Request::Order {
                order: order(old).ok_or(Unreadable("instruction"))?,
                email_id: EmailId::new(Hash256::new(*email_id.as_bytes())),
            })
        }
        Kind::Balance => Ok(Request::Balance),
        Kind::History => Ok(Request::History),
    }
}

/// The line says everything but the recipient that stands in the To header.
fn order(old: &EntryView) -> Option<Order> {
    let line = Line::parse(old.instruction.as_bytes())?;
    let amount = match line.meaning().ok()?? {
        Meaning::Rekey { key, after } => return Some(Order::Rekey { key, after }),
        Meaning::Remit(amount) => amount,
    };
    let to = match (line.to().ok()??, &old.to) {
        (To::Named(to), _) => to,
        (To::Header, Some(address)) => parse_recipient(address).ok()?,
        // Version 1 dropped the tag behind a classic address in the To header. No transaction is made of this
        // one.
        (To::Header, None) => Recipient::Chain {
            account: AccountId::parse_classic(old.to_account.as_deref()?).ok()?,
            tag: None,
        },
    };
    let is_known = Some(to.account().to_string()) == old.to_account;
    is_known.then_some(Order::Remit { amount, to })
}

fn progress(old: &EntryView) -> Result<Progress, Unreadable> {
    let trail = Trail {
        node: old.node.clone(),
        transaction: read(old.hash.as_deref(), Hash256::from_hex, "hash")?,
    };
    let hold = if old.is_held { Hold::Held } else { Hold::Free };
    let at = old.final_at.ok_or(Unreadable("final_at"));
    Ok(match old.state {
        State::Received => Progress::Received { hold, trail },
        State::Submitted => Progress::Submitted {
            hold,
            node: trail.node.ok_or(Unreadable("node"))?,
            transaction: trail.transaction,
        },
        State::Validated | State::Failed => Progress::Validated {
            at: at?,
            outcome: outcome(old, code(old)?.as_ref(), trail.transaction),
            node: trail.node,
        },
        State::Refused => Progress::Refused(End { at: at?, trail }),
        State::Expired => Progress::Expired(End { at: at?, trail }),
        State::Answered => Progress::Answered(End { at: at?, trail }),
        State::Dropped => Progress::Dropped(End { at: at?, trail }),
    })
}

fn outcome(old: &EntryView, code: Option<&ResultCode>, hash: Option<Hash256>) -> Outcome {
    let Some(hash) = hash else {
        return Outcome::Replayed { transaction: None };
    };
    let transaction = InLedger {
        hash,
        ledger_index: old.ledger_index,
        fee: old.fee_drops.map(Drops::new),
    };
    match code.map(ResultCode::class) {
        Some(TerClass::Tes) => Outcome::Applied {
            transaction,
            made: if old.is_first_payment {
                Made::Account
            } else {
                Made::Nothing
            },
            receipt: None,
        },
        Some(TerClass::Tec) => Outcome::Charged { transaction },
        // What was told as a replay kept the amount of the order.
        Some(TerClass::Tel | TerClass::Tem | TerClass::Tef | TerClass::Ter) | None => match old.amount {
            Some(_) => Outcome::Replayed {
                transaction: Some(hash),
            },
            None => Outcome::Forgotten {
                hash,
                ledger_index: old.ledger_index,
            },
        },
    }
}
