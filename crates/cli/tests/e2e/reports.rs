//! Reports of a given collection (`LLM_FIRECRACKER_REPORTS`: JSON lines) at the command line: those whose
//! program is one file, by its name and, where the language has a shell's way, after `-c`. At the other doors:
//! `server/tests/http/reports.rs`.

use crate::lab;
use crate::tool::{Done, Tool};
use serde_json::Value;

/// What the command line has no flag for, or compares otherwise.
const JUDGED_ELSEWHERE: &[&str] = &["report-04", "report-29"];

fn tool(report: &Value) -> Tool {
    let (language, code) = (
        report["lang"].as_str().unwrap(),
        report["code"].as_str().unwrap(),
    );
    let call = report["call"].as_str().unwrap_or_default();
    let tool = match (call.contains(" -c "), language) {
        (true, _) => Tool::new().args(["run", "--lang", language, "-c", code]),
        (false, "node") if call.contains(".mjs") => Tool::run("mjs", code),
        (false, "node") => Tool::run("js", code),
        (false, "python") => Tool::run("py", code),
        (false, "rust") => Tool::run("rs", code),
        (false, "bash") => Tool::run("sh", code),
        (false, other) => Tool::run(other, code),
    };
    let mut tool = tool.arg("--json");
    if let Some(timeout) = report["request"]["timeout"].as_f64() {
        tool = tool.args(["--timeout", &timeout.to_string()]);
    }
    if call.contains("--memory 2048") {
        tool = tool.args(["--memory", "2048", "--timeout", "120"]);
    }
    tool.stdin(report["stdin"].as_str().unwrap_or_default())
}

/// What differs from what is right; `None`: nothing.
fn wrong(report: &Value, done: &Done) -> Option<String> {
    let result = done.json();
    let exits =
        report["expect_exit_code"].is_null() || result["exit_code"] == report["expect_exit_code"];
    let same = result["stdout"] == report["expect_stdout"] && exits;
    (!same).then(|| format!("{}: {result}", report["id"]))
}

#[test]
fn each_report_of_the_collection_holds_at_the_command_line() {
    let Some(path) = std::env::var_os("LLM_FIRECRACKER_REPORTS") else {
        println!("not run: LLM_FIRECRACKER_REPORTS names no collection");
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let reports = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let alone = |report: &Value| {
        let fits = report["code"].is_string() && report["expect_stdout"].is_string();
        let id = report["id"].as_str().unwrap();
        fits && report["files"].is_null() && !JUDGED_ELSEWHERE.contains(&id)
    };
    let reports: Vec<Value> = reports.filter(alone).collect();
    let can_run = |report: &&Value| lab::lab().has(report["lang"].as_str().unwrap());
    let all: Vec<&Value> = reports.iter().filter(can_run).collect();
    let wrong: Vec<String> = all
        .iter()
        .filter_map(|report| wrong(report, &tool(report).go()))
        .collect();
    println!("{} reports at the command line", all.len());
    assert!(!all.is_empty() && wrong.is_empty(), "{wrong:#?}");
}
