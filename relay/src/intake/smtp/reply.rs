//! How replies are written. RFC 5321 section 4.2.1; enhanced codes stand in every line (RFC 2034 section 4).

use crate::intake::handler::Reply;
use crate::limits::REPLY_LINE_BYTES_MAX;

/// Appends `reply`. Bytes that are not printable ASCII become `?`, and lines that are too long are cut: a
/// reply can hold words of the mail, and must not become two replies.
pub fn write_reply(out: &mut Vec<u8>, reply: &Reply) {
    let last = reply.lines.len().saturating_sub(1);
    let code = reply.code.clamp(200, 599);
    if reply.lines.is_empty() {
        write_line(out, code, b' ', reply.enhanced, "");
    }
    for (at, line) in reply.lines.iter().enumerate() {
        let mark = if at == last { b' ' } else { b'-' };
        write_line(out, code, mark, reply.enhanced, line);
    }
}

fn write_line(out: &mut Vec<u8>, code: u16, mark: u8, enhanced: &str, text: &str) {
    let start = out.len();
    out.extend_from_slice(code.to_string().as_bytes());
    out.push(mark);
    out.extend_from_slice(enhanced.as_bytes());
    if !enhanced.is_empty() && !text.is_empty() {
        out.push(b' ');
    }
    out.extend(
        text.bytes()
            .map(|byte| if matches!(byte, b' '..=b'~') { byte } else { b'?' }),
    );
    out.truncate(start.saturating_add(REPLY_LINE_BYTES_MAX));
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(reply: &Reply) -> String {
        let mut out = Vec::new();
        write_reply(&mut out, reply);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn accepts_several_lines_with_the_code_in_each() {
        let reply = Reply {
            code: 550,
            enhanced: "5.7.1",
            lines: vec!["Rule failed".into(), "Do this instead".into()],
        };
        assert_eq!(
            written(&reply),
            "550-5.7.1 Rule failed\r\n550 5.7.1 Do this instead\r\n"
        );
    }

    #[test]
    fn rejects_line_ends_and_foreign_bytes_inside_a_line() {
        let reply = Reply::new(550, "5.7.1", "a\r\n250 2.0.0 ok\u{e9}");
        assert_eq!(written(&reply), "550 5.7.1 a??250 2.0.0 ok??\r\n");
    }

    #[test]
    fn rejects_lines_longer_than_512_bytes() {
        assert_eq!(written(&Reply::new(550, "5.7.1", "x".repeat(1_000))).len(), 512);
    }
}
