//! A node that answers each question with something, so that every form of an answer is written.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Mutex;

use amendment::{Domain, Freeze};
use codec::format::EntryType;
use codec::keys::{KeyPair, PublicKey};
use codec::{AccountId, CloseTime, Drops, Hash256, LedgerIndex, Object, Ter, sf};
use explain::Qualifies;
use rpc::RpcError;
use rpc::api::{
    Acceptance, AccountAnswer, AccountTxAnswer, AccountTxQuery, AmendmentState, AmendmentStatus, EmailAnswer,
    EntryAnswer, FeeAnswer, FreezesAnswer, FrozenDomain, KeyOnLedger, KeyStanding, KeysAnswer, LedgerAnswer,
    LedgerChoice, LedgerHeader, LedgerId, Listed, MailState, MailStatus, Node, NotKept, OnRetry, Peer, Role,
    Ruling, ServerAnswer, Stance, SubmitAnswer, SubmitEmail, Transactions, TxAnswer, TxBlob, TxKey, TxMarker,
    TxPlace, TxRecord, ValidatorVotes, Vote, VoteRow, VoteWish, WaitingMails,
};

use crate::mail::{NETWORK, NOW, NoKeys, explained};

/// The operator of the node.
pub fn operator() -> Peer {
    Peer::new(IpAddr::V4(Ipv4Addr::LOCALHOST), Role::Admin)
}

/// Somebody else.
pub fn stranger() -> Peer {
    Peer::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), Role::Guest)
}

/// Remembers what it was asked to change.
#[derive(Default)]
pub struct Answering {
    /// The mails that it was given.
    pub mails: Mutex<Vec<SubmitEmail>>,
    /// How often it was asked for what only the operator may do.
    pub commands: Mutex<usize>,
}

fn wrapped(tx: Object) -> TxBlob {
    let blob = codec::encode(&tx);
    TxBlob {
        hash: codec::hash::sha512_half(&[&blob]),
        tx,
        blob,
    }
}

fn record(is_validated: bool) -> TxRecord {
    let meta = Object::new().with(sf::TRANSACTION_INDEX, 2_u32);
    let place = TxPlace {
        ledger_index: LedgerIndex::new(8),
        tx_index: 2,
        close_time: NOW,
        network_id: NETWORK,
        meta_blob: codec::encode(&meta),
        meta,
    };
    TxRecord {
        wrapped: wrapped(Object::new().with(sf::SEQUENCE, 7_u32)),
        validated: is_validated.then_some(place),
    }
}

fn header() -> LedgerHeader {
    LedgerHeader {
        index: LedgerIndex::new(9),
        hash: Hash256::new([9; 32]),
        total_drops: Drops::new(100_000_000_000_000),
        parent_hash: Hash256::new([8; 32]),
        tx_hash: Hash256::ZERO,
        account_hash: Hash256::new([7; 32]),
        parent_close_time: NOW,
        close_time: NOW,
        close_time_resolution: 30,
        close_flags: 0,
        raw: vec![1, 2, 3],
    }
}

fn status(state: MailState) -> MailStatus {
    MailStatus {
        state,
        hash: Some(Hash256::new([1; 32])),
        ledger_index: Some(LedgerIndex::new(8)),
        engine: Some(Ter::TES_SUCCESS),
    }
}

/// The open ledger, or the one validated ledger.
fn ledger_of(choice: LedgerChoice) -> Result<LedgerId, RpcError> {
    match choice {
        LedgerChoice::Current => Ok(LedgerId::Open {
            index: LedgerIndex::new(10),
        }),
        LedgerChoice::Index(index) if index.get() > 9 => Err(RpcError::LedgerNotFound),
        _ => Ok(LedgerId::Validated {
            hash: Hash256::new([9; 32]),
            index: LedgerIndex::new(9),
        }),
    }
}

impl Node for Answering {
    fn submit_email(&self, request: SubmitEmail, _: &Peer) -> Result<EmailAnswer, RpcError> {
        let explanation = explained(&request.mail, NETWORK, &NoKeys);
        self.mails.lock().expect("one thread").push(request);
        let is_open = explanation.qualifies == Qualifies::Unknown;
        let is_named = explanation.to.is_some();
        Ok(EmailAnswer {
            engine: explanation.code,
            wrapped: explanation.transaction().cloned().map(wrapped),
            executed: None,
            clock: None,
            status: (is_open && is_named).then(|| status(MailState::Kept)),
            not_kept: (is_open && !is_named).then_some(NotKept::NoAccount),
            explanation,
        })
    }

    fn submit(&self, blob: &[u8], on_retry: OnRetry, _: &Peer) -> Result<SubmitAnswer, RpcError> {
        let tx = codec::decode(blob).map_err(|error| RpcError::InvalidTransaction {
            reason: format!("fails local checks: {error}"),
        })?;
        Ok(SubmitAnswer {
            wrapped: wrapped(tx),
            engine: Ter::TES_SUCCESS,
            applied: true,
            kept: on_retry == OnRetry::Hold,
            account_sequence_next: 8,
            account_sequence_available: 8,
            open_ledger_cost: Drops::new(10),
            validated_ledger_index: LedgerIndex::new(9),
        })
    }

    fn transaction(&self, key: TxKey) -> Result<TxAnswer, RpcError> {
        let (TxKey::Hash(hash) | TxKey::Email(hash)) = key;
        let first = hash.as_bytes()[0];
        if first == 0 {
            return Err(RpcError::TransactionNotFound);
        }
        Ok(TxAnswer {
            record: (first % 3 != 0).then(|| record(first.is_multiple_of(2))),
            mail: matches!(key, TxKey::Email(_)).then(|| (hash, status(MailState::Validated))),
        })
    }

    fn account(&self, _: AccountId, ledger: LedgerChoice) -> Result<AccountAnswer, RpcError> {
        Ok(AccountAnswer {
            ledger: ledger_of(ledger)?,
            key: Hash256::new([2; 32]),
            root: Object::new().with(sf::FLAGS, 0x0010_0000_u32),
        })
    }

    fn ledger(&self, choice: LedgerChoice, transactions: Transactions) -> Result<LedgerAnswer, RpcError> {
        let list = |is_validated| match transactions {
            Transactions::Omitted => Listed::Omitted,
            Transactions::Hashes => Listed::Hashes(vec![record(is_validated).wrapped.hash]),
            Transactions::Whole => Listed::Whole(vec![record(is_validated)]),
        };
        Ok(match ledger_of(choice)? {
            LedgerId::Open { index } => LedgerAnswer::Open {
                index,
                parent_hash: Hash256::new([9; 32]),
                transactions: list(false),
            },
            LedgerId::Validated { .. } => LedgerAnswer::Validated {
                header: Box::new(header()),
                transactions: list(true),
            },
        })
    }

    fn account_transactions(&self, query: &AccountTxQuery) -> Result<AccountTxAnswer, RpcError> {
        Ok(AccountTxAnswer {
            first: LedgerIndex::new(1),
            last: LedgerIndex::new(9),
            transactions: vec![record(true)],
            marker: query.marker.map(|marker| TxMarker {
                position: marker.position / 2,
                ..marker
            }),
        })
    }

    fn entry(&self, key: Hash256, ledger: LedgerChoice) -> Result<EntryAnswer, RpcError> {
        let kind = match key.as_bytes()[0] {
            0 => None,
            first if first < 128 => Some(EntryType::AccountRoot),
            _ => Some(EntryType::DkimKey),
        };
        let entry = kind.map(|kind| Object::new().with(sf::LEDGER_ENTRY_TYPE, kind.code()));
        Ok(EntryAnswer {
            ledger: ledger_of(ledger)?,
            entry: entry.map(|entry| (entry.clone(), codec::encode(&entry))),
        })
    }

    fn keys(&self) -> Result<KeysAnswer, RpcError> {
        Ok(KeysAnswer {
            ledger: LedgerId::Validated {
                hash: Hash256::ZERO,
                index: LedgerIndex::new(1),
            },
            close_time: CloseTime::new(800_000_000),
            keys: vec![KeyOnLedger {
                domain: "mail.example".to_owned(),
                selector: "s2026".to_owned(),
                state: KeyStanding::Usable,
                last_attested: CloseTime::new(799_999_000),
                until: Some(CloseTime::new(800_020_600)),
            }],
            count: 1,
            freezes: vec![FrozenDomain {
                domain: Domain::new(b"fake.example").expect("a domain"),
                freeze: Freeze {
                    since: CloseTime::new(1_000),
                    until: Some(CloseTime::new(2_000)),
                },
            }],
        })
    }

    fn fee(&self) -> Result<FeeAnswer, RpcError> {
        Ok(FeeAnswer {
            current: LedgerIndex::new(10),
            current_size: 0,
            expected_size: 100_000,
            queue_size: 0,
            base_fee: Drops::new(10),
            open_ledger_level: 256,
            open_ledger_fee: Drops::new(10),
        })
    }

    fn amendments(&self) -> Result<Vec<AmendmentState>, RpcError> {
        let named = |name: &'static str, status, stance| AmendmentState {
            id: codec::hash::sha512_half(&[name.as_bytes()]),
            name: Some(name),
            status,
            stance,
            supporters: u32::from(stance == Stance::Voting(Vote::For)),
            validators: 1,
        };
        let since = CloseTime::new(5);
        Ok(vec![
            named("Remit", AmendmentStatus::Enabled, Stance::Voting(Vote::For)),
            named("Escrow", AmendmentStatus::Disabled, Stance::Obsolete),
            named(
                "Email",
                AmendmentStatus::Majority { since },
                Stance::Voting(Vote::Against),
            ),
        ])
    }

    fn vote(&self, _: Hash256, _: Vote) -> Result<(), RpcError> {
        *self.commands.lock().expect("one thread") += 1;
        Ok(())
    }

    fn freezes(&self) -> Result<FreezesAnswer, RpcError> {
        Ok(FreezesAnswer {
            validators: 5,
            quorum: 4,
            domains: Vec::new(),
        })
    }

    fn rule(&self, _: Domain, _: Ruling) -> Result<(), RpcError> {
        *self.commands.lock().expect("one thread") += 1;
        Ok(())
    }

    fn server(&self) -> Result<ServerAnswer, RpcError> {
        Ok(ServerAnswer {
            build_version: "0.0.0",
            network_id: NETWORK,
            pubkey_node: "n9".to_owned(),
            first_ledger: LedgerIndex::new(1),
            validated: header(),
            base_fee: Drops::new(10),
            reserve_base: Drops::new(1_000_000),
            reserve_increment: Drops::new(200_000),
            validation_quorum: 1,
            now: NOW,
            uptime_secs: 3,
            mails: WaitingMails::default(),
            held_transactions: 0,
            open_ledger_level: 256,
            acceptance: Acceptance::Open,
            clock: None,
        })
    }

    fn validator_votes(&self) -> Result<ValidatorVotes, RpcError> {
        let validator = KeyPair::ed25519([1; 16]).public_key();
        let wish = VoteWish {
            amendments: vec![(Hash256::ZERO, None), (Hash256::ZERO, Some("Email"))],
            validators: BTreeSet::from([validator]),
        };
        let row = VoteRow {
            validator,
            observed_at: CloseTime::new(5),
            wish: wish.clone(),
        };
        Ok(ValidatorVotes {
            ledger: LedgerIndex::new(9),
            validators: vec![validator],
            quorum: 1,
            next_change: Some(LedgerIndex::new(17)),
            votes: vec![row],
            agreed: Some(wish.validators.clone()),
            own: validator,
            wish,
        })
    }

    fn want_validators(&self, _: BTreeSet<PublicKey>) -> Result<(), RpcError> {
        *self.commands.lock().expect("one thread") += 1;
        Ok(())
    }

    fn accept_ledger(&self) -> Result<LedgerIndex, RpcError> {
        *self.commands.lock().expect("one thread") += 1;
        Ok(LedgerIndex::new(11))
    }
}
