//! The same job under every isolation technology that is here, interleaved in one run, so that a
//! machine whose speed drifts is unfair to nobody.
//!
//! [`contender`] is what all have in common: a command that runs the job. [`containers`] prepares
//! those of others. This tool's own are the library for pool and clone, in a process that stays as a
//! container's daemon does, and the `run` command, whole, from exec to exit, for boot and once more for
//! clone.

pub mod containers;
pub mod contender;
mod dockerd;
pub mod memory;

use crate::BenchError;
use crate::latency::{timed, wait_until_settled};
use crate::program::Program;
use crate::stats::{Summary, summary};
use contender::{Contender, How};
use serde::Serialize;
use std::time::{Duration, Instant};

/// One technology's line in the answer.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// `pool`, `clone`, `clone-command`, `boot`, `docker`, `runsc`, `runc`, `bwrap` or `kata`.
    pub technology: &'static str,
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
    /// Memory of everything that runs because of a sleeping job, less the bare program's, bytes.
    pub memory_overhead_bytes: Option<u64>,
}

/// Runs every contender `runs` times, in turn, and sums up.
pub async fn run(
    contenders: Vec<Contender>,
    program: &Program,
    runs: usize,
    mut told: impl FnMut(usize),
) -> Vec<Row> {
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); contenders.len()];
    let mut failures: Vec<Option<String>> = contenders
        .iter()
        .map(|contender| contender.how.as_ref().err().cloned())
        .collect();
    // Round 0 warms caches and is not counted.
    for round in 0..=runs {
        told(round);
        for (index, contender) in contenders.iter().enumerate() {
            let Ok(how) = &contender.how else { continue };
            if failures[index].is_some() {
                continue;
            }
            match once(how, program).await {
                Ok(time) if round > 0 => times[index].push(time),
                Ok(_) => {}
                Err(error) => failures[index] = Some(sandbox::lease::chain(&error)),
            }
        }
    }
    let mut rows = Vec::new();
    for ((contender, times), why_not) in contenders.iter().zip(&times).zip(failures) {
        let memory_overhead_bytes = match (&contender.how, &why_not) {
            (Ok(how), None) => memory::overhead(how, program).await,
            _ => None,
        };
        rows.push(Row {
            technology: contender.technology,
            installed: why_not.is_none(),
            why_not,
            isolation: contender.facts.isolation,
            kernel_shared: contender.facts.kernel_shared,
            network_by_default: contender.facts.network_by_default,
            times: summary(times),
            memory_overhead_bytes,
        });
    }
    rows
}

async fn once(how: &How, program: &Program) -> Result<Duration, BenchError> {
    match how {
        How::Library { sandbox, path, .. } => {
            let (time, _) = timed(sandbox, *path, program).await?;
            // The next technology is not to be measured beside this one's refill.
            wait_until_settled(sandbox).await?;
            Ok(time)
        }
        How::Command { hello, .. } => {
            let begun = Instant::now();
            let output = hello.output().await?;
            let time = begun.elapsed();
            if output != program.stdout.as_bytes() {
                return Err(BenchError::WrongAnswer {
                    what: hello.shown(),
                    seen: String::from_utf8_lossy(&output).into_owned(),
                    expected: program.stdout.to_owned(),
                });
            }
            Ok(time)
        }
    }
}
