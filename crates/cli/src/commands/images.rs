//! `images`: builds, lists, verifies, removes and carries what VMs boot from.

pub mod build;
mod custom;
mod list;
mod outdated;
mod transfer;

use super::print_json;
use crate::args::{Format, Global, ImagesCommand, KernelArg, LockArgs};
use crate::progress::status::StatusLine;
use crate::{context, exit, table};
use anyhow::anyhow;
use images::custom::Unused;
use images::{ImageStore, LockUse, Rebuild};
use languages::RootImage;
use sandbox::config::Config;
use serde_json::json;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

const DAY_SECONDS: u64 = 24 * 3600;

/// Carries out one of the commands.
pub async fn run(global: &Global, command: ImagesCommand) -> anyhow::Result<ExitCode> {
    let config = context::config(global)?;
    let store = context::image_store(&config)?;
    match command {
        ImagesCommand::Build {
            names,
            all,
            outdated,
            kernel,
            force,
            lock,
        } => {
            let store = Arc::new(context::open_images(&config)?.with_lock(lock_use(lock)));
            let (files, names): (Vec<String>, Vec<String>) =
                names.into_iter().partition(|name| custom::is_file(name));
            // What is wrong with them is told before anything is made.
            let specs = custom::specs(&files)?;
            let rebuild = match force || outdated {
                true => Rebuild::Always,
                false => Rebuild::IfNeeded,
            };
            let build = build::Build {
                kernels: build::kernels_wanted(&config, kernel).await,
                images: match all {
                    false if outdated => store.to_rebuild(jiff::Zoned::now().date())?,
                    true => languages::images()
                        .filter(|image| !image.is_custom())
                        .collect(),
                    false if names.is_empty() && !files.is_empty() => Vec::new(),
                    false => named_or_usual(&config, &names)?,
                },
                rebuild,
                rebuild_kernels: match kernel {
                    KernelArg::Auto => Rebuild::IfNeeded,
                    KernelArg::Virtual | KernelArg::Uml | KernelArg::All => rebuild,
                },
            };
            build.run(&config, store.clone()).await?;
            custom::build(store, specs, rebuild).await?;
            Ok(ExitCode::SUCCESS)
        }
        ImagesCommand::Outdated { format } => outdated::run(&store, &format),
        ImagesCommand::Lock => {
            for line in store.lock_text()?.lines() {
                table::line(line)?;
            }
            Ok(ExitCode::SUCCESS)
        }
        ImagesCommand::List { format } => list::run(&store, &format),
        ImagesCommand::Verify { names, format } => verify(store, named(&names)?, &format).await,
        ImagesCommand::Rm { names } => {
            for image in named(&names)? {
                store.remove(image)?;
                table::line(format_args!("removed the image {image}"))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        ImagesCommand::Export { file, names } => {
            transfer::export(store, file, named(&names)?).await
        }
        ImagesCommand::Import {
            source,
            name,
            format,
        } => match custom::Imported::parse(&source, name)? {
            custom::Imported::Bundle(file) => transfer::import(store, file, &format).await,
            custom::Imported::Oci(source, name) => {
                custom::import(store, source, name, &format).await
            }
        },
        ImagesCommand::Inspect { name, sbom, format } => {
            let image = named(&[name])?[0];
            match sbom {
                true => custom::bill(&store, image),
                false => custom::inspect(&store, image, &format),
            }
        }
        ImagesCommand::Prune {
            unused_for,
            all,
            format,
        } => {
            let for_at_least = Duration::from_secs(unused_for.saturating_mul(DAY_SECONDS));
            custom::prune(&store, Unused { for_at_least, all }, &format)
        }
    }
}

fn lock_use(args: LockArgs) -> LockUse {
    match args {
        LockArgs { locked: true, .. } => LockUse::Required,
        LockArgs { unlocked: true, .. } => LockUse::Ignored,
        LockArgs { .. } => LockUse::Preferred,
    }
}

/// Images by their names; a language's name or alias means the image that it boots from.
fn named(names: &[String]) -> anyhow::Result<Vec<RootImage>> {
    names.iter().map(|name| image(name)).collect()
}

/// The same of one.
pub fn image(name: &str) -> anyhow::Result<RootImage> {
    let image = RootImage::meant_by(name);
    image.ok_or_else(|| {
        let instead = languages::instead_of_image(name);
        exit::usage(anyhow!("image {name:?} is not known, {instead}"))
    })
}

/// Those that a user named; when none was, those that are built by default and those that the configuration has a pool
/// of.
fn named_or_usual(config: &Config, names: &[String]) -> anyhow::Result<Vec<RootImage>> {
    if !names.is_empty() {
        return named(names);
    }
    let pooled: Vec<RootImage> = config
        .pool
        .keys()
        .map(|language| language.image())
        .collect();
    let is_usual = |image: &RootImage| image.recipe().by_default || pooled.contains(image);
    Ok(languages::images().filter(is_usual).collect())
}

async fn verify(
    store: Arc<ImageStore>,
    only: Vec<RootImage>,
    format: &Format,
) -> anyhow::Result<ExitCode> {
    let status = StatusLine::begin("reading every byte of the images");
    let checked = tokio::task::spawn_blocking(move || store.verify(&only)).await??;
    drop(status);
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
    use ::sandbox::config::{PoolSize, ReadyFor};
    use languages::Language;

    #[test]
    fn what_is_built_without_names_is_usual_or_has_a_pool() {
        let mut config = Config::default();
        let names = |config: &Config, names: &[String]| -> Vec<&str> {
            let images = named_or_usual(config, names).unwrap();
            images.into_iter().map(RootImage::name).collect()
        };
        let usual = ["bash", "go", "node", "python", "rust"];
        assert_eq!(names(&config, &[]), usual);
        let one = PoolSize {
            min: 1,
            max: 1,
            max_age_seconds: 600,
            warmed: true,
            ready_for: ReadyFor::Jobs,
        };
        config.pool = [(Language::from_name("perl").unwrap(), one)].into();
        let with_perl = ["bash", "go", "node", "perl", "python", "rust"];
        assert_eq!(names(&config, &[]), with_perl);
        assert_eq!(names(&config, &["c++".to_owned()]), ["cpp"]);
        assert_eq!(names(&config, &["python-data".to_owned()]), ["python-data"]);
    }
}
