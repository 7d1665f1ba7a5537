//! Every target with generated and mutated inputs for a bounded time: no panic, memory within bounds.
//! A stable compiler will do; `fuzz/` looks deeper with libFuzzer.
//!
//! `FUZZ_SECONDS` is the time of one target (default 2). Each run draws anew; a failure prints the
//! smallest input that shows it, to be kept as a file in `fuzz/seeds/NAME`.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod mutate;

use fuzzing::{MEMORY_FLOOR, MEMORY_GROWTH, TARGETS, Target};
use peak_alloc::PeakAlloc;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use protocol::result::Status;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Inputs between two looks at the clock.
const BATCH: u32 = 64;
const SECONDS: u64 = 2;

/// Memory is counted for the whole process: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn fuzz_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn target(name: &str) -> Target {
    *TARGETS.iter().find(|target| target.name == name).unwrap()
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = fuzz_folder().join("seeds").join(name);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|file| std::fs::read(file).unwrap())
        .collect()
}

/// Runs one input; says by how much memory went over its bound.
fn run(target: &Target, input: &[u8]) -> Result<(), String> {
    let held = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    (target.run)(input);
    let peak = MEMORY.peak_usage().saturating_sub(held);
    let bound = MEMORY_FLOOR + MEMORY_GROWTH * input.len();
    if peak > bound {
        return Err(format!(
            "{} bytes cost {peak} bytes of memory, over {bound}",
            input.len()
        ));
    }
    Ok(())
}

fn bounded(name: &str) {
    let _alone = alone();
    let target = target(name);
    let seeds = seeds(name);
    for seed in &seeds {
        // What is made once, patterns for one, is no input's cost.
        (target.run)(seed);
        run(&target, seed).unwrap();
    }
    let seconds = std::env::var("FUZZ_SECONDS").map_or(SECONDS, |text| text.parse().unwrap());
    let end = Instant::now() + Duration::from_secs(seconds);
    let inputs = mutate::inputs(seeds);
    let config = Config {
        cases: BATCH,
        failure_persistence: None,
        ..Config::default()
    };
    let count = Cell::new(0);
    let judge = |input: Vec<u8>| {
        count.set(count.get() + 1);
        run(&target, &input).map_err(TestCaseError::fail)
    };
    while Instant::now() < end {
        // A runner counts its cases for life: each batch has its own.
        match TestRunner::new(config.clone()).run(&inputs, judge) {
            Err(TestError::Fail(why, input)) => {
                panic!("{name}: {why}\ninput: b\"{}\"", input.escape_ascii())
            }
            ended => ended.unwrap(),
        }
    }
    println!("{name}: {} inputs in {seconds} s", count.get());
    assert!(count.get() >= BATCH);
}

macro_rules! each {
    ($($name:ident)*) => { $(
        #[test]
        fn $name() { bounded(stringify!($name)); }
    )* };
}

each! { link collection job guest qmp saved_record seccomp_profile image_manifest image_bundle oci_layer snapshot_manifest config execute piston sessions interpreter envelopes form tls_hello socks5 connect http1 dns decide }

#[test]
fn every_target_is_a_test_here_and_a_file_of_cargo_fuzz() {
    // Its failure would cost another test's input the memory of a backtrace.
    let _alone = alone();
    let names =
        |list: &str| -> BTreeSet<String> { list.split_whitespace().map(str::to_owned).collect() };
    let table: BTreeSet<String> = TARGETS
        .iter()
        .map(|target| target.name.to_owned())
        .collect();
    let this = include_str!("bounded.rs");
    let tested = this
        .split("each! {")
        .nth(1)
        .unwrap()
        .split('}')
        .next()
        .unwrap();
    assert_eq!(names(tested), table);
    for name in &table {
        let file = fuzz_folder().join(format!("fuzz_targets/{name}.rs"));
        let text = std::fs::read_to_string(&file)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert!(
            text.contains(&format!("fuzzing::{name}(")),
            "{}",
            file.display()
        );
        assert!(!seeds(name).is_empty(), "{name} has no seeds");
    }
    let manifest = std::fs::read_to_string(fuzz_folder().join("Cargo.toml")).unwrap();
    let bins: BTreeSet<String> = manifest
        .lines()
        .filter_map(|line| {
            line.strip_prefix("path = \"fuzz_targets/")?
                .strip_suffix(".rs\"")
        })
        .map(str::to_owned)
        .collect();
    assert_eq!(bins, table);
}

/// A format that moved on would leave mutants that fail at their first field.
#[test]
fn seeds_that_should_pass_still_do() {
    // Memory is counted for the whole process.
    let _alone = alone();
    let seed = |name: &str| std::fs::read(fuzz_folder().join("seeds").join(name)).unwrap();
    let text = |name: &str| String::from_utf8(seed(name)).unwrap();
    images::RootfsManifest::parse(&seed("image_manifest/rootfs")).unwrap();
    images::KernelManifest::parse(&seed("image_manifest/kernel")).unwrap();
    images::UmlManifest::parse(&seed("image_manifest/uml")).unwrap();
    images::bundle::inspect(&*seed("image_bundle/whole")).unwrap();
    for (name, count) in [("tree", 6), ("extended", 3), ("whiteouts", 2)] {
        let paths = images::oci::inspect(&[&seed(&format!("oci_layer/{name}"))]).unwrap();
        assert_eq!(paths.len(), count, "{name}");
    }
    sandbox::snapshots::Manifest::parse(&seed("snapshot_manifest/whole")).unwrap();
    sandbox::saved::SavedRecord::parse(&seed("saved_record/whole")).unwrap();
    for name in ["allow-list", "deny-list"] {
        seccomp::Profile::parse(&text(&format!("seccomp_profile/{name}")), name).unwrap();
    }
    let config = sandbox::config::Config::parse(&text("config/whole")).unwrap();
    config.policy().unwrap();
    for (name, status, artifacts) in [
        ("whole", Status::Ok, 1),
        ("compiled", Status::Ok, 1),
        ("not-compiled", Status::Error, 0),
        ("long-output", Status::Internal, 0),
        ("forbidden", Status::Internal, 0),
        ("refused", Status::Rejected, 0),
    ] {
        let result = fuzzing::result_of(&seed(&format!("job/{name}"))).unwrap();
        let came = (result.status, result.artifacts.len());
        assert_eq!(came, (status, artifacts), "{name}: {:?}", result.failure);
    }
    assert!(fuzzing::attended(&seed("guest/whole")).unwrap());
    leads_out(&seed);
}

/// What a guest says on its way to a host.
fn leads_out(seed: &dyn Fn(&str) -> Vec<u8>) {
    use egress::wire::{connect, dns, http1, socks5, tls_hello};
    for name in ["whole", "records"] {
        let mut reader = tls_hello::HelloReader::default();
        let progress = reader.feed(&seed(&format!("tls_hello/{name}")));
        assert!(matches!(progress, tls_hello::HelloProgress::Hello(_)));
    }
    for name in ["name", "ipv4", "ipv6"] {
        // After a greeting with one method.
        let progress = socks5::request(&seed(&format!("socks5/{name}"))[3..]);
        assert!(matches!(progress, socks5::Progress::Whole { .. }), "{name}");
    }
    for name in ["tunnel", "forward", "ipv6"] {
        connect::parse(&seed(&format!("connect/{name}"))).unwrap();
    }
    for name in ["two", "chunked"] {
        let bytes = seed(&format!("http1/{name}"));
        let end = bytes
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap();
        http1::parse(&bytes[..end + 4]).unwrap();
    }
    for name in ["a", "aaaa-opt", "mx"] {
        dns::parse(&seed(&format!("dns/{name}"))).unwrap();
    }
    for name in ["opened", "wildcard"] {
        let text = String::from_utf8(seed(&format!("decide/{name}"))).unwrap();
        let written: egress::PolicyConfig =
            toml::from_str(text.split("---\n").next().unwrap()).unwrap();
        egress::Policy::compile(&written).unwrap();
    }
}

#[test]
fn the_count_of_memory_is_no_constant() {
    let _alone = alone();
    let greedy = Target {
        name: "greedy",
        run: |input| drop(input.repeat(200)),
    };
    assert!(run(&greedy, &[0; 100_000]).is_err());
    assert!(run(&greedy, &[0; 10]).is_ok());
}
