//! A node whose keys come from DNS.

use std::time::Duration;

use dns::Resolver;
use node::limits::LOOKUP_SECS_MAX;
use rpc::api::MailState;
use testkit::dns::Responder;

use crate::world::{World, vector_keys, vector_mail};

#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_mail_whose_key_comes_from_dns() {
    let keys = vector_keys();
    let text = |record: &[u8]| String::from_utf8(record.to_vec()).expect("text");
    let records: Vec<(String, String)> = keys
        .iter()
        .map(|(name, records)| (name.dns_name(), text(&records.concat())))
        .collect();
    let responder = Responder::start(&records).await.expect("a port");
    let patience = Duration::from_secs(LOOKUP_SECS_MAX);
    let world = World::new(Resolver::at(responder.address(), patience).expect("a resolver"));
    let answer = world.send(vector_mail("c044.eml")).await;
    world.close().await;
    world.close().await;
    assert_eq!(world.state_of(&answer).await, Some(MailState::Validated));
}
