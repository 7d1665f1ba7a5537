//! Prometheus' own tool reads what we serve and what we ship.

use crate::engines::{self, Engine};
use crate::lab;
use crate::service::Service;
use serde_json::json;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

fn promtool(args: &[&str], stdin: &str) -> Option<String> {
    let promtool = lab::program("promtool", "Debian's package prometheus")?;
    let mut child = Command::new(promtool)
        .args(args)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/prometheus"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut to = child.stdin.take().unwrap();
    to.write_all(stdin.as_bytes()).unwrap();
    drop(to);
    let done = child.wait_with_output().unwrap();
    let said = [done.stdout, done.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(done.status.success(), "promtool {args:?}: {said}\n{stdin}");
    Some(said)
}

#[test]
fn alerts_are_valid_and_their_tests_pass() {
    promtool(&["check", "rules", "alerts.yml"], "");
    promtool(&["test", "rules", "alerts_test.yml"], "");
    // Its keys' files are the operator's: only what it says is looked at.
    promtool(&["check", "config", "--syntax-only", "scrape.yml"], "");
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_valid_before_and_after_the_first_job() {
    let _alone = lab::alone().await;
    let has_bash = lab::can_run("bash");
    let pool = "[pool.bash]\nmin = 1\nmax = 2\n";
    let service = Service::start("prometheus", if has_bash { pool } else { "" });
    let engine = service.json("/api/v1/status").await["engine"].take();
    let engine = engines::named(engine.as_str().unwrap());
    let Engine { name, path, .. } = engine;
    let of_engine = [
        format!(
            "vm_boot_time_seconds_count{{engine=\"{name}\",path=\"{path}\",language=\"python\"}} 0"
        ),
        format!(
            "vm_execution_time_seconds_count{{engine=\"{name}\",path=\"boot\",language=\"rust\"}} 0"
        ),
    ];
    let before = service.text("/metrics").await;
    promtool(&["check", "metrics"], &before);
    for line in [
        "jobs_total{status=\"internal\"} 0",
        &of_engine[0],
        &of_engine[1],
        "vm_timeouts_total 0",
        "vm_oom_total 0",
        "validation_failures_total 0",
        "dangerous_patterns_total 0",
    ] {
        assert!(before.lines().any(|own| own == line), "{line} in\n{before}");
    }
    if has_bash {
        let value = async |name: &str| -> f64 {
            let metrics = service.text("/metrics").await;
            let value = metrics.lines().find_map(|line| line.strip_prefix(name));
            // What was not looked at yet is not there, and is more or less than nothing.
            value.map_or(f64::NAN, |value| value.trim().parse().unwrap())
        };
        crate::service::until("the VM that waits counts as alive", async || {
            value("vms_alive ").await == 1.0 && value("vm_memory_held_bytes ").await > 1e6
        })
        .await;
        let waiting = value("vm_memory_held_bytes ").await;
        assert!(waiting > 1e6, "{waiting}");
        // A VM at work counts, too, and what it holds.
        let hog = "x=$(head -c 60000000 /dev/zero | tr '\\0' x); sleep 2; echo ${#x}";
        let hog = json!({"lang": "bash", "code": hog, "timeout": 60});
        let hog = tokio::spawn(service.post("/api/v1/execute", &hog).send());
        crate::service::until("a VM at work counts with what it holds", async || {
            value("vms_alive ").await >= 1.0
                && value("vm_memory_held_bytes ").await > waiting + 50e6
        })
        .await;
        assert_eq!(hog.await.unwrap().unwrap().status(), 200);
        let (status, _) = service
            .execute(&json!({"lang": "bash", "code": "echo"}))
            .await;
        assert_eq!(status, 200);
    }
    let after = service.text("/metrics").await;
    promtool(&["check", "metrics"], &after);
    for (file, name) in names_in_use() {
        assert!(
            after.contains(&name),
            "{file} reads {name}, not in\n{after}"
        );
    }
    service.stop();
}

/// Every metric that the alerts and the dashboard read: what an expression names with a `_` in it,
/// without PromQL's own words and our labels.
fn names_in_use() -> Vec<(&'static str, String)> {
    const NO_METRIC: &[&str] = &[
        "histogram_quantile",
        "predict_linear",
        "trace_id",
        "__rate_interval",
    ];
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    let mut names = Vec::new();
    for file in ["prometheus/alerts.yml", "grafana/llm-firecracker.json"] {
        let text = std::fs::read_to_string(deploy.join(file)).unwrap();
        let expressions = text.lines().filter(|line| {
            let line = line.trim_start();
            line.starts_with("expr:") || line.starts_with("\"expr\":")
        });
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let words = expressions.flat_map(|line| line.split(|c| !is_part(c)));
        let metrics = words.filter(|word| word.contains('_') && !NO_METRIC.contains(word));
        let before = names.len();
        names.extend(metrics.map(|name| (file, name.to_owned())));
        assert!(names.len() > before + 5, "{file} reads too little");
    }
    names
}
