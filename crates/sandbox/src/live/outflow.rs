//! What waits for room on streams that go to the guest: no writer holds up another, or the sandbox's task.

use super::error::LiveError;
use super::line::Reply;
use protocol::link::{Link, MAX_DATA_BYTES, StreamId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// How far a stream that goes to the guest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Flow {
    /// It takes more.
    Open,
    /// It ends after what waits.
    Ending,
    /// There is none (any more).
    Closed,
}

/// All streams that go to the guest and are not ended.
#[derive(Debug, Default)]
pub(super) struct Outflows(BTreeMap<StreamId, Outflow>);

#[derive(Debug, Default)]
struct Outflow {
    waiting: VecDeque<Waiting>,
    /// Bytes put on the link so far.
    sent: u64,
    /// Nothing is added any more.
    ending: bool,
}

/// One writer's bytes.
#[derive(Debug)]
struct Waiting {
    bytes: Vec<u8>,
    /// Of these, put on the link.
    sent: usize,
    /// Nobody waits for what is put there as a whole.
    writer: Option<Reply<()>>,
}

impl Waiting {
    /// Its writer went away, and takes the rest along.
    fn is_abandoned(&self) -> bool {
        self.writer.as_ref().is_some_and(Reply::is_closed)
    }

    fn tell(self, told: Result<(), LiveError>) {
        if let Some(writer) = self.writer {
            let _ = writer.send(told);
        }
    }
}

impl Outflows {
    /// A stream begins.
    pub(super) fn open(&mut self, stream: StreamId) {
        self.0.insert(stream, Outflow::default());
    }

    /// Adds bytes; the writer hears when the last is on the link. A writer that goes away takes the rest along.
    pub(super) fn add(&mut self, stream: StreamId, bytes: Vec<u8>, writer: Reply<()>) {
        let Some(outflow) = self.0.get_mut(&stream).filter(|it| !it.ending) else {
            let _ = writer.send(Err(LiveError::StdinClosed));
            return;
        };
        outflow.waiting.retain(|other| !other.is_abandoned());
        outflow.waiting.push_back(Waiting {
            bytes,
            sent: 0,
            writer: Some(writer),
        });
    }

    /// All that a stream is to bring.
    pub(super) fn put(&mut self, stream: StreamId, bytes: Vec<u8>) {
        let whole = Waiting {
            bytes,
            sent: 0,
            writer: None,
        };
        let outflow = Outflow {
            waiting: [whole].into(),
            ending: true,
            ..Outflow::default()
        };
        self.0.insert(stream, outflow);
    }

    /// How far a stream is.
    pub(super) fn flow(&self, stream: StreamId) -> Flow {
        match self.0.get(&stream) {
            Some(outflow) if outflow.ending => Flow::Ending,
            Some(_) => Flow::Open,
            None => Flow::Closed,
        }
    }

    /// Ends a stream after what waits; whether there was one to end.
    pub(super) fn end(&mut self, stream: StreamId) -> bool {
        let outflow = self.0.get_mut(&stream).filter(|it| !it.ending);
        outflow.map(|it| it.ending = true).is_some()
    }

    /// Ends a stream now; its writers hear that nothing more is taken.
    pub(super) fn stop(&mut self, stream: StreamId, link: &mut Link) {
        for waiting in self.0.remove(&stream).into_iter().flat_map(|it| it.waiting) {
            waiting.tell(Err(LiveError::StdinClosed));
        }
        link.end(stream);
    }

    /// Puts on the link what there is room for. The streams that are at their end, with all their bytes.
    pub(super) fn pump(&mut self, link: &mut Link) -> Vec<(StreamId, u64)> {
        let mut ended = Vec::new();
        self.0.retain(|stream, outflow| {
            outflow.pump(*stream, link);
            let is_over = outflow.ending && outflow.waiting.is_empty();
            if is_over {
                link.end(*stream);
                ended.push((*stream, outflow.sent));
            }
            !is_over
        });
        ended
    }
}

impl Outflow {
    fn pump(&mut self, stream: StreamId, link: &mut Link) {
        while let Some(mut first) = self.waiting.pop_front() {
            if first.is_abandoned() {
                continue;
            }
            let before = first.sent;
            let is_done = first.pump(stream, link);
            self.sent += (first.sent - before) as u64;
            if !is_done {
                self.waiting.push_front(first);
                return;
            }
            first.tell(Ok(()));
        }
    }
}

impl Waiting {
    /// Whether all is on the link.
    fn pump(&mut self, stream: StreamId, link: &mut Link) -> bool {
        while self.sent < self.bytes.len() {
            let left = &self.bytes[self.sent..];
            let count = left.len().min(link.room(stream)).min(MAX_DATA_BYTES);
            if count == 0 || link.push(stream, &left[..count]).is_err() {
                return false;
            }
            self.sent += count;
        }
        true
    }
}
