//! What is told of a context as it comes: of one cell, or to who looks on.

use super::cell_told::CellTold;
use super::execute::Interruption;
use super::table::UsedSandbox;
use super::told::Form;
use crate::memory::Held;
use crate::sse;
use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use sandbox::live::contexts::{ContextEvent, Events};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long contexts of a sandbox that ended may take to tell of it.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// An answer that comes as it is told.
pub struct Telling {
    used: UsedSandbox,
    events: Events,
    form: Form,
    /// Of one cell: until its end, and from its beginning on.
    interruption: Option<Interruption>,
    began: bool,
    over: bool,
    held: Held,
}

impl Telling {
    /// For who looks on.
    pub fn onlooker(used: UsedSandbox, events: Events, form: Form) -> Telling {
        Telling {
            used,
            events,
            form,
            interruption: None,
            began: true,
            over: false,
            held: Held::default(),
        }
    }

    /// For who had the cell run.
    pub fn of_cell(
        used: UsedSandbox,
        events: Events,
        form: Form,
        interruption: Interruption,
    ) -> Telling {
        Telling {
            interruption: Some(interruption),
            began: false,
            ..Telling::onlooker(used, events, form)
        }
    }

    /// The answer.
    pub fn respond(self) -> Response {
        let headers = sse::headers(self.form.content_type());
        let events = futures_util::stream::unfold(self, |mut telling| async {
            let next = telling.next().await?;
            Some((Ok::<_, Infallible>(next), telling))
        });
        (headers, Body::from_stream(events)).into_response()
    }

    async fn next(&mut self) -> Option<Bytes> {
        self.held = Held::default();
        if self.over {
            return None;
        }
        let Ok(told) = timeout(sse::KEEP_ALIVE, self.told()).await else {
            return Some(self.form.alive());
        };
        let bytes = self.form.write(&told?)?;
        self.held = self.used.app.memory.answer(bytes.len() as u64).await;
        Some(bytes)
    }

    /// What whoever looks on is told next. A context without an interpreter hears nothing of its sandbox's end.
    async fn seen(&mut self) -> Option<(u64, Arc<ContextEvent>)> {
        tokio::select! {
            biased;
            next = self.events.next() => return next,
            () = self.used.app.draining.cancelled() => return None,
            () = self.used.live.ended() => {}
        }
        let last = timeout(LAST_WORDS, self.events.next()).await;
        last.unwrap_or_default()
    }

    /// What is to be told next; `None`: nothing more, or the service stops and waits for nobody who only looks on.
    async fn told(&mut self) -> Option<CellTold> {
        loop {
            let (number, event) = match &self.interruption {
                Some(_) => self.events.next().await?,
                None => self.seen().await?,
            };
            if self.concerns(&event) {
                return Some(CellTold::of(&self.used.live, number, &event));
            }
        }
    }

    /// Whether it is told here: of a cell what is its own, and from its beginning on what came late.
    fn concerns(&mut self, event: &ContextEvent) -> bool {
        let Some(own) = self.interruption.as_ref().map(|it| it.cell) else {
            return true;
        };
        match event {
            ContextEvent::Begun(cell) => {
                self.began |= *cell == own;
                *cell == own
            }
            ContextEvent::Ended(cell, _) => {
                if *cell == own {
                    self.over = true;
                    if let Some(interruption) = &mut self.interruption {
                        interruption.done();
                    }
                    self.interruption = None;
                }
                *cell == own
            }
            ContextEvent::Renewed => !self.began,
            ContextEvent::Printed { .. } | ContextEvent::Shown { .. } => self.began,
            ContextEvent::Raised(cell, _) => *cell == own,
            ContextEvent::Lost(_) => false,
        }
    }
}
