//! What a mail means: one signature read (`candidate`), the whole mail read under it (`draft`), and the
//! signature that counts chosen and proven (`examine`), what it makes (`derived`), what proved it (`evidence`).

pub mod candidate;
pub(crate) mod derived;
pub mod draft;
pub(crate) mod evidence;
pub(crate) mod examine;
