//! Votes about keys in validations, and the sets that a count of them comes to. Expected bytes, numbers and codes:
//! spec 7.6 and 7.7, and RFC 8032's first public key.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use amendment::{
    AMENDMENT_EMAIL, Amendment, Answer, Domain, KeyName, KeySet, ReadView, Ruling, Statement, Votes, Write,
    count_votes, key_set_writes, pack_vote, read_vote,
};
use codec::format::EntryType;
use codec::keys::PublicKey;
use codec::{CloseTime, Drops, Hash256, LedgerIndex, Object, Ter, Value, keylet, sf};

const RECORD: &[u8] = b"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const NOW: u32 = 850_000_000;

/// A ledger of which nothing is written yet: what stands there stood in its parent.
struct Ledger {
    index: u32,
    now: u32,
    state: BTreeMap<Hash256, Object>,
}

impl Ledger {
    /// Five validators in the list.
    fn new() -> Ledger {
        let listed = (0..5).map(|number| {
            let key = Object::new().with(sf::PUBLIC_KEY, validator(number).as_bytes().as_slice());
            (sf::ACTIVE_VALIDATOR, key)
        });
        let report = Object::new().with(sf::ACTIVE_VALIDATORS, listed.collect::<Vec<_>>());
        Ledger {
            index: 513,
            now: NOW,
            state: BTreeMap::from([(keylet::unl_report(), report)]),
        }
    }

    /// Writes a set, as a later ledger of this time.
    fn apply(&mut self, set: &Object, index: u32, now: u32) -> Result<(), Ter> {
        (self.index, self.now) = (index, now);
        let set = KeySet::preflight(set, Amendment::On, LedgerIndex::new(index), Votes::Counted)?;
        set.preclaim(self)?;
        for write in key_set_writes(&set, self)? {
            match write {
                Write::Put(key, entry) => self
                    .state
                    .insert(key, entry.with(sf::PREVIOUS_TXN_LGR_SEQ, index)),
                Write::Erase(key) => self.state.remove(&key),
            };
        }
        Ok(())
    }
}

impl ReadView for Ledger {
    fn network_id(&self) -> u32 {
        21_337
    }
    fn ledger_index(&self) -> LedgerIndex {
        LedgerIndex::new(self.index)
    }
    fn parent_close_time(&self) -> CloseTime {
        CloseTime::new(self.now)
    }
    fn parent_hash(&self) -> Hash256 {
        Hash256::ZERO
    }
    fn base_fee(&self) -> Drops {
        Drops::new(10)
    }
    fn reserve_base(&self) -> Drops {
        Drops::new(1_000_000)
    }
    fn reserve_increment(&self) -> Drops {
        Drops::new(200_000)
    }
    fn is_open(&self) -> bool {
        false
    }
    fn amendment_enabled(&self, id: &Hash256) -> bool {
        *id == AMENDMENT_EMAIL
    }
    fn entry(&self, key: &Hash256) -> Option<Object> {
        self.state.get(key).cloned()
    }
    fn parent_entry(&self, key: &Hash256) -> Option<Object> {
        self.entry(key)
    }
}

fn validator(number: u8) -> PublicKey {
    let mut bytes = [number; 33];
    bytes[0] = 2;
    PublicKey::parse(&bytes).unwrap()
}

/// The vote of a validator that saw all of it now.
fn pack(statements: impl IntoIterator<Item = Statement>) -> Vec<u8> {
    let now = CloseTime::new(NOW);
    pack_vote(now, statements.into_iter().map(|statement| (now, statement)))
}

fn name(domain: &str, selector: &str) -> KeyName {
    KeyName::new(domain.as_bytes(), selector.as_bytes()).unwrap()
}

fn seen(domain: &str, selector: &str) -> Statement {
    Statement::Key(name(domain, selector), Answer::Record(RECORD.to_vec()))
}

fn frozen(domain: &str) -> Statement {
    Statement::Domain(Domain::new(domain.as_bytes()).unwrap(), Ruling::Frozen)
}

fn counted(ledger: &Ledger, votes: &[(u8, Vec<u8>)]) -> Vec<Object> {
    let votes: Vec<_> = votes
        .iter()
        .map(|(number, vote)| (validator(*number), vote.as_slice()))
        .collect();
    count_votes(ledger, &votes)
}

/// Votes of the first validators that all say the same.
fn alike(validators: u8, statements: &[Statement]) -> Vec<(u8, Vec<u8>)> {
    let vote = pack(statements.iter().cloned());
    (0..validators).map(|number| (number, vote.clone())).collect()
}

// Spec: 7.6.
#[test]
fn accepts_a_vote_in_its_one_spelling() {
    let absent = Statement::Key(name("b.example", "s"), Answer::Absent);
    let vote = pack([absent.clone(), seen("a.example", "s"), frozen("z.example")]);
    let mut bytes = b"\x09z.example\x00\x03\x00\x00\x09a.example\x01s\x02\x00\x42".to_vec();
    bytes.extend_from_slice(RECORD);
    bytes.extend_from_slice(b"\x09b.example\x01s\x00\x00\x00");
    assert_eq!(vote, bytes);
    assert_eq!(
        read_vote(&vote),
        Some(vec![frozen("z.example"), seen("a.example", "s"), absent])
    );
    assert_eq!(read_vote(b""), Some(Vec::new()));
}

// Spec: 7.6.
#[test]
fn rejects_votes_in_another_order_or_cut() {
    let [one, two] = [seen("a.example", "s"), seen("b.example", "s")].map(|statement| pack([statement]));
    assert!(read_vote(&[one.clone(), two.clone()].concat()).is_some());
    assert_eq!(read_vote(&[two, one.clone()].concat()), None);
    assert_eq!(read_vote(&[one.clone(), one.clone()].concat()), None);
    for length in 1..one.len() {
        assert_eq!(read_vote(&one[..length]), None, "{length}");
    }
    // Upper case, an answer that is none, a record where there is none.
    for other in [
        b"\x09A.example\x01s\x00\x00\x00".as_slice(),
        b"\x09a.example\x01s\x05\x00\x00",
        b"\x09a.example\x01s\x00\x00\x01x",
    ] {
        assert_eq!(read_vote(other), None, "{other:?}");
    }
}

// Spec: 7.6.
#[test]
fn accepts_as_much_as_has_room_and_rejects_more() {
    let of = |names: &[(usize, usize)]| -> Vec<u8> {
        let absent = |(domain, selector): &(usize, usize)| {
            let name = name(&format!("d{domain:02}.example"), &format!("s{selector}"));
            pack([Statement::Key(name, Answer::Absent)])
        };
        names.iter().flat_map(absent).collect()
    };
    let sixteen: Vec<_> = (0..8).flat_map(|domain| [(domain, 1), (domain, 2)]).collect();
    assert_eq!(read_vote(&of(&sixteen)).unwrap().len(), 16);
    let seventeen: Vec<_> = (0..17).map(|domain| (domain, 1)).collect();
    assert_eq!(read_vote(&of(&seventeen)), None);
    assert_eq!(read_vote(&of(&[(1, 1), (1, 2), (1, 3)])), None);
    let freezes = |count: usize| -> Vec<u8> {
        (0..count)
            .flat_map(|domain| pack([frozen(&format!("d{domain}.example"))]))
            .collect()
    };
    assert!(read_vote(&freezes(4)).is_some());
    assert_eq!(read_vote(&freezes(5)), None);
    // A validator leaves out what has no room, and what it leaves out costs the rest none.
    let many = (0..20).flat_map(|domain| (0..3).map(move |selector| (domain, selector)));
    let many = many.map(|(domain, selector)| {
        Statement::Key(
            name(&format!("d{domain:02}.example"), &format!("s{selector}")),
            Answer::Absent,
        )
    });
    let packed = read_vote(&pack(many)).unwrap();
    assert_eq!((packed.len(), packed[15].subject().domain()), (16, "d07.example"));
}

// Spec: 7.6.
#[test]
fn rejects_a_vote_of_more_than_32_kib() {
    // A tag that nobody knows makes a record long; its key stays good.
    let record = [RECORD, b"; x=", &[b'x'; 4_000]].concat();
    let long = |domain: usize| {
        let domain = name(&format!("d{domain}.example"), "s");
        Statement::Key(domain, Answer::Record(record.clone()))
    };
    let parts: Vec<u8> = (0..9).flat_map(|domain| pack([long(domain)])).collect();
    assert!(parts.len() > 32_768);
    assert_eq!(read_vote(&parts), None);
    let packed = read_vote(&pack((0..9).map(long))).unwrap();
    assert_eq!(packed.len(), 32_768 / parts.len().div_ceil(9));
}

// Spec: 4.5, 7.2, 7.6.
#[test]
fn accepts_what_was_seen_within_600_seconds_and_rejects_records_that_make_no_key() {
    let now = CloseTime::new(NOW);
    let at = |seconds: u32| pack_vote(now, [(CloseTime::new(seconds), seen("a.example", "s"))]);
    assert_eq!(at(NOW - 600), pack([seen("a.example", "s")]));
    assert_eq!(at(NOW - 601), b"");
    let broken = Statement::Key(name("a.example", "s"), Answer::Record(b"v=DKIM1; p=".to_vec()));
    assert_eq!(pack([broken]), b"\x09a.example\x01s\x01\x00\x00");
}

// Spec: 7.6, 7.7.
#[test]
fn accepts_a_set_that_a_quorum_says_in_its_one_spelling() {
    let ledger = Ledger::new();
    let sets = counted(&ledger, &alike(4, &[seen("a.example", "s")]));
    let [set] = sets.as_slice() else {
        panic!("{sets:?}")
    };
    // Type 110, Flags 8, Sequence 0, LedgerSequence 513, Fee 0, no key, Domain, Selector, DKIMRecord, Account zero,
    // no attestations.
    let expected = format!(
        "12006E220000000824000000002600000201684000000000000000730077{:02X}{}703C{:02X}{}703D{:02X}{}8114{}F03DF1",
        9,
        hex::encode_upper("a.example"),
        1,
        hex::encode_upper("s"),
        RECORD.len(),
        hex::encode_upper(RECORD),
        "00".repeat(20),
    );
    assert_eq!(hex::encode_upper(codec::encode(set)), expected);
}

// Spec: 7.6.
#[test]
fn rejects_what_no_quorum_of_the_list_says() {
    let ledger = Ledger::new();
    let statement = [seen("a.example", "s")];
    assert!(counted(&ledger, &alike(3, &statement)).is_empty());
    // Nobody counts twice, a stranger not at all, and a vote that is none says nothing.
    let mut votes = alike(3, &statement);
    votes.push(votes[0].clone());
    votes.push((9, votes[0].1.clone()));
    votes.push((3, [votes[0].1.as_slice(), b"x"].concat()));
    assert!(counted(&ledger, &votes).is_empty());
    votes.push((4, votes[0].1.clone()));
    assert_eq!(counted(&ledger, &votes).len(), 1);
    votes.reverse();
    assert_eq!(counted(&ledger, &votes).len(), 1);
    // Without a list there is no quorum.
    let mut bare = Ledger::new();
    bare.state.clear();
    assert!(counted(&bare, &alike(5, &statement)).is_empty());
}

// Spec: 7.6, 7.10.
#[test]
fn rejects_sets_that_would_change_nothing() {
    let mut ledger = Ledger::new();
    let absent = Statement::Key(name("a.example", "s"), Answer::Absent);
    let lifted = Statement::Domain(Domain::new(b"b.example").unwrap(), Ruling::Lifted);
    assert!(counted(&ledger, &alike(5, &[absent, lifted])).is_empty());
    let freeze = [frozen("b.example")];
    let set = counted(&ledger, &alike(5, &freeze)).remove(0);
    assert_eq!(ledger.apply(&set, 513, NOW), Ok(()));
    (ledger.index, ledger.now) = (769, NOW + 900);
    assert!(counted(&ledger, &alike(5, &freeze)).is_empty());
}

// Spec: 7.6, 7.2.
#[test]
fn rejects_a_counted_set_where_attestations_vote_and_one_with_attestations() {
    let set = counted(&Ledger::new(), &alike(5, &[seen("a.example", "s")])).remove(0);
    let index = LedgerIndex::new(513);
    let at = |set: &Object, votes| KeySet::preflight(set, Amendment::On, index, votes).map(drop);
    assert_eq!(at(&set, Votes::Counted), Ok(()));
    assert_eq!(at(&set, Votes::Attested), Err(Ter::TEM_MALFORMED));
    let word = Object::new()
        .with(sf::OBSERVED_AT, NOW)
        .with(sf::PUBLIC_KEY, validator(0).as_bytes().as_slice())
        .with(sf::SIGNATURE, [1u8; 64].as_slice());
    let with_word = set
        .clone()
        .with(sf::DKIM_ATTESTATIONS, vec![(sf::DKIM_ATTESTATION, word)]);
    assert_eq!(at(&with_word, Votes::Counted), Err(Ter::TEM_MALFORMED));
    let other = KeySet::preflight(&set, Amendment::On, LedgerIndex::new(514), Votes::Counted);
    assert_eq!(other.map(drop), Err(Ter::TEF_PAST_SEQ));
}

// Spec: 7.4, 7.6, 7.8.
#[test]
fn accepts_the_second_count_after_the_delay_and_rejects_two_in_one_ledger() {
    let mut ledger = Ledger::new();
    let statement = [seen("a.example", "s")];
    let mut say = |index: u32, now: u32| {
        (ledger.index, ledger.now) = (index, now);
        let sets = counted(&ledger, &alike(4, &statement));
        let set = sets.first().cloned();
        let twice = set.as_ref().map(|set| {
            assert_eq!(ledger.apply(set, index, now), Ok(()));
            ledger.apply(set, index, now)
        });
        (twice, ledger.entry(&name("a.example", "s").keylet()).unwrap())
    };
    let (twice, entry) = say(513, NOW);
    assert_eq!(twice, Some(Err(Ter::TEF_PAST_SEQ)));
    assert_eq!(entry.u32(sf::ACTIVE_AFTER), Some(NOW + 3_600));
    assert!(entry.contains(sf::NEXT_KEY) && !entry.contains(sf::PUBLIC_KEY));
    // A ledger of the same time says nothing new.
    assert_eq!(say(769, NOW).0, None);
    let (_, entry) = say(769, NOW + 3_599);
    assert!(!entry.contains(sf::PUBLIC_KEY));
    let (_, entry) = say(1_025, NOW + 3_600);
    assert!(entry.contains(sf::PUBLIC_KEY));
    assert_eq!(entry.u32(sf::LAST_ATTESTED), Some(NOW + 3_600));
    // A further key of the domain waits longer.
    let set = counted(&ledger, &alike(4, &[seen("a.example", "s2")])).remove(0);
    assert_eq!(ledger.apply(&set, 1_025, NOW + 3_601), Ok(()));
    let second = ledger.entry(&name("a.example", "s2").keylet()).unwrap();
    assert_eq!(second.u32(sf::ACTIVE_AFTER), Some(NOW + 3_601 + 21_600));
}

// Spec: 7.4, 7.6, 7.8.
#[test]
fn accepts_removals_of_the_domains_that_are_voted_about() {
    let mut ledger = Ledger::new();
    let key = |selector: &str, attested: u32| {
        let entry = Object::new()
            .with(sf::LEDGER_ENTRY_TYPE, EntryType::DkimKey.code())
            .with(sf::FLAGS, 0u32)
            .with(sf::DOMAIN, b"a.example".as_slice())
            .with(sf::SELECTOR, selector.as_bytes())
            .with(sf::LAST_ATTESTED, attested);
        (name("a.example", selector).keylet(), entry)
    };
    let month = 30 * 86_400;
    let entries = [
        key("old", NOW - month - 1),
        key("young", NOW - month),
        key("again", 1),
    ];
    let mut indexes: Vec<Hash256> = entries.iter().map(|(index, _)| *index).collect();
    indexes.sort();
    let directory = Object::new().with(sf::INDEXES, Value::Vector256(indexes));
    ledger.state.extend(entries);
    ledger
        .state
        .insert(name("a.example", "old").directory(), directory);
    let sets = counted(
        &ledger,
        &alike(5, &[seen("a.example", "again"), seen("b.example", "s")]),
    );
    let said: Vec<_> = sets
        .iter()
        .map(|set| (set.blob(sf::SELECTOR).unwrap(), set.u32(sf::FLAGS)))
        .collect();
    let expected: [(&[u8], _); 3] = [(b"again", Some(8)), (b"s", Some(8)), (b"old", None)];
    assert_eq!(said, expected);
    assert_eq!(ledger.apply(&sets[2], 513, NOW), Ok(()));
    assert!(ledger.entry(&name("a.example", "old").keylet()).is_none());
}
