//! Standard output for people: lines and tables; and JSON, for machines. A reader that has seen enough (`| head`) is no
//! error of ours: the failed write travels up as any error, and `main` ends quietly on it.

mod layout;

use crate::args::Format;
use crate::terminal;
use jiff::Timestamp;
pub use layout::{Column, Width, kept, spare};
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

/// A table with a header and rows, without lines, as `docker` and `kubectl` print them. It fits the terminal.
pub fn print(
    header: &[&'static str],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> io::Result<()> {
    let columns: Vec<Column> = header.iter().map(|name| kept(name)).collect();
    print_columns(&columns, rows, Width::of_stdout())
}

/// The same with columns that go first where the terminal is narrow, unless `--wide` asks for all of them.
pub fn print_fitted(
    columns: &[Column],
    rows: impl IntoIterator<Item = Vec<String>>,
    format: &Format,
) -> io::Result<()> {
    let width = match format.wide {
        true => Width::Any,
        false => Width::of_stdout(),
    };
    print_columns(columns, rows, width)
}

fn print_columns(
    columns: &[Column],
    rows: impl IntoIterator<Item = Vec<String>>,
    width: Width,
) -> io::Result<()> {
    let rows: Vec<Vec<String>> = rows.into_iter().collect();
    for row in layout::lines(columns, &rows, width) {
        line(row)?;
    }
    Ok(())
}

/// One line of text of others', which goes on below where the terminal ends, between words.
pub fn flowing(text: &str) -> io::Result<()> {
    for part in layout::wrap(&terminal::visible(text), Width::of_stdout()) {
        line(part)?;
    }
    Ok(())
}

/// Text of the tool's own whose long lines go on below, within the terminal's width and as far in as they begin.
pub fn wrapped(text: &str) -> io::Result<()> {
    let width = Width::of_stdout();
    for one in text.lines() {
        for part in layout::wrap(one, width) {
            coloured(part)?;
        }
    }
    Ok(())
}

/// How long ago that was, as people say it. What is no time of RFC 3339 stays as it is.
pub fn ago_of_text(time: &str) -> String {
    time.parse().map_or_else(|_| time.to_owned(), ago)
}

/// How long ago that was, as people say it.
pub fn ago(time: Timestamp) -> String {
    relative(time, Timestamp::now())
}

fn relative(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs();
    let (seconds, is_past) = (seconds.unsigned_abs(), seconds >= 0);
    let said = match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    };
    match is_past {
        true => format!("{said} ago"),
        false => format!("in {said}"),
    }
}

/// Bytes as MiB with one decimal, as the limits are written.
pub fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / (1024.0 * 1024.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_people_do() {
        let now = "2026-03-02T12:00:00Z".parse().unwrap();
        for (time, said) in [
            ("2026-03-02T12:00:00.5Z", "0 s ago"),
            ("2026-03-02T11:59:30.123456789Z", "29 s ago"),
            ("2026-03-02T11:57:00Z", "3 min ago"),
            ("2026-03-02T10:00:00Z", "2 h ago"),
            ("2026-02-25T12:00:00Z", "5 days ago"),
            ("2026-03-02T12:10:00Z", "in 10 min"),
        ] {
            assert_eq!(relative(time.parse().unwrap(), now), said);
        }
    }
}
