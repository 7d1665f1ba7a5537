//! Real programs, their output compared byte by byte: this repository's own below `tests/programs`,
//! and those of a folder that `LLM_FIRECRACKER_PROGRAMS` names (JSON lines: `id`, `lang`, `source`,
//! `args`, `stdout`, `exit_code`).

use crate::cases::{LANGUAGES, Sources};
use crate::lab;
use crate::tool::{Done, Tool};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The fewest programs of a language.
const FEWEST: usize = 6;
/// Seconds that one program may run under emulation.
const TIMEOUT: &str = "60";

/// One program and what it must print.
#[derive(Deserialize)]
struct Program {
    id: String,
    lang: String,
    source: String,
    args: Vec<String>,
    #[serde(default)]
    stdin: String,
    stdout: String,
    exit_code: i32,
}

/// `NAME.ext` with `NAME.out`, and where there are such, `NAME.args` (one a line) and `NAME.stdin`.
fn own(sources: &Sources) -> Vec<Program> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/programs")
        .join(sources.language);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == sources.extension)
        })
        .collect();
    paths.sort();
    assert!(
        paths.len() >= FEWEST,
        "{} programs in {}",
        paths.len(),
        folder.display()
    );
    let program = |path: &PathBuf| {
        let beside = |extension: &str| std::fs::read_to_string(path.with_extension(extension));
        Program {
            id: path.file_stem().unwrap().to_string_lossy().into_owned(),
            lang: sources.language.into(),
            source: std::fs::read_to_string(path).unwrap(),
            args: beside("args")
                .unwrap_or_default()
                .lines()
                .map(str::to_owned)
                .collect(),
            stdin: beside("stdin").unwrap_or_default(),
            stdout: beside("out").unwrap(),
            exit_code: 0,
        }
    };
    paths.iter().map(program).collect()
}

/// Programs of the named folder, spread evenly, as many as the engine has time for.
fn given(language: &str) -> Vec<Program> {
    let Some(folder) = std::env::var_os("LLM_FIRECRACKER_PROGRAMS").map(PathBuf::from) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "jsonl")
        {
            let text = std::fs::read_to_string(&path).unwrap();
            all.extend(
                text.lines()
                    .map(|line| serde_json::from_str::<Program>(line).unwrap()),
            );
        }
    }
    all.retain(|program| program.lang == language);
    all.sort_by(|a, b| a.id.cmp(&b.id));
    assert!(
        all.len() >= FEWEST,
        "{} {language} programs in {}",
        all.len(),
        folder.display()
    );
    let wanted = match std::env::var_os("LLM_FIRECRACKER_PROGRAMS_ALL") {
        Some(_) => all.len(),
        None => lab::engine().given_programs.min(all.len()),
    };
    let step = all.len() / wanted;
    all.into_iter().step_by(step).take(wanted).collect()
}

/// Runs one as a user would, without `--json`: the tool's output and exit code are the program's.
fn wrong(sources: &Sources, program: &Program) -> Option<String> {
    let done: Done = Tool::run(sources.extension, &program.source)
        .args(["--timeout", TIMEOUT, "--scan", "off", "--"])
        .args(&program.args)
        .stdin(program.stdin.as_str())
        .go();
    println!(
        "{} {}: {:.2} s",
        program.lang,
        program.id,
        done.wall.as_secs_f64()
    );
    if done.code() == Some(program.exit_code) && done.stdout == program.stdout.as_bytes() {
        return None;
    }
    Some(format!(
        "{} {}: exit {:?}, wanted {}\n--- stdout\n{}\n--- wanted\n{}\n--- stderr\n{}",
        program.lang,
        program.id,
        done.code(),
        program.exit_code,
        done.out(),
        program.stdout,
        done.err()
    ))
}

fn compare(language: &str) {
    if !lab::lab().has(language) {
        return;
    }
    let sources = LANGUAGES
        .iter()
        .find(|sources| sources.language == language)
        .unwrap();
    let programs: Vec<Program> = own(sources).into_iter().chain(given(language)).collect();
    let wrong: Vec<String> = programs
        .iter()
        .filter_map(|program| wrong(sources, program))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} are wrong\n{}",
        wrong.len(),
        programs.len(),
        wrong.join("\n\n")
    );
    println!("{language}: {} programs as expected", programs.len());
}

#[test]
fn python_programs() {
    compare("python");
}

#[test]
fn node_programs() {
    compare("node");
}

#[test]
fn go_programs() {
    compare("go");
}

#[test]
fn rust_programs() {
    compare("rust");
}

#[test]
fn bash_programs() {
    compare("bash");
}
