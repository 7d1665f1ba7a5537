//! A running service reads its configuration again, whole or not at all; and what `config` says of it.

use crate::lab;
use crate::service::{Service, tool, until};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// The configuration of these tests with this longest time of a job.
fn written(keys: &Path, longest: u32, more: &str) -> String {
    let own = format!(
        "[server]\nkeys_file = {keys:?}\n[limits.defaults]\ntimeout_seconds = 2.0\n\
         [limits.maxima]\ntimeout_seconds = {longest}.0\n{more}"
    );
    lab::PLACE.config_text(&own)
}

fn add_key(config: &PathBuf, name: &str) -> String {
    let done = tool(config)
        .args(["keys", "add", name, "--run", "--admin"])
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

fn said(done: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&done.stdout) + &text(&done.stderr)
}

/// What the service says of a job that asks for too much time: it names the most.
async fn too_long(service: &Service, key: &str) -> (u16, String) {
    let body = json!({ "lang": "python", "code": "1", "timeout": 299 });
    let request = service.post("/api/v1/execute", &body).bearer_auth(key);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn last_reload(service: &Service, key: &str) -> Value {
    let request = service
        .client
        .get(format!("{}/api/v1/events", service.base))
        .bearer_auth(key);
    let events: Value = request.send().await.unwrap().json().await.unwrap();
    let mut events = events.as_array().unwrap().iter().rev();
    events
        .find(|event| event["event_type"] == "CONFIG_RELOAD")
        .cloned()
        .unwrap_or_default()
}

fn hear(socket: &UnixDatagram, wanted: &str) {
    let mut buffer = [0; 512];
    loop {
        let length = socket
            .recv(&mut buffer)
            .unwrap_or_else(|_| panic!("never {wanted}"));
        if String::from_utf8_lossy(&buffer[..length])
            .lines()
            .any(|line| line == wanted)
        {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_takes_limits_and_keys_whole_or_not_at_all() {
    let _alone = lab::alone().await;
    let dir = tempfile::tempdir().unwrap();
    let keys = dir.path().join("keys.json");
    let notify = dir.path().join("notify");
    let socket = UnixDatagram::bind(&notify).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(120)))
        .unwrap();
    let more = written(&keys, 200, "");
    let more = more.strip_prefix(&lab::PLACE.config_text("")).unwrap();
    let config = lab::config_file("reload", more);
    let key = add_key(&config, "first");
    let env = [("NOTIFY_SOCKET", notify.to_str().unwrap())];
    let service = Service::start_with("reload", more, &env);
    hear(&socket, "READY=1");
    let (status, text) = too_long(&service, &key).await;
    assert!(status == 400 && text.contains("200"), "{text}");
    let sandbox = stays(&service, &key).await;

    // Limits and the address: the one counts, the other waits for a restart.
    let more = "[pool.bash]\nmin = 0\nmax = 1\n[admission]\nqueued = 7\n";
    std::fs::write(&config, written(&keys, 100, more)).unwrap();
    let second = add_key(&config, "second");
    service.signal(Signal::HUP);
    hear(&socket, "RELOADING=1");
    hear(&socket, "READY=1");
    let (status, text) = too_long(&service, &second).await;
    assert!(status == 400 && text.contains("100"), "{text}");
    let event = last_reload(&service, &key).await;
    assert_eq!(event["outcome"], "applied", "{event}");
    assert_eq!(
        event["changed"],
        json!(["admission.queued", "limits.maxima.timeout_seconds"])
    );
    assert!(
        event["needs_restart"].to_string().contains("pool.bash.max"),
        "{event}"
    );

    // A configuration with a fault is refused whole.
    std::fs::write(&config, written(&keys, 50, "[audti]\n")).unwrap();
    service.signal(Signal::HUP);
    hear(&socket, "RELOADING=1");
    hear(&socket, "READY=1");
    let event = last_reload(&service, &key).await;
    assert_eq!(event["outcome"], "refused", "{event}");
    assert!(
        event["error"].to_string().contains("did you mean audit?"),
        "{event}"
    );
    assert!(too_long(&service, &key).await.1.contains("100"));

    // So is one whose keys cannot be read; the keys of before count.
    std::fs::write(&config, written(&keys, 50, "")).unwrap();
    let good = std::fs::read(&keys).unwrap();
    std::fs::write(&keys, "{").unwrap();
    service.signal(Signal::HUP);
    hear(&socket, "READY=1");
    assert_eq!(last_reload(&service, &key).await["outcome"], "refused");
    assert!(too_long(&service, &key).await.1.contains("100"));
    std::fs::write(&keys, good).unwrap();
    service.signal(Signal::HUP);
    hear(&socket, "READY=1");
    until("the mended configuration counts", async || {
        too_long(&service, &key).await.1.contains("50")
    })
    .await;

    if let Some(sandbox) = sandbox {
        let path = format!("/api/v1/sandboxes/{sandbox}/execute");
        let body = json!({ "code": "echo still here" });
        let answer = service
            .post(&path, &body)
            .bearer_auth(&key)
            .send()
            .await
            .unwrap();
        let text = answer.text().await.unwrap();
        assert!(text.contains("still here"), "{text}");
    }
    taken_port_is_told(&service);
    readable_on_a_terminal(&config);
    service.stop();
}

/// A sandbox that is there before the reloads, where one can be made.
async fn stays(service: &Service, key: &str) -> Option<String> {
    if !lab::can_run("bash") {
        return None;
    }
    let request = service.post("/api/v1/sandboxes", &json!({ "language": "bash" }));
    let answer = request.bearer_auth(key).send().await.unwrap();
    let sandbox: Value = answer.json().await.unwrap();
    Some(
        sandbox["id"]
            .as_str()
            .unwrap_or_else(|| panic!("{sandbox}"))
            .to_owned(),
    )
}

/// A second service at the same address says which, whose it is, and what to do.
fn taken_port_is_told(service: &Service) {
    let (_, port) = service.base.rsplit_once(':').unwrap();
    let done = tool(&service.config)
        .args(["serve", "--listen", &format!("localhost:{port}")])
        .output()
        .unwrap();
    let text = said(&done);
    assert_eq!(done.status.code(), Some(1), "{text}");
    for words in [
        &format!(
            "127.0.0.1:{port} is in use by llm-firecracker (pid {})",
            service.pid()
        ),
        "--listen 127.0.0.1:PORT",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

/// The audit log on a terminal has lines for people: no hash, no JSON.
fn readable_on_a_terminal(config: &PathBuf) {
    let Some(script) = lab::program("script", "bsdutils") else {
        return;
    };
    let plain = tool(config);
    let words = plain
        .get_args()
        .map(|word| word.to_string_lossy().into_owned());
    let words: Vec<String> = words.collect();
    let line = format!(
        "stty cols 80; {} {} events query --since 1h --type CONFIG_RELOAD",
        plain.get_program().to_string_lossy(),
        words.join(" ")
    );
    let mut child = Command::new(script)
        .args(["-qec", &line, "/dev/null"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let lines: Vec<String> = lines.collect();
    child.wait().unwrap();
    let refused = |line: &String| line.contains("CONFIG_RELOAD") && line.contains("refused");
    assert!(lines.iter().any(refused), "{lines:#?}");
    let is_json = |line: &String| line.contains('{');
    assert!(!lines.iter().any(is_json), "{lines:#?}");
    let fits = |line: &String| line.trim_end().chars().count() <= 80;
    assert!(lines.iter().all(fits), "{lines:#?}");
    let all = lines.join(" ");
    assert!(all.contains("error:") && all.contains("line "), "{all}");
    // The same for a program is the record.
    let piped = tool(config)
        .args([
            "events",
            "query",
            "--since",
            "1h",
            "--type",
            "CONFIG_RELOAD",
        ])
        .output();
    let piped = String::from_utf8(piped.unwrap().stdout).unwrap();
    let record: Value = serde_json::from_str(piped.lines().next().unwrap()).unwrap();
    assert!(record["hash"].is_string(), "{record}");
}
