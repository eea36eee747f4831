//! A mail's way, event by event.

use chain::commit::SettledState;
use chain::{Entered, Fact, NotKept, Standing};
use codec::Ter;
use codec::format::TxType;

use crate::driver::Driver;

#[test]
fn accepts_a_mail_that_is_kept_answered_attested_closed_and_validated() {
    let mut driver = Driver::new(1);
    let request = driver.send("c044.eml");
    assert!(driver.looked_up.is_empty(), "it is not kept yet");
    driver.settle();
    assert_eq!(driver.looked_up.len(), 1, "its name is asked for");
    let reply = driver.mail_reply(request);
    assert_eq!(
        (reply.engine, reply.standing, reply.not_kept),
        (Ter::TER_NO_DKIM_KEY, Some(Standing::Kept), None)
    );
    let email_id = reply.mail.explanation().email_id.expect("an EmailID").hash();

    driver.answer_look_ups();
    assert_eq!(driver.proposed_types(), [TxType::DkimKeySet]);
    driver.close();
    driver.settle();
    assert_eq!(driver.proposed_types(), [TxType::Remit], "its key is there");
    let shown = driver.chain.shown();
    let submitted = shown.open.accepted()[0].id();
    assert_eq!(
        shown.standing(&email_id),
        Some(Standing::Submitted { tx: Some(submitted) })
    );

    driver.close();
    driver.settle();
    let shown = driver.chain.shown();
    assert_eq!((shown.ledger.index().get(), shown.standing(&email_id)), (4, None));
    let settled = driver.settled();
    assert_eq!(settled.len(), 1);
    assert_eq!((settled[0].hash, settled[0].code), (submitted, 0));
    assert!(matches!(settled[0].state, SettledState::Validated { ledger_index } if ledger_index.get() == 4));
}

#[test]
fn accepts_a_mail_under_a_known_key_at_once() {
    let mut driver = Driver::new(1);
    driver.send("c044.eml");
    driver.settle();
    driver.answer_look_ups();
    driver.close();
    driver.close();
    driver.settle();
    let request = driver.send("c010.eml");
    driver.settle();
    let reply = driver.mail_reply(request);
    assert_eq!((reply.engine, reply.entered), (Ter::TES_SUCCESS, Entered::Yes));
    assert_eq!(
        reply.wrapped.expect("a transaction").id(),
        driver.chain.shown().open.accepted()[0].id()
    );
    let again = driver.send("c010.eml");
    driver.settle();
    assert_eq!(driver.mail_reply(again).engine, Ter::TEF_EMAIL_REPLAY);
}

#[test]
fn rejects_a_mail_under_a_forged_signature_when_its_key_comes() {
    let mut driver = Driver::new(1);
    driver.send("c044.eml");
    driver.settle();
    let names = std::mem::take(&mut driver.looked_up);
    // Another key of the same kind: the mail does not verify under it.
    let other = b"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=".to_vec();
    for name in names {
        let other = amendment::key_record::PublishedKey::parse(other.clone()).expect("a key");
        let finding = chain::KeyFinding::Usable(other);
        driver.handle(chain::Event::Answer { name, finding });
    }
    driver.settle();
    assert_eq!(driver.proposed_types(), [], "no mail asks for such a key");
    assert!(matches!(
        driver.facts[..],
        [Fact::GivenUp {
            code: Ter::TEF_BAD_SIGNATURE,
            ..
        }]
    ));
    assert_eq!(driver.chain.shown().pool.kept_count(), 0);
}

#[test]
fn rejects_a_sender_without_an_account() {
    let mut driver = Driver::new(1);
    let request = driver.send("c088.eml");
    let reply = driver.mail_reply(request);
    assert_eq!(
        (reply.engine, reply.not_kept),
        (Ter::TER_NO_ACCOUNT, Some(NotKept::NoAccount))
    );
    assert!(driver.looked_up.is_empty() && driver.under_way.is_none());
}
