//! `run_code`: a program, in a fresh VM or in a session.

mod cell;
mod job;
mod outputs;

use super::tool;
use crate::execute::request::RequestFile;
use crate::mcp::call::Call;
use crate::mcp::offer::{Offer, list};
use crate::mcp::run_facts::RunFacts;
use crate::problem::{HttpCode, Problem};
use rmcp::model::{CallToolResult, Tool, ToolAnnotations};
use rmcp::schemars;
use schemars::JsonSchema;
use serde::Deserialize;

/// What is to run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub struct Arguments {
    /// One of the languages in this tool's description.
    language: String,
    /// The program, at most 1 MiB.
    code: String,
    /// A session of start_session: variables and files of earlier calls are there. Absent: a fresh VM.
    session_id: Option<String>,
    /// The program's whole standard input.
    stdin: Option<String>,
    /// The program's arguments.
    args: Option<Vec<String>>,
    /// Put into /work before the program starts.
    files: Option<Vec<FileArgument>>,
    /// Without session_id: an image that holds the language, such as python-data; absent: the language's own.
    image: Option<String>,
    /// Without session_id: packages that the program needs besides, such as requests or pandas>=2; where the operator allows it.
    packages: Option<Vec<String>>,
    /// Seconds that the program may run, at most 300; absent: 10.
    timeout: Option<f64>,
}

/// A file that comes with a program.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
struct FileArgument {
    /// Relative to /work.
    path: String,
    /// Its content as text.
    content: Option<String>,
    /// Or its content as base64.
    data: Option<String>,
}

impl From<FileArgument> for RequestFile {
    fn from(file: FileArgument) -> RequestFile {
        RequestFile {
            path: file.path,
            content: file.content,
            data: file.data,
        }
    }
}

pub(super) fn definition(offer: &Offer) -> Tool {
    let about = format!(
        "Run a program in a virtual machine without network and return what it prints. Languages: {}. Without session_id each \
         call gets a fresh VM: nothing of earlier calls is there. With one, files stay, and in {} variables, too. Files that \
         the program writes to /work/out come back with the result; PNG and JPEG are shown. A failing program is a normal \
         result: look at status, exit code and stderr. Images: {}.",
        list(&offer.languages),
        list(&offer.keeping),
        list(&offer.images),
    );
    // It may overwrite a session's files.
    let hints = ToolAnnotations::with_title("Run code");
    let hints = hints.read_only(false).destructive(true).idempotent(false);
    tool::<Arguments, RunFacts>("run_code", about, hints)
}

pub(super) async fn run(call: &Call, arguments: Arguments) -> Result<CallToolResult, Problem> {
    match arguments.session_id.clone() {
        None => job::run(call, arguments).await,
        Some(session) => {
            refuse_of_jobs(&arguments)?;
            cell::run(call, &session, arguments).await
        }
    }
}

/// What a session has from its start on.
fn refuse_of_jobs(arguments: &Arguments) -> Result<(), Problem> {
    let given = [
        ("image", arguments.image.is_some()),
        ("packages", arguments.packages.is_some()),
    ];
    let Some((field, _)) = given.into_iter().find(|(_, is)| *is) else {
        return Ok(());
    };
    let sentence = format!(
        "a session keeps its {field}: leave {field} out, or session_id; start_session takes an image"
    );
    Err(Problem::with(HttpCode::FieldInvalid, sentence).field(field))
}
