//! What all processes are in: namespaces, cgroups, the folders that they write to, the operator's filter.

use super::namespaces::Namespaces;
use crate::cgroup::{self, Cgroup};
use crate::error::AgentError;
use crate::root;
use crate::view::Root;
use nix::errno::Errno;
use protocol::supervisor::{MAX_KEPT_BYTES, Supervise};

/// The cgroup that all processes are below.
pub const CGROUP: &str = "sandbox";
/// The sandbox's init counts as a process of that cgroup, too.
const OWN_PIDS: u64 = 1;

/// The sandbox. Dropped, everything in it is killed.
pub struct Sandbox {
    /// Of its processes.
    pub namespaces: Namespaces,
    /// Of the children that work on files.
    pub files_cgroup: Cgroup,
    /// Above all the others.
    cgroup: Cgroup,
    /// The operator's.
    pub seccomp_program: Vec<u64>,
    /// Of all outputs together, bytes.
    pub kept_bytes: u64,
    /// What its processes see as theirs.
    root: Root,
}

impl Sandbox {
    /// Makes it, for these bounds.
    pub fn create(bounds: &Supervise) -> Result<Sandbox, AgentError> {
        let root = root_of(bounds);
        let cgroup = Cgroup::create_parent(CGROUP)?;
        let files_cgroup = Cgroup::create(&format!("{CGROUP}/files"))?;
        let init = Cgroup::create(&format!("{CGROUP}/init"))?;
        Ok(Sandbox {
            namespaces: Namespaces::create(init, root)?,
            files_cgroup,
            cgroup,
            seccomp_program: Vec::new(),
            kept_bytes: 0,
            root,
        })
    }

    /// Whether it can have these bounds: its root is what it is.
    pub fn suits(&self, bounds: &Supervise) -> bool {
        self.root == root_of(bounds)
    }

    /// Sets its bounds; interpreters that wait hold `waiting_bytes` that nobody else can have.
    pub fn bound(&mut self, bounds: &Supervise, waiting_bytes: u64) -> Result<(), AgentError> {
        match root::resize(bounds.tmpfs_bytes) {
            // What is there already takes more: the size stays as it was.
            Err(AgentError::System {
                source: Errno::EINVAL,
                ..
            }) => {}
            resized => resized?,
        }
        self.kept_bytes = bounds.kept_bytes.min(MAX_KEPT_BYTES);
        self.seccomp_program.clone_from(&bounds.seccomp_program);
        self.reserve(waiting_bytes);
        self.cgroup.limit(0, bounds.pids.saturating_add(OWN_PIDS))
    }

    /// Keeps from its processes what the agent and those that wait hold.
    pub fn reserve(&self, waiting_bytes: u64) {
        cgroup::set_waiting_bytes(self.kept_bytes + waiting_bytes);
    }
}

fn root_of(bounds: &Supervise) -> Root {
    match bounds.writable_bytes {
        0 => Root::ReadOnly,
        bytes => Root::Writable(bytes),
    }
}
