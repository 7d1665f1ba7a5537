//! How a table fits a terminal: columns that can be spared go, the last first; what is still too wide goes on below.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use rustix::stdio::stdout;
use rustix::termios::{isatty, tcgetwinsize};
use unicode_width::UnicodeWidthStr;

/// comfy-table puts a space on each side of a cell.
const PADDING: usize = 2;
/// Narrower than this nothing can be read, whatever a terminal says of itself.
const MIN_WIDTH: usize = 40;
/// How far in a long line goes on, beside its own beginning.
const CONTINUED: usize = 4;

/// A column, and whether a narrow terminal can do without it.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    name: &'static str,
    is_spare: bool,
}

/// One that is always there.
pub const fn kept(name: &'static str) -> Column {
    Column {
        name,
        is_spare: false,
    }
}

/// One that goes where there is no room; those further right go first.
pub const fn spare(name: &'static str) -> Column {
    Column {
        name,
        is_spare: true,
    }
}

/// What lines have to fit into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// A terminal of so many columns.
    Terminal(usize),
    /// A file, a pipe, or somebody who asked for all of it.
    Any,
}

impl Width {
    /// Of standard output, now.
    pub fn of_stdout() -> Width {
        if !isatty(stdout()) {
            return Width::Any;
        }
        match tcgetwinsize(stdout()) {
            Ok(size) if size.ws_col > 0 => Width::Terminal(usize::from(size.ws_col).max(MIN_WIDTH)),
            _ => Width::Any,
        }
    }
}

/// The table's lines, its header first.
pub fn lines(columns: &[Column], rows: &[Vec<String>], width: Width) -> Vec<String> {
    let shown = shown(columns, rows, width);
    let longest: usize = shown
        .iter()
        .map(|index| longest_word(*index, columns, rows) + PADDING)
        .sum();
    let mut lines = match width {
        Width::Terminal(width) if longest > width => stacked(&shown, columns, rows, width),
        _ => arranged(&shown, columns, rows, width),
    };
    let left_out: Vec<&str> = (0..columns.len())
        .filter(|index| !shown.contains(index))
        .map(|index| columns[index].name)
        .collect();
    if !left_out.is_empty() {
        lines.push(format!(" (--wide shows also: {})", left_out.join(", ")));
    }
    lines
}

/// Cells beside each other; words stay whole.
fn arranged(
    shown: &[usize],
    columns: &[Column],
    rows: &[Vec<String>],
    width: Width,
) -> Vec<String> {
    let pick = |row: &[String]| -> Vec<String> {
        let cells = shown.iter().filter_map(|index| row.get(*index));
        cells.cloned().collect()
    };
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(
        shown
            .iter()
            .map(|index| columns[*index].name.to_uppercase()),
    );
    table.add_rows(rows.iter().map(|row| pick(row)));
    if let Width::Terminal(width) = width
        && needed(shown, columns, rows) > width
    {
        for (place, index) in shown.iter().enumerate() {
            let least = longest_word(*index, columns, rows) + PADDING;
            if let Some(column) = table.column_mut(place) {
                let least = comfy_table::Width::Fixed(u16::try_from(least).unwrap_or(u16::MAX));
                column.set_constraint(ColumnConstraint::LowerBoundary(least));
            }
        }
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
        // A name is looked for, and copied, as a whole; the others' words have the room then, too.
        let others = shown.iter().skip(1);
        let others: usize = others
            .map(|index| longest_word(*index, columns, rows) + PADDING)
            .sum();
        let first = widest(shown[0], columns, rows) + PADDING;
        if first < width / 2
            && first + others <= width
            && let Some(first) = table.column_mut(0)
        {
            first.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table.lines().map(|row| row.trim_end().to_owned()).collect()
}

/// Where a word, such as an address that is copied, is longer than its column could be: the last cell below the others.
fn stacked(shown: &[usize], columns: &[Column], rows: &[Vec<String>], width: usize) -> Vec<String> {
    let Some((last, others)) = shown.split_last() else {
        return Vec::new();
    };
    let names = |index: &usize| columns[*index].name.to_uppercase();
    let header: Vec<String> = shown.iter().map(names).collect();
    let mut lines = vec![format!(" {}", header.join("  "))];
    for row in rows {
        let cell = |index: &usize| row.get(*index).cloned().unwrap_or_default();
        let cells: Vec<String> = others.iter().map(cell).collect();
        let places = [
            format!(" {}", cells.join("  ")),
            format!("     {}", cell(last)),
        ];
        for line in places.iter().filter(|line| !line.trim().is_empty()) {
            lines.extend(wrap(line, Width::Terminal(width)));
        }
    }
    lines
}

fn longest_word(index: usize, columns: &[Column], rows: &[Vec<String>]) -> usize {
    let cells = rows.iter().filter_map(|row| row.get(index));
    let cells = cells.map(String::as_str).chain([columns[index].name]);
    let words = cells.flat_map(|cell| cell.split(' '));
    words.map(|word| word.width()).max().unwrap_or(0)
}

/// The columns that there is room for, by their places; there is always one.
fn shown(columns: &[Column], rows: &[Vec<String>], width: Width) -> Vec<usize> {
    let mut shown: Vec<usize> = (0..columns.len()).collect();
    let Width::Terminal(width) = width else {
        return shown;
    };
    while needed(&shown, columns, rows) > width {
        match shown.iter().rposition(|index| columns[*index].is_spare) {
            Some(last) if shown.len() > 1 => _ = shown.remove(last),
            _ => break,
        }
    }
    shown
}

fn needed(shown: &[usize], columns: &[Column], rows: &[Vec<String>]) -> usize {
    let widths = shown
        .iter()
        .map(|index| widest(*index, columns, rows) + PADDING);
    widths.sum()
}

fn widest(index: usize, columns: &[Column], rows: &[Vec<String>]) -> usize {
    let cells = rows.iter().filter_map(|row| row.get(index));
    let cells = cells.map(|cell| cell.width());
    cells
        .chain([columns[index].name.width()])
        .max()
        .unwrap_or(0)
}

/// A line in parts that fit; escape sequences of colours take no room.
pub fn wrap(line: &str, width: Width) -> Vec<String> {
    let Width::Terminal(width) = width else {
        return vec![line.to_owned()];
    };
    let indent = line.len() - line.trim_start().len();
    let below = " ".repeat((indent + CONTINUED).min(width / 2));
    let mut parts = Vec::new();
    let mut part = " ".repeat(indent);
    let mut room = width.saturating_sub(indent);
    let mut is_first = true;
    for word in line.trim_start().split_inclusive(' ') {
        let needs = visible_width(word.trim_end());
        if needs > room && !is_first {
            parts.push(part.trim_end().to_owned());
            part = below.clone();
            room = width - below.len();
        }
        is_first = false;
        part.push_str(word);
        room = room.saturating_sub(visible_width(word));
    }
    parts.push(part.trim_end().to_owned());
    parts
}

/// Without the sequences that set colours, which end with `m`.
fn visible_width(text: &str) -> usize {
    let mut pieces = text.split('\u{1b}');
    let plain = pieces.next().unwrap_or_default().width();
    let coloured = pieces.map(|piece| piece.split_once('m').map_or(0, |(_, rest)| rest.width()));
    plain + coloured.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COLUMNS: &[Column] = &[
        kept("image"),
        kept("size"),
        spare("packages"),
        spare("sha256"),
    ];

    fn rows() -> Vec<Vec<String>> {
        let row = ["python-data", "1234.5 MiB", "361", "0123456789abcdef"];
        vec![row.map(str::to_owned).to_vec()]
    }

    #[test]
    fn columns_that_can_be_spared_go_from_the_right() {
        let text = |width| lines(COLUMNS, &rows(), width).join("\n");
        assert_eq!(
            text(Width::Terminal(60)),
            " IMAGE        SIZE        PACKAGES  SHA256\n python-data  1234.5 MiB  361       0123456789abcdef"
        );
        assert_eq!(
            text(Width::Terminal(40)),
            " IMAGE        SIZE        PACKAGES\n python-data  1234.5 MiB  361\n (--wide shows also: sha256)"
        );
        assert!(text(Width::Terminal(30)).contains("(--wide shows also: packages, sha256)"));
        assert_eq!(text(Width::Any).lines().count(), 2);
    }

    #[test]
    fn what_cannot_be_spared_goes_on_below() {
        let columns = [kept("what"), kept("detail")];
        let detail = "a sentence of many words that no terminal of forty columns has the room for"
            .to_owned();
        let lines = lines(
            &columns,
            &[vec!["qemu".into(), detail]],
            Width::Terminal(40),
        );
        assert!(
            lines.len() > 2 && lines.iter().all(|line| line.width() <= 40),
            "{lines:?}"
        );
        assert!(lines[1].starts_with(" qemu  a sentence"), "{lines:?}");
    }

    #[test]
    fn a_long_line_goes_on_further_in() {
        let line = "  \u{1b}[32mpass\u{1b}[0m  one two three four five six seven eight nine";
        assert_eq!(
            wrap(line, Width::Terminal(40)),
            [
                "  \u{1b}[32mpass\u{1b}[0m  one two three four five six",
                "      seven eight nine"
            ]
        );
        assert_eq!(wrap(line, Width::Any), [line]);
        assert_eq!(wrap("", Width::Terminal(40)), [""]);
    }

    #[test]
    fn an_address_stays_whole() {
        let url =
            "https://github.com/firecracker-microvm/firecracker/releases/download/v1.16.1/x.tgz";
        let columns = [kept("what"), kept("state"), kept("detail")];
        let detail =
            format!("not found; fetching {url}; on a host without internet: setup --from FILE");
        let rows = [vec!["firecracker".into(), "missing".into(), detail]];
        let lines = lines(&columns, &rows, Width::Terminal(80));
        let line = lines.iter().find(|line| line.contains(url));
        assert!(
            line.is_some_and(|line| line.trim() == format!("{url};")),
            "{lines:?}"
        );
        assert_eq!(lines[1], " firecracker  missing");
        assert!(lines[2..].iter().all(|line| line.starts_with("     ")));
    }

    proptest! {
        #[test]
        fn a_line_is_wider_than_the_terminal_only_for_a_word_that_is(
            cells in proptest::collection::vec("[a-z /]{0,90}", 4), width in 40usize..200
        ) {
            let width = width.max(MIN_WIDTH);
            // The two that are always shown.
            let (words, mut all) = (cells[..2].to_vec(), String::new());
            for line in lines(COLUMNS, &[cells], Width::Terminal(width)) {
                let fits = line.width() <= width;
                let word = line.split(' ').map(UnicodeWidthStr::width).max().unwrap_or(0);
                prop_assert!(fits || word + 2 * CONTINUED > width, "{line:?}");
                all.push_str(&line);
                all.push(' ');
            }
            for word in words.iter().flat_map(|cell| cell.split(' ')) {
                prop_assert!(all.contains(word), "{word:?} is broken: {all:?}");
            }
        }
    }
}
