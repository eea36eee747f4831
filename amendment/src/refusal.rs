//! Every reason for which a mail or its transaction is refused: one variant per rule, with the rule's number
//! and the result code. Data only; nothing here decides.
//!
//! Spec: 10 (codes).

use codec::Ter;
use thiserror::Error;

use crate::dkim::freeze::Freeze;
use crate::dkim::key_record::KeyRecordError;
use crate::dkim::tags::TagListError;
use crate::dkim::window::WindowError;
use crate::instruction::first_line::InstructionError;
use crate::instruction::line::NetworkError;
use crate::instruction::money::MoneyError;
use crate::mail::address::AddressError;
use crate::mail::date::DateError;
use crate::mail::foreign::Foreign;
use crate::mail::mime::MimeError;
use crate::rule::Rule;

/// Why a mail makes no transaction, or a transaction does not follow from its mail.
///
/// Spec: 2 to 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Over 256 KiB at the door. Spec: 1.
    #[error("the mail is larger than 256 KiB")]
    MailTooLarge,
    /// A normal form over 64 KiB. Spec: 1.
    #[error("the signed part of the mail is larger than 64 KiB")]
    MemoTooLarge,
    /// More header lines than any real mail has. Spec: 3.1.
    #[error("the mail has more than 4000 header lines")]
    HeaderLinesTooMany,
    /// Spec: 3.4.
    #[error("the mail has a carriage return without a line feed")]
    BareCr,
    /// Spec: 3.4.
    #[error("the mail has a line feed without a carriage return")]
    BareLf,
    /// Spec: 3.4.
    #[error("the mail holds a NUL byte")]
    Nul,
    /// Spec: 3.1.
    #[error("a header line has no name")]
    HeaderLineWithoutName,
    /// Spec: 3.1.
    #[error("a header line has white space before its colon")]
    SpaceBeforeColon,
    /// Spec: 3.1.
    #[error("the first line begins with white space")]
    ContinuationFirst,
    /// Spec: 3.1.
    #[error("no empty line follows the header")]
    NoEmptyLine,
    /// `dkim-signature` in `h=`. Spec: 3.1.
    #[error("the signature covers another signature")]
    SignatureSigned,
    /// Spec: 4.7.
    #[error("the mail has no DKIM-Signature")]
    NoSignature,
    /// Spec: 4.1.
    #[error("the DKIM-Signature holds {0}")]
    Tags(#[from] TagListError),
    /// Spec: 4.1.
    #[error("the DKIM-Signature has no {0}=")]
    TagMissing(&'static str),
    /// Spec: 4.1.
    #[error("the version of the DKIM-Signature is not 1")]
    Version,
    /// Spec: 4.1.
    #[error("the algorithm is neither rsa-sha256 nor ed25519-sha256")]
    Algorithm,
    /// Spec: 4.1.
    #[error("the canonicalisation is unknown")]
    Canonicalization,
    /// Spec: 4.1.
    #[error("the query method is not dns/txt")]
    QueryMethod,
    /// Spec: 4.1.
    #[error("the signature leaves the end of the body open (l=)")]
    BodyLength,
    /// Spec: 4.4.
    #[error("the selector is not a domain name")]
    Selector,
    /// Spec: 4.4.
    #[error("the signing domain is not a domain name")]
    SigningDomain,
    /// Spec: 4.4.
    #[error("selector and domain together are too long")]
    KeyNameTooLong,
    /// Spec: 4.3.
    #[error("the list of signed headers is malformed")]
    SignedHeadersMalformed,
    /// Spec: 4.3.
    #[error("the signature names more than 64 headers")]
    SignedHeadersTooMany,
    /// Spec: 4.3.
    #[error("{0} is not signed")]
    NotSigned(&'static str),
    /// Spec: 4.3.
    #[error("the signature covers {0} more than once")]
    SignedTwice(&'static str),
    /// Spec: 4.6.
    #[error("t= is not a time")]
    TimestampMalformed,
    /// Spec: 4.6.
    #[error("x= is not a time")]
    ExpiryMalformed,
    /// Spec: 4.6.
    #[error("x= is not after t=")]
    ExpiryNotAfterTimestamp,
    /// Spec: 3.2.
    #[error("{0}= is not clean base64")]
    SignatureBase64(&'static str),
    /// Spec: 2.1, 2.2.
    #[error("From: {0}")]
    From(AddressError),
    /// Spec: 2.1, 2.2, 2.4.
    #[error("To: {0}")]
    To(AddressError),
    /// Spec: 4.2.
    #[error("the signing domain is not the domain of From")]
    NotAligned,
    /// Spec: 4.2.
    #[error("i= holds no domain after an @")]
    IdentityMalformed,
    /// Spec: 4.2.
    #[error("i= is outside the signing domain")]
    IdentityOutside,
    /// Spec: 3.3.
    #[error("the body is not the one that was signed")]
    BodyHash,
    /// Spec: 3.5.
    #[error("the memo is not the normal form of its mail")]
    NotNormalForm,
    /// Spec: 4.6.
    #[error("Date: {0}")]
    Date(DateError),
    /// Date is more than 300 s after `t=`. Spec: 4.6.
    #[error("the mail is dated more than five minutes after its provider signed it")]
    DatedAhead,
    /// Spec: 4.8.
    #[error("{0}")]
    Foreign(Foreign),
    /// Spec: 5.4.
    #[error("the body has several parts, and {0}")]
    Mime(MimeError),
    /// Spec: 5.2, 5.3, 5.4.
    #[error("{0}")]
    Instruction(InstructionError),
    /// Spec: 5.6.
    #[error("{0}")]
    Network(NetworkError),
    /// Spec: 5.5.
    #[error("{0}")]
    Money(MoneyError),
    /// An address in the instruction. Spec: 2.1, 2.2, 2.4.
    #[error("the instruction names an address that is refused: {0}")]
    Named(AddressError),
    /// A REMIT to the account that sends it. Spec: 2.5.
    #[error("the mail pays the account that sends it")]
    PaysItself,
    /// A REKEY to the account that it is for. Spec: 2.5.
    #[error("the new key is the account itself")]
    KeyIsItself,
    /// Neither Remit nor SetRegularKey carries the email flag. Spec: 1.
    #[error("the email flag is set on a transaction that cannot come from a mail")]
    FlagNotAllowed,
    /// The amendment is off. Spec: 1.
    #[error("email transactions are not enabled on this ledger")]
    NotEnabled,
    /// A field is missing, too many, or differs from what the mail yields. Spec: 6.2.
    #[error("the transaction is not the one derived from the mail")]
    NotDerived,
    /// Spec: 6.3.
    #[error("LastLedgerSequence is missing")]
    NoLastLedgerSequence,
    /// Spec: 4.6.
    #[error("{0}")]
    Window(WindowError),
    /// Spec: 7.3.
    #[error("the key of the signature is not known")]
    KeyUnknown,
    /// Spec: 7.4.
    #[error("the key of the signature was withdrawn or is known to be leaked")]
    KeyRevoked,
    /// Spec: 7.10.
    #[error("the validators have stopped the mails of this domain")]
    DomainFrozen(Freeze),
    /// Spec: 4.5.
    #[error("the key record cannot be used: {0}")]
    KeyRecord(KeyRecordError),
    /// Spec: 4.5.
    #[error("the key record requires i= to equal d=")]
    IdentityBelowStrictKey,
    /// Spec: 4.5.
    #[error("the signature does not match the key")]
    Signature,
}

impl Refusal {
    /// The number of the rule in docs/spec.md.
    #[must_use]
    pub fn rule(&self) -> Rule {
        use Refusal as R;
        match self {
            R::MailTooLarge | R::MemoTooLarge | R::FlagNotAllowed | R::NotEnabled => Rule::R1,
            R::BareCr | R::BareLf | R::Nul => Rule::R3_4,
            R::HeaderLinesTooMany | R::HeaderLineWithoutName | R::SpaceBeforeColon => Rule::R3_1,
            R::ContinuationFirst | R::NoEmptyLine | R::SignatureSigned => Rule::R3_1,
            R::NoSignature => Rule::R4_7,
            R::Tags(_) | R::TagMissing(_) | R::Version | R::Algorithm => Rule::R4_1,
            R::Canonicalization | R::QueryMethod | R::BodyLength => Rule::R4_1,
            R::Selector | R::SigningDomain | R::KeyNameTooLong => Rule::R4_4,
            R::SignedHeadersMalformed | R::SignedHeadersTooMany | R::NotSigned(_) | R::SignedTwice(_) => {
                Rule::R4_3
            }
            R::TimestampMalformed | R::ExpiryMalformed | R::ExpiryNotAfterTimestamp => Rule::R4_6,
            R::Date(_) | R::DatedAhead | R::Window(_) => Rule::R4_6,
            R::SignatureBase64(_) => Rule::R3_2,
            R::From(error) | R::To(error) | R::Named(error) => error.rule(),
            R::PaysItself | R::KeyIsItself => Rule::R2_5,
            R::NotAligned | R::IdentityMalformed | R::IdentityOutside => Rule::R4_2,
            R::BodyHash => Rule::R3_3,
            R::NotNormalForm => Rule::R3_5,
            R::Foreign(_) => Rule::R4_8,
            R::Mime(_) => Rule::R5_4,
            R::Instruction(error) => error.rule(),
            R::Network(_) => Rule::R5_6,
            R::Money(_) => Rule::R5_5,
            R::NotDerived => Rule::R6_2,
            R::NoLastLedgerSequence => Rule::R6_3,
            R::KeyUnknown => Rule::R7_3,
            R::KeyRevoked => Rule::R7_4,
            R::DomainFrozen(_) => Rule::R7_10,
            R::KeyRecord(_) | R::IdentityBelowStrictKey | R::Signature => Rule::R4_5,
        }
    }

    /// The result code.
    ///
    /// Spec: 10.
    #[must_use]
    pub fn code(&self) -> Ter {
        use Refusal as R;
        match self {
            R::BodyHash | R::Signature | R::IdentityBelowStrictKey => Ter::TEF_BAD_SIGNATURE,
            R::Window(WindowError::Expired) => Ter::TEF_EMAIL_EXPIRED,
            R::Window(WindowError::Early) => Ter::TER_EMAIL_EARLY,
            R::KeyUnknown => Ter::TER_NO_DKIM_KEY,
            R::PaysItself => Ter::TEM_REDUNDANT,
            R::KeyIsItself => Ter::TEM_BAD_REGKEY,
            // What a quorum of validators that see this record would make of it (7.4).
            R::KeyRevoked | R::KeyRecord(_) => Ter::TEF_DKIM_REVOKED,
            R::DomainFrozen(_) => Ter::TEF_DKIM_FROZEN,
            R::FlagNotAllowed | R::NotEnabled => Ter::TEM_INVALID_FLAG,
            R::MailTooLarge | R::MemoTooLarge | R::HeaderLinesTooMany | R::BareCr => Ter::TEM_MALFORMED,
            R::BareLf | R::Nul | R::HeaderLineWithoutName | R::SpaceBeforeColon => Ter::TEM_MALFORMED,
            R::ContinuationFirst | R::NoEmptyLine | R::SignatureSigned => Ter::TEM_MALFORMED,
            R::NoSignature | R::Tags(_) | R::TagMissing(_) | R::Version | R::Algorithm => Ter::TEM_MALFORMED,
            R::Canonicalization | R::QueryMethod | R::BodyLength | R::Selector => Ter::TEM_MALFORMED,
            R::SigningDomain | R::KeyNameTooLong | R::SignedHeadersMalformed => Ter::TEM_MALFORMED,
            R::SignedHeadersTooMany | R::NotSigned(_) | R::SignedTwice(_) => Ter::TEM_MALFORMED,
            R::TimestampMalformed | R::ExpiryMalformed | R::ExpiryNotAfterTimestamp => Ter::TEM_MALFORMED,
            R::SignatureBase64(_) | R::From(_) | R::To(_) | R::NotAligned | R::DatedAhead => {
                Ter::TEM_MALFORMED
            }
            R::IdentityMalformed | R::IdentityOutside | R::NotNormalForm | R::Date(_) => Ter::TEM_MALFORMED,
            R::Foreign(_) | R::Mime(_) | R::Instruction(_) | R::Network(_) => Ter::TEM_MALFORMED,
            R::Money(_) | R::Named(_) | R::NotDerived | R::NoLastLedgerSequence => Ter::TEM_MALFORMED,
        }
    }
}
