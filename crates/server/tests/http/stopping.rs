//! What happens to jobs when the service stops.

use crate::lab;
use protocol::event::EventType;
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_running_job_ends_well_and_nothing_is_left() {
    if !lab::can_run("bash") {
        return;
    }
    let service = lab::start().await;
    let body = json!({"lang": "bash", "code": "sleep 1; echo done"});
    let job = tokio::spawn(lab::answer(service.post("/api/v1/execute", &body)));
    let started = || !service.feed.events(1).is_empty();
    lab::until(Duration::from_secs(60), "the job has its VM", started).await;
    service.stop.cancel();
    let (status, result) = job.await.unwrap();
    assert_eq!((status, &result["stdout"]), (200, &"done\n".into()));
    let sandbox = service.sandbox.clone();
    service.end().await;
    assert_eq!(sandbox.load(), (0, 0));
}

#[tokio::test]
async fn a_job_that_outstays_the_drain_is_ended_with_its_vm() {
    if !lab::can_run("bash") {
        return;
    }
    let mut config = lab::server_config();
    config.drain_seconds = 1;
    let service = lab::start_with(lab::sandbox_config(), config).await;
    let body = json!({"lang": "bash", "code": "sleep 100", "timeout": 100});
    let job = tokio::spawn(service.post("/api/v1/execute", &body).send());
    let started = || !service.feed.events(1).is_empty();
    lab::until(Duration::from_secs(60), "the job has its VM", started).await;
    let (sandbox, feed) = (service.sandbox.clone(), service.feed.clone());
    let begun = Instant::now();
    service.end().await;
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert!(job.await.unwrap().is_err());
    assert_eq!(sandbox.load(), (0, 0));
    assert_eq!(feed.events(1)[0].event_type, EventType::VmStop);
}
