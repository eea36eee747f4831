//! The mails on their way: kept for their key, or submitted and not yet validated.
//!
//! A mail is told from another by the hash of its bytes, not by its EmailID alone: somebody who knows what
//! another wrote can make a second mail of the same EmailID with a bad signature, and must not crowd out the
//! true one. Spec: 7.5, 12

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use amendment::KeyName;
use codec::{AccountId, Hash256};

use crate::commit::{MailStage, PendingMail};
use crate::limits::{KEPT_PER_ACCOUNT_MAX, WAITING_BYTES_MAX};

/// A pending mail, with what the store need not have of it.
#[derive(Debug, Clone)]
pub(crate) struct PooledMail {
    /// The mail.
    pub(crate) pending: PendingMail,
    /// The sender.
    pub(crate) account: AccountId,
    /// The keys that would prove it.
    pub(crate) names: Vec<KeyName>,
    /// Its transaction in the open ledger.
    pub(crate) tx: Option<Hash256>,
    /// Whether its names were asked for without success: then it makes room for another mail of the account.
    pub(crate) hope: Hope,
}

/// Whether a kept mail's key may still come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hope {
    /// Nobody has answered yet.
    Open,
    /// The name has no usable record.
    Faint,
}

/// All pending mails.
#[derive(Debug, Clone, Default)]
pub struct MailPool {
    mails: BTreeMap<Hash256, Arc<PooledMail>>,
    /// EmailID and id of each.
    by_email: BTreeSet<(Hash256, Hash256)>,
    bytes: usize,
    next_order: u64,
}

/// Why a mail is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRoom {
    /// The account has as many as it may.
    Account,
    /// All together are too long.
    Bytes,
}

impl MailPool {
    /// The place of the next mail in the order of arrival.
    pub(crate) fn next_order(&self) -> u64 {
        self.next_order
    }

    /// Take a mail that waits for its key, if there is room for it. Returns the mail that had to go for it.
    pub(crate) fn keep(
        &mut self,
        mail_id: Hash256,
        mail: PooledMail,
    ) -> Result<Option<(Hash256, Arc<PooledMail>)>, NoRoom> {
        if self.mails.contains_key(&mail_id) {
            return Ok(None);
        }
        let of_account: Vec<(Hash256, Hope)> = self
            .mails
            .iter()
            .filter(|(_, other)| other.account == mail.account && other.pending.stage == MailStage::Kept)
            .map(|(id, other)| (*id, other.hope))
            .collect();
        let mut gone = None;
        if of_account.len() >= KEPT_PER_ACCOUNT_MAX {
            let faint = of_account.iter().find(|(_, hope)| *hope == Hope::Faint);
            gone = Some(faint.ok_or(NoRoom::Account)?.0);
        }
        self.check_room(gone.as_ref(), &mail)?;
        let removed = gone.and_then(|id| Some((id, self.remove(&id)?)));
        self.put(mail_id, mail);
        Ok(removed)
    }

    /// Take a mail whose transaction was submitted, if there is room to try it again.
    pub(crate) fn put_submitted(&mut self, mail_id: Hash256, mail: PooledMail) -> Result<(), NoRoom> {
        self.check_room(Some(&mail_id), &mail)?;
        self.put(mail_id, mail);
        Ok(())
    }

    /// Whether there is room for a mail in place of another.
    fn check_room(&self, gone: Option<&Hash256>, mail: &PooledMail) -> Result<(), NoRoom> {
        let freed = gone
            .and_then(|id| self.mails.get(id))
            .map_or(0, |other| other.pending.raw.len());
        let others = self.bytes.saturating_sub(freed);
        if others.saturating_add(mail.pending.raw.len()) > WAITING_BYTES_MAX {
            return Err(NoRoom::Bytes);
        }
        Ok(())
    }

    /// Take a mail back from the store, which had room for it.
    pub(crate) fn put(&mut self, mail_id: Hash256, mail: PooledMail) {
        self.remove(&mail_id);
        self.bytes = self.bytes.saturating_add(mail.pending.raw.len());
        self.next_order = self.next_order.max(mail.pending.order.saturating_add(1));
        self.by_email.insert((mail.pending.email_id, mail_id));
        self.mails.insert(mail_id, Arc::new(mail));
    }

    /// A mail waits no longer.
    pub(crate) fn remove(&mut self, mail_id: &Hash256) -> Option<Arc<PooledMail>> {
        let mail = self.mails.remove(mail_id)?;
        self.by_email.remove(&(mail.pending.email_id, *mail_id));
        self.bytes = self.bytes.saturating_sub(mail.pending.raw.len());
        Some(mail)
    }

    /// All mails, oldest first.
    pub(crate) fn in_order(&self) -> Vec<Hash256> {
        let mut ids: Vec<(u64, Hash256)> = self
            .mails
            .iter()
            .map(|(id, mail)| (mail.pending.order, *id))
            .collect();
        ids.sort_unstable();
        ids.into_iter().map(|(_, id)| id).collect()
    }

    /// One mail.
    pub(crate) fn mail(&self, mail_id: &Hash256) -> Option<&Arc<PooledMail>> {
        self.mails.get(mail_id)
    }

    /// One mail, to be changed.
    pub(crate) fn mail_mut(&mut self, mail_id: &Hash256) -> Option<&mut PooledMail> {
        self.mails.get_mut(mail_id).map(Arc::make_mut)
    }

    /// The mails of an EmailID.
    pub(crate) fn of_email(&self, email_id: &Hash256) -> Vec<Hash256> {
        let first = (*email_id, Hash256::ZERO);
        self.by_email
            .range(first..)
            .take_while(|(of, _)| of == email_id)
            .map(|(_, mail_id)| *mail_id)
            .collect()
    }

    /// The mail of an EmailID that is furthest: a submitted one before those that are kept, an older before a
    /// newer one.
    #[must_use]
    pub(crate) fn first_of_email(&self, email_id: &Hash256) -> Option<&PooledMail> {
        self.of_email(email_id)
            .iter()
            .filter_map(|mail_id| self.mails.get(mail_id))
            .min_by_key(|mail| (mail.pending.stage == MailStage::Kept, mail.pending.order))
            .map(Arc::as_ref)
    }

    /// The kept mails that wait for a name.
    pub(crate) fn waiting_for(&self, name: &KeyName) -> Vec<Hash256> {
        let waits = |mail: &PooledMail| mail.pending.stage == MailStage::Kept && mail.names.contains(name);
        self.mails
            .iter()
            .filter(|(_, mail)| waits(mail))
            .map(|(id, _)| *id)
            .collect()
    }

    /// Mails that wait for their key.
    #[must_use]
    pub fn kept_count(&self) -> usize {
        self.mails
            .values()
            .filter(|mail| mail.pending.stage == MailStage::Kept)
            .count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::CloseTime;

    fn id(byte: u8) -> Hash256 {
        Hash256::new([byte; 32])
    }

    fn mail(account: u8, bytes: usize, order: u64) -> PooledMail {
        PooledMail {
            pending: PendingMail {
                stage: MailStage::Kept,
                order,
                email_id: id(0xE0),
                executable_until: CloseTime::new(100),
                raw: vec![0; bytes].into(),
            },
            account: AccountId::new([account; 20]),
            names: vec![KeyName::new(b"a.example", b"s").expect("a name")],
            tx: None,
            hope: Hope::Open,
        }
    }

    /// The mail that had to go, by its id.
    fn keep(pool: &mut MailPool, mail_id: Hash256, mail: PooledMail) -> Result<Option<Hash256>, NoRoom> {
        pool.keep(mail_id, mail).map(|gone| gone.map(|(id, _)| id))
    }

    // Spec: 7.5.
    #[test]
    fn accepts_two_kept_mails_of_an_account_and_rejects_the_third() {
        let mut pool = MailPool::default();
        assert_eq!(keep(&mut pool, id(1), mail(1, 10, 0)), Ok(None));
        assert_eq!(keep(&mut pool, id(2), mail(1, 10, 1)), Ok(None));
        assert_eq!(
            keep(&mut pool, id(2), mail(1, 10, 2)),
            Ok(None),
            "the same mail again takes no place"
        );
        assert_eq!(keep(&mut pool, id(3), mail(1, 10, 2)), Err(NoRoom::Account));
        assert_eq!(
            keep(&mut pool, id(3), mail(2, 10, 2)),
            Ok(None),
            "another account is not touched"
        );
        let mut submitted = mail(1, 10, 1);
        submitted.pending.stage = MailStage::Submitted;
        assert_eq!(pool.put_submitted(id(2), submitted), Ok(()));
        assert_eq!(
            keep(&mut pool, id(4), mail(1, 10, 3)),
            Ok(None),
            "a submitted mail frees its place"
        );
    }

    #[test]
    fn accepts_a_mail_in_place_of_one_without_hope() {
        let mut pool = MailPool::default();
        assert_eq!(keep(&mut pool, id(1), mail(1, 10, 0)), Ok(None));
        assert_eq!(keep(&mut pool, id(2), mail(1, 10, 1)), Ok(None));
        pool.mail_mut(&id(1)).expect("there").hope = Hope::Faint;
        assert_eq!(keep(&mut pool, id(3), mail(1, 10, 2)), Ok(Some(id(1))));
        assert_eq!(pool.in_order(), [id(2), id(3)]);
        assert_eq!(keep(&mut pool, id(4), mail(1, 10, 3)), Err(NoRoom::Account));
    }

    #[test]
    fn rejects_mails_over_the_bytes_of_all_and_frees_them_again() {
        let mut pool = MailPool::default();
        assert_eq!(keep(&mut pool, id(1), mail(1, WAITING_BYTES_MAX, 0)), Ok(None));
        assert_eq!(keep(&mut pool, id(2), mail(2, 1, 1)), Err(NoRoom::Bytes));
        assert_eq!(pool.put_submitted(id(2), mail(2, 1, 1)), Err(NoRoom::Bytes));
        pool.remove(&id(1));
        assert_eq!(keep(&mut pool, id(2), mail(2, 1, 1)), Ok(None));
    }

    #[test]
    fn accepts_several_mails_of_one_email_id_and_shows_the_submitted_one_first() {
        let mut pool = MailPool::default();
        assert_eq!(keep(&mut pool, id(1), mail(1, 10, 0)), Ok(None));
        let mut submitted = mail(1, 10, 1);
        submitted.pending.stage = MailStage::Submitted;
        assert_eq!(pool.put_submitted(id(2), submitted), Ok(()));
        assert_eq!(pool.of_email(&id(0xE0)), [id(1), id(2)]);
        let first = pool.first_of_email(&id(0xE0)).expect("there");
        assert_eq!(first.pending.order, 1, "the submitted one");
        pool.remove(&id(2));
        assert_eq!(pool.of_email(&id(0xE0)), [id(1)]);
        assert_eq!(
            pool.waiting_for(&KeyName::new(b"a.example", b"s").expect("a name")),
            [id(1)]
        );
    }
}
