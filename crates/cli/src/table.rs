//! Standard output for people: lines and tables. A reader that has seen enough (`| head`) is no
//! error of ours: the failed write travels up as any error, and `main` ends quietly on it.

use comfy_table::{Table, presets};
use std::fmt::Display;
use std::io::{self, Write};

/// One line.
pub fn line(text: impl Display) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
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
