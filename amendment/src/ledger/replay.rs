//! The EmailReplay entry of an account: which mails were executed, how many count, what the next entry is.
//! Pure functions from entry to entry; the ledger stores them.
//!
//! Spec: 8.2 to 8.6, 9.

use codec::format::EntryType;
use codec::{AccountId, CloseTime, Drops, Field, Hash256, Object, sf};

use crate::ledger::transaction::EmailId;
use crate::limits::{
    DEAD_ENTRIES_REMOVED_MAX, DISABLE_EMAIL_WAIT_SECS, EMAIL_WINDOW_SECS, FEE_CEILING_FACTOR,
    FEE_MARGIN_BASE_FEES,
};

/// What became of the transaction whose mail is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Its effects stand (tes): a REKEY sets LastRekey.
    Applied,
    /// It only claims its fee (tec).
    FeeOnly,
}

/// What is entered for an executed mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReplayMark {
    /// Hash of the signed meaning.
    pub(crate) email_id: EmailId,
    /// SHA-512Half of the DKIM signature value.
    pub(crate) signature_hash: Hash256,
    /// The signed Date.
    pub(crate) signed_date: CloseTime,
}

/// Whether an entry of that date still counts.
///
/// Spec: 8.4. Live while D + EMAIL_WINDOW >= now: as long as rule 4.6 would let the mail in.
fn is_live(entry: &Object, now: CloseTime) -> bool {
    let date = entry.u32(sf::SIGNED_DATE).unwrap_or_default();
    u64::from(date).saturating_add(u64::from(EMAIL_WINDOW_SECS)) >= u64::from(now.seconds())
}

fn entries(current: Option<&Object>) -> &[(Field, Object)] {
    current
        .and_then(|entry| entry.array(sf::EMAIL_REPLAY_ENTRIES))
        .unwrap_or_default()
}

/// Live entries of an account.
///
/// Spec: 8.4. They count for the 64 of rule 8.5 and for the fee, and keep the account from being deleted.
#[must_use]
pub fn live_entries(current: Option<&Object>, now: CloseTime) -> usize {
    entries(current)
        .iter()
        .filter(|(_, entry)| is_live(entry, now))
        .count()
}

/// Whether the mail, or its signature, was entered before.
///
/// Spec: 8.2. Dead entries refuse as well; the window has refused their mails already.
pub(crate) fn is_entered(current: Option<&Object>, mark: &ReplayMark) -> bool {
    entries(current).iter().any(|(_, entry)| {
        entry.hash256(sf::EMAIL_ID) == Some(mark.email_id.hash())
            || entry.hash256(sf::SIGNATURE_HASH) == Some(mark.signature_hash)
    })
}

/// The date of the last applied REKEY; mails up to it are refused.
///
/// Spec: 8.6.
pub fn last_rekey(current: Option<&Object>) -> Option<CloseTime> {
    current
        .and_then(|entry| entry.u32(sf::LAST_REKEY))
        .map(CloseTime::new)
}

/// The fee that a mail has to pay at least: base fee + 1 drop per memo byte + base fee x live entries.
///
/// Spec: 9. `live` counts the entries as before this mail. `None` where it exceeds what a fee can be.
///
/// ```
/// use amendment::required_fee;
/// use codec::Drops;
///
/// assert_eq!(required_fee(Drops::new(10), 1_000, 3), Some(Drops::new(1_040)));
/// ```
#[must_use]
pub fn required_fee(base_fee: Drops, memo_bytes: usize, live: usize) -> Option<Drops> {
    let memo = u64::try_from(memo_bytes).ok()?;
    let live = u64::try_from(live).ok()?;
    let entries = base_fee.get().checked_mul(live)?;
    base_fee
        .get()
        .checked_add(memo)?
        .checked_add(entries)
        .map(Drops::new)
}

/// The fee that `submit_email` sets: the required one plus 10 base fees, so that a neighbour in the same
/// ledger does not make it too small.
///
/// Spec: 6.3.
#[must_use]
pub fn submit_fee(base_fee: Drops, memo_bytes: usize, live: usize) -> Option<Drops> {
    let margin = base_fee.get().checked_mul(FEE_MARGIN_BASE_FEES)?;
    required_fee(base_fee, memo_bytes, live)?
        .get()
        .checked_add(margin)
        .map(Drops::new)
}

/// Whether an account may take itself off email now (AccountSet with asfDisableEmail; else tecTOO_SOON).
///
/// Spec: 11. Not within 72 hours of LastRekey, nor of the ledger that applied the REKEY (ActiveAfter): the
/// mailbox's owner has that long to REKEY back, and the date of a mail is its author's choice.
#[must_use]
pub fn may_disable_email(current: Option<&Object>, now: CloseTime) -> bool {
    let by_date = last_rekey(current).map(|last| last.seconds().saturating_add(DISABLE_EMAIL_WAIT_SECS));
    let by_ledger = current.and_then(|entry| entry.u32(sf::ACTIVE_AFTER));
    by_date.max(by_ledger).is_none_or(|open| now.seconds() >= open)
}

/// Whether a fee lies between the required one and ten times it.
///
/// Spec: 6.3. More would let a submitter burn the balance of an address that he can type.
pub(crate) fn is_fee_allowed(fee: Drops, required: Drops) -> bool {
    let ceiling = required.get().saturating_mul(FEE_CEILING_FACTOR);
    (required.get()..=ceiling).contains(&fee.get())
}

/// The EmailReplay entry after a mail: its mark added, up to 8 dead entries removed, LastRekey set by an
/// applied REKEY.
///
/// Spec: 8.2, 8.3, 8.4, 8.6. Called next to sequence and fee, and again after a tec reset
/// (`Effect::FeeOnly`). Of the dead entries those with the smallest EmailIDs go first. The ledger writes the
/// PreviousTxn pair.
pub(crate) fn entry_after(
    current: Option<&Object>,
    account: AccountId,
    mark: &ReplayMark,
    rekey: Option<CloseTime>,
    now: CloseTime,
) -> Object {
    let mut dead_left = DEAD_ENTRIES_REMOVED_MAX;
    let mut kept: Vec<(Field, Object)> = Vec::new();
    for (name, entry) in entries(current) {
        if !is_live(entry, now) && dead_left > 0 {
            dead_left = dead_left.saturating_sub(1);
        } else {
            kept.push((*name, entry.clone()));
        }
    }
    let added = Object::new()
        .with(sf::EMAIL_ID, mark.email_id.hash())
        .with(sf::SIGNATURE_HASH, mark.signature_hash)
        .with(sf::SIGNED_DATE, mark.signed_date.seconds());
    let place = kept.partition_point(|(_, entry)| entry.hash256(sf::EMAIL_ID) < Some(mark.email_id.hash()));
    kept.insert(place, (sf::EMAIL_REPLAY_ENTRY, added));
    let mut next = match current {
        Some(entry) => entry.clone(),
        None => Object::new()
            .with(sf::LEDGER_ENTRY_TYPE, EntryType::EmailReplay.code())
            .with(sf::FLAGS, 0_u32)
            .with(sf::ACCOUNT, account),
    };
    next.set(sf::EMAIL_REPLAY_ENTRIES, kept);
    if let Some(date) = rekey {
        next.set(sf::LAST_REKEY, date.seconds());
        let leave_after = now.seconds().saturating_add(DISABLE_EMAIL_WAIT_SECS);
        next.set(sf::ACTIVE_AFTER, leave_after);
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: AccountId = AccountId::new([7; 20]);

    fn mark(id: u8, date: u32) -> ReplayMark {
        ReplayMark {
            email_id: EmailId::new(Hash256::new([id; 32])),
            signature_hash: Hash256::new([!id; 32]),
            signed_date: CloseTime::new(date),
        }
    }

    fn add(current: Option<&Object>, mark: ReplayMark, now: u32) -> Object {
        entry_after(current, ACCOUNT, &mark, None, CloseTime::new(now))
    }

    fn ids(entry: &Object) -> Vec<u8> {
        entries(Some(entry))
            .iter()
            .filter_map(|(_, e)| e.hash256(sf::EMAIL_ID))
            .map(|h| h.as_bytes()[0])
            .collect()
    }

    #[test]
    fn entries_stay_sorted_and_refuse_id_and_signature() {
        let entry = [5, 1, 9, 3].iter().fold(None, |entry: Option<Object>, id| {
            Some(add(entry.as_ref(), mark(*id, 10), 10))
        });
        let entry = entry.expect("four entries");
        assert_eq!(ids(&entry), [1, 3, 5, 9]);
        assert!(EntryType::EmailReplay.template().is_some());
        assert!(is_entered(Some(&entry), &mark(5, 10)));
        let same_signature = ReplayMark {
            signature_hash: mark(9, 10).signature_hash,
            ..mark(2, 10)
        };
        assert!(is_entered(Some(&entry), &same_signature));
        assert!(!is_entered(Some(&entry), &mark(2, 10)));
        assert!(!is_entered(None, &mark(2, 10)));
    }

    #[test]
    fn an_entry_is_live_to_the_last_second_of_its_window() {
        let entry = add(None, mark(1, 100), 100);
        assert_eq!(live_entries(Some(&entry), CloseTime::new(432_100)), 1);
        assert_eq!(live_entries(Some(&entry), CloseTime::new(432_101)), 0);
        assert_eq!(live_entries(None, CloseTime::new(0)), 0);
    }

    #[test]
    fn each_mail_removes_up_to_eight_dead_entries_and_no_live_one() {
        let mut entry = None;
        for id in 1..=10 {
            entry = Some(add(entry.as_ref(), mark(id, 10), 10));
        }
        let entry = add(entry.as_ref(), mark(11, 500_000), 500_000);
        assert_eq!(ids(&entry), [9, 10, 11]);
        let entry = add(Some(&entry), mark(12, 500_000), 500_000);
        assert_eq!(ids(&entry), [11, 12]);
    }

    #[test]
    fn last_rekey_is_set_by_an_applied_rekey_alone() {
        let date = CloseTime::new(10);
        let entry = entry_after(None, ACCOUNT, &mark(1, 10), Some(date), date);
        assert_eq!(last_rekey(Some(&entry)), Some(date));
        let later = add(Some(&entry), mark(2, 20), 20);
        assert_eq!(last_rekey(Some(&later)), Some(date));
        assert_eq!(last_rekey(Some(&add(None, mark(2, 20), 20))), None);
    }

    #[test]
    fn email_is_disabled_72_hours_after_a_rekey_at_the_earliest() {
        let date = CloseTime::new(1_000);
        let entry = entry_after(None, ACCOUNT, &mark(1, 1_000), Some(date), date);
        assert!(!may_disable_email(Some(&entry), CloseTime::new(260_199)));
        assert!(may_disable_email(Some(&entry), CloseTime::new(260_200)));
        assert!(may_disable_email(Some(&add(None, mark(1, 1_000), 1_000)), date));
        assert!(may_disable_email(None, date));
        // A mail that is four days old when it is applied does not shorten the 72 hours.
        let applied = CloseTime::new(345_600);
        let entry = entry_after(None, ACCOUNT, &mark(1, 1_000), Some(date), applied);
        assert!(!may_disable_email(
            Some(&entry),
            CloseTime::new(345_600 + 259_199)
        ));
        assert!(may_disable_email(Some(&entry), CloseTime::new(345_600 + 259_200)));
    }

    #[test]
    fn fee_counts_memo_bytes_and_live_entries() {
        assert_eq!(required_fee(Drops::new(10), 1_000, 0), Some(Drops::new(1_010)));
        assert_eq!(required_fee(Drops::new(10), 1_000, 64), Some(Drops::new(1_650)));
        assert_eq!(required_fee(Drops::new(u64::MAX), 1, 0), None);
        assert_eq!(submit_fee(Drops::new(10), 1_000, 64), Some(Drops::new(1_750)));
        let required = Drops::new(100);
        for (fee, allowed) in [(99, false), (100, true), (1_000, true), (1_001, false)] {
            assert_eq!(is_fee_allowed(Drops::new(fee), required), allowed, "{fee}");
        }
    }
}
