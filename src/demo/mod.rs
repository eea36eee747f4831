//! `demo`: signed mails become payments on this machine, then what must not work does not.
//!
//! Starts a node with a DNS responder of its own on free loopback ports, writes mails of the shapes that real
//! clients send, and tells what happens. It ends with an error where anything differs from the story.

mod scenario;
mod setting;
mod story;

use crate::cli;
use crate::commands::up::Both;
use crate::commands::{Failure, Outcome};
use crate::output::Format;
use ::relay::config::{Answers, Protection};
use ::relay::daemon::Listening;
use scenario::{Places, Scenario};
use setting::{ALICE_XAH, CLOSE_SECS, DOMAIN, Folder, NETWORK, RELAY, RELAY_DOMAIN};
use std::time::Instant;
use story::{Audience, Ending, Story};
use testkit::dns;
use testkit::provider::{Provider, RSA_SELECTOR};
use testkit::smtp::Inbox;

/// Tells the story; the outcome is no where it differs.
pub(crate) async fn run(args: &cli::Demo, format: Format) -> Result<Outcome, Failure> {
    let started = Instant::now();
    let audience = if format.is_json() {
        Audience::Machines
    } else {
        Audience::People
    };
    let mut story = Story::new(audience);
    let folder = Folder::make(args.keep.as_deref())?;
    let end = match tell(&mut story, &folder).await {
        Ok(()) => Ok(()),
        Err(Ending::Differs(differs)) => Err(differs),
        Err(Ending::Failure(failure)) => return Err(failure),
    };
    match &end {
        Ok(()) => {
            story.say(&format!(
                "\nEverything went as expected, in {:.1} s.",
                started.elapsed().as_secs_f32()
            ));
            if let Some(kept) = folder.kept() {
                story.say(&format!(
                    "Mails, keys.json and the ledger are in {}. Look again with:",
                    kept.display()
                ));
                story.say(&format!(
                    "  xahau-email explain {0}/01-gmail.eml --keys {0}/keys.json --network {NETWORK}",
                    kept.display()
                ));
            } else {
                story.say(
                    "Next: `xahau-email explain FILE` on a mail of your own, or `xahau-email node --help`.",
                );
            }
        }
        Err(differs) => eprintln!("The demo failed at {differs}"),
    }
    let outcome = if end.is_ok() { Outcome::Yes } else { Outcome::No };
    if format.is_json() {
        out!("{}", story.into_json(&end));
    }
    Ok(outcome)
}

async fn tell(story: &mut Story, folder: &Folder) -> Result<(), Ending> {
    story.say(&format!(
        "A node of its own (network {NETWORK}, test keys only), a ledger each second, a relay that takes mail for\n\
         {RELAY} by SMTP, and a DNS responder that publishes DKIM keys for {DOMAIN}. Nothing leaves this\n\
         machine."
    ));
    let provider = Provider::new(DOMAIN).map_err(|error| Failure::Argument(error.to_string()))?;
    folder.write("keys.json", &provider.keys_json())?;
    let relay_keys = Provider::new(RELAY_DOMAIN).map_err(|error| Failure::Argument(error.to_string()))?;
    folder.write("relay-dkim.pem", relay_keys.pem())?;
    let dns = dns::Responder::start(provider.records()).await?;
    let inbox = Inbox::start().await?;
    let arguments = cli::Up {
        data: folder.path.clone(),
        rpc: ([127, 0, 0, 1], 0).into(),
        smtp: ([127, 0, 0, 1], 0).into(),
        lmtp: Vec::new(),
        http: None,
        relay_address: vec![RELAY.to_owned()],
        network: NETWORK,
        keys: cli::Keys {
            keys: None,
            dns: Some(dns.address()),
        },
        close_secs: CLOSE_SECS,
        fund: vec![format!("alice@{DOMAIN}={ALICE_XAH}")],
    };
    let answers = Answers {
        host: Some(inbox.address().ip().to_string()),
        port: Some(inbox.address().port()),
        protection: Protection::None,
        authorities: None,
        user: None,
        password_file: None,
        from: RELAY.to_owned(),
        envelope_from: String::new(),
        dkim_selector: Some(RSA_SELECTOR.to_owned()),
        dkim_key: Some(folder.path.join("relay-dkim.pem")),
        per_address_day: u32::MAX,
        // A ledger of this run alone is in no explorer.
        transaction_link: Some(String::new()),
    };
    let both = Both::start(&arguments, Some(answers)).await?;
    let end = play(story, folder, &provider, &both, &inbox).await;
    both.stop().await?;
    end
}

async fn play(
    story: &mut Story,
    folder: &Folder,
    provider: &Provider,
    both: &Both,
    inbox: &Inbox,
) -> Result<(), Ending> {
    let smtp = both.relay.listening().iter().find_map(|place| match place {
        Listening::Smtp(address) => Some(*address),
        Listening::Lmtp(_) | Listening::LmtpUnix(_) | Listening::Http(_) => None,
    });
    let smtp = smtp.ok_or_else(|| story.differs("the relay takes no SMTP"))?;
    let places = Places {
        node: both.node.url(),
        smtp,
        inbox,
    };
    let mut scenario = Scenario::begin(story, folder, provider, places).await?;
    scenario.payments().await?;
    scenario.refusals().await?;
    scenario.rekey().await
}
