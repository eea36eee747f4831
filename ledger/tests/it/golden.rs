//! Recorded ledgers of a real server, byte for byte. Expected values: fixtures/golden (see its README).

use std::path::PathBuf;

use codec::format::TxType;
use codec::sf;
use ledger::dkim::KeyDelays;
use ledger::genesis::EmailAmendment;
use ledger::replay::{EngineResult, MustDiffer, RecordedLedger, replay};
use ledger::{GenesisConfig, Ledger, close};
use serde_json::Value as Json;

fn records() -> Vec<Json> {
    records_of("xahaud")
}

fn records_of(set: &str) -> Vec<Json> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../fixtures/golden/{set}/cases"));
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("fixtures")
        .map(|entry| entry.expect("entry").path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| serde_json::from_slice(&std::fs::read(path).expect("readable")).expect("JSON"))
        .collect()
}

fn case(number: u64) -> RecordedLedger {
    let record = records()
        .into_iter()
        .find(|record| record["n"] == number)
        .expect("a recorded case");
    RecordedLedger::from_json(&record).expect("readable")
}

/// Replays a set; all are equal but those that must differ, which are returned.
fn must_differ(set: &str, records: usize) -> Vec<(String, MustDiffer)> {
    let outcomes: Vec<_> = records_of(set)
        .iter()
        .map(|record| RecordedLedger::from_json(record).expect("readable"))
        .map(|case| (replay(&case), case.name))
        .collect();
    assert_eq!(outcomes.len(), records, "all records");
    let failed: Vec<String> = outcomes
        .iter()
        .filter(|(outcome, _)| outcome.must_differ.is_none())
        .filter_map(|(outcome, name)| {
            let first = outcome.differences.first()?;
            Some(format!(
                "{name}: {} is {}, recorded {}",
                first.what, first.got, first.expected
            ))
        })
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
    outcomes
        .into_iter()
        .filter_map(|(outcome, name)| Some((name, outcome.must_differ?)))
        .collect()
}

#[test]
fn accepts_the_recorded_cases() {
    assert_eq!(must_differ("xahaud", 86), []);
}

#[test]
fn accepts_the_recorded_ledgers_of_several_and_of_lines_that_empty() {
    let offer = MustDiffer::UnsupportedType(Some(TxType::OfferCreate));
    assert_eq!(
        must_differ("xahaud2", 34),
        [("264 inv_unknown_type".to_owned(), offer)]
    );
}

#[test]
fn accepts_the_recorded_ledgers_with_mails() {
    assert_eq!(
        must_differ("xahaud-email", 13),
        [(
            "054 flag_with_key_signature".to_owned(),
            MustDiffer::RefusedSooner
        )]
    );
}

/// The amendment as a library inside the real server: what it does to a ledger, this crate does to the byte.
#[test]
fn accepts_the_recorded_ledgers_of_the_library_inside_the_server() {
    let unsupported = |name: &str, kind| (name.to_owned(), MustDiffer::UnsupportedType(Some(kind)));
    assert_eq!(
        must_differ("xahaud-port", 62),
        [
            unsupported("039 signer_list_too_soon", TxType::SignerListSet),
            unsupported("040 delete_too_soon", TxType::AccountDelete),
        ]
    );
}

// Spec: 8.6.
#[test]
fn accepts_a_record_that_differs_where_a_rekey_was_executed_and_rejects_others() {
    let recorded = records_of("xahaud-email");
    let record = recorded.iter().find(|record| record["n"] == 145);
    let equal = RecordedLedger::from_json(record.expect("a recorded case")).expect("readable");
    let with = |field, value: u32| {
        let mut case = equal.clone();
        let replay = [0x11, 0x00, 0x65];
        let mut entries = case.expected.state_after.iter_mut();
        let (_, bytes) = entries
            .find(|(_, bytes)| bytes.starts_with(&replay))
            .expect("an EmailReplay");
        let entry = codec::decode(bytes).expect("an entry").with(field, value);
        *bytes = codec::encode(&entry);
        replay_of(&case)
    };
    assert_eq!(replay_of(&equal), (true, None));
    let rekeyed = with(sf::LAST_REKEY, 849_342_210);
    assert_eq!(rekeyed, (false, Some(MustDiffer::RekeyDecidedAnew)));
    assert_eq!(with(sf::ACTIVE_AFTER, 1), (false, None));
}

fn replay_of(case: &RecordedLedger) -> (bool, Option<MustDiffer>) {
    let outcome = replay(case);
    (outcome.is_equal(), outcome.must_differ)
}

#[test]
fn rejects_a_difference_that_no_reason_explains() {
    let recorded = records_of("xahaud2");
    let of = |number: u64| {
        let record = recorded.iter().find(|record| record["n"] == number);
        RecordedLedger::from_json(record.expect("a recorded case")).expect("readable")
    };
    let mut case = of(297);
    assert!(replay(&case).is_equal());
    case.submissions[0].engine_result = EngineResult::InvalidTransaction;
    let outcome = replay(&case);
    assert_eq!((outcome.is_equal(), outcome.must_differ), (false, None));
}

#[test]
fn rejects_a_state_with_one_flipped_balance_bit() {
    // The last bit of a balance, found by its field header in the entry's bytes; FeeSettings and the like
    // have none.
    let mut flipped = 0;
    let case = case(24);
    for at in 0..case.state_before.len() {
        let mut case = case.clone();
        let bytes = &mut case.state_before[at].1;
        let is_account = bytes.starts_with(&[0x11, 0x00, 0x61]);
        let Some(field) = bytes.windows(2).position(|pair| pair == [0x62, 0x40]) else {
            continue;
        };
        if !is_account {
            continue;
        }
        bytes[field + 8] ^= 1;
        flipped += 1;
        let outcome = replay(&case);
        let differs = |what: &str| {
            outcome
                .differences
                .iter()
                .any(|difference| difference.what == what)
        };
        assert!(differs("account_hash") && differs("ledger_hash"), "entry {at}");
    }
    assert!(flipped >= 10, "{flipped} balances flipped");
}

#[test]
fn rejects_other_records_than_the_recorded() {
    let recorded = case(24);
    let flip = |change: fn(&mut RecordedLedger), what: &str| {
        let mut case = recorded.clone();
        change(&mut case);
        let outcome = replay(&case);
        assert!(
            outcome
                .differences
                .iter()
                .any(|difference| difference.what == what),
            "{what}"
        );
    };
    flip(
        |case| case.submissions[0].engine_result = EngineResult::Token("tecCLAIM".into()),
        "engine_result",
    );
    flip(
        |case| {
            let recorded = case.expected.applied.values_mut().next().unwrap();
            *recorded.binary.as_mut().unwrap().last_mut().unwrap() ^= 1;
        },
        "metadata",
    );
    flip(|case| case.expected.header[0] ^= 1, "header");
    let first = recorded.expected.state_after[0].0;
    flip(
        |case| case.expected.state_after[0].1[3] ^= 1,
        &format!("state_after {first}"),
    );
    flip(|case| case.submissions[0].tx_blob[10] ^= 1, "engine_result");
    flip(
        |case| case.close_time = codec::CloseTime::new(case.close_time.seconds() + 10),
        "header",
    );
}

/// The same record with its transaction in a list, in one of the forms for several.
fn listed(number: u64, form: &str) -> Json {
    let mut record = records()
        .into_iter()
        .find(|record| record["n"] == number)
        .expect("a recorded case");
    let fields = record.as_object_mut().expect("an object");
    fields.remove("engine_result");
    // What never entered a ledger has no `tx`.
    let taken: Vec<(&str, Json)> = ["tx_blob", "hash", "submit", "tx", "tx_binary"]
        .into_iter()
        .filter_map(|field| Some((field, fields.remove(field).filter(|value| !value.is_null())?)))
        .collect();
    match form {
        "columns" => {
            for (field, value) in taken {
                record[field] = Json::from(vec![value]);
            }
        }
        "blobs" => record["tx_blobs"] = Json::from(vec![taken[0].1.clone()]),
        list => record[list] = Json::from(vec![Json::from_iter(taken)]),
    }
    record
}

#[test]
fn accepts_each_form_of_a_record_of_several() {
    for form in ["transactions", "txs", "cases", "submissions", "columns", "blobs"] {
        for number in [24, 46, 88] {
            let mut record = listed(number, form);
            let case = RecordedLedger::from_json(&record).expect("readable");
            assert!(replay(&case).is_equal(), "{form} {number}");
            record["ledger"]["header"]["ledger_hash"] = Json::from("00".repeat(32));
            let case = RecordedLedger::from_json(&record).expect("readable");
            assert_eq!(replay(&case).differences[0].what, "ledger_hash");
        }
    }
}

#[test]
fn accepts_the_recorded_ledger_without_transactions() {
    // The first closed ledger: our genesis, closed empty at the recorded time (resolution 30 s).
    let config = GenesisConfig {
        network_id: 21_337,
        validators: Vec::new(),
        email: EmailAmendment::Absent,
        close_time: codec::CloseTime::new(848_486_599),
        key_delays: KeyDelays::NONE,
    };
    let genesis = Ledger::genesis(&config);
    // xahaud proposed some time that rounds to the recorded 848486610; so does this one.
    let closed = close(&genesis, [], codec::CloseTime::new(848_486_600));
    let recorded = "E3BE424DDA24BA2185265F75B99D543AED5315147A05E88296C43D1FD8EA5E09";
    assert_eq!(closed.ledger.hash().to_string(), recorded);
}
