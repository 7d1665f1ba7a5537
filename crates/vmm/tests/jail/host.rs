//! What the tests of jails share: a state folder, jails around a program that stands for a VMM, what the
//! host shows.

use std::ffi::OsString;
use std::io::PipeReader;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use vmm::cgroup::Limits;
use vmm::jail::files::JailFile;
use vmm::jail::root::RootSpec;
use vmm::jail::{Addresses, Jail, JailRequest, JailSpec, Jailed, Scratch};
use vmm::state::{RunFolder, StateDir};
use vmm::{VmId, VmmConfig};

/// A state folder of a test's own. Not below `/tmp`, which a jail's root is staged on.
pub struct Host {
    pub config: VmmConfig,
    pub state: StateDir,
    dir: tempfile::TempDir,
}

/// What one jailed program is given.
#[derive(Default)]
pub struct Given {
    pub args: Vec<OsString>,
    pub files: Vec<JailFile>,
    pub fds: Vec<OwnedFd>,
    pub scratch: Option<Scratch>,
}

impl Given {
    pub fn with_args(self, args: &[&str]) -> Given {
        let args = args.iter().map(OsString::from).collect();
        Given { args, ..self }
    }
}

/// The limits of a program that stands for a VMM: low enough to be met.
pub const LIMITS: Limits = Limits {
    memory_bytes: 256 << 20,
    pids: 32,
    cpus: 1.0,
    memory_bytes_of_all: 8 << 30,
};

/// A host for one test; `None`, and the reason printed, where jails cannot be made.
pub fn host(name: &str) -> Option<Host> {
    if !rustix::process::geteuid().is_root() {
        println!("not run: not root");
        return None;
    }
    host_of_anyone(name)
}

/// The same for a test that an ordinary user can run, too.
pub fn host_of_anyone(name: &str) -> Option<Host> {
    if !in_path("bwrap") {
        println!("not run: bubblewrap is not installed");
        return None;
    }
    let dir = tempfile::tempdir_in(scratch_folder()).unwrap();
    let config = VmmConfig {
        state_dir: dir.path().join("state"),
        uid_base: 50_000,
        uid_count: 200,
        cgroup_parent: format!("llm-firecracker-{name}-{}", std::process::id()),
        ..VmmConfig::default()
    };
    let state = StateDir::open(&config.state_dir).unwrap();
    Some(Host { config, state, dir })
}

/// Where tests put their files; a test that runs one as another user says where that one may.
fn scratch_folder() -> PathBuf {
    let given = std::env::var_os("JAIL_TEST_FOLDER");
    given.map_or(env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from)
}

/// Copies a file by another program: one that this process had open for writing could not be executed
/// as long as a child that another test starts at that moment has it open, too.
pub fn copy(from: &Path, to: &Path) {
    let copied = std::process::Command::new("cp").arg(from).arg(to).status();
    assert!(copied.unwrap().success(), "{from:?}");
}

fn in_path(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).exists())
}

impl Host {
    /// A jail around this program, as the QEMU engine makes its.
    pub fn jail(&self, program: &Path) -> Jail {
        let program = program.canonicalize().unwrap();
        let root = RootSpec::of_program(&program).unwrap();
        let spec = JailSpec {
            program: &program,
            root: &root,
            profile: seccomp::builtin::VMM,
            addresses: Addresses::Random,
        };
        Jail::new(&self.config, &self.state, &spec).unwrap()
    }

    /// Starts the jail's program; the pipe has what it prints.
    pub fn start(&self, jail: &Jail, id: &str, args: &[&str]) -> (Jailed, PipeReader) {
        self.start_with(jail, id, Given::default().with_args(args))
    }

    pub fn start_with(&self, jail: &Jail, id: &str, given: Given) -> (Jailed, PipeReader) {
        let id = VmId::new(id).unwrap();
        let (output, stdout) = std::io::pipe().unwrap();
        let request = JailRequest {
            run: RunFolder::create(&self.state, &id).unwrap(),
            id,
            args: given.args,
            files: given.files,
            scratch: given.scratch,
            fds: given.fds,
            stderr: stdout.try_clone().unwrap().into(),
            stdout: stdout.into(),
            limits: LIMITS,
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

    /// A place for a test's own files.
    pub fn folder(&self) -> PathBuf {
        self.dir.path().to_path_buf()
    }

    /// Those that VMs get.
    pub fn uids(&self) -> std::ops::Range<u32> {
        self.config.uid_base..self.config.uid_base + self.config.uid_count
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
