//! A node that begins with a ledger of others in place of the network's first one.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use codec::CloseTime;
use codec::keys::KeyPair;
use node::{DataFolder, Node, StartError};
use serde_json::json;

use crate::served::{ask, client_of};
use crate::world::{ALICE, CLOCK, Keys, NETWORK, World, config, vector_mail};

#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_ledger_that_was_fetched_and_goes_on_from_there() {
    let world = World::new(Keys::vectors());
    world.send(vector_mail("c044.eml")).await;
    world.close().await;
    world.close().await;
    let ledger = world.node.state().ledger.clone();
    let mails = ledger.transactions().iter().count();
    assert!(mails > 0, "the ledger has a transaction");

    let folder = tempfile::tempdir().expect("a folder");
    let taken = DataFolder::take(folder.path()).expect("taken");
    assert!(!taken.has_ledger().expect("a store"));
    taken.begin_with(NETWORK, &ledger).expect("begun");
    assert!(taken.has_ledger().expect("a store"));
    let again = taken.begin_with(NETWORK, &ledger);
    assert!(
        matches!(again, Err(StartError::Store(_))),
        "it is never written over"
    );
    drop(taken);

    let hand = Arc::clone(&world.clock);
    let now = move || CloseTime::new(hand.load(Ordering::SeqCst));
    let (key, keys) = (KeyPair::ed25519([9; 16]), Arc::new(Keys::vectors()));
    let config = config(folder.path());
    let runtime = tokio::runtime::Handle::current();
    let node = Node::start_with_key(&config, key, Arc::new(now), keys, runtime).expect("started");
    assert_eq!(node.state().ledger.hash(), ledger.hash());
    let fetched = World {
        node,
        clock: Arc::clone(&world.clock),
        folder,
        keys: Arc::new(Keys::vectors()),
    };

    // It says where its history begins, and has the last ledger's transactions.
    let mut client = client_of(&fetched).await;
    let index = ledger.index().get();
    let info = ask(&mut client, "server_info", json!({})).await;
    assert_eq!(info["info"]["complete_ledgers"], format!("{index}-{index}"));
    let page = ask(&mut client, "account_tx", json!({"account": ALICE})).await;
    let list = page["transactions"].as_array().expect("a list");
    assert_eq!(list.len(), mails);
    let hash = &list[0]["tx"]["hash"];
    let (own, theirs) = (
        ask(&mut client, "tx", json!({"transaction": hash})).await,
        ask(&mut client_of(&world).await, "tx", json!({"transaction": hash})).await,
    );
    assert_eq!(
        (&own["meta"], &own["ledger_index"]),
        (&theirs["meta"], &theirs["ledger_index"])
    );

    // The next ledger is the same in both.
    world.clock.store(CLOCK + 60, Ordering::SeqCst);
    let (parent, close_time) = (&ledger, CloseTime::new(CLOCK + 60));
    let (one, other) = (
        world.node.propose(parent, close_time),
        fetched.node.propose(parent, close_time),
    );
    assert_eq!(one.ledger.hash(), other.ledger.hash());
    fetched.node.finalize(Arc::new(other)).expect("final");
    let info = ask(&mut client, "server_info", json!({})).await;
    assert_eq!(info["info"]["complete_ledgers"], format!("{index}-{}", index + 1));
}
