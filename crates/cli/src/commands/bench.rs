//! `bench` and `compare`: what it costs, measured here and now.

use super::{languages_or_built, print_json};
use crate::args::{BenchArgs, CompareArgs, Global};
use crate::{context, table};
use anyhow::Context as _;
use bench::compare::contender::{CommandLine, Contender, Facts, How};
use bench::compare::{self, Extent, containers, memory::SLEEP_SECONDS};
use bench::latency::{self, LatencyRow, MemoryRow, Throughput, ThroughputRow, config_for};
use bench::plot::{Plot, PlotRow, svg};
use bench::program::{Program, hello};
use protocol::language::Language;
use protocol::result::BootPath;
use sandbox::config::Config;
use sandbox::sandbox::Sandbox;
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

const CLOSE_PATIENCE: Duration = Duration::from_secs(20);

/// Times this tool's paths.
pub async fn bench(global: &Global, args: BenchArgs) -> anyhow::Result<ExitCode> {
    let config = context::config(global)?;
    let languages = languages_or_built(&config, &args.languages)?;
    let mut rows = Measured::default();
    let plan = Plan {
        config: &config,
        languages: &languages,
        args: &args,
    };
    for path in paths(&config, &args).await? {
        plan.measure(path, &mut rows).await?;
    }
    if let Some(file) = &args.svg {
        write_picture(file, &svg(&rows.plot(args.runs)))?;
    }
    if args.format.json {
        return print_json(&json!({
            "latency": rows.latency,
            "throughput": rows.throughput,
            "idle_memory": rows.memory,
        }));
    }
    rows.print()?;
    Ok(ExitCode::SUCCESS)
}

fn write_picture(file: &Path, picture: &str) -> anyhow::Result<()> {
    std::fs::write(file, picture).with_context(|| format!("writing {}", file.display()))
}

/// Those that were named; else all that the engine has.
async fn paths(config: &Config, args: &BenchArgs) -> anyhow::Result<Vec<BootPath>> {
    if !args.paths.is_empty() {
        return Ok(args.paths.iter().map(|path| (*path).into()).collect());
    }
    let mut paths = vec![BootPath::Boot];
    if context::engine(config).await?.snapshots().is_some() {
        paths.push(BootPath::Clone);
    }
    paths.push(BootPath::Pool);
    Ok(paths)
}

#[derive(Default)]
struct Measured {
    latency: Vec<LatencyRow>,
    throughput: Vec<ThroughputRow>,
    memory: Vec<MemoryRow>,
}

/// What is measured on each path.
struct Plan<'a> {
    config: &'a Config,
    languages: &'a [Language],
    args: &'a BenchArgs,
}

impl Plan<'_> {
    async fn measure(&self, path: BootPath, rows: &mut Measured) -> anyhow::Result<()> {
        let config = config_for(path, self.config.clone(), self.languages);
        let sandbox = context::sandbox(&config).await?;
        let measured = self.measure_in(&sandbox, path, rows).await;
        sandbox.close(CLOSE_PATIENCE).await;
        measured
    }

    async fn measure_in(
        &self,
        sandbox: &Arc<Sandbox>,
        path: BootPath,
        rows: &mut Measured,
    ) -> anyhow::Result<()> {
        let args = self.args;
        sandbox.supply().start_pool();
        latency::wait_until_settled(sandbox).await?;
        if path == BootPath::Pool {
            rows.memory = latency::memory(sandbox);
        }
        for language in self.languages {
            eprintln!("{} {language}: {} runs …", path.as_str(), args.runs);
            // The first makes the snapshot where there is none, and is not counted.
            latency::timed(sandbox, path, &hello(*language)?).await?;
            rows.latency
                .extend(latency::latency(sandbox, path, *language, args.runs).await?);
            if args.jobs > 0 {
                let row = Throughput {
                    path,
                    language: *language,
                    jobs: args.jobs,
                    concurrency: args.concurrency,
                };
                rows.throughput.push(row.measure(sandbox).await?);
            }
        }
        Ok(())
    }
}

impl Measured {
    fn plot(&self, runs: usize) -> Plot<'static> {
        let row = |row: &LatencyRow| PlotRow {
            label: format!("{} {}", row.language, row.path.as_str()),
            series: match row.path {
                BootPath::Boot => 2,
                BootPath::Clone => 1,
                BootPath::Pool => 0,
            },
            seen: Ok(row.total.clone()),
        };
        Plot {
            title: "Hello, from the request to the result",
            subtitle: format!("{runs} runs of each"),
            series: &["from the pool", "a clone of a snapshot", "a cold boot"],
            rows: self.latency.iter().map(row).collect(),
        }
    }

    fn print(&self) -> std::io::Result<()> {
        let header = ["language", "path", "runs", "p50", "p95", "p99", "vm p50"];
        table::print(
            &header,
            self.latency.iter().map(|row| {
                vec![
                    row.language.to_string(),
                    row.path.as_str().to_owned(),
                    row.total.runs.to_string(),
                    millis(row.total.p50_seconds),
                    millis(row.total.p95_seconds),
                    millis(row.total.p99_seconds),
                    millis(row.until_vm.p50_seconds),
                ]
            }),
        )?;
        if !self.throughput.is_empty() {
            table::line("")?;
            table::print(
                &["language", "path", "jobs", "at once", "jobs/s"],
                self.throughput.iter().map(|row| {
                    vec![
                        row.language.to_string(),
                        row.path.as_str().to_owned(),
                        row.jobs.to_string(),
                        row.concurrency.to_string(),
                        format!("{:.1}", row.jobs_per_second),
                    ]
                }),
            )?;
        }
        if !self.memory.is_empty() {
            table::line("")?;
            table::print(
                &["language", "idle clones", "pss each"],
                self.memory.iter().map(|row| {
                    let each: Vec<_> = row.pss_bytes.iter().map(|pss| table::mib(*pss)).collect();
                    vec![
                        row.language.to_string(),
                        row.pss_bytes.len().to_string(),
                        each.join(", "),
                    ]
                }),
            )?;
        }
        Ok(())
    }
}

fn millis(seconds: f64) -> String {
    format!("{:.1} ms", seconds * 1000.0)
}

/// The same job under every isolation technology that is here.
pub async fn compare(global: &Global, args: CompareArgs) -> anyhow::Result<ExitCode> {
    let config = context::config(global)?;
    let language = super::language(&args.lang)?;
    let program = hello(language)?;
    // Before anything of ours runs: what fails here leaves nothing.
    let rootfs = context::image_store(&config)?.rootfs(language.image())?;
    let others = containers::prepare(&rootfs.image.path, &program).await?;
    let pool = library(&config, BootPath::Pool, language).await?;
    let fresh = match snapshot_made(&pool, language).await {
        true => BootPath::Clone,
        false => BootPath::Boot,
    };
    let fresh = (fresh, library(&config, fresh, language).await?);
    for sandbox in [&pool, &fresh.1] {
        sandbox.supply().start_pool();
    }
    let mut contenders = ours(global, &program, &pool, &fresh)?;
    contenders.extend(others.contenders.iter().cloned());
    let extent = Extent {
        runs: args.runs,
        jobs: args.jobs,
        concurrency: args.concurrency,
    };
    let rows = compare::run(contenders, &program, extent, |round| {
        eprint!("\rround {round} of {} …", args.runs);
    })
    .await;
    eprintln!();
    for sandbox in [pool, fresh.1] {
        sandbox.close(CLOSE_PATIENCE).await;
    }
    drop(others);
    if let Some(file) = &args.svg {
        write_picture(file, &compare::picture::picture(language, &rows))?;
    }
    if args.format.json {
        return print_json(&json!({ "language": language, "rows": rows }));
    }
    print_rows(&rows)?;
    Ok(ExitCode::SUCCESS)
}

/// Makes the snapshot, which the first clone would be slow by otherwise; whether there is one to clone.
async fn snapshot_made(pool: &Sandbox, language: Language) -> bool {
    if pool.engine().snapshots().is_none() {
        return false;
    }
    let shape = pool.supply().default_shape();
    let made = pool.supply().create_snapshot(language, shape).await;
    if let Err(no) = &made {
        crate::terminal::say(format_args!("no snapshot, so no clone: {no}"));
    }
    made.is_ok()
}

const OWN: Facts = Facts {
    is_ours: true,
    isolation: "VM, jail, seccomp, cgroups",
    kernel_shared: false,
    network_by_default: "none",
};

/// This tool as a process that stays, like a container's daemon.
async fn library(
    config: &Config,
    path: BootPath,
    language: Language,
) -> anyhow::Result<Arc<Sandbox>> {
    context::sandbox(&config_for(path, config.clone(), &[language])).await
}

/// This tool's paths: pool, and clone or boot, in this process; clone and boot as a user's whole command.
fn ours(
    global: &Global,
    program: &Program,
    pool: &Arc<Sandbox>,
    (fresh, by_fresh): &(BootPath, Arc<Sandbox>),
) -> anyhow::Result<Vec<Contender>> {
    let exe = std::env::current_exe()?.display().to_string();
    let sleep_code = program.samples.sleep(SLEEP_SECONDS.into());
    let command = |code: &str, more: &[&str]| {
        let mut line = vec![exe.clone()];
        if let Some(dir) = &global.state_dir {
            line.extend(["--state-dir".to_owned(), dir.display().to_string()]);
        }
        if let Some(config) = &global.config {
            line.extend(["--config".to_owned(), config.display().to_string()]);
        }
        line.extend(["--engine".to_owned(), pool.identity().kind.to_string()]);
        line.extend(
            ["run", "--timeout", "60", "--lang", program.language.name()].map(str::to_owned),
        );
        line.extend(more.iter().map(|word| (*word).to_owned()));
        line.extend(["--code".to_owned(), code.to_owned()]);
        CommandLine(line)
    };
    let contender = |technology, how| Contender {
        technology,
        facts: OWN,
        how: Ok(how),
    };
    let by_command = |more: &[&str]| How::Command {
        hello: command(program.code, more),
        sleep: command(&sleep_code, more),
    };
    let by_library = |sandbox: &Arc<Sandbox>, path| How::Library {
        sandbox: sandbox.clone(),
        path,
        sleep: command(&sleep_code, &[]),
    };
    let mut all = vec![contender("pool", by_library(pool, BootPath::Pool))];
    match fresh {
        BootPath::Clone => {
            all.push(contender("clone", by_library(by_fresh, BootPath::Clone)));
            all.push(contender("clone-command", by_command(&[])));
        }
        _ => all.push(contender("fresh", by_library(by_fresh, *fresh))),
    }
    all.push(contender("boot", by_command(&["--no-snapshot"])));
    Ok(all)
}

fn print_rows(rows: &[compare::Row]) -> std::io::Result<()> {
    let docker = rows
        .iter()
        .find(|row| row.technology == "docker")
        .and_then(|row| row.times.as_ref())
        .map(|times| times.p50_seconds);
    let header = [
        "technology",
        "isolation",
        "kernel shared",
        "network by default",
        "p50",
        "p95",
        "× docker",
        "jobs/s",
        "memory overhead",
    ];
    table::print(
        &header,
        rows.iter().map(|row| {
            let time = |of: fn(&bench::stats::Summary) -> f64| match &row.times {
                Some(times) => millis(of(times)),
                None => row
                    .why_not
                    .clone()
                    .unwrap_or_else(|| "not measured".to_owned()),
            };
            let ratio = row.times.as_ref().zip(docker);
            vec![
                row.technology.to_owned(),
                row.isolation.to_owned(),
                if row.kernel_shared { "yes" } else { "no" }.to_owned(),
                row.network_by_default.to_owned(),
                time(|times| times.p50_seconds),
                time(|times| times.p95_seconds),
                ratio
                    .map(|(times, docker)| format!("{:.2}", times.p50_seconds / docker))
                    .unwrap_or_else(|| "-".to_owned()),
                row.jobs_per_second
                    .map(|rate| format!("{rate:.1}"))
                    .unwrap_or_else(|| "-".to_owned()),
                row.memory_overhead_bytes
                    .map(table::mib)
                    .unwrap_or_else(|| "-".to_owned()),
            ]
        }),
    )
}
