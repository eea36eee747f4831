//! What a mail means: one signature read (`candidate`), the whole mail read under it (`draft`), and the signature that counts
//! chosen and proven (`examine`).

pub mod candidate;
pub mod draft;
pub(crate) mod examine;
