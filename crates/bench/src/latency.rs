//! This tool's own paths: how long from the request to the result, how many a second, how much memory.

use crate::BenchError;
use crate::program::{Program, hello};
use crate::stats::{Summary, summary};
use crate::throughput::jobs_per_second;
use protocol::job::JobRequest;
use protocol::language::Language;
use protocol::result::{BootPath, JobResult, Status};
use sandbox::config::{Config, PoolSize, ReadyFor};
use sandbox::drive::JobIo;
use sandbox::sandbox::Sandbox;
use serde::Serialize;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A configuration under which every VM comes by this path.
pub fn config_for(path: BootPath, mut config: Config, languages: &[Language]) -> Config {
    config.pool.clear();
    config.snapshots.enabled = path != BootPath::Boot;
    config.snapshots.create_on_first_use = true;
    config.snapshots.standby = usize::from(path == BootPath::Clone);
    if path == BootPath::Pool {
        let size = PoolSize {
            min: 2,
            max: 4,
            max_age_seconds: 3600,
            warmed: true,
            ready_for: ReadyFor::Jobs,
        };
        config.pool = languages.iter().map(|language| (*language, size)).collect();
    }
    config
}

/// One path and language.
#[derive(Debug, Clone, Serialize)]
pub struct LatencyRow {
    /// The language.
    pub language: Language,
    /// The way the VMs came.
    pub path: BootPath,
    /// From the request to the result.
    pub total: Summary,
    /// From the request to a VM that takes the job.
    pub until_vm: Summary,
}

/// Jobs a second with several at once.
#[derive(Debug, Clone, Serialize)]
pub struct ThroughputRow {
    /// The language.
    pub language: Language,
    /// The way the VMs came.
    pub path: BootPath,
    /// Jobs at once.
    pub concurrency: usize,
    /// Jobs in all.
    pub jobs: usize,
    /// Jobs a second.
    pub jobs_per_second: f64,
}

/// Memory of VMs that wait.
#[derive(Debug, Clone, Serialize)]
pub struct MemoryRow {
    /// The language.
    pub language: Language,
    /// Proportional set size of each waiting VM, bytes.
    pub pss_bytes: Vec<u64>,
}

/// Runs a program once; an answer that is not right is an error.
pub async fn run_once(sandbox: &Sandbox, program: &Program) -> Result<JobResult, BenchError> {
    let request = JobRequest {
        language: program.language.name().to_owned(),
        code: program.code.to_owned(),
        ..JobRequest::default()
    };
    let wrong = |seen: String| BenchError::WrongAnswer {
        what: format!("{} hello", program.language),
        seen,
        expected: program.stdout.to_owned(),
    };
    let job = sandbox
        .admit(request)
        .map_err(|rejection| wrong(rejection.to_string()))?;
    let result = sandbox.run(job, JobIo::default()).await;
    if result.status == Status::Ok && result.stdout == program.stdout.as_bytes() {
        return Ok(result);
    }
    let why = result.failure.map(|failure| failure.message);
    let seen = format!(
        "{} {:?} {}",
        result.status.as_str(),
        String::from_utf8_lossy(&result.stdout),
        why.unwrap_or_default()
    );
    Err(wrong(seen))
}

/// Times `runs` jobs one after another.
pub async fn latency(
    sandbox: &Sandbox,
    path: BootPath,
    language: Language,
    runs: usize,
) -> Result<Option<LatencyRow>, BenchError> {
    let program = hello(language)?;
    let (mut totals, mut vms) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let (total, result) = timed(sandbox, path, &program).await?;
        totals.push(total);
        vms.push(Duration::from_secs_f64(result.timings.boot));
    }
    Ok(summary(&totals)
        .zip(summary(&vms))
        .map(|(total, until_vm)| LatencyRow {
            language,
            path,
            total,
            until_vm,
        }))
}

/// One job by this path, and how long it took.
pub async fn timed(
    sandbox: &Sandbox,
    path: BootPath,
    program: &Program,
) -> Result<(Duration, JobResult), BenchError> {
    wait_until_settled(sandbox).await?;
    let begun = Instant::now();
    let result = run_once(sandbox, program).await?;
    let total = begun.elapsed();
    if result.timings.path == Some(path) {
        return Ok((total, result));
    }
    Err(wrong_path(path, result.timings.path))
}

pub(crate) fn wrong_path(wanted: BootPath, seen: Option<BootPath>) -> BenchError {
    BenchError::WrongPath {
        wanted: wanted.as_str(),
        seen: format!("{seen:?}"),
        advice: "see the warnings above, or run with --verbose",
    }
}

/// Waits until the pool is full and VMMs stand by: what is measured, here or of another technology next,
/// is an answer and not a refill.
pub async fn wait_until_settled(sandbox: &Sandbox) -> Result<(), BenchError> {
    let deadline = Instant::now() + Duration::from_secs(180);
    while !sandbox.supply().is_settled() {
        if Instant::now() > deadline {
            return Err(BenchError::WrongPath {
                wanted: "pool",
                seen: "nothing within 180 s".into(),
                advice: "the pool does not fill; see the warnings above",
            });
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// How many jobs, and how many at once, each in a new VM.
#[derive(Debug, Clone, Copy)]
pub struct Throughput {
    /// Whence the VMs come.
    pub path: BootPath,
    /// What the jobs are written in.
    pub language: Language,
    /// All jobs.
    pub jobs: usize,
    /// Those at once.
    pub concurrency: usize,
}

impl Throughput {
    /// Jobs a second.
    pub async fn measure(self, sandbox: &Arc<Sandbox>) -> Result<ThroughputRow, BenchError> {
        let Throughput {
            path,
            language,
            jobs,
            concurrency,
        } = self;
        let (program, sandbox) = (hello(language)?, sandbox.clone());
        let job = move || {
            let sandbox = sandbox.clone();
            async move { run_once(&sandbox, &program).await.map(drop) }
        };
        let jobs_per_second = jobs_per_second(jobs, concurrency, job).await?;
        Ok(ThroughputRow {
            language,
            path,
            concurrency,
            jobs,
            jobs_per_second,
        })
    }
}

/// What the pool's waiting VMs hold.
pub fn memory(sandbox: &Sandbox) -> Vec<MemoryRow> {
    let mut rows: Vec<MemoryRow> = Vec::new();
    for (language, pss) in sandbox.supply().pool().memory_held() {
        match rows.iter_mut().find(|row| row.language == language) {
            Some(row) => row.pss_bytes.push(pss),
            None => rows.push(MemoryRow {
                language,
                pss_bytes: vec![pss],
            }),
        }
    }
    rows
}
