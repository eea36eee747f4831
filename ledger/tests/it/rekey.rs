//! What a REKEY ends, and what its owner can do after a thief had the mailbox for a minute (spec 6.3, 8.5, 8.6, 11),
//! with providers that sign the time of a mail and with those that do not. Expected values: hand work.

use amendment::{RekeyMark, ReplayError, ScreenError};
use codec::format::TxType;
use codec::{Hash256, Ter, flags, hash, keylet, sf};
use ledger::OpenLedger;
use ledger::dkim::Answer;

use super::common::{World, XAH, account_set, id, key, native, of_type, remit};
use super::mails::{CLOCK, DAY, alice, bob, derived, key_set, mail, record, stamped, tx, world, wrapped};

pub(crate) const HOUR: u32 = 3_600;
const PAY_BOB: &str = "REMIT 1 XAH TO <bob@example.com>";

/// How a provider signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provider {
    /// With `t=`.
    SignsTime,
    /// Without, like Microsoft.
    SignsDate,
}

pub(crate) const BOTH: [Provider; 2] = [Provider::SignsTime, Provider::SignsDate];

impl Provider {
    /// A mail signed at a time, and dated as far ahead of it as the rules let it.
    pub(crate) fn mail(self, signed_at: u32, ahead_secs: u32, line: &str) -> Vec<u8> {
        match self {
            Provider::SignsTime => stamped(signed_at + ahead_secs.min(300), signed_at, line),
            Provider::SignsDate => mail(signed_at + ahead_secs, line),
        }
    }
}

pub(crate) fn rekey_to(number: u8) -> String {
    format!("REKEY {}", id(number))
}

impl World {
    pub(crate) fn now(&self) -> u32 {
        self.ledger.close_time().seconds()
    }

    /// Time passes; the provider's key is attested again.
    pub(crate) fn wait_until(&mut self, time: u32) {
        self.close_empty_at(time);
        let set = key_set(self, "mail.test", "own", Answer::Record(record()));
        assert_eq!(self.close([set]), Ter::TES_SUCCESS);
    }

    fn mark(&self) -> Option<RekeyMark> {
        let mark = self.replay_entry()?.hash256(sf::REKEY_MARK)?;
        Some(RekeyMark::of(&mark))
    }

    /// `REKEY`, with `AFTER` where an earlier one has to be named.
    pub(crate) fn next_rekey(&self, number: u8, provider: Provider) -> String {
        match (self.mark(), provider) {
            (Some(mark), Provider::SignsDate) => format!("{} AFTER {mark}", rekey_to(number)),
            (Some(_), Provider::SignsTime) | (None, _) => rekey_to(number),
        }
    }

    pub(crate) fn disable_email(&mut self, number: u8) -> Ter {
        self.by_key(&key(number), alice(), account_set(flags::ASF_DISABLE_EMAIL))
    }

    pub(crate) fn regular_key(&self) -> Option<codec::AccountId> {
        self.account(alice())?.account(sf::REGULAR_KEY)
    }

    /// What the open ledger says of the account's part in a refusal.
    fn refusal(&self, memo: &[u8]) -> Option<ScreenError> {
        let outcome = OpenLedger::new(&self.ledger).submit(&tx(&wrapped(self, memo, 0)));
        outcome.expect("a mail").by_account
    }
}

// Spec: 8.6, 11.
#[test]
fn accepts_a_rekey_and_the_way_out_of_email() {
    for provider in BOTH {
        let mut world = world();
        let rekey = provider.mail(CLOCK, 0, &rekey_to(50));
        let withheld = provider.mail(CLOCK - 60, 0, PAY_BOB);
        let applied = world.now();
        assert_eq!(world.mail(&rekey), Ter::TES_SUCCESS);
        assert_eq!(world.regular_key(), Some(id(50)));
        let spent = world.flags(alice()) & flags::LSF_PASSWORD_SPENT;
        assert_eq!(spent, 0, "not the free change");
        let entry = world.replay_entry().unwrap();
        assert_eq!(
            entry.u32(sf::LAST_REKEY),
            Some(applied),
            "now, which is after its Date"
        );
        let derived = derived(&rekey);
        assert_eq!(entry.hash256(sf::LAST_REKEY_ID), Some(derived.email_id.hash()));
        assert!(world.replay_ids().is_empty(), "it takes no place");
        assert_eq!(world.mail(&rekey), Ter::TEF_EMAIL_REPLAY);
        assert_eq!(world.mail(&withheld), Ter::TEF_EMAIL_EXPIRED);
        let pays = world.by_key(&key(50), alice(), remit(id(1), XAH));
        assert_eq!(pays, Ter::TES_SUCCESS);

        let later = provider.mail(world.now() + 1, 0, PAY_BOB);
        let by_mail = match provider {
            Provider::SignsTime => Ter::TES_SUCCESS,
            Provider::SignsDate => Ter::TEF_EMAIL_DISABLED,
        };
        assert_eq!(world.mail(&later), by_mail);

        assert_eq!(world.disable_email(50), Ter::TEC_TOO_SOON);
        let free = applied + 3 * DAY;
        world.close_empty_at(free - 30);
        assert!(world.now() < free);
        assert_eq!(world.disable_email(50), Ter::TEC_TOO_SOON);
        world.close_empty_at(free + 30);
        assert_eq!(world.disable_email(50), Ter::TES_SUCCESS);
        assert_ne!(world.flags(alice()) & flags::LSF_DISABLE_EMAIL, 0);

        world.wait_until(free + 60);
        let off = provider.mail(world.now(), 0, PAY_BOB);
        assert_eq!(world.mail(&off), Ter::TEF_EMAIL_DISABLED);
        let back = of_type(TxType::AccountSet).with(sf::CLEAR_FLAG, flags::ASF_DISABLE_EMAIL);
        assert_eq!(world.by_key(&key(50), alice(), back), Ter::TES_SUCCESS);
        assert_eq!(world.mail(&off), by_mail);
    }
}

// Spec: 8.6. A thief has the mailbox for one minute, and signs what he likes, for now and for later.
#[test]
fn rejects_everything_that_a_thief_signed_in_his_minute_once_the_owner_rekeys() {
    for provider in BOTH {
        let mut world = world();
        let minute = world.now();
        let aheads = [0, 299, HOUR, 5 * HOUR, DAY, 4 * DAY];
        let mut withheld: Vec<Vec<u8>> = aheads
            .into_iter()
            .flat_map(|ahead| {
                [rekey_to(66), PAY_BOB.to_owned()].map(|line| provider.mail(minute + 30, ahead, &line))
            })
            .collect();
        // He has one executed at once, and signs more that follow it.
        let now = provider.mail(minute, 0, &rekey_to(66));
        assert_eq!(world.mail(&now), Ter::TES_SUCCESS);
        let line = world.next_rekey(67, provider);
        withheld.extend(aheads.map(|ahead| provider.mail(minute + 59, ahead, &line)));
        assert_eq!(world.regular_key(), Some(id(66)), "the key is the thief's");

        // An hour later the owner takes it back.
        world.wait_until(minute + HOUR);
        let back = provider.mail(world.now(), 0, &world.next_rekey(50, provider));
        assert_eq!(world.mail(&back), Ter::TES_SUCCESS);
        assert_eq!(world.regular_key(), Some(id(50)));

        let before = world.account(alice());
        let last = world.replay_entry();
        for wait in [0, HOUR, DAY, 4 * DAY + HOUR] {
            world.wait_until(minute + HOUR + 60 + wait);
            for memo in &withheld {
                let ter = world.mail(memo);
                assert!(!ter.is_success() && ter.class() != codec::TerClass::Tec, "{ter}");
            }
        }
        assert_eq!((world.account(alice()), world.replay_entry()), (before, last));
        assert_eq!(world.disable_email(50), Ter::TES_SUCCESS, "72 hours are over");
    }
}

// Spec: 8.6. What tells the owner's next REKEY from the thief's: the codes and the line.
#[test]
fn rejects_a_rekey_that_does_not_name_the_last_one_and_says_which_it_is() {
    let mut world = world();
    let first = world.now();
    assert_eq!(world.mail(&mail(first, &rekey_to(66))), Ter::TES_SUCCESS);
    let last = world.mark();
    let refused = Some(ScreenError::Replay(ReplayError::WrongMark { last }));
    world.wait_until(first + HOUR);
    let now = world.now();
    for line in [rekey_to(50), format!("{} AFTER 00000000", rekey_to(50))] {
        let memo = mail(now, &line);
        assert_eq!(world.refusal(&memo), refused);
        assert_eq!(world.mail(&memo), Ter::TEF_EMAIL_AFTER);
    }
    assert_eq!(
        world.refusal(&mail(now, PAY_BOB)),
        Some(ScreenError::Replay(ReplayError::KeyPays))
    );
    // A provider that signs the time needs no mark; one that is named has to be right all the same.
    let wrong = stamped(now, now, &format!("{} AFTER 00000000", rekey_to(50)));
    assert_eq!(world.mail(&wrong), Ter::TEF_EMAIL_AFTER);
    let named = stamped(now, now, &world.next_rekey(50, Provider::SignsDate));
    assert_eq!(world.mail(&named), Ter::TES_SUCCESS);
    assert_ne!(world.mark(), last, "each REKEY makes a mark of its own");
    let without = stamped(world.now() + 1, world.now() + 1, &rekey_to(51));
    assert_eq!(world.mail(&without), Ter::TES_SUCCESS);
}

// Spec: 8.6.
#[test]
fn rejects_a_mark_where_there_was_no_rekey() {
    let mut world = world();
    let line = format!("{} AFTER 1A2B3C4D", rekey_to(50));
    for memo in [mail(CLOCK, &line), stamped(CLOCK, CLOCK, &line)] {
        let none = Some(ScreenError::Replay(ReplayError::WrongMark { last: None }));
        assert_eq!(world.refusal(&memo), none);
        assert_eq!(world.mail(&memo), Ter::TEF_EMAIL_AFTER);
    }
    assert_eq!(world.regular_key(), None);
}

// Spec: 8.6. An idle ledger shows its hash for hours: a mark that it alone makes would be known before the REKEY.
#[test]
fn rejects_a_mark_guessed_from_the_ledger_that_the_rekey_will_follow() {
    let mut world = world();
    let parent = world.ledger.hash();
    let guess = hash::sha512_half(&[b"RKM\0", parent.as_bytes(), alice().as_bytes()]);
    let minute = world.now();
    let line = format!("{} AFTER {}", rekey_to(66), RekeyMark::of(&guess));
    let withheld = mail(minute + 2 * DAY, &line);
    assert_eq!(world.mail(&mail(minute, &rekey_to(50))), Ter::TES_SUCCESS);
    world.wait_until(minute + 2 * DAY);
    assert_eq!(world.mail(&withheld), Ter::TEF_EMAIL_AFTER);
    assert_eq!(world.regular_key(), Some(id(50)));
}

// Spec: 8.6. A thief who signs many REKEYs at once cannot have each follow the one before.
#[test]
fn rejects_a_chain_of_rekeys_that_was_signed_in_one_minute() {
    let mut world = world();
    let minute = world.now();
    assert_eq!(world.mail(&mail(minute, &rekey_to(66))), Ter::TES_SUCCESS);
    let line = world.next_rekey(66, Provider::SignsDate);
    let chain: Vec<_> = (0..5)
        .map(|hour| mail(minute + 60 + hour * HOUR, &line))
        .collect();
    let mut executed = 0;
    for (hour, memo) in (0..).zip(&chain) {
        world.wait_until(minute + 60 + hour * HOUR);
        executed += u32::from(world.mail(memo).is_success());
    }
    assert_eq!(executed, 1, "the first names the mark, and makes another");
}

// Spec: 8.5, 9.
#[test]
fn accepts_the_rekey_of_an_account_that_a_thief_has_filled() {
    for provider in BOTH {
        let mut world = world();
        assert_eq!(world.by_key(&key(1), id(1), remit(bob(), XAH)), Ter::TES_SUCCESS);
        let line = "REMIT 0.000001 XAH TO <bob@example.com>";
        let start = world.now();
        for n in 0..64 {
            assert_eq!(world.mail(&provider.mail(start + n, 0, line)), Ter::TES_SUCCESS);
        }
        let (full, before) = (world.replay_ids(), world.balance(alice()));
        let one_more = provider.mail(world.now(), 0, line);
        assert_eq!(world.mail(&one_more), Ter::TEF_EMAIL_FULL);
        let rekey = provider.mail(world.now(), 0, &rekey_to(50));
        assert_eq!(world.mail(&rekey), Ter::TES_SUCCESS);
        let fee = 10 + rekey.len() as u64 + 100;
        assert_eq!(before - world.balance(alice()), fee, "no live entry counts");
        assert_eq!(world.replay_ids(), full);
        let again = provider.mail(world.now() + 1, 0, &world.next_rekey(51, provider));
        assert_eq!(world.mail(&again), Ter::TES_SUCCESS);
    }
}

// Spec: 6.3.
#[test]
fn accepts_a_rekey_out_of_the_reserve_and_rejects_a_remit() {
    let mut world = world();
    let leave = |world: &mut World, drops: u64| {
        let account = world.account(alice()).unwrap().with(sf::BALANCE, native(drops));
        world.put_entry(keylet::account(alice()), &account);
    };
    let memo = mail(CLOCK, "REMIT 0.000001 XAH TO <bob@example.com>");
    let fee = 10 + memo.len() as u64 + 100;
    leave(&mut world, XAH + fee - 1);
    assert_eq!(world.mail(&memo), Ter::TER_INSUF_FEE_B);
    assert_eq!(world.balance(alice()), XAH + fee - 1, "nothing is taken");
    // The least that may come in has paid its fee out of what is above the reserve, which it then finds too small.
    leave(&mut world, XAH + fee);
    assert_eq!(world.mail(&memo), Ter::TEC_UNFUNDED_PAYMENT);
    assert_eq!(world.balance(alice()), XAH, "the reserve is whole");
    let rekey = mail(CLOCK, &rekey_to(50));
    let fee = 10 + rekey.len() as u64 + 100;
    assert_eq!(world.mail(&rekey), Ter::TES_SUCCESS);
    assert_eq!(world.balance(alice()), XAH - fee);
}

// Spec: 8.6. Both in one ledger: whichever is executed first ends the other.
#[test]
fn accepts_one_of_two_rekeys_in_one_ledger() {
    for provider in BOTH {
        let mut world = world();
        let at = world.now();
        let [thief, owner] = [66, 50].map(|number| provider.mail(at, 0, &rekey_to(number)));
        let both = [(&thief, 0), (&owner, 1)].map(|(memo, ahead)| tx(&wrapped(&world, memo, ahead)));
        world.close(both);
        let applied = world.last.as_ref().unwrap().applied.len();
        assert_eq!((applied, world.regular_key()), (1, Some(id(66))));
        assert_eq!(world.mail(&owner), Ter::TEF_EMAIL_EXPIRED, "as old as the other");
        let next = provider.mail(world.now(), 0, &world.next_rekey(50, provider));
        assert_eq!(world.mail(&next), Ter::TES_SUCCESS);
        assert_eq!(world.regular_key(), Some(id(50)));
    }
}

// Spec: 8.6. Dated ahead as far as the window lets it, a REKEY keeps its owner out for those five minutes alone.
#[test]
fn accepts_the_owner_five_minutes_after_a_rekey_that_is_dated_ahead() {
    for provider in BOTH {
        let mut world = world();
        let minute = world.now();
        let thief = provider.mail(minute, 290, &rekey_to(66));
        assert_eq!(world.mail(&thief), Ter::TES_SUCCESS);
        assert_eq!(
            world.replay_entry().unwrap().u32(sf::LAST_REKEY),
            Some(minute + 290)
        );
        let too_soon = provider.mail(world.now(), 0, &world.next_rekey(50, provider));
        assert_eq!(world.mail(&too_soon), Ter::TEF_EMAIL_EXPIRED);
        world.wait_until(minute + 300);
        let owner = provider.mail(world.now(), 0, &world.next_rekey(50, provider));
        assert_eq!(world.mail(&owner), Ter::TES_SUCCESS);
    }
}

// Spec: 8.6. RekeyMark by its definition, over the ledger that the REKEY follows and the signature of its mail.
#[test]
fn accepts_the_mark_of_its_definition() {
    let mut world = world();
    let parent = world.ledger.hash();
    let memo = mail(CLOCK, &rekey_to(50));
    assert_eq!(world.mail(&memo), Ter::TES_SUCCESS);
    let entry = world.replay_entry().unwrap();
    let signature: Hash256 = entry.hash256(sf::SIGNATURE_HASH).unwrap();
    let expected = hash::sha512_half(&[
        b"RKM\0",
        parent.as_bytes(),
        alice().as_bytes(),
        signature.as_bytes(),
    ]);
    assert_eq!(entry.hash256(sf::REKEY_MARK), Some(expected));
}
