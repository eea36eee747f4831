//! Lines that people are told to write. Each qualifies by the grammar and means what the text around it says;
//! where none does, none is suggested.

use amendment::Order;
use amendment::address::Recipient;
use amendment::instruction::line::{Line, Meaning, To};
use amendment::limits::MAIN_NETWORK_ID;
use codec::Amount;

/// A first line as it is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FirstLine(String);

impl FirstLine {
    /// Asks for the balance.
    pub(super) fn balance() -> FirstLine {
        FirstLine("BALANCE".to_owned())
    }

    /// Asks for the last payments.
    pub(super) fn history() -> FirstLine {
        FirstLine("HISTORY".to_owned())
    }

    /// Orders the same on this network; `None` where no line does.
    pub(super) fn order(order: &Order, network: u32) -> Option<FirstLine> {
        let words = match order {
            Order::Remit { amount, to } => format!("REMIT {amount} TO {}", written(to)),
            Order::Rekey { key, after: None } => format!("REKEY {key}"),
            Order::Rekey {
                key,
                after: Some(mark),
            } => format!("REKEY {key} AFTER {mark}"),
        };
        let line = format!("{words}{}", net(network));
        let read = Line::parse(line.as_bytes())?;
        let is_same = match (order, read.meaning().ok()??, read.to().ok()?) {
            (Order::Remit { amount, to }, Meaning::Remit(read), Some(To::Named(named))) => {
                (amount, to) == (&read, &named)
            }
            (
                Order::Rekey { key, after },
                Meaning::Rekey {
                    key: read,
                    after: named,
                },
                None,
            ) => (*key, *after) == (read, named),
            _ => false,
        };
        is_same.then_some(FirstLine(line))
    }

    /// Pays this amount.
    pub(super) fn pay(amount: Amount, to: Recipient, network: u32) -> Option<FirstLine> {
        FirstLine::order(&Order::Remit { amount, to }, network)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

fn written(to: &Recipient) -> String {
    match to {
        Recipient::Mailbox { address, .. } => format!("<{address}>"),
        Recipient::Chain { account, tag: None } => account.to_string(),
        Recipient::Chain {
            account,
            tag: Some(tag),
        } => format!("{account}+{tag}"),
    }
}

/// What an instruction needs on other networks than the main one. Spec: 5.6.
pub(super) fn net(network: u32) -> String {
    match network {
        MAIN_NETWORK_ID => String::new(),
        other => format!(" NET {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use amendment::address::parse_recipient;
    use codec::{AccountId, Currency, Drops, IssuedAmount};
    use proptest::prelude::*;

    fn recipients() -> impl Strategy<Value = Recipient> {
        let account = || any::<[u8; 20]>().prop_map(AccountId::new);
        prop_oneof![
            "[a-z]([a-z0-9.]{0,20}[a-z0-9])?@[a-z]{1,10}(\\.[a-z]{2,5}){1,2}"
                .prop_filter_map("no address", |text| parse_recipient(&text).ok()),
            (account(), proptest::option::of(any::<u32>()))
                .prop_map(|(account, tag)| Recipient::Chain { account, tag }),
        ]
    }

    fn amounts() -> impl Strategy<Value = Amount> {
        let issued = |(digits, exponent, issuer): (u64, i32, [u8; 20])| {
            let currency = Currency::from_iso(*b"USD");
            let issued = IssuedAmount::from_digits(digits, exponent, currency, AccountId::new(issuer));
            issued.ok().map(Amount::Issued)
        };
        prop_oneof![
            (1..=amendment::limits::XAH_DROPS_MAX).prop_map(|drops| Amount::from_drops(Drops::new(drops))),
            (1..10_u64.pow(15), -30..30_i32, any::<[u8; 20]>()).prop_filter_map("no amount", issued),
        ]
    }

    proptest! {
        /// Spec: 5. Whatever is suggested reads as the order that it was made of.
        #[test]
        fn a_suggested_line_qualifies_and_pays_whom_it_was_made_for(
            amount in amounts(), to in recipients(), network in prop_oneof![Just(21_337_u32), any::<u32>()],
        ) {
            let suggested = FirstLine::pay(amount, to.clone(), network);
            if let Some(line) = suggested {
                let read = Line::parse(line.as_str().as_bytes()).expect("an instruction");
                prop_assert_eq!(read.meaning(), Ok(Some(Meaning::Remit(amount))));
                prop_assert_eq!(read.to(), Ok(Some(To::Named(to))));
                let network_is_named = line.as_str().ends_with(&format!(" NET {network}"));
                prop_assert_eq!(network_is_named, network != 21_337);
            } else {
                // An amount that only an exponent can write.
                prop_assert!(!amount.is_native(), "{} to {}", amount, written(&to));
            }
        }
    }

    #[test]
    fn rejects_a_line_for_what_the_grammar_cannot_say() {
        let bob = parse_recipient("bob@example.net").expect("an address");
        assert_eq!(
            FirstLine::pay(Amount::from_drops(Drops::new(0)), bob.clone(), 21_337),
            None
        );
        let nobody = Recipient::Chain {
            account: AccountId::ZERO,
            tag: None,
        };
        assert_eq!(
            FirstLine::pay(Amount::from_drops(Drops::new(1)), nobody, 21_337),
            None
        );
        let huge = IssuedAmount::from_digits(1, 60, Currency::from_iso(*b"USD"), AccountId::ONE);
        assert_eq!(
            FirstLine::pay(Amount::Issued(huge.expect("in range")), bob, 21_337),
            None
        );
    }
}
