//! The desk behind every door: judges letters and keeps those that can become a payment.
//!
//! | part | does |
//! |---|---|
//! | [`header`] | Message-ID, and whether an answer is allowed |
//! | [`limits`] | letters per network, address and domain |
//! | [`own`] | own addresses, and no others |
//! | [`recent`] | a small map of recent things |

pub mod header;
pub mod limits;
pub mod own;
pub mod recent;
