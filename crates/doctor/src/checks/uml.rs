//! What User-Mode Linux needs of a host: no KVM, but a kernel of its own and leave to trace its processes.

use super::cpu::VULNERABILITIES;
use super::{Check, Group, Look, Needs};
use crate::facts::{Probe, UmlKernel};
use crate::host::{Gap, Host, strange};
use crate::lookup::judge_age;
use crate::outcome::Outcome;

pub(super) const GROUP: Group = Group {
    title: "User-Mode Linux",
    checks: CHECKS,
};

/// The command that builds its kernel.
const BUILD: &str = "llm-firecracker images build --kernel uml";

const CHECKS: &[Check] = &[
    Check {
        id: "uml-runs-guests",
        title: "User-Mode Linux runs guests",
        passes: "a guest's first process ran under it, in the jail that VMs get",
        why: "where KVM runs no guests it is what runs a job's instructions at the CPU's own speed; without it they are emulated, 10 to 30 times slower",
        fix: "llm-firecracker images build --kernel uml   # where it is missing; else mend what the rows below and 'Jails' say",
        source: "this project's probe, docs/uml.md",
        look: Look::For(Needs::UserMode, runs_guests),
    },
    Check {
        id: "uml-kernel",
        title: "its kernel",
        passes: "it is there, as it was built, with the options and patches of this version of the tool",
        why: "a stale kernel lacks the options and patches that this version relies on, its seal among them, and is refused; software emulation takes over",
        fix: BUILD,
        source: "this project, docs/uml.md",
        look: Look::For(Needs::UserMode, kernel),
    },
    Check {
        id: "uml-kernel-age",
        title: "its kernel's build",
        passes: "it was built at most 90 days ago",
        why: "a job that is guest root meets this kernel first, and flaws of kernels are mended every few weeks: built anew, it is of the newest source package",
        fix: "llm-firecracker images build --kernel uml --force",
        source: "K: process/2.Process, 'The big picture'",
        look: Look::For(Needs::UserMode, kernel_age),
    },
    Check {
        id: "uml-ptrace",
        title: "tracing of own children",
        passes: "kernel.yama.ptrace_scope is 0 or 1, or there is no Yama",
        why: "its kernel traces its guest's processes, which are its children; 2 allows that with a capability alone, which no jailed kernel has, and 3 allows it to nobody",
        fix: "sysctl -w kernel.yama.ptrace_scope=1   # lasting: in /etc/sysctl.d; from 3 only a reboot leads back",
        source: "K: admin-guide/LSM/Yama",
        look: Look::For(Needs::UserMode, ptrace),
    },
    Check {
        id: "uml-executable-tmpfs",
        title: "a tmpfs that programs run from",
        passes: "a program ran just now from one that bubblewrap made in a jail; how the host's own are mounted does not matter",
        why: "the guest's memory is a file there, and its processes run what is in it",
        fix: "allow mounts of tmpfs without noexec in user namespaces: a security module or the container's runtime forbids them",
        source: "docs/uml.md",
        look: Look::For(Needs::UserMode, executable_tmpfs),
    },
    Check {
        id: "uml-branch-predictor",
        title: "the branch predictor between VMs",
        passes: "spectre_v2 says 'IBPB: always-on' or 'Not affected'",
        why: "KVM clears what the predictor learnt when another guest's turn comes; between processes, which these guests are, the host does so only if told to. It costs: a job's system calls are changes of processes",
        fix: "add spectre_v2_user=prctl,ibpb to GRUB_CMDLINE_LINUX in /etc/default/grub, then update-grub && reboot",
        source: "K: hw-vuln/spectre, 'Mitigation selection guide'; admin-guide/kernel-parameters, 'spectre_v2_user='",
        look: Look::For(Needs::UserMode, branch_predictor),
    },
];

fn runs_guests(host: &Host) -> Result<Outcome, Gap> {
    Ok(match &host.facts.uml.runs {
        Probe::NotTried => Outcome::unknown("it was not tried"),
        Probe::Works => Outcome::pass("a guest's first process ran"),
        Probe::Fails(why) if host.facts.uml.required => Outcome::fail(format!(
            "{why}; it is the engine that is configured, so no job will run"
        )),
        Probe::Fails(why) => Outcome::warn(format!("{why}; jobs run in software emulation")),
    })
}

fn kernel(host: &Host) -> Result<Outcome, Gap> {
    Ok(match &host.facts.uml.kernel {
        UmlKernel::NotLookedFor => Outcome::unknown("nobody looked for it"),
        UmlKernel::NotBuilt if host.facts.uml.required => Outcome::fail("not built"),
        UmlKernel::NotBuilt => Outcome::warn("not built"),
        UmlKernel::Refused(why) => Outcome::fail(why),
        UmlKernel::Built { version, .. } => Outcome::pass(version),
    })
}

fn kernel_age(host: &Host) -> Result<Outcome, Gap> {
    match &host.facts.uml.kernel {
        UmlKernel::Built { at, .. } => judge_age(host, at),
        _ => Ok(Outcome::unknown("there is no kernel that can be used")),
    }
}

const YAMA: &str = "/proc/sys/kernel/yama/ptrace_scope";

fn ptrace(host: &Host) -> Result<Outcome, Gap> {
    // /proc/sys/kernel is there wherever /proc is: only then does absence mean 'no Yama'.
    if !host.exists(YAMA) && host.exists("/proc/sys/kernel") {
        return Ok(Outcome::pass("no Yama"));
    }
    let scope = host.read(YAMA)?;
    let seen = format!("kernel.yama.ptrace_scope={scope}");
    Ok(match scope.as_str() {
        "0" | "1" => Outcome::pass(seen),
        "2" | "3" => Outcome::fail(seen),
        _ => return Err(strange(YAMA, &scope)),
    })
}

fn executable_tmpfs(host: &Host) -> Result<Outcome, Gap> {
    Ok(match &host.facts.uml.executable_tmpfs {
        Probe::NotTried => Outcome::unknown("it was not tried"),
        Probe::Works => Outcome::pass("a program ran from one in a jail"),
        Probe::Fails(why) => Outcome::fail(why),
    })
}

fn branch_predictor(host: &Host) -> Result<Outcome, Gap> {
    let said = host.read(&format!("{VULNERABILITIES}/spectre_v2"))?;
    Ok(
        match said.contains("IBPB: always-on") || said == "Not affected" {
            true => Outcome::pass(said),
            false => Outcome::warn(said),
        },
    )
}
