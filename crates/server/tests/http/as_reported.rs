//! What users of services like this one reported of them, tried here as they wrote it.

use crate::codings::{gzip, post};
use crate::lab::{self, answer};
use serde_json::{Value, json};

const NOTE: &str = "VGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVyIHRoZSBsYXp5IGRvZywgdHdpY2UsIGFuZCBv\nbmNlIG1vcmUgZm9yIGx1Y2su\n";
const SENTENCE: &str =
    "The quick brown fox jumps over the lazy dog, twice, and once more for luck.";

/// serde-rs/json 1170.
#[tokio::test]
async fn a_json_artifact_keeps_its_digits() {
    if !lab::can_run("bash") {
        return;
    }
    let service = lab::start().await;
    const JSON: &str = r#"{"big": 18446744073709551617, "f": 9007199254740991.0}"#;
    let code = format!("mkdir -p out; printf '%s' '{JSON}' > out/r.json");
    let body = json!({"language": "bash", "code": code});
    let request = service.post("/api/v1/execute", &body);
    let text = request.send().await.unwrap().text().await.unwrap();
    let expected = format!("\"data\":{{\"application/json\":{JSON}}}");
    assert!(text.contains(&expected), "{text}");
    service.end().await;
}

/// eclipse-basyx/basyx-go-components 276.
#[tokio::test]
async fn null_is_as_absent() {
    if !lab::can_run("bash") {
        return;
    }
    let service = lab::start().await;
    let body = json!({
        "language": "bash", "code": "echo $#", "args": null, "env": null, "files": null,
        "stdin": null, "timeout": null, "fresh_interpreter": null,
    });
    let (status, result) = service.execute(&body).await;
    assert_eq!(
        (status, &result["stdout"]),
        (200, &"0\n".into()),
        "{result}"
    );
    service.end().await;
}

/// HarperFast/harper 1438.
#[tokio::test]
async fn a_job_may_come_as_gzip() {
    if !lab::can_run("bash") {
        return;
    }
    let service = lab::start().await;
    let body = gzip(br#"{"language":"bash","code":"echo hi"}"#);
    let (status, result) = answer(post(&service, "/api/v1/execute", "gzip", body)).await;
    assert_eq!(
        (status, &result["stdout"]),
        (200, &"hi\n".into()),
        "{result}"
    );
    let body = gzip(br#"{"language":"bash","version":"*","files":[{"content":"echo hi"}]}"#);
    let (status, result) = answer(post(&service, "/api/v2/execute", "gzip", body)).await;
    assert_eq!(
        (status, &result["run"]["stdout"]),
        (200, &"hi\n".into()),
        "{result}"
    );
    service.end().await;
}

/// judge0/judge0 429.
#[tokio::test]
async fn base64_with_line_breaks_is_taken_by_every_door() {
    if !lab::can_run("bash") {
        return;
    }
    let service = lab::start().await;
    let body = json!({"language": "bash", "code": "cat note.txt", "files": [{"path": "note.txt", "data": NOTE}]});
    let (_, result) = service.execute(&body).await;
    assert_eq!(result["stdout"], SENTENCE, "{result}");
    let files = json!([{"content": "cat note.txt"}, {"name": "note.txt", "content": NOTE, "encoding": "base64"}]);
    let body = json!({"language": "bash", "version": "*", "files": files});
    let (_, result) = answer(service.post("/api/v2/execute", &body)).await;
    assert_eq!(result["run"]["stdout"], SENTENCE, "{result}");
    let (_, session) = answer(service.post("/api/v1/sessions", &json!({"language": "bash"}))).await;
    let session = format!("/api/v1/sessions/{}", session["id"].as_str().unwrap());
    // Names as they may be, each written into the address as browsers write it.
    for name in ["note.txt", "a b", "100%", "c#d", "e+f", "g&h=i", "ü/日本"] {
        let body = json!({"path": name, "data": NOTE});
        let (status, file) = answer(service.post(&format!("{session}/files"), &body)).await;
        assert_eq!((status, &file["path"]), (201, &name.into()), "{file}");
        let escaped: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let got = service
            .get(&format!("{session}/files/content?path={escaped}"))
            .await;
        assert_eq!(
            (got.status().as_u16(), got.text().await.unwrap().as_str()),
            (200, SENTENCE),
            "{name}"
        );
        let (_, files) = answer(service.client.get(service.url(&format!("{session}/files")))).await;
        let listed = files
            .as_array()
            .unwrap()
            .iter()
            .any(|file: &Value| file["path"] == name);
        assert!(listed, "{name}: {files}");
    }
    service.end().await;
}

/// What a program in a session came to is told as a job's is.
#[tokio::test]
async fn a_sessions_programs_leave_the_events_of_jobs() {
    if !lab::can_run("bash") {
        return;
    }
    let service = lab::start().await;
    let (_, session) = answer(service.post("/api/v1/sessions", &json!({"language": "bash"}))).await;
    let path = format!(
        "/api/v1/sessions/{}/execute",
        session["id"].as_str().unwrap()
    );
    let cell = json!({"code": "sleep 30", "timeout": 0.5, "env": null, "trace_id": "the-cell"});
    let (status, cell) = answer(service.post(&path, &cell)).await;
    assert_eq!(
        (status, &cell["status"]),
        (200, &"timeout".into()),
        "{cell}"
    );
    let of_cell = |event: &std::sync::Arc<protocol::event::Event>| {
        event
            .trace_id
            .as_ref()
            .is_some_and(|id| id.as_str() == "the-cell")
    };
    let events = service.feed.events(99);
    let types: Vec<String> = events
        .iter()
        .filter(|event| of_cell(event))
        .map(|event| {
            serde_json::to_value(event.event_type)
                .unwrap()
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(types, ["VM_START", "VM_TIMEOUT"]);
    service.end().await;
}
