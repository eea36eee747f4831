//! What the check finds, and how it is shown.

use std::fmt;

use serde::Serialize;

/// The state of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// In order.
    Ok,
    /// The relay works, but not as well as it could.
    Warn,
    /// Mail will be lost to the senders, or not be answered.
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is.
    pub about: String,
    /// How it stands.
    pub verdict: Verdict,
    /// What was seen.
    pub seen: String,
    /// What to do, where there is something to do.
    pub fix: Option<String>,
}

impl Finding {
    pub(super) fn ok(about: impl Into<String>, seen: impl Into<String>) -> Finding {
        Finding {
            about: about.into(),
            verdict: Verdict::Ok,
            seen: seen.into(),
            fix: None,
        }
    }

    pub(super) fn warn(about: impl Into<String>, seen: impl Into<String>, fix: impl Into<String>) -> Finding {
        Finding {
            verdict: Verdict::Warn,
            fix: Some(fix.into()),
            ..Finding::ok(about, seen)
        }
    }

    pub(super) fn fail(about: impl Into<String>, seen: impl Into<String>, fix: impl Into<String>) -> Finding {
        Finding {
            verdict: Verdict::Fail,
            ..Finding::warn(about, seen, fix)
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.verdict {
            Verdict::Ok => "ok",
            Verdict::Warn => "warn",
            Verdict::Fail => "FAIL",
        };
        write!(f, "{word:<5} {}: {}", self.about, printable(&self.seen))?;
        match &self.fix {
            Some(fix) => write!(f, "\n      -> {}", printable(fix)),
            None => Ok(()),
        }
    }
}

/// What strangers say (DNS, nodes, mail servers) must not speak to the terminal.
fn printable(text: &str) -> String {
    let shown = |c: char| match c {
        ' '..='~' => c.to_string(),
        _ => c.escape_unicode().to_string(),
    };
    text.chars().map(shown).collect()
}

/// The worst verdict; `Ok` where there is none.
#[must_use]
pub fn worst(findings: &[Finding]) -> Verdict {
    findings
        .iter()
        .map(|finding| finding.verdict)
        .max()
        .unwrap_or(Verdict::Ok)
}
