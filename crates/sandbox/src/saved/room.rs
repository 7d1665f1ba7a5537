//! How much saved VMs may hold of the disk. Who saves one takes room for all that it could need first: a VM that is stopped
//! and does not fit would be lost.

use super::SavedStore;
use super::error::{SavedError, io};
use crate::sandbox::Sandbox;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// MiB that the disk has left besides, at least: logs and images are on it, too.
const LEFT_MIB: u64 = 1024;

/// How much saved VMs may hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SavedBounds {
    /// Paused sandboxes and snapshots of one key at one time.
    pub of_key: usize,
    /// MiB of disk that those of all keys may have together.
    pub disk_mib: u64,
}

impl Default for SavedBounds {
    fn default() -> Self {
        SavedBounds {
            of_key: 32,
            disk_mib: 20 * 1024,
        }
    }
}

impl Sandbox {
    /// How much saved VMs may hold of the disk.
    pub fn saved_bounds(&self) -> &SavedBounds {
        &self.saved_bounds
    }
}

/// What is held and may be held; shared.
#[derive(Debug, Clone)]
pub struct Rooms {
    bounds: SavedBounds,
    held: Arc<Mutex<u64>>,
}

/// Bytes of the disk; given back when dropped.
#[derive(Debug)]
pub struct Room {
    held: Arc<Mutex<u64>>,
    bytes: u64,
}

fn lock(held: &Mutex<u64>) -> MutexGuard<'_, u64> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Rooms {
    /// None is held.
    pub fn new(bounds: SavedBounds) -> Rooms {
        Rooms {
            bounds,
            held: Arc::default(),
        }
    }

    /// The bounds.
    pub fn bounds(&self) -> &SavedBounds {
        &self.bounds
    }

    /// Room for a VM of this memory that is to be saved into this store, or why there is none.
    pub fn take(&self, store: &SavedStore, memory_mib: u32) -> Result<Room, SavedError> {
        let bytes = u64::from(memory_mib) << 20;
        let free = rustix::fs::statvfs(&store.root)
            .map_err(|errno| io("asking for the room on the disk of", &store.root)(errno.into()))?;
        let free_mib = free.f_bavail.saturating_mul(free.f_frsize) >> 20;
        if free_mib < u64::from(memory_mib) + LEFT_MIB {
            return Err(SavedError::NoRoom(format!(
                "the disk has {free_mib} MiB left; saving it takes up to {memory_mib}, and {LEFT_MIB} are to be left"
            )));
        }
        let mut held = lock(&self.held);
        if (*held + bytes) >> 20 > self.bounds.disk_mib {
            return Err(SavedError::NoRoom(format!(
                "paused sandboxes and snapshots have {} of the {} MiB that they may have together; it takes up to {memory_mib}",
                *held >> 20,
                self.bounds.disk_mib
            )));
        }
        *held += bytes;
        Ok(Room {
            held: self.held.clone(),
            bytes,
        })
    }

    /// The room of one that is there.
    pub fn occupied(&self, bytes: u64) -> Room {
        *lock(&self.held) += bytes;
        Room {
            held: self.held.clone(),
            bytes,
        }
    }
}

impl Room {
    /// Keeps so many bytes only: what it takes is known now.
    pub fn shrink(&mut self, bytes: u64) {
        let mut held = lock(&self.held);
        *held = held.saturating_sub(self.bytes) + bytes;
        self.bytes = bytes;
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut held = lock(&self.held);
        *held = held.saturating_sub(self.bytes);
    }
}
