//! What a saved VM was made for, as far as it counts for one that stays: no program.

use protocol::job::Job;
use protocol::language::Language;
use protocol::limits::JobLimits;
use protocol::trace_id::TraceId;
use serde::{Deserialize, Serialize};

/// What a saved VM was made for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedJob {
    trace_id: TraceId,
    /// A label: `python@agent`.
    language: String,
    env: Vec<(String, String)>,
    /// What it may use.
    pub limits: JobLimits,
    seccomp_program: Vec<u64>,
}

impl SavedJob {
    /// Of this job.
    pub fn of(job: &Job) -> SavedJob {
        SavedJob {
            trace_id: job.trace_id.clone(),
            language: job.language.label(),
            env: job.env.clone(),
            limits: job.limits.clone(),
            seccomp_program: job.seccomp_program.clone(),
        }
    }

    /// The name of its image.
    pub fn image(&self) -> &str {
        self.language
            .split_once('@')
            .map_or(&self.language, |(_, image)| image)
    }

    /// A job of which a VM is made anew; `None`: its language or image is not known here (any more).
    pub fn job(&self) -> Option<Job> {
        let language = Language::from_label(&self.language)?;
        Some(Job {
            trace_id: self.trace_id.clone(),
            // Whose it is stands beside it, by the one who had it saved.
            owner: None,
            language,
            // Nothing in any of the languages: it is not run.
            code: "\n".to_owned(),
            entry: language.row().source_file.clone(),
            args: Vec::new(),
            env: self.env.clone(),
            files: Vec::new(),
            limits: self.limits.clone(),
            fresh_interpreter: false,
            collect_artifacts: false,
            normalize_time: None,
            egress: None,
            seccomp_program: self.seccomp_program.clone(),
            patterns_found: Vec::new(),
        })
    }
}
