//! A picture is XML; each text is within it and runs into no other, whatever is measured and whatever it is called.

use super::writer::text_width;
use super::*;
use proptest::prelude::*;
use roxmltree::{Document, Node};
use std::time::Duration;

fn times(millis: &[u64]) -> Summary {
    let times: Vec<_> = millis.iter().copied().map(Duration::from_millis).collect();
    crate::stats::summary(&times).unwrap()
}

fn plot(rows: Vec<PlotRow>) -> Plot<'static> {
    Plot {
        title: "Hello, from the request to the result",
        subtitle: "10 runs of each".to_owned(),
        series: &[
            "this tool",
            "others, with a kernel of their own",
            "others, on the host's kernel",
        ],
        rows,
    }
}

/// Left, top, right, bottom.
type Extent = (f64, f64, f64, f64);

fn number(node: Node, name: &str) -> f64 {
    node.attribute(name).unwrap().parse().unwrap()
}

fn extent(text: Node) -> Extent {
    let (x, y, size) = (
        number(text, "x"),
        number(text, "y"),
        number(text, "font-size"),
    );
    let wide = text_width(text.text().unwrap_or_default(), size);
    let left = match text.attribute("text-anchor").unwrap() {
        "start" => x,
        "middle" => x - wide / 2.0,
        _ => x - wide,
    };
    (left, y - size * 0.8, left + wide, y + size * 0.25)
}

/// What is wrong with a picture.
fn faults(picture: &str) -> Vec<String> {
    let document = Document::parse(picture).unwrap();
    let root = document.root_element();
    let size: Vec<f64> = root
        .attribute("viewBox")
        .unwrap()
        .split(' ')
        .map(|n| n.parse().unwrap())
        .collect();
    let texts: Vec<Node> = root
        .children()
        .filter(|node| node.has_tag_name("text"))
        .collect();
    let mut faults = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let (left, top, right, bottom) = extent(*text);
        let words = text.text().unwrap_or_default();
        if left < 0.0 || top < 0.0 || right > size[2] || bottom > size[3] {
            faults.push(format!("{words:?} leaves the picture"));
        }
        for other in &texts[..index] {
            let (l, t, r, b) = extent(*other);
            if left < r && l < right && top < b && t < bottom {
                faults.push(format!("{words:?} runs into {:?}", other.text()));
            }
        }
    }
    for shape in root.children().filter(|node| node.has_tag_name("rect")) {
        let right = number(shape, "x") + number(shape, "width");
        if number(shape, "x") < 0.0 || right > size[2] || number(shape, "width") <= 0.0 {
            faults.push(format!("a bar from {} to {right}", number(shape, "x")));
        }
    }
    faults
}

#[test]
fn every_row_has_its_bar_and_the_legend_names_colours_bar_and_tick() {
    let row = |label: &str, series, seen| PlotRow {
        label: label.into(),
        series,
        seen,
    };
    let picture = svg(&plot(vec![
        row("a<b & \u{1b}c", 0, Ok(times(&[5, 9, 12]))),
        row("runsc", 1, Ok(times(&[4000, 4100, 4500]))),
        row("docker", 2, Err("not installed".into())),
    ]));
    let none: Vec<String> = Vec::new();
    assert_eq!(faults(&picture), none);
    let document = Document::parse(&picture).unwrap();
    let words: Vec<&str> = document
        .descendants()
        .filter(|node| node.has_tag_name("text"))
        .filter_map(|node| node.text())
        .collect();
    for said in [
        "this tool",
        "median",
        "from the fastest to the p95",
        "a<b &  c",
        "9.0 ms",
        "4.1 s",
        "not installed",
        "10 runs of each",
    ] {
        assert!(words.contains(&said), "{said} is not in {words:?}");
    }
    // Of the legend three: who was not measured has no colour there.
    assert!(
        !words.contains(&"others, on the host's kernel"),
        "{words:?}"
    );
    let bars = document
        .descendants()
        .filter(|node| node.has_tag_name("rect"))
        .count();
    assert_eq!(bars, 3 + 2);
    assert!(picture.contains("prefers-color-scheme:dark"));
}

/// One time alone, beside times that are a thousand times as long, is seen at both sides of its median.
#[test]
fn a_bar_of_one_time_is_wider_than_its_median_and_has_its_figure() {
    let row = |label: &str, millis: &[u64]| PlotRow {
        label: label.into(),
        series: 0,
        seen: Ok(times(millis)),
    };
    let picture = svg(&plot(vec![row("cold boot", &[9]), row("pool", &[1, 9000])]));
    let document = Document::parse(&picture).unwrap();
    let of = |name: &'static str| {
        let nodes = document.descendants();
        nodes
            .filter(move |node| node.has_tag_name(name))
            .collect::<Vec<_>>()
    };
    // Two of the legend before it.
    let bar = of("rect")[2];
    let medians = of("line")
        .into_iter()
        .filter(|line| line.attribute("class") == Some("median"));
    let median = number(medians.collect::<Vec<_>>()[1], "x1");
    let (left, wide) = (number(bar, "x"), number(bar, "width"));
    assert!(
        left + 2.0 <= median && median + 2.0 <= left + wide,
        "{picture}"
    );
    let figure = |node: &Node| node.text() == Some("9.0 ms");
    assert!(of("text").iter().any(figure), "{picture}");
}

#[test]
fn nothing_measured_is_a_picture_too() {
    let row = PlotRow {
        label: "docker".into(),
        series: 0,
        seen: Err("not installed".into()),
    };
    for rows in [vec![], vec![row]] {
        let none: Vec<String> = Vec::new();
        assert_eq!(faults(&svg(&plot(rows))), none);
    }
}

proptest! {
    #[test]
    fn no_text_leaves_the_picture_or_runs_into_another(
        rows in proptest::collection::vec(("\\PC{0,80}", 0usize..3, proptest::collection::vec(0u64..400_000, 0..9)), 0..12)
    ) {
        let rows = rows.into_iter().map(|(label, series, millis)| {
            let seen = match millis.is_empty() {
                true => Err(label.repeat(3)),
                false => Ok(times(&millis)),
            };
            PlotRow { label, series, seen }
        });
        let picture = svg(&plot(rows.collect()));
        prop_assert_eq!(faults(&picture), Vec::<String>::new());
        prop_assert!(!picture.contains("NaN") && !picture.contains("inf"));
    }
}
