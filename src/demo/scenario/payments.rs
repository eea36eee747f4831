//! Mails of four shapes; each must pay.

use super::{ALICE, BOB, CAROL, DAVE, ERIN, Paid, Scenario, worded, xah};
use crate::commands::show;
use crate::commands::submit::MailAnswer;
use crate::demo::story::Ending;
use crate::stage::{DOMAIN, account_of};
use codec::{Drops, Ter};
use explain::CheckVerdict;
use rpc::api::{MailState, SubmitMode};
use rpc::methods::{Form, SubmitEmailReply};
use rpc::reply::{Receipt, Sum};
use serde_json::json;
use std::time::Instant;
use testkit::mail::{self, Headers};
use testkit::provider::Signing;

/// Reserve of a new account; the sender of a Remit pays it on top.
const RESERVE_XAH: u64 = 1;

/// One payment.
struct Payment {
    step: &'static str,
    heading: &'static str,
    file: &'static str,
    to: &'static str,
    receiver: &'static str,
    xah: u64,
    signing: Signing,
    body: fn(Headers<'_>, &[&str]) -> String,
    lines: &'static [&'static str],
}

const PAYMENTS: [Payment; 4] = [
    Payment {
        step: "gmail",
        heading: "Alice writes from a Gmail-like page: quoted-printable, plain and HTML; To: is signed",
        file: "01-gmail.eml",
        to: BOB,
        receiver: "bob@friends.example",
        xah: 10,
        signing: Signing::Gmail,
        body: mail::gmail_like,
        lines: &[
            "REMIT 10 XAH",
            "",
            "Hi Bob, for lunch. It is yours, no wallet needed = really.",
            "",
            "Alice",
        ],
    },
    Payment {
        step: "outlook",
        heading: "From an Outlook-like page: To: is not signed, so the line names the receiver",
        file: "02-outlook.eml",
        to: CAROL,
        receiver: "carol@friends.example",
        xah: 2,
        signing: Signing::Outlook,
        body: mail::outlook_like,
        lines: &[
            "REMIT 2 XAH TO <carol@friends.example<mailto:carol@friends.example>>",
            "",
            "Alice",
        ],
    },
    Payment {
        step: "plain",
        heading: "Plain text from a desktop program, with a quoted line below",
        file: "03-plain.eml",
        to: DAVE,
        receiver: "dave@friends.example",
        xah: 3,
        signing: Signing::Gmail,
        body: mail::plain,
        lines: &[
            "REMIT 3 XAH TO <dave@friends.example>",
            "",
            "> can you send me three?",
            "-- ",
            "Alice",
        ],
    },
    Payment {
        step: "ed25519",
        heading: "The same with an Ed25519 signature: a second selector, looked up and put on the ledger first",
        file: "04-ed25519.eml",
        to: ERIN,
        receiver: "erin@friends.example",
        xah: 4,
        signing: Signing::Ed25519,
        body: mail::plain,
        lines: &["REMIT 4 XAH", "", "Alice"],
    },
];

impl Scenario<'_> {
    /// All four.
    pub(crate) async fn payments(&mut self) -> Result<(), Ending> {
        for payment in &PAYMENTS {
            self.payment(payment).await?;
        }
        Ok(())
    }

    #[expect(clippy::too_many_lines, reason = "one payment, told in order")]
    async fn payment(&mut self, payment: &Payment) -> Result<(), Ending> {
        self.story.step(payment.step, payment.heading);
        let unsigned = (payment.body)(self.headers(ALICE, payment.to, "lunch"), payment.lines);
        let text = self.sign(&unsigned, payment.signing)?;
        self.folder.write(payment.file, &text)?;
        self.story.quote(&format!(
            "From: {ALICE}\nTo: {}\nCc: Relay <relay@relay.example>\n\n{}",
            payment.to,
            payment.lines.join("\n")
        ));
        let receiver = account_of(payment.receiver);
        let before = (self.balance(self.alice).await?, self.balance(receiver).await?);
        let started = Instant::now();
        self.deliver(&text, 250).await?;
        let first_word = self.show_first_word(&text).await?;
        let end = self.until_validated(&text).await?;
        let millis = started.elapsed().as_millis();
        let hash = end.hash.ok_or_else(|| self.story.differs("no transaction"))?;
        let record = self.transaction(hash, Form::Json).await?;
        let result = record.meta.as_ref().and_then(|meta| meta.result.clone());
        self.story
            .expect("result", result.as_deref(), Some(Ter::TES_SUCCESS.token()))?;
        let receipt = record
            .meta
            .and_then(|meta| Receipt::of(&record.transaction, &meta));
        let receipt = receipt.ok_or_else(|| self.story.differs("no figures"))?;
        let fee = receipt.fee;
        let after = (self.balance(self.alice).await?, self.balance(receiver).await?);
        let ledger_index = end.ledger_index.map(|index| index.get());
        self.story.say(&format!(
            "   Paid: {} to {}. Alice pays {} in all, with the reserve of the new account ({}) and the fee ({}).",
            receipt.arrived(),
            payment.receiver,
            receipt.xah_left(),
            Sum::of_drops(receipt.reserve),
            Sum::of_drops(fee)
        ));
        for (name, before, after) in [
            ("Alice", before.0, after.0),
            (
                payment.receiver.split('@').next().unwrap_or_default(),
                before.1,
                after.1,
            ),
        ] {
            self.story.say(&format!(
                "   {name:<8} {} -> {} XAH",
                before.to_xah(),
                after.to_xah()
            ));
        }
        self.story.say(&format!(
            "   validated {millis} ms after the mail, in ledger {}, transaction {hash}",
            json!(ledger_index)
        ));
        let drops = |pair: (Drops, Drops)| [pair.0.get().to_string(), pair.1.get().to_string()];
        self.story.event(
            "validated",
            json!({
                "hash": hash.to_string(), "ledger_index": ledger_index,
                "millis": u64::try_from(millis).unwrap_or(u64::MAX), "fee_drops": fee.get().to_string(),
                "alice_drops": drops((before.0, after.0)), "receiver_drops": drops((before.1, after.1)),
                "email_id": end.explanation.email_id.map(|id| id.to_string()),
            }),
        );
        let paid = xah(payment.xah + RESERVE_XAH).get();
        self.story
            .expect("what the receiver has", after.1.get(), before.1.get() + paid)?;
        self.story
            .expect("what Alice has", after.0.get(), before.0.get() - paid - fee.get())?;
        let told = (receipt.xah_left().drops(), receipt.xah_arrived().drops());
        let moved = (Drops::new(paid + fee.get()), Drops::new(paid));
        self.story
            .expect("what is told", told, (Some(moved.0), Some(moved.1)))?;
        if self.first.is_none() {
            self.show_notices().await?;
            let blob = match end.tx_blob.or(first_word.tx_blob) {
                Some(blob) => blob,
                None => self
                    .transaction(hash, Form::Binary)
                    .await?
                    .blob
                    .unwrap_or_default(),
            };
            self.first = Some(Paid {
                text,
                unsigned,
                blob,
                hash,
            });
        }
        Ok(())
    }

    /// What the node says to a mail that the relay has just taken.
    async fn show_first_word(&mut self, text: &str) -> Result<SubmitEmailReply, Ending> {
        let MailAnswer { json, reply } = self.submit_email(text, SubmitMode::DryRun).await?;
        let checks = &reply.explanation.checks;
        let has_passed = |verdict: Option<CheckVerdict>| verdict == Some(CheckVerdict::Pass);
        let passed = checks.iter().filter(|check| has_passed(check.verdict)).count();
        // Asked about a mail that it has taken, a node answers for a second copy: here the state tells more.
        let result = match reply.state {
            Some(state @ (MailState::Submitted | MailState::Validated)) => {
                format!("the node has it: {}", state.as_str())
            }
            None | Some(MailState::Kept | MailState::Failed) => {
                worded(reply.engine.as_str(), reply.message.as_deref())
            }
        };
        self.story
            .say(&format!("   {passed} of {} checks pass; {result}", checks.len()));
        if self.first.is_none() {
            self.story.say(show::checks(checks).trim_end());
        }
        if reply.state == Some(MailState::Kept) {
            self.story.say("   The node looks the key up, attests it, puts it on the ledger, and the mail follows one ledger later.");
        }
        self.story.event("submitted", json!({
            "engine_result": json["engine_result"], "state": json["state"], "email_id": json["email_id"],
            "checks": json["checks"], "instruction": json["instruction"], "from": json["from"], "to": json["to"],
        }));
        Ok(reply)
    }

    /// What the relay writes to the sender and to the receiver.
    async fn show_notices(&mut self) -> Result<(), Ending> {
        for (who, headers) in [
            (
                "Alice",
                [format!("To: <alice@{DOMAIN}>"), "Subject: Re: lunch".to_owned()],
            ),
            (
                "Bob",
                [
                    "To: <bob@friends.example>".to_owned(),
                    "Auto-Submitted: auto-generated".to_owned(),
                ],
            ),
        ] {
            let notice = self.notice(&headers.each_ref().map(String::as_str)).await?;
            let body = notice.split_once("\n\n").map_or("", |(_, body)| body);
            self.story.say(&format!("   The relay writes to {who}:"));
            self.story.quote(body);
            self.story.event("answered", json!({ "to": who, "text": body }));
        }
        Ok(())
    }
}
