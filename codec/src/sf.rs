//! The fields by name: xahaud's table (server_definitions), then ours (`Spec: 1`).
//!
//! A test compares the table with the recorded `server_definitions.json`.

use crate::field::{Field, FieldType, Meta, Signing, code};

macro_rules! fields {
    ($($konst:ident: $field_type:ident, $nth:literal, $name:literal, $meta:ident, $signing:ident;)*) => {
        $(
            #[doc = concat!("`", $name, "`: ", stringify!($field_type), ", nth ", stringify!($nth), ".")]
            pub const $konst: Field =
                Field::define(FieldType::$field_type, $nth, $name, Meta::$meta, Signing::$signing);
        )*
        /// Every field, in canonical order.
        pub static ALL: &[Field] = &[$($konst),*];
    };
}

impl Field {
    /// The field with this type and number within the type.
    #[must_use]
    pub fn by_code(type_code: u8, nth: u8) -> Option<Field> {
        let code = code(type_code, nth);
        let at = ALL.binary_search_by_key(&code, |field| field.code()).ok()?;
        ALL.get(at).copied()
    }

    /// The field with this name (case matters).
    #[must_use]
    pub fn by_name(name: &str) -> Option<Field> {
        ALL.iter().copied().find(|field| field.name() == name)
    }
}

fields! {
    LEDGER_ENTRY_TYPE: UInt16, 1, "LedgerEntryType", Never, Signed;
    TRANSACTION_TYPE: UInt16, 2, "TransactionType", Default, Signed;
    SIGNER_WEIGHT: UInt16, 3, "SignerWeight", Default, Signed;
    TRANSFER_FEE: UInt16, 4, "TransferFee", Default, Signed;
    VERSION: UInt16, 16, "Version", Default, Signed;
    HOOK_STATE_CHANGE_COUNT: UInt16, 17, "HookStateChangeCount", Default, Signed;
    HOOK_EMIT_COUNT: UInt16, 18, "HookEmitCount", Default, Signed;
    HOOK_EXECUTION_INDEX: UInt16, 19, "HookExecutionIndex", Default, Signed;
    HOOK_API_VERSION: UInt16, 20, "HookApiVersion", Default, Signed;
    NETWORK_ID: UInt32, 1, "NetworkID", Default, Signed;
    FLAGS: UInt32, 2, "Flags", Default, Signed;
    SOURCE_TAG: UInt32, 3, "SourceTag", Default, Signed;
    SEQUENCE: UInt32, 4, "Sequence", Default, Signed;
    PREVIOUS_TXN_LGR_SEQ: UInt32, 5, "PreviousTxnLgrSeq", DeleteFinal, Signed;
    LEDGER_SEQUENCE: UInt32, 6, "LedgerSequence", Default, Signed;
    CLOSE_TIME: UInt32, 7, "CloseTime", Default, Signed;
    PARENT_CLOSE_TIME: UInt32, 8, "ParentCloseTime", Default, Signed;
    SIGNING_TIME: UInt32, 9, "SigningTime", Default, Signed;
    EXPIRATION: UInt32, 10, "Expiration", Default, Signed;
    TRANSFER_RATE: UInt32, 11, "TransferRate", Default, Signed;
    WALLET_SIZE: UInt32, 12, "WalletSize", Default, Signed;
    OWNER_COUNT: UInt32, 13, "OwnerCount", Default, Signed;
    DESTINATION_TAG: UInt32, 14, "DestinationTag", Default, Signed;
    HIGH_QUALITY_IN: UInt32, 16, "HighQualityIn", Default, Signed;
    HIGH_QUALITY_OUT: UInt32, 17, "HighQualityOut", Default, Signed;
    LOW_QUALITY_IN: UInt32, 18, "LowQualityIn", Default, Signed;
    LOW_QUALITY_OUT: UInt32, 19, "LowQualityOut", Default, Signed;
    QUALITY_IN: UInt32, 20, "QualityIn", Default, Signed;
    QUALITY_OUT: UInt32, 21, "QualityOut", Default, Signed;
    STAMP_ESCROW: UInt32, 22, "StampEscrow", Default, Signed;
    BOND_AMOUNT: UInt32, 23, "BondAmount", Default, Signed;
    LOAD_FEE: UInt32, 24, "LoadFee", Default, Signed;
    OFFER_SEQUENCE: UInt32, 25, "OfferSequence", Default, Signed;
    FIRST_LEDGER_SEQUENCE: UInt32, 26, "FirstLedgerSequence", Default, Signed;
    LAST_LEDGER_SEQUENCE: UInt32, 27, "LastLedgerSequence", Default, Signed;
    TRANSACTION_INDEX: UInt32, 28, "TransactionIndex", Default, Signed;
    OPERATION_LIMIT: UInt32, 29, "OperationLimit", Default, Signed;
    REFERENCE_FEE_UNITS: UInt32, 30, "ReferenceFeeUnits", Default, Signed;
    RESERVE_BASE: UInt32, 31, "ReserveBase", Default, Signed;
    RESERVE_INCREMENT: UInt32, 32, "ReserveIncrement", Default, Signed;
    SET_FLAG: UInt32, 33, "SetFlag", Default, Signed;
    CLEAR_FLAG: UInt32, 34, "ClearFlag", Default, Signed;
    SIGNER_QUORUM: UInt32, 35, "SignerQuorum", Default, Signed;
    CANCEL_AFTER: UInt32, 36, "CancelAfter", Default, Signed;
    FINISH_AFTER: UInt32, 37, "FinishAfter", Default, Signed;
    SIGNER_LIST_ID: UInt32, 38, "SignerListID", Default, Signed;
    SETTLE_DELAY: UInt32, 39, "SettleDelay", Default, Signed;
    TICKET_COUNT: UInt32, 40, "TicketCount", Default, Signed;
    TICKET_SEQUENCE: UInt32, 41, "TicketSequence", Default, Signed;
    NF_TOKEN_TAXON: UInt32, 42, "NFTokenTaxon", Default, Signed;
    MINTED_NF_TOKENS: UInt32, 43, "MintedNFTokens", Default, Signed;
    BURNED_NF_TOKENS: UInt32, 44, "BurnedNFTokens", Default, Signed;
    HOOK_STATE_COUNT: UInt32, 45, "HookStateCount", Default, Signed;
    EMIT_GENERATION: UInt32, 46, "EmitGeneration", Default, Signed;
    LOCK_COUNT: UInt32, 49, "LockCount", Default, Signed;
    FIRST_NF_TOKEN_SEQUENCE: UInt32, 50, "FirstNFTokenSequence", Default, Signed;
    ACTIVE_AFTER: UInt32, 60, "ActiveAfter", Default, Signed;
    LAST_ATTESTED: UInt32, 61, "LastAttested", Default, Signed;
    REVOKED_AT: UInt32, 62, "RevokedAt", Default, Signed;
    SIGNED_DATE: UInt32, 63, "SignedDate", Default, Signed;
    OBSERVED_AT: UInt32, 64, "ObservedAt", Default, Signed;
    FIRST_SEEN: UInt32, 65, "FirstSeen", Default, Signed;
    NEXT_AFTER: UInt32, 66, "NextAfter", Default, Signed;
    LAST_REKEY: UInt32, 67, "LastRekey", Default, Signed;
    XAHAU_ACTIVATION_LGR_SEQ: UInt32, 96, "XahauActivationLgrSeq", Default, Signed;
    IMPORT_SEQUENCE: UInt32, 97, "ImportSequence", Default, Signed;
    REWARD_TIME: UInt32, 98, "RewardTime", Default, Signed;
    REWARD_LGR_FIRST: UInt32, 99, "RewardLgrFirst", Default, Signed;
    REWARD_LGR_LAST: UInt32, 100, "RewardLgrLast", Default, Signed;
    INDEX_NEXT: UInt64, 1, "IndexNext", Default, Signed;
    INDEX_PREVIOUS: UInt64, 2, "IndexPrevious", Default, Signed;
    BOOK_NODE: UInt64, 3, "BookNode", Default, Signed;
    OWNER_NODE: UInt64, 4, "OwnerNode", Default, Signed;
    BASE_FEE: UInt64, 5, "BaseFee", Default, Signed;
    EXCHANGE_RATE: UInt64, 6, "ExchangeRate", Default, Signed;
    LOW_NODE: UInt64, 7, "LowNode", Default, Signed;
    HIGH_NODE: UInt64, 8, "HighNode", Default, Signed;
    DESTINATION_NODE: UInt64, 9, "DestinationNode", Default, Signed;
    COOKIE: UInt64, 10, "Cookie", Default, Signed;
    SERVER_VERSION: UInt64, 11, "ServerVersion", Default, Signed;
    NF_TOKEN_OFFER_NODE: UInt64, 12, "NFTokenOfferNode", Default, Signed;
    EMIT_BURDEN: UInt64, 13, "EmitBurden", Default, Signed;
    HOOK_INSTRUCTION_COUNT: UInt64, 17, "HookInstructionCount", Default, Signed;
    HOOK_RETURN_CODE: UInt64, 18, "HookReturnCode", Default, Signed;
    REFERENCE_COUNT: UInt64, 19, "ReferenceCount", Default, Signed;
    ACCOUNT_INDEX: UInt64, 98, "AccountIndex", Default, Signed;
    ACCOUNT_COUNT: UInt64, 99, "AccountCount", Default, Signed;
    REWARD_ACCUMULATOR: UInt64, 100, "RewardAccumulator", Default, Signed;
    EMAIL_HASH: Hash128, 1, "EmailHash", Default, Signed;
    LEDGER_HASH: Hash256, 1, "LedgerHash", Default, Signed;
    PARENT_HASH: Hash256, 2, "ParentHash", Default, Signed;
    TRANSACTION_HASH: Hash256, 3, "TransactionHash", Default, Signed;
    ACCOUNT_HASH: Hash256, 4, "AccountHash", Default, Signed;
    PREVIOUS_TXN_ID: Hash256, 5, "PreviousTxnID", DeleteFinal, Signed;
    LEDGER_INDEX: Hash256, 6, "LedgerIndex", Default, Signed;
    WALLET_LOCATOR: Hash256, 7, "WalletLocator", Default, Signed;
    ROOT_INDEX: Hash256, 8, "RootIndex", Always, Signed;
    ACCOUNT_TXN_ID: Hash256, 9, "AccountTxnID", Default, Signed;
    NF_TOKEN_ID: Hash256, 10, "NFTokenID", Default, Signed;
    EMIT_PARENT_TXN_ID: Hash256, 11, "EmitParentTxnID", Default, Signed;
    EMIT_NONCE: Hash256, 12, "EmitNonce", Default, Signed;
    EMIT_HOOK_HASH: Hash256, 13, "EmitHookHash", Default, Signed;
    BOOK_DIRECTORY: Hash256, 16, "BookDirectory", Default, Signed;
    INVOICE_ID: Hash256, 17, "InvoiceID", Default, Signed;
    NICKNAME: Hash256, 18, "Nickname", Default, Signed;
    AMENDMENT: Hash256, 19, "Amendment", Default, Signed;
    HOOK_ON: Hash256, 20, "HookOn", Default, Signed;
    DIGEST: Hash256, 21, "Digest", Default, Signed;
    CHANNEL: Hash256, 22, "Channel", Default, Signed;
    CONSENSUS_HASH: Hash256, 23, "ConsensusHash", Default, Signed;
    CHECK_ID: Hash256, 24, "CheckID", Default, Signed;
    VALIDATED_HASH: Hash256, 25, "ValidatedHash", Default, Signed;
    PREVIOUS_PAGE_MIN: Hash256, 26, "PreviousPageMin", Default, Signed;
    NEXT_PAGE_MIN: Hash256, 27, "NextPageMin", Default, Signed;
    NF_TOKEN_BUY_OFFER: Hash256, 28, "NFTokenBuyOffer", Default, Signed;
    NF_TOKEN_SELL_OFFER: Hash256, 29, "NFTokenSellOffer", Default, Signed;
    HOOK_STATE_KEY: Hash256, 30, "HookStateKey", Default, Signed;
    HOOK_HASH: Hash256, 31, "HookHash", Default, Signed;
    HOOK_NAMESPACE: Hash256, 32, "HookNamespace", Default, Signed;
    HOOK_SET_TXN_ID: Hash256, 33, "HookSetTxnID", Default, Signed;
    OFFER_ID: Hash256, 34, "OfferID", Default, Signed;
    ESCROW_ID: Hash256, 35, "EscrowID", Default, Signed;
    URI_TOKEN_ID: Hash256, 36, "URITokenID", Default, Signed;
    EMAIL_ID: Hash256, 60, "EmailID", Default, Signed;
    SIGNATURE_HASH: Hash256, 61, "SignatureHash", Default, Signed;
    LAST_REKEY_ID: Hash256, 62, "LastRekeyID", Default, Signed;
    REKEY_MARK: Hash256, 63, "RekeyMark", Default, Signed;
    EMITTED_TXN_ID: Hash256, 97, "EmittedTxnID", Default, Signed;
    GOVERNANCE_MARKS: Hash256, 98, "GovernanceMarks", Default, Signed;
    GOVERNANCE_FLAGS: Hash256, 99, "GovernanceFlags", Default, Signed;
    AMOUNT: Amount, 1, "Amount", Default, Signed;
    BALANCE: Amount, 2, "Balance", Default, Signed;
    LIMIT_AMOUNT: Amount, 3, "LimitAmount", Default, Signed;
    TAKER_PAYS: Amount, 4, "TakerPays", Default, Signed;
    TAKER_GETS: Amount, 5, "TakerGets", Default, Signed;
    LOW_LIMIT: Amount, 6, "LowLimit", Default, Signed;
    HIGH_LIMIT: Amount, 7, "HighLimit", Default, Signed;
    FEE: Amount, 8, "Fee", Default, Signed;
    SEND_MAX: Amount, 9, "SendMax", Default, Signed;
    DELIVER_MIN: Amount, 10, "DeliverMin", Default, Signed;
    MINIMUM_OFFER: Amount, 16, "MinimumOffer", Default, Signed;
    RIPPLE_ESCROW: Amount, 17, "RippleEscrow", Default, Signed;
    DELIVERED_AMOUNT: Amount, 18, "DeliveredAmount", Default, Signed;
    NF_TOKEN_BROKER_FEE: Amount, 19, "NFTokenBrokerFee", Default, Signed;
    HOOK_CALLBACK_FEE: Amount, 20, "HookCallbackFee", Default, Signed;
    LOCKED_BALANCE: Amount, 21, "LockedBalance", Default, Signed;
    BASE_FEE_DROPS: Amount, 22, "BaseFeeDrops", Default, Signed;
    RESERVE_BASE_DROPS: Amount, 23, "ReserveBaseDrops", Default, Signed;
    RESERVE_INCREMENT_DROPS: Amount, 24, "ReserveIncrementDrops", Default, Signed;
    PUBLIC_KEY: Blob, 1, "PublicKey", Default, Signed;
    MESSAGE_KEY: Blob, 2, "MessageKey", Default, Signed;
    SIGNING_PUB_KEY: Blob, 3, "SigningPubKey", Default, Signed;
    TXN_SIGNATURE: Blob, 4, "TxnSignature", Default, Unsigned;
    URI: Blob, 5, "URI", Default, Signed;
    SIGNATURE: Blob, 6, "Signature", Default, Unsigned;
    DOMAIN: Blob, 7, "Domain", Default, Signed;
    FUND_CODE: Blob, 8, "FundCode", Default, Signed;
    REMOVE_CODE: Blob, 9, "RemoveCode", Default, Signed;
    EXPIRE_CODE: Blob, 10, "ExpireCode", Default, Signed;
    CREATE_CODE: Blob, 11, "CreateCode", Default, Signed;
    MEMO_TYPE: Blob, 12, "MemoType", Default, Signed;
    MEMO_DATA: Blob, 13, "MemoData", Default, Signed;
    MEMO_FORMAT: Blob, 14, "MemoFormat", Default, Signed;
    FULFILLMENT: Blob, 16, "Fulfillment", Default, Signed;
    CONDITION: Blob, 17, "Condition", Default, Signed;
    MASTER_SIGNATURE: Blob, 18, "MasterSignature", Default, Unsigned;
    UNL_MODIFY_VALIDATOR: Blob, 19, "UNLModifyValidator", Default, Signed;
    VALIDATOR_TO_DISABLE: Blob, 20, "ValidatorToDisable", Default, Signed;
    VALIDATOR_TO_RE_ENABLE: Blob, 21, "ValidatorToReEnable", Default, Signed;
    HOOK_STATE_DATA: Blob, 22, "HookStateData", Default, Signed;
    HOOK_RETURN_STRING: Blob, 23, "HookReturnString", Default, Signed;
    HOOK_PARAMETER_NAME: Blob, 24, "HookParameterName", Default, Signed;
    HOOK_PARAMETER_VALUE: Blob, 25, "HookParameterValue", Default, Signed;
    BLOB: Blob, 26, "Blob", Default, Signed;
    SELECTOR: Blob, 60, "Selector", Default, Signed;
    DKIM_RECORD: Blob, 61, "DKIMRecord", Default, Signed;
    NEXT_KEY: Blob, 62, "NextKey", Default, Signed;
    KEY_SIGNATURE: Blob, 63, "KeySignature", Default, Signed;
    DKIM_ANSWERS: Blob, 64, "DKIMAnswers", Default, Signed;
    ACCOUNT: Account, 1, "Account", Default, Signed;
    OWNER: Account, 2, "Owner", Default, Signed;
    DESTINATION: Account, 3, "Destination", Default, Signed;
    ISSUER: Account, 4, "Issuer", Default, Signed;
    AUTHORIZE: Account, 5, "Authorize", Default, Signed;
    UNAUTHORIZE: Account, 6, "Unauthorize", Default, Signed;
    REGULAR_KEY: Account, 8, "RegularKey", Default, Signed;
    NF_TOKEN_MINTER: Account, 9, "NFTokenMinter", Default, Signed;
    EMIT_CALLBACK: Account, 10, "EmitCallback", Default, Signed;
    HOOK_ACCOUNT: Account, 16, "HookAccount", Default, Signed;
    INFORM: Account, 99, "Inform", Default, Signed;
    TRANSACTION_META_DATA: Object, 2, "TransactionMetaData", Default, Signed;
    CREATED_NODE: Object, 3, "CreatedNode", Default, Signed;
    DELETED_NODE: Object, 4, "DeletedNode", Default, Signed;
    MODIFIED_NODE: Object, 5, "ModifiedNode", Default, Signed;
    PREVIOUS_FIELDS: Object, 6, "PreviousFields", Default, Signed;
    FINAL_FIELDS: Object, 7, "FinalFields", Default, Signed;
    NEW_FIELDS: Object, 8, "NewFields", Default, Signed;
    TEMPLATE_ENTRY: Object, 9, "TemplateEntry", Default, Signed;
    MEMO: Object, 10, "Memo", Default, Signed;
    SIGNER_ENTRY: Object, 11, "SignerEntry", Default, Signed;
    NF_TOKEN: Object, 12, "NFToken", Default, Signed;
    EMIT_DETAILS: Object, 13, "EmitDetails", Default, Signed;
    HOOK: Object, 14, "Hook", Default, Signed;
    SIGNER: Object, 16, "Signer", Default, Signed;
    MAJORITY: Object, 18, "Majority", Default, Signed;
    DISABLED_VALIDATOR: Object, 19, "DisabledValidator", Default, Signed;
    EMITTED_TXN: Object, 20, "EmittedTxn", Default, Signed;
    HOOK_EXECUTION: Object, 21, "HookExecution", Default, Signed;
    HOOK_DEFINITION: Object, 22, "HookDefinition", Default, Signed;
    HOOK_PARAMETER: Object, 23, "HookParameter", Default, Signed;
    HOOK_GRANT: Object, 24, "HookGrant", Default, Signed;
    EMAIL_REPLAY_ENTRY: Object, 60, "EmailReplayEntry", Default, Signed;
    DKIM_ATTESTATION: Object, 61, "DKIMAttestation", Default, Signed;
    VOTE: Object, 62, "Vote", Default, Signed;
    AMOUNT_ENTRY: Object, 91, "AmountEntry", Default, Signed;
    MINT_URI_TOKEN: Object, 92, "MintURIToken", Default, Signed;
    HOOK_EMISSION: Object, 93, "HookEmission", Default, Signed;
    IMPORT_VL_KEY: Object, 94, "ImportVLKey", Default, Signed;
    ACTIVE_VALIDATOR: Object, 95, "ActiveValidator", Default, Signed;
    GENESIS_MINT: Object, 96, "GenesisMint", Default, Signed;
    SIGNERS: Array, 3, "Signers", Default, Unsigned;
    SIGNER_ENTRIES: Array, 4, "SignerEntries", Default, Signed;
    TEMPLATE: Array, 5, "Template", Default, Signed;
    NECESSARY: Array, 6, "Necessary", Default, Signed;
    SUFFICIENT: Array, 7, "Sufficient", Default, Signed;
    AFFECTED_NODES: Array, 8, "AffectedNodes", Default, Signed;
    MEMOS: Array, 9, "Memos", Default, Signed;
    NF_TOKENS: Array, 10, "NFTokens", Default, Signed;
    HOOKS: Array, 11, "Hooks", Default, Signed;
    MAJORITIES: Array, 16, "Majorities", Default, Signed;
    DISABLED_VALIDATORS: Array, 17, "DisabledValidators", Default, Signed;
    HOOK_EXECUTIONS: Array, 18, "HookExecutions", Default, Signed;
    HOOK_PARAMETERS: Array, 19, "HookParameters", Default, Signed;
    HOOK_GRANTS: Array, 20, "HookGrants", Default, Signed;
    EMAIL_REPLAY_ENTRIES: Array, 60, "EmailReplayEntries", Never, Signed;
    DKIM_ATTESTATIONS: Array, 61, "DKIMAttestations", Default, Signed;
    VOTES: Array, 62, "Votes", Default, Signed;
    AMOUNTS: Array, 92, "Amounts", Default, Signed;
    HOOK_EMISSIONS: Array, 93, "HookEmissions", Default, Signed;
    IMPORT_VL_KEYS: Array, 94, "ImportVLKeys", Default, Signed;
    ACTIVE_VALIDATORS: Array, 95, "ActiveValidators", Default, Signed;
    GENESIS_MINTS: Array, 96, "GenesisMints", Default, Signed;
    CLOSE_RESOLUTION: UInt8, 1, "CloseResolution", Default, Signed;
    METHOD: UInt8, 2, "Method", Default, Signed;
    TRANSACTION_RESULT: UInt8, 3, "TransactionResult", Default, Signed;
    TICK_SIZE: UInt8, 16, "TickSize", Default, Signed;
    UNL_MODIFY_DISABLING: UInt8, 17, "UNLModifyDisabling", Default, Signed;
    HOOK_RESULT: UInt8, 18, "HookResult", Default, Signed;
    DKIM_KEY_TYPE: UInt8, 60, "DKIMKeyType", Default, Signed;
    NEXT_KEY_TYPE: UInt8, 61, "NextKeyType", Default, Signed;
    TAKER_PAYS_CURRENCY: Hash160, 1, "TakerPaysCurrency", Default, Signed;
    TAKER_PAYS_ISSUER: Hash160, 2, "TakerPaysIssuer", Default, Signed;
    TAKER_GETS_CURRENCY: Hash160, 3, "TakerGetsCurrency", Default, Signed;
    TAKER_GETS_ISSUER: Hash160, 4, "TakerGetsIssuer", Default, Signed;
    PATHS: PathSet, 1, "Paths", Default, Signed;
    INDEXES: Vector256, 1, "Indexes", Never, Signed;
    HASHES: Vector256, 2, "Hashes", Default, Signed;
    AMENDMENTS: Vector256, 3, "Amendments", Default, Signed;
    NF_TOKEN_OFFERS: Vector256, 4, "NFTokenOffers", Default, Signed;
    HOOK_NAMESPACES: Vector256, 5, "HookNamespaces", Default, Signed;
    URI_TOKEN_IDS: Vector256, 99, "URITokenIDs", Default, Signed;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fields that this project adds. Spec: 1
    const OURS: [&str; 25] = [
        "KeySignature",
        "DKIMAnswers",
        "DKIMKeyType",
        "NextKeyType",
        "ActiveAfter",
        "LastAttested",
        "RevokedAt",
        "SignedDate",
        "ObservedAt",
        "FirstSeen",
        "NextAfter",
        "LastRekey",
        "EmailID",
        "SignatureHash",
        "LastRekeyID",
        "RekeyMark",
        "Selector",
        "DKIMRecord",
        "NextKey",
        "EmailReplayEntry",
        "DKIMAttestation",
        "EmailReplayEntries",
        "DKIMAttestations",
        "Vote",
        "Votes",
    ];

    #[test]
    fn table_is_that_of_the_recorded_server() {
        let text = std::fs::read_to_string(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../fixtures/golden/xahaud/server_definitions.json"
        ))
        .expect("fixture");
        let definitions: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let definitions = definitions.get("result").unwrap_or(&definitions);
        let mut seen = 0;
        for row in definitions["FIELDS"].as_array().expect("list") {
            let (name, info) = (row[0].as_str().expect("name"), &row[1]);
            let type_code = definitions["TYPES"][info["type"].as_str().expect("type")]
                .as_i64()
                .expect("code");
            let nth = info["nth"].as_i64().expect("nth");
            let is_marker = matches!(name, "ObjectEndMarker" | "ArrayEndMarker" | "hash" | "index");
            let on_the_wire = info["isSerialized"] == true && (1..256).contains(&type_code) && nth < 256;
            if !on_the_wire || is_marker {
                continue;
            }
            let field = Field::by_name(name).unwrap_or_else(|| panic!("{name} is missing"));
            assert_eq!(i64::from(field.field_type().code()), type_code, "{name}");
            assert_eq!(field.field_type().name(), info["type"], "{name}");
            assert_eq!(i64::from(field.nth()), nth, "{name}");
            assert_eq!(field.is_signing(), info["isSigningField"] == true, "{name}");
            seen += 1;
        }
        assert_eq!(seen + OURS.len(), ALL.len());
        assert!(OURS.iter().all(|name| Field::by_name(name).is_some()));
    }

    #[test]
    fn table_is_sorted_without_doubles() {
        assert!(ALL.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
