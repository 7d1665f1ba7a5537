//! The guest kernel's command line under Firecracker: one table, each word with its reason.

const WORDS: &[(&str, &str)] = &[
    (
        "console=ttyS0",
        "the last words of a guest that fails are part of the error",
    ),
    (
        "quiet",
        "each character is an exit to the VMM; warnings still come",
    ),
    ("panic=-1", "a dead guest must end its VM at once, not wait"),
    (
        "reboot=k",
        "through the keyboard controller: what Firecracker takes for the end",
    ),
    (
        "8250.nr_uarts=1",
        "there is one serial port; probing for others costs exits",
    ),
    (
        "i8042.noaux i8042.nomux i8042.dumbkbd",
        "no mouse, no multiplexer, no keyboard to wait for",
    ),
    ("pci=off", "there is no PCI bus; probing costs exits"),
    (
        "random.trust_cpu=on",
        "first randomness; the agent reseeds from the host before any job",
    ),
    (
        "cryptomgr.notests",
        "self-tests of ciphers that nothing here uses",
    ),
    // Not said: mitigations=off, nokaslr, nosmap and the like: they keep a job from the agent's memory.
];

/// The whole line.
pub fn kernel_command_line() -> String {
    let words: Vec<&str> = WORDS.iter().map(|(word, _)| *word).collect();
    words.join(" ")
}
