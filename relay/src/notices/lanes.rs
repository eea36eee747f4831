//! Lanes to the mail servers of receivers' domains: one connection for each domain at a time, so that a server
//! that is slow or away holds up its own domain's answers alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use super::desk::Desk;
use super::outgoing::{Connection, Direct};
use crate::limits::{DIRECT_DOMAINS_MAX, LANE_LEASE_SECS};
use crate::queue::{Notice, QueueError};

/// All lanes.
pub(super) struct Lanes {
    desk: Arc<Desk>,
    direct: Arc<Direct>,
    tasks: JoinSet<()>,
    busy: BTreeMap<String, AbortHandle>,
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
        self.busy.retain(|_, lane| !lane.is_finished());
        let mut by_domain: BTreeMap<String, Vec<Notice>> = BTreeMap::new();
        for notice in notices {
            let domain = notice.to.rsplit_once('@').map_or("", |(_, domain)| domain);
            by_domain
                .entry(domain.to_ascii_lowercase())
                .or_default()
                .push(notice);
        }
        for (domain, mut notices) in by_domain {
            let is_busy = self.busy.contains_key(&domain);
            if !is_busy && self.busy.len() >= DIRECT_DOMAINS_MAX {
                continue;
            }
            // They leave the head of the outbox, where other domains' are looked for meanwhile.
            for notice in &mut notices {
                notice.next_try = (self.desk.clock)() + LANE_LEASE_SECS;
                self.desk.queue.set_notice(notice.clone()).await?;
            }
            if !is_busy {
                let lane = send_all(
                    Arc::clone(&self.desk),
                    Arc::clone(&self.direct),
                    domain.clone(),
                    notices,
                    stop.clone(),
                );
                self.busy.insert(domain, self.tasks.spawn(lane));
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
    let mut open: Option<Connection> = None;
    let mut left = notices.into_iter();
    while let Some(mut notice) = left.next() {
        if *stop.borrow() {
            break;
        }
        let mut connection = match open.take().filter(Connection::is_usable) {
            Some(connection) => connection,
            None => match direct.connect(domain).await {
                Ok(connection) => connection,
                Err(error) => {
                    let word = error.to_string();
                    for mut notice in std::iter::once(notice).chain(left) {
                        if error.is_final() {
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
        notice.next_try = (desk.clock)();
        desk.send(notice, &mut connection).await?;
        open = Some(connection);
    }
    if let Some(connection) = open {
        connection.close().await;
    }
    Ok(())
}

#[cfg(test)]
#[path = "lanes_tests.rs"]
mod tests;
