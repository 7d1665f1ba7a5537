//! What version 2 asks for besides: a cgroup that hands controllers down has no processes of its own, so a service's
//! main process moves into a leaf, and its VMs are beside that, below the service's own limits.
//!
//! ```text
//!  system.slice
//!    └─ llm-firecracker.service    delegated; MemoryMax, TasksMax, DevicePolicy: they bind all below
//!         ├─ daemon                the tool, moved here
//!         └─ llm-firecracker       capped: what all VMs may have together
//!              └─ vm-…             one a VM
//! ```

use super::layout::{CONTROLLERS, Layout};
use rustix::fs::{Access, access};
use std::path::{Path, PathBuf};

/// The leaf that a service's own processes move into.
const LEAF: &str = "daemon";

/// How often the service's processes are looked for: one may be forked between the look and the move.
const MOVE_ATTEMPTS: usize = 8;

/// How systemd marks a cgroup that it leaves to who runs in it (systemd's `docs/CGROUP_DELEGATION.md`): for root, and
/// since version 250 for all.
const DELEGATED: [&str; 2] = ["trusted.delegate", "user.delegate"];

/// Whether a manager delegated this cgroup.
pub fn is_delegated(folder: &Path) -> bool {
    let marked = |name: &&str| {
        let mut value = [0u8; 8];
        rustix::fs::getxattr(folder, *name, &mut value[..])
            .is_ok_and(|length| &value[..length] == b"1")
    };
    DELEGATED.iter().any(marked)
}

/// Root's: the nearest cgroup above the tool that a manager delegated, so that its limits hold for VMs too. Where there is
/// none, as in a root's shell, whose cgroup holds other people's processes: the tree's root.
pub fn place_of_root(
    layout: &Layout,
    is_delegated: impl Fn(&Path) -> bool,
) -> Result<PathBuf, String> {
    let tree = &layout.trees[""];
    let mut above = layout.v2_candidates().into_iter();
    let Some(unit) = above.find(|folder| *folder != tree.mount && is_delegated(folder)) else {
        return Ok(PathBuf::new());
    };
    empty(&unit)?;
    let below = unit.strip_prefix(&tree.mount);
    Ok(below.map(Path::to_path_buf).unwrap_or_default())
}

/// Moves the processes of a delegated cgroup into a leaf of it. They are the service's: a manager puts no others there.
fn empty(unit: &Path) -> Result<(), String> {
    let told =
        |what: &str, path: &Path, e: std::io::Error| format!("{what} {}: {e}", path.display());
    let procs = unit.join("cgroup.procs");
    let leaf = unit.join(LEAF);
    for _ in 0..MOVE_ATTEMPTS {
        let found = std::fs::read_to_string(&procs).map_err(|e| told("reading", &procs, e))?;
        let pids: Vec<&str> = found.lines().collect();
        if pids.is_empty() {
            return Ok(());
        }
        match std::fs::create_dir(&leaf) {
            Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(told("making", &leaf, e));
            }
            _ => {}
        }
        let entrance = leaf.join("cgroup.procs");
        for pid in pids {
            match std::fs::write(&entrance, pid) {
                // It ended meanwhile.
                Err(e) if e.raw_os_error() == Some(libc::ESRCH) => {}
                moved => moved.map_err(|e| told("moving a process into", &leaf, e))?,
            }
        }
    }
    Err(format!("{} does not get empty", unit.display()))
}

/// A user's: the nearest ancestor that is the user's and hands the controllers down.
pub fn place_of_user(layout: &Layout) -> Result<PathBuf, String> {
    let mount = &layout.trees[""].mount;
    let hands_down = |folder: &PathBuf| {
        let handed = handed_down(folder);
        access(folder, Access::WRITE_OK).is_ok()
            && access(folder.join("cgroup.procs"), Access::WRITE_OK).is_ok()
            && CONTROLLERS.iter().all(|c| handed.iter().any(|h| h == c))
    };
    let found = layout.v2_candidates().into_iter().find(hands_down);
    found
        .and_then(|folder| folder.strip_prefix(mount).ok().map(Path::to_path_buf))
        .ok_or_else(|| {
            "no cgroup with the controllers memory, pids and cpu is delegated to this user \
             (systemd: systemd-run --user --scope -p Delegate=yes)"
                .into()
        })
}

/// Makes the cgroup `parent`, and has each from the tree's root to it hand the controllers down. One that may not is found
/// when a VM's limits are read back.
pub fn make_parent(mount: &Path, parent: &Path) -> std::io::Result<()> {
    let below = parent.strip_prefix(mount).unwrap_or(Path::new(""));
    let mut folder = mount.to_path_buf();
    hand_down(&folder);
    for name in below {
        folder.push(name);
        match std::fs::create_dir(&folder) {
            Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => return Err(e),
            _ => hand_down(&folder),
        }
    }
    Ok(())
}

fn handed_down(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("cgroup.subtree_control"));
    let text = text.unwrap_or_default();
    text.split_whitespace().map(str::to_owned).collect()
}

fn hand_down(folder: &Path) {
    let handed = handed_down(folder);
    for controller in CONTROLLERS
        .iter()
        .filter(|c| !handed.iter().any(|h| h == *c))
    {
        let _ = std::fs::write(
            folder.join("cgroup.subtree_control"),
            format!("+{controller}"),
        );
    }
}
