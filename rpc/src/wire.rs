//! JSON forms that several callers share. That of an explanation is in crate `explain`.

use codec::format::TxType;
use codec::{Drops, Hash256, Object, Ter, hex_upper, json::to_json, sf};
use serde_json::{Map, Value, json};

use crate::api::{ClockFault, LedgerHeader, LedgerId, MailState, MailStatus, TxBlob, TxPlace, TxRecord};

/// Number of the warning about a clock; xahaud's own numbers are lower.
const CLOCK_WARNING_ID: u32 = 9_001;

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
    use super::{human_time, meta_json};
    use codec::format::TxType;
    use codec::{Amount, CloseTime, Drops, Object, Ter, sf};
    use serde_json::json;

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
