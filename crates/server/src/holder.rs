//! Which process has what another wants: a port, or a locked file. As far as this user may see it.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The state of a socket that listens (`TCP_LISTEN` in `tcp_states.h`).
const LISTENS: &str = "0A";
/// Where the columns stand in `/proc/net/tcp`: local address, state, inode.
const LOCAL: usize = 1;
const STATE: usize = 3;
const INODE: usize = 9;

/// The name and the number of who listens on this port.
pub fn of(port: u16) -> Option<String> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let text = |path| std::fs::read_to_string(path).unwrap_or_default();
    let inodes: Vec<String> = tables
        .iter()
        .flat_map(|path| inodes(&text(path), port))
        .collect();
    let links: Vec<String> = inodes
        .iter()
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    let holds = |process: &Path| {
        let descriptors = std::fs::read_dir(process.join("fd"))
            .into_iter()
            .flatten()
            .flatten();
        let mut targets = descriptors.filter_map(|fd| std::fs::read_link(fd.path()).ok());
        targets.any(|target| links.iter().any(|link| target.as_os_str() == link.as_str()))
    };
    // `/proc/self` and `thread-self` are names of a process that has a number, too.
    let numbered = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.parse::<u32>().is_ok())
    };
    let process = processes
        .map(|entry| entry.path())
        .filter(numbered)
        .find(|path| holds(path))?;
    named(process.file_name()?.to_str()?)
}

/// The name and the number of who holds a lock on this file (`flock(2)`).
pub fn of_lock(path: &Path) -> Option<String> {
    let inode = path.metadata().ok()?.ino();
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    named(locker(&locks, inode)?)
}

/// `1: FLOCK  ADVISORY  WRITE 1234 08:01:567 0 EOF` is process 1234's on inode 567; `->` marks one that waits. Pure.
fn locker(locks: &str, inode: u64) -> Option<&str> {
    let suffix = format!(":{inode}");
    for line in locks.lines() {
        let columns: Vec<&str> = line.split_whitespace().collect();
        if let [_, "FLOCK", _, _, pid, file, ..] = columns[..]
            && file.ends_with(&suffix)
        {
            return Some(pid);
        }
    }
    None
}

fn named(pid: &str) -> Option<String> {
    let name = std::fs::read_to_string(Path::new("/proc").join(pid).join("comm")).ok()?;
    Some(format!("{} (pid {pid})", name.trim_end().escape_debug()))
}

/// The inodes of sockets that listen on this port. Pure.
fn inodes(table: &str, port: u16) -> Vec<String> {
    let suffix = format!(":{port:04X}");
    let inode = |line: &str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let listens = columns.get(STATE) == Some(&LISTENS);
        let here = columns
            .get(LOCAL)
            .is_some_and(|local| local.ends_with(&suffix));
        (listens && here).then(|| columns.get(INODE).copied().map(str::to_owned))?
    };
    table.lines().skip(1).filter_map(inode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn who_holds_a_lock_is_read_from_the_kernels_table() {
        let table = "1: POSIX  ADVISORY  WRITE 7 00:1a:567 0 EOF\n2: FLOCK  ADVISORY  WRITE 1234 fe:01:567 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 9 fe:01:567 0 EOF\n";
        assert_eq!(locker(table, 567), Some("1234"));
        assert_eq!(locker(table, 67), None);
        let me = std::process::id();
        assert!(
            named(&me.to_string())
                .unwrap()
                .ends_with(&format!("(pid {me})"))
        );
    }

    #[test]
    fn who_listens_is_this_process() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let holder = of(port).unwrap();
        assert!(
            holder.ends_with(&format!("(pid {})", std::process::id())),
            "{holder}"
        );
    }
}
