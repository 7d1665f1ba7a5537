//! The table of settings for people: lines for a terminal, a configuration to begin with; `tests.rs` keeps the page.

use super::table::{ANY_NAME, Setting};
use serde_json::Value;
use std::fmt::Write as _;

/// Lines for a terminal.
pub fn text(rows: &[Setting]) -> String {
    let mut text = String::new();
    for row in rows {
        let mut facts = vec![kind(row)];
        facts.extend(default(row).map(|default| format!("default {default}")));
        if row.required {
            facts.push("must be given".into());
        }
        facts.push(if row.reload { "reload" } else { "restart" }.into());
        // To a string it cannot fail.
        let _ = writeln!(text, "{}  ({})", row.name, facts.join("; "));
        let _ = writeln!(text, "    {}", meaning(row));
    }
    text
}

/// A configuration in which every setting stands, commented, at its default.
pub fn toml(rows: &[Setting]) -> String {
    let mut text = String::from(
        "## Every setting. Lines that begin with one # are settings at their defaults.\n",
    );
    for (table, rows) in by_table(rows) {
        // A table that is there only when an operator writes it has no defaults to begin with.
        let by_operator = rows.iter().any(|row| row.required);
        let sign = if by_operator { "##" } else { "#" };
        if !table.is_empty() {
            // To a string it cannot fail.
            let _ = writeln!(text, "\n{sign}[{table}]");
        }
        for row in rows {
            let _ = writeln!(text, "\n## {}", meaning(row));
            let _ = match default(row) {
                Some(default) => writeln!(text, "{sign}{} = {default}", own_name(row)),
                None => writeln!(text, "## {} = {}", own_name(row), kind(row)),
            };
        }
    }
    text
}

fn by_table(rows: &[Setting]) -> Vec<(&str, Vec<&Setting>)> {
    let mut tables: Vec<(&str, Vec<&Setting>)> = Vec::new();
    for row in rows {
        let table = row.name.rsplit_once('.').map_or("", |(table, _)| table);
        match tables.last_mut() {
            Some((last, rows)) if *last == table => rows.push(row),
            _ => tables.push((table, vec![row])),
        }
    }
    tables
}

fn own_name(row: &Setting) -> &str {
    row.name.rsplit('.').next().unwrap_or(&row.name)
}

/// Type, unit and bounds in one phrase.
fn kind(row: &Setting) -> String {
    let mut kind = row.kind.clone();
    if let Some(unit) = &row.unit {
        kind += &format!(", {unit}");
    }
    match (&row.least, &row.most) {
        (Some(least), Some(most)) => kind += &format!(", {least} to {most}"),
        (Some(least), None) if least.as_f64() != Some(0.0) => kind += &format!(", {least} or more"),
        (None, Some(most)) => kind += &format!(", {most} or less"),
        _ => {}
    }
    kind
}

/// The default as TOML writes it; `None` where there is none.
fn default(row: &Setting) -> Option<String> {
    match &row.default {
        Value::Null => None,
        value => Some(value.to_string()),
    }
}

fn meaning(row: &Setting) -> String {
    let mut meaning = row.meaning.clone();
    let by: Vec<String> = [&row.variable, &row.flag]
        .into_iter()
        .flatten()
        .map(|name| format!("`{name}`"))
        .collect();
    if !by.is_empty() {
        meaning += &format!(" Also {}.", by.join(", "));
    }
    if row.name.contains(ANY_NAME) && row.required {
        meaning += " Must be given.";
    }
    meaning
}

#[cfg(test)]
mod tests;
