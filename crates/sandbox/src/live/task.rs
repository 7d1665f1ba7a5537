//! The one task of a live sandbox: it owns the VM and serves its guest.

use super::saving::Saving;
use super::service::{Service, explain};
use super::stay::Stay;
use crate::error::{JobError, Step, Why};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Everything of one live sandbox.
pub(super) struct Task {
    // Dropped first: it says why the sandbox is over.
    pub(super) service: Service,
    pub(super) stay: Stay,
    pub(super) closing: CancellationToken,
    pub(super) saving: mpsc::Receiver<Saving>,
}

/// Why it serves no more.
enum End {
    Closed,
    Broken(JobError),
    Saving(Saving),
}

impl Task {
    /// Serves until the sandbox is closed, saved or breaks, and lets its VM go.
    pub(super) async fn run(mut self) {
        let end = tokio::select! {
            biased;
            () = self.closing.cancelled() => End::Closed,
            Some(saving) = self.saving.recv() => End::Saving(saving),
            error = serve(&mut self.service, &mut self.stay) => End::Broken(error),
        };
        match end {
            End::Closed => self.service.over("it was closed"),
            End::Saving(saving) => self.save(saving).await,
            End::Broken(error) => {
                let why = error.to_string();
                let mut lines = why.lines();
                self.service.over(lines.next().unwrap_or_default());
                self.stay.failed(&why);
            }
        }
    }
}

async fn serve(service: &mut Service, stay: &mut Stay) -> JobError {
    let Some(leased) = &mut stay.leased else {
        return Why::Gone.into();
    };
    match service.serve(leased).await {
        Ok(()) => Why::Gone.into(),
        Err(broken) => explain(Step::Run, broken, leased).await,
    }
}
