//! A network on this machine, as a script rehearses on it: keys, outages, lies and expiry.

use crate::network::free_ports;
use crate::support::{program, run};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::{Duration, Instant};

/// Longest wait for what must come. It is waited for by looking, so nothing depends on the number.
const PATIENCE: Duration = Duration::from_secs(180);

/// A running `localnet --json`; it is killed with the value.
struct Console {
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    asked: u64,
    ready: Value,
}

impl Console {
    /// Starts in a folder: five validators and a follower, or those that are there.
    fn start(folder: &Path) -> Console {
        let port = free_ports(13).to_string();
        let mut child = program()
            .args(["localnet", "--json", "--port", &port, "--dir"])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("standard output")).lines();
        let input = child.stdin.take().expect("standard input");
        let ready = lines.next().expect("a line").expect("text");
        let ready: Value = serde_json::from_str(&ready).expect("JSON");
        assert_eq!(ready["ready"], json!(true), "{ready}");
        Console {
            child,
            input,
            lines,
            asked: 0,
            ready,
        }
    }

    /// Gives a command; its answer is one line, with the id of the command.
    fn say(&mut self, command: &str) -> Value {
        self.asked += 1;
        let line = json!({ "id": self.asked, "command": command });
        writeln!(self.input, "{line}").expect("written");
        let answer = self.lines.next().expect("an answer").expect("text");
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        assert_eq!(answer["id"], json!(self.asked), "{command}: {answer}");
        answer
    }

    /// The same, where it must be done.
    fn must(&mut self, command: &str) -> Value {
        let answer = self.say(command);
        assert_eq!(answer["ok"], json!(true), "{command}: {answer}");
        answer
    }

    /// Gives a command until its answer fits.
    fn until(&mut self, command: &str, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let answer = self.say(command);
            if fits(&answer) {
                return answer;
            }
            assert!(begun.elapsed() < PATIENCE, "{what} did not come: {answer}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Sends a mail by a command; answers its number.
    fn mail(&mut self, command: &str) -> usize {
        let answer = self.say(command);
        let number = answer["mail"].as_u64();
        usize::try_from(number.unwrap_or_else(|| panic!("{command}: {answer}"))).expect("small")
    }

    /// Waits until a mail is in this state.
    fn until_mail(&mut self, number: usize, state: &str) -> Value {
        let of = |answer: &Value| answer["mails"][number - 1].clone();
        of(&self.until("mails", &format!("mail {number} {state}"), |answer| {
            of(answer)["state"] == json!(state)
        }))
    }

    /// Sends a mail that is paid at once, or soon where the machine is busy.
    fn pay(&mut self, command: &str) {
        let number = self.mail(command);
        self.until_mail(number, "validated");
    }

    /// What somebody has, XAH.
    fn xah(&mut self, who: &str) -> String {
        let answer = self.must(&format!("balance {who}"));
        answer["balances"][0]["xah"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// What the ledger has of a key: the first, or a further one.
    fn key(&mut self, selector: &str, domain: &str) -> String {
        let answer = self.must("keys");
        let mut keys = answer["keys"].as_array().expect("keys").iter();
        let found = keys.find(|key| key["selector"] == json!(selector) && key["domain"] == json!(domain));
        found.expect("a key")["ledger"]
            .as_str()
            .expect("a word")
            .to_owned()
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processes whose arguments name the folder.
fn processes_of(folder: &Path) -> Vec<String> {
    let name = folder.to_str().expect("text");
    let ids = std::fs::read_dir("/proc").expect("/proc");
    let arguments = ids.filter_map(|id| std::fs::read_to_string(id.ok()?.path().join("cmdline")).ok());
    arguments
        .map(|arguments| arguments.replace('\0', " "))
        .filter(|arguments| arguments.contains(name) && arguments.contains("validator"))
        .collect()
}

fn until_none_is_left(folder: &Path) {
    let begun = Instant::now();
    while !processes_of(folder).is_empty() {
        assert!(begun.elapsed() < PATIENCE, "{:?}", processes_of(folder));
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Money, a rotated key, an outage over the five days of a mail, and a partition. Spec: 4.6, 7.4.
fn rehearse(net: &mut Console) {
    net.pay("send alice bob 10 XAH");
    assert_eq!(net.xah("bob"), "1010");
    assert_eq!(net.key("s1", "mail.example"), "usable");

    // A further key of a known domain is usable after a second quorum, 6 hours later.
    net.must("rotate mail.example withdraw");
    let waits = net.mail("send alice bob 5 XAH");
    net.until("keys", "the first quorum", |answer| {
        answer["keys"][1]["ledger"] == json!("waiting")
    });
    net.say("advance 6h1m");
    net.until_mail(waits, "validated");
    assert_eq!(net.xah("bob"), "1015");

    // Four of five validators make a ledger, three do not.
    net.must("kill 5");
    net.pay("send bob alice 1 XAH");
    assert_eq!(net.must("kill v4")["goes_on"], json!(false));
    let late = net.mail("send alice bob 100 XAH");
    assert_eq!(net.say("advance 5d1m")["ok"], json!(false), "no ledger closes");
    assert_eq!(net.must("start")["goes_on"], json!(true));
    let expired = net.until_mail(late, "failed");
    assert_eq!(expired["result"], json!("tefEMAIL_EXPIRED"), "{expired}");

    // Nobody attested the key for five days; the next mail renews it.
    net.pay("send alice bob 20 XAH");
    assert_eq!(net.must("partition 1,2 | 3,4,5")["goes_on"], json!(false));
    let waits = net.mail("send alice bob 40 XAH");
    net.must("heal");
    net.until_mail(waits, "validated");
    // 1,000 and 10, 5, 20, 40 came in; 1 XAH and a fee went out.
    let bob: f64 = net.xah("bob").parse().expect("a number");
    assert!((1_073.9..1_074.0).contains(&bob), "{bob}");
}

/// False DNS: at three of five validators nothing comes of it, at four the false key is the key. Spec: 7.2.
fn lie(net: &mut Console) {
    let before = net.xah("bob");
    net.must("lie 1,2,3");
    let forged = net.mail("forge carol bob 7 XAH");
    net.say("advance 11m");
    let still = net.mail("forge carol bob 7 XAH");
    for number in [forged, still] {
        let mails = net.must("mails");
        assert_ne!(mails["mails"][number - 1]["state"], json!("validated"), "{mails}");
    }
    assert_eq!(
        (net.key("s1", "post.example"), net.xah("bob")),
        ("absent".to_owned(), before)
    );
    net.must("lie 4");
    net.say("advance 11m");
    let accepted = net.mail("forge carol bob 9 XAH");
    net.until_mail(accepted, "validated");
    net.must("honest");
}

/// What operators decide by themselves. Spec: 7.10.
fn freeze(net: &mut Console) {
    net.must("freeze mail.example");
    let frozen = net.say("send alice bob 1 XAH");
    assert_eq!(frozen["result"], json!("tefDKIM_FROZEN"), "{frozen}");
    net.must("lift mail.example");
}

#[test]
fn an_operator_rehearses_rotation_outage_lies_and_expiry() {
    let folder = tempfile::tempdir().expect("folder");
    let mut net = Console::start(folder.path());
    assert_eq!(net.ready["nodes"].as_array().map(Vec::len), Some(6));
    let unknown = net.say("stauts");
    assert_eq!(unknown["ok"], json!(false));
    assert!(
        unknown["error"]
            .as_str()
            .is_some_and(|error| error.contains("'status'")),
        "{unknown}"
    );
    rehearse(&mut net);
    lie(&mut net);
    freeze(&mut net);
    let status = net.until("status", "all nodes at one ledger", |status| {
        let nodes = status["nodes"].as_array().expect("nodes");
        nodes.iter().all(|node| node["ledger_index"].is_u64())
    });
    assert_eq!(status["agree"], json!(true), "{status}");
    let second = run(&["localnet", "--dir", folder.path().to_str().expect("text")]);
    assert_eq!(second.code, 2, "{}", second.out);
    assert!(second.err.contains("another localnet runs"), "{}", second.err);
    let bob = net.xah("bob");
    net.must("quit");
    assert!(net.child.wait().expect("wait").success());
    assert_eq!(processes_of(folder.path()), Vec::<String>::new());

    // It goes on where it was; and where it is killed, its nodes end with it, a paused one too.
    let mut again = Console::start(folder.path());
    assert_eq!(again.ready["resumed"], json!(true));
    assert_eq!(again.xah("bob"), bob);
    again.must("pause 2");
    assert_eq!(processes_of(folder.path()).len(), 6);
    again.child.kill().expect("kill");
    until_none_is_left(folder.path());
}

#[test]
fn what_cannot_be_a_network_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    std::fs::write(folder.path().join("letter.txt"), "mine").expect("written");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let path = folder.path().to_str().expect("text");
    for (arguments, word) in [
        (["localnet", "--dir", path], "holds no local network"),
        (["localnet", "--validators", "0"], "1 to 20"),
        (["localnet", "--port", &port], "--port: cannot listen on"),
    ] {
        let refused = run(&arguments);
        assert_eq!(refused.code, 2, "{}", refused.out);
        assert!(refused.err.contains(word), "{}", refused.err);
    }
}
