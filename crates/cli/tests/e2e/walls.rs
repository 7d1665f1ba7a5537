//! Walls that a user chooses: the job's system-call filter, and the bucket that hides its run time; and
//! the doctor, who looks at all walls.

use crate::tool::{PATIENCE, Tool};
use crate::{lab, place};
use serde_json::Value;
use std::thread;
use std::time::Duration;

/// Refusals need no VM: they answer at once.
const AT_ONCE: Duration = Duration::from_secs(20);

/// A profile as a user writes one, and the program that runs under it.
fn under(profile: &str, program: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.json");
    std::fs::write(&file, profile).unwrap();
    let tool = Tool::run("py", program)
        .args(["--json", "--seccomp-profile"])
        .arg(&file);
    tool.go().json()
}

fn killed_by(result: &Value, syscall: &str) {
    assert_eq!(result["status"], "killed", "{result}");
    assert_eq!(result["signal"], 31, "{result}");
    assert_eq!(result["exit_code"], Value::Null, "{result}");
    assert_eq!(result["limit"]["name"], "syscall", "{result}");
    assert_eq!(result["limit"]["syscall"], syscall, "{result}");
}

#[test]
fn a_job_that_its_profile_kills_says_which_call_it_was() {
    if !lab::lab().has("python") {
        return;
    }
    let program = "import os\nprint(os.getpriority(0, 0), flush=True)\n";
    let profile = |action: &str| {
        format!(
            r#"{{"default_action": "allow", "filter_action": "{action}",
                "filters": [{{"syscall": "getpriority"}}]}}"#
        )
    };
    for action in ["kill_process", "trap"] {
        killed_by(&under(&profile(action), program), "getpriority");
    }
    let refused = under(
        r#"{"default_action": "allow", "filter_action": {"errno": 38},
            "filters": [{"syscall": "getpriority"}]}"#,
        program,
    );
    assert_eq!(refused["status"], "error", "{refused}");
    assert!(
        refused["stderr"].as_str().unwrap().contains("Errno 38"),
        "{refused}"
    );
}

#[test]
fn the_strict_profile_kills_where_the_default_one_refuses() {
    if !lab::lab().has("python") {
        return;
    }
    let program = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n\
                   print(libc.ptrace(0, 0, 0, 0), flush=True)\n";
    let strict = Tool::run("py", program).args(["--json", "--seccomp-profile", "strict"]);
    killed_by(&strict.go().json(), "ptrace");
    let plain = Tool::run("py", "print(6 * 7)").args(["--seccomp-profile", "strict"]);
    assert_eq!(plain.go().out(), "42\n");
    let done = Tool::run("py", program)
        .args(["--seccomp-profile", "strict"])
        .go();
    assert_eq!(done.code(), Some(128 + 31), "{}", done.err());
    assert!(
        done.err().contains("system call ptrace is forbidden"),
        "{}",
        done.err()
    );
}

#[test]
fn a_profile_that_cannot_be_meant_is_refused_with_name_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.json");
    for (profile, words) in [
        (
            "{\"default_action\": \"trap\",\n \"filter_action\": \"allow\",\n \"filters\": [\n  {\"syscall\": \"read\"},\n  {\"syscall\": \"raed\"}\n]}",
            &["mine.json", "line 5", "raed"][..],
        ),
        (
            "{\"default_action\": \"trap\",\n \"filter_action\": \"explode\", \"filters\": []}",
            &["mine.json", "line 2", "explode", "kill_process"],
        ),
        (
            "{\"default_action\": \"trap\",\n\n \"filter_actoin\": \"allow\", \"filters\": []}",
            &["mine.json", "line 3", "filter_actoin"],
        ),
    ] {
        std::fs::write(&file, profile).unwrap();
        let tool = Tool::run("py", "print(1)").args(["--json", "--seccomp-profile"]);
        let done = tool.arg(&file).finish(AT_ONCE);
        assert_eq!(done.code(), Some(2), "{}", done.err());
        let result = done.json();
        assert_eq!(
            result["failure"]["code"], "seccomp_profile_invalid",
            "{result}"
        );
        let message = result["failure"]["message"].as_str().unwrap();
        for word in words {
            assert!(message.contains(word), "{word}: {message}");
        }
    }
    // A name that is none, and the name of the profile that is not a job's.
    for name in ["stritc", "vmm"] {
        let tool = Tool::run("py", "print(1)").args(["--seccomp-profile", name]);
        let done = tool.finish(AT_ONCE);
        assert_eq!(done.code(), Some(2), "{}", done.err());
        for word in [name, "default, strict"] {
            assert!(done.err().contains(word), "{word}: {}", done.err());
        }
    }
}

#[test]
fn two_programs_under_the_bucket_answer_alike() {
    if !lab::lab().has("python") {
        return;
    }
    // Much more than a boot takes, so that both are in the first bucket.
    const BUCKET: f64 = 30.0;
    // A place among the VMs would be held for as long: these are elsewhere, where nobody counts.
    let state = tempfile::tempdir().unwrap();
    place::make_state(state.path());
    let run = |program: &'static str| {
        let tool = Tool::with(state.path(), &lab::lab().config_aside).program("py", program);
        thread::spawn(move || {
            let bucket = BUCKET.to_string();
            let tool = tool.args(["--json", "--normalize-time", &bucket]);
            tool.finish(PATIENCE)
        })
    };
    let runs = [
        run("print('x')"),
        run("import time\ntime.sleep(1.5)\nsum(range(10**6))\nprint('x')"),
    ];
    let [short, long] = runs.map(|run| run.join().unwrap());
    assert!(short.wall.as_secs_f64() >= BUCKET && long.wall.as_secs_f64() >= BUCKET);
    let told = |done: crate::tool::Done| {
        let mut result = done.json();
        // What differs by design: a name, and memory, which is no time.
        result["trace_id"] = Value::Null;
        result["usage"]["memory_peak_mib"] = Value::Null;
        result
    };
    let (short, long) = (told(short), told(long));
    assert_eq!(short, long);
    assert_eq!(short["timings"]["total"], BUCKET);
    let done = Tool::run("py", "x")
        .args(["--json", "--normalize-time", "1e9"])
        .finish(AT_ONCE);
    assert_eq!(done.json()["failure"]["code"], "limit_invalid");
}

/// Rows about running VMs that do not depend on the host's processor.
const ROWS_OF_A_VM: [&str; 10] = [
    "vm-seccomp",
    "vm-no-new-privs",
    "vm-capabilities",
    "vm-uid",
    "vm-namespaces",
    "vm-command-line",
    "vm-network",
    "vm-cgroup-limits",
    "vm-rlimits",
    "vm-output",
];

/// As root: a user's tool may have no cgroup, and has no uid a VM.
#[test]
fn the_doctor_looks_at_a_vm_even_where_none_runs() {
    if !lab::lab().has("python") || !rustix::process::geteuid().is_root() {
        println!("not run: the tests are not root's");
        return;
    }
    let report = Tool::new().args(["doctor", "--json"]).go().json();
    for id in ROWS_OF_A_VM {
        let mut rows = report["checks"].as_array().unwrap().iter();
        let row = rows.find(|row| row["id"] == id).unwrap();
        assert_eq!(row["status"], "pass", "{row}");
    }
}
