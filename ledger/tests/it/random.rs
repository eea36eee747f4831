//! Random transactions of a few accounts: whatever they do, nothing is lost and the books agree.

use codec::format::{EntryType, TxType};
use codec::{AccountId, Amount, Currency, IssuedAmount, Object, Ter, flags, sf};
use proptest::prelude::*;

use super::common::{World, account_set, id, key, native, of_type, payment, remit};

/// What one account does next, by numbers.
#[derive(Clone, Debug)]
struct Deed {
    kind: u8,
    from: u8,
    to: u8,
    issuer: u8,
    value: u16,
    option: u8,
}

fn deed() -> impl Strategy<Value = Deed> {
    (0u8..10, 1u8..=3, 1u8..=4, 1u8..=3, any::<u16>(), any::<u8>()).prop_map(
        |(kind, from, to, issuer, value, option)| Deed {
            kind,
            from,
            to,
            issuer,
            value,
            option,
        },
    )
}

fn usd(value: u16, issuer: u8) -> Amount {
    let text = format!("{}.{:02}", value / 100, value % 100);
    let amount = IssuedAmount::parse(&text, Currency::from_iso(*b"USD"), id(issuer));
    Amount::Issued(amount.expect("an amount"))
}

fn transaction(deed: &Deed) -> Object {
    let entry = |amount| Object::new().with(sf::AMOUNT, amount);
    let money = usd(deed.value, deed.issuer);
    match deed.kind {
        0 => remit(id(deed.to), u64::from(deed.value)),
        1 => remit(id(deed.to), 1).with(sf::AMOUNTS, vec![(sf::AMOUNT_ENTRY, entry(money))]),
        2 => payment(id(deed.to), 1).with(sf::AMOUNT, money),
        3 => payment(id(deed.to), 1)
            .with(sf::AMOUNT, money)
            .with(
                sf::SEND_MAX,
                usd(deed.value.saturating_add(u16::from(deed.option)), deed.issuer),
            )
            .with(sf::FLAGS, if deed.option & 1 == 0 { 0u32 } else { 0x0002_0000 }),
        4 => {
            let chosen = [0u32, 0x0002_0000, 0x0004_0000, 0x0010_0000, 0x0020_0000];
            of_type(TxType::TrustSet)
                .with(sf::LIMIT_AMOUNT, usd(deed.value & 0x7F00, deed.issuer))
                .with(sf::FLAGS, chosen[usize::from(deed.option) % chosen.len()])
        }
        5 => {
            let switches = [flags::ASF_DEFAULT_RIPPLE, flags::ASF_REQUIRE_DEST, 99];
            let rate = 1_000_000_000 + u32::from(deed.value) * 1_000;
            account_set(switches[usize::from(deed.option) % switches.len()]).with(sf::TRANSFER_RATE, rate)
        }
        6 => of_type(TxType::TicketCreate).with(sf::TICKET_COUNT, u32::from(deed.option % 40)),
        7 => {
            let who = if deed.option & 1 == 0 {
                sf::AUTHORIZE
            } else {
                sf::UNAUTHORIZE
            };
            of_type(TxType::DepositPreauth).with(who, id(deed.to))
        }
        8 => {
            let uri = format!("ipfs://{}", deed.option % 8);
            let token = codec::keylet::uri_token(id(deed.issuer), uri.as_bytes());
            of_type(TxType::UriTokenBurn).with(sf::URI_TOKEN_ID, token)
        }
        _ => {
            let uri = format!("ipfs://{}", deed.option % 8);
            let order = Object::new().with(sf::URI, uri.as_bytes());
            let minted = of_type(TxType::Remit)
                .with(sf::DESTINATION, id(deed.to))
                .with(sf::DESTINATION_TAG, 1u32);
            if deed.value & 1 == 0 {
                minted.with(sf::MINT_URI_TOKEN, order)
            } else {
                let token = codec::keylet::uri_token(id(deed.issuer), uri.as_bytes());
                minted.with(sf::URI_TOKEN_IDS, vec![token])
            }
        }
    }
}

fn entries(world: &World) -> Vec<Object> {
    let state = world.ledger.state().iter();
    state
        .map(|(_, bytes)| codec::decode(bytes).expect("an entry"))
        .collect()
}

/// Objects in an account's reserve, counted from the entries.
fn owned(entries: &[Object], account: AccountId) -> u32 {
    let counts = |entry: &Object| match EntryType::of(entry) {
        Some(EntryType::Ticket | EntryType::DepositPreauth) => entry.account(sf::ACCOUNT) == Some(account),
        Some(EntryType::UriToken) => entry.account(sf::OWNER) == Some(account),
        Some(EntryType::RippleState) => {
            let reserve = [(sf::LOW_LIMIT, 0x0001_0000), (sf::HIGH_LIMIT, 0x0002_0000)];
            let set = entry.u32(sf::FLAGS).unwrap_or(0);
            reserve.into_iter().any(|(limit, flag)| {
                let issuer = match entry.amount(limit) {
                    Some(Amount::Issued(limit)) => limit.issuer(),
                    _ => AccountId::ZERO,
                };
                issuer == account && set & flag != 0
            })
        }
        _ => false,
    };
    u32::try_from(entries.iter().filter(|entry| counts(entry)).count()).expect("few")
}

/// Entries listed in the owners' directories, and entries that should be.
fn listed(entries: &[Object]) -> (usize, usize) {
    let of = |entry_type| {
        entries
            .iter()
            .filter(move |entry| EntryType::of(entry) == Some(entry_type))
    };
    let listed = of(EntryType::DirectoryNode).map(|page| page.vector256(sf::INDEXES).unwrap_or(&[]).len());
    let once = [EntryType::Ticket, EntryType::DepositPreauth, EntryType::UriToken];
    let should = once.into_iter().map(|kind| of(kind).count()).sum::<usize>();
    (listed.sum(), should + 2 * of(EntryType::RippleState).count())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn accepts_any_deeds_with_books_that_agree(deeds in proptest::collection::vec(deed(), 40)) {
        let mut world = World::new();
        let broken = [
            Ter::TEF_INTERNAL,
            Ter::TEF_BAD_LEDGER,
            Ter::TEF_INVARIANT_FAILED,
            Ter::TEF_EXCEPTION,
            Ter::TEC_INTERNAL,
            Ter::TEC_INVARIANT_FAILED,
        ];
        for deed in &deeds {
            let object = transaction(deed).with(sf::FEE, native(2_000));
            let ter = world.apply(&key(deed.from), object);
            prop_assert!(!broken.contains(&ter), "{deed:?}: {ter:?}");
        }
        let entries = entries(&world);
        let roots = entries.iter().filter(|entry| EntryType::of(entry) == Some(EntryType::AccountRoot));
        let mut drops = 0;
        for root in roots {
            let account = root.account(sf::ACCOUNT).unwrap();
            prop_assert_eq!(root.u32(sf::OWNER_COUNT), Some(owned(&entries, account)), "{}", account);
            drops += world.balance(account);
        }
        prop_assert_eq!(drops, world.ledger.header().total_drops.get());
        let (listed, should) = listed(&entries);
        prop_assert_eq!(listed, should);
    }
}
