//! `conformance`: the vectors for a second implementation, and another program under them.

use super::{Failure, Outcome};
use crate::cli::{Check, Conformance, Export};
use crate::output::Format;
use ::conformance::{Difference, Pack, Reply, Report, Vector};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::process::Command;
use std::time::Duration;

/// Columns of a value that are shown.
const VALUE_COLUMNS_MAX: usize = 200;

pub(crate) fn run(command: &Conformance, format: Format) -> Result<Outcome, Failure> {
    match command {
        Conformance::Export(args) => export(args, format),
        Conformance::Check(args) => check(args, format),
        Conformance::Answer => answer(),
    }
}

/// Writes the pack.
fn export(args: &Export, format: Format) -> Result<Outcome, Failure> {
    let pack = Pack::build()?;
    pack.write(&args.folder)?;
    let counts = by_kind(&pack.vectors);
    let folder = args.folder.display();
    if format.is_json() {
        let folder = folder.to_string();
        out!(
            "{}",
            json!({"folder": folder, "rules": amendment::RULES_VERSION, "vectors": counts})
        );
    } else {
        out!(
            "{} vectors of {} kinds, in {folder}:",
            pack.vectors.len(),
            counts.len()
        );
        counts
            .iter()
            .for_each(|(kind, count)| out!("  {kind:<20} {count:>5}"));
        out!("Read {folder}/README.md, then: xahau-email conformance check {folder} -- PROGRAM");
    }
    Ok(Outcome::Yes)
}

fn by_kind(vectors: &[Vector]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for vector in vectors {
        *counts.entry(vector.kind.as_str()).or_default() += 1;
    }
    counts
}

/// Asks a program the vectors of a folder.
fn check(args: &Check, format: Format) -> Result<Outcome, Failure> {
    let pack = Pack::read(&args.folder)?;
    let asked = chosen(args, &pack)?;
    let (program, arguments) = args.program.split_first().ok_or_else(|| {
        let missing = "which program? Give it behind --";
        Failure::Argument(missing.to_owned())
    })?;
    let mut command = Command::new(program);
    command.args(arguments);
    let timeout = Duration::from_secs(args.timeout.get());
    let report = ::conformance::check(&asked, &args.ignored, &mut command, timeout, &mut |difference| {
        if !format.is_json() {
            print_difference(difference);
        }
    });
    if format.is_json() {
        out!("{}", report_json(args, &asked, &report));
    } else {
        print_summary(asked.len(), &report);
    }
    Ok(match &report.fault {
        Some(_) => Outcome::Unknown,
        None if !report.differences.is_empty() => Outcome::No,
        None if report.agreed.is_empty() => Outcome::Unknown,
        None => Outcome::Yes,
    })
}

/// The vectors that the filters leave.
fn chosen<'p>(args: &Check, pack: &'p Pack) -> Result<Vec<&'p Vector>, Failure> {
    let counts = by_kind(&pack.vectors);
    if let Some(kind) = args.kinds.iter().find(|kind| !counts.contains_key(kind.as_str())) {
        let known = counts.keys().copied().collect::<Vec<_>>().join(", ");
        return Err(Failure::Argument(format!(
            "--kind {kind}: the pack has no such kind, but {known}"
        )));
    }
    let of_kind = |vector: &&Vector| args.kinds.is_empty() || args.kinds.contains(&vector.kind);
    let of_name =
        |vector: &&Vector| args.names.is_empty() || args.names.iter().any(|name| vector.name.contains(name));
    let asked: Vec<&Vector> = pack.vectors.iter().filter(of_kind).filter(of_name).collect();
    if asked.is_empty() {
        return Err(Failure::Argument(
            "no vector of the pack has such a name: --name takes any part of one".to_owned(),
        ));
    }
    Ok(asked)
}

fn print_difference(difference: &Difference) {
    let vector = &difference.vector;
    out!("differs: {} {}", vector.kind, vector.name);
    if !vector.about.is_empty() {
        out!("  about: {}", vector.about);
    }
    match &difference.got {
        Reply::Output(got) => members(&vector.output, got)
            .into_iter()
            .for_each(|(member, expected, got)| {
                out!("  {member}: expected {}, got {}", shown(expected), shown(got));
            }),
        Reply::Error(error) => out!(
            "  expected {}, got an error: {error}",
            shown(Some(&vector.output))
        ),
        Reply::Unsupported => {}
    }
}

/// Members that differ, with both values; `output` itself where one of them is no object.
fn members<'v>(expected: &'v Value, got: &'v Value) -> Vec<(&'v str, Option<&'v Value>, Option<&'v Value>)> {
    let (Some(left), Some(right)) = (expected.as_object(), got.as_object()) else {
        return vec![("output", Some(expected), Some(got))];
    };
    let added = right.keys().filter(|member| !left.contains_key(*member));
    let all = left.keys().chain(added);
    let rows = all.map(|member| (member.as_str(), left.get(member), right.get(member)));
    rows.filter(|(_, expected, got)| expected != got).collect()
}

/// A value, or the part of it that fits.
fn shown(value: Option<&Value>) -> String {
    let Some(value) = value else {
        return "none".to_owned();
    };
    let text = value.to_string();
    if text.chars().count() <= VALUE_COLUMNS_MAX {
        return text;
    }
    let begin: String = text.chars().take(VALUE_COLUMNS_MAX).collect();
    format!("{begin}... ({} characters)", text.chars().count())
}

fn sum(counts: &BTreeMap<String, usize>) -> usize {
    counts.values().sum()
}

fn print_summary(asked: usize, report: &Report) {
    let (agreed, unsupported, differ) = (
        sum(&report.agreed),
        sum(&report.unsupported),
        report.differences.len(),
    );
    let told = format!("{asked} vectors: {agreed} agree, {differ} differ, {unsupported} unsupported");
    match asked - agreed - differ - unsupported {
        0 => out!("{told}"),
        left => out!("{told}, {left} not answered"),
    }
    for (kind, count) in &report.unsupported {
        out!("  unsupported: {count} of {kind}");
    }
    if let Some(fault) = &report.fault {
        eprintln!("xahau-email: {fault}");
    } else if report.agreed.is_empty() && report.differences.is_empty() {
        eprintln!("xahau-email: the program answered none of them: nothing was compared");
    }
}

fn report_json(args: &Check, asked: &[&Vector], report: &Report) -> Value {
    let differences = report.differences.iter().map(|difference| {
        let vector = &difference.vector;
        let mut row = json!({"kind": vector.kind, "name": vector.name, "about": vector.about, "expected": vector.output});
        match &difference.got {
            Reply::Output(got) => row["got"] = got.clone(),
            Reply::Error(error) => row["error"] = json!(error),
            Reply::Unsupported => {}
        }
        row
    });
    json!({
        "folder": args.folder.display().to_string(),
        "asked": asked.len(),
        "agreed": report.agreed,
        "unsupported": report.unsupported,
        "differences": differences.collect::<Vec<_>>(),
        "fault": report.fault.as_ref().map(ToString::to_string),
    })
}

/// Answers as any program under `check` does, until standard input ends.
fn answer() -> Result<Outcome, Failure> {
    for line in std::io::stdin().lock().split(b'\n') {
        out!("{}", ::conformance::reply(&String::from_utf8_lossy(&line?)));
    }
    Ok(Outcome::Yes)
}
