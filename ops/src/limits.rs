//! Every bound of this crate: unit, source, and what happens beyond it.

/// How long `/healthz` and `/readyz` wait for the program's own answer, seconds. Ours. Beyond: 503.
pub const PROBE_SECS_MAX: u64 = 3;
/// How often the metrics drop samples that are no longer asked for, seconds. Ours.
pub const METRICS_UPKEEP_SECS: u64 = 5;
/// Pause after the system refuses to accept connections (no file descriptors left), milliseconds. Ours.
pub const ACCEPT_PAUSE_MILLIS: u64 = 100;
/// Bytes of each connection that are counted nowhere, so that small requests share no lock. Ours: 16 MiB for
/// 1,024 connections.
pub const UNCOUNTED_BYTES: usize = 16 * 1024;
/// Connections for metrics and health. Ours. Beyond: the longest idle goes, of those that hold most first.
pub const HTTP_CONNECTIONS_MAX: usize = 64;
/// Of these, kept for this machine. Ours.
pub const HTTP_CONNECTIONS_OWN: usize = 16;
/// Of these, from one address. Ours. Beyond: the longest idle of its own goes.
pub const HTTP_CONNECTIONS_PER_PEER_MAX: usize = 8;
/// Of these, from one network. Ours. Beyond: the longest idle of its own goes.
pub const HTTP_CONNECTIONS_PER_NETWORK_MAX: usize = 16;
/// A connection that asked less than this ago is not idle, seconds. Ours.
pub const HTTP_SPARED_SECS: u64 = 1;
/// How long a connection may stay silent, seconds. Ours. Beyond: dropped.
pub const HTTP_IDLE_SECS_MAX: u64 = 30;
/// How long the first request of a connection may take, seconds. Ours. Beyond: dropped.
pub const HTTP_FIRST_REQUEST_SECS_MAX: u64 = 10;
/// Bytes of requests at one time beyond [`UNCOUNTED_BYTES`] each. Ours: no request of an operator's tool needs
/// them. Beyond: the connection is dropped.
pub const HTTP_BYTES_MAX: usize = 1024 * 1024;
