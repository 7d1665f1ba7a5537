//! `images`: builds, lists, verifies, removes and carries what VMs boot from.

mod build;
mod list;
mod transfer;

use super::{language, languages_or_all, print_json};
use crate::args::{Format, Global, ImagesCommand};
use crate::{context, table};
use images::{ImageStore, Rebuild};
use protocol::language::Language;
use serde_json::json;
use std::process::ExitCode;
use std::sync::Arc;

/// Carries out one of the commands.
pub async fn run(global: &Global, command: ImagesCommand) -> anyhow::Result<ExitCode> {
    let config = context::config(global)?;
    let store = context::image_store(&config)?;
    match command {
        ImagesCommand::Build {
            languages,
            kernel,
            force,
        } => {
            let build = build::Build {
                kernels: build::kernels_wanted(&config, kernel).await,
                languages: languages_or_all(&languages)?,
                rebuild: match force {
                    true => Rebuild::Always,
                    false => Rebuild::IfNeeded,
                },
            };
            build.run(&config, store).await
        }
        ImagesCommand::List { format } => list::run(&store, &format),
        ImagesCommand::Verify { languages, format } => {
            verify(store, named(&languages)?, &format).await
        }
        ImagesCommand::Rm { languages } => {
            for language in named(&languages)? {
                store.remove(language)?;
                table::line(format_args!("removed the image of {language}"))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        ImagesCommand::Export { file, languages } => {
            transfer::export(store, file, named(&languages)?).await
        }
        ImagesCommand::Import { file, format } => transfer::import(store, file, &format).await,
    }
}

fn named(languages: &[String]) -> anyhow::Result<Vec<Language>> {
    languages.iter().map(|name| language(name)).collect()
}

async fn verify(
    store: Arc<ImageStore>,
    only: Vec<Language>,
    format: &Format,
) -> anyhow::Result<ExitCode> {
    let checked = tokio::task::spawn_blocking(move || store.verify(&only)).await??;
    let all_right = checked.iter().all(|row| row.error.is_none());
    if format.json {
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
