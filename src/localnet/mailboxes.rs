//! The test mailboxes: domains with DKIM keys that can be rotated and revoked, and the mails that they sign.

use super::net::Records;
use crate::commands::Failure;
use crate::stage::{DOMAIN, RELAY};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use testkit::mail::rfc5322_date;
use testkit::sign::{DkimKey, Draft, Form};

/// A second provider.
const OTHER_DOMAIN: &str = "post.example";
/// Who has a mailbox from the start.
const PEOPLE: [(&str, &str); 3] = [("alice", DOMAIN), ("bob", DOMAIN), ("carol", OTHER_DOMAIN)];
/// What each of them has at the start, XAH.
const FUND_XAH: u64 = 1_000;
/// Header fields of a mail; all of them are signed.
const SIGNED: &str = "from:to:cc:subject:date:message-id";
/// Name of the file with the secret keys.
const FILE: &str = "mailboxes.json";

/// What DNS says of a selector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Published {
    /// Its key.
    Key,
    /// That its key is revoked (`p=` without a key, RFC 6376 3.6.1).
    Revoked,
    /// Nothing any more.
    Withdrawn,
}

/// What becomes of the key before a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Old {
    /// It stays published.
    Kept,
    /// It is withdrawn.
    Withdrawn,
    /// The new key takes its place under the same selector.
    Replaced,
}

/// A selector of a domain.
pub(super) struct Selector {
    pub name: String,
    pub published: Published,
    key: DkimKey,
}

/// A domain, its newest selector last.
pub(super) struct Domain {
    pub name: String,
    pub selectors: Vec<Selector>,
}

/// Whose key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signer {
    /// The provider's.
    Provider,
    /// That of the false DNS answers.
    Forger,
}

/// All of them.
pub(super) struct Mailboxes {
    file: PathBuf,
    domains: Vec<Domain>,
    forger: DkimKey,
    /// The date of the last mail, Unix seconds: two of one second that say the same count as one.
    last_date: u64,
}

/// The file.
#[derive(Serialize, Deserialize)]
struct Stored {
    domains: Vec<StoredDomain>,
    forger: String,
}

#[derive(Serialize, Deserialize)]
struct StoredDomain {
    name: String,
    selectors: Vec<StoredSelector>,
}

#[derive(Serialize, Deserialize)]
struct StoredSelector {
    name: String,
    published: Published,
    key: String,
}

/// A mail, and what signs it.
pub(super) struct Written {
    pub text: String,
    /// The selector and domain that it names.
    pub key_name: (String, String),
}

impl Mailboxes {
    /// Those of a folder, or new ones.
    pub(super) fn open(folder: &Path) -> Result<Self, Failure> {
        let file = folder.join(FILE);
        let (domains, forger) = if file.exists() {
            let text = std::fs::read_to_string(&file)?;
            read(&text).ok_or_else(|| {
                Failure::Argument(format!(
                    "{} holds no test mailboxes: remove the folder and begin anew",
                    file.display()
                ))
            })?
        } else {
            let domains = [DOMAIN, OTHER_DOMAIN].map(|name| Domain {
                name: name.to_owned(),
                selectors: vec![selector(1)],
            });
            (domains.into(), DkimKey::fresh_rsa())
        };
        let mailboxes = Self {
            file,
            domains,
            forger,
            last_date: 0,
        };
        mailboxes.store()?;
        Ok(mailboxes)
    }

    /// First payments of a new network.
    pub(super) fn funds() -> Vec<String> {
        PEOPLE
            .iter()
            .map(|(name, domain)| format!("{name}@{domain}={FUND_XAH}"))
            .collect()
    }

    /// Addresses of those who have a mailbox from the start.
    pub(super) fn people() -> Vec<String> {
        PEOPLE
            .iter()
            .map(|(name, domain)| format!("{name}@{domain}"))
            .collect()
    }

    /// The address that somebody means: by the first name, or written out.
    pub(super) fn address(who: &str) -> Option<String> {
        let known = PEOPLE.iter().find(|(name, _)| name.eq_ignore_ascii_case(who));
        match known {
            Some((name, domain)) => Some(format!("{name}@{domain}")),
            None => who.contains('@').then(|| who.to_owned()),
        }
    }

    /// The domains.
    pub(super) fn domains(&self) -> &[Domain] {
        &self.domains
    }

    /// What DNS says.
    pub(super) fn honest(&self) -> Records {
        self.records(|selector| match selector.published {
            Published::Key => Some(selector.key.record()),
            Published::Revoked => Some("v=DKIM1; p=".to_owned()),
            Published::Withdrawn => None,
        })
    }

    /// What it says to those that are lied to: another key, under each selector.
    pub(super) fn false_ones(&self) -> Records {
        self.records(|_| Some(self.forger.record()))
    }

    fn records(&self, record: impl Fn(&Selector) -> Option<String>) -> Records {
        let domains = self.domains.iter();
        let all = domains.flat_map(|domain| domain.selectors.iter().map(move |selector| (domain, selector)));
        all.filter_map(|(domain, selector)| {
            let name = format!("{}._domainkey.{}", selector.name, domain.name);
            Some((name, record(selector)?))
        })
        .collect()
    }

    /// Gives a domain a new key; answers its selector, and that of the key before.
    pub(super) fn rotate(&mut self, domain: &str, old: Old) -> Result<Option<(String, String)>, Failure> {
        let Some(domain) = self.domains.iter_mut().find(|known| known.name == domain) else {
            return Ok(None);
        };
        let number = domain.selectors.len() + 1;
        let Some(last) = domain.selectors.last_mut() else {
            return Ok(None);
        };
        let before = last.name.clone();
        match old {
            Old::Replaced => {
                last.key = DkimKey::fresh_rsa();
                last.published = Published::Key;
            }
            Old::Withdrawn | Old::Kept => {
                if old == Old::Withdrawn {
                    last.published = Published::Withdrawn;
                }
                domain.selectors.push(selector(number));
            }
        }
        let now = domain
            .selectors
            .last()
            .map_or(before.clone(), |last| last.name.clone());
        self.store()?;
        Ok(Some((now, before)))
    }

    /// Revokes a key of a domain: the newest, or that of a selector. Answers which.
    pub(super) fn revoke(&mut self, domain: &str, selector: Option<&str>) -> Result<Option<String>, Failure> {
        let known = self.domains.iter_mut().find(|known| known.name == domain);
        let found = known.and_then(|domain| {
            let mut selectors = domain.selectors.iter_mut().rev();
            selectors.find(|known| selector.is_none_or(|selector| selector == known.name))
        });
        let Some(found) = found else {
            return Ok(None);
        };
        found.published = Published::Revoked;
        let name = found.name.clone();
        self.store()?;
        Ok(Some(name))
    }

    /// A mail with this line, signed as of now; nothing where the sender's domain is none of these.
    pub(super) fn write(
        &mut self,
        from: &str,
        to: &str,
        line: &str,
        signer: Signer,
        now: u64,
    ) -> Option<Written> {
        let domain = self.domains.iter().find(|domain| {
            let of_sender = from.rsplit_once('@').map(|(_, domain)| domain);
            of_sender.is_some_and(|of_sender| of_sender.eq_ignore_ascii_case(&domain.name))
        })?;
        let selector = domain.selectors.last()?;
        let key = match signer {
            Signer::Provider => &selector.key,
            Signer::Forger => &self.forger,
        };
        let date = now.max(self.last_date.saturating_add(1));
        self.last_date = date;
        let fields = format!(
            "from:<{from}>\r\nto:<{to}>\r\ncc:<{RELAY}>\r\nsubject:{line}\r\ndate:{}\r\nmessage-id:<{date}@{}>\r\n",
            rfc5322_date(date),
            domain.name
        );
        let draft = Draft {
            form: Form::Relaxed,
            domain: &domain.name,
            selector: &selector.name,
            names: SIGNED,
            fields: fields.into_bytes(),
            body: format!("{line}\r\n").into_bytes(),
        };
        let text = String::from_utf8_lossy(&draft.signed_at(key, date)).into_owned();
        Some(Written {
            text,
            key_name: (selector.name.clone(), domain.name.clone()),
        })
    }

    fn store(&self) -> Result<(), Failure> {
        let stored = Stored {
            domains: self.domains.iter().map(StoredDomain::of).collect(),
            forger: key_text(&self.forger),
        };
        let text = serde_json::to_string_pretty(&stored).map_err(std::io::Error::other)?;
        Ok(std::fs::write(&self.file, text)?)
    }
}

fn selector(number: usize) -> Selector {
    Selector {
        name: format!("s{number}"),
        published: Published::Key,
        key: DkimKey::fresh_rsa(),
    }
}

fn key_text(key: &DkimKey) -> String {
    key.pkcs8().map(hex::encode).unwrap_or_default()
}

fn key_of(text: &str) -> Option<DkimKey> {
    DkimKey::rsa_of(&hex::decode(text).ok()?)
}

impl StoredDomain {
    fn of(domain: &Domain) -> Self {
        let selectors = domain.selectors.iter().map(|selector| StoredSelector {
            name: selector.name.clone(),
            published: selector.published,
            key: key_text(&selector.key),
        });
        Self {
            name: domain.name.clone(),
            selectors: selectors.collect(),
        }
    }

    fn read(self) -> Option<Domain> {
        let selectors = self.selectors.into_iter().map(|stored| {
            Some(Selector {
                key: key_of(&stored.key)?,
                name: stored.name,
                published: stored.published,
            })
        });
        Some(Domain {
            name: self.name,
            selectors: selectors.collect::<Option<_>>()?,
        })
    }
}

fn read(text: &str) -> Option<(Vec<Domain>, DkimKey)> {
    let stored: Stored = serde_json::from_str(text).ok()?;
    let domains = stored.domains.into_iter().map(StoredDomain::read);
    Some((domains.collect::<Option<_>>()?, key_of(&stored.forger)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_rotated_revoked_and_read_again() {
        let folder = tempfile::tempdir().expect("folder");
        let mut mailboxes = Mailboxes::open(folder.path()).expect("made");
        let first = mailboxes.honest();
        assert_eq!(first[0].0, "s1._domainkey.mail.example");
        let rotated = mailboxes.rotate("mail.example", Old::Withdrawn).expect("stored");
        assert_eq!(rotated, Some(("s2".to_owned(), "s1".to_owned())));
        assert!(
            mailboxes
                .rotate("other.example", Old::Kept)
                .expect("nothing")
                .is_none()
        );
        let names: Vec<String> = mailboxes.honest().into_iter().map(|(name, _)| name).collect();
        assert_eq!(
            names,
            ["s2._domainkey.mail.example", "s1._domainkey.post.example"]
        );
        mailboxes.revoke("post.example", None).expect("stored");
        let again = Mailboxes::open(folder.path()).expect("read");
        assert_eq!(again.honest(), mailboxes.honest());
        assert_eq!(again.honest()[1].1, "v=DKIM1; p=");
        assert_eq!(again.false_ones(), mailboxes.false_ones());
        mailboxes.rotate("post.example", Old::Replaced).expect("stored");
        assert_ne!(
            mailboxes.honest()[1],
            first[1],
            "another key under the same selector"
        );
    }

    #[test]
    fn two_mails_of_one_second_have_two_dates() {
        let folder = tempfile::tempdir().expect("folder");
        let mut mailboxes = Mailboxes::open(folder.path()).expect("made");
        let mut write = |from| {
            mailboxes.write(
                from,
                "bob@mail.example",
                "REMIT 1 XAH",
                Signer::Provider,
                1_794_830_400,
            )
        };
        let (one, two) = (write("alice@mail.example"), write("alice@mail.example"));
        assert!(
            one.expect("a mail")
                .text
                .contains("date:Mon, 16 Nov 2026 12:00:00 +0000")
        );
        assert!(
            two.expect("a mail")
                .text
                .contains("date:Mon, 16 Nov 2026 12:00:01 +0000")
        );
        assert!(write("eve@elsewhere.example").is_none());
    }
}
