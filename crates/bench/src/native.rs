//! The same program in a fresh VM and natively, in turn, so that a machine whose speed drifts is unfair to
//! neither: what an engine costs a job that computes, starts processes, or brings much along.
//!
//! Natively is the image's own interpreter on the host's kernel, in namespaces and nothing else
//! (`bwrap`), so that both run the same file. A program times itself: what starts it does not count.

use crate::compare::containers::unpack;
use crate::compare::contender::{CommandLine, find_program};
use crate::stats::{Summary, summary};
use crate::{BenchError, scratch};
use protocol::bytes::Bytes;
use protocol::job::{JobRequest, RequestedLimits};
use protocol::result::Status;
use protocol::wire::InputFile;
use sandbox::drive::JobIo;
use sandbox::sandbox::Sandbox;
use sandbox::session::Session;
use serde::Serialize;
use std::path::Path;
use std::time::{Duration, Instant};

/// What the timed programs are written in.
pub const LANGUAGE: &str = "python";

/// A program that prints how long its work took, seconds.
pub(crate) struct Timed {
    pub(crate) name: &'static str,
    pub(crate) code: &'static str,
}

const TIMED: &[Timed] = &[
    Timed {
        name: "python, a loop of 10 million rounds",
        code: "import time\nt = time.perf_counter()\nfor i in range(10_000_000):\n    pass\nprint(time.perf_counter() - t)\n",
    },
    Timed {
        name: "python, 200 × subprocess.run(['/bin/true'])",
        code: "import subprocess, time\nt = time.perf_counter()\nfor i in range(200):\n    subprocess.run(['/bin/true'])\nprint(time.perf_counter() - t)\n",
    },
];

/// The longest of them takes some seconds, emulated on a loaded host a minute.
const TIMEOUT_SECONDS: f64 = 120.0;

/// The most that a job's code may have, and about what the comment below makes of it.
const LARGE_CODE_BYTES: usize = 1 << 20;

/// Files that go into a session: so many, of so many bytes each, over each other so that they fit.
const FILES: usize = 32;
const FILE_BYTES: usize = 2 << 20;
const FILE_NAMES: usize = 8;

/// One measurement.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What was done.
    pub name: String,
    /// In a fresh VM.
    pub in_vm: Summary,
    /// What it is held against: the same natively, or the same job without its burden; `None`: nothing.
    pub beside: Option<Summary>,
}

impl Row {
    /// How many times as long, by the medians.
    pub fn ratio(&self) -> Option<f64> {
        let beside = self.beside.as_ref()?;
        Some(self.in_vm.p50_seconds / beside.p50_seconds)
    }

    /// How much longer, seconds, by the medians.
    pub fn more_seconds(&self) -> Option<f64> {
        let beside = self.beside.as_ref()?;
        Some(self.in_vm.p50_seconds - beside.p50_seconds)
    }
}

/// Measures all rows on a sandbox whose VMs are booted for each job; `image` is python's.
pub async fn run(
    sandbox: &Sandbox,
    image: &Path,
    runs: usize,
    mut told: impl FnMut(&str),
) -> Result<Vec<Row>, BenchError> {
    let folder = scratch("native")?;
    let root = unpack(image, folder.path()).await?;
    let mut rows = Vec::new();
    for timed in TIMED {
        told(timed.name);
        rows.extend(beside_native(sandbox, &root, timed, runs).await?);
    }
    told("a job of 1 MiB of code");
    rows.extend(large_code(sandbox, runs).await?);
    told("64 MiB of files into a session");
    rows.extend(session_files(sandbox, runs.min(5)).await?);
    Ok(rows)
}

async fn beside_native(
    sandbox: &Sandbox,
    root: &Path,
    timed: &Timed,
    runs: usize,
) -> Result<Option<Row>, BenchError> {
    let native = natively(root, timed.code)?;
    let (mut in_vm, mut beside) = (Vec::new(), Vec::new());
    // Round 0 warms caches and is not counted.
    for round in 0..=runs {
        let (vm, host) = (
            seconds(timed, &job(sandbox, timed.code.to_owned()).await?)?,
            seconds(timed, &native.output().await?)?,
        );
        if round > 0 {
            in_vm.push(vm);
            beside.push(host);
        }
    }
    Ok(row(timed.name, &in_vm, Some(&beside)))
}

async fn large_code(sandbox: &Sandbox, runs: usize) -> Result<Option<Row>, BenchError> {
    let empty = "print(0)\n";
    let large = format!("{empty}#{}", "x".repeat(LARGE_CODE_BYTES - empty.len() - 1));
    let (mut in_vm, mut beside) = (Vec::new(), Vec::new());
    for round in 0..=runs {
        for (code, times) in [(large.as_str(), &mut in_vm), (empty, &mut beside)] {
            let begun = Instant::now();
            job(sandbox, code.to_owned()).await?;
            if round > 0 {
                times.push(begun.elapsed());
            }
        }
    }
    Ok(row(
        "a job of 1 MiB of code, beside an empty one",
        &in_vm,
        Some(&beside),
    ))
}

async fn session_files(sandbox: &Sandbox, runs: usize) -> Result<Option<Row>, BenchError> {
    let failed = |reason: String| BenchError::WrongAnswer {
        what: "a session".into(),
        seen: reason,
        expected: "an open session that takes files".into(),
    };
    let data: Vec<u8> = (0..FILE_BYTES).map(|i| (i % 251) as u8).collect();
    let mut times = Vec::new();
    for _ in 0..runs {
        let job = sandbox
            .admit(request("pass".into()))
            .map_err(|rejection| failed(rejection.to_string()))?;
        let mut session = Session::open(sandbox, &job)
            .await
            .map_err(|error| failed(error.to_string()))?;
        let begun = Instant::now();
        for index in 0..FILES {
            let file = InputFile {
                path: format!("file-{}", index % FILE_NAMES),
                data: Bytes(data.clone()),
            };
            let put = session.put(file).await;
            put.map_err(|error| failed(error.to_string()))?;
        }
        times.push(begun.elapsed());
        session.close().await;
    }
    Ok(row("64 MiB of files into a session", &times, None))
}

fn row(name: &str, in_vm: &[Duration], beside: Option<&[Duration]>) -> Option<Row> {
    Some(Row {
        name: name.to_owned(),
        in_vm: summary(in_vm)?,
        beside: match beside {
            Some(times) => Some(summary(times)?),
            None => None,
        },
    })
}

pub(crate) fn request(code: String) -> JobRequest {
    JobRequest {
        language: LANGUAGE.to_owned(),
        code,
        limits: RequestedLimits {
            timeout_seconds: Some(TIMEOUT_SECONDS),
            ..RequestedLimits::default()
        },
        ..JobRequest::default()
    }
}

async fn job(sandbox: &Sandbox, code: String) -> Result<Vec<u8>, BenchError> {
    let wrong = |seen: String| BenchError::WrongAnswer {
        what: LANGUAGE.into(),
        seen,
        expected: "a number".into(),
    };
    let job = sandbox
        .admit(request(code))
        .map_err(|rejection| wrong(rejection.to_string()))?;
    let result = sandbox.run(job, JobIo::default()).await;
    match result.status {
        Status::Ok => Ok(result.stdout),
        status => Err(wrong(format!("{} {:?}", status.as_str(), result.failure))),
    }
}

pub(crate) fn natively(root: &Path, code: &str) -> Result<CommandLine, BenchError> {
    let Some(bwrap) = find_program("bwrap") else {
        return Err(BenchError::Command {
            command: "bwrap".into(),
            reason: "not installed".into(),
        });
    };
    let root = root.display().to_string();
    let words = [
        &bwrap,
        "--unshare-all",
        "--die-with-parent",
        "--ro-bind",
        &root,
        "/",
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--tmpfs",
        "/tmp",
        "/usr/bin/python3",
        "-c",
        code,
    ];
    Ok(CommandLine::new(words))
}

pub(crate) fn seconds(timed: &Timed, stdout: &[u8]) -> Result<Duration, BenchError> {
    let text = String::from_utf8_lossy(stdout);
    let number: Option<f64> = text.trim().parse().ok();
    let time = number.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.ok_or_else(|| BenchError::WrongAnswer {
        what: timed.name.into(),
        seen: text.into_owned(),
        expected: "a number of seconds".into(),
    })
}
