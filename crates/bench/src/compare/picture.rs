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

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::language::named;
    use std::time::Duration;

    fn row(technology: &'static str, times: Option<&[u64]>) -> Row {
        let is_ours = technology == "pool";
        let millis = times.map(|all| {
            let times: Vec<_> = all.iter().copied().map(Duration::from_millis).collect();
            crate::stats::summary(&times).unwrap()
        });
        Row {
            technology,
            is_ours,
            installed: millis.is_some(),
            why_not: millis.is_none().then(|| "not installed".to_owned()),
            isolation: "",
            kernel_shared: !is_ours,
            network_by_default: "",
            times: millis,
            jobs_per_second: None,
            memory_overhead_bytes: None,
        }
    }

    #[test]
    fn each_technology_has_its_line_and_the_legend_what_is_drawn() {
        let rows = [
            row("pool", Some(&[40, 50, 60])),
            row("bwrap", Some(&[9])),
            row("kata", None),
        ];
        let picture = picture(named("python"), &rows);
        roxmltree::Document::parse(&picture).unwrap();
        for said in [
            "pool",
            "bwrap",
            "9.0 ms",
            "kata",
            "not installed",
            "this tool",
            "others, the host's kernel",
            "python, hello; 3 runs of each",
        ] {
            assert!(picture.contains(said), "{said} is not in {picture}");
        }
        assert!(!picture.contains("a kernel of their own"), "{picture}");
    }
}
