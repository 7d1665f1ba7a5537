//! `list_files`: a folder's entries.

use super::{told, tool};
use crate::mcp::call::Call;
use crate::mcp::clip::{MAX_TEXT_BYTES, on_one_line};
use crate::mcp::place::{Extent, Listed, Place, absolute};
use crate::mcp::refusal;
use crate::problem::Problem;
use protocol::environment::WORK_DIR;
use rmcp::model::{CallToolResult, Tool, ToolAnnotations};
use rmcp::schemars;
use sandbox::live::EntryKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Levels of folders that one listing goes down.
const MAX_DEPTH: u32 = 8;

/// What an entry takes in a result besides its path.
const ENTRY_BYTES: usize = 32;

/// Which folder.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub struct Arguments {
    /// The session, or the run_id of a run without session.
    session_id: String,
    /// Absolute, or relative to /work; absent: /work.
    path: Option<String>,
    /// Levels of folders, 1 to 8; absent: 2.
    depth: Option<u32>,
}

/// A folder's entries.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct FolderFacts {
    /// Absolute.
    path: String,
    /// In order of their paths.
    entries: Vec<EntryFacts>,
    /// There are more.
    truncated: bool,
}

/// An entry.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct EntryFacts {
    /// Absolute.
    path: String,
    /// What it is.
    kind: Kind,
    /// In bytes.
    size: u64,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(crate = "rmcp::schemars", inline)]
enum Kind {
    File,
    Folder,
    Link,
    Other,
}

pub(super) fn definition() -> Tool {
    let about = "List the files of a session, or those that a run left.".to_owned();
    let hints = ToolAnnotations::with_title("List files");
    let hints = hints.read_only(true).destructive(false).idempotent(true);
    tool::<Arguments, FolderFacts>("list_files", about, hints)
}

pub(super) async fn run(call: &Call, arguments: Arguments) -> Result<CallToolResult, Problem> {
    let path = arguments.path.as_deref().unwrap_or(WORK_DIR);
    let path = absolute("path", path)?;
    let depth = arguments.depth.unwrap_or(2);
    if !(1..=MAX_DEPTH).contains(&depth) {
        let sentence = format!("depth is {depth}, allowed is 1 to {MAX_DEPTH}");
        return Err(refusal::argument("depth", sentence));
    }
    let place = Place::of(call, &arguments.session_id)?;
    let (entries, truncated) = place.list(&path, depth).await?;
    let facts = facts(path, entries, truncated);
    let text = text(&facts);
    Ok(told(&facts, text))
}

/// As many entries as a result has room for.
fn facts(path: String, listed: Vec<Listed>, extent: Extent) -> FolderFacts {
    let all = listed.len();
    let mut bytes = 0;
    let fits = |entry: &EntryFacts| {
        bytes += entry.path.len() + ENTRY_BYTES;
        bytes <= MAX_TEXT_BYTES
    };
    let entries = listed.into_iter().map(EntryFacts::from);
    let entries: Vec<EntryFacts> = entries.take_while(fits).collect();
    FolderFacts {
        path,
        truncated: extent == Extent::Part || entries.len() < all,
        entries,
    }
}

impl From<Listed> for EntryFacts {
    fn from(entry: Listed) -> EntryFacts {
        EntryFacts {
            path: on_one_line(&entry.path),
            kind: match entry.kind {
                EntryKind::File => Kind::File,
                EntryKind::Folder => Kind::Folder,
                EntryKind::Link => Kind::Link,
                EntryKind::Other => Kind::Other,
            },
            size: entry.size,
        }
    }
}

fn text(facts: &FolderFacts) -> String {
    let mut lines = Vec::new();
    for EntryFacts { path, kind, size } in &facts.entries {
        lines.push(match kind {
            Kind::File => format!("{path} ({size} bytes)"),
            Kind::Folder => format!("{path}/"),
            Kind::Link => format!("{path} (a link)"),
            Kind::Other => format!("{path} (no file)"),
        });
    }
    if lines.is_empty() {
        lines.push(format!("[{} is empty]", facts.path));
    }
    if facts.truncated {
        lines.push("[there are more: list a folder further down]".to_owned());
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(path: String) -> Listed {
        Listed {
            path,
            kind: EntryKind::File,
            size: u64::MAX,
        }
    }

    #[test]
    fn a_folder_of_any_size_stays_within_a_result() {
        let many = (0..4096).map(|n| listed(format!("/work/{n}\n{}", "x".repeat(200))));
        let facts = facts("/work".into(), many.collect(), Extent::Whole);
        assert!(facts.truncated && !facts.entries.is_empty());
        let text = text(&facts);
        assert!(text.len() <= MAX_TEXT_BYTES + 100, "{}", text.len());
        assert_eq!(text.lines().count(), facts.entries.len() + 1);
        let structured = serde_json::to_string(&facts).unwrap();
        assert!(
            structured.len() <= 2 * MAX_TEXT_BYTES,
            "{}",
            structured.len()
        );
    }

    #[test]
    fn an_empty_folder_is_said() {
        let facts = facts("/work".into(), Vec::new(), Extent::Whole);
        assert_eq!(text(&facts), "[/work is empty]");
    }
}
