//! Each example of the page is taken off it and run as a reader would: its address and its names filled in, the key in
//! the environment, by bash, Python and Node.js.

use crate::lab::{self, Service};
use crate::sandboxes::told;
use reqwest::Method;
use serde_json::{Value, json};
use server::keys::file::Scope;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

const PATIENCE: Duration = Duration::from_secs(120);
/// What the page has for a service's address.
const ORIGIN: &str = "http://localhost:8080";

/// The page's name of a way to call, and how it is run.
const FORMS: [(&str, &[&str]); 3] = [
    ("curl", &["bash", "-euc"]),
    ("python", &["python3", "-c"]),
    (
        "javascript",
        &[
            "node",
            "--no-warnings",
            "--experimental-websocket",
            "--input-type=module",
            "-e",
        ],
    ),
];

/// Calls whose answers go on until their sandbox ends.
const ENDLESS: [&str; 2] = [
    "get-api-v1-sandboxes-id-contexts-context-events",
    "get-api-v1-sandboxes-id-files-watch",
];

/// One at a time: a second is told to come again.
static DOCTOR: Mutex<()> = Mutex::const_new(());

/// One call of the page with its example in one way.
struct Example {
    id: String,
    /// The text, or why there is none.
    text: Result<String, String>,
}

/// The examples of one way, in an order in which each finds what it needs.
fn examples(page: &str, form: &str) -> Vec<Example> {
    let sections = page.split("<section class=call id='").skip(1);
    let mut examples: Vec<Example> = sections
        .map(|section| {
            let (id, rest) = section.split_once('\'').unwrap();
            let (head, rest) = rest.split_once(&format!("data-form={form}")).expect(id);
            let (_, rest) = rest.split_once('>').unwrap();
            let is_snippet = head.rsplit_once('<').unwrap().1.starts_with("pre");
            let end = if is_snippet { "</pre>" } else { "</p>" };
            let text = plain(rest.split_once(end).unwrap().0);
            Example {
                id: id.to_owned(),
                text: if is_snippet { Ok(text) } else { Err(text) },
            }
        })
        .collect();
    // What is deleted is deleted last, and what is within it before.
    examples.sort_by_key(|example| match example.id.starts_with("delete-") {
        true => usize::MAX - example.id.len(),
        false => 0,
    });
    examples
}

/// HTML without its elements.
fn plain(html: &str) -> String {
    let pieces = html.split('<').enumerate();
    let text: String = pieces
        .map(|(n, piece)| match n {
            0 => piece,
            _ => piece.split_once('>').unwrap().1,
        })
        .collect();
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text, |text, (from, to)| text.replace(from, to))
}

/// What a reader has: a session and a sandbox, each with a file.
struct Reader<'a> {
    service: &'a Service,
    key: &'a str,
    session: String,
    sandbox: String,
    /// A job that left `hello.txt`.
    job: String,
}

impl<'a> Reader<'a> {
    async fn new(service: &'a Service, key: &'a str) -> Reader<'a> {
        let mut reader = Reader {
            service,
            key,
            session: String::new(),
            sandbox: String::new(),
            job: format!("job-{}", uuid::Uuid::new_v4()),
        };
        let code = "import os\nos.mkdir('out')\nopen('out/hello.txt', 'w').write('hello')";
        let job = json!({"language": "python", "code": code, "trace_id": reader.job});
        let (status, done) = reader.api(Method::POST, "/api/v1/execute", &job).await;
        assert!(status == 200 && done["status"] == "ok", "{done}");
        let body = json!({"language": "python"});
        reader.session = reader.made("/api/v1/sessions", &body).await;
        reader.sandbox = reader.made("/api/v1/sandboxes", &body).await;
        reader
    }

    async fn api(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let request = self.service.client.request(method, self.service.url(path));
        told(request.bearer_auth(self.key).json(body)).await
    }

    /// The id of what is made so.
    async fn made(&self, path: &str, body: &Value) -> String {
        let (status, made) = self.api(Method::POST, path, body).await;
        assert_eq!(status, 201, "{path} {made}");
        match &made["id"] {
            Value::String(id) => id.clone(),
            id => id.to_string(),
        }
    }

    /// Has a file there that the examples read, move and delete.
    async fn file(&self, path: &str) {
        let url = self.service.url(&format!(
            "/api/v1/sandboxes/{}/files?path={path}",
            self.sandbox
        ));
        let put = self
            .service
            .client
            .put(url)
            .bearer_auth(self.key)
            .body("hello");
        assert_eq!(told(put).await.0, 200);
    }

    /// The example with a reader's own names.
    async fn filled(&self, id: &str, text: &str) -> String {
        let mut text = text
            .replace(ORIGIN, &self.service.url(""))
            .replace("SANDBOX_ID", &self.sandbox)
            .replace("SESSION_ID", &self.session)
            .replace("JOB_ID", &self.job)
            .replace("artifacts/NAME", "artifacts/hello.txt");
        let within = format!("/api/v1/sandboxes/{}", self.sandbox);
        if text.contains("PROCESS_ID") {
            let body = match id.rsplit('-').next() {
                Some("terminal" | "resize") => {
                    json!({"argv": ["bash"], "pty": {"rows": 24, "columns": 80}})
                }
                Some("stdin") => json!({"cmd": "cat", "stdin": "open"}),
                Some("output") => json!({"cmd": "echo hello"}),
                _ => json!({"cmd": "sleep 1000"}),
            };
            let process = self.made(&format!("{within}/processes"), &body).await;
            text = text.replace("PROCESS_ID", &process);
        }
        if text.contains("CONTEXT_ID") {
            let body = json!({"language": "python"});
            let context = self.made(&format!("{within}/contexts"), &body).await;
            if id.ends_with("events") {
                let cell = json!({"code": "1", "context": context.parse::<u32>().unwrap()});
                let (status, _) = self
                    .api(Method::POST, &format!("{within}/execute"), &cell)
                    .await;
                assert_eq!(status, 200);
            }
            text = text.replace("CONTEXT_ID", &context);
        }
        if id.ends_with("files") || id.ends_with("stat") {
            self.file("/work/hello.txt").await;
        }
        if id.ends_with("move") {
            self.file("/work/a.txt").await;
        }
        if id.ends_with("files-content") {
            let path = format!("/api/v1/sessions/{}/files", self.session);
            let file = json!({"path": "hello.txt", "content": "hello"});
            assert_eq!(self.api(Method::POST, &path, &file).await.0, 201);
        }
        text
    }

    /// Ends what an example began, for each holds a VM.
    async fn ends_others(&self) {
        for (path, own) in [
            ("/api/v1/sessions", &self.session),
            ("/api/v1/sandboxes", &self.sandbox),
        ] {
            let (_, list) = self.api(Method::GET, path, &Value::Null).await;
            for one in list.as_array().unwrap() {
                let id = one["id"].as_str().unwrap();
                if id != own {
                    let path = format!("{path}/{id}");
                    self.api(Method::DELETE, &path, &Value::Null).await;
                }
            }
        }
    }

    fn spawn(&self, program: &[&str], text: &str) -> Child {
        let mut command = Command::new(program[0]);
        command
            .args(&program[1..])
            .arg(text)
            .env("LLM_FIRECRACKER_KEY", self.key)
            .env("NO_PROXY", "*")
            .env("no_proxy", "*")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
            .spawn()
            .unwrap_or_else(|error| panic!("not run: {}: {error}", program[0]))
    }

    /// One that follows something, once it has heard of it.
    async fn followed(&self, mut child: Child) -> Child {
        let heard = child.stdout.as_mut().unwrap().read_u8();
        let heard = tokio::time::timeout(PATIENCE, heard).await;
        assert!(matches!(heard, Ok(Ok(_))), "heard nothing: {heard:?}");
        child
    }

    /// Runs all of one way.
    async fn runs(&self, page: &str, (form, program): (&str, &[&str])) -> usize {
        let mut endless = Vec::new();
        let mut count = 0;
        for example in examples(page, form) {
            let id = &example.id;
            let text = match &example.text {
                Ok(text) => self.filled(id, text).await,
                Err(why) => {
                    assert!(
                        id.ends_with("terminal") && why.len() > 20,
                        "{form} {id}: {why}"
                    );
                    continue;
                }
            };
            let _alone = match id.as_str() {
                "get-api-v1-doctor" => Some(DOCTOR.lock().await),
                _ => None,
            };
            let child = self.spawn(program, &text);
            count += 1;
            match ENDLESS.contains(&id.as_str()) {
                true => endless.push((id.clone(), self.followed(child).await)),
                false => ends_well(form, id, child).await,
            }
            if id.ends_with("v1-sessions") || id.ends_with("v1-sandboxes") {
                self.ends_others().await;
            }
        }
        // Its sandbox was deleted.
        for (id, child) in endless {
            ends_well(form, &id, child).await;
        }
        count
    }
}

async fn ends_well(form: &str, id: &str, child: Child) {
    let done = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    let done = done
        .unwrap_or_else(|_| panic!("{form} {id}: not over"))
        .unwrap();
    let told = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (told(&done.stdout), told(&done.stderr));
    assert!(
        done.status.success(),
        "{form} {id}: {} {out} {err}",
        done.status
    );
}

#[tokio::test]
async fn every_example_of_the_page_runs() {
    if !lab::can_run("python") {
        return;
    }
    for (_, program) in FORMS {
        let found = std::process::Command::new(program[0])
            .arg("--version")
            .output();
        if found.is_err() {
            let required = std::env::var_os("LLM_FIRECRACKER_REQUIRE").is_some();
            assert!(!required, "not run: {} is not installed", program[0]);
            println!("not run: {} is not installed", program[0]);
            return;
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let mut config = lab::server_config();
    config.key_defaults.burst = 10_000;
    config.sessions.sessions = 12;
    // A key each: what a list shows is one's own.
    let all: &[Scope] = &[Scope::Run, Scope::Admin];
    let scopes = &[all, all, all];
    let (service, keys) = lab::start_with_keys(dir.path(), config, scopes).await;
    let page = service.get("/docs").await.text().await.unwrap();
    let run = |n: usize| {
        let (service, page, key) = (&service, &page, &keys[n]);
        async move { Reader::new(service, key).await.runs(page, FORMS[n]).await }
    };
    let (curl, python, javascript) = tokio::join!(run(0), run(1), run(2));
    assert!(curl > 40 && curl == python && javascript == curl + 1);
    service.end().await;
}
