//! `relay check`: whether everything around the relay is in order, with a remedy for what is not.
//!
//! It changes nothing, sends no mail and logs in nowhere. Each step is bounded by [`crate::limits::CHECK_SECS_MAX`].

mod machine;
mod published;
mod reach;

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::config::Config;
use crate::limits::CHECK_SECS_MAX;
use crate::resolver::{self, NamedError};

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
    fn ok(about: impl Into<String>, seen: impl Into<String>) -> Finding {
        Finding {
            about: about.into(),
            verdict: Verdict::Ok,
            seen: seen.into(),
            fix: None,
        }
    }

    fn warn(about: impl Into<String>, seen: impl Into<String>, fix: impl Into<String>) -> Finding {
        Finding {
            verdict: Verdict::Warn,
            fix: Some(fix.into()),
            ..Finding::ok(about, seen)
        }
    }

    fn fail(about: impl Into<String>, seen: impl Into<String>, fix: impl Into<String>) -> Finding {
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
    let letter = |c: char| match c {
        ' '..='~' => c.to_string(),
        _ => c.escape_unicode().to_string(),
    };
    text.chars().map(letter).collect()
}

/// The worst verdict; `Ok` where there is none.
pub fn worst(findings: &[Finding]) -> Verdict {
    findings
        .iter()
        .map(|finding| finding.verdict)
        .max()
        .unwrap_or(Verdict::Ok)
}

/// What tests set otherwise.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Port at which the world hands in mail.
    pub smtp_port: u16,
}

impl Default for Options {
    fn default() -> Options {
        Options { smtp_port: 25 }
    }
}

/// Looks at everything; `now` is Unix seconds.
pub async fn run(config: &Config, now: u64, options: Options) -> Vec<Finding> {
    let mut findings = vec![machine::data_folder(config)];
    findings.extend(machine::free_space(config));
    findings.extend(machine::certificate(config, now));
    findings.extend(reach::nodes(config, now).await);
    findings.extend(reach::smarthost(config).await);
    match resolver::named(&config.dns.server, Duration::from_secs(CHECK_SECS_MAX)) {
        Ok(Some(names)) => {
            findings.extend(published::records(config, &names).await);
            findings.extend(reach::own_mail_port(config, &names, options).await);
        }
        Ok(None) => findings.push(Finding::warn(
            "DNS",
            "look-ups are off",
            "Set dns.server to system, unless this is a test",
        )),
        Err(NamedError::System(error)) => findings.push(no_resolver(&error.to_string())),
        Err(NamedError::Word(_)) => findings.push(no_resolver("dns.server is no server")),
    }
    findings
}

fn no_resolver(why: &str) -> Finding {
    Finding::fail(
        "DNS",
        format!("no look-ups: {why}"),
        "Set dns.server to ADDR:PORT of a resolver",
    )
}

#[cfg(test)]
mod tests;
