//! Reading the configuration file: every complaint names the file, the line and what to write.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use crate::config::Config;
use crate::config::rules;

/// The commented default file.
pub const DEFAULT_TEXT: &str = include_str!("default.toml");

/// Longest configuration file that is read, bytes. Beyond: [`ConfigError::TooLong`].
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Why a file is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read {}: {source}. `xahau-email relay config` prints a file to start from", path.display())]
    Read {
        /// As it was named on the command line.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// It is larger than any configuration.
    #[error("{} holds more than {FILE_BYTES_MAX} bytes; it is not a configuration file", path.display())]
    TooLong {
        /// As it was named on the command line.
        path: PathBuf,
    },
    /// A name that is no setting.
    #[error("{place}: unknown name `{name}`{}", nearest_text(nearest.as_deref()))]
    UnknownName {
        /// Where.
        place: Place,
        /// The name.
        name: String,
        /// The setting that is most like it.
        nearest: Option<String>,
    },
    /// A setting that must be there and is not.
    #[error("{place}: `{name}` is missing. `xahau-email relay config` shows what to write")]
    Missing {
        /// The section's first line.
        place: Place,
        /// The setting.
        name: String,
    },
    /// No TOML, or a value of the wrong type.
    #[error("{place}: {what}. `xahau-email relay config` shows every setting with its default")]
    Wrong {
        /// Where.
        place: Place,
        /// What is wrong, with the setting's name where it is known.
        what: String,
    },
    /// The values are of the right types, but make no sense.
    #[error("{}", lines_of(problems))]
    Senseless {
        /// All of them.
        problems: Vec<Problem>,
    },
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// As it was named on the command line.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path.display(), self.line)
    }
}

/// A value that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line of the setting, or of its section.
    pub place: Place,
    /// What is wrong and what to do.
    pub complaint: rules::Complaint,
}

fn lines_of(problems: &[Problem]) -> String {
    let line = |problem: &Problem| format!("{}: {}", problem.place, problem.complaint);
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn nearest_text(nearest: Option<&str>) -> String {
    match nearest {
        Some(name) => format!("; did you mean `{name}`?"),
        None => ". `xahau-email relay config` shows every setting".to_owned(),
    }
}

/// Reads and checks a file, and that the files it names are there.
pub fn read(path: &Path) -> Result<Config, ConfigError> {
    let (config, text) = read_text(path)?;
    complain(&text, path, rules::check_files(&config))?;
    Ok(config)
}

/// Reads and checks a file, for commands that need none of the files it names.
pub fn read_alone(path: &Path) -> Result<Config, ConfigError> {
    read_text(path).map(|(config, _)| config)
}

fn read_text(path: &Path) -> Result<(Config, String), ConfigError> {
    let failed = |source| ConfigError::Read {
        path: path.to_owned(),
        source,
    };
    if std::fs::metadata(path).map_err(failed)?.len() > FILE_BYTES_MAX {
        return Err(ConfigError::TooLong {
            path: path.to_owned(),
        });
    }
    let text = std::fs::read_to_string(path).map_err(failed)?;
    let config = parse(&text, path)?;
    Ok((config, text))
}

/// The configuration that a text gives; `path` is for the messages. Looks at no file.
pub fn parse(text: &str, path: &Path) -> Result<Config, ConfigError> {
    let config: Config = toml::from_str(text).map_err(|error| explain(text, path, &error))?;
    complain(text, path, rules::check_values(&config))?;
    Ok(config)
}

fn complain(text: &str, path: &Path, complaints: Vec<rules::Complaint>) -> Result<(), ConfigError> {
    let problems: Vec<Problem> = complaints
        .into_iter()
        .map(|complaint| Problem {
            place: place(text, path, offset_of(text, complaint.setting)),
            complaint,
        })
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(ConfigError::Senseless { problems })
    }
}

/// The TOML reader's error with a line, and for a name that is unknown the one that was meant.
fn explain(text: &str, path: &Path, error: &toml::de::Error) -> ConfigError {
    let span = error.span().unwrap_or(0..0);
    let place = place(text, path, span.start);
    let message = error.message();
    let mut quoted = message.split('`').skip(1).step_by(2);
    if message.starts_with("unknown field") {
        let name = quoted.next().unwrap_or_default().to_owned();
        let nearest = nearest(&name, quoted).map(str::to_owned);
        return ConfigError::UnknownName { place, name, nearest };
    }
    if message.starts_with("missing field") {
        let name = quoted.next().unwrap_or_default().to_owned();
        return ConfigError::Missing { place, name };
    }
    let what = match setting_at(text, &span) {
        Some(setting) => format!("{setting}: {}", message.replace('\n', ", ")),
        None => message.replace('\n', ", "),
    };
    ConfigError::Wrong { place, what }
}

fn place(text: &str, path: &Path, offset: usize) -> Place {
    let before = text.as_bytes().iter().take(offset);
    Place {
        path: path.to_owned(),
        line: before.filter(|byte| **byte == b'\n').count() + 1,
    }
}

/// Where a setting (`section.name`) stands; else where its section begins; else the beginning.
fn offset_of(text: &str, setting: &str) -> usize {
    let mut offset = 0;
    let Ok(root) = DeTable::parse(text) else {
        return offset;
    };
    let mut table = root.get_ref();
    for name in setting.split('.') {
        let Some((key, value)) = table.iter().find(|(key, _)| key.get_ref().as_ref() == name) else {
            return offset;
        };
        offset = key.span().start;
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => return offset,
        }
    }
    offset
}

/// The setting (`section.name`) whose value stands there.
fn setting_at(text: &str, span: &Range<usize>) -> Option<String> {
    let root = DeTable::parse(text).ok()?;
    let mut table = root.get_ref();
    let mut names: Vec<String> = Vec::new();
    loop {
        let inside = table.iter().find(|(_, value)| match value.get_ref() {
            DeValue::Table(inner) => inner.values().any(|value| holds(&value.span(), span)),
            _ => holds(&value.span(), span),
        });
        let Some((key, value)) = inside else {
            break;
        };
        names.push(key.get_ref().to_string());
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    (!names.is_empty()).then(|| names.join("."))
}

fn holds(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// The known name that is most like `name`, unless none is much like it.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let worst = name.len() / 3 + 1;
    known
        .map(|known| (edits(name, known), known))
        .filter(|(edits, _)| *edits <= worst)
        .min()
        .map(|(_, known)| known)
}

/// Letters to insert, delete or replace, or neighbours to swap, until one word is the other.
fn edits(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, letter) in from.iter().enumerate() {
        let mut next = vec![at + 1];
        for (column, wanted) in to.iter().enumerate() {
            let cost = |cells: &[usize], column: usize| cells.get(column).copied().unwrap_or(usize::MAX - 1);
            let mut least = (cost(&row, column) + usize::from(letter != wanted))
                .min(cost(&row, column + 1) + 1)
                .min(cost(&next, column) + 1);
            let is_swap = column > 0
                && at > 0
                && to.get(column - 1) == Some(letter)
                && from.get(at - 1) == Some(wanted);
            if is_swap {
                least = least.min(cost(&before, column - 1) + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Dns, Limits, LogFormat, QueueConfig};

    const LEAST: &str = "addresses = [\"relay@example.org\"]\nhostname = \"mail.example.org\"\ndata = \"d\"\n\
                         nodes = [\"ws://127.0.0.1:6006\"]\n";

    fn told(text: &str) -> String {
        parse(text, Path::new("relay.toml"))
            .expect_err("not a configuration")
            .to_string()
    }

    fn with(more: &str) -> String {
        format!("{LEAST}{more}\n[smtp]\nlisten = [\"127.0.0.1:0\"]\n")
    }

    /// The default file with every setting in force.
    fn everything() -> String {
        let is_setting = |line: &&str| {
            line.strip_prefix('#')
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '['))
        };
        let uncomment = |line: &str| match line {
            line if is_setting(&line) => line[1..].to_owned(),
            line => line.to_owned(),
        };
        DEFAULT_TEXT.lines().map(uncomment).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn accepts_the_default_file_and_the_least_file() {
        let path = Path::new("relay.toml");
        let config = parse(DEFAULT_TEXT, path).expect("the default file");
        assert_eq!(config.network, 21_337);
        assert_eq!(config.limits, Limits::default());
        assert_eq!(config.answers, None);
        parse(&with(""), path).expect("the least file");
    }

    #[test]
    fn default_file_shows_every_default() {
        let config = parse(&everything(), Path::new("relay.toml")).expect("all settings");
        assert_eq!(config.limits, Limits::default());
        assert_eq!(config.queue, QueueConfig::default());
        assert_eq!(config.dns.server, Dns::default().server);
        assert_eq!(config.log.format, LogFormat::default());
        let short = "[imap]\nhost=\"imap.example.org\"\nuser=\"relay@example.org\"\n\
                     password_file=\"/etc/xahau-email-relay/imap-password\"\n\
                     [maildir]\npath=\"/var/mail/relay/Maildir\"\n\
                     [answers]\nfrom=\"relay@example.org\"\n";
        let mut least = parse(&with(short), Path::new("relay.toml")).expect("short");
        assert_eq!(config.network, least.network);
        assert_eq!(config.maildir, least.maildir);
        if let (Some(least), Some(all)) = (&mut least.imap, &config.imap) {
            least.authorities.clone_from(&all.authorities);
        }
        assert_eq!(config.imap, least.imap);
        if let (Some(least), Some(all)) = (&mut least.answers, &config.answers) {
            least.host.clone_from(&all.host);
            least.port.clone_from(&all.port);
            least.authorities.clone_from(&all.authorities);
            least.user.clone_from(&all.user);
            least.password_file.clone_from(&all.password_file);
            least.dkim_selector.clone_from(&all.dkim_selector);
            least.dkim_key.clone_from(&all.dkim_key);
            // The default depends on the network.
            least.transaction_link.clone_from(&all.transaction_link);
        }
        assert_eq!(config.answers, least.answers);
    }

    #[test]
    fn default_file_names_every_setting() {
        let all: toml::Table = everything().parse().expect("TOML");
        let mut sections = vec![(String::new(), all.clone())];
        for (name, value) in &all {
            if let toml::Value::Table(table) = value {
                sections.push((name.clone(), table.clone()));
            }
        }
        assert_eq!(sections.len(), 12, "eleven sections and what stands before them");
        for (section, table) in sections {
            // serde names all fields of a struct when it meets one that it does not know.
            let mut text: toml::Table = all.clone();
            let wrong = ("zzz".to_owned(), toml::Value::Boolean(true));
            match text.get_mut(&section) {
                Some(toml::Value::Table(inside)) => inside.extend([wrong]),
                _ => text.extend([wrong]),
            }
            let error = toml::from_str::<Config>(&text.to_string()).expect_err("zzz");
            let known: Vec<&str> = error.message().split('`').skip(3).step_by(2).collect();
            assert!(!known.is_empty(), "{section}: {error}");
            for name in known {
                assert!(
                    table.contains_key(name),
                    "[{section}] {name} is not in default.toml"
                );
            }
        }
    }

    #[test]
    fn rejects_unknown_names_with_line_and_nearest_name() {
        let golden = [
            (
                "netwrok = 1",
                "relay.toml:5: unknown name `netwrok`; did you mean `network`?",
            ),
            (
                "[quue]",
                "relay.toml:5: unknown name `quue`; did you mean `queue`?",
            ),
            (
                "[limits]\n\nidle_sec = 3",
                "relay.toml:7: unknown name `idle_sec`; did you mean `idle_secs`?",
            ),
            (
                "frobnicate = 1",
                "relay.toml:5: unknown name `frobnicate`. `xahau-email relay config` shows every setting",
            ),
        ];
        for (line, message) in golden {
            assert_eq!(told(&with(line)), message);
        }
    }

    #[test]
    fn rejects_wrong_values_with_line_and_setting() {
        let see = ". `xahau-email relay config` shows every setting with its default";
        let golden = [
            (
                "network = \"x\"",
                "relay.toml:5: network: invalid type: string \"x\", expected u32",
            ),
            (
                "[limits]\nidle_secs = -1",
                "relay.toml:6: limits.idle_secs: invalid value: integer `-1`, expected u64",
            ),
            (
                "[http]\nlisten = \"here\"",
                "relay.toml:6: http.listen: invalid socket address syntax",
            ),
            (
                "[log]\nformat = \"xml\"",
                "relay.toml:6: log.format: unknown variant `xml`, expected `text` or `json`",
            ),
        ];
        for (line, message) in golden {
            assert_eq!(told(&with(line)), format!("{message}{see}"));
        }
        assert!(told("addresses = [").starts_with("relay.toml:1: "));
        assert!(told(&with("[queue]\n[queue]")).starts_with("relay.toml:6: "));
    }

    #[test]
    fn rejects_a_missing_setting_by_its_name() {
        assert_eq!(
            told("addresses = []\ndata = \"d\"\nnodes = []\n"),
            "relay.toml:1: `hostname` is missing. `xahau-email relay config` shows what to write"
        );
        assert_eq!(
            told(&with("[tls]\ncertificate = \"c\"")),
            "relay.toml:5: `key` is missing. `xahau-email relay config` shows what to write"
        );
    }

    #[test]
    fn rejects_senseless_values_all_at_once() {
        let text = "addresses = [\"relay\"]\nhostname = \"mail.example.org\"\ndata = \"d\"\nnodes = [\"http://x\"]\n";
        assert_eq!(
            told(text),
            "relay.toml:1: addresses: `relay` is not an address: it has no @. Write addresses such as relay@example.org\n\
             relay.toml:4: nodes: `http://x` is not a WebSocket address. Write ws://HOST:PORT or wss://HOST\n\
             relay.toml:1: there is no way for mail to come in. Add [smtp], [lmtp], [imap] or [maildir]"
        );
    }

    #[test]
    fn edits_are_counted() {
        // kitten/sitting: the textbook example of Levenshtein distance.
        for (from, to, count) in [
            ("kitten", "sitting", 3),
            ("", "abc", 3),
            ("abc", "", 3),
            ("netwrok", "network", 1),
            ("same", "same", 0),
        ] {
            assert_eq!(edits(from, to), count, "{from} {to}");
        }
    }
}
