//! The crates' source, read as Rust tokens: what is product and what is test, and which file uses which.

use crate::{packages, read, root};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;

/// Names from the crate's root down.
type Names = Vec<String>;

/// A crate without its tests: the files that `mod` declarations lead to from its root.
pub(crate) struct Crate {
    pub files: Vec<File>,
    modules: BTreeMap<Names, Module>,
}

/// A file of a crate.
pub(crate) struct File {
    /// Below the root of the checkout.
    pub path: String,
    /// Its text, with the lines of `#[cfg(test)]` empty.
    pub product: String,
}

/// Why a name comes in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// `use`: for the module itself.
    Use,
    /// `pub use`: for others.
    HandOn,
}

/// What stands in a module, be it a file or within braces.
#[derive(Default)]
struct Module {
    /// The file, by its place in [`Crate::files`].
    file: usize,
    /// Items that it defines.
    items: BTreeSet<String>,
    /// Names that `use` brings in, and what they stand for.
    aliases: BTreeMap<String, Names>,
    /// Modules all of whose names `use` brings in.
    globs: Vec<Names>,
    /// Paths in its code, from the crate's root.
    paths: BTreeSet<Names>,
}

/// The crates of the workspace, by the name they are imported by.
pub(crate) fn crates() -> Vec<(String, Crate)> {
    let root_of = |package: &serde_json::Value| {
        let targets = package["targets"].as_array().expect("targets").iter();
        let is_root = |kind: &serde_json::Value| matches!(kind.as_str(), Some("lib" | "rlib" | "bin"));
        let kinds =
            |target: &&serde_json::Value| target["kind"].as_array().into_iter().flatten().any(is_root);
        let mut targets = targets.filter(kinds);
        let target = targets.next().expect("a library or a program");
        let file = Path::new(target["src_path"].as_str().expect("a path"));
        let file = file.strip_prefix(root()).expect("below the root");
        let name = target["name"].as_str().expect("a name").to_owned();
        (name, Crate::read(file.to_str().expect("a path")))
    };
    packages().iter().map(root_of).collect()
}

impl Crate {
    /// Reads a crate from the file that is its root.
    pub(crate) fn read(file: &str) -> Crate {
        let mut found = Crate {
            files: Vec::new(),
            modules: BTreeMap::new(),
        };
        let file = Path::new(file);
        found.add_file(Vec::new(), file, file.parent().expect("a folder"));
        found
    }

    /// Reads a file, and those below `folder` that its `mod` declarations name.
    fn add_file(&mut self, name: Names, path: &Path, folder: &Path) {
        let text = read(path);
        let tokens =
            TokenStream::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut tests = Vec::new();
        let product = without_tests(tokens, &mut tests);
        self.files.push(File {
            path: path.display().to_string(),
            product: without_lines(&text, &tests),
        });
        self.add_module(name, self.files.len() - 1, &product, folder);
    }

    fn add_module(&mut self, name: Names, file: usize, tokens: &[TokenTree], folder: &Path) {
        let mut module = Module {
            file,
            ..Module::default()
        };
        for (child, body) in module.fill(&name, tokens) {
            let below = [name.clone(), vec![child.clone()]].concat();
            let inner = folder.join(&child);
            if let Some(body) = body {
                let body: Vec<TokenTree> = body.stream().into_iter().collect();
                self.add_module(below, file, &body, &inner);
                continue;
            }
            let flat = folder.join(format!("{child}.rs"));
            let found = if root().join(&flat).is_file() {
                flat
            } else {
                inner.join("mod.rs")
            };
            self.add_file(below, &found, &inner);
        }
        self.modules.insert(name, module);
    }

    /// The file that defines what a path names; the nearest that is known where it leads out of the crate.
    fn file_of(&self, path: &[String], aliases_left: usize) -> Option<usize> {
        let known = (0..=path.len())
            .rev()
            .find(|&end| self.modules.contains_key(&path[..end]))?;
        let module = &self.modules[&path[..known]];
        let here = Some(module.file);
        let Some(name) = path.get(known).filter(|name| !module.items.contains(*name)) else {
            return here;
        };
        let Some(aliases_left) = aliases_left.checked_sub(1) else {
            return here;
        };
        if let Some(target) = module.aliases.get(name) {
            return self.file_of(&[target, &path[known + 1..]].concat(), aliases_left);
        }
        let holds = |glob: &&Names| {
            let target = self.modules.get(*glob);
            target.is_some_and(|target| target.items.contains(name) || target.aliases.contains_key(name))
        };
        match module.globs.iter().find(holds) {
            Some(glob) => self.file_of(&[glob, &path[known..]].concat(), aliases_left),
            None => here,
        }
    }

    /// Which file uses which. A module that only hands a name on (`pub use`) does not use it.
    fn uses(&self) -> BTreeMap<usize, BTreeSet<usize>> {
        const ALIASES_MAX: usize = 8;
        let mut uses: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for module in self.modules.values() {
            let used = module
                .paths
                .iter()
                .filter_map(|path| self.file_of(path, ALIASES_MAX));
            let used = used.filter(|file| *file != module.file);
            uses.entry(module.file).or_default().extend(used);
        }
        uses
    }

    /// Circles: sets of files that use each other, directly or through others of the set.
    pub(crate) fn circles(&self) -> BTreeSet<BTreeSet<String>> {
        let uses = self.uses();
        let reached: BTreeMap<usize, BTreeSet<usize>> =
            uses.keys().map(|file| (*file, reach(&uses, *file))).collect();
        let mutual = |file: &usize| -> BTreeSet<String> {
            let others = reached[file].iter().filter(|other| reached[other].contains(file));
            others.map(|other| self.files[*other].path.clone()).collect()
        };
        let circles = reached.keys().map(mutual);
        circles.filter(|circle| !circle.is_empty()).collect()
    }
}

/// The files that one uses, directly or through others.
fn reach(uses: &BTreeMap<usize, BTreeSet<usize>>, from: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(file) = open.pop() {
        open.extend(uses[&file].iter().filter(|next| found.insert(**next)));
    }
    found
}

impl Module {
    /// Reads the tokens of the module `name`; gives the modules that it declares, with their tokens where
    /// they are inside.
    fn fill(&mut self, name: &Names, tokens: &[TokenTree]) -> Vec<(String, Option<Group>)> {
        let mut children = Vec::new();
        let mut code = Vec::new();
        let mut rest = tokens;
        while let [token, after @ ..] = rest {
            rest = after;
            match word(token).as_deref() {
                Some("mod") => {
                    let body = match after.get(1) {
                        Some(TokenTree::Group(body)) => Some(body.clone()),
                        _ => None,
                    };
                    children.extend(after.first().and_then(word).map(|child| (child, body)));
                    rest = after.get(2..).unwrap_or_default();
                }
                Some("use") => {
                    let end = after.iter().position(|token| is_mark(token, ';'));
                    let (tree, after) = after.split_at(end.expect("`use` ends with a semicolon"));
                    let is_public = code
                        .iter()
                        .rev()
                        .take(2)
                        .any(|token| word(token).as_deref() == Some("pub"));
                    let purpose = if is_public { Purpose::HandOn } else { Purpose::Use };
                    self.add_use(name, tree, Vec::new(), purpose);
                    rest = after;
                }
                Some("fn" | "struct" | "enum" | "trait" | "type" | "const" | "static" | "union") => {
                    self.items.extend(after.first().and_then(word));
                }
                _ => code.push(token.clone()),
            }
        }
        let modules: BTreeSet<&str> = children.iter().map(|(child, _)| child.as_str()).collect();
        self.add_paths(name, &code, &modules);
        children
    }

    /// A tree of a `use` declaration below `path`.
    fn add_use(&mut self, module: &Names, tree: &[TokenTree], mut path: Names, purpose: Purpose) {
        let mut alias = None;
        let mut is_glob = false;
        for token in tree {
            match token {
                TokenTree::Group(group) => {
                    let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
                    for branch in tokens.split(|token| is_mark(token, ',')) {
                        self.add_use(module, branch, path.clone(), purpose);
                    }
                    return;
                }
                TokenTree::Ident(name) if name == "as" => alias = tree.last().and_then(word),
                TokenTree::Ident(name) if alias.is_none() && (name != "self" || path.is_empty()) => {
                    path.push(name.to_string());
                }
                _ => is_glob |= is_mark(token, '*'),
            }
        }
        let Some(alias) = alias.or_else(|| path.last().cloned()) else {
            return;
        };
        let target = from_root(module, &path);
        if purpose == Purpose::Use {
            self.paths.insert(target.clone());
        }
        if is_glob {
            self.globs.push(target);
        } else {
            self.aliases.insert(alias, target);
        }
    }

    /// Paths in code: those with `::`, and single names that `use` brought in.
    fn add_paths(&mut self, module: &Names, tokens: &[TokenTree], modules: &BTreeSet<&str>) {
        let mut path = Names::new();
        let mut colons = 0;
        let mut is_member = false;
        for token in tokens {
            if is_mark(token, ':') {
                colons += 1;
                continue;
            }
            if colons != 2 {
                self.add_path(module, &path, modules);
                path.clear();
            } else if path.is_empty() {
                // `::name` is of another crate.
                path.push(String::new());
            }
            match token {
                TokenTree::Ident(name) if !is_member => path.push(name.to_string()),
                TokenTree::Group(group) => {
                    let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
                    // `pub(in path)` says who sees an item, and uses nothing.
                    if tokens.first().and_then(word).as_deref() != Some("in") {
                        self.add_paths(module, &tokens, modules);
                    }
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            colons = 0;
            is_member = is_mark(token, '.');
        }
        self.add_path(module, &path, modules);
    }

    fn add_path(&mut self, module: &Names, path: &[String], modules: &BTreeSet<&str>) {
        let Some(first) = path.first() else { return };
        let is_ours =
            matches!(first.as_str(), "crate" | "self" | "super") || modules.contains(first.as_str());
        if (is_ours && path.len() > 1) || self.aliases.contains_key(first) {
            self.paths.insert(from_root(module, path));
        }
    }
}

/// A path as it stands in a module, from the crate's root.
fn from_root(module: &Names, path: &[String]) -> Names {
    let mut full = module.clone();
    for (at, name) in path.iter().enumerate() {
        match name.as_str() {
            "crate" if at == 0 => full.clear(),
            "self" if at == 0 => {}
            "super" => drop(full.pop()),
            _ => full.push(name.clone()),
        }
    }
    full
}

fn word(token: &TokenTree) -> Option<String> {
    match token {
        TokenTree::Ident(name) => Some(name.to_string()),
        _ => None,
    }
}

fn is_mark(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(found) if found.as_char() == mark)
}

/// Whether the brackets of an attribute say that only tests see the item below.
fn is_for_tests(attribute: &Group) -> bool {
    let text = attribute.stream().to_string().replace(' ', "");
    text == "cfg(test)" || text.starts_with("cfg(all(test,")
}

/// Leaves out every item, statement and member below `#[cfg(test)]`; tells the lines where they stand.
fn without_tests(tokens: TokenStream, lines: &mut Vec<RangeInclusive<usize>>) -> Vec<TokenTree> {
    let mut kept = Vec::new();
    let mut rest: &[TokenTree] = &tokens.into_iter().collect::<Vec<_>>();
    while let [token, after @ ..] = rest {
        let attributes = attributes(rest);
        if attributes.iter().any(|attribute| is_for_tests(attribute)) {
            let (item, after) =
                rest.split_at(2 * attributes.len() + item_length(&rest[2 * attributes.len()..]));
            let last = item.last().expect("an attribute");
            lines.push(token.span().start().line..=last.span().end().line);
            rest = after;
            continue;
        }
        kept.push(match token {
            TokenTree::Group(group) => {
                let inside = without_tests(group.stream(), lines).into_iter().collect();
                TokenTree::Group(Group::new(group.delimiter(), inside))
            }
            _ => token.clone(),
        });
        rest = after;
    }
    kept
}

/// The outer attributes at the head of these tokens, doc comments among them.
fn attributes(tokens: &[TokenTree]) -> Vec<&Group> {
    let pairs = tokens.chunks_exact(2).map_while(|pair| match pair {
        [hash, TokenTree::Group(group)] if is_mark(hash, '#') && group.delimiter() == Delimiter::Bracket => {
            Some(group)
        }
        _ => None,
    });
    pairs.collect()
}

/// How many tokens the item at the head of these has: up to its braces, or to its semicolon where it is a
/// value or a `use`.
fn item_length(tokens: &[TokenTree]) -> usize {
    let has_body = tokens
        .iter()
        .find_map(|token| match word(token)?.as_str() {
            "fn" | "mod" | "struct" | "enum" | "union" | "trait" | "impl" | "macro_rules" => Some(true),
            "use" | "static" | "let" | "type" => Some(false),
            _ => None,
        })
        .unwrap_or(false);
    let ends = |token: &TokenTree| {
        let is_body = matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
        is_mark(token, ';') || (has_body && is_body)
    };
    tokens.iter().position(ends).map_or(tokens.len(), |at| at + 1)
}

fn without_lines(text: &str, left_out: &[RangeInclusive<usize>]) -> String {
    let kept = text.lines().enumerate().map(|(at, line)| {
        let is_out = left_out.iter().any(|lines| lines.contains(&(at + 1)));
        if is_out { "" } else { line }
    });
    kept.collect::<Vec<_>>().join("\n")
}
