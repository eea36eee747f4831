//! What the library gives away and takes back: bytes, and lists of entries.

use amendment::Write;
use codec::{Hash256, Object};

use crate::code::Code;
use crate::memory::{Out, XeSlice, border, free, shared};

/// The ledger that is being built, or the open one, as it stands now.
pub const XE_THIS_LEDGER: u32 = 0;
/// Its parent, as it was closed.
pub const XE_PARENT_LEDGER: u32 = 1;

/// An entry of a ledger.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct XeEntry {
    /// Its index.
    pub index: [u8; 32],
    /// XE_THIS_LEDGER or XE_PARENT_LEDGER.
    pub ledger: u32,
    /// It as serialized; no bytes: there is none, or it is removed.
    pub bytes: XeSlice,
}

impl XeEntry {
    pub(crate) const NOTHING: XeEntry = XeEntry {
        index: [0; 32],
        ledger: XE_THIS_LEDGER,
        bytes: XeSlice::EMPTY,
    };
}

/// Bytes that the library made. Never changes, so threads may share it.
pub struct XeBytes(pub(crate) Vec<u8>);

/// Entries of a ledger that have to be read, or that have to be written. Never changes, so threads may share it.
pub struct XeList(Vec<Listed>);

struct Listed {
    index: Hash256,
    ledger: u32,
    bytes: Option<Vec<u8>>,
}

impl XeList {
    /// Entries that have to be read.
    pub(crate) fn of_reads(reads: impl Iterator<Item = (u32, Hash256)>) -> XeList {
        let listed = reads.map(|(ledger, index)| Listed {
            index,
            ledger,
            bytes: None,
        });
        XeList(listed.collect())
    }

    /// Entries that have to be written.
    pub(crate) fn of_writes(writes: Vec<Write>) -> XeList {
        let listed = writes.into_iter().map(|write| {
            let (index, bytes) = match write {
                Write::Put(index, entry) => (index, Some(codec::encode(&entry))),
                Write::Erase(index) => (index, None),
            };
            Listed {
                index,
                ledger: XE_THIS_LEDGER,
                bytes,
            }
        });
        XeList(listed.collect())
    }
}

/// The bytes; good until the handle is freed. Null gives none. Never fails. Constant time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_bytes_slice(bytes: *const XeBytes) -> XeSlice {
    // SAFETY: README, "What the caller holds", for a handle.
    let bytes = unsafe { shared(bytes) };
    bytes.map_or(XeSlice::EMPTY, |bytes| XeSlice::of(&bytes.0))
}

/// Frees bytes. Null is nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_bytes_free(bytes: *mut XeBytes) {
    // SAFETY: README, "What the caller holds", for a handle that is freed.
    unsafe { free(bytes) };
}

/// How many entries a list has. Null has none. Never fails. Constant time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_list_count(list: *const XeList) -> usize {
    // SAFETY: README, "What the caller holds", for a handle.
    let list = unsafe { shared(list) };
    list.map_or(0, |list| list.0.len())
}

/// The entry at a position, from 0: of entries to read the index and the ledger; of entries to write the index and
/// the new bytes, or none where the entry is removed. They are good until the list is freed. XE_NOT_FOUND behind the
/// last one. Constant time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_list_entry(list: *const XeList, position: usize, entry: *mut XeEntry) -> i32 {
    border(|| {
        // SAFETY: README, "What the caller holds", for a handle.
        let list = unsafe { shared(list) }?;
        // SAFETY: README, "What the caller holds", for an output.
        let mut out = unsafe { Out::new(entry, XeEntry::NOTHING) }?;
        let listed = list.0.get(position).ok_or(Code::NOT_FOUND)?;
        out.put(XeEntry {
            index: *listed.index.as_bytes(),
            ledger: listed.ledger,
            bytes: listed.bytes.as_deref().map_or(XeSlice::EMPTY, XeSlice::of),
        });
        Ok(())
    })
}

/// Frees a list. Null is nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_list_free(list: *mut XeList) {
    // SAFETY: README, "What the caller holds", for a handle that is freed.
    unsafe { free(list) };
}

/// An object as bytes of the ledger.
pub(crate) fn serialized(object: &Object) -> XeBytes {
    XeBytes(codec::encode(object))
}
