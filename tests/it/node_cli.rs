//! A node and its clients as an operator and a developer run them: `node`, `submit`, restarts, bad input.

use crate::support::{NodeProcess, program, run, run_with_input};
use rpc::Client;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use testkit::mail::{self, Headers};
use testkit::provider::{Provider, Signing};

/// A folder with keys.json and mails signed under it.
pub(crate) struct Desk {
    folder: tempfile::TempDir,
    provider: Provider,
}

impl Desk {
    pub(crate) fn new() -> Desk {
        let (folder, provider) = (
            tempfile::tempdir().expect("folder"),
            Provider::new("mail.example").expect("keys"),
        );
        std::fs::write(folder.path().join("keys.json"), provider.keys_json()).expect("written");
        Desk { folder, provider }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A signed mail of Alice, `age` seconds old, with this first line.
    pub(crate) fn mail(&self, name: &str, age: u64, line: &str) -> String {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("clock")
            .as_secs();
        let headers = Headers {
            from: "Alice <alice@mail.example>",
            to: "Bob <bob@friends.example>",
            subject: "test",
            date: now - age,
        };
        let signed = self
            .provider
            .sign(&mail::plain(headers, &[line, ""]), Signing::Gmail)
            .expect("signed");
        std::fs::write(self.path(name), &signed).expect("written");
        self.path(name).to_str().expect("path").to_owned()
    }

    fn node(&self, further: &[&str]) -> NodeProcess {
        let keys = self.path("keys.json");
        let mut arguments = vec![
            "--keys",
            keys.to_str().expect("path"),
            "--fund",
            "alice@mail.example=1000",
        ];
        arguments.extend(further);
        NodeProcess::start(&self.path("data"), &arguments)
    }
}

fn submit(mail: &str, url: &str, further: &[&str]) -> crate::support::Run {
    let mut arguments = vec!["submit", mail, "--server", url, "--json"];
    arguments.extend(further);
    run(&arguments)
}

async fn ask(url: &str, method: &str, params: Value) -> Result<Value, rpc::ClientError> {
    let Value::Object(params) = params else {
        panic!("an object")
    };
    let mut client = Client::connect(url).await.expect("connects");
    client.request(method, params).await
}

#[test]
fn accepts_a_mail_and_keeps_it_over_a_restart() {
    let desk = Desk::new();
    let first = desk.mail("first.eml", 60, "REMIT 10 XAH");
    let node = desk.node(&["--close-secs", "1"]);
    let found = submit(&first, &node.url, &["--wait"]);
    assert_eq!(found.code, 0, "{}{}", found.out, found.err);
    let found = found.json();
    assert_eq!(found["state"], json!("validated"));
    let hash = found["hash"].as_str().expect("hash").to_owned();
    node.kill();

    let node = desk.node(&["--close-secs", "1"]);
    let again = submit(&first, &node.url, &[]).json();
    assert_eq!(
        (&again["state"], &again["hash"]),
        (&json!("validated"), &json!(hash))
    );
    let text = run(&["submit", &first, "--server", &node.url]);
    assert!(
        text.out.contains(&hash) && text.out.contains("validated"),
        "{}",
        text.out
    );
}

/// A payment that the ledger holds but that failed is no success.
#[test]
fn rejects_a_payment_that_its_sender_cannot_make() {
    let desk = Desk::new();
    let node = desk.node(&["--close-secs", "1"]);
    let mail = desk.mail("much.eml", 60, "REMIT 5000 XAH");
    let found = submit(&mail, &node.url, &["--wait"]);
    assert_eq!(found.code, 1, "{}{}", found.out, found.err);
    let found = found.json();
    assert_eq!(found["state"], json!("validated"));
    assert_eq!(found["engine_result"], json!("tecUNFUNDED_PAYMENT"));
    let text = run(&["submit", &mail, "--server", &node.url]);
    assert!(text.out.contains("the fee was charged"), "{}", text.out);
}

async fn drops(url: &str, account: &str) -> u64 {
    let params = json!({ "account": account, "ledger_index": "validated" });
    let Ok(info) = ask(url, "account_info", params).await else {
        return 0;
    };
    let balance = info["account_data"]["Balance"].as_str().expect("drops");
    balance.parse().expect("a number")
}

fn account(told: &Value, side: &str) -> String {
    told[side]["account"].as_str().expect("an account").to_owned()
}

/// Pays by a mail: what `--wait` tells of it, which is what a dry run foretold and what the balances say.
async fn receipt_of(mail: &str, url: &str, alice: &str) -> Value {
    let dry = submit(mail, url, &["--dry-run"]);
    assert_eq!(dry.code, 0, "{}{}", dry.out, dry.err);
    let dry = dry.json();
    let receiver = account(&dry, "to");
    let before = (drops(url, alice).await, drops(url, &receiver).await);
    let receipt = submit(mail, url, &["--wait"]).json()["receipt"].clone();
    let after = (drops(url, alice).await, drops(url, &receiver).await);
    assert_eq!(dry["forecast"], receipt);
    assert_eq!(receipt["xah_left_drops"], json!((before.0 - after.0).to_string()));
    assert_eq!(
        receipt["xah_arrived_drops"],
        json!((after.1 - before.1).to_string())
    );
    receipt
}

/// Reserves of a new account (1 XAH) and a new line (0.2 XAH) leave on top of the amount.
#[tokio::test(flavor = "multi_thread")]
async fn accepts_figures_before_and_after_that_are_those_of_the_balances() {
    let desk = Desk::new();
    let node = desk.node(&["--close-secs", "1"]);
    let first = desk.mail("first.eml", 60, "REMIT 1 XAH");
    let alice = account(&submit(&first, &node.url, &["--wait"]).json(), "from");
    let (carol, dave) = ("<carol@friends.example>", "<dave@friends.example>");
    let usd = format!("5 USD/{alice}");
    for (amount, to, reserve, makes_account) in [
        ("10 XAH", carol, "1000000", true),
        ("3 XAH", carol, "0", false),
        (&usd, carol, "200000", false),
        (&usd, dave, "1200000", true),
    ] {
        let mail = desk.mail("pays.eml", 50, &format!("REMIT {amount} TO {to}"));
        let receipt = receipt_of(&mail, &node.url, &alice).await;
        assert_eq!(receipt["left"], json!(amount));
        assert_eq!(receipt["arrived"], json!(amount));
        assert_eq!(receipt["reserve_drops"], json!(reserve));
        assert_eq!(receipt["makes_account"], json!(makes_account));
        let text = run(&["submit", &mail, "--server", &node.url]).out;
        assert!(text.contains("PAID") && text.contains("Sender pays"), "{text}");
        assert_eq!(text.contains("This is not XAH"), amount == usd, "{text}");
    }
    let much = desk.mail("much.eml", 40, "REMIT 5000 XAH");
    let text = run(&["submit", &much, "--server", &node.url, "--dry-run"]).out;
    assert!(
        text.contains("WOULD PAY") && text.contains("too little"),
        "{text}"
    );
}

/// A key that is not on the ledger yet takes one close, the mail the next, without the client.
#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_first_mail_in_two_closes() {
    let desk = Desk::new();
    let mail = desk.mail("first.eml", 60, "REMIT 10 XAH");
    let node = desk.node(&["--close-secs", "0"]);
    let kept = submit(&mail, &node.url, &[]).json();
    assert_eq!(
        (&kept["state"], &kept["engine_result"]),
        (&json!("kept"), &json!("terNO_DKIM_KEY"))
    );
    let email_id = kept["email_id"].clone();
    for must in ["kept", "validated"] {
        ask(&node.url, "ledger_accept", json!({}))
            .await
            .expect("accepted");
        let ledger = ask(
            &node.url,
            "ledger",
            json!({"ledger_index": "validated", "transactions": true}),
        )
        .await;
        let transactions = ledger.expect("ledger")["ledger"]["transactions"]
            .as_array()
            .expect("list")
            .len();
        assert_eq!(transactions, 1);
        let found = ask(&node.url, "tx", json!({ "email_id": email_id }))
            .await
            .expect("known");
        // Between the two closes the mail is in the open ledger already.
        let state = found["state"].as_str().expect("state");
        assert!(
            state == must || (must == "kept" && state == "submitted"),
            "{found}"
        );
    }
}

/// Without the amendment no mail is taken; once it is voted in, the mail goes in within two closes.
#[tokio::test(flavor = "multi_thread")]
async fn accepts_mail_once_the_amendment_is_voted_in() {
    let desk = Desk::new();
    let mail = desk.mail("first.eml", 60, "REMIT 10 XAH");
    let node = desk.node(&["--close-secs", "0", "--without-email", "--majority-secs", "1"]);
    let refused = submit(&mail, &node.url, &["--wait"]);
    assert_eq!(refused.code, 1, "{}", refused.out);
    assert_eq!(refused.json()["engine_result"], json!("temDISABLED"));
    assert!(
        refused.json()["not_kept"]
            .as_str()
            .is_some_and(|reason| reason.contains("email wallets")),
        "{}",
        refused.out
    );
    let vote = json!({"feature": "Email", "vetoed": false});
    ask(&node.url, "feature", vote).await.expect("the operator votes");
    let mut client = Client::connect(&node.url).await.expect("connects");
    // Majority at one flag ledger (256), enabled at the next (512), in force one ledger later.
    for _ in 0..520 {
        client
            .request("ledger_accept", Map::new())
            .await
            .expect("accepted");
    }
    assert_eq!(submit(&mail, &node.url, &[]).json()["state"], json!("kept"));
    for _ in 0..2 {
        client
            .request("ledger_accept", Map::new())
            .await
            .expect("accepted");
    }
    assert_eq!(submit(&mail, &node.url, &[]).json()["state"], json!("validated"));
}

#[test]
fn rejects_mails_that_cannot_qualify_with_rule_and_fix() {
    let desk = Desk::new();
    let node = desk.node(&["--close-secs", "1"]);
    for (line, rule) in [
        ("REMIT 10 XAH NET 21338", "5.6"),
        ("Hello", "5.2"),
        ("REMIT 0 XAH", "5.5"),
    ] {
        let found = submit(&desk.mail("bad.eml", 60, line), &node.url, &["--wait"]);
        assert_eq!(found.code, 1, "{line}: {}", found.out);
        let found = found.json();
        assert_eq!(found["rule"], json!(rule), "{line}");
        assert_eq!(found["engine_result"], json!("temMALFORMED"), "{line}");
        let checks = found["checks"].as_array().expect("checks");
        let failed = checks
            .iter()
            .find(|check| check["verdict"] == "fail")
            .expect("a failed check");
        assert!(
            failed["fix"].as_str().is_some_and(|fix| fix.len() > 10),
            "{failed}"
        );
    }
    let old = submit(
        &desk.mail("old.eml", 5 * 86_400 + 3_600, "REMIT 10 XAH"),
        &node.url,
        &[],
    );
    assert_eq!(
        (old.code, old.json()["engine_result"].clone()),
        (1, json!("tefEMAIL_EXPIRED"))
    );
}

#[test]
fn rejects_hostile_mail_by_a_named_rule() {
    let huge_header = format!("X: {}\r\n\r\nREMIT 1 XAH\r\n", "y".repeat(400_000));
    let many_lines = format!("{}\r\nREMIT 1 XAH\r\n", "X: y\r\n".repeat(10_000));
    let names = format!(
        "DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=s; h=From:Date{}; bh=YQ==; b=YQ==\r\nFrom: a@a.example\r\n\r\nx",
        ":X".repeat(1_000)
    );
    let rows: [(&[u8], &str); 8] = [
        (huge_header.as_bytes(), "1"),
        (many_lines.as_bytes(), "3.1"),
        (names.as_bytes(), "4.3"),
        (b"From: a@a.example\r\nX: \0\r\n\r\nREMIT 1 XAH\r\n", "3.4"),
        (b"From: a@a.example\r\n\r\nREMIT\r1 XAH\r\n", "3.4"),
        (b"From: a@a.example\r\n\r\nREMIT\n1 XAH\r\n", "3.4"),
        (b"", "3.1"),
        (b"From : a@a.example\r\n\r\nREMIT 1 XAH\r\n", "3.1"),
    ];
    for (mail, rule) in rows {
        let keys = tempfile::NamedTempFile::new().expect("file");
        std::fs::write(keys.path(), "{}").expect("written");
        let arguments = [
            "explain",
            "-",
            "--json",
            "--keys",
            keys.path().to_str().expect("path"),
        ];
        let found = run_with_input(&arguments, mail);
        assert_eq!(found.code, 1, "{rule}: {}{}", found.out, found.err);
        assert_eq!(found.json()["rule"], json!(rule), "{}", found.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_requests_that_are_none() {
    let desk = Desk::new();
    let node = desk.node(&["--close-secs", "0"]);
    for (method, params, token) in [
        ("fly", json!({}), "unknownCmd"),
        ("tx", json!({"transaction": "zz"}), "invalidParams"),
        ("account_info", json!({"account": "alice"}), "actMalformed"),
        ("submit_email", json!({}), "invalidParams"),
        ("submit", json!({"tx_blob": "12"}), "invalidTransaction"),
    ] {
        match ask(&node.url, method, params.clone()).await {
            Err(rpc::ClientError::Refused {
                token: found,
                message,
                ..
            }) => {
                assert_eq!(found, token, "{method} {params}: {message}");
                assert!(!message.is_empty());
            }
            other => panic!("{method} {params}: {other:?}"),
        }
    }
}

#[test]
fn rejects_what_an_operator_got_wrong_and_says_what_to_do() {
    let desk = Desk::new();
    let node = desk.node(&["--close-secs", "1"]);
    let data = desk.path("data");
    let data = data.to_str().expect("path");
    let in_use = run(&["node", "--data", data, "--listen", "127.0.0.1:0"]);
    assert_eq!(in_use.code, 2);
    assert!(in_use.err.contains("in use"), "{}", in_use.err);
    node.kill();
    let network = run(&[
        "node",
        "--data",
        data,
        "--listen",
        "127.0.0.1:0",
        "--network",
        "21338",
    ]);
    assert_eq!(network.code, 2);
    assert!(network.err.contains("21337"), "{}", network.err);
    std::fs::write(desk.path("broken.json"), "{\n\"s._domainkey.a.example\": 7}").expect("written");
    let broken = desk.path("broken.json");
    let keys = run(&["node", "--data", data, "--keys", broken.to_str().expect("path")]);
    assert_eq!(keys.code, 2);
    assert!(
        keys.err.contains("broken.json") && keys.err.contains("s._domainkey.a.example"),
        "{}",
        keys.err
    );
    let fund = run(&["node", "--data", data, "--fund", "alice=ten"]);
    assert_eq!(fund.code, 2, "{}", fund.err);
    assert!(
        fund.err.contains("is not a payment") || fund.err.contains("is neither"),
        "{}",
        fund.err
    );
    let late = run(&[
        "node",
        "--data",
        data,
        "--listen",
        "127.0.0.1:0",
        "--fund",
        "carol@mail.example=5",
    ]);
    assert_eq!(late.code, 2);
    assert!(
        late.err.contains("carol@mail.example is not in this ledger"),
        "{}",
        late.err
    );
    let nobody = run(&[
        "submit",
        broken.to_str().expect("path"),
        "--server",
        "ws://127.0.0.1:1",
    ]);
    assert_eq!(nobody.code, 2);
    assert!(nobody.err.contains("ws://127.0.0.1:1"), "{}", nobody.err);
    let mode = mode_of(&desk.path("data").join("validator.key"));
    assert_eq!(mode & 0o777, 0o600);
}

fn mode_of(path: &Path) -> u32 {
    use std::os::unix::fs::MetadataExt;
    path.metadata()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .mode()
}

/// Machines get one JSON object for wrong arguments too, and a reader that goes away is no reason to panic.
#[test]
fn rejects_wrong_arguments_in_json_and_survives_a_closed_output() {
    for arguments in [
        &["address", "--json"][..],
        &["--json", "fly"],
        &["node", "--json", "--listen", "foo"],
    ] {
        let found = run(arguments);
        assert_eq!(found.code, 2, "{arguments:?}");
        assert!(found.json()["error"].is_string(), "{arguments:?}: {}", found.out);
    }
    assert_eq!(run(&["--help"]).code, 0);
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("device");
    let output = program()
        .args(["address", "a@b.example"])
        .stdout(full)
        .output()
        .expect("ends");
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        error.contains("cannot write standard output") && !error.contains("panicked"),
        "{error}"
    );
}

/// The port in use is named, and the node does not start.
#[test]
fn rejects_a_port_that_is_taken() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("port");
    let address = taken.local_addr().expect("address").to_string();
    let folder = tempfile::tempdir().expect("folder");
    let output = program()
        .args(["node", "--listen", &address, "--data"])
        .arg(folder.path())
        .output()
        .expect("ends");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains(&address));
}

#[test]
fn node_logs_its_start_ledgers_refusals_and_end_without_being_asked() {
    let desk = Desk::new();
    let log = desk.path("log");
    let mut child = program()
        .args([
            "node",
            "--listen",
            "127.0.0.1:0",
            "--http",
            "127.0.0.1:0",
            "--close-secs",
            "0",
            "--data",
        ])
        .arg(desk.path("data"))
        .env_remove("RUST_LOG")
        .stdout(std::process::Stdio::piped())
        .stderr(std::fs::File::create(&log).expect("a log"))
        .spawn()
        .expect("the node starts");
    let stdout = std::io::BufReader::new(child.stdout.take().expect("standard output"));
    let mut places = std::io::BufRead::lines(stdout).map(|line| line.expect("text"));
    let mut next = || places.next().expect("a place")["listening ".len()..].to_owned();
    let (url, http) = (next(), next());
    let (post, metrics) = (url.replace("ws://", "http://"), format!("{http}/metrics"));
    let curl = |arguments: &[&str]| {
        let output = std::process::Command::new("curl")
            .arg("-s")
            .args(arguments)
            .output();
        String::from_utf8(output.expect("curl").stdout).expect("text")
    };
    let mail = r#"{"method":"submit_email","params":[{"email":"no mail"}]}"#;
    assert!(curl(&["-d", mail, &post]).contains("\"failed\""), "it is refused");
    assert!(curl(&["-d", r#"{"method":"ledger_accept"}"#, &post]).contains("success"));
    let shown = curl(&[&metrics]);
    assert!(shown.contains("node_mails{waits_for=\"funds\"} 0"), "{shown}");
    assert!(curl(&[&format!("{http}/readyz")]).contains("\"ready\":true"));
    let pid = child.id().to_string();
    let stopped = std::process::Command::new("kill").args(["-TERM", &pid]).status();
    assert!(stopped.expect("kill").success());
    assert!(child.wait().expect("ended").success());
    let log = std::fs::read_to_string(log).expect("a log");
    for line in [
        "the ledger is loaded",
        "the node serves",
        "a mail is refused",
        "a ledger is closed",
        "stopping: open requests finish first",
        "the node has stopped",
    ] {
        assert!(log.contains(line), "no line says '{line}':\n{log}");
    }
}
