//! What other nodes of a network pass on.

use std::sync::Arc;

use codec::keys::KeyPair;
use node::{Submission, Taken};

use crate::world::{Keys, World, vector_mail};

impl World {
    async fn take(&self, submission: &Submission) -> Taken {
        let (peer, submission) = (KeyPair::ed25519([9; 16]).public_key(), submission.clone());
        let taken = self.ask(move |node| node.take(peer, vec![submission])).await;
        *taken.expect("it works").first().expect("a verdict")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_mail_that_a_ledger_has_already_as_known_and_rejects_junk() {
    let world = World::new(Keys::vectors());
    let mut arrivals = world.ask(|node| node.arrivals()).await;
    world.send(vector_mail("c044.eml")).await;
    let (_, mail) = arrivals.recv().await.expect("others are told");
    assert_eq!(world.take(&mail).await, Taken::Known, "it is on its way here");
    world.close().await;
    world.close().await;
    assert_eq!(world.take(&mail).await, Taken::Known, "it is in a ledger");
    let Submission::Mail(raw) = &mail else {
        panic!("a mail was sent");
    };
    let junk = [raw, b"more".as_slice()].concat();
    assert_eq!(
        world.take(&Submission::Mail(Arc::from(junk))).await,
        Taken::Never,
        "nobody signed it"
    );
}
