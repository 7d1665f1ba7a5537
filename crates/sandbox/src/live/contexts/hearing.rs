//! What an interpreter's output means: which cell printed what, and how it ended. Pure: orders and pieces of output go
//! in, what is to be told comes out.
//!
//! ```text
//!  idle ──order──> ordered ──Begun──> running ──End──> idle
//! ```
//!
//! | output | whose it is |
//! |---|---|
//! | on the running cell's lane | that cell's |
//! | after the order, before `Begun`, on the lane that this names | that cell's: what was printed is read before what was said |
//! | on a lane that was left because something still held it | late, of the last cell that had it |
//! | between cells, or where no lane is one cell's alone | late, of the context |
//! | told by the interpreter with a cell's key | that cell's, late unless it runs |

use super::answer::{Bundle, CellStream, ContextAnswer, Lines, Nonsense};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protocol::supervisor::{LANES, OutputKind};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Cells whose late output is known as theirs; of older ones it is the context's.
const REMEMBERED: usize = 256;

/// Bytes that are held back until a cell says on which lane it runs, and pieces of them; what is more is told at once.
const MAX_HELD_BYTES: usize = 1024 * 1024;
const MAX_HELD_PIECES: usize = 1024;

/// A cell's number in its context: 1, 2, …
pub type CellNumber = u64;

/// Whose output something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The running cell's.
    Running(CellNumber),
    /// Of a cell that is over.
    Late(CellNumber),
    /// Of some cell before.
    Context,
}

/// What is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// The cell runs.
    Begun,
    /// Something was printed.
    Printed(Origin, CellStream, Vec<u8>),
    /// A value was shown.
    Shown(Origin, Shown, Bundle),
    /// The cell did not catch this.
    Raised(RaisedError),
    /// The cell is over, with this exit code.
    Ended(u8),
}

/// How a value came to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// By the program.
    Display,
    /// It is the value of the cell's last expression.
    Result,
}

/// An error that a cell did not catch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RaisedError {
    /// Its type.
    pub name: String,
    /// What it says.
    pub value: String,
    /// Where it came from, as the language shows it.
    pub traceback: String,
}

/// The cell that the interpreter has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    key: String,
    number: CellNumber,
    /// Whether it runs, and on which lane.
    begun: Option<Option<u8>>,
}

/// One interpreter, as far as it was heard.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hearing {
    lines: Lines,
    given: Option<Given>,
    /// Of each lane: the last cell that had it, and whether another lane was taken since.
    lanes: [Option<(CellNumber, bool)>; LANES as usize + 1],
    /// Keys of cells that are over.
    over: VecDeque<(String, CellNumber)>,
    /// Printed since the order, before it was heard that the cell began.
    held: Vec<(u8, CellStream, Vec<u8>)>,
}

impl Hearing {
    /// It is given a cell. There is no other.
    pub fn order(&mut self, key: String, number: CellNumber) {
        self.given = Some(Given {
            key,
            number,
            begun: None,
        });
    }

    /// Something that it wrote is missing.
    pub fn skip(&mut self) {
        self.lines = Lines::default();
    }

    /// Takes in what it wrote.
    pub fn take(
        &mut self,
        kind: OutputKind,
        data: &[u8],
        tell: &mut impl FnMut(Heard),
    ) -> Result<(), Nonsense> {
        let (lane, stream) = match kind {
            OutputKind::Stdout | OutputKind::Terminal => (0, CellStream::Stdout),
            OutputKind::Stderr => (0, CellStream::Stderr),
            OutputKind::LaneStdout(lane) => (lane, CellStream::Stdout),
            OutputKind::LaneStderr(lane) => (lane, CellStream::Stderr),
            OutputKind::Control => {
                let mut lines = std::mem::take(&mut self.lines);
                let fed = lines.feed(data, |answer| self.answer(answer, tell));
                self.lines = lines;
                return fed;
            }
        };
        if self.waits_for_begin() && self.has_room_for(data.len()) {
            self.held.push((lane, stream, data.to_vec()));
        } else {
            tell(Heard::Printed(self.printer(lane), stream, data.to_vec()));
        }
        Ok(())
    }

    /// Tells what was held back: the cell began, or never will.
    pub fn let_go(&mut self, tell: &mut impl FnMut(Heard)) {
        for (lane, stream, data) in std::mem::take(&mut self.held) {
            tell(Heard::Printed(self.printer(lane), stream, data));
        }
    }

    fn waits_for_begin(&self) -> bool {
        let given = self.given.as_ref();
        given.is_some_and(|given| given.begun.is_none())
    }

    /// Whether so many bytes more can be held back. Pieces may be a byte each, of which a million would take long to count.
    fn has_room_for(&self, bytes: usize) -> bool {
        let held = || self.held.iter().map(|(_, _, data)| data.len());
        self.held.len() < MAX_HELD_PIECES && held().sum::<usize>() + bytes <= MAX_HELD_BYTES
    }

    /// Bytes of a line that is not whole: at most [`super::answer::MAX_LINE_BYTES`].
    pub fn buffered_bytes(&self) -> usize {
        self.lines.buffered_bytes()
    }

    /// Who prints on a lane now.
    fn printer(&self, lane: u8) -> Origin {
        let running = self
            .given
            .as_ref()
            .filter(|given| given.begun == Some(Some(lane)));
        if let Some(given) = running {
            return Origin::Running(given.number);
        }
        match self.lanes.get(usize::from(lane)) {
            Some(Some((number, true))) => Origin::Late(*number),
            _ => Origin::Context,
        }
    }

    fn answer(
        &mut self,
        answer: ContextAnswer,
        tell: &mut impl FnMut(Heard),
    ) -> Result<(), Nonsense> {
        match answer {
            ContextAnswer::Begun { cell, lane } => {
                let given = self.given.as_mut().filter(|given| given.key == cell);
                let given = given.filter(|given| given.begun.is_none());
                let given = given.ok_or(Nonsense::OutOfPlace)?;
                if lane.is_some_and(|lane| lane > LANES) {
                    return Err(Nonsense::OutOfPlace);
                }
                given.begun = Some(lane);
                let number = given.number;
                self.takes_lane(number, lane);
                tell(Heard::Begun);
                self.let_go(tell);
            }
            ContextAnswer::Output {
                cell,
                stream,
                base64,
            } => {
                let data = STANDARD.decode(base64).map_err(|_| Nonsense::NoAnswer)?;
                tell(Heard::Printed(self.origin(cell.as_deref()), stream, data));
            }
            ContextAnswer::Display { cell, data } => {
                tell(Heard::Shown(
                    self.origin(cell.as_deref()),
                    Shown::Display,
                    data,
                ));
            }
            ContextAnswer::Result { cell, data } => {
                tell(Heard::Shown(
                    self.origin(cell.as_deref()),
                    Shown::Result,
                    data,
                ));
            }
            ContextAnswer::Error {
                cell,
                name,
                value,
                traceback,
            } => {
                self.check_runs(&cell)?;
                tell(Heard::Raised(RaisedError {
                    name,
                    value,
                    traceback,
                }));
            }
            ContextAnswer::End { cell, exit_code } => {
                self.check_runs(&cell)?;
                if let Some(given) = self.given.take() {
                    self.over.push_back((given.key, given.number));
                }
                if self.over.len() > REMEMBERED {
                    self.over.pop_front();
                }
                tell(Heard::Ended(exit_code));
            }
        }
        Ok(())
    }

    fn check_runs(&self, key: &str) -> Result<(), Nonsense> {
        let runs = |given: &Given| given.key == key && given.begun.is_some();
        let runs = self.given.as_ref().is_some_and(runs);
        runs.then_some(()).ok_or(Nonsense::OutOfPlace)
    }

    /// Of the cell with this key.
    fn origin(&self, key: Option<&str>) -> Origin {
        let Some(key) = key else {
            return Origin::Context;
        };
        let running = self
            .given
            .as_ref()
            .filter(|given| given.key == key && given.begun.is_some());
        if let Some(given) = running {
            return Origin::Running(given.number);
        }
        let over = self.over.iter().rev().find(|(own, _)| own == key);
        over.map_or(Origin::Context, |(_, number)| Origin::Late(*number))
    }

    /// A lane is one cell's from here on; the others were left, if someone had them.
    fn takes_lane(&mut self, number: CellNumber, lane: Option<u8>) {
        for (own, last) in self.lanes.iter_mut().enumerate() {
            match last {
                _ if Some(own) == lane.map(usize::from) => *last = Some((number, false)),
                // Whose what comes on the first lane is, nobody can say any more.
                _ if lane.is_none() && own == 0 => *last = None,
                Some((_, left)) => *left = true,
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
