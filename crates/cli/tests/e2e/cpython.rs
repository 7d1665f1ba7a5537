//! CPython's own regression tests in a VM and in the same tree without one: each test ends alike, but for those of
//! `cpython/differences.txt`, which says why of each.
//!
//! `llm-firecracker images build tests/images/cpython.toml` makes their image; `LLM_FIRECRACKER_ALL_LANGUAGES=1` asks for them, for
//! they take a quarter of an hour. `LLM_FIRECRACKER_CASE` names modules to run alone.

use crate::lab;
use crate::native::Tree;
use crate::tool::Tool;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const ALL: &str = "LLM_FIRECRACKER_ALL_LANGUAGES";
const IMAGE: &str = "cpython";
const RUN: &str = include_str!("cpython/run.py");
const MODULES: &str = include_str!("cpython/modules.txt");
const LONG: &str = include_str!("cpython/long.txt");
const DIFFERENCES: &str = include_str!("cpython/differences.txt");
/// Modules that there have to be.
const FEWEST: usize = 120;
/// Seconds for one module, the most that a job may have; and the tool's own patience above it.
const TIMEOUT: &str = "300";
const PATIENCE: Duration = Duration::from_secs(400);
/// Modules at once: each runs natively and in a VM.
const AT_ONCE: usize = 2;
/// What tests with many processes, threads and files ask for.
const ROOM: &[&str] = &["--memory", "1024", "--pids", "1024", "--scan", "off"];

/// How each test ended.
type Ends = BTreeMap<String, String>;

fn in_a_vm(module: &str) -> Ends {
    let _slot = lab::slot();
    let done = Tool::run("py", RUN)
        .args(["--image", IMAGE, "--timeout", TIMEOUT])
        .args(ROOM)
        .args(["--", module])
        .finish(PATIENCE);
    if done.code() != Some(0) {
        println!("{module}: exit {:?} {}", done.code(), done.err());
    }
    ends(&done.stdout, &done.stderr)
}

fn natively(tree: &Tree, module: &str) -> Ends {
    let work = tempfile::tempdir().unwrap();
    std::fs::write(work.path().join("main.py"), RUN).unwrap();
    let output = tree.python(&["main.py", module], work.path());
    assert!(output.status.success(), "{module}: {output:?}");
    ends(&output.stdout, &output.stderr)
}

fn ends(stdout: &[u8], stderr: &[u8]) -> Ends {
    let stdout = String::from_utf8_lossy(stdout);
    print!("{}", String::from_utf8_lossy(stderr));
    let lines = stdout.lines().filter_map(|line| line.split_once(' '));
    lines
        .map(|(test, end)| (test.to_owned(), end.to_owned()))
        .collect()
}

/// What the table has: tests that may end otherwise, with this engine or with all.
fn listed() -> BTreeSet<&'static str> {
    let rows = DIFFERENCES.lines().filter(|line| !line.starts_with('#'));
    let rows = rows.filter_map(|line| {
        let mut columns = line.split('|').map(str::trim);
        let (test, why) = (columns.next()?, columns.next()?);
        assert!(why.len() > 10, "{test} is without a reason");
        let is_meant = columns.next().is_none_or(|of| of == lab::engine().name);
        is_meant.then_some(test)
    });
    rows.collect()
}

fn is_listed(test: &str, listed: &BTreeSet<&str>) -> bool {
    // A row of a class or a module, `test.test_x.*`, is of all tests below it.
    let above = test.match_indices('.').map(|(at, _)| &test[..at]);
    listed.contains(test)
        || above
            .into_iter()
            .any(|name| listed.contains(&*format!("{name}.*")))
}

#[test]
fn tests_of_cpython_end_as_without_a_vm() {
    let named = std::env::var("LLM_FIRECRACKER_CASE").unwrap_or_default();
    if std::env::var_os(ALL).is_none() {
        println!("not run: CPython's own tests, which {ALL}=1 asks for");
        return;
    }
    if !lab::lab().has(IMAGE) {
        return;
    }
    let mut modules: Vec<&str> = MODULES.split_whitespace().collect();
    if !lab::engine().computes_natively {
        modules.retain(|module| LONG.lines().all(|long| long != *module));
        println!("left out: modules of cpython/long.txt");
    }
    assert!(modules.len() >= FEWEST, "{}", modules.len());
    modules.retain(|module| named.is_empty() || named.split(',').any(|name| name == *module));
    let tree = Tree::of(IMAGE);
    let listed = listed();
    let (next, count) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let differ = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(module) = modules.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let begun = Instant::now();
                    let vm = in_a_vm(module);
                    let in_vm = begun.elapsed();
                    let native = natively(&tree, module);
                    let alone = begun.elapsed() - in_vm;
                    println!("{module}: {in_vm:.1?} in a VM, {alone:.1?} natively");
                    count.fetch_add(native.len(), Ordering::Relaxed);
                    let tests: BTreeSet<&String> = vm.keys().chain(native.keys()).collect();
                    for test in tests {
                        let end = |ends: &Ends| ends.get(test).cloned().unwrap_or_default();
                        if end(&vm) != end(&native) && !is_listed(test, &listed) {
                            let row = format!("{test} | {} | {}", end(&vm), end(&native));
                            differ.lock().unwrap().push(row);
                        }
                    }
                }
            });
        }
    });
    let differ = differ.into_inner().unwrap();
    println!("{} tests of {} modules", count.into_inner(), modules.len());
    assert!(
        differ.is_empty(),
        "{} differ: test | in a VM | natively\n{}",
        differ.len(),
        differ.join("\n")
    );
}
