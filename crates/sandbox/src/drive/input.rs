//! What a caller connects to a job, and how its bytes are moved.

use super::heard::JobOutput;
use crate::live::Guest;
use crate::outside::Outside;
use protocol::supervisor::ProcessId;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc;

/// Bytes of standard input read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// Standard input of a job.
pub type StdinSource = Box<dyn AsyncRead + Send + Unpin>;

/// What the caller connects to a job.
#[derive(Default)]
pub struct JobIo {
    /// Fed to the program; `None`: empty.
    pub stdin: Option<StdinSource>,
    /// Gets the output as it comes. When its receiver is gone, the job is stopped.
    pub output: Option<mpsc::Sender<JobOutput>>,
    /// Each interrupts the program, as Ctrl-C does at a terminal.
    pub interrupts: Option<mpsc::Receiver<()>>,
    /// Where its programs' connections go; `None`: it has no network. The sandbox sets it.
    pub outside: Option<Outside>,
}

/// Nobody takes the job's output any more.
#[derive(Debug)]
pub(crate) struct Abandoned;

/// Feeds a process until its input is at its end, or it takes no more.
pub(super) async fn feed(stdin: Option<StdinSource>, guest: &Guest, process: ProcessId) {
    if let Some(mut stdin) = stdin {
        let mut chunk = vec![0; CHUNK_BYTES];
        // A stdin that cannot be read any further ends; the program sees the end of its input.
        while let Ok(count @ 1..) = stdin.read(&mut chunk).await {
            if guest.write(process, &chunk[..count]).await.is_err() {
                return;
            }
        }
    }
    let _ = guest.close_stdin(process).await;
}

/// Once an interrupt is asked for.
pub(crate) async fn interrupted(interrupts: &mut Option<mpsc::Receiver<()>>) {
    if let Some(interrupts) = interrupts
        && interrupts.recv().await.is_some()
    {
        return;
    }
    std::future::pending().await
}

/// Hands output to the caller, if it wants it as it comes.
pub(crate) async fn pass_on(
    sink: Option<&mpsc::Sender<JobOutput>>,
    output: JobOutput,
) -> Result<(), Abandoned> {
    match sink {
        Some(sink) => sink.send(output).await.map_err(|_| Abandoned),
        None => Ok(()),
    }
}
