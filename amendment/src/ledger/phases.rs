//! The phases of an email transaction on a ledger. Each consumes what only the phase before makes, so leaving
//! one out does not compile; each error holds only the codes that its phase may give. Nothing before
//! `authenticate` can take a fee.
//!
//! Spec: 6, 7.3, 7.10, 8, 9, 10, 11.

use std::sync::{Arc, OnceLock};

use codec::format::TxType;
use codec::{AccountId, CloseTime, Drops, Hash256, LedgerIndex, Object, Ter, flags, keylet, sf};
use thiserror::Error;

use crate::checks::{FirstFailure, Recorder, Step};
use crate::dkim::key_cache::KeyPlaces;
use crate::dkim::key_record::KeyRecord;
use crate::dkim::signature::KeyName;
use crate::dkim::verify;
use crate::dkim::window::{self, WindowError};
use crate::instruction::order::Order;
use crate::ledger::keys::{LedgerKey, ledger_freeze, ledger_key};
use crate::ledger::replay::{self, Effect, Moment, ReplayError, ReplayMark};
use crate::ledger::transaction::{self, EmailId};
use crate::ledger::view::{self, Amendment, ReadView, Rules};
use crate::limits::FEE_CEILING_BASE_FEES;
use crate::mail::message::{self, Mail, Source};
use crate::reading::derived::ProvenMail;
use crate::reading::draft::{self, Draft, Reading};
use crate::refusal::Refusal;
use crate::rule::Rule;

/// Why a transaction is malformed. Codes: temMALFORMED, temINVALID_FLAG, tefBAD_SIGNATURE (body hash).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct PreflightError(Refusal);

impl PreflightError {
    /// The reason.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        self.0
    }

    /// The result code.
    #[must_use]
    pub fn code(&self) -> Ter {
        self.0.code()
    }

    /// The number of the rule.
    #[must_use]
    pub fn rule(&self) -> Rule {
        self.0.rule()
    }
}

/// Why a well-formed transaction cannot be tried on this ledger. Codes: ter and tef.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ScreenError {
    /// terNO_ACCOUNT. Spec: 10.
    #[error("the sending account does not exist")]
    NoAccount,
    /// tefEMAIL_DISABLED. Spec: 11.
    #[error("the account no longer takes instructions by mail")]
    Disabled,
    /// tefPAST_SEQ.
    #[error("the Sequence was already used")]
    PastSequence,
    /// terPRE_SEQ.
    #[error("the Sequence is not reached yet")]
    FutureSequence,
    /// tefMAX_LEDGER.
    #[error("LastLedgerSequence has passed")]
    LastLedgerPassed,
    /// tefEMAIL_EXPIRED, terEMAIL_EARLY. Spec: 4.6.
    #[error("{0}")]
    Window(WindowError),
    /// What the account did before. Spec: 8.2, 8.5, 8.6.
    #[error("{0}")]
    Replay(ReplayError),
}

impl ScreenError {
    /// The result code.
    #[must_use]
    pub fn code(&self) -> Ter {
        match self {
            ScreenError::NoAccount => Ter::TER_NO_ACCOUNT,
            ScreenError::Disabled => Ter::TEF_EMAIL_DISABLED,
            ScreenError::PastSequence => Ter::TEF_PAST_SEQ,
            ScreenError::FutureSequence => Ter::TER_PRE_SEQ,
            ScreenError::LastLedgerPassed => Ter::TEF_MAX_LEDGER,
            ScreenError::Window(WindowError::Expired) => Ter::TEF_EMAIL_EXPIRED,
            ScreenError::Window(WindowError::Early) => Ter::TER_EMAIL_EARLY,
            ScreenError::Replay(error) => error.code(),
        }
    }

    /// The number of the rule.
    #[must_use]
    pub fn rule(&self) -> Rule {
        match self {
            ScreenError::NoAccount => Rule::R10,
            ScreenError::Disabled => Rule::R11,
            ScreenError::PastSequence | ScreenError::FutureSequence | ScreenError::LastLedgerPassed => {
                Rule::R6_2
            }
            ScreenError::Window(_) => Rule::R4_6,
            ScreenError::Replay(error) => error.rule(),
        }
    }
}

/// Why a signature is not proven. Codes: ter and tef.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AuthError {
    /// tefDKIM_FROZEN. Spec: 7.10.
    #[error("the validators have stopped the mails of this domain")]
    Frozen,
    /// terNO_DKIM_KEY: kept and retried. Spec: 7.3.
    #[error("the key of the signature is not on the ledger yet")]
    NoKey,
    /// tefDKIM_REVOKED. Spec: 7.4, 7.9.
    #[error("the key of the signature was withdrawn or is known to be leaked")]
    Revoked,
    /// tefBAD_SIGNATURE. Spec: 4.5.
    #[error("{0}")]
    BadSignature(Refusal),
}

impl AuthError {
    /// The result code.
    #[must_use]
    pub fn code(&self) -> Ter {
        match self {
            AuthError::Frozen => Ter::TEF_DKIM_FROZEN,
            AuthError::NoKey => Ter::TER_NO_DKIM_KEY,
            AuthError::Revoked => Ter::TEF_DKIM_REVOKED,
            AuthError::BadSignature(_) => Ter::TEF_BAD_SIGNATURE,
        }
    }

    /// The number of the rule.
    #[must_use]
    pub fn rule(&self) -> Rule {
        match self {
            AuthError::Frozen => Rule::R7_10,
            AuthError::NoKey => Rule::R7_3,
            AuthError::Revoked => Rule::R7_4,
            AuthError::BadSignature(_) => Rule::R4_5,
        }
    }
}

/// Why a proven mail is not paid for. Codes: tefBAD_EMAIL_FEE, terINSUF_FEE_B.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PreclaimError {
    /// tefBAD_EMAIL_FEE. Spec: 6.3.
    #[error("the fee is not within {} drops and {FEE_CEILING_BASE_FEES} base fees more", required.get())]
    BadFee {
        /// The required fee.
        required: Drops,
    },
    /// terINSUF_FEE_B, in any ledger. Spec: 6.3.
    #[error("the account cannot pay the fee")]
    InsufficientFee,
    /// terINSUF_FEE_B: a REMIT would take its fee out of the reserve. Spec: 6.3.
    #[error("the account cannot pay the fee without its reserve")]
    FeeFromReserve,
}

impl PreclaimError {
    /// The result code.
    #[must_use]
    pub fn code(&self) -> Ter {
        match self {
            PreclaimError::BadFee { .. } => Ter::TEF_BAD_EMAIL_FEE,
            PreclaimError::InsufficientFee | PreclaimError::FeeFromReserve => Ter::TER_INSUF_FEE_B,
        }
    }

    /// The number of the rule.
    #[must_use]
    pub fn rule(&self) -> Rule {
        Rule::R6_3
    }
}

/// A transaction that its mail makes, with no ledger asked. Only `preflight` makes one. Copies share the key
/// that proved the signature once, so that nobody proves it twice under one key.
#[derive(Debug, Clone)]
pub struct Parsed {
    reading: Arc<Reading>,
    proven_under: Arc<OnceLock<KeyRecord>>,
    account: AccountId,
    network_id: u32,
    sequence: u32,
    last_ledger_sequence: LedgerIndex,
    fee: Drops,
}

/// A transaction that could be tried now, if its signature is good. Only `screen` makes one.
#[derive(Debug, Clone)]
pub struct Screened {
    parsed: Parsed,
    mark: ReplayMark,
    moment: Moment,
    /// Replay entries that the fee counts.
    entries_paid: usize,
    balance: Drops,
    owner_count: u32,
}

/// A transaction whose signature is proven under a key of the ledger. Only `authenticate` makes one.
#[derive(Debug, Clone)]
pub struct Proven {
    screened: Screened,
}

/// A proven transaction whose fee is right and can be paid. Only `preclaim` makes one.
#[derive(Debug, Clone)]
pub struct Ready {
    screened: Screened,
}

/// Whether a transaction claims to be signed by mail; this test stands before every other dispatch.
///
/// Spec: 1.
#[must_use]
pub fn is_email_transaction(tx: &Object) -> bool {
    tx.u32(sf::FLAGS)
        .is_some_and(|bits| bits & flags::TF_EMAIL_SIG != 0)
}

/// Everything that needs no ledger: flags, fields, sections 2 to 6.
///
/// Spec: 10.
pub fn preflight(tx: &Object, rules: &Rules) -> Result<Parsed, PreflightError> {
    parse(tx, rules).map_err(PreflightError)
}

fn parse(tx: &Object, rules: &Rules) -> Result<Parsed, Refusal> {
    if !is_email_transaction(tx) {
        return Err(Refusal::NotDerived);
    }
    if rules.amendment == Amendment::Off {
        return Err(Refusal::NotEnabled);
    }
    if !matches!(TxType::of(tx), Some(TxType::Remit | TxType::SetRegularKey)) {
        return Err(Refusal::FlagNotAllowed);
    }
    let sequence = tx.u32(sf::SEQUENCE).ok_or(Refusal::NotDerived)?;
    let fee = tx
        .amount(sf::FEE)
        .and_then(|fee| fee.as_drops())
        .ok_or(Refusal::NotDerived)?;
    let last = tx
        .u32(sf::LAST_LEDGER_SEQUENCE)
        .ok_or(Refusal::NoLastLedgerSequence)?;
    let last_ledger_sequence = LedgerIndex::new(last);
    let memo = the_memo(tx).ok_or(Refusal::NotDerived)?;
    let reading = read_memo(memo, rules.network_id)?;
    let account = reading.sender.account();
    let derived = transaction::without_memo(&reading.order, account, rules.network_id);
    let expected = transaction::wrapped(derived, sequence, fee, last_ledger_sequence);
    // One comparison for 6.1 and 6.2: the mail signs none of the wrapper, so the wrapper may say nothing.
    if !says_the_same(tx, &expected) {
        return Err(Refusal::NotDerived);
    }
    Ok(Parsed {
        reading: Arc::new(reading),
        proven_under: Arc::default(),
        account,
        network_id: rules.network_id,
        sequence,
        last_ledger_sequence,
        fee,
    })
}

/// Whether every field but the memo is as the mail yields it.
///
/// Spec: 6.2.
fn says_the_same(tx: &Object, expected: &Object) -> bool {
    tx.iter()
        .filter(|(field, _)| *field != sf::MEMOS)
        .eq(expected.iter())
}

/// MemoData of the one Memo, which holds nothing else.
///
/// Spec: 6.2.
fn the_memo(tx: &Object) -> Option<&[u8]> {
    match tx.array(sf::MEMOS)? {
        [(name, memo)] if *name == sf::MEMO && memo.len() == 1 => memo.blob(sf::MEMO_DATA),
        _ => None,
    }
}

/// What a memo says, by every rule up to 2.4.
///
/// Spec: 1, 3.4, 3.5, 4.7, 10.
fn read_memo(memo: &[u8], network_id: u32) -> Result<Reading, Refusal> {
    let mut rec = FirstFailure::default();
    message::check_size(memo, Source::Memo)?;
    let spacing = message::check_controls(memo)?;
    let mail = Mail::split(memo, Source::Memo)?.with_spacing(spacing);
    let chosen = mail.signature_positions().next();
    if chosen.is_none() {
        rec.fail(Step::SignaturePresent, Refusal::NoSignature);
    }
    let draft = chosen.map(|chosen| draft::read(&mail, chosen, Source::Memo, memo, network_id, &mut rec));
    match rec.refusal() {
        None => draft.and_then(Draft::complete).ok_or(Refusal::NotDerived),
        Some(refusal) => Err(refusal),
    }
}

/// The state of the account and the time: no code from here can take a fee.
///
/// Spec: 10, 11, 4.6, 8.2, 8.5, 8.6.
pub fn screen(parsed: Parsed, view: &impl ReadView) -> Result<Screened, ScreenError> {
    let root = view
        .entry(&keylet::account(parsed.account))
        .ok_or(ScreenError::NoAccount)?;
    let bits = root.u32(sf::FLAGS).unwrap_or_default();
    if bits & (flags::LSF_DISABLE_EMAIL | flags::LSF_DISABLE_MASTER) != 0 {
        return Err(ScreenError::Disabled);
    }
    let sequence = root.u32(sf::SEQUENCE).unwrap_or_default();
    if parsed.sequence < sequence {
        return Err(ScreenError::PastSequence);
    }
    if parsed.sequence > sequence {
        return Err(ScreenError::FutureSequence);
    }
    if view.ledger_index() > parsed.last_ledger_sequence {
        return Err(ScreenError::LastLedgerPassed);
    }
    let now = view.parent_close_time();
    window::check_window(parsed.reading.date, &parsed.reading.times, now).map_err(ScreenError::Window)?;
    let replay = view.entry(&keylet::email_replay(parsed.account));
    let mark = mark_of(&parsed);
    let order = &parsed.reading.order;
    replay::check(replay.as_ref(), &mark, order, now).map_err(ScreenError::Replay)?;
    let balance = root
        .amount(sf::BALANCE)
        .and_then(|balance| balance.as_drops())
        .unwrap_or_default();
    Ok(Screened {
        entries_paid: replay::entries_paid(order, replay.as_ref(), now),
        moment: Moment {
            now,
            parent_hash: view.parent_hash(),
        },
        owner_count: root.u32(sf::OWNER_COUNT).unwrap_or_default(),
        parsed,
        mark,
        balance,
    })
}

fn mark_of(parsed: &Parsed) -> ReplayMark {
    let reading = &parsed.reading;
    ReplayMark {
        email_id: EmailId::of(parsed.network_id, parsed.account, reading.date, &reading.order),
        signature_hash: codec::hash::sha512_half(&[&reading.signature]),
        signed_date: CloseTime::new(reading.date),
        signed_at: reading.times.signed_at(reading.date),
    }
}

/// The signature is proven under a key of the parent ledger, whose domain's mail is not stopped.
///
/// Spec: 7.3, 7.10, 4.5. The one door to everything that can take a fee.
pub fn authenticate(screened: Screened, view: &impl ReadView) -> Result<Proven, AuthError> {
    let reading = &screened.parsed.reading;
    // Before the key: a mail that is stopped is worth no look-up, and waits for none.
    let places = match view.key_cache() {
        Some(cache) => cache.places(&reading.key_name),
        None => KeyPlaces::of(&reading.key_name),
    };
    let freeze = ledger_freeze(view, &places.freeze);
    if freeze.is_some_and(|freeze| freeze.stops(CloseTime::new(reading.date))) {
        return Err(AuthError::Frozen);
    }
    // What a key proved is proven under an equal key, and under no other.
    let proven_under = &screened.parsed.proven_under;
    let verified = |key: &KeyRecord| {
        if proven_under.get() == Some(key) {
            return Ok(());
        }
        verify::verify(&reading.claim(), key).inspect(|()| {
            // Another thread may have been first; then that key stays.
            let _ = proven_under.set(key.clone());
        })
    };
    match ledger_key(view, &places.key) {
        LedgerKey::Missing => Err(AuthError::NoKey),
        LedgerKey::Revoked => Err(AuthError::Revoked),
        LedgerKey::Unsettled(key) => match verified(&key) {
            Ok(()) => Ok(Proven { screened }),
            Err(_) => Err(AuthError::NoKey),
        },
        LedgerKey::Settled(key) => match verified(&key) {
            Ok(()) => Ok(Proven { screened }),
            Err(refusal) => Err(AuthError::BadSignature(refusal)),
        },
    }
}

/// Fee and balance.
///
/// Spec: 6.3, 9. What a REMIT has to leave pays the fee of its owner's REKEY.
pub fn preclaim(proven: Proven, view: &impl ReadView) -> Result<Ready, PreclaimError> {
    let Proven { screened } = proven;
    let (reading, fee) = (&screened.parsed.reading, screened.parsed.fee);
    let required = replay::required_fee(view.base_fee(), reading.memo_bytes, screened.entries_paid);
    let required = required.ok_or(PreclaimError::BadFee {
        required: Drops::new(u64::MAX),
    })?;
    if !replay::is_fee_allowed(fee, required, view.base_fee()) {
        return Err(PreclaimError::BadFee { required });
    }
    let Some(left) = screened.balance.get().checked_sub(fee.get()) else {
        return Err(PreclaimError::InsufficientFee);
    };
    match reading.order {
        Order::Remit { .. } if left < view::reserve(view, screened.owner_count) => {
            Err(PreclaimError::FeeFromReserve)
        }
        Order::Remit { .. } | Order::Rekey { .. } => Ok(Ready { screened }),
    }
}

impl Parsed {
    /// The account of the From address.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// What proved the mail when it was read need not be proven again: `authenticate` asks whether the ledger's key is
    /// the one that did. Of another mail nothing is taken over. Spec: 4.5
    pub fn remember_proof(&self, mail: &ProvenMail) {
        if let Some(key) = mail.evidence().key_of(&self.reading.claim()) {
            // Another thread may have been first; then that key stays.
            let _ = self.proven_under.set(key.clone());
        }
    }

    /// Name of the key that has to prove the signature.
    #[must_use]
    pub fn key_name(&self) -> &KeyName {
        &self.reading.key_name
    }

    /// Hash of the signed meaning.
    #[must_use]
    pub fn email_id(&self) -> EmailId {
        mark_of(self).email_id
    }

    /// The signed Date.
    #[must_use]
    pub fn signed_date(&self) -> CloseTime {
        CloseTime::new(self.reading.date)
    }
}

impl Ready {
    /// The account that pays the fee and acts.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.screened.parsed.account
    }

    /// Its Sequence, which is also that of its account.
    #[must_use]
    pub fn sequence(&self) -> u32 {
        self.screened.parsed.sequence
    }

    /// The fee, within its bounds and covered by the balance.
    #[must_use]
    pub fn fee(&self) -> Drops {
        self.screened.parsed.fee
    }

    /// What the mail orders.
    #[must_use]
    pub fn order(&self) -> &Order {
        &self.screened.parsed.reading.order
    }

    /// Hash of the signed meaning.
    #[must_use]
    pub fn email_id(&self) -> EmailId {
        self.screened.mark.email_id
    }

    /// SHA-512Half of the DKIM signature value.
    #[must_use]
    pub fn signature_hash(&self) -> Hash256 {
        self.screened.mark.signature_hash
    }

    /// The signed Date.
    #[must_use]
    pub fn signed_date(&self) -> CloseTime {
        self.screened.mark.signed_date
    }
}

/// The EmailReplay entry after this mail, in the ledger under which it was screened.
///
/// Spec: 8.2, 8.3, 8.4, 8.6. Called next to sequence and fee, and again after a tec reset
/// (`Effect::FeeOnly`). The ledger writes the PreviousTxn pair.
#[must_use]
pub fn next_replay_entry(current: Option<&Object>, ready: &Ready, effect: Effect) -> Object {
    let screened = &ready.screened;
    replay::entry_after(
        current,
        ready.account(),
        &screened.mark,
        ready.order(),
        effect,
        &screened.moment,
    )
}
