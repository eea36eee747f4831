//! Every request, live over the socket and on a stopped queue.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Mutex;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::oneshot;

use super::*;
use crate::intake::handler::{Reply, Taking};
use crate::limits::{CONTROL_CLIENTS_MAX, CONTROL_REQUEST_BYTES_MAX};
use crate::queue::State;
use crate::queue::tests::{CAME, Hand, entry, limits, mail};

/// Notes what it is handed.
#[derive(Default)]
struct NotingHandler(Mutex<Vec<IncomingMail>>);

impl MailHandler for NotingHandler {
    fn check_peer(&self, _: &Peer) -> Result<(), Reply> {
        Ok(())
    }
    fn check_sender(&self, _: &Peer, reverse_path: &str) -> Result<(), Reply> {
        match reverse_path {
            "busy@mail.example" => Err(Reply::new(451, "4.7.1", "Too many")),
            _ => Ok(()),
        }
    }
    fn check_recipient(&self, _: &Peer, _: &str) -> Result<(), Reply> {
        Ok(())
    }
    fn take(&self, incoming: IncomingMail) -> Taking<'_> {
        self.0.lock().expect("lock").push(incoming);
        Box::pin(async { Reply::new(250, "2.0.0", "Taken") })
    }
}

/// A daemon's control socket, running.
struct Live {
    handler: Arc<NotingHandler>,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

fn start(data: &Path) -> Live {
    let clock = Hand::at(CAME).clock();
    let queue = Queue::open(data, &limits(), clock.clone()).expect("opens");
    let handler = Arc::new(NotingHandler::default());
    let context = Context {
        queue,
        handler: Some(Arc::clone(&handler) as Arc<dyn MailHandler>),
        clock,
    };
    let control = Control::bind(data).expect("bound");
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(control.serve(context, async {
        let _ = stopped.await;
    }));
    Live { handler, stop, task }
}

impl Live {
    async fn stop(self) {
        drop(self.stop);
        self.task.await.expect("stopped");
    }
}

async fn fill(data: &Path) {
    let queue = Queue::open(data, &limits(), Hand::at(CAME).clock()).expect("opens");
    for number in 1..=3 {
        queue.put(entry(number), mail(number)).await.expect("put");
    }
}

async fn operator(data: &Path) -> Operator {
    Operator::open(data, &limits(), Hand::at(CAME).clock())
        .await
        .expect("opens")
}

async fn ask(operator: &mut Operator, request: Request) -> Result<Vec<Line>, ControlError> {
    let mut lines = Vec::new();
    operator.request(request, |line| lines.push(line)).await?;
    Ok(lines)
}

async fn ask_one(operator: &mut Operator, request: Request) -> Line {
    let mut lines = ask(operator, request).await.expect("answered");
    assert_eq!(lines.len(), 1);
    lines.remove(0)
}

async fn why(operator: &mut Operator, request: Request) -> Why {
    match ask(operator, request).await {
        Err(ControlError::Refused(refusal)) => refusal.why,
        other => panic!("{other:?}"),
    }
}

fn entry_of(line: Line) -> EntryView {
    match line {
        Line::Entry(entry) => *entry,
        other => panic!("{other:?}"),
    }
}

/// All that works the same with and without a daemon.
async fn check_all(operator: &mut Operator, copy: &Path) {
    let name = |number| entry(number).id.to_string();
    let all = Request::List {
        filter: Filter::default(),
    };
    let listed = ask(operator, all).await.expect("listed");
    let expected: Vec<Line> = (1..=3)
        .map(|number| Line::Entry(Box::new(EntryView::from(&entry(number)))))
        .collect();
    assert_eq!(listed, expected);
    let filter = Filter {
        max: Some(1),
        ..Filter::default()
    };
    assert_eq!(ask_one(operator, Request::List { filter }).await, expected[0]);

    let hold = Request::Hold {
        name: name(1),
        reason: "wait".to_owned(),
    };
    let held = entry_of(ask_one(operator, hold).await);
    assert_eq!((held.is_held, held.word.as_deref()), (true, Some("wait")));
    let release = Request::Release { name: name(1) };
    assert!(!entry_of(ask_one(operator, release).await).is_held);
    let retry = Request::Retry {
        name: entry(3).trace.to_string(),
    };
    assert_eq!(entry_of(ask_one(operator, retry).await).next_try, CAME);
    let drop_it = Request::Drop {
        name: name(2),
        reason: "no".to_owned(),
    };
    let dropped = entry_of(ask_one(operator, drop_it.clone()).await);
    assert_eq!((dropped.state, dropped.final_at), (State::Dropped, Some(CAME)));
    assert_eq!(why(operator, drop_it).await, Why::Final);
    let nobody = Request::Retry { name: name(9) };
    assert_eq!(why(operator, nobody).await, Why::Unknown);

    let show = Request::Show {
        name: name(1),
        text: Text::With,
    };
    let Line::Shown(shown) = ask_one(operator, show).await else {
        panic!("not shown");
    };
    assert_eq!(shown.mail.expect("mail").as_bytes(), mail(1));
    assert!(!shown.history.is_empty());
    let Line::Stats(stats) = ask_one(operator, Request::Stats).await else {
        panic!("no stats");
    };
    assert_eq!(stats.entries.get(&State::Dropped), Some(&1));
    let Line::Verified(verified) = ask_one(operator, Request::Verify).await else {
        panic!("not verified");
    };
    assert_eq!(verified.faults, Vec::<String>::new());
    let backup = Request::Backup { to: copy.to_owned() };
    assert_eq!(ask(operator, backup.clone()).await.expect("copied"), []);
    assert_eq!(why(operator, backup).await, Why::Failed);
}

#[tokio::test]
async fn every_request_works_on_the_live_daemon() {
    let folder = tempfile::tempdir().expect("folder");
    let data = folder.path().join("data");
    fill(&data).await;
    let live = start(&data);
    let mode = std::fs::metadata(data.join(SOCKET))
        .expect("socket")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut operator = operator(&data).await;
    assert!(matches!(operator, Operator::Live(_)));
    check_all(&mut operator, &folder.path().join("copy")).await;
    live.stop().await;
    assert!(!data.join(SOCKET).exists());
}

#[tokio::test]
async fn every_request_works_on_a_stopped_queue() {
    let folder = tempfile::tempdir().expect("folder");
    let data = folder.path().join("data");
    fill(&data).await;
    // A daemon that was killed leaves its socket.
    drop(std::os::unix::net::UnixListener::bind(data.join(SOCKET)).expect("bound"));
    let mut operator = operator(&data).await;
    assert!(matches!(operator, Operator::Direct(_)));
    check_all(&mut operator, &folder.path().join("copy")).await;
    let put = Request::Put {
        reverse_path: None,
        mail_hex: "00".to_owned(),
    };
    assert_eq!(why(&mut operator, put).await, Why::Busy);
    drop(operator);
    start(&data).stop().await;
}

#[tokio::test]
async fn rejects_a_folder_without_a_queue_and_makes_nothing_there() {
    let folder = tempfile::tempdir().expect("folder");
    let opened = Operator::open(folder.path(), &limits(), Hand::at(CAME).clock()).await;
    assert!(matches!(opened.err(), Some(ControlError::NoQueue(_))));
    assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), 0);
}

#[tokio::test]
async fn a_mail_is_handed_to_the_desk_and_its_reply_comes_back() {
    let folder = tempfile::tempdir().expect("folder");
    let live = start(folder.path());
    let mut operator = operator(folder.path()).await;
    let put = |reverse_path: &str, raw: &[u8]| Request::Put {
        reverse_path: Some(reverse_path.to_owned()),
        mail_hex: hex::encode(raw),
    };
    let told = |code, enhanced: &str, text: &str| {
        Line::Told(Told {
            code,
            enhanced: enhanced.to_owned(),
            lines: vec![text.to_owned()],
        })
    };
    let raw = vec![0xff; MAIL_BYTES_MAX];
    let taken = ask_one(&mut operator, put("alice@mail.example", &raw)).await;
    assert_eq!(taken, told(250, "2.0.0", "Taken"));
    let busy = ask_one(&mut operator, put("busy@mail.example", b"x")).await;
    assert_eq!(busy, told(451, "4.7.1", "Too many"));
    let large = vec![b'x'; MAIL_BYTES_MAX + 1];
    assert_eq!(why(&mut operator, put("", &large)).await, Why::Request);
    let mails = std::mem::take(&mut *live.handler.0.lock().expect("lock"));
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].raw, raw);
    assert_eq!(mails[0].peer.channel, Channel::Pipe);
    assert_eq!(mails[0].reverse_path(), "alice@mail.example");
    live.stop().await;
}

#[tokio::test]
async fn rejects_what_is_no_request_and_goes_on() {
    let folder = tempfile::tempdir().expect("folder");
    let live = start(folder.path());
    let mut stream = UnixStream::connect(folder.path().join(SOCKET))
        .await
        .expect("connects");
    let lines = b"hello\n{\"op\":\"retry\",\"name\":\"A\",\"x\":1}\n\xff\n{\"op\":\"list\"}\n";
    stream.write_all(lines).await.expect("written");
    stream.shutdown().await.expect("shut");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("read");
    let answers: Vec<&str> = answer.lines().collect();
    assert_eq!(answers.len(), 4, "{answer}");
    assert!(answers[0].contains("not a request"), "{answer}");
    assert_eq!(answers[3], "\"done\"");
    live.stop().await;
}

#[tokio::test]
async fn rejects_a_request_that_does_not_end() {
    let folder = tempfile::tempdir().expect("folder");
    let live = start(folder.path());
    let stream = UnixStream::connect(folder.path().join(SOCKET))
        .await
        .expect("connects");
    let (mut reader, mut writer) = stream.into_split();
    let long = vec![b'x'; CONTROL_REQUEST_BYTES_MAX];
    writer.write_all(&long).await.expect("written");
    let mut answer = String::new();
    reader
        .read_to_string(&mut answer)
        .await
        .expect("closed after the answer");
    assert!(answer.contains("more than"), "{answer}");
    live.stop().await;
}

#[tokio::test]
async fn silent_clients_are_bounded_and_block_nobody_else() {
    let folder = tempfile::tempdir().expect("folder");
    let live = start(folder.path());
    let mut silent = Vec::new();
    for _ in 1..CONTROL_CLIENTS_MAX {
        silent.push(
            UnixStream::connect(folder.path().join(SOCKET))
                .await
                .expect("connects"),
        );
    }
    let mut last = operator(folder.path()).await;
    ask_one(&mut last, Request::Stats).await;
    let mut beyond = operator(folder.path()).await;
    assert_eq!(why(&mut beyond, Request::Stats).await, Why::Busy);
    drop(silent);
    ask_one(&mut last, Request::Stats).await;
    live.stop().await;
}

#[tokio::test]
async fn the_queue_is_free_when_the_daemon_has_stopped() {
    let folder = tempfile::tempdir().expect("folder");
    for _ in 0..3 {
        start(folder.path()).stop().await;
    }
}
