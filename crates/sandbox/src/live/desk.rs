//! Who waits for what: the other half of [`super::state`]. Takes what handles ask for to the link.

use super::error::LiveError;
use super::inbox::Inbox;
use super::launch::Launching;
use super::line::{Command, Input, Note, Reply};
use super::network::Outside;
use super::outflow::Outflows;
use super::output::{OUTPUT_WINDOW_BYTES, Output};
use super::process::Known;
use super::state::{Expected, Stage};
use super::transfers::{Request, Waits};
use protocol::link::{Link, MAX_CONTROL_BYTES, StreamId};
use protocol::supervisor::{HostControl, MAX_FOLLOWERS, ProcessId};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};

/// Everything that is under way in one sandbox. Dropped, nobody is left waiting.
pub(super) struct Desk {
    pub(super) link: Link,
    pub(super) expected: Expected,
    pub(super) known: watch::Sender<Known>,
    pub(super) notes: mpsc::UnboundedSender<Note>,
    pub(super) outflows: Outflows,
    /// Of processes that the guest has not answered for.
    pub(super) launching: BTreeMap<ProcessId, Launching>,
    pub(super) inputs: BTreeMap<(ProcessId, Input), StreamId>,
    /// Who waits for the guest to be done with what it was told.
    pub(super) settling: Settling,
    /// Of streams of output that have not begun.
    pub(super) following: BTreeMap<StreamId, Reply<Output>>,
    /// Of streams that come in.
    pub(super) inboxes: BTreeMap<StreamId, Arc<Inbox>>,
    pub(super) requests: BTreeMap<u32, Request>,
    /// Of connections that the guest has not answered for.
    pub(super) connecting: BTreeMap<StreamId, oneshot::Sender<Result<(), LiveError>>>,
    /// Who hears of what programs connect to; `None`: they may not.
    pub(super) outside: Option<Outside>,
    pub(super) last_process: ProcessId,
    last_stream: StreamId,
    pub(super) last_request: u32,
}

/// Who waits for answers that have no name.
#[derive(Debug, Default)]
pub(super) struct Settling {
    pub(super) ready: Vec<Reply<()>>,
    pub(super) clear: Option<Reply<()>>,
    pub(super) quiet: Option<Reply<()>>,
}

impl Desk {
    pub(super) fn new(
        link: Link,
        known: watch::Sender<Known>,
        notes: mpsc::UnboundedSender<Note>,
    ) -> Desk {
        Desk {
            link,
            expected: Expected::default(),
            known,
            notes,
            outflows: Outflows::default(),
            launching: BTreeMap::new(),
            inputs: BTreeMap::new(),
            settling: Settling::default(),
            following: BTreeMap::new(),
            inboxes: BTreeMap::new(),
            requests: BTreeMap::new(),
            connecting: BTreeMap::new(),
            outside: None,
            last_process: 0,
            last_stream: 0,
            last_request: 0,
        }
    }

    /// Does what a handle asks for, or begins it.
    pub(super) fn on_command(&mut self, command: Command) {
        // Whoever went away meanwhile is answered all the same.
        match command {
            Command::Launch { spec, reply } => self.launch(spec, reply),
            Command::Tell { message, reply } => {
                self.expected.told(&message);
                let _ = reply.send(self.say(&message));
            }
            Command::Settle { reply } => self.settle(reply),
            Command::Clear { reply } => {
                self.tell(&HostControl::Clear, |settling| settling.clear = Some(reply));
            }
            Command::Quiesce { reply } => {
                self.tell(&HostControl::Quiesce, |settling| {
                    settling.quiet = Some(reply)
                });
            }
            Command::Hold { reply } => {
                // One that waits for a context's first cell: who goes on starts another. A small message: it can be said.
                let _ = self.say(&HostControl::Dismiss { except: None });
                self.tell(&HostControl::Hold, |settling| settling.quiet = Some(reply));
            }
            Command::Attach { held, reply } => _ = reply.send(self.attach(&held)),
            Command::Follow {
                process,
                from,
                reply,
            } => self.follow(process, from, reply),
            Command::Write {
                process,
                to,
                bytes,
                reply,
            } => match self.input_of(process, to) {
                Ok(stream) => self.outflows.add(stream, bytes, reply),
                Err(error) => _ = reply.send(Err(error)),
            },
            Command::CloseStdin { process, reply } => {
                let _ = reply.send(self.close_stdin(process));
            }
            Command::Signal {
                process,
                signal,
                to,
                reply,
            } => {
                let message = HostControl::Signal {
                    process,
                    signal,
                    to,
                };
                let _ = reply.send(self.phase(process).and_then(|_| self.say(&message)));
            }
            Command::Resize {
                process,
                size,
                reply,
            } => {
                let message = HostControl::Resize { process, size };
                let _ = reply.send(self.has_terminal(process).and_then(|()| self.say(&message)));
            }
            Command::Forget { process, reply } => _ = reply.send(self.forget(process)),
            Command::File {
                operation,
                place,
                reply,
            } => self.file(operation, place, reply),
            Command::Read {
                path,
                content,
                place,
                reply,
            } => _ = reply.send(self.read(path, content, place)),
            Command::Watch {
                path,
                depth,
                place,
                reply,
            } => _ = reply.send(self.watch((path, depth), place)),
            Command::WriteFile {
                file,
                place,
                done,
                reply,
            } => {
                let _ = reply.send(self.write(file, place, done));
            }
            Command::Connect { port, place, reply } => {
                let _ = reply.send(self.connect(port, place));
            }
            Command::OpenNetwork {
                ports,
                trust,
                outside,
                reply,
            } => _ = reply.send(self.open_network((ports, trust), outside)),
            Command::Send {
                stream,
                bytes,
                reply,
            } => self.outflows.add(stream, bytes, reply),
            Command::FinishSending { stream } => _ = self.outflows.end(stream),
            Command::WriteContent {
                request,
                bytes,
                reply,
            } => match self.taken_by(request) {
                Some(stream) => self.outflows.add(stream, bytes, reply),
                None => _ = reply.send(Err(LiveError::StdinClosed)),
            },
            Command::FinishContent { request } => {
                if let Some(stream) = self.taken_by(request) {
                    self.outflows.end(stream);
                }
            }
        }
    }

    /// Hears what became of what was received.
    pub(super) fn on_note(&mut self, note: Note) {
        match note {
            Note::Used(stream, bytes) => self.link.used(stream, bytes),
            Note::Unfollow(stream) => {
                self.inboxes.remove(&stream);
                self.link.refuse(stream);
                self.expected.refuse(stream);
            }
            Note::Abandon(request) => self.abandon(request),
            Note::Disconnect(streams) => self.disconnect(streams),
        }
    }

    /// Puts on the link what waited and has room now.
    pub(super) fn pump(&mut self) {
        for (stream, bytes) in self.outflows.pump(&mut self.link) {
            let is_its =
                |request: &Request| matches!(request.waits, Waits::Taken(own, _) if own == stream);
            let request = self.requests.iter().find(|(_, request)| is_its(request));
            if let Some((request, _)) = request {
                self.expected.requests.sent(*request, bytes);
            }
        }
    }

    /// Ends what a process reads, whatever still waits for it.
    pub(super) fn stop_inputs(&mut self, process: ProcessId) {
        for input in [Input::Stdin, Input::Orders] {
            if let Some(stream) = self.inputs.remove(&(process, input)) {
                self.outflows.stop(stream, &mut self.link);
            }
        }
    }

    /// Tells the guest something that it answers without a name.
    fn tell(&mut self, message: &HostControl, waits: impl FnOnce(&mut Settling)) {
        self.expected.told(message);
        // A small message: it can be said. Where it could not, who waits hears that nobody answers.
        if self.say(message).is_ok() {
            waits(&mut self.settling);
        }
    }

    fn settle(&mut self, reply: Reply<()>) {
        match self.expected.is_settled() {
            true => _ = reply.send(Ok(())),
            false => self.settling.ready.push(reply),
        }
    }

    fn follow(&mut self, process: ProcessId, from: u64, reply: Reply<Output>) {
        match self.begin_follow(process, from) {
            Ok(stream) => _ = self.following.insert(stream, reply),
            Err(error) => _ = reply.send(Err(error)),
        }
    }

    fn begin_follow(&mut self, process: ProcessId, from: u64) -> Result<StreamId, LiveError> {
        self.phase(process)?;
        let link = &self.link;
        if self.expected.outputs(|stream| link.is_open(stream)) >= MAX_FOLLOWERS {
            let (what, max) = ("readers of outputs at one time", MAX_FOLLOWERS);
            return Err(LiveError::TooMany { what, max });
        }
        let stream = self.free_stream();
        self.say(&HostControl::Follow {
            process,
            from,
            stream,
        })?;
        // After the message: the credit that follows it is for a stream that the guest knows.
        self.link.open_incoming(stream, OUTPUT_WINDOW_BYTES);
        self.expected.follow(stream, process);
        Ok(stream)
    }

    fn close_stdin(&mut self, process: ProcessId) -> Result<(), LiveError> {
        let stream = self.input_of(process, Input::Stdin)?;
        match self.outflows.end(stream) {
            true => Ok(()),
            false => Err(LiveError::StdinClosed),
        }
    }

    fn input_of(&self, process: ProcessId, input: Input) -> Result<StreamId, LiveError> {
        self.phase(process)?;
        let stream = self.inputs.get(&(process, input)).copied();
        stream.ok_or(LiveError::StdinClosed)
    }

    fn forget(&mut self, process: ProcessId) -> Result<(), LiveError> {
        if self.phase(process)? != Stage::Ended {
            return Err(LiveError::StillRunning);
        }
        self.say(&HostControl::Forget { process })?;
        self.expected.forget(process);
        self.known.send_modify(|known| known.forget(process));
        Ok(())
    }

    fn has_terminal(&self, process: ProcessId) -> Result<(), LiveError> {
        match self.known.borrow().process(process)?.terminal {
            true => Ok(()),
            false => Err(LiveError::NoTerminal),
        }
    }

    /// Of a process that the caller may know of.
    fn phase(&self, process: ProcessId) -> Result<Stage, LiveError> {
        let phase = self.expected.phase(process);
        let phase = phase.filter(|phase| *phase != Stage::Asked);
        phase.ok_or(LiveError::NoProcess { id: process })
    }

    pub(super) fn say(&mut self, message: &HostControl) -> Result<(), LiveError> {
        // The one thing that can be wrong with it.
        let (what, max) = ("bytes of one message to the guest", MAX_CONTROL_BYTES);
        let said = self.link.control(message);
        said.map_err(|_| LiveError::TooMany { what, max })
    }

    pub(super) fn free_stream(&mut self) -> StreamId {
        let link = &self.link;
        self.last_stream = next_free(self.last_stream, |stream| {
            stream == 0 || link.is_open(stream)
        });
        self.last_stream
    }
}

/// The next number that is not taken; there is one, for far fewer are taken than there are.
pub(super) fn next_free(last: u32, is_taken: impl Fn(u32) -> bool) -> u32 {
    let mut next = last.wrapping_add(1);
    while is_taken(next) {
        next = next.wrapping_add(1);
    }
    next
}
