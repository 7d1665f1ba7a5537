//! `bench packages`: a program with packages that are there already, beside the same without.

use super::print_json;
use crate::args::{BenchPackagesArgs, Global};
use crate::progress::LateTask;
use crate::{context, table};
use bench::packages::{self, MAX_RATIO};
use serde_json::json;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

const CLOSE_PATIENCE: Duration = Duration::from_secs(20);

/// Measures, prints and judges.
pub async fn run(global: &Global, args: BenchPackagesArgs) -> anyhow::Result<ExitCode> {
    let config = context::config(global)?;
    let sandbox = context::sandbox(&config).await?;
    let progress = Arc::new(LateTask::new("packages"));
    let measured = packages::run(&sandbox, &args.with, args.runs as usize, progress).await;
    let isolation = sandbox.isolation();
    sandbox.close(CLOSE_PATIENCE).await;
    let row = measured?;
    if args.format.json {
        let (ratio, held) = (row.ratio(), row.held());
        print_json(&json!({
            "isolation": isolation, "packages": args.with, "ratio": ratio, "held": held, "row": row,
        }))?;
    } else {
        let millis = |seconds: f64| format!("{:.1} ms", seconds * 1000.0);
        let cells = |name: &str, of: &bench::stats::Summary| {
            vec![
                name.to_owned(),
                of.runs.to_string(),
                millis(of.p50_seconds),
                millis(of.p95_seconds),
            ]
        };
        let with = format!("--with {}", args.with.join(" --with "));
        table::print(
            &["what", "runs", "p50", "p95"],
            [cells("plain", &row.plain), cells(&with, &row.with)],
        )?;
        table::line(format!(
            "{}  ratio {:.2}, at most {MAX_RATIO}; bringing them before took {:.1} s",
            if row.held() { "held    " } else { "NOT HELD" },
            row.ratio(),
            row.first_seconds
        ))?;
    }
    Ok(match row.held() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
