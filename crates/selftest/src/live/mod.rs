//! Attacks on a live sandbox: what is done to it, told as the result of a job, so that one judge judges all.
//!
//! | file | who attacks | module |
//! |---|---|---|
//! | `*.client` | its client and its programs; the agent is the real one | `client`, `processes`, `root`, `outputs`, `files`, `watches`, `cells` |
//! | `*.link` | its agent; the client asks for a bit of everything and waits | `waiters` |

mod cells;
mod client;
mod files;
mod outputs;
mod processes;
mod root;
mod waiters;
mod watches;

use crate::error::SelftestError;
use crate::fixture::Fixture;
use crate::judge::Ended;
use crate::request::Asked;
use crate::table::{Attack, Form, text};
use protocol::environment::WORK_DIR;
use protocol::error_code::ErrorCode;
use protocol::job::Job;
use protocol::language::{Language, environment};
use protocol::result::{Failure, JobResult, Status};
use protocol::supervisor::{DEFAULT_KEPT_BYTES, ProcessUser};
use sandbox::live::{LiveError, LiveSandbox, Orders, ProcessLimits, ProcessSpec, Stdin};
use sandbox::sandbox::rejected;
use std::time::{Duration, Instant};

/// How long a VM may take to go, and those who wait for one that is gone to hear it: emulated, on a loaded host.
const GOING: Duration = Duration::from_secs(20);
/// How a reason begins that blames the guest.
const BLAMES_GUEST: &str = "the guest broke the protocol";

/// What was seen of an attack, line by line, and why the sandbox is gone, if it did not stay.
#[derive(Default)]
struct Seen {
    lines: Vec<String>,
    gone: Option<String>,
}

/// Why a client's talk stopped.
enum Stop {
    /// The sandbox is gone, or refused what it must not, for this reason.
    Sandbox(String),
    /// The table's own fault.
    Table(SelftestError),
}

impl From<LiveError> for Stop {
    fn from(error: LiveError) -> Stop {
        Stop::Sandbox(error.to_string())
    }
}

/// Opens a live sandbox, attacks it and closes it.
pub async fn attack(
    fixture: &Fixture,
    attack: &Attack,
    asked: Asked,
) -> Result<Ended, SelftestError> {
    let mut job = match asked.and_then(|request| fixture.sandbox().admit(request)) {
        Ok(job) => job,
        Err(rejection) => return Ok(Ended::With(Box::new(rejected(rejection)))),
    };
    let (form, script) = (attack.form_of(&attack.row.file)?, text(&attack.row.file)?);
    if form == Form::Link {
        // The hostile agent has no use for a filter, and hears of nothing else before its first word.
        job.seccomp_program = script.bytes().map(u64::from).collect();
    }
    let sandbox = match LiveSandbox::open(fixture.sandbox(), &job).await {
        Ok(sandbox) => sandbox,
        Err(error) => {
            let failed = JobResult::failed(job.trace_id, Status::Internal, error.failure());
            return Ok(Ended::NotBegun(Box::new(failed)));
        }
    };
    let begun = Instant::now();
    let mut seen = match form {
        Form::Link => waiters::attack(&sandbox, attack.row.seconds).await,
        _ => client::attack(&sandbox, script, job.language).await?,
    };
    if tokio::time::timeout(GOING, sandbox.close()).await.is_err() {
        seen.breach("the VM does not go");
    }
    Ok(Ended::With(Box::new(result(&job, seen, begun.elapsed()))))
}

impl Seen {
    fn note(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// Something that must not be; the judge takes it up.
    fn breach(&mut self, what: impl std::fmt::Display) {
        self.lines.push(format!("BREACH: {what}"));
    }
}

fn result(job: &Job, seen: Seen, took: Duration) -> JobResult {
    let failure = Failure {
        code: match seen.gone.as_deref().unwrap_or_default() {
            why if why.contains(BLAMES_GUEST) => ErrorCode::GuestMisbehaved,
            _ => ErrorCode::VmDied,
        },
        message: seen.gone.clone().unwrap_or_default(),
        field: None,
    };
    let mut result = JobResult::failed(job.trace_id.clone(), Status::Internal, failure);
    if seen.gone.is_none() {
        (result.status, result.failure) = (Status::Ok, None);
    }
    result.stdout = seen.lines.join("\n").into_bytes();
    result.timings.total = took.as_secs_f64();
    result
}

/// A process with the limits that a sandbox's have by default.
fn spec(language: Language, argv: &[&str]) -> ProcessSpec {
    ProcessSpec {
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        env: environment(language, std::iter::empty()),
        user: ProcessUser::Sandbox,
        cwd: WORK_DIR.to_owned(),
        stdin: Stdin::Empty,
        terminal: None,
        orders: Orders::None,
        kept_bytes: DEFAULT_KEPT_BYTES,
        limits: ProcessLimits {
            wall_millis: 0,
            cpu_seconds: 600,
            memory_bytes: 0,
            pids: 128,
            file_size_bytes: 256 << 20,
            open_files: 256,
        },
    }
}
