//! The memory that clients make this service hold: bodies on their way in, what jobs leave on its way out.
//! One owner of both bounds; whoever holds bytes for a client has a [`Held`] of them.
//!
//! ```text
//!  body, as it comes ──> job waits for its place ──> room for a large result ──> it runs
//!     no room: 503                                                                  │
//!            last byte is out: given back <── answer, piece by piece <── the rest is given back
//! ```
//!
//! What a job may leave is known before it runs, so room is asked for then: a program that has run is never
//! run in vain. An ordinary result is bounded by its place, which is kept until its answer is out; only
//! larger ones wait for each other, so a client that is slow over one of those holds up no others. Each
//! answer has a deadline (`http.answer_seconds`), so the wait for room has one, too.

use crate::config::HttpBounds;
use crate::problem::{HttpCode, Problem};
use protocol::job::Job;
use protocol::result::JobResult;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes are accounted for in units of this many.
const UNIT_BYTES: usize = 1024;

/// Answers without a job of up to this many bytes are not counted: no refusal and no sign of life ever waits. The
/// bound on connections bounds them.
const SMALL_ANSWER_BYTES: u64 = 64 * 1024;

/// What a job with the default limits may leave: two streams of 1 MiB and 8 MiB of artifacts.
const ORDINARY_RESULT_BYTES: u64 = 10 * 1024 * 1024;

/// Both bounds.
#[derive(Debug)]
pub struct Memory {
    bodies: Account,
    answers: Account,
}

/// A part of a bound; given back when dropped.
#[derive(Debug, Default)]
pub struct Held(Option<OwnedSemaphorePermit>);

/// The room of one job's result.
#[derive(Debug, Default)]
pub struct ResultRoom {
    held: Held,
    copies: u64,
}

impl Memory {
    /// As configured.
    pub fn new(bounds: &HttpBounds) -> Memory {
        Memory {
            bodies: Account::new(bounds.all_bodies_bytes),
            answers: Account::new(bounds.all_answers_bytes),
        }
    }

    /// Takes so many more bytes of a body, or says that there is no room.
    pub fn body(&self, held: &mut Held, bytes: usize) -> Result<(), Problem> {
        let permits = self.bodies.permits.clone();
        let more = permits
            .try_acquire_many_owned(self.bodies.units(bytes as u64))
            .map_err(|_| Problem::new(HttpCode::Overloaded).retry_after(1).close())?;
        match &mut held.0 {
            Some(permit) => permit.merge(more),
            None => held.0 = Some(more),
        }
        Ok(())
    }

    /// Waits for the room that this job's result may take, where its place is not enough.
    pub async fn result(&self, job: &Job) -> ResultRoom {
        let bytes = potential(job);
        let held = match bytes <= ORDINARY_RESULT_BYTES {
            true => Held::default(),
            false => self.room(bytes).await,
        };
        ResultRoom {
            held,
            copies: copies(job),
        }
    }

    /// Waits for the room that an answer without a job takes, of so many bytes.
    pub async fn answer(&self, bytes: u64) -> Held {
        match bytes <= SMALL_ANSWER_BYTES {
            true => Held::default(),
            false => self.room(bytes).await,
        }
    }

    /// Waits for room for so many bytes. What is larger than all room takes all of it. Cancel-safe.
    pub async fn room(&self, bytes: u64) -> Held {
        let permits = self.answers.permits.clone();
        // The semaphore is never closed.
        let permit = permits.acquire_many_owned(self.answers.units(bytes)).await;
        Held(permit.ok())
    }
}

impl Held {
    /// Gives back what is above so many bytes.
    pub fn shrink(&mut self, bytes: u64) {
        let Some(permit) = &mut self.0 else { return };
        let units = usize::try_from(bytes.div_ceil(UNIT_BYTES as u64)).unwrap_or(usize::MAX);
        drop(permit.split(permit.num_permits().saturating_sub(units)));
    }
}

impl ResultRoom {
    /// The result is there, and this is what it has; the rest is given back.
    pub fn keeps(&mut self, result: &JobResult) {
        let streams = (result.stdout.len() + result.stderr.len()) as u64;
        let artifacts: u64 = result.artifacts.iter().map(|file| file.size).sum();
        self.held.shrink(self.copies * streams + artifacts);
    }
}

/// How often a job's answer has each stream. Piston's, which has no artifacts, has them by themselves and once
/// more as they came.
fn copies(job: &Job) -> u64 {
    match job.collect_artifacts {
        true => 1,
        false => 2,
    }
}

/// The most bytes that a job's result may have here.
fn potential(job: &Job) -> u64 {
    let streams = 2 * copies(job) * job.limits.output_bytes;
    match job.collect_artifacts {
        true => streams + job.limits.artifact_bytes,
        false => streams,
    }
}

/// Has each buffer of more than 128 KiB given back to the system when it is let go. By itself glibc's allocator
/// learns from the first large buffers to keep such memory: after a few large results 75 MB stayed for good.
/// Once, at the start of a service, before other threads.
pub fn give_back_large_buffers() {
    const BYTES: libc::c_int = 128 * 1024;
    // SAFETY: changes a number of the allocator's, and no memory.
    let done = unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, BYTES) };
    if done != 1 {
        tracing::debug!("the allocator keeps its own threshold");
    }
}

#[derive(Debug)]
struct Account {
    permits: Arc<Semaphore>,
    /// All of it.
    units: u32,
}

impl Account {
    fn new(bytes: usize) -> Account {
        let units = u32::try_from(bytes / UNIT_BYTES).unwrap_or(u32::MAX).max(1);
        Account {
            permits: Arc::new(Semaphore::new(units as usize)),
            units,
        }
    }

    fn units(&self, bytes: u64) -> u32 {
        let units = bytes.div_ceil(UNIT_BYTES as u64);
        u32::try_from(units).unwrap_or(u32::MAX).min(self.units)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn memory(kib: usize) -> Memory {
        Memory::new(&HttpBounds {
            all_bodies_bytes: kib * 1024,
            all_answers_bytes: kib * 1024,
            ..HttpBounds::default()
        })
    }

    #[test]
    fn a_body_without_room_is_refused_and_gives_back_what_it_had() {
        let memory = memory(100);
        let (mut one, mut other) = (Held::default(), Held::default());
        for _ in 0..6 {
            memory.body(&mut one, 10 * 1024).unwrap();
        }
        memory.body(&mut other, 40 * 1024).unwrap();
        assert_eq!(memory.body(&mut other, 1).unwrap_err().code, "overloaded");
        drop(one);
        memory.body(&mut other, 60 * 1024).unwrap();
    }

    #[tokio::test]
    async fn an_answer_waits_until_another_is_out_and_a_small_one_never() {
        let memory = memory(100);
        let first = memory.answer(90 * 1024).await;
        let soon = Duration::from_millis(20);
        let second = memory.answer(1 << 40);
        tokio::pin!(second);
        assert!(tokio::time::timeout(soon, &mut second).await.is_err());
        let small = memory.answer(SMALL_ANSWER_BYTES);
        assert!(tokio::time::timeout(soon, small).await.is_ok());
        drop(first);
        // It is larger than all room there is, and comes through all the same.
        drop(second.await);
        memory.answer(100 * 1024).await;
    }

    #[tokio::test]
    async fn a_result_gives_back_what_it_did_not_take() {
        let memory = memory(100);
        let mut first = memory.room(1 << 40).await;
        first.shrink(30 * 1024);
        let _second = memory.room(70 * 1024).await;
        first.shrink(90 * 1024);
        let soon = Duration::from_millis(20);
        let third = memory.room(1);
        tokio::pin!(third);
        assert!(tokio::time::timeout(soon, &mut third).await.is_err());
        first.shrink(0);
        assert!(tokio::time::timeout(soon, third).await.is_ok());
    }
}
