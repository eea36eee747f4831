//! Votes of validators about keys, as a server like xahaud carries them: in validations (spec 7.6).

use amendment::{Write, count_votes, pack_vote};
use codec::CloseTime;
use codec::keys::PublicKey;

use crate::code::Code;
use crate::entries::{View, XeLedger, with_ledger};
use crate::handles::{XeBytes, XeEntry, XeList};
use crate::keys::{XeStatement, statement};
use crate::limits::VOTES_MAX;
use crate::memory::{Out, XeSlice, border, row};

/// What one validator said in its validation.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct XeVote {
    /// The validator's key as the list in the ledger has it.
    pub validator: [u8; 33],
    /// What `xe_pack_vote` made there: DKIMAnswers of the validation.
    pub answers: XeSlice,
}

/// DKIMAnswers for the validation of a voting ledger: one statement for each key or domain, as many as have room, in
/// one order whatever theirs is. A record that makes no key becomes XE_UNUSABLE, and what was observed more than 600
/// s before `now`, by the validator's clock, is left out. No bytes come out where nothing is said.
///
/// tesSUCCESS and the bytes; XE_BAD_VALUE where a statement is none. Linear in the bytes: about 400 us for 16 keys.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_pack_vote(
    statements: *const XeStatement,
    count: usize,
    now: u32,
    vote: *mut *mut XeBytes,
) -> i32 {
    border(|| {
        // SAFETY: README, "What the caller holds", for an output.
        let mut out = unsafe { Out::handle(vote) }?;
        // SAFETY: README, "What the caller holds", for a row of structs.
        let given = unsafe { row(statements, count, VOTES_MAX) }?;
        let mut seen = Vec::new();
        for one in &given {
            // SAFETY: README, "What the caller holds", for the inputs in it.
            let statement = unsafe { statement(one) }?.ok_or(Code::BAD_VALUE)?;
            seen.push((CloseTime::new(one.observed_at), statement));
        }
        out.give(XeBytes(pack_vote(CloseTime::new(now), seen)));
        Ok(())
    })
}

/// The DKIMKeySets that a count of validations comes to, for the transaction set of the ledger that is being built:
/// on tesSUCCESS `list` has each with its id as index, on XE_READ_MORE what has to be read. `ledger` is the one after
/// the flag ledger. Votes of validators that the flag ledger does not list do not count. What it reads of the new
/// ledger stands in the flag ledger too, its parent: the list of validators, and keys, freezes, evidence and
/// directories of the domains that are voted about.
///
/// tesSUCCESS and the list, which may be empty; XE_READ_MORE at most five times. Linear in the votes: about 1 ms
/// for 35 validators that vote about 16 keys.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_count_votes(
    votes: *const XeVote,
    votes_count: usize,
    ledger: *const XeLedger,
    entries: *const XeEntry,
    count: usize,
    list: *mut *mut XeList,
) -> i32 {
    border(|| {
        // SAFETY: README, "What the caller holds", for an output.
        let mut out = unsafe { Out::handle(list) }?;
        // SAFETY: README, "What the caller holds", for a row of entries.
        let rows = unsafe { row(votes, votes_count, VOTES_MAX) }?;
        let mut votes = Vec::new();
        for vote in &rows {
            // SAFETY: README, "What the caller holds", for an input.
            let answers = unsafe { vote.answers.bytes() }?;
            // A key of no known kind is in no list.
            if let Ok(validator) = PublicKey::parse(&vote.validator) {
                votes.push((validator, answers));
            }
        }
        let work = |view: &View| Ok(count_votes(view, &votes));
        // SAFETY: README, "What the caller holds", for a struct and for a row of entries.
        let sets = unsafe { with_ledger(ledger, entries, count, &mut out, work) }?;
        let by_id = |set| Write::Put(codec::tx::id(&set), set);
        out.give(XeList::of_writes(sets.into_iter().map(by_id).collect()));
        Ok(())
    })
}
