//! The connections that are open, and which of them has to go when there is one too many.
//!
//! A connection is at work from a request's header until its answer's last byte is with the kernel; else it is idle. When
//! the bound is reached, the one that is idle longest makes room: ten thousand connections that say
//! nothing (or a byte a minute) push each other out, not a client that asks something.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// What is known of one connection.
#[derive(Debug)]
struct Known {
    stop: CancellationToken,
    /// Requests under way.
    at_work: usize,
    /// Its key in `idle`, while it is idle.
    idle_since: Option<u64>,
}

#[derive(Debug, Default)]
struct Table {
    by_id: HashMap<u64, Known>,
    /// Idle connections, longest first: a clock that ticks once for each change.
    idle: BTreeMap<u64, u64>,
    clock: u64,
}

/// All open connections.
#[derive(Debug)]
pub struct Connections {
    // Held for a few map operations, never over an await.
    table: Mutex<Table>,
    bound: usize,
}

/// One open connection; closed when dropped.
#[derive(Debug)]
pub struct Connection {
    connections: Arc<Connections>,
    id: u64,
    /// Cancelled when it has to make room.
    pub stop: CancellationToken,
}

/// A request under way.
#[derive(Debug)]
pub struct AtWork {
    connections: Arc<Connections>,
    id: u64,
}

/// What a new connection meant for the others.
#[derive(Debug, PartialEq, Eq)]
pub enum Room {
    /// There was room.
    Free,
    /// An idle one had to go.
    Evicted,
}

impl Connections {
    /// A table for that many connections.
    pub fn new(bound: usize) -> Arc<Connections> {
        Arc::new(Connections {
            table: Mutex::default(),
            bound: bound.max(1),
        })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a connection in; `None`: all are at work.
    pub fn open(self: &Arc<Self>) -> Option<(Connection, Room)> {
        let mut table = self.table();
        let room = match table.by_id.len() < self.bound {
            true => Room::Free,
            false => table.evict()?,
        };
        let stop = CancellationToken::new();
        table.clock += 1;
        let id = table.clock;
        table.idle.insert(id, id);
        let known = Known {
            stop: stop.clone(),
            at_work: 0,
            idle_since: Some(id),
        };
        table.by_id.insert(id, known);
        let connection = Connection {
            connections: self.clone(),
            id,
            stop,
        };
        Some((connection, room))
    }

    /// How many are open.
    pub fn count(&self) -> usize {
        self.table().by_id.len()
    }
}

impl Table {
    fn evict(&mut self) -> Option<Room> {
        let (_, id) = self.idle.pop_first()?;
        if let Some(known) = self.by_id.remove(&id) {
            known.stop.cancel();
        }
        Some(Room::Evicted)
    }

    fn change(&mut self, id: u64, change: impl FnOnce(&mut usize)) {
        self.clock += 1;
        let Some(known) = self.by_id.get_mut(&id) else {
            return;
        };
        change(&mut known.at_work);
        let idle = known.at_work == 0;
        if let Some(since) = known.idle_since.take() {
            self.idle.remove(&since);
        }
        if idle {
            known.idle_since = Some(self.clock);
            self.idle.insert(self.clock, id);
        }
    }
}

impl Connection {
    /// Notes a request; the connection is at work until what this gives is dropped.
    pub fn at_work(&self) -> AtWork {
        self.connections.table().change(self.id, |n| *n += 1);
        AtWork {
            connections: self.connections.clone(),
            id: self.id,
        }
    }

    /// Whether a request is under way.
    pub fn is_at_work(&self) -> bool {
        let table = self.connections.table();
        table
            .by_id
            .get(&self.id)
            .is_some_and(|known| known.at_work > 0)
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        let less = |n: &mut usize| *n = n.saturating_sub(1);
        self.connections.table().change(self.id, less);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut table = self.connections.table();
        if let Some(known) = table.by_id.remove(&self.id)
            && let Some(since) = known.idle_since
        {
            table.idle.remove(&since);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_longest_idle_makes_room_and_one_at_work_never() {
        let connections = Connections::new(2);
        let (first, _) = connections.open().unwrap();
        let (second, _) = connections.open().unwrap();
        let working = first.at_work();
        assert!(first.is_at_work() && !second.is_at_work());
        let (third, room) = connections.open().unwrap();
        assert_eq!(room, Room::Evicted);
        assert!(second.stop.is_cancelled() && !first.stop.is_cancelled());
        let _also = third.at_work();
        assert!(connections.open().is_none());
        drop(working);
        assert!(connections.open().is_some());
        assert!(first.stop.is_cancelled());
    }

    proptest! {
        #[test]
        fn never_more_than_the_bound_and_all_is_given_back(steps in proptest::collection::vec(0u8..4, 0..200), bound in 1usize..6) {
            let connections = Connections::new(bound);
            let mut open = Vec::new();
            let mut working = Vec::new();
            for (n, step) in steps.into_iter().enumerate() {
                match step {
                    0 | 1 => if let Some((connection, _)) = connections.open() { open.push(connection); },
                    2 if !open.is_empty() => working.push(open[n % open.len()].at_work()),
                    3 if !working.is_empty() => { working.swap_remove(n % working.len()); }
                    _ => if !open.is_empty() { open.swap_remove(n % open.len()); },
                }
                prop_assert!(connections.count() <= bound);
            }
            drop((open, working));
            prop_assert_eq!(connections.count(), 0);
            prop_assert!(connections.table().idle.is_empty());
        }
    }
}
