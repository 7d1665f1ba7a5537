//! `images outdated`.

use crate::args::Format;
use crate::commands::print_json;
use crate::table::{self, kept, spare};
use images::{ImageStore, OutdatedRow};
use serde_json::json;
use std::process::ExitCode;

/// How many packages a row of the table names.
const SHOWN: usize = 3;

/// Prints how each image stands today; fails when one is outdated.
pub fn run(store: &ImageStore, format: &Format) -> anyhow::Result<ExitCode> {
    let rows = store.outdated(jiff::Zoned::now().date())?;
    let any = rows.iter().any(OutdatedRow::is_outdated);
    if format.json {
        print_json(&json!({ "images": rows }))?;
    } else {
        let columns = [
            kept("image"),
            spare("runtime"),
            spare("mended until"),
            kept("state"),
        ];
        table::print_fitted(&columns, rows.iter().map(shown), format)?;
    }
    Ok(match any {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    })
}

fn shown(row: &OutdatedRow) -> Vec<String> {
    let until = row.end_of_life.as_deref().unwrap_or("the next version");
    vec![
        row.image.to_string(),
        row.runtime_version.clone(),
        until.to_owned(),
        state(row),
    ]
}

fn state(row: &OutdatedRow) -> String {
    if let Some(error) = &row.error {
        return error.clone();
    }
    let mut said = Vec::new();
    if row.ended {
        said.push("no longer mended by its makers".to_owned());
    }
    if !row.moved.is_empty() {
        let packages = row.moved.iter().take(SHOWN);
        let packages: Vec<String> = packages
            .map(|one| format!("{} {} (lock: {})", one.name, one.version, one.locked))
            .collect();
        let more = match row.moved.len().checked_sub(SHOWN) {
            Some(more @ 1..) => format!(", and {more} more"),
            _ => String::new(),
        };
        said.push(format!("{}{more}", packages.join(", ")));
    }
    match said.is_empty() {
        true => "as in the lock".to_owned(),
        false => said.join("; "),
    }
}
