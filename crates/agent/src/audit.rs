//! Which system call a filter killed the job for, from the kernel's own log.
//!
//! The wait status says SIGSYS and no more. The kernel logs `type=1326 … syscall=NNN` a moment
//! later, through a thread of its own; a line that does not come leaves the number unknown.

use nix::poll::{PollFd, PollFlags, poll};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

/// How long the line may take.
const DEADLINE: Duration = Duration::from_millis(300);
/// Longer than any record of the log.
const RECORD_BYTES: usize = 8192;

/// The log from now on.
pub struct KernelLog(Option<File>);

impl KernelLog {
    /// Remembers where the log stands.
    pub fn follow() -> KernelLog {
        let log = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open("/dev/kmsg");
        KernelLog(
            log.ok()
                .and_then(|mut log| log.seek(SeekFrom::End(0)).is_ok().then_some(log)),
        )
    }

    /// The call that a filter ended a process for since then, if the kernel tells in time.
    pub fn forbidden_call(&mut self) -> Option<i64> {
        let log = self.0.as_mut()?;
        let deadline = Instant::now() + DEADLINE;
        let mut record = [0u8; RECORD_BYTES];
        loop {
            match log.read(&mut record) {
                Ok(0) => return None,
                Ok(length) => {
                    let call = seccomp_call(&String::from_utf8_lossy(&record[..length]));
                    if call.is_some() {
                        return call;
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return None;
                    }
                    let millis = left.as_millis() as u16 + 1;
                    poll(&mut [PollFd::new(log.as_fd(), PollFlags::POLLIN)], millis).ok()?;
                }
                // EPIPE: records were overwritten, reading goes on with the oldest left.
                Err(error) if error.raw_os_error() == Some(libc::EPIPE) => {}
                Err(_) => return None,
            }
        }
    }
}

/// The number in a record about seccomp.
fn seccomp_call(record: &str) -> Option<i64> {
    let record = &record[record.find("type=1326")?..];
    let mut words = record.split_ascii_whitespace();
    words.find_map(|word| word.strip_prefix("syscall=")?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_read_from_the_kernels_record() {
        let record = "5,340,9042,-;audit: type=1326 audit(1700000000.1:2): auid=4294967295 uid=10000 \
                      gid=10000 ses=4294967295 pid=70 comm=\"python3\" exe=\"/usr/bin/python3.11\" sig=31 \
                      arch=c000003e syscall=165 compat=0 ip=0x7f code=0x80000000\n";
        assert_eq!(seccomp_call(record), Some(165));
        assert_eq!(seccomp_call("6,1,2,-;virtio_blk virtio1: syscall=3"), None);
    }
}
