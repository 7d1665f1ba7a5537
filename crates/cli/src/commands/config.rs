//! `config`: the settings in force, what is wrong with a configuration, and what can be set.

use super::print_json;
use crate::args::{ConfigCommand, Format, Global};
use crate::exit::{self, EXIT_USAGE};
use crate::settings::check::{self, Finding, Level};
use crate::settings::origin::{InForce, Sources, in_force};
use crate::settings::{reference, table as settings_table};
use crate::{context, table};
use std::path::PathBuf;
use std::process::ExitCode;

/// Carries out one of the commands.
pub fn run(global: &Global, command: ConfigCommand) -> anyhow::Result<ExitCode> {
    match command {
        ConfigCommand::Show {
            name,
            changed,
            format,
        } => {
            let rows = shown(global, name.as_deref(), changed.then_some(Changed))?;
            print_shown(rows, &format)
        }
        ConfigCommand::Check { file, format } => check(global, file, &format),
        ConfigCommand::Reference { name, toml, format } => {
            let wanted = name.unwrap_or_default();
            let rows = settings_table::settings().into_iter();
            let rows: Vec<_> = rows.filter(|row| row.name.starts_with(&wanted)).collect();
            if rows.is_empty() {
                return Err(unknown(&wanted, "reference"));
            }
            match (format.json, toml) {
                (true, _) => return print_json(&rows),
                (false, true) => table::coloured(reference::toml(&rows).trim_end())?,
                (false, false) => table::wrapped(reference::text(&rows).trim_end())?,
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn unknown(wanted: &str, command: &str) -> anyhow::Error {
    exit::usage(anyhow::anyhow!(
        "no setting's name begins with {wanted:?}; see: llm-firecracker config {command}"
    ))
}

/// Only what is not at its default is wanted.
struct Changed;

fn shown(
    global: &Global,
    wanted: Option<&str>,
    only: Option<Changed>,
) -> anyhow::Result<Vec<InForce>> {
    let (settings, lines) = context::settings_with_lines(global)?;
    let file = context::config_file(global)?;
    let sources = Sources {
        file: file.as_deref().map(|path| (path, &lines)),
        given: &global.given,
    };
    let mut rows = in_force(&settings, &sources);
    let wanted = wanted.unwrap_or_default();
    rows.retain(|row| row.name.starts_with(wanted));
    if rows.is_empty() {
        return Err(unknown(wanted, "show"));
    }
    if only.is_some() {
        rows.retain(|row| row.origin != "default");
    }
    Ok(rows)
}

fn print_shown(rows: Vec<InForce>, format: &Format) -> anyhow::Result<ExitCode> {
    if format.json {
        return print_json(&rows);
    }
    let lines = rows.into_iter().map(|row| {
        let value = match row.value {
            serde_json::Value::Null => "-".into(),
            value => value.to_string(),
        };
        vec![row.name, value, row.origin]
    });
    table::print(&["setting", "value", "from"], lines)?;
    Ok(ExitCode::SUCCESS)
}

fn check(global: &Global, file: Option<PathBuf>, format: &Format) -> anyhow::Result<ExitCode> {
    let mut global = global.clone();
    global.config = file.or(global.config);
    let path = context::config_file(&global)?;
    let findings = check::findings(&global, path.as_deref())?;
    let whole = findings.iter().all(|one| one.level == Level::Warning);
    if format.json {
        print_json(&findings)?;
    } else {
        let name = path.map(|path| path.display().to_string());
        for Finding { line, level, text } in &findings {
            let level = match level {
                Level::Fault => "",
                Level::Warning => "warning: ",
            };
            let place = match (&name, line) {
                (Some(name), Some(line)) => format!("{name}:{line}: "),
                (Some(name), None) => format!("{name}: "),
                (None, _) => String::new(),
            };
            table::line(format_args!("{place}{level}{text}"))?;
        }
        if whole {
            let name = name.unwrap_or_else(|| "no configuration; the defaults".into());
            table::line(format_args!("{name}: can be used"))?;
        }
    }
    Ok(match whole {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(EXIT_USAGE),
    })
}
