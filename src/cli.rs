//! The arguments of `xahau-email`.

use crate::output::Format;
use ::network::limits::{EPOCH_LEDGERS_DEFAULT, EPOCH_LEDGERS_MIN};
use clap::{Args, Parser, Subcommand};
use dns::{Dnssec, Upstream};
use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU64;
use std::path::PathBuf;

/// Network that every command means by default, as a line without NET does: Xahau.
pub(crate) const NETWORK_DEFAULT: u32 = 21_337;

/// Where a relay's configuration is by default.
pub(crate) const RELAY_CONFIG_DEFAULT: &str = "/etc/xahau-email-relay/relay.toml";

/// Email wallets for Xahau: verifier, one-machine ledger and tools.
#[derive(Debug, Parser)]
#[command(name = "xahau-email", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// Print one JSON object on standard output instead of text
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// In which form to print the result.
    pub(crate) fn format(&self) -> Format {
        if self.json { Format::Json } else { Format::Text }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the account of email addresses: canonical form, AccountID, r-address
    Address {
        /// Addresses such as alice@example.com
        #[arg(required = true, value_name = "EMAIL")]
        emails: Vec<String>,
    },
    /// Check a mail as a node would, rule by rule, and show the transaction it makes
    ///
    /// Exit code: 0 the mail qualifies, 1 it does not, 2 cannot tell (unreadable file, key absent, DNS
    /// failing).
    Explain(Explain),
    /// Show what works with which mail provider
    Providers,
    /// Submit a mail to a node
    Submit(Submit),
    /// Run the one-machine ledger
    Node(Node),
    /// Make a network of several validators, and look at it
    #[command(subcommand)]
    Network(Network),
    /// Run one node of a network: a validator, or a follower without a vote
    ///
    /// Prints `listening ws://ADDR:PORT` when it serves. Stops at SIGTERM or Ctrl-C.
    Validator(Validator),
    /// Run the cc-relay: mail in, payments to nodes, answers in the thread
    #[command(subcommand)]
    Relay(Relay),
    /// Inspect and manage a relay's queue, whether the relay runs or not
    #[command(subcommand)]
    Queue(Queue),
    /// Work with recorded ledgers, and take those of a node back
    #[command(subcommand)]
    Ledger(Ledger),
    /// Hold another implementation of the rules to the vectors of this one
    #[command(subcommand)]
    Conformance(Conformance),
    /// Work with the DKIM keys of a ledger
    #[command(subcommand, name = "keys")]
    DkimKeys(DkimKeys),
    /// Run a node and a relay in one process: all that one machine needs
    Up(Up),
    /// Run a whole network on this machine, with a console to rehearse key rotations, outages and expiry
    ///
    /// Commands come from standard input, one a line; 'help' shows them. With --json each is answered by one JSON
    /// object on one line, and may be given as {"id": 1, "command": "status"}. Stops at 'quit', at the end of
    /// standard input, at SIGTERM or Ctrl-C.
    Localnet(Localnet),
    /// Watch signed mails become payments, on this machine, without set-up
    Demo(Demo),
}

/// The commands for a second implementation.
#[derive(Debug, Subcommand)]
pub(crate) enum Conformance {
    /// Write the vectors, as JSON, with a description
    Export(Export),
    /// Ask another program the vectors, and show what it answers otherwise
    ///
    /// The program reads one JSON object a line and writes one a line; README.md in the folder says what they hold.
    ///
    /// Exit code: 0 every answer agrees (kinds that the program does not support are counted apart), 1 an answer
    /// differs, 2 it could not be told: a broken folder, or a program that ends, hangs, writes no answers, or supports
    /// nothing.
    Check(Check),
    /// Answer the questions of `check` as this program would
    ///
    /// For a first look at the protocol, and to test the vectors themselves.
    Answer,
}

/// Arguments of `conformance export`.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// A new folder, or one that an earlier export wrote
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// Arguments of `conformance check`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The folder that `export` wrote
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Ask only vectors of this kind; may be given several times
    #[arg(long = "kind", value_name = "KIND")]
    pub kinds: Vec<String>,
    /// Ask only vectors with this text in their name; may be given several times
    #[arg(long = "name", value_name = "TEXT")]
    pub names: Vec<String>,
    /// Compare without this member of the outputs, such as 'rule'; may be given several times
    #[arg(long = "ignore", value_name = "MEMBER")]
    pub ignored: Vec<String>,
    /// Seconds that the program may say nothing while a question is open
    #[arg(long, value_name = "SECONDS", default_value = "30")]
    pub timeout: NonZeroU64,
    /// The program to ask
    #[arg(value_name = "PROGRAM", last = true, required = true)]
    pub program: Vec<OsString>,
}

/// The commands on DKIM keys.
#[derive(Debug, Subcommand)]
pub(crate) enum DkimKeys {
    /// End a DKIM key whose secret half is known, for every name and for ever
    ///
    /// For a provider whose key was stolen, and for whoever finds one. The key signs a text that no mail can hold,
    /// and an account of yours hands that in for the ordinary fee. The secret key stays on this machine.
    ///
    /// Exit code: 0 the ledger knows that the key is leaked, 1 it refused the evidence, 2 something is wrong here.
    Leak(Leak),
    /// Stop all mail of a domain: its provider was broken into
    ///
    /// For the operator of a validator, on its machine. The validator says so until a ledger has it; where several
    /// validators make the ledger, ceil(0.8 n) of their operators have to say the same. Then no mail of the domain is
    /// executed any more, and none that is dated before the domain is lifted ever will be.
    ///
    /// Exit code: 0 the ledger has it, 1 it waits for other validators, 2 something is wrong here.
    Freeze(Freeze),
    /// Let the mail of a domain through again, after the network's delay for changed keys
    ///
    /// Mails dated before the end of the delay are never executed; their senders write new ones. Before a freeze has
    /// come about, this takes back what the validator says.
    ///
    /// Exit code: as of freeze.
    Lift(Freeze),
    /// List the domains whose mail is or was stopped, and how many validators want one changed
    Frozen(OneNode),
}

/// Arguments of `keys freeze` and `keys lift`.
#[derive(Debug, Args)]
pub(crate) struct Freeze {
    /// The domain, as after d= in the mails of the provider
    #[arg(value_name = "DOMAIN")]
    pub domain: String,
    #[command(flatten)]
    pub node: OneNode,
}

/// Where a node is.
#[derive(Debug, Args)]
#[group(required = true)]
pub(crate) struct OneNode {
    /// WebSocket address of the node
    #[arg(long, value_name = "URL", conflicts_with = "config")]
    pub server: Option<String>,
    /// The configuration of the node, where it is one of a network
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Arguments of `keys leak`.
#[derive(Debug, Args)]
pub(crate) struct Leak {
    /// Domain of the key, as after d= in a mail
    #[arg(long, value_name = "NAME")]
    pub domain: String,
    /// Selector of the key, as after s= in a mail
    #[arg(long, value_name = "NAME")]
    pub selector: String,
    /// The secret DKIM key: PEM, as openssl writes it (RSA of 2048 bits or more, or Ed25519)
    #[arg(long, value_name = "FILE", required_unless_present_any = ["signature", "dry_run"])]
    pub key: Option<PathBuf>,
    /// A signature that another tool made with the key, of the text that --dry-run shows
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    pub signature: Option<PathBuf>,
    /// Secret (s...) of the account that pays the fee: a file of mode 600; - reads standard input
    #[arg(long, value_name = "FILE|-", required_unless_present = "dry_run")]
    pub secret: Option<PathBuf>,
    /// The account, where the secret is that of its regular key
    #[arg(long, value_name = "ADDRESS")]
    pub account: Option<String>,
    /// WebSocket address of the node
    #[arg(long, value_name = "URL")]
    pub server: String,
    /// Change nothing: show what would be handed in
    #[arg(long)]
    pub dry_run: bool,
}

/// The commands on networks.
#[derive(Debug, Subcommand)]
pub(crate) enum Network {
    /// Write keys and configurations for the nodes of a new network, a folder for each
    ///
    /// The payments of --fund are the only ones of the genesis account that are agreed on beforehand. As in
    /// xahaud's own genesis everybody knows its key: pay out what shall be worth anything.
    Init(NetworkInit),
    /// Write key and configuration of one more node of a network
    ///
    /// The other operators add its entry to their configurations and start their nodes again. It follows then, and
    /// votes as soon as the validators have voted it into their list ('network vote').
    Add(NetworkAdd),
    /// Ask each node of a network for its last ledger, and compare
    ///
    /// Exit code: 0 all answer and no two differ about a ledger, 1 they do not, 2 the configuration cannot be read.
    Status {
        /// The configuration of one of its nodes
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Vote for another list of validators, or see who votes for what
    ///
    /// Without --validators, --add, --remove and --none it only shows. A vote counts from the next ledger on, and until
    /// its validator casts another; the list changes near the end of the epoch in which enough validators vote for one
    /// same list. Only a node's own operator may vote: run it where the node runs. Amendments are voted on by the
    /// node's method `feature`.
    ///
    /// Exit code: 0 done or shown, 1 the list that is asked for could stop the network, 2 it cannot be done.
    Vote(NetworkVote),
}

/// Arguments of `network vote`.
#[derive(Debug, Args)]
pub(crate) struct NetworkVote {
    /// The configuration of the node whose validator votes
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Vote for just these validators: names of nodes or public keys
    #[arg(long, value_name = "NODE,..", value_delimiter = ',', conflicts_with_all = ["add", "remove", "none"])]
    pub validators: Vec<String>,
    /// Vote for the list with this validator
    #[arg(long, value_name = "NODE", conflicts_with = "none")]
    pub add: Vec<String>,
    /// Vote for the list without this validator
    #[arg(long, value_name = "NODE", conflicts_with = "none")]
    pub remove: Vec<String>,
    /// Vote for the list as it is
    #[arg(long)]
    pub none: bool,
    /// Vote even for a list that could stop the network
    #[arg(long)]
    pub force: bool,
}

/// Arguments of `network init`.
#[derive(Debug, Args)]
pub(crate) struct NetworkInit {
    /// How many nodes vote
    #[arg(long, value_name = "N")]
    pub validators: usize,
    /// How many nodes go along without a vote
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub followers: usize,
    /// The folder to make
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// NetworkID; a line without NET is for 21337 alone
    #[arg(long, value_name = "N", default_value_t = NETWORK_DEFAULT)]
    pub network: u32,
    /// Address of all nodes; edit the files where they are on several machines
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    pub host: IpAddr,
    /// Port of the first node for the other nodes; its next one is for clients, then come those of the next node
    #[arg(long, value_name = "PORT", default_value_t = 7600)]
    pub port: u16,
    /// Pay an email or r-address from the genesis account: alice@mail.example=1000
    #[arg(long, value_name = "WHO=XAH")]
    pub fund: Vec<String>,
    /// Seconds between the two quorums that make a domain's first key usable
    #[arg(long, value_name = "S", default_value_t = 3_600)]
    pub key_delay_first: u32,
    /// The same for each further key of a domain
    #[arg(long, value_name = "S", default_value_t = 21_600)]
    pub key_delay_next: u32,
    /// Ledgers of an epoch: validators join and leave at its end
    #[arg(long, value_name = "N", default_value_t = EPOCH_LEDGERS_DEFAULT,
          value_parser = clap::value_parser!(u32).range(i64::from(EPOCH_LEDGERS_MIN)..))]
    pub epoch: u32,
    /// How long a majority must hold before an amendment is enabled (default: five days)
    #[arg(long, value_name = "S", alias = "majority-secs", default_value_t = node::limits::MAJORITY_SECS_DEFAULT)]
    pub majority: u32,
    /// Begin without the amendment Email, to be voted in later
    #[arg(long)]
    pub without_email: bool,
    /// Where keys come from
    #[command(flatten)]
    pub keys: Keys,
}

/// Arguments of `network add`.
#[derive(Debug, Args)]
pub(crate) struct NetworkAdd {
    /// The configuration of one of the network's nodes
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Name of the new node
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// Where the other nodes will reach it
    #[arg(long, value_name = "ADDR:PORT")]
    pub peer: SocketAddr,
    /// Where clients will reach it
    #[arg(long, value_name = "ADDR:PORT")]
    pub rpc: SocketAddr,
    /// The folder to make
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// Arguments of `validator`.
#[derive(Debug, Args)]
pub(crate) struct Validator {
    /// The node's configuration, as 'network init' writes it
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Start although the record of what this validator voted is lost: it votes from the next epoch on
    ///
    /// Needed once: later starts know.
    #[arg(long)]
    pub rejoin: bool,
    /// Who is who
    #[command(flatten)]
    pub callers: Callers,
    /// Stop when standard input is closed: it belongs to the program that started this one, which may crash
    #[arg(long, hide = true)]
    pub while_stdin_is_open: bool,
}

/// The commands on ledgers.
#[derive(Debug, Subcommand)]
pub(crate) enum Ledger {
    /// Rebuild recorded ledgers of a real server and compare every byte
    ///
    /// What must differ, such as a transaction type that is not supported, is named with its reason.
    ///
    /// Exit code: 0 all are equal but those, 1 another one differs, 2 one cannot be read.
    Replay {
        /// Records, one case each
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Take the last ledgers of a stopped node back, for example those that a wrong clock closed
    ///
    /// What they held is undone for good, payments too.
    Rollback(Rollback),
}

/// Arguments of `ledger rollback`.
#[derive(Debug, Args)]
pub(crate) struct Rollback {
    /// The node's data folder
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// The ledger that becomes the last one, at most 64 before the last
    #[arg(long, value_name = "INDEX")]
    pub to: u32,
}

/// The commands of the relay.
#[derive(Debug, Subcommand)]
pub(crate) enum Relay {
    /// Run the relay
    ///
    /// Prints `listening PROTOCOL://ADDR:PORT` for each listener when all are open. Stops at SIGTERM or
    /// Ctrl-C, after finishing open work.
    Run(RelayConfig),
    /// Print a commented configuration file with every setting and its default
    Config,
    /// Check what the relay depends on: machine, certificate, nodes, log-ins, DNS, mail port
    ///
    /// Exit code: 0 nothing fails, 1 something does, 2 the configuration cannot be read.
    Check {
        /// The relay
        #[command(flatten)]
        relay: RelayConfig,
        /// Also send a test mail to this address, as an answer would go, to see there whether its signature is kept
        #[arg(long, value_name = "EMAIL")]
        send_to: Option<String>,
    },
    /// Write a configuration and a DKIM key, and print the DNS records to publish; then check them
    ///
    /// No file is overwritten.
    Quickstart(Quickstart),
    /// Hand one mail from standard input to the running relay, for a mail server's pipe transport
    ///
    /// Exit code (sysexits.h): 0 taken, 75 try again later, 65 or 69 refused; the line says why.
    Pipe(Pipe),
    /// Copy the queue and the audit log as of one instant into a new folder, whether the relay runs or not
    Backup {
        /// The new folder
        #[arg(value_name = "DIR")]
        to: PathBuf,
        /// Which relay
        #[command(flatten)]
        place: RelayPlace,
    },
    /// Make a data folder from a backup
    Restore {
        /// The backup
        #[arg(value_name = "DIR")]
        from: PathBuf,
        /// The data folder to make; new or empty
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// Read every entry, mail and answer of the queue and compare the checksums
    ///
    /// Exit code: 0 all is intact, 1 something is damaged, 2 cannot tell.
    Verify(RelayPlace),
}

/// Arguments of `relay pipe`.
#[derive(Debug, Args)]
pub(crate) struct Pipe {
    /// Which relay
    #[command(flatten)]
    pub place: RelayPlace,
    /// Envelope sender; empty for the null sender (default: Return-Path of the mail)
    #[arg(long, value_name = "EMAIL")]
    pub sender: Option<String>,
}

/// Which relay is meant.
#[derive(Debug, Clone, Args)]
#[group(multiple = false)]
pub(crate) struct RelayPlace {
    /// The relay's configuration file [default: /etc/xahau-email-relay/relay.toml]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The relay's data folder
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// The commands on the queue.
#[derive(Debug, Subcommand)]
pub(crate) enum Queue {
    /// List mails, oldest first
    List {
        /// Only in this state: received, submitted, validated, refused, expired, answered, dropped
        #[arg(long, value_name = "STATE")]
        state: Option<String>,
        /// Only those that are held
        #[arg(long)]
        held: bool,
        /// Only from this address
        #[arg(long, value_name = "EMAIL")]
        from: Option<String>,
        /// Show at most this many
        #[arg(long, value_name = "N")]
        max: Option<usize>,
        /// Which relay
        #[command(flatten)]
        place: RelayPlace,
    },
    /// Show everything about a mail: entry, answers, history
    Show {
        /// Its id or trace id
        name: String,
        /// Show the mail's text too
        #[arg(long)]
        text: bool,
        /// Which relay
        #[command(flatten)]
        place: RelayPlace,
    },
    /// Try a mail now
    Retry {
        /// Its id or trace id
        name: String,
        /// Which relay
        #[command(flatten)]
        place: RelayPlace,
    },
    /// Keep a mail from being tried
    Hold {
        /// Its id or trace id
        name: String,
        /// Why, for the audit log
        #[arg(long, value_name = "WHY")]
        reason: String,
        /// Which relay
        #[command(flatten)]
        place: RelayPlace,
    },
    /// End a hold
    Release {
        /// Its id or trace id
        name: String,
        /// Which relay
        #[command(flatten)]
        place: RelayPlace,
    },
    /// Give up a mail; a node that has it may still execute it
    Drop {
        /// Its id or trace id
        name: String,
        /// Why, for the audit log
        #[arg(long, value_name = "WHY")]
        reason: String,
        /// Which relay
        #[command(flatten)]
        place: RelayPlace,
    },
    /// The queue in numbers
    Stats {
        /// Which relay
        #[command(flatten)]
        place: RelayPlace,
    },
}

/// Where the relay's configuration is.
#[derive(Debug, Args)]
pub(crate) struct RelayConfig {
    /// The configuration file
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/etc/xahau-email-relay/relay.toml"
    )]
    pub config: PathBuf,
}

/// Arguments of `relay quickstart`.
#[derive(Debug, Args)]
pub(crate) struct Quickstart {
    /// Address of the relay
    #[arg(value_name = "EMAIL")]
    pub address: String,
    /// Folder for the files; created if missing
    #[arg(long, value_name = "DIR", default_value = "/etc/xahau-email-relay")]
    pub dir: PathBuf,
    /// Folder for the queue; created if missing (default: data in --dir)
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Name of this machine, as in DNS (default: mail. and the address's domain)
    #[arg(long, value_name = "NAME")]
    pub hostname: Option<String>,
    /// Public IP address of this machine; for A and AAAA records
    #[arg(long, value_name = "ADDR")]
    pub ip: Vec<IpAddr>,
    /// DNS server that the relay asks: system, off, or ADDR:PORT
    #[arg(long, value_name = "SERVER", default_value = "system")]
    pub dns: String,
    /// NetworkID of the ledger: 21337 is Xahau, which a line without NET means; 21338 its test network
    #[arg(long, value_name = "N", default_value_t = NETWORK_DEFAULT)]
    pub network: u32,
    /// WebSocket address of a node (default: that of the default file)
    #[arg(long, value_name = "URL")]
    pub node: Vec<String>,
}

/// Where DKIM keys come from.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Keys {
    /// DKIM keys from a file: {"selector._domainkey.domain": "v=DKIM1; ..."}
    #[arg(long, value_name = "FILE", conflicts_with = "dns")]
    pub keys: Option<PathBuf>,
    /// Ask these DNS resolvers in turn instead of the system's: ADDR, ADDR:PORT, tcp://ADDR, tls://HOST or
    /// https://HOST/dns-query
    #[arg(long, value_name = "RESOLVER", value_delimiter = ',')]
    pub dns: Vec<Upstream>,
    /// How their answers are checked
    #[command(flatten)]
    pub check: DnsCheck,
}

/// How answers of DNS are checked.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct DnsCheck {
    /// Check signatures of zones where the resolver passes them on (log), refuse a resolver that does not (require), or
    /// do not look at them (off)
    #[arg(long, value_name = "off|log|require", default_value = "log")]
    pub dnssec: Dnssec,
    /// DNSKEY records that signatures have to lead to, beside or instead of the root's
    #[arg(long, value_name = "FILE")]
    pub dns_anchors: Option<PathBuf>,
    /// Authorities (PEM) of the certificates of tls:// and https:// resolvers, instead of those of browsers
    #[arg(long, value_name = "FILE")]
    pub dns_authority: Option<PathBuf>,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The mail, raw as it was sent; - reads standard input
    #[arg(value_name = "FILE|-")]
    pub file: PathBuf,
    /// Where keys come from
    #[command(flatten)]
    pub keys: Keys,
    /// Judge as of this time (Unix seconds; default now)
    #[arg(long, value_name = "UNIX")]
    pub at: Option<u64>,
    /// NetworkID of the ledger: 21337 is Xahau, which a line without NET means; 21338 its test network
    #[arg(long, value_name = "N", default_value_t = NETWORK_DEFAULT)]
    pub network: u32,
}

/// Arguments of `submit`.
#[derive(Debug, Args)]
pub(crate) struct Submit {
    /// The mail, raw as it was sent; - reads standard input
    #[arg(value_name = "FILE|-")]
    pub file: PathBuf,
    /// WebSocket address of the node
    #[arg(long, value_name = "URL")]
    pub server: String,
    /// Wait until the mail is validated or final
    #[arg(long, conflicts_with = "dry_run")]
    pub wait: bool,
    /// Change nothing: say what would happen, and what would leave the account
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `node`.
#[derive(Debug, Args)]
pub(crate) struct Node {
    /// Folder for the ledger and the validator key
    #[arg(long, value_name = "DIR", default_value = "./xahau-email-data")]
    pub data: PathBuf,
    /// Where to listen (WebSocket and HTTP on one port)
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:6006")]
    pub listen: SocketAddr,
    /// Where metrics and health are served
    #[arg(long, value_name = "ADDR:PORT")]
    pub http: Option<SocketAddr>,
    /// Who is who
    #[command(flatten)]
    pub callers: Callers,
    /// NetworkID of the ledger; a line without NET is for 21337 alone
    #[arg(long, value_name = "N", default_value_t = NETWORK_DEFAULT)]
    pub network: u32,
    /// Where keys come from
    #[command(flatten)]
    pub keys: Keys,
    /// Seconds between ledgers; 0 closes only on ledger_accept
    #[arg(long, value_name = "S", default_value_t = 3)]
    pub close_secs: u64,
    /// At the first start, pay an email or r-address from the genesis account: alice@mail.example=1000
    #[arg(long, value_name = "WHO=XAH")]
    pub fund: Vec<String>,
    /// Start the node's clock at this time (Unix seconds)
    #[arg(long, value_name = "UNIX")]
    pub clock: Option<u64>,
    /// Start a new ledger without the amendment Email, to be voted in later
    #[arg(long)]
    pub without_email: bool,
    /// How long a majority must hold before an amendment is enabled (default: five days)
    #[arg(long, value_name = "S", default_value_t = node::limits::MAJORITY_SECS_DEFAULT)]
    pub majority_secs: u32,
    /// Keep only this many ledgers of history (default: all)
    #[arg(long, value_name = "N")]
    pub history_ledgers: Option<u32>,
    /// Go back to this ledger, the last good one that a refused start named
    #[arg(long, value_name = "INDEX")]
    pub rollback_to: Option<u32>,
}

/// Who is the operator of a node, and who speaks for others.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Callers {
    /// Programs at this address are the operator's, and may close ledgers and vote; none: nobody is
    /// [default: 127.0.0.1 and ::1]
    #[arg(long, value_name = "ADDR|none")]
    pub operator: Vec<OperatorAddress>,
    /// At this address is a proxy: whoever comes through it is a guest, counted by --proxy-header
    #[arg(long, value_name = "ADDR")]
    pub proxy: Vec<IpAddr>,
    /// Header in which proxies name their guest; the last address of it counts [default: X-Forwarded-For]
    #[arg(long, value_name = "NAME", requires = "proxy")]
    pub proxy_header: Option<String>,
}

/// An address of the operator's, or none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OperatorAddress(pub Option<IpAddr>);

impl std::str::FromStr for OperatorAddress {
    type Err = std::net::AddrParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self(None)),
            _ => text
                .parse::<IpAddr>()
                .map(|address| Self(Some(address.to_canonical()))),
        }
    }
}

/// Arguments of `up`.
#[derive(Debug, Args)]
pub(crate) struct Up {
    /// Folder for the ledger (in `node`) and the relay (in `relay`)
    #[arg(long, value_name = "DIR", default_value = "./xahau-email-data")]
    pub data: PathBuf,
    /// Where the node listens (WebSocket and HTTP on one port)
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:6006")]
    pub rpc: SocketAddr,
    /// Where the relay takes mail by SMTP
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:2525")]
    pub smtp: SocketAddr,
    /// Where the relay takes mail by LMTP: ADDR:PORT or unix:PATH
    #[arg(long, value_name = "PLACE")]
    pub lmtp: Vec<String>,
    /// Where metrics and health are served
    #[arg(long, value_name = "ADDR:PORT")]
    pub http: Option<SocketAddr>,
    /// Address of the relay: the one that senders put in Cc
    #[arg(long, value_name = "EMAIL", default_value = "relay@localhost.localdomain")]
    pub relay_address: Vec<String>,
    /// NetworkID of the ledger; a line without NET is for 21337 alone
    #[arg(long, value_name = "N", default_value_t = NETWORK_DEFAULT)]
    pub network: u32,
    /// Where keys come from
    #[command(flatten)]
    pub keys: Keys,
    /// Seconds between ledgers; 0 closes only on ledger_accept
    #[arg(long, value_name = "S", default_value_t = 3)]
    pub close_secs: u64,
    /// At the first start, pay an email or r-address from the genesis account: alice@mail.example=1000
    #[arg(long, value_name = "WHO=XAH")]
    pub fund: Vec<String>,
}

impl Up {
    /// The node of it.
    pub(crate) fn node(&self) -> Node {
        Node {
            data: self.data.join("node"),
            listen: self.rpc,
            http: None,
            callers: Callers::default(),
            network: self.network,
            keys: self.keys.clone(),
            close_secs: self.close_secs,
            fund: self.fund.clone(),
            clock: None,
            without_email: false,
            majority_secs: node::limits::MAJORITY_SECS_DEFAULT,
            history_ledgers: None,
            rollback_to: None,
        }
    }
}

/// Arguments of `localnet`.
#[derive(Debug, Args)]
pub(crate) struct Localnet {
    /// How many nodes vote [default: 5, or as many as the folder has]
    #[arg(long, value_name = "N")]
    pub validators: Option<usize>,
    /// Folder for all of it; one that an earlier run left is taken up again [default: one that goes away]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The first port; two for each node and one for the relay follow [default: free ones from 7700 on]
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// Seconds between the two quorums that make a domain's first key usable (3600 on a real network)
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub key_delay_first: u32,
    /// The same for each further key of a domain
    #[arg(long, value_name = "S", default_value_t = 21_600)]
    pub key_delay_next: u32,
    /// Ledgers of an epoch: validators join and leave at its end
    #[arg(long, value_name = "N", default_value_t = EPOCH_LEDGERS_DEFAULT,
          value_parser = clap::value_parser!(u32).range(i64::from(EPOCH_LEDGERS_MIN)..))]
    pub epoch: u32,
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Tell the story on a network of this many validators and a follower instead of one node
    #[arg(long, value_name = "N")]
    pub validators: Option<usize>,
    /// Leave the mails, keys and ledger in this folder
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn rejects_two_sources_of_keys_and_accepts_one() {
        let two = [
            "xahau-email",
            "explain",
            "-",
            "--keys",
            "k.json",
            "--dns",
            "127.0.0.1:53",
        ];
        assert!(Cli::try_parse_from(two).is_err());
        assert!(Cli::try_parse_from(&two[..5]).is_ok());
    }
}
