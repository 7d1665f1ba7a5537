//! Compiles the kernel, in a sandbox that holds the host's compiler, read-only, and the source.
//!
//! Equal inputs make equal bytes: what the kernel's build would take from the host (time, user, name,
//! a count of builds, the folder's path) is fixed.

use super::config::{self, Patch};
use super::steps::Steps;
use crate::child::{self, Tool};
use crate::confine;
use crate::error::ImageError;
use crate::progress::Phases;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Where the source is in the sandbox; may be seen in messages of the kernel.
const INSIDE: &str = "/build";
/// Fixed: what a guest shows as its kernel's time, builder and count.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("ARCH", "um"),
    ("KBUILD_BUILD_HOST", "llm-firecracker"),
    ("KBUILD_BUILD_TIMESTAMP", "Thu Jan  1 00:00:00 UTC 1970"),
    ("KBUILD_BUILD_USER", "images"),
    ("KBUILD_BUILD_VERSION", "1"),
    ("LC_ALL", "C"),
];
/// What the host must have, in the sandbox's PATH.
const PROGRAMS: &[&str] = &["bc", "bison", "flex", "gcc", "make", "patch", "strip", "xz"];
/// What 'tinyconfig' is, of the source; what is asked for comes after it, and counts.
const SMALLEST: &[&str] = &[
    "kernel/configs/tiny-base.config",
    "kernel/configs/tiny.config",
];
/// All that is named, in the source's folder.
const WANTED: &str = "wanted.config";
/// Where links in `/usr/bin` lead, `awk` and `cc` for two.
const ALTERNATIVES: &str = "/etc/alternatives";
/// Before a command that says on stdout why it fails.
const AS_ERRORS: [&str; 4] = ["sh", "-c", "exec \"$@\" >&2", "sh"];
/// What `make` leaves: the kernel, a program.
const PROGRAM: &str = "linux";
/// One a CPU leaves a fifth of its time unused: steps are short, and each starts a shell.
const JOBS_PER_CPU: usize = 2;
/// Two cores take three and a half minutes; one that is loaded, or emulated, far longer.
const COMPILE_DEADLINE: Duration = Duration::from_secs(40 * 60);
/// For steps of seconds.
const STEP_DEADLINE: Duration = Duration::from_secs(5 * 60);

/// A source folder, and the sandbox around it.
pub(crate) struct SourceTree<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) phases: &'a Phases<'a>,
}

/// A program and what it is run for.
struct Step<'a> {
    doing: &'a str,
    argv: &'a [&'a str],
    deadline: Duration,
}

impl SourceTree<'_> {
    /// Applies patches exactly as they were written: one that no longer fits is an error.
    pub(crate) fn patch(&self, patches: &[Patch]) -> Result<(), ImageError> {
        for Patch { name, text } in patches {
            let path = self.folder.join(name);
            fs::write(&path, text).map_err(ImageError::io("writing", &path))?;
            let exactly = ["patch", "-p1", "--batch", "--forward", "--fuzz=0"];
            let of = ["--no-backup-if-mismatch", "-i", name];
            let argv = [&AS_ERRORS[..], &exactly, &of].concat();
            self.run(&Step {
                doing: &format!("applying {name}"),
                argv: &argv,
                deadline: STEP_DEADLINE,
            })?;
        }
        Ok(())
    }

    /// Settles the configuration, and checks that it is what was asked for. What nobody names is off, also
    /// where the kernel's authors would have it on.
    pub(crate) fn configure(&self) -> Result<(), ImageError> {
        let mut wanted = String::new();
        for name in SMALLEST {
            let path = self.folder.join(name);
            wanted += &fs::read_to_string(&path).map_err(ImageError::io("reading", &path))?;
        }
        let path = self.folder.join(WANTED);
        fs::write(&path, wanted + &config::asked_for())
            .map_err(ImageError::io("writing", &path))?;
        self.run(&Step {
            doing: "configuring the kernel",
            argv: &[
                "make",
                &format!("KCONFIG_ALLCONFIG={WANTED}"),
                "allnoconfig",
            ],
            deadline: STEP_DEADLINE,
        })?;
        let path = self.folder.join(".config");
        let settled = fs::read_to_string(&path).map_err(ImageError::io("reading", &path))?;
        config::check(&settled).map_err(|source| ImageError::KernelOption { source })
    }

    /// Compiles on all CPUs. Takes steps from `from` to `to` of the progress. The program stands in
    /// the source's folder.
    pub(crate) fn compile(&self, from: u64, to: u64) -> Result<PathBuf, ImageError> {
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        let jobs = JOBS_PER_CPU * cpus;
        let step = Step {
            doing: "compiling the kernel",
            argv: &["make", &format!("-j{jobs}"), PROGRAM],
            deadline: COMPILE_DEADLINE,
        };
        let mut steps = Steps::new(self.phases, from, to);
        self.run_following(&step, |line| steps.follow(line))?;
        self.run(&Step {
            doing: "removing the kernel's symbols",
            argv: &["strip", PROGRAM],
            deadline: STEP_DEADLINE,
        })?;
        Ok(self.folder.join(PROGRAM))
    }

    /// How the compiler calls itself.
    pub(crate) fn compiler(&self) -> Result<String, ImageError> {
        let step = Step {
            doing: "asking for its version",
            argv: &["gcc", "--version"],
            deadline: STEP_DEADLINE,
        };
        let mut first = String::new();
        self.run_following(&step, |line| {
            if first.is_empty() {
                first = line.to_owned();
            }
        })?;
        Ok(first)
    }

    fn run(&self, step: &Step<'_>) -> Result<(), ImageError> {
        self.run_following(step, |_| {})
    }

    /// Runs in the sandbox; each line of stdout goes to `on_line`.
    fn run_following(&self, step: &Step<'_>, on_line: impl FnMut(&str)) -> Result<(), ImageError> {
        let tool = Tool {
            name: confine::PROGRAM,
            doing: step.doing,
            deadline: step.deadline,
        };
        let mut command = self.command(step.argv);
        let read = |stdout| {
            child::each_line(stdout, on_line);
            Ok(())
        };
        tool.run_reading(&mut command, |_| {}, read)
    }

    fn command(&self, argv: &[&str]) -> Command {
        let mut command = confine::host_program();
        command
            .args(["--ro-bind-try", ALTERNATIVES, ALTERNATIVES])
            .args(confine::FRESH)
            .arg("--bind")
            .arg(self.folder)
            .args([INSIDE, "--chdir", INSIDE]);
        for (name, value) in ENVIRONMENT {
            command.args(["--setenv", name, value]);
        }
        command.arg("--").args(argv);
        command
    }
}

/// Fails with the first program that the host has not, before minutes are spent.
pub(crate) fn check_programs() -> Result<(), ImageError> {
    let missing = |name: &&&str| !Path::new("/usr/bin").join(name).exists();
    match PROGRAMS.iter().find(missing) {
        Some(name) => Err(ImageError::ToolMissing {
            tool: (*name).to_owned(),
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;

    const CHANGE: Patch = Patch {
        name: "change.patch",
        text: "--- a/file\n+++ b/file\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n",
    };

    /// The file after the patch, or why there is none.
    fn patched(before: &str) -> Result<String, ImageError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, before).unwrap();
        let tree = SourceTree {
            folder: folder.path(),
            phases: &Phases::new(&Silent),
        };
        tree.patch(&[CHANGE])?;
        Ok(fs::read_to_string(file).unwrap())
    }

    #[test]
    fn a_patch_is_applied_as_it_stands_or_says_why_not() {
        if let Err(error) = check_programs() {
            println!("not run: {error}");
            return;
        }
        let after = match patched("one\ntwo\nthree\n") {
            Err(ImageError::ToolMissing { tool }) => {
                println!("not run: {tool} is not installed");
                return;
            }
            after => after.unwrap(),
        };
        assert_eq!(after, "one\n2\nthree\n");
        let error = patched("one\ntwo\nfour\n").unwrap_err().to_string();
        assert!(error.contains("applying change.patch"), "{error}");
        assert!(error.contains("Hunk #1 FAILED"), "{error}");
    }
}
