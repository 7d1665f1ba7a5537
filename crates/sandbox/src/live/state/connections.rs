//! Connections to ports that the guest may speak of, by the streams that come in.

use super::{Content, Decision, misbehaved};
use crate::live::error::Broken;
use protocol::link::StreamId;
use std::collections::BTreeMap;

/// How far one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Course {
    /// Nothing was heard of it.
    Asked,
    /// Something in the guest has it.
    Open,
    /// Nothing took it; its stream's end is to come.
    NotTaken,
    /// Nobody wants it any more; what the guest said before it heard of that means nothing.
    Left,
}

/// Those whose stream is open.
#[derive(Debug, Default)]
pub(crate) struct Connections(BTreeMap<StreamId, Course>);

impl Connections {
    /// One more.
    pub(crate) fn add(&mut self, to_host: StreamId) {
        self.0.insert(to_host, Course::Asked);
    }

    /// One that the guest has already: a program of it opened it.
    pub(crate) fn add_open(&mut self, to_host: StreamId) {
        self.0.insert(to_host, Course::Open);
    }

    /// Nobody wants it any more.
    pub(crate) fn leave(&mut self, to_host: StreamId) {
        if let Some(course) = self.0.get_mut(&to_host) {
            *course = Course::Left;
        }
    }

    /// How many there are; one that was left counts for as long as its stream is open.
    pub(crate) fn count(&mut self, is_open: impl Fn(StreamId) -> bool) -> usize {
        self.0
            .retain(|to_host, course| *course != Course::Left || is_open(*to_host));
        self.0.len()
    }

    /// Judges that one came about.
    pub(super) fn connected(&mut self, to_host: StreamId) -> Result<Decision, Broken> {
        self.answered(to_host, Course::Open, Decision::Connected(to_host))
    }

    /// Judges that one did not.
    pub(super) fn not_connected(
        &mut self,
        to_host: StreamId,
        errno: i32,
    ) -> Result<Decision, Broken> {
        let told = Decision::NotConnected(to_host, errno);
        self.answered(to_host, Course::NotTaken, told)
    }

    fn answered(
        &mut self,
        to_host: StreamId,
        then: Course,
        told: Decision,
    ) -> Result<Decision, Broken> {
        match self.0.get_mut(&to_host) {
            Some(course @ Course::Asked) => {
                *course = then;
                Ok(told)
            }
            Some(Course::Left) => Ok(Decision::Nothing),
            _ => misbehaved("it answered for a connection that nobody asked for"),
        }
    }

    /// Judges bytes; `None`: the stream is none of a connection.
    pub(super) fn data(&self, to_host: StreamId) -> Option<Result<Content, Broken>> {
        Some(match self.0.get(&to_host)? {
            Course::Open | Course::Left => Ok(Content::Bytes),
            Course::Asked | Course::NotTaken => {
                misbehaved("it sent bytes of a connection that is none")
            }
        })
    }

    /// Judges a stream's end; `None`: the stream is none of a connection.
    pub(super) fn end(&mut self, to_host: StreamId) -> Option<Result<Decision, Broken>> {
        Some(match self.0.remove(&to_host)? {
            Course::Open => Ok(Decision::OutputOver(to_host)),
            Course::NotTaken | Course::Left => Ok(Decision::Nothing),
            Course::Asked => misbehaved("it ended a connection before it answered for it"),
        })
    }
}
