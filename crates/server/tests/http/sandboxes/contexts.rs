//! Interpreters of a sandbox over HTTP: cells that find what those before them left, what stays after each way to end,
//! and clients that go away.

mod clients;
mod endings;

use super::{Desk, Lines, told};
use crate::lab;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// One cell of a table, and what is to come of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    code: String,
    #[serde(default)]
    stdin: Option<String>,
    #[serde(default)]
    stdout: String,
    /// Is in what it printed, of which no more is known.
    #[serde(default)]
    printed: Option<String>,
    /// Is in what it wrote there.
    #[serde(default)]
    stderr: String,
    /// `text/plain` of each result.
    #[serde(default)]
    results: Vec<String>,
    /// The error's name; `error`: none but an exit code.
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    exit_code: i64,
    /// Is in the traceback.
    #[serde(default)]
    traceback: String,
    /// A module without which it is not run.
    #[serde(default)]
    needs: Option<String>,
    /// Its last result is a picture.
    #[serde(default)]
    picture: bool,
}

#[derive(Deserialize)]
struct Table {
    cell: Vec<Row>,
}

impl Row {
    /// What differs, in words.
    fn judged(&self, seen: &Value) -> Option<String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let shown = seen["results"].as_array().cloned().unwrap_or_default();
        let plain: Vec<_> = shown
            .iter()
            .map(|it| text(&it["data"]["text/plain"]))
            .collect();
        let stdout = text(&seen["logs"]["stdout"]);
        let printed = match &self.printed {
            Some(part) => stdout.contains(part),
            None => stdout == self.stdout,
        };
        let last = shown.last().map(|it| it["data"]["image/png"].is_string());
        let error = self.error.as_deref().filter(|name| *name != "error");
        let as_expected = printed
            && text(&seen["logs"]["stderr"]).contains(&self.stderr)
            && (plain == self.results || self.picture && last == Some(true))
            && seen["error"]["name"].as_str() == error
            && seen["exit_code"] == self.exit_code
            && seen["lost"].is_null()
            && text(&seen["error"]["traceback"]).contains(&self.traceback);
        (!as_expected).then(|| format!("{}\n  came to {seen}", self.code))
    }
}

impl Desk {
    /// Runs a cell as a whole.
    async fn cell(&self, body: Value) -> Value {
        let (status, seen) = self.post("/execute", &body).await;
        assert_eq!(status, 200, "{body}: {seen}");
        seen
    }

    async fn context(&self, body: Value) -> u64 {
        let (status, context) = self.post("/contexts", &body).await;
        assert_eq!(status, 201, "{context}");
        context["id"].as_u64().unwrap()
    }

    async fn events(&self, context: u64, from: u64) -> Lines {
        let below = format!("/contexts/{context}/events?from={from}");
        Lines::of(self.request(Method::GET, &below)).await
    }
}

async fn holds(language: &str, tables: &[&str]) {
    let Some(desk) = Desk::open(language).await else {
        return;
    };
    for table in tables {
        let context = desk.context(json!({ "language": language })).await;
        let table: Table = toml::from_str(table).unwrap();
        let mut wrong = Vec::new();
        for row in &table.cell {
            if let Some(module) = &row.needs {
                let code = format!("import {module}");
                let there = desk.cell(json!({ "code": code, "context": context })).await;
                if there["status"] != "ok" {
                    println!("not run: the image has no {module}");
                    continue;
                }
            }
            let body = json!({ "code": row.code, "stdin": row.stdin, "context": context });
            wrong.extend(row.judged(&desk.cell(body).await));
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        println!("{language}: {} cells", table.cell.len());
        assert_eq!(desk.delete(&format!("/contexts/{context}")).await.0, 204);
    }
    desk.end().await;
}

#[tokio::test]
async fn notebooks_of_python_come_to_what_jupyter_shows() {
    let tables = [
        include_str!("../cells/notebook.toml"),
        include_str!("../cells/python.toml"),
    ];
    holds("python", &tables).await;
}

#[tokio::test]
async fn cells_of_node_are_read_as_its_shell_reads_them() {
    holds("node", &[include_str!("../cells/node.toml")]).await;
}

#[tokio::test]
async fn cells_of_bash_are_a_shells() {
    holds("bash", &[include_str!("../cells/bash.toml")]).await;
}

/// stiang/recli 10: all that a cell prints is in its own answer.
#[tokio::test]
async fn a_large_output_is_whole_and_its_own_cells() {
    let Some(desk) = Desk::open("node").await else {
        return;
    };
    for bytes in [200_000, 900_000] {
        for _ in 0..5 {
            let code = format!("console.log('x'.repeat({bytes})); 'done'");
            let seen = desk.cell(json!({ "code": code })).await;
            let length = seen["logs"]["stdout"].as_str().map(str::len);
            assert_eq!(length, Some(bytes + 1));
            assert_eq!(seen["results"][0]["data"]["text/plain"], "'done'");
            let next = desk.cell(json!({ "code": "'next'" })).await;
            assert_eq!(next["logs"]["stdout"], "");
        }
    }
    desk.end().await;
}
