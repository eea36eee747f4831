//! The mails on their way: kept for their key or for their time, or submitted and not yet validated.
//!
//! Anybody can write a mail of anybody with a bad signature, and a second mail of the same EmailID. So what is
//! not proven has only a few places for each name and account, and where they are taken the oldest goes: an
//! answer of DNS comes within seconds, and what it does not prove goes with it. Mails are told apart by the
//! hash of their normal form, not by their EmailID alone. Spec: 7.5, 12

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use amendment::KeyName;
use codec::{AccountId, Hash256};

use crate::commit::{MailStage, PendingMail};
use crate::limits::{KEPT_BYTES_MAX, KEPT_MAX, KEPT_PER_ACCOUNT_MAX, KEPT_PER_NAME_MAX, SUBMITTED_BYTES_MAX};
use crate::peers::Peer;
use crate::shared_map::SharedMap;

/// A pending mail, with what the store need not have of it.
#[derive(Debug, Clone)]
pub(crate) struct PooledMail {
    /// The mail.
    pub(crate) pending: PendingMail,
    /// The sender.
    pub(crate) account: AccountId,
    /// The key that proves it, or would.
    pub(crate) name: KeyName,
    /// Its transaction in the open ledger.
    pub(crate) tx: Option<Hash256>,
    /// Who handed it in.
    pub(crate) peer: Peer,
    /// What proves it so far.
    pub(crate) proof: Proof,
}

/// What proves the signature of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Proof {
    /// Nothing yet: anybody may have written it.
    None,
    /// The record that DNS has now; the ledger has the key soon.
    Record,
    /// A key of the ledger.
    Ledger,
}

/// Mails that share the room of all kept mails fairly: what is not proven by who handed it in, what is proven
/// by the domain that signed it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Share {
    Unproven(Peer),
    Proven(String),
}

impl PooledMail {
    fn is_kept(&self) -> bool {
        self.pending.stage == MailStage::Kept
    }

    fn share(&self) -> Share {
        match self.proof {
            Proof::None => Share::Unproven(self.peer),
            Proof::Record | Proof::Ledger => Share::Proven(self.name.domain().to_owned()),
        }
    }

    /// Whether both count among the unproven, or both among the proven.
    fn is_alike(&self, other: &PooledMail) -> bool {
        (self.proof == Proof::None) == (other.proof == Proof::None)
    }
}

/// All pending mails.
#[derive(Debug, Clone, Default)]
pub struct MailPool {
    mails: SharedMap<Arc<PooledMail>>,
    /// The ids of the mails of an EmailID.
    by_email: SharedMap<BTreeSet<Hash256>>,
    kept: BTreeSet<Hash256>,
    kept_bytes: usize,
    submitted_bytes: usize,
    next_order: u64,
}

/// Why a mail is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRoom {
    /// The account has as many proven ones as it may.
    Account,
    /// All together are too long.
    Bytes,
}

/// How many mails wait, by what for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MailCounts {
    /// For a key on the ledger.
    pub for_key: usize,
    /// For their time: proven, but dated ahead.
    pub for_time: usize,
    /// For the close of the open ledger, which has them.
    pub for_close: usize,
    /// For funds, a fee or an account: the open ledger did not take them yet.
    pub for_funds: usize,
}

/// Mails that had to go for another.
pub(crate) type Gone = Vec<(Hash256, Arc<PooledMail>)>;

impl MailPool {
    /// How many mails wait, by what for.
    #[must_use]
    pub fn counts(&self) -> MailCounts {
        let mut counts = MailCounts::default();
        for (_, mail) in self.mails.iter() {
            let count = match (mail.pending.stage, mail.proof, mail.tx) {
                (MailStage::Kept, Proof::None | Proof::Record, _) => &mut counts.for_key,
                (MailStage::Kept, Proof::Ledger, _) => &mut counts.for_time,
                (MailStage::Submitted, _, Some(_)) => &mut counts.for_close,
                (MailStage::Submitted, _, None) => &mut counts.for_funds,
            };
            *count = count.saturating_add(1);
        }
        counts
    }

    /// The place of the next mail in the order of arrival.
    pub(crate) fn next_order(&self) -> u64 {
        self.next_order
    }

    /// The next mail has this place or a later one.
    pub(crate) fn go_on_at(&mut self, order: u64) {
        self.next_order = self.next_order.max(order);
    }

    /// Take a mail that waits for its key or its time. Returns the mails that had to go for it: of what is
    /// not proven, the oldest of its name and of its account; of all kept mails, the oldest of the largest
    /// share. An account with as many proven mails as it may have gets no further one.
    pub(crate) fn keep(&mut self, mail_id: Hash256, mail: PooledMail) -> Result<Gone, NoRoom> {
        if self.mails.contains_key(&mail_id) {
            return Ok(Gone::new());
        }
        let mut gone = Gone::new();
        let of_account = |other: &PooledMail| other.account == mail.account && other.is_alike(&mail);
        if mail.proof == Proof::None {
            let of_name = |other: &PooledMail| other.name == mail.name && other.is_alike(&mail);
            gone.extend(self.make_place(of_name, KEPT_PER_NAME_MAX));
            gone.extend(self.make_place(of_account, KEPT_PER_ACCOUNT_MAX));
        } else if self.kept_mails().filter(|(_, other)| of_account(other)).count() >= KEPT_PER_ACCOUNT_MAX {
            return Err(NoRoom::Account);
        }
        while self.kept.len() >= KEPT_MAX
            || self.kept_bytes.saturating_add(mail.pending.raw.len()) > KEPT_BYTES_MAX
        {
            let Some(id) = self.oldest_of_largest_share() else {
                break;
            };
            gone.extend(self.take_out(id));
        }
        self.put(mail_id, mail);
        Ok(gone)
    }

    /// Where so many kept mails are such, the oldest of them goes.
    fn make_place(
        &mut self,
        is_such: impl Fn(&PooledMail) -> bool,
        most: usize,
    ) -> Option<(Hash256, Arc<PooledMail>)> {
        let such = self.kept_mails().filter(|(_, mail)| is_such(mail));
        if such.clone().count() < most {
            return None;
        }
        let oldest = *such.min_by_key(|(_, mail)| mail.pending.order)?.0;
        self.take_out(oldest)
    }

    fn oldest_of_largest_share(&self) -> Option<Hash256> {
        let mut sizes: BTreeMap<Share, usize> = BTreeMap::new();
        for (_, mail) in self.kept_mails() {
            let size = sizes.entry(mail.share()).or_default();
            *size = size.saturating_add(1);
        }
        let (largest, _) = sizes.into_iter().max_by_key(|(_, size)| *size)?;
        let of_share = self.kept_mails().filter(|(_, mail)| mail.share() == largest);
        of_share
            .min_by_key(|(_, mail)| mail.pending.order)
            .map(|(id, _)| *id)
    }

    fn take_out(&mut self, mail_id: Hash256) -> Option<(Hash256, Arc<PooledMail>)> {
        Some((mail_id, self.remove(&mail_id)?))
    }

    /// Take a mail whose transaction was submitted, if there is room to try it again.
    pub(crate) fn put_submitted(&mut self, mail_id: Hash256, mail: PooledMail) -> Result<(), NoRoom> {
        let before = self.mails.get(&mail_id).filter(|before| !before.is_kept());
        let freed = before.map_or(0, |before| before.pending.raw.len());
        let others = self.submitted_bytes.saturating_sub(freed);
        if others.saturating_add(mail.pending.raw.len()) > SUBMITTED_BYTES_MAX {
            return Err(NoRoom::Bytes);
        }
        self.put(mail_id, mail);
        Ok(())
    }

    /// Take a mail back from the store, which had room for it.
    pub(crate) fn put(&mut self, mail_id: Hash256, mail: PooledMail) {
        self.remove(&mail_id);
        let bytes = mail.pending.raw.len();
        if mail.is_kept() {
            self.kept_bytes = self.kept_bytes.saturating_add(bytes);
            self.kept.insert(mail_id);
        } else {
            self.submitted_bytes = self.submitted_bytes.saturating_add(bytes);
        }
        self.next_order = self.next_order.max(mail.pending.order.saturating_add(1));
        if let Some(ids) = self.by_email.entry_or_default(mail.pending.email_id) {
            ids.insert(mail_id);
        }
        self.mails.insert(mail_id, Arc::new(mail));
    }

    /// A mail waits no longer.
    pub(crate) fn remove(&mut self, mail_id: &Hash256) -> Option<Arc<PooledMail>> {
        let mail = self.mails.remove(mail_id)?;
        let bytes = mail.pending.raw.len();
        self.remove_id(&mail.pending.email_id, mail_id);
        if self.kept.remove(mail_id) {
            self.kept_bytes = self.kept_bytes.saturating_sub(bytes);
        } else {
            self.submitted_bytes = self.submitted_bytes.saturating_sub(bytes);
        }
        Some(mail)
    }

    fn remove_id(&mut self, email_id: &Hash256, mail_id: &Hash256) {
        let Some(mut ids) = self.by_email.remove(email_id) else {
            return;
        };
        ids.remove(mail_id);
        if !ids.is_empty() {
            self.by_email.insert(*email_id, ids);
        }
    }

    /// A mail is as it is now.
    pub(crate) fn replace(&mut self, mail_id: Hash256, mail: PooledMail) {
        if self.mails.contains_key(&mail_id) {
            self.put(mail_id, mail);
        }
    }

    /// Whether a mail is on its way, by the hash of the form that is kept of it.
    #[must_use]
    pub fn has(&self, mail_id: &Hash256) -> bool {
        self.mails.contains_key(mail_id)
    }

    /// All mails on their way, each in the form that is kept of it, by that form's hash.
    pub fn forms(&self) -> impl Iterator<Item = (Hash256, &Arc<[u8]>)> {
        self.mails.iter().map(|(id, mail)| (*id, &mail.pending.raw))
    }

    /// All mails with their places in the order of arrival, oldest first.
    pub(crate) fn in_order(&self) -> Vec<(u64, Hash256)> {
        let mut ids: Vec<(u64, Hash256)> = self
            .mails
            .iter()
            .map(|(id, mail)| (mail.pending.order, *id))
            .collect();
        ids.sort_unstable();
        ids
    }

    /// One mail.
    pub(crate) fn mail(&self, mail_id: &Hash256) -> Option<&Arc<PooledMail>> {
        self.mails.get(mail_id)
    }

    /// The mails of an EmailID.
    pub(crate) fn of_email(&self, email_id: &Hash256) -> Vec<Hash256> {
        let ids = self.by_email.get(email_id);
        ids.map_or_else(Vec::new, |ids| ids.iter().copied().collect())
    }

    /// The mail of an EmailID that is furthest: a submitted one before those that are kept, an older before a
    /// newer one.
    #[must_use]
    pub(crate) fn first_of_email(&self, email_id: &Hash256) -> Option<&PooledMail> {
        self.of_email(email_id)
            .iter()
            .filter_map(|mail_id| self.mails.get(mail_id))
            .min_by_key(|mail| (mail.is_kept(), mail.pending.order))
            .map(Arc::as_ref)
    }

    /// The kept mails.
    pub(crate) fn kept_mails(&self) -> impl Iterator<Item = (&Hash256, &Arc<PooledMail>)> + Clone {
        self.kept.iter().filter_map(|id| Some((id, self.mails.get(id)?)))
    }

    /// The kept mails that wait for a name, oldest first.
    pub(crate) fn waiting_for(&self, name: &KeyName) -> Vec<Hash256> {
        let waits = |mail: &PooledMail| mail.proof != Proof::Ledger && mail.name == *name;
        let waiting = self.kept_mails().filter(|(_, mail)| waits(mail));
        let mut ids: Vec<(u64, Hash256)> = waiting.map(|(id, mail)| (mail.pending.order, *id)).collect();
        ids.sort_unstable();
        ids.into_iter().map(|(_, id)| id).collect()
    }

    /// Mails that wait for their key or their time.
    #[must_use]
    pub fn kept_count(&self) -> usize {
        self.kept.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::CloseTime;

    fn id(number: usize) -> Hash256 {
        let [high, low] = u16::try_from(number).expect("a small number").to_be_bytes();
        let mut bytes = [0; 32];
        (bytes[0], bytes[1]) = (high, low);
        Hash256::new(bytes)
    }

    fn account(number: usize) -> AccountId {
        let [high, low] = u16::try_from(number).expect("a small number").to_be_bytes();
        let mut bytes = [0; 20];
        (bytes[0], bytes[1]) = (high, low);
        AccountId::new(bytes)
    }

    /// The mail of an account with a name of its own, unproven, handed in by the operator.
    fn mail(of: usize, bytes: usize, order: usize) -> PooledMail {
        PooledMail {
            pending: PendingMail {
                stage: MailStage::Kept,
                order: u64::try_from(order).expect("small"),
                email_id: id(0xE0),
                executable_until: CloseTime::new(100),
                raw: vec![0; bytes].into(),
            },
            account: account(of),
            name: name(order),
            tx: None,
            peer: Peer::Operator,
            proof: Proof::None,
        }
    }

    fn name(number: usize) -> KeyName {
        KeyName::new(b"a.example", format!("s{number}").as_bytes()).expect("a name")
    }

    /// The mails that had to go, by their ids.
    fn keep(pool: &mut MailPool, mail_id: Hash256, mail: PooledMail) -> Result<Vec<Hash256>, NoRoom> {
        pool.keep(mail_id, mail)
            .map(|gone| gone.into_iter().map(|(id, _)| id).collect())
    }

    // Spec: 7.5.
    #[test]
    fn accepts_an_unproven_mail_in_place_of_the_oldest_of_its_account_or_its_name() {
        let mut pool = MailPool::default();
        for number in 0..KEPT_PER_ACCOUNT_MAX {
            assert_eq!(keep(&mut pool, id(number), mail(1, 10, number)), Ok(vec![]));
        }
        assert_eq!(
            keep(&mut pool, id(0), mail(1, 10, 50)),
            Ok(vec![]),
            "the same mail again takes no place"
        );
        assert_eq!(
            keep(&mut pool, id(60), mail(2, 10, 60)),
            Ok(vec![]),
            "another account is not touched"
        );
        assert_eq!(keep(&mut pool, id(61), mail(1, 10, 61)), Ok(vec![id(0)]));
        let of_name = |of, order| PooledMail {
            name: name(99),
            ..mail(of, 10, order)
        };
        for number in 0..KEPT_PER_NAME_MAX {
            assert_eq!(
                keep(&mut pool, id(70 + number), of_name(70 + number, 70 + number)),
                Ok(vec![])
            );
        }
        assert_eq!(keep(&mut pool, id(80), of_name(80, 80)), Ok(vec![id(70)]));
        assert_eq!(pool.waiting_for(&name(99)).last(), Some(&id(80)));
    }

    #[test]
    fn rejects_a_further_proven_mail_of_an_account_and_lets_no_unproven_one_displace_them() {
        let mut pool = MailPool::default();
        let proven = |order| PooledMail {
            proof: Proof::Record,
            ..mail(1, 10, order)
        };
        for number in 0..KEPT_PER_ACCOUNT_MAX {
            assert_eq!(keep(&mut pool, id(number), proven(number)), Ok(vec![]));
        }
        assert_eq!(keep(&mut pool, id(50), proven(50)), Err(NoRoom::Account));
        for number in 100..100 + 2 * KEPT_PER_ACCOUNT_MAX {
            let gone = keep(&mut pool, id(number), mail(1, 10, number)).expect("taken");
            assert!(gone.iter().all(|gone| *gone >= id(100)), "{gone:?}");
        }
        let mut submitted = proven(0);
        submitted.pending.stage = MailStage::Submitted;
        assert_eq!(pool.put_submitted(id(0), submitted), Ok(()));
        assert_eq!(
            keep(&mut pool, id(50), proven(50)),
            Ok(vec![]),
            "a submitted mail frees its place"
        );
    }

    // Spec: 7.5. One who hands in many mails displaces his own, not those of others.
    #[test]
    fn accepts_mails_beyond_the_room_in_place_of_the_oldest_of_who_has_most() {
        let mut pool = MailPool::default();
        let guest = Peer::Guest("192.0.2.1".parse().expect("an address"));
        let of = |peer, number| PooledMail {
            peer,
            ..mail(number, 10, number)
        };
        assert_eq!(keep(&mut pool, id(0), of(guest, 0)), Ok(vec![]));
        for number in 1..KEPT_MAX {
            assert_eq!(
                keep(&mut pool, id(number), of(Peer::Operator, number)),
                Ok(vec![])
            );
        }
        for number in KEPT_MAX..2 * KEPT_MAX {
            let gone = keep(&mut pool, id(number), of(Peer::Operator, number));
            assert_eq!(gone, Ok(vec![id(number + 1 - KEPT_MAX)]));
        }
        assert!(pool.mail(&id(0)).is_some(), "the guest's one mail is still there");
        assert_eq!(
            keep(&mut pool, id(5_000), of(guest, 5_000)),
            Ok(vec![id(KEPT_MAX + 1)])
        );
        assert_eq!(pool.kept_count(), KEPT_MAX);
    }

    #[test]
    fn rejects_bytes_over_the_room_and_frees_them_again() {
        let mut pool = MailPool::default();
        assert_eq!(keep(&mut pool, id(1), mail(1, KEPT_BYTES_MAX, 1)), Ok(vec![]));
        assert_eq!(keep(&mut pool, id(2), mail(2, 1, 2)), Ok(vec![id(1)]));
        let submitted = |bytes, order| {
            let mut mail = mail(3, bytes, order);
            mail.pending.stage = MailStage::Submitted;
            mail
        };
        assert_eq!(
            pool.put_submitted(id(3), submitted(SUBMITTED_BYTES_MAX, 3)),
            Ok(())
        );
        assert_eq!(pool.put_submitted(id(4), submitted(1, 4)), Err(NoRoom::Bytes));
        assert_eq!(
            pool.put_submitted(id(3), submitted(1, 3)),
            Ok(()),
            "in its own place"
        );
        assert_eq!(pool.put_submitted(id(4), submitted(1, 4)), Ok(()));
        pool.remove(&id(3));
        pool.remove(&id(4));
        pool.remove(&id(2));
        assert_eq!((pool.kept_bytes, pool.submitted_bytes), (0, 0));
    }

    #[test]
    fn accepts_several_mails_of_one_email_id_and_shows_the_submitted_one_first() {
        let mut pool = MailPool::default();
        assert_eq!(keep(&mut pool, id(1), mail(1, 10, 0)), Ok(vec![]));
        let mut submitted = mail(1, 10, 1);
        submitted.pending.stage = MailStage::Submitted;
        assert_eq!(pool.put_submitted(id(2), submitted), Ok(()));
        assert_eq!(pool.of_email(&id(0xE0)), [id(1), id(2)]);
        let first = pool.first_of_email(&id(0xE0)).expect("there");
        assert_eq!(first.pending.order, 1, "the submitted one");
        pool.remove(&id(2));
        assert_eq!(pool.of_email(&id(0xE0)), [id(1)]);
        assert_eq!(pool.waiting_for(&name(0)), [id(1)]);
    }
}
