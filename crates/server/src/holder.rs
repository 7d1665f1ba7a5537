//! Which process listens on a port, for who cannot. As far as this user may see it.

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
    let name = std::fs::read_to_string(process.join("comm")).ok()?;
    let pid = process.file_name()?.to_str()?;
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
