//! Whoever goes takes the VM along: within a second neither its process nor its folder is there.

use crate::lab;
use crate::leftovers::{NO_STANDBY, leftovers};
use crate::service::{Service, until};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// From the client's end to that of its VM, as the service's specification has it.
const GONE_WITHIN: Duration = Duration::from_secs(1);

fn long() -> Value {
    let code = "echo up; sleep 100";
    json!({"lang": "bash", "code": code, "timeout": 110})
}

/// Waits until nothing of a VM is left; fails when that took longer than [`GONE_WITHIN`].
async fn vm_goes(who: &str) {
    let begun = Instant::now();
    until("the VM is gone", async || leftovers().is_empty()).await;
    let took = begun.elapsed();
    println!("{who}: the VM was gone after {took:?}");
    assert!(took <= GONE_WITHIN, "{who}: {took:?}");
}

async fn vm_is_there() {
    until("a VM is there", async || {
        let of_vm = |own: &String| own.starts_with("process");
        leftovers().iter().any(of_vm)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_takes_its_vm_with_it() {
    let _alone = lab::alone().await;
    if !lab::can_run("bash") {
        return;
    }
    let service = Service::start("gone", NO_STANDBY);
    // So that no snapshot is being made meanwhile.
    let (status, _) = service
        .execute(&json!({"lang": "bash", "code": "echo"}))
        .await;
    assert_eq!(status, 200);
    until("its VM is gone", async || leftovers().is_empty()).await;

    let request = service
        .post("/api/v1/execute", &long())
        .header("accept", "text/event-stream");
    let mut stream = request.send().await.unwrap();
    let mut seen = Vec::new();
    while !seen.windows(2).any(|pair| pair == b"up") {
        seen.extend(stream.chunk().await.unwrap().unwrap());
    }
    drop(stream);
    vm_goes("a client that reads events").await;

    // While its VM is on its way, or the program runs.
    let waiting = tokio::spawn(service.post("/api/v1/execute", &long()).send());
    vm_is_there().await;
    waiting.abort();
    vm_goes("a client that waits for one answer").await;

    let id = session(&service, json!({})).await;
    let cell = tokio::spawn(cell(&service, &id).send());
    at_work(&service).await;
    cell.abort();
    vm_goes("a session's client").await;
    assert_eq!(service.json("/api/v1/sessions").await, json!([]));
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_while_it_is_at_work_is_ended_with_its_vm() {
    let _alone = lab::alone().await;
    if !lab::can_run("bash") {
        return;
    }
    let service = Service::start("gone", NO_STANDBY);
    let id = session(&service, json!({})).await;
    let running = tokio::spawn(cell(&service, &id).send());
    at_work(&service).await;
    let path = format!("{}/api/v1/sessions/{id}", service.base);
    let deleted = service.client.delete(path).send().await.unwrap();
    assert_eq!(deleted.status(), 204);
    vm_goes("a session that was deleted").await;
    is_told_so(running).await;

    // Its whole time ends while the program still has some of its own.
    let id = session(&service, json!({"timeout": 6})).await;
    let running = cell(&service, &id).send();
    is_told_so(tokio::spawn(running)).await;
    vm_goes("a session whose time is up").await;
    service.stop();
}

async fn session(service: &Service, mut body: Value) -> String {
    body["language"] = "bash".into();
    let made = service.post("/api/v1/sessions", &body).send().await;
    let made: Value = made.unwrap().json().await.unwrap();
    made["id"].as_str().unwrap().to_owned()
}

fn cell(service: &Service, id: &str) -> reqwest::RequestBuilder {
    let body = json!({"code": "sleep 100", "timeout": 110});
    service.post(&format!("/api/v1/sessions/{id}/execute"), &body)
}

async fn at_work(service: &Service) {
    until("the session's program has its turn", async || {
        service.json("/api/v1/status").await["running"] == 1
    })
    .await;
}

async fn is_told_so(running: tokio::task::JoinHandle<reqwest::Result<reqwest::Response>>) {
    let answer = running.await.unwrap().unwrap();
    assert_eq!(answer.status(), 404);
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], "session_not_found");
}
