//! One transaction against one state: common checks, signature, apply, tec reset, invariants, metadata.
//!
//! Xahau's pipeline (applySteps.cpp, Transactor.cpp), in its order. Email-signed transactions leave it before
//! any other signature test (spec 1) and take the order of spec section 10.

use std::cmp::Ordering;

use amendment::{Effect, EmailId, Ready, ScreenError};
use codec::keys::PublicKey;
use codec::{AccountId, Hash256, Object, Ter, TerClass, flags, keylet, sf};

use crate::email::{self, Refused};
use crate::invariants;
use crate::limits::META_ENTRIES_MAX;
use crate::metadata::{self, Effects, TxPosition};
use crate::rewards;
use crate::sandbox::Sandbox;
use crate::state_map::StateMap;
use crate::transaction::Transaction;
use crate::transactors::dispatch::transactor;
use crate::transactors::ticket_create::consume_ticket;
use crate::transactors::{Apply, Signer, Transactor, balance_drops, flags_of, with_balance};
use crate::view::{Env, LedgerKind, Pass};

/// Networks with larger ids have them in every transaction.
const LEGACY_NETWORK_ID_MAX: u32 = 1_024;

/// What became of a transaction.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    pub(crate) ter: Ter,
    /// Present where the transaction enters the ledger: tes, or tec with its fee taken.
    pub(crate) effects: Option<Effects>,
    pub(crate) fee_drops: u64,
    /// EmailID of a transaction that a mail signs, from its proof.
    pub(crate) email_id: Option<EmailId>,
    /// What the sender's account has against a mail that it refuses.
    pub(crate) by_account: Option<ScreenError>,
}

impl Judged {
    fn refused(why: impl Into<Refused>) -> Judged {
        let why = why.into();
        Judged {
            ter: why.ter,
            effects: None,
            fee_drops: 0,
            email_id: None,
            by_account: why.by_account,
        }
    }
}

/// Applies `tx` as number `index` of the ledger to `state`, which stays as it is: the effects say what to
/// write.
pub(crate) fn judge(env: &Env, state: &StateMap, tx: &Transaction, index: u32) -> Judged {
    let Some(transactor) = transactor(tx.tx_type()) else {
        return Judged::refused(Ter::TEM_UNKNOWN);
    };
    let position = TxPosition {
        id: tx.id(),
        ledger: env.index,
        index,
    };
    if tx.is_pseudo() {
        return judge_pseudo(env, state, tx, transactor, position);
    }
    let claim = match check(env, state, tx, transactor) {
        Ok(claim) => claim,
        Err(refused) => return Judged::refused(refused),
    };
    let mut apply = Apply {
        env,
        tx,
        sandbox: Sandbox::new(state),
        signer: claim.signer,
        prior_balance_drops: claim.balance_drops,
        delivered: None,
    };
    let done = match claim.verdict {
        Ok(()) => consume(&mut apply, &claim, Effect::Applied).and_then(|()| transactor.apply(&mut apply)),
        Err(tec) => Err(tec),
    };
    let mut ter = match done {
        Ok(()) if apply.sandbox.changes_len() > META_ENTRIES_MAX => Ter::TEC_OVERSIZE,
        Ok(()) => Ter::TES_SUCCESS,
        Err(ter) => ter,
    };
    if ter.is_success() && hold_invariants(&apply, &claim).is_err() {
        ter = Ter::TEC_INVARIANT_FAILED;
    }
    if !ter.is_success() {
        if !claims_fee(ter, env.pass) {
            return Judged::refused(ter);
        }
        apply.sandbox.reset();
        apply.delivered = None;
        let reset = consume(&mut apply, &claim, Effect::FeeOnly);
        if reset.is_err() || hold_invariants(&apply, &claim).is_err() {
            return Judged::refused(Ter::TEF_INVARIANT_FAILED);
        }
    }
    rewards::accrue(&mut apply.sandbox, env.index);
    let effects = metadata::build(&apply.sandbox, position, ter, apply.delivered);
    Judged {
        ter,
        effects: Some(effects),
        fee_drops: claim.fee_charged_drops(),
        email_id: claim.email.as_ref().map(Ready::email_id),
        by_account: None,
    }
}

/// What is known once a transaction may claim a fee.
pub(crate) struct Claim {
    signer: Signer,
    balance_drops: u64,
    fee_drops: u64,
    /// A tec found before anything was written.
    verdict: Result<(), Ter>,
    email: Option<Ready>,
}

impl Claim {
    fn fee_charged_drops(&self) -> u64 {
        self.fee_drops.min(self.balance_drops)
    }
}

/// True where a failure takes its fee now: in the final pass, or where a later pass cannot help.
fn claims_fee(ter: Ter, pass: Pass) -> bool {
    let final_anyway = ter == Ter::TEC_OVERSIZE || ter == Ter::TEC_INVARIANT_FAILED;
    ter.class() == TerClass::Tec && (pass == Pass::Final || final_anyway)
}

/// Everything before the first write; refusals take no fee. What a mail signs has checks of its own. Spec: 10
fn check(
    env: &Env,
    state: &StateMap,
    tx: &Transaction,
    transactor: &dyn Transactor,
) -> Result<Claim, Refused> {
    preflight_common(tx, env)?;
    if email::is_email(tx, env) {
        return check_email(env, state, tx, transactor);
    }
    transactor.preflight(tx, env)?;
    if tx.object().contains(sf::SIGNERS) {
        return Err(Ter::TEM_DISABLED.into());
    }
    if !tx.has_good_signature() {
        return Err(Ter::TEM_INVALID.into());
    }
    let sandbox = Sandbox::new(state);
    let account = sandbox
        .entry(&keylet::account(tx.account()))
        .ok_or(Ter::TER_NO_ACCOUNT)?;
    check_sequence(tx, &account, &sandbox)?;
    check_ledger_bounds(tx, env, &account)?;
    let fee = tx.fee_drops().ok_or(Ter::TEM_BAD_FEE)?;
    let verdict = check_fee(tx, env, transactor, &account, fee);
    if let Err(ter) = verdict
        && !claims_fee(ter, env.pass)
    {
        return Err(ter.into());
    }
    let signer = check_signer(tx, &account)?;
    let verdict = verdict.and_then(|()| transactor.preclaim(tx, env, &sandbox));
    if let Err(ter) = verdict
        && !claims_fee(ter, env.pass)
    {
        return Err(ter.into());
    }
    Ok(Claim {
        signer,
        balance_drops: balance_drops(&account),
        fee_drops: fee,
        verdict,
        email: None,
    })
}

/// The same for a transaction whose signature is a mail, in the order of section 10. Spec: 10
fn check_email(
    env: &Env,
    state: &StateMap,
    tx: &Transaction,
    transactor: &dyn Transactor,
) -> Result<Claim, Refused> {
    let sandbox = Sandbox::new(state);
    let ready = email::prove(tx, env, state, || transactor.preflight(tx, env))?;
    let account = sandbox
        .entry(&keylet::account(ready.account()))
        .ok_or(Ter::TER_NO_ACCOUNT)?;
    let verdict = transactor.preclaim(tx, env, &sandbox);
    if let Err(ter) = verdict
        && !claims_fee(ter, env.pass)
    {
        return Err(ter.into());
    }
    Ok(Claim {
        signer: Signer::Email,
        balance_drops: balance_drops(&account),
        fee_drops: ready.fee().get(),
        verdict,
        email: Some(ready),
    })
}

/// preflight0 and preflight1: network, account, fee, key.
fn preflight_common(tx: &Transaction, env: &Env) -> Result<(), Ter> {
    let object = tx.object();
    match object.u32(sf::NETWORK_ID) {
        Some(_) if env.network_id <= LEGACY_NETWORK_ID_MAX => {
            return Err(Ter::TEL_NETWORK_ID_MAKES_TX_NON_CANONICAL);
        }
        None if env.network_id > LEGACY_NETWORK_ID_MAX => return Err(Ter::TEL_REQUIRES_NETWORK_ID),
        Some(id) if id != env.network_id => return Err(Ter::TEL_WRONG_NETWORK),
        Some(_) | None => {}
    }
    if tx.account() == AccountId::ZERO {
        return Err(Ter::TEM_BAD_SRC_ACCOUNT);
    }
    if object.amount(sf::FEE).is_none_or(|fee| fee.as_drops().is_none()) {
        return Err(Ter::TEM_BAD_FEE);
    }
    // A mail signs no EmitDetails: it is judged by its own rule, which stands first. Spec: 6.2
    if object.contains(sf::EMIT_DETAILS) && !email::is_email(tx, env) {
        return Err(Ter::TEL_NON_LOCAL_EMITTED_TXN);
    }
    let key = object.blob(sf::SIGNING_PUB_KEY).unwrap_or(&[]);
    if !key.is_empty() && PublicKey::parse(key).is_err() {
        return Err(Ter::TEM_BAD_SIGNATURE);
    }
    if tx.ticket().is_some() && object.contains(sf::ACCOUNT_TXN_ID) {
        return Err(Ter::TEM_INVALID);
    }
    Ok(())
}

fn check_sequence(tx: &Transaction, account: &Object, sandbox: &Sandbox<'_>) -> Result<(), Ter> {
    if tx.object().contains(sf::FIRST_LEDGER_SEQUENCE) {
        return Err(Ter::TEF_INTERNAL);
    }
    let next = account.u32(sf::SEQUENCE).unwrap_or(0);
    if let Some(ticket) = tx.ticket() {
        return match sandbox.contains(&keylet::ticket(tx.account(), ticket)) {
            _ if tx.sequence() != 0 => Err(Ter::TEM_SEQ_AND_TICKET),
            _ if ticket >= next => Err(Ter::TER_PRE_TICKET),
            true => Ok(()),
            false => Err(Ter::TEF_NO_TICKET),
        };
    }
    match tx.sequence().cmp(&next) {
        Ordering::Greater => Err(Ter::TER_PRE_SEQ),
        Ordering::Less => Err(Ter::TEF_PAST_SEQ),
        Ordering::Equal => Ok(()),
    }
}

fn check_ledger_bounds(tx: &Transaction, env: &Env, account: &Object) -> Result<(), Ter> {
    let object = tx.object();
    if let Some(prior) = object.hash256(sf::ACCOUNT_TXN_ID)
        && account.hash256(sf::ACCOUNT_TXN_ID).unwrap_or(Hash256::ZERO) != prior
    {
        return Err(Ter::TEF_WRONG_PRIOR);
    }
    if object
        .u32(sf::LAST_LEDGER_SEQUENCE)
        .is_some_and(|last| env.index.get() > last)
    {
        return Err(Ter::TEF_MAX_LEDGER);
    }
    Ok(())
}

/// The smallest fee is a rule of the open ledger only, the balance of every ledger.
fn check_fee(
    tx: &Transaction,
    env: &Env,
    transactor: &dyn Transactor,
    account: &Object,
    fee: u64,
) -> Result<(), Ter> {
    if env.kind == LedgerKind::Open && fee < transactor.base_fee_drops(tx, env, Some(account)) {
        return Err(Ter::TEL_INSUF_FEE_P);
    }
    let balance = balance_drops(account);
    if fee == 0 || balance >= fee {
        return Ok(());
    }
    Err(if env.kind == LedgerKind::Closed && balance > 0 {
        Ter::TEC_INSUFF_FEE
    } else {
        Ter::TER_INSUF_FEE_B
    })
}

/// Which of the account's keys signed.
fn check_signer(tx: &Transaction, account: &Object) -> Result<Signer, Ter> {
    let signer = tx.signing_key().ok_or(Ter::TEF_BAD_AUTH)?.account();
    if account.account(sf::REGULAR_KEY) == Some(signer) {
        return Ok(Signer::RegularKey);
    }
    if signer != tx.account() {
        return Err(Ter::TEF_BAD_AUTH);
    }
    if flags_of(account) & flags::LSF_DISABLE_MASTER != 0 {
        return Err(Ter::TEF_MASTER_DISABLED);
    }
    Ok(Signer::MasterKey)
}

/// Takes sequence and fee, together with the replay entry where a mail signed: before the transactor
/// (`Applied`), or instead of it after its writes were thrown away (`FeeOnly`). Spec: 8.3
fn consume(apply: &mut Apply<'_>, claim: &Claim, effect: Effect) -> Result<(), Ter> {
    match apply.tx.ticket() {
        Some(ticket) => consume_ticket(apply, apply.tx.account(), ticket)?,
        None => {
            let next = apply.tx.sequence().checked_add(1).ok_or(Ter::TEF_INTERNAL)?;
            let account = apply.sender()?.with(sf::SEQUENCE, next);
            apply.put_account(apply.tx.account(), account);
        }
    }
    let account = apply.sender()?;
    let left = balance_drops(&account).saturating_sub(claim.fee_charged_drops());
    let mut account = with_balance(account, left)?;
    if effect == Effect::Applied && account.contains(sf::ACCOUNT_TXN_ID) {
        account.set(sf::ACCOUNT_TXN_ID, apply.tx.id());
    }
    apply.put_account(apply.tx.account(), account);
    if let Some(ready) = &claim.email {
        email::write_replay_entry(&mut apply.sandbox, ready, effect);
    }
    Ok(())
}

fn hold_invariants(apply: &Apply<'_>, claim: &Claim) -> Result<(), invariants::Violation> {
    invariants::check(&apply.sandbox, apply.tx, apply.env, claim.fee_charged_drops())
}

/// Pseudo-transactions: no account, no fee, no signature of their own; the transactor judges what they carry.
fn judge_pseudo(
    env: &Env,
    state: &StateMap,
    tx: &Transaction,
    transactor: &dyn Transactor,
    position: TxPosition,
) -> Judged {
    let sandbox = Sandbox::new(state);
    let mut apply = Apply {
        env,
        tx,
        sandbox,
        signer: Signer::Validators,
        prior_balance_drops: 0,
        delivered: None,
    };
    let done = preflight_pseudo(tx, env)
        .and_then(|()| transactor.preflight(tx, env))
        .and_then(|()| transactor.preclaim(tx, env, &apply.sandbox))
        .and_then(|()| transactor.apply(&mut apply))
        .and_then(|()| invariants::check(&apply.sandbox, tx, env, 0).map_err(|_| Ter::TEF_INVARIANT_FAILED));
    match done {
        Ok(()) => {
            let effects = metadata::build(&apply.sandbox, position, Ter::TES_SUCCESS, None);
            Judged {
                ter: Ter::TES_SUCCESS,
                effects: Some(effects),
                fee_drops: 0,
                email_id: None,
                by_account: None,
            }
        }
        Err(ter) => Judged::refused(ter),
    }
}

/// What every pseudo-transaction looks like (Change.cpp preflight and preclaim).
fn preflight_pseudo(tx: &Transaction, env: &Env) -> Result<(), Ter> {
    let object = tx.object();
    if tx.is_email_signed() {
        return Err(Ter::TEM_INVALID_FLAG);
    }
    if tx.account() != AccountId::ZERO {
        return Err(Ter::TEM_BAD_SRC_ACCOUNT);
    }
    if tx.fee_drops() != Some(0) {
        return Err(Ter::TEM_BAD_FEE);
    }
    let signed = object
        .blob(sf::SIGNING_PUB_KEY)
        .is_some_and(|key| !key.is_empty())
        || object.contains(sf::TXN_SIGNATURE)
        || object.contains(sf::SIGNERS);
    if signed {
        return Err(Ter::TEM_BAD_SIGNATURE);
    }
    if tx.sequence() != 0 || object.contains(sf::PREVIOUS_TXN_ID) {
        return Err(Ter::TEM_BAD_SEQUENCE);
    }
    if env.kind == LedgerKind::Open {
        return Err(Ter::TEM_INVALID);
    }
    Ok(())
}
