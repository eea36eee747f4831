//! `ledger replay`: recorded ledgers of a real server, built again and compared in every byte.

use super::{Failure, Outcome};
use ::ledger::replay::{Case, replay};
use serde_json::{Value, json};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Largest record that is read, bytes: a recorded case carries its whole state twice.
const RECORD_BYTES_MAX: u64 = 256 << 20;

/// What the replay of one file gave.
struct Replayed {
    file: String,
    name: String,
    /// What differs first: what, recorded, got.
    difference: Option<(String, String, String)>,
}

/// Replays each file; the outcome is yes only where all are equal.
pub fn replay_files(files: &[PathBuf], json: bool) -> Result<Outcome, Failure> {
    let mut rows = Vec::new();
    for file in files {
        let row = replay_file(file)?;
        if !json {
            print_row(&row);
        }
        rows.push(row);
    }
    let equal = rows.iter().filter(|row| row.difference.is_none()).count();
    if json {
        let cases: Vec<Value> = rows.iter().map(row_json).collect();
        println!(
            "{}",
            json!({ "cases": cases, "equal": equal, "total": rows.len() })
        );
    } else {
        println!("{equal} of {} equal", rows.len());
    }
    Ok(if equal == rows.len() {
        Outcome::Yes
    } else {
        Outcome::No
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
    let case = Case::from_json(&record).map_err(|error| wrong(error.to_string()))?;
    let outcome = replay(&case);
    let difference = outcome.differences.into_iter().next();
    Ok(Replayed {
        file: path,
        name: case.name,
        difference: difference.map(|first| (first.what, first.expected, first.got)),
    })
}

fn row_json(row: &Replayed) -> Value {
    let difference = row.difference.as_ref();
    json!({
        "file": row.file,
        "name": row.name,
        "equal": difference.is_none(),
        "differs": difference.map(|(what, _, _)| what),
        "recorded": difference.map(|(_, recorded, _)| recorded),
        "got": difference.map(|(_, _, got)| got),
    })
}

fn print_row(row: &Replayed) {
    match &row.difference {
        None => println!("{}: equal", row.name),
        Some((what, recorded, got)) => {
            println!(
                "{}: {what} differs\n  recorded {recorded}\n  got      {got}",
                row.name
            );
        }
    }
}
