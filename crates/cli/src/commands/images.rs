//! `images`: builds, lists, verifies and removes what VMs boot from.

use super::{language, languages_or_all, print_json};
use crate::args::{Global, ImagesCommand};
use crate::progress::Bars;
use crate::{context, table};
use images::ImageStore;
use protocol::language::Language;
use serde_json::json;
use std::process::ExitCode;
use std::sync::Arc;

/// Carries out one of the commands.
pub async fn run(global: &Global, command: ImagesCommand) -> anyhow::Result<ExitCode> {
    let config = context::config(global)?;
    let store = context::image_store(&config)?;
    match command {
        ImagesCommand::Build { languages, force } => {
            build(store, languages_or_all(&languages)?, force).await
        }
        ImagesCommand::List { format } => list(&store, format.json),
        ImagesCommand::Verify { languages, format } => verify(store, &languages, format.json).await,
        ImagesCommand::Rm { languages } => {
            for name in &languages {
                let language = language(name)?;
                store.remove(language)?;
                table::line(format_args!("removed the image of {language}"))?;
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn build(
    store: Arc<ImageStore>,
    languages: Vec<Language>,
    force: bool,
) -> anyhow::Result<ExitCode> {
    tokio::task::spawn_blocking(move || -> anyhow::Result<()> {
        let bars = Bars::new();
        store.build_kernel(force, &bars.task("kernel"))?;
        for language in languages {
            store.build(language, force, &bars.task(language.name()))?;
        }
        Ok(())
    })
    .await??;
    Ok(ExitCode::SUCCESS)
}

fn list(store: &ImageStore, as_json: bool) -> anyhow::Result<ExitCode> {
    let rows = store.list()?;
    if as_json {
        return print_json(&json!({ "images": rows }));
    }
    table::print(
        &["language", "size", "packages", "built", "sha256"],
        rows.iter().map(|row| {
            vec![
                row.language.to_string(),
                table::mib(row.size_bytes),
                row.packages.to_string(),
                row.built_at.clone(),
                row.sha256.chars().take(16).collect(),
            ]
        }),
    )?;
    Ok(ExitCode::SUCCESS)
}

async fn verify(
    store: Arc<ImageStore>,
    names: &[String],
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let only = names
        .iter()
        .map(|name| language(name))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let checked = tokio::task::spawn_blocking(move || store.verify(&only)).await??;
    let all_right = checked.iter().all(|row| row.error.is_none());
    if as_json {
        print_json(&json!({ "images": checked }))?;
    } else {
        table::print(
            &["image", "state"],
            checked.iter().map(|row| {
                let state = row.error.clone().unwrap_or_else(|| "as built".to_owned());
                vec![row.name.clone(), state]
            }),
        )?;
    }
    Ok(if all_right {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
