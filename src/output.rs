//! Standard output that may go away: a reader that closes it ends the program quietly, a full disk with a
//! word.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write};

/// In which form a command prints its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs: one object (`--json`).
    Json,
}

impl Format {
    /// For programs.
    pub(crate) fn is_json(self) -> bool {
        self == Format::Json
    }
}

/// Prints a line on standard output.
macro_rules! out {
    ($($argument:tt)*) => { $crate::output::write(format_args!("{}\n", format_args!($($argument)*))) };
}

/// Prints text as it is on standard output.
macro_rules! out_text {
    ($($argument:tt)*) => { $crate::output::write(format_args!($($argument)*)) };
}

/// Writes and flushes; where that fails the program ends with exit code 2.
pub(crate) fn write(text: Arguments<'_>) {
    let mut stdout = std::io::stdout().lock();
    let Err(error) = stdout.write_fmt(text).and_then(|()| stdout.flush()) else {
        return;
    };
    if error.kind() != ErrorKind::BrokenPipe {
        // Standard error may be gone as well.
        let _ = writeln!(
            std::io::stderr(),
            "xahau-email: cannot write standard output: {error}"
        );
    }
    std::process::exit(2);
}
