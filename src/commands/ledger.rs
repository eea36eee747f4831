//! `ledger replay`: recorded ledgers of a real server, built again and compared in every byte.

use super::{Failure, Outcome};
use crate::output::Format;
use ::ledger::replay::{Difference, MustDiffer, RecordedLedger, replay};
use serde_json::{Value, json};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Largest record that is read, bytes: a recorded case carries its whole state twice.
const RECORD_BYTES_MAX: u64 = 256 << 20;

/// What the replay of one file gave.
struct Replayed {
    file: String,
    name: String,
    /// What differs first.
    difference: Option<Difference>,
    /// Why that must be so, where it must.
    must_differ: Option<MustDiffer>,
    /// Why it cannot be replayed.
    error: Option<String>,
}

impl Replayed {
    fn is_equal(&self) -> bool {
        self.difference.is_none() && self.error.is_none()
    }

    fn is_right(&self) -> bool {
        self.is_equal() || self.must_differ.is_some()
    }
}

/// Replays each file; the outcome is yes only where all are equal but those that must differ.
pub(crate) fn replay_files(files: &[PathBuf], format: Format) -> Result<Outcome, Failure> {
    let mut rows = Vec::new();
    for file in files {
        let row = replay_file(file).unwrap_or_else(|failure| Replayed {
            file: file.display().to_string(),
            name: file.display().to_string(),
            difference: None,
            must_differ: None,
            error: Some(failure.to_string()),
        });
        if !format.is_json() {
            print_row(&row);
        }
        rows.push(row);
    }
    let equal = rows.iter().filter(|row| row.is_equal()).count();
    let must_differ = rows.iter().filter(|row| row.must_differ.is_some()).count();
    if format.is_json() {
        let cases: Vec<Value> = rows.iter().map(row_json).collect();
        out!(
            "{}",
            json!({ "cases": cases, "equal": equal, "must_differ": must_differ, "total": rows.len() })
        );
    } else if must_differ == 0 {
        out!("{equal} of {} equal", rows.len());
    } else {
        out!("{equal} of {} equal, {must_differ} must differ", rows.len());
    }
    let is_unreadable = rows.iter().any(|row| row.error.is_some());
    Ok(match (is_unreadable, rows.iter().all(Replayed::is_right)) {
        (true, _) => Outcome::Unknown,
        (false, true) => Outcome::Yes,
        (false, false) => Outcome::No,
    })
}

fn replay_file(file: &Path) -> Result<Replayed, Failure> {
    let path = file.display().to_string();
    let mut text = Vec::new();
    std::fs::File::open(file)
        .and_then(|file| file.take(RECORD_BYTES_MAX).read_to_end(&mut text))
        .map_err(|source| Failure::Read {
            path: path.clone(),
            source,
        })?;
    let wrong = |reason: String| Failure::Record {
        path: path.clone(),
        reason,
    };
    let record: Value = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
    let case = RecordedLedger::from_json(&record).map_err(|error| wrong(error.to_string()))?;
    let outcome = replay(&case);
    Ok(Replayed {
        file: path,
        name: case.name,
        difference: outcome.differences.into_iter().next(),
        must_differ: outcome.must_differ,
        error: None,
    })
}

fn row_json(row: &Replayed) -> Value {
    let difference = row.difference.as_ref();
    json!({
        "file": row.file,
        "name": row.name,
        "equal": row.is_equal(),
        "error": row.error,
        "differs": difference.map(|difference| &difference.what),
        "recorded": difference.map(|difference| &difference.expected),
        "got": difference.map(|difference| &difference.got),
        "must_differ": row.must_differ.map(|reason| reason.to_string()),
    })
}

fn print_row(row: &Replayed) {
    if let Some(error) = &row.error {
        out!("{error}");
        return;
    }
    let Some(Difference { what, expected, got }) = &row.difference else {
        out!("{}: equal", row.name);
        return;
    };
    match &row.must_differ {
        Some(reason) => out!("{}: {what} must differ: {reason}", row.name),
        None => out!("{}: {what} differs", row.name),
    }
    out!("  recorded {expected}\n  got      {got}");
}
