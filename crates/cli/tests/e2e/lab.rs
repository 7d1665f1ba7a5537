//! The state folder and the configuration of these tests: their own, so that what they leave behind
//! can be told from what anybody else on this host does.

use crate::engines::{self, Engine};
use crate::place::{Place, agent, make_state};
use crate::tool::Tool;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, LazyLock, Mutex, OnceLock};
use std::time::Duration;

/// VMs at one time: under emulation each takes a whole core. LLM_FIRECRACKER_E2E_SLOTS says otherwise:
/// a machine that is itself emulated bears but one (`lab/tests.sh`).
static SLOTS: LazyLock<usize> = LazyLock::new(|| {
    std::env::var("LLM_FIRECRACKER_E2E_SLOTS").map_or(2, |slots| {
        let slots = slots
            .parse()
            .expect("LLM_FIRECRACKER_E2E_SLOTS is a number");
        assert!(slots > 0, "LLM_FIRECRACKER_E2E_SLOTS is 1 or more");
        slots
    })
});
/// What only this lab's VMs have.
pub const PLACE: Place = Place {
    uid_base: 40_000,
    uid_count: 200,
    cgroup: "llm-firecracker-e2e",
};
/// What only VMs of other state folders have. Their tests run beside those that count what this lab's leave, for making
/// images takes no place among the VMs and may start one all the same.
pub const ASIDE: Place = Place {
    uid_base: 44_000,
    uid_count: 200,
    cgroup: "llm-firecracker-e2e-aside",
};

/// What all tests share.
pub struct Lab {
    /// The state folder; its `images` lead to the real ones.
    pub state: PathBuf,
    /// The configuration that every run is given.
    pub config: PathBuf,
    /// The configuration of tests with a state folder of their own.
    pub config_aside: PathBuf,
    /// The languages that have an image, when a VM can be started at all.
    pub languages: Vec<String>,
    /// What is missing, for people.
    pub missing: String,
    /// The engine that the first job names, and the way in which its VM came.
    first: Option<(&'static Engine, String)>,
    /// A second run of these tests waits for the first one.
    _lock: File,
}

/// The lab, made when it is first asked for.
pub fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(|| Lab::open(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("e2e")))
}

impl Lab {
    fn open(root: &Path) -> Lab {
        std::fs::create_dir_all(root).unwrap();
        let lock = File::create(root.join("lock")).unwrap();
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
        let state = root.join("state");
        // Old snapshots would hide that making them broke; a developer may keep them to save time.
        if std::env::var_os("LLM_FIRECRACKER_E2E_KEEP").is_none() {
            let _ = std::fs::remove_dir_all(&state);
        }
        make_state(&state);
        let config = root.join("config.toml");
        std::fs::write(&config, PLACE.config_text(&chroots(&state))).unwrap();
        let config_aside = root.join("aside.toml");
        std::fs::write(&config_aside, ASIDE.config_text("")).unwrap();
        let (languages, missing) = what_can_run(&state, &config);
        let first = first_run(&state, &config, &languages);
        Lab {
            state,
            config,
            config_aside,
            languages,
            missing,
            first,
            _lock: lock,
        }
    }

    /// Says whether a test of this language can run; where it cannot, says so or fails.
    pub fn has(&self, language: &str) -> bool {
        let there = self.languages.iter().any(|name| name == language);
        if !there {
            not_run(&format!("{language}. {}", self.missing));
        }
        there
    }
}

/// The row of the engine that runs jobs here.
pub fn engine() -> &'static Engine {
    lab().first.as_ref().expect("no job can be run").0
}

/// How a fresh VM of it came: `timings.path`.
pub fn path() -> &'static str {
    &lab().first.as_ref().expect("no job can be run").1
}

/// Says whether jobs are clones of a snapshot here; where they are not, says so or fails.
pub fn has_snapshots() -> bool {
    if !lab().has("bash") {
        return false;
    }
    let possible = path() == "clone";
    if !possible {
        not_run(&format!("jobs are not cloned here, by {}", engine().name));
    }
    possible
}

/// Says why a test did not run; fails where all of them must.
pub fn not_run(why: &str) {
    let required = std::env::var_os("LLM_FIRECRACKER_REQUIRE").is_some();
    assert!(!required, "not run: {why}");
    println!("not run: {why}");
}

/// A line of the table `[vmm]`: within the state folder, so that what Firecracker's jailer leaves is seen
/// there.
pub fn chroots(state: &Path) -> String {
    format!("chroot_base_dir = \"{}\"\n", state.join("jailer").display())
}

/// The first run on a host says which accelerator was chosen and why, and no other does: tests that read
/// what a program wrote to stderr come after it.
fn first_run(
    state: &Path,
    config: &Path,
    languages: &[String],
) -> Option<(&'static Engine, String)> {
    let sources = crate::cases::LANGUAGES
        .iter()
        .rev()
        .find(|sources| languages.iter().any(|name| name == sources.language))?;
    let hello = |flags: &[&str]| {
        Tool::with(state, config)
            .program(sources.extension, sources.hello)
            .args(flags)
            .finish(crate::tool::PATIENCE)
    };
    let (first, second) = (hello(&[]), hello(&[]));
    assert_eq!(first.out(), "hello\n", "{}", first.err());
    assert_eq!(
        (second.out().as_str(), second.err().as_str()),
        ("hello\n", "")
    );
    let third = hello(&["--json"]).json();
    let word = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let engine = engines::named(&word(&third["isolation"]["engine"]));
    Some((engine, word(&third["timings"]["path"])))
}

/// The languages that can be run here, and what keeps the others from it.
fn what_can_run(state: &Path, config: &Path) -> (Vec<String>, String) {
    let in_path = |name: &str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|dir| dir.join(name).exists())
    };
    let qemu = format!("qemu-system-{}", std::env::consts::ARCH);
    for tool in [qemu.as_str(), "bwrap"] {
        if !in_path(tool) {
            return (
                Vec::new(),
                format!("{tool} is not installed: run make setup"),
            );
        }
    }
    if agent().is_none() {
        return (
            Vec::new(),
            "the guest agent is not built: run make agent".into(),
        );
    }
    let done = Tool::with(state, config)
        .args(["images", "list", "--json"])
        .finish(Duration::from_secs(60));
    let listed = done.json();
    let rows = listed["images"]
        .as_array()
        .unwrap_or_else(|| panic!("no list of images: {listed}"));
    let languages: Vec<String> = rows
        .iter()
        .filter_map(|row| row["image"].as_str().map(str::to_owned))
        .collect();
    let absent: Vec<&str> = crate::cases::LANGUAGES
        .iter()
        .map(|sources| sources.language)
        .filter(|name| !languages.iter().any(|there| there == name))
        .collect();
    let missing = match absent.as_slice() {
        [] => "nothing is missing".into(),
        absent => format!("no image of {}: run images build", absent.join(", ")),
    };
    (languages, missing)
}

/// The right to run VMs; given back when dropped.
pub struct Slot(usize);

static FREE: LazyLock<(Mutex<usize>, Condvar)> =
    LazyLock::new(|| (Mutex::new(*SLOTS), Condvar::new()));

fn take(count: usize) -> Slot {
    let free = FREE.0.lock().unwrap();
    *FREE.1.wait_while(free, |free| *free < count).unwrap() -= count;
    Slot(count)
}

/// Waits for a place for one VM.
pub fn slot() -> Slot {
    take(1)
}

/// Waits until no other test has a VM: for tests that count what the host shows.
pub fn alone() -> Slot {
    take(*SLOTS)
}

impl Drop for Slot {
    fn drop(&mut self) {
        *FREE.0.lock().unwrap() += self.0;
        FREE.1.notify_all();
    }
}
