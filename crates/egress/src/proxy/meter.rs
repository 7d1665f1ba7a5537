//! Bytes of a connection and of its session, within the policy's budget.

use crate::decide::Used;
use crate::reason::Reason;
use std::cell::Cell;
use std::rc::Rc;

/// What all connections of a session moved together, and how much that may be.
#[derive(Debug)]
pub struct Budget {
    max_bytes: u64,
    used: Cell<Used>,
}

impl Budget {
    /// Of which nothing is used.
    pub fn new(max_bytes: u64) -> Budget {
        Budget {
            max_bytes,
            used: Cell::default(),
        }
    }

    /// What is used.
    pub fn used(&self) -> Used {
        self.used.get()
    }

    /// One more connection was made.
    pub fn connected(&self) {
        let used = self.used.get();
        self.used.set(Used {
            connections: used.connections + 1,
            ..used
        });
    }

    /// One more is open.
    pub fn opened(&self) {
        let used = self.used.get();
        self.used.set(Used {
            open: used.open + 1,
            ..used
        });
    }

    /// One is open no more.
    pub fn closed(&self) {
        let used = self.used.get();
        self.used.set(Used {
            open: used.open.saturating_sub(1),
            ..used
        });
    }

    /// So many more bytes, in either direction.
    fn bytes(&self, count: u64) -> Result<(), Reason> {
        let used = self.used.get();
        let bytes = used.bytes.saturating_add(count);
        self.used.set(Used { bytes, ..used });
        match bytes <= self.max_bytes {
            true => Ok(()),
            false => Err(Reason::ByteBudget),
        }
    }
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To the outside.
    Sent,
    /// From there.
    Received,
}

/// One connection's.
#[derive(Debug, Clone)]
pub struct Meter(Rc<Counts>);

#[derive(Debug)]
struct Counts {
    budget: Rc<Budget>,
    sent: Cell<u64>,
    received: Cell<u64>,
}

impl Meter {
    /// Of a connection within this budget.
    pub fn new(budget: Rc<Budget>) -> Meter {
        Meter(Rc::new(Counts {
            budget,
            sent: Cell::new(0),
            received: Cell::new(0),
        }))
    }

    /// Counts bytes before they go on.
    pub fn count(&self, way: Way, count: usize) -> Result<(), Reason> {
        let count = count as u64;
        self.0.budget.bytes(count)?;
        let of = match way {
            Way::Sent => &self.0.sent,
            Way::Received => &self.0.received,
        };
        of.set(of.get() + count);
        Ok(())
    }

    /// Sent and received.
    pub fn totals(&self) -> (u64, u64) {
        (self.0.sent.get(), self.0.received.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_shared_and_ends() {
        let budget = Rc::new(Budget::new(10));
        let (one, other) = (Meter::new(budget.clone()), Meter::new(budget.clone()));
        assert_eq!(one.count(Way::Sent, 6), Ok(()));
        assert_eq!(other.count(Way::Received, 4), Ok(()));
        assert_eq!(other.count(Way::Received, 1), Err(Reason::ByteBudget));
        assert_eq!(one.totals(), (6, 0));
        budget.connected();
        budget.opened();
        budget.closed();
        let used = Used {
            connections: 1,
            open: 0,
            bytes: 11,
        };
        assert_eq!(budget.used(), used);
    }
}
