//! Raw mail on its way to a transaction.

use amendment::key_record::KeyRecordError;
use amendment::{KeyAnswer, LedgerKeys, ReadView, TxtRecords, candidates};
use codec::{CloseTime, Ter, keylet};
use explain::{ExplainEnv, Explanation, explain, explanation_json};
use serde_json::Value;

use crate::code::Code;
use crate::entries::{View, XeLedger, with_ledger};
use crate::handles::{XeBytes, XeEntry, XeList, serialized};
use crate::keys::{XE_ABSENT, XE_RECORD, XE_UNUSABLE};
use crate::limits::{ANSWERS_MAX, XE_NAME_BYTES};
use crate::memory::{Out, XeSlice, border, row};
use crate::transaction::padded;

/// What DNS said about a key.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct XeKeyAnswer {
    /// The name that was asked: `selector._domainkey.domain`.
    pub name: XeSlice,
    /// For XE_RECORD the record, the strings of the TXT record joined; else no bytes.
    pub record: XeSlice,
    /// XE_ABSENT, XE_UNUSABLE or XE_RECORD. A name that is not in the list is absent.
    pub answer: u32,
}

/// A key that a mail waits for.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct XeWaiting {
    /// AccountID of the From address: it would pay.
    pub account: [u8; 20],
    /// Index of the DKIMKey.
    pub dkim_key_index: [u8; 32],
    /// Domain of the key (d=): lower-case ASCII, zeros behind it.
    pub domain: [u8; XE_NAME_BYTES],
    /// Selector of the key (s=): lower-case ASCII, zeros behind it.
    pub selector: [u8; XE_NAME_BYTES],
}

impl XeWaiting {
    const NOTHING: XeWaiting = XeWaiting {
        account: [0; 20],
        dkim_key_index: [0; 32],
        domain: [0; XE_NAME_BYTES],
        selector: [0; XE_NAME_BYTES],
    };
}

/// The normal form of a raw mail under its `signature`-th DKIM-Signature from the top, from 0: what its transaction
/// carries as memo, whatever the other rules say (spec 3). Lines end with CRLF.
///
/// tesSUCCESS and the bytes; temMALFORMED, tefBAD_SIGNATURE. Linear in the bytes: about 1 ms for 256 KB.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_normal_form(mail: XeSlice, signature: usize, form: *mut *mut XeBytes) -> i32 {
    border(|| {
        // SAFETY: README, "What the caller holds", for an output.
        let mut out = unsafe { Out::handle(form) }?;
        // SAFETY: README, "What the caller holds", for an input.
        let mail = unsafe { mail.bytes() }?;
        let form = amendment::normal_form(mail, signature).map_err(|refusal| refusal.code())?;
        out.give(XeBytes(form));
        Ok(())
    })
}

/// A raw mail in its normal form under one of the signatures that may prove it, and the key that would: what a pool
/// of mails that wait for their key keeps (spec 7.5). `position` counts from 0; a mail has at most 4 such forms.
///
/// tesSUCCESS; XE_NOT_FOUND behind the last one. Linear in the bytes: about 1 ms for 256 KB.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_waiting_form(
    mail: XeSlice,
    position: usize,
    waiting: *mut XeWaiting,
    form: *mut *mut XeBytes,
) -> i32 {
    border(|| {
        // SAFETY: README, "What the caller holds", for an output.
        let mut waiting = unsafe { Out::new(waiting, XeWaiting::NOTHING) }?;
        // SAFETY: the same.
        let mut out = unsafe { Out::handle(form) }?;
        // SAFETY: README, "What the caller holds", for an input.
        let mail = unsafe { mail.bytes() }?;
        let form = amendment::waiting_forms(mail).into_iter().nth(position);
        let form = form.ok_or(Code::NOT_FOUND)?;
        let payer = candidates(mail).into_iter().find(|key| key.name == form.name);
        waiting.put(XeWaiting {
            account: *payer.ok_or(Code::INTERNAL)?.account.as_bytes(),
            dkim_key_index: *form.name.keylet().as_bytes(),
            domain: padded(form.name.domain()).ok_or(Code::INTERNAL)?,
            selector: padded(form.name.selector()).ok_or(Code::INTERNAL)?,
        });
        out.give(XeBytes(form.bytes));
        Ok(())
    })
}

/// Every check of a raw mail under what DNS said, for people: JSON, as `submit_email` of our nodes answers it
/// (`qualifies`, `rule`, `code`, `from`, `to`, `instruction`, `transaction`, `email_id`, `checks`...). `now` in
/// seconds since 2000.
///
/// tesSUCCESS, the JSON (UTF-8), and in `verdict` the code that the mail comes to: terNO_DKIM_KEY where nothing but
/// its key is missing. Linear in the bytes: about 10 ms for 256 KB.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_explain(
    mail: XeSlice,
    network_id: u32,
    now: u32,
    answers: *const XeKeyAnswer,
    count: usize,
    verdict: *mut i32,
    json: *mut *mut XeBytes,
) -> i32 {
    border(|| {
        // SAFETY: README, "What the caller holds", for an output.
        let mut verdict = unsafe { Out::new(verdict, Code::INTERNAL.0) }?;
        // SAFETY: the same.
        let mut json = unsafe { Out::handle(json) }?;
        // SAFETY: README, "What the caller holds", for an input.
        let mail = unsafe { mail.bytes() }?;
        // SAFETY: README, "What the caller holds", for a row of structs.
        let answers = unsafe { row(answers, count, ANSWERS_MAX) }?;
        let mut keys = TxtRecords::new();
        for answer in &answers {
            // SAFETY: README, "What the caller holds", for the inputs in it.
            unsafe { note(answer, &mut keys) }?;
        }
        let now = CloseTime::new(now);
        let env = ExplainEnv {
            network_id,
            now,
            keys: &keys,
        };
        let explanation = explain(mail, &env);
        verdict.put(explanation.code.code());
        json.give(as_json(explanation));
        Ok(())
    })
}

/// # Safety
///
/// README, "What the caller holds", for the inputs in it.
unsafe fn note(given: &XeKeyAnswer, keys: &mut TxtRecords) -> Result<(), Code> {
    // SAFETY: what this function asks for is what that one asks for.
    let name = unsafe { given.name.bytes() }?;
    // SAFETY: the same.
    let record = unsafe { given.record.bytes() }?;
    let name = std::str::from_utf8(name).map_err(|_| Code::BAD_VALUE)?;
    match given.answer {
        XE_ABSENT => keys.insert_answer(name, KeyAnswer::Absent),
        XE_UNUSABLE => keys.insert_answer(name, KeyAnswer::Unusable(KeyRecordError::Several)),
        XE_RECORD => keys.insert(name, record),
        _ => return Err(Code::BAD_VALUE),
    }
    Ok(())
}

fn as_json(explanation: Explanation) -> XeBytes {
    XeBytes(
        Value::Object(explanation_json(explanation))
            .to_string()
            .into_bytes(),
    )
}

/// The transaction of a raw mail for the ledger that is being built (spec 6.3, 12): what `submit_email` hands to the
/// door for transactions. Its keys are those of the parent ledger. Reads the DKIMKey and DKIMFreeze of each
/// signature, the DKIMLeak of the key, and the AccountRoot and EmailReplay of the sender.
///
/// tesSUCCESS, JSON as of xe_explain, and in `verdict` tesSUCCESS with the transaction, or why there is none: a code
/// of xe_explain, terNO_DKIM_KEY (keep the mail), terNO_ACCOUNT, tefBAD_EMAIL_FEE. XE_READ_MORE and `more`. Linear in
/// the bytes: about 10 ms for 256 KB; at most 10 entries are read, in three calls.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments)]
pub unsafe extern "C" fn xe_submission(
    mail: XeSlice,
    ledger: *const XeLedger,
    entries: *const XeEntry,
    count: usize,
    more: *mut *mut XeList,
    verdict: *mut i32,
    json: *mut *mut XeBytes,
    transaction: *mut *mut XeBytes,
) -> i32 {
    border(|| {
        // SAFETY: README, "What the caller holds", for an output.
        let mut more = unsafe { Out::handle(more) }?;
        // SAFETY: the same.
        let mut verdict = unsafe { Out::new(verdict, Code::INTERNAL.0) }?;
        // SAFETY: the same.
        let mut json = unsafe { Out::handle(json) }?;
        // SAFETY: the same.
        let mut out = unsafe { Out::handle(transaction) }?;
        // SAFETY: README, "What the caller holds", for an input.
        let mail = unsafe { mail.bytes() }?;
        let work = |view: &View| submitted(mail, view);
        // SAFETY: README, "What the caller holds", for a struct and for a row of entries.
        let made = unsafe { with_ledger(ledger, entries, count, &mut more, work) }?;
        verdict.put(made.verdict.code());
        json.give(as_json(made.explanation));
        if let Some(transaction) = made.transaction {
            out.give(transaction);
        }
        Ok(())
    })
}

struct Submitted {
    explanation: Explanation,
    verdict: Ter,
    transaction: Option<XeBytes>,
}

/// What every signature may need is asked for at once.
fn submitted(mail: &[u8], view: &View) -> Result<Submitted, Code> {
    for key in candidates(mail) {
        view.parent_entry(&key.name.keylet());
        view.parent_entry(&keylet::dkim_freeze(key.name.domain().as_bytes()));
        view.entry(&keylet::account(key.account));
        view.entry(&keylet::email_replay(key.account));
    }
    view.whole()?;
    let env = ExplainEnv {
        network_id: view.network_id(),
        now: view.parent_close_time(),
        keys: &LedgerKeys(view),
    };
    let explanation = explain(mail, &env);
    let made = explanation
        .outcome
        .proven()
        .map(|mail| amendment::submission(mail, view));
    let (verdict, transaction) = match made {
        None => (explanation.code, None),
        Some(Ok(transaction)) => (Ter::TES_SUCCESS, Some(serialized(&transaction))),
        Some(Err(error)) => (error.code(), None),
    };
    Ok(Submitted {
        explanation,
        verdict,
        transaction,
    })
}
