//! Packages that a program needs: by `--with`, which is the user's own word and always counts, and by what the program
//! says itself, as far as the configuration lets programs have packages.

use crate::progress::LateTask;
use crate::terminal;
use images::resolve::PYTHON_VERSION;
use protocol::job::Job;
use protocol::packages::Registry;
use protocol::packages::package_json::MAX_BYTES;
use protocol::packages::program::{Declaration, Needs, PACKAGE_JSON, Program};
use protocol::result::JobResult;
use protocol::validate::Rejection;
use sandbox::packages::PackagesError;
use sandbox::sandbox::{Sandbox, rejected};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

/// What is asked for beside the program's text.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// `--with`.
    pub with: &'a [String],
    /// The program's file, which others may stand beside.
    pub file: Option<&'a Path>,
}

/// Has the job run in an image that has what it needs, or says why there is none: what `run` reports.
pub async fn bring(
    sandbox: &Sandbox,
    job: &mut Job,
    asked: Asked<'_>,
) -> Result<(), Box<JobResult>> {
    let refuse = |rejection: Rejection| {
        let trace_id = Some(job.trace_id.clone());
        let rejection = Rejection {
            trace_id,
            ..rejection
        };
        sandbox.note_rejection(&rejection);
        Box::new(rejected(rejection))
    };
    let packages = sandbox.packages();
    let package_json = package_json(job, asked.file);
    let program = Program {
        language: job.language,
        code: &job.code,
        package_json: package_json.as_deref(),
        named: asked.with,
        python_version: PYTHON_VERSION,
    };
    let Needs {
        packages: needed,
        ignored,
    } = program.needs(&packages.rules()).map_err(refuse)?;
    // Who names packages has seen to it.
    if let Some(declaration) = ignored.filter(|_| asked.with.is_empty()) {
        tell(declaration);
    }
    let Some(needed) = needed else {
        return Ok(());
    };
    let packages = match asked.with.is_empty() {
        true => packages.clone(),
        false => packages.with_any(),
    };
    let progress = Arc::new(LateTask::new("packages"));
    match packages.make(job.language, &needed, progress).await {
        Ok(language) => {
            job.language = language;
            Ok(())
        }
        Err(PackagesError::Refused(rejection)) => Err(refuse(rejection)),
        Err(PackagesError::Failed(error)) => Err(Box::new(sandbox.turned_away(job, error))),
    }
}

/// The one that goes with the job, else the one beside its file. One byte over the bound is enough to refuse it.
fn package_json(job: &Job, file: Option<&Path>) -> Option<Vec<u8>> {
    if protocol::language::registry(job.language) != Some(Registry::Npm) {
        return None;
    }
    if let Some(own) = job.files.iter().find(|own| own.path == PACKAGE_JSON) {
        return Some(own.data.0.clone());
    }
    let file = file.filter(|file| file.as_os_str() != "-")?;
    let beside = File::open(file.with_file_name(PACKAGE_JSON)).ok()?;
    let mut bytes = Vec::new();
    let read = beside.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes);
    read.ok().map(|_| bytes)
}

fn tell(declaration: Declaration) {
    let (name, key) = match declaration {
        Declaration::Script => ("the program's '# /// script' block", "python"),
        Declaration::PackageJson => (PACKAGE_JSON, "node"),
    };
    terminal::say(format_args!(
        "{name} asks for packages, which are off: add --with PACKAGE, or set {key} in [packages] of the configuration"
    ));
}
