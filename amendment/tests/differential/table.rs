//! Verdicts of two programs side by side: the 2x2 table, and the class of each difference. docs/deviations.md
//! lists the classes; whatever it does not list is a failure.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::classes;
use crate::corpus::Sample;
use crate::mail::Mail;
use crate::verdict::{self, Verdict};

/// Another DKIM verifier.
pub(crate) trait Peer {
    /// As docs/deviations.md names it.
    fn name(&self) -> &'static str;

    /// Whether one of the signatures of a mail verifies.
    fn accepts(&mut self, sample: &Sample) -> bool;
}

/// A cell of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cell {
    /// Both programs accept.
    Both,
    /// Both refuse.
    Neither,
    /// Our verifier alone accepts.
    OnlyWe,
    /// The peer alone accepts.
    OnlyThey,
}

impl Cell {
    fn as_str(self) -> &'static str {
        match self {
            Cell::Both => "both accept",
            Cell::Neither => "both refuse",
            Cell::OnlyWe => "only we accept",
            Cell::OnlyThey => "only they accept",
        }
    }
}

/// Examples that are kept of a class.
const EXAMPLES: usize = 3;

/// Verdicts of one peer over many mails.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    counts: BTreeMap<Cell, u64>,
    /// How many differences fall into each class, and some of them.
    classes: BTreeMap<(Cell, String), (u64, Vec<String>)>,
}

impl Table {
    /// Judges one mail.
    pub(crate) fn add(&mut self, peer: &mut dyn Peer, sample: &Sample) {
        let accepts = peer.accepts(sample);
        let ours = verdict::ours(sample);
        let cell = match (&ours, accepts) {
            (Verdict::Accepts, true) => Cell::Both,
            (Verdict::Refuses(_), false) => Cell::Neither,
            (Verdict::Accepts, false) => Cell::OnlyWe,
            (Verdict::Refuses(_), true) => Cell::OnlyThey,
        };
        *self.counts.entry(cell).or_default() += 1;
        let class = match cell {
            Cell::Both | Cell::Neither => return,
            Cell::OnlyWe => classes::why_only_we(peer, sample),
            Cell::OnlyThey => classes::why_only_they(peer, sample),
        };
        let (count, examples) = self.classes.entry((cell, class)).or_default();
        *count += 1;
        if examples.len() < EXAMPLES {
            examples.push(example(sample));
        }
    }

    /// Adds another table's numbers.
    pub(crate) fn merge(&mut self, other: Table) {
        for (cell, count) in other.counts {
            *self.counts.entry(cell).or_default() += count;
        }
        for (class, (count, examples)) in other.classes {
            let known = self.classes.entry(class).or_default();
            known.0 += count;
            known.1.extend(examples);
            known.1.truncate(EXAMPLES);
        }
    }

    /// How many mails fell into a cell.
    pub(crate) fn count(&self, cell: Cell) -> u64 {
        self.counts.get(&cell).copied().unwrap_or_default()
    }

    /// The 2x2 table and the classes, as text.
    pub(crate) fn text(&self, peer: &str, what: &str) -> String {
        let of = |cell| self.count(cell);
        let mut out = format!(
            "\n{what}, ours against {peer}:\n{:>16} {:>14} {:>14}\n{:>16} {:>14} {:>14}\n{:>16} {:>14} {:>14}\n",
            "",
            "they accept",
            "they refuse",
            "we accept",
            of(Cell::Both),
            of(Cell::OnlyWe),
            "we refuse",
            of(Cell::OnlyThey),
            of(Cell::Neither)
        );
        for ((cell, class), (count, _)) in &self.classes {
            out.push_str(&format!("{count:>9} {}: {class}\n", cell.as_str()));
        }
        out
    }

    /// What is wrong with this table: an empty cell where both agree, or a class that docs/deviations.md does
    /// not list.
    pub(crate) fn problems(&self, peer: &str) -> Vec<String> {
        let argued = argued(peer);
        let empty = [Cell::Both, Cell::Neither]
            .into_iter()
            .filter(|cell| self.count(*cell) == 0);
        let mut problems: Vec<String> = empty
            .map(|cell| format!("{peer}: {}: no mail", cell.as_str()))
            .collect();
        for ((cell, class), (count, examples)) in &self.classes {
            if !argued.contains(&(cell.as_str().to_owned(), class.clone())) {
                problems.push(format!(
                    "{peer}: {}: {class}: {count} mails, not in docs/deviations.md, such as {}",
                    cell.as_str(),
                    examples.join("\n  and ")
                ));
            }
        }
        problems
    }

    /// Rows of docs/deviations.md that no mail of this table falls into.
    pub(crate) fn unused(&self, peer: &str) -> Vec<String> {
        let found: BTreeSet<(String, String)> = self
            .classes
            .keys()
            .map(|(cell, class)| (cell.as_str().to_owned(), class.clone()))
            .collect();
        let unused = argued(peer).into_iter().filter(|row| !found.contains(row));
        unused
            .map(|(cell, class)| {
                format!("{peer}: docs/deviations.md lists '{cell}: {class}', of which there is none")
            })
            .collect()
    }
}

/// Cell and class of each row that names a peer in docs/deviations.md, "Differential runs".
fn argued(peer: &str) -> BTreeSet<(String, String)> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/deviations.md");
    let text = std::fs::read_to_string(path).expect("docs/deviations.md");
    let section = text
        .split("\n## ")
        .find(|section| section.starts_with("Differential runs"));
    let rows = section
        .unwrap_or_default()
        .lines()
        .filter(|line| line.starts_with("| "));
    let cells = rows.map(|row| {
        row.split('|')
            .map(|cell| cell.trim().to_owned())
            .collect::<Vec<String>>()
    });
    cells
        .filter(|cells| cells[1].split(", ").any(|one| one == peer))
        .map(|cells| (cells[2].clone(), cells[3].clone()))
        .collect()
}

/// A mail that can be read in a terminal: its name, its signatures, the end of its body, its keys.
fn example(sample: &Sample) -> String {
    let show = |bytes: &[u8]| bytes.escape_ascii().to_string();
    let keys: Vec<String> = sample
        .keys
        .iter()
        .map(|(name, records)| {
            format!(
                "{name}: {}",
                records
                    .iter()
                    .map(|record| show(record))
                    .collect::<Vec<String>>()
                    .join(" | ")
            )
        })
        .collect();
    let mut mail = show(&sample.mail);
    if let Some(split) = Mail::split(&sample.mail)
        && mail.len() > 6_000
    {
        mail = format!(
            "(shortened) {}",
            split
                .signatures()
                .iter()
                .map(|at| show(&split.fields[*at]))
                .collect::<String>()
        );
    }
    mail.truncate(6_000);
    format!("{}\n    {mail}\n    {}", sample.name, keys.join("\n    "))
}
