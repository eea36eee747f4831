//! A node of constants, so that the tests see the wire alone.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Mutex;

use amendment::{Domain, Freeze};
use codec::keys::{KeyPair, PublicKey};
use codec::{AccountId, CloseTime, Drops, Hash256, LedgerIndex, Object, Ter, sf};
use explain::{Check, CheckVerdict, Explanation, Party, Qualifies};
use rpc::api::{
    Acceptance, AccountAnswer, AccountTxAnswer, AccountTxQuery, AmendmentState, AmendmentStatus, DomainState,
    EmailAnswer, EntryAnswer, FeeAnswer, FreezesAnswer, FrozenDomain, KeyOnLedger, KeyStanding, KeysAnswer,
    LedgerAnswer, LedgerChoice, LedgerHeader, LedgerId, Listed, MailState, MailStatus, Node, OnRetry, Peer,
    Role, Ruling, ServerAnswer, Stance, SubmitAnswer, SubmitEmail, Transactions, TxAnswer, TxBlob, TxKey,
    TxMarker, TxPlace, TxRecord, ValidatorVotes, Vote, VoteRow, VoteWish, WaitingMails,
};
use rpc::methods::Context;
use rpc::session::{Input, Output};
use rpc::{HttpReply, RpcError, Session, answer_post};

pub(crate) const GENESIS: &str = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh";

/// Remembers the mails it was given.
#[derive(Default)]
pub(crate) struct FakeNode {
    pub mails: Mutex<Vec<SubmitEmail>>,
    pub asked_txs: Mutex<Option<AccountTxQuery>>,
    pub asked_entry: Mutex<Option<(Hash256, LedgerChoice)>>,
    pub vote: Mutex<Option<Vote>>,
    pub wanted: Mutex<BTreeSet<PublicKey>>,
    pub rule: Mutex<Option<(Domain, Ruling)>>,
}

pub(crate) fn operator() -> Peer {
    Peer::new(IpAddr::V4(Ipv4Addr::LOCALHOST), Role::Admin)
}

pub(crate) fn stranger() -> Peer {
    Peer::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), Role::Guest)
}

/// The reply of a new session to one text frame.
pub(crate) fn answer_frame(node: &dyn Node, peer: Peer, frame: &str) -> String {
    let mut session = Session::new(peer);
    session.handle(node, Input::Text(frame));
    let Some(Output::Text(reply)) = session.next_output() else {
        panic!("no reply to {frame}");
    };
    assert_eq!(session.next_output(), None);
    reply
}

/// The reply to one HTTP POST.
pub(crate) fn post_body(node: &dyn Node, peer: Peer, body: &[u8]) -> HttpReply {
    answer_post(&Context { node, peer: &peer }, body)
}

fn hash(byte: u8) -> Hash256 {
    Hash256::new([byte; 32])
}

fn genesis() -> AccountId {
    AccountId::parse_classic(GENESIS).expect("a valid address")
}

fn wrapped() -> TxBlob {
    let mut tx = Object::new();
    tx.set(sf::SEQUENCE, 7_u32);
    TxBlob {
        tx,
        blob: vec![0xAB, 0xCD],
        hash: hash(0xA1),
    }
}

fn header() -> LedgerHeader {
    LedgerHeader {
        index: LedgerIndex::new(9),
        hash: hash(9),
        total_drops: Drops::new(100_000_000_000_000),
        parent_hash: hash(8),
        tx_hash: Hash256::ZERO,
        account_hash: hash(0xAC),
        parent_close_time: CloseTime::new(848_486_599),
        close_time: CloseTime::new(848_486_610),
        close_time_resolution: 30,
        close_flags: 0,
        raw: vec![1, 2, 3],
    }
}

impl Node for FakeNode {
    fn submit_email(&self, request: SubmitEmail, _peer: &Peer) -> Result<EmailAnswer, RpcError> {
        self.mails.lock().expect("no test panics with it").push(request);
        let explanation = Explanation {
            qualifies: Qualifies::Unknown,
            refusal: None,
            rule: Some(amendment::Rule::R7_3),
            code: Ter::TER_NO_DKIM_KEY,
            from: Some(Party {
                address: Some("alice@example.com".to_owned()),
                tag: None,
                account: genesis(),
            }),
            to: None,
            instruction: Some("REMIT 10 XAH".to_owned()),
            other_line: None,
            order: None,
            outcome: amendment::Outcome::Refused(amendment::Refusal::KeyUnknown),
            email_id: None,
            executable_until: Some(CloseTime::new(5)),
            signed_with: None,
            origin: explain::Origin::default(),
            checks: vec![Check {
                rule: amendment::Rule::R7_3,
                read: "sel._domainkey.example.com".to_owned(),
                verdict: CheckVerdict::Unknown,
                place: None,
                fix: "Wait.".to_owned(),
            }],
        };
        let status = MailStatus {
            state: MailState::Kept,
            hash: None,
            ledger_index: None,
            engine: None,
        };
        Ok(EmailAnswer {
            explanation,
            engine: Ter::TER_NO_DKIM_KEY,
            wrapped: None,
            executed: None,
            status: Some(status),
            not_kept: None,
            clock: None,
        })
    }

    fn submit(&self, blob: &[u8], on_retry: OnRetry, _peer: &Peer) -> Result<SubmitAnswer, RpcError> {
        if blob == [0] {
            return Err(RpcError::InvalidTransaction {
                reason: "fails local checks: Too short.".to_owned(),
            });
        }
        Ok(SubmitAnswer {
            wrapped: wrapped(),
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
        match key {
            TxKey::Hash(wanted) if wanted == hash(0xA1) => Ok(TxAnswer {
                record: Some(TxRecord {
                    wrapped: wrapped(),
                    validated: None,
                }),
                mail: None,
            }),
            TxKey::Email(id) if id == hash(0xE1) => {
                let status = MailStatus {
                    state: MailState::Kept,
                    hash: None,
                    ledger_index: None,
                    engine: None,
                };
                Ok(TxAnswer {
                    record: None,
                    mail: Some((id, status)),
                })
            }
            _ => Err(RpcError::TransactionNotFound),
        }
    }

    fn account(&self, account: AccountId, ledger: LedgerChoice) -> Result<AccountAnswer, RpcError> {
        if account != genesis() {
            return Err(RpcError::AccountNotFound {
                account: String::new(),
            });
        }
        let ledger = match ledger {
            LedgerChoice::Current => LedgerId::Open {
                index: LedgerIndex::new(10),
            },
            LedgerChoice::Validated => LedgerId::Validated {
                hash: hash(9),
                index: LedgerIndex::new(9),
            },
            _ => return Err(RpcError::LedgerNotFound),
        };
        let mut root = Object::new();
        root.set(sf::FLAGS, 0x0010_0000_u32);
        root.set(sf::BALANCE, codec::Amount::from_drops(Drops::new(12_500_000)));
        Ok(AccountAnswer {
            ledger,
            key: hash(0x2B),
            root,
        })
    }

    fn ledger(&self, ledger: LedgerChoice, transactions: Transactions) -> Result<LedgerAnswer, RpcError> {
        let list = match transactions {
            Transactions::Omitted => Listed::Omitted,
            Transactions::Hashes => Listed::Hashes(vec![wrapped().hash]),
            Transactions::Whole => Listed::Whole(vec![TxRecord {
                wrapped: wrapped(),
                validated: None,
            }]),
        };
        match ledger {
            LedgerChoice::Current => Ok(LedgerAnswer::Open {
                index: LedgerIndex::new(10),
                parent_hash: hash(9),
                transactions: list,
            }),
            LedgerChoice::Index(index) if index.get() > 9 => Err(RpcError::LedgerNotFound),
            _ => Ok(LedgerAnswer::Validated {
                header: Box::new(header()),
                transactions: list,
            }),
        }
    }

    fn server(&self) -> Result<ServerAnswer, RpcError> {
        Ok(ServerAnswer {
            build_version: "0.0.0",
            network_id: 21_338,
            pubkey_node: "n9".to_owned(),
            first_ledger: LedgerIndex::new(1),
            validated: header(),
            base_fee: Drops::new(10),
            reserve_base: Drops::new(1_000_000),
            reserve_increment: Drops::new(200_000),
            validation_quorum: 1,
            now: CloseTime::new(848_486_613),
            uptime_secs: 3,
            mails: WaitingMails::default(),
            held_transactions: 0,
            open_ledger_level: 256,
            acceptance: Acceptance::Open,
            clock: None,
        })
    }

    fn account_transactions(&self, query: &AccountTxQuery) -> Result<AccountTxAnswer, RpcError> {
        if query.account != genesis() {
            return Ok(AccountTxAnswer {
                first: LedgerIndex::new(1),
                last: LedgerIndex::new(9),
                transactions: Vec::new(),
                marker: None,
            });
        }
        *self.asked_txs.lock().expect("no test panics with it") = Some(*query);
        let place = TxPlace {
            ledger_index: LedgerIndex::new(8),
            tx_index: 2,
            close_time: CloseTime::new(77),
            network_id: 21_338,
            meta: Object::new().with(sf::TRANSACTION_INDEX, 2_u32),
            meta_blob: vec![0xEE],
        };
        Ok(AccountTxAnswer {
            first: LedgerIndex::new(1),
            last: LedgerIndex::new(9),
            transactions: vec![TxRecord {
                wrapped: wrapped(),
                validated: Some(place),
            }],
            marker: Some(TxMarker {
                ledger: LedgerIndex::new(7),
                position: 3,
            }),
        })
    }

    fn entry(&self, key: Hash256, ledger: LedgerChoice) -> Result<EntryAnswer, RpcError> {
        *self.asked_entry.lock().expect("no test panics with it") = Some((key, ledger));
        let kind = if key == hash(0xEE) { 0x4B } else { 0x61 };
        let entry = Object::new().with(sf::LEDGER_ENTRY_TYPE, kind as u16);
        Ok(EntryAnswer {
            ledger: LedgerId::Open {
                index: LedgerIndex::new(10),
            },
            entry: (key != hash(0)).then(|| (entry, vec![0x11, 0, 0x61])),
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
            current: LedgerIndex::new(2),
            current_size: 0,
            expected_size: 100_000,
            queue_size: 0,
            base_fee: Drops::new(10),
            open_ledger_level: 256,
            open_ledger_fee: Drops::new(10),
        })
    }

    fn amendments(&self) -> Result<Vec<AmendmentState>, RpcError> {
        let name = |name: &'static str, status, stance| AmendmentState {
            id: codec::hash::sha512_half(&[name.as_bytes()]),
            name: Some(name),
            status,
            stance,
            supporters: u32::from(stance == Stance::Voting(Vote::For)),
            validators: 1,
        };
        let vote = *self.vote.lock().expect("no test panics with it");
        let since = CloseTime::new(5);
        Ok(vec![
            name("Remit", AmendmentStatus::Enabled, Stance::Voting(Vote::For)),
            name("Escrow", AmendmentStatus::Disabled, Stance::Obsolete),
            name(
                "Email",
                AmendmentStatus::Majority { since },
                Stance::Voting(vote.unwrap_or(Vote::Against)),
            ),
            AmendmentState {
                id: hash(0xFE),
                name: None,
                status: AmendmentStatus::Enabled,
                stance: Stance::Unknown,
                supporters: 0,
                validators: 1,
            },
        ])
    }

    fn vote(&self, amendment: Hash256, vote: Vote) -> Result<(), RpcError> {
        assert_eq!(amendment, codec::hash::sha512_half(&[b"Email"]));
        *self.vote.lock().expect("no test panics with it") = Some(vote);
        Ok(())
    }

    fn validator_votes(&self) -> Result<ValidatorVotes, RpcError> {
        let validator = KeyPair::ed25519([1; 16]).public_key();
        let wish = VoteWish {
            amendments: vec![(hash(0xFE), None), (hash(0xFD), Some("Email"))],
            validators: self.wanted.lock().expect("no test panics with it").clone(),
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

    fn want_validators(&self, wanted: BTreeSet<PublicKey>) -> Result<(), RpcError> {
        *self.wanted.lock().expect("no test panics with it") = wanted;
        Ok(())
    }

    fn freezes(&self) -> Result<FreezesAnswer, RpcError> {
        let rule = self.rule.lock().expect("no test panics with it").clone();
        let at = |seconds| Some(CloseTime::new(seconds));
        let freeze = |until| Freeze {
            since: CloseTime::new(1_000),
            until,
        };
        let known = [
            ("fake.example", Some(freeze(None))),
            ("was.example", Some(freeze(at(2_000)))),
        ];
        let known = known.map(|(domain, freeze)| DomainState {
            domain: Domain::new(domain.as_bytes()).expect("a domain"),
            freeze,
            wish: None,
            for_freeze: 0,
            for_lift: 3,
        });
        let wished = rule.map(|(domain, ruling)| DomainState {
            domain,
            freeze: None,
            wish: Some(ruling),
            for_freeze: 1,
            for_lift: 0,
        });
        Ok(FreezesAnswer {
            validators: 5,
            quorum: 4,
            domains: known.into_iter().chain(wished).collect(),
        })
    }

    fn rule(&self, domain: Domain, ruling: Ruling) -> Result<(), RpcError> {
        *self.rule.lock().expect("no test panics with it") = Some((domain, ruling));
        Ok(())
    }

    fn accept_ledger(&self) -> Result<LedgerIndex, RpcError> {
        Ok(LedgerIndex::new(11))
    }
}
