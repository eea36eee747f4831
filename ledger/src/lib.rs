//! State map, transactors and ledger close, as pure functions.
