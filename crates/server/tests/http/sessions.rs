//! Sessions over HTTP: whose they are, how they end, what goes in and out.

mod node;

use crate::lab::{self, answer};
use serde_json::{Value, json};
use server::keys::file::Scope;

#[tokio::test]
async fn a_key_reaches_its_own_sessions_only_and_bounds_hold() {
    if !lab::can_run("python") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut config = lab::server_config();
    config.key_defaults.sessions = 1;
    let execute: &[Scope] = &[Scope::Run];
    let (service, keys) = lab::start_with_keys(dir.path(), config, &[execute, execute]).await;
    let create = |key: &str| {
        service
            .post("/api/v1/sessions", &json!({"language": "python"}))
            .bearer_auth(key)
    };
    let (status, session) = answer(create(&keys[0])).await;
    assert_eq!(status, 201, "{session}");
    let id = session["id"].as_str().unwrap();
    let (status, problem) = answer(create(&keys[0])).await;
    assert_eq!(
        (status, &problem["code"]),
        (429, &"too_many_sessions".into())
    );
    let path = format!("/api/v1/sessions/{id}");
    let other = service
        .client
        .delete(service.url(&path))
        .bearer_auth(&keys[1]);
    assert_eq!(answer(other).await.0, 404);
    let other = service.post(&format!("{path}/interrupt"), &json!({}));
    assert_eq!(answer(other.bearer_auth(&keys[1])).await.0, 404);
    // Its owner sees how it is, and gives it time; nobody else does.
    let about = |key: usize| {
        service
            .client
            .get(service.url(&path))
            .bearer_auth(&keys[key])
    };
    let (status, seen) = answer(about(0)).await;
    assert_eq!((status, &seen["busy"]), (200, &false.into()), "{seen}");
    assert_eq!(answer(about(1)).await.0, 404);
    let more = |key: usize, seconds: f64| {
        let request = service
            .client
            .patch(service.url(&path))
            .bearer_auth(&keys[key]);
        request.json(&json!({ "timeout": seconds }))
    };
    let (status, given) = answer(more(0, 77.0)).await;
    assert_eq!((status, &given["timeout"]), (200, &77.0.into()), "{given}");
    assert_ne!(given["expires_at"], seen["expires_at"]);
    assert_eq!(answer(more(0, 1e9)).await.0, 400);
    assert_eq!(answer(more(1, 77.0)).await.0, 404);
    let (_, list) = answer(
        service
            .client
            .get(service.url("/api/v1/sessions"))
            .bearer_auth(&keys[1]),
    )
    .await;
    assert_eq!(list, json!([]));
    let own = service
        .client
        .delete(service.url(&path))
        .bearer_auth(&keys[0])
        .send()
        .await
        .unwrap();
    assert_eq!(own.status(), 204);
    let again = service
        .client
        .delete(service.url(&path))
        .bearer_auth(&keys[0]);
    assert_eq!(answer(again).await.0, 404);
    service.end().await;
}

#[tokio::test]
async fn an_idle_session_ends_by_itself() {
    if !lab::can_run("bash") {
        return;
    }
    let service = lab::start().await;
    let body = json!({"language": "bash", "idle_timeout": 0.5});
    let (status, session) = answer(service.post("/api/v1/sessions", &body)).await;
    assert_eq!(status, 201, "{session}");
    let ended = || service.feed.events(1)[0].details.contains("session ended");
    lab::until(std::time::Duration::from_secs(5), "the session ends", ended).await;
    service.end().await;
}

#[tokio::test]
async fn wrong_times_and_paths_are_named() {
    let service = lab::start().await;
    let body = json!({"language": "python", "timeout": 1e9});
    let (status, problem) = answer(service.post("/api/v1/sessions", &body)).await;
    assert_eq!((status, &problem["field"]), (400, &"timeout".into()));
    let upload = service.post(
        "/api/v1/sessions/x/files",
        &json!({"path": "../x", "content": ""}),
    );
    let (status, problem) = answer(upload).await;
    assert_eq!((status, &problem["field"]), (400, &"path".into()));
    let get = service
        .client
        .get(service.url("/api/v1/sessions/x/files/content?path=/etc/passwd"));
    assert_eq!(answer(get).await.0, 400);
    let get = service
        .client
        .get(service.url("/api/v1/sessions/x/files/content?path=a"));
    assert_eq!(answer(get).await.0, 404);
    service.end().await;
}

/// A session of a language, and what its programs come to.
pub struct Cells {
    pub service: lab::Service,
    pub path: String,
}

impl Cells {
    /// `None` where no VM of the language can be started.
    pub async fn of(language: &str) -> Option<Cells> {
        if !lab::can_run(language) {
            return None;
        }
        let service = lab::start().await;
        let body = json!({ "language": language });
        let (status, session) = answer(service.post("/api/v1/sessions", &body)).await;
        assert_eq!(status, 201, "{session}");
        let path = format!("/api/v1/sessions/{}", session["id"].as_str().unwrap());
        Some(Cells { service, path })
    }

    async fn run(&self, code: &str) -> Value {
        self.run_with(json!({ "code": code })).await
    }

    /// With time enough for an import, emulated on a loaded host, unless the body says otherwise.
    pub async fn run_with(&self, mut body: Value) -> Value {
        if body.get("timeout").is_none() {
            body["timeout"] = 60.into();
        }
        let path = format!("{}/execute", self.path);
        let (status, cell) = answer(self.service.post(&path, &body)).await;
        assert_eq!(status, 200, "{cell}");
        cell
    }

    async fn upload(&self, path: &str, content: &str) -> u16 {
        let body = json!({ "path": path, "content": content });
        let url = format!("{}/files", self.path);
        answer(self.service.post(&url, &body)).await.0
    }

    async fn download(&self, path: &str) -> (u16, String) {
        let url = format!("{}/files/content?path={path}", self.path);
        let got = self.service.client.get(self.service.url(&url)).send();
        let got = got.await.unwrap();
        (got.status().as_u16(), got.text().await.unwrap())
    }

    pub async fn end(self) {
        let url = self.service.url(&self.path);
        let deleted = self.service.client.delete(url).send().await.unwrap();
        assert_eq!(deleted.status(), 204);
        self.service.end().await;
    }
}

fn plain(cell: &Value) -> &str {
    cell["results"][0]["text/plain"]
        .as_str()
        .unwrap_or_else(|| panic!("no result: {cell}"))
}

#[tokio::test]
async fn python_keeps_its_variables_and_shows_values() {
    let Some(cells) = Cells::of("python").await else {
        return;
    };
    let cell = cells.run("x = 41\nprint('printed')").await;
    assert_eq!(cell["logs"]["stdout"], "printed\n", "{cell}");
    assert_eq!(
        (&cell["status"], &cell["results"]),
        (&"ok".into(), &json!([]))
    );
    assert_eq!(plain(&cells.run("x + 1").await), "42");
    let rich = "class R:\n    def _repr_html_(self): return '<b>r</b>'\n    def _repr_png_(self): return b'PNG'\nR()";
    let shown = &cells.run(rich).await["results"][0];
    assert_eq!(
        (&shown["text/html"], &shown["image/png"]),
        (&"<b>r</b>".into(), &"UE5H".into())
    );
    let failed = cells.run("def f():\n    return 1 / 0\nf()").await;
    assert_eq!(failed["status"], "error", "{failed}");
    assert_eq!(failed["error"]["name"], "ZeroDivisionError");
    let traceback = failed["error"]["traceback"].as_str().unwrap();
    assert!(
        traceback.contains("return 1 / 0") && !traceback.contains("session.py"),
        "{traceback}"
    );
    assert_eq!(
        plain(&cells.run("await __import__('asyncio').sleep(0, x)").await),
        "41"
    );
    let fed = cells
        .run_with(json!({"code": "input() + input()", "stdin": "a\nb\n"}))
        .await;
    assert_eq!(plain(&fed), "'ab'");
    assert_eq!(cells.run("input()").await["error"]["name"], "EOFError");
    let left = cells.run("import sys; sys.exit(3)").await;
    assert_eq!(
        (&left["exit_code"], &left["status"]),
        (&3.into(), &"error".into())
    );
    let confined = cells.run("import os; os.getuid(), open('/proc/self/status').read().count('CapEff:\\t0000000000000000')").await;
    assert_eq!(plain(&confined), "(10000, 1)");
    assert_eq!(plain(&cells.run("x").await), "41");
    let drawn = "import sys, os; os.makedirs('/work/out', exist_ok=True)\n\
                 open('/work/out/plot.svg', 'w').write('<svg/>'); print('drawn', file=sys.stderr)";
    let drawn = cells.run(drawn).await;
    assert_eq!(drawn["logs"]["stderr"], "drawn\n", "{drawn}");
    let artifact = &drawn["artifacts"][0];
    assert_eq!(
        (&artifact["name"], &artifact["size"], &artifact["data"]),
        (
            &"plot.svg".into(),
            &6.into(),
            &json!({"image/svg+xml": "<svg/>"})
        )
    );
    cells.end().await;
}

#[tokio::test]
async fn a_program_that_is_late_is_interrupted_and_other_limits_end_the_interpreter() {
    let Some(cells) = Cells::of("python").await else {
        return;
    };
    cells
        .run("x = 1; open('kept.txt', 'w').write('kept')")
        .await;
    let late = cells
        .run_with(json!({"code": "while True: pass", "timeout": 1}))
        .await;
    assert_eq!(
        (&late["status"], &late["limit"]["name"]),
        (&"timeout".into(), &"wall_time".into()),
        "{late}"
    );
    assert_eq!(
        (&late["notes"], &late["error"]["name"]),
        (&json!([]), &"KeyboardInterrupt".into()),
        "{late}"
    );
    assert_eq!(plain(&cells.run("x").await), "1");
    let deaf = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass";
    let deaf = cells.run_with(json!({"code": deaf, "timeout": 1})).await;
    assert_eq!(deaf["status"], "timeout", "{deaf}");
    assert!(
        deaf["notes"].to_string().contains("variables are gone"),
        "{deaf}"
    );
    assert_eq!(cells.run("x").await["error"]["name"], "NameError");
    assert_eq!(plain(&cells.run("open('kept.txt').read()").await), "'kept'");
    let hog = cells
        .run("kept = []\nwhile True: kept.append(b'x' * (16 << 20))")
        .await;
    assert!(
        ["oom", "error"].contains(&hog["status"].as_str().unwrap()),
        "{hog}"
    );
    let crash = cells.run("import os; os.kill(os.getpid(), 9)").await;
    assert!(
        crash["notes"].to_string().contains("variables are gone"),
        "{crash}"
    );
    let forged = "import os\nos.write(4, b'{\"id\": 1, \"nonsense\": true}\\n')";
    let forged = cells.run(forged).await;
    assert!(
        forged["notes"].to_string().contains("variables are gone"),
        "{forged}"
    );
    assert_eq!(plain(&cells.run("6 * 7").await), "42");
    cells.end().await;
}

#[tokio::test]
async fn files_go_in_and_out_and_stay_in_the_folder() {
    let Some(cells) = Cells::of("bash").await else {
        return;
    };
    assert_eq!(cells.upload("in/data.txt", "from outside").await, 201);
    let cell = cells
        .run("tr a-z A-Z < in/data.txt > out.txt; ln -s /etc/passwd link; cat out.txt")
        .await;
    assert_eq!(cell["logs"]["stdout"], "FROM OUTSIDE", "{cell}");
    assert_eq!(
        cells.run("cat out.txt").await["logs"]["stdout"],
        "FROM OUTSIDE"
    );
    let url = format!("{}/files", cells.path);
    let (_, files) = answer(cells.service.client.get(cells.service.url(&url))).await;
    let listed = files.to_string();
    assert!(
        listed.contains("in/data.txt") && listed.contains("out.txt"),
        "{listed}"
    );
    assert!(!listed.contains("link"), "{listed}");
    assert_eq!(
        cells.download("out.txt").await,
        (200, "FROM OUTSIDE".into())
    );
    assert_eq!(cells.download("link").await.0, 404);
    assert_eq!(cells.upload("link", "through it").await, 404);
    // Of any size as they are, and away with them.
    let at = |method, path: &str| {
        let url = cells.service.url(&format!("{url}?path={path}"));
        cells.service.client.request(method, url)
    };
    let large = vec![b'x'; 9 << 20];
    let put = at(reqwest::Method::PUT, "new/large.bin").body(large.clone());
    let (status, file) = answer(put).await;
    assert_eq!(
        (status, &file["size"]),
        (200, &large.len().into()),
        "{file}"
    );
    let cell = cells.run("wc -c < new/large.bin").await;
    assert_eq!(cell["stdout"], format!("{}\n", large.len()), "{cell}");
    let (status, said) = cells.download("new/large.bin").await;
    assert_eq!(status, 413, "{said}");
    assert!(said.contains("/api/v1/sandboxes/{id}/files"), "{said}");
    let gone = at(reqwest::Method::DELETE, "new").send().await.unwrap();
    assert_eq!(gone.status(), 204);
    assert_eq!(cells.run("ls new").await["exit_code"], 2);
    assert_eq!(answer(at(reqwest::Method::DELETE, "new")).await.0, 404);
    assert_eq!(
        answer(at(reqwest::Method::PUT, "../x").body("")).await.0,
        400
    );
    // One byte more than a file may have, in and out.
    let most = server::config::SessionBounds::default().file_bytes;
    assert_eq!(cells.upload("large", &"x".repeat(most + 1)).await, 413);
    let large = format!("head -c {} /dev/zero > large; wc -c < large", most + 1);
    let large = cells.run(&large).await;
    assert_eq!(
        large["logs"]["stdout"],
        format!("{}\n", most + 1),
        "{large}"
    );
    assert_eq!(cells.download("large").await.0, 413);
    assert_eq!(cells.run("echo after").await["logs"]["stdout"], "after\n");
    cells.end().await;
}
