//! `demo`: signed mails become payments on this machine, then what must not work does not.
//!
//! Starts a node with a DNS responder of its own on free loopback ports, writes mails of the shapes that real
//! clients send, and tells what happens. It ends with an error where anything differs from the story.

mod scenario;
mod story;

use crate::cli;
use crate::commands::up::Both;
use crate::commands::{Failure, Outcome};
use crate::localnet::{Localnet, Plan, check_validators};
use crate::output::Format;
use crate::stage::{self, DOMAIN, Folder, NETWORK, RELAY};
use ::network::limits::EPOCH_LEDGERS_DEFAULT;
use ::relay::daemon::Listening;
use scenario::{Places, Scenario};
use std::path::Path;
use std::time::Instant;
use story::{Audience, Ending, Story};
use testkit::dns;
use testkit::provider::Provider;
use testkit::smtp::Inbox;

/// Seconds between ledgers.
const CLOSE_SECS: u64 = 1;
/// What Alice has at the start, XAH.
const ALICE_XAH: &str = "1000";

/// Tells the story; the outcome is no where it differs.
pub(crate) async fn run(args: &cli::Demo, format: Format) -> Result<Outcome, Failure> {
    let started = Instant::now();
    if let Some(count) = args.validators {
        check_validators(count)?;
    }
    let audience = if format.is_json() {
        Audience::Machines
    } else {
        Audience::People
    };
    let mut story = Story::new(audience);
    let folder = folder(args.keep.as_deref())?;
    let end = match tell(&mut story, &folder, args.validators).await {
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

/// The folder to keep, or one that goes away.
fn folder(keep: Option<&Path>) -> Result<Folder, Failure> {
    let Some(path) = keep else {
        return Folder::that_goes_away("demo");
    };
    if stage::is_filled(path) {
        return Err(Failure::Argument(format!(
            "{} is not empty: name a new or an empty folder, as the demo starts a fresh ledger",
            path.display()
        )));
    }
    Folder::to_keep(path)
}

async fn tell(story: &mut Story, folder: &Folder, validators: Option<usize>) -> Result<(), Ending> {
    let provider = Provider::new(DOMAIN).map_err(|error| Failure::Argument(error.to_string()))?;
    folder.write("keys.json", &provider.keys_json())?;
    match validators {
        None => on_one_machine(story, folder, &provider).await,
        Some(count) => on_a_network(story, folder, &provider, count).await,
    }
}

async fn on_one_machine(story: &mut Story, folder: &Folder, provider: &Provider) -> Result<(), Ending> {
    story.say(&format!(
        "A node of its own (network {NETWORK}, test keys only), a ledger each second, a relay that takes mail for\n\
         {RELAY} by SMTP, and a DNS responder that publishes DKIM keys for {DOMAIN}. Nothing leaves this\n\
         machine."
    ));
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
            dns: vec![dns.address().into()],
            ..cli::Keys::default()
        },
        close_secs: CLOSE_SECS,
        fund: vec![alice()],
    };
    let answers = stage::answers_to(&inbox, &folder.path)?;
    let both = Both::start(&arguments, Some(answers)).await?;
    let smtp = both.relay.listening().iter().find_map(|place| match place {
        Listening::Smtp(address) => Some(*address),
        Listening::Lmtp(_) | Listening::LmtpUnix(_) | Listening::Http(_) => None,
    });
    let end = match smtp {
        Some(smtp) => {
            let places = Places {
                node: both.node.url(),
                smtp,
                inbox: &inbox,
            };
            play(story, folder, provider, places).await
        }
        None => Err(story.differs("the relay takes no SMTP").into()),
    };
    both.stop().await?;
    end
}

async fn on_a_network(
    story: &mut Story,
    folder: &Folder,
    provider: &Provider,
    validators: usize,
) -> Result<(), Ending> {
    story.say(&format!(
        "A network of its own (network {NETWORK}, test keys only): {validators} validators and a follower, each a process\n\
         that asks a DNS responder of its own for the DKIM keys of {DOMAIN}, and a relay that takes mail for\n\
         {RELAY} by SMTP. Nothing leaves this machine."
    ));
    let plan = Plan {
        validators: Some(validators),
        port: None,
        funds: vec![alice()],
        key_delay_first: 0,
        key_delay_next: 0,
        epoch: EPOCH_LEDGERS_DEFAULT,
    };
    let net = Localnet::start(&folder.path, &plan, provider.records().to_vec()).await?;
    // The follower: what it says, it has from the validators.
    let follower = net.places().len().saturating_sub(1);
    let places = Places {
        node: net.url(follower),
        smtp: net.smtp(),
        inbox: net.inbox(),
    };
    let end = play(story, folder, provider, places).await;
    net.stop().await;
    end
}

/// What Alice has at the start.
fn alice() -> String {
    format!("alice@{DOMAIN}={ALICE_XAH}")
}

async fn play(
    story: &mut Story,
    folder: &Folder,
    provider: &Provider,
    places: Places<'_>,
) -> Result<(), Ending> {
    let mut scenario = Scenario::begin(story, folder, provider, places).await?;
    scenario.payments().await?;
    scenario.refusals().await?;
    scenario.rekey().await
}
