use crate::arch::Arch;

/// What this crate's functions return.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a profile was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// The JSON is not a profile: bad syntax, an unknown field, system call, action or operator.
    #[error("seccomp profile {profile}, line {line}: {reason}")]
    Refused {
        /// The profile's name or file.
        profile: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong there, and what is allowed.
        reason: String,
    },
    /// More text than any profile needs.
    #[error("seccomp profile {profile} has {bytes} bytes, at most {max} are read")]
    TooLong {
        /// The profile's name or file.
        profile: String,
        /// Its size.
        bytes: usize,
        /// [`crate::profile::MAX_PROFILE_BYTES`].
        max: usize,
    },
    /// The kernel takes 4096 instructions and no more.
    #[error(
        "seccomp profile {profile} compiles to {instructions} instructions for {arch}, the kernel takes {max}: use fewer filters or conditions"
    )]
    TooLarge {
        /// The profile's name or file.
        profile: String,
        /// For which kernel.
        arch: Arch,
        /// How many it came to.
        instructions: usize,
        /// `BPF_MAXINSNS`.
        max: usize,
    },
    /// No profile of that name is built in, or none for jobs.
    #[error(
        "no built-in seccomp profile for jobs is named {name:?}: use one of {known}, or a file"
    )]
    UnknownBuiltin {
        /// What was asked for.
        name: String,
        /// Those that hold jobs.
        known: String,
    },
    /// The compiler refused what this crate let through; a defect of ours worth a report.
    #[error("seccomp profile {profile} does not compile for {arch}: {reason}")]
    Compile {
        /// The profile's name or file.
        profile: String,
        /// For which kernel.
        arch: Arch,
        /// The compiler's own words.
        reason: String,
    },
}
