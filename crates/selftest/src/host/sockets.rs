//! Sockets that this process, or one of its own, listens on.

use crate::error::SelftestError;
use procfs::net::{TcpState, UdpState, UnixState};
use procfs::process::{FDTarget, Process};
use std::collections::{BTreeSet, HashSet};

/// Each as protocol and address.
pub fn listening(
    pids: impl Iterator<Item = i32>,
    own: i32,
) -> Result<BTreeSet<String>, SelftestError> {
    let inodes: HashSet<u64> = pids
        .chain([own])
        .filter_map(|pid| Process::new(pid).ok()?.fd().ok())
        .flat_map(|fds| fds.flatten().collect::<Vec<_>>())
        .filter_map(|fd| match fd.target {
            FDTarget::Socket(inode) => Some(inode),
            _ => None,
        })
        .collect();
    let mut found = BTreeSet::new();
    // A host without IPv6 has no table for it.
    let tcp = read("/proc/net/tcp", procfs::net::tcp())?;
    for entry in tcp
        .into_iter()
        .chain(procfs::net::tcp6().unwrap_or_default())
    {
        if entry.state == TcpState::Listen && inodes.contains(&entry.inode) {
            found.insert(format!("tcp {}", entry.local_address));
        }
    }
    let udp = read("/proc/net/udp", procfs::net::udp())?;
    for entry in udp
        .into_iter()
        .chain(procfs::net::udp6().unwrap_or_default())
    {
        if entry.state == UdpState::Close && inodes.contains(&entry.inode) {
            found.insert(format!("udp {}", entry.local_address));
        }
    }
    for entry in read("/proc/net/unix", procfs::net::unix())? {
        // Bound and connected to nobody: it listens, or takes datagrams.
        let open = entry.state == UnixState::UNCONNECTED && inodes.contains(&entry.inode);
        if let (true, Some(path)) = (open, entry.path) {
            found.insert(format!("unix {} ({})", path.display(), entry.inode));
        }
    }
    Ok(found)
}

fn read<T>(what: &'static str, result: procfs::ProcResult<T>) -> Result<T, SelftestError> {
    result.map_err(|error| SelftestError::Host {
        what,
        source: error.into(),
    })
}
