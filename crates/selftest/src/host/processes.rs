//! Processes that can be ours, and no others.

use super::Watch;
use crate::error::SelftestError;
use procfs::process::{Process, all_processes};
use std::collections::{BTreeMap, HashMap};

/// What a User-Mode Linux kernel carries on its command line, and what each process of its guest is called. Where
/// the tool is not root they have no uid of their own, perhaps no cgroup, and no path of the host's.
const UML_WORD: &str = "umid=";
const UML_PROCESS: &str = "uml-userspace";

/// The start of the tool's own file name, and as much as `/proc/PID/comm` holds: another tool's VMs descend
/// from one.
const TOOL: &str = "llm-firecracker";

struct Seen {
    parent: i32,
    start: u64,
    name: String,
    is_tool: bool,
    marked: bool,
}

/// Pid and start time of each, with its name and what marks it.
pub fn ours(watch: &Watch) -> Result<BTreeMap<(i32, u64), String>, SelftestError> {
    let all = all_processes().map_err(|error| SelftestError::Host {
        what: "/proc",
        source: error.into(),
    })?;
    // One that ends while it is looked at is none.
    let seen: HashMap<i32, Seen> = all
        .flatten()
        .filter_map(|process| Some((process.pid(), look(&process, watch)?)))
        .collect();
    Ok(seen
        .iter()
        .filter_map(|(pid, process)| {
            let how = belongs(*pid, &seen, watch)?;
            Some(((*pid, process.start), format!("{}, {how}", process.name)))
        })
        .collect())
}

fn look(process: &Process, watch: &Watch) -> Option<Seen> {
    let stat = process.stat().ok()?;
    let uid = process.uid().ok()?;
    let folder = watch.state_dir.to_string_lossy();
    let words = process.cmdline().unwrap_or_default();
    let names_folder = words.iter().any(|word| word.contains(folder.as_ref()));
    let mine = uid == nix::unistd::geteuid().as_raw();
    let of_uml = stat.comm == UML_PROCESS || words.iter().any(|word| word.starts_with(UML_WORD));
    let in_cgroup = || {
        let part = format!("/{}/", watch.cgroup_parent);
        process.cgroups().is_ok_and(|groups| {
            groups
                .into_iter()
                .any(|group| group.pathname.contains(&part))
        })
    };
    Some(Seen {
        parent: stat.ppid,
        start: stat.starttime,
        is_tool: is_tool(process, uid, &stat.comm),
        name: stat.comm,
        marked: watch.uids.contains(&uid) || names_folder || (mine && of_uml) || in_cgroup(),
    })
}

/// Whether a process is another tool. Its name is not asked where its program can be seen: a VMM that was
/// taken over may give itself any name, and may execute nothing.
fn is_tool(process: &Process, uid: u32, name: &str) -> bool {
    match process.exe() {
        Ok(path) => path
            .file_name()
            .is_some_and(|file| file.to_string_lossy().starts_with(TOOL)),
        // Another user's: a user's own VMMs have the user's uid.
        Err(_) => uid != nix::unistd::geteuid().as_raw() && name.starts_with(TOOL),
    }
}

/// How a process is ours, if it is.
fn belongs(pid: i32, seen: &HashMap<i32, Seen>, watch: &Watch) -> Option<&'static str> {
    if pid == watch.pid {
        return None;
    }
    let mut ancestor = seen.get(&pid)?;
    let marked = ancestor.marked && !ancestor.is_tool;
    // The chain of parents ends at a process that has none; a loop cannot be.
    for _ in 0..seen.len() {
        if ancestor.parent == watch.pid {
            return Some("of this tool");
        }
        match seen.get(&ancestor.parent) {
            Some(parent) if parent.is_tool => return None,
            Some(parent) => ancestor = parent,
            None => break,
        }
    }
    marked.then_some("an orphan with a VM's mark")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::process::{Command, Stdio};

    fn table(rows: &[(i32, i32, &str, bool)]) -> HashMap<i32, Seen> {
        rows.iter()
            .map(|(pid, parent, name, marked)| {
                let seen = Seen {
                    parent: *parent,
                    start: 0,
                    name: (*name).into(),
                    is_tool: *name == TOOL,
                    marked: *marked,
                };
                (*pid, seen)
            })
            .collect()
    }

    #[test]
    fn a_kernel_is_told_by_a_word_where_it_has_no_uid_of_its_own() {
        let watch = Watch {
            state_dir: "/nowhere/state".into(),
            uids: 0..0,
            cgroup_parent: "nowhere".into(),
            pid: 1,
        };
        let marked = |word: &str| {
            let mut child = Command::new("sh")
                .args(["-c", "echo; read line", word])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            // `spawn` may return while the child still has the words of its parent.
            let mut byte = [0];
            child.stdout.take().unwrap().read_exact(&mut byte).unwrap();
            let seen = look(&Process::new(child.id() as i32).unwrap(), &watch).unwrap();
            drop(child.stdin.take());
            child.wait().unwrap();
            seen.marked
        };
        assert!(marked("umid=vm-1"));
        assert!(!marked("vm-1"));
    }

    #[test]
    fn anothers_vms_are_not_ours_but_orphans_are() {
        let watch = Watch {
            state_dir: "/state".into(),
            uids: 0..0,
            cgroup_parent: "x".into(),
            pid: 10,
        };
        let seen = table(&[
            (1, 0, "init", false),
            (10, 1, "llm-firecracker", false),
            (11, 10, "bwrap", true),
            (12, 11, "qemu", true),
            (20, 1, "llm-firecracker", true),
            (21, 20, "bwrap", true),
            (22, 21, "qemu", true),
            (30, 1, "qemu", true),
            (40, 1, "sshd", false),
        ]);
        let ours: Vec<i32> = [1, 10, 11, 12, 20, 21, 22, 30, 40]
            .into_iter()
            .filter(|pid| belongs(*pid, &seen, &watch).is_some())
            .collect();
        assert_eq!(ours, [11, 12, 30]);
    }
}
