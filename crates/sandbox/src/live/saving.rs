//! A live sandbox whose VM is saved at work, and goes on later: as itself, or as any number of copies.

use super::held::{HeldGuest, Names};
use super::service::{Service, explain};
use super::stay::{Stay, tell_not_begun};
use super::task::Task;
use super::{LiveSandbox, Terms};
use crate::error::{JobError, Step, Why};
use crate::lease::Leased;
use crate::sandbox::Sandbox;
use crate::saved::SavedKey;
use protocol::job::Job;
use std::path::{Path, PathBuf};
use tokio::sync::oneshot;

/// That a sandbox is to be saved.
#[derive(Debug)]
pub(super) struct Saving {
    into: PathBuf,
    reply: oneshot::Sender<Result<HeldGuest, JobError>>,
}

/// What a saved VM goes on as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// What it was: it keeps its names. Its generator of randomness is seeded anew all the same.
    Itself,
    /// A copy: its host name and its boot's id are new.
    Copy,
}

/// A saved VM, as [`LiveSandbox::save`] left it.
#[derive(Debug, Clone, Copy)]
pub struct SavedVm<'a> {
    /// Where its files are.
    pub folder: &'a Path,
    /// What it depends on besides.
    pub key: &'a SavedKey,
    /// What its guest is remembered by.
    pub held: &'a HeldGuest,
}

impl LiveSandbox {
    /// Saves the VM, with all that runs in it, into an existing folder, and ends this sandbox, whatever comes of it:
    /// everybody who waits hears that it was paused. Returns once the VM is gone and its memory given back.
    pub async fn save(&self, into: &Path) -> Result<HeldGuest, JobError> {
        let (reply, saved) = oneshot::channel();
        let saving = Saving {
            into: into.to_owned(),
            reply,
        };
        // Whoever asks second, or too late, finds it gone.
        self.0.saving.try_send(saving).map_err(|_| Why::Gone)?;
        saved.await.unwrap_or_else(|_| Err(Why::Gone.into()))
    }

    /// Has a saved VM go on. `job` is what it was made for.
    pub async fn load(
        sandbox: &Sandbox,
        job: &Job,
        saved: SavedVm<'_>,
        renewal: Renewal,
    ) -> Result<LiveSandbox, JobError> {
        let loaded = async {
            sandbox.check_isolation()?;
            let memory = sandbox.admit_session(job)?;
            let leased = sandbox.supply().load_saved(job, saved).await?;
            let stay = Stay::new("live sandbox", sandbox, job, (leased, memory));
            let terms = Terms {
                isolation: sandbox.isolation(),
                rules: sandbox.policy().sandboxes,
            };
            LiveSandbox::go_on(stay, job, terms, (saved.held, renewal)).await
        };
        let loaded = loaded.await;
        loaded.inspect_err(|error| tell_not_begun(sandbox, job, error))
    }

    pub(super) async fn go_on(
        mut stay: Stay,
        job: &Job,
        terms: Terms,
        (held, renewal): (&HeldGuest, Renewal),
    ) -> Result<LiveSandbox, JobError> {
        let (guest, service) = Service::take_up(stay.known.clone(), terms.rules, held);
        let names = match renewal {
            Renewal::Itself => Some(held.names.clone()),
            Renewal::Copy => None,
        };
        let service = stay.take_up(job, (&guest, service), (held, names)).await?;
        Ok(LiveSandbox::attended(
            stay,
            job,
            (guest, service, terms.isolation),
        ))
    }
}

impl Task {
    /// Whatever comes of it, this sandbox is over.
    pub(super) async fn save(&mut self, saving: Saving) {
        let saved = self.saved(&saving.into).await;
        if let Err(error) = &saved {
            self.stay.failed(&error.to_string());
        }
        self.service.over("it was paused");
        self.stay.end().await;
        let _ = saving.reply.send(saved);
    }

    async fn saved(&mut self, into: &Path) -> Result<HeldGuest, JobError> {
        let Stay { leased, names, .. } = &mut self.stay;
        let leased: &mut Leased = leased.as_mut().ok_or(Why::Gone)?;
        let names: Names = names.clone();
        let held = match self.service.hold(leased, names).await {
            Ok(held) => held,
            Err(broken) => return Err(explain(Step::Hold, broken, leased).await),
        };
        leased.vm.pause().await?;
        leased.vm.save(into).await?;
        Ok(held)
    }
}
