//! Times as an SVG: a bar from the fastest to the p95, a tick at the median, on a logarithmic axis, because what is
//! compared lies orders of magnitude apart; a legend of what the colours, the bar and the tick are. Readable on light and
//! dark ground, by whoever shows it. [`writer`] places texts and knows how wide they are.

mod writer;

use crate::stats::Summary;
use writer::{Anchor, Svg, clipped, text_width};

const WIDTH: f64 = 760.0;
const MARGIN: f64 = 16.0;
/// Of labels at the left, at most; longer ones are cut.
const MOST_LABEL: f64 = 240.0;
/// Behind the longest bar, for its median.
const FOR_VALUES: f64 = 80.0;
const ROW: f64 = 26.0;
const BAR: f64 = 12.0;
/// A shorter one would be hidden by its own median.
const LEAST_BAR: f64 = 8.0;
const SMALL: f64 = 12.0;
const TITLE: f64 = 15.0;

/// A picture of times.
pub struct Plot<'a> {
    /// What was measured.
    pub title: &'a str,
    /// How: runs, language.
    pub subtitle: String,
    /// What the rows' colours mean, by their numbers; at most [`COLOURS`].
    pub series: &'a [&'a str],
    /// The lines, in order.
    pub rows: Vec<PlotRow>,
}

/// One line of it.
pub struct PlotRow {
    /// Whose times.
    pub label: String,
    /// Which of the plot's series it is of.
    pub series: usize,
    /// The times, or why there are none.
    pub seen: Result<Summary, String>,
}

/// How many series a plot has colours for.
pub const COLOURS: usize = 3;

/// Colours that are told apart by those who see fewer, with enough contrast to white and to black.
const STYLE: &str = "text{fill:#24292f}.s{fill:#57606a}.grid{stroke:#c4c9cf;stroke-width:.7}.median{stroke:#111;stroke-width:2}\
.c0{fill:#4c8dd6}.c1{fill:#d9822b}.c2{fill:#8a8f98}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.s{fill:#adb6c0}.grid{stroke:#3d444d}.median{stroke:#fff}}";

/// The logarithmic axis: from one power of ten to another, in seconds.
struct Axis {
    from: f64,
    to: f64,
    left: f64,
    right: f64,
}

impl Axis {
    /// That holds all of these times.
    fn of(rows: &[PlotRow], left: f64) -> Axis {
        let times = rows.iter().filter_map(|row| row.seen.as_ref().ok());
        let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
        for times in times {
            least = least.min(times.min_seconds);
            most = most.max(times.p95_seconds);
        }
        // Of nothing measured, and of what takes no time, a picture, too.
        let from = 10f64.powf(least.clamp(1e-6, 1.0).log10().floor());
        let to = 10f64.powf(most.max(from * 1.001).log10().ceil());
        let right = WIDTH - MARGIN - FOR_VALUES;
        Axis {
            from,
            to,
            left,
            right,
        }
    }

    fn x(&self, seconds: f64) -> f64 {
        let share =
            (seconds.clamp(self.from, self.to) / self.from).log10() / (self.to / self.from).log10();
        self.left + share * (self.right - self.left)
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        let decades = (self.to / self.from).log10().round() as i32;
        (0..=decades).map(|decade| self.from * 10f64.powi(decade))
    }
}

/// Draws it.
pub fn svg(plot: &Plot) -> String {
    let mut svg = Svg::default();
    svg.text(
        (MARGIN, 26.0),
        (TITLE, Anchor::Start),
        &clipped(plot.title, TITLE, WIDTH - 2.0 * MARGIN),
    );
    svg.small(
        (MARGIN, 46.0),
        Anchor::Start,
        &clipped(&plot.subtitle, SMALL, WIDTH - 2.0 * MARGIN),
    );
    let top = legend(&mut svg, plot, 70.0) + 22.0;
    let bottom = top + plot.rows.len() as f64 * ROW;
    let label = |row: &PlotRow| clipped(&row.label, SMALL, MOST_LABEL);
    let widest = plot
        .rows
        .iter()
        .map(|row| text_width(&label(row), SMALL))
        .fold(40.0, f64::max);
    let axis = Axis::of(&plot.rows, MARGIN + widest + 10.0);
    for tick in axis.ticks() {
        let x = axis.x(tick);
        svg.line("grid", (x, top), (x, bottom + 4.0));
        svg.small((x, bottom + 20.0), Anchor::Middle, &seconds(tick));
    }
    let middle = f64::midpoint(axis.left, axis.right);
    svg.small(
        (middle, bottom + 40.0),
        Anchor::Middle,
        "time, on a logarithmic axis: each line is ten times the one before",
    );
    for (index, row) in plot.rows.iter().enumerate() {
        let base = top + index as f64 * ROW + 17.0;
        svg.text((axis.left - 10.0, base), (SMALL, Anchor::End), &label(row));
        draw(&mut svg, &axis, row, base);
    }
    svg.finish(plot.title, STYLE, (WIDTH, bottom + 54.0))
}

/// The row's bar, tick and median; or why it has none.
fn draw(svg: &mut Svg, axis: &Axis, row: &PlotRow, base: f64) {
    match &row.seen {
        Ok(times) => {
            let (from, to) = (axis.x(times.min_seconds), axis.x(times.p95_seconds));
            let median = axis.x(times.p50_seconds);
            let wide = (to - from).max(LEAST_BAR);
            bar(
                svg,
                row.series,
                (f64::midpoint(from, to) - wide / 2.0, base),
                wide,
            );
            svg.line("median", (median, base - BAR - 1.0), (median, base + 3.0));
            svg.text(
                (to.max(median) + 8.0, base),
                (SMALL, Anchor::Start),
                &seconds(times.p50_seconds),
            );
        }
        Err(why) => {
            let room = WIDTH - MARGIN - axis.left - 6.0;
            svg.small(
                (axis.left + 6.0, base),
                Anchor::Start,
                &clipped(why, SMALL, room),
            );
        }
    }
}

fn bar(svg: &mut Svg, series: usize, (x, base): (f64, f64), width: f64) {
    let class = format!("c{}", series.min(COLOURS - 1));
    svg.rect(&class, (x, base - BAR + 1.0), (width, BAR));
}

/// What stands before a name in the legend.
enum Sample {
    /// The colour of a series.
    Colour(usize),
    Bar,
    Tick,
}

/// What the colours that are seen, the bar and the tick mean, over as many lines as it takes; gives the last one's place.
fn legend(svg: &mut Svg, plot: &Plot, first: f64) -> f64 {
    const SAMPLE: f64 = 24.0;
    let (mut x, mut base) = (MARGIN, first);
    let series = plot.series.iter().enumerate();
    let drawn = |index: usize| {
        let mut rows = plot.rows.iter();
        rows.any(|row| row.series == index && row.seen.is_ok())
    };
    let series = series.filter(|(index, _)| drawn(*index));
    let series = series.map(|(index, name)| (Sample::Colour(index), *name));
    let marks = [
        (Sample::Bar, "from the fastest to the p95"),
        (Sample::Tick, "median"),
    ];
    for (sample, name) in series.chain(marks) {
        let wide = SAMPLE + 6.0 + text_width(name, SMALL) + 20.0;
        if x + wide > WIDTH - MARGIN && x > MARGIN {
            (x, base) = (MARGIN, base + 20.0);
        }
        let middle = x + SAMPLE / 2.0;
        match sample {
            Sample::Colour(series) => bar(svg, series, (middle - BAR / 2.0, base), BAR),
            Sample::Bar => bar(svg, COLOURS - 1, (x, base), SAMPLE),
            Sample::Tick => svg.line("median", (middle, base - BAR), (middle, base + 3.0)),
        }
        svg.small((x + SAMPLE + 6.0, base), Anchor::Start, name);
        x += wide;
    }
    base
}

fn seconds(value: f64) -> String {
    match value {
        value if value < 0.001 => format!("{:.0} µs", value * 1e6),
        value if value < 0.01 => format!("{:.1} ms", value * 1e3),
        value if value < 1.0 => format!("{:.0} ms", value * 1e3),
        value if value < 10.0 => format!("{value:.1} s"),
        value => format!("{value:.0} s"),
    }
}

#[cfg(test)]
mod tests;
