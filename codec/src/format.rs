//! Which transaction and entry types exist, and which fields each may and must have
//! (xahaud TxFormats.cpp, LedgerFormats.cpp, InnerObjectFormats.cpp; ours: `Spec: 1`, `Spec: 7.1`).

use crate::field::Field;
use crate::named_codes::named_codes;
use crate::object::{Object, Value};
use crate::rows::{self, Rows};
use crate::sf;

pub use crate::rows::Presence;
use crate::rows::Presence::{Default, Optional, Required};

/// Fields of one kind of object.
#[derive(Clone, Copy, Debug)]
pub struct Template {
    common: Rows,
    own: Rows,
}

/// Why an object does not fit its template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// TransactionType or LedgerEntryType is absent or not known here.
    #[error("unknown type")]
    UnknownType,
    /// A required field is absent.
    #[error("field {0} is missing")]
    Missing(&'static str),
    /// A field that this type does not have.
    #[error("field {0} does not belong here")]
    Foreign(&'static str),
    /// A default field that holds its default value.
    #[error("field {0} may not hold its default value")]
    IsDefault(&'static str),
}

impl Template {
    /// How the template asks for `field`; `None` where it does not know it.
    #[must_use]
    pub fn presence(&self, field: Field) -> Option<Presence> {
        self.fields()
            .find(|(key, _)| *key == field)
            .map(|(_, presence)| presence)
    }

    /// All fields of the template.
    pub fn fields(&self) -> impl Iterator<Item = (Field, Presence)> {
        self.common.iter().chain(self.own).copied()
    }

    /// True where entries of this kind carry the PreviousTxn pair.
    #[must_use]
    pub fn is_threaded(&self) -> bool {
        self.presence(sf::PREVIOUS_TXN_ID).is_some()
    }

    /// Holds `object` against the template; nested elements against theirs.
    pub fn check(&self, object: &Object) -> Result<(), FormatError> {
        for (field, presence) in self.fields() {
            match (presence, object.value(field)) {
                (Required, None) => return Err(FormatError::Missing(field.name())),
                (Default, Some(value)) if is_default(value) => {
                    return Err(FormatError::IsDefault(field.name()));
                }
                (Required | Optional | Default, _) => {}
            }
        }
        for (field, value) in object.iter() {
            if self.presence(field).is_none() {
                return Err(FormatError::Foreign(field.name()));
            }
            check_inner(field, value)?;
        }
        Ok(())
    }
}

fn check_inner(field: Field, value: &Value) -> Result<(), FormatError> {
    match value {
        Value::Object(object) => inner(field).map_or(Ok(()), |template| template.check(object)),
        Value::Array(elements) => elements
            .iter()
            .try_for_each(|(name, object)| inner(*name).map_or(Ok(()), |template| template.check(object))),
        Value::UInt8(_)
        | Value::UInt16(_)
        | Value::UInt32(_)
        | Value::UInt64(_)
        | Value::Hash128(_)
        | Value::Hash160(_)
        | Value::Hash256(_)
        | Value::Amount(_)
        | Value::Blob(_)
        | Value::Account(_)
        | Value::PathSet(_)
        | Value::Vector256(_) => Ok(()),
    }
}

/// True for the default value of a type.
#[must_use]
pub fn is_default(value: &Value) -> bool {
    match value {
        Value::UInt8(value) => *value == 0,
        Value::UInt16(value) => *value == 0,
        Value::UInt32(value) => *value == 0,
        Value::UInt64(value) => *value == 0,
        Value::Hash128(value) => *value == [0; 16],
        Value::Hash160(value) => *value == [0; 20],
        Value::Hash256(value) => value.is_zero(),
        Value::Amount(value) => value.is_native() && value.is_zero(),
        Value::Blob(value) | Value::PathSet(value) => value.is_empty(),
        Value::Account(value) => value.is_none(),
        Value::Object(value) => value.is_empty(),
        Value::Array(value) => value.is_empty(),
        Value::Vector256(value) => value.is_empty(),
    }
}

named_codes! {
    /// Transaction types (xahaud TxFormats.h). Only some have a template here: see [`TxType::template`].
    TxType: u16 {
        Payment = 0, "Payment";
        EscrowCreate = 1, "EscrowCreate";
        EscrowFinish = 2, "EscrowFinish";
        AccountSet = 3, "AccountSet";
        EscrowCancel = 4, "EscrowCancel";
        SetRegularKey = 5, "SetRegularKey";
        OfferCreate = 7, "OfferCreate";
        OfferCancel = 8, "OfferCancel";
        TicketCreate = 10, "TicketCreate";
        SignerListSet = 12, "SignerListSet";
        PaymentChannelCreate = 13, "PaymentChannelCreate";
        PaymentChannelFund = 14, "PaymentChannelFund";
        PaymentChannelClaim = 15, "PaymentChannelClaim";
        CheckCreate = 16, "CheckCreate";
        CheckCash = 17, "CheckCash";
        CheckCancel = 18, "CheckCancel";
        DepositPreauth = 19, "DepositPreauth";
        TrustSet = 20, "TrustSet";
        AccountDelete = 21, "AccountDelete";
        SetHook = 22, "SetHook";
        NfTokenMint = 25, "NFTokenMint";
        NfTokenBurn = 26, "NFTokenBurn";
        NfTokenCreateOffer = 27, "NFTokenCreateOffer";
        NfTokenCancelOffer = 28, "NFTokenCancelOffer";
        NfTokenAcceptOffer = 29, "NFTokenAcceptOffer";
        UriTokenMint = 45, "URITokenMint";
        UriTokenBurn = 46, "URITokenBurn";
        UriTokenBuy = 47, "URITokenBuy";
        UriTokenCreateSellOffer = 48, "URITokenCreateSellOffer";
        UriTokenCancelSellOffer = 49, "URITokenCancelSellOffer";
        Remit = 95, "Remit";
        GenesisMint = 96, "GenesisMint";
        Import = 97, "Import";
        ClaimReward = 98, "ClaimReward";
        Invoke = 99, "Invoke";
        EnableAmendment = 100, "EnableAmendment";
        SetFee = 101, "SetFee";
        UnlModify = 102, "UNLModify";
        EmitFailure = 103, "EmitFailure";
        UnlReport = 104, "UNLReport";
        DkimKeySet = 110, "DKIMKeySet";
        DkimKeyLeak = 111, "DKIMKeyLeak";
        ValidatorVote = 112, "ValidatorVote";
    }
}

named_codes! {
    /// Ledger entry types (xahaud LedgerFormats.h).
    EntryType: u16 {
        NfTokenOffer = 0x37, "NFTokenOffer";
        Check = 0x43, "Check";
        HookDefinition = 0x44, "HookDefinition";
        EmittedTxn = 0x45, "EmittedTxn";
        Hook = 0x48, "Hook";
        ImportVlSequence = 0x49, "ImportVLSequence";
        ValidatorVotes = 0x4A, "ValidatorVotes";
        DkimKey = 0x4B, "DKIMKey";
        NegativeUnl = 0x4E, "NegativeUNL";
        NfTokenPage = 0x50, "NFTokenPage";
        UnlReport = 0x52, "UNLReport";
        SignerList = 0x53, "SignerList";
        Ticket = 0x54, "Ticket";
        UriToken = 0x55, "URIToken";
        AccountRoot = 0x61, "AccountRoot";
        DirectoryNode = 0x64, "DirectoryNode";
        EmailReplay = 0x65, "EmailReplay";
        Amendments = 0x66, "Amendments";
        LedgerHashes = 0x68, "LedgerHashes";
        DkimFreeze = 0x6A, "DKIMFreeze";
        DkimLeak = 0x6D, "DKIMLeak";
        Offer = 0x6F, "Offer";
        DepositPreauth = 0x70, "DepositPreauth";
        RippleState = 0x72, "RippleState";
        FeeSettings = 0x73, "FeeSettings";
        Escrow = 0x75, "Escrow";
        HookState = 0x76, "HookState";
        PayChannel = 0x78, "PayChannel";
    }
}

impl TxType {
    /// Type of a transaction object.
    #[must_use]
    pub fn of(tx: &Object) -> Option<TxType> {
        TxType::from_code(tx.u16(sf::TRANSACTION_TYPE)?)
    }

    /// True for what only validators make.
    #[must_use]
    pub fn is_pseudo(self) -> bool {
        self.code() >= TxType::EnableAmendment.code() && self != TxType::DkimKeyLeak
    }

    /// Template of the types that this project handles; `None` for the rest.
    #[must_use]
    pub fn template(self) -> Option<Template> {
        let own: Rows = match self {
            TxType::Payment => rows::PAYMENT,
            TxType::AccountSet => rows::ACCOUNT_SET,
            TxType::SetRegularKey => rows::SET_REGULAR_KEY,
            TxType::TicketCreate => rows::TICKET_CREATE,
            TxType::DepositPreauth => rows::DEPOSIT_PREAUTH,
            TxType::TrustSet => rows::TRUST_SET,
            TxType::UriTokenBurn => rows::URI_TOKEN_BURN,
            TxType::Remit => rows::REMIT,
            TxType::EnableAmendment => rows::ENABLE_AMENDMENT,
            TxType::SetFee => rows::SET_FEE,
            TxType::UnlReport => rows::UNL_REPORT_TX,
            TxType::DkimKeySet => rows::DKIM_KEY_SET,
            TxType::DkimKeyLeak => rows::DKIM_KEY_LEAK,
            TxType::ValidatorVote => rows::VALIDATOR_VOTE,
            // Every ledger refuses a type without a template.
            _ => return None,
        };
        Some(Template {
            common: rows::TX_COMMON,
            own,
        })
    }
}

impl EntryType {
    /// Type of an entry.
    #[must_use]
    pub fn of(entry: &Object) -> Option<EntryType> {
        EntryType::from_code(entry.u16(sf::LEDGER_ENTRY_TYPE)?)
    }

    /// Template of the types that this project handles; `None` for the rest.
    #[must_use]
    pub fn template(self) -> Option<Template> {
        let own: Rows = match self {
            EntryType::AccountRoot => rows::ACCOUNT_ROOT,
            EntryType::DkimKey => rows::DKIM_KEY,
            EntryType::DkimLeak => rows::DKIM_LEAK,
            EntryType::ValidatorVotes => rows::VALIDATOR_VOTES,
            EntryType::DkimFreeze => rows::DKIM_FREEZE,
            EntryType::EmailReplay => rows::EMAIL_REPLAY,
            EntryType::UnlReport => rows::UNL_REPORT,
            EntryType::NegativeUnl => rows::NEGATIVE_UNL,
            EntryType::SignerList => rows::SIGNER_LIST,
            EntryType::Ticket => rows::TICKET,
            EntryType::UriToken => rows::URI_TOKEN,
            EntryType::DirectoryNode => rows::DIRECTORY_NODE,
            EntryType::Amendments => rows::AMENDMENTS,
            EntryType::LedgerHashes => rows::LEDGER_HASHES,
            EntryType::DepositPreauth => rows::DEPOSIT_PREAUTH_ENTRY,
            EntryType::RippleState => rows::RIPPLE_STATE,
            EntryType::FeeSettings => rows::FEE_SETTINGS,
            EntryType::ImportVlSequence => rows::IMPORT_VL_SEQUENCE,
            // No transactor makes an entry without a template.
            _ => return None,
        };
        Some(Template {
            common: rows::ENTRY_COMMON,
            own,
        })
    }
}

/// Template of a nested object, by the name it stands under; `None` where it is free (Memo).
#[must_use]
pub fn inner(name: Field) -> Option<Template> {
    let own: Rows = match name {
        name if name == sf::AMOUNT_ENTRY => &[(sf::AMOUNT, Required)],
        name if name == sf::MINT_URI_TOKEN => {
            &[(sf::URI, Required), (sf::DIGEST, Optional), (sf::FLAGS, Optional)]
        }
        name if name == sf::HOOK_PARAMETER => &[
            (sf::HOOK_PARAMETER_NAME, Required),
            (sf::HOOK_PARAMETER_VALUE, Optional),
        ],
        name if name == sf::SIGNER => &[
            (sf::ACCOUNT, Required),
            (sf::SIGNING_PUB_KEY, Required),
            (sf::TXN_SIGNATURE, Required),
        ],
        name if name == sf::SIGNER_ENTRY => &[
            (sf::ACCOUNT, Required),
            (sf::SIGNER_WEIGHT, Required),
            (sf::WALLET_LOCATOR, Optional),
        ],
        name if name == sf::MAJORITY => &[(sf::AMENDMENT, Required), (sf::CLOSE_TIME, Required)],
        name if name == sf::DISABLED_VALIDATOR => {
            &[(sf::PUBLIC_KEY, Required), (sf::FIRST_LEDGER_SEQUENCE, Required)]
        }
        name if name == sf::ACTIVE_VALIDATOR || name == sf::IMPORT_VL_KEY => {
            &[(sf::PUBLIC_KEY, Required), (sf::ACCOUNT, Optional)]
        }
        name if name == sf::EMAIL_REPLAY_ENTRY => &[
            (sf::EMAIL_ID, Required),
            (sf::SIGNATURE_HASH, Required),
            (sf::SIGNED_DATE, Required),
        ],
        name if name == sf::DKIM_ATTESTATION => &[
            (sf::PUBLIC_KEY, Required),
            (sf::SIGNATURE, Required),
            (sf::OBSERVED_AT, Required),
        ],
        name if name == sf::VOTE => &[
            (sf::PUBLIC_KEY, Required),
            (sf::OBSERVED_AT, Required),
            (sf::AMENDMENTS, Required),
            (sf::ACTIVE_VALIDATORS, Optional),
        ],
        _ => return None,
    };
    Some(Template { common: &[], own })
}
