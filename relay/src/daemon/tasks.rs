//! Tasks that run until one stop.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::limits::DAEMON_STOP_SECS_MAX;

/// Tasks that end together.
pub(super) struct Tasks {
    pub(super) stop: watch::Sender<bool>,
    pub(super) tasks: JoinSet<()>,
}

impl Tasks {
    pub(super) fn new() -> Tasks {
        Tasks {
            stop: watch::Sender::new(false),
            tasks: JoinSet::new(),
        }
    }

    pub(super) fn until_stop(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stop = self.stop.subscribe();
        async move {
            // An error says that the daemon is gone: then it is time too.
            let _ = stop.wait_for(|stop| *stop).await;
        }
    }

    /// Runs until the stop; may be dropped at any moment.
    pub(super) fn spawn_until_stop(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.until_stop();
        self.tasks.spawn(async move {
            tokio::select! {
                () = work => {}
                () = stop => {}
            }
        });
    }

    pub(super) async fn end(mut self, what: &'static str) {
        // All tasks may have ended already; then there is no one to stop.
        let _ = self.stop.send(true);
        let ending = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(Duration::from_secs(DAEMON_STOP_SECS_MAX), ending)
            .await
            .is_err()
        {
            tracing::warn!(
                what,
                "did not end in time and is stopped; accepted mail is on disk"
            );
        }
    }
}
