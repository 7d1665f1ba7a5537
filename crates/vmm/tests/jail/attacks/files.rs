//! Files, and what is open already.

use super::{Attack, OPENING, Refused, SYS, Succeeds, Targets};
use super::{attack, call, ends, every, uml, unproven};
use std::fs::{self, File, OpenOptions};
use std::io::{Error, Result, Seek, SeekFrom, Write};
use vmm::uml::args::at;

pub const ROWS: &[Attack] = &[
    attack("host-file", OPENING, |_| {
        File::open("/etc/passwd").map(drop)
    }),
    attack("host-file-by-dots", OPENING, |_| {
        File::open("../../../../../../../../etc/passwd").map(drop)
    }),
    attack("proc-of-others", OPENING, |t| {
        File::open(format!("/proc/{}/environ", t.pid())).map(drop)
    }),
    attack("proc-of-self", OPENING, |_| {
        File::open("/proc/self/mem").map(drop)
    }),
    attack("other-vms-memory", OPENING, |t| {
        File::open(t.get("ram")).map(drop)
    }),
    unproven("write-root", OPENING, |_| fs::write("/new", "x")),
    unproven("write-own-program", OPENING, |_| {
        let program = std::env::args().next().unwrap();
        OpenOptions::new().write(true).open(program).map(drop)
    }),
    unproven("kvm", OPENING, |_| File::open("/dev/kvm").map(drop)),
    attack("device-node", every(SYS), |_| {
        let path = c"/tmp/llm-firecracker-test-node";
        call(
            libc::SYS_mknod,
            [path.as_ptr() as i64, libc::S_IFCHR as i64, 0x103, 0, 0],
        )?;
        fs::remove_file("/tmp/llm-firecracker-test-node")
    }),
    attack("descriptors-of-the-host", every(Refused), |t| {
        let own = t.own_descriptors();
        let is_open = |fd: &i32| {
            call(
                libc::SYS_fcntl,
                [i64::from(*fd), libc::F_GETFD as i64, 0, 0, 0],
            )
            .is_ok()
        };
        match (3..4096).filter(|fd| !own.contains(fd)).find(is_open) {
            Some(_) => Ok(()),
            None => Err(Error::from_raw_os_error(libc::EBADF)),
        }
    }),
    // What it was booted from: open where it is needed, and never opened again.
    unproven("own-kernel", uml(Succeeds, SYS), |_| {
        File::open(at::KERNEL).map(drop)
    }),
    unproven("own-initramfs", uml(Succeeds, SYS), |_| {
        File::open(at::INITRAMFS).map(drop)
    }),
    unproven("own-disk", uml(Succeeds, SYS), |_| {
        File::open(at::ROOTFS).map(drop)
    }),
    unproven("write-own-disk", uml(Refused, SYS), |_| {
        OpenOptions::new().write(true).open(at::ROOTFS).map(drop)
    }),
    unproven("new-file", uml(Succeeds, SYS), |_| {
        File::create(format!("{}/new", at::SCRATCH)).map(drop)
    }),
    // QEMU may not grow any. The limit's signal does not end process 1 of a namespace; the write fails.
    attack("fill-memory-file", ends(Refused, Succeeds, SYS), |_| {
        let file = rustix::fs::memfd_create("fill", rustix::fs::MemfdFlags::CLOEXEC)?;
        File::from(file).write_all(b"more than nothing")
    }),
    unproven("fill-scratch", uml(Refused, SYS), fill_scratch),
    unproven("grow-guest-memory", uml(Refused, Refused), |t| {
        let mut ram = t.ram()?;
        ram.seek(SeekFrom::Start(t.scratch_bytes()))?;
        ram.write_all(b"beyond")
    }),
];

/// Small files, so that it is the file system's size that ends it and not a file's.
fn fill_scratch(t: &Targets) -> Result<()> {
    const MIB: u64 = 1 << 20;
    let chunk = vec![1; MIB as usize];
    for number in 0..=t.scratch_bytes() / MIB {
        File::create(format!("{}/{number}", at::SCRATCH))?.write_all(&chunk)?;
    }
    Ok(())
}
