//! `relay quickstart`: a configuration, a DKIM key, and the DNS records to publish.
//!
//! It makes files in one folder and overwrites none.

use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use amendment::address::{Address, AddressError};
use serde::Serialize;

use crate::config::Config;
use crate::config::dkim_key::{self, DkimKeyError};
use crate::config::file::{self, ConfigError, DEFAULT_TEXT};
use crate::config::records::{self, Plan, Record};
use crate::config::rules::{DnsServer, is_host_name, parse_dns_server};

/// Selector of the answers' DKIM key.
const SELECTOR: &str = "relay";

/// What the operator says.
#[derive(Debug, Clone)]
pub struct Request {
    /// The relay's address.
    pub address: String,
    /// Folder for the files; created if missing.
    pub folder: PathBuf,
    /// Folder for the queue; `data` in `folder` where it is not given.
    pub data: Option<PathBuf>,
    /// Name of the machine; `mail.` and the address's domain where it is not given.
    pub hostname: Option<String>,
    /// Addresses of the machine.
    pub ips: Vec<IpAddr>,
    /// What `dns.server` shall be.
    pub dns: String,
    /// NetworkID of the ledger.
    pub network: u32,
    /// WebSocket addresses of nodes; empty for that of the default file.
    pub nodes: Vec<String>,
    /// Unix seconds.
    pub now: u64,
}

/// What was made.
#[derive(Debug, Clone, Serialize)]
pub struct Made {
    /// The configuration file.
    pub config_file: PathBuf,
    /// Secret key of the answers.
    pub dkim_key: PathBuf,
    /// The MTA-STS policy.
    pub mta_sts_policy: PathBuf,
    /// Where the world must find the policy.
    pub mta_sts_url: String,
    /// What to publish.
    pub records: Vec<Record>,
    /// What the configuration file says.
    #[serde(skip)]
    pub config: Config,
}

/// Why nothing, or not all, was made.
#[derive(Debug, thiserror::Error)]
pub enum QuickstartError {
    /// No address.
    #[error("`{address}` is not an address: {source}. Write one such as relay@example.org")]
    Address {
        /// What was given.
        address: String,
        /// The rule of addresses that it breaks.
        source: AddressError,
    },
    /// No name of a machine.
    #[error("`{0}` is not a host name. Write one such as mail.example.org")]
    Hostname(String),
    /// A file is there already.
    #[error("{} already exists and is not overwritten. Choose another folder with --dir", .0.display())]
    Exists(PathBuf),
    /// The folder's name cannot stand in the configuration.
    #[error("the name of the folder {} is not plain text. Choose another with --dir", .0.display())]
    Folder(PathBuf),
    /// The disk refused.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// No key.
    #[error(transparent)]
    Key(#[from] DkimKeyError),
    /// The file that would be written is refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// Makes the files. The configuration comes last: where it is, all is.
pub fn run(request: &Request) -> Result<Made, QuickstartError> {
    let address = Address::parse(request.address.as_bytes()).map_err(|source| QuickstartError::Address {
        address: request.address.clone(),
        source,
    })?;
    let domain = address.domain().to_ascii_lowercase();
    let hostname = match &request.hostname {
        Some(name) if is_host_name(name) => name.to_ascii_lowercase(),
        Some(name) => return Err(QuickstartError::Hostname(name.clone())),
        None => format!("mail.{domain}"),
    };
    let folder = whole_path(&request.folder)?;
    let files = Files {
        config: folder.join("relay.toml"),
        key: folder.join("dkim.pem"),
        policy: folder.join("mta-sts.txt"),
        data: match &request.data {
            Some(data) => whole_path(data)?,
            None => folder.join("data"),
        },
    };
    for path in [&files.config, &files.key, &files.policy] {
        if path.exists() {
            return Err(QuickstartError::Exists(path.clone()));
        }
    }
    let text = config_text(request, &hostname, &folder, &files.data)?;
    let config = file::parse(&text, &files.config)?;
    let key = dkim_key::make()?;
    make_private_folder(&folder)?;
    make_private_folder(&files.data)?;
    write_new(&files.key, key.pem.as_bytes(), Readers::Owner)?;
    let policy = records::mta_sts_policy(&hostname);
    write_new(&files.policy, policy.as_bytes(), Readers::All)?;
    write_new(&files.config, text.as_bytes(), Readers::All)?;
    let plan = Plan {
        domain: &domain,
        hostname: &hostname,
        ips: &request.ips,
        dkim: Some((SELECTOR, &key.record)),
        now: request.now,
    };
    Ok(Made {
        records: records::records(&plan),
        config_file: files.config,
        dkim_key: files.key,
        mta_sts_policy: files.policy,
        mta_sts_url: format!("https://mta-sts.{domain}{}", records::MTA_STS_PATH),
        config,
    })
}

struct Files {
    config: PathBuf,
    key: PathBuf,
    policy: PathBuf,
    data: PathBuf,
}

/// The folder from the root on, in letters that TOML takes as they are.
fn whole_path(folder: &Path) -> Result<PathBuf, QuickstartError> {
    let whole = std::path::absolute(folder).map_err(|source| QuickstartError::Write {
        path: folder.to_owned(),
        source,
    })?;
    let is_plain = |text: &str| !text.chars().any(|c| c.is_control() || matches!(c, '"' | '\\'));
    match whole.to_str() {
        Some(text) if is_plain(text) => Ok(whole),
        _ => Err(QuickstartError::Folder(folder.to_owned())),
    }
}

/// The default file with the operator's names in the place of the examples.
fn config_text(
    request: &Request,
    hostname: &str,
    folder: &Path,
    data: &Path,
) -> Result<String, QuickstartError> {
    let default = Config::default_of_file()?;
    let names = [
        ("/etc/xahau-email-relay", folder.display().to_string()),
        ("/var/lib/xahau-email-relay", data.display().to_string()),
        ("mail.example.org", hostname.to_owned()),
        ("relay@example.org", request.address.clone()),
    ];
    // Without look-ups nobody can be found to deliver to.
    let text = match parse_dns_server(&request.dns) {
        Some(DnsServer::Off) => DEFAULT_TEXT.to_owned(),
        Some(DnsServer::System | DnsServer::At(_)) | None => with_answers(DEFAULT_TEXT),
    };
    let mut text = with_names(&text, &names);
    if request.dns != default.dns.server {
        text = text.replace(
            "#server = \"system\"",
            &format!("server = {}", quoted(&request.dns)),
        );
    }
    if request.network != default.network {
        let line = format!("#network = {}", default.network);
        text = text.replace(&line, &format!("network = {}", request.network));
    }
    if !request.nodes.is_empty() {
        let list = |nodes: &[String]| {
            let nodes: Vec<String> = nodes.iter().map(|node| quoted(node)).collect();
            format!("nodes = [{}]", nodes.join(", "))
        };
        text = text.replace(&list(&default.nodes), &list(&request.nodes));
    }
    Ok(text)
}

/// The text with the section of answers in force, signed with the key that is made, without a smarthost.
fn with_answers(text: &str) -> String {
    let wanted = ["[answers]", "from = ", "dkim_selector = ", "dkim_key = "];
    let in_force = |line: &str| match line.strip_prefix('#') {
        Some(rest) if wanted.iter().any(|name| rest.starts_with(name)) => format!("{rest}\n"),
        _ => format!("{line}\n"),
    };
    text.lines().map(in_force).collect()
}

/// The text with each example replaced, in one pass: the operator's names may hold an example themselves.
fn with_names(text: &str, names: &[(&str, String)]) -> String {
    let mut out = String::new();
    let mut rest = text;
    loop {
        let found = names
            .iter()
            .filter_map(|(example, name)| rest.split_once(example).map(|parts| (parts, name)));
        let Some(((before, after), name)) = found.min_by_key(|((before, _), _)| before.len()) else {
            return out + rest;
        };
        out += before;
        out += name;
        rest = after;
    }
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

impl Config {
    fn default_of_file() -> Result<Config, ConfigError> {
        file::parse(DEFAULT_TEXT, Path::new("the default file"))
    }
}

#[derive(Clone, Copy)]
enum Readers {
    Owner,
    All,
}

fn make_private_folder(path: &Path) -> Result<(), QuickstartError> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path).map_err(|source| QuickstartError::Write {
        path: path.to_owned(),
        source,
    })
}

fn write_new(path: &Path, bytes: &[u8], readers: Readers) -> Result<(), QuickstartError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(match readers {
            Readers::Owner => 0o600,
            Readers::All => 0o644,
        });
    }
    #[cfg(not(unix))]
    let _ = readers;
    let written = options.open(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => QuickstartError::Exists(path.to_owned()),
        _ => QuickstartError::Write {
            path: path.to_owned(),
            source,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(folder: &Path) -> Request {
        Request {
            address: "Relay@Example.org".to_owned(),
            folder: folder.to_owned(),
            data: None,
            hostname: None,
            ips: vec!["192.0.2.1".parse().expect("ip")],
            dns: "system".to_owned(),
            network: 21_337,
            nodes: Vec::new(),
            now: 1_800_000_000,
        }
    }

    #[test]
    fn accepts_names_that_hold_the_examples() {
        let temporary = tempfile::tempdir().expect("folder");
        let folder = temporary
            .path()
            .join("mail.example.org/var/lib/xahau-email-relay");
        let made = run(&Request {
            hostname: Some("mx.relay.example".to_owned()),
            ..request(&folder)
        })
        .expect("made");
        assert_eq!(made.config.data, folder.join("data"));
        let text = std::fs::read_to_string(&made.config_file).expect("text");
        let key = format!("dkim_key = {:?}", folder.join("dkim.pem"));
        assert!(text.contains(&key), "{text}");
    }

    #[test]
    fn makes_a_configuration_that_is_read_and_a_key_that_only_the_owner_reads() {
        let temporary = tempfile::tempdir().expect("folder");
        let folder = temporary.path().join("a").join("relay");
        let made = run(&request(&folder)).expect("made");
        let config = file::read(&made.config_file).expect("a configuration");
        assert_eq!(config, made.config);
        assert_eq!(config.addresses, ["Relay@Example.org"]);
        assert_eq!(config.hostname, "mail.example.org");
        let answers = config.answers.as_ref().expect("answers");
        assert_eq!(
            (&answers.host, answers.from.as_str()),
            (&None, "Relay@Example.org")
        );
        assert_eq!(answers.dkim_key.as_ref(), Some(&made.dkim_key));
        assert_eq!(answers.dkim_selector.as_deref(), Some(SELECTOR));
        assert_eq!(config.data, folder.join("data"));
        assert!(config.data.is_dir());
        let record = dkim_key::record_of(&made.dkim_key).expect("key");
        let published = made
            .records
            .iter()
            .find(|record| record.name == "relay._domainkey.example.org");
        assert_eq!(published.map(|record| record.value.clone()), Some(record));
        assert_eq!(
            made.mta_sts_url,
            "https://mta-sts.example.org/.well-known/mta-sts.txt"
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| std::fs::metadata(path).expect("file").permissions().mode() & 0o777;
            assert_eq!(mode(&made.dkim_key), 0o600);
            assert_eq!(mode(&config.data), 0o700);
        }
    }

    #[test]
    fn writes_what_the_operator_says() {
        let temporary = tempfile::tempdir().expect("folder");
        let request = Request {
            data: Some(temporary.path().join("queue")),
            hostname: Some("mx1.example.net".to_owned()),
            dns: "127.0.0.1:5353".to_owned(),
            network: 21_338,
            nodes: vec!["ws://10.0.0.1:6006".to_owned(), "wss://node.example".to_owned()],
            ..request(temporary.path())
        };
        let config = run(&request).expect("made").config;
        assert_eq!(config.data, temporary.path().join("queue"));
        assert_eq!(config.hostname, "mx1.example.net");
        assert_eq!(config.dns.server, "127.0.0.1:5353");
        assert_eq!((config.network, config.nodes), (21_338, request.nodes));
    }

    #[test]
    fn without_look_ups_no_answers_are_configured() {
        let temporary = tempfile::tempdir().expect("folder");
        let request = Request {
            dns: "off".to_owned(),
            ..request(temporary.path())
        };
        assert_eq!(run(&request).expect("made").config.answers, None);
    }

    #[test]
    fn rejects_a_folder_that_holds_one_of_the_files_and_changes_nothing() {
        for name in ["relay.toml", "dkim.pem", "mta-sts.txt"] {
            let folder = tempfile::tempdir().expect("folder");
            let path = folder.path().join(name);
            std::fs::write(&path, "mine").expect("write");
            let refused = run(&request(folder.path()));
            assert!(matches!(refused, Err(QuickstartError::Exists(at)) if at == path));
            assert_eq!(std::fs::read_to_string(&path).expect("file"), "mine");
            assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), 1);
        }
    }

    #[test]
    fn rejects_what_is_no_address_host_or_node() {
        let folder = tempfile::tempdir().expect("folder");
        let wrong = Request {
            address: "relay".to_owned(),
            ..request(folder.path())
        };
        assert!(matches!(run(&wrong), Err(QuickstartError::Address { .. })));
        let wrong = Request {
            hostname: Some("a b".to_owned()),
            ..request(folder.path())
        };
        assert!(matches!(run(&wrong), Err(QuickstartError::Hostname(_))));
        let wrong = Request {
            nodes: vec!["\"\n[x]".to_owned()],
            ..request(folder.path())
        };
        assert!(matches!(run(&wrong), Err(QuickstartError::Config(_))));
        assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), 0);
    }
}
