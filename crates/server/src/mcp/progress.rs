//! Progress of a call, where its client asked for it with a token: the last whole line of what the program prints, at most
//! once a second, and a sign of life where it prints nothing. Clients give a silent call up after a minute.

use super::clip::on_one_line;
use rmcp::RoleServer;
use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::Peer;
use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// The least time between two notifications.
const EVERY: Duration = Duration::from_secs(1);

/// How long a call may be silent.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// Bytes of a line that are told.
const MAX_LINE_BYTES: usize = 256;

/// Who is told of progress, and what.
pub struct Progress {
    to: Option<(Peer<RoleServer>, ProgressToken)>,
    heard: Mutex<LastLine>,
    begun: Instant,
}

impl Progress {
    /// For who asked with this token.
    pub fn new(peer: Peer<RoleServer>, token: Option<ProgressToken>) -> Progress {
        Progress {
            to: token.map(|token| (peer, token)),
            heard: Mutex::default(),
            begun: Instant::now(),
        }
    }

    /// Takes in what was printed.
    pub fn hear(&self, bytes: &[u8]) {
        if self.to.is_some() {
            self.heard().take(bytes);
        }
    }

    fn heard(&self) -> std::sync::MutexGuard<'_, LastLine> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does this, and tells of it meanwhile.
    pub async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            done = work => done,
            never = self.tell() => match never {},
        }
    }

    async fn tell(&self) -> Infallible {
        let Some((peer, token)) = &self.to else {
            return std::future::pending().await;
        };
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick is at once.
        ticks.tick().await;
        let mut told = self.begun;
        loop {
            let now = ticks.tick().await;
            let line = self.heard().news();
            let running = now.duration_since(self.begun);
            let message = match line {
                Some(line) => line,
                None if now.duration_since(told) >= SIGN_OF_LIFE => {
                    format!("running for {} s", running.as_secs())
                }
                None => continue,
            };
            told = now;
            // Its only order is that it grows.
            let param = ProgressNotificationParam::new(token.clone(), running.as_secs_f64());
            let sent = peer.notify_progress(param.with_message(message)).await;
            if sent.is_err() {
                // Nobody listens any more; the call itself is ended by who sees that.
                return std::future::pending().await;
            }
        }
    }
}

/// The last whole line of what was printed; pure.
#[derive(Debug, Default)]
struct LastLine {
    /// The line that is still being printed, as far as it would be told.
    open: Vec<u8>,
    /// The last whole line that says something and was not told.
    news: Option<String>,
}

impl LastLine {
    fn take(&mut self, bytes: &[u8]) {
        // A carriage return ends a line, too: so progress bars are written.
        let mut pieces = bytes.split(|byte| matches!(byte, b'\n' | b'\r'));
        let mut piece = pieces.next();
        while let Some(more) = piece {
            let room = MAX_LINE_BYTES.saturating_sub(self.open.len());
            self.open.extend_from_slice(&more[..more.len().min(room)]);
            piece = pieces.next();
            if piece.is_some() {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let line = on_one_line(String::from_utf8_lossy(&self.open).trim());
        self.open.clear();
        if !line.is_empty() {
            self.news = Some(line);
        }
    }

    /// What is to be told, once.
    fn news(&mut self) -> Option<String> {
        self.news.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_last_whole_line_is_told_once() {
        for (pieces, news) in [
            (vec!["a"], None),
            (vec!["a\n"], Some("a")),
            (vec!["a\nb\nc"], Some("b")),
            (vec!["one ", "line\n"], Some("one line")),
            (vec!["10%\r20%\r"], Some("20%")),
            (vec!["a\n\n  \n"], Some("a")),
            (vec!["\x1b[1mbold\n"], Some("\u{fffd}[1mbold")),
        ] {
            let mut last = LastLine::default();
            for piece in pieces {
                last.take(piece.as_bytes());
            }
            assert_eq!(last.news().as_deref(), news);
            assert_eq!(last.news(), None);
        }
    }

    proptest! {
        #[test]
        fn it_is_the_same_however_it_comes_and_holds_one_line(text in "[a-z\\n\\r ]{0,900}", cut in 1usize..50) {
            let (mut whole, mut cuts) = (LastLine::default(), LastLine::default());
            whole.take(text.as_bytes());
            for piece in text.as_bytes().chunks(cut) {
                cuts.take(piece);
                prop_assert!(cuts.open.len() <= MAX_LINE_BYTES);
            }
            prop_assert_eq!(whole.news(), cuts.news());
        }
    }
}
