//! A VM that stays: programs run in it one after another and find what the one before left.
//!
//! ```text
//!  open ──> idle ──run, put, list, get──> at work ──its answer──> idle
//!             │                             │ dropped halfway, no report, nonsense
//!             └── close / drop ──> gone <───┘
//! ```
//!
//! A session belongs to one client for its whole life; its VM is never given to another.

use crate::admission::SessionPermit;
use crate::conversation::quoted;
use crate::destroy::destroy;
use crate::drive::{JobIo, drive, undriven};
use crate::ending::{Ending, Ledger};
use crate::error::{JobError, Step, Why};
use crate::events::EventBus;
use crate::lease::{Leased, chain, channel_failed, wake, with_console};
use crate::metrics::Metrics;
use crate::outcome::{self, TalkEnd};
use crate::sandbox::Sandbox;
use protocol::event::EventType;
use protocol::job::Job;
use protocol::path::check_relative;
use protocol::result::{Isolation, JobResult, Status, Timings};
use protocol::trace_id::TraceId;
use protocol::wire::{FileEntry, GuestMessage, HostMessage, InputFile, MAX_CHUNK_BYTES};
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

/// How long the guest may take for one file operation: it copies at most a few MiB of memory.
const FILE_DEADLINE: Duration = Duration::from_secs(10);

/// Files that one listing may hold; a guest that names more lies or is of no use.
const MAX_LISTED: usize = 10_000;

/// Why a file did not go in or come out.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The guest refused it: no such file, no room.
    #[error("the work folder refused it: {0}")]
    Refused(String),
    /// It is larger than allowed.
    #[error("the file has more than {max} bytes")]
    TooLarge {
        /// The most that it may have.
        max: usize,
    },
    /// The session is over: its VM no longer answers, or what it says is nonsense.
    #[error("the session is over: {0}")]
    Over(JobError),
}

/// One VM and its client's programs. Dropping it, or losing its VM, waits for nothing: the VM is destroyed
/// by a task of the sandbox's, which [`Sandbox::close`] waits for.
pub struct Session {
    trace_id: TraceId,
    leased: Option<Leased>,
    /// Its VM's part of the host's memory: given back when the VM is gone.
    memory: Option<SessionPermit>,
    /// An exchange began and was not seen to end: nothing that comes now can be trusted.
    at_work: bool,
    isolation: Isolation,
    metrics: Metrics,
    events: EventBus,
    destroying: TaskTracker,
}

impl Session {
    /// Takes a VM of this job's language and size; the job itself is not run. Where none comes about, the
    /// reason is in the log and among the events.
    pub async fn open(sandbox: &Sandbox, job: &Job) -> Result<Session, JobError> {
        let opened = Session::start(sandbox, job).await;
        opened.inspect_err(|error| {
            let failure = error.failure();
            tracing::warn!(trace_id = %job.trace_id, code = %failure.code, reason = %failure.message, "a session did not begin");
            sandbox.events().emit(
                EventType::VmStop,
                Some(&job.trace_id),
                failure.message.clone(),
                json!({ "session": true, "status": Status::Internal, "failure": failure }),
            );
        })
    }

    async fn start(sandbox: &Sandbox, job: &Job) -> Result<Session, JobError> {
        sandbox.check_isolation()?;
        let memory = sandbox.admit_session(job)?;
        let mut leased = sandbox.supply().lease(job).await?;
        let message = wake(leased.vm.id())?;
        let step = Step::WakeSession;
        let woken = match leased.sender.send(&[message]).await {
            Ok(()) => leased.receiver.next(Instant::now() + FILE_DEADLINE).await,
            Err(error) => Err(error),
        };
        match woken {
            Ok(GuestMessage::Awake) => {}
            Ok(_) => return Err(nonsense(&leased, step)),
            Err(error) => return Err(channel_failed(step, error, &mut leased.vm).await),
        }
        let session = Session {
            trace_id: job.trace_id.clone(),
            leased: Some(leased),
            memory: Some(memory),
            at_work: false,
            isolation: sandbox.isolation(),
            metrics: sandbox.metrics().clone(),
            events: sandbox.events().clone(),
            destroying: sandbox.destroying().clone(),
        };
        session.metrics.vms_alive.inc();
        session.events.emit(
            EventType::VmStart,
            Some(&session.trace_id),
            format!("a {} session began", job.language),
            json!({ "language": job.language, "session": true, "isolation": session.isolation }),
        );
        Ok(session)
    }

    /// Whether it can be used on.
    pub fn is_usable(&self) -> bool {
        self.leased.is_some() && !self.at_work
    }

    /// Runs a program to its end. Dropping the future ends the session.
    pub async fn run(&mut self, job: Job, mut io: JobIo) -> JobResult {
        io.session = true;
        let begun = Instant::now();
        let mut timings = Timings::default();
        let isolation = self.isolation.clone();
        let (events, metrics) = (self.events.clone(), self.metrics.clone());
        let ledger = Ledger {
            events: &events,
            metrics: &metrics,
        };
        let mut ending = Ending::of(ledger, &job).in_session(&self.trace_id);
        let (talk, end) = match self.begin() {
            Ok(leased) => {
                timings.path = Some(leased.path);
                ending.has_vm(&job, &isolation);
                drive(&job, leased, &mut io).await
            }
            Err(error) => undriven(&job, error),
        };
        match end {
            TalkEnd::Report(_) | TalkEnd::Refused(_) => self.at_work = false,
            // The VM cannot be trusted to be listening again.
            TalkEnd::HostDeadline { .. } | TalkEnd::Failed(_) => self.lose(),
        }
        timings.total = begun.elapsed().as_secs_f64();
        let result = outcome::result(&job, talk, end, isolation, timings);
        ending.end(&result);
        result
    }

    /// Puts a file into the work folder.
    pub async fn put(&mut self, file: InputFile) -> Result<(), FileError> {
        self.ask(HostMessage::PutFile(file)).await?;
        match self.answer().await? {
            GuestMessage::FileDone { error: None } => self.done(()),
            GuestMessage::FileDone { error: Some(error) } => self.refused(error),
            _ => Err(self.broken()),
        }
    }

    /// The regular files of the work folder.
    pub async fn list(&mut self) -> Result<Vec<FileEntry>, FileError> {
        self.ask(HostMessage::ListFiles).await?;
        match self.answer().await? {
            GuestMessage::Files { files }
                if files.len() <= MAX_LISTED
                    && files.iter().all(|file| check_relative(&file.path).is_ok()) =>
            {
                self.done(files)
            }
            GuestMessage::FileDone { error: Some(error) } => self.refused(error),
            _ => Err(self.broken()),
        }
    }

    /// A file of the work folder, of at most `max` bytes.
    pub async fn get(&mut self, path: &str, max: usize) -> Result<Vec<u8>, FileError> {
        self.ask(HostMessage::GetFile {
            path: path.to_owned(),
        })
        .await?;
        let (mut bytes, mut too_large) = (Vec::new(), false);
        let deadline = Instant::now() + FILE_DEADLINE;
        loop {
            // A guest that never stops sending is not listened to for ever.
            if Instant::now() >= deadline {
                return Err(self.broken());
            }
            match self.answer().await? {
                GuestMessage::Artifact {
                    path: own, data, ..
                } if own == path && data.0.len() <= MAX_CHUNK_BYTES => {
                    too_large |= bytes.len() + data.0.len() > max;
                    if !too_large {
                        bytes.extend(data.0);
                    }
                }
                GuestMessage::FileDone { error: Some(error) } => return self.refused(error),
                GuestMessage::FileDone { error: None } if too_large => {
                    self.at_work = false;
                    return Err(FileError::TooLarge { max });
                }
                GuestMessage::FileDone { error: None } => return self.done(bytes),
                _ => return Err(self.broken()),
            }
        }
    }

    /// Destroys the VM.
    pub async fn close(mut self) {
        if let Some(leased) = self.leased.take()
            && let Err(error) = leased.vm.close().await
        {
            tracing::error!(reason = %chain(&error), "a session's VM was not destroyed cleanly");
        }
    }

    fn begin(&mut self) -> Result<&mut Leased, JobError> {
        if self.at_work {
            self.lose();
        }
        self.at_work = true;
        self.leased.as_mut().ok_or_else(|| Why::Gone.into())
    }

    async fn ask(&mut self, message: HostMessage) -> Result<(), FileError> {
        let leased = self.begin().map_err(FileError::Over)?;
        if let Err(error) = leased.sender.send(&[message]).await {
            return Err(self.lost(error).await);
        }
        Ok(())
    }

    async fn answer(&mut self) -> Result<GuestMessage, FileError> {
        let Some(leased) = self.leased.as_mut() else {
            return Err(self.broken());
        };
        match leased.receiver.next(Instant::now() + FILE_DEADLINE).await {
            Ok(message) => Ok(message),
            Err(error) => Err(self.lost(error).await),
        }
    }

    fn done<T>(&mut self, value: T) -> Result<T, FileError> {
        self.at_work = false;
        Ok(value)
    }

    fn refused<T>(&mut self, error: String) -> Result<T, FileError> {
        self.at_work = false;
        Err(FileError::Refused(quoted(&error)))
    }

    fn broken(&mut self) -> FileError {
        let no = match &self.leased {
            Some(leased) => nonsense(leased, Step::File),
            None => Why::Gone.into(),
        };
        self.lose();
        FileError::Over(no)
    }

    async fn lost(&mut self, error: crate::talk::TalkError) -> FileError {
        let Some(leased) = &mut self.leased else {
            return self.broken();
        };
        let no = channel_failed(Step::File, error, &mut leased.vm).await;
        self.lose();
        FileError::Over(no)
    }

    /// Lets the VM go.
    fn lose(&mut self) {
        if let Some(leased) = self.leased.take() {
            destroy(&self.destroying, leased, self.memory.take());
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.lose();
        self.metrics.vms_alive.dec();
        self.events.emit(
            EventType::VmStop,
            Some(&self.trace_id),
            "the session ended; its VM is destroyed",
            json!({ "session": true, "status": "ok" }),
        );
    }
}

fn nonsense(leased: &Leased, step: Step) -> JobError {
    with_console(Why::OutOfPlace(step), leased.vm.as_ref())
}

#[cfg(test)]
mod tests;
