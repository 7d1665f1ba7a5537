//! What a request holds is for its program alone: no log, event or file of the host's keeps it.

use crate::lab::{self, PLACE};
use crate::tool::{PATIENCE, Tool};
use std::path::Path;

/// In the code, an argument, a variable, a file and the input of each job.
const SECRET: &str = "Zwiebelkuchen-4711";

/// Program, flags besides, and the tool's exit code: every way to end that tells of itself.
const ENDINGS: &[(&str, &[&str], i32)] = &[
    ("exit 0", &[], 0),
    ("exit 3", &[], 3),
    ("while :; do :; done", &["--timeout", "1"], 124),
    ("kill -SEGV $$", &[], 139),
    ("exit 0", &["--timeout", "0"], 2),
    ("exit 0", &["--trace-id", "../../x"], 2),
    ("rm -rf /", &["--scan", "block"], 2),
];

/// The files below a folder that hold the secret; images and snapshots aside, which no job writes.
fn holding(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        let skipped = ["images", "snapshots", "jail"].map(|name| path.ends_with(name));
        if kind.is_dir() && !skipped.contains(&true) {
            holding(&path, found);
        } else if kind.is_file() {
            let text = std::fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&text);
            found.extend(text.contains(SECRET).then(|| path.display().to_string()));
        }
    }
}

#[test]
fn no_log_event_or_file_keeps_what_a_job_was_given() {
    if !lab::lab().has("bash") {
        return;
    }
    let _alone = lab::alone();
    let state = &lab::lab().state;
    let folder = tempfile::tempdir().unwrap();
    let (config, events) = (
        folder.path().join("config.toml"),
        folder.path().join("events"),
    );
    let more = format!(
        "{}[events]\nstderr = true\nfile = \"{}\"\n",
        lab::chroots(state),
        events.display()
    );
    std::fs::write(&config, PLACE.config_text(&more)).unwrap();
    let input = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(input.path(), SECRET).unwrap();
    for (program, flags, code) in ENDINGS {
        let done = Tool::with(state, &config)
            .program("sh", format!("# {SECRET}\nread -r line\n{program}\n"))
            .args(["-vv", "--env", &format!("TOKEN={SECRET}")])
            .arg("--input")
            .arg(input.path())
            .args(*flags)
            .args(["--", SECRET])
            .stdin(format!("{SECRET}\n"))
            .finish(PATIENCE);
        assert_eq!(done.code(), Some(*code), "{program}: {}", done.err());
        assert!(!done.err().contains(SECRET), "{program}: {}", done.err());
        assert!(
            done.err().contains("event_type"),
            "no events: {}",
            done.err()
        );
    }
    let mut found = Vec::new();
    holding(state, &mut found);
    holding(&folder.path().join(""), &mut found);
    assert!(events.metadata().unwrap().len() > 0);
    assert!(found.is_empty(), "{found:?}");
}
