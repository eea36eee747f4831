//! Copies of a data folder, and whether one is whole.

use std::collections::BTreeMap;

use super::entry::{Answer, MailId, State};
use super::error::QueueError;
use super::store::Integrity;
use super::tables::{ANSWERS, ENTRIES, IDS, MAILS, count_states};
use super::{Queue, batch};
use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata};

/// What a walk through the whole queue found.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Verified {
    /// Entries by state.
    pub entries: BTreeMap<State, u64>,
    /// Mails whose text is kept.
    pub mails: u64,
    /// Answers.
    pub answers: u64,
    /// What is wrong, a sentence each. Empty for a queue that is whole.
    pub faults: Vec<String>,
}

impl Queue {
    /// Compares the checksums of the whole file and reads every entry, mail and answer. Others wait meanwhile.
    pub fn verify(&self) -> Result<Verified, QueueError> {
        let mut verified = Verified::default();
        if self.inner.core.store.check_integrity()? == Integrity::Repaired {
            let fault = "the file was not closed well, and its tree of pages was repaired";
            verified.faults.push(fault.to_owned());
        }
        self.read(|reading| {
            verify_entries(reading, &mut verified)?;
            let answers = reading.open_table(ANSWERS)?;
            for row in answers.iter()? {
                let (key, bytes) = row?;
                verified.answers += 1;
                if batch::decode::<Answer>(bytes.value()).is_none() {
                    let about = MailId::new(*key.value().0);
                    verified
                        .faults
                        .push(format!("an answer about {about} cannot be read"));
                }
            }
            Ok(())
        })?;
        for damaged in self.damaged()? {
            verified
                .faults
                .push(format!("entry {} was set aside: it cannot be read", damaged.id));
        }
        Ok(verified)
    }
}

fn verify_entries(reading: &ReadTransaction, verified: &mut Verified) -> Result<(), redb::Error> {
    let (entries, mails) = (reading.open_table(ENTRIES)?, reading.open_table(MAILS)?);
    let ids = reading.open_table(IDS)?;
    let mut counts = BTreeMap::new();
    for row in entries.iter()? {
        let (key, bytes) = row?;
        let (received_at, id) = key.value();
        let shown = MailId::new(*id);
        let Some(entry) = batch::decode_entry(shown, received_at, bytes.value()) else {
            verified.faults.push(format!("entry {shown} cannot be read"));
            continue;
        };
        *counts.entry(entry.state).or_insert(0) += 1;
        if ids.get(id)?.map(|at| at.value()) != Some(received_at) {
            verified
                .faults
                .push(format!("entry {shown} is not found by its id"));
        }
        let bytes = mails.get((received_at, id))?.map(|mail| mail.value().len());
        match bytes.map(|bytes| u64::try_from(bytes).unwrap_or(u64::MAX)) {
            Some(bytes) if bytes == entry.bytes => {}
            None if entry.state.is_final() => {}
            None => verified.faults.push(format!("the mail of {shown} is not there")),
            Some(bytes) => verified.faults.push(format!(
                "the mail of {shown} has {bytes} bytes instead of {}",
                entry.bytes
            )),
        }
    }
    let counted = count_states(reading)?;
    for state in State::ALL {
        let indexed = counted
            .get(usize::from(super::tables::state_number(state)))
            .copied();
        let found = counts.get(&state).copied().unwrap_or(0);
        if indexed != Some(found) {
            verified.faults.push(format!(
                "{found} entries are {}, and the index names {}",
                state.as_str(),
                indexed.unwrap_or(0)
            ));
        }
    }
    verified.mails = mails.len()?;
    verified.entries = counts;
    Ok(())
}
