//! The one table of reasons for which a job is refused or fails on our side.
//! Clients may match on the code; the sentence says what to do.

use serde::{Serialize, Serializer};

macro_rules! error_codes {
    ($($(#[doc = $doc:literal])* $variant:ident = $code:literal, $http:literal, $advice:literal;)*) => {
        /// Why a job was refused, or why the sandbox itself failed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $($(#[doc = $doc])* $variant,)*
        }

        /// Every code, in the order of the documentation.
        pub const ERROR_CODES: &[ErrorCode] = &[$(ErrorCode::$variant),*];

        impl ErrorCode {
            /// The stable text that clients match on.
            pub fn as_str(self) -> &'static str {
                match self { $(ErrorCode::$variant => $code),* }
            }

            /// The HTTP status that fits.
            pub fn http_status(self) -> u16 {
                match self { $(ErrorCode::$variant => $http),* }
            }

            /// What the caller can do about it.
            pub fn advice(self) -> &'static str {
                match self { $(ErrorCode::$variant => $advice),* }
            }
        }
    };
}

error_codes! {
    /// No such language.
    LanguageUnknown = "language_unknown", 400, "use a name that `llm-firecracker languages` or GET /api/v1/languages lists";
    /// No such image, or none that the language's programs run in.
    ImageUnknown = "image_unknown", 400, "use a name that `llm-firecracker images list` or GET /api/v1/rootfs lists, and a language that it holds";
    /// Packages that may not be asked for, or not like this.
    PackagesRefused = "packages_refused", 400, "leave packages out, or ask for what may be had; who runs the service decides: [packages] in its configuration";
    /// No versions of the packages go together, or there are none.
    PackagesUnresolved = "packages_unresolved", 400, "ask for other packages or versions";
    /// The registry or the resolver failed, or there was no room.
    PackagesUnavailable = "packages_unavailable", 503, "try again later; see the message and `llm-firecracker doctor`";
    /// The program has no byte.
    CodeEmpty = "code_empty", 400, "send the program's text";
    /// The program is over 1 MiB.
    CodeTooLarge = "code_too_large", 413, "send at most 1,048,576 bytes; put data into files or stdin";
    /// The program is not UTF-8.
    CodeNotUtf8 = "code_not_utf8", 400, "save the program as UTF-8";
    /// The timeout is not in (0, 300] seconds.
    TimeoutInvalid = "timeout_invalid", 400, "use a number of seconds above 0 and at most the configured maximum (300 unless lowered)";
    /// The memory is out of bounds.
    MemoryInvalid = "memory_invalid", 400, "use a whole number of MiB within the configured bounds";
    /// The vCPU count is out of bounds.
    VcpusInvalid = "vcpus_invalid", 400, "use a whole number of vCPUs within the configured bounds";
    /// Another numeric limit is out of bounds.
    LimitInvalid = "limit_invalid", 400, "use a whole number above 0 and within the configured maximum";
    /// The trace id has other characters, or too many.
    TraceIdInvalid = "trace_id_invalid", 400, "use 1 to 64 of A-Z a-z 0-9 . _ - and no dot at the start, or leave it out";
    /// An argument cannot be passed to a program.
    ArgsInvalid = "args_invalid", 400, "send at most 1,024 arguments of at most 128 KiB together, without NUL";
    /// An environment variable cannot be passed to a program.
    EnvInvalid = "env_invalid", 400, "use names of A-Z a-z 0-9 _ that do not start with a digit, values without NUL, 128 KiB together";
    /// A file's name or size is out of bounds.
    FilesInvalid = "files_invalid", 400, "use plain relative paths, each once, at most 64 files of 2 MiB together; sessions and sandboxes take files of any size";
    /// The seccomp profile is not known or not valid.
    SeccompProfileInvalid = "seccomp_profile_invalid", 400, "use default, strict or a valid profile file";
    /// The scan found a pattern and was told to block.
    PatternBlocked = "pattern_blocked", 400, "take the pattern out, or run with --scan warn if you mean it";
    /// Nobody may be root in a sandbox here.
    GuestRootForbidden = "guest_root_forbidden", 403, "leave user out; who runs the service may allow it: guest_root = true in [sandboxes]";
    /// Nobody may write to the root file system here.
    WritableForbidden = "writable_forbidden", 403, "leave writable out; who runs the service may allow it: writable = true in [sandboxes]";
    /// The operator wrote no policy of this name, or not for this key.
    EgressUnknown = "egress_unknown", 403, "leave egress out for no network, or name a policy that the operator wrote and allows";
    /// What carries connections to the outside is not there.
    EgressUnavailable = "egress_unavailable", 503, "try again in a moment; if it stays so, the service's log says why the egress proxy does not start";
    /// The isolation is weaker than `isolation.minimum`.
    IsolationTooWeak = "isolation_too_weak", 503, "run on a host with working KVM, or lower isolation.minimum";
    /// The queue is at its bound.
    QueueFull = "queue_full", 503, "try again after the time given, or raise the bounds";
    /// The service is stopping.
    ShuttingDown = "shutting_down", 503, "send the job to another instance or try again later";
    /// The image of this language is not there.
    ImageMissing = "image_missing", 422, "run: llm-firecracker images build LANG";
    /// An image or snapshot failed its digest.
    ImageDamaged = "image_damaged", 503, "run: llm-firecracker images rm LANG, then images build LANG";
    /// The VM did not come up.
    VmStartFailed = "vm_start_failed", 500, "see the message and `llm-firecracker doctor`";
    /// The VMM ended or was killed while it held the job.
    VmDied = "vm_died", 500, "run the job again; if it repeats, see `llm-firecracker doctor`";
    /// The agent, an honest one, met something that it cannot go on after.
    AgentFailed = "agent_failed", 500, "run the job again; if it repeats, see `llm-firecracker doctor`";
    /// The guest broke the protocol; nothing it said counts.
    GuestMisbehaved = "guest_misbehaved", 500, "the job, or something it attacked, spoke nonsense to the host; its VM is gone";
    /// The guest went silent beyond the host's deadline.
    GuestSilent = "guest_silent", 500, "the VM no longer answered and is gone; run the job again";
    /// Something on the host failed.
    HostFailed = "host_failed", 500, "see the message; `llm-firecracker doctor` checks the host";
    /// The caller went away or pressed Ctrl-C.
    Cancelled = "cancelled", 499, "the job was stopped at the caller's wish";
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_say_what_to_do() {
        let mut seen = std::collections::HashSet::new();
        for code in ERROR_CODES {
            assert!(seen.insert(code.as_str()));
            assert!(code.advice().len() > 10);
        }
    }
}
