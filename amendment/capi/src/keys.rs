//! Keys of mail providers: records of DNS, and what the ledger makes of them.

use std::cmp::Ordering;

use amendment::{
    Amendment, Answer, Attestation, KeyDelays, KeyLeak, KeySet, ReadView, Rules, Statement, Votes,
    key_record, key_set_writes,
};
use codec::keys::PublicKey;
use codec::{CloseTime, LedgerIndex, Ter, keylet};

use crate::code::Code;
use crate::entries::{View, XeLedger, object, with_ledger};
use crate::handles::{XeBytes, XeEntry, XeList, serialized};
use crate::limits::ATTESTATIONS_MAX;
use crate::memory::{Out, XeSlice, border, row, shared};

/// DNS has no such record (NXDOMAIN or NODATA).
pub const XE_ABSENT: u32 = 0;
/// DNS has something that is no usable record, such as several.
pub const XE_UNUSABLE: u32 = 1;
/// DNS has one TXT record.
pub const XE_RECORD: u32 = 2;
/// The validator's operator stops the mail of a domain.
pub const XE_FROZEN: u32 = 3;
/// The validator's operator lets it through again.
pub const XE_LIFTED: u32 = 4;

/// What a validator says of a key, or of a domain (spec 7.7, 7.10).
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct XeStatement {
    /// Domain of the key (d=), lower case.
    pub domain: XeSlice,
    /// Selector of the key (s=), lower case; no bytes for XE_FROZEN and XE_LIFTED.
    pub selector: XeSlice,
    /// For XE_RECORD the record, the strings of the TXT record joined; else no bytes.
    pub record: XeSlice,
    /// XE_ABSENT, XE_UNUSABLE, XE_RECORD, XE_FROZEN or XE_LIFTED.
    pub answer: u32,
    /// When, by the validator's clock, in seconds since 2000.
    pub observed_at: u32,
}

/// A statement that a validator has signed.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct XeAttestation {
    /// What it says.
    pub statement: XeStatement,
    /// The validator's key, 33 bytes as in the ledger's list of validators.
    pub public_key: XeSlice,
    /// Its signature over the bytes of xe_attestation_message.
    pub signature: XeSlice,
}

/// A statement; `None` for parts that make none.
///
/// # Safety
///
/// README, "What the caller holds", for the inputs in it.
pub(crate) unsafe fn statement(given: &XeStatement) -> Result<Option<Statement>, Code> {
    // SAFETY: what this function asks for is what that one asks for.
    let domain = unsafe { given.domain.bytes() }?;
    // SAFETY: the same.
    let selector = unsafe { given.selector.bytes() }?;
    // SAFETY: the same.
    let record = unsafe { given.record.bytes() }?;
    let code = u8::try_from(given.answer).ok();
    Ok(code.and_then(|code| Statement::from_parts(domain, selector, code, record)))
}

/// An attestation; `None` where its statement or its key is none, so that it counts for nothing.
///
/// # Safety
///
/// README, "What the caller holds", for the inputs in it.
unsafe fn attestation(given: &XeAttestation) -> Result<Option<Attestation>, Code> {
    // SAFETY: what this function asks for is what that one asks for.
    let statement = unsafe { statement(&given.statement) }?;
    // SAFETY: the same.
    let public_key = unsafe { given.public_key.bytes() }?;
    // SAFETY: the same.
    let signature = unsafe { given.signature.bytes() }?;
    let parts = statement.zip(PublicKey::parse(public_key).ok());
    Ok(parts.map(|(statement, public_key)| Attestation {
        statement,
        observed_at: CloseTime::new(given.statement.observed_at),
        public_key,
        signature: signature.to_vec(),
    }))
}

/// One order for the same attestations.
fn in_order(one: &Attestation, two: &Attestation) -> Ordering {
    let key = |one: &Attestation| (*one.public_key.as_bytes(), one.observed_at);
    let statements = one.statement.cmp(&two.statement);
    statements
        .then_with(|| key(one).cmp(&key(two)))
        .then_with(|| one.signature.cmp(&two.signature))
}

/// The bytes that a validator signs to attest a statement (spec 7.7).
///
/// tesSUCCESS and the bytes; XE_BAD_VALUE where the statement is none: a name in upper case or no name, a record
/// beside another answer or longer than 4,096 bytes. About 1 us.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_attestation_message(
    network_id: u32,
    said: *const XeStatement,
    message: *mut *mut XeBytes,
) -> i32 {
    border(|| {
        // SAFETY: README, "What the caller holds", for an output.
        let mut out = unsafe { Out::handle(message) }?;
        // SAFETY: README, "What the caller holds", for a struct.
        let said = *unsafe { shared(said) }?;
        // SAFETY: README, "What the caller holds", for an input.
        let statement = unsafe { statement(&said) }?.ok_or(Code::BAD_VALUE)?;
        let observed_at = CloseTime::new(said.observed_at);
        let message = statement
            .message(network_id, observed_at)
            .ok_or(Code::BAD_VALUE)?;
        out.give(XeBytes(message));
        Ok(())
    })
}

/// The DKIMKeySet for the ledger that is being built, of attestations about one name or one domain (spec 7.2): a
/// function of the parent's entries and of these attestations, in whatever order they come. What does not count is
/// left out: what makes no statement, words of strangers, forged ones and those out of time. Reads the parent's
/// UNLReport and the entry that it is about.
///
/// tesSUCCESS and the transaction; XE_READ_MORE and `more`; XE_NOT_FOUND where they make no quorum or change nothing.
/// About 60 us for each attestation, of which there may be 1,024.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_build_key_set(
    attestations: *const XeAttestation,
    attestation_count: usize,
    ledger: *const XeLedger,
    entries: *const XeEntry,
    count: usize,
    more: *mut *mut XeList,
    transaction: *mut *mut XeBytes,
) -> i32 {
    border(|| {
        // SAFETY: README, "What the caller holds", for an output.
        let mut more = unsafe { Out::handle(more) }?;
        // SAFETY: the same.
        let mut out = unsafe { Out::handle(transaction) }?;
        // SAFETY: README, "What the caller holds", for a row of structs.
        let given = unsafe { row(attestations, attestation_count, ATTESTATIONS_MAX) }?;
        let mut attestations = Vec::new();
        for one in &given {
            // SAFETY: README, "What the caller holds", for the inputs in it.
            attestations.extend(unsafe { attestation(one) }?);
        }
        attestations.sort_by(in_order);
        let work = |view: &View| {
            let mut alike = attestations.chunk_by(|one, two| one.statement == two.statement);
            let set = alike.find_map(|alike| amendment::build_key_set(view, alike));
            set.ok_or(Code::NOT_FOUND)
        };
        // SAFETY: README, "What the caller holds", for a struct and for a row of entries.
        let set = unsafe { with_ledger(ledger, entries, count, &mut more, work) }?;
        out.give(serialized(&set));
        Ok(())
    })
}

/// The DKIMKeySet that removes a key which was not renewed for 30 days (spec 7.4). `dkim_key` is its entry in the
/// parent, `now` the parent's close time, `ledger_index` the index of the ledger that is being built.
///
/// tesSUCCESS and the transaction; XE_NOT_FOUND where the key was renewed; XE_BAD_BYTES. About 5 us.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_build_removal(
    dkim_key: XeSlice,
    now: u32,
    ledger_index: u32,
    transaction: *mut *mut XeBytes,
) -> i32 {
    border(|| {
        // SAFETY: README, "What the caller holds", for an output.
        let mut out = unsafe { Out::handle(transaction) }?;
        // SAFETY: README, "What the caller holds", for an input.
        let entry = unsafe { object(dkim_key) }?.ok_or(Code::BAD_BYTES)?;
        let (now, index) = (CloseTime::new(now), LedgerIndex::new(ledger_index));
        let set = amendment::build_removal(&entry, now, index).ok_or(Code::NOT_FOUND)?;
        out.give(serialized(&set));
        Ok(())
    })
}

/// Judges a DKIMKeySet and says what it writes (spec 7.1, 7.2, 7.4, 7.8, 7.10). On tesSUCCESS `list` has the writes,
/// on XE_READ_MORE what has to be read: of the parent the UNLReport; of this ledger the entry that the set is about,
/// its domain's directory and the keys in it, the network's delays, and the DKIMLeak of the key.
///
/// tesSUCCESS and the writes; temDISABLED, temMALFORMED, tefPAST_SEQ, tefBAD_QUORUM, tefBAD_AUTH, tefBAD_SIGNATURE,
/// tefFAILURE, tefALREADY, tefBAD_LEDGER. About 60 us for each attestation, of which there are at most 256; at most
/// 40 entries are read, in three calls.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_key_set(
    transaction: XeSlice,
    ledger: *const XeLedger,
    entries: *const XeEntry,
    count: usize,
    list: *mut *mut XeList,
) -> i32 {
    border(|| {
        // SAFETY: README, "What the caller holds", for an output.
        let mut out = unsafe { Out::handle(list) }?;
        // SAFETY: README, "What the caller holds", for an input.
        let bytes = unsafe { transaction.bytes() }?;
        let transaction = codec::decode(bytes).map_err(|_| Ter::TEM_MALFORMED)?;
        let work = |view: &View| {
            let set = KeySet::preflight(&transaction, email(view), view.ledger_index(), Votes::Counted)?;
            read_ahead(&set, view)?;
            set.preclaim(view)?;
            Ok(key_set_writes(&set, view)?)
        };
        // SAFETY: README, "What the caller holds", for a struct and for a row of entries.
        let writes = unsafe { with_ledger(ledger, entries, count, &mut out, work) }?;
        out.give(XeList::of_writes(writes));
        Ok(())
    })
}

fn email(view: &View) -> Amendment {
    Rules::of(view).amendment
}

/// Asks at once for what is read in most cases, so that signatures are not checked again for each entry.
fn read_ahead(set: &KeySet, view: &View) -> Result<(), Code> {
    view.parent_entry(&keylet::unl_report());
    view.entry(&set.statement().subject().keylet());
    if let Statement::Key(name, answer) = set.statement() {
        let directory = view.entry(&name.directory()).unwrap_or_default();
        for key in directory.vector256(codec::sf::INDEXES).unwrap_or_default() {
            view.entry(key);
        }
        if let Answer::Record(record) = answer
            && let Ok(key) = key_record::parse_txt(record)
        {
            view.entry(&key.leak_keylet());
        }
    }
    view.entry(&KeyDelays::keylet());
    view.whole()
}

/// Judges a DKIMKeyLeak, but for its signature, sequence and fee, which are those of any transaction, and says what
/// it writes (spec 7.9). On tesSUCCESS `list` has the writes, on XE_READ_MORE what has to be read: the DKIMKey, and
/// the DKIMLeak of its key.
///
/// tesSUCCESS and the writes; temDISABLED, temINVALID_FLAG, temMALFORMED, tecNO_ENTRY, tefALREADY, tefBAD_SIGNATURE.
/// About 60 us with RSA-2048.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_key_leak(
    transaction: XeSlice,
    ledger: *const XeLedger,
    entries: *const XeEntry,
    count: usize,
    list: *mut *mut XeList,
) -> i32 {
    border(|| {
        // SAFETY: README, "What the caller holds", for an output.
        let mut out = unsafe { Out::handle(list) }?;
        // SAFETY: README, "What the caller holds", for an input.
        let bytes = unsafe { transaction.bytes() }?;
        let transaction = codec::decode(bytes).map_err(|_| Ter::TEM_MALFORMED)?;
        let work = |view: &View| {
            let leak = KeyLeak::preflight(&transaction, email(view))?;
            let judged = leak.preclaim(view);
            view.whole()?;
            judged?;
            Ok(leak.writes(view)?)
        };
        // SAFETY: README, "What the caller holds", for a struct and for a row of entries.
        let writes = unsafe { with_ledger(ledger, entries, count, &mut out, work) }?;
        out.give(XeList::of_writes(writes));
        Ok(())
    })
}

/// A key record (RFC 6376 3.6.1), the strings of the one TXT record joined: DKIMKeyType, Flags and PublicKey of the
/// entry that it makes (spec 4.5).
///
/// tesSUCCESS; temMALFORMED where the record makes no key: the answer is then "unusable". About 20 us.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_parse_record(
    record: XeSlice,
    key_type: *mut u8,
    flags: *mut u32,
    public_key: *mut *mut XeBytes,
) -> i32 {
    border(|| {
        // SAFETY: README, "What the caller holds", for an output.
        let mut key_type = unsafe { Out::new(key_type, 0) }?;
        // SAFETY: the same.
        let mut flags = unsafe { Out::new(flags, 0) }?;
        // SAFETY: the same.
        let mut public_key = unsafe { Out::handle(public_key) }?;
        // SAFETY: README, "What the caller holds", for an input.
        let record = unsafe { record.bytes() }?;
        let key = key_record::parse_txt(record).map_err(|_| Ter::TEM_MALFORMED)?;
        key_type.put(key.key_type().code());
        flags.put(key.flags());
        public_key.give(XeBytes(key.public_key().to_vec()));
        Ok(())
    })
}
