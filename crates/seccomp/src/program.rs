//! A compiled profile, in the forms that kernels and peers take.

/// `BPF_MAXINSNS` (include/uapi/linux/bpf_common.h).
pub const MAX_INSTRUCTIONS: usize = 4096;

/// A `struct sock_filter` (include/uapi/linux/filter.h).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instruction {
    pub code: u16,
    pub jt: u8,
    pub jf: u8,
    pub k: u32,
}

/// A classic BPF program for `seccomp(SECCOMP_SET_MODE_FILTER)`; never empty, at most
/// [`MAX_INSTRUCTIONS`] long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    instructions: Vec<Instruction>,
}

impl Program {
    pub(crate) fn new(instructions: Vec<Instruction>) -> Program {
        Program { instructions }
    }

    /// The number of instructions.
    #[allow(clippy::len_without_is_empty, reason = "a program is never empty")]
    pub fn len(&self) -> usize {
        self.instructions.len()
    }

    /// As the guest's agent takes it: `code << 48 | jt << 40 | jf << 32 | k`.
    pub fn as_u64s(&self) -> Vec<u64> {
        let word = |i: &Instruction| {
            u64::from(i.code) << 48 | u64::from(i.jt) << 40 | u64::from(i.jf) << 32 | u64::from(i.k)
        };
        self.instructions.iter().map(word).collect()
    }

    /// As `bwrap --seccomp FD` reads it: an array of `struct sock_filter`, native byte order.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.instructions.len() * 8);
        for i in &self.instructions {
            bytes.extend_from_slice(&i.code.to_ne_bytes());
            bytes.extend_from_slice(&[i.jt, i.jf]);
            bytes.extend_from_slice(&i.k.to_ne_bytes());
        }
        bytes
    }
}
