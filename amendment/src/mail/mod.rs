//! The syntax of a mail: header fields, addresses, dates, MIME parts, lines. Knows no signature and no
//! ledger.

pub mod address;
pub mod base64;
pub(crate) mod date;
pub mod foreign;
pub mod message;
pub mod mime;
pub mod text;
