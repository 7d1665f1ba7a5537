//! One uid a VM, from a range, over all tools that share a state folder.
//!
//! A slot is a file; having it is holding its lock. A crash gives the lock back with the process,
//! so nothing has to be repaired, and two tools cannot both have it.

use crate::error::{Step, VmmError};
use crate::state::StateDir;
use rustix::fs::{FlockOperation, flock};
use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::os::unix::fs::OpenOptionsExt;

/// A uid that is this VM's alone until this value is dropped.
#[derive(Debug)]
pub struct UidSlot {
    /// The uid, and the gid of the same number.
    pub uid: u32,
    /// Its lock; the jail's outermost process holds a copy, so that a tool that is killed
    /// does not give the uid away while its VM still dies.
    pub lock: File,
}

/// Takes a free uid of `base..base+count`.
pub fn take(state: &StateDir, base: u32, count: u32) -> Result<UidSlot, VmmError> {
    // From a random place on: neighbours do not fight for the lowest, and a uid that was just
    // given back rests for a while.
    let seed = RandomState::new().hash_one(std::process::id());
    for index in order(seed, count) {
        let path = state.slots().join(index.to_string());
        let io = |source| VmmError::Io {
            step: Step::Prepare,
            what: format!("taking the uid slot {}", path.display()),
            source,
        };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
            .open(&path)
            .map_err(io)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {
                return Ok(UidSlot {
                    uid: base + index,
                    lock: file,
                });
            }
            Err(rustix::io::Errno::WOULDBLOCK) => continue,
            Err(e) => return Err(io(e.into())),
        }
    }
    Err(VmmError::NoUid { base, count })
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
