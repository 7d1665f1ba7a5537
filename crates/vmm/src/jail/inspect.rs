//! What the kernel says about a jailed process: read back before the first guest instruction.

use crate::error::VmmError;
use std::path::PathBuf;

/// What `/proc/PID/status` says of one thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confinement {
    /// All four user ids.
    pub uids: [u32; 4],
    /// All four group ids.
    pub gids: [u32; 4],
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// Capabilities: permitted, effective, ambient, or'ed.
    pub capabilities: u64,
    /// Capabilities that an exec could give, inheritable and bounding, or'ed; none does once
    /// `no_new_privs` is set.
    pub bounding: u64,
    /// `no_new_privs` is set.
    pub no_new_privs: bool,
    /// 2: a filter is installed.
    pub seccomp: u32,
    /// How many filters; kernels before 5.9 do not say.
    pub filters: Option<u32>,
}

impl Confinement {
    /// Reads the text of a `status` file.
    pub fn parse(status: &str) -> Option<Self> {
        let field = |name: &str| {
            status
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
                .map(str::trim)
        };
        let ids = |name: &str| -> Option<Vec<u32>> {
            field(name)?
                .split_whitespace()
                .map(|id| id.parse().ok())
                .collect()
        };
        let set = |name: &str| u64::from_str_radix(field(name)?, 16).ok();
        Some(Self {
            uids: ids("Uid")?.try_into().ok()?,
            gids: ids("Gid")?.try_into().ok()?,
            groups: ids("Groups")?,
            capabilities: set("CapPrm")? | set("CapEff")? | set("CapAmb")?,
            bounding: set("CapInh")? | set("CapBnd")?,
            no_new_privs: field("NoNewPrivs")? == "1",
            seccomp: field("Seccomp")?.parse().ok()?,
            filters: field("Seccomp_filters").and_then(|count| count.parse().ok()),
        })
    }

    /// The first thing that is not as it must be for a VMM of `uid`.
    pub fn fault(&self, uid: u32) -> Option<String> {
        if self.bounding != 0 {
            return Some(format!("its capabilities' bound is {:#x}", self.bounding));
        }
        self.fault_of_jailer(uid).or_else(|| {
            (self.seccomp != 2).then(|| format!("its seccomp mode is {}, not 2", self.seccomp))
        })
    }

    /// The same of a Firecracker that its jailer started: the jailer leaves the bound, which means
    /// nothing with `no_new_privs`; seccomp filters come when the guest starts.
    pub fn fault_of_jailer(&self, uid: u32) -> Option<String> {
        if uid == 0 || self.uids != [uid; 4] {
            return Some(format!("its uids are {:?}, not {uid}", self.uids));
        }
        let gid = gid_of(uid);
        if gid == 0 || self.gids != [gid; 4] {
            return Some(format!("its gids are {:?}, not {gid}", self.gids));
        }
        if let Some(fault) = self.groups_fault(&groups_kept(uid)) {
            return Some(fault);
        }
        if self.capabilities != 0 {
            return Some(format!("it has capabilities {:#x}", self.capabilities));
        }
        (!self.no_new_privs).then(|| "no_new_privs is not set".into())
    }

    /// A supplementary group opens files and devices as a uid does. Its own group adds nothing.
    fn groups_fault(&self, kept: &[u32]) -> Option<String> {
        let harmless = |group: &u32| kept.contains(group) || self.gids == [*group; 4];
        let all = self.groups.iter().all(harmless);
        (!all).then(|| format!("its supplementary groups are {:?}", self.groups))
    }
}

/// The group of a VMM of `uid`: of the same number, or, where it is the tool's own user, that user's.
fn gid_of(uid: u32) -> u32 {
    match rustix::process::geteuid().as_raw() == uid {
        true => rustix::process::getegid().as_raw(),
        false => uid,
    }
}

/// The supplementary groups that a VMM of `uid` cannot be without: a user's tool has no right to take its own ones from a
/// process, and root's gives each VMM another uid, without any.
fn groups_kept(uid: u32) -> Vec<u32> {
    if rustix::process::geteuid().as_raw() != uid {
        return Vec::new();
    }
    let groups = rustix::process::getgroups().unwrap_or_default();
    groups.into_iter().map(|group| group.as_raw()).collect()
}

/// An error of a fault.
pub fn check(fault: Option<String>) -> Result<(), VmmError> {
    match fault {
        Some(fault) => Err(VmmError::not_held("jail", "complete", fault)),
        None => Ok(()),
    }
}

/// The first fault of any thread of a process; seccomp and ids are per thread.
pub fn fault(pid: i32, uid: u32) -> Option<String> {
    fault_by(pid, |thread| thread.fault(uid))
}

/// The first thing that `judge` finds with any thread of a process.
pub fn fault_by(pid: i32, judge: impl Fn(&Confinement) -> Option<String>) -> Option<String> {
    let tasks = PathBuf::from(format!("/proc/{pid}/task"));
    let Ok(threads) = tasks.read_dir() else {
        return Some("it is gone".into());
    };
    for thread in threads.flatten() {
        let Ok(status) = std::fs::read_to_string(thread.path().join("status")) else {
            continue; // this thread ended meanwhile
        };
        let fault = match Confinement::parse(&status) {
            Some(seen) => judge(&seen),
            None => Some("its status cannot be read".into()),
        };
        if let Some(fault) = fault {
            return Some(format!(
                "thread {}: {fault}",
                thread.file_name().to_string_lossy()
            ));
        }
    }
    None
}

/// The first child of a process that has one thread.
pub fn child_of(pid: i32) -> Option<i32> {
    children_of(pid).first().copied()
}

/// The children of a process whose first thread makes them.
pub fn children_of(pid: i32) -> Vec<i32> {
    // Kernels without CONFIG_PROC_CHILDREN have no such file.
    match std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")) {
        Ok(children) => children
            .split_whitespace()
            .filter_map(|child| child.parse().ok())
            .collect(),
        Err(_) => std::fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|child| parent_of(*child) == Some(pid))
            .collect(),
    }
}

/// The parent of a process.
pub fn parent_of(pid: i32) -> Option<i32> {
    stat(pid)?.split_whitespace().nth(1)?.parse().ok()
}

/// `/proc/PID/stat` from the state on: the name before it may hold anything.
pub fn stat(pid: i32) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(text.rsplit_once(") ")?.1.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = "Name:\tqemu\nUid:\t10001\t10001\t10001\t10001\nGid:\t10001\t10001\t10001\t10001\nGroups:\t \nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t2\n";

    #[test]
    fn each_missing_wall_is_named() {
        assert_eq!(Confinement::parse(GOOD).unwrap().fault(10_001), None);
        for (from, to, word) in [
            ("Uid:\t10001", "Uid:\t0", "uids"),
            ("Gid:\t10001", "Gid:\t0", "gids"),
            ("Gid:\t10001", "Gid:\t104", "gids"),
            // kvm's number on many hosts, and docker's.
            (
                "Groups:\t ",
                "Groups:\t104 999 ",
                "supplementary groups are [104, 999]",
            ),
            ("Groups:\t ", "Groups:\t10001 0 ", "supplementary groups"),
            (
                "CapBnd:\t0000000000000000",
                "CapBnd:\t0000000000000001",
                "capabilities",
            ),
            ("NoNewPrivs:\t1", "NoNewPrivs:\t0", "no_new_privs"),
            ("Seccomp:\t2", "Seccomp:\t0", "seccomp"),
        ] {
            let fault = Confinement::parse(&GOOD.replace(from, to))
                .unwrap()
                .fault(10_001);
            assert!(fault.unwrap().contains(word));
        }
        assert!(Confinement::parse(GOOD).unwrap().fault(0).is_some());
    }

    #[test]
    fn a_users_vmm_keeps_the_users_groups_and_has_no_others() {
        let seen = |groups: &str| {
            let text = GOOD.replace("Groups:\t ", &format!("Groups:\t{groups}"));
            Confinement::parse(&text).unwrap()
        };
        for (groups, kept, held) in [
            ("", &[][..], true),
            ("10001", &[], true),
            ("27 104", &[27, 104], true),
            ("27 104", &[27], false),
            ("0", &[27], false),
        ] {
            assert_eq!(seen(groups).groups_fault(kept).is_none(), held, "{groups}");
        }
        // Nobody's uid here is that of these tests.
        assert!(groups_kept(10_001).is_empty());
    }

    #[test]
    fn this_process_is_no_jail() {
        assert!(fault(std::process::id() as i32, 10_000).is_some());
        assert_eq!(
            parent_of(std::process::id() as i32),
            Some(std::os::unix::process::parent_id() as i32)
        );
    }

    proptest! {
        #[test]
        fn garbage_is_never_confinement(text in "[ -~\n\t]{0,400}") {
            prop_assert_eq!(Confinement::parse(&text), None);
        }
    }
}
