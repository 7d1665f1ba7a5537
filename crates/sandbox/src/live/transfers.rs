//! File operations: asked for on the link, and who waits for each.

use super::desk::{Desk, next_free};
use super::error::LiveError;
use super::files::{FileReader, READ_WINDOW_BYTES, Transfer};
use super::inbox::Inbox;
use super::line::{Content, NewFile, Reply};
use super::state::{Lines, Wanted};
use super::watch::{WATCH_WINDOW_BYTES, Watch};
use protocol::link::StreamId;
use protocol::supervisor::{FileAnswer, FileOperation, HostControl};
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// A file operation under way.
pub(super) struct Request {
    pub(super) waits: Waits,
    /// Given back when it is over, or nobody waits for it: the guest hears of that before anything later.
    pub(super) _place: OwnedSemaphorePermit,
}

/// Who waits for a file operation.
pub(super) enum Waits {
    /// For the answer.
    Answer(Reply<FileAnswer>),
    /// For a file's content, or a watch's lines.
    Content(StreamId, Arc<Inbox>),
    /// For a file's content to be taken.
    Taken(StreamId, Reply<u64>),
}

impl Desk {
    pub(super) fn file(
        &mut self,
        operation: FileOperation,
        place: OwnedSemaphorePermit,
        reply: Reply<FileAnswer>,
    ) {
        let wanted = match operation {
            FileOperation::Stat { .. } => Wanted::Entry,
            FileOperation::List { .. } => Wanted::Entries,
            _ => Wanted::Done,
        };
        let request = self.free_request();
        match self.say(&HostControl::File { request, operation }) {
            Ok(()) => self.requested(request, wanted, (Waits::Answer(reply), place)),
            Err(error) => _ = reply.send(Err(error)),
        }
    }

    pub(super) fn read(
        &mut self,
        path: String,
        content: Content,
        place: OwnedSemaphorePermit,
    ) -> Result<FileReader, LiveError> {
        let stream = self.free_stream();
        let operation = match content {
            Content::File => FileOperation::Read { path, stream },
            Content::Collection(bounds) => FileOperation::Collect {
                path,
                max_bytes: bounds.bytes,
                max_files: u32::try_from(bounds.files).unwrap_or(u32::MAX),
                stream,
            },
        };
        let wanted = (Wanted::Content(stream), READ_WINDOW_BYTES);
        self.incoming(operation, (stream, wanted), place)
    }

    pub(super) fn watch(
        &mut self,
        (path, depth): (String, u32),
        place: OwnedSemaphorePermit,
    ) -> Result<Watch, LiveError> {
        let stream = self.free_stream();
        let operation = FileOperation::Watch {
            path,
            depth,
            stream,
        };
        let wanted = (Wanted::Events(stream, Lines::default()), WATCH_WINDOW_BYTES);
        let reader = self.incoming(operation, (stream, wanted), place)?;
        Ok(Watch::new(reader))
    }

    /// Asks for what comes on a stream, so many bytes ahead of its reader.
    fn incoming(
        &mut self,
        operation: FileOperation,
        (stream, (wanted, window_bytes)): (StreamId, (Wanted, u32)),
        place: OwnedSemaphorePermit,
    ) -> Result<FileReader, LiveError> {
        let request = self.free_request();
        self.say(&HostControl::File { request, operation })?;
        self.link.open_incoming(stream, window_bytes);
        let inbox = Arc::new(Inbox::default());
        self.inboxes.insert(stream, inbox.clone());
        let waits = Waits::Content(stream, inbox.clone());
        self.requested(request, wanted, (waits, place));
        Ok(FileReader::new(self.transfer(request), stream, inbox))
    }

    pub(super) fn write(
        &mut self,
        file: NewFile,
        place: OwnedSemaphorePermit,
        done: Reply<u64>,
    ) -> Result<Transfer, LiveError> {
        let (request, stream) = (self.free_request(), self.free_stream());
        let NewFile { path, metadata } = file;
        let operation = FileOperation::Write {
            path,
            stream,
            metadata,
        };
        self.say(&HostControl::File { request, operation })?;
        self.link.open_outgoing(stream);
        self.outflows.open(stream);
        self.requested(request, Wanted::Taken, (Waits::Taken(stream, done), place));
        Ok(self.transfer(request))
    }

    fn requested(
        &mut self,
        request: u32,
        wanted: Wanted,
        (waits, place): (Waits, OwnedSemaphorePermit),
    ) {
        self.expected.requests.add(request, wanted);
        let entry = Request {
            waits,
            _place: place,
        };
        self.requests.insert(request, entry);
    }

    fn transfer(&self, request: u32) -> Transfer {
        Transfer {
            request,
            notes: self.notes.clone(),
            over: false,
        }
    }

    pub(super) fn abandon(&mut self, request: u32) {
        let Some(entry) = self.requests.remove(&request) else {
            return;
        };
        if self.expected.requests.abandon(request) {
            // Before the stream's end, which would be that of a whole file; control goes before data. It is a small
            // message, so it can be said.
            let _ = self.say(&HostControl::AbortFile { request });
        }
        match entry.waits {
            Waits::Content(stream, _) => {
                self.inboxes.remove(&stream);
                self.link.refuse(stream);
            }
            Waits::Taken(stream, _) => self.outflows.stop(stream, &mut self.link),
            Waits::Answer(_) => {}
        }
    }

    /// The stream that takes a file's content.
    pub(super) fn taken_by(&self, request: u32) -> Option<StreamId> {
        match self.requests.get(&request)?.waits {
            Waits::Taken(stream, _) => Some(stream),
            _ => None,
        }
    }

    fn free_request(&mut self) -> u32 {
        let requests = &self.requests;
        self.last_request = next_free(self.last_request, |request| requests.contains_key(&request));
        self.last_request
    }
}
