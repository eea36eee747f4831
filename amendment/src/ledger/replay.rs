//! The EmailReplay entry of an account: which mails were executed, what its last REKEY ended, what the next entry
//! is. Pure functions from entry to entry; the ledger stores them.
//!
//! Spec: 8.2 to 8.6, 9.

use codec::format::EntryType;
use codec::{AccountId, CloseTime, Drops, Field, Hash256, Object, Ter, Value, sf};
use thiserror::Error;

use crate::dkim::window::SignedAt;
use crate::instruction::mark::RekeyMark;
use crate::instruction::order::Order;
use crate::ledger::transaction::EmailId;
use crate::limits::{
    DEAD_ENTRIES_REMOVED_MAX, EMAIL_WINDOW_SECS, FEE_CEILING_BASE_FEES, FEE_MARGIN_BASE_FEES,
    LIVE_ENTRIES_MAX,
};
use crate::rule::Rule;

/// Why what an account did before refuses a mail. Codes: tef.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ReplayError {
    /// tefEMAIL_REPLAY. Spec: 8.2.
    #[error("this mail was already executed")]
    Executed,
    /// tefEMAIL_EXPIRED. Spec: 8.6.
    #[error("the mail was signed before the last REKEY of its account")]
    BeforeLastRekey,
    /// tefEMAIL_DISABLED: a REMIT without `t=`. Spec: 8.6.
    #[error("the account has a key, and this mail does not show when its provider signed it")]
    KeyPays,
    /// tefEMAIL_AFTER. Spec: 8.6.
    #[error("{}", wrong_mark(*last))]
    WrongMark {
        /// The mark of the last REKEY; `None` where there is none.
        last: Option<RekeyMark>,
    },
    /// tefEMAIL_FULL. Spec: 8.5.
    #[error("the account paid by 64 mails within five days")]
    Full,
}

fn wrong_mark(last: Option<RekeyMark>) -> String {
    match last {
        Some(mark) => format!("the mail does not name the last REKEY of its account: AFTER {mark}"),
        None => "the mail names an earlier REKEY, and its account has none".to_owned(),
    }
}

impl ReplayError {
    /// The result code.
    #[must_use]
    pub fn code(&self) -> Ter {
        match self {
            ReplayError::Executed => Ter::TEF_EMAIL_REPLAY,
            ReplayError::BeforeLastRekey => Ter::TEF_EMAIL_EXPIRED,
            ReplayError::KeyPays => Ter::TEF_EMAIL_DISABLED,
            ReplayError::WrongMark { .. } => Ter::TEF_EMAIL_AFTER,
            ReplayError::Full => Ter::TEF_EMAIL_FULL,
        }
    }

    /// The number of the rule.
    #[must_use]
    pub fn rule(&self) -> Rule {
        match self {
            ReplayError::Executed => Rule::R8_2,
            ReplayError::BeforeLastRekey | ReplayError::KeyPays | ReplayError::WrongMark { .. } => Rule::R8_6,
            ReplayError::Full => Rule::R8_5,
        }
    }
}

/// What became of the transaction whose mail is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Its effects stand (tes): a REKEY makes a mark.
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
    /// When it was signed.
    pub(crate) signed_at: SignedAt,
}

/// The ledger in which a mail is executed, as far as the entry shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The parent's close time.
    pub(crate) now: CloseTime,
    /// The parent's hash.
    pub(crate) parent_hash: Hash256,
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

/// Whether what the account did before lets the mail pass.
///
/// Spec: 8.2, 8.5, 8.6. Executed stands before 8.6, so that the REKEY itself is reported as executed, not as old.
/// A REKEY takes no place among the 64: who fills an account must not keep its owner out.
pub(crate) fn check(
    current: Option<&Object>,
    mark: &ReplayMark,
    order: &Order,
    now: CloseTime,
) -> Result<(), ReplayError> {
    if is_entered(current, mark) {
        return Err(ReplayError::Executed);
    }
    if last_rekey(current).is_some_and(|last| mark.signed_at.time() <= last) {
        return Err(ReplayError::BeforeLastRekey);
    }
    check_mark(current, mark.signed_at, order)?;
    match order {
        Order::Remit { .. } if live_entries(current, now) >= LIVE_ENTRIES_MAX => Err(ReplayError::Full),
        Order::Remit { .. } | Order::Rekey { .. } => Ok(()),
    }
}

/// After a REKEY a mail whose time is its sender's word shows by the mark that it is younger.
///
/// Spec: 8.6. Attack: a thief dates mails ahead in his one minute, to be executed after the owner's REKEY.
fn check_mark(current: Option<&Object>, signed_at: SignedAt, order: &Order) -> Result<(), ReplayError> {
    let last = current.and_then(|entry| entry.hash256(sf::REKEY_MARK));
    let last = last.as_ref().map(RekeyMark::of);
    match (order, signed_at) {
        (Order::Remit { .. }, SignedAt::Sender(_)) if last.is_some() => Err(ReplayError::KeyPays),
        (Order::Rekey { after: None, .. }, SignedAt::Sender(_)) if last.is_some() => {
            Err(ReplayError::WrongMark { last })
        }
        (
            Order::Rekey {
                after: Some(named), ..
            },
            _,
        ) if Some(*named) != last => Err(ReplayError::WrongMark { last }),
        (Order::Remit { .. } | Order::Rekey { .. }, SignedAt::Provider(_) | SignedAt::Sender(_)) => Ok(()),
    }
}

/// Whether the mail, or its signature, was entered before.
///
/// Spec: 8.2. Dead entries refuse as well; the window has refused their mails already.
fn is_entered(current: Option<&Object>, mark: &ReplayMark) -> bool {
    let holds = |entry: &Object, id: Field| {
        entry.hash256(id) == Some(mark.email_id.hash())
            || entry.hash256(sf::SIGNATURE_HASH) == Some(mark.signature_hash)
    };
    let of_rekey = current.is_some_and(|entry| holds(entry, sf::LAST_REKEY_ID));
    of_rekey
        || entries(current)
            .iter()
            .any(|(_, entry)| holds(entry, sf::EMAIL_ID))
}

/// The time of the last REKEY that took a fee; mails signed up to it are refused.
///
/// Spec: 8.6.
pub fn last_rekey(current: Option<&Object>) -> Option<CloseTime> {
    current
        .and_then(|entry| entry.u32(sf::LAST_REKEY))
        .map(CloseTime::new)
}

/// Live entries that a mail pays for: those of its account for a REMIT, none for a REKEY.
///
/// Spec: 9.
pub(crate) fn entries_paid(order: &Order, current: Option<&Object>, now: CloseTime) -> usize {
    match order {
        Order::Remit { .. } => live_entries(current, now),
        Order::Rekey { .. } => 0,
    }
}

/// The fee that a mail has to pay at least: base fee + 1 drop per memo byte + base fee x live entries.
///
/// Spec: 9. `live` counts the entries as before this mail; a server that lets transactions queue adds the account's
/// REMITs that wait before it (16). `None` where it exceeds what a fee can be.
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

/// The largest fee that a mail may pay: 100 base fees above the required one.
///
/// Spec: 6.3. More would let a submitter burn the balance of an address that he can type.
#[must_use]
pub fn fee_ceiling(required: Drops, base_fee: Drops) -> Drops {
    let margin = base_fee.get().saturating_mul(FEE_CEILING_BASE_FEES);
    Drops::new(required.get().saturating_add(margin))
}

/// Whether a fee lies between the required one and its ceiling.
///
/// Spec: 6.3.
pub(crate) fn is_fee_allowed(fee: Drops, required: Drops, base_fee: Drops) -> bool {
    (required..=fee_ceiling(required, base_fee)).contains(&fee)
}

/// The EmailReplay entry after a mail: up to 8 dead entries are removed; a REMIT is entered; a REKEY becomes the
/// last one, and makes a mark where it was applied.
///
/// Spec: 8.2, 8.3, 8.4, 8.6. Called next to sequence and fee, and again after a tec reset
/// (`Effect::FeeOnly`). Of the dead entries those with the smallest EmailIDs go first. The ledger writes the
/// PreviousTxn pair.
pub(crate) fn entry_after(
    current: Option<&Object>,
    account: AccountId,
    mark: &ReplayMark,
    order: &Order,
    effect: Effect,
    moment: &Moment,
) -> Object {
    let mut next = match current {
        Some(entry) => entry.clone(),
        None => Object::new()
            .with(sf::LEDGER_ENTRY_TYPE, EntryType::EmailReplay.code())
            .with(sf::FLAGS, 0_u32)
            .with(sf::ACCOUNT, account),
    };
    let mut kept = without_dead(current, moment.now);
    match order {
        Order::Remit { .. } => enter(&mut kept, mark),
        Order::Rekey { .. } => {
            let signed = mark.signed_date.max(mark.signed_at.time());
            next.set(sf::LAST_REKEY, signed.max(moment.now).seconds());
            next.set(sf::LAST_REKEY_ID, mark.email_id.hash());
            next.set(sf::SIGNATURE_HASH, mark.signature_hash);
            if effect == Effect::Applied {
                next.set(sf::REKEY_MARK, rekey_mark(account, mark, moment));
            }
        }
    }
    if kept.is_empty() {
        next.remove(sf::EMAIL_REPLAY_ENTRIES);
    } else {
        next.set(sf::EMAIL_REPLAY_ENTRIES, Value::Array(kept));
    }
    next
}

/// The entries but for up to 8 dead ones. Spec: 8.4.
fn without_dead(current: Option<&Object>, now: CloseTime) -> Vec<(Field, Object)> {
    let mut dead_left = DEAD_ENTRIES_REMOVED_MAX;
    let mut kept = Vec::new();
    for (name, entry) in entries(current) {
        if !is_live(entry, now) && dead_left > 0 {
            dead_left = dead_left.saturating_sub(1);
        } else {
            kept.push((*name, entry.clone()));
        }
    }
    kept
}

/// Enters a mail in its place. Spec: 8.2.
fn enter(kept: &mut Vec<(Field, Object)>, mark: &ReplayMark) {
    let added = Object::new()
        .with(sf::EMAIL_ID, mark.email_id.hash())
        .with(sf::SIGNATURE_HASH, mark.signature_hash)
        .with(sf::SIGNED_DATE, mark.signed_date.seconds());
    let place = kept.partition_point(|(_, entry)| entry.hash256(sf::EMAIL_ID) < Some(mark.email_id.hash()));
    kept.insert(place, (sf::EMAIL_REPLAY_ENTRY, added));
}

/// RekeyMark: what nobody could name before the REKEY was executed.
///
/// Spec: 8.6. The parent's hash is not enough: an idle ledger shows it for hours before the REKEY comes. The
/// signature is not enough: who signs several REKEYs at once knows it, and would have them follow each other.
fn rekey_mark(account: AccountId, mark: &ReplayMark, moment: &Moment) -> Hash256 {
    codec::hash::sha512_half(&[
        b"RKM\0",
        moment.parent_hash.as_bytes(),
        account.as_bytes(),
        mark.signature_hash.as_bytes(),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address;
    use codec::Amount;

    const ACCOUNT: AccountId = AccountId::new([7; 20]);

    fn mark(id: u8, date: u32) -> ReplayMark {
        ReplayMark {
            email_id: EmailId::new(Hash256::new([id; 32])),
            signature_hash: Hash256::new([!id; 32]),
            signed_date: CloseTime::new(date),
            signed_at: SignedAt::Sender(CloseTime::new(date)),
        }
    }

    fn at(now: u32) -> Moment {
        Moment {
            now: CloseTime::new(now),
            parent_hash: Hash256::new([0xAB; 32]),
        }
    }

    fn remit() -> Order {
        Order::Remit {
            amount: Amount::Native(1),
            to: address::parse_recipient("bob@example.com").unwrap(),
        }
    }

    fn rekey(after: Option<RekeyMark>) -> Order {
        Order::Rekey {
            key: AccountId::new([8; 20]),
            after,
        }
    }

    fn add(current: Option<&Object>, mark: ReplayMark, now: u32) -> Object {
        entry_after(current, ACCOUNT, &mark, &remit(), Effect::Applied, &at(now))
    }

    fn rekeyed(current: Option<&Object>, mark: ReplayMark, now: u32) -> Object {
        entry_after(current, ACCOUNT, &mark, &rekey(None), Effect::Applied, &at(now))
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

    // Spec: 8.2.
    #[test]
    fn the_last_rekey_refuses_its_id_and_its_signature() {
        let entry = rekeyed(None, mark(5, 10), 10);
        assert_eq!(ids(&entry), [0_u8; 0], "it takes no place");
        assert!(is_entered(Some(&entry), &mark(5, 10)));
        let same_signature = ReplayMark {
            signature_hash: mark(5, 10).signature_hash,
            ..mark(2, 10)
        };
        assert!(is_entered(Some(&entry), &same_signature));
        assert!(!is_entered(Some(&entry), &mark(2, 10)));
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
        let ten = entry;
        let entry = add(ten.as_ref(), mark(11, 500_000), 500_000);
        assert_eq!(ids(&entry), [9, 10, 11]);
        let entry = add(Some(&entry), mark(12, 500_000), 500_000);
        assert_eq!(ids(&entry), [11, 12]);
        let entry = rekeyed(ten.as_ref(), mark(11, 500_000), 500_000);
        assert_eq!(ids(&entry), [9, 10]);
        let entry = rekeyed(Some(&entry), mark(12, 500_001), 500_001);
        assert!(!entry.contains(sf::EMAIL_REPLAY_ENTRIES), "{entry:?}");
    }

    // Spec: 8.6.
    #[test]
    fn last_rekey_is_the_latest_of_date_signature_and_ledger() {
        let last = |date: u32, signed_at: SignedAt, now: u32| {
            let mark = ReplayMark {
                signed_at,
                ..mark(1, date)
            };
            last_rekey(Some(&rekeyed(None, mark, now))).map(CloseTime::seconds)
        };
        let provider = |at| SignedAt::Provider(CloseTime::new(at));
        assert_eq!(last(30, provider(20), 10), Some(30));
        assert_eq!(last(20, provider(30), 10), Some(30));
        assert_eq!(last(10, provider(20), 30), Some(30));
        assert_eq!(last(30, SignedAt::Sender(CloseTime::new(30)), 10), Some(30));
        assert_eq!(last_rekey(Some(&add(None, mark(2, 20), 20))), None);
    }

    // Spec: 8.6.
    #[test]
    fn every_rekey_with_a_fee_is_the_last_one_and_an_applied_one_makes_a_mark() {
        let first = rekeyed(None, mark(1, 10), 10);
        let made = first.hash256(sf::REKEY_MARK);
        // SHA-512Half of "RKM\0", 32 bytes AB, 20 bytes 07, 32 bytes FE, by Python's hashlib.
        let expected = "68810219343D7C481DF7071D38C5EC304B17DA0295CA9430970DF804E105CC65";
        assert_eq!(made.map(|made| made.to_string()).as_deref(), Some(expected));
        let failed = entry_after(
            Some(&first),
            ACCOUNT,
            &mark(2, 20),
            &rekey(None),
            Effect::FeeOnly,
            &at(20),
        );
        assert_eq!(last_rekey(Some(&failed)), Some(CloseTime::new(20)));
        assert_eq!(
            failed.hash256(sf::LAST_REKEY_ID),
            Some(mark(2, 20).email_id.hash())
        );
        assert_eq!(failed.hash256(sf::REKEY_MARK), made);
        let later = add(Some(&first), mark(3, 30), 30);
        assert_eq!(last_rekey(Some(&later)), Some(CloseTime::new(10)));
        let second = rekeyed(Some(&first), mark(4, 40), 40);
        assert_ne!(second.hash256(sf::REKEY_MARK), made);
    }

    // Spec: 8.6.
    #[test]
    fn a_mark_is_asked_of_mails_that_their_sender_dates() {
        let entry = rekeyed(None, mark(1, 10), 10);
        let made = RekeyMark::of(&entry.hash256(sf::REKEY_MARK).unwrap());
        let other = RekeyMark::parse("00000000");
        let (provider, sender) = (
            SignedAt::Provider(CloseTime::new(20)),
            SignedAt::Sender(CloseTime::new(20)),
        );
        let check = |entry: Option<&Object>, signed_at, order: &Order| check_mark(entry, signed_at, order);
        let wrong = Err(ReplayError::WrongMark { last: Some(made) });
        for (signed_at, order, expected) in [
            (provider, remit(), Ok(())),
            (provider, rekey(None), Ok(())),
            (provider, rekey(Some(made)), Ok(())),
            (provider, rekey(other), wrong),
            (sender, remit(), Err(ReplayError::KeyPays)),
            (sender, rekey(None), wrong),
            (sender, rekey(Some(made)), Ok(())),
            (sender, rekey(other), wrong),
        ] {
            assert_eq!(check(Some(&entry), signed_at, &order), expected, "{order:?}");
        }
        for signed_at in [provider, sender] {
            assert_eq!(check(None, signed_at, &remit()), Ok(()));
            assert_eq!(check(None, signed_at, &rekey(None)), Ok(()));
            let named = check(None, signed_at, &rekey(other));
            assert_eq!(named, Err(ReplayError::WrongMark { last: None }));
        }
    }

    #[test]
    fn fee_counts_memo_bytes_and_live_entries_of_a_remit_alone() {
        assert_eq!(required_fee(Drops::new(10), 1_000, 0), Some(Drops::new(1_010)));
        assert_eq!(required_fee(Drops::new(10), 1_000, 64), Some(Drops::new(1_650)));
        assert_eq!(required_fee(Drops::new(u64::MAX), 1, 0), None);
        assert_eq!(submit_fee(Drops::new(10), 1_000, 64), Some(Drops::new(1_750)));
        let entry = add(None, mark(1, 10), 10);
        let now = CloseTime::new(10);
        assert_eq!(entries_paid(&remit(), Some(&entry), now), 1);
        assert_eq!(entries_paid(&rekey(None), Some(&entry), now), 0);
    }

    // Spec: 6.3.
    #[test]
    fn accepts_fees_up_to_100_base_fees_more_and_rejects_others() {
        let (required, base) = (Drops::new(5_000), Drops::new(10));
        for (fee, allowed) in [(4_999, false), (5_000, true), (6_000, true), (6_001, false)] {
            assert_eq!(is_fee_allowed(Drops::new(fee), required, base), allowed, "{fee}");
        }
    }
}
