//! The links between nodes: a small TCP proxy for each pair and direction, which is cut by closing it.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Which group each node is in: those of one group reach each other.
type Groups = Vec<usize>;

/// The links of a network; they end with the value.
pub(super) struct Links {
    groups: watch::Sender<Groups>,
    /// Where a node finds another one: by the first, then by the second.
    addresses: Vec<Vec<SocketAddr>>,
    _proxies: JoinSet<()>,
}

impl Links {
    /// Links between nodes that listen at these addresses; all of them are open.
    pub(super) async fn open(nodes: &[SocketAddr]) -> std::io::Result<Self> {
        let (groups, _) = watch::channel(vec![0; nodes.len()]);
        let mut proxies = JoinSet::new();
        let mut addresses = Vec::new();
        for from in 0..nodes.len() {
            let mut row = Vec::new();
            for (to, target) in nodes.iter().enumerate() {
                if from == to {
                    row.push(*target);
                    continue;
                }
                let listener = TcpListener::bind((target.ip(), 0)).await?;
                row.push(listener.local_addr()?);
                proxies.spawn(carry(listener, *target, (from, to), groups.subscribe()));
            }
            addresses.push(row);
        }
        Ok(Self {
            groups,
            addresses,
            _proxies: proxies,
        })
    }

    /// Where a node finds the others, and itself.
    pub(super) fn seen_by(&self, node: usize) -> &[SocketAddr] {
        self.addresses.get(node).map_or(&[], Vec::as_slice)
    }

    /// Leaves open only the links within a group.
    pub(super) fn set(&self, groups: Groups) {
        self.groups.send_replace(groups);
    }

    /// The groups.
    pub(super) fn groups(&self) -> Groups {
        self.groups.borrow().clone()
    }
}

/// Carries the connections of one link while it is open.
async fn carry(
    listener: TcpListener,
    target: SocketAddr,
    pair: (usize, usize),
    mut groups: watch::Receiver<Groups>,
) {
    let is_cut = move |groups: &Groups| groups.get(pair.0) != groups.get(pair.1);
    // They end with the link.
    let mut connections = JoinSet::new();
    loop {
        let accepted = listener.accept().await;
        while connections.try_join_next().is_some() {}
        let Ok((mut near, _)) = accepted else {
            // No descriptor is free: the others end first.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        if is_cut(&groups.borrow_and_update()) {
            continue;
        }
        let mut cut = groups.clone();
        connections.spawn(async move {
            // Where the target is down, or one end breaks, the connection ends.
            let Ok(mut far) = TcpStream::connect(target).await else {
                return;
            };
            let _ = near.set_nodelay(true).and_then(|()| far.set_nodelay(true));
            tokio::select! {
                _ = copy_bidirectional(&mut near, &mut far) => {}
                _ = cut.wait_for(is_cut) => {}
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    async fn answers(link: SocketAddr) -> bool {
        let mut stream = TcpStream::connect(link).await.expect("a proxy");
        let mut byte = [0];
        // A link that is cut may take the byte before it closes.
        let _ = stream.write_all(b"x").await;
        matches!(stream.read(&mut byte).await, Ok(1))
    }

    #[tokio::test]
    async fn links_are_cut_between_groups_and_healed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let node = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = stream.split();
                    tokio::io::copy(&mut read, &mut write).await
                });
            }
        });
        let links = Links::open(&[node, node, node]).await.expect("links");
        assert_eq!(links.seen_by(1)[1], node, "itself");
        let link = links.seen_by(0)[1];
        assert!(answers(link).await);
        let mut open = TcpStream::connect(link).await.expect("a proxy");
        open.write_all(b"x").await.expect("open");
        open.read_exact(&mut [0]).await.expect("an echo");
        links.set(vec![0, 1, 0]);
        assert_eq!(open.read(&mut [0]).await.ok(), Some(0), "open ones are cut");
        assert!(!answers(link).await);
        assert!(answers(links.seen_by(0)[2]).await, "within the group");
        links.set(vec![0; 3]);
        assert!(answers(link).await);
    }
}
