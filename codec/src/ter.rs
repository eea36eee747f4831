//! Result codes: number, token, one sentence (xahaud TER.h; ours: `Spec: 10`).

use std::fmt;

/// Class of a result: whether it takes a fee, and whether the transaction enters the ledger.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum TerClass {
    /// Local refusal: not relayed, no fee.
    Tel,
    /// Malformed: can never succeed, no fee.
    Tem,
    /// Failure: cannot succeed in this ledger, no fee.
    Tef,
    /// Retry: may succeed later, no fee.
    Ter,
    /// Success, fee taken.
    Tes,
    /// Failed, but the fee is taken and the transaction stands in the ledger.
    Tec,
}

/// Result of a transaction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ter(i32);

macro_rules! results {
    ($($konst:ident = $code:literal, $token:literal, $message:literal;)*) => {
        impl Ter {
            $(
                #[doc = concat!("`", $token, "` (", stringify!($code), "). ", $message)]
                pub const $konst: Ter = Ter($code);
            )*
        }

        /// Every result by number: code, token, sentence (empty: that of the class).
        const ALL: &[(i32, &str, &str)] = &[$(($code, $token, $message)),*];
    };
}

results! {
    TEL_LOCAL_ERROR = -399, "telLOCAL_ERROR", "";
    TEL_BAD_DOMAIN = -398, "telBAD_DOMAIN", "";
    TEL_BAD_PATH_COUNT = -397, "telBAD_PATH_COUNT", "";
    TEL_BAD_PUBLIC_KEY = -396, "telBAD_PUBLIC_KEY", "";
    TEL_FAILED_PROCESSING = -395, "telFAILED_PROCESSING", "";
    TEL_INSUF_FEE_P = -394, "telINSUF_FEE_P", "The fee is too small for the open ledger.";
    TEL_NO_DST_PARTIAL = -393, "telNO_DST_PARTIAL", "";
    TEL_CAN_NOT_QUEUE = -392, "telCAN_NOT_QUEUE", "";
    TEL_CAN_NOT_QUEUE_BALANCE = -391, "telCAN_NOT_QUEUE_BALANCE", "";
    TEL_CAN_NOT_QUEUE_BLOCKS = -390, "telCAN_NOT_QUEUE_BLOCKS", "";
    TEL_CAN_NOT_QUEUE_BLOCKED = -389, "telCAN_NOT_QUEUE_BLOCKED", "";
    TEL_CAN_NOT_QUEUE_FEE = -388, "telCAN_NOT_QUEUE_FEE", "";
    TEL_CAN_NOT_QUEUE_FULL = -387, "telCAN_NOT_QUEUE_FULL", "";
    TEL_WRONG_NETWORK = -386, "telWRONG_NETWORK", "NetworkID names another network.";
    TEL_REQUIRES_NETWORK_ID = -385, "telREQUIRES_NETWORK_ID", "This network needs a NetworkID in every transaction.";
    TEL_NETWORK_ID_MAKES_TX_NON_CANONICAL = -384, "telNETWORK_ID_MAKES_TX_NON_CANONICAL", "This network takes no NetworkID in transactions.";
    TEL_NON_LOCAL_EMITTED_TXN = -383, "telNON_LOCAL_EMITTED_TXN", "";
    TEL_IMPORT_VL_KEY_NOT_RECOGNISED = -382, "telIMPORT_VL_KEY_NOT_RECOGNISED", "";
    TEL_CAN_NOT_QUEUE_IMPORT = -381, "telCAN_NOT_QUEUE_IMPORT", "";
    TEM_MALFORMED = -299, "temMALFORMED", "The transaction is malformed.";
    TEM_BAD_AMOUNT = -298, "temBAD_AMOUNT", "Amounts must be above zero.";
    TEM_BAD_CURRENCY = -297, "temBAD_CURRENCY", "The currency code is not allowed.";
    TEM_BAD_EXPIRATION = -296, "temBAD_EXPIRATION", "";
    TEM_BAD_FEE = -295, "temBAD_FEE", "The fee is no legal amount of XAH.";
    TEM_BAD_ISSUER = -294, "temBAD_ISSUER", "";
    TEM_BAD_LIMIT = -293, "temBAD_LIMIT", "";
    TEM_BAD_OFFER = -292, "temBAD_OFFER", "";
    TEM_BAD_PATH = -291, "temBAD_PATH", "";
    TEM_BAD_PATH_LOOP = -290, "temBAD_PATH_LOOP", "";
    TEM_BAD_REGKEY = -289, "temBAD_REGKEY", "The regular key must differ from the master key.";
    TEM_BAD_SEND_NATIVE_LIMIT = -288, "temBAD_SEND_NATIVE_LIMIT", "";
    TEM_BAD_SEND_NATIVE_MAX = -287, "temBAD_SEND_NATIVE_MAX", "";
    TEM_BAD_SEND_NATIVE_NO_DIRECT = -286, "temBAD_SEND_NATIVE_NO_DIRECT", "";
    TEM_BAD_SEND_NATIVE_PARTIAL = -285, "temBAD_SEND_NATIVE_PARTIAL", "";
    TEM_BAD_SEND_NATIVE_PATHS = -284, "temBAD_SEND_NATIVE_PATHS", "";
    TEM_BAD_SEQUENCE = -283, "temBAD_SEQUENCE", "";
    TEM_BAD_SIGNATURE = -282, "temBAD_SIGNATURE", "The signature is malformed.";
    TEM_BAD_SRC_ACCOUNT = -281, "temBAD_SRC_ACCOUNT", "The sending account is not legal.";
    TEM_BAD_TRANSFER_RATE = -280, "temBAD_TRANSFER_RATE", "";
    TEM_DST_IS_SRC = -279, "temDST_IS_SRC", "";
    TEM_DST_NEEDED = -278, "temDST_NEEDED", "A destination is needed.";
    TEM_INVALID = -277, "temINVALID", "The transaction is not valid.";
    TEM_INVALID_FLAG = -276, "temINVALID_FLAG", "A flag is set that this transaction may not carry.";
    TEM_REDUNDANT = -275, "temREDUNDANT", "Sender and receiver are the same account.";
    TEM_RIPPLE_EMPTY = -274, "temRIPPLE_EMPTY", "";
    TEM_DISABLED = -273, "temDISABLED", "The feature is not enabled.";
    TEM_BAD_SIGNER = -272, "temBAD_SIGNER", "";
    TEM_BAD_QUORUM = -271, "temBAD_QUORUM", "";
    TEM_BAD_WEIGHT = -270, "temBAD_WEIGHT", "";
    TEM_BAD_TICK_SIZE = -269, "temBAD_TICK_SIZE", "";
    TEM_INVALID_ACCOUNT_ID = -268, "temINVALID_ACCOUNT_ID", "";
    TEM_CANNOT_PREAUTH_SELF = -267, "temCANNOT_PREAUTH_SELF", "";
    TEM_INVALID_COUNT = -266, "temINVALID_COUNT", "";
    TEM_UNCERTAIN = -265, "temUNCERTAIN", "";
    TEM_UNKNOWN = -264, "temUNKNOWN", "This transaction type is not supported.";
    TEM_SEQ_AND_TICKET = -263, "temSEQ_AND_TICKET", "A transaction has a Sequence or a TicketSequence, not both.";
    TEM_BAD_NFTOKEN_TRANSFER_FEE = -262, "temBAD_NFTOKEN_TRANSFER_FEE", "";
    TEM_AMM_BAD_TOKENS = -261, "temAMM_BAD_TOKENS", "";
    TEM_XCHAIN_EQUAL_DOOR_ACCOUNTS = -260, "temXCHAIN_EQUAL_DOOR_ACCOUNTS", "";
    TEM_XCHAIN_BAD_PROOF = -259, "temXCHAIN_BAD_PROOF", "";
    TEM_XCHAIN_BRIDGE_BAD_ISSUES = -258, "temXCHAIN_BRIDGE_BAD_ISSUES", "";
    TEM_XCHAIN_BRIDGE_NONDOOR_OWNER = -257, "temXCHAIN_BRIDGE_NONDOOR_OWNER", "";
    TEM_XCHAIN_BRIDGE_BAD_MIN_ACCOUNT_CREATE_AMOUNT = -256, "temXCHAIN_BRIDGE_BAD_MIN_ACCOUNT_CREATE_AMOUNT", "";
    TEM_XCHAIN_BRIDGE_BAD_REWARD_AMOUNT = -255, "temXCHAIN_BRIDGE_BAD_REWARD_AMOUNT", "";
    TEM_XCHAIN_TOO_MANY_ATTESTATIONS = -254, "temXCHAIN_TOO_MANY_ATTESTATIONS", "";
    TEM_HOOK_DATA_TOO_LARGE = -253, "temHOOK_DATA_TOO_LARGE", "";
    TEF_FAILURE = -199, "tefFAILURE", "";
    TEF_ALREADY = -198, "tefALREADY", "This very transaction was applied already.";
    TEF_BAD_ADD_AUTH = -197, "tefBAD_ADD_AUTH", "";
    TEF_BAD_AUTH = -196, "tefBAD_AUTH", "The signing key may not sign for this account.";
    TEF_BAD_LEDGER = -195, "tefBAD_LEDGER", "";
    TEF_CREATED = -194, "tefCREATED", "";
    TEF_EXCEPTION = -193, "tefEXCEPTION", "";
    TEF_INTERNAL = -192, "tefINTERNAL", "";
    TEF_NO_AUTH_REQUIRED = -191, "tefNO_AUTH_REQUIRED", "";
    TEF_PAST_SEQ = -190, "tefPAST_SEQ", "This Sequence was used already.";
    TEF_WRONG_PRIOR = -189, "tefWRONG_PRIOR", "";
    TEF_MASTER_DISABLED = -188, "tefMASTER_DISABLED", "The master key of this account is disabled.";
    TEF_MAX_LEDGER = -187, "tefMAX_LEDGER", "LastLedgerSequence has passed.";
    TEF_BAD_SIGNATURE = -186, "tefBAD_SIGNATURE", "The signature does not verify.";
    TEF_BAD_QUORUM = -185, "tefBAD_QUORUM", "";
    TEF_NOT_MULTI_SIGNING = -184, "tefNOT_MULTI_SIGNING", "";
    TEF_BAD_AUTH_MASTER = -183, "tefBAD_AUTH_MASTER", "";
    TEF_INVARIANT_FAILED = -182, "tefINVARIANT_FAILED", "";
    TEF_TOO_BIG = -181, "tefTOO_BIG", "";
    TEF_NO_TICKET = -180, "tefNO_TICKET", "";
    TEF_NFTOKEN_IS_NOT_TRANSFERABLE = -179, "tefNFTOKEN_IS_NOT_TRANSFERABLE", "";
    TEF_PAST_IMPORT_SEQ = -178, "tefPAST_IMPORT_SEQ", "";
    TEF_PAST_IMPORT_VL_SEQ = -177, "tefPAST_IMPORT_VL_SEQ", "";
    TEF_NONDIR_EMIT = -176, "tefNONDIR_EMIT", "";
    TEF_EMAIL_EXPIRED = -160, "tefEMAIL_EXPIRED", "The mail is older than five days, or older than the last REKEY of its account.";
    TEF_EMAIL_REPLAY = -159, "tefEMAIL_REPLAY", "This mail was executed already.";
    TEF_EMAIL_FULL = -158, "tefEMAIL_FULL", "The account paid by 64 mails within five days; the next payment must wait.";
    TEF_DKIM_REVOKED = -157, "tefDKIM_REVOKED", "The provider withdrew the DKIM key that signed this mail.";
    TEF_EMAIL_DISABLED = -156, "tefEMAIL_DISABLED", "This account takes no such instruction by mail: its key signs.";
    TEF_BAD_EMAIL_FEE = -155, "tefBAD_EMAIL_FEE", "The fee is not within what this mail costs and 100 base fees more.";
    TEF_EMAIL_AFTER = -154, "tefEMAIL_AFTER", "The REKEY does not name the mark of the last REKEY of its account.";
    TEF_DKIM_FROZEN = -153, "tefDKIM_FROZEN", "The validators stopped the mails of this domain, of which this is one.";
    TER_RETRY = -99, "terRETRY", "Retry the transaction.";
    TER_FUNDS_SPENT = -98, "terFUNDS_SPENT", "";
    TER_INSUF_FEE_B = -97, "terINSUF_FEE_B", "The account cannot pay the fee.";
    TER_NO_ACCOUNT = -96, "terNO_ACCOUNT", "The sending account does not exist.";
    TER_NO_AUTH = -95, "terNO_AUTH", "";
    TER_NO_LINE = -94, "terNO_LINE", "";
    TER_OWNERS = -93, "terOWNERS", "";
    TER_PRE_SEQ = -92, "terPRE_SEQ", "The Sequence is not yet reached.";
    TER_LAST = -91, "terLAST", "";
    TER_NO_RIPPLE = -90, "terNO_RIPPLE", "";
    TER_QUEUED = -89, "terQUEUED", "";
    TER_PRE_TICKET = -88, "terPRE_TICKET", "The ticket does not exist yet.";
    TER_NO_AMM = -87, "terNO_AMM", "";
    TER_NO_HOOK = -86, "terNO_HOOK", "";
    TER_NO_DKIM_KEY = -80, "terNO_DKIM_KEY", "The DKIM key of this mail is not on the ledger yet.";
    TER_EMAIL_EARLY = -79, "terEMAIL_EARLY", "The mail is dated in the future.";
    TES_SUCCESS = 0, "tesSUCCESS", "The transaction was applied. Only final in a validated ledger.";
    TES_PARTIAL = 1, "tesPARTIAL", "";
    TEC_CLAIM = 100, "tecCLAIM", "";
    TEC_PATH_PARTIAL = 101, "tecPATH_PARTIAL", "";
    TEC_UNFUNDED_ADD = 102, "tecUNFUNDED_ADD", "";
    TEC_UNFUNDED_OFFER = 103, "tecUNFUNDED_OFFER", "";
    TEC_UNFUNDED_PAYMENT = 104, "tecUNFUNDED_PAYMENT", "The account holds too little to send this.";
    TEC_FAILED_PROCESSING = 105, "tecFAILED_PROCESSING", "";
    TEC_DIR_FULL = 121, "tecDIR_FULL", "";
    TEC_INSUF_RESERVE_LINE = 122, "tecINSUF_RESERVE_LINE", "";
    TEC_INSUF_RESERVE_OFFER = 123, "tecINSUF_RESERVE_OFFER", "";
    TEC_NO_DST = 124, "tecNO_DST", "The destination does not exist.";
    TEC_NO_DST_INSUF_NATIVE = 125, "tecNO_DST_INSUF_NATIVE", "The destination does not exist and the amount is below the account reserve.";
    TEC_NO_LINE_INSUF_RESERVE = 126, "tecNO_LINE_INSUF_RESERVE", "";
    TEC_NO_LINE_REDUNDANT = 127, "tecNO_LINE_REDUNDANT", "";
    TEC_PATH_DRY = 128, "tecPATH_DRY", "";
    TEC_UNFUNDED = 129, "tecUNFUNDED", "";
    TEC_NO_ALTERNATIVE_KEY = 130, "tecNO_ALTERNATIVE_KEY", "The account would be left without a key.";
    TEC_NO_REGULAR_KEY = 131, "tecNO_REGULAR_KEY", "";
    TEC_OWNERS = 132, "tecOWNERS", "The account owns entries that forbid this.";
    TEC_NO_ISSUER = 133, "tecNO_ISSUER", "The issuer does not exist.";
    TEC_NO_AUTH = 134, "tecNO_AUTH", "The issuer has not authorised this trust line.";
    TEC_NO_LINE = 135, "tecNO_LINE", "";
    TEC_INSUFF_FEE = 136, "tecINSUFF_FEE", "The account cannot pay the whole fee.";
    TEC_FROZEN = 137, "tecFROZEN", "The asset is frozen.";
    TEC_NO_TARGET = 138, "tecNO_TARGET", "The account named in the transaction does not exist.";
    TEC_NO_PERMISSION = 139, "tecNO_PERMISSION", "The receiver does not permit this.";
    TEC_NO_ENTRY = 140, "tecNO_ENTRY", "No such ledger entry.";
    TEC_INSUFFICIENT_RESERVE = 141, "tecINSUFFICIENT_RESERVE", "The account would fall below its reserve.";
    TEC_NEED_MASTER_KEY = 142, "tecNEED_MASTER_KEY", "Only the master key may do this.";
    TEC_DST_TAG_NEEDED = 143, "tecDST_TAG_NEEDED", "The receiver needs a destination tag.";
    TEC_INTERNAL = 144, "tecINTERNAL", "";
    TEC_OVERSIZE = 145, "tecOVERSIZE", "";
    TEC_CRYPTOCONDITION_ERROR = 146, "tecCRYPTOCONDITION_ERROR", "";
    TEC_INVARIANT_FAILED = 147, "tecINVARIANT_FAILED", "";
    TEC_EXPIRED = 148, "tecEXPIRED", "";
    TEC_DUPLICATE = 149, "tecDUPLICATE", "The entry exists already.";
    TEC_KILLED = 150, "tecKILLED", "";
    TEC_HAS_OBLIGATIONS = 151, "tecHAS_OBLIGATIONS", "";
    TEC_TOO_SOON = 152, "tecTOO_SOON", "Too soon: wait until the delay has passed.";
    TEC_HOOK_REJECTED = 153, "tecHOOK_REJECTED", "";
    TEC_MAX_SEQUENCE_REACHED = 154, "tecMAX_SEQUENCE_REACHED", "";
    TEC_NO_SUITABLE_NFTOKEN_PAGE = 155, "tecNO_SUITABLE_NFTOKEN_PAGE", "";
    TEC_NFTOKEN_BUY_SELL_MISMATCH = 156, "tecNFTOKEN_BUY_SELL_MISMATCH", "";
    TEC_NFTOKEN_OFFER_TYPE_MISMATCH = 157, "tecNFTOKEN_OFFER_TYPE_MISMATCH", "";
    TEC_CANT_ACCEPT_OWN_NFTOKEN_OFFER = 158, "tecCANT_ACCEPT_OWN_NFTOKEN_OFFER", "";
    TEC_INSUFFICIENT_FUNDS = 159, "tecINSUFFICIENT_FUNDS", "";
    TEC_OBJECT_NOT_FOUND = 160, "tecOBJECT_NOT_FOUND", "";
    TEC_INSUFFICIENT_PAYMENT = 161, "tecINSUFFICIENT_PAYMENT", "";
    TEC_AMM_UNFUNDED = 162, "tecAMM_UNFUNDED", "";
    TEC_AMM_BALANCE = 163, "tecAMM_BALANCE", "";
    TEC_AMM_FAILED_DEPOSIT = 164, "tecAMM_FAILED_DEPOSIT", "";
    TEC_AMM_FAILED_WITHDRAW = 165, "tecAMM_FAILED_WITHDRAW", "";
    TEC_AMM_INVALID_TOKENS = 166, "tecAMM_INVALID_TOKENS", "";
    TEC_AMM_FAILED_BID = 167, "tecAMM_FAILED_BID", "";
    TEC_AMM_FAILED_VOTE = 168, "tecAMM_FAILED_VOTE", "";
    TEC_REQUIRES_FLAG = 169, "tecREQUIRES_FLAG", "";
    TEC_PRECISION_LOSS = 170, "tecPRECISION_LOSS", "";
    TEC_BAD_XCHAIN_TRANSFER_ISSUE = 171, "tecBAD_XCHAIN_TRANSFER_ISSUE", "";
    TEC_XCHAIN_NO_CLAIM_ID = 172, "tecXCHAIN_NO_CLAIM_ID", "";
    TEC_XCHAIN_BAD_CLAIM_ID = 173, "tecXCHAIN_BAD_CLAIM_ID", "";
    TEC_XCHAIN_CLAIM_NO_QUORUM = 174, "tecXCHAIN_CLAIM_NO_QUORUM", "";
    TEC_XCHAIN_PROOF_UNKNOWN_KEY = 175, "tecXCHAIN_PROOF_UNKNOWN_KEY", "";
    TEC_XCHAIN_CREATE_ACCOUNT_NONXRP_ISSUE = 176, "tecXCHAIN_CREATE_ACCOUNT_NONXRP_ISSUE", "";
    TEC_XCHAIN_WRONG_CHAIN = 177, "tecXCHAIN_WRONG_CHAIN", "";
    TEC_XCHAIN_REWARD_MISMATCH = 178, "tecXCHAIN_REWARD_MISMATCH", "";
    TEC_XCHAIN_NO_SIGNERS_LIST = 179, "tecXCHAIN_NO_SIGNERS_LIST", "";
    TEC_XCHAIN_SENDING_ACCOUNT_MISMATCH = 180, "tecXCHAIN_SENDING_ACCOUNT_MISMATCH", "";
    TEC_XCHAIN_INSUFF_CREATE_AMOUNT = 181, "tecXCHAIN_INSUFF_CREATE_AMOUNT", "";
    TEC_XCHAIN_ACCOUNT_CREATE_PAST = 182, "tecXCHAIN_ACCOUNT_CREATE_PAST", "";
    TEC_XCHAIN_ACCOUNT_CREATE_TOO_MANY = 183, "tecXCHAIN_ACCOUNT_CREATE_TOO_MANY", "";
    TEC_XCHAIN_PAYMENT_FAILED = 184, "tecXCHAIN_PAYMENT_FAILED", "";
    TEC_XCHAIN_SELF_COMMIT = 185, "tecXCHAIN_SELF_COMMIT", "";
    TEC_XCHAIN_BAD_PUBLIC_KEY_ACCOUNT_PAIR = 186, "tecXCHAIN_BAD_PUBLIC_KEY_ACCOUNT_PAIR", "";
    TEC_INSUF_RESERVE_SELLER = 187, "tecINSUF_RESERVE_SELLER", "";
    TEC_LAST_POSSIBLE_ENTRY = 255, "tecLAST_POSSIBLE_ENTRY", "";
}

impl Ter {
    /// The result with this number, if there is one.
    #[must_use]
    pub fn from_code(code: i32) -> Option<Ter> {
        row(code).map(|_| Ter(code))
    }

    /// The result with this token, if there is one.
    #[must_use]
    pub fn from_token(token: &str) -> Option<Ter> {
        ALL.iter().find(|row| row.1 == token).map(|row| Ter(row.0))
    }

    /// Every result, by number.
    pub fn all() -> impl Iterator<Item = Ter> {
        ALL.iter().map(|row| Ter(row.0))
    }

    /// Number, as in `engine_result_code`.
    #[must_use]
    pub const fn code(self) -> i32 {
        self.0
    }

    /// Token, as in `engine_result`.
    #[must_use]
    pub fn token(self) -> &'static str {
        row(self.0).map_or("unknown", |row| row.1)
    }

    /// One sentence for people, as in `engine_result_message`.
    #[must_use]
    pub fn message(self) -> &'static str {
        let own = row(self.0).map_or("", |row| row.2);
        match (own.is_empty(), self.class()) {
            (false, _) => own,
            (true, TerClass::Tel) => "Refused by this server.",
            (true, TerClass::Tem) => "The transaction is malformed.",
            (true, TerClass::Tef) => "The transaction cannot succeed in this ledger.",
            (true, TerClass::Ter) => "The transaction may succeed later.",
            (true, TerClass::Tes) => "The transaction was applied.",
            (true, TerClass::Tec) => "The transaction failed and its fee was taken.",
        }
    }

    /// Class by range of the number.
    #[must_use]
    pub const fn class(self) -> TerClass {
        match self.0 {
            i32::MIN..=-300 => TerClass::Tel,
            -299..=-200 => TerClass::Tem,
            -199..=-100 => TerClass::Tef,
            -99..=-1 => TerClass::Ter,
            0..=99 => TerClass::Tes,
            100.. => TerClass::Tec,
        }
    }

    /// True for `tesSUCCESS`.
    #[must_use]
    pub fn is_success(self) -> bool {
        self == Ter::TES_SUCCESS
    }

    /// The byte of `TransactionResult` in metadata; only tes and tec have one.
    #[must_use]
    pub fn as_result_byte(self) -> Option<u8> {
        u8::try_from(self.0).ok()
    }
}

fn row(code: i32) -> Option<&'static (i32, &'static str, &'static str)> {
    let at = ALL.binary_search_by_key(&code, |row| row.0).ok()?;
    ALL.get(at)
}

impl fmt::Display for Ter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.token())
    }
}

impl fmt::Debug for Ter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.token())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_that_of_the_recorded_server() {
        let text = std::fs::read_to_string(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../fixtures/golden/xahaud/server_definitions.json"
        ))
        .expect("fixture");
        let definitions: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let definitions = definitions.get("result").unwrap_or(&definitions);
        let results = definitions["TRANSACTION_RESULTS"].as_object().expect("map");
        for (token, code) in results {
            let ter = Ter::from_token(token).unwrap_or_else(|| panic!("{token} is missing"));
            assert_eq!(i64::from(ter.code()), code.as_i64().expect("number"), "{token}");
        }
        // Ten codes are ours. Spec: 10
        assert_eq!(results.len() + 10, ALL.len());
        assert!(ALL.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn classes_follow_the_token() {
        for ter in Ter::all() {
            let class = format!("{:?}", ter.class()).to_lowercase();
            assert!(ter.token().starts_with(&class), "{ter}");
            assert!(!ter.message().is_empty());
        }
    }
}
