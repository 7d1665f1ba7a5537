//! Sandboxes over HTTP: whose they are, how they end. Their processes, files and terminals are below.

mod contexts;
mod expiry;
mod files;
mod processes;
mod refusals;
mod streams;
mod terminal;
mod walls;
mod watch;

use crate::lab;
use protocol::limits::SandboxRules;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use server::ServerConfig;
use server::keys::file::Scope;
use std::time::{Duration, Instant};

/// Longer than anything takes, emulated on a loaded host.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// A sandbox, and what is asked of it.
pub struct Desk {
    pub service: lab::Service,
    /// Of the sandbox.
    pub path: String,
    pub body: Value,
}

/// Status and JSON of any answer; `null` where there is none.
pub async fn told(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or_default())
}

impl Desk {
    /// `None` where no VM can be started.
    pub async fn open(language: &str) -> Option<Desk> {
        let body = json!({ "language": language });
        Desk::open_with(body, lab::server_config()).await
    }

    pub async fn open_with(body: Value, config: ServerConfig) -> Option<Desk> {
        Desk::open_under(SandboxRules::default(), body, config).await
    }

    /// Where the operator allows what these rules say.
    pub async fn open_under(
        rules: SandboxRules,
        body: Value,
        config: ServerConfig,
    ) -> Option<Desk> {
        if !lab::can_run(body["language"].as_str().unwrap_or("python")) {
            return None;
        }
        let mut sandbox_config = lab::sandbox_config();
        sandbox_config.sandboxes = rules;
        let service = lab::start_with(sandbox_config, config).await;
        let (status, body) = told(service.post("/api/v1/sandboxes", &body)).await;
        assert_eq!(status, 201, "{body}");
        let path = format!("/api/v1/sandboxes/{}", body["id"].as_str().unwrap());
        Some(Desk {
            service,
            path,
            body,
        })
    }

    /// A request to what lies below the sandbox.
    pub fn request(&self, method: Method, below: &str) -> RequestBuilder {
        let url = self.service.url(&format!("{}{below}", self.path));
        self.service.client.request(method, url).timeout(PATIENCE)
    }

    pub async fn get(&self, below: &str) -> (u16, Value) {
        told(self.request(Method::GET, below)).await
    }

    pub async fn post(&self, below: &str, body: &Value) -> (u16, Value) {
        told(self.request(Method::POST, below).json(body)).await
    }

    pub async fn delete(&self, below: &str) -> (u16, Value) {
        told(self.request(Method::DELETE, below)).await
    }

    /// Starts a process in the background; its path below the sandbox.
    pub async fn start(&self, body: Value) -> String {
        let (status, process) = self.post("/processes", &body).await;
        assert_eq!(status, 201, "{process}");
        format!("/processes/{}", process["id"])
    }

    /// Runs a process to its end.
    pub async fn run(&self, mut body: Value) -> Ran {
        body["background"] = false.into();
        let request = self.request(Method::POST, "/processes").json(&body);
        Lines::of(request).await.rest().await
    }

    /// What a process wrote from an offset on, to its end.
    pub async fn output(&self, process: &str, from: u64) -> Ran {
        self.lines(process, from).await.rest().await
    }

    /// The same as it comes.
    pub async fn lines(&self, process: &str, from: u64) -> Lines {
        let below = format!("{process}/output?from={from}");
        Lines::of(self.request(Method::GET, &below)).await
    }

    /// Appends bytes to a process' standard input.
    pub async fn write(
        &self,
        process: &str,
        bytes: impl Into<reqwest::Body>,
        close: &str,
    ) -> (u16, Value) {
        let below = format!("{process}/stdin?close={close}");
        told(self.request(Method::POST, &below).body(bytes)).await
    }

    pub async fn end(self) {
        assert_eq!(self.delete("").await.0, 204);
        assert_eq!(self.get("").await.0, 404);
        let sandbox = self.service.sandbox.clone();
        self.service.end().await;
        assert_eq!(sandbox.load(), (0, 0));
    }
}

/// Lines of JSON as they come.
pub struct Lines {
    response: Response,
    buffer: Vec<u8>,
}

/// What came of a process.
#[derive(Debug, Default)]
pub struct Ran {
    pub stdout: String,
    pub stderr: String,
    /// Of the first byte that was told.
    pub from: Option<u64>,
    pub exit: Value,
    /// Each event, in order.
    pub events: Vec<Value>,
}

impl Lines {
    pub async fn of(request: RequestBuilder) -> Lines {
        let request = request.header("accept", "application/x-ndjson");
        let response = request.send().await.unwrap();
        let status = response.status();
        assert_eq!(status, 200, "{:?}", response.text().await);
        assert_eq!(response.headers()["content-type"], "application/x-ndjson");
        let buffer = Vec::new();
        Lines { response, buffer }
    }

    /// The next that says something; `None` at the end.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                let line: Value = serde_json::from_slice(&line).unwrap();
                if line["event"] != "alive" {
                    return Some(line);
                }
                continue;
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk());
            self.buffer.extend(chunk.await.unwrap().unwrap()?);
        }
    }

    /// The next output's text.
    pub async fn text(&mut self) -> String {
        let event = self.next().await.unwrap();
        assert_eq!(event["event"], "output", "{event}");
        event["data"].as_str().unwrap().to_owned()
    }

    pub async fn rest(mut self) -> Ran {
        let mut ran = Ran::default();
        while let Some(event) = self.next().await {
            let text = event["data"].as_str().unwrap_or_default();
            match event["stream"].as_str() {
                Some("stderr") => ran.stderr.push_str(text),
                Some(_) => ran.stdout.push_str(text),
                None => {}
            }
            ran.from = ran.from.or(event["offset"].as_u64());
            if event["event"] == "exit" {
                ran.exit = event.clone();
            }
            ran.events.push(event);
        }
        ran
    }
}

#[tokio::test]
async fn a_sandbox_is_begun_looked_at_given_time_and_ended() {
    let metadata = json!({"user": "42"});
    let body = json!({
        "timeout": 100, "idle_timeout": 50, "metadata": metadata, "limits": {"memory_mib": 256, "pids": 64},
    });
    let Some(desk) = Desk::open_with(body, lab::server_config()).await else {
        return;
    };
    let body = &desk.body;
    for (field, value) in [
        ("language", json!("python")),
        ("timeout", json!(100.0)),
        ("idle_timeout", json!(50.0)),
        ("metadata", metadata),
        ("memory_mib", json!(256)),
        ("vcpus", json!(1)),
    ] {
        assert_eq!(body[field], value, "{body}");
    }
    assert_eq!(body["isolation"]["engine"], desk.service.engine().as_str());
    assert_eq!(desk.get("").await, (200, body.clone()));
    let list = told(
        desk.service
            .client
            .get(desk.service.url("/api/v1/sandboxes")),
    )
    .await;
    assert_eq!(list, (200, json!([body])));
    for (timeout, status) in [
        (json!(200), 200),
        (json!(0), 400),
        (json!(1e9), 400),
        (json!("1"), 400),
    ] {
        let patch = desk
            .request(Method::PATCH, "")
            .json(&json!({ "timeout": timeout }));
        let (seen, more) = told(patch).await;
        assert_eq!(seen, status, "{more}");
        match status {
            200 => assert!(
                more["expires_at"].as_str() > body["expires_at"].as_str(),
                "{more}"
            ),
            _ => assert_eq!(more["field"], "timeout"),
        }
    }
    desk.end().await;
}

#[tokio::test]
async fn idle_time_and_total_time_end_it_whatever_runs() {
    for (times, process) in [
        (json!({"language": "bash", "idle_timeout": 1}), "sleep 1000"),
        (json!({"language": "bash", "timeout": 2}), "sleep 1000"),
    ] {
        let Some(desk) = Desk::open_with(times.clone(), lab::server_config()).await else {
            return;
        };
        let process = desk.start(json!({ "cmd": process })).await;
        let follows = times["timeout"].is_number();
        let lines = match follows {
            // An open request keeps the idle time from passing, not the total time.
            true => Some(desk.lines(&process, 0).await),
            false => None,
        };
        let ended = || desk.service.sandbox.metrics().vms_alive.get() == 0;
        lab::until(Duration::from_secs(20), "the sandbox ends", ended).await;
        if let Some(lines) = lines {
            let told = lines.rest().await.events;
            assert_eq!(
                told.last().unwrap()["code"],
                "sandbox_not_found",
                "{told:?}"
            );
        }
        assert_eq!(desk.get("").await.1["code"], "sandbox_not_found");
        desk.service.end().await;
    }
}

#[tokio::test]
async fn a_key_reaches_its_own_only_and_sessions_count_with_them() {
    if !lab::can_run("bash") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut config = lab::server_config();
    config.key_defaults.sessions = 1;
    let scopes: &[&[Scope]] = &[&[Scope::Run], &[Scope::Run], &[Scope::Observe]];
    let (service, keys) = lab::start_with_keys(dir.path(), config, scopes).await;
    let bash = json!({"language": "bash"});
    let create = |kind: &str, key: &str| {
        let path = format!("/api/v1/{kind}");
        told(service.post(&path, &bash).bearer_auth(key))
    };
    let (status, sandbox) = create("sandboxes", &keys[0]).await;
    assert_eq!(status, 201, "{sandbox}");
    for kind in ["sandboxes", "sessions"] {
        let (status, problem) = create(kind, &keys[0]).await;
        assert_eq!(
            (status, &problem["code"]),
            (429, &"too_many_sessions".into())
        );
    }
    let own = format!("/api/v1/sandboxes/{}", sandbox["id"].as_str().unwrap());
    let start = service.post(&format!("{own}/processes"), &json!({"cmd": "sleep 1000"}));
    let (status, process) = told(start.bearer_auth(&keys[0])).await;
    assert_eq!((status, &process["id"]), (201, &1.into()), "{process}");
    for (method, below, body) in refusals::every_verb() {
        let url = service.url(&format!("{own}{below}"));
        let request = || service.client.request(method.clone(), &url).json(&body);
        let (status, problem) = told(request().bearer_auth(&keys[1])).await;
        assert_eq!(
            (status, &problem["code"]),
            (404, &"sandbox_not_found".into()),
            "{method} {below}"
        );
        assert_eq!(
            told(request().bearer_auth(&keys[2])).await.0,
            403,
            "{method} {below}"
        );
        assert_eq!(told(request()).await.0, 401, "{method} {below}");
    }
    let list = |key: &str| {
        told(
            service
                .client
                .get(service.url("/api/v1/sandboxes"))
                .bearer_auth(key),
        )
    };
    assert_eq!(list(&keys[1]).await, (200, json!([])));
    assert_eq!(list(&keys[0]).await.1.as_array().unwrap().len(), 1);
    let delete = service
        .client
        .delete(service.url(&own))
        .bearer_auth(&keys[0]);
    assert_eq!(told(delete).await.0, 204);
    let (status, session) = create("sessions", &keys[0]).await;
    assert_eq!(status, 201, "the place is free again: {session}");
    service.end().await;
}

#[tokio::test]
async fn a_service_that_stops_waits_for_no_onlooker_and_leaves_no_vm() {
    let Some(desk) = Desk::open("bash").await else {
        return;
    };
    let process = desk.start(json!({"cmd": "echo up; sleep 1000"})).await;
    let mut lines = desk.lines(&process, 0).await;
    assert_eq!(lines.text().await, "up\n");
    let sandbox = desk.service.sandbox.clone();
    let begun = Instant::now();
    desk.service.end().await;
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(sandbox.metrics().vms_alive.get(), 0);
    assert!(lines.rest().await.exit.is_null());
}
