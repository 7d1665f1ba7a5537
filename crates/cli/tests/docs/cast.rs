//! `docs/tour.cast` plays `docs/tour.md` in a terminal (asciicast v2), in two minutes: it is made from the page, whose
//! commands the tests of the service run.

use crate::console::{Shown, shown};
use crate::pages::repository;
use serde_json::{Value, json};

const COLUMNS: usize = 100;
const ROWS: usize = 30;
/// As fast as somebody types who knows the words.
const KEY_SECONDS: f64 = 0.02;
/// To read a line of what is printed.
const LINE_SECONDS: f64 = 0.35;
/// Before and behind what a command prints.
const PAUSE_SECONDS: f64 = 0.5;
/// What it must not take longer than.
const TOUR_SECONDS: f64 = 120.0;

/// A recording in the making.
struct Cast {
    lines: Vec<String>,
    seconds: f64,
}

impl Cast {
    fn says(&mut self, text: &str, then_seconds: f64) {
        let at = (self.seconds * 1000.0).round() / 1000.0;
        self.lines.push(json!([at, "o", text]).to_string());
        self.seconds += then_seconds;
    }

    fn types(&mut self, line: &str) {
        for letter in line.chars() {
            self.says(&letter.to_string(), KEY_SECONDS);
        }
        self.says("\r\n", PAUSE_SECONDS);
    }
}

/// The recording of a page, and how long it takes.
fn cast(page: &str) -> (String, f64) {
    let header =
        json!({"version": 2, "width": COLUMNS, "height": ROWS, "title": "LLM-Firecracker"});
    let mut cast = Cast {
        lines: vec![header.to_string()],
        seconds: 0.0,
    };
    for shown in shown(page) {
        match shown {
            Shown::Heading(heading) => {
                cast.says(&format!("\u{1b}[1m# {heading}\u{1b}[0m\r\n"), PAUSE_SECONDS);
            }
            Shown::Step(step) => {
                cast.says("$ ", PAUSE_SECONDS);
                for (number, line) in step.command.lines().enumerate() {
                    if number > 0 {
                        cast.says("> ", 0.0);
                    }
                    cast.types(line);
                }
                for line in step.output.lines() {
                    cast.says(&format!("{line}\r\n"), LINE_SECONDS);
                }
            }
        }
    }
    (cast.lines.join("\n") + "\n", cast.seconds)
}

#[test]
fn the_recorded_tour_is_the_pages_and_takes_two_minutes() {
    let page = std::fs::read_to_string(repository().join("docs/tour.md")).unwrap();
    let path = repository().join("docs/tour.cast");
    let (cast, seconds) = cast(&page);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &cast).unwrap();
    }
    assert!(seconds <= TOUR_SECONDS, "it takes {seconds:.0} s");
    let widest = page.lines().filter(|line| line.starts_with("$ "));
    let widest = widest.map(|line| line.chars().count()).max().unwrap();
    assert!(widest <= COLUMNS, "a command has {widest} columns");
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == cast,
        "docs/tour.cast is not the page's: UPDATE_DOCS=1 cargo test -p cli --test docs"
    );
    for line in kept.lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
}
