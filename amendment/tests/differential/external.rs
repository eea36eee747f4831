//! dkimpy and libopendkim, each in a process of its own that answers over pipes (tests/peers).

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::corpus::Sample;
use crate::table::Peer;

/// A process that judges mails.
pub(crate) struct External {
    name: &'static str,
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

fn peers() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/peers")
}

impl External {
    fn start(name: &'static str, command: &mut Command) -> External {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        External {
            name,
            requests: child.stdin.take().expect("its input"),
            answers: BufReader::new(child.stdout.take().expect("its output")),
            child,
        }
    }

    /// dkimpy under the first Python that has it.
    pub(crate) fn dkimpy() -> Option<External> {
        let has_it = |python: &&str| {
            let tried = Command::new(python)
                .args(["-c", "import dkim"])
                .stderr(Stdio::null())
                .status();
            tried.is_ok_and(|status| status.success())
        };
        let python = ["python3", "/usr/bin/python3"].into_iter().find(has_it)?;
        Some(External::start(
            "dkimpy",
            Command::new(python).arg(peers().join("dkimpy_peer.py")),
        ))
    }

    /// libopendkim, if a program can be linked with it in this folder.
    pub(crate) fn opendkim(folder: &Path) -> Option<External> {
        let program = folder.join("opendkim_peer");
        let built = Command::new("cc")
            .args(["-Wall", "-Wextra", "-Werror", "-O2", "-o"])
            .arg(&program)
            .arg(peers().join("opendkim_peer.c"))
            .arg("-lopendkim")
            .stderr(Stdio::null())
            .status();
        let built = built.is_ok_and(|status| status.success());
        built.then(|| External::start("libopendkim", &mut Command::new(&program)))
    }
}

fn push(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&u32::try_from(bytes.len()).expect("32 bits").to_be_bytes());
    out.extend_from_slice(bytes);
}

impl Peer for External {
    fn name(&self) -> &'static str {
        self.name
    }

    fn accepts(&mut self, sample: &Sample) -> bool {
        let mut request = sample.at.to_be_bytes().to_vec();
        push(&mut request, &sample.mail);
        let rows: Vec<(&String, &Vec<u8>)> = sample
            .keys
            .iter()
            .flat_map(|(name, records)| records.iter().map(move |record| (name, record)))
            .collect();
        request.extend_from_slice(&u32::try_from(rows.len()).expect("32 bits").to_be_bytes());
        for (name, record) in rows {
            push(&mut request, name.as_bytes());
            push(&mut request, record);
        }
        self.requests.write_all(&request).expect("it reads");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("it answers");
        match answer.trim_end() {
            "1" => true,
            "0" => false,
            other => panic!("{} ended at {}: {other:?}", self.name, sample.name),
        }
    }
}

impl Drop for External {
    fn drop(&mut self) {
        // Its input closes with it, which ends it; killed in case it hangs.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
