//! The bytes of a client, cut anywhere, give the same replies and mails; no bytes break a session.

use proptest::prelude::*;
use relay::intake::smtp::session::StartTls;
use relay::mail::Channel;

use crate::script::{Stage, show};

/// Words of a client, of its mails and of its attacks; any order of them is a stream that a session must
/// stand.
const WORDS: &[&[u8]] = &[
    b"EHLO a\r\n",
    b"HELO a\r\n",
    b"LHLO a\r\n",
    b"MAIL FROM:<alice@example.com>\r\n",
    b"MAIL FROM:<> SIZE=99 BODY=8BITMIME\r\n",
    b"MAIL FROM:<\"",
    b"RCPT TO:<relay@example.org>\r\n",
    b"RCPT TO:<@hop.example:relay@example.org>\r\n",
    b"RCPT TO:<postmaster>\r\n",
    b"RCPT TO:<x@example.net>\r\n",
    b"DATA\r\n",
    b"BDAT 5\r\n",
    b"BDAT 5 LAST\r\n",
    b"BDAT 0 LAST\r\n",
    b"BDAT 300000\r\n",
    b"12345",
    b"a\r\nb\r\n",
    b".\r\n",
    b"\r\n.\r\n",
    b"..\r\n",
    b"\r",
    b"\n",
    b".",
    b"\0",
    b"RSET\r\n",
    b"NOOP\r\n",
    b"STARTTLS\r\n",
    b"QUIT\r\n",
    b"VRFY \"",
    b"\xff",
    b"X-Verdict: refuse\r\n",
];

fn word() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        20 => prop::sample::select(WORDS).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..40),
        1 => (1usize..5_000).prop_map(|length| vec![b'x'; length]),
    ]
}

/// Often a proper beginning, so that content is reached.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let opening: &[&[u8]] = &[
        b"",
        b"EHLO a\r\nMAIL FROM:<alice@example.com>\r\nRCPT TO:<relay@example.org>\r\n",
        b"EHLO a\r\nMAIL FROM:<alice@example.com>\r\nRCPT TO:<relay@example.org>\r\nDATA\r\n",
        b"LHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<relay@example.org>\r\nRCPT TO:<pay@example.org>\r\nDATA\r\n",
    ];
    let opening = prop::sample::select(opening.to_vec());
    (opening, prop::collection::vec(word(), 0..40))
        .prop_map(|(opening, words)| [opening.to_vec(), words.concat()].concat())
}

fn channel() -> impl Strategy<Value = Channel> {
    prop::sample::select(vec![Channel::Smtp, Channel::Lmtp])
}

/// All that a session did.
fn played(channel: Channel, stream: &[u8], cuts: &[usize]) -> (String, Vec<String>, bool, bool) {
    let mut stage = Stage::new(channel, StartTls::Offered, [192, 0, 2, 1], usize::MAX);
    let mut rest = stream;
    for cut in cuts {
        let (piece, after) = rest.split_at((*cut).min(rest.len()));
        stage.say(piece);
        rest = after;
    }
    stage.say(rest);
    let mails = stage
        .handler
        .mails
        .lock()
        .expect("lock")
        .iter()
        .map(show)
        .collect();
    (stage.heard(), mails, stage.is_closed, stage.wants_tls)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn accepts_any_cut_of_a_stream_alike(
        channel in channel(),
        stream in stream(),
        cuts in prop::collection::vec(0usize..30, 0..60),
    ) {
        let whole = played(channel, &stream, &[]);
        prop_assert_eq!(&played(channel, &stream, &cuts), &whole);
        prop_assert_eq!(&played(channel, &stream, &vec![1; stream.len()]), &whole);
    }

    #[test]
    fn accepts_content_of_whole_lines_as_it_is(
        lines in prop::collection::vec("[ -~.]{0,90}", 0..40),
        cuts in prop::collection::vec(0usize..50, 0..60),
    ) {
        let mail: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let stuffed: String = lines
            .iter()
            .map(|line| format!("{}{line}\r\n", if line.starts_with('.') { "." } else { "" }))
            .collect();
        let envelope = "EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<relay@example.org>\r\n";
        let data = format!("{envelope}DATA\r\n{stuffed}.\r\n");
        let bdat = format!("{envelope}BDAT {} LAST\r\n{mail}", mail.len());
        for stream in [data, bdat] {
            let mut stage = Stage::new(Channel::Smtp, StartTls::Offered, [192, 0, 2, 1], usize::MAX);
            let mut rest = stream.as_bytes();
            for cut in &cuts {
                let (piece, after) = rest.split_at((*cut).min(rest.len()));
                stage.say(piece);
                rest = after;
            }
            stage.say(rest);
            let mails = stage.handler.mails.lock().expect("lock");
            prop_assert_eq!(mails.len(), 1);
            prop_assert_eq!(String::from_utf8_lossy(&mails[0].raw), mail.as_str());
        }
    }

    #[test]
    fn accepts_random_bytes_without_harm(channel in channel(), stream in prop::collection::vec(any::<u8>(), 0..3_000)) {
        let (heard, ..) = played(channel, &stream, &[]);
        prop_assert!(heard.lines().all(|line| line.len() <= 510));
    }
}
