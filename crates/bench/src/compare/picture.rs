//! The comparison as a picture.

use super::Row;
use crate::plot::{Plot, PlotRow, svg};
use protocol::language::Language;

const SERIES: &[&str] = &[
    "this tool",
    "others, a kernel of their own",
    "others, the host's kernel",
];

/// A bar for each technology, and why there is none where it was not measured.
pub fn picture(language: Language, rows: &[Row]) -> String {
    let runs = rows.iter().filter_map(|row| Some(row.times.as_ref()?.runs));
    let runs = runs.max().unwrap_or_default();
    let row = |row: &Row| PlotRow {
        label: row.technology.to_owned(),
        series: match (row.is_ours, row.kernel_shared) {
            (true, _) => 0,
            (false, false) => 1,
            (false, true) => 2,
        },
        seen: row.times.clone().ok_or_else(|| {
            let why = row.why_not.as_deref();
            why.unwrap_or("not measured").to_owned()
        }),
    };
    svg(&Plot {
        title: "The same program under each technology, from its start to its end",
        subtitle: format!("{language}, hello; {runs} runs of each, in turns"),
        series: SERIES,
        rows: rows.iter().map(row).collect(),
    })
}
