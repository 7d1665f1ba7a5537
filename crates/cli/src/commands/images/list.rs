//! `images list`.

use crate::args::Format;
use crate::commands::print_json;
use crate::context;
use crate::table::{self, kept, spare};
use crate::terminal;
use images::{ImageRow, ImageStore, KernelRow};
use serde_json::json;
use std::process::ExitCode;

/// As many digits as files' names have of their digests.
const DIGEST_DIGITS: usize = 16;

/// Prints the kernels and the images.
pub fn run(store: &ImageStore, format: &Format) -> anyhow::Result<ExitCode> {
    let (kernels, images) = (store.kernels(), store.list()?);
    if format.json {
        tell_of_roots();
        return print_json(&json!({ "images": images, "kernels": kernels }));
    }
    if !kernels.is_empty() {
        let columns = [
            kept("kernel"),
            kept("state"),
            kept("size"),
            spare("built"),
            spare("package"),
            spare("sha256"),
        ];
        table::print_fitted(&columns, kernels.iter().map(kernel_row), format)?;
        table::line("")?;
    }
    let columns = [
        kept("image"),
        kept("state"),
        kept("size"),
        spare("built"),
        spare("packages"),
        spare("sha256"),
    ];
    table::print_fitted(&columns, images.iter().map(image_row), format)?;
    tell_of_roots();
    Ok(ExitCode::SUCCESS)
}

/// Says when root has images, too, that this user may not read.
fn tell_of_roots() {
    if let Some(how) = context::shared_images::unshared() {
        terminal::say(how);
    }
}

fn kernel_row(row: &KernelRow) -> Vec<String> {
    vec![
        row.name.clone(),
        state(row.error.as_deref()),
        table::mib(row.size_bytes),
        table::ago_of_text(&row.built_at),
        format!("{} {}", row.package, row.package_version),
        short(&row.sha256),
    ]
}

fn image_row(row: &ImageRow) -> Vec<String> {
    vec![
        row.image.to_string(),
        state(row.error.as_deref()),
        table::mib(row.size_bytes),
        table::ago_of_text(&row.built_at),
        row.packages.to_string(),
        short(&row.sha256),
    ]
}

/// What keeps it from being used.
fn state(error: Option<&str>) -> String {
    error.unwrap_or("ready").to_owned()
}

fn short(sha256: &str) -> String {
    sha256.chars().take(DIGEST_DIGITS).collect()
}
