//! A sandbox that is paused, over a restart of the service, and one that begins from its snapshot: on whichever engine
//! saves VMs. What E2B's clients see of it is in `tests/serve/e2b_pause.rs`; this needs neither them nor their image.

use crate::lab;
use crate::tool::{PATIENCE, Running, Tool};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;

/// What is in a file and in a process' memory, the boot's id, and what is drawn.
const SEEN: &str = r#"
echo "$(< /work/kept)"
count=0
for name in /proc/[0-9]*/comm; do read -r program < "$name" && [[ $program == sleep ]] && count=$((count + 1)); done
echo $count
echo "$(< /proc/sys/kernel/random/boot_id)"
echo $SRANDOM$SRANDOM
"#;

struct Service {
    running: Running,
    address: String,
}

impl Service {
    fn start() -> Service {
        let mut running = Tool::new()
            .args(["serve", "--listen", "127.0.0.1:0"])
            .start();
        loop {
            let line = running.stderr_line(PATIENCE);
            if let Some((_, address)) = line.split_once("listening on ") {
                let address = address.to_owned();
                return Service { running, address };
            }
        }
    }

    fn stop(self) {
        self.running.signal(Signal::TERM);
        let done = self.running.finish(PATIENCE);
        assert_eq!(done.code(), Some(0), "{}", done.err());
    }

    /// The status, and the lines of JSON of the answer.
    fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Vec<Value>) {
        let body = body.to_string();
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept: application/x-ndjson, application/json\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        let lines = answer.lines().filter(|line| line.starts_with('{'));
        (
            status,
            lines
                .map(|line| serde_json::from_str(line).unwrap())
                .collect(),
        )
    }

    fn expect(&self, status: u16, (method, path): (&str, &str), body: &Value) -> Value {
        let (got, said) = self.ask(method, path, body);
        assert_eq!(got, status, "{method} {path}: {said:?}");
        said.into_iter().next().unwrap_or_default()
    }

    /// What a command prints in a sandbox, line by line.
    fn prints(&self, id: &str, command: &str) -> Vec<String> {
        let path = format!("/api/v1/sandboxes/{id}/processes");
        let (status, events) = self.ask(
            "POST",
            &path,
            &json!({"argv": ["bash", "-c", command], "background": false}),
        );
        assert_eq!(status, 200, "{events:?}");
        let said = events.iter().filter_map(|event| event["data"].as_str());
        said.collect::<String>()
            .lines()
            .map(str::to_owned)
            .collect()
    }
}

fn named(body: &Value, field: &str) -> String {
    body[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} of {body}"))
        .to_owned()
}

#[test]
fn a_paused_sandbox_and_its_snapshot_go_on_after_a_restart() {
    if !lab::has_snapshots() {
        return;
    }
    let _alone = lab::alone();
    let service = Service::start();
    let new = json!({"templateID": "bash", "timeout": 1800});
    let id = named(
        &service.expect(201, ("POST", "/sandboxes"), &new),
        "sandboxID",
    );
    let path = |what: &str| format!("/sandboxes/{id}{what}");
    service.prints(&id, "echo kept $SRANDOM > /work/kept");
    let sleeps = json!({"argv": ["sleep", "10000"], "background": true});
    let (status, said) = service.ask("POST", &format!("/api/v1{}", path("/processes")), &sleeps);
    assert!((200..300).contains(&status), "{said:?}");
    let before = service.prints(&id, SEEN);
    assert_eq!((before.len(), before[1].as_str()), (4, "1"), "{before:?}");
    let snapshot = service.expect(201, ("POST", &path("/snapshots")), &json!({}));
    let snapshot = named(&snapshot, "snapshotID");
    service.expect(204, ("POST", &path("/pause")), &json!({}));
    service.expect(409, ("POST", &path("/pause")), &json!({}));
    service.stop();

    let service = Service::start();
    let told = service.expect(200, ("GET", &path("")), &json!({}));
    assert_eq!(told["state"], "paused");
    let (status, said) = service.ask("POST", &path("/connect"), &json!({"timeout": 1800}));
    assert!((200..300).contains(&status), "{said:?}");
    let again = service.prints(&id, SEEN);
    // The file, the process, the boot; nothing is drawn twice.
    assert_eq!(again[..3], before[..3]);
    // A small machine has no memory for both.
    service.expect(204, ("DELETE", &path("")), &json!({}));
    let new = json!({"templateID": snapshot, "timeout": 1800});
    let copy = named(
        &service.expect(201, ("POST", "/sandboxes"), &new),
        "sandboxID",
    );
    let copied = service.prints(&copy, SEEN);
    assert_eq!(copied[..2], before[..2]);
    assert_ne!(copied[2], before[2], "a copy is another machine");
    let drawn: BTreeSet<&String> = [&before, &again, &copied]
        .into_iter()
        .map(|seen| &seen[3])
        .collect();
    assert_eq!(drawn.len(), 3, "{drawn:?}");
    for path in [
        format!("/sandboxes/{copy}"),
        format!("/templates/{snapshot}"),
    ] {
        service.expect(204, ("DELETE", &path), &json!({}));
    }
    service.stop();
    let saved = lab::lab().state.join("saved");
    assert_eq!(std::fs::read_dir(saved).unwrap().count(), 0);
}
