//! The life of an amendment on a node: absent, voted for, with its majority, enabled; or its majority lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use codec::keys::KeyPair;
use codec::{CloseTime, Ter};
use ledger::genesis::EmailAmendment;
use node::store::RedbStore;
use node::{Node, NodeConfig};
use rpc::api::{
    AmendmentStatus, LedgerAnswer, LedgerChoice, Node as _, NotKept, Stance, SubmitEmail, SubmitMode,
    Transactions, Vote,
};

use crate::world::{CLOCK, config, operator, vector_keys, vector_mail};

struct Network {
    node: Node,
    clock: Arc<AtomicU32>,
}

impl Network {
    fn without_email(majority_secs: u32) -> Self {
        let clock = Arc::new(AtomicU32::new(CLOCK));
        let hand = Arc::clone(&clock);
        let folder = tempfile::tempdir().expect("a folder");
        let config = NodeConfig {
            email: EmailAmendment::Absent,
            majority_secs,
            ..config(folder.path())
        };
        let node = Node::start_on(
            Arc::new(RedbStore::in_memory().expect("new")),
            KeyPair::ed25519([7; 16]),
            &config,
            Arc::new(move || CloseTime::new(hand.load(Ordering::SeqCst))),
            Arc::new(vector_keys()),
            tokio::runtime::Handle::current(),
        );
        Self {
            node: node.expect("starts"),
            clock,
        }
    }

    async fn close_up_to(&self, index: u32) {
        let (node, clock) = (self.node.clone(), Arc::clone(&self.clock));
        let closing = tokio::task::spawn_blocking(move || {
            while node.server().expect("an answer").validated.index.get() < index {
                clock.fetch_add(4, Ordering::SeqCst);
                node.accept_ledger().expect("closed");
            }
        });
        closing.await.expect("no panic");
    }

    fn email(&self) -> (AmendmentStatus, Stance) {
        let list = self.node.amendments().expect("an answer");
        let email = list
            .into_iter()
            .find(|amendment| amendment.name == Some("Email"))
            .expect("known");
        (email.status, email.stance)
    }

    fn vote(&self, vote: Vote) {
        self.node.vote(amendment::AMENDMENT_EMAIL, vote).expect("stored");
    }

    fn close_time(&self) -> u32 {
        self.node
            .server()
            .expect("an answer")
            .validated
            .close_time
            .seconds()
    }

    fn transactions(&self) -> usize {
        let answer = self.node.ledger(LedgerChoice::Validated, Transactions::Hashes);
        match answer.expect("an answer") {
            LedgerAnswer::Validated {
                transactions: rpc::api::Listed::Hashes(list),
                ..
            } => list.len(),
            other => panic!("{other:?}"),
        }
    }

    async fn send(&self) -> rpc::api::EmailAnswer {
        let node = self.node.clone();
        let request = SubmitEmail {
            mail: vector_mail("c044.eml"),
            mode: SubmitMode::Submit,
        };
        let sending = tokio::task::spawn_blocking(move || node.submit_email(request, &operator()));
        sending.await.expect("no panic").expect("an answer")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_email_by_a_majority_that_lasts_and_rejects_mails_before() {
    let network = Network::without_email(600);
    let against = Stance::Voting(Vote::Against);
    assert_eq!(network.email(), (AmendmentStatus::Disabled, against));
    let refused = network.send().await;
    assert_eq!(
        (refused.engine, refused.status, refused.not_kept),
        (Ter::TEM_DISABLED, None, Some(NotKept::NotEnabled))
    );
    network.vote(Vote::For);
    network.close_up_to(256).await;
    assert_eq!(
        network.email().0,
        AmendmentStatus::Disabled,
        "the flag ledger itself says nothing"
    );
    let since = CloseTime::new(network.close_time());
    network.close_up_to(257).await;
    assert_eq!(
        network.email(),
        (AmendmentStatus::Majority { since }, Stance::Voting(Vote::For))
    );
    assert_eq!(network.transactions(), 1);
    network.close_up_to(512).await;
    assert_eq!(network.email().0, AmendmentStatus::Majority { since });
    assert_eq!(network.send().await.engine, Ter::TEM_DISABLED);
    network.close_up_to(513).await;
    assert_eq!(network.email().0, AmendmentStatus::Enabled);
    network.close_up_to(514).await;
    assert_eq!(network.transactions(), 0);
    let mail = network.send().await;
    assert_ne!(
        mail.engine,
        Ter::TEM_DISABLED,
        "the rules of the next ledger have it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_an_amendment_whose_majority_is_lost_or_too_young() {
    let network = Network::without_email(1_000_000);
    network.vote(Vote::For);
    network.close_up_to(513).await;
    assert!(
        matches!(network.email().0, AmendmentStatus::Majority { .. }),
        "its majority has not lasted"
    );
    network.vote(Vote::Against);
    network.close_up_to(768).await;
    assert!(matches!(network.email().0, AmendmentStatus::Majority { .. }));
    network.close_up_to(769).await;
    assert_eq!(
        network.email(),
        (AmendmentStatus::Disabled, Stance::Voting(Vote::Against))
    );
    network.close_up_to(1_025).await;
    assert_eq!(network.transactions(), 0);
}

// Spec: 15.1, 15.3.
#[tokio::test(flavor = "multi_thread")]
async fn accepts_the_vote_of_one_machine_on_its_ledger_and_rejects_another_list_there() {
    let network = Network::without_email(600);
    network.close_up_to(4).await;
    assert_eq!(network.transactions(), 0, "nobody wants anything");
    network.vote(Vote::For);
    network.close_up_to(5).await;
    assert_eq!(network.transactions(), 1, "the vote");
    network.close_up_to(6).await;
    assert_eq!(network.transactions(), 0, "and it stands");
    let votes = network.node.validator_votes().expect("an answer");
    let email = (amendment::AMENDMENT_EMAIL, Some("Email"));
    assert_eq!(votes.votes.len(), 1);
    assert_eq!((&votes.votes[0].validator, votes.quorum), (&votes.own, 1));
    assert_eq!(votes.votes[0].wish.amendments, [email]);
    assert_eq!(votes.next_change, None);
    let list = network.node.amendments().expect("an answer");
    let email = list.iter().find(|amendment| amendment.name == Some("Email"));
    assert_eq!(
        email.map(|email| (email.supporters, email.validators)),
        Some((1, 1))
    );
    let other = [KeyPair::ed25519([8; 16]).public_key()].into();
    let refused = network.node.want_validators(other);
    assert!(matches!(refused, Err(rpc::RpcError::NotImplemented { .. })));
}
