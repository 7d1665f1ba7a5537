//! One look at the host, and the difference of two.

use super::{Watch, others, processes, sockets};
use crate::error::SelftestError;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// How deep below a cgroup mount the VMs' parent is looked for: a tool in a unit in a slice.
const CGROUP_DEPTH: usize = 6;

/// The folders of a state folder whose files nobody may write.
const IMAGES: &str = "images";
const SNAPSHOTS: &str = "snapshots";

/// What a file that nobody may write looks like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Inode, size in bytes, and the time of the last change in nanoseconds; 0 where changes are in order.
    pub of: (u64, u64, i128),
}

/// What is there at one time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Pid and start time (a pid alone is no identity), and what it is.
    pub processes: BTreeMap<(i32, u64), String>,
    /// Files and folders below the state folder.
    pub files: BTreeMap<PathBuf, Stamp>,
    /// Mount points below the state folder.
    pub mounts: BTreeSet<String>,
    /// Sockets that our processes listen on.
    pub sockets: BTreeSet<String>,
    /// Cgroups of VMs.
    pub cgroups: BTreeSet<PathBuf>,
}

impl Snapshot {
    /// Looks.
    pub fn take(watch: &Watch) -> Result<Snapshot, SelftestError> {
        let processes = processes::ours(watch)?;
        let mounts = mounts()?;
        Ok(Snapshot {
            sockets: sockets::listening(processes.keys().map(|(pid, _)| *pid), watch.pid)?,
            files: files(watch),
            cgroups: cgroups(&mounts, &watch.cgroup_parent),
            mounts: below(&watch.state_dir, mounts),
            processes,
        })
    }

    /// What is there now and was not `before`, or is another.
    pub fn since(&self, before: &Snapshot) -> Vec<String> {
        let processes = self
            .processes
            .iter()
            .filter(|(key, _)| !before.processes.contains_key(key))
            .map(|((pid, _), what)| format!("process {pid} ({what})"));
        let files = self.files.iter().filter_map(|(path, stamp)| {
            let path_text = path.display();
            match before.files.get(path) {
                None => Some(format!("file {path_text}")),
                Some(old) if old != stamp => Some(format!("changed file {path_text}")),
                Some(_) => None,
            }
        });
        let lost = before
            .files
            .iter()
            .filter(|(path, stamp)| **stamp != Stamp::default() && !self.files.contains_key(*path))
            .map(|(path, _)| format!("lost file {}", path.display()));
        let cgroups = self
            .cgroups
            .difference(&before.cgroups)
            .map(|path| format!("cgroup {}", path.display()));
        processes
            .chain(files)
            .chain(lost)
            .chain(added("mount", &self.mounts, &before.mounts))
            .chain(added("listening socket", &self.sockets, &before.sockets))
            .chain(cgroups)
            .collect()
    }
}

fn added(
    what: &'static str,
    now: &BTreeSet<String>,
    before: &BTreeSet<String>,
) -> impl Iterator<Item = String> {
    let new: Vec<String> = now.difference(before).cloned().collect();
    new.into_iter().map(move |name| format!("{what} {name}"))
}

/// All mount points with their file systems' types.
fn mounts() -> Result<Vec<(PathBuf, String)>, SelftestError> {
    let mounts = procfs::process::Process::myself()
        .and_then(|me| me.mountinfo())
        .map_err(|error| SelftestError::Host {
            what: "/proc/self/mountinfo",
            source: error.into(),
        })?;
    Ok(mounts
        .into_iter()
        .map(|mount| (mount.mount_point, mount.fs_type))
        .collect())
}

fn below(folder: &Path, mounts: Vec<(PathBuf, String)>) -> BTreeSet<String> {
    mounts
        .into_iter()
        .filter(|(point, _)| point.starts_with(folder) && point != folder)
        .map(|(point, kind)| format!("{} ({kind})", point.display()))
        .collect()
}

/// Everything below the state folder but other living tools' VMs. Images and snapshots may not even
/// change.
fn files(watch: &Watch) -> BTreeMap<PathBuf, Stamp> {
    let state_dir = &watch.state_dir;
    let others = others::run_folders(state_dir, watch.pid);
    let mut found = BTreeMap::new();
    let mut folders = vec![state_dir.clone()];
    while let Some(folder) = folders.pop() {
        // A folder that goes away meanwhile is just what is hoped for.
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(metadata) = path.symlink_metadata() else {
                continue;
            };
            if others.contains(&path) {
                continue;
            }
            // Images that several state folders share are behind a link.
            let leads_to_images = path == state_dir.join(IMAGES) && path.is_dir();
            if metadata.is_dir() || leads_to_images {
                folders.push(path.clone());
            }
            found.insert(path.clone(), stamp(state_dir, &path, &metadata));
        }
    }
    found
}

fn stamp(state_dir: &Path, path: &Path, metadata: &std::fs::Metadata) -> Stamp {
    let immutable = metadata.is_file()
        && [IMAGES, SNAPSHOTS]
            .iter()
            .any(|name| path.starts_with(state_dir.join(name)))
        && path.extension().is_none_or(|extension| extension != "lock");
    if !immutable {
        return Stamp::default();
    }
    let changed = i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
    Stamp {
        of: (metadata.ino(), metadata.size(), changed),
    }
}

/// The children of every cgroup with the parent's name, in every hierarchy.
fn cgroups(mounts: &[(PathBuf, String)], parent: &str) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut folders: Vec<(PathBuf, usize)> = mounts
        .iter()
        .filter(|(_, kind)| kind.starts_with("cgroup"))
        .map(|(point, _)| (point.clone(), 0))
        .collect();
    while let Some((folder, depth)) = folders.pop() {
        let is_parent = folder.file_name().is_some_and(|name| name == parent);
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            if is_parent {
                found.insert(entry.path());
            } else if depth < CGROUP_DEPTH {
                folders.push((entry.path(), depth + 1));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::os::unix::net::UnixListener;
    use std::process::{Command, Stdio};

    fn watch(state_dir: &Path) -> Watch {
        Watch {
            state_dir: state_dir.canonicalize().unwrap(),
            uids: 0..0,
            cgroup_parent: "llm-firecracker-selftest-unit".into(),
            pid: std::process::id() as i32,
        }
    }

    #[test]
    fn a_quiet_host_shows_nothing_new() {
        let dir = tempfile::tempdir().unwrap();
        let watch = watch(dir.path());
        let before = watch.look().unwrap();
        assert_eq!(watch.look().unwrap().files, before.files);
    }

    #[test]
    fn a_file_left_behind_is_named_and_so_is_a_changed_image() {
        let dir = tempfile::tempdir().unwrap();
        let images = dir.path().join("images");
        std::fs::create_dir(&images).unwrap();
        std::fs::write(images.join("python.erofs"), "image").unwrap();
        let watch = watch(dir.path());
        let before = watch.look().unwrap();
        std::fs::create_dir_all(dir.path().join("run/vm-1")).unwrap();
        std::fs::write(images.join("python.erofs"), "owned").unwrap();
        let left = files(&watch);
        let now = Snapshot {
            files: left,
            ..before.clone()
        };
        let left = now.since(&before).join("\n");
        assert!(left.contains("run/vm-1"), "{left}");
        assert!(
            left.contains("changed file") && left.contains("python.erofs"),
            "{left}"
        );
        std::fs::remove_file(images.join("python.erofs")).unwrap();
        let now = Snapshot {
            files: files(&watch),
            ..before.clone()
        };
        assert!(now.since(&before).join("\n").contains("lost file"));
    }

    #[test]
    fn images_behind_a_link_may_not_change_either() {
        let dir = tempfile::tempdir().unwrap();
        let (state, shared) = (dir.path().join("state"), dir.path().join("shared"));
        std::fs::create_dir_all(&state).unwrap();
        std::fs::create_dir(&shared).unwrap();
        std::fs::write(shared.join("bash.erofs"), "image").unwrap();
        std::os::unix::fs::symlink(&shared, state.join(IMAGES)).unwrap();
        let watch = watch(&state);
        let before = watch.look().unwrap();
        std::fs::write(shared.join("bash.erofs"), "owned").unwrap();
        let now = Snapshot {
            files: files(&watch),
            ..before.clone()
        };
        let left = now.since(&before).join("\n");
        assert!(left.contains("changed file"), "{left}");
    }

    #[test]
    fn a_process_left_behind_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let watch = watch(dir.path());
        let before = watch.look().unwrap();
        // Lives until its standard input ends.
        let mut child = Command::new("cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let left = watch.look().unwrap().since(&before);
        let name = format!("process {} (cat", child.id());
        assert!(left.iter().any(|what| what.starts_with(&name)), "{left:?}");
        drop(child.stdin.take());
        child.wait().unwrap();
        let left = watch.look().unwrap().since(&before);
        assert!(!left.iter().any(|what| what.starts_with(&name)), "{left:?}");
    }

    #[test]
    fn an_orphan_is_known_by_the_state_folder_on_its_command_line() {
        let dir = tempfile::tempdir().unwrap();
        let watch = watch(dir.path());
        let before = watch.look().unwrap();
        let script = format!(
            "(sh -c 'echo $$; read line < \"$0\"' {0}/fifo & ) ; :",
            watch.state_dir.display()
        );
        nix::unistd::mkfifo(&watch.state_dir.join("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let mut parent = Command::new("sh")
            .args(["-c", &script])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pid = String::new();
        std::io::BufRead::read_line(
            &mut std::io::BufReader::new(parent.stdout.take().unwrap()),
            &mut pid,
        )
        .unwrap();
        parent.wait().unwrap();
        let left = watch.look().unwrap().since(&before);
        // Ends it: its read gets an end of file.
        drop(
            std::fs::File::options()
                .write(true)
                .open(watch.state_dir.join("fifo")),
        );
        let name = format!("process {} ", pid.trim());
        assert!(
            left.iter().any(|what| what.starts_with(&name)),
            "{left:?} {pid}"
        );
    }

    #[test]
    fn a_socket_left_listening_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let watch = watch(dir.path());
        let before = watch.look().unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let unix = UnixListener::bind(dir.path().join("left.sock")).unwrap();
        let left = watch.look().unwrap().since(&before).join("\n");
        assert!(
            left.contains(&tcp.local_addr().unwrap().to_string()),
            "{left}"
        );
        assert!(left.contains("listening socket unix"), "{left}");
        drop((tcp, unix));
    }

    #[test]
    fn a_cgroup_and_a_mount_left_behind_are_named() {
        let root = tempfile::tempdir().unwrap();
        let parent = root.path().join("unit/llm-firecracker");
        std::fs::create_dir_all(parent.join("vm-1")).unwrap();
        let hierarchies = [(root.path().to_owned(), "cgroup2".to_owned())];
        let found = cgroups(&hierarchies, "llm-firecracker");
        assert_eq!(found, BTreeSet::from([parent.join("vm-1")]));
        let points = vec![
            ("/state/run/x".into(), "tmpfs".into()),
            ("/elsewhere".into(), "tmpfs".into()),
            ("/state".into(), "ext4".into()),
        ];
        let now = Snapshot {
            cgroups: found,
            mounts: below(Path::new("/state"), points),
            ..Snapshot::default()
        };
        let left = now.since(&Snapshot::default());
        assert_eq!(left.len(), 2, "{left:?}");
        assert!(
            left.contains(&"mount /state/run/x (tmpfs)".into()),
            "{left:?}"
        );
    }
}
