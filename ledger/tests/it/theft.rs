//! What somebody who has the mailbox can do, and what its owner does against it: docs/theft.md tells each of these
//! stories as a row of its table. Spec: 8.4, 8.5, 8.6, 11, 14.

use std::collections::BTreeSet;

use codec::format::TxType;
use codec::{Ter, flags, sf};

use super::common::{World, XAH, account_set, id, key, of_type, payment};
use super::mails::{CLOCK, DAY, alice, mail, stamped, world};
use super::rekey::{BOTH, HOUR, Provider, rekey_to};

const MINUTE: u32 = 60;
const RESERVE: u64 = XAH;
const LIVE_MAX: u32 = 64;
/// The account that gets what is paid, with 100 XAH, and the keys of the two who want Alice's.
const BOB: u8 = 1;
const OWNER: u8 = 2;
const THIEF: u8 = 3;

fn pay_bob(xah: &str) -> String {
    format!("REMIT {xah} XAH TO {}", id(BOB))
}

/// The minute in which somebody has Alice's mailbox; she has 100 XAH.
fn stolen_minute() -> World {
    let mut world = world();
    world.wait_until(CLOCK + MINUTE);
    world
}

impl World {
    fn wait(&mut self, secs: u32) {
        self.wait_until(self.now() + secs);
    }

    /// A mail that is written now.
    fn write(&self, provider: Provider, line: &str) -> Vec<u8> {
        provider.mail(self.now(), 0, line)
    }

    /// Whoever has the mailbox sends a REKEY, and names the last one as the ledger shows it.
    fn rekey(&mut self, provider: Provider, number: u8) -> Ter {
        self.wait(MINUTE);
        let memo = self.write(provider, &self.next_rekey(number, provider));
        self.mail(&memo)
    }

    /// By a key that may sign for Alice's account, or may not.
    fn by(&mut self, number: u8, object: codec::Object) -> Ter {
        self.by_key(&key(number), alice(), object)
    }

    fn is_held_by(&self, number: u8) -> bool {
        self.regular_key() == Some(id(number))
    }
}

#[test]
fn a_payment_of_the_first_minute_is_gone() {
    for provider in BOTH {
        let mut world = stolen_minute();
        let memo = world.write(provider, &pay_bob("50"));
        assert_eq!(world.mail(&memo), Ter::TES_SUCCESS);
        assert_eq!(world.rekey(provider, OWNER), Ter::TES_SUCCESS);
        assert_eq!(world.balance(id(BOB)), 150 * XAH, "nothing takes it back");
    }
}

#[test]
fn a_full_account_takes_the_rekey() {
    for provider in BOTH {
        let mut world = stolen_minute();
        for number in 0..LIVE_MAX {
            let memo = provider.mail(world.now(), 0, &pay_bob(&format!("0.0000{:02}", number + 1)));
            assert_eq!(world.mail(&memo), Ter::TES_SUCCESS, "{number}");
        }
        let memo = world.write(provider, &pay_bob("1"));
        assert_eq!(world.mail(&memo), Ter::TEF_EMAIL_FULL);
        assert_eq!(world.rekey(provider, OWNER), Ter::TES_SUCCESS);
        assert!(world.is_held_by(OWNER));
    }
}

#[test]
fn the_reserve_pays_the_rekey() {
    for provider in BOTH {
        let mut world = stolen_minute();
        let memo = world.write(provider, &pay_bob("98.98"));
        assert_eq!(world.mail(&memo), Ter::TES_SUCCESS);
        // What is above the reserve burns in fees of payments that fail; the rest no payment may touch.
        let mut amount = 50;
        let refused = loop {
            let memo = world.write(provider, &pay_bob(&amount.to_string()));
            match world.mail(&memo) {
                Ter::TEC_UNFUNDED_PAYMENT | Ter::TEC_INSUFFICIENT_RESERVE => amount += 1,
                refused => break refused,
            }
        };
        assert_eq!(refused, Ter::TER_INSUF_FEE_B);
        assert!(amount > 55 && world.balance(alice()) >= RESERVE, "{amount}");
        for holder in [THIEF, OWNER, THIEF, OWNER] {
            assert_eq!(world.rekey(provider, holder), Ter::TES_SUCCESS);
        }
        assert!(world.balance(alice()) < RESERVE, "it paid for a REKEY");
    }
}

#[test]
fn a_rekey_takes_the_account_back() {
    for provider in BOTH {
        let mut world = stolen_minute();
        assert_eq!(world.rekey(provider, THIEF), Ter::TES_SUCCESS);
        assert_eq!(
            world.by(THIEF, payment(id(BOB), XAH)),
            Ter::TES_SUCCESS,
            "his key signs"
        );
        world.wait(71 * HOUR);
        assert_eq!(world.rekey(provider, OWNER), Ter::TES_SUCCESS);
        assert_eq!(
            world.by(THIEF, payment(id(BOB), XAH)),
            Ter::TEF_BAD_AUTH,
            "it is nobody's"
        );
        assert_eq!(world.by(OWNER, payment(id(BOB), XAH)), Ter::TES_SUCCESS);
    }
}

#[test]
fn mails_kept_for_later_do_nothing_after_the_rekey() {
    let mut world = stolen_minute();
    let signed_at = world.now();
    let kept: Vec<Vec<u8>> = (0..5)
        .flat_map(|minute| {
            let date = signed_at + minute * MINUTE;
            [rekey_to(THIEF), pay_bob("1")].map(|line| stamped(date, signed_at, &line))
        })
        .collect();
    assert_eq!(world.mail(&kept[0]), Ter::TES_SUCCESS, "the first one works");
    assert_eq!(world.rekey(Provider::SignsTime, OWNER), Ter::TES_SUCCESS);
    for wait in [MINUTE, 10 * MINUTE, 3 * DAY] {
        world.wait(wait);
        let before = world.balance(alice());
        for memo in &kept[1..] {
            assert_eq!(world.mail(memo), Ter::TEF_EMAIL_EXPIRED);
        }
        assert!(world.balance(alice()) == before && world.is_held_by(OWNER));
    }
}

#[test]
fn mails_dated_ahead_do_nothing_after_the_rekey() {
    let mut world = stolen_minute();
    let dates = [HOUR, DAY, 3 * DAY, 4 * DAY].map(|ahead| world.now() + ahead);
    let guess = format!("{} AFTER 00000000", rekey_to(THIEF));
    assert_eq!(world.rekey(Provider::SignsDate, OWNER), Ter::TES_SUCCESS);
    for date in dates {
        world.wait_until(date);
        let before = world.balance(alice());
        for (line, refusal) in [
            (&rekey_to(THIEF), Ter::TEF_EMAIL_AFTER),
            (&guess, Ter::TEF_EMAIL_AFTER),
            (&pay_bob("1"), Ter::TEF_EMAIL_DISABLED),
        ] {
            assert_eq!(world.mail(&mail(date, line)), refusal, "{line}");
        }
        assert!(world.balance(alice()) == before && world.is_held_by(OWNER));
    }
}

#[test]
fn a_mail_dated_ahead_pays_where_nobody_rekeyed() {
    let mut world = stolen_minute();
    let date = world.now() + 4 * DAY;
    let memo = mail(date, &pay_bob("1"));
    world.wait(3 * DAY);
    assert_eq!(world.mail(&memo), Ter::TER_EMAIL_EARLY);
    world.wait_until(date);
    assert_eq!(world.mail(&memo), Ter::TES_SUCCESS);
}

#[test]
fn who_is_still_in_the_mailbox_undoes_the_rekey() {
    for provider in BOTH {
        let mut world = stolen_minute();
        assert_eq!(world.rekey(provider, OWNER), Ter::TES_SUCCESS);
        assert_eq!(
            world.rekey(provider, THIEF),
            Ter::TES_SUCCESS,
            "he reads the ledger too"
        );
        assert!(world.is_held_by(THIEF));
        assert_eq!(world.rekey(provider, OWNER), Ter::TES_SUCCESS, "once he is out");
        assert!(world.is_held_by(OWNER));
    }
}

#[test]
fn his_key_cannot_shut_email_for_72_hours() {
    for provider in BOTH {
        let mut world = stolen_minute();
        assert_eq!(world.rekey(provider, THIEF), Ter::TES_SUCCESS);
        assert_eq!(world.disable_email(THIEF), Ter::TEC_TOO_SOON);
        world.wait(71 * HOUR);
        assert_eq!(world.disable_email(THIEF), Ter::TEC_TOO_SOON);
        assert_eq!(world.rekey(provider, OWNER), Ter::TES_SUCCESS);
        world.wait(2 * HOUR);
        assert_eq!(
            world.disable_email(OWNER),
            Ter::TEC_TOO_SOON,
            "72 hours from the newest REKEY"
        );
    }
}

#[test]
fn his_key_has_no_other_lock() {
    for provider in BOTH {
        let mut world = stolen_minute();
        assert_eq!(world.rekey(provider, THIEF), Ter::TES_SUCCESS);
        let disable = world.by(THIEF, account_set(flags::ASF_DISABLE_MASTER));
        assert_eq!(
            disable,
            Ter::TEC_NEED_MASTER_KEY,
            "nobody has the master key of an address"
        );
        let other = of_type(TxType::SetRegularKey).with(sf::REGULAR_KEY, id(4));
        assert_eq!(world.by(THIEF, other), Ter::TES_SUCCESS);
        assert_eq!(world.rekey(provider, OWNER), Ter::TES_SUCCESS);
        assert!(world.is_held_by(OWNER));
    }
}

#[test]
fn after_72_hours_his_key_shuts_email() {
    for provider in BOTH {
        let mut world = stolen_minute();
        assert_eq!(world.rekey(provider, THIEF), Ter::TES_SUCCESS);
        world.wait(73 * HOUR);
        assert_eq!(world.disable_email(THIEF), Ter::TES_SUCCESS);
        assert_eq!(world.rekey(provider, OWNER), Ter::TEF_EMAIL_DISABLED);
    }
}

#[test]
fn with_email_shut_the_mailbox_is_worth_nothing() {
    for provider in BOTH {
        let mut world = stolen_minute();
        assert_eq!(world.rekey(provider, OWNER), Ter::TES_SUCCESS);
        world.wait(73 * HOUR);
        assert_eq!(world.disable_email(OWNER), Ter::TES_SUCCESS);
        world.wait(MINUTE);
        let memo = world.write(provider, &pay_bob("1"));
        assert_eq!(world.mail(&memo), Ter::TEF_EMAIL_DISABLED);
        assert_eq!(world.rekey(provider, THIEF), Ter::TEF_EMAIL_DISABLED);
        assert_eq!(world.by(OWNER, payment(id(BOB), XAH)), Ter::TES_SUCCESS);
    }
}

/// Every row of docs/theft.md names a story of this file, and every story is a row.
#[test]
fn the_table_names_the_stories() {
    let table = include_str!("../../../docs/theft.md");
    let rows: BTreeSet<&str> = table
        .lines()
        .filter_map(|row| row.strip_suffix("` |")?.rsplit_once('`'))
        .map(|(_, story)| story)
        .collect();
    let stories: BTreeSet<&str> = include_str!("theft.rs")
        .split("#[test]\nfn ")
        .skip(1)
        .filter_map(|text| text.split_once('('))
        .map(|(story, _)| story)
        .filter(|story| *story != "the_table_names_the_stories")
        .collect();
    assert_eq!(rows, stories);
}
