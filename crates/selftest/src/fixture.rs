//! A sandbox to attack: the real agent's, or the hostile one's.

use crate::error::SelftestError;
use crate::judge::Ended;
use crate::ledger::Ledger;
use crate::request::{Asked, program};
use protocol::error_code::ErrorCode;
use protocol::job::{JobRequest, RequestedLimits};
use protocol::language::Language;
use protocol::result::{Isolation, JobResult, Status};
use sandbox::config::Config;
use sandbox::drive::JobIo;
use sandbox::sandbox::{Sandbox, rejected};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long VMs may take to go when the battery is over.
const CLOSE_PATIENCE: Duration = Duration::from_secs(20);
/// A plain job's time limits, in seconds: a first compilation, emulated on a loaded host.
const PLAIN_SECONDS: f64 = 60.0;
const PLAIN_COMPILE_SECONDS: f64 = 180.0;

/// Which agent runs in the guests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Agent {
    /// The tool's own.
    Real,
    /// The battery's, which stands for a guest that was taken over.
    Hostile,
}

/// How far a job is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// It passed the checks, and is not run.
    Admitted,
    /// Its end.
    Ended,
}

/// One sandbox with the events that it told.
pub struct Fixture {
    sandbox: Arc<Sandbox>,
    /// What it told.
    pub ledger: Arc<Ledger>,
    hostile: Option<Hostile>,
}

/// What has to be taken away after a hostile guest: nobody may ever clone one.
struct Hostile {
    snapshots: PathBuf,
    before: BTreeSet<std::ffi::OsString>,
}

/// A program that only works where everything does, and what it prints.
pub struct Plain {
    language: Language,
    code: &'static str,
    prints: &'static [u8],
}

/// The plain job of a language; `None` for an operator's that has no samples.
pub fn plain(language: Language) -> Option<Plain> {
    let samples = language.row().samples.as_ref()?;
    Some(Plain {
        language,
        code: &samples.answer,
        prints: b"42\n",
    })
}

impl Fixture {
    /// One with the real agent.
    pub fn new(sandbox: Arc<Sandbox>, ledger: Arc<Ledger>) -> Fixture {
        Fixture {
            sandbox,
            ledger,
            hostile: None,
        }
    }

    /// The same with the hostile agent; its snapshots will go with it.
    pub fn with_hostile_agent(mut self, config: &Config) -> Result<Fixture, SelftestError> {
        let snapshots = config.vmm.state_dir.join("snapshots");
        self.hostile = Some(Hostile {
            before: names(&snapshots),
            snapshots,
        });
        Ok(self)
    }

    /// What holds its guests.
    pub fn isolation(&self) -> Isolation {
        self.sandbox.isolation()
    }

    /// Runs the plain job of a language; says why it is not right.
    pub async fn plain_job(&self, language: Language) -> Result<(), String> {
        let plain = plain(language).ok_or("it has no samples")?;
        match &self.hostile {
            None => self.job_right(plain).await,
            // Its answer to whatever it is not told how to twist.
            Some(_) => {
                let prints = b"ready\n";
                self.job_right(Plain { prints, ..plain }).await
            }
        }
    }

    /// Runs a job whose answer is known.
    pub async fn job_right(&self, plain: Plain) -> Result<(), String> {
        let limits = RequestedLimits {
            timeout_seconds: Some(PLAIN_SECONDS.min(self.sandbox.policy().maxima.timeout_seconds)),
            compile_timeout_seconds: Some(
                PLAIN_COMPILE_SECONDS.min(self.sandbox.policy().maxima.compile_timeout_seconds),
            ),
            ..RequestedLimits::default()
        };
        let request = program(plain.language, plain.code.into(), limits);
        let result = self.one(request, Until::Ended).await;
        self.ledger.take();
        let Ended::With(result) = result else {
            return Err("it was not run".into());
        };
        if result.status == Status::Ok && result.stdout == plain.prints {
            return Ok(());
        }
        Err(why(&result))
    }

    /// The same request that many times at once.
    pub async fn all_at_once(&self, asked: Asked, count: usize, until: Until) -> Vec<Ended> {
        let request = match asked {
            Ok(request) => request,
            Err(rejection) => {
                self.sandbox.note_rejection(&rejection);
                return vec![Ended::With(Box::new(rejected(rejection)))];
            }
        };
        if count == 1 {
            return vec![self.one(request, until).await];
        }
        let (first, second) =
            tokio::join!(self.one(request.clone(), until), self.one(request, until));
        vec![first, second]
    }

    /// What a live sandbox is opened in.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    async fn one(&self, request: JobRequest, until: Until) -> Ended {
        let job = match self.sandbox.admit(request) {
            Ok(job) => job,
            Err(rejection) => return Ended::With(Box::new(rejected(rejection))),
        };
        if until == Until::Admitted {
            return Ended::Admitted;
        }
        Ended::With(Box::new(self.sandbox.run(job, JobIo::default()).await))
    }

    /// Ends its VMs.
    pub async fn close(&self) {
        self.sandbox.close(CLOSE_PATIENCE).await;
    }

    /// Ends its VMs and takes its snapshots away.
    pub async fn close_and_forget(self) -> Result<(), SelftestError> {
        self.close().await;
        let Some(hostile) = self.hostile else {
            return Ok(());
        };
        for name in names(&hostile.snapshots).difference(&hostile.before) {
            let path = hostile.snapshots.join(name);
            let removed = match path.is_dir() {
                true => std::fs::remove_dir_all(&path),
                false => std::fs::remove_file(&path),
            };
            removed.map_err(|source| SelftestError::Leftover { path, source })?;
        }
        Ok(())
    }
}

fn names(folder: &std::path::Path) -> BTreeSet<std::ffi::OsString> {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name())
        .collect()
}

/// Why a plain job is not right, in a few words.
fn why(result: &JobResult) -> String {
    match &result.failure {
        Some(failure) if failure.code == ErrorCode::ImageMissing => {
            format!("no image; {}", failure.code.advice())
        }
        Some(failure) => failure.message.clone(),
        None => format!(
            "{} with {:?} and {:?}",
            result.status.as_str(),
            String::from_utf8_lossy(&result.stdout),
            String::from_utf8_lossy(&result.stderr)
        ),
    }
}
