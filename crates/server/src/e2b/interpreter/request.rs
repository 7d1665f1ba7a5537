//! What E2B's clients send to the code interpreter. Fields that are not known are passed over: newer clients have more,
//! and what they ask for with these is optional.

use crate::body::null_as_absent;
use crate::problem::Problem;
use crate::sandboxes::cell::ExecuteCellRequest;
use crate::sandboxes::follower::OnDisconnect;
use crate::sandboxes::table::UsedSandbox;
use protocol::language::Language;
use sandbox::live::contexts::{Cell, EnvScope, Formats};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A cell.
#[derive(Debug, Deserialize)]
pub struct Execute {
    /// The program.
    pub code: String,
    /// Where; absent: the language's own context.
    #[serde(default)]
    pub context_id: Option<String>,
    /// Without `context_id`: what it is written in; absent: Python.
    #[serde(default)]
    pub language: Option<String>,
    /// Set while it runs.
    #[serde(default, deserialize_with = "null_as_absent")]
    pub env_vars: BTreeMap<String, String>,
}

/// A context that is wanted.
#[derive(Debug, Deserialize)]
pub struct CreateContext {
    /// Absent: Python.
    #[serde(default)]
    pub language: Option<String>,
    /// Absent: the user's home.
    #[serde(default)]
    pub cwd: Option<String>,
}

impl Execute {
    /// The cell: judged as every other, but it may run until its client goes and print as much as any may. Its answer is
    /// passed on as it comes, so neither takes more of this host.
    pub fn cell(self, used: &UsedSandbox, language: Language) -> Result<Cell, Problem> {
        let app = &used.app;
        let request = ExecuteCellRequest {
            code: self.code,
            context: None,
            language: None,
            timeout: Some(app.config().sessions.total_seconds as f64),
            stdin: None,
            args: Vec::new(),
            env: self.env_vars,
            on_disconnect: OnDisconnect::Kill,
        };
        let most = app.rooms.sandbox.policy().maxima.output_bytes;
        Ok(Cell {
            env_scope: EnvScope::Cell,
            formats: Formats::Structured,
            output_bytes: usize::try_from(most).unwrap_or(usize::MAX),
            ..request.cell(app, &used.slot, language)?
        })
    }
}
