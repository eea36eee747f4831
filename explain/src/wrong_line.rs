//! What is wrong with a first line that was meant as an instruction: the part that was not understood, and how
//! that part is written. A whole line is told only where the author's own differs from it in blanks, letter
//! case and marks around it: nothing is guessed, and nothing that stands on the line is left out, for what was
//! not understood may be the receiver or the network.
//!
//! In the texts words in capitals (AMOUNT, ADDRESS, ACCOUNT, TAG, ISSUER, NUMBER) stand for what the author has
//! to put there. The grammar or rule 2.1 refuses a line that still holds one.
//!
//! Spec: 5.1, 12.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use amendment::instruction::line::{Line, is_instruction_line};
use codec::{AccountId, base58};

/// What a line that begins like an instruction was read as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meant {
    /// This instruction, spelt otherwise.
    Line(String),
    /// A part was not understood.
    Part {
        /// As it is written.
        part: String,
        /// How it is written.
        hint: &'static str,
    },
    /// A character that nobody can see.
    Hidden(char),
}

/// Characters that look like a blank: tab, no-break space, thin spaces, ideographic space.
const BLANKS: [char; 6] = ['\t', '\u{a0}', '\u{2007}', '\u{2009}', '\u{202f}', '\u{3000}'];
/// Marks that programs and people put before a line.
const MARKS_BEFORE: [char; 9] = ['*', '_', '-', '`', '"', '\'', '\u{201c}', '\u{feff}', ' '];
/// The same after it; a comma or a semicolon may announce more.
const MARKS_AFTER: [char; 9] = ['*', '_', '`', '"', '\'', '\u{201d}', '.', '!', ' '];
/// Words for paying that are no verb of the grammar.
const OTHER_VERBS: [&str; 8] = [
    "SEND", "PAY", "TRANSFER", "GIVE", "MOVE", "TIP", "WIRE", "PAYMENT",
];

const VERB: &str = "A payment begins with the word REMIT: REMIT AMOUNT XAH TO <ADDRESS>";
const VERB_ALONE: &str = "The first word is REMIT or REKEY and nothing else: REMIT AMOUNT XAH TO <ADDRESS>";
const AMOUNT: &str =
    "The amount is digits alone, with a point before decimals: 10 or 0.5, then the currency.";
const CURRENCY: &str =
    "The currency is XAH, or three capital letters, a slash and the account that issues it.";
const NO_CURRENCY: &str = "Write the currency after the amount, with a blank between: XAH, or USD/ISSUER.";
const XRP: &str = "XRP is the currency of another ledger and worth something else; this ledger's own is XAH.";
const NO_ISSUER: &str = "Other money than XAH is some account's promise, so name that account: USD/ISSUER for dollars, or pay in XAH.";
const RECEIVER: &str = "The receiver is the word TO, then an address in angle brackets or an account, nothing else: TO <ADDRESS>";
const NO_BRACKETS: &str = "Put the receiver's address, and nothing else, into angle brackets: TO <ADDRESS>";
const TWO: &str = "One mail pays one receiver, so write a mail for each: TO <ADDRESS>";
const X_ADDRESS: &str = "X-addresses are not read: write the account that begins with r, and its tag after a plus sign: TO ACCOUNT+TAG";
const TAG: &str = "Write the account and its tag without a blank, joined by a plus sign: TO ACCOUNT+TAG";
const MISTYPED: &str = "No account has this name: copy the account instead of typing it.";
const OTHER_CASE: &str =
    "An account is written exactly as your wallet shows it, in small and capital letters: copy it.";
const NETWORK: &str = "A network is the word NET and its number, without zeros before it: NET NUMBER";
const ORDER: &str = "After the currency stand the receiver, TO <ADDRESS>, and the network, NET NUMBER; other words go below an empty line.";
const KEY: &str = "REKEY is followed by one account that begins with r, the new key: REKEY ACCOUNT";
const REKEY_ORDER: &str =
    "After the account stands at most the network, NET NUMBER; other words go below an empty line.";

/// Reads a first line that is no instruction; `None` where it does not begin like one.
pub(crate) fn read(line: &[u8]) -> Option<Meant> {
    let text = String::from_utf8_lossy(line);
    let text: String = text
        .chars()
        .map(|c| if BLANKS.contains(&c) { ' ' } else { c })
        .collect();
    let text = text
        .trim_start_matches(MARKS_BEFORE)
        .trim_end_matches(MARKS_AFTER);
    let seen: String = text.chars().filter(|c| !is_hidden(*c)).collect();
    let first = seen.split(' ').next().unwrap_or_default().to_ascii_uppercase();
    let verb = first.trim_end_matches([':', ',']);
    let is_payment = OTHER_VERBS.contains(&verb)
        && (seen.contains(|c: char| c.is_ascii_digit() || c == '@')
            || seen.to_ascii_uppercase().contains("XAH"));
    if verb != "REMIT" && verb != "REKEY" && !is_payment {
        return None;
    }
    if let Some(hidden) = text.chars().find(|c| is_hidden(*c)) {
        return Some(Meant::Hidden(hidden));
    }
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let (written, rest) = words.split_first()?;
    let spelt = match verb {
        _ if is_payment => Err(not(written, VERB)),
        verb if verb != first => Err(not(written, VERB_ALONE)),
        "REMIT" => remit(rest),
        _ => rekey(rest),
    };
    Some(spelt.map_or_else(
        |trouble| trouble,
        |line| {
            if is_instruction_line(line.as_bytes()) {
                Meant::Line(line)
            } else {
                not(text, ORDER)
            }
        },
    ))
}

fn not(part: &str, hint: &'static str) -> Meant {
    Meant::Part {
        part: part.to_owned(),
        hint,
    }
}

/// Soft hyphen, zero-width characters, marks of direction, byte order mark. Some make what is seen another
/// text than what is signed, so the line is to be typed.
const HIDDEN: [RangeInclusive<char>; 7] = [
    '\u{ad}'..='\u{ad}',
    '\u{61c}'..='\u{61c}',
    '\u{180e}'..='\u{180e}',
    '\u{200b}'..='\u{200f}',
    '\u{202a}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{feff}'..='\u{feff}',
];

fn is_hidden(c: char) -> bool {
    c.is_control() || HIDDEN.iter().any(|range| range.contains(&c))
}

fn remit(words: &[&str]) -> Result<String, Meant> {
    let (amount, currency, rest) = match words {
        [] => return Err(not("REMIT", AMOUNT)),
        [joined, rest @ ..] if without_xah(joined).is_some() => {
            (without_xah(joined).unwrap_or_default(), "XAH", rest)
        }
        [amount] if point(amount).is_some() => return Err(not(amount, NO_CURRENCY)),
        [amount] => return Err(not(amount, AMOUNT)),
        [amount, word, ..] if point(amount).is_some() && is_receiver_word(word) => {
            return Err(not(amount, NO_CURRENCY));
        }
        [amount, currency, rest @ ..] => (*amount, *currency, rest),
    };
    let amount = point(amount).ok_or_else(|| not(amount, AMOUNT))?;
    let currency = money(&amount, currency)?;
    let (to, rest) = match rest {
        [word, rest @ ..] if word.eq_ignore_ascii_case("TO") => {
            let end = rest.iter().position(|word| word.eq_ignore_ascii_case("NET"));
            let (receiver, rest) = rest
                .split_at_checked(end.unwrap_or(rest.len()))
                .unwrap_or((rest, &[]));
            (format!(" TO {}", self::receiver(receiver)?), rest)
        }
        rest => (String::new(), rest),
    };
    let network = network(rest, ORDER)?;
    Ok(format!("REMIT {amount} {currency}{to}{network}"))
}

/// Whether a word stands where the currency is missing.
fn is_receiver_word(word: &str) -> bool {
    ["TO", "FOR", "NET"]
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known))
        || word.contains('@')
}

fn rekey(words: &[&str]) -> Result<String, Meant> {
    match words {
        [key, rest @ ..] if is_account(key) => Ok(format!("REKEY {key}{}", network(rest, REKEY_ORDER)?)),
        [] => Err(not("REKEY", KEY)),
        words => Err(not(&words.join(" "), KEY)),
    }
}

/// `10XAH` without its currency.
fn without_xah(word: &str) -> Option<&str> {
    let (amount, currency) = word.split_at_checked(word.len().checked_sub(3)?)?;
    (!amount.is_empty() && currency.eq_ignore_ascii_case("XAH")).then_some(amount)
}

/// The amount with a point. One or two digits behind a comma are decimals; more may be thousands.
fn point(amount: &str) -> Option<String> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (whole, decimals) = match (amount.split_once(','), amount.split_once('.')) {
        (Some((whole, decimals)), None) if decimals.len() <= 2 => (whole, decimals),
        (None, Some(parts)) => parts,
        (None, None) if is_number(amount) => return Some(amount.to_owned()),
        (Some(_), _) | (None, None) => return None,
    };
    (is_number(whole) && is_number(decimals)).then(|| format!("{whole}.{decimals}"))
}

fn money(amount: &str, currency: &str) -> Result<String, Meant> {
    if currency.eq_ignore_ascii_case("XAH") {
        return Ok("XAH".to_owned());
    }
    if is_instruction_line(format!("REMIT {amount} {currency}").as_bytes()) {
        return Ok(currency.to_owned());
    }
    let is_code = currency.len() == 3 && currency.bytes().all(|b| b.is_ascii_alphabetic());
    Err(not(
        currency,
        match currency {
            _ if currency.eq_ignore_ascii_case("XRP") => XRP,
            _ if is_code => NO_ISSUER,
            _ => CURRENCY,
        },
    ))
}

/// The words between TO and NET.
fn receiver(words: &[&str]) -> Result<String, Meant> {
    let is_receiver = |text: &str| {
        let line = format!("REMIT 1 XAH TO {text}");
        Line::parse(line.as_bytes()).is_some_and(|line| line.to().is_ok())
    };
    let text = words.join(" ");
    if is_receiver(&text) {
        return Ok(text);
    }
    if let Some(classic) = of_x_address(&text) {
        return Ok(classic);
    }
    // A receiver, and more words after it.
    let whole = (1..words.len()).find_map(|count| {
        let (head, rest) = words.split_at_checked(count)?;
        is_receiver(&head.join(" ")).then(|| rest.join(" "))
    });
    let addresses = addresses(&text);
    let hint = match &whole {
        _ if addresses.len() > 1 => TWO,
        Some(rest) if tagged(&text) && !rest.contains('@') => TAG,
        Some(rest) => return Err(not(rest, ORDER)),
        None if tagged(&text) => TAG,
        None if is_x_address(&text) => X_ADDRESS,
        None if is_account(text.split('+').next().unwrap_or_default()) => MISTYPED,
        None if is_account_in_other_case(&text) => OTHER_CASE,
        None if addresses.contains(text.as_str()) => NO_BRACKETS,
        None => RECEIVER,
    };
    Err(not(if text.is_empty() { "TO" } else { &text }, hint))
}

/// The different addresses in a text, whatever stands around them.
fn addresses(text: &str) -> BTreeSet<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "@.+-_".contains(c);
    text.split(|c| !is_part(c))
        .filter(|word| word.contains('@'))
        .collect()
}

/// Whether a text is an account and something with a number.
fn tagged(text: &str) -> bool {
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(text.len());
    let (account, rest) = text.split_at_checked(end).unwrap_or_default();
    is_account(account) && rest.contains(|c: char| c.is_ascii_digit())
}

/// Whether a text is as long as an account and all in small or all in capital letters.
fn is_account_in_other_case(text: &str) -> bool {
    let word = text.split('+').next().unwrap_or_default();
    word.starts_with(['r', 'R'])
        && (25..=35).contains(&word.len())
        && word.bytes().all(|b| b.is_ascii_alphanumeric())
        && (word == word.to_ascii_lowercase() || word == word.to_ascii_uppercase())
}

fn is_account(word: &str) -> bool {
    is_instruction_line(format!("REKEY {word}").as_bytes())
}

/// What an X-address stands for: a classic address, with `+` and its tag where it has one. XLS-5: two bytes for
/// the kind of network, the account, whether there is a tag, the tag in 8 bytes, the lowest first.
pub(crate) fn of_x_address(text: &str) -> Option<String> {
    let mut kinds = [[0x05, 0x44], [0x04, 0x93]].iter();
    let bytes: [u8; 29] = kinds.find_map(|kind| base58::decode(kind, text))?;
    let (account, rest) = bytes.split_first_chunk()?;
    let account = AccountId::new(*account);
    let (has_tag, tag) = rest.split_first()?;
    let tag = u32::try_from(u64::from_le_bytes(tag.try_into().ok()?)).ok()?;
    match (has_tag, tag) {
        (0, 0) => Some(account.to_string()),
        (1, tag) => Some(format!("{account}+{tag}")),
        _ => None,
    }
}

/// X-addresses begin with X, of test networks with T, and have 47 characters or so.
fn is_x_address(text: &str) -> bool {
    text.starts_with(['X', 'T'])
        && (46..=48).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// What follows receiver or key: nothing, or `NET n`.
fn network(words: &[&str], order: &'static str) -> Result<String, Meant> {
    let is_number = |word: &str| is_instruction_line(format!("REMIT 1 XAH NET {word}").as_bytes());
    match words {
        [] => Ok(String::new()),
        [net, number] if net.eq_ignore_ascii_case("NET") && is_number(number) => Ok(format!(" NET {number}")),
        [net, number, rest @ ..] if net.eq_ignore_ascii_case("NET") && is_number(number) => {
            Err(not(&rest.join(" "), order))
        }
        [net, ..] if net.trim_end_matches(':').eq_ignore_ascii_case("NET") => {
            Err(not(&words.join(" "), NETWORK))
        }
        words if order == ORDER && !addresses(&words.join(" ")).is_empty() => {
            Err(not(&words.join(" "), RECEIVER))
        }
        words => Err(not(&words.join(" "), order)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5o";

    fn part(line: &str) -> (String, &'static str) {
        match read(line.as_bytes()) {
            Some(Meant::Part { part, hint }) => (part, hint),
            other => panic!("{line}: {other:?}"),
        }
    }

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
                "\u{201c}Remit 10 xah to <bob@example.com> net 21338\u{201d}",
                "REMIT 10 XAH TO <bob@example.com> NET 21338",
            ),
        ] {
            assert_eq!(
                read(line.as_bytes()),
                Some(Meant::Line(meant.to_owned())),
                "{line}"
            );
        }
        let rekey = format!("Rekey {A} net 7");
        assert_eq!(
            read(rekey.as_bytes()),
            Some(Meant::Line(format!("REKEY {A} NET 7")))
        );
    }

    /// A line, its part that is not understood, and what is told.
    const TROUBLES: &[(&str, &str, &str)] = &[
        ("SEND 10 XAH TO <bob@example.com>", "SEND", VERB),
        ("pay bob 10 XAH", "pay", VERB),
        ("REMIT: 10 XAH", "REMIT:", VERB_ALONE),
        ("REMIT 10 TO <bob@example.com>", "10", NO_CURRENCY),
        (
            "REMIT 10 XAH TO \u{2039}bob@example.com\u{203a}",
            "\u{2039}bob@example.com\u{203a}",
            RECEIVER,
        ),
        ("REMIT", "REMIT", AMOUNT),
        ("REMIT 10", "10", NO_CURRENCY),
        ("REMIT ten XAH", "ten", AMOUNT),
        ("REMIT 1,000 XAH", "1,000", AMOUNT),
        ("REMIT 10,0000 XAH", "10,0000", AMOUNT),
        ("REMIT 1.000,5 XAH", "1.000,5", AMOUNT),
        ("REMIT -1 XAH", "-1", AMOUNT),
        ("REMIT XAH 10", "XAH", AMOUNT),
        ("REMIT 10 XRP TO <bob@example.com>", "XRP", XRP),
        ("REMIT 10 USD", "USD", NO_ISSUER),
        ("REMIT 10 XAH,", "XAH,", CURRENCY),
        ("REMIT 10 X\u{410}H", "X\u{410}H", CURRENCY),
        (
            "REMIT 10 usd/rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5o",
            "usd/rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5o",
            CURRENCY,
        ),
        ("REMIT 10 XAH TO bob", "bob", RECEIVER),
        ("REMIT 10 XAH TO", "TO", RECEIVER),
        ("REMIT 10 XAH TO bob@x.comThanks", "bob@x.comThanks", NO_BRACKETS),
        (
            "REMIT 10 XAH TO Bob <bob@example.com>",
            "Bob <bob@example.com>",
            RECEIVER,
        ),
        (
            "REMIT 10 XAH TO < bob@example.com >",
            "< bob@example.com >",
            RECEIVER,
        ),
        (
            "REMIT 10 XAH TO &lt;bob@example.com&gt; NET 7",
            "&lt;bob@example.com&gt;",
            RECEIVER,
        ),
        (
            "REMIT 10 XAH TO [bob@example.com](mailto:bob@example.com)",
            "[bob@example.com](mailto:bob@example.com)",
            RECEIVER,
        ),
        (
            "REMIT 10 XAH TO <bob@example.com>,",
            "<bob@example.com>,",
            RECEIVER,
        ),
        (
            "REMIT 10 XAH TO <a@b.example>, <c@b.example>",
            "<a@b.example>, <c@b.example>",
            TWO,
        ),
        (
            "REMIT 10 XAH TO <a@b.example> <c@b.example>",
            "<a@b.example> <c@b.example>",
            TWO,
        ),
        (
            "REMIT 10 XAH TO <a@b.example <mailto:c@b.example>>",
            "<a@b.example <mailto:c@b.example>>",
            TWO,
        ),
        ("REMIT 10 XAH TO <bob@example.com> (rent)", "(rent)", ORDER),
        (
            "REMIT 10 XAH TO <bob@example.com> on testnet",
            "on testnet",
            ORDER,
        ),
        (
            "REMIT 10 XAH TO <bob@example.com>NET 21337",
            "<bob@example.com>NET 21337",
            RECEIVER,
        ),
        (
            "REMIT 10 XAH TO: <bob@example.com>",
            "TO: <bob@example.com>",
            RECEIVER,
        ),
        (
            "REMIT 10 XAH FOR <bob@example.com>",
            "FOR <bob@example.com>",
            RECEIVER,
        ),
        ("REMIT 10 XAH <bob@example.com>", "<bob@example.com>", RECEIVER),
        ("REMIT 10 XAH please", "please", ORDER),
        ("REMIT 10 XAH NET 021338", "NET 021338", NETWORK),
        ("REMIT 10 XAH NET testnet", "NET testnet", NETWORK),
        ("REMIT 10 XAH NET: 21338", "NET: 21338", NETWORK),
        (
            "REMIT 10 XAH NET 21338 TO <bob@example.com>",
            "TO <bob@example.com>",
            ORDER,
        ),
        (
            "REMIT 10 XAH TO XVLhHMPHU98es4dbozjVtdWzVrDjtV5xvjAdRsRgBgvyZkZ",
            "XVLhHMPHU98es4dbozjVtdWzVrDjtV5xvjAdRsRgBgvyZkZ",
            X_ADDRESS,
        ),
        (
            "REMIT 10 xah TO <mailto:bob@example.com>",
            "<mailto:bob@example.com>",
            RECEIVER,
        ),
        (
            "Remit 10 XAH TO rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5a",
            "rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5a",
            MISTYPED,
        ),
        ("REKEY bob@example.com", "bob@example.com", KEY),
        ("REKEY", "REKEY", KEY),
    ];

    #[test]
    fn the_part_that_was_not_understood_is_named() {
        for (line, not_understood, told) in TROUBLES {
            assert_eq!(part(line), ((*not_understood).to_owned(), *told), "{line}");
        }
        for behind in ["?dt=7", ":7", " tag 7"] {
            let line = format!("REMIT 10 XAH TO {A}{behind}");
            assert_eq!(part(&line), (format!("{A}{behind}"), TAG), "{line}");
        }
        assert_eq!(
            part(&format!("REKEY {A} please")),
            ("please".to_owned(), REKEY_ORDER)
        );
    }

    #[test]
    fn characters_that_nobody_sees_are_never_left_out() {
        for hidden in ['\u{2068}', '\u{200f}', '\u{202e}', '\u{200b}', '\u{ad}'] {
            for line in [
                format!("REMIT 10 XAH TO <{hidden}bob@example.com>"),
                format!("RE{hidden}MIT 10 XAH"),
            ] {
                assert_eq!(read(line.as_bytes()), Some(Meant::Hidden(hidden)), "{line}");
            }
        }
    }

    #[test]
    fn other_lines_are_no_wrong_instructions() {
        for line in [
            "",
            "***",
            "> REMIT 10 XAH",
            "Hello REMIT 10 XAH",
            "Pay attention",
            "Please pay 10",
            "REMITTANCE 10 XAH",
        ] {
            assert_eq!(read(line.as_bytes()), None, "{line}");
        }
    }
}
