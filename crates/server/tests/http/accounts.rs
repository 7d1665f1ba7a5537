//! What each key did, and who is told of it: jobs with their results, usage, events, history.

use crate::lab::{self, Service, answer};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use server::keys::file::{Scope, parts};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(90);

/// A service with a key of each kind.
struct Desk {
    service: Service,
    keys: Vec<String>,
}

const ONE: usize = 0;
const TWO: usize = 1;
const OBSERVER: usize = 2;
const ADMIN: usize = 3;
const SCOPES: &[&[Scope]] = &[
    &[Scope::Run],
    &[Scope::Run],
    &[Scope::Observe],
    &[Scope::Admin],
];

impl Desk {
    fn get(&self, key: usize, path: &str) -> RequestBuilder {
        let request = self.service.client.get(self.service.url(path));
        request.bearer_auth(&self.keys[key])
    }

    async fn told(&self, key: usize, path: &str) -> (u16, Value) {
        answer(self.get(key, path)).await
    }

    fn post(&self, key: usize, path: &str, body: &Value) -> RequestBuilder {
        self.service.post(path, body).bearer_auth(&self.keys[key])
    }

    /// A key's public part.
    fn id(&self, key: usize) -> &str {
        parts(&self.keys[key]).unwrap().0
    }

    async fn jobs(&self, key: usize) -> Vec<Value> {
        let (status, rows) = self.told(key, "/api/v1/jobs").await;
        assert_eq!(status, 200, "{rows}");
        rows.as_array().unwrap().clone()
    }

    /// What a key used, as it is told itself.
    async fn usage(&self, key: usize) -> Value {
        let (status, usage) = self.told(key, "/api/v1/usage?since=1d").await;
        assert_eq!(status, 200, "{usage}");
        assert_eq!(usage["keys"].as_array().unwrap().len(), 1, "{usage}");
        assert_eq!(usage["keys"][0]["key"], self.id(key), "{usage}");
        usage["keys"][0]["total"].clone()
    }
}

#[tokio::test]
async fn a_key_that_only_observes_runs_nothing_and_sees_no_job() {
    let dir = tempfile::tempdir().unwrap();
    let (service, keys) = lab::start_with_keys(dir.path(), lab::server_config(), SCOPES).await;
    let desk = Desk { service, keys };
    let empty = json!({});
    for path in [
        "/api/v1/execute",
        "/api/v1/sessions",
        "/api/v1/sandboxes",
        "/api/v2/execute",
        "/sandboxes",
        "/mcp",
    ] {
        for key in [OBSERVER, ADMIN] {
            let answer = desk.post(key, path, &empty).send().await.unwrap();
            assert_eq!(answer.status(), 403, "{path}");
        }
    }
    let paths = [
        // Path, and what a key of each kind gets: run, observe, admin.
        ("/metrics", [403, 200, 200]),
        ("/api/v1/status", [403, 200, 200]),
        ("/api/v1/history", [403, 200, 200]),
        ("/api/v1/history?minutes=7", [403, 400, 400]),
        ("/api/v1/jobs", [200, 403, 200]),
        ("/api/v1/jobs?limit=0", [400, 403, 400]),
        ("/api/v1/jobs/none", [404, 403, 404]),
        ("/api/v1/usage", [200, 403, 200]),
        ("/api/v1/usage?since=yesterday", [400, 403, 400]),
        ("/api/v1/events", [403, 403, 200]),
        ("/api/v1/doctor", [403, 403, 200]),
        ("/api/v1/whoami", [200, 200, 200]),
    ];
    for (path, statuses) in paths {
        for (key, status) in [ONE, OBSERVER, ADMIN].into_iter().zip(statuses) {
            let answer = desk.get(key, path).send().await.unwrap();
            assert_eq!(answer.status(), status, "{path} by key {key}");
        }
    }
    let (_, who) = desk.told(OBSERVER, "/api/v1/whoami").await;
    assert_eq!(who["scopes"], json!(["observe"]));
    assert_eq!(who["name"], "key-2");
    // The refusals above are in the accounts of who was refused, and nobody else's.
    assert_eq!(desk.usage(ONE).await["refusals"]["forbidden"], 6);
    let metrics = desk.get(OBSERVER, "/metrics").send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    for line in [
        "key_jobs_total{key=\"key-1\",status=\"ok\"} 0",
        "key_refusals_total{key=\"key-1\"} 0",
        "http_responses_total{class=\"5xx\"} 0",
        "audit_failures_total 0",
        "job_seconds_count{path=\"boot\"} 0",
    ] {
        assert!(metrics.lines().any(|own| own == line), "{line}\n{metrics}");
    }
    assert!(metrics.contains("http_request_seconds_bucket"), "{metrics}");
    let events = desk.service.feed.events(500);
    let forbidden = |event: &&std::sync::Arc<protocol::event::Event>| {
        event.extra.get("code") == Some(&json!("forbidden"))
    };
    for event in events.iter().filter(forbidden) {
        assert!(
            event.extra["key_name"]
                .as_str()
                .unwrap()
                .starts_with("key-")
        );
    }
    desk.service.end().await;
}

#[tokio::test]
async fn a_key_sees_its_own_jobs_only_and_an_admin_all() {
    if !lab::can_run("bash") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (service, keys) = lab::start_with_keys(dir.path(), lab::server_config(), SCOPES).await;
    let desk = Desk { service, keys };
    let code = "mkdir -p out/a; echo '<b>' > 'out/a/x y.html'; echo of $WHO";
    for (key, who) in [(ONE, "one"), (TWO, "two")] {
        // Both chose the same name for theirs.
        let body = json!({"lang": "bash", "code": code, "env": {"WHO": who}, "trace_id": "same"});
        let (status, result) = answer(desk.post(key, "/api/v1/execute", &body)).await;
        assert_eq!((status, &result["status"]), (200, &json!("ok")), "{result}");
    }
    let (one, two) = (desk.jobs(ONE).await, desk.jobs(TWO).await);
    assert_eq!((one.len(), two.len()), (1, 1), "{one:?} {two:?}");
    assert_eq!(one[0]["key"], desk.id(ONE));
    assert_eq!(
        (&one[0]["status"], &one[0]["kept"]),
        (&json!("ok"), &json!(true))
    );
    assert_eq!(desk.jobs(ADMIN).await.len(), 2);
    let of_one = format!("/api/v1/jobs?key={}", desk.id(ONE));
    assert_eq!(
        desk.told(ADMIN, &of_one).await.1.as_array().unwrap().len(),
        1
    );
    assert_eq!(desk.told(TWO, &of_one).await.1, json!([]));

    let detail = format!("/api/v1/jobs/{}", one[0]["id"].as_str().unwrap());
    for (key, path) in [
        (ONE, &*detail),
        (ONE, "/api/v1/jobs/same"),
        (ADMIN, &*detail),
    ] {
        let (status, told) = desk.told(key, path).await;
        assert_eq!(
            (status, &told["result"]["stdout"]),
            (200, &json!("of one\n")),
            "{told}"
        );
        let types = told["events"].as_array().unwrap().iter();
        let types: Vec<&str> = types
            .map(|event| event["event_type"].as_str().unwrap())
            .collect();
        assert_eq!(types, ["VM_START", "VM_STOP"], "{told}");
        assert_eq!(told["events"][0]["key"], desk.id(ONE));
    }
    let (_, told) = desk.told(ONE, &detail).await;
    assert_eq!(told["artifacts"][0]["name"], "a/x y.html");
    let href = told["artifacts"][0]["href"].as_str().unwrap();
    let file = desk.get(ONE, href).send().await.unwrap();
    let header = |name: &str| file.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/octet-stream");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert!(header("content-disposition").starts_with("attachment; filename=\"x_y.html\""));
    assert_eq!(file.text().await.unwrap(), "<b>\n");
    // Another's job is not there, under none of its addresses.
    for (path, code) in [
        (detail.clone(), "job_not_found"),
        (href.to_owned(), "job_not_found"),
    ] {
        let (status, problem) = desk.told(TWO, &path).await;
        assert_eq!((status, &problem["code"]), (404, &json!(code)), "{problem}");
    }
    for name in ["..%2F..%2Fetc%2Fpasswd", "a%2Fnone"] {
        let (status, problem) = desk.told(ONE, &format!("{detail}/artifacts/{name}")).await;
        assert_eq!((status, &problem["code"]), (404, &json!("file_not_found")));
    }

    // One that its client gives up is there as well, and counts.
    let body = json!({"lang": "bash", "code": "sleep 250", "timeout": 300});
    let given_up = tokio::spawn(desk.post(ONE, "/api/v1/execute", &body).send());
    newest_is(&desk, "running").await;
    let running = desk.jobs(ONE).await[0]["id"].clone();
    let running = format!("/api/v1/jobs/{}", running.as_str().unwrap());
    let (status, told) = desk.told(ONE, &running).await;
    assert_eq!((status, &told["result"]), (200, &Value::Null), "{told}");
    given_up.abort();
    let _ = given_up.await;
    newest_is(&desk, "killed").await;
    assert_eq!(desk.jobs(ONE).await[0]["code"], "cancelled");

    let used = desk.usage(ONE).await;
    assert_eq!(used["jobs"], json!({"ok": 1, "killed": 1}), "{used}");
    for number in ["wall_seconds", "memory_gib_seconds", "output_bytes"] {
        assert!(used[number].as_f64().unwrap() > 0.0, "{number}: {used}");
    }
    let of_one = format!("/api/v1/usage?since=1d&key={}", desk.id(ONE));
    assert_eq!(desk.told(TWO, &of_one).await.1["keys"], json!([]));
    let of_admin = desk.told(ADMIN, &of_one).await.1;
    assert_eq!(of_admin["keys"][0]["total"]["jobs"], used["jobs"]);
    let (_, history) = desk.told(OBSERVER, "/api/v1/history?minutes=1440").await;
    let points = history["points"].as_array().unwrap();
    let ok = |point: &Value| point["jobs"]["ok"].as_u64().unwrap_or(0);
    assert_eq!(points.iter().map(ok).sum::<u64>(), 2, "{history}");
    let (_, status) = desk.told(OBSERVER, "/api/v1/status").await;
    assert_eq!(status["jobs"], json!([]), "numbers alone");

    // A restart keeps what was used, and no job.
    let Desk { service, keys } = desk;
    service.end().await;
    let mut config = lab::server_config();
    config.keys_file = Some(dir.path().join("keys.json"));
    let service = lab::start_with(lab::sandbox_config(), config).await;
    let desk = Desk { service, keys };
    assert_eq!(desk.usage(ONE).await["jobs"], used["jobs"]);
    assert_eq!(desk.jobs(ADMIN).await, [Value::Null; 0]);
    desk.service.end().await;
}

async fn newest_is(desk: &Desk, status: &str) {
    let begun = std::time::Instant::now();
    while desk.jobs(ONE).await[0]["status"] != status {
        assert!(begun.elapsed() < PATIENCE, "no job is {status}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn every_event_of_a_session_and_a_sandbox_names_its_key() {
    if !lab::can_run("python") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (service, keys) = lab::start_with_keys(dir.path(), lab::server_config(), SCOPES).await;
    let desk = Desk { service, keys };
    for kind in ["sessions", "sandboxes"] {
        let path = format!("/api/v1/{kind}");
        let create = desk.post(ONE, &path, &json!({"language": "python"}));
        let (status, body) = answer(create).await;
        assert_eq!(status, 201, "{body}");
        let own = format!("{path}/{}", body["id"].as_str().unwrap());
        let cell = json!({"code": "print(6 * 7)"});
        let (status, body) = answer(desk.post(ONE, &format!("{own}/execute"), &cell)).await;
        assert_eq!(status, 200, "{body}");
        let delete = desk.service.client.delete(desk.service.url(&own));
        let deleted = delete.bearer_auth(&desk.keys[ONE]).send().await.unwrap();
        assert_eq!(deleted.status(), 204);
    }
    // The service remembers a session's program as one of its key's jobs.
    assert_eq!(desk.jobs(ONE).await.len(), 1);
    assert!(desk.jobs(ONE).await[0]["session"].is_string());
    let used = desk.usage(ONE).await;
    assert_eq!(used["sandboxes"], 2, "{used}");
    assert!(used["sandbox_seconds"].as_f64().unwrap() > 0.0, "{used}");
    // The beginning and the end of both, and of the session's program.
    let are_told = || desk.service.feed.events(500).len() >= 6;
    lab::until(PATIENCE, "all is told", are_told).await;
    for event in desk.service.feed.events(500) {
        assert_eq!(event.extra["key"], desk.id(ONE), "{event:?}");
        assert_eq!(event.extra["key_name"], "key-0");
    }
    desk.service.end().await;
}
