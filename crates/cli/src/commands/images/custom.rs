//! `images build FILE.toml`, `images import` of others' images, `images inspect`, `images prune`.

use crate::args::Format;
use crate::commands::print_json;
use crate::progress::Bars;
use crate::{exit, table};
use anyhow::anyhow;
use images::custom::spec::ImageSpec;
use images::custom::{OciImport, Unused};
use images::{ImageStore, Rebuild, oci};
use languages::RootImage;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Letters of an image's name, at most.
const MAX_NAME_BYTES: usize = 32;

/// Whether what was named is a file that describes an image.
pub fn is_file(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "toml")
}

/// Reads what files describe.
pub fn specs(files: &[String]) -> anyhow::Result<Vec<ImageSpec>> {
    let read = |file: &String| ImageSpec::read(Path::new(file)).map_err(exit::usage);
    files.iter().map(read).collect()
}

/// Builds it.
pub async fn build(
    store: Arc<ImageStore>,
    specs: Vec<ImageSpec>,
    rebuild: Rebuild,
) -> anyhow::Result<()> {
    tokio::task::spawn_blocking(move || -> anyhow::Result<()> {
        let bars = Bars::new();
        for spec in specs {
            let task = bars.task(&spec.name);
            store.build_custom(&spec, rebuild, &task)?;
        }
        Ok(())
    })
    .await?
}

/// What is to be imported.
pub enum Imported {
    /// A file of `images export`.
    Bundle(PathBuf),
    /// An image of somebody else's, and what it is to be called.
    Oci(oci::Source, String),
}

impl Imported {
    /// What was named on the command line: a file that is there, else an image.
    pub fn parse(source: &str, name: Option<String>) -> anyhow::Result<Imported> {
        let file = PathBuf::from(source);
        if file.is_file() {
            if name.is_some() {
                return Err(exit::usage(anyhow!(
                    "--name goes with an OCI image; {source} is a file of `images export`"
                )));
            }
            return Ok(Imported::Bundle(file));
        }
        let parsed: oci::Source = source.parse().map_err(exit::usage)?;
        let name = name.or_else(|| own_name(source)).ok_or_else(|| {
            exit::usage(anyhow!(
                "{source} has no name that an image may have; add --name NAME"
            ))
        })?;
        Ok(Imported::Oci(parsed, name))
    }
}

/// The last part of what an image is called, without tag and digest: of a-z, 0-9 and -.
fn own_name(source: &str) -> Option<String> {
    let path = source
        .strip_prefix("docker-archive:")
        .or(source.strip_prefix("oci:"))
        .unwrap_or(source);
    let path = path.split('@').next()?;
    let last = path.trim_end_matches('/').rsplit('/').next()?;
    let last = last.split(':').next()?;
    let last = last.strip_suffix(".tar").unwrap_or(last);
    let plain =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    let fits = (1..=MAX_NAME_BYTES).contains(&last.len()) && last.chars().all(plain);
    fits.then(|| last.to_owned())
}

/// Takes an image of somebody else's, and says what came of it.
pub async fn import(
    store: Arc<ImageStore>,
    source: oci::Source,
    name: String,
    format: &Format,
) -> anyhow::Result<ExitCode> {
    let (image, import) = tokio::task::spawn_blocking(move || {
        let bars = Bars::new();
        store.import_oci(&source, &name, &bars.task(&name))
    })
    .await??;
    let languages: Vec<String> = image
        .languages()
        .iter()
        .map(|one| one.name().to_owned())
        .collect();
    if format.json {
        return print_json(&json!({
            "image": image,
            "digest": import.digest,
            "languages": languages,
            "state": state(&import),
            "dropped": import.dropped,
        }));
    }
    table::print(
        &["image", "state", "languages", "digest"],
        [vec![
            image.to_string(),
            state(&import).to_owned(),
            languages.join(", "),
            import.digest.clone(),
        ]],
    )?;
    Ok(ExitCode::SUCCESS)
}

fn state(import: &OciImport) -> &'static str {
    match import.dropped {
        Some(_) => "imported",
        None => "was there already",
    }
}

/// Prints a bill of materials.
pub fn bill(store: &ImageStore, image: RootImage) -> anyhow::Result<ExitCode> {
    print_json(&store.inspect(image)?.bill_of_materials())
}

/// Prints what is in an image.
pub fn inspect(store: &ImageStore, image: RootImage, format: &Format) -> anyhow::Result<ExitCode> {
    let inspected = store.inspect(image)?;
    if format.json {
        return print_json(&inspected);
    }
    let made_of = match &inspected.origin {
        None => "the tool's own recipe".to_owned(),
        Some(origin) => serde_json::to_string(origin)?,
    };
    let command = inspected
        .defaults
        .as_ref()
        .map(|defaults| defaults.argv(&[]).join(" "));
    for (what, value) in [
        ("image", inspected.image.to_string()),
        ("about", inspected.about.clone()),
        ("size", table::mib(inspected.size_bytes)),
        ("built", inspected.built_at.clone()),
        ("sha256", inspected.sha256.clone()),
        ("languages", inspected.languages.join(", ")),
        ("command", command.unwrap_or_default()),
        ("made of", made_of),
    ] {
        if !value.is_empty() {
            table::line(format_args!("{what:10} {value}"))?;
        }
    }
    table::line("")?;
    table::print(
        &["package", "version", "source", "licence"],
        inspected.packages.iter().map(|package| {
            let source = serde_json::to_value(package.source).unwrap_or_default();
            vec![
                package.name.clone(),
                package.version.clone(),
                source.as_str().unwrap_or_default().to_owned(),
                package.licence.clone(),
            ]
        }),
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Removes what nobody uses, and says what went.
pub fn prune(store: &ImageStore, unused: Unused, format: &Format) -> anyhow::Result<ExitCode> {
    let pruned = store.prune(unused)?;
    if format.json {
        return print_json(&json!({ "pruned": pruned }));
    }
    table::print(
        &["removed", "size"],
        pruned
            .into_iter()
            .map(|row| vec![row.image, table::mib(row.size_bytes)]),
    )?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_called_by_the_last_part_of_its_name() {
        for (source, name) in [
            ("oci:build/app:latest", Some("app")),
            ("docker-archive:/tmp/my-app.tar", Some("my-app")),
            ("registry.example.com:5000/team/app@sha256:ab", Some("app")),
            ("registry.example.com/team/app:1.2", Some("app")),
            ("oci:Build_1", None),
        ] {
            assert_eq!(own_name(source).as_deref(), name, "{source}");
        }
    }
}
