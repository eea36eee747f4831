//! The rules of email wallets (docs/spec.md 2 to 11) as pure functions.
