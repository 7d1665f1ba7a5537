//! `languages`: what can be run, and whether its image is there.

use super::print_json;
use crate::args::{Format, Global};
use crate::{context, table};
use protocol::language::{self, Language};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Lists the languages.
pub fn run(global: &Global, format: &Format) -> anyhow::Result<ExitCode> {
    let config = context::config(global)?;
    let built = context::image_store(&config)?.list()?;
    let has_image = |language: Language| built.iter().any(|row| row.image == language.image());
    if format.json {
        let rows: Vec<_> = language::all()
            .map(|language| {
                let mut row = json_row(language);
                row["image"] = has_image(language).into();
                row
            })
            .collect();
        return print_json(&json!({ "languages": rows }));
    }
    let rows = language::all().map(|language| {
        let row = language.row();
        vec![
            row.name.clone(),
            row.runtime.clone(),
            row.extensions.join(", "),
            row.aliases.join(", "),
            if has_image(language) {
                "built".to_owned()
            } else {
                format!("llm-firecracker images build {language}")
            },
        ]
    });
    table::print(
        &["language", "runtime", "extensions", "aliases", "image"],
        rows,
    )?;
    Ok(ExitCode::SUCCESS)
}

fn json_row(language: Language) -> Value {
    let row = language.row();
    json!({
        "language": row.name,
        "runtime": row.runtime,
        "extensions": row.extensions,
        "aliases": row.aliases,
        "compiled": row.compile.is_some(),
    })
}
