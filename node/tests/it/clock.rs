//! A wall clock that is set while the node runs, or before it starts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use codec::CloseTime;
use node::{Clock, Node};
use rpc::api::{ClockFault, MailState, Node as _};
use tempfile::TempDir;

use crate::world::{CLOCK, Keys, config, operator, vector_mail};

const MONTH: u32 = 30 * 86_400;

/// Hands that a test moves: the wall clock, and the one that nobody can set.
#[derive(Clone, Default)]
struct Hands {
    set_ahead_secs: Arc<AtomicU32>,
    passed_secs: Arc<AtomicU32>,
}

impl Clock for Hands {
    fn now(&self) -> CloseTime {
        let secs = self.passed_secs.load(Ordering::SeqCst) + self.set_ahead_secs.load(Ordering::SeqCst);
        CloseTime::new(CLOCK + secs)
    }

    fn steady_secs(&self) -> u64 {
        u64::from(self.passed_secs.load(Ordering::SeqCst))
    }
}

impl Hands {
    fn pass(&self, secs: u32) {
        self.passed_secs.fetch_add(secs, Ordering::SeqCst);
    }

    fn set_ahead(&self, secs: u32) {
        self.set_ahead_secs.store(secs, Ordering::SeqCst);
    }
}

fn start(folder: &TempDir, hands: &Hands) -> Node {
    let clock = Arc::new(hands.clone());
    let keys = Arc::new(Keys::vectors());
    let runtime = tokio::runtime::Handle::current();
    Node::start(&config(folder.path()), clock, keys, runtime).expect("starts")
}

/// Close a ledger and answer its close time, and what the node says of its clock.
async fn close(node: &Node) -> (u32, Option<ClockFault>) {
    let node = node.clone();
    let closing = tokio::task::spawn_blocking(move || {
        node.accept_ledger().expect("closed");
        node.server().expect("an answer")
    });
    let server = closing.await.expect("no panic");
    (server.validated.close_time.seconds(), server.clock)
}

async fn send(node: &Node, mail: &str) -> (Option<MailState>, Option<ClockFault>) {
    let (node, mail) = (node.clone(), vector_mail(mail));
    let mode = rpc::api::SubmitMode::Submit;
    let request = rpc::api::SubmitEmail { mail, mode };
    let sending = tokio::task::spawn_blocking(move || node.submit_email(request, &operator()));
    let answer = sending.await.expect("no panic").expect("an answer");
    (answer.status.map(|status| status.state), answer.clock)
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_a_clock_that_is_a_month_ahead_for_a_ledger_and_keeps_the_ledger_usable() {
    let (folder, hands) = (tempfile::tempdir().expect("a folder"), Hands::default());
    let node = start(&folder, &hands);
    hands.set_ahead(MONTH);
    hands.pass(60);
    let (closed, fault) = close(&node).await;
    assert!(closed < CLOCK + 600, "{closed}");
    assert!(matches!(fault, Some(ClockFault::Jumped { .. })), "{fault:?}");
    let (state, fault) = send(&node, "c044.eml").await;
    assert_eq!(state, Some(MailState::Kept));
    assert!(
        matches!(fault, Some(ClockFault::Jumped { .. })),
        "it is told to those who submit"
    );
    hands.set_ahead(0);
    hands.pass(60);
    assert_eq!(close(&node).await.1, None);
    hands.pass(60);
    close(&node).await;
    assert_eq!(send(&node, "c044.eml").await.0, Some(MailState::Validated));
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_clock_that_stays_where_it_was_set() {
    let (folder, hands) = (tempfile::tempdir().expect("a folder"), Hands::default());
    let node = start(&folder, &hands);
    hands.set_ahead(MONTH);
    assert!(close(&node).await.1.is_some());
    hands.pass(600);
    let (closed, fault) = close(&node).await;
    assert_eq!(fault, None);
    assert!(closed.abs_diff(CLOCK + MONTH + 600) < 60, "{closed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_a_month_away_at_the_start_and_tells_a_ledger_that_is_ahead() {
    let (folder, hands) = (tempfile::tempdir().expect("a folder"), Hands::default());
    drop(start(&folder, &hands));
    hands.set_ahead(MONTH);
    let node = start(&folder, &hands);
    hands.pass(20);
    let (closed, fault) = close(&node).await;
    assert!(closed < CLOCK + 600, "{closed}");
    assert!(matches!(fault, Some(ClockFault::Jumped { .. })), "{fault:?}");
    hands.pass(600);
    let (closed, fault) = close(&node).await;
    assert_eq!(
        (closed > CLOCK + MONTH, fault),
        (true, None),
        "it was away for so long"
    );
    drop(node);
    hands.set_ahead(0);
    let node = start(&folder, &hands);
    let fault = node.server().expect("an answer").clock;
    assert!(matches!(fault, Some(ClockFault::Behind { .. })), "{fault:?}");
}
