//! What clients send to contexts and their cells.

use super::follower::OnDisconnect;
use super::path;
use super::slot::SandboxSlot;
use crate::app::App;
use crate::body::null_as_absent;
use crate::problem::{HttpCode, Problem};
use crate::staying::within;
use protocol::environment::WORK_DIR;
use protocol::job::JobRequest;
use protocol::language::{Language, RootImage, all, context, images, instead_of_language};
use protocol::validate::shown;
use sandbox::drive::standing_limits;
use sandbox::live::contexts::{Cell, ContextId, ContextInfo, ContextSpec, MAX_CELL_BYTES};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use utoipa::ToSchema;

/// A context that is wanted: an interpreter that keeps its variables.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"language": "python", "cwd": "/work"}))]
pub struct ContextRequest {
    /// python, node, typescript, bash, r or java, where the image has it; absent: the sandbox's own.
    #[serde(default)]
    pub language: Option<String>,
    /// The folder where it starts; absolute. Absent: `/work`.
    #[serde(default)]
    pub cwd: Option<String>,
    /// Added to the sandbox's environment.
    #[serde(default, deserialize_with = "null_as_absent")]
    #[schema(nullable)]
    pub env: BTreeMap<String, String>,
}

/// A context.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContextBody {
    /// Its name in the sandbox.
    pub id: u32,
    /// What its cells are written in.
    pub language: &'static str,
    /// Where its interpreter starts.
    pub cwd: String,
    /// Its interpreter among the sandbox's processes; `null`: the next cell gets a new one.
    pub process: Option<u32>,
    /// Cells that it took so far.
    pub cells: u64,
}

/// A cell for a context.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "x = 41\nx + 1"}))]
pub struct ExecuteCellRequest {
    /// The program.
    pub code: String,
    /// Where; absent: the language's own context, which is made at its first use.
    #[serde(default)]
    pub context: Option<ContextId>,
    /// Without `context`: what it is written in; absent: the sandbox's own language.
    #[serde(default)]
    pub language: Option<String>,
    /// Seconds that it may run; absent: as a job may. Then it is interrupted.
    #[serde(default)]
    pub timeout: Option<f64>,
    /// Its whole standard input.
    #[serde(default)]
    pub stdin: Option<String>,
    /// Its arguments.
    #[serde(default, deserialize_with = "null_as_absent")]
    #[schema(nullable)]
    pub args: Vec<String>,
    /// Set before it runs, and left so.
    #[serde(default, deserialize_with = "null_as_absent")]
    #[schema(nullable)]
    pub env: BTreeMap<String, String>,
    /// What becomes of it when its client goes: it goes on, or is interrupted.
    #[serde(default, deserialize_with = "null_as_absent")]
    #[schema(nullable)]
    pub on_disconnect: OnDisconnect,
}

impl ContextRequest {
    /// Judged as a job of the sandbox's would be.
    pub fn spec(self, app: &App, slot: &SandboxSlot) -> Result<ContextSpec, Problem> {
        let cwd = self.cwd.unwrap_or_else(|| WORK_DIR.into());
        path::check("cwd", &cwd)?;
        let language = language(self.language.as_deref(), slot)?;
        let judged = app.judge(JobRequest {
            code: "\n".into(),
            env: self.env,
            ..slot.judged(language)
        })?;
        Ok(ContextSpec {
            language,
            cwd,
            env: slot.job.env.iter().cloned().chain(judged.env).collect(),
            limits: standing_limits(&slot.job),
        })
    }
}

impl ExecuteCellRequest {
    /// What it is written in; `known` is its context's.
    pub fn language(
        &self,
        known: Option<Language>,
        slot: &SandboxSlot,
    ) -> Result<Language, Problem> {
        let asked = language(self.language.as_deref(), slot)?;
        match known {
            Some(known) if self.language.is_some() && known != asked => {
                let sentence = format!("the context's language is {}", known.name());
                Err(Problem::with(HttpCode::FieldInvalid, sentence).field("language"))
            }
            Some(known) => Ok(known),
            None => Ok(asked),
        }
    }

    /// The cell: judged as a job of the sandbox's would be, but for how long it may run.
    pub fn cell(self, app: &App, slot: &SandboxSlot, language: Language) -> Result<Cell, Problem> {
        let stdin = self.stdin.unwrap_or_default();
        if stdin.len() > MAX_CELL_BYTES {
            let sentence = format!("stdin has more than {MAX_CELL_BYTES} bytes: use a file");
            return Err(Problem::with(HttpCode::BodyTooLarge, sentence).field("stdin"));
        }
        let job = app.judge(JobRequest {
            code: self.code,
            args: self.args,
            env: self.env,
            ..slot.judged(language)
        })?;
        let timeout = match self.timeout {
            None => job.limits.timeout,
            asked => within("timeout", asked, app.config().sessions.total_seconds)?,
        };
        Ok(Cell {
            code: job.code,
            args: job.args,
            env: job.env,
            stdin: stdin.into_bytes(),
            timeout: timeout.max(Duration::from_millis(1)),
            output_bytes: usize::try_from(job.limits.output_bytes).unwrap_or(usize::MAX),
            ..Cell::default()
        })
    }
}

fn language(named: Option<&str>, slot: &SandboxSlot) -> Result<Language, Problem> {
    let Some(name) = named else {
        return Ok(slot.job.language);
    };
    let image = slot.job.language.image();
    let known = Language::from_alias(name);
    // In another image it is another interpreter.
    let here = known.map(|known| known.in_image(image).unwrap_or(known));
    let here = here.ok_or_else(|| {
        let sentence = format!(
            "the language {} is not known, {}",
            shown(name),
            instead_of_language(name)
        );
        Problem::with(HttpCode::FieldInvalid, sentence).field("language")
    })?;
    // What somebody's own image holds is known only where it says so.
    let is_known = !image.languages().is_empty();
    match is_known && context(here).is_some() && !here.has_context_in(image) {
        true => Err(not_in_image(here, image)),
        false => Ok(here),
    }
}

/// Says what the image runs cells of, and which images have the language.
fn not_in_image(language: Language, image: RootImage) -> Problem {
    let own: Vec<&str> = all()
        .filter(|language| language.has_context_in(image))
        .map(Language::name)
        .collect();
    let others: Vec<&str> = images()
        .filter(|other| !other.is_package_set() && language.has_context_in(*other))
        .map(RootImage::name)
        .collect();
    let sentence = format!(
        "the image {image} runs no cells in {}, but in {}; make a sandbox of an image that does: {}",
        language.name(),
        own.join(", "),
        others.join(", "),
    );
    Problem::with(HttpCode::ContextUnsupported, sentence).field("language")
}

impl From<ContextInfo> for ContextBody {
    fn from(info: ContextInfo) -> ContextBody {
        ContextBody {
            id: info.id,
            language: info.language.name(),
            cwd: info.cwd,
            process: info.process,
            cells: info.cells,
        }
    }
}
