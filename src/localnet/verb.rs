//! What can be said to a local network: verbs and their words.

use super::mailboxes::Old;
use std::path::PathBuf;

/// A verb: what follows it, what it does, and how it is read.
pub(super) struct Help {
    pub verb: &'static str,
    pub words: &'static str,
    pub does: &'static str,
    read: fn(&Said<'_>) -> Result<Verb, Wrong>,
}

/// A line in parts.
struct Said<'a> {
    /// All behind the verb.
    tail: &'a str,
    words: Vec<&'a str>,
}

/// Why the words behind a verb are not taken.
enum Wrong {
    /// Too few, too many, or others.
    Words,
    /// One of them is no time.
    Time,
}

/// All verbs, in the order in which they are shown.
pub(super) const VERBS: [Help; 24] = [
    help("status", "", "who runs, with ledger, hash and group", |said| {
        said.alone(Verb::Status)
    }),
    help("balance", "[WHO..]", "what people have", |said| {
        Ok(Verb::Balance(said.names()))
    }),
    help(
        "send",
        "FROM TO AMOUNT [CURRENCY]",
        "a signed mail to the relay: send alice bob 10 XAH",
        |said| said.payment().map(Verb::Send),
    ),
    help("submit", "FILE", "a raw mail from a file, to a node", |said| {
        said.path().map(Verb::Submit)
    }),
    help(
        "forge",
        "FROM TO AMOUNT [CURRENCY]",
        "a mail signed by the key of the lies, to a node",
        |said| said.payment().map(Verb::Forge),
    ),
    help("mails", "", "what became of the mails of this session", |said| {
        said.alone(Verb::Mails)
    }),
    help("inbox", "[WHO]", "what the relay wrote", |said| {
        said.one_or_none().map(Verb::Inbox)
    }),
    help(
        "advance",
        "TIME",
        "set all clocks ahead: 90s, 30m, 6h, 5d, 1d12h",
        |said| said.seconds().map(Verb::Advance),
    ),
    help(
        "keys",
        "",
        "DKIM keys: what DNS says, what the ledger has",
        |said| said.alone(Verb::Keys),
    ),
    help(
        "rotate",
        "DOMAIN [keep|withdraw|replace]",
        "a new key; the old one stays, goes, or is replaced",
        |said| said.rotation(),
    ),
    help(
        "revoke",
        "DOMAIN [SELECTOR]",
        "DNS says that the key is revoked",
        |said| said.revocation(),
    ),
    help(
        "lie",
        "NODE..",
        "the DNS of these nodes gives another key",
        |said| said.some_names().map(Verb::Lie),
    ),
    help("honest", "[NODE..]", "their DNS tells the truth again", |said| {
        Ok(Verb::Honest(said.names()))
    }),
    help(
        "freeze",
        "DOMAIN [NODE..]",
        "validators stop all mail of a domain",
        |said| said.ruling(Ruling::Frozen),
    ),
    help(
        "lift",
        "DOMAIN [NODE..]",
        "they let it go on, KEY_DELAY_NEXT later",
        |said| said.ruling(Ruling::Lifted),
    ),
    help(
        "vote",
        "[NODES --add NODE | --remove NODE | --none]",
        "another list of validators; alone: who votes for what",
        |said| said.vote(),
    ),
    help(
        "kill",
        "NODE..",
        "end nodes as a power cut would (SIGKILL)",
        |said| said.some_names().map(Verb::Kill),
    ),
    help("start", "[NODE..]", "start nodes that are down", |said| {
        Ok(Verb::Start(said.names()))
    }),
    help(
        "pause",
        "NODE..",
        "stop nodes where they stand (SIGSTOP)",
        |said| said.some_names().map(Verb::Pause),
    ),
    help("resume", "[NODE..]", "let paused nodes go on", |said| {
        Ok(Verb::Resume(said.names()))
    }),
    help(
        "partition",
        "NODES [| NODES]..",
        "cut links: partition 1,2 | 3,4,5 (the others make one more group)",
        |said| said.groups(),
    ),
    help("heal", "", "all links again", |said| said.alone(Verb::Heal)),
    help("help", "[VERB]", "this", |said| {
        said.one_or_none().map(Verb::Help)
    }),
    help("quit", "", "end all of it", |said| said.alone(Verb::Quit)),
];

const fn help(
    verb: &'static str,
    words: &'static str,
    does: &'static str,
    read: fn(&Said<'_>) -> Result<Verb, Wrong>,
) -> Help {
    Help {
        verb,
        words,
        does,
        read,
    }
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verb {
    Status,
    Balance(Vec<String>),
    Send(Payment),
    Submit(PathBuf),
    Forge(Payment),
    Mails,
    Inbox(Option<String>),
    Advance(u64),
    Keys,
    Rotate(String, Old),
    Revoke(String, Option<String>),
    Lie(Vec<String>),
    Honest(Vec<String>),
    Rule(String, Ruling, Vec<String>),
    Vote(Vec<String>, Vec<String>),
    Kill(Vec<String>),
    Start(Vec<String>),
    Pause(Vec<String>),
    Resume(Vec<String>),
    Partition(Vec<Vec<String>>),
    Heal,
    Help(Option<String>),
    Quit,
}

/// What is wanted of a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ruling {
    /// No mail of it counts.
    Frozen,
    /// Its mail counts again, after KEY_DELAY_NEXT.
    Lifted,
}

/// Who pays whom how much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Payment {
    pub from: String,
    pub to: String,
    pub amount: String,
    pub currency: String,
}

/// Why a line is no command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadLine {
    /// No such verb.
    #[error("there is no '{verb}'; did you mean '{nearest}'? 'help' shows all")]
    Unknown {
        /// What was written.
        verb: String,
        /// The verb that is most like it.
        nearest: &'static str,
    },
    /// Too few or too many words.
    #[error("it is: {verb} {words}")]
    Words {
        /// The verb.
        verb: &'static str,
        /// What follows it.
        words: &'static str,
    },
    /// No time.
    #[error(
        "'{0}' is no time: 90s, 30m, 6h, 5d, or together as 1d12h; at most {ADVANCE_DAYS_MAX} days at once"
    )]
    Time(String),
}

/// Days of one advance: more than any term of the rules, few enough for a ledger's clock.
const ADVANCE_DAYS_MAX: u64 = 400;

/// The command of a line.
pub(super) fn parse(line: &str) -> Result<Verb, BadLine> {
    let line = line.trim();
    let (verb, tail) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let lower = verb.to_ascii_lowercase();
    let lower = if lower == "exit" { "quit" } else { &lower };
    let Some(help) = VERBS.iter().find(|help| help.verb == lower) else {
        return Err(BadLine::Unknown {
            verb: shown(verb),
            nearest: nearest(lower),
        });
    };
    let said = Said {
        tail: tail.trim(),
        words: tail.split_whitespace().collect(),
    };
    (help.read)(&said).map_err(|wrong| match wrong {
        Wrong::Words => BadLine::Words {
            verb: help.verb,
            words: help.words,
        },
        Wrong::Time => BadLine::Time(shown(said.tail)),
    })
}

impl Said<'_> {
    fn alone(&self, verb: Verb) -> Result<Verb, Wrong> {
        if self.words.is_empty() {
            Ok(verb)
        } else {
            Err(Wrong::Words)
        }
    }

    fn one_or_none(&self) -> Result<Option<String>, Wrong> {
        match self.words.as_slice() {
            [] => Ok(None),
            [word] => Ok(Some((*word).to_owned())),
            [_, ..] => Err(Wrong::Words),
        }
    }

    fn names(&self) -> Vec<String> {
        names(self.tail)
    }

    fn some_names(&self) -> Result<Vec<String>, Wrong> {
        let names = self.names();
        if names.is_empty() {
            Err(Wrong::Words)
        } else {
            Ok(names)
        }
    }

    fn payment(&self) -> Result<Payment, Wrong> {
        let (from, to, amount, currency) = match self.words.as_slice() {
            [from, to, amount] => (from, to, amount, "XAH"),
            [from, to, amount, currency] => (from, to, amount, *currency),
            _ => return Err(Wrong::Words),
        };
        Ok(Payment {
            from: (*from).to_owned(),
            to: (*to).to_owned(),
            amount: (*amount).to_owned(),
            currency: currency.to_owned(),
        })
    }

    /// A path may hold spaces.
    fn path(&self) -> Result<PathBuf, Wrong> {
        if self.tail.is_empty() {
            Err(Wrong::Words)
        } else {
            Ok(PathBuf::from(self.tail))
        }
    }

    fn rotation(&self) -> Result<Verb, Wrong> {
        let (domain, old) = match self.words.as_slice() {
            [domain] => (domain, Old::Kept),
            [domain, old] => (domain, old_of(old).ok_or(Wrong::Words)?),
            _ => return Err(Wrong::Words),
        };
        Ok(Verb::Rotate(domain.to_ascii_lowercase(), old))
    }

    fn revocation(&self) -> Result<Verb, Wrong> {
        let (domain, selector) = match self.words.as_slice() {
            [domain] => (domain, None),
            [domain, selector] => (domain, Some(selector.to_ascii_lowercase())),
            _ => return Err(Wrong::Words),
        };
        Ok(Verb::Revoke(domain.to_ascii_lowercase(), selector))
    }

    fn ruling(&self, ruling: Ruling) -> Result<Verb, Wrong> {
        let (domain, nodes) = self.words.split_first().ok_or(Wrong::Words)?;
        Ok(Verb::Rule(
            domain.to_ascii_lowercase(),
            ruling,
            names(&nodes.join(" ")),
        ))
    }

    /// Nodes, then what they vote for, as the flags of `network vote` say it.
    fn vote(&self) -> Result<Verb, Wrong> {
        let flags = self.words.iter().position(|word| word.starts_with('-'));
        let (nodes, wish) = self.words.split_at(flags.unwrap_or(self.words.len()));
        if nodes.is_empty() != wish.is_empty() {
            return Err(Wrong::Words);
        }
        let wish = wish.iter().map(|word| (*word).to_owned()).collect();
        Ok(Verb::Vote(names(&nodes.join(" ")), wish))
    }

    fn groups(&self) -> Result<Verb, Wrong> {
        let groups: Vec<Vec<String>> = self.tail.split('|').map(names).collect();
        if groups.iter().any(Vec::is_empty) {
            return Err(Wrong::Words);
        }
        Ok(Verb::Partition(groups))
    }

    /// Seconds of `1d12h` and the like.
    fn seconds(&self) -> Result<u64, Wrong> {
        if self.words.is_empty() {
            return Err(Wrong::Words);
        }
        let (mut total, mut number) = (0_u64, String::new());
        for letter in self.words.concat().chars() {
            if letter.is_ascii_digit() {
                number.push(letter);
                continue;
            }
            let unit = match letter {
                's' => 1,
                'm' => 60,
                'h' => 3_600,
                'd' => 86_400,
                _ => return Err(Wrong::Time),
            };
            let count: u64 = number.parse().map_err(|_| Wrong::Time)?;
            number.clear();
            let secs = count.checked_mul(unit).ok_or(Wrong::Time)?;
            total = total.checked_add(secs).ok_or(Wrong::Time)?;
        }
        let is_time = number.is_empty() && (1..=ADVANCE_DAYS_MAX * 86_400).contains(&total);
        if is_time { Ok(total) } else { Err(Wrong::Time) }
    }
}

/// Names between spaces and commas.
fn names(text: &str) -> Vec<String> {
    let parts = text.split(|letter: char| letter == ',' || letter.is_whitespace());
    parts.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn old_of(word: &str) -> Option<Old> {
    match word {
        "keep" => Some(Old::Kept),
        "withdraw" => Some(Old::Withdrawn),
        "replace" => Some(Old::Replaced),
        _ => None,
    }
}

/// What somebody wrote, short and without what a terminal would obey.
fn shown(text: &str) -> String {
    text.chars()
        .take(40)
        .map(|letter| if letter.is_control() { '?' } else { letter })
        .collect()
}

/// The verb that is most like a word.
fn nearest(word: &str) -> &'static str {
    let best = VERBS.iter().min_by_key(|help| distance(word, help.verb));
    best.map_or("help", |help| help.verb)
}

/// How many letters are to be put in, left out or changed (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, left) in from.bytes().take(40).enumerate() {
        let mut corner = at;
        let mut before = at + 1;
        for (right, cell) in to.bytes().zip(row.iter_mut().skip(1)) {
            let changed = corner + usize::from(left != right);
            corner = *cell;
            before = changed.min(before + 1).min(*cell + 1);
            *cell = before;
        }
        if let Some(first) = row.first_mut() {
            *first = at + 1;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_commands() {
        let payment = Payment {
            from: "alice".to_owned(),
            to: "bob".to_owned(),
            amount: "10".to_owned(),
            currency: "XAH".to_owned(),
        };
        assert_eq!(parse("send alice bob 10 XAH"), Ok(Verb::Send(payment.clone())));
        assert_eq!(parse("  Send alice bob 10"), Ok(Verb::Send(payment)));
        assert_eq!(parse("advance 1d12h"), Ok(Verb::Advance(129_600)));
        assert_eq!(parse("advance 90 s"), Ok(Verb::Advance(90)));
        assert_eq!(
            parse("submit /tmp/a mail.eml"),
            Ok(Verb::Submit("/tmp/a mail.eml".into()))
        );
        let names = |group: &[&str]| group.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            parse("partition A,B | C, D E"),
            Ok(Verb::Partition(vec![names(&["A", "B"]), names(&["C", "D", "E"])]))
        );
        assert_eq!(parse("exit"), Ok(Verb::Quit));
        assert_eq!(
            parse("freeze Mail.example 1,2"),
            Ok(Verb::Rule(
                "mail.example".to_owned(),
                Ruling::Frozen,
                names(&["1", "2"])
            ))
        );
        assert_eq!(
            parse("vote 1,2 --remove validator-5"),
            Ok(Verb::Vote(
                names(&["1", "2"]),
                names(&["--remove", "validator-5"])
            ))
        );
        assert_eq!(parse("vote"), Ok(Verb::Vote(Vec::new(), Vec::new())));
        assert_eq!(parse("kill 1,2 v3"), Ok(Verb::Kill(names(&["1", "2", "v3"]))));
        assert_eq!(
            parse("rotate Mail.Example withdraw"),
            Ok(Verb::Rotate("mail.example".to_owned(), Old::Withdrawn))
        );
    }

    #[test]
    fn lines_that_are_none_say_what_would_be() {
        for (line, nearest) in [
            ("stauts", "status"),
            ("snd a b 1", "send"),
            ("kil 1", "kill"),
            ("", "lie"),
        ] {
            assert!(
                matches!(parse(line), Err(BadLine::Unknown { nearest: found, .. }) if found == nearest),
                "{line}: {:?}",
                parse(line)
            );
        }
        for line in [
            "send alice bob",
            "kill",
            "partition",
            "partition 1 |",
            "status now",
            "rotate",
            "inbox a b",
            "freeze",
            "vote 1",
            "vote --none",
        ] {
            assert!(
                matches!(parse(line), Err(BadLine::Words { .. })),
                "{line}: {:?}",
                parse(line)
            );
        }
        for line in [
            "advance 5",
            "advance d",
            "advance 0d",
            "advance 9999d",
            "advance -1d",
            "advance 99999999999999999999d",
        ] {
            assert!(
                matches!(parse(line), Err(BadLine::Time(_))),
                "{line}: {:?}",
                parse(line)
            );
        }
    }

    // Values: the examples of textbooks.
    #[test]
    fn distances_are_levenshteins() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "heal"), 4);
        assert_eq!(distance("heal", "heal"), 0);
    }
}
