//! Processes between two links: their VM is saved at work, and whoever has it run again, at once or days later, takes them
//! up.
//!
//! ```text
//!   Hold       nobody follows them, nothing comes to them; what they write is kept, as ever
//!   (saved)    ends wait here: nothing is said before the next host has spoken
//!   Attach     what they read comes from a stream again
//! ```

use super::Supervisor;
use super::connections::Connections;
use super::input::InputKind;
use crate::error::AgentError;
use protocol::link::{Link, StreamId};
use protocol::supervisor::{GuestControl, INPUT_WINDOW_BYTES, ProcessId, StartStep};

impl Supervisor {
    /// Lets go of all streams; processes go on.
    pub fn hold(&mut self) -> Result<(), AgentError> {
        for pending in std::mem::take(&mut self.pending).into_values() {
            let reason = "the sandbox is being paused";
            self.not_started(pending.asked(), StartStep::Launch, reason)?;
        }
        self.operations.clear();
        for process in self.processes.values_mut() {
            process.detach();
        }
        self.let_go_of_link()
    }

    /// Nothing goes over it any more; the last word is that it is quiet. What comes next is another link.
    pub fn let_go_of_link(&mut self) -> Result<(), AgentError> {
        self.followers.clear();
        self.connections = Connections::default();
        // Who takes it up opens a network of its own, or none.
        self.network = None;
        self.link.control(&GuestControl::Quiet)?;
        self.drain()?;
        self.link = Link::new();
        self.is_quiet = true;
        Ok(())
    }

    /// Gives a process' inputs streams again.
    pub fn attach(
        &mut self,
        process: ProcessId,
        stdin: Option<StreamId>,
        orders: Option<StreamId>,
    ) {
        let stdin =
            stdin.map(|stream| (stream, [InputKind::Stdin, InputKind::Terminal].as_slice()));
        let orders = orders.map(|stream| (stream, [InputKind::Orders].as_slice()));
        for (stream, kinds) in stdin.into_iter().chain(orders) {
            self.link.open_incoming_granted(stream, INPUT_WINDOW_BYTES);
            let known = self.processes.get_mut(&process);
            if !known.is_some_and(|process| process.attach(kinds, stream)) {
                self.link.refuse(stream);
            }
        }
    }
}
