//! What can be asked, member by member. docs/conformance.md and the README of a pack show these tables.

/// A kind of question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Its name, in questions and as the name of its file.
    pub name: &'static str,
    /// What is asked, with the sections of docs/spec.md.
    pub about: &'static str,
    /// Members of `input` and what they hold.
    pub input: &'static [(&'static str, &'static str)],
    /// Members of `output` and what they hold.
    pub output: &'static [(&'static str, &'static str)],
    /// Where the answers come from.
    pub source: &'static str,
}

const MAIL: (&str, &str) = ("mail", "the mail, byte for byte");
const KEYS: (&str, &str) = (
    "keys",
    "DNS name to the list of its TXT records, each with its strings joined; other names have none",
);
const NETWORK_ID: (&str, &str) = ("network_id", "NetworkID of the ledger");
const NOW: (&str, &str) = ("now", "the parent ledger's close time");
const RULE: (&str, &str) = (
    "rule",
    "of a refusal: number of the first rule that fails, in the order of section 10",
);
const BY_HAND: &str = "by hand from the text of the rules, or by a program in Python that was written from the text alone; \
where one gave them, the other was compared";

/// Every kind, in the order in which a pack is asked.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "address",
        about: "The account of an address, sections 2.1 to 2.4.",
        input: &[
            ("address", "a bare address, as text"),
            ("as", "`sender` or `recipient`"),
        ],
        output: &[
            ("canonical", "the canonical address; null for a classic address"),
            ("account", "the account, as a classic address"),
            ("account_id", "the same, its 20 bytes"),
            ("tag", "the destination tag, or null"),
            RULE,
        ],
        source: BY_HAND,
    },
    Kind {
        name: "verdict",
        about: "What a raw mail means, sections 2 to 6, 8.1 and 10.",
        input: &[MAIL, KEYS, NETWORK_ID, NOW],
        output: &[
            (
                "verdict",
                "`yes`: it makes a transaction; `no`: it never does; `unknown`: only its key is missing",
            ),
            RULE,
            ("from", "of `yes`: canonical `address` and `account`"),
            (
                "to",
                "of `yes`: `address` (null for a classic address), `account`, `tag` or null; null for REKEY",
            ),
            (
                "amount",
                "of `yes`: drops of XAH as text, or {currency, issuer, value}; null for REKEY",
            ),
            ("regular_key", "of `yes`: the account of a REKEY, else null"),
            ("instruction", "of `yes`: the line in relaxed form"),
            ("date", "of `yes`: the signed Date"),
            ("email_id", "of `yes`: the EmailID"),
            (
                "normal_form_sha256",
                "of `yes`: SHA-256 of the memo that the mail makes",
            ),
        ],
        source: BY_HAND,
    },
    Kind {
        name: "normal_form",
        about: "The memo of a mail that qualifies, section 3.",
        input: &[MAIL, KEYS, NETWORK_ID, NOW],
        output: &[("normal_form", "the memo, byte for byte")],
        source: BY_HAND,
    },
];

/// The kind of a name.
#[must_use]
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// All kinds as docs/conformance.md shows them.
#[must_use]
pub fn tables() -> String {
    let all: Vec<String> = KINDS.iter().map(Kind::table).collect();
    all.join("\n")
}

impl Kind {
    fn table(&self) -> String {
        let sides = [("input", self.input), ("output", self.output)];
        let rows = sides.iter().flat_map(|(side, members)| {
            let row = move |(member, holds): &(&str, &str)| format!("| `{member}` | {side} | {holds} |\n");
            members.iter().map(row)
        });
        let rows: String = rows.collect();
        let Kind {
            name, about, source, ..
        } = self;
        format!("### {name}\n\n{about} Source: {source}.\n\n| member | of | holds |\n|---|---|---|\n{rows}")
    }
}
