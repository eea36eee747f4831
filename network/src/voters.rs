//! The engines of the epochs, one after the other. In each, this node votes where it is one of its validators, and
//! goes along elsewhere.
//!
//! The engine of an epoch is stopped as soon as the epoch is over: left running, it would propose the last block
//! again and again. A node that missed the end of an epoch cannot read the votes of the next one; it asks those
//! who sent them for the block at the end of its own.

use std::collections::BTreeMap;
use std::future::pending;
use std::time::SystemTime;

use commonware_consensus::marshal::standard::Inline;
use commonware_consensus::simplex;
use commonware_consensus::simplex::scheme::ed25519::Scheme;
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::utils::mux::{Builder as _, MuxHandle, Muxer};
use commonware_p2p::{Blocker, Receiver, Sender};
use commonware_runtime::buffer::paged::CacheRef;
use commonware_runtime::{Blob as _, Clock, Handle, Metrics, Spawner, Storage};
use commonware_utils::ordered::Set;
use commonware_utils::vec::NonEmptyVec;
use rand_core::CryptoRng;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::application::App;
use crate::ballots::{Ballots, Record, Voted, may_vote};
use crate::commits::{Stopped, Turn};
use crate::epochs::{Epochs, engine_key};
use crate::ledgers::Ledgers;
use crate::limits::HINT_EVERY;
use crate::machine::Machine;
use crate::membership::{Kept, Membership, Track, Voting};
use crate::settings::{self, Ballot};

/// Votes that this node casts are remembered under names that begin so; the number of the epoch follows.
pub(crate) const VOTES: &str = "votes-";
/// Votes of others are, where this node casts none.
const FOLLOWS: &str = "follows-";

/// What the engines of all epochs share.
pub(crate) struct Voters<E, M, B> {
    pub(crate) context: E,
    pub(crate) ledgers: Ledgers<M>,
    pub(crate) epochs: Epochs,
    pub(crate) kept: Kept,
    pub(crate) membership: Membership,
    pub(crate) ballots: Box<dyn Ballots>,
    pub(crate) track: Track,
    pub(crate) blocker: B,
    pub(crate) page_cache: CacheRef,
    pub(crate) partition: String,
}

/// Channels that are shared by the engines of all epochs, each of which has its own part.
struct Shared<S: Sender> {
    votes: MuxHandle<S>,
    certificates: MuxHandle<S>,
    resolver: MuxHandle<S>,
}

/// Who spoke of later epochs than this node's.
#[derive(Default)]
struct Ahead {
    heard: BTreeMap<PublicKey, u64>,
    /// Until when nobody is asked again, and in which epoch.
    asked: Option<(u64, SystemTime)>,
}

impl Ahead {
    fn hear(&mut self, peer: PublicKey, epoch: u64) {
        let highest = self.heard.entry(peer).or_default();
        *highest = epoch.max(*highest);
    }

    /// Whom to ask for the end of `epoch`, if it is time to.
    fn whom(&mut self, epoch: u64, now: SystemTime) -> Option<NonEmptyVec<PublicKey>> {
        self.heard.retain(|_, highest| *highest > epoch);
        let waits = |(asked, until): (u64, SystemTime)| asked == epoch && now < until;
        if self.asked.is_some_and(waits) {
            return None;
        }
        let peers: Vec<PublicKey> = self.heard.keys().cloned().collect();
        let peers = NonEmptyVec::try_from(peers).ok()?;
        self.asked = Some((epoch, now + HINT_EVERY));
        Some(peers)
    }
}

impl<E, M, B> Voters<E, M, B>
where
    E: Spawner + Metrics + Clock + CryptoRng + Storage,
    M: Machine,
    B: Blocker<PublicKey = PublicKey>,
{
    /// Runs the engines of `epoch` and of those that begin, until one ends by itself.
    pub(crate) async fn run<S, R>(
        mut self,
        mut epoch: u64,
        mut turns: UnboundedReceiver<Turn>,
        votes: (S, R),
        certificates: (S, R),
        resolver: (S, R),
    ) -> Result<(), Stopped>
    where
        S: Sender<PublicKey = PublicKey>,
        R: Receiver<PublicKey = PublicKey>,
    {
        let of_votes = Muxer::builder(self.context.child("mux_votes"), votes.0, votes.1);
        let (muxer, votes, mut others) = of_votes.with_backup().build();
        let _votes = muxer.start();
        let (muxer, certificates) = Muxer::new(
            self.context.child("mux_certificates"),
            certificates.0,
            certificates.1,
        );
        let _certificates = muxer.start();
        let (muxer, resolver) = Muxer::new(self.context.child("mux_resolver"), resolver.0, resolver.1);
        let _resolver = muxer.start();
        let mut shared = Shared {
            votes,
            certificates,
            resolver,
        };
        let mut ahead = Ahead::default();
        let mut running = self.enter(epoch, &mut shared).await?;
        loop {
            tokio::select! {
                biased;
                turn = turns.recv() => match turn {
                    // The task that makes ledgers has ended, and says why.
                    None => return pending().await,
                    Some(Turn::Settled(start)) => {
                        let keys = start.validators.iter().filter_map(engine_key);
                        (self.track)(start.epoch, &Set::from_iter_dedup(keys));
                    }
                    // Those before the first one were entered at the start.
                    Some(Turn::Begun(next)) if next > epoch => {
                        running.abort();
                        // It was aborted.
                        let _ = running.await;
                        epoch = next;
                        running = self.enter(epoch, &mut shared).await?;
                        self.ask(epoch, &mut ahead);
                    }
                    Some(Turn::Begun(_)) => {}
                },
                _ = &mut running => return Ok(()),
                Some((other, (peer, _))) = others.recv() => {
                    if other > epoch {
                        ahead.hear(peer, other);
                        self.ask(epoch, &mut ahead);
                    }
                }
            }
        }
    }

    /// Asks those who are ahead for the end of this node's epoch.
    fn ask(&self, epoch: u64, ahead: &mut Ahead) {
        if let Some(peers) = ahead.whom(epoch, self.context.current()) {
            self.kept.hint_finalized(self.epochs.border(epoch), peers);
        }
    }

    /// Starts the engine of an epoch.
    async fn enter<S: Sender<PublicKey = PublicKey>>(
        &mut self,
        epoch: u64,
        shared: &mut Shared<S>,
    ) -> Result<Handle<()>, Stopped> {
        let known = self.epochs.get(epoch).ok_or(Stopped::UnknownEpoch { epoch })?;
        let validators = known.validators.keys.clone();
        (self.track)(epoch, &validators);
        let signer = self.signer(epoch, &validators).await?;
        let (scheme, kind) = match signer {
            Some(signer) => (signer, VOTES),
            None => (Scheme::verifier(&self.membership.namespace, validators), FOLLOWS),
        };
        let ballot = Ballot {
            epoch,
            border: known.border,
            partition: self.partition(kind, epoch),
        };
        let config = {
            let (namespace, blocker) = (self.membership.namespace.clone(), self.blocker.clone());
            let page_cache = self.page_cache.clone();
            move |automaton| settings::voting(scheme, &namespace, blocker, automaton, ballot, page_cache)
        };
        let app = App::new(self.ledgers.clone());
        let (kept, epocher) = (self.kept.clone(), self.epochs.epocher());
        let channels = (
            shared.votes.register(epoch).await,
            shared.certificates.register(epoch).await,
            shared.resolver.register(epoch).await,
        );
        let context = self.context.child("epoch").with_attribute("epoch", epoch);
        // What it starts ends with it.
        Ok(context.spawn(move |context| async move {
            let (Ok(votes), Ok(certificates), Ok(resolver)) = channels else {
                return;
            };
            let automaton = Inline::new(context.child("application"), app, kept, epocher);
            let simplex = simplex::Engine::new(context.child("simplex"), config(automaton));
            // How it ended matters to nobody.
            let _ = simplex.start(votes, certificates, resolver).await;
        }))
    }

    /// What this node signs its votes of an epoch with, if it has any to cast.
    async fn signer(&mut self, epoch: u64, validators: &Set<PublicKey>) -> Result<Option<Scheme>, Stopped> {
        let Membership {
            key,
            voting,
            namespace,
        } = &self.membership;
        let listed = match voting {
            Voting::WhereListed => Scheme::signer(namespace, validators.clone(), key.clone()),
            Voting::Never => None,
        };
        let (is_listed, count) = (listed.is_some(), validators.len());
        let records = self.partition(VOTES, epoch);
        let found = match self.context.scan(&records).await {
            Ok(files) if !files.is_empty() => Record::Kept,
            // The engine says so where they cannot be read.
            Ok(_) | Err(_) => Record::Gone,
        };
        let voted = self.ballots.voted();
        let signer = listed.filter(|_| may_vote(voted, epoch, found));
        if signer.is_some() {
            if found == Record::Gone {
                self.begin_record(&records).await?;
            }
            self.note(Voted {
                epoch,
                record: Record::Kept,
            })?;
            tracing::info!(epoch, validators = count, "an epoch begins: this node votes");
        } else {
            if let Some(Voted { epoch: past, .. }) = voted.filter(|voted| voted.epoch < epoch) {
                self.note(Voted {
                    epoch: past,
                    record: Record::Gone,
                })?;
            }
            if is_listed {
                tracing::warn!(
                    epoch,
                    "the record of what this validator voted in this epoch is gone: it follows, and votes from a later epoch on"
                );
            } else {
                tracing::info!(epoch, validators = count, "an epoch begins: this node follows");
            }
        }
        let past = voted
            .map(|voted| voted.epoch)
            .into_iter()
            .chain(epoch.checked_sub(1));
        for past in past.filter(|past| *past < epoch) {
            for kind in [VOTES, FOLLOWS] {
                // There may be none.
                let _ = self.context.remove(&self.partition(kind, past), None).await;
            }
        }
        Ok(signer)
    }

    /// Begins the record of votes before it is noted that there has to be one. The engine goes on with it.
    async fn begin_record(&self, partition: &str) -> Result<(), Stopped> {
        let wrong = |error: commonware_runtime::Error| Stopped::Files(error.to_string());
        let (blob, _) = self
            .context
            .open(partition, &0_u64.to_be_bytes())
            .await
            .map_err(wrong)?;
        blob.sync().await.map_err(wrong)
    }

    fn note(&mut self, voted: Voted) -> Result<(), Stopped> {
        if self.ballots.voted() == Some(voted) {
            return Ok(());
        }
        self.ballots.note(voted).map_err(Stopped::Voted)
    }

    fn partition(&self, kind: &str, epoch: u64) -> String {
        format!("{}{kind}{epoch}", self.partition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use commonware_cryptography::Signer as _;
    use commonware_cryptography::ed25519::PrivateKey;

    fn peer(seed: u64) -> PublicKey {
        PrivateKey::from_seed(seed).public_key()
    }

    #[test]
    fn those_who_are_ahead_are_asked_at_each_border_and_again_after_a_while() {
        let (mut ahead, now) = (Ahead::default(), SystemTime::UNIX_EPOCH);
        assert_eq!(ahead.whom(3, now), None, "nobody is");
        ahead.hear(peer(1), 5);
        ahead.hear(peer(2), 9);
        ahead.hear(peer(2), 4);
        let asked = |peers: Option<NonEmptyVec<PublicKey>>| peers.map(|peers| peers.len().get());
        assert_eq!(asked(ahead.whom(3, now)), Some(2));
        assert_eq!(asked(ahead.whom(3, now)), None, "they were just asked");
        assert_eq!(asked(ahead.whom(3, now + HINT_EVERY)), Some(2));
        assert_eq!(
            asked(ahead.whom(5, now)),
            Some(1),
            "the other is not ahead any more"
        );
        assert_eq!(asked(ahead.whom(9, now)), None);
    }
}
