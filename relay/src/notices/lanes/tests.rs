//! Delivery to receivers' mail servers, with a name server, mail servers and a policy server of this test's own.
//! The receiver of all answers is alice@example.com.

use std::str::FromStr;

use hickory_proto::rr::rdata::{A, MX, TXT};
use hickory_proto::rr::{Name, RData};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::check::tests::name_server;
use crate::config::Protection;
use crate::notices::outgoing::Way;
use crate::notices::sender::Pass;
use crate::notices::sender::tests::{
    Bench, Deed, Host, PATIENCE, START, acceptor, bench_of, config, tls_file, with_answers,
};
use crate::queue::NoticeState;

fn mx(preference: u16, name: &str) -> RData {
    RData::MX(MX::new(preference, Name::from_str(name).expect("a name")))
}

fn ip(last: u8) -> RData {
    RData::A(A::new(127, 0, 0, last))
}

fn text(text: &str) -> RData {
    RData::TXT(TXT::from_bytes(vec![text.as_bytes()]))
}

/// A sender that asks this DNS, and finds mail servers and policies at these ports.
async fn bench(records: Vec<(&'static str, RData)>, mail_port: u16, https_port: u16) -> Bench {
    let mut answers = config(mail_port, Protection::Tls);
    answers.host = None;
    answers.authorities = Some(tls_file("example-authority.pem"));
    let mut whole = with_answers(&answers);
    whole.dns.server = name_server(records).await.to_string();
    let way = Way::with_https_port(&whole, Arc::new(|| START), https_port);
    let way = way
        .expect("a way")
        .expect("a way")
        .with_patience(PATIENCE, PATIENCE);
    bench_of(&answers, 20, way)
}

/// Sends one answer; how it stands.
async fn sent(bench: &mut Bench) -> (NoticeState, String) {
    let id = bench.notice(1).await;
    assert_eq!(bench.pass().await, Pass::Worked);
    bench.sender.settle().await;
    bench.state(id)
}

#[tokio::test]
async fn mail_goes_to_the_preferred_server_that_answers() {
    let host = Host::start_at("127.0.0.3:0", Protection::None, "localhost").await;
    let records = vec![
        ("example.com", mx(20, "b.mx.test.")),
        ("example.com", mx(10, "a.mx.test.")),
        ("example.com", mx(15, "none.mx.test.")),
        // Nobody listens there.
        ("a.mx.test", ip(2)),
        ("b.mx.test", ip(3)),
    ];
    let mut bench = bench(records, host.port, 1).await;
    assert_eq!(sent(&mut bench).await.0, NoticeState::Sent);
    let commands = host.seen().commands.clone();
    assert!(commands.contains(&"MAIL FROM:<>".to_owned()), "{commands:?}");
}

// RFC 5321 section 5.1.
#[tokio::test]
async fn a_domain_without_mx_is_its_own_server() {
    let host = Host::start_at("127.0.0.3:0", Protection::None, "localhost").await;
    let mut bench = bench(vec![("example.com", ip(3))], host.port, 1).await;
    assert_eq!(sent(&mut bench).await.0, NoticeState::Sent);
}

#[tokio::test]
async fn rejects_domains_that_take_no_mail_for_good() {
    for (records, why) in [
        // RFC 7505.
        (
            vec![("example.com", mx(0, ".")), ("example.com", ip(3))],
            "takes no mail",
        ),
        (vec![("example.com", text("v=spf1 -all"))], "no mail server"),
        (Vec::new(), "no mail server"),
        // Us, and whom we are preferred to. RFC 5321 section 5.1.
        (
            vec![
                ("example.com", mx(10, "MX.example.org.")),
                ("example.com", mx(20, "b.mx.test.")),
            ],
            "this relay",
        ),
    ] {
        let mut bench = bench(records, 1, 1).await;
        let (state, word) = sent(&mut bench).await;
        assert_eq!(state, NoticeState::Withheld, "{word}");
        assert!(word.contains(why), "{word}");
    }
}

#[tokio::test]
async fn rejects_a_server_that_has_our_name() {
    let host = Host::start_at("127.0.0.3:0", Protection::None, "localhost").await;
    host.script(&[("EHLO", Deed::Say("250 mx.example.org"))]);
    let mut bench = bench(vec![("example.com", ip(3))], host.port, 1).await;
    let (state, word) = sent(&mut bench).await;
    assert_eq!(state, NoticeState::Withheld, "{word}");
    assert_eq!(host.mails(), 0);
}

#[tokio::test]
async fn what_may_pass_leaves_the_answer_waiting() {
    let host = Host::start_at("127.0.0.3:0", Protection::None, "localhost").await;
    let mut bench = bench(vec![("example.com", ip(3))], host.port, 1).await;
    host.script(&[("GREETING", Deed::Say("421 later"))]);
    let id = bench.notice(1).await;
    assert_eq!(bench.pass().await, Pass::Worked);
    bench.sender.settle().await;
    let (state, word) = bench.state(id);
    assert_eq!(state, NoticeState::Waiting);
    assert!(word.contains("421"), "{word}");
    assert_eq!(bench.pass().await, Pass::Idle, "not before its time");
    host.script(&[]);
    bench.later(60);
    assert_eq!(bench.pass().await, Pass::Worked);
    bench.sender.settle().await;
    assert_eq!(bench.state(id).0, NoticeState::Sent);
}

// RFC 7435: encryption where it can be had, whoever may be there.
#[tokio::test]
async fn tls_is_used_where_it_works_with_any_certificate() {
    let host = Host::start_at("127.0.0.3:0", Protection::Starttls, "localhost").await;
    let mut with = bench(vec![("example.com", ip(3))], host.port, 1).await;
    assert_eq!(sent(&mut with).await.0, NoticeState::Sent);
    assert!(host.seen().with_tls);
    // It offers STARTTLS, and hangs up when it is taken at its word.
    let host = Host::start_at("127.0.0.3:0", Protection::None, "localhost").await;
    let mut without = bench(vec![("example.com", ip(3))], host.port, 1).await;
    assert_eq!(sent(&mut without).await.0, NoticeState::Sent);
    assert!(!host.seen().with_tls);
}

/// Serves a policy of this mode for mx.example.com.
async fn policy_server(mode: &str) -> u16 {
    let policy = format!("version: STSv1\r\nmode: {mode}\r\nmx: mx.example.com\r\nmax_age: 86400\r\n");
    let listener = TcpListener::bind("127.0.0.4:0").await.expect("port");
    let port = listener.local_addr().expect("address").port();
    let acceptor = acceptor("example");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = acceptor.accept(stream).await.expect("TLS");
            let mut asked = vec![0; 4_096];
            let length = stream.read(&mut asked).await.expect("a request");
            let asked = String::from_utf8_lossy(&asked[..length]).into_owned();
            assert!(
                asked.starts_with("GET /.well-known/mta-sts.txt HTTP/1.1\r\n"),
                "{asked}"
            );
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n",
                policy.len()
            );
            let reply = format!("{head}{policy}");
            stream.write_all(reply.as_bytes()).await.expect("sent");
            stream.flush().await.expect("sent");
        }
    });
    port
}

fn policy_records(server: &'static str) -> Vec<(&'static str, RData)> {
    vec![
        ("example.com", mx(10, &format!("{server}."))),
        (server, ip(3)),
        ("_mta-sts.example.com", text("v=STSv1; id=1")),
        ("mta-sts.example.com", ip(4)),
    ]
}

// RFC 8461 sections 4 and 5.
#[tokio::test]
async fn accepts_the_server_that_a_policy_names_with_its_certificate() {
    let host = Host::start_at("127.0.0.3:0", Protection::Starttls, "example").await;
    let https = policy_server("enforce").await;
    let mut bench = bench(policy_records("mx.example.com"), host.port, https).await;
    assert_eq!(sent(&mut bench).await, (NoticeState::Sent, String::new()));
    assert!(host.seen().with_tls);
}

#[tokio::test]
async fn rejects_servers_that_an_enforced_policy_forbids() {
    for (protection, certificate, server, why) in [
        (Protection::Starttls, "localhost", "mx.example.com", "TLS"),
        (Protection::Starttls, "example", "other.example.com", "MTA-STS"),
        (Protection::None, "example", "mx.example.com", "STARTTLS"),
    ] {
        let host = Host::start_at("127.0.0.3:0", protection, certificate).await;
        if protection == Protection::None {
            host.script(&[("EHLO", Deed::Say("250 host"))]);
        }
        let https = policy_server("enforce").await;
        let mut bench = bench(policy_records(server), host.port, https).await;
        let (state, word) = sent(&mut bench).await;
        assert_eq!((state, host.mails()), (NoticeState::Waiting, 0), "{word}");
        assert!(word.contains(why), "{word}");
    }
}

#[tokio::test]
async fn a_policy_that_is_tested_or_away_forbids_nothing() {
    for https in [policy_server("testing").await, 1] {
        let host = Host::start_at("127.0.0.3:0", Protection::Starttls, "localhost").await;
        let mut bench = bench(policy_records("other.example.com"), host.port, https).await;
        assert_eq!(sent(&mut bench).await.0, NoticeState::Sent);
    }
}

/// A domain whose server says nothing does not hold up another one's answers.
#[tokio::test]
async fn a_silent_server_holds_up_its_own_domain_alone() {
    let silent = Host::start_at("127.0.0.3:0", Protection::None, "localhost").await;
    silent.script(&[("GREETING", Deed::Hang)]);
    let records = vec![("example.com", ip(3)), ("example.net", ip(5))];
    let host = Host::start_at(
        &format!("127.0.0.5:{}", silent.port),
        Protection::None,
        "localhost",
    )
    .await;
    let mut bench = bench(records, silent.port, 1).await;
    bench.notice(1).await;
    assert_eq!(bench.pass().await, Pass::Worked);
    let other = bench.notice(2).await;
    let mut notice = bench.queue.notices_about(other).remove(0);
    notice.to = "bob@example.net".to_owned();
    bench.queue.set_notice(notice).await.expect("kept");
    assert_eq!(bench.pass().await, Pass::Worked);
    while bench.state(other).0 != NoticeState::Sent {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!((host.mails(), silent.mails()), (1, 0));
}
