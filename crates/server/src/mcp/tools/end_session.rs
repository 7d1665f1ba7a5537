//! `end_session`: its VM is destroyed, with all that is in it.

use super::{told, tool};
use crate::mcp::call::Call;
use crate::problem::Problem;
use crate::sandboxes::end;
use rmcp::model::{CallToolResult, Tool, ToolAnnotations};
use rmcp::schemars;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub struct Arguments {
    /// As start_session named it.
    session_id: String,
}

/// A session that ended.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct EndedFacts {
    /// Its name.
    session_id: String,
    /// It is gone.
    ended: bool,
}

pub(super) fn definition() -> Tool {
    let about = "End a session: its VM is destroyed, with its files and variables.".to_owned();
    let hints = ToolAnnotations::with_title("End a session");
    let hints = hints.read_only(false).destructive(true).idempotent(false);
    tool::<Arguments, EndedFacts>("end_session", about, hints)
}

pub(super) async fn run(call: &Call, arguments: Arguments) -> Result<CallToolResult, Problem> {
    let session_id = arguments.session_id;
    end(&call.app, &call.who, &session_id).await?;
    let text = format!("session {session_id} ended");
    let ended = true;
    Ok(told(&EndedFacts { session_id, ended }, text))
}
