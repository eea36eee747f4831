//! The operator of a node of one machine stops the mail of a domain (spec 7.10).

use amendment::{Domain, Freeze, Rule};
use codec::{CloseTime, Ter};
use rpc::api::{DomainState, Node as _, Ruling};

use crate::world::{CLOCK, Keys, World, vector_mail};

impl World {
    async fn rule(&self, ruling: Ruling) {
        let domain = Domain::new(b"mail.test").expect("a domain");
        let ruled = self.ask(move |node| node.rule(domain, ruling)).await;
        ruled.expect("the only validator");
    }

    async fn row(&self) -> DomainState {
        let answer = self.ask(|node| node.freezes()).await.expect("an answer");
        assert_eq!((answer.validators, answer.quorum), (1, 1));
        let row = answer.domains.into_iter().next().expect("one domain");
        // Everybody may ask for what the ledger says, and hears the same.
        let keys = self.ask(|node| node.keys()).await.expect("an answer");
        let named = keys.freezes.into_iter().map(|named| (named.domain, named.freeze));
        let expected = row.freeze.map(|freeze| (row.domain.clone(), freeze));
        assert_eq!(named.collect::<Vec<_>>(), Vec::from_iter(expected));
        row
    }
}

// Spec: 7.10.
#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_freeze_over_a_restart_and_tells_every_sender_why() {
    let world = World::new(Keys::vectors());
    world.rule(Ruling::Frozen).await;
    let wanted = world.row().await;
    assert_eq!(
        (wanted.freeze, wanted.wish, wanted.for_freeze),
        (None, Some(Ruling::Frozen), 1)
    );
    let world = world.restart(Keys::vectors()).await;
    assert_eq!(world.row().await.wish, Some(Ruling::Frozen), "it is on disk");
    world.close().await;
    world.close().await;
    let frozen = world.row().await;
    assert_eq!((frozen.wish, frozen.for_freeze), (None, 0));
    let freeze = frozen.freeze.expect("the ledger has it");
    assert_eq!(freeze.until, None);
    for answer in [
        world.send(vector_mail("c044.eml")).await,
        world.dry_run(vector_mail("c044.eml")).await,
    ] {
        let explanation = &answer.explanation;
        assert_eq!(
            (explanation.code, explanation.rule),
            (Ter::TEF_DKIM_FROZEN, Some(Rule::R7_10))
        );
        let fix = explanation.fix().expect("an advice");
        assert!(
            fix.contains("stopped all mails of mail.test since 16 Nov 2026 12:0"),
            "{fix}"
        );
    }
    world.pass(4);
    world.rule(Ruling::Lifted).await;
    world.close().await;
    let until = world.row().await.freeze.and_then(|freeze| freeze.until);
    assert!(
        until.is_some_and(|until| until > CloseTime::new(CLOCK)),
        "no delay here"
    );
    // It is dated before.
    let answer = world.send(vector_mail("c044.eml")).await;
    assert_eq!(answer.explanation.code, Ter::TEF_DKIM_FROZEN);
    let fix = answer.explanation.fix().expect("an advice");
    assert!(fix.contains("write a new mail after 16 Nov 2026 12:0"), "{fix}");
    let world = world.restart(Keys::vectors()).await;
    let since = freeze.since;
    assert_eq!(
        world.row().await.freeze,
        Some(Freeze { since, until }),
        "read from the state"
    );
}
