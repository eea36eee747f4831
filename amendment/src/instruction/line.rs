//! The one line that moves money or changes a key: its grammar, where it may stand, and what its words mean.
//! Knows neither mail nor ledger. No regular expressions, no locale.
//!
//! Spec: 5, 5.1, 5.2, 5.3, 5.5, 5.6.

use codec::{AccountId, Amount};
use thiserror::Error;

use crate::instruction::mark::RekeyMark;
use crate::instruction::money::{Money, MoneyError, is_digits};
use crate::limits::MAIN_NETWORK_ID;
use crate::mail::address::{self, Address, AddressError, Recipient};

/// Why an instruction is for another network. Spec: 5.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NetworkError {
    /// `NET` names another network.
    #[error("the instruction is for another network")]
    Other,
    /// No `NET`, which means the main network.
    #[error("the instruction names no network, which means the main network")]
    Unnamed,
}

/// The recipient as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target<'a> {
    Address(&'a str),
    Classic(&'a str),
}

/// What an instruction orders, in its own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order<'a> {
    Remit {
        money: Money<'a>,
        to: Option<Target<'a>>,
    },
    Rekey {
        key: &'a str,
        after: Option<RekeyMark>,
    },
}

/// A line that is an instruction by its grammar; its words are not yet weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    text: &'a str,
    order: Order<'a>,
    network: Option<&'a str>,
}

/// Who is paid, as far as the instruction says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// The instruction names a recipient.
    Named(Recipient),
    /// The To header does.
    Header,
}

/// What an instruction orders, with every word weighed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// This is paid.
    Remit(Amount),
    /// The regular key is set.
    Rekey {
        /// The account of the new key.
        key: AccountId,
        /// The REKEY that this one follows, where it names one.
        after: Option<RekeyMark>,
    },
}

/// Whether a relaxed line is an instruction by its grammar.
///
/// Spec: 5.1.
#[must_use]
pub fn is_instruction_line(line: &[u8]) -> bool {
    Line::parse(line).is_some()
}

impl<'a> Line<'a> {
    /// The grammar of section 5 over one relaxed line. A classic address is known by its look here; its check
    /// digits are judged by rule 2.4.
    ///
    /// Spec: 5.1.
    #[must_use]
    pub fn parse(line: &'a [u8]) -> Option<Line<'a>> {
        let text = std::str::from_utf8(line).ok()?;
        let (order, network) = match text.rsplit_once(" NET ") {
            Some((order, number)) if is_canonical_number(number) => (order, Some(number)),
            Some(_) | None => (text, None),
        };
        let mut words = order.splitn(4, ' ');
        let order = match (words.next()?, words.next()?, words.next(), words.next()) {
            ("REMIT", amount, Some(currency), rest) => Order::Remit {
                money: Money::parse(amount, currency)?,
                to: match rest {
                    Some(rest) => Some(Target::parse(rest.strip_prefix("TO ")?)?),
                    None => None,
                },
            },
            ("REKEY", key, word, mark) if address::looks_classic(key.as_bytes()) => Order::Rekey {
                key,
                after: match (word, mark) {
                    (None, _) => None,
                    (Some("AFTER"), Some(mark)) => Some(RekeyMark::parse(mark)?),
                    (Some(_), _) => return None,
                },
            },
            _ => return None,
        };
        Some(Line { text, order, network })
    }

    /// `NET n` equals the NetworkID; without it the mail is for the main network only.
    ///
    /// Spec: 5.6. So that no test mail can ever spend on the main network.
    pub(crate) fn check_network(&self, network_id: u32) -> Result<(), NetworkError> {
        match self.network {
            Some(text) if text.parse() == Ok(network_id) => Ok(()),
            Some(_) => Err(NetworkError::Other),
            None if network_id == MAIN_NETWORK_ID => Ok(()),
            None => Err(NetworkError::Unnamed),
        }
    }

    /// The money without its issuer's account: whether the number fits the ledger exactly.
    ///
    /// Spec: 5.5.
    pub(crate) fn check_money(&self) -> Result<(), MoneyError> {
        match self.order {
            // Any issuer does here: rule 2.4 judges the written one.
            Order::Remit { money, .. } => money.amount(AccountId::ONE).map(|_| ()),
            Order::Rekey { .. } => Ok(()),
        }
    }

    /// What the line orders.
    ///
    /// Spec: 5.5, 2.4. `None` where rule 5.5 refuses the amount, which `check_money` reports.
    pub fn meaning(&self) -> Result<Option<Meaning>, AddressError> {
        match self.order {
            Order::Remit { money, .. } => {
                let issuer = money
                    .issuer
                    .map_or(Ok(AccountId::ONE), address::classic_account)?;
                Ok(money.amount(issuer).ok().map(Meaning::Remit))
            }
            Order::Rekey { key, after } => Ok(Some(Meaning::Rekey {
                key: address::classic_account(key)?,
                after,
            })),
        }
    }

    /// Whom the line names; `None` for REKEY.
    ///
    /// Spec: 2.1, 2.2, 2.4.
    pub fn to(&self) -> Result<Option<To>, AddressError> {
        match self.order {
            Order::Remit { to: None, .. } => Ok(Some(To::Header)),
            Order::Remit {
                to: Some(Target::Address(text)),
                ..
            } => address::recipient_of(&Address::parse(text.as_bytes())?).map(|to| Some(To::Named(to))),
            Order::Remit {
                to: Some(Target::Classic(text)),
                ..
            } => address::classic_with_tag(text).map(|to| Some(To::Named(to))),
            Order::Rekey { .. } => Ok(None),
        }
    }
}

/// The words of a line, for those who show them or write a line like it.
impl<'a> Line<'a> {
    /// Number and currency of a REMIT as they are written: `10.50 XAH`.
    #[must_use]
    pub fn written_amount(&self) -> Option<String> {
        match self.order {
            Order::Remit { money, .. } => Some(money.to_string()),
            Order::Rekey { .. } => None,
        }
    }

    /// Whether it is a REMIT that leaves the recipient to the To header.
    #[must_use]
    pub fn pays_header(&self) -> bool {
        matches!(self.order, Order::Remit { to: None, .. })
    }

    /// A REKEY as it has to be written after the one that made a mark, on the same network; `None` for a REMIT.
    ///
    /// Spec: 8.6.
    #[must_use]
    pub fn following(&self, last: Option<RekeyMark>) -> Option<String> {
        let Order::Rekey { key, .. } = self.order else {
            return None;
        };
        let after = last.map(|mark| format!(" AFTER {mark}")).unwrap_or_default();
        let net = self
            .network
            .map(|number| format!(" NET {number}"))
            .unwrap_or_default();
        Some(format!("REKEY {key}{after}{net}"))
    }

    /// The line without its `NET`.
    #[must_use]
    pub fn without_network(&self) -> &'a str {
        let text = self.network.and_then(|network| self.text.strip_suffix(network));
        text.and_then(|text| text.strip_suffix(" NET "))
            .unwrap_or(self.text)
    }
}

fn is_canonical_number(text: &str) -> bool {
    is_digits(text) && (text == "0" || !text.starts_with('0'))
}

impl<'a> Target<'a> {
    /// Angle brackets are required around an address: some pages join lines, and `TO bob@x.com` plus `Thanks`
    /// would pay `bob@x.comThanks`. A link holds them.
    fn parse(text: &'a str) -> Option<Target<'a>> {
        let inner = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
        let address = match inner {
            Some(inner) => linked(inner.strip_prefix(' ').unwrap_or(inner)).or(Some(inner)),
            None => linked(text),
        };
        if let Some(address) = address {
            let is_plain = !address.is_empty() && !address.contains(['<', '>', ' ']);
            return is_plain.then_some(Target::Address(address));
        }
        let head = text.split('+').next().unwrap_or_default();
        address::looks_classic(head.as_bytes()).then_some(Target::Classic(text))
    }
}

/// The address of a link as programs write it into plain text: Outlook `a@b<mailto:a@b>`, Gecko and Apple Mail
/// `a@b <mailto:a@b>`, Outlook 2007 `<mailto:a@b> a@b`. Both must be the same bytes.
///
/// Spec: 5.1.
fn linked(text: &str) -> Option<&str> {
    let (address, again) = match text.strip_prefix("<mailto:") {
        Some(rest) => rest.split_once("> ")?,
        None => {
            let (address, again) = text.strip_suffix('>')?.split_once("<mailto:")?;
            (address.strip_suffix(' ').unwrap_or(address), again)
        }
    };
    (address == again).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::text::relaxed;

    const A: &str = "rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5o";

    fn is_line(text: &str) -> bool {
        Line::parse(&relaxed(text.as_bytes())).is_some()
    }

    #[test]
    fn the_words_of_a_line_are_shown_as_they_are_written() {
        let issued = format!("REMIT 1.50 EUR/{A} TO {A}+7");
        for (text, amount, pays_header, order) in [
            (
                "REMIT 10.0 XAH NET 21338",
                Some("10.0 XAH".to_owned()),
                true,
                "REMIT 10.0 XAH",
            ),
            (
                "REMIT 1 XAH TO <b@c.example>",
                Some("1 XAH".to_owned()),
                false,
                "REMIT 1 XAH TO <b@c.example>",
            ),
            (&issued, Some(format!("1.50 EUR/{A}")), false, &issued),
            (&format!("REKEY {A} NET 7"), None, false, &format!("REKEY {A}")),
        ] {
            let line = Line::parse(text.as_bytes()).unwrap();
            assert_eq!(line.written_amount(), amount, "{text}");
            assert_eq!(line.pays_header(), pays_header, "{text}");
            assert_eq!(line.without_network(), order, "{text}");
        }
    }

    // Spec: 8.6.
    #[test]
    fn a_rekey_is_written_again_with_the_mark_that_it_follows() {
        let mark = RekeyMark::parse("1A2B3C4D");
        for (text, expected) in [
            (format!("REKEY {A}"), format!("REKEY {A} AFTER 1A2B3C4D")),
            (
                format!("REKEY {A} NET 21338"),
                format!("REKEY {A} AFTER 1A2B3C4D NET 21338"),
            ),
            (
                format!("REKEY {A} AFTER 00000000 NET 7"),
                format!("REKEY {A} AFTER 1A2B3C4D NET 7"),
            ),
        ] {
            let line = Line::parse(text.as_bytes()).unwrap();
            assert_eq!(line.following(mark), Some(expected), "{text}");
        }
        let named = format!("REKEY {A} AFTER 00000000 NET 7");
        let line = Line::parse(named.as_bytes()).unwrap();
        assert_eq!(line.following(None), Some(format!("REKEY {A} NET 7")));
        let remit = Line::parse(b"REMIT 1 XAH").unwrap();
        assert_eq!(remit.following(mark), None);
    }

    // Spec: 5.1.
    #[test]
    fn accepts_the_grammar() {
        for text in [
            "REMIT 10 XAH".to_owned(),
            "REMIT\t10  XAH \t".to_owned(),
            "REMIT 0.5 XAH NET 21338".to_owned(),
            "REMIT 10 XAH TO <bob@example.com>".to_owned(),
            "REMIT 10 XAH TO <bob@example.com<mailto:bob@example.com>> NET 1".to_owned(),
            "REMIT 10 XAH TO <bob@example.com <mailto:bob@example.com>> NET 1".to_owned(),
            "REMIT 10 XAH TO bob@example.com <mailto:bob@example.com> NET 1".to_owned(),
            "REMIT 10 XAH TO bob@example.com<mailto:bob@example.com>".to_owned(),
            "REMIT 10 XAH TO <mailto:bob@example.com> bob@example.com NET 1".to_owned(),
            "REMIT 10 XAH TO <<mailto:bob@example.com> bob@example.com>".to_owned(),
            "REMIT 10 XAH TO < <mailto:bob@example.com> bob@example.com> NET 1".to_owned(),
            format!("REMIT 10 XAH TO {A}+7"),
            format!("REMIT 10 EUR/{A} TO {A}"),
            format!("REKEY {A}"),
            format!("REKEY {A} NET 0"),
            format!("REKEY {A} AFTER 1A2B3C4D"),
            format!("REKEY\t{A}  AFTER  00000000 NET 21338"),
        ] {
            assert!(is_line(&text), "{text}");
        }
    }

    // Spec: 5.1, 5.2.
    #[test]
    fn rejects_what_is_no_instruction() {
        for text in [
            " REMIT 10 XAH".to_owned(),
            "> REMIT 10 XAH".to_owned(),
            "remit 10 XAH".to_owned(),
            "REMIT 10 xah".to_owned(),
            "REMIT -1 XAH".to_owned(),
            "REMIT +1 XAH".to_owned(),
            "REMIT 1e3 XAH".to_owned(),
            "REMIT 1,5 XAH".to_owned(),
            "REMIT .5 XAH".to_owned(),
            "REMIT 5. XAH".to_owned(),
            "REMIT 1.2.3 XAH".to_owned(),
            "REMIT 10".to_owned(),
            "REMIT 10 EUR".to_owned(),
            "REMIT 10 XAH.".to_owned(),
            "REMIT 10 XAH TO".to_owned(),
            "REMIT 10 XAH TO bob@example.com".to_owned(),
            "REMIT 10 XAH TO <bob@example.com>Thanks".to_owned(),
            "REMIT 10 XAH TO <bob@example.com> Thanks".to_owned(),
            "REMIT 10 XAH TO <bob@example.com<mailto:bob@example.org>>".to_owned(),
            "REMIT 10 XAH TO <bob@example.com<mailto:bob@example.com>".to_owned(),
            "REMIT 10 XAH TO <bob@example.com <mailto:bob@example.org>>".to_owned(),
            "REMIT 10 XAH TO <bob@example.com  <mailto:Bob@example.com>>".to_owned(),
            "REMIT 10 XAH TO <bob@example.com> <mailto:bob@example.com>".to_owned(),
            "REMIT 10 XAH TO bob@example.com <mailto:bob@example.com>Thanks".to_owned(),
            "REMIT 10 XAH TO bob@example.com <mailto:bob@example.com>> NET 1".to_owned(),
            "REMIT 10 XAH TO <mailto:bob@example.com> bob@example.comThanks".to_owned(),
            "REMIT 10 XAH TO <mailto:bob@example.com> bob@example.com Thanks".to_owned(),
            "REMIT 10 XAH TO <mailto:bob@example.com>bob@example.com".to_owned(),
            "REMIT 10 XAH TO <<mailto:> >".to_owned(),
            "REMIT 10 XAH TO < bob@example.com>".to_owned(),
            "REMIT 10 XAH TO <bob@example.com >".to_owned(),
            "REMIT 10 XAH TO Bob <bob@example.com>".to_owned(),
            "REMIT 10 XAH TO <bob@example.com> <eve@example.com>".to_owned(),
            "REMIT 10 XAH NET 1 NET 1".to_owned(),
            "REMIT 10 XAH NET 007".to_owned(),
            "REMIT 10 XAH NET 1 TO <bob@example.com>".to_owned(),
            "REMIT\u{a0}10 XAH".to_owned(),
            format!("REKEY {A} TO {A}"),
            "REKEY bob@example.com".to_owned(),
            format!("REKEY {A}+1"),
            format!("REKEY {A}{A}"),
            format!("REKEY {}", &A[..24]),
            format!("REMIT 10 XAH TO {}", &A[..24]),
            format!("REKEY {A} AFTER"),
            format!("REKEY {A} AFTER 1a2b3c4d"),
            format!("REKEY {A} AFTER 1A2B3C4"),
            format!("REKEY {A} AFTER 1A2B3C4D5"),
            format!("REKEY {A} AFTER 1A2B3C4D Thanks"),
            format!("REKEY {A} After 1A2B3C4D"),
            format!("REKEY {A} NET 1 AFTER 1A2B3C4D"),
            format!("REKEY {A} AFTER NET 1"),
            "REMIT 10 XAH AFTER 1A2B3C4D".to_owned(),
            "REMIT 10 XAH TO <bob@example.com> AFTER 1A2B3C4D".to_owned(),
            String::new(),
        ] {
            assert!(!is_line(&text), "{text}");
        }
    }

    #[test]
    fn networks_are_named_except_the_main_one() {
        let line = |text: &'static str| Line::parse(text.as_bytes()).expect("grammar");
        assert_eq!(line("REMIT 1 XAH").check_network(21_337), Ok(()));
        assert_eq!(line("REMIT 1 XAH NET 21337").check_network(21_337), Ok(()));
        assert_eq!(line("REMIT 1 XAH NET 21338").check_network(21_338), Ok(()));
        assert_eq!(
            line("REMIT 1 XAH NET 21338").check_network(21_337),
            Err(NetworkError::Other)
        );
        assert_eq!(
            line("REMIT 1 XAH NET 99999999999").check_network(21_337),
            Err(NetworkError::Other)
        );
        assert_eq!(
            line("REMIT 1 XAH").check_network(21_338),
            Err(NetworkError::Unnamed)
        );
    }
}
