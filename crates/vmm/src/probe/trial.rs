//! One run of the probe's guest in a child process with a deadline. The child is the only process of
//! this project that touches `/dev/kvm` before a probe said yes: KVM may hang, and then the child is
//! killed and the tool goes on.

use super::guest;
use super::verdict::{DEADLINE, Seen};
use kvm_bindings::{KVM_MAX_CPUID_ENTRIES, kvm_regs, kvm_userspace_memory_region};
use kvm_ioctls::{Kvm, VcpuExit, VcpuFd, VmFd};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitOptions};
use rustix::time::{ClockId, clock_gettime};
use std::fs::File;
use std::io::{Error, Read, Result, Write};
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};
use std::time::{Duration, Instant};

/// How long a killed child may take to end.
const KILL_DEADLINE: Duration = Duration::from_secs(1);

/// What the child tells takes some 300 bytes.
const MAX_REPORT_BYTES: usize = 4096;

#[derive(Clone, Copy)]
#[repr(align(4096))]
struct Page([u8; 4096]);

/// Runs the guest and says what was seen of it.
pub fn run() -> Seen {
    let mut memory = vec![Page([0; 4096]); guest::MEMORY_BYTES / size_of::<Page>()];
    let image = guest::image();
    for (page, part) in memory.iter_mut().zip(image.chunks(size_of::<Page>())) {
        page.0[..part.len()].copy_from_slice(part);
    }
    match in_child(move |out| report(&mut memory, out)) {
        Ok((report, true)) => Seen::parse(&report),
        Ok((report, false)) => Seen::parse(&report).too_late(),
        Err(e) => Seen::failed(format!("a process for the probe could not be made: {e}")),
    }
}

/// In the child: a line a step, or the one that says what failed.
fn report(memory: &mut [Page], mut out: File) {
    if let Err(failure) = steps(memory, &mut out) {
        let _ = writeln!(out, "failed {failure}");
    }
}

fn steps(memory: &mut [Page], out: &mut File) -> std::result::Result<(), String> {
    let failed = |what: &str| {
        let what = what.to_string();
        move |e: kvm_ioctls::Error| format!("{what}: {}", Error::from_raw_os_error(e.errno()))
    };
    let kvm = Kvm::new().map_err(failed("opening /dev/kvm"))?;
    let vm = kvm.create_vm().map_err(failed("KVM_CREATE_VM"))?;
    let mut cpu = machine(&kvm, &vm, memory).map_err(failed("making a virtual machine"))?;
    loop {
        match cpu.run().map_err(failed("KVM_RUN"))? {
            VcpuExit::IoOut(guest::STEP_PORT, &[number]) => {
                // CPU time, for a loaded host must not look like a slow KVM.
                let time = clock_gettime(ClockId::ThreadCPUTime);
                let micros = time.tv_sec * 1_000_000 + time.tv_nsec / 1000;
                let _ = writeln!(out, "step {number} {micros}");
                if usize::from(number) >= guest::STEPS.len() {
                    return Ok(());
                }
            }
            other => return Err(format!("KVM gave up on the guest: {other:?}")),
        }
    }
}

/// A PC's processor and RAM, about to run the image.
fn machine(
    kvm: &Kvm,
    vm: &VmFd,
    memory: &mut [Page],
) -> std::result::Result<VcpuFd, kvm_ioctls::Error> {
    // Intel's KVM needs three pages out of the guest's way: the last ones below its local APIC's 2 MiB.
    vm.set_tss_address(0xfffb_d000)?;
    vm.create_irq_chip()?;
    let ram = kvm_userspace_memory_region {
        slot: 0,
        flags: 0,
        guest_phys_addr: 0,
        memory_size: guest::MEMORY_BYTES as u64,
        userspace_addr: memory.as_mut_ptr() as u64,
    };
    // SAFETY: `memory` has this size, is page aligned and outlives the VM, which ends with the child.
    unsafe { vm.set_user_memory_region(ram)? };
    let cpu = vm.create_vcpu(0)?;
    cpu.set_cpuid2(&kvm.get_supported_cpuid(KVM_MAX_CPUID_ENTRIES)?)?;
    let mut special = cpu.get_sregs()?;
    (special.cs.base, special.cs.selector) = (0, 0);
    cpu.set_sregs(&special)?;
    cpu.set_regs(&kvm_regs {
        rip: 0,
        rflags: 2,
        ..kvm_regs::default()
    })?;
    Ok(cpu)
}

/// Runs `work` in a child and gives back what it wrote, and whether it ended before the deadline.
fn in_child(work: impl FnOnce(File)) -> Result<(String, bool)> {
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    let parent = rustix::process::getpid();
    // SAFETY: the child never returns from `child`; glibc keeps its allocator usable in it.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        child(work, writer, parent);
    }
    drop(writer);
    match Pid::from_raw(pid.max(0)) {
        Some(child) => watch(child, reader),
        None => Err(Error::last_os_error()),
    }
}

fn child(work: impl FnOnce(File), writer: OwnedFd, parent: Pid) -> ! {
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    if rustix::process::getppid() == Some(parent) {
        // First out of the way of the range below.
        let number = writer.into_raw_fd();
        // SAFETY: plain system calls; of the parent's descriptors only the pipe stays, as 3.
        let writer = unsafe {
            if number != 3 {
                libc::dup2(number, 3);
            }
            libc::syscall(libc::SYS_close_range, 4, libc::c_uint::MAX, 0);
            File::from_raw_fd(3)
        };
        // A panic must not unwind into the frames that belong to the parent.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(writer)));
    }
    // SAFETY: ends the child without the parent's destructors.
    unsafe { libc::_exit(0) }
}

/// Reads until the child ends or the deadline is there, then ends it.
fn watch(child: Pid, reader: OwnedFd) -> Result<(String, bool)> {
    let mut reader = File::from(reader);
    let mut report = Vec::new();
    let in_time = drain(&mut reader, DEADLINE, &mut report);
    // Our own child, not yet waited for: the number is still its own.
    let _ = rustix::process::kill_process(child, Signal::KILL);
    // Its end closes the pipe. One that hangs in the kernel is left to the kernel.
    if drain(&mut reader, KILL_DEADLINE, &mut report)? {
        rustix::process::waitpid(Some(child), WaitOptions::empty())?;
    }
    Ok((String::from_utf8_lossy(&report).into_owned(), in_time?))
}

/// Whether the pipe's other end closed in time.
fn drain(reader: &mut File, patience: Duration, report: &mut Vec<u8>) -> Result<bool> {
    let end = Instant::now() + patience;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).map_err(Error::other)?;
        match poll(&mut [PollFd::new(reader, PollFlags::IN)], Some(&left)) {
            Ok(0) => return Ok(false),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(e) => return Err(e.into()),
        }
        let mut buffer = [0; 512];
        match reader.read(&mut buffer)? {
            0 => return Ok(true),
            count if report.len() < MAX_REPORT_BYTES => report.extend(&buffer[..count]),
            _ => {}
        }
    }
}
