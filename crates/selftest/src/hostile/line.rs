//! Frames to and from the host. What is sent within credit waits for it; what is shouted does not.

use crate::channel::Channel;
use crate::error::Broken;
use protocol::link::{Frame, LinkDecoder, MAX_DATA_BYTES, StreamId, parse_control};
use protocol::supervisor::{FileOperation, GuestControl, HostControl};
use std::collections::{BTreeMap, VecDeque};

/// Bytes read at once.
const READ_BYTES: usize = 64 * 1024;

/// What the host asked for to be collected: the request, and the stream that brings it.
pub type Collecting = (u32, StreamId);

/// The agent's end.
pub struct Line {
    channel: Channel,
    decoder: LinkDecoder,
    /// What the host gave for each stream and was not used.
    credit: BTreeMap<StreamId, usize>,
    collecting: Option<Collecting>,
    /// Came while something else was waited for.
    set_aside: VecDeque<Frame>,
}

impl Line {
    /// The channel, nothing said.
    pub fn open() -> Result<Line, Broken> {
        Ok(Line {
            channel: Channel::open()?,
            decoder: LinkDecoder::default(),
            credit: BTreeMap::new(),
            collecting: None,
            set_aside: VecDeque::new(),
        })
    }

    /// A link begins anew: nothing is open.
    pub fn begin_anew(&mut self) {
        self.decoder = LinkDecoder::default();
        self.credit.clear();
        self.collecting = None;
        self.set_aside.clear();
    }

    /// The next frame.
    pub fn hear(&mut self) -> Result<Frame, Broken> {
        match self.set_aside.pop_front() {
            Some(frame) => Ok(frame),
            None => self.next_frame(),
        }
    }

    /// Says a proper message.
    pub fn say(&mut self, message: &GuestControl) -> Result<(), Broken> {
        self.send(&[Frame::control(message)?]);
        Ok(())
    }

    /// Sends frames as they are, whatever the credit.
    pub fn send(&mut self, frames: &[Frame]) {
        self.shout(&bytes(frames));
    }

    /// Sends bytes as they are. A host that hangs up is no reason to stop.
    pub fn shout(&mut self, bytes: &[u8]) {
        self.channel.is_heard(bytes);
    }

    /// The same again and again, until the host takes no more.
    pub fn shout_on(&mut self, bytes: &[u8]) {
        while self.channel.is_heard(bytes) {}
    }

    /// Hangs up.
    pub fn hang_up(&mut self) {
        self.channel.hang_up();
    }

    /// Sends one data frame, once there is credit for it.
    pub fn put(&mut self, stream: StreamId, data: Vec<u8>) -> Result<(), Broken> {
        while self.credit.get(&stream).copied().unwrap_or(0) < data.len() {
            match self.next_frame()? {
                Frame::Credit(..) => {}
                frame => self.set_aside.push_back(frame),
            }
        }
        if let Some(credit) = self.credit.get_mut(&stream) {
            *credit -= data.len();
        }
        self.send(&[Frame::Data(stream, data)]);
        Ok(())
    }

    /// Sends bytes of a stream that has no records, as its credit comes.
    pub fn put_all(&mut self, stream: StreamId, bytes: &[u8]) -> Result<(), Broken> {
        let mut pieces = bytes.chunks(MAX_DATA_BYTES);
        pieces.try_for_each(|piece| self.put(stream, piece.to_vec()))
    }

    /// Waits until the host asks for what the job left.
    pub fn collecting(&mut self) -> Result<Collecting, Broken> {
        loop {
            if let Some(asked) = self.collecting {
                return Ok(asked);
            }
            self.next_frame()?;
        }
    }

    fn next_frame(&mut self) -> Result<Frame, Broken> {
        let mut buffer = vec![0; READ_BYTES];
        loop {
            if let Some(frame) = self.decoder.next_frame()? {
                self.note(&frame);
                return Ok(frame);
            }
            match self.channel.read(&mut buffer)? {
                [] => self.begin_anew(),
                bytes => self.decoder.feed(bytes),
            }
        }
    }

    fn note(&mut self, frame: &Frame) {
        match frame {
            Frame::Credit(stream, more) => {
                *self.credit.entry(*stream).or_default() += *more as usize;
            }
            Frame::Control(body) => {
                if let Ok(HostControl::File {
                    request,
                    operation: FileOperation::Collect { stream, .. },
                }) = parse_control(body)
                {
                    self.collecting = Some((request, stream));
                }
            }
            _ => {}
        }
    }
}

/// Frames as they travel.
pub fn bytes(frames: &[Frame]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for frame in frames {
        frame.write_to(&mut bytes);
    }
    bytes
}
