//! Whether User-Mode Linux runs guests here: found out by running one, in the jail that VMs get, once a
//! boot of the host. What must be so for that is looked at first, for its reason is told better.

use super::UmlEngine;
use super::args::{Machine, Purpose};
use super::launch::UmlStart;
use super::reason::{Reason, of_deadline, of_end, of_error};
use crate::cache::{self, Holds};
use crate::config::{UmlGuest, VmmConfig};
use crate::engine::{Vm, VmExit, VmId};
use crate::jail::find_program;
use crate::state::StateDir;
use std::path::Path;
use std::time::Duration;
use tokio::time::timeout;

/// The whole guest takes 60 ms, and some seconds on a loaded host.
const DEADLINE: Duration = Duration::from_secs(10);

/// Enough for a kernel and its first process, MiB.
const MEMORY_MIB: u32 = 64;

/// How long an answer is kept that says nothing of the host for sure: one that was too busy is asked
/// again, one that never answers costs each job nothing.
const PASSING: Duration = Duration::from_secs(300);

/// What the kernel is built for.
const ARCH: &str = "x86_64";

/// Whom Yama lets trace whom; 0 and 1 let a process trace its own children.
const PTRACE_SCOPE: &str = "/proc/sys/kernel/yama/ptrace_scope";

/// What else may be changed while the host runs, so that an earlier answer no longer counts.
const RIGHTS: [&str; 4] = [
    "/proc/sys/user/max_user_namespaces",
    "/proc/sys/kernel/unprivileged_userns_clone",
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    "/proc/self/attr/current",
];

/// What the probe saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UmlProbed {
    /// Why it does not run here, in one sentence; `None` where it does.
    pub reason: Option<String>,
    /// The answer is from an earlier probe since the host booted.
    pub cached: bool,
}

/// Whether a guest runs. Never fails. The first time since the host booted it takes as long as one.
pub async fn probe(config: &VmmConfig) -> UmlProbed {
    let now = |reason: String| UmlProbed {
        reason: Some(reason),
        cached: false,
    };
    let guest = match config.uml.clone() {
        Ok(guest) => guest,
        Err(reason) => return now(reason),
    };
    if let Some(reason) = cannot_run_here() {
        return now(reason);
    }
    let config = config.clone();
    let runtime = tokio::runtime::Handle::current();
    let asked = tokio::task::spawn_blocking(move || match StateDir::open(&config.state_dir) {
        Ok(state) => {
            let key = identity(&config, &guest);
            let ask = || judge(runtime.block_on(run_guest(config, guest)));
            let answer = cache::while_it_holds(&state, "uml", &key, ask);
            UmlProbed {
                reason: answer.value,
                cached: answer.was_cached,
            }
        }
        Err(e) => UmlProbed {
            reason: Some(e.to_string()),
            cached: false,
        },
    });
    asked
        .await
        .unwrap_or_else(|e| now(format!("the probe's task ended: {e}")))
}

/// Why it cannot run on this host, as far as that can be seen without a kernel to try; `None`: it may.
pub fn cannot_run_here() -> Option<String> {
    let scope = std::fs::read_to_string(PTRACE_SCOPE).unwrap_or_default();
    impossible(std::env::consts::ARCH, scope.trim())
}

/// What can be seen without trying: of this architecture, with this level of Yama's ("" where there is
/// no Yama).
fn impossible(arch: &str, scope: &str) -> Option<String> {
    if arch != ARCH {
        return Some(format!(
            "its kernel is built for {ARCH}, and this is {arch}; an {ARCH} host would do"
        ));
    }
    match scope {
        "2" | "3" => Some(format!(
            "this host lets nobody trace his own children (kernel.yama.ptrace_scope is {scope}); 0 or 1 would do"
        )),
        _ => None,
    }
}

/// What the answer is, and for how long.
fn judge(ran: Result<(), Reason>) -> (Option<String>, Holds) {
    match ran {
        Ok(()) => (None, Holds::UntilBoot),
        Err(Reason::Lasting(reason)) => (Some(reason), Holds::UntilBoot),
        Err(Reason::Passing(reason)) => (Some(reason), Holds::For(PASSING)),
    }
}

/// Another kernel, agent, user or bubblewrap, other walls around the tool or other rights: another question.
fn identity(config: &VmmConfig, guest: &UmlGuest) -> String {
    let name = |path: &Path| {
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let bwrap = find_program("bwrap", config.bwrap_path.as_deref(), "bubblewrap");
    let bwrap = bwrap.unwrap_or_default();
    let mut facts = vec![
        name(&guest.kernel),
        name(&guest.initramfs),
        rustix::process::geteuid().as_raw().to_string(),
        bwrap.display().to_string(),
    ];
    let link = std::fs::read_link("/proc/self/ns/user").unwrap_or_default();
    facts.push(link.display().to_string());
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let walls = status.lines().filter(|line| line.starts_with("Seccomp"));
    facts.extend(walls.map(str::to_owned));
    facts.extend(RIGHTS.map(|file| std::fs::read_to_string(file).unwrap_or_default()));
    let words: Vec<&str> = facts.iter().flat_map(|f| f.split_whitespace()).collect();
    words.join(" ")
}

async fn run_guest(config: VmmConfig, guest: UmlGuest) -> Result<(), Reason> {
    let engine = UmlEngine::new(config).map_err(|e| of_error(&e))?;
    let id = format!("uml-probe-{}", std::process::id());
    let start = UmlStart {
        machine: Machine {
            id: VmId::new(id).map_err(|e| of_error(&e))?,
            memory_mib: MEMORY_MIB,
            purpose: Purpose::Probe,
        },
        kernel: guest.kernel,
        initramfs: guest.initramfs,
        rootfs: None,
    };
    // Held until the end: a kernel that finds nobody at its seal's other end does not start.
    let (mut vm, _seal) = engine.start(start).await.map_err(|e| of_error(&e))?;
    let ended = timeout(DEADLINE, vm.wait_exit()).await;
    let console = vm.console_tail();
    let ran = console.contains(protocol::wire::PROBE_ANSWER);
    let closed = Box::new(vm).close().await;
    match ended {
        _ if ran => closed.map_err(|e| of_error(&e)),
        Ok(exit) => Err(of_end(&VmExit { console, ..exit })),
        Err(_) => Err(of_deadline(DEADLINE)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No host of ours has Yama or another architecture: here they are numbers and names.
    #[test]
    fn what_needs_no_trying_is_told_at_once() {
        for (arch, scope, word) in [
            ("x86_64", "", None),
            ("x86_64", "0", None),
            ("x86_64", "1", None),
            ("x86_64", "2", Some("ptrace_scope is 2")),
            ("x86_64", "3", Some("ptrace_scope is 3")),
            ("aarch64", "", Some("this is aarch64")),
        ] {
            let reason = impossible(arch, scope);
            match word {
                None => assert_eq!(reason, None, "{arch} {scope}"),
                Some(word) => {
                    let reason = reason.unwrap();
                    assert!(reason.contains(word) && reason.contains("would do"));
                }
            }
        }
    }

    #[test]
    fn only_what_is_known_to_stay_is_kept_until_the_host_boots() {
        assert_eq!(judge(Ok(())), (None, Holds::UntilBoot));
        let missing = judge(Err(Reason::Lasting("x".into())));
        assert_eq!(missing, (Some("x".into()), Holds::UntilBoot));
        let late = judge(Err(of_deadline(DEADLINE)));
        assert_eq!(late.1, Holds::For(PASSING));
    }

    #[tokio::test]
    async fn without_a_kernel_it_says_how_to_get_one() {
        let probed = probe(&VmmConfig::default()).await;
        assert!(probed.reason.unwrap().contains("images build"));
    }
}
