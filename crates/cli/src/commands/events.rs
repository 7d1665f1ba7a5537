//! `events`: reads and verifies the service's audit log.

use super::print_json;
use crate::args::{EventsCommand, Global};
use crate::{context, table};
use anyhow::Context as _;
use audit::read::{Filter, Follower, query, tail};
use audit::record::Record;
use audit::verify::verify;
use std::fmt::Display;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

/// How often a followed log is looked at: people read it.
const LOOK: Duration = Duration::from_millis(200);

/// Carries out one of the commands.
pub fn run(global: &Global, command: EventsCommand) -> anyhow::Result<ExitCode> {
    let dir = context::audit_dir(&context::config(global)?);
    match command {
        EventsCommand::Tail { count, follow: on } => {
            let newest = tail(&dir, &Filter::default(), count.max(1))?;
            let last_seq = newest.last().map_or(0, |record| record.seq);
            for record in newest.iter().take(count) {
                print(record)?;
            }
            if on {
                follow(Follower::new(&dir, last_seq))?;
            }
        }
        EventsCommand::Query {
            trace_id,
            event_type,
            since,
            until,
        } => {
            let event_type = event_type
                .map(|name| serde_json::from_value(name.clone().into()).with_context(|| {
                    format!("{name:?} is no event type: use VM_START, VM_STOP, VM_TIMEOUT, VM_OOM, SANDBOX_EXPIRING, SANDBOX_PORT, VALIDATION_FAIL or DANGEROUS_PATTERN")
                }))
                .transpose()?;
            let filter = Filter {
                event_type,
                trace_id,
                since: time(since)?,
                until: time(until)?,
            };
            let mut failed = Ok(());
            query(&dir, &filter, |record| {
                failed = print(&record);
                failed.is_ok()
            })?;
            failed?;
        }
        EventsCommand::Verify { format } => {
            let report = verify(&dir)?;
            if format.json {
                print_json(&report)?;
            } else {
                for finding in &report.findings {
                    let place = format!("{}:{}", finding.file, finding.line);
                    table::line(format_args!("{place}: {}: {}", finding.kind, finding.text))?;
                }
                table::line(format_args!(
                    "{} records, {} findings, last hash {}",
                    report.records,
                    report.findings.len(),
                    report.last_hash
                ))?;
            }
            if !report.is_whole() {
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints what comes, until nobody reads it or the process is ended.
fn follow(mut log: Follower) -> anyhow::Result<()> {
    loop {
        for record in log.read()? {
            print(&record)?;
        }
        std::thread::sleep(LOOK);
    }
}

fn time<T: FromStr<Err: Display>>(text: Option<String>) -> anyhow::Result<Option<T>> {
    let parsed = |text: String| {
        text.parse().map_err(|error| {
            anyhow::anyhow!("{text:?} is no time such as 2026-01-31T12:00:00Z: {error}")
        })
    };
    text.map(parsed).transpose()
}

fn print(record: &Record) -> anyhow::Result<()> {
    Ok(table::json_line(record)?)
}
