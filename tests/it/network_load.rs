//! Networks under load: many mails of many senders, and nodes that are killed meanwhile. A few in each run, many where
//! XAHAU_EMAIL_LONG is set; XAHAU_EMAIL_NETWORK_MAILS, _SENDERS and _KILLS say how many.

#[path = "../../benches/network/cluster.rs"]
pub(crate) mod cluster;
#[path = "../../benches/network/mails.rs"]
pub(crate) mod mails;

use amendment::address::parse_recipient;
use cluster::{Cluster, Place, connect};
use mails::{RECEIVER, Senders, paid_drops};
use rpc::Client;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const VALIDATORS: usize = 5;
/// Connections that hand mails in.
const CALLERS: usize = 20;
/// How long payments may take once all nodes run.
const PATIENCE: Duration = Duration::from_secs(600);

/// A number of a run: as it is set, else the first one in the long run, else the second.
fn setting(name: &str, long: usize, short: usize) -> usize {
    let is_long = std::env::var_os("XAHAU_EMAIL_LONG").is_some();
    let default = if is_long { long } else { short };
    let value = std::env::var(format!("XAHAU_EMAIL_NETWORK_{name}"));
    value.map_or(default, |text| text.parse().expect("a number"))
}

/// A network and its senders.
pub(crate) struct World {
    _folder: tempfile::TempDir,
    pub(crate) cluster: Cluster,
    pub(crate) senders: Arc<Senders>,
}

impl World {
    fn new(senders: usize) -> World {
        World::at(senders, vec![Place::here(); VALIDATORS])
    }

    /// Its nodes run at these places.
    pub(crate) fn at(senders: usize, places: Vec<Place>) -> World {
        let folder = tempfile::tempdir().expect("a folder");
        let senders = Senders::new(senders);
        let keys = folder.path().join("keys.json");
        std::fs::write(&keys, senders.keys_json()).expect("written");
        let program = Path::new(env!("CARGO_BIN_EXE_xahau-email"));
        let mut cluster = Cluster::new(program, folder.path(), places, &keys, &senders.funds());
        cluster.start_all();
        World {
            _folder: folder,
            cluster,
            senders: Arc::new(senders),
        }
    }

    /// Brings the senders' key onto the ledger: of mails that wait for one, nodes keep a few.
    async fn first_mail(&self) {
        let mut client = connect(&self.cluster.url(0)).await;
        assert!(
            hand_in(&mut client, &self.senders.mail(0)).await,
            "the first mail"
        );
        self.settle(1).await;
    }

    /// Waits until each node shows that each mail was paid once; then they must have the same ledgers.
    pub(crate) async fn settle(&self, mails: usize) -> u64 {
        for number in 0..self.cluster.count() {
            until_balance(&self.cluster.url(number), paid_drops(mails)).await;
        }
        self.cluster.assert_same_ledgers().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_mails_of_many_senders_are_paid_once_in_the_same_ledgers_on_all_nodes() {
    let (mails, senders) = (setting("MAILS", 100_000, 60), setting("SENDERS", 1_700, 20));
    let world = World::new(senders);
    world.first_mail().await;
    let begun = Instant::now();
    let mut tasks = Vec::new();
    for caller in 0..CALLERS {
        let (url, senders) = (world.cluster.url(caller % VALIDATORS), Arc::clone(&world.senders));
        tasks.push(tokio::spawn(async move {
            let mut client = connect(&url).await;
            for number in (1 + caller..mails).step_by(CALLERS) {
                while !hand_in(&mut client, &senders.mail(number)).await {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }));
    }
    for task in tasks {
        task.await.expect("handed in");
    }
    let ledgers = world.settle(mails).await;
    println!(
        "{mails} mails of {senders} senders in {:.0} s: each paid once, {ledgers} ledgers the same on {VALIDATORS} nodes; \
         {:.0} MiB, {:.0} s of processor time on all of them",
        begun.elapsed().as_secs_f64(),
        world.cluster.memory_mib(),
        world.cluster.processor_secs(),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_killed_at_random_under_load_lose_and_double_nothing() {
    let (kills, senders) = (setting("KILLS", 500, 2), setting("SENDERS", 1_700, 20));
    let mut world = World::new(senders);
    world.first_mail().await;
    let done = Arc::new(AtomicBool::new(false));
    let urls: Vec<String> = (0..VALIDATORS).map(|number| world.cluster.url(number)).collect();
    let tasks: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (urls, senders, done) = (urls.clone(), Arc::clone(&world.senders), Arc::clone(&done));
            tokio::spawn(async move {
                let mut number = 1 + caller;
                // No account may send more than so many in five days.
                while !done.load(Ordering::Relaxed) && number < 60 * senders.count() {
                    hand_in_somewhere(&urls, number, &senders.mail(number)).await;
                    number += CALLERS;
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                (number - caller - 1) / CALLERS
            })
        })
        .collect();
    let mut dice = Dice(42);
    for kill in 0..kills {
        let victim = dice.below(VALIDATORS);
        tokio::time::sleep(Duration::from_millis(dice.below(1_500) as u64)).await;
        world.cluster.kill(victim);
        // Now and then a second one, which stops the network.
        let second = (kill % 8 == 7).then(|| dice.below(VALIDATORS));
        if let Some(second) = second {
            world.cluster.kill(second);
        }
        tokio::time::sleep(Duration::from_millis(dice.below(1_500) as u64)).await;
        world.cluster.start_all();
        if kill % 50 == 49 {
            println!("{} kills", kill + 1);
        }
    }
    done.store(true, Ordering::Relaxed);
    let mut counts = Vec::new();
    for task in tasks {
        counts.push(task.await.expect("handed in"));
    }
    let numbers = counts
        .iter()
        .enumerate()
        .flat_map(|(caller, count)| (0..*count).map(move |turn| 1 + caller + turn * CALLERS));
    let (mails, amounts) = numbers.fold((1, 1_000_000), |(mails, sum), number| {
        (mails + 1, sum + 1_000_000 + number as u64)
    });
    for url in &urls {
        until_balance(url, mails::RESERVE_DROPS + amounts).await;
    }
    let ledgers = world.cluster.assert_same_ledgers().await;
    println!(
        "{kills} kills: each of {mails} mails paid once, {ledgers} ledgers the same on {VALIDATORS} nodes"
    );
}

/// Numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        // Knuth's MMIX generator; its upper bits are good.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % bound
    }
}

/// Hands a mail in at one node after the other until one takes it. A broken connection leaves open whether it did.
async fn hand_in_somewhere(urls: &[String], first: usize, mail: &str) {
    for turn in 0.. {
        let url = &urls[(first + turn) % urls.len()];
        if let Ok(mut client) = Client::connect_with_patience(url, Duration::from_secs(20)).await
            && hand_in(&mut client, mail).await
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Whether a node takes a mail now.
pub(crate) async fn hand_in(client: &mut Client, mail: &str) -> bool {
    let params = json!({ "email": mail });
    match client
        .request("submit_email", params.as_object().expect("an object").clone())
        .await
    {
        Ok(answer) => matches!(answer["state"].as_str(), Some("submitted" | "kept" | "validated")),
        Err(_) => false,
    }
}

pub(crate) async fn until_balance(url: &str, drops: u64) {
    let account = parse_recipient(RECEIVER).expect("an address").account();
    let params = json!({ "account": account.to_string(), "ledger_index": "validated" });
    let (begun, mut client, mut has) = (Instant::now(), connect(url).await, 0);
    while has != drops {
        assert!(has < drops, "{has} drops are paid instead of {drops} on {url}");
        assert!(
            begun.elapsed() < PATIENCE,
            "{has} drops of {drops} are paid on {url}"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
        let asked = client.request("account_info", params.as_object().expect("an object").clone());
        // Before the first payment there is no account.
        if let Ok(answer) = asked.await {
            let balance = answer["account_data"]["Balance"].as_str();
            has = balance
                .and_then(|balance| balance.parse().ok())
                .expect("a balance");
        }
    }
}
