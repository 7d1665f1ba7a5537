//! Which processes are taken for a VM's: made-up tables, and real processes of this host.

use super::*;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

const HOST_SPACE: u64 = 1;
const TOOL_PID: i32 = 10;
const ME: u32 = 1000;

/// Where the tool is root, and where it is a user.
fn watches() -> [Watch; 2] {
    let watch = |uids, uid| Watch {
        state_dir: "/state".into(),
        uids,
        uid,
        cgroup_parent: "vms".into(),
        pid: TOOL_PID,
    };
    [watch(10_000..10_010, 0), watch(0..0, ME)]
}

fn process(parent: i32) -> Seen {
    Seen {
        parent,
        uid: ME,
        namespace: Some(HOST_SPACE),
        ..Seen::default()
    }
}

fn found(watch: &Watch, rows: Vec<(i32, Seen)>) -> Vec<i32> {
    let tool = Seen {
        is_tool: true,
        ..process(1)
    };
    let seen: HashMap<i32, Seen> = rows.into_iter().chain([(TOOL_PID, tool)]).collect();
    let marked = marked(&seen, watch);
    let ours = |pid: &i32| belongs(*pid, &seen, &marked, watch.pid).is_some();
    let mut found: Vec<i32> = seen.keys().copied().filter(ours).collect();
    found.sort();
    found
}

#[test]
fn what_marks_a_vms_process_is_its_cgroup_its_uid_or_its_namespace() {
    let [root, user] = watches();
    let in_cgroup = Seen {
        in_cgroup: true,
        ..process(1)
    };
    let with_uid = Seen {
        uid: 10_003,
        ..process(1)
    };
    let word = Seen {
        has_word: true,
        ..process(1)
    };
    let vmm = Seen {
        namespace: Some(7),
        ..word.clone()
    };
    let beside = Seen {
        namespace: Some(7),
        ..process(1)
    };
    let others_vmm = Seen {
        uid: ME + 1,
        ..vmm.clone()
    };
    for (watch, process, is_ours) in [
        (&root, &in_cgroup, true),
        (&user, &in_cgroup, true),
        (&root, &with_uid, true),
        (&user, &with_uid, false),
        // A word alone is nobody's mark: an editor may have it on its command line.
        (&root, &word, false),
        (&user, &word, false),
        (&root, &vmm, false),
        (&user, &vmm, true),
        (&user, &others_vmm, false),
        // A container is none, unless a VMM is in it.
        (&user, &beside, false),
        (&user, &process(1), false),
    ] {
        let found = found(watch, vec![(50, process.clone())]);
        assert_eq!(!found.is_empty(), is_ours, "{watch:?} {process:?}");
    }
    let guest = vec![
        (50, vmm),
        (51, beside),
        (
            52,
            Seen {
                namespace: Some(8),
                ..process(1)
            },
        ),
    ];
    assert_eq!(found(&user, guest), [50, 51]);
}

#[test]
fn anothers_vms_are_not_ours_but_orphans_are() {
    let [root, _] = watches();
    let vm = |parent| Seen {
        uid: 10_001,
        ..process(parent)
    };
    let rows = vec![
        (1, process(0)),
        (11, vm(TOOL_PID)),
        (12, vm(11)),
        (
            20,
            Seen {
                is_tool: true,
                ..vm(1)
            },
        ),
        (21, vm(20)),
        (22, vm(21)),
        (30, vm(1)),
        (40, process(1)),
    ];
    assert_eq!(found(&root, rows), [11, 12, 30]);
}

#[test]
fn the_word_that_names_a_vm_is_told_from_others() {
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    for line in [
        "/kernel umid=vm-1 mem=512M",
        "qemu -name vm-1",
        "firecracker --id vm-1",
    ] {
        assert!(names_a_vm(&words(line)), "{line}");
    }
    for line in [
        "node /var/lib/llm-firecracker/run/server.js",
        "vm-1",
        "uml-userspace",
        "sh -name",
    ] {
        assert!(!names_a_vm(&words(line)), "{line}");
    }
}

/// A process of this host that has these words and lives until its input ends.
struct Waits(Child);

impl Waits {
    fn start(program: &[&str], words: &[&str]) -> Waits {
        let script = ["sh", "-c", "echo ready; read line", "sh"];
        let all: Vec<&str> = program
            .iter()
            .chain(&script)
            .chain(words)
            .copied()
            .collect();
        let mut child = Command::new(all[0])
            .args(&all[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // `spawn` may return while the child still has the words of its parent.
        let mut said = String::new();
        let output = child.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut said).unwrap();
        assert_eq!(said, "ready\n");
        Waits(child)
    }

    fn is_in(&self, found: &BTreeMap<(i32, u64), String>) -> bool {
        let pid = self.0.id() as i32;
        let child = |other: i32| Process::new(other).and_then(|p| p.stat()).map(|s| s.ppid);
        found
            .keys()
            .any(|(other, _)| *other == pid || child(*other).is_ok_and(|parent| parent == pid))
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// A watch of a tool that is not there: what is found is an orphan.
fn watch_of_nobody(state_dir: &std::path::Path, uids: std::ops::Range<u32>) -> Watch {
    Watch {
        state_dir: state_dir.to_owned(),
        uids,
        uid: nix::unistd::geteuid().as_raw(),
        cgroup_parent: "llm-firecracker-selftest-of-nobody".into(),
        pid: std::process::id() as i32,
    }
}

/// Somebody's server that starts while the battery runs and has the state folder, or even a VM's word, on its command
/// line: it was taken for an orphan once, with the socket that it listened on.
#[test]
fn a_process_that_only_speaks_of_the_state_folder_is_nobodys() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run/server.js");
    let waits = Waits::start(&[], &[path.to_str().unwrap(), "umid=vm-1"]);
    let watch = watch_of_nobody(dir.path(), 0..0);
    let process = Process::new(waits.0.id() as i32).unwrap();
    let seen = HashMap::from([
        (waits.0.id() as i32, look(&process, &watch).unwrap()),
        (
            watch.pid,
            look(&Process::myself().unwrap(), &watch).unwrap(),
        ),
    ]);
    assert!(seen[&(waits.0.id() as i32)].has_word);
    assert!(marked(&seen, &watch).is_empty());
}

#[test]
fn a_kernel_in_a_namespace_of_its_own_is_known_by_its_word() {
    let watch = watch_of_nobody(std::path::Path::new("/nowhere"), 0..0);
    let jail = ["unshare", "--user", "--map-current-user", "--pid", "--fork"];
    let works = Command::new(jail[0]).args(&jail[1..]).arg("true").status();
    if !works.is_ok_and(|status| status.success()) {
        println!("not run: no user namespaces here");
        return;
    }
    let waits = Waits::start(&jail, &["umid=vm-1"]);
    let all = all_processes().unwrap().flatten();
    let seen: HashMap<i32, Seen> = all
        .filter_map(|process| Some((process.pid(), look(&process, &watch)?)))
        .collect();
    let marked = marked(&seen, &watch);
    let inside = seen
        .iter()
        .find(|(_, process)| process.parent == waits.0.id() as i32);
    assert!(marked.contains(inside.unwrap().0), "{seen:?}");
    assert!(waits.is_in(&ours(&watch).unwrap()));
}
