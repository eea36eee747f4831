//! The small values that everything else is made of.

use crate::base58;
use crate::hash::ripemd160_sha256;
use crate::hex_text::hex_upper;
use std::fmt;

/// 160-bit id of an account; shown as a classic address ("r...").
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId([u8; 20]);

/// Why a text is no classic address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a classic address: alphabet, checksum, type or length is wrong")]
pub struct AddressError;

impl AccountId {
    /// Account zero, `rrrrrrrrrrrrrrrrrrrrrhoLvTp`: no key signs for it; sender of
    /// pseudo-transactions.
    pub const ZERO: AccountId = AccountId([0; 20]);
    /// Account one, `rrrrrrrrrrrrrrrrrrrrBZbvji`: no key signs for it; issuer in
    /// the balances of trust lines.
    pub const ONE: AccountId = AccountId({
        let mut bytes = [0; 20];
        bytes[19] = 1;
        bytes
    });

    /// From the 20 bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 20]) -> Self {
        AccountId(bytes)
    }

    /// The 20 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// Reads a classic address; case matters.
    ///
    /// ```
    /// use codec::AccountId;
    ///
    /// let text = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh";
    /// assert_eq!(AccountId::parse_classic(text)?.to_string(), text);
    /// assert!(AccountId::parse_classic("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTH").is_err());
    /// # Ok::<(), codec::AddressError>(())
    /// ```
    pub fn parse_classic(text: &str) -> Result<Self, AddressError> {
        base58::decode(&[base58::TYPE_ACCOUNT_ID], text)
            .map(AccountId)
            .ok_or(AddressError)
    }

    /// The account of a public key: RIPEMD160(SHA256(33 bytes)).
    #[must_use]
    pub fn of_public_key(key: &[u8]) -> Self {
        AccountId(ripemd160_sha256(key))
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base58::encode(&[base58::TYPE_ACCOUNT_ID], &self.0))
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Currency code, 20 bytes: all zero is XAH; an ISO-style code stands in bytes 12 to 14.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 20]);

const ISO_OFFSET: usize = 12;
const ISO_SPECIAL: &[u8] = b"<>(){}[]|?!@#$%^&*";

impl Currency {
    /// The native currency.
    pub const XAH: Currency = Currency([0; 20]);

    /// From the 20 bytes; bytes are the identity of a currency.
    #[must_use]
    pub const fn new(bytes: [u8; 20]) -> Self {
        Currency(bytes)
    }

    /// The 20 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// From three ASCII characters, kept as they are.
    #[must_use]
    pub const fn from_iso(code: [u8; 3]) -> Self {
        let mut bytes = [0; 20];
        bytes[ISO_OFFSET] = code[0];
        bytes[ISO_OFFSET + 1] = code[1];
        bytes[ISO_OFFSET + 2] = code[2];
        Currency(bytes)
    }

    /// Reads `XAH`, a three-character code (letters become upper-case, as xahaud does) or 40 hex digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() || text == "XAH" {
            return Some(Currency::XAH);
        }
        if let [a, b, c] = text.as_bytes() {
            let code = [a, b, c].map(|byte| byte.to_ascii_uppercase());
            return code
                .iter()
                .all(|b| is_iso_char(*b))
                .then(|| Currency::from_iso(code));
        }
        let mut bytes = [0; 20];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Currency(bytes))
    }

    /// True for XAH.
    #[must_use]
    pub fn is_native(&self) -> bool {
        self.0 == [0; 20]
    }

    /// True for an issued currency that calls itself XAH in any letter case (xahaud `isBadCurrency`).
    #[must_use]
    pub fn is_bad(&self) -> bool {
        self.iso().is_some_and(|code| code.eq_ignore_ascii_case(b"XAH"))
    }

    fn iso(&self) -> Option<[u8; 3]> {
        let code = [self.0[ISO_OFFSET], self.0[ISO_OFFSET + 1], self.0[ISO_OFFSET + 2]];
        (Currency::from_iso(code) == *self).then_some(code)
    }
}

fn is_iso_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || ISO_SPECIAL.contains(&byte)
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_native() {
            return f.write_str("XAH");
        }
        match self.iso() {
            Some(code) if code != *b"XAH" && code.iter().all(|b| is_iso_char(*b)) => code
                .iter()
                .try_for_each(|byte| write!(f, "{}", char::from(*byte))),
            _ if self.0 == *AccountId::ONE.as_bytes() => f.write_str("1"),
            _ => f.write_str(&hex_upper(&self.0)),
        }
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Amount of XAH in drops (1 XAH = 1,000,000 drops); shown as a plain number of drops.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Drops(u64);

impl Drops {
    /// Drops in one XAH.
    pub const PER_XAH: u64 = 1_000_000;

    /// A number of drops.
    #[must_use]
    pub const fn new(drops: u64) -> Self {
        Drops(drops)
    }

    /// The number of drops.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// As people write it: XAH with up to six decimals, no trailing zeros.
    #[must_use]
    pub fn to_xah(self) -> String {
        let (whole, part) = (self.0 / Self::PER_XAH, self.0 % Self::PER_XAH);
        if part == 0 {
            return whole.to_string();
        }
        format!("{whole}.{part:06}").trim_end_matches('0').to_owned()
    }
}

impl fmt::Display for Drops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A point in ledger time: seconds since 2000-01-01 00:00 UTC, whole seconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CloseTime(u32);

/// Seconds from the Unix epoch to the ledger's.
const EPOCH_OFFSET_SECS: u64 = 946_684_800;

impl CloseTime {
    /// Seconds since 2000-01-01 00:00 UTC.
    #[must_use]
    pub const fn new(seconds: u32) -> Self {
        CloseTime(seconds)
    }

    /// Seconds since 2000-01-01 00:00 UTC.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.0
    }

    /// From Unix seconds; `None` before 2000 or after 2136.
    pub fn from_unix(seconds: u64) -> Option<Self> {
        u32::try_from(seconds.checked_sub(EPOCH_OFFSET_SECS)?)
            .ok()
            .map(CloseTime)
    }

    /// Unix seconds.
    #[must_use]
    pub fn to_unix(self) -> u64 {
        u64::from(self.0).saturating_add(EPOCH_OFFSET_SECS)
    }
}

impl fmt::Display for CloseTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Number of a ledger in the chain, from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LedgerIndex(u32);

impl LedgerIndex {
    /// A ledger's number.
    #[must_use]
    pub const fn new(index: u32) -> Self {
        LedgerIndex(index)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for LedgerIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Addresses: xahau-facts 1.6, 2.7 (recorded from xahaud).
    #[test]
    fn accepts_classic_addresses() {
        assert_eq!(AccountId::ZERO.to_string(), "rrrrrrrrrrrrrrrrrrrrrhoLvTp");
        assert_eq!(AccountId::ONE.to_string(), "rrrrrrrrrrrrrrrrrrrrBZbvji");
        let genesis = AccountId::parse_classic("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh").expect("valid");
        assert_eq!(
            hex::encode_upper(genesis.as_bytes()),
            "B5F762798A53D543A014CAF8B297CFF8F2F937E8"
        );
    }

    #[test]
    fn rejects_changed_addresses() {
        for text in [
            "",
            "r",
            "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTH",
            "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyT",
            "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh ",
            "snoPBrXtMeMyMHUVTgbuqAfg1SUTb",
            "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh\0",
            "0Hb9CJAWyB4rj91VRWn96DkukG4bwdtyTh",
        ] {
            assert_eq!(AccountId::parse_classic(text), Err(AddressError), "{text}");
        }
    }

    #[test]
    fn currency_text_follows_xahaud() {
        assert_eq!(Currency::parse("usd"), Some(Currency::from_iso(*b"USD")));
        assert_eq!(Currency::parse("XAH"), Some(Currency::XAH));
        assert!(Currency::from_iso(*b"xAh").is_bad());
        assert!(!Currency::from_iso(*b"XRP").is_bad());
        assert_eq!(Currency::parse("U D"), None);
        assert_eq!(Currency::parse("USDX"), None);
        assert_eq!(
            Currency::from_iso(*b"XAH").to_string(),
            "0000000000000000000000005841480000000000"
        );
    }

    #[test]
    fn drops_read_as_xah() {
        assert_eq!(Drops::new(1_500_000).to_xah(), "1.5");
        assert_eq!(Drops::new(1).to_xah(), "0.000001");
        assert_eq!(Drops::new(10_000_000).to_xah(), "10");
    }

    #[test]
    fn close_time_is_unix_less_946684800() {
        assert_eq!(
            CloseTime::from_unix(1_794_830_400),
            Some(CloseTime::new(848_145_600))
        );
        assert_eq!(CloseTime::new(848_145_600).to_unix(), 1_794_830_400);
        assert_eq!(CloseTime::from_unix(1), None);
    }
}
