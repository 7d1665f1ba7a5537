//! `images export` and `images import`.

use crate::args::Format;
use crate::commands::print_json;
use crate::progress::Bars;
use crate::table;
use images::{ImageStore, ImportState};
use languages::RootImage;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Writes kernels and images into a file, and says what is in it.
pub async fn export(
    store: Arc<ImageStore>,
    file: PathBuf,
    named: Vec<RootImage>,
) -> anyhow::Result<ExitCode> {
    let rows = tokio::task::spawn_blocking(move || {
        let bars = Bars::new();
        store.export(&file, &named, &bars.task("export"))
    })
    .await??;
    table::print(
        &["exported", "size"],
        rows.into_iter()
            .map(|row| vec![row.name, table::mib(row.size_bytes)]),
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Takes kernels and images from a file, and says what became of each.
pub async fn import(
    store: Arc<ImageStore>,
    file: PathBuf,
    format: &Format,
) -> anyhow::Result<ExitCode> {
    let rows = tokio::task::spawn_blocking(move || {
        let bars = Bars::new();
        store.import(&file, &bars.task("import"))
    })
    .await??;
    if format.json {
        return print_json(&json!({ "imported": rows }));
    }
    table::print(
        &["image", "size", "state"],
        rows.into_iter().map(|row| {
            let state = match row.state {
                ImportState::Imported => "imported",
                ImportState::AlreadyThere => "was there already",
            };
            vec![row.name, table::mib(row.size_bytes), state.to_owned()]
        }),
    )?;
    Ok(ExitCode::SUCCESS)
}
