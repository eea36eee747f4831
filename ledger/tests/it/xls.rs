//! docs/xls-3d.md says of fields, failures, numbers and examples what the code says.
//! `XAHAU_EMAIL_WRITE_GOLDEN=1 cargo test -p ledger --test it xls` writes its generated parts anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use codec::format::{EntryType, Presence, Template, TxType};
use codec::{CloseTime, Hash256, Object, Ter, json, keylet};
use ledger::dkim::{Answer, Attestation, Ruling, Statement, build_key_set};
use testkit::sign::DkimKey;

use super::common::{World, id, key};
use super::failures::{at_the_door, by_the_ledger, of_records, stateless};
use super::leak::{evidence, leak};
use super::mails::{CLOCK, NETWORK, alice, key_set, mail, stamped, tx, world, wrapped};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn document() -> String {
    std::fs::read_to_string(root().join("docs/xls-3d.md")).expect("the document")
}

const WRITE: &str = "XAHAU_EMAIL_WRITE_GOLDEN";

/// The text with the part of a name replaced; a part stands between two comments.
fn with_part(text: &str, name: &str, part: &str) -> String {
    let begin = format!("<!-- generated: {name} -->\n");
    let (before, rest) = text.split_once(&begin).expect(name);
    let (_, after) = rest.split_once("<!-- end -->").expect(name);
    format!("{before}{begin}\n{}\n\n<!-- end -->{after}", part.trim_end())
}

#[test]
fn generated_parts_are_what_the_code_says() {
    let found = document();
    let parts = parts();
    assert_eq!(found.matches("<!-- generated: ").count(), parts.len());
    let expected = parts
        .iter()
        .fold(found.clone(), |text, (name, part)| with_part(&text, name, part));
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(root().join("docs/xls-3d.md"), &expected).expect("written");
    } else {
        assert!(
            found == expected,
            "docs/xls-3d.md differs from the code: write it anew with {WRITE}=1"
        );
    }
}

fn parts() -> BTreeMap<&'static str, String> {
    let mut parts = examples();
    parts.insert("numbers", numbers());
    parts.insert("failures: stateless", list(&stateless()));
    parts.insert("failures: ledger", list(&by_the_ledger()));
    parts.insert("failures: door", list(&at_the_door()));
    parts.insert("failures: records", list(&of_records()));
    parts
}

fn list(rows: &[String]) -> String {
    let numbered = rows.iter().enumerate();
    let lines: Vec<String> = numbered.map(|(at, row)| format!("{}. {row}", at + 1)).collect();
    lines.join("\n")
}

/// Bounds and delays, from where the code has them.
const NUMBERS: [(&str, u64, &str); 19] = {
    use amendment::limits as m;
    [
        (
            "`EMAIL_WINDOW`, how long a mail can be executed",
            m::EMAIL_WINDOW_SECS as u64,
            "s",
        ),
        (
            "`EMAIL_SKEW`, how far it may be dated ahead",
            m::EMAIL_SKEW_SECS as u64,
            "s",
        ),
        ("raw mail at a server's door", m::MAIL_BYTES_MAX as u64, "bytes"),
        ("memo", m::MEMO_BYTES_MAX as u64, "bytes"),
        ("names in `h=`", m::SIGNED_HEADERS_MAX as u64, ""),
        (
            "signatures of a mail that are tried",
            m::SIGNATURE_CANDIDATES_MAX as u64,
            "",
        ),
        ("RSA modulus, least", m::RSA_MODULUS_BITS_MIN as u64, "bits"),
        ("RSA modulus, most", m::RSA_MODULUS_BITS_MAX as u64, "bits"),
        (
            "live replay entries of an account",
            m::LIVE_ENTRIES_MAX as u64,
            "",
        ),
        (
            "dead entries that one mail removes",
            m::DEAD_ENTRIES_REMOVED_MAX as u64,
            "",
        ),
        (
            "fee ceiling above the required fee",
            m::FEE_CEILING_BASE_FEES,
            "base fees",
        ),
        (
            "margin that `submit_email` adds",
            m::FEE_MARGIN_BASE_FEES,
            "base fees",
        ),
        (
            "`KEY_LIFE`, without a new attestation",
            m::KEY_LIFE_SECS as u64,
            "s",
        ),
        (
            "time in which a failed signature is final",
            m::KEY_FRESH_SECS as u64,
            "s",
        ),
        (
            "age of an attestation, most",
            m::ATTESTATION_AGE_SECS_MAX as u64,
            "s",
        ),
        ("live keys of a domain", m::DKIM_KEYS_PER_DOMAIN_MAX as u64, ""),
        ("entries of a domain", m::DKIM_ENTRIES_PER_DOMAIN_MAX as u64, ""),
        (
            "a key without renewal is removed after",
            m::DKIM_KEY_LIFE_SECS as u64,
            "s",
        ),
        (
            "wait after a REKEY before email can be left",
            m::DISABLE_EMAIL_WAIT_SECS as u64,
            "s",
        ),
    ]
};

fn numbers() -> String {
    let mut lines = vec![
        "| What | Value | Unit |".to_owned(),
        "| --- | --- | --- |".to_owned(),
    ];
    let row = |(what, value, unit): &(&str, u64, &str)| format!("| {what} | {value} | {unit} |");
    lines.extend(NUMBERS.iter().map(row));
    lines.join("\n")
}

/// Transactions and entries of ledgers that were closed here.
fn examples() -> BTreeMap<&'static str, String> {
    let mut parts = BTreeMap::new();
    let mut add = |name, object: &Object| {
        let text = serde_json::to_string_pretty(&json::to_json(object)).expect("JSON");
        parts.insert(name, format!("```json\n{text}\n```"));
    };
    let mut world = world();
    let set = key_set(&world, "shop.example", "k1", record_of(&[7; 32]));
    add("example: DKIMKeySet", set.object());
    world.close([set]);
    add(
        "example: DKIMKey",
        &entry(&world, &keylet::dkim_key(b"shop.example", b"k1")),
    );
    let remit = wrapped(&world, &mail(CLOCK, "REMIT 10 XAH TO <bob@example.com>"), 0);
    add("example: Remit", &remit);
    world.close([tx(&remit)]);
    let rekey = format!("REKEY {}", id(2));
    let now = world.ledger.close_time().seconds();
    let rekey = wrapped(&world, &stamped(now, now, &rekey), 0);
    add("example: SetRegularKey", &rekey);
    world.close([tx(&rekey)]);
    add(
        "example: EmailReplay",
        &entry(&world, &keylet::email_replay(alice())),
    );
    let stolen = DkimKey::ed25519(&[7; 32]);
    let report = world.sign(&key(1), id(1), leak("shop.example", "k1", &evidence(&stolen)));
    add("example: DKIMKeyLeak", report.object());
    world.close([report]);
    let parsed = amendment::key_record::parse_txt(stolen.record().as_bytes()).expect("a record");
    add("example: DKIMLeak", &entry(&world, &parsed.leak_keylet()));
    let domain = amendment::Domain::new(b"shop.example").expect("a domain");
    let observed = CloseTime::new(world.ledger.close_time().seconds() + 1);
    let ruling = Statement::Domain(domain, Ruling::Frozen);
    let word = Attestation::of(NETWORK, ruling, observed, &key(200)).expect("short");
    let freeze = build_key_set(&world.ledger, NETWORK, &[word]).expect("a quorum of one");
    world.close([freeze]);
    add(
        "example: DKIMFreeze",
        &entry(&world, &keylet::dkim_freeze(b"shop.example")),
    );
    parts
}

fn record_of(seed: &[u8; 32]) -> Answer {
    Answer::Record(DkimKey::ed25519(seed).record().into_bytes())
}

fn entry(world: &World, index: &Hash256) -> Object {
    world.ledger.entry(index).expect("on the ledger")
}

/// The section under a heading, to the next one of its level.
fn section<'t>(text: &'t str, heading: &str) -> &'t str {
    let at = text
        .find(&format!("{heading}\n"))
        .unwrap_or_else(|| panic!("no section {heading}"));
    let rest = &text[at + heading.len()..];
    let level = heading.chars().take_while(|c| *c == '#').count();
    let next = format!("\n{} ", "#".repeat(level));
    rest.find(&next).map_or(rest, |end| &rest[..end])
}

/// The heading that ends so, with its number.
fn heading<'t>(text: &'t str, end: &str) -> &'t str {
    let mut lines = text
        .lines()
        .filter(|line| line.starts_with('#') && line.ends_with(end));
    lines.next().unwrap_or_else(|| panic!("no heading {end}"))
}

/// Cells of the table's rows that name a field in backticks.
fn rows(table: &str) -> Vec<Vec<&str>> {
    let cells = |line: &'_ str| -> bool { line.starts_with("| `") };
    let lines = table.lines().filter(|line| cells(line));
    lines
        .map(|line| {
            line.trim_matches('|')
                .split('|')
                .map(|cell| cell.trim().trim_matches('`'))
                .collect()
        })
        .collect()
}

/// Name, whether it must be there, type: of a template, but for some fields.
fn fields(template: Template, but: &[&str]) -> BTreeSet<(String, bool, String)> {
    let rows = template
        .fields()
        .filter(|(field, _)| !but.contains(&field.name()));
    rows.map(|(field, presence)| {
        let must = presence == Presence::Required;
        (
            field.name().to_owned(),
            must,
            field.field_type().name().to_uppercase(),
        )
    })
    .collect()
}

#[test]
fn field_tables_are_the_templates() {
    let text = document();
    let entries = [
        EntryType::DkimKey,
        EntryType::EmailReplay,
        EntryType::DkimLeak,
        EntryType::DkimFreeze,
    ];
    for kind in entries {
        let name = heading(&text, &format!("Ledger Entry: `{}`", kind.name()));
        let table = section(section(&text, name), heading(section(&text, name), ". Fields"));
        let found: BTreeSet<_> = rows(table)
            .iter()
            .map(|row| (row[0].to_owned(), row[2] == "Yes", row[3].to_owned()))
            .collect();
        // ActiveAfter of an EmailReplay is of a former rule; LedgerIndex and LedgerEntryType stand with all entries.
        let but: &[&str] = if kind == EntryType::EmailReplay {
            &["ActiveAfter", "LedgerIndex"]
        } else {
            &["LedgerIndex"]
        };
        assert_eq!(
            found,
            fields(kind.template().expect("a template"), but),
            "{}",
            kind.name()
        );
        let key_space = format!("0x{:04X}", letter(kind));
        assert!(section(&text, name).contains(&key_space), "{key_space}");
        assert!(
            section(&text, name).contains(&format!("0x{:04X}", kind.code())),
            "{}",
            kind.name()
        );
    }
    for kind in [TxType::DkimKeySet, TxType::DkimKeyLeak] {
        let name = heading(&text, &format!("Transaction: `{}`", kind.name()));
        let table = section(section(&text, name), heading(section(&text, name), ". Fields"));
        let found: BTreeSet<_> = rows(table)
            .iter()
            .map(|row| (row[0].to_owned(), row[1] == "Yes", row[3].to_owned()))
            .collect();
        let common = TxType::Payment.template().expect("a template");
        let own = ["Destination", "Amount", "TicketSequence"];
        let common: Vec<&str> = common
            .fields()
            .map(|(field, _)| field.name())
            .filter(|name| !own.contains(name))
            .collect();
        let but: Vec<&str> = common
            .into_iter()
            .filter(|name| *name != "TransactionType")
            .collect();
        let expected = fields(kind.template().expect("a template"), &but);
        assert_eq!(found, expected, "{}", kind.name());
    }
}

/// The letter of an entry's key space.
fn letter(kind: EntryType) -> u32 {
    match kind {
        EntryType::DkimKey => u32::from('k'),
        EntryType::EmailReplay => u32::from('y'),
        EntryType::DkimLeak => u32::from('z'),
        EntryType::DkimFreeze => u32::from('j'),
        _ => panic!("not of this document"),
    }
}

/// Result codes that a file of the rules names.
fn codes_of(file: &str) -> BTreeSet<String> {
    let source = std::fs::read_to_string(root().join("amendment/src/attested").join(file)).expect("source");
    let product = source.split("#[cfg(test)]").next().unwrap_or_default();
    let names = product.split("Ter::").skip(1);
    let names: BTreeSet<&str> = names
        .map(|rest| {
            rest.split(|c: char| !c.is_ascii_uppercase() && c != '_')
                .next()
                .unwrap_or_default()
        })
        .filter(|name| !name.is_empty())
        .collect();
    let token = |name: &str| {
        let (class, rest) = name.split_once('_').expect("a code");
        format!("{}{rest}", class.to_lowercase())
    };
    names.into_iter().map(token).collect()
}

#[test]
fn failures_of_key_sets_and_of_evidence_are_those_of_the_rules() {
    let text = document();
    let of_sets: &[&str] = &["key_set.rs", "entry.rs"];
    for (kind, files) in [
        (TxType::DkimKeySet, of_sets),
        (TxType::DkimKeyLeak, &["key_leak.rs"]),
    ] {
        let name = heading(&text, &format!("Transaction: `{}`", kind.name()));
        let whole = section(&text, name);
        let failures = section(whole, heading(whole, ". Failure Conditions"));
        let failures = failures.split("<!-- generated").next().unwrap_or_default();
        let tokens: BTreeSet<String> = Ter::all().map(|ter| ter.token().to_owned()).collect();
        let named: BTreeSet<String> = failures
            .split('`')
            .filter(|word| tokens.contains(*word))
            .map(str::to_owned)
            .collect();
        // What every transaction can get stands there too.
        let mut expected: BTreeSet<String> = files.iter().flat_map(|file| codes_of(file)).collect();
        expected.extend(common_codes(kind).iter().map(|code| (*code).to_owned()));
        assert_eq!(named, expected, "{}", kind.name());
    }
}

fn common_codes(kind: TxType) -> &'static [&'static str] {
    match kind {
        TxType::DkimKeySet => &[
            "temBAD_SRC_ACCOUNT",
            "temBAD_FEE",
            "temBAD_SIGNATURE",
            "temBAD_SEQUENCE",
            "temINVALID",
        ],
        _ => &["temINVALID_FLAG"],
    }
}

#[test]
fn every_example_can_be_read() {
    let text = document();
    let blocks: Vec<&str> = text
        .split("```json\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap_or_default())
        .collect();
    assert!(blocks.len() >= 12, "{} examples", blocks.len());
    for block in blocks {
        let value: serde_json::Value = serde_json::from_str(block).expect(block);
        let is_object = value.get("TransactionType").is_some() || value.get("LedgerEntryType").is_some();
        if is_object {
            let object = json::from_json(&value).expect(block);
            let template = match (TxType::of(&object), EntryType::of(&object)) {
                (Some(kind), _) => kind.template(),
                (None, Some(kind)) => kind.template(),
                (None, None) => None,
            };
            assert_eq!(template.expect(block).check(&object), Ok(()), "{block}");
        }
    }
}
