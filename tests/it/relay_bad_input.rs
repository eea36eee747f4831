//! The running relay against clients that mean no good: after each it takes a good mail, and its memory stays
//! small.

use crate::root;
use crate::support::{RelayProcess, program};
use crate::world::{RELAY, Smtp, World, configure, wait_for};
use std::cell::Cell;
use std::io::Write;
use std::net::Shutdown;
use std::process::Command;

/// Most memory that the relay may hold after all of it, KiB.
const RESIDENT_KIB_MAX: u64 = 256 * 1024;
/// Connections that are wanted beyond the limit.
const CONNECTIONS_BEYOND: usize = 5_000;

/// An attack and its name.
type Attack = (&'static str, fn(&Victim));

/// A relay that takes any number of letters of Alice. No node is there: what it took waits.
struct Victim {
    world: World,
    relay: RelayProcess,
    mails: Cell<u32>,
}

impl Victim {
    fn start(limits: &str) -> Victim {
        let world = World::new();
        let (certificate, key) = (
            root().join("relay/tests/data/new.cert.pem"),
            root().join("relay/tests/data/new.key.pem"),
        );
        let sections = format!(
            "[smtp]\nlisten = [\"127.0.0.1:0\"]\n[tls]\ncertificate = {certificate:?}\nkey = {key:?}\n\
             [limits]\nletters_per_address_hour = 0\n{limits}"
        );
        let top = format!("addresses = [\"{RELAY}\"]");
        let folder = world.path("relay");
        std::fs::create_dir(&folder).expect("folder");
        let config = configure(&folder, &world.keys(), "ws://127.0.0.1:1", &top, &sections);
        // As its service does: LimitNOFILE.
        let mut command = Command::new("sh");
        command
            .args(["-c", "ulimit -Sn \"$(ulimit -Hn)\"; exec \"$@\"", "sh"])
            .arg(program().get_program())
            .args(["relay", "run", "--config"])
            .arg(config)
            .env("RUST_LOG", "error");
        Victim {
            relay: RelayProcess::spawn(command),
            world,
            mails: Cell::new(0),
        }
    }

    fn connect(&self) -> Smtp {
        Smtp::connect(&self.relay.smtp)
    }

    fn begin(&self) -> Smtp {
        Smtp::begin(&self.relay.smtp)
    }

    /// A mail that was not handed in before.
    fn good_mail(&self) -> String {
        self.mails.set(self.mails.get() + 1);
        self.world.mail(&format!("REMIT {} XAH", self.mails.get()))
    }

    fn takes_a_good_mail(&self) {
        let reply = Smtp::deliver(&self.relay.smtp, &self.good_mail());
        assert!(reply.starts_with("250 2.0.0 Taken as "), "{reply}");
    }

    /// Memory that the process holds, KiB.
    fn resident_kib(&self) -> u64 {
        let path = format!("/proc/{}/status", self.relay.child.id());
        let status = std::fs::read_to_string(path).expect("the relay runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kib.expect("a size").parse().expect("a number")
    }
}

/// Whether the connection ends without a further 2yz or 3yz.
fn assert_ends(smtp: &mut Smtp) {
    loop {
        let reply = smtp.reply();
        if reply.is_empty() {
            return;
        }
        assert!(reply.starts_with(['4', '5']), "{reply}");
    }
}

fn long_lines(victim: &Victim) {
    let mut smtp = victim.connect();
    smtp.send(vec![b'x'; 1_000_000]);
    smtp.send("\r\n");
    assert!(smtp.reply().starts_with("500 5.5.6 "));
    assert_ends(&mut smtp);
    let mut smtp = victim.begin();
    assert!(smtp.ask("DATA").starts_with("354 "));
    smtp.send(vec![b'x'; 1_000_000]);
    assert!(smtp.ask("\r\n.").starts_with("552 5.3.4 "));
    assert!(smtp.ask("NOOP").starts_with("250 "));
}

fn recipients_without_end(victim: &Victim) {
    for recipient in [RELAY, "somebody@else.example"] {
        let mut smtp = victim.begin();
        let mut writer = smtp.out.try_clone().expect("a socket");
        let lines = format!("RCPT TO:<{recipient}>\r\n").repeat(100_000);
        // The relay may hang up before the end.
        let writing = std::thread::spawn(move || writer.write_all(lines.as_bytes()));
        let mut taken = 1;
        let last = loop {
            let reply = smtp.reply();
            match reply.get(..4) {
                Some("250 ") => taken += 1,
                Some("452 " | "550 ") => {}
                _ => break reply,
            }
        };
        assert!(last.starts_with("421 ") || last.is_empty(), "{last}");
        assert!(taken <= 100, "{taken}");
        assert_eq!(smtp.reply(), "");
        drop(smtp);
        let _ = writing.join().expect("a thread");
    }
}

fn half_open_connections(victim: &Victim) {
    let mut open: Vec<Smtp> = (0..300).map(|_| victim.connect()).collect();
    let mut begun: Vec<Smtp> = (0..20).map(|_| victim.begin()).collect();
    for smtp in &mut begun {
        assert!(smtp.ask("DATA").starts_with("354 "));
        smtp.send(victim.world.mail("REMIT 500 XAH"));
    }
    victim.takes_a_good_mail();
    // Half of a close: the other direction stays open.
    for smtp in begun.iter().chain(&open[..100]) {
        smtp.out.shutdown(Shutdown::Write).expect("shut down");
    }
    // Mail without its end is not taken.
    for smtp in &mut begun {
        assert_eq!(smtp.reply(), "");
    }
    assert_eq!(open[0].reply(), "");
    assert!(open[299].ask("NOOP").starts_with("250 "));
}

fn one_byte_at_a_time(victim: &Victim) {
    let mail = victim.good_mail();
    let dialogue = format!(
        "EHLO slow.example\r\nMAIL FROM:<alice@mail.example>\r\nRCPT TO:<{RELAY}>\r\nDATA\r\n{mail}.\r\nQUIT\r\n"
    );
    let mut smtp = victim.connect();
    smtp.out.set_nodelay(true).expect("set");
    for byte in dialogue.as_bytes() {
        smtp.send([*byte]);
    }
    let replies: Vec<String> = (0..6).map(|_| smtp.reply()).collect();
    let codes: Vec<&str> = replies.iter().filter_map(|reply| reply.get(..4)).collect();
    assert_eq!(
        codes,
        ["250 ", "250 ", "250 ", "354 ", "250 ", "221 "],
        "{replies:?}"
    );
    assert!(replies[4].contains("Taken as"), "{replies:?}");
}

fn no_tls_after_starttls(victim: &Victim) {
    for garbage in [
        b"EHLO again.example\r\n".to_vec(),
        vec![0; 70_000],
        vec![0xff; 70_000],
        // A record of handshake that says 65,535 bytes, and one with a length of none.
        [&[0x16, 3, 1, 0xff, 0xff][..], &[1; 70_000]].concat(),
        vec![0x16, 3, 1, 0, 0],
    ] {
        let mut smtp = victim.connect();
        assert!(smtp.ask("EHLO client.example").starts_with("250 "));
        assert!(smtp.ask("STARTTLS").starts_with("220 "));
        smtp.send(&garbage);
        let _ = smtp.out.shutdown(Shutdown::Write);
        // An alert of TLS (RFC 8446 section 5.1), or nothing.
        let reply = smtp.reply();
        assert!(reply.is_empty() || reply.starts_with('\u{15}'), "{reply:?}");
        assert_eq!(smtp.reply(), "");
    }
}

/// RFC 3207 section 4.2: nothing that came before the handshake counts after it, or at all.
fn pipelining_across_starttls(victim: &Victim) {
    let mut smtp = victim.connect();
    assert!(smtp.ask("EHLO client.example").starts_with("250 "));
    smtp.send(format!(
        "STARTTLS\r\nMAIL FROM:<alice@mail.example>\r\nRCPT TO:<{RELAY}>\r\nDATA\r\n"
    ));
    let reply = smtp.reply();
    assert!(reply.starts_with("220 ") || reply.is_empty(), "{reply}");
    assert_eq!(smtp.reply(), "");
}

fn chunks_that_lie(victim: &Victim) {
    // More than was told: what is over is no content, and no command either.
    let mut smtp = victim.begin();
    let mail = victim.world.mail("REMIT 501 XAH");
    smtp.send(format!("BDAT {} LAST\r\n{mail}", mail.len() - 30));
    assert!(smtp.reply().starts_with("550 "));
    assert_ends_or_refuses(&mut smtp);
    // More than any mail, and more than any number.
    for size in [
        "262145",
        "40000000",
        "4294967296",
        "18446744073709551615",
        "18446744073709551616",
        "-1",
    ] {
        let mut smtp = victim.begin();
        smtp.send(format!("BDAT {size} LAST\r\n"));
        smtp.send(vec![b'x'; 400_000]);
        let _ = smtp.out.shutdown(Shutdown::Write);
        assert_ends(&mut smtp);
    }
    // Without end.
    let mut smtp = victim.begin();
    loop {
        smtp.send("BDAT 100000\r\n");
        smtp.send(vec![b'x'; 100_000]);
        if !smtp.reply().starts_with("250 ") {
            break;
        }
    }
}

/// Each further reply is a refusal.
fn assert_ends_or_refuses(smtp: &mut Smtp) {
    smtp.send("QUIT\r\n");
    loop {
        let reply = smtp.reply();
        if reply.is_empty() || reply.starts_with("221 ") {
            return;
        }
        assert!(reply.starts_with('5') || reply.starts_with("421 "), "{reply}");
    }
}

fn nul_in_the_envelope(victim: &Victim) {
    let mut smtp = victim.connect();
    assert!(smtp.ask("EHLO client.example").starts_with("250 "));
    for line in [
        "MAIL FROM:<alice\0@mail.example>",
        "MAIL FROM:<\0>",
        "MAIL FROM:<alice@mail.example>\0",
        "\0",
        "EHLO \0",
    ] {
        let reply = smtp.ask(line);
        assert!(reply.starts_with("50"), "{}: {reply}", line.escape_debug());
    }
    assert!(smtp.ask("MAIL FROM:<alice@mail.example>").starts_with("250 "));
    let reply = smtp.ask(&format!("RCPT TO:<{RELAY}\0>"));
    assert!(reply.starts_with("50"), "{reply}");
    assert!(smtp.ask("DATA").starts_with("503 "));
}

#[test]
fn rejects_what_is_no_mail_and_takes_the_next_good_one() {
    let victim = Victim::start("");
    let attacks: [Attack; 8] = [
        ("long lines", long_lines),
        ("recipients without end", recipients_without_end),
        ("half-open connections", half_open_connections),
        ("one byte at a time", one_byte_at_a_time),
        ("no TLS after STARTTLS", no_tls_after_starttls),
        ("pipelining across STARTTLS", pipelining_across_starttls),
        ("chunks that lie", chunks_that_lie),
        ("NUL in the envelope", nul_in_the_envelope),
    ];
    for (name, attack) in attacks {
        attack(&victim);
        victim.takes_a_good_mail();
        println!("{name}: {} KiB", victim.resident_kib());
    }
    assert!(victim.resident_kib() < RESIDENT_KIB_MAX);
    assert!(victim.relay.stop(), "it ends well");
}

#[test]
fn rejects_silence_in_the_end() {
    let victim = Victim::start("idle_secs = 1\nsession_secs = 5\n");
    let mut silent = victim.connect();
    let mut half = victim.connect();
    half.send("EHLO client.exam");
    for smtp in [&mut silent, &mut half] {
        assert!(smtp.reply().starts_with("421 4.4.2 "));
        assert_eq!(smtp.reply(), "");
    }
    victim.takes_a_good_mail();
}

/// File descriptors that this process may open.
fn descriptors() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").expect("limits");
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next());
    soft.and_then(|soft| soft.parse().ok()).unwrap_or(usize::MAX)
}

#[tokio::test]
async fn connections_beyond_the_limit_are_turned_away_or_end_idle_ones() {
    // A client takes two.
    let room = descriptors().saturating_sub(200) / 2;
    let most = 1_024.min(room / 2);
    let batch = CONNECTIONS_BEYOND.min(room - most);
    if most < 1_024 || batch < CONNECTIONS_BEYOND {
        // Not eprintln, whose words are not shown where a test passes.
        let _ = writeln!(
            std::io::stderr(),
            "\nNOTICE: {} open files are allowed (ulimit -n): a limit of {most} connections is tried in place of \
             1024, with {batch} beyond it at one time in place of {CONNECTIONS_BEYOND}\n",
            descriptors()
        );
    }
    let victim = Victim::start(&format!("connections = {most}\n"));
    let open: Vec<Smtp> = (0..most).map(|_| victim.connect()).collect();
    let mut beyond = 0;
    while beyond < CONNECTIONS_BEYOND {
        let mut beyond_them: Vec<Smtp> = (0..batch)
            .map(|_| Smtp::connect_only(&victim.relay.smtp))
            .collect();
        for smtp in &mut beyond_them {
            let reply = smtp.reply();
            assert!(
                reply.starts_with("421 4.7.0 ") || reply.starts_with("220 "),
                "{reply}"
            );
        }
        beyond += batch;
    }
    println!("{most} connections: {} KiB", victim.resident_kib());
    drop(open);
    let smtp = wait_for("room", async || {
        let mut smtp = Smtp::connect_only(&victim.relay.smtp);
        smtp.reply().starts_with("220 ").then_some(smtp)
    })
    .await;
    let reply = smtp.hand_in(&victim.good_mail());
    assert!(reply.starts_with("250 2.0.0 Taken as "), "{reply}");
    assert!(victim.resident_kib() < RESIDENT_KIB_MAX);
    assert!(victim.relay.stop(), "it ends well");
}
