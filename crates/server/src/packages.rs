//! Packages that a request asks for: by its `packages`, by its program's header, by a `package.json` among its files.
//!
//! They are there before the job's turn is asked for: a registry that is slow keeps no place that another job could run
//! in. Instead there are few requests of a key, and of all keys, for which an image is being made.

use crate::app::App;
use crate::keys::Principal;
use crate::problem::{HttpCode, Problem};
use crate::turn::stopping;
use images::Silent;
use images::resolve::PYTHON_VERSION;
use protocol::job::Job;
use protocol::language::Language;
use protocol::packages::RequiredPackages;
use protocol::packages::program::{PACKAGE_JSON, Program};
use protocol::validate::Rejection;
use sandbox::packages::PackagesError;
use std::sync::Arc;

/// Requests of one key for which an image is being made.
pub const MAX_OF_KEY: usize = 4;
/// The same of all keys.
pub const MAX_OF_ALL: usize = 32;
/// When to come again, in seconds: most images are made in less.
const RETRY_SECONDS: u64 = 10;

impl App {
    /// Has the job run in an image that has what it needs, found or made; nothing where it needs nothing.
    pub async fn bring_packages(
        &self,
        who: &Principal,
        job: &mut Job,
        named: &[String],
    ) -> Result<(), Problem> {
        let package_json = job.files.iter().find(|file| file.path == PACKAGE_JSON);
        let program = Program {
            language: job.language,
            code: &job.code,
            package_json: package_json.map(|file| &file.data.0[..]),
            named,
            python_version: PYTHON_VERSION,
        };
        let rules = self.rooms.sandbox.packages().rules();
        let needs = program.needs(&rules).map_err(|no| refused(no, job))?;
        if let Some(needed) = needs.packages {
            job.language = self.with(who, job, &needed).await?;
        }
        Ok(())
    }

    async fn with(
        &self,
        who: &Principal,
        job: &Job,
        needed: &RequiredPackages,
    ) -> Result<Language, Problem> {
        let packages = self.rooms.sandbox.packages();
        if let Err(error) = packages.rules().check_asked(needed) {
            return Err(self.unavailable(error.into(), job));
        }
        if let Some(language) = packages.known(job.language, needed).await {
            return Ok(language);
        }
        let _place = self.build_place(who)?;
        let made = packages.make(job.language, needed, Arc::new(Silent));
        tokio::select! {
            // It goes on without this request, as far as the process does.
            () = self.draining.cancelled() => Err(stopping()),
            made = made => made.map_err(|error| self.unavailable(error, job)),
        }
    }

    fn unavailable(&self, error: PackagesError, job: &Job) -> Problem {
        match error {
            PackagesError::Refused(rejection) => refused(rejection, job),
            PackagesError::Failed(error) => {
                let trace_id = job.trace_id.as_str();
                // The client is told less: this is where the reason stands.
                tracing::warn!(%trace_id, code = %error.code(), reason = %error, "packages could not be brought");
                let result = self.rooms.sandbox.turned_away(job, error);
                let problem = result
                    .failure
                    .map(|failure| Problem::failed(&failure, trace_id));
                let problem = problem.unwrap_or_else(|| Problem::new(HttpCode::InternalError));
                match problem.status.as_u16() {
                    503 => problem.retry_after(RETRY_SECONDS),
                    _ => problem,
                }
            }
        }
    }
}

fn refused(rejection: Rejection, job: &Job) -> Problem {
    Problem::from(rejection).trace_id(job.trace_id.to_string())
}
