//! What one message of a resolver says about a name. It believes what was asked for, and nothing beside it.

use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::dnssec::Proof;
use hickory_resolver::proto::op::{Message, Query, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

use hickory_resolver::proto::serialize::binary::BinDecodable as _;

use crate::told::{Security, Trouble};

/// A message, as far as it is about what was asked.
#[derive(Debug)]
pub(crate) struct Reply {
    code: ResponseCode,
    answers: Vec<Record>,
    authorities: Vec<Record>,
}

/// What a message says about a name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// Its TXT records, the strings of each joined.
    Records(Vec<Vec<u8>>),
    /// It has another name, about which the message says nothing.
    Alias(Name),
    /// NXDOMAIN or NODATA.
    Absent,
}

/// A word with what it stands on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) word: Word,
    pub(crate) security: Security,
    /// The least time to live of what was used.
    pub(crate) ttl_secs: u32,
    /// Aliases that led there.
    pub(crate) aliases: usize,
}

/// Whether records bear the proof of a checked answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Plain,
    Checked,
}

impl Reply {
    /// What came, if it is about the question.
    pub(crate) fn read(question: &Query, came: Result<Message, NetError>) -> Result<Reply, Trouble> {
        match came {
            Ok(message) => Self::of(question, message),
            Err(NetError::Dns(DnsError::NoRecordsFound(none))) => {
                let mut authorities: Vec<Record> =
                    none.authorities.iter().flat_map(|all| all.to_vec()).collect();
                authorities.extend(none.soa.map(|soa| soa.into_record_of_rdata()));
                let mut message = Message::query();
                message.queries = vec![*none.query];
                message.metadata.response_code = none.response_code;
                message.authorities = authorities;
                Self::of(question, message)
            }
            // Its denial needs no signature: the zone, or its way of denial, is none that can be checked.
            Err(NetError::Dns(DnsError::Nsec {
                response,
                proof: Proof::Insecure,
                ..
            })) => {
                let mut message = response.into_message();
                for record in &mut message.authorities {
                    record.proof = Proof::Insecure;
                }
                Self::of(question, message)
            }
            Err(NetError::Dns(DnsError::Nsec { .. } | DnsError::DnssecBogus)) => Err(Trouble::Bogus),
            Err(NetError::Dns(DnsError::ResponseCode(code))) => Err(no_word(code)),
            Err(error @ (NetError::ForeignClassRecord { .. } | NetError::Proto(_))) => {
                Err(Trouble::NoWord(error.to_string()))
            }
            Err(error) => Err(Trouble::Unreachable(error.to_string())),
        }
    }

    fn of(question: &Query, message: Message) -> Result<Reply, Trouble> {
        if message.queries.len() != 1 || message.queries.first() != Some(question) {
            return Err(Trouble::NoWord("it answers another question".to_owned()));
        }
        if message.metadata.truncation {
            return Err(Trouble::NoWord("its answer is cut short".to_owned()));
        }
        match message.metadata.response_code {
            code @ (ResponseCode::NoError | ResponseCode::NXDomain) => Ok(Reply {
                code,
                answers: message.answers,
                authorities: message.authorities,
            }),
            code => Err(no_word(code)),
        }
    }

    /// What it says about `asked`, whose aliases it may follow for so many steps.
    pub(crate) fn about(&self, asked: &Name, way: Way, aliases_max: usize) -> Result<Heard, Trouble> {
        let mut heard = Heard {
            word: Word::Absent,
            security: match way {
                Way::Plain => Security::Unchecked,
                Way::Checked => Security::Secure,
            },
            ttl_secs: u32::MAX,
            aliases: 0,
        };
        let mut here = asked.clone();
        loop {
            let records = self.records(&here, RecordType::TXT);
            if !records.is_empty() {
                if self.code != ResponseCode::NoError {
                    return Err(Trouble::NoWord(
                        "it denies the name and has records of it".to_owned(),
                    ));
                }
                heard.stands_on(&records, way)?;
                heard.word = Word::Records(records.iter().filter_map(|record| text(record)).collect());
                return Ok(heard);
            }
            let aliases = self.records(&here, RecordType::CNAME);
            let Some(next) = aliases.first().and_then(|record| target(record)) else {
                break;
            };
            if aliases.iter().any(|other| target(other) != Some(next)) {
                return Err(Trouble::NoWord(format!("{here} is an alias of several names")));
            }
            heard.stands_on(&aliases, way)?;
            heard.aliases += 1;
            if heard.aliases > aliases_max {
                return Err(Trouble::NoWord("a loop, or a long chain, of aliases".to_owned()));
            }
            here = next.clone();
        }
        if here != *asked {
            heard.word = Word::Alias(here);
            return Ok(heard);
        }
        heard.security = self.denial(asked, way)?;
        Ok(heard)
    }

    /// The top of the branch that stands elsewhere (DNAME, RFC 6672) and that the name is in, if there is one.
    pub(crate) fn branch(&self, name: &Name) -> Option<&Name> {
        let is_above =
            |record: &&Record| record.record_type() == RecordType::DNAME && record.name.zone_of(name);
        self.answers.iter().find(is_above).map(|record| &record.name)
    }

    /// What an answer about the top of a branch says about a name in it.
    pub(crate) fn elsewhere(&self, top: &Name, name: &Name) -> Result<Heard, Trouble> {
        let tops = self.records(top, RecordType::DNAME);
        let mut heard = Heard {
            word: Word::Absent,
            security: Security::Secure,
            ttl_secs: u32::MAX,
            aliases: 1,
        };
        heard.stands_on(&tops, Way::Checked)?;
        let next = match tops.as_slice() {
            [only] => moved(name, top, only),
            _ => None,
        };
        heard.word = Word::Alias(next.ok_or(Trouble::Bogus)?);
        Ok(heard)
    }

    /// Whether "no such record" is a word about the name, and how far it is proven. Only NXDOMAIN and NODATA
    /// (NOERROR without answers) speak of the name; a referral (RFC 2308, 2.2) does not.
    ///
    /// Spec: 7.2
    fn denial(&self, asked: &Name, way: Way) -> Result<Security, Trouble> {
        let has = |kind| self.authorities.iter().any(|record| record.record_type() == kind);
        if self.code == ResponseCode::NoError && has(RecordType::NS) && !has(RecordType::SOA) {
            return Err(Trouble::NoWord("it only names others to ask".to_owned()));
        }
        if way == Way::Plain {
            return Ok(Security::Unchecked);
        }
        let denies = |record: &&Record| matches!(record.record_type(), RecordType::NSEC | RecordType::NSEC3);
        if self
            .authorities
            .iter()
            .filter(denies)
            .any(|record| record.proof.is_secure())
        {
            return Ok(Security::Secure);
        }
        // An unsigned denial counts where the zone that gives it is proven to be unsigned, and is one that the name
        // can be in. Where none is named, the library has proven it of the name.
        let can_hold = |record: &Record| record.name.zone_of(asked) && record.proof.is_insecure();
        match self.authorities.is_empty() || self.authorities.iter().any(can_hold) {
            true => Ok(Security::Insecure),
            false => Err(Trouble::Bogus),
        }
    }

    /// Whether it has signatures of that owner that verify up to a trust anchor.
    pub(crate) fn has_signature(&self, owner: &Name) -> bool {
        let signatures = self.records(owner, RecordType::RRSIG);
        signatures.iter().any(|record| record.proof.is_secure())
    }

    fn records(&self, owner: &Name, kind: RecordType) -> Vec<&Record> {
        let is_such = |record: &&Record| record.name == *owner && record.record_type() == kind;
        self.answers.iter().filter(is_such).collect()
    }
}

impl Heard {
    fn stands_on(&mut self, records: &[&Record], way: Way) -> Result<(), Trouble> {
        for record in records {
            self.ttl_secs = self.ttl_secs.min(record.ttl);
            if way == Way::Plain {
                continue;
            }
            let security = match record.proof {
                Proof::Secure => Security::Secure,
                Proof::Insecure => Security::Insecure,
                Proof::Bogus | Proof::Indeterminate => return Err(Trouble::Bogus),
            };
            self.security = self.security.min(security);
        }
        Ok(())
    }
}

fn no_word(code: ResponseCode) -> Trouble {
    Trouble::NoWord(format!("it answers {code}"))
}

fn text(record: &Record) -> Option<Vec<u8>> {
    match &record.data {
        RData::TXT(txt) => Some(txt.txt_data.concat()),
        _ => None,
    }
}

/// A name of a branch where the branch stands (RFC 6672, 2.2); none where it would be too long.
fn moved(name: &Name, top: &Name, dname: &Record) -> Option<Name> {
    let RData::Unknown { rdata, .. } = &dname.data else {
        return None;
    };
    let end = Name::from_bytes(&rdata.anything).ok()?;
    let below = usize::from(name.num_labels().checked_sub(top.num_labels())?);
    let mut moved = Name::from_labels(name.iter().take(below).chain(end.iter())).ok()?;
    moved.set_fqdn(true);
    Some(moved)
}

fn target(record: &Record) -> Option<&Name> {
    match &record.data {
        RData::CNAME(alias) => Some(&alias.0),
        _ => None,
    }
}
