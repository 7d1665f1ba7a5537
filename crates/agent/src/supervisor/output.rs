//! What a process wrote, kept for who comes back: the newest bytes, in the order of writing, each with its offset.
//!
//! ```text
//!   0 ........ start ═══════════════ end        offsets count bytes of all outputs together
//!      dropped       kept: pieces of one output each
//!                       ^ a follower reads on from here
//! ```
//!
//! Without followers the oldest is dropped for the newest. A follower loses nothing: while it has not read what
//! would be dropped, the process is not read from, and waits as for any slow reader.

use protocol::supervisor::OutputKind;
use std::collections::VecDeque;

/// A piece is not added to beyond this, in bytes: dropping goes by pieces and parts of the oldest.
const PIECE_BYTES: usize = 16 * 1024;

/// Bytes of one output.
#[derive(Debug)]
struct Piece {
    kind: OutputKind,
    bytes: Vec<u8>,
    /// Of `bytes`, dropped already.
    dropped: usize,
}

/// The kept output of one process.
#[derive(Debug)]
pub struct OutputLog {
    pieces: VecDeque<Piece>,
    start: u64,
    end: u64,
    kept_bytes: u64,
}

impl OutputLog {
    /// An empty one that keeps so many bytes.
    pub fn new(kept_bytes: u64) -> OutputLog {
        OutputLog {
            pieces: VecDeque::new(),
            start: 0,
            end: 0,
            kept_bytes: kept_bytes.max(1),
        }
    }

    /// Bytes written so far.
    pub fn written(&self) -> u64 {
        self.end
    }

    /// The offset of the oldest byte kept.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Keeps fewer or more bytes from now on; what a follower at `unread_from` still needs stays.
    pub fn keep(&mut self, kept_bytes: u64, unread_from: Option<u64>) {
        self.kept_bytes = kept_bytes.max(1);
        self.drop_oldest(unread_from);
    }

    /// Bytes that may be taken in without dropping what the slowest follower has not read.
    pub fn room(&self, unread_from: Option<u64>) -> u64 {
        match unread_from {
            None => u64::MAX,
            Some(from) => self
                .kept_bytes
                .saturating_sub(self.end - from.min(self.end)),
        }
    }

    /// Takes in what was written.
    pub fn append(&mut self, kind: OutputKind, bytes: &[u8], unread_from: Option<u64>) {
        if bytes.is_empty() {
            return;
        }
        self.end += bytes.len() as u64;
        match self.pieces.back_mut() {
            Some(piece) if piece.kind == kind && piece.bytes.len() + bytes.len() <= PIECE_BYTES => {
                piece.bytes.extend_from_slice(bytes);
            }
            _ => self.pieces.push_back(Piece {
                kind,
                bytes: bytes.to_vec(),
                dropped: 0,
            }),
        }
        self.drop_oldest(unread_from);
    }

    /// At most `max` bytes of one output from an offset on; `None` when there is nothing later. What is no longer
    /// kept is passed over.
    pub fn read(&self, from: u64, max: usize) -> Option<(OutputKind, &[u8])> {
        let from = from.max(self.start);
        let mut at = self.start;
        for piece in &self.pieces {
            let bytes = &piece.bytes[piece.dropped..];
            let end = at + bytes.len() as u64;
            if from < end {
                let bytes = &bytes[(from - at) as usize..];
                return Some((piece.kind, &bytes[..bytes.len().min(max)]));
            }
            at = end;
        }
        None
    }

    fn drop_oldest(&mut self, unread_from: Option<u64>) {
        let keep_from = self.end.saturating_sub(self.kept_bytes);
        let keep_from = keep_from.min(unread_from.unwrap_or(u64::MAX));
        while self.start < keep_from {
            let Some(piece) = self.pieces.front_mut() else {
                return;
            };
            let length = piece.bytes.len() - piece.dropped;
            let count = (keep_from - self.start).min(length as u64);
            piece.dropped += count as usize;
            self.start += count;
            if piece.dropped == piece.bytes.len() {
                self.pieces.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use OutputKind::{Stderr, Stdout};
    use proptest::prelude::*;

    /// All from an offset on, by pieces of at most `max`.
    fn all(log: &OutputLog, mut from: u64, max: usize) -> Vec<(OutputKind, Vec<u8>)> {
        let mut read = Vec::new();
        from = from.max(log.start());
        while let Some((kind, bytes)) = log.read(from, max) {
            read.push((kind, bytes.to_vec()));
            from += bytes.len() as u64;
        }
        read
    }

    #[test]
    fn outputs_keep_their_order_and_are_told_apart() {
        let mut log = OutputLog::new(100);
        for (kind, text) in [(Stdout, "a"), (Stdout, "b"), (Stderr, "c"), (Stdout, "d")] {
            log.append(kind, text.as_bytes(), None);
        }
        let expected = [
            (Stdout, b"ab".to_vec()),
            (Stderr, b"c".to_vec()),
            (Stdout, b"d".to_vec()),
        ];
        assert_eq!(all(&log, 0, 10), expected);
        assert_eq!(all(&log, 3, 10), expected[2..]);
        assert_eq!(log.read(4, 10), None);
    }

    #[test]
    fn the_oldest_goes_unless_a_follower_still_needs_it() {
        let mut log = OutputLog::new(4);
        log.append(Stdout, b"012345", None);
        assert_eq!((log.start(), log.written()), (2, 6));
        assert_eq!(all(&log, 0, 10), [(Stdout, b"2345".to_vec())]);
        assert_eq!(log.room(Some(5)), 3);
        assert_eq!(log.room(Some(2)), 0);
        log.append(Stdout, b"67", Some(2));
        assert_eq!(log.start(), 2, "a follower is at 2");
        log.keep(4, None);
        assert_eq!(log.start(), 4);
    }

    proptest! {
        #[test]
        fn what_is_kept_is_the_end_of_what_was_written(
            writes in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..40)), 0..30),
            kept in 1u64..100,
            max in 1usize..50,
        ) {
            let mut log = OutputLog::new(kept);
            let mut written = Vec::new();
            for (error, bytes) in writes {
                log.append(if error { Stderr } else { Stdout }, &bytes, None);
                written.extend(bytes);
            }
            let read: Vec<u8> = all(&log, 0, max).into_iter().flat_map(|(_, bytes)| bytes).collect();
            prop_assert_eq!(log.written(), written.len() as u64);
            prop_assert_eq!(read.len() as u64, kept.min(written.len() as u64));
            prop_assert!(written.ends_with(&read));
        }
    }
}
