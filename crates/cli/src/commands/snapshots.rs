//! `snapshots`: what clones are made of.

use super::{language, languages_or_all, print_json};
use crate::args::{Global, SnapshotsCommand};
use crate::{context, table};
use anyhow::anyhow;
use sandbox::materials::Shape;
use sandbox::snapshots::{SnapshotRow, SnapshotStore};
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
                memory_mib: memory.unwrap_or(default.memory_mib),
                vcpus: vcpus.unwrap_or(default.vcpus),
            };
            let languages = if languages.is_empty() {
                let images = context::image_store(&config)?.list()?;
                images.iter().map(|row| row.language).collect()
            } else {
                languages_or_all(&languages)?
            };
            for language in languages {
                let begun = Instant::now();
                eprintln!("{language}: booting, rehearsing and saving a template …");
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
        SnapshotsCommand::List { format } => show(&store, false, format.json).await,
        SnapshotsCommand::Verify { format } => show(&store, true, format.json).await,
        SnapshotsCommand::Rm { languages } => {
            let named = languages
                .iter()
                .map(|name| language(name))
                .collect::<anyhow::Result<Vec<_>>>()?;
            for id in store.remove(&named)? {
                table::line(format_args!("removed {id}"))?;
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn show(store: &SnapshotStore, read_all: bool, as_json: bool) -> anyhow::Result<ExitCode> {
    let reading = store.clone();
    let rows = tokio::task::spawn_blocking(move || reading.list(read_all)).await??;
    let all_right = rows.iter().all(|row| row.error.is_none());
    if as_json {
        print_json(&json!({ "snapshots": rows }))?;
    } else {
        table::print(
            &["snapshot", "memory", "vcpus", "on disk", "made", "state"],
            rows.iter().map(cells),
        )?;
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
        of_key(&|key| format!("{} MiB", key.memory_mib)),
        of_key(&|key| key.vcpus.to_string()),
        table::mib(row.disk_bytes),
        row.created_at.clone().unwrap_or_else(|| "?".to_owned()),
        row.error.clone().unwrap_or_else(|| "as made".to_owned()),
    ]
}
