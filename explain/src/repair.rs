//! What the author of a line that is almost an instruction may have meant. Only the spelling is repaired: no
//! amount and no name is guessed, and quoted lines are left alone.
//!
//! Spec: 5.1, 12.

use amendment::instruction::line::is_instruction_line;
use amendment::limits::SHOWN_BYTES_MAX;

/// Characters that look like a blank: no-break space, thin spaces, ideographic space.
const BLANKS: [char; 5] = ['\t', '\u{a0}', '\u{2009}', '\u{202f}', '\u{3000}'];
/// Characters that are not seen: soft hyphen, zero-width ones, byte order mark.
const INVISIBLE: [char; 5] = ['\u{ad}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{feff}'];
/// Marks that programs and people put around a line.
const MARKS: [char; 10] = ['*', '_', '-', '`', '"', '\'', ' ', '.', '!', ';'];

/// The instruction that differs from a line in its spelling alone.
pub(crate) fn repaired(line: &[u8]) -> Option<String> {
    if line.len() > SHOWN_BYTES_MAX {
        return None;
    }
    let text: String = std::str::from_utf8(line)
        .ok()?
        .chars()
        .filter(|c| !INVISIBLE.contains(c))
        .map(|c| if BLANKS.contains(&c) { ' ' } else { c })
        .collect();
    let words: Vec<&str> = text
        .trim_matches(MARKS)
        .split(' ')
        .filter(|word| !word.is_empty())
        .collect();
    let (verb, rest) = words.split_first()?;
    let mut out = vec![verb.to_ascii_uppercase()];
    match (out.first()?.as_str(), rest) {
        ("REMIT", [amount, rest @ ..]) => {
            let (amount, rest) = match (amount_and_currency(amount), rest) {
                (Some((amount, currency)), rest) => (vec![amount, currency], rest),
                (None, [currency, rest @ ..]) => (vec![point(amount)?, upper_currency(currency)], rest),
                (None, []) => return None,
            };
            out.extend(amount);
            out.extend(tail(rest));
        }
        ("REKEY", [key, rest @ ..]) => {
            out.push((*key).to_owned());
            out.extend(tail(rest));
        }
        _ => return None,
    }
    let repaired = out.join(" ");
    (repaired.as_bytes() != line && is_instruction_line(repaired.as_bytes())).then_some(repaired)
}

/// `10XAH` as two words.
fn amount_and_currency(word: &str) -> Option<(String, String)> {
    let upper = word.to_ascii_uppercase();
    let amount = upper.strip_suffix("XAH")?;
    (!amount.is_empty()).then(|| Some((point(amount)?, "XAH".to_owned())))?
}

/// `1,5` with a point. Three digits behind a comma may be thousands, so that is not repaired.
fn point(amount: &str) -> Option<String> {
    match amount.split_once(',') {
        None => Some(amount.to_owned()),
        Some((_, decimals)) if decimals.len() == 3 || decimals.contains([',', '.']) => None,
        Some((whole, decimals)) => Some(format!("{whole}.{decimals}")),
    }
}

fn upper_currency(word: &str) -> String {
    match word.split_once('/') {
        Some((code, issuer)) => format!("{}/{issuer}", code.to_ascii_uppercase()),
        None => word.to_ascii_uppercase(),
    }
}

/// What follows the money: `TO` with its address in angle brackets, `NET`.
fn tail(words: &[&str]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for word in words {
        let after_to = out.last().is_some_and(|last| last == "TO");
        out.push(if after_to && word.contains('@') && !word.starts_with('<') {
            format!("<{word}>")
        } else if word.eq_ignore_ascii_case("TO") || word.eq_ignore_ascii_case("NET") {
            word.to_ascii_uppercase()
        } else {
            (*word).to_owned()
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_lines_that_differ_in_spelling() {
        for (line, meant) in [
            ("remit 10 xah", "REMIT 10 XAH"),
            (" REMIT 10 XAH", "REMIT 10 XAH"),
            ("*REMIT 10 XAH*", "REMIT 10 XAH"),
            ("- REMIT 10 XAH.", "REMIT 10 XAH"),
            ("REMIT 10XAH", "REMIT 10 XAH"),
            ("REMIT 1,5 XAH", "REMIT 1.5 XAH"),
            ("REMIT\u{a0}10\u{a0}XAH", "REMIT 10 XAH"),
            ("\u{feff}REMIT 10 XAH", "REMIT 10 XAH"),
            (
                "REMIT 10 XAH to bob@example.com net 21338",
                "REMIT 10 XAH TO <bob@example.com> NET 21338",
            ),
        ] {
            assert_eq!(repaired(line.as_bytes()).as_deref(), Some(meant), "{line}");
        }
    }

    /// Nothing is guessed: not whose digits are thousands, not a currency, not letters that only look alike.
    #[test]
    fn rejects_lines_that_could_mean_something_else() {
        for line in [
            "REMIT 10 XAH",
            "REMIT 1,000 XAH",
            "REMIT 1.000,5 XAH",
            "REMIT 10",
            "REMIT ten XAH",
            "> REMIT 10 XAH",
            "Hello REMIT 10 XAH",
            "REMIT 10 X\u{410}H",
            "REMIT 10 XAH TO bob",
            "REMIT 10 XAH please",
            "",
            "***",
        ] {
            assert_eq!(repaired(line.as_bytes()), None, "{line}");
        }
        assert_eq!(repaired(&[b'x'; SHOWN_BYTES_MAX + 1]), None);
    }
}
