//! Places, memory and the queue, one caller at a time.

use super::*;
use proptest::prelude::*;

fn gate(running: usize, queued: usize, memory_mib: u64) -> Arc<Gate> {
    Arc::new(Gate::new(Bounds {
        running,
        queued,
        memory_mib,
    }))
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
    let gate = gate(1, 1, 1000);
    let first = gate.admit(100).await.unwrap();
    let mut second = Box::pin(gate.admit(100));
    assert!(poll_once(&mut second).await.is_none());
    assert_eq!((gate.running(), gate.waiting()), (1, 1));
    assert_eq!(gate.admit(100).await.unwrap_err(), NotAdmitted::QueueFull);
    drop(second);
    assert_eq!(gate.waiting(), 0);
    drop(first);
    drop(gate.admit(100).await.unwrap());
    gate.close();
    assert_eq!(gate.admit(100).await.unwrap_err(), NotAdmitted::Closing);
}

#[tokio::test]
async fn a_job_waits_for_memory_where_there_is_a_place_and_nobody_overtakes_it() {
    let gate = gate(3, 8, 1000);
    let first = gate.admit(700).await.unwrap();
    let mut large = Box::pin(gate.admit(600));
    assert!(poll_once(&mut large).await.is_none());
    let mut small = Box::pin(gate.admit(100));
    assert!(poll_once(&mut small).await.is_none());
    assert_eq!(gate.waiting(), 2);
    drop(first);
    let large = poll_once(&mut large).await.unwrap().unwrap();
    let small = poll_once(&mut small).await.unwrap().unwrap();
    assert_eq!(gate.waiting(), 0);
    drop((large, small));
    gate.close();
    assert_eq!(gate.admit(1).await.unwrap_err(), NotAdmitted::Closing);
}

#[tokio::test]
async fn who_waits_for_memory_when_the_sandbox_closes_is_told() {
    let gate = gate(2, 8, 1000);
    let _first = gate.admit(1000).await.unwrap();
    let mut second = Box::pin(gate.admit(1));
    assert!(poll_once(&mut second).await.is_none());
    gate.close();
    assert_eq!(
        poll_once(&mut second).await.unwrap().unwrap_err(),
        NotAdmitted::Closing
    );
}

#[tokio::test]
async fn sessions_hold_half_of_the_memory_at_most_and_do_not_wait() {
    let gate = gate(4, 8, 1000);
    let session = gate.admit_session(400).unwrap();
    assert_eq!(gate.admit_session(200).unwrap_err(), NotAdmitted::QueueFull);
    // Jobs get the rest, and a session what jobs leave.
    let job = gate.admit(600).await.unwrap();
    assert_eq!(gate.admit_session(100).unwrap_err(), NotAdmitted::QueueFull);
    drop(job);
    let other = gate.admit_session(100).unwrap();
    drop((session, other));
    drop(gate.admit(1000).await.unwrap());
    gate.close();
    assert_eq!(gate.admit_session(1).unwrap_err(), NotAdmitted::Closing);
}

proptest! {
    /// Whoever comes with whatever, what runs never holds more than there is, and all are let in once others go.
    #[test]
    fn memory_in_use_is_never_over_the_bound(asked in proptest::collection::vec(1u32..=1000, 1..20), places in 1usize..6) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let gate = gate(places, 64, 1000);
            let mut waiting: std::collections::VecDeque<_> =
                asked.iter().map(|mib| (*mib, Box::pin(gate.admit(*mib)))).collect();
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
