//! REKEY to a fresh key, and a payment that this key signs.

use super::{ALICE, Scenario, xah};
use crate::demo::story::Ending;
use crate::stage::NETWORK;
use codec::format::TxType;
use codec::keys::KeyPair;
use codec::{Amount, Drops, Object, Ter, encode, flags, sf, tx};
use rpc::api::LedgerChoice;
use serde_json::json;
use testkit::mail;
use testkit::provider::Signing;

/// Fee of the payment by key: the base fee of the network.
const FEE: Drops = Drops::new(10);
/// What it pays, XAH.
const PAID_XAH: u64 = 5;

impl Scenario<'_> {
    /// Alice leaves mail behind.
    pub(crate) async fn rekey(&mut self) -> Result<(), Ending> {
        let mut entropy = [0; 16];
        aws_lc_rs::rand::fill(&mut entropy).map_err(|_| self.story.differs("no random numbers"))?;
        let key = KeyPair::ed25519(entropy);
        self.story.step("rekey", "Alice moves on to an ordinary key");
        let line = format!("REKEY {}", key.account());
        let unsigned = mail::plain(self.headers(ALICE, ALICE, "my new key"), &[&line]);
        let text = self.sign(&unsigned, Signing::Gmail)?;
        self.folder.write("10-rekey.eml", &text)?;
        self.story.quote(&line);
        self.deliver(&text, 250).await?;
        let end = self.until_validated(&text).await?;
        let root = self.account(LedgerChoice::Validated).await?;
        self.story
            .expect("regular key", root.regular_key, Some(key.account()))?;
        let hash = end.hash.map(|hash| hash.to_string());
        self.story.say(&format!(
            "   The key {} can spend from Alice's account now (RegularKey), transaction {}",
            key.account(),
            hash.as_deref().unwrap_or_default()
        ));
        self.story.event(
            "rekeyed",
            json!({"hash": hash, "regular_key": key.account().to_string()}),
        );
        self.pay_by_key(&key).await
    }

    async fn pay_by_key(&mut self, key: &KeyPair) -> Result<(), Ending> {
        self.story.step(
            "payment by the new key",
            "A payment signed by the new key, no mail in it",
        );
        let before = self.balance(self.bob).await?;
        let blob = self.signed_payment(key).await?;
        let reply = self.submit_blob(blob).await?;
        self.story
            .expect("result", reply.engine.as_str(), Ter::TES_SUCCESS.token())?;
        let hash = reply.hash.ok_or_else(|| self.story.differs("no transaction"))?;
        let record = self.until_tx_validated(hash).await?;
        let after = self.balance(self.bob).await?;
        self.story
            .expect("what Bob has", after.get(), before.get() + xah(PAID_XAH).get())?;
        self.story.say(&format!(
            "   Paid: {PAID_XAH} XAH to Bob, who has {} -> {} XAH, transaction {hash}",
            before.to_xah(),
            after.to_xah()
        ));
        self.story.event(
            "paid",
            json!({"hash": hash.to_string(), "ledger_index": record.ledger_index.map(|index| index.get())}),
        );
        Ok(())
    }

    async fn signed_payment(&mut self, key: &KeyPair) -> Result<Vec<u8>, Ending> {
        let mut payment = Object::new()
            .with(sf::TRANSACTION_TYPE, TxType::Payment.code())
            .with(sf::FLAGS, flags::TF_FULLY_CANONICAL_SIG)
            .with(sf::NETWORK_ID, NETWORK)
            .with(sf::SEQUENCE, self.next_sequence().await?)
            .with(sf::FEE, Amount::from_drops(FEE))
            .with(sf::AMOUNT, Amount::from_drops(xah(PAID_XAH)))
            .with(sf::ACCOUNT, self.alice)
            .with(sf::DESTINATION, self.bob)
            .with(sf::SIGNING_PUB_KEY, key.public_key().as_bytes().as_slice());
        payment.set(sf::TXN_SIGNATURE, key.sign(&tx::signing_bytes(&payment)));
        Ok(encode(&payment))
    }
}
