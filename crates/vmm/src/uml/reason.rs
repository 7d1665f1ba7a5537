//! Why no guest ran, in one line that names what is missing and what would do. Pure: from the last words
//! of a kernel, or of bubblewrap before it.

use crate::engine::VmExit;
use std::time::Duration;

/// Characters of a reason at most: it is told in one line, and the words in it are not ours.
const MAX_CHARS: usize = 300;

/// Whose words are known: what they say, and what is to be told of it.
const KNOWN: &[(&str, &str)] = &[
    (
        "must be not mounted noexec",
        "the tmpfs that its jail makes is mounted noexec; one that can be executed from would do",
    ),
    ("ptrace: ", TRACING),
    // Of a filter that kills there is no more to hear.
    ("check_ptrace : expected SIGSTOP", TRACING),
    // Exists on Linux since 2.6.14; what only looks like Linux may not have it.
    ("check_sysemu", SYSEMU),
    ("Checking syscall emulation for ptrace...missing", SYSEMU),
    ("Creating new namespace failed", NAMESPACES),
    ("No permissions to creat", NAMESPACES),
    ("setting up uid map", NAMESPACES),
    // A user namespace without rights in it: Ubuntu's AppArmor.
    ("Failed RTM_NEWADDR", NAMESPACES),
];

const TRACING: &str = "a process may not trace its own children here (ptrace), which a system-call filter or a security module forbids; one that allows it would do";
const SYSEMU: &str =
    "this host's ptrace cannot catch system calls (PTRACE_SYSEMU); a kernel that is Linux would do";
const NAMESPACES: &str = "user namespaces are refused here; user.max_user_namespaces above 0, and a container or security module that allows them, would do";

/// A reason, and whether it can be expected to stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reason {
    /// Something of this host is missing.
    Lasting(String),
    /// Nobody knows: the host may have been busy.
    Passing(String),
}

/// The kernel ended, or what should have become it did.
pub(super) fn of_end(exit: &VmExit) -> Reason {
    let lines = || exit.stderr.lines().chain(exit.console.lines());
    let known = KNOWN
        .iter()
        .find_map(|(word, why)| Some((lines().find(|line| line.contains(word))?, why)));
    match known {
        Some((line, why)) => Reason::Lasting(one_line(&format!("{why} ({})", line.trim()))),
        None => {
            // What a kernel says after a panic are addresses.
            let panic = lines().find(|line| line.contains("panic"));
            let last = || lines().rfind(|line| !line.trim().is_empty());
            let said = panic.or_else(last).map_or("it said nothing", str::trim);
            Reason::Passing(one_line(&format!(
                "its kernel ended before its first process ran ({exit}): {said}"
            )))
        }
    }
}

/// It did neither run nor end.
pub(super) fn of_deadline(deadline: Duration) -> Reason {
    Reason::Passing(format!(
        "its first process did not run within {} s; a host with less to do would do",
        deadline.as_secs()
    ))
}

/// It could not be tried.
pub(super) fn of_error(error: &dyn std::error::Error) -> Reason {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    Reason::Passing(one_line(&text))
}

/// Bounded, and without what would do more to a terminal than show.
fn one_line(text: &str) -> String {
    let shown: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let words: Vec<&str> = shown.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(MAX_CHARS - 1) {
        Some((cut, _)) if line.chars().count() > MAX_CHARS => format!("{}…", &line[..cut]),
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn exit(stderr: &str, console: &str) -> VmExit {
        VmExit {
            code: Some(1),
            signal: None,
            oom: false,
            watchdog: false,
            console: console.into(),
            stderr: stderr.into(),
        }
    }

    /// What kernels and bubblewrap said when these things were made true.
    #[test]
    fn their_own_words_become_a_reason() {
        for (said, word) in [
            (
                "Checking PROT_EXEC mmap in /tmp...Operation not permitted\n/tmp must be not mounted noexec\n",
                "noexec",
            ),
            (
                "ptrace: Operation not permitted\ncheck_ptrace : expected SIGSTOP, got status = 9",
                "trace its own children",
            ),
            (
                "check_ptrace : expected SIGSTOP, got status = 31",
                "trace its own children",
            ),
            (
                "bwrap: Creating new namespace failed: nesting depth or /proc/sys/user/max_*_namespaces exceeded (ENOSPC)\n",
                "user.max_user_namespaces",
            ),
        ] {
            let Reason::Lasting(reason) = of_end(&exit(said, "")) else {
                panic!("{said} is not known");
            };
            assert!(reason.contains(word) && reason.contains("would do"));
            let own_words = said.lines().any(|line| reason.contains(line.trim()));
            assert!(own_words, "{reason}");
        }
    }

    #[test]
    fn what_nobody_knows_is_told_as_it_is_and_does_not_stay() {
        let seen = of_end(&exit("one\nlast \x1b[31mword\n\n", ""));
        let text = "its kernel ended before its first process ran (exit code 1): last [31mword";
        assert_eq!(seen, Reason::Passing(text.into()));
        let trace = "Kernel panic - not syncing: No working init\nCall Trace:\n [<0>] ? 0x0\n";
        let Reason::Passing(panic) = of_end(&exit("", trace)) else {
            panic!("a panic says nothing of the host");
        };
        assert!(panic.ends_with("No working init"), "{panic}");
        let Reason::Passing(silent) = of_end(&exit("", "")) else {
            panic!("silence says nothing of the host");
        };
        assert!(silent.contains("it said nothing"));
        assert!(matches!(
            of_deadline(Duration::from_secs(1)),
            Reason::Passing(_)
        ));
    }

    proptest! {
        #[test]
        fn whatever_was_said_it_is_one_short_line(said in "\\PC{0,900}|[\\x00-\\x7f]{0,900}") {
            let (Reason::Lasting(line) | Reason::Passing(line)) = of_end(&exit(&said, &said));
            prop_assert!(line.chars().count() <= MAX_CHARS);
            prop_assert!(!line.chars().any(char::is_control));
        }
    }
}
