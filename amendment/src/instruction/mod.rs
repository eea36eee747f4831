//! The one line that moves money or changes a key: where it may stand, its grammar, what its words mean.
//! Knows neither mail nor ledger. No regular expressions, no locale.

pub mod first_line;
pub mod line;
pub(crate) mod mark;
pub(crate) mod money;
pub(crate) mod order;
