//! `write_file`: a file in a session; one that is there is replaced as a whole.

use super::{told, tool};
use crate::execute::request::{RequestFile, job_file};
use crate::mcp::call::Call;
use crate::mcp::place::absolute;
use crate::problem::Problem;
use crate::sandboxes::table::UsedSandbox;
use rmcp::model::{CallToolResult, Tool, ToolAnnotations};
use rmcp::schemars;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is written where.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub struct Arguments {
    /// The session.
    session_id: String,
    /// Absolute, or relative to /work. Folders above it are made.
    path: String,
    /// Its content as text.
    content: Option<String>,
    /// Or its content as base64.
    data: Option<String>,
}

/// A file that was written.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct WrittenFacts {
    /// Absolute.
    path: String,
    /// In bytes.
    size: u64,
}

pub(super) fn definition() -> Tool {
    let about = "Write a file into a session, text or base64. A file that is there is replaced.";
    let hints = ToolAnnotations::with_title("Write a file");
    let hints = hints.read_only(false).destructive(true).idempotent(true);
    tool::<Arguments, WrittenFacts>("write_file", about.to_owned(), hints)
}

pub(super) async fn run(call: &Call, arguments: Arguments) -> Result<CallToolResult, Problem> {
    let used = UsedSandbox::take(&call.app, &call.who, &arguments.session_id)?;
    let path = absolute("path", &arguments.path)?;
    let file = RequestFile {
        path: arguments.path,
        content: arguments.content,
        data: arguments.data,
    };
    let file = job_file(file)?;
    let size = put(&used, &path, &file.data.0).await?;
    let text = format!("{path}: {size} bytes written");
    Ok(told(&WrittenFacts { path, size }, text))
}

/// Puts a file there; its size.
pub(super) async fn put(used: &UsedSandbox, path: &str, bytes: &[u8]) -> Result<u64, Problem> {
    let put = async {
        let mut writer = used.live.write_file(path).await?;
        writer.write(bytes).await?;
        writer.finish().await
    };
    put.await.map_err(|error| used.problem(error))
}
