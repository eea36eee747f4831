//! The handler behind every channel: judges mails and keeps those that can become payments.
//!
//! Limits first, then the verifier, then the queue; 250 only after the queue has the mail on disk. Spec: 13.
//!
//! | part | does |
//! |---|---|
//! | [`auth`] | SPF, DMARC and ARC results, for the log |
//! | [`header`] | Message-ID, and whether an answer is allowed |
//! | [`keys`] | DKIM keys from DNS or a file |
//! | [`limits`] | mails per network, address and domain |
//! | [`own`] | own addresses, and no others |
//! | [`postmaster`] | mail to the postmaster |
//! | [`recent`] | a small map of recent things |
//! | [`refusal`] | what a sender is told |
//! | [`rules`] | what becomes of a mail |

pub mod auth;
pub mod header;
pub mod keys;
pub mod limits;
pub mod own;
pub mod postmaster;
pub mod recent;
pub mod refusal;
pub mod rules;
#[cfg(test)]
mod testing;

use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dns::{KeyResolver, KeyTable, KeysFileError, NoResolver};
use futures_util::FutureExt;

use crate::clock::Clock;
use crate::config::Config;
use crate::intake::handler::{MailHandler, Reply, Taking};
use crate::limits::LOOKUP_SECS_MAX;
use crate::mail::{Channel, IncomingMail, Peer};
use crate::meter;
use crate::notices::thread_of;
use crate::queue::{Dkim, Entry, Progress, Put, Queue, QueueError, Said};
use crate::resolver::{self, NamedError};

use auth::Auth;
use keys::{Freshness, Keys};
use limits::{Allowance, Exceeded};
use own::{Mailbox, Own, OwnError};
use postmaster::{Postmaster, PostmasterError};
use refusal::{Rejected, is_of_key};
use rules::{Accepted, Rules, Unproven, judge};

/// Why the intake cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// An own address is none.
    #[error(transparent)]
    Own(#[from] OwnError),
    /// The keys file cannot be used.
    #[error(transparent)]
    Keys(#[from] KeysFileError),
    /// There is no resolver.
    #[error(transparent)]
    Resolver(#[from] NamedError),
}

/// Judges mails and keeps them.
pub struct Intake {
    own: Own,
    network: u32,
    has_notices: bool,
    queue: Queue,
    clock: Clock,
    keys: Keys,
    unproven: Unproven,
    allowance: Mutex<Allowance>,
    auth: Option<Auth>,
    postmaster: Postmaster,
}

impl Intake {
    /// As configured. A keys file stands for all of DNS: with one, nothing is looked up.
    pub fn open(config: &Config, queue: Queue, clock: Clock) -> Result<Intake, IntakeError> {
        let mut unproven = Unproven::TurnedAway;
        let (source, auth): (Box<dyn KeyResolver>, Option<Auth>) = match &config.dns.keys {
            Some(path) => (Box::new(KeyTable::read(path)?), None),
            None => match resolver::named(&config.dns.server, Duration::from_secs(LOOKUP_SECS_MAX))? {
                Some(resolver) => {
                    let auth = Auth::new(&resolver, &config.hostname);
                    (Box::new(resolver), Some(auth))
                }
                None => {
                    unproven = Unproven::LeftToNodes;
                    (Box::new(NoResolver), None)
                }
            },
        };
        Ok(Intake {
            own: Own::new(&config.addresses, &config.hostname)?,
            network: config.network,
            has_notices: config.answers.is_some(),
            queue,
            clock,
            keys: Keys::new(source),
            unproven,
            allowance: Mutex::new(Allowance::new(&config.limits)),
            auth,
            postmaster: Postmaster::new(&config.data, &config.hostname),
        })
    }

    fn allowance(&self) -> MutexGuard<'_, Allowance> {
        self.allowance.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn receive(&self, incoming: IncomingMail) -> Reply {
        let now = (self.clock)();
        let (ip, bytes) = (incoming.peer.ip, incoming.raw.len());
        let envelope = self
            .allowance()
            .take_envelope(ip, incoming.reverse_path(), bytes, now);
        if let Err(over) = envelope {
            return put_off(&incoming, over.what.as_str(), over_limit(451, over));
        }
        let is_postmaster =
            |recipient: &String| self.own.check_recipient(recipient) == Ok(Mailbox::Postmaster);
        if !incoming.recipients.iter().any(is_postmaster) {
            return self.decide(incoming, now).await;
        }
        if incoming.recipients.iter().all(is_postmaster) {
            return self.keep_for_postmaster(&incoming, now).await;
        }
        // The postmaster's copy comes last: a mail that is put off comes again, and would leave a copy each
        // time.
        let copy = incoming.clone();
        let reply = self.decide(incoming, now).await;
        if reply.is_later() {
            return reply;
        }
        let kept = self.keep_for_postmaster(&copy, now).await;
        if kept.is_yes() { reply } else { kept }
    }

    async fn decide(&self, incoming: IncomingMail, now: u64) -> Reply {
        match self.judge(&incoming.raw, now).await {
            Ok(accepted) => self.keep(incoming, accepted, now).await,
            Err(rejected) => turn_away(&incoming, &rejected),
        }
    }

    /// The postmaster's mails leave the disk the room that the queue needs.
    async fn keep_for_postmaster(&self, incoming: &IncomingMail, now: u64) -> Reply {
        if let Err(error) = self.queue.check() {
            return no_room(incoming, &error);
        }
        if let Err(error) = self.postmaster.keep(incoming, now).await {
            return put_off(incoming, "postmaster", no_room_for_postmaster(&error));
        }
        log(incoming, "postmaster", "", "");
        let text = format!("Taken as {} for the postmaster.", incoming.trace);
        Reply::new(250, "2.0.0", text)
    }

    /// One run of the verifier; a second one only where a key that was kept does not fit and a newer one is
    /// there.
    async fn judge(&self, raw: &[u8], now: u64) -> Result<Accepted, Rejected> {
        let rules = Rules {
            own: &self.own,
            network: self.network,
            now,
            unproven: self.unproven,
        };
        let keys = self.keys.of_mail(raw, Freshness::Kept, now).await;
        let ruling = judge(raw, &rules, &keys);
        let may_change = matches!(&ruling, Err(rejected) if is_of_key(rejected.rule));
        if !may_change || !keys.has_kept {
            return ruling;
        }
        let fresh = self.keys.of_mail(raw, Freshness::Fresh, now).await;
        if fresh.agree(&keys) {
            return ruling;
        }
        judge(raw, &rules, &fresh)
    }

    async fn keep(&self, mut incoming: IncomingMail, accepted: Accepted, now: u64) -> Reply {
        let bytes = incoming.raw.len();
        if accepted.dkim == Dkim::Proven
            && let Err(over) = self.allowance().check_proven(accepted.from.as_str(), bytes, now)
        {
            return put_off(&incoming, over.what.as_str(), over_limit(451, over));
        }
        let reserved = self.auth.as_ref().and_then(|auth| auth.reserve(&incoming));
        let entry = entry(&incoming, accepted, now);
        let next = self.what_happens_next(&entry);
        let id = entry.id;
        let proven = (entry.dkim == Dkim::Proven).then(|| entry.from.clone());
        let raw = std::mem::take(&mut incoming.raw);
        match self.queue.put(entry, raw).await {
            Ok(Put::New) => {
                // A copy does not count: otherwise anyone who has seen a mail could use up its sender's hour
                // with copies.
                if let Some(from) = proven {
                    self.allowance().take_proven(from.as_str(), bytes, now);
                }
                if let (Some(auth), Some(reserved)) = (&self.auth, reserved) {
                    auth.start(reserved, id, self.queue.clone());
                }
                taken(&incoming, "taken", &id.to_string());
                Reply::new(250, "2.0.0", format!("Taken as {}. {next}", incoming.trace))
            }
            Ok(Put::Known(state, trace)) => {
                taken(&incoming, "known", &id.to_string());
                let state = state.as_str();
                let text = format!("Here already as {trace} ({state}); nothing is done twice.");
                Reply::new(250, "2.0.0", text)
            }
            Err(error) => no_room(&incoming, &error),
        }
    }

    fn what_happens_next(&self, entry: &Entry) -> &'static str {
        match (entry.dkim, self.has_notices && entry.may_answer) {
            (Dkim::Unproven, _) => {
                "Your provider's key is not known here yet; the nodes will look it up and decide."
            }
            (Dkim::Proven, true) => "You will get an answer by email.",
            (Dkim::Proven, false) => "You will get no answer by email; check your account instead.",
        }
    }
}

impl MailHandler for Intake {
    fn check_peer(&self, peer: &Peer) -> Result<(), Reply> {
        let checked = self.allowance().check_network(peer.ip, (self.clock)());
        checked.map_err(|over| over_limit(421, over))
    }

    fn check_sender(&self, peer: &Peer, reverse_path: &str) -> Result<(), Reply> {
        let checked = self.allowance().check_path(peer.ip, reverse_path, (self.clock)());
        checked.map_err(|over| over_limit(451, over))
    }

    fn check_recipient(&self, _: &Peer, recipient: &str) -> Result<(), Reply> {
        self.own.check_recipient(recipient).map(|_| ())
    }

    /// A panic while one mail is judged puts that mail off, and harms no channel and no other mail.
    fn take(&self, incoming: IncomingMail) -> Taking<'_> {
        Box::pin(async move {
            let (trace, channel) = (incoming.trace.clone(), incoming.peer.channel);
            let received = AssertUnwindSafe(self.receive(incoming)).catch_unwind().await;
            received.unwrap_or_else(|_| {
                tracing::error!(%trace, way = %channel, "judging a mail panicked: a defect of the relay");
                count_put_off(channel, "defect");
                let text =
                    format!("The relay cannot process this mail now (trace {trace}). Try again later.");
                Reply::new(451, "4.3.0", text)
            })
        })
    }
}

fn over_limit(code: u16, over: Exceeded) -> Reply {
    let minutes = over.wait_secs.div_ceil(60).max(1);
    let too_much = over.what.too_much();
    let text = format!("{too_much} in an hour. Try again in {minutes} minutes.");
    Reply::new(code, "4.7.1", text)
}

fn no_room(incoming: &IncomingMail, error: &QueueError) -> Reply {
    tracing::error!(trace = %incoming.trace, %error, "a mail could not be kept");
    match error {
        QueueError::Space(_) => {
            let reply = Reply::new(452, "4.3.1", "The relay's disk is nearly full. Try again later.");
            put_off(incoming, "disk", reply)
        }
        QueueError::Disk(_) | QueueError::Damaged(_) | QueueError::Broken => {
            let reply = Reply::new(
                451,
                "4.3.0",
                "The mail could not be written to disk. Try again later.",
            );
            put_off(incoming, "disk", reply)
        }
        QueueError::Full { .. } => {
            let reply = Reply::new(452, "4.3.1", "Too many mails are waiting here. Try again later.");
            put_off(incoming, "full", reply)
        }
        QueueError::FullOfUnproven { .. } => {
            let text = "Your provider's key was not found, and too many such mails are waiting here. \
                        Try again later.";
            put_off(incoming, "unproven", Reply::new(451, "4.7.5", text))
        }
    }
}

fn no_room_for_postmaster(error: &PostmasterError) -> Reply {
    match error {
        PostmasterError::Full => {
            Reply::new(452, "4.2.2", "The postmaster's mailbox is full. Try again later.")
        }
        PostmasterError::Disk(error) => {
            tracing::error!(%error, "a mail to the postmaster could not be kept");
            Reply::new(
                451,
                "4.3.0",
                "The mail could not be written to disk. Try again later.",
            )
        }
    }
}

/// One line for each mail, without addresses.
fn log(incoming: &IncomingMail, verdict: &str, rule: &str, id: &str) {
    tracing::info!(trace = %incoming.trace, way = %incoming.peer.channel, verdict, rule, id, "mail");
}

fn taken(incoming: &IncomingMail, verdict: &str, id: &str) {
    log(incoming, verdict, "", id);
    let channel = incoming.peer.channel.to_string();
    metrics::counter!(meter::LETTERS_TAKEN, "way" => channel).increment(1);
}

fn put_off(incoming: &IncomingMail, why: &'static str, reply: Reply) -> Reply {
    log(incoming, "put off", why, "");
    count_put_off(incoming.peer.channel, why);
    reply
}

fn count_put_off(channel: Channel, why: &'static str) {
    metrics::counter!(meter::LETTERS_PUT_OFF, "way" => channel.to_string(), "why" => why).increment(1);
}

fn turn_away(incoming: &IncomingMail, rejected: &Rejected) -> Reply {
    let reply = rejected.reply(&incoming.trace);
    if reply.is_later() {
        return put_off(incoming, "key", reply);
    }
    log(incoming, "refused", rejected.rule.as_str(), "");
    let channel = incoming.peer.channel.to_string();
    metrics::counter!(meter::LETTERS_REFUSED, "way" => channel, "rule" => rejected.rule.as_str())
        .increment(1);
    reply
}

fn entry(incoming: &IncomingMail, accepted: Accepted, now: u64) -> Entry {
    let reading = thread_of(&incoming.raw);
    Entry {
        may_answer: header::may_answer(incoming, accepted.from.as_str()),
        message_id: reading.message_id,
        thread: reading.thread,
        bytes: u64::try_from(incoming.raw.len()).unwrap_or(u64::MAX),
        id: accepted.id,
        trace: incoming.trace.clone(),
        request: accepted.request,
        instruction: accepted.line,
        from: accepted.from,
        dkim: accepted.dkim,
        channel: incoming.peer.channel,
        received_at: now,
        executable_until: accepted.executable_until,
        next_try: now,
        tries: 0,
        progress: Progress::new(),
        said: Said::default(),
        auth_results: None,
    }
}

#[cfg(test)]
mod tests;
