//! What packages cost a program once they are there: the same program plainly and with them, in turn, so that a machine
//! whose speed drifts is unfair to neither. What is measured begins with the request: finding the image is part of it.

use crate::BenchError;
use crate::stats::{Summary, summary};
use protocol::job::JobRequest;
use protocol::packages::{Registry, RequiredPackages};
use protocol::result::Status;
use sandbox::drive::JobIo;
use sandbox::packages::{Packages, SharedProgress};
use sandbox::sandbox::Sandbox;
use serde::Serialize;
use std::time::{Duration, Instant};

/// What the program is written in.
const LANGUAGE: &str = "python";
const CODE: &str = "print(6 * 7)\n";
const ANSWER: &[u8] = b"42\n";
/// The most that packages which are there may cost: a fifth.
pub const MAX_RATIO: f64 = 1.2;

/// Both, beside each other.
#[derive(Debug, Clone, Serialize)]
pub struct PackagesRow {
    /// Bringing the packages before anything was measured, in seconds; some milliseconds where they were there.
    pub first_seconds: f64,
    /// Without packages.
    pub plain: Summary,
    /// With them.
    pub with: Summary,
}

impl PackagesRow {
    /// How many times as long, by the medians.
    pub fn ratio(&self) -> f64 {
        self.with.p50_seconds / self.plain.p50_seconds
    }

    /// Whether the bound holds.
    pub fn held(&self) -> bool {
        self.ratio() <= MAX_RATIO
    }
}

/// Measures so many runs of each, whatever the configuration lets programs have.
pub async fn run(
    sandbox: &Sandbox,
    named: &[String],
    runs: usize,
    progress: SharedProgress,
) -> Result<PackagesRow, BenchError> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| BenchError::Sandbox(error);
    let asked = RequiredPackages::parse(Registry::Pypi, named);
    let asked = asked.map_err(|error| failed(error.into()))?;
    let packages = sandbox.packages().with_any();
    let begun = Instant::now();
    let language = protocol::language::named(LANGUAGE);
    let made = packages.make(language, &asked, progress.clone()).await;
    made.map_err(|error| failed(error.into()))?;
    let first_seconds = begun.elapsed().as_secs_f64();
    let (mut plain, mut with) = (Vec::new(), Vec::new());
    // Round 0 warms caches and is not counted.
    for round in 0..=runs {
        let times = (
            job(sandbox, None).await?,
            job(sandbox, Some((&packages, &asked, progress.clone()))).await?,
        );
        if round > 0 {
            plain.push(times.0);
            with.push(times.1);
        }
    }
    let none = || BenchError::WrongAnswer {
        what: "the number of runs".to_owned(),
        seen: "0".to_owned(),
        expected: "one at least".to_owned(),
    };
    Ok(PackagesRow {
        first_seconds,
        plain: summary(&plain).ok_or_else(none)?,
        with: summary(&with).ok_or_else(none)?,
    })
}

/// What a job may have besides.
type With<'a> = Option<(&'a Packages, &'a RequiredPackages, SharedProgress)>;

async fn job(sandbox: &Sandbox, with: With<'_>) -> Result<Duration, BenchError> {
    let wrong = |seen: String| BenchError::WrongAnswer {
        what: LANGUAGE.to_owned(),
        seen,
        expected: "42".to_owned(),
    };
    let begun = Instant::now();
    let request = JobRequest {
        language: LANGUAGE.to_owned(),
        code: CODE.to_owned(),
        ..JobRequest::default()
    };
    let job = sandbox.admit(request);
    let mut job = job.map_err(|rejection| wrong(rejection.to_string()))?;
    if let Some((packages, asked, progress)) = with {
        let made = packages.make(job.language, asked, progress).await;
        job.language = made.map_err(|error| wrong(error.to_string()))?;
    }
    let result = sandbox.run(job, JobIo::default()).await;
    match result.status == Status::Ok && result.stdout == ANSWER {
        true => Ok(begun.elapsed()),
        false => Err(wrong(format!("{:?} {:?}", result.status, result.failure))),
    }
}
