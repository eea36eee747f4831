//! The first ledger of our own networks: xahaud's standalone genesis, with `Email` and validators of its own.
//!
//! Spec section 1. What a network may choose is in [`GenesisConfig`]; everything else is as recorded from
//! xahaud.

use codec::format::EntryType;
use codec::hash::sha512_half;
use codec::keys::PublicKey;
use codec::{AccountId, Amount, CloseTime, Drops, Hash256, LedgerIndex, Object, keylet, sf};

use crate::dkim::KeyDelays;
use crate::header::Header;
use crate::ledger::Ledger;
use crate::state_map::{StateMap, TxMap};

/// AccountID of rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh, seed snoPBrXtMeMyMHUVTgbuqAfg1SUTb, as in xahaud.
pub const GENESIS_ACCOUNT: [u8; 20] = [
    0xB5, 0xF7, 0x62, 0x79, 0x8A, 0x53, 0xD5, 0x43, 0xA0, 0x14, 0xCA, 0xF8, 0xB2, 0x97, 0xCF, 0xF8, 0xF2,
    0xF9, 0x37, 0xE8,
];

const TOTAL_DROPS: u64 = 100_000_000_000_000;
const BASE_FEE_DROPS: i64 = 10;
const RESERVE_BASE_DROPS: i64 = 1_000_000;
const RESERVE_INCREMENT_DROPS: i64 = 200_000;
const CLOSE_RESOLUTION_SECS: u8 = 30;

/// PreviousTxnID of the genesis account as recorded: xahaud leaves the id of the transaction that made it.
const GENESIS_TXN_ID: [u8; 32] = [
    0xA9, 0x2E, 0xF8, 0x2C, 0x3C, 0x68, 0xF7, 0x71, 0x92, 0x7E, 0x38, 0x92, 0xA2, 0xF7, 0x08, 0xF1, 0x2C,
    0xBD, 0x49, 0x2E, 0xF6, 0x8A, 0x86, 0x0F, 0x04, 0x2E, 0x40, 0x53, 0xC8, 0xEC, 0x6C, 0x8D,
];

/// Amendments of the recorded server, in its order; the ids are the SHA-512Half of the names.
pub const AMENDMENTS: [&str; 56] = [
    "Flow",
    "FlowCross",
    "fix1513",
    "DepositAuth",
    "Checks",
    "fix1571",
    "fix1543",
    "fix1623",
    "DepositPreauth",
    "fix1515",
    "fix1578",
    "MultiSignReserve",
    "fixTakerDryOfferRemoval",
    "fixMasterKeyAsRegularKey",
    "fixCheckThreading",
    "fixPayChanRecipientOwnerDir",
    "DeletableAccounts",
    "fixQualityUpperBound",
    "RequireFullyCanonicalSig",
    "fix1781",
    "HardenedValidations",
    "fixAmendmentMajorityCalc",
    "NegativeUNL",
    "TicketBatch",
    "FlowSortStrands",
    "fixSTAmountCanonicalize",
    "fixRmSmallIncreasedQOffers",
    "CheckCashMakesTrustLine",
    "ExpandedSignerList",
    "NonFungibleTokensV1_1",
    "fixRemoveNFTokenAutoTrustLine",
    "ImmediateOfferKilled",
    "DisallowIncoming",
    "XRPFees",
    "fixUniversalNumber",
    "fixNonFungibleTokensV1_2",
    "fixNFTokenRemint",
    "Hooks",
    "BalanceRewards",
    "PaychanAndEscrowForTokens",
    "URIToken",
    "Import",
    "XahauGenesis",
    "HooksUpdate1",
    "CryptoConditionsSuite",
    "NonFungibleTokensV1",
    "fixNFTokenDirV1",
    "fixNFTokenNegOffer",
    "fixXahauV1",
    "fixXahauV2",
    "Remit",
    "ZeroB2M",
    "fixNSDelete",
    "fix240819",
    "fixPageCap",
    "fix240911",
];

/// Whether the network knows email wallets from its first ledger on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailAmendment {
    /// The amendment is enabled.
    Enabled,
    /// It is not: every email transaction is refused.
    Absent,
}

/// What a network chooses for its first ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenesisConfig {
    /// NetworkID, in every transaction where it is above 1024.
    pub network_id: u32,
    /// Public keys of the validators; empty: no UNLReport, and no DKIM keys ever.
    pub validators: Vec<PublicKey>,
    /// Whether `Email` is on.
    pub email: EmailAmendment,
    /// Close time of the genesis.
    pub close_time: CloseTime,
    /// KEY_DELAY_FIRST and KEY_DELAY_NEXT; none on a one-machine ledger. Spec: 7.4
    pub key_delays: KeyDelays,
}

impl Ledger {
    /// The first ledger of a network.
    #[must_use]
    pub fn genesis(config: &GenesisConfig) -> Ledger {
        let mut state = StateMap::new();
        let mut put = |key: Hash256, entry: Object| state.insert(key, codec::encode(&entry));
        put(keylet::account(AccountId::new(GENESIS_ACCOUNT)), account());
        put(keylet::fees(), fee_settings(config));
        put(keylet::amendments(), amendments(config));
        if !config.validators.is_empty() {
            put(keylet::unl_report(), unl_report(config));
        }
        if config.key_delays != KeyDelays::NONE {
            put(KeyDelays::keylet(), config.key_delays.entry());
        }
        let header = Header {
            index: LedgerIndex::new(1),
            total_drops: Drops::new(TOTAL_DROPS),
            parent_hash: Hash256::ZERO,
            tx_hash: Hash256::ZERO,
            account_hash: state.root_hash(),
            parent_close_time: CloseTime::new(0),
            close_time: config.close_time,
            close_resolution: CLOSE_RESOLUTION_SECS,
            close_flags: 0,
        };
        Ledger::assemble(header, state, TxMap::new())
    }
}

fn entry(entry_type: EntryType) -> Object {
    Object::new()
        .with(sf::LEDGER_ENTRY_TYPE, entry_type.code())
        .with(sf::FLAGS, 0u32)
}

fn account() -> Object {
    let balance = i64::try_from(TOTAL_DROPS).unwrap_or(i64::MAX);
    entry(EntryType::AccountRoot)
        .with(sf::SEQUENCE, 1u32)
        .with(sf::PREVIOUS_TXN_LGR_SEQ, 0u32)
        .with(sf::OWNER_COUNT, 0u32)
        .with(sf::PREVIOUS_TXN_ID, Hash256::new(GENESIS_TXN_ID))
        .with(sf::BALANCE, Amount::Native(balance))
        .with(sf::ACCOUNT, AccountId::new(GENESIS_ACCOUNT))
}

fn fee_settings(config: &GenesisConfig) -> Object {
    entry(EntryType::FeeSettings)
        .with(sf::NETWORK_ID, config.network_id)
        .with(sf::XAHAU_ACTIVATION_LGR_SEQ, 0u32)
        .with(sf::ACCOUNT_COUNT, 0u64)
        .with(sf::BASE_FEE_DROPS, Amount::Native(BASE_FEE_DROPS))
        .with(sf::RESERVE_BASE_DROPS, Amount::Native(RESERVE_BASE_DROPS))
        .with(
            sf::RESERVE_INCREMENT_DROPS,
            Amount::Native(RESERVE_INCREMENT_DROPS),
        )
}

fn amendments(config: &GenesisConfig) -> Object {
    let mut ids: Vec<Hash256> = AMENDMENTS
        .iter()
        .map(|name| sha512_half(&[name.as_bytes()]))
        .collect();
    if config.email == EmailAmendment::Enabled {
        ids.push(amendment::AMENDMENT_EMAIL);
    }
    entry(EntryType::Amendments).with(sf::AMENDMENTS, ids)
}

fn unl_report(config: &GenesisConfig) -> Object {
    let mut keys = config.validators.clone();
    keys.sort();
    keys.dedup();
    let validators: Vec<_> = keys
        .into_iter()
        .map(|key| {
            (
                sf::ACTIVE_VALIDATOR,
                Object::new().with(sf::PUBLIC_KEY, key.as_bytes().as_slice()),
            )
        })
        .collect();
    entry(EntryType::UnlReport)
        .with(sf::PREVIOUS_TXN_ID, Hash256::ZERO)
        .with(sf::PREVIOUS_TXN_LGR_SEQ, 0u32)
        .with(sf::ACTIVE_VALIDATORS, validators)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded() -> GenesisConfig {
        GenesisConfig {
            network_id: 21_337,
            validators: Vec::new(),
            email: EmailAmendment::Absent,
            close_time: CloseTime::new(848_486_599),
            key_delays: KeyDelays::NONE,
        }
    }

    #[test]
    fn accepts_the_recorded_genesis() {
        let genesis = Ledger::genesis(&recorded());
        assert_eq!(
            genesis.header().account_hash.to_string(),
            "13FEF0F00345728870FBB8C0294DDA5F885E0AC471BB7A32E5DA0E78D0B48F82"
        );
        assert_eq!(
            genesis.hash().to_string(),
            "1E1D18504F0563478181F7F12BE6D70DDE157A3A4FEB5CC150E667AC85AF03C6"
        );
    }

    #[test]
    fn rejects_equality_of_genesis_ledgers_that_differ_in_one_choice() {
        let base = Ledger::genesis(&recorded()).hash();
        let others = [
            GenesisConfig {
                network_id: 21_338,
                ..recorded()
            },
            GenesisConfig {
                validators: vec![PublicKey::parse(&[0xED; 33]).expect("a key")],
                ..recorded()
            },
            GenesisConfig {
                email: EmailAmendment::Enabled,
                ..recorded()
            },
        ];
        for other in others {
            assert_ne!(Ledger::genesis(&other).hash(), base);
        }
    }
}
