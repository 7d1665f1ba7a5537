//! An image's tree on the host's own kernel, in namespaces and nothing else (`bwrap`): what a program does there is what it
//! has to do in a VM.

use crate::place::system_state;
use protocol::environment::{BASE_ENV, WORK_DIR};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;

/// The uid and gid of jobs.
const JOB_ID: u32 = 10_000;
/// What python's own row adds to every job's environment.
const PYTHON_ENV: &[(&str, &str)] = &[("PYTHONDONTWRITEBYTECODE", "1")];
/// A job's bounds, as arguments of `prlimit`.
const LIMITS: &[&str] = &[
    "--core=0",
    "--nofile=1024",
    "--memlock=8388608",
    // As of a job of 1024 processes.
    "--nproc=2112",
    "--nice=0",
    "--rtprio=0",
];

/// An image, unpacked.
pub struct Tree {
    root: PathBuf,
}

impl Tree {
    /// Unpacks an image that is there, once for each build of it.
    pub fn of(image: &str) -> Tree {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _turn = ONE_AT_A_TIME.lock();
        let rootfs = system_state().join("images/rootfs");
        let manifest = std::fs::read(rootfs.join(format!("{image}.json"))).unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        let file = manifest["image"]["file"].as_str().unwrap();
        let root = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("native")
            .join(file);
        if !root.exists() {
            let half = root.with_extension("half");
            let _ = std::fs::remove_dir_all(&half);
            std::fs::create_dir_all(&half).unwrap();
            let unpacked = Command::new("fsck.erofs")
                .arg(format!("--extract={}", half.display()))
                .arg("--overwrite")
                .arg(rootfs.join(file))
                .output()
                .unwrap();
            assert!(unpacked.status.success(), "{unpacked:?}");
            std::fs::rename(&half, &root).unwrap();
        }
        Tree { root }
    }

    /// Runs the image's own Python with these arguments, in a folder of these tests' own that stands for the job's: inside, they
    /// are the job's user.
    pub fn python(&self, args: &[&str], work: &Path) -> Output {
        // Whoever starts the tests in the background has SIGINT ignored, which a job has not.
        let mut command = Command::new("env");
        command.args(["--default-signal", "prlimit"]).args(LIMITS);
        command.arg("bwrap");
        command.args(["--unshare-all", "--die-with-parent", "--new-session"]);
        command.args(["--uid", &JOB_ID.to_string(), "--gid", &JOB_ID.to_string()]);
        command.arg("--ro-bind").arg(&self.root).arg("/");
        command.args(["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]);
        command.arg("--bind").arg(work).arg(WORK_DIR);
        command.args(["--chdir", WORK_DIR, "--clearenv"]);
        for (name, value) in BASE_ENV.iter().chain(PYTHON_ENV) {
            command.args(["--setenv", name, value]);
        }
        command.arg("/usr/bin/python3").args(args);
        command.stdin(Stdio::null()).output().unwrap()
    }
}
