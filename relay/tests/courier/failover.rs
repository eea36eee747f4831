//! Nodes that are away, hang, lie, serve another network or speak nonsense; and mails that break the work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use relay::courier::Courier;
use relay::courier::nodes::{NodeError, NodeTimes, Nodes};
use relay::notices::{Announce, Announcer, Ask, AskError, Asking, NoticeRules};
use relay::queue::{Entry, EntryView, Hold, MailId, Notice, NoticeKind, Progress, Queue, Request, State};
use rpc::methods::PingRequest;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use crate::fake::{Fake, Says, closed_at, info, said, well};
use crate::world::{Closes, Hand, NETWORK, Post, TIMES, Working, World, entry, put, until, until_state};

async fn put_mail(queue: &Queue, post: &Post, hand: &Hand, amount: u32) -> MailId {
    let mail = post.write("alice", amount, hand.now());
    put(queue, post.entry(&mail, hand.now()), mail).await
}

/// An address at which no one listens.
async fn nobody() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    format!("ws://{}", listener.local_addr().expect("bound"))
}

/// Sends a mail to a bad node first and a real one second.
async fn paid_by_the_second(first: String) -> EntryView {
    let (hand, post) = (Hand::new(), Post::new());
    let world = World::new(&hand, &["alice"]);
    let served = world.serve(post.keys(), Closes::Often).await;
    let queue = Queue::in_memory();
    let working = Working::start(&queue, &[first, served.url.clone()], &hand, TIMES);
    let id = put_mail(&queue, &post, &hand, 10).await;
    let paid = until_state(&queue, id, State::Validated).await;
    assert_eq!(paid.node.as_deref(), served.url.strip_prefix("ws://"));
    assert_eq!(paid.code.as_deref(), Some("tesSUCCESS"));
    working.stop().await;
    served.stop().await;
    paid
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_the_second_node_where_the_first_is_away() {
    paid_by_the_second(nobody().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_the_second_node_where_the_first_hangs() {
    let silent = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let url = format!("ws://{}", silent.local_addr().expect("bound"));
    paid_by_the_second(url).await;
    let fake = Fake::start(|method, _| match method {
        "server_info" => well(),
        _ => Says::Nothing,
    })
    .await;
    paid_by_the_second(fake.url.clone()).await;
    assert!(fake.asked("submit_email") >= 1);
    let fake = Fake::start(|method, _| match method {
        "server_info" => well(),
        _ => Says::Goodbye,
    })
    .await;
    paid_by_the_second(fake.url.clone()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_the_second_node_where_the_first_refuses_or_speaks_nonsense() {
    for script in [
        |_: &Value| said("tefEMAIL_DISABLED", json!("failed")),
        |_: &Value| said("temMALFORMED", json!("failed")),
        |_: &Value| said("terNO_ACCOUNT", Value::Null),
        |_: &Value| Says::Error("tooBusy"),
        |_: &Value| Says::Error("unknownCmd"),
        |_: &Value| Says::Raw("]["),
        |_: &Value| Says::Result(json!({"engine_result": {"deep": []}})),
    ] {
        let fake = Fake::start(move |method, request| match method {
            "server_info" => well(),
            _ => script(request),
        })
        .await;
        paid_by_the_second(fake.url.clone()).await;
        assert!(fake.asked("submit_email") >= 1);
    }
}

/// A node that says "validated" must show the transaction of this very mail.
#[tokio::test(flavor = "multi_thread")]
async fn rejects_the_transaction_of_somebody_else() {
    let fake = Fake::start(|method, _| match method {
        "server_info" => well(),
        "submit_email" => said("tefEMAIL_REPLAY", json!("validated")),
        _ => Says::Result(json!({
            "state": "validated", "validated": true, "hash": "A".repeat(64), "ledger_index": 7,
            "Account": "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", "meta": {"TransactionResult": "tesSUCCESS"},
        })),
    })
    .await;
    paid_by_the_second(fake.url.clone()).await;
    assert!(fake.asked("tx") >= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_nodes_of_another_network_or_behind_theirs() {
    for (network, state, age_secs) in [
        (NETWORK + 1, "full", 2),
        (NETWORK, "syncing", 2),
        (NETWORK, "full", 301),
    ] {
        let fake = Fake::start(move |method, _| match method {
            "server_info" => info(network, state, age_secs),
            _ => said("tefEMAIL_DISABLED", json!("failed")),
        })
        .await;
        paid_by_the_second(fake.url.clone()).await;
        assert_eq!(fake.asked("submit_email"), 0, "{network} {state} {age_secs}");
        let nodes = Nodes::with_times(std::slice::from_ref(&fake.url), NETWORK, TIMES);
        let refused = nodes.request_at(0, "ping", &Map::new()).await;
        assert!(matches!(refused, Err(NodeError::Down(_))), "{refused:?}");
        let (name, failure) = nodes.states().remove(0);
        assert!(failure.is_some(), "{name} is not fit");
        let again = nodes.call(&PingRequest).await.expect_err("it rests");
        assert_eq!(again.errors, [(name, NodeError::Resting)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_a_mail_that_the_only_node_there_refuses_with_its_rule_and_fix() {
    let fake = Fake::start(|method, _| match method {
        "server_info" => well(),
        _ => said("tefEMAIL_DISABLED", json!("failed")),
    })
    .await;
    let (hand, post, queue) = (Hand::new(), Post::new(), Queue::in_memory());
    let urls = [nobody().await, fake.url.clone()];
    let working = Working::start(&queue, &urls, &hand, TIMES);
    let id = put_mail(&queue, &post, &hand, 10).await;
    // The first node is away and might take it: it is given some time.
    for tries in 1..=2 {
        until(&queue, |queue| entry(queue, id).tries == tries).await;
        assert_eq!(entry(&queue, id).state, State::Received);
        hand.pass(60);
    }
    let refused = until_state(&queue, id, State::Refused).await;
    assert_eq!(
        (refused.code.as_deref(), refused.rule.as_deref()),
        (Some("tefEMAIL_DISABLED"), Some("11"))
    );
    assert!(refused.fix.is_some());
    working.stop().await;
}

/// A request that got no answer may have been carried out: a refusal by another node is not the last word
/// then.
#[tokio::test(flavor = "multi_thread")]
async fn rejects_to_refuse_a_mail_that_a_silent_node_may_have_taken() {
    let is_back = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&is_back);
    let silent = Fake::start(move |method, _| match method {
        "server_info" => well(),
        "submit_email" if told.load(Ordering::SeqCst) => said("tesSUCCESS", json!("submitted")),
        "tx" => Says::Result(json!({"state": "submitted"})),
        _ => Says::Nothing,
    })
    .await;
    let refusing = Fake::start(|method, _| match method {
        "server_info" => well(),
        _ => said("tefEMAIL_DISABLED", json!("failed")),
    })
    .await;
    let (hand, post, queue) = (Hand::new(), Post::new(), Queue::in_memory());
    let urls = [silent.url.clone(), refusing.url.clone()];
    let nodes = Arc::new(Nodes::with_times(&urls, NETWORK, TIMES));
    let working = Working::run(Courier::new(queue.clone(), Arc::clone(&nodes), hand.clock()));
    let id = put_mail(&queue, &post, &hand, 10).await;
    until(&queue, |queue| entry(queue, id).tries > 0).await;
    assert_eq!(entry(&queue, id).state, State::Received);
    is_back.store(true, Ordering::SeqCst);
    while nodes.request_at(0, "submit_email", &Map::new()).await.is_err() {
        tokio::task::yield_now().await;
    }
    hand.pass(600);
    until_state(&queue, id, State::Submitted).await;
    working.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_full_node_again_later() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let fake = Fake::start(move |method, _| match method {
        "server_info" => well(),
        "submit_email" => match counted.fetch_add(1, Ordering::SeqCst) {
            0 => Says::Error("tooBusy"),
            1 => said("telCAN_NOT_QUEUE_FULL", json!("failed")),
            2 => said("tefEMAIL_FULL", json!("failed")),
            _ => said("tesSUCCESS", json!("submitted")),
        },
        _ => Says::Result(json!({"state": "submitted"})),
    })
    .await;
    let (hand, post, queue) = (Hand::new(), Post::new(), Queue::in_memory());
    let working = Working::start(
        &queue,
        std::slice::from_ref(&fake.url),
        &hand,
        NodeTimes::default(),
    );
    let id = put_mail(&queue, &post, &hand, 10).await;
    for tries in 1..=3 {
        until(&queue, |queue| entry(queue, id).tries == tries).await;
        assert_eq!(entry(&queue, id).state, State::Received);
        hand.pass(60);
    }
    until_state(&queue, id, State::Submitted).await;
    working.stop().await;
}

/// A node that has a mail still has it when it is silent for a while.
#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_submitted_mail_as_submitted_while_its_node_is_silent() {
    let is_silent = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&is_silent);
    let fake = Fake::start(move |method, _| match method {
        "server_info" => well(),
        _ if told.load(Ordering::SeqCst) => Says::Nothing,
        "submit_email" => said("tesSUCCESS", json!("submitted")),
        _ => Says::Result(json!({"state": "submitted"})),
    })
    .await;
    let (hand, post, queue) = (Hand::new(), Post::new(), Queue::in_memory());
    let working = Working::start(&queue, std::slice::from_ref(&fake.url), &hand, TIMES);
    let id = put_mail(&queue, &post, &hand, 10).await;
    until_state(&queue, id, State::Submitted).await;
    is_silent.store(true, Ordering::SeqCst);
    hand.pass(6 * 86_400);
    until(&queue, |queue| entry(queue, id).tries == 2).await;
    let waiting = entry(&queue, id);
    assert_eq!(
        (waiting.state, waiting.code.as_deref()),
        (State::Submitted, Some("tesSUCCESS"))
    );
    assert!(waiting.word.expect("a word").contains("did not answer"));
    working.stop().await;
}

/// The node answers nonsense to one mail alone.
#[tokio::test(flavor = "multi_thread")]
async fn rejects_a_poison_mail_and_goes_on_with_the_others() {
    let (hand, post, queue) = (Hand::new(), Post::new(), Queue::in_memory());
    let poison = post.write("alice", 666, hand.now());
    let hex = hex::encode_upper(&poison);
    let fake = Fake::start(move |method, request| match method {
        "server_info" => well(),
        "submit_email" if request["email_hex"] == json!(hex) => Says::Raw("{\"id\":"),
        "submit_email" => said("tefEMAIL_DISABLED", json!("failed")),
        _ => Says::Nothing,
    })
    .await;
    let working = Working::start(&queue, std::slice::from_ref(&fake.url), &hand, TIMES);
    let id = put(&queue, post.entry(&poison, hand.now()), poison).await;
    for amount in 1..=4 {
        until(&queue, |queue| entry(queue, id).tries >= amount.min(3)).await;
        let other = put_mail(&queue, &post, &hand, amount).await;
        until_state(&queue, other, State::Refused).await;
        hand.pass(60);
    }
    until(&queue, |queue| entry(queue, id).is_held).await;
    let held = entry(&queue, id);
    assert_eq!(held.state, State::Received);
    assert!(held.word.expect("a reason").contains("not understood"));
    working.stop().await;
}

/// Where a node answers nonsense to everything, that is no mail's fault.
#[tokio::test(flavor = "multi_thread")]
async fn rejects_to_set_mails_aside_for_a_node_that_always_speaks_nonsense() {
    let fake = Fake::start(|method, _| match method {
        "server_info" => well(),
        _ => Says::Raw("nonsense"),
    })
    .await;
    let (hand, post, queue) = (Hand::new(), Post::new(), Queue::in_memory());
    let working = Working::start(&queue, std::slice::from_ref(&fake.url), &hand, TIMES);
    let ids = [
        put_mail(&queue, &post, &hand, 1).await,
        put_mail(&queue, &post, &hand, 2).await,
    ];
    for tries in 1..=6 {
        until(&queue, |queue| {
            ids.iter().all(|id| entry(queue, *id).tries >= tries)
        })
        .await;
        hand.pass(700);
    }
    assert!(
        ids.iter()
            .all(|id| !entry(&queue, *id).is_held && entry(&queue, *id).state == State::Received)
    );
    working.stop().await;
}

/// Breaks at one mail.
struct Breaking(MailId);

impl Announce for Breaking {
    fn announce(&self, before: &Entry, _after: &Entry, _now: u64) -> Vec<Notice> {
        assert_ne!(before.id, self.0, "a defect");
        Vec::new()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_a_mail_that_breaks_the_work_and_goes_on_with_the_others() {
    let (hand, post, queue) = (Hand::new(), Post::new(), Queue::in_memory());
    let fake = Fake::start(|method, _| match method {
        "server_info" => well(),
        _ => said("tefEMAIL_DISABLED", json!("failed")),
    })
    .await;
    let bad = put_mail(&queue, &post, &hand, 13).await;
    let nodes = Arc::new(Nodes::new(std::slice::from_ref(&fake.url), NETWORK));
    let courier = Courier::new(queue.clone(), nodes, hand.clock()).announcing(Arc::new(Breaking(bad)));
    let working = Working::run(courier);
    until(&queue, |queue| entry(queue, bad).is_held).await;
    let good = put_mail(&queue, &post, &hand, 14).await;
    until_state(&queue, good, State::Refused).await;
    working.stop().await;
}

/// A courier that tells senders.
fn telling(queue: &Queue, url: &str, hand: &Hand) -> Courier {
    let nodes = Nodes::with_times(&[url.to_owned()], NETWORK, TIMES);
    let rules = NoticeRules {
        from: "relay@relay.example".to_owned(),
        own: vec!["relay@relay.example".to_owned()],
        hostname: "mx.relay.example".to_owned(),
        network: NETWORK,
        transaction_link: Some("https://ledger.example/{hash}".to_owned()),
    };
    let courier = Courier::new(queue.clone(), Arc::new(nodes), hand.clock());
    courier.announcing(Arc::new(Announcer::new(rules)))
}

fn told(queue: &Queue, id: MailId) -> Vec<NoticeKind> {
    let email_id = entry(queue, id).email_id.expect("an order");
    let answers = queue.notices_about(email_id);
    answers.iter().map(|answer| answer.kind).collect()
}

/// Nothing can be handed in, so nothing is written of the mail; its sender hears of it all the same, once.
#[tokio::test(flavor = "multi_thread")]
async fn accepts_to_tell_that_a_mail_waits_while_no_node_is_there() {
    let (hand, post, queue) = (Hand::new(), Post::new(), Queue::in_memory());
    let early = put_mail(&queue, &post, &hand, 1).await;
    hand.pass(1);
    let late = put_mail(&queue, &post, &hand, 2).await;
    hand.pass(60);
    let working = Working::run(telling(&queue, &nobody().await, &hand));
    until(&queue, |queue| !told(queue, early).is_empty()).await;
    assert_eq!(told(&queue, early), [NoticeKind::Waiting]);
    assert_eq!(told(&queue, late), [], "its minute is not over");
    assert_eq!(entry(&queue, early).tries, 0);
    hand.pass(1);
    until(&queue, |queue| !told(queue, late).is_empty()).await;
    working.stop().await;
}

/// Nobody releases it; its sender hears of its end.
#[tokio::test(flavor = "multi_thread")]
async fn accepts_the_end_of_a_held_mail_when_its_window_is_over() {
    let (hand, post, queue) = (Hand::new(), Post::new(), Queue::in_memory());
    let clock = hand.clone();
    let fake = Fake::start(move |method, _| match method {
        "server_info" => well(),
        "ledger" => closed_at(clock.now()),
        _ => said("terNO_DKIM_KEY", Value::Null),
    })
    .await;
    let over = put_mail(&queue, &post, &hand, 1).await;
    hand.pass(86_400);
    let good = put_mail(&queue, &post, &hand, 2).await;
    for id in [over, good] {
        queue.hold(id, "looks odd".to_owned()).await.expect("held");
    }
    hand.pass(4 * 86_400 + 301);
    let working = Working::run(telling(&queue, &fake.url, &hand));
    until_state(&queue, over, State::Expired).await;
    assert!(told(&queue, over).contains(&NoticeKind::Expired));
    assert_eq!(entry(&queue, good).state, State::Received);
    assert!(entry(&queue, good).is_held);
    working.stop().await;
}

/// The relay's clock is a week ahead for a while, and then right again: nothing has ended, and nothing waits for
/// that week.
#[tokio::test(flavor = "multi_thread")]
async fn rejects_to_end_or_to_put_off_a_mail_by_a_clock_that_is_ahead() {
    let (hand, post, queue) = (Hand::new(), Post::new(), Queue::in_memory());
    let closed = hand.now();
    let fake = Fake::start(move |method, _| match method {
        "server_info" => well(),
        "ledger" => closed_at(closed),
        _ => said("terNO_DKIM_KEY", Value::Null),
    })
    .await;
    let id = put_mail(&queue, &post, &hand, 1).await;
    let held = put_mail(&queue, &post, &hand, 2).await;
    queue.hold(held, "looks odd".to_owned()).await.expect("held");
    hand.pass(7 * 86_400);
    let working = Working::run(telling(&queue, &fake.url, &hand));
    until(&queue, |queue| entry(queue, id).tries > 0).await;
    assert_eq!(entry(&queue, id).state, State::Received);
    assert!(entry(&queue, held).is_held);
    working.stop().await;
    hand.set(closed);
    let tries = entry(&queue, id).tries;
    let working = Working::run(telling(&queue, &fake.url, &hand));
    until(&queue, |queue| entry(queue, id).tries > tries).await;
    assert_eq!(entry(&queue, id).state, State::Received);
    working.stop().await;
}

/// The operator's word counts more than an answer that was under way.
#[tokio::test(flavor = "multi_thread")]
async fn rejects_to_touch_a_mail_that_the_operator_dropped_or_holds() {
    let (hand, post, queue) = (Hand::new(), Post::new(), Queue::in_memory());
    let fake = Fake::start(|method, _| match method {
        "server_info" => well(),
        _ => said("tefEMAIL_DISABLED", json!("failed")),
    })
    .await;
    let held = put_mail(&queue, &post, &hand, 1).await;
    let dropped = put_mail(&queue, &post, &hand, 2).await;
    let hold = |entry: &mut Entry| {
        entry.progress.set_hold(Hold::Held);
        Vec::new()
    };
    queue.change(held, Box::new(hold)).await.expect("written");
    let drop_it = |entry: &mut Entry| {
        entry.progress = Progress::Dropped(entry.end(0));
        Vec::new()
    };
    queue.change(dropped, Box::new(drop_it)).await.expect("written");
    let working = Working::start(&queue, std::slice::from_ref(&fake.url), &hand, TIMES);
    let other = put_mail(&queue, &post, &hand, 3).await;
    until_state(&queue, other, State::Refused).await;
    assert_eq!((entry(&queue, held).tries, entry(&queue, dropped).tries), (0, 0));
    assert_eq!(fake.asked("submit_email"), 1);
    working.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_an_idle_queue_without_a_request_and_a_watched_one_with_small_ones() {
    let fake = Fake::start(|method, _| match method {
        "server_info" => well(),
        "submit_email" => said("tesSUCCESS", json!("submitted")),
        _ => Says::Result(json!({"state": "submitted"})),
    })
    .await;
    let (hand, post, queue) = (Hand::new(), Post::new(), Queue::in_memory());
    let working = Working::start(&queue, std::slice::from_ref(&fake.url), &hand, TIMES);
    // Something happens in the queue that is nothing for the courier.
    let mail = post.write("alice", 9, hand.now());
    let mut held = post.entry(&mail, hand.now());
    held.progress.set_hold(Hold::Held);
    put(&queue, held, mail).await;
    tokio::task::yield_now().await;
    assert_eq!(fake.asked("server_info"), 0);
    let id = put_mail(&queue, &post, &hand, 10).await;
    until_state(&queue, id, State::Submitted).await;
    while fake.asked("server_info") < 4 {
        tokio::task::yield_now().await;
    }
    assert_eq!(fake.asked("submit_email"), 1, "the mail itself is sent once");
    assert!(fake.asked("tx") <= 1, "one question for each ledger");
    working.stop().await;
}

/// Answers every second time it is asked.
struct Moody(AtomicUsize);

impl Ask for Moody {
    fn ask<'a>(&'a self, entry: &'a Entry) -> Asking<'a> {
        assert_eq!(entry.request, Request::Balance);
        let calls = self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            if calls == 0 {
                return Err(AskError::NoNode("away".to_owned()));
            }
            Ok(Vec::new())
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_question_without_handing_it_to_a_node() {
    let (hand, post, queue) = (Hand::new(), Post::new(), Queue::in_memory());
    let fake = Fake::start(|_, _| well()).await;
    let nodes = Arc::new(Nodes::new(std::slice::from_ref(&fake.url), NETWORK));
    let courier =
        Courier::new(queue.clone(), nodes, hand.clock()).asking(Arc::new(Moody(AtomicUsize::new(0))));
    let working = Working::run(courier);
    let mail = post.write("alice", 9, hand.now());
    let mut question = post.entry(&mail, hand.now());
    question.request = Request::Balance;
    let id = put(&queue, question, mail).await;
    until(&queue, |queue| entry(queue, id).tries == 1).await;
    assert_eq!(entry(&queue, id).state, State::Received);
    hand.pass(10);
    let answered = until_state(&queue, id, State::Answered).await;
    assert!(answered.final_at.is_some());
    assert_eq!(fake.asked("submit_email"), 0);
    working.stop().await;
}
