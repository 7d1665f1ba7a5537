//! Standard output for people: lines and tables; and JSON, for machines. A reader that has seen enough (`| head`) is no
//! error of ours: the failed write travels up as any error, and `main` ends quietly on it.

use crate::terminal;
use comfy_table::{Table, presets};
use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write};

/// One line; on a terminal nothing in it steers that.
pub fn line(text: impl Display) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.is_terminal() {
        true => writeln!(stdout, "{}", terminal::visible(&text.to_string())),
        false => writeln!(stdout, "{text}"),
    }
}

/// Text whose colours are the tool's own; whatever else is in it was made visible before.
pub fn coloured(text: impl Display) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// One JSON value on one line. What would steer a terminal is written by its number, also to a pipe: it is the same
/// value, and many a pipe ends at a terminal.
pub fn json_line(value: &impl serde::Serialize) -> io::Result<()> {
    coloured(terminal::json(&serde_json::to_string(value)?))
}

/// The same, over several lines.
pub fn json_pretty(value: &impl serde::Serialize) -> io::Result<()> {
    coloured(terminal::json(&serde_json::to_string_pretty(value)?))
}

/// A table with a header and rows, without lines, as `docker` and `kubectl` print them.
pub fn print(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> io::Result<()> {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(header.iter().map(|name| name.to_uppercase()));
    table.add_rows(rows);
    for row in table.lines() {
        line(row.trim_end())?;
    }
    Ok(())
}

/// Bytes as MiB with one decimal, as the limits are written.
pub fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / (1024.0 * 1024.0))
}
