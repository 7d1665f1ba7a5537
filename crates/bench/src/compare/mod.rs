//! The same job under every isolation technology that is here, interleaved in one run, so that a
//! machine whose speed drifts is unfair to nobody.
//!
//! [`contender`] is what all have in common: a command that runs the job. [`containers`] prepares
//! those of others. This tool's own are the library for pool and clone, or for a fresh boot where the
//! engine has no clones, in a process that stays as a container's daemon does, and the `run` command,
//! whole, from exec to exit, for boot and once more for clone.

pub mod containers;
pub mod contender;
mod dockerd;
pub mod memory;
pub mod picture;

use crate::BenchError;
use crate::latency::{run_once, timed, wait_until_settled};
use crate::program::Program;
use crate::stats::{Summary, summary};
use crate::throughput::jobs_per_second;
use contender::{CommandLine, Contender, How};
use serde::Serialize;
use std::time::{Duration, Instant};

/// One technology's line in the answer.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// `pool`, `clone`, `clone-command`, `fresh`, `boot`, `docker`, `runsc`, `runc`, `bwrap` or `kata`.
    pub technology: &'static str,
    /// It is this tool.
    pub is_ours: bool,
    /// It is here and ran the job.
    pub installed: bool,
    /// Why it was not measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
    /// What stands between the job and the host.
    pub isolation: &'static str,
    /// The job makes its system calls to the host's kernel.
    pub kernel_shared: bool,
    /// What a job reaches when nobody configured anything.
    pub network_by_default: &'static str,
    /// Startup and the job, exec to exit.
    #[serde(flatten)]
    pub times: Option<Summary>,
    /// Jobs a second with several at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jobs_per_second: Option<f64>,
    /// Memory of everything that runs because of a sleeping job, less the bare program's, bytes.
    pub memory_overhead_bytes: Option<u64>,
}

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    /// Runs of each technology, one after another.
    pub runs: usize,
    /// Jobs of each for jobs a second; 0 leaves it out.
    pub jobs: usize,
    /// Jobs at once.
    pub concurrency: usize,
}

/// Runs every contender `runs` times, in turn, then several at once, and sums up. `told` hears of each
/// round.
pub async fn run(
    contenders: Vec<Contender>,
    program: &Program,
    extent: Extent,
    mut told: impl FnMut(usize),
) -> Vec<Row> {
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); contenders.len()];
    let mut failures: Vec<Option<String>> = contenders
        .iter()
        .map(|contender| contender.how.as_ref().err().cloned())
        .collect();
    // Round 0 warms caches and is not counted.
    for round in 0..=extent.runs {
        told(round);
        for (index, contender) in contenders.iter().enumerate() {
            let Ok(how) = &contender.how else { continue };
            if failures[index].is_some() {
                continue;
            }
            match once(how, program).await {
                Ok(time) if round > 0 => times[index].push(time),
                Ok(_) => {}
                Err(error) => failures[index] = Some(sandbox::error::chain(&error)),
            }
        }
    }
    let mut rows = Vec::new();
    for ((contender, times), why_not) in contenders.iter().zip(&times).zip(failures) {
        let (jobs_per_second, memory_overhead_bytes) = match (&contender.how, &why_not) {
            (Ok(how), None) => (
                throughput(how, program, extent).await,
                memory::overhead(how, program).await,
            ),
            _ => (None, None),
        };
        rows.push(Row {
            technology: contender.technology,
            is_ours: contender.facts.is_ours,
            installed: why_not.is_none(),
            why_not,
            isolation: contender.facts.isolation,
            kernel_shared: contender.facts.kernel_shared,
            network_by_default: contender.facts.network_by_default,
            times: summary(times),
            jobs_per_second,
            memory_overhead_bytes,
        });
    }
    rows
}

/// `None` where it is not asked for or a job fails, which is told.
async fn throughput(how: &How, program: &Program, extent: Extent) -> Option<f64> {
    if extent.jobs == 0 {
        return None;
    }
    let (measured, program) = (how.clone(), *program);
    let job = move || {
        let how = measured.clone();
        async move {
            match &how {
                How::Library { sandbox, .. } => run_once(sandbox, &program).await.map(drop),
                How::Command { hello, .. } => by_command(hello, &program).await.map(drop),
            }
        }
    };
    let rate = jobs_per_second(extent.jobs, extent.concurrency, job).await;
    if let How::Library { sandbox, .. } = how {
        wait_until_settled(sandbox).await.ok()?;
    }
    rate.inspect_err(|error| eprintln!("jobs a second: {}", sandbox::error::chain(error)))
        .ok()
}

async fn once(how: &How, program: &Program) -> Result<Duration, BenchError> {
    match how {
        How::Library { sandbox, path, .. } => {
            let (time, _) = timed(sandbox, *path, program).await?;
            // The next technology is not to be measured beside this one's refill.
            wait_until_settled(sandbox).await?;
            Ok(time)
        }
        How::Command { hello, .. } => by_command(hello, program).await,
    }
}

async fn by_command(hello: &CommandLine, program: &Program) -> Result<Duration, BenchError> {
    let begun = Instant::now();
    let output = hello.output().await?;
    let time = begun.elapsed();
    if output == program.stdout.as_bytes() {
        return Ok(time);
    }
    Err(BenchError::WrongAnswer {
        what: hello.shown(),
        seen: String::from_utf8_lossy(&output).into_owned(),
        expected: program.stdout.to_owned(),
    })
}
