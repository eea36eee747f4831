//! A network that begins without `Email`: its validators vote for it, lose the majority, and win it again.

use super::*;
use crate::kill::{next_sequence, payment};
use rpc::api::Vote;

/// Ledgers from one after which votes count to the next. Spec: 15.3
const FLAG_LEDGERS: u64 = 256;
/// Longest time from one to the next: a ledger a second, and what a busy machine adds.
const PATIENCE: Duration = Duration::from_secs(1_200);

impl Network {
    /// The operators of these nodes vote about `Email`.
    async fn vote_about_email(&self, nodes: impl IntoIterator<Item = usize>, vote: Vote) {
        for node in nodes {
            let params = json!({ "feature": "Email", "vetoed": vote == Vote::Against });
            request(self.url(node), "feature", params).await;
        }
    }

    /// Waits for a ledger on all nodes. Meanwhile each has a payment: an empty one would take three seconds.
    async fn pay_until(&self, index: u64) {
        let mut client = Client::connect(self.url(0)).await.expect("connects");
        let waiting = async {
            while last_ledger(self.url(0)).await < index {
                let tx = payment(next_sequence(&mut client).await);
                request(
                    self.url(0),
                    "submit",
                    json!({ "tx_blob": codec::hex_upper(tx.blob()) }),
                )
                .await;
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        waited.unwrap_or_else(|_| panic!("no ledger {index}"));
        for url in self.urls() {
            wait_for("the ledger of the first", async || {
                (last_ledger(url).await >= index).then_some(())
            })
            .await;
        }
    }

    /// What all nodes say about `Email`: since when it has its majority, and whether it is enabled.
    async fn email(&self) -> (Option<u64>, bool) {
        let mut said = Vec::new();
        for url in self.urls() {
            let all = request(url, "feature", json!({})).await;
            let all = all["features"].as_object().expect("an object").clone();
            let email = all
                .into_values()
                .find(|one| one["name"] == "Email")
                .expect("known");
            said.push((email["majority"].as_u64(), email["enabled"] == true));
        }
        said.dedup();
        assert_eq!(said.len(), 1, "{said:?}");
        said[0]
    }

    /// A mail is refused, and not kept for later.
    async fn refuse(&self, mail: &str) {
        let answer = request(self.url(1), "submit_email", json!({ "email": mail })).await;
        assert_eq!(answer["engine_result"], "temDISABLED", "{answer}");
        assert!(answer["not_kept"].is_string(), "{answer}");
    }
}

// Spec: 15.3. It takes more than 80 percent: of five, all five. A thousand ledgers, for the long run.
#[tokio::test(flavor = "multi_thread")]
async fn five_validators_enable_email_when_its_second_majority_has_lasted() {
    if std::env::var_os("XAHAU_EMAIL_LONG").is_none() {
        return;
    }
    let world = World::new();
    let mut network = Network::with(&world, 5, 0, &["--without-email", "--majority", "120"]);
    network.start_all();
    network.refuse(&pay(&world, 5)).await;
    network.vote_about_email(0..5, Vote::For).await;
    network.pay_until(FLAG_LEDGERS + 1).await;
    let (first, is_enabled) = network.email().await;
    assert!(first.is_some() && !is_enabled, "five of five");
    network.vote_about_email([3], Vote::Against).await;
    network.pay_until(2 * FLAG_LEDGERS + 1).await;
    assert_eq!(network.email().await, (None, false), "four of five");
    network.refuse(&pay(&world, 5)).await;
    network.vote_about_email([3], Vote::For).await;
    // Whoever was away when the others decided comes to the same.
    network.kill(4);
    network.pay_until(3 * FLAG_LEDGERS + 1).await;
    network.start(4);
    network.pay_until(3 * FLAG_LEDGERS + 5).await;
    let (second, is_enabled) = network.email().await;
    assert!(second > first && !is_enabled, "its time begins anew");
    network.refuse(&pay(&world, 5)).await;
    network.pay_until(4 * FLAG_LEDGERS + 1).await;
    assert_eq!(network.email().await, (None, true), "it has lasted");
    submit(network.url(1), &pay(&world, 5)).await;
    network.wait_for_payments(5).await;
    network.assert_same_ledgers().await;
}
