//! What every isolation technology is to the comparison: a command that runs a job, and facts.

use crate::BenchError;
use protocol::result::BootPath;
use sandbox::sandbox::Sandbox;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::{Child, Command};

/// No hello takes longer, emulated and cold, on a loaded machine.
const RUN_DEADLINE: Duration = Duration::from_secs(120);

/// What is known of a technology without measuring.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// It is this tool.
    pub is_ours: bool,
    /// What stands between the job and the host.
    pub isolation: &'static str,
    /// The job makes its system calls to the host's kernel.
    pub kernel_shared: bool,
    /// What a job reaches when nobody configured anything.
    pub network_by_default: &'static str,
}

/// A command line.
#[derive(Debug, Clone)]
pub struct CommandLine(pub Vec<String>);

impl CommandLine {
    /// From its words.
    pub fn new<T: Into<String>>(words: impl IntoIterator<Item = T>) -> CommandLine {
        CommandLine(words.into_iter().map(Into::into).collect())
    }

    /// As a person would type it.
    pub fn shown(&self) -> String {
        self.0.join(" ")
    }

    /// Every `{id}` becomes a name that no earlier run had.
    fn command(&self) -> Command {
        use std::sync::atomic::{AtomicU64, Ordering};
        static RUN: AtomicU64 = AtomicU64::new(0);
        let id = format!(
            "cmp-{}-{}",
            std::process::id(),
            RUN.fetch_add(1, Ordering::Relaxed)
        );
        let mut words = self.0.iter().map(|word| word.replace("{id}", &id));
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Runs it to its end and gives its standard output.
    pub async fn output(&self) -> Result<Vec<u8>, BenchError> {
        let failed = |reason: String| BenchError::Command {
            command: self.shown(),
            reason,
        };
        let output = tokio::time::timeout(RUN_DEADLINE, self.command().output())
            .await
            .map_err(|_| failed("no end within 120 s".into()))?
            .map_err(|error| failed(error.to_string()))?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        let last = stderr.lines().last().unwrap_or_default();
        Err(failed(format!("{}: {last}", output.status)))
    }

    /// Starts it; its output goes nowhere.
    pub fn start(&self) -> Result<Child, BenchError> {
        self.command()
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| BenchError::Command {
                command: self.shown(),
                reason: error.to_string(),
            })
    }
}

/// How the job is run.
#[derive(Clone)]
pub enum How {
    /// By the library in this process, on this path.
    Library {
        /// The library.
        sandbox: Arc<Sandbox>,
        /// The way its VMs come.
        path: BootPath,
        /// A command that runs a program that sleeps on the same path; of the pool, the VMs that wait
        /// are measured instead.
        sleep: CommandLine,
    },
    /// By a command.
    Command {
        /// Runs the hello.
        hello: CommandLine,
        /// Runs a program that sleeps for some seconds, for its memory to be measured.
        sleep: CommandLine,
    },
}

/// One technology, or why it is not measured.
#[derive(Clone)]
pub struct Contender {
    /// Its name in the answer.
    pub technology: &'static str,
    /// What is known of it.
    pub facts: Facts,
    /// How, or why not.
    pub how: Result<How, String>,
}

/// Finds a program in `PATH` and where daemons are.
pub fn find_program(name: &str) -> Option<String> {
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':')
        .chain(["/usr/sbin", "/sbin"])
        .map(|dir| format!("{dir}/{name}"))
        .find(|candidate| std::path::Path::new(candidate).is_file())
}
