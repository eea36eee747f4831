//! Who asks.

use std::net::IpAddr;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Where it is: the other end of the connection, or whom a trusted proxy names.
    pub address: IpAddr,
    /// What it may do.
    pub role: Role,
}

impl Peer {
    /// One with this role. [`crate::trust::Trust`] says which one an address has.
    #[must_use]
    pub fn new(address: IpAddr, role: Role) -> Self {
        Self {
            address: address.to_canonical(),
            role,
        }
    }
}

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The operator of this node.
    Admin,
    /// Anybody.
    Guest,
}
