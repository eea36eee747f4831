//! The whole way at a real node: keys that come late, restarts, many mails, the end of the window.

use std::sync::{Arc, Mutex};

use relay::courier::Courier;
use relay::courier::nodes::{NodeTimes, Nodes};
use relay::notices::Announce;
use relay::queue::{Dkim, Entry, EntryView, Notice, Queue, State};
use rpc::api::Node as _;

use crate::world::{Closes, Hand, Post, TIMES, Working, World, entry, no_keys, put, until, until_state};

#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_mail_from_the_queue_to_a_validated_ledger() {
    let (hand, post) = (Hand::new(), Post::new());
    let node = World::new(&hand, &["alice"]);
    let served = node.serve(post.keys(), Closes::Often).await;
    let queue = Queue::in_memory();
    let working = Working::start(
        &queue,
        std::slice::from_ref(&served.url),
        &hand,
        NodeTimes::default(),
    );
    let mail = post.write("alice", 10, hand.now());
    let mut first = post.entry(&mail, hand.now());
    first.dkim = Dkim::Unproven;
    let id = put(&queue, first, mail).await;
    let paid = until_state(&queue, id, State::Validated).await;
    assert_eq!(paid.code.as_deref(), Some("tesSUCCESS"));
    assert_eq!(paid.amount.as_deref(), Some("10 XAH"));
    assert_eq!((paid.is_first_payment, paid.dkim), (true, Dkim::Proven));
    assert_eq!(paid.node.as_deref(), served.url.strip_prefix("ws://"));
    assert!(
        paid.fee_drops.is_some_and(|drops| drops > 100),
        "a fee for each byte"
    );
    assert!(paid.ledger_index.is_some_and(|index| index > 2));
    assert!(paid.hash.is_some() && paid.final_at.is_some());

    let mail = post.write("alice", 11, hand.now());
    let id = put(&queue, post.entry(&mail, hand.now()), mail).await;
    let second = until_state(&queue, id, State::Validated).await;
    assert_eq!(
        (second.amount.as_deref(), second.is_first_payment),
        (Some("11 XAH"), false)
    );
    working.stop().await;
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_as_success_a_mail_that_another_relay_has_handed_in() {
    let (hand, post) = (Hand::new(), Post::new());
    let node = World::new(&hand, &["alice"]);
    let served = node.serve(post.keys(), Closes::Often).await;
    let mail = post.write("alice", 10, hand.now());
    let mut hashes = Vec::new();
    for _ in 0..2 {
        let queue = Queue::in_memory();
        let working = Working::start(
            &queue,
            std::slice::from_ref(&served.url),
            &hand,
            NodeTimes::default(),
        );
        let id = put(&queue, post.entry(&mail, hand.now()), mail.clone()).await;
        let paid = until_state(&queue, id, State::Validated).await;
        assert_eq!(paid.code.as_deref(), Some("tesSUCCESS"));
        hashes.push((paid.hash, paid.ledger_index));
        working.stop().await;
    }
    assert_eq!(hashes[0], hashes[1], "one transaction");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_mail_whose_key_comes_later_over_a_restart_of_node_and_relay() {
    let (hand, post) = (Hand::new(), Post::new());
    let node = World::new(&hand, &["alice"]);
    let served = node.serve(no_keys(), Closes::Often).await;
    let urls = [served.url.clone()];
    let queue = Queue::in_memory();
    let working = Working::start(&queue, &urls, &hand, TIMES);
    let mail = post.write("alice", 10, hand.now());
    let id = put(&queue, post.entry(&mail, hand.now()), mail).await;
    let kept = until_state(&queue, id, State::Submitted).await;
    assert_eq!(kept.code.as_deref(), Some("terNO_DKIM_KEY"));
    working.stop().await;
    let address = served.stop().await;

    // The relay comes back before the node does.
    let working = Working::start(&queue, &urls, &hand, TIMES);
    hand.pass(60);
    let served = node.serve_again(address, post.keys()).await;
    let paid = until_state(&queue, id, State::Validated).await;
    assert_eq!(paid.code.as_deref(), Some("tesSUCCESS"));
    working.stop().await;
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_all_mails_that_came_while_no_node_was_there_for_an_hour() {
    let (hand, post) = (Hand::new(), Post::new());
    let node = World::new(&hand, &["alice", "carol"]);
    let served = node.serve(post.keys(), Closes::Often).await;
    let urls = [served.url.clone()];
    let address = served.stop().await;
    let queue = Queue::in_memory();
    let working = Working::start(&queue, &urls, &hand, TIMES);
    let mut ids = Vec::new();
    for number in 1..=20 {
        for name in ["alice", "carol"] {
            let mail = post.write(name, number, hand.now());
            ids.push(put(&queue, post.entry(&mail, hand.now()), mail).await);
        }
        hand.pass(180);
    }
    assert!(
        ids.iter().all(|id| entry(&queue, *id).tries == 0),
        "no try is spent on a node that is away"
    );
    let served = node.serve_again(address, post.keys()).await;
    // The key is not on the ledger yet, and the node keeps two mails of an account for that: the others come
    // again.
    let ticking = tick(&hand);
    until(&queue, |queue| queue.counts().get(&State::Validated) == Some(&40)).await;
    ticking.abort();
    working.stop().await;
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_thousand_mails_at_once_each_paid_once() {
    let (hand, post) = (Hand::new(), Post::new());
    let names: Vec<String> = (0..20).map(|number| format!("user{number}")).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.push("alice");
    let node = World::new(&hand, &names);
    let served = node.serve(post.keys(), Closes::ByHand).await;
    let queue = Queue::in_memory();
    let working = Working::start(
        &queue,
        std::slice::from_ref(&served.url),
        &hand,
        NodeTimes::default(),
    );
    // Brings the key to the ledger: without it the node keeps two mails of an account only.
    let mail = post.write("alice", 1, hand.now());
    let id = put(&queue, post.entry(&mail, hand.now()), mail).await;
    until_state(&queue, id, State::Submitted).await;
    served.close().await;
    served.close().await;
    until_state(&queue, id, State::Validated).await;
    names.pop();
    for number in 0..50 {
        for name in &names {
            let mail = post.write(name, 1, hand.now() - number);
            put(&queue, post.entry(&mail, hand.now()), mail).await;
        }
    }
    until(&queue, |queue| {
        queue.counts().get(&State::Submitted) == Some(&1_000)
    })
    .await;
    served.close().await;
    until(&queue, |queue| {
        queue.counts().get(&State::Validated) == Some(&1_001)
    })
    .await;
    let entries = queue.list(&Default::default()).expect("readable");
    let entries: Vec<EntryView> = entries.iter().map(EntryView::from).collect();
    assert!(
        entries
            .iter()
            .all(|entry| entry.code.as_deref() == Some("tesSUCCESS"))
    );
    let hashes: std::collections::BTreeSet<_> = entries.iter().map(|entry| entry.hash.clone()).collect();
    assert_eq!(hashes.len(), 1_001);
    let bob =
        codec::AccountId::parse_classic(entries[0].to_account.as_deref().expect("bob")).expect("an address");
    let root = served
        .node
        .account(bob, rpc::api::LedgerChoice::Validated)
        .expect("there")
        .root;
    let Some(codec::Amount::Native(drops)) = root.amount(codec::sf::BALANCE) else {
        panic!("a balance");
    };
    assert_eq!(
        drops,
        1_002 * 1_000_000,
        "each payment once, and the reserve of the first"
    );
    working.stop().await;
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_a_mail_whose_window_is_over_only_after_a_node_was_asked() {
    let (hand, post) = (Hand::new(), Post::new());
    let node = World::new(&hand, &["alice"]);
    let served = node.serve(no_keys(), Closes::Often).await;
    let urls = [served.url.clone()];
    let queue = Queue::in_memory();
    let mail = post.write("alice", 10, hand.now());
    let id = put(&queue, post.entry(&mail, hand.now()), mail).await;
    let address = served.stop().await;
    let working = Working::start(&queue, &urls, &hand, TIMES);
    hand.pass(6 * 86_400);
    let served = node.serve_again(address, no_keys()).await;
    let ticking = tick(&hand);
    let over = until_state(&queue, id, State::Expired).await;
    ticking.abort();
    assert!(over.node.is_some() && over.code.is_some() && over.final_at.is_some());
    assert!(over.fix.expect("a fix").contains("again"));
    working.stop().await;
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_to_pay_from_an_account_that_does_not_exist_until_it_does() {
    let (hand, post) = (Hand::new(), Post::new());
    let node = World::new(&hand, &["alice"]);
    let served = node.serve(post.keys(), Closes::Often).await;
    let queue = Queue::in_memory();
    let working = Working::start(
        &queue,
        std::slice::from_ref(&served.url),
        &hand,
        NodeTimes::default(),
    );
    let mail = post.write("nobody", 10, hand.now());
    let id = put(&queue, post.entry(&mail, hand.now()), mail).await;
    until(&queue, |queue| entry(queue, id).tries > 0).await;
    let waiting = entry(&queue, id);
    assert_eq!(
        (waiting.state, waiting.code.as_deref()),
        (State::Received, Some("terNO_ACCOUNT"))
    );
    assert_eq!(waiting.rule.as_deref(), Some("10"));
    assert!(waiting.fix.expect("a fix").contains("send XAH to your address"));
    assert!(waiting.next_try > hand.now());
    working.stop().await;
    served.stop().await;
}

/// Lets time go by quickly.
fn tick(hand: &Hand) -> tokio::task::JoinHandle<()> {
    let hand = hand.clone();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(std::time::Duration::from_millis(200));
        loop {
            ticks.tick().await;
            hand.pass(5);
        }
    })
}

/// Remembers each change.
#[derive(Default)]
struct Diary(Mutex<Vec<(State, State)>>);

impl Announce for Diary {
    fn announce(&self, before: &Entry, after: &Entry, _now: u64) -> Vec<Notice> {
        self.0
            .lock()
            .expect("unpoisoned")
            .push((before.state(), after.state()));
        Vec::new()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_one_announcement_for_each_change_and_asks_nothing_while_idle() {
    let (hand, post) = (Hand::new(), Post::new());
    let node = World::new(&hand, &["alice"]);
    let served = node.serve(post.keys(), Closes::ByHand).await;
    let queue = Queue::in_memory();
    let diary = Arc::new(Diary::default());
    let nodes = Arc::new(Nodes::new(
        std::slice::from_ref(&served.url),
        crate::world::NETWORK,
    ));
    let courier = Courier::new(queue.clone(), nodes, hand.clock()).announcing(diary.clone());
    let working = Working::run(courier);
    let mail = post.write("alice", 10, hand.now());
    let id = put(&queue, post.entry(&mail, hand.now()), mail).await;
    until_state(&queue, id, State::Submitted).await;
    served.close().await;
    served.close().await;
    until_state(&queue, id, State::Validated).await;
    working.stop().await;
    assert_eq!(
        *diary.0.lock().expect("unpoisoned"),
        [
            (State::Received, State::Submitted),
            (State::Submitted, State::Validated)
        ]
    );
    served.stop().await;
}
