//! File operations under way: the child that does each, and its content between link and pipe.

use super::files::perform;
use super::sandbox::Sandbox;
use super::spawn::{reap, spawn_work};
use crate::clone::Forked;
use crate::error::{AgentError, Step};
use crate::pipes;
use nix::errno::Errno;
use protocol::link::{Link, MAX_CONTROL_BYTES, MAX_DATA_BYTES, StreamId, parse_control};
use protocol::supervisor::{FileAnswer, FileOperation};
use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What a file's content may be ahead of the child that writes it, in bytes.
const WRITE_WINDOW_BYTES: u32 = 512 * 1024;
/// Bytes moved between pipe and link at once.
const MOVE_BYTES: usize = MAX_DATA_BYTES;

/// The content's way.
enum Content {
    /// None, or no more of it.
    None,
    /// From the child to the host.
    Out { stream: StreamId, pipe: OwnedFd },
    /// From the host to the child.
    In {
        stream: StreamId,
        pipe: OwnedFd,
        waiting: VecDeque<u8>,
        ended: bool,
    },
}

/// One operation.
pub struct Operation {
    child: Forked,
    report: OwnedFd,
    told: Vec<u8>,
    content: Content,
}

/// What an operation waits for.
pub enum Interest<'a> {
    /// To be read.
    Read(BorrowedFd<'a>),
    /// To be written.
    Write(BorrowedFd<'a>),
}

impl Operation {
    /// Starts the child, and opens the content's stream. `None`: there is no place for one more process.
    pub fn begin(
        operation: &FileOperation,
        sandbox: &Sandbox,
        link: &mut Link,
    ) -> Result<Option<Operation>, AgentError> {
        let (theirs, content) = content_of(operation)?;
        let work = |report, data| perform(operation, data, report);
        let Some((child, report)) = spawn_work(sandbox, theirs, work)? else {
            return Ok(None);
        };
        pipes::set_nonblocking(report.as_fd())?;
        match &content {
            Content::Out { stream, .. } => link.open_outgoing(*stream),
            Content::In { stream, .. } => link.open_incoming(*stream, WRITE_WINDOW_BYTES),
            Content::None => {}
        }
        Ok(Some(Operation {
            child,
            report,
            told: Vec::new(),
            content,
        }))
    }

    /// What there is to wait for.
    pub fn interests(&self, link: &Link) -> Vec<Interest<'_>> {
        let mut interests = vec![Interest::Read(self.report.as_fd())];
        match &self.content {
            Content::Out { stream, pipe } if link.room(*stream) > 0 => {
                interests.push(Interest::Read(pipe.as_fd()));
            }
            Content::In {
                pipe,
                waiting,
                ended,
                ..
            } if *ended || !waiting.is_empty() => {
                interests.push(Interest::Write(pipe.as_fd()));
            }
            _ => {}
        }
        interests
    }

    /// Takes in content of this stream; `false`: it is not this operation's.
    pub fn feed(&mut self, of: StreamId, data: &[u8]) -> bool {
        match &mut self.content {
            Content::In {
                stream, waiting, ..
            } if *stream == of => {
                waiting.extend(data);
                true
            }
            _ => false,
        }
    }

    /// The content of this stream is whole.
    pub fn end(&mut self, of: StreamId) {
        if let Content::In { stream, ended, .. } = &mut self.content
            && *stream == of
        {
            *ended = true;
        }
    }

    /// The host wants no more of this stream.
    pub fn refused(&mut self, of: StreamId) {
        if matches!(&self.content, Content::Out { stream, .. } if *stream == of) {
            self.content = Content::None;
        }
    }

    /// Moves content as far as it goes; what came of the operation, once it is over.
    pub fn turn(&mut self, link: &mut Link) -> Result<Option<FileAnswer>, AgentError> {
        self.move_content(link)?;
        let mut buffer = [0u8; 16 * 1024];
        loop {
            match nix::unistd::read(&self.report, &mut buffer) {
                Ok(0) => break,
                Ok(count) => self.told.extend_from_slice(&buffer[..count]),
                Err(Errno::EAGAIN) => return Ok(None),
                Err(Errno::EINTR) => {}
                Err(source) => return Err(source).step(|| "read a file operation's report"),
            }
            if self.told.len() > MAX_CONTROL_BYTES {
                break;
            }
        }
        // All content of a read is in its pipe by now, and has to go first.
        if matches!(self.content, Content::Out { .. }) {
            return Ok(None);
        }
        self.close_content(link);
        // One that was killed tells nothing: out of memory, by all likelihood.
        Ok(Some(parse_control(&self.told).unwrap_or(
            FileAnswer::Failed {
                errno: libc::ENOMEM,
                step: "be done".to_owned(),
            },
        )))
    }

    /// Its streams mean nothing any more.
    pub fn close_content(&mut self, link: &mut Link) {
        match std::mem::replace(&mut self.content, Content::None) {
            Content::Out { stream, .. } => link.end(stream),
            Content::In { stream, .. } => link.refuse(stream),
            Content::None => {}
        }
    }

    fn move_content(&mut self, link: &mut Link) -> Result<(), AgentError> {
        match &mut self.content {
            Content::None => {}
            Content::Out { stream, pipe } => {
                if !send(*stream, pipe, link)? {
                    link.end(*stream);
                    self.content = Content::None;
                }
            }
            Content::In {
                stream,
                pipe,
                waiting,
                ended,
            } => {
                if !pass_on(*stream, pipe, waiting, link) {
                    link.refuse(*stream);
                    self.content = Content::None;
                } else if *ended && waiting.is_empty() {
                    // Closes the pipe: the child has it all.
                    self.content = Content::None;
                }
            }
        }
        Ok(())
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        // Before its pipe closes, which would be the end of a whole file.
        let _ = nix::sys::signal::kill(self.child.pid, nix::sys::signal::SIGKILL);
        reap(&self.child);
    }
}

fn content_of(operation: &FileOperation) -> Result<(Option<OwnedFd>, Content), AgentError> {
    match operation {
        FileOperation::Read { stream, .. }
        | FileOperation::Collect { stream, .. }
        | FileOperation::Watch { stream, .. } => {
            let (pipe, theirs) = pipes::pipe("a file's content")?;
            pipes::set_nonblocking(pipe.as_fd())?;
            Ok((
                Some(theirs),
                Content::Out {
                    stream: *stream,
                    pipe,
                },
            ))
        }
        FileOperation::Write { stream, .. } => {
            let (theirs, pipe) = pipes::pipe("a file's content")?;
            pipes::set_nonblocking(pipe.as_fd())?;
            let content = Content::In {
                stream: *stream,
                pipe,
                waiting: VecDeque::new(),
                ended: false,
            };
            Ok((Some(theirs), content))
        }
        _ => Ok((None, Content::None)),
    }
}

/// From the pipe to the link; `false` at the content's end.
fn send(stream: StreamId, pipe: &OwnedFd, link: &mut Link) -> Result<bool, AgentError> {
    let mut buffer = [0u8; MOVE_BYTES];
    loop {
        let room = link.room(stream).min(MOVE_BYTES);
        if room == 0 {
            return Ok(true);
        }
        match nix::unistd::read(pipe, &mut buffer[..room]) {
            Ok(0) => return Ok(false),
            Ok(count) => link.push(stream, &buffer[..count])?,
            Err(Errno::EAGAIN) => return Ok(true),
            Err(Errno::EINTR) => {}
            Err(source) => return Err(source).step(|| "read a file's content"),
        }
    }
}

/// From what came to the pipe; `false` when the child takes no more.
fn pass_on(stream: StreamId, pipe: &OwnedFd, waiting: &mut VecDeque<u8>, link: &mut Link) -> bool {
    while !waiting.is_empty() {
        match nix::unistd::write(pipe, waiting.as_slices().0) {
            Ok(count) => {
                waiting.drain(..count);
                link.used(stream, count);
            }
            Err(Errno::EAGAIN) => return true,
            Err(Errno::EINTR) => {}
            Err(_) => return false,
        }
    }
    true
}
