//! How the demo tells what happens: text as it happens, or events for machines; and where it differs from
//! what must be, the step that did.

use crate::commands::Failure;
use serde_json::{Map, Value, json};

/// A step that did not go as the story says.
#[derive(Debug, thiserror::Error)]
#[error("step {step:?}: {reason}")]
pub(crate) struct Differs {
    /// Name of the step.
    pub step: String,
    /// What was expected, and what came.
    pub reason: String,
}

/// Why the story ended early.
pub(super) enum Ending {
    /// Something happened that must not, or did not that must.
    Differs(Differs),
    /// The machine did not let it begin.
    Failure(Failure),
}

impl From<Differs> for Ending {
    fn from(differs: Differs) -> Self {
        Ending::Differs(differs)
    }
}

impl From<Failure> for Ending {
    fn from(failure: Failure) -> Self {
        Ending::Failure(failure)
    }
}

impl From<std::io::Error> for Ending {
    fn from(error: std::io::Error) -> Self {
        Ending::Failure(error.into())
    }
}

/// Whom the story is told to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Audience {
    /// Text on standard output, as it happens.
    People,
    /// One JSON object at the end.
    Machines,
}

/// The story so far.
pub(super) struct Story {
    audience: Audience,
    step: String,
    events: Vec<Value>,
}

impl Story {
    /// Begins.
    pub(super) fn new(audience: Audience) -> Self {
        Story {
            audience,
            step: "start".to_owned(),
            events: Vec::new(),
        }
    }

    /// Begins a step: its name for errors and events, and a heading.
    pub(super) fn step(&mut self, name: &str, heading: &str) {
        self.step = name.to_owned();
        self.say(&format!("\n== {heading}"));
    }

    /// A line for people.
    pub(super) fn say(&self, text: &str) {
        if self.audience == Audience::People {
            out!("{text}");
        }
    }

    /// Lines for people, set off from the rest.
    pub(super) fn quote(&self, text: &str) {
        for line in text.lines() {
            self.say(&format!("   | {line}"));
        }
    }

    /// An event for machines; the step's name is added.
    pub(super) fn event(&mut self, kind: &str, details: Value) {
        let mut event = Map::from_iter([
            ("step".to_owned(), json!(self.step)),
            ("event".to_owned(), json!(kind)),
        ]);
        if let Value::Object(details) = details {
            event.extend(details);
        }
        self.events.push(Value::Object(event));
    }

    /// The refusal of this step.
    pub(super) fn differs(&self, reason: impl Into<String>) -> Differs {
        Differs {
            step: self.step.clone(),
            reason: reason.into(),
        }
    }

    /// Goes on only where what came is what must come.
    pub(super) fn expect<T: PartialEq + std::fmt::Debug>(
        &self,
        what: &str,
        came: T,
        must: T,
    ) -> Result<(), Differs> {
        if came == must {
            return Ok(());
        }
        Err(self.differs(format!("{what} is {came:?}, but must be {must:?}")))
    }

    /// Everything for machines.
    pub(super) fn into_json(self, end: &Result<(), Differs>) -> Value {
        let failed = end.as_ref().err();
        json!({
            "ok": failed.is_none(),
            "failed_step": failed.map(|differs| differs.step.clone()),
            "reason": failed.map(|differs| differs.reason.clone()),
            "events": self.events,
        })
    }
}
