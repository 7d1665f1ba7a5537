//! `sandbox list`.

use super::service::{Service, off_thread};
use crate::args::Format;
use crate::commands::print_json;
use crate::table::{self, kept, spare};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;

/// Where they are listed.
pub const PATH: &str = "/api/v1/sandboxes";

/// What names one.
#[derive(Deserialize)]
pub struct Id {
    /// Its id.
    pub id: String,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    language: String,
    /// Absent where it is the language's own.
    image: Option<String>,
    created_at: String,
    expires_at: String,
    idle_timeout: f64,
    memory_mib: u64,
    metadata: BTreeMap<String, String>,
}

/// Prints this key's sandboxes, oldest first.
pub async fn run(service: Service, format: &Format) -> anyhow::Result<ExitCode> {
    let asked = service.clone();
    let all: Vec<Value> = off_thread(move || asked.get(PATH)).await?;
    if format.json {
        return print_json(&json!({ "sandboxes": all }));
    }
    let rows: Result<Vec<Row>, _> = all.into_iter().map(serde_json::from_value).collect();
    let rows = rows.map_err(|error| service.stranger(format_args!("other JSON ({error})")))?;
    let columns = [
        kept("id"),
        kept("image"),
        spare("made"),
        spare("ends"),
        spare("metadata"),
        spare("idle"),
        spare("memory"),
    ];
    table::print_fitted(&columns, rows.into_iter().map(cells), format)?;
    Ok(ExitCode::SUCCESS)
}

fn cells(row: Row) -> Vec<String> {
    let metadata = row.metadata.iter();
    let metadata: Vec<_> = metadata
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    vec![
        row.id,
        row.image.unwrap_or(row.language),
        table::ago_of_text(&row.created_at),
        table::ago_of_text(&row.expires_at),
        metadata.join(" "),
        format!("{} s", row.idle_timeout),
        format!("{} MiB", row.memory_mib),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_what_people_look_for() {
        let row = json!({
            "id": "x", "language": "bash", "created_at": "now", "expires_at": "soon", "timeout": 600.0, "idle_timeout": 60.0,
            "metadata": {"user": "42", "a": "b"}, "memory_mib": 512, "vcpus": 1,
        });
        let cells = cells(serde_json::from_value(row).unwrap());
        let expected = "x|bash|now|soon|a=b user=42|60 s|512 MiB";
        assert_eq!(cells.join("|"), expected);
    }
}
