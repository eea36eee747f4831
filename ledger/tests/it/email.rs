//! Transactions signed by mail, on the ledger (spec 6.3, 7.3, 8, 9, 11). Expected values: the vectors and hand work.

use amendment::EmailId;
use codec::format::TxType;
use codec::{AccountId, CloseTime, Hash256, Object, Ter, flags, keylet, sf};
use ledger::dkim::{Answer, KeyDelays};
use ledger::genesis::EmailAmendment;
use ledger::{GenesisConfig, Ledger, LocalRefusal, OpenLedger, Transaction};

use super::common::{World, XAH, account_set, id, key, master, native, of_type, payment, remit};
use super::mails::{
    CLOCK, DAY, NETWORK, alice, bob, key_set, mail, record, tx, vector, vector_record, vectors, world,
    world_without_keys, wrapped,
};

// Spec: 6.1, 9.
#[test]
fn accepts_a_signed_mail_as_a_remit() {
    let mut world = world();
    let (memo, email_id) = vector("c002.eml");
    let sequence = world.sequence(alice());
    let bob = AccountId::parse_classic("rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5o").unwrap();
    assert_eq!(world.mail(&memo), Ter::TES_SUCCESS);
    assert_eq!(
        world.balance(bob),
        11 * XAH,
        "10 XAH and the reserve of a new account"
    );
    // Fee: 10 + 756 memo bytes + no live entry, and the margin of 10 base fees.
    assert_eq!(world.balance(alice()), 100 * XAH - 11 * XAH - 866);
    assert_eq!(world.sequence(alice()), sequence + 1);
    assert_eq!(world.replay_ids(), [email_id]);
    let applied = &world.last.as_ref().unwrap().applied[0];
    assert_eq!(applied.email_id, Some(EmailId::new(email_id)));
    let metadata = &applied.metadata;
    let nodes = metadata.array(sf::AFFECTED_NODES).unwrap();
    let hidden = codec::json::to_json(metadata).to_string();
    assert_eq!(
        nodes.len(),
        4,
        "alice, bob, the running number of accounts, the replay entry"
    );
    assert!(hidden.contains("EmailReplay") && !hidden.contains(&email_id.to_string()));
}

// Spec: 6.1, 8.2.
#[test]
fn accepts_every_vector_of_xah_and_of_rekey_once() {
    let (mut remits, mut seen) = (0, std::collections::BTreeSet::new());
    let mut world = world();
    for case in vectors()["cases"].as_array().unwrap() {
        let s1 = case["normal_form_hex"].as_str().is_some_and(|memo| {
            let text = String::from_utf8_lossy(&hex::decode(memo).unwrap()).into_owned();
            text.contains("d=mail.test") && text.contains("s=s1;")
        });
        let native = case["tx"]["Amounts"][0]["AmountEntry"]["Amount"].is_string();
        if case["accept"] != true || !s1 || !native || case["network_id"] != 21_337 {
            continue;
        }
        let memo = hex::decode(case["normal_form_hex"].as_str().unwrap()).unwrap();
        let new = seen.insert(case["email_id"].as_str().unwrap().to_owned());
        let expected = if new {
            Ter::TES_SUCCESS
        } else {
            Ter::TEF_EMAIL_REPLAY
        };
        assert_eq!(world.mail(&memo), expected, "{}", case["file"]);
        remits += 1;
    }
    assert!(remits > 20, "{remits} vectors");
}

// Spec: 7.3.
#[test]
fn rejects_a_mail_until_the_parent_ledger_holds_its_key() {
    let mut world = world_without_keys();
    let (memo, _) = vector("c002.eml");
    let mail = tx(&wrapped(&world, &memo, 0));
    assert_eq!(world.submit(&mail), Ter::TER_NO_DKIM_KEY);
    let set = key_set(
        &world,
        "mail.test",
        "s1",
        Answer::Record(vector_record("s1._domainkey.mail.test")),
    );
    assert_eq!(world.close([mail.clone(), set]), Ter::TES_SUCCESS);
    let closed = world.last.as_ref().unwrap();
    assert_eq!(
        closed.applied.len(),
        1,
        "the key alone, although it comes in the same ledger"
    );
    assert_eq!(closed.applied[0].email_id, None, "no mail signed it");
    assert_eq!(
        closed.retry.iter().map(Transaction::id).collect::<Vec<_>>(),
        [mail.id()]
    );
    assert_eq!(world.close([mail]), Ter::TES_SUCCESS);
}

// Spec: 8.1, 8.2.
#[test]
fn rejects_the_same_mail_and_the_other_copy_of_it() {
    let mut world = world();
    let memo = mail(CLOCK, "REMIT 1 XAH TO <bob@example.com>");
    assert_eq!(world.mail(&memo), Ter::TES_SUCCESS);
    let before = world.balance(alice());
    assert_eq!(world.mail(&memo), Ter::TEF_EMAIL_REPLAY);
    assert_eq!(world.mail(&vector("c002.eml").0), Ter::TES_SUCCESS);
    let after = world.balance(alice());
    assert_eq!(
        world.mail(&vector("c184.eml").0),
        Ter::TEF_EMAIL_REPLAY,
        "another signature, the same EmailID"
    );
    assert_eq!(
        (world.balance(alice()), before - after > 10 * XAH),
        (after, true),
        "no fee"
    );
}

// Spec: 6.1, 6.2, 6.3, 10.
#[test]
fn rejects_what_the_mail_does_not_say() {
    let mut world = world();
    let object = wrapped(&world, &mail(CLOCK, "REMIT 1 XAH TO <bob@example.com>"), 0);
    let entry = Object::new().with(sf::AMOUNT, native(2 * XAH));
    let cases = [
        (
            object.clone().with(sf::AMOUNTS, vec![(sf::AMOUNT_ENTRY, entry)]),
            Ter::TEM_MALFORMED,
        ),
        (object.clone().with(sf::DESTINATION, id(1)), Ter::TEM_MALFORMED),
        (object.clone().with(sf::DESTINATION_TAG, 1u32), Ter::TEM_MALFORMED),
        (object.clone().with(sf::ACCOUNT, id(1)), Ter::TEM_MALFORMED),
        (object.clone().with(sf::SOURCE_TAG, 1u32), Ter::TEM_MALFORMED),
        (
            object.clone().with(sf::FLAGS, flags::TF_EMAIL_SIG),
            Ter::TEM_MALFORMED,
        ),
        (object.clone().with(sf::FEE, native(10)), Ter::TEF_BAD_EMAIL_FEE),
        (
            object.clone().with(sf::FEE, native(10 * XAH)),
            Ter::TEF_BAD_EMAIL_FEE,
        ),
        (
            object.clone().with(sf::NETWORK_ID, 21_338u32),
            Ter::TEL_WRONG_NETWORK,
        ),
        (object.clone().with(sf::SEQUENCE, 1u32), Ter::TEF_PAST_SEQ),
        (
            object.clone().with(sf::LAST_LEDGER_SEQUENCE, 1u32),
            Ter::TEF_MAX_LEDGER,
        ),
    ];
    for (object, code) in cases {
        let tx = tx(&object);
        assert_eq!((world.submit(&tx), world.close([tx])), (code, code), "{object:?}");
    }
    assert_eq!(world.balance(alice()), 100 * XAH);
    assert_eq!(world.close([tx(&object)]), Ter::TES_SUCCESS);
}

// Spec: 6.2, 16.
#[test]
fn rejects_a_mail_that_says_it_was_emitted_by_its_own_rule() {
    let mut world = world();
    let details = Object::new()
        .with(sf::EMIT_GENERATION, 1u32)
        .with(sf::EMIT_BURDEN, 1u64)
        .with(sf::EMIT_PARENT_TXN_ID, Hash256::ZERO)
        .with(sf::EMIT_NONCE, Hash256::ZERO)
        .with(sf::EMIT_HOOK_HASH, Hash256::ZERO);
    let object = wrapped(&world, &mail(CLOCK, "REMIT 1 XAH TO <bob@example.com>"), 0);
    let emitted = tx(&object.with(sf::EMIT_DETAILS, details.clone()));
    let door = OpenLedger::new(&world.ledger).submit(&emitted);
    assert_eq!(door.err(), Some(LocalRefusal::Emitted));
    assert_eq!(world.close([emitted]), Ter::TEM_MALFORMED);
    // What a key signed is told as before.
    let pay = payment(bob(), XAH)
        .with(sf::NETWORK_ID, NETWORK)
        .with(sf::EMIT_DETAILS, details);
    let by_key = world.sign(&key(1), id(1), pay);
    assert_eq!(world.close([by_key]), Ter::TEL_NON_LOCAL_EMITTED_TXN);
}

// Spec: 1, 16. A server meets a mail before its ledger knows the amendment; that says nothing about the mail.
#[test]
fn accepts_a_mail_that_was_refused_before_the_amendment() {
    let mut world = world();
    let with_email = world.ledger.clone();
    let mail = tx(&wrapped(
        &world,
        &mail(CLOCK, "REMIT 1 XAH TO <bob@example.com>"),
        0,
    ));
    let amendments = world.ledger.entry(&keylet::amendments()).expect("an entry");
    let mut others = amendments.vector256(sf::AMENDMENTS).expect("a list").to_vec();
    others.retain(|id| *id != amendment::AMENDMENT_EMAIL);
    world.put_entry(
        keylet::amendments(),
        &amendments.with(sf::AMENDMENTS, codec::Value::Vector256(others)),
    );
    let door = OpenLedger::new(&world.ledger).submit(&mail);
    assert_eq!(door.err(), Some(LocalRefusal::Signature));
    assert_eq!(world.close([mail.clone()]), Ter::TEM_INVALID_FLAG);
    world.ledger = with_email;
    assert_eq!(world.submit(&mail), Ter::TES_SUCCESS);
    assert_eq!(world.close([mail]), Ter::TES_SUCCESS);
}

// Spec: 4.5, 7.4.
#[test]
fn rejects_a_forged_signature_and_a_withdrawn_key() {
    let mut world = world();
    let object = wrapped(&world, &mail(CLOCK, "REMIT 1 XAH TO <bob@example.com>"), 0);
    let memo = object.array(sf::MEMOS).unwrap()[0]
        .1
        .blob(sf::MEMO_DATA)
        .unwrap()
        .to_vec();
    let at = memo.windows(3).rposition(|part| part == b" b=").unwrap() + 3;
    let mut forged = memo.clone();
    forged[at] = if memo[at] == b'A' { b'B' } else { b'A' };
    let element = Object::new().with(sf::MEMO_DATA, forged);
    let forged = object.clone().with(sf::MEMOS, vec![(sf::MEMO, element)]);
    assert_eq!(world.close([tx(&forged)]), Ter::TEF_BAD_SIGNATURE);
    let absent = key_set(&world, "mail.test", "own", Answer::Absent);
    assert_eq!(world.close([absent]), Ter::TES_SUCCESS);
    assert_eq!(world.close([tx(&object)]), Ter::TEF_DKIM_REVOKED);
    assert_eq!(world.balance(alice()), 100 * XAH);
}

// Spec: 8.3.
#[test]
fn rejects_a_tec_as_a_way_to_drain_fees() {
    let mut world = world();
    let memo = mail(CLOCK, "REMIT 1000 XAH TO <bob@example.com>");
    let sequence = world.sequence(alice());
    let fee = 10 + memo.len() as u64 + 100;
    assert_eq!(world.mail(&memo), Ter::TEC_UNFUNDED_PAYMENT);
    assert_eq!(
        (world.balance(alice()), world.sequence(alice())),
        (100 * XAH - fee, sequence + 1)
    );
    assert_eq!(world.replay_ids().len(), 1, "kept by the reset");
    assert_eq!(world.mail(&memo), Ter::TEF_EMAIL_REPLAY);
    assert_eq!(world.balance(alice()), 100 * XAH - fee);
}

// Spec: 6.3.
#[test]
fn rejects_a_fee_above_the_balance_without_taking_what_is_there() {
    let mut world = world();
    let account = world.account(alice()).unwrap().with(sf::BALANCE, native(100));
    world.put_entry(keylet::account(alice()), &account);
    assert_eq!(
        world.mail(&mail(CLOCK, "REMIT 1 XAH TO <bob@example.com>")),
        Ter::TER_INSUF_FEE_B
    );
    assert_eq!(world.balance(alice()), 100, "in closed ledgers too");
}

// Spec: 4.6.
#[test]
fn rejects_mails_outside_their_window() {
    let mut world = world();
    let now = world.ledger.close_time().seconds();
    let line = "REMIT 1 XAH TO <bob@example.com>";
    assert_eq!(world.mail(&mail(now + 300 + 20, line)), Ter::TER_EMAIL_EARLY);
    assert_eq!(world.mail(&mail(now - 5 * DAY - 1, line)), Ter::TEF_EMAIL_EXPIRED);
    assert_eq!(world.mail(&mail(now - 5 * DAY + 60, line)), Ter::TES_SUCCESS);
    assert_eq!(world.mail(&mail(now + 290, line)), Ter::TES_SUCCESS);
}

// Spec: 11.
#[test]
fn accepts_disabling_email_at_once_without_a_rekey() {
    let mut world = world();
    assert_eq!(
        world.by_key(&key(1), id(1), account_set(flags::ASF_DISABLE_EMAIL)),
        Ter::TES_SUCCESS
    );
    assert_ne!(world.flags(id(1)) & flags::LSF_DISABLE_EMAIL, 0);
}

// Spec: 8.4, 8.5, 9.
#[test]
fn accepts_64_mails_and_rejects_the_65th_until_the_window_has_passed() {
    let mut world = world();
    let mails: Vec<Vec<u8>> = (0..65)
        .map(|n| mail(CLOCK + n, "REMIT 0.000001 XAH TO <bob@example.com>"))
        .collect();
    assert_eq!(world.by_key(&key(1), id(1), remit(bob(), XAH)), Ter::TES_SUCCESS);
    for (n, memo) in mails.iter().take(64).enumerate() {
        assert_eq!(world.mail(memo), Ter::TES_SUCCESS, "mail {n}");
    }
    assert_eq!(world.replay_ids().len(), 64);
    assert!(world.replay_ids().is_sorted());
    assert_eq!(world.mail(&mails[64]), Ter::TEF_EMAIL_FULL);
    // All are dead after five days: the next mail removes eight of them and pays for none.
    world.close_empty_at(CLOCK + 5 * DAY + 600);
    let set = key_set(&world, "mail.test", "own", Answer::Record(record()));
    assert_eq!(world.close([set]), Ter::TES_SUCCESS);
    let now = world.ledger.close_time().seconds();
    let before = world.balance(alice());
    let memo = mail(now, "REMIT 0.000001 XAH TO <bob@example.com>");
    assert_eq!(world.mail(&memo), Ter::TES_SUCCESS);
    assert_eq!(before - world.balance(alice()), 1 + 10 + memo.len() as u64 + 100);
    assert_eq!(world.replay_ids().len(), 64 - 8 + 1);
}

// Spec: 1.
#[test]
fn rejects_the_flag_where_it_is_not_legal() {
    let mut world = world();
    let flag = flags::TF_EMAIL_SIG | flags::TF_FULLY_CANONICAL_SIG;
    assert_eq!(
        world.by_key(&key(1), id(1), payment(bob(), XAH).with(sf::FLAGS, flag)),
        Ter::TEM_INVALID_FLAG
    );
    assert_eq!(
        world.by_key(&key(1), id(1), account_set(1).with(sf::FLAGS, flag)),
        Ter::TEM_INVALID_FLAG
    );
    let without = Ledger::genesis(&GenesisConfig {
        network_id: NETWORK,
        validators: Vec::new(),
        email: EmailAmendment::Absent,
        close_time: CloseTime::new(CLOCK),
        key_delays: KeyDelays::NONE,
    });
    let mail = tx(&wrapped(
        &world,
        &mail(CLOCK, "REMIT 1 XAH TO <bob@example.com>"),
        0,
    ));
    let closed = ledger::close(&without, [mail.clone()], CloseTime::new(CLOCK + 5));
    assert_eq!(closed.dropped, [(mail.id(), Ter::TEM_INVALID_FLAG)]);
    let key_signed = world.sign(
        &key(1),
        id(1),
        remit(bob(), XAH)
            .with(sf::FLAGS, flag)
            .with(sf::NETWORK_ID, NETWORK),
    );
    assert_eq!(
        world.close([key_signed]),
        Ter::TEM_MALFORMED,
        "a key never replaces the mail"
    );
}

// Spec: 11.
#[test]
fn rejects_mail_where_the_master_key_is_disabled() {
    let mut world = world();
    // Only a key can switch it off, and a mail account has none: the flag is put into the state by hand.
    let account = world
        .account(alice())
        .unwrap()
        .with(sf::FLAGS, flags::LSF_DISABLE_MASTER);
    world.put_entry(keylet::account(alice()), &account);
    let memo = mail(CLOCK, "REMIT 1 XAH TO <bob@example.com>");
    assert_eq!(world.mail(&memo), Ter::TEF_EMAIL_DISABLED);
}

fn usd_of_one(value: &str) -> codec::Amount {
    let usd = codec::Currency::from_iso(*b"USD");
    codec::Amount::Issued(codec::IssuedAmount::parse(value, usd, id(1)).expect("an amount"))
}

/// Account 1 issues dollars, of which alice has 20.
fn world_with_dollars() -> World {
    let mut world = world();
    let ripple = account_set(flags::ASF_DEFAULT_RIPPLE);
    assert_eq!(world.by_key(&key(1), id(1), ripple), Ter::TES_SUCCESS);
    let entry = Object::new().with(sf::AMOUNT, usd_of_one("20"));
    let gift = of_type(TxType::Remit)
        .with(sf::DESTINATION, alice())
        .with(sf::AMOUNTS, vec![(sf::AMOUNT_ENTRY, entry)]);
    assert_eq!(world.by_key(&key(1), id(1), gift), Ter::TES_SUCCESS);
    world
}

fn dollars(world: &World, holder: AccountId) -> Option<codec::Amount> {
    let line = keylet::line(holder, id(1), codec::Currency::from_iso(*b"USD"));
    world.ledger.entry(&line)?.amount(sf::BALANCE)
}

#[test]
fn accepts_a_mail_of_issued_money_that_makes_account_and_line() {
    let mut world = world_with_dollars();
    let before = world.balance(alice());
    let line = format!("REMIT 5 USD/{} TO <bob@example.com>", id(1));
    let memo = mail(CLOCK, &line);
    assert_eq!(world.mail(&memo), Ter::TES_SUCCESS);
    let fee = 10 + memo.len() as u64 + 100;
    // The reserves of an account and of a line go with it: 1 XAH and 0.2 XAH.
    assert_eq!(world.balance(bob()), XAH + XAH / 5);
    assert_eq!(world.balance(alice()), before - XAH - XAH / 5 - fee);
    let Some(codec::Amount::Issued(balance)) = dollars(&world, bob()) else {
        panic!("a line");
    };
    assert_eq!(
        (balance.mantissa().abs(), balance.exponent()),
        (5_000_000_000_000_000, -15)
    );
    assert_eq!(world.replay_ids().len(), 1);
}

// Spec: 8.3.
#[test]
fn rejects_a_mail_of_issued_money_that_is_not_there_and_keeps_its_entry() {
    let mut world = world_with_dollars();
    let (before, sequence) = (world.balance(alice()), world.sequence(alice()));
    let line = format!("REMIT 21 USD/{} TO <bob@example.com>", id(1));
    let memo = mail(CLOCK, &line);
    let fee = 10 + memo.len() as u64 + 100;
    assert_eq!(world.mail(&memo), Ter::TEC_UNFUNDED_PAYMENT);
    assert_eq!(
        (world.balance(alice()), world.sequence(alice())),
        (before - fee, sequence + 1)
    );
    assert!(world.account(bob()).is_none(), "nothing is made");
    assert_eq!(world.replay_ids().len(), 1, "the mail is used up");
    assert_eq!(world.mail(&memo), Ter::TEF_EMAIL_REPLAY);
    // Frozen by the issuer: the same, with another code.
    let frozen = of_type(TxType::TrustSet)
        .with(sf::FLAGS, 0x0010_0000u32)
        .with(sf::LIMIT_AMOUNT, {
            let usd = codec::Currency::from_iso(*b"USD");
            codec::Amount::Issued(codec::IssuedAmount::new(0, 0, usd, alice()).expect("zero"))
        });
    assert_eq!(world.by_key(&key(1), id(1), frozen), Ter::TES_SUCCESS);
    let line = format!("REMIT 1 USD/{} TO <bob@example.com>", id(1));
    assert_eq!(world.mail(&mail(CLOCK, &line)), Ter::TEC_FROZEN);
    assert_eq!(world.replay_ids().len(), 2);
}

// Spec: 2.5, 10.
#[test]
fn rejects_a_mail_to_oneself_whoever_wraps_it() {
    let mut world = world();
    // No node makes a transaction of such a mail: it is put around another one's.
    let around = |world: &World, like: &str, memo: Vec<u8>, field, account: AccountId| {
        let element = Object::new().with(sf::MEMO_DATA, memo);
        let object = wrapped(world, &mail(CLOCK, like), 0)
            .with(sf::MEMOS, vec![(sf::MEMO, element)])
            .with(field, account);
        tx(&object)
    };
    let to_self = around(
        &world,
        "REMIT 1 XAH TO <bob@example.com>",
        mail(CLOCK, "REMIT 1 XAH TO <alice@mail.test>"),
        sf::DESTINATION,
        alice(),
    );
    assert_eq!(world.close_one(to_self), Ter::TEM_REDUNDANT);
    let own_key = around(
        &world,
        &format!("REKEY {}", id(1)),
        mail(CLOCK, &format!("REKEY {}", alice())),
        sf::REGULAR_KEY,
        alice(),
    );
    assert_eq!(world.close_one(own_key), Ter::TEM_BAD_REGKEY);
    assert_eq!(world.balance(alice()), 100 * XAH, "no fee");
    assert_eq!(world.replay_ids(), []);
}

// Spec: 6.4.
#[test]
fn accepts_a_memo_above_the_bound_of_other_memos() {
    let world = world();
    let lines = ["REMIT 1 XAH TO <bob@example.com>", ""]
        .into_iter()
        .chain(std::iter::repeat_n("more", 300));
    let memo = mail(CLOCK, &lines.collect::<Vec<_>>().join("\r\n"));
    assert!(memo.len() > 1_024);
    assert_eq!(world.submit(&tx(&wrapped(&world, &memo, 0))), Ter::TES_SUCCESS);
}

// Spec: 9.
#[test]
fn accepts_the_cost_of_a_mail_with_its_bytes_and_its_entry() {
    let world = world();
    let memo = mail(CLOCK, "REMIT 1 XAH TO <bob@example.com>");
    let mut open = OpenLedger::new(&world.ledger);
    let tx = tx(&wrapped(&world, &memo, 0));
    assert!(open.submit(&tx).expect("the door lets it in").applied);
    assert_eq!(
        open.cost_drops(&tx),
        10 + memo.len() as u64 + 10,
        "with this mail's own entry"
    );
}

// Spec: 6.2.
#[test]
fn accepts_a_network_id_above_1024_alone_in_the_transaction() {
    let mut records = amendment::TxtRecords::new();
    records.insert("own._domainkey.mail.test", &record());
    for (network_id, written) in [(1_024, None), (1_025, Some(1_025))] {
        let memo = mail(
            CLOCK,
            &format!("REMIT 1 XAH TO <bob@example.com> NET {network_id}"),
        );
        let derived = amendment::derive(&memo, network_id, CloseTime::new(CLOCK), &records);
        let transaction = derived.expect("a mail that qualifies").transaction.clone();
        assert_eq!(transaction.u32(sf::NETWORK_ID), written);
    }
}

// Spec: 9. What a mail pays is a rule of its own, so a crowd of others must not price it out.
#[test]
fn accepts_a_mail_at_its_own_fee_where_transactions_of_keys_crowd_the_open_ledger() {
    let mut world = world();
    for number in 2..=12 {
        let pay = payment(id(number), 5 * XAH);
        assert_eq!(world.by_key(&master(), master().account(), pay), Ter::TES_SUCCESS);
    }
    let mut open = OpenLedger::new(&world.ledger);
    let deed = |world: &World, number: u8, ahead: u32| {
        let object = account_set(flags::ASF_REQUIRE_DEST)
            .with(sf::NETWORK_ID, NETWORK)
            .with(sf::SEQUENCE, world.sequence(id(number)) + ahead);
        world.sign(&key(number), id(number), object)
    };
    for number in 2..=11 {
        for ahead in 0..=100 {
            let outcome = open
                .submit_at_its_price(&deed(&world, number, ahead))
                .expect("local");
            if !outcome.applied {
                assert_eq!(outcome.ter, Ter::TER_QUEUED);
                break;
            }
        }
    }
    assert_eq!(
        open.accepted().len(),
        1_001,
        "the target and one more, as xahaud counts"
    );
    let other = deed(&world, 12, 0);
    assert_eq!(
        open.submit_at_its_price(&other).expect("local").ter,
        Ter::TER_QUEUED
    );
    assert_eq!(open.cost_drops(&other), 128_256 * 10 / 256);
    let memo = mail(CLOCK, "REMIT 1 XAH TO <bob@example.com>");
    let by_mail = open
        .submit_at_its_price(&tx(&wrapped(&world, &memo, 0)))
        .expect("local");
    assert_eq!((by_mail.ter, by_mail.applied), (Ter::TES_SUCCESS, true));
}
