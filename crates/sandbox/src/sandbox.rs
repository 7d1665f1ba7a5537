//! The way of a job, in order: admit → lease → drive → result → destroy. One place where a job ends,
//! whatever way it ended.

mod memory;

use crate::admission::{Gate, NotAdmitted, Permit};
use crate::config::{Config, ConfigError, IsolationMinimum};
use crate::conversation::Conversation;
use crate::drive::{JobIo, drive, never_began};
use crate::events::EventBus;
use crate::lease::{Leased, not_started};
use crate::metrics::Metrics;
use crate::normalize;
use crate::outcome::{self, NoReport, TalkEnd};
use crate::supply::Supply;
use protocol::error_code::ErrorCode;
use protocol::event::EventType;
use protocol::job::{Job, JobRequest};
use protocol::result::{BootPath, Failure, Isolation, JobResult, Status, Timings};
use protocol::trace_id::TraceId;
use protocol::validate::{Policy, Rejection};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use vmm::{Accelerator, Engine, EngineIdentity};

const CLOSING: &str = "the sandbox is closing";

/// Runs jobs, each in a VM of its own.
pub struct Sandbox {
    policy: Policy,
    minimum: IsolationMinimum,
    gate: Arc<Gate>,
    /// MiB that a VMM may hold besides its guest's memory.
    memory_overhead_mib: u32,
    supply: Arc<Supply>,
    events: EventBus,
    metrics: Metrics,
    // VMs on their way out; `close` waits for them.
    destroying: TaskTracker,
}

impl Sandbox {
    /// A sandbox on this engine; VMs come from `supply`.
    pub fn new(
        config: &Config,
        supply: Arc<Supply>,
        events: EventBus,
        metrics: Metrics,
    ) -> Result<Sandbox, ConfigError> {
        Ok(Sandbox {
            policy: config.policy()?,
            minimum: config.isolation.minimum,
            gate: Arc::new(Gate::new(config.admission_bounds())),
            memory_overhead_mib: config.vmm.memory_overhead_mib,
            supply,
            events,
            metrics,
            destroying: TaskTracker::new(),
        })
    }

    /// What holds the jobs.
    pub fn identity(&self) -> &EngineIdentity {
        self.supply.engine().identity()
    }

    /// The engine, for what measures it.
    pub fn engine(&self) -> &Arc<dyn Engine> {
        self.supply.engine()
    }

    /// Where VMs come from.
    pub fn supply(&self) -> &Arc<Supply> {
        &self.supply
    }

    /// What is counted.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Where events go.
    pub fn events(&self) -> &EventBus {
        &self.events
    }

    /// The defaults and maxima in force.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Jobs that run, and that wait, now.
    pub fn load(&self) -> (usize, usize) {
        (self.gate.running(), self.gate.waiting())
    }

    /// Checks a request; a refusal leaves its event here, so every front door says it alike.
    pub fn admit(&self, request: JobRequest) -> Result<Job, Rejection> {
        let checked = self.policy.validate(request);
        let job = checked
            .and_then(|job| self.check_vcpus(job))
            .and_then(|job| self.check_memory(job))
            .inspect_err(|rejection| self.note_rejection(rejection))?;
        for name in &job.patterns_found {
            self.metrics.pattern();
            self.events.emit(
                EventType::DangerousPattern,
                Some(&job.trace_id),
                format!("the code contains {name}; it runs all the same"),
                json!({ "pattern": name, "action": "warn" }),
            );
        }
        Ok(job)
    }

    /// Refuses more CPUs than a VM of this engine can have.
    fn check_vcpus(&self, job: Job) -> Result<Job, Rejection> {
        let most = self.engine().max_vcpus().unwrap_or(u32::MAX);
        if job.limits.vcpus <= most {
            return Ok(job);
        }
        let kind = self.identity().kind;
        Err(Rejection {
            code: ErrorCode::VcpusInvalid,
            field: "vcpus",
            message: format!(
                "a VM of the engine {kind} has {most} CPU at most; the engines qemu and firecracker give more"
            ),
            trace_id: Some(job.trace_id),
        })
    }

    /// Leaves the event of a refusal that a front door made itself (a body that is no job).
    pub fn note_rejection(&self, rejection: &Rejection) {
        self.metrics.refused();
        if rejection.code == ErrorCode::PatternBlocked {
            self.metrics.pattern();
            self.events.emit(
                EventType::DangerousPattern,
                rejection.trace_id.as_ref(),
                rejection.message.clone(),
                json!({ "action": "block" }),
            );
        }
        self.events.emit(
            EventType::ValidationFail,
            rejection.trace_id.as_ref(),
            rejection.to_string(),
            json!({ "code": rejection.code, "field": rejection.field }),
        );
    }

    /// Runs a checked job to its end. Dropping the future destroys the VM and leaves its event.
    pub async fn run(&self, job: Job, io: JobIo) -> JobResult {
        match job.normalize_time {
            None => self.run_plainly(job, io).await,
            Some(bucket) => normalize::run(bucket, io, |io| self.run_plainly(job, io)).await,
        }
    }

    async fn run_plainly(&self, job: Job, io: JobIo) -> JobResult {
        let begun = Instant::now();
        self.metrics.queue_depth.set(self.gate.waiting() as i64);
        let permit = match self.gate.admit(self.memory_of(&job)).await {
            Ok(permit) => permit,
            Err(refusal) => return self.not_admitted(&job, refusal),
        };
        if let Err(no) = self.check_isolation() {
            return self.refuse(&job.trace_id, no);
        }
        let mut timings = Timings {
            queue: begun.elapsed().as_secs_f64(),
            ..Timings::default()
        };
        let ending = Ending::begin(self, &job);
        let mut notes = Vec::new();
        let talk_and_end = self
            .lease_and_drive(&job, io, permit, &mut timings, &mut notes)
            .await;
        let (talk, end) = talk_and_end.unwrap_or_else(|no_report| {
            let talk = Conversation::new(job.trace_id.clone(), false, job.limits.clone());
            (talk, TalkEnd::NoReport(no_report))
        });
        timings.total = begun.elapsed().as_secs_f64();
        let mut result = outcome::result(&job, talk, end, self.isolation(), timings);
        result.notes.append(&mut notes);
        ending.end(&result);
        result
    }

    /// The job on its VM; on one more, booted, when a clone never began it.
    async fn lease_and_drive(
        &self,
        job: &Job,
        mut io: JobIo,
        permit: Permit,
        timings: &mut Timings,
        notes: &mut Vec<String>,
    ) -> Result<(Conversation, TalkEnd), NoReport> {
        let leasing = Instant::now();
        let leased = self.supply.lease(job).await;
        timings.boot = leasing.elapsed().as_secs_f64();
        let mut leased = leased?;
        timings.path = Some(leased.path);
        let (talk, end) = drive(job, &mut leased, &mut io).await;
        if leased.path == BootPath::Boot || !never_began(&talk, &end) {
            self.destroy(leased, permit);
            return Ok((talk, end));
        }
        tracing::warn!(trace_id = %job.trace_id, "a clone did not begin its job; booting instead");
        notes.push("the clone that was to run this did not begin; a booted VM ran it".into());
        // Whatever the clone may still do is over before another VM hears of the job.
        leased.vm.close().await.map_err(not_started)?;
        let leased = self.supply.boot_for(job).await;
        timings.boot = leasing.elapsed().as_secs_f64();
        let mut leased = leased?;
        timings.path = Some(leased.path);
        let talked = drive(job, &mut leased, &mut io).await;
        self.destroy(leased, permit);
        Ok(talked)
    }

    /// What a result says of the walls.
    pub fn isolation(&self) -> Isolation {
        let identity = self.identity();
        Isolation {
            engine: identity.kind.to_string(),
            accelerator: identity.accelerator_name(),
            jail: identity.jail.clone(),
        }
    }

    /// The VM's end is not the job's: the answer goes out first. The job's place is free only when
    /// its VM is gone, so the bound on jobs bounds VMs.
    fn destroy(&self, leased: Leased, permit: Permit) {
        let Leased { vm, .. } = leased;
        self.destroying.spawn(async move {
            if let Err(error) = vm.close().await {
                tracing::error!(%error, "a VM was not destroyed cleanly");
            }
            drop(permit);
        });
    }

    pub(crate) fn check_isolation(&self) -> Result<(), NoReport> {
        let identity = self.identity();
        if IsolationMinimum::met_by(identity.accelerator) >= self.minimum {
            return Ok(());
        }
        let held_by = match identity.accelerator {
            Some(Accelerator::Kvm) => "hardware virtualisation (kvm)",
            Some(Accelerator::Tcg) => "software emulation (tcg)",
            None => "a kernel that is a program of the host's, without a hypervisor",
        };
        Err(NoReport::new(
            ErrorCode::IsolationTooWeak,
            format!(
                "isolation.minimum is hardware, but {} runs guests by {held_by} here",
                identity.kind
            ),
        ))
    }

    fn not_admitted(&self, job: &Job, refusal: NotAdmitted) -> JobResult {
        let no = match refusal {
            NotAdmitted::QueueFull => NoReport::new(
                ErrorCode::QueueFull,
                format!(
                    "{} jobs run and {} wait",
                    self.gate.running(),
                    self.gate.waiting()
                ),
            ),
            NotAdmitted::Closing => NoReport::new(ErrorCode::ShuttingDown, CLOSING),
        };
        self.refuse(&job.trace_id, no)
    }

    fn refuse(&self, trace_id: &TraceId, no: NoReport) -> JobResult {
        let failure = no.failure();
        self.events.emit(
            EventType::ValidationFail,
            Some(trace_id),
            failure.message.clone(),
            json!({ "code": failure.code }),
        );
        let result = JobResult::failed(trace_id.clone(), Status::Rejected, failure);
        self.metrics.ended(None, &result);
        result
    }

    /// Refuses new jobs, lets running VMs go and returns when none is left, or after `patience`.
    pub async fn close(&self, patience: Duration) {
        self.gate.close();
        self.supply.close().await;
        self.destroying.close();
        if tokio::time::timeout(patience, self.destroying.wait())
            .await
            .is_err()
        {
            tracing::error!("VMs were still being destroyed when the sandbox closed");
        }
    }
}

/// A refused request as a result.
pub fn rejected(rejection: Rejection) -> JobResult {
    let message = rejection.to_string();
    let trace_id = rejection.trace_id.unwrap_or_else(TraceId::generate);
    let failure = Failure {
        code: rejection.code,
        message,
        field: Some(rejection.field),
    };
    JobResult::failed(trace_id, Status::Rejected, failure)
}

/// Holds a job's two events together: the start is told when it is made, the end when the job ends
/// or, failing that, when this is dropped (the caller went away).
struct Ending<'a> {
    sandbox: &'a Sandbox,
    job: &'a Job,
    told: bool,
}

impl<'a> Ending<'a> {
    fn begin(sandbox: &'a Sandbox, job: &'a Job) -> Ending<'a> {
        sandbox.metrics.vms_alive.inc();
        sandbox.events.emit(
            EventType::VmStart,
            Some(&job.trace_id),
            format!("a {} job was admitted", job.language),
            json!({
                "language": job.language,
                "memory_mib": job.limits.memory_mib,
                "vcpus": job.limits.vcpus,
                "isolation": sandbox.isolation(),
            }),
        );
        Ending {
            sandbox,
            job,
            told: false,
        }
    }

    fn end(mut self, result: &JobResult) {
        self.told = true;
        self.sandbox.metrics.ended(Some(self.job.language), result);
        self.sandbox.events.emit(
            outcome::event_type(result),
            Some(&result.trace_id),
            outcome::sentence(result),
            json!({
                "status": result.status,
                "exit_code": result.exit_code,
                "signal": result.signal,
                "limit": result.limit,
                "failure": result.failure,
                "path": result.timings.path,
                "total_seconds": result.timings.total,
            }),
        );
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.sandbox.metrics.vms_alive.dec();
        if !self.told {
            self.sandbox.events.emit(
                EventType::VmStop,
                Some(&self.job.trace_id),
                "the caller went away; the VM was destroyed",
                json!({ "status": Status::Killed, "failure": { "code": ErrorCode::Cancelled } }),
            );
        }
    }
}
