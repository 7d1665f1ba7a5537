//! What is asked of a process, and what is known of one.

use super::error::LiveError;
use super::state::Voice;
use protocol::limits::{MAX_ARG_BYTES, MAX_ARGS, MAX_ENV};
use protocol::link::StreamId;
use protocol::result::GuestWall;
use protocol::supervisor::{
    Entry, LANES, MAX_FOLLOWERS, MAX_PATH_BYTES, ProcessId, ProcessLimits, ProcessReport,
    ProcessUser, StartProcess, TerminalSize,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::time::SystemTime;

/// Where a process' standard input comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stdin {
    /// From nowhere: it is at its end.
    #[default]
    Empty,
    /// From [`super::LiveSandbox::write`].
    Open,
}

/// Whether a process is an interpreter, told what to do beside its standard input.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Orders {
    /// It is a program like any other.
    #[default]
    None,
    /// It reads one and becomes what it says: an interpreter that waits.
    Once,
    /// It reads them from [`super::Guest::order`] and answers among its output, which has lanes.
    Open,
}

/// A process to start.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessSpec {
    /// The program and its arguments: 1 to [`MAX_ARGS`], at most [`MAX_ARG_BYTES`] together.
    pub argv: Vec<String>,
    /// The whole environment: at most [`MAX_ENV`] variables of at most [`MAX_ARG_BYTES`] together.
    pub env: Vec<(String, String)>,
    /// Where it starts; absolute.
    pub cwd: String,
    /// As whom it runs.
    pub user: ProcessUser,
    /// Its standard input; a terminal always has one.
    pub stdin: Stdin,
    /// Its orders; a terminal has none.
    pub orders: Orders,
    /// A terminal of this size; `None`: pipes.
    pub terminal: Option<TerminalSize>,
    /// Bytes kept of its output for who comes later.
    pub kept_bytes: u64,
    /// What it may use.
    pub limits: ProcessLimits,
}

impl ProcessSpec {
    /// What no guest needs to be asked: the host remembers the arguments of each process.
    pub(super) fn check(&self) -> Result<(), LiveError> {
        let refused = |why: String| Err(LiveError::NotStarted(why));
        let argument_bytes: usize = self.argv.iter().map(String::len).sum();
        let variable_bytes: usize = self
            .env
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        match () {
            () if self.argv.is_empty() => refused("no program is named".into()),
            () if self.argv.len() > MAX_ARGS => refused(format!("more than {MAX_ARGS} arguments")),
            () if self.env.len() > MAX_ENV => refused(format!("more than {MAX_ENV} variables")),
            () if argument_bytes > MAX_ARG_BYTES => refused(format!(
                "the arguments have more than {MAX_ARG_BYTES} bytes"
            )),
            () if variable_bytes > MAX_ARG_BYTES => refused(format!(
                "the variables have more than {MAX_ARG_BYTES} bytes"
            )),
            () if self.cwd.len() > MAX_PATH_BYTES => refused(format!(
                "the folder's path has more than {MAX_PATH_BYTES} bytes"
            )),
            () => Ok(()),
        }
    }

    pub(super) fn has_stdin(&self) -> bool {
        self.stdin == Stdin::Open || self.terminal.is_some()
    }

    pub(super) fn has_orders(&self) -> bool {
        self.orders != Orders::None && self.terminal.is_none()
    }

    /// What it may write on.
    pub(super) fn voice(&self) -> Voice {
        match self.terminal {
            Some(_) => Voice::Terminal,
            None if self.has_orders() => Voice::Interpreter,
            None => Voice::Pipes,
        }
    }

    pub(super) fn to_start(
        &self,
        process: ProcessId,
        stdin: Option<StreamId>,
        orders: Option<StreamId>,
    ) -> StartProcess {
        StartProcess {
            process,
            argv: self.argv.clone(),
            env: self.env.clone(),
            cwd: self.cwd.clone(),
            user: self.user,
            stdin,
            terminal: self.terminal,
            orders,
            files: Vec::new(),
            output: None,
            output_bytes: 0,
            lanes: match self.orders {
                Orders::Open => LANES,
                Orders::None | Orders::Once => 0,
            },
            kept_bytes: self.kept_bytes,
            limits: self.limits.clone(),
        }
    }
}

/// What is known of one process now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessInfo {
    /// Its name in this sandbox.
    pub id: ProcessId,
    /// Its number inside the sandbox.
    pub pid: u32,
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Where it started.
    pub cwd: String,
    /// As whom it runs.
    pub user: ProcessUser,
    /// Whether it has a terminal.
    pub terminal: bool,
    /// When the host heard that it runs.
    pub started_at: SystemTime,
    /// How it ended; `None` while it runs.
    pub report: Option<ProcessReport>,
}

/// A folder's entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// In order of their paths.
    pub entries: Vec<Entry>,
    /// There were more.
    pub truncated: bool,
}

/// What everybody who holds the sandbox sees of it.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Started and not forgotten.
    pub(super) processes: BTreeMap<ProcessId, ProcessInfo>,
    /// How those ended that were forgotten last, for who followed them then: as many as there are followers.
    forgotten: VecDeque<(ProcessId, ProcessReport)>,
    /// Whether a process was to be root: then the wall inside is down for all of them.
    pub(super) guest: GuestWall,
    /// Why nothing more can be asked.
    pub(super) over: Option<String>,
    /// Whether the VM is destroyed, its memory given back.
    pub(super) vm_gone: bool,
}

impl Known {
    /// These processes, and what stands around them.
    pub(super) fn of(processes: BTreeMap<ProcessId, ProcessInfo>, guest: GuestWall) -> Known {
        Known {
            processes,
            guest,
            ..Known::default()
        }
    }

    pub(super) fn gone(&self) -> LiveError {
        let why = self.over.as_deref().unwrap_or("its task ended");
        LiveError::Gone(why.to_owned())
    }

    /// An ended process is no longer known but to who followed it.
    pub(super) fn forget(&mut self, id: ProcessId) {
        let report = self.processes.remove(&id).and_then(|info| info.report);
        if self.forgotten.len() == MAX_FOLLOWERS {
            self.forgotten.pop_front();
        }
        self.forgotten.extend(report.map(|report| (id, report)));
    }

    /// How a process ended that was forgotten.
    pub(super) fn forgotten(&self, id: ProcessId) -> Option<ProcessReport> {
        let mut forgotten = self.forgotten.iter();
        let (_, report) = forgotten.find(|(process, _)| *process == id)?;
        Some(report.clone())
    }

    pub(super) fn process(&self, id: ProcessId) -> Result<&ProcessInfo, LiveError> {
        self.processes.get(&id).ok_or(LiveError::NoProcess { id })
    }
}
