//! `events`: reads and verifies the service's audit log.

use super::print_json;
use crate::args::{EventsCommand, EventsShape, Global};
use crate::{context, table};
use audit::read::{Filter, Follower, query, tail};
use audit::record::Record;
use audit::verify::{Finding, verify};
use serde_json::Value;
use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::Duration;

/// How often a followed log is looked at: people read it.
const LOOK: Duration = Duration::from_millis(200);
/// The width of a type's column: the longest, `DANGEROUS_PATTERN`.
const TYPE_WIDTH: usize = 17;
/// Characters of a job's id that are shown, its last: the first of most ids are the time alone. `--trace-id` takes them.
const ID_WIDTH: usize = 12;
/// The longest usual outcome, `field_invalid`.
const OUTCOME_WIDTH: usize = 13;
/// What of an event is its outcome, in the order of who is asked first.
const OUTCOMES: &[&str] = &["status", "outcome", "code", "action"];

/// What else is told of an event that has it.
const MORE: &[&str] = &["changed", "needs_restart", "error"];

/// Carries out one of the commands.
pub fn run(global: &Global, command: EventsCommand) -> anyhow::Result<ExitCode> {
    let dir = context::audit_dir(&context::config(global)?);
    match command {
        EventsCommand::Tail {
            count,
            follow: on,
            shape,
        } => {
            let print = printer(&shape);
            let newest = tail(&dir, &Filter::default(), count.max(1))?;
            let last_seq = newest.last().map_or(0, |record| record.seq);
            for record in newest.iter().take(count) {
                print(record)?;
            }
            if on {
                follow(Follower::new(&dir, last_seq), print)?;
            }
        }
        EventsCommand::Query {
            trace_id,
            event_type,
            since,
            until,
            key,
            shape,
        } => {
            let filter = Filter {
                event_type,
                trace_id,
                key,
                since,
                until,
            };
            let print = printer(&shape);
            let mut failed = Ok(());
            query(&dir, &filter, |record| {
                failed = print(&record);
                failed.is_ok()
            })?;
            failed?;
        }
        EventsCommand::Verify { format } => {
            anyhow::ensure!(
                dir.is_dir(),
                "there is no audit log in {}: the service makes one when it starts (--state-dir names another place)",
                dir.display()
            );
            let report = verify(&dir)?;
            if format.json {
                print_json(&report)?;
            } else {
                for finding in &report.findings {
                    table::line(sentence(finding))?;
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

fn sentence(finding: &Finding) -> String {
    let Finding {
        file,
        line,
        kind,
        text,
    } = finding;
    match (file.as_str(), line) {
        ("", _) => format!("{kind}: {text}"),
        (file, 0) => format!("{file}: {kind}: {text}"),
        (file, line) => format!("{file} line {line}: {kind}: {text}"),
    }
}

/// Prints what comes, until nobody reads it or the process is ended.
fn follow(mut log: Follower, print: Print) -> anyhow::Result<()> {
    loop {
        for record in log.read()? {
            print(&record)?;
        }
        std::thread::sleep(LOOK);
    }
}

type Print = fn(&Record) -> anyhow::Result<()>;

/// Lines for people on a terminal, JSON for everybody else, so that scripts need no flag.
fn printer(shape: &EventsShape) -> Print {
    match shape.json || !std::io::stdout().is_terminal() {
        true => |record| Ok(table::json_line(record)?),
        false => |record| Ok(table::flowing(&readable(record))?),
    }
}

/// When, what, whose, which job, and how it came out; then the sentence.
fn readable(record: &Record) -> String {
    let event = &record.event;
    let text = |name: &str| event.extra.get(name).and_then(Value::as_str);
    let time = event.timestamp.get(..19).unwrap_or(&event.timestamp);
    let id = event.trace_id.as_ref().map_or("-", |id| id.as_str());
    let id = id.get(id.len().saturating_sub(ID_WIDTH)..).unwrap_or(id);
    let key = text("key_name").or(text("key")).unwrap_or("-");
    let outcome = OUTCOMES.iter().find_map(|name| text(name)).unwrap_or("-");
    let kind = event.event_type.name();
    let more = MORE
        .iter()
        .filter_map(|name| told(name, event.extra.get(*name)?));
    format!(
        "{time}Z {kind:TYPE_WIDTH$} {key:12} {id:ID_WIDTH$} {outcome:OUTCOME_WIDTH$} {}{}",
        event.details,
        more.collect::<String>()
    )
}

/// A fact that the sentence has not; nothing where it is empty.
fn told(name: &str, value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        Value::Array(items) => {
            let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            items.join(", ")
        }
        _ => return None,
    };
    (!text.is_empty()).then(|| format!("; {}: {text}", name.replace('_', " ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_for_people_and_a_place_is_a_file_and_a_line() {
        let record: Record = serde_json::from_str(
            r#"{"seq":7,"prev":"00ff","timestamp":"2026-01-31T12:00:00.123456Z","event_type":"VM_STOP","trace_id":"0123456789abcdef0123456789abcdef","details":"it ended","key":"k1","key_name":"app","status":"ok","needs_restart":["a","b"],"changed":[],"hash":"aa"}"#,
        )
        .unwrap();
        assert_eq!(
            readable(&record),
            "2026-01-31T12:00:00Z VM_STOP           app          456789abcdef ok            it ended; needs restart: a, b"
        );
        let finding = |file: &str, line| Finding {
            file: file.into(),
            line,
            kind: "changed",
            text: "record 5 was changed".into(),
        };
        for (finding, told) in [
            (
                finding("audit-1.jsonl", 17),
                "audit-1.jsonl line 17: changed: record 5 was changed",
            ),
            (finding("head", 0), "head: changed: record 5 was changed"),
            (finding("", 0), "changed: record 5 was changed"),
        ] {
            assert_eq!(sentence(&finding), told);
        }
    }
}
