//! The steps of section 10 in their order, and what a run of the verifier keeps of them: the first failure alone, or all.
//!
//! Spec: 10.

use std::collections::BTreeMap;

use crate::refusal::Refusal;

/// A step of the order of checks; the order of the variants is the order of section 10.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Size,
    Controls,
    HeaderLines,
    SignaturePresent,
    Tags,
    KeyName,
    SignedNames,
    Times,
    SignatureBase64,
    Selected,
    Mailbox,
    Canonical,
    Aligned,
    BodyHash,
    NormalForm,
    Date,
    ListOrRobot,
    BodyText,
    Grammar,
    Unbroken,
    Network,
    Money,
    Recipient,
    Window,
    Key,
    Signature,
}

impl Step {
    /// All steps that a mail goes through, in order.
    pub(crate) const ALL: [Step; 26] = [
        Step::Size,
        Step::Controls,
        Step::HeaderLines,
        Step::SignaturePresent,
        Step::Tags,
        Step::KeyName,
        Step::SignedNames,
        Step::Times,
        Step::SignatureBase64,
        Step::Selected,
        Step::Mailbox,
        Step::Canonical,
        Step::Aligned,
        Step::BodyHash,
        Step::NormalForm,
        Step::Date,
        Step::ListOrRobot,
        Step::BodyText,
        Step::Grammar,
        Step::Unbroken,
        Step::Network,
        Step::Money,
        Step::Recipient,
        Step::Window,
        Step::Key,
        Step::Signature,
    ];

    /// The rule that a step checks, where it passes.
    pub(crate) fn rule(self) -> &'static str {
        match self {
            Step::Size => "1",
            Step::Controls => "3.4",
            Step::HeaderLines => "3.1",
            Step::SignaturePresent => "4.7",
            Step::Tags => "4.1",
            Step::KeyName => "4.4",
            Step::SignedNames | Step::Selected => "4.3",
            Step::Times | Step::Date | Step::Window => "4.6",
            Step::SignatureBase64 => "3.2",
            Step::Mailbox => "2.1",
            Step::Canonical => "2.2",
            Step::Aligned => "4.2",
            Step::BodyHash => "3.3",
            Step::NormalForm => "3.5",
            Step::ListOrRobot => "4.8",
            Step::BodyText => "5.4",
            Step::Grammar => "5.2",
            Step::Unbroken => "5.3",
            Step::Network => "5.6",
            Step::Money => "5.5",
            Step::Recipient => "2.4",
            Step::Key => "7.3",
            Step::Signature => "4.5",
        }
    }

    /// Where a recipient's address is judged: syntax with the mailboxes, account with the recipients.
    pub(crate) fn of_address(refusal: Option<&Refusal>) -> Step {
        match refusal.map(Refusal::rule) {
            Some("2.1") => Step::Mailbox,
            Some("2.2") => Step::Canonical,
            _ => Step::Recipient,
        }
    }
}

/// What a run of the verifier tells its caller.
pub(crate) trait Recorder {
    /// A step passed. `read` says what it read; called only by those who want to know.
    fn pass(&mut self, step: Step, read: impl FnOnce() -> String);
    /// A step failed.
    fn fail(&mut self, step: Step, refusal: Refusal);
    /// Whether no step from `next` on can change what is kept, so that a run may end there.
    fn is_settled(&self, next: Step) -> bool;

    /// Records the result of a step and hands its value on.
    fn hold<T>(
        &mut self,
        step: Step,
        result: Result<T, Refusal>,
        read: impl FnOnce(&T) -> String,
    ) -> Option<T>
    where
        Self: Sized,
    {
        self.hold_at(|_| step, result, read)
    }

    /// The same, where the step depends on the refusal.
    fn hold_at<T>(
        &mut self,
        step: impl FnOnce(Option<&Refusal>) -> Step,
        result: Result<T, Refusal>,
        read: impl FnOnce(&T) -> String,
    ) -> Option<T>
    where
        Self: Sized,
    {
        match result {
            Ok(value) => {
                self.pass(step(None), || read(&value));
                Some(value)
            }
            Err(refusal) => {
                self.fail(step(Some(&refusal)), refusal);
                None
            }
        }
    }
}

/// Keeps the first failure in the order of section 10, whatever the order of the run.
#[derive(Debug, Default)]
pub(crate) struct FirstFailure(Option<(Step, Refusal)>);

impl FirstFailure {
    /// The failure, if there was one.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        self.0.map(|(_, refusal)| refusal)
    }
}

impl Recorder for FirstFailure {
    fn pass(&mut self, _: Step, _: impl FnOnce() -> String) {}

    fn fail(&mut self, step: Step, refusal: Refusal) {
        if self.0.is_none_or(|(first, _)| step < first) {
            self.0 = Some((step, refusal));
        }
    }

    fn is_settled(&self, next: Step) -> bool {
        self.0.is_some_and(|(first, _)| first < next)
    }
}

/// Keeps nothing and wants everything: for those who look at what could be read, whatever failed.
#[derive(Debug, Default)]
pub(crate) struct NoRecord;

impl Recorder for NoRecord {
    fn pass(&mut self, _: Step, _: impl FnOnce() -> String) {}

    fn fail(&mut self, _: Step, _: Refusal) {}

    fn is_settled(&self, _: Step) -> bool {
        false
    }
}

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
