//! Pauses, snapshots and forks, by E2B's own client, unchanged. The tests themselves are in `tests/clients/e2b_pause`. Where
//! jobs get User-Mode Linux, one of them asks for QEMU by itself; the long ones run where jobs get an engine that can save VMs
//! (`LLM_FIRECRACKER_ENGINE=qemu`).

use crate::e2b::{against, client, repository};
use crate::lab;
use crate::service::Service;
use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;

const CLIENT: &str = "e2b-2.63.0";
const CODE_CLIENT: &str = "e2b-code-2.11.5";
/// As many sandboxes as the tests have at one time; emulated, each is slow.
const SESSIONS: &str = "sessions = 8\n";
/// The smallest image, where nothing else is asked for.
const TEMPLATE: &str = "python";

fn python(file: &str) -> Option<Command> {
    let client_of = match file {
        "test_contexts.py" => CODE_CLIENT,
        _ => CLIENT,
    };
    let mut python = Command::new(client(client_of)?.join("bin/python"));
    python
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("E2B_TEST_TEMPLATE", TEMPLATE);
    if file.starts_with("test_") {
        python.args([
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--timeout=300",
        ]);
    }
    python.arg(repository().join("tests/clients/e2b_pause").join(file));
    Some(python)
}

/// A service on this engine; on the one that jobs get where none is named.
fn on(name: &str, engine: Option<&str>) -> Service {
    with_room(name, SESSIONS, engine)
}

/// The same with so much room for sandboxes, and for requests as fast as they come.
fn with_room(name: &str, sessions: &str, engine: Option<&str>) -> Service {
    let env = engine.map(|engine| ("LLM_FIRECRACKER_ENGINE", engine));
    let env: Vec<(&str, &str)> = env.into_iter().collect();
    let rates = "requests_per_second = 500.0\nburst = 5000\n";
    Service::start_with(
        name,
        &format!("[server.key_defaults]\n{sessions}{rates}"),
        &env,
    )
}

/// Status and message of an answer.
async fn asked(service: &Service, path: &str, body: &Value) -> (u16, Value) {
    let answer = service
        .post(path, body)
        .header("x-api-key", "e2b_0")
        .send()
        .await
        .unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or_default())
}

/// The name of a new sandbox.
async fn created(service: &Service) -> String {
    let body = json!({"templateID": TEMPLATE, "timeout": 60});
    let (status, sandbox) = asked(service, "/v2/sandboxes", &body).await;
    assert_eq!(status, 201, "{sandbox}");
    sandbox["sandboxID"].as_str().unwrap().to_owned()
}

async fn killed(service: &Service, id: &str) {
    let url = format!("{}/sandboxes/{id}", service.base);
    let ended = service.client.delete(url).header("x-api-key", "e2b_0");
    assert_eq!(ended.send().await.unwrap().status(), 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_engine_cannot_do_is_refused_with_its_reason() {
    let _alone = lab::alone().await;
    if !lab::can_run(TEMPLATE) {
        return;
    }
    let service = on("e2b-no-pause", None);
    let id = created(&service).await;
    let (status, answer) = asked(&service, &format!("/sandboxes/{id}/pause"), &json!({})).await;
    if status == 204 {
        killed(&service, &id).await;
        println!("jobs get an engine that can: nothing is refused");
        return;
    }
    for (path, body) in [
        (format!("/sandboxes/{id}/pause"), json!({})),
        (format!("/sandboxes/{id}/snapshots"), json!({})),
        (format!("/sandboxes/{id}/fork"), json!({"count": 2})),
        (
            "/v2/sandboxes".to_owned(),
            json!({"templateID": TEMPLATE, "autoPause": true}),
        ),
    ] {
        let (status, answer) = asked(&service, &path, &body).await;
        let message = answer["message"].as_str().unwrap_or_default();
        assert!(
            status == 400 && message.contains("User-Mode Linux has no snapshots"),
            "{path}: {status} {answer}"
        );
    }
    assert_eq!(answer["code"], 400);
    // It runs on.
    let (status, _) = asked(
        &service,
        &format!("/sandboxes/{id}/timeout"),
        &json!({"timeout": 60}),
    )
    .await;
    assert_eq!(status, 204);
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_sandbox_outlives_the_service_and_damage_is_told() {
    let _alone = lab::alone().await;
    let Some(mut before) = python("restart.py") else {
        return;
    };
    if !lab::can_run(TEMPLATE) {
        return;
    }
    let service = on("e2b-pause", Some("qemu"));
    let said = against(&service, {
        before.args(["before", TEMPLATE]);
        before
    });
    let (id, pid): (String, u32) = serde_json::from_str(&said).unwrap();
    service.stop();
    // One place: a paused sandbox has none, and gets one again as a new one does.
    let service = with_room("e2b-pause", "sessions = 1\n", Some("qemu"));
    let stream = lab::state_dir().join("saved").join(&id).join("stream");
    let whole = std::fs::read(&stream).unwrap();
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    std::fs::write(&stream, &damaged).unwrap();
    let path = format!("/v2/sandboxes/{id}/connect");
    let (status, answer) = asked(&service, &path, &json!({"timeout": 60})).await;
    let message = answer["message"].as_str().unwrap_or_default();
    assert!(
        status == 422 && message.contains("damaged"),
        "{status} {answer}"
    );
    std::fs::write(&stream, &whole).unwrap();
    let other = created(&service).await;
    let (status, answer) = asked(&service, &path, &json!({"timeout": 60})).await;
    assert_eq!(status, 429, "{answer}");
    killed(&service, &other).await;
    let Some(mut after) = python("restart.py") else {
        return;
    };
    after.args(["after", &id, &pid.to_string()]);
    assert_eq!(against(&service, after).trim(), "it went on");
    assert!(!stream.exists());
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn pauses_snapshots_and_forks_are_as_e2bs() {
    let _alone = lab::alone().await;
    if std::env::var("LLM_FIRECRACKER_ENGINE").is_ok_and(|engine| engine == "uml")
        || std::env::var("LLM_FIRECRACKER_ENGINE").is_err()
    {
        println!("of engines that can save VMs: LLM_FIRECRACKER_ENGINE=qemu");
        return;
    }
    if !lab::can_run(TEMPLATE) {
        return;
    }
    let Some(pytest) = python("test_pause.py") else {
        return;
    };
    let service = on("e2b-pauses", None);
    println!("{}", against(&service, pytest));
    if let Some(contexts) = python("test_contexts.py") {
        println!("{}", against(&service, contexts));
    }
    let left = std::fs::read_dir(lab::state_dir().join("saved"))
        .unwrap()
        .count();
    assert_eq!(left, 0, "files of sandboxes that are gone");
    tokio::time::timeout(Duration::from_secs(60), async { service.stop() })
        .await
        .unwrap();
}
