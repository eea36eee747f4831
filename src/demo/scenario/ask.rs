//! What the scenes ask of the node, the relay and the mailbox, and how they wait for what must come.

use super::Scenario;
use crate::commands::submit::MailAnswer;
use crate::demo::story::Ending;
use crate::stage::{DOMAIN, RELAY};
use codec::{AccountId, Drops, Hash256, Object, decode, encode, sf};
use rpc::ClientError;
use rpc::api::{LedgerChoice, MailState, OnRetry, SubmitEmail, SubmitMode, TxKey};
use rpc::methods::{
    AccountInfoReply, AccountInfoRequest, Form, Request, SubmitEmailReply, SubmitReply, SubmitRequest,
    TxReply, TxRequest,
};
use serde_json::json;
use std::time::{Duration, Instant};
use testkit::smtp;

/// Longest wait for one validation, seconds: what takes one on an idle machine takes twenty on a busy one.
const WAIT_SECS_MAX: u64 = 120;
/// How often a waiting scene asks, milliseconds.
const POLL_MILLIS: u64 = 20;

impl Scenario<'_> {
    async fn call<R: Request>(&mut self, request: &R) -> Result<R::Reply, Ending> {
        let reply = self.client.call(request).await;
        reply.map_err(|error| self.failed(R::METHOD, &error))
    }

    fn failed(&self, method: &str, error: &ClientError) -> Ending {
        self.story.differs(format!("{method}: {error}")).into()
    }

    pub(crate) async fn submit_email(&mut self, text: &str, mode: SubmitMode) -> Result<MailAnswer, Ending> {
        let mail = text.as_bytes().to_vec();
        let answer = MailAnswer::ask(&mut self.client, &SubmitEmail { mail, mode }).await;
        answer.map_err(|error| self.failed(SubmitEmail::METHOD, &error))
    }

    pub(crate) async fn submit_blob(&mut self, blob: Vec<u8>) -> Result<SubmitReply, Ending> {
        let on_retry = OnRetry::Hold;
        self.call(&SubmitRequest { blob, on_retry }).await
    }

    /// The same transaction with the next Sequence: what a relay could make of a mail that it has.
    pub(crate) async fn submit_rewrapped(&mut self, mut tx: Object) -> Result<SubmitReply, Ending> {
        tx.set(sf::SEQUENCE, self.next_sequence().await?);
        let last = tx.u32(sf::LAST_LEDGER_SEQUENCE).unwrap_or_default();
        tx.set(sf::LAST_LEDGER_SEQUENCE, last + 100);
        self.submit_blob(encode(&tx)).await
    }

    /// The transaction that a node would make of a mail, by a dry run.
    pub(crate) async fn wrapped(&mut self, text: &str) -> Result<Object, Ending> {
        let answer = self.submit_email(text, SubmitMode::DryRun).await?;
        let blob = answer.reply.tx_blob.unwrap_or_default();
        decode(&blob).map_err(|error| self.story.differs(format!("dry run: {error}")).into())
    }

    pub(crate) async fn transaction(&mut self, hash: Hash256, form: Form) -> Result<TxReply, Ending> {
        let key = TxKey::Hash(hash);
        self.call(&TxRequest { key, form }).await
    }

    pub(crate) async fn account(&mut self, ledger: LedgerChoice) -> Result<AccountInfoReply, Ending> {
        let account = self.alice;
        self.call(&AccountInfoRequest { account, ledger }).await
    }

    /// Alice's next Sequence.
    pub(crate) async fn next_sequence(&mut self) -> Result<u32, Ending> {
        Ok(self
            .account(LedgerChoice::Current)
            .await?
            .sequence
            .unwrap_or_default())
    }

    /// What an account has in the validated ledger; nothing where there is none.
    pub(crate) async fn balance(&mut self, account: AccountId) -> Result<Drops, Ending> {
        let ledger = LedgerChoice::Validated;
        match self.client.call(&AccountInfoRequest { account, ledger }).await {
            Ok(reply) => Ok(reply.balance),
            Err(ClientError::Refused { token, .. }) if token == "actNotFound" => Ok(Drops::new(0)),
            Err(error) => Err(self.failed(AccountInfoRequest::METHOD, &error)),
        }
    }

    /// Hands a mail to the relay as Alice's provider does, and tells what the relay says to it.
    pub(crate) async fn deliver(&mut self, text: &str, wanted: u16) -> Result<(), Ending> {
        let sender = format!("alice@{DOMAIN}");
        let (code, lines) = smtp::send(self.smtp, &sender, RELAY, text).await?;
        // Each line of a reply repeats its enhanced code (RFC 2034); people need it once.
        let again = lines
            .first()
            .and_then(|line| line.split_once(' '))
            .map_or("", |(code, _)| code);
        let rest = lines.iter().skip(1);
        let rest = rest.map(|line| line.strip_prefix(again).unwrap_or(line).trim_start());
        let words: Vec<&str> = lines
            .first()
            .map(String::as_str)
            .into_iter()
            .chain(rest)
            .collect();
        self.story.say(&format!(
            "   the relay: {code} {}",
            words.join("\n              ")
        ));
        self.story
            .event("relayed", json!({ "code": code, "lines": lines }));
        Ok(self.story.expect("the relay's reply", code, wanted)?)
    }

    /// The relay's mail with these header lines.
    pub(crate) async fn notice(&mut self, headers: &[&str]) -> Result<String, Ending> {
        let deadline = Deadline::start();
        loop {
            if let Some(mail) = self.inbox.find(headers) {
                return Ok(mail);
            }
            if deadline.is_over() {
                return Err(self.story.differs(format!("no answer with {headers:?}")).into());
            }
            deadline.pause().await;
        }
    }

    pub(crate) async fn until_validated(&mut self, text: &str) -> Result<SubmitEmailReply, Ending> {
        let deadline = Deadline::start();
        loop {
            let reply = self.submit_email(text, SubmitMode::DryRun).await?.reply;
            let state = reply.state;
            match state {
                Some(MailState::Validated) => return Ok(reply),
                // Without a state the relay has not handed it in yet.
                None | Some(MailState::Kept | MailState::Submitted) if !deadline.is_over() => {}
                None | Some(MailState::Kept | MailState::Submitted | MailState::Failed) => {
                    let state = state.map(MailState::as_str);
                    let result = reply.engine.as_str();
                    return Err(self
                        .story
                        .differs(format!("the mail is not validated: {state:?}, {result}"))
                        .into());
                }
            }
            deadline.pause().await;
        }
    }

    pub(crate) async fn until_tx_validated(&mut self, hash: Hash256) -> Result<TxReply, Ending> {
        let deadline = Deadline::start();
        loop {
            let reply = self.transaction(hash, Form::Json).await?;
            if reply.validated {
                return Ok(reply);
            }
            if deadline.is_over() {
                return Err(self
                    .story
                    .differs(format!("{hash} is not validated within {WAIT_SECS_MAX} s"))
                    .into());
            }
            deadline.pause().await;
        }
    }
}

/// The end of a wait.
struct Deadline(Instant);

impl Deadline {
    fn start() -> Deadline {
        Deadline(Instant::now() + Duration::from_secs(WAIT_SECS_MAX))
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.0
    }

    async fn pause(&self) {
        tokio::time::sleep(Duration::from_millis(POLL_MILLIS)).await;
    }
}
