//! `bench data`: what libraries of data science cost in a VM, each figure beside its bound.

use super::print_json;
use crate::args::{BenchNativeArgs, Global};
use crate::{context, table};
use anyhow::Context as _;
use bench::data::{self, Row};
use bench::latency::config_for;
use languages::Language;
use protocol::result::BootPath;
use sandbox::config::Config;
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

const CLOSE_PATIENCE: Duration = Duration::from_secs(20);

/// Measures, prints, and says whether all bounds hold.
pub async fn run(global: &Global, args: BenchNativeArgs) -> anyhow::Result<ExitCode> {
    let config = context::config(global)?;
    let language = data::language().context("this tool has no image python-data")?;
    let rootfs = context::image_store(&config)?.rootfs(language.image())?;
    let runs = args.runs as usize;
    let [own, whole] = pooled(&config, language, &rootfs.image.path, runs).await?;
    let rows = [own, whole, cold(&config, runs).await?];
    let all_hold = rows.iter().all(|row| row.holds);
    match args.format.json {
        true => {
            print_json(&json!({ "rows": rows, "holds": all_hold }))?;
        }
        false => table::print(
            &["what", "runs", "in a VM", "beside", "seen", ""],
            rows.iter().map(cells),
        )?,
    }
    Ok(match all_hold {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

async fn pooled(
    config: &Config,
    language: Language,
    image: &Path,
    runs: usize,
) -> anyhow::Result<[Row; 2]> {
    eprintln!("a plot, pooled and natively …");
    let config = config_for(BootPath::Pool, config.clone(), &[language]);
    let sandbox = context::sandbox(&config).await?;
    sandbox.supply().start_pool();
    let rows = data::pooled_plot(&sandbox, image, runs).await;
    sandbox.close(CLOSE_PATIENCE).await;
    Ok(rows?)
}

async fn cold(config: &Config, runs: usize) -> anyhow::Result<Row> {
    eprintln!("hello, cold …");
    let config = config_for(BootPath::Boot, config.clone(), &[]);
    let sandbox = context::sandbox(&config).await?;
    let row = data::cold_hello(&sandbox, runs).await;
    sandbox.close(CLOSE_PATIENCE).await;
    Ok(row?)
}

fn cells(row: &Row) -> Vec<String> {
    let millis = |seconds: f64| format!("{:.1} ms", seconds * 1000.0);
    let holds = match row.holds {
        true => "holds",
        false => "MISSED",
    };
    vec![
        row.name.to_owned(),
        row.in_vm.runs.to_string(),
        millis(row.in_vm.p50_seconds),
        millis(row.beside.p50_seconds),
        row.seen.clone(),
        holds.to_owned(),
    ]
}
