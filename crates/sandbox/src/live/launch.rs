//! A process on its way into the guest: what it is to be, the files for it, the streams that it has.

use super::desk::Desk;
use super::error::{LiveError, Misbehaviour, NoProgram};
use super::inbox::Inbox;
use super::line::{Input, Reply};
use super::output::{OUTPUT_WINDOW_BYTES, Output};
use super::process::{Orders, ProcessInfo, ProcessSpec, Stdin};
use super::state::Voice;
use protocol::bytes::Bytes;
use protocol::link::StreamId;
use protocol::result::GuestWall;
use protocol::supervisor::{
    AdoptProcess, HostControl, INPUT_WINDOW_BYTES, MAX_PROCESSES, ProcessId, ProcessLimits,
    ProcessUser, StartFile, StartStep,
};
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::oneshot;

/// A process to begin.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LaunchSpec {
    pub(crate) program: Program,
    /// Put into the work folder first.
    pub(crate) files: Vec<FileContent>,
    /// Bytes taken of each output; what is over is dropped, and said. 0: all of it.
    pub(crate) output_bytes: u64,
    /// Whether its output is wanted from the first byte on.
    pub(crate) followed: bool,
    /// A name of the host's choice, for an interpreter that is to wait.
    pub(crate) name: Option<ProcessId>,
}

/// What is to run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Program {
    /// A new process.
    New(ProcessSpec),
    /// An interpreter that waits.
    Waiting(AdoptSpec),
}

/// What an interpreter that waits is to become.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AdoptSpec {
    pub(crate) process: ProcessId,
    /// The line that it reads.
    pub(crate) order: String,
    /// Whether more orders come.
    pub(crate) orders: Orders,
    /// Absolute paths of which none may be there.
    pub(crate) absent: Vec<String>,
    pub(crate) stdin: Stdin,
    pub(crate) limits: ProcessLimits,
    /// For what is told of it: the language's own.
    pub(crate) argv: Vec<String>,
    pub(crate) cwd: String,
}

/// A file for a process, relative to the work folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileContent {
    pub(crate) path: String,
    pub(crate) data: Bytes,
}

/// A process that the guest is about to let run.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) process: ProcessId,
    /// Where that was asked for.
    pub(crate) output: Option<Output>,
    /// Once it runs, or why it does not.
    pub(crate) started: oneshot::Receiver<Result<(), LiveError>>,
}

/// A process that the guest has not answered for.
pub(super) struct Launching {
    spec: Box<LaunchSpec>,
    /// The stream that its output comes on.
    stream: Option<StreamId>,
    /// Where that goes, until whoever asked has it.
    inbox: Option<Arc<Inbox>>,
    reply: Replies,
}

/// A stream of output, and where it goes.
type Followed = (StreamId, Arc<Inbox>);

/// Who waits for it.
enum Replies {
    /// For the guest to be about to let it run.
    Begun(Reply<Launch>),
    /// For it to run.
    Started(Reply<()>),
}

impl From<ProcessSpec> for LaunchSpec {
    fn from(spec: ProcessSpec) -> LaunchSpec {
        LaunchSpec::from(Program::New(spec))
    }
}

impl From<Program> for LaunchSpec {
    fn from(program: Program) -> LaunchSpec {
        LaunchSpec {
            program,
            files: Vec::new(),
            output_bytes: 0,
            followed: false,
            name: None,
        }
    }
}

impl LaunchSpec {
    /// Whether an interpreter that waits is to become it.
    pub(crate) fn is_waiting(&self) -> bool {
        matches!(self.program, Program::Waiting(_))
    }

    /// As whom it is to run.
    pub(super) fn user(&self) -> ProcessUser {
        match &self.program {
            Program::New(spec) => spec.user,
            Program::Waiting(_) => ProcessUser::Sandbox,
        }
    }

    /// That its program is not to be had.
    fn no_program(&self, why: NoProgram, reason: String) -> LiveError {
        match &self.program {
            Program::New(spec) => LiveError::NoProgram {
                program: spec.argv.first().cloned().unwrap_or_default(),
                why,
            },
            // It runs already.
            Program::Waiting(_) => LiveError::NotStarted(reason),
        }
    }

    /// What it may write on.
    fn voice(&self) -> Voice {
        match &self.program {
            Program::New(spec) => spec.voice(),
            Program::Waiting(_) => Voice::Interpreter,
        }
    }

    pub(super) fn check(&self) -> Result<(), LiveError> {
        match &self.program {
            Program::New(spec) => spec.check(),
            Program::Waiting(_) => Ok(()),
        }
    }
}

impl Program {
    /// What is known of it once it runs.
    fn into_info(self, id: ProcessId, pid: u32) -> ProcessInfo {
        let (argv, cwd, user, terminal) = match self {
            Program::New(spec) => (spec.argv, spec.cwd, spec.user, spec.terminal.is_some()),
            Program::Waiting(spec) => (spec.argv, spec.cwd, ProcessUser::Sandbox, false),
        };
        ProcessInfo {
            id,
            pid,
            argv,
            cwd,
            user,
            terminal,
            started_at: SystemTime::now(),
            report: None,
        }
    }
}

impl Desk {
    pub(super) fn launch(&mut self, spec: Box<LaunchSpec>, reply: Reply<Launch>) {
        match self.begin_launch(&spec) {
            Ok((process, output)) => {
                let (stream, inbox) = output.unzip();
                let launching = Launching {
                    spec,
                    stream,
                    inbox,
                    reply: Replies::Begun(reply),
                };
                self.launching.insert(process, launching);
            }
            Err(error) => _ = reply.send(Err(error)),
        }
    }

    fn begin_launch(
        &mut self,
        spec: &LaunchSpec,
    ) -> Result<(ProcessId, Option<Followed>), LiveError> {
        let process = self.name_for(spec)?;
        let files: Vec<StartFile> = spec
            .files
            .iter()
            .map(|file| StartFile {
                path: file.path.clone(),
                stream: self.free_stream(),
            })
            .collect();
        let output = spec.followed.then(|| self.free_stream());
        let (message, inputs) = self.message(process, spec, (&files, output));
        self.say(&message)?;
        self.expected.start(process, spec.voice());
        if spec.user() == ProcessUser::Root {
            // Before it can do anything.
            self.known
                .send_modify(|known| known.guest = GuestWall::Root);
        }
        for (input, stream) in inputs {
            self.open_input((process, input), stream);
        }
        for (file, content) in files.iter().zip(&spec.files) {
            self.link
                .open_outgoing_granted(file.stream, INPUT_WINDOW_BYTES);
            self.outflows.put(file.stream, content.data.0.clone());
        }
        let output = output.map(|stream| {
            self.link.open_incoming(stream, OUTPUT_WINDOW_BYTES);
            self.expected.follow(stream, process);
            let inbox = Arc::new(Inbox::default());
            self.inboxes.insert(stream, inbox.clone());
            (stream, inbox)
        });
        Ok((process, output))
    }

    /// Never used again: whoever holds an old name must not meet another process.
    fn name_for(&mut self, spec: &LaunchSpec) -> Result<ProcessId, LiveError> {
        let too_many = LiveError::TooManyProcesses { max: MAX_PROCESSES };
        if self.expected.processes() >= MAX_PROCESSES {
            return Err(too_many);
        }
        if let Program::Waiting(adopt) = &spec.program {
            return Ok(adopt.process);
        }
        if let Some(name) = spec.name {
            return Ok(name);
        }
        self.last_process = self.last_process.checked_add(1).ok_or(too_many)?;
        Ok(self.last_process)
    }

    /// What the guest is told, and the streams that go to the process.
    fn message(
        &mut self,
        process: ProcessId,
        spec: &LaunchSpec,
        (files, output): (&[StartFile], Option<StreamId>),
    ) -> (HostControl, Vec<(Input, StreamId)>) {
        match &spec.program {
            Program::New(own) => {
                let stdin = own.has_stdin().then(|| self.free_stream());
                let orders = own.has_orders().then(|| self.free_stream());
                let mut start = own.to_start(process, stdin, orders);
                start.files = files.to_vec();
                start.output = output;
                start.output_bytes = spec.output_bytes;
                (HostControl::Start(Box::new(start)), named(stdin, orders))
            }
            Program::Waiting(adopt) => {
                let stdin = (adopt.stdin == Stdin::Open).then(|| self.free_stream());
                let orders = (adopt.orders == Orders::Open).then(|| self.free_stream());
                let message = HostControl::Adopt(Box::new(AdoptProcess {
                    process,
                    order: adopt.order.clone(),
                    orders,
                    absent: adopt.absent.clone(),
                    stdin,
                    files: files.to_vec(),
                    output: output.unwrap_or_default(),
                    output_bytes: spec.output_bytes,
                    limits: adopt.limits.clone(),
                }));
                (message, named(stdin, orders))
            }
        }
    }

    /// The guest is about to let it run.
    pub(super) fn begun(&mut self, process: ProcessId) {
        let Some(launching) = self.launching.remove(&process) else {
            return;
        };
        let Launching {
            spec,
            stream,
            inbox,
            reply: Replies::Begun(reply),
        } = launching
        else {
            return;
        };
        let (started_reply, started) = oneshot::channel();
        let launch = Launch {
            process,
            output: stream
                .zip(inbox)
                .map(|(stream, inbox)| Output::new(stream, 0, inbox, self.notes.clone())),
            started,
        };
        let launching = Launching {
            spec,
            stream,
            inbox: None,
            reply: Replies::Started(started_reply),
        };
        self.launching.insert(process, launching);
        // Who went away drops its output, and so refuses it.
        let _ = reply.send(Ok(launch));
    }

    pub(super) fn started(&mut self, process: ProcessId, pid: u32) {
        let Some(launching) = self.launching.remove(&process) else {
            return;
        };
        let info = launching.spec.program.into_info(process, pid);
        self.known
            .send_modify(|known| _ = known.processes.insert(process, info));
        if let Replies::Started(reply) = launching.reply {
            let _ = reply.send(Ok(()));
        }
    }

    pub(super) fn not_started(
        &mut self,
        process: ProcessId,
        step: StartStep,
        reason: String,
    ) -> Result<(), Misbehaviour> {
        self.stop_inputs(process);
        let Some(launching) = self.launching.remove(&process) else {
            return Ok(());
        };
        if step == StartStep::Adopt && !launching.spec.is_waiting() {
            return Err(Misbehaviour("it did not adopt what was not to be adopted"));
        }
        // Its end comes yet, whether or not whoever asked has let go of it by then.
        if let Some(stream) = &launching.stream {
            self.inboxes.remove(stream);
            self.expected.refuse(*stream);
        }
        let error = match step {
            StartStep::Files => LiveError::FilesRefused(reason),
            StartStep::Adopt => LiveError::NotAdopted(reason),
            StartStep::Launch => LiveError::NotStarted(reason),
            StartStep::Absent => launching.spec.no_program(NoProgram::Absent, reason),
            StartStep::Forbidden => launching.spec.no_program(NoProgram::Forbidden, reason),
        };
        match launching.reply {
            Replies::Begun(reply) => _ = reply.send(Err(error)),
            Replies::Started(reply) => _ = reply.send(Err(error)),
        }
        Ok(())
    }
}

/// Which stream is which input.
fn named(stdin: Option<StreamId>, orders: Option<StreamId>) -> Vec<(Input, StreamId)> {
    let stdin = stdin.map(|stream| (Input::Stdin, stream));
    let orders = orders.map(|stream| (Input::Orders, stream));
    stdin.into_iter().chain(orders).collect()
}
