//! The jailer's arguments, and those of bubblewrap around it. Pure.
//!
//! ```text
//!  tool ──> bubblewrap ──> its init (pid 1, root) ──> jailer ──exec──> firecracker (pid 2, uid 10000+n)
//!     dies with ──┘  dies with ──┘  └── the kernel ends the whole pid namespace with its pid 1
//! ```
//!
//! The jailer's own `--new-pid-ns` and `--daemonize` both let Firecracker outlive who started it:
//! with them it is an orphan, and its change of uid clears a parent-death signal. So the pid
//! namespace is bubblewrap's, whose init dies with the tool and takes everything along.

use super::layout::{PROGRAM, at};
use crate::cgroup::{Limits, layout::Version};
use crate::engine::VmId;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Where the jailer's inputs are, inside bubblewrap's root.
const JAILER: &str = "/jailer";
const FIRECRACKER: &str = "/firecracker";

/// What one jail is made of.
#[derive(Debug, Clone, Copy)]
pub struct Jailer<'a> {
    /// The VM.
    pub id: &'a VmId,
    /// The program on the host.
    pub firecracker: &'a Path,
    /// The program on the host.
    pub jailer: &'a Path,
    /// uid and gid to become.
    pub uid: u32,
    /// Below it, the chroot is `firecracker/ID/root`.
    pub base: &'a Path,
    /// The interface of this host's kernel.
    pub cgroup_version: Version,
    /// The cgroup that holds this VM's, below the mounts.
    pub parent_cgroup: &'a str,
    /// Its cgroup's.
    pub limits: Limits,
    /// The largest file that it may write: a snapshot's RAM, else next to nothing.
    pub file_bytes: u64,
}

/// Descriptors: Firecracker opens some twenty.
const NO_FILE: u64 = 128;

impl Jailer<'_> {
    /// The jailer's, up to and with what it passes on.
    pub fn arguments(&self) -> Vec<OsString> {
        let mut args: Vec<OsString> = Vec::new();
        let mut option = |name: &str, value: OsString| args.extend([name.into(), value]);
        let uid = OsString::from(self.uid.to_string());
        option("--id", self.id.as_str().into());
        option("--exec-file", FIRECRACKER.into());
        option("--uid", uid.clone());
        option("--gid", uid);
        option("--chroot-base-dir", self.base.into());
        option("--parent-cgroup", self.parent_cgroup.into());
        let version = match self.cgroup_version {
            Version::V1 => "1",
            Version::V2 => "2",
        };
        option("--cgroup-version", version.into());
        // Always: without them the jailer may go on outside any limit and say nothing.
        for (file, value) in self.limits.settings(self.cgroup_version) {
            option("--cgroup", format!("{file}={value}").into());
        }
        option(
            "--resource-limit",
            format!("fsize={}", self.file_bytes).into(),
        );
        option("--resource-limit", format!("no-file={NO_FILE}").into());
        args.extend(["--", "--api-sock", at::API].map(OsString::from));
        args
    }

    /// bubblewrap's, up to and with the jailer's name. `folder` is `BASE/firecracker/ID`.
    pub fn supervisor_arguments(&self, folder: &Path, info: i32, sync: i32) -> Vec<OsString> {
        let mut args = Vec::new();
        for (flag, value) in SUPERVISOR {
            args.push(OsString::from(flag));
            args.extend((!value.is_empty()).then(|| OsString::from(value)));
        }
        for capability in CAPABILITIES {
            args.extend(["--cap-add", capability.0].map(OsString::from));
        }
        let mut bind = |kind: &str, from: &Path, to: &Path| {
            args.extend([kind.into(), from.into(), to.into()]);
        };
        bind("--ro-bind", self.jailer, Path::new(JAILER));
        bind("--ro-bind", self.firecracker, Path::new(FIRECRACKER));
        let cgroups = Path::new("/sys/fs/cgroup");
        bind("--dev-bind", cgroups, cgroups);
        // With devices: the jailer makes /dev/kvm there.
        bind("--dev-bind", folder, folder);
        args.extend(["--info-fd".into(), info.to_string().into()]);
        args.extend(["--sync-fd".into(), sync.to_string().into()]);
        args.extend(["--", JAILER].map(OsString::from));
        args
    }
}

/// Flags of the bubblewrap around every jailer.
const SUPERVISOR: &[(&str, &str)] = &[
    // the tool's end is this process's end, and so that of all in its pid namespace
    ("--die-with-parent", ""),
    ("--unshare-pid", ""),
    // the jailer has no network namespace of its own to give
    ("--unshare-net", ""),
    ("--unshare-ipc", ""),
    ("--unshare-uts", ""),
    ("--hostname", "jail"),
    // no terminal to push characters into
    ("--new-session", ""),
    ("--clearenv", ""),
    // the jailer reads its mounts there
    ("--proc", "/proc"),
    ("--cap-drop", "ALL"),
];

/// What the jailer is root for; Firecracker keeps none of it.
const CAPABILITIES: &[(&str, &str)] = &[
    ("CAP_SYS_ADMIN", "its mount namespace and pivot_root"),
    ("CAP_MKNOD", "/dev/kvm in the chroot"),
    ("CAP_CHOWN", "the chroot becomes the uid's"),
    ("CAP_FOWNER", "and its modes are set"),
    ("CAP_DAC_OVERRIDE", "and written to afterwards"),
    ("CAP_SETUID", "becoming the uid"),
    ("CAP_SETGID", "and the gid, with no groups"),
    ("CAP_SYS_RESOURCE", "limits above its own"),
];

/// Development only: bubblewrap around a Firecracker without a jailer.
#[derive(Debug)]
pub struct Unjailed<'a> {
    /// The VM.
    pub id: &'a VmId,
    /// The program.
    pub firecracker: &'a Path,
    /// Its folder.
    pub root: &'a Path,
    /// Files of the host's, and their names in that folder.
    pub files: &'a [(PathBuf, &'a str)],
}

impl Unjailed<'_> {
    /// bubblewrap's, which tells on descriptor `info` whom it started.
    pub fn arguments(&self, info: i32) -> Vec<OsString> {
        let Unjailed {
            id,
            firecracker,
            root,
            files,
        } = *self;
        let mut args: Vec<OsString> = ["--die-with-parent", "--unshare-pid", "--unshare-net"]
            .map(OsString::from)
            .into();
        args.extend(["--new-session", "--clearenv", "--dev-bind", "/", "/"].map(OsString::from));
        for (source, at) in files {
            args.extend(["--ro-bind".into(), source.into(), root.join(at).into()]);
        }
        args.extend(["--chdir".into(), root.into()]);
        args.extend(["--info-fd".into(), info.to_string().into()]);
        args.extend(["--".into(), firecracker.into()]);
        args.extend(["--id", id.as_str(), "--api-sock", at::API].map(OsString::from));
        args
    }
}

/// The name of the folder that the jailer makes for its program is the name it is bound to.
const _: () = assert!(FIRECRACKER.len() == PROGRAM.len() + 1);
