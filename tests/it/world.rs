//! What tests of the whole daemon share: mail that is signed, a configuration, a client of SMTP, and what a
//! node has.

use crate::support::run;
use rpc::Client;
use serde_json::json;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use testkit::mail::{self, Headers};
use testkit::provider::{Provider, Signing};

/// The address of the relay.
pub(crate) const RELAY: &str = "relay@relay.example";
/// Who is paid.
pub(crate) const RECEIVER: &str = "bob@receiver.example";
/// What a Remit pays a new account beside the amount: the reserve of an account on Xahau.
pub(crate) const RESERVE_XAH: u64 = 1;
/// Longest wait for what must come, seconds. It is waited for by looking, so nothing depends on the number.
const PATIENCE_SECS: u64 = 180;

/// A folder that every user may enter, and a provider of mail.example whose keys lie in `keys.json`.
pub(crate) struct World {
    folder: tempfile::TempDir,
    provider: Provider,
    now: u64,
}

impl World {
    pub(crate) fn new() -> World {
        let folder = tempfile::tempdir().expect("folder");
        open_to_all(folder.path());
        let provider = Provider::new("mail.example").expect("keys");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("clock");
        let world = World {
            folder,
            provider,
            now: now.as_secs(),
        };
        std::fs::write(world.keys(), world.provider.keys_json()).expect("written");
        world
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn keys(&self) -> PathBuf {
        self.path("keys.json")
    }

    /// A signed mail of alice@mail.example to [`RECEIVER`] with this first line. Its subject is the line too.
    pub(crate) fn mail(&self, line: &str) -> String {
        let headers = Headers {
            from: "Alice <alice@mail.example>",
            to: RECEIVER,
            subject: line,
            date: self.now - 60,
        };
        let unsigned = mail::plain(headers, &[line, ""]);
        self.provider.sign(&unsigned, Signing::Gmail).expect("signed")
    }

    /// Arguments of a node that knows the keys and closes a ledger each second; Alice has money there.
    pub(crate) fn node_arguments(&self) -> Vec<String> {
        let keys = self.keys();
        [
            "--network",
            "21337",
            "--close-secs",
            "1",
            "--fund",
            "alice@mail.example=10000",
            "--keys",
            keys.to_str().expect("text"),
        ]
        .map(str::to_owned)
        .to_vec()
    }
}

/// Lets every user read a folder.
pub(crate) fn open_to_all(folder: &Path) {
    let everyone = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder, everyone).expect("rights");
}

/// Writes `relay.toml` into a folder. `top` comes before the first section, `sections` at the end.
pub(crate) fn configure(folder: &Path, keys: &Path, node: &str, top: &str, sections: &str) -> PathBuf {
    let path = folder.join("relay.toml");
    let data = folder.join("data");
    let text = format!(
        "{top}\nhostname = \"localhost\"\ndata = {data:?}\nnetwork = 21337\nnodes = [\"{node}\"]\n\
         [dns]\nkeys = {keys:?}\n[queue]\nfree_mib_min = 1\n{sections}"
    );
    std::fs::write(&path, text).expect("written");
    path
}

/// Calls until there is something, for a bounded time.
pub(crate) async fn wait_for<T>(what: &str, mut found: impl AsyncFnMut() -> Option<T>) -> T {
    let waiting = async {
        loop {
            if let Some(found) = found().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(PATIENCE_SECS), waiting).await;
    waited.unwrap_or_else(|_| panic!("{what} did not come"))
}

/// Balance of an email address on the node, XAH; 0 where there is no account.
pub(crate) async fn balance(url: &str, email: &str) -> u64 {
    let account = run(&["address", "--json", email]).json();
    let params = json!({"account": account["addresses"][0]["r_address"], "ledger_index": "validated"});
    let mut client = Client::connect(url).await.expect("connects");
    let found = client.request("account_info", params.as_object().expect("an object").clone());
    let Ok(found) = found.await else { return 0 };
    let drops = found["account_data"]["Balance"]
        .as_str()
        .and_then(|drops| drops.parse::<u64>().ok());
    drops.expect("a balance") / 1_000_000
}

/// Waits until [`RECEIVER`] has been paid so much in all, XAH.
pub(crate) async fn wait_for_payments(url: &str, xah: u64) {
    let what = format!("a payment, {xah} XAH in all,");
    wait_for(&what, async || {
        (balance(url, RECEIVER).await == RESERVE_XAH + xah).then_some(())
    })
    .await;
}

/// The files that tests/interop/sink.py has written once there are so many, as text, in the order in which
/// they came.
pub(crate) async fn wait_for_mails(folder: &Path, count: usize) -> Vec<PathBuf> {
    let all: Vec<PathBuf> = (1..=count)
        .map(|number| folder.join(format!("{number}.eml")))
        .collect();
    let what = format!("mail {count} in {}", folder.display());
    wait_for(&what, async || all.iter().all(|path| path.exists()).then_some(())).await;
    all
}

/// A client of SMTP that says what a test wants.
pub(crate) struct Smtp {
    pub out: TcpStream,
    lines: BufReader<TcpStream>,
}

impl Smtp {
    /// Connects and reads the banner.
    pub(crate) fn connect(address: &str) -> Smtp {
        let mut smtp = Smtp::connect_only(address);
        let banner = smtp.reply();
        assert!(banner.starts_with("220 "), "{banner}");
        smtp
    }

    /// Connects.
    pub(crate) fn connect_only(address: &str) -> Smtp {
        let out = TcpStream::connect(address).expect("connects");
        out.set_read_timeout(Some(Duration::from_secs(PATIENCE_SECS)))
            .expect("a time");
        let lines = BufReader::new(out.try_clone().expect("a socket"));
        Smtp { out, lines }
    }

    /// The last line of the next reply; empty where the connection is over.
    pub(crate) fn reply(&mut self) -> String {
        loop {
            let mut line = String::new();
            // A connection that is reset is over too.
            if self.lines.read_line(&mut line).unwrap_or(0) == 0 {
                return String::new();
            }
            if line.as_bytes().get(3) != Some(&b'-') {
                return line.trim_end().to_owned();
            }
        }
    }

    /// Sends bytes; a server that has hung up is found out by its reply.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.out.write_all(bytes.as_ref());
    }

    /// Sends a line and gives the reply.
    pub(crate) fn ask(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n"));
        self.reply()
    }

    /// EHLO, and a mail up to its recipients.
    pub(crate) fn begin(address: &str) -> Smtp {
        let mut smtp = Smtp::connect(address);
        smtp.say_envelope();
        smtp
    }

    /// Hands a mail in. Gives the reply to its content.
    pub(crate) fn deliver(address: &str, mail: &str) -> String {
        Smtp::connect(address).hand_in(mail)
    }

    /// Hands a mail in after the banner. Gives the reply to its content.
    pub(crate) fn hand_in(mut self, mail: &str) -> String {
        self.say_envelope();
        assert!(self.ask("DATA").starts_with("354 "));
        self.send(mail.replace("\r\n.", "\r\n.."));
        self.ask(".")
    }

    fn say_envelope(&mut self) {
        for line in [
            "EHLO client.example",
            "MAIL FROM:<alice@mail.example>",
            &format!("RCPT TO:<{RELAY}>"),
        ] {
            let reply = self.ask(line);
            assert!(reply.starts_with("250 "), "{line}: {reply}");
        }
    }
}
