//! What operators do.

use super::*;
use crate::queue::backup::{self, BackupError};
use crate::queue::ops::{OpError, Text};

async fn queue_of_three() -> Queue {
    let queue = Queue::in_memory_with(&limits(), Hand::at(CAME).clock());
    for number in 1..=3 {
        queue.put(entry(number), mail(number)).await.expect("put");
    }
    queue
}

#[tokio::test]
async fn a_mail_is_found_by_id_and_by_trace() {
    let queue = queue_of_three().await;
    let id = entry(2).id;
    assert_eq!(queue.find(&id.to_string()), Ok(id));
    assert_eq!(queue.find(&id.to_string().to_lowercase()), Ok(id));
    assert_eq!(queue.find(entry(2).trace.as_str()), Ok(id));
    for name in ["", "AAAA", &"0".repeat(64)] {
        assert_eq!(queue.find(name), Err(OpError::Unknown(name.to_owned())));
    }
}

#[tokio::test]
async fn retry_makes_due_and_releases_nothing() {
    let queue = queue_of_three().await;
    let later: Change = Box::new(|entry| {
        entry.next_try = u64::MAX;
        Vec::new()
    });
    queue.change(entry(1).id, later).await.expect("changed");
    queue
        .hold(entry(2).id, "looks odd".to_owned())
        .await
        .expect("held");
    let now = CAME + 9;
    queue.retry(entry(1).id, now).await.expect("retried");
    let held = queue.retry(entry(2).id, now).await.expect("retried");
    assert_eq!(
        (held.is_held(), held.said.word.as_deref()),
        (true, Some("looks odd"))
    );
    assert_eq!(queue.due(now, 9), [entry(3).id, entry(1).id]);
    let released = queue.release(entry(2).id, now).await.expect("released");
    assert_eq!((released.is_held(), released.said.word), (false, None));
    assert_eq!(queue.due(now, 9), [entry(3).id, entry(1).id, entry(2).id]);
}

#[tokio::test]
async fn drop_is_final_and_what_is_final_is_left_alone() {
    let queue = queue_of_three().await;
    let id = entry(1).id;
    let dropped = queue
        .drop_mail(id, "spam".to_owned(), CAME + 5)
        .await
        .expect("dropped");
    assert_eq!(
        (dropped.state(), dropped.progress.final_at()),
        (State::Dropped, Some(CAME + 5))
    );
    assert_eq!(dropped.said.word.as_deref(), Some("spam"));
    let refused = OpError::Final {
        id,
        state: State::Dropped,
    };
    assert_eq!(queue.retry(id, 0).await, Err(refused.clone()));
    assert_eq!(queue.hold(id, String::new()).await, Err(refused.clone()));
    assert_eq!(queue.release(id, 0).await, Err(refused.clone()));
    assert_eq!(queue.drop_mail(id, String::new(), 0).await, Err(refused));
    assert_eq!(queue.entry(id), Ok(Some(dropped)));
    let unknown = Err(OpError::Unknown(entry(9).id.to_string()));
    assert_eq!(queue.retry(entry(9).id, 0).await, unknown);
}

#[tokio::test]
async fn show_tells_all_and_the_mail_when_asked() {
    let folder = tempfile::tempdir().expect("folder");
    let queue = open(folder.path());
    queue.put(entry(1), mail(1)).await.expect("put");
    let change: Change = Box::new(|entry| {
        entry.progress = progress(State::Submitted, CAME);
        vec![notice(1, NoticeKind::Waiting)]
    });
    queue.change(entry(1).id, change).await.expect("changed");
    drop(queue);
    let queue = open(folder.path());
    let shown = queue.show(entry(1).id, Text::Without).expect("shown");
    assert_eq!(shown.entry.expect("entry").state, State::Submitted);
    assert_eq!(shown.notices, [notice(1, NoticeKind::Waiting)]);
    assert_eq!((shown.history.len(), shown.mail), (3, None));
    let shown = queue.show(entry(1).id, Text::With).expect("shown");
    assert_eq!(shown.mail.expect("mail").as_bytes(), mail(1));
}

#[tokio::test]
async fn stats_count_what_is_there() {
    let queue = queue_of_three().await;
    queue.hold(entry(2).id, String::new()).await.expect("held");
    queue
        .drop_mail(entry(1).id, String::new(), CAME)
        .await
        .expect("dropped");
    queue
        .set_notice(notice(3, NoticeKind::Waiting))
        .await
        .expect("set");
    let stats = queue.stats(CAME + 100).expect("stats");
    let counts = BTreeMap::from([(State::Received, 2), (State::Dropped, 1)]);
    assert_eq!(stats.entries, counts);
    assert_eq!((stats.held, stats.damaged, stats.notices_waiting), (1, 0, 1));
    assert_eq!((stats.taken, stats.became_final, stats.commits), (3, 1, 6));
    assert_eq!((stats.oldest_secs, stats.open_secs), (Some(98), 100));
    assert_eq!(stats.fault, None);
}

#[tokio::test]
async fn a_backup_is_the_queue_as_it_was_and_restores() {
    let folder = tempfile::tempdir().expect("folder");
    let (data, copy, new) = (
        folder.path().join("data"),
        folder.path().join("copy"),
        folder.path().join("new"),
    );
    let queue = open(&data);
    for number in 1..=40 {
        queue.put(entry(number), mail(number)).await.expect("put");
    }
    queue
        .change(entry(1).id, finish(State::Submitted))
        .await
        .expect("changed");
    queue
        .set_notice(notice(2, NoticeKind::Refused))
        .await
        .expect("set");
    queue.set_mark("mark", "7".to_owned()).await.expect("mark");
    let before = queue.list(&Filter::default()).expect("listed");
    queue.backup(&copy).expect("copied");
    queue.put(entry(41), mail(41)).await.expect("put");
    assert!(matches!(queue.backup(&copy), Err(BackupError::NotEmpty(_))));

    assert!(matches!(
        backup::restore(&copy, &data),
        Err(BackupError::NotEmpty(_))
    ));
    let nothing = folder.path().join("nothing");
    assert!(matches!(
        backup::restore(&nothing, &new),
        Err(BackupError::NoQueue(_))
    ));
    backup::restore(&copy, &new).expect("restored");
    let restored = open(&new);
    assert_eq!(restored.list(&Filter::default()).expect("listed"), before);
    assert_eq!(restored.verify().expect("verified").faults, Vec::<String>::new());
    assert_eq!(restored.mail(entry(40).id), Ok(Some(mail(40))));
    assert_eq!(restored.mark("mark"), Ok(Some("7".to_owned())));
    assert_eq!(restored.notices_about(entry(2).id).len(), 1);
    assert_eq!(restored.history(entry(1).id).expect("history").len(), 2);
    assert_eq!(restored.put(entry(41), mail(41)).await, Ok(Put::New));
}
