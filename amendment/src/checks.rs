//! The steps of section 10 in their order, and what a run of the verifier keeps of them.
//!
//! Spec: 10.

use crate::refusal::Refusal;
use crate::rule::Rule;

/// A step of the order of checks; the order of the variants is the order of section 10.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The mail is within its bound.
    Size,
    /// Line ends are CRLF, no NUL.
    Controls,
    /// Header lines have names, and an empty line follows.
    HeaderLines,
    /// There is a DKIM-Signature.
    SignaturePresent,
    /// Its tags, algorithm and canonicalisation.
    Tags,
    /// Selector and domain.
    KeyName,
    /// What `h=` names.
    SignedNames,
    /// `t=` and `x=`.
    Times,
    /// `b=` and `bh=` are base64.
    SignatureBase64,
    /// From and Date, and To where it is needed, are signed once.
    Selected,
    /// From and To hold one mailbox.
    Mailbox,
    /// The address of From has a canonical form.
    Canonical,
    /// `d=` is the domain of From.
    Aligned,
    /// The body is the one that was signed.
    BodyHash,
    /// The normal form fits into a memo.
    NormalForm,
    /// Date is a date.
    Date,
    /// No signed line says that the words are somebody else's.
    OwnWords,
    /// The text in the body.
    BodyText,
    /// Its first line is an instruction, the only one.
    Grammar,
    /// No line break cut the instruction.
    Unbroken,
    /// It is for this network.
    Network,
    /// Its amount can be paid.
    Money,
    /// The recipient has an account.
    Recipient,
    /// The mail is neither old nor early.
    Window,
    /// The key is known.
    Key,
    /// The signature is that of the key.
    Signature,
}

impl Step {
    /// All steps that a mail goes through, in order.
    pub const ALL: [Step; 26] = [
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
        Step::OwnWords,
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
    #[must_use]
    pub fn rule(self) -> Rule {
        match self {
            Step::Size => Rule::R1,
            Step::Controls => Rule::R3_4,
            Step::HeaderLines => Rule::R3_1,
            Step::SignaturePresent => Rule::R4_7,
            Step::Tags => Rule::R4_1,
            Step::KeyName => Rule::R4_4,
            Step::SignedNames | Step::Selected => Rule::R4_3,
            Step::Times | Step::Date | Step::Window => Rule::R4_6,
            Step::SignatureBase64 => Rule::R3_2,
            Step::Mailbox => Rule::R2_1,
            Step::Canonical => Rule::R2_2,
            Step::Aligned => Rule::R4_2,
            Step::BodyHash => Rule::R3_3,
            Step::NormalForm => Rule::R3_5,
            Step::OwnWords => Rule::R4_8,
            Step::BodyText => Rule::R5_4,
            Step::Grammar => Rule::R5_2,
            Step::Unbroken => Rule::R5_3,
            Step::Network => Rule::R5_6,
            Step::Money => Rule::R5_5,
            Step::Recipient => Rule::R2_4,
            Step::Key => Rule::R7_3,
            Step::Signature => Rule::R4_5,
        }
    }

    /// Where a recipient's address is judged: syntax with the mailboxes, account with the recipients.
    pub(crate) fn of_address(refusal: Option<&Refusal>) -> Step {
        match refusal.map(Refusal::rule) {
            Some(Rule::R2_1) => Step::Mailbox,
            Some(Rule::R2_2) => Step::Canonical,
            Some(_) | None => Step::Recipient,
        }
    }
}

/// What a run of the verifier tells its caller.
pub trait Recorder {
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

/// Keeps the first failure beside what another recorder keeps, so that a verdict hangs on no caller's
/// recorder.
pub(crate) struct WithVerdict<'r, R> {
    first: FirstFailure,
    rest: &'r mut R,
}

impl<'r, R: Recorder> WithVerdict<'r, R> {
    pub(crate) fn new(rest: &'r mut R) -> WithVerdict<'r, R> {
        WithVerdict {
            first: FirstFailure::default(),
            rest,
        }
    }

    /// The first failure, if there was one.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        self.first.refusal()
    }
}

impl<R: Recorder> Recorder for WithVerdict<'_, R> {
    fn pass(&mut self, step: Step, read: impl FnOnce() -> String) {
        self.rest.pass(step, read);
    }

    fn fail(&mut self, step: Step, refusal: Refusal) {
        self.first.fail(step, refusal);
        self.rest.fail(step, refusal);
    }

    fn is_settled(&self, next: Step) -> bool {
        self.rest.is_settled(next) && self.first.is_settled(next)
    }
}

/// Keeps nothing and wants nothing but the verdict.
pub(crate) struct VerdictOnly;

impl Recorder for VerdictOnly {
    fn pass(&mut self, _: Step, _: impl FnOnce() -> String) {}

    fn fail(&mut self, _: Step, _: Refusal) {}

    fn is_settled(&self, _: Step) -> bool {
        true
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
