//! Has a guest let go of its link, so that its VM can be saved at work.
//!
//! ```text
//!  nothing new is asked ──all that was said is out──> Hold ──> … what was on its way … ──> Quiet
//! ```
//!
//! `Hold` overtakes data on the link, so that is sent first; what the guest says until `Quiet` counts as ever.

use super::error::Broken;
use super::held::{HeldGuest, Names};
use super::line::Command;
use super::service::Service;
use crate::lease::Leased;
use crate::talk::TalkError;
use protocol::limits::SandboxRules;
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

/// How long a guest may take to let go: it ends file operations and sends what it has said already.
const HOLD_DEADLINE: Duration = Duration::from_secs(20);
/// What is told of it to everybody who waits.
const PAUSED: &str = "it was paused";

impl Service {
    /// Everybody is told that it is paused, and the guest that it is to hold still.
    pub(super) async fn hold(
        &mut self,
        leased: &mut Leased,
        names: Names,
    ) -> Result<HeldGuest, Broken> {
        self.desk.over(PAUSED);
        self.refuse_commands();
        let held = async {
            self.serve_until(leased, Service::is_idle).await?;
            let (reply, mut quiet) = oneshot::channel();
            self.desk.on_command(Command::Hold { reply });
            self.serve_until(leased, |_| quiet.try_recv().is_ok()).await
        };
        match timeout(HOLD_DEADLINE, held).await {
            Ok(served) => served?,
            Err(_) => return Err(TalkError::Silent.into()),
        }
        Ok(self.desk.held(names))
    }

    /// A new link with a guest that was held.
    pub(super) fn take_up(
        known: watch::Sender<super::process::Known>,
        rules: SandboxRules,
        held: &HeldGuest,
    ) -> (super::Guest, Service) {
        let (guest, mut service) = Service::open(known, rules);
        service.desk.remember(held);
        (guest, service)
    }
}
