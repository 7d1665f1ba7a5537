//! Where the head of an HTTP message ends, found as it comes.

use super::is_token;

const END: &[u8] = b"\r\n\r\n";

/// Keeps what comes until a head is whole.
#[derive(Debug)]
pub struct HeadReader {
    held: Vec<u8>,
    /// How much of it has no end of a head.
    scanned: usize,
    most: usize,
}

/// How far a head has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadProgress {
    /// More must come.
    Incomplete,
    /// It is whole.
    Whole {
        /// Its bytes, with the empty line; what follows is the body.
        length: usize,
    },
    /// It does not begin as a head does.
    NotHttp,
    /// It is over its bound.
    TooLong,
}

impl HeadReader {
    /// For a head of at most so many bytes.
    pub fn new(most: usize) -> HeadReader {
        HeadReader {
            held: Vec::new(),
            scanned: 0,
            most,
        }
    }

    /// Takes the next bytes. Once it says anything but [`HeadProgress::Incomplete`], it is over.
    pub fn feed(&mut self, piece: &[u8]) -> HeadProgress {
        let room = self.most.saturating_sub(self.held.len());
        let (piece, rest) = piece.split_at(piece.len().min(room));
        self.held.extend_from_slice(piece);
        if self.held.first().is_some_and(|first| !is_token(*first)) {
            return HeadProgress::NotHttp;
        }
        let unscanned = self.held.get(self.scanned..).unwrap_or_default();
        if let Some(at) = memchr::memmem::find(unscanned, END) {
            let length = self.scanned + at + END.len();
            self.held.extend_from_slice(rest);
            return HeadProgress::Whole { length };
        }
        // An end may be cut between two pieces.
        self.scanned = self.held.len().saturating_sub(END.len() - 1);
        match self.held.len() == self.most {
            true => HeadProgress::TooLong,
            false => HeadProgress::Incomplete,
        }
    }

    /// All that came.
    pub fn into_bytes(self) -> Vec<u8> {
        self.held
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fed(bytes: &[u8], size: usize) -> (HeadProgress, Vec<u8>) {
        let mut reader = HeadReader::new(64);
        for piece in bytes.chunks(size) {
            match reader.feed(piece) {
                HeadProgress::Incomplete => {}
                over => return (over, reader.into_bytes()),
            }
        }
        (HeadProgress::Incomplete, reader.into_bytes())
    }

    #[test]
    fn ends_are_found_wherever_they_are_cut() {
        let bytes = b"GET / HTTP/1.1\r\nhost: a\r\n\r\nbody";
        for size in 1..bytes.len() {
            let (progress, held) = fed(bytes, size);
            assert_eq!(progress, HeadProgress::Whole { length: 27 }, "{size}");
            assert!(bytes.starts_with(&held) && held.len() >= 27);
        }
        assert_eq!(fed(b"\x16\x03\x01", 1).0, HeadProgress::NotHttp);
        assert_eq!(
            fed(b"\r\nGET / HTTP/1.1\r\n\r\n", 1).0,
            HeadProgress::NotHttp
        );
        assert_eq!(fed(&[b'a'; 100], 1).0, HeadProgress::TooLong);
        assert_eq!(fed(&[b'a'; 100], 100).1.len(), 64);
        assert_eq!(fed(b"GET / HTTP/1.1\r\n", 3).0, HeadProgress::Incomplete);
    }

    proptest! {
        #[test]
        fn pieces_change_nothing(bytes in "[a\r\n]{0,80}", size in 1..20usize) {
            prop_assert_eq!(fed(bytes.as_bytes(), size).0, fed(bytes.as_bytes(), 100).0);
        }
    }
}
