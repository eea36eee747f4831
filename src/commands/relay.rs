//! `relay`: the cc-relay, from arguments to a running daemon.

use super::node::{outlive_full_disks, stop_signal};
use super::queue as place;
use super::{Failure, Outcome, show};
use crate::output::Format;
use crate::{cli, clock, logs};
use ::relay::check::{self, Finding, Verdict};
use ::relay::config::Config;
use ::relay::config::file::{self, DEFAULT_TEXT};
use ::relay::config::quickstart::{self, Made};
use ::relay::control::{Line, Request};
use ::relay::daemon::Daemon;
use ::relay::intake::pipe::{self, Envelope, ToDaemon};
use ops::{Notifier, PrometheusHandle};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;

/// Runs one of its commands.
pub(crate) async fn run(command: &cli::Relay, format: Format) -> Result<Outcome, Failure> {
    match command {
        cli::Relay::Run(args) => run_daemon(args, format).await,
        cli::Relay::Config => {
            if format.is_json() {
                out!("{}", json!({ "config": DEFAULT_TEXT }));
            } else {
                out_text!("{DEFAULT_TEXT}");
            }
            Ok(Outcome::Yes)
        }
        cli::Relay::Check { relay, send_to } => {
            let config = file::read(&relay.config)?;
            let now = clock::now_unix();
            let mut findings = check::run(&config, now, check::Options::default()).await;
            if let Some(to) = send_to {
                findings.push(check::send_to(&config, to, now).await);
            }
            say_findings(&findings, format);
            Ok(outcome(&findings))
        }
        cli::Relay::Quickstart(args) => quickstart(args, format).await,
        cli::Relay::Pipe(args) => Ok(pipe(args).await),
        cli::Relay::Backup { to, place } => backup(to, place, format).await,
        cli::Relay::Restore { from, data } => {
            ::relay::queue::backup::restore(from, data)?;
            done(
                format,
                &format!("made {} from {}", data.display(), from.display()),
            );
            Ok(Outcome::Yes)
        }
        cli::Relay::Verify(place) => verify(place, format).await,
    }
}

fn done(format: Format, text: &str) {
    if format.is_json() {
        out!("{}", json!({ "done": text }));
    } else {
        out!("{text}");
    }
}

/// A mail server that starts this must never take trouble of ours for a refusal: all of it is "later".
async fn pipe(args: &cli::Pipe) -> Outcome {
    let outcome = match place::data_of(&args.place) {
        Ok((data, _)) => {
            let envelope = Envelope {
                sender: args.sender.clone(),
                recipients: Vec::new(),
            };
            pipe::hand_in(tokio::io::stdin(), envelope, &ToDaemon { data }).await
        }
        Err(failure) => pipe::Outcome {
            code: pipe::EX_TEMPFAIL,
            line: format!("4.3.5 {}", failure.to_string().replace('\n', " ")),
        },
    };
    if outcome.code == pipe::EX_OK {
        out!("{}", outcome.line);
    } else {
        eprintln!("{}", outcome.line);
    }
    Outcome::Code(outcome.code)
}

async fn backup(to: &Path, place: &cli::RelayPlace, format: Format) -> Result<Outcome, Failure> {
    let to = std::path::absolute(to)?;
    let mut operator = place::operator(place).await?;
    operator
        .request(Request::Backup { to: to.clone() }, |_| {})
        .await?;
    done(format, &format!("copied to {}", to.display()));
    Ok(Outcome::Yes)
}

async fn verify(place: &cli::RelayPlace, format: Format) -> Result<Outcome, Failure> {
    let mut operator = place::operator(place).await?;
    let mut found = None;
    let take = |line| {
        if let Line::Verified(verified) = line {
            found = Some(verified);
        }
    };
    operator.request(Request::Verify, take).await?;
    let found = found.unwrap_or_default();
    if format.is_json() {
        out!("{}", json!(found));
    } else {
        let entries: u64 = found.entries.values().sum();
        out!(
            "{entries} entries, {} mails, {} answers",
            found.mails,
            found.notices
        );
        for fault in &found.faults {
            out!("FAIL  {}", show::printable(fault));
        }
    }
    Ok(if found.faults.is_empty() {
        Outcome::Yes
    } else {
        Outcome::No
    })
}

/// Runs until the operator ends it.
async fn run_daemon(args: &cli::RelayConfig, format: Format) -> Result<Outcome, Failure> {
    let config = file::read(&args.config)?;
    logs::to_standard_error(config.log.format, logs::MAILS);
    outlive_full_disks()?;
    let service_manager = Notifier::from_env();
    let metrics = metrics_of(&config)?;
    let mut daemon = Daemon::start(config, Arc::new(clock::now_unix), metrics).await?;
    say_listening(&daemon, format);
    service_manager.ready("taking mail");
    let ended = tokio::select! {
        () = stop_signal() => Ok(Outcome::Yes),
        broken = daemon.broken() => Err(broken.into()),
    };
    tracing::info!("stopping: open mails finish first");
    service_manager.stopping();
    daemon.stop().await;
    ended
}

/// The counters, where the configuration has somebody look at them.
pub(crate) fn metrics_of(config: &Config) -> Result<Option<PrometheusHandle>, Failure> {
    let installed = config
        .http
        .as_ref()
        .map(|_| ::relay::meter::install())
        .transpose();
    Ok(installed.map_err(std::io::Error::other)?)
}

/// Prints where a daemon listens.
pub(crate) fn say_listening(daemon: &Daemon, format: Format) {
    if format.is_json() {
        let places: Vec<String> = daemon.listening().iter().map(ToString::to_string).collect();
        out!("{}", json!({ "listening": places }));
    } else {
        for place in daemon.listening() {
            out!("listening {place}");
        }
    }
}

fn say_findings(findings: &[Finding], format: Format) {
    if format.is_json() {
        out!(
            "{}",
            json!({ "worst": check::worst(findings), "checks": findings })
        );
    } else {
        for finding in findings {
            out!("{finding}");
        }
    }
}

fn outcome(findings: &[Finding]) -> Outcome {
    match check::worst(findings) {
        Verdict::Ok | Verdict::Warn => Outcome::Yes,
        Verdict::Fail => Outcome::No,
    }
}

/// What is still missing right after the files were made is no failure of making them: exit code 0.
async fn quickstart(args: &cli::Quickstart, format: Format) -> Result<Outcome, Failure> {
    let request = quickstart::Request {
        address: args.address.clone(),
        folder: args.dir.clone(),
        data: args.data.clone(),
        hostname: args.hostname.clone(),
        ips: args.ip.clone(),
        dns: args.dns.clone(),
        network: args.network,
        nodes: args.node.clone(),
        now: clock::now_unix(),
    };
    let made = tokio::task::spawn_blocking(move || quickstart::run(&request));
    let made = made.await.map_err(std::io::Error::other)??;
    if !format.is_json() {
        out_text!("{}", text(&made));
    }
    let findings = check::run(&made.config, clock::now_unix(), check::Options::default()).await;
    if format.is_json() {
        out!("{}", json!({ "made": made, "checks": findings }));
    } else {
        say_findings(&findings, format);
        out!(
            "\nThen: xahau-email relay run --config {}",
            made.config_file.display()
        );
    }
    Ok(Outcome::Yes)
}

fn text(made: &Made) -> String {
    let mut out = format!(
        "made {}\nmade {} (secret: signs the answers)\nmade {}\n\nPublish in DNS:\n\n",
        made.config_file.display(),
        made.dkim_key.display(),
        made.mta_sts_policy.display()
    );
    for record in &made.records {
        out.push_str(&format!("; {}\n{}\n", record.note, record.zone_line()));
    }
    out.push_str(&format!(
        "\nFor MTA-STS serve {} at\n{}\n\nCurrent state:\n\n",
        made.mta_sts_policy.display(),
        made.mta_sts_url
    ));
    out
}
