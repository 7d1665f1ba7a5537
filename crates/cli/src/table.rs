//! Tables for people.

use comfy_table::{Table, presets};

/// A table with a header and rows, without lines, as `docker` and `kubectl` print them.
pub fn print(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(header.iter().map(|name| name.to_uppercase()));
    table.add_rows(rows);
    for line in table.lines() {
        println!("{}", line.trim_end());
    }
}

/// Bytes as MiB with one decimal, as the limits are written.
pub fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / (1024.0 * 1024.0))
}
