//! DNS: the one resolver, the one reader of key files and the one answer type of node, relay and command
//! line.
//!
//! It decides nothing about a mail. What node and relay have to agree on stands here once:
//!
//! | question | answer |
//! |---|---|
//! | NXDOMAIN, NODATA | [`Answer::Absent`] |
//! | SERVFAIL, REFUSED and every other code, a referral (RFC 2308, 2.2), a timeout, no route | [`Answer::Failed`]: no word about the name (spec 7.2) |
//! | an alias (CNAME) | the records at its end; none there is [`Answer::Absent`] |
//! | one TXT record of several strings | the strings joined without anything between (RFC 6376, 3.6.2.2) |
//! | several TXT records | no key, whatever they hold (spec 4.5) |
//! | a record over its bound, or one that makes no key | [`Published::record`] says why; an empty `p=` is one such reason |
//! | upper case in a name | lowered; a final dot in a keys file is dropped |
//! | search lists, the hosts file, a cache | never used: each answer is of now |
//! | time | the caller gives the patience for one question; two tries fit into it |
//!
//! | part | does |
//! |---|---|
//! | [`Answer`], [`Published`] | what DNS says |
//! | [`KeyResolver`] | where keys come from: DNS, a file, or nowhere |
//! | [`Resolver`] | asks DNS |
//! | [`KeyTable`] | reads a keys file |

mod answer;
mod key_resolver;
mod key_table;
pub mod limits;
mod resolver;

pub use amendment::key_record::PublishedKey;
pub use answer::{Answer, Published};
pub use key_resolver::{KeyResolver, Lookup, NoResolver};
pub use key_table::{KeyTable, KeysFileError};
pub use resolver::{Resolver, ResolverError};
