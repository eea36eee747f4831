//! `keys leak`: evidence that a DKIM key is leaked, from its secret half to a validated transaction. Spec: 7.9

use super::forecast::found;
use super::leaked_key::{LeakedKey, LeakedKeyError};
use super::{Failure, Outcome};
use crate::cli;
use crate::output::Format;
use amendment::KeyName;
use amendment::key_record::{KeyRecord, KeyType};
use codec::format::TxType;
use codec::keys::KeyPair;
use codec::{AccountId, Amount, Drops, Hash256, LedgerIndex, Object, Ter, flags, keylet, sf, tx};
use rpc::api::{LedgerChoice, OnRetry, TxKey};
use rpc::methods::{
    AccountInfoRequest, FeeRequest, Form, LedgerEntryRequest, ServerInfoRequest, SubmitRequest, TxRequest,
};
use rpc::{Client, ClientError};
use serde_json::json;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

/// How often a waiting client asks, milliseconds.
const POLL_MILLIS: u64 = 250;
/// Ledgers in which the transaction may come.
const LEDGERS_AHEAD: u32 = 20;
/// Bytes of a key file, a signature or a secret that are read.
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// Mode bits of all but the owner.
const OTHERS: u32 = 0o077;

/// What is handed in.
struct Evidence {
    name: KeyName,
    key: KeyRecord,
    network_id: u32,
    /// The text that the key signs.
    message: Vec<u8>,
    /// `None` in a dry run without the key.
    signature: Option<Vec<u8>>,
}

/// What became of it.
struct Done {
    engine: String,
    hash: Option<Hash256>,
    ledger: Option<LedgerIndex>,
}

/// Makes the evidence, hands it in, and waits until a ledger has it.
pub(crate) async fn run(args: &cli::Leak, format: Format) -> Result<Outcome, Failure> {
    let name = name_of(args)?;
    let secret = args.key.as_deref().map(leaked_key).transpose()?;
    let mut client = Client::connect(&args.server)
        .await
        .map_err(|error| at(args, error))?;
    let network_id = client
        .call(&ServerInfoRequest)
        .await
        .map_err(|error| at(args, error))?
        .network_id;
    let network_id = network_id.ok_or_else(|| {
        Failure::Argument(format!(
            "{} does not say which network it serves: ask a node of this program",
            args.server
        ))
    })?;
    let key = accused(args, &mut client, &name).await?;
    if found(entry(&mut client, key.leak_keylet()).await)
        .map_err(|error| at(args, error))?
        .is_some()
    {
        return Ok(say(
            args,
            format,
            "known",
            "The ledger knows already that this key is leaked.",
            None,
        ));
    }
    let message = amendment::leak_message(network_id, &key);
    let signature = signature(args, secret.as_ref(), &key, &message)?;
    let evidence = Evidence {
        name,
        key,
        network_id,
        message,
        signature,
    };
    if let Some(signature) = &evidence.signature
        && !amendment::proves_leak(network_id, &evidence.key, signature)
    {
        return Err(Failure::Argument(
            "the signature is not one of this key over the text that --dry-run shows: sign exactly those bytes".to_owned(),
        ));
    }
    if args.dry_run {
        show_plan(&evidence, format);
        return Ok(Outcome::Yes);
    }
    let done = hand_in(args, &mut client, &evidence, format).await?;
    client.close().await;
    Ok(report(args, format, &done))
}

fn at(args: &cli::Leak, source: ClientError) -> Failure {
    Failure::Server {
        server: args.server.clone(),
        source,
    }
}

fn name_of(args: &cli::Leak) -> Result<KeyName, Failure> {
    let (domain, selector) = (
        args.domain.to_ascii_lowercase(),
        args.selector.to_ascii_lowercase(),
    );
    KeyName::new(domain.as_bytes(), selector.as_bytes()).ok_or_else(|| {
        Failure::Argument(format!(
            "'{selector}._domainkey.{domain}' is no name that a DKIM key can have: give d= and s= of a mail that it signed"
        ))
    })
}

/// Reads a bounded file.
fn bytes_of(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes))
        .map_err(|source| Failure::Read {
            path: path.display().to_string(),
            source,
        })?;
    Ok(bytes)
}

fn leaked_key(path: &Path) -> Result<LeakedKey, Failure> {
    LeakedKey::from_pem(&bytes_of(path)?).map_err(|error| of_file(path, error))
}

fn of_file(path: &Path, error: LeakedKeyError) -> Failure {
    Failure::Argument(format!("{} {error}", path.display()))
}

/// The key that the ledger has under the name.
async fn accused(args: &cli::Leak, client: &mut Client, name: &KeyName) -> Result<KeyRecord, Failure> {
    let entry = found(entry(client, name.keylet()).await).map_err(|error| at(args, error))?;
    let key = entry.as_ref().and_then(key_of);
    key.ok_or_else(|| {
        Failure::Argument(format!(
            "the ledger has no key {}: nobody can pay with it. Name a domain and selector under which this ledger has the key; \
             a mail under it brings it there",
            name.dns_name()
        ))
    })
}

fn key_of(entry: &Object) -> Option<KeyRecord> {
    let held = |kind, bytes| Some((entry.u8(kind)?, entry.blob(bytes)?));
    let (kind, bytes) =
        held(sf::DKIM_KEY_TYPE, sf::PUBLIC_KEY).or_else(|| held(sf::NEXT_KEY_TYPE, sf::NEXT_KEY))?;
    KeyRecord::from_entry(KeyType::from_code(kind)?, bytes, 0).ok()
}

async fn entry(client: &mut Client, index: Hash256) -> Result<Object, ClientError> {
    let request = LedgerEntryRequest {
        index,
        ledger: LedgerChoice::Validated,
        form: Form::Binary,
    };
    let reply = client.call(&request).await?;
    let object = reply.blob.as_deref().and_then(|blob| codec::decode(blob).ok());
    object.ok_or(ClientError::BadAnswer)
}

/// The signature of the key, made here or by another tool.
fn signature(
    args: &cli::Leak,
    secret: Option<&LeakedKey>,
    key: &KeyRecord,
    message: &[u8],
) -> Result<Option<Vec<u8>>, Failure> {
    if let Some(path) = &args.signature {
        return bytes_of(path).map(Some);
    }
    let (Some(secret), Some(path)) = (secret, &args.key) else {
        return Ok(None);
    };
    let wrong = |error| of_file(path, error);
    if secret.record().map_err(wrong)?.hash() != key.hash() {
        return Err(Failure::Argument(format!(
            "{} is not the key that the ledger has under this name: check --domain and --selector, or the file",
            path.display()
        )));
    }
    secret.sign(message).map(Some).map_err(wrong)
}

/// The key of the account that pays the fee.
fn signer(path: &Path) -> Result<KeyPair, Failure> {
    let from = if path == Path::new("-") {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    };
    let failed = |source| Failure::Read {
        path: from.clone(),
        source,
    };
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(FILE_BYTES_MAX)
            .read_to_string(&mut text)
            .map_err(failed)?;
    } else {
        let file = std::fs::File::open(path).map_err(failed)?;
        let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
        if mode & OTHERS != 0 {
            return Err(Failure::Argument(format!(
                "the secret {from} has mode {mode:o}, so that others may read it; run: chmod 600 {from}"
            )));
        }
        file.take(FILE_BYTES_MAX)
            .read_to_string(&mut text)
            .map_err(failed)?;
    }
    let line = text.lines().next().unwrap_or_default().trim();
    KeyPair::from_seed(line).map_err(|_| {
        Failure::Argument(format!(
            "the first line of {from} is no secret of an account: it begins with s, as sEd..."
        ))
    })
}

/// Signs the transaction, submits it, and waits until it is final.
async fn hand_in(
    args: &cli::Leak,
    client: &mut Client,
    evidence: &Evidence,
    format: Format,
) -> Result<Done, Failure> {
    let (Some(secret), Some(signature)) = (&args.secret, &evidence.signature) else {
        return Err(Failure::Argument(
            "give --secret, and --key or --signature".to_owned(),
        ));
    };
    let signer = signer(secret)?;
    let account = match &args.account {
        None => signer.account(),
        Some(text) => AccountId::parse_classic(text)
            .map_err(|_| Failure::Argument(format!("--account: '{text}' is no account (r...)")))?,
    };
    let wrong = |error| at(args, error);
    let ledger = LedgerChoice::Current;
    let root = found(client.call(&AccountInfoRequest { account, ledger }).await).map_err(wrong)?;
    let sequence = root.and_then(|root| root.sequence).ok_or_else(|| {
        Failure::Argument(format!(
            "{account} is no account of this ledger: somebody has to pay the fee. Check --secret, and --account where it is a regular key"
        ))
    })?;
    let fee = client.call(&FeeRequest).await.map_err(wrong)?.open_ledger_fee;
    let validated = client
        .call(&ServerInfoRequest)
        .await
        .map_err(wrong)?
        .validated_ledger;
    let validated = validated
        .and_then(|ledger| ledger.seq)
        .ok_or_else(|| at(args, ClientError::BadAnswer))?;
    let last = LedgerIndex::new(validated.get().saturating_add(LEDGERS_AHEAD));
    let tx = signed(
        evidence,
        signature,
        &signer,
        Wrapper {
            account,
            sequence,
            fee,
            last,
        },
    );
    let request = SubmitRequest {
        blob: codec::encode(&tx),
        on_retry: OnRetry::Hold,
    };
    let reply = client.call(&request).await.map_err(wrong)?;
    let hash = tx::id(&tx);
    if !reply.engine.is(Ter::TES_SUCCESS) && !reply.engine.is(Ter::TER_QUEUED) {
        return Ok(Done {
            engine: reply.engine.as_str().to_owned(),
            hash: None,
            ledger: None,
        });
    }
    if !format.is_json() {
        eprintln!("submitted as {hash}; waiting until a ledger has it (Ctrl-C leaves it with the node)");
    }
    wait(args, client, hash, last).await
}

/// What the transaction says besides the evidence.
struct Wrapper {
    account: AccountId,
    sequence: u32,
    fee: Drops,
    last: LedgerIndex,
}

fn signed(evidence: &Evidence, signature: &[u8], signer: &KeyPair, wrapper: Wrapper) -> Object {
    let mut tx = Object::new()
        .with(sf::TRANSACTION_TYPE, TxType::DkimKeyLeak.code())
        .with(sf::FLAGS, flags::TF_FULLY_CANONICAL_SIG)
        .with(sf::SEQUENCE, wrapper.sequence)
        .with(sf::LAST_LEDGER_SEQUENCE, wrapper.last.get())
        .with(sf::FEE, Amount::from_drops(wrapper.fee))
        .with(sf::SIGNING_PUB_KEY, signer.public_key().as_bytes().to_vec())
        .with(sf::ACCOUNT, wrapper.account)
        .with(sf::DOMAIN, evidence.name.domain().as_bytes())
        .with(sf::SELECTOR, evidence.name.selector().as_bytes())
        .with(sf::KEY_SIGNATURE, signature);
    if evidence.network_id > amendment::limits::NETWORK_ID_UNWRITTEN_MAX {
        tx.set(sf::NETWORK_ID, evidence.network_id);
    }
    let own = signer.sign(&tx::signing_bytes(&tx));
    tx.with(sf::TXN_SIGNATURE, own)
}

async fn wait(
    args: &cli::Leak,
    client: &mut Client,
    hash: Hash256,
    last: LedgerIndex,
) -> Result<Done, Failure> {
    let request = TxRequest {
        key: TxKey::Hash(hash),
        form: Form::Json,
    };
    loop {
        // Asked before the transaction, so that none is missed between the two.
        let info = client
            .call(&ServerInfoRequest)
            .await
            .map_err(|error| at(args, error))?;
        match client.call(&request).await {
            Ok(reply) if reply.validated => {
                let result = reply.meta.and_then(|meta| meta.result);
                return Ok(Done {
                    engine: result.unwrap_or_default(),
                    hash: Some(hash),
                    ledger: reply.ledger_index,
                });
            }
            Ok(_) => {}
            Err(ClientError::Refused { token, .. }) if token == "txnNotFound" => {}
            Err(error) => return Err(at(args, error)),
        }
        if info
            .validated_ledger
            .and_then(|ledger| ledger.seq)
            .is_some_and(|seq| seq > last)
        {
            return Ok(Done {
                engine: Ter::TEF_MAX_LEDGER.token().to_owned(),
                hash: None,
                ledger: None,
            });
        }
        tokio::time::sleep(Duration::from_millis(POLL_MILLIS)).await;
    }
}

fn show_plan(evidence: &Evidence, format: Format) {
    let message = codec::hex_upper(&evidence.message);
    let name = evidence.name.dns_name();
    let hash = evidence.key.hash();
    if format.is_json() {
        let signature = evidence.signature.as_deref().map(codec::hex_upper);
        out!(
            "{}",
            json!({
                "result": "dry_run", "name": name, "network_id": evidence.network_id, "key_hash": hash.to_string(),
                "leak_index": keylet::dkim_leak(&hash).to_string(), "message": message, "key_signature": signature,
            })
        );
        return;
    }
    out!("key          {name} ({})", evidence.key.key_type());
    out!("hash         {hash}");
    out!("network      {}", evidence.network_id);
    out!("signs        {message}");
    out!(
        "by hand      printf {message} | xxd -r -p > text; openssl dgst -sha256 -sign KEY.pem text > signature (RSA)"
    );
    match &evidence.signature {
        Some(_) => out!("signature    good: the key is the one that the ledger has"),
        None => out!("signature    none yet: give --key or --signature"),
    }
    out!("Nothing was submitted. Without --dry-run, the key is ended for every name and for ever.");
}

fn say(args: &cli::Leak, format: Format, result: &str, words: &str, done: Option<&Done>) -> Outcome {
    if format.is_json() {
        let hash = done.and_then(|done| done.hash).map(|hash| hash.to_string());
        let ledger = done.and_then(|done| done.ledger).map(LedgerIndex::get);
        out!(
            "{}",
            json!({
                "result": result, "domain": args.domain, "selector": args.selector,
                "engine_result": done.map(|done| &done.engine), "hash": hash, "ledger_index": ledger,
            })
        );
    } else {
        out!("{words}");
    }
    if result == "refused" {
        Outcome::No
    } else {
        Outcome::Yes
    }
}

fn report(args: &cli::Leak, format: Format, done: &Done) -> Outcome {
    let name = format!("{}._domainkey.{}", args.selector, args.domain);
    let ledger = done
        .ledger
        .map_or_else(String::new, |ledger| format!(" in ledger {ledger}"));
    if done.engine == Ter::TES_SUCCESS.token() {
        let words = format!(
            "DONE{ledger}: no mail under this key is executed any more, whatever name it stands under.\n\
             Next: take {name} out of DNS, sign with a fresh key under another selector, and have your mail server forget the old one."
        );
        return say(args, format, "leaked", &words, Some(done));
    }
    if done.engine == Ter::TEF_ALREADY.token() {
        return say(
            args,
            format,
            "known",
            "The ledger knows already that this key is leaked.",
            Some(done),
        );
    }
    let meaning = Ter::from_token(&done.engine).map_or("", Ter::message);
    let words = format!(
        "REFUSED{ledger}: {}: {meaning} The key still counts; mend that and run the command again.",
        done.engine
    );
    say(args, format, "refused", &words, Some(done))
}
