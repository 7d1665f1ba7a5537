//! Signals to this command, which are meant for the program in the sandbox.

use anyhow::Context as _;
use serde::Serialize;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// 1, 2, 15: the numbers of signal(7).
const HANGUP: u8 = 1;
const INTERRUPT: u8 = 2;
const TERMINATE: u8 = 15;
const KILL: u8 = 9;

/// Interrupts after which a program has heard enough of them.
const LAST_INTERRUPT: u32 = 3;

/// Listens for them from the moment it is made; until then they end the process.
pub struct Interrupts {
    hangup: Signal,
    interrupt: Signal,
    terminate: Signal,
    interrupts: u32,
}

/// What is sent to the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Stopped {
    signal: u8,
    to: &'static str,
}

impl Interrupts {
    /// Begins to listen.
    pub fn listen() -> anyhow::Result<Interrupts> {
        let kind = |number: u8| signal(SignalKind::from_raw(number.into())).context("signals");
        Ok(Interrupts {
            hangup: kind(HANGUP)?,
            interrupt: kind(INTERRUPT)?,
            terminate: kind(TERMINATE)?,
            interrupts: 0,
        })
    }

    /// The number of the next one. Cancel-safe.
    pub async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.hangup.recv() => HANGUP,
            _ = self.interrupt.recv() => INTERRUPT,
            _ = self.terminate.recv() => TERMINATE,
        }
    }

    /// What the program gets for it.
    pub fn of_process(&mut self, number: u8) -> Stopped {
        self.interrupts += u32::from(number == INTERRUPT);
        stopped(number, self.interrupts)
    }
}

fn stopped(number: u8, interrupts: u32) -> Stopped {
    match number == INTERRUPT && interrupts >= LAST_INTERRUPT {
        true => Stopped {
            signal: KILL,
            to: "all",
        },
        false => Stopped {
            signal: number,
            to: "group",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_interrupt_kills() {
        for (number, interrupts, signal, to) in [
            (INTERRUPT, 1, INTERRUPT, "group"),
            (INTERRUPT, 2, INTERRUPT, "group"),
            (INTERRUPT, 3, KILL, "all"),
            (TERMINATE, 3, TERMINATE, "group"),
            (HANGUP, 0, HANGUP, "group"),
        ] {
            assert_eq!(stopped(number, interrupts), Stopped { signal, to });
        }
    }
}
