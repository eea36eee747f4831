//! The disk is cut after each of its writes, and the queue opened again: what was acknowledged is there.

use std::io;
use std::sync::{Mutex, PoisonError};

use redb::StorageBackend;

use super::*;

/// What a disk was told.
#[derive(Debug, Clone)]
enum Step {
    Length(u64),
    Write(u64, Vec<u8>),
    Sync,
}

impl Step {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Step::Length(length) => bytes.resize(*length as usize, 0),
            Step::Write(offset, data) => {
                let start = *offset as usize;
                bytes[start..start + data.len()].copy_from_slice(data);
            }
            Step::Sync => {}
        }
    }
}

/// A disk that notes all it is told.
#[derive(Debug, Clone, Default)]
struct Disk(Arc<Mutex<(Vec<u8>, Vec<Step>)>>);

impl Disk {
    fn of(bytes: Vec<u8>) -> Disk {
        Disk(Arc::new(Mutex::new((bytes, Vec::new()))))
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut (Vec<u8>, Vec<Step>)) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn tell(&self, step: Step) {
        self.with(|(bytes, steps)| {
            step.apply(bytes);
            steps.push(step);
        });
    }

    fn steps(&self) -> usize {
        self.with(|(_, steps)| steps.len())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.with(|(bytes, _)| bytes.len() as u64))
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let start = offset as usize;
        self.with(|(bytes, _)| match bytes.get(start..start + out.len()) {
            Some(found) => {
                out.copy_from_slice(found);
                Ok(())
            }
            None => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
        })
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.tell(Step::Length(len));
        Ok(())
    }
    fn sync_data(&self) -> io::Result<()> {
        self.tell(Step::Sync);
        Ok(())
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.tell(Step::Write(offset, data.to_vec()));
        Ok(())
    }
}

fn queue_on(disk: Disk) -> Queue {
    let opener = move || store::builder().create_with_backend(disk.clone());
    let store = Store::on(Box::new(opener)).map_err(|failure| failure.at(Path::new("test")));
    let core = Core::new(store.expect("opens"), None, limits(), Hand::at(CAME).clock());
    Queue::without_thread(core.expect("counts"))
}

/// What was acknowledged, and how much the disk had been told by then.
enum Acknowledged {
    Put(u8),
    Paid(u8),
}

async fn work(disk: &Disk) -> (usize, Vec<(usize, Acknowledged)>) {
    let queue = queue_on(disk.clone());
    let start = disk.steps();
    let mut acknowledged = Vec::new();
    for number in 1..=5 {
        queue.put(entry(number), mail(number)).await.expect("put");
        acknowledged.push((disk.steps(), Acknowledged::Put(number)));
        if number % 2 == 0 {
            let paid: Change = Box::new(move |entry| {
                entry.progress = progress(State::Validated, CAME);
                vec![notice(number, NoticeKind::Validated)]
            });
            queue.change(entry(number).id, paid).await.expect("changed");
            acknowledged.push((disk.steps(), Acknowledged::Paid(number)));
        }
    }
    (start, acknowledged)
}

/// What was acknowledged is there; a change is there with its answer or not at all; and the queue takes more.
async fn check(bytes: Vec<u8>, done: &[Acknowledged], what: &str) {
    let queue = queue_on(Disk::of(bytes));
    for acknowledged in done {
        match acknowledged {
            Acknowledged::Put(number) => {
                assert!(queue.entry(entry(*number).id).expect("read").is_some(), "{what}");
                assert_eq!(queue.mail(entry(*number).id), Ok(Some(mail(*number))), "{what}");
            }
            Acknowledged::Paid(number) => {
                let entry = queue.entry(entry(*number).id).expect("read").expect(what);
                assert_eq!(entry.state(), State::Validated, "{what}");
            }
        }
    }
    for entry in queue.list(&Filter::default()).expect("listed") {
        let notices = queue.notices_about(entry.id).len();
        assert_eq!(notices, usize::from(entry.state() == State::Validated), "{what}");
    }
    assert_eq!(queue.put(entry(200), mail(200)).await, Ok(Put::New), "{what}");
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_wherever_the_disk_is_cut() {
    let disk = Disk::default();
    let (start, acknowledged) = work(&disk).await;
    let steps = disk.with(|(_, steps)| steps.clone());
    let mut acknowledged = acknowledged.into_iter().peekable();
    let mut done = Vec::new();
    // On the platter for certain, and what the disk may hold besides: all, none, or every other write since
    // the last sync.
    let (mut synced, mut since) = (Vec::new(), Vec::new());
    for (at, step) in steps.iter().enumerate() {
        since.push(step.clone());
        if matches!(step, Step::Sync) {
            since.drain(..).for_each(|step| step.apply(&mut synced));
        }
        let told = at + 1;
        while acknowledged.peek().is_some_and(|(steps, _)| *steps <= told) {
            done.extend(acknowledged.next().map(|(_, acknowledged)| acknowledged));
        }
        if told < start {
            continue;
        }
        for (name, keeps) in [
            ("killed", [true, true]),
            ("power lost", [false, false]),
            ("torn", [false, true]),
        ] {
            let mut bytes = synced.clone();
            for (number, step) in since.iter().enumerate() {
                // A file's length may be there before its bytes, and is not taken back.
                if keeps[number % 2] || matches!(step, Step::Length(_)) {
                    step.apply(&mut bytes);
                }
            }
            check(
                bytes,
                &done,
                &format!("{name} after step {told} of {}", steps.len()),
            )
            .await;
        }
    }
    assert_eq!(done.len(), 7);
}
