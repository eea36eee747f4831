//! What became of every step of a run of the verifier.
//!
//! Spec: 10.

use std::collections::BTreeMap;

use amendment::Refusal;
use amendment::checks::{Recorder, Step};

/// What became of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed(String),
    Failed(Refusal),
}

/// Keeps every step.
#[derive(Debug, Default)]
pub(crate) struct FullRecord(pub(crate) BTreeMap<Step, Outcome>);

impl FullRecord {
    /// The first failure in the order of section 10.
    pub(crate) fn first_failure(&self) -> Option<Refusal> {
        self.0.values().find_map(|outcome| match outcome {
            Outcome::Failed(refusal) => Some(*refusal),
            Outcome::Passed(_) => None,
        })
    }
}

impl Recorder for FullRecord {
    fn pass(&mut self, step: Step, read: impl FnOnce() -> String) {
        match self.0.get(&step) {
            Some(Outcome::Failed(_)) => {}
            _ => {
                self.0.insert(step, Outcome::Passed(read()));
            }
        }
    }

    fn fail(&mut self, step: Step, refusal: Refusal) {
        if !matches!(self.0.get(&step), Some(Outcome::Failed(_))) {
            self.0.insert(step, Outcome::Failed(refusal));
        }
    }

    fn is_settled(&self, _: Step) -> bool {
        false
    }
}
