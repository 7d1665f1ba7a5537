//! The last bytes of a stream that may be endless: a guest's console, a VMM's stderr.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;

/// A bounded ring of bytes, shared between who drains and who asks.
#[derive(Debug, Clone)]
pub struct Tail {
    ring: Arc<Mutex<VecDeque<u8>>>,
    capacity: usize,
}

impl Tail {
    /// Keeps the last `capacity` bytes.
    pub fn new(capacity: usize) -> Self {
        Self {
            ring: Arc::default(),
            capacity,
        }
    }

    /// Takes in what came.
    pub fn push(&self, bytes: &[u8]) {
        let kept = &bytes[bytes.len().saturating_sub(self.capacity)..];
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let over = (ring.len() + kept.len()).saturating_sub(self.capacity);
        ring.drain(..over);
        ring.extend(kept);
    }

    /// All that is kept; control characters but newline and tab are dropped, so that a guest
    /// cannot steer the terminal of who reads it.
    pub fn text(&self) -> String {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(ring.make_contiguous())
            .chars()
            .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
            .collect()
    }

    /// The last lines of [`Tail::text`], for error messages.
    pub fn last_lines(&self, lines: usize) -> String {
        let text = self.text();
        let all: Vec<&str> = text.trim_end().lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    /// Drains `pipe` until its writers are gone. Must be called inside a tokio runtime.
    pub fn drain(&self, pipe: OwnedFd) -> std::io::Result<tokio::task::JoinHandle<()>> {
        let mut reader = pipe::Receiver::from_owned_fd(pipe)?;
        let tail = self.clone();
        Ok(tokio::spawn(async move {
            let mut buffer = [0u8; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer).await {
                tail.push(&buffer[..count]);
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_guest_cannot_steer_the_terminal() {
        let tail = Tail::new(100);
        tail.push(b"\x1b[2Jone\r\ntwo\xff\x07\n");
        assert_eq!(tail.text(), "[2Jone\ntwo\u{fffd}\n");
        assert_eq!(tail.last_lines(1), "two\u{fffd}");
    }

    proptest! {
        #[test]
        fn it_keeps_exactly_the_end(chunks in proptest::collection::vec(
            proptest::collection::vec(b'a'..=b'z', 0..50), 0..20), capacity in 0usize..80)
        {
            let tail = Tail::new(capacity);
            for chunk in &chunks { tail.push(chunk); }
            let all: Vec<u8> = chunks.concat();
            let end = &all[all.len().saturating_sub(capacity)..];
            let text = tail.text();
            prop_assert_eq!(text.as_bytes(), end);
        }
    }
}
