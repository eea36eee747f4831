//! JSON forms that several callers share. The command line prints `explain --json` with the same function
//! that answers `submit_email`, so the names cannot drift apart.

use amendment::Rule;
use codec::format::TxType;
use codec::{Drops, Hash256, Object, Ter, hex_upper, json::to_json, sf};
use explain::{Check, Explanation, Party, Qualifies};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::api::{ClockFault, LedgerHeader, LedgerId, MailState, MailStatus, TxBlob, TxPlace, TxRecord};
use crate::limits::PLAIN_DIGITS_MAX;

/// Number of the warning about a clock; xahaud's own numbers are lower.
const CLOCK_WARNING_ID: u32 = 9_001;

/// The JSON form of an explanation: `qualifies`, `rule`, `code`, `from`, `to`, `instruction`, `transaction`,
/// `email_id`, `executable_until` (seconds since 2000-01-01 UTC, as every Xahau time), `provider` and
/// `client` (as the mail says; unproven) and `checks`.
///
/// Spec: 12
#[must_use]
pub fn explanation_json(explanation: Explanation) -> Map<String, Value> {
    let mut out = explanation_members(&explanation);
    let checks = explanation.checks.into_iter().map(CheckMembers::from);
    out.insert("checks".to_owned(), json!(checks.collect::<Vec<_>>()));
    out
}

/// All of it but the checks.
pub(crate) fn explanation_members(explanation: &Explanation) -> Map<String, Value> {
    let qualifies = match explanation.qualifies {
        Qualifies::Yes => json!(true),
        Qualifies::No => json!(false),
        Qualifies::Unknown => Value::Null,
    };
    let mut out = Map::new();
    out.insert("qualifies".to_owned(), qualifies);
    out.insert("rule".to_owned(), json!(explanation.rule.map(Rule::as_str)));
    out.insert("code".to_owned(), json!(explanation.code.token()));
    out.insert(
        "from".to_owned(),
        explanation.from.as_ref().map_or(Value::Null, party_json),
    );
    out.insert(
        "to".to_owned(),
        explanation.to.as_ref().map_or(Value::Null, party_json),
    );
    out.insert("instruction".to_owned(), json!(explanation.instruction));
    let mut transaction = explanation.transaction().map_or(Value::Null, to_json);
    write_plain_amounts(&mut transaction);
    out.insert("transaction".to_owned(), transaction);
    out.insert(
        "email_id".to_owned(),
        explanation
            .email_id
            .map_or(Value::Null, |id| json!(id.to_string())),
    );
    let until = explanation.executable_until.map(codec::CloseTime::seconds);
    out.insert("executable_until".to_owned(), json!(until));
    let provider = explanation.origin.provider.map(explain::Provider::as_str);
    out.insert("provider".to_owned(), json!(provider));
    let client = explanation.origin.client.map(explain::Client::as_str);
    out.insert("client".to_owned(), json!(client));
    out
}

/// Issued amounts as people write them: without an exponent, where that takes at most [`PLAIN_DIGITS_MAX`]
/// digits. The recursion is bounded by the nesting of a transaction.
fn write_plain_amounts(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(write_plain_amounts),
        Value::Object(members) => {
            let is_amount = ["currency", "issuer", "value"]
                .iter()
                .all(|name| members.contains_key(*name));
            let plain = members
                .get("value")
                .and_then(Value::as_str)
                .and_then(plain_decimal);
            if let Some(plain) = plain.filter(|_| is_amount) {
                members.insert("value".to_owned(), json!(plain));
                return;
            }
            members.values_mut().for_each(write_plain_amounts);
        }
        _ => {}
    }
}

/// `1234567890123450e-1` as `123456789012345`; `None` where it has no exponent, or too many digits without
/// one.
fn plain_decimal(text: &str) -> Option<String> {
    let (number, exponent) = text.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", number),
    };
    let significant = digits.trim_end_matches('0');
    let zeros = i32::try_from(digits.len() - significant.len()).ok()?;
    let shift = exponent.checked_add(zeros)?;
    let places = usize::try_from(shift.unsigned_abs()).ok()?;
    let length = if shift < 0 {
        significant.len().max(places + 1)
    } else {
        significant.len() + places
    };
    if significant.is_empty() || length > PLAIN_DIGITS_MAX {
        return None;
    }
    if shift >= 0 {
        return Some(format!("{sign}{significant}{}", "0".repeat(places)));
    }
    let padded = format!("{significant:0>width$}", width = places + 1);
    let (whole, part) = padded.split_at(padded.len() - places);
    Some(format!("{sign}{whole}.{part}"))
}

/// The address is null where the mail itself names a classic address.
fn party_json(party: &Party) -> Value {
    let mut out = Map::new();
    out.insert("address".to_owned(), json!(party.address));
    out.insert("account".to_owned(), json!(party.account.to_string()));
    if let Some(tag) = party.tag {
        out.insert("tag".to_owned(), json!(tag));
    }
    Value::Object(out)
}

/// One check.
#[derive(Debug, Serialize)]
pub(crate) struct CheckMembers {
    rule: &'static str,
    read: String,
    verdict: &'static str,
    fix: String,
    /// Where it failed at a place of the mail: line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    /// Bytes, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    excerpt: Option<String>,
}

impl From<Check> for CheckMembers {
    fn from(check: Check) -> Self {
        let place = check.place;
        Self {
            rule: check.rule.as_str(),
            read: check.read,
            verdict: check.verdict.as_str(),
            fix: check.fix,
            line: place.as_ref().map(|place| place.line),
            offset: place.as_ref().map(|place| place.offset),
            excerpt: place.map(|place| place.excerpt),
        }
    }
}

/// `engine_result`, `engine_result_code`, `engine_result_message`.
pub fn write_engine_result(ter: Ter, out: &mut Map<String, Value>) {
    out.insert("engine_result".to_owned(), json!(ter.token()));
    out.insert("engine_result_code".to_owned(), json!(ter.code()));
    out.insert("engine_result_message".to_owned(), json!(ter.message()));
}

/// `tx_blob` and `tx_json` with its `hash`.
pub fn write_tx_blob(wrapped: &TxBlob, out: &mut Map<String, Value>) {
    out.insert("tx_blob".to_owned(), json!(hex_upper(&wrapped.blob)));
    out.insert("tx_json".to_owned(), Value::Object(tx_members(wrapped)));
}

/// `kept`, `state`, `hash`, `ledger_index` of a mail.
pub fn write_mail_status(status: Option<&MailStatus>, out: &mut Map<String, Value>) {
    let state = status.map(|status| status.state.as_str());
    let kept = status.is_some_and(|status| status.state == MailState::Kept);
    out.insert("kept".to_owned(), json!(kept));
    out.insert("state".to_owned(), json!(state));
    out.insert(
        "hash".to_owned(),
        json!(status.and_then(|status| status.hash).map(|hash| hash.to_string())),
    );
    let index = status
        .and_then(|status| status.ledger_index)
        .map(codec::LedgerIndex::get);
    out.insert("ledger_index".to_owned(), json!(index));
}

/// `ledger_hash` and `ledger_index`, or `ledger_current_index`; and `validated`.
pub fn write_ledger_id(ledger: LedgerId, out: &mut Map<String, Value>) {
    match ledger {
        LedgerId::Validated { hash, index } => {
            out.insert("ledger_hash".to_owned(), json!(hash.to_string()));
            out.insert("ledger_index".to_owned(), json!(index.get()));
            out.insert("validated".to_owned(), json!(true));
        }
        LedgerId::Open { index } => {
            out.insert("ledger_current_index".to_owned(), json!(index.get()));
            out.insert("validated".to_owned(), json!(false));
        }
    }
}

/// The members of a transaction with its `hash`.
#[must_use]
pub fn tx_members(wrapped: &TxBlob) -> Map<String, Value> {
    let mut out = object_members(&wrapped.tx);
    out.insert("hash".to_owned(), json!(wrapped.hash.to_string()));
    out
}

/// A transaction as `tx` shows it: flat, with its place.
#[must_use]
pub fn record_members(record: &TxRecord) -> Map<String, Value> {
    let mut out = tx_members(&record.wrapped);
    match &record.validated {
        Some(place) => write_execution(&record.wrapped.tx, place, &mut out),
        None => {
            out.insert("validated".to_owned(), json!(false));
        }
    }
    out
}

/// Metadata as `tx` and `account_tx` show it: of a payment that went well also `delivered_amount`, which is the
/// whole amount unless the metadata names a part.
#[must_use]
pub fn meta_json(tx: &Object, meta: &Object) -> Value {
    let mut out = to_json(meta);
    let is_paid = TxType::of(tx) == Some(TxType::Payment)
        && meta.u8(sf::TRANSACTION_RESULT).map(i32::from) == Some(Ter::TES_SUCCESS.code());
    let delivered = out.get("DeliveredAmount").cloned();
    let delivered = delivered.or_else(|| to_json(tx).get("Amount").cloned());
    if let (true, Value::Object(members), Some(delivered)) = (is_paid, &mut out, delivered) {
        members.insert("delivered_amount".to_owned(), delivered);
    }
    out
}

/// The place of a validated transaction, `meta`, and `validated`.
pub fn write_execution(tx: &Object, place: &TxPlace, out: &mut Map<String, Value>) {
    write_place(place, out);
    out.insert("meta".to_owned(), meta_json(tx, &place.meta));
    out.insert("validated".to_owned(), json!(true));
}

/// `warnings` in Xahau's form about the node's clock.
#[must_use]
pub fn clock_warnings(fault: &ClockFault) -> Value {
    let message = match fault {
        ClockFault::Jumped { says, believed } => format!(
            "The clock of this server jumped to {}; ledgers go on from {} until it has run steadily for some minutes. A mail dated by that clock may be early for now.",
            human_time(*says),
            human_time(*believed),
        ),
        ClockFault::Behind { ledger, says } => format!(
            "The last ledger is dated {}, ahead of this server's clock, which says {}: mails of now look old to it. If the clock is right, the operator can take such ledgers back with 'xahau-email ledger rollback'.",
            human_time(*ledger),
            human_time(*says),
        ),
    };
    json!([{ "id": CLOCK_WARNING_ID, "message": message }])
}

/// `inLedger`, `ledger_index`, `date`, `ctid`.
pub fn write_place(place: &TxPlace, out: &mut Map<String, Value>) {
    out.insert("inLedger".to_owned(), json!(place.ledger_index.get()));
    out.insert("ledger_index".to_owned(), json!(place.ledger_index.get()));
    out.insert("date".to_owned(), json!(place.close_time.seconds()));
    if let Some(ctid) = ctid(place) {
        out.insert("ctid".to_owned(), json!(ctid));
    }
}

/// Concise transaction id: 16 hex digits; none where a part does not fit its bits.
fn ctid(place: &TxPlace) -> Option<String> {
    let ledger = place.ledger_index.get();
    let tx = u16::try_from(place.tx_index).ok()?;
    let network = u16::try_from(place.network_id).ok()?;
    (ledger < 0x1000_0000).then(|| format!("{:08X}{tx:04X}{network:04X}", 0xC000_0000 | ledger))
}

/// The header of a closed ledger as `ledger` shows it.
#[must_use]
pub fn header_members(header: &LedgerHeader) -> Map<String, Value> {
    let hash = header.hash.to_string();
    let value = json!({
        "accepted": true,
        "account_hash": header.account_hash.to_string(),
        "close_flags": header.close_flags,
        "close_time": header.close_time.seconds(),
        "close_time_human": human_time(header.close_time),
        "close_time_resolution": header.close_time_resolution,
        "closed": true,
        "hash": hash,
        "ledger_hash": hash,
        "ledger_index": header.index.get().to_string(),
        "parent_close_time": header.parent_close_time.seconds(),
        "parent_hash": header.parent_hash.to_string(),
        "seqNum": header.index.get().to_string(),
        "totalCoins": header.total_drops.get().to_string(),
        "total_coins": header.total_drops.get().to_string(),
        "transaction_hash": header.tx_hash.to_string(),
    });
    let Value::Object(mut members) = value else {
        return Map::new();
    };
    if header.close_flags & 1 == 1 {
        members.insert("close_time_estimated".to_owned(), json!(true));
    }
    members
}

/// A time as Xahau writes it for people: `2026-Nov-20 10:43:19.000000000 UTC`.
#[must_use]
pub fn human_time(time: codec::CloseTime) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let seconds = time.to_unix();
    let (days, second_of_day) = (seconds / 86_400, seconds % 86_400);
    // Days since 0000-03-01 make the leap day the last of its year (the proleptic Gregorian calendar).
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12;
    let year = year_of_era + era * 400 + u64::from(month < 2);
    let name = usize::try_from(month)
        .ok()
        .and_then(|month| MONTHS.get(month))
        .copied()
        .unwrap_or("???");
    let (hour, minute, second) = (second_of_day / 3_600, second_of_day / 60 % 60, second_of_day % 60);
    format!("{year:04}-{name}-{day:02} {hour:02}:{minute:02}:{second:02}.000000000 UTC")
}

/// The members of an object.
#[must_use]
pub fn object_members(object: &Object) -> Map<String, Value> {
    match to_json(object) {
        Value::Object(members) => members,
        other => Map::from_iter([("value".to_owned(), other)]),
    }
}

/// XAH as a JSON number, for the members that Xahau shows in XAH.
#[must_use]
pub fn xah_number(drops: Drops) -> Value {
    serde_json::from_str(&drops.to_xah()).unwrap_or(Value::Null)
}

/// A hash in an object, upper-case.
#[must_use]
pub fn hash_value(hash: &Hash256) -> Value {
    json!(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::{human_time, meta_json, plain_decimal};
    use codec::format::TxType;
    use codec::{Amount, CloseTime, Drops, Object, Ter, sf};
    use serde_json::json;

    /// Pairs computed by hand; the first is that of the mail vector c024.
    #[test]
    fn accepts_amounts_with_an_exponent_as_plain_decimals() {
        for (text, plain) in [
            ("1234567890123450e-1", "123456789012345"),
            ("1000000000000000e3", "1000000000000000000"),
            ("1000000000000000e16", "10000000000000000000000000000000"),
            ("1234567890123456e-1", "123456789012345.6"),
            ("-1234567890123456e-4", "-123456789012.3456"),
            ("1000000000000000e-46", "0.0000000000000000000000000000001"),
        ] {
            assert_eq!(plain_decimal(text).as_deref(), Some(plain), "{text}");
        }
    }

    /// As the recorded server shows them: what went well delivered its amount or the part that the metadata
    /// names; what failed says nothing, and neither does a Remit.
    #[test]
    fn payments_that_went_well_say_what_they_delivered() {
        let drops = |drops| Amount::from_drops(Drops::new(drops));
        let tx = |kind: TxType| {
            let tx = Object::new().with(sf::TRANSACTION_TYPE, kind.code());
            tx.with(sf::AMOUNT, drops(5_000_000_000))
        };
        let meta = |ter: Ter| {
            let code = u8::try_from(ter.code()).expect("a result of a ledger");
            Object::new().with(sf::TRANSACTION_RESULT, code)
        };
        let shown = |tx, meta| meta_json(&tx, &meta).get("delivered_amount").cloned();
        let whole = shown(tx(TxType::Payment), meta(Ter::TES_SUCCESS));
        assert_eq!(whole, Some(json!("5000000000")));
        let part = meta(Ter::TES_SUCCESS).with(sf::DELIVERED_AMOUNT, drops(7));
        assert_eq!(shown(tx(TxType::Payment), part), Some(json!("7")));
        assert_eq!(shown(tx(TxType::Payment), meta(Ter::TEC_PATH_DRY)), None);
        assert_eq!(shown(tx(TxType::Remit), meta(Ter::TES_SUCCESS)), None);
    }

    #[test]
    fn rejects_amounts_without_exponent_or_over_32_digits() {
        for text in [
            "12.5",
            "1000000000000000e17",
            "1000000000000000e-47",
            "9999999999999999e80",
            "0e5",
            "e",
            "1ex",
        ] {
            assert_eq!(plain_decimal(text), None, "{text}");
        }
    }

    /// Pairs from recorded xahaud ledgers and from the calendar.
    #[test]
    fn accepts_recorded_close_times() {
        assert_eq!(
            human_time(CloseTime::new(848_486_599)),
            "2026-Nov-20 10:43:19.000000000 UTC"
        );
        assert_eq!(
            human_time(CloseTime::new(848_486_610)),
            "2026-Nov-20 10:43:30.000000000 UTC"
        );
        assert_eq!(
            human_time(CloseTime::new(0)),
            "2000-Jan-01 00:00:00.000000000 UTC"
        );
        assert_eq!(
            human_time(CloseTime::new(59 * 86_400)),
            "2000-Feb-29 00:00:00.000000000 UTC"
        );
        assert_eq!(
            human_time(CloseTime::new(365 * 86_400)),
            "2000-Dec-31 00:00:00.000000000 UTC"
        );
        assert_eq!(
            human_time(CloseTime::new(366 * 86_400)),
            "2001-Jan-01 00:00:00.000000000 UTC"
        );
    }
}
