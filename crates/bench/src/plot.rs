//! Latency by path as an SVG: a bar from the fastest to the p95, a tick at the median, on a
//! logarithmic axis, because the paths lie three orders of magnitude apart.

use crate::stats::Summary;
use std::fmt::Write;

const WIDTH: f64 = 760.0;
const LEFT: f64 = 170.0;
const ROW: f64 = 26.0;
const TOP: f64 = 40.0;
/// The axis begins at 1 ms.
const FROM_SECONDS: f64 = 0.001;

/// One line of the plot.
pub struct PlotRow {
    /// What was measured.
    pub label: String,
    /// The times.
    pub summary: Summary,
}

/// Draws the rows, in order.
pub fn svg(title: &str, rows: &[PlotRow]) -> String {
    let slowest = rows
        .iter()
        .map(|row| row.summary.p95_seconds)
        .fold(0.01, f64::max);
    // Up to the next power of ten.
    let to_seconds = 10f64.powf(slowest.log10().ceil());
    let x = |seconds: f64| {
        let share = (seconds.max(FROM_SECONDS) / FROM_SECONDS).log10()
            / (to_seconds / FROM_SECONDS).log10();
        LEFT + share * (WIDTH - LEFT - 80.0)
    };
    let height = TOP + rows.len() as f64 * ROW + 30.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"12\">\
         <style>text{{fill:#333}}.grid{{stroke:#bbb;stroke-width:.5}}.bar{{fill:#7aa5d8}}.median{{stroke:#103a6b;stroke-width:2}}\
         @media(prefers-color-scheme:dark){{text{{fill:#ddd}}.grid{{stroke:#555}}.median{{stroke:#fff}}}}</style>\
         <text x=\"8\" y=\"20\" font-size=\"14\">{}</text>\n",
        escape(title)
    );
    let mut tick = FROM_SECONDS;
    while tick <= to_seconds * 1.001 {
        let at = x(tick);
        let _ = writeln!(
            out,
            "<line class=\"grid\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{:.1}\"/><text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            height - 25.0,
            height - 8.0,
            seconds(tick)
        );
        tick *= 10.0;
    }
    for (index, row) in rows.iter().enumerate() {
        let y = TOP + index as f64 * ROW;
        let s = &row.summary;
        let (from, to, median) = (x(s.min_seconds), x(s.p95_seconds), x(s.p50_seconds));
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
             <rect class=\"bar\" x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"12\"/>\
             <line class=\"median\" x1=\"{median:.1}\" x2=\"{median:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            LEFT - 8.0,
            y + 15.0,
            escape(&row.label),
            y + 5.0,
            (to - from).max(1.0),
            y + 2.0,
            y + 20.0,
            to + 6.0,
            y + 15.0,
            seconds(s.p50_seconds)
        );
    }
    out.push_str("</svg>\n");
    out
}

fn seconds(value: f64) -> String {
    if value < 1.0 {
        format!("{:.0} ms", value * 1000.0)
    } else {
        format!("{value:.1} s")
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn every_row_has_its_bar_inside_the_picture() {
        let row = |millis: &[u64]| PlotRow {
            label: "a<b".into(),
            summary: crate::stats::summary(
                &millis
                    .iter()
                    .copied()
                    .map(Duration::from_millis)
                    .collect::<Vec<_>>(),
            )
            .unwrap(),
        };
        let picture = svg("t", &[row(&[5, 9, 12]), row(&[4000, 4100, 4500])]);
        assert_eq!(picture.matches("class=\"bar\"").count(), 2);
        assert!(picture.contains("a&lt;b") && !picture.contains("a<b"));
        assert!(!picture.contains("NaN") && !picture.contains("inf"));
    }
}
