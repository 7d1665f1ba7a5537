//! `languages`: what can be run, and whether its image is there.

use super::print_json;
use crate::args::{Format, Global};
use crate::{context, table};
use protocol::language::LANGUAGES;
use serde_json::json;
use std::process::ExitCode;

/// Lists the languages.
pub fn run(global: &Global, format: &Format) -> anyhow::Result<ExitCode> {
    let config = context::config(global)?;
    let built = context::image_store(&config)?.list()?;
    let has_image = |name: &str| built.iter().any(|row| row.language.name() == name);
    if format.json {
        let rows: Vec<_> = LANGUAGES
            .iter()
            .map(|spec| {
                json!({
                    "language": spec.name,
                    "runtime": spec.runtime,
                    "extensions": spec.extensions,
                    "aliases": spec.aliases,
                    "compiled": spec.compile.is_some(),
                    "image": has_image(spec.name),
                })
            })
            .collect();
        return print_json(&json!({ "languages": rows }));
    }
    let rows = LANGUAGES.iter().map(|spec| {
        vec![
            spec.name.to_owned(),
            spec.runtime.to_owned(),
            spec.extensions.join(", "),
            spec.aliases.join(", "),
            if has_image(spec.name) {
                "built".to_owned()
            } else {
                format!("llm-firecracker images build {}", spec.name)
            },
        ]
    });
    table::print(
        &["language", "runtime", "extensions", "aliases", "image"],
        rows,
    )?;
    Ok(ExitCode::SUCCESS)
}
