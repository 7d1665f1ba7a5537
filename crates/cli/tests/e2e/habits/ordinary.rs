//! Users who are not root: nobody, with a home of its own.

use crate::lab;
use crate::place;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::{Command, Output};

/// `nobody`, who has no ids in /etc/subuid and owns nothing.
const NOBODY: u32 = 65_534;

/// What this user runs, from a folder that everybody reads: what is built may be where nobody else can go.
struct Ordinary {
    home: tempfile::TempDir,
    programs: tempfile::TempDir,
}

impl Ordinary {
    fn new() -> Ordinary {
        let ordinary = Ordinary {
            home: tempfile::tempdir().unwrap(),
            programs: tempfile::tempdir().unwrap(),
        };
        chown(ordinary.home.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        open(ordinary.programs.path());
        let tool = ordinary.programs.path().join("llm-firecracker");
        std::fs::copy(env!("CARGO_BIN_EXE_llm-firecracker"), &tool).unwrap();
        let agent = place::agent().unwrap();
        std::fs::copy(agent, tool.with_file_name("llm-firecracker-agent")).unwrap();
        ordinary
    }

    fn run(&self, words: &[&str]) -> Output {
        self.run_after("true", words)
    }

    /// After something that root does in a mount namespace of its own.
    fn run_after(&self, by_root: &str, words: &[&str]) -> Output {
        let home = self.home.path();
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--propagation", "private", "bash", "-c"])
            .arg(format!(
                "{by_root} && exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups \"$@\""
            ))
            .arg("bash")
            .arg(self.programs.path().join("llm-firecracker"))
            .args(words)
            .env_clear()
            .env("HOME", home)
            .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
            .current_dir(home);
        command.output().unwrap()
    }
}

fn open(path: &Path) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn is_root() -> bool {
    let is = rustix::process::geteuid().is_root();
    if !is {
        lab::not_run("as another user: these tests do not run as root");
    }
    is
}

#[test]
fn without_root_what_is_missing_is_named() {
    if !is_root() || place::agent().is_none() {
        return;
    }
    let ordinary = Ordinary::new();
    let roots = place::system_state().display().to_string();
    // Root's folder as it is where its images are not shared, or as it was before that was possible.
    let state = Path::new("/var/lib/llm-firecracker");
    let folder = tempfile::tempdir().unwrap();
    let closed = match state.is_dir() {
        true => format!(
            "mount --bind {} {}",
            folder.path().display(),
            state.display()
        ),
        false => "true".to_owned(),
    };
    for (words, said) in [
        (
            &["run", "--lang", "sh", "-c", "x"][..],
            "images build bash`",
        ),
        (
            &["images", "build", "bash", "--kernel", "virtual"],
            "has no ids of its own",
        ),
        (
            &["--state-dir", &roots, "images", "list"],
            "belongs to another user: leave --state-dir out",
        ),
    ] {
        let done = ordinary.run_after(&closed, words);
        let seen = String::from_utf8_lossy(&done.stderr);
        assert!(
            !done.status.success() && seen.contains(said),
            "{words:?}: {seen}"
        );
    }
    let listed = ordinary.run(&["languages"]);
    assert!(listed.status.success(), "{listed:?}");
    if state.is_dir() {
        let listed = ordinary.run_after(&closed, &["images", "list"]);
        let seen = String::from_utf8_lossy(&listed.stderr);
        assert!(
            listed.status.success() && seen.contains("chmod 711"),
            "{listed:?}"
        );
    }
}

/// Root's state folder as it is after `chmod 711`: a copy of it, of which this user sees the images alone.
#[test]
fn images_of_roots_are_shared_with_who_is_not_root() {
    let state = Path::new("/var/lib/llm-firecracker");
    if !is_root() || !lab::lab().has("bash") || place::agent().is_none() {
        return;
    }
    if !state.is_dir() {
        return lab::not_run("sharing root's images: root has no state folder here");
    }
    let _slot = lab::slot();
    let ordinary = Ordinary::new();
    let shared = tempfile::tempdir().unwrap();
    std::fs::set_permissions(shared.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
    std::fs::create_dir(shared.path().join("images")).unwrap();
    let share = format!(
        "mount --bind '{}/images' '{1}/images' && mount --rbind '{1}' {2}",
        place::system_state().display(),
        shared.path().display(),
        state.display()
    );
    let done = ordinary.run_after(&share, &["run", "--lang", "sh", "-c", "echo shared"]);
    let seen = (String::from_utf8_lossy(&done.stdout), done.status.code());
    assert_eq!(seen, ("shared\n".into(), Some(0)), "{done:?}");
    // Its own store holds links, and nothing else of them.
    let own = ordinary
        .home
        .path()
        .join(".local/share/llm-firecracker/images/rootfs/bash.json");
    assert!(own.is_symlink(), "{}", own.display());
}
