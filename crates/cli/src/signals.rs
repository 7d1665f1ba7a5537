//! The signals that ask this tool to stop.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens for them from the moment it is made; until then they end the process.
pub struct StopSignals([Option<Signal>; 3]);

/// 1, 2, 15: the numbers of signal(7).
const NUMBERS: [u8; 3] = [1, 2, 15];

impl StopSignals {
    /// Begins to listen.
    pub fn listen() -> StopSignals {
        let kind = |number: u8| SignalKind::from_raw(number.into());
        StopSignals(NUMBERS.map(|number| signal(kind(number)).ok()))
    }

    /// Resolves with the number of the signal that asks us to stop.
    pub async fn asked(self) -> u8 {
        let [hangup, interrupt, terminate] = self.0;
        let wait = |stream: Option<Signal>| async move {
            match stream {
                Some(mut stream) => _ = stream.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = wait(hangup) => NUMBERS[0],
            () = wait(interrupt) => NUMBERS[1],
            () = wait(terminate) => NUMBERS[2],
        }
    }
}

/// Resolves with the number of the signal that asks us to stop.
pub async fn stop_asked() -> u8 {
    StopSignals::listen().asked().await
}
