//! cpp/email/EmailTables.h is what the definitions of crate `codec` say; XAHAU_EMAIL_WRITE_GOLDEN=1 writes it anew.

use std::fmt::Write as _;

use codec::field::Meta;
use codec::format::{EntryType, Presence, Template, TxType, inner};
use codec::{AccountId, Field, FieldType, Hash256, Ter, flags, keylet, sf};

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cpp/email/EmailTables.h");

/// What only a network of this project's own nodes has: votes of validators as transactions. Spec: 15
const OWN_NETWORK: [&str; 2] = ["Vote", "Votes"];

/// Fields that the amendment adds, in canonical order: theirs are the numbers that xahaud keeps free. Spec: 1
fn fields() -> impl Iterator<Item = Field> {
    let is_ours = |field: &Field| (60..=85).contains(&field.nth()) && !OWN_NETWORK.contains(&field.name());
    sf::ALL.iter().copied().filter(is_ours)
}

const ENTRIES: [(&str, EntryType); 4] = [
    ("ltDKIM_KEY", EntryType::DkimKey),
    ("ltEMAIL_REPLAY", EntryType::EmailReplay),
    ("ltDKIM_LEAK", EntryType::DkimLeak),
    ("ltDKIM_FREEZE", EntryType::DkimFreeze),
];

const TRANSACTIONS: [(&str, TxType); 2] = [
    ("ttDKIM_KEY_SET", TxType::DkimKeySet),
    ("ttDKIM_KEY_LEAK", TxType::DkimKeyLeak),
];

const INNER: [Field; 2] = [sf::EMAIL_REPLAY_ENTRY, sf::DKIM_ATTESTATION];

const FLAGS: [(&str, u32); 7] = [
    ("tfEmailSig", flags::TF_EMAIL_SIG),
    ("tfDKIMUnusable", flags::TF_DKIM_UNUSABLE),
    ("tfDKIMFreeze", flags::TF_DKIM_FREEZE),
    ("tfDKIMLift", flags::TF_DKIM_LIFT),
    ("tfDKIMCounted", flags::TF_DKIM_COUNTED),
    ("asfDisableEmail", flags::ASF_DISABLE_EMAIL),
    ("lsfDisableEmail", flags::LSF_DISABLE_EMAIL),
];

const KEYLETS: [(&str, char); 4] = [
    ("DKIM_KEY", 'k'),
    ("EMAIL_REPLAY", 'y'),
    ("DKIM_LEAK", 'z'),
    ("DKIM_FREEZE", 'j'),
];

/// Results from -160 to -153 and -80 to -79. Spec: 10
fn results() -> impl Iterator<Item = Ter> {
    Ter::all().filter(|ter| (-160..=-153).contains(&ter.code()) || (-80..=-79).contains(&ter.code()))
}

/// The name of a field's type after `SF_` and `STI_`.
fn server_type(field: Field) -> &'static str {
    match field.field_type() {
        FieldType::UInt8 => "UINT8",
        FieldType::UInt16 => "UINT16",
        FieldType::UInt32 => "UINT32",
        FieldType::UInt64 => "UINT64",
        FieldType::Hash128 => "UINT128",
        FieldType::Hash160 => "UINT160",
        FieldType::Hash256 => "UINT256",
        FieldType::Amount => "AMOUNT",
        FieldType::Blob => "VL",
        FieldType::Account => "ACCOUNT",
        FieldType::PathSet => "PATHSET",
        FieldType::Vector256 => "VECTOR256",
        FieldType::Object => "OBJECT",
        FieldType::Array => "ARRAY",
    }
}

fn is_nested(field: Field) -> bool {
    matches!(field.field_type(), FieldType::Object | FieldType::Array)
}

fn metadata(field: Field) -> &'static str {
    match field.meta() {
        Meta::Default => "Default",
        Meta::Never => "Never",
        Meta::Always => "Always",
        Meta::DeleteFinal => "DeleteFinal",
    }
}

fn presence(presence: Presence) -> &'static str {
    match presence {
        Presence::Required => "REQUIRED",
        Presence::Optional => "OPTIONAL",
        Presence::Default => "DEFAULT",
    }
}

/// One table: a macro that calls another one for each row.
fn table(name: &str, columns: &str, rows: impl IntoIterator<Item = String>) -> String {
    let mut text = format!("// X({columns})\n#define XAHAU_EMAIL_{name}(X)");
    for row in rows {
        write!(text, " \\\n    X({row})").expect("text");
    }
    text + "\n\n"
}

/// Fields of an object of its own, without those that all objects of its kind have.
fn rows(template: Template, common: &[Field]) -> Vec<String> {
    template
        .fields()
        .filter(|(field, _)| !common.contains(field))
        .map(|(field, need)| format!("{}, {}", field.name(), presence(need)))
        .collect()
}

fn common_of_transactions() -> Vec<Field> {
    let template = TxType::EnableAmendment.template().expect("template");
    let own = [sf::LEDGER_SEQUENCE, sf::AMENDMENT];
    let fields = template.fields().map(|(field, _)| field);
    fields.filter(|field| !own.contains(field)).collect()
}

fn upper(name: &str) -> String {
    name.chars()
        .enumerate()
        .fold(String::new(), |text, (at, letter)| {
            let begins = letter.is_uppercase()
                && at > 0
                && name[at + 1..].starts_with(|next: char| next.is_lowercase());
            let gap = if begins { "_" } else { "" };
            text + gap + &letter.to_ascii_uppercase().to_string()
        })
}

fn expected() -> String {
    let mut text = String::from(
        "// Generated from the definitions of crate codec by ../../tests/tables.rs, which compares it; do not edit.\n\
         //\n\
         // Everything that the amendment adds to the server's tables (docs/spec.md, sections 1 and 10). Each table \
         is\n\
         // a macro that calls X for each row: README.md says with which X it goes into which file of a port.\n\
         #pragma once\n\n\
         // A field named NAME is sfNAME in the server.\n\n",
    );
    let row = |field: Field| {
        let (kind, name) = (server_type(field), field.name());
        format!("{kind}, {name}, {}, {}", field.nth(), metadata(field))
    };
    let columns = "type, name, number within the type, where metadata shows it";
    let plain = fields().filter(|field| !is_nested(*field)).map(row);
    text += &table("FIELDS", columns, plain);
    let nested = fields().filter(|field| is_nested(*field)).map(row);
    text += &table("NESTED_FIELDS", columns, nested);
    let entries =
        ENTRIES.map(|(constant, kind)| format!("{constant}, 0x{:02X}, {}", kind.code(), kind.name()));
    text += &table("LEDGER_ENTRIES", "constant, number, name", entries);
    let transactions =
        TRANSACTIONS.map(|(constant, kind)| format!("{constant}, {}, {}", kind.code(), kind.name()));
    text += &table("TRANSACTIONS", "constant, number, name", transactions);
    let need = "field, need";
    for (_, kind) in ENTRIES {
        let common = [sf::LEDGER_ENTRY_TYPE, sf::FLAGS];
        let own = rows(kind.template().expect("template"), &common);
        text += &table(&format!("{}_FIELDS", upper(kind.name())), need, own);
    }
    for (_, kind) in TRANSACTIONS {
        let own = rows(kind.template().expect("template"), &common_of_transactions());
        text += &table(&format!("{}_FIELDS", upper(kind.name())), need, own);
    }
    for name in INNER {
        let own = rows(inner(name).expect("template"), &[]);
        text += &table(&format!("{}_FIELDS", upper(name.name())), need, own);
    }
    let results = results().map(|ter| format!("{}, {}, \"{}\"", ter.token(), ter.code(), ter.message()));
    text += &table("RESULTS", "token, number, sentence", results);
    text += &table(
        "FLAGS",
        "name, bits or number",
        FLAGS.map(|(name, bits)| format!("{name}, 0x{bits:08X}u")),
    );
    text += &table(
        "KEYLETS",
        "name, letter of the space",
        KEYLETS.map(|(name, letter)| format!("{name}, '{letter}'")),
    );
    text.truncate(text.trim_end().len());
    text + "\n"
}

#[test]
fn tables_of_the_port_are_those_of_codec() {
    if std::env::var_os("XAHAU_EMAIL_WRITE_GOLDEN").is_some() {
        std::fs::write(TABLE, expected()).expect("written");
    }
    let found = std::fs::read_to_string(TABLE).expect("cpp/email/EmailTables.h");
    assert_eq!(
        found,
        expected(),
        "XAHAU_EMAIL_WRITE_GOLDEN=1 writes the table anew"
    );
}

/// Every field, entry and transaction of the amendment is in a table.
#[test]
fn nothing_of_the_amendment_is_left_out() {
    let known: Vec<Field> = fields().collect();
    let templates = ENTRIES.iter().filter_map(|(_, kind)| kind.template());
    let templates = templates.chain(TRANSACTIONS.iter().filter_map(|(_, kind)| kind.template()));
    let templates = templates.chain(INNER.iter().filter_map(|name| inner(*name)));
    let used: Vec<Field> = templates
        .flat_map(|template| template.fields().map(|(field, _)| field).collect::<Vec<_>>())
        .collect();
    for field in known {
        // An answer stands in a validation.
        let stands_alone = INNER.contains(&field) || field == sf::DKIM_ANSWERS;
        assert!(
            stands_alone || used.contains(&field),
            "{} is in no template",
            field.name()
        );
    }
}

/// The letters of the spaces are those that make the indexes. Spec: 1
#[test]
fn letters_make_the_indexes() {
    let made = |letter: char, parts: &[&[u8]]| {
        let space = [0, u8::try_from(letter).expect("ASCII")];
        codec::hash::sha512_half(&[&[space.as_slice()], parts].concat())
    };
    let account = AccountId::new([7; 20]);
    let hash = Hash256::new([9; 32]);
    let name = codec::hash::sha512_half(&[b"example.com", b"\0", b"s1"]);
    let domain = codec::hash::sha512_half(&[b"example.com"]);
    let [dkim_key, replay, leak, freeze] = KEYLETS.map(|(_, letter)| letter);
    assert_eq!(
        made(dkim_key, &[name.as_bytes()]),
        keylet::dkim_key(b"example.com", b"s1")
    );
    assert_eq!(made(replay, &[account.as_bytes()]), keylet::email_replay(account));
    assert_eq!(made(leak, &[hash.as_bytes()]), keylet::dkim_leak(&hash));
    assert_eq!(
        made(freeze, &[domain.as_bytes()]),
        keylet::dkim_freeze(b"example.com")
    );
}
