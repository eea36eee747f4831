//! Each transaction type: what it does and what it refuses. Expected values: xahaud's rules as listed in its
//! sources.

use super::common::{World, XAH, account_set, id, key, master, native, of_type, payment, remit};
use codec::format::TxType;
use codec::{Amount, Currency, IssuedAmount, Object, Ter, flags, keylet, sf};
use ledger::{LocalRefusal, OpenLedger, Transaction};

#[test]
fn accepts_a_payment_to_an_account_and_to_a_new_one() {
    let mut world = World::new();
    assert_eq!(world.apply(&key(1), payment(id(2), XAH)), Ter::TES_SUCCESS);
    assert_eq!(
        (world.balance(id(1)), world.balance(id(2))),
        (99 * XAH - 10, 101 * XAH)
    );
    let parent_close = world.ledger.close_time().seconds();
    assert_eq!(world.apply(&key(1), payment(id(9), XAH)), Ter::TES_SUCCESS);
    let new = world.account(id(9)).expect("made");
    assert_eq!(
        (new.u32(sf::SEQUENCE), new.u64(sf::ACCOUNT_INDEX)),
        (Some(parent_close), Some(3))
    );
    let settings = world.ledger.entry(&keylet::fees()).expect("settings");
    assert_eq!(settings.u64(sf::ACCOUNT_COUNT), Some(4));
}

#[test]
fn rejects_payments_that_the_receiver_cannot_take() {
    let mut world = World::new();
    assert_eq!(
        world.apply(&key(1), payment(id(9), XAH - 1)),
        Ter::TEC_NO_DST_INSUF_NATIVE
    );
    assert_eq!(world.balance(id(1)), 100 * XAH - 10, "the fee is taken");
    assert_eq!(
        world.apply(&key(2), account_set(flags::ASF_REQUIRE_DEST)),
        Ter::TES_SUCCESS
    );
    assert_eq!(world.apply(&key(1), payment(id(2), XAH)), Ter::TEC_DST_TAG_NEEDED);
    assert_eq!(
        world.apply(&key(1), payment(id(2), XAH).with(sf::DESTINATION_TAG, 0u32)),
        Ter::TES_SUCCESS
    );
    assert_eq!(
        world.apply(&key(3), account_set(flags::ASF_DEPOSIT_AUTH)),
        Ter::TES_SUCCESS
    );
    assert_eq!(world.apply(&key(1), payment(id(3), 1)), Ter::TEC_NO_PERMISSION);
}

#[test]
fn rejects_payments_that_the_sender_cannot_make() {
    let mut world = World::new();
    // Balance 100 XAH, reserve 1 XAH: 99 XAH go, a drop more does not.
    assert_eq!(
        world.apply(&key(1), payment(id(2), 99 * XAH + 1)),
        Ter::TEC_UNFUNDED_PAYMENT
    );
    assert_eq!(world.apply(&key(2), payment(id(1), 99 * XAH)), Ter::TES_SUCCESS);
    assert_eq!(world.apply(&key(3), payment(id(3), XAH)), Ter::TEM_REDUNDANT);
    assert_eq!(world.apply(&key(3), payment(id(2), 0)), Ter::TEM_BAD_AMOUNT);
    assert_eq!(
        world.apply(&key(3), payment(id(2), XAH).with(sf::SEND_MAX, native(XAH))),
        Ter::TEM_BAD_SEND_NATIVE_MAX
    );
    let partial = payment(id(2), XAH).with(sf::FLAGS, 0x0002_0000u32);
    assert_eq!(world.apply(&key(3), partial), Ter::TEM_BAD_SEND_NATIVE_PARTIAL);
    assert_eq!(
        world.apply(&key(3), payment(id(2), XAH).with(sf::FLAGS, 1u32)),
        Ter::TEM_INVALID_FLAG
    );
    assert_eq!(
        world.apply(&key(3), payment(codec::AccountId::ZERO, XAH)),
        Ter::TEM_DST_NEEDED
    );
}

#[test]
fn accepts_a_remit_that_makes_its_destination() {
    let mut world = World::new();
    assert_eq!(world.apply(&key(1), remit(id(9), 5 * XAH)), Ter::TES_SUCCESS);
    assert_eq!(world.balance(id(9)), 6 * XAH, "the amount and the reserve");
    assert_eq!(world.balance(id(1)), 94 * XAH - 10);
    let bare = of_type(TxType::Remit).with(sf::DESTINATION, id(10));
    assert_eq!(world.apply(&key(1), bare), Ter::TES_SUCCESS);
    assert_eq!(world.balance(id(10)), XAH);
}

#[test]
fn rejects_remits_of_the_wrong_form() {
    let mut world = World::new();
    let amounts = |list: &[Amount]| {
        let entries: Vec<_> = list
            .iter()
            .map(|one| (sf::AMOUNT_ENTRY, Object::new().with(sf::AMOUNT, *one)))
            .collect();
        of_type(TxType::Remit)
            .with(sf::DESTINATION, id(2))
            .with(sf::AMOUNTS, entries)
    };
    let minted = |uri: &[u8], mint_flags: u32| {
        let mint = Object::new().with(sf::URI, uri).with(sf::FLAGS, mint_flags);
        remit(id(2), 1).with(sf::MINT_URI_TOKEN, mint)
    };
    let token = codec::Hash256::new([1; 32]);
    let cases = [
        (remit(id(1), 1), Ter::TEM_REDUNDANT),
        (remit(id(2), 0), Ter::TEM_BAD_AMOUNT),
        (amounts(&[Amount::Native(-1)]), Ter::TEM_BAD_AMOUNT),
        (amounts(&[native(1), native(2)]), Ter::TEM_MALFORMED),
        (amounts(&[native(1); 33]), Ter::TEM_MALFORMED),
        (remit(id(2), 1).with(sf::INFORM, id(2)), Ter::TEM_MALFORMED),
        (remit(id(2), 1).with(sf::INFORM, id(1)), Ter::TEM_MALFORMED),
        (
            remit(id(2), 1).with(sf::BLOB, vec![0; 131_073]),
            Ter::TEM_MALFORMED,
        ),
        (
            remit(id(2), 1).with(sf::URI_TOKEN_IDS, vec![token, token]),
            Ter::TEM_MALFORMED,
        ),
        (
            remit(id(2), 1).with(sf::URI_TOKEN_IDS, Vec::<codec::Hash256>::new()),
            Ter::TEM_MALFORMED,
        ),
        (minted(b"", 0), Ter::TEM_MALFORMED),
        (minted(&[0xFF], 0), Ter::TEM_MALFORMED),
        (minted(&[b'a'; 257], 0), Ter::TEM_MALFORMED),
        (minted(b"ipfs://x", 2), Ter::TEM_INVALID_FLAG),
        (
            remit(id(2), 1).with(sf::FLAGS, 0x4000_0000u32),
            Ter::TEM_INVALID_FLAG,
        ),
    ];
    for (object, code) in cases {
        assert_eq!(world.apply(&key(1), object.clone()), code, "{object:?}");
    }
    assert_eq!(world.balance(id(1)), 100 * XAH, "no fee for what is malformed");
}

#[test]
fn rejects_remits_that_the_ledger_does_not_allow() {
    let mut world = World::new();
    assert_eq!(
        world.apply(&key(1), remit(id(2), 1).with(sf::INFORM, id(9))),
        Ter::TEC_NO_TARGET
    );
    assert_eq!(
        world.apply(&key(1), remit(id(2), 100 * XAH)),
        Ter::TEC_UNFUNDED_PAYMENT
    );
    assert_eq!(
        world.apply(&key(1), remit(id(2), 99 * XAH)),
        Ter::TEC_INSUFFICIENT_RESERVE
    );
    assert_eq!(world.balance(id(1)), 100 * XAH - 30);
    assert_eq!(
        world.apply(&key(2), account_set(flags::ASF_DISALLOW_INCOMING_REMIT)),
        Ter::TES_SUCCESS
    );
    assert_eq!(world.apply(&key(1), remit(id(2), 1)), Ter::TEC_NO_PERMISSION);
    assert_eq!(
        world.apply(&key(3), account_set(flags::ASF_DEPOSIT_AUTH)),
        Ter::TES_SUCCESS
    );
    assert_eq!(world.apply(&key(1), remit(id(3), 1)), Ter::TEC_NO_PERMISSION);
}

fn set_regular_key(number: u8) -> Object {
    of_type(TxType::SetRegularKey).with(sf::REGULAR_KEY, id(number))
}

#[test]
fn accepts_a_regular_key_beside_the_master_key() {
    let mut world = World::new();
    assert_eq!(
        world.apply(&key(1), set_regular_key(50).with(sf::FEE, native(0))),
        Ter::TES_SUCCESS
    );
    assert_ne!(world.flags(id(1)) & flags::LSF_PASSWORD_SPENT, 0);
    let by_regular = world.sign(&key(50), id(1), remit(id(2), 1));
    assert_eq!(world.close([by_regular]), Ter::TES_SUCCESS);
    assert_eq!(world.apply(&key(1), remit(id(2), 1)), Ter::TES_SUCCESS);
    assert_eq!(world.apply(&key(2), payment(id(1), 1)), Ter::TES_SUCCESS);
    assert_eq!(
        world.flags(id(1)) & flags::LSF_PASSWORD_SPENT,
        0,
        "a payment arms the free change again"
    );
}

#[test]
fn rejects_a_second_free_change_and_a_key_that_is_the_account() {
    let mut world = World::new();
    assert_eq!(
        world.apply(&key(1), set_regular_key(50).with(sf::FEE, native(0))),
        Ter::TES_SUCCESS
    );
    let free = world.sign(&key(1), id(1), set_regular_key(51).with(sf::FEE, native(0)));
    assert_eq!(world.submit(&free), Ter::TEL_INSUF_FEE_P);
    assert_eq!(world.apply(&key(1), set_regular_key(1)), Ter::TEM_BAD_REGKEY);
    assert_eq!(
        world.apply(&key(1), set_regular_key(51).with(sf::FLAGS, 1u32)),
        Ter::TEM_INVALID_FLAG
    );
}

#[test]
fn rejects_the_last_key_being_taken_away() {
    let mut world = World::new();
    assert_eq!(
        world.apply(&key(1), account_set(flags::ASF_DISABLE_MASTER)),
        Ter::TEC_NO_ALTERNATIVE_KEY
    );
    assert_eq!(world.apply(&key(1), set_regular_key(50)), Ter::TES_SUCCESS);
    let by_regular = world.sign(&key(50), id(1), account_set(flags::ASF_DISABLE_MASTER));
    assert_eq!(world.close([by_regular]), Ter::TEC_NEED_MASTER_KEY);
    assert_eq!(
        world.apply(&key(1), account_set(flags::ASF_DISABLE_MASTER)),
        Ter::TES_SUCCESS
    );
    assert_eq!(world.apply(&key(1), remit(id(2), 1)), Ter::TEF_MASTER_DISABLED);
    let remove = world.sign(&key(50), id(1), of_type(TxType::SetRegularKey));
    assert_eq!(world.close([remove]), Ter::TEC_NO_ALTERNATIVE_KEY);
}

#[test]
fn accepts_account_settings_and_their_removal() {
    let mut world = World::new();
    let settings = of_type(TxType::AccountSet)
        .with(sf::DOMAIN, b"example.com".as_slice())
        .with(sf::TRANSFER_RATE, 1_005_000_000u32)
        .with(sf::TICK_SIZE, 5u8)
        .with(sf::MESSAGE_KEY, key(7).public_key().as_bytes().as_slice());
    assert_eq!(world.apply(&key(1), settings), Ter::TES_SUCCESS);
    let account = world.account(id(1)).unwrap();
    assert_eq!(account.u32(sf::TRANSFER_RATE), Some(1_005_000_000));
    assert_eq!(account.blob(sf::DOMAIN), Some(b"example.com".as_slice()));
    let none = of_type(TxType::AccountSet)
        .with(sf::DOMAIN, b"".as_slice())
        .with(sf::TRANSFER_RATE, 1_000_000_000u32)
        .with(sf::TICK_SIZE, 0u8)
        .with(sf::MESSAGE_KEY, b"".as_slice());
    assert_eq!(world.apply(&key(1), none), Ter::TES_SUCCESS);
    let account = world.account(id(1)).unwrap();
    for field in [sf::DOMAIN, sf::TRANSFER_RATE, sf::TICK_SIZE, sf::MESSAGE_KEY] {
        assert!(!account.contains(field), "{}", field.name());
    }
}

#[test]
fn rejects_account_settings_out_of_range() {
    let mut world = World::new();
    let set = |field, value: codec::Value| of_type(TxType::AccountSet).with(field, value);
    let cases = [
        (
            set(sf::TRANSFER_RATE, 999_999_999u32.into()),
            Ter::TEM_BAD_TRANSFER_RATE,
        ),
        (
            set(sf::TRANSFER_RATE, 2_000_000_001u32.into()),
            Ter::TEM_BAD_TRANSFER_RATE,
        ),
        (set(sf::TICK_SIZE, 2u8.into()), Ter::TEM_BAD_TICK_SIZE),
        (set(sf::TICK_SIZE, 17u8.into()), Ter::TEM_BAD_TICK_SIZE),
        (set(sf::DOMAIN, vec![b'a'; 257].into()), Ter::TEL_BAD_DOMAIN),
        (set(sf::MESSAGE_KEY, vec![2; 32].into()), Ter::TEL_BAD_PUBLIC_KEY),
        (account_set(8).with(sf::CLEAR_FLAG, 8u32), Ter::TEM_INVALID_FLAG),
        (
            account_set(2).with(sf::FLAGS, 0x0008_0000u32),
            Ter::TEM_INVALID_FLAG,
        ),
        (account_set(10), Ter::TEM_MALFORMED),
    ];
    for (object, code) in cases {
        assert_eq!(world.apply(&key(1), object.clone()), code, "{object:?}");
    }
}

#[test]
fn accepts_no_freeze_for_ever() {
    let mut world = World::new();
    for flag in [flags::ASF_GLOBAL_FREEZE, flags::ASF_NO_FREEZE] {
        assert_eq!(world.apply(&key(1), account_set(flag)), Ter::TES_SUCCESS);
    }
    let clear = of_type(TxType::AccountSet).with(sf::CLEAR_FLAG, flags::ASF_GLOBAL_FREEZE);
    assert_eq!(world.apply(&key(1), clear), Ter::TES_SUCCESS);
    assert_ne!(world.flags(id(1)) & flags::LSF_GLOBAL_FREEZE, 0);
}

#[test]
fn rejects_common_faults_in_their_order() {
    let world = World::new();
    let sign = |object: Object| world.sign(&key(1), id(1), object);
    let sequence = world.sequence(id(1));
    let cases = [
        (
            remit(id(2), 1).with(sf::NETWORK_ID, 21_337u32),
            Ter::TEL_WRONG_NETWORK,
        ),
        (
            remit(id(2), 1).with(sf::FEE, Amount::Native(-1)),
            Ter::TEM_BAD_FEE,
        ),
        (remit(id(2), 1).with(sf::FEE, native(9)), Ter::TEL_INSUF_FEE_P),
        (
            remit(id(2), 1).with(sf::FEE, native(101 * XAH)),
            Ter::TER_INSUF_FEE_B,
        ),
        (remit(id(2), 1).with(sf::SEQUENCE, sequence + 1), Ter::TER_PRE_SEQ),
        (
            remit(id(2), 1).with(sf::SEQUENCE, sequence - 1),
            Ter::TEF_PAST_SEQ,
        ),
        (
            remit(id(2), 1).with(sf::LAST_LEDGER_SEQUENCE, 4u32),
            Ter::TEF_MAX_LEDGER,
        ),
        (
            remit(id(2), 1).with(sf::ACCOUNT_TXN_ID, codec::Hash256::new([1; 32])),
            Ter::TEF_WRONG_PRIOR,
        ),
        (
            remit(id(2), 1).with(sf::TICKET_SEQUENCE, 1u32),
            Ter::TEM_SEQ_AND_TICKET,
        ),
    ];
    for (object, code) in cases {
        assert_eq!(world.submit(&sign(object.clone())), code, "{object:?}");
    }
    assert_eq!(
        world.submit(&sign(remit(id(2), 1).with(sf::LAST_LEDGER_SEQUENCE, 5u32))),
        Ter::TES_SUCCESS
    );
}

// Spec: 6.4.
#[test]
fn rejects_at_the_door_what_no_ledger_rule_forbids() {
    let world = World::new();
    let mut open = OpenLedger::new(&world.ledger);
    let memo = |field, bytes: Vec<u8>| {
        remit(id(2), 1)
            .with(sf::MEMOS, vec![(sf::MEMO, Object::new().with(field, bytes))])
            .with(sf::FEE, native(2_000))
    };
    let mut answer = |object: Object| {
        open.submit(&world.sign(&key(1), id(1), object))
            .map(|outcome| outcome.ter)
    };
    assert_eq!(
        answer(memo(sf::MEMO_DATA, vec![0; 1_020])),
        Err(LocalRefusal::Memos)
    );
    assert_eq!(
        answer(memo(sf::MEMO_TYPE, b"a b".to_vec())),
        Err(LocalRefusal::Memos)
    );
    assert_eq!(answer(memo(sf::MEMO_DATA, vec![0; 1_019])), Ok(Ter::TES_SUCCESS));
    let parameter = |name: usize, value: usize| {
        let one = Object::new()
            .with(sf::HOOK_PARAMETER_NAME, vec![b'n'; name])
            .with(sf::HOOK_PARAMETER_VALUE, vec![b'v'; value]);
        remit(id(3), 1).with(sf::HOOK_PARAMETERS, vec![(sf::HOOK_PARAMETER, one)])
    };
    assert_eq!(answer(parameter(33, 1)), Err(LocalRefusal::HookParameters));
    assert_eq!(answer(parameter(32, 257)), Err(LocalRefusal::HookParameters));
    let signed = world.sign(&key(1), id(1), remit(id(2), 1));
    let broken = signed.object().clone().with(sf::FEE, native(11));
    let broken = Transaction::from_object(&broken).unwrap();
    assert_eq!(open.submit(&broken), Err(LocalRefusal::Signature));
}

#[test]
fn accepts_the_same_submission_once() {
    let world = World::new();
    let mut open = OpenLedger::new(&world.ledger);
    let tx = world.sign(&master(), master().account(), remit(id(2), 1));
    assert_eq!(
        open.submit(&tx).map(|outcome| (outcome.ter, outcome.applied)),
        Ok((Ter::TES_SUCCESS, true))
    );
    assert_eq!(
        open.submit(&tx).map(|outcome| (outcome.ter, outcome.applied)),
        Ok((Ter::TEF_ALREADY, false))
    );
    assert_eq!(open.accepted().len(), 1);
}

#[test]
fn accepts_tickets_in_any_order() {
    let mut world = World::new();
    let first = world.sequence(id(1)) + 1;
    let make = of_type(TxType::TicketCreate).with(sf::TICKET_COUNT, 2u32);
    assert_eq!(world.apply(&key(1), make), Ter::TES_SUCCESS);
    let account = world.account(id(1)).unwrap();
    assert_eq!(
        (account.u32(sf::TICKET_COUNT), account.u32(sf::OWNER_COUNT)),
        (Some(2), Some(2))
    );
    assert_eq!(account.u32(sf::SEQUENCE), Some(first + 2));
    let by = |ticket: u32| {
        remit(id(2), 1)
            .with(sf::SEQUENCE, 0u32)
            .with(sf::TICKET_SEQUENCE, ticket)
    };
    let signed = |world: &World, ticket| world.sign(&key(1), id(1), by(ticket));
    assert_eq!(world.submit(&signed(&world, first + 2)), Ter::TER_PRE_TICKET);
    for ticket in [first + 1, first] {
        let tx = signed(&world, ticket);
        assert_eq!(world.close([tx.clone()]), Ter::TES_SUCCESS);
        assert_eq!(world.close([tx]), Ter::TEF_NO_TICKET);
    }
    let account = world.account(id(1)).unwrap();
    assert_eq!(
        (account.contains(sf::TICKET_COUNT), account.u32(sf::OWNER_COUNT)),
        (false, Some(0))
    );
    assert_eq!(
        account.u32(sf::SEQUENCE),
        Some(first + 2),
        "tickets leave it alone"
    );
}

#[test]
fn rejects_tickets_beyond_count_and_reserve() {
    let mut world = World::new();
    let make = |count: u32| of_type(TxType::TicketCreate).with(sf::TICKET_COUNT, count);
    assert_eq!(world.apply(&key(1), make(0)), Ter::TEM_INVALID_COUNT);
    assert_eq!(world.apply(&key(1), make(251)), Ter::TEM_INVALID_COUNT);
    assert_eq!(
        world.apply(&key(1), make(250)),
        Ter::TES_SUCCESS,
        "a reserve of 51 XAH"
    );
    assert_eq!(world.apply(&key(1), make(1)), Ter::TEC_DIR_FULL);
    assert_eq!(world.apply(&key(2), payment(id(3), 60 * XAH)), Ter::TES_SUCCESS);
    assert_eq!(world.apply(&key(2), make(250)), Ter::TEC_INSUFFICIENT_RESERVE);
    let root = world.ledger.entry(&keylet::owner_dir(id(1))).unwrap();
    assert_eq!(root.u64(sf::INDEX_PREVIOUS), Some(7), "250 tickets on 8 pages");
}

#[test]
fn accepts_a_preauthorised_payer_until_he_is_struck_off() {
    let mut world = World::new();
    assert_eq!(
        world.apply(&key(3), account_set(flags::ASF_DEPOSIT_AUTH)),
        Ter::TES_SUCCESS
    );
    let authorize = of_type(TxType::DepositPreauth).with(sf::AUTHORIZE, id(1));
    let unauthorize = of_type(TxType::DepositPreauth).with(sf::UNAUTHORIZE, id(1));
    assert_eq!(world.apply(&key(3), authorize.clone()), Ter::TES_SUCCESS);
    assert_eq!(world.apply(&key(1), remit(id(3), 1)), Ter::TES_SUCCESS);
    assert_eq!(world.apply(&key(1), payment(id(3), 1)), Ter::TES_SUCCESS);
    assert_eq!(world.apply(&key(3), authorize), Ter::TEC_DUPLICATE);
    assert_eq!(world.apply(&key(3), unauthorize.clone()), Ter::TES_SUCCESS);
    assert_eq!(world.apply(&key(1), remit(id(3), 1)), Ter::TEC_NO_PERMISSION);
    assert_eq!(world.apply(&key(3), unauthorize), Ter::TEC_NO_ENTRY);
    let account = world.account(id(3)).unwrap();
    assert_eq!(account.u32(sf::OWNER_COUNT), Some(0));
    assert!(world.ledger.entry(&keylet::owner_dir(id(3))).is_none());
}

#[test]
fn rejects_preauthorisations_without_sense() {
    let mut world = World::new();
    let authorize = |number| of_type(TxType::DepositPreauth).with(sf::AUTHORIZE, id(number));
    assert_eq!(world.apply(&key(3), authorize(3)), Ter::TEM_CANNOT_PREAUTH_SELF);
    assert_eq!(world.apply(&key(3), authorize(9)), Ter::TEC_NO_TARGET);
    assert_eq!(
        world.apply(&key(3), authorize(1).with(sf::UNAUTHORIZE, id(2))),
        Ter::TEM_MALFORMED
    );
    assert_eq!(
        world.apply(&key(3), of_type(TxType::DepositPreauth)),
        Ter::TEM_MALFORMED
    );
}

/// Accounts 1 and 2 hold what 3 issues.
fn usd(value: &str) -> Amount {
    Amount::Issued(IssuedAmount::parse(value, Currency::from_iso(*b"USD"), id(3)).expect("a number"))
}

fn trust(value: &str) -> Object {
    of_type(TxType::TrustSet).with(sf::LIMIT_AMOUNT, usd(value))
}

fn remit_usd(destination: codec::AccountId, value: &str) -> Object {
    let entry = Object::new().with(sf::AMOUNT, usd(value));
    of_type(TxType::Remit)
        .with(sf::DESTINATION, destination)
        .with(sf::AMOUNTS, vec![(sf::AMOUNT_ENTRY, entry)])
}

/// What an account has of 3's money.
fn held(world: &World, number: u8) -> String {
    let line = keylet::line(id(number), id(3), Currency::from_iso(*b"USD"));
    match world
        .ledger
        .entry(&line)
        .and_then(|line| line.amount(sf::BALANCE))
    {
        Some(Amount::Issued(balance)) if id(number) > id(3) => balance
            .value_text()
            .strip_prefix('-')
            .map_or_else(|| "0".to_owned(), str::to_owned),
        Some(Amount::Issued(balance)) => balance.value_text(),
        _ => "no line".to_owned(),
    }
}

fn owned(world: &World, number: u8) -> Option<u32> {
    world
        .account(id(number))
        .and_then(|account| account.u32(sf::OWNER_COUNT))
}

#[test]
fn accepts_a_line_and_its_end() {
    let mut world = World::new();
    assert_eq!(world.apply(&key(1), trust("100")), Ter::TES_SUCCESS);
    assert_eq!(
        (held(&world, 1).as_str(), owned(&world, 1), owned(&world, 3)),
        ("0", Some(1), Some(0))
    );
    assert_eq!(world.apply(&key(1), trust("0")), Ter::TES_SUCCESS);
    assert_eq!(
        (held(&world, 1).as_str(), owned(&world, 1)),
        ("0", Some(1)),
        "NoRipple is not as by default"
    );
    let no_ripple = flags::TF_FULLY_CANONICAL_SIG | 0x0002_0000;
    assert_eq!(
        world.apply(&key(1), trust("0").with(sf::FLAGS, no_ripple)),
        Ter::TES_SUCCESS
    );
    assert_eq!((held(&world, 1).as_str(), owned(&world, 1)), ("no line", Some(0)));
    assert!(world.ledger.entry(&keylet::owner_dir(id(3))).is_none());
}

#[test]
fn rejects_lines_without_sense_or_reserve() {
    let mut world = World::new();
    let of = |amount: Amount| of_type(TxType::TrustSet).with(sf::LIMIT_AMOUNT, amount);
    let issued = |value, issuer| IssuedAmount::parse(value, Currency::from_iso(*b"USD"), issuer).unwrap();
    assert_eq!(world.apply(&key(1), of(native(1))), Ter::TEM_BAD_LIMIT);
    assert_eq!(world.apply(&key(1), trust("-1")), Ter::TEM_BAD_LIMIT);
    assert_eq!(
        world.apply(&key(1), of(Amount::Issued(issued("1", codec::AccountId::ONE)))),
        Ter::TEM_DST_NEEDED
    );
    assert_eq!(world.apply(&key(3), trust("1")), Ter::TEM_DST_IS_SRC);
    assert_eq!(
        world.apply(&key(1), of(Amount::Issued(issued("1", id(9))))),
        Ter::TEC_NO_DST
    );
    assert_eq!(world.apply(&key(1), trust("0")), Ter::TEC_NO_LINE_REDUNDANT);
    assert_eq!(
        world.apply(&key(1), trust("1").with(sf::FLAGS, 0x0001_0000u32)),
        Ter::TEF_NO_AUTH_REQUIRED
    );
    assert_eq!(
        world.apply(&key(3), account_set(flags::ASF_DISALLOW_INCOMING_TRUSTLINE)),
        Ter::TES_SUCCESS
    );
    assert_eq!(world.apply(&key(1), trust("1")), Ter::TEC_NO_PERMISSION);
    // With two objects a line needs 1.6 XAH; with one it needs nothing.
    let mut world = World::new();
    let tickets = of_type(TxType::TicketCreate).with(sf::TICKET_COUNT, 2u32);
    assert_eq!(world.apply(&key(1), tickets), Ter::TES_SUCCESS);
    assert_eq!(world.apply(&key(1), payment(id(2), 98_500_000)), Ter::TES_SUCCESS);
    assert_eq!(world.apply(&key(1), trust("1")), Ter::TEC_NO_LINE_INSUF_RESERVE);
}

#[test]
fn accepts_issued_money_from_hand_to_hand_and_home_again() {
    let mut world = World::new();
    assert_eq!(
        world.apply(&key(3), account_set(flags::ASF_DEFAULT_RIPPLE)),
        Ter::TES_SUCCESS
    );
    assert_eq!(world.apply(&key(1), trust("100")), Ter::TES_SUCCESS);
    assert_eq!(
        world.apply(&key(3), remit_usd(id(1), "150")),
        Ter::TES_SUCCESS,
        "no limit for a Remit"
    );
    assert_eq!(world.apply(&key(1), remit_usd(id(2), "50.5")), Ter::TES_SUCCESS);
    assert_eq!(
        (held(&world, 1), held(&world, 2)),
        ("99.5".to_owned(), "50.5".to_owned())
    );
    assert_eq!(
        world.balance(id(2)),
        100 * XAH + 200_000,
        "the reserve of the new line"
    );
    assert_eq!(world.apply(&key(2), remit_usd(id(3), "50.5")), Ter::TES_SUCCESS);
    assert_eq!(
        (held(&world, 2).as_str(), owned(&world, 2)),
        ("no line", Some(0)),
        "deleted when empty"
    );
}

#[test]
fn rejects_issued_money_that_is_not_there_or_not_free() {
    let mut world = World::new();
    assert_eq!(
        world.apply(&key(3), account_set(flags::ASF_DEFAULT_RIPPLE)),
        Ter::TES_SUCCESS
    );
    assert_eq!(
        world.apply(&key(1), remit_usd(id(2), "1")),
        Ter::TEC_UNFUNDED_PAYMENT
    );
    assert_eq!(world.apply(&key(3), remit_usd(id(1), "10")), Ter::TES_SUCCESS);
    assert_eq!(
        world.apply(&key(1), remit_usd(id(2), "10.00001")),
        Ter::TEC_UNFUNDED_PAYMENT
    );
    let frozen = of_type(TxType::TrustSet).with(sf::FLAGS, 0x0010_0000u32).with(
        sf::LIMIT_AMOUNT,
        Amount::Issued(IssuedAmount::parse("0", Currency::from_iso(*b"USD"), id(1)).unwrap()),
    );
    assert_eq!(world.apply(&key(3), frozen.clone()), Ter::TES_SUCCESS);
    assert_eq!(world.apply(&key(1), remit_usd(id(2), "1")), Ter::TEC_FROZEN);
    assert_eq!(
        world.apply(&key(3), frozen.with(sf::FLAGS, 0x0020_0000u32)),
        Ter::TES_SUCCESS
    );
    assert_eq!(
        world.apply(&key(3), account_set(flags::ASF_GLOBAL_FREEZE)),
        Ter::TES_SUCCESS
    );
    assert_eq!(world.apply(&key(1), remit_usd(id(2), "1")), Ter::TEC_FROZEN);
}

#[test]
fn accepts_a_transfer_rate_that_the_sender_pays() {
    let mut world = World::new();
    let rate = account_set(flags::ASF_DEFAULT_RIPPLE).with(sf::TRANSFER_RATE, 1_100_000_000u32);
    assert_eq!(world.apply(&key(3), rate), Ter::TES_SUCCESS);
    assert_eq!(world.apply(&key(3), remit_usd(id(1), "1000")), Ter::TES_SUCCESS);
    assert_eq!(world.apply(&key(1), remit_usd(id(2), "100")), Ter::TES_SUCCESS);
    assert_eq!(
        (held(&world, 1), held(&world, 2)),
        ("890".to_owned(), "100".to_owned())
    );
}

#[test]
fn accepts_payments_of_issued_money_up_to_what_the_lines_allow() {
    let mut world = World::new();
    let pay = |to, value| payment(to, 1).with(sf::AMOUNT, usd(value));
    assert_eq!(
        world.apply(&key(3), account_set(flags::ASF_DEFAULT_RIPPLE)),
        Ter::TES_SUCCESS
    );
    assert_eq!(world.apply(&key(1), trust("100")), Ter::TES_SUCCESS);
    assert_eq!(world.apply(&key(2), trust("5")), Ter::TES_SUCCESS);
    assert_eq!(world.apply(&key(3), pay(id(1), "100")), Ter::TES_SUCCESS);
    assert_eq!(world.apply(&key(1), pay(id(2), "4")), Ter::TES_SUCCESS);
    assert_eq!(world.apply(&key(1), pay(id(3), "6")), Ter::TES_SUCCESS);
    assert_eq!(
        (held(&world, 1), held(&world, 2)),
        ("90".to_owned(), "4".to_owned())
    );
}

#[test]
fn rejects_payments_of_issued_money_that_the_lines_forbid() {
    let mut world = World::new();
    let pay = |to, value| payment(to, 1).with(sf::AMOUNT, usd(value));
    assert_eq!(world.apply(&key(1), trust("10")), Ter::TES_SUCCESS);
    assert_eq!(
        world.apply(&key(3), pay(id(2), "1")),
        Ter::TEC_PATH_DRY,
        "no line"
    );
    assert_eq!(
        world.apply(&key(3), pay(id(1), "11")),
        Ter::TEC_PATH_PARTIAL,
        "over the limit"
    );
    assert_eq!(
        world.apply(&key(1), pay(id(3), "1")),
        Ter::TEC_PATH_DRY,
        "nothing to give back"
    );
    assert_eq!(world.apply(&key(3), pay(id(1), "10")), Ter::TES_SUCCESS);
    assert_eq!(
        world.apply(&key(3), pay(id(1), "1")),
        Ter::TEC_PATH_DRY,
        "at the limit"
    );
    assert_eq!(world.apply(&key(2), trust("10")), Ter::TES_SUCCESS);
    assert_eq!(
        world.apply(&key(1), pay(id(2), "1")),
        Ter::TEC_PATH_DRY,
        "the issuer does not let it ripple"
    );
    assert_eq!(world.apply(&key(3), pay(id(9), "1")), Ter::TEC_NO_DST);
    assert_eq!(world.apply(&key(3), pay(id(1), "-1")), Ter::TEM_BAD_AMOUNT);
    assert_eq!(world.apply(&key(1), pay(id(1), "1")), Ter::TEM_REDUNDANT);
    let other = IssuedAmount::parse("2", Currency::from_iso(*b"EUR"), id(3)).unwrap();
    assert_eq!(
        world.apply(&key(1), pay(id(2), "1").with(sf::SEND_MAX, Amount::Issued(other))),
        Ter::TEM_DISABLED,
        "another currency needs an order book"
    );
}

/// An issuer with a transfer rate of 1.01, 1 with 100 of its money, 2 with a line of 50.
fn issuing_world() -> World {
    let mut world = World::new();
    let rate = account_set(flags::ASF_DEFAULT_RIPPLE).with(sf::TRANSFER_RATE, 1_010_000_000u32);
    assert_eq!(world.apply(&key(3), rate), Ter::TES_SUCCESS);
    assert_eq!(world.apply(&key(1), trust("100")), Ter::TES_SUCCESS);
    assert_eq!(world.apply(&key(2), trust("50")), Ter::TES_SUCCESS);
    let pay = payment(id(1), 1).with(sf::AMOUNT, usd("100"));
    assert_eq!(world.apply(&key(3), pay), Ter::TES_SUCCESS);
    world
}

fn delivered(world: &World) -> Option<Amount> {
    let applied = &world.last.as_ref().unwrap().applied[0];
    applied.metadata.amount(sf::DELIVERED_AMOUNT)
}

#[test]
fn accepts_payments_over_a_transfer_rate_with_room_in_send_max() {
    let mut world = issuing_world();
    let pay = |value: &str, max: &str| {
        payment(id(2), 1)
            .with(sf::AMOUNT, usd(value))
            .with(sf::SEND_MAX, usd(max))
    };
    assert_eq!(world.apply(&key(1), pay("10", "10.1")), Ter::TES_SUCCESS);
    assert_eq!(
        (held(&world, 1), held(&world, 2)),
        ("89.9".to_owned(), "10".to_owned())
    );
    assert_eq!(
        delivered(&world),
        None,
        "the whole amount needs no DeliveredAmount"
    );
    // In part: 1 of 89.9 sent, 1/1.01 = 0.99009900990099009900... arrives; its 17th and 18th digit round it
    // up.
    let partly = pay("10", "1").with(sf::FLAGS, 0x0002_0000u32);
    assert_eq!(world.apply(&key(1), partly.clone()), Ter::TES_SUCCESS);
    assert_eq!(held(&world, 2), "10.99009900990099");
    assert_eq!(delivered(&world), Some(usd("0.9900990099009901")));
    assert_eq!(
        world.apply(&key(1), partly.with(sf::DELIVER_MIN, usd("0.99"))),
        Ter::TES_SUCCESS
    );
    // As much as 2's line still takes.
    let all = pay("1000", "1000").with(sf::FLAGS, 0x0002_0000u32);
    assert_eq!(world.apply(&key(1), all), Ter::TES_SUCCESS);
    assert_eq!(held(&world, 2), "50");
}

#[test]
fn rejects_payments_over_a_transfer_rate_without_room_in_send_max() {
    let mut world = issuing_world();
    let pay = |value: &str| payment(id(2), 1).with(sf::AMOUNT, usd(value));
    assert_eq!(world.apply(&key(1), pay("10")), Ter::TEC_PATH_PARTIAL);
    assert_eq!(
        world.apply(&key(1), pay("10").with(sf::SEND_MAX, usd("10.09"))),
        Ter::TEC_PATH_PARTIAL
    );
    let partly = pay("10")
        .with(sf::SEND_MAX, usd("1"))
        .with(sf::FLAGS, 0x0002_0000u32);
    assert_eq!(
        world.apply(&key(1), partly.with(sf::DELIVER_MIN, usd("1"))),
        Ter::TEC_PATH_PARTIAL
    );
    assert_eq!(
        world.apply(&key(1), pay("10").with(sf::DELIVER_MIN, usd("1"))),
        Ter::TEM_BAD_AMOUNT,
        "only a partial payment has a least"
    );
    assert_eq!(
        world.apply(&key(1), pay("10").with(sf::FLAGS, 0x0001_0000u32)),
        Ter::TEM_RIPPLE_EMPTY
    );
    assert_eq!(
        (held(&world, 1), held(&world, 2)),
        ("100".to_owned(), "0".to_owned())
    );
    // Either side may freeze; the issuer's freeze on all also stops money between holders, not money home.
    assert_eq!(
        world.apply(&key(3), account_set(flags::ASF_GLOBAL_FREEZE)),
        Ter::TES_SUCCESS
    );
    assert_eq!(
        world.apply(&key(1), pay("10").with(sf::SEND_MAX, usd("20"))),
        Ter::TEC_PATH_DRY
    );
    let home = payment(id(3), 1).with(sf::AMOUNT, usd("10"));
    assert_eq!(world.apply(&key(1), home), Ter::TES_SUCCESS);
}

#[test]
fn accepts_the_receiver_in_full_where_a_payment_ends_his_line() {
    // Not recorded; from xahaud's ApplyStateTable: a receiver written back unchanged and then threaded as an
    // owner shows its fields, an owner that nobody wrote shows the transaction before.
    let mut world = World::new();
    assert_eq!(
        world.apply(&key(3), account_set(flags::ASF_DEFAULT_RIPPLE)),
        Ter::TES_SUCCESS
    );
    assert_eq!(world.apply(&key(3), remit_usd(id(1), "10")), Ter::TES_SUCCESS);
    let home = payment(id(3), 1).with(sf::AMOUNT, usd("10"));
    assert_eq!(world.apply(&key(1), home), Ter::TES_SUCCESS);
    assert_eq!(held(&world, 1), "no line");
    let metadata = &world.last.as_ref().unwrap().applied[0].metadata;
    let nodes = metadata.array(sf::AFFECTED_NODES).unwrap();
    let of = |index| {
        nodes
            .iter()
            .find(|(_, node)| node.hash256(sf::LEDGER_INDEX) == Some(index))
            .unwrap()
    };
    let (_, receiver) = of(keylet::account(id(3)));
    assert!(receiver.contains(sf::FINAL_FIELDS) && !receiver.contains(sf::PREVIOUS_FIELDS));
    assert!(!receiver.contains(sf::PREVIOUS_TXN_ID));
    let line = keylet::line(id(1), id(3), Currency::from_iso(*b"USD"));
    assert_eq!(of(line).0, sf::DELETED_NODE);
}

#[test]
fn rejects_amounts_beyond_what_can_be_counted() {
    let mut world = World::new();
    assert_eq!(
        world.apply(&key(3), remit_usd(id(1), "6000000000000000e80")),
        Ter::TEF_EXCEPTION,
        "its double cannot be written"
    );
    assert_eq!(
        world.apply(&key(3), remit_usd(id(1), "4000000000000000e80")),
        Ter::TES_SUCCESS
    );
    assert_eq!(
        world.apply(&key(3), remit_usd(id(1), "4000000000000000e80")),
        Ter::TES_SUCCESS
    );
    assert_eq!(
        world.apply(&key(3), remit_usd(id(1), "4000000000000000e80")),
        Ter::TEF_EXCEPTION
    );
}

#[test]
fn accepts_qualities_of_one_as_xahaud_writes_them() {
    let mut world = World::new();
    let ones = trust("0")
        .with(sf::QUALITY_IN, 1_000_000_000u32)
        .with(sf::QUALITY_OUT, 1_000_000_000u32);
    assert_eq!(world.apply(&key(1), ones), Ter::TES_SUCCESS);
    let key_of_line = keylet::line(id(1), id(3), Currency::from_iso(*b"USD"));
    let line = world.ledger.entry(&key_of_line).unwrap();
    let written = [
        sf::LOW_QUALITY_IN,
        sf::HIGH_QUALITY_IN,
        sf::LOW_QUALITY_OUT,
        sf::HIGH_QUALITY_OUT,
    ];
    assert_eq!(
        written
            .iter()
            .filter_map(|field| line.u32(*field))
            .collect::<Vec<_>>(),
        [1_000_000_000]
    );
}

#[test]
fn accepts_and_ends_a_directory_of_several_pages() {
    let mut world = World::new();
    let tickets = of_type(TxType::TicketCreate).with(sf::TICKET_COUNT, 70u32);
    let first = world.sequence(id(1)) + 1;
    assert_eq!(world.apply(&key(1), tickets), Ter::TES_SUCCESS);
    let root = keylet::owner_dir(id(1));
    let pages = |world: &World| -> Vec<usize> {
        (0..4)
            .filter_map(|page| world.ledger.entry(&keylet::dir_page(root, page)))
            .map(|page| page.vector256(sf::INDEXES).unwrap().len())
            .collect()
    };
    assert_eq!(pages(&world), [32, 32, 6]);
    let last = world.ledger.entry(&keylet::ticket(id(1), first + 69)).unwrap();
    assert_eq!(last.u64(sf::OWNER_NODE), Some(2));
    for number in 64..70 {
        let used = remit(id(2), 1)
            .with(sf::SEQUENCE, 0u32)
            .with(sf::TICKET_SEQUENCE, first + number);
        assert_eq!(world.apply(&key(1), used), Ter::TES_SUCCESS);
    }
    assert_eq!(pages(&world), [32, 32]);
    let root = world.ledger.entry(&root).unwrap();
    assert_eq!(
        (root.u64(sf::INDEX_NEXT), root.u64(sf::INDEX_PREVIOUS)),
        (Some(1), Some(1))
    );
    assert_eq!(world.account(id(1)).unwrap().u32(sf::TICKET_COUNT), Some(64));
}

#[test]
fn rejects_tickets_that_are_used_up_or_yet_to_come() {
    let mut world = World::new();
    let tickets = of_type(TxType::TicketCreate).with(sf::TICKET_COUNT, 1u32);
    let first = world.sequence(id(1)) + 1;
    assert_eq!(world.apply(&key(1), tickets), Ter::TES_SUCCESS);
    let with_ticket = |number: u32| {
        remit(id(2), 1)
            .with(sf::SEQUENCE, 0u32)
            .with(sf::TICKET_SEQUENCE, number)
    };
    let sign = |world: &World, object: Object| world.sign(&key(1), id(1), object);
    assert_eq!(
        world.submit(&sign(&world, with_ticket(first + 1))),
        Ter::TER_PRE_TICKET
    );
    let both = with_ticket(first).with(sf::SEQUENCE, first + 1);
    assert_eq!(world.submit(&sign(&world, both)), Ter::TEM_SEQ_AND_TICKET);
    let prior = with_ticket(first).with(sf::ACCOUNT_TXN_ID, codec::Hash256::ZERO);
    assert_eq!(world.submit(&sign(&world, prior)), Ter::TEM_INVALID);
    assert_eq!(world.apply(&key(1), with_ticket(first)), Ter::TES_SUCCESS);
    let root = world
        .ledger
        .entry(&keylet::owner_dir(id(1)))
        .expect("an empty root stays");
    assert_eq!(root.vector256(sf::INDEXES), Some(&[][..]));
    assert_eq!(world.apply(&key(1), with_ticket(first)), Ter::TEF_NO_TICKET);
}

fn mint(destination: codec::AccountId, uri: &[u8]) -> Object {
    let order = Object::new().with(sf::URI, uri);
    of_type(TxType::Remit)
        .with(sf::DESTINATION, destination)
        .with(sf::MINT_URI_TOKEN, order)
}

fn transfer(destination: codec::AccountId, token: codec::Hash256) -> Object {
    of_type(TxType::Remit)
        .with(sf::DESTINATION, destination)
        .with(sf::URI_TOKEN_IDS, vec![token])
}

#[test]
fn accepts_a_uri_token_made_and_moved() {
    let mut world = World::new();
    let token = keylet::uri_token(id(1), b"ipfs://x");
    assert_eq!(world.apply(&key(1), mint(id(2), b"ipfs://x")), Ter::TES_SUCCESS);
    assert_ne!(world.flags(id(1)) & flags::LSF_URI_TOKEN_ISSUER, 0);
    assert_eq!((owned(&world, 1), owned(&world, 2)), (Some(0), Some(1)));
    assert_eq!(world.apply(&key(2), transfer(id(3), token)), Ter::TES_SUCCESS);
    assert_eq!((owned(&world, 2), owned(&world, 3)), (Some(0), Some(1)));
    assert_eq!(
        world.ledger.entry(&token).unwrap().account(sf::OWNER),
        Some(id(3))
    );
    // Each hand-over costs the giver one object reserve.
    assert_eq!(world.balance(id(2)), 100 * XAH + 200_000 - 200_000 - 10);
}

fn burn(token: codec::Hash256) -> Object {
    of_type(TxType::UriTokenBurn).with(sf::URI_TOKEN_ID, token)
}

/// URIToken.cpp, URIToken_test.cpp `testBurnValid`.
#[test]
fn accepts_burns_by_the_owner_and_of_burnable_tokens_by_the_issuer() {
    let mut world = World::new();
    let token = keylet::uri_token(id(1), b"ipfs://x");
    assert_eq!(world.apply(&key(1), mint(id(2), b"ipfs://x")), Ter::TES_SUCCESS);
    assert_eq!(world.apply(&key(2), burn(token)), Ter::TES_SUCCESS);
    assert!(world.ledger.entry(&token).is_none());
    assert_eq!((owned(&world, 1), owned(&world, 2)), (Some(0), Some(0)));
    let order = Object::new()
        .with(sf::URI, b"ipfs://x".as_slice())
        .with(sf::FLAGS, flags::TF_BURNABLE);
    let minted = of_type(TxType::Remit)
        .with(sf::DESTINATION, id(2))
        .with(sf::MINT_URI_TOKEN, order);
    assert_eq!(
        world.apply(&key(1), minted),
        Ter::TES_SUCCESS,
        "the URI is free again"
    );
    assert_eq!(world.apply(&key(3), burn(token)), Ter::TEC_NO_PERMISSION);
    assert_eq!(owned(&world, 2), Some(1));
    assert_eq!(world.apply(&key(1), burn(token)), Ter::TES_SUCCESS);
    assert_eq!((owned(&world, 1), owned(&world, 2)), (Some(0), Some(0)));
}

/// URIToken.cpp, URIToken_test.cpp `testBurnInvalid`.
#[test]
fn rejects_burns_of_others_and_of_what_is_no_token() {
    let mut world = World::new();
    let token = keylet::uri_token(id(1), b"ipfs://x");
    assert_eq!(world.apply(&key(2), burn(token)), Ter::TEC_NO_ENTRY);
    assert_eq!(
        world.apply(&key(2), burn(keylet::account(id(2)))),
        Ter::TEC_NO_ENTRY
    );
    assert_eq!(world.apply(&key(1), mint(id(2), b"ipfs://x")), Ter::TES_SUCCESS);
    for stranger in [1, 3] {
        assert_eq!(world.apply(&key(stranger), burn(token)), Ter::TEC_NO_PERMISSION);
    }
    let burnable = burn(token).with(sf::FLAGS, flags::TF_BURNABLE);
    assert_eq!(world.apply(&key(2), burnable), Ter::TEM_INVALID_FLAG);
    assert!(world.ledger.entry(&token).is_some());
}

#[test]
fn rejects_uri_tokens_twice_or_of_others() {
    let mut world = World::new();
    let token = keylet::uri_token(id(1), b"ipfs://x");
    assert_eq!(world.apply(&key(1), transfer(id(2), token)), Ter::TEC_NO_ENTRY);
    assert_eq!(world.apply(&key(1), mint(id(2), b"ipfs://x")), Ter::TES_SUCCESS);
    assert_eq!(world.apply(&key(1), mint(id(3), b"ipfs://x")), Ter::TEC_DUPLICATE);
    assert_eq!(
        world.apply(&key(1), transfer(id(3), token)),
        Ter::TEC_NO_PERMISSION
    );
    assert_eq!(
        world.apply(&key(1), transfer(id(3), keylet::account(id(1)))),
        Ter::TEC_NO_ENTRY
    );
    let both = mint(id(3), b"ipfs://y").with(sf::URI_TOKEN_IDS, vec![keylet::uri_token(id(1), b"ipfs://y")]);
    assert_eq!(
        world.apply(&key(1), both),
        Ter::TEC_NO_PERMISSION,
        "made for the receiver, not the sender's to move"
    );
}

#[test]
fn accepts_transactions_chained_by_account_txn_id() {
    let mut world = World::new();
    let chained = |prior| remit(id(2), 1).with(sf::ACCOUNT_TXN_ID, prior);
    // An account that keeps no id counts as keeping zero.
    assert_eq!(
        world.apply(&key(1), chained(codec::Hash256::ZERO)),
        Ter::TES_SUCCESS
    );
    assert_eq!(
        world.apply(&key(1), account_set(flags::ASF_ACCOUNT_TXN_ID)),
        Ter::TES_SUCCESS
    );
    let kept = |world: &World| world.account(id(1)).unwrap().hash256(sf::ACCOUNT_TXN_ID);
    assert_eq!(kept(&world), Some(codec::Hash256::ZERO));
    assert_eq!(
        world.apply(&key(1), chained(codec::Hash256::ZERO)),
        Ter::TES_SUCCESS
    );
    let last = world.last.as_ref().unwrap().applied[0].tx_id;
    assert_eq!(kept(&world), Some(last));
    assert_eq!(world.apply(&key(1), chained(last)), Ter::TES_SUCCESS);
    assert_eq!(world.apply(&key(1), chained(last)), Ter::TEF_WRONG_PRIOR);
    // A tec takes fee and Sequence, but leaves the id.
    let before = kept(&world);
    assert_eq!(
        world.apply(&key(1), remit(id(2), 1_000 * XAH)),
        Ter::TEC_UNFUNDED_PAYMENT
    );
    assert_eq!(kept(&world), before);
    let off = of_type(TxType::AccountSet).with(sf::CLEAR_FLAG, flags::ASF_ACCOUNT_TXN_ID);
    assert_eq!(world.apply(&key(1), off), Ter::TES_SUCCESS);
    assert_eq!(kept(&world), None);
}

#[test]
fn rejects_rippling_by_no_ripple_on_both_lines_for_payments_and_on_any_for_remits() {
    let mut world = World::new();
    assert_eq!(world.apply(&key(1), trust("100")), Ter::TES_SUCCESS);
    assert_eq!(world.apply(&key(2), trust("100")), Ter::TES_SUCCESS);
    let gift = payment(id(1), 1).with(sf::AMOUNT, usd("50"));
    assert_eq!(world.apply(&key(3), gift), Ter::TES_SUCCESS);
    let pay = payment(id(2), 1).with(sf::AMOUNT, usd("5"));
    assert_eq!(world.apply(&key(1), pay.clone()), Ter::TEC_PATH_DRY);
    assert_eq!(world.apply(&key(1), remit_usd(id(2), "5")), Ter::TEC_PATH_DRY);
    let line_of_1 = IssuedAmount::parse("0", Currency::from_iso(*b"USD"), id(1)).unwrap();
    let clear = of_type(TxType::TrustSet)
        .with(sf::FLAGS, 0x0004_0000u32)
        .with(sf::LIMIT_AMOUNT, Amount::Issued(line_of_1));
    assert_eq!(world.apply(&key(3), clear), Ter::TES_SUCCESS);
    assert_eq!(world.apply(&key(1), pay), Ter::TES_SUCCESS);
    assert_eq!(world.apply(&key(1), remit_usd(id(2), "5")), Ter::TEC_PATH_DRY);
    assert_eq!(
        (held(&world, 1), held(&world, 2)),
        ("45".to_owned(), "5".to_owned())
    );
}

#[test]
fn rejects_unauthorised_lines_where_the_issuer_asks() {
    let mut world = World::new();
    let setup = account_set(flags::ASF_REQUIRE_AUTH).with(sf::FLAGS, flags::TF_FULLY_CANONICAL_SIG);
    assert_eq!(world.apply(&key(3), setup), Ter::TES_SUCCESS);
    assert_eq!(
        world.apply(&key(3), account_set(flags::ASF_DEFAULT_RIPPLE)),
        Ter::TES_SUCCESS
    );
    assert_eq!(world.apply(&key(1), trust("100")), Ter::TES_SUCCESS);
    let pay = |to| payment(to, 1).with(sf::AMOUNT, usd("5"));
    assert_eq!(world.apply(&key(3), pay(id(1))), Ter::TEC_PATH_DRY);
    let line_of_1 = IssuedAmount::parse("0", Currency::from_iso(*b"USD"), id(1)).unwrap();
    let authorise = of_type(TxType::TrustSet)
        .with(sf::FLAGS, 0x0001_0000u32)
        .with(sf::LIMIT_AMOUNT, Amount::Issued(line_of_1));
    assert_eq!(world.apply(&key(3), authorise), Ter::TES_SUCCESS);
    assert_eq!(world.apply(&key(3), pay(id(1))), Ter::TES_SUCCESS);
    // Between holders a Remit needs both authorised; a missing line is not.
    assert_eq!(world.apply(&key(1), remit_usd(id(2), "1")), Ter::TEC_NO_AUTH);
    assert_eq!(world.apply(&key(2), trust("100")), Ter::TES_SUCCESS);
    assert_eq!(world.apply(&key(1), remit_usd(id(2), "1")), Ter::TEC_NO_AUTH);
    // From the issuer itself a Remit asks nothing.
    assert_eq!(world.apply(&key(3), remit_usd(id(2), "1")), Ter::TES_SUCCESS);
    // A line with money on it counts as authorised for a Payment.
    assert_eq!(world.apply(&key(3), pay(id(2))), Ter::TES_SUCCESS);
}

#[test]
fn rejects_flags_and_text_of_tokens_that_xahaud_refuses() {
    let mut world = World::new();
    let minted = |uri: &str, mint_flags: u32| {
        let order = Object::new()
            .with(sf::URI, uri.as_bytes())
            .with(sf::FLAGS, mint_flags);
        of_type(TxType::Remit)
            .with(sf::DESTINATION, id(2))
            .with(sf::MINT_URI_TOKEN, order)
    };
    assert_eq!(world.apply(&key(1), minted("a\u{FFFE}", 0)), Ter::TEM_MALFORMED);
    assert_eq!(world.apply(&key(1), minted("a\u{FFFF}", 0)), Ter::TEM_MALFORMED);
    assert_eq!(world.apply(&key(1), minted("a", 4)), Ter::TEM_INVALID_FLAG);
    assert_eq!(world.apply(&key(1), minted("a\u{FFFD}", 1)), Ter::TES_SUCCESS);
    let token = keylet::uri_token(id(1), "a\u{FFFD}".as_bytes());
    assert_eq!(world.ledger.entry(&token).unwrap().u32(sf::FLAGS), Some(1));
}
