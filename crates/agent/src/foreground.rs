//! Ctrl-C without a terminal: the signal that a terminal would send to its foreground process group.

use crate::cgroup::Cgroup;
use crate::error::complain;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::path::PathBuf;

/// A program's number in its cell: the init is the first, and starts it before anything else.
const PROGRAM: &str = "2";

/// The process group of a cell's program: its own session's, which everything it starts is in unless it leaves.
pub struct Foreground {
    processes: PathBuf,
}

impl Foreground {
    /// Of the cell in this cgroup.
    pub fn of(cgroup: &Cgroup) -> Foreground {
        Foreground {
            processes: cgroup.processes(),
        }
    }

    /// Sends SIGINT; nothing where the program is gone.
    pub fn interrupt(&self) {
        let list = std::fs::read_to_string(&self.processes).unwrap_or_default();
        let program = list.lines().find(|pid| {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
            status.is_ok_and(|status| is_program(&status))
        });
        let Some(pid) = program.and_then(|pid| pid.parse().ok()) else {
            return;
        };
        if let Err(error) = killpg(Pid::from_raw(pid), Signal::SIGINT) {
            complain(&error);
        }
    }
}

/// Whether `/proc/PID/status` is that of a cell's program, by its number in the cell's namespace.
fn is_program(status: &str) -> bool {
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    let mut numbers = numbers.unwrap_or_default().split_ascii_whitespace();
    numbers.nth(1) == Some(PROGRAM) && numbers.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_known_by_its_number_in_the_cell() {
        for (numbers, expected) in [
            ("40\t2", true),
            ("40\t1", false),
            ("2", false),
            // In a namespace that the program made.
            ("41\t5\t2", false),
            ("", false),
        ] {
            let status = format!("Name:\tx\nNSpid:\t{numbers}\nNSsid:\t40\t2\n");
            assert_eq!(is_program(&status), expected, "{numbers}");
        }
    }
}
