//! Putting, changing, listing, forgetting.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::AtomicU32;

use rpc::reply::ResultCode;

use super::*;

#[tokio::test]
async fn accepts_a_mail_once_and_knows_it_then() {
    let folder = tempfile::tempdir().expect("folder");
    let queue = open(folder.path());
    assert_eq!(queue.put(entry(1), mail(1)).await, Ok(Put::New));
    queue
        .change(entry(1).id, finish(State::Validated))
        .await
        .expect("changed");
    let mut copy = entry(1);
    copy.trace = TraceId::of([9; 10]);
    copy.received_at += 100;
    let known = Put::Known(State::Validated, TraceId::of([1; 10]));
    assert_eq!(queue.put(copy, mail(2)).await, Ok(known));
    assert_eq!(queue.mail(entry(1).id), Ok(Some(mail(1))));
    assert_eq!(queue.counts(), BTreeMap::from([(State::Validated, 1)]));
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let folder = tempfile::tempdir().expect("folder");
    let queue = open(folder.path());
    for number in [3, 1, 2] {
        queue.put(entry(number), mail(number)).await.expect("put");
    }
    queue
        .set_mark("imap:host/INBOX", "7:9".to_owned())
        .await
        .expect("mark");
    let given = queue
        .change(
            entry(2).id,
            Box::new(|entry| {
                entry.progress = progress(State::Submitted, CAME);
                entry.next_try = CAME + 60;
                vec![notice(2, NoticeKind::Waiting)]
            }),
        )
        .await
        .expect("changed");
    drop(queue);

    let queue = open(folder.path());
    let listed = queue.list(&Filter::default()).expect("listed");
    assert_eq!(ids(&listed), [1, 2, 3]);
    assert_eq!(queue.entry(entry(2).id).expect("read"), given);
    assert_eq!(queue.mail(entry(3).id), Ok(Some(mail(3))));
    assert_eq!(queue.mark("imap:host/INBOX"), Ok(Some("7:9".to_owned())));
    assert_eq!(queue.notices_about(entry(2).id), [notice(2, NoticeKind::Waiting)]);
    let counts = BTreeMap::from([(State::Received, 2), (State::Submitted, 1)]);
    assert_eq!(queue.counts(), counts);
}

#[tokio::test]
async fn due_are_those_that_are_neither_final_nor_held_nor_later() {
    let queue = Queue::in_memory();
    for number in 1..=5 {
        queue.put(entry(number), mail(number)).await.expect("put");
    }
    let change = |number: u8, change: fn(&mut Entry)| {
        let change: Change = Box::new(move |entry| {
            change(entry);
            Vec::new()
        });
        queue.change(entry(number).id, change)
    };
    change(1, |entry| entry.next_try = CAME + 50)
        .await
        .expect("changed");
    change(2, |entry| entry.progress.set_hold(Hold::Held))
        .await
        .expect("changed");
    change(3, |entry| entry.progress = progress(State::Refused, CAME))
        .await
        .expect("changed");
    let due = |now, max| -> Vec<u8> {
        let due = queue.due(now, max);
        due.iter().map(|id| id.as_bytes()[0]).collect()
    };
    assert_eq!(due(CAME + 4, 9), [4]);
    assert_eq!(due(CAME + 50, 9), [4, 5, 1]);
    assert_eq!(due(CAME + 50, 2), [4, 5]);
    assert_eq!(queue.next_due(), Some(CAME + 4));
    change(2, |entry| entry.progress.set_hold(Hold::Free))
        .await
        .expect("changed");
    assert_eq!(due(CAME + 4, 9), [2, 4]);
}

#[tokio::test]
async fn under_way_are_those_that_are_not_final_each_once() {
    let queue = Queue::in_memory();
    for number in 1..=6 {
        let mut entry = entry(number);
        if number % 2 == 0 {
            entry.progress = progress(State::Submitted, CAME);
        }
        if number == 2 {
            entry.progress.set_hold(Hold::Held);
        }
        queue.put(entry, mail(number)).await.expect("put");
    }
    let gone = queue.change(entry(3).id, finish(State::Refused));
    gone.await.expect("changed");
    let numbers = |ids: Vec<MailId>| ids.iter().map(|id| id.as_bytes()[0]).collect::<Vec<_>>();
    let look = |after, until, max| queue.under_way(after, until, max).expect("readable");
    let (found, end) = look(None, CAME + 6, 3);
    assert_eq!(numbers(found), [1, 2, 4]);
    let (found, end) = look(Some(end), CAME + 6, 3);
    assert_eq!(numbers(found), [5]);
    let (found, end) = look(Some(end), CAME + 6, 3);
    assert!(found.is_empty());
    // A clock that goes back finds nothing twice.
    let (found, end) = look(Some(end), CAME + 2, 3);
    assert!(found.is_empty());
    let (found, _) = look(Some(end), CAME + 7, 3);
    assert_eq!(numbers(found), [6]);
}

/// Six mails: the second is held, the fourth has expired, the fifth is Bob's.
async fn six_mails() -> Queue {
    let queue = Queue::in_memory();
    for number in 1..=6 {
        let mut entry = entry(number);
        if number == 2 {
            entry.progress.set_hold(Hold::Held);
        }
        if number == 5 {
            entry.from = sender("bob@mail.example");
        }
        queue.put(entry, mail(number)).await.expect("put");
    }
    queue
        .change(entry(4).id, finish(State::Expired))
        .await
        .expect("changed");
    queue
}

#[tokio::test]
async fn lists_by_state_hold_sender_and_number() {
    let queue = six_mails().await;
    let list = |filter: Filter| ids(&queue.list(&filter).expect("listed"));
    let all = Filter::default();
    assert_eq!(
        list(Filter {
            state: Some(State::Received),
            ..all.clone()
        }),
        [1, 2, 3, 5, 6]
    );
    assert_eq!(
        list(Filter {
            state: Some(State::Expired),
            ..all.clone()
        }),
        [4]
    );
    assert_eq!(
        list(Filter {
            held: Some(true),
            ..all.clone()
        }),
        [2]
    );
    assert_eq!(
        list(Filter {
            from: Some("bob@mail.example".to_owned()),
            ..all.clone()
        }),
        [5]
    );
    assert_eq!(
        list(Filter {
            max: Some(2),
            ..all.clone()
        }),
        [1, 2]
    );
    let none = Filter {
        max: Some(0),
        ..all.clone()
    };
    assert!(list(none).is_empty());
}

#[tokio::test]
async fn lists_page_by_page() {
    let queue = six_mails().await;
    for state in [None, Some(State::Received)] {
        let filter = Filter {
            state,
            max: Some(2),
            ..Filter::default()
        };
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let (page, end) = queue.list_page(&filter, after).expect("listed");
            seen.extend(ids(&page));
            after = end;
            if end.is_none() {
                break;
            }
        }
        let expected = match state {
            None => vec![1, 2, 3, 4, 5, 6],
            Some(_) => vec![1, 2, 3, 5, 6],
        };
        assert_eq!(seen, expected);
    }
}

#[tokio::test]
async fn an_answer_of_a_kind_is_made_once() {
    let queue = Queue::in_memory();
    queue.put(entry(1), mail(1)).await.expect("put");
    let change = || -> Change { Box::new(|_| vec![notice(1, NoticeKind::Validated)]) };
    queue.change(entry(1).id, change()).await.expect("changed");
    let mut sent = notice(1, NoticeKind::Validated);
    sent.state = NoticeState::Sent;
    queue.set_notice(sent.clone()).await.expect("set");
    queue.change(entry(1).id, change()).await.expect("changed");
    assert_eq!(queue.notices_about(entry(1).id), [sent]);
    assert_eq!(queue.notices_due(u64::MAX, 9), []);
}

#[tokio::test]
async fn answers_are_due_in_order_and_counted_by_address() {
    let queue = Queue::in_memory();
    for (number, next_try) in [(1, 30), (2, 10), (3, 20)] {
        let mut notice = notice(number, NoticeKind::Expired);
        notice.next_try = CAME + next_try;
        notice.made_at = CAME + u64::from(number);
        queue.set_notice(notice).await.expect("set");
    }
    let due = queue.notices_due(CAME + 20, 9);
    let due: Vec<u8> = due.iter().map(|notice| notice.about.as_bytes()[0]).collect();
    assert_eq!(due, [2, 3]);
    let of = |number| queue.notices_about(entry(number).id).remove(0);
    let before = |number, since| queue.notices_before(&of(number), since);
    assert_eq!([1, 2, 3].map(|number| before(number, CAME)), [0, 1, 2]);
    assert_eq!([1, 2, 3].map(|number| before(number, CAME + 2)), [0, 0, 1]);
    let mut other = of(3);
    other.to = "alice@mail.exampl".to_owned();
    assert_eq!(queue.notices_before(&other, CAME), 0);
    let mut withheld = of(1);
    withheld.state = NoticeState::Withheld;
    queue.set_notice(withheld).await.expect("set");
    assert_eq!(before(3, CAME), 1);
}

#[tokio::test]
async fn an_answer_under_way_at_a_crash_is_withheld() {
    let folder = tempfile::tempdir().expect("folder");
    let queue = open(folder.path());
    let mut sending = notice(1, NoticeKind::Validated);
    sending.state = NoticeState::Sending;
    queue.set_notice(sending).await.expect("set");
    queue
        .set_notice(notice(2, NoticeKind::Validated))
        .await
        .expect("set");
    drop(queue);
    let queue = open(folder.path());
    // What is written after the start comes after the withholding.
    queue.set_mark("started", "yes".to_owned()).await.expect("mark");
    let withheld = queue.notices_about(entry(1).id).remove(0);
    assert_eq!(withheld.state, NoticeState::Withheld);
    assert!(withheld.word.expect("word").contains("not known"));
    assert_eq!(queue.notices_due(u64::MAX, 9), [notice(2, NoticeKind::Validated)]);
}

#[tokio::test]
async fn a_change_cannot_move_an_entry() {
    let queue = Queue::in_memory_with(&limits(), Hand::at(CAME + 77).clock());
    queue.put(entry(1), mail(1)).await.expect("put");
    let change: Change = Box::new(|entry| {
        entry.id = MailId::new([8; 32]);
        entry.received_at = 0;
        entry.progress = progress(State::Refused, CAME);
        Vec::new()
    });
    let changed = queue
        .change(entry(1).id, change)
        .await
        .expect("changed")
        .expect("there");
    assert_eq!(
        (changed.id, changed.received_at),
        (entry(1).id, entry(1).received_at)
    );
    assert_eq!(changed.state(), State::Refused);
    assert_eq!(queue.change(entry(9).id, finish(State::Refused)).await, Ok(None));
}

#[tokio::test]
async fn a_change_that_panics_writes_nothing_and_the_queue_goes_on() {
    let folder = tempfile::tempdir().expect("folder");
    let queue = open(folder.path());
    queue.put(entry(1), mail(1)).await.expect("put");
    let poison: Change = Box::new(|entry| {
        entry.progress = progress(State::Refused, CAME);
        panic!("poison");
    });
    assert!(queue.change(entry(1).id, poison).await.is_err());
    assert_eq!(queue.entry(entry(1).id), Ok(Some(entry(1))));
    assert_eq!(queue.put(entry(2), mail(2)).await, Ok(Put::New));
}

#[tokio::test]
async fn many_callers_share_commits() {
    let folder = tempfile::tempdir().expect("folder");
    let queue = open(folder.path());
    queue.put(entry(1), mail(1)).await.expect("put");
    // The writer is kept inside a commit until all callers have asked.
    let (open_gate, gate) = std::sync::mpsc::channel::<()>();
    let wait: Change = Box::new(move |_| {
        gate.recv().expect("gate");
        Vec::new()
    });
    let mut callers = vec![tokio::spawn({
        let queue = queue.clone();
        async move { queue.change(entry(1).id, wait).await.map(|_| Put::New) }
    })];
    // A caller that counts itself has asked when it yields.
    let asked = Arc::new(AtomicU32::new(0));
    callers.extend((2..=200).map(|number| {
        let (queue, asked) = (queue.clone(), Arc::clone(&asked));
        tokio::spawn(async move {
            asked.fetch_add(1, Ordering::Relaxed);
            queue.put(entry(number), mail(number)).await
        })
    }));
    while asked.load(Ordering::Relaxed) < 199 {
        tokio::task::yield_now().await;
    }
    open_gate.send(()).expect("gate");
    for caller in callers {
        assert_eq!(caller.await.expect("joined"), Ok(Put::New));
    }
    let commits = queue.inner.core.tallies.commits.load(Ordering::Relaxed);
    assert!(commits <= 3, "{commits} commits for 200 mails");
    assert_eq!(queue.list(&Filter::default()).expect("listed").len(), 200);
}

#[tokio::test]
async fn rejects_more_than_may_wait_and_accepts_when_there_is_room() {
    let limits = QueueConfig {
        waiting_max: 2,
        ..limits()
    };
    let queue = Queue::in_memory_with(&limits, Hand::at(CAME).clock());
    for number in 1..=2 {
        queue.put(entry(number), mail(number)).await.expect("put");
    }
    assert_eq!(
        queue.put(entry(3), mail(3)).await,
        Err(QueueError::Full { waiting: 2 })
    );
    let known = Put::Known(State::Received, TraceId::of([1; 10]));
    assert_eq!(queue.put(entry(1), mail(1)).await, Ok(known));
    queue
        .change(entry(1).id, finish(State::Validated))
        .await
        .expect("changed");
    assert_eq!(queue.put(entry(3), mail(3)).await, Ok(Put::New));
}

// Anybody can write mail whose key is not available: it must not take the place of mail that is proved.
#[tokio::test]
async fn rejects_more_unproven_than_may_wait_and_accepts_what_is_proved() {
    let limits = QueueConfig {
        unproven_max: 2,
        ..limits()
    };
    let queue = Queue::in_memory_with(&limits, Hand::at(CAME).clock());
    let unproven = |number| Entry {
        dkim: Dkim::Unproven,
        ..entry(number)
    };
    for number in 1..=2 {
        queue.put(unproven(number), mail(number)).await.expect("put");
    }
    let full = Err(QueueError::FullOfUnproven { waiting: 2 });
    assert_eq!(queue.put(unproven(3), mail(3)).await, full);
    assert_eq!(queue.put(entry(4), mail(4)).await, Ok(Put::New));
    // A node has proved one, and refused another: each makes room.
    let prove: Change = Box::new(|entry| {
        entry.dkim = Dkim::Proven;
        Vec::new()
    });
    queue.change(entry(1).id, prove).await.expect("changed");
    assert_eq!(queue.put(unproven(3), mail(3)).await, Ok(Put::New));
    assert_eq!(queue.put(unproven(5), mail(5)).await, full);
    queue
        .change(entry(2).id, finish(State::Refused))
        .await
        .expect("changed");
    assert_eq!(queue.put(unproven(5), mail(5)).await, Ok(Put::New));
}

#[tokio::test]
async fn forgets_texts_then_entries_after_their_days() {
    let folder = tempfile::tempdir().expect("folder");
    let queue = open(folder.path());
    for number in 1..=3 {
        queue.put(entry(number), mail(number)).await.expect("put");
    }
    let paid: Change = Box::new(|entry| {
        entry.progress = progress(State::Validated, CAME + DAY);
        vec![notice(1, NoticeKind::Validated)]
    });
    queue.change(entry(1).id, paid).await.expect("changed");
    let mut sent = notice(1, NoticeKind::Validated);
    sent.state = NoticeState::Sent;
    queue.set_notice(sent).await.expect("set");
    let dropped: Change = Box::new(|entry| {
        entry.progress = progress(State::Dropped, CAME + 3 * DAY);
        Vec::new()
    });
    queue.change(entry(2).id, dropped).await.expect("changed");

    queue.clean(CAME + 8 * DAY - 1).await.expect("cleaned");
    assert_eq!(queue.mail(entry(1).id), Ok(Some(mail(1))));
    assert_eq!(queue.notices_about(entry(1).id)[0].mail, "");
    queue.clean(CAME + 8 * DAY).await.expect("cleaned");
    assert_eq!(queue.mail(entry(1).id), Ok(None));
    assert_eq!(queue.mail(entry(2).id), Ok(Some(mail(2))));
    let known = Put::Known(State::Validated, TraceId::of([1; 10]));
    assert_eq!(queue.put(entry(1), mail(1)).await, Ok(known));

    queue.clean(CAME + 91 * DAY).await.expect("cleaned");
    assert_eq!(ids(&queue.list(&Filter::default()).expect("listed")), [2, 3]);
    assert_eq!(queue.notices_about(entry(1).id), []);
    let later = Notice {
        made_at: u64::MAX,
        ..notice(9, NoticeKind::Expired)
    };
    assert_eq!(queue.notices_before(&later, 0), 0);
    queue.clean(CAME + 10_000 * DAY).await.expect("cleaned");
    assert_eq!(ids(&queue.list(&Filter::default()).expect("listed")), [3]);
    assert_eq!(
        queue.mail(entry(3).id),
        Ok(Some(mail(3))),
        "what is not final stays"
    );
    assert_eq!(queue.counts(), BTreeMap::from([(State::Received, 1)]));
}

#[tokio::test]
async fn the_audit_log_tells_each_change_and_no_address() {
    let folder = tempfile::tempdir().expect("folder");
    let queue = open(folder.path());
    queue.put(entry(1), mail(1)).await.expect("put");
    let retried: Change = Box::new(|entry| {
        entry.tries += 1;
        Vec::new()
    });
    queue.change(entry(1).id, retried).await.expect("changed");
    let paid: Change = Box::new(|entry| {
        let hash = Hash256::new([0xAB; 32]);
        let outcome = Outcome::Forgotten {
            hash,
            ledger_index: Some(7),
        };
        entry.progress = Progress::Validated {
            at: CAME,
            node: None,
            outcome,
        };
        entry.said.code = ResultCode::parse("tesSUCCESS");
        vec![notice(1, NoticeKind::Validated)]
    });
    queue.change(entry(1).id, paid).await.expect("changed");
    drop(queue);
    let path = folder.path().join("audit.log");
    let text = fs::read_to_string(&path).expect("audit log");
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let told: Vec<_> = lines
        .iter()
        .map(|line| (line["what"].as_str(), line["from"].as_str(), line["to"].as_str()))
        .collect();
    let expected = [
        (Some("mail"), None, Some("received")),
        (Some("answer"), None, Some("waiting")),
        (Some("mail"), Some("received"), Some("validated")),
    ];
    assert_eq!(told, expected);
    assert_eq!(lines[2]["message_id"], "1@mail.example");
    assert_eq!(lines[2]["hash"], "AB".repeat(32));
    assert_eq!(lines[2]["ledger_index"], 7);
    assert_eq!(lines[2]["time"], CAME);
    assert!(!text.contains("alice@"), "{text}");
    let mode = |name: &str| {
        fs::metadata(folder.path().join(name))
            .expect("file")
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!((mode("audit.log"), mode("queue.redb")), (0o600, 0o600));
}

#[tokio::test]
async fn the_audit_log_begins_a_new_file_when_it_was_moved_away() {
    let folder = tempfile::tempdir().expect("folder");
    let (path, moved) = (folder.path().join("audit.log"), folder.path().join("audit.log.1"));
    let queue = open(folder.path());
    queue.put(entry(1), mail(1)).await.expect("put");
    // The lines of a commit are in the file when the next one begins.
    queue.set_mark("one", String::new()).await.expect("mark");
    fs::rename(&path, &moved).expect("moved");
    queue.put(entry(2), mail(2)).await.expect("put");
    drop(queue);
    let lines = |path| fs::read_to_string(path).expect("read").lines().count();
    assert_eq!((lines(&moved), lines(&path)), (1, 1));
}

#[tokio::test]
async fn the_audit_log_is_completed_after_a_kill() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("audit.log");
    let queue = open(folder.path());
    queue.put(entry(1), mail(1)).await.expect("put");
    queue.put(entry(2), mail(2)).await.expect("put");
    drop(queue);
    let whole = fs::read(&path).expect("audit log");
    let last_line = whole.len() / 2;
    for cut in [last_line, last_line + 1, whole.len() - 1, whole.len()] {
        fs::write(&path, &whole[..cut]).expect("cut");
        drop(open(folder.path()));
        assert_eq!(fs::read(&path).expect("audit log"), whole, "cut at {cut}");
    }
}
