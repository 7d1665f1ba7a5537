//! The process service: what runs, and what is asked of it.

use super::Done;
use super::connect::{ConnectCode, ConnectError};
use super::problem;
use crate::body::{JsonBody, null_as_absent};
use crate::e2b::address::Addressed;
use crate::e2b::error::AsE2b;
use crate::problem::Problem;
use crate::sandboxes::process::{SizeBody, beginning};
use crate::sandboxes::table::UsedSandbox;
use axum::Json;
use protocol::supervisor::{ProcessId, SignalTarget};
use sandbox::live::ProcessInfo;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a process runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ConfigBody {
    /// The program.
    pub cmd: String,
    /// Its arguments.
    #[serde(default, deserialize_with = "null_as_absent")]
    pub args: Vec<String>,
    /// Added to its environment.
    #[serde(default, deserialize_with = "null_as_absent")]
    pub envs: BTreeMap<String, String>,
    /// Where it starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
}

impl ConfigBody {
    /// As it is kept and listed: the beginning of its arguments, and its variables where they are few.
    pub fn listed(&self) -> ConfigBody {
        let bytes = |(name, value): (&String, &String)| name.len() + value.len();
        let few = self.envs.iter().map(bytes).sum::<usize>() <= MAX_LISTED_ENV_BYTES;
        ConfigBody {
            cmd: self.cmd.clone(),
            args: beginning(self.args.clone()),
            envs: match few {
                true => self.envs.clone(),
                false => BTreeMap::new(),
            },
            cwd: self.cwd.clone(),
        }
    }
}

/// Bytes of variables that are listed: 256 processes may have 128 KiB each.
const MAX_LISTED_ENV_BYTES: usize = 4096;

/// Which process.
#[derive(Debug, Default, Deserialize)]
pub struct Selector {
    /// Its number inside the sandbox.
    #[serde(default)]
    pid: Option<u32>,
    /// The name that it was started with.
    #[serde(default)]
    tag: Option<String>,
}

impl Selector {
    /// A process that runs.
    pub fn find(&self, used: &UsedSandbox) -> Result<ProcessInfo, ConnectError> {
        let mut running = used.live.processes();
        running.retain(|info| info.report.is_none());
        let tagged = self
            .tag
            .as_deref()
            .and_then(|tag| used.slot.e2b.as_ref()?.processes.tagged(tag));
        let is_meant = |info: &ProcessInfo| match self.pid {
            Some(pid) => info.pid == pid,
            None => tagged == Some(info.id),
        };
        let found = running.into_iter().rev().find(is_meant);
        found.ok_or_else(|| {
            let name = match (self.pid, &self.tag) {
                (Some(pid), _) => format!("pid {pid}"),
                (None, Some(tag)) => format!("tag {}", protocol::validate::shown(tag)),
                (None, None) => "no pid and no tag".to_owned(),
            };
            ConnectError::new(
                ConnectCode::NotFound,
                format!("process with {name} not found"),
            )
        })
    }
}

/// A terminal, as clients ask for one.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Terminal {
    /// Absent: 80 by 24.
    #[serde(default)]
    size: Option<TerminalSizeBody>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct TerminalSizeBody {
    #[serde(default)]
    cols: u16,
    #[serde(default)]
    rows: u16,
}

impl Terminal {
    /// Its size.
    pub fn size(self) -> SizeBody {
        let TerminalSizeBody { cols, rows } =
            self.size.unwrap_or(TerminalSizeBody { cols: 80, rows: 24 });
        SizeBody {
            rows,
            columns: cols,
        }
    }
}

/// A process, as it is listed.
#[derive(Debug, Serialize)]
pub struct InfoBody {
    config: ConfigBody,
    pid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
}

/// What runs.
#[derive(Debug, Serialize)]
pub struct ListBody {
    processes: Vec<InfoBody>,
}

/// `List`.
pub async fn list(addressed: Result<Addressed, AsE2b>) -> Result<Json<ListBody>, ConnectError> {
    let Addressed { used, .. } = addressed?;
    let running = used
        .live
        .processes()
        .into_iter()
        .filter(|info| info.report.is_none());
    let processes = running.filter_map(|info| {
        // What no client of E2B's started, as an interpreter, is not shown.
        let (config, tag) = used.slot.e2b.as_ref()?.processes.said(info.id)?;
        Some(InfoBody {
            config,
            pid: info.pid,
            tag,
        })
    });
    Ok(Json(ListBody {
        processes: processes.collect(),
    }))
}

/// A signal by name, or by its number in the protocol.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
enum SignalName {
    Name(NamedSignal),
    Number(i32),
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum NamedSignal {
    #[serde(rename = "SIGNAL_SIGTERM")]
    Term,
    #[serde(rename = "SIGNAL_SIGKILL")]
    Kill,
}

impl SignalName {
    fn number(self) -> Option<i32> {
        match self {
            SignalName::Name(NamedSignal::Term) => Some(libc::SIGTERM),
            SignalName::Name(NamedSignal::Kill) => Some(libc::SIGKILL),
            SignalName::Number(number) => [libc::SIGTERM, libc::SIGKILL]
                .into_iter()
                .find(|known| *known == number),
        }
    }
}

/// A signal for a process.
#[derive(Debug, Deserialize)]
pub struct SignalBody {
    process: Selector,
    signal: SignalName,
}

/// `SendSignal`: to the process and what it started.
pub async fn signal(
    addressed: Result<Addressed, AsE2b>,
    body: Result<JsonBody<SignalBody>, Problem>,
) -> Result<Json<Done>, ConnectError> {
    let Addressed { used, .. } = addressed?;
    let SignalBody { process, signal } = body?.value;
    let id = process.find(&used)?.id;
    let number = signal.number().ok_or_else(|| {
        ConnectError::new(
            ConnectCode::InvalidArgument,
            "signal is neither SIGTERM nor SIGKILL",
        )
    })?;
    let to = match number {
        libc::SIGKILL => SignalTarget::All,
        _ => SignalTarget::Group,
    };
    used.live
        .signal(id, number, to)
        .await
        .map_err(|error| problem(&used, error))?;
    if number == libc::SIGKILL {
        // Who asks next finds it gone.
        let _ = tokio::time::timeout(KILL_PATIENCE, used.live.wait(id)).await;
    }
    Ok(Json(Done {}))
}

/// How long a killed process may take to end before its request is answered.
const KILL_PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// What is to change of a process.
#[derive(Debug, Deserialize)]
pub struct UpdateBody {
    process: Selector,
    #[serde(default)]
    pty: Option<Terminal>,
}

/// `Update`: another size of a terminal.
pub async fn update(
    addressed: Result<Addressed, AsE2b>,
    body: Result<JsonBody<UpdateBody>, Problem>,
) -> Result<Json<Done>, ConnectError> {
    let Addressed { used, .. } = addressed?;
    let UpdateBody { process, pty } = body?.value;
    let id: ProcessId = process.find(&used)?.id;
    if let Some(pty) = pty {
        let size = pty.size().size("pty")?;
        used.live
            .resize(id, size)
            .await
            .map_err(|error| problem(&used, error))?;
    }
    Ok(Json(Done {}))
}
