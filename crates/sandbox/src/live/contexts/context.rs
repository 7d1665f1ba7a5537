//! One context: the task that has its interpreter, and gives it one cell after another.
//!
//! ```text
//!  no interpreter ──a cell──> started ──Begun──> running ──End──> idle ──a cell──> …
//!        ^                       └── its time is up, too much output: interrupt ── grace ── killed ┐
//!        └──────────────────── its process ended, it talked nonsense, restart ─────────────────────┘
//! ```

use super::Cell;
use super::answer::Nonsense;
use super::course::Course;
use super::event::{CellEnd, ContextEvent, Lost, Stop};
use super::hearing::{CellNumber, Heard, Hearing};
use super::log::Log;
use super::order;
use crate::live::{
    LiveError, LiveSandbox, Output, OutputPiece, ProcessId, ProcessSpec, SignalTarget,
};
use protocol::language::Orders;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};

/// How long a killed interpreter's end is waited for.
const KILL_PATIENCE: Duration = Duration::from_secs(10);
const SIGKILL: i32 = 9;

/// A cell and its number.
pub(super) type Numbered = (CellNumber, Cell);

/// What a context is told beside its cells.
#[derive(Debug)]
pub(super) enum Wish {
    /// Stop this cell, or the one that runs.
    Interrupt(Option<CellNumber>),
    /// Away with the interpreter.
    Restart(oneshot::Sender<()>),
}

/// Everything of one context's task.
pub(super) struct Task {
    pub(super) live: LiveSandbox,
    pub(super) orders: Orders,
    pub(super) spec: ProcessSpec,
    pub(super) log: Arc<Log>,
    pub(super) cells: mpsc::Receiver<Numbered>,
    pub(super) wishes: mpsc::Receiver<Wish>,
    pub(super) interpreter: Option<RunningInterpreter>,
    /// Cells that are not to run any more.
    pub(super) stopped: BTreeSet<CellNumber>,
    /// Shared with who lists contexts.
    pub(super) process: Arc<Mutex<Option<ProcessId>>>,
    /// There was one before.
    pub(super) had_one: bool,
}

/// An interpreter that runs.
pub(super) struct RunningInterpreter {
    pub(super) process: ProcessId,
    pub(super) output: Output,
    pub(super) hearing: Hearing,
}

impl Task {
    /// Serves until nobody holds the context any more.
    pub(super) async fn run(mut self) {
        loop {
            let next = async {
                match &mut self.interpreter {
                    Some(interpreter) => {
                        self.log.room().await;
                        interpreter.output.next().await
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                wish = self.wishes.recv() => match wish {
                    Some(wish) => self.on_wish_between(wish).await,
                    None => break,
                },
                piece = next => self.on_piece_between(piece).await,
                cell = self.cells.recv() => match cell {
                    Some((number, cell)) => self.carry_out(number, cell).await,
                    None => break,
                },
            }
            if !self.live.is_alive() {
                break;
            }
        }
        self.kill().await;
        let gone = || Lost::Gone(self.live.line.gone().to_string());
        let lost = (!self.live.is_alive()).then(gone);
        while let Ok((number, _)) = self.cells.try_recv() {
            self.tell_unstarted(number, Stop::Context, lost.clone());
        }
        self.log.close();
    }

    async fn on_wish_between(&mut self, wish: Wish) {
        match wish {
            Wish::Interrupt(Some(number)) => _ = self.stopped.insert(number),
            // Nothing runs.
            Wish::Interrupt(None) => {}
            Wish::Restart(done) => {
                if self.interpreter.is_some() {
                    self.kill().await;
                    self.log.tell(ContextEvent::Lost(Lost::Restarted));
                }
                let _ = done.send(());
            }
        }
    }

    async fn on_piece_between(&mut self, piece: Result<Option<OutputPiece>, LiveError>) {
        let lost = match piece {
            Ok(Some(piece)) => match self.hear(&piece, None) {
                Ok(()) => return,
                Err(nonsense) => Lost::Nonsense(nonsense),
            },
            Ok(None) => self.process_end().await,
            Err(error) => Lost::Gone(error.to_string()),
        };
        self.kill().await;
        self.log.tell(ContextEvent::Lost(lost));
    }

    fn tell_unstarted(&self, number: CellNumber, stop: Stop, lost: Option<Lost>) {
        let end = CellEnd {
            exit_code: None,
            stopped: Some(stop),
            lost,
            wall: Duration::ZERO,
        };
        self.log.tell(ContextEvent::Ended(number, end));
    }

    /// Runs one cell to its end, and tells of it.
    async fn carry_out(&mut self, number: CellNumber, cell: Cell) {
        if self.stopped.remove(&number) {
            return self.tell_unstarted(number, Stop::Interrupt, None);
        }
        if let Err(lost) = self.begin().await {
            let end = CellEnd {
                exit_code: None,
                stopped: None,
                lost: Some(lost),
                wall: Duration::ZERO,
            };
            return self.log.tell(ContextEvent::Ended(number, end));
        }
        let mut course = Course::new(number, &cell);
        let lost = self.follow(&mut course, &cell).await;
        if lost.is_some() {
            self.kill().await;
        }
        self.stopped.remove(&number);
        let end = CellEnd {
            exit_code: course.exit_code,
            stopped: course.stopped,
            lost,
            wall: course.begun.map_or(Duration::ZERO, |begun| begun.elapsed()),
        };
        self.log.tell(ContextEvent::Ended(number, end));
    }

    /// Has an interpreter ready.
    async fn begin(&mut self) -> Result<(), Lost> {
        if self.interpreter.is_some() {
            return Ok(());
        }
        let started = async {
            let process = self.live.start(self.spec.clone()).await?;
            let output = self.live.follow(process, 0).await?;
            let preface = order::preface(&self.orders);
            if !preface.is_empty() {
                self.live.order(process, preface.into()).await?;
            }
            Ok((process, output))
        };
        let (process, output) = started.await.map_err(|error: LiveError| match error {
            LiveError::Gone(why) => Lost::Gone(why),
            other => Lost::NotStarted(other.to_string()),
        })?;
        self.interpreter = Some(RunningInterpreter {
            process,
            output,
            hearing: Hearing::default(),
        });
        self.set_process(Some(process));
        if std::mem::replace(&mut self.had_one, true) {
            self.log.tell(ContextEvent::Renewed);
        }
        Ok(())
    }

    pub(super) async fn signal(&self, signal: i32, to: SignalTarget) {
        if let Some(interpreter) = &self.interpreter {
            // One that is gone needs none.
            let _ = self.live.signal(interpreter.process, signal, to).await;
        }
    }

    /// Takes in what was written, and tells it.
    pub(super) fn hear(
        &mut self,
        piece: &OutputPiece,
        mut course: Option<&mut Course>,
    ) -> Result<(), Nonsense> {
        let Some(interpreter) = &mut self.interpreter else {
            return Ok(());
        };
        let log = &self.log;
        interpreter
            .hearing
            .take(piece.kind, &piece.data, &mut |heard| {
                let event = match (heard, course.as_deref_mut()) {
                    (Heard::Begun, Some(course)) => {
                        course.begun = Some(Instant::now());
                        ContextEvent::Begun(course.number)
                    }
                    (Heard::Ended(exit_code), Some(course)) => {
                        (course.exit_code, course.ended) = (Some(exit_code), true);
                        return;
                    }
                    (Heard::Raised(error), Some(course)) => {
                        ContextEvent::Raised(course.number, error)
                    }
                    // Only of a cell that was ordered.
                    (Heard::Begun | Heard::Ended(_) | Heard::Raised(_), None) => return,
                    (Heard::Printed(origin, stream, data), _) => ContextEvent::Printed {
                        origin,
                        stream,
                        data,
                    },
                    (Heard::Shown(origin, shown, data), _) => ContextEvent::Shown {
                        origin,
                        shown,
                        data,
                    },
                };
                if let Some(course) = &mut course {
                    if course.room == 0
                        && matches!(
                            event,
                            ContextEvent::Printed { .. } | ContextEvent::Shown { .. }
                        )
                    {
                        return;
                    }
                    course.room = course.room.saturating_sub(event.size());
                }
                log.tell(event);
            })
    }

    /// How its process ended: all that it wrote was heard.
    pub(super) async fn process_end(&mut self) -> Lost {
        let Some(interpreter) = &self.interpreter else {
            return Lost::Restarted;
        };
        match self.live.wait(interpreter.process).await {
            Ok(report) => Lost::Ended(Box::new(report)),
            Err(error) => Lost::Gone(error.to_string()),
        }
    }

    /// Away with the interpreter and all that it started.
    pub(super) async fn kill(&mut self) {
        let Some(interpreter) = self.interpreter.take() else {
            return;
        };
        let process = interpreter.process;
        drop(interpreter);
        self.set_process(None);
        // Gone already, with the sandbox or by itself, is fine.
        let _ = self.live.signal(process, SIGKILL, SignalTarget::All).await;
        let _ = timeout(KILL_PATIENCE, self.live.wait(process)).await;
        let _ = self.live.forget(process).await;
    }

    fn set_process(&self, process: Option<ProcessId>) {
        let mut shared = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        *shared = process;
    }
}
