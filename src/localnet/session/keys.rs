//! DKIM keys: what DNS says of them, and what the ledger has.

use super::{Answer, Refused, Session};
use crate::localnet::ask;
use crate::localnet::mailboxes::{Old, Published};
use crate::localnet::verb::Ruling;
use amendment::limits::KEY_LIFE_SECS;
use codec::{CloseTime, keylet};
use serde_json::{Map, Value, json};
use testkit::mail::rfc5322_date;

/// What a ledger has of a key.
pub(super) enum OnLedger {
    /// Nothing.
    Nothing,
    /// It proves mails until then.
    Usable(u64),
    /// It was not attested for too long.
    Old(u64),
    /// It waits for a second quorum, from this time on.
    Waiting(u64),
    /// It was revoked.
    Revoked(u64),
}

impl OnLedger {
    fn of(entry: Option<&Map<String, Value>>, now: u64) -> Self {
        let time = |field: &str| {
            let secs = entry?.get(field)?.as_u64()?;
            Some(CloseTime::new(u32::try_from(secs).ok()?).to_unix())
        };
        let has = |field: &str| entry.is_some_and(|entry| entry.contains_key(field));
        if let Some(revoked) = time("RevokedAt") {
            return Self::Revoked(revoked);
        }
        if let (true, Some(active)) = (has("NextKey"), time("ActiveAfter")) {
            return Self::Waiting(active);
        }
        match time("LastAttested").filter(|_| has("PublicKey")) {
            None => Self::Nothing,
            Some(attested) => {
                let until = attested.saturating_add(u64::from(KEY_LIFE_SECS));
                if until >= now {
                    Self::Usable(until)
                } else {
                    Self::Old(until)
                }
            }
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Nothing => "absent",
            Self::Usable(_) => "usable",
            Self::Old(_) => "old",
            Self::Waiting(_) => "waiting",
            Self::Revoked(_) => "revoked",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Nothing => "not on the ledger: the first mail under it brings it there".to_owned(),
            Self::Usable(until) => format!("usable until {}", rfc5322_date(*until)),
            Self::Old(since) => format!(
                "proves nothing since {}: the next mail renews it",
                rfc5322_date(*since)
            ),
            Self::Waiting(from) => format!("waits: usable from {} if it is still there", rfc5322_date(*from)),
            Self::Revoked(at) => format!("revoked at {}", rfc5322_date(*at)),
        }
    }
}

impl Session {
    /// What the ledger of a node has of a key.
    pub(super) async fn on_ledger(
        &self,
        url: &str,
        selector: &str,
        domain: &str,
    ) -> Result<OnLedger, String> {
        let index = keylet::dkim_key(domain.as_bytes(), selector.as_bytes());
        let entry = ask::entry(url, index).await?;
        Ok(OnLedger::of(entry.as_ref(), self.net.now_unix()))
    }

    pub(super) async fn keys(&mut self) -> Result<Answer, Refused> {
        let speaker = self.speaker()?;
        let (url, name) = (self.net.url(speaker), self.name(speaker).to_owned());
        let (mut lines, mut keys) = (Vec::new(), Vec::new());
        for domain in self.mailboxes.domains() {
            match self.ruling_on_ledger(&url, &domain.name).await {
                Some(Ruling::Frozen) => lines.push(format!("{}: FROZEN, no mail of it counts", domain.name)),
                Some(Ruling::Lifted) => lines.push(format!("{}: was frozen, and is lifted", domain.name)),
                None => {}
            }
            for selector in &domain.selectors {
                let found = self.on_ledger(&url, &selector.name, &domain.name).await;
                let found = found.map_err(|reason| Refused::Asked {
                    name: name.clone(),
                    reason,
                })?;
                let dns = match selector.published {
                    Published::Key => "published",
                    Published::Revoked => "revoked",
                    Published::Withdrawn => "withdrawn",
                };
                let key = format!("{}._domainkey.{}", selector.name, domain.name);
                lines.push(format!("{key}: DNS {dns}; {}", found.text()));
                keys.push(json!({
                    "domain": domain.name, "selector": selector.name, "dns": dns, "ledger": found.word(),
                    "text": found.text(),
                }));
            }
        }
        lines.into_iter().for_each(|line| self.teller.say(line));
        let time = self.time();
        self.teller.say(format!("as {name} has them; now is {time}"));
        Ok(Answer::of(
            json!({ "keys": keys, "node": name, "time": self.net.now_unix() }),
        ))
    }

    pub(super) fn rotate(&mut self, domain: &str, old: Old) -> Result<Answer, Refused> {
        let rotated = self.mailboxes.rotate(domain, old)?;
        let (now, before) = rotated.ok_or_else(|| self.no_key(domain))?;
        self.publish();
        let what = match old {
            Old::Kept => format!("mails are signed under {now} now; {before} stays published"),
            Old::Withdrawn => format!("mails are signed under {now} now; {before} is withdrawn from DNS"),
            Old::Replaced => format!("{now} has another key now"),
        };
        self.teller.say(format!("{domain}: {what}"));
        let answer = Answer::of(json!({ "domain": domain, "selector": now, "before": before }));
        Ok(answer.next(format!(
            "a mail of {domain}, then keys; a further key waits KEY_DELAY_NEXT: advance 6h"
        )))
    }

    pub(super) fn revoke(&mut self, domain: &str, selector: Option<&str>) -> Result<Answer, Refused> {
        let revoked = self.mailboxes.revoke(domain, selector)?;
        let selector = revoked.ok_or_else(|| {
            let name = selector.map_or(domain.to_owned(), |selector| {
                format!("{selector}._domainkey.{domain}")
            });
            self.no_key(&name)
        })?;
        self.publish();
        self.teller.say(format!(
            "{selector}._domainkey.{domain}: DNS says that it is revoked; validators notice when they look it up, at the \
             latest when it is due for renewal"
        ));
        let answer = Answer::of(json!({ "domain": domain, "selector": selector }));
        Ok(answer.next("advance 6h, then keys"))
    }

    fn publish(&mut self) {
        self.net
            .publish(self.mailboxes.honest(), self.mailboxes.false_ones());
    }

    fn no_key(&self, name: &str) -> Refused {
        let domains = self.mailboxes.domains().iter();
        let known: Vec<String> = domains
            .map(|domain| {
                let selectors: Vec<&str> = domain
                    .selectors
                    .iter()
                    .map(|selector| selector.name.as_str())
                    .collect();
                format!("{} ({})", domain.name, selectors.join(", "))
            })
            .collect();
        Refused::Key {
            name: name.to_owned(),
            known: known.join(", "),
        }
    }
}
