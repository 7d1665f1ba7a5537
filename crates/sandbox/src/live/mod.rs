//! A VM that stays and runs many processes at one time, for one client; its files can be read and written meanwhile.
//!
//! ```text
//!   Guest ───────┐ commands        ┌──────── service ───────┐
//!   FileWriter ──┤ (bounded) ────> │ state: what may be said│       channel
//!   Output ──────┤ notes           │ desk:  who waits       │ <══ link, streams ══> guest (PID 1)
//!   FileReader ──┘ (never wait) ─> └──────────┬─────────────┘
//!        ^                                    │
//!        └── answers, inboxes, what is known ─┘
//! ```
//!
//! A job polls the service beside its own steps, on a VM that it has in hand. A [`LiveSandbox`] has a task of its own for
//! it, which owns the VM. Nobody waits for another: output goes into inboxes that the link's
//! credit bounds, input waits for room on its own stream. A guest that breaks the protocol in any way ends the
//! sandbox: everybody hears [`LiveError::Gone`] with one reason, and the VM is destroyed.

mod arrival;
mod connection;
pub mod contexts;
mod desk;
mod error;
mod file_system;
mod files;
mod guest;
mod held;
mod hold;
mod inbox;
mod launch;
mod line;
mod network;
mod outflow;
mod output;
mod process;
mod saving;
mod service;
mod state;
mod stay;
mod task;
mod transfers;
mod watch;

pub use connection::Connection;
pub use error::{LiveError, NoProgram};
pub use files::{FileReader, FileWriter};
pub use guest::Guest;
pub use held::HeldGuest;
pub(crate) use launch::{AdoptSpec, FileContent, Launch, LaunchSpec, Program};
pub use network::{Asked, Network};
pub use output::{Output, OutputPiece};
pub use process::{Listing, Orders, ProcessInfo, ProcessSpec, Stdin};
pub use protocol::supervisor::{
    Entry, EntryKind, Metadata, OutputKind, Overflow, ProcessId, ProcessLimits, ProcessReport,
    ProcessUser, SignalTarget, TerminalSize, WatchEvent,
};
pub use saving::{Renewal, SavedVm};
pub(crate) use service::Service;
pub use watch::Watch;

use crate::error::{JobError, Step};
use crate::lease::Leased;
use crate::sandbox::Sandbox;
use protocol::job::Job;
use protocol::language::Language;
use protocol::limits::SandboxRules;
use protocol::result::Isolation;
use saving::Saving;
use stay::Stay;
use stay::{lease_to_stay, tell_not_begun};
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use task::Task;
use tokio::sync::mpsc;
use tokio::sync::watch::Sender;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// Does something with a guest that has just begun a link, and no longer: for what judges guests without a sandbox, as fuzzing
/// does. An error: why the guest is of no use any more.
#[doc(hidden)]
pub async fn attend<T>(
    leased: &mut Leased,
    work: impl AsyncFnOnce(Guest) -> T,
) -> Result<T, JobError> {
    let (guest, mut service) = Service::open(Sender::default(), SandboxRules::default());
    service.beside(leased, Step::Run, work(guest)).await
}

/// A VM that stays and runs many processes. Cheap to clone; the VM is destroyed by [`LiveSandbox::close`], or when the
/// last clone is dropped, whatever outputs and files are still held then.
///
/// What it can be asked for, its [`Guest`] says.
#[derive(Debug, Clone)]
pub struct LiveSandbox(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    guest: Guest,
    isolation: Isolation,
    /// An interpreter that waits for the first context of this language.
    waiting: Mutex<Option<(Language, ProcessId)>>,
    closing: CancellationToken,
    saving: mpsc::Sender<Saving>,
    _task: AbortOnDropHandle<()>,
}

/// What holds while it lives.
#[derive(Debug)]
struct Terms {
    isolation: Isolation,
    rules: SandboxRules,
}

impl Deref for LiveSandbox {
    type Target = Guest;

    fn deref(&self) -> &Guest {
        &self.0.guest
    }
}

impl LiveSandbox {
    /// Takes a VM of this job's language and size, and has its agent supervise; the job itself is not run. Where none
    /// comes about, the reason is in the log and among the events.
    pub async fn open(sandbox: &Sandbox, job: &Job) -> Result<LiveSandbox, JobError> {
        LiveSandbox::open_as("live sandbox", sandbox, job).await
    }

    /// The same, called so in what is told of it.
    pub(crate) async fn open_as(
        name: &'static str,
        sandbox: &Sandbox,
        job: &Job,
    ) -> Result<LiveSandbox, JobError> {
        let opened = async {
            let leased = lease_to_stay(sandbox, job).await?;
            let stay = Stay::new(name, sandbox, job, leased);
            let terms = Terms {
                isolation: sandbox.isolation(),
                rules: sandbox.policy().sandboxes,
            };
            LiveSandbox::begin(stay, job, terms).await
        };
        let opened = opened.await;
        opened.inspect_err(|error| tell_not_begun(sandbox, job, error))
    }

    async fn begin(mut stay: Stay, job: &Job, terms: Terms) -> Result<LiveSandbox, JobError> {
        let (guest, service) = Service::open(stay.known.clone(), terms.rules);
        let service = stay.supervise(job, &guest, service).await?;
        Ok(LiveSandbox::attended(
            stay,
            job,
            (guest, service, terms.isolation),
        ))
    }

    /// Has a task of its own attend to a guest that keeps within the job's bounds.
    fn attended(
        mut stay: Stay,
        job: &Job,
        (guest, service, isolation): (Guest, Service, Isolation),
    ) -> LiveSandbox {
        stay.begun(job, &isolation);
        let waiting = stay
            .leased
            .as_ref()
            .and_then(|leased| leased.waiting.context);
        // One is enough: after it there is nothing left to save.
        let (saving, to_be_saved) = mpsc::channel(1);
        let closing = CancellationToken::new();
        let task = Task {
            service,
            stay,
            closing: closing.clone(),
            saving: to_be_saved,
        };
        LiveSandbox(Arc::new(Inner {
            guest,
            isolation,
            waiting: Mutex::new(waiting.map(|process| (job.language, process))),
            closing,
            saving,
            _task: AbortOnDropHandle::new(tokio::spawn(task.run())),
        }))
    }

    /// What holds its processes now: once one was root, the wall inside is down for all of them.
    pub fn isolation(&self) -> Isolation {
        Isolation {
            guest: self.line.known.borrow().guest,
            ..self.0.isolation.clone()
        }
    }

    /// The interpreter that waits for a context of this language, once.
    fn take_waiting(&self, language: Language) -> Option<ProcessId> {
        let mut waiting = self
            .0
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let of_it = waiting.take_if(|(of, _)| *of == language);
        of_it.map(|(_, process)| process)
    }

    /// Destroys the VM and waits for it. Everybody who waits hears that it is gone.
    pub async fn close(&self) {
        self.0.closing.cancel();
        self.ended().await;
    }
}

#[cfg(test)]
mod tests;
