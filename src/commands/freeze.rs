//! `keys freeze`, `keys lift`, `keys frozen`: a provider was broken into, and the operator of a validator has its mail
//! stopped, or let through again. Spec: 7.10

use super::forecast::found;
use super::show::{printable, shown_time};
use super::{Failure, Outcome};
use crate::cli;
use crate::output::Format;
use ::network::config::Config;
use amendment::{Domain, Freeze};
use codec::keylet;
use rpc::Client;
use rpc::ClientError;
use rpc::api::{DomainState, FreezesAnswer, LedgerChoice, Ruling};
use rpc::methods::{Form, FreezeRequest, LedgerEntryRequest};
use serde_json::{Value, json};
use std::time::Duration;

/// How often a ledger is asked whether it has it, and how long the pause is: a ledger of one validator, or the word of
/// the last of several, is there within a few seconds.
const POLLS: u32 = 12;
const POLL_PAUSE: Duration = Duration::from_millis(500);

/// Has this validator say that the mail of a domain is to be stopped, or let through again.
pub(crate) async fn rule(args: &cli::Freeze, ruling: Ruling, format: Format) -> Result<Outcome, Failure> {
    let domain = domain(&args.domain)?;
    let server = server(&args.node)?;
    let mut client = Client::connect(&server)
        .await
        .map_err(|error| at(&server, error))?;
    let before = ask(&mut client, &server, FreezeRequest::All).await?;
    let mut answer = ask(&mut client, &server, FreezeRequest::Rule(domain.clone(), ruling)).await?;
    for _ in 0..POLLS {
        if row(&answer, &domain).is_none_or(|row| row.wish.is_none()) {
            break;
        }
        tokio::time::sleep(POLL_PAUSE).await;
        answer = ask(&mut client, &server, FreezeRequest::All).await?;
    }
    let is_known = is_known(&mut client, &server, &domain).await?;
    client.close().await;
    let (was, is) = (row(&before, &domain), row(&answer, &domain));
    if format.is_json() {
        let mut out = is.map_or_else(|| json!({ "domain": domain.as_str(), "state": "open" }), row_json);
        out["quorum"] = json!(answer.quorum);
        out["domain_has_keys"] = json!(is_known);
        out!("{out}");
    } else {
        out!("{}", told(&domain, ruling, was, is, answer.quorum));
        if !is_known && ruling == Ruling::Frozen {
            out!(
                "notice: the ledger never had a DKIM key of {}. Is it spelled as after d= in the mails of the provider?",
                domain.as_str()
            );
        }
    }
    let waits = is.is_some_and(|row| row.wish.is_some());
    Ok(if waits { Outcome::No } else { Outcome::Yes })
}

/// Lists all domains about which ledger or validators say something.
pub(crate) async fn list(args: &cli::OneNode, format: Format) -> Result<Outcome, Failure> {
    let server = server(args)?;
    let mut client = Client::connect(&server)
        .await
        .map_err(|error| at(&server, error))?;
    let answer = ask(&mut client, &server, FreezeRequest::All).await?;
    client.close().await;
    if format.is_json() {
        let domains: Vec<Value> = answer.domains.iter().map(row_json).collect();
        out!(
            "{}",
            json!({ "validators": answer.validators, "quorum": answer.quorum, "domains": domains })
        );
        return Ok(Outcome::Yes);
    }
    if answer.domains.is_empty() {
        out!("The mail of no domain is stopped, and no validator wants one stopped.");
    }
    for row in &answer.domains {
        out!("{}: {}", row.domain.as_str(), standing(row, answer.quorum));
    }
    Ok(Outcome::Yes)
}

/// What the ledger says of a domain, and who wants it otherwise.
fn standing(row: &DomainState, quorum: usize) -> String {
    let mut parts = vec![row.freeze.map_or_else(|| "not stopped".to_owned(), in_words)];
    let own = |ruling| {
        if row.wish == Some(ruling) {
            ", this one too"
        } else {
            ""
        }
    };
    for (count, ruling, what) in [
        (row.for_freeze, Ruling::Frozen, "stopped"),
        (row.for_lift, Ruling::Lifted, "let through again"),
    ] {
        if count > 0 {
            parts.push(format!(
                "{count} of the {quorum} validators that it takes want it {what}{}",
                own(ruling)
            ));
        }
    }
    parts.join("; ")
}

/// What the ledger says of a domain whose mail was stopped.
pub(super) fn in_words(freeze: Freeze) -> String {
    let since = shown_time(freeze.since);
    match freeze.until {
        None => format!("stopped since {since}"),
        Some(until) => format!(
            "stopped on {since}, lifted: mails dated from {} on count, earlier ones never",
            shown_time(until)
        ),
    }
}

/// The same for machines; times in Unix seconds.
pub(super) fn in_json(freeze: Option<Freeze>) -> Value {
    let until = freeze.and_then(|freeze| freeze.until);
    let state = match (freeze, until) {
        (None, _) => "open",
        (Some(_), None) => "frozen",
        (Some(_), Some(_)) => "lifted",
    };
    json!({
        "state": state,
        "since_unix": freeze.map(|freeze| freeze.since.to_unix()),
        "until_unix": until.map(|until| until.to_unix()),
    })
}

/// What was done, and what to do next.
fn told(
    domain: &Domain,
    ruling: Ruling,
    was: Option<&DomainState>,
    is: Option<&DomainState>,
    quorum: usize,
) -> String {
    let name = domain.as_str();
    if let Some(row) = is.filter(|row| row.wish.is_some()) {
        let undo = match ruling {
            Ruling::Frozen => "lift",
            Ruling::Lifted => "freeze",
        };
        return format!(
            "{name}: {}.\nThis validator says so until a ledger has it, over restarts too. The operators of the others have to \
             say the same; `keys frozen` shows how many do. To take it back: `keys {undo} {name}`.",
            standing(row, quorum)
        );
    }
    let wanted = was.and_then(|row| row.wish);
    if wanted.is_some_and(|wish| wish != ruling) {
        return format!(
            "{name}: this validator no longer wants it otherwise. What it said before may still be counted for ten minutes."
        );
    }
    let (was, is) = (was.and_then(|row| row.freeze), is.and_then(|row| row.freeze));
    match (ruling, is) {
        (Ruling::Frozen, Some(Freeze { since, until: None })) => {
            let already = if was == is { " already" } else { "" };
            format!(
                "{name} is stopped{already}, since {}: no mail of it is executed, and none dated before it is lifted ever will \
                 be. Subdomains are domains of their own.\nBefore you lift it, see that the provider has new DKIM keys and \
                 publishes the old ones no more: whoever held them may have dated mails ahead.",
                shown_time(since)
            )
        }
        (
            Ruling::Lifted,
            Some(Freeze {
                until: Some(until), ..
            }),
        ) => format!(
            "{name} is lifted: mails dated from {} on are executed again. Earlier ones never are; their senders write anew.",
            shown_time(until)
        ),
        (Ruling::Lifted, _) => format!("{name} is not stopped: there is nothing to lift."),
        (Ruling::Frozen, _) => format!("{name} was let through again meanwhile. Look at `keys frozen`."),
    }
}

fn row_json(row: &DomainState) -> Value {
    let word = |ruling| match ruling {
        Ruling::Frozen => "frozen",
        Ruling::Lifted => "lifted",
    };
    let mut out = in_json(row.freeze);
    out["domain"] = json!(row.domain.as_str());
    out["wish"] = json!(row.wish.map(word));
    out["for_freeze"] = json!(row.for_freeze);
    out["for_lift"] = json!(row.for_lift);
    out
}

fn row<'a>(answer: &'a FreezesAnswer, domain: &Domain) -> Option<&'a DomainState> {
    answer.domains.iter().find(|row| row.domain == *domain)
}

/// The domain of an argument, in any letter case. What comes near to one is told what is wrong with it.
fn domain(text: &str) -> Result<Domain, Failure> {
    let name = text.to_ascii_lowercase();
    if let Some(domain) = Domain::new(name.as_bytes()) {
        return Ok(domain);
    }
    let hint = if let Some((_, domain)) = name.rsplit_once('@') {
        format!("an address; give the domain alone: {}", printable(domain))
    } else if name.contains("://") || name.contains('/') {
        "an address of a page; give the domain of the mail alone".to_owned()
    } else if let Some((_, domain)) = name.split_once("._domainkey.") {
        format!(
            "the name of one key; a domain is stopped as a whole: {}",
            printable(domain)
        )
    } else if !name.is_ascii() {
        "not written as DNS has it; give its form that begins with xn--, as after d= in a mail".to_owned()
    } else if let Some(domain) = name.strip_suffix('.') {
        format!("written with a final dot; give {}", printable(domain))
    } else if name.contains('*') {
        "a pattern; give each domain: a subdomain is a domain of its own".to_owned()
    } else if !name.contains('.') {
        "of one label, which no mail can come from here".to_owned()
    } else {
        "no domain: labels of letters, digits and hyphens with dots between them".to_owned()
    };
    Err(Failure::Argument(format!("'{}' is {hint}", printable(text))))
}

/// Where the node is.
fn server(node: &cli::OneNode) -> Result<String, Failure> {
    match (&node.server, &node.config) {
        (Some(server), _) => Ok(server.clone()),
        (None, Some(config)) => Ok(format!("ws://{}", Config::read(config)?.own().rpc)),
        (None, None) => Err(Failure::Argument(
            "name the node: --server ws://ADDR:PORT, or --config FILE of a node of a network".to_owned(),
        )),
    }
}

async fn ask(client: &mut Client, server: &str, request: FreezeRequest) -> Result<FreezesAnswer, Failure> {
    client.call(&request).await.map_err(|error| at(server, error))
}

/// Whether the ledger ever had a key of a domain. Spec: 7.8
async fn is_known(client: &mut Client, server: &str, domain: &Domain) -> Result<bool, Failure> {
    let request = LedgerEntryRequest {
        index: keylet::dkim_key(domain.as_str().as_bytes(), b""),
        ledger: LedgerChoice::Validated,
        form: Form::Json,
    };
    let entry = found(client.call(&request).await).map_err(|error| at(server, error))?;
    Ok(entry.is_some())
}

fn at(server: &str, source: ClientError) -> Failure {
    Failure::Server {
        server: server.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_domains_of_any_case_and_rejects_what_is_none_with_a_hint() {
        for text in ["mail.example", "Mail.EXAMPLE", "xn--mller-kva.example"] {
            let lower = text.to_ascii_lowercase();
            assert_eq!(domain(text).expect("a domain").as_str(), lower);
        }
        for (text, hint) in [
            ("alice@mail.example", "give the domain alone: mail.example"),
            ("https://mail.example/", "an address of a page"),
            (
                "s1._domainkey.mail.example",
                "a domain is stopped as a whole: mail.example",
            ),
            ("m\u{fc}ller.example", "xn--"),
            ("mail.example.", "give mail.example"),
            ("*.mail.example", "a subdomain is a domain of its own"),
            ("localhost", "one label"),
            ("mail..example", "labels of letters"),
            ("", "one label"),
            ("a b.example", "labels of letters"),
        ] {
            let error = domain(text).expect_err("no domain").to_string();
            assert!(error.contains(hint), "{text}: {error}");
        }
    }
}
