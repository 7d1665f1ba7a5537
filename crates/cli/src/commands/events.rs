//! `events`: reads and verifies the service's audit log.

use super::print_json;
use crate::args::{EventsCommand, Global};
use crate::{context, table};
use anyhow::Context as _;
use audit::read::{Filter, query, tail};
use audit::record::Record;
use audit::verify::verify;
use std::process::ExitCode;

/// Carries out one of the commands.
pub fn run(global: &Global, command: EventsCommand) -> anyhow::Result<ExitCode> {
    let dir = context::audit_dir(&context::config(global)?);
    match command {
        EventsCommand::Tail { count } => {
            for record in tail(&dir, &Filter::default(), count)? {
                print(&record)?;
            }
        }
        EventsCommand::Query {
            trace_id,
            event_type,
        } => {
            let event_type = event_type
                .map(|name| serde_json::from_value(name.clone().into()).with_context(|| {
                    format!("{name:?} is no event type: use VM_START, VM_STOP, VM_TIMEOUT, VM_OOM, VALIDATION_FAIL or DANGEROUS_PATTERN")
                }))
                .transpose()?;
            let filter = Filter {
                event_type,
                trace_id,
                ..Filter::default()
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

fn print(record: &Record) -> anyhow::Result<()> {
    Ok(table::line(serde_json::to_string(record)?)?)
}
