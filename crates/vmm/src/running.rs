//! What every running VM has, whichever its VMM is: a jailed process, its last words, its end.

use crate::cgroup::VmCgroup;
use crate::console::Tail;
use crate::engine::VmExit;
use crate::error::{Step, VmmError};
use crate::jail::process::Process;
use crate::watchdog::Watchdog;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Lines of console and stderr that an error carries.
pub const ERROR_LINES: usize = 15;

/// How long a VMM whose control socket closed may take to be reaped.
const REAP_DEADLINE: Duration = Duration::from_secs(2);

/// How long the last bytes of a dead VMM may take through its pipe.
const LAST_BYTES: Duration = Duration::from_millis(200);

/// A jailed VMM. Dropping it kills it and gives everything back.
#[derive(Debug)]
pub struct Running {
    /// The process and what it holds.
    pub process: Arc<Process>,
    /// The uid it runs as.
    pub uid: u32,
    /// Its cgroup.
    pub cgroup: Option<Arc<VmCgroup>>,
    /// The end of the guest's console.
    pub console: Tail,
    /// The end of what the VMM says.
    pub stderr: Tail,
    /// Ends when the VMM's stderr does.
    pub stderr_drained: JoinHandle<()>,
}

impl Running {
    /// A refusal, with the last words.
    pub fn refused(&self, step: Step, command: String, reason: String) -> VmmError {
        VmmError::Refused {
            step,
            command,
            reason,
            console: self.console.last_lines(ERROR_LINES),
            stderr: self.stderr.last_lines(ERROR_LINES),
        }
    }

    /// A deadline that passed, with the last words.
    pub fn late(&self, step: Step, limit: Duration) -> VmmError {
        VmmError::Deadline {
            step,
            limit,
            console: self.console.last_lines(ERROR_LINES),
            stderr: self.stderr.last_lines(ERROR_LINES),
        }
    }

    /// A broken socket: the VMM's end where it ended, else the error itself.
    pub async fn broken(&self, step: Step, what: String, source: std::io::Error) -> VmmError {
        match timeout(REAP_DEADLINE, self.exit(None)).await {
            Ok(exit) => VmmError::Ended {
                step,
                exit: Box::new(exit),
            },
            Err(_) => VmmError::Io { step, what, source },
        }
    }

    /// Waits for the end and tells it; the watchdog is asked when it has come.
    pub async fn exit(&self, watchdog: Option<&Watchdog>) -> VmExit {
        let ended = self.process.wait().await;
        // What it wrote last may still be in the pipe; its end is known when the drain ends.
        let waited = async {
            while !self.stderr_drained.is_finished() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let _ = timeout(LAST_BYTES, waited).await;
        VmExit {
            code: ended.code,
            signal: ended.signal,
            oom: ended.oom,
            watchdog: watchdog.is_some_and(Watchdog::fired),
            console: self.console.last_lines(ERROR_LINES),
            stderr: self.stderr.last_lines(ERROR_LINES),
        }
    }

    /// Kills it and waits until nothing is left.
    pub async fn destroy(&self) -> Result<(), VmmError> {
        self.process.kill();
        match timeout(Step::Close.deadline(), self.process.gone()).await {
            Ok(left) if left.is_empty() => Ok(()),
            Ok(left) => Err(VmmError::Leftover {
                left: left.join(", "),
            }),
            Err(_) => Err(self.late(Step::Close, Step::Close.deadline())),
        }
    }
}
