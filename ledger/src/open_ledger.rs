//! The open ledger: what was submitted and accepted since the last close, and the answer to a submission.
//!
//! Xahau's rules for `submit` (applySteps.cpp, NetworkOPs.cpp, STTx.cpp `passesLocalChecks`). What has no place
//! yet is told so, as if queued; to hold it is the host's matter.

use amendment::ScreenError;
use codec::{AccountId, Field, Hash256, Object, Ter, TerClass, Value, keylet, sf};

use crate::crowd::{Crowd, FeeLevel};
use crate::email;
use crate::engine;
use crate::ledger::Ledger;
use crate::limits::{
    LOCAL_HOOK_NAME_BYTES_MAX, LOCAL_HOOK_PARAMETERS_MAX, LOCAL_HOOK_VALUE_BYTES_MAX, LOCAL_MEMOS_BYTES_MAX,
};
use crate::state_map::{StateMap, TxSet};
use crate::transaction::Transaction;
use crate::transactors::base_fee_drops;
use crate::transactors::dispatch::transactor;
use crate::tx_list::TxList;
use crate::view::{Env, LedgerKind, View};

/// A ledger that still takes submissions. Cheap to clone.
#[derive(Clone, Debug)]
pub struct OpenLedger {
    env: Env,
    state: StateMap,
    accepted: TxList,
    ids: TxSet,
    crowd: Crowd,
}

/// Whether a place in the open ledger has its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Price {
    Asked,
    Waived,
}

/// Why a submission is turned away before the rules see it (`invalidTransaction`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocalRefusal {
    /// It claims to be emitted by a hook, and is signed.
    #[error("Emitted txn contains signature.")]
    EmittedAndSigned,
    /// It claims to be emitted by a hook; there are none here.
    #[error("Emitted txn was not marked for preflight nor out of the emission directory")]
    Emitted,
    /// The signature is not by SigningPubKey, or not canonical.
    #[error("Invalid signature.")]
    Signature,
    /// The memos are too long or hold something else than memos.
    #[error("The memo exceeds the maximum allowed size or is malformed.")]
    Memos,
    /// Too many hook parameters, or one too long or without a value.
    #[error("The hook parameters are malformed.")]
    HookParameters,
    /// An account field of length zero.
    #[error("An account field is invalid.")]
    DefaultAccount,
    /// Only validators make this type.
    #[error("Cannot submit pseudo transactions.")]
    Pseudo,
}

/// Answer to a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubmitOutcome {
    /// Result; preliminary until the ledger is closed.
    pub ter: Ter,
    /// What the sender's account has against a mail that is refused.
    pub by_account: Option<ScreenError>,
    /// It stands in the open ledger.
    pub applied: bool,
    /// It may succeed later and should be tried again (ter).
    pub retriable: bool,
    /// xahaud's `kept`: true for everything that passed the local checks.
    pub kept: bool,
    /// The sender's next Sequence; 0 without an account.
    pub account_sequence_next: u32,
}

impl OpenLedger {
    /// An open ledger after `parent`, without transactions.
    #[must_use]
    pub fn new(parent: &Ledger) -> OpenLedger {
        OpenLedger {
            env: Env::of(parent, LedgerKind::Open),
            state: parent.state().clone(),
            accepted: TxList::default(),
            ids: TxSet::new(),
            crowd: Crowd::default(),
        }
    }

    /// Tries a transaction and keeps its effects where it counts.
    pub fn submit(&mut self, tx: &Transaction) -> Result<SubmitOutcome, LocalRefusal> {
        self.enter(tx, Price::Waived)
    }

    /// The same for a transaction of somebody who has to pay for a place as the ledger fills: one that pays
    /// less, or finds none, gets terQUEUED. Mails have places of their own, at their own fee. Spec: 9.
    pub fn submit_at_its_price(&mut self, tx: &Transaction) -> Result<SubmitOutcome, LocalRefusal> {
        self.enter(tx, Price::Asked)
    }

    fn enter(&mut self, tx: &Transaction, price: Price) -> Result<SubmitOutcome, LocalRefusal> {
        check_local(tx, &self.env)?;
        let (ter, by_account) = if self.contains(&tx.id()) {
            (Ter::TEF_ALREADY, None)
        } else {
            self.apply(tx, price)
        };
        let sender = self.account(tx.account());
        Ok(SubmitOutcome {
            ter,
            by_account,
            applied: self.contains(&tx.id()) && ter != Ter::TEF_ALREADY,
            retriable: ter.class() == TerClass::Ter,
            kept: true,
            account_sequence_next: sender.and_then(|account| account.u32(sf::SEQUENCE)).unwrap_or(0),
        })
    }

    /// Fee that this ledger asks of a transaction now.
    #[must_use]
    pub fn cost_drops(&self, tx: &Transaction) -> u64 {
        if email::is_email(tx, &self.env) {
            return email::required_fee_drops(tx, &self.env, &self.state);
        }
        self.crowd
            .level_for(tx.account())
            .drops(self.base_drops(tx, self.account(tx.account()).as_ref()))
    }

    fn base_drops(&self, tx: &Transaction, sender: Option<&Object>) -> u64 {
        transactor(tx.tx_type()).map_or(0, |rules| rules.base_fee_drops(tx, &self.env, sender))
    }

    /// Whether a transaction that a key signed pays for its place, and there is one.
    fn gets_place(&self, tx: &Transaction) -> bool {
        let base = self.base_drops(tx, self.account(tx.account()).as_ref());
        let ordinary = base_fee_drops(tx, &self.env.fees);
        let paid = FeeLevel::of(tx.fee_drops().unwrap_or(0), base, ordinary);
        self.crowd.has_place() && paid >= self.crowd.level_for(tx.account())
    }

    fn apply(&mut self, tx: &Transaction, price: Price) -> (Ter, Option<ScreenError>) {
        let index = u32::try_from(self.accepted.len()).unwrap_or(u32::MAX);
        let judged = engine::judge(&self.env, &self.state, tx, index);
        if let Some(effects) = judged.effects {
            let by_mail = email::is_email(tx, &self.env);
            if !by_mail && price == Price::Asked && !self.gets_place(tx) {
                return (Ter::TER_QUEUED, None);
            }
            if !by_mail {
                self.crowd.add(tx.account());
            }
            for (key, entry) in effects.entries {
                match entry {
                    Some(entry) => self.state.insert(key, codec::encode(&entry)),
                    None => {
                        self.state.remove(&key);
                    }
                }
            }
            self.accepted.push(tx.clone());
            self.ids.insert(tx.id(), []);
        }
        (judged.ter, judged.by_account)
    }

    /// The closed ledger below.
    #[must_use]
    pub fn parent(&self) -> &Ledger {
        &self.env.parent
    }

    /// What a place costs now for an account that has none.
    #[must_use]
    pub fn fee_level(&self) -> FeeLevel {
        self.crowd.level()
    }

    /// What was accepted, in order of submission.
    #[must_use]
    pub fn accepted(&self) -> &TxList {
        &self.accepted
    }

    /// True where the transaction was accepted into this open ledger.
    #[must_use]
    pub fn contains(&self, tx_id: &Hash256) -> bool {
        self.ids.entry(tx_id).is_some()
    }

    /// The entries as they are now.
    #[must_use]
    pub fn state(&self) -> &StateMap {
        &self.state
    }

    /// An AccountRoot as it is now.
    #[must_use]
    pub fn account(&self, id: AccountId) -> Option<Object> {
        codec::decode(self.state.entry(&keylet::account(id))?).ok()
    }

    /// What the mail rules see.
    #[must_use]
    pub fn view(&self) -> View<'_> {
        View::new(&self.env, &self.state)
    }
}

/// Local rules are not rules of the ledger: a closed ledger may hold what they refuse.
fn check_local(tx: &Transaction, env: &Env) -> Result<(), LocalRefusal> {
    if tx.is_pseudo() {
        return Err(LocalRefusal::Pseudo);
    }
    if tx.object().contains(sf::EMIT_DETAILS) {
        return Err(if tx.object().contains(sf::TXN_SIGNATURE) {
            LocalRefusal::EmittedAndSigned
        } else {
            LocalRefusal::Emitted
        });
    }
    let by_mail = email::is_email(tx, env);
    if !by_mail && !tx.has_good_signature() {
        return Err(LocalRefusal::Signature);
    }
    if !by_mail && !memos_are_short_and_plain(tx.object()) {
        return Err(LocalRefusal::Memos);
    }
    if !hook_parameters_are_short(tx.object()) {
        return Err(LocalRefusal::HookParameters);
    }
    if tx
        .object()
        .iter()
        .any(|(_, value)| matches!(value, Value::Account(None)))
    {
        return Err(LocalRefusal::DefaultAccount);
    }
    Ok(())
}

/// At most 1,024 bytes of elements, each a Memo of known fields, types and formats in URL characters. A
/// mail's memo is judged by its own rules instead. Spec: 6.4
fn memos_are_short_and_plain(tx: &Object) -> bool {
    let Some(memos) = tx.array(sf::MEMOS) else {
        return true;
    };
    let fields: [Field; 3] = [sf::MEMO_TYPE, sf::MEMO_DATA, sf::MEMO_FORMAT];
    let plain = memos.iter().all(|(name, memo)| {
        *name == sf::MEMO
            && memo.iter().all(|(field, _)| fields.contains(&field))
            && [sf::MEMO_TYPE, sf::MEMO_FORMAT].iter().all(|field| {
                memo.blob(*field)
                    .unwrap_or(&[])
                    .iter()
                    .all(|byte| is_url_byte(*byte))
            })
    });
    // Each element: header and end marker besides its fields.
    let bytes = memos
        .iter()
        .map(|(_, memo)| codec::encode(memo).len().saturating_add(2))
        .fold(0, usize::saturating_add);
    plain && bytes <= LOCAL_MEMOS_BYTES_MAX
}

/// At most 16, each with a name of up to 32 bytes and a value of up to 256.
fn hook_parameters_are_short(tx: &Object) -> bool {
    let parameters = tx.array(sf::HOOK_PARAMETERS).unwrap_or(&[]);
    let is_short = |parameter: &Object, field: Field, bytes_max: usize| {
        parameter
            .blob(field)
            .is_some_and(|bytes| bytes.len() <= bytes_max)
    };
    parameters.len() <= LOCAL_HOOK_PARAMETERS_MAX
        && parameters.iter().all(|(_, parameter)| {
            is_short(parameter, sf::HOOK_PARAMETER_NAME, LOCAL_HOOK_NAME_BYTES_MAX)
                && is_short(parameter, sf::HOOK_PARAMETER_VALUE, LOCAL_HOOK_VALUE_BYTES_MAX)
        })
}

fn is_url_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte)
}
