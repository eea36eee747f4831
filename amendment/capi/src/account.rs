//! What an account pays and may do, and whose it is.

use amendment::address::{parse_recipient, parse_sender};
use codec::format::TxType;
use codec::{CloseTime, Drops, Ter, sf};

use crate::code::Code;
use crate::entries::object;
use crate::memory::{Out, XeSlice, border};

/// Live entries of an account's EmailReplay at a time (the parent's close time): while there are any, the account
/// cannot be deleted. No bytes: there is no entry, and none lives.
///
/// tesSUCCESS; XE_BAD_BYTES. About 10 us.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_live_entries(email_replay: XeSlice, now: u32, live: *mut u32) -> i32 {
    border(|| {
        // SAFETY: README, "What the caller holds", for an output.
        let mut out = unsafe { Out::new(live, 0) }?;
        // SAFETY: README, "What the caller holds", for an input.
        let replay = unsafe { object(email_replay) }?;
        let live = amendment::live_entries(replay.as_ref(), CloseTime::new(now));
        out.put(u32::try_from(live).map_err(|_| Code::INTERNAL)?);
        Ok(())
    })
}

/// The smallest and the largest fee, in drops, that a transaction signed by a mail may pay: base fee, a drop for each
/// byte of its memo, and for a REMIT a base fee for each live entry of its account. `queued` counts the REMITs of the
/// account that stand before it in a queue: each of them will be a live entry. 0 for a ledger. `base_fee` is not
/// scaled by load; `now` is the parent's close time.
///
/// tesSUCCESS; temMALFORMED where the transaction is none; tefBAD_EMAIL_FEE where no fee is large enough. Linear in
/// the bytes: about 5 us for 5 KB.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_required_fee(
    transaction: XeSlice,
    email_replay: XeSlice,
    now: u32,
    base_fee: u64,
    queued: u32,
    required: *mut u64,
    ceiling: *mut u64,
) -> i32 {
    border(|| {
        // SAFETY: README, "What the caller holds", for an output.
        let mut required = unsafe { Out::new(required, u64::MAX) }?;
        // SAFETY: the same.
        let mut ceiling = unsafe { Out::new(ceiling, 0) }?;
        // SAFETY: README, "What the caller holds", for an input.
        let bytes = unsafe { transaction.bytes() }?;
        // SAFETY: the same.
        let replay = unsafe { object(email_replay) }?;
        let transaction = codec::decode(bytes).map_err(|_| Ter::TEM_MALFORMED)?;
        let memos = transaction.array(sf::MEMOS).unwrap_or_default();
        let memos = memos.iter().filter_map(|(_, memo)| memo.blob(sf::MEMO_DATA));
        let memo_bytes = memos.fold(0_usize, |sum, memo| sum.saturating_add(memo.len()));
        let live = if TxType::of(&transaction) == Some(TxType::Remit) {
            let queued = usize::try_from(queued).map_err(|_| Code::INTERNAL)?;
            amendment::live_entries(replay.as_ref(), CloseTime::new(now)).saturating_add(queued)
        } else {
            0
        };
        let base_fee = Drops::new(base_fee);
        let least = amendment::required_fee(base_fee, memo_bytes, live).ok_or(Ter::TEF_BAD_EMAIL_FEE)?;
        required.put(least.get());
        ceiling.put(amendment::fee_ceiling(least, base_fee).get());
        Ok(())
    })
}

/// Whether an account may take itself off email now (AccountSet with asfDisableEmail), and whatever else takes it
/// away from a REKEY (SignerListSet, SetHook; `xe_may_delete_account` knows AccountDelete). `email_replay` is its
/// EmailReplay, no bytes where there is none; `now` the parent's close time.
///
/// tesSUCCESS; tecTOO_SOON within 72 hours of its last REKEY; XE_BAD_BYTES. About 10 us.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_may_disable_email(email_replay: XeSlice, now: u32) -> i32 {
    border(|| {
        // SAFETY: README, "What the caller holds", for an input.
        let replay = unsafe { object(email_replay) }?;
        if amendment::may_disable_email(replay.as_ref(), CloseTime::new(now)) {
            Ok(())
        } else {
            Err(Ter::TEC_TOO_SOON.into())
        }
    })
}

/// Whether an account may be deleted (AccountDelete), and what becomes of its EmailReplay then: `stays` is 1 where it
/// stays on the ledger, since a REKEY wrote it, and 0 where it goes with the account. `email_replay` and `now` as
/// before.
///
/// tesSUCCESS; tecTOO_SOON within 72 hours of its last REKEY; tecHAS_OBLIGATIONS while entries live; XE_BAD_BYTES.
/// About 10 us.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_may_delete_account(email_replay: XeSlice, now: u32, stays: *mut u32) -> i32 {
    border(|| {
        // SAFETY: README, "What the caller holds", for an output.
        let mut out = unsafe { Out::new(stays, 1) }?;
        // SAFETY: README, "What the caller holds", for an input.
        let replay = unsafe { object(email_replay) }?;
        let outlives = replay.as_ref().is_some_and(amendment::outlives_account);
        amendment::may_delete_account(replay.as_ref(), CloseTime::new(now)).map_err(|error| error.code())?;
        out.put(u32::from(outlives));
        Ok(())
    })
}

/// AccountID of an address as a sender has it (spec 2.1 to 2.3): ASCII, no name around it.
///
/// tesSUCCESS; temMALFORMED where it is no address that may send. About 1 us.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_account_of(address: XeSlice, account: *mut [u8; 20]) -> i32 {
    border(|| {
        // SAFETY: README, "What the caller holds", for an output.
        let mut out = unsafe { Out::new(account, [0; 20]) }?;
        // SAFETY: README, "What the caller holds", for an input.
        let address = unsafe { address.bytes() }?;
        let address = std::str::from_utf8(address).map_err(|_| Ter::TEM_MALFORMED)?;
        let sender = parse_sender(address).map_err(|_| Ter::TEM_MALFORMED)?;
        out.put(*sender.account().as_bytes());
        Ok(())
    })
}

/// AccountID and DestinationTag that a recipient names (spec 2.4): an address, or a classic address with or without
/// `+tag`. `has_tag` becomes 1 where there is a tag, else 0.
///
/// tesSUCCESS; temMALFORMED where it names none. About 2 us.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_recipient_of(
    address: XeSlice,
    account: *mut [u8; 20],
    tag: *mut u32,
    has_tag: *mut u32,
) -> i32 {
    border(|| {
        // SAFETY: README, "What the caller holds", for an output.
        let mut account = unsafe { Out::new(account, [0; 20]) }?;
        // SAFETY: the same.
        let mut tag = unsafe { Out::new(tag, 0) }?;
        // SAFETY: the same.
        let mut has_tag = unsafe { Out::new(has_tag, 0) }?;
        // SAFETY: README, "What the caller holds", for an input.
        let address = unsafe { address.bytes() }?;
        let address = std::str::from_utf8(address).map_err(|_| Ter::TEM_MALFORMED)?;
        let recipient = parse_recipient(address).map_err(|_| Ter::TEM_MALFORMED)?;
        account.put(*recipient.account().as_bytes());
        tag.put(recipient.tag().unwrap_or(0));
        has_tag.put(u32::from(recipient.tag().is_some()));
        Ok(())
    })
}
