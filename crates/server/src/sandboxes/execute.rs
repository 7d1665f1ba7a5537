//! One cell: handed to its context, and told as it runs or as a whole.

use super::cell::ExecuteCellRequest;
use super::cell_told::{CellEndBody, CellErrorBody, CellTold, late_cell, stream_name};
use super::follower::OnDisconnect;
use super::slot::SandboxSlot;
use super::table::UsedSandbox;
use super::telling::Telling;
use super::told::{EventBody, Form};
use crate::app::App;
use crate::body::JsonBody;
use crate::execute::{wants_events, wants_lines};
use crate::outlet::UntilOut;
use crate::pieces::JsonAnswer;
use crate::problem::{HttpCode, Problem};
use crate::sessions::body::Logs;
use crate::written::Text;
use axum::Extension;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use sandbox::live::LiveSandbox;
use sandbox::live::contexts::{
    Accepted, Bundle, CellEnd, CellNumber, CellStream, ContextEvent, ContextId, Events, Origin,
    Shown,
};
use serde::Serialize;
use std::sync::Arc;
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

/// A cell that was handed in, whichever door it came through.
pub struct Begun {
    /// What is told of its context from here on.
    pub events: Events,
    /// Its context, and its number there.
    pub ids: (ContextId, CellNumber),
    /// The most that it may print and show, in bytes, with what comes late.
    pub most: usize,
    /// Interrupts it when it is dropped, where its client wishes so.
    pub interruption: Interruption,
}

/// A cell that is over.
pub struct Whole {
    /// What its client is told.
    pub body: ExecuteCellBody,
    /// How it ended, as the sandbox has it.
    pub end: CellEnd,
    /// What it takes to hold all that.
    pub bytes: usize,
}

/// Interrupts its cell when it is dropped before it is done.
pub struct Interruption {
    app: Arc<App>,
    slot: Arc<SandboxSlot>,
    live: LiveSandbox,
    context: ContextId,
    pub(super) cell: CellNumber,
    wish: OnDisconnect,
}

impl Interruption {
    /// Of a cell, should its client wish it.
    pub fn new(
        used: &UsedSandbox,
        (context, cell): (ContextId, CellNumber),
        wish: OnDisconnect,
    ) -> Interruption {
        Interruption {
            app: used.app.clone(),
            slot: used.slot.clone(),
            live: used.live.clone(),
            context,
            cell,
            wish,
        }
    }

    /// The cell is over: nothing is left to interrupt.
    pub fn done(&mut self) {
        self.wish = OnDisconnect::Keep;
    }
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
    let begun = begin(&used, value);
    drop(held);
    let Begun {
        events,
        ids,
        most,
        mut interruption,
    } = begun?;
    if wants_events(&headers) || wants_lines(&headers) {
        let telling = Telling::of_cell(used, events, Form::of(&headers), interruption);
        return Ok(telling.respond());
    }
    let mut room = used.app.memory.room(most as u64).await;
    let Whole { body, bytes, .. } = whole(&used.live, events, ids, |_| {}).await?;
    interruption.done();
    room.shrink(bytes as u64);
    Ok((Extension(UntilOut::of(room)), JsonAnswer(body)).into_response())
}

/// Hands a cell to its context.
pub fn begin(used: &UsedSandbox, request: ExecuteCellRequest) -> Result<Begun, Problem> {
    if used.app.draining.is_cancelled() {
        return Err(Problem::new(HttpCode::Overloaded).retry_after(5));
    }
    let wish = request.on_disconnect;
    let context = context(used, &request)?;
    let language = used.contexts().get(context);
    let language = language.map_err(|error| used.problem(error))?.language;
    let cell = request.cell(&used.app, &used.slot, language)?;
    let most = cell.output_bytes + MAX_LATE_BYTES;
    let accepted = used.contexts().execute(context, cell);
    let Accepted { cell, events } = accepted.map_err(|error| used.problem(error))?;
    Ok(Begun {
        events,
        ids: (context, cell),
        most,
        interruption: Interruption::new(used, (context, cell), wish),
    })
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

/// All of a cell; `hear` has what it prints as it comes.
pub async fn whole(
    live: &LiveSandbox,
    mut events: Events,
    (context, cell): (ContextId, CellNumber),
    mut hear: impl FnMut(&[u8]),
) -> Result<Whole, Problem> {
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
                hear(data);
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
                return Ok(Whole {
                    body,
                    end: end.clone(),
                    bytes: size + late_bytes,
                });
            }
            // Another cell's end: what was new for it is not for this one.
            ContextEvent::Ended(..) => renewed = false,
            _ => {}
        }
    }
    Err(Problem::new(HttpCode::SandboxNotFound))
}
