//! The way of a job, in order: admit → lease → drive → result → destroy. One place where a job ends,
//! whatever way it ended.

mod egress;
mod images;
mod memory;
mod refusals;
mod rules;

use crate::admission::fair_queue::KeyBounds;
use crate::admission::ticket::Ticket;
use crate::admission::{Admission, Bounds, NotAdmitted, Permit};
use crate::config::{Config, ConfigError, IsolationMinimum};
use crate::current::Current;
use crate::destroy::InHand;
use crate::drive::{Heard, JobIo, never_began, undriven};
use crate::ending::{JobEnding, Ledger};
use crate::error::{JobError, Why};
use crate::events::{EventBus, Notice};
use crate::lease::Leased;
use crate::metrics::Metrics;
use crate::normalize;
use crate::outcome::{self, Measured, TalkEnd};
use crate::packages::Packages;
use crate::saved::SavedBounds;
use crate::supply::Supply;
use ::egress::client::Egress;
use protocol::error_code::ErrorCode;
use protocol::event::EventType;
use protocol::job::{Job, JobRequest};
use protocol::result::{BootPath, Failure, GuestWall, Isolation, JobResult, Status, Timings};
use protocol::trace_id::TraceId;
use protocol::validate::Rejection;
use rules::Rules;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use vmm::{Accelerator, Engine, EngineIdentity};

/// Runs jobs, each in a VM of its own.
pub struct Sandbox {
    rules: Current<Rules>,
    admission: Arc<Admission>,
    pub(crate) saved_bounds: SavedBounds,
    /// MiB that a VMM may hold besides its guest's memory.
    memory_overhead_mib: u32,
    supply: Arc<Supply>,
    packages: Packages,
    /// The operator's policies; `None`: there are none, and no network for anybody.
    egress: Option<Egress>,
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
            rules: Current::new(Rules::of(config)?),
            admission: Admission::new(config.admission_bounds()),
            saved_bounds: config.saved.clone(),
            memory_overhead_mib: config.vmm.memory_overhead_mib,
            packages: Packages::new(supply.images().clone(), config.packages.clone()),
            supply,
            egress: None,
            events,
            metrics,
            destroying: TaskTracker::new(),
        })
    }

    /// The same with the operator's policies for the network.
    #[must_use]
    pub fn with_egress(mut self, egress: Option<Egress>) -> Sandbox {
        self.egress = egress;
        self
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

    /// Images with packages that programs ask for.
    pub fn packages(&self) -> &Packages {
        &self.packages
    }

    /// What is counted.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Where events go.
    pub fn events(&self) -> &EventBus {
        &self.events
    }

    /// Jobs that run, and that wait, now.
    pub fn load(&self) -> (usize, usize) {
        self.admission.load()
    }

    /// What may be at one time.
    pub fn bounds(&self) -> Bounds {
        self.admission.bounds()
    }

    /// Lets a job of this key into the queue, or says at once why not.
    pub fn enter(&self, key: &str, bounds: KeyBounds) -> Result<Ticket, NotAdmitted> {
        self.admission.enter(key, bounds)
    }

    /// Checks a request; a refusal leaves its event here, so every front door says it alike.
    pub fn admit(&self, request: JobRequest) -> Result<Job, Rejection> {
        self.judge(request)
            .inspect_err(|rejection| self.note_rejection(rejection))
    }

    /// The same for a front door that tells of refusals itself: it hears of more than become jobs.
    pub fn judge(&self, request: JobRequest) -> Result<Job, Rejection> {
        let job = self.check_vcpus(self.policy().validate(request)?)?;
        let job = self.check_memory(job)?;
        let job = self.check_egress(job)?;
        for name in &job.patterns_found {
            self.metrics.pattern();
            self.events.emit(
                Some(&job.trace_id),
                Notice::new(
                    EventType::DangerousPattern,
                    format!("the code contains {name}; it runs all the same"),
                    json!({ "pattern": name, "action": "warn" }),
                )
                .of(job.owner.as_deref()),
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

    /// Runs a checked job to its end, in turn with all others of this front door.
    pub async fn run(&self, job: Job, io: JobIo) -> JobResult {
        match self.enter("", KeyBounds::NONE) {
            Ok(mut ticket) => self.run_entered(job, io, &mut ticket).await,
            Err(refusal) => self.turned_away(&job, self.not_admitted(refusal)),
        }
    }

    /// Runs a checked job that was let in, once it has its place. Dropping the future has the VM destroyed, which
    /// [`Sandbox::close`] waits for, and leaves its event. The place is free once both the VM and the ticket are gone.
    pub async fn run_entered(&self, job: Job, io: JobIo, ticket: &mut Ticket) -> JobResult {
        match job.normalize_time {
            None => self.run_plainly(job, io, ticket).await,
            Some(bucket) => {
                normalize::run(bucket, io, |io| self.run_plainly(job, io, ticket)).await
            }
        }
    }

    async fn run_plainly(&self, job: Job, io: JobIo, ticket: &mut Ticket) -> JobResult {
        let begun = ticket.since();
        let ending = JobEnding::of(self.ledger(), &job);
        let (_, waiting) = self.load();
        self.metrics.queue_depth.set(waiting as i64);
        let admitted = async {
            let place = ticket.place().await?;
            self.admission.admit(place, self.memory_of(&job)).await
        };
        let permit = match admitted.await {
            Ok(permit) => permit,
            Err(refusal) => return ending.refused(self.not_admitted(refusal)),
        };
        if let Err(error) = self.check_isolation() {
            return ending.refused(error);
        }
        let (mut job, mut io) = (job, io);
        if let Some(policy) = &job.egress {
            match self.outside(policy, &job).await {
                Ok(outside) => {
                    outside.add_to(&mut job);
                    io.outside = Some(outside);
                }
                Err(error) => return ending.refused(error),
            }
        }
        let mut course = Course {
            job: &job,
            io,
            ending,
            timings: Timings {
                queue: begun.elapsed().as_secs_f64(),
                ..Timings::default()
            },
            notes: Vec::new(),
        };
        let talk_and_end = self.lease_and_drive(&mut course, permit).await;
        let (talk, end) = talk_and_end.unwrap_or_else(undriven);
        let Course {
            io,
            ending,
            mut timings,
            mut notes,
            ..
        } = course;
        let egress = match io.outside {
            Some(outside) => Some(outside.close().await),
            None => None,
        };
        timings.total = begun.elapsed().as_secs_f64();
        let measured = Measured {
            isolation: self.isolation(),
            timings,
        };
        let mut result = outcome::result(&job, talk, end, measured);
        result.notes.append(&mut notes);
        result.egress = egress;
        ending.end(&result);
        result
    }

    /// The job on its VM; on one more, booted, when a clone never began it.
    async fn lease_and_drive(
        &self,
        course: &mut Course<'_>,
        permit: Permit,
    ) -> Result<(Heard, TalkEnd), JobError> {
        let (leasing, job) = (Instant::now(), course.job);
        let leased = self.supply.lease(job).await;
        let leased = self.took(course, leasing, leased)?;
        let mut vm = InHand::new(&self.destroying, leased, permit);
        let (talk, end) = vm.drive(job, &mut course.io).await;
        let is_booted = course.timings.path == Some(BootPath::Boot);
        if is_booted || !never_began(&talk, &end) {
            return Ok((talk, end));
        }
        tracing::warn!(trace_id = %job.trace_id, "a clone did not begin its job; booting instead");
        let note = "the clone that was to run this did not begin; a booted VM ran it";
        course.notes.push(note.into());
        // Whatever the clone may still do is over before another VM hears of the job.
        let Some((leased, permit)) = vm.take() else {
            return Ok((talk, end));
        };
        leased.vm.close().await?;
        let leased = self.supply.boot_for(job).await;
        let leased = self.took(course, leasing, leased)?;
        let mut vm = InHand::new(&self.destroying, leased, permit);
        Ok(vm.drive(job, &mut course.io).await)
    }

    /// Notes how long a VM was waited for, and that there is one.
    fn took(
        &self,
        course: &mut Course<'_>,
        leasing: Instant,
        leased: Result<Leased, JobError>,
    ) -> Result<Leased, JobError> {
        course.timings.boot = leasing.elapsed().as_secs_f64();
        let leased = leased?;
        course.timings.path = Some(leased.path);
        course.ending.has_vm(course.job, &self.isolation());
        Ok(leased)
    }

    pub(crate) fn ledger(&self) -> Ledger<'_> {
        Ledger {
            events: &self.events,
            metrics: &self.metrics,
        }
    }

    /// VMs on their way out.
    pub(crate) fn destroying(&self) -> &TaskTracker {
        &self.destroying
    }

    /// Leaves the event and the count of a job that a front door turned away after it was admitted: no
    /// turn came for it in time.
    pub fn turned_away(&self, job: &Job, error: JobError) -> JobResult {
        JobEnding::of(self.ledger(), job).refused(error)
    }

    /// Leaves the event and the count of a job whose caller went away while a front door had it wait.
    pub fn went_away(&self, job: &Job) {
        drop(JobEnding::of(self.ledger(), job));
    }

    /// What a result says of the walls.
    pub fn isolation(&self) -> Isolation {
        let identity = self.identity();
        Isolation {
            engine: identity.kind.to_string(),
            accelerator: identity.accelerator_name(),
            jail: identity.jail.clone(),
            guest: GuestWall::Confined,
        }
    }

    pub(crate) fn check_isolation(&self) -> Result<(), JobError> {
        let identity = self.identity();
        if IsolationMinimum::met_by(identity.accelerator) >= self.rules.get().minimum {
            return Ok(());
        }
        let held_by = match identity.accelerator {
            Some(Accelerator::Kvm) => "hardware virtualisation (kvm)",
            Some(Accelerator::Tcg) => "software emulation (tcg)",
            None => "a kernel that is a program of the host's, without a hypervisor",
        };
        Err(Why::IsolationTooWeak {
            engine: identity.kind.to_string(),
            held_by,
        }
        .into())
    }

    fn not_admitted(&self, refusal: NotAdmitted) -> JobError {
        let (running, waiting) = self.load();
        match refusal {
            NotAdmitted::Closing => Why::Closing,
            _ => Why::QueueFull { running, waiting },
        }
        .into()
    }

    /// Refuses new jobs, lets running VMs go and returns when none is left, or after `patience`.
    pub async fn close(&self, patience: Duration) {
        self.admission.close();
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

/// A job on its way, and what is known of it so far.
struct Course<'a> {
    job: &'a Job,
    io: JobIo,
    ending: JobEnding<'a>,
    timings: Timings,
    notes: Vec<String>,
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
