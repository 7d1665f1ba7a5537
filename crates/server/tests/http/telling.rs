//! What the event log hears of requests that came to nothing.

use crate::lab::{self, answer};
use protocol::event::EventType;
use serde_json::json;
use server::keys::file::Scope;

#[tokio::test]
async fn no_event_of_a_refusal_shows_what_the_client_sent() {
    let service = lab::start().await;
    const SECRET: &str = "hunter2";
    let with = |name: &str, value: serde_json::Value| {
        let mut body = json!({"language": "bash", "code": "x"});
        body[name] = value;
        body
    };
    let bodies = [
        with("env", json!("DB_PASSWORD=hunter2")),
        with("env", json!({"A=hunter2": ""})),
        with("env", json!({"hunter2": 7})),
        with("args", json!(["hunter2\u{0}"])),
        with("files", json!([{"path": "/hunter2", "content": ""}])),
        with("files", json!([{"path": "hunter2", "data": "%"}])),
        with("language", json!("hunter2")),
        with("trace_id", json!("/hunter2")),
        with("hunter2", json!(1)),
    ];
    for body in &bodies {
        let (status, problem) = service.execute(body).await;
        assert_eq!(status, 400);
        // Its own client is told.
        assert!(
            problem.to_string().contains(SECRET) || body["env"].is_object(),
            "{problem}"
        );
    }
    let piston = json!({"language": SECRET, "version": SECRET, "files": []});
    answer(service.post("/api/v2/execute", &piston)).await;
    let events = service.feed.events(99);
    assert_eq!(events.len(), bodies.len() + 1);
    for event in events {
        let text = serde_json::to_string(event.as_ref()).unwrap();
        assert!(!text.contains(SECRET), "{text}");
        assert!(event.extra["code"].is_string());
    }
    service.end().await;
}

#[tokio::test]
async fn knocking_without_a_key_does_not_fill_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let (service, _) =
        lab::start_with_keys(dir.path(), lab::server_config(), &[&[Scope::Run]]).await;
    for _ in 0..100 {
        assert_eq!(service.get("/api/v1/languages").await.status(), 401);
    }
    assert_eq!(service.feed.events(999).len(), 1);
    let feed = service.feed.clone();
    service.end().await;
    let events = feed.events(999);
    assert_eq!(events.len(), 2);
    assert_eq!(events[1].extra["count"], 99);
    assert_eq!(events[1].extra["source"], "address 127.0.0.1");
}

#[tokio::test]
async fn a_session_that_does_not_begin_leaves_its_reason() {
    let empty = tempfile::tempdir().unwrap();
    let service = lab::start_in(empty.path()).await;
    let body = json!({"language": "bash"});
    let (status, problem) = answer(service.post("/api/v1/sessions", &body)).await;
    assert_eq!((status, &problem["code"]), (422, &"image_missing".into()));
    let events = service.feed.events(9);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].event_type, EventType::VmStop);
    assert_eq!(events[0].extra["failure"]["code"], "image_missing");
    // No VM came about, so no start is told.
    service
        .execute(&json!({"language": "bash", "code": "x"}))
        .await;
    let types = service.event_types();
    assert_eq!(types, [EventType::VmStop, EventType::VmStop]);
    // And the service says that it is not ready, and why.
    let (status, body) = answer(service.client.get(service.url("/readyz"))).await;
    assert_eq!((status, &body["ready"]), (503, &false.into()));
    let checks = body["checks"].as_array().unwrap();
    let images = checks
        .iter()
        .find(|check| check["name"] == "images")
        .unwrap();
    assert_eq!(images["ok"], false);
    assert!(
        images["fix"].as_str().unwrap().contains("images build"),
        "{images}"
    );
    for check in checks {
        let has_fix = check["fix"].as_str().is_some_and(|fix| !fix.is_empty());
        assert_ne!(has_fix, check["ok"].as_bool().unwrap(), "{check}");
    }
    service.end().await;
}

/// A manifest says that the image is there, and its file is not: what a disk that was full, or a hand, leaves.
#[tokio::test]
async fn a_damaged_image_is_no_readiness() {
    if !lab::can_run("bash") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (real, own) = (lab::state_dir().join("images"), dir.path().join("images"));
    std::fs::create_dir_all(own.join("rootfs")).unwrap();
    for name in ["kernel", "uml", "initramfs"] {
        // Which kernels there are is the engine's matter.
        if real.join(name).exists() {
            std::os::unix::fs::symlink(real.join(name), own.join(name)).unwrap();
        }
    }
    let manifest = "rootfs/bash.json";
    std::fs::copy(real.join(manifest), own.join(manifest)).unwrap();
    let service = lab::start_in(dir.path()).await;
    let job = json!({"language": "bash", "code": "echo"});
    let (status, problem) = service.execute(&job).await;
    assert_eq!((status, &problem["code"]), (503, &"image_damaged".into()));
    let (status, body) = answer(service.client.get(service.url("/readyz"))).await;
    assert_eq!((status, &body["ready"]), (503, &false.into()), "{body}");
    let images = &body["checks"][1];
    assert_eq!(
        (&images["name"], &images["ok"]),
        (&json!("images"), &json!(false))
    );
    let fix = images["fix"].as_str().unwrap();
    assert!(fix.contains("images build bash"), "{images}");
    assert!(
        !body.to_string().contains(dir.path().to_str().unwrap()),
        "{body}"
    );
    service.end().await;
}
