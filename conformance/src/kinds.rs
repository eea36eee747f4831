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

const BY_READING: &str = "by a program in Python that was written from the text of the rules alone, with expectations by \
hand for many of them";
const RESULT: (&str, &str) = (
    "result",
    "the result code by its name; `tesSUCCESS` where nothing stands against it before it is applied",
);
const TX: (&str, &str) = ("tx_blob", "the transaction in Xahau's binary form");
const AMENDMENT: (&str, &str) = ("amendment", "whether `Email` is enabled");
const LEDGER_INDEX: (&str, &str) = ("ledger_index", "number of the ledger that is being built");
const ENTRIES: (&str, &str) = (
    "entries",
    "entries of the ledger that is being built: index to bytes; others do not exist",
);
const WRITES: (&str, &str) = (
    "writes",
    "of tesSUCCESS: index to bytes of what is written, null where an entry goes; PreviousTxn pairs as before",
);
const REPLAY_ENTRY: (&str, &str) = ("replay_entry", "the account's EmailReplay, or null");

/// NetworkID of the questions about leaked keys.
pub(crate) const LEAK_NETWORK: u32 = 21_337;

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
    Kind {
        name: "transaction",
        about: "The transaction of a mail that qualifies, sections 6.1 and 6.2.",
        input: &[
            MAIL,
            KEYS,
            NETWORK_ID,
            NOW,
            ("sequence", "Sequence"),
            ("fee", "Fee, drops"),
            ("last_ledger_sequence", "LastLedgerSequence"),
        ],
        output: &[
            ("tx_blob", "the transaction in Xahau's binary form"),
            ("hash", "its id"),
        ],
        source: BY_READING,
    },
    Kind {
        name: "email",
        about: "A transaction of a mail on a ledger: every check of section 10 up to the last before anything is written, and \
the replay entry of section 8.",
        input: &[
            TX,
            NETWORK_ID,
            AMENDMENT,
            LEDGER_INDEX,
            NOW,
            ("parent_hash", "hash of the parent ledger"),
            ("base_fee", "base fee, drops"),
            ("reserve_base", "reserve of an account that owns nothing, drops"),
            ("reserve_increment", "reserve for each object that it owns, drops"),
            ENTRIES,
            (
                "parent_entries",
                "the same of the parent ledger, where keys, leaks and freezes are read",
            ),
        ],
        output: &[
            RESULT,
            RULE,
            ("account", "of tesSUCCESS: who pays the fee"),
            ("email_id", "of tesSUCCESS: the EmailID"),
            (
                "signature_hash",
                "of tesSUCCESS: SHA-512Half of the DKIM signature",
            ),
            ("date", "of tesSUCCESS: the signed Date"),
            (
                "replay_entry",
                "of tesSUCCESS: EmailReplay after it, where it is applied; the PreviousTxn pair as before",
            ),
            (
                "replay_entry_of_tec",
                "of tesSUCCESS: the same where it only claims its fee",
            ),
        ],
        source: BY_READING,
    },
    Kind {
        name: "fee",
        about: "Live entries and fees, sections 8.4, 9 and 6.3.",
        input: &[
            ("base_fee", "base fee, drops"),
            ("memo_bytes", "length of the memo"),
            ("order", "`remit` or `rekey`"),
            REPLAY_ENTRY,
            NOW,
        ],
        output: &[
            ("live_entries", "how many entries are live"),
            ("required", "the least fee"),
            ("ceiling", "the largest fee"),
            ("submitted", "the fee that submit_email sets"),
        ],
        source: BY_READING,
    },
    Kind {
        name: "disable_email",
        about: "Whether an account may set asfDisableEmail, section 11.",
        input: &[REPLAY_ENTRY, NOW],
        output: &[("allowed", "true or false (tecTOO_SOON)")],
        source: BY_READING,
    },
    Kind {
        name: "dkim_record",
        about: "A key record, sections 4.5, 7.8 and 7.9.",
        input: &[("record", "the TXT record, its strings joined")],
        output: &[
            ("usable", "whether it makes a key"),
            ("key_type", "of a key: DKIMKeyType, 1 RSA, 2 Ed25519"),
            ("public_key", "of a key: PublicKey"),
            ("flags", "of a key: Flags of its DKIMKey, 1 for `t=s`"),
            ("key_hash", "of a key: what names it in DKIMLeak"),
            (
                "leak_message",
                "of a key: what it signs as evidence of a leak on network 21337",
            ),
        ],
        source: BY_READING,
    },
    Kind {
        name: "attestation",
        about: "The bytes that a validator signs about a key or a domain, section 7.7.",
        input: &[
            NETWORK_ID,
            ("domain", "the domain, as text"),
            (
                "selector",
                "the selector, as text; empty for a word about a domain",
            ),
            ("answer", "`absent`, `unusable`, `record`, `frozen` or `lifted`"),
            ("observed_at", "the validator's time"),
            ("record", "the record; empty without one"),
        ],
        output: &[("message", "the bytes")],
        source: BY_READING,
    },
    Kind {
        name: "key_set",
        about: "A DKIMKeySet on the ledger of a network whose validators sign attestations, sections 7.1 to 7.10: its result, and what \
it writes.",
        input: &[
            TX,
            NETWORK_ID,
            AMENDMENT,
            LEDGER_INDEX,
            NOW,
            (
                "validators",
                "public keys of the parent ledger's list, 33 bytes each",
            ),
            ENTRIES,
        ],
        output: &[RESULT, WRITES],
        source: BY_READING,
    },
    Kind {
        name: "key_leak",
        about: "A DKIMKeyLeak on a ledger, section 7.9, without what every transaction has to have: its result, and what it writes.",
        input: &[TX, NETWORK_ID, AMENDMENT, NOW, ENTRIES],
        output: &[RESULT, WRITES],
        source: BY_READING,
    },
    Kind {
        name: "key_state",
        about: "What a DKIMKey offers at a time, sections 7.3 and 7.4.",
        input: &[("entry", "the DKIMKey, or null"), NOW],
        output: &[(
            "state",
            "`missing`, `revoked`, `unsettled` (a failed signature is not final) or `settled`",
        )],
        source: BY_READING,
    },
    Kind {
        name: "keylet",
        about: "Indexes of ledger entries, section 1.",
        input: &[
            ("entry", "`DKIMKey`, `DKIMFreeze`, `DKIMLeak` or `EmailReplay`"),
            ("domain", "of DKIMKey and DKIMFreeze, as text"),
            ("selector", "of DKIMKey, as text"),
            ("key_hash", "of DKIMLeak"),
            ("account", "of EmailReplay"),
        ],
        output: &[("index", "where the entry stands")],
        source: BY_READING,
    },
    Kind {
        name: "result_code",
        about: "Numbers of results, section 10.",
        input: &[("name", "the name")],
        output: &[("number", "the number")],
        source: BY_READING,
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
