//! What a process writes, as one follower gets it.

use super::error::LiveError;
use super::inbox::Inbox;
use super::line::Note;
use protocol::link::{MAX_DATA_BYTES, StreamId};
use protocol::supervisor::{OutputKind, record};
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedSender;

/// Bytes that a process' output may be ahead of a follower (64 KiB).
pub(super) const OUTPUT_WINDOW_BYTES: u32 = 64 * 1024;

/// A record's length, which stands before it in the inbox, in bytes.
const LENGTH_BYTES: usize = 2;
const _: () = assert!(MAX_DATA_BYTES <= u16::MAX as usize);

/// What a process writes, from an offset on. Dropped: the stream is refused, the process goes on.
#[derive(Debug)]
pub struct Output {
    from: u64,
    /// Of the next byte.
    offset: u64,
    inbox: Arc<Inbox>,
    /// Records taken out of the inbox, from `at` on not handed out.
    records: Vec<u8>,
    at: usize,
    stream: StreamId,
    notes: UnboundedSender<Note>,
}

/// Bytes of one output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputPiece {
    /// Of its first byte, among all that the process wrote.
    pub offset: u64,
    /// Which output.
    pub kind: OutputKind,
    /// Not empty, at most one frame of the link.
    pub data: Vec<u8>,
}

/// Puts a record into an inbox.
pub(super) fn deliver(inbox: &Inbox, record: &[u8]) {
    // At most `MAX_DATA_BYTES`, so the cast keeps its value.
    let length = (record.len() as u16).to_be_bytes();
    inbox.push([&length, record]);
}

impl Output {
    pub(super) fn new(
        stream: StreamId,
        from: u64,
        inbox: Arc<Inbox>,
        notes: UnboundedSender<Note>,
    ) -> Output {
        Output {
            from,
            offset: from,
            inbox,
            records: Vec::new(),
            at: 0,
            stream,
            notes,
        }
    }

    /// The offset of the first byte: later than asked for where that is no longer kept, earlier where not so much was
    /// written.
    pub fn from(&self) -> u64 {
        self.from
    }

    /// Where the byte that [`Output::next`] hands out next is among all that the process wrote: also of an interpreter that
    /// had written when it was adopted, whose pieces count from its adoption on.
    pub fn offset(&self) -> u64 {
        self.offset.saturating_add(self.inbox.base())
    }

    /// The next bytes; `None`: the process ended, or was forgotten, and all was told. Cancel-safe. An error: the VM
    /// is gone.
    pub async fn next(&mut self) -> Result<Option<OutputPiece>, LiveError> {
        loop {
            if let Some(piece) = self.next_record() {
                return Ok(Some(piece));
            }
            let Some(records) = self.inbox.take().await? else {
                return Ok(None);
            };
            (self.records, self.at) = (records, 0);
        }
    }

    /// Hands out the next record and gives its bytes back as credit.
    fn next_record(&mut self) -> Option<OutputPiece> {
        let length = *self.records.get(self.at..)?.first_chunk::<LENGTH_BYTES>()?;
        let begin = self.at + LENGTH_BYTES;
        let end = begin + usize::from(u16::from_be_bytes(length));
        let (kind, written) = record(self.records.get(begin..end)?)?;
        let piece = OutputPiece {
            offset: self.offset,
            kind,
            data: written.to_vec(),
        };
        self.at = end;
        self.offset = self.offset.saturating_add(piece.data.len() as u64);
        let _ = self.notes.send(Note::Used(self.stream, end - begin));
        Some(piece)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        let _ = self.notes.send(Note::Unfollow(self.stream));
    }
}
