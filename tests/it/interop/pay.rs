//! Mail of others becomes payments.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use relay::clock::Clock;
use relay::courier::Courier;
use relay::courier::nodes::Nodes;
use relay::door::Door as FrontDesk;
use relay::queue::Queue;
use relay::smtp::server::{Door, Server, UnixDoor};
use relay::smtp::tls::TlsFiles;
use rpc::Client;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::{Service, can_run, mail, make, open_to_all, send};
use crate::support::{NodeProcess, run};

const SENDER: &str = "alice@sender.example";
/// What a Remit pays a new account beside the amount: the reserve of an account on Xahau.
const RESERVE_XAH: u64 = 1;

/// A relay with all of its doors.
struct Relay {
    smtp: SocketAddr,
    lmtp: SocketAddr,
    unix: PathBuf,
    stop: watch::Sender<bool>,
}

impl Relay {
    async fn start(folder: &Path, keys: &Path, node: &str) -> Relay {
        make("certificate.py", folder, &[]);
        let text = format!(
            "addresses = [\"relay@relay.example\", \"lmtp@relay.example\", \"unix@relay.example\"]\n\
             hostname = \"localhost\"\ndata = {folder:?}\nnodes = [\"{node}\"]\n\
             [smtp]\nlisten = [\"127.0.0.1:0\"]\n[dns]\nkeys = {keys:?}\n"
        );
        let config = relay::config_file::parse(&text, Path::new("relay.toml")).expect("a configuration");
        let clock: Clock = Arc::new(|| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            now.expect("a time after 1970").as_secs()
        });
        let queue = Queue::open(&config.data, &config.queue, clock.clone()).expect("a queue");
        let desk = FrontDesk::open(&config, queue.clone(), clock.clone()).expect("a desk");
        let tls =
            TlsFiles::load(&folder.join("server.pem"), &folder.join("server.key")).expect("a certificate");
        let server = Server::new(
            &config.hostname,
            &config.limits,
            Some(Arc::new(tls)),
            Arc::new(desk),
        );
        let smtp = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let lmtp = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let unix = folder.join("lmtp");
        let (stop, stopped) = watch::channel(false);
        let relay = Relay {
            smtp: smtp.local_addr().expect("an address"),
            lmtp: lmtp.local_addr().expect("an address"),
            unix: unix.clone(),
            stop,
        };
        let unix_door = UnixDoor::bind(&unix).expect("a socket");
        // In place of a group that the relay and the mail server share.
        let everyone = std::os::unix::fs::PermissionsExt::from_mode(0o666);
        std::fs::set_permissions(&unix, everyone).expect("rights");
        for door in [Door::Smtp(smtp), Door::Lmtp(lmtp), Door::LmtpUnix(unix_door)] {
            tokio::spawn(Arc::clone(&server).serve(door, stopped.clone()));
        }
        let nodes = Arc::new(Nodes::new(&config.nodes, config.network));
        let mut stopped = stopped;
        tokio::spawn(Courier::new(queue, nodes, clock).run(async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        }));
        relay
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}

/// Balance of an email address on the node, XAH.
async fn balance(url: &str, email: &str) -> u64 {
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

async fn wait_for_balance(url: &str, email: &str, xah: u64) {
    let waiting = async {
        while balance(url, email).await != xah {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(120), waiting).await;
    assert!(
        waited.is_ok(),
        "{email} has {} XAH, not {xah}",
        balance(url, email).await
    );
}

/// The files of a folder of mails once there are so many, in the order in which they came.
async fn wait_for_mails(folder: &Path, count: usize) -> Vec<PathBuf> {
    let all = || (1..=count).map(|number| folder.join(format!("{number}.eml")));
    let waiting = async {
        while !all().all(|path| path.exists()) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting)
        .await
        .expect("mails");
    all().collect()
}

/// What swaks prints of a dialogue with which it sends a file as it is.
fn swaks(server: SocketAddr, file: &Path, further: &[&str]) -> String {
    let output = Command::new("swaks")
        .args(["--server", "127.0.0.1", "--port", &server.port().to_string()])
        .args([
            "--helo",
            "client.example",
            "--from",
            SENDER,
            "--to",
            "relay@relay.example",
        ])
        .arg("--data")
        .arg(format!("@{}", file.display()))
        .args(further)
        .stdin(Stdio::null())
        .output()
        .expect("swaks");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What is submitted to Postfix is signed by OpenDKIM and comes by SMTP, LMTP and LMTP over a Unix socket; what was signed
/// so comes from smtplib and swaks too. Each mail is one payment.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn mail_of_postfix_smtplib_and_swaks_becomes_payments() {
    if !can_run(&[
        "python3",
        "postfix",
        "opendkim",
        "opendkim-genkey",
        "openssl",
        "swaks",
    ]) {
        return;
    }
    let temp = tempfile::tempdir().expect("folder");
    open_to_all(temp.path());
    let path = |name: &str| temp.path().join(name);
    make("signing_key.py", &path("postfix"), &["sender.example"]);
    let keys = path("postfix").join("keys.json");
    let arguments = [
        "--network",
        "21337",
        "--close-secs",
        "1",
        "--fund",
        "alice@sender.example=1000",
        "--keys",
    ];
    let mut arguments = arguments.to_vec();
    arguments.push(keys.to_str().expect("text"));
    let node = NodeProcess::start(&path("node"), &arguments);
    let relay = Relay::start(&path("relay"), &keys, &node.url).await;
    let sinks = [("smtp", "tcp"), ("lmtp", "unix")]
        .map(|(protocol, network)| Service::start("sink.py", &path(network), &[protocol, network]));
    let sink_port = sinks[0].text("address").rsplit(':').next().expect("a port");
    let routes = [
        format!("relay@relay.example=smtp:[127.0.0.1]:{}", relay.smtp.port()),
        format!("lmtp@relay.example=lmtp:inet:{}", relay.lmtp),
        format!("unix@relay.example=lmtp:unix:{}", relay.unix.display()),
        format!("smtp@sink.example=smtp:[127.0.0.1]:{sink_port}"),
        format!("unix@sink.example=lmtp:unix:{}", sinks[1].text("address")),
    ];
    let mut arguments = vec!["sender.example"];
    arguments.extend(routes.iter().map(String::as_str));
    let postfix = Service::start("postfix.py", &path("postfix"), &arguments);
    let submit = |to: &str, line: &str| {
        let reply = send(&["smtp", postfix.text("smtp"), SENDER, to], &mail(line));
        assert!(reply.starts_with("250 "), "{reply}");
    };

    submit("relay@relay.example", "REMIT 10 XAH");
    submit("lmtp@relay.example", "REMIT 11 XAH");
    submit("unix@relay.example", "REMIT 12 XAH");
    wait_for_balance(&node.url, "bob@receiver.example", RESERVE_XAH + 33).await;

    submit("smtp@sink.example", "REMIT 13 XAH");
    wait_for_mails(&path("tcp"), 1).await;
    submit("smtp@sink.example", "REMIT 14 XAH");
    wait_for_mails(&path("tcp"), 2).await;
    submit("unix@sink.example", "REMIT 15 XAH");
    let mut signed = wait_for_mails(&path("tcp"), 2).await;
    signed.extend(wait_for_mails(&path("unix"), 1).await);
    let smtp = relay.smtp.to_string();
    let smtp = smtp.replace("127.0.0.1", "localhost");
    let authority = path("relay").join("authority.pem");
    let authority = authority.to_str().expect("text");
    let text = std::fs::read_to_string(&signed[0]).expect("a mail");
    let secured = [
        "--starttls",
        authority,
        "smtp",
        &smtp,
        SENDER,
        "relay@relay.example",
    ];
    let reply = send(&secured, &text);
    assert!(reply.starts_with("250 "), "{reply}");
    let said = swaks(relay.smtp, &signed[1], &["--pipeline"]);
    assert!(said.contains("\n<-  250 2.0.0 Taken as "), "{said}");
    let said = swaks(relay.smtp, &signed[2], &["--tls"]);
    assert!(said.contains("\n<~  250 2.0.0 Taken as "), "{said}");
    wait_for_balance(&node.url, "bob@receiver.example", RESERVE_XAH + 75).await;

    // The same mail again, and from another door, pays nothing more.
    for reply in [
        send(&secured, &text),
        send(
            &["lmtp", &relay.lmtp.to_string(), SENDER, "lmtp@relay.example"],
            &text,
        ),
    ] {
        assert!(reply.contains("nothing is done twice"), "{reply}");
    }
    // A forger's mail is refused, and the server that would send it is told why.
    let said = send(
        &["smtp", &smtp, SENDER, "relay@relay.example"],
        &mail("REMIT 500 XAH"),
    );
    assert!(said.starts_with("550 5.7."), "{said}");
    let said = send(&["smtp", &smtp, SENDER, "bob@receiver.example"], &text);
    assert!(said.starts_with("550 5.7.1"), "{said}");
    assert_eq!(balance(&node.url, "bob@receiver.example").await, RESERVE_XAH + 75);
}

/// What `relay::pipe` relies on: Postfix pipe(8) tries again on exit code 75, and on 65 tells the sender the line on standard
/// error with its enhanced status code. Lines end in LF and no `From ` line is added.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postfix_reads_exit_codes_and_lines_as_the_pipe_gives_them() {
    if !can_run(&["python3", "postfix", "opendkim", "opendkim-genkey"]) {
        return;
    }
    let temp = tempfile::tempdir().expect("folder");
    open_to_all(temp.path());
    let path = |name: &str| temp.path().join(name);
    make("signing_key.py", &path("postfix"), &["sender.example"]);
    let sink = Service::start("sink.py", &path("bounces"), &["lmtp", "unix"]);
    std::fs::create_dir(path("pipe")).expect("folder");
    // The script runs as nobody.
    let everyone = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(path("pipe"), everyone).expect("rights");
    let script = path("pipe_stub.sh");
    std::fs::copy(crate::root().join("tests/interop/pipe_stub.sh"), &script).expect("a copy");
    let folder = path("pipe");
    let routes = [
        format!(
            "relay@relay.example=pipe:{} {} ${{sender}} ${{recipient}}",
            script.display(),
            folder.display()
        ),
        format!("{SENDER}=lmtp:unix:{}", sink.text("address")),
    ];
    let postfix = Service::start(
        "postfix.py",
        &path("postfix"),
        &["sender.example", &routes[0], &routes[1]],
    );
    let submit = |line: &str| {
        let reply = send(
            &["smtp", postfix.text("smtp"), SENDER, "relay@relay.example"],
            &mail(line),
        );
        assert!(reply.starts_with("250 "), "{reply}");
    };
    submit("REMIT 10 XAH");
    let bounce = wait_for_mails(&path("bounces"), 1).await;
    let bounce = std::fs::read_to_string(&bounce[0]).expect("a bounce");
    assert!(bounce.contains("\r\nStatus: 5.7.1\r\n"), "{bounce}");
    assert!(bounce.contains("rule 4.3: Date is not signed"), "{bounce}");
    submit("REMIT 11 XAH");
    let came = wait_for_mails(&folder, 1).await;
    let came = std::fs::read_to_string(&came[0]).expect("a mail");
    assert!(!came.contains('\r') && !came.starts_with("From "), "{came}");
    assert!(came.contains("\n\nREMIT 11 XAH\n"), "{came}");
    let envelope = std::fs::read_to_string(folder.join("envelope")).expect("a text");
    assert_eq!(envelope, format!("{SENDER} relay@relay.example\n"));
}
