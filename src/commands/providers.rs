//! `providers`: what works with which mail provider, from the dated counts of `src/providers.toml`.
//!
//! Spec: 4.3, 4.6, 12

use super::{Failure, Outcome};
use crate::output::Format;
use amendment::limits::EMAIL_WINDOW_SECS;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The data, part of the program.
const DATA: &str = include_str!("../providers.toml");

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    provider: Vec<Row>,
}

/// What one provider signs.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    domains: Vec<String>,
    selector: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_bits: Option<u16>,
    to: Cover,
    time: Carried,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_hours: Option<u32>,
    copies: String,
    #[serde(default)]
    note: String,
    date: String,
    source: String,
}

/// Whether To is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Cover {
    Signed,
    Sometimes,
    Unsigned,
}

/// Whether the signature carries its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Carried {
    Yes,
    Sometimes,
    No,
}

/// Prints the table, or the rows as JSON.
pub(crate) fn run(format: Format) -> Result<Outcome, Failure> {
    let rows = checked_rows()?;
    if format.is_json() {
        out!("{}", json!({ "providers": rows }));
    } else {
        print(&rows);
    }
    Ok(Outcome::Yes)
}

/// Which provider has which domain, for the node's metrics.
pub(super) fn domains() -> Result<node::Providers, Failure> {
    let of_row = |row: Row| {
        let name = row.name;
        row.domains.into_iter().map(move |domain| (domain, name.clone()))
    };
    Ok(node::Providers::new(checked_rows()?.into_iter().flat_map(of_row)))
}

fn checked_rows() -> Result<Vec<Row>, Failure> {
    rows().map_err(|error| Failure::Argument(format!("src/providers.toml: {error}")))
}

fn rows() -> Result<Vec<Row>, toml::de::Error> {
    Ok(toml::from_str::<File>(DATA)?.provider)
}

/// Whether `REMIT 10 XAH` alone pays the person in To.
fn short_form(row: &Row) -> &'static str {
    match row.to {
        Cover::Signed => "yes",
        Cover::Sometimes => "sometimes",
        Cover::Unsigned => "no",
    }
}

/// How long a mail can be handed in: five days, or until its signature ends.
fn good_for(row: &Row) -> String {
    let window = EMAIL_WINDOW_SECS / 3_600;
    match row.ends_hours.unwrap_or(window).min(window) {
        hours if hours % 24 == 0 => format!("{} days", hours / 24).replace("1 days", "1 day"),
        hours => format!("{hours} hours"),
    }
}

fn print(rows: &[Row]) {
    out!("How the receiver of a REMIT can be named, by who carries your mail:");
    out!("");
    out!(
        "{:<18} {:<14} {:<20} {:<9} domains",
        "provider",
        "in To alone",
        "with TO <...>; REKEY",
        "good for"
    );
    for row in rows {
        out!(
            "{:<18} {:<14} {:<20} {:<9} {}",
            row.name,
            short_form(row),
            "yes",
            good_for(row),
            row.domains.join(" ")
        );
    }
    out!("");
    for row in rows.iter().filter(|row| !row.note.is_empty()) {
        out!("{}: {}", row.name, row.note);
    }
    out!("");
    out!(
        "Counted up to {}; sources, selectors and key lengths: --json. A provider that is not listed works if it",
        rows.iter().map(|row| row.date.as_str()).max().unwrap_or_default()
    );
    out!("signs From and Date with the domain of your address: `xahau-email explain MAIL` shows it.");
}

#[cfg(test)]
mod tests {
    use super::*;
    use explain::Provider;

    /// `2026-11` or `2026-11-20`.
    fn is_date(text: &str) -> bool {
        let parts: Vec<&str> = text.split('-').collect();
        let digits =
            |part: &&str, length: usize| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
        (2..=3).contains(&parts.len())
            && digits(&parts[0], 4)
            && parts[1..].iter().all(|part| digits(part, 2))
    }

    #[test]
    fn every_row_has_its_date_and_source() {
        let rows = rows().expect("the file");
        for row in &rows {
            assert!(is_date(&row.date), "{}: {}", row.name, row.date);
            assert!(row.source.len() > 20, "{}: {}", row.name, row.source);
            assert!(
                !row.domains.is_empty() && !row.selector.is_empty(),
                "{}",
                row.name
            );
            assert!(
                ["same", "mostly same", "differ", "unknown"].contains(&row.copies.as_str()),
                "{}",
                row.name
            );
            let unsigned = row.to != Cover::Signed;
            assert!(
                !unsigned || row.note.contains("TO") || row.note.contains("As Outlook"),
                "{}",
                row.name
            );
        }
        assert!(DATA.is_ascii());
    }

    /// The names and domains by which `explain` knows a provider are those of the rows.
    #[test]
    fn explain_knows_the_same_providers() {
        let rows = rows().expect("the file");
        let listed: Vec<(&str, Vec<&str>)> = rows
            .iter()
            .map(|row| {
                (
                    row.name.as_str(),
                    row.domains.iter().map(String::as_str).collect(),
                )
            })
            .collect();
        let known: Vec<(&str, Vec<&str>)> = Provider::ALL
            .iter()
            .map(|provider| (provider.as_str(), provider.domains().collect()))
            .collect();
        assert_eq!(listed, known);
    }

    #[test]
    fn a_mail_is_good_for_five_days_or_until_its_signature_ends() {
        let rows = rows().expect("the file");
        let shown = |name: &str| good_for(rows.iter().find(|row| row.name == name).expect("a row"));
        assert_eq!(
            ["Gmail", "Proton", "Fastmail", "Outlook.com"].map(shown),
            ["5 days", "3 days", "1 day", "5 days"]
        );
    }
}
