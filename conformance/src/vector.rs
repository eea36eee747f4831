//! A question with its answer.

use serde_json::{Value, json};

/// One question to an implementation, with the answer that the rules give.
#[derive(Debug, Clone, PartialEq)]
pub struct Vector {
    /// What is asked: a name of [`crate::kinds::KINDS`].
    pub kind: String,
    /// Unlike any other of its kind.
    pub name: String,
    /// What it is about, in a line or two.
    pub about: String,
    /// What is given.
    pub input: Value,
    /// What the rules make of it.
    pub output: Value,
}

impl Vector {
    /// As it stands in a file of its kind.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({"name": self.name, "about": self.about, "input": self.input, "output": self.output})
    }

    /// Reads what [`Vector::to_json`] writes; the member that is missing where it cannot.
    pub fn from_json(kind: &str, row: &Value) -> Result<Vector, &'static str> {
        let text = |member: &'static str| row[member].as_str().map(str::to_owned).ok_or(member);
        let value = |member: &'static str| row.get(member).cloned().ok_or(member);
        Ok(Vector {
            kind: kind.to_owned(),
            name: text("name")?,
            about: text("about")?,
            input: value("input")?,
            output: value("output")?,
        })
    }
}
