//! The node's answers to the RPC methods.
//!
//! Those that only read take the published state. Those that change something ask the chain, and wait until
//! what it decides is on disk.

use std::collections::BTreeSet;

use amendment::{Domain, ReadView as _};
use chain::{
    Disk, Entered, Event, Held, MailMode, MailReply, MailRequest, ReadMail, Refusal, Reply, TxRequest, peers,
    votes,
};
use codec::keys::PublicKey;
use codec::{AccountId, Drops, Hash256, LedgerIndex, TerClass, base58, keylet};
use explain::Explanation;
use ledger::dkim;
use ledger::limits::OPEN_EXPECTED_TRANSACTIONS;
use ledger::{Fees, LocalRefusal, Transaction};
use rpc::RpcError;
use rpc::api::{
    Acceptance, AccountAnswer, AccountTxAnswer, AccountTxQuery, AmendmentState, ClockFault, DomainState,
    EmailAnswer, EntryAnswer, FeeAnswer, FreezesAnswer, KeysAnswer, LedgerAnswer, LedgerChoice, MailState,
    MailStatus, NotKept, OnRetry, Peer, Role, Ruling, ServerAnswer, SubmitAnswer, SubmitEmail, SubmitMode,
    Transactions, TxAnswer, TxKey, ValidatorVotes, Vote, WaitingMails,
};

use crate::amendments;
use crate::host::ChainStopped;
use crate::mail_status::mail_status;
use crate::meter;
use crate::node::{Closing, Node};
use crate::reading::{Broken, Chosen, header_of, tx_blob};
use crate::store;

/// Clients tell what a server can by the numbers of xahaud's releases: one below 1.11.0 has no NetworkID, they
/// conclude (xrpl.js pull request 2216). The number is that of the release whose methods this node answers;
/// what is behind the plus is ours.
const BUILD_VERSION: &str = concat!("2025.7.9+xahau-email-", env!("CARGO_PKG_VERSION"));

/// A mail that the node does nothing more about.
const REFUSED: MailStatus = MailStatus {
    state: MailState::Failed,
    hash: None,
    ledger_index: None,
    engine: None,
};

impl rpc::Node for Node {
    fn submit_email(&self, request: SubmitEmail, peer: &Peer) -> Result<EmailAnswer, RpcError> {
        let address = peer.address;
        let peer = counted(peer);
        let state = self.inner.host.shown();
        state.admit(&peer, self.inner.clock.now()).map_err(refused)?;
        let mail = ReadMail::new(&request.mail, &state.ledger, self.inner.network_id);
        drop(state);
        let mode = match request.mode {
            SubmitMode::Submit => MailMode::Submit,
            SubmitMode::DryRun => MailMode::DryRun,
        };
        let reply = self.ask(|request| {
            Event::Mail(Box::new(MailRequest {
                request,
                peer,
                mode,
                mail,
            }))
        })?;
        let Reply::Mail(reply) = reply else {
            return Err(unexpected(&reply));
        };
        if mode == MailMode::Submit {
            self.tell_of_mail(&reply);
        }
        let answer = self.email_answer(*reply, request.mode)?;
        say_refused_mail(&answer, address);
        Ok(answer)
    }

    fn submit(&self, blob: &[u8], on_retry: OnRetry, peer: &Peer) -> Result<SubmitAnswer, RpcError> {
        let tx = Transaction::parse(blob).map_err(|error| RpcError::InvalidTransaction {
            reason: error.to_string(),
        })?;
        let address = peer.address;
        let peer = counted(peer);
        let state = self.inner.host.shown();
        state.admit(&peer, self.inner.clock.now()).map_err(refused)?;
        // The transaction remembers the verdict, so that the chain's thread need not verify.
        let _ = tx.has_good_signature();
        let on_retry = match on_retry {
            OnRetry::Hold => chain::OnRetry::Hold,
            OnRetry::Drop => chain::OnRetry::Drop,
        };
        let reply = self.ask(|request| {
            Event::Transaction(TxRequest {
                request,
                peer,
                tx,
                on_retry,
            })
        })?;
        let Reply::Transaction(reply) = reply else {
            return Err(unexpected(&reply));
        };
        if !reply.outcome.applied && reply.held == Held::No {
            let (id, code) = (reply.tx.id(), reply.outcome.ter.token());
            tracing::info!(%address, %id, code, "a transaction is refused");
            metrics::counter!(meter::REFUSED, "what" => "transaction", "code" => code).increment(1);
        }
        if reply.outcome.applied || reply.held == Held::Yes {
            self.tell_of_transaction(&reply.tx);
        }
        Ok(SubmitAnswer {
            wrapped: tx_blob(&reply.tx),
            engine: reply.outcome.ter,
            applied: reply.outcome.applied,
            kept: reply.held == Held::Yes,
            account_sequence_next: reply.outcome.account_sequence_next,
            account_sequence_available: reply.sequence_available,
            open_ledger_cost: Drops::new(reply.open_ledger_cost_drops),
            validated_ledger_index: reply.validated,
        })
    }

    fn transaction(&self, key: TxKey) -> Result<TxAnswer, RpcError> {
        let reading = self.reading();
        match key {
            TxKey::Hash(hash) => {
                let record = reading.record(&hash)?.ok_or(RpcError::TransactionNotFound)?;
                Ok(TxAnswer {
                    record: Some(record),
                    mail: None,
                })
            }
            TxKey::Email(email_id) => {
                let status = reading.mail(&email_id)?.ok_or(RpcError::TransactionNotFound)?;
                let record = match status.hash {
                    Some(hash) => reading.record(&hash)?,
                    None => None,
                };
                Ok(TxAnswer {
                    record,
                    mail: Some((email_id, status)),
                })
            }
        }
    }

    fn account(&self, account: AccountId, ledger: LedgerChoice) -> Result<AccountAnswer, RpcError> {
        let reading = self.reading();
        let key = keylet::account(account);
        let (ledger, state) = reading.state_of(ledger)?;
        let root = state.entry(&key).and_then(|bytes| codec::decode(bytes).ok());
        let root = root.ok_or_else(|| RpcError::AccountNotFound {
            account: account.to_string(),
        })?;
        Ok(AccountAnswer { ledger, key, root })
    }

    fn ledger(&self, ledger: LedgerChoice, transactions: Transactions) -> Result<LedgerAnswer, RpcError> {
        let reading = self.reading();
        match reading.chosen(ledger)? {
            Chosen::Open => Ok(LedgerAnswer::Open {
                index: reading.state.open.view().ledger_index(),
                parent_hash: reading.state.ledger.hash(),
                transactions: reading.listed_open(transactions)?,
            }),
            Chosen::Stored(index) => {
                let header = reading.header(index)?;
                let transactions = reading.listed(&header, transactions)?;
                Ok(LedgerAnswer::Validated {
                    header: Box::new(header),
                    transactions,
                })
            }
        }
    }

    fn account_transactions(&self, query: &AccountTxQuery) -> Result<AccountTxAnswer, RpcError> {
        self.reading().account_page(query)
    }

    fn entry(&self, key: Hash256, ledger: LedgerChoice) -> Result<EntryAnswer, RpcError> {
        let reading = self.reading();
        let (ledger, state) = reading.state_of(ledger)?;
        let entry = state
            .entry(&key)
            .and_then(|bytes| Some((codec::decode(bytes).ok()?, bytes.to_vec())));
        Ok(EntryAnswer { ledger, entry })
    }

    fn keys(&self) -> Result<KeysAnswer, RpcError> {
        let state = self.inner.host.shown();
        Ok(self.inner.last_keys.of(&state))
    }

    fn fee(&self) -> Result<FeeAnswer, RpcError> {
        let state = self.inner.host.shown();
        let (level, base_fee) = (state.open.fee_level(), state.open.view().base_fee());
        Ok(FeeAnswer {
            current: state.open.view().ledger_index(),
            current_size: state.open.accepted().len(),
            expected_size: OPEN_EXPECTED_TRANSACTIONS,
            queue_size: state.held.count(),
            base_fee,
            open_ledger_level: level.get(),
            open_ledger_fee: Drops::new(level.drops(base_fee.get())),
        })
    }

    fn amendments(&self) -> Result<Vec<AmendmentState>, RpcError> {
        let state = self.inner.host.shown();
        Ok(amendments::states(&state.ledger, &state.votes))
    }

    fn vote(&self, amendment: Hash256, vote: Vote) -> Result<(), RpcError> {
        let vote = match vote {
            Vote::For => store::Vote::For,
            Vote::Against => store::Vote::Against,
        };
        if !votes::is_votable(&amendment) {
            return Ok(());
        }
        let reply = self.ask(|request| Event::Vote {
            request,
            amendment,
            vote,
        })?;
        let Reply::Done = reply else {
            return Err(unexpected(&reply));
        };
        Ok(())
    }

    fn validator_votes(&self) -> Result<ValidatorVotes, RpcError> {
        Ok(crate::votes::answer(self))
    }

    fn want_validators(&self, wanted: BTreeSet<PublicKey>) -> Result<(), RpcError> {
        if self.inner.proposing.epochs.is_none() {
            return Err(RpcError::NotImplemented {
                what: "a list of validators for the ledger of one machine",
            });
        }
        if !crate::votes::is_listed(&self.inner.host.shown().ledger, &self.inner.validator) {
            return Err(RpcError::InvalidField {
                field: "validators",
                expected: "this node has no vote: the ledger's list of validators does not name it",
            });
        }
        let reply = self.ask(|request| Event::WantList { request, wanted })?;
        let Reply::Done = reply else {
            return Err(unexpected(&reply));
        };
        Ok(())
    }

    fn freezes(&self) -> Result<FreezesAnswer, RpcError> {
        let state = self.inner.host.shown();
        let domains = state.freezes().into_iter().map(|row| DomainState {
            domain: row.domain,
            freeze: row.freeze,
            wish: row.wish.map(|wish| match wish {
                dkim::Ruling::Frozen => Ruling::Frozen,
                dkim::Ruling::Lifted => Ruling::Lifted,
            }),
            for_freeze: row.for_freeze,
            for_lift: row.for_lift,
        });
        Ok(FreezesAnswer {
            validators: dkim::validators(&state.ledger).len(),
            quorum: state.quorum(),
            domains: domains.collect(),
        })
    }

    fn rule(&self, domain: Domain, ruling: Ruling) -> Result<(), RpcError> {
        let ruling = match ruling {
            Ruling::Frozen => dkim::Ruling::Frozen,
            Ruling::Lifted => dkim::Ruling::Lifted,
        };
        let reply = self.ask(|request| Event::Rule {
            request,
            domain,
            ruling,
        })?;
        let Reply::Done = reply else {
            return Err(unexpected(&reply));
        };
        Ok(())
    }

    fn server(&self) -> Result<ServerAnswer, RpcError> {
        let reading = self.reading();
        let state = &reading.state;
        let (now, clock) = self.inner.clock.check(state.ledger.close_time());
        let fees = Fees::of(state.ledger.state());
        let first = reading.store.first_index().map_err(Broken::from)?;
        Ok(ServerAnswer {
            build_version: BUILD_VERSION,
            network_id: self.inner.network_id,
            pubkey_node: base58::encode(&[base58::TYPE_NODE_PUBLIC], self.inner.validator.as_bytes()),
            first_ledger: first.unwrap_or(state.ledger.index()),
            validated: header_of(state.ledger.header()),
            base_fee: Drops::new(fees.base_drops),
            reserve_base: Drops::new(fees.reserve_base_drops),
            reserve_increment: Drops::new(fees.reserve_increment_drops),
            validation_quorum: u32::try_from(state.quorum()).unwrap_or(u32::MAX),
            now,
            uptime_secs: u64::from(now.seconds().saturating_sub(self.inner.started.seconds())),
            mails: waiting(state.pool.counts()),
            held_transactions: state.held.count(),
            open_ledger_level: state.open.fee_level().get(),
            acceptance: match state.disk {
                Disk::HasRoom => Acceptance::Open,
                Disk::Full => Acceptance::DiskFull,
            },
            clock,
        })
    }

    fn accept_ledger(&self) -> Result<LedgerIndex, RpcError> {
        if self.inner.closing == Closing::ByOthers {
            return Err(RpcError::NotStandAlone);
        }
        let reply = self.close_after_look_ups().map_err(stopped)?;
        let Reply::Closed { next } = reply else {
            return Err(unexpected(&reply));
        };
        Ok(next)
    }
}

impl Node {
    /// Ask the chain; a refusal becomes the error that says it.
    fn ask(&self, event: impl FnOnce(chain::RequestId) -> Event) -> Result<Reply, RpcError> {
        self.inner.host.ask(event).map_err(stopped)
    }

    /// What is wrong with the clock.
    fn clock_fault(&self) -> Option<ClockFault> {
        let last_close = self.inner.host.shown().ledger.close_time();
        self.inner.clock.check(last_close).1
    }

    /// What the store says of a mail's EmailID.
    fn settled(&self, explanation: &Explanation) -> Result<Option<store::Settled>, RpcError> {
        match &explanation.email_id {
            Some(email_id) => self.reading().settled(&email_id.hash()),
            None => Ok(None),
        }
    }

    /// The answer to a mail: what the chain made of it, and what the store has of its EmailID.
    fn email_answer(&self, reply: MailReply, mode: SubmitMode) -> Result<EmailAnswer, RpcError> {
        let wrapped = reply.wrapped.as_ref().map(tx_blob);
        let explanation = reply.mail.into_explanation();
        let is_enabled = reply.not_kept != Some(chain::NotKept::NotEnabled);
        let status = match reply.entered {
            Entered::Yes => Some(MailStatus {
                state: MailState::Submitted,
                hash: wrapped.as_ref().map(|wrapped| wrapped.hash),
                ..REFUSED
            }),
            // A ledger may have closed meanwhile: the store is asked again.
            Entered::No if is_enabled => mail_status(reply.standing, self.settled(&explanation)?),
            Entered::No => None,
        };
        // What became of an earlier copy is no verdict on one that may still be executed.
        let is_open = |status: &MailStatus| status.state == MailState::Failed && reply.not_kept.is_some();
        let status = status.filter(|status| !is_open(status));
        // A mail that the node does not know is refused, unless it was only asked about, or may be executed
        // when it is sent again (a ter is never final, spec 7.3).
        let is_refused = mode == SubmitMode::Submit && reply.engine.class() != TerClass::Ter && is_enabled;
        let status = status.or(is_refused.then_some(MailStatus {
            engine: Some(reply.engine),
            ..REFUSED
        }));
        let is_validated = status.is_some_and(|status| status.state == MailState::Validated);
        let explanation = match reply.by_account.filter(|_| !is_validated) {
            Some(error) => explanation.refused_by(error),
            None => explanation,
        };
        let executed = match status {
            Some(MailStatus {
                state: MailState::Validated,
                hash: Some(hash),
                ..
            }) => self.reading().record(&hash)?,
            Some(_) | None => None,
        };
        let (wrapped, executed) = match executed {
            Some(record) => (Some(record.wrapped), record.validated),
            None => (wrapped, None),
        };
        Ok(EmailAnswer {
            explanation,
            engine: reply.engine,
            wrapped,
            executed,
            // A mail of the same EmailID may be on its way all the same.
            not_kept: reply.not_kept.filter(|_| status.is_none()).map(not_kept),
            status,
            clock: self.clock_fault(),
        })
    }
}

fn waiting(counts: chain::MailCounts) -> WaitingMails {
    let chain::MailCounts {
        for_key,
        for_time,
        for_close,
        for_funds,
    } = counts;
    WaitingMails {
        for_key,
        for_time,
        for_close,
        for_funds,
    }
}

/// As whom a caller is counted: the operator is not.
fn counted(peer: &Peer) -> peers::Peer {
    match peer.role {
        Role::Admin => peers::Peer::Operator,
        Role::Guest => peers::Peer::Guest(ops::peer_of(peer.address)),
    }
}

/// A line of the log for a mail that the node does nothing about.
fn say_refused_mail(answer: &EmailAnswer, address: std::net::IpAddr) {
    let is_refused = answer
        .status
        .is_some_and(|status| status.state == MailState::Failed);
    if !is_refused && answer.not_kept.is_none() {
        return;
    }
    let code = answer.engine.token();
    let email_id = answer.explanation.email_id.map(|id| id.to_string());
    let rule = answer.explanation.rule.map(amendment::Rule::as_str);
    let not_kept = answer.not_kept.map(NotKept::message);
    tracing::info!(%address, email_id, code, rule, not_kept, "a mail is refused");
    metrics::counter!(meter::REFUSED, "what" => "mail", "code" => code).increment(1);
}

fn not_kept(reason: chain::NotKept) -> NotKept {
    match reason {
        chain::NotKept::AccountFull => NotKept::AccountFull,
        chain::NotKept::BytesFull => NotKept::BytesFull,
        chain::NotKept::PeerFull => NotKept::PeerFull,
        chain::NotKept::NoRecord => NotKept::NoRecord,
        chain::NotKept::NoAccount => NotKept::NoAccount,
        chain::NotKept::CannotPay => NotKept::CannotPay,
        chain::NotKept::TooEarly => NotKept::TooEarly,
        chain::NotKept::NotNow => NotKept::NotNow,
        chain::NotKept::NotEnabled => NotKept::NotEnabled,
    }
}

fn refused(refusal: Refusal) -> RpcError {
    match refusal {
        Refusal::SlowDown => RpcError::SlowDown,
        Refusal::TooBusy => RpcError::TooBusy,
        Refusal::DiskFull => RpcError::DiskFull,
        Refusal::NoValidator => RpcError::NoValidator,
        Refusal::TooManyFreezes => RpcError::TooManyFreezes,
        Refusal::Broken | Refusal::OutOfOrder => RpcError::Internal,
        Refusal::Local(refusal) => local_refusal(&refusal),
    }
}

/// An answer that refuses, or that belongs to another question.
fn unexpected(reply: &Reply) -> RpcError {
    match reply {
        Reply::Refused(refusal) => refused(*refusal),
        Reply::Mail(_) | Reply::Transaction(_) | Reply::Done | Reply::Closed { .. } => RpcError::Internal,
    }
}

fn stopped(stopped: ChainStopped) -> RpcError {
    tracing::error!(%stopped, "a request could not be answered");
    RpcError::Internal
}

fn local_refusal(refusal: &LocalRefusal) -> RpcError {
    RpcError::InvalidTransaction {
        reason: format!("fails local checks: {refusal}"),
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use chain::limits::FAILURES_PER_PEER_MAX;
    use chain::peers::Work;
    use codec::CloseTime;
    use rpc::api::Role;

    #[test]
    fn rejects_a_second_address_of_the_same_ipv6_network() {
        let peer = |text: &str| counted(&Peer::new(text.parse().expect("an address"), Role::Guest));
        let mut counts = peers::PeerCounts::default();
        let now = CloseTime::new(0);
        for host in 0..FAILURES_PER_PEER_MAX {
            counts.record(&peer(&format!("2001:db8:0:1::{host:x}")), Work::Failure, now);
        }
        assert!(!counts.allows(&peer("2001:db8:0:1:ffff::1"), Work::Failure, now));
        assert!(counts.allows(&peer("2001:db8:0:2::1"), Work::Failure, now));
        let operator = Peer::new("127.0.0.1".parse().expect("an address"), Role::Admin);
        assert_eq!(counted(&operator), peers::Peer::Operator);
    }
}
