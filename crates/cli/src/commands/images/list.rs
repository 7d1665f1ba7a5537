//! `images list`.

use crate::args::Format;
use crate::commands::print_json;
use crate::table;
use images::{ImageRow, ImageStore, KernelRow};
use serde_json::json;
use std::process::ExitCode;

/// As many digits as files' names have of their digests.
const DIGEST_DIGITS: usize = 16;

/// Prints the kernels and the images.
pub fn run(store: &ImageStore, format: &Format) -> anyhow::Result<ExitCode> {
    let (kernels, images) = (store.kernels(), store.list()?);
    if format.json {
        return print_json(&json!({ "images": images, "kernels": kernels }));
    }
    if !kernels.is_empty() {
        table::print(
            &["kernel", "size", "package", "built", "sha256"],
            kernels.iter().map(kernel_row),
        )?;
        table::line("")?;
    }
    table::print(
        &["image", "size", "packages", "built", "sha256"],
        images.iter().map(image_row),
    )?;
    Ok(ExitCode::SUCCESS)
}

fn kernel_row(row: &KernelRow) -> Vec<String> {
    vec![
        row.name.clone(),
        table::mib(row.size_bytes),
        format!("{} {}", row.package, row.package_version),
        row.built_at.clone(),
        digest_or(&row.sha256, row.error.as_deref()),
    ]
}

fn image_row(row: &ImageRow) -> Vec<String> {
    vec![
        row.image.to_string(),
        table::mib(row.size_bytes),
        row.packages.to_string(),
        row.built_at.clone(),
        digest_or(&row.sha256, row.error.as_deref()),
    ]
}

/// What keeps it from being used stands where its digest would.
fn digest_or(sha256: &str, error: Option<&str>) -> String {
    match error {
        Some(error) => error.to_owned(),
        None => sha256.chars().take(DIGEST_DIGITS).collect(),
    }
}
