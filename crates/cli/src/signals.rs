//! The signals that ask this tool to stop, and the one that it does without: SIGPIPE.

use std::io::IsTerminal as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a shell says of a program that SIGPIPE ended: 128 and its number.
pub const EXIT_PIPE_CLOSED: u8 = 141;

/// Whether an error is that nobody reads what this tool writes any more, as behind `| head`.
pub fn is_pipe_closed(error: &anyhow::Error) -> bool {
    let is_it = |cause: &(dyn std::error::Error + 'static)| {
        let io = cause.downcast_ref::<std::io::Error>();
        io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    };
    error.chain().any(is_it)
}

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

    /// For a service: a hangup asks it to read its configuration again.
    pub fn of_service() -> (StopSignals, Hangups) {
        let StopSignals([hangup, interrupt, terminate]) = StopSignals::listen();
        let hangups = Hangups {
            signal: hangup,
            had_terminal: std::io::stdin().is_terminal(),
        };
        (StopSignals([None, interrupt, terminate]), hangups)
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

/// What a hangup means to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hangup {
    /// To read its configuration again.
    Reload,
    /// To stop: the terminal is gone that it was started on.
    Stop,
}

/// Hangups of a service, from the moment it listens.
pub struct Hangups {
    signal: Option<Signal>,
    had_terminal: bool,
}

impl Hangups {
    /// Resolves with what the next one means.
    pub async fn next(&mut self) -> Hangup {
        match &mut self.signal {
            Some(signal) => _ = signal.recv().await,
            None => std::future::pending().await,
        }
        match self.had_terminal && !std::io::stdin().is_terminal() {
            true => Hangup::Stop,
            false => Hangup::Reload,
        }
    }
}

/// Resolves with the number of the signal that asks us to stop.
pub async fn stop_asked() -> u8 {
    StopSignals::listen().asked().await
}
