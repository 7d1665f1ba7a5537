//! What the host asks for, carried out.

use super::network::{self, Network};
use super::operation::Operation;
use super::pending::Asked;
use super::process::Stage;
use super::{Follower, Supervisor};
use crate::error::AgentError;
use crate::resume;
use nix::errno::Errno;
use protocol::link::{Event, StreamId, parse_control};
use protocol::supervisor::{
    FileAnswer, FileOperation, GuestControl, HostControl, MAX_FILE_OPERATIONS, MAX_WATCHES,
    ProcessId,
};

impl Supervisor {
    /// One thing that came on the link.
    pub fn on(&mut self, event: Event) -> Result<(), AgentError> {
        match event {
            Event::Control(body) => self.control(parse_control(&body)?),
            Event::Data(stream, data) => self.feed(stream, &data),
            Event::End(stream) => self.end(stream),
            Event::Refused(stream) => {
                self.followers.remove(&stream);
                for operation in self.operations.values_mut() {
                    operation.refused(stream);
                }
                self.connections.refused(stream, &mut self.link);
                Ok(())
            }
            // What has room is looked at in every turn.
            Event::Room(_) => Ok(()),
        }
    }

    fn control(&mut self, message: HostControl) -> Result<(), AgentError> {
        match message {
            HostControl::Resume(request) => resume::resume(&request),
            HostControl::Supervise(bounds) => self.supervise(&bounds),
            HostControl::Start(start) => self.begin(Asked::Start(start)),
            HostControl::Adopt(adopt) => self.begin(Asked::Adopt(adopt)),
            HostControl::Dismiss { except } => self.dismiss(except),
            HostControl::Clear => self.clear(),
            HostControl::Quiesce => self.quiesce(),
            HostControl::Hold => self.hold(),
            HostControl::Attach {
                process,
                stdin,
                orders,
            } => {
                self.attach(process, stdin, orders);
                Ok(())
            }
            HostControl::Follow {
                process,
                from,
                stream,
            } => self.follow(process, from, stream),
            HostControl::Signal {
                process,
                signal,
                to,
            } => match self.processes.get(&process) {
                Some(process) => process.signal(signal, to),
                None => Ok(()),
            },
            HostControl::Resize { process, size } => match self.processes.get(&process) {
                Some(process) => process.resize(size),
                None => Ok(()),
            },
            HostControl::Forget { process } => {
                let known = self.processes.get(&process);
                if known.is_some_and(|process| matches!(process.stage, Stage::Ended)) {
                    self.processes.remove(&process);
                    self.share_kept();
                }
                Ok(())
            }
            HostControl::File { request, operation } => self.begin_operation(request, &operation),
            HostControl::Connect {
                port,
                to_guest,
                to_host,
            } => {
                if self.sandbox.is_none() {
                    return Err(AgentError::OutOfTurn("a connection without bounds"));
                }
                self.connections
                    .begin(port, (to_guest, to_host), &mut self.link)
            }
            HostControl::OpenNetwork { ports, trust } => {
                if self.sandbox.is_none() || self.network.is_some() {
                    return Err(AgentError::OutOfTurn(
                        "a network without bounds, or a second",
                    ));
                }
                self.network = Some(Network::open(&ports, &trust.0)?);
                Ok(())
            }
            HostControl::Dialled {
                dial,
                to_guest,
                to_host,
            } => {
                let begun = (dial, (to_guest, to_host));
                network::begin(
                    self.network.as_mut(),
                    &mut self.connections,
                    begun,
                    &mut self.link,
                );
                Ok(())
            }
            HostControl::NotDialled { dial } => {
                if let Some(network) = &mut self.network {
                    network.not_dialled(dial);
                }
                Ok(())
            }
            HostControl::Answer { query, message } => match &mut self.network {
                Some(network) => network.answer(query, &message.0),
                None => Ok(()),
            },
            HostControl::AbortFile { request } => {
                if let Some(mut operation) = self.operations.remove(&request) {
                    operation.close_content(&mut self.link);
                }
                Ok(())
            }
        }
    }

    fn follow(
        &mut self,
        process: ProcessId,
        from: u64,
        stream: StreamId,
    ) -> Result<(), AgentError> {
        self.link.open_outgoing(stream);
        let Some(known) = self.processes.get(&process) else {
            self.link.end(stream);
            return Ok(());
        };
        let at = from.clamp(known.outputs.log.start(), known.outputs.log.written());
        self.add_follower(stream, Follower { process, at })
    }

    /// The same of a stream that is open, from what is written next on.
    pub fn follow_from_now(
        &mut self,
        process: ProcessId,
        stream: StreamId,
    ) -> Result<(), AgentError> {
        let known = self.processes.get(&process);
        let at = known.map_or(0, |known| known.outputs.log.written());
        // Its reader may have gone meanwhile.
        match self.link.is_open(stream) {
            true => self.add_follower(stream, Follower { process, at }),
            false => Ok(()),
        }
    }

    fn add_follower(&mut self, stream: StreamId, follower: Follower) -> Result<(), AgentError> {
        let from = follower.at;
        self.link
            .control(&GuestControl::Following { stream, from })?;
        self.followers.insert(stream, follower);
        Ok(())
    }

    fn begin_operation(
        &mut self,
        request: u32,
        operation: &FileOperation,
    ) -> Result<(), AgentError> {
        let busy = self.operations.len() >= MAX_FILE_OPERATIONS + MAX_WATCHES;
        if busy || self.operations.contains_key(&request) {
            return Err(AgentError::OutOfTurn(
                "more file operations than there may be",
            ));
        }
        if names(operation).any(|path| !path.starts_with('/') || path.contains('\0')) {
            return self.refuse_operation(request, operation, Errno::EINVAL);
        }
        let Some(sandbox) = &self.sandbox else {
            return Err(AgentError::OutOfTurn("a file operation without bounds"));
        };
        match Operation::begin(operation, sandbox, &mut self.link)? {
            Some(begun) => {
                self.operations.insert(request, begun);
                Ok(())
            }
            None => self.refuse_operation(request, operation, Errno::EAGAIN),
        }
    }

    fn refuse_operation(
        &mut self,
        request: u32,
        operation: &FileOperation,
        errno: Errno,
    ) -> Result<(), AgentError> {
        self.close_streams(operation);
        let answer = FileAnswer::Failed {
            errno: errno as i32,
            step: "begin".to_owned(),
        };
        Ok(self
            .link
            .control(&GuestControl::FileDone { request, answer })?)
    }

    /// Opens and ends what an operation that is not begun would have used.
    fn close_streams(&mut self, operation: &FileOperation) {
        match operation {
            FileOperation::Read { stream, .. }
            | FileOperation::Collect { stream, .. }
            | FileOperation::Watch { stream, .. } => {
                self.link.open_outgoing(*stream);
                self.link.end(*stream);
            }
            FileOperation::Write { stream, .. } => {
                self.link.open_incoming(*stream, 1);
                self.link.refuse(*stream);
            }
            _ => {}
        }
    }

    /// The next bytes of a stream.
    pub fn feed(&mut self, stream: StreamId, data: &[u8]) -> Result<(), AgentError> {
        let mut processes = self.processes.iter_mut();
        if let Some(id) = processes.find_map(|(id, it)| it.feed(stream, data).then_some(*id)) {
            self.write_input(id);
            return Ok(());
        }
        let mut operations = self.operations.values_mut();
        if operations.any(|operation| operation.feed(stream, data)) {
            return Ok(());
        }
        if self.connections.feed(stream, data) {
            return Ok(());
        }
        if !self.feed_pending(stream, data)? {
            // Its reader is gone; the refusal is on its way.
            self.link.used(stream, data.len());
        }
        Ok(())
    }

    /// A stream is over.
    pub fn end(&mut self, stream: StreamId) -> Result<(), AgentError> {
        let mut processes = self.processes.iter_mut();
        if let Some(id) = processes.find_map(|(id, it)| it.end_input(stream).then_some(*id)) {
            self.write_input(id);
            return Ok(());
        }
        for operation in self.operations.values_mut() {
            operation.end(stream);
        }
        self.connections.end(stream);
        self.end_pending(stream).map(drop)
    }
}

fn names(operation: &FileOperation) -> impl Iterator<Item = &str> {
    let (one, other) = match operation {
        FileOperation::Move { from, to } => (from, Some(to)),
        FileOperation::Stat { path }
        | FileOperation::List { path, .. }
        | FileOperation::MakeFolder { path }
        | FileOperation::Remove { path }
        | FileOperation::Read { path, .. }
        | FileOperation::Collect { path, .. }
        | FileOperation::Watch { path, .. }
        | FileOperation::Write { path, .. } => (path, None),
    };
    std::iter::once(one).chain(other).map(String::as_str)
}
