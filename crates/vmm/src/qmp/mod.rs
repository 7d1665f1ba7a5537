//! QEMU's control protocol, as much of it as this crate speaks: one command at a time, over a
//! socket pair made before QEMU was started, so there is no path and nobody else can connect.

pub mod message;

use message::{Lines, Message};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use serde_json::{Map, Value, json};
use std::collections::VecDeque;
use std::io::{Error, ErrorKind, IoSlice};
use std::os::fd::BorrowedFd;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::UnixStream;

/// Events kept that nobody asked for yet; older ones are dropped.
const MAX_EVENTS: usize = 64;

/// What can go wrong in a talk.
#[derive(Debug, thiserror::Error)]
pub enum QmpError {
    /// QEMU closed its end, or the system failed.
    #[error("the control socket failed")]
    Io(#[from] Error),
    /// QEMU said what is no QMP.
    #[error("{0}")]
    Garbage(String),
    /// QEMU refused.
    #[error("{command}: {reason}")]
    Refused {
        /// Which command.
        command: String,
        /// QEMU's own words.
        reason: String,
    },
}

/// The host's end of the talk.
#[derive(Debug)]
pub struct Qmp {
    stream: UnixStream,
    lines: Lines,
    events: VecDeque<(String, Map<String, Value>)>,
}

impl Qmp {
    /// A talk over the host's end of a socket pair.
    pub fn new(stream: UnixStream) -> Self {
        Self {
            stream,
            lines: Lines::default(),
            events: VecDeque::new(),
        }
    }

    /// Waits for the greeting and says what must be said first.
    pub async fn greet(&mut self) -> Result<(), QmpError> {
        match self.next().await? {
            Message::Greeting => self.execute("qmp_capabilities", json!({})).await.map(drop),
            other => Err(QmpError::Garbage(format!(
                "{other:?} instead of a greeting"
            ))),
        }
    }

    /// Runs one command to its answer.
    pub async fn execute(&mut self, command: &str, arguments: Value) -> Result<Value, QmpError> {
        let line = command_line(command, arguments);
        self.stream.write_all(&line).await?;
        self.answer(command).await
    }

    /// Hands QEMU a descriptor along with the command that keeps it (`getfd`, `add-fd`).
    pub async fn give_fd(
        &mut self,
        command: &str,
        arguments: Value,
        fd: BorrowedFd<'_>,
    ) -> Result<(), QmpError> {
        let line = command_line(command, arguments);
        let stream = &self.stream;
        let sent = stream
            .async_io(Interest::WRITABLE, || {
                let fds = [fd];
                let mut space =
                    [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
                let mut control = SendAncillaryBuffer::new(&mut space);
                control.push(SendAncillaryMessage::ScmRights(&fds));
                let data = [IoSlice::new(&line)];
                Ok(sendmsg(stream, &data, &mut control, SendFlags::NOSIGNAL)?)
            })
            .await?;
        // The descriptor went with the first byte; the rest is plain text.
        self.stream.write_all(&line[sent..]).await?;
        self.answer(command).await.map(drop)
    }

    /// Waits for an event of this name; earlier ones count, others are forgotten.
    pub async fn event(&mut self, name: &str) -> Result<Map<String, Value>, QmpError> {
        loop {
            while let Some((seen, data)) = self.events.pop_front() {
                if seen == name {
                    return Ok(data);
                }
            }
            match self.next().await? {
                Message::Event { name, data } => self.keep(name, data),
                other => return Err(QmpError::Garbage(format!("{other:?} unasked"))),
            }
        }
    }

    async fn answer(&mut self, command: &str) -> Result<Value, QmpError> {
        loop {
            match self.next().await? {
                Message::Return(value) => return Ok(value),
                Message::Error(reason) => {
                    let command = command.to_string();
                    return Err(QmpError::Refused { command, reason });
                }
                Message::Event { name, data } => self.keep(name, data),
                Message::Greeting => return Err(QmpError::Garbage("a second greeting".into())),
            }
        }
    }

    fn keep(&mut self, name: String, data: Map<String, Value>) {
        if self.events.len() == MAX_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back((name, data));
    }

    async fn next(&mut self) -> Result<Message, QmpError> {
        loop {
            if let Some(line) = self.lines.next_line().map_err(QmpError::Garbage)? {
                return Message::parse(&line).map_err(QmpError::Garbage);
            }
            let mut buffer = [0u8; 4096];
            let count = self.stream.read(&mut buffer).await?;
            if count == 0 {
                return Err(Error::from(ErrorKind::UnexpectedEof).into());
            }
            self.lines.feed(&buffer[..count]);
        }
    }
}

/// As short as it can be: QEMU's monitor reads a byte at a time, each a turn of its loop.
fn command_line(command: &str, arguments: Value) -> Vec<u8> {
    let mut line = match arguments.as_object().is_some_and(Map::is_empty) {
        true => json!({ "execute": command }),
        false => json!({ "execute": command, "arguments": arguments }),
    }
    .to_string();
    line.push('\n');
    line.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn against(peer: &str) -> Result<Value, QmpError> {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let peer = peer.as_bytes().to_vec();
        // Ours may hang up in the middle of it; theirs goes on reading nothing, like a dead VMM.
        let says = tokio::spawn(async move {
            let _ = theirs.write_all(&peer).await;
            let _ = theirs.shutdown().await;
            theirs
        });
        let answer = Qmp::new(ours).execute("stop", json!({})).await;
        drop(says.await);
        answer
    }

    #[tokio::test]
    async fn a_hostile_peer_ends_the_talk_and_nothing_else() {
        assert!(against("{\"return\": {}}\n").await.is_ok());
        let events = "{\"event\": \"X\"}\n".repeat(1000) + "{\"return\": 1}\n";
        assert_eq!(against(&events).await.unwrap(), json!(1));
        assert!(matches!(against("").await, Err(QmpError::Io(_))));
        assert!(matches!(against("{\"return\"").await, Err(QmpError::Io(_))));
        assert!(matches!(
            against("garbage\n").await,
            Err(QmpError::Garbage(_))
        ));
        assert!(matches!(
            against("{\"QMP\": {}}\n").await,
            Err(QmpError::Garbage(_))
        ));
        assert!(against(&"x".repeat(1 << 20)).await.is_err());
        let refused = against("{\"error\": {\"class\": \"G\", \"desc\": \"no\"}}\n").await;
        assert!(matches!(refused, Err(QmpError::Refused { reason, .. }) if reason == "no"));
    }
}
