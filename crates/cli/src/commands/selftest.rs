//! `selftest`: attacks every wall from inside, on this host.

use super::print_json;
use crate::args::{Global, SelftestArgs};
use crate::context;
use crate::table::{self, kept, spare};
use ::sandbox::config::Config;
use anyhow::{Context as _, anyhow};
use languages::RootImage;
use selftest::{Kind, Options, Skipped};
use std::process::ExitCode;

const HOSTILE_AGENT: &str = "llm-firecracker-hostile-agent";

/// The image that was named; the store is opened for it, as users' images are known by that.
fn image(config: &Config, name: Option<&str>) -> anyhow::Result<Option<RootImage>> {
    let Some(name) = name else { return Ok(None) };
    context::image_store(config)?;
    super::images::image(name).map(Some)
}

/// Runs the battery; fails when any wall gave way or was not attacked.
pub async fn run(global: &Global, args: SelftestArgs) -> anyhow::Result<ExitCode> {
    let mut config = context::config(global)?;
    let agent = context::agent(&config)?;
    let hostile = agent.with_file_name(HOSTILE_AGENT);
    config.agent = Some(agent);
    let kinds = args
        .kinds
        .iter()
        .map(|name| Kind::from_name(name).with_context(|| format!("no kind is named {name:?}")))
        .collect::<anyhow::Result<_>>()?;
    let options = Options {
        kinds,
        only: args.only,
        image: image(&config, args.image.as_deref())?,
        hostile_agent: hostile.exists().then_some(hostile),
    };
    let skipped = match args.allow_skipped {
        true => Skipped::Allowed,
        false => Skipped::Fails,
    };
    if args.list {
        let rows = options.selected()?;
        let rows = rows.iter().map(|attack| {
            vec![
                attack.name.clone(),
                attack.kind.name().to_owned(),
                attack.row.must.clone(),
            ]
        });
        let columns = [kept("attack"), spare("kind"), kept("what must hold")];
        table::print_fitted(&columns, rows, &args.format)?;
        return Ok(ExitCode::SUCCESS);
    }
    let report = selftest::run(
        &options,
        &config,
        async |config, sinks| context::sandbox_with(&config, sinks).await,
        |verdict| {
            let word = if verdict.contained {
                "held"
            } else {
                "GAVE WAY"
            };
            eprintln!("{word:>8} {:5.1} s {}", verdict.seconds, verdict.name);
        },
    )
    .await
    .map_err(|error| anyhow!("{}", sandbox::error::chain(&error)))?;
    if args.format.json {
        print_json(&report.to_json())?;
    } else {
        let columns = [
            kept("attack"),
            spare("kind"),
            kept("result"),
            kept("seen"),
            spare("expected"),
        ];
        let rows = report.rows().map(|row| row.map(str::to_owned).to_vec());
        table::print_fitted(&columns, rows, &args.format)?;
        table::line("")?;
        table::line(report.summary())?;
    }
    Ok(ExitCode::from(report.exit_code(skipped)))
}
