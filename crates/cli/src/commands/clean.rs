//! `clean`: removes what crashes left behind.

use super::print_json;
use crate::args::{Format, Global};
use crate::{context, table};
use serde_json::json;
use std::process::ExitCode;

/// Sweeps processes, cgroups, mounts and folders that carry our mark and have no living owner.
pub async fn run(global: &Global, format: &Format) -> anyhow::Result<ExitCode> {
    let config = context::config(global)?;
    let removed = context::sweep(&config).await?;
    if format.json {
        return print_json(&json!({ "removed": removed }));
    }
    if removed.is_empty() {
        table::line("nothing to clean")?;
    } else {
        table::print(
            &["kind", "name"],
            removed
                .into_iter()
                .map(|row| vec![row.kind.to_owned(), row.name]),
        )?;
    }
    Ok(ExitCode::SUCCESS)
}
