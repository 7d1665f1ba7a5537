//! What may be asked of a guest: processes, their input and output. Files: see [`super::file_system`].

use super::error::LiveError;
use super::held::HeldGuest;
use super::launch::{Launch, LaunchSpec};
use super::line::{Command, Input, Line, Reply};
use super::output::Output;
use super::process::{Known, ProcessInfo, ProcessSpec};
use protocol::limits::SandboxRules;
use protocol::supervisor::{
    HostControl, MAX_CONNECTIONS, MAX_FILE_OPERATIONS, MAX_WATCHES, ProcessId, ProcessReport,
    Resume, SignalTarget, Supervise, TerminalSize,
};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// A guest that supervises, as seen by who asks it for something. Cheap to clone. It is answered for as long as its
/// [`super::Service`] is polled.
///
/// Calls that are dropped halfway leave it usable: what the guest was asked for is done all the same.
#[derive(Debug, Clone)]
pub struct Guest {
    pub(super) line: Line,
    /// Places of file operations.
    pub(super) files: Arc<Semaphore>,
    /// Places of watches.
    pub(super) watches: Arc<Semaphore>,
    /// Places of connections to ports.
    pub(super) connections: Arc<Semaphore>,
    rules: SandboxRules,
}

impl Guest {
    pub(super) fn new(line: Line, rules: SandboxRules) -> Guest {
        Guest {
            line,
            files: Arc::new(Semaphore::new(MAX_FILE_OPERATIONS)),
            watches: Arc::new(Semaphore::new(MAX_WATCHES)),
            connections: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            rules,
        }
    }

    /// Makes it a machine of its own.
    pub(crate) async fn resume(&self, resume: Resume) -> Result<(), LiveError> {
        self.tell(HostControl::Resume(Box::new(resume))).await
    }

    /// Sets what all its processes may use together. What is asked next is done after this.
    pub(crate) async fn supervise(&self, bounds: Supervise) -> Result<(), LiveError> {
        self.tell(HostControl::Supervise(Box::new(bounds))).await
    }

    /// Ends the interpreters that wait, but one that is to be adopted.
    pub(crate) async fn dismiss(&self, except: Option<ProcessId>) -> Result<(), LiveError> {
        self.tell(HostControl::Dismiss { except }).await
    }

    /// Waits until all that was asked before is done.
    pub(crate) async fn settled(&self) -> Result<(), LiveError> {
        self.ask(|reply| Command::Settle { reply }).await
    }

    /// Empties the folders that processes write to.
    pub(crate) async fn clear(&self) -> Result<(), LiveError> {
        self.ask(|reply| Command::Clear { reply }).await
    }

    /// Lets go of everything; whatever runs waits for another link from here on.
    pub(crate) async fn quiesce(&self) -> Result<(), LiveError> {
        self.ask(|reply| Command::Quiesce { reply }).await
    }

    /// Gives the processes that stayed in it what they read from.
    pub(crate) async fn attach(&self, held: HeldGuest) -> Result<(), LiveError> {
        let held = Box::new(held);
        self.ask(|reply| Command::Attach { held, reply }).await
    }

    /// Begins a process, with its files and its output; returns once the guest is about to let it run.
    pub(crate) async fn launch(&self, spec: LaunchSpec) -> Result<Launch, LiveError> {
        self.rules.check_user(spec.user())?;
        spec.check()?;
        let spec = Box::new(spec);
        self.ask(|reply| Command::Launch { spec, reply }).await
    }

    /// Starts a process; returns once it runs.
    pub async fn start(&self, spec: ProcessSpec) -> Result<ProcessId, LiveError> {
        let Launch {
            process, started, ..
        } = self.launch(spec.into()).await?;
        started.await.unwrap_or_else(|_| Err(self.line.gone()))?;
        Ok(process)
    }

    /// The same, followed from its first byte on: one question to the guest less than [`Guest::start`] and
    /// [`Guest::follow`], and nothing is written before somebody reads.
    pub async fn start_followed(
        &self,
        spec: ProcessSpec,
    ) -> Result<(ProcessId, Output), LiveError> {
        let spec = LaunchSpec {
            followed: true,
            ..spec.into()
        };
        let launch = self.launch(spec).await?;
        let started = launch.started.await;
        started.unwrap_or_else(|_| Err(self.line.gone()))?;
        let output = launch.output.ok_or_else(|| self.line.gone())?;
        Ok((launch.process, output))
    }

    /// Started and not forgotten, in the order of their ids; also when the VM is gone.
    pub fn processes(&self) -> Vec<ProcessInfo> {
        let known = self.line.known.borrow();
        known.processes.values().cloned().collect()
    }

    /// One of them.
    pub fn process(&self, id: ProcessId) -> Result<ProcessInfo, LiveError> {
        self.line.known.borrow().process(id).cloned()
    }

    /// What a process wrote and writes, from an offset on.
    pub async fn follow(&self, process: ProcessId, from: u64) -> Result<Output, LiveError> {
        self.ask(|reply| Command::Follow {
            process,
            from,
            reply,
        })
        .await
    }

    /// Writes to a process' standard input; waits for the process to take what was written before. Writes of one
    /// process do not mix. A call that is dropped may have written a part.
    pub async fn write(&self, process: ProcessId, bytes: &[u8]) -> Result<(), LiveError> {
        self.put(process, Input::Stdin, bytes.to_vec()).await
    }

    /// The same of a process' orders.
    pub async fn order(&self, process: ProcessId, bytes: Vec<u8>) -> Result<(), LiveError> {
        self.put(process, Input::Orders, bytes).await
    }

    async fn put(&self, process: ProcessId, to: Input, bytes: Vec<u8>) -> Result<(), LiveError> {
        self.ask(|reply| Command::Write {
            process,
            to,
            bytes,
            reply,
        })
        .await
    }

    /// Ends a process' standard input, after what was written.
    pub async fn close_stdin(&self, process: ProcessId) -> Result<(), LiveError> {
        self.ask(|reply| Command::CloseStdin { process, reply })
            .await
    }

    /// Sends a signal; nothing happens to a process that ended.
    pub async fn signal(
        &self,
        process: ProcessId,
        signal: i32,
        to: SignalTarget,
    ) -> Result<(), LiveError> {
        let command = |reply| Command::Signal {
            process,
            signal,
            to,
            reply,
        };
        self.ask(command).await
    }

    /// Gives a process' terminal another size.
    pub async fn resize(&self, process: ProcessId, size: TerminalSize) -> Result<(), LiveError> {
        self.ask(|reply| Command::Resize {
            process,
            size,
            reply,
        })
        .await
    }

    /// Throws away what is known and kept of a process that ended.
    pub async fn forget(&self, process: ProcessId) -> Result<(), LiveError> {
        self.ask(|reply| Command::Forget { process, reply }).await
    }

    /// Waits for a process' end. Cancel-safe.
    pub async fn wait(&self, id: ProcessId) -> Result<ProcessReport, LiveError> {
        let mut known = self.line.known.clone();
        let is_settled = |known: &Known| known.over.is_some() || ended(known, id).is_some();
        // Where the task is gone, what it said last stands.
        let _ = known.wait_for(is_settled).await;
        let known = known.borrow();
        ended(&known, id).unwrap_or_else(|| Err(known.gone()))
    }

    /// The same for who followed the process: also where another client had it forgotten since.
    pub async fn wait_followed(&self, id: ProcessId) -> Result<ProcessReport, LiveError> {
        match self.wait(id).await {
            Err(error @ LiveError::NoProcess { .. }) => {
                let forgotten = self.line.known.borrow().forgotten(id);
                forgotten.ok_or(error)
            }
            result => result,
        }
    }

    /// Resolves when the VM is destroyed, for whatever reason. Cancel-safe.
    pub async fn ended(&self) {
        let mut known = self.line.known.clone();
        let _ = known.wait_for(|known| known.vm_gone).await;
    }

    /// Whether anything can be asked of it.
    pub fn is_alive(&self) -> bool {
        self.line.known.borrow().over.is_none()
    }

    /// Has the guest told something that it does not answer.
    async fn tell(&self, message: HostControl) -> Result<(), LiveError> {
        self.ask(|reply| Command::Tell { message, reply }).await
    }

    pub(super) async fn ask<T>(
        &self,
        command: impl FnOnce(Reply<T>) -> Command,
    ) -> Result<T, LiveError> {
        self.line.ask(command).await
    }
}

/// How a process ended; `None` while it runs.
fn ended(known: &Known, id: ProcessId) -> Option<Result<ProcessReport, LiveError>> {
    match known.process(id) {
        Ok(info) => info.report.clone().map(Ok),
        Err(error) => Some(Err(error)),
    }
}
