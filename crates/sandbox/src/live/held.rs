//! A guest between two links, as its host remembers it: what it may still speak of, and what clients know of it.
//!
//! ```text
//!  Service ──hold──> HeldGuest ──(its VM is saved; minutes or days)──> Service::take_up ──Attach──> as before
//! ```
//!
//! Streams are not part of it: who follows, reads or writes a file is cut, and asks again. Plain data: it is kept beside the
//! saved VM.

use super::desk::Desk;
use super::error::LiveError;
use super::line::Input;
use super::outflow::Flow;
use super::process::{Known, ProcessInfo};
use super::state::{Stage, Voice};
use protocol::link::StreamId;
use protocol::result::GuestWall;
use protocol::supervisor::{HostControl, INPUT_WINDOW_BYTES, ProcessId};
use serde::{Deserialize, Serialize};

/// What is remembered of a guest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldGuest {
    processes: Vec<HeldProcess>,
    /// The last name that was given.
    last_process: ProcessId,
    guest: GuestWall,
    /// What it is called, and its boot's id: it keeps them where it goes on, its copies get others.
    pub(super) names: Names,
}

/// What a machine is known by inside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Names {
    pub(super) hostname: String,
    pub(super) boot_id: String,
}

/// A process that stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeldProcess {
    info: ProcessInfo,
    voice: Voice,
    stdin: Flow,
    orders: Flow,
}

impl HeldGuest {
    /// The processes that it has, as they were.
    pub fn processes(&self) -> impl Iterator<Item = &ProcessInfo> {
        self.processes.iter().map(|held| &held.info)
    }

    /// What everybody sees who holds it again.
    fn known(&self) -> Known {
        let infos = self.processes().map(|info| (info.id, info.clone()));
        Known::of(infos.collect(), self.guest)
    }
}

impl Desk {
    /// What is to be remembered, once the guest holds still.
    pub(super) fn held(&self, names: Names) -> HeldGuest {
        let known = self.known.borrow();
        let flow = |process, input| match self.inputs.get(&(process, input)) {
            Some(stream) => self.outflows.flow(*stream),
            None => Flow::Closed,
        };
        // What the guest told of is known; the one cannot be without the other.
        let held = |info: &ProcessInfo| {
            Some(HeldProcess {
                voice: self.expected.voice(info.id)?,
                stdin: flow(info.id, Input::Stdin),
                orders: flow(info.id, Input::Orders),
                info: info.clone(),
            })
        };
        HeldGuest {
            processes: known.processes.values().filter_map(held).collect(),
            last_process: self.last_process,
            guest: known.guest,
            names,
        }
    }

    /// Knows what is remembered.
    pub(super) fn remember(&mut self, held: &HeldGuest) {
        self.last_process = held.last_process;
        for HeldProcess { info, voice, .. } in &held.processes {
            let stage = match info.report {
                Some(_) => Stage::Ended,
                None => Stage::Running,
            };
            self.expected.remember(info.id, stage, *voice);
        }
        self.known.send_modify(|known| *known = held.known());
    }

    /// Gives the inputs of what runs streams again.
    pub(super) fn attach(&mut self, held: &HeldGuest) -> Result<(), LiveError> {
        for process in &held.processes {
            if process.info.report.is_none() {
                self.attach_one(process)?;
            }
        }
        Ok(())
    }

    fn attach_one(&mut self, held: &HeldProcess) -> Result<(), LiveError> {
        let process = held.info.id;
        let mut stream_for = |flow| (flow != Flow::Closed).then(|| self.free_stream());
        let (stdin, orders) = (stream_for(held.stdin), stream_for(held.orders));
        if stdin.is_none() && orders.is_none() {
            return Ok(());
        }
        self.say(&HostControl::Attach {
            process,
            stdin,
            orders,
        })?;
        for (input, stream, flow) in [
            (Input::Stdin, stdin, held.stdin),
            (Input::Orders, orders, held.orders),
        ] {
            if let Some(stream) = stream {
                self.open_input((process, input), stream);
                if flow == Flow::Ending {
                    self.outflows.end(stream);
                }
            }
        }
        Ok(())
    }

    /// Begins a stream to a process, whose window the guest knows.
    pub(super) fn open_input(&mut self, of: (ProcessId, Input), stream: StreamId) {
        self.link.open_outgoing_granted(stream, INPUT_WINDOW_BYTES);
        self.outflows.open(stream);
        self.inputs.insert(of, stream);
    }
}
