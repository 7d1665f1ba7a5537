//! One cell: handed to its context, and told as it runs or as a whole.

use super::cell::ExecuteCellRequest;
use super::cell_told::{CellEndBody, CellErrorBody, CellTold, late_cell, stream_name};
use super::follower::OnDisconnect;
use super::table::{SandboxSlot, UsedSandbox};
use super::told::{EventBody, Form};
use crate::app::App;
use crate::body::JsonBody;
use crate::execute::{wants_events, wants_lines};
use crate::memory::Held;
use crate::outlet::UntilOut;
use crate::pieces::JsonAnswer;
use crate::problem::{HttpCode, Problem};
use crate::sessions::body::Logs;
use crate::sse;
use crate::written::Text;
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use sandbox::live::LiveSandbox;
use sandbox::live::contexts::{
    Accepted, Bundle, CellNumber, CellStream, ContextEvent, ContextId, Events, Origin, Shown,
};
use serde::Serialize;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::time::timeout;
use utoipa::ToSchema;

/// Late output that one answer holds, in bytes; what is over is told to who follows the context.
const MAX_LATE_BYTES: usize = 64 * 1024;

/// How a cell ended, and all that it showed and printed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExecuteCellBody {
    /// Where it ran.
    pub context: u32,
    /// Its number there.
    pub cell: u64,
    /// Values that it showed, in order.
    pub results: Vec<ResultBody>,
    /// What it printed.
    pub logs: Logs,
    /// The error that it did not catch.
    pub error: Option<CellErrorBody>,
    /// What others printed meanwhile: what cells before it left behind.
    pub late: Vec<LateBody>,
    /// It found a new interpreter, without the variables of before.
    pub renewed: bool,
    /// How it ended.
    #[serde(flatten)]
    pub end: CellEndBody,
}

/// A value that was shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResultBody {
    /// It is that of the last expression.
    pub is_result: bool,
    /// MIME type → data: text, or base64.
    pub data: Bundle,
}

/// What came of a cell that is over.
#[derive(Debug, Serialize, ToSchema)]
pub struct LateBody {
    /// Which; `null`: nobody knows.
    pub cell: Option<u64>,
    /// `stdout` or `stderr`.
    pub stream: &'static str,
    /// As text; bytes that are no UTF-8 replaced.
    #[schema(value_type = String)]
    pub data: Text,
}

/// Interrupts its cell when it is dropped before it is done.
struct Interruption {
    app: Arc<App>,
    slot: Arc<SandboxSlot>,
    live: LiveSandbox,
    context: ContextId,
    cell: CellNumber,
    wish: OnDisconnect,
}

impl Drop for Interruption {
    fn drop(&mut self) {
        if self.wish == OnDisconnect::Keep {
            return;
        }
        let (slot, live) = (self.slot.clone(), self.live.clone());
        let (context, cell) = (self.context, self.cell);
        self.app.sandboxes.tasks.spawn(async move {
            // A context that is gone runs nothing.
            let _ = slot.contexts_of(&live).interrupt(context, Some(cell)).await;
        });
    }
}

/// Run a cell in a context, after those that were handed in before. It finds what they left: variables, functions,
/// the folder.
///
/// The answer is whole, or with `Accept: text/event-stream` or `application/x-ndjson` comes as the cell runs. A client
/// that goes away ends nothing, unless `on_disconnect` says `kill`: then the cell is interrupted.
#[utoipa::path(
    post, path = "/api/v1/sandboxes/{id}/execute", tag = "sandboxes", request_body = ExecuteCellRequest,
    params(("id" = String, Path, description = "The sandbox")),
    responses((status = 200, description = "It ran; `status` says how it ended", content(
        (ExecuteCellBody = "application/json"), (EventBody = "text/event-stream"), (CellTold = "application/x-ndjson"),
    ))),
)]
pub async fn execute(
    used: UsedSandbox,
    headers: HeaderMap,
    JsonBody { value, held }: JsonBody<ExecuteCellRequest>,
) -> Result<Response, Problem> {
    if used.app.draining.is_cancelled() {
        return Err(Problem::new(HttpCode::Overloaded).retry_after(5));
    }
    let wish = value.on_disconnect;
    let context = context(&used, &value)?;
    let language = used.contexts().get(context);
    let language = language.map_err(|error| used.problem(error))?.language;
    let cell = value.cell(&used.app, &used.slot, language)?;
    let most = cell.output_bytes + MAX_LATE_BYTES;
    let accepted = used.contexts().execute(context, cell);
    drop(held);
    let Accepted { cell, events } = accepted.map_err(|error| used.problem(error))?;
    let interruption = Interruption {
        app: used.app.clone(),
        slot: used.slot.clone(),
        live: used.live.clone(),
        context,
        cell,
        wish,
    };
    if wants_events(&headers) || wants_lines(&headers) {
        let telling = Telling::of_cell(used, events, Form::of(&headers), interruption);
        return Ok(telling.respond());
    }
    let mut room = used.app.memory.room(most as u64).await;
    let (body, size) = whole(&used.live, events, (context, cell)).await?;
    let Interruption { .. } = done(interruption);
    room.shrink(size as u64);
    Ok((Extension(UntilOut::of(room)), JsonAnswer(body)).into_response())
}

/// The cell is over: nothing is left to interrupt.
fn done(mut interruption: Interruption) -> Interruption {
    interruption.wish = OnDisconnect::Keep;
    interruption
}

/// The context that is named, or the language's own.
fn context(used: &UsedSandbox, request: &ExecuteCellRequest) -> Result<ContextId, Problem> {
    let problem = |error| used.problem(error);
    if let Some(id) = request.context {
        let info = used.contexts().get(id).map_err(problem)?;
        request.language(Some(info.language), &used.slot)?;
        return Ok(id);
    }
    let language = request.language(None, &used.slot)?;
    let plain = super::cell::ContextRequest {
        language: Some(language.name().into()),
        ..Default::default()
    };
    let spec = plain.spec(&used.app, &used.slot)?;
    let info = used.contexts().default_of(spec).map_err(problem)?;
    Ok(info.id)
}

/// All of a cell, and what it takes to hold it.
async fn whole(
    live: &LiveSandbox,
    mut events: Events,
    (context, cell): (ContextId, CellNumber),
) -> Result<(ExecuteCellBody, usize), Problem> {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let (mut results, mut late, mut late_bytes, mut size) = (Vec::new(), Vec::new(), 0, 0);
    let (mut error, mut renewed, mut began) = (None, false, false);
    while let Some((_, event)) = events.next().await {
        match &*event {
            ContextEvent::Renewed => renewed = true,
            ContextEvent::Begun(own) => began |= *own == cell,
            ContextEvent::Printed {
                origin: Origin::Running(own),
                stream,
                data,
            } if *own == cell => {
                size += data.len();
                match stream {
                    CellStream::Stdout => out.extend_from_slice(data),
                    CellStream::Stderr => err.extend_from_slice(data),
                }
            }
            ContextEvent::Printed {
                origin,
                stream,
                data,
            } if began && late_bytes + data.len() <= MAX_LATE_BYTES => {
                if let Some(cell) = late_cell(*origin) {
                    late_bytes += data.len();
                    late.push(LateBody {
                        cell,
                        stream: stream_name(*stream),
                        data: Text::from(data.clone()),
                    });
                }
            }
            ContextEvent::Shown {
                origin: Origin::Running(own),
                shown,
                data,
            } if *own == cell => {
                size += data.values().map(String::len).sum::<usize>();
                results.push(ResultBody {
                    is_result: *shown == Shown::Result,
                    data: data.clone(),
                });
            }
            ContextEvent::Raised(own, raised) if *own == cell => {
                error = Some(CellErrorBody {
                    name: raised.name.clone(),
                    value: raised.value.clone(),
                    traceback: raised.traceback.clone(),
                });
            }
            ContextEvent::Ended(own, end) if *own == cell => {
                let body = ExecuteCellBody {
                    context,
                    cell,
                    results,
                    logs: Logs {
                        stdout: Text::from(out),
                        stderr: Text::from(err),
                    },
                    error,
                    late,
                    renewed,
                    end: CellEndBody::of(live, end),
                };
                return Ok((body, size + late_bytes));
            }
            // Another cell's end: what was new for it is not for this one.
            ContextEvent::Ended(..) => renewed = false,
            _ => {}
        }
    }
    Err(Problem::new(HttpCode::SandboxNotFound))
}

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

    fn of_cell(
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

    /// What is to be told next; `None`: nothing more, or the service stops and waits for nobody who only looks on.
    async fn told(&mut self) -> Option<CellTold> {
        loop {
            let next = self.events.next();
            let (number, event) = match &self.interruption {
                Some(_) => next.await?,
                None => self.used.app.draining.run_until_cancelled(next).await??,
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
                    self.interruption.take().map(done);
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
