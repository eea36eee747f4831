//! Every dialogue of fixtures/smtp, in pieces of several sizes.

use std::path::Path;

use crate::script::play;

#[test]
fn sessions_follow_every_dialogue() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/smtp");
    let mut played = 0;
    for entry in std::fs::read_dir(folder).expect("folder") {
        let path = entry.expect("entry").path();
        if path.extension().is_none_or(|ending| ending != "txt") {
            continue;
        }
        let name = path.file_name().expect("name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("dialogue");
        for step in [usize::MAX, 1, 2, 3, 7, 1_000] {
            play(&name, &text, step);
        }
        played += 1;
    }
    assert!(played >= 40, "only {played} dialogues");
}
