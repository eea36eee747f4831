//! Mails: written, handed in, and followed until it is clear what becomes of them.

use super::keys::OnLedger;
use super::{Answer, Refused, Sent, Session};
use crate::commands::submit::{MailAnswer, receipt_json};
use crate::localnet::ask;
use crate::localnet::mailboxes::{Mailboxes, Signer, Written};
use crate::localnet::verb::Payment;
use crate::stage::{RELAY, account_of};
use codec::{AccountId, Hash256};
use rpc::api::{MailState, SubmitEmail, SubmitMode};
use rpc::methods::SubmitEmailReply;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};
use testkit::smtp;

/// How long a mail is followed: so many ledgers, which is twice what a new key and its mail need, or so long.
const FOLLOW_LEDGERS: u32 = 8;
const FOLLOW_MAX: Duration = Duration::from_secs(120);
/// How often a node is asked for it.
const FOLLOW_EVERY: Duration = Duration::from_millis(400);

impl Session {
    pub(super) async fn send(&mut self, payment: &Payment) -> Result<Answer, Refused> {
        let (from, written) = self.write(payment, Signer::Provider)?;
        let (code, lines) = smtp::send(self.net.smtp(), &from, RELAY, &written.text).await?;
        self.teller
            .say(format!("the relay: {code} {}", lines.join(" / ")));
        let answer = json!({ "mail": self.sent.len(), "relay": { "code": code, "lines": lines } });
        if code >= 400 {
            let answer = Answer::of(answer).but_not_done();
            return Ok(answer
                .next("keys shows what DNS says of the key; what is wrong with the line, the relay says"));
        }
        self.follow(answer, &written.key_name).await
    }

    pub(super) async fn forge(&mut self, payment: &Payment) -> Result<Answer, Refused> {
        let (_, written) = self.write(payment, Signer::Forger)?;
        self.teller.say(
            "signed by the key that false DNS answers give; the relay would refuse it, so a node gets it",
        );
        let first = self.hand_in(written.text.as_bytes()).await?;
        if is_over(&first.reply) {
            return Ok(self.refused(&first));
        }
        self.follow(json!({}), &written.key_name).await
    }

    pub(super) async fn submit(&mut self, file: &Path) -> Result<Answer, Refused> {
        let raw = crate::commands::read_mail(file)?;
        let text = String::from_utf8_lossy(&raw).into_owned();
        self.remember(format!("{}", file.display()), text);
        let first = self.hand_in(&raw).await?;
        if is_over(&first.reply) {
            return Ok(self.refused(&first));
        }
        self.follow(json!({}), &(String::new(), String::new())).await
    }

    /// Writes a mail, shows it and remembers it; answers its sender too.
    fn write(&mut self, payment: &Payment, signer: Signer) -> Result<(String, Written), Refused> {
        let unknown = |who: &str| Refused::Who {
            who: who.to_owned(),
            known: Mailboxes::people().join(", "),
        };
        let from = Mailboxes::address(&payment.from).ok_or_else(|| unknown(&payment.from))?;
        let is_account = AccountId::parse_classic(&payment.to).is_ok();
        let (to, recipient) = match Mailboxes::address(&payment.to) {
            Some(to) => (to.clone(), format!("<{to}>")),
            None if is_account => (RELAY.to_owned(), payment.to.clone()),
            None => return Err(unknown(&payment.to)),
        };
        let line = format!("REMIT {} {} TO {recipient}", payment.amount, payment.currency);
        let written = self
            .mailboxes
            .write(&from, &to, &line, signer, self.net.now_unix());
        let written = written.ok_or_else(|| Refused::Sender {
            from: from.clone(),
            known: self.domain_names().join(", "),
        })?;
        let (selector, domain) = &written.key_name;
        self.teller
            .say(format!("{from}: {line}   [{selector}._domainkey.{domain}]"));
        self.remember(format!("{from}: {line}"), written.text.clone());
        Ok((from, written))
    }

    fn remember(&mut self, what: String, text: String) {
        self.sent.push(Sent {
            what,
            text,
            email_id: None,
        });
    }

    async fn hand_in(&self, mail: &[u8]) -> Result<MailAnswer, Refused> {
        self.asked(mail, SubmitMode::Submit).await
    }

    async fn asked(&self, mail: &[u8], mode: SubmitMode) -> Result<MailAnswer, Refused> {
        let speaker = self.speaker()?;
        let wrong = |reason| Refused::Asked {
            name: self.name(speaker).to_owned(),
            reason,
        };
        let mut client = ask::connect(&self.net.url(speaker)).await.map_err(wrong)?;
        let mail = mail.to_vec();
        let answer = MailAnswer::ask(&mut client, &SubmitEmail { mail, mode }).await;
        answer.map_err(|error| wrong(error.to_string()))
    }

    /// Follows the last mail until it is final, or until it is clear that it waits.
    async fn follow(&mut self, mut data: Value, key_name: &(String, String)) -> Result<Answer, Refused> {
        let number = self.sent.len();
        data["mail"] = json!(number);
        let text = self.sent.last().map(|sent| sent.text.clone()).unwrap_or_default();
        let begun = Begun {
            at: Instant::now(),
            ledger: self.last_index().await,
        };
        let mut told = None;
        loop {
            // A node that is busy, or dies meanwhile, is asked again.
            let answer = self.asked(text.as_bytes(), SubmitMode::DryRun).await;
            let state = answer.as_ref().ok().and_then(|answer| answer.reply.state);
            if let Ok(answer) = answer {
                if let (Some(sent), Some(id)) = (self.sent.last_mut(), answer.reply.explanation.email_id) {
                    sent.email_id = Some(id);
                }
                if matches!(state, Some(MailState::Validated | MailState::Failed)) {
                    return self.end(data, answer).await;
                }
                if state.is_none() && is_final(&answer.reply) {
                    return Ok(self.refused_with(&data, &answer));
                }
                if state.is_some() && told != state {
                    told = state;
                    self.teller.say(word(&answer.reply));
                }
            }
            if let Some(why) = self.why_it_waits(key_name, &begun).await {
                self.teller.say(why.clone());
                data["state"] = json!(state.map_or("not taken", MailState::as_str));
                data["waits"] = json!(why);
                return Ok(Answer::of(data)
                    .but_not_done()
                    .next("mails shows what becomes of it"));
            }
            tokio::time::sleep(FOLLOW_EVERY).await;
        }
    }

    /// The last ledger of a node that runs.
    async fn last_index(&self) -> Option<u32> {
        let (speaker, _) = self.net.speaker()?;
        let last = ask::last(&self.net.url(speaker)).await.ok()?;
        Some(last.index.get())
    }

    async fn why_it_waits(&self, (selector, domain): &(String, String), begun: &Begun) -> Option<String> {
        if let Some(halted) = self.halted() {
            return Some(halted);
        }
        let ledgers = self.last_index().await.zip(begun.ledger);
        let ledgers = ledgers.map_or(0, |(now, then)| now.saturating_sub(then));
        if ledgers > FOLLOW_LEDGERS || begun.at.elapsed() > FOLLOW_MAX {
            let secs = begun.at.elapsed().as_secs();
            return Some(format!(
                "in none of the {ledgers} ledgers that closed since, in {secs} s"
            ));
        }
        // The first quorum takes a ledger or two.
        let url = self.net.url(self.net.speaker()?.0);
        let key = self.on_ledger(&url, selector, domain).await.ok()?;
        let OnLedger::Waiting(from) = key else { return None };
        let secs = from.checked_sub(self.net.now_unix()).filter(|secs| *secs > 0)?;
        Some(format!(
            "its key waits for a second quorum, for {} h {} min more: advance {}m",
            secs / 3_600,
            secs % 3_600 / 60,
            secs / 60 + 1
        ))
    }

    /// What a mail came to.
    async fn end(&mut self, mut data: Value, answer: MailAnswer) -> Result<Answer, Refused> {
        if answer.reply.state == Some(MailState::Failed) {
            return Ok(self.refused_with(&data, &answer));
        }
        let speaker = self.speaker()?;
        let wrong = |reason: String| Refused::Asked {
            name: self.name(speaker).to_owned(),
            reason,
        };
        let mut client = ask::connect(&self.net.url(speaker)).await.map_err(wrong)?;
        let finding = answer.with_final_result(&mut client).await;
        let (answer, receipt) = finding.map_err(|error| wrong(error.to_string()))?;
        let (result, ledger) = (answer.reply.engine.as_str().to_owned(), answer.reply.ledger_index);
        data["state"] = json!("validated");
        data["result"] = json!(result);
        data["hash"] = json!(answer.reply.hash.map(|hash: Hash256| hash.to_string()));
        data["ledger_index"] = json!(ledger.map(codec::LedgerIndex::get));
        data["receipt"] = json!(receipt.as_ref().map(receipt_json));
        let ledger = ledger.map_or(0, codec::LedgerIndex::get);
        let is_paid = answer.reply.engine.is(codec::Ter::TES_SUCCESS);
        match receipt.filter(|_| is_paid) {
            Some(receipt) => self.teller.say(format!(
                "paid in ledger {ledger}: {} arrived, {} left the sender's account",
                receipt.arrived(),
                receipt.xah_left()
            )),
            None => self.teller.say(format!("in ledger {ledger}: {result}")),
        }
        let answer = Answer::of(data).next("balance, inbox");
        Ok(if is_paid { answer } else { answer.but_not_done() })
    }

    fn refused_with(&mut self, data: &Value, answer: &MailAnswer) -> Answer {
        let refused = self.refused(answer);
        let mut all = data.as_object().cloned().unwrap_or_default();
        all.extend(refused.data.clone());
        Answer { data: all, ..refused }
    }

    fn refused(&mut self, answer: &MailAnswer) -> Answer {
        self.teller.say(word(&answer.reply));
        let reply = &answer.reply;
        let answer = Answer::of(json!({
            "mail": self.sent.len(),
            "state": reply.state.map_or("refused", MailState::as_str), "result": reply.engine.as_str(),
            "reason": reply.message, "rule": reply.explanation.rule,
        }));
        answer.but_not_done()
    }

    pub(super) async fn mails(&mut self) -> Result<Answer, Refused> {
        let (mut lines, mut mails) = (Vec::new(), Vec::new());
        for (at, sent) in self.sent.iter().enumerate() {
            let reply = self.asked(sent.text.as_bytes(), SubmitMode::DryRun).await?.reply;
            let state = reply.state.map_or("not with this node", MailState::as_str);
            let word = word(&reply);
            lines.push(format!("{}. {}: {word}", at + 1, sent.what));
            mails.push(json!({
                "mail": at + 1, "what": sent.what, "state": state, "result": reply.engine.as_str(),
                "reason": reply.message, "email_id": sent.email_id.map(|id| id.to_string()),
            }));
        }
        if lines.is_empty() {
            self.teller.say("no mail was sent yet: send alice bob 10 XAH");
        }
        lines.into_iter().for_each(|line| self.teller.say(line));
        Ok(Answer::of(json!({ "mails": mails })))
    }

    pub(super) fn inbox(&mut self, who: Option<&str>) -> Result<Answer, Refused> {
        let wanted = match who {
            Some(who) => Some(Mailboxes::address(who).ok_or_else(|| Refused::Who {
                who: who.to_owned(),
                known: Mailboxes::people().join(", "),
            })?),
            None => None,
        };
        let is_wanted = |mail: &String| {
            let head = mail.split("\n\n").next().unwrap_or_default();
            let mut fields = head.lines().filter(|line| line.starts_with("To:"));
            wanted
                .as_ref()
                .is_none_or(|who| fields.any(|field| field.contains(who.as_str())))
        };
        let mails: Vec<String> = self.net.inbox().mails().into_iter().filter(is_wanted).collect();
        for mail in &mails {
            let (head, body) = mail.split_once("\n\n").unwrap_or((mail, ""));
            for line in head
                .lines()
                .filter(|line| line.starts_with("To:") || line.starts_with("Subject:"))
            {
                self.teller.say(line);
            }
            for line in body.lines() {
                self.teller.say(format!("   | {line}"));
            }
        }
        if mails.is_empty() {
            self.teller.say("nothing yet");
        }
        Ok(Answer::of(json!({ "mails": mails })))
    }

    pub(super) async fn balance(&mut self, who: &[String]) -> Result<Answer, Refused> {
        let who = if who.is_empty() {
            Mailboxes::people()
        } else {
            who.to_vec()
        };
        let speaker = self.speaker()?;
        let (url, node) = (self.net.url(speaker), self.name(speaker).to_owned());
        let mut balances = Vec::new();
        for who in who {
            let (name, account) = match (Mailboxes::address(&who), AccountId::parse_classic(&who)) {
                (Some(address), _) => (address.clone(), account_of(&address)),
                (None, Ok(account)) => (who.clone(), account),
                (None, Err(_)) => {
                    return Err(Refused::Who {
                        who,
                        known: Mailboxes::people().join(", "),
                    });
                }
            };
            let asked = ask::balance(&url, account).await;
            let balance = asked.map_err(|reason| Refused::Asked {
                name: node.clone(),
                reason,
            })?;
            let shown = balance.map_or("no account yet".to_owned(), |drops| {
                format!("{} XAH", drops.to_xah())
            });
            self.teller.say(format!("{name:<22} {shown}"));
            balances.push(json!({
                "who": name, "account": account.to_string(), "drops": balance.map(|drops| drops.get().to_string()),
                "xah": balance.map(|drops| drops.to_xah()),
            }));
        }
        Ok(Answer::of(json!({ "balances": balances, "node": node })))
    }
}

/// When a mail was handed in.
struct Begun {
    at: Instant,
    ledger: Option<u32>,
}

/// Whether a node is done with a mail that was handed in.
fn is_over(reply: &SubmitEmailReply) -> bool {
    match reply.state {
        Some(MailState::Kept | MailState::Submitted | MailState::Validated) => false,
        Some(MailState::Failed) | None => true,
    }
}

/// Whether no later ledger would take the mail either.
fn is_final(reply: &SubmitEmailReply) -> bool {
    let code = reply.engine.as_str();
    code.starts_with("tef") || code.starts_with("tem")
}

/// What a node says of a mail.
fn word(reply: &SubmitEmailReply) -> String {
    let state = reply.state.map_or("not taken", MailState::as_str);
    let message = reply.message.as_deref().unwrap_or_default();
    match reply.state {
        Some(MailState::Submitted | MailState::Validated) => state.to_owned(),
        Some(MailState::Kept | MailState::Failed) | None => {
            format!("{state}: {} ({message})", reply.engine.as_str())
        }
    }
}
