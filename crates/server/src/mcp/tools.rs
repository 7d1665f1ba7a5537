//! The tools: six, for models choose badly among many. A file each, and one table of their names.

mod end_session;
mod list_files;
mod read_file;
mod run_code;
mod schema;
mod start_session;
mod write_file;

use super::call::Call;
use super::offer::Offer;
use super::refusal;
use crate::problem::Problem;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rmcp::handler::server::common::{schema_for_input, schema_for_output};
use rmcp::model::{CallToolResult, JsonObject, Tool, ToolAnnotations};
use rmcp::schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolName {
    /// Runs a program.
    RunCode,
    /// Begins a session.
    StartSession,
    /// Ends one.
    EndSession,
    /// Puts a file into a session.
    WriteFile,
    /// Reads a file.
    ReadFile,
    /// Lists a folder.
    ListFiles,
}

/// Every tool, in the order in which they are listed.
pub const TOOLS: [(&str, ToolName); 6] = [
    ("run_code", ToolName::RunCode),
    ("start_session", ToolName::StartSession),
    ("end_session", ToolName::EndSession),
    ("write_file", ToolName::WriteFile),
    ("read_file", ToolName::ReadFile),
    ("list_files", ToolName::ListFiles),
];

impl ToolName {
    /// The tool of this name.
    pub fn parse(name: &str) -> Option<ToolName> {
        let found = TOOLS.iter().find(|(own, _)| *own == name);
        found.map(|(_, tool)| *tool)
    }

    /// What a client is told of it.
    pub fn definition(self, offer: &Offer) -> Tool {
        match self {
            ToolName::RunCode => run_code::definition(offer),
            ToolName::StartSession => start_session::definition(offer),
            ToolName::EndSession => end_session::definition(),
            ToolName::WriteFile => write_file::definition(),
            ToolName::ReadFile => read_file::definition(),
            ToolName::ListFiles => list_files::definition(),
        }
    }

    /// Does what it is called for. A box: what the six hold while they wait is thousands of bytes, in the protocol's own
    /// futures several times over.
    pub fn call<'a>(
        self,
        call: &'a Call,
        arguments: Option<JsonObject>,
    ) -> BoxFuture<'a, Result<CallToolResult, Problem>> {
        let arguments = Value::Object(arguments.unwrap_or_default());
        match self {
            ToolName::RunCode => async { run_code::run(call, parsed(arguments)?).await }.boxed(),
            ToolName::StartSession => {
                async { start_session::run(call, parsed(arguments)?).await }.boxed()
            }
            ToolName::EndSession => {
                async { end_session::run(call, parsed(arguments)?).await }.boxed()
            }
            ToolName::WriteFile => {
                async { write_file::run(call, parsed(arguments)?).await }.boxed()
            }
            ToolName::ReadFile => async { read_file::run(call, parsed(arguments)?).await }.boxed(),
            ToolName::ListFiles => {
                async { list_files::run(call, parsed(arguments)?).await }.boxed()
            }
        }
    }
}

/// All tools as they are listed.
pub fn definitions(offer: &Offer) -> Vec<Tool> {
    let definition = |(_, tool): (&str, ToolName)| tool.definition(offer);
    TOOLS.map(definition).to_vec()
}

/// Arguments as the tool takes them, or which one is wrong: a model then calls again with what is right.
fn parsed<T: DeserializeOwned>(arguments: Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(arguments).map_err(|error| {
        let field = error.path().to_string();
        let sentence = error.into_inner().to_string();
        let problem = refusal::argument("arguments", sentence);
        // What is missing, or of no known name, has no path.
        match field.as_str() {
            "." => problem,
            field => problem.field(field),
        }
    })
}

/// A tool whose arguments are an `A`, and whose structured content is an `R`. Nothing that it does leaves its VM.
fn tool<A, R>(name: &'static str, about: String, hints: ToolAnnotations) -> Tool
where
    A: JsonSchema + 'static,
    R: JsonSchema + 'static,
{
    // The schema of a struct always is one of an object.
    let input = schema_for_input::<A>().unwrap_or_default();
    Tool::new(name, about, schema::portable(&input))
        .with_raw_output_schema(schema::portable(&schema_for_output::<R>()).into())
        .with_annotations(hints.open_world(false))
}

/// A result that a program reads, and the text that a model reads.
fn told<R: serde::Serialize>(facts: &R, text: String) -> CallToolResult {
    let mut result = CallToolResult::success(vec![rmcp::model::ContentBlock::text(text)]);
    result.structured_content = serde_json::to_value(facts).ok();
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_is_listed_by_its_name_described_and_bounded_to_its_vm() {
        let tools = definitions(&Offer::default());
        assert_eq!(tools.len(), 6);
        for (tool, (name, known)) in tools.iter().zip(TOOLS) {
            assert_eq!(tool.name, name);
            assert_eq!(ToolName::parse(name), Some(known));
            let hints = tool.annotations.as_ref().unwrap();
            assert_eq!(hints.open_world_hint, Some(false));
            assert!(hints.read_only_hint.is_some() && hints.destructive_hint.is_some());
            let schema = Value::Object((*tool.input_schema).clone());
            assert_eq!(schema["type"], "object", "{name}");
            assert_eq!(schema["additionalProperties"], false, "{name}");
            for (field, about) in schema["properties"].as_object().unwrap() {
                assert!(about["description"].is_string(), "{name}: {field}");
            }
            assert!(tool.output_schema.is_some());
        }
        assert_eq!(ToolName::parse("rm"), None);
    }

    /// A model pays for every word of these in every conversation.
    #[test]
    fn all_definitions_together_are_short() {
        let text = serde_json::to_string(&definitions(&Offer::default())).unwrap();
        assert!(text.len() < 14 * 1024, "{}", text.len());
    }

    #[test]
    fn a_wrong_argument_is_named() {
        let parse = |json| parsed::<run_code::Arguments>(json).unwrap_err();
        for (json, field, said) in [
            (
                serde_json::json!({"code": "1"}),
                "arguments",
                "missing field `language`",
            ),
            (
                serde_json::json!({"language": "python", "code": 1}),
                "code",
                "expected a string",
            ),
            (
                serde_json::json!({"language": "python", "code": "1", "files": [{"path": 3}]}),
                "files[0].path",
                "expected a string",
            ),
            (
                serde_json::json!({"language": "python", "code": "1", "shell": true}),
                "shell",
                "unknown field `shell`",
            ),
        ] {
            let problem = parse(json);
            assert_eq!(problem.field.as_deref(), Some(field));
            assert!(problem.detail.contains(said), "{}", problem.detail);
        }
    }
}
