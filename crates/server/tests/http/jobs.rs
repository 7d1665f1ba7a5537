//! Real programs in real VMs, over HTTP.

use crate::lab::{self, Service, answer};
use base64::Engine as _;
use protocol::event::EventType;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_program_runs_and_its_result_is_the_tools() {
    if !lab::can_run("python") {
        return;
    }
    let service = lab::start().await;
    let body = json!({
        "lang": "python", "trace_id": "http-1", "args": ["a", "b c"], "stdin": "in", "env": {"X": "y"},
        "files": [{"path": "d/f.txt", "content": "file"}],
        "code": "import sys, os\nprint(sys.argv[1:], sys.stdin.read(), os.environ['X'], open('d/f.txt').read())\nprint('e', file=sys.stderr)",
    });
    let (status, result) = service.execute(&body).await;
    assert_eq!((status, &result["status"]), (200, &"ok".into()), "{result}");
    assert_eq!(result["stdout"], "['a', 'b c'] in y file\n");
    assert_eq!(result["stderr"], "e\n");
    assert_eq!(result["trace_id"], "http-1");
    assert!(result["error"].is_null());
    assert!(result["exec_time"].as_f64().unwrap() > 0.0);
    let identity = service.sandbox.identity();
    let accelerator = identity.accelerator;
    let accelerator = accelerator.map_or("none".into(), |accelerator| accelerator.to_string());
    let isolation = json!({
        "engine": service.engine(), "accelerator": accelerator, "jail": identity.jail, "guest": "confined",
    });
    assert_eq!(result["isolation"], isolation);
    let types = service.event_types();
    assert_eq!(types, [EventType::VmStart, EventType::VmStop]);
    let metrics = service.get("/metrics").await.text().await.unwrap();
    for line in [
        "# TYPE vm_boot_time_seconds histogram",
        "# TYPE vm_execution_time_seconds histogram",
        "# TYPE jobs_total counter",
        "jobs_total{status=\"ok\"} 1",
    ] {
        assert!(
            metrics.lines().any(|own| own == line),
            "{line} in\n{metrics}"
        );
    }
    service.end().await;
}

#[tokio::test]
async fn endings_are_told_apart() {
    if !lab::can_run("python") {
        return;
    }
    let service = lab::start().await;
    let run =
        |code: &str, timeout: f64| json!({"lang": "python", "code": code, "timeout": timeout});
    let (status, result) = service
        .execute(&run("import time; time.sleep(60)", 0.5))
        .await;
    assert_eq!((status, &result["status"]), (200, &"timeout".into()));
    assert!(result["error"].as_str().unwrap().starts_with("timed out"));
    let (_, result) = service.execute(&run("raise SystemExit(3)", 9.0)).await;
    assert_eq!(
        (&result["status"], &result["exit_code"]),
        (&"error".into(), &3.into())
    );
    let (_, result) = service
        .execute(&run("import sys; sys.stdout.buffer.write(b'\\xff')", 9.0))
        .await;
    assert_eq!(result["stdout_base64"], "/w==");
    service.end().await;
}

#[tokio::test]
async fn what_is_left_in_out_comes_back_by_its_type() {
    if !lab::can_run("python") {
        return;
    }
    let service = lab::start().await;
    let code = "import os, json\nos.makedirs('/work/out/sub', exist_ok=True)\n\
                open('/work/out/sub/p.png','wb').write(b'\\x89PNG')\n\
                json.dump({'a': 1}, open('/work/out/x.json','w'))";
    let (_, result) = service
        .execute(&json!({"lang": "python", "code": code}))
        .await;
    let artifacts = result["artifacts"].as_array().unwrap();
    let named = |name: &str| artifacts.iter().find(|a| a["name"] == name).unwrap();
    assert_eq!(named("sub/p.png")["data"]["image/png"], "iVBORw==");
    assert_eq!(named("x.json")["data"]["application/json"], json!({"a": 1}));
    service.end().await;
}

/// Events of a stream as (name, data).
fn events(text: &str) -> Vec<(String, Value)> {
    text.split("\n\n")
        .filter_map(|block| {
            let line = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
            Some((
                line("event: ")?.to_owned(),
                serde_json::from_str(line("data: ")?).ok()?,
            ))
        })
        .collect()
}

async fn open_stream(service: &Service, body: &Value) -> reqwest::Response {
    let request = service.post("/api/v1/execute", body);
    request
        .header("accept", "text/event-stream")
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn output_streams_as_it_comes() {
    if !lab::can_run("python") {
        return;
    }
    let service = lab::start().await;
    let code = "import time, sys\nfor n in range(3):\n    print(n, 'ü', flush=True)\n    time.sleep(0.4)\nprint('err', file=sys.stderr)";
    let mut response = open_stream(&service, &json!({"lang": "python", "code": code})).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let (mut text, mut first) = (String::new(), None);
    while let Some(chunk) = response.chunk().await.unwrap() {
        text.push_str(std::str::from_utf8(&chunk).unwrap());
        if first.is_none() && text.contains("event: stdout") {
            first = Some(Instant::now());
        }
    }
    // The first line was there at least two sleeps before the end.
    assert!(first.unwrap().elapsed() >= Duration::from_millis(700));
    // The same as lines of JSON, for who asks for them.
    let body = json!({"lang": "python", "code": "print('ü')"});
    let asked = service.post("/api/v1/execute", &body);
    let asked = asked.header("accept", "application/x-ndjson");
    let told = asked.send().await.unwrap();
    assert_eq!(told.headers()["content-type"], "application/x-ndjson");
    let told = told.text().await.unwrap();
    let lines: Vec<Value> = told
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0], json!({"event": "stdout", "data": "ü\n"}));
    let last = lines.last().unwrap();
    assert_eq!(
        (&last["event"], &last["stdout"]),
        (&"result".into(), &"ü\n".into()),
        "{last}"
    );
    let events = events(&text);
    let stdout: String = events
        .iter()
        .filter(|(name, _)| name == "stdout")
        .map(|(_, data)| data["data"].as_str().unwrap())
        .collect();
    assert_eq!(stdout, "0 ü\n1 ü\n2 ü\n");
    let (name, result) = events.last().unwrap();
    assert_eq!((name.as_str(), &result["status"]), ("result", &"ok".into()));
    assert_eq!(result["stderr"], "err\n");
    service.end().await;
}

#[tokio::test]
async fn a_client_that_goes_takes_its_vm_with_it() {
    if !lab::can_run("python") {
        return;
    }
    let service = lab::start().await;
    let body = json!({"lang": "python", "timeout": 60, "code": "import time\nprint('up', flush=True)\ntime.sleep(50)"});
    // Streaming, and waiting for one answer.
    let mut response = open_stream(&service, &body).await;
    while let Some(chunk) = response.chunk().await.unwrap() {
        if chunk.windows(2).any(|pair| pair == b"up") {
            break;
        }
    }
    drop(response);
    let took = lab::until(Duration::from_secs(1), "its VM is gone", || {
        service.sandbox.load().0 == 0
    })
    .await;
    println!("a streaming client went; its VM was gone after {took:?}");

    let waiting = tokio::spawn(service.post("/api/v1/execute", &body).send());
    let started = || {
        service
            .feed
            .events(9)
            .iter()
            .filter(|e| e.event_type == EventType::VmStart)
            .count()
            == 2
    };
    lab::until(Duration::from_secs(60), "the job has its VM", started).await;
    waiting.abort();
    let took = lab::until(Duration::from_secs(1), "its VM is gone", || {
        service.sandbox.load().0 == 0
    })
    .await;
    println!("a waiting client went; its VM was gone after {took:?}");
    let last = service.feed.events(1).remove(0);
    assert!(last.details.contains("went away"), "{last:?}");
    service.end().await;
}

#[tokio::test]
async fn over_the_bound_there_is_503_and_every_key_gets_its_turn() {
    if !lab::can_run("bash") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut sandbox_config = lab::sandbox_config();
    sandbox_config.admission.running = 1;
    sandbox_config.admission.queued = 4;
    let mut config = lab::server_config();
    let scopes = &[server::keys::file::Scope::Run];
    let path = dir.path().join("keys.json");
    let key = |name| {
        server::keys::file::add(&path, name, scopes, None)
            .unwrap()
            .key
    };
    let (greedy, modest) = (key("greedy"), key("modest"));
    config.keys_file = Some(path.clone());
    let service = lab::start_with(sandbox_config, config).await;
    let send = |key: &str, name: &str| {
        // Longer than it takes until all of them are in.
        let body = json!({"lang": "bash", "code": "sleep 1", "trace_id": name});
        let request = service.post("/api/v1/execute", &body).bearer_auth(key);
        let name = name.to_owned();
        tokio::spawn(async move { (answer(request).await, name) })
    };
    // One runs, three of the greedy key and one of the modest key wait, one more is refused.
    let mut jobs = Vec::new();
    for n in 0..4 {
        jobs.push(send(&greedy, &format!("greedy-{n}")));
        let load = || service.client.get(service.url("/healthz")).send();
        load().await.unwrap();
        wait_for_jobs(&service, n + 1).await;
    }
    jobs.push(send(&modest, "modest"));
    wait_for_jobs(&service, 5).await;
    let ((status, problem), _) = send(&greedy, "one-more").await.unwrap();
    assert_eq!((status, &problem["code"]), (503, &"queue_full".into()));
    for job in jobs {
        let ((status, result), name) = job.await.unwrap();
        assert_eq!(status, 200, "{name}: {result}");
    }
    let events = service.feed.events(99);
    let order: Vec<_> = events
        .iter()
        .filter(|e| e.event_type == EventType::VmStart)
        .map(|e| e.trace_id.as_ref().unwrap().as_str().to_owned())
        .collect();
    let modest_at = order.iter().position(|name| name == "modest").unwrap();
    assert!(modest_at <= 2, "{order:?}");
    service.end().await;
}

async fn wait_for_jobs(service: &Service, count: i64) {
    let begun = Instant::now();
    loop {
        let text = service.queue_depth().await + service.sandbox.load().0 as i64;
        if text >= count.min(5) {
            return;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "{count} jobs are not in"
        );
    }
}

impl Service {
    /// Jobs that wait, as the gauge says; `/readyz` is open and brings it up to date.
    async fn queue_depth(&self) -> i64 {
        self.get("/readyz").await;
        self.sandbox.metrics().queue_depth.get()
    }
}

#[tokio::test]
async fn traceparent_names_the_job() {
    if !lab::can_run("bash") {
        return;
    }
    let service = lab::start().await;
    let id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = service
        .post(
            "/api/v1/execute",
            &json!({"lang": "bash", "code": "echo x"}),
        )
        .header("traceparent", format!("00-{id}-00f067aa0ba902b7-01"));
    let (_, result) = answer(request).await;
    assert_eq!(result["trace_id"], id);
    service.end().await;
}

#[tokio::test]
async fn a_large_body_is_taken_up_to_its_bound() {
    if !lab::can_run("bash") {
        return;
    }
    let service = lab::start().await;
    let data = base64::engine::general_purpose::STANDARD.encode(vec![7u8; 1_500_000]);
    let body =
        json!({"lang": "bash", "code": "wc -c < big", "files": [{"path": "big", "data": data}]});
    let (status, result) = service.execute(&body).await;
    assert_eq!(
        (status, &result["stdout"]),
        (200, &"1500000\n".into()),
        "{result}"
    );
    service.end().await;
}
