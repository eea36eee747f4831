//! From an email address to an account. Knows header values and address texts, nothing of signatures or
//! ledgers.
//!
//! Spec: 2. Leaves RFC 5322 wherever programs disagree about what an address is: no groups, routes, quoted
//! local parts, domain literals, no comment but one after a bare address.

use std::fmt;

use codec::AccountId;
use thiserror::Error;

use crate::limits::{DOMAIN_BYTES_MAX, LABEL_BYTES_MAX, LOCAL_PART_BYTES_MAX};
use crate::mail::text::{is_atext, is_wsp, split_at_byte, trim_wsp, unfold};
use crate::rule::Rule;

/// Why a text is not an address that can own or receive. Spec: 2.1, 2.2, 2.4 as each variant says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AddressError {
    /// No address at all. Spec: 2.1.
    #[error("there is no address")]
    Empty,
    /// No `@`. Spec: 2.1.
    #[error("it has no @")]
    NoAt,
    /// A second `@`, so that two programs may read two addresses. Spec: 2.1.
    #[error("it has a second @")]
    SecondAt,
    /// A byte outside ASCII, where no quotes stand around it. Spec: 2.1.
    #[error("it is not plain ASCII")]
    NonAscii,
    /// More than one mailbox. Spec: 2.1.
    #[error("it holds a list of mailboxes")]
    List,
    /// Group syntax. Spec: 2.1.
    #[error("it is a group")]
    Group,
    /// Route syntax. Spec: 2.1.
    #[error("it is a route")]
    Route,
    /// A local part in quotes. Spec: 2.1.
    #[error("its local part is quoted")]
    QuotedLocal,
    /// An IP address or other literal for a domain. Spec: 2.1.
    #[error("its domain is a literal in square brackets")]
    DomainLiteral,
    /// White space in an address. Spec: 2.1.
    #[error("there is white space inside the address")]
    Space,
    /// A comment other than one, without parentheses and `@`, after a bare address. Spec: 2.1.
    #[error("it has a comment where none is allowed")]
    Comment,
    /// A character that no display name may hold unquoted. Spec: 2.1.
    #[error("its display name is malformed")]
    Phrase,
    /// An angle bracket or a quotation mark that is not closed. Spec: 2.1.
    #[error("an angle bracket or a quotation mark is not closed")]
    Unclosed,
    /// Something after the closing angle bracket. Spec: 2.1.
    #[error("there is text after the address")]
    TextAfter,
    /// A local part with other than atext and dots, or none. Spec: 2.1.
    #[error("the part before the @ holds a character that is not allowed, or nothing")]
    Local,
    /// A dot at an end of the local part. Spec: 2.1.
    #[error("the part before the @ begins or ends with a dot")]
    LocalDot,
    /// A local part over 64 bytes. Spec: 2.1.
    #[error("the part before the @ is longer than 64 characters")]
    LocalTooLong,
    /// Not LDH labels, or over 253 bytes. Spec: 2.1.
    #[error("the part after the @ is not a domain name")]
    Domain,
    /// A domain of one label. Spec: 2.1.
    #[error("the domain has no dot")]
    OneLabel,
    /// Nothing is left before the first `+`. Spec: 2.2.
    #[error("there is nothing before the +")]
    EmptyLocal,
    /// What stands before the first `+` ends with a dot. Spec: 2.2.
    #[error("what stands before the + ends with a dot")]
    DotBeforePlus,
    /// A `+` in a domain where that can be another person. Spec: 2.2.
    #[error("it may hold + only in domains that document it as a tag")]
    PlusNoTag,
    /// Begins like an account or an X-address, but is no account as it is written. Spec: 2.4.
    #[error("it looks like an account, but no account is written so")]
    AccountLike,
    /// Looks like a classic address, but its check digits do not match. Spec: 2.4.
    #[error("it looks like an account, but its check digits do not match")]
    ClassicChecksum,
    /// A classic address with something other than `+` and a number up to 4294967295 behind it. Spec: 2.4.
    #[error("the account is followed by something other than + and a tag number")]
    ClassicSuffix,
    /// Account zero or account one. Spec: 2.4.
    #[error("this account belongs to nobody")]
    NobodysAccount,
}

impl AddressError {
    /// The number of the rule.
    #[must_use]
    pub fn rule(self) -> Rule {
        match self {
            AddressError::EmptyLocal | AddressError::DotBeforePlus | AddressError::PlusNoTag => Rule::R2_2,
            AddressError::AccountLike
            | AddressError::ClassicChecksum
            | AddressError::ClassicSuffix
            | AddressError::NobodysAccount => Rule::R2_4,
            AddressError::Empty
            | AddressError::NoAt
            | AddressError::SecondAt
            | AddressError::NonAscii
            | AddressError::List
            | AddressError::Group
            | AddressError::Route
            | AddressError::QuotedLocal
            | AddressError::DomainLiteral
            | AddressError::Space
            | AddressError::Comment
            | AddressError::Phrase
            | AddressError::Unclosed
            | AddressError::TextAfter
            | AddressError::Local
            | AddressError::LocalDot
            | AddressError::LocalTooLong
            | AddressError::Domain
            | AddressError::OneLabel => Rule::R2_1,
        }
    }
}

/// `local@domain` as written, checked by rule 2.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address<'a> {
    local: &'a str,
    domain: &'a str,
}

impl<'a> Address<'a> {
    /// A bare `local@domain`.
    ///
    /// Spec: 2.1.
    pub fn parse(text: &'a [u8]) -> Result<Address<'a>, AddressError> {
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        let text = std::str::from_utf8(text).map_err(|_| AddressError::NonAscii)?;
        if !text.is_ascii() {
            return Err(AddressError::NonAscii);
        }
        if text.starts_with('"') {
            return Err(AddressError::QuotedLocal);
        }
        if text.starts_with('@') && text.contains(':') {
            return Err(AddressError::Route);
        }
        if text.bytes().any(is_wsp) {
            return Err(AddressError::Space);
        }
        let (local, domain) = text.split_once('@').ok_or(AddressError::NoAt)?;
        if domain.bytes().any(|b| b == b'@') {
            return Err(AddressError::SecondAt);
        }
        check_local(local)?;
        if domain.starts_with('[') {
            return Err(AddressError::DomainLiteral);
        }
        if !is_ldh_domain(domain.as_bytes()) {
            return Err(AddressError::Domain);
        }
        if !domain.bytes().any(|b| b == b'.') {
            return Err(AddressError::OneLabel);
        }
        Ok(Address { local, domain })
    }

    /// The domain as written.
    #[must_use]
    pub fn domain(&self) -> &'a str {
        self.domain
    }

    /// The local part as written.
    #[must_use]
    pub fn local(&self) -> &'a str {
        self.local
    }
}

fn check_local(local: &str) -> Result<(), AddressError> {
    if local.bytes().any(|b| b == b'(') {
        Err(AddressError::Comment)
    } else if local.is_empty() || !local.bytes().all(|b| is_atext(b) || b == b'.') {
        Err(AddressError::Local)
    } else if local.starts_with('.') || local.ends_with('.') {
        Err(AddressError::LocalDot)
    } else if local.len() > LOCAL_PART_BYTES_MAX {
        Err(AddressError::LocalTooLong)
    } else {
        Ok(())
    }
}

/// Letters, digits and inner hyphens in each label.
pub(crate) fn is_ldh_domain(domain: &[u8]) -> bool {
    domain.len() <= DOMAIN_BYTES_MAX && domain.split(|b| *b == b'.').all(is_ldh_label)
}

fn is_ldh_label(label: &[u8]) -> bool {
    !label.is_empty()
        && label.len() <= LABEL_BYTES_MAX
        && label.first() != Some(&b'-')
        && label.last() != Some(&b'-')
        && label.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
}

/// An address in the one form that makes an account: lower case, no tag, at gmail no dots.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CanonicalAddress {
    text: String,
    account: AccountId,
}

/// Domains that delete dots of a local part. Spec: 2.2.
const DOTLESS_DOMAINS: [&str; 2] = ["gmail.com", "googlemail.com"];
/// Domains that document `+` as a tag of the same mailbox. Spec: 2.2.
const TAG_DOMAINS: [&str; 13] = [
    "gmail.com",
    "googlemail.com",
    "outlook.com",
    "hotmail.com",
    "live.com",
    "msn.com",
    "icloud.com",
    "me.com",
    "mac.com",
    "fastmail.com",
    "proton.me",
    "protonmail.com",
    "pm.me",
];

fn is_one_of(domains: &[&str], domain: &str) -> bool {
    domains.iter().any(|known| known.eq_ignore_ascii_case(domain))
}

impl CanonicalAddress {
    /// Lower case; the local part cut at its first `+`, where that is a tag; without dots at gmail. Nothing
    /// else is trimmed. Account zero and account one are refused, though no address is known that makes them.
    ///
    /// Spec: 2.2, 2.4. A `+` outside the domains that document it as a tag is refused: `victim+x` can be
    /// another person.
    fn of(address: &Address<'_>) -> Result<CanonicalAddress, AddressError> {
        let kept = address.local.split('+').next().unwrap_or_default();
        if kept != address.local && !is_one_of(&TAG_DOMAINS, address.domain) {
            return Err(AddressError::PlusNoTag);
        }
        if kept.ends_with('.') {
            return Err(AddressError::DotBeforePlus);
        }
        let keeps_dots = !is_one_of(&DOTLESS_DOMAINS, address.domain);
        let length = kept.len().saturating_add(1).saturating_add(address.domain.len());
        let mut text = String::with_capacity(length);
        if keeps_dots {
            text.push_str(kept);
        } else {
            text.extend(kept.chars().filter(|c| *c != '.'));
        }
        if text.is_empty() {
            return Err(AddressError::EmptyLocal);
        }
        text.push('@');
        text.push_str(address.domain);
        text.make_ascii_lowercase();
        let account = hashed(&text);
        check_somebody(account)?;
        Ok(CanonicalAddress { text, account })
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands behind the `@`.
    pub(crate) fn domain(&self) -> &str {
        let at = self.text.bytes().position(|b| b == b'@');
        let start = at.map_or(self.text.len(), |at| at.saturating_add(1));
        self.text.get(start..).unwrap_or_default()
    }

    /// Its account.
    ///
    /// Spec: 2.3.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// How its owner is paid: by the address, or by the account where rule 2.4 reads a name like this one as a
    /// mistyped account.
    ///
    /// Spec: 2.4.
    #[must_use]
    pub fn to_recipient(&self) -> Recipient {
        match parse_recipient(&self.text) {
            Ok(recipient) if recipient.account() == self.account => recipient,
            Ok(_) | Err(_) => Recipient::Chain {
                account: self.account,
                tag: None,
            },
        }
    }
}

/// First 20 bytes of SHA-512( EE EE FF FF || SHA-512(canonical address) ).
///
/// Spec: 2.3.
fn hashed(canonical: &str) -> AccountId {
    let inner = codec::hash::sha512(&[canonical.as_bytes()]);
    let outer = codec::hash::sha512(&[&ACCOUNT_PREFIX, &inner]);
    let mut id = [0; 20];
    for (to, from) in id.iter_mut().zip(outer) {
        *to = from;
    }
    AccountId::new(id)
}

/// What stands before the hashed address, so that no key and no other use of SHA-512 makes the same account.
/// Spec: 2.3.
const ACCOUNT_PREFIX: [u8; 4] = [0xEE, 0xEE, 0xFF, 0xFF];

impl fmt::Display for CanonicalAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Account of a canonical address.
///
/// Spec: 2.3.
#[must_use]
pub fn account_of(address: &CanonicalAddress) -> AccountId {
    address.account()
}

/// Who is paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// The account of an email address.
    Mailbox {
        /// The canonical address.
        address: CanonicalAddress,
        /// Its account.
        account: AccountId,
    },
    /// An account named by its classic address.
    Chain {
        /// The account.
        account: AccountId,
        /// DestinationTag.
        tag: Option<u32>,
    },
}

impl Recipient {
    /// The account that is paid.
    #[must_use]
    pub fn account(&self) -> AccountId {
        match self {
            Recipient::Mailbox { account, .. } | Recipient::Chain { account, .. } => *account,
        }
    }

    /// The DestinationTag.
    #[must_use]
    pub fn tag(&self) -> Option<u32> {
        match self {
            Recipient::Mailbox { .. } => None,
            Recipient::Chain { tag, .. } => *tag,
        }
    }

    /// The canonical email address, if the recipient was named by one.
    #[must_use]
    pub fn address(&self) -> Option<&CanonicalAddress> {
        match self {
            Recipient::Mailbox { address, .. } => Some(address),
            Recipient::Chain { .. } => None,
        }
    }
}

/// The sender's canonical address.
///
/// Spec: 2.1, 2.2.
pub fn sender_of(address: &Address<'_>) -> Result<CanonicalAddress, AddressError> {
    CanonicalAddress::of(address)
}

/// The recipient that an address names. What begins like an account is one or is refused; it is never hashed
/// as a name.
///
/// Spec: 2.4. Recipients only: else the owner of a lookalike mailbox could sign for someone's account.
pub fn recipient_of(address: &Address<'_>) -> Result<Recipient, AddressError> {
    let local = address.local;
    if is_account_like(local) {
        let head = local.split('+').next().unwrap_or_default();
        return if looks_classic(head.as_bytes()) {
            classic_with_tag(local)
        } else {
            Err(AddressError::AccountLike)
        };
    }
    let canonical = CanonicalAddress::of(address)?;
    let account = canonical.account();
    Ok(Recipient::Mailbox {
        address: canonical,
        account,
    })
}

/// Letters and digits behind the first letter from which on a local part is meant as a classic address or an
/// X-address, in whatever letter case. Spec: 2.4.
const ACCOUNT_LIKE_MIN: usize = 24;
/// The same of an X-address of a test network: all have 46. Spec: 2.4.
const TEST_ACCOUNT_LIKE_MIN: usize = 40;

/// Whether a local part begins like an account.
///
/// Spec: 2.4.
fn is_account_like(local: &str) -> bool {
    let run = local.bytes().take_while(u8::is_ascii_alphanumeric).count();
    match local.as_bytes().first() {
        Some(b'r' | b'R' | b'x' | b'X') => run > ACCOUNT_LIKE_MIN,
        Some(b't' | b'T') => run > TEST_ACCOUNT_LIKE_MIN,
        Some(_) | None => false,
    }
}

/// A sender's address as a person types it.
///
/// Spec: 2.1, 2.2.
///
/// ```
/// use amendment::address::parse_sender;
///
/// let alice = parse_sender("Alice@Example.com")?;
/// assert_eq!(alice.as_str(), "alice@example.com");
/// # Ok::<(), amendment::address::AddressError>(())
/// ```
pub fn parse_sender(text: &str) -> Result<CanonicalAddress, AddressError> {
    sender_of(&Address::parse(text.as_bytes())?)
}

/// A recipient as a person types it: an address, or a classic address with or without `+tag`.
///
/// Spec: 2.1, 2.2, 2.4.
pub fn parse_recipient(text: &str) -> Result<Recipient, AddressError> {
    if text.contains('@') {
        recipient_of(&Address::parse(text.as_bytes())?)
    } else {
        classic_with_tag(text)
    }
}

/// `classic-address ["+" number]`.
///
/// Spec: 2.4, 5.
pub(crate) fn classic_with_tag(text: &str) -> Result<Recipient, AddressError> {
    match text.split_once('+') {
        Some((head, tag)) => {
            let account = classic_account(head)?;
            Ok(Recipient::Chain {
                account,
                tag: Some(parse_tag(tag)?),
            })
        }
        None => Ok(Recipient::Chain {
            account: classic_account(text)?,
            tag: None,
        }),
    }
}

/// A classic address that is neither account zero nor account one.
///
/// Spec: 2.4.
pub(crate) fn classic_account(text: &str) -> Result<AccountId, AddressError> {
    let account = AccountId::parse_classic(text).map_err(|_| AddressError::ClassicChecksum)?;
    check_somebody(account)?;
    Ok(account)
}

fn check_somebody(account: AccountId) -> Result<(), AddressError> {
    if account == AccountId::ZERO || account == AccountId::ONE {
        Err(AddressError::NobodysAccount)
    } else {
        Ok(())
    }
}

/// `r` and 24 to 34 characters of Xahau's base58 alphabet: what is meant as an account and must not be hashed
/// as a name.
///
/// Spec: 2.4.
pub(crate) fn looks_classic(text: &[u8]) -> bool {
    let in_alphabet = |b: &u8| b.is_ascii_alphanumeric() && !matches!(b, b'0' | b'O' | b'I' | b'l');
    text.strip_prefix(b"r")
        .is_some_and(|rest| (24..=34).contains(&rest.len()) && rest.iter().all(in_alphabet))
}

fn parse_tag(text: &str) -> Result<u32, AddressError> {
    canonical_u32(text).ok_or(AddressError::ClassicSuffix)
}

/// Decimal digits without leading zeros, within 32 bits.
pub(crate) fn canonical_u32(text: &str) -> Option<u32> {
    let canonical = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if canonical { text.parse().ok() } else { None }
}

/// The one mailbox of a From or To value: `addr`, `phrase <addr>` or `addr (comment)`.
///
/// Spec: 2.1. Mail programs show the display name, servers sign the line, and what counts as the address
/// differs between parsers: everything on which two of them could disagree is refused.
pub(crate) fn mailbox<T>(
    value: &[u8],
    read: impl FnOnce(Address<'_>) -> Result<T, AddressError>,
) -> Result<T, AddressError> {
    let value = unfold(value);
    let value = trim_wsp(&value);
    if value.is_empty() {
        return Err(AddressError::Empty);
    }
    let has_angle = || value.contains(&b'<');
    // No bare address ends like that, so most mails need not be tried as one.
    if value.last() == Some(&b'>') && has_angle() {
        return read(after_phrase(value)?);
    }
    match bare_address(value) {
        Ok(address) => read(address),
        Err(_) if has_angle() => read(after_phrase(value)?),
        Err(error) => Err(error),
    }
}

fn bare_address(value: &[u8]) -> Result<Address<'_>, AddressError> {
    let end = value
        .iter()
        .position(|b| is_wsp(*b) || *b == b'(')
        .unwrap_or(value.len());
    let (text, rest) = value.split_at_checked(end).unwrap_or((value, b""));
    let is_apart = rest.first().is_none_or(|byte| is_wsp(*byte));
    let rest = trim_wsp(rest);
    let address = Address::parse(text).map_err(|error| refine(error, value))?;
    if rest.is_empty() {
        return Ok(address);
    }
    // The one form with a comment is `addr (comment)`: a comment that touches the address is read in several
    // ways.
    if !is_apart {
        return Err(refine(AddressError::Comment, value));
    }
    let inner = rest
        .strip_prefix(b"(")
        .and_then(|r| r.strip_suffix(b")"))
        .ok_or(refine(AddressError::Space, value))?;
    let legal = |b: &u8| (b.is_ascii_graphic() && !matches!(b, b'(' | b')' | b'@')) || is_wsp(*b);
    if inner.iter().all(legal) {
        Ok(address)
    } else {
        Err(AddressError::Comment)
    }
}

/// The reason that helps a reader most, for a value that is no bare address.
fn refine(error: AddressError, value: &[u8]) -> AddressError {
    match error {
        AddressError::QuotedLocal | AddressError::Route => error,
        _ if value.contains(&b',') => AddressError::List,
        _ if value.contains(&b':') || value.contains(&b';') => AddressError::Group,
        AddressError::Empty => AddressError::Comment,
        AddressError::NoAt if value.contains(&b'@') => AddressError::Space,
        // Any other reason stands as it is.
        _ => error,
    }
}

/// The address in angle brackets after a display name.
fn after_phrase(value: &[u8]) -> Result<Address<'_>, AddressError> {
    let open = phrase_end(value)?;
    let rest = value.get(open.saturating_add(1)..).unwrap_or_default();
    let (inner, tail) = split_at_byte(rest, b'>').ok_or(AddressError::Unclosed)?;
    let tail = trim_wsp(tail);
    if tail.contains(&b',') {
        return Err(AddressError::List);
    }
    if !tail.is_empty() {
        return Err(AddressError::TextAfter);
    }
    Address::parse(inner)
}

/// Position of the `<` that ends the display name: atoms with dots, encoded words, quoted strings with quoted
/// pairs.
fn phrase_end(value: &[u8]) -> Result<usize, AddressError> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in value.iter().copied().enumerate() {
        if escaped {
            if byte < b' ' && byte != b'\t' || byte == 0x7F {
                return Err(AddressError::Phrase);
            }
            escaped = false;
            continue;
        }
        if quoted {
            match byte {
                b'"' => quoted = false,
                b'\\' => escaped = true,
                b'\t' | b' '..=b'~' | 0x80.. => {}
                _ => return Err(AddressError::Phrase),
            }
            continue;
        }
        match byte {
            b'<' => return Ok(at),
            b'"' => quoted = true,
            b',' => return Err(AddressError::List),
            b':' | b';' => return Err(AddressError::Group),
            b'@' => return Err(AddressError::SecondAt),
            b'(' | b')' => return Err(AddressError::Comment),
            0x80.. => return Err(AddressError::NonAscii),
            _ if is_atext(byte) || byte == b'.' || is_wsp(byte) => {}
            _ => return Err(AddressError::Phrase),
        }
    }
    Err(AddressError::Unclosed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(value: &str) -> Result<String, AddressError> {
        mailbox(value.as_bytes(), |address| sender_of(&address))
            .map(|canonical| canonical.as_str().to_owned())
    }

    #[test]
    fn accepts_the_three_forms_of_a_mailbox() {
        for value in [
            "alice@mail.test",
            " Alice@MAIL.test ",
            "<alice@mail.test>",
            "Alice <alice@mail.test>",
            "Alice<alice@mail.test> ",
            "A. B. C <alice@mail.test>",
            "\"Doe, A. @ home \\\" <x@y.z>\" <alice@mail.test>",
            "\"J\u{f6}rg\" <alice@mail.test>",
            "=?utf-8?q?J=C3=B6rg?= =?utf-8?B?w7Y=?= <alice@mail.test>",
            "alice@mail.test (Alice, at <home>)",
            "Alice\r\n <alice@mail.test>",
        ] {
            assert_eq!(header(value).as_deref(), Ok("alice@mail.test"), "{value}");
        }
    }

    #[test]
    fn rejects_every_other_form_with_its_reason() {
        for (value, error) in [
            ("", AddressError::Empty),
            ("Alice", AddressError::NoAt),
            ("a@b.c, d@e.f", AddressError::List),
            ("A <a@b.c>, D <d@e.f>", AddressError::List),
            ("a@b.c,", AddressError::List),
            ("friends: a@b.c;", AddressError::Group),
            ("friends:;", AddressError::Group),
            ("<@x.y:a@b.c>", AddressError::Route),
            ("A < a@b.c>", AddressError::Space),
            ("A <a@b.c >", AddressError::Space),
            ("A <a@b.c> x", AddressError::TextAfter),
            ("A <a@b.c> <d@e.f>", AddressError::TextAfter),
            ("A <a@b.c> (x)", AddressError::TextAfter),
            ("d@e.f <a@b.c>", AddressError::SecondAt),
            ("a@b.c@d.e", AddressError::SecondAt),
            ("A <a@b.c@d.e>", AddressError::SecondAt),
            ("\"a b\"@b.c", AddressError::QuotedLocal),
            ("A <\"a\"@b.c>", AddressError::QuotedLocal),
            ("a@[1.2.3.4]", AddressError::DomainLiteral),
            ("(x) a@b.c", AddressError::Comment),
            ("a@b.c (x (y))", AddressError::Comment),
            ("a@b.c (d@e.f)", AddressError::Comment),
            ("a@b.c(x)", AddressError::Comment),
            ("A (x) <a@b.c>", AddressError::Comment),
            ("J\u{f6}rg <a@b.c>", AddressError::NonAscii),
            ("\u{430}@b.c", AddressError::NonAscii),
            ("a@b.c (\u{f6})", AddressError::Comment),
            ("\"A <a@b.c>", AddressError::Unclosed),
            ("A <a@b.c", AddressError::Unclosed),
            ("A\u{0} <a@b.c>", AddressError::Phrase),
            ("a..@b.c", AddressError::LocalDot),
            ("a@b_c.d", AddressError::Domain),
            ("a@b.c.", AddressError::Domain),
            ("a@-b.c", AddressError::Domain),
            ("a@localhost", AddressError::OneLabel),
            ("a+b@example.org", AddressError::PlusNoTag),
            ("+b@gmail.com", AddressError::EmptyLocal),
            ("a.+b@gmail.com", AddressError::DotBeforePlus),
            ("a.+b@outlook.com", AddressError::DotBeforePlus),
        ] {
            assert_eq!(header(value), Err(error), "{value}");
        }
    }

    const CLASSIC: &str = "rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5o";

    #[test]
    fn accepts_classic_addresses_as_recipients_with_tags() {
        let account = AccountId::parse_classic(CLASSIC).expect("valid");
        for (text, tag) in [
            (CLASSIC.to_owned(), None),
            (format!("{CLASSIC}+0"), Some(0)),
            (format!("{CLASSIC}+4294967295"), Some(u32::MAX)),
            (format!("{CLASSIC}@any.example"), None),
            (format!("{CLASSIC}+7@any.example"), Some(7)),
        ] {
            assert_eq!(
                parse_recipient(&text),
                Ok(Recipient::Chain { account, tag }),
                "{text}"
            );
        }
        let short = "rrrrrrrrrrrrrrrrrrrrrrrr@a.example";
        assert!(parse_recipient(short).is_ok_and(|r| r.address().is_some()));
    }

    #[test]
    fn rejects_broken_classic_addresses_instead_of_hashing_them() {
        for (text, error) in [
            (
                "rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5p".to_owned(),
                AddressError::ClassicChecksum,
            ),
            (
                "rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5p@a.example".to_owned(),
                AddressError::ClassicChecksum,
            ),
            (format!("{CLASSIC}+007@a.example"), AddressError::ClassicSuffix),
            (format!("{CLASSIC}+x@a.example"), AddressError::ClassicSuffix),
            (format!("{CLASSIC}+@a.example"), AddressError::ClassicSuffix),
            (format!("{CLASSIC}+1+2@a.example"), AddressError::ClassicSuffix),
            (format!("{CLASSIC}+4294967296"), AddressError::ClassicSuffix),
            (
                "rrrrrrrrrrrrrrrrrrrrrhoLvTp@a.example".to_owned(),
                AddressError::NobodysAccount,
            ),
            (
                "rrrrrrrrrrrrrrrrrrrrBZbvji".to_owned(),
                AddressError::NobodysAccount,
            ),
        ] {
            assert_eq!(parse_recipient(&text), Err(error), "{text}");
        }
    }

    // Spec: 2.4. The X-addresses are those of XLS-5.
    #[test]
    fn rejects_what_was_meant_as_an_account_instead_of_hashing_it() {
        let lower = "rlnapokeebjze2qs6x52yvpzpz8td4dc6w";
        for local in [
            lower,
            "RLNAPOKEEBJZE2QS6X52YVPZPZ8TD4DC6W",
            "rLNaPoKeeBjZe2qs6x52yVPZpZ8td4dc6w.12345",
            "rLNaPoKeeBjZe2qs6x52yVPZpZ8td4dc6w-12345",
            "rLNaPoKeeBjZe2qs6x52yVPZpZ8td4dc6w?dt=12345",
            "rLNaPoKeeBjZe2qs6x52yVPZpZ8td4dc6w_",
            "rLNaPoKeeBjZe2qs6x52yVPZpZ8td4dc6w0",
            "XVLhHMPHU98es4dbozjVtdWzVrDjtV5fdx1mHp98tDMoQXb",
            "xvlhhmphu98es4dbozjvtdwzvrdjtv5fdx1mhp98tdmoqxb",
            "XVLhHMPHU98es4dbozjVtdWzVrDjtV5fdx1mHp98tDMoQXb+7",
            "TVE26TYGhfLC7tQDno7G8dGtxSkYQn49b3qD26PK7FcGSKE",
            "tve26tyghflc7tqdno7g8dgtxskyqn49b3qd26pk7fcgske",
            "r234567890123456789012345",
        ] {
            let text = format!("{local}@access.example");
            assert_eq!(parse_recipient(&text), Err(AddressError::AccountLike), "{text}");
        }
        for local in [
            "r23456789012345678901234",
            "r2345678901234567890123-567",
            "x.lhhmphu98es4dbozjvtdwzvrdjtv5fdx1mhp98tdmoqxb",
            "tve26tyghflc7tqdno7g8dgtxskyqn49b3qd26pk",
            "s23456789012345678901234567",
            "0rlnapokeebjze2qs6x52yvpzpz8td4dc6w",
        ] {
            let text = format!("{local}@access.example");
            assert!(
                parse_recipient(&text).is_ok_and(|r| r.address().is_some()),
                "{text}"
            );
        }
        // Its owner sends, and is paid by the account.
        let sender = parse_sender(&format!("{lower}@mail.example")).expect("a mailbox");
        let account = sender.account();
        assert_eq!(sender.to_recipient(), Recipient::Chain { account, tag: None });
        let alice = parse_sender("alice@mail.example").expect("a mailbox");
        assert_eq!(alice.to_recipient().address(), Some(&alice));
    }

    #[test]
    fn accepts_a_tag_where_it_is_documented_and_rejects_it_elsewhere() {
        for domain in TAG_DOMAINS {
            let text = format!("Bob+rent+x@{domain}");
            let recipient = parse_recipient(&text).expect(domain);
            assert_eq!(
                recipient.address().map(CanonicalAddress::as_str),
                Some(&*format!("bob@{domain}"))
            );
        }
        for (text, error) in [
            ("bob+rent@example.com", AddressError::PlusNoTag),
            ("bob+@example.com", AddressError::PlusNoTag),
            ("bob+rent@eu.gmail.com", AddressError::PlusNoTag),
            ("+rent@gmail.com", AddressError::EmptyLocal),
            ("bob.+rent@gmail.com", AddressError::DotBeforePlus),
            ("bob.+rent@outlook.com", AddressError::DotBeforePlus),
        ] {
            assert_eq!(parse_recipient(text), Err(error), "{text}");
            assert_eq!(parse_sender(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_sender_is_never_a_classic_address() {
        let text = format!("{CLASSIC}@mail.example");
        let sender = parse_sender(&text).expect("a mailbox");
        assert_eq!(sender.as_str(), text.to_ascii_lowercase());
    }
}
