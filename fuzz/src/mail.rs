//! Properties of a raw mail and of a memo, whatever their bytes. Spec: 3, 6, 10.

use amendment::{
    Amendment, Derived, KeyAnswer, KeySource, Parsed, PreflightError, ProvenMail, Refusal, Rules, candidates,
    derive, key_names, normal_form, preflight, wrap,
};
use codec::{Amount, CloseTime, Drops, LedgerIndex, Object, sf};
use explain::{ExplainEnv, Explanation, Qualifies, explain};

/// NetworkID on which the targets read mails.
pub const NETWORK: u32 = 21_337;
/// Time at which they read them: that of fixtures/cases.
pub const NOW: CloseTime = CloseTime::new(848_145_600);
const SEQUENCE: u32 = 7;
const FEE: Drops = Drops::new(1_000);
const LAST_LEDGER: LedgerIndex = LedgerIndex::new(20);

/// No key is known yet: everything else about a mail decides.
pub struct NoKeys;

impl KeySource for NoKeys {
    fn key(&self, _: &str, _: &str) -> KeyAnswer {
        KeyAnswer::Unknown
    }
}

/// What `explain` says under these keys.
pub fn explained(raw: &[u8], network_id: u32, keys: &impl KeySource) -> Explanation {
    let env = ExplainEnv {
        network_id,
        now: NOW,
        keys,
    };
    explain(raw, &env)
}

/// `derive` and `explain` say the same; what is derived passes `preflight`.
pub fn check_agreement(raw: &[u8], keys: &impl KeySource) -> (Explanation, Option<ProvenMail>) {
    let explanation = explained(raw, NETWORK, keys);
    let derived = derive(raw, NETWORK, NOW, keys);
    assert_eq!(explanation.refusal, derived.as_ref().err().copied());
    assert_eq!(explanation.qualifies == Qualifies::Yes, derived.is_ok());
    check_known_names(raw, &explanation);
    if let Some(tx) = explanation.transaction() {
        check_wrapped(tx, &explanation);
    }
    let derived = derived.ok();
    if let Some(derived) = &derived {
        assert_eq!(Some(&derived.transaction), explanation.transaction());
        assert_eq!(Some(derived.email_id), explanation.email_id);
        assert_eq!(Some(&derived.order), explanation.order.as_ref());
        assert_eq!(Some(&derived.instruction), explanation.instruction.as_ref());
        assert_eq!(normal_form_of(raw, derived), derived.memo);
        assert_eq!(
            wrap(derived, SEQUENCE, FEE, LAST_LEDGER),
            wrapped(&derived.transaction)
        );
    }
    (explanation, derived)
}

/// The normal form under the signature that was chosen: one of the first ones.
fn normal_form_of(raw: &[u8], derived: &Derived) -> Vec<u8> {
    let forms =
        (0..amendment::limits::SIGNATURES_READ_MAX).map_while(|index| match normal_form(raw, index) {
            Err(Refusal::NoSignature) => None,
            form => Some(form.unwrap_or_default()),
        });
    let mut forms = forms.filter(|form| *form == derived.memo);
    forms.next().unwrap_or_default()
}

/// Who waits for a key finds it among the names that were asked for.
fn check_known_names(raw: &[u8], explanation: &Explanation) {
    let names = key_names(raw);
    let wanted = candidates(raw);
    for candidate in &wanted {
        assert!(candidate.name.dns_name().is_ascii());
    }
    if explanation.qualifies == Qualifies::Unknown {
        let name = explanation.signed_with.as_ref().expect("its key is unknown");
        assert!(names.contains(name));
        assert!(wanted.iter().any(|candidate| candidate.name == *name));
    }
}

fn wrapped(derived: &Object) -> Object {
    derived
        .clone()
        .with(sf::SEQUENCE, SEQUENCE)
        .with(sf::FEE, Amount::from_drops(FEE))
        .with(sf::LAST_LEDGER_SEQUENCE, LAST_LEDGER.get())
}

fn preflighted(tx: &Object) -> Result<Parsed, PreflightError> {
    let rules = Rules {
        network_id: NETWORK,
        amendment: Amendment::On,
    };
    preflight(tx, &rules)
}

/// The transaction survives its serialization, and a validator reads in it what the door read in the mail.
fn check_wrapped(derived: &Object, explanation: &Explanation) {
    let tx = wrapped(derived);
    assert_eq!(codec::decode(&codec::encode(&tx)).as_ref(), Ok(&tx));
    let parsed = preflighted(&tx).expect("what a door derives passes preflight");
    assert_eq!(Some(parsed.email_id()), explanation.email_id);
    assert_eq!(Some(parsed.key_name()), explanation.signed_with.as_ref());
    assert_eq!(
        Some(parsed.account()),
        explanation.from.as_ref().map(|from| from.account)
    );
}

/// The normal form is its own normal form, and no longer than the mail.
pub fn check_normal_form(raw: &[u8]) {
    for index in 0..2 {
        if let Ok(form) = normal_form(raw, index) {
            assert!(form.len() <= raw.len() + 2);
            assert_eq!(normal_form(&form, 0), Ok(form));
        }
    }
}

/// What passes `preflight` as a memo is its own normal form, and a mail that a door takes, but for its key
/// and time.
pub fn check_memo(memo: &[u8]) {
    let explanation = explained(memo, NETWORK, &NoKeys);
    let from_door = explanation.transaction().cloned();
    let tx = from_door.clone().unwrap_or_else(|| fallback(&explanation));
    let carried = Object::new().with(sf::MEMO_DATA, memo);
    let tx = tx.with(sf::MEMOS, vec![(sf::MEMO, carried)]);
    let parsed = preflighted(&wrapped(&tx));
    let own_form = normal_form(memo, 0).as_deref() == Ok(memo);
    match parsed {
        Ok(parsed) => {
            assert!(own_form, "preflight takes what is no normal form");
            assert_eq!(Some(parsed.key_name()), explanation.signed_with.as_ref());
            assert!(matches!(
                explanation.refusal,
                None | Some(Refusal::KeyUnknown | Refusal::Window(_))
            ));
        }
        Err(error) if from_door.is_some() => {
            assert!(!own_form, "{error}: the door takes it");
            assert_eq!(error.refusal(), Refusal::NotNormalForm);
        }
        Err(_) => {}
    }
}

/// As much of a transaction as can be told of a mail that makes none.
fn fallback(explanation: &Explanation) -> Object {
    let tx = Object::new()
        .with(sf::TRANSACTION_TYPE, codec::format::TxType::Remit.code())
        .with(sf::FLAGS, codec::flags::TF_EMAIL_SIG);
    match &explanation.from {
        Some(from) => tx.with(sf::ACCOUNT, from.account),
        None => tx,
    }
}

/// The mail with `bh=` of its first signature set to what its body has, so that changed bodies are read on.
pub fn with_body_hash(raw: &[u8]) -> Option<Vec<u8>> {
    let form = normal_form(raw, 0).ok()?;
    let body = after(&form, b"\r\n\r\n")?;
    let hash = testkit::base64(codec::hash::sha256(&[body]).as_ref());
    let from = raw.len() - after(raw, b"bh=")?.len();
    let length = raw[from..].iter().position(|byte| *byte == b';')?;
    Some([&raw[..from], hash.as_bytes(), &raw[from + length..]].concat())
}

/// What stands behind the first such word.
pub fn after<'a>(bytes: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let at = bytes.windows(word.len()).position(|piece| piece == word)?;
    Some(&bytes[at + word.len()..])
}
