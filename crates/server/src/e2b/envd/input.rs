//! Input of a process: a piece, a stream of pieces, its end.

use super::Done;
use super::connect::{
    ConnectCode, ConnectError, Envelope, Envelopes, end, message, parsed, stream_headers,
};
use super::problem;
use super::process::Selector;
use crate::body::JsonBody;
use crate::e2b::address::Addressed;
use crate::e2b::error::AsE2b;
use crate::memory::Held;
use crate::problem::Problem;
use crate::sandboxes::bytes::Incoming;
use crate::sandboxes::table::UsedSandbox;
use axum::Json;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protocol::supervisor::ProcessId;
use sandbox::live::ProcessInfo;
use serde::Deserialize;

/// Bytes for a process: base64, for its standard input or its terminal.
#[derive(Debug, Default, Deserialize)]
pub struct Input {
    #[serde(default)]
    stdin: Option<String>,
    #[serde(default)]
    pty: Option<String>,
}

/// Input for a process.
#[derive(Debug, Deserialize)]
pub struct SendBody {
    process: Selector,
    #[serde(default)]
    input: Input,
}

/// One message of a stream of input; the first says whose.
#[derive(Debug, Default, Deserialize)]
struct StreamMessage {
    #[serde(default)]
    start: Option<StreamStart>,
    #[serde(default)]
    data: Option<StreamData>,
}

#[derive(Debug, Deserialize)]
struct StreamStart {
    process: Selector,
}

#[derive(Debug, Deserialize)]
struct StreamData {
    #[serde(default)]
    input: Input,
}

impl Input {
    /// The bytes, for a process of this kind.
    fn bytes(self, process: &ProcessInfo) -> Result<Vec<u8>, ConnectError> {
        let wrong = |sentence: &str| ConnectError::new(ConnectCode::InvalidArgument, sentence);
        let coded = match (self.stdin, self.pty, process.terminal) {
            (Some(_), _, true) => {
                return Err(wrong("the process has a terminal: send pty, not stdin"));
            }
            (None, Some(_), false) => {
                return Err(wrong("the process has no terminal: send stdin, not pty"));
            }
            (Some(coded), _, false) | (None, Some(coded), true) => coded,
            (None, None, _) => return Err(wrong("input has neither stdin nor pty")),
        };
        STANDARD
            .decode(coded)
            .map_err(|_| wrong("input is no base64"))
    }
}

async fn write(
    used: &UsedSandbox,
    process: &ProcessInfo,
    input: Input,
) -> Result<(), ConnectError> {
    let bytes = input.bytes(process)?;
    let written = used.live.write(process.id, &bytes).await;
    written.map_err(|error| problem(used, error))?;
    Ok(())
}

/// `SendInput`.
pub async fn send(
    addressed: Result<Addressed, AsE2b>,
    body: Result<JsonBody<SendBody>, Problem>,
) -> Result<Json<Done>, ConnectError> {
    let Addressed { used, .. } = addressed?;
    let JsonBody { value, held: _held } = body?;
    let process = value.process.find(&used)?;
    write(&used, &process, value.input).await?;
    Ok(Json(Done {}))
}

/// Whose standard input is at its end.
#[derive(Debug, Deserialize)]
pub struct CloseBody {
    process: Selector,
}

/// `CloseStdin`.
pub async fn close(
    addressed: Result<Addressed, AsE2b>,
    body: Result<JsonBody<CloseBody>, Problem>,
) -> Result<Json<Done>, ConnectError> {
    let Addressed { used, .. } = addressed?;
    let process = body?.value.process.find(&used)?;
    if process.terminal {
        let sentence = "a terminal is not closed; send it Ctrl+D (0x04)";
        return Err(ConnectError::new(ConnectCode::FailedPrecondition, sentence));
    }
    let id: ProcessId = process.id;
    used.live
        .close_stdin(id)
        .await
        .map_err(|error| problem(&used, error))?;
    Ok(Json(Done {}))
}

/// `StreamInput`: messages as they come, each handed on before the next is read; the answer is one empty message.
pub async fn stream(addressed: Result<Addressed, AsE2b>, request: Request) -> Response {
    match streamed(addressed, request).await {
        Ok(()) => {
            let whole = [message(&Done {}), end()].concat();
            (stream_headers(), Body::from(whole)).into_response()
        }
        Err(error) => super::connect::failed_stream(ConnectError {
            problem: error.problem.close(),
            ..error
        }),
    }
}

async fn streamed(
    addressed: Result<Addressed, AsE2b>,
    request: Request,
) -> Result<(), ConnectError> {
    let Addressed { used, .. } = addressed?;
    let mut body = Incoming::new(request.into_body(), STREAM_PATIENCE);
    let mut envelopes = Envelopes::default();
    let mut process = None;
    let mut held = Held::default();
    while let Some(bytes) = body.next().await? {
        used.app.memory.body(&mut held, bytes.len())?;
        envelopes.push(&bytes);
        while let Some(envelope) = envelopes
            .next_whole()
            .map_err(|error| ConnectError::new(ConnectCode::InvalidArgument, error.to_string()))?
        {
            let Envelope::Message(bytes) = envelope else {
                return Ok(());
            };
            take(&used, &mut process, parsed(&bytes)?).await?;
        }
        if envelopes.held() == 0 {
            held = Held::default();
        }
    }
    Ok(())
}

/// How long a client may leave its stream silent: the clients' own bound of such a call.
const STREAM_PATIENCE: std::time::Duration = std::time::Duration::from_secs(3600);

async fn take(
    used: &UsedSandbox,
    process: &mut Option<ProcessInfo>,
    message: StreamMessage,
) -> Result<(), ConnectError> {
    if let Some(start) = message.start {
        *process = Some(start.process.find(used)?);
    }
    let Some(data) = message.data else {
        return Ok(());
    };
    let Some(process) = process else {
        let sentence = "the stream's first message names no process";
        return Err(ConnectError::new(ConnectCode::InvalidArgument, sentence));
    };
    write(used, process, data.input).await
}
