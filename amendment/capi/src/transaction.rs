//! A transaction that a mail signs: what needs no ledger, the proof, and the entry that is written for it.

use amendment::{Amendment, Effect, Parsed, ReadView, Ready, Rules};
use codec::{Ter, keylet};

use crate::code::Code;
use crate::entries::{XeLedger, is_on, object, with_ledger};
use crate::handles::{XeBytes, XeEntry, XeList, serialized};
use crate::limits::XE_NAME_BYTES;
use crate::memory::{Out, XeSlice, border, free, shared};

/// A transaction that its mail makes, no ledger asked. Never changes what it says, so threads may share it.
pub struct XeParsed(Parsed);

/// A transaction whose mail is proven and whose fee can be paid, in one ledger. Never changes, so threads may share
/// it.
pub struct XeReady(Ready);

/// Its effects stand (tes).
pub const XE_APPLIED: u32 = 0;
/// It claims its fee alone (tec).
pub const XE_FEE_ONLY: u32 = 1;

/// What a mail and its transaction say.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct XeFacts {
    /// AccountID of the From address: the sender.
    pub account: [u8; 20],
    /// EmailID: hash of the signed meaning.
    pub email_id: [u8; 32],
    /// Index of its AccountRoot.
    pub account_root_index: [u8; 32],
    /// Index of its EmailReplay.
    pub email_replay_index: [u8; 32],
    /// Index of the DKIMKey that has to prove the signature; read in the parent ledger.
    pub dkim_key_index: [u8; 32],
    /// Index of the DKIMFreeze of the mail's domain; read in the parent ledger.
    pub dkim_freeze_index: [u8; 32],
    /// The signed Date, in seconds since 2000.
    pub signed_date: u32,
    /// Domain of the key (d=): lower-case ASCII, zeros behind it.
    pub domain: [u8; XE_NAME_BYTES],
    /// Selector of the key (s=): lower-case ASCII, zeros behind it.
    pub selector: [u8; XE_NAME_BYTES],
}

impl XeFacts {
    const NOTHING: XeFacts = XeFacts {
        account: [0; 20],
        email_id: [0; 32],
        account_root_index: [0; 32],
        email_replay_index: [0; 32],
        dkim_key_index: [0; 32],
        dkim_freeze_index: [0; 32],
        signed_date: 0,
        domain: [0; XE_NAME_BYTES],
        selector: [0; XE_NAME_BYTES],
    };
}

/// Text with zeros behind it; `None` where there is no room for one.
pub(crate) fn padded(text: &str) -> Option<[u8; XE_NAME_BYTES]> {
    let mut name = [0; XE_NAME_BYTES];
    let (head, rest) = name.split_at_mut_checked(text.len())?;
    head.copy_from_slice(text.as_bytes());
    (!rest.is_empty()).then_some(name)
}

/// Everything about a transaction with tfEmailSig that needs no ledger: flags, fields, and what its mail says. Stands
/// before every other test of its signature. `email_enabled` is 1 where the rules have the amendment, else 0. The
/// result depends on nothing but the arguments, so it may be kept for as long as both stay the same.
///
/// tesSUCCESS and a handle; temINVALID_FLAG, temMALFORMED, temREDUNDANT, temBAD_REGKEY, tefBAD_SIGNATURE. Time and
/// memory linear in the bytes: about 20 us for 5 KB, 200 us for 64 KB.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_preflight(
    transaction: XeSlice,
    network_id: u32,
    email_enabled: u32,
    parsed: *mut *mut XeParsed,
) -> i32 {
    border(|| {
        // SAFETY: README, "What the caller holds", for an output.
        let mut out = unsafe { Out::handle(parsed) }?;
        // SAFETY: README, "What the caller holds", for an input.
        let bytes = unsafe { transaction.bytes() }?;
        let amendment = if is_on(email_enabled)? {
            Amendment::On
        } else {
            Amendment::Off
        };
        let rules = Rules {
            network_id,
            amendment,
        };
        let transaction = codec::decode(bytes).map_err(|_| Ter::TEM_MALFORMED)?;
        let read = amendment::preflight(&transaction, &rules).map_err(|error| error.code())?;
        out.give(XeParsed(read));
        Ok(())
    })
}

/// What a mail and its transaction say. tesSUCCESS. Constant time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_parsed_facts(parsed: *const XeParsed, facts: *mut XeFacts) -> i32 {
    border(|| {
        // SAFETY: README, "What the caller holds", for a handle.
        let XeParsed(parsed) = unsafe { shared(parsed) }?;
        // SAFETY: README, "What the caller holds", for an output.
        let mut out = unsafe { Out::new(facts, XeFacts::NOTHING) }?;
        let name = parsed.key_name();
        out.put(XeFacts {
            account: *parsed.account().as_bytes(),
            email_id: *parsed.email_id().hash().as_bytes(),
            account_root_index: *keylet::account(parsed.account()).as_bytes(),
            email_replay_index: *keylet::email_replay(parsed.account()).as_bytes(),
            dkim_key_index: *name.keylet().as_bytes(),
            dkim_freeze_index: *keylet::dkim_freeze(name.domain().as_bytes()).as_bytes(),
            signed_date: parsed.signed_date().seconds(),
            domain: padded(name.domain()).ok_or(Code::INTERNAL)?,
            selector: padded(name.selector()).ok_or(Code::INTERNAL)?,
        });
        Ok(())
    })
}

/// Frees a handle. Null is nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_parsed_free(parsed: *mut XeParsed) {
    // SAFETY: README, "What the caller holds", for a handle that is freed.
    unsafe { free(parsed) };
}

/// Whether the sender's mail may act in this ledger, and whether its signature is proven under a key of the parent
/// ledger. Nothing before tesSUCCESS may take a fee. Needs, of this ledger, the AccountRoot and the EmailReplay of
/// the sender, and of the parent the DKIMKey, the DKIMFreeze, and the DKIMLeak of the key in the DKIMKey: without
/// some of them it answers XE_READ_MORE and lists them in `more`, at most twice; with all of them `more` is null.
///
/// tesSUCCESS and a handle; terNO_ACCOUNT, tefEMAIL_DISABLED, tefPAST_SEQ, terPRE_SEQ, tefMAX_LEDGER,
/// tefEMAIL_EXPIRED, terEMAIL_EARLY, tefEMAIL_REPLAY, tefEMAIL_AFTER, tefEMAIL_FULL, tefDKIM_FROZEN, terNO_DKIM_KEY,
/// tefDKIM_REVOKED, tefBAD_SIGNATURE, tefBAD_EMAIL_FEE, terINSUF_FEE_B. About 60 us with RSA-2048, 200 us with
/// RSA-4096, whatever the mail; under the key that proved the same handle before about 5 us.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_prove(
    parsed: *const XeParsed,
    ledger: *const XeLedger,
    entries: *const XeEntry,
    count: usize,
    more: *mut *mut XeList,
    ready: *mut *mut XeReady,
) -> i32 {
    border(|| {
        // SAFETY: README, "What the caller holds", for an output.
        let mut more = unsafe { Out::handle(more) }?;
        // SAFETY: the same.
        let mut out = unsafe { Out::handle(ready) }?;
        // SAFETY: README, "What the caller holds", for a handle.
        let XeParsed(parsed) = unsafe { shared(parsed) }?;
        let work = |view: &_| proven(parsed, view);
        // SAFETY: README, "What the caller holds", for a struct and for a row of entries.
        let proven = unsafe { with_ledger(ledger, entries, count, &mut more, work) }?;
        out.give(XeReady(proven));
        Ok(())
    })
}

/// All phases behind preflight. Where an entry is missing, all that they read whatever comes is asked for at once;
/// where none is, no index is computed twice.
fn proven(parsed: &Parsed, view: &crate::entries::View) -> Result<Ready, Code> {
    let ready = phases(parsed, view);
    if view.whole().is_err() {
        let name = parsed.key_name();
        view.entry(&keylet::account(parsed.account()));
        view.entry(&keylet::email_replay(parsed.account()));
        view.parent_entry(&keylet::dkim_freeze(name.domain().as_bytes()));
        view.parent_entry(&name.keylet());
    }
    ready
}

fn phases(parsed: &Parsed, view: &crate::entries::View) -> Result<Ready, Code> {
    let screened = amendment::screen(parsed.clone(), view).map_err(|error| error.code())?;
    let proven = amendment::authenticate(screened, view).map_err(|error| error.code())?;
    Ok(amendment::preclaim(proven, view).map_err(|error| error.code())?)
}

/// Frees a handle. Null is nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_ready_free(ready: *mut XeReady) {
    // SAFETY: README, "What the caller holds", for a handle that is freed.
    unsafe { free(ready) };
}

/// The sender's EmailReplay after this mail. Written together with sequence and fee, and again after everything else
/// was thrown away by a tec, then with XE_FEE_ONLY. `current` is the entry in this ledger before the mail; no bytes:
/// there is none. The PreviousTxn pair of `current` stays as it is; the ledger writes a new one.
///
/// tesSUCCESS and the entry; XE_BAD_BYTES where `current` is no entry. About 10 us.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_next_replay(
    ready: *const XeReady,
    current: XeSlice,
    effect: u32,
    next: *mut *mut XeBytes,
) -> i32 {
    border(|| {
        // SAFETY: README, "What the caller holds", for an output.
        let mut out = unsafe { Out::handle(next) }?;
        // SAFETY: README, "What the caller holds", for a handle.
        let XeReady(ready) = unsafe { shared(ready) }?;
        // SAFETY: README, "What the caller holds", for an input.
        let current = unsafe { object(current) }?;
        let effect = match effect {
            XE_APPLIED => Effect::Applied,
            XE_FEE_ONLY => Effect::FeeOnly,
            _ => return Err(Code::BAD_VALUE),
        };
        let next = amendment::next_replay_entry(current.as_ref(), ready, effect);
        out.give(serialized(&next));
        Ok(())
    })
}
