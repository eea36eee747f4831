//! Lanes to the mail servers of receivers' domains: one connection for each domain at a time, so that a server
//! that is slow or away holds up its own domain's answers alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, timeout};

use super::desk::Desk;
use super::outgoing::{Connection, Direct};
use crate::limits::{
    DIRECT_CONNECT_SECS_MAX, DIRECT_DOMAINS_MAX, LANE_BUSY_SECS, LANE_LEASE_SECS, LANE_SECS_MAX,
};
use crate::queue::{MailId, Notice, NoticeKind, QueueError};

/// All lanes.
pub(super) struct Lanes {
    desk: Arc<Desk>,
    direct: Arc<Direct>,
    tasks: JoinSet<()>,
    busy: BTreeMap<String, Lane>,
}

/// A lane at work, and what it has: nobody else writes to that.
struct Lane {
    task: AbortHandle,
    has: BTreeSet<(MailId, NoticeKind)>,
}

impl Lanes {
    pub(super) fn new(desk: Arc<Desk>, direct: Box<Direct>) -> Lanes {
        Lanes {
            desk,
            direct: Arc::from(direct),
            tasks: JoinSet::new(),
            busy: BTreeMap::new(),
        }
    }

    /// Begins to send these, and does not wait for it. Those of a domain whose lane is busy wait.
    pub(super) async fn take_up(
        &mut self,
        notices: Vec<Notice>,
        stop: &watch::Receiver<bool>,
    ) -> Result<(), QueueError> {
        while self.tasks.try_join_next().is_some() {}
        self.busy.retain(|_, lane| !lane.task.is_finished());
        let mut by_domain: BTreeMap<String, Vec<Notice>> = BTreeMap::new();
        for notice in notices {
            let domain = notice.to.rsplit_once('@').map_or("", |(_, domain)| domain);
            by_domain
                .entry(domain.to_ascii_lowercase())
                .or_default()
                .push(notice);
        }
        for (domain, mut notices) in by_domain {
            let lane = self.busy.get(&domain);
            if lane.is_none() && self.busy.len() >= DIRECT_DOMAINS_MAX {
                continue;
            }
            if let Some(lane) = lane {
                notices.retain(|notice| !lane.has.contains(&(notice.about, notice.kind)));
            }
            let wait = lane.map_or(LANE_LEASE_SECS, |_| LANE_BUSY_SECS);
            let is_busy = lane.is_some();
            // They leave the head of the outbox, where other domains' are looked for meanwhile.
            for notice in &mut notices {
                notice.next_try = (self.desk.clock)() + wait;
                self.desk.queue.set_notice(notice.clone()).await?;
            }
            if !is_busy {
                let has = notices.iter().map(|notice| (notice.about, notice.kind)).collect();
                let lane = send_all(
                    Arc::clone(&self.desk),
                    Arc::clone(&self.direct),
                    domain.clone(),
                    notices,
                    stop.clone(),
                );
                let task = self.tasks.spawn(lane);
                self.busy.insert(domain, Lane { task, has });
            }
        }
        Ok(())
    }

    /// Waits until the lanes are empty.
    pub(super) async fn end(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn send_all(
    desk: Arc<Desk>,
    direct: Arc<Direct>,
    domain: String,
    notices: Vec<Notice>,
    stop: watch::Receiver<bool>,
) {
    if let Err(error) = drive(&desk, &direct, &domain, notices, &stop).await {
        tracing::error!(%error, "the outbox cannot be written; answers wait");
    }
}

/// Sends them one after the other. Where no server can be spoken to, all that are left wait, or are withheld
/// where there is no server for good.
async fn drive(
    desk: &Desk,
    direct: &Direct,
    domain: &str,
    notices: Vec<Notice>,
    stop: &watch::Receiver<bool>,
) -> Result<(), QueueError> {
    let begun = Instant::now();
    let mut open: Option<Connection> = None;
    let mut left = notices.into_iter();
    while let Some(mut notice) = left.next() {
        notice.next_try = (desk.clock)();
        if *stop.borrow() || begun.elapsed() > Duration::from_secs(LANE_SECS_MAX) {
            desk.queue.set_notice(notice).await?;
            continue;
        }
        let mut connection = match open.take().filter(Connection::is_usable) {
            Some(connection) => connection,
            None => match connect(direct, domain).await {
                Ok(connection) => connection,
                Err((word, is_final)) => {
                    for mut notice in std::iter::once(notice).chain(left) {
                        if is_final {
                            desk.withhold(notice, "refused", word.clone()).await?;
                        } else {
                            notice.tries = notice.tries.saturating_add(1);
                            desk.put_off(notice, word.clone()).await?;
                        }
                    }
                    return Ok(());
                }
            },
        };
        desk.send(notice, &mut connection).await?;
        open = Some(connection);
    }
    if let Some(connection) = open {
        connection.close().await;
    }
    Ok(())
}

/// A connection; else why there is none, and whether there will be none later either.
async fn connect(direct: &Direct, domain: &str) -> Result<Connection, (String, bool)> {
    let most = Duration::from_secs(DIRECT_CONNECT_SECS_MAX);
    match timeout(most, direct.connect(domain)).await {
        Ok(connected) => connected.map_err(|error| (error.to_string(), error.is_final())),
        Err(_) => Err((
            format!("no mail server of {domain} speaks within {DIRECT_CONNECT_SECS_MAX} s"),
            false,
        )),
    }
}

#[cfg(test)]
mod tests;
