//! `usage`: what each key of the service used, read from the state folder; the service need not run.

use super::print_json;
use crate::args::{Global, UsageArgs};
use crate::context;
use crate::table::{self, kept, spare};
use anyhow::Context as _;
use server::usage::file::{FOLDER, read_since};
use server::usage::report::{DayUsage, KeyUsage, UsageReport};
use server::usage::row::UsageRow;
use std::process::ExitCode;

/// Prints a table or JSON.
pub fn run(global: &Global, args: &UsageArgs) -> anyhow::Result<ExitCode> {
    let since = args.since;
    let settings = context::settings(global)?;
    let dir = context::state_dir(&settings.sandbox).join(FOLDER);
    let days = read_since(&dir, since);
    let days = days.with_context(|| format!("reading usage in {}", dir.display()))?;
    let wanted = args.key.as_deref();
    let usage = UsageReport::of(since, &days, |id, name| {
        wanted.is_none_or(|wanted| wanted == id || wanted == name)
    });
    if args.format.json {
        return print_json(&usage);
    }
    if usage.keys.is_empty() {
        let of = wanted.map_or(String::new(), |key| format!(" by {key}"));
        table::line(format_args!("nothing was used{of} since {since}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut columns = vec![kept("name")];
    if args.daily {
        columns.push(kept("day"));
    }
    columns.extend(["jobs", "failed", "refused", "vm time"].map(kept));
    columns.extend(["cpu", "memory", "sandboxes", "for", "output", "key"].map(spare));
    let rows = usage.keys.iter().flat_map(|key| rows(key, args));
    table::print_fitted(&columns, rows, &args.format)?;
    Ok(ExitCode::SUCCESS)
}

fn rows(key: &KeyUsage, args: &UsageArgs) -> Vec<Vec<String>> {
    let row = |day: Option<&DayUsage>| {
        let mut cells = vec![key.key_name.clone()];
        cells.extend(day.map(|day| day.day.clone()));
        cells.extend(numbers(day.map_or(&key.total, |day| &day.used)));
        cells.push(key.key.clone());
        cells
    };
    match args.daily {
        true => key.days.iter().map(|day| row(Some(day))).collect(),
        false => vec![row(None)],
    }
}

fn numbers(used: &UsageRow) -> Vec<String> {
    let jobs: u64 = used.jobs.values().sum();
    let fine = used.jobs.get("ok").copied().unwrap_or_default();
    let refused: u64 = used.refusals.values().sum();
    vec![
        jobs.to_string(),
        (jobs - fine.min(jobs)).to_string(),
        refused.to_string(),
        time(used.wall_seconds),
        time(used.cpu_seconds),
        memory(used.memory_gib_seconds),
        used.sandboxes.to_string(),
        time(used.sandbox_seconds),
        table::mib(used.output_bytes),
    ]
}

/// GiB times seconds, or hours, as the dashboard tells them.
fn memory(gib_seconds: f64) -> String {
    match gib_seconds {
        ..3600.0 => format!("{gib_seconds:.1} GiB s"),
        _ => format!("{:.1} GiB h", gib_seconds / 3600.0),
    }
}

/// Seconds as people read them.
fn time(seconds: f64) -> String {
    match seconds {
        ..60.0 => format!("{seconds:.1} s"),
        ..3600.0 => format!("{:.1} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_all_that_was_used() {
        let used = UsageRow {
            jobs: [("ok".to_owned(), 3), ("timeout".to_owned(), 1)].into(),
            wall_seconds: 90.0,
            cpu_seconds: 7200.0,
            memory_gib_seconds: 5400.0,
            output_bytes: 1024 * 1024,
            ..UsageRow::default()
        };
        let numbers = numbers(&used);
        assert_eq!(
            numbers,
            [
                "4",
                "1",
                "0",
                "1.5 min",
                "2.0 h",
                "1.5 GiB h",
                "0",
                "0.0 s",
                "1.0 MiB"
            ]
        );
    }
}
