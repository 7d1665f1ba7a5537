//! One context: the task that has its interpreter, and gives it one cell after another.
//!
//! ```text
//!  no interpreter ──a cell──> started ──Begun──> running ──End──> idle ──a cell──> …
//!        ^                       └── its time is up, too much output: interrupt ── grace ── killed ┐
//!        └──────────────────── its process ended, it talked nonsense, restart ─────────────────────┘
//!  between cells ──the sandbox is saved──> let go; the interpreter stays, and is taken up by another task
//! ```

use super::Cell;
use super::answer::Nonsense;
use super::course::Course;
use super::event::{CellEnd, ContextEvent, Lost, Stop};
use super::hearing::{CellNumber, Heard, Hearing};
use super::held::{HeldCourse, HeldInterpreter};
use super::log::Log;
use super::order;
use crate::live::{
    EntryKind, LaunchSpec, LiveError, LiveSandbox, Output, OutputPiece, ProcessId, ProcessSpec,
    Program, SignalTarget,
};
use protocol::language::{Language, Orders};
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
    /// Have an interpreter ready for the next cell.
    Begin,
    /// Stop this cell, or the one that runs.
    Interrupt(Option<CellNumber>),
    /// Away with the interpreter.
    Restart(oneshot::Sender<()>),
    /// Let go of the interpreter, which stays: the sandbox is saved.
    Hold(oneshot::Sender<HeldCourse>),
}

/// Everything of one context's task.
pub(super) struct Task {
    pub(super) live: LiveSandbox,
    pub(super) language: Language,
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
    /// One that stayed while the sandbox was saved, not taken up yet.
    pub(super) held: Option<HeldInterpreter>,
    /// Who waits for this task to let go.
    pub(super) letting_go: Option<oneshot::Sender<HeldCourse>>,
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
        if let Some(held) = self.held.take() {
            self.take_up(held).await;
        }
        while self.letting_go.is_none() {
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
        match self.letting_go.take() {
            Some(reply) => _ = reply.send(self.let_go().await),
            None => self.kill().await,
        }
        let gone = || Lost::Gone(self.live.line.gone().to_string());
        let lost = (!self.live.is_alive()).then(gone);
        while let Ok((number, _)) = self.cells.try_recv() {
            self.tell_unstarted(number, Stop::Context, lost.clone());
        }
        self.log.close();
    }

    async fn on_wish_between(&mut self, wish: Wish) {
        match wish {
            // One that cannot be had is told of with the cell that wants it.
            Wish::Begin => _ = self.begin().await,
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
            Wish::Hold(reply) => self.letting_go = Some(reply),
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
        let loaded = match self.live.take_waiting(self.language) {
            Some(waiting) => self.adopt(waiting).await,
            None => None,
        };
        let (process, output) = match loaded {
            Some(loaded) => loaded,
            None => self.start().await.map_err(lost)?,
        };
        self.has_interpreter(process, output, (0, Hearing::default()));
        if std::mem::replace(&mut self.had_one, true) {
            self.log.tell(ContextEvent::Renewed);
        }
        Ok(())
    }

    async fn start(&self) -> Result<(ProcessId, Output), LiveError> {
        let process = self.live.start(self.spec.clone()).await?;
        let output = self.live.follow(process, 0).await?;
        let preface = order::preface(&self.orders);
        if !preface.is_empty() {
            self.live.order(process, preface.into()).await?;
        }
        Ok((process, output))
    }

    /// An interpreter that waits, where it can be this context's; else a new one is.
    async fn adopt(&self, waiting: ProcessId) -> Option<(ProcessId, Output)> {
        let adopt = order::adopted(waiting, self.language, &self.spec)?;
        // Where that is no folder, a new one says so in the system's words.
        let there = self.live.stat(&adopt.cwd).await.ok()?;
        if !matches!(there.kind, EntryKind::Folder | EntryKind::Link) {
            return None;
        }
        let spec = LaunchSpec {
            followed: true,
            ..LaunchSpec::from(Program::Waiting(adopt))
        };
        let launch = self.live.launch(spec).await.ok()?;
        launch.started.await.ok()?.ok()?;
        Some((launch.process, launch.output?))
    }

    /// There is an interpreter, heard up to this offset.
    pub(super) fn has_interpreter(
        &mut self,
        process: ProcessId,
        output: Output,
        (heard, mut hearing): (u64, Hearing),
    ) {
        if output.from() != heard {
            // What is between is lost, and with it the rest of a line that was heard in part.
            hearing.skip();
        }
        self.interpreter = Some(RunningInterpreter {
            process,
            output,
            hearing,
        });
        self.set_process(Some(process));
    }

    pub(super) fn tell_lost(&self, error: LiveError) {
        self.log.tell(ContextEvent::Lost(lost(error)));
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
        let Some(mut interpreter) = self.interpreter.take() else {
            return;
        };
        interpreter.hearing.let_go(&mut |heard| {
            if let Heard::Printed(origin, stream, data) = heard {
                self.log.tell(ContextEvent::Printed {
                    origin,
                    stream,
                    data,
                });
            }
        });
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

/// What became of an interpreter that could not be had.
fn lost(error: LiveError) -> Lost {
    match error {
        LiveError::Gone(why) => Lost::Gone(why),
        other => Lost::NotStarted(other.to_string()),
    }
}
