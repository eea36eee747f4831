//! Which fields each type of transaction and of ledger entry may and must have: the rows of the templates in `format`.

use crate::field::Field;
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

/// Fields of one kind of object, each with how it is asked for.
pub(crate) type Rows = &'static [(Field, Presence)];

pub(crate) const TX_COMMON: Rows = &[
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
pub(crate) const PAYMENT: Rows = &[
    (sf::DESTINATION, Required),
    (sf::AMOUNT, Required),
    (sf::SEND_MAX, Optional),
    (sf::PATHS, Default),
    (sf::INVOICE_ID, Optional),
    (sf::DESTINATION_TAG, Optional),
    (sf::DELIVER_MIN, Optional),
    (sf::TICKET_SEQUENCE, Optional),
];
pub(crate) const ACCOUNT_SET: Rows = &[
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
pub(crate) const SET_REGULAR_KEY: Rows = &[(sf::REGULAR_KEY, Optional), (sf::TICKET_SEQUENCE, Optional)];
pub(crate) const TICKET_CREATE: Rows = &[(sf::TICKET_COUNT, Required), (sf::TICKET_SEQUENCE, Optional)];
pub(crate) const DEPOSIT_PREAUTH: Rows = &[
    (sf::AUTHORIZE, Optional),
    (sf::UNAUTHORIZE, Optional),
    (sf::TICKET_SEQUENCE, Optional),
];
pub(crate) const TRUST_SET: Rows = &[
    (sf::LIMIT_AMOUNT, Optional),
    (sf::QUALITY_IN, Optional),
    (sf::QUALITY_OUT, Optional),
    (sf::TICKET_SEQUENCE, Optional),
];
pub(crate) const URI_TOKEN_BURN: Rows = &[(sf::URI_TOKEN_ID, Required), (sf::TICKET_SEQUENCE, Optional)];
pub(crate) const REMIT: Rows = &[
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
pub(crate) const ENABLE_AMENDMENT: Rows = &[(sf::LEDGER_SEQUENCE, Required), (sf::AMENDMENT, Required)];
pub(crate) const SET_FEE: Rows = &[
    (sf::LEDGER_SEQUENCE, Optional),
    (sf::BASE_FEE_DROPS, Optional),
    (sf::RESERVE_BASE_DROPS, Optional),
    (sf::RESERVE_INCREMENT_DROPS, Optional),
];
pub(crate) const UNL_REPORT_TX: Rows = &[
    (sf::LEDGER_SEQUENCE, Required),
    (sf::ACTIVE_VALIDATOR, Optional),
    (sf::IMPORT_VL_KEY, Optional),
];
/// Spec: 7.2
pub(crate) const DKIM_KEY_SET: Rows = &[
    (sf::LEDGER_SEQUENCE, Required),
    (sf::DOMAIN, Required),
    (sf::SELECTOR, Required),
    (sf::DKIM_RECORD, Optional),
    (sf::DKIM_ATTESTATIONS, Required),
];
/// Spec: 7.9
pub(crate) const DKIM_KEY_LEAK: Rows = &[
    (sf::DOMAIN, Required),
    (sf::SELECTOR, Required),
    (sf::KEY_SIGNATURE, Required),
    (sf::TICKET_SEQUENCE, Optional),
];
/// Spec: 15.1
pub(crate) const VALIDATOR_VOTE: Rows = &[
    (sf::LEDGER_SEQUENCE, Required),
    (sf::PUBLIC_KEY, Required),
    (sf::OBSERVED_AT, Required),
    (sf::AMENDMENTS, Required),
    (sf::ACTIVE_VALIDATORS, Optional),
    (sf::SIGNATURE, Required),
];

pub(crate) const ENTRY_COMMON: Rows = &[(sf::LEDGER_ENTRY_TYPE, Required), (sf::FLAGS, Required)];
pub(crate) const ACCOUNT_ROOT: Rows = &[
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
pub(crate) const DKIM_KEY: Rows = &[
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
pub(crate) const DKIM_LEAK: Rows = &[
    (sf::PREVIOUS_TXN_ID, Required),
    (sf::PREVIOUS_TXN_LGR_SEQ, Required),
];
/// Spec: 15.2
pub(crate) const VALIDATOR_VOTES: Rows = &[
    (sf::VOTES, Required),
    (sf::PREVIOUS_TXN_ID, Required),
    (sf::PREVIOUS_TXN_LGR_SEQ, Required),
];
/// Spec: 7.10
pub(crate) const DKIM_FREEZE: Rows = &[
    (sf::DOMAIN, Required),
    (sf::FIRST_SEEN, Required),
    (sf::LAST_ATTESTED, Required),
    (sf::ACTIVE_AFTER, Optional),
    (sf::PREVIOUS_TXN_ID, Required),
    (sf::PREVIOUS_TXN_LGR_SEQ, Required),
];
/// Spec: 8.2
pub(crate) const EMAIL_REPLAY: Rows = &[
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
pub(crate) const UNL_REPORT: Rows = &[
    (sf::IMPORT_VL_KEYS, Optional),
    (sf::ACTIVE_VALIDATORS, Optional),
    (sf::PREVIOUS_TXN_ID, Required),
    (sf::PREVIOUS_TXN_LGR_SEQ, Required),
];
pub(crate) const NEGATIVE_UNL: Rows = &[
    (sf::DISABLED_VALIDATORS, Optional),
    (sf::VALIDATOR_TO_DISABLE, Optional),
    (sf::VALIDATOR_TO_RE_ENABLE, Optional),
];
pub(crate) const SIGNER_LIST: Rows = &[
    (sf::OWNER_NODE, Required),
    (sf::SIGNER_QUORUM, Required),
    (sf::SIGNER_ENTRIES, Required),
    (sf::SIGNER_LIST_ID, Required),
    (sf::PREVIOUS_TXN_ID, Required),
    (sf::PREVIOUS_TXN_LGR_SEQ, Required),
];
pub(crate) const TICKET: Rows = &[
    (sf::ACCOUNT, Required),
    (sf::OWNER_NODE, Required),
    (sf::TICKET_SEQUENCE, Required),
    (sf::PREVIOUS_TXN_ID, Required),
    (sf::PREVIOUS_TXN_LGR_SEQ, Required),
];
pub(crate) const URI_TOKEN: Rows = &[
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
pub(crate) const DIRECTORY_NODE: Rows = &[
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
pub(crate) const AMENDMENTS: Rows = &[(sf::AMENDMENTS, Optional), (sf::MAJORITIES, Optional)];
pub(crate) const LEDGER_HASHES: Rows = &[
    (sf::FIRST_LEDGER_SEQUENCE, Optional),
    (sf::LAST_LEDGER_SEQUENCE, Optional),
    (sf::HASHES, Required),
];
pub(crate) const DEPOSIT_PREAUTH_ENTRY: Rows = &[
    (sf::ACCOUNT, Required),
    (sf::AUTHORIZE, Required),
    (sf::OWNER_NODE, Required),
    (sf::PREVIOUS_TXN_ID, Required),
    (sf::PREVIOUS_TXN_LGR_SEQ, Required),
];
pub(crate) const RIPPLE_STATE: Rows = &[
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
pub(crate) const FEE_SETTINGS: Rows = &[
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
pub(crate) const IMPORT_VL_SEQUENCE: Rows = &[(sf::PUBLIC_KEY, Required), (sf::IMPORT_SEQUENCE, Required)];
