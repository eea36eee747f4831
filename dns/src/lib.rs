//! DNS: the one resolver, the one reader of key files and the one answer type of node, relay and command
//! line.
//!
//! It decides nothing about a mail. What node and relay have to agree on stands here once:
//!
//! | question | answer |
//! |---|---|
//! | NXDOMAIN, NODATA | [`Answer::Absent`] |
//! | SERVFAIL, REFUSED and every other code, a referral (RFC 2308, 2.2), a timeout, no route, a wrong certificate | no word about the name; where no resolver has one [`Answer::Failed`] (spec 7.2) |
//! | an answer to another question, cut short, of other names | no word about the name: the next resolver is asked |
//! | an alias (CNAME), a branch that stands elsewhere (DNAME) | the records at its end; none there is [`Answer::Absent`]; a loop is no word |
//! | one TXT record of several strings | the strings joined without anything between (RFC 6376, 3.6.2.2) |
//! | several TXT records | no key, whatever they hold (spec 4.5) |
//! | a record over its bound, or one that makes no key | [`Published::record`] says why; an empty `p=` is one such reason |
//! | upper case in a name | lowered; a final dot in a keys file is dropped |
//! | search lists, the hosts file, a cache | never used: each answer is of now, as far as the resolver's is |
//! | several resolvers | asked in turn, in the order given; who was silent several times in a row comes after the others for a while |
//! | DNSSEC | [`Dnssec`] says whether signatures are checked; what is signed wrongly is no answer, never "absent" |
//! | time | the caller gives the patience for one question; each resolver gets its share, and two tries fit into that |
//!
//! | part | does |
//! |---|---|
//! | [`Answer`], [`Published`] | what DNS says |
//! | [`KeyResolver`] | where keys come from: DNS, a file, or nowhere |
//! | [`Resolver`] | asks DNS, as [`Settings`] say |
//! | [`Upstream`] | a resolver to ask, as an operator writes it: UDP, TCP, TLS or HTTPS |
//! | [`Told`] | what is worth telling of look-ups, for log and metrics |
//! | [`KeyTable`] | reads a keys file |

mod answer;
mod asker;
mod key_resolver;
mod key_table;
pub mod limits;
mod reply;
mod resolver;
mod settings;
mod told;
mod trim;
mod upstream;

pub use amendment::key_record::PublishedKey;
pub use answer::{Answer, Published};
pub use key_resolver::{KeyResolver, Lookup, NoResolver};
pub use key_table::{KeyTable, KeysFileError};
pub use resolver::{Resolver, ResolverError};
pub use settings::{Dnssec, NoSuchDnssec, Settings, SettingsFileError};
pub use told::{Listener, Security, Told, Trouble};
pub use upstream::{NoAddress, Upstream, UpstreamError};
