//! What the service tells besides its answers: events in every sink that is configured, the
//! doctor's table.

use crate::lab;
use crate::service::{Service, tool};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn an_event_reaches_the_feed_the_audit_log_the_file_and_standard_error() {
    let _alone = lab::alone().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("events.jsonl");
    let more = format!("[events]\nfile = {file:?}\nstderr = true\n[audit]\nsegment_bytes = 4096\n");
    let service = Service::start("telling", &more);
    let trace_id = format!("told-{}", service.pid());
    let body = json!({"lang": "python", "code": "1", "timeout": 0, "trace_id": trace_id});
    let (status, problem) = service.execute(&body).await;
    assert_eq!((status, &problem["code"]), (400, &"timeout_invalid".into()));
    let feed = service.json("/api/v1/events").await;
    let of = |events: &[Value]| {
        let own = events.iter().filter(|event| event["trace_id"] == trace_id);
        own.count()
    };
    assert_eq!(of(feed.as_array().unwrap()), 1, "{feed}");
    let config = service.config.clone();
    let log = service.stop();
    let lines = |text: &str| -> Vec<Value> {
        let events = text.lines().filter(|line| line.starts_with('{'));
        events
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    assert_eq!(of(&lines(&log)), 1, "{log}");
    assert_eq!(of(&lines(&std::fs::read_to_string(file).unwrap())), 1);
    let query = ["events", "query", "--trace-id", &trace_id];
    let found = tool(&config).args(query).output().unwrap();
    let found = String::from_utf8(found.stdout).unwrap();
    assert_eq!(found.lines().count(), 1, "{found}");
    assert!(found.contains("VALIDATION_FAIL"), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctors_table_is_there_with_its_remedies() {
    let _alone = lab::alone().await;
    let service = Service::start("telling", "");
    let table = service.json("/api/v1/doctor").await;
    let checks = table["checks"].as_array().unwrap();
    assert!(checks.len() > 20, "{table}");
    for check in checks {
        let status = check["status"].as_str().unwrap();
        assert!(["pass", "warn", "fail"].contains(&status), "{check}");
        for field in ["id", "seen", "why", "fix"] {
            assert!(check[field].is_string(), "{check}");
        }
    }
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_made_and_revoked_by_command_count_while_it_runs() {
    let _alone = lab::alone().await;
    let dir = tempfile::tempdir().unwrap();
    let keys_file = dir.path().join("keys.json");
    let service = Service::start("keys", &format!("[server]\nkeys_file = {keys_file:?}\n"));
    let keys = |args: &[&str]| {
        let done = tool(&service.config).arg("keys").args(args).output();
        let done = done.unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    };
    let status = async |key: &str| {
        let languages = format!("{}/api/v1/languages", service.base);
        let request = service.client.get(languages).bearer_auth(key);
        request.send().await.unwrap().status().as_u16()
    };
    let key = keys(&["add", "somebody"]);
    crate::service::until("the key counts", async || {
        status(&key).await == 200 && status("llmfc_no_key").await == 401
    })
    .await;
    let listed: Value = serde_json::from_str(&keys(&["list", "--json"])).unwrap();
    assert!(!listed.to_string().contains(key.rsplit('_').next().unwrap()));
    let id = listed["keys"][0]["id"].as_str().unwrap();
    keys(&["revoke", id]);
    crate::service::until("the key does not count", async || status(&key).await == 401).await;
    service.stop();
}
