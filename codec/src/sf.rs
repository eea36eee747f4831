//! The fields by name: xahaud's table (server_definitions), then ours (`Spec: 1`).
//!
//! A test compares the table with the recorded `server_definitions.json`.

use crate::field::{Field, Meta, Signing};

macro_rules! fields {
    ($($konst:ident: $type_code:literal, $nth:literal, $name:literal, $meta:ident, $signing:ident;)*) => {
        $(
            #[doc = concat!("`", $name, "`: type ", stringify!($type_code), ", nth ", stringify!($nth), ".")]
            pub const $konst: Field = Field::define($type_code, $nth, $name, Meta::$meta, Signing::$signing);
        )*
        /// Every field, in canonical order.
        pub static ALL: &[Field] = &[$($konst),*];
    };
}

impl Field {
    /// The field with this type and nth.
    pub fn by_code(type_code: u16, nth: u16) -> Option<Field> {
        let code = (u32::from(type_code) << 16) | u32::from(nth);
        ALL.binary_search_by_key(&code, |field| field.code())
            .ok()
            .map(|at| ALL[at])
    }

    /// The field with this name (case matters).
    pub fn by_name(name: &str) -> Option<Field> {
        ALL.iter().copied().find(|field| field.name() == name)
    }
}

fields! {
    LEDGER_ENTRY_TYPE: 1, 1, "LedgerEntryType", Never, Signed;
    TRANSACTION_TYPE: 1, 2, "TransactionType", Default, Signed;
    SIGNER_WEIGHT: 1, 3, "SignerWeight", Default, Signed;
    TRANSFER_FEE: 1, 4, "TransferFee", Default, Signed;
    VERSION: 1, 16, "Version", Default, Signed;
    HOOK_STATE_CHANGE_COUNT: 1, 17, "HookStateChangeCount", Default, Signed;
    HOOK_EMIT_COUNT: 1, 18, "HookEmitCount", Default, Signed;
    HOOK_EXECUTION_INDEX: 1, 19, "HookExecutionIndex", Default, Signed;
    HOOK_API_VERSION: 1, 20, "HookApiVersion", Default, Signed;
    NETWORK_ID: 2, 1, "NetworkID", Default, Signed;
    FLAGS: 2, 2, "Flags", Default, Signed;
    SOURCE_TAG: 2, 3, "SourceTag", Default, Signed;
    SEQUENCE: 2, 4, "Sequence", Default, Signed;
    PREVIOUS_TXN_LGR_SEQ: 2, 5, "PreviousTxnLgrSeq", DeleteFinal, Signed;
    LEDGER_SEQUENCE: 2, 6, "LedgerSequence", Default, Signed;
    CLOSE_TIME: 2, 7, "CloseTime", Default, Signed;
    PARENT_CLOSE_TIME: 2, 8, "ParentCloseTime", Default, Signed;
    SIGNING_TIME: 2, 9, "SigningTime", Default, Signed;
    EXPIRATION: 2, 10, "Expiration", Default, Signed;
    TRANSFER_RATE: 2, 11, "TransferRate", Default, Signed;
    WALLET_SIZE: 2, 12, "WalletSize", Default, Signed;
    OWNER_COUNT: 2, 13, "OwnerCount", Default, Signed;
    DESTINATION_TAG: 2, 14, "DestinationTag", Default, Signed;
    HIGH_QUALITY_IN: 2, 16, "HighQualityIn", Default, Signed;
    HIGH_QUALITY_OUT: 2, 17, "HighQualityOut", Default, Signed;
    LOW_QUALITY_IN: 2, 18, "LowQualityIn", Default, Signed;
    LOW_QUALITY_OUT: 2, 19, "LowQualityOut", Default, Signed;
    QUALITY_IN: 2, 20, "QualityIn", Default, Signed;
    QUALITY_OUT: 2, 21, "QualityOut", Default, Signed;
    STAMP_ESCROW: 2, 22, "StampEscrow", Default, Signed;
    BOND_AMOUNT: 2, 23, "BondAmount", Default, Signed;
    LOAD_FEE: 2, 24, "LoadFee", Default, Signed;
    OFFER_SEQUENCE: 2, 25, "OfferSequence", Default, Signed;
    FIRST_LEDGER_SEQUENCE: 2, 26, "FirstLedgerSequence", Default, Signed;
    LAST_LEDGER_SEQUENCE: 2, 27, "LastLedgerSequence", Default, Signed;
    TRANSACTION_INDEX: 2, 28, "TransactionIndex", Default, Signed;
    OPERATION_LIMIT: 2, 29, "OperationLimit", Default, Signed;
    REFERENCE_FEE_UNITS: 2, 30, "ReferenceFeeUnits", Default, Signed;
    RESERVE_BASE: 2, 31, "ReserveBase", Default, Signed;
    RESERVE_INCREMENT: 2, 32, "ReserveIncrement", Default, Signed;
    SET_FLAG: 2, 33, "SetFlag", Default, Signed;
    CLEAR_FLAG: 2, 34, "ClearFlag", Default, Signed;
    SIGNER_QUORUM: 2, 35, "SignerQuorum", Default, Signed;
    CANCEL_AFTER: 2, 36, "CancelAfter", Default, Signed;
    FINISH_AFTER: 2, 37, "FinishAfter", Default, Signed;
    SIGNER_LIST_ID: 2, 38, "SignerListID", Default, Signed;
    SETTLE_DELAY: 2, 39, "SettleDelay", Default, Signed;
    TICKET_COUNT: 2, 40, "TicketCount", Default, Signed;
    TICKET_SEQUENCE: 2, 41, "TicketSequence", Default, Signed;
    NF_TOKEN_TAXON: 2, 42, "NFTokenTaxon", Default, Signed;
    MINTED_NF_TOKENS: 2, 43, "MintedNFTokens", Default, Signed;
    BURNED_NF_TOKENS: 2, 44, "BurnedNFTokens", Default, Signed;
    HOOK_STATE_COUNT: 2, 45, "HookStateCount", Default, Signed;
    EMIT_GENERATION: 2, 46, "EmitGeneration", Default, Signed;
    LOCK_COUNT: 2, 49, "LockCount", Default, Signed;
    FIRST_NF_TOKEN_SEQUENCE: 2, 50, "FirstNFTokenSequence", Default, Signed;
    ACTIVE_AFTER: 2, 60, "ActiveAfter", Default, Signed;
    LAST_ATTESTED: 2, 61, "LastAttested", Default, Signed;
    REVOKED_AT: 2, 62, "RevokedAt", Default, Signed;
    SIGNED_DATE: 2, 63, "SignedDate", Default, Signed;
    OBSERVED_AT: 2, 64, "ObservedAt", Default, Signed;
    FIRST_SEEN: 2, 65, "FirstSeen", Default, Signed;
    NEXT_AFTER: 2, 66, "NextAfter", Default, Signed;
    LAST_REKEY: 2, 67, "LastRekey", Default, Signed;
    XAHAU_ACTIVATION_LGR_SEQ: 2, 96, "XahauActivationLgrSeq", Default, Signed;
    IMPORT_SEQUENCE: 2, 97, "ImportSequence", Default, Signed;
    REWARD_TIME: 2, 98, "RewardTime", Default, Signed;
    REWARD_LGR_FIRST: 2, 99, "RewardLgrFirst", Default, Signed;
    REWARD_LGR_LAST: 2, 100, "RewardLgrLast", Default, Signed;
    INDEX_NEXT: 3, 1, "IndexNext", Default, Signed;
    INDEX_PREVIOUS: 3, 2, "IndexPrevious", Default, Signed;
    BOOK_NODE: 3, 3, "BookNode", Default, Signed;
    OWNER_NODE: 3, 4, "OwnerNode", Default, Signed;
    BASE_FEE: 3, 5, "BaseFee", Default, Signed;
    EXCHANGE_RATE: 3, 6, "ExchangeRate", Default, Signed;
    LOW_NODE: 3, 7, "LowNode", Default, Signed;
    HIGH_NODE: 3, 8, "HighNode", Default, Signed;
    DESTINATION_NODE: 3, 9, "DestinationNode", Default, Signed;
    COOKIE: 3, 10, "Cookie", Default, Signed;
    SERVER_VERSION: 3, 11, "ServerVersion", Default, Signed;
    NF_TOKEN_OFFER_NODE: 3, 12, "NFTokenOfferNode", Default, Signed;
    EMIT_BURDEN: 3, 13, "EmitBurden", Default, Signed;
    HOOK_INSTRUCTION_COUNT: 3, 17, "HookInstructionCount", Default, Signed;
    HOOK_RETURN_CODE: 3, 18, "HookReturnCode", Default, Signed;
    REFERENCE_COUNT: 3, 19, "ReferenceCount", Default, Signed;
    ACCOUNT_INDEX: 3, 98, "AccountIndex", Default, Signed;
    ACCOUNT_COUNT: 3, 99, "AccountCount", Default, Signed;
    REWARD_ACCUMULATOR: 3, 100, "RewardAccumulator", Default, Signed;
    EMAIL_HASH: 4, 1, "EmailHash", Default, Signed;
    LEDGER_HASH: 5, 1, "LedgerHash", Default, Signed;
    PARENT_HASH: 5, 2, "ParentHash", Default, Signed;
    TRANSACTION_HASH: 5, 3, "TransactionHash", Default, Signed;
    ACCOUNT_HASH: 5, 4, "AccountHash", Default, Signed;
    PREVIOUS_TXN_ID: 5, 5, "PreviousTxnID", DeleteFinal, Signed;
    LEDGER_INDEX: 5, 6, "LedgerIndex", Default, Signed;
    WALLET_LOCATOR: 5, 7, "WalletLocator", Default, Signed;
    ROOT_INDEX: 5, 8, "RootIndex", Always, Signed;
    ACCOUNT_TXN_ID: 5, 9, "AccountTxnID", Default, Signed;
    NF_TOKEN_ID: 5, 10, "NFTokenID", Default, Signed;
    EMIT_PARENT_TXN_ID: 5, 11, "EmitParentTxnID", Default, Signed;
    EMIT_NONCE: 5, 12, "EmitNonce", Default, Signed;
    EMIT_HOOK_HASH: 5, 13, "EmitHookHash", Default, Signed;
    BOOK_DIRECTORY: 5, 16, "BookDirectory", Default, Signed;
    INVOICE_ID: 5, 17, "InvoiceID", Default, Signed;
    NICKNAME: 5, 18, "Nickname", Default, Signed;
    AMENDMENT: 5, 19, "Amendment", Default, Signed;
    HOOK_ON: 5, 20, "HookOn", Default, Signed;
    DIGEST: 5, 21, "Digest", Default, Signed;
    CHANNEL: 5, 22, "Channel", Default, Signed;
    CONSENSUS_HASH: 5, 23, "ConsensusHash", Default, Signed;
    CHECK_ID: 5, 24, "CheckID", Default, Signed;
    VALIDATED_HASH: 5, 25, "ValidatedHash", Default, Signed;
    PREVIOUS_PAGE_MIN: 5, 26, "PreviousPageMin", Default, Signed;
    NEXT_PAGE_MIN: 5, 27, "NextPageMin", Default, Signed;
    NF_TOKEN_BUY_OFFER: 5, 28, "NFTokenBuyOffer", Default, Signed;
    NF_TOKEN_SELL_OFFER: 5, 29, "NFTokenSellOffer", Default, Signed;
    HOOK_STATE_KEY: 5, 30, "HookStateKey", Default, Signed;
    HOOK_HASH: 5, 31, "HookHash", Default, Signed;
    HOOK_NAMESPACE: 5, 32, "HookNamespace", Default, Signed;
    HOOK_SET_TXN_ID: 5, 33, "HookSetTxnID", Default, Signed;
    OFFER_ID: 5, 34, "OfferID", Default, Signed;
    ESCROW_ID: 5, 35, "EscrowID", Default, Signed;
    URI_TOKEN_ID: 5, 36, "URITokenID", Default, Signed;
    EMAIL_ID: 5, 60, "EmailID", Default, Signed;
    SIGNATURE_HASH: 5, 61, "SignatureHash", Default, Signed;
    EMITTED_TXN_ID: 5, 97, "EmittedTxnID", Default, Signed;
    GOVERNANCE_MARKS: 5, 98, "GovernanceMarks", Default, Signed;
    GOVERNANCE_FLAGS: 5, 99, "GovernanceFlags", Default, Signed;
    AMOUNT: 6, 1, "Amount", Default, Signed;
    BALANCE: 6, 2, "Balance", Default, Signed;
    LIMIT_AMOUNT: 6, 3, "LimitAmount", Default, Signed;
    TAKER_PAYS: 6, 4, "TakerPays", Default, Signed;
    TAKER_GETS: 6, 5, "TakerGets", Default, Signed;
    LOW_LIMIT: 6, 6, "LowLimit", Default, Signed;
    HIGH_LIMIT: 6, 7, "HighLimit", Default, Signed;
    FEE: 6, 8, "Fee", Default, Signed;
    SEND_MAX: 6, 9, "SendMax", Default, Signed;
    DELIVER_MIN: 6, 10, "DeliverMin", Default, Signed;
    MINIMUM_OFFER: 6, 16, "MinimumOffer", Default, Signed;
    RIPPLE_ESCROW: 6, 17, "RippleEscrow", Default, Signed;
    DELIVERED_AMOUNT: 6, 18, "DeliveredAmount", Default, Signed;
    NF_TOKEN_BROKER_FEE: 6, 19, "NFTokenBrokerFee", Default, Signed;
    HOOK_CALLBACK_FEE: 6, 20, "HookCallbackFee", Default, Signed;
    LOCKED_BALANCE: 6, 21, "LockedBalance", Default, Signed;
    BASE_FEE_DROPS: 6, 22, "BaseFeeDrops", Default, Signed;
    RESERVE_BASE_DROPS: 6, 23, "ReserveBaseDrops", Default, Signed;
    RESERVE_INCREMENT_DROPS: 6, 24, "ReserveIncrementDrops", Default, Signed;
    PUBLIC_KEY: 7, 1, "PublicKey", Default, Signed;
    MESSAGE_KEY: 7, 2, "MessageKey", Default, Signed;
    SIGNING_PUB_KEY: 7, 3, "SigningPubKey", Default, Signed;
    TXN_SIGNATURE: 7, 4, "TxnSignature", Default, Unsigned;
    URI: 7, 5, "URI", Default, Signed;
    SIGNATURE: 7, 6, "Signature", Default, Unsigned;
    DOMAIN: 7, 7, "Domain", Default, Signed;
    FUND_CODE: 7, 8, "FundCode", Default, Signed;
    REMOVE_CODE: 7, 9, "RemoveCode", Default, Signed;
    EXPIRE_CODE: 7, 10, "ExpireCode", Default, Signed;
    CREATE_CODE: 7, 11, "CreateCode", Default, Signed;
    MEMO_TYPE: 7, 12, "MemoType", Default, Signed;
    MEMO_DATA: 7, 13, "MemoData", Default, Signed;
    MEMO_FORMAT: 7, 14, "MemoFormat", Default, Signed;
    FULFILLMENT: 7, 16, "Fulfillment", Default, Signed;
    CONDITION: 7, 17, "Condition", Default, Signed;
    MASTER_SIGNATURE: 7, 18, "MasterSignature", Default, Unsigned;
    UNL_MODIFY_VALIDATOR: 7, 19, "UNLModifyValidator", Default, Signed;
    VALIDATOR_TO_DISABLE: 7, 20, "ValidatorToDisable", Default, Signed;
    VALIDATOR_TO_RE_ENABLE: 7, 21, "ValidatorToReEnable", Default, Signed;
    HOOK_STATE_DATA: 7, 22, "HookStateData", Default, Signed;
    HOOK_RETURN_STRING: 7, 23, "HookReturnString", Default, Signed;
    HOOK_PARAMETER_NAME: 7, 24, "HookParameterName", Default, Signed;
    HOOK_PARAMETER_VALUE: 7, 25, "HookParameterValue", Default, Signed;
    BLOB: 7, 26, "Blob", Default, Signed;
    SELECTOR: 7, 60, "Selector", Default, Signed;
    DKIM_RECORD: 7, 61, "DKIMRecord", Default, Signed;
    NEXT_KEY: 7, 62, "NextKey", Default, Signed;
    ACCOUNT: 8, 1, "Account", Default, Signed;
    OWNER: 8, 2, "Owner", Default, Signed;
    DESTINATION: 8, 3, "Destination", Default, Signed;
    ISSUER: 8, 4, "Issuer", Default, Signed;
    AUTHORIZE: 8, 5, "Authorize", Default, Signed;
    UNAUTHORIZE: 8, 6, "Unauthorize", Default, Signed;
    REGULAR_KEY: 8, 8, "RegularKey", Default, Signed;
    NF_TOKEN_MINTER: 8, 9, "NFTokenMinter", Default, Signed;
    EMIT_CALLBACK: 8, 10, "EmitCallback", Default, Signed;
    HOOK_ACCOUNT: 8, 16, "HookAccount", Default, Signed;
    INFORM: 8, 99, "Inform", Default, Signed;
    TRANSACTION_META_DATA: 14, 2, "TransactionMetaData", Default, Signed;
    CREATED_NODE: 14, 3, "CreatedNode", Default, Signed;
    DELETED_NODE: 14, 4, "DeletedNode", Default, Signed;
    MODIFIED_NODE: 14, 5, "ModifiedNode", Default, Signed;
    PREVIOUS_FIELDS: 14, 6, "PreviousFields", Default, Signed;
    FINAL_FIELDS: 14, 7, "FinalFields", Default, Signed;
    NEW_FIELDS: 14, 8, "NewFields", Default, Signed;
    TEMPLATE_ENTRY: 14, 9, "TemplateEntry", Default, Signed;
    MEMO: 14, 10, "Memo", Default, Signed;
    SIGNER_ENTRY: 14, 11, "SignerEntry", Default, Signed;
    NF_TOKEN: 14, 12, "NFToken", Default, Signed;
    EMIT_DETAILS: 14, 13, "EmitDetails", Default, Signed;
    HOOK: 14, 14, "Hook", Default, Signed;
    SIGNER: 14, 16, "Signer", Default, Signed;
    MAJORITY: 14, 18, "Majority", Default, Signed;
    DISABLED_VALIDATOR: 14, 19, "DisabledValidator", Default, Signed;
    EMITTED_TXN: 14, 20, "EmittedTxn", Default, Signed;
    HOOK_EXECUTION: 14, 21, "HookExecution", Default, Signed;
    HOOK_DEFINITION: 14, 22, "HookDefinition", Default, Signed;
    HOOK_PARAMETER: 14, 23, "HookParameter", Default, Signed;
    HOOK_GRANT: 14, 24, "HookGrant", Default, Signed;
    EMAIL_REPLAY_ENTRY: 14, 60, "EmailReplayEntry", Default, Signed;
    DKIM_ATTESTATION: 14, 61, "DKIMAttestation", Default, Signed;
    AMOUNT_ENTRY: 14, 91, "AmountEntry", Default, Signed;
    MINT_URI_TOKEN: 14, 92, "MintURIToken", Default, Signed;
    HOOK_EMISSION: 14, 93, "HookEmission", Default, Signed;
    IMPORT_VL_KEY: 14, 94, "ImportVLKey", Default, Signed;
    ACTIVE_VALIDATOR: 14, 95, "ActiveValidator", Default, Signed;
    GENESIS_MINT: 14, 96, "GenesisMint", Default, Signed;
    SIGNERS: 15, 3, "Signers", Default, Unsigned;
    SIGNER_ENTRIES: 15, 4, "SignerEntries", Default, Signed;
    TEMPLATE: 15, 5, "Template", Default, Signed;
    NECESSARY: 15, 6, "Necessary", Default, Signed;
    SUFFICIENT: 15, 7, "Sufficient", Default, Signed;
    AFFECTED_NODES: 15, 8, "AffectedNodes", Default, Signed;
    MEMOS: 15, 9, "Memos", Default, Signed;
    NF_TOKENS: 15, 10, "NFTokens", Default, Signed;
    HOOKS: 15, 11, "Hooks", Default, Signed;
    MAJORITIES: 15, 16, "Majorities", Default, Signed;
    DISABLED_VALIDATORS: 15, 17, "DisabledValidators", Default, Signed;
    HOOK_EXECUTIONS: 15, 18, "HookExecutions", Default, Signed;
    HOOK_PARAMETERS: 15, 19, "HookParameters", Default, Signed;
    HOOK_GRANTS: 15, 20, "HookGrants", Default, Signed;
    EMAIL_REPLAY_ENTRIES: 15, 60, "EmailReplayEntries", Never, Signed;
    DKIM_ATTESTATIONS: 15, 61, "DKIMAttestations", Default, Signed;
    AMOUNTS: 15, 92, "Amounts", Default, Signed;
    HOOK_EMISSIONS: 15, 93, "HookEmissions", Default, Signed;
    IMPORT_VL_KEYS: 15, 94, "ImportVLKeys", Default, Signed;
    ACTIVE_VALIDATORS: 15, 95, "ActiveValidators", Default, Signed;
    GENESIS_MINTS: 15, 96, "GenesisMints", Default, Signed;
    CLOSE_RESOLUTION: 16, 1, "CloseResolution", Default, Signed;
    METHOD: 16, 2, "Method", Default, Signed;
    TRANSACTION_RESULT: 16, 3, "TransactionResult", Default, Signed;
    TICK_SIZE: 16, 16, "TickSize", Default, Signed;
    UNL_MODIFY_DISABLING: 16, 17, "UNLModifyDisabling", Default, Signed;
    HOOK_RESULT: 16, 18, "HookResult", Default, Signed;
    DKIM_KEY_TYPE: 16, 60, "DKIMKeyType", Default, Signed;
    NEXT_KEY_TYPE: 16, 61, "NextKeyType", Default, Signed;
    TAKER_PAYS_CURRENCY: 17, 1, "TakerPaysCurrency", Default, Signed;
    TAKER_PAYS_ISSUER: 17, 2, "TakerPaysIssuer", Default, Signed;
    TAKER_GETS_CURRENCY: 17, 3, "TakerGetsCurrency", Default, Signed;
    TAKER_GETS_ISSUER: 17, 4, "TakerGetsIssuer", Default, Signed;
    PATHS: 18, 1, "Paths", Default, Signed;
    INDEXES: 19, 1, "Indexes", Never, Signed;
    HASHES: 19, 2, "Hashes", Default, Signed;
    AMENDMENTS: 19, 3, "Amendments", Default, Signed;
    NF_TOKEN_OFFERS: 19, 4, "NFTokenOffers", Default, Signed;
    HOOK_NAMESPACES: 19, 5, "HookNamespaces", Default, Signed;
    URI_TOKEN_IDS: 19, 99, "URITokenIDs", Default, Signed;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fields that this project adds. Spec: 1
    const OURS: [&str; 19] = [
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
        "Selector",
        "DKIMRecord",
        "NextKey",
        "EmailReplayEntry",
        "DKIMAttestation",
        "EmailReplayEntries",
        "DKIMAttestations",
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
            assert_eq!(i64::from(field.type_code()), type_code, "{name}");
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
