//! What is refused, by which code: without a VM where none is needed.

use super::{Desk, told};
use crate::lab;
use reqwest::Method;
use serde_json::{Value, json};

/// Every verb below a sandbox, with a body that is fine.
pub fn every_verb() -> Vec<(Method, &'static str, Value)> {
    let (get, post) = (Method::GET, Method::POST);
    vec![
        (get.clone(), "", Value::Null),
        (Method::PATCH, "", json!({"timeout": 9})),
        (Method::DELETE, "", Value::Null),
        (get.clone(), "/processes", Value::Null),
        (post.clone(), "/processes", json!({"cmd": "true"})),
        (get.clone(), "/processes/1", Value::Null),
        (Method::DELETE, "/processes/1", Value::Null),
        (get.clone(), "/processes/1/output", Value::Null),
        (post.clone(), "/processes/1/stdin", Value::Null),
        (post.clone(), "/processes/1/signal", json!({"signal": 9})),
        (
            post.clone(),
            "/processes/1/resize",
            json!({"rows": 1, "columns": 1}),
        ),
        (get.clone(), "/processes/1/terminal", Value::Null),
        (get.clone(), "/files?path=/work/x", Value::Null),
        (Method::PUT, "/files?path=/work/x", Value::Null),
        (Method::DELETE, "/files?path=/work", Value::Null),
        (get.clone(), "/files/watch?path=/work", Value::Null),
        (get.clone(), "/entries?path=/work", Value::Null),
        (get, "/entries/stat?path=/work", Value::Null),
        (post.clone(), "/folders", json!({"path": "/work/x"})),
        (post, "/move", json!({"from": "/work/a", "to": "/work/b"})),
    ]
}

#[tokio::test]
async fn a_sandbox_that_is_not_there_is_not_there_for_any_verb() {
    let service = lab::start().await;
    for id in ["x", "0199f3c2-0000-7000-8000-000000000000", "%00", "%ff"] {
        for (method, below, body) in every_verb() {
            let url = service.url(&format!("/api/v1/sandboxes/{id}{below}"));
            let (status, problem) =
                told(service.client.request(method.clone(), url).json(&body)).await;
            assert_eq!(status, 404, "{method} {id}{below}: {problem}");
        }
    }
    let api = told(service.client.get(service.url("/openapi.json")))
        .await
        .1;
    for (method, below, _) in every_verb() {
        let below = below.split('?').next().unwrap().replace('1', "{process}");
        let path = &api["paths"][format!("/api/v1/sandboxes/{{id}}{below}")];
        let operation = &path[method.as_str().to_ascii_lowercase()];
        assert_eq!(operation["tags"], json!(["sandboxes"]), "{method} {below}");
    }
    service.end().await;
}

#[tokio::test]
async fn a_wrong_sandbox_is_refused_by_the_name_of_its_field() {
    let service = lab::start().await;
    let long = "x".repeat(257);
    for (body, field) in [
        (json!({"language": "cobol"}), "language"),
        (json!({"timeout": 0}), "timeout"),
        (json!({"timeout": 3601}), "timeout"),
        (json!({"idle_timeout": -1}), "idle_timeout"),
        (json!({"idle_timeout": 1e9}), "idle_timeout"),
        (json!({"env": {"1": "x"}}), "env"),
        (json!({"env": {"A": "a\u{0}"}}), "env"),
        (json!({"metadata": {"a": 1}}), "metadata.a"),
        (json!({"metadata": {"a": long}}), "metadata"),
        (json!({"limits": {"memory_mib": 1}}), "limits.memory_mib"),
        (json!({"limits": {"vcpus": 99}}), "limits.vcpus"),
        (json!({"limits": {"pids": 0}}), "limits.pids"),
        (
            json!({"limits": {"file_size_bytes": 0}}),
            "limits.file_size_bytes",
        ),
        (json!({"limits": {"pages": 1}}), "pages"),
        (json!({"code": "x"}), "code"),
    ] {
        let (status, problem) = told(service.post("/api/v1/sandboxes", &body)).await;
        let seen = problem["field"].as_str().unwrap_or_default();
        assert_eq!(
            (status, seen.ends_with(field)),
            (400, true),
            "{body}: {problem}"
        );
    }
    let url = service.url("/api/v1/sandboxes");
    let text = service.client.post(&url).body("{}");
    assert_eq!(told(text).await.0, 415);
    let foreign = service.post("/api/v1/sandboxes", &json!({}));
    let foreign = foreign.header("origin", "https://evil.example");
    assert_eq!(told(foreign).await.1["code"], "host_not_allowed");
    service.end().await;
}

#[tokio::test]
async fn a_wrong_process_or_path_is_refused_and_nothing_of_it_runs() {
    let Some(desk) = Desk::open("bash").await else {
        return;
    };
    let long = format!("/{}", "x".repeat(4096));
    for (body, status, code, field) in [
        (json!({}), 400, "field_invalid", "cmd"),
        (
            json!({"cmd": "a", "argv": ["a"]}),
            400,
            "field_invalid",
            "argv",
        ),
        (json!({"argv": []}), 400, "field_invalid", "argv"),
        (json!({"cmd": ""}), 400, "code_empty", "cmd"),
        (json!({"cmd": "a\u{0}b"}), 400, "args_invalid", "cmd"),
        (
            json!({"argv": ["a", "x".repeat(1 << 17)]}),
            400,
            "args_invalid",
            "argv",
        ),
        (
            json!({"cmd": "a", "cwd": "work"}),
            400,
            "field_invalid",
            "cwd",
        ),
        (
            json!({"cmd": "a", "cwd": long}),
            400,
            "field_invalid",
            "cwd",
        ),
        (
            json!({"cmd": "a", "env": {"A-B": ""}}),
            400,
            "env_invalid",
            "env",
        ),
        (
            json!({"cmd": "a", "pty": {"rows": 0, "columns": 80}}),
            400,
            "field_invalid",
            "pty",
        ),
        (
            json!({"cmd": "a", "stdin": "x"}),
            400,
            "field_invalid",
            "stdin",
        ),
        (
            json!({"cmd": "a", "kept_bytes": 1u64 << 40}),
            400,
            "field_invalid",
            "kept_bytes",
        ),
        (
            json!({"cmd": "a", "limits": {"timeout": 0}}),
            400,
            "field_invalid",
            "limits.timeout",
        ),
        (
            json!({"cmd": "a", "limits": {"memory_mib": 1 << 20}}),
            400,
            "memory_invalid",
            "limits.memory_mib",
        ),
        (
            json!({"cmd": "a", "limits": {"pids": 1 << 20}}),
            400,
            "limit_invalid",
            "limits.pids",
        ),
        (
            json!({"cmd": "a", "on_disconnect": "x"}),
            400,
            "field_invalid",
            "on_disconnect",
        ),
        (
            json!({"argv": ["no-such-program"]}),
            422,
            "process_not_started",
            "",
        ),
        (json!({"argv": ["/work"]}), 422, "process_not_started", ""),
        (
            json!({"cmd": "true", "cwd": "/no/such/folder"}),
            422,
            "process_not_started",
            "",
        ),
    ] {
        let (seen, problem) = desk.post("/processes", &body).await;
        let named = problem["field"].as_str().unwrap_or_default();
        assert_eq!(
            (seen, &problem["code"], named),
            (status, &code.into(), field),
            "{body:.90}: {problem}"
        );
    }
    assert_eq!(desk.get("/processes").await, (200, json!([])));
    for (method, below, status, field) in [
        (Method::GET, "/files", 400, "path"),
        (Method::GET, "/files?path=work", 400, "path"),
        (Method::GET, "/files?path=/a%00b", 400, "path"),
        (Method::PUT, "/files?path=x", 400, "path"),
        (Method::DELETE, "/files?path=", 400, "path"),
        (Method::GET, "/entries?path=/work&depth=0", 400, "depth"),
        (Method::GET, "/entries?path=/work&depth=33", 400, "depth"),
        (Method::GET, "/entries/stat?path=~", 400, "path"),
        (Method::GET, "/processes/1/output?from=x", 404, ""),
        (Method::GET, "/processes/1", 404, ""),
        (Method::GET, "/processes/x", 404, ""),
        (Method::GET, "/processes/-1", 404, ""),
        (Method::POST, "/processes/4294967296/stdin", 404, ""),
    ] {
        let (seen, problem) = told(desk.request(method.clone(), below)).await;
        let named = problem["field"].as_str().unwrap_or_default();
        assert_eq!(
            (seen, named),
            (status, field),
            "{method} {below}: {problem}"
        );
    }
    desk.end().await;
}
