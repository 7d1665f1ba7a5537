//! A clone becomes a machine of its own before anything of the job runs.

use crate::error::{AgentError, Step};
use nix::time::{ClockId, clock_settime};
use protocol::supervisor::Resume;
use std::fs::OpenOptions;
use std::os::fd::{AsRawFd, RawFd};

/// The file that every job sees as `/proc/sys/kernel/random/boot_id`: rewritten in place, so
/// that an interpreter waiting in its own mount namespace sees the new one too.
pub const BOOT_ID_FILE: &str = "/dev/boot_id";
/// Likewise, what a job sees as `/etc/hosts` and `/etc/hostname`.
pub const NAME_FILES: &[(&str, &str)] = &[
    ("/dev/hosts", "/etc/hosts"),
    ("/dev/hostname", "/etc/hostname"),
];

/// Bytes of entropy that one message may carry; the generator's own state has 32.
const MAX_ENTROPY_BYTES: usize = 512;

/// `struct rand_pool_info` with room for the largest message.
#[repr(C)]
struct RandPoolInfo {
    entropy_count: libc::c_int,
    buf_size: libc::c_int,
    buf: [u8; MAX_ENTROPY_BYTES],
}

// From <linux/random.h>: _IOW('R', 0x03, int[2]) and _IO('R', 0x07).
const RNDADDENTROPY: libc::c_ulong = 0x4008_5203;
const RNDRESEEDCRNG: libc::c_ulong = 0x5207;

/// Takes in the host's entropy first: names and clock are no secrets, keys are.
pub fn resume(request: &Resume) -> Result<(), AgentError> {
    reseed(&request.entropy.0)?;
    let nanos = request.unix_time_nanos;
    let now = nix::sys::time::TimeSpec::new(
        (nanos / 1_000_000_000) as i64,
        (nanos % 1_000_000_000) as i64,
    );
    clock_settime(ClockId::CLOCK_REALTIME, now).step(|| format!("set the clock to {nanos} ns"))?;
    nix::unistd::sethostname(&request.hostname)
        .step(|| format!("hostname {:?}", request.hostname))?;
    write_names(&request.hostname)?;
    write_boot_id(&request.boot_id)
}

/// What a machine is called that was not resumed yet.
const NO_NAME: &str = "localhost";
/// What is read as its boot's id until then.
const NO_BOOT_ID: &str = "00000000-0000-0000-0000-000000000000";

/// Puts in what stands there until the first [`resume`].
pub fn prepare() -> Result<(), AgentError> {
    write_names(NO_NAME)?;
    write_boot_id(NO_BOOT_ID)
}

/// Lets the machine's own name be looked up.
fn write_names(hostname: &str) -> Result<(), AgentError> {
    let hosts = format!("127.0.0.1 localhost\n::1 localhost\n127.0.1.1 {hostname}\n");
    for ((file, _), text) in NAME_FILES.iter().zip([hosts, format!("{hostname}\n")]) {
        std::fs::write(file, text).step(|| format!("write {file}"))?;
    }
    Ok(())
}

/// Sets what jobs read as the boot's id.
fn write_boot_id(id: &str) -> Result<(), AgentError> {
    std::fs::write(BOOT_ID_FILE, format!("{id}\n")).step(|| format!("write {BOOT_ID_FILE}"))
}

fn reseed(entropy: &[u8]) -> Result<(), AgentError> {
    let random = OpenOptions::new()
        .write(true)
        .open("/dev/random")
        .step(|| "open /dev/random")?;
    let mut info = RandPoolInfo {
        entropy_count: 0,
        buf_size: 0,
        buf: [0; MAX_ENTROPY_BYTES],
    };
    for chunk in entropy.chunks(MAX_ENTROPY_BYTES) {
        info.buf[..chunk.len()].copy_from_slice(chunk);
        // At most 512, so the casts keep their values.
        info.buf_size = chunk.len() as libc::c_int;
        info.entropy_count = info.buf_size * 8;
        ioctl(
            random.as_raw_fd(),
            RNDADDENTROPY,
            &raw const info as *mut libc::c_void,
        )
        .step(|| "RNDADDENTROPY")?;
    }
    // Adding alone is taken up some time later; this makes it now.
    ioctl(random.as_raw_fd(), RNDRESEEDCRNG, std::ptr::null_mut()).step(|| "RNDRESEEDCRNG")
}

fn ioctl(fd: RawFd, request: libc::c_ulong, argument: *mut libc::c_void) -> nix::Result<()> {
    // SAFETY: `argument` is null for a request without one, else points to a live
    // `RandPoolInfo`, of which the kernel reads `buf_size` bytes after the two numbers.
    let result = unsafe { libc::ioctl(fd, request, argument) };
    nix::errno::Errno::result(result).map(drop)
}
