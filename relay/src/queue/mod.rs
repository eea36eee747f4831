//! The durable queue: one entry for one mail, its text, the outbox of notices, and marks of the intake.
//!
//! What a method has answered is on disk: one writer gathers what many callers want and syncs once for all of
//! them. The queue lies in `queue.redb` of the data folder; `audit.log` beside it tells what became of each
//! mail.
//!
//! | part | does |
//! |---|---|
//! | `id` | the one name of a mail |
//! | `entry`, `request`, `said` | what is known of a mail: what it wants, how far it is, the last word on it |
//! | `view` | an entry in words, as operators see it |
//! | `notice` | mails of the relay's own |
//! | `stored` | how values are stored |
//! | `tables` | the tables of the file |
//! | `store` | opens the file, reads, commits |
//! | `migrate` | makes a file of version 1 one of version 2 |
//! | `batch` | what one transaction does |
//! | `writer` | the writer's thread: one transaction for many callers |
//! | `handle` | the queue as its callers hold it |
//! | `audit` | the audit log |
//! | [`ops`] | what operators do: show, retry, hold, release, drop, count |
//! | [`backup`] | copies, restores and checks a data folder |

mod audit;
pub mod backup;
mod batch;
mod entry;
mod error;
mod handle;
mod id;
mod migrate;
mod notice;
pub mod ops;
mod request;
mod said;
mod store;
mod stored;
mod tables;
mod view;
mod waits;
mod writer;

#[cfg(test)]
pub(crate) mod tests;

pub use batch::{Change, Put};
pub use entry::{Dkim, End, Entry, Hold, InLedger, Made, Outcome, Progress, State, Thread, Trail};
pub use error::{OpenError, QueueError};
pub use handle::{Cursor, Damaged, Filter, Queue, is_queue};
pub use id::{MailId, MailIdError};
pub use notice::{Notice, NoticeKind, NoticeState};
pub use request::Request;
pub use said::Said;
pub use view::{EntryView, Kind};
pub use waits::{Waiting, Waits, WaitsFor};
