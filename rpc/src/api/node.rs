//! The trait through which the methods ask a node.
//!
//! The calls block: a node answers from memory, or waits for one ledger close. The server runs them on
//! threads that may block, so that [`crate::Session`] stays an ordinary function.

use std::collections::BTreeSet;

use amendment::Domain;
use codec::keys::PublicKey;
use codec::{AccountId, Hash256, LedgerIndex};

use super::amendments::{AmendmentState, Vote};
use super::email::{EmailAnswer, SubmitEmail};
use super::freezes::{FreezesAnswer, Ruling};
use super::keys::KeysAnswer;
use super::ledger::{AccountAnswer, EntryAnswer, LedgerAnswer, LedgerChoice, Transactions};
use super::listing::{AccountTxAnswer, AccountTxQuery};
use super::peer::Peer;
use super::server::{FeeAnswer, ServerAnswer};
use super::transaction::{OnRetry, SubmitAnswer, TxAnswer, TxKey};
use super::votes::ValidatorVotes;
use crate::error::RpcError;

/// Everything that the methods need of a node.
pub trait Node: Send + Sync {
    /// Check a mail and, unless it is a dry run, submit its transaction or keep the mail.
    fn submit_email(&self, request: SubmitEmail, peer: &Peer) -> Result<EmailAnswer, RpcError>;

    /// Put a signed transaction into the open ledger.
    fn submit(&self, blob: &[u8], on_retry: OnRetry, peer: &Peer) -> Result<SubmitAnswer, RpcError>;

    /// A transaction by its hash, or what became of a mail.
    fn transaction(&self, key: TxKey) -> Result<TxAnswer, RpcError>;

    /// The AccountRoot of an account.
    fn account(&self, account: AccountId, ledger: LedgerChoice) -> Result<AccountAnswer, RpcError>;

    /// One ledger; its transactions where they are asked for.
    fn ledger(&self, ledger: LedgerChoice, transactions: Transactions) -> Result<LedgerAnswer, RpcError>;

    /// The transactions that affect an account, a page of them.
    fn account_transactions(&self, query: &AccountTxQuery) -> Result<AccountTxAnswer, RpcError>;

    /// One entry of the state.
    fn entry(&self, key: Hash256, ledger: LedgerChoice) -> Result<EntryAnswer, RpcError>;

    /// The DKIM keys of the last validated ledger.
    fn keys(&self) -> Result<KeysAnswer, RpcError>;

    /// What transactions cost now.
    fn fee(&self) -> Result<FeeAnswer, RpcError>;

    /// All amendments that the node knows, and those of the ledger that it does not know.
    fn amendments(&self) -> Result<Vec<AmendmentState>, RpcError>;

    /// Change the validator's vote about an amendment.
    fn vote(&self, amendment: Hash256, vote: Vote) -> Result<(), RpcError>;

    /// What the validators want, and what this node's operator wants.
    fn validator_votes(&self) -> Result<ValidatorVotes, RpcError>;

    /// Change the list of validators that this node's validator votes for; none: the list as it is.
    fn want_validators(&self, wanted: BTreeSet<PublicKey>) -> Result<(), RpcError>;

    /// All domains about which something is said. Spec: 7.10
    fn freezes(&self) -> Result<FreezesAnswer, RpcError>;

    /// Change what the operator of this validator wants of the mail of a domain.
    fn rule(&self, domain: Domain, ruling: Ruling) -> Result<(), RpcError>;

    /// The state of the node.
    fn server(&self) -> Result<ServerAnswer, RpcError>;

    /// Close the open ledger now. Answers the index of the next open ledger.
    fn accept_ledger(&self) -> Result<LedgerIndex, RpcError>;
}
