//! The scenes of the demo, in their order: payments, refusals, the move to an ordinary key.

mod ask;
mod payments;
mod refusals;
mod rekey;

use super::story::{Ending, Story};
use crate::clock;
use crate::commands::Failure;
use crate::stage::{DOMAIN, Folder, account_of};
use codec::{AccountId, Drops, Hash256};
use rpc::Client;
use serde_json::json;
use std::net::SocketAddr;
use testkit::mail::Headers;
use testkit::provider::{Provider, Signing};
use testkit::smtp::Inbox;

const ALICE: &str = "Alice <alice@mail.example>";
const BOB: &str = "Bob <bob@friends.example>";
const CAROL: &str = "Carol <carol@friends.example>";
const DAVE: &str = "Dave <dave@friends.example>";
const ERIN: &str = "Erin <erin@friends.example>";

/// Where things are.
pub(super) struct Places<'a> {
    /// WebSocket of the node.
    pub node: String,
    /// SMTP of the relay.
    pub smtp: SocketAddr,
    /// Where the relay's notices go.
    pub inbox: &'a Inbox,
}

/// What every scene needs.
pub(super) struct Scenario<'a> {
    story: &'a mut Story,
    folder: &'a Folder,
    provider: &'a Provider,
    client: Client,
    smtp: SocketAddr,
    inbox: &'a Inbox,
    alice: AccountId,
    bob: AccountId,
    mails: u64,
    first: Option<Paid>,
}

/// A mail that paid.
struct Paid {
    text: String,
    unsigned: String,
    blob: Vec<u8>,
    hash: Hash256,
}

impl<'a> Scenario<'a> {
    /// Connects, and shows who is who.
    pub(super) async fn begin(
        story: &'a mut Story,
        folder: &'a Folder,
        provider: &'a Provider,
        places: Places<'a>,
    ) -> Result<Scenario<'a>, Ending> {
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
        let mut scenario = Scenario {
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
        let balance = scenario.balance(alice).await?;
        scenario.story.say(&format!(
            "Node at {url}, relay at smtp://{smtp}. Alice has no wallet, only an address; its account is computed from it:"
        ));
        scenario.story.say(&format!(
            "   alice@{DOMAIN} = {alice}, funded with {} XAH",
            balance.to_xah()
        ));
        scenario.story.event(
            "started",
            json!({"url": url, "alice": alice.to_string(), "balance_drops": balance.get().to_string()}),
        );
        Ok(scenario)
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
}

/// A result: its sentence, then its name.
fn worded(code: &str, message: Option<&str>) -> String {
    match message {
        Some(message) if !message.is_empty() => format!("{message} ({code})"),
        Some(_) | None => code.to_owned(),
    }
}

/// Drops of whole XAH.
fn xah(count: u64) -> Drops {
    Drops::new(count * Drops::PER_XAH)
}
