//! A small network for tests: accounts by number, signed transactions, one ledger after the other.

use codec::format::TxType;
use codec::keys::KeyPair;
use codec::{AccountId, Amount, CloseTime, Object, Ter, flags, keylet, sf, tx};
use ledger::dkim::KeyDelays;
use ledger::genesis::EmailAmendment;
use ledger::{Closed, GenesisConfig, Ledger, OpenLedger, Transaction, close};

pub(crate) const NETWORK: u32 = 21_338;
pub(crate) const START: u32 = 800_000_000;
pub(crate) const XAH: u64 = 1_000_000;

/// Key of the genesis account.
pub(crate) fn master() -> KeyPair {
    KeyPair::from_seed("snoPBrXtMeMyMHUVTgbuqAfg1SUTb").expect("seed")
}

/// Key of an account by number.
pub(crate) fn key(number: u8) -> KeyPair {
    KeyPair::ed25519([number; 16])
}

pub(crate) fn id(number: u8) -> AccountId {
    key(number).account()
}

pub(crate) struct World {
    pub(crate) ledger: Ledger,
    pub(crate) last: Option<Closed>,
}

impl World {
    /// Accounts 1 to 3 with 100 XAH each.
    pub(crate) fn new() -> World {
        let ledger = Ledger::genesis(&GenesisConfig {
            network_id: NETWORK,
            validators: vec![key(200).public_key()],
            email: EmailAmendment::Enabled,
            close_time: CloseTime::new(START),
            key_delays: KeyDelays::NONE,
        });
        let mut world = World { ledger, last: None };
        for number in 1..=3 {
            let pay = payment(id(number), 100 * XAH);
            assert_eq!(world.apply(&master(), pay), Ter::TES_SUCCESS);
        }
        world
    }

    pub(crate) fn sequence(&self, account: AccountId) -> u32 {
        self.account(account)
            .and_then(|entry| entry.u32(sf::SEQUENCE))
            .unwrap_or(1)
    }

    pub(crate) fn account(&self, account: AccountId) -> Option<Object> {
        self.ledger.entry(&keylet::account(account))
    }

    pub(crate) fn balance(&self, account: AccountId) -> u64 {
        match self.account(account).and_then(|entry| entry.amount(sf::BALANCE)) {
            Some(Amount::Native(drops)) => u64::try_from(drops).expect("not negative"),
            _ => 0,
        }
    }

    pub(crate) fn flags(&self, account: AccountId) -> u32 {
        self.account(account)
            .and_then(|entry| entry.u32(sf::FLAGS))
            .unwrap_or(0)
    }

    /// Fills what is missing and signs.
    pub(crate) fn sign(&self, signer: &KeyPair, sender: AccountId, object: Object) -> Transaction {
        let mut object = object.with(sf::ACCOUNT, sender);
        for (field, value) in [(sf::NETWORK_ID, NETWORK), (sf::SEQUENCE, self.sequence(sender))] {
            if !object.contains(field) {
                object.set(field, value);
            }
        }
        if !object.contains(sf::FEE) {
            object.set(sf::FEE, Amount::Native(10));
        }
        object.set(sf::SIGNING_PUB_KEY, signer.public_key().as_bytes().as_slice());
        let signature = signer.sign(&tx::signing_bytes(&object));
        Transaction::from_object(&object.with(sf::TXN_SIGNATURE, signature)).expect("template")
    }

    /// Closes a ledger over one transaction by its account's own key.
    pub(crate) fn apply(&mut self, signer: &KeyPair, object: Object) -> Ter {
        let tx = self.sign(signer, signer.account(), object);
        self.close([tx])
    }

    /// Closes a ledger 5 s later; what became of the first transaction.
    pub(crate) fn close(&mut self, txs: impl IntoIterator<Item = Transaction>) -> Ter {
        let time = CloseTime::new(self.ledger.close_time().seconds() + 5);
        let closed = close(&self.ledger, txs, time);
        self.ledger = closed.ledger.clone();
        let dropped = closed.dropped.first().map(|(_, ter)| *ter);
        let ter = closed
            .applied
            .first()
            .map(|tx| tx.ter)
            .or(dropped)
            .unwrap_or(Ter::TER_RETRY);
        self.last = Some(closed);
        ter
    }

    /// Answer of the open ledger.
    pub(crate) fn submit(&self, tx: &Transaction) -> Ter {
        OpenLedger::new(&self.ledger)
            .submit(tx)
            .expect("passes the local checks")
            .ter
    }
}

pub(crate) fn payment(destination: AccountId, drops: u64) -> Object {
    of_type(TxType::Payment)
        .with(sf::DESTINATION, destination)
        .with(sf::AMOUNT, native(drops))
}

pub(crate) fn remit(destination: AccountId, drops: u64) -> Object {
    let entry = Object::new().with(sf::AMOUNT, native(drops));
    of_type(TxType::Remit)
        .with(sf::DESTINATION, destination)
        .with(sf::AMOUNTS, vec![(sf::AMOUNT_ENTRY, entry)])
}

pub(crate) fn account_set(set_flag: u32) -> Object {
    of_type(TxType::AccountSet).with(sf::SET_FLAG, set_flag)
}

pub(crate) fn of_type(tx_type: TxType) -> Object {
    Object::new()
        .with(sf::TRANSACTION_TYPE, tx_type.code())
        .with(sf::FLAGS, flags::TF_FULLY_CANONICAL_SIG)
}

pub(crate) fn native(drops: u64) -> Amount {
    Amount::Native(i64::try_from(drops).expect("in range"))
}
