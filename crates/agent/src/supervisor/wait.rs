//! What the supervisor waits for: made anew from the state each time, so that nothing is waited for that is gone.

use super::Supervisor;
use super::network::Network;
use super::operation::Interest;
use crate::error::{AgentError, Step};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use protocol::supervisor::ProcessId;
use std::collections::BTreeSet;
use std::time::Instant;

/// What has something. A process' pipes are not told apart: who looks at it reads and writes what there is.
#[derive(Default)]
pub struct Woken {
    /// The line.
    pub line: bool,
    /// The init's end.
    pub init: bool,
    /// Processes that ended, or whose pipes have something.
    pub processes: BTreeSet<ProcessId>,
    /// Of these, the ended ones.
    pub ended: BTreeSet<ProcessId>,
}

impl Supervisor {
    /// Waits until something can be done.
    pub fn wait(&self) -> Result<Woken, AgentError> {
        let now = Instant::now();
        let mut until: Option<Instant> = None;
        let mut wake_at = |at: Option<Instant>| {
            if let Some(at) = at {
                until = Some(until.map_or(at, |known| known.min(at)));
            }
        };
        // The line and the init's end come first.
        let mut fds = vec![PollFd::new(self.line.events(), PollFlags::POLLIN)];
        let init = self
            .sandbox
            .as_ref()
            .map(|sandbox| sandbox.namespaces.gone());
        fds.extend(init.map(|gone| PollFd::new(gone, PollFlags::POLLIN)));
        let own_fds = fds.len();
        // Whose each is, and whether it is an end.
        let mut owners: Vec<(ProcessId, bool)> = Vec::new();
        for (id, process) in &self.processes {
            let mut add = |fd, flags, is_end| {
                fds.push(PollFd::new(fd, flags));
                owners.push((*id, is_end));
            };
            if let Some(end) = process.end() {
                add(end, PollFlags::POLLIN, true);
            }
            wake_at(process.deadline);
            if process.outputs.has_room(self.unread_from(*id)) {
                let (readable, later) = process.outputs.readable(now);
                wake_at(later);
                for fd in readable {
                    add(fd, PollFlags::POLLIN, false);
                }
            }
            for fd in process.writable() {
                add(fd, PollFlags::POLLOUT, false);
            }
        }
        let operations = self.operations.values();
        let interests = operations.flat_map(|operation| operation.interests(&self.link));
        let interests = interests.chain(self.connections.interests(&self.link));
        let network = self.network.iter().flat_map(Network::interests);
        let interests = interests.chain(network);
        fds.extend(interests.map(|it| match it {
            Interest::Read(fd) => PollFd::new(fd, PollFlags::POLLIN),
            Interest::Write(fd) => PollFd::new(fd, PollFlags::POLLOUT),
        }));
        if self.line.has_arrived() {
            until = Some(now);
        }
        let timeout = until.map(|at| TimeSpec::from(at.saturating_duration_since(now)));
        match ppoll(&mut fds, timeout, None) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(source) => return Err(source).step(|| "poll the sandbox"),
        }
        let ready = |place: usize| fds[place].any().unwrap_or(false);
        let mut woken = Woken {
            line: ready(0),
            init: own_fds > 1 && ready(1),
            ..Woken::default()
        };
        for (place, (id, is_end)) in owners.into_iter().enumerate() {
            if ready(own_fds + place) {
                woken.processes.insert(id);
                if is_end {
                    woken.ended.insert(id);
                }
            }
        }
        Ok(woken)
    }
}
