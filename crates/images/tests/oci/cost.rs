//! What it costs to bring and pack an image of half a gigabyte, beside `umoci unpack` and `mkfs.erofs` of the same, in turns.
//!
//!     cargo test --release -p images --test oci -- --ignored --nocapture costs

use crate::tools::{Lab, have};
use crate::{bring, trees};
use images::Progress;
use nix::sys::resource::{UsageWho, getrusage};
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tar::{Builder, Header};

const ROUNDS: usize = 3;
const MAX_RATIO: f64 = 2.0;
const MAX_MIB: f64 = 200.0;

/// Bytes that compress to about a half, as programs do.
fn fill(buffer: &mut [u8], state: &mut u64) {
    for (index, chunk) in buffer.chunks_mut(32).enumerate() {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        let word = state.to_le_bytes();
        for (at, byte) in chunk.iter_mut().enumerate() {
            *byte = match index % 2 {
                0 => word[at % 8].rotate_left((at / 8) as u32) ^ at as u8,
                _ => b"the quick brown fox jumps over a"[at],
            };
        }
    }
}

/// A layer of so many files of this size, in folders of a hundred.
fn layer(path: &Path, name: &str, (count, size): (usize, usize)) {
    let mut tar = Builder::new(BufWriter::new(File::create(path).unwrap()));
    let (mut buffer, mut state) = (vec![0; size], 0x1234_5678_9abc_def1 + size as u64);
    for number in 0..count {
        let size = size / 2 + (number * 7919) % (size / 2).max(1);
        fill(&mut buffer[..size], &mut state);
        let mut header = Header::new_gnu();
        header.set_size(size as u64);
        header.set_mode(0o644);
        let name = format!("{name}/{}/{number}", number / 100);
        tar.append_data(&mut header, name, &buffer[..size]).unwrap();
    }
    tar.into_inner().unwrap();
}

/// Half a gigabyte: large libraries, modules of middle size, twenty thousand small files.
fn image(lab: &Lab) -> String {
    let image = trees::new_image(lab, "cost");
    for (name, files) in [
        ("large", (36, 12 << 20)),
        ("middle", (600, 300 << 10)),
        ("small", (20_000, 8 << 10)),
    ] {
        let path = lab.path(name);
        layer(&path, name, files);
        lab.add_layer(&image, &path);
        fs::remove_file(&path).unwrap();
    }
    image
}

fn by_umoci(lab: &Lab, image: &str) -> (Duration, Duration) {
    let (bundle, erofs) = (lab.path("cost-umoci"), lab.path("cost.erofs"));
    let start = Instant::now();
    lab.run(
        "umoci",
        &[
            "unpack",
            "--rootless",
            "--image",
            image,
            bundle.to_str().unwrap(),
        ],
    );
    let unpacked = start.elapsed();
    let root = bundle.join("rootfs");
    let args = [
        "--quiet",
        "-T0",
        "--all-root",
        "-x-1",
        "-zlz4",
        erofs.to_str().unwrap(),
        root.to_str().unwrap(),
    ];
    lab.run("mkfs.erofs", &args);
    let took = start.elapsed();
    fs::remove_dir_all(&bundle).unwrap();
    fs::remove_file(&erofs).unwrap();
    (unpacked, took)
}

/// In a process of its own, whose memory nobody else's is counted with; its line of figures.
fn by_ours(image: &str) -> Vec<f64> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "cost::one_import_is_measured",
            "--ignored",
            "--nocapture",
        ])
        .env("OCI_SOURCE", format!("oci:{image}"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.split_once("measured "));
    let (_, figures) = line.unwrap_or_else(|| panic!("{text}"));
    figures
        .split(' ')
        .map(|figure| figure.parse().unwrap())
        .collect()
}

/// KiB that the jailed child held at most, as seen by looking at it: its own parent in the jail does not wait for it.
fn watch_child(ended: &AtomicBool) -> i64 {
    let word = images::oci::CHILD_WORD.as_bytes();
    let mut most = 0;
    while !ended.load(Ordering::Relaxed) {
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
            // Not bubblewrap, which has the word as its last.
            if words.get(1) == Some(&word) {
                let status = fs::read_to_string(entry.path().join("status")).unwrap_or_default();
                let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
                let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse().ok());
                most = most.max(peak.unwrap_or(0));
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    most
}

struct Packing(Mutex<Option<Instant>>);

impl Progress for Packing {
    fn step(&self, name: &str, _: u64, _: Option<u64>) {
        if name == "packing" {
            *self.0.lock().unwrap() = Some(Instant::now());
        }
    }
}

#[test]
#[ignore = "started by another test"]
fn one_import_is_measured() {
    let source = std::env::var("OCI_SOURCE").unwrap().parse().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let packing = Packing(Mutex::new(None));
    let start = Instant::now();
    images::oci::digest_of(&source).unwrap();
    let asked = start.elapsed();
    let start = Instant::now();
    let ended = AtomicBool::new(false);
    let child = std::thread::scope(|scope| {
        let watching = scope.spawn(|| watch_child(&ended));
        images::oci::bring_and_pack(&source, folder.path(), &packing).unwrap();
        ended.store(true, Ordering::Relaxed);
        watching.join().unwrap()
    });
    let took = start.elapsed();
    let packing = packing.0.lock().unwrap().unwrap();
    let peak = |who| getrusage(who).unwrap().max_rss();
    let (own, packer) = (peak(UsageWho::RUSAGE_SELF), peak(UsageWho::RUSAGE_CHILDREN));
    let seconds = [packing - start, took, asked].map(|time| format!("{:.3}", time.as_secs_f64()));
    let [brought, took, asked] = seconds;
    println!("measured {brought} {took} {asked} {own} {child} {packer}");
}

#[test]
#[ignore = "takes a minute, and wants an optimised build on a quiet machine"]
fn an_import_costs_at_most_twice_what_umoci_and_mkfs_do() {
    if !have(&["umoci", "mkfs.erofs"]) {
        return;
    }
    let lab = Lab::new();
    let image = image(&lab);
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let (unpacked, theirs) = by_umoci(&lab, &image);
        let own = by_ours(&image);
        let theirs = theirs.as_secs_f64();
        println!(
            "umoci {:.2} s, with mkfs.erofs {theirs:.2} s; own {:.2} s, packed {:.2} s: {:.2} times; digest asked {:.3} s; \
             memory: own {:.0} MiB, child {:.0} MiB, packer {:.0} MiB",
            unpacked.as_secs_f64(),
            own[0],
            own[1],
            own[1] / theirs,
            own[2],
            own[3] / 1024.0,
            own[4] / 1024.0,
            own[5] / 1024.0
        );
        ratios.push(own[1] / theirs);
        let most = own[3..].iter().copied().fold(0.0, f64::max);
        assert!(own[4] > 0.0 && most < MAX_MIB * 1024.0);
        assert!(own[2] < 0.1);
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ROUNDS / 2];
    assert!(median <= MAX_RATIO, "{median:.2} times");
    // As other tests see it, once.
    let brought = bring(&format!("oci:{image}"), &lab.path("cost-own")).unwrap();
    println!(
        "{} files, {} MiB, {} layers",
        brought.files,
        brought.bytes >> 20,
        brought.layers
    );
}
