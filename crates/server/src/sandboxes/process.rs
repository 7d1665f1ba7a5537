//! What clients send to start a process, and get to know of one.

use super::exit::ExitBody;
use super::follower::OnDisconnect;
use super::path;
use super::slot::SandboxSlot;
use super::table::UsedSandbox;
use super::user::UserBody;
use crate::app::App;
use crate::body::{null_as_absent, object, object_or_default};
use crate::execute::response::IsolationBody;
use crate::problem::{HttpCode, Problem};
use crate::staying::within;
use protocol::environment::WORK_DIR;
use protocol::error_code::ErrorCode;
use protocol::job::{Job, JobRequest, RequestedLimits};
use protocol::language;
use protocol::supervisor::{DEFAULT_KEPT_BYTES, MAX_KEPT_BYTES, ProcessLimits, TerminalSize};
use protocol::validate::Rejection;
use sandbox::live::{Orders, ProcessInfo, ProcessSpec, Stdin};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

const MIB: u64 = 1024 * 1024;

/// A process that is wanted. `cmd` or `argv` says what it runs.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"cmd": "python3 -m http.server", "limits": {"timeout": 60}}))]
pub struct ProcessRequest {
    /// A line for `/bin/bash -c`.
    #[serde(default)]
    pub cmd: Option<String>,
    /// A program and its arguments, run without a shell.
    #[serde(default)]
    pub argv: Option<Vec<String>>,
    /// The folder where it starts; absolute. Absent: `/work`.
    #[serde(default)]
    pub cwd: Option<String>,
    /// As whom it runs; `root` only where the operator allows it (`guest_root`).
    #[serde(default, deserialize_with = "null_as_absent")]
    #[schema(nullable)]
    pub user: UserBody,
    /// Added to the sandbox's environment.
    #[serde(default, deserialize_with = "null_as_absent")]
    #[schema(nullable)]
    pub env: BTreeMap<String, String>,
    /// Give it a terminal of this size instead of pipes.
    #[serde(default, deserialize_with = "object")]
    pub pty: Option<SizeBody>,
    /// Its standard input; a terminal's is always open.
    #[serde(default, deserialize_with = "null_as_absent")]
    #[schema(nullable)]
    pub stdin: StdinRequest,
    /// Bytes kept of its output for who asks later, at most 32 MiB; absent: 1 MiB.
    #[serde(default)]
    pub kept_bytes: Option<u64>,
    /// What it and what it starts may use.
    #[serde(default, deserialize_with = "object_or_default")]
    #[schema(nullable)]
    pub limits: ProcessLimitsRequest,
    /// What becomes of it when nobody follows its output any more.
    #[serde(default, deserialize_with = "null_as_absent")]
    #[schema(nullable)]
    pub on_disconnect: OnDisconnect,
    /// Answer at once; `false`: answer with its output as it comes, and its end.
    #[serde(default)]
    pub background: Option<bool>,
}

/// A process' standard input.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum StdinRequest {
    /// At its end from the start.
    #[default]
    Empty,
    /// Open, to be written and closed later.
    Open,
}

/// A terminal's size, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"rows": 24, "columns": 80}))]
pub struct SizeBody {
    /// Lines.
    #[schema(minimum = 1)]
    pub rows: u16,
    /// Characters a line.
    #[schema(minimum = 1)]
    pub columns: u16,
}

/// What one process and what it starts may use; absent: what the sandbox has.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProcessLimitsRequest {
    /// Seconds that it may run; at most a sandbox's longest time.
    #[serde(default)]
    pub timeout: Option<f64>,
    /// Seconds of CPU time that one of its processes may use.
    #[serde(default)]
    pub cpu_seconds: Option<u64>,
    /// Memory, in MiB.
    #[serde(default)]
    pub memory_mib: Option<u64>,
    /// Processes and threads at one time.
    #[serde(default)]
    pub pids: Option<u64>,
    /// The largest file that it may write, in bytes.
    #[serde(default)]
    pub file_size_bytes: Option<u64>,
}

/// A process.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProcessBody {
    /// Its name in this API.
    pub id: u32,
    /// Its number inside the sandbox.
    pub pid: u32,
    /// The program and its arguments; in a list of processes their first KiB.
    pub argv: Vec<String>,
    /// Where it started.
    pub cwd: String,
    /// As whom it runs.
    pub user: UserBody,
    /// What holds its sandbox.
    pub isolation: IsolationBody,
    /// It has a terminal.
    pub pty: bool,
    /// What becomes of it when nobody follows its output any more.
    pub on_disconnect: OnDisconnect,
    /// When it started (RFC 3339, UTC).
    pub started_at: String,
    /// How it ended; `null` while it runs.
    pub exit: Option<ExitBody>,
}

/// A request taken apart.
#[derive(Debug)]
pub struct Wanted {
    /// For [`sandbox::live::LiveSandbox::start`].
    pub spec: ProcessSpec,
    /// What becomes of it without followers.
    pub on_disconnect: OnDisconnect,
    /// What the answer is.
    pub answer: StartAnswer,
}

/// What answers the request to start a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartAnswer {
    /// What is known of it, at once.
    AtOnce,
    /// Its output as it comes, and its end.
    AsItRuns,
}

impl SizeBody {
    /// The size, unless there is nothing of it.
    pub fn size(self, field: &'static str) -> Result<TerminalSize, Problem> {
        if self.rows == 0 || self.columns == 0 {
            let sentence = "a terminal has at least one row and one column";
            return Err(Problem::with(HttpCode::FieldInvalid, sentence).field(field));
        }
        Ok(TerminalSize {
            rows: self.rows,
            columns: self.columns,
        })
    }
}

impl ProcessRequest {
    /// Takes the request apart. What jobs have too is judged as a job of the sandbox's size would be: arguments,
    /// environment, limits, and the scan for patterns.
    pub fn wanted(self, app: &App, slot: &SandboxSlot) -> Result<Wanted, Problem> {
        let (field, code, argv) = self.command()?;
        let cwd = self.cwd.clone().unwrap_or_else(|| WORK_DIR.into());
        path::check("cwd", &cwd)?;
        let terminal = self.pty.map(|size| size.size("pty")).transpose()?;
        let kept_bytes = self.kept_bytes()?;
        let judged = app
            .judge(self.judged(slot, code, argv))
            .map_err(|problem| named(problem, field))?;
        let limits = self.limits(app, slot, &judged)?;
        let spec = ProcessSpec {
            env: environment(slot, terminal, &judged.env),
            argv: judged.args,
            cwd,
            user: self.user.into(),
            stdin: match (self.stdin, terminal) {
                (StdinRequest::Empty, None) => Stdin::Empty,
                _ => Stdin::Open,
            },
            terminal,
            orders: Orders::None,
            kept_bytes,
            limits,
        };
        Ok(Wanted {
            spec,
            on_disconnect: self.on_disconnect,
            answer: match self.background.unwrap_or(true) {
                true => StartAnswer::AtOnce,
                false => StartAnswer::AsItRuns,
            },
        })
    }

    /// The field that says what is run, that as text, and its arguments.
    fn command(&self) -> Result<(&'static str, String, Vec<String>), Problem> {
        let wrong =
            |field, text: &str| Err(Problem::with(HttpCode::FieldInvalid, text).field(field));
        match (&self.cmd, &self.argv) {
            (Some(_), Some(_)) => wrong("argv", "both cmd and argv are given"),
            (None, None) => wrong("cmd", "what to run is missing: give cmd or argv"),
            (Some(line), None) => {
                let argv = ["/bin/bash", "-c", line].map(str::to_owned);
                Ok(("cmd", line.clone(), argv.into()))
            }
            (None, Some(argv)) if argv.first().is_none_or(String::is_empty) => {
                wrong("argv", "argv names no program")
            }
            (None, Some(argv)) => Ok(("argv", argv.join(" "), argv.clone())),
        }
    }

    fn kept_bytes(&self) -> Result<u64, Problem> {
        let kept = self.kept_bytes.unwrap_or(DEFAULT_KEPT_BYTES);
        if kept <= MAX_KEPT_BYTES {
            return Ok(kept);
        }
        let sentence = format!("kept_bytes is {kept}, allowed are {MAX_KEPT_BYTES}");
        Err(Problem::with(HttpCode::FieldInvalid, sentence).field("kept_bytes"))
    }

    /// A job that is never run.
    fn judged(&self, slot: &SandboxSlot, code: String, argv: Vec<String>) -> JobRequest {
        let whole = slot.judged(slot.job.language);
        JobRequest {
            code,
            args: argv,
            env: self.env.clone(),
            limits: RequestedLimits {
                cpu_seconds: self.limits.cpu_seconds,
                pids: self.limits.pids.or(whole.limits.pids),
                file_size_bytes: self.limits.file_size_bytes.or(whole.limits.file_size_bytes),
                ..whole.limits
            },
            ..whole
        }
    }

    fn limits(
        &self,
        app: &App,
        slot: &SandboxSlot,
        judged: &Job,
    ) -> Result<ProcessLimits, Problem> {
        let longest = app.config.sessions.total_seconds;
        let wall_millis = match self.limits.timeout {
            None => 0,
            asked => within("limits.timeout", asked, longest)?.as_millis().max(1) as u64,
        };
        let whole = &slot.job.limits;
        let memory_bytes = match self.limits.memory_mib {
            None => 0,
            Some(own) if (1..=u64::from(whole.memory_mib)).contains(&own) => own * MIB,
            Some(own) => {
                let text = format!("memory_mib is {own}, the sandbox has {}", whole.memory_mib);
                let rejection = Rejection::new(ErrorCode::MemoryInvalid, "limits.memory_mib", text);
                return Err(rejection.into());
            }
        };
        Ok(ProcessLimits {
            wall_millis,
            cpu_seconds: match self.limits.cpu_seconds {
                None | Some(0) => 0,
                Some(_) => judged.limits.cpu.as_secs(),
            },
            memory_bytes,
            pids: judged.limits.pids.min(whole.pids),
            file_size_bytes: judged.limits.file_size_bytes,
            open_files: whole.open_files,
        })
    }
}

/// The whole environment: each part over the one before.
fn environment(
    slot: &SandboxSlot,
    terminal: Option<TerminalSize>,
    own: &[(String, String)],
) -> Vec<(String, String)> {
    // What a terminal that understands colours and a cursor is called everywhere.
    let term = terminal.map(|_| ("TERM", "xterm-256color"));
    let named = slot.job.env.iter().chain(own);
    let named = named.map(|(name, value)| (name.as_str(), value.as_str()));
    language::environment(slot.job.language, term.into_iter().chain(named))
}

/// A refusal by the names that this request has.
fn named(problem: Problem, command: &'static str) -> Problem {
    match problem.field.as_deref() {
        Some("args" | "code") => problem.field(command),
        _ => super::body::in_limits(problem),
    }
}

/// Bytes of its arguments that a list has of a process: 256 processes may have 128 KiB each.
const MAX_LISTED_BYTES: usize = 1024;

/// The beginning of these arguments, cut between characters.
pub fn beginning(argv: Vec<String>) -> Vec<String> {
    let mut room = MAX_LISTED_BYTES;
    let mut kept = Vec::new();
    for mut argument in argv {
        let most = room.min(argument.len());
        let is_between = |at: &usize| argument.is_char_boundary(*at);
        let end = (0..=most).rev().find(is_between).unwrap_or(0);
        let is_whole = end == argument.len();
        argument.truncate(end);
        // Each has its quotes and its comma.
        room = room.saturating_sub(end + 3);
        kept.push(argument);
        if !is_whole || room == 0 {
            break;
        }
    }
    kept
}

impl ProcessBody {
    /// What a list has of it.
    pub fn listed(used: &UsedSandbox, mut info: ProcessInfo) -> ProcessBody {
        info.argv = beginning(info.argv);
        ProcessBody::of(used, info)
    }

    /// What a client is told of it.
    pub fn of(used: &UsedSandbox, info: ProcessInfo) -> ProcessBody {
        let started = jiff::Timestamp::try_from(info.started_at).unwrap_or_default();
        ProcessBody {
            id: info.id,
            pid: info.pid,
            argv: info.argv,
            cwd: info.cwd,
            pty: info.terminal,
            on_disconnect: used.slot.followed.wish(info.id),
            started_at: started.to_string(),
            user: info.user.into(),
            isolation: used.live.isolation().into(),
            exit: info.report.map(|report| ExitBody::of(&used.live, report)),
        }
    }
}

#[cfg(test)]
mod tests;
