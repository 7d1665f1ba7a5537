//! Whether User-Mode Linux runs guests here: found out by running one, in the jail that VMs get, once a
//! boot of the host. What must be so for that is looked at first, for its reason is told better.

use super::UmlEngine;
use super::args::{Machine, Purpose};
use super::launch::Start;
use crate::config::{UmlGuest, VmmConfig};
use crate::engine::{Vm, VmId};
use crate::error::VmmError;
use crate::kept;
use crate::state::StateDir;
use std::path::Path;
use std::time::Duration;
use tokio::time::timeout;

/// The whole guest takes 60 ms, and some seconds on a loaded host.
const DEADLINE: Duration = Duration::from_secs(10);

/// Enough for a kernel and its first process, MiB.
const MEMORY_MIB: u32 = 64;

/// Why there is nothing to probe.
pub(super) const NOT_BUILT: &str =
    "its kernel was not built; llm-firecracker images build --kernel uml";

/// What the probe saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UmlProbed {
    /// Why it does not run here, in one sentence; `None` where it does.
    pub reason: Option<String>,
    /// The answer is from an earlier probe since the host booted: it was told before.
    pub cached: bool,
}

/// Whether a guest runs. Never fails. The first time since the host booted it takes as long as one.
pub async fn probe(config: &VmmConfig) -> UmlProbed {
    let now = |reason: &str| UmlProbed {
        reason: Some(reason.into()),
        cached: false,
    };
    let Some(guest) = config.uml.clone() else {
        return now(NOT_BUILT);
    };
    if let Some(reason) = impossible() {
        return now(&reason);
    }
    let config = config.clone();
    let runtime = tokio::runtime::Handle::current();
    let asked = tokio::task::spawn_blocking(move || match StateDir::open(&config.state_dir) {
        Ok(state) => {
            let key = identity(&guest);
            let ask = || runtime.block_on(run_guest(config, guest)).err();
            let answer = kept::since_boot(&state, "uml", &key, ask);
            UmlProbed {
                reason: answer.value,
                cached: answer.kept,
            }
        }
        Err(e) => UmlProbed {
            reason: Some(e.to_string()),
            cached: false,
        },
    });
    asked
        .await
        .unwrap_or_else(|e| now(&format!("the probe's task ended: {e}")))
}

/// What can be seen without trying.
fn impossible() -> Option<String> {
    let arch = std::env::consts::ARCH;
    if arch != "x86_64" {
        return Some(format!(
            "its kernel is built for x86_64, and this is {arch}"
        ));
    }
    let scope = std::fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    ptrace_refused(scope.trim())
}

/// Yama's levels: 0 and 1 let a process trace its own children.
fn ptrace_refused(scope: &str) -> Option<String> {
    match scope {
        "2" | "3" => Some(format!(
            "this host lets nobody trace his own children (kernel.yama.ptrace_scope is {scope}); 0 or 1 would do"
        )),
        _ => None,
    }
}

/// Another kernel, another agent or another user: another question.
fn identity(guest: &UmlGuest) -> String {
    let name = |path: &Path| {
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let uid = rustix::process::geteuid().as_raw();
    format!("{} {} {uid}", name(&guest.kernel), name(&guest.initramfs))
}

async fn run_guest(config: VmmConfig, guest: UmlGuest) -> Result<(), String> {
    let engine = UmlEngine::new(config).map_err(|e| in_one_line(&e))?;
    let id = format!("uml-probe-{}", std::process::id());
    let start = Start {
        machine: Machine {
            id: VmId::new(id).map_err(|e| in_one_line(&e))?,
            memory_mib: MEMORY_MIB,
            purpose: Purpose::Probe,
        },
        kernel: guest.kernel,
        initramfs: guest.initramfs,
        rootfs: None,
    };
    // Held until the end: a kernel that finds nobody at its seal's other end does not start.
    let (mut vm, _seal) = engine.start(start).await.map_err(|e| in_one_line(&e))?;
    let ended = timeout(DEADLINE, vm.wait_exit()).await;
    let console = vm.console_tail();
    let closed = Box::new(vm).close().await;
    match ended {
        _ if console.contains(protocol::wire::PROBE_ANSWER) => closed.map_err(|e| in_one_line(&e)),
        Ok(exit) => {
            let said = exit.stderr.lines().chain(exit.console.lines()).last();
            Err(format!(
                "its kernel ended before its first process ran ({exit}): {}",
                said.unwrap_or("it said nothing").trim()
            ))
        }
        Err(_) => Err(format!(
            "its first process did not run within {} s",
            DEADLINE.as_secs()
        )),
    }
}

/// An error, its cause and the VMM's last words, as a sentence.
fn in_one_line(error: &VmmError) -> String {
    let mut text = error.to_string();
    if let Some(cause) = std::error::Error::source(error) {
        text.push_str(&format!(": {cause}"));
    }
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yamas_levels_are_told_apart() {
        for (scope, refused) in [
            ("", false),
            ("0", false),
            ("1", false),
            ("2", true),
            ("3", true),
        ] {
            assert_eq!(ptrace_refused(scope).is_some(), refused, "{scope}");
        }
    }

    #[tokio::test]
    async fn without_a_kernel_it_says_how_to_get_one() {
        let probed = probe(&VmmConfig::default()).await;
        assert!(probed.reason.unwrap().contains("images build"));
    }
}
