//! The wall around a VMM, the same for whichever VMM it is.
//!
//! ```text
//!  tool ── thread "vm-ID" ──fork──> join cgroup, stage root, rlimits, drop to uid 10000+n   (child)
//!                                     └─exec─> bubblewrap: namespaces, empty root, seccomp
//!                                                 └─exec─> the VMM, pid 1, nothing but its table of files and descriptors
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`root`] | the files of a jail's root |
//! | [`files`] | a VM's own files, shown to its uid alone |
//! | [`deferred`] | a file for a jail that runs already |
//! | [`slots`] | one uid a VM |
//! | [`bwrap`] | bubblewrap's arguments |
//! | `child` | between fork and exec |
//! | [`process`] | the thread that owns a jailed process |
//! | [`inspect`] | reading back what the kernel holds it to |

pub mod bwrap;
pub(crate) mod child;
pub mod deferred;
pub mod files;
pub mod inspect;
pub mod process;
pub mod root;
pub mod slots;

pub use bwrap::Scratch;
pub use child::Addresses;

use crate::cgroup::{Limits, Place, VmCgroup};
use crate::config::VmmConfig;
use crate::engine::VmId;
use crate::error::{Step, VmmError};
use crate::privilege::is_privileged;
use crate::state::{CGROUPS_FILE, RunFolder, StateDir, private_file};
use bwrap::{BwrapFds, Mounts};
use child::{ChildSetup, FIRST_FD, OutputFds, Privileged, STAGE};
use files::{Access, JailFile};
use process::{Held, PidNamespace, Process};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Resource;
use std::ffi::{CString, OsString};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Root's VMM would be root, too, where there is no other uid for it.
const NO_ROOT: &str = "this root lacks the capabilities, or the other users, of a host's: it cannot give each VM a uid of its own. As an ordinary user of this container it works";

/// What is the same in all jails of one kind.
#[derive(Debug)]
pub struct JailSpec<'a> {
    /// The program, as its jail names it.
    pub program: &'a Path,
    /// The files of its root.
    pub root: &'a root::RootSpec,
    /// The built-in profile of the system calls that it starts under.
    pub profile: &'static str,
    /// Where its memory is put.
    pub addresses: Addresses,
}

/// Makes jails of one kind: one program, one root, one seccomp filter.
#[derive(Debug)]
pub struct Jail {
    state: StateDir,
    bwrap: PathBuf,
    root: PathBuf,
    program: PathBuf,
    seccomp: Vec<u8>,
    addresses: Addresses,
    place: Result<Place, String>,
    /// First uid and how many, when the tool is root.
    uids: Option<(u32, u32)>,
}

/// One jail that is asked for.
#[derive(Debug)]
pub struct JailRequest {
    /// The VM.
    pub id: VmId,
    /// Its run folder, handed over.
    pub run: RunFolder,
    /// The program's arguments.
    pub args: Vec<OsString>,
    /// Files besides the root's.
    pub files: Vec<JailFile>,
    /// Where it may make files of its own; without it, no file of its can grow.
    pub scratch: Option<Scratch>,
    /// Descriptors 3, 4, … of the program.
    pub fds: Vec<OwnedFd>,
    /// Descriptor 1.
    pub stdout: OwnedFd,
    /// Descriptor 2.
    pub stderr: OwnedFd,
    /// Its cgroup's.
    pub limits: Limits,
}

/// A program in its jail.
#[derive(Debug)]
pub struct Jailed {
    /// The process and what it holds.
    pub process: Process,
    /// The uid it runs as.
    pub uid: u32,
    /// Its cgroup.
    pub cgroup: Option<Arc<VmCgroup>>,
}

impl Jail {
    /// Finds bubblewrap and a place for cgroups, builds the root.
    pub fn new(
        config: &VmmConfig,
        state: &StateDir,
        spec: &JailSpec<'_>,
    ) -> Result<Self, VmmError> {
        let bwrap = find_program("bwrap", config.bwrap_path.as_deref(), "bubblewrap")?;
        let is_root = rustix::process::geteuid().is_root();
        if is_root && !is_privileged() {
            return Err(VmmError::State {
                step: Step::Prepare,
                reason: NO_ROOT.into(),
            });
        }
        let place = Place::find(&config.cgroup_parent);
        if let (true, Err(reason)) = (is_root, &place) {
            // A user's tool goes on without and says so; root's has no excuse.
            return Err(VmmError::State {
                step: Step::Prepare,
                reason: format!("no cgroup can be made for VMs: {reason}"),
            });
        }
        Ok(Self {
            state: state.clone(),
            bwrap,
            root: spec.root.build(state)?,
            program: spec.program.to_path_buf(),
            seccomp: filter(spec.profile)?,
            addresses: spec.addresses,
            place,
            uids: is_root.then_some((config.uid_base, config.uid_count)),
        })
    }

    /// What is around the VMM, and what is not.
    pub fn description(&self) -> String {
        let cgroup = match &self.place {
            Ok(place) => place.name().to_string(),
            Err(reason) => format!("no-cgroup ({reason})"),
        };
        let uid = match self.uids {
            Some(_) => "own-uid",
            None => "same-uid",
        };
        format!("bubblewrap+seccomp+{uid}+{cgroup}")
    }

    /// Whether [`deferred::show`] works: a user's tool may not mount in a jail that runs.
    pub fn shows_deferred(&self) -> bool {
        self.uids.is_some()
    }

    /// Starts the program. Blocks for some milliseconds. What was made is given back on failure.
    pub fn spawn(&self, mut request: JailRequest) -> Result<Jailed, VmmError> {
        let slot = match self.uids {
            Some((base, count)) => Some(slots::take(&self.state, base, count)?),
            None => None,
        };
        let uid = slot.as_ref().map(|s| s.uid);
        let cgroup = make_cgroup(
            self.place.as_ref().ok(),
            &request.run,
            &request.id,
            request.limits,
        )?;
        let (info_reader, info_writer) = pipe()?;
        let mut fds = std::mem::take(&mut request.fds);
        let own = fds.len() as i32;
        let seccomp = child::memory_file("seccomp", &self.seccomp)
            .map_err(VmmError::io(Step::Prepare, "making the seccomp file"))?;
        fds.extend([seccomp, info_writer]);
        let numbers = BwrapFds {
            seccomp: FIRST_FD + own,
            info: FIRST_FD + own + 1,
        };
        let privileged = match uid {
            Some(uid) => Some(
                self.privileged(uid, &request.files)
                    .map_err(VmmError::io(Step::Prepare, "mounting the jail's files"))?,
            ),
            None => None,
        };
        let setup = ChildSetup {
            tool: process::this_process().map_err(VmmError::io(
                Step::Prepare,
                "opening the tool's own process",
            ))?,
            cgroups: entrances(cgroup.as_deref())?,
            privileged,
            rlimits: rlimits(request.scratch),
            addresses: self.addresses,
            fds,
        };
        let mut args = self.bwrap_arguments(&request, numbers);
        args.push(self.program.clone().into());
        args.extend(request.args);
        let outputs = OutputFds {
            stdout: request.stdout,
            stderr: request.stderr,
        };
        let command = setup.command(&self.bwrap, args, outputs);
        let held = Held {
            cgroup: cgroup.clone(),
            run: request.run,
            chroot: None,
            slot,
        };
        let namespace = match uid {
            Some(_) => PidNamespace::Own,
            None => PidNamespace::Hosts,
        };
        let process = Process::spawn(command, held, request.id.as_str(), namespace)?;
        if has_child(info_reader) {
            process.find_vmm()?;
        }
        Ok(Jailed {
            process,
            uid: uid.unwrap_or_else(|| rustix::process::getuid().as_raw()),
            cgroup,
        })
    }

    fn bwrap_arguments(&self, request: &JailRequest, fds: BwrapFds) -> Vec<OsString> {
        let (files, scratch) = (&request.files, request.scratch);
        if self.uids.is_none() {
            let binds = files
                .iter()
                .map(|file| (file.source.as_path(), file.at, file.access))
                .collect();
            return bwrap::arguments(&self.root, &Mounts { binds, scratch }, fds);
        }
        // The stage brings all files along, read-only; what is writable is bound once more.
        let paths: Vec<(PathBuf, &str)> = files
            .iter()
            .filter(|file| file.access == Access::Writable)
            .map(|file| (PathBuf::from(format!("{STAGE}{}", file.at)), file.at))
            .collect();
        let binds = paths
            .iter()
            .map(|(path, at)| (path.as_path(), *at, Access::Writable))
            .collect();
        bwrap::arguments(Path::new(STAGE), &Mounts { binds, scratch }, fds)
    }

    fn privileged(&self, uid: u32, jail_files: &[JailFile]) -> std::io::Result<Privileged> {
        let target = |path: String| CString::new(path).map_err(std::io::Error::other);
        let mut mounts = vec![(
            files::detached(&self.root, Access::ReadOnly, uid)?,
            target(STAGE.into())?,
        )];
        for file in jail_files {
            if file.access == Access::Writable {
                std::os::unix::fs::lchown(&file.source, Some(uid), Some(uid))?;
            }
            let mount = files::detached(&file.source, file.access, uid)?;
            mounts.push((mount, target(format!("{STAGE}{}", file.at))?));
        }
        Ok(Privileged {
            uid: Some(uid),
            mounts,
        })
    }
}

/// The instructions of a built-in profile.
pub(crate) fn filter(profile: &'static str) -> Result<Vec<u8>, VmmError> {
    let compiled = seccomp::Profile::builtin(profile).and_then(|profile| profile.compile());
    let program = compiled.map_err(|e| VmmError::State {
        step: Step::Prepare,
        reason: format!("the built-in seccomp profile {profile} does not compile: {e}"),
    })?;
    Ok(program.to_bytes())
}

/// Those of every jail; a file may grow where there is a place for it, to what the place holds.
fn rlimits(scratch: Option<Scratch>) -> Vec<(Resource, u64)> {
    let of_scratch = |row: &(Resource, u64)| match (row, scratch) {
        ((Resource::Fsize, _), Some(scratch)) => (Resource::Fsize, scratch.bytes),
        (row, _) => *row,
    };
    child::RLIMITS.iter().map(of_scratch).collect()
}

/// Makes a VM's cgroup where there is a place for it. The run folder's note comes first: it is where a
/// crash's cleaner finds it.
pub(crate) fn make_cgroup(
    place: Option<&Place>,
    run: &RunFolder,
    id: &VmId,
    limits: Limits,
) -> Result<Option<Arc<VmCgroup>>, VmmError> {
    let Some(place) = place else { return Ok(None) };
    let cgroup = Arc::new(place.plan(id));
    note_cgroups(run, cgroup.folders()).map_err(VmmError::io(
        Step::Prepare,
        "noting the cgroup in the run folder",
    ))?;
    cgroup.establish(limits)?;
    Ok(Some(cgroup))
}

fn note_cgroups(run: &RunFolder, folders: &[PathBuf]) -> std::io::Result<()> {
    let mut file = private_file(&run.path().join(CGROUPS_FILE))?;
    for folder in folders {
        writeln!(file, "{}", folder.display())?;
    }
    Ok(())
}

/// What the child writes itself into.
pub(crate) fn entrances(cgroup: Option<&VmCgroup>) -> Result<Vec<File>, VmmError> {
    let opened = cgroup.map(VmCgroup::entrances).transpose();
    opened
        .map(Option::unwrap_or_default)
        .map_err(VmmError::io(Step::Prepare, "opening the cgroup"))
}

/// A pipe: the reader, the writer.
pub(crate) fn pipe() -> Result<(OwnedFd, OwnedFd), VmmError> {
    let made = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC);
    made.map_err(|e| VmmError::io(Step::Prepare, "making a pipe")(e.into()))
}

/// Two connected sockets: one stays here, the other goes into a jail.
pub(crate) fn socket_pair() -> Result<(UnixStream, UnixStream), VmmError> {
    UnixStream::pair().map_err(VmmError::io(Step::Prepare, "making a socket pair"))
}

/// Waits until bubblewrap says that it made the VMM's process; it does not when it failed before.
pub(crate) fn has_child(reader: OwnedFd) -> bool {
    let mut reader = File::from(reader);
    let mut text = String::new();
    let deadline = Timespec {
        tv_sec: Step::Start.deadline().as_secs() as i64,
        tv_nsec: 0,
    };
    while !bwrap::made_child(&text) && text.len() < 4096 {
        let ready = poll(&mut [PollFd::new(&reader, PollFlags::IN)], Some(&deadline));
        let mut buffer = [0u8; 512];
        let read = match ready {
            Ok(1..) => reader.read(&mut buffer),
            _ => return false,
        };
        match read {
            Ok(count @ 1..) => text.push_str(&String::from_utf8_lossy(&buffer[..count])),
            _ => return false,
        }
    }
    true
}

/// The configured path, or the first of that name in `PATH`.
pub fn find_program(
    name: &str,
    configured: Option<&Path>,
    package: &'static str,
) -> Result<PathBuf, VmmError> {
    let missing = || VmmError::NotInstalled {
        program: name.to_string(),
        path: configured.map(Path::to_path_buf),
        package,
    };
    let found = match configured {
        Some(path) => path.is_file().then(|| path.to_path_buf()),
        None => std::env::var_os("PATH").and_then(|path| {
            std::env::split_paths(&path)
                .map(|folder| folder.join(name))
                .find(|candidate| candidate.is_file())
        }),
    };
    // Resolved: a jail's root must hold the file itself.
    found
        .and_then(|path| path.canonicalize().ok())
        .ok_or_else(missing)
}
