//! Sends what the outbox holds: through the smarthost over a few connections, or straight to the receivers'
//! mail servers, a lane for each domain.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;

use super::desk::{Desk, wait_secs};
use super::lanes::Lanes;
use super::outgoing::{Connection, Smarthost, Way};
use crate::limits::{SMARTHOST_CONNECTIONS_MAX, SMARTHOST_WAIT_SECS};
use crate::meter;
use crate::queue::Notice;

/// How long answers are gathered, so that several go over one connection.
const GATHER: Duration = Duration::from_millis(100);
/// How long at most until the outbox is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What came of a look at the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// Nothing is due.
    Idle,
    /// All that was due was dealt with, or is being dealt with; there may be more.
    Worked,
    /// The smarthost cannot be reached, or the disk not be written. What is left waits.
    Down,
}

/// Sends answers.
pub struct Sender {
    desk: Arc<Desk>,
    exit: Exit,
    reach: Arc<Reach>,
}

/// Whether answers can be handed over, for metrics and readiness.
#[derive(Debug, Default)]
pub struct Reach(AtomicBool);

impl Reach {
    /// Whether the last attempt to hand over failed.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn note(&self, pass: Pass) {
        let is_down = match pass {
            Pass::Idle => return,
            Pass::Worked => false,
            Pass::Down => true,
        };
        self.0.store(is_down, Ordering::Relaxed);
        metrics::gauge!(meter::SMARTHOST_UP).set(if is_down { 0.0 } else { 1.0 });
    }
}

enum Exit {
    Smarthost(Smarthost),
    Direct(Lanes),
}

impl Sender {
    /// Sends what the desk's queue holds.
    #[must_use]
    pub fn new(desk: Desk, way: Way) -> Sender {
        let desk = Arc::new(desk);
        let exit = match way {
            Way::Smarthost(smarthost) => Exit::Smarthost(smarthost),
            Way::Direct(direct) => Exit::Direct(Lanes::new(Arc::clone(&desk), direct)),
        };
        let reach = Arc::default();
        Sender { desk, exit, reach }
    }

    /// With somebody who looks at whether answers can be handed over.
    #[must_use]
    pub fn noting(mut self, reach: Arc<Reach>) -> Sender {
        self.reach = reach;
        self
    }

    /// Sends until `stop` says true, or its other side is gone. What was begun is finished.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut changes = self.desk.queue.changes();
        let mut failures = 0;
        while !*stop.borrow() {
            let pass = self.pass(&stop).await;
            self.reach.note(pass);
            let wait = match pass {
                Pass::Worked => {
                    failures = 0;
                    GATHER
                }
                Pass::Idle => LOOK_AGAIN,
                Pass::Down => {
                    failures += 1;
                    Duration::from_secs(wait_secs(failures, SMARTHOST_WAIT_SECS))
                }
            };
            let is_down = failures > 0;
            tokio::select! {
                changed = stop.changed() => if changed.is_err() { break },
                () = tokio::time::sleep(wait) => {}
                _ = changes.changed(), if !is_down => tokio::time::sleep(GATHER).await,
            }
        }
        self.settle().await;
    }

    /// Waits until nothing is being sent.
    pub(super) async fn settle(&mut self) {
        match &mut self.exit {
            Exit::Direct(lanes) => lanes.end().await,
            Exit::Smarthost(_) => {}
        }
    }

    /// One look at the outbox.
    pub async fn pass(&mut self, stop: &watch::Receiver<bool>) -> Pass {
        let (to_send, has_work) = match self.desk.due().await {
            Ok(due) => due,
            Err(error) => return cannot_write(&error),
        };
        if !has_work {
            return Pass::Idle;
        }
        match &mut self.exit {
            Exit::Direct(lanes) => match lanes.take_up(to_send, stop).await {
                Ok(()) => Pass::Worked,
                Err(error) => cannot_write(&error),
            },
            Exit::Smarthost(smarthost) => {
                let share = to_send.len().div_ceil(SMARTHOST_CONNECTIONS_MAX).max(1);
                let (desk, smarthost) = (&*self.desk, &*smarthost);
                let lanes = to_send
                    .chunks(share)
                    .map(|lane| send_all(desk, smarthost, lane, stop));
                match join_all(lanes).await.contains(&Pass::Down) {
                    true => Pass::Down,
                    false => Pass::Worked,
                }
            }
        }
    }
}

fn cannot_write(error: &crate::queue::QueueError) -> Pass {
    tracing::error!(%error, "the outbox cannot be written; answers wait");
    Pass::Down
}

/// Sends one after the other over one connection to the smarthost.
async fn send_all(
    desk: &Desk,
    smarthost: &Smarthost,
    notices: &[Notice],
    stop: &watch::Receiver<bool>,
) -> Pass {
    let mut open: Option<Connection> = None;
    for notice in notices {
        if *stop.borrow() {
            break;
        }
        let mut connection = match open.take().filter(Connection::is_usable) {
            Some(connection) => connection,
            None => match smarthost.connect().await {
                Ok(connection) => connection,
                Err(error) => {
                    tracing::warn!(%error, "no connection to the smarthost; answers wait");
                    return Pass::Down;
                }
            },
        };
        let sent = desk.send(notice.clone(), &mut connection).await;
        open = Some(connection);
        if let Err(error) = sent {
            return cannot_write(&error);
        }
    }
    if let Some(connection) = open {
        connection.close().await;
    }
    Pass::Worked
}

#[cfg(test)]
pub(super) mod tests;
