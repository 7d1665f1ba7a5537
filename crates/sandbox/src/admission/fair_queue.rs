//! Who is next. Pure: no clock, no locks, no tasks; `T` is whatever a waiter is called with.
//!
//! ```text
//!            place free, nobody waits                 a place becomes free
//!  enter ───────────────────────────> runs   waits ────────────────────────> runs ──finish──> gone ──vacate──> place free
//!    │ key has its jobs ──> Full::Key           ^ │ abandon
//!    │ queue at its bound ──> Full::Queue       │ └────────> gone
//!    └──────────────────────────────────────────┘
//! ```
//!
//! A job is over when its client has its answer; its place is free once its VM is gone, too.
//!
//! Keys take turns: with a free place, the key whose turn it is sends its longest waiter, and goes
//! to the end. A key with a thousand jobs delays another key's single job by one job, not a thousand.
//! A key that has as many running as it may is passed over: where there are several keys, no one of
//! them can take all places for as long as its jobs may run ([`fair_share`]).

use std::collections::{HashMap, VecDeque};

/// Why somebody cannot even wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// The key has as many jobs as it may have.
    Key,
    /// As many wait as may wait.
    Queue,
}

/// What entering came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Entered {
    /// There is a place.
    Runs,
    /// It waits under this ticket.
    Waits(u64),
}

/// How many jobs a key may have at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyBounds {
    /// Running and waiting ones together.
    pub jobs: usize,
    /// Running ones; at least one may.
    pub running: usize,
}

impl KeyBounds {
    /// No bounds of its own, for where there is one key.
    pub const NONE: KeyBounds = KeyBounds {
        jobs: usize::MAX,
        running: usize::MAX,
    };
}

/// How many of all places (or sessions) one of so many keys may have: all, when it is the only one; else
/// all but a quarter, so that at least one is left to others where there are two or more.
pub fn fair_share(places: usize, keys: usize) -> usize {
    match keys {
        0 | 1 => places,
        _ => places.saturating_sub((places / 4).max(1)).max(1),
    }
}

/// One key's jobs.
#[derive(Debug)]
struct KeyLine<T> {
    /// Running and waiting ones together.
    jobs: usize,
    running: usize,
    /// As it was when the key's newest job came.
    running_bound: usize,
    waiters: VecDeque<(u64, T)>,
}

impl<T> KeyLine<T> {
    fn may_run(&self) -> bool {
        self.running < self.running_bound
    }
}

/// All places and everybody who waits for one.
#[derive(Debug)]
pub struct FairQueue<T> {
    places: usize,
    queue_bound: usize,
    running: usize,
    waiting: usize,
    next_ticket: u64,
    keys: HashMap<String, KeyLine<T>>,
    /// Keys with waiters, each once, in the order of their turns.
    turns: VecDeque<String>,
}

impl<T> FairQueue<T> {
    /// A queue for that many places and that many waiters.
    pub fn new(places: usize, queue_bound: usize) -> FairQueue<T> {
        FairQueue {
            places: places.max(1),
            queue_bound,
            running: 0,
            waiting: 0,
            next_ticket: 0,
            keys: HashMap::new(),
            turns: VecDeque::new(),
        }
    }

    /// Lets a job of this key in; `waiter` is kept when it has to wait.
    pub fn enter(&mut self, key: &str, bounds: KeyBounds, waiter: T) -> Result<Entered, Full> {
        let own = self.keys.get(key);
        let (jobs, running) = own.map_or((0, 0), |line| (line.jobs, line.running));
        let overtakes = own.is_some_and(|line| !line.waiters.is_empty());
        if jobs >= bounds.jobs {
            return Err(Full::Key);
        }
        let running_bound = bounds.running.max(1);
        // With a place free, whoever waits is of a key that has as many running as it may.
        let runs = self.running < self.places && running < running_bound && !overtakes;
        if !runs && self.waiting >= self.queue_bound {
            return Err(Full::Queue);
        }
        let line = self.keys.entry(key.to_owned()).or_insert_with(|| KeyLine {
            jobs: 0,
            running: 0,
            running_bound,
            waiters: VecDeque::new(),
        });
        line.jobs += 1;
        // Never less while some wait: a place might then be free for none of them.
        line.running_bound = running_bound.max(match line.waiters.is_empty() {
            true => 0,
            false => line.running_bound,
        });
        if runs {
            line.running += 1;
            self.running += 1;
            return Ok(Entered::Runs);
        }
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        if line.waiters.is_empty() {
            self.turns.push_back(key.to_owned());
        }
        line.waiters.push_back((ticket, waiter));
        self.waiting += 1;
        Ok(Entered::Waits(ticket))
    }

    /// A running job of this key is over, though its place is still held; the waiter that runs now, if the key's own
    /// bound was all that it waited for.
    pub fn finish(&mut self, key: &str) -> Option<T> {
        if let Some(line) = self.keys.get_mut(key) {
            line.running = line.running.saturating_sub(1);
        }
        self.forget(key);
        self.call_next()
    }

    /// A place is free; the waiter that has it now, if somebody waited.
    pub fn vacate(&mut self) -> Option<T> {
        self.running = self.running.saturating_sub(1);
        self.call_next()
    }

    /// A waiter goes away; `false`: it was called already and runs.
    pub fn abandon(&mut self, key: &str, ticket: u64) -> bool {
        let Some(line) = self.keys.get_mut(key) else {
            return false;
        };
        let Some(at) = line.waiters.iter().position(|(own, _)| *own == ticket) else {
            return false;
        };
        line.waiters.remove(at);
        if line.waiters.is_empty() {
            self.turns.retain(|other| other != key);
        }
        self.waiting -= 1;
        self.forget(key);
        true
    }

    /// So many places and waiters from now on; the waiters that run now. Who runs already runs on.
    pub fn resize(&mut self, places: usize, queue_bound: usize) -> Vec<T> {
        self.places = places.max(1);
        self.queue_bound = queue_bound;
        std::iter::from_fn(|| self.call_next()).collect()
    }

    /// Places that are held, and jobs that wait.
    pub fn load(&self) -> (usize, usize) {
        (self.running, self.waiting)
    }

    fn call_next(&mut self) -> Option<T> {
        if self.running >= self.places {
            return None;
        }
        let may_run = |key: &String| self.keys.get(key).is_some_and(KeyLine::may_run);
        let next = self.turns.iter().position(may_run)?;
        let key = self.turns.remove(next)?;
        let line = self.keys.get_mut(&key)?;
        let (_, waiter) = line.waiters.pop_front()?;
        line.running += 1;
        if !line.waiters.is_empty() {
            self.turns.push_back(key);
        }
        self.waiting -= 1;
        self.running += 1;
        Some(waiter)
    }

    fn forget(&mut self, key: &str) {
        if let Some(line) = self.keys.get_mut(key) {
            line.jobs -= 1;
            if line.jobs == 0 {
                self.keys.remove(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_key_with_many_jobs_delays_another_by_one() {
        let mut queue = FairQueue::new(1, 100);
        let bounds = bounds(99, 99);
        assert_eq!(queue.enter("greedy", bounds, 0), Ok(Entered::Runs));
        for n in 1..=50 {
            queue.enter("greedy", bounds, n).unwrap();
        }
        queue.enter("modest", bounds, 1000).unwrap();
        assert_eq!(leave(&mut queue, "greedy"), Some(1));
        assert_eq!(leave(&mut queue, "greedy"), Some(1000));
        assert_eq!(leave(&mut queue, "modest"), Some(2));
    }

    /// A job of this key is over, and its VM gone.
    fn leave<T>(queue: &mut FairQueue<T>, key: &str) -> Option<T> {
        let called = queue.finish(key);
        called.or(queue.vacate())
    }

    #[test]
    fn a_job_that_is_over_counts_for_its_key_no_more_and_holds_its_place() {
        let mut queue = FairQueue::new(1, 100);
        assert_eq!(queue.enter("a", bounds(1, 1), 0), Ok(Entered::Runs));
        assert_eq!(queue.enter("a", bounds(1, 1), 1), Err(Full::Key));
        assert_eq!(queue.finish("a"), None);
        assert_eq!(queue.enter("a", bounds(1, 1), 2), Ok(Entered::Waits(0)));
        assert_eq!(queue.vacate(), Some(2));
        assert_eq!(queue.load(), (1, 0));
    }

    #[test]
    fn more_places_call_those_who_wait_and_fewer_end_nobody() {
        let mut queue = FairQueue::new(1, 3);
        for n in 0..4 {
            queue.enter("a", bounds(9, 9), n).unwrap();
        }
        assert_eq!(queue.resize(3, 3), [1, 2]);
        assert!(queue.resize(1, 0).is_empty());
        assert_eq!(queue.load(), (3, 1));
        assert_eq!(queue.enter("a", bounds(9, 9), 4), Err(Full::Queue));
        assert_eq!(queue.vacate(), None);
    }

    fn bounds(jobs: usize, running: usize) -> KeyBounds {
        KeyBounds { jobs, running }
    }

    #[test]
    fn a_key_whose_jobs_run_long_leaves_a_place_to_another() {
        let mut queue = FairQueue::new(4, 100);
        let bounds = bounds(99, fair_share(4, 2));
        for n in 0..3 {
            assert_eq!(queue.enter("greedy", bounds, n), Ok(Entered::Runs));
        }
        assert_eq!(queue.enter("greedy", bounds, 3), Ok(Entered::Waits(0)));
        // At once, though somebody waits.
        assert_eq!(queue.enter("modest", bounds, 4), Ok(Entered::Runs));
        assert_eq!(leave(&mut queue, "modest"), None);
        assert_eq!(leave(&mut queue, "greedy"), Some(3));
        assert_eq!(queue.load(), (3, 0));
    }

    #[test]
    fn a_share_is_all_for_one_key_and_leaves_some_for_others() {
        assert_eq!(fair_share(8, 1), 8);
        for places in 1..100 {
            let share = fair_share(places, 2);
            assert!(share >= 1 && (share < places || places == 1), "{places}");
            assert!(share >= places / 2);
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Enter(u8),
        Finish(prop::sample::Index),
        Vacate,
        Abandon(prop::sample::Index),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => (0u8..4).prop_map(Step::Enter),
            3 => any::<prop::sample::Index>().prop_map(Step::Finish),
            3 => Just(Step::Vacate),
            1 => any::<prop::sample::Index>().prop_map(Step::Abandon),
        ];
        proptest::collection::vec(step, 1..400)
    }

    proptest! {
        #[test]
        fn bounds_hold_and_nobody_is_lost(
            steps in steps(), places in 1usize..5, bound in 0usize..12, key_bound in 1usize..9,
            share in 1usize..5,
        ) {
            let mut queue = FairQueue::new(places, bound);
            let mut running: Vec<(String, u64)> = Vec::new();
            let mut waiting: Vec<(String, u64, u64)> = Vec::new();
            let mut ever = BTreeSet::new();
            // Places whose jobs are over.
            let mut held = 0usize;
            let mut gone = 0usize;
            for (name, step) in steps.into_iter().enumerate() {
                let name = name as u64;
                match step {
                    Step::Enter(key) => {
                        let key = key.to_string();
                        let own = running.iter().filter(|(k, _)| *k == key).count()
                            + waiting.iter().filter(|(k, ..)| *k == key).count();
                        match queue.enter(&key, bounds(key_bound, share), name) {
                            Ok(Entered::Runs) => { running.push((key, name)); ever.insert(name); }
                            Ok(Entered::Waits(ticket)) => { waiting.push((key, name, ticket)); ever.insert(name); }
                            Err(Full::Key) => prop_assert!(own >= key_bound),
                            Err(Full::Queue) => prop_assert_eq!(waiting.len(), bound),
                        }
                    }
                    Step::Finish(_) | Step::Vacate => {
                        let called = match step {
                            Step::Finish(index) if !running.is_empty() => {
                                let (key, _) = running.remove(index.index(running.len()));
                                gone += 1;
                                held += 1;
                                queue.finish(&key)
                            }
                            Step::Vacate if held > 0 => {
                                held -= 1;
                                queue.vacate()
                            }
                            _ => None,
                        };
                        if let Some(called) = called {
                            let at = waiting.iter().position(|(_, name, _)| *name == called).unwrap();
                            let (key, name, _) = waiting.remove(at);
                            // Nobody of the same key waited longer.
                            prop_assert!(waiting.iter().all(|(k, n, _)| *k != key || *n > name));
                            running.push((key, name));
                        }
                    }
                    Step::Abandon(index) if !waiting.is_empty() => {
                        let (key, _, ticket) = waiting.remove(index.index(waiting.len()));
                        prop_assert!(queue.abandon(&key, ticket));
                        prop_assert!(!queue.abandon(&key, ticket));
                        gone += 1;
                    }
                    _ => {}
                }
                prop_assert_eq!(queue.load(), (running.len() + held, waiting.len()));
                prop_assert!(running.len() + held <= places && waiting.len() <= bound);
                let runs = |key: &String| running.iter().filter(|(own, _)| own == key).count();
                prop_assert!(running.iter().all(|(key, _)| runs(key) <= share));
                // No place is empty while somebody waits who may have it.
                let may = |(key, ..): &(String, u64, u64)| runs(key) < share;
                prop_assert!(running.len() + held == places || !waiting.iter().any(may));
                prop_assert_eq!(ever.len(), running.len() + waiting.len() + gone);
            }
        }
    }
}
