//! A configuration that was changed while its node runs: what of it counts at once, and what never may change.

use std::collections::BTreeMap;

use crate::config::{Config, ConfigError, ConfigFile, NodeTable, PartName};
use crate::limits::NODES_ADDED_MAX;
use crate::peers;

/// What a changed file means for the running node.
#[derive(Debug)]
pub struct Reread {
    /// The configuration, with this node where it still listens.
    pub config: Config,
    /// What counts from now on, for the log.
    pub changes: Vec<String>,
    /// Settings that count from the next start on.
    pub later: Vec<&'static str>,
}

/// Why a changed file is not taken. The one before stays in force.
#[derive(Debug, thiserror::Error)]
pub enum RereadError {
    /// It is no configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It is about another network.
    #[error("[network] says what the network began with, the same for ever and on all nodes: put it back")]
    Network,
    /// Other nodes make the first ledger.
    #[error(
        "the entries with part = \"validator\" say who made the first ledger, with which keys: put them back. Who \
         votes now is changed by 'network vote'"
    )]
    FirstValidators,
    /// It is about another node.
    #[error("'name' and the key of this node may not change while it runs")]
    OtherNode,
    /// A key stands there twice.
    #[error("two of the nodes have the same key")]
    TwoOfAKey,
    /// A key signs no blocks.
    #[error("the key {0} is no ed25519 key: nodes sign with ed25519")]
    Key(String),
    /// Too many nodes are new.
    #[error(
        "more than {NODES_ADDED_MAX} nodes more than at the start: start this node again to take them in"
    )]
    TooMany,
}

/// What a changed file means, read by a node that runs with `in_force` and was started with so many nodes.
pub fn reread(in_force: &Config, started_with: usize, changed: Config) -> Result<Reread, RereadError> {
    let (old, new) = (&in_force.file, &changed.file);
    if old.network != new.network {
        return Err(RereadError::Network);
    }
    if first_validators(old) != first_validators(new) {
        return Err(RereadError::FirstValidators);
    }
    if old.name != new.name || in_force.own().public_key != changed.own().public_key {
        return Err(RereadError::OtherNode);
    }
    let addresses = peers::addresses(changed.members()).map_err(RereadError::Key)?;
    if addresses.len() != new.nodes.len() {
        return Err(RereadError::TwoOfAKey);
    }
    if addresses.len() > started_with + NODES_ADDED_MAX {
        return Err(RereadError::TooMany);
    }
    let later = later(old, new, in_force.own(), changed.own());
    let changes = changes(old, new);
    let config = listening_where_it_does(in_force, changed)?;
    Ok(Reread {
        config,
        changes,
        later,
    })
}

fn first_validators(file: &ConfigFile) -> BTreeMap<&str, &str> {
    let first = file.nodes.iter().filter(|node| node.part == PartName::Validator);
    first
        .map(|node| (node.public_key.as_str(), node.name.as_str()))
        .collect()
}

/// The settings that were changed and count from the next start on.
fn later(old: &ConfigFile, new: &ConfigFile, was: &NodeTable, is: &NodeTable) -> Vec<&'static str> {
    let settings = [
        ("data", old.data != new.data),
        ("vote", old.vote != new.vote),
        ("http", old.http != new.http),
        ("dkim_keys", old.dkim_keys != new.dkim_keys),
        ("dns", old.dns != new.dns),
        ("dnssec", old.dnssec != new.dnssec),
        ("dns_anchors", old.dns_anchors != new.dns_anchors),
        ("dns_authority", old.dns_authority != new.dns_authority),
        ("clock", old.clock != new.clock),
        ("sync", old.sync != new.sync),
        ("peer of this node", was.peer != is.peer),
        ("rpc of this node", was.rpc != is.rpc),
    ];
    let changed = settings.into_iter().filter(|(_, is_changed)| *is_changed);
    changed.map(|(setting, _)| setting).collect()
}

/// What is another about the other nodes.
fn changes(old: &ConfigFile, new: &ConfigFile) -> Vec<String> {
    let of_key = |nodes: &[NodeTable], key: &str| nodes.iter().find(|node| node.public_key == key).cloned();
    let others = |file: &ConfigFile| {
        let nodes = file.nodes.iter().filter(|node| node.name != file.name);
        nodes.cloned().collect::<Vec<_>>()
    };
    let (old, new) = (others(old), others(new));
    let mut changes = Vec::new();
    for node in &new {
        match of_key(&old, &node.public_key) {
            None => changes.push(format!("{} is new, at {}", node.name, node.peer)),
            Some(was) if was.peer != node.peer => {
                changes.push(format!(
                    "{} is at {} now, not at {}",
                    node.name, node.peer, was.peer
                ));
            }
            Some(_) => {}
        }
    }
    let gone = old.iter().filter(|node| of_key(&new, &node.public_key).is_none());
    changes
        .extend(gone.map(|node| format!("{} is gone: it is let in until two epochs have begun", node.name)));
    changes
}

/// This node listens where it did at its start, whatever the file says now.
fn listening_where_it_does(in_force: &Config, changed: Config) -> Result<Config, ConfigError> {
    let mut file = changed.file;
    let own = file.nodes.iter_mut().find(|node| node.name == file.name);
    if let Some(own) = own {
        own.peer = in_force.own().peer;
        own.rpc = in_force.own().rpc;
    }
    Config::of(changed.folder, file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::NetworkTable;
    use crate::config::SyncBy;
    use codec::keys::KeyPair;

    fn entry(number: u8, part: PartName) -> NodeTable {
        let port =
            |offset: u8| std::net::SocketAddr::from(([127, 0, 0, 1], 7_600 + u16::from(2 * number + offset)));
        NodeTable {
            name: format!("node-{number}"),
            part,
            public_key: crate::config::key_text(&KeyPair::ed25519([number; 16]).public_key()),
            peer: port(0),
            rpc: port(1),
        }
    }

    fn file() -> ConfigFile {
        ConfigFile {
            name: "node-1".to_owned(),
            data: "data".into(),
            vote: true,
            http: None,
            dkim_keys: None,
            dns: Vec::new(),
            dnssec: None,
            dns_anchors: None,
            dns_authority: None,
            clock: None,
            sync: SyncBy::Blocks,
            network: NetworkTable {
                id: 21_337,
                start: 1_800_000_000,
                key_delay_first: 0,
                key_delay_next: 0,
                epoch: 900,
                majority: 432_000,
                email: true,
                fund: Vec::new(),
            },
            nodes: vec![
                entry(1, PartName::Validator),
                entry(2, PartName::Validator),
                entry(3, PartName::Follower),
            ],
        }
    }

    fn after(change: impl FnOnce(&mut ConfigFile)) -> Result<Reread, RereadError> {
        let in_force = Config::of("".into(), file()).expect("a configuration");
        let mut changed = file();
        change(&mut changed);
        reread(&in_force, 3, Config::of("".into(), changed)?)
    }

    #[test]
    fn accepts_other_addresses_and_new_and_old_nodes_at_once() {
        let reread = after(|file| {
            file.nodes[1].peer.set_port(9_000);
            file.nodes[2] = entry(4, PartName::Follower);
        });
        let reread = reread.expect("taken");
        assert_eq!(reread.later, [""; 0]);
        assert_eq!(
            reread.changes,
            [
                "node-2 is at 127.0.0.1:9000 now, not at 127.0.0.1:7604",
                "node-4 is new, at 127.0.0.1:7608",
                "node-3 is gone: it is let in until two epochs have begun"
            ]
        );
        let addresses = reread.config.members().iter().map(|member| member.address.port());
        assert_eq!(addresses.collect::<Vec<_>>(), [7_602, 9_000, 7_608]);
    }

    #[test]
    fn accepts_settings_of_this_node_for_later_and_its_own_address_too() {
        let reread = after(|file| {
            file.vote = false;
            file.dns = vec!["127.0.0.1".to_owned()];
            file.nodes[0].peer.set_port(9_000);
        });
        let reread = reread.expect("taken");
        assert_eq!(reread.later, ["vote", "dns", "peer of this node"]);
        assert!(reread.changes.is_empty());
        assert_eq!(reread.config.own().peer.port(), 7_602, "it listens there");
    }

    #[test]
    fn rejects_another_network_other_first_validators_and_another_self() {
        type Change = fn(&mut ConfigFile);
        let network: [Change; 2] = [|file| file.network.id = 1, |file| file.network.epoch = 901];
        for change in network {
            assert!(matches!(after(change), Err(RereadError::Network)));
        }
        let first: [Change; 4] = [
            |file| drop(file.nodes.remove(1)),
            |file| file.nodes.push(entry(5, PartName::Validator)),
            |file| file.nodes[1].part = PartName::Follower,
            |file| file.nodes[1].public_key = entry(5, PartName::Validator).public_key,
        ];
        for change in first {
            assert!(matches!(after(change), Err(RereadError::FirstValidators)));
        }
        let own: [Change; 1] = [|file| file.name = "node-2".to_owned()];
        for change in own {
            assert!(matches!(after(change), Err(RereadError::OtherNode)));
        }
    }

    #[test]
    fn rejects_what_no_network_can_be_made_of() {
        let twice = after(|file| {
            let node = NodeTable {
                name: "node-9".to_owned(),
                ..entry(3, PartName::Follower)
            };
            file.nodes.push(node);
        });
        assert!(matches!(twice, Err(RereadError::TwoOfAKey)), "{twice:?}");
        let many = |count: u8| {
            after(move |file| {
                file.nodes
                    .extend((10..10 + count).map(|number| entry(number, PartName::Follower)))
            })
        };
        let most = u8::try_from(NODES_ADDED_MAX).expect("few");
        assert!(many(most).is_ok());
        assert!(matches!(many(most + 1), Err(RereadError::TooMany)));
        let name = after(|file| file.nodes[1].name = "node-1".to_owned());
        assert!(matches!(
            name,
            Err(RereadError::Config(ConfigError::TwoOfAName(_)))
        ));
        let key = after(|file| file.nodes[2].public_key = "n9".to_owned());
        assert!(matches!(
            key,
            Err(RereadError::Config(ConfigError::PublicKey { .. }))
        ));
    }
}
