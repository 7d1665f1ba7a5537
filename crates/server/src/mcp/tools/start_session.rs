//! `start_session`: a VM that stays.

use super::told;
use super::tool;
use crate::mcp::call::Call;
use crate::mcp::offer::{Offer, list};
use crate::problem::Problem;
use crate::sandboxes::body::{SandboxBody, SandboxRequest};
use crate::sandboxes::open;
use crate::sandboxes::table::UsedSandbox;
use protocol::environment::OUT_DIR;
use rmcp::model::{CallToolResult, Tool, ToolAnnotations};
use rmcp::schemars;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kind of session.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub struct Arguments {
    /// The language whose image it has; absent: the usual image of sessions.
    language: Option<String>,
    /// Another image that holds the language, such as python-data.
    image: Option<String>,
}

/// A session that began.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct SessionFacts {
    /// Its name in other calls.
    session_id: String,
    /// What it was made from.
    image: String,
    /// What its image is made for.
    language: String,
    /// When it ends in any case (RFC 3339, UTC).
    expires_at: String,
    /// Seconds without a call after which it ends before that.
    idle_seconds: f64,
    /// Its memory, in MiB.
    memory_mib: u32,
}

pub(super) fn definition(offer: &Offer) -> Tool {
    let about = format!(
        "Start a session: a VM that stays between calls of run_code, with its files and, in {}, its variables. It ends after \
         {} s without a call. Images: {}.",
        list(&offer.keeping),
        offer.idle_seconds,
        list(&offer.images),
    );
    let hints = ToolAnnotations::with_title("Start a session");
    let hints = hints.read_only(false).destructive(false).idempotent(false);
    tool::<Arguments, SessionFacts>("start_session", about, hints)
}

pub(super) async fn run(call: &Call, arguments: Arguments) -> Result<CallToolResult, Problem> {
    let request = SandboxRequest {
        language: arguments.language,
        image: arguments.image,
        ..SandboxRequest::default()
    };
    let body = open(&call.app, &call.who, request).await?;
    let used = UsedSandbox::take(&call.app, &call.who, &body.id)?;
    // Programs that write there find it, as jobs do.
    let made = used.live.make_folder(OUT_DIR).await;
    made.map_err(|error| used.problem(error))?;
    let facts = SessionFacts::from(body);
    let SessionFacts {
        session_id,
        image,
        expires_at,
        idle_seconds,
        ..
    } = &facts;
    let text = format!(
        "session_id: {session_id}\nimage {image}; it ends after {idle_seconds} s without a call, and at {expires_at} in any case"
    );
    Ok(told(&facts, text))
}

impl From<SandboxBody> for SessionFacts {
    fn from(body: SandboxBody) -> SessionFacts {
        SessionFacts {
            session_id: body.id,
            image: body.image.to_owned(),
            language: body.language.to_owned(),
            expires_at: body.expires_at,
            idle_seconds: body.idle_timeout,
            memory_mib: body.memory_mib,
        }
    }
}
