//! The DKIM-Signature field: from a tag list to values that obey the rules. Does not verify anything.
//!
//! Spec: 4.1, 4.3 (count), 4.4, 4.6 (tags), 3.2 (base64). Stricter than RFC 6376 3.5.

use codec::{Hash256, keylet};

use crate::dkim::canon::Canon;
use crate::dkim::key_record::KeyType;
use crate::dkim::tags::TagList;
use crate::dkim::window::Times;
use crate::limits::{DOMAIN_BYTES_MAX, LABEL_BYTES_MAX, SIGNED_HEADERS_MAX, TIMESTAMP_DIGITS_MAX};
use crate::mail::address::is_ldh_domain;
use crate::mail::base64;
use crate::mail::text::trim_fws;
use crate::refusal::Refusal;

/// Hash of a signature. Only SHA-256 obeys rule 4.1; the other is read so that `explain` can say whether a
/// mail is intact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashAlgorithm {
    /// The only one that obeys the rule.
    Sha256,
    /// Of `rsa-sha1`.
    Sha1,
}

/// Algorithm and canonicalisation of a signature, as its tags say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scheme {
    /// Kind of key.
    pub algorithm: KeyType,
    /// Hash of header and body.
    pub hash: HashAlgorithm,
    /// Canonicalisation of the header.
    pub header: Canon,
    /// Canonicalisation of the body.
    pub body: Canon,
}

/// A scheme that obeys rule 4.1, so its hash is SHA-256. Only `check_scheme` makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LegalScheme {
    algorithm: KeyType,
}

impl LegalScheme {
    /// The algorithm of the key.
    pub(crate) fn algorithm(self) -> KeyType {
        self.algorithm
    }
}

/// Name of a key in DNS and on the ledger: selector and domain, lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName {
    domain: String,
    selector: String,
}

impl KeyName {
    /// The name as a ledger spells it: lower case, and a domain of several labels. `None` for all else.
    /// Spec: 7.1
    #[must_use]
    pub fn new(domain: &[u8], selector: &[u8]) -> Option<KeyName> {
        let name = KeyName::of_tags(domain, selector).ok()?;
        let is_lower = name.domain.as_bytes() == domain && name.selector.as_bytes() == selector;
        (is_lower && name.may_stand_on_ledger()).then_some(name)
    }

    /// The name of the tags `d=` and `s=`; upper case is lowered.
    ///
    /// Spec: 4.4. A selector with other characters once changed the URL of a resolver's query.
    pub fn of_tags(domain: &[u8], selector: &[u8]) -> Result<KeyName, Refusal> {
        if !selector.split(|b| *b == b'.').all(is_selector_label) {
            return Err(Refusal::Selector);
        }
        if !is_ldh_domain(domain) {
            return Err(Refusal::SigningDomain);
        }
        let length = selector
            .len()
            .saturating_add(DOMAINKEY.len())
            .saturating_add(domain.len());
        if length > DOMAIN_BYTES_MAX {
            return Err(Refusal::KeyNameTooLong);
        }
        // Both were checked to be ASCII.
        let lower = |name: &[u8]| String::from_utf8_lossy(name).to_ascii_lowercase();
        Ok(KeyName {
            domain: lower(domain),
            selector: lower(selector),
        })
    }

    /// The name of `selector._domainkey.domain`, of any case, with or without a final dot, if a ledger can
    /// hold it.
    #[must_use]
    pub fn parse(dns_name: &str) -> Option<KeyName> {
        let (selector, domain) = dns_name.trim_end_matches('.').split_once(DOMAINKEY)?;
        let name = KeyName::of_tags(domain.as_bytes(), selector.as_bytes()).ok()?;
        name.may_stand_on_ledger().then_some(name)
    }

    /// Whether a ledger can hold the key: its domain has several labels. Spec: 7.1
    #[must_use]
    pub fn may_stand_on_ledger(&self) -> bool {
        self.domain.contains('.')
    }

    /// Index of the key on the ledger. Spec: 7.1
    #[must_use]
    pub fn keylet(&self) -> Hash256 {
        keylet::dkim_key(self.domain.as_bytes(), self.selector.as_bytes())
    }

    /// Index of the domain's directory: a DirectoryNode under the name without a selector. It stays when the
    /// last key goes, and so tells a known domain from a new one. Spec: 7.4
    #[must_use]
    pub fn directory(&self) -> Hash256 {
        keylet::dkim_key(self.domain.as_bytes(), b"")
    }

    /// `s=`, lower case.
    #[must_use]
    pub fn selector(&self) -> &str {
        &self.selector
    }

    /// `d=`, lower case.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// `selector._domainkey.domain`.
    #[must_use]
    pub fn dns_name(&self) -> String {
        format!("{}{DOMAINKEY}{}", self.selector, self.domain)
    }
}

/// `b=` and `bh=`, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proofs {
    /// `b=`.
    pub signature: Vec<u8>,
    /// `bh=`.
    pub body_hash: Vec<u8>,
}

/// `h=` in its order, as received; names compare without case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignedHeaders<'a> {
    pub(crate) names: Vec<&'a [u8]>,
}

const DOMAINKEY: &str = "._domainkey.";
/// Names that `h=` has room for before it grows; real signatures name 5 to 20.
const SIGNED_HEADERS_EXPECTED: usize = 20;
const REQUIRED_TAGS: [&str; 7] = ["v", "a", "b", "bh", "d", "h", "s"];

/// Algorithm and canonicalisation, if both are known; `check_scheme` says whether they are allowed.
pub(crate) fn scheme(tags: &TagList<'_>) -> Option<Scheme> {
    let (algorithm, hash) = match tags.value("a") {
        Some(b"rsa-sha256") => (KeyType::Rsa, HashAlgorithm::Sha256),
        Some(b"ed25519-sha256") => (KeyType::Ed25519, HashAlgorithm::Sha256),
        Some(b"rsa-sha1") => (KeyType::Rsa, HashAlgorithm::Sha1),
        _ => return None,
    };
    let (header, body) = match tags.value("c") {
        None | Some(b"simple" | b"simple/simple") => (Canon::Simple, Canon::Simple),
        Some(b"relaxed" | b"relaxed/simple") => (Canon::Relaxed, Canon::Simple),
        Some(b"simple/relaxed") => (Canon::Simple, Canon::Relaxed),
        Some(b"relaxed/relaxed") => (Canon::Relaxed, Canon::Relaxed),
        Some(_) => return None,
    };
    Some(Scheme {
        algorithm,
        hash,
        header,
        body,
    })
}

/// Version, algorithm, canonicalisation, query method; no `l=`.
///
/// Spec: 4.1. `l=` leaves the end of a body unsigned: anybody could append to it.
pub(crate) fn check_scheme(tags: &TagList<'_>) -> Result<LegalScheme, Refusal> {
    if let Some(missing) = REQUIRED_TAGS.into_iter().find(|name| tags.value(name).is_none()) {
        return Err(Refusal::TagMissing(missing));
    }
    if tags.value("v") != Some(b"1") {
        return Err(Refusal::Version);
    }
    if !matches!(tags.value("a"), Some(b"rsa-sha256" | b"ed25519-sha256")) {
        return Err(Refusal::Algorithm);
    }
    let scheme = scheme(tags).ok_or(Refusal::Canonicalization)?;
    if !matches!(tags.value("q"), None | Some(b"dns/txt")) {
        return Err(Refusal::QueryMethod);
    }
    if tags.value("l").is_some() {
        return Err(Refusal::BodyLength);
    }
    Ok(LegalScheme {
        algorithm: scheme.algorithm,
    })
}

/// The name that `d=` and `s=` make. Spec: 4.4
pub(crate) fn key_name(tags: &TagList<'_>) -> Result<KeyName, Refusal> {
    let domain = tags.value("d").unwrap_or_default();
    let selector = tags.value("s").unwrap_or_default();
    KeyName::of_tags(domain, selector)
}

/// Like an LDH label, and `_` anywhere.
fn is_selector_label(label: &[u8]) -> bool {
    !label.is_empty()
        && label.len() <= LABEL_BYTES_MAX
        && label.first() != Some(&b'-')
        && label.last() != Some(&b'-')
        && label
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// The names in `h=`, at most 64.
///
/// Spec: 4.3.
pub(crate) fn signed_headers<'a>(tags: &TagList<'a>) -> Result<SignedHeaders<'a>, Refusal> {
    let list = tags.value("h").unwrap_or_default();
    let mut names = Vec::with_capacity(SIGNED_HEADERS_EXPECTED);
    for name in list.split(|b| *b == b':') {
        if names.len() >= SIGNED_HEADERS_MAX {
            return Err(Refusal::SignedHeadersTooMany);
        }
        let name = trim_fws(name);
        if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
            return Err(Refusal::SignedHeadersMalformed);
        }
        names.push(name);
    }
    Ok(SignedHeaders { names })
}

/// From and Date are among the names, dkim-signature is not.
///
/// Spec: 4.3, 3.1.
pub(crate) fn check_signed_headers(signed: &SignedHeaders<'_>) -> Result<(), Refusal> {
    let names_it = |wanted: &[u8]| signed.names.iter().any(|name| name.eq_ignore_ascii_case(wanted));
    if names_it(b"dkim-signature") {
        Err(Refusal::SignatureSigned)
    } else if !names_it(b"from") {
        Err(Refusal::NotSigned("From"))
    } else if !names_it(b"date") {
        Err(Refusal::NotSigned("Date"))
    } else {
        Ok(())
    }
}

/// `t=` and `x=`: 1 to 12 digits, `t=` not 0, `x=` after `t=`.
///
/// Spec: 4.6.
pub(crate) fn times(tags: &TagList<'_>) -> Result<Times, Refusal> {
    let read = |name: &str, refusal: Refusal| {
        tags.value(name)
            .map(|text| seconds(text).ok_or(refusal))
            .transpose()
    };
    let timestamp = read("t", Refusal::TimestampMalformed)?;
    let expiry = read("x", Refusal::ExpiryMalformed)?;
    if timestamp == Some(0) {
        return Err(Refusal::TimestampMalformed);
    }
    match (timestamp, expiry) {
        (Some(timestamp), Some(expiry)) if expiry <= timestamp => Err(Refusal::ExpiryNotAfterTimestamp),
        _ => Ok(Times { timestamp, expiry }),
    }
}

fn seconds(text: &[u8]) -> Option<i64> {
    let legal = (1..=TIMESTAMP_DIGITS_MAX).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    if legal {
        std::str::from_utf8(text).ok()?.parse().ok()
    } else {
        None
    }
}

/// `b=` and `bh=` without their white space.
///
/// Spec: 3.2.
pub(crate) fn proofs(tags: &TagList<'_>) -> Result<Proofs, Refusal> {
    let read = |name: &'static str| {
        base64::decode_tag(tags.value(name).unwrap_or_default()).ok_or(Refusal::SignatureBase64(name))
    };
    Ok(Proofs {
        signature: read("b")?,
        body_hash: read("bh")?,
    })
}

/// The domain of `i=`; `None` where there is no `i=`.
///
/// Spec: 4.2. It holds an `@`, and the name after its last `@` is `d=` or a subdomain of it.
pub(crate) fn identity_domain(tags: &TagList<'_>, domain: &str) -> Result<Option<String>, Refusal> {
    let Some(identity) = tags.value("i") else {
        return Ok(None);
    };
    let at = identity
        .iter()
        .rposition(|b| *b == b'@')
        .ok_or(Refusal::IdentityMalformed)?;
    let name = identity.get(at.saturating_add(1)..).unwrap_or_default();
    if !is_ldh_domain(name) {
        return Err(Refusal::IdentityMalformed);
    }
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    let below = name
        .strip_suffix(domain)
        .is_some_and(|head| head.is_empty() || head.ends_with('.'));
    if below {
        Ok(Some(name))
    } else {
        Err(Refusal::IdentityOutside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        "v=1; a=rsa-sha256; c=relaxed/relaxed; d=Mail.Test; s=S1; h=From:To:Date; bh=YQ==; b=Y Q==";

    fn with(change: &str) -> String {
        format!("{GOOD}; {change}")
    }

    fn replaced(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from));
        GOOD.replace(from, to)
    }

    fn tags(text: &str) -> TagList<'_> {
        TagList::parse(text.as_bytes()).expect("a tag list")
    }

    #[test]
    fn accepts_schemes() {
        for text in [
            GOOD.to_owned(),
            with("q=dns/txt"),
            with("z=x; unknown_1=y"),
            replaced("c=relaxed/relaxed; ", ""),
            replaced("rsa-sha256", "ed25519-sha256"),
        ] {
            assert!(check_scheme(&tags(&text)).is_ok(), "{text}");
        }
        let canons = |c: &str| scheme(&tags(&replaced("relaxed/relaxed", c))).map(|s| (s.header, s.body));
        assert_eq!(canons("relaxed"), Some((Canon::Relaxed, Canon::Simple)));
        assert_eq!(canons("simple/relaxed"), Some((Canon::Simple, Canon::Relaxed)));
    }

    #[test]
    fn rejects_schemes() {
        for (text, refusal) in [
            (replaced("v=1; ", ""), Refusal::TagMissing("v")),
            (replaced("a=rsa-sha256; ", ""), Refusal::TagMissing("a")),
            (replaced("; bh=YQ==", ""), Refusal::TagMissing("bh")),
            (replaced("v=1", "v=2"), Refusal::Version),
            (replaced("rsa-sha256", "rsa-sha1"), Refusal::Algorithm),
            (replaced("rsa-sha256", "RSA-SHA256"), Refusal::Algorithm),
            (
                replaced("relaxed/relaxed", "Relaxed/relaxed"),
                Refusal::Canonicalization,
            ),
            (replaced("relaxed/relaxed", "nofws"), Refusal::Canonicalization),
            (with("q=dns"), Refusal::QueryMethod),
            (with("l=10"), Refusal::BodyLength),
            (with("l="), Refusal::BodyLength),
        ] {
            assert_eq!(check_scheme(&tags(&text)), Err(refusal), "{text}");
        }
    }

    #[test]
    fn accepts_key_names_in_any_case() {
        let name = key_name(&tags(GOOD)).expect("legal");
        assert_eq!((name.selector(), name.domain()), ("s1", "mail.test"));
        assert_eq!(name.dns_name(), "s1._domainkey.mail.test");
        for selector in ["_", "a_b", "x.y", "_a.b-c", "1"] {
            assert!(
                key_name(&tags(&replaced("s=S1", &format!("s={selector}")))).is_ok(),
                "{selector}"
            );
        }
    }

    #[test]
    fn accepts_key_names_as_dns_writes_them() {
        let name = KeyName::new(b"mail.test", b"s1.x");
        assert!(name.is_some());
        for text in ["s1.x._domainkey.mail.test", "S1.x._domainkey.Mail.test."] {
            assert_eq!(KeyName::parse(text), name, "{text}");
        }
        for text in [
            "",
            "s1.mail.test",
            "s1._domainkey.test",
            "._domainkey.mail.test",
            "s1._DomainKey.mail.test",
        ] {
            assert_eq!(KeyName::parse(text), None, "{text}");
        }
    }

    #[test]
    fn rejects_names_that_are_no_names() {
        for selector in ["", "a b", "-a", "a-", "a..b", ".a", "a.", "a&name=x", "a/b"] {
            let text = replaced("s=S1", &format!("s={selector}"));
            assert_eq!(key_name(&tags(&text)), Err(Refusal::Selector), "{selector}");
        }
        for domain in [
            "",
            "a_b.test",
            "mail.test.",
            "-a.test",
            "mail .test",
            "mail'.test",
        ] {
            let text = replaced("d=Mail.Test", &format!("d={domain}"));
            assert_eq!(key_name(&tags(&text)), Err(Refusal::SigningDomain), "{domain}");
        }
        let label = "a".repeat(63);
        let long = [label.as_str(); 3].join(".");
        let fits = format!("s={}", [long.as_str(), &"a".repeat(253 - 191 - 1 - 21)].join("."));
        assert!(key_name(&tags(&replaced("s=S1", &fits))).is_ok());
        assert_eq!(
            key_name(&tags(&replaced("s=S1", &format!("{fits}a")))),
            Err(Refusal::KeyNameTooLong)
        );
        assert_eq!(
            key_name(&tags(&replaced("s=S1", &format!("s={label}a")))),
            Err(Refusal::Selector)
        );
    }

    #[test]
    fn accepts_64_signed_headers_and_rejects_65() {
        let list = |n: usize| replaced("h=From:To:Date", &format!("h=From : Date{}", ":X".repeat(n - 2)));
        assert_eq!(signed_headers(&tags(&list(64))).map(|h| h.names.len()), Ok(64));
        assert_eq!(
            signed_headers(&tags(&list(65))),
            Err(Refusal::SignedHeadersTooMany)
        );
        assert_eq!(
            signed_headers(&tags(&list(1_000))),
            Err(Refusal::SignedHeadersTooMany)
        );
    }

    #[test]
    fn rejects_signed_headers_without_from_or_date_or_with_signatures() {
        for (list, refusal) in [
            ("To:Date", Refusal::NotSigned("From")),
            ("From:To", Refusal::NotSigned("Date")),
            ("", Refusal::SignedHeadersMalformed),
            ("From::Date", Refusal::SignedHeadersMalformed),
            ("From:Date:", Refusal::SignedHeadersMalformed),
            ("From:Da te", Refusal::SignedHeadersMalformed),
            ("From:Date:DKIM-Signature", Refusal::SignatureSigned),
        ] {
            let text = replaced("From:To:Date", list);
            let checked = signed_headers(&tags(&text)).and_then(|signed| check_signed_headers(&signed));
            assert_eq!(checked, Err(refusal), "{list}");
        }
    }

    #[test]
    fn accepts_and_rejects_times() {
        let read = |text: &str| times(&tags(&with(text)));
        assert_eq!(
            times(&tags(GOOD)),
            Ok(Times {
                timestamp: None,
                expiry: None
            })
        );
        assert_eq!(
            read("t=999999999999"),
            Ok(Times {
                timestamp: Some(999_999_999_999),
                expiry: None
            })
        );
        assert_eq!(
            read("t=1; x=2"),
            Ok(Times {
                timestamp: Some(1),
                expiry: Some(2)
            })
        );
        for (text, refusal) in [
            ("t=0", Refusal::TimestampMalformed),
            ("t=", Refusal::TimestampMalformed),
            ("t=-1", Refusal::TimestampMalformed),
            ("t=1 2", Refusal::TimestampMalformed),
            ("t=1000000000000", Refusal::TimestampMalformed),
            ("x=1000000000000", Refusal::ExpiryMalformed),
            ("x=never", Refusal::ExpiryMalformed),
            ("t=2; x=2", Refusal::ExpiryNotAfterTimestamp),
            ("t=2; x=1", Refusal::ExpiryNotAfterTimestamp),
        ] {
            assert_eq!(read(text), Err(refusal), "{text}");
        }
    }

    #[test]
    fn accepts_and_rejects_base64() {
        assert_eq!(
            proofs(&tags(GOOD)),
            Ok(Proofs {
                signature: b"a".to_vec(),
                body_hash: b"a".to_vec()
            })
        );
        assert_eq!(
            proofs(&tags(&replaced("bh=YQ==", "bh=YR=="))),
            Err(Refusal::SignatureBase64("bh"))
        );
        assert_eq!(
            proofs(&tags(&replaced("b=Y Q==", "b=YQ"))),
            Err(Refusal::SignatureBase64("b"))
        );
        assert_eq!(
            proofs(&tags(&replaced("b=Y Q==", "b=YQ==*"))),
            Err(Refusal::SignatureBase64("b"))
        );
    }

    #[test]
    fn accepts_and_rejects_identities() {
        let read = |text: &str| identity_domain(&tags(&with(text)), "mail.test");
        assert_eq!(identity_domain(&tags(GOOD), "mail.test"), Ok(None));
        assert_eq!(read("i=@Mail.Test"), Ok(Some("mail.test".to_owned())));
        assert_eq!(read("i=a@b@x.mail.test"), Ok(Some("x.mail.test".to_owned())));
        for (text, refusal) in [
            ("i=mail.test", Refusal::IdentityMalformed),
            ("i=", Refusal::IdentityMalformed),
            ("i=@", Refusal::IdentityMalformed),
            ("i=@mail_.test", Refusal::IdentityMalformed),
            ("i=@evilmail.test", Refusal::IdentityOutside),
            ("i=@test", Refusal::IdentityOutside),
            ("i=@mail.test.org", Refusal::IdentityOutside),
        ] {
            assert_eq!(read(text), Err(refusal), "{text}");
        }
    }
}
