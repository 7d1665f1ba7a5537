//! Frames of a link, as bytes. A length is judged before a byte of the payload is waited for.

use super::StreamId;
use crate::json::holds_at_most;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The largest control message, in bytes (1 MiB): a folder of 4,096 files is listed with 700 KiB.
pub const MAX_CONTROL_BYTES: usize = 1024 * 1024;
/// The most values that one control message holds: 4,096 entries of a folder, 17 each.
pub const MAX_CONTROL_VALUES: usize = 72 * 1024;
/// The most bytes of one data frame (32 KiB): streams take turns, and a turn should be short.
pub const MAX_DATA_BYTES: usize = 32 * 1024;
/// Length, kind and stream, which stand before every payload, in bytes.
const HEADER_BYTES: usize = 9;
/// A credit's payload, in bytes.
const CREDIT_BYTES: usize = 4;

/// What can be wrong with what a peer sends; each ends the link, for nothing after it can be trusted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The kind has no meaning.
    #[error("frame of the unknown kind {kind}")]
    Kind {
        /// As it came.
        kind: u8,
    },
    /// The payload's length is none that this kind may have.
    #[error("frame of kind {kind} with {length} bytes")]
    Length {
        /// Which kind.
        kind: u8,
        /// As announced.
        length: usize,
    },
    /// A stream that is not open in this direction.
    #[error("frame for stream {stream}, which is not open")]
    NotOpen {
        /// The stream that the frame names.
        stream: StreamId,
    },
    /// More data than there was credit for, or more credit than anyone gives.
    #[error("stream {stream} went beyond its credit")]
    Credit {
        /// The stream whose credit was not kept.
        stream: StreamId,
    },
    /// The control message is not what it has to be.
    #[error("no valid control message: {reason}")]
    Control {
        /// The parser's words.
        reason: String,
    },
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A control message, JSON.
    Control(Vec<u8>),
    /// The next bytes of a stream.
    Data(StreamId, Vec<u8>),
    /// So many more bytes may come.
    Credit(StreamId, u32),
    /// Nothing more comes.
    End(StreamId),
    /// Nothing more is wanted.
    Refuse(StreamId),
}

const CONTROL: u8 = 0;
const DATA: u8 = 1;
const CREDIT: u8 = 2;
const END: u8 = 3;
const REFUSE: u8 = 4;

impl Frame {
    /// A control message as a frame; one over the bound is an error of the sender's own.
    pub fn control(message: &impl Serialize) -> Result<Frame, LinkError> {
        let body = serde_json::to_vec(message).map_err(|error| LinkError::Control {
            reason: error.to_string(),
        })?;
        match body.len() {
            1..=MAX_CONTROL_BYTES => Ok(Frame::Control(body)),
            length => Err(LinkError::Length {
                kind: CONTROL,
                length,
            }),
        }
    }

    /// Appends the frame's bytes.
    pub fn write_to(&self, bytes: &mut Vec<u8>) {
        let amount;
        let (kind, stream, payload): (u8, StreamId, &[u8]) = match self {
            Frame::Control(body) => (CONTROL, 0, body),
            Frame::Data(stream, data) => (DATA, *stream, data),
            Frame::Credit(stream, count) => {
                amount = count.to_be_bytes();
                (CREDIT, *stream, &amount)
            }
            Frame::End(stream) => (END, *stream, &[]),
            Frame::Refuse(stream) => (REFUSE, *stream, &[]),
        };
        // At most 1 MiB, so the cast keeps its value.
        bytes.extend_from_slice(&(payload.len() as u32).to_be_bytes());
        bytes.push(kind);
        bytes.extend_from_slice(&stream.to_be_bytes());
        bytes.extend_from_slice(payload);
    }
}

/// A control message out of its frame: bounded in its values before anything is allocated for them.
pub fn parse_control<T: DeserializeOwned>(body: &[u8]) -> Result<T, LinkError> {
    if !holds_at_most(body, MAX_CONTROL_VALUES) {
        let reason = format!("more than {MAX_CONTROL_VALUES} values");
        return Err(LinkError::Control { reason });
    }
    serde_json::from_slice(body).map_err(|error| LinkError::Control {
        reason: error.to_string(),
    })
}

/// Collects bytes and hands out whole frames.
#[derive(Debug, Default)]
pub struct LinkDecoder {
    buffer: Vec<u8>,
    /// What lies before it was handed out.
    start: usize,
}

impl LinkDecoder {
    /// Takes in bytes as they came.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame, `None` when more bytes are needed first.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, LinkError> {
        let pending = &self.buffer[self.start..];
        let Some(header) = pending.first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        let [a, b, c, d, kind, stream @ ..] = *header;
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        check_length(kind, length)?;
        let Some(payload) = pending.get(HEADER_BYTES..HEADER_BYTES + length) else {
            return Ok(None);
        };
        let frame = frame(kind, u32::from_be_bytes(stream), payload)?;
        self.start += HEADER_BYTES + length;
        Ok(Some(frame))
    }

    /// Bytes held now; bounded by one frame and what was fed last.
    pub fn buffered_bytes(&self) -> usize {
        self.buffer.len() - self.start
    }
}

fn check_length(kind: u8, length: usize) -> Result<(), LinkError> {
    let bounds = match kind {
        CONTROL => 1..=MAX_CONTROL_BYTES,
        DATA => 1..=MAX_DATA_BYTES,
        CREDIT => CREDIT_BYTES..=CREDIT_BYTES,
        END | REFUSE => 0..=0,
        _ => return Err(LinkError::Kind { kind }),
    };
    match bounds.contains(&length) {
        true => Ok(()),
        false => Err(LinkError::Length { kind, length }),
    }
}

fn frame(kind: u8, stream: StreamId, payload: &[u8]) -> Result<Frame, LinkError> {
    match kind {
        CONTROL if stream != 0 => Err(LinkError::NotOpen { stream }),
        CONTROL => Ok(Frame::Control(payload.to_vec())),
        DATA => Ok(Frame::Data(stream, payload.to_vec())),
        CREDIT => {
            let count = payload.first_chunk().copied().unwrap_or_default();
            Ok(Frame::Credit(stream, u32::from_be_bytes(count)))
        }
        END => Ok(Frame::End(stream)),
        REFUSE => Ok(Frame::Refuse(stream)),
        _ => Err(LinkError::Kind { kind }),
    }
}
