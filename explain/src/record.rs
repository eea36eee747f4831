//! What became of every step of a run of the verifier.
//!
//! Spec: 10.

use std::collections::BTreeMap;

use amendment::Refusal;
use amendment::checks::{Recorder, Step};

/// What became of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    Passed(String),
    Failed(Refusal),
}

/// Keeps every step.
#[derive(Debug, Default)]
pub(crate) struct FullRecord(pub(crate) BTreeMap<Step, Found>);

impl Recorder for FullRecord {
    fn pass(&mut self, step: Step, read: impl FnOnce() -> String) {
        match self.0.get(&step) {
            Some(Found::Failed(_)) => {}
            _ => {
                self.0.insert(step, Found::Passed(read()));
            }
        }
    }

    fn fail(&mut self, step: Step, refusal: Refusal) {
        if !matches!(self.0.get(&step), Some(Found::Failed(_))) {
            self.0.insert(step, Found::Failed(refusal));
        }
    }

    fn is_settled(&self, _: Step) -> bool {
        false
    }
}
