//! What is told of a context and its cells.

use super::answer::{Bundle, CellStream, Nonsense};
use super::hearing::{CellNumber, Origin, RaisedError, Shown};
use protocol::supervisor::ProcessReport;
use std::time::Duration;

/// One thing that is told.
#[derive(Debug, Clone, PartialEq)]
pub enum ContextEvent {
    /// A new interpreter: what an earlier one held is gone. Not told of the first.
    Renewed,
    /// A cell runs.
    Begun(CellNumber),
    /// Something was printed.
    Printed {
        /// Whose it is.
        origin: Origin,
        /// On which output.
        stream: CellStream,
        /// Not empty.
        data: Vec<u8>,
    },
    /// A value was shown.
    Shown {
        /// Whose it is.
        origin: Origin,
        /// How.
        shown: Shown,
        /// What it looks like.
        data: Bundle,
    },
    /// A cell did not catch this.
    Raised(CellNumber, RaisedError),
    /// A cell is over; of each that was accepted exactly one.
    Ended(CellNumber, CellEnd),
    /// The interpreter ended between cells.
    Lost(Lost),
}

/// How a cell ended.
#[derive(Debug, Clone, PartialEq)]
pub struct CellEnd {
    /// What it would have exited with as a program; `None` where it did not come to that.
    pub exit_code: Option<u8>,
    /// What stopped it, if it did not come to its end by itself.
    pub stopped: Option<Stop>,
    /// What became of the interpreter, with all variables; `None`: it goes on.
    pub lost: Option<Lost>,
    /// How long it ran.
    pub wall: Duration,
}

/// What stopped a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// An interrupt that was asked for.
    Interrupt,
    /// It ran for too long.
    Timeout,
    /// It printed and showed too much.
    Output,
    /// The context was restarted or deleted, or its sandbox ended.
    Context,
}

/// What became of an interpreter.
#[derive(Debug, Clone, PartialEq)]
pub enum Lost {
    /// Its process ended.
    Ended(Box<ProcessReport>),
    /// It did not take an interrupt, and was killed.
    Stubborn,
    /// It never began its cell, and was killed.
    Silent,
    /// It said what none says, and was killed.
    Nonsense(Nonsense),
    /// It did not start, for this reason.
    NotStarted(String),
    /// As was wished.
    Restarted,
    /// Its sandbox is gone.
    Gone(String),
}

impl ContextEvent {
    /// What it takes to hold it, in bytes.
    pub(super) fn size(&self) -> usize {
        const EACH: usize = 128;
        let text = match self {
            ContextEvent::Printed { data, .. } => data.len(),
            ContextEvent::Shown { data, .. } => data
                .iter()
                .map(|(kind, data)| EACH + kind.len() + data.len())
                .sum(),
            ContextEvent::Raised(_, error) => {
                error.name.len() + error.value.len() + error.traceback.len()
            }
            _ => 0,
        };
        EACH + text
    }

    /// The cell that it is of.
    pub fn cell(&self) -> Option<CellNumber> {
        match self {
            ContextEvent::Begun(cell)
            | ContextEvent::Raised(cell, _)
            | ContextEvent::Ended(cell, _) => Some(*cell),
            ContextEvent::Printed { origin, .. } | ContextEvent::Shown { origin, .. } => {
                match origin {
                    Origin::Running(cell) | Origin::Late(cell) => Some(*cell),
                    Origin::Context => None,
                }
            }
            ContextEvent::Renewed | ContextEvent::Lost(_) => None,
        }
    }
}
