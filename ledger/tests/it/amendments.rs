//! The life of an amendment, and a network before it. Expected values: xahaud's rules (Change.cpp,
//! AmendmentTable.cpp).

use std::collections::BTreeMap;

use codec::format::TxType;
use codec::{AccountId, Amount, CloseTime, Hash256, LedgerIndex, Object, Ter, flags, keylet, sf};
use ledger::amendments::{self, Ballot, build_changes};
use ledger::dkim::KeyDelays;
use ledger::genesis::EmailAmendment;
use ledger::{GenesisConfig, Header, Ledger, Transaction, close};

use super::common::{
    NETWORK, START, World, XAH, account_set, id, key, master, native, of_type, payment, remit,
};

/// A network without Email, closed so that the last ledger is a flag ledger.
fn flag_ledger() -> Ledger {
    let genesis = Ledger::genesis(&GenesisConfig {
        network_id: NETWORK,
        validators: Vec::new(),
        email: EmailAmendment::Absent,
        close_time: CloseTime::new(START),
        key_delays: KeyDelays::NONE,
    });
    at_index(&genesis, 256)
}

/// The same state under another number.
fn at_index(ledger: &Ledger, index: u32) -> Ledger {
    let header = Header {
        index: LedgerIndex::new(index),
        parent_close_time: CloseTime::new(ledger.close_time().seconds() - 1),
        ..*ledger.header()
    };
    Ledger::from_parts(header, ledger.state().clone(), ledger.transactions().clone()).expect("same roots")
}

fn changes(parent: &Ledger, ids: &[Hash256], majority_secs: u32) -> Vec<Transaction> {
    let votes: BTreeMap<Hash256, u32> = ids.iter().map(|id| (*id, 1)).collect();
    build_changes(parent, &Ballot { validators: 1, votes }, majority_secs)
}

fn applied(parent: &Ledger, txs: Vec<Transaction>) -> (Ledger, Vec<Ter>) {
    let closed = close(parent, txs, CloseTime::new(0));
    let done = closed.applied.iter().map(|tx| tx.ter);
    let dropped = closed.dropped.iter().map(|(_, ter)| *ter);
    let all = done.chain(dropped).collect();
    (closed.ledger, all)
}

#[test]
fn accepts_an_amendment_from_its_first_vote_to_its_first_ledger() {
    let email = amendments::id("Email");
    let flag = flag_ledger();
    let gained = changes(&flag, &[email], 600);
    assert_eq!(gained[0].flags(), flags::TF_GOT_MAJORITY);
    assert_eq!(gained[0].object().u32(sf::LEDGER_SEQUENCE), Some(257));
    let (ledger, results) = applied(&flag, gained);
    assert_eq!(results, [Ter::TES_SUCCESS]);
    let since = flag.close_time();
    assert_eq!(amendments::majorities(&ledger), BTreeMap::from([(email, since)]));
    // Not yet old enough at the next flag ledger; then it is, by the close time of the flag ledger's parent.
    let next = at_index(&ledger, 512);
    assert!(changes(&next, &[email], 600).is_empty());
    let enable = changes(&next, &[email], 0);
    assert_eq!(enable[0].flags(), 0);
    assert!(!enable[0].object().contains(sf::FLAGS));
    let (ledger, results) = applied(&next, enable.clone());
    assert_eq!(results, [Ter::TES_SUCCESS]);
    assert_eq!(amendments::enabled(&ledger).last(), Some(&email));
    assert!(amendments::majorities(&ledger).is_empty());
    let entry = ledger.entry(&keylet::amendments()).unwrap();
    assert!(!entry.contains(sf::MAJORITIES), "an empty list is no field");
    assert_eq!(applied(&ledger, enable).1, [Ter::TEF_ALREADY]);
    assert!(changes(&at_index(&ledger, 768), &[email], 0).is_empty());
}

#[test]
fn rejects_what_no_majority_wants_or_what_is_not_there() {
    let email = amendments::id("Email");
    let flag = flag_ledger();
    assert!(
        changes(&at_index(&flag, 257), &[email], 0).is_empty(),
        "no flag ledger"
    );
    let nobody = Ballot::default();
    assert!(build_changes(&flag, &nobody, 0).is_empty());
    let (ledger, _) = applied(&flag, changes(&flag, &[email], 0));
    let next = at_index(&ledger, 512);
    let lost = build_changes(&next, &nobody, 0);
    assert_eq!(lost[0].flags(), flags::TF_LOST_MAJORITY);
    assert_eq!(
        applied(&flag, lost.clone()).1,
        [Ter::TEF_ALREADY],
        "nothing to lose"
    );
    let (ledger, results) = applied(&next, lost);
    assert_eq!(results, [Ter::TES_SUCCESS]);
    assert!(amendments::majorities(&ledger).is_empty());
    let both = pseudo(TxType::EnableAmendment)
        .with(sf::FLAGS, flags::TF_GOT_MAJORITY | flags::TF_LOST_MAJORITY)
        .with(sf::LEDGER_SEQUENCE, 257u32)
        .with(sf::AMENDMENT, email);
    assert_eq!(applied(&flag, vec![tx(&both)]).1, [Ter::TEM_INVALID_FLAG]);
}

fn pseudo(tx_type: TxType) -> Object {
    Object::new()
        .with(sf::TRANSACTION_TYPE, tx_type.code())
        .with(sf::SEQUENCE, 0u32)
        .with(sf::FEE, Amount::Native(0))
        .with(sf::SIGNING_PUB_KEY, b"".as_slice())
        .with(sf::ACCOUNT, AccountId::ZERO)
}

fn tx(object: &Object) -> Transaction {
    Transaction::from_object(object).expect("template")
}

#[test]
fn accepts_new_fees_and_a_new_list_of_validators() {
    let flag = flag_ledger();
    let fee = pseudo(TxType::SetFee)
        .with(sf::LEDGER_SEQUENCE, 257u32)
        .with(sf::BASE_FEE_DROPS, native(20))
        .with(sf::RESERVE_BASE_DROPS, native(2 * XAH))
        .with(sf::RESERVE_INCREMENT_DROPS, native(XAH));
    let (ledger, results) = applied(&flag, vec![tx(&fee)]);
    assert_eq!(results, [Ter::TES_SUCCESS]);
    let fees = ledger::Fees::of(ledger.state());
    assert_eq!((fees.base_drops, fees.account_reserve_drops(3)), (20, 5 * XAH));
    let report = |number: u8| {
        let validator = Object::new().with(sf::PUBLIC_KEY, key(number).public_key().as_bytes().as_slice());
        let report = pseudo(TxType::UnlReport)
            .with(sf::LEDGER_SEQUENCE, 257u32)
            .with(sf::ACTIVE_VALIDATOR, validator);
        tx(&report)
    };
    let (ledger, results) = applied(&ledger, vec![report(1), report(2)]);
    assert_eq!(results, [Ter::TES_SUCCESS; 2]);
    assert_eq!(ledger::dkim::validators(&ledger).len(), 2);
    // The first of a later ledger replaces the list.
    let (ledger, _) = applied(&ledger, vec![report(3)]);
    assert_eq!(ledger::dkim::validators(&ledger), [key(3).public_key()]);
}

#[test]
fn rejects_reports_and_fees_without_content() {
    let flag = flag_ledger();
    let empty = pseudo(TxType::UnlReport).with(sf::LEDGER_SEQUENCE, 257u32);
    let fees = pseudo(TxType::SetFee).with(sf::BASE_FEE_DROPS, native(20));
    for (object, code) in [
        (empty.clone(), Ter::TEM_MALFORMED),
        (fees, Ter::TEM_MALFORMED),
        (empty.with(sf::FEE, native(1)), Ter::TEM_BAD_FEE),
        (
            pseudo(TxType::EnableAmendment)
                .with(sf::LEDGER_SEQUENCE, 257u32)
                .with(sf::AMENDMENT, amendments::id("Email"))
                .with(sf::SEQUENCE, 1u32),
            Ter::TEM_BAD_SEQUENCE,
        ),
    ] {
        assert_eq!(applied(&flag, vec![tx(&object)]).1, [code]);
    }
}

#[test]
fn rejects_everything_of_email_before_its_amendment() {
    let mut world = World {
        ledger: flag_ledger(),
        last: None,
    };
    for number in 1..=2 {
        let pay = payment(id(number), 100 * XAH);
        assert_eq!(world.apply(&master(), pay), Ter::TES_SUCCESS);
    }
    // The flag is one that no type knows, on every type and whatever else the transaction carries.
    let flagged = |object: Object| object.with(sf::FLAGS, flags::TF_EMAIL_SIG);
    let memo = (
        sf::MEMO,
        Object::new().with(sf::MEMO_DATA, b"dkim-signature:".as_slice()),
    );
    let rekey = of_type(TxType::SetRegularKey).with(sf::REGULAR_KEY, id(2));
    for object in [
        flagged(remit(id(2), 1)),
        flagged(rekey),
        flagged(payment(id(2), 1)),
        flagged(remit(id(2), 1))
            .with(sf::MEMOS, vec![memo])
            .with(sf::FEE, native(1_000)),
    ] {
        assert_eq!(world.apply(&key(1), object), Ter::TEM_INVALID_FLAG);
    }
    let unsigned = flagged(remit(id(2), 1))
        .with(sf::ACCOUNT, id(1))
        .with(sf::NETWORK_ID, NETWORK)
        .with(sf::SEQUENCE, world.sequence(id(1)))
        .with(sf::FEE, native(10))
        .with(sf::SIGNING_PUB_KEY, b"".as_slice());
    assert_eq!(world.close([tx(&unsigned)]), Ter::TEM_INVALID_FLAG);
    // asf 60 is no number that a node without the amendment knows: it changes nothing, as any unknown number.
    assert_eq!(
        world.apply(&key(1), account_set(flags::ASF_DISABLE_EMAIL)),
        Ter::TES_SUCCESS
    );
    assert_eq!(world.flags(id(1)), 0);
    assert_eq!(
        world.apply(&key(1), account_set(59)),
        Ter::TES_SUCCESS,
        "as any other"
    );
    let key_set = pseudo(TxType::DkimKeySet)
        .with(sf::LEDGER_SEQUENCE, world.ledger.index().get() + 1)
        .with(sf::DOMAIN, b"mail.test".as_slice())
        .with(sf::SELECTOR, b"s1".as_slice())
        .with(sf::DKIM_ATTESTATIONS, Vec::<(codec::Field, Object)>::new());
    assert_eq!(world.close([tx(&key_set)]), Ter::TEM_DISABLED);
    assert_eq!(world.balance(id(1)), 100 * XAH - 20, "no fee for what is refused");
}

#[test]
fn rejects_types_that_are_not_supported() {
    // AccountDelete and all other types of Xahau have no template here: they are no transactions.
    let world = World::new();
    let delete = of_type(TxType::AccountDelete)
        .with(sf::ACCOUNT, id(1))
        .with(sf::DESTINATION, id(2))
        .with(sf::SEQUENCE, world.sequence(id(1)))
        .with(sf::FEE, native(10))
        .with(sf::SIGNING_PUB_KEY, b"".as_slice());
    let error = Transaction::from_object(&delete).unwrap_err();
    assert_eq!(
        error,
        ledger::TransactionError::UnsupportedType {
            tx_type: TxType::AccountDelete
        }
    );
}
