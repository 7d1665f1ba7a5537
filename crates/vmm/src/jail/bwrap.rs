//! bubblewrap's arguments. Pure: a table of what is wanted, each word with its reason.

use super::files::Access;
use std::ffi::OsString;
use std::path::Path;

/// Where a jail's program is asked for; the numbers are those of the descriptors it inherits.
#[derive(Debug, Clone, Copy)]
pub struct BwrapFds {
    /// bubblewrap reads the seccomp program from here.
    pub seccomp: i32,
    /// bubblewrap writes the program's process id here.
    pub info: i32,
}

/// A file system in memory that a jailed program may write to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scratch {
    /// Where, in the jail; its root holds an empty folder of this name.
    pub at: &'static str,
    /// The most that it holds, bytes.
    pub bytes: u64,
}

/// What is mounted over a jail's root, in this order.
#[derive(Debug, Default)]
pub struct Mounts<'a> {
    /// Host path, path in the jail, what may be done there.
    pub binds: Vec<(&'a Path, &'a str, Access)>,
    /// A place for files of its own.
    pub scratch: Option<Scratch>,
}

/// Flags that every jail has.
const FLAGS: &[(&str, &str)] = &[
    // no view of, and no way to signal or reach, anything of the host's
    ("--unshare-user", ""),
    ("--unshare-ipc", ""),
    ("--unshare-pid", ""),
    ("--unshare-net", ""),
    ("--unshare-uts", ""),
    ("--unshare-cgroup", ""),
    // a user namespace of its own would give a taken-over VMM capabilities to try the kernel with
    ("--disable-userns", ""),
    // the host's name is none of its business
    ("--hostname", "jail"),
    // the tool's end is the jail's end
    ("--die-with-parent", ""),
    // no reaper besides: the VMM forks nothing, and a process less is a megabyte less
    ("--as-pid-1", ""),
    // no terminal to push characters into
    ("--new-session", ""),
    ("--cap-drop", "ALL"),
    ("--clearenv", ""),
];

/// All arguments up to and with `--`.
pub fn arguments(root: &Path, mounts: &Mounts<'_>, fds: BwrapFds) -> Vec<OsString> {
    let mut args: Vec<OsString> = Vec::new();
    for (flag, value) in FLAGS {
        args.push(flag.into());
        if !value.is_empty() {
            args.push(value.into());
        }
    }
    args.extend(["--ro-bind".into(), root.into(), "/".into()]);
    for (source, at, access) in &mounts.binds {
        let kind = match access {
            Access::ReadOnly => "--ro-bind",
            Access::Writable => "--bind",
        };
        args.extend([kind.into(), source.into(), at.into()]);
    }
    if let Some(scratch) = mounts.scratch {
        let size = scratch.bytes.to_string();
        let words = ["--perms", "0700", "--size", &size, "--tmpfs", scratch.at];
        args.extend(words.map(OsString::from));
    }
    args.extend(["--chdir".into(), "/".into()]);
    args.extend(["--seccomp".into(), fds.seccomp.to_string().into()]);
    args.extend(["--info-fd".into(), fds.info.to_string().into()]);
    args.push("--".into());
    args
}

/// Whether bubblewrap's words at `--info-fd` say that it made the program's process. The number that it
/// tells is that of its own namespace.
pub fn made_child(info: &str) -> bool {
    let info: Option<serde_json::Value> = serde_json::from_str(info).ok();
    info.is_some_and(|info| info.get("child-pid").is_some_and(serde_json::Value::is_u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_arguments_are_what_they_were() {
        let fds = BwrapFds {
            seccomp: 10,
            info: 11,
        };
        let mut mounts = Mounts {
            binds: vec![
                (Path::new("/k"), "/kernel", Access::ReadOnly),
                (Path::new("/m"), "/ram", Access::Writable),
            ],
            scratch: None,
        };
        let args = arguments(Path::new("/r"), &mounts, fds);
        let text: Vec<_> = args.iter().map(|a| a.to_str().unwrap()).collect();
        assert_eq!(
            text.join(" "),
            "--unshare-user --unshare-ipc --unshare-pid --unshare-net --unshare-uts --unshare-cgroup \
             --disable-userns --hostname jail --die-with-parent --as-pid-1 --new-session --cap-drop ALL \
             --clearenv --ro-bind /r / --ro-bind /k /kernel --bind /m /ram --chdir / --seccomp 10 \
             --info-fd 11 --"
        );
        mounts.scratch = Some(Scratch {
            at: "/tmp",
            bytes: 4096,
        });
        let args = arguments(Path::new("/r"), &mounts, fds);
        let text: Vec<_> = args.iter().map(|a| a.to_str().unwrap()).collect();
        let tmpfs = " --bind /m /ram --perms 0700 --size 4096 --tmpfs /tmp --chdir / ";
        assert!(text.join(" ").contains(tmpfs));
    }

    proptest! {
        #[test]
        fn only_the_whole_word_is_believed(text in "[ -~]{0,60}", pid: u32) {
            prop_assert!(!made_child(&text));
            let told = format!("{{\"child-pid\": {pid}}}");
            prop_assert!(made_child(&told));
            prop_assert!(!made_child(&told[..told.len() - 1]));
        }
    }
}
