//! `docs/tour.md`: its commands, in a user's shell, print what the page shows. `UPDATE_DOCS=1` writes what they print into
//! the page, which is how it came about; then `UPDATE_DOCS=1 cargo test -p cli --test docs` records it.

use crate::console::{Shown, Step, shown};
use crate::lab;
use crate::pages::Page;
use crate::service::Service;
use crate::shell_session;
use regex::Regex;

const PAGE: &str = "docs/tour.md";
const IMAGES: &[&str] = &["python", "bash", "python-data", "node"];
/// What differs from host to host and from day to day, and what stands for it.
const DIFFERS: &[(&str, &str)] = &[
    (r"\b[0-9a-f]{8}-[0-9a-f-]{27}\b", "ID"),
    (r"\b[0-9a-f]{12,64}\b", "DIGEST"),
    (r"\b(uml|qemu|firecracker)\b", "ENGINE"),
    (r"\d+(\.\d+)? ?(ms|s|MiB|GiB)\b", "N"),
    (r"\d+\.\d+\.\d+[\w.+~-]*", "VERSION"),
    (r"cgroup-v\d", "cgroup"),
    (r"[ \t]+", " "),
];

fn as_compared(output: &str) -> String {
    let mut text = output.trim_end().to_owned();
    for (differs, stands_for) in DIFFERS {
        text = Regex::new(differs)
            .unwrap()
            .replace_all(&text, *stands_for)
            .into_owned();
    }
    text
}

/// The page with other outputs of some steps.
fn with_outputs(page: &str, outputs: &[(&Step, &str)]) -> String {
    let mut lines: Vec<String> = page.lines().map(str::to_owned).collect();
    // From the end: what stands before keeps its number.
    for (step, output) in outputs.iter().rev() {
        let new = output
            .trim_end()
            .lines()
            .map(|line| line.trim_end().to_owned());
        lines.splice(step.output_lines.clone(), new);
    }
    lines.join("\n") + "\n"
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tour_prints_what_the_page_shows() {
    let _alone = lab::alone().await;
    let has_curl = lab::program("curl", "curl").is_some();
    if !has_curl || !IMAGES.iter().all(|image| lab::can_run(image)) {
        return;
    }
    let service = Service::start("tour", "");
    let page = Page::named(PAGE).text;
    let steps: Vec<Step> = shown(&page)
        .into_iter()
        .filter_map(|shown| match shown {
            Shown::Step(step) => Some(step),
            Shown::Heading(_) => None,
        })
        .collect();
    let address = service.base.trim_start_matches("http://");
    let scripts: Vec<String> = steps
        .iter()
        .map(|step| step.command.replace("localhost:8080", address))
        .collect();
    let folder = shell_session::folder_of_examples();
    let printed = shell_session::run(&service, folder.path(), &scripts);
    service.stop();
    let outputs = steps
        .iter()
        .zip(&printed)
        .map(|(step, printed)| (step, printed.text.as_str()));
    let others: Vec<(&Step, &str)> = outputs
        .filter(|(step, printed)| as_compared(&step.output) != as_compared(printed))
        .collect();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let path = crate::pages::repository().join(PAGE);
        std::fs::write(path, with_outputs(&page, &others)).unwrap();
        return;
    }
    let told = others.iter().map(|(step, printed)| {
        format!(
            "$ {}\nshown: {}\nprinted: {printed}\n",
            step.command, step.output
        )
    });
    let told: String = told.collect();
    assert!(told.is_empty(), "UPDATE_DOCS=1 writes it anew:\n{told}");
}

#[test]
fn another_output_takes_the_place_of_the_pages() {
    let page = "# T\n```console\n$ a\nold\n$ b\n$ c\n> d\nolder\n```\nend\n";
    let steps = shown(page);
    let [_, Shown::Step(a), Shown::Step(b), Shown::Step(c)] = steps.as_slice() else {
        panic!("{steps:?}");
    };
    assert_eq!((c.command.as_str(), c.output.as_str()), ("c\nd", "older\n"));
    let new = with_outputs(page, &[(a, "1\n2 \n\n"), (b, "3\n"), (c, "")]);
    assert_eq!(
        new,
        "# T\n```console\n$ a\n1\n2\n$ b\n3\n$ c\n> d\n```\nend\n"
    );
    assert_eq!(as_compared("ok  in 3.5 ms\n"), as_compared("ok in 12 ms"));
    assert_ne!(as_compared("42\n"), as_compared("43\n"));
}
