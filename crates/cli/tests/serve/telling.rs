//! What the service tells besides its answers: events in every sink that is configured, the
//! doctor's table.

use crate::lab;
use crate::service::{Service, tool};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

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
async fn the_log_is_followed_queried_by_time_and_a_changed_record_is_named() {
    let _alone = lab::alone().await;
    let service = Service::start("telling", "");
    let mut follower = tool(&service.config)
        .args(["events", "tail", "-n", "0", "--follow"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let trace_id = format!("followed-{}", service.pid());
    let body = json!({"lang": "python", "code": "1", "timeout": 0, "trace_id": trace_id});
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    // It may have begun before the first one came, or after.
    let seen = tokio::task::spawn_blocking(move || lines.next().unwrap().unwrap());
    crate::service::until("what comes is printed", async || {
        service.execute(&body).await;
        seen.is_finished()
    })
    .await;
    let seen: Value = serde_json::from_str(&seen.await.unwrap()).unwrap();
    assert_eq!(seen["trace_id"], trace_id);
    follower.kill().unwrap();
    follower.wait().unwrap();
    let config = service.config.clone();
    service.stop();

    let query = |time: &str| {
        let args = ["events", "query", "--trace-id", &trace_id, time];
        let found = tool(&config)
            .args(args)
            .arg("2000-01-01T00:00:00Z")
            .output();
        String::from_utf8(found.unwrap().stdout).unwrap()
    };
    assert!(query("--since").contains(&trace_id));
    assert_eq!(query("--until"), "");

    // A copy, in which one letter of the newest record is another.
    let copy = tempfile::tempdir().unwrap();
    let (from, to) = (lab::state_dir().join("audit"), copy.path().join("audit"));
    std::fs::create_dir(&to).unwrap();
    for file in std::fs::read_dir(from).unwrap().flatten() {
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
    let verify = || {
        let done = Command::new(env!("CARGO_BIN_EXE_llm-firecracker"))
            .arg("--state-dir")
            .arg(copy.path())
            .args(["events", "verify"])
            .output()
            .unwrap();
        let said = String::from_utf8(done.stdout).unwrap();
        (done.status.code(), said)
    };
    assert_eq!(verify().0, Some(0));
    let segments = std::fs::read_dir(&to).unwrap().flatten();
    let holds = |path: &std::path::PathBuf| {
        std::fs::read_to_string(path).is_ok_and(|text| text.contains(&trace_id))
    };
    let segment = segments.map(|file| file.path()).find(holds).unwrap();
    let text = std::fs::read_to_string(&segment).unwrap();
    let at = text.rfind(&trace_id).unwrap();
    let forged = format!("{}F{}", &text[..at], &text[at + 1..]);
    std::fs::write(&segment, forged).unwrap();
    let (code, said) = verify();
    let seq = text[..at].rsplit("\"seq\":").next().unwrap();
    let seq = seq.split(',').next().unwrap();
    assert_eq!(code, Some(1));
    assert!(
        said.contains(&format!("record {seq} was changed")),
        "{said}"
    );
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
    let key = keys(&["add", "somebody", "--sessions", "0"]);
    crate::service::until("the key counts", async || {
        status(&key).await == 200 && status("llmfc_no_key").await == 401
    })
    .await;
    let listed: Value = serde_json::from_str(&keys(&["list", "--json"])).unwrap();
    // A secret may have an underscore of its own.
    let secret = key.splitn(3, '_').nth(2).unwrap();
    assert!(!listed.to_string().contains(secret));
    let id = listed["keys"][0]["id"].as_str().unwrap();
    // Its own bound counts, and what it says nothing about is as configured.
    assert_eq!(listed["keys"][0]["limits"]["jobs"], 256, "{listed}");
    let session = service.post("/api/v1/sessions", &json!({"language": "python"}));
    let refused = session.bearer_auth(&key).send().await.unwrap();
    assert_eq!(refused.status(), 429);
    assert_eq!(listed["keys"][0]["scopes"], json!(["run"]), "{listed}");
    // One that only observes runs nothing, and is revoked by its name.
    let ops = keys(&["add", "ops", "--observe"]);
    crate::service::until("the other counts", async || status(&ops).await == 200).await;
    let job = json!({"language": "python", "code": "1"});
    let refused = service.post("/api/v1/execute", &job).bearer_auth(&ops);
    assert_eq!(refused.send().await.unwrap().status(), 403);
    let table = keys(&["list"]);
    for part in ["SCOPES", "SESSIONS", "LAST USED", "observe", "somebody"] {
        assert!(table.contains(part), "{part} in\n{table}");
    }
    keys(&["revoke", id]);
    let gone = keys(&["revoke", "ops", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&gone).unwrap()["name"], "ops");
    crate::service::until("the keys do not count", async || {
        status(&key).await == 401 && status(&ops).await == 401
    })
    .await;
    let config = service.config.clone();
    service.stop();
    // Its usage is told by the command, without the service.
    let usage = |args: &[&str]| {
        let done = tool(&config).arg("usage").args(args).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap()
    };
    let told: Value = serde_json::from_str(&usage(&["--key", "ops", "--json"])).unwrap();
    let keys_told = told["keys"].as_array().unwrap();
    let own = keys_told
        .iter()
        .find(|own| own["total"]["refusals"]["forbidden"] == 1);
    assert!(own.is_some(), "{told}");
    assert!(usage(&["--since", "1h", "--daily"]).contains("ops"));
}
