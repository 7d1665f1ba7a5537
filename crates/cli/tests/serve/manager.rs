//! The service manager's protocol (sd_notify(3)): ready, watchdog, stopping.

use crate::lab;
use crate::service::{PATIENCE, Service};
use rustix::process::Signal;
use std::os::unix::net::UnixDatagram;
use std::time::Instant;

/// Reads what the service says until it said `wanted`.
fn hear(socket: &UnixDatagram, wanted: &str) -> Vec<String> {
    let mut heard = Vec::new();
    let mut buffer = [0; 512];
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let Ok(length) = socket.recv(&mut buffer) else {
            break;
        };
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        heard.extend(text.lines().map(str::to_owned));
        if heard.iter().any(|line| line == wanted) {
            return heard;
        }
    }
    panic!("never {wanted}: {heard:?}");
}

#[tokio::test]
async fn the_manager_hears_of_start_life_and_stop() {
    let _alone = lab::alone().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let path = path.to_str().unwrap();
    // Half of it is how often the service has to say that it lives.
    let env = [("NOTIFY_SOCKET", path), ("WATCHDOG_USEC", "400000")];
    let service = Service::start_with("manager", "", &env);
    // Started means listening: a client that comes at this word is served.
    let heard = hear(&socket, "READY=1");
    assert!(!heard.iter().any(|line| line == "STOPPING=1"));
    for _ in 0..3 {
        hear(&socket, "WATCHDOG=1");
    }
    service.signal(Signal::TERM);
    hear(&socket, "STOPPING=1");
    let (status, log) = service.wait();
    assert!(status.success(), "{status}: {log}");
}

fn unit() -> std::path::PathBuf {
    let own = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    own.join("../../deploy/systemd/llm-firecracker.service")
}

#[test]
fn the_unit_is_as_tight_as_the_docs_say() {
    let Some(analyze) = lab::program("systemd-analyze", "systemd") else {
        return;
    };
    let done = std::process::Command::new(analyze)
        .args(["security", "--offline=true", "--no-pager"])
        .arg(unit())
        .output()
        .unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    let level = said.lines().find(|line| line.contains("Overall exposure"));
    let level = level.unwrap_or_else(|| panic!("{said}"));
    let words: Vec<&str> = level.split_whitespace().collect();
    let score = words.iter().find(|word| word.parse::<f64>().is_ok());
    let docs = include_str!("../../../../docs/deploy.md");
    assert!(
        docs.contains(&format!("exposure {}", score.unwrap())),
        "{level}"
    );
}

/// What the unit leaves it of root is enough: a pool fills, its memory is seen, a job runs.
#[tokio::test(flavor = "multi_thread")]
async fn the_units_capabilities_suffice() {
    let _alone = lab::alone().await;
    let setpriv = lab::program("setpriv", "util-linux");
    let (Some(setpriv), true) = (setpriv, lab::can_run("bash")) else {
        return;
    };
    let text = std::fs::read_to_string(unit()).unwrap();
    let set = text
        .lines()
        .find_map(|line| line.strip_prefix("CapabilityBoundingSet="))
        .unwrap();
    let set = set.split_whitespace().map(|name| {
        let name = name.strip_prefix("CAP_").unwrap().to_lowercase();
        format!(",+{name}")
    });
    let set = format!("-all{}", set.collect::<String>());
    let mut by = std::process::Command::new(setpriv);
    by.args(["--bounding-set", &set, "--inh-caps=-all", "--no-new-privs"]);
    let pool = "[pool.bash]\nmin = 1\nmax = 2\n";
    let service = Service::start_by(by, "capabilities", pool, &[]);
    crate::service::until("a VM waits and its memory is seen", async || {
        let metrics = service.text("/metrics").await;
        let held = metrics
            .lines()
            .find_map(|line| line.strip_prefix("vm_memory_held_bytes "));
        held.is_some_and(|bytes| bytes != "0")
    })
    .await;
    let body = serde_json::json!({"lang": "bash", "code": "echo $((6 * 7))"});
    let (status, result) = service.execute(&body).await;
    assert_eq!(
        (status, &result["stdout"]),
        (200, &"42\n".into()),
        "{result}"
    );
    service.stop();
    assert_eq!(crate::leftovers::leftovers(), Vec::<String>::new());
}
