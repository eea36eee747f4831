//! `relay check`: whether everything around the relay is in order, with a remedy for what is not.
//!
//! It changes nothing, and sends no mail unless it is asked to. It logs in where the relay does. Each step is
//! bounded by [`crate::limits::CHECK_SECS_MAX`].

mod answers;
mod finding;
mod machine;
mod published;
mod reach;

use std::time::Duration;

use crate::config::Config;
use crate::limits::CHECK_SECS_MAX;
use crate::resolver::{self, NamedError};

pub use finding::{Finding, Verdict, worst};
pub use reach::Options;

/// Looks at everything; `now` is Unix seconds.
pub async fn run(config: &Config, now: u64, options: Options) -> Vec<Finding> {
    let mut findings = vec![machine::data_folder(config)];
    findings.extend(machine::free_space(config));
    findings.extend(machine::certificate(config, now));
    findings.extend(reach::nodes(config, now).await);
    findings.extend(reach::mailbox(config).await);
    findings.extend(answers::way(config, now).await);
    match resolver::named(&config.dns.server, Duration::from_secs(CHECK_SECS_MAX)) {
        Ok(Some(names)) => match published::records(config, &names, now).await {
            Ok(records) => {
                findings.extend(records);
                findings.extend(reach::own_mail_port(config, &names, options).await);
            }
            Err(silent) => findings.extend(silent),
        },
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

/// Sends a test mail by the way of answers.
pub async fn send_to(config: &Config, to: &str, now: u64) -> Finding {
    answers::send_to(config, to, now).await
}

fn no_resolver(why: &str) -> Finding {
    Finding::fail(
        "DNS",
        format!("no look-ups: {why}"),
        "Set dns.server to ADDR:PORT of a resolver",
    )
}

#[cfg(test)]
pub(crate) mod tests;
