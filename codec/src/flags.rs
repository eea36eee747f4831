//! Flag bits of transactions and entries (xahaud TxFlags.h, LedgerFormats.h).

/// Transaction: the signature must be fully canonical (always so today).
pub const TF_FULLY_CANONICAL_SIG: u32 = 0x8000_0000;
/// Transaction: the memo's mail is the signature. Legal on Remit and SetRegularKey with `Email` on. Spec: 1
pub const TF_EMAIL_SIG: u32 = 0x2000_0000;

/// Payment: not on the default path.
pub const TF_NO_RIPPLE_DIRECT: u32 = 0x0001_0000;
/// Payment: less than the amount may be delivered.
pub const TF_PARTIAL_PAYMENT: u32 = 0x0002_0000;
/// Payment: only at the quality of Amount and SendMax, or better.
pub const TF_LIMIT_QUALITY: u32 = 0x0004_0000;

/// AccountSet: as SetFlag 1.
pub const TF_REQUIRE_DEST_TAG: u32 = 0x0001_0000;
/// AccountSet: as ClearFlag 1.
pub const TF_OPTIONAL_DEST_TAG: u32 = 0x0002_0000;
/// AccountSet: as SetFlag 2.
pub const TF_REQUIRE_AUTH: u32 = 0x0004_0000;
/// AccountSet: as ClearFlag 2.
pub const TF_OPTIONAL_AUTH: u32 = 0x0008_0000;
/// AccountSet: as SetFlag 3.
pub const TF_DISALLOW_XRP: u32 = 0x0010_0000;
/// AccountSet: as ClearFlag 3.
pub const TF_ALLOW_XRP: u32 = 0x0020_0000;

/// TrustSet: authorise the other side.
pub const TF_SETF_AUTH: u32 = 0x0001_0000;
/// TrustSet: money does not ripple from this line to another.
pub const TF_SET_NO_RIPPLE: u32 = 0x0002_0000;
/// TrustSet: it does.
pub const TF_CLEAR_NO_RIPPLE: u32 = 0x0004_0000;
/// TrustSet: freeze the line.
pub const TF_SET_FREEZE: u32 = 0x0010_0000;
/// TrustSet: end the freeze.
pub const TF_CLEAR_FREEZE: u32 = 0x0020_0000;

/// Remit's MintURIToken: the issuer may burn the token.
pub const TF_BURNABLE: u32 = 0x0000_0001;

/// EnableAmendment: most validators want the amendment from now on.
pub const TF_GOT_MAJORITY: u32 = 0x0001_0000;
/// EnableAmendment: they no longer do.
pub const TF_LOST_MAJORITY: u32 = 0x0002_0000;

/// DKIMKeySet without a record: DNS has records, but none that can be used. Without the flag, DNS has none.
/// Spec: 7.2
pub const TF_DKIM_UNUSABLE: u32 = 0x0000_0001;
/// DKIMKeySet of a domain, without a selector: its mail proves nothing from now on. Spec: 7.10
pub const TF_DKIM_FREEZE: u32 = 0x0000_0002;
/// DKIMKeySet of a domain, without a selector: its mail proves again after the delay. Spec: 7.10
pub const TF_DKIM_LIFT: u32 = 0x0000_0004;
/// DKIMKeySet of votes that stand in validations, which the ledger does not have. Spec: 7.6
pub const TF_DKIM_COUNTED: u32 = 0x0000_0008;

/// AccountSet SetFlag: a payment needs a destination tag.
pub const ASF_REQUIRE_DEST: u32 = 1;
/// AccountSet SetFlag: holders need authorisation.
pub const ASF_REQUIRE_AUTH: u32 = 2;
/// AccountSet SetFlag: advises against XAH payments.
pub const ASF_DISALLOW_XRP: u32 = 3;
/// AccountSet SetFlag: the master key signs no more.
pub const ASF_DISABLE_MASTER: u32 = 4;
/// AccountSet SetFlag: track the last transaction id.
pub const ASF_ACCOUNT_TXN_ID: u32 = 5;
/// AccountSet SetFlag: give up freezing; cannot be undone.
pub const ASF_NO_FREEZE: u32 = 6;
/// AccountSet SetFlag: freeze all that is issued.
pub const ASF_GLOBAL_FREEZE: u32 = 7;
/// AccountSet SetFlag: trust lines allow rippling by default.
pub const ASF_DEFAULT_RIPPLE: u32 = 8;
/// AccountSet SetFlag: deposits need preauthorisation.
pub const ASF_DEPOSIT_AUTH: u32 = 9;
/// AccountSet SetFlag: another account mints NFTs.
pub const ASF_AUTHORIZED_NFTOKEN_MINTER: u32 = 10;
/// AccountSet SetFlag: weak hook execution is paid.
pub const ASF_TSH_COLLECT: u32 = 11;
/// AccountSet SetFlag: refuse NFT offers.
pub const ASF_DISALLOW_INCOMING_NFTOKEN_OFFER: u32 = 12;
/// AccountSet SetFlag: refuse checks.
pub const ASF_DISALLOW_INCOMING_CHECK: u32 = 13;
/// AccountSet SetFlag: refuse payment channels.
pub const ASF_DISALLOW_INCOMING_PAY_CHAN: u32 = 14;
/// AccountSet SetFlag: refuse trust lines.
pub const ASF_DISALLOW_INCOMING_TRUSTLINE: u32 = 15;
/// AccountSet SetFlag: refuse Remits.
pub const ASF_DISALLOW_INCOMING_REMIT: u32 = 16;
/// AccountSet SetFlag: mail signs no more for this account. Spec: 11
pub const ASF_DISABLE_EMAIL: u32 = 60;

/// AccountRoot: mail signs no more for this account. Spec: 11
pub const LSF_DISABLE_EMAIL: u32 = 0x0000_0001;
/// AccountRoot: the free SetRegularKey was used.
pub const LSF_PASSWORD_SPENT: u32 = 0x0001_0000;
/// AccountRoot: a payment needs a destination tag.
pub const LSF_REQUIRE_DEST_TAG: u32 = 0x0002_0000;
/// AccountRoot: holders need authorisation.
pub const LSF_REQUIRE_AUTH: u32 = 0x0004_0000;
/// AccountRoot: advises against XAH payments.
pub const LSF_DISALLOW_XRP: u32 = 0x0008_0000;
/// AccountRoot: the master key signs no more; mail neither. Spec: 11
pub const LSF_DISABLE_MASTER: u32 = 0x0010_0000;
/// AccountRoot: gave up freezing.
pub const LSF_NO_FREEZE: u32 = 0x0020_0000;
/// AccountRoot: all that it issued is frozen.
pub const LSF_GLOBAL_FREEZE: u32 = 0x0040_0000;
/// AccountRoot: trust lines allow rippling by default.
pub const LSF_DEFAULT_RIPPLE: u32 = 0x0080_0000;
/// AccountRoot: deposits need preauthorisation.
pub const LSF_DEPOSIT_AUTH: u32 = 0x0100_0000;
/// AccountRoot: weak hook execution is paid.
pub const LSF_TSH_COLLECT: u32 = 0x0200_0000;
/// AccountRoot: refuses NFT offers.
pub const LSF_DISALLOW_INCOMING_NFTOKEN_OFFER: u32 = 0x0400_0000;
/// AccountRoot: refuses checks.
pub const LSF_DISALLOW_INCOMING_CHECK: u32 = 0x0800_0000;
/// AccountRoot: refuses payment channels.
pub const LSF_DISALLOW_INCOMING_PAY_CHAN: u32 = 0x1000_0000;
/// AccountRoot: refuses trust lines.
pub const LSF_DISALLOW_INCOMING_TRUSTLINE: u32 = 0x2000_0000;
/// AccountRoot: has issued URI tokens.
pub const LSF_URI_TOKEN_ISSUER: u32 = 0x4000_0000;
/// AccountRoot: refuses Remits.
pub const LSF_DISALLOW_INCOMING_REMIT: u32 = 0x8000_0000;

/// URIToken: its issuer may burn it.
pub const LSF_BURNABLE: u32 = 0x0000_0001;

/// RippleState: the line counts towards the reserve of the low account.
pub const LSF_LOW_RESERVE: u32 = 0x0001_0000;
/// RippleState: the line counts towards the reserve of the high account.
pub const LSF_HIGH_RESERVE: u32 = 0x0002_0000;
/// RippleState: the low account authorised the high one.
pub const LSF_LOW_AUTH: u32 = 0x0004_0000;
/// RippleState: the high account authorised the low one.
pub const LSF_HIGH_AUTH: u32 = 0x0008_0000;
/// RippleState: the low account lets no money ripple through the line.
pub const LSF_LOW_NO_RIPPLE: u32 = 0x0010_0000;
/// RippleState: the high account lets no money ripple through the line.
pub const LSF_HIGH_NO_RIPPLE: u32 = 0x0020_0000;
/// RippleState: the low account froze the line.
pub const LSF_LOW_FREEZE: u32 = 0x0040_0000;
/// RippleState: the high account froze the line.
pub const LSF_HIGH_FREEZE: u32 = 0x0080_0000;
