//! Indexes of ledger entries: half(u16 of a letter, arguments) (xahaud Indexes.cpp).

use crate::hash::{Hash256, sha512_half, sha512_half_after};
use crate::types::{AccountId, Currency, LedgerIndex};

fn keylet(letter: u8, args: &[&[u8]]) -> Hash256 {
    sha512_half_after(&[0, letter], args)
}

/// AccountRoot.
#[must_use]
pub fn account(id: AccountId) -> Hash256 {
    keylet(b'a', &[id.as_bytes()])
}

/// First page of an owner's directory.
#[must_use]
pub fn owner_dir(id: AccountId) -> Hash256 {
    keylet(b'O', &[id.as_bytes()])
}

/// Page of a directory; page 0 is the root itself.
#[must_use]
pub fn dir_page(root: Hash256, page: u64) -> Hash256 {
    if page == 0 {
        return root;
    }
    keylet(b'd', &[root.as_bytes(), &page.to_be_bytes()])
}

/// Trust line between two accounts; the order of the two does not matter.
#[must_use]
pub fn line(a: AccountId, b: AccountId, currency: Currency) -> Hash256 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    keylet(b'r', &[low.as_bytes(), high.as_bytes(), currency.as_bytes()])
}

/// Ticket of an account.
#[must_use]
pub fn ticket(id: AccountId, ticket_sequence: u32) -> Hash256 {
    keylet(b'T', &[id.as_bytes(), &ticket_sequence.to_be_bytes()])
}

/// Signer list of an account.
#[must_use]
pub fn signer_list(id: AccountId) -> Hash256 {
    keylet(b'S', &[id.as_bytes(), &0u32.to_be_bytes()])
}

/// Preauthorisation that `owner` gave to `authorized`.
#[must_use]
pub fn deposit_preauth(owner: AccountId, authorized: AccountId) -> Hash256 {
    keylet(b'p', &[owner.as_bytes(), authorized.as_bytes()])
}

/// URI token.
#[must_use]
pub fn uri_token(issuer: AccountId, uri: &[u8]) -> Hash256 {
    keylet(b'U', &[issuer.as_bytes(), uri])
}

/// Amendments.
#[must_use]
pub fn amendments() -> Hash256 {
    keylet(b'f', &[])
}

/// FeeSettings.
#[must_use]
pub fn fees() -> Hash256 {
    keylet(b'e', &[])
}

/// NegativeUNL.
#[must_use]
pub fn negative_unl() -> Hash256 {
    keylet(b'N', &[])
}

/// UNLReport: the validators, as the ledger knows them.
#[must_use]
pub fn unl_report() -> Hash256 {
    keylet(b'R', &[])
}

/// LedgerHashes of the last 256 ledgers.
#[must_use]
pub fn skip() -> Hash256 {
    keylet(b's', &[])
}

/// LedgerHashes of every 256th ledger, for the 65,536 ledgers around `index`.
#[must_use]
pub fn skip_for(index: LedgerIndex) -> Hash256 {
    keylet(b's', &[&(index.get() >> 16).to_be_bytes()])
}

/// DKIMKey of a domain and selector, both lower case: half('k', SHA512Half(domain, 00, selector)). Spec: 1
#[must_use]
pub fn dkim_key(domain: &[u8], selector: &[u8]) -> Hash256 {
    keylet(b'k', &[sha512_half(&[domain, &[0], selector]).as_bytes()])
}

/// DKIMLeak of a key, by its hash (`amendment::key_record::KeyRecord::hash`). Spec: 1
#[must_use]
pub fn dkim_leak(key_hash: &Hash256) -> Hash256 {
    keylet(b'z', &[key_hash.as_bytes()])
}

/// ValidatorVotes: what each validator wants. Spec: 1, 15.2
#[must_use]
pub fn validator_votes() -> Hash256 {
    keylet(b'W', &[])
}

/// DKIMFreeze of a domain, lower case: half('j', SHA512Half(domain)). Spec: 1
#[must_use]
pub fn dkim_freeze(domain: &[u8]) -> Hash256 {
    keylet(b'j', &[sha512_half(&[domain]).as_bytes()])
}

/// EmailReplay of an account. Spec: 1
#[must_use]
pub fn email_replay(id: AccountId) -> Hash256 {
    keylet(b'y', &[id.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn genesis() -> AccountId {
        AccountId::parse_classic("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh").expect("valid")
    }

    // Values: xahau-facts 2.4 and 12; the account, amendments, fees and skip indexes are those of public
    // networks.
    #[test]
    fn accepts_known_indexes() {
        let rows = [
            (
                account(genesis()),
                "2B6AC232AA4C4BE41BF49D2459FA4A0347E1B543A4C92FCEE0821C0201E2E9A8",
            ),
            (
                owner_dir(genesis()),
                "D8120FC732737A2CF2E9968FDF3797A43B457F2A81AA06D2653171A1EA635204",
            ),
            (
                dir_page(owner_dir(genesis()), 1),
                "B001E91B2C4405A56F0BD0F6770A0B3230832C472667DFE9754933CA7F49A4F7",
            ),
            (
                signer_list(genesis()),
                "778365D5180F5DF3016817D1F318527AD7410D83F8636CF48C43E8AF72AB49BF",
            ),
            (
                ticket(genesis(), 7),
                "38EF979A371455DF7B79A56CFB7F6840741BD83A26E07708C8964D9606909CA4",
            ),
            (
                amendments(),
                "7DB0788C020F02780A673DC74757F23823FA3014C1866E72CC4CD8B226CD6EF4",
            ),
            (
                fees(),
                "4BC50C9B0D8515D3EAAE1E74B29A95804346C491EE1A95BF25E4AAB854A6A651",
            ),
            (
                negative_unl(),
                "2E8A59AA9D3B5B186B0B9E0F62E6C02587CA74A4D778938E957B6357D364B244",
            ),
            (
                unl_report(),
                "61E32E7A24A238F1C619D5F9DDCC41A94B33B66C0163F7EFCC8A19C9FD6F28DC",
            ),
            (
                skip(),
                "B4979A36CDC7F3D3D5C31A4EAE2AC7D7209DDA877588B9AFC66799692AB0D66B",
            ),
            // By Python's hashlib from the text of spec 1.
            (
                dkim_freeze(b"mail.example"),
                "47884B2AE06E10DBA21A355EA40A6C6A0054775B49E084DA42E765CFDF3B7912",
            ),
        ];
        for (index, expected) in rows {
            assert_eq!(index.to_string(), expected);
        }
    }

    #[test]
    fn line_does_not_depend_on_order() {
        let usd = Currency::from_iso(*b"USD");
        assert_eq!(
            line(genesis(), AccountId::ONE, usd),
            line(AccountId::ONE, genesis(), usd)
        );
    }
}
