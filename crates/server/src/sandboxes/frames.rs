//! What a terminal's text frames say, both ways, and the words that close it.

use super::exit::ExitBody;
use super::expiry::ExpiringBody;
use super::process::SizeBody;
use protocol::supervisor::TerminalSize;
use serde::{Deserialize, Serialize};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// What a client says in a text frame.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    /// The terminal has this size from here on.
    Size(TerminalSize),
    /// Whether it takes more.
    Flow(Flow),
}

/// Whether a client takes more of what the process writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flow {
    /// Nothing more, for now.
    Pause,
    /// It goes on.
    Resume,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum SaidBody {
    Size(SizeBody),
    Flow(FlowBody),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FlowBody {
    flow: Flow,
}

impl Said {
    /// Reads a text frame; `None` where it says neither.
    pub fn parse(text: &str) -> Option<Said> {
        match serde_json::from_str(text).ok()? {
            SaidBody::Size(size) => size.size("rows").ok().map(Said::Size),
            SaidBody::Flow(FlowBody { flow }) => Some(Said::Flow(flow)),
        }
    }
}

/// What this service says in a text frame.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Word {
    /// All that was kept when the terminal was opened is shown; what comes now is new.
    Replayed(ReplayedBody),
    /// The sandbox ends by itself soon.
    Expiring(ExpiringBody),
    /// The process ended; the last.
    Exit(Box<ExitBody>),
}

/// How far what was kept goes.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ReplayedBody {
    /// The offset behind its last byte.
    pub next_offset: u64,
}

impl Word {
    /// Its frame.
    pub fn message(&self) -> Message {
        // It has no value without JSON.
        Message::text(serde_json::to_string(self).unwrap_or_default())
    }
}

/// Why a terminal is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// The client closed it, or is gone.
    Client,
    /// The process ended, and all was shown.
    Exit,
    /// The sandbox ended.
    Gone,
    /// The service stops.
    Stopping,
    /// The client sent what is neither a size nor a pause.
    Nonsense,
    /// The client sent a message over the bound.
    TooLarge,
    /// The client paused for too long.
    Held,
}

impl Closing {
    /// The frame that closes it; `None`: the client closed it, and is answered below this.
    pub fn frame(self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            Closing::Client => return None,
            Closing::Exit => (CloseCode::Normal, "the process ended"),
            Closing::Gone => (CloseCode::Away, "the sandbox ended"),
            Closing::Stopping => (CloseCode::Restart, "the service stops"),
            Closing::Nonsense => (
                CloseCode::Policy,
                "a text frame is a size, {\"rows\": 24, \"columns\": 80}, or {\"flow\": \"pause\"}",
            ),
            Closing::TooLarge => (CloseCode::Size, "a message has at most 64 KiB"),
            Closing::Held => (CloseCode::Policy, "paused for too long"),
        };
        Some(CloseFrame {
            code,
            reason: reason.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::expiry::Limit;
    use super::*;

    #[test]
    fn a_text_is_a_size_a_pause_or_nonsense() {
        let size = Said::Size(TerminalSize {
            rows: 24,
            columns: 80,
        });
        for (text, said) in [
            (r#"{"rows": 24, "columns": 80}"#, Some(size)),
            (r#"{"flow": "pause"}"#, Some(Said::Flow(Flow::Pause))),
            (r#"{"flow": "resume"}"#, Some(Said::Flow(Flow::Resume))),
            (r#"{"flow": "stop"}"#, None),
            (r#"{"flow": "pause", "rows": 24, "columns": 80}"#, None),
            (r#"{"rows": 24}"#, None),
            (r#"{"rows": 0, "columns": 80}"#, None),
            (r#"{"rows": 24, "columns": 65536}"#, None),
            (r#"{"rows": 24, "columns": 80, "x": 1}"#, None),
            ("ls\n", None),
            ("", None),
        ] {
            assert_eq!(Said::parse(text), said, "{text}");
        }
    }

    #[test]
    fn an_end_is_told_as_over_plain_http() {
        let word = Word::Expiring(ExpiringBody {
            limit: Limit::Total,
            seconds_left: 6.5,
        });
        let text = r#"{"expiring":{"limit":"total","seconds_left":6.5}}"#;
        assert_eq!(word.message(), Message::text(text));
    }

    #[test]
    fn whoever_closes_it_says_why() {
        assert!(Closing::Client.frame().is_none());
        for closing in [
            Closing::Exit,
            Closing::Gone,
            Closing::Stopping,
            Closing::Nonsense,
            Closing::TooLarge,
            Closing::Held,
        ] {
            // RFC 6455, section 5.5: a control frame has at most 125 bytes, two of them the code.
            let reason = closing.frame().unwrap().reason;
            assert!(reason.len() <= 123, "{closing:?}");
        }
    }
}
