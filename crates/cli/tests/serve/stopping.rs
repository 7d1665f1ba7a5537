//! SIGTERM: what runs may end, nothing new is taken, nothing is left.

use crate::lab;
use crate::service::{Service, tool, until};
use rustix::process::Signal;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_lets_a_running_job_end_and_leaves_nothing() {
    let _alone = lab::alone().await;
    if !lab::can_run("bash") {
        return;
    }
    let service = Service::start("stopping", "");
    // The log outlives a run of these tests: its records are told apart by the process.
    let trace_id = format!("drained-{}", std::process::id());
    let body = json!({"lang": "bash", "code": "sleep 2; echo done", "trace_id": trace_id});
    let job = tokio::spawn(service.post("/api/v1/execute", &body).send());
    until("the job runs", async || {
        service.json("/api/v1/status").await["jobs"][0]["status"] == "running"
    })
    .await;
    service.signal(Signal::TERM);
    let answer = job.await.unwrap().unwrap();
    assert_eq!(answer.status(), 200);
    let result: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(result["stdout"], "done\n");
    let base = service.base.clone();
    let config = service.config.clone();
    let (status, log) = service.wait();
    assert!(status.success(), "{status}: {log}");
    assert!(reqwest::get(format!("{base}/healthz")).await.is_err());
    assert_eq!(crate::leftovers::leftovers(), Vec::<String>::new());
    // What the log says is on disk, and whole.
    let verified = tool(&config).args(["events", "verify"]).output().unwrap();
    assert!(verified.status.success(), "{verified:?}");
    let found = tool(&config)
        .args(["events", "query", "--trace-id", &trace_id])
        .output()
        .unwrap();
    let events = String::from_utf8(found.stdout).unwrap();
    assert_eq!(events.lines().count(), 2, "{events}");
    assert!(events.contains("VM_START") && events.contains("VM_STOP"));
}

#[tokio::test]
async fn a_second_service_on_the_same_state_is_refused() {
    let _alone = lab::alone().await;
    let service = Service::start("stopping", "");
    let second = tool(&service.config)
        .args(["serve", "--listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(said.contains("serves one at a time"), "{said}");
    service.stop();
}

#[tokio::test]
async fn a_public_address_without_keys_is_refused() {
    let _alone = lab::alone().await;
    let config = lab::config_file("public", "");
    let done = tool(&config)
        .args(["serve", "--listen", "0.0.0.0:0"])
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(1));
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(said.contains("keys"), "{said}");
}
