//! The regular files below a folder as one stream of bytes, made in the guest and taken apart on the host.
//!
//! ```text
//!   files, then 0, u16 | 1 where some were left out, else 0, u8                    numbers are big-endian
//!   file:   length of its path, u16 | path, relative to the folder, UTF-8 | pieces | 0, u32
//!   piece:  length, u32, not 0 | bytes
//! ```

use crate::path::{MAX_PATH_BYTES, check_relative};

/// The longest piece, in bytes (64 KiB).
pub const MAX_PIECE_BYTES: usize = 64 * 1024;
/// Lengths, in bytes.
const PATH_HEADER: usize = 2;
const PIECE_HEADER: usize = 4;
/// All that stands for the end.
const END_BYTES: usize = 3;

/// What no honest guest sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CollectionError(&'static str);

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectedFile {
    /// Relative to the folder; checked.
    pub path: String,
    /// Its content.
    pub data: Vec<u8>,
}

/// What a folder held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// In order of their paths.
    pub files: Vec<CollectedFile>,
    /// Some were left out: over a bound, or not to be read.
    pub truncated: bool,
}

/// What may come.
#[derive(Debug, Clone, Copy)]
pub struct CollectionBounds {
    /// Bytes of all files together.
    pub bytes: u64,
    /// Files.
    pub files: usize,
}

/// The beginning of a file.
pub fn begin_file(path: &str, into: &mut Vec<u8>) {
    // No longer path is sent: `is_sendable`.
    into.extend_from_slice(&(path.len() as u16).to_be_bytes());
    into.extend_from_slice(path.as_bytes());
}

/// Whether a file of this path can be sent.
pub fn is_sendable(path: &str) -> bool {
    check_relative(path).is_ok()
}

/// A piece of a file; an empty one is its end.
pub fn piece(bytes: &[u8], into: &mut Vec<u8>) {
    into.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
    into.extend_from_slice(bytes);
}

/// The end of all files; nothing was left out.
pub fn end(into: &mut Vec<u8>) {
    into.extend_from_slice(&[0, 0, 0]);
}

/// The end of those files that the bounds let through.
pub fn end_truncated(into: &mut Vec<u8>) {
    into.extend_from_slice(&[0, 0, 1]);
}

/// Takes a collection apart, whatever pieces it comes in. Holds no more than its bounds and one piece.
#[derive(Debug)]
pub struct Collector {
    bounds: CollectionBounds,
    buffer: Vec<u8>,
    bytes: u64,
    files: Vec<CollectedFile>,
    /// The last file goes on.
    open: bool,
    /// It is at its end, and whether something was left out.
    ended: Option<bool>,
}

impl Collector {
    /// One that has nothing yet.
    pub fn new(bounds: CollectionBounds) -> Collector {
        Collector {
            bounds,
            buffer: Vec::new(),
            bytes: 0,
            files: Vec::new(),
            open: false,
            ended: None,
        }
    }

    /// Takes in the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), CollectionError> {
        self.buffer.extend_from_slice(bytes);
        let mut at = 0;
        while let Some(length) = self.next_part(at)? {
            at += length;
        }
        self.buffer.drain(..at);
        Ok(())
    }

    /// All of it, at the stream's end.
    pub fn finish(self) -> Result<Collection, CollectionError> {
        match self.ended {
            Some(truncated) if self.buffer.is_empty() => Ok(Collection {
                files: self.files,
                truncated,
            }),
            _ => Err(CollectionError("it ended in the middle of a file")),
        }
    }

    /// Takes one part of the buffer; its length, or nothing where it is not whole.
    fn next_part(&mut self, at: usize) -> Result<Option<usize>, CollectionError> {
        match (self.ended, self.open) {
            (Some(_), _) if at == self.buffer.len() => Ok(None),
            (Some(_), _) => Err(CollectionError("it went on after its end")),
            (None, true) => self.next_piece(at),
            (None, false) => self.next_file(at),
        }
    }

    fn next_file(&mut self, at: usize) -> Result<Option<usize>, CollectionError> {
        let Some(header) = self.buffer[at..].first_chunk::<PATH_HEADER>() else {
            return Ok(None);
        };
        let length = usize::from(u16::from_be_bytes(*header));
        if length == 0 {
            return self.next_end(at);
        }
        if length > MAX_PATH_BYTES {
            return Err(CollectionError(
                "it named a file with a path over the bound",
            ));
        }
        let begin = at + PATH_HEADER;
        let Some(path) = self.buffer.get(begin..begin + length) else {
            return Ok(None);
        };
        let path = std::str::from_utf8(path)
            .ok()
            .filter(|path| is_sendable(path));
        let path = path.ok_or(CollectionError("it named a file outside the folder"))?;
        if self.files.len() >= self.bounds.files {
            return Err(CollectionError("it sent too many files"));
        }
        if self.files.iter().any(|file| file.path == path) {
            return Err(CollectionError("it sent a file twice"));
        }
        let (path, data) = (path.to_owned(), Vec::new());
        self.files.push(CollectedFile { path, data });
        self.open = true;
        Ok(Some(PATH_HEADER + length))
    }

    fn next_end(&mut self, at: usize) -> Result<Option<usize>, CollectionError> {
        match self.buffer.get(at + PATH_HEADER) {
            None => Ok(None),
            Some(truncated @ 0..=1) => {
                self.ended = Some(*truncated == 1);
                Ok(Some(END_BYTES))
            }
            Some(_) => Err(CollectionError("its end is none")),
        }
    }

    fn next_piece(&mut self, at: usize) -> Result<Option<usize>, CollectionError> {
        let Some(header) = self.buffer[at..].first_chunk::<PIECE_HEADER>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*header) as usize;
        if length > MAX_PIECE_BYTES {
            return Err(CollectionError("it sent a piece over the bound"));
        }
        let begin = at + PIECE_HEADER;
        let Some(bytes) = self.buffer.get(begin..begin + length) else {
            return Ok(None);
        };
        self.bytes += length as u64;
        if self.bytes > self.bounds.bytes {
            return Err(CollectionError("it sent more bytes than allowed"));
        }
        if let Some(file) = self.files.last_mut() {
            file.data.extend_from_slice(bytes);
        }
        self.open = length > 0;
        Ok(Some(PIECE_HEADER + length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BOUNDS: CollectionBounds = CollectionBounds {
        bytes: 1000,
        files: 3,
    };

    fn sent(files: &[(&str, Vec<&[u8]>)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (path, pieces) in files {
            begin_file(path, &mut bytes);
            pieces.iter().for_each(|data| piece(data, &mut bytes));
            piece(&[], &mut bytes);
        }
        end_truncated(&mut bytes);
        bytes
    }

    fn taken(bytes: &[u8], step: usize) -> Result<Collection, CollectionError> {
        let mut collector = Collector::new(BOUNDS);
        for part in bytes.chunks(step.max(1)) {
            collector.feed(part)?;
        }
        collector.finish()
    }

    #[test]
    fn files_come_out_as_they_went_in_whatever_the_pieces() {
        let bytes = sent(&[("a/b", vec![b"one", b" two"]), ("empty", vec![])]);
        for step in [1, 2, 7, 1000] {
            let Collection { files, truncated } = taken(&bytes, step).unwrap();
            assert!(truncated);
            assert_eq!(files[0].path, "a/b");
            assert_eq!(files[0].data, b"one two");
            assert_eq!(files[1].data, b"");
        }
    }

    #[test]
    fn each_bound_is_kept() {
        let large = vec![b'x'; 600];
        let long = "d/".repeat(2100);
        for (bytes, why) in [
            (sent(&[("a", vec![&large, &large])]), "bytes"),
            (sent(&[("a", vec![]), ("a", vec![])]), "twice"),
            (
                sent(&[("1", vec![]), ("2", vec![]), ("3", vec![]), ("4", vec![])]),
                "many",
            ),
            (sent(&[("../a", vec![])]), "outside"),
            (sent(&[("/a", vec![])]), "outside"),
            (sent(&[(&long, vec![])]), "path"),
            ([sent(&[]), vec![0]].concat(), "went on"),
            (vec![0, 0, 2], "its end"),
            (sent(&[("a", vec![b"x"])])[..7].to_vec(), "middle"),
            ([&sent(&[("a", vec![])])[..3], &[0xff; 4]].concat(), "piece"),
        ] {
            let error = taken(&bytes, 5).unwrap_err().to_string();
            assert!(error.contains(why), "{error}: {why}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_hold_more_than_its_bounds(bytes in proptest::collection::vec(any::<u8>(), 0..2000), step in 1usize..50) {
            if let Ok(Collection { files, .. }) = taken(&bytes, step) {
                prop_assert!(files.len() <= BOUNDS.files);
                prop_assert!(files.iter().map(|file| file.data.len() as u64).sum::<u64>() <= BOUNDS.bytes);
            }
        }
    }
}
