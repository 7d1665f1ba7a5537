//! Processes that can be ours, and no others: known by what the kernel says of them, not by what they call themselves or
//! are told.
//!
//! | where VMs have | a process is of a VM when |
//! |---|---|
//! | a cgroup below the battery's own parent | it is in one: nothing in a VM can leave it |
//! | uids of their own (the tool is root) | it has one of them |
//! | neither | it is the tool's user's, in a process id namespace of a VMM's: the one where a command line has the word that names a VM |
//!
//! Whatever else is in a VM's process id namespace is of that VM. A path in a command line says nothing: an editor, a
//! server or a test may have the state folder there.

use super::Watch;
use crate::error::SelftestError;
use procfs::process::{Process, all_processes};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The words by which VMMs are told which VM they are: a kernel of User-Mode Linux has its own, QEMU and Firecracker get
/// an option before it.
const UML_WORD: &str = "umid=";
const OPTIONS: [&str; 2] = ["-name", "--id"];

/// The start of the tool's own file name: another tool's VMs descend from one.
const TOOL: &str = "llm-firecracker";

/// Of a process, what the kernel says, and whether it carries a VM's word.
#[derive(Debug, Clone, Default)]
struct Seen {
    parent: i32,
    /// In ticks since the host's boot.
    start: u64,
    name: String,
    uid: u32,
    /// The program that it executes is the tool's.
    is_tool: bool,
    /// It is in a cgroup below the battery's parent.
    in_cgroup: bool,
    /// Its process id namespace, where that is known.
    namespace: Option<u64>,
    has_word: bool,
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
    let marked = marked(&seen, watch);
    Ok(seen
        .iter()
        .filter_map(|(pid, process)| {
            let how = belongs(*pid, &seen, &marked, watch.pid)?;
            Some(((*pid, process.start), format!("{}, {how}", process.name)))
        })
        .collect())
}

fn look(process: &Process, watch: &Watch) -> Option<Seen> {
    let stat = process.stat().ok()?;
    let part = format!("/{}/", watch.cgroup_parent);
    let in_cgroup = process.cgroups().is_ok_and(|groups| {
        let mut groups = groups.into_iter();
        groups.any(|group| format!("{}/", group.pathname).contains(&part))
    });
    let namespace = process.namespaces().ok();
    let namespace =
        namespace.and_then(|all| Some(all.0.get(std::ffi::OsStr::new("pid"))?.identifier));
    Some(Seen {
        parent: stat.ppid,
        start: stat.starttime,
        name: stat.comm,
        uid: process.uid().ok()?,
        is_tool: process.exe().is_ok_and(|path| {
            let file = path.file_name();
            file.is_some_and(|file| file.to_string_lossy().starts_with(TOOL))
        }),
        in_cgroup,
        namespace,
        has_word: names_a_vm(&process.cmdline().unwrap_or_default()),
    })
}

fn names_a_vm(words: &[String]) -> bool {
    let behind_option = |pair: &[String]| OPTIONS.contains(&pair[0].as_str());
    words.iter().any(|word| word.starts_with(UML_WORD)) || words.windows(2).any(behind_option)
}

/// The processes of VMs. Pure.
fn marked(seen: &HashMap<i32, Seen>, watch: &Watch) -> HashSet<i32> {
    let host = seen.get(&watch.pid).and_then(|tool| tool.namespace);
    let inside = |process: &Seen| process.namespace.filter(|space| Some(*space) != host);
    let is_vmm = |process: &Seen| {
        // Where VMs have uids of their own, a user's process is no VM's, whatever it says.
        let by_word = watch.uids.is_empty() && process.uid == watch.uid && process.has_word;
        let own_uid = watch.uids.contains(&process.uid);
        process.in_cgroup || own_uid || (by_word && inside(process).is_some())
    };
    let spaces: HashSet<u64> = seen
        .values()
        .filter(|process| is_vmm(process))
        .filter_map(inside)
        .collect();
    let of_a_vm = |process: &Seen| {
        is_vmm(process) || inside(process).is_some_and(|space| spaces.contains(&space))
    };
    let found = seen.iter().filter(|(_, process)| of_a_vm(process));
    found.map(|(pid, _)| *pid).collect()
}

/// How a process is ours, if it is.
fn belongs(
    pid: i32,
    seen: &HashMap<i32, Seen>,
    marked: &HashSet<i32>,
    tool: i32,
) -> Option<&'static str> {
    if pid == tool {
        return None;
    }
    let mut ancestor = seen.get(&pid)?;
    let is_orphan = marked.contains(&pid) && !ancestor.is_tool;
    // The chain of parents ends at a process that has none; a loop cannot be.
    for _ in 0..seen.len() {
        if ancestor.parent == tool {
            return Some("of this tool");
        }
        match seen.get(&ancestor.parent) {
            Some(parent) if parent.is_tool => return None,
            Some(parent) => ancestor = parent,
            None => break,
        }
    }
    is_orphan.then_some("an orphan with a VM's mark")
}

#[cfg(test)]
mod tests;
