//! What a configuration must fulfil beyond the types of its values.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use amendment::address::Address;
use dns::Upstream;

use crate::config::{Answers, Config, Protection};
use crate::limits::ENTRY_DAYS_MIN;
use crate::limits::SESSION_SECS_MAX;

/// What is wrong with a value, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The setting, as `section.name`; empty for the file as a whole.
    pub setting: &'static str,
    /// What is wrong.
    pub what: String,
    /// What to do, one sentence without its full stop.
    pub fix: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.setting.is_empty() {
            write!(f, "{}: ", self.setting)?;
        }
        write!(f, "{}. {}", self.what, self.fix)
    }
}

/// Where LMTP listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LmtpListen {
    /// A TCP port.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(std::path::PathBuf),
}

/// `ADDR:PORT` or `unix:/path`; `None` for anything else.
pub fn parse_lmtp_listen(text: &str) -> Option<LmtpListen> {
    match text.strip_prefix("unix:") {
        Some(path) if path.starts_with('/') => Some(LmtpListen::Unix(path.into())),
        Some(_) => None,
        None => text.parse().ok().map(LmtpListen::Tcp),
    }
}

/// Which DNS server is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DnsServer {
    /// Those of the machine.
    System,
    /// None.
    Off,
    /// These, in turn.
    At(Vec<Upstream>),
}

/// `system`, `off` or resolvers with commas between them; `None` for anything else.
pub fn parse_dns_server(text: &str) -> Option<DnsServer> {
    match text {
        "system" => Some(DnsServer::System),
        "off" => Some(DnsServer::Off),
        _ => {
            let listed = text.split(',').map(|text| text.trim().parse());
            listed.collect::<Result<_, _>>().ok().map(DnsServer::At)
        }
    }
}

struct Complaints(Vec<Complaint>);

impl Complaints {
    fn add(&mut self, setting: &'static str, what: impl Into<String>, fix: impl Into<String>) {
        self.0.push(Complaint {
            setting,
            what: what.into(),
            fix: fix.into(),
        });
    }

    /// A setting that has no effect beside the others.
    fn unused(&mut self, setting: &'static str, why: &str) {
        self.add(setting, format!("it has no effect: {why}"), "Remove it");
    }

    fn at_least_one(&mut self, setting: &'static str, value: u64) {
        if value == 0 {
            self.add(setting, "0 would stop the relay", "Write 1 or more");
        }
    }

    fn host(&mut self, setting: &'static str, host: &str) {
        if host.parse::<IpAddr>().is_err() && !is_host_name(host) {
            let what = format!("`{host}` is not a host name");
            self.add(setting, what, "Write a name such as mail.example.org");
        }
    }

    fn exists(&mut self, setting: &'static str, path: Option<&Path>, kind: Existing) {
        let Some(path) = path else { return };
        let shown = path.display();
        match (std::fs::metadata(path), kind) {
            (Err(error), _) => {
                let what = format!("cannot read {shown}: {error}");
                self.add(setting, what, "Check the path and its permissions");
            }
            (Ok(found), Existing::File) if !found.is_file() => {
                self.add(setting, format!("{shown} is not a file"), "Check the path");
            }
            (Ok(found), Existing::Folder) if !found.is_dir() => {
                self.add(setting, format!("{shown} is not a folder"), "Check the path");
            }
            (Ok(_), _) => {}
        }
    }
}

#[derive(Clone, Copy)]
enum Existing {
    File,
    Folder,
}

/// Whether the text is a name that DNS can hold: labels of letters, digits and inner hyphens (RFC 1123
/// section 2.1).
#[must_use]
pub fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

/// What is wrong with the values, in the order of the file. Looks at no file.
#[must_use]
pub fn check_values(config: &Config) -> Vec<Complaint> {
    let mut found = Complaints(Vec::new());
    check_identity(config, &mut found);
    check_doors(config, &mut found);
    if parse_dns_server(&config.dns.server).is_none() {
        let what = format!("`{}` is not a DNS server", config.dns.server);
        found.add(
            "dns.server",
            what,
            "Write system, off, or resolvers such as 127.0.0.1:53 or tls://9.9.9.9, with commas between them",
        );
    }
    check_numbers(config, &mut found);
    check_answers(config, &mut found);
    found.0
}

fn check_identity(config: &Config, found: &mut Complaints) {
    if config.addresses.is_empty() {
        found.add("addresses", "the relay has no address", "Write its address here");
    }
    for address in &config.addresses {
        if let Err(error) = Address::parse(address.as_bytes()) {
            let what = format!("`{address}` is not an address: {error}");
            found.add("addresses", what, "Write addresses such as relay@example.org");
        }
    }
    found.host("hostname", &config.hostname);
    if config.nodes.is_empty() {
        found.add(
            "nodes",
            "there is no node to submit to",
            "Write the address of one, ws://HOST:PORT",
        );
    }
    for node in &config.nodes {
        let rest = node.strip_prefix("ws://").or_else(|| node.strip_prefix("wss://"));
        if rest.is_none_or(|rest| rest.is_empty() || rest.contains(char::is_whitespace)) {
            let what = format!("`{node}` is not a WebSocket address");
            found.add("nodes", what, "Write ws://HOST:PORT or wss://HOST");
        }
    }
}

fn check_doors(config: &Config, found: &mut Complaints) {
    if config.smtp.as_ref().is_some_and(|smtp| smtp.listen.is_empty()) {
        found.add(
            "smtp.listen",
            "it is empty",
            "Name an address, or leave [smtp] out",
        );
    }
    if let Some(lmtp) = &config.lmtp {
        if lmtp.listen.is_empty() {
            found.add(
                "lmtp.listen",
                "it is empty",
                "Name an address, or leave [lmtp] out",
            );
        }
        for text in lmtp
            .listen
            .iter()
            .filter(|text| parse_lmtp_listen(text).is_none())
        {
            let what = format!("`{text}` is not an address to listen on");
            found.add("lmtp.listen", what, "Write ADDR:PORT or unix:/whole/path");
        }
    }
    if let Some(imap) = &config.imap {
        found.host("imap.host", &imap.host);
        check_protection("imap.protection", imap.protection, &imap.host, found);
        if imap.protection == Protection::None && imap.authorities.is_some() {
            found.unused("imap.authorities", "imap.protection is none");
        }
        found.at_least_one("imap.poll_secs", imap.poll_secs);
    }
    if let Some(maildir) = &config.maildir {
        found.at_least_one("maildir.poll_secs", maildir.poll_secs);
    }
    if config.tls.is_some() && config.smtp.is_none() && config.lmtp.is_none() {
        found.unused("tls", "there is neither [smtp] nor [lmtp]");
    }
    let has_door =
        config.smtp.is_some() || config.lmtp.is_some() || config.imap.is_some() || config.maildir.is_some();
    if !has_door {
        found.add(
            "",
            "there is no way for mail to come in",
            "Add [smtp], [lmtp], [imap] or [maildir]",
        );
    }
}

fn check_protection(setting: &'static str, protection: Protection, host: &str, found: &mut Complaints) {
    let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if protection == Protection::None && !is_here {
        let what = format!("the connection to {host} would not be encrypted");
        found.add(
            setting,
            what,
            "Write tls or starttls; none is for servers on this machine",
        );
    }
}

fn check_numbers(config: &Config, found: &mut Complaints) {
    let limits = &config.limits;
    let of = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    found.at_least_one("limits.connections", of(limits.connections));
    found.at_least_one(
        "limits.connections_per_network",
        of(limits.connections_per_network),
    );
    found.at_least_one("limits.idle_secs", limits.idle_secs);
    if limits.session_secs < limits.idle_secs {
        let what = format!(
            "a session of {} s is shorter than the longest idle time",
            limits.session_secs
        );
        found.add("limits.session_secs", what, "Write at least limits.idle_secs");
    }
    if limits.session_secs > SESSION_SECS_MAX {
        let what = format!(
            "a session of {} s would hold its place forever",
            limits.session_secs
        );
        let fix = format!("Write at most {SESSION_SECS_MAX}");
        found.add("limits.session_secs", what, fix);
    }
    found.at_least_one("queue.waiting_max", of(config.queue.waiting_max));
    found.at_least_one("queue.unproven_max", of(config.queue.unproven_max));
    if config.queue.entry_days < ENTRY_DAYS_MIN {
        let what = "a copy of a mail could arrive after its entry is deleted, and be answered twice";
        found.add(
            "queue.entry_days",
            what,
            format!("Write at least {ENTRY_DAYS_MIN}"),
        );
    }
    if config.queue.entry_days < config.queue.retention_days {
        let what = "a mail's text would outlive its entry";
        found.add("queue.entry_days", what, "Write at least queue.retention_days");
    }
}

fn check_answers(config: &Config, found: &mut Complaints) {
    let Some(answers) = &config.answers else { return };
    match &answers.host {
        Some(host) => {
            found.host("answers.host", host);
            check_protection("answers.protection", answers.protection, host, found);
            if answers.protection == Protection::None && answers.authorities.is_some() {
                found.unused("answers.authorities", "answers.protection is none");
            }
        }
        None => check_direct(config, answers, found),
    }
    if answers.user.is_some() != answers.password_file.is_some() {
        let what = "a log-in needs a name and a password";
        found.add(
            "answers.user",
            what,
            "Write both user and password_file, or neither",
        );
    }
    let is_own = |address: &String| address.eq_ignore_ascii_case(&answers.from);
    if !config.addresses.iter().any(is_own) {
        let what = format!("`{}` is not one of `addresses`", answers.from);
        found.add("answers.from", what, "Write one of them, or add it there");
    }
    if !answers.envelope_from.is_empty() && Address::parse(answers.envelope_from.as_bytes()).is_err() {
        let what = format!("`{}` is not an address", answers.envelope_from);
        let fix = "Write one whose mail somebody reads, or leave it out for the empty envelope sender";
        found.add("answers.envelope_from", what, fix);
    }
    if answers.dkim_key.is_some() != answers.dkim_selector.is_some() {
        let what = "a signature needs a selector and a key";
        let fix = "Write both dkim_selector and dkim_key, or neither: then the answers are not signed here";
        found.add("answers.dkim_selector", what, fix);
    }
    if let Some(selector) = answers.dkim_selector.as_ref().filter(|name| !is_host_name(name)) {
        let what = format!("`{selector}` is not a DKIM selector");
        found.add("answers.dkim_selector", what, "Write a word such as relay");
    }
    let link = answers.transaction_link.as_deref().unwrap_or_default();
    let is_web = link.starts_with("https://") || link.starts_with("http://");
    if link.is_empty() {
        return;
    }
    if !is_web || !link.contains("{hash}") || !link.bytes().all(|b| b.is_ascii_graphic()) {
        let what = format!("`{link}` is not a link to a transaction");
        found.add(
            "answers.transaction_link",
            what,
            "Write https://..., with {hash} in place of the hash",
        );
    }
}

/// Without a smarthost: answers go to their receivers' mail servers, which are looked up.
fn check_direct(config: &Config, answers: &Answers, found: &mut Complaints) {
    let why = "answers.host is not set: answers go to their receivers' mail servers, where nobody logs in";
    if answers.user.is_some() {
        found.unused("answers.user", why);
    }
    if answers.password_file.is_some() {
        found.unused("answers.password_file", why);
    }
    if answers.protection != Protection::Tls {
        let why = "answers.host is not set: answers go to their receivers' mail servers, with TLS where it is offered";
        found.unused("answers.protection", why);
    }
    if parse_dns_server(&config.dns.server) == Some(DnsServer::Off) {
        let what = "without a smarthost the receivers' mail servers are looked up, but dns.server is off";
        found.add("answers.host", what, "Name a smarthost, or set dns.server");
    }
}

/// Files that the configuration names and that cannot be read.
#[must_use]
pub fn check_files(config: &Config) -> Vec<Complaint> {
    let mut found = Complaints(Vec::new());
    if let Some(tls) = &config.tls {
        found.exists("tls.certificate", Some(&tls.certificate), Existing::File);
        found.exists("tls.key", Some(&tls.key), Existing::File);
    }
    if let Some(imap) = &config.imap {
        found.exists("imap.authorities", imap.authorities.as_deref(), Existing::File);
        found.exists("imap.password_file", Some(&imap.password_file), Existing::File);
    }
    if let Some(maildir) = &config.maildir {
        found.exists("maildir.path", Some(&maildir.path), Existing::Folder);
    }
    found.exists("dns.keys", config.dns.keys.as_deref(), Existing::File);
    if let Some(answers) = &config.answers {
        found.exists(
            "answers.authorities",
            answers.authorities.as_deref(),
            Existing::File,
        );
        let password = answers.password_file.as_deref();
        found.exists("answers.password_file", password, Existing::File);
        found.exists("answers.dkim_key", answers.dkim_key.as_deref(), Existing::File);
    }
    found.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::file::{DEFAULT_TEXT, parse};

    fn config() -> Config {
        parse(DEFAULT_TEXT, Path::new("relay.toml")).expect("the default file")
    }

    fn settings(complaints: &[Complaint]) -> Vec<&'static str> {
        complaints.iter().map(|complaint| complaint.setting).collect()
    }

    #[test]
    fn accepts_each_door_alone_and_rejects_none() {
        let mut config = config();
        assert_eq!(check_values(&config), Vec::new());
        config.smtp = None;
        assert_eq!(settings(&check_values(&config)), [""]);
        config.lmtp = Some(crate::config::Lmtp {
            listen: vec!["unix:/run/relay/lmtp".to_owned(), "[::1]:24".to_owned()],
        });
        assert_eq!(check_values(&config), Vec::new());
        config.lmtp = Some(crate::config::Lmtp {
            listen: vec!["unix:relative".to_owned(), "24".to_owned()],
        });
        assert_eq!(settings(&check_values(&config)), ["lmtp.listen", "lmtp.listen"]);
    }

    #[test]
    fn rejects_sessions_without_end() {
        let mut config = config();
        config.limits.session_secs = SESSION_SECS_MAX;
        assert_eq!(check_values(&config), Vec::new());
        config.limits.session_secs = i64::MAX.unsigned_abs();
        assert_eq!(settings(&check_values(&config)), ["limits.session_secs"]);
    }

    #[test]
    fn rejects_a_password_in_the_open_and_accepts_it_on_this_machine() {
        let mut config = config();
        let mut answers: crate::config::Answers =
            toml::from_str("host = \"127.0.0.1\"\nprotection = \"none\"\nfrom = \"RELAY@example.org\"")
                .expect("answers");
        config.answers = Some(answers.clone());
        assert_eq!(check_values(&config), Vec::new());
        answers.host = Some("smtp.example.org".to_owned());
        answers.from = "other@example.org".to_owned();
        answers.user = Some("u".to_owned());
        answers.transaction_link = Some("https://example.org/".to_owned());
        answers.envelope_from = "nobody".to_owned();
        answers.dkim_selector = Some("s".to_owned());
        config.answers = Some(answers);
        assert_eq!(
            settings(&check_values(&config)),
            [
                "answers.protection",
                "answers.user",
                "answers.from",
                "answers.envelope_from",
                "answers.dkim_selector",
                "answers.transaction_link"
            ]
        );
    }

    #[test]
    fn rejects_settings_that_have_no_effect_beside_the_others() {
        let mut config = config();
        let direct = "from = \"relay@example.org\"";
        config.answers = Some(toml::from_str(direct).expect("answers"));
        assert_eq!(check_values(&config), Vec::new());
        let unused = "\nuser = \"u\"\npassword_file = \"p\"\nprotection = \"starttls\"";
        config.answers = Some(toml::from_str(&format!("{direct}{unused}")).expect("answers"));
        let complaints = check_values(&config);
        assert_eq!(
            settings(&complaints),
            ["answers.user", "answers.password_file", "answers.protection"]
        );
        assert!(
            complaints
                .iter()
                .all(|complaint| complaint.what.starts_with("it has no effect: "))
        );
        config.answers = None;
        config.tls = Some(toml::from_str("certificate = \"c\"\nkey = \"k\"").expect("TLS"));
        assert_eq!(check_values(&config), Vec::new());
        config.smtp = None;
        config.maildir = Some(toml::from_str("path = \"m\"").expect("a folder"));
        assert_eq!(settings(&check_values(&config)), ["tls"]);
    }

    #[test]
    fn rejects_direct_delivery_without_look_ups() {
        let mut config = config();
        config.answers = Some(toml::from_str("from = \"relay@example.org\"").expect("answers"));
        config.dns.server = "off".to_owned();
        assert_eq!(settings(&check_values(&config)), ["answers.host"]);
    }

    #[test]
    fn rejects_files_that_are_not_there_and_accepts_those_that_are() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("key.pem");
        std::fs::write(&file, "x").expect("write");
        let mut config = config();
        config.tls = Some(crate::config::Tls {
            certificate: file.clone(),
            key: folder.path().join("absent"),
        });
        config.maildir = Some(crate::config::Maildir {
            path: file.clone(),
            poll_secs: 1,
        });
        assert_eq!(settings(&check_files(&config)), ["tls.key", "maildir.path"]);
        config.tls = Some(crate::config::Tls {
            certificate: file.clone(),
            key: file,
        });
        config.maildir = None;
        assert_eq!(check_files(&config), Vec::new());
    }

    #[test]
    fn rejects_entries_that_are_forgotten_before_their_mails_are_dead() {
        let mut config = config();
        config.queue.entry_days = 7;
        assert_eq!(settings(&check_values(&config)), ["queue.entry_days"]);
        (config.queue.entry_days, config.queue.retention_days) = (8, 0);
        assert_eq!(check_values(&config), Vec::new());
    }

    #[test]
    fn names_are_those_of_dns() {
        assert!(is_host_name("mail-1.example.org") && is_host_name("localhost"));
        for wrong in ["", "a..b", "-a.b", "a-.b", "a_b.c", "a b", "a."] {
            assert!(!is_host_name(wrong), "{wrong}");
        }
        assert_eq!(parse_dns_server("off"), Some(DnsServer::Off));
        assert_eq!(parse_dns_server("8.8.8.8, udp://localhost"), None);
        let listed = ["8.8.8.8", "tls://dns.example.net"].map(|text| text.parse().expect("a resolver"));
        assert_eq!(
            parse_dns_server("8.8.8.8, tls://dns.example.net"),
            Some(DnsServer::At(listed.to_vec()))
        );
    }
}
