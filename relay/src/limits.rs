//! Every bound of the relay: unit, source, and what happens beyond it.

/// Largest mail, bytes: what the verifier and `submit_email` read. Beyond: 552 5.3.4. Spec: 1.
pub const MAIL_BYTES_MAX: usize = amendment::limits::MAIL_BYTES_MAX;
/// Header fields that are looked at for a Message-ID and for signs of lists and robots: as many as the
/// verifier lets a mail have lines. Further ones are ignored.
pub const HEADER_FIELDS_READ_MAX: usize = amendment::limits::HEADER_LINES_MAX;
/// Mail that one network may hand in within an hour, KiB; this machine is exempt. Source: ours, 10,000 mails (the
/// default of `limits.letters_per_network_hour`) of 26 KiB. Beyond: 451 4.7.1.
pub const NETWORK_KIB_HOUR: u32 = 256 * 1_024;
/// Mail of one proven address within an hour, KiB. Source: ours, 120 mails (the default of
/// `limits.letters_per_address_hour`) of 68 KiB. Beyond: 451 4.7.1.
pub const ADDRESS_KIB_HOUR: u32 = 8 * 1_024;
/// Token buckets of one kind; each takes about 100 bytes. Beyond: those untouched for longest are forgotten.
pub const BUCKETS_MAX: usize = 65_536;
/// Longest text of a line in a reply, characters. Source: RFC 5321 section 4.5.3.1.5 (512 with code and line
/// end) and what bounces show. Beyond: cut.
pub const REFUSAL_LINE_BYTES_MAX: usize = 390;
/// How far ahead of now a mail may be dated, seconds. Source: what nodes keep (rule 4.6 makes it wait).
/// Beyond: 550.
pub const EARLY_SECS_MAX: u64 = 86_400;
/// Longest look-up of a key, seconds. Beyond: DNS counts as silent, and the mail is put off (451).
pub const LOOKUP_SECS_MAX: u64 = 5;
/// How long an answer about a key is kept, seconds; less where its record says so. Beyond: it is asked for
/// again.
pub const KEY_KEPT_SECS_MAX: u64 = 300;
/// How often a key that does not fit a mail is looked up again, seconds. Within: the mail is judged by the
/// kept key.
pub const KEY_AGAIN_SECS_MIN: u64 = 30;
/// Keys that are kept; one takes about 3 KB. Beyond: those kept for longest are forgotten.
pub const KEYS_KEPT_MAX: usize = 2_048;
/// How long the last answer about a key is used while DNS is silent, seconds. Source: RFC 8767 section 5 (one
/// to three days). Beyond: the key is unknown.
pub const KEY_STALE_SECS_MAX: u64 = 86_400;
/// How long a name that DNS was silent about is not asked for, seconds. Source: RFC 2308 section 7.2 (at most
/// five minutes). Within: it counts as silent.
pub const KEY_REST_SECS: u64 = 30;
/// Keys of one domain that are looked up at one time. Source: ours; a mail has four at most. Beyond: DNS
/// counts as silent about them.
pub const LOOKUPS_PER_DOMAIN_MAX: usize = 8;
/// Keys that are looked up at one time; each takes a file descriptor, of [`FILES_RESERVED`]. Source: ours.
/// Beyond: DNS counts as silent about them.
pub const LOOKUPS_AT_ONCE_MAX: usize = 128;
/// SPF, DMARC and ARC results looked up at one time. Beyond: they are left out, and counted.
pub const AUTH_TASKS_MAX: usize = 32;
/// Longest time for the results of one mail, seconds. Beyond: they are left out.
pub const AUTH_SECS_MAX: u64 = 20;
/// Signatures of a mail, DKIM and ARC together, whose results are looked up; each costs a hash of the body
/// and a look-up. Beyond: only SPF is.
pub const AUTH_SIGNATURES_MAX: usize = 24;
/// Longest text of these results, characters; names of domains can be long. Beyond: cut.
pub const AUTH_RESULTS_BYTES_MAX: usize = 1_000;
/// Mails to the postmaster that are kept. Beyond: 452.
pub const POSTMASTER_MAILS_MAX: usize = 1_000;

/// Command line of SMTP and LMTP with its CRLF, bytes. RFC 5321 section 4.5.3.1.4 asks for 512 at least, and
/// extensions for more. Beyond: 500 5.5.6.
pub const COMMAND_LINE_BYTES_MAX: usize = 2_048;
/// How far an over-long command line is read for its end, bytes. Ours. Beyond: 500 5.5.6, and the connection
/// is closed.
pub const COMMAND_LINE_SKIPPED_BYTES_MAX: usize = 64 * 1024;
/// A sender's address of a form that is only tolerated, bytes. RFC 5321 section 4.5.3.1.3 (256 with brackets).
/// Beyond: 553 5.1.7.
pub const PATH_BYTES_MAX: usize = 254;
/// Recipients of one mail. RFC 5321 section 4.5.3.1.8 asks for 100 at least. Beyond: 452 4.5.3.
pub const RECIPIENTS_MAX: usize = 100;
/// RCPT commands of one mail, the refused ones included. Ours. Beyond: 421 4.5.3, and the connection is
/// closed.
pub const RECIPIENT_COMMANDS_MAX: usize = 1_000;
/// Commands of one session that were answered 5yz. Ours. At this number: 421 4.7.0, and the connection is
/// closed.
pub const SESSION_ERRORS_MAX: usize = 10;
/// Commands that bring no mail nearer (NOOP, RSET, EHLO, MAIL and the like) between two mails. Ours. Beyond:
/// 421 4.7.0, and the connection is closed.
pub const IDLE_COMMANDS_MAX: usize = 100;
/// Content of a mail that is over [`MAIL_BYTES_MAX`], read only to find its end, bytes. Ours. Beyond:
/// 552 5.3.4, and the connection is closed.
pub const CONTENT_SKIPPED_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Space that a declared SIZE reserves before the content is there, bytes. Ours. Beyond: it grows as the
/// content comes.
pub const CONTENT_RESERVED_BYTES_MAX: usize = 16 * 1024;
/// Replies gathered before they are written, bytes. Ours. Beyond: written before the next command is read.
pub const OUTPUT_BYTES_MAX: usize = 8 * 1024;
/// A line of a reply without its CRLF, bytes. RFC 5321 section 4.5.3.1.5: 512 with CRLF. Beyond: cut.
pub const REPLY_LINE_BYTES_MAX: usize = 510;
/// Time for content before its rate counts, seconds. Ours. See [`CONTENT_BYTES_PER_SEC_MIN`].
pub const CONTENT_GRACE_SECS: u64 = 120;
/// Slowest content, bytes each second on average. Ours. Below: 421 4.4.2, and the connection is closed.
pub const CONTENT_BYTES_PER_SEC_MIN: u64 = 128;
/// Largest `limits.session_secs`, seconds. Ours: a day. Beyond: the configuration is refused.
pub const SESSION_SECS_MAX: u64 = 86_400;
/// How long a session may go on after the stop, seconds. Ours. Beyond: 421 4.3.2, and the connection is
/// closed.
pub const STOP_SECS_MAX: u64 = 10;
/// Connections of the LMTP listeners, which have places of their own. Source: ours; Postfix opens 20 to one
/// destination by default. Beyond: the longest idle goes, else 421 4.7.0.
pub const LMTP_CONNECTIONS_MAX: usize = 128;
/// Of the connections of the SMTP listeners, one in so many is kept for clients of this machine. Source: ours.
pub const OPERATOR_PLACES: usize = 16;
/// One address may have one in so many of the connections of its network. Source: ours.
pub const PEER_PLACES: usize = 2;
/// A client that brought its mail nearer less than this ago is not idle, milliseconds. Source: ours, some round
/// trips. Beyond: where all places are taken, the longest idle goes for a newcomer.
pub const IDLE_SPARED_MILLIS: u64 = 1_000;
/// So much content is a step, bytes. Source: ours. Less, again and again, is as idle as silence.
pub const PROGRESS_BYTES: u64 = 16 * 1024;
/// Read from a connection in one go, bytes. Ours. The rest waits in the kernel.
pub const READ_BYTES_MAX: usize = 32 * 1024;
/// How long a peer may take to read replies, seconds. Ours. Beyond: the connection is dropped.
pub const WRITE_SECS_MAX: u64 = 60;
/// TLS handshake, seconds. Ours. Beyond: the connection is dropped.
pub const HANDSHAKE_SECS_MAX: u64 = 30;
/// How long what a refused client still sends is read, so that it can read the reason; seconds. Ours. Beyond:
/// dropped.
pub const LINGER_SECS_MAX: u64 = 2;
/// What a refused client may still send meanwhile, bytes. Ours. Beyond: dropped.
pub const LINGER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How often the certificate files are looked at, seconds. Ours. More often is not needed.
pub const CERTIFICATE_CHECK_SECS: u64 = 5;
/// A certificate or key file, bytes. Ours. Beyond: the file is refused.
pub const CERTIFICATE_FILE_BYTES_MAX: u64 = 1024 * 1024;
/// File descriptors that the listeners leave to nodes, DNS, queue, answers, control socket and metrics. Ours.
/// Where the system allows fewer together with the connections that are configured, fewer connections are
/// taken.
pub const FILES_RESERVED: usize = 256;
/// Connections that wait to be accepted, at each port. Ours. Beyond: the client tries again.
pub const LISTEN_BACKLOG: u32 = 1_024;
/// Pause after the system refuses to accept connections (no file descriptors left), milliseconds. Ours.
pub const ACCEPT_PAUSE_MILLIS: u64 = 100;

/// First pause before an entry is tried again, seconds; each further one is twice as long. Ours.
pub const RETRY_SECS_MIN: u64 = 5;
/// Longest such pause, seconds. Ours. A quarter more comes on top of it at most, by the entry's key.
pub const RETRY_SECS_MAX: u64 = 600;
/// Longest pause with that quarter, seconds. A try that is further away was written by a clock that was ahead:
/// it is made at once.
pub const RETRY_PAUSE_SECS_MAX: u64 = RETRY_SECS_MAX + RETRY_SECS_MAX / 4;
/// First pause before a mail that a node has is handed in again, seconds: the ledgers until then are watched.
/// Ours.
pub const SUBMITTED_RETRY_SECS_MIN: u64 = 15;
/// How far the ledgers of two nodes may be apart, seconds. Ours. A mail that is over its window by less, as
/// one of them tells the time, is tried on.
pub const EXPIRY_MARGIN_SECS: u64 = 300;
/// How long after its window a mail is given up although a node says that it has it, seconds. Ours.
pub const EXPIRY_SECS_MAX: u64 = 86_400;
/// A node's answer about one mail, bytes of each text. Ours. Beyond: cut.
pub const NODE_TEXT_BYTES_MAX: usize = 300;
/// Tries after which a mail is set aside that every node answers senselessly, or refuses though the relay
/// proved it. Ours.
pub const POISON_TRIES: u32 = 3;
/// Tries after which a refusal is final although one of the nodes could not be asked. Ours.
pub const REFUSAL_TRIES: u32 = 3;
/// Mails whose senseless answers are counted. Ours. Beyond: a mail is only tried again.
pub const POISON_COUNTED_MAX: usize = 10_000;
/// How often the courier looks for mails that have waited so long that their senders are told, seconds. Ours.
pub const COURIER_TELL_SECS: u64 = 5;
/// Mails of one such look. Ours. Beyond: the next look follows at once.
pub const COURIER_TELL_MAX: usize = 256;
/// Entries whose next try is far away that one such look reads. Ours. The next look reads on from the nearest.
pub const COURIER_STALE_MAX: usize = 1_000;
/// How often held mails are looked through for those whose window is over, seconds. Ours.
pub const COURIER_RELEASE_SECS: u64 = 1_800;
/// Mails that are handed in or asked for at one time. Ours. The others wait for their turn.
pub const COURIER_AT_WORK_MAX: usize = 16;
/// Due entries fetched from the queue at once. Ours. The others come with the next ones.
pub const COURIER_BATCH: usize = 256;
/// Submitted mails that are asked for at each ledger. Ours. Others are asked for when their next try is due.
pub const WATCHED_MAX: usize = 10_000;
/// Ledgers for which a submitted mail is watched: as far ahead as LastLedgerSequence lies. Spec: 6.3.
pub const WATCHED_LEDGERS_MAX: u32 = 20;
/// How often a node is asked for its last ledger while a mail is watched there, milliseconds. Ours.
pub const TIP_POLL_MILLIS: u64 = 100;
/// The same where the last such question failed, and the pause after a failed write, milliseconds. Ours.
pub const COURIER_PAUSE_MILLIS: u64 = 1_000;
/// How long the courier lets requests finish after the stop, seconds. Ours. Beyond: they are left; the queue
/// knows them.
pub const COURIER_STOP_SECS_MAX: u64 = 5;
/// Connections to one node. Ours. Further requests wait for one.
pub const NODE_CONNECTIONS_MAX: usize = 8;
/// How long a node may take to answer, seconds. Ours. Beyond: the request goes to the next node.
pub const NODE_ANSWER_SECS_MAX: u64 = 10;
/// First rest of a node that failed, milliseconds; each further one is twice as long. Ours.
pub const NODE_REST_MILLIS_MIN: u64 = 1_000;
/// Longest such rest, milliseconds. Ours: short, because mails wait for it.
pub const NODE_REST_MILLIS_MAX: u64 = 10_000;
/// How long a connection is kept without use, seconds: less than nodes do. Ours. Beyond: a new one is made.
pub const NODE_IDLE_SECS_MAX: u64 = 30;
/// How long a connection is used before the node is asked again for its network and ledger, seconds. Ours.
pub const NODE_VET_SECS: u64 = 60;
/// Age of a node's last validated ledger, seconds. Ours. Beyond: the node is not used.
pub const NODE_LEDGER_AGE_SECS_MAX: u64 = 300;

/// Seconds until a mail of a mailbox or folder that was put off is offered again. Source: ours; SMTP senders
/// wait longer.
pub const PUT_OFF_SECS: u64 = 60;
/// Files of a watched folder that are offered in one pass. Source: ours, about 100 KiB of names. Beyond: the
/// next pass.
pub const FOLDER_BATCH_FILES: usize = 1_000;
/// Files or messages that were put off and are offered again in one pass: as many as are judged at one time, so
/// that what is new waits for one look-up at most. Source: ours. Beyond: the next pass.
pub const OFFERED_AGAIN_MAX: usize = JUDGED_AT_ONCE_MAX;
/// Files of a watched folder that are put off at one time. Source: ours. Beyond: what is put off for its
/// sender's sake is refused, so that no sender holds up the others; where the relay itself cannot take mail,
/// the folder waits.
pub const FOLDER_PUT_OFF_FILES_MAX: usize = 10_000;

/// Mails of a mailbox, or of a watched folder, that are judged at one time. Source: ours, 16 MiB of text; a
/// look-up of a key may take [`LOOKUP_SECS_MAX`]. Beyond: they wait.
pub const JUDGED_AT_ONCE_MAX: usize = 64;

/// Bytes of one response of an IMAP server: a mail and what stands around it, or a line. Source:
/// [`MAIL_BYTES_MAX`]. Beyond: the connection is closed.
pub const IMAP_RESPONSE_BYTES_MAX: usize = MAIL_BYTES_MAX + 64 * 1024;
/// Size of a message, as the server tells it, up to which it is read; bytes. Source: ours. Servers may be
/// wrong about it: the bytes that come decide. Beyond: passed over.
pub const IMAP_SIZE_BYTES_MAX: u32 = 1024 * 1024;
/// Messages of a mailbox that one listing keeps. Source: ours, 80 KiB. Beyond: the next listing.
pub const IMAP_LISTED_MAX: usize = 10_000;
/// Messages of a mailbox that are put off at one time. Source: ours; they stand in the mark. Beyond: what is
/// put off for its sender's sake is passed over, so that no sender holds up the others; where the relay
/// itself cannot take mail, the mailbox waits.
pub const IMAP_PUT_OFF_MAX: usize = 1_024;
/// Connections in a row that may end over one message before it is put off. Source: ours.
pub const IMAP_FAILURES_MAX: u32 = 3;
/// Seconds in which a connection to an IMAP server must stand. Source: ours. Beyond: back-off.
pub const IMAP_CONNECT_SECS_MAX: u64 = 30;
/// Seconds for one command, all of its responses included. Source: ours. Beyond: the connection is closed.
pub const IMAP_COMMAND_SECS_MAX: u64 = 300;
/// Seconds of one IDLE. Source: RFC 2177 says 29 minutes; network
/// address translators forget a silent connection before. Beyond: IDLE is issued again.
pub const IMAP_IDLE_SECS_MAX: u64 = 540;
/// Seconds of the longest pause between two connections to an IMAP server; the first is one second. Source:
/// ours.
pub const IMAP_BACK_OFF_SECS_MAX: u64 = 300;
/// Bytes of a password file. Source: ours. Beyond: refused.
pub const PASSWORD_BYTES_MAX: u64 = 4_096;

/// Longest Message-ID that a notice refers to, bytes with brackets; ours. Beyond: the notice does without.
pub const MESSAGE_ID_BYTES_MAX: usize = 300;
/// Most Message-IDs in References of a notice; ours. Beyond: the first and the newest stay.
pub const REFERENCES_MAX: usize = 12;
/// Longest subject that a notice repeats, bytes as it is written; ours. Beyond: cut after a word.
pub const SUBJECT_BYTES_MAX: usize = 4_096;
/// Longest word of a subject that is repeated as it is, bytes; ours, a line of a header (RFC 5322 section
/// 2.1.1). Beyond: as encoded words.
pub const SUBJECT_WORD_BYTES_MAX: usize = 75;
/// Header lines of a mail that are read for its thread; ours. Beyond: they are left out.
pub const THREAD_HEADER_LINES_MAX: usize = 10_000;
/// Longest word of a node or a mail that a notice repeats, bytes; ours. Beyond: cut.
pub const ANSWER_WORD_BYTES_MAX: usize = 400;
/// Least days that an entry is kept: longer than its mail can come again, which is five days from a Date that
/// may lie one day ahead (Spec: 4.6), and that its end may be waited for. Below: refused, a late copy would
/// be answered again.
pub const ENTRY_DAYS_MIN: u32 = 8;
/// A mail that waits longer than this is told of, seconds; ours.
pub const WAITING_TOLD_SECS: u64 = 60;
/// Payments that HISTORY shows; ours.
pub const HISTORY_PAYMENTS_MAX: usize = 10;
/// Entries of an account that BALANCE asks a node for, to find its issued money; ours. Beyond: the answer says
/// that there is more.
pub const BALANCE_ENTRIES_MAX: usize = 64;
/// Transactions that HISTORY asks a node for; ours.
pub const HISTORY_TRANSACTIONS_MAX: usize = 50;
/// Notices that one pass of the sender takes out of the outbox; ours. The others wait for the next pass.
pub const OUTBOX_PASS_MAX: usize = 256;
/// Connections to the smarthost at one time; ours.
pub const SMARTHOST_CONNECTIONS_MAX: usize = 4;
/// How long a notice is tried, seconds; ours. Beyond: withheld.
pub const ANSWER_TRIED_SECS: u64 = 2 * 86_400;
/// First and longest wait before a notice that the smarthost put off is tried again, seconds; ours.
pub const ANSWER_WAIT_SECS: (u64, u64) = (60, 3_600);
/// First and longest wait before a smarthost that could not be reached is tried again, seconds; ours.
pub const SMARTHOST_WAIT_SECS: (u64, u64) = (5, 300);
/// Patience with the smarthost before it has the whole mail, seconds. RFC 5321 section 4.5.3.2 has 5 minutes
/// for commands.
pub const SMARTHOST_COMMAND_SECS: u64 = 300;
/// Patience with the smarthost after the end of the mail, seconds. RFC 5321 section 4.5.3.2.6.
pub const SMARTHOST_TAKES_SECS: u64 = 600;
/// The same with the mail servers of receivers, whose slowness costs a place of [`DIRECT_DOMAINS_MAX`]. Ours.
pub const DIRECT_COMMAND_SECS: u64 = 60;
/// The same after the end of the mail, seconds. Ours.
pub const DIRECT_TAKES_SECS: u64 = 300;
/// Domains whose mail servers are spoken to at one time. Ours. Others wait.
pub const DIRECT_DOMAINS_MAX: usize = 64;
/// How long answers are left to the lane of their domain, seconds. Ours, for the end of the process: beyond,
/// they are due again.
pub const LANE_LEASE_SECS: u64 = 900;
/// How long answers of a domain whose lane is busy with others wait, seconds. Ours.
pub const LANE_BUSY_SECS: u64 = 5;
/// How long a lane begins to hand over answers, seconds. Ours. Beyond: the others are due again.
pub const LANE_SECS_MAX: u64 = 200;
/// How long it may take to find a mail server of a domain that speaks, seconds. Ours. Beyond: the answers wait.
pub const DIRECT_CONNECT_SECS_MAX: u64 = 120;
/// Mail servers of a domain that are tried for a mail, and addresses of each. Ours; RFC 5321 section 5.1 asks
/// for two at least. Beyond: the next try of the mail.
pub const MX_TRIED_MAX: usize = 4;
/// Addresses of a mail server that are tried. As above.
pub const MX_ADDRESSES_MAX: usize = 4;
/// How long a connection to one address may take, seconds. Ours. Beyond: the next address.
pub const MX_CONNECT_SECS_MAX: u64 = 15;
/// A line of a mail server's reply, bytes. Ours: RFC 5321 section 4.5.3.1.5 has 512. Beyond: no reply.
pub const REPLY_LINE_BYTES_READ_MAX: u64 = 8_192;
/// Lines of a mail server's reply. Ours. Beyond: no reply.
pub const REPLY_LINES_READ_MAX: usize = 100;
/// Bytes of an MTA-STS policy. Source: RFC 8461 section 3.3 proposes 64 KiB. Beyond: no policy.
pub const POLICY_BYTES_MAX: usize = 64 * 1024;
/// How long the fetch of a policy may take, seconds. Source: RFC 8461 section 3.3 proposes a minute; ours.
/// Beyond: as without a policy.
pub const POLICY_FETCH_SECS_MAX: u64 = 20;
/// How long a policy that could not be fetched is not asked for again, seconds. Source: RFC 8461 section 3.3
/// proposes five minutes.
pub const POLICY_AGAIN_SECS: u64 = 300;
/// Longest life of a policy, seconds. Source: RFC 8461 section 3.2. Beyond: this.
pub const POLICY_AGE_SECS_MAX: u64 = 31_557_600;
/// Domains whose policy is kept. Ours, about 2 MB. Beyond: the one that ends first is forgotten.
pub const POLICIES_KEPT_MAX: usize = 10_000;
/// The day of the cap of notices to one address, seconds.
pub const DAY_SECS: u64 = 86_400;

/// Pages of the queue's file kept in memory, bytes; the rest is read again. Own choice: enough for the upper
/// levels of the trees of a million mails.
pub const QUEUE_CACHE_BYTES: usize = 64 * 1024 * 1024;
/// Entries that the migration of the queue's file holds in memory at one time. Ours. The others come after
/// them.
pub const MIGRATE_ROWS: usize = 1_000;
/// Requests that wait for the queue's writer at one time. Own choice: as many as there may be connections by
/// default. Beyond: the caller waits.
pub const QUEUE_JOBS_MAX: usize = 1_024;
/// Requests that one commit makes durable. Own choice: a commit of them stays below 100 ms. Beyond: the next
/// commit.
pub const COMMIT_JOBS_MAX: usize = 512;
/// Mail text that one commit makes durable, bytes. Own choice, as above. Beyond: the next commit.
pub const COMMIT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Longest time that a commit waits for the callers of the one before to come again, microseconds. Own
/// choice: a fraction of a sync.
pub const COMMIT_GATHER_MICROS: u64 = 500;
/// Rows that one step of the retention forgets. Own choice: a commit of them stays below 100 ms. Beyond: the
/// next step.
pub const CLEAN_ROWS_MAX: usize = 256;
/// Free pages of the queue's file, as far as they are counted, from which on it is compacted if they are half
/// of it; bytes. Own choice. Below: they are used again.
pub const COMPACT_BYTES_MIN: u64 = 64 * 1024 * 1024;
/// The same while the disk is nearly full, bytes. Own choice.
pub const COMPACT_SHORT_BYTES_MIN: u64 = 1024 * 1024;
/// Lines of the audit log that wait for the disk, bytes. Own choice: some thousand changes. Beyond: nothing
/// is taken or changed until the log can be written.
pub const AUDIT_PENDING_BYTES_MAX: usize = 1024 * 1024;
/// Longest line of the audit log, bytes: a Message-ID of 998 bytes, each escaped, and the rest. Beyond: read
/// as two.
pub const AUDIT_LINE_BYTES_MAX: usize = 16 * 1024;
/// Lines of the audit log shown of one mail. Own choice. Beyond: the newest.
pub const HISTORY_LINES_MAX: usize = 1_000;
/// Bytes that one commit of a backup copies. Own choice: memory of a backup. Beyond: the next commit.
pub const BACKUP_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long one step of `relay check` may take (a look-up, a connection, a node's answer), seconds. Beyond:
/// it has failed.
pub const CHECK_SECS_MAX: u64 = 10;

/// Bytes of a mail server's greeting that `relay check` reads (RFC 5321 section 4.5.3.1.5). Beyond: cut.
pub const GREETING_BYTES_MAX: usize = 512;

/// Difference between the machine's clock and the ledger's that is told, seconds. A ledger closes every 3 to
/// 4 seconds; the rest is delay.
pub const CLOCK_SKEW_SECS: u64 = 60;

/// How long before a certificate's end it is told, seconds: 14 days, when automatic renewal has been due for
/// a while.
pub const CERTIFICATE_WARN_SECS: u64 = 14 * 86_400;
/// Clients of the control socket at one time. Own choice: operators and pipes of one machine. Beyond: `busy`.
pub const CONTROL_CLIENTS_MAX: usize = 64;
/// Longest silence of a client of the control socket, seconds. Own choice. Beyond: closed.
pub const CONTROL_IDLE_SECS: u64 = 30;
/// Longest request on the control socket, bytes: a mail in hex and its envelope. Beyond: `request`, and
/// closed.
pub const CONTROL_REQUEST_BYTES_MAX: usize = 2 * MAIL_BYTES_MAX + 4_096;
/// Longest line of an answer on the control socket, bytes: a mail whose every byte is escaped, its answers
/// and its history. Beyond: the client gives up.
pub const CONTROL_ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Longest wait for a line of an answer, seconds: a backup of a full queue. Beyond: the client gives up.
pub const CONTROL_ANSWER_SECS: u64 = 600;
/// Lines of an answer that wait for the client. Own choice. Beyond: the work waits.
pub const CONTROL_LINES_MAX: usize = 16;
/// Entries read at once for a list. Own choice: some milliseconds. Beyond: the next page.
pub const CONTROL_PAGE_ENTRIES: usize = 256;
/// How long each part of the daemon may take to end, seconds; ours. Beyond: cut off, what was taken is on
/// disk.
pub const DAEMON_STOP_SECS_MAX: u64 = 20;
/// How often old mails are forgotten, and gauges and nodes are looked at, seconds; ours.
pub const UPKEEP_SECS: u64 = 30;
