//! A job's, a session's and a sandbox's answer about code, read by one function (decision 111).

use crate::lab::{self, answer};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What is there in all three, by the same names, types and meanings.
#[derive(Debug, Deserialize)]
struct Answer {
    trace_id: String,
    status: String,
    exit_code: Option<i32>,
    stdout: String,
    stderr: String,
    error_info: Option<ErrorInfo>,
    shown: Vec<BTreeMap<String, String>>,
    artifacts: Vec<Artifact>,
    exec_time: f64,
    timings: Timings,
    notes: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct ErrorInfo {
    code: Option<String>,
    name: String,
    value: String,
    traceback: String,
}

#[derive(Debug, Deserialize)]
struct Artifact {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Timings {
    queue: f64,
    boot: f64,
    execute: f64,
    total: f64,
}

fn read((status, body): (u16, Value)) -> Answer {
    assert_eq!(status, 200, "{body}");
    let answer: Answer =
        serde_json::from_value(body.clone()).unwrap_or_else(|no| panic!("{no} in {body}"));
    assert_eq!(answer.status == "ok", answer.error_info.is_none(), "{body}");
    assert_eq!(answer.exec_time, answer.timings.execute, "{body}");
    let times = &answer.timings;
    assert!(
        times.total >= times.execute && times.queue + times.boot <= times.total,
        "{body}"
    );
    assert!(!answer.trace_id.is_empty());
    answer
}

#[tokio::test]
async fn one_function_reads_what_came_of_code_wherever_it_ran() {
    if !lab::can_run("python") {
        return;
    }
    let service = lab::start().await;
    let begun = async |path: &str| {
        let (status, body) = answer(service.post(path, &json!({"language": "python"}))).await;
        assert_eq!(status, 201, "{body}");
        format!("{path}/{}", body["id"].as_str().unwrap())
    };
    let places = [
        begun("/api/v1/sessions").await,
        begun("/api/v1/sandboxes").await,
    ];
    let ran = async |code: &str| {
        let body = json!({"language": "python", "code": code, "timeout": 60});
        let mut all = vec![read(service.execute(&body).await)];
        for place in &places {
            let body = json!({"code": code, "timeout": 60});
            let path = format!("{place}/execute");
            all.push(read(answer(service.post(&path, &body)).await));
        }
        all
    };
    let fine = "import os, sys\nos.makedirs('out', exist_ok=True)\nopen('out/a.txt', 'w').write('a')\n\
                print('one')\nprint('two', file=sys.stderr)\n6 * 7";
    for answer in ran(fine).await {
        assert_eq!((answer.status.as_str(), answer.exit_code), ("ok", Some(0)));
        assert_eq!(
            (answer.stdout.as_str(), answer.stderr.as_str()),
            ("one\n", "two\n")
        );
        // A program shows no value; a sandbox's files stay where they are.
        assert!(
            answer.shown.iter().all(|shown| shown["text/plain"] == "42"),
            "{answer:?}"
        );
        assert!(
            answer.artifacts.iter().all(|file| file.name == "a.txt"),
            "{answer:?}"
        );
        assert!(answer.notes.is_empty(), "{answer:?}");
    }
    let raised = ran("print('before')\nraise ValueError('no')").await;
    for (answer, name) in raised.iter().zip(["error", "ValueError", "ValueError"]) {
        assert_eq!(
            (answer.status.as_str(), answer.exit_code),
            ("error", Some(1))
        );
        assert_eq!(answer.stdout, "before\n");
        let error = answer.error_info.as_ref().unwrap();
        assert_eq!(
            (error.name.as_str(), &error.code),
            (name, &None),
            "{answer:?}"
        );
        assert!(!error.value.is_empty());
        assert_eq!(
            error.traceback.contains("ValueError"),
            name != "error",
            "{answer:?}"
        );
    }
    for answer in ran("raise SystemExit(3)").await {
        let error = answer.error_info.as_ref().unwrap();
        assert_eq!(
            (answer.exit_code, error.name.as_str()),
            (Some(3), "error"),
            "{answer:?}"
        );
    }
    // What another image would have had is said by each.
    for answer in ran("import numpy").await {
        let note = answer
            .notes
            .iter()
            .find(|note| note.contains("python-data"));
        assert!(note.is_some(), "{answer:?}");
    }
    service.end().await;
}
