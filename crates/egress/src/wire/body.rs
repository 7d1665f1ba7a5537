//! Where the body of a request ends, so that what follows is judged as a request of its own. It holds nothing: bytes that
//! it takes go out as they are.
//!
//! Chunks are read as strictly as they can be: no extensions and no trailers, for what servers make of them differs.

use crate::reason::Reason;

/// Hexadecimal digits of a chunk's size: 4 GiB.
const MAX_SIZE_DIGITS: u8 = 8;

/// How a request's body is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// There is none.
    None,
    /// By its length in bytes.
    Length(u64),
    /// In chunks, each with its own.
    Chunked,
}

/// Reads one body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyReader {
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Bytes that are still to come of a body with a length.
    Left(u64),
    /// In a chunk's size: what was read of it, and of how many digits.
    Size {
        value: u64,
        digits: u8,
    },
    /// At the line's end after a size.
    SizeEnd(u64),
    /// In a chunk.
    Chunk(u64),
    /// At `\r`, then `\n` after a chunk.
    ChunkCr,
    ChunkLf,
    /// At `\r`, then `\n` after the last chunk.
    LastCr,
    LastLf,
    Ended,
}

/// What a body took of the bytes that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// So many bytes from the beginning are the body's.
    pub bytes: usize,
    /// It ends there.
    pub ended: bool,
}

impl BodyReader {
    /// For a body that is delimited so.
    pub fn new(framing: Framing) -> BodyReader {
        let state = match framing {
            Framing::None | Framing::Length(0) => State::Ended,
            Framing::Length(length) => State::Left(length),
            Framing::Chunked => State::Size {
                value: 0,
                digits: 0,
            },
        };
        BodyReader { state }
    }

    /// Takes what is the body's; after an error the connection is over.
    pub fn feed(&mut self, piece: &[u8]) -> Result<Taken, Reason> {
        let mut rest = piece;
        while self.state != State::Ended {
            let Some(&byte) = rest.first() else { break };
            let (state, taken) = match self.state {
                State::Left(left) | State::Chunk(left) => {
                    let taken =
                        usize::try_from(left).map_or(rest.len(), |left| left.min(rest.len()));
                    (self.after(left - taken as u64), taken)
                }
                state => (line(state, byte)?, 1),
            };
            self.state = state;
            rest = rest.get(taken..).unwrap_or_default();
        }
        Ok(Taken {
            bytes: piece.len() - rest.len(),
            ended: self.state == State::Ended,
        })
    }

    /// What follows when so much is left of the bytes that are taken as they are.
    fn after(&self, left: u64) -> State {
        match (self.state, left) {
            (State::Chunk(_), 0) => State::ChunkCr,
            (State::Chunk(_), left) => State::Chunk(left),
            (_, 0) => State::Ended,
            (_, left) => State::Left(left),
        }
    }
}

/// One byte between chunks.
fn line(state: State, byte: u8) -> Result<State, Reason> {
    match (state, byte) {
        (State::Size { digits: 1.., value }, b'\r') => Ok(State::SizeEnd(value)),
        (State::Size { value, digits }, byte) if digits < MAX_SIZE_DIGITS => {
            let digit = char::from(byte)
                .to_digit(16)
                .ok_or(Reason::RequestAmbiguous)?;
            Ok(State::Size {
                value: value << 4 | u64::from(digit),
                digits: digits + 1,
            })
        }
        (State::SizeEnd(0), b'\n') => Ok(State::LastCr),
        (State::SizeEnd(size), b'\n') => Ok(State::Chunk(size)),
        (State::ChunkCr, b'\r') => Ok(State::ChunkLf),
        (State::ChunkLf, b'\n') => Ok(State::Size {
            value: 0,
            digits: 0,
        }),
        (State::LastCr, b'\r') => Ok(State::LastLf),
        (State::LastLf, b'\n') => Ok(State::Ended),
        _ => Err(Reason::RequestAmbiguous),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

    use super::*;
    use proptest::prelude::*;

    fn fed(framing: Framing, bytes: &[u8], size: usize) -> Result<Taken, Reason> {
        let mut body = BodyReader::new(framing);
        let mut taken = body.feed(b"")?;
        let mut pieces = bytes.chunks(size);
        while !taken.ended
            && let Some(piece) = pieces.next()
        {
            let next = body.feed(piece)?;
            taken = Taken {
                bytes: taken.bytes + next.bytes,
                ended: next.ended,
            };
        }
        Ok(taken)
    }

    #[test]
    fn a_body_ends_where_it_says() {
        for (framing, bytes, length) in [
            (Framing::None, "GET", Some(0)),
            (Framing::Length(0), "GET", Some(0)),
            (Framing::Length(3), "abcGET", Some(3)),
            (Framing::Length(3), "ab", None),
            (Framing::Chunked, "0\r\n\r\nGET", Some(5)),
            (Framing::Chunked, "3\r\nabc\r\n0\r\n\r\nGET", Some(13)),
            (
                Framing::Chunked,
                "0000000A\r\n0123456789\r\n0\r\n\r\n",
                Some(27),
            ),
            (Framing::Chunked, "a\r\n0\r\n\r\nGET /", None),
            (Framing::Chunked, "", None),
        ] {
            for size in [1, 2, 100] {
                let taken = fed(framing, bytes.as_bytes(), size).unwrap();
                assert_eq!(
                    taken.ended.then_some(taken.bytes),
                    length,
                    "{framing:?} {bytes:?}"
                );
            }
        }
    }

    #[test]
    fn what_servers_differ_about_is_refused() {
        for bytes in [
            "\r\n",
            " 3\r\nabc",
            "3 \r\nabc",
            "3\nabc",
            "3\r\r\n",
            "3;a=b\r\nabc",
            "0x3\r\nabc",
            "+3\r\nabc",
            "-1\r\n",
            "g\r\n",
            "3\r\nabcd\r\n",
            "3\r\nabc\n0\r\n",
            "3\r\nabc\r0",
            "0\r\na: b\r\n\r\n",
            "0\r\n\n",
            "000000003\r\nabc",
            "ffffffffffffffff1\r\n",
        ] {
            assert_eq!(
                fed(Framing::Chunked, bytes.as_bytes(), 1),
                Err(Reason::RequestAmbiguous),
                "{bytes:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn chunks_that_are_written_are_read(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..5), size in 1..50usize) {
            let mut bytes = Vec::new();
            for chunk in &chunks {
                bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                bytes.extend_from_slice(chunk);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\n\r\n");
            let whole = bytes.len();
            bytes.extend_from_slice(b"GET / HTTP/1.1\r\n\r\n");
            prop_assert_eq!(fed(Framing::Chunked, &bytes, size), Ok(Taken { bytes: whole, ended: true }));
        }

        #[test]
        fn pieces_change_nothing(bytes in "[0-3a\r\n]{0,40}", size in 1..10usize) {
            let whole = fed(Framing::Chunked, bytes.as_bytes(), 100);
            prop_assert_eq!(fed(Framing::Chunked, bytes.as_bytes(), size), whole);
        }
    }
}
