//! `Idempotency-Key`: a client that asks for a sandbox again, for it never heard of the first one, gets the first one.

use super::create::NewSandbox;
use crate::problem::{HttpCode, Problem};
use crate::sandboxes::slot::SandboxSlot;
use crate::sandboxes::table::Sandboxes;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use tokio::sync::Mutex;

/// Whose key, and what it is.
type OnceKey = (String, Vec<u8>);

/// What came of one key: the request, and the name of its sandbox once that is there.
#[derive(Debug, Default)]
struct Attempt {
    made: Option<(NewSandbox, String)>,
}

/// The sandboxes that were asked for with a key, as long as they are there.
#[derive(Debug, Default)]
pub struct Once {
    attempts: std::sync::Mutex<HashMap<OnceKey, Arc<Mutex<Attempt>>>>,
}

impl Once {
    /// Makes a sandbox unless this key has one. Two at once wait for each other.
    pub async fn make(
        &self,
        (key, request): (OnceKey, &NewSandbox),
        sandboxes: &Sandboxes,
        make: impl Future<Output = Result<Arc<SandboxSlot>, Problem>>,
    ) -> Result<Arc<SandboxSlot>, Problem> {
        let attempt = self.attempt(key, sandboxes);
        let mut attempt = attempt.lock().await;
        if let Some((known, id)) = &attempt.made
            && let Some(slot) = sandboxes.named(id)
        {
            if known != request {
                let sentence = "this Idempotency-Key was used for another request";
                return Err(Problem::with(HttpCode::FieldInvalid, sentence));
            }
            return Ok(slot);
        }
        let slot = make.await?;
        attempt.made = Some((request.clone(), slot.id.clone()));
        Ok(slot)
    }

    /// The attempt with this key. Those whose sandbox is gone, or came to nothing, are forgotten: there are no more of
    /// them than sandboxes and requests.
    fn attempt(&self, key: OnceKey, sandboxes: &Sandboxes) -> Arc<Mutex<Attempt>> {
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.retain(|_, attempt| {
            let waits = Arc::strong_count(attempt) > 1;
            let is_there = attempt.try_lock().is_ok_and(|attempt| {
                let id = attempt.made.as_ref().map(|(_, id)| id);
                id.is_some_and(|id| sandboxes.named(id).is_some())
            });
            waits || is_there
        });
        attempts.entry(key).or_default().clone()
    }
}
