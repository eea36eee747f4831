//! Why the daemon does not start, or does not go on.

use std::io;
use std::path::PathBuf;

use crate::intake::accept::IntakeError;
use crate::intake::smtp::tls::TlsError;
use crate::notices::{KeyFileError, WayError};
use crate::queue::OpenError;

/// Why the daemon cannot start.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The queue.
    #[error(transparent)]
    Queue(#[from] OpenError),
    /// The intake.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// The certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A listener.
    #[error(
        "{setting}: cannot listen on {place}: {source}. Is another program there? Ports below 1024 need CAP_NET_BIND_SERVICE, and \
         the path of a socket has to be shorter than 108 bytes"
    )]
    Listen {
        /// The setting that names it.
        setting: &'static str,
        /// Address or path, as the configuration has it.
        place: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A file that the configuration names cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// As the configuration names it.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The key that signs notices.
    #[error(transparent)]
    NoticeKey(#[from] KeyFileError),
    /// The way of notices.
    #[error(transparent)]
    Way(#[from] WayError),
}

/// A part of the daemon ended although it was not stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the relay stops: {part} ended unexpectedly, which is a defect. See the log, and restart the relay")]
pub struct PartEnded {
    /// Words for the log.
    pub part: &'static str,
}
