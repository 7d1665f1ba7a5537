//! The host's side of the matter: what is there before an attack, and what is there too many after it.
//!
//! Only what can be ours is looked at: processes that descend from this one or have what only a VM's have
//! (a cgroup of the battery's, a uid of a VM's, the namespace of a VMM), files and mounts below the state folder, sockets that those processes listen on, cgroups below the configured parent. A VM of another
//! tool that lives at the same time is told apart by its living parent, its folder by who holds its lock.

mod canary;
mod disk;
mod memory;
mod others;
mod processes;
mod snapshot;
mod sockets;

pub use canary::Canary;
pub use disk::DiskPeak;
pub use memory::MemoryMark;
pub use snapshot::{Snapshot, Stamp};

use crate::error::SelftestError;
use sandbox::config::Config;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::Instant;

/// How long a VM may take to vanish after its job's answer: the host destroys it behind the answer.
const VANISH_DEADLINE: Duration = Duration::from_secs(10);
/// How often it is looked for meanwhile; nothing tells when the last trace of a process is gone.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Where to look.
#[derive(Debug, Clone)]
pub struct Watch {
    /// The state folder, as processes and mounts name it.
    pub state_dir: PathBuf,
    /// Uids of VMMs; empty when the tool is not root and VMMs have its own uid.
    pub uids: Range<u32>,
    /// The tool's own uid.
    pub uid: u32,
    /// The name of the cgroup that holds all VMs.
    pub cgroup_parent: String,
    /// This process.
    pub pid: i32,
}

impl Watch {
    /// What this configuration's VMs can be told by.
    pub fn new(config: &Config) -> Watch {
        let vmm = &config.vmm;
        let uid = nix::unistd::geteuid();
        Watch {
            state_dir: vmm
                .state_dir
                .canonicalize()
                .unwrap_or_else(|_| vmm.state_dir.clone()),
            uids: match uid.is_root() {
                true => vmm.uid_base..vmm.uid_base.saturating_add(vmm.uid_count),
                false => 0..0,
            },
            uid: uid.as_raw(),
            cgroup_parent: vmm.cgroup_parent.clone(),
            pid: nix::unistd::getpid().as_raw(),
        }
    }

    /// What is there now.
    pub fn look(&self) -> Result<Snapshot, SelftestError> {
        Snapshot::take(self)
    }

    /// What an attack left behind: what is there now, was not before, and does not go away.
    pub async fn leftovers(&self, before: &Snapshot) -> Result<Vec<String>, SelftestError> {
        let deadline = Instant::now() + VANISH_DEADLINE;
        loop {
            let left = self.look()?.since(before);
            if left.is_empty() || Instant::now() >= deadline {
                return Ok(left);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}
