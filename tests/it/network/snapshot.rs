//! A node that comes to a network with history, and fetches its state in place of making all ledgers.

use super::*;

/// Ledgers of an epoch, so that the first snapshot is there soon.
const EPOCH: u64 = 5;

impl Network {
    /// Changes a node's configuration.
    fn configure(&self, node: usize, change: impl Fn(&str) -> String) {
        let path = self.config(node);
        let text = std::fs::read_to_string(&path).expect("a configuration");
        std::fs::write(&path, change(&text)).expect("written");
    }

    /// A node has the ledgers of the first one, from its own first one to at least `least`.
    async fn assert_same_from(&self, node: usize, least: u64) {
        let url = self.url(node);
        wait_for("a later ledger", async || {
            (last_ledger(url).await >= least).then_some(())
        })
        .await;
        let (first, last) = (first_here(url).await, last_ledger(url).await);
        for index in first..=last {
            assert_eq!(
                hash(url, index).await,
                hash(self.url(0), index).await,
                "ledger {index}"
            );
        }
    }

    /// Starts a node and ends it soon, as a power cut would.
    fn start_and_kill(&self, node: usize, after: Duration) {
        let mut child = program()
            .args(["validator", "--config"])
            .arg(self.config(node))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the node starts");
        std::thread::sleep(after);
        child.kill().expect("kill");
        child.wait().expect("wait");
    }
}

/// The first ledger that a node has.
async fn first_here(url: &str) -> u64 {
    let info = request(url, "server_info", json!({})).await;
    let complete = info["info"]["complete_ledgers"]
        .as_str()
        .expect("a range")
        .to_owned();
    let first = complete.split('-').next().expect("a range");
    first.parse().expect("an index")
}

async fn hash(url: &str, index: u64) -> Value {
    request(url, "ledger", json!({ "ledger_index": index })).await["ledger_hash"].clone()
}

#[tokio::test]
async fn a_follower_that_is_killed_again_and_again_begins_with_a_snapshot_and_agrees_from_there_on() {
    let world = World::new();
    let mut network = Network::new(&world, 4, 1);
    for node in 0..5 {
        network.configure(node, |text| {
            let text = text.replace("epoch = 900", &format!("epoch = {EPOCH}"));
            assert!(text.contains(&format!("epoch = {EPOCH}")), "{text}");
            text
        });
    }
    let follower = 4;
    network.configure(follower, |text| format!("sync = \"snapshot\"\n{text}"));
    for node in 0..follower {
        network.start(node);
    }
    submit(network.url(0), &pay(&world, 5)).await;
    network.wait_for_payments(5).await;
    // The network begins with ledger 2; the second epoch ends with this one.
    let border = 2 + 2 * EPOCH - 1;
    let url = network.url(0).to_owned();
    wait_for("the end of the second epoch", async || {
        (last_ledger(&url).await > border).then_some(())
    })
    .await;

    for millis in [300, 1_500, 2_500] {
        network.start_and_kill(follower, Duration::from_millis(millis));
    }
    network.start(follower);
    let url = network.url(follower).to_owned();
    let first = first_here(&url).await;
    assert!(
        first >= border - 1,
        "it has no ledger before the snapshot's: {first}"
    );
    assert_eq!(
        balance(&url, RECEIVER).await,
        RESERVE_XAH + 5,
        "the state is there"
    );

    // What comes in at it is paid, in the same ledgers everywhere; it stays so after it was killed again.
    submit(&url, &pay(&world, 7)).await;
    network.wait_for_payments(12).await;
    network.kill(follower);
    network.start(follower);
    submit(network.url(1), &pay(&world, 11)).await;
    network.wait_for_payments(23).await;
    assert_eq!(first_here(network.url(follower)).await, first);
    network.assert_same_from(follower, first + EPOCH).await;

    // Where its ledgers alone are lost, or take too long to catch up, it fetches again.
    network.kill(follower);
    let data = network.folder.join("follower-1").join("data");
    std::fs::remove_file(data.join("ledger.redb")).expect("removed");
    network.start(follower);
    let first = first_here(network.url(follower)).await;
    submit(network.url(follower), &pay(&world, 13)).await;
    network.wait_for_payments(36).await;
    network.assert_same_from(follower, first + 2).await;
}
