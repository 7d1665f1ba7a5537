//! A process' output as an answer, from an offset to its end. What is on its way is one piece: who reads slowly slows
//! the process, as a pipe would, and takes none of this service's memory; who does not read at all is cut off.

use super::cutter::Cutter;
use super::exit::ExitBody;
use super::expiry::{ExpiringBody, Notices};
use super::follower::Follower;
use super::process::ProcessBody;
use super::table::UsedSandbox;
use super::told::{Form, Told};
use crate::memory::Held;
use crate::sse;
use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use protocol::supervisor::OutputKind;
use protocol::supervisor::ProcessId;
use sandbox::live::{LiveError, Output, OutputPiece};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::pin;
use tokio::time::timeout;

/// Whose answer it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Who started the process and waits for its end: a stopping service waits, too, as it does for jobs.
    Starter,
    /// Who looks on.
    Onlooker,
}

/// How far it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// More output may come.
    Output,
    /// All of it is told; the end is next.
    Exit,
    /// All is told.
    Over,
}

/// What comes while more output may.
enum Heard {
    /// Output, its end, or why there is none.
    Piece(Result<Option<OutputPiece>, LiveError>),
    /// The sandbox ends by itself soon.
    Expiring(ExpiringBody),
}

/// An answer under way.
pub struct Follow {
    used: UsedSandbox,
    process: ProcessId,
    output: Output,
    notices: Notices,
    form: Form,
    audience: Audience,
    stage: Stage,
    cutter: Cutter,
    ready: VecDeque<Told>,
    follower: Option<Follower>,
    /// The room of the piece that was handed over last.
    held: Held,
}

impl Follow {
    /// For who looks on. A request that only wants the answer's head follows nothing.
    pub fn onlooker(used: UsedSandbox, process: ProcessId, output: Output, form: Form) -> Follow {
        Follow {
            notices: used.slot.notices(),
            used,
            process,
            output,
            form,
            audience: Audience::Onlooker,
            stage: Stage::Output,
            cutter: Cutter::default(),
            ready: VecDeque::new(),
            follower: None,
            held: Held::default(),
        }
    }

    /// For who started it, and is told first what it is.
    pub fn starter(self, follower: Follower, body: ProcessBody) -> Follow {
        Follow {
            audience: Audience::Starter,
            follower: Some(follower),
            ready: [Told::Started(Box::new(body))].into(),
            ..self
        }
    }

    /// The answer.
    pub fn respond(self) -> Response {
        let headers = sse::headers(self.form.content_type());
        let events = futures_util::stream::unfold(self, |mut follow| async {
            let next = follow.next().await?;
            Some((Ok::<_, Infallible>(next), follow))
        });
        (headers, Body::from_stream(events)).into_response()
    }

    async fn next(&mut self) -> Option<Bytes> {
        self.held = Held::default();
        let (app, used) = (&self.used.app, &self.used);
        self.follower
            .get_or_insert_with(|| Follower::of(app, &used.slot, &used.live, self.process));
        let Ok(told) = timeout(sse::KEEP_ALIVE, self.told()).await else {
            return Some(self.form.alive());
        };
        let bytes = self.form.write(&told?)?;
        let room = self.used.app.memory.answer(bytes.len() as u64).await;
        self.held = room;
        Some(bytes)
    }

    /// What is to be told next; `None`: nothing more. Cancel-safe.
    async fn told(&mut self) -> Option<Told> {
        loop {
            if let Some(told) = self.ready.pop_front() {
                return Some(told);
            }
            match self.stage {
                Stage::Output => match self.heard().await? {
                    // What an interpreter tells its context is no output.
                    Heard::Piece(Ok(Some(piece))) if piece.kind == OutputKind::Control => {}
                    Heard::Piece(Ok(Some(piece))) => {
                        let pieces = self.cutter.take(piece);
                        self.ready.extend(pieces.into_iter().map(Told::from));
                    }
                    Heard::Piece(Ok(None)) => self.rest(Stage::Exit),
                    Heard::Piece(Err(error)) => self.fails(error),
                    Heard::Expiring(body) => self.ready.push_back(Told::Expiring(body)),
                },
                Stage::Exit => match self.used.live.wait_followed(self.process).await {
                    Ok(report) => {
                        let exit = ExitBody::of(&self.used.live, report);
                        self.ready.push_back(Told::Exit(exit));
                        self.stage = Stage::Over;
                    }
                    Err(error) => self.fails(error),
                },
                Stage::Over => return None,
            }
        }
    }

    /// What comes next; `None`: the service stops and waits for nobody who only looks on.
    async fn heard(&mut self) -> Option<Heard> {
        let draining = &self.used.app.draining;
        let next = pin!(self.output.next());
        let piece = async {
            match self.audience {
                Audience::Starter => Some(next.await),
                Audience::Onlooker => draining.run_until_cancelled(next).await,
            }
        };
        tokio::select! {
            piece = piece => piece.map(Heard::Piece),
            body = self.notices.next() => Some(Heard::Expiring(body)),
        }
    }

    /// Tells what was held back, and goes on to this.
    fn rest(&mut self, stage: Stage) {
        self.ready.extend(self.cutter.rest().map(Told::from));
        self.stage = stage;
    }

    fn fails(&mut self, error: LiveError) {
        self.rest(Stage::Over);
        let problem = self.used.problem(error);
        self.ready.push_back(Told::Error(problem.body()));
    }
}
