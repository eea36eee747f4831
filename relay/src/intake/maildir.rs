//! A watched Maildir: another program delivers mail into `new/`, the relay takes it and moves it on.
//!
//! What was taken goes to `cur/` as seen, what is refused for good to the folder `.Refused` (Maildir++),
//! where the operator finds it (the log has the rule and, at debug, the reason), and what is put off stays. A
//! file is moved only after the handler has answered: a crash before the move offers the mail once more, and
//! the queue knows it already. Only `new/` is read, since files in `tmp/` are not whole and files in `cur/`
//! have been seen.

use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::fs;
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, sleep};

use crate::config;
use crate::intake::bare;
use crate::intake::handler::{MailHandler, Reply};
use crate::limits::{
    FOLDER_BATCH_FILES, FOLDER_PUT_OFF_FILES_MAX, JUDGED_AT_ONCE_MAX, MAIL_BYTES_MAX, OFFERED_AGAIN_MAX,
    PUT_OFF_SECS,
};
use crate::mail::Channel;

/// Watches the folder for as long as it is polled. It may be dropped at any moment.
pub async fn run(config: config::Maildir, handler: Arc<dyn MailHandler>) {
    let mut folder = Folder::new(config.path);
    let pause = Duration::from_secs(config.poll_secs.max(1));
    loop {
        match folder.pass(&*handler).await {
            // A full batch: there is more.
            Ok(FOLDER_BATCH_FILES..) => continue,
            Ok(_) => {}
            Err(error) => {
                tracing::error!(folder = %folder.path.display(), %error, "the mail folder cannot be read");
            }
        }
        sleep(pause).await;
    }
}

/// A Maildir, and what was put off in it.
struct Folder {
    path: PathBuf,
    /// File names that are not offered before this moment.
    put_off: HashMap<OsString, Instant>,
}

impl Folder {
    fn new(path: PathBuf) -> Folder {
        Folder {
            path,
            put_off: HashMap::new(),
        }
    }

    /// Offers the files that are there, at most a batch, oldest names first; several at a time, so that one
    /// whose key is not found holds up no other. Gives how many it moved.
    async fn pass(&mut self, handler: &dyn MailHandler) -> io::Result<usize> {
        self.offer_again();
        let mut names = self.names().await?.into_iter();
        let mut offers = FuturesUnordered::new();
        let mut moved = 0;
        loop {
            while offers.len() < JUDGED_AT_ONCE_MAX
                && let Some(name) = names.next()
            {
                let read = read(&self.path, &name).await;
                offers.push(offer(handler, name, read));
            }
            let Some((name, reply)) = offers.next().await else {
                return Ok(moved);
            };
            let is_full = self.put_off.len() >= FOLDER_PUT_OFF_FILES_MAX;
            if is_full && reply.is_later() && !reply.is_later_for_sender() {
                tracing::warn!(folder = %self.path.display(), file = ?name, "too many files are put off; it waits");
            } else if reply.is_later() && !is_full {
                self.put_off(name);
            } else if let Err(error) = self.move_on(&name, &reply).await {
                tracing::error!(file = ?name, %error, "file not moved");
                self.put_off(name);
            } else {
                moved += 1;
            }
        }
    }

    /// Forgets some of those whose time is over, the oldest first; they count as new then.
    fn offer_again(&mut self) {
        let now = Instant::now();
        let mut due: Vec<(Instant, OsString)> = self
            .put_off
            .iter()
            .filter(|(_, until)| **until <= now)
            .map(|(name, until)| (*until, name.clone()))
            .collect();
        due.sort();
        for (_, name) in due.into_iter().take(OFFERED_AGAIN_MAX) {
            self.put_off.remove(&name);
        }
    }

    fn put_off(&mut self, name: OsString) {
        let until = Instant::now() + Duration::from_secs(PUT_OFF_SECS);
        self.put_off.insert(name, until);
    }

    /// The smallest names of `new/` that are not put off. Maildir names begin with the time of delivery.
    async fn names(&self) -> io::Result<BTreeSet<OsString>> {
        let mut names = BTreeSet::new();
        let mut entries = fs::read_dir(self.path.join("new")).await?;
        while let Some(entry) = entries.next_entry().await? {
            let name = entry.file_name();
            let is_hidden = name.as_encoded_bytes().starts_with(b".");
            if is_hidden || self.put_off.contains_key(&name) {
                continue;
            }
            names.insert(name);
            if names.len() > FOLDER_BATCH_FILES {
                names.pop_last();
            }
        }
        Ok(names)
    }

    /// Moves a file out of `new/`.
    async fn move_on(&self, name: &OsStr, reply: &Reply) -> io::Result<()> {
        let from = self.path.join("new").join(name);
        let to = if reply.is_yes() {
            let folder = self.path.join("cur");
            fs::create_dir_all(&folder).await?;
            folder.join(seen(name))
        } else {
            let refused = self.path.join(".Refused");
            make_maildir(&refused).await?;
            refused.join("new").join(name)
        };
        fs::rename(from, to).await
    }
}

/// The mail with CRLF lines; `None` where it is too large, or a link or folder.
async fn read(folder: &Path, name: &OsStr) -> io::Result<Option<Vec<u8>>> {
    let path = folder.join("new").join(name);
    if !fs::symlink_metadata(&path).await?.is_file() {
        return Ok(None);
    }
    let most = u64::try_from(MAIL_BYTES_MAX).unwrap_or(u64::MAX);
    let mut raw = Vec::new();
    let file = fs::File::open(&path).await?;
    file.take(most.saturating_add(1)).read_to_end(&mut raw).await?;
    if raw.len() > MAIL_BYTES_MAX {
        return Ok(None);
    }
    Ok(Some(amendment::mail_of_file(&raw).into_owned()))
}

/// What the handler says about a file.
async fn offer(
    handler: &dyn MailHandler,
    name: OsString,
    read: io::Result<Option<Vec<u8>>>,
) -> (OsString, Reply) {
    // Names are another program's: a line end in one must not begin a line of the log.
    let reply = match read {
        Ok(Some(raw)) => {
            let incoming = bare::incoming(Channel::Maildir, raw);
            let trace = incoming.trace.clone();
            let reply = handler.take(incoming).await;
            tracing::info!(%trace, file = ?name, code = reply.code, "file offered");
            tracing::debug!(%trace, reason = reply.lines.join(" "), "the handler's reply");
            reply
        }
        Ok(None) => {
            tracing::warn!(file = ?name, most = MAIL_BYTES_MAX, "file is too large for a mail, or not a regular file");
            Reply::new(552, "5.3.4", "too large")
        }
        // Another program moved it, or it cannot be read now.
        Err(error) => {
            tracing::warn!(file = ?name, %error, "file not read");
            Reply::new(451, "4.3.0", "not read")
        }
    };
    (name, reply)
}

/// The name in `cur/`: the part before the flags, and the flag S for seen.
fn seen(name: &OsStr) -> OsString {
    let bytes = name.as_encoded_bytes();
    let flags = memchr::memmem::rfind(bytes, b":2,");
    let mut seen = match (flags, name.to_str()) {
        (Some(at), Some(text)) => OsString::from(text.get(..at).unwrap_or(text)),
        _ => name.to_owned(),
    };
    seen.push(":2,S");
    seen
}

/// A Maildir++ folder.
async fn make_maildir(path: &Path) -> io::Result<()> {
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(path.join(part)).await?;
    }
    let mark = path.join("maildirfolder");
    if !fs::try_exists(&mark).await? {
        fs::write(mark, b"").await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::bare::tests::FakeHandler;

    struct Place {
        folder: Folder,
        handler: FakeHandler,
        _temp: tempfile::TempDir,
    }

    impl Place {
        fn new() -> Place {
            let temp = tempfile::tempdir().unwrap();
            for part in ["cur", "new", "tmp"] {
                std::fs::create_dir(temp.path().join(part)).unwrap();
            }
            Place {
                folder: Folder::new(temp.path().to_owned()),
                handler: FakeHandler::default(),
                _temp: temp,
            }
        }

        fn deliver(&self, name: &str, text: &str) {
            std::fs::write(self.folder.path.join("new").join(name), text).unwrap();
        }

        async fn pass(&mut self) -> usize {
            self.folder.pass(&self.handler).await.unwrap()
        }

        fn names(&self, folder: &str) -> Vec<String> {
            let Ok(entries) = std::fs::read_dir(self.folder.path.join(folder)) else {
                return Vec::new();
            };
            let mut names: Vec<String> = entries
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }
    }

    #[tokio::test]
    async fn accepts_what_is_new_oldest_first_and_moves_it_to_cur() {
        let mut place = Place::new();
        place.deliver("1700000002.M1.host", "b\n");
        place.deliver("1700000001.M1.host:2,F", "a\r\nc\n");
        place.deliver(".hidden", "h\n");
        std::fs::write(place.folder.path.join("tmp/half"), "t").unwrap();
        assert_eq!(place.pass().await, 2);
        assert_eq!(place.handler.texts(), ["a\r\nc\n", "b\r\n"]);
        assert_eq!(
            place.names("cur"),
            ["1700000001.M1.host:2,S", "1700000002.M1.host:2,S"]
        );
        assert_eq!(place.names("new"), [".hidden"]);
        assert_eq!(place.pass().await, 0);
        assert_eq!(place.handler.texts().len(), 2);
    }

    #[tokio::test]
    async fn rejects_to_a_folder_of_its_own() {
        let mut place = Place::new();
        place.deliver("1", "NEVER\n");
        place.deliver("2", &"x".repeat(MAIL_BYTES_MAX + 1));
        std::os::unix::fs::symlink("/etc/hostname", place.folder.path.join("new/3")).unwrap();
        assert_eq!(place.pass().await, 3);
        assert_eq!(place.names(".Refused/new"), ["1", "2", "3"]);
        assert_eq!(place.names(".Refused"), ["cur", "maildirfolder", "new", "tmp"]);
        assert_eq!(place.handler.texts(), ["NEVER\r\n"]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_put_off_stays_and_is_offered_again() {
        let mut place = Place::new();
        place.deliver("1", "LATER\n");
        place.deliver("2", "b\n");
        assert_eq!(place.pass().await, 1);
        assert_eq!(place.names("new"), ["1"]);
        assert_eq!(place.pass().await, 0);
        assert_eq!(place.handler.texts().len(), 2);
        tokio::time::advance(Duration::from_secs(PUT_OFF_SECS)).await;
        assert_eq!(place.pass().await, 0);
        assert_eq!(place.handler.texts(), ["LATER\r\n", "b\r\n", "LATER\r\n"]);
    }

    // The attack: one sender over his limit, without end. Another's mail is taken all the same.
    #[tokio::test(start_paused = true)]
    async fn mail_over_its_senders_limit_holds_up_no_other() {
        let mut place = Place::new();
        for number in 0..FOLDER_PUT_OFF_FILES_MAX {
            place.folder.put_off(number.to_string().into());
        }
        place.deliver("a1", "OVER LIMIT\n");
        place.deliver("a2", "b\n");
        assert_eq!(place.pass().await, 2);
        assert_eq!(place.names(".Refused/new"), ["a1"]);
        assert_eq!(place.names("cur"), ["a2:2,S"]);
        place.deliver("a3", "LATER\n");
        assert_eq!(place.pass().await, 0);
        assert_eq!(place.names("new"), ["a3"]);
    }

    #[tokio::test(start_paused = true)]
    async fn few_are_offered_again_before_what_is_new() {
        let mut place = Place::new();
        for number in 0..3 * OFFERED_AGAIN_MAX {
            place.deliver(&format!("{number:03}"), "LATER\n");
        }
        assert_eq!(place.pass().await, 0);
        tokio::time::advance(Duration::from_secs(PUT_OFF_SECS)).await;
        for pass in 4..=6 {
            assert_eq!(place.pass().await, 0);
            assert_eq!(place.handler.texts().len(), pass * OFFERED_AGAIN_MAX);
        }
        assert_eq!(place.pass().await, 0);
        assert_eq!(place.handler.texts().len(), 6 * OFFERED_AGAIN_MAX);
    }

    // Five seconds each for keys that nobody answers for.
    #[tokio::test(start_paused = true)]
    async fn files_are_judged_side_by_side() {
        let mut place = Place::new();
        for number in 0..40 {
            place.deliver(&format!("{number:02}"), "SLOW LATER\n");
        }
        place.deliver("99", "b\n");
        let began = Instant::now();
        assert_eq!(place.pass().await, 1);
        assert!(began.elapsed() < Duration::from_secs(6));
        assert_eq!((place.names("new").len(), place.names("cur").len()), (40, 1));
    }

    #[tokio::test]
    async fn accepts_a_file_with_the_line_of_mbox_files() {
        let mut place = Place::new();
        let text = "From a@b Mon Nov 30 07:00:00 2026\nReturn-Path: <a@b>\nTo: c\n\nx\n";
        place.deliver("1", text);
        assert_eq!(place.pass().await, 1);
        assert_eq!(
            place.handler.texts(),
            ["Return-Path: <a@b>\r\nTo: c\r\n\r\nx\r\n"]
        );
        let offered = place.handler.offered.lock().unwrap();
        assert_eq!(offered[0].reverse_path.as_deref(), Some("a@b"));
    }

    // Killed after the handler's answer and before the move: the same state as a file that was never offered.
    #[tokio::test]
    async fn a_crash_before_the_move_offers_the_mail_once_more() {
        let mut place = Place::new();
        place.deliver("1", "a\n");
        let raw = read(&place.folder.path, OsStr::new("1")).await.unwrap().unwrap();
        place.handler.take(bare::incoming(Channel::Maildir, raw)).await;
        place.folder = Folder::new(place.folder.path.clone());
        assert_eq!(place.pass().await, 1);
        assert_eq!(place.handler.texts(), ["a\r\n", "a\r\n"]);
        assert_eq!(place.names("cur"), ["1:2,S"]);
    }

    #[tokio::test]
    async fn rejects_a_folder_that_is_not_there_without_end() {
        let mut folder = Folder::new(PathBuf::from("/nonexistent/maildir"));
        assert!(folder.pass(&FakeHandler::default()).await.is_err());
    }
}
