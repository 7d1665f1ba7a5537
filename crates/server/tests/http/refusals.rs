//! Requests that are refused before any VM is thought of: status, code, field; and their events.

use crate::lab;
use protocol::event::EventType;
use serde_json::{Value, json};

/// Body → status, code, field.
fn table() -> Vec<(Value, u16, &'static str, &'static str)> {
    let with = |name: &str, value: Value| {
        let mut body = json!({"language": "python", "code": "print(1)"});
        body[name] = value;
        body
    };
    vec![
        (json!({"code": "x"}), 400, "language_unknown", "language"),
        (json!({"language": "python"}), 400, "field_invalid", "code"),
        (json!([]), 400, "field_invalid", ""),
        (
            with("language", json!("cobol")),
            400,
            "language_unknown",
            "language",
        ),
        (
            with("lang", json!("python")),
            400,
            "language_unknown",
            "lang",
        ),
        (with("code", json!("")), 400, "code_empty", "code"),
        (with("code", json!(7)), 400, "field_invalid", "code"),
        (
            with("code", json!("x".repeat(1_048_577))),
            413,
            "code_too_large",
            "code",
        ),
        (with("timeout", json!(0)), 400, "timeout_invalid", "timeout"),
        (
            with("timeout", json!(301)),
            400,
            "timeout_invalid",
            "timeout",
        ),
        (
            with("timeout", json!("5")),
            400,
            "timeout_invalid",
            "timeout",
        ),
        (
            with("memory_mib", json!(1)),
            400,
            "memory_invalid",
            "memory_mib",
        ),
        (
            with("memory_mib", json!(-1)),
            400,
            "memory_invalid",
            "memory_mib",
        ),
        (with("vcpus", json!(99)), 400, "vcpus_invalid", "vcpus"),
        (with("pids", json!(0)), 400, "limit_invalid", "pids"),
        (
            with("trace_id", json!("../../x")),
            400,
            "trace_id_invalid",
            "trace_id",
        ),
        (with("args", json!(["a\u{0}"])), 400, "args_invalid", "args"),
        (with("env", json!({"A=B": "x"})), 400, "env_invalid", "env"),
        (
            with("files", json!([{"path": "../x", "content": ""}])),
            400,
            "files_invalid",
            "files",
        ),
        (
            with("files", json!([{"path": "x", "data": "%"}])),
            400,
            "files_invalid",
            "files",
        ),
        (
            with("normalize_time", json!(0)),
            400,
            "limit_invalid",
            "normalize_time",
        ),
        (with("timeuot", json!(1)), 400, "field_invalid", "timeuot"),
        // `null` is as absent: what is wrong is what comes after it.
        (
            json!({"language": "cobol", "code": "x", "args": null, "env": null, "files": null, "fresh_interpreter": null}),
            400,
            "language_unknown",
            "language",
        ),
    ]
}

#[tokio::test]
async fn each_wrong_field_is_named_with_a_stable_code() {
    let service = lab::start().await;
    for (body, status, code, field) in table() {
        let request = service.post("/api/v1/execute", &body);
        let response = request.send().await.unwrap();
        let shown = body.to_string().chars().take(80).collect::<String>();
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json"
        );
        assert_eq!(response.status(), status, "{shown}");
        let problem: Value = response.json().await.unwrap();
        assert_eq!(problem["code"], code, "{shown}: {problem}");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["field"].as_str().unwrap_or(""), field, "{shown}");
    }
    // Each left exactly one event.
    let events = service.feed.events(1000);
    let failures = events
        .iter()
        .filter(|e| e.event_type == EventType::ValidationFail);
    assert_eq!(failures.count(), table().len());
    service.end().await;
}

#[tokio::test]
async fn what_is_no_json_or_no_route_is_said_so() {
    let service = lab::start().await;
    let post = |content_type: &'static str, body: &'static str| {
        service
            .client
            .post(service.url("/api/v1/execute"))
            .header("content-type", content_type)
            .body(body)
    };
    for (request, status, code) in [
        (post("text/plain", "{}"), 415, "media_type_unsupported"),
        (post("application/json", "{"), 400, "json_invalid"),
        (
            post("application/json; charset=utf-8", "nul"),
            400,
            "json_invalid",
        ),
        (
            service.client.get(service.url("/nothing")),
            404,
            "not_found",
        ),
        (
            service.client.get(service.url("/api/v1/execute")),
            405,
            "method_not_allowed",
        ),
        (
            service.client.delete(service.url("/healthz")),
            405,
            "method_not_allowed",
        ),
        (
            service.client.get(service.url("/api/v1/events?limit=x")),
            400,
            "field_invalid",
        ),
        (
            service.client.get(service.url("/api/v1/events?limit=1001")),
            400,
            "field_invalid",
        ),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{code}");
        let allow = response.headers().get("allow").cloned();
        let problem: Value = response.json().await.unwrap();
        assert_eq!(problem["code"], code);
        if status == 405 {
            let detail = problem["detail"].as_str().unwrap();
            for method in allow.unwrap().to_str().unwrap().split(',') {
                assert!(detail.contains(method.trim()), "{detail}");
            }
        }
    }
    service.end().await;
}

#[tokio::test]
async fn a_dangerous_pattern_is_refused_where_the_operator_says_so() {
    let mut config = lab::sandbox_config();
    config.scan.mode = protocol::job::ScanMode::Block;
    let service = lab::start_with(config, lab::server_config()).await;
    let body = json!({"lang": "bash", "code": ":(){ :|:& };:", "trace_id": "bomb-1"});
    let (status, problem) = service.execute(&body).await;
    assert_eq!((status, &problem["code"]), (400, &"pattern_blocked".into()));
    assert_eq!(problem["trace_id"], "bomb-1");
    let types = service.event_types();
    assert_eq!(
        types,
        [EventType::DangerousPattern, EventType::ValidationFail]
    );
    service.end().await;
}

#[tokio::test]
async fn a_host_without_images_says_so_and_nothing_of_its_inside() {
    let empty = tempfile::tempdir().unwrap();
    let service = lab::start_in(empty.path()).await;
    let body = json!({"lang": "python", "code": "print(1)"});
    let (status, problem) = service.execute(&body).await;
    assert_eq!((status, &problem["code"]), (422, &"image_missing".into()));
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.ends_with("llm-firecracker images build python"),
        "{detail}"
    );
    // It is no failure of the sandbox.
    let metrics = service.get("/metrics").await.text().await.unwrap();
    for line in [
        "jobs_total{status=\"rejected\"} 1",
        "jobs_total{status=\"internal\"} 0",
    ] {
        assert!(
            metrics.lines().any(|own| own == line),
            "{line} in\n{metrics}"
        );
    }
    let text = problem.to_string();
    assert!(!text.contains(empty.path().to_str().unwrap()), "{text}");
    assert!(problem["trace_id"].is_string());
    let (_, events) = lab::answer(service.client.get(service.url("/api/v1/events"))).await;
    assert!(
        !events.to_string().contains(empty.path().to_str().unwrap()),
        "{events}"
    );
    service.end().await;
}

/// Files that a job's own disk has no room for: the agent says so, and that is the client's mistake, not a
/// guest that broke its protocol.
#[tokio::test]
async fn files_that_find_no_room_in_the_vm_are_a_refusal_too() {
    if !lab::can_run("bash") {
        return;
    }
    let mut config = lab::sandbox_config();
    config.limits.defaults.tmpfs_mib = 1;
    let service = lab::start_with(config, lab::server_config()).await;
    let file = |path: &str, bytes: usize| json!({"path": path, "content": "x".repeat(bytes)});
    let mut body = json!({"language": "bash", "code": "ls", "files": [file("large", 1_500_000)]});
    let (status, problem) = service.execute(&body).await;
    assert_eq!(
        (status, &problem["code"], &problem["field"]),
        (400, &"files_invalid".into(), &"files".into()),
        "{problem}"
    );
    body["files"] = json!([file("small", 500_000)]);
    let (_, result) = service.execute(&body).await;
    assert_eq!(result["status"], "ok", "{result}");
    service.end().await;
}
