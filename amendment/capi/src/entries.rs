//! The ledger as a caller describes it: numbers, and the entries that it read.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use amendment::{AMENDMENT_EMAIL, ReadView};
use codec::format::EntryType;
use codec::{CloseTime, Drops, Hash256, LedgerIndex, Object};

use crate::code::Code;
use crate::handles::{XE_PARENT_LEDGER, XE_THIS_LEDGER, XeEntry, XeList};
use crate::limits::ENTRIES_MAX;
use crate::memory::{Out, XeSlice, row, shared};
use crate::version::XE_ABI_VERSION;

/// Numbers of the ledger that is being built. Times are seconds since 2000.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct XeLedger {
    /// XE_ABI_VERSION of the header that the caller was compiled with.
    pub abi: u32,
    /// NetworkID.
    pub network_id: u32,
    /// Index of the ledger that is being built.
    pub ledger_index: u32,
    /// Close time of its parent.
    pub parent_close_time: u32,
    /// Hash of its parent.
    pub parent_hash: [u8; 32],
    /// Base fee in drops, not scaled by load.
    pub base_fee: u64,
    /// Reserve of an account that owns nothing, in drops.
    pub reserve_base: u64,
    /// Reserve for each object that an account owns, in drops.
    pub reserve_increment: u64,
    /// 1 where the amendment Email is enabled in this ledger's rules, else 0.
    pub email_enabled: u32,
    /// 0.
    pub unused: u32,
}

/// True where a caller says 1, false where it says 0.
pub(crate) fn is_on(number: u32) -> Result<bool, Code> {
    match number {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Code::BAD_VALUE),
    }
}

/// An object as the ledger serializes it; `None` for no bytes.
///
/// # Safety
///
/// As for [`XeSlice::bytes`].
pub(crate) unsafe fn object(bytes: XeSlice) -> Result<Option<Object>, Code> {
    // SAFETY: what this function asks for is what that one asks for.
    let bytes = unsafe { bytes.bytes() }?;
    if bytes.is_empty() {
        return Ok(None);
    }
    codec::decode(bytes).map(Some).map_err(|_| Code::BAD_BYTES)
}

/// An entry that is read. An AccountRoot of a newer server may have fields that nobody here knows; no rule writes
/// one.
///
/// # Safety
///
/// As for [`XeSlice::bytes`].
unsafe fn entry(bytes: XeSlice) -> Result<Option<Object>, Code> {
    // SAFETY: what this function asks for is what that one asks for.
    let strict = unsafe { object(bytes) };
    if strict != Err(Code::BAD_BYTES) {
        return strict;
    }
    // SAFETY: the same.
    let bytes = unsafe { bytes.bytes() }?;
    let known = codec::decode_known(bytes).ok();
    let is_account = |entry: &Object| EntryType::of(entry) == Some(EntryType::AccountRoot);
    known.filter(is_account).map(Some).ok_or(Code::BAD_BYTES)
}

/// What a caller read of a ledger. Notes what it did not read.
pub(crate) struct View {
    ledger: XeLedger,
    email_enabled: bool,
    entries: BTreeMap<(u32, Hash256), Option<Object>>,
    missing: RefCell<BTreeSet<(u32, Hash256)>>,
}

impl View {
    /// # Safety
    ///
    /// README, "What the caller holds", for a struct and for a row of entries.
    unsafe fn new(ledger: *const XeLedger, entries: *const XeEntry, count: usize) -> Result<View, Code> {
        // SAFETY: what this function asks for is what that one asks for.
        let ledger = *unsafe { shared(ledger) }?;
        if ledger.abi != XE_ABI_VERSION {
            return Err(Code::BAD_VALUE);
        }
        // SAFETY: what this function asks for is what that one asks for.
        let rows = unsafe { row(entries, count, ENTRIES_MAX) }?;
        let mut entries = BTreeMap::new();
        for entry in rows {
            if !matches!(entry.ledger, XE_THIS_LEDGER | XE_PARENT_LEDGER) {
                return Err(Code::BAD_VALUE);
            }
            // SAFETY: the caller vouches for the bytes of each entry as for any input.
            let read = unsafe { self::entry(entry.bytes) }?;
            entries.insert((entry.ledger, Hash256::new(entry.index)), read);
        }
        Ok(View {
            email_enabled: is_on(ledger.email_enabled)?,
            ledger,
            entries,
            missing: RefCell::default(),
        })
    }

    fn read(&self, ledger: u32, index: &Hash256) -> Option<Object> {
        let known = self.entries.get(&(ledger, *index));
        if known.is_none() {
            self.missing.borrow_mut().insert((ledger, *index));
        }
        known.cloned().flatten()
    }

    /// Ends where something is missing, before more is computed in vain.
    pub(crate) fn whole(&self) -> Result<(), Code> {
        if self.missing.borrow().is_empty() {
            Ok(())
        } else {
            Err(Code::READ_MORE)
        }
    }
}

/// Lets `work` look at a ledger. Whatever it comes to, what it wanted to read and the caller did not hand in makes
/// XE_READ_MORE, and stands in `list`.
///
/// # Safety
///
/// README, "What the caller holds", for a struct and for a row of entries.
pub(crate) unsafe fn with_ledger<T>(
    ledger: *const XeLedger,
    entries: *const XeEntry,
    count: usize,
    list: &mut Out<*mut XeList>,
    work: impl FnOnce(&View) -> Result<T, Code>,
) -> Result<T, Code> {
    // SAFETY: what this function asks for is what that one asks for.
    let view = unsafe { View::new(ledger, entries, count) }?;
    let result = work(&view);
    view.whole().inspect_err(|_| {
        list.give(XeList::of_reads(view.missing.borrow().iter().copied()));
    })?;
    result
}

impl ReadView for View {
    fn network_id(&self) -> u32 {
        self.ledger.network_id
    }

    fn ledger_index(&self) -> LedgerIndex {
        LedgerIndex::new(self.ledger.ledger_index)
    }

    fn parent_close_time(&self) -> CloseTime {
        CloseTime::new(self.ledger.parent_close_time)
    }

    fn parent_hash(&self) -> Hash256 {
        Hash256::new(self.ledger.parent_hash)
    }

    fn base_fee(&self) -> Drops {
        Drops::new(self.ledger.base_fee)
    }

    fn reserve_base(&self) -> Drops {
        Drops::new(self.ledger.reserve_base)
    }

    fn reserve_increment(&self) -> Drops {
        Drops::new(self.ledger.reserve_increment)
    }

    // No rule asks: a node of this program alone has fees that differ.
    fn is_open(&self) -> bool {
        false
    }

    fn amendment_enabled(&self, id: &Hash256) -> bool {
        *id == AMENDMENT_EMAIL && self.email_enabled
    }

    fn entry(&self, key: &Hash256) -> Option<Object> {
        self.read(XE_THIS_LEDGER, key)
    }

    fn parent_entry(&self, key: &Hash256) -> Option<Object> {
        self.read(XE_PARENT_LEDGER, key)
    }
}
