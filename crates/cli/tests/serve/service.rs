//! One `serve` process: started, asked, stopped, killed; never waited for without a deadline.

use crate::{lab, place};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A start includes a sweep and, on a loaded host under emulation, the probe's deadline.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// A running service.
pub struct Service {
    child: Child,
    /// `http://ADDRESS`.
    pub base: String,
    /// Where its configuration is.
    pub config: PathBuf,
    /// What it wrote to standard error so far.
    pub log: Arc<Mutex<String>>,
    ended: Receiver<()>,
    /// Asks it.
    pub client: reqwest::Client,
}

/// The tool on the lab's state folder.
pub fn tool(config: &PathBuf) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_llm-firecracker"));
    command
        .env_remove("LLM_FIRECRACKER_STATE_DIR")
        .arg("--state-dir")
        .arg(lab::state_dir())
        .arg("--config")
        .arg(config);
    if let Some(agent) = place::agent() {
        command.arg("--agent").arg(agent);
    }
    command
}

impl Service {
    /// Starts one with these lines in its configuration; returns when it listens.
    pub fn start(name: &str, more: &str) -> Service {
        Service::start_with(name, more, &[])
    }

    /// The same with variables in its environment.
    pub fn start_with(name: &str, more: &str, env: &[(&str, &str)]) -> Service {
        Service::start_by(Command::new("env"), name, more, env)
    }

    /// The same on this address.
    pub fn start_at(listen: &str, name: &str, more: &str) -> Service {
        Service::begin(Command::new("env"), listen, (name, more, &[]))
    }

    /// The same by another program, which becomes the command that stands behind its own arguments.
    pub fn start_by(by: Command, name: &str, more: &str, env: &[(&str, &str)]) -> Service {
        Service::begin(by, "127.0.0.1:0", (name, more, env))
    }

    fn begin(
        mut by: Command,
        listen: &str,
        (name, more, env): (&str, &str, &[(&str, &str)]),
    ) -> Service {
        let config = lab::config_file(name, more);
        let tool = tool(&config);
        let mut child = by
            .arg(tool.get_program())
            .args(tool.get_args())
            .args(["--verbose", "serve", "--listen", listen])
            .env_remove("LLM_FIRECRACKER_STATE_DIR")
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (listening, address) = channel();
        let (end, ended) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let kept = log.clone();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let mut log = kept.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
                if let Some((_, address)) = line.split_once(" listening on ") {
                    let _ = listening.send(address.to_owned());
                }
            }
            let _ = end.send(());
        });
        let Ok(address) = address.recv_timeout(PATIENCE) else {
            let _ = child.kill();
            panic!("it does not listen: {}", log.lock().unwrap());
        };
        Service {
            child,
            base: format!("http://{address}"),
            config,
            log,
            ended,
            client: reqwest::Client::new(),
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).unwrap();
    }

    /// Waits for its end.
    pub fn wait(mut self) -> (ExitStatus, String) {
        // Its standard error ends with it; then there is nothing to wait for.
        self.ended
            .recv_timeout(PATIENCE)
            .expect("the service does not end");
        let status = self.child.wait().unwrap();
        let log = self.log.lock().unwrap().clone();
        (status, log)
    }

    /// Stops it as a service manager does, and fails unless it ends well.
    pub fn stop(self) -> String {
        self.signal(Signal::TERM);
        let (status, log) = self.wait();
        assert!(status.success(), "{status}: {log}");
        log
    }

    /// A request with a JSON body.
    pub fn post(&self, path: &str, body: &Value) -> reqwest::RequestBuilder {
        self.client.post(format!("{}{path}", self.base)).json(body)
    }

    /// Status and JSON of a job.
    pub async fn execute(&self, body: &Value) -> (u16, Value) {
        let response = self.post("/api/v1/execute", body).send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json().await.unwrap())
    }

    /// A page's text.
    pub async fn text(&self, path: &str) -> String {
        let request = self.client.get(format!("{}{path}", self.base));
        request.send().await.unwrap().text().await.unwrap()
    }

    /// A page's JSON.
    pub async fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.text(path).await).unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Only a test that fails comes here with a process that lives.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks again and again until `done`; panics after [`PATIENCE`].
pub async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    while !done().await {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        ticks.tick().await;
    }
}
