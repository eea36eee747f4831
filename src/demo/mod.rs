//! `demo`: signed mails become payments on this machine, then what must not work does not.
//!
//! Starts a node with a DNS responder of its own on free loopback ports, writes mails of the shapes that real
//! clients send, and tells what happens. It ends with an error where anything differs from the story.

mod scenario;
mod story;

use crate::cli;
use crate::commands::up::Both;
use crate::commands::{Failure, Outcome};
use crate::output::Format;
use ::relay::config::{Answers, Protection};
use ::relay::daemon::Listening;
use scenario::{Places, Scenario};
use std::path::{Path, PathBuf};
use std::time::Instant;
use story::{Audience, Differs, Story};
use testkit::dns;
use testkit::provider::{Provider, RSA_SELECTOR};
use testkit::smtp::Inbox;

/// Network of the demo: Xahau's own, so that the instructions read as people would write them. Its keys are
/// made for this run, so nothing here means anything there.
const NETWORK: u32 = 21_337;
/// Seconds between ledgers.
const CLOSE_SECS: u64 = 1;
/// Domain whose mails are signed.
const DOMAIN: &str = "mail.example";
/// Address that senders put in Cc.
const RELAY: &str = "relay@relay.example";
/// Its domain, whose key signs the answers.
const RELAY_DOMAIN: &str = "relay.example";
/// What Alice has at the start, XAH.
const ALICE_XAH: &str = "1000";

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
    let end = tell(&mut story, &folder).await;
    if let Err(Ending::Failure(failure)) = end {
        return Err(failure);
    }
    let end = end.map_err(|ending| match ending {
        Ending::Differs(differs) => differs,
        Ending::Failure(_) => Differs {
            step: String::new(),
            reason: String::new(),
        },
    });
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

/// Why the story ended early.
pub(crate) enum Ending {
    /// Something happened that must not, or did not that must.
    Differs(Differs),
    /// The machine did not let it begin.
    Failure(Failure),
}

impl From<Differs> for Ending {
    fn from(differs: Differs) -> Self {
        Ending::Differs(differs)
    }
}

impl From<Failure> for Ending {
    fn from(failure: Failure) -> Self {
        Ending::Failure(failure)
    }
}

impl From<std::io::Error> for Ending {
    fn from(error: std::io::Error) -> Self {
        Ending::Failure(error.into())
    }
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
        host: inbox.address().ip().to_string(),
        port: inbox.address().port(),
        protection: Protection::None,
        authorities: None,
        user: None,
        password_file: None,
        from: RELAY.to_owned(),
        dkim_selector: RSA_SELECTOR.to_owned(),
        dkim_key: folder.path.join("relay-dkim.pem"),
        per_address_day: u32::MAX,
        transaction_link: "https://xahauexplorer.com/tx/{hash}".to_owned(),
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
        _ => None,
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

/// Where the demo puts its files: a folder to keep, or one that goes away.
pub(crate) struct Folder {
    path: PathBuf,
    is_kept: bool,
}

impl Folder {
    fn make(keep: Option<&Path>) -> Result<Self, Failure> {
        let path = match keep {
            Some(path) => path.to_owned(),
            None => std::env::temp_dir().join(format!("xahau-email-demo-{}", std::process::id())),
        };
        if std::fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(Failure::Argument(format!(
                "{} is not empty: name a new or an empty folder, as the demo starts a fresh ledger",
                path.display()
            )));
        }
        std::fs::create_dir_all(&path)?;
        Ok(Folder {
            path,
            is_kept: keep.is_some(),
        })
    }

    fn kept(&self) -> Option<&Path> {
        self.is_kept.then_some(self.path.as_path())
    }

    /// Writes a file into the folder.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<(), Failure> {
        Ok(std::fs::write(self.path.join(name), text)?)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.is_kept {
            // A folder left in the temporary files does no harm.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}
