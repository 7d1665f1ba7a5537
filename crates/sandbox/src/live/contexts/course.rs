//! One cell on its way: ordered, heard to its end, interrupted where its time is up or it prints too much.

use super::Cell;
use super::context::{Task, Wish};
use super::event::{Lost, Stop};
use super::hearing::CellNumber;
use super::order;
use crate::live::{LiveError, OutputPiece, SignalTarget};
use std::pin::pin;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How long an interpreter may take until it begins a cell: it loads first, emulated on a loaded host.
const BEGIN_PATIENCE: Duration = Duration::from_secs(60);
/// How long a cell may take to end once it was interrupted.
const GRACE: Duration = Duration::from_secs(3);
/// How long a cell may take to begin, so that it can be interrupted, once its sandbox is to be saved.
const HOLD_PATIENCE: Duration = Duration::from_secs(20);
const SIGINT: i32 = 2;

/// A cell on its way.
pub(super) struct Course {
    pub(super) number: CellNumber,
    pub(super) begun: Option<Instant>,
    pub(super) deadline: Instant,
    pub(super) timeout: Duration,
    pub(super) stopped: Option<Stop>,
    /// Bytes that it may still print and show.
    pub(super) room: usize,
    pub(super) exit_code: Option<u8>,
    pub(super) ended: bool,
}

impl Course {
    /// One that was not ordered yet.
    pub(super) fn new(number: CellNumber, cell: &Cell) -> Course {
        Course {
            number,
            begun: None,
            deadline: Instant::now() + BEGIN_PATIENCE,
            timeout: cell.timeout,
            stopped: None,
            room: cell.output_bytes,
            exit_code: None,
            ended: false,
        }
    }
}

/// What comes next while a cell runs.
enum Next {
    Piece(Result<Option<OutputPiece>, LiveError>),
    Wish(Option<Wish>),
    Due,
    Ordered,
}

impl Task {
    /// Gives the order and hears the cell to its end; what became of the interpreter, if it is lost.
    pub(super) async fn follow(&mut self, course: &mut Course, cell: &Cell) -> Option<Lost> {
        let key = uuid::Uuid::new_v4().simple().to_string();
        let bytes = order::order(&self.orders, &key, cell);
        let interpreter = self.interpreter.as_mut()?;
        interpreter.hearing.order(key, course.number);
        let process = interpreter.process;
        let live = self.live.clone();
        // An interpreter that does not read holds up nobody.
        let mut ordering = pin!(async move { live.order(process, bytes).await });
        let mut ordered = false;
        loop {
            let interpreter = self.interpreter.as_mut()?;
            let next = tokio::select! {
                biased;
                wish = self.wishes.recv() => Next::Wish(wish),
                () = sleep_until(course.deadline) => Next::Due,
                _ = &mut ordering, if !ordered => Next::Ordered,
                piece = async { self.log.room().await; interpreter.output.next().await } => Next::Piece(piece),
            };
            let lost = match next {
                Next::Ordered => {
                    // One that does not take it ends, or never begins.
                    ordered = true;
                    None
                }
                Next::Piece(Ok(Some(piece))) => self.on_piece(&piece, course).await,
                Next::Piece(Ok(None)) => Some(self.process_end().await),
                Next::Piece(Err(error)) => Some(Lost::Gone(error.to_string())),
                Next::Due => self.on_due(course).await,
                Next::Wish(wish) => self.on_wish(wish, course).await,
            };
            if lost.is_some() || course.ended {
                return lost;
            }
        }
    }

    async fn on_piece(&mut self, piece: &OutputPiece, course: &mut Course) -> Option<Lost> {
        let had_begun = course.begun.is_some();
        let had_room = course.room > 0;
        if let Err(nonsense) = self.hear(piece, Some(course)) {
            return Some(Lost::Nonsense(nonsense));
        }
        if !had_begun && course.begun.is_some() {
            course.deadline = Instant::now() + course.timeout;
            if course.stopped.is_some() {
                self.interrupt(course).await;
            }
        }
        if had_room && course.room == 0 && !course.ended {
            course.stopped.get_or_insert(Stop::Output);
            self.interrupt(course).await;
        }
        None
    }

    async fn on_due(&mut self, course: &mut Course) -> Option<Lost> {
        match (course.begun, course.stopped) {
            (None, _) => {
                course.stopped.get_or_insert(Stop::Timeout);
                Some(Lost::Silent)
            }
            (Some(_), None | Some(Stop::Interrupt)) => {
                course.stopped = Some(Stop::Timeout);
                self.interrupt(course).await;
                None
            }
            (Some(_), Some(_)) => Some(Lost::Stubborn),
        }
    }

    async fn on_wish(&mut self, wish: Option<Wish>, course: &mut Course) -> Option<Lost> {
        match wish {
            // There is one.
            Some(Wish::Begin) => None,
            Some(Wish::Interrupt(which)) if which.is_none_or(|number| number == course.number) => {
                course.stopped.get_or_insert(Stop::Interrupt);
                if course.begun.is_some() {
                    self.signal(SIGINT, SignalTarget::Group).await;
                }
                None
            }
            Some(Wish::Interrupt(which)) => {
                self.stopped.extend(which);
                None
            }
            Some(Wish::Restart(done)) => {
                self.kill().await;
                course.stopped.get_or_insert(Stop::Context);
                let _ = done.send(());
                Some(Lost::Restarted)
            }
            Some(Wish::Hold(reply)) => {
                self.letting_go = Some(reply);
                course.stopped.get_or_insert(Stop::Context);
                // One that has not begun is interrupted once it has.
                course.deadline = course.deadline.min(Instant::now() + HOLD_PATIENCE);
                if course.begun.is_some() {
                    self.interrupt(course).await;
                }
                None
            }
            None => {
                course.stopped.get_or_insert(Stop::Context);
                Some(Lost::Restarted)
            }
        }
    }

    /// Ctrl-C, and soon the end. One that a client asked for has as long as the cell has.
    async fn interrupt(&mut self, course: &mut Course) {
        if course.stopped != Some(Stop::Interrupt) {
            course.deadline = Instant::now() + GRACE;
        }
        self.signal(SIGINT, SignalTarget::Group).await;
    }
}
