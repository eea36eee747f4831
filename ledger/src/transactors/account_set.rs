//! AccountSet: flags and settings of an account, among them whether mail may sign for it (spec 11).
//!
//! Xahau's rules (SetAccount.cpp). No mail signs an AccountSet.

use codec::keys::PublicKey;
use codec::{Field, Hash256, Object, Ter, Value, flags, format, keylet, sf};

use super::{Apply, Signer, Transactor, check_flags, flags_of};
use crate::directory;
use crate::limits::{
    ACCOUNT_DOMAIN_BYTES_MAX, TICK_SIZE_MAX, TICK_SIZE_MIN, TRANSFER_RATE_MAX, TRANSFER_RATE_ONE,
};
use crate::sandbox::Sandbox;
use crate::transaction::Transaction;
use crate::view::{Env, Pass};

pub(super) struct AccountSet;

/// A setting that a number in SetFlag or ClearFlag switches; some also a transaction flag, the older way.
struct Switch {
    asf: u32,
    lsf: u32,
    tf_set: u32,
    tf_clear: u32,
}

const fn switch(asf: u32, lsf: u32) -> Switch {
    Switch {
        asf,
        lsf,
        tf_set: 0,
        tf_clear: 0,
    }
}

const REQUIRE_AUTH: Switch = Switch {
    asf: flags::ASF_REQUIRE_AUTH,
    lsf: flags::LSF_REQUIRE_AUTH,
    tf_set: flags::TF_REQUIRE_AUTH,
    tf_clear: flags::TF_OPTIONAL_AUTH,
};

/// Switches without a condition of their own when they are set.
const SWITCHES: [Switch; 11] = [
    REQUIRE_AUTH,
    Switch {
        asf: flags::ASF_REQUIRE_DEST,
        lsf: flags::LSF_REQUIRE_DEST_TAG,
        tf_set: flags::TF_REQUIRE_DEST_TAG,
        tf_clear: flags::TF_OPTIONAL_DEST_TAG,
    },
    Switch {
        asf: flags::ASF_DISALLOW_XRP,
        lsf: flags::LSF_DISALLOW_XRP,
        tf_set: flags::TF_DISALLOW_XRP,
        tf_clear: flags::TF_ALLOW_XRP,
    },
    switch(flags::ASF_DEFAULT_RIPPLE, flags::LSF_DEFAULT_RIPPLE),
    switch(flags::ASF_DEPOSIT_AUTH, flags::LSF_DEPOSIT_AUTH),
    switch(flags::ASF_TSH_COLLECT, flags::LSF_TSH_COLLECT),
    switch(
        flags::ASF_DISALLOW_INCOMING_NFTOKEN_OFFER,
        flags::LSF_DISALLOW_INCOMING_NFTOKEN_OFFER,
    ),
    switch(
        flags::ASF_DISALLOW_INCOMING_CHECK,
        flags::LSF_DISALLOW_INCOMING_CHECK,
    ),
    switch(
        flags::ASF_DISALLOW_INCOMING_PAY_CHAN,
        flags::LSF_DISALLOW_INCOMING_PAY_CHAN,
    ),
    switch(
        flags::ASF_DISALLOW_INCOMING_TRUSTLINE,
        flags::LSF_DISALLOW_INCOMING_TRUSTLINE,
    ),
    switch(
        flags::ASF_DISALLOW_INCOMING_REMIT,
        flags::LSF_DISALLOW_INCOMING_REMIT,
    ),
];

impl Switch {
    fn is_set_by(&self, tx: &Transaction) -> bool {
        tx.flags() & self.tf_set != 0 || set_flag(tx) == self.asf
    }

    fn is_cleared_by(&self, tx: &Transaction) -> bool {
        tx.flags() & self.tf_clear != 0 || clear_flag(tx) == self.asf
    }
}

fn set_flag(tx: &Transaction) -> u32 {
    tx.object().u32(sf::SET_FLAG).unwrap_or(0)
}

fn clear_flag(tx: &Transaction) -> u32 {
    tx.object().u32(sf::CLEAR_FLAG).unwrap_or(0)
}

impl Transactor for AccountSet {
    fn preflight(&self, tx: &Transaction, env: &Env) -> Result<(), Ter> {
        check_flags(
            tx,
            env,
            SWITCHES
                .iter()
                .fold(0, |all, switch| all | switch.tf_set | switch.tf_clear),
        )?;
        if set_flag(tx) != 0 && set_flag(tx) == clear_flag(tx) {
            return Err(Ter::TEM_INVALID_FLAG);
        }
        if SWITCHES
            .iter()
            .any(|switch| switch.is_set_by(tx) && switch.is_cleared_by(tx))
        {
            return Err(Ter::TEM_INVALID_FLAG);
        }
        let object = tx.object();
        let rate = object.u32(sf::TRANSFER_RATE).unwrap_or(0);
        if rate != 0 && !(TRANSFER_RATE_ONE..=TRANSFER_RATE_MAX).contains(&rate) {
            return Err(Ter::TEM_BAD_TRANSFER_RATE);
        }
        let tick_size = object.u8(sf::TICK_SIZE).unwrap_or(0);
        if tick_size != 0 && !(TICK_SIZE_MIN..=TICK_SIZE_MAX).contains(&tick_size) {
            return Err(Ter::TEM_BAD_TICK_SIZE);
        }
        let message_key = object.blob(sf::MESSAGE_KEY).unwrap_or(&[]);
        if !message_key.is_empty() && PublicKey::parse(message_key).is_err() {
            return Err(Ter::TEL_BAD_PUBLIC_KEY);
        }
        if object
            .blob(sf::DOMAIN)
            .is_some_and(|domain| domain.len() > ACCOUNT_DOMAIN_BYTES_MAX)
        {
            return Err(Ter::TEL_BAD_DOMAIN);
        }
        let minter = object.contains(sf::NF_TOKEN_MINTER);
        let wants = |asf| asf == flags::ASF_AUTHORIZED_NFTOKEN_MINTER;
        if wants(set_flag(tx)) && !minter || wants(clear_flag(tx)) && minter {
            return Err(Ter::TEM_MALFORMED);
        }
        Ok(())
    }

    fn preclaim(&self, tx: &Transaction, env: &Env, sandbox: &Sandbox<'_>) -> Result<(), Ter> {
        let account = sandbox
            .entry(&keylet::account(tx.account()))
            .ok_or(Ter::TER_NO_ACCOUNT)?;
        let newly_required = REQUIRE_AUTH.is_set_by(tx) && flags_of(&account) & flags::LSF_REQUIRE_AUTH == 0;
        if newly_required && !directory::is_empty(sandbox, tx.account()) {
            return Err(match env.pass {
                Pass::Retry => Ter::TER_OWNERS,
                Pass::Final => Ter::TEC_OWNERS,
            });
        }
        Ok(())
    }

    fn apply(&self, apply: &mut Apply<'_>) -> Result<(), Ter> {
        let tx = apply.tx;
        let mut account = apply.sender()?;
        let before = flags_of(&account);
        let mut after = before;
        for switch in &SWITCHES {
            if switch.is_set_by(tx) {
                after |= switch.lsf;
            } else if switch.is_cleared_by(tx) {
                after &= !switch.lsf;
            }
        }
        after = master_key_switch(apply, &account, after)?;
        after = freeze_switches(apply, before, after)?;
        after = email_switch(apply, after)?;
        write_settings(tx, &mut account);
        if after != before {
            account.set(sf::FLAGS, after);
        }
        apply.put_account(tx.account(), account);
        Ok(())
    }
}

/// The master key can be switched off only by itself, and only where another key remains.
fn master_key_switch(apply: &Apply<'_>, account: &Object, now: u32) -> Result<u32, Ter> {
    let tx = apply.tx;
    if clear_flag(tx) == flags::ASF_DISABLE_MASTER {
        return Ok(now & !flags::LSF_DISABLE_MASTER);
    }
    if set_flag(tx) != flags::ASF_DISABLE_MASTER || now & flags::LSF_DISABLE_MASTER != 0 {
        return Ok(now);
    }
    if apply.signer != Signer::MasterKey {
        return Err(Ter::TEC_NEED_MASTER_KEY);
    }
    let other_key =
        account.contains(sf::REGULAR_KEY) || apply.sandbox.contains(&keylet::signer_list(tx.account()));
    if other_key {
        Ok(now | flags::LSF_DISABLE_MASTER)
    } else {
        Err(Ter::TEC_NO_ALTERNATIVE_KEY)
    }
}

/// NoFreeze needs the master key, unless that is disabled, and cannot be undone: with it a global freeze
/// stays too.
fn freeze_switches(apply: &Apply<'_>, before: u32, mut now: u32) -> Result<u32, Ter> {
    let tx = apply.tx;
    if set_flag(tx) == flags::ASF_NO_FREEZE {
        if apply.signer != Signer::MasterKey && before & flags::LSF_DISABLE_MASTER == 0 {
            return Err(Ter::TEC_NEED_MASTER_KEY);
        }
        now |= flags::LSF_NO_FREEZE;
    }
    if set_flag(tx) == flags::ASF_GLOBAL_FREEZE {
        now |= flags::LSF_GLOBAL_FREEZE;
    } else if clear_flag(tx) == flags::ASF_GLOBAL_FREEZE && now & flags::LSF_NO_FREEZE == 0 {
        now &= !flags::LSF_GLOBAL_FREEZE;
    }
    Ok(now)
}

/// Mail is switched off by a key, but not within 72 hours of the last REKEY: the mailbox's owner has that
/// long to take the account back from a thief. Spec: 11
fn email_switch(apply: &Apply<'_>, now: u32) -> Result<u32, Ter> {
    let tx = apply.tx;
    if !apply.env.email_enabled() {
        return Ok(now);
    }
    if clear_flag(tx) == flags::ASF_DISABLE_EMAIL {
        return Ok(now & !flags::LSF_DISABLE_EMAIL);
    }
    if set_flag(tx) != flags::ASF_DISABLE_EMAIL {
        return Ok(now);
    }
    let replay = apply.sandbox.entry(&keylet::email_replay(tx.account()));
    if !amendment::may_disable_email(replay.as_ref(), apply.env.now()) {
        return Err(Ter::TEC_TOO_SOON);
    }
    Ok(now | flags::LSF_DISABLE_EMAIL)
}

fn write_settings(tx: &Transaction, account: &mut Object) {
    match (set_flag(tx), clear_flag(tx)) {
        (flags::ASF_ACCOUNT_TXN_ID, _) if !account.contains(sf::ACCOUNT_TXN_ID) => {
            account.set(sf::ACCOUNT_TXN_ID, Hash256::ZERO);
        }
        (_, flags::ASF_ACCOUNT_TXN_ID) => {
            account.remove(sf::ACCOUNT_TXN_ID);
        }
        _ => {}
    }
    for field in [sf::EMAIL_HASH, sf::WALLET_LOCATOR, sf::MESSAGE_KEY, sf::DOMAIN] {
        set_unless(tx, account, field, format::is_default);
    }
    set_unless(tx, account, sf::TRANSFER_RATE, |rate| {
        matches!(rate, Value::UInt32(0 | TRANSFER_RATE_ONE))
    });
    set_unless(tx, account, sf::TICK_SIZE, |size| {
        matches!(size, Value::UInt8(0 | TICK_SIZE_MAX))
    });
    if set_flag(tx) == flags::ASF_AUTHORIZED_NFTOKEN_MINTER {
        set_unless(tx, account, sf::NF_TOKEN_MINTER, |_| false);
    } else if clear_flag(tx) == flags::ASF_AUTHORIZED_NFTOKEN_MINTER {
        account.remove(sf::NF_TOKEN_MINTER);
    }
}

/// Copies a field of the transaction to the account, or takes it away where the value means "none".
fn set_unless(tx: &Transaction, account: &mut Object, field: Field, means_none: fn(&Value) -> bool) {
    match tx.object().value(field) {
        None => {}
        Some(value) if means_none(value) => {
            account.remove(field);
        }
        Some(value) => account.set(field, value.clone()),
    }
}
