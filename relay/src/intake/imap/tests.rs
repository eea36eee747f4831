//! The mailbox reader against a server of a few lines; Dovecot stands in tests/it/interop.rs.

use std::collections::BTreeMap;
use std::sync::Mutex;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex};
use tokio::sync::watch;
use tokio::time::timeout;

use super::session::Welcome;
use super::*;
use crate::intake::bare::tests::FakeHandler;

/// How the server behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Good,
    /// Answers IDLE with NO.
    NoIdle,
    /// Answers FETCH of this UID with NO.
    No(u32),
    /// Ends the connection on FETCH of this UID.
    HangUp(u32),
    /// Says that the mail of this UID is small, and sends a large one.
    Liar(u32),
    /// Ends listings early, with NO.
    HalfList,
    /// Cannot read the mail of this UID: leaves it out of listings, which end in NO then.
    Unreadable(u32),
    /// Gives an empty body at the first FETCH of each mail.
    EmptyFirst,
    /// Gives no body at the first FETCH of each mail.
    NoBodyFirst,
    /// Says BAD to any range over an empty mailbox.
    BadWhenEmpty,
    /// Accepts IDLE and tells nothing.
    Silent,
}

struct Server {
    manner: Manner,
    validity: u32,
    mails: watch::Sender<BTreeMap<u32, String>>,
    /// Commands, without tags.
    heard: Mutex<Vec<String>>,
}

impl Server {
    fn new(manner: Manner, mails: &[(u32, &str)]) -> Arc<Server> {
        let mails = mails.iter().map(|(uid, text)| (*uid, (*text).to_owned()));
        Arc::new(Server {
            manner,
            validity: 7,
            mails: watch::Sender::new(mails.collect()),
            heard: Mutex::default(),
        })
    }

    fn deliver(&self, uid: u32, text: &str) {
        self.mails.send_modify(|mails| {
            mails.insert(uid, text.to_owned());
        });
    }

    fn heard(&self, start: &str) -> usize {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|line| line.starts_with(start)).count()
    }

    fn rows(&self, first: u32) -> String {
        let mut rows = String::new();
        let mails = self.mails.borrow().clone();
        let last = mails.keys().next_back().copied();
        for (at, (uid, text)) in mails.iter().enumerate() {
            if self.manner == Manner::Unreadable(*uid) {
                continue;
            }
            // The last message is named even where it is before `first`.
            if *uid >= first || Some(*uid) == last {
                rows += &format!("* {} FETCH (UID {uid} RFC822.SIZE {})\r\n", at + 1, text.len());
            }
        }
        rows
    }

    /// Speaks until the client hangs up.
    async fn serve(self: Arc<Server>, stream: DuplexStream) {
        let (read, mut write) = tokio::io::split(stream);
        let mut lines = BufReader::new(read).lines();
        let mut mails = self.mails.subscribe();
        while let Ok(Some(line)) = lines.next_line().await {
            let (tag, command) = line.split_once(' ').unwrap_or((&line, ""));
            self.heard.lock().unwrap().push(command.to_owned());
            mails.mark_unchanged();
            let reply = match command.split_once(' ').unwrap_or((command, "")) {
                ("EXAMINE", _) => format!(
                    "* {} EXISTS\r\n* OK [UIDVALIDITY {}] ok\r\n{tag} OK done\r\n",
                    self.mails.borrow().len(),
                    self.validity
                ),
                ("UID", fetch) => match self.fetch(tag, fetch) {
                    Some(reply) => reply,
                    None => return,
                },
                ("IDLE", _) if self.manner == Manner::NoIdle => format!("{tag} NO not here\r\n"),
                ("IDLE", _) => {
                    write.write_all(b"+ idling\r\n").await.unwrap();
                    tokio::select! {
                        _ = mails.changed(), if self.manner != Manner::Silent => {
                            write.write_all(b"* 9 EXISTS\r\n").await.unwrap();
                            assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("DONE"));
                        }
                        line = lines.next_line() => assert_eq!(line.unwrap_or_default().as_deref().unwrap_or("DONE"), "DONE"),
                    }
                    format!("{tag} OK done\r\n")
                }
                _ => format!("{tag} OK done\r\n"),
            };
            if write.write_all(reply.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    fn fetch(&self, tag: &str, fetch: &str) -> Option<String> {
        let range = fetch.split(' ').nth(1).unwrap();
        if let Some(first) = range.strip_suffix(":*") {
            let rows = self.rows(first.parse().unwrap());
            return Some(match self.manner {
                Manner::HalfList => format!("{tag} NO try later\r\n"),
                Manner::Unreadable(_) => format!("{rows}{tag} NO some could not be read\r\n"),
                Manner::BadWhenEmpty if self.mails.borrow().is_empty() => {
                    format!("{tag} BAD invalid message set\r\n")
                }
                _ => format!("{rows}{tag} OK done\r\n"),
            });
        }
        let uid: u32 = range.parse().unwrap();
        let mails = self.mails.borrow();
        let is_first = self.heard(&format!("UID FETCH {uid} ")) == 1;
        Some(match (self.manner, mails.get(&uid)) {
            (Manner::EmptyFirst, _) if is_first => {
                format!("* 1 FETCH (UID {uid} BODY[]<0> \"\")\r\n{tag} OK done\r\n")
            }
            (Manner::NoBodyFirst, _) if is_first => format!("* 1 FETCH (UID {uid})\r\n{tag} OK done\r\n"),
            (Manner::No(bad) | Manner::Unreadable(bad), _) if bad == uid => {
                format!("{tag} NO internal error\r\n")
            }
            (Manner::HangUp(bad), _) if bad == uid => return None,
            (Manner::Liar(bad), _) if bad == uid => {
                let bytes = MAIL_BYTES_MAX + 1;
                let large = "x".repeat(bytes);
                format!("* 1 FETCH (UID {uid} BODY[]<0> {{{bytes}}}\r\n{large})\r\n{tag} OK\r\n")
            }
            (_, Some(text)) => format!(
                "* 1 FETCH (FLAGS (\\Seen))\r\n* 1 FETCH (UID {uid} BODY[]<0> {{{}}}\r\n{text})\r\n{tag} OK done\r\n",
                text.len()
            ),
            (_, None) => format!("{tag} OK done\r\n"),
        })
    }
}

struct Place {
    handler: Arc<FakeHandler>,
    queue: Queue,
    reader: Reader,
}

impl Place {
    fn new() -> Place {
        let handler = Arc::new(FakeHandler::default());
        let queue = Queue::in_memory();
        let config =
            "host = \"mail.example.org\"\nuser = \"u\"\npassword_file = \"/dev/null\"\npoll_secs = 5";
        let config = toml::from_str(config).unwrap();
        Place {
            reader: Reader::new(config, handler.clone(), queue.clone()),
            handler,
            queue,
        }
    }

    fn mark(&self) -> Option<String> {
        self.queue.mark("imap:u@mail.example.org/INBOX").unwrap()
    }

    /// One connection, until it ends or the handler has been offered so many mails and the mark is that. Time
    /// is paused, so that waiting takes none.
    async fn connection(&mut self, server: &Arc<Server>, offered: usize, mark: &str) {
        let (client, far) = duplex(4096);
        let serving = tokio::spawn(server.clone().serve(far));
        let (handler, queue) = (self.handler.clone(), self.queue.clone());
        let reached = async {
            loop {
                let now = queue.mark("imap:u@mail.example.org/INBOX").unwrap();
                if handler.texts().len() == offered && now.as_deref() == Some(mark) {
                    return;
                }
                sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::select! {
            _ = self.reader.read(Session::new(client), Idle::Offered) => {}
            () = reached => {}
            () = sleep(Duration::from_secs(3_600)) => panic!("{:?} {:?}", self.handler.texts(), self.mark()),
        }
        serving.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn accepts_each_message_once() {
    let server = Server::new(Manner::Good, &[(3, "a\r\n"), (9, "b\r\n")]);
    let mut place = Place::new();
    place.connection(&server, 2, "7:9").await;
    assert_eq!(place.handler.texts(), ["a\r\n", "b\r\n"]);
    // Another start of the program: nothing is offered again, and what comes is.
    let mut next = Place::new();
    next.queue = place.queue.clone();
    next.reader.queue = place.queue.clone();
    server.deliver(10, "c\r\n");
    next.connection(&server, 1, "7:10").await;
    assert_eq!(next.handler.texts(), ["c\r\n"]);
    assert_eq!(server.heard("UID FETCH 3 "), 1);
    assert_eq!(server.heard("SELECT"), 0);
    assert_eq!(server.heard("UID STORE"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_comes_ends_idle() {
    let server = Server::new(Manner::Good, &[]);
    let mut place = Place::new();
    let later = server.clone();
    let delivering = tokio::spawn(async move {
        while later.heard("IDLE") == 0 {
            sleep(Duration::from_millis(10)).await;
        }
        later.deliver(1, "a\r\n");
    });
    let began = Instant::now();
    place.connection(&server, 1, "7:1").await;
    delivering.await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_idle_is_polled() {
    let server = Server::new(Manner::NoIdle, &[]);
    let mut place = Place::new();
    let later = server.clone();
    tokio::spawn(async move {
        while later.heard("NOOP") < 3 {
            sleep(Duration::from_millis(10)).await;
        }
        later.deliver(1, "a\r\n");
    });
    place.connection(&server, 1, "7:1").await;
    assert_eq!(server.heard("IDLE"), 1);
}

#[tokio::test(start_paused = true)]
async fn idle_is_issued_again_before_29_minutes() {
    let server = Server::new(Manner::Good, &[]);
    let mut place = Place::new();
    let (client, far) = duplex(4096);
    tokio::spawn(server.clone().serve(far));
    let reading = place.reader.read(Session::new(client), Idle::Offered);
    let ended = timeout(Duration::from_secs(29 * 60), reading).await;
    assert!(ended.is_err());
    assert!(server.heard("IDLE") >= 2);
}

#[tokio::test(start_paused = true)]
async fn rejects_are_settled_and_what_is_put_off_comes_again() {
    let server = Server::new(Manner::Good, &[(1, "NEVER\r\n"), (2, "LATER\r\n"), (3, "c\r\n")]);
    let mut place = Place::new();
    place.connection(&server, 3, "7:3:2").await;
    // Once a minute, not at each message that comes.
    place.connection(&server, 4, "7:3:2").await;
    server.deliver(4, "d\r\n");
    place.connection(&server, 5, "7:4:2").await;
    server.mails.send_modify(|mails| {
        mails.remove(&2);
    });
    place.connection(&server, 5, "7:4").await;
    let texts = place.handler.texts();
    assert_eq!(texts, ["NEVER\r\n", "LATER\r\n", "c\r\n", "LATER\r\n", "d\r\n"]);
}

// The attack: one sender over his limit, without end. Another's mail is taken all the same.
#[tokio::test(start_paused = true)]
async fn mail_over_its_senders_limit_holds_up_no_other() {
    let most = u32::try_from(IMAP_PUT_OFF_MAX).unwrap();
    let mut mails: Vec<(u32, &str)> = (1..=most + 5).map(|uid| (uid, "OVER LIMIT\r\n")).collect();
    mails.push((most + 6, "b\r\n"));
    let server = Server::new(Manner::Good, &mails);
    let mut place = Place::new();
    let put_off: Vec<String> = (1..=most).map(|uid| uid.to_string()).collect();
    let mark = format!("7:{}:{}", most + 6, put_off.join(","));
    place.connection(&server, mails.len(), &mark).await;
    // Where the relay itself cannot take mail, the mailbox waits.
    server.deliver(most + 7, "LATER\r\n");
    server.deliver(most + 8, "c\r\n");
    place.connection(&server, mails.len() + 1, &mark).await;
}

// Each may cost a look-up that takes its time.
#[tokio::test(start_paused = true)]
async fn few_are_offered_again_before_what_is_new_and_all_in_turn() {
    let most = u32::try_from(3 * OFFERED_AGAIN_MAX).unwrap();
    let mails: Vec<(u32, &str)> = (1..=most).map(|uid| (uid, "LATER\r\n")).collect();
    let server = Server::new(Manner::Good, &mails);
    let mut place = Place::new();
    let put_off: Vec<String> = (1..=most).map(|uid| uid.to_string()).collect();
    let mark = format!("7:{most}:{}", put_off.join(","));
    for turn in 3..=6 {
        place.connection(&server, turn * OFFERED_AGAIN_MAX, &mark).await;
    }
    for uid in [1, most / 2, most] {
        assert_eq!(server.heard(&format!("UID FETCH {uid} ")), 2, "{uid}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_changed_uidvalidity_starts_over() {
    let mut place = Place::new();
    let old = Server::new(Manner::Good, &[(5, "a\r\n")]);
    place.connection(&old, 1, "7:5").await;
    let mut new = Server::new(Manner::Good, &[(1, "a\r\n")]);
    Arc::get_mut(&mut new).unwrap().validity = 8;
    place.connection(&new, 2, "8:1").await;
}

#[tokio::test(start_paused = true)]
async fn a_message_that_the_server_refuses_holds_up_no_other() {
    let mut place = Place::new();
    let server = Server::new(Manner::No(1), &[(1, "a\r\n"), (2, "b\r\n")]);
    place.connection(&server, 1, "7:2:1").await;
    // The server is well again.
    let server = Server::new(Manner::Good, &[(1, "a\r\n"), (2, "b\r\n")]);
    place.connection(&server, 2, "7:2").await;
    assert_eq!(place.handler.texts(), ["b\r\n", "a\r\n"]);
}

#[tokio::test(start_paused = true)]
async fn a_message_over_which_connections_end_holds_up_no_other() {
    let mut place = Place::new();
    let server = Server::new(Manner::HangUp(1), &[(1, "a\r\n"), (2, "b\r\n")]);
    for _ in 0..IMAP_FAILURES_MAX {
        place.connection(&server, 1, "7:2:1").await;
        assert_eq!(place.mark(), None);
    }
    place.connection(&server, 1, "7:2:1").await;
    assert_eq!(place.handler.texts(), ["b\r\n"]);
    assert_eq!(server.heard("UID FETCH 1 "), 3);
}

#[tokio::test(start_paused = true)]
async fn rejects_what_is_too_large_by_its_size_and_by_its_bytes() {
    let mut place = Place::new();
    let large = "x".repeat(IMAP_SIZE_BYTES_MAX as usize + 1);
    let server = Server::new(Manner::Liar(2), &[(1, &large), (2, "b\r\n"), (3, "c\r\n")]);
    place.connection(&server, 1, "7:3").await;
    assert_eq!(place.handler.texts(), ["c\r\n"]);
    assert_eq!(server.heard("UID FETCH 1 "), 0);
}

// RFC 3501 section 6.4.5: NO is "can't fetch that data"; the rows before it are data.
#[tokio::test(start_paused = true)]
async fn a_listing_without_a_message_that_the_server_cannot_read_holds_up_no_other() {
    let mut place = Place::new();
    let mails = [(1, "a\r\n"), (2, "b\r\n"), (3, "c\r\n")];
    let server = Server::new(Manner::Unreadable(2), &mails);
    place.connection(&server, 2, "7:3:2").await;
    assert_eq!(place.handler.texts(), ["a\r\n", "c\r\n"]);
    // The server is well again.
    place
        .connection(&Server::new(Manner::Good, &mails), 3, "7:3")
        .await;
}

#[tokio::test(start_paused = true)]
async fn no_message_is_settled_unread() {
    for manner in [Manner::EmptyFirst, Manner::NoBodyFirst] {
        let mut place = Place::new();
        let server = Server::new(manner, &[(1, "a\r\n"), (2, "b\r\n")]);
        place.connection(&server, 2, "7:2").await;
        assert_eq!(place.handler.texts(), ["a\r\n", "b\r\n"]);
    }
}

#[tokio::test(start_paused = true)]
async fn accepts_a_server_that_calls_a_range_over_an_empty_mailbox_bad() {
    let mut place = Place::new();
    let server = Server::new(Manner::BadWhenEmpty, &[]);
    let later = server.clone();
    tokio::spawn(async move {
        while later.heard("IDLE") < 2 {
            sleep(Duration::from_millis(10)).await;
        }
        later.deliver(1, "a\r\n");
    });
    place.connection(&server, 1, "7:1").await;
    assert_eq!(server.heard("EXAMINE"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_whose_idle_says_nothing_is_polled() {
    let mut place = Place::new();
    let server = Server::new(Manner::Silent, &[]);
    let later = server.clone();
    tokio::spawn(async move {
        while later.heard("IDLE") == 0 {
            sleep(Duration::from_millis(10)).await;
        }
        later.deliver(1, "a\r\n");
    });
    let began = Instant::now();
    place.connection(&server, 1, "7:1").await;
    assert!(began.elapsed() <= Duration::from_secs(place.reader.config.poll_secs + 1));
}

// Five seconds each for keys that nobody answers for.
#[tokio::test(start_paused = true)]
async fn messages_are_judged_side_by_side() {
    let mut place = Place::new();
    let mails: Vec<(u32, &str)> = (1..=40)
        .map(|uid| (uid, if uid < 40 { "SLOW LATER\r\n" } else { "b\r\n" }))
        .collect();
    let server = Server::new(Manner::Good, &mails);
    let put_off: Vec<String> = (1..40).map(|uid: u32| uid.to_string()).collect();
    let began = Instant::now();
    place
        .connection(&server, 40, &format!("7:40:{}", put_off.join(",")))
        .await;
    assert!(began.elapsed() < Duration::from_secs(6));
}

// The attack: while one message is judged, the process is killed after the mark of a later one was kept.
#[tokio::test(start_paused = true)]
async fn a_message_that_was_not_judged_to_its_end_is_read_again() {
    let mut place = Place::new();
    let mails = [(1, "SLOW\r\n"), (2, "b\r\n")];
    let mut mark = Mark::start(7);
    let mut turn = Turn::default();
    mark.put_off(1);
    mark.put_off(2);
    place
        .reader
        .settle(&mut mark, &mut turn, &[(2, Verdict::Settled)])
        .await
        .unwrap();
    assert_eq!(place.mark().as_deref(), Some("7:2:1"));
    place
        .connection(&Server::new(Manner::Good, &mails), 1, "7:2")
        .await;
    assert_eq!(place.handler.texts(), ["SLOW\r\n"]);
}

#[tokio::test(start_paused = true)]
async fn accepts_a_mail_whose_lines_look_like_replies() {
    let text = "X-Spam-Flag: NO\r\nr5: BAD\r\nr3 NO gone\r\nX-Note: * BYE {12}\r\n* BYE\r\n)\r\n";
    let mut place = Place::new();
    let server = Server::new(Manner::Good, &[(1, text)]);
    place.connection(&server, 1, "7:1").await;
    assert_eq!(place.handler.texts(), [text]);
}

/// Logs in at a server that offers this, and gives what came of it and the commands that it heard.
async fn log_in(offers: &str, user: &str, password: &str) -> (Result<(), ImapError>, Vec<String>) {
    let (client, far) = duplex(4096);
    let offers = offers.to_owned();
    let serving = tokio::spawn(async move {
        let (read, mut write) = tokio::io::split(far);
        let (mut lines, mut heard) = (BufReader::new(read).lines(), Vec::new());
        while let Ok(Some(line)) = lines.next_line().await {
            let (tag, command) = line.split_once(' ').unwrap_or(("", &line));
            let reply = match command {
                "CAPABILITY" => format!("* CAPABILITY {offers}\r\n{tag} OK done\r\n"),
                "AUTHENTICATE PLAIN" => "+ \r\n".to_owned(),
                _ => format!("{} OK done\r\n", if tag.is_empty() { "r2" } else { tag }),
            };
            write.write_all(reply.as_bytes()).await.unwrap();
            heard.push(command.to_owned());
        }
        heard
    });
    let mut session = Session::new(client);
    let ended = session.log_in(user, password).await;
    drop(session);
    (ended, serving.await.unwrap())
}

// RFC 4616 section 4 has the form of the secret; RFC 4959 SASL-IR; RFC 3501 section 6.2.3 LOGINDISABLED.
#[tokio::test]
async fn accepts_the_log_in_that_the_server_offers() {
    let (ended, heard) = log_in("IMAP4rev1 IDLE", "u", "a \"b\" \\").await;
    assert!(ended.is_ok());
    assert_eq!(heard, ["CAPABILITY", "LOGIN \"u\" \"a \\\"b\\\" \\\\\""]);
    let (ended, heard) = log_in(
        "IMAP4rev1 LOGINDISABLED SASL-IR AUTH=PLAIN",
        "tim",
        "tanstaaftanstaaf",
    )
    .await;
    assert!(ended.is_ok());
    assert_eq!(
        heard,
        ["CAPABILITY", "AUTHENTICATE PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm"]
    );
    let (ended, heard) = log_in("IMAP4rev1 auth=plain", "tim", "p\u{e4}ss").await;
    assert!(ended.is_ok());
    assert_eq!(heard, ["CAPABILITY", "AUTHENTICATE PLAIN", "AHRpbQBww6Rzcw=="]);
}

#[tokio::test]
async fn rejects_a_log_in_that_cannot_be_and_says_why() {
    let (ended, heard) = log_in("IMAP4rev1 STARTTLS LOGINDISABLED", "u", "p").await;
    assert!(matches!(ended, Err(ImapError::NoLogIn)));
    assert_eq!(heard, ["CAPABILITY"]);
    let (ended, _) = log_in("IMAP4rev1", "u", "p\u{e4}ss").await;
    assert!(matches!(ended, Err(ImapError::BeyondAscii("password"))));
}

#[tokio::test]
async fn accepts_a_server_that_knows_its_client() {
    for (line, expected) in [
        ("* PREAUTH logged in as relay\r\n", Some(Welcome::Known)),
        ("* OK ready\r\n", Some(Welcome::Stranger)),
        ("* BYE too busy\r\n", None),
        ("220 mail.example.org ESMTP\r\n", None),
    ] {
        let (client, mut far) = duplex(4096);
        far.write_all(line.as_bytes()).await.unwrap();
        let welcome = Session::new(client).greeting().await;
        assert_eq!(welcome.ok(), expected, "{line}");
    }
}

#[tokio::test]
async fn names_of_mailboxes_are_in_modified_utf_7() {
    let (client, far) = duplex(4096);
    let server = Server::new(Manner::Good, &[]);
    tokio::spawn(server.clone().serve(far));
    let mut session = Session::new(client);
    session.examine("\u{dc}berweisungen & Co").await.unwrap();
    assert_eq!(server.heard("EXAMINE \"&ANw-berweisungen &- Co\""), 1);
}

#[tokio::test(start_paused = true)]
async fn rejects_a_listing_that_does_not_end_in_ok() {
    let mut place = Place::new();
    let server = Server::new(Manner::HalfList, &[(1, "a\r\n")]);
    place.connection(&server, 1, "7:1").await;
    assert_eq!(place.mark(), None);
    assert_eq!(place.handler.texts(), Vec::<String>::new());
}

#[tokio::test]
async fn rejects_text_after_starttls_outside_of_tls() {
    let (client, mut far) = duplex(4096);
    far.write_all(b"* OK hello\r\nr1 OK begin\r\n* OK [UIDVALIDITY 1] injected\r\n")
        .await
        .unwrap();
    let mut session = Session::new(client);
    session.greeting().await.unwrap();
    session.starttls().await.unwrap();
    assert!(matches!(session.into_stream(), Err(ImapError::TextBeforeTls)));
}

#[tokio::test]
async fn rejects_a_password_with_a_line_end() {
    let (client, _far) = duplex(4096);
    let refused = Session::new(client).log_in("u", "a\r\nr2 DELETE INBOX").await;
    assert!(matches!(refused, Err(ImapError::LineEnd("password"))));
}
