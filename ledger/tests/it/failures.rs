//! Everything that the rules of a mail can refuse, as rows of a document: the sentence, the rule and the code are the
//! code's own. Each list is complete: it has as many variants as the source of its type.

use std::collections::HashSet;
use std::mem::{Discriminant, discriminant};
use std::path::PathBuf;

use amendment::address::AddressError;
use amendment::key_record::KeyRecordError;
use amendment::{
    AuthError, DateError, Ed25519KeyError, Foreign, Freeze, InstructionError, MimeError, MoneyError,
    NetworkError, PreclaimError, Refusal, ReplayError, RsaKeyError, Rule, ScreenError, TagListError,
    WindowError,
};
use codec::{CloseTime, Drops, Ter};

/// Variants of an enum, counted in its source.
fn variants(file: &str, name: &str) -> usize {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../amendment/src")
        .join(file);
    let source = std::fs::read_to_string(path).expect("source");
    let (_, rest) = source.split_once(&format!("pub enum {name} {{\n")).expect(name);
    let (body, _) = rest.split_once("\n}\n").expect(name);
    let is_variant = |line: &&str| {
        line.strip_prefix("    ")
            .is_some_and(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))
    };
    body.lines().filter(is_variant).count()
}

/// The list, if it holds each variant of its type.
fn whole<T>(file: &str, name: &str, list: Vec<T>) -> Vec<T> {
    let found: HashSet<Discriminant<T>> = list.iter().map(discriminant).collect();
    assert_eq!(found.len(), variants(file, name), "list every {name}");
    list
}

fn row(text: &str, rule: Rule, code: Ter) -> String {
    let is_tag = text.split(' ').next().is_some_and(|word| word.ends_with('='));
    let mut letters = text.chars();
    let first = letters.next().filter(|_| !is_tag);
    let text = first.map_or(text.to_owned(), |first| {
        format!("{}{}", first.to_ascii_uppercase(), letters.as_str())
    });
    format!("{text} (rule {rule}, `{}`)", code.token())
}

fn of(refusal: &Refusal) -> String {
    row(&refusal.to_string(), refusal.rule(), refusal.code())
}

/// Where a refusal is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before there is a transaction.
    Door,
    /// In every transaction, without a ledger.
    Stateless,
    /// By a phase that has a list of its own, or of a record.
    Elsewhere,
}

fn place(refusal: &Refusal) -> Place {
    match refusal {
        Refusal::MailTooLarge | Refusal::HeaderLinesTooMany => Place::Door,
        Refusal::Window(_) | Refusal::KeyUnknown | Refusal::KeyRevoked | Refusal::DomainFrozen(_) => {
            Place::Elsewhere
        }
        Refusal::KeyRecord(_) | Refusal::IdentityBelowStrictKey | Refusal::Signature => Place::Elsewhere,
        _ => Place::Stateless,
    }
}

/// Those that say nothing more.
const PLAIN: [Refusal; 41] = {
    use Refusal as R;
    [
        R::NotEnabled,
        R::FlagNotAllowed,
        R::NotDerived,
        R::NoLastLedgerSequence,
        R::MailTooLarge,
        R::MemoTooLarge,
        R::BareCr,
        R::BareLf,
        R::Nul,
        R::HeaderLinesTooMany,
        R::HeaderLineWithoutName,
        R::SpaceBeforeColon,
        R::ContinuationFirst,
        R::NoEmptyLine,
        R::SignatureSigned,
        R::NoSignature,
        R::Version,
        R::Algorithm,
        R::Canonicalization,
        R::QueryMethod,
        R::BodyLength,
        R::Selector,
        R::SigningDomain,
        R::KeyNameTooLong,
        R::SignedHeadersMalformed,
        R::SignedHeadersTooMany,
        R::TimestampMalformed,
        R::ExpiryMalformed,
        R::ExpiryNotAfterTimestamp,
        R::NotAligned,
        R::IdentityMalformed,
        R::IdentityOutside,
        R::BodyHash,
        R::NotNormalForm,
        R::DatedAhead,
        R::PaysItself,
        R::KeyIsItself,
        R::KeyUnknown,
        R::KeyRevoked,
        R::IdentityBelowStrictKey,
        R::Signature,
    ]
};

fn refusals() -> Vec<Refusal> {
    use Refusal as R;
    let freeze = Freeze {
        since: CloseTime::new(0),
        until: None,
    };
    let mut list = PLAIN.to_vec();
    list.push(R::DomainFrozen(freeze));
    list.extend(tags().into_iter().map(R::Tags));
    list.extend(["v", "a", "b", "bh", "d", "h", "s"].map(R::TagMissing));
    list.extend(["b", "bh"].map(R::SignatureBase64));
    list.extend(["From", "Date", "To"].map(R::NotSigned));
    list.extend(["From", "Date", "To"].map(R::SignedTwice));
    // From, To and the recipient of the line have the same reasons; they are listed once.
    list.extend(addresses().into_iter().map(R::From));
    list.extend([R::To(AddressError::NoAt), R::Named(AddressError::NoAt)]);
    list.extend(dates().into_iter().map(R::Date));
    list.extend(foreign().into_iter().map(R::Foreign));
    list.extend(mime().into_iter().map(R::Mime));
    list.extend(instructions().into_iter().map(R::Instruction));
    list.extend([NetworkError::Other, NetworkError::Unnamed].map(R::Network));
    list.extend(
        [
            MoneyError::Zero,
            MoneyError::Digits,
            MoneyError::Range,
            MoneyError::XahWithIssuer,
        ]
        .map(R::Money),
    );
    list.extend([WindowError::Expired, WindowError::Early].map(R::Window));
    list.push(R::KeyRecord(KeyRecordError::NoKey));
    assert_eq!(variants("instruction/line.rs", "NetworkError"), 2);
    assert_eq!(variants("instruction/money.rs", "MoneyError"), 4);
    assert_eq!(variants("dkim/window.rs", "WindowError"), 2);
    whole("refusal.rs", "Refusal", list)
}

fn tags() -> Vec<TagListError> {
    use TagListError as E;
    let list = vec![E::EmptyTag, E::NoEquals, E::Name, E::Duplicate, E::Value];
    whole("dkim/tags.rs", "TagListError", list)
}

fn addresses() -> Vec<AddressError> {
    use AddressError as E;
    let list = vec![
        E::Empty,
        E::NoAt,
        E::SecondAt,
        E::NonAscii,
        E::List,
        E::Group,
        E::Route,
        E::QuotedLocal,
        E::DomainLiteral,
        E::Space,
        E::Comment,
        E::Phrase,
        E::Unclosed,
        E::TextAfter,
        E::Local,
        E::LocalDot,
        E::LocalTooLong,
        E::Domain,
        E::OneLabel,
        E::EmptyLocal,
        E::DotBeforePlus,
        E::PlusNoTag,
        E::AccountLike,
        E::ClassicChecksum,
        E::ClassicSuffix,
        E::NobodysAccount,
    ];
    whole("mail/address.rs", "AddressError", list)
}

fn dates() -> Vec<DateError> {
    use DateError as E;
    let list = vec![
        E::Form,
        E::DayName,
        E::Day,
        E::Time,
        E::Zone,
        E::AfterZone,
        E::Range,
    ];
    whole("mail/date.rs", "DateError", list)
}

fn foreign() -> Vec<Foreign> {
    use Foreign as E;
    let list = vec![
        E::ListOrRobot,
        E::Sender,
        E::NotText,
        E::Multipart,
        E::File,
        E::Malformed,
    ];
    whole("mail/foreign.rs", "Foreign", list)
}

fn mime() -> Vec<MimeError> {
    use MimeError as E;
    let list = vec![
        E::TooDeep,
        E::PartHeader,
        E::Duplicate,
        E::ContentHeader,
        E::Boundary,
        E::Digest,
        E::NotPlainText,
        E::Attachment,
        E::Encoding,
        E::QuotedPrintable,
        E::Base64,
        E::BareCr,
    ];
    whole("mail/mime.rs", "MimeError", list)
}

fn instructions() -> Vec<InstructionError> {
    use InstructionError as E;
    let list = vec![
        E::NoText,
        E::NotFirst,
        E::Ambiguous,
        E::Broken,
        E::GoesOn,
        E::Undecoded,
    ];
    whole("instruction/first_line.rs", "InstructionError", list)
}

/// By the number of the rule, then as the source lists them.
fn in_order(place_of_rows: Place) -> Vec<String> {
    let mut list = refusals();
    list.retain(|refusal| place(refusal) == place_of_rows);
    list.sort_by_key(Refusal::rule);
    let is_second = |refusal: &Refusal| matches!(refusal, Refusal::To(_) | Refusal::Named(_));
    let rows = list.iter().filter(|refusal| !is_second(refusal));
    rows.map(|refusal| of(refusal).replacen("From: ", "Address: ", 1))
        .collect()
}

/// What needs no ledger.
pub(crate) fn stateless() -> Vec<String> {
    in_order(Place::Stateless)
}

/// What a mail is refused for before it is a transaction.
pub(crate) fn at_the_door() -> Vec<String> {
    in_order(Place::Door)
}

/// What a ledger refuses, in the order of its checks.
pub(crate) fn by_the_ledger() -> Vec<String> {
    use {AuthError as A, PreclaimError as P, ReplayError as R, ScreenError as S};
    let replays = vec![
        R::Executed,
        R::BeforeLastRekey,
        R::KeyPays,
        R::WrongMark { last: None },
        R::Full,
    ];
    let replays = whole("ledger/replay.rs", "ReplayError", replays);
    let mut screen = vec![
        S::NoAccount,
        S::Disabled,
        S::PastSequence,
        S::FutureSequence,
        S::LastLedgerPassed,
        S::Window(WindowError::Expired),
        S::Window(WindowError::Early),
    ];
    screen.extend(replays.into_iter().map(S::Replay));
    let screen = whole("ledger/phases.rs", "ScreenError", screen);
    let proof = [Refusal::IdentityBelowStrictKey, Refusal::Signature].map(A::BadSignature);
    let mut auth = vec![A::Frozen, A::NoKey, A::Revoked];
    auth.extend(proof);
    let auth = whole("ledger/phases.rs", "AuthError", auth);
    let preclaim = vec![
        P::BadFee {
            required: Drops::new(0),
        },
        P::InsufficientFee,
        P::FeeFromReserve,
    ];
    let preclaim = whole("ledger/phases.rs", "PreclaimError", preclaim);
    let screen = screen
        .iter()
        .map(|error| row(&told(error), error.rule(), error.code()));
    let auth = auth
        .iter()
        .map(|error| row(&error.to_string(), error.rule(), error.code()));
    let preclaim = preclaim
        .iter()
        .map(|error| row(&paid(error), error.rule(), error.code()));
    screen.chain(auth).chain(preclaim).collect()
}

/// The sentence without the values of one case.
fn told(error: &ScreenError) -> String {
    match error {
        ScreenError::Replay(ReplayError::WrongMark { .. }) => {
            "the mail does not name the last REKEY of its account, or names another, or there is none"
                .to_owned()
        }
        other => other.to_string(),
    }
}

fn paid(error: &PreclaimError) -> String {
    match error {
        PreclaimError::BadFee { .. } => {
            format!(
                "the fee is not within the required fee and {} base fees more",
                amendment::limits::FEE_CEILING_BASE_FEES
            )
        }
        other => other.to_string(),
    }
}

/// Why a record makes no key.
pub(crate) fn of_records() -> Vec<String> {
    use KeyRecordError as E;
    let rsa = [
        RsaKeyError::Der,
        RsaKeyError::Algorithm,
        RsaKeyError::Modulus,
        RsaKeyError::Exponent,
    ];
    let ed25519 = [
        Ed25519KeyError::Length,
        Ed25519KeyError::Point,
        Ed25519KeyError::SmallOrder,
    ];
    assert_eq!(variants("dkim/der.rs", "RsaKeyError"), rsa.len());
    assert_eq!(variants("dkim/ed25519.rs", "Ed25519KeyError"), ed25519.len());
    let mut list = vec![
        E::TooLong,
        E::Several,
        E::Version,
        E::NoKey,
        E::Revoked,
        E::Base64,
        E::Algorithm,
    ];
    list.extend([E::Hash, E::Service, E::Testing]);
    list.extend(tags().into_iter().map(E::Tags));
    list.extend(rsa.map(E::Rsa));
    list.extend(ed25519.map(E::Ed25519));
    let list = whole("dkim/key_record.rs", "KeyRecordError", list);
    list.into_iter()
        .map(|error| row(&error.to_string(), Rule::R4_5, Refusal::KeyRecord(error).code()))
        .collect()
}
