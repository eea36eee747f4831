//! What a mail user can do about each refusal: one plain sentence, no jargon. Shown beside each failed check.
//!
//! Spec: 12.

use amendment::address::AddressError;
use amendment::{
    Foreign, Freeze, InstructionError, MimeError, MoneyError, NetworkError, Refusal, WindowError,
};

const WHOLE_MAIL: &str =
    "Submit the whole mail as it was received, from its first header line on (`Show original`).";
const UNCHANGED: &str =
    "Submit the mail exactly as it was received; a text editor or a script has changed this copy.";
const OTHER_PROVIDER: &str =
    "Send the mail from another provider; this one signs in a way that is not supported.";
const OWN_SERVER: &str =
    "Send the mail through the provider of your own address, so that its domain signs the mail.";
const NAME_RECEIVER: &str =
    "Your provider does not sign To, so name the receiver in the instruction: REMIT AMOUNT XAH TO <ADDRESS>";
const SIGNS_FROM_AND_DATE: &str = "Send the mail from a provider that signs at least From and Date.";
const LEAVE_OUT_PLUS: &str = "Leave out the + and what follows in the receiver's address, if it is a tag: at most providers it is part of the name.";
const AS_YOUR_WALLET_SHOWS: &str = "An account is written exactly as your wallet shows it, in small and capital letters, from its r on, then + and its tag: TO ACCOUNT+TAG";
const TAG: &str = "Write the tag as a number after the account and a plus sign: TO ACCOUNT+TAG";
const NODE_WRAPS: &str = "Submit the mail itself and let the node build the transaction.";

/// The sentence for a refusal.
#[must_use]
pub fn fix(refusal: &Refusal) -> &'static str {
    use Refusal as R;
    match refusal {
        R::MailTooLarge => "Send a short mail without attachments.",
        R::MemoTooLarge => "Send a short plain mail: only the instruction, no quoted text, no attachments.",
        R::HeaderLinesTooMany => "Write a new mail instead of replying to or forwarding an old one.",
        R::BareCr | R::BareLf | R::Nul | R::SignatureBase64(_) => UNCHANGED,
        R::HeaderLineWithoutName | R::SpaceBeforeColon | R::ContinuationFirst | R::NoEmptyLine => WHOLE_MAIL,
        R::NoSignature => {
            "Send the mail from a provider that signs with DKIM, and submit the copy that was received."
        }
        R::SignatureSigned | R::Tags(_) | R::TagMissing(_) | R::Version | R::Algorithm => OTHER_PROVIDER,
        R::Canonicalization | R::QueryMethod | R::BodyLength => OTHER_PROVIDER,
        R::Selector | R::SigningDomain | R::KeyNameTooLong => OTHER_PROVIDER,
        R::TimestampMalformed | R::ExpiryMalformed | R::ExpiryNotAfterTimestamp => OTHER_PROVIDER,
        R::NotSigned("To") => NAME_RECEIVER,
        R::NotSigned(_) | R::SignedHeadersMalformed | R::SignedHeadersTooMany => SIGNS_FROM_AND_DATE,
        R::SignedTwice(_) => {
            "Submit the copy that was received first: this one has one of its signed header lines twice."
        }
        R::From(error) => sender(*error),
        R::To(error) => recipient(*error),
        R::Named(error) => named(*error),
        R::PaysItself => {
            "Name somebody else as the receiver: a payment to oneself moves nothing, so no ledger takes it."
        }
        R::KeyIsItself => "Name another account after REKEY: an account cannot be its own second key.",
        R::NotAligned | R::IdentityMalformed | R::IdentityOutside | R::IdentityBelowStrictKey => OWN_SERVER,
        R::BodyHash | R::Signature => "Hand in the mail as it was sent: this copy was changed on its way.",
        R::NotNormalForm | R::NotDerived | R::NoLastLedgerSequence | R::FlagNotAllowed => NODE_WRAPS,
        R::DatedAhead => {
            "Set the clock of your computer, and send the instruction in a new mail: this one is dated ahead of its signature."
        }
        R::Date(_) => "Let your mail program write the Date line; this one is not in the standard form.",
        R::Foreign(error) => foreign(*error),
        R::Mime(MimeError::Attachment) => "Send the instruction as text, without an attachment before it.",
        R::Mime(MimeError::Digest) => {
            "Write the instruction yourself, in a new mail: a digest holds mails of others."
        }
        R::Mime(_) => "Write the mail as plain text.",
        R::Instruction(error) => instruction(*error),
        R::Network(NetworkError::Other) => {
            "Hand the mail to a node of the network that it names; to pay on this one, write its number after NET."
        }
        R::Network(NetworkError::Unnamed) => {
            "Without NET the instruction is for the main network; for this one end the line with NET NUMBER."
        }
        R::Money(error) => money(*error),
        R::NotEnabled => "Wait until this ledger has enabled email transactions.",
        R::Window(WindowError::Expired) => {
            "Send the instruction again in a new mail; a mail is valid for five days."
        }
        R::Window(WindowError::Early) => {
            "Set the clock of your computer for the next mail: this one is dated ahead, and becomes good at its Date."
        }
        R::KeyUnknown => {
            "Wait: a node keeps the mail and looks up your provider's key; if the key stays unknown, ask your provider."
        }
        R::KeyRevoked => {
            "Send the instruction in a new mail later: the key of this one is withdrawn or leaked, and providers then sign with another."
        }
        R::DomainFrozen(Freeze { until: None, .. }) => {
            "Wait: the validators have stopped all mails of your provider, as after a break-in there. Write a new mail once they let them through."
        }
        R::DomainFrozen(Freeze { until: Some(_), .. }) => {
            "Write a new mail later: the validators had stopped the mails of your provider when this one was dated."
        }
        R::KeyRecord(_) => "Ask the administrator of your mail domain to correct its key record.",
    }
}

fn foreign(error: Foreign) -> &'static str {
    match error {
        Foreign::ListOrRobot => {
            "Send the mail yourself and directly, not through a mailing list or an automatic reply."
        }
        Foreign::Sender => "Send the mail from the mailbox of its From line, not in the name of another one.",
        Foreign::NotText => "Send the mail as plain text, or as HTML mail with a plain text part.",
        Foreign::Multipart => "Write the instruction yourself, in a new mail: not into a digest or a report.",
        Foreign::File => "Write the instruction into the mail itself, not into a file.",
        Foreign::Malformed => "Send the mail from another program: this one wrote a malformed header line.",
    }
}

fn sender(error: AddressError) -> &'static str {
    match error {
        AddressError::PlusNoTag | AddressError::EmptyLocal | AddressError::DotBeforePlus => {
            "Send the mail from your main address, without a + in it."
        }
        // This advice helps with every other flaw.
        _ => "Send the mail from one plain address, such as Alice <alice@mail.example>.",
    }
}

fn recipient(error: AddressError) -> &'static str {
    match error {
        AddressError::PlusNoTag => LEAVE_OUT_PLUS,
        AddressError::AccountLike | AddressError::ClassicChecksum => AS_YOUR_WALLET_SHOWS,
        AddressError::ClassicSuffix => TAG,
        AddressError::NobodysAccount => "Check the account in the To line; copy it instead of typing it.",
        // This advice helps with every other flaw.
        _ => {
            "Put exactly one plain address in To, or name the receiver in the instruction: REMIT AMOUNT XAH TO <ADDRESS>"
        }
    }
}

fn named(error: AddressError) -> &'static str {
    match error {
        AddressError::NoAt => {
            "In angle brackets stands an address, with its @: TO <ADDRESS>; an account stands without them: TO ACCOUNT"
        }
        AddressError::PlusNoTag => LEAVE_OUT_PLUS,
        AddressError::AccountLike => AS_YOUR_WALLET_SHOWS,
        AddressError::ClassicSuffix => TAG,
        AddressError::ClassicChecksum | AddressError::NobodysAccount => {
            "Check the account in the instruction; copy it instead of typing it, exactly as your wallet shows it."
        }
        // This advice helps with every other flaw.
        _ => "Write the receiver's address alone in angle brackets, in plain ASCII; copy it: TO <ADDRESS>",
    }
}

fn instruction(error: InstructionError) -> &'static str {
    match error {
        InstructionError::Ambiguous => "Write one mail for each instruction, and delete quoted text.",
        InstructionError::Broken => {
            "Write the instruction on one line, with nothing in the line below: your mail program may have broken it."
        }
        InstructionError::GoesOn => {
            "Write the whole instruction on one line, and begin the text below it with another word than TO, NET or AFTER."
        }
        InstructionError::Undecoded => {
            "Send the mail as HTML mail, or leave the = out: no signed line says whether it stands for something else."
        }
        InstructionError::NoText | InstructionError::NotFirst => {
            "Write the instruction as the very first line of the mail: REMIT AMOUNT XAH TO <ADDRESS>"
        }
    }
}

fn money(error: MoneyError) -> &'static str {
    match error {
        MoneyError::XahWithIssuer => "Write XAH without a slash and an account after it.",
        MoneyError::Zero => "Write an amount above zero.",
        MoneyError::Digits => {
            "Write fewer digits: XAH has at most 6 decimals, other currencies at most 15 digits."
        }
        MoneyError::Range => "Write an amount that the ledger can hold: XAH at most 100000000000.",
    }
}
