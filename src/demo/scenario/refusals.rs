//! What must not work, each with its code and reason.

use super::{ALICE, BOB, Paid, Scenario, worded, xah};
use crate::commands::show;
use crate::demo::story::Ending;
use codec::{Amount, Object, Ter, decode, encode, sf};
use explain::CheckVerdict;
use rpc::api::{MailState, SubmitMode};
use rpc::methods::{SubmitEmailReply, SubmitReply};
use rpc::reply::ResultCode;
use serde_json::json;
use testkit::mail;
use testkit::provider::Signing;

/// Result and sentence of a reply.
type Verdict<'r> = (&'r ResultCode, Option<&'r str>);

fn of_mail(reply: &SubmitEmailReply) -> Verdict<'_> {
    (&reply.engine, reply.message.as_deref())
}

fn of_transaction(reply: &SubmitReply) -> Verdict<'_> {
    (&reply.engine, reply.message.as_deref())
}

impl Scenario<'_> {
    /// All of them; none may cost Alice anything.
    pub(crate) async fn refusals(&mut self) -> Result<(), Ending> {
        let first = self
            .first
            .take()
            .ok_or_else(|| self.story.differs("no mail went through"))?;
        let before = self.balance(self.alice).await?;
        self.same_mail_again(&first).await?;
        self.other_copy(&first).await?;
        self.changed_amount().await?;
        self.unqualified_mails().await?;
        self.story
            .step("nothing taken", "None of this cost Alice anything");
        let after = self.balance(self.alice).await?;
        self.story.expect("what Alice has", after.get(), before.get())?;
        self.story
            .say(&format!("   Alice still has {} XAH", before.to_xah()));
        Ok(())
    }

    async fn same_mail_again(&mut self, first: &Paid) -> Result<(), Ending> {
        self.story.step("the same mail again", "The same mail again");
        self.deliver(&first.text, 250).await?;
        let reply = self.submit_email(&first.text, SubmitMode::Submit).await?.reply;
        self.story
            .expect("state", reply.state, Some(MailState::Validated))?;
        self.story.expect("transaction", reply.hash, Some(first.hash))?;
        self.story
            .say("   The node answers with the first result: same transaction, nothing new.");
        let tx = self.first_transaction(first)?;
        let reply = self.submit_rewrapped(tx).await?;
        self.refused(
            "wrapped again by a malicious relay, bypassing the node's memory",
            of_transaction(&reply),
            Ter::TEF_EMAIL_REPLAY,
        )
    }

    fn first_transaction(&self, first: &Paid) -> Result<Object, Ending> {
        decode(&first.blob).map_err(|error| self.story.differs(error.to_string()).into())
    }

    async fn other_copy(&mut self, first: &Paid) -> Result<(), Ending> {
        self.story.step(
            "the other copy",
            "The copy of another recipient: the same words under another valid signature",
        );
        let copy = self.sign(&first.unsigned, Signing::OtherCopy)?;
        self.folder.write("05-other-copy.eml", &copy)?;
        let reply = self.submit_email(&copy, SubmitMode::Submit).await?.reply;
        self.story.expect("transaction", reply.hash, Some(first.hash))?;
        self.story
            .say("   Its EmailID is that of the first copy: it counts as the same mail.");
        let wrapped = self.wrapped(&copy).await?;
        let memos = wrapped
            .value(sf::MEMOS)
            .ok_or_else(|| self.story.differs("dry run: no memo"))?;
        let mut tx = self.first_transaction(first)?;
        tx.set(sf::MEMOS, memos.clone());
        let reply = self.submit_rewrapped(tx).await?;
        self.refused(
            "wrapped by hand with the other signature",
            of_transaction(&reply),
            Ter::TEF_EMAIL_REPLAY,
        )
    }

    async fn changed_amount(&mut self) -> Result<(), Ending> {
        self.story
            .step("a changed amount", "A changed amount: 1 becomes 100 on the way");
        let unsigned = mail::plain(self.headers(ALICE, BOB, "tip"), &["REMIT 1 XAH", "", "Alice"]);
        let text = self.sign(&unsigned, Signing::Gmail)?;
        let changed = text.replace("REMIT 1 XAH", "REMIT 100 XAH");
        self.folder.write("06-changed-amount.eml", &changed)?;
        self.deliver(&changed, 550).await?;
        let reply = self.submit_email(&changed, SubmitMode::Submit).await?.reply;
        self.refused("in the mail", of_mail(&reply), Ter::TEF_BAD_SIGNATURE)?;
        self.story
            .expect("rule", reply.explanation.rule.as_deref(), Some("3.3"))?;
        let mut tx = self.wrapped(&text).await?;
        let amount = Amount::from_drops(xah(100));
        tx.set(
            sf::AMOUNTS,
            vec![(sf::AMOUNT_ENTRY, Object::new().with(sf::AMOUNT, amount))],
        );
        let reply = self.submit_blob(encode(&tx)).await?;
        self.refused(
            "in the transaction around an honest mail",
            of_transaction(&reply),
            Ter::TEM_MALFORMED,
        )
    }

    async fn unqualified_mails(&mut self) -> Result<(), Ending> {
        self.story
            .step("below quoted text", "An instruction below quoted text");
        let lines = [
            "Thanks!",
            "",
            "On Friday Bob wrote:",
            "> see below",
            "",
            "REMIT 100 XAH",
            "",
        ];
        let unsigned = mail::gmail_like(self.headers(ALICE, BOB, "Re: lunch"), &lines);
        let text = self.sign(&unsigned, Signing::Gmail)?;
        self.deliver(&text, 550).await?;
        self.refused_mail("07-quoted.eml", &text, Ter::TEM_MALFORMED, Some("5.2"))
            .await?;

        self.story.step("no signature", "A mail without a signature");
        let text = mail::plain(self.headers(ALICE, BOB, "tip"), &["REMIT 100 XAH", "", "Alice"]);
        self.deliver(&text, 550).await?;
        self.refused_mail("08-unsigned.eml", &text, Ter::TEM_MALFORMED, Some("4.7"))
            .await?;

        self.story.step("no account", "A sender with no account");
        let from = "Mallory <mallory@mail.example>";
        let unsigned = mail::plain(self.headers(from, BOB, "tip"), &["REMIT 100 XAH", "", "Mallory"]);
        let text = self.sign(&unsigned, Signing::Gmail)?;
        self.refused_mail("09-no-account.eml", &text, Ter::TER_NO_ACCOUNT, None)
            .await
    }

    fn refused(&mut self, how: &str, verdict: Verdict<'_>, code: Ter) -> Result<(), Ending> {
        let (came, message) = (verdict.0.as_str(), verdict.1.unwrap_or_default());
        self.story
            .expect(&format!("the result of it {how}"), came, code.token())?;
        self.story
            .say(&format!("   {how}: {}", worded(came, Some(message))));
        self.story
            .event("refused", json!({"how": how, "code": came, "reason": message}));
        Ok(())
    }

    async fn refused_mail(
        &mut self,
        file: &str,
        text: &str,
        code: Ter,
        rule: Option<&str>,
    ) -> Result<(), Ending> {
        self.folder.write(file, text)?;
        let reply = self.submit_email(text, SubmitMode::Submit).await?.reply;
        self.refused("as a mail", of_mail(&reply), code)?;
        if rule.is_some() {
            self.story
                .expect("rule", reply.explanation.rule.as_deref(), rule)?;
        }
        let mut checks = reply.explanation.checks.iter();
        if let Some(check) = checks.find(|check| check.verdict == Some(CheckVerdict::Fail)) {
            let rule = check.rule.as_deref().unwrap_or_default();
            self.story.say(&format!(
                "   what to do about the {} (rule {rule}): {}",
                show::rule_words(rule),
                check.fix.as_deref().unwrap_or_default()
            ));
        }
        Ok(())
    }
}
