//! What programs of a session find as in a notebook: IPython's shell, Node's reading of a cell. Each table is one
//! session, its cells in order, as `cells/LANG.toml` has them.

use crate::lab::{self, answer};
use serde::Deserialize;
use serde_json::{Value, json};

/// One cell, and what is to come of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cell {
    code: String,
    #[serde(default)]
    stdin: Option<String>,
    #[serde(default)]
    stdout: String,
    /// Is in what it wrote there.
    #[serde(default)]
    stderr: String,
    /// `text/plain` of each result.
    #[serde(default)]
    results: Vec<String>,
    /// The error's name.
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    exit_code: i64,
    /// Is in the traceback.
    #[serde(default)]
    traceback: String,
}

#[derive(Deserialize)]
struct Cells {
    cell: Vec<Cell>,
}

/// What differs, in words.
fn judged(cell: &Cell, seen: &Value) -> Option<String> {
    let empty = Vec::new();
    let results = seen["results"].as_array().unwrap_or(&empty);
    let plain: Vec<_> = results
        .iter()
        .map(|shown| shown["text/plain"].as_str().unwrap_or_default())
        .collect();
    let traceback = seen["error"]["traceback"].as_str().unwrap_or_default();
    let stderr = seen["logs"]["stderr"].as_str().unwrap_or_default();
    let as_expected = stderr.contains(&cell.stderr)
        && seen["logs"]["stdout"] == cell.stdout.as_str()
        && plain == cell.results
        && seen["error"]["name"].as_str() == cell.error.as_deref()
        && seen["exit_code"] == cell.exit_code
        && traceback.contains(&cell.traceback)
        && seen["notes"]
            .to_string()
            .find("variables are gone")
            .is_none();
    (!as_expected).then(|| format!("{}\n  came to {seen}", cell.code))
}

async fn holds(language: &str, table: &str) {
    if !lab::can_run(language) {
        return;
    }
    let table: Cells = toml::from_str(table).unwrap();
    let service = lab::start().await;
    let body = json!({ "language": language });
    let (status, session) = answer(service.post("/api/v1/sessions", &body)).await;
    assert_eq!(status, 201, "{session}");
    let path = format!(
        "/api/v1/sessions/{}/execute",
        session["id"].as_str().unwrap()
    );
    let mut wrong = Vec::new();
    for cell in &table.cell {
        let body = json!({"code": cell.code, "stdin": cell.stdin, "timeout": 60});
        let (_, seen) = answer(service.post(&path, &body)).await;
        wrong.extend(judged(cell, &seen));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{language}: {} cells", table.cell.len());
    service.end().await;
}

#[tokio::test]
async fn cells_of_python_are_ipythons() {
    holds("python", include_str!("cells/python.toml")).await;
}

#[tokio::test]
async fn cells_of_node_are_read_as_nodes_shell_reads_them() {
    holds("node", include_str!("cells/node.toml")).await;
}
