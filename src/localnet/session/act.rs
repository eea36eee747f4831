//! From a command to what is done for it.

use super::{Answer, Refused, Session};
use crate::localnet::verb::{VERBS, Verb};
use serde_json::{Value, json};

impl Session {
    /// Carries a command out.
    pub(crate) async fn act(&mut self, verb: Verb) -> Result<Answer, Refused> {
        match verb {
            Verb::Status => self.status().await,
            Verb::Balance(who) => self.balance(&who).await,
            Verb::Send(payment) => self.send(&payment).await,
            Verb::Submit(file) => self.submit(&file).await,
            Verb::Forge(payment) => self.forge(&payment).await,
            Verb::Mails => self.mails().await,
            Verb::Inbox(who) => self.inbox(who.as_deref()),
            Verb::Advance(secs) => self.advance(secs).await,
            Verb::Keys => self.keys().await,
            Verb::Rotate(domain, old) => self.rotate(&domain, old),
            Verb::Revoke(domain, selector) => self.revoke(&domain, selector.as_deref()),
            Verb::Lie(names) => self.lie(&names),
            Verb::Honest(names) => self.honest(&names),
            Verb::Rule(domain, ruling, names) => self.rule(&domain, ruling, &names).await,
            Verb::Vote(nodes, wish) => self.vote(&nodes, &wish).await,
            Verb::Kill(names) => self.kill(&names),
            Verb::Start(names) => self.start(&names).await,
            Verb::Pause(names) => self.pause(&names),
            Verb::Resume(names) => self.resume(&names),
            Verb::Partition(groups) => self.partition(&groups),
            Verb::Heal => Ok(self.heal()),
            Verb::Help(verb) => Ok(self.help(verb.as_deref())),
            Verb::Quit => Ok(self.quit()),
        }
    }

    fn help(&mut self, verb: Option<&str>) -> Answer {
        let shown = |known: &str| verb.is_none_or(|verb| verb == known);
        let chosen: Vec<_> = VERBS.iter().filter(|help| shown(help.verb)).collect();
        // A verb that is none: all of them.
        let chosen = if chosen.is_empty() {
            VERBS.iter().collect()
        } else {
            chosen
        };
        for help in &chosen {
            let begin = format!("{} {}", help.verb, help.words);
            self.teller.say(format!("  {begin:<38} {}", help.does));
        }
        self.teller
            .say("  NODE is a name as 'status' shows it, or short: 1, v1, f1");
        let verbs: Vec<Value> = chosen
            .iter()
            .map(|help| json!({ "verb": help.verb, "words": help.words, "does": help.does }))
            .collect();
        Answer::of(json!({ "verbs": verbs }))
    }

    fn quit(&mut self) -> Answer {
        self.teller.say("stopping the relay and the nodes");
        Answer {
            is_last: true,
            ..Answer::of(json!({}))
        }
    }
}
