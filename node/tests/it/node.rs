//! Whole nodes: mails from submission to the ledger, over restarts, with keys that come, stay away and
//! change.

use std::sync::Arc;

use codec::{Hash256, Ter};
use dns::{Answer, NoResolver};
use node::store::StoreError;
use node::{Node, NodeConfig, StartError};
use rpc::RpcError;
use rpc::api::{LedgerAnswer, LedgerChoice, MailState, Node as _, NotKept, SubmitMode, Transactions, TxKey};

use crate::world::{
    ALICE, BOB, CLOCK, Keys, NETWORK, Source, World, config, operator, start_in, stranger, vector_keys,
    vector_mail,
};

const XAH: i64 = 1_000_000;

/// What Remit pays an account that it creates, on top of the amount: the reserve.
const CREATION: i64 = XAH;

fn state(answer: &rpc::api::EmailAnswer) -> Option<MailState> {
    answer.status.map(|status| status.state)
}

/// The types of a ledger's transactions.
async fn types_in(world: &World, choice: LedgerChoice) -> Vec<u16> {
    let answer = world
        .ask(move |node| node.ledger(choice, Transactions::Whole))
        .await
        .expect("an answer");
    let (LedgerAnswer::Open { transactions, .. } | LedgerAnswer::Validated { transactions, .. }) = answer;
    let rpc::api::Listed::Whole(list) = transactions else {
        panic!("asked for: {transactions:?}");
    };
    list.iter()
        .filter_map(|record| record.wrapped.tx.u16(codec::sf::TRANSACTION_TYPE))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_the_first_mail_of_a_new_domain_in_two_closes() {
    let world = World::new(Keys::vectors());
    assert_eq!(world.balance(ALICE).await, 1_000 * XAH);
    let answer = world.send(vector_mail("c044.eml")).await;
    assert_eq!(
        (answer.engine, state(&answer)),
        (Ter::TER_NO_DKIM_KEY, Some(MailState::Kept))
    );

    world.close().await;
    assert_eq!(
        types_in(&world, LedgerChoice::Validated).await,
        [110],
        "DKIMKeySet in ledger N"
    );
    assert_eq!(
        types_in(&world, LedgerChoice::Current).await,
        [95],
        "the mail is on its way to N + 1"
    );
    assert_eq!(world.state_of(&answer).await, Some(MailState::Submitted));
    assert_eq!(world.root(BOB).await, None);

    world.close().await;
    assert_eq!(types_in(&world, LedgerChoice::Validated).await, [95]);
    assert_eq!(world.state_of(&answer).await, Some(MailState::Validated));
    assert_eq!(world.balance(BOB).await, 10 * XAH + CREATION);
    assert!(world.balance(ALICE).await < 990 * XAH);
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_the_second_mail_of_a_known_domain_at_once_and_answers_its_transaction() {
    let world = World::new(Keys::vectors());
    world.send(vector_mail("c044.eml")).await;
    world.close().await;
    world.close().await;
    let answer = world.send(vector_mail("c010.eml")).await;
    assert_eq!(
        (answer.engine, state(&answer)),
        (Ter::TES_SUCCESS, Some(MailState::Submitted))
    );
    let wrapped = answer.wrapped.clone().expect("a transaction");
    assert_eq!(codec::tx::id_of_blob(&wrapped.blob), wrapped.hash);
    assert_eq!(
        wrapped.tx.u32(codec::sf::LAST_LEDGER_SEQUENCE),
        Some(world.tip().await.0.get() + 20)
    );
    world.close().await;
    let record = world
        .tx(TxKey::Hash(wrapped.hash))
        .await
        .expect("found")
        .record
        .expect("stored");
    assert_eq!(record.wrapped, wrapped);
    let place = record.validated.expect("validated");
    assert_eq!(place.ledger_index, world.tip().await.0);
    assert_eq!(world.balance(BOB).await, 10 * XAH + CREATION + 1_500_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_the_same_mail_and_its_other_copy_and_tells_what_became_of_it() {
    let world = World::new(Keys::vectors());
    world.send(vector_mail("c044.eml")).await;
    world.close().await;
    let in_hand = world.send(vector_mail("c044.eml")).await;
    assert_eq!(
        (in_hand.engine, state(&in_hand)),
        (Ter::TEF_EMAIL_REPLAY, Some(MailState::Submitted))
    );
    world.close().await;
    let (before, of_alice) = (world.tip().await, world.balance(ALICE).await);
    for copy in ["c044.eml", "c184.eml", "c046.eml"] {
        let again = world.send(vector_mail(copy)).await;
        assert_eq!(
            (again.engine, state(&again)),
            (Ter::TEF_EMAIL_REPLAY, Some(MailState::Validated)),
            "{copy}"
        );
        let status = again.status.expect("known");
        assert_eq!(status.ledger_index, Some(before.0));
        let record = world
            .tx(TxKey::Hash(status.hash.expect("a hash")))
            .await
            .expect("found")
            .record;
        assert!(record.expect("stored").validated.is_some());
    }
    world.close().await;
    assert_eq!(
        (world.balance(BOB).await, world.balance(ALICE).await),
        (10 * XAH + CREATION, of_alice)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_kept_mail_over_a_restart_without_its_client() {
    let world = World::new(NoResolver);
    let answer = world.send(vector_mail("c044.eml")).await;
    assert_eq!(state(&answer), Some(MailState::Kept));
    world.close().await;
    assert_eq!(
        world.state_of(&answer).await,
        Some(MailState::Kept),
        "a look-up that failed says nothing"
    );

    let world = world.restart(Keys::vectors()).await;
    assert_eq!(world.state_of(&answer).await, Some(MailState::Kept));
    world.pass(10);
    world.close().await;
    // Between two closes the mail stands in the open ledger, and comes back into it.
    assert_eq!(world.state_of(&answer).await, Some(MailState::Submitted));
    let world = world.restart(Keys::vectors()).await;
    assert_eq!(world.state_of(&answer).await, Some(MailState::Submitted));
    world.close().await;
    assert_eq!(world.balance(BOB).await, 10 * XAH + CREATION);
    assert_eq!(world.state_of(&answer).await, Some(MailState::Validated));
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_restart_with_the_same_ledger() {
    let world = World::new(Keys::vectors());
    world.send(vector_mail("c044.eml")).await;
    world.close().await;
    world.close().await;
    let (tip, of_alice) = (world.tip().await, world.balance(ALICE).await);
    let world = world.restart(Keys::vectors()).await;
    assert_eq!((world.tip().await, world.balance(ALICE).await), (tip, of_alice));
    world.close().await;
    let parent = world
        .ask(|node| node.ledger(LedgerChoice::Validated, Transactions::Omitted))
        .await
        .expect("there");
    let LedgerAnswer::Validated { header, .. } = parent else {
        panic!("validated")
    };
    assert_eq!((header.parent_hash, header.index.get()), (tip.1, tip.0.get() + 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_dry_run_and_changes_nothing() {
    let world = World::new(Keys::vectors());
    let unknown = world.dry_run(vector_mail("c044.eml")).await;
    assert_eq!((unknown.engine, state(&unknown)), (Ter::TER_NO_DKIM_KEY, None));
    world.send(vector_mail("c044.eml")).await;
    world.close().await;
    world.close().await;
    let known = world.dry_run(vector_mail("c010.eml")).await;
    assert_eq!((known.engine, state(&known)), (Ter::TES_SUCCESS, None));
    assert!(known.wrapped.is_some());
    assert_eq!(types_in(&world, LedgerChoice::Current).await, [0; 0]);
    assert_eq!(world.state_of(&known).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_rekey() {
    let world = World::new(Keys::vectors());
    world.send(vector_mail("c036.eml")).await;
    world.close().await;
    world.close().await;
    let root = world.root(ALICE).await.expect("alice");
    assert_eq!(
        root.account(codec::sf::REGULAR_KEY)
            .map(|key| key.to_string())
            .as_deref(),
        Some(BOB)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_a_sender_without_an_account_and_asks_dns_nothing() {
    let keys = Keys::vectors();
    let world = World::new(keys.clone());
    // alice@gmail.com was never paid.
    let answer = world.send(vector_mail("c088.eml")).await;
    assert_eq!((answer.engine, state(&answer)), (Ter::TER_NO_ACCOUNT, None));
    assert_eq!(answer.not_kept, Some(NotKept::NoAccount));
    world.close().await;
    assert_eq!(keys.asked(), 0);
    let server = world.ask(|node| node.server()).await.expect("an answer");
    assert_eq!(server.mails.kept(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_the_oldest_kept_mail_of_an_account_for_a_newer_one_and_says_so() {
    let world = World::new(NoResolver);
    let mut answers = Vec::new();
    for mail in ["c044.eml", "c010.eml", "c014.eml", "c024.eml", "c030.eml"] {
        let answer = world.send(vector_mail(mail)).await;
        assert_eq!(
            (answer.engine, state(&answer), answer.not_kept),
            (Ter::TER_NO_DKIM_KEY, Some(MailState::Kept), None),
            "{mail}"
        );
        answers.push(answer);
    }
    assert_eq!(world.state_of(&answers[0]).await, Some(MailState::Failed));
    for answer in &answers[1..] {
        assert_eq!(world.state_of(answer).await, Some(MailState::Kept));
    }
    // Nothing refuted it: whoever has it can hand it in again.
    let again = world.send(vector_mail("c044.eml")).await;
    assert_eq!(state(&again), Some(MailState::Kept));
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_an_absent_name_for_ten_minutes_and_a_failed_look_up_for_seconds() {
    let keys = Keys::new(Source::Always(Answer::Absent));
    let world = World::new(keys.clone());
    let answer = world.send(vector_mail("c044.eml")).await;
    assert_eq!(state(&answer), Some(MailState::Kept));
    world.close().await;
    assert_eq!(keys.asked(), 1);
    assert_eq!(
        types_in(&world, LedgerChoice::Validated).await,
        [0; 0],
        "an unknown absent name is not attested"
    );
    world.pass(500);
    let early = world.send(vector_mail("c044.eml")).await;
    assert_eq!(
        (early.engine, state(&early), early.not_kept),
        (Ter::TER_NO_DKIM_KEY, None, Some(NotKept::NoRecord)),
        "what is not kept is not failed"
    );
    world.close().await;
    assert_eq!(keys.asked(), 1, "not asked again within ten minutes");
    keys.change(Source::Always(Answer::Failed("down".to_owned())));
    world.pass(200);
    let answer = world.send(vector_mail("c044.eml")).await;
    assert_eq!(state(&answer), Some(MailState::Kept));
    world.close().await;
    assert_eq!(keys.asked(), 2);
    keys.change(Source::Table(vector_keys()));
    world.pass(10);
    world.close().await;
    world.close().await;
    assert_eq!(world.state_of(&answer).await, Some(MailState::Validated));
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_a_forged_mail_that_would_crowd_out_the_true_one() {
    let world = World::new(Keys::vectors());
    let forged = |old: &str, new: &str| {
        let text = String::from_utf8(vector_mail("c044.eml")).expect("text");
        assert!(text.contains(old));
        text.replacen(old, new, 1).into_bytes()
    };
    // The Subject is signed: the EmailID stays, the signature does not.
    let subject = "Subject: ";
    let bad = world.send(forged(subject, "Subject: x")).await;
    assert_eq!(state(&bad), Some(MailState::Kept), "nobody can tell yet");
    world.close().await;
    let bad = world.send(forged(subject, "Subject: y")).await;
    assert_eq!(
        (bad.engine, state(&bad)),
        (Ter::TEF_BAD_SIGNATURE, Some(MailState::Failed)),
        "the record was seen a moment ago"
    );
    let good = world.send(vector_mail("c044.eml")).await;
    assert_eq!(good.explanation.email_id, bad.explanation.email_id);
    assert_eq!(state(&good), Some(MailState::Kept));
    world.close().await;
    world.close().await;
    assert_eq!(world.state_of(&good).await, Some(MailState::Validated));
    assert_eq!(world.balance(BOB).await, 10 * XAH + CREATION);
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_a_mail_whose_window_ends_while_it_waits() {
    let world = World::new(NoResolver);
    let answer = world.send(vector_mail("c044.eml")).await;
    assert_eq!(state(&answer), Some(MailState::Kept));
    world.pass(5 * 86_400 + 3_600);
    world.close().await;
    assert_eq!(world.state_of(&answer).await, Some(MailState::Failed));
    let late = world.send(vector_mail("c044.eml")).await;
    assert_eq!(
        (late.engine, state(&late)),
        (Ter::TEF_EMAIL_EXPIRED, Some(MailState::Failed))
    );
}

// Spec: 7.4.
#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_renewal_of_a_key_in_use_and_asks_for_no_other() {
    let keys = Keys::vectors();
    let world = World::new(keys.clone());
    world.send(vector_mail("c044.eml")).await;
    world.close().await;
    world.close().await;
    let asked = keys.asked();
    world.close().await;
    assert_eq!(keys.asked(), asked, "a fresh key is not asked for");
    let five_hours = 5 * 3_600;
    world.pass(five_hours);
    world.close().await;
    world.close().await;
    assert_eq!(types_in(&world, LedgerChoice::Validated).await, [110], "renewed");
    world.close().await;
    assert_eq!(keys.asked(), asked + 1);
    world.pass(2 * five_hours);
    world.close().await;
    world.close().await;
    assert_eq!(keys.asked(), asked + 1, "nobody has used it since");
    let again = world.send(vector_mail("c044.eml")).await;
    assert_eq!(
        (again.engine, state(&again)),
        (Ter::TEF_EMAIL_REPLAY, Some(MailState::Validated)),
        "an executed mail asks for nothing"
    );
    let answer = world.send(vector_mail("c010.eml")).await;
    assert_eq!(
        (answer.engine, state(&answer)),
        (Ter::TER_NO_DKIM_KEY, Some(MailState::Kept))
    );
    world.close().await;
    assert_eq!(
        types_in(&world, LedgerChoice::Validated).await,
        [110],
        "asked for by a mail"
    );
    world.close().await;
    assert_eq!(
        world.state_of(&answer).await,
        Some(MailState::Validated),
        "one ledger later"
    );
    keys.change(Source::Always(Answer::Absent));
    world.pass(five_hours);
    world.close().await;
    world.close().await;
    assert_eq!(types_in(&world, LedgerChoice::Validated).await, [110], "revoked");
    world.pass(five_hours);
    world.close().await;
    world.close().await;
    assert_eq!(keys.asked(), asked + 3, "a revoked key is not renewed");
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_strangers_who_fail_too_often_but_not_the_operator() {
    let world = World::new(NoResolver);
    let mut refused = None;
    for count in 0..1_000 {
        let answer = world
            .send_from(b"no mail".to_vec(), SubmitMode::Submit, stranger())
            .await;
        if let Err(error) = answer {
            refused = Some((count, error));
            break;
        }
    }
    assert_eq!(refused, Some((60, RpcError::SlowDown)));
    assert!(
        world
            .send_from(b"no mail".to_vec(), SubmitMode::Submit, operator())
            .await
            .is_ok()
    );
    world.pass(61);
    assert!(
        world
            .send_from(b"no mail".to_vec(), SubmitMode::Submit, stranger())
            .await
            .is_ok()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_a_second_node_on_the_same_folder() {
    let world = World::new(NoResolver);
    let error = start_in(world.folder.path(), &world.clock, Arc::clone(&world.keys))
        .err()
        .expect("in use");
    assert!(matches!(error, StartError::InUse { .. }), "{error}");
    assert!(error.to_string().contains("in use by another node"), "{error}");
}

fn start_with(config: &NodeConfig) -> Result<Node, StartError> {
    let now = || codec::CloseTime::new(CLOCK);
    Node::start(
        config,
        Arc::new(now),
        Arc::new(NoResolver),
        tokio::runtime::Handle::current(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_another_network_and_a_missing_key() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(start_with(&config(folder.path())).expect("starts"));
    let other = NodeConfig {
        network_id: 21_338,
        ..config(folder.path())
    };
    let error = start_with(&other).err().expect("another network");
    assert!(
        matches!(
            error,
            StartError::Store(StoreError::Network {
                stored: NETWORK,
                wanted: 21_338
            })
        ),
        "{error}"
    );
    std::fs::remove_file(folder.path().join("validator.key")).expect("there");
    let error = start_with(&config(folder.path()))
        .err()
        .expect("no key")
        .to_string();
    assert!(error.contains("validator.key is missing"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_a_fund_below_the_reserve_and_stores_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut poor = config(folder.path());
    poor.funds = vec![node::Fund::parse("alice@mail.test=0.5").expect("a fund")];
    let error = start_with(&poor).err().expect("too little").to_string();
    assert!(
        error.contains("alice@mail.test") && error.contains("tecNO_DST_INSUF_NATIVE"),
        "{error}"
    );
    drop(start_with(&config(folder.path())).expect("the folder is still new"));
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_a_folder_that_cannot_be_made_and_says_which() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, b"").expect("written");
    let error = start_with(&config(&file.join("data")))
        .err()
        .expect("no folder")
        .to_string();
    assert!(error.contains("file/data"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_the_close_loop_and_its_stop() {
    let world = World::new(Keys::vectors());
    let answer = world.send(vector_mail("c044.eml")).await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let node = world.node.clone();
    let interval = std::time::Duration::from_millis(5);
    let closing = tokio::spawn(async move {
        let stopped = async move {
            let _ = stopped.await;
        };
        node.run_close_loop(interval, stopped).await
    });
    while world.state_of(&answer).await != Some(MailState::Validated) {
        tokio::task::yield_now().await;
    }
    // The clock stands still, so nothing is due any more.
    let tip = world.tip().await;
    assert!(types_in(&world, LedgerChoice::Validated).await.contains(&95));
    stop.send(()).expect("running");
    assert!(closing.await.expect("no panic").is_ok());
    assert_eq!(world.tip().await, tip);
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_what_is_not_there() {
    let world = World::new(NoResolver);
    for key in [TxKey::Hash(Hash256::ZERO), TxKey::Email(Hash256::ZERO)] {
        assert_eq!(world.tx(key).await.err(), Some(RpcError::TransactionNotFound));
    }
    let beyond = LedgerChoice::Index(codec::LedgerIndex::new(77));
    let missing = world
        .ask(move |node| node.ledger(beyond, Transactions::Omitted))
        .await;
    assert_eq!(missing.err(), Some(RpcError::LedgerNotFound));
    let garbage = world
        .ask(|node| node.submit(&[1, 2, 3], rpc::api::OnRetry::Hold, &operator()))
        .await;
    assert!(matches!(garbage, Err(RpcError::InvalidTransaction { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_a_bad_signature_at_once_under_a_fresh_key_and_after_a_look_up_under_a_stale_one() {
    let keys = Keys::vectors();
    let world = World::new(keys.clone());
    world.send(vector_mail("c044.eml")).await;
    world.close().await;
    world.close().await;
    let text = String::from_utf8(vector_mail("c010.eml")).expect("text");
    let forged = text.replacen("Subject: ", "Subject: x", 1).into_bytes();
    let fresh = world.send(forged.clone()).await;
    assert_eq!(
        (fresh.engine, state(&fresh)),
        (Ter::TEF_BAD_SIGNATURE, Some(MailState::Failed))
    );
    let asked = keys.asked();

    world.pass(7_200);
    world.close().await;
    let stale = world.send(forged.clone()).await;
    assert_eq!(
        (stale.engine, state(&stale)),
        (Ter::TER_NO_DKIM_KEY, Some(MailState::Kept)),
        "no verdict yet"
    );
    world.close().await;
    assert_eq!(keys.asked(), asked + 1, "a fresh look-up");
    assert_eq!(
        types_in(&world, LedgerChoice::Validated).await,
        [110],
        "attested again"
    );
    assert_eq!(world.state_of(&stale).await, Some(MailState::Failed));
    let again = world.send(forged).await;
    assert_eq!(
        (again.engine, state(&again)),
        (Ter::TEF_BAD_SIGNATURE, Some(MailState::Failed))
    );
    // The true mail is not touched by any of it.
    let good = world.send(vector_mail("c010.eml")).await;
    assert_eq!(
        (good.engine, state(&good)),
        (Ter::TES_SUCCESS, Some(MailState::Submitted))
    );
}
