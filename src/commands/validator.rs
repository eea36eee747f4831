//! `validator`: one node of a network, from its configuration to a running engine.

use super::node::{RunningNode, Source, clock_from, outlive_full_disks, trust};
use super::{Failure, Outcome, keys, providers, reread};
use crate::clock::RehearsedClock;
use crate::output::Format;
use crate::{cli, input};
use ::network::config::{Config, SyncBy};
use ::network::{EngineConfig, EngineError, Lost, Member, sync};
use node::{DataFolder, Node, NodeConfig, first_ledger, validator_key};
use serde_json::json;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Runs until the operator ends it, or until the node's ledger is not the network's.
pub(crate) async fn run(args: &cli::Validator, format: Format) -> Result<Outcome, Failure> {
    outlive_full_disks()?;
    let config = Config::read(&args.config)?;
    let lost = if args.rejoin { Lost::Rejoin } else { Lost::Refuse };
    let metrics = config.file.http.map(|_| ops::install(&[])).transpose();
    let metrics = metrics.map_err(std::io::Error::other)?;
    let (members, follow) = watch::channel(config.members().to_vec());
    let mut running = start(&config, &args.callers, lost, follow).await?;
    tokio::spawn(reread::follow(args.config.clone(), config.clone(), members));
    let mut places = vec![running.url()];
    if let (Some(address), Some(metrics)) = (config.file.http, metrics) {
        places.push(running.watch(address, metrics).await?);
    }
    let network_id = config.file.network.id;
    if format.is_json() {
        out!(
            "{}",
            json!({ "listening": places[0], "http": places.get(1), "network_id": network_id })
        );
    } else {
        for place in &places {
            out!("listening {place}");
        }
    }
    tracing::info!(name = config.file.name, listening = %places.join(" "), network_id, "the node serves");
    if args.while_stdin_is_open {
        running.until_stopped_or(input::closed()).await?;
    } else {
        running.until_stopped().await?;
    }
    tracing::info!("the node has stopped");
    Ok(Outcome::Yes)
}

/// Where DKIM keys come from, as the configuration says.
fn keys_of(config: &Config) -> Result<cli::Keys, Failure> {
    let from = |path: &std::path::PathBuf| config.folder.join(path);
    let file = &config.file;
    let wrong =
        |setting: &str, error: &dyn std::fmt::Display| Failure::Argument(format!("'{setting}': {error}"));
    let upstreams: Result<Vec<dns::Upstream>, _> = file.dns.iter().map(|text| text.parse()).collect();
    let dnssec = file.dnssec.as_deref().map(str::parse).transpose();
    Ok(cli::Keys {
        keys: file.dkim_keys.as_ref().map(from),
        dns: upstreams.map_err(|error| wrong("dns", &error))?,
        check: cli::DnsCheck {
            dnssec: dnssec
                .map_err(|error| wrong("dnssec", &error))?
                .unwrap_or_default(),
            dns_anchors: file.dns_anchors.as_ref().map(from),
            dns_authority: file.dns_authority.as_ref().map(from),
        },
    })
}

fn source(config: &Config) -> Result<Source, Failure> {
    let Some(file) = &config.file.clock else {
        return Ok(Source::Wall);
    };
    let path = config.folder.join(file);
    let opened = RehearsedClock::open(path.clone());
    Ok(Source::Rehearsed(opened.map_err(|source| Failure::Read {
        path: path.display().to_string(),
        source,
    })?))
}

/// Sees to it that a data folder without ledgers gets one of others, where it is to begin so.
fn begin(engine: &EngineConfig, sync: SyncBy) -> Result<(), Failure> {
    let folder = DataFolder::take(&engine.data)?;
    if folder.has_ledger()? {
        return Ok(sync::forget_pieces(&engine.data).map_err(EngineError::from)?);
    }
    let fetched = match sync {
        SyncBy::Blocks => None,
        SyncBy::Snapshot => sync::fetch(engine)?,
    };
    match fetched {
        Some(ledger) => {
            folder.begin_with(engine.network_id, &ledger)?;
            Ok(sync::forget_pieces(&engine.data).map_err(EngineError::from)?)
        }
        None => Ok(sync::begin_with_first(&engine.data).map_err(EngineError::from)?),
    }
}

async fn start(
    config: &Config,
    callers: &cli::Callers,
    lost: Lost,
    members: watch::Receiver<Vec<Member>>,
) -> Result<RunningNode, Failure> {
    let key = validator_key::read(&config.folder)?;
    config.check_key(&key)?;
    let node_config = NodeConfig {
        providers: providers::domains()?,
        ..config.node()?
    };
    let resolver = keys::resolver(&keys_of(config)?, Arc::new(node::note_dns))?;
    let clock = clock_from(source(config)?)?;
    let own = config.own();
    let engine = EngineConfig {
        network_id: node_config.network_id,
        first: first_ledger(&node_config, &key)?,
        epoch: config.epoch()?,
        majority_secs: node_config.majority_secs,
        key: key.clone(),
        voting: config.voting(),
        lost,
        members: config.members().to_vec(),
        data: node_config.data.clone(),
        key_folder: config.folder.clone(),
    };
    let folder = engine.clone();
    let sync = config.file.sync;
    let fetching = tokio::task::spawn_blocking(move || begin(&folder, sync));
    fetching.await.map_err(std::io::Error::other)??;
    let runtime = tokio::runtime::Handle::current();
    let starting = tokio::task::spawn_blocking(move || {
        Node::start_with_key(&node_config, key, clock, resolver, runtime)
    });
    let node = starting.await.map_err(std::io::Error::other)??;
    let listening = TcpListener::bind(own.rpc).await;
    let listener = listening.map_err(|source| Failure::Listen {
        flag: "rpc",
        address: own.rpc,
        source,
    })?;
    let address = listener.local_addr()?;
    let (told, stop) = watch::channel(false);
    let end = ::network::start(&engine, Arc::new(node.clone()), members, stop)?;
    let closing = |node: Node, mut stopped: watch::Receiver<bool>| {
        tokio::spawn(async move {
            let mut end = end;
            tokio::select! {
                ended = &mut end => {
                    return Ok(ended.map_err(|_| EngineError::Failed("its thread has ended".to_owned()))??);
                }
                failure = node.failed() => return Err(failure.into()),
                _ = stopped.wait_for(|stopped| *stopped) => {}
            }
            // Fails where the engine has ended meanwhile.
            let _ = told.send(true);
            Ok(end
                .await
                .map_err(|_| EngineError::Failed("its thread has ended".to_owned()))??)
        })
    };
    Ok(RunningNode::serve(
        node,
        listener,
        address,
        trust(callers),
        closing,
    ))
}
