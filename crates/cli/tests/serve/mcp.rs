//! Assistants: the official client of the Model Context Protocol, its conformance suite and its inspector's command line,
//! over HTTP and over standard input and output (`scripts/test-clients.sh` installs them), and what the tool leaves when
//! it is used so.

use crate::lab;
use crate::leftovers::{NO_STANDBY, leftovers};
use crate::service::{Service, tool, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};

const LANGUAGES: &[&str] = &["python", "bash"];

fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/mcp-clients")
}

/// Python and Node.js of the clients; says so when they are missing, or an image is.
fn can_ask() -> bool {
    let programs = ["bin/python", "bin/node", "npm/node_modules", "installed"];
    let missing = programs.iter().find(|name| !clients().join(name).exists());
    match missing {
        Some(name) => lab::not_run(&format!("{name} is missing: scripts/test-clients.sh")),
        None => LANGUAGES.iter().all(|language| lab::can_run(language)),
    }
}

fn said(done: &Output) -> String {
    let both = [done.stdout.as_slice(), done.stderr.as_slice()].concat();
    String::from_utf8_lossy(&both).into_owned()
}

/// The rules that our page of it states, each as a case, in one of the client's modes.
fn rules(mode: &str, target: &[&str]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/serve/mcp/rules.py");
    let mut client = Command::new(clients().join("bin/python"));
    let client = client.arg(script).arg(mode).args(target);
    let done = client.output().unwrap();
    let said = said(&done);
    assert!(done.status.success(), "{said}");
    println!("{}", said.lines().last().unwrap_or_default());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_sees_every_rule_kept_over_http() {
    let _alone = lab::alone().await;
    if !can_ask() {
        return;
    }
    let service = Service::start("mcp", NO_STANDBY);
    let url = format!("{}/mcp", service.base);
    for mode in ["auto", "legacy", "2026-07-28"] {
        rules(mode, &[&url]);
    }
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_sees_every_rule_kept_over_standard_input() {
    let _alone = lab::alone().await;
    if !can_ask() {
        return;
    }
    let tool = tool(&lab::config_file("mcp-stdio", NO_STANDBY));
    let words = tool.get_args().map(|word| word.to_str().unwrap());
    let mut target = vec!["--", tool.get_program().to_str().unwrap()];
    target.extend(words.chain(["mcp"]));
    for mode in ["auto", "legacy"] {
        rules(mode, &target);
    }
    until("nothing is left", async || leftovers().is_empty()).await;
}

/// Scenarios of the conformance suite that need no tool of its own, and how many checks of each may fail: those that say
/// that they cannot be tested without one.
const SCENARIOS: &[(&str, &str, usize)] = &[
    ("2026-07-28", "tools-list", 0),
    ("2026-07-28", "caching", 0),
    ("2026-07-28", "dns-rebinding-protection", 0),
    ("2026-07-28", "http-header-validation", 0),
    ("2026-07-28", "server-sse-multiple-streams", 0),
    ("2026-07-28", "sep-2164-resource-not-found", 0),
    ("2026-07-28", "server-stateless", 4),
    ("2025-11-25", "server-initialize", 0),
    ("2025-11-25", "ping", 0),
    ("2025-11-25", "tools-list", 0),
    ("2025-11-25", "server-session-lifecycle", 0),
    ("2025-11-25", "dns-rebinding-protection", 0),
    ("2025-11-25", "server-sse-multiple-streams", 0),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_conformance_suite_passes_in_both_eras() {
    let _alone = lab::alone().await;
    if !can_ask() {
        return;
    }
    let service = Service::start("conformance", NO_STANDBY);
    let folder = tempfile::tempdir().unwrap();
    let (mut passed, mut all) = (0, 0);
    for (version, scenario, untestable) in SCENARIOS {
        let output = folder.path().join(format!("{version}-{scenario}"));
        let suite = clients().join("npm/node_modules/.bin/conformance");
        let done = Command::new(clients().join("bin/node"))
            .arg(suite)
            .args(["server", "--url", &format!("{}/mcp", service.base)])
            .args([
                "--scenario",
                scenario,
                "--spec-version",
                version,
                "--output-dir",
            ])
            .arg(&output)
            .output()
            .unwrap();
        let checks = checks(&output);
        let failed: Vec<&Value> = checks
            .iter()
            .filter(|it| it["status"] == "FAILURE")
            .collect();
        let good = checks.iter().filter(|it| it["status"] == "SUCCESS").count();
        println!(
            "{version} {scenario}: {good} of {} pass",
            good + failed.len()
        );
        assert!(
            good > 0 && failed.len() == *untestable,
            "{}\n{failed:#?}",
            said(&done)
        );
        for check in failed {
            let why = check["errorMessage"].as_str().unwrap_or_default();
            assert!(why.starts_with("Not testable"), "{check:#}");
        }
        passed += good;
        all += good + untestable;
    }
    println!(
        "conformance: {passed} of {all} checks pass; the others need tools of the suite's own"
    );
    service.stop();
}

/// The suite's own account of its checks.
fn checks(output: &Path) -> Vec<Value> {
    let runs = std::fs::read_dir(output).unwrap().flatten();
    let files = runs.map(|run| run.path().join("checks.json"));
    let read = |file: PathBuf| std::fs::read(file).unwrap();
    files
        .flat_map(|file| serde_json::from_slice::<Vec<Value>>(&read(file)).unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_inspector_finds_portable_tools_and_calls_one_in_both_eras() {
    let _alone = lab::alone().await;
    if !can_ask() {
        return;
    }
    let service = Service::start("inspector", NO_STANDBY);
    let url = format!("{}/mcp", service.base);
    let home = tempfile::tempdir().unwrap();
    let inspect = |era: &str, words: &[&str]| {
        Command::new(clients().join("bin/node"))
            .arg(clients().join("npm/node_modules/.bin/mcp-inspector"))
            .args(["--cli", &url, "--transport", "http", "--protocol-era", era])
            .args(["--format", "json"])
            .args(words)
            .env("HOME", home.path())
            .output()
            .unwrap()
    };
    for era in ["legacy", "modern"] {
        let listed = inspect(era, &["--strict", "--method", "tools/list"]);
        assert!(listed.status.success(), "{}", said(&listed));
        let list: Value = serde_json::from_slice(&listed.stdout).unwrap();
        assert_eq!(list["result"]["tools"].as_array().unwrap().len(), 6);
        let warnings = String::from_utf8_lossy(&listed.stderr).into_owned();
        assert!(!warnings.contains("Warning: tool"), "{warnings}");
        let call = ["--method", "tools/call", "--tool-name", "run_code"];
        let program = [
            "--tool-arg",
            "language=python",
            "--tool-arg",
            "code=print(6 * 7)",
        ];
        let called = inspect(era, &[call, program].concat());
        assert!(called.status.success(), "{}", said(&called));
        let result: Value = serde_json::from_slice(&called.stdout).unwrap();
        assert_eq!(result["result"]["structuredContent"]["stdout"], "42\n");
        println!("inspector, {era}: 6 tools, no warning, print(6 * 7) is 42");
    }
    service.stop();
}

/// One `mcp` process, spoken to line by line.
struct McpProcess {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl McpProcess {
    fn start(name: &str) -> McpProcess {
        let mut child = tool(&lab::config_file(name, NO_STANDBY))
            .arg("mcp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut process = McpProcess {
            stdin: child.stdin.take(),
            stdout: BufReader::new(child.stdout.take().unwrap()),
            child,
        };
        let params = json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "lines", "version": "1"},
        });
        process.ask(1, "initialize", params);
        process.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        process
    }

    fn say(&mut self, message: &Value) {
        let stdin = self.stdin.as_mut().unwrap();
        writeln!(stdin, "{message}").unwrap();
    }

    /// Every line of standard output is a message of the protocol, or this fails.
    fn ask(&mut self, id: u64, method: &str, params: Value) -> Value {
        self.say(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        loop {
            let mut line = String::new();
            assert!(self.stdout.read_line(&mut line).unwrap() > 0, "it ended");
            let message: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(message["jsonrpc"], "2.0", "{line}");
            if message["id"] == id {
                return message["result"].clone();
            }
        }
    }

    fn call(&mut self, id: u64, tool: &str, arguments: Value) -> Value {
        let result = self.ask(
            id,
            "tools/call",
            json!({"name": tool, "arguments": arguments}),
        );
        assert_eq!(result["isError"], false, "{result}");
        result
    }

    /// What it does when it is used, and has a session and a call under way when its end comes.
    fn at_work(&mut self) {
        self.call(2, "start_session", json!({"language": "bash"}));
        let done = self.call(
            3,
            "run_code",
            json!({"language": "bash", "code": "echo up"}),
        );
        assert_eq!(done["structuredContent"]["stdout"], "up\n");
        let long = json!({"language": "bash", "code": "sleep 100", "timeout": 110});
        let params = json!({"name": "run_code", "arguments": long});
        self.say(&json!({"jsonrpc": "2.0", "id": 4, "method": "tools/call", "params": params}));
    }

    fn ends_well(mut self) {
        let done = self.child.wait().unwrap();
        assert!(done.success(), "{done}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn standard_input_that_ends_and_a_signal_leave_nothing_behind() {
    let _alone = lab::alone().await;
    if !lab::can_run("bash") {
        return;
    }
    for signal in [None, Some(Signal::INT), Some(Signal::TERM)] {
        let mut process = McpProcess::start("mcp-ends");
        process.at_work();
        let pid = Pid::from_child(&process.child);
        match signal {
            None => drop(process.stdin.take()),
            Some(signal) => kill_process(pid, signal).unwrap(),
        }
        process.ends_well();
        assert_eq!(leftovers(), Vec::<String>::new(), "{signal:?}");
    }
    // Killed, it cannot clean up: its VMs die with it all the same, and the next start sweeps their folders.
    let mut process = McpProcess::start("mcp-ends");
    process.at_work();
    kill_process(Pid::from_child(&process.child), Signal::KILL).unwrap();
    let _ = process.child.wait();
    until("its VMs are gone", async || {
        !leftovers().iter().any(|left| left.starts_with("process"))
    })
    .await;
    let mut next = McpProcess::start("mcp-ends");
    next.call(2, "run_code", json!({"language": "bash", "code": "true"}));
    drop(next.stdin.take());
    next.ends_well();
    assert_eq!(leftovers(), Vec::<String>::new());
}
