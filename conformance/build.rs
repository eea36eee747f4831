//! Lists the fixtures that the pack is made of, so that the program holds them: whoever has only the program can export
//! the pack.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Folders below `fixtures`.
const FOLDERS: [&str; 2] = ["cases", "vectors"];

fn main() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let mut files = Vec::new();
    for folder in FOLDERS {
        println!("cargo::rerun-if-changed=../fixtures/{folder}");
        collect(&fixtures.join(folder), &mut files);
    }
    files.sort();
    let mut list = String::from("&[\n");
    for file in files {
        let name = file.strip_prefix(&fixtures).expect("below fixtures");
        let name = name.to_str().expect("a name in ASCII");
        writeln!(list, "    ({name:?}, include_bytes!({file:?})),").expect("text grows");
    }
    list.push_str("]\n");
    let out = std::env::var_os("OUT_DIR").expect("cargo sets it");
    std::fs::write(Path::new(&out).join("files.rs"), list).expect("the list is written");
}

/// All files below a folder.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
