//! The rules of email wallets (docs/spec.md 2 to 11) as pure functions: what two nodes must agree on, and
//! nothing else.
//!
//! Two ways lead in. A ledger takes a transaction through the phases `preflight`, `screen`, `authenticate`,
//! `preclaim`, each of which consumes what only the one before makes. A mail becomes a transaction through
//! `derive` (or `examine`, which tells crate `explain` every check on the way) and `submission`. Both run one
//! verifier.
//!
//! Knows no clock, socket, file, environment, thread or random number: time comes in as `CloseTime`, keys
//! through `ReadView` or `KeySource`. Never panics on any input; every cost is linear in the input.
//!
//! ```
//! use amendment::{Refusal, Rule, TxtRecords, derive};
//! use codec::CloseTime;
//!
//! let mail = std::fs::read("../fixtures/vectors/mail/c002.eml")?;
//! let now = CloseTime::new(848_145_600);
//! # let vectors = std::fs::read("../fixtures/vectors/mail/vectors.json")?;
//! # let vectors: serde_json::Value = serde_json::from_slice(&vectors)?;
//! # let record = vectors["keys"]["s1._domainkey.mail.test"].as_str().unwrap().as_bytes();
//!
//! // Without its key the mail is not refused for good.
//! let mut keys = TxtRecords::new();
//! let refusal = derive(&mail, 21_337, now, &keys).unwrap_err();
//! assert_eq!((refusal, refusal.rule()), (Refusal::KeyUnknown, Rule::R7_3));
//!
//! // `record` is the TXT record of that name.
//! keys.insert("s1._domainkey.mail.test", record);
//! let proven = derive(&mail, 21_337, now, &keys)?;
//! assert_eq!(proven.instruction, "REMIT 10 XAH");
//! assert_eq!(proven.account.to_string(), "rfbRDkaJNbLnpGc5941gkNEBcshX1Z198z");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::panic,
    clippy::string_slice,
    clippy::float_arithmetic
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::panic,
        clippy::string_slice
    )
)]

mod attested;
pub mod checks;
pub mod dkim;
pub mod instruction;
mod ledger;
pub mod limits;
pub mod mail;
pub mod reading;
mod refusal;
mod rule;

pub use attested::attestation::{Attestation, may_count, quorum, validators_of};
pub use attested::entry::{KeyDelays, is_waiting_for, key_set_writes};
pub use attested::key_leak::KeyLeak;
pub use attested::key_set::{KeySet, Votes, build_key_set, build_removal};
pub use attested::statement::{Answer, Ruling, Statement, Subject};
pub use attested::votes::{count_votes, pack_vote, read_vote};
pub use dkim::der::RsaKeyError;
pub use dkim::ed25519::Ed25519KeyError;
pub use dkim::freeze::{Domain, Freeze};
pub use dkim::key_cache::KeyCache;
pub use dkim::key_record;
pub use dkim::key_source::{KeyAnswer, KeySource, TxtRecords};
pub use dkim::leak::{leak_message, proves_leak};
pub use dkim::signature::KeyName;
pub use dkim::tags::TagListError;
pub use dkim::window::WindowError;
pub use instruction::first_line::InstructionError;
pub use instruction::line::NetworkError;
pub use instruction::mark::RekeyMark;
pub use instruction::money::MoneyError;
pub use instruction::order::Order;
pub use ledger::keys::{KeyState, LedgerKeys, key_state};
pub use ledger::leaving::{DeletionError, may_delete_account, may_disable_email, outlives_account};
pub use ledger::phases::{
    AuthError, Parsed, PreclaimError, PreflightError, Proven, Ready, ScreenError, Screened, authenticate,
    is_email_transaction, next_replay_entry, preclaim, preflight, screen,
};
pub use ledger::replay::{
    Effect, ReplayError, fee_ceiling, last_rekey, live_entries, required_fee, submit_fee,
};
pub use ledger::submission::{SubmissionError, submission, wrap};
pub use ledger::transaction::EmailId;
pub use ledger::view::{AMENDMENT_EMAIL, Amendment, ReadView, Rules, Write};
pub use mail::address;
pub use mail::date::DateError;
pub use mail::foreign::Foreign;
pub use mail::mime::MimeError;
pub use mail::text::{lf_to_crlf_if_no_cr, mail_of_file};
pub use reading::derived::{Derived, Outcome, ProvenMail};
pub use reading::examine::{
    CandidateKey, Examined, WaitingForm, candidates, derive, examine, key_names, normal_form, waiting_forms,
};
pub use refusal::Refusal;
pub use rule::{RULES_VERSION, Rule};
