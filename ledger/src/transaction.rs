//! A transaction, decoded once: its fields, its bytes, its id, and whether its key signature is good.
//!
//! No ledger is asked. Template and canonical form are checked here, so that later code need not.

use std::sync::{Arc, OnceLock};

use amendment::{KeyName, Parsed, PreflightError, ProvenMail, Rules};
use codec::format::{FormatError, TxType};
use codec::keys::{LowS, PublicKey};
use codec::limits::{TRANSACTION_BYTES_MAX, TRANSACTION_BYTES_MIN};
use codec::{AccountId, DecodeError, Hash256, Object, flags, sf, tx};

use crate::fees::drops;

/// Why bytes are no transaction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// Shorter or longer than a transaction may be.
    #[error("a transaction has {TRANSACTION_BYTES_MIN} to {TRANSACTION_BYTES_MAX} bytes, not {bytes}")]
    Length {
        /// What came.
        bytes: usize,
    },
    /// Not the canonical bytes of an object.
    #[error("not decodable: {0}")]
    Decode(DecodeError),
    /// No type, or one that this format does not know.
    #[error("unknown transaction type {code:?}")]
    UnknownType {
        /// The code in the transaction.
        code: Option<u16>,
    },
    /// A type of Xahau that this ledger does not support, such as AccountDelete.
    #[error("transactions of type {} are not supported", tx_type.name())]
    UnsupportedType {
        /// The type.
        tx_type: TxType,
    },
    /// A field is missing or does not belong there.
    #[error("not the fields of its type: {0}")]
    Template(FormatError),
}

/// A transaction whose fields fit its type.
#[derive(Clone, Debug)]
pub struct Transaction(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    object: Object,
    blob: Vec<u8>,
    id: Hash256,
    tx_type: TxType,
    signature_good: OnceLock<bool>,
    /// What its mail says, and the rules under which it was read.
    mail: OnceLock<(Rules, Result<Parsed, PreflightError>)>,
}

impl Transaction {
    /// Reads canonical bytes.
    pub fn parse(blob: &[u8]) -> Result<Transaction, TransactionError> {
        if !(TRANSACTION_BYTES_MIN..=TRANSACTION_BYTES_MAX).contains(&blob.len()) {
            return Err(TransactionError::Length { bytes: blob.len() });
        }
        let object = codec::decode(blob).map_err(TransactionError::Decode)?;
        let code = object.u16(sf::TRANSACTION_TYPE);
        let tx_type = TxType::of(&object).ok_or(TransactionError::UnknownType { code })?;
        tx_type
            .template()
            .ok_or(TransactionError::UnsupportedType { tx_type })?
            .check(&object)
            .map_err(TransactionError::Template)?;
        Ok(Transaction(Arc::new(Inner {
            id: tx::id_of_blob(blob),
            blob: blob.to_vec(),
            object,
            tx_type,
            signature_good: OnceLock::new(),
            mail: OnceLock::new(),
        })))
    }

    /// From fields.
    pub fn from_object(object: &Object) -> Result<Transaction, TransactionError> {
        Transaction::parse(&codec::encode(object))
    }

    /// The transaction of a proven mail, which is not proven once more under the key that proved it.
    pub fn of_mail(
        object: &Object,
        mail: &ProvenMail,
        rules: &Rules,
    ) -> Result<Transaction, TransactionError> {
        let tx = Transaction::from_object(object)?;
        if let Ok(parsed) = tx.mail(rules) {
            parsed.remember_proof(mail);
        }
        Ok(tx)
    }

    /// The fields.
    #[must_use]
    pub fn object(&self) -> &Object {
        &self.0.object
    }

    /// The canonical bytes.
    #[must_use]
    pub fn blob(&self) -> &[u8] {
        &self.0.blob
    }

    /// The transaction id.
    #[must_use]
    pub fn id(&self) -> Hash256 {
        self.0.id
    }

    /// The type.
    #[must_use]
    pub fn tx_type(&self) -> TxType {
        self.0.tx_type
    }

    /// The sending account; account zero for a pseudo-transaction without one.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.0.object.account(sf::ACCOUNT).unwrap_or(AccountId::ZERO)
    }

    /// The Sequence field.
    #[must_use]
    pub fn sequence(&self) -> u32 {
        self.0.object.u32(sf::SEQUENCE).unwrap_or(0)
    }

    /// The TicketSequence field: the ticket that is used instead of a Sequence.
    #[must_use]
    pub fn ticket(&self) -> Option<u32> {
        self.0.object.u32(sf::TICKET_SEQUENCE)
    }

    /// The Flags field, 0 where absent.
    #[must_use]
    pub fn flags(&self) -> u32 {
        self.0.object.u32(sf::FLAGS).unwrap_or(0)
    }

    /// The Fee; `None` where it is no legal number of drops.
    #[must_use]
    pub fn fee_drops(&self) -> Option<u64> {
        drops(&self.0.object, sf::FEE)
    }

    /// True where the memo's mail is the signature. Spec: 1
    #[must_use]
    pub fn is_email_signed(&self) -> bool {
        self.flags() & flags::TF_EMAIL_SIG != 0
    }

    /// True for transactions that only validators make.
    #[must_use]
    pub fn is_pseudo(&self) -> bool {
        self.0.tx_type.is_pseudo()
    }

    /// The key that signed; `None` where SigningPubKey is empty or no key.
    #[must_use]
    pub fn signing_key(&self) -> Option<PublicKey> {
        PublicKey::parse(self.0.object.blob(sf::SIGNING_PUB_KEY)?).ok()
    }

    /// True where TxnSignature is a fully canonical signature by SigningPubKey. Checked once and remembered.
    #[must_use]
    pub fn has_good_signature(&self) -> bool {
        *self.0.signature_good.get_or_init(|| self.check_signature())
    }

    /// What the mail that signs it says, as [`amendment::preflight`] answers. Read once and remembered, with the
    /// key that proved it.
    pub(crate) fn mail(&self, rules: &Rules) -> Result<Parsed, PreflightError> {
        let read = || amendment::preflight(&self.0.object, rules);
        let (under, known) = self.0.mail.get_or_init(|| (*rules, read()));
        if under == rules { known.clone() } else { read() }
    }

    /// The name of the key that has to prove the mail that signs it; `None` for what no mail signs, and until
    /// somebody has tried it.
    #[must_use]
    pub fn dkim_key(&self) -> Option<&KeyName> {
        let (_, mail) = self.0.mail.get()?;
        mail.as_ref().ok().map(Parsed::key_name)
    }

    fn check_signature(&self) -> bool {
        let object = &self.0.object;
        let (Some(key), Some(signature)) = (self.signing_key(), object.blob(sf::TXN_SIGNATURE)) else {
            return false;
        };
        !object.contains(sf::SIGNERS) && key.verify(&tx::signing_bytes(object), signature, LowS::Required)
    }
}
