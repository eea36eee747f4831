//! Catching up without making all ledgers: a node fetches the ledger at the end of an epoch, in pieces, from the
//! nodes of its network, and goes on from there. It believes nobody: each piece is checked against a hash that leads
//! to a certificate of validators, who are proven from the first ones on.
//!
//! | file | what |
//! |---|---|
//! | `proof` | what proves a ledger: borders, and who signs which epoch |
//! | `wire` | the messages of the channel |
//! | `fetch` | which pieces are missing, who is asked, whose answers are believed: pure |
//! | `disk` | pieces that are there, and proofs |
//! | `points`, `serve` | what a node has for others, and how it answers them |
//! | `client` | a node that fetches |
//! | `begin` | from a snapshot to a node's ledgers |

pub(crate) mod begin;
pub(crate) mod client;
pub(crate) mod disk;
pub(crate) mod fetch;
pub(crate) mod points;
pub(crate) mod proof;
pub(crate) mod serve;
pub(crate) mod wire;

#[cfg(test)]
mod tests;
