//! Where diagnostics go, and in which form.

use relay::config::LogFormat;
use std::fmt::Debug;
use std::fs::OpenOptions;
use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;
use tracing::field::Field;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::format::{Writer, debug_fn};

/// What a command says that ends by itself.
pub(crate) const WARNINGS: &str = "warn";
/// What a node says: its start and end, each ledger, each refusal.
pub(crate) const LEDGERS: &str = "warn,xahau_email=info,node=info,network=info,rpc=info";
/// What both say in one process.
pub(crate) const LEDGERS_AND_MAILS: &str = "warn,xahau_email=info,node=info,rpc=info,relay=info";
/// What a relay says: a line for each mail and each of its states.
pub(crate) const MAILS: &str = "warn,relay=info";

/// What the DNS library warns of is what strangers' servers answer, in full: the node tells it in a line.
const WITHOUT: &str = "hickory_net=off,hickory_proto=off,hickory_resolver=off";

/// What `RUST_LOG` asks for, else the default.
fn filter(default: &str) -> EnvFilter {
    EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(format!("{default},{WITHOUT}")))
}

/// Diagnostics go to the end of a file, as text. Once in a process.
pub(crate) fn to_file(path: &Path, default: &str) -> std::io::Result<()> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    let filter = filter(default);
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Arc::new(file))
        .fmt_fields(debug_fn(write_field).delimited(" "))
        .with_ansi(false)
        .init();
    Ok(())
}

/// Diagnostics go to standard error: those of `default`, or what `RUST_LOG` asks for. Once in a process.
pub(crate) fn to_standard_error(format: LogFormat, default: &str) {
    let filter = filter(default);
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => lines
            .fmt_fields(debug_fn(write_field).delimited(" "))
            .with_ansi(std::io::stderr().is_terminal())
            .init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
}

/// `name=value`; of the message the value alone. Names of files, hosts and mails come from outside: what would
/// begin a line of its own, move the cursor or turn the direction of the text is escaped.
fn write_field(out: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> std::fmt::Result {
    if field.name() != "message" {
        write!(out, "{}=", field.name())?;
    }
    for c in format!("{value:?}").chars() {
        if is_harmful(c) {
            write!(out, "{}", c.escape_default())?;
        } else {
            out.write_char(c)?;
        }
    }
    Ok(())
}

/// Control characters, ends of lines and paragraphs, and marks of direction (Unicode UAX 9, section 2).
fn is_harmful(c: char) -> bool {
    let is_mark = matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    c.is_control() || is_mark || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::Mutex;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("unpoisoned").extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn names_from_outside_forge_no_lines() {
        let lines = Lines::default();
        let written = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .without_time()
            .with_ansi(false)
            .fmt_fields(debug_fn(write_field).delimited(" "))
            .with_writer(move || written.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let name = "new/3\nWARN forged \u{1b}[31m\u{202e}\u{2028}";
            tracing::warn!(file = %name, text = name, count = 2, "cannot read {name}");
        });
        let text = String::from_utf8(lines.0.lock().expect("unpoisoned").clone()).expect("text");
        let escaped = r"new/3\nWARN forged \u{1b}[31m\u{202e}\u{2028}";
        assert_eq!(
            text,
            format!(
                " WARN xahau_email::logs::tests: cannot read {escaped} file={escaped} text=\"{escaped}\" count=2\n"
            )
        );
    }
}
