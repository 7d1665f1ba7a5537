//! `bench sandbox`: what sandboxes promise, through the service, each figure beside its bound.

use super::bench_service::Service;
use super::print_json;
use crate::args::{BenchSandboxArgs, Global};
use crate::{context, table};
use bench::live::judged::{Judged, Side};
use bench::live::{Extent, run as measure};
use serde_json::json;
use server::ServerConfig;
use std::process::ExitCode;

/// Starts the service, measures, prints what held.
pub async fn run(global: &Global, args: BenchSandboxArgs) -> anyhow::Result<ExitCode> {
    let mut config = context::config(global)?;
    // A pool that fills would be measured, too.
    config.pool.clear();
    let service = Service::start(config, ServerConfig::default()).await?;
    let extent = Extent {
        starts: args.starts as usize,
        keys: args.keys as usize,
        cells: args.cells as usize,
        pace_seconds: args.pace,
        file_mib: args.file_mib as usize,
        crowd: args.crowd as usize,
    };
    let found = |figure: &Judged| {
        if !args.format.json {
            // A reader that has gone is noticed at the end.
            let _ = table::line(line(figure));
        }
    };
    let measured = service.measured(async |daemon| measure(daemon, extent, found).await);
    let figures = match measured.await? {
        Ok(figures) => figures,
        Err(stopped) => return Ok(stopped),
    };
    if args.format.json {
        print_json(&json!({ "figures": figures }))?;
    }
    Ok(match figures.iter().all(|figure| figure.held) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn line(figure: &Judged) -> String {
    let held = if figure.held { "held    " } else { "NOT HELD" };
    let side = match figure.side {
        Side::AtMost => "at most",
        Side::AtLeast => "at least",
    };
    let Judged {
        what,
        value,
        bound,
        unit,
        detail,
        ..
    } = figure;
    format!("{held}  {what}: {value:.1} {unit}, {side} {bound} {unit}\n          {detail}")
}
