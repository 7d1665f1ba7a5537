//! The channel's framing: a big-endian `u32` length, then that many bytes of JSON.
//!
//! Pure: [`FrameDecoder`] is fed whatever arrived and hands out whole frames. The length is judged
//! before a byte of the body is waited for, so a hostile peer cannot make this side hold more than
//! one frame of [`MAX_FRAME_BYTES`].

use crate::json::holds_at_most;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The largest body of one frame, in bytes (6 MiB): a job's code and files as base64, and arguments and
/// variables of control characters, of which JSON makes six each, are 5.6 MiB.
pub const MAX_FRAME_BYTES: usize = 6 * 1024 * 1024;

/// The largest that a host takes from a guest, in bytes (4 MiB): no guest sends jobs, and what a hostile one
/// may cost is a multiple of this.
pub const MAX_GUEST_FRAME_BYTES: usize = 4 * 1024 * 1024;

/// The most values that one message holds: a folder of 4096 files is listed with some 20,000.
pub const MAX_FRAME_VALUES: usize = 24 * 1024;

/// The length that stands before every body, in bytes.
pub const HEADER_BYTES: usize = 4;

/// What can be wrong with a frame; each ends the talk, for nothing after it can be trusted.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The header announces a body over the bound.
    #[error("frame of {length} bytes announced, which is over the bound")]
    TooLong {
        /// The length as announced.
        length: usize,
    },
    /// The header announces an empty body; no message is empty.
    #[error("empty frame")]
    Empty,
    /// The body holds more than any message of ours, whatever it says.
    #[error("frame of more than {MAX_FRAME_VALUES} values")]
    TooManyValues,
    /// The body is not the JSON of a known message.
    #[error("frame is no valid message")]
    Body(#[source] serde_json::Error),
    /// The peer closed the channel in the middle of a frame.
    #[error("channel closed inside a frame, {missing} bytes short")]
    Truncated {
        /// How many bytes of the current header or body never came.
        missing: usize,
    },
}

/// Turns one message into its frame.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, FrameError> {
    let mut frame = vec![0u8; HEADER_BYTES];
    serde_json::to_writer(&mut frame, message).map_err(FrameError::Body)?;
    let length = frame.len() - HEADER_BYTES;
    if length > MAX_FRAME_BYTES {
        return Err(FrameError::TooLong { length });
    }
    // `length` is at most 6 MiB, so the cast keeps its value.
    frame[..HEADER_BYTES].copy_from_slice(&(length as u32).to_be_bytes());
    Ok(frame)
}

/// Collects bytes and hands out whole messages.
#[derive(Debug)]
pub struct FrameDecoder {
    buffer: Vec<u8>,
    /// Bytes of a body at most.
    max: usize,
    /// Where the next frame starts in `buffer`; what lies before it was handed out.
    start: usize,
}

impl Default for FrameDecoder {
    fn default() -> Self {
        FrameDecoder::new()
    }
}

impl FrameDecoder {
    /// An empty decoder of whatever either side may send.
    pub fn new() -> Self {
        Self::bounded(MAX_FRAME_BYTES)
    }

    /// An empty decoder of what a guest may send.
    pub fn of_guest() -> Self {
        Self::bounded(MAX_GUEST_FRAME_BYTES)
    }

    fn bounded(max: usize) -> Self {
        FrameDecoder {
            buffer: Vec::new(),
            max,
            start: 0,
        }
    }

    /// Takes in bytes as they came from the channel.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message, `None` when more bytes are needed first.
    pub fn next_message<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        let pending = &self.buffer[self.start..];
        let Some(header) = pending.first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*header) as usize;
        if length == 0 {
            return Err(FrameError::Empty);
        }
        if length > self.max {
            return Err(FrameError::TooLong { length });
        }
        let Some(body) = pending.get(HEADER_BYTES..HEADER_BYTES + length) else {
            return Ok(None);
        };
        if !holds_at_most(body, MAX_FRAME_VALUES) {
            return Err(FrameError::TooManyValues);
        }
        let message = serde_json::from_slice(body).map_err(FrameError::Body)?;
        self.start += HEADER_BYTES + length;
        Ok(Some(message))
    }

    /// Says whether the peer may close here: only between two frames.
    pub fn finish(&self) -> Result<(), FrameError> {
        let pending = &self.buffer[self.start..];
        if pending.is_empty() {
            return Ok(());
        }
        let wanted = match pending.first_chunk::<HEADER_BYTES>() {
            Some(header) => HEADER_BYTES + u32::from_be_bytes(*header) as usize,
            None => HEADER_BYTES,
        };
        Err(FrameError::Truncated {
            missing: wanted.saturating_sub(pending.len()),
        })
    }

    /// Bytes held now; bounded by one frame plus what was fed last.
    pub fn buffered_bytes(&self) -> usize {
        self.buffer.len() - self.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn decode_all(decoder: &mut FrameDecoder) -> Result<Vec<Value>, FrameError> {
        let mut out = Vec::new();
        while let Some(message) = decoder.next_message::<Value>()? {
            out.push(message);
        }
        Ok(out)
    }

    #[test]
    fn a_length_over_the_bound_is_refused_before_its_body() {
        for length in [MAX_FRAME_BYTES as u32 + 1, u32::MAX] {
            let mut decoder = FrameDecoder::new();
            decoder.feed(&length.to_be_bytes());
            assert!(matches!(
                decoder.next_message::<Value>(),
                Err(FrameError::TooLong { .. })
            ));
        }
    }

    #[test]
    fn a_close_inside_a_frame_is_named() {
        let frame = encode(&serde_json::json!({"a": 1})).unwrap();
        for cut in 1..frame.len() {
            let mut decoder = FrameDecoder::new();
            decoder.feed(&frame[..cut]);
            assert!(decoder.next_message::<Value>().unwrap().is_none());
            assert!(decoder.finish().is_err(), "cut at {cut}");
        }
    }

    fn of_body(body: &str) -> Result<Option<Value>, FrameError> {
        let mut decoder = FrameDecoder::new();
        decoder.feed(&(body.len() as u32).to_be_bytes());
        decoder.feed(body.as_bytes());
        decoder.next_message()
    }

    #[test]
    fn json_nested_too_deep_is_an_error_not_a_crash() {
        let nested = of_body(&"[".repeat(MAX_FRAME_VALUES - 1));
        assert!(matches!(nested, Err(FrameError::Body(_))));
    }

    #[test]
    fn more_values_than_any_message_has_are_refused_unparsed() {
        let many = format!("[{}0]", "0,".repeat(MAX_FRAME_VALUES));
        assert!(matches!(of_body(&many), Err(FrameError::TooManyValues)));
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_messages(
            texts in proptest::collection::vec(".{0,200}", 0..8),
            cuts in proptest::collection::vec(1usize..64, 1..64),
        ) {
            let stream: Vec<u8> = texts.iter().flat_map(|t| encode(t).unwrap()).collect();
            let mut decoder = FrameDecoder::new();
            let mut seen = Vec::new();
            let mut rest = &stream[..];
            let mut cut = cuts.iter().cycle();
            while !rest.is_empty() {
                let take = (*cut.next().unwrap()).min(rest.len());
                decoder.feed(&rest[..take]);
                rest = &rest[take..];
                seen.extend(decode_all(&mut decoder).unwrap());
            }
            prop_assert!(decoder.finish().is_ok());
            let texts: Vec<Value> = texts.into_iter().map(Value::from).collect();
            prop_assert_eq!(seen, texts);
        }

        #[test]
        fn garbage_never_panics_and_never_grows(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
            let mut decoder = FrameDecoder::new();
            decoder.feed(&bytes);
            let _ = decode_all(&mut decoder);
            prop_assert!(decoder.buffered_bytes() <= bytes.len());
        }
    }
}
