//! The way of answers, tried as far as that goes without writing to anybody.

use std::sync::Arc;
use std::time::Duration;

use super::finding::Finding;
use crate::config::{Answers, Config};
use crate::limits::CHECK_SECS_MAX;
use crate::notices::{Signer, SmtpError, Step, Way};

/// Whether answers can be signed and handed over: a log-in, the envelope, and no mail.
pub(super) async fn way(config: &Config, now: u64) -> Vec<Finding> {
    let Some(answers) = &config.answers else {
        let fix = "Set [answers], so that senders learn what became of their mail";
        return vec![Finding::warn(
            "answers",
            "none are sent: there is no [answers]",
            fix,
        )];
    };
    let mut findings = Vec::new();
    if let Err(error) = Signer::of(answers) {
        let fix = "Name the key that `relay quickstart` made, or any in PKCS#8 PEM";
        findings.push(Finding::fail("signature of answers", error.to_string(), fix));
    }
    let patience = Duration::from_secs(CHECK_SECS_MAX);
    let way = match Way::new(config, Arc::new(move || now)) {
        Ok(Some(way)) => way.with_patience(patience, patience),
        Ok(None) => return findings,
        Err(error) => {
            findings.push(Finding::fail(
                "way of answers",
                error.to_string(),
                "Correct [answers]",
            ));
            return findings;
        }
    };
    match way {
        Way::Direct(_) => findings.push(Finding::ok(
            "way of answers",
            "straight to the mail servers of their receivers; whether those take them, `relay check --send-to` tells",
        )),
        Way::Smarthost(smarthost) => {
            let about = format!("smarthost {}", smarthost.place());
            match smarthost.connect().await {
                Ok(mut connection) => {
                    let seen = match answers.user {
                        Some(_) => "it can be reached and takes the log-in",
                        None => "it can be reached",
                    };
                    findings.push(Finding::ok(about, seen));
                    let taken = connection.envelope(&answers.envelope_from, &answers.from).await;
                    findings.push(envelope(answers, taken));
                    connection.close().await;
                }
                Err(error) => findings.push(no_smarthost(about, &error)),
            }
        }
    }
    findings
}

fn no_smarthost(about: String, error: &SmtpError) -> Finding {
    let fix = match error {
        SmtpError::Refused {
            step: Step::LogIn, ..
        }
        | SmtpError::NoLogIn => "Correct answers.user and answers.password_file",
        SmtpError::Tls(_) | SmtpError::NoStarttls | SmtpError::TextBeforeTls => {
            "Correct answers.protection (tls, starttls or none), answers.port and answers.authorities"
        }
        SmtpError::Broken { .. }
        | SmtpError::Silent { .. }
        | SmtpError::Refused { .. }
        | SmtpError::Malformed { .. } => {
            "Correct answers.host, answers.port and answers.protection, or allow connections to it"
        }
    };
    Finding::fail(about, error.to_string(), fix)
}

fn envelope(answers: &Answers, taken: Result<(), SmtpError>) -> Finding {
    let about = "envelope of answers";
    let shown = match answers.envelope_from.as_str() {
        "" => "the empty envelope sender",
        own => own,
    };
    match taken {
        Ok(()) => Finding::ok(about, format!("the smarthost takes {shown}")),
        Err(SmtpError::Refused {
            step: Step::Sender,
            reply,
        }) => Finding::fail(
            about,
            format!("the smarthost refuses {shown}: {reply}"),
            "Set answers.envelope_from to a mailbox that somebody reads and that the smarthost lets this user send from",
        ),
        Err(error) => Finding::warn(
            about,
            format!("tried with mail to {}: {error}", answers.from),
            "Make sure that the smarthost takes mail for everybody from this user",
        ),
    }
}

/// Hands a mail, made as answers are, to the way that answers take. What arrived shows whether the signature
/// is kept.
pub(super) async fn send_to(config: &Config, to: &str, now: u64) -> Finding {
    let about = format!("test mail to {to}");
    let fix = "Correct [answers]";
    let Some(answers) = &config.answers else {
        return Finding::fail(about, "there is no [answers]", fix);
    };
    match crate::notices::send_test(config, answers, to, now).await {
        Ok(()) => Finding::ok(
            about,
            "handed over. Look at its Authentication-Results where it arrives: dkim, spf and dmarc should pass",
        ),
        Err(why) => Finding::fail(about, why, fix),
    }
}
