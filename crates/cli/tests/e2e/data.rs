//! Programs of data science, one library or more each, in the images that have these libraries: what each prints is what it
//! prints in the same tree without a VM, byte for byte.
//!
//! | folder      | image              | programs                                             | by default             |
//! |---|---|---|---|
//! | `data`      | `python-data`      | 100, as models write them                            | [`SPREAD`]             |
//! | `data_full` | `python-data-full` | one a library that only it has: import it and use it | none                   |
//!
//! `LLM_FIRECRACKER_ALL_LANGUAGES=1` asks for all. Beside each `NAME.py` is `NAME.out`; `LLM_FIRECRACKER_WRITE_EXPECTED=1`
//! writes it anew from what the program prints natively.

use crate::lab;
use crate::native::Tree;
use crate::tool::Tool;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const ALL: &str = "LLM_FIRECRACKER_ALL_LANGUAGES";
const WRITE: &str = "LLM_FIRECRACKER_WRITE_EXPECTED";
/// Between them they use every library.
const SPREAD: &[&str] = &[
    "009-timezone-meetings",
    "018-parquet-partitions",
    "021-excel-xlsxwriter",
    "022-xls-legacy",
    "030-tabulate-report",
    "039-joblib-blocks",
    "061-ols-formula",
    "066-sympy-ode-matrix",
    "069-graph-flow-dag",
    "073-cv-contours",
    "084-plot-cjk-line",
    "090-seaborn-pairgrid",
    "092-pdf-tables",
    "094-pdf-raster",
    "095-docx-report",
    "096-pptx-deck",
    "098-plotly-html-report",
    "099-pytest-run",
    "100-tqdm-batches",
];
/// Seconds that one may run, on a loaded host.
const TIMEOUT: &str = "120";

/// Programs in a folder beside this file, and the image that has what they use.
struct Set {
    image: &'static str,
    folder: &'static str,
    /// Those that are run though nobody asked for all.
    by_default: &'static [&'static str],
    /// How many there have to be.
    fewest: usize,
}

const DATA: Set = Set {
    image: "python-data",
    folder: "data",
    by_default: SPREAD,
    fewest: 100,
};
const FULL: Set = Set {
    image: "python-data-full",
    folder: "data_full",
    by_default: &[],
    fewest: 20,
};

impl Set {
    /// The programs to be run here and now; where the image is not there, says so.
    fn asked_for(&self) -> Vec<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/e2e")
            .join(self.folder);
        let entries = std::fs::read_dir(folder).unwrap();
        let mut programs: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        programs.retain(|path| path.extension().is_some_and(|extension| extension == "py"));
        programs.sort();
        assert!(programs.len() >= self.fewest, "{}", programs.len());
        if std::env::var_os(ALL).is_none() {
            programs.retain(|path| self.by_default.contains(&&*name(path)));
            assert_eq!(programs.len(), self.by_default.len());
            // An image of half a gigabyte is not built for them.
            if !lab::lab().languages.iter().any(|name| name == self.image) {
                println!("not run: the image {} is not there", self.image);
                return Vec::new();
            }
        }
        match programs.is_empty() {
            true => println!("not run: {}, which {ALL}=1 asks for", self.image),
            false if !lab::lab().has(self.image) => programs.clear(),
            false => {}
        }
        programs
    }

    /// Each in a VM of its own.
    fn compare_vms(&self) {
        let wrong = two_at_a_time(&self.asked_for(), |path| {
            let done = Tool::run("py", std::fs::read(path).unwrap())
                .args(["--image", self.image, "--timeout", TIMEOUT])
                .go();
            println!("{}: {:.2} s", name(path), done.wall.as_secs_f64());
            differs(path, done.code(), &done.stdout, &done.stderr)
        });
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    }

    fn compare_native(&self) {
        let programs = self.asked_for();
        if programs.is_empty() {
            return;
        }
        let tree = Tree::of(self.image);
        let wrong = two_at_a_time(&programs, |path| {
            let work = tempfile::tempdir().unwrap();
            std::fs::copy(path, work.path().join("main.py")).unwrap();
            let output = tree.python(&["main.py"], work.path());
            if std::env::var_os(WRITE).is_some() && output.status.success() {
                std::fs::write(path.with_extension("out"), &output.stdout).unwrap();
            }
            differs(path, output.status.code(), &output.stdout, &output.stderr)
        });
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    }
}

fn name(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

/// What is wrong with what a program printed.
fn differs(path: &Path, code: Option<i32>, stdout: &[u8], stderr: &[u8]) -> Option<String> {
    let expected = std::fs::read(path.with_extension("out")).unwrap_or_default();
    if code == Some(0) && stdout == expected {
        return None;
    }
    Some(format!(
        "{}: exit {code:?}\n--- stdout\n{}\n--- wanted\n{}\n--- stderr\n{}",
        name(path),
        String::from_utf8_lossy(stdout),
        String::from_utf8_lossy(&expected),
        String::from_utf8_lossy(stderr)
    ))
}

/// As many as the lab has places for VMs, more or less; gives what was found wrong.
fn two_at_a_time(
    programs: &[PathBuf],
    wrong: impl Fn(&Path) -> Option<String> + Sync,
) -> Vec<String> {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(path) = programs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    found.lock().unwrap().extend(wrong(path));
                }
            });
        }
    });
    found.into_inner().unwrap()
}

#[test]
fn data_programs_print_what_they_print_natively() {
    DATA.compare_vms();
}

#[test]
fn data_programs_print_the_same_without_a_vm() {
    DATA.compare_native();
}

#[test]
fn libraries_of_the_full_set_work() {
    FULL.compare_vms();
}

#[test]
fn libraries_of_the_full_set_work_without_a_vm() {
    FULL.compare_native();
}
