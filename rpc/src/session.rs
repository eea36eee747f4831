//! One WebSocket, without the socket: frames come in, frames wait in a queue until the host sends them.
//!
//! Replies stand in the order of their requests. What a node announces later goes through the same queue. The
//! queue is bounded: a peer that does not read is cut off, and nothing is kept for it.

use std::collections::VecDeque;

use crate::api::{Node, Peer};
use crate::envelope::{answer_text, refuse_binary};
use crate::limits::{OUTPUT_BYTES_MAX, OUTPUT_FRAMES_MAX};
use crate::methods::Context;

/// What comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input<'a> {
    /// A text frame.
    Text(&'a str),
    /// A binary frame.
    Binary,
}

/// What goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A text frame.
    Text(String),
    /// The end: the host closes the socket.
    Close,
}

/// One peer's conversation.
///
/// ```
/// use rpc::api::{Node, Peer, Role};
/// use rpc::session::{Input, Output};
/// use rpc::Session;
///
/// fn talk(node: &dyn Node) {
///     let peer = Peer::new([127, 0, 0, 1].into(), Role::Admin);
///     let mut session = Session::new(peer);
///     session.handle(node, Input::Text(r#"{"id": 1, "command": "ping"}"#));
///     while let Some(output) = session.next_output() {
///         match output {
///             Output::Text(frame) => println!("{frame}"),
///             Output::Close => break,
///         }
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Session {
    peer: Peer,
    output: VecDeque<String>,
    output_bytes: usize,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// The peer does not read.
    Overrun,
    Closed,
}

impl Session {
    /// A session with `peer`.
    #[must_use]
    pub fn new(peer: Peer) -> Self {
        Self {
            peer,
            output: VecDeque::new(),
            output_bytes: 0,
            state: State::Open,
        }
    }

    /// Answers one frame. A session that is over answers nothing.
    pub fn handle(&mut self, node: &dyn Node, input: Input<'_>) {
        if self.state != State::Open {
            return;
        }
        let peer = &self.peer;
        let reply = match input {
            Input::Text(frame) => answer_text(&Context { node, peer }, frame),
            Input::Binary => refuse_binary(),
        };
        self.push(reply);
    }

    /// Puts a frame into the queue. One that does not fit ends the session.
    pub fn push(&mut self, frame: String) {
        if self.state != State::Open {
            return;
        }
        let bytes = self.output_bytes.saturating_add(frame.len());
        let is_alone = self.output.is_empty();
        if self.output.len() >= OUTPUT_FRAMES_MAX || (bytes > OUTPUT_BYTES_MAX && !is_alone) {
            self.output.clear();
            self.output_bytes = 0;
            self.state = State::Overrun;
            return;
        }
        self.output_bytes = bytes;
        self.output.push_back(frame);
    }

    /// The next frame that the host is to send; `None` where there is nothing to do now.
    pub fn next_output(&mut self) -> Option<Output> {
        if let Some(frame) = self.output.pop_front() {
            self.output_bytes -= frame.len();
            return Some(Output::Text(frame));
        }
        match self.state {
            State::Overrun => {
                self.state = State::Closed;
                Some(Output::Close)
            }
            State::Open | State::Closed => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Role;

    fn session() -> Session {
        Session::new(Peer::new([127, 0, 0, 1].into(), Role::Admin))
    }

    fn drain(session: &mut Session) -> Vec<Output> {
        std::iter::from_fn(|| session.next_output()).collect()
    }

    #[test]
    fn accepts_frames_up_to_the_bounds_in_their_order() {
        let mut session = session();
        for i in 0..OUTPUT_FRAMES_MAX {
            session.push(i.to_string());
        }
        let sent = drain(&mut session);
        assert_eq!(sent.len(), OUTPUT_FRAMES_MAX);
        assert_eq!(sent[1], Output::Text("1".to_owned()));
        session.push("x".repeat(OUTPUT_BYTES_MAX + 1));
        assert!(
            matches!(drain(&mut session)[..], [Output::Text(_)]),
            "one frame alone"
        );
        session.push("x".repeat(OUTPUT_BYTES_MAX));
        let _ = session.next_output();
        session.push("y".to_owned());
        assert_eq!(drain(&mut session), [Output::Text("y".to_owned())]);
    }

    #[test]
    fn rejects_a_peer_that_does_not_read() {
        let mut by_frames = session();
        for _ in 0..=OUTPUT_FRAMES_MAX {
            by_frames.push(String::new());
        }
        let mut by_bytes = session();
        by_bytes.push("x".repeat(OUTPUT_BYTES_MAX));
        by_bytes.push("y".to_owned());
        for mut session in [by_frames, by_bytes] {
            assert_eq!(drain(&mut session), [Output::Close]);
            session.push("late".to_owned());
            assert_eq!(drain(&mut session), []);
        }
    }
}
