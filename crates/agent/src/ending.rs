//! What a wait status and the cgroup's counters mean. Pure, but for the names of the calls.

use crate::cgroup::Usage;
use protocol::supervisor::ProcessLimits;
use protocol::wire::{Ending, LimitName};

/// How a process ended, as far as the kernel told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Its wait status.
    Ended(i32),
    /// It is gone, and with it what it ended with.
    Killed,
}

/// What is known when a process is over.
pub struct Facts<'a> {
    /// Its end.
    pub outcome: &'a Outcome,
    /// The deadline passed.
    pub timed_out: bool,
    /// Its wall limit, milliseconds.
    pub wall_limit_millis: u64,
    /// The memory limit in force, bytes.
    pub memory_limit_bytes: u64,
    /// What it used.
    pub usage: Usage,
    /// Its limits.
    pub limits: &'a ProcessLimits,
}

/// Exit code and signal of an outcome, as far as there are any.
pub fn status_of(outcome: &Outcome) -> (Option<i32>, Option<i32>) {
    match outcome {
        Outcome::Ended(raw) if libc::WIFEXITED(*raw) => (Some(libc::WEXITSTATUS(*raw)), None),
        Outcome::Ended(raw) => (None, Some(libc::WTERMSIG(*raw))),
        Outcome::Killed => (None, Some(libc::SIGKILL)),
    }
}

/// Who else knows of a limit that a signal speaks of.
pub trait Witnesses {
    /// The call that a filter ended a process for, in the kernel's words.
    fn forbidden_call(&mut self) -> Option<i64>;
    /// Whether a file of so many bytes is there.
    fn full_file(&mut self, bytes: u64) -> bool;
}

/// Names what ended it; a witness is asked only after its signal.
pub fn judge(facts: &Facts<'_>, witnesses: &mut impl Witnesses) -> Ending {
    let (_, signal) = status_of(facts.outcome);
    let limit = |limit, value| Ending::Limit { limit, value };
    // A deadline that passed while memory ran out is still the first wall hit that is named.
    if facts.usage.oom_kills > 0 {
        return limit(LimitName::Memory, facts.memory_limit_bytes);
    }
    if facts.timed_out {
        return limit(LimitName::WallTime, facts.wall_limit_millis);
    }
    // A program can send itself each of these signals: they are believed where something else says the same.
    match signal {
        // SIGKILL is the hard limit's, a second after a SIGXCPU that the program handled.
        Some(libc::SIGXCPU | libc::SIGKILL) if cpu_time_is_up(facts) => {
            limit(LimitName::CpuTime, facts.limits.cpu_seconds)
        }
        Some(libc::SIGXFSZ) if witnesses.full_file(facts.limits.file_size_bytes) => {
            limit(LimitName::FileSize, facts.limits.file_size_bytes)
        }
        Some(libc::SIGSYS) => match witnesses.forbidden_call() {
            Some(number) => Ending::ForbiddenSyscall {
                number,
                name: name_of(number),
            },
            None => Ending::Exited,
        },
        _ => Ending::Exited,
    }
}

/// The group's clock and the process's, which the limit is for, are read apart: a tenth less will do.
fn cpu_time_is_up(facts: &Facts<'_>) -> bool {
    facts.limits.cpu_seconds > 0
        && facts.usage.cpu_micros >= facts.limits.cpu_seconds.saturating_mul(900_000)
}

fn name_of(number: i64) -> Option<String> {
    let number = usize::try_from(number).ok()?;
    syscalls::Sysno::new(number).map(|call| call.name().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> ProcessLimits {
        ProcessLimits {
            wall_millis: 10_000,
            cpu_seconds: 5,
            memory_bytes: 0,
            pids: 64,
            file_size_bytes: 1 << 24,
            open_files: 256,
        }
    }

    /// Only its deadline kills a process here.
    fn ending(outcome: Outcome, usage: Usage) -> Ending {
        let limits = limits();
        let facts = Facts {
            outcome: &outcome,
            timed_out: matches!(outcome, Outcome::Killed),
            wall_limit_millis: 10_000,
            memory_limit_bytes: 1 << 28,
            usage,
            limits: &limits,
        };
        judge(&facts, &mut Says(true))
    }

    /// All of them know of it, or none.
    struct Says(bool);

    impl Witnesses for Says {
        fn forbidden_call(&mut self) -> Option<i64> {
            self.0.then_some(165)
        }

        fn full_file(&mut self, _: u64) -> bool {
            self.0
        }
    }

    #[test]
    fn a_signal_that_nobody_else_knows_of_is_a_signal() {
        let limits = limits();
        for signal in [libc::SIGXCPU, libc::SIGXFSZ, libc::SIGSYS, libc::SIGKILL] {
            let facts = Facts {
                outcome: &Outcome::Ended(signal),
                timed_out: false,
                wall_limit_millis: 10_000,
                memory_limit_bytes: 1 << 28,
                usage: Usage::default(),
                limits: &limits,
            };
            assert_eq!(judge(&facts, &mut Says(false)), Ending::Exited, "{signal}");
        }
    }

    #[test]
    fn each_wall_is_named_with_its_value() {
        let none = Usage::default();
        let limit = |limit, value| Ending::Limit { limit, value };
        let oom = Usage {
            oom_kills: 1,
            ..none
        };
        let busy = Usage {
            cpu_micros: 6_000_000,
            ..none
        };
        for (outcome, usage, expected) in [
            (Outcome::Ended(0), none, Ending::Exited),
            (Outcome::Ended(3 << 8), none, Ending::Exited),
            (Outcome::Ended(libc::SIGSEGV), none, Ending::Exited),
            (Outcome::Ended(libc::SIGKILL), none, Ending::Exited),
            (Outcome::Killed, none, limit(LimitName::WallTime, 10_000)),
            (
                Outcome::Ended(libc::SIGKILL),
                oom,
                limit(LimitName::Memory, 1 << 28),
            ),
            (
                Outcome::Ended(libc::SIGXCPU),
                busy,
                limit(LimitName::CpuTime, 5),
            ),
            (
                Outcome::Ended(libc::SIGKILL),
                busy,
                limit(LimitName::CpuTime, 5),
            ),
            (
                Outcome::Ended(libc::SIGXFSZ),
                none,
                limit(LimitName::FileSize, 1 << 24),
            ),
        ] {
            assert_eq!(ending(outcome.clone(), usage), expected, "{outcome:?}");
        }
        let forbidden = Ending::ForbiddenSyscall {
            number: 165,
            name: Some("mount".into()),
        };
        assert_eq!(ending(Outcome::Ended(libc::SIGSYS), none), forbidden);
    }

    #[test]
    fn exit_code_and_signal_exclude_each_other() {
        assert_eq!(status_of(&Outcome::Ended(3 << 8)), (Some(3), None));
        assert_eq!(
            status_of(&Outcome::Ended(libc::SIGSYS)),
            (None, Some(libc::SIGSYS))
        );
        assert_eq!(status_of(&Outcome::Killed), (None, Some(libc::SIGKILL)));
    }
}
