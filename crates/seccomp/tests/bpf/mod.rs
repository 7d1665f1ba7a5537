//! Classic BPF as the kernel runs it over a `struct seccomp_data`: the judge of what was compiled.

use seccomp::Program;

/// A call as a filter sees it.
#[derive(Debug, Clone)]
pub struct Call {
    pub number: u32,
    pub audit_arch: u32,
    pub args: [u64; 6],
}

pub const AUDIT_ARCH_X86_64: u32 = 0xC000_003E;

impl Call {
    pub fn new(number: i64, args: [u64; 6]) -> Call {
        Call {
            number: u32::try_from(number).unwrap(),
            audit_arch: AUDIT_ARCH_X86_64,
            args,
        }
    }

    fn word(&self, offset: u32) -> u32 {
        match offset {
            0 => self.number,
            4 => self.audit_arch,
            16..=60 => {
                let arg = self.args[(offset as usize - 16) / 8];
                if offset.is_multiple_of(8) {
                    arg as u32
                } else {
                    (arg >> 32) as u32
                }
            }
            other => panic!("the program loads offset {other}"),
        }
    }
}

/// The value that the program returns for `call`.
pub fn run(program: &Program, call: &Call) -> u32 {
    let words = program.as_u64s();
    let (mut at, mut accumulator) = (0usize, 0u32);
    loop {
        let word = words[at];
        let (code, jt, jf, k) = (
            (word >> 48) as u16,
            (word >> 40) as u8,
            (word >> 32) as u8,
            word as u32,
        );
        at += 1;
        let jump = |holds: bool| usize::from(if holds { jt } else { jf });
        match code {
            0x20 => accumulator = call.word(k),
            0x06 => return k,
            0x05 => at += k as usize,
            0x15 => at += jump(accumulator == k),
            0x25 => at += jump(accumulator > k),
            0x35 => at += jump(accumulator >= k),
            0x54 => accumulator &= k,
            other => panic!("instruction {other:#x} at {}", at - 1),
        }
    }
}
