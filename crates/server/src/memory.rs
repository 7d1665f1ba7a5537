//! The memory that clients make this service hold: bodies on their way in, answers on their way out.
//! One owner of both bounds; whoever holds bytes for a client has a [`Held`] of them.
//!
//! A body that there is no room for is refused (503): its client may come again. An answer waits for
//! its room, and its job keeps its place in the queue meanwhile: the program has run, so nothing is
//! lost, and since each answer has a deadline (`http.answer_seconds`), the wait has one too.

use crate::config::HttpBounds;
use crate::problem::{HttpCode, Problem};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes are accounted for in units of this many.
const UNIT_BYTES: usize = 1024;

/// Answers up to this many bytes are not counted: no refusal and no sign of life ever waits. The
/// bound on connections bounds them.
const SMALL_ANSWER_BYTES: u64 = 64 * 1024;

/// Both bounds.
#[derive(Debug)]
pub struct Memory {
    bodies: Account,
    answers: Account,
}

/// A part of a bound; given back when dropped.
#[derive(Debug, Default)]
pub struct Held(Option<OwnedSemaphorePermit>);

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

    /// Waits for the room that an answer of so many bytes takes. One that is larger than all room
    /// takes all of it.
    pub async fn answer(&self, bytes: u64) -> Held {
        if bytes <= SMALL_ANSWER_BYTES {
            return Held::default();
        }
        let permits = self.answers.permits.clone();
        // The semaphore is never closed.
        let permit = permits.acquire_many_owned(self.answers.units(bytes)).await;
        Held(permit.ok())
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
}
