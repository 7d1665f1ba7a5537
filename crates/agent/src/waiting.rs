//! The interpreters that wait: a job gets the one that waited longest, the others keep waiting.
//!
//! A template has two, so that a clone that rehearses before its job comes has one left for it, and
//! loads nothing meanwhile. They share no process, cgroup, pipe or pid namespace.

use crate::cgroup;
use crate::error::AgentError;
use crate::zygote::Zygote;
use protocol::language::Language;
use std::collections::VecDeque;

/// Each with what it holds, in bytes.
#[derive(Default)]
pub struct WaitingRoom(VecDeque<(Zygote, u64)>);

impl WaitingRoom {
    /// Loads one more; those of another language go.
    pub fn load(&mut self, language: Language) -> Result<(), AgentError> {
        self.0.retain(|(zygote, _)| zygote.language() == language);
        if let Some(zygote) = Zygote::load(language)? {
            let bytes = zygote.cgroup.memory_bytes()?;
            self.0.push_back((zygote, bytes));
        }
        self.count();
        Ok(())
    }

    /// The next one; what it holds is the job's from here on.
    pub fn take(&mut self) -> Option<Zygote> {
        let (zygote, _) = self.0.pop_front()?;
        self.count();
        Some(zygote)
    }

    /// Says whether none waits.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn count(&self) {
        cgroup::set_waiting_bytes(self.0.iter().map(|(_, bytes)| bytes).sum());
    }
}
