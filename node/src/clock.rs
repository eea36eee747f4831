//! Time, as the node is told it. The wall clock itself is read by the binary alone.

use codec::CloseTime;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now, in seconds since 2000-01-01 UTC.
    fn now(&self) -> CloseTime;
}

impl<F: Fn() -> CloseTime + Send + Sync> Clock for F {
    fn now(&self) -> CloseTime {
        self()
    }
}
