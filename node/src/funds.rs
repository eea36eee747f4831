//! Payments that the genesis account makes at the first start (`--fund WHO=XAH`).

use amendment::address;
use codec::keys::{KeyError, KeyPair};
use codec::{AccountId, Amount, Drops, Object, flags, format::TxType, sf, tx};

/// The genesis account's seed; as in xahaud standalone, everybody knows it.
const GENESIS_SEED: &str = "snoPBrXtMeMyMHUVTgbuqAfg1SUTb";

/// Networks with larger ids have them in every transaction.
const LEGACY_NETWORK_ID_MAX: u32 = 1_024;

/// A payment at the first start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fund {
    /// Who is paid, as it was written.
    pub who: String,
    /// The account.
    pub account: AccountId,
    /// How much.
    pub amount: Drops,
}

/// Why a fund cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FundError {
    /// There is no `=`.
    #[error("'{text}' is not a payment; write WHO=XAH, for example alice@example.com=100")]
    Form {
        /// What was written.
        text: String,
    },
    /// WHO is neither an email address nor a classic address.
    #[error("'{who}' is neither an email address nor an r-address")]
    Who {
        /// What was written.
        who: String,
    },
    /// XAH is no amount.
    #[error(
        "'{amount}' is not an amount of XAH; write a number with at most 6 decimals, for example 100 or 0.5"
    )]
    Amount {
        /// What was written.
        amount: String,
    },
}

impl Fund {
    /// Read `WHO=XAH`.
    pub fn parse(text: &str) -> Result<Self, FundError> {
        let (who, amount) = text.rsplit_once('=').ok_or_else(|| FundError::Form {
            text: text.to_owned(),
        })?;
        let account = account_of(who).ok_or_else(|| FundError::Who { who: who.to_owned() })?;
        let amount = parse_xah(amount).ok_or_else(|| FundError::Amount {
            amount: amount.to_owned(),
        })?;
        Ok(Self {
            who: who.to_owned(),
            account,
            amount,
        })
    }

    /// The payment, signed by the genesis account.
    pub(crate) fn payment(&self, network_id: u32, sequence: u32, fee: Drops) -> Result<Object, KeyError> {
        let key = KeyPair::from_seed(GENESIS_SEED)?;
        let drops = |amount: Drops| Amount::Native(i64::try_from(amount.get()).unwrap_or(i64::MAX));
        let mut payment = Object::new()
            .with(sf::TRANSACTION_TYPE, TxType::Payment.code())
            .with(sf::FLAGS, flags::TF_FULLY_CANONICAL_SIG)
            .with(sf::SEQUENCE, sequence)
            .with(sf::AMOUNT, drops(self.amount))
            .with(sf::FEE, drops(fee))
            .with(sf::SIGNING_PUB_KEY, key.public_key().as_bytes().to_vec())
            .with(sf::ACCOUNT, key.account())
            .with(sf::DESTINATION, self.account);
        if network_id > LEGACY_NETWORK_ID_MAX {
            payment.set(sf::NETWORK_ID, network_id);
        }
        let signature = key.sign(&tx::signing_bytes(&payment));
        payment.set(sf::TXN_SIGNATURE, signature);
        Ok(payment)
    }
}

fn account_of(who: &str) -> Option<AccountId> {
    if who.contains('@') {
        return address::parse_recipient(who)
            .ok()
            .map(|recipient| recipient.account());
    }
    AccountId::parse_classic(who).ok()
}

/// XAH with at most 6 decimals, more than zero, not rounded.
fn parse_xah(text: &str) -> Option<Drops> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(decimals) || decimals.len() > 6 {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let decimals: u64 = format!("{decimals:0<6}").parse().ok()?;
    let drops = whole.checked_mul(Drops::PER_XAH)?.checked_add(decimals)?;
    (drops > 0).then(|| Drops::new(drops))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_amounts_with_up_to_six_decimals() {
        for (text, drops) in [
            ("1", 1_000_000),
            ("0.5", 500_000),
            ("100.000001", 100_000_001),
            ("007", 7_000_000),
        ] {
            assert_eq!(parse_xah(text), Some(Drops::new(drops)), "{text}");
        }
    }

    #[test]
    fn rejects_amounts_that_are_none() {
        for text in [
            "",
            "0",
            "0.0",
            ".5",
            "5.",
            "1.0000001",
            "-1",
            "+1",
            "1e3",
            "1,5",
            "99999999999999999999",
        ] {
            assert_eq!(parse_xah(text), None, "{text}");
        }
    }

    #[test]
    fn accepts_an_r_address_and_rejects_what_is_no_fund() {
        let fund = Fund::parse("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh=2.5").expect("a fund");
        assert_eq!(fund.amount, Drops::new(2_500_000));
        assert!(matches!(
            Fund::parse("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"),
            Err(FundError::Form { .. })
        ));
        assert!(matches!(Fund::parse("rHb9=1"), Err(FundError::Who { .. })));
        assert!(matches!(
            Fund::parse("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh=x"),
            Err(FundError::Amount { .. })
        ));
    }
}
