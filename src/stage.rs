//! What the demo and `localnet` play on: network, names, the relay's mail, and a folder.

use crate::commands::Failure;
use ::relay::config::{Answers, Protection};
use codec::AccountId;
use std::path::{Path, PathBuf};
use testkit::provider::{Provider, RSA_SELECTOR};
use testkit::smtp::Inbox;

/// Network of both: Xahau's own, so that the instructions read as people would write them. Its keys are made for
/// this network alone, so nothing here means anything there.
pub(crate) const NETWORK: u32 = 21_337;
/// Domain whose mails are signed.
pub(crate) const DOMAIN: &str = "mail.example";
/// Address that senders put in Cc.
pub(crate) const RELAY: &str = "relay@relay.example";
/// Its domain, whose key signs the answers.
const RELAY_DOMAIN: &str = "relay.example";

/// How the relay answers: signed by a fresh key, which lies in the folder, and all of it into one mailbox.
pub(crate) fn answers_to(inbox: &Inbox, folder: &Path) -> Result<Answers, Failure> {
    let keys = Provider::new(RELAY_DOMAIN).map_err(|error| Failure::Argument(error.to_string()))?;
    let key_file = folder.join("relay-dkim.pem");
    std::fs::write(&key_file, keys.pem())?;
    Ok(Answers {
        host: Some(inbox.address().ip().to_string()),
        port: Some(inbox.address().port()),
        protection: Protection::None,
        authorities: None,
        user: None,
        password_file: None,
        from: RELAY.to_owned(),
        envelope_from: String::new(),
        dkim_selector: Some(RSA_SELECTOR.to_owned()),
        dkim_key: Some(key_file),
        per_address_day: u32::MAX,
        // A ledger of this network alone is in no explorer.
        transaction_link: Some(String::new()),
    })
}

/// The account of an address; account zero where it is none.
pub(crate) fn account_of(email: &str) -> AccountId {
    let address = amendment::address::Address::parse(email.as_bytes());
    let recipient = address.and_then(|address| amendment::address::recipient_of(&address));
    recipient.map_or(AccountId::ZERO, |recipient| recipient.account())
}

/// A folder to keep, or one that goes away with the value.
pub(crate) struct Folder {
    pub path: PathBuf,
    is_kept: bool,
}

impl Folder {
    /// A folder that stays; it is made where it is missing.
    pub(crate) fn to_keep(path: &Path) -> Result<Self, Failure> {
        std::fs::create_dir_all(path)?;
        Ok(Folder {
            path: path.to_owned(),
            is_kept: true,
        })
    }

    /// A folder among the temporary files, of this process alone.
    pub(crate) fn that_goes_away(name: &str) -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("xahau-email-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Folder { path, is_kept: false })
    }

    /// The folder, if it stays.
    pub(crate) fn kept(&self) -> Option<&Path> {
        self.is_kept.then_some(self.path.as_path())
    }

    /// Writes a file into the folder.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<(), Failure> {
        Ok(std::fs::write(self.path.join(name), text)?)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.is_kept {
            // A folder left in the temporary files does no harm.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// Whether there is anything in a folder.
pub(crate) fn is_filled(path: &Path) -> bool {
    std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some())
}
