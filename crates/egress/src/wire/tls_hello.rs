//! The first message of TLS: for which host it is, and what is to be spoken.

mod parse;

use crate::name::{HostName, NameError};
use crate::reason::Reason;

/// Bytes of a hello, its records' headers included. Usual ones have 200 to 2000.
pub const MAX_HELLO_BYTES: usize = 16 * 1024;

/// What a ClientHello says that matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The host that it is for.
    pub sni: Sni,
    /// What may be spoken within.
    pub alpn: Alpn,
    /// The true hello is encrypted within (ECH, its drafts or ESNI before it), or pretends to be (GREASE).
    pub encrypted: bool,
}

/// The host that a hello is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sni {
    /// It does not say.
    Missing,
    /// This one.
    Name(HostName),
    /// What is no name.
    Invalid(NameError),
}

/// The protocols that a hello offers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Alpn {
    /// It offers any; without, HTTP/1.1 is what is spoken.
    pub is_offered: bool,
    /// HTTP/1.1 is one of them.
    pub has_http1: bool,
    /// HTTP/2 is one of them.
    pub has_http2: bool,
}

/// How far a hello has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HelloProgress {
    /// More must come.
    Incomplete,
    /// It is whole.
    Hello(Hello),
    /// What came is not TLS.
    NotTls,
    /// It begins as TLS does, and cannot be read.
    Malformed,
    /// It is over [`MAX_HELLO_BYTES`].
    TooLong,
}

impl HelloProgress {
    /// The reason for refusing a connection that has come so far and no further.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            HelloProgress::Hello(_) => None,
            HelloProgress::Incomplete => Some(Reason::HelloTimeout),
            HelloProgress::NotTls => Some(Reason::NotTls),
            HelloProgress::Malformed => Some(Reason::HelloMalformed),
            HelloProgress::TooLong => Some(Reason::HelloTooLong),
        }
    }
}

const RECORD_HEADER: usize = 5;
const HANDSHAKE_HEADER: usize = 4;
const HANDSHAKE_RECORD: u8 = 22;
const CLIENT_HELLO: u8 = 1;
/// Bytes of one record's content (RFC 8446, 5.1).
const MAX_RECORD_BYTES: usize = 16 * 1024;

/// Reads a hello as it comes.
#[derive(Debug, Default)]
pub struct HelloReader {
    /// All that came.
    raw: Vec<u8>,
    /// How much of it is of records that were read.
    read: usize,
    /// Their contents: the handshake message.
    message: Vec<u8>,
}

impl HelloReader {
    /// Takes the next bytes. Once it says anything but [`HelloProgress::Incomplete`], it is over.
    pub fn feed(&mut self, piece: &[u8]) -> HelloProgress {
        let room = MAX_HELLO_BYTES.saturating_sub(self.raw.len());
        let (piece, rest) = piece.split_at(piece.len().min(room));
        self.raw.extend_from_slice(piece);
        let progress = self.progress();
        match progress {
            HelloProgress::Incomplete if self.raw.len() == MAX_HELLO_BYTES => {
                HelloProgress::TooLong
            }
            HelloProgress::Hello(_) => {
                self.raw.extend_from_slice(rest);
                progress
            }
            // Nothing of it is sent on, or nothing is left of the piece.
            _ => progress,
        }
    }

    /// All that came, to be sent on.
    pub fn into_bytes(self) -> Vec<u8> {
        self.raw
    }

    fn progress(&mut self) -> HelloProgress {
        loop {
            let rest = self.raw.get(self.read..).unwrap_or_default();
            match record(rest) {
                Record::Incomplete => return HelloProgress::Incomplete,
                // What is no TLS is known by its first record.
                Record::Other if self.read == 0 => return HelloProgress::NotTls,
                Record::Other => return HelloProgress::Malformed,
                Record::Whole(content) => {
                    self.read += RECORD_HEADER + content.len();
                    self.message.extend_from_slice(content);
                }
            }
            match self.message_progress() {
                HelloProgress::Incomplete => {}
                over => return over,
            }
        }
    }

    fn message_progress(&self) -> HelloProgress {
        let [kind, high, middle, low, body @ ..] = self.message.as_slice() else {
            return match self.message.first() {
                Some(kind) if *kind != CLIENT_HELLO => HelloProgress::Malformed,
                _ => HelloProgress::Incomplete,
            };
        };
        if *kind != CLIENT_HELLO {
            return HelloProgress::Malformed;
        }
        let length = usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low);
        if length > MAX_HELLO_BYTES - HANDSHAKE_HEADER - RECORD_HEADER {
            return HelloProgress::TooLong;
        }
        match body.len() {
            here if here < length => HelloProgress::Incomplete,
            // A client says nothing more before it is answered.
            here if here > length => HelloProgress::Malformed,
            _ => parse::hello(body).map_or(HelloProgress::Malformed, HelloProgress::Hello),
        }
    }
}

enum Record<'a> {
    Incomplete,
    /// Of another kind, or none.
    Other,
    Whole(&'a [u8]),
}

/// The record that these bytes begin with. What cannot be one is known by as few bytes as can be.
fn record(bytes: &[u8]) -> Record<'_> {
    let is_wrong =
        |at: usize, right: fn(u8) -> bool| bytes.get(at).is_some_and(|byte| !right(*byte));
    if is_wrong(0, |kind| kind == HANDSHAKE_RECORD)
        || is_wrong(1, |major| major == 3)
        || is_wrong(2, |minor| minor <= 4)
    {
        return Record::Other;
    }
    let [_, _, _, high, low, rest @ ..] = bytes else {
        return Record::Incomplete;
    };
    let length = usize::from(*high) << 8 | usize::from(*low);
    if length == 0 || length > MAX_RECORD_BYTES {
        return Record::Other;
    }
    rest.get(..length).map_or(Record::Incomplete, Record::Whole)
}

#[cfg(test)]
pub(crate) mod tests;
