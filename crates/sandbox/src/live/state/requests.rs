//! File operations that the guest may answer.

use super::lines::Lines;
use super::{Decision, misbehaved};
use crate::live::error::Broken;
use protocol::link::StreamId;
use protocol::supervisor::{FileAnswer, MAX_ENTRIES};
use std::collections::BTreeMap;

/// What answers a file operation.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// That it is done.
    Done,
    /// One entry.
    Entry,
    /// A folder's entries.
    Entries,
    /// A file's content, on this stream.
    Content(StreamId),
    /// What a watch tells, on this stream.
    Events(StreamId, Lines),
    /// That a file's content was taken.
    Taken,
}

impl Wanted {
    /// What it comes on.
    fn stream(&self) -> Option<StreamId> {
        match self {
            Wanted::Content(stream) | Wanted::Events(stream, _) => Some(*stream),
            Wanted::Done | Wanted::Entry | Wanted::Entries | Wanted::Taken => None,
        }
    }
}

/// Those that are not over.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    requests: BTreeMap<u32, Request>,
    /// Which request a stream brings the content for.
    reads: BTreeMap<StreamId, u32>,
    /// The latest one that nobody waits for any more: an answer up to here may have been on its way then.
    abandoned: Option<u32>,
}

#[derive(Debug)]
struct Request {
    wanted: Wanted,
    /// Of a read: what came. Of a write: what was sent, once all is.
    bytes: Option<u64>,
    /// Of a read: its stream ended.
    ended: bool,
    /// Of a read whose stream has not ended.
    answer: Option<FileAnswer>,
}

impl Requests {
    /// One more.
    pub(crate) fn add(&mut self, id: u32, wanted: Wanted) {
        if let Some(stream) = wanted.stream() {
            self.reads.insert(stream, id);
        }
        let request = Request {
            wanted,
            bytes: None,
            ended: false,
            answer: None,
        };
        self.requests.insert(id, request);
    }

    /// All of a file's content was sent, so many bytes.
    pub(crate) fn sent(&mut self, id: u32, bytes: u64) {
        if let Some(request) = self.requests.get_mut(&id) {
            request.bytes = Some(bytes);
        }
    }

    /// Nobody waits for it any more. Whether the guest has to be told.
    pub(crate) fn abandon(&mut self, id: u32) -> bool {
        let Some(request) = self.requests.remove(&id) else {
            return false;
        };
        if let Some(stream) = request.wanted.stream() {
            self.reads.remove(&stream);
        }
        self.abandoned = self.abandoned.max(Some(id));
        request.answer.is_none()
    }

    /// Judges a frame of a file's content, or of a watch's lines.
    pub(super) fn data(&mut self, stream: StreamId, data: &[u8]) -> Result<(), Broken> {
        let request = self.reads.get(&stream);
        match request.and_then(|request| self.requests.get_mut(request)) {
            Some(request) => {
                *request.bytes.get_or_insert(0) += data.len() as u64;
                match &mut request.wanted {
                    Wanted::Events(_, lines) => lines.judge(data),
                    _ => Ok(()),
                }
            }
            None => misbehaved("it sent data that nobody asked for"),
        }
    }

    /// Judges the end of a file's content.
    pub(super) fn end(&mut self, stream: StreamId) -> Result<Decision, Broken> {
        let Some(id) = self.reads.remove(&stream) else {
            return misbehaved("it ended a stream that nobody asked for");
        };
        if let Some(request) = self.requests.get_mut(&id) {
            request.ended = true;
        }
        self.read_over(id)
    }

    /// Judges an answer.
    pub(super) fn answered(&mut self, id: u32, answer: FileAnswer) -> Result<Decision, Broken> {
        let Some(request) = self.requests.get_mut(&id) else {
            return match self.abandoned >= Some(id) {
                true => Ok(Decision::Nothing),
                false => misbehaved("it answered a file operation that nobody asked for"),
            };
        };
        if !request.is_answered_by(&answer) {
            return misbehaved("its answer does not fit the file operation");
        }
        if request.wanted.stream().is_none() {
            self.requests.remove(&id);
            return Ok(Decision::Answered(id, answer));
        }
        match request.answer.replace(answer) {
            None => self.read_over(id),
            Some(_) => misbehaved("it answered a file operation twice"),
        }
    }

    /// A read's answer overtakes its content: only both together end it.
    fn read_over(&mut self, id: u32) -> Result<Decision, Broken> {
        let is_over = |request: &Request| request.ended && request.answer.is_some();
        if !self.requests.get(&id).is_some_and(is_over) {
            return Ok(Decision::Nothing);
        }
        let request = self.requests.remove(&id);
        match request.and_then(|request| Some((request.bytes.unwrap_or(0), request.answer?))) {
            None => Ok(Decision::Nothing),
            Some((bytes, FileAnswer::Done { bytes: told })) if told != bytes => {
                misbehaved("it sent another number of a file's bytes than it said")
            }
            Some((_, answer)) => Ok(Decision::Answered(id, answer)),
        }
    }
}

impl Request {
    fn is_answered_by(&self, answer: &FileAnswer) -> bool {
        match (&self.wanted, answer) {
            (_, FileAnswer::Failed { .. }) => true,
            (Wanted::Done | Wanted::Content(_) | Wanted::Events(..), FileAnswer::Done { .. }) => {
                true
            }
            (Wanted::Taken, FileAnswer::Done { bytes }) => self.bytes == Some(*bytes),
            (Wanted::Entry, FileAnswer::Entry { .. }) => true,
            (Wanted::Entries, FileAnswer::Entries { entries, .. }) => entries.len() <= MAX_ENTRIES,
            _ => false,
        }
    }
}
