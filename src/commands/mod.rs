//! The commands, one file each.

pub(crate) mod address;
pub(crate) mod conformance;
pub(crate) mod explain;
mod forecast;
pub(crate) mod freeze;
mod keys;
pub(crate) mod leak;
mod leaked_key;
pub(crate) mod ledger;
pub(crate) mod network;
pub(crate) mod network_status;
pub(crate) mod network_vote;
pub(crate) mod node;
mod pending_votes;
pub(crate) mod providers;
pub(crate) mod queue;
pub(crate) mod relay;
mod reread;
pub(crate) mod rollback;
pub(crate) mod show;
pub(crate) mod submit;
pub(crate) mod up;
pub(crate) mod validator;

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

/// Bytes of a mail that are read: one more than the door takes, so that the verifier says that it is too
/// long.
const MAIL_BYTES_READ: u64 = (amendment::limits::MAIL_BYTES_MAX + 1) as u64;

/// What a command found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It did what it was asked; the mail qualifies.
    Yes,
    /// The answer is no.
    No,
    /// It cannot tell.
    Unknown,
    /// What another program's convention wants.
    Code(u8),
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        match outcome {
            Outcome::Yes => ExitCode::SUCCESS,
            Outcome::No => ExitCode::from(1),
            Outcome::Unknown => ExitCode::from(2),
            Outcome::Code(code) => ExitCode::from(code),
        }
    }
}

/// Why a command could not do what it was asked: what, where, and what to do. Exit code 2.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}. Check the path and its permissions")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A record of a ledger that cannot be replayed.
    #[error("{path}: {reason}. It must be one recorded case, as in fixtures/golden (see its README)")]
    Record {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The keys file cannot be used.
    #[error(transparent)]
    KeysFile(#[from] dns::KeysFileError),
    /// The DNS resolvers cannot be used.
    #[error(transparent)]
    Dns(dns::ResolverError),
    /// A payment of the first start is not one.
    #[error(transparent)]
    Fund(#[from] ::node::FundError),
    /// A time that the ledger cannot express.
    #[error(
        "{0} is not a time that a ledger can hold: give Unix seconds from 946684800 (the year 2000) to 5241652095"
    )]
    Time(u64),
    /// The node cannot be reached, refused the request, or went away.
    #[error("{}", server_message(server, source))]
    Server {
        /// Its address.
        server: String,
        /// What the client says.
        source: rpc::ClientError,
    },
    /// The node cannot start.
    #[error(transparent)]
    Start(#[from] ::node::StartError),
    /// The node failed while it ran.
    #[error(transparent)]
    Node(#[from] ::node::NodeFailure),
    /// A node's configuration.
    #[error(transparent)]
    NetworkConfig(#[from] ::network::config::ConfigError),
    /// A new network's files.
    #[error(transparent)]
    NetworkInit(#[from] ::network::init::InitError),
    /// The node's key.
    #[error(transparent)]
    ValidatorKey(#[from] ::node::validator_key::ValidatorKeyError),
    /// The node takes part in its network no more.
    #[error(transparent)]
    Engine(#[from] ::network::EngineError),
    /// The port is taken, or not for this user.
    #[error(
        "{flag}: cannot listen on {address}: {source}. Is another program there? Choose another address with {flag}"
    )]
    Listen {
        /// The flag that says where.
        flag: &'static str,
        /// The address.
        address: std::net::SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The relay's configuration.
    #[error("{0}")]
    RelayConfig(#[from] ::relay::config::file::ConfigError),
    /// The relay cannot start.
    #[error(transparent)]
    Daemon(#[from] ::relay::daemon::DaemonError),
    /// A part of the relay ended while it ran.
    #[error(transparent)]
    RelayPart(#[from] ::relay::daemon::PartEnded),
    /// The relay's first files cannot be made.
    #[error(transparent)]
    Quickstart(#[from] ::relay::config::quickstart::QuickstartError),
    /// The relay's queue cannot be asked, or refused.
    #[error(transparent)]
    Queue(#[from] ::relay::control::ControlError),
    /// A copy of a queue.
    #[error(transparent)]
    Backup(#[from] ::relay::queue::backup::BackupError),
    /// A pack of vectors cannot be made, read or written.
    #[error(transparent)]
    Pack(#[from] ::conformance::PackError),
    /// An argument that makes no sense.
    #[error("{0}")]
    Argument(String),
    /// The machine refused something that every command needs.
    #[error("the operating system refused: {0}")]
    System(#[from] std::io::Error),
}

fn server_message(server: &str, error: &rpc::ClientError) -> String {
    use rpc::ClientError::{BadAnswer, BadReply, Broken, Closed, Connect, Refused, TimedOut, TooLong};
    match error {
        Connect { source, .. } => format!(
            "cannot connect to {server}: {source}. Is the node running there? The address is like ws://127.0.0.1:6006"
        ),
        Refused { .. } => format!("{server} refused the request: {error}"),
        BadAnswer | BadReply(_) => format!("{server}: {error}. Is it a node of this program or of Xahau?"),
        Broken(_) | Closed | TimedOut { .. } | TooLong { .. } => format!(
            "{server}: {error}. It may have taken the request: run the same command again, a mail works once"
        ),
    }
}

/// Reads a mail from a file, or from standard input for `-`. Where it holds no CR at all, LF is read as CRLF.
///
/// Spec: 12
pub(crate) fn read_mail(path: &Path) -> Result<Vec<u8>, Failure> {
    let wrong = |source| Failure::Read {
        path: path.display().to_string(),
        source,
    };
    let mut raw = Vec::new();
    if path == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(MAIL_BYTES_READ)
            .read_to_end(&mut raw)
            .map_err(wrong)?;
    } else {
        std::fs::File::open(path)
            .and_then(|file| file.take(MAIL_BYTES_READ).read_to_end(&mut raw))
            .map_err(wrong)?;
    }
    Ok(amendment::mail_of_file(&raw).into_owned())
}
