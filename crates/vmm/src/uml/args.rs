//! The kernel's command line. Pure: one table, each word with its reason.

use crate::engine::VmId;
use crate::mark::UML_ID;
use std::ffi::OsString;

/// The descriptors that the kernel inherits besides 0 (`/dev/null`), 1 (console out) and 2 (its own
/// messages, out). This table is all of them.
pub mod fd {
    /// The agent's stream: one end of a socket pair.
    pub const CHANNEL: i32 = 3;
    /// The filter that the kernel seals itself with comes from here; it is closed when that is done.
    pub const SEAL: i32 = 4;
}

/// Paths inside the jail.
pub mod at {
    /// The kernel, the one program there is.
    pub const KERNEL: &str = "/kernel";
    /// Its initramfs.
    pub const INITRAMFS: &str = "/initramfs";
    /// The root file system.
    pub const ROOTFS: &str = "/rootfs";
    /// What the kernel reads of the host's CPU; there is nothing else of `/proc`.
    pub const CPUINFO: &str = "/proc/cpuinfo";
    /// Where the file of the guest's RAM is, without a name.
    pub const SCRATCH: &str = "/tmp";
}

/// The disk's name in the guest.
const DISK: &str = "/dev/ubda";
/// The channel's name in the guest.
const CHANNEL: &str = "/dev/ttyS0";

/// What every kernel is told: a word, and the reason.
const FIXED: &[(&str, &str)] = &[
    (
        "seccomp=off",
        "processes are traced and make no call of the host's; 'on' is a third faster, and lets a job's process write all of the guest's memory",
    ),
    (
        "lpj=20000000",
        "any number: nothing in this kernel waits in loops, and measuring takes 50 ms",
    ),
    (
        "quiet",
        "each line is a call of the host's; warnings still come",
    ),
    ("panic=-1", "a dead guest must end its VM at once, not wait"),
    (
        "con=fd:0",
        "no terminal of the host's; 'null' opens /dev/null when a guest opens one, which ends a sealed kernel",
    ),
    (
        "con0=fd:0,fd:1",
        "out only, for 0 is /dev/null; the host keeps the end of it",
    ),
    (
        "ssl=fd:0",
        "no serial line but the channel, below; 'null' as above",
    ),
    (
        "uml_dir=/tmp/",
        "where it keeps its number: it would look for a home otherwise",
    ),
    ("lsm=yama,landlock", "as the other engines' guests"),
];

/// What differs between VMs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Shown in the host's process list: see `mark`.
    pub id: VmId,
    /// RAM, MiB.
    pub memory_mib: u32,
    /// What it boots for.
    pub purpose: Purpose,
}

/// What a kernel is started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A guest with a disk, whose agent talks to the host.
    Guest,
    /// To see whether its first process runs, which says so and ends it.
    Probe,
}

/// All arguments.
pub fn arguments(machine: &Machine) -> Vec<OsString> {
    let mut words: Vec<String> = vec![
        format!("{UML_ID}{}", machine.id),
        format!("mem={}M", machine.memory_mib),
        format!("initrd={}", at::INITRAMFS),
        format!("seal={}", fd::SEAL),
    ];
    words.extend(FIXED.iter().map(|(word, _)| word.to_string()));
    words.extend(match machine.purpose {
        Purpose::Guest => vec![
            // r: read-only; d: its first bytes are no header that names another file.
            format!("ubd0rd={}", at::ROOTFS),
            format!("ssl0=fd:{0},fd:{0}", fd::CHANNEL),
            format!("root={DISK}"),
            format!("{}={CHANNEL}", protocol::wire::CHANNEL_WORD),
        ],
        Purpose::Probe => vec![protocol::wire::PROBE_WORD.into()],
    });
    words.into_iter().map(OsString::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_the_machine_its_walls_stand(memory_mib in 64u32..8192, probe: bool) {
            let purpose = if probe { Purpose::Probe } else { Purpose::Guest };
            let id = VmId::new("vm-1").unwrap();
            let args = arguments(&Machine { id, memory_mib, purpose });
            let text: Vec<&str> = args.iter().map(|a| a.to_str().unwrap()).collect();
            let line = text.join(" ");
            // COMMAND_LINE_SIZE of arch/um.
            prop_assert!(line.len() < 4096);
            for word in ["seccomp=off", "umid=vm-1", "seal=4", "con=fd:0", "ssl=fd:0"] {
                prop_assert!(text.contains(&word), "{word}");
            }
            // Nothing that reaches the host: no network, no other channel, no folder, one disk at most.
            for word in ["eth", "vec", "hostfs", "mconsole", "pts", "pty", "tty:", "port:", "xterm", "init="] {
                prop_assert!(!text.iter().any(|a| a.starts_with(word) || a.contains(&format!("={word}"))), "{word}");
            }
            prop_assert_eq!(text.iter().filter(|a| a.starts_with("ubd")).count(), usize::from(!probe));
            prop_assert!(!line.contains("/var") && !line.contains(".."));
        }
    }

    #[test]
    fn each_word_has_a_reason_and_no_space() {
        for (word, why) in FIXED {
            assert!(!word.contains(' ') && !why.is_empty(), "{word}");
        }
    }
}
