//! One uid a VM, from a range, over all tools that share a state folder.
//!
//! A slot is one byte of one file; having it is holding the lock on that byte, through an open file
//! description of its own (`F_OFD_SETLK`, fcntl(2)). A crash gives the lock back with the process, so
//! nothing has to be repaired, no file is left a VM, and two tools cannot both have it.

use crate::error::{Step, VmmError};
use crate::state::{StateDir, lock_file};
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::os::fd::AsRawFd;

/// A uid that is this VM's alone until this value is dropped.
#[derive(Debug)]
pub struct UidSlot {
    /// The uid, and the gid of the same number.
    pub uid: u32,
    /// Its lock. No QEMU's jail holds a copy: bubblewrap would hand it on to the VMM, which could then
    /// give its uid away, or take all others.
    pub lock: File,
}

/// Takes a free uid of `base..base+count`.
pub fn take(state: &StateDir, base: u32, count: u32) -> Result<UidSlot, VmmError> {
    let path = state.slots();
    let io = |source| VmmError::Io {
        step: Step::Prepare,
        what: format!("taking a uid slot of {}", path.display()),
        source,
    };
    let lock = lock_file(&path).map_err(io)?;
    // From a random place on: neighbours do not fight for the lowest, and a uid that was just
    // given back rests for a while.
    let seed = RandomState::new().hash_one(std::process::id());
    for index in order(seed, count) {
        if lock_byte(&lock, index).map_err(io)? {
            return Ok(UidSlot {
                uid: base + index,
                lock,
            });
        }
    }
    Err(VmmError::NoUid { base, count })
}

/// Locks one byte for this open file; says whether it was free.
fn lock_byte(file: &File, index: u32) -> std::io::Result<bool> {
    let range = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: i64::from(index),
        l_len: 1,
        // Must be 0 for an open file description's lock (fcntl(2)).
        l_pid: 0,
    };
    // SAFETY: the descriptor is open and `range` lives until the call returns.
    match unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &range) } {
        0 => Ok(true),
        _ => match std::io::Error::last_os_error() {
            error if matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EACCES)) => Ok(false),
            error => Err(error),
        },
    }
}

/// Every index below `count` once, starting anywhere.
fn order(seed: u64, count: u32) -> impl Iterator<Item = u32> {
    let start = seed.checked_rem(u64::from(count)).unwrap_or(0) as u32;
    (0..count).map(move |i| ((u64::from(start) + u64::from(i)) % u64::from(count.max(1))) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn state() -> (tempfile::TempDir, StateDir) {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(&dir.path().join("s")).unwrap();
        (dir, state)
    }

    #[test]
    fn all_uids_are_given_once_and_then_none() {
        let (_dir, state) = state();
        let slots: Vec<_> = (0..8).map(|_| take(&state, 10_000, 8).unwrap()).collect();
        let uids: BTreeSet<_> = slots.iter().map(|s| s.uid).collect();
        assert_eq!(uids, (10_000..10_008).collect());
        assert!(matches!(
            take(&state, 10_000, 8),
            Err(VmmError::NoUid { .. })
        ));
        drop(slots);
        assert!(take(&state, 10_000, 8).is_ok());
    }

    #[test]
    fn many_threads_never_share_one() {
        let (_dir, state) = state();
        let got: Vec<UidSlot> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        (0..8)
                            .map(|_| take(&state, 1, 64).unwrap())
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            threads
                .into_iter()
                .flat_map(|t| t.join().unwrap())
                .collect()
        });
        assert_eq!(got.iter().map(|s| s.uid).collect::<BTreeSet<_>>().len(), 64);
    }

    proptest! {
        #[test]
        fn the_order_is_a_permutation(seed: u64, count in 0u32..300) {
            let seen: BTreeSet<u32> = order(seed, count).collect();
            prop_assert_eq!(seen, (0..count).collect::<BTreeSet<_>>());
        }
    }
}
