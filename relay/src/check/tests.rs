//! `relay check` against a name server, a mail server and a node of this test's own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::str::FromStr;
use std::sync::{Arc, Mutex};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::{A, MX, PTR, TXT};
use hickory_proto::rr::{Name, RData, Record};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, UdpSocket};

use super::*;
use crate::config::file;

/// Answers look-ups from a table; NXDOMAIN for all else.
pub(crate) async fn name_server(records: Vec<(&str, RData)>) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("port");
    let address = socket.local_addr().expect("address");
    let mut table: BTreeMap<String, Vec<RData>> = BTreeMap::new();
    for (name, data) in records {
        table.entry(format!("{name}.")).or_default().push(data);
    }
    tokio::spawn(async move {
        let mut buffer = [0; 1_500];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
            let query = Message::from_vec(&buffer[..length]).expect("query");
            let question = query.queries[0].clone();
            let mut reply = Message::response(query.metadata.id, query.metadata.op_code);
            reply.add_query(question.clone());
            match table.get(&question.name().to_ascii().to_lowercase()) {
                None => reply.metadata.response_code = ResponseCode::NXDomain,
                Some(all) => {
                    for data in all
                        .iter()
                        .filter(|data| data.record_type() == question.query_type())
                    {
                        reply.add_answer(Record::from_rdata(question.name().clone(), 60, data.clone()));
                    }
                }
            }
            let bytes = reply.to_vec().expect("reply");
            socket.send_to(&bytes, peer).await.expect("sent");
        }
    });
    address
}

fn name(text: &str) -> Name {
    Name::from_str(text).expect("name")
}

fn text(text: &str) -> RData {
    RData::TXT(TXT::from_bytes(text.as_bytes().chunks(255).collect()))
}

/// A mail server that greets.
async fn mail_server(greeting: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let port = listener.local_addr().expect("address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(greeting.as_bytes()).await.expect("greeted");
        }
    });
    port
}

struct Setting {
    folder: tempfile::TempDir,
    config: Config,
    dkim: String,
}

/// A configuration whose files are there, and which names `dns`.
fn setting(dns: SocketAddr, smarthost: u16) -> Setting {
    let folder = tempfile::tempdir().expect("folder");
    let key = crate::config::dkim_key::make().expect("key");
    let path = folder.path().join("dkim.pem");
    std::fs::write(&path, key.pem).expect("write");
    let text = format!(
        "addresses = [\"relay@example.org\"]\nhostname = \"mail.example.org\"\ndata = {:?}\n\
         nodes = [\"ws://127.0.0.1:1\"]\n[smtp]\nlisten = [\"127.0.0.1:0\"]\n[dns]\nserver = \"{dns}\"\n\
         [queue]\nfree_mib_min = 0\n\
         [answers]\nhost = \"127.0.0.1\"\nport = {smarthost}\nfrom = \"relay@example.org\"\ndkim_selector = \"relay\"\n\
         dkim_key = {path:?}\n",
        folder.path()
    );
    let config = file::parse(&text, Path::new("relay.toml")).expect("configuration");
    Setting {
        folder,
        config,
        dkim: key.record,
    }
}

/// Verdicts by what they are about.
fn verdicts(findings: &[Finding]) -> BTreeMap<&str, Verdict> {
    findings
        .iter()
        .map(|finding| (finding.about.as_str(), finding.verdict))
        .collect()
}

#[tokio::test]
async fn accepts_records_that_are_published() {
    let port = mail_server("220 mail.example.org ESMTP\r\n").await;
    let somewhere = "127.0.0.1:1".parse().expect("address");
    let mut setting = setting(somewhere, port);
    let dns = name_server(vec![
        ("example.org", RData::MX(MX::new(10, name("Mail.example.org.")))),
        ("example.org", text("google-site-verification=1")),
        ("example.org", text("v=spf1 mx -all")),
        ("mail.example.org", RData::A(A::new(127, 0, 0, 1))),
        (
            "1.0.0.127.in-addr.arpa",
            RData::PTR(PTR(name("mail.example.org."))),
        ),
        ("relay._domainkey.example.org", text(&setting.dkim)),
        ("_dmarc.example.org", text("v=DMARC1; p=reject")),
        ("_mta-sts.example.org", text("v=STSv1; id=1")),
        (
            "_smtp._tls.example.org",
            text("v=TLSRPTv1; rua=mailto:a@example.net"),
        ),
    ])
    .await;
    setting.config.dns.server = dns.to_string();
    let findings = run(&setting.config, 1_800_000_000, Options { smtp_port: port }).await;
    let found = verdicts(&findings);
    let mail_port = format!("mail port 127.0.0.1:{port}");
    for about in [
        "data folder",
        "disk",
        "MX of example.org",
        "MTA-STS of _mta-sts.example.org",
        "TLS-RPT of _smtp._tls.example.org",
        "address of mail.example.org",
        "SPF of example.org",
        "DKIM of relay._domainkey.example.org",
        "DMARC of _dmarc.example.org",
        &mail_port,
    ] {
        assert_eq!(found.get(about), Some(&Verdict::Ok), "{about}: {findings:#?}");
    }
    assert_eq!(found.get("node ws://127.0.0.1:1"), Some(&Verdict::Fail));
    assert_eq!(found.get("certificate"), Some(&Verdict::Warn));
    let left = std::fs::read_dir(setting.folder.path()).expect("folder").count();
    assert_eq!(left, 1, "the check leaves nothing behind");
}

#[tokio::test]
async fn rejects_records_that_are_missing_or_wrong_each_with_its_remedy() {
    let port = mail_server("554 no\r\n").await;
    let dns = name_server(vec![
        ("example.org", RData::MX(MX::new(10, name("mx.example.net.")))),
        ("mail.example.org", RData::A(A::new(127, 0, 0, 1))),
        ("relay._domainkey.example.org", text("v=DKIM1; p=AAAA")),
        ("_dmarc.example.org", text("v=DMARC1; p=none")),
        ("_dmarc.example.org", text("v=DMARC1; p=reject")),
    ])
    .await;
    let setting = setting(dns, port);
    let findings = run(&setting.config, 1_800_000_000, Options { smtp_port: port }).await;
    let found = verdicts(&findings);
    let mail_port = format!("mail port 127.0.0.1:{port}");
    for (about, verdict) in [
        ("MX of example.org", Verdict::Fail),
        ("MTA-STS of _mta-sts.example.org", Verdict::Warn),
        ("SPF of example.org", Verdict::Warn),
        ("DKIM of relay._domainkey.example.org", Verdict::Fail),
        ("DMARC of _dmarc.example.org", Verdict::Warn),
        (mail_port.as_str(), Verdict::Fail),
    ] {
        assert_eq!(found.get(about), Some(&verdict), "{about}: {findings:#?}");
    }
    for finding in &findings {
        assert_eq!(finding.verdict == Verdict::Ok, finding.fix.is_none(), "{finding}");
    }
    assert_eq!(worst(&findings), Verdict::Fail);
}

#[tokio::test]
async fn accepts_reverse_names_that_lead_back_and_rejects_others() {
    let dns = name_server(vec![
        ("mail.example.org", RData::A(A::new(192, 0, 2, 7))),
        ("mail.example.org", RData::A(A::new(192, 0, 2, 8))),
        ("mail.example.org", RData::A(A::new(192, 0, 2, 9))),
        (
            "7.2.0.192.in-addr.arpa",
            RData::PTR(PTR(name("Mail.Example.org."))),
        ),
        (
            "8.2.0.192.in-addr.arpa",
            RData::PTR(PTR(name("host-8.example.net."))),
        ),
    ])
    .await;
    let setting = setting(dns, 1);
    let names = dns::Resolver::at(dns, Duration::from_secs(CHECK_SECS_MAX)).expect("resolver");
    let findings = published::records(&setting.config, &names, 0)
        .await
        .expect("answers");
    let found = verdicts(&findings);
    assert_eq!(found.get("reverse name of 192.0.2.7"), Some(&Verdict::Ok));
    assert_eq!(found.get("reverse name of 192.0.2.8"), Some(&Verdict::Warn));
    assert_eq!(found.get("reverse name of 192.0.2.9"), Some(&Verdict::Warn));
}

#[tokio::test]
async fn rejects_a_data_folder_that_is_not_there() {
    let mut setting = setting("127.0.0.1:1".parse().expect("address"), 1);
    setting.config.dns.server = "off".to_owned();
    setting.config.data = setting.folder.path().join("absent");
    let findings = run(&setting.config, 0, Options::default()).await;
    assert_eq!(verdicts(&findings).get("data folder"), Some(&Verdict::Fail));
    assert_eq!(verdicts(&findings).get("DNS"), Some(&Verdict::Warn));
}

/// A smarthost on this machine that says `refused` to commands that begin so, and yes to all others. Gives its
/// port, and what it heard.
async fn smarthost(refused: &'static [(&'static str, &'static str)]) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let port = listener.local_addr().expect("address").port();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut lines = BufReader::new(stream);
            lines.get_mut().write_all(b"220 host\r\n").await.expect("said");
            let mut line = String::new();
            while lines.read_line(&mut line).await.expect("a line") > 0 {
                let usual = match line.get(..4) {
                    Some("EHLO") => "250-host\r\n250 AUTH PLAIN",
                    Some("AUTH") => "235 welcome",
                    _ => "250 yes",
                };
                let no = refused.iter().find(|(begin, _)| line.starts_with(begin));
                let reply = no.map_or(usual, |(_, reply)| *reply);
                kept.lock()
                    .expect("not poisoned")
                    .push(line.trim_end().to_owned());
                lines
                    .get_mut()
                    .write_all(format!("{reply}\r\n").as_bytes())
                    .await
                    .expect("said");
                line.clear();
            }
        }
    });
    (port, heard)
}

/// What is found of a smarthost with a log-in.
async fn found_of(refused: &'static [(&'static str, &'static str)]) -> (Vec<Finding>, Vec<String>) {
    let (port, heard) = smarthost(refused).await;
    let mut setting = setting("127.0.0.1:1".parse().expect("address"), port);
    let password = setting.folder.path().join("password");
    std::fs::write(&password, "secret\nnote\n").expect("written");
    let answers = setting.config.answers.as_mut().expect("answers");
    answers.protection = crate::config::Protection::None;
    (answers.user, answers.password_file) = (Some("relay".to_owned()), Some(password));
    let findings = answers::way(&setting.config, 1_800_000_000).await;
    let heard = heard.lock().expect("not poisoned").clone();
    (findings, heard)
}

#[tokio::test]
async fn the_log_in_and_the_envelope_of_answers_are_tried_and_no_mail_is_sent() {
    let (findings, heard) = found_of(&[]).await;
    assert_eq!(worst(&findings), Verdict::Ok, "{findings:#?}");
    let envelope = ["MAIL FROM:<>", "RCPT TO:<relay@example.org>"];
    assert!(
        envelope.iter().all(|line| heard.iter().any(|said| said == line)),
        "{heard:?}"
    );
    // RFC 4616: base64 of NUL relay NUL secret.
    assert!(
        heard.contains(&"AUTH PLAIN AHJlbGF5AHNlY3JldA==".to_owned()),
        "{heard:?}"
    );
    assert!(!heard.iter().any(|line| line == "DATA"), "{heard:?}");
}

#[tokio::test]
async fn rejects_a_smarthost_that_answers_cannot_use_and_names_the_setting() {
    for (refused, word, fix) in [
        (
            &[("AUTH", "535 5.7.8 wrong")],
            "535 5.7.8 wrong",
            "answers.password_file",
        ),
        (
            &[("MAIL FROM:<>", "550 5.7.1 no null sender")],
            "550 5.7.1",
            "answers.envelope_from",
        ),
        (&[("EHLO", "554 no")], "554 no", "answers.host"),
    ] {
        let (findings, _) = found_of(refused).await;
        let failed = findings
            .iter()
            .find(|finding| finding.verdict == Verdict::Fail)
            .expect("a failure");
        assert!(failed.seen.contains(word), "{failed}");
        assert!(
            failed.fix.as_ref().is_some_and(|told| told.contains(fix)),
            "{failed}"
        );
    }
}

/// Nobody answers at the name server's port.
#[tokio::test]
async fn dns_that_does_not_answer_is_told_with_what_to_publish() {
    let setting = setting("127.0.0.1:1".parse().expect("address"), 1);
    let names = dns::Resolver::at("127.0.0.1:1".parse().expect("address"), Duration::from_secs(1));
    let found = published::records(&setting.config, &names.expect("resolver"), 7).await;
    let findings = found.expect_err("no answers");
    assert_eq!(findings[0].about, "DNS");
    assert_eq!(findings[0].verdict, Verdict::Fail);
    let dkim = format!(
        "relay._domainkey.example.org. IN TXT {}",
        crate::config::records::quoted(&setting.dkim)
    );
    for record in [
        "example.org. IN MX 10 mail.example.org.",
        "example.org. IN TXT \"v=spf1 mx -all\"",
        "_dmarc.example.org. IN TXT \"v=DMARC1; p=reject\"",
        &dkim,
    ] {
        let told = Some(format!("Publish: {record}"));
        assert!(
            findings.iter().any(|finding| finding.fix == told),
            "{record}: {findings:#?}"
        );
    }
}

#[test]
fn a_finding_is_one_line_and_its_remedy_another() {
    let finding = Finding::fail("mail port", "it says \u{1b}[31m", "Start it");
    assert_eq!(
        finding.to_string(),
        "FAIL  mail port: it says \\u{1b}[31m\n      -> Start it"
    );
    assert_eq!(Finding::ok("disk", "well").to_string(), "ok    disk: well");
}

/// A certificate of openssl: CN and SAN mail.example.org, valid 2026-01-01 to 2027-01-01.
const CERTIFICATE: &str = include_str!("testdata/certificate.pem");
const KEY: &str = include_str!("testdata/key.pem");
/// 2026-06-01 UTC.
const MIDDLE: u64 = 1_780_272_000;

#[test]
fn certificates_are_judged_by_key_name_and_dates() {
    let mut setting = setting("127.0.0.1:1".parse().expect("address"), 1);
    let folder = setting.folder.path().to_owned();
    std::fs::write(folder.join("c.pem"), CERTIFICATE).expect("write");
    std::fs::write(folder.join("k.pem"), KEY).expect("write");
    let tls = |key: &str| {
        Some(crate::config::Tls {
            certificate: folder.join("c.pem"),
            key: folder.join(key),
        })
    };
    let judged = |config: &Config, now: u64| -> Vec<Verdict> {
        let findings = machine::certificate(config, now);
        findings.iter().map(|finding| finding.verdict).collect()
    };
    setting.config.tls = tls("k.pem");
    let (ok, warn, fail) = (Verdict::Ok, Verdict::Warn, Verdict::Fail);
    assert_eq!(judged(&setting.config, MIDDLE), [ok, ok, ok]);
    // 2026-12-25, 2027-06-01, 2025-06-01 UTC.
    assert_eq!(judged(&setting.config, 1_798_156_800), [ok, ok, warn]);
    assert_eq!(judged(&setting.config, 1_811_808_000), [ok, ok, fail]);
    assert_eq!(judged(&setting.config, 1_748_736_000), [ok, ok, fail]);
    setting.config.hostname = "other.example.org".to_owned();
    setting.config.tls = tls("dkim.pem");
    assert_eq!(judged(&setting.config, MIDDLE), [fail, warn, ok]);
    setting.config.tls = tls("absent");
    assert_eq!(judged(&setting.config, MIDDLE), [fail, warn, ok]);
}

#[tokio::test]
async fn rejects_a_node_whose_certificate_nobody_vouches_for() {
    use rustls_pki_types::pem::PemObject;
    use rustls_pki_types::{CertificateDer, PrivateKeyDer};
    let chain = vec![CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).expect("certificate")];
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).expect("key");
    let server = tokio_rustls::rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("server");
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(server));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let address = listener.local_addr().expect("address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = acceptor.accept(stream).await;
        }
    });
    let mut setting = setting("127.0.0.1:1".parse().expect("address"), 1);
    setting.config.nodes = vec![format!("wss://{address}")];
    let findings = reach::nodes(&setting.config, MIDDLE).await;
    assert_eq!(worst(&findings), Verdict::Fail);
    let seen = &findings[0].seen;
    assert!(seen.contains("certificate"), "{seen}");
}
