//! One end of a link: which streams are open, what they may send, and in which order it leaves.

use super::StreamId;
use super::frame::{Frame, LinkDecoder, LinkError, MAX_DATA_BYTES};
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};

/// Bytes of one stream that wait here to be sent, at most (64 KiB): what is over is the producer's to hold.
pub const QUEUE_BYTES: usize = 64 * 1024;
/// More than any receiver gives; a peer that gives more means no good.
const MAX_CREDIT: u64 = 64 * 1024 * 1024;

/// What arrived.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// A control message, not parsed.
    Control(Vec<u8>),
    /// A stream's next bytes; they are to be given back as credit once they are used ([`Link::used`]).
    Data(StreamId, Vec<u8>),
    /// A stream that comes in is over.
    End(StreamId),
    /// A stream that goes out has room again.
    Room(StreamId),
    /// The peer wants no more of a stream that goes out; it is over.
    Refused(StreamId),
}

/// A stream that goes out.
#[derive(Debug, Default)]
struct Outgoing {
    /// Whole frames' payloads, each at most [`MAX_DATA_BYTES`].
    queue: VecDeque<Vec<u8>>,
    queued_bytes: usize,
    credit: u64,
    ended: bool,
}

/// A stream that comes in.
#[derive(Debug)]
struct Incoming {
    /// What the peer may still send.
    credit: u64,
    /// What was used and not given back yet.
    used: u64,
    window: u64,
    /// Nothing more is wanted: what comes until its end is dropped.
    refused: bool,
}

/// One end.
#[derive(Debug, Default)]
pub struct Link {
    decoder: LinkDecoder,
    outgoing: BTreeMap<StreamId, Outgoing>,
    incoming: BTreeMap<StreamId, Incoming>,
    /// Control messages, credits and the like: they go first.
    urgent: Vec<u8>,
    /// Whose turn it was.
    last: StreamId,
}

impl Link {
    /// An end on which nothing is open.
    pub fn new() -> Link {
        Link::default()
    }

    /// Takes in bytes as they came.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.decoder.feed(bytes);
    }

    /// What arrived next, `None` when nothing whole is left.
    pub fn next_event(&mut self) -> Result<Option<Event>, LinkError> {
        while let Some(frame) = self.decoder.next_frame()? {
            if let Some(event) = self.on(frame)? {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    /// Queues a control message, before all data.
    pub fn control(&mut self, message: &impl Serialize) -> Result<(), LinkError> {
        Frame::control(message)?.write_to(&mut self.urgent);
        Ok(())
    }

    /// Opens a stream that comes in; its peer may send `window_bytes` ahead of what is used.
    pub fn open_incoming(&mut self, stream: StreamId, window_bytes: u32) {
        let window_bytes = window_bytes.max(1);
        self.open_incoming_granted(stream, window_bytes);
        Frame::Credit(stream, window_bytes).write_to(&mut self.urgent);
    }

    /// The same of a stream whose window its sender knows and has from the start.
    pub fn open_incoming_granted(&mut self, stream: StreamId, window_bytes: u32) {
        let window = u64::from(window_bytes);
        let incoming = Incoming {
            credit: window,
            used: 0,
            window,
            refused: false,
        };
        self.incoming.insert(stream, incoming);
    }

    /// The other end of that: it need not wait for a first credit.
    pub fn open_outgoing_granted(&mut self, stream: StreamId, window_bytes: u32) {
        let outgoing = Outgoing {
            credit: u64::from(window_bytes),
            ..Outgoing::default()
        };
        self.outgoing.insert(stream, outgoing);
    }

    /// Opens a stream that goes out.
    pub fn open_outgoing(&mut self, stream: StreamId) {
        self.outgoing.insert(stream, Outgoing::default());
    }

    /// Whether the stream is open in either direction.
    pub fn is_open(&self, stream: StreamId) -> bool {
        self.incoming.contains_key(&stream) || self.outgoing.contains_key(&stream)
    }

    /// Streams open in either direction.
    pub fn open_streams(&self) -> usize {
        self.incoming.len() + self.outgoing.len()
    }

    /// Bytes that may be pushed into a stream now.
    pub fn room(&self, stream: StreamId) -> usize {
        let Some(outgoing) = self.outgoing.get(&stream).filter(|it| !it.ended) else {
            return 0;
        };
        let credit = usize::try_from(outgoing.credit).unwrap_or(usize::MAX);
        let free = QUEUE_BYTES.saturating_sub(outgoing.queued_bytes);
        credit.saturating_sub(outgoing.queued_bytes).min(free)
    }

    /// Queues one frame of data, as one frame: the receiver sees its bounds. What has no room is the producer's
    /// mistake and refused.
    pub fn push(&mut self, stream: StreamId, data: &[u8]) -> Result<(), LinkError> {
        let fits = data.len() <= self.room(stream) && data.len() <= MAX_DATA_BYTES;
        match self.outgoing.get_mut(&stream) {
            Some(outgoing) if fits && !data.is_empty() => {
                outgoing.queued_bytes += data.len();
                outgoing.queue.push_back(data.to_vec());
                Ok(())
            }
            _ => Err(LinkError::Credit { stream }),
        }
    }

    /// Says that nothing more goes out; what is queued still does.
    pub fn end(&mut self, stream: StreamId) {
        if let Some(outgoing) = self.outgoing.get_mut(&stream) {
            outgoing.ended = true;
        }
    }

    /// Says that nothing more is to come in.
    pub fn refuse(&mut self, stream: StreamId) {
        if let Some(incoming) = self.incoming.get_mut(&stream)
            && !std::mem::replace(&mut incoming.refused, true)
        {
            Frame::Refuse(stream).write_to(&mut self.urgent);
        }
    }

    /// Gives used bytes back as credit, in halves of the window: not a frame for each few bytes.
    pub fn used(&mut self, stream: StreamId, bytes: usize) {
        let Some(incoming) = self.incoming.get_mut(&stream).filter(|it| !it.refused) else {
            return;
        };
        incoming.used += bytes as u64;
        if incoming.used * 2 >= incoming.window {
            let credit = std::mem::take(&mut incoming.used);
            incoming.credit += credit;
            // What is used was received, so it is at most the window.
            Frame::Credit(stream, credit as u32).write_to(&mut self.urgent);
        }
    }

    /// Appends up to about `bytes` of what is to be sent: all that is urgent, then a frame of each stream in turn.
    pub fn take_output(&mut self, into: &mut Vec<u8>, bytes: usize) {
        into.append(&mut self.urgent);
        while into.len() < bytes {
            let Some(stream) = self.next_turn() else {
                return;
            };
            self.last = stream;
            self.send_one(stream, into);
        }
    }

    /// Whether there is something to send.
    pub fn has_output(&self) -> bool {
        !self.urgent.is_empty() || self.outgoing.values().any(is_ready)
    }

    /// Bytes held here for either direction.
    pub fn buffered_bytes(&self) -> usize {
        let queued: usize = self.outgoing.values().map(|it| it.queued_bytes).sum();
        self.decoder.buffered_bytes() + self.urgent.len() + queued
    }

    fn next_turn(&self) -> Option<StreamId> {
        let ready =
            |(stream, outgoing): (&StreamId, &Outgoing)| is_ready(outgoing).then_some(*stream);
        let after = self.outgoing.range(self.last.saturating_add(1)..);
        after
            .chain(self.outgoing.range(..=self.last))
            .find_map(ready)
    }

    fn send_one(&mut self, stream: StreamId, into: &mut Vec<u8>) {
        let Some(outgoing) = self.outgoing.get_mut(&stream) else {
            return;
        };
        match outgoing.queue.pop_front() {
            Some(data) => {
                outgoing.queued_bytes -= data.len();
                outgoing.credit -= data.len() as u64;
                Frame::Data(stream, data).write_to(into);
            }
            None => {
                self.outgoing.remove(&stream);
                Frame::End(stream).write_to(into);
            }
        }
    }

    fn on(&mut self, frame: Frame) -> Result<Option<Event>, LinkError> {
        match frame {
            Frame::Control(body) => Ok(Some(Event::Control(body))),
            Frame::Data(stream, data) => self.on_data(stream, data),
            Frame::Credit(stream, credit) => self.on_credit(stream, credit),
            Frame::End(stream) => {
                let ended = self.incoming.remove(&stream);
                let ended = ended.ok_or(LinkError::NotOpen { stream })?;
                Ok((!ended.refused).then_some(Event::End(stream)))
            }
            Frame::Refuse(stream) => match self.outgoing.remove(&stream) {
                Some(_) => {
                    Frame::End(stream).write_to(&mut self.urgent);
                    Ok(Some(Event::Refused(stream)))
                }
                // Its end is on the way already.
                None => Ok(None),
            },
        }
    }

    fn on_data(&mut self, stream: StreamId, data: Vec<u8>) -> Result<Option<Event>, LinkError> {
        let incoming = self.incoming.get_mut(&stream);
        let incoming = incoming.ok_or(LinkError::NotOpen { stream })?;
        let length = data.len() as u64;
        incoming.credit = incoming
            .credit
            .checked_sub(length)
            .ok_or(LinkError::Credit { stream })?;
        Ok((!incoming.refused).then_some(Event::Data(stream, data)))
    }

    fn on_credit(&mut self, stream: StreamId, credit: u32) -> Result<Option<Event>, LinkError> {
        // For a stream whose end crossed it on the way, it means nothing.
        let Some(outgoing) = self.outgoing.get_mut(&stream) else {
            return Ok(None);
        };
        outgoing.credit += u64::from(credit);
        if outgoing.credit > MAX_CREDIT {
            return Err(LinkError::Credit { stream });
        }
        Ok((!outgoing.ended).then_some(Event::Room(stream)))
    }
}

fn is_ready(outgoing: &Outgoing) -> bool {
    !outgoing.queue.is_empty() || outgoing.ended
}
