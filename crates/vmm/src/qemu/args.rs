//! QEMU's arguments. Pure: tables, each row with its reason.

use crate::config::Accelerator;
use crate::engine::VmId;
use serde_json::{Value, json};
use std::ffi::OsString;

/// The descriptors that QEMU inherits besides 0 (`/dev/null`), 1 (console out) and 2 (its own
/// messages, out). This table is all of them.
pub mod fd {
    /// Control: one end of a socket pair.
    pub const QMP: i32 = 3;
    /// The agent's stream: one end of a socket pair.
    pub const CHANNEL: i32 = 4;
    /// The root file system, read-only, as `/dev/fdset/1`; one that stands by gets a file instead.
    pub const ROOTFS: i32 = 5;
    /// A clone's device state, or all of a saved VM, read-only, in [`super::STATE_SET`]; one that stands by is given it later.
    pub const STATE: i32 = 6;

    /// The KVM device, the last of the table. Only with accelerator kvm.
    pub const fn kvm(start: &super::QemuStart) -> i32 {
        match start {
            super::QemuStart::Boot { .. } => ROOTFS + 1,
            super::QemuStart::Clone | super::QemuStart::Saved => STATE + 1,
            super::QemuStart::StandBy => CHANNEL + 1,
        }
    }
}

/// The set of descriptors (`/dev/fdset/N`) that holds a clone's device state.
pub const STATE_SET: i32 = 3;

/// Paths inside the jail.
pub mod at {
    /// The guest's kernel.
    pub const KERNEL: &str = "/kernel";
    /// Its initramfs.
    pub const INITRAMFS: &str = "/initramfs";
    /// The guest's RAM: a booted VM's own file, or a clone's template.
    pub const RAM: &str = "/ram";
    /// The root file system of one that stood by: QEMU takes no descriptor before it has a machine.
    pub const ROOTFS: &str = "/rootfs";
    /// A clone's device state: [`super::STATE_SET`].
    pub const STATE: &str = "/dev/fdset/3";
    /// The firmware: qboot hands ACPI tables to a kernel in 16 ms where SeaBIOS takes 100.
    pub const FIRMWARE: &str = "/qboot.rom";
}

/// Bytes of translated code that emulation keeps, MiB: what a compiler run needs; pages are used as
/// they fill. QEMU's own default would be 1 GiB.
pub const TRANSLATION_MIB: u32 = 128;

/// Where a booted VM has its RAM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RamIn {
    /// Where nothing of it reaches a disk.
    Memory,
    /// In a file that becomes its snapshot's.
    File,
}

/// How the VM comes to life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QemuStart {
    /// From its kernel.
    Boot {
        /// The kernel's command line.
        command_line: String,
        /// Where its RAM is.
        ram_in: RamIn,
    },
    /// From a snapshot.
    Clone,
    /// From all that was in a VM that was saved at work.
    Saved,
    /// From a snapshot that is not known yet, nor the root file system: both, and RAM, are said when the
    /// machine is to be made.
    StandBy,
}

/// What differs between VMs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Shown in the host's process list.
    pub id: VmId,
    /// What runs the guest.
    pub accelerator: Accelerator,
    /// RAM, MiB.
    pub memory_mib: u32,
    /// CPUs.
    pub vcpus: u32,
    /// How it starts.
    pub start: QemuStart,
}

/// What every VM has: flag, value, and the reason.
const FIXED: &[(&str, &str, &str)] = &[
    ("-nodefaults", "", "no device that is not in this table"),
    (
        "-no-user-config",
        "",
        "no file of the host's configures a VM",
    ),
    ("-display", "none", "none"),
    ("-no-reboot", "", "a guest that reboots has ended"),
    ("-S", "", "no guest instruction before the jail was checked"),
    (
        "-sandbox",
        "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
        "QEMU's own filter, below the jail's",
    ),
    ("-bios", at::FIRMWARE, "the one firmware in the jail"),
    (
        "-chardev",
        "stdio,id=console,signal=off",
        "out only, for stdin is /dev/null; the host keeps the end of it",
    ),
    (
        "-serial",
        "chardev:console",
        "the last words of a guest that fails",
    ),
    (
        "-chardev",
        "socket,id=qmp,fd=3",
        "control; an inherited end of a pair, no path to connect to",
    ),
    ("-mon", "chardev=qmp,mode=control", ""),
    (
        "-chardev",
        "socket,id=channel,fd=4",
        "the agent's stream, likewise",
    ),
    ("-device", "virtio-serial-device,max_ports=2", ""),
    ("-device", "virtio-blk-device,drive=rootfs", "the one disk"),
    (
        "-object",
        "rng-builtin,id=entropy",
        "the host's getrandom, no file",
    ),
    ("-device", "virtio-rng-device,rng=entropy", ""),
];

/// All arguments.
pub fn arguments(machine: &Machine) -> Vec<OsString> {
    let mut args: Vec<String> = vec![
        "-machine".into(),
        machine_type(&machine.start),
        // Tells whose it is: see `mark`.
        "-name".into(),
        machine.id.to_string(),
        "-accel".into(),
        accelerator(machine),
        "-cpu".into(),
        cpu_model(machine.accelerator).into(),
        "-m".into(),
        format!("{}M", machine.memory_mib),
        // No two of a guest's CPUs are threads of one core: nothing in it is told that they share one.
        "-smp".into(),
        format!("{},threads=1", machine.vcpus),
    ];
    if let Some(memory) = memory(machine) {
        args.extend(["-object".into(), memory]);
    }
    if machine.start != QemuStart::StandBy {
        args.extend(["-add-fd".into(), "fd=5,set=1,opaque=rootfs".into()]);
        args.extend(["-blockdev".into(), rootfs("/dev/fdset/1").to_string()]);
    }
    for (flag, value, _) in FIXED {
        args.push(flag.to_string());
        if !value.is_empty() {
            args.push(value.to_string());
        }
    }
    if machine.accelerator == Accelerator::Kvm {
        let number = fd::kvm(&machine.start);
        args.push("-add-fd".into());
        args.push(format!("fd={number},set=2,opaque=kvm"));
    }
    args.push("-device".into());
    let name = protocol::wire::CHANNEL_NAME;
    args.push(format!("virtserialport,chardev=channel,name={name}"));
    match &machine.start {
        QemuStart::Boot { command_line, .. } => args.extend(
            [
                "-kernel",
                at::KERNEL,
                "-initrd",
                at::INITRAMFS,
                "-append",
                command_line,
            ]
            .map(String::from),
        ),
        // Deferred: what to load is said over the control socket, after the jail was checked.
        QemuStart::Clone | QemuStart::Saved => args
            .extend(["-add-fd", "fd=6,set=3,opaque=state", "-incoming", "defer"].map(String::from)),
        QemuStart::StandBy => args.extend(["--preconfig", "-incoming", "defer"].map(String::from)),
    }
    args.into_iter().map(OsString::from).collect()
}

// acpi: Debian's kernel finds virtio-mmio devices by it alone. pit, pic: what the kernel falls back on
// under emulation. rtc: the agent sets the clock.
fn machine_type(start: &QemuStart) -> String {
    let memory = match start {
        QemuStart::StandBy => "",
        _ => ",memory-backend=ram",
    };
    format!("microvm,acpi=on,x-option-roms=off,isa-serial=on,rtc=off{memory}")
}

/// The root file system's block device (QAPI `BlockdevOptions`). Raw by name: probing would let content
/// choose the format, and a format name other files. Opened by the host, read-only; locking would need
/// a writable file.
pub fn rootfs(file: &str) -> Value {
    json!({
        "driver": "raw", "node-name": "rootfs", "read-only": true,
        "file": {"driver": "file", "filename": file, "read-only": true, "locking": "off"},
    })
}

/// A clone's RAM (QAPI `ObjectOptions`): a private mapping of a file that cannot be written, whose pages
/// are copied as the clone writes.
pub fn template(memory_mib: u32) -> Value {
    json!({
        "qom-type": "memory-backend-file", "id": "ram", "size": u64::from(memory_mib) << 20,
        "mem-path": at::RAM, "readonly": true, "rom": "off", "share": false,
    })
}

/// The CPU that guests see.
pub fn cpu_model(accelerator: Accelerator) -> &'static str {
    match accelerator {
        Accelerator::Kvm => "host",
        // All that the translator can do, but for fast byte strings: it takes them byte by byte, and
        // a kernel that is told of them clears and copies pages so (a third of the time of a job
        // that touches 150 MiB).
        Accelerator::Tcg => "max,-erms,-fsrm",
    }
}

fn accelerator(machine: &Machine) -> String {
    match machine.accelerator {
        Accelerator::Tcg => format!("tcg,tb-size={TRANSLATION_MIB}"),
        Accelerator::Kvm => {
            // Opened by the host: the jail has no device node.
            "kvm,device=/dev/fdset/2".into()
        }
    }
}

fn memory(machine: &Machine) -> Option<String> {
    let size = machine.memory_mib;
    Some(match machine.start {
        QemuStart::Boot {
            ram_in: RamIn::File,
            ..
        } => {
            format!(
                "memory-backend-file,id=ram,size={size}M,mem-path={},share=on",
                at::RAM
            )
        }
        QemuStart::Boot { .. } | QemuStart::Saved => {
            format!("memory-backend-ram,id=ram,size={size}M")
        }
        QemuStart::Clone => template(size).to_string(),
        QemuStart::StandBy => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn machines() -> impl Strategy<Value = Machine> {
        let accelerators = prop_oneof![Just(Accelerator::Kvm), Just(Accelerator::Tcg)];
        let starts = prop_oneof![
            Just(QemuStart::Clone),
            Just(QemuStart::StandBy),
            Just(QemuStart::Saved),
            prop_oneof![Just(RamIn::Memory), Just(RamIn::File)].prop_map(|ram_in| {
                QemuStart::Boot {
                    command_line: "quiet".into(),
                    ram_in,
                }
            })
        ];
        (accelerators, 64u32..8192, 1u32..9, starts).prop_map(
            |(accelerator, memory_mib, vcpus, start)| Machine {
                id: VmId::new("vm-1").unwrap(),
                accelerator,
                memory_mib,
                vcpus,
                start,
            },
        )
    }

    proptest! {
        #[test]
        fn whatever_the_machine_its_walls_stand(machine in machines()) {
            let args = arguments(&machine);
            let text: Vec<&str> = args.iter().map(|a| a.to_str().unwrap()).collect();
            let after = |flag: &str| -> Vec<&str> {
                text.windows(2).filter(|w| w[0] == flag).map(|w| w[1]).collect()
            };
            prop_assert!(text.contains(&"-nodefaults") && text.contains(&"-no-user-config") && text.contains(&"-S"));
            prop_assert_eq!(after("-sandbox").len(), 1);
            prop_assert!(after("-sandbox")[0].matches("=deny").count() == 4);
            prop_assert!(after("-smp").len() == 1 && after("-smp")[0].ends_with(",threads=1"));
            // Devices: these four and no others; no network, no monitor for people.
            prop_assert_eq!(after("-device").len(), 4);
            prop_assert!(!text.iter().any(|a| a.contains("net") || a.contains("vsock") || a.contains("virtfs") || a.starts_with("-monitor")));
            let is_ram = |o: &&str| o.contains("id=ram") || o.contains("\"id\":\"ram\"");
            let ram = after("-object").into_iter().find(is_ram);
            match &machine.start {
                QemuStart::Boot { .. } | QemuStart::Saved => prop_assert!(ram.is_some()),
                QemuStart::Clone => for wall in ["\"readonly\":true", "\"rom\":\"off\"", "\"share\":false"] {
                    prop_assert!(ram.unwrap().contains(wall));
                },
                QemuStart::StandBy => prop_assert!(ram.is_none() && text.contains(&"--preconfig")),
            }
            // No image of anyone's in one that stands by; every disk read-only.
            let disks = after("-blockdev");
            prop_assert_eq!(disks.len(), usize::from(machine.start != QemuStart::StandBy));
            prop_assert!(disks.iter().all(|disk| disk.matches("\"read-only\":true").count() == 2));
            prop_assert_eq!(text.contains(&"-kernel"), matches!(machine.start, QemuStart::Boot { .. }));
            // Paths are the jail's, never the host's.
            prop_assert!(!text.iter().any(|a| a.contains("/var") || a.contains("/proc") || a.contains("..")));
        }
    }
}
