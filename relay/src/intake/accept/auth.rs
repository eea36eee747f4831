//! SPF, DMARC and ARC results, for the log alone: looked up after the mail was taken, by few tasks at a time,
//! and left out where those are busy. They decide nothing.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use dns::Resolver;
use mail_auth::dmarc::Policy;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{
    AuthenticatedMessage, DkimResult, DmarcResult, MessageAuthenticator, SpfOutput, SpfResult,
    dmarc::verify::DmarcParameters,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::header;
use super::limits::network_of;
use crate::limits::{AUTH_RESULTS_BYTES_MAX, AUTH_SECS_MAX, AUTH_SIGNATURES_MAX, AUTH_TASKS_MAX};
use crate::mail::IncomingMail;
use crate::meter;
use crate::queue::{MailId, Queue};

/// Looks results up in the background.
pub struct Auth {
    authenticator: MessageAuthenticator,
    hostname: Arc<str>,
    places: Arc<Semaphore>,
}

/// What the results are about.
struct Job {
    /// The client, where it is not of this machine.
    ip: Option<IpAddr>,
    helo: String,
    reverse_path: String,
    raw: Vec<u8>,
}

/// A job with its place in the pool.
pub struct Reserved {
    job: Job,
    place: OwnedSemaphorePermit,
}

impl Auth {
    /// With the relay's resolver; `hostname` is the relay's own name.
    #[must_use]
    pub fn new(resolver: &Resolver, hostname: &str) -> Auth {
        Auth {
            authenticator: MessageAuthenticator(resolver.for_mail_auth()),
            hostname: hostname.into(),
            places: Arc::new(Semaphore::new(AUTH_TASKS_MAX)),
        }
    }

    /// Copies what it needs of a mail, if there is a free place.
    #[must_use]
    pub fn reserve(&self, incoming: &IncomingMail) -> Option<Reserved> {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            metrics::counter!(meter::AUTH_LEFT_OUT).increment(1);
            return None;
        };
        let job = Job {
            ip: incoming.peer.ip.filter(|ip| network_of(*ip).is_some()),
            helo: incoming.peer.helo.clone(),
            reverse_path: incoming.reverse_path().to_owned(),
            raw: incoming.raw.clone(),
        };
        Some(Reserved { job, place })
    }

    /// Looks the results up and adds them to the entry.
    pub fn start(&self, reserved: Reserved, id: MailId, queue: Queue) {
        let authenticator = self.authenticator.clone();
        let hostname = Arc::clone(&self.hostname);
        tokio::spawn(async move {
            let Reserved { job, place } = reserved;
            let patience = Duration::from_secs(AUTH_SECS_MAX);
            let Ok(text) = tokio::time::timeout(patience, results(&authenticator, &hostname, &job)).await
            else {
                metrics::counter!(meter::AUTH_LEFT_OUT).increment(1);
                return;
            };
            let change = queue.change(
                id,
                Box::new(move |entry| {
                    entry.auth_results = Some(text);
                    Vec::new()
                }),
            );
            if let Err(error) = change.await {
                tracing::debug!(%id, %error, "SPF, DMARC and ARC results were not kept");
            }
            drop(place);
        });
    }
}

/// `spf=pass domain=a.example; dmarc=pass policy=reject domain=a.example; arc=none`.
async fn results(authenticator: &MessageAuthenticator, hostname: &str, job: &Job) -> String {
    let spf = match job.ip {
        Some(ip) => {
            let parameters = SpfParameters::verify(ip, &job.helo, hostname, &job.reverse_path);
            authenticator.verify_spf(parameters).await
        }
        None => SpfOutput::new(String::new()),
    };
    let mut text = format!("spf={}{}", spf_word(spf.result()), shown_domain(spf.domain()));
    if header::signatures(&job.raw) > AUTH_SIGNATURES_MAX {
        return text;
    }
    let Some(message) = AuthenticatedMessage::parse(&job.raw) else {
        return text;
    };
    let dkim = authenticator.verify_dkim(&message).await;
    let sender_domain = job.reverse_path.rsplit('@').next().unwrap_or_default();
    let parameters = DmarcParameters::new(&message, &dkim, sender_domain, &spf);
    let dmarc = authenticator.verify_dmarc(parameters).await;
    text.push_str(&format!(
        "; dmarc={} policy={}{}",
        dmarc_word(&dmarc.result()),
        policy_word(dmarc.policy()),
        shown_domain(dmarc.domain()),
    ));
    let arc = dkim_word(authenticator.verify_arc(&message).await.result());
    text.push_str(&format!("; arc={arc}"));
    text.chars().take(AUTH_RESULTS_BYTES_MAX).collect()
}

fn shown_domain(domain: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if domain.is_empty() || !domain.chars().all(is_plain) {
        return String::new();
    }
    format!(" domain={domain}")
}

fn spf_word(result: SpfResult) -> &'static str {
    match result {
        SpfResult::Pass => "pass",
        SpfResult::Fail => "fail",
        SpfResult::SoftFail => "softfail",
        SpfResult::Neutral => "neutral",
        SpfResult::TempError => "temperror",
        SpfResult::PermError => "permerror",
        SpfResult::None => "none",
    }
}

fn dmarc_word(result: &DmarcResult) -> &'static str {
    match result {
        DmarcResult::Pass => "pass",
        DmarcResult::Fail(_) => "fail",
        DmarcResult::TempError(_) => "temperror",
        DmarcResult::PermError(_) => "permerror",
        DmarcResult::None => "none",
    }
}

fn policy_word(policy: Policy) -> &'static str {
    match policy {
        Policy::None => "none",
        Policy::Quarantine => "quarantine",
        Policy::Reject => "reject",
        Policy::Unspecified => "unspecified",
    }
}

fn dkim_word(result: &DkimResult) -> &'static str {
    match result {
        DkimResult::Pass => "pass",
        DkimResult::Neutral(_) => "neutral",
        DkimResult::Fail(_) => "fail",
        DkimResult::PermError(_) => "permerror",
        DkimResult::TempError(_) => "temperror",
        DkimResult::None => "none",
    }
}
