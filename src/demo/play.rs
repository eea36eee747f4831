//! The scenes of the demo: what each sends, what must come of it.

use super::story::Story;
use super::{DOMAIN, Ending, Folder, NETWORK, RELAY};
use crate::clock;
use crate::commands::{Failure, show};
use codec::keys::KeyPair;
use codec::{AccountId, Amount, Drops, Object, decode, encode, flags, sf, tx};
use rpc::Client;
use serde_json::{Map, Value, json};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use testkit::mail::{self, Headers};
use testkit::provider::{Provider, Signing};
use testkit::smtp::{self, Inbox};

/// Longest wait for one validation, seconds.
const WAIT_SECS_MAX: u64 = 20;
/// How often a waiting scene asks, milliseconds.
const POLL_MILLIS: u64 = 20;
/// Fee of the payment by key, drops: the base fee of the network.
const FEE_DROPS: u64 = 10;
/// Reserve of a new account, drops; the sender of a Remit pays it on top.
const RESERVE_DROPS: u64 = 1_000_000;

const ALICE: &str = "Alice <alice@mail.example>";
const BOB: &str = "Bob <bob@friends.example>";
const CAROL: &str = "Carol <carol@friends.example>";
const DAVE: &str = "Dave <dave@friends.example>";
const ERIN: &str = "Erin <erin@friends.example>";

/// Where things are.
pub struct Places<'a> {
    /// WebSocket of the node.
    pub node: String,
    /// SMTP of the relay.
    pub smtp: SocketAddr,
    /// Where the relay's answers go.
    pub inbox: &'a Inbox,
}

/// Everything that a scene needs.
pub struct Play<'a> {
    story: &'a mut Story,
    folder: &'a Folder,
    provider: &'a Provider,
    client: Client,
    smtp: SocketAddr,
    inbox: &'a Inbox,
    alice: AccountId,
    bob: AccountId,
    mails: u64,
    first: Option<Sent>,
}

/// A mail that went through.
struct Sent {
    text: String,
    unsigned: String,
    blob: Vec<u8>,
    hash: String,
}

/// A payment scene.
struct Payment<'a> {
    step: &'a str,
    heading: &'a str,
    file: &'a str,
    to: &'a str,
    receiver: &'a str,
    xah: u64,
    signing: Signing,
    body: fn(Headers<'_>, &[&str]) -> String,
    lines: &'a [&'a str],
}

impl<'a> Play<'a> {
    /// Connects, and shows who is who.
    pub async fn begin(
        story: &'a mut Story,
        folder: &'a Folder,
        provider: &'a Provider,
        places: Places<'a>,
    ) -> Result<Play<'a>, Ending> {
        let Places {
            node: url,
            smtp,
            inbox,
        } = places;
        let client = Client::connect(&url).await.map_err(|source| Failure::Server {
            server: url.clone(),
            source,
        })?;
        let (alice, bob) = (
            account_of("alice@mail.example"),
            account_of("bob@friends.example"),
        );
        let mut play = Play {
            story,
            folder,
            provider,
            client,
            smtp,
            inbox,
            alice,
            bob,
            mails: 0,
            first: None,
        };
        let balance = play.balance(alice).await?;
        play.story.say(&format!(
            "Node at {url}, relay at smtp://{smtp}. Alice has no wallet, only an address; its account is computed from it:"
        ));
        play.story.say(&format!(
            "   alice@{DOMAIN} = {alice}, funded with {} XAH",
            xah(balance)
        ));
        play.story.event(
            "started",
            json!({"url": url, "alice": alice.to_string(), "balance_drops": balance.to_string()}),
        );
        Ok(play)
    }

    /// Mails of four shapes; each must pay.
    pub async fn payments(&mut self) -> Result<(), Ending> {
        let scenes = [
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
        for scene in scenes {
            self.payment(&scene).await?;
        }
        Ok(())
    }

    async fn payment(&mut self, scene: &Payment<'_>) -> Result<(), Ending> {
        self.story.step(scene.step, scene.heading);
        let unsigned = (scene.body)(self.headers(ALICE, scene.to, "lunch"), scene.lines);
        let text = self.sign(&unsigned, scene.signing)?;
        self.folder.write(scene.file, &text)?;
        self.story.quote(&format!(
            "From: {ALICE}\nTo: {}\nCc: Relay <relay@relay.example>\n\n{}",
            scene.to,
            scene.lines.join("\n")
        ));
        let receiver = account_of(scene.receiver);
        let before = (self.balance(self.alice).await?, self.balance(receiver).await?);
        let started = Instant::now();
        self.post_and_see(&text, 250).await?;
        let answer = self.submit_email(&text, Mode::DryRun).await?;
        self.show_first_answer(&answer);
        let end = self.until_validated(&text).await?;
        let millis = started.elapsed().as_millis();
        let hash = end["hash"].as_str().unwrap_or_default().to_owned();
        let record = self.request("tx", json!({ "transaction": hash })).await?;
        self.story.expect(
            "result",
            record["meta"]["TransactionResult"].as_str(),
            Some("tesSUCCESS"),
        )?;
        let after = (self.balance(self.alice).await?, self.balance(receiver).await?);
        let fee = record["Fee"]
            .as_str()
            .and_then(|fee| fee.parse::<u64>().ok())
            .unwrap_or_default();
        let paid = scene.xah * Drops::PER_XAH + RESERVE_DROPS;
        self.story.say(&format!("   transaction {hash}"));
        self.story.say(&format!(
            "   ledger {}, {millis} ms from SMTP to validated, fee {} XAH",
            end["ledger_index"],
            xah(fee)
        ));
        self.story
            .say(&format!("   Alice    {} -> {} XAH", xah(before.0), xah(after.0)));
        self.story.say(&format!(
            "   {:<8} {} -> {} XAH (a new account: Alice pays its reserve of {} XAH on top, it is the receiver's)",
            scene.receiver.split('@').next().unwrap_or_default(), xah(before.1), xah(after.1), xah(RESERVE_DROPS)
        ));
        self.story.event("validated", json!({
            "hash": hash, "ledger_index": end["ledger_index"], "millis": u64::try_from(millis).unwrap_or(u64::MAX),
            "fee_drops": fee.to_string(), "alice_drops": [before.0.to_string(), after.0.to_string()],
            "receiver_drops": [before.1.to_string(), after.1.to_string()], "email_id": end["email_id"],
        }));
        self.story
            .expect("what the receiver has", after.1, before.1 + paid)?;
        self.story
            .expect("what Alice has", after.0, before.0 - paid - fee)?;
        if self.first.is_none() {
            self.answers().await?;
            let blob = hex::decode(
                end["tx_blob"]
                    .as_str()
                    .or(answer["tx_blob"].as_str())
                    .unwrap_or_default(),
            );
            let blob = blob.ok().filter(|blob| !blob.is_empty());
            let blob = match blob {
                Some(blob) => blob,
                None => self.blob_of(&hash).await?,
            };
            self.first = Some(Sent {
                text,
                unsigned,
                blob,
                hash,
            });
        }
        Ok(())
    }

    /// What must not work, each with its code and reason.
    pub async fn refusals(&mut self) -> Result<(), Ending> {
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
        self.story.expect("what Alice has", after, before)?;
        self.story.say(&format!("   Alice still has {} XAH", xah(before)));
        Ok(())
    }

    async fn same_mail_again(&mut self, first: &Sent) -> Result<(), Ending> {
        self.story.step("the same mail again", "The same mail again");
        self.post_and_see(&first.text, 250).await?;
        let answer = self.submit_email(&first.text, Mode::Submit).await?;
        self.story
            .expect("state", answer["state"].as_str(), Some("validated"))?;
        self.story
            .expect("transaction", answer["hash"].as_str(), Some(first.hash.as_str()))?;
        self.story
            .say("   The node answers what became of it the first time: same transaction, nothing new.");
        let answer = self.submit_rewrapped(&first.blob).await?;
        self.refused(
            "wrapped anew by a relay that means harm, past the node's memory",
            &answer,
            "tefEMAIL_REPLAY",
        )
    }

    async fn other_copy(&mut self, first: &Sent) -> Result<(), Ending> {
        self.story.step(
            "the other copy",
            "The copy of another recipient: the same words under another valid signature",
        );
        let copy = self.sign(&first.unsigned, Signing::OtherCopy)?;
        self.folder.write("05-other-copy.eml", &copy)?;
        let answer = self.submit_email(&copy, Mode::Submit).await?;
        self.story
            .expect("transaction", answer["hash"].as_str(), Some(first.hash.as_str()))?;
        self.story
            .say("   Its EmailID is that of the first copy: it counts as the same mail.");
        let memo = self.memo_of(&copy).await?;
        let mut changed = decode(&first.blob).map_err(|error| self.story.differs(error.to_string()))?;
        changed.set(sf::MEMOS, memo);
        let answer = self.submit_rewrapped(&encode(&changed)).await?;
        self.refused(
            "wrapped by hand with the other signature",
            &answer,
            "tefEMAIL_REPLAY",
        )
    }

    async fn changed_amount(&mut self) -> Result<(), Ending> {
        self.story
            .step("a changed amount", "A changed amount: 1 becomes 100 on the way");
        let unsigned = mail::plain(self.headers(ALICE, BOB, "tip"), &["REMIT 1 XAH", "", "Alice"]);
        let text = self.sign(&unsigned, Signing::Gmail)?;
        let changed = text.replace("REMIT 1 XAH", "REMIT 100 XAH");
        self.folder.write("06-changed-amount.eml", &changed)?;
        self.post_and_see(&changed, 550).await?;
        let answer = self.submit_email(&changed, Mode::Submit).await?;
        self.refused("in the mail", &answer, "tefBAD_SIGNATURE")?;
        self.story.expect("rule", answer["rule"].as_str(), Some("3.3"))?;
        let honest = self.submit_email(&text, Mode::DryRun).await?;
        let blob = hex::decode(honest["tx_blob"].as_str().unwrap_or_default()).unwrap_or_default();
        let mut object = decode(&blob).map_err(|error| self.story.differs(format!("dry run: {error}")))?;
        let amount = Amount::from_drops(Drops::new(100 * Drops::PER_XAH));
        object.set(
            sf::AMOUNTS,
            vec![(sf::AMOUNT_ENTRY, Object::new().with(sf::AMOUNT, amount))],
        );
        let answer = self.submit_blob(&encode(&object)).await?;
        self.refused(
            "in the transaction around an honest mail",
            &answer,
            "temMALFORMED",
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
        self.post_and_see(&text, 550).await?;
        self.refused_mail("07-quoted.eml", &text, "temMALFORMED", Some("5.2"))
            .await?;

        self.story.step("no signature", "A mail without a signature");
        let text = mail::plain(self.headers(ALICE, BOB, "tip"), &["REMIT 100 XAH", "", "Alice"]);
        self.post_and_see(&text, 550).await?;
        self.refused_mail("08-unsigned.eml", &text, "temMALFORMED", Some("4.7"))
            .await?;

        self.story.step("no account", "A sender with no account");
        let from = "Mallory <mallory@mail.example>";
        let unsigned = mail::plain(self.headers(from, BOB, "tip"), &["REMIT 100 XAH", "", "Mallory"]);
        let text = self.sign(&unsigned, Signing::Gmail)?;
        self.refused_mail("09-no-account.eml", &text, "terNO_ACCOUNT", None)
            .await
    }

    /// REKEY to a fresh key, and a payment that this key signs.
    pub async fn farewell(&mut self) -> Result<(), Ending> {
        let mut entropy = [0; 16];
        aws_lc_rs::rand::fill(&mut entropy).map_err(|_| self.story.differs("no random numbers"))?;
        let key = KeyPair::ed25519(entropy);
        self.story.step("rekey", "Alice moves on to an ordinary key");
        let line = format!("REKEY {}", key.account());
        let unsigned = mail::plain(self.headers(ALICE, ALICE, "my new key"), &[&line]);
        let text = self.sign(&unsigned, Signing::Gmail)?;
        self.folder.write("10-rekey.eml", &text)?;
        self.story.quote(&line);
        self.post_and_see(&text, 250).await?;
        let end = self.until_validated(&text).await?;
        let root = self.account_root(self.alice, "validated").await?;
        self.story.expect(
            "regular key",
            root["RegularKey"].as_str(),
            Some(key.account().to_string().as_str()),
        )?;
        self.story.say(&format!(
            "   transaction {}: RegularKey is {}",
            end["hash"].as_str().unwrap_or_default(),
            key.account()
        ));
        self.story.event(
            "rekeyed",
            json!({"hash": end["hash"], "regular_key": key.account().to_string()}),
        );

        self.story.step(
            "payment by the new key",
            "A payment signed by the new key, no mail in it",
        );
        let before = self.balance(self.bob).await?;
        let blob = self.signed_payment(&key).await?;
        let answer = self.submit_blob(&blob).await?;
        self.story
            .expect("result", answer["engine_result"].as_str(), Some("tesSUCCESS"))?;
        let hash = answer["tx_json"]["hash"].as_str().unwrap_or_default().to_owned();
        let record = self.until_tx_validated(&hash).await?;
        let after = self.balance(self.bob).await?;
        self.story
            .expect("what Bob has", after, before + 5 * Drops::PER_XAH)?;
        self.story.say(&format!(
            "   transaction {hash}\n   Bob {} -> {} XAH",
            xah(before),
            xah(after)
        ));
        self.story.event(
            "paid",
            json!({"hash": hash, "ledger_index": record["ledger_index"]}),
        );
        Ok(())
    }

    async fn signed_payment(&mut self, key: &KeyPair) -> Result<Vec<u8>, Ending> {
        let root = self.account_root(self.alice, "current").await?;
        let sequence = root["Sequence"]
            .as_u64()
            .and_then(|sequence| u32::try_from(sequence).ok())
            .unwrap_or_default();
        let mut payment = Object::new()
            .with(sf::TRANSACTION_TYPE, codec::format::TxType::Payment.code())
            .with(sf::FLAGS, flags::TF_FULLY_CANONICAL_SIG)
            .with(sf::NETWORK_ID, NETWORK)
            .with(sf::SEQUENCE, sequence)
            .with(sf::FEE, Amount::from_drops(Drops::new(FEE_DROPS)))
            .with(sf::AMOUNT, Amount::from_drops(Drops::new(5 * Drops::PER_XAH)))
            .with(sf::ACCOUNT, self.alice)
            .with(sf::DESTINATION, self.bob)
            .with(sf::SIGNING_PUB_KEY, key.public_key().as_bytes().as_slice());
        payment.set(sf::TXN_SIGNATURE, key.sign(&tx::signing_bytes(&payment)));
        Ok(encode(&payment))
    }

    fn headers<'h>(&mut self, from: &'h str, to: &'h str, subject: &'h str) -> Headers<'h> {
        // Two mails of one second that say the same count as one; a second apart they do not.
        self.mails += 1;
        Headers {
            from,
            to,
            subject,
            date: clock::now_unix().saturating_sub(60) + self.mails,
        }
    }

    fn sign(&self, unsigned: &str, signing: Signing) -> Result<String, Ending> {
        self.provider
            .sign(unsigned, signing)
            .map_err(|error| self.story.differs(error.to_string()).into())
    }

    fn show_first_answer(&mut self, answer: &Value) {
        let checks = answer["checks"].as_array().map_or(0, Vec::len);
        let passed = answer["checks"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|check| check["verdict"] == "pass")
            .count();
        // Asked about a mail that it has taken, a node answers for a second copy: here the state tells more.
        let result = match answer["state"].as_str() {
            Some(state @ ("submitted" | "validated")) => format!("the node has it: {state}"),
            _ => format!(
                "{}: {}",
                answer["engine_result"].as_str().unwrap_or_default(),
                answer["engine_result_message"].as_str().unwrap_or_default()
            ),
        };
        self.story
            .say(&format!("   {passed} of {checks} checks pass; {result}"));
        if self.first.is_none() {
            self.story.say(show::checks(answer).trim_end());
        }
        if answer["state"] == "kept" {
            self.story.say("   The node looks the key up, attests it, puts it on the ledger, and the mail follows one ledger later.");
        }
        self.story.event("submitted", json!({
            "engine_result": answer["engine_result"], "state": answer["state"], "email_id": answer["email_id"],
            "checks": answer["checks"], "instruction": answer["instruction"], "from": answer["from"], "to": answer["to"],
        }));
    }

    fn refused(&mut self, how: &str, answer: &Value, code: &str) -> Result<(), Ending> {
        let came = answer["engine_result"].as_str().unwrap_or_default();
        let message = answer["engine_result_message"].as_str().unwrap_or_default();
        self.story
            .expect(&format!("the result of it {how}"), came, code)?;
        self.story.say(&format!("   {how}: {came}: {message}"));
        self.story
            .event("refused", json!({"how": how, "code": came, "reason": message}));
        Ok(())
    }

    async fn refused_mail(
        &mut self,
        file: &str,
        text: &str,
        code: &str,
        rule: Option<&str>,
    ) -> Result<(), Ending> {
        self.folder.write(file, text)?;
        let answer = self.submit_email(text, Mode::Submit).await?;
        self.refused("as a mail", &answer, code)?;
        if rule.is_some() {
            self.story.expect("rule", answer["rule"].as_str(), rule)?;
        }
        let failed = answer["checks"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|check| check["verdict"] == "fail")
            .cloned();
        if let Some(check) = failed {
            self.story.say(&format!(
                "   rule {}: {}",
                check["rule"].as_str().unwrap_or_default(),
                check["fix"].as_str().unwrap_or_default()
            ));
        }
        Ok(())
    }

    /// The same transaction with the next Sequence: what a relay could make of a mail that it has.
    async fn submit_rewrapped(&mut self, blob: &[u8]) -> Result<Value, Ending> {
        let root = self.account_root(self.alice, "current").await?;
        let sequence = root["Sequence"]
            .as_u64()
            .and_then(|sequence| u32::try_from(sequence).ok())
            .unwrap_or_default();
        let mut object = decode(blob).map_err(|error| self.story.differs(error.to_string()))?;
        object.set(sf::SEQUENCE, sequence);
        let last = object.u32(sf::LAST_LEDGER_SEQUENCE).unwrap_or_default();
        object.set(sf::LAST_LEDGER_SEQUENCE, last + 100);
        self.submit_blob(&encode(&object)).await
    }

    async fn submit_blob(&mut self, blob: &[u8]) -> Result<Value, Ending> {
        self.request("submit", json!({ "tx_blob": hex::encode_upper(blob) }))
            .await
    }

    /// The memo that a node makes of a mail, by a dry run.
    async fn memo_of(&mut self, text: &str) -> Result<codec::Value, Ending> {
        let answer = self.submit_email(text, Mode::DryRun).await?;
        let blob = hex::decode(answer["tx_blob"].as_str().unwrap_or_default()).unwrap_or_default();
        let object = decode(&blob).map_err(|error| self.story.differs(format!("dry run: {error}")))?;
        Ok(object
            .value(sf::MEMOS)
            .cloned()
            .ok_or_else(|| self.story.differs("dry run: no memo"))?)
    }

    async fn blob_of(&mut self, hash: &str) -> Result<Vec<u8>, Ending> {
        let record = self
            .request("tx", json!({ "transaction": hash, "binary": true }))
            .await?;
        Ok(hex::decode(record["tx"].as_str().unwrap_or_default()).unwrap_or_default())
    }

    /// Hands a mail to the relay as Alice's provider does, and tells what the relay says to it.
    async fn post_and_see(&mut self, text: &str, wanted: u16) -> Result<(), Ending> {
        let sender = format!("alice@{DOMAIN}");
        let (code, lines) = smtp::send(self.smtp, &sender, RELAY, text).await?;
        self.story.say(&format!(
            "   the relay: {code} {}",
            lines.join("\n                  ")
        ));
        self.story
            .event("relayed", json!({ "code": code, "lines": lines }));
        Ok(self.story.expect("the relay's reply", code, wanted)?)
    }

    /// What the relay writes to the sender and to the receiver of the first payment.
    async fn answers(&mut self) -> Result<(), Ending> {
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
            let answer = self.answer(&headers.each_ref().map(String::as_str)).await?;
            let body = answer.split_once("\n\n").map_or("", |(_, body)| body);
            self.story.say(&format!("   The relay writes to {who}:"));
            self.story.quote(body);
            self.story.event("answered", json!({ "to": who, "text": body }));
        }
        Ok(())
    }

    async fn answer(&mut self, headers: &[&str]) -> Result<String, Ending> {
        let deadline = Instant::now() + Duration::from_secs(WAIT_SECS_MAX);
        loop {
            if let Some(mail) = self.inbox.find(headers) {
                return Ok(mail);
            }
            if Instant::now() >= deadline {
                return Err(self.story.differs(format!("no answer with {headers:?}")).into());
            }
            tokio::time::sleep(Duration::from_millis(POLL_MILLIS)).await;
        }
    }

    async fn submit_email(&mut self, text: &str, mode: Mode) -> Result<Value, Ending> {
        self.request(
            "submit_email",
            json!({ "email": text, "dry_run": mode == Mode::DryRun }),
        )
        .await
    }

    async fn until_validated(&mut self, text: &str) -> Result<Value, Ending> {
        let deadline = Instant::now() + Duration::from_secs(WAIT_SECS_MAX);
        loop {
            let answer = self.submit_email(text, Mode::DryRun).await?;
            match answer["state"].as_str() {
                Some("validated") => return Ok(answer),
                // Without a state the relay has not handed it in yet.
                None | Some("kept" | "submitted") if Instant::now() < deadline => {}
                state => {
                    let result = answer["engine_result"].as_str().unwrap_or_default();
                    return Err(self
                        .story
                        .differs(format!("the mail is not validated: {state:?}, {result}"))
                        .into());
                }
            }
            tokio::time::sleep(Duration::from_millis(POLL_MILLIS)).await;
        }
    }

    async fn until_tx_validated(&mut self, hash: &str) -> Result<Value, Ending> {
        let deadline = Instant::now() + Duration::from_secs(WAIT_SECS_MAX);
        loop {
            let record = self.request("tx", json!({ "transaction": hash })).await?;
            if record["validated"] == json!(true) {
                return Ok(record);
            }
            if Instant::now() >= deadline {
                return Err(self
                    .story
                    .differs(format!("{hash} is not validated within {WAIT_SECS_MAX} s"))
                    .into());
            }
            tokio::time::sleep(Duration::from_millis(POLL_MILLIS)).await;
        }
    }

    /// Balance in drops in the validated ledger; 0 for an account that does not exist.
    async fn balance(&mut self, account: AccountId) -> Result<u64, Ending> {
        let params = json!({ "account": account.to_string(), "ledger_index": "validated" });
        match self.client.request("account_info", members(params)).await {
            Ok(answer) => {
                let balance = answer["account_data"]["Balance"]
                    .as_str()
                    .and_then(|drops| drops.parse().ok());
                Ok(balance.ok_or_else(|| self.story.differs("account_info without a balance"))?)
            }
            Err(rpc::ClientError::Refused { token, .. }) if token == "actNotFound" => Ok(0),
            Err(error) => Err(self.story.differs(error.to_string()).into()),
        }
    }

    async fn account_root(&mut self, account: AccountId, ledger: &str) -> Result<Value, Ending> {
        let answer = self
            .request(
                "account_info",
                json!({ "account": account.to_string(), "ledger_index": ledger }),
            )
            .await?;
        Ok(answer["account_data"].clone())
    }

    async fn request(&mut self, method: &str, params: Value) -> Result<Value, Ending> {
        let answer = self.client.request(method, members(params)).await;
        answer.map_err(|error| self.story.differs(format!("{method}: {error}")).into())
    }
}

/// Whether a submission may change anything.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Submit,
    DryRun,
}

fn members(params: Value) -> Map<String, Value> {
    match params {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn account_of(email: &str) -> AccountId {
    let address = amendment::address::Address::parse(email.as_bytes());
    let recipient = address.and_then(|address| amendment::address::recipient_of(&address));
    recipient.map_or(AccountId::ZERO, |recipient| recipient.account())
}

fn xah(drops: u64) -> String {
    Drops::new(drops).to_xah()
}
