//! A test mail by the way of answers, for `relay check`.

use std::fmt::Write as _;
use std::sync::Arc;

use amendment::address::Address;

use super::outgoing::{HandedOver, Way};
use super::page::header_date;
use super::sign::Signer;
use crate::config::{Answers, Config};

/// Signs and hands over a short mail to this address, once.
pub(crate) async fn send_test(config: &Config, answers: &Answers, to: &str, now: u64) -> Result<(), String> {
    let address =
        Address::parse(to.as_bytes()).map_err(|error| format!("`{to}` is not an address: {error}"))?;
    let mut mail = String::new();
    for (name, value) in [
        ("From", format!("Xahau email relay <{}>", answers.from)),
        ("To", format!("<{to}>")),
        ("Subject", "Test of a relay's answers".to_owned()),
        ("Date", header_date(now)),
        ("Message-ID", format!("<test.{now}@{}>", config.hostname)),
        ("Auto-Submitted", "auto-generated".to_owned()),
        ("MIME-Version", "1.0".to_owned()),
        ("Content-Type", "text/plain; charset=utf-8".to_owned()),
    ] {
        // Writing into a String cannot fail.
        let _ = write!(mail, "{name}: {value}\r\n");
    }
    mail.push_str(
        "\r\nIf you read this, answers of this relay arrive. Its Authentication-Results line shows\r\n",
    );
    mail.push_str("whether its signature was kept: dkim, spf and dmarc should pass.\r\n");
    let signed = match Signer::of(answers).map_err(|error| error.to_string())? {
        Some(signer) => signer.sign(&mail).map_err(|error| error.to_string())?,
        None => mail.into_bytes(),
    };
    let way = Way::new(config, Arc::new(move || now)).map_err(|error| error.to_string())?;
    let connection = match way.ok_or_else(|| "there is no [answers]".to_owned())? {
        Way::Smarthost(smarthost) => smarthost.connect().await.map_err(|error| error.to_string()),
        Way::Direct(direct) => direct
            .connect(address.domain())
            .await
            .map_err(|error| error.to_string()),
    };
    let mut connection = connection?;
    let handed_over = connection.hand_over(&answers.envelope_from, to, &signed).await;
    connection.close().await;
    match handed_over {
        HandedOver::Taken => Ok(()),
        HandedOver::Later(why) | HandedOver::Never(why) | HandedOver::Unknown(why) => Err(why),
    }
}
