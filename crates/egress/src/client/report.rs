//! What came of a session: bounded, whatever its guest tries.

use crate::control::Place;
use crate::reason::Reason;

/// Kinds of refusals that are told apart; what is over is only counted.
pub const MAX_DENIED_KINDS: usize = 64;

/// Refusals that have place and reason in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedKind {
    /// Where to.
    pub place: Place,
    /// Why.
    pub reason: Reason,
    /// How often.
    pub count: u64,
}

/// What came of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Connections that were allowed.
    pub connections: u64,
    /// Bytes to the outside, of connections that are over.
    pub sent_bytes: u64,
    /// Bytes from there, of connections that are over.
    pub received_bytes: u64,
    /// Refusals, in the order of their first.
    pub denied: Vec<DeniedKind>,
    /// Refusals of more kinds than are kept.
    pub denied_others: u64,
}

impl Report {
    /// Counts a refusal; whether it is the first of its kind.
    pub fn refused(&mut self, place: &Place, reason: Reason) -> bool {
        let same = |kind: &&mut DeniedKind| kind.reason == reason && kind.place == *place;
        if let Some(kind) = self.denied.iter_mut().find(same) {
            kind.count += 1;
            return false;
        }
        if self.denied.len() >= MAX_DENIED_KINDS {
            self.denied_others += 1;
            return false;
        }
        self.denied.push(DeniedKind {
            place: place.clone(),
            reason,
            count: 1,
        });
        true
    }

    /// All refusals.
    pub fn refusals(&self) -> u64 {
        self.denied.iter().map(|kind| kind.count).sum::<u64>() + self.denied_others
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_counted_by_kind_and_bounded() {
        let mut report = Report::default();
        for n in 0..2 * MAX_DENIED_KINDS {
            let place = Place {
                host: format!("h{n}.example"),
                port: 443,
            };
            let is_new = report.refused(&place, Reason::HostNotListed);
            assert_eq!(is_new, n < MAX_DENIED_KINDS);
            assert!(!report.refused(&place, Reason::HostNotListed));
        }
        assert_eq!(report.denied.len(), MAX_DENIED_KINDS);
        assert_eq!(report.refusals(), 4 * MAX_DENIED_KINDS as u64);
        assert_eq!(report.denied[0].count, 2);
    }
}
