//! What can fail, at which step, and what to do about it.

use crate::engine::{VmExit, VmId};
use std::path::PathBuf;
use std::time::Duration;

/// The steps of a VM's life on the host; each failure names one, each has its deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Run folder, uid, cgroup, files for the jail.
    Prepare,
    /// The jail and the VMM in it start.
    Start,
    /// The VMM answers on its control socket.
    Control,
    /// A snapshot is loaded.
    Load,
    /// The guest runs.
    Run,
    /// The stream to the agent.
    Connect,
    /// The guest stops.
    Pause,
    /// The snapshot is written.
    Save,
    /// Everything is given back.
    Close,
}

impl Step {
    /// How long the step may take.
    pub const fn deadline(self) -> Duration {
        Duration::from_secs(match self {
            Step::Prepare | Step::Run | Step::Connect | Step::Pause => 10,
            // A loaded host pages QEMU's 30 MiB in from disk.
            Step::Start | Step::Control | Step::Load => 20,
            // RAM is synced to disk: 4 GiB at 70 MB/s.
            Step::Save => 60,
            Step::Close => 10,
        })
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Step::Prepare => "preparing the jail",
            Step::Start => "starting the VMM",
            Step::Control => "talking to the VMM",
            Step::Load => "loading the snapshot",
            Step::Run => "letting the guest run",
            Step::Connect => "connecting to the agent",
            Step::Pause => "pausing the guest",
            Step::Save => "saving the snapshot",
            Step::Close => "destroying the VM",
        })
    }
}

/// What can fail in this crate.
#[derive(Debug, thiserror::Error)]
pub enum VmmError {
    /// Not a VM's name.
    #[error("{id:?} is no VM id: 1 to 64 of A-Z, a-z, 0-9 and '-'")]
    BadId {
        /// As given.
        id: String,
    },
    /// A program is not there.
    #[error("{program} not found{}: install it ({package}) or set its path in the configuration", .path.as_ref().map(|p| format!(" at {}", p.display())).unwrap_or_default())]
    NotInstalled {
        /// Its name.
        program: String,
        /// The path that the configuration names, if it does.
        path: Option<PathBuf>,
        /// Debian's package.
        package: &'static str,
    },
    /// A program is there but of no use.
    #[error("{} cannot be used: {reason}", .program.display())]
    Unusable {
        /// Its path.
        program: PathBuf,
        /// Why, and what would do.
        reason: String,
    },
    /// KVM was asked for and is not to be had.
    #[error("accelerator kvm was asked for, but {reason}; use --accel tcg or --accel auto")]
    NoKvm {
        /// What the probe saw.
        reason: String,
    },
    /// User-Mode Linux was asked for and does not run here.
    #[error("engine uml does not work here: {reason}; --engine auto takes another")]
    NoUml {
        /// What the probe saw.
        reason: String,
    },
    /// As many VMs as there are uids.
    #[error(
        "all {count} uids from {base} on are in use: too many VMs at one time, raise uid_count"
    )]
    NoUid {
        /// First of the range.
        base: u32,
        /// Size of the range.
        count: u32,
    },
    /// The id has been used.
    #[error("VM {id} exists already (or was left by a crash: llm-firecracker clean)")]
    IdTaken {
        /// Its id.
        id: VmId,
    },
    /// A call to the system failed.
    #[error("{step}: {what} failed")]
    Io {
        /// At which step.
        step: Step,
        /// The call and its operand.
        what: String,
        /// The system's own error.
        #[source]
        source: std::io::Error,
    },
    /// The VMM refused a command.
    #[error("{step}: the VMM refused {command}: {reason}{}", context(.console, .stderr))]
    Refused {
        /// At which step.
        step: Step,
        /// Which command.
        command: String,
        /// The VMM's own words.
        reason: String,
        /// The end of the guest's console.
        console: String,
        /// The end of the VMM's stderr.
        stderr: String,
    },
    /// The VMM said what makes no sense.
    #[error("{step}: the VMM's answer makes no sense: {reason}")]
    Protocol {
        /// At which step.
        step: Step,
        /// What was wrong.
        reason: String,
    },
    /// A step took longer than it may.
    #[error("{step}: not done within {} s{}", .limit.as_secs_f32(), context(.console, .stderr))]
    Deadline {
        /// At which step.
        step: Step,
        /// [`Step::deadline`].
        limit: Duration,
        /// The end of the guest's console.
        console: String,
        /// The end of the VMM's stderr.
        stderr: String,
    },
    /// The VMM ended in the middle of a step.
    #[error("{step}: the VMM ended: {exit}{}", context(&.exit.console, &.exit.stderr))]
    Ended {
        /// At which step.
        step: Step,
        /// How it ended.
        exit: Box<VmExit>,
    },
    /// A limit is not what was asked for.
    #[error("{step}: the limit {limit} is {seen}, not {wanted}: the VM was not started")]
    LimitNotHeld {
        /// At which step.
        step: Step,
        /// Its name.
        limit: String,
        /// What was written.
        wanted: String,
        /// What is in force.
        seen: String,
    },
    /// The call is not legal in the VM's present state.
    #[error("{step}: {reason}")]
    State {
        /// At which step.
        step: Step,
        /// Why.
        reason: String,
    },
    /// Something could not be given back.
    #[error("destroying the VM left something behind: {left}; llm-firecracker clean removes it")]
    Leftover {
        /// What, and why.
        left: String,
    },
}

impl VmmError {
    /// What to make of a failed call to the system: `map_err(VmmError::io(step, "opening …"))`.
    pub(crate) fn io(step: Step, what: &str) -> impl Fn(std::io::Error) -> VmmError + use<> {
        let what = what.to_string();
        move |source| VmmError::Io {
            step,
            what: what.clone(),
            source,
        }
    }

    /// What the kernel shows is not what was asked for.
    pub(crate) fn not_held(limit: &str, wanted: impl Into<String>, seen: String) -> VmmError {
        VmmError::LimitNotHeld {
            step: Step::Start,
            limit: limit.into(),
            wanted: wanted.into(),
            seen,
        }
    }
}

fn context(console: &str, stderr: &str) -> String {
    let mut text = String::new();
    for (name, tail) in [("VMM", stderr), ("console", console)] {
        let tail = tail.trim();
        if !tail.is_empty() {
            text.push_str(&format!(
                "\n  {name}: {}",
                tail.replace('\n', &format!("\n  {name}: "))
            ));
        }
    }
    text
}
