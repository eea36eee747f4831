//! The mails on their way: kept for their key, or submitted and not yet validated.
//!
//! A mail is told from another by the hash of its bytes, not by its EmailID alone: whoever knows what somebody wrote
//! can make another mail of the same EmailID with a bad signature, and must not crowd out the true one. Spec: 7.5, 12

use std::collections::BTreeMap;

use codec::{AccountId, Hash256};

use crate::commit::{MailStage, PendingMail};
use crate::limits::{KEPT_PER_ACCOUNT_MAX, WAITING_BYTES_MAX};
use ledger::dkim::DkimName;

/// A mail on its way.
#[derive(Debug, Clone)]
pub struct PooledMail {
    /// What the store has of it.
    pub mail: PendingMail,
    /// The sender.
    pub account: AccountId,
    /// The keys that would prove it.
    pub names: Vec<DkimName>,
    /// Its transaction in the open ledger.
    pub tx: Option<Hash256>,
    /// Whether its names were asked for without success: then it makes room for another mail of the account.
    pub hope: Hope,
}

/// Whether a kept mail's key may still come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hope {
    /// Nobody has answered yet.
    Open,
    /// The name has no usable record.
    Faint,
}

/// All mails on their way.
#[derive(Debug, Default)]
pub struct MailPool {
    mails: BTreeMap<Hash256, PooledMail>,
    bytes: usize,
    next_order: u64,
}

/// Why a mail is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoom {
    /// The account has as many as it may.
    Account,
    /// All together are too long.
    Bytes,
}

impl MailPool {
    /// The place of the next mail in the order of arrival.
    pub fn next_order(&self) -> u64 {
        self.next_order
    }

    /// Take a mail that waits for its key, if there is room for it. Answers the mail that had to go for it.
    pub fn keep(
        &mut self,
        mail_id: Hash256,
        mail: PooledMail,
    ) -> Result<Option<(Hash256, PooledMail)>, NoRoom> {
        if self.mails.contains_key(&mail_id) {
            return Ok(None);
        }
        let of_account: Vec<(Hash256, Hope)> = self
            .mails
            .iter()
            .filter(|(_, other)| other.account == mail.account && other.mail.stage == MailStage::Kept)
            .map(|(id, other)| (*id, other.hope))
            .collect();
        let mut gone = None;
        if of_account.len() >= KEPT_PER_ACCOUNT_MAX {
            let faint = of_account.iter().find(|(_, hope)| *hope == Hope::Faint);
            gone = Some(faint.ok_or(NoRoom::Account)?.0);
        }
        let freed = gone
            .and_then(|id| self.mails.get(&id))
            .map_or(0, |other| other.mail.raw.len());
        if self.has_no_room(freed, &mail) {
            return Err(NoRoom::Bytes);
        }
        let removed = gone.and_then(|id| Some((id, self.remove(&id)?)));
        self.put(mail_id, mail);
        Ok(removed)
    }

    /// Take a mail whose transaction was submitted, if there is room to try it again.
    pub fn put_submitted(&mut self, mail_id: Hash256, mail: PooledMail) -> Result<(), NoRoom> {
        let freed = self.mails.get(&mail_id).map_or(0, |other| other.mail.raw.len());
        if self.has_no_room(freed, &mail) {
            return Err(NoRoom::Bytes);
        }
        self.put(mail_id, mail);
        Ok(())
    }

    fn has_no_room(&self, freed: usize, mail: &PooledMail) -> bool {
        let others = self.bytes.saturating_sub(freed);
        others.saturating_add(mail.mail.raw.len()) > WAITING_BYTES_MAX
    }

    /// Take a mail back from the store.
    pub fn restore(&mut self, mail_id: Hash256, mail: PooledMail) {
        self.put(mail_id, mail);
    }

    fn put(&mut self, mail_id: Hash256, mail: PooledMail) {
        self.remove(&mail_id);
        self.bytes = self.bytes.saturating_add(mail.mail.raw.len());
        self.next_order = self.next_order.max(mail.mail.order.saturating_add(1));
        self.mails.insert(mail_id, mail);
    }

    /// A mail waits no longer.
    pub fn remove(&mut self, mail_id: &Hash256) -> Option<PooledMail> {
        let mail = self.mails.remove(mail_id)?;
        self.bytes = self.bytes.saturating_sub(mail.mail.raw.len());
        Some(mail)
    }

    /// All mails, oldest first.
    pub fn in_order(&self) -> Vec<Hash256> {
        let mut ids: Vec<(u64, Hash256)> = self
            .mails
            .iter()
            .map(|(id, mail)| (mail.mail.order, *id))
            .collect();
        ids.sort_unstable();
        ids.into_iter().map(|(_, id)| id).collect()
    }

    /// One mail.
    pub fn mail(&self, mail_id: &Hash256) -> Option<&PooledMail> {
        self.mails.get(mail_id)
    }

    /// One mail, to be changed.
    pub fn mail_mut(&mut self, mail_id: &Hash256) -> Option<&mut PooledMail> {
        self.mails.get_mut(mail_id)
    }

    /// The mails of an EmailID; the submitted one comes first.
    pub fn of_email(&self, email_id: &Hash256) -> Vec<(Hash256, &PooledMail)> {
        let mut found: Vec<_> = self
            .mails
            .iter()
            .filter(|(_, mail)| mail.mail.email_id == *email_id)
            .map(|(id, mail)| (*id, mail))
            .collect();
        found.sort_by_key(|(_, mail)| (mail.mail.stage == MailStage::Kept, mail.mail.order));
        found
    }

    /// The kept mails that wait for a name.
    pub fn waiting_for(&self, name: &DkimName) -> Vec<Hash256> {
        let waits = |mail: &PooledMail| mail.mail.stage == MailStage::Kept && mail.names.contains(name);
        self.mails
            .iter()
            .filter(|(_, mail)| waits(mail))
            .map(|(id, _)| *id)
            .collect()
    }

    /// Mails that wait for their key.
    pub fn kept_count(&self) -> usize {
        self.mails
            .values()
            .filter(|mail| mail.mail.stage == MailStage::Kept)
            .count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::dkim_name;
    use codec::CloseTime;

    fn id(byte: u8) -> Hash256 {
        Hash256::new([byte; 32])
    }

    fn mail(account: u8, bytes: usize, order: u64) -> PooledMail {
        PooledMail {
            mail: PendingMail {
                stage: MailStage::Kept,
                order,
                email_id: id(0xE0),
                executable_until: CloseTime::new(100),
                raw: vec![0; bytes],
            },
            account: AccountId::new([account; 20]),
            names: vec![dkim_name("a.example", "s").expect("a name")],
            tx: None,
            hope: Hope::Open,
        }
    }

    /// The mail that had to go, by its id.
    fn keep(room: &mut MailPool, mail_id: Hash256, mail: PooledMail) -> Result<Option<Hash256>, NoRoom> {
        room.keep(mail_id, mail).map(|gone| gone.map(|(id, _)| id))
    }

    // Spec: 7.5.
    #[test]
    fn accepts_two_kept_mails_of_an_account_and_rejects_the_third() {
        let mut room = MailPool::default();
        assert_eq!(keep(&mut room, id(1), mail(1, 10, 0)), Ok(None));
        assert_eq!(keep(&mut room, id(2), mail(1, 10, 1)), Ok(None));
        assert_eq!(
            keep(&mut room, id(2), mail(1, 10, 2)),
            Ok(None),
            "the same mail again takes no place"
        );
        assert_eq!(keep(&mut room, id(3), mail(1, 10, 2)), Err(NoRoom::Account));
        assert_eq!(
            keep(&mut room, id(3), mail(2, 10, 2)),
            Ok(None),
            "another account is not touched"
        );
        let mut submitted = mail(1, 10, 1);
        submitted.mail.stage = MailStage::Submitted;
        assert_eq!(room.put_submitted(id(2), submitted), Ok(()));
        assert_eq!(
            keep(&mut room, id(4), mail(1, 10, 3)),
            Ok(None),
            "a submitted mail frees its place"
        );
    }

    #[test]
    fn accepts_a_mail_in_place_of_one_without_hope() {
        let mut room = MailPool::default();
        assert_eq!(keep(&mut room, id(1), mail(1, 10, 0)), Ok(None));
        assert_eq!(keep(&mut room, id(2), mail(1, 10, 1)), Ok(None));
        room.mail_mut(&id(1)).expect("there").hope = Hope::Faint;
        assert_eq!(keep(&mut room, id(3), mail(1, 10, 2)), Ok(Some(id(1))));
        assert_eq!(room.in_order(), [id(2), id(3)]);
        assert_eq!(keep(&mut room, id(4), mail(1, 10, 3)), Err(NoRoom::Account));
    }

    #[test]
    fn rejects_mails_over_the_bytes_of_all_and_frees_them_again() {
        let mut room = MailPool::default();
        assert_eq!(keep(&mut room, id(1), mail(1, WAITING_BYTES_MAX, 0)), Ok(None));
        assert_eq!(keep(&mut room, id(2), mail(2, 1, 1)), Err(NoRoom::Bytes));
        assert_eq!(room.put_submitted(id(2), mail(2, 1, 1)), Err(NoRoom::Bytes));
        room.remove(&id(1));
        assert_eq!(keep(&mut room, id(2), mail(2, 1, 1)), Ok(None));
    }

    #[test]
    fn accepts_several_mails_of_one_email_id_and_shows_the_submitted_one_first() {
        let mut room = MailPool::default();
        assert_eq!(keep(&mut room, id(1), mail(1, 10, 0)), Ok(None));
        let mut submitted = mail(1, 10, 1);
        submitted.mail.stage = MailStage::Submitted;
        assert_eq!(room.put_submitted(id(2), submitted), Ok(()));
        let found: Vec<Hash256> = room.of_email(&id(0xE0)).into_iter().map(|(id, _)| id).collect();
        assert_eq!(found, [id(2), id(1)]);
        assert_eq!(
            room.waiting_for(&dkim_name("A.example", "S").expect("a name")),
            [id(1)]
        );
    }
}
