//! What programs of a session find as in a notebook: IPython's shell, Node's reading of a cell, an interrupt, output as it comes.
//! Each table is one session, its cells in order, as `cells/LANG.toml` has them.

use crate::sessions::Cells;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

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
struct Table {
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
    let Some(cells) = Cells::of(language).await else {
        return;
    };
    let table: Table = toml::from_str(table).unwrap();
    let mut wrong = Vec::new();
    for cell in &table.cell {
        let body = json!({"code": cell.code, "stdin": cell.stdin});
        wrong.extend(judged(cell, &cells.run_with(body).await));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{language}: {} cells", table.cell.len());
    cells.end().await;
}

#[tokio::test]
async fn cells_of_python_are_ipythons() {
    holds("python", include_str!("cells/python.toml")).await;
}

#[tokio::test]
async fn cells_of_node_are_read_as_nodes_shell_reads_them() {
    holds("node", include_str!("cells/node.toml")).await;
}

/// A program that says that it runs and does not end; what its error is when it is interrupted, and what its session
/// has afterwards.
struct Endless {
    language: &'static str,
    code: &'static str,
    error: &'static str,
    /// A program, and its result.
    kept: Option<(&'static str, &'static str)>,
}

const ENDLESS: &[Endless] = &[
    Endless {
        language: "python",
        code: "kept = 1\nprint('runs', flush=True)\nwhile True: pass",
        error: "KeyboardInterrupt",
        kept: Some(("kept", "1")),
    },
    Endless {
        language: "python",
        code: "import asyncio\nkept = 2\nprint('runs', flush=True)\nawait asyncio.sleep(60)",
        error: "KeyboardInterrupt",
        kept: Some(("kept", "2")),
    },
    Endless {
        language: "python",
        code: "import subprocess\nkept = 3\nprint('runs', flush=True)\nsubprocess.run(['sleep', '60'])",
        error: "KeyboardInterrupt",
        kept: Some(("kept", "3")),
    },
    Endless {
        language: "node",
        code: "let kept = 4; console.log('runs'); while (true) {}",
        error: "Error",
        kept: Some(("kept", "4")),
    },
    Endless {
        language: "node",
        code: "let kept = 5; console.log('runs'); await new Promise((r) => setTimeout(r, 60000))",
        error: "Error",
        kept: Some(("kept", "5")),
    },
    Endless {
        language: "bash",
        code: "echo runs; sleep 60",
        error: "error",
        kept: None,
    },
];

/// What an interrupt made of an endless program, and what the next program came to; `None` where no VM of its language
/// can be started.
async fn interrupted(endless: &Endless, after: Duration, next: &str) -> Option<(Value, Value)> {
    let cells = Cells::of(endless.language).await?;
    let path = format!("{}/interrupt", cells.path);
    let interrupt = async || {
        let told = cells.service.post(&path, &json!({})).send().await;
        assert_eq!(told.unwrap().status(), 204);
    };
    // One that comes while nothing runs is nobody's.
    interrupt().await;
    let later = async {
        tokio::time::sleep(after).await;
        interrupt().await;
    };
    let endless = cells.run_with(json!({"code": endless.code, "timeout": 50}));
    let (seen, ()) = tokio::join!(endless, later);
    let next = cells.run_with(json!({ "code": next })).await;
    cells.end().await;
    Some((seen, next))
}

#[tokio::test]
async fn an_interrupt_ends_the_program_and_keeps_what_it_had() {
    for endless in ENDLESS {
        let (next, result) = endless.kept.unwrap_or((":", ""));
        let after = Duration::from_secs(2);
        let Some((seen, next)) = interrupted(endless, after, next).await else {
            continue;
        };
        assert_eq!(seen["error"]["name"], endless.error, "{seen}");
        assert_eq!(seen["logs"]["stdout"], "runs\n", "{seen}");
        let kept = next["results"][0]["text/plain"].as_str();
        assert_eq!(kept.unwrap_or_default(), result, "{next}");
        assert_eq!(next["exit_code"], 0, "{next}");
    }
}

#[tokio::test]
async fn an_interrupt_that_comes_before_the_program_waits_for_it() {
    for endless in ENDLESS {
        let after = Duration::from_millis(30);
        let Some((seen, next)) = interrupted(endless, after, "6 * 7").await else {
            continue;
        };
        assert_eq!(seen["error"]["name"], endless.error, "{seen}");
        assert_eq!(seen["notes"], json!([]), "{seen}");
        if endless.kept.is_some() {
            assert_eq!(next["results"][0]["text/plain"], "42", "{next}");
        }
    }
}

#[tokio::test]
async fn a_sessions_output_streams_as_it_comes_and_a_session_that_ends_says_so() {
    let Some(cells) = Cells::of("python").await else {
        return;
    };
    let (service, path) = (&cells.service, &cells.path);
    let stream = async |code: &str| {
        let request = service.post(
            &format!("{path}/execute"),
            &json!({"code": code, "timeout": 60}),
        );
        let request = request.header("accept", "text/event-stream");
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        response
    };
    let mut response = stream("print('first')\n6 * 7").await;
    let mut text = String::new();
    while let Some(chunk) = response.chunk().await.unwrap() {
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    let first = text.find("event: stdout\ndata: {\"data\":\"first").unwrap();
    let last = text.find("event: result\ndata: {").unwrap();
    assert!(first < last, "{text}");
    let mut response = stream("import time\nprint('on', flush=True)\ntime.sleep(50)").await;
    let mut text = String::new();
    while !text.contains("\"on") {
        let chunk = response.chunk().await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    // It came while the program runs: nothing of its end is there.
    assert!(!text.contains("event: result"), "{text}");
    let ended = service.client.delete(service.url(path)).send().await;
    assert_eq!(ended.unwrap().status(), 204);
    while let Some(chunk) = response.chunk().await.unwrap() {
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    assert!(
        text.contains("event: problem") && text.contains("session_not_found"),
        "{text}"
    );
    cells.service.end().await;
}
