//! One cell: handed to its context, and told as it runs or as a whole.

use super::cell::ExecuteCellRequest;
use super::cell_told::{CellEndBody, CellErrorBody, CellTold, late_cell, stream_name};
use super::follower::OnDisconnect;
use super::slot::SandboxSlot;
use super::table::UsedSandbox;
use super::telling::Telling;
use super::told::EventBody;
use crate::app::App;
use crate::body::JsonBody;
use crate::execute::common::ErrorInfoBody;
use crate::execute::response::{ArtifactBody, TimingsBody};
use crate::execute::streamed;
use crate::outlet::UntilOut;
use crate::pieces::JsonAnswer;
use crate::problem::{HttpCode, Problem};
use crate::sessions::body::Logs;
use crate::written::{Base64, Text};
use axum::Extension;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use protocol::language::Language;
use sandbox::live::LiveSandbox;
use sandbox::live::contexts::{
    Accepted, Bundle, CellEnd, CellNumber, CellStream, ContextEvent, ContextId, Events, Origin,
    Shown,
};
use sandbox::missing_module::tip;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use utoipa::ToSchema;

/// Late output that one answer holds, in bytes; what is over is told to who follows the context.
const MAX_LATE_BYTES: usize = 64 * 1024;

/// How a cell ended, and all that it showed and printed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExecuteCellBody {
    /// Its sandbox's name in events and logs.
    pub trace_id: String,
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
    /// What jobs and sessions tell, too, by the same names.
    #[serde(flatten)]
    pub common: CommonBody,
    /// What others printed meanwhile: what cells before it left behind.
    pub late: Vec<LateBody>,
    /// It found a new interpreter, without the variables of before.
    pub renewed: bool,
    /// How it ended.
    #[serde(flatten)]
    pub end: CellEndBody,
}

/// What a cell's answer has as a job's and a session's have it.
#[derive(Debug, Serialize, ToSchema)]
pub struct CommonBody {
    /// MIME type → data of each value shown, in order.
    #[schema(value_type = Vec<Bundle>)]
    pub shown: Vec<Arc<Bundle>>,
    /// What it printed.
    #[schema(value_type = String)]
    pub stdout: Text,
    /// The same as base64, when it is no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub stdout_base64: Option<Base64>,
    /// What it printed to standard error.
    #[schema(value_type = String)]
    pub stderr: Text,
    /// The same as base64, when it is no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub stderr_base64: Option<Base64>,
    /// Why it is not `ok`, whatever it is.
    pub error_info: Option<ErrorInfoBody>,
    /// None: files stay in the sandbox.
    pub artifacts: Vec<ArtifactBody>,
    /// Wall times; `queue` is until its interpreter began it.
    pub timings: TimingsBody,
    /// What else there is to know.
    pub notes: Vec<String>,
}

/// A value that was shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResultBody {
    /// It is that of the last expression.
    pub is_result: bool,
    /// MIME type → data: text, or base64.
    #[schema(value_type = Bundle)]
    pub data: Arc<Bundle>,
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
    if let Some(form) = streamed(&headers) {
        let telling = Telling::of_cell(used, events, form, interruption);
        return Ok(telling.respond());
    }
    let mut room = used.app.memory.room(most as u64).await;
    let Whole { body, bytes, .. } = whole(&used, events, ids, |_| {}).await?;
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

fn notes(
    language: Option<Language>,
    raised: Option<&CellErrorBody>,
    end: &CellEndBody,
) -> Vec<String> {
    let lost = end.lost.iter().map(|lost| lost.detail.clone());
    let words = raised.map(|raised| format!("{}: {}", raised.name, raised.value));
    let tip = words.and_then(|words| tip(language?, words.as_bytes()));
    lost.chain(tip).collect()
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
    used: &UsedSandbox,
    mut events: Events,
    (context, cell): (ContextId, CellNumber),
    mut hear: impl FnMut(&[u8]),
) -> Result<Whole, Problem> {
    let (asked, mut queue) = (Instant::now(), Duration::ZERO);
    let language = used.contexts().get(context).ok().map(|info| info.language);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let (mut results, mut late, mut late_bytes, mut size) = (Vec::new(), Vec::new(), 0, 0);
    let (mut error, mut renewed, mut began) = (None, false, false);
    while let Some((_, event)) = events.next().await {
        match &*event {
            ContextEvent::Renewed => renewed = true,
            ContextEvent::Begun(own) if *own == cell => {
                (began, queue) = (true, asked.elapsed());
            }
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
                    data: Arc::new(data.clone()),
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
                let end_body = CellEndBody::of(&used.live, end);
                let (stdout, stderr) = (Text::from(out), Text::from(err));
                let raised = error.as_ref();
                let common = CommonBody {
                    shown: results.iter().map(|one| one.data.clone()).collect(),
                    stdout_base64: stdout.as_base64(),
                    stdout: stdout.clone(),
                    stderr_base64: stderr.as_base64(),
                    stderr: stderr.clone(),
                    error_info: end_body.error_info(raised),
                    artifacts: Vec::new(),
                    timings: end_body.timings(queue, asked.elapsed()),
                    notes: notes(language, raised, &end_body),
                };
                let body = ExecuteCellBody {
                    trace_id: used.slot.job.trace_id.to_string(),
                    context,
                    cell,
                    results,
                    logs: Logs { stdout, stderr },
                    error,
                    common,
                    late,
                    renewed,
                    end: end_body,
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
