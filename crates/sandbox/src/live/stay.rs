//! The VM of a live sandbox, for as long as it stays. One value owns it and gives it back, whatever way it ends.

use super::error::LiveError;
use super::guest::Guest;
use super::held::{HeldGuest, Names};
use super::process::Known;
use super::service::Service;
use crate::admission::SessionPermit;
use crate::destroy::destroy;
use crate::drive::bounds;
use crate::error::{JobError, Step, Why, chain};
use crate::events::{EventBus, Notice};
use crate::lease::{Leased, channel_failed, resume};
use crate::metrics::Metrics;
use crate::outcome::status_of_failure;
use crate::sandbox::Sandbox;
use crate::talk::TalkError;
use protocol::event::EventType;
use protocol::job::{Job, Owner};
use protocol::result::{Isolation, Status};
use protocol::supervisor::{MAX_KEPT_BYTES, Resume};
use protocol::trace_id::TraceId;
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

/// How long the agent may take to become a supervisor: it makes namespaces and a few cgroups.
const READY_DEADLINE: Duration = Duration::from_secs(10);

/// How far the VM is, as it is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// There was no word of it yet.
    Nothing,
    /// It began, and its end is to be told with this status.
    Begun(Status),
}

/// A VM that stays. Dropped, it is destroyed by a task of the sandbox's.
pub(super) struct Stay {
    /// What it is called in what is told of it.
    pub(super) name: &'static str,
    pub(super) leased: Option<Leased>,
    /// Its part of the host's memory: given back when the VM is gone.
    pub(super) memory: Option<SessionPermit>,
    pub(super) trace_id: TraceId,
    pub(super) owner: Option<Arc<Owner>>,
    pub(super) events: EventBus,
    pub(super) metrics: Metrics,
    pub(super) destroying: TaskTracker,
    pub(super) known: watch::Sender<Known>,
    pub(super) told: Told,
    /// What it is called inside, once it is.
    pub(super) names: Names,
}

/// Says that the VM is gone, once it is dropped.
struct Farewell(watch::Sender<Known>);

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0.send_modify(|known| known.vm_gone = true);
    }
}

impl Stay {
    pub(super) fn new(
        name: &'static str,
        sandbox: &Sandbox,
        job: &Job,
        (leased, memory): (Leased, SessionPermit),
    ) -> Stay {
        Stay {
            name,
            leased: Some(leased),
            memory: Some(memory),
            trace_id: job.trace_id.clone(),
            owner: job.owner.clone(),
            events: sandbox.events().clone(),
            metrics: sandbox.metrics().clone(),
            destroying: sandbox.destroying().clone(),
            known: watch::Sender::default(),
            told: Told::Nothing,
            names: Names::default(),
        }
    }

    /// Makes its VM a machine of its own that keeps within the job's bounds.
    pub(super) async fn supervise(
        &mut self,
        job: &Job,
        guest: &Guest,
        service: Service,
    ) -> Result<Service, JobError> {
        let leased = self.leased.as_mut().ok_or(Why::Gone)?;
        leased.waiting = leased.waiting.for_sandbox(job);
        let context = leased.waiting.context;
        let resume = self.resume(None)?;
        let prepared = async {
            guest.resume(resume).await?;
            guest.dismiss(context).await?;
            guest.supervise(bounds(job, MAX_KEPT_BYTES)).await?;
            guest.settled().await
        };
        self.prepare(service, prepared).await
    }

    /// The same with a VM that was saved at work: its processes go on under these names, or new ones.
    pub(super) async fn take_up(
        &mut self,
        job: &Job,
        (guest, service): (&Guest, Service),
        (held, names): (&HeldGuest, Option<Names>),
    ) -> Result<Service, JobError> {
        let resume = self.resume(names)?;
        let held = held.clone();
        let prepared = async {
            guest.resume(resume).await?;
            guest.attach(held).await?;
            guest.supervise(bounds(job, MAX_KEPT_BYTES)).await?;
            guest.settled().await
        };
        self.prepare(service, prepared).await
    }

    /// What makes it a machine of its own, by these names or new ones, which are its own from here on.
    fn resume(&mut self, names: Option<Names>) -> Result<Resume, JobError> {
        let leased = self.leased.as_ref().ok_or(Why::Gone)?;
        let mut resume = resume(leased.vm.id(), SystemTime::now())?;
        if let Some(Names { hostname, boot_id }) = names {
            (resume.hostname, resume.boot_id) = (hostname, boot_id);
        }
        self.names = Names {
            hostname: resume.hostname.clone(),
            boot_id: resume.boot_id.clone(),
        };
        Ok(resume)
    }

    async fn prepare(
        &mut self,
        mut service: Service,
        prepared: impl Future<Output = Result<(), LiveError>>,
    ) -> Result<Service, JobError> {
        let leased = self.leased.as_mut().ok_or(Why::Gone)?;
        let step = Step::Supervise;
        let prepared = service.beside(leased, step, timeout(READY_DEADLINE, prepared));
        let source = match prepared.await? {
            Ok(Ok(())) => return Ok(service),
            Ok(Err(_)) => TalkError::Closed,
            Err(_) => TalkError::Silent,
        };
        Err(channel_failed(step, source, &mut leased.vm).await)
    }

    /// Tells that it began.
    pub(super) fn begun(&mut self, job: &Job, isolation: &Isolation) {
        self.told = Told::Begun(Status::Ok);
        self.metrics.vms_alive.inc();
        self.events.emit(
            Some(&self.trace_id),
            Notice::new(
                EventType::VmStart,
                format!("a {} began", self.name),
                json!({ "language": job.language, "session": true, "isolation": isolation }),
            )
            .of(self.owner.as_deref()),
        );
    }

    /// Destroys the VM, and returns once it is gone and its memory given back.
    pub(super) async fn end(&mut self) {
        if let Some(Leased { vm, .. }) = self.leased.take()
            && let Err(error) = vm.close().await
        {
            tracing::error!(reason = %chain(&error), "a VM was not destroyed cleanly");
        }
        self.memory = None;
        self.known.send_modify(|known| known.vm_gone = true);
    }

    /// Notes that it did not end well, for this reason.
    pub(super) fn failed(&mut self, reason: &str) {
        self.told = Told::Begun(Status::Internal);
        tracing::warn!(trace_id = %self.trace_id, reason, "a {} is over", self.name);
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        if let Some(leased) = self.leased.take() {
            let holds = (self.memory.take(), Farewell(self.known.clone()));
            destroy(&self.destroying, leased, holds);
        }
        let Told::Begun(status) = self.told else {
            return;
        };
        self.metrics.vms_alive.dec();
        let why = self.known.borrow().over.clone().unwrap_or_default();
        self.events.emit(
            Some(&self.trace_id),
            Notice::new(
                EventType::VmStop,
                format!("the {} ended ({why}); its VM is destroyed", self.name),
                json!({ "session": true, "status": status }),
            )
            .of(self.owner.as_deref()),
        );
    }
}

/// A VM that stays with its client, and its part of the host's memory.
pub(super) async fn lease_to_stay(
    sandbox: &Sandbox,
    job: &Job,
) -> Result<(Leased, SessionPermit), JobError> {
    sandbox.check_isolation()?;
    let memory = sandbox.admit_session(job)?;
    Ok((sandbox.supply().lease(job).await?, memory))
}

/// Leaves the reason in the log and among the events of a VM that was to stay and did not come about.
pub(super) fn tell_not_begun(sandbox: &Sandbox, job: &Job, error: &JobError) {
    let failure = error.failure();
    tracing::warn!(trace_id = %job.trace_id, code = %failure.code, reason = %failure.message, "a session did not begin");
    sandbox.events().emit(
        Some(&job.trace_id),
        Notice::new(
            EventType::VmStop,
            failure.message.clone(),
            json!({ "session": true, "status": status_of_failure(failure.code), "failure": failure }),
        )
        .of(job.owner.as_deref()),
    );
}
