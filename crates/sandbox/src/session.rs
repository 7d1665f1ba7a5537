//! A VM that stays: programs run in it one after another and find what the one before left.
//!
//! ```text
//!  Session ── programs that keep variables ──> a context of a live sandbox
//!          ── any other program ────────────> processes of it, as a job's
//!          ── files ────────────────────────> its work folder
//! ```
//!
//! A session belongs to one client for its whole life; its VM is never given to another.

mod artifacts;
mod cell;
mod files;

pub use files::{FileError, absolute};

use crate::drive::{Heard, JobIo, drive_in};
use crate::ending::{JobEnding, Ledger};
use crate::error::{JobError, Why};
use crate::events::EventBus;
use crate::live::LiveSandbox;
use crate::live::contexts::Contexts;
use crate::metrics::Metrics;
use crate::outcome::{self, Measured, TalkEnd};
use crate::sandbox::Sandbox;
use protocol::job::Job;
use protocol::language::interpreter;
use protocol::result::{JobResult, Timings};
use protocol::trace_id::TraceId;
use protocol::wire::SessionReport;
use tokio::time::Instant;

/// One VM and its client's programs. Dropping it waits for nothing: the VM is destroyed by a task of the sandbox's, which
/// [`Sandbox::close`] waits for.
pub struct Session {
    trace_id: TraceId,
    live: LiveSandbox,
    contexts: Contexts,
    /// A program began and was not seen to end: nothing that comes now can be trusted.
    at_work: bool,
    metrics: Metrics,
    events: EventBus,
}

/// What a program came to.
struct Ran {
    heard: Heard,
    end: TalkEnd,
    /// Of one that keeps its variables.
    report: Option<SessionReport>,
    notes: Vec<String>,
}

impl Session {
    /// Takes a VM of this job's language and size; the job itself is not run. Where none comes about, the
    /// reason is in the log and among the events.
    pub async fn open(sandbox: &Sandbox, job: &Job) -> Result<Session, JobError> {
        let live = LiveSandbox::open_as("session", sandbox, job).await?;
        let contexts = Contexts::new(live.clone());
        if keeps_variables(job) {
            cell::warm_up(&contexts, job);
        }
        Ok(Session {
            trace_id: job.trace_id.clone(),
            contexts,
            live,
            at_work: false,
            metrics: sandbox.metrics().clone(),
            events: sandbox.events().clone(),
        })
    }

    /// Whether it can be used on.
    pub fn is_usable(&self) -> bool {
        self.live.is_alive() && !self.at_work
    }

    /// Its VM, for files that pass through.
    pub fn live(&self) -> &LiveSandbox {
        &self.live
    }

    /// Runs a program to its end. Dropping the future ends the session.
    pub async fn run(&mut self, job: Job, mut io: JobIo) -> JobResult {
        let begun = Instant::now();
        let isolation = self.live.isolation();
        let (events, metrics) = (self.events.clone(), self.metrics.clone());
        let ledger = Ledger {
            events: &events,
            metrics: &metrics,
        };
        let mut ending = JobEnding::of(ledger, &job).in_session(&self.trace_id);
        let ran = match self.is_usable() {
            true => {
                self.at_work = true;
                ending.has_vm(&job, &isolation);
                let ran = self.carry_out(&job, &mut io).await;
                self.at_work = matches!(ran.end, TalkEnd::HostDeadline { .. } | TalkEnd::Failed(_));
                ran
            }
            false => Ran::failed(Why::Gone.into()),
        };
        let timings = Timings {
            total: begun.elapsed().as_secs_f64(),
            ..Timings::default()
        };
        let measured = Measured { isolation, timings };
        let mut result = outcome::result(&job, ran.heard, ran.end, measured);
        result.session = ran.report;
        result.notes.extend(ran.notes);
        ending.end(&result);
        result
    }

    async fn carry_out(&mut self, job: &Job, io: &mut JobIo) -> Ran {
        let before = match job.collect_artifacts {
            true => artifacts::seen(&self.live).await,
            false => artifacts::Seen::default(),
        };
        let mut ran = match keeps_variables(job) {
            true => cell::run(&self.live, &self.contexts, job, io).await,
            false => {
                let (heard, end) = drive_in(job, &self.live, io).await;
                Ran::of(heard, end)
            }
        };
        if job.collect_artifacts && matches!(ran.end, TalkEnd::Report(_)) {
            let most = job.limits.artifact_bytes;
            let (files, truncated) = artifacts::changed(&self.live, &before, most).await;
            ran.heard.artifacts = files;
            if let TalkEnd::Report(report) = &mut ran.end {
                report.artifacts_truncated = truncated;
            }
        }
        ran
    }

    /// Destroys the VM.
    pub async fn close(self) {
        self.live.close().await;
    }
}

fn keeps_variables(job: &Job) -> bool {
    interpreter(job.language).is_some_and(|it| it.keeps_sessions)
}

impl Ran {
    fn of(heard: Heard, end: TalkEnd) -> Ran {
        Ran {
            heard,
            end,
            report: None,
            notes: Vec::new(),
        }
    }

    fn failed(error: JobError) -> Ran {
        Ran::of(Heard::default(), TalkEnd::Failed(error))
    }
}
