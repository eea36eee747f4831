//! `xahau-email`: the command line of email wallets for Xahau.
//!
//! Composition only: arguments in, the crates below at work, text or JSON out. It knows no protocol.

#[macro_use]
mod output;

mod cli;
mod clock;
mod commands;
mod demo;
mod input;
mod localnet;
mod logs;
mod stage;

use clap::Parser;
use cli::{Cli, Command};
use commands::{Failure, Outcome};
use relay::config::LogFormat;
use rpc::api::Ruling;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return explain_arguments(&error),
    };
    match &cli.command {
        // Its configuration says how it logs.
        Command::Relay(cli::Relay::Run(_)) => {}
        // Its terminal is a console; its log lies in its folder.
        Command::Localnet(_) => {}
        Command::Up(_) => logs::to_standard_error(LogFormat::Text, logs::LEDGERS_AND_MAILS),
        Command::Node(_) | Command::Validator(_) => logs::to_standard_error(LogFormat::Text, logs::LEDGERS),
        // A command that ends shows its result; its log is for what goes wrong.
        _ => logs::to_standard_error(LogFormat::Text, logs::WARNINGS),
    }
    let done = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(run(&cli)),
        Err(error) => Err(error.into()),
    };
    match done {
        Ok(outcome) => outcome.into(),
        Err(failure) => {
            eprintln!("xahau-email: {failure}");
            if cli.json {
                out!("{}", serde_json::json!({ "error": failure.to_string() }));
            }
            Outcome::Unknown.into()
        }
    }
}

/// Help and version as they are; a wrong argument also in JSON where that was asked for.
fn explain_arguments(error: &clap::Error) -> ExitCode {
    let is_json = std::env::args_os().any(|argument| argument == "--json");
    if error.use_stderr() && is_json {
        out!("{}", serde_json::json!({ "error": error.to_string() }));
    }
    // Where the output is closed, nothing can be said.
    let _ = error.print();
    if error.use_stderr() {
        Outcome::Unknown.into()
    } else {
        ExitCode::SUCCESS
    }
}

async fn run(cli: &Cli) -> Result<Outcome, Failure> {
    match &cli.command {
        Command::Address { emails } => commands::address::run(emails, cli.format()),
        Command::Explain(args) => commands::explain::run(args, cli.format()).await,
        Command::Providers => commands::providers::run(cli.format()),
        Command::Submit(args) => commands::submit::run(args, cli.format()).await,
        Command::Node(args) => commands::node::run(args, cli.format()).await,
        Command::Network(cli::Network::Init(args)) => commands::network::init(args, cli.format()),
        Command::Network(cli::Network::Add(args)) => commands::network::add(args, cli.format()),
        Command::Network(cli::Network::Status { config }) => {
            commands::network_status::status(config, cli.format()).await
        }
        Command::Network(cli::Network::Vote(args)) => commands::network_vote::run(args, cli.format()).await,
        Command::Validator(args) => commands::validator::run(args, cli.format()).await,
        Command::Relay(command) => commands::relay::run(command, cli.format()).await,
        Command::Queue(command) => commands::queue::run(command, cli.format()).await,
        Command::Ledger(cli::Ledger::Replay { files }) => commands::ledger::replay_files(files, cli.format()),
        Command::Ledger(cli::Ledger::Rollback(args)) => commands::rollback::run(args, cli.format()),
        Command::Conformance(command) => commands::conformance::run(command, cli.format()),
        Command::DkimKeys(cli::DkimKeys::Leak(args)) => commands::leak::run(args, cli.format()).await,
        Command::DkimKeys(cli::DkimKeys::Freeze(args)) => {
            commands::freeze::rule(args, Ruling::Frozen, cli.format()).await
        }
        Command::DkimKeys(cli::DkimKeys::Lift(args)) => {
            commands::freeze::rule(args, Ruling::Lifted, cli.format()).await
        }
        Command::DkimKeys(cli::DkimKeys::Frozen(args)) => commands::freeze::list(args, cli.format()).await,
        Command::Up(args) => commands::up::run(args, cli.format()).await,
        Command::Localnet(args) => localnet::run(args, cli.format()).await,
        Command::Demo(args) => demo::run(args, cli.format()).await,
    }
}
