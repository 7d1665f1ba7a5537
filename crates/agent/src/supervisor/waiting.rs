//! Interpreters that were started before their job is known, and what becomes of them.
//!
//! ```text
//!   Start      an interpreter loads and says on its control descriptor that it is ready
//!   Quiesce    its inputs have no stream, nobody follows it; a snapshot may be taken
//!   Adopt      limits set from outside, then the order: it becomes the job's process, the same pid, uid, cgroup, pipes
//! ```

use super::Supervisor;
use super::launch::Launched;
use super::sandbox::Sandbox;
use crate::error::AgentError;
use crate::files::Folder;
use crate::root;
use protocol::supervisor::{AdoptProcess, GuestControl, ProcessId, Supervise};
use std::collections::BTreeSet;

impl Supervisor {
    /// Whether a process is an interpreter that waits.
    pub fn waits(&self, process: ProcessId) -> bool {
        let known = self.processes.get(&process);
        known.is_some_and(|process| process.waits)
    }

    /// What those hold, bytes.
    fn waiting_bytes(&self) -> Result<u64, AgentError> {
        let waiting = self.processes.values().filter(|process| process.waits);
        waiting.map(|process| process.cgroup.memory_bytes()).sum()
    }

    /// Sets the sandbox's bounds; the first time, makes it.
    pub fn supervise(&mut self, bounds: &Supervise) -> Result<(), AgentError> {
        let waiting_bytes = self.waiting_bytes()?;
        let mut sandbox = match self.sandbox.take() {
            Some(sandbox) if sandbox.suits(bounds) => sandbox,
            Some(_) if !self.processes.is_empty() => {
                return Err(AgentError::OutOfTurn("another root under its processes"));
            }
            before => {
                drop(before);
                Sandbox::create(bounds)?
            }
        };
        let bound = sandbox.bound(bounds, waiting_bytes);
        self.sandbox = Some(sandbox);
        bound?;
        self.share_kept();
        Ok(self.link.control(&GuestControl::Ready)?)
    }

    /// Ends the interpreters that wait, but one.
    pub fn dismiss(&mut self, except: Option<ProcessId>) -> Result<(), AgentError> {
        self.processes
            .retain(|id, process| !process.waits || except == Some(*id));
        let waiting_bytes = self.waiting_bytes()?;
        if let Some(sandbox) = &self.sandbox {
            sandbox.reserve(waiting_bytes);
        }
        Ok(())
    }

    /// Empties the folders that processes write to.
    pub fn clear(&mut self) -> Result<(), AgentError> {
        root::empty()?;
        Ok(self.link.control(&GuestControl::Cleared)?)
    }

    /// Lets go of all streams; what runs waits from now on.
    pub fn quiesce(&mut self) -> Result<(), AgentError> {
        if !self.operations.is_empty() || !self.pending.is_empty() {
            return Err(AgentError::OutOfTurn("it was to hold still at work"));
        }
        for process in self.processes.values_mut() {
            process.wait_for_order();
        }
        self.read_programs();
        self.let_go_of_link()
    }

    /// One that waits becomes a process of the host's.
    pub fn adopt(&mut self, adopt: &AdoptProcess) -> Result<Launched, AgentError> {
        let Some(process) = self.processes.get_mut(&adopt.process) else {
            return Err(AgentError::OutOfTurn("what is to be adopted is not there"));
        };
        process.adopt(adopt)?;
        let pid = process.pid;
        // What it holds is the job's from here on.
        let waiting_bytes = self.waiting_bytes()?;
        if let Some(sandbox) = &self.sandbox {
            sandbox.reserve(waiting_bytes);
        }
        if let Some(process) = self.processes.get_mut(&adopt.process) {
            process.limit(&adopt.limits)?;
        }
        self.share_kept();
        Ok(Launched::Running(pid))
    }

    /// Brings the code of what waits into memory, all that it mapped: a clone would unpack what its job is the first to
    /// need. What cannot be read is read by the job, as it would be without this.
    fn read_programs(&self) {
        let waiting = self.processes.values().filter(|process| process.waits);
        let pids = waiting.flat_map(|process| process.cgroup.pids().unwrap_or_default());
        let maps: String = pids
            .filter_map(|pid| std::fs::read_to_string(format!("/proc/{pid}/maps")).ok())
            .collect();
        let files: BTreeSet<&str> = maps
            .lines()
            .filter(|line| line.contains("r-xp"))
            .filter_map(|line| line.find('/').map(|start| &line[start..]))
            .collect();
        // The names are that process' to choose: only what is the image's is opened.
        let Ok(image) = Folder::open("/") else { return };
        for file in files {
            if let Ok((mut file, _, _)) = image.get(file.trim_start_matches('/')) {
                let _ = std::io::copy(&mut file, &mut std::io::sink());
            }
        }
    }
}
