//! File descriptors: connections must never take the ones that VMs need.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Descriptors that are kept for everything but connections: a VM holds about ten.
const KEPT_FOR_VMS: u64 = 512;

/// The socket, and what tells that its client is gone ([`crate::peer`]).
const OF_A_CONNECTION: u64 = 2;

/// Raises this process's soft limit to its hard one. systemd and shells leave the soft one at 1,024,
/// for programs that use `select`; there are none here.
pub fn raise_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::warn!(%error, "the limit of open files could not be raised");
        }
    }
}

/// How many connections there may be, when so many are wanted.
pub fn connections(wanted: usize) -> usize {
    match getrlimit(Resource::Nofile).current {
        Some(limit) => bounded(wanted, limit),
        None => wanted,
    }
}

fn bounded(wanted: usize, limit: u64) -> usize {
    // With a small limit half of it is for connections; with a large one all but a fixed part.
    let room = limit.saturating_sub(KEPT_FOR_VMS).max(limit / 2);
    let allowed = usize::try_from(room / OF_A_CONNECTION).unwrap_or(usize::MAX);
    let allowed = allowed.max(1);
    if wanted > allowed {
        tracing::warn!(
            wanted,
            allowed,
            "fewer connections than configured: raise LimitNOFILE"
        );
    }
    wanted.min(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vms_keep_their_share() {
        assert_eq!(bounded(2048, 1_048_576), 2048);
        assert_eq!(bounded(2048, 1024), 256);
        assert_eq!(bounded(2048, 100), 25);
        assert_eq!(bounded(10, 0), 1);
    }
}
