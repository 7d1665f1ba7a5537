//! The guest kernel's command line: one table, each word with its reason.

use crate::config::Accelerator;

/// When a word is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    Tcg,
}
use When::{Always, Tcg};

const WORDS: &[(When, &str, &str)] = &[
    (
        Always,
        "console=ttyS0",
        "the last words of a guest that fails are part of the error",
    ),
    (
        Always,
        "quiet",
        "each character is an exit to the VMM; warnings still come",
    ),
    (
        Always,
        "panic=-1",
        "a dead guest must end its VM at once, not wait",
    ),
    (
        Always,
        "reboot=t",
        "triple fault: the one way to end that needs no firmware; the VMM exits on it",
    ),
    (
        Always,
        "8250.nr_uarts=1",
        "there is one serial port; probing for others costs exits",
    ),
    (
        Always,
        "initcall_blacklist=cmos_init",
        "no clock chip on this machine: its driver waits a second for one",
    ),
    (
        Always,
        "random.trust_cpu=on",
        "first randomness; the agent reseeds from the host before any job",
    ),
    (
        Always,
        "cryptomgr.notests",
        "self-tests of ciphers that nothing here uses: 0.2 s emulated",
    ),
    (
        Always,
        "lsm=yama,landlock",
        "the others have no policy to enforce in this guest: their hooks on every file are walked for nothing",
    ),
    (
        Always,
        "psi=0",
        "nobody reads pressure figures in this guest; they are kept at every switch of tasks",
    ),
    (
        Tcg,
        "tsc=reliable",
        "one host clock under all emulated CPUs: no watchdog, no drift to look for",
    ),
    (
        Tcg,
        "no_timer_check",
        "the check's busy loop takes its own slowness for a broken timer",
    ),
    // Not said: mitigations=off. Under emulation the guest's own mitigations cost next to nothing
    // (measured: 1 % of a boot), and with hardware they keep a job from reading the agent's memory.
    // Not said: nokaslr, nosmap and the like, for the same reason.
];

/// The whole line. `tsc_khz` is the host's clock rate: an emulated CPU counts at the host's, and a
/// guest that had to measure it against emulated timers would fail on a loaded host.
pub fn kernel_command_line(accelerator: Accelerator, tsc_khz: Option<u64>) -> String {
    let tcg = accelerator == Accelerator::Tcg;
    let mut words: Vec<String> = WORDS
        .iter()
        .filter(|(when, ..)| *when == Always || tcg)
        .map(|(_, word, _)| word.to_string())
        .collect();
    if let (true, Some(khz)) = (tcg, tsc_khz) {
        words.push(format!("tsc_early_khz={khz}"));
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_fits_the_kernel_and_weakens_nothing() {
        for accelerator in [Accelerator::Kvm, Accelerator::Tcg] {
            let line = kernel_command_line(accelerator, Some(2_445_431));
            assert!(line.len() < 2048, "COMMAND_LINE_SIZE on x86");
            for word in [
                "mitigations=off",
                "nokaslr",
                "nosmap",
                "nosmep",
                "nopti",
                "init=",
            ] {
                assert!(!line.contains(word), "{word}");
            }
            assert_eq!(
                line.contains("tsc_early_khz=2445431"),
                accelerator == Accelerator::Tcg
            );
        }
        assert!(
            WORDS
                .iter()
                .all(|(_, word, why)| !word.contains(' ') && !why.is_empty())
        );
    }
}
