//! Places, memory and the queue, one caller at a time.

use super::fair_queue::KeyBounds;
use super::*;
use proptest::prelude::*;
use std::time::Duration;

fn admission(running: usize, queued: usize, memory_mib: u64) -> Arc<Admission> {
    Admission::new(Bounds {
        running,
        queued,
        memory_mib,
    })
}

fn jobs(jobs: usize) -> KeyBounds {
    KeyBounds {
        jobs,
        ..KeyBounds::NONE
    }
}

/// The way of a job, from the queue to its memory.
async fn run(admission: &Arc<Admission>, memory_mib: u32) -> Result<Permit, NotAdmitted> {
    let mut ticket = admission.enter("a", KeyBounds::NONE)?;
    admission.admit(ticket.place().await?, memory_mib).await
}

async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[tokio::test]
async fn one_over_the_bound_is_refused_and_a_waiter_that_leaves_frees_its_place() {
    let admission = admission(1, 1, 1000);
    let first = run(&admission, 100).await.unwrap();
    let mut second = Box::pin(run(&admission, 100));
    assert!(poll_once(&mut second).await.is_none());
    assert_eq!(admission.load(), (1, 1));
    assert_eq!(
        run(&admission, 100).await.unwrap_err(),
        NotAdmitted::QueueFull
    );
    drop(second);
    assert_eq!(admission.load(), (1, 0));
    drop(first);
    drop(run(&admission, 100).await.unwrap());
    admission.close();
    assert_eq!(
        run(&admission, 100).await.unwrap_err(),
        NotAdmitted::Closing
    );
}

#[tokio::test]
async fn a_waiter_that_leaves_when_it_is_called_gives_its_place_on() {
    let admission = admission(1, 10, 1000);
    let mut first = admission.enter("a", jobs(9)).unwrap();
    let place = first.place().await.unwrap();
    let second = admission.enter("a", jobs(9)).unwrap();
    let mut third = admission.enter("b", jobs(9)).unwrap();
    // Its job is over, and its VM still holds the place.
    drop(first);
    assert_eq!(admission.load(), (1, 2));
    // Now `second` is called but never polled again.
    drop(place);
    drop(second);
    drop(third.place().await.unwrap());
    assert_eq!(admission.load(), (1, 0));
    drop(third);
    assert_eq!(admission.load(), (0, 0));
}

#[tokio::test]
async fn a_wait_ends_with_its_patience() {
    let admission = admission(1, 1, 1000);
    let _first = admission.enter("a", jobs(9)).unwrap();
    let mut second = admission.enter("a", jobs(9)).unwrap();
    let refused = |jobs| admission.enter("a", jobs).unwrap_err();
    assert_eq!(refused(jobs(9)), NotAdmitted::QueueFull);
    assert_eq!(refused(jobs(1)), NotAdmitted::KeyFull);
    let soon = Duration::from_millis(1);
    assert!(tokio::time::timeout(soon, second.place()).await.is_err());
    drop(second);
    assert_eq!(admission.load(), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_a_crowd_nobody_is_lost() {
    let admission = admission(3, 10_000, 1000);
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..2_000 {
        let admission = admission.clone();
        tasks.spawn(async move {
            let key = (n % 7).to_string();
            let mut ticket = admission.enter(&key, jobs(10_000)).unwrap();
            if n % 11 == 0 {
                return false;
            }
            let placed = ticket.place().await.is_ok();
            tokio::task::yield_now().await;
            assert!(admission.load().0 <= 3);
            placed
        });
    }
    let placed = tasks.join_all().await.into_iter().filter(|p| *p).count();
    assert_eq!(placed, 2_000 - 2_000usize.div_ceil(11));
    assert_eq!(admission.load(), (0, 0));
}

#[tokio::test]
async fn a_job_waits_for_memory_where_there_is_a_place_and_nobody_overtakes_it() {
    let admission = admission(3, 8, 1000);
    let first = run(&admission, 700).await.unwrap();
    let mut large = Box::pin(run(&admission, 600));
    assert!(poll_once(&mut large).await.is_none());
    let mut small = Box::pin(run(&admission, 100));
    assert!(poll_once(&mut small).await.is_none());
    assert_eq!(admission.load(), (1, 2));
    drop(first);
    let large = poll_once(&mut large).await.unwrap().unwrap();
    let small = poll_once(&mut small).await.unwrap().unwrap();
    assert_eq!(admission.load(), (2, 0));
    drop((large, small));
    admission.close();
    assert_eq!(run(&admission, 1).await.unwrap_err(), NotAdmitted::Closing);
}

#[tokio::test]
async fn who_waits_when_the_sandbox_closes_is_told() {
    let admission = admission(2, 8, 1000);
    let _first = run(&admission, 1000).await.unwrap();
    let mut for_memory = Box::pin(run(&admission, 1));
    let mut for_a_place = Box::pin(run(&admission, 1));
    assert!(poll_once(&mut for_memory).await.is_none());
    assert!(poll_once(&mut for_a_place).await.is_none());
    admission.close();
    for waiter in [for_memory, for_a_place] {
        assert_eq!(waiter.await.unwrap_err(), NotAdmitted::Closing);
    }
    assert_eq!(admission.load(), (1, 0));
}

#[tokio::test]
async fn sessions_hold_half_of_the_memory_at_most_and_do_not_wait() {
    let admission = admission(4, 8, 1000);
    let session = admission.admit_session(400).unwrap();
    let refused = |mib| admission.admit_session(mib).unwrap_err();
    assert_eq!(refused(200), NotAdmitted::NoMemory);
    // Jobs get the rest, and a session what jobs leave.
    let job = run(&admission, 600).await.unwrap();
    assert_eq!(refused(100), NotAdmitted::NoMemory);
    drop(job);
    let other = admission.admit_session(100).unwrap();
    drop((session, other));
    drop(run(&admission, 1000).await.unwrap());
    admission.close();
    assert_eq!(refused(1), NotAdmitted::Closing);
}

proptest! {
    /// Whoever comes with whatever, what runs never holds more than there is, and all are let in once others go.
    #[test]
    fn memory_in_use_is_never_over_the_bound(asked in proptest::collection::vec(1u32..=1000, 1..20), places in 1usize..6) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let admission = admission(places, 64, 1000);
            let mut waiting: std::collections::VecDeque<_> =
                asked.iter().map(|mib| (*mib, Box::pin(run(&admission, *mib)))).collect();
            let mut running = std::collections::VecDeque::new();
            while !waiting.is_empty() {
                let mut still = std::collections::VecDeque::new();
                for (mib, mut one) in waiting.drain(..) {
                    match poll_once(&mut one).await {
                        Some(permit) => running.push_back((mib, permit.unwrap())),
                        None => still.push_back((mib, one)),
                    }
                }
                let held: u32 = running.iter().map(|(mib, _)| *mib).sum();
                prop_assert!(held <= 1000 && running.len() <= places);
                prop_assert!(!running.is_empty(), "all wait for each other");
                running.pop_front();
                waiting = still;
            }
            Ok(())
        })?;
    }
}
