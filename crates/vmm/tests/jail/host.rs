//! What the tests of jails share: a state folder, jails around a stand-in for a VMM, what the host shows.

use std::ffi::OsString;
use std::io::PipeReader;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use vmm::cgroup::Limits;
use vmm::jail::root::RootSpec;
use vmm::jail::{Jail, JailRequest, Jailed};
use vmm::state::{RunFolder, StateDir};
use vmm::{VmId, VmmConfig};

/// A state folder of a test's own. Not below `/tmp`, which a jail's root is staged on.
pub struct Host {
    pub config: VmmConfig,
    pub state: StateDir,
    _dir: tempfile::TempDir,
}

/// A host for one test; `None`, and the reason printed, where jails cannot be made.
pub fn host(name: &str) -> Option<Host> {
    let missing = if !rustix::process::geteuid().is_root() {
        "not root"
    } else if !in_path("bwrap") {
        "bubblewrap is not installed"
    } else {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let config = VmmConfig {
            state_dir: dir.path().join("state"),
            uid_base: 50_000,
            uid_count: 200,
            cgroup_parent: format!("llm-firecracker-{name}-{}", std::process::id()),
            ..VmmConfig::default()
        };
        let state = StateDir::open(&config.state_dir).unwrap();
        return Some(Host {
            config,
            state,
            _dir: dir,
        });
    };
    println!("not run: {missing}");
    None
}

fn in_path(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).exists())
}

impl Host {
    /// A jail around this program, as the engines make theirs.
    pub fn jail(&self, program: &Path) -> Jail {
        let program = program.canonicalize().unwrap();
        let root = RootSpec::of_program(&program).unwrap();
        Jail::new(&self.config, &self.state, &program, &root).unwrap()
    }

    /// Starts the jail's program; the pipe has what it prints.
    pub fn start(
        &self,
        jail: &Jail,
        id: &str,
        args: &[&str],
        fds: Vec<OwnedFd>,
    ) -> (Jailed, PipeReader) {
        let id = VmId::new(id).unwrap();
        let (output, stdout) = std::io::pipe().unwrap();
        let request = JailRequest {
            run: RunFolder::create(&self.state, &id).unwrap(),
            id,
            args: args.iter().map(OsString::from).collect(),
            files: Vec::new(),
            fds,
            stderr: stdout.try_clone().unwrap().into(),
            stdout: stdout.into(),
            limits: Limits {
                memory_bytes: 256 << 20,
                pids: 32,
                cpus: 1.0,
            },
        };
        (jail.spawn(request).unwrap(), output)
    }

    /// Waits until bubblewrap has become the program: only then are all walls up. (An engine knows by
    /// the program's first word.)
    pub fn wait_for_program(&self, pid: i32, program: &Path) {
        let exe = format!("/proc/{pid}/exe");
        let begun = std::time::Instant::now();
        while !std::fs::read_link(&exe).is_ok_and(|now| now == program) {
            assert!(begun.elapsed().as_secs() < 20, "{exe} is not {program:?}");
            std::thread::yield_now();
        }
    }

    /// The cgroups of this host's VMs, in whatever tree.
    pub fn cgroups(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        below(Path::new("/sys/fs/cgroup"), &mut |folder| {
            let parent = folder.parent().and_then(Path::file_name);
            if folder.is_dir() && parent == Some(self.config.cgroup_parent.as_ref()) {
                found.push(folder.to_path_buf());
            }
        });
        found
    }

    /// Every file and folder of the run folders, and what is mounted there.
    pub fn runs(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        below(&self.state.run(), &mut |path| {
            found.push(path.to_path_buf())
        });
        found
    }
}

fn below(folder: &Path, seen: &mut dyn FnMut(&Path)) {
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        seen(&entry.path());
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            below(&entry.path(), seen);
        }
    }
}
