//! Bytes of one stream on their way from the sandbox's task to who reads them. The stream's credit bounds them.
//!
//! One buffer, not a queue of messages: a hostile guest sends a window of frames of two bytes, and each message of
//! a queue would cost 40 times as much.

use super::error::LiveError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// What one stream brought and nobody took yet; one task fills it, one takes.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    held: Mutex<Held>,
    changed: Notify,
    /// The offset of the first byte, where the guest said so after its reader had begun to count.
    base: AtomicU64,
}

#[derive(Debug, Default)]
struct Held {
    bytes: Vec<u8>,
    /// Nothing more comes, and why.
    end: Option<Result<(), LiveError>>,
}

impl Inbox {
    /// Its first byte is at this offset.
    pub(super) fn set_base(&self, offset: u64) {
        self.base.store(offset, Ordering::Release);
    }

    /// What is to be added to its reader's count.
    pub(super) fn base(&self) -> u64 {
        self.base.load(Ordering::Acquire)
    }

    /// Adds bytes, these parts in a row.
    pub(super) fn push(&self, parts: [&[u8]; 2]) {
        let mut held = self.held();
        for part in parts {
            held.bytes.extend_from_slice(part);
        }
        drop(held);
        self.changed.notify_one();
    }

    /// Says that nothing more comes; only the first word counts.
    pub(super) fn close(&self, end: Result<(), LiveError>) {
        self.held().end.get_or_insert(end);
        self.changed.notify_one();
    }

    /// All that came since, at least one byte; `None` at the end. Cancel-safe.
    pub(super) async fn take(&self) -> Result<Option<Vec<u8>>, LiveError> {
        loop {
            if let Some(taken) = self.take_now() {
                return taken;
            }
            self.changed.notified().await;
        }
    }

    fn take_now(&self) -> Option<Result<Option<Vec<u8>>, LiveError>> {
        let mut held = self.held();
        if !held.bytes.is_empty() {
            return Some(Ok(Some(std::mem::take(&mut held.bytes))));
        }
        let end = held.end.clone()?;
        Some(end.map(|()| None))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[tokio::test]
    async fn what_came_is_taken_before_the_end_is_told_and_the_end_stays() {
        let inbox = Arc::new(Inbox::default());
        let reader = tokio::spawn({
            let inbox = inbox.clone();
            async move { inbox.take().await }
        });
        tokio::task::yield_now().await;
        inbox.push([b"a", b"b"]);
        assert_eq!(reader.await.unwrap(), Ok(Some(b"ab".to_vec())));
        inbox.push([b"c", b""]);
        inbox.close(Err(LiveError::Gone("first".into())));
        inbox.close(Ok(()));
        assert_eq!(inbox.take().await, Ok(Some(b"c".to_vec())));
        for _ in 0..2 {
            assert_eq!(inbox.take().await, Err(LiveError::Gone("first".into())));
        }
    }
}
