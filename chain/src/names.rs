//! Which names are being asked for, and which are not to be asked again yet.

use std::collections::{BTreeMap, BTreeSet};

use amendment::KeyName;
use codec::CloseTime;

use crate::limits::{
    ABSENT_SECS, FAILED_LOOKUP_SECS, LOOKUPS_AT_WORK_MAX, REMEMBERED_NAMES_MAX, UNPROVEN_SECS,
};

/// Names at work and names at rest.
#[derive(Debug, Default)]
pub struct Names {
    at_work: BTreeSet<KeyName>,
    resting_until: BTreeMap<KeyName, CloseTime>,
}

/// Why a name rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// It has no usable record.
    Absent,
    /// DNS gave no answer.
    Failed,
    /// Its answer is attested; the ledger has it soon.
    Attested,
    /// It has a record, but no waiting mail verifies under it.
    Unproven,
}

impl Names {
    /// Take a name up, if it may be asked for now.
    pub fn begin(&mut self, name: &KeyName, now: CloseTime) -> bool {
        let rests = self.resting_until.get(name).is_some_and(|until| now < *until);
        if rests || self.at_work.len() >= LOOKUPS_AT_WORK_MAX {
            return false;
        }
        self.resting_until.remove(name);
        self.at_work.insert(name.clone())
    }

    /// The look-up of a name has ended.
    pub fn end(&mut self, name: &KeyName) {
        self.at_work.remove(name);
    }

    /// Do not ask for a name for a while.
    pub fn rest(&mut self, name: &KeyName, rest: Rest, now: CloseTime) {
        if self.resting_until.len() >= REMEMBERED_NAMES_MAX {
            self.resting_until.retain(|_, until| now < *until);
            let oldest = self
                .resting_until
                .iter()
                .min_by_key(|(_, until)| **until)
                .map(|(name, _)| name.clone());
            if let Some(oldest) = oldest.filter(|_| self.resting_until.len() >= REMEMBERED_NAMES_MAX) {
                self.resting_until.remove(&oldest);
            }
        }
        let secs = match rest {
            Rest::Absent | Rest::Attested => ABSENT_SECS,
            Rest::Failed => FAILED_LOOKUP_SECS,
            Rest::Unproven => UNPROVEN_SECS,
        };
        let until = CloseTime::new(now.seconds().saturating_add(secs));
        self.resting_until.insert(name.clone(), until);
    }

    /// Whether any look-up is under way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.at_work.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_a_name_again_after_its_rest_and_not_before() {
        let mut names = Names::default();
        let (name, t) = (
            KeyName::new(b"mail.example", b"s").expect("a name"),
            CloseTime::new(100),
        );
        assert!(names.begin(&name, t));
        assert!(!names.begin(&name, t), "it is at work");
        names.end(&name);
        names.rest(&name, Rest::Absent, t);
        assert!(!names.begin(&name, CloseTime::new(699)));
        assert!(names.begin(&name, CloseTime::new(700)));
        names.end(&name);
        names.rest(&name, Rest::Failed, CloseTime::new(700));
        assert!(!names.begin(&name, CloseTime::new(704)));
        assert!(names.begin(&name, CloseTime::new(705)));
    }

    #[test]
    fn rejects_names_over_the_bounds() {
        let mut names = Names::default();
        let name = |i: usize| KeyName::new(b"a.example", format!("s{i}").as_bytes()).expect("a name");
        for i in 0..LOOKUPS_AT_WORK_MAX {
            assert!(names.begin(&name(i), CloseTime::new(0)));
        }
        assert!(!names.begin(&name(LOOKUPS_AT_WORK_MAX), CloseTime::new(0)));
        for i in 0..REMEMBERED_NAMES_MAX + 10 {
            names.rest(&name(i), Rest::Absent, CloseTime::new(0));
        }
        assert!(names.resting_until.len() <= REMEMBERED_NAMES_MAX);
    }
}
