//! Which shelf gets the next VM, and when. Pure: no clock but the one that it is handed, no VMs.
//!
//! A language whose VMs cannot be made rests, longer after each failure, and the others are filled
//! meanwhile: its image may be damaged while theirs are not.

use crate::lease::AFTER_FAILURE;
use protocol::language::Language;
use std::time::Duration;
use tokio::time::Instant;

/// The longest rest: a mended image counts within it.
const LONGEST_REST: Duration = Duration::from_secs(5 * 60);

/// What a shelf has and wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Want {
    pub(super) language: Language,
    pub(super) ready: usize,
    /// How many should wait.
    pub(super) target: usize,
    /// No VM is made for it before this.
    pub(super) rests_until: Option<Instant>,
}

/// What the refill does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Make a VM of this language.
    Make(Language),
    /// Nothing before this time, unless a VM is taken.
    Rest(Instant),
    /// Nothing, until a VM is taken.
    Idle,
}

/// The emptiest shelf that does not rest, measured against what it should hold.
pub(super) fn next(wants: &[Want], now: Instant) -> Next {
    let lacking = || wants.iter().filter(|want| want.ready < want.target);
    let due = lacking().filter(|want| want.rests_until.is_none_or(|until| until <= now));
    if let Some(want) = due.min_by_key(|want| want.ready * 1000 / want.target.max(1)) {
        return Next::Make(want.language);
    }
    match lacking().filter_map(|want| want.rests_until).min() {
        Some(until) => Next::Rest(until),
        None => Next::Idle,
    }
}

/// How long a language rests after so many failures in a row, from 1.
pub(super) fn rest_after(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    (AFTER_FAILURE * (1 << doublings)).min(LONGEST_REST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use protocol::language::{all, named};

    fn want(language: Language, ready: usize, rests: Option<Instant>) -> Want {
        Want {
            language,
            ready,
            target: 2,
            rests_until: rests,
        }
    }

    #[test]
    fn a_language_that_cannot_be_made_does_not_starve_the_others() {
        let now = Instant::now();
        let rests = now + rest_after(1);
        let broken = want(named("python"), 0, Some(rests));
        let other = want(named("bash"), 1, None);
        assert_eq!(next(&[broken, other], now), Next::Make(named("bash")));
        let full = want(named("bash"), 2, None);
        assert_eq!(next(&[broken, full], now), Next::Rest(rests));
        assert_eq!(next(&[broken, full], rests), Next::Make(named("python")));
        assert_eq!(next(&[full], now), Next::Idle);
    }

    #[test]
    fn rests_grow_to_a_bound() {
        assert_eq!(rest_after(1), AFTER_FAILURE);
        assert_eq!(rest_after(2), AFTER_FAILURE * 2);
        assert_eq!(rest_after(u32::MAX), LONGEST_REST);
    }

    proptest! {
        #[test]
        fn what_is_made_lacks_and_rests_no_more_and_nothing_such_is_passed_over(
            shelves in proptest::collection::vec((0usize..4, 0usize..4, proptest::option::of(0u64..10)), 0..5),
            at in 0u64..10,
        ) {
            let zero = Instant::now();
            let after = |seconds| zero + Duration::from_secs(seconds);
            let wants: Vec<Want> = all()
                .zip(shelves)
                .map(|(language, (ready, target, rests))| Want {
                    language, ready, target, rests_until: rests.map(after),
                })
                .collect();
            let now = after(at);
            let may = |want: &&Want| want.ready < want.target && want.rests_until.is_none_or(|until| until <= now);
            match next(&wants, now) {
                Next::Make(language) => prop_assert!(wants.iter().filter(may).any(|want| want.language == language)),
                Next::Rest(until) => {
                    prop_assert!(until > now && wants.iter().all(|want| !may(&want)));
                }
                Next::Idle => prop_assert!(wants.iter().all(|want| want.ready >= want.target)),
            }
        }
    }
}
