//! `languages`: what can be run, and whether its image is there.

use super::print_json;
use crate::args::{Format, Global};
use crate::context;
use crate::table::{self, kept, spare};
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
            match has_image(language) {
                true => "built".to_owned(),
                false => format!("images build {language}"),
            },
            row.runtime.clone(),
            row.aliases.join(", "),
            row.extensions.join(", "),
        ]
    });
    let columns = [
        kept("language"),
        kept("image"),
        spare("runtime"),
        spare("aliases"),
        spare("extensions"),
    ];
    table::print_fitted(&columns, rows, format)?;
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
