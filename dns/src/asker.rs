//! One resolver: its connections, what it says about a name, and whether it can be relied on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hickory_resolver::config::{NameServerConfig, ResolverOpts, ServerOrderingStrategy};
use hickory_resolver::net::dnssec::DnssecDnsHandle;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::xfer::{DnsHandle, FirstAnswer as _, RetryDnsHandle};
use hickory_resolver::proto::op::{DnsRequestOptions, Query};
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::{NameServerPool, PoolContext, TlsConfig};
use tokio::time::{Instant, timeout};
use tokio_rustls::rustls::ClientConfig;

use crate::limits::{
    ALIASES_MAX, DNSSEC_DEPTH_MAX, DNSSEC_KNOWN_SECS, UPSTREAM_FAILURES_MAX, UPSTREAM_REQUESTS_MAX,
    UPSTREAM_REST_SECS, UPSTREAM_TRIES_MAX,
};
use crate::reply::{Heard, Reply, Way, Word};
use crate::settings::{Anchors, Dnssec};
use crate::told::{Listener, Security, Told, Trouble};
use crate::trim::Trimmed;
use crate::upstream::Upstream;

type Plain = RetryDnsHandle<NameServerPool<TokioRuntimeProvider>>;

/// One resolver.
pub(crate) struct Asker {
    upstream: Upstream,
    plain: Plain,
    checked: DnssecDnsHandle<Trimmed<Plain>>,
    dnssec: Dnssec,
    /// The zone whose keys show whether signatures are passed on.
    anchored: Name,
    state: Mutex<State>,
    listener: Listener,
}

/// What the last answers tell of a resolver.
#[derive(Debug, Default)]
struct State {
    /// Questions without an answer, one after the other.
    failures: u32,
    /// It is asked after the others until then.
    rests_until: Option<Instant>,
    /// Whether it passes signatures on, and until when that is taken for granted.
    passes_dnssec: Option<(bool, Instant)>,
}

/// The answer about a name, or that there is none.
#[derive(Debug)]
pub(crate) enum Said {
    Records(Vec<Vec<u8>>, u32),
    Absent,
}

impl Asker {
    pub(crate) fn new(
        upstream: Upstream,
        servers: Vec<NameServerConfig>,
        (dnssec, anchors): (Dnssec, &Anchors),
        tls: &ClientConfig,
        (share, listener): (Duration, Listener),
    ) -> Self {
        let mut options = ResolverOpts::default();
        // All tries end within the share.
        options.timeout = share * 2 / 5;
        options.num_concurrent_reqs = 1;
        options.max_active_requests = UPSTREAM_REQUESTS_MAX;
        options.server_ordering_strategy = ServerOrderingStrategy::UserProvidedOrder;
        let tls = TlsConfig { config: tls.clone() };
        let context = Arc::new(PoolContext::new(options, tls));
        let pool = NameServerPool::from_config(servers, context, TokioRuntimeProvider::default());
        let plain = RetryDnsHandle::new(pool, UPSTREAM_TRIES_MAX - 1);
        Self {
            upstream,
            checked: DnssecDnsHandle::with_trust_anchor(Trimmed(plain.clone()), Arc::clone(&anchors.keys)),
            plain,
            dnssec,
            anchored: anchors.zone.clone(),
            state: Mutex::default(),
            listener,
        }
    }

    pub(crate) fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// Whether it failed lately: the others come first.
    pub(crate) fn rests(&self) -> bool {
        self.state()
            .rests_until
            .is_some_and(|until| Instant::now() < until)
    }

    /// Ask about a name, for no longer than `share`.
    pub(crate) async fn ask(&self, name: &Name, share: Duration) -> Result<(Said, Security), Trouble> {
        let asked = timeout(share, self.follow(name, share)).await;
        let asked = asked.unwrap_or_else(|_| Err(Trouble::Unreachable(silence(share))));
        match &asked {
            Ok(_) => self.note_answer(),
            Err(trouble) => self.note(trouble),
        }
        asked
    }

    /// Ask about a name, then about the name that it is an alias of, and so on.
    async fn follow(&self, name: &Name, share: Duration) -> Result<(Said, Security), Trouble> {
        let way = self.way(share).await?;
        let (mut here, mut aliases) = (name.clone(), 0);
        let (mut security, mut ttl_secs) = (Security::Secure, u32::MAX);
        for _ in 0..=ALIASES_MAX {
            let heard = match self.question(&here, way, ALIASES_MAX - aliases).await {
                Err(Trouble::Bogus) => self.branch(&here).await?,
                heard => heard?,
            };
            security = security.min(heard.security);
            ttl_secs = ttl_secs.min(heard.ttl_secs);
            aliases += heard.aliases;
            match heard.word {
                Word::Records(records) => return Ok((Said::Records(records, ttl_secs), security)),
                Word::Absent => return Ok((Said::Absent, security)),
                Word::Alias(next) => here = next,
            }
        }
        Err(Trouble::NoWord("a loop, or a long chain, of aliases".to_owned()))
    }

    async fn question(&self, name: &Name, way: Way, aliases_max: usize) -> Result<Heard, Trouble> {
        let question = Query::query(name.clone(), RecordType::TXT);
        self.send(question, way).await?.about(name, way, aliases_max)
    }

    /// A server makes the alias of a name in a branch that stands elsewhere by itself, unsigned: the top of the branch
    /// is what is signed (RFC 6672, 5.3.1). Any other answer that looked forged is.
    async fn branch(&self, name: &Name) -> Result<Heard, Trouble> {
        let question = Query::query(name.clone(), RecordType::TXT);
        let reply = self.send(question, Way::Plain).await?;
        let top = reply.branch(name).ok_or(Trouble::Bogus)?;
        let question = Query::query(top.clone(), RecordType::DNAME);
        self.send(question, Way::Checked).await?.elsewhere(top, name)
    }

    async fn send(&self, question: Query, way: Way) -> Result<Reply, Trouble> {
        let mut options = DnsRequestOptions::default();
        options.max_request_depth = DNSSEC_DEPTH_MAX;
        let came = match way {
            Way::Plain => self.plain.lookup(question.clone(), options).first_answer().await,
            Way::Checked => {
                self.checked
                    .lookup(question.clone(), options)
                    .first_answer()
                    .await
            }
        };
        Reply::read(&question, came.map(|response| response.into_message()))
    }

    /// Whether answers are checked. A resolver that passes no signatures on would make everything look forged, so it
    /// is asked for the keys of a zone that is known to be signed first.
    async fn way(&self, share: Duration) -> Result<Way, Trouble> {
        if self.dnssec == Dnssec::Off {
            return Ok(Way::Plain);
        }
        let known = self.state().passes_dnssec;
        let passes = match known.filter(|(_, until)| Instant::now() < *until) {
            Some((passes, _)) => Ok(passes),
            None => self.passes_dnssec(share / 2).await,
        };
        match (passes, self.dnssec) {
            (Ok(true), _) => Ok(Way::Checked),
            // It did, and silence is no reason to believe it unchecked now.
            (Err(_), _) if known.is_some_and(|(passed, _)| passed) => Ok(Way::Checked),
            (Ok(false) | Err(_), Dnssec::Log | Dnssec::Off) => Ok(Way::Plain),
            (Ok(false), Dnssec::Require) => {
                Err(Trouble::NoWord("it passes no DNSSEC signatures on".to_owned()))
            }
            (Err(trouble), Dnssec::Require) => Err(trouble),
        }
    }

    /// Whether the resolver passes signatures on. Silence is no word about that, and asked again next time.
    async fn passes_dnssec(&self, patience: Duration) -> Result<bool, Trouble> {
        let question = Query::query(self.anchored.clone(), RecordType::DNSKEY);
        let keys = timeout(patience, self.send(question, Way::Checked)).await;
        let passes = match keys.unwrap_or_else(|_| Err(Trouble::Unreachable(silence(patience)))) {
            Ok(reply) => reply.has_signature(&self.anchored),
            Err(Trouble::Bogus | Trouble::NoWord(_)) => false,
            Err(trouble @ Trouble::Unreachable(_)) => return Err(trouble),
        };
        let until = Instant::now() + Duration::from_secs(DNSSEC_KNOWN_SECS);
        let before = self.state().passes_dnssec.replace((passes, until));
        let upstream = &self.upstream;
        match (before.map(|(before, _)| before), passes) {
            (Some(false), true) => (self.listener)(&Told::Checked { upstream }),
            (None | Some(true), false) => (self.listener)(&Told::NotChecked { upstream }),
            (None | Some(true), true) | (Some(false), false) => {}
        }
        Ok(passes)
    }

    fn note_answer(&self) {
        let rested = {
            let mut state = self.state();
            state.failures = 0;
            state.rests_until.take().is_some()
        };
        if rested {
            (self.listener)(&Told::Up {
                upstream: &self.upstream,
            });
        }
    }

    /// Strangers choose the names, and a resolver is silent where a name's own servers are: only several failures
    /// one after the other say something about the resolver.
    fn note(&self, trouble: &Trouble) {
        match trouble {
            Trouble::Unreachable(_) => {}
            Trouble::NoWord(_) | Trouble::Bogus => return,
        }
        let falls = {
            let mut state = self.state();
            state.failures = state.failures.saturating_add(1);
            let is_down = state.failures >= UPSTREAM_FAILURES_MAX;
            let rest = is_down.then(|| Instant::now() + Duration::from_secs(UPSTREAM_REST_SECS));
            let was_down = state.rests_until.is_some();
            if is_down {
                state.rests_until = rest;
            }
            is_down && !was_down
        };
        if falls {
            let upstream = &self.upstream;
            (self.listener)(&Told::Down { upstream, trouble });
        }
    }

    /// A lock whose holder panicked is taken over: what it guards is replaced as a whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn silence(patience: Duration) -> String {
    format!("no answer within {:.1} s", patience.as_secs_f32())
}
