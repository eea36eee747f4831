//! What the targets share: the properties that hold of every mail, and signed mails, so that foreign bytes
//! get past the signature. The targets panic where a property is broken.

pub mod mail;
pub mod node;
pub mod signer;
