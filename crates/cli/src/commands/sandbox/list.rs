//! `sandbox list`.

use super::service::{Service, off_thread};
use crate::args::Format;
use crate::commands::print_json;
use crate::table;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;

#[derive(Deserialize)]
struct Row {
    id: String,
    language: String,
    created_at: String,
    expires_at: String,
    idle_timeout: f64,
    memory_mib: u64,
    metadata: BTreeMap<String, String>,
}

/// Prints this key's sandboxes, oldest first.
pub async fn run(service: Service, format: &Format) -> anyhow::Result<ExitCode> {
    let asked = service.clone();
    let all: Vec<Value> = off_thread(move || asked.get("/api/v1/sandboxes")).await?;
    if format.json {
        return print_json(&json!({ "sandboxes": all }));
    }
    let rows: Result<Vec<Row>, _> = all.into_iter().map(serde_json::from_value).collect();
    let rows = rows.map_err(|error| service.stranger(format_args!("other JSON ({error})")))?;
    let header = ["id", "image", "made", "ends", "idle", "memory", "metadata"];
    table::print(&header, rows.into_iter().map(cells))?;
    Ok(ExitCode::SUCCESS)
}

fn cells(row: Row) -> Vec<String> {
    let metadata = row.metadata.iter();
    let metadata: Vec<_> = metadata
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    vec![
        row.id,
        row.language,
        to_seconds(&row.created_at),
        to_seconds(&row.expires_at),
        format!("{} s", row.idle_timeout),
        format!("{} MiB", row.memory_mib),
        metadata.join(" "),
    ]
}

/// A time (RFC 3339) without fractions of a second.
fn to_seconds(time: &str) -> String {
    match time.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => time.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_what_people_look_for() {
        let row = json!({
            "id": "x", "language": "bash", "created_at": "2026-01-31T12:00:00.123456Z",
            "expires_at": "2026-01-31T12:10:00Z", "timeout": 600.0, "idle_timeout": 60.0,
            "metadata": {"user": "42", "a": "b"}, "memory_mib": 512, "vcpus": 1,
        });
        let cells = cells(serde_json::from_value(row).unwrap());
        let expected = "x|bash|2026-01-31T12:00:00Z|2026-01-31T12:10:00Z|60 s|512 MiB|a=b user=42";
        assert_eq!(cells.join("|"), expected);
    }
}
