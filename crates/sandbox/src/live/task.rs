//! The one task of a live sandbox: it owns the VM and serves its guest.

use super::service::{Service, explain};
use super::stay::Stay;
use crate::error::{JobError, Step, Why};
use tokio_util::sync::CancellationToken;

/// Everything of one live sandbox.
pub(super) struct Task {
    // Dropped first: it says why the sandbox is over.
    pub(super) service: Service,
    pub(super) stay: Stay,
    pub(super) closing: CancellationToken,
}

impl Task {
    /// Serves until the sandbox is closed or breaks, and lets its VM go.
    pub(super) async fn run(mut self) {
        let closing = self.closing.clone();
        match closing.run_until_cancelled(self.serve()).await {
            None => self.service.over("it was closed"),
            Some(error) => {
                let why = error.to_string();
                let mut lines = why.lines();
                self.service.over(lines.next().unwrap_or_default());
                self.stay.failed(&why);
            }
        }
    }

    async fn serve(&mut self) -> JobError {
        let Some(leased) = &mut self.stay.leased else {
            return Why::Gone.into();
        };
        match self.service.serve(leased).await {
            Ok(()) => Why::Gone.into(),
            Err(broken) => explain(Step::Run, broken, leased).await,
        }
    }
}
