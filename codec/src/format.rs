//! Which transaction and entry types exist, and which fields each may and must have
//! (xahaud TxFormats.cpp, LedgerFormats.cpp, InnerObjectFormats.cpp; ours: `Spec: 1`, `Spec: 7.1`).

use crate::field::Field;
use crate::named_codes::named_codes;
use crate::object::{Object, Value};
use crate::sf;

/// How a template asks for a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Presence {
    /// Must be there.
    Required,
    /// May be there.
    Optional,
    /// May be there, but never with its zero value.
    Default,
}

use Presence::{Default, Optional, Required};

/// Fields of one kind of object.
#[derive(Clone, Copy, Debug)]
pub struct Template {
    common: &'static [(Field, Presence)],
    own: &'static [(Field, Presence)],
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
        let own: &'static [(Field, Presence)] = match self {
            TxType::Payment => PAYMENT,
            TxType::AccountSet => ACCOUNT_SET,
            TxType::SetRegularKey => SET_REGULAR_KEY,
            TxType::TicketCreate => TICKET_CREATE,
            TxType::DepositPreauth => DEPOSIT_PREAUTH,
            TxType::TrustSet => TRUST_SET,
            TxType::UriTokenBurn => URI_TOKEN_BURN,
            TxType::Remit => REMIT,
            TxType::EnableAmendment => ENABLE_AMENDMENT,
            TxType::SetFee => SET_FEE,
            TxType::UnlReport => UNL_REPORT_TX,
            TxType::DkimKeySet => DKIM_KEY_SET,
            TxType::DkimKeyLeak => DKIM_KEY_LEAK,
            TxType::ValidatorVote => VALIDATOR_VOTE,
            // Every ledger refuses a type without a template.
            _ => return None,
        };
        Some(Template {
            common: TX_COMMON,
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
        let own: &'static [(Field, Presence)] = match self {
            EntryType::AccountRoot => ACCOUNT_ROOT,
            EntryType::DkimKey => DKIM_KEY,
            EntryType::DkimLeak => DKIM_LEAK,
            EntryType::ValidatorVotes => VALIDATOR_VOTES,
            EntryType::DkimFreeze => DKIM_FREEZE,
            EntryType::EmailReplay => EMAIL_REPLAY,
            EntryType::UnlReport => UNL_REPORT,
            EntryType::NegativeUnl => NEGATIVE_UNL,
            EntryType::SignerList => SIGNER_LIST,
            EntryType::Ticket => TICKET,
            EntryType::UriToken => URI_TOKEN,
            EntryType::DirectoryNode => DIRECTORY_NODE,
            EntryType::Amendments => AMENDMENTS,
            EntryType::LedgerHashes => LEDGER_HASHES,
            EntryType::DepositPreauth => DEPOSIT_PREAUTH_ENTRY,
            EntryType::RippleState => RIPPLE_STATE,
            EntryType::FeeSettings => FEE_SETTINGS,
            EntryType::ImportVlSequence => IMPORT_VL_SEQUENCE,
            // No transactor makes an entry without a template.
            _ => return None,
        };
        Some(Template {
            common: ENTRY_COMMON,
            own,
        })
    }
}

/// Template of a nested object, by the name it stands under; `None` where it is free (Memo).
#[must_use]
pub fn inner(name: Field) -> Option<Template> {
    let own: &'static [(Field, Presence)] = match name {
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

type Rows = &'static [(Field, Presence)];

const TX_COMMON: Rows = &[
    (sf::TRANSACTION_TYPE, Required),
    (sf::ACCOUNT, Required),
    (sf::SEQUENCE, Required),
    (sf::FEE, Required),
    (sf::SIGNING_PUB_KEY, Required),
    (sf::FLAGS, Optional),
    (sf::SOURCE_TAG, Optional),
    (sf::PREVIOUS_TXN_ID, Optional),
    (sf::LAST_LEDGER_SEQUENCE, Optional),
    (sf::ACCOUNT_TXN_ID, Optional),
    (sf::MEMOS, Optional),
    (sf::TXN_SIGNATURE, Optional),
    (sf::SIGNERS, Optional),
    (sf::EMIT_DETAILS, Optional),
    (sf::FIRST_LEDGER_SEQUENCE, Optional),
    (sf::NETWORK_ID, Optional),
    (sf::HOOK_PARAMETERS, Optional),
    (sf::OPERATION_LIMIT, Optional),
];
const PAYMENT: Rows = &[
    (sf::DESTINATION, Required),
    (sf::AMOUNT, Required),
    (sf::SEND_MAX, Optional),
    (sf::PATHS, Default),
    (sf::INVOICE_ID, Optional),
    (sf::DESTINATION_TAG, Optional),
    (sf::DELIVER_MIN, Optional),
    (sf::TICKET_SEQUENCE, Optional),
];
const ACCOUNT_SET: Rows = &[
    (sf::EMAIL_HASH, Optional),
    (sf::WALLET_LOCATOR, Optional),
    (sf::WALLET_SIZE, Optional),
    (sf::MESSAGE_KEY, Optional),
    (sf::DOMAIN, Optional),
    (sf::TRANSFER_RATE, Optional),
    (sf::SET_FLAG, Optional),
    (sf::CLEAR_FLAG, Optional),
    (sf::TICK_SIZE, Optional),
    (sf::TICKET_SEQUENCE, Optional),
    (sf::NF_TOKEN_MINTER, Optional),
];
const SET_REGULAR_KEY: Rows = &[(sf::REGULAR_KEY, Optional), (sf::TICKET_SEQUENCE, Optional)];
const TICKET_CREATE: Rows = &[(sf::TICKET_COUNT, Required), (sf::TICKET_SEQUENCE, Optional)];
const DEPOSIT_PREAUTH: Rows = &[
    (sf::AUTHORIZE, Optional),
    (sf::UNAUTHORIZE, Optional),
    (sf::TICKET_SEQUENCE, Optional),
];
const TRUST_SET: Rows = &[
    (sf::LIMIT_AMOUNT, Optional),
    (sf::QUALITY_IN, Optional),
    (sf::QUALITY_OUT, Optional),
    (sf::TICKET_SEQUENCE, Optional),
];
const URI_TOKEN_BURN: Rows = &[(sf::URI_TOKEN_ID, Required), (sf::TICKET_SEQUENCE, Optional)];
const REMIT: Rows = &[
    (sf::DESTINATION, Required),
    (sf::AMOUNTS, Optional),
    (sf::URI_TOKEN_IDS, Optional),
    (sf::MINT_URI_TOKEN, Optional),
    (sf::INVOICE_ID, Optional),
    (sf::DESTINATION_TAG, Optional),
    (sf::TICKET_SEQUENCE, Optional),
    (sf::BLOB, Optional),
    (sf::INFORM, Optional),
];
const ENABLE_AMENDMENT: Rows = &[(sf::LEDGER_SEQUENCE, Required), (sf::AMENDMENT, Required)];
const SET_FEE: Rows = &[
    (sf::LEDGER_SEQUENCE, Optional),
    (sf::BASE_FEE_DROPS, Optional),
    (sf::RESERVE_BASE_DROPS, Optional),
    (sf::RESERVE_INCREMENT_DROPS, Optional),
];
const UNL_REPORT_TX: Rows = &[
    (sf::LEDGER_SEQUENCE, Required),
    (sf::ACTIVE_VALIDATOR, Optional),
    (sf::IMPORT_VL_KEY, Optional),
];
/// Spec: 7.2
const DKIM_KEY_SET: Rows = &[
    (sf::LEDGER_SEQUENCE, Required),
    (sf::DOMAIN, Required),
    (sf::SELECTOR, Required),
    (sf::DKIM_RECORD, Optional),
    (sf::DKIM_ATTESTATIONS, Required),
];
/// Spec: 7.9
const DKIM_KEY_LEAK: Rows = &[
    (sf::DOMAIN, Required),
    (sf::SELECTOR, Required),
    (sf::KEY_SIGNATURE, Required),
    (sf::TICKET_SEQUENCE, Optional),
];
/// Spec: 15.1
const VALIDATOR_VOTE: Rows = &[
    (sf::LEDGER_SEQUENCE, Required),
    (sf::PUBLIC_KEY, Required),
    (sf::OBSERVED_AT, Required),
    (sf::AMENDMENTS, Required),
    (sf::ACTIVE_VALIDATORS, Optional),
    (sf::SIGNATURE, Required),
];

const ENTRY_COMMON: Rows = &[(sf::LEDGER_ENTRY_TYPE, Required), (sf::FLAGS, Required)];
const ACCOUNT_ROOT: Rows = &[
    (sf::ACCOUNT, Required),
    (sf::SEQUENCE, Required),
    (sf::BALANCE, Required),
    (sf::OWNER_COUNT, Required),
    (sf::PREVIOUS_TXN_ID, Required),
    (sf::PREVIOUS_TXN_LGR_SEQ, Required),
    (sf::ACCOUNT_TXN_ID, Optional),
    (sf::REGULAR_KEY, Optional),
    (sf::EMAIL_HASH, Optional),
    (sf::WALLET_LOCATOR, Optional),
    (sf::WALLET_SIZE, Optional),
    (sf::MESSAGE_KEY, Optional),
    (sf::TRANSFER_RATE, Optional),
    (sf::DOMAIN, Optional),
    (sf::TICK_SIZE, Optional),
    (sf::TICKET_COUNT, Optional),
    (sf::NF_TOKEN_MINTER, Optional),
    (sf::MINTED_NF_TOKENS, Default),
    (sf::BURNED_NF_TOKENS, Default),
    (sf::HOOK_STATE_COUNT, Optional),
    (sf::HOOK_NAMESPACES, Optional),
    (sf::REWARD_LGR_FIRST, Optional),
    (sf::REWARD_LGR_LAST, Optional),
    (sf::REWARD_TIME, Optional),
    (sf::REWARD_ACCUMULATOR, Optional),
    (sf::FIRST_NF_TOKEN_SEQUENCE, Optional),
    (sf::IMPORT_SEQUENCE, Optional),
    (sf::GOVERNANCE_FLAGS, Optional),
    (sf::GOVERNANCE_MARKS, Optional),
    (sf::ACCOUNT_INDEX, Optional),
];
/// Spec: 7.1
const DKIM_KEY: Rows = &[
    (sf::DOMAIN, Required),
    (sf::SELECTOR, Required),
    (sf::DKIM_KEY_TYPE, Optional),
    (sf::PUBLIC_KEY, Optional),
    (sf::ACTIVE_AFTER, Optional),
    (sf::NEXT_KEY_TYPE, Optional),
    (sf::NEXT_KEY, Optional),
    (sf::NEXT_AFTER, Optional),
    (sf::FIRST_SEEN, Required),
    (sf::LAST_ATTESTED, Required),
    (sf::REVOKED_AT, Optional),
    (sf::PREVIOUS_TXN_ID, Required),
    (sf::PREVIOUS_TXN_LGR_SEQ, Required),
];
/// Spec: 7.9
const DKIM_LEAK: Rows = &[
    (sf::PREVIOUS_TXN_ID, Required),
    (sf::PREVIOUS_TXN_LGR_SEQ, Required),
];
/// Spec: 15.2
const VALIDATOR_VOTES: Rows = &[
    (sf::VOTES, Required),
    (sf::PREVIOUS_TXN_ID, Required),
    (sf::PREVIOUS_TXN_LGR_SEQ, Required),
];
/// Spec: 7.10
const DKIM_FREEZE: Rows = &[
    (sf::DOMAIN, Required),
    (sf::FIRST_SEEN, Required),
    (sf::LAST_ATTESTED, Required),
    (sf::ACTIVE_AFTER, Optional),
    (sf::PREVIOUS_TXN_ID, Required),
    (sf::PREVIOUS_TXN_LGR_SEQ, Required),
];
/// Spec: 8.2
const EMAIL_REPLAY: Rows = &[
    (sf::ACCOUNT, Required),
    (sf::EMAIL_REPLAY_ENTRIES, Optional),
    (sf::LAST_REKEY, Optional),
    (sf::LAST_REKEY_ID, Optional),
    (sf::SIGNATURE_HASH, Optional),
    (sf::REKEY_MARK, Optional),
    // Of a REKEY under a former rule, as recorded ledgers hold it; nothing writes or reads it.
    (sf::ACTIVE_AFTER, Optional),
    (sf::PREVIOUS_TXN_ID, Required),
    (sf::PREVIOUS_TXN_LGR_SEQ, Required),
];
const UNL_REPORT: Rows = &[
    (sf::IMPORT_VL_KEYS, Optional),
    (sf::ACTIVE_VALIDATORS, Optional),
    (sf::PREVIOUS_TXN_ID, Required),
    (sf::PREVIOUS_TXN_LGR_SEQ, Required),
];
const NEGATIVE_UNL: Rows = &[
    (sf::DISABLED_VALIDATORS, Optional),
    (sf::VALIDATOR_TO_DISABLE, Optional),
    (sf::VALIDATOR_TO_RE_ENABLE, Optional),
];
const SIGNER_LIST: Rows = &[
    (sf::OWNER_NODE, Required),
    (sf::SIGNER_QUORUM, Required),
    (sf::SIGNER_ENTRIES, Required),
    (sf::SIGNER_LIST_ID, Required),
    (sf::PREVIOUS_TXN_ID, Required),
    (sf::PREVIOUS_TXN_LGR_SEQ, Required),
];
const TICKET: Rows = &[
    (sf::ACCOUNT, Required),
    (sf::OWNER_NODE, Required),
    (sf::TICKET_SEQUENCE, Required),
    (sf::PREVIOUS_TXN_ID, Required),
    (sf::PREVIOUS_TXN_LGR_SEQ, Required),
];
const URI_TOKEN: Rows = &[
    (sf::OWNER, Required),
    (sf::OWNER_NODE, Required),
    (sf::ISSUER, Required),
    (sf::URI, Required),
    (sf::DIGEST, Optional),
    (sf::AMOUNT, Optional),
    (sf::DESTINATION, Optional),
    (sf::PREVIOUS_TXN_ID, Required),
    (sf::PREVIOUS_TXN_LGR_SEQ, Required),
];
const DIRECTORY_NODE: Rows = &[
    (sf::OWNER, Optional),
    (sf::TAKER_PAYS_CURRENCY, Optional),
    (sf::TAKER_PAYS_ISSUER, Optional),
    (sf::TAKER_GETS_CURRENCY, Optional),
    (sf::TAKER_GETS_ISSUER, Optional),
    (sf::EXCHANGE_RATE, Optional),
    (sf::REFERENCE_COUNT, Optional),
    (sf::INDEXES, Required),
    (sf::ROOT_INDEX, Required),
    (sf::INDEX_NEXT, Optional),
    (sf::INDEX_PREVIOUS, Optional),
    (sf::NF_TOKEN_ID, Optional),
];
const AMENDMENTS: Rows = &[(sf::AMENDMENTS, Optional), (sf::MAJORITIES, Optional)];
const LEDGER_HASHES: Rows = &[
    (sf::FIRST_LEDGER_SEQUENCE, Optional),
    (sf::LAST_LEDGER_SEQUENCE, Optional),
    (sf::HASHES, Required),
];
const DEPOSIT_PREAUTH_ENTRY: Rows = &[
    (sf::ACCOUNT, Required),
    (sf::AUTHORIZE, Required),
    (sf::OWNER_NODE, Required),
    (sf::PREVIOUS_TXN_ID, Required),
    (sf::PREVIOUS_TXN_LGR_SEQ, Required),
];
const RIPPLE_STATE: Rows = &[
    (sf::BALANCE, Required),
    (sf::LOW_LIMIT, Required),
    (sf::HIGH_LIMIT, Required),
    (sf::PREVIOUS_TXN_ID, Required),
    (sf::PREVIOUS_TXN_LGR_SEQ, Required),
    (sf::LOW_NODE, Optional),
    (sf::LOW_QUALITY_IN, Optional),
    (sf::LOW_QUALITY_OUT, Optional),
    (sf::HIGH_NODE, Optional),
    (sf::HIGH_QUALITY_IN, Optional),
    (sf::HIGH_QUALITY_OUT, Optional),
    (sf::LOCKED_BALANCE, Optional),
    (sf::LOCK_COUNT, Optional),
];
const FEE_SETTINGS: Rows = &[
    (sf::BASE_FEE, Optional),
    (sf::REFERENCE_FEE_UNITS, Optional),
    (sf::RESERVE_BASE, Optional),
    (sf::RESERVE_INCREMENT, Optional),
    (sf::BASE_FEE_DROPS, Optional),
    (sf::RESERVE_BASE_DROPS, Optional),
    (sf::RESERVE_INCREMENT_DROPS, Optional),
    (sf::XAHAU_ACTIVATION_LGR_SEQ, Optional),
    (sf::ACCOUNT_COUNT, Optional),
    (sf::NETWORK_ID, Optional),
];
const IMPORT_VL_SEQUENCE: Rows = &[(sf::PUBLIC_KEY, Required), (sf::IMPORT_SEQUENCE, Required)];
