//! Operators stop the mail of domains (spec 7.10): what one wants is said until a ledger has it, over restarts too.

use amendment::{Domain, Freeze, KeyName};
use chain::{CommitFailure, Event, FreezeRow, Refusal, Reply, Standing};
use codec::format::TxType;
use codec::{CloseTime, Ter};
use ledger::dkim::{Answer, Attestation, Ruling, Statement, Subject};

use crate::driver::{Driver, NETWORK, record, validator};

fn domain(name: &str) -> Domain {
    Domain::new(name.as_bytes()).expect("a domain")
}

fn word(number: u8, name: &str, ruling: Ruling, at: u32) -> Attestation {
    let statement = Statement::Domain(domain(name), ruling);
    Attestation::of(NETWORK, statement, CloseTime::new(at), &validator(number)).expect("short")
}

impl Driver {
    fn rule(&mut self, name: &str, ruling: Ruling) -> Option<Reply> {
        let request = self.request();
        self.handle(Event::Rule {
            request,
            domain: domain(name),
            ruling,
        });
        self.settle();
        self.told(request)
    }

    fn says(&self) -> Vec<(Statement, u32)> {
        let words = self.chain.shown().words_of(&validator(1).public_key());
        let words = words.into_iter();
        words
            .map(|word| (word.statement, word.observed_at.seconds()))
            .collect()
    }

    fn row(&self, name: &str) -> Option<FreezeRow> {
        let rows = self.chain.shown().freezes();
        rows.into_iter().find(|row| row.domain.as_str() == name)
    }

    fn closed(&mut self) {
        self.close();
        self.settle();
    }
}

fn frozen(name: &str) -> Statement {
    Statement::Domain(domain(name), Ruling::Frozen)
}

// Spec: 7.10.
#[test]
fn accepts_a_freeze_of_the_only_validator_in_the_next_ledger_and_its_lift() {
    let mut driver = Driver::new(1);
    let kept = driver.send("c044.eml");
    driver.settle();
    let kept = driver.mail_reply(kept);
    assert_eq!(kept.standing, Some(Standing::Kept), "its key is missing");
    assert!(matches!(
        driver.rule("mail.test", Ruling::Frozen),
        Some(Reply::Done)
    ));
    assert_eq!(driver.proposed_types(), [TxType::DkimKeySet]);
    let since = driver.now;
    driver.closed();
    let row = driver.row("mail.test").expect("known");
    let since = CloseTime::new(since);
    assert_eq!(row.freeze, Some(Freeze { since, until: None }));
    assert_eq!((row.wish, row.for_freeze, row.for_lift), (None, 0, 0));
    assert_eq!(driver.says(), [], "a ledger has it");
    // What waited goes, and what comes is neither kept nor looked up.
    let email_id = kept.mail.explanation().email_id.expect("an EmailID").hash();
    let code = Ter::TEF_DKIM_FROZEN.code();
    let standing = driver.chain.shown().standing(&email_id);
    assert!(matches!(standing, Some(Standing::Failed { code: found, .. }) if found == code));
    assert_eq!(driver.chain.shown().pool.kept_count(), 0);
    driver.looked_up.clear();
    let next = driver.send("c044.eml");
    driver.settle();
    assert_eq!(driver.mail_reply(next).engine, Ter::TEF_DKIM_FROZEN);
    assert!(driver.looked_up.is_empty());
    // In the same second: the operator's word is after that of the ledger.
    assert!(matches!(
        driver.rule("mail.test", Ruling::Lifted),
        Some(Reply::Done)
    ));
    driver.closed();
    let row = driver.row("mail.test").expect("known");
    assert!(row.freeze.is_some_and(|freeze| freeze.until.is_some()), "{row:?}");
}

// Spec: 7.10.
#[test]
fn accepts_a_wish_over_a_restart_and_says_it_again_until_a_ledger_has_it() {
    let mut driver = Driver::new(5);
    driver.rule("mail.test", Ruling::Frozen);
    let said = driver.now;
    assert_eq!(driver.says(), [(frozen("mail.test"), said)]);
    driver.closed();
    assert_eq!(driver.says(), [(frozen("mail.test"), said)]);
    assert_eq!(driver.proposed_types(), [], "one of five");
    driver.now += 300;
    driver.closed();
    assert_eq!(driver.says(), [(frozen("mail.test"), driver.now)]);
    driver.now += 10;
    let mut driver = driver.restarted();
    driver.closed();
    assert_eq!(driver.says(), [(frozen("mail.test"), driver.now)]);
    for number in 2..=4 {
        driver.handle(Event::Attestation(word(
            number,
            "mail.test",
            Ruling::Frozen,
            driver.now,
        )));
    }
    driver.settle();
    let row = driver.row("mail.test").expect("spoken of");
    assert_eq!((row.wish, row.for_freeze), (Some(Ruling::Frozen), 4));
    driver.closed();
    let row = driver.row("mail.test").expect("known");
    assert!(row.freeze.is_some() && row.wish.is_none(), "{row:?}");
    // It is done: what others lift later this validator does not freeze again, not even after a restart.
    let mut driver = driver.restarted();
    driver.closed();
    assert_eq!(driver.says(), []);
    assert!(
        driver.row("mail.test").expect("known").freeze.is_some(),
        "read from the state"
    );
}

// Spec: 7.10.
#[test]
fn accepts_that_an_operator_changes_his_mind() {
    let mut driver = Driver::new(5);
    driver.rule("mail.test", Ruling::Frozen);
    assert!(matches!(
        driver.rule("mail.test", Ruling::Lifted),
        Some(Reply::Done)
    ));
    assert_eq!((driver.says(), driver.row("mail.test")), (Vec::new(), None));
    let mut driver = driver.restarted();
    driver.closed();
    assert_eq!(driver.says(), []);
}

// Spec: 7.10.
#[test]
fn rejects_a_wish_that_did_not_reach_the_disk() {
    let mut driver = Driver::new(5);
    let request = driver.request();
    driver.handle(Event::Rule {
        request,
        domain: domain("mail.test"),
        ruling: Ruling::Frozen,
    });
    assert_eq!(driver.says(), [], "nobody hears of it before");
    driver.fails(CommitFailure::DiskFull);
    assert!(matches!(
        driver.told(request),
        Some(Reply::Refused(Refusal::DiskFull))
    ));
    driver.closed();
    assert_eq!((driver.says(), driver.row("mail.test")), (Vec::new(), None));
}

// Spec: 7.10.
#[test]
fn rejects_the_wish_of_a_node_that_is_no_validator() {
    let mut driver = Driver::new(0);
    let reply = driver.rule("mail.test", Ruling::Frozen);
    assert!(
        matches!(reply, Some(Reply::Refused(Refusal::NoValidator))),
        "{reply:?}"
    );
    assert_eq!(driver.row("mail.test"), None);
}

// Spec: 7.10. Operators who do not agree keep no ledger busy, and stay with what they say.
#[test]
fn rejects_a_freeze_that_two_of_five_want_lifted() {
    let mut driver = Driver::new(5);
    driver.rule("mail.test", Ruling::Frozen);
    for number in 2..=4 {
        driver.handle(Event::Attestation(word(
            number,
            "mail.test",
            Ruling::Frozen,
            driver.now,
        )));
    }
    driver.settle();
    driver.closed();
    driver.now += 10;
    driver.rule("mail.test", Ruling::Lifted);
    driver.handle(Event::Attestation(word(
        2,
        "mail.test",
        Ruling::Lifted,
        driver.now,
    )));
    // Those who want it as it is have nothing to say: their words change nothing.
    for number in 3..=5 {
        driver.handle(Event::Attestation(word(
            number,
            "mail.test",
            Ruling::Frozen,
            driver.now,
        )));
    }
    driver.settle();
    let row = driver.row("mail.test").expect("known");
    assert_eq!((row.for_lift, row.for_freeze), (2, 0));
    assert_eq!(driver.proposed_types(), []);
    assert!(!driver.chain.is_close_due(CloseTime::new(driver.now)));
}

// Spec: 7.5, 7.10. A validator that says too much takes its own room alone.
#[test]
fn rejects_what_one_validator_says_about_too_much_and_accepts_the_others() {
    let mut driver = Driver::new(5);
    for number in 0..40 {
        let name = format!("d{number}.example");
        driver.handle(Event::Attestation(word(2, &name, Ruling::Frozen, driver.now)));
    }
    driver.settle();
    assert_eq!(driver.chain.shown().freezes().len(), 32);
    driver.rule("mail.test", Ruling::Frozen);
    for number in 3..=5 {
        driver.handle(Event::Attestation(word(
            number,
            "mail.test",
            Ruling::Frozen,
            driver.now,
        )));
    }
    driver.settle();
    driver.closed();
    assert!(driver.row("mail.test").expect("known").freeze.is_some());
    // Nor can it keep keys of a domain out.
    for number in 0..20 {
        let name = KeyName::new(b"mail.test", format!("k{number}").as_bytes()).expect("a name");
        let at = CloseTime::new(driver.now);
        let word = Attestation::sign(NETWORK, name, Answer::Absent, at, &validator(2));
        driver.handle(Event::Attestation(word.expect("short")));
    }
    let honest = KeyName::new(b"mail.test", b"s1").expect("a name");
    let at = CloseTime::new(driver.now);
    for number in [3, 4, 5] {
        let word = Attestation::sign(NETWORK, honest.clone(), record(&honest), at, &validator(number));
        driver.handle(Event::Attestation(word.expect("short")));
    }
    let one_more = Attestation::sign(NETWORK, honest.clone(), record(&honest), at, &validator(1));
    driver.handle(Event::Attestation(one_more.expect("short")));
    driver.settle();
    assert_eq!(driver.proposed_types(), [TxType::DkimKeySet]);
    driver.closed();
    let entry = Subject::Key(honest).keylet();
    assert!(driver.chain.shown().ledger.entry(&entry).is_some());
}

// Spec: 7.10. Four domains in a ledger, beside the keys; the others in the next one.
#[test]
fn rejects_a_fifth_freeze_in_one_ledger() {
    let mut driver = Driver::new(1);
    for number in 0..6 {
        driver.rule(&format!("d{number}.example"), Ruling::Frozen);
    }
    assert_eq!(driver.proposed_types(), [TxType::DkimKeySet; 4]);
    driver.closed();
    assert_eq!(driver.proposed_types(), [TxType::DkimKeySet; 2]);
    // Two wait; 30 more may.
    for number in 6..38 {
        let reply = driver.rule(&format!("d{number}.example"), Ruling::Frozen);
        assert_eq!(matches!(reply, Some(Reply::Done)), number < 36, "{reply:?}");
    }
}
