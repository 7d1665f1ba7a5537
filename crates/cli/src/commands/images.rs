//! `images`: builds, lists, verifies, removes and carries what VMs boot from.

mod build;
mod list;
mod outdated;
mod transfer;

use super::{named, print_json};
use crate::args::{Format, Global, ImagesCommand, LockArgs};
use crate::{context, table};
use images::{ImageStore, LockUse, Rebuild};
use protocol::language::{self, Language};
use sandbox::config::Config;
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
            all,
            kernel,
            force,
            lock,
        } => {
            let store = Arc::new(context::open_images(&config)?.with_lock(lock_use(lock)));
            let build = build::Build {
                kernels: build::kernels_wanted(&config, kernel).await,
                languages: match all {
                    true => language::all().collect(),
                    false => named_or_usual(&config, &languages)?,
                },
                rebuild: match force {
                    true => Rebuild::Always,
                    false => Rebuild::IfNeeded,
                },
            };
            build.run(&config, store).await
        }
        ImagesCommand::Outdated { format } => outdated::run(&store, &format),
        ImagesCommand::Lock => {
            for line in store.lock_text()?.lines() {
                table::line(line)?;
            }
            Ok(ExitCode::SUCCESS)
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

fn lock_use(args: LockArgs) -> LockUse {
    match args {
        LockArgs { locked: true, .. } => LockUse::Required,
        LockArgs { unlocked: true, .. } => LockUse::Ignored,
        LockArgs { .. } => LockUse::Preferred,
    }
}

/// Those that a user named; when none was, those that are built by default and those that the configuration has a pool
/// of.
fn named_or_usual(config: &Config, names: &[String]) -> anyhow::Result<Vec<Language>> {
    if !names.is_empty() {
        return named(names);
    }
    let by_default =
        |language: &Language| language.recipe().is_some_and(|recipe| recipe.by_default);
    let is_usual = |language: &Language| by_default(language) || config.pool.contains_key(language);
    Ok(language::all().filter(is_usual).collect())
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

#[cfg(test)]
mod tests {
    use super::*;
    use ::sandbox::config::PoolSize;

    #[test]
    fn what_is_built_without_names_is_usual_or_has_a_pool() {
        let mut config = Config::default();
        let names = |config: &Config, names: &[String]| -> Vec<&str> {
            let languages = named_or_usual(config, names).unwrap();
            languages.into_iter().map(Language::name).collect()
        };
        let usual = ["bash", "go", "node", "python", "rust"];
        assert_eq!(names(&config, &[]), usual);
        let one = PoolSize {
            min: 1,
            max: 1,
            max_age_seconds: 600,
            warmed: true,
        };
        config.pool = [(language::named("perl"), one)].into();
        let with_perl = ["bash", "go", "node", "perl", "python", "rust"];
        assert_eq!(names(&config, &[]), with_perl);
        assert_eq!(names(&config, &["c++".to_owned()]), ["cpp"]);
    }
}
