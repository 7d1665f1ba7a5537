//! Whether this process may do what root may: root of an unprivileged container may not.

use rustix::thread::{CapabilitySet, capabilities};

/// What making uids, groups, mounts and device files takes.
const NEEDED: CapabilitySet = CapabilitySet::SYS_ADMIN
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::CHOWN);

/// Whether jails can be made as root makes them, a uid for each VM.
pub(crate) fn is_privileged() -> bool {
    let held = capabilities(None).map(|sets| sets.effective);
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    rustix::process::geteuid().is_root()
        && held.is_ok_and(|held| held.contains(NEEDED))
        && has_other_users(&map)
}

/// Whether a namespace with this `uid_map` knows more users than its root.
fn has_other_users(uid_map: &str) -> bool {
    let counts = uid_map
        .lines()
        .filter_map(|line| line.split_whitespace().nth(2)?.parse::<u64>().ok());
    counts.sum::<u64>() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_of_root_alone_has_no_other_users() {
        assert!(has_other_users("         0          0 4294967295\n"));
        assert!(has_other_users("0 1000 1\n1 100000 65536\n"));
        assert!(!has_other_users("         0       1000          1\n"));
        assert!(!has_other_users(""));
    }
}
