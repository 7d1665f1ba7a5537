//! Sessions over HTTP: whose they are, how they end, what goes in and out.

use crate::lab::{self, answer};
use serde_json::json;
use server::keys::file::Scope;

#[tokio::test]
async fn a_key_reaches_its_own_sessions_only_and_bounds_hold() {
    if !lab::can_run("python") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut config = lab::server_config();
    config.key_defaults.sessions = 1;
    let execute: &[Scope] = &[Scope::Execute];
    let (service, keys) = lab::start_with_keys(dir.path(), config, &[execute, execute]).await;
    let create = |key: &str| {
        service
            .post("/api/v1/sessions", &json!({"language": "python"}))
            .bearer_auth(key)
    };
    let (status, session) = answer(create(&keys[0])).await;
    assert_eq!(status, 201, "{session}");
    let id = session["id"].as_str().unwrap();
    let (status, problem) = answer(create(&keys[0])).await;
    assert_eq!(
        (status, &problem["code"]),
        (429, &"too_many_sessions".into())
    );
    let path = format!("/api/v1/sessions/{id}");
    let other = service
        .client
        .delete(service.url(&path))
        .bearer_auth(&keys[1]);
    assert_eq!(answer(other).await.0, 404);
    let (_, list) = answer(
        service
            .client
            .get(service.url("/api/v1/sessions"))
            .bearer_auth(&keys[1]),
    )
    .await;
    assert_eq!(list, json!([]));
    let own = service
        .client
        .delete(service.url(&path))
        .bearer_auth(&keys[0])
        .send()
        .await
        .unwrap();
    assert_eq!(own.status(), 204);
    let again = service
        .client
        .delete(service.url(&path))
        .bearer_auth(&keys[0]);
    assert_eq!(answer(again).await.0, 404);
    service.end().await;
}

#[tokio::test]
async fn an_idle_session_ends_by_itself() {
    if !lab::can_run("bash") {
        return;
    }
    let service = lab::start().await;
    let body = json!({"language": "bash", "idle_timeout": 0.5});
    let (status, session) = answer(service.post("/api/v1/sessions", &body)).await;
    assert_eq!(status, 201, "{session}");
    let ended = || service.feed.events(1)[0].details.contains("session ended");
    lab::until(std::time::Duration::from_secs(5), "the session ends", ended).await;
    service.end().await;
}

#[tokio::test]
async fn wrong_times_and_paths_are_named() {
    let service = lab::start().await;
    let body = json!({"language": "python", "timeout": 1e9});
    let (status, problem) = answer(service.post("/api/v1/sessions", &body)).await;
    assert_eq!((status, &problem["field"]), (400, &"timeout".into()));
    let upload = service.post(
        "/api/v1/sessions/x/files",
        &json!({"path": "../x", "content": ""}),
    );
    let (status, problem) = answer(upload).await;
    assert_eq!((status, &problem["field"]), (400, &"path".into()));
    let get = service
        .client
        .get(service.url("/api/v1/sessions/x/files/content?path=/etc/passwd"));
    assert_eq!(answer(get).await.0, 400);
    let get = service
        .client
        .get(service.url("/api/v1/sessions/x/files/content?path=a"));
    assert_eq!(answer(get).await.0, 404);
    service.end().await;
}
