//! An amendment's life in a network of five: a majority that does not last and one that does, and what mails come to
//! before and after. Votes count at each 256th ledger: the network runs around those, and is set to the next one.

use std::time::Duration;

use amendment::AMENDMENT_EMAIL;
use chain::commit::Vote;
use codec::{CloseTime, LedgerIndex, Object, keylet, sf};
use commonware_runtime::{Clock as _, Runner as _, Supervisor as _};
use ledger::genesis::EmailAmendment;
use ledger::{Header, Ledger};

use crate::byzantine::Conduct;
use crate::dice::{Dice, VALIDATORS};
use crate::mails::{CLOCK, MERCHANT_HAD, first_ledger, first_mail, reached};
use crate::simulation::runner_at;
use crate::world::{Remains, World};

/// Ledgers from one after which votes count to the next. Spec: 15.3
const FLAG_LEDGERS: u32 = 256;
/// Seconds from one of them to the next, where a ledger has three.
const FLAG_SECS: u32 = 3 * FLAG_LEDGERS;
/// Seconds that a majority has to last: a first one would have, from the first to the third of them.
const MAJORITY_SECS: u32 = FLAG_SECS - 60;

/// The `number`th time that votes count: who votes for `Email`, with a mail that is handed in. Gives the ledger after.
fn votes_count(number: u32, before: &Ledger, for_it: usize) -> Ledger {
    let closed = CLOCK + number * FLAG_SECS;
    let header = Header {
        index: LedgerIndex::new(number * FLAG_LEDGERS - 3),
        parent_close_time: CloseTime::new(closed - 3),
        close_time: CloseTime::new(closed),
        ..*before.header()
    };
    let state = before.state().clone();
    let first = Ledger::from_parts(header, state, before.transactions().clone()).expect("the same roots");
    runner_at(5, closed).start(|context| async move {
        let remains = Remains::of(first, MAJORITY_SECS, Dice::new(5), Conduct::Honest);
        let mut world = World::start_all(context.child("world"), remains).await;
        for node in 0..usize::from(VALIDATORS) {
            let vote = if node < for_it { Vote::For } else { Vote::Against };
            world.vote(node, AMENDMENT_EMAIL, vote);
        }
        world.submit(0, first_mail());
        loop {
            let disks = world.check().await;
            let is_over = |index: LedgerIndex| index.get() > number * FLAG_LEDGERS;
            if disks.iter().all(|disk| is_over(disk.ledger.index())) {
                return disks[0].ledger.clone();
            }
            context.sleep(Duration::from_millis(500)).await;
        }
    })
}

fn entry(ledger: &Ledger) -> Object {
    ledger.entry(&keylet::amendments()).unwrap_or_default()
}

/// Since when the ledger says that there is a majority for `Email`.
fn majority(ledger: &Ledger) -> Option<u32> {
    let entry = entry(ledger);
    let majorities = entry.array(sf::MAJORITIES).unwrap_or(&[]).iter();
    let mut of_email = majorities.filter(|(_, one)| one.hash256(sf::AMENDMENT) == Some(AMENDMENT_EMAIL));
    of_email.next().and_then(|(_, one)| one.u32(sf::CLOSE_TIME))
}

fn is_enabled(ledger: &Ledger) -> bool {
    let entry = entry(ledger);
    let enabled = entry.vector256(sf::AMENDMENTS).unwrap_or(&[]);
    enabled.contains(&AMENDMENT_EMAIL)
}

fn merchant_has(ledger: &Ledger) -> u64 {
    reached(ledger).1
}

// Spec: 15.3. Four of five are 80 percent, and it takes more.
#[test]
fn accepts_email_when_its_second_majority_has_lasted_and_rejects_mails_before() {
    let ledger = votes_count(1, &first_ledger(VALIDATORS, EmailAmendment::Absent), 5);
    let first = majority(&ledger).expect("five of five");
    let ledger = votes_count(2, &ledger, 4);
    assert_eq!(majority(&ledger), None, "it is lost");
    let ledger = votes_count(3, &ledger, 5);
    let second = majority(&ledger).expect("five of five again");
    assert!(second > first + MAJORITY_SECS, "its time begins anew");
    assert!(!is_enabled(&ledger));
    assert_eq!(merchant_has(&ledger), MERCHANT_HAD, "no mail is executed");
    let ledger = votes_count(4, &ledger, 5);
    assert!(is_enabled(&ledger), "it has lasted");
    assert_eq!(majority(&ledger), None);
    assert_eq!(
        merchant_has(&ledger),
        MERCHANT_HAD,
        "what came before is not kept"
    );
    let ledger = votes_count(5, &ledger, 5);
    assert_eq!(merchant_has(&ledger), MERCHANT_HAD + 1_000_000);
}
