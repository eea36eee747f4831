//! A disk that is full, refuses, or gives back what was never written.

use std::io;
use std::sync::atomic::AtomicBool;

use redb::backends::InMemoryBackend;
use redb::{ReadableTable, StorageBackend};

use super::*;

/// A disk that refuses while told so, and outlives the database on it.
#[derive(Debug, Clone)]
struct Disk {
    memory: Arc<InMemoryBackend>,
    is_refusing: Arc<AtomicBool>,
}

impl Disk {
    fn check(&self) -> io::Result<()> {
        match self.is_refusing.load(Ordering::SeqCst) {
            true => Err(io::Error::from(io::ErrorKind::StorageFull)),
            false => Ok(()),
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.memory.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.memory.read(offset, out)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.check()?;
        self.memory.set_len(len)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.check()?;
        self.memory.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.check()?;
        self.memory.write(offset, data)
    }
}

fn queue_on(disk: &Disk) -> Queue {
    let disk = disk.clone();
    let opener = move || store::builder().create_with_backend(disk.clone());
    let store = Store::on(Box::new(opener)).map_err(|failure| failure.at(Path::new("test")));
    let core = Core::new(store.expect("opens"), None, limits(), Hand::at(CAME).clock());
    Queue::start(core.expect("counts")).expect("starts")
}

#[tokio::test]
async fn rejects_while_the_disk_refuses_and_accepts_when_it_takes_again() {
    let disk = Disk {
        memory: Arc::new(InMemoryBackend::new()),
        is_refusing: Arc::new(AtomicBool::new(false)),
    };
    let queue = queue_on(&disk);
    queue.put(entry(1), mail(1)).await.expect("put");
    disk.is_refusing.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        let refused = queue.put(entry(2), mail(2)).await;
        assert!(matches!(refused, Err(QueueError::Space(_))), "{refused:?}");
    }
    disk.is_refusing.store(false, Ordering::SeqCst);
    assert_eq!(ids(&queue.list(&Filter::default()).expect("listed")), [1]);
    assert_eq!(queue.mail(entry(2).id), Ok(None));
    assert_eq!(queue.put(entry(2), mail(2)).await, Ok(Put::New));
    assert_eq!(queue.counts(), BTreeMap::from([(State::Received, 2)]));
}

#[tokio::test]
async fn rejects_when_the_disk_is_nearly_full_and_says_how_full() {
    let folder = tempfile::tempdir().expect("folder");
    let limits = QueueConfig {
        free_mib_min: 1 << 40,
        ..limits()
    };
    let queue = Queue::open(folder.path(), &limits, Hand::at(CAME).clock()).expect("opens");
    let refused = queue.put(entry(1), mail(1)).await;
    let Err(QueueError::Space(reason)) = refused else {
        panic!("{refused:?}");
    };
    assert!(reason.contains("MiB are free"), "{reason}");
    assert!(queue.check().is_err());
    assert_eq!(queue.entry(entry(1).id), Ok(None));
    drop(queue);
    assert_eq!(open(folder.path()).check(), Ok(()));
}

/// A core on a folder whose disk is as large as the test says, less the queue's file.
fn core_on_a_disk_of(bytes: u64, data: &Path, free_mib_min: u64) -> Core {
    let limits = QueueConfig {
        free_mib_min,
        retention_days: 0,
        ..limits()
    };
    let store = Store::open(data).expect("opens");
    let mut core = Core::new(store, None, limits, Hand::at(CAME).clock()).expect("counts");
    core.data = Some(data.to_owned());
    let path = data.join(store::FILE);
    core.space = Box::new(move || Ok(bytes.saturating_sub(std::fs::metadata(&path)?.len())));
    core
}

// The disk fills up, all that filled it is forgotten: nobody has to do anything.
#[tokio::test]
async fn accepts_again_after_a_full_disk_once_its_mails_are_forgotten() {
    const MIB: u64 = 1024 * 1024;
    let folder = tempfile::tempdir().expect("folder");
    let queue = Queue::start(core_on_a_disk_of(12 * MIB, folder.path(), 4)).expect("starts");
    let large = vec![b'x'; 200_000];
    let large_entry = |number| Entry {
        bytes: 200_000,
        ..entry(number)
    };
    let mut taken = 0;
    let refused = loop {
        match queue.put(large_entry(taken + 1), large.clone()).await {
            Ok(put) => assert_eq!(put, Put::New),
            Err(error) => break error,
        }
        taken += 1;
    };
    assert!(
        matches!(refused, QueueError::Space(_)) && taken > 10,
        "{taken} {refused:?}"
    );
    for number in 1..=taken {
        queue
            .change(entry(number).id, finish(State::Refused))
            .await
            .expect("changed");
    }
    let size = || {
        std::fs::metadata(folder.path().join(store::FILE))
            .expect("file")
            .len()
    };
    let full = size();
    queue.clean(CAME + DAY).await.expect("cleaned");
    assert!(size() < full / 2, "{full} {}", size());
    assert_eq!(queue.put(large_entry(200), large.clone()).await, Ok(Put::New));
    assert_eq!(queue.mail(entry(200).id), Ok(Some(large)));
    assert_eq!(queue.verify().expect("verified").faults, Vec::<String>::new());
}

#[tokio::test]
async fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let base = tempfile::tempdir().expect("folder");
    let data = base.path().join("data");
    drop(open(&data));
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    let file = data.join(store::FILE);
    assert_eq!((mode(&data), mode(&file)), (0o700, 0o600));
    // One that an earlier version made.
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("ours");
    drop(open(&data));
    assert_eq!(mode(&file), 0o600);
}

// Random damage: words, and no panic that ends the process.
#[tokio::test]
async fn damage_is_told_in_words() {
    let folder = tempfile::tempdir().expect("folder");
    let queue = open(folder.path());
    for number in 1..=40 {
        queue.put(entry(number), mail(number)).await.expect("put");
    }
    drop(queue);
    let file = folder.path().join(store::FILE);
    let whole = std::fs::read(&file).expect("file");
    let mut state = 7u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(state >> 33).expect("31 bits") % below
    };
    let mut told = 0;
    for round in 0..60 {
        let mut bytes = whole.clone();
        match round % 3 {
            0 => bytes.truncate(random(whole.len())),
            1 => (0..30).for_each(|_| bytes[random(whole.len())] ^= 1 << random(8)),
            _ => {
                let at = random(whole.len() - 4_096);
                bytes[at..at + 4_096].fill(random(256).to_le_bytes()[0]);
            }
        }
        std::fs::write(&file, bytes).expect("written");
        let opened = Queue::open(folder.path(), &limits(), Hand::at(CAME).clock());
        let error = match opened {
            Err(error) => Some(error.to_string()),
            Ok(queue) => {
                let used = queue.list(&Filter::default()).map(drop);
                let put = queue.put(entry(200), mail(200)).await.map(drop);
                used.and(put).err().map(|error| error.to_string())
            }
        };
        told +=
            usize::from(error.is_some_and(|error| error.contains("damaged") && error.contains("restore")));
    }
    assert!(told > 10, "{told}");
}

#[tokio::test]
async fn rejects_a_folder_that_is_in_use() {
    let folder = tempfile::tempdir().expect("folder");
    let _queue = open(folder.path());
    let second = Queue::open(folder.path(), &limits(), Hand::at(CAME).clock());
    assert!(matches!(second.err(), Some(OpenError::InUse { .. })));
}

#[tokio::test]
async fn rejects_a_newer_format_and_names_both() {
    let folder = tempfile::tempdir().expect("folder");
    drop(open(folder.path()));
    let file = redb::Database::open(folder.path().join(store::FILE)).expect("file");
    let writing = file.begin_write().expect("begins");
    {
        let mut numbers = writing.open_table(tables::NUMBERS).expect("table");
        numbers.insert(tables::FORMAT, 4).expect("inserted");
    }
    writing.commit().expect("committed");
    drop(file);
    let opened = Queue::open(folder.path(), &limits(), Hand::at(CAME).clock());
    let Err(OpenError::Format {
        found: 4,
        expected: 3,
    }) = opened.map(drop)
    else {
        panic!("opened");
    };
}

#[test]
fn rejects_a_file_that_is_no_queue() {
    let folder = tempfile::tempdir().expect("folder");
    std::fs::write(folder.path().join(store::FILE), [7; 9_000]).expect("written");
    let opened = Queue::open(folder.path(), &limits(), Hand::at(CAME).clock());
    assert!(matches!(opened.err(), Some(OpenError::Unreadable { .. })));
}

/// Overwrites an entry in the file.
fn damage(folder: &Path, number: u8, bytes: &[u8]) {
    let file = redb::Database::open(folder.join(store::FILE)).expect("file");
    let writing = file.begin_write().expect("begins");
    {
        let mut entries = writing.open_table(tables::ENTRIES).expect("table");
        let id = entry(number).id;
        let ids = writing.open_table(tables::IDS).expect("table");
        let place = ids.get(id.as_bytes()).expect("read").expect("there").value();
        entries.insert(place, (id.as_bytes(), bytes)).expect("inserted");
    }
    writing.commit().expect("committed");
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_set_aside_and_its_mail_kept() {
    let folder = tempfile::tempdir().expect("folder");
    let queue = open(folder.path());
    for number in 1..=3 {
        queue.put(entry(number), mail(number)).await.expect("put");
    }
    drop(queue);
    damage(folder.path(), 2, b"{\"id\":");
    let queue = open(folder.path());
    assert_eq!(ids(&queue.list(&Filter::default()).expect("listed")), [1, 3]);
    assert_eq!(queue.change(entry(2).id, finish(State::Refused)).await, Ok(None));
    assert_eq!(queue.due(u64::MAX, 9), [entry(1).id, entry(3).id]);
    let damaged = queue.damaged().expect("listed");
    assert_eq!((damaged.len(), damaged[0].id), (1, entry(2).id));
    assert_eq!(damaged[0].found, "{\"id\":");
    assert_eq!(queue.mail(entry(2).id), Ok(Some(mail(2))));
    assert_eq!(queue.counts(), BTreeMap::from([(State::Received, 2)]));
    assert_eq!(
        queue.put(entry(2), mail(2)).await,
        Ok(Put::New),
        "a second copy is taken"
    );
}

#[tokio::test]
async fn an_entry_with_a_field_of_a_newer_version_is_set_aside() {
    let folder = tempfile::tempdir().expect("folder");
    let queue = open(folder.path());
    queue.put(entry(1), mail(1)).await.expect("put");
    drop(queue);
    let mut value = serde_json::to_value(entry(1)).expect("JSON");
    value["colour"] = "red".into();
    damage(folder.path(), 1, value.to_string().as_bytes());
    let queue = open(folder.path());
    assert_eq!(queue.entry(entry(1).id), Ok(None));
    queue.set_mark("after", String::new()).await.expect("mark");
    assert_eq!(queue.damaged().expect("listed").len(), 1);
}

#[tokio::test]
async fn verify_finds_what_is_wrong_and_nothing_in_a_whole_queue() {
    let folder = tempfile::tempdir().expect("folder");
    let queue = open(folder.path());
    for number in 1..=3 {
        queue.put(entry(number), mail(number)).await.expect("put");
    }
    queue
        .set_notice(notice(1, NoticeKind::Waiting))
        .await
        .expect("set");
    let verified = queue.verify().expect("verified");
    assert_eq!(verified.faults, Vec::<String>::new());
    assert_eq!((verified.mails, verified.notices), (3, 1));
    assert_eq!(verified.entries, BTreeMap::from([(State::Received, 3)]));
    drop(queue);
    damage(folder.path(), 2, b"x");
    let verified = open(folder.path()).verify().expect("verified");
    let expected = [
        format!("entry {} cannot be read", entry(2).id),
        "2 entries are received, and the index names 3".to_owned(),
    ];
    assert_eq!(verified.faults, expected);
}
