//! Standard input, read by a thread of its own: a runtime would wait at its end for a read that never returns.

use std::io::{BufRead as _, Read as _};
use tokio::sync::{mpsc, oneshot};

/// Bytes of one line; a longer one comes in pieces.
const LINE_BYTES_MAX: u64 = 1024 * 1024;
/// Lines that wait to be read.
const LINES_WAITING: usize = 16;

/// The lines of standard input, without their ends. What is no UTF-8 comes with its bytes replaced.
pub(crate) fn lines() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(LINES_WAITING);
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut line = Vec::new();
        while let Ok(1..) = input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            line.clear();
            if sender.blocking_send(text).is_err() {
                return;
            }
        }
    });
    lines
}

/// Resolves when standard input is closed: the process that holds its other end has ended, however it did.
pub(crate) async fn closed() {
    let (ended, end) = oneshot::channel();
    std::thread::spawn(move || {
        // An error is an end too; and nobody may wait for it any more.
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = ended.send(());
    });
    let _ = end.await;
}
