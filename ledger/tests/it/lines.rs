//! Generated payments over trust lines: no money is made, none gets lost, and nothing panics.
//!
//! What must hold is the meaning of a payment's fields (Amount, SendMax, DeliverMin, the flags of Payment) and
//! of a line's (limit, freeze), not what the engine computes.

use codec::format::TxType;
use codec::{Amount, Currency, IssuedAmount, Object, Ter, flags, keylet, sf};
use proptest::prelude::*;

use super::common::{World, account_set, id, key, of_type, payment};

/// Account 3 issues; 1 and 2 hold.
const ISSUER: u8 = 3;
/// What rounding to 16 digits may come to, relative to the largest amount here.
const TOLERANCE: f64 = 1e-9;

fn usd(value: f64, issuer: u8) -> Amount {
    let amount = IssuedAmount::parse(&format!("{value}"), Currency::from_iso(*b"USD"), id(issuer));
    Amount::Issued(amount.expect("an amount"))
}

#[derive(Clone, Debug)]
struct Line {
    limit: u16,
    balance: u16,
    quality_in: u32,
    quality_out: u32,
    frozen: bool,
}

#[derive(Clone, Debug)]
struct Case {
    rate: u32,
    lines: [Line; 2],
    from: u8,
    to: u8,
    amount: f64,
    send_max: Option<f64>,
    deliver_min: Option<f64>,
    partial: bool,
    limit_quality: bool,
}

fn line() -> impl Strategy<Value = Line> {
    let quality = || {
        prop_oneof![
            3 => Just(0u32),
            1 => 500_000_000u32..=1_500_000_000,
        ]
    };
    (
        0u16..200,
        0u16..200,
        quality(),
        quality(),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(limit, balance, quality_in, quality_out, frozen)| Line {
            limit,
            balance,
            quality_in,
            quality_out,
            frozen,
        })
}

fn case() -> impl Strategy<Value = Case> {
    let amount = || {
        prop_oneof![
            (1u32..30_000).prop_map(|hundredths| f64::from(hundredths) / 100.0),
            (1u32..300).prop_map(f64::from),
        ]
    };
    let rate = prop_oneof![Just(0u32), 1_000_000_000u32..=2_000_000_000];
    let parties = prop_oneof![
        3 => Just((1u8, 2u8)),
        1 => Just((1, ISSUER)),
        1 => Just((ISSUER, 2)),
    ];
    (
        (rate, [line(), line()], parties),
        (amount(), prop::option::of(amount()), prop::option::of(amount())),
        (any::<bool>(), any::<bool>()),
    )
        .prop_map(
            |((rate, lines, (from, to)), (amount, send_max, deliver_min), (partial, limit_quality))| Case {
                rate,
                lines,
                from,
                to,
                amount,
                send_max,
                deliver_min: deliver_min.filter(|_| partial).map(|least| least.min(amount)),
                partial,
                limit_quality,
            },
        )
}

/// The lines as the case has them, made by ordinary transactions.
fn world(case: &Case) -> World {
    let mut world = World::new();
    let ripples = account_set(flags::ASF_DEFAULT_RIPPLE);
    let ripples = if case.rate == 0 {
        ripples
    } else {
        ripples.with(sf::TRANSFER_RATE, case.rate)
    };
    assert_eq!(world.apply(&key(ISSUER), ripples), Ter::TES_SUCCESS);
    for (holder, line) in [1, 2].into_iter().zip(&case.lines) {
        let trust =
            |limit: u16| of_type(TxType::TrustSet).with(sf::LIMIT_AMOUNT, usd(f64::from(limit), ISSUER));
        assert_eq!(world.apply(&key(holder), trust(1_000)), Ter::TES_SUCCESS);
        if line.balance > 0 {
            let gift = payment(id(holder), 1).with(sf::AMOUNT, usd(f64::from(line.balance), ISSUER));
            assert_eq!(world.apply(&key(ISSUER), gift), Ter::TES_SUCCESS);
        }
        let own = trust(line.limit)
            .with(sf::QUALITY_IN, line.quality_in)
            .with(sf::QUALITY_OUT, line.quality_out);
        assert_eq!(world.apply(&key(holder), own), Ter::TES_SUCCESS);
        if line.frozen {
            let freeze = of_type(TxType::TrustSet)
                .with(sf::LIMIT_AMOUNT, usd(0.0, holder))
                .with(sf::FLAGS, flags::TF_FULLY_CANONICAL_SIG | flags::TF_SET_FREEZE);
            // A line that its holder needs no more may be gone.
            let ter = world.apply(&key(ISSUER), freeze);
            assert!(
                [Ter::TES_SUCCESS, Ter::TEC_NO_LINE_REDUNDANT].contains(&ter),
                "{ter:?}"
            );
        }
    }
    world
}

fn transaction(case: &Case) -> Object {
    let issuer = if case.from == ISSUER { case.from } else { ISSUER };
    let mut set = flags::TF_FULLY_CANONICAL_SIG;
    for (wanted, flag) in [
        (case.partial, flags::TF_PARTIAL_PAYMENT),
        (case.limit_quality, flags::TF_LIMIT_QUALITY),
    ] {
        if wanted {
            set |= flag;
        }
    }
    let mut object = payment(id(case.to), 1)
        .with(sf::AMOUNT, usd(case.amount, ISSUER))
        .with(sf::FLAGS, set);
    if let Some(most) = case.send_max {
        object.set(sf::SEND_MAX, usd(most, issuer));
    }
    if let Some(least) = case.deliver_min {
        object.set(sf::DELIVER_MIN, usd(least, ISSUER));
    }
    object
}

fn number(amount: &IssuedAmount) -> f64 {
    amount.value_text().parse().expect("a number")
}

/// What an account holds of the issuer's money.
fn held(world: &World, holder: u8) -> f64 {
    let line = keylet::line(id(holder), id(ISSUER), Currency::from_iso(*b"USD"));
    let entry = world.ledger.entry(&line);
    match entry.and_then(|line| line.amount(sf::BALANCE)) {
        Some(Amount::Issued(balance)) if id(holder) > id(ISSUER) => -number(&balance),
        Some(Amount::Issued(balance)) => number(&balance),
        _ => 0.0,
    }
}

/// What metadata says was delivered; without a word of it, the whole amount.
fn delivered(world: &World, case: &Case) -> f64 {
    let applied = world
        .last
        .as_ref()
        .expect("closed")
        .applied
        .first()
        .expect("applied");
    match applied.metadata.amount(sf::DELIVERED_AMOUNT) {
        Some(Amount::Issued(amount)) => number(&amount),
        _ => case.amount,
    }
}

/// What a payment that succeeded moved.
struct Moved {
    /// What account 1 has less.
    lost: f64,
    /// What account 2 has more.
    gained: f64,
    /// What metadata says.
    delivered: f64,
}

fn check(case: &Case) -> Result<(), TestCaseError> {
    let mut world = world(case);
    let before = [1, 2].map(|holder| held(&world, holder));
    let ter = world.apply(&key(case.from), transaction(case));
    let after = [1, 2].map(|holder| held(&world, holder));
    let broken = [
        Ter::TEF_INTERNAL,
        Ter::TEF_EXCEPTION,
        Ter::TEF_INVARIANT_FAILED,
        Ter::TEC_INTERNAL,
        Ter::TEC_INVARIANT_FAILED,
        Ter::TEL_FAILED_PROCESSING,
    ];
    prop_assert!(!broken.contains(&ter), "{ter:?}");
    if !ter.is_success() {
        prop_assert_eq!(before, after, "{:?} moves nothing", ter);
        return Ok(());
    }
    let moved = Moved {
        lost: before[0] - after[0],
        gained: after[1] - before[1],
        delivered: delivered(&world, case),
    };
    prop_assert!(moved.lost <= before[0] + TOLERANCE, "no more than is held");
    if case.to != ISSUER {
        let limit = f64::from(case.lines[1].limit);
        prop_assert!(after[1] <= limit + TOLERANCE, "the limit");
    }
    check_fields(case, &moved)?;
    check_rate(case, &moved)
}

/// Amount, DeliverMin and SendMax hold; frozen money goes to its issuer alone.
fn check_fields(case: &Case, moved: &Moved) -> Result<(), TestCaseError> {
    let delivered = moved.delivered;
    prop_assert!(delivered > 0.0 && delivered <= case.amount + TOLERANCE);
    if !case.partial {
        prop_assert!((delivered - case.amount).abs() <= TOLERANCE, "all or nothing");
    }
    if let Some(least) = case.deliver_min {
        prop_assert!(delivered + TOLERANCE >= least, "DeliverMin");
    }
    if case.from != ISSUER {
        let most = case.send_max.unwrap_or(case.amount);
        prop_assert!(moved.lost <= most + TOLERANCE, "SendMax");
    }
    let is_frozen = case.lines[0].frozen && case.from != ISSUER && case.to != ISSUER;
    prop_assert!(!is_frozen, "frozen money does not ripple");
    Ok(())
}

/// Without qualities of the lines, what is delivered is held, and the sender pays that and the issuer's rate.
fn check_rate(case: &Case, moved: &Moved) -> Result<(), TestCaseError> {
    let has_qualities = case
        .lines
        .iter()
        .any(|line| line.quality_in != 0 || line.quality_out != 0);
    if has_qualities {
        return Ok(());
    }
    if case.to != ISSUER {
        prop_assert!((moved.gained - moved.delivered).abs() <= TOLERANCE);
    }
    if case.from != ISSUER {
        let rate = if case.rate == 0 || case.to == ISSUER {
            1.0
        } else {
            f64::from(case.rate) / 1e9
        };
        let due = moved.delivered * rate;
        prop_assert!(
            (moved.lost - due).abs() <= TOLERANCE,
            "lost {} of {due}",
            moved.lost
        );
        let most = case.send_max.unwrap_or(case.amount);
        prop_assert!(
            !case.limit_quality || rate <= most / case.amount + TOLERANCE,
            "no worse than SendMax per Amount"
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn accepts_payments_over_lines_that_make_and_lose_no_money(case in case()) {
        check(&case)?;
    }
}
