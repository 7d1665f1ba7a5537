//! One job of a key from its request to its end: here it becomes one of the jobs that are remembered, and counts in its
//! key's usage, in the metrics and in the history. One that is dropped before its end was given up by its client.

use super::body::JobRow;
use crate::app::App;
use crate::usage::row::UsageRow;
use protocol::error_code::ErrorCode;
use protocol::job::Job;
use protocol::result::{Failure, JobResult, Status};
use protocol::trace_id::TraceId;
use std::time::Instant;

/// A job that has not ended yet.
pub struct JobAccount<'a> {
    app: &'a App,
    row: Option<JobRow>,
    trace_id: TraceId,
    begun: Instant,
    /// When its turn came.
    ran: Option<Instant>,
    /// MiB of the VM that it has for itself; 0 in a session, whose VM is counted as the session's.
    memory_mib: u32,
}

impl<'a> JobAccount<'a> {
    /// A job that waits for its turn.
    pub fn begin(app: &'a App, job: &Job) -> JobAccount<'a> {
        JobAccount::new(app, job, None)
    }

    /// A program of this session that waits for its turn.
    pub fn in_session(app: &'a App, job: &Job, session: &str) -> JobAccount<'a> {
        JobAccount::new(app, job, Some(session))
    }

    fn new(app: &'a App, job: &Job, session: Option<&str>) -> JobAccount<'a> {
        let row = JobRow::waiting(job, session);
        app.jobs.runs(&row);
        JobAccount {
            app,
            row: Some(row),
            trace_id: job.trace_id.clone(),
            begun: Instant::now(),
            ran: None,
            memory_mib: match session {
                Some(_) => 0,
                None => job.limits.memory_mib,
            },
        }
    }

    /// Its turn came.
    pub fn runs(&mut self) {
        self.ran = Some(Instant::now());
        self.app.history.loaded(self.app.rooms.sandbox.load());
        if let Some(row) = &mut self.row {
            row.status = "running";
            self.app.jobs.runs(row);
        }
    }

    /// It ended.
    pub fn ended(mut self, result: &JobResult) {
        let had_vm = result.timings.path.is_some() || result.isolation.is_some();
        let wall = match had_vm {
            true => result.timings.total - result.timings.queue,
            false => 0.0,
        };
        self.settle(result, wall.max(0.0));
    }

    /// Counts it: it held a VM for so many seconds.
    fn settle(&mut self, result: &JobResult, wall: f64) {
        let Some(row) = self.row.take() else {
            return;
        };
        let app = self.app;
        let row = row.ended(result);
        app.http.ended(&row);
        app.history.ended(&row);
        app.engine_trouble.ended(result);
        app.usage
            .add(&row.key, &row.key_name, &self.used(result, wall));
        let key = row.key.clone();
        let events = || app.rooms.feed.events_of(&self.trace_id, &key);
        app.jobs.ended(row, result, events);
    }

    fn used(&self, result: &JobResult, wall: f64) -> UsageRow {
        let output = result.stdout.len() + result.stderr.len();
        let files: u64 = result.artifacts.iter().map(|file| file.size).sum();
        UsageRow {
            jobs: [(result.status.as_str().to_owned(), 1)].into(),
            wall_seconds: wall,
            cpu_seconds: result.usage.cpu_seconds,
            memory_gib_seconds: wall * f64::from(self.memory_mib) / 1024.0,
            output_bytes: output as u64 + files,
            ..UsageRow::default()
        }
    }
}

impl Drop for JobAccount<'_> {
    fn drop(&mut self) {
        if self.row.is_none() {
            return;
        }
        let failure = Failure {
            code: ErrorCode::Cancelled,
            message: "the caller went away".into(),
            field: None,
        };
        let mut result = JobResult::failed(self.trace_id.clone(), Status::Killed, failure);
        let wall = self.ran.map_or(0.0, |ran| ran.elapsed().as_secs_f64());
        result.timings.total = self.begun.elapsed().as_secs_f64();
        result.timings.queue = result.timings.total - wall;
        self.settle(&result, wall);
    }
}
