//! Where diagnostics go, and in which form.

use relay::config::LogFormat;
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// What a command says that ends by itself.
pub(crate) const WARNINGS: &str = "warn";
/// What a relay says: a line for each mail and each of its states.
pub(crate) const MAILS: &str = "warn,relay=info";

/// Diagnostics go to standard error: those of `default`, or what `RUST_LOG` asks for. Once in a process.
pub(crate) fn to_standard_error(format: LogFormat, default: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
}
