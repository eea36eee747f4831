//! `localnet`: a whole network on this machine, with a console to rehearse on: validators, a follower, a relay, and
//! DNS with test keys, under clocks that can be set ahead.
//!
//! | file | what |
//! |---|---|
//! | `home` | the folder, and the ports of this run |
//! | `child`, `links` | a node as a process; the links between nodes, which can be cut |
//! | `net` | all of it: nodes, links, DNS, relay, clock |
//! | `mailboxes` | the test mailboxes and their keys |
//! | `verb`, `session`, `console` | commands: read, carried out, answered |
//! | `ask` | what nodes are asked |

mod ask;
mod child;
mod console;
mod home;
mod links;
mod mailboxes;
mod net;
mod session;
mod verb;

pub(crate) use home::Plan;
pub(crate) use net::Localnet;

use crate::commands::node::{outlive_full_disks, stop_signal};
use crate::commands::{Failure, Outcome};
use crate::output::Format;
use crate::stage::Folder;
use crate::{cli, input, logs};
use mailboxes::Mailboxes;
use serde_json::json;
use session::Session;
use std::path::PathBuf;

/// Runs until the operator ends it.
pub(crate) async fn run(args: &cli::Localnet, format: Format) -> Result<Outcome, Failure> {
    outlive_full_disks()?;
    if let Some(count) = args.validators {
        check_validators(count)?;
    }
    let folder = match &args.dir {
        Some(path) => {
            home::check_folder(path)?;
            Folder::to_keep(path)?
        }
        None => Folder::that_goes_away("localnet")?,
    };
    logs::to_file(&folder.path.join("relay.log"), logs::MAILS)?;
    let plan = Plan {
        validators: args.validators,
        port: args.port,
        funds: Mailboxes::funds(),
        key_delay_first: args.key_delay_first,
        key_delay_next: args.key_delay_next,
        epoch: args.epoch,
    };
    if format == Format::Text {
        out!("starting the nodes");
    }
    let started = async {
        let mailboxes_of = |folder: PathBuf| move || Mailboxes::open(&folder);
        let mailboxes = tokio::task::spawn_blocking(mailboxes_of(folder.path.clone()));
        let mailboxes = mailboxes.await.map_err(std::io::Error::other)??;
        let net = Localnet::start(&folder.path, &plan, mailboxes.honest()).await?;
        Ok::<_, Failure>(Session::new(net, mailboxes, format))
    };
    let mut session = tokio::select! {
        started = started => started?,
        // What has started ends with the values.
        () = stop_signal() => return Ok(Outcome::Yes),
    };
    greet(&mut session, &folder, format);
    let ended = tokio::select! {
        ended = console::run(&mut session, input::lines(), format) => ended,
        () = stop_signal() => Ok(()),
    };
    session.net.stop().await;
    ended.map(|()| Outcome::Yes)
}

/// As many as a machine bears: each is a process, and each pair of nodes has two links.
const NODES_MAX: usize = 20;

/// Refuses what is no network, or too much for one machine.
pub(crate) fn check_validators(count: usize) -> Result<(), Failure> {
    if (1..=NODES_MAX).contains(&count) {
        return Ok(());
    }
    Err(Failure::Argument(format!(
        "--validators {count}: on one machine a network has 1 to {NODES_MAX}"
    )))
}

fn greet(session: &mut Session, folder: &Folder, format: Format) {
    let dir = folder.path.display().to_string();
    if format.is_json() {
        let mut ready = session.places_for_machines();
        ready["ready"] = json!(true);
        ready["dir"] = json!(dir);
        ready["kept"] = json!(folder.kept().is_some());
        ready["resumed"] = json!(session.net.is_resumed());
        out!("{ready}");
        return;
    }
    let count = session.net.places().len();
    let again = if session.net.is_resumed() {
        ", which goes on where it was"
    } else {
        ""
    };
    out!(
        "{count} nodes{again}, a relay at smtp://{}, all of it in {dir}",
        session.net.smtp()
    );
    for place in session.net.places() {
        out!("  {:<13} ws://{}", place.name, place.rpc);
    }
    out!(
        "Mailboxes: {}; each began with 1000 XAH.",
        Mailboxes::people().join(", ")
    );
    out!("Try: status; send alice bob 10 XAH; rotate mail.example; advance 5d; help; quit");
}
