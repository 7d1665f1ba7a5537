//! `bench native`: what an engine costs a job that computes, starts processes or brings much along,
//! beside the same on the host.

use super::{language, print_json};
use crate::args::{BenchNativeArgs, Global};
use crate::{context, table};
use bench::latency::config_for;
use bench::native::{self, Row};
use protocol::result::BootPath;
use serde_json::json;
use std::process::ExitCode;
use std::time::Duration;

const CLOSE_PATIENCE: Duration = Duration::from_secs(20);

/// Measures and prints.
pub async fn run(global: &Global, args: BenchNativeArgs) -> anyhow::Result<ExitCode> {
    let config = context::config(global)?;
    let rootfs = context::image_store(&config)?.rootfs(language(native::LANGUAGE)?.image())?;
    let config = config_for(BootPath::Boot, config, &[]);
    let sandbox = context::sandbox(&config).await?;
    let told = |what: &str| eprintln!("{what} …");
    let rows = native::run(&sandbox, &rootfs.image.path, args.runs as usize, told).await;
    let isolation = sandbox.isolation();
    sandbox.close(CLOSE_PATIENCE).await;
    let rows = rows?;
    if args.format.json {
        return print_json(&json!({ "isolation": isolation, "rows": rows }));
    }
    let cells = |row: &Row| {
        let seconds = |seconds: f64| format!("{:.1} ms", seconds * 1000.0);
        let or_none = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        vec![
            row.name.clone(),
            row.in_vm.runs.to_string(),
            seconds(row.in_vm.p50_seconds),
            or_none(
                row.beside
                    .as_ref()
                    .map(|beside| seconds(beside.p50_seconds)),
            ),
            or_none(row.ratio().map(|ratio| format!("{ratio:.2}"))),
            or_none(row.more_seconds().map(seconds)),
        ]
    };
    let header = ["what", "runs", "in a VM", "beside", "times", "more"];
    table::print(&header, rows.iter().map(cells))?;
    Ok(ExitCode::SUCCESS)
}
