//! What must hold for a process to be alive, and to be ready.

use serde::Serialize;

/// One thing that must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// What it is about, one word such as `queue`.
    pub name: String,
    /// Whether it holds.
    pub ok: bool,
    /// What was seen, and where it does not hold what to do. Names no address.
    pub reason: String,
}

impl Condition {
    /// It holds.
    pub fn holds(name: &str, reason: impl Into<String>) -> Condition {
        Condition {
            name: name.to_owned(),
            ok: true,
            reason: reason.into(),
        }
    }

    /// It does not hold.
    pub fn fails(name: &str, reason: impl Into<String>) -> Condition {
        Condition {
            name: name.to_owned(),
            ok: false,
            reason: reason.into(),
        }
    }
}

/// What a program knows of itself. Both methods answer at once, from what is known already.
pub trait Health: Send + Sync + 'static {
    /// What must hold, or else the process has to be restarted.
    fn alive(&self) -> Vec<Condition>;
    /// What must hold for the program to do its work.
    fn ready(&self) -> Vec<Condition>;
}
