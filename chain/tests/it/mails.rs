//! A mail's way, event by event.

use amendment::KeyName;
use chain::commit::{Change, MailChange, SettledState};
use chain::limits::SILENT_TRIES_MAX;
use chain::peers::Peer;
use chain::{Entered, Event, Fact, KeyFinding, NotKept, Standing};
use codec::format::TxType;
use codec::{CloseTime, Ter};
use ledger::dkim::Attestation;

use crate::driver::{CLOCK, Driver, NETWORK, ledger_of, record, validator, vector_mail};

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
    let submitted = shown.open.accepted().iter().next().expect("a transaction").id();
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
        driver
            .chain
            .shown()
            .open
            .accepted()
            .iter()
            .next()
            .expect("a transaction")
            .id()
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

/// A mail with other headers around what its signature covers.
fn padded(mail: &[u8], header: &str) -> Vec<u8> {
    [header.as_bytes(), mail].concat()
}

/// A mail with another Subject, which its signature covers.
fn forged(mail: &str, subject: &str) -> Vec<u8> {
    let text = String::from_utf8(vector_mail(mail)).expect("text");
    assert!(text.contains("\r\nSubject: "), "{mail}");
    text.replacen("\r\nSubject: ", &format!("\r\nSubject: {subject}"), 1)
        .into_bytes()
}

/// What is written around the signed parts takes no room, and makes no further mail of it.
#[test]
fn accepts_a_mail_in_normal_form_once_whatever_is_written_around_it() {
    let mut driver = Driver::new(1);
    driver.send("c044.eml");
    driver.settle();
    for number in 0..3 {
        let pad = format!("X-Pad-{number}: {}\r\n", "x".repeat(900)).repeat(200);
        let request = driver.send_raw(&padded(&vector_mail("c044.eml"), &pad), Peer::Operator);
        driver.settle();
        assert_eq!(driver.mail_reply(request).standing, Some(Standing::Kept));
    }
    assert_eq!(driver.chain.shown().pool.kept_count(), 1);
    let kept = driver.disk.iter().find_map(|change| match change {
        Change::Mail(MailChange::Keep { mail, .. }) => Some(mail.raw.len()),
        Change::Mail(_)
        | Change::Ledger(_)
        | Change::Transaction(_)
        | Change::Vote { .. }
        | Change::List(_)
        | Change::Wish { .. } => None,
    });
    assert!(kept.is_some_and(|bytes| bytes < 2_000), "{kept:?}");
    driver.answer_look_ups();
    driver.close();
    driver.close();
    driver.settle();
    assert_eq!(driver.settled().len(), 1, "validated");
}

/// All that wait for a name go with its first answer, whatever it is, but for what it proves.
#[test]
fn rejects_what_the_first_answer_does_not_prove() {
    for answer in [KeyFinding::Absent, KeyFinding::Unusable] {
        let mut driver = Driver::new(1);
        driver.send("c044.eml");
        driver.send_raw(&forged("c010.eml", "x"), Peer::Operator);
        driver.settle();
        assert_eq!(driver.chain.shown().pool.kept_count(), 2);
        for name in std::mem::take(&mut driver.looked_up) {
            let finding = answer.clone();
            driver.handle(Event::Answer { name, finding });
        }
        driver.settle();
        assert_eq!(driver.chain.shown().pool.kept_count(), 0, "{answer:?}");
        let again = driver.send("c044.eml");
        let reply = driver.mail_reply(again);
        assert_eq!(
            (reply.engine, reply.not_kept),
            (Ter::TER_NO_DKIM_KEY, Some(NotKept::NoRecord))
        );
    }
    let mut driver = Driver::new(1);
    driver.send("c044.eml");
    driver.send_raw(&forged("c010.eml", "x"), Peer::Operator);
    driver.settle();
    driver.answer_look_ups();
    driver.settle();
    assert_eq!(driver.chain.shown().pool.kept_count(), 1, "the proven one");
    let late = driver.send_raw(&forged("c014.eml", "x"), Peer::Operator);
    driver.settle();
    assert_eq!(driver.mail_reply(late).engine, Ter::TEF_BAD_SIGNATURE);
    let proven = driver.send("c014.eml");
    driver.settle();
    assert_eq!(driver.mail_reply(proven).standing, Some(Standing::Kept));
}

/// DNS that stays silent is asked again, later and later, and at last not any more.
#[test]
fn rejects_for_good_what_waits_for_a_silent_name() {
    let mut driver = Driver::new(1);
    driver.send("c044.eml");
    driver.settle();
    let mut asked = 0;
    for _ in 0..1_000 {
        for name in std::mem::take(&mut driver.looked_up) {
            asked += 1;
            let finding = KeyFinding::NoAnswer;
            driver.handle(Event::Answer { name, finding });
        }
        driver.close();
        driver.settle();
    }
    assert_eq!(
        (asked, driver.chain.shown().pool.kept_count()),
        (SILENT_TRIES_MAX, 0)
    );
}

/// The record that a forgery made the node look up proves the true mail at once.
#[test]
fn accepts_a_true_mail_under_the_record_that_refuted_a_forged_one() {
    let mut driver = Driver::new(1);
    driver.send_raw(&forged("c010.eml", "x"), Peer::Operator);
    driver.settle();
    driver.answer_look_ups();
    driver.settle();
    assert_eq!(driver.proposed_types(), [], "nothing is proven yet");
    driver.send("c044.eml");
    driver.settle();
    assert!(driver.looked_up.is_empty(), "it is known already");
    assert_eq!(driver.proposed_types(), [TxType::DkimKeySet]);
    driver.close();
    assert_eq!(driver.proposed_types(), [TxType::Remit]);
}

/// c044 is dated two hours before CLOCK.
const DATED: u32 = CLOCK - 7_200;

#[test]
fn accepts_what_is_dated_ahead_under_a_key_of_the_ledger_and_rejects_what_nothing_proves() {
    let mut driver = Driver::on(ledger_of(1, DATED - 80_000));
    driver.now = DATED - 80_000;
    for mail in [vector_mail("c044.eml"), forged("c044.eml", "x")] {
        let request = driver.send_raw(&mail, Peer::Operator);
        let reply = driver.mail_reply(request);
        assert_eq!(
            (reply.engine, reply.not_kept),
            (Ter::TER_EMAIL_EARLY, Some(NotKept::TooEarly))
        );
    }
    assert!(driver.looked_up.is_empty(), "nobody is asked for it");
    // The key comes onto the ledger by another way.
    let name = KeyName::new(b"mail.test", b"s1").expect("a name");
    let key = Attestation::sign(
        NETWORK,
        name.clone(),
        record(&name),
        CloseTime::new(driver.now),
        &validator(1),
    );
    driver.handle(Event::Attestation(key.expect("signed")));
    driver.close();
    driver.settle();
    let request = driver.send_raw(&forged("c044.eml", "x"), Peer::Operator);
    driver.settle();
    let reply = driver.mail_reply(request);
    assert_eq!((reply.engine, reply.standing), (Ter::TEF_BAD_SIGNATURE, None));
    let request = driver.send("c044.eml");
    driver.settle();
    let reply = driver.mail_reply(request);
    assert_eq!(
        (reply.engine, reply.standing),
        (Ter::TER_EMAIL_EARLY, Some(Standing::Kept))
    );
    driver.now = DATED;
    driver.close();
    driver.settle();
    assert_eq!(driver.proposed_types(), [], "its key was attested a day ago");
    driver.answer_look_ups();
    driver.close();
    driver.settle();
    assert_eq!(driver.proposed_types(), [TxType::Remit], "its time has come");
}

/// A ledger that was idle, or whose node was away, is older than the mails of now.
#[test]
fn accepts_a_mail_of_now_on_a_ledger_of_yesterday() {
    let mut driver = Driver::on(ledger_of(1, CLOCK - 86_400));
    driver.now = CLOCK;
    let request = driver.send("c044.eml");
    driver.settle();
    let reply = driver.mail_reply(request);
    assert_eq!(
        (reply.engine, reply.standing),
        (Ter::TER_EMAIL_EARLY, Some(Standing::Kept))
    );
    driver.answer_look_ups();
    driver.close();
    driver.close();
    driver.settle();
    assert_eq!(driver.settled().len(), 1, "validated");
}

/// A clock that goes back to the right time after a ledger was closed ahead of it: new keys still come.
#[test]
fn accepts_a_new_key_where_the_clock_lags_behind_the_ledger() {
    let mut driver = Driver::on(ledger_of(1, CLOCK + 3_600));
    driver.now = CLOCK;
    driver.send("c044.eml");
    driver.settle();
    driver.answer_look_ups();
    driver.close();
    assert_eq!(driver.proposed_types(), [TxType::Remit], "its key is there");
}
