//! `snapshots`: what clones are made of.

use super::{languages_or_built, named, print_json};
use crate::args::{Format, Global, SnapshotsCommand};
use crate::context;
use crate::progress::status::StatusLine;
use crate::table::{self, kept, spare};
use anyhow::{Context as _, anyhow};
use sandbox::materials::Shape;
use sandbox::snapshots::{Comparison, SnapshotRow, SnapshotStore};
use serde_json::json;
use std::process::ExitCode;
use std::time::Instant;

/// Carries out one of the commands.
pub async fn run(global: &Global, command: SnapshotsCommand) -> anyhow::Result<ExitCode> {
    let config = context::config(global)?;
    let store = SnapshotStore::open(&context::state_dir(&config).join("snapshots"))?;
    match command {
        SnapshotsCommand::Create {
            languages,
            memory,
            vcpus,
        } => {
            let sandbox = context::sandbox(&config).await?;
            let default = sandbox.supply().default_shape();
            let shape = Shape {
                memory_mib: match memory {
                    Some(mib) => u32::try_from(mib).context("--memory is out of bounds")?,
                    None => default.memory_mib,
                },
                vcpus: vcpus.unwrap_or(default.vcpus),
            };
            for language in languages_or_built(&config, &languages)? {
                let begun = Instant::now();
                eprintln!("{language}: booting, warming up and saving a template …");
                sandbox
                    .supply()
                    .create_snapshot(language, shape)
                    .await
                    .map_err(|no| anyhow!("{no} [{}]", no.code()))?;
                eprintln!(
                    "{language}: ready after {:.1} s",
                    begun.elapsed().as_secs_f64()
                );
            }
            Ok(ExitCode::SUCCESS)
        }
        SnapshotsCommand::List { format } => show(&store, Comparison::Changed, format).await,
        SnapshotsCommand::Verify { format } => show(&store, Comparison::All, format).await,
        SnapshotsCommand::Rm { languages } => {
            for id in store.remove(&named(&languages)?)? {
                table::line(format_args!("removed {id}"))?;
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn show(
    store: &SnapshotStore,
    check: Comparison,
    format: Format,
) -> anyhow::Result<ExitCode> {
    let status = StatusLine::begin("reading the snapshots");
    let reading = store.clone();
    let rows = tokio::task::spawn_blocking(move || reading.list(check)).await??;
    drop(status);
    let all_right = rows.iter().all(|row| row.error.is_none());
    if format.json {
        print_json(&json!({ "snapshots": rows }))?;
    } else {
        let columns = [
            kept("snapshot"),
            kept("state"),
            kept("on disk"),
            spare("made"),
            spare("memory"),
            spare("vcpus"),
        ];
        table::print_fitted(&columns, rows.iter().map(cells), &format)?;
    }
    Ok(if all_right {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn cells(row: &SnapshotRow) -> Vec<String> {
    let of_key = |text: &dyn Fn(&sandbox::snapshots::SnapshotKey) -> String| {
        row.key.as_ref().map(text).unwrap_or_else(|| "?".to_owned())
    };
    vec![
        row.id.clone(),
        row.error.clone().unwrap_or_else(|| "as made".to_owned()),
        table::mib(row.disk_bytes),
        table::ago_of_text(row.created_at.as_deref().unwrap_or("?")),
        of_key(&|key| format!("{} MiB", key.memory_mib)),
        of_key(&|key| key.vcpus.to_string()),
    ]
}
